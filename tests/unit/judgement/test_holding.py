"""What counts as new data about a child, and from which judgement a level may be kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from features.factory import Town, day

from kodomo.governance.approvals import Matter
from kodomo.governance.criteria_versions import InUse
from kodomo.judgement.holding import children_with_news, held_levels, judgement_before
from kodomo.store.database import TABLES, Store

THEN, NOW = day("2026-03-31"), day("2026-04-07")
IN_USE = InUse(Matter.CRITERIA, "c1", "APPROVED", ()), InUse(Matter.THRESHOLDS, "t1", "APPROVED", ())


def town(**change: Any) -> Town:
    """Two children of one household, their mother, and a child elsewhere whose father lives apart."""
    built = Town()
    for key, household in (("c1", "h1"), ("c2", "h1"), ("c3", "h3")):
        built.person(key, "2015-05-01", household)
    for key, household in (("m1", "h1"), ("f3", "h9")):
        built.person(key, "1985-05-01", household, since="2015-04-01", relationship="妻")
        built.persons[key]["is_child"] = False
    built.kin("c1", "m1", "MOTHER")
    built.kin("c2", "m1", "MOTHER")
    built.kin("c3", "f3", "FATHER")
    built.fact("c1", "absence_days", "2026-02-01", number=3.0, known="2026-03-10", **change)
    built.fact("c1", "council_registration", "2025-06-01", source="council", code="不登校", to=None)
    built.fact("c3", "absence_days", "2026-02-01", number=1.0, known="2026-03-10")
    return built


def news(tmp_path: Path, change: Callable[[Town], None], **changed: Any) -> set[str]:
    after = town(**changed)
    change(after)
    return children_with_news(
        town().publish(tmp_path, "before"), THEN, after.publish(tmp_path, "after"), NOW, None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "concerned"),
    [
        (lambda t: None, set()),
        (lambda t: t.fact("c3", "late_days", "2026-04-01", number=1.0, known="2026-04-05"), {"c3"}),
        (lambda t: t.fact("c3", "late_days", "2026-04-01", number=1.0, known="2026-04-20"), set()),
        (lambda t: t.fact("f3", "arrears", "2026-04-01", number=1.0), {"c3"}),
        (lambda t: t.fact("c2", "late_days", "2026-03-01", number=1.0, known="2026-03-02"), {"c1", "c2"}),
        (lambda t: t.dwell("c3", "h1", day("2026-04-03")), {"c1", "c2", "c3"}),
    ],
    ids=["nothing but time", "own fact", "known later", "a relative's", "a late delivery, sibling too", "a move"],
)
def test_what_is_new(tmp_path: Path, change: Callable[[Town], None], concerned: set[str]) -> None:
    assert news(tmp_path, change) == concerned


@pytest.mark.parametrize("role", ["同居人", "妻"])
def test_who_leaves_the_household_is_news_of_those_who_stay(tmp_path: Path, role: str) -> None:
    """Somebody no kinship names, who lived with the children and lives elsewhere now."""

    def with_guest(until: Any) -> Town:
        built = town()
        built.person("g1", "1980-05-01", "h1", since="2020-04-01", relationship=role)
        built.persons["g1"]["is_child"] = False
        if until:
            built.household_spells[-1]["valid_to"] = until
            built.dwell("g1", "h8", until)
        return built

    before = with_guest(None).publish(tmp_path, "before")
    after = with_guest(day("2026-04-03")).publish(tmp_path, "after")
    assert children_with_news(before, THEN, after, NOW, None) == {"c1", "c2"}


def test_a_relative_found_or_lost_is_news(tmp_path: Path) -> None:
    assert news(tmp_path, lambda t: t.kin("c3", "m1", "MOTHER")) == {"c3"}


def test_a_withdrawn_statement_is_new(tmp_path: Path) -> None:
    assert news(tmp_path, lambda t: None, until="2026-04-02") == {"c1", "c2"}


def judged(
    store: Store, name: str, as_of: str, criteria: str = "c1", thresholds: str = "t1", level: str = "HIGH"
) -> None:
    row = {
        "child_key": "c1",
        "type": "POVERTY",
        "method": "COMBINED",
        "score": 0.5,
        "level": level,
        "is_registered": False,
    }
    schema = TABLES["judgements"].schema()
    table = pa.Table.from_pylist([row, {**row, "child_key": "c3"}], schema=schema)
    manifest = {
        "as_of": as_of, "snapshot": "before", "criteria": {"sha256": criteria}, "thresholds": {"sha256": thresholds},
    }  # fmt: skip
    store.write("judgements", name, {"judgements": table}, manifest)


def test_levels_are_kept_from_the_newest_judgement_until_the_date_with_the_same_versions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert judgement_before(store, NOW, IN_USE) is None
    for name, as_of, *versions in (
        ("j1", "2026-02-28"), ("j2", "2026-03-31"), ("j3", "2026-04-30"), ("j4", "2026-04-01", "c2"),
        ("j5", "2026-04-02", "c1", "t2"), ("j6", "2026-01-31"),
    ):  # fmt: skip
        judged(store, name, as_of, *versions)
    before = judgement_before(store, NOW, IN_USE)
    assert before is not None and before.snapshot_id == "j2"


def test_only_children_without_news_keep_a_level(tmp_path: Path) -> None:
    store = Store(tmp_path)
    town().publish(tmp_path, "before")
    after = town()
    after.fact("c3", "late_days", "2026-04-01", number=1.0, known="2026-04-05")
    snapshot = after.publish(tmp_path, "after")
    assert held_levels(store, snapshot, NOW, IN_USE) is None
    judged(store, "j1", "2026-03-31")
    held = held_levels(store, snapshot, NOW, IN_USE)
    assert held is not None and held.judgement == "j1"
    keys = np.array(["c1", "c3", "unknown"], dtype=object)
    assert held.of("POVERTY", "COMBINED", keys).tolist() == ["HIGH", None, None]
    assert held.of("ABUSE", "COMBINED", keys).tolist() == [None, None, None]

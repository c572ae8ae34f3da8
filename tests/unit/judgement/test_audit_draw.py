"""The audit draw: fair by age band and area, the same with the same seed, kept for ever, and of nobody raised."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from features.factory import day
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.configuration import Municipality
from kodomo.errors import ConfigurationFault
from kodomo.judgement.audit_draw import draw, draw_size, drawn_in, known_draws, pool_of, with_round
from kodomo.store.database import TABLES, Store
from kodomo.store.results import AUDIT_DRAWS
from kodomo.terms import OVERALL

AS_OF = day("2026-03-31")


def pool(size: int, seed: int = 1) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "child_key": [f"c{n:04d}" for n in range(size)],
            "age_band": rng.choice(["PRESCHOOL", "ELEMENTARY", "OLDER"], size, p=[0.5, 0.4, 0.1]).tolist(),
            "area_code": [None if a == "-" else a for a in rng.choice(["A", "B", "-"], size, p=[0.7, 0.2, 0.1])],
        },
        schema=pa.schema([(name, pa.string()) for name in ("child_key", "age_band", "area_code")]),
    )


@given(st.integers(0, 400), st.integers(20, 30), st.integers(0, 2**31))
@settings(max_examples=100)
def test_each_band_and_area_has_its_share_to_within_one_child(size: int, wanted: int, seed: int) -> None:
    children = pool(size, seed % 7)
    rows = draw(children, AS_OF, wanted, seed).to_pylist()
    assert len(rows) == len({r["child_key"] for r in rows}) == min(size, wanted)
    strata = Counter((r["age_band"], r["area_code"] or "") for r in children.to_pylist())
    drawn = Counter((r["age_band"], r["area_code"]) for r in rows)
    for stratum, number in strata.items():
        fair = number * min(1.0, wanted / size)
        assert np.floor(fair) <= drawn[stratum] <= np.ceil(fair)
    for row in rows:
        assert row["stratum_children"] == strata[row["age_band"], row["area_code"]]
        assert row["pool_children"] == size and row["probability"] == min(1.0, wanted / size)
    assert draw(children, AS_OF, wanted, seed).to_pylist() == rows


def test_every_child_has_the_same_chance() -> None:
    children = pool(100)
    times: Counter[str] = Counter()
    for seed in range(2_000):
        times.update(draw(children, AS_OF, 25, seed)["child_key"].to_pylist())
    seen = np.array([times[key] for key in children["child_key"].to_pylist()])
    assert seen.mean() == 500 and np.abs(seen - 500).max() < 5 * np.sqrt(500 * 0.75)


def judged(levels: dict[str, tuple[str, str, str | None]], **subject: Any) -> tuple[pa.Table, pa.Table]:
    """Judgements (level of one type, level overall, escalation) and subjects."""
    rows, people = [], []
    for key, (level, overall, escalation) in levels.items():
        row = {"child_key": key, "method": "COMBINED", "score": 0.1, "is_registered": False, "escalation": escalation}
        rows += [{**row, "type": "POVERTY", "level": level}, {**row, "type": OVERALL, "level": overall}]
        # Another method's opinion flags nobody.
        rows.append({**row, "type": "POVERTY", "method": "BOOSTING", "level": "HIGH", "escalation": None})
        people.append({"child_key": key, "age_band": "OLDER", "age_years": 16, "area_code": "A", "coverage_share": 1.0,
                       "is_known_to_support": key == "known", "is_council_registered": key == "registered",
                       "moved_in_within_year": False, **subject})  # fmt: skip
    tables = {"judgements": rows, "subjects": people}
    one, two = (pa.Table.from_pylist(tables[n], schema=TABLES[n].schema()) for n in tables)
    return one, two


def test_only_children_that_nothing_raised_are_in_the_pool() -> None:
    found = pool_of(*judged({
        "low": ("LOW", "LOW", None), "middle": ("MIDDLE", "LOW", None), "overall": ("LOW", "HIGH", None),
        "gate": ("LOW", "LOW", "必ず見る"), "thin": ("LOW", "INSUFFICIENT", None), "known": ("LOW", "LOW", None),
        "registered": ("LOW", "LOW", None), "thin type": ("INSUFFICIENT", "LOW", None),
    }))  # fmt: skip
    assert set(found["child_key"].to_pylist()) == {"low", "thin type"}


def test_a_round_is_drawn_once_and_all_rounds_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    levels = {f"c{n:03d}": ("LOW", "LOW", None) for n in range(80)}
    tables = judged(levels)
    first = with_round(known_draws(store), AS_OF, *tables, 25, seed=1)
    assert first.num_rows == 25
    store.write("judgements", "j1", {"audit_draws": first}, {})
    # The same date judged again, otherwise and with another seed: the round stands.
    fewer = judged({key: level for key, level in levels.items() if key > "c040"})
    again = with_round(known_draws(store), AS_OF, *fewer, 25, seed=2)
    assert again.equals(first)
    later = with_round(known_draws(store), day("2026-04-30"), *tables, 20, seed=1)
    assert later.num_rows == 45
    store.write("judgements", "j2", {"audit_draws": later}, {})
    assert known_draws(store).equals(later)
    rounds = (AS_OF, day("2026-04-30"))
    assert drawn_in(later, rounds, AS_OF) == drawn_in(later, (), rounds[1]) == frozenset()
    assert drawn_in(later, rounds, rounds[1]) == set(first["child_key"].to_pylist())
    assert with_round(AUDIT_DRAWS.empty(), AS_OF, *tables, 0, seed=1).num_rows == 0


@pytest.mark.parametrize(("said", "size"), [({}, 25), ({"size": 30}, 30), ({"size": 0}, 0)])
def test_the_size_is_the_municipalitys(hinata: Municipality, said: dict[str, Any], size: int) -> None:
    assert draw_size(replace(hinata, extras={"audit_draw": said})) == size


@pytest.mark.parametrize("said", [{"size": 5}, {"size": "30"}, {"size": True}, 25.0, {"size": 31}])
def test_another_size_is_a_fault(hinata: Municipality, said: Any) -> None:
    with pytest.raises(ConfigurationFault, match="監査抽出"):
        draw_size(replace(hinata, extras={"audit_draw": said}))

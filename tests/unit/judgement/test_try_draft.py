"""What a draft would mean, in counts; capacities of types and offices; switched-off lines; faults at their fields."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kodomo.configuration import Home, Municipality
from kodomo.governance.suppression import Suppression
from kodomo.jobs.runner import _small
from kodomo.judgement.capacities import Capacities, capacities
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.draft_check import check_draft
from kodomo.judgement.knowledge import knowledge_of
from kodomo.judgement.labels import known_to_support, read_cases
from kodomo.judgement.levels import Capacity
from kodomo.judgement.scenarios import judge_scenario
from kodomo.judgement.try_draft import LEVELS, Side, counted, curve_lines, type_line
from kodomo.terms import AgeBand, DifficultyType

from .conftest import AS_OF, SCENARIOS, Town, write_criteria

KIND = DifficultyType.NON_ATTENDANCE
PLAIN = Suppression(0, 1)


def side(town: Town, places: Capacities, scenarios: str | None = None, folder: Path | None = None) -> Side:
    """The town under some criteria."""
    criteria = town.criteria
    if scenarios is not None:
        assert folder is not None
        criteria = read_all_criteria(write_criteria(folder, scenarios=scenarios))
    matrix = town.judged.matrix
    knowledge = knowledge_of(matrix, criteria.expectations, town.snapshot.read("sources"), AS_OF)
    cases = read_cases(town.snapshot, criteria.labels).known_by(AS_OF)
    known = known_to_support(town.snapshot, criteria.labels, matrix.cohort, AS_OF)
    return Side(criteria, places, matrix, knowledge, cases, known)


def levels(line: dict[str, Any], side: str) -> list[str]:
    return [line[f"{side}_{level.value}"] for level in LEVELS]


def test_the_same_criteria_change_nobody_and_other_capacity_does(town: Town) -> None:
    now, more = side(town, Capacities(Capacity(0.05, 0.1))), side(town, Capacities(Capacity(0.1, 0.2)))
    same = type_line(KIND, now, now, PLAIN)
    assert levels(same, "now") == levels(same, "then") and (same["entered"], same["left"]) == ("0", "0")
    line = type_line(KIND, now, more, PLAIN)
    assert (
        int(line["entered"]) > 0
        and line["other_points"] == "0"
        and line["left"] == "0"
        and int(line["then_HIGH"]) > int(line["now_HIGH"])
    )
    judged = town.judged.types[0]
    assert sum(map(int, levels(line, "now"))) == len(judged.rows)
    for row in curve_lines(KIND, now, more, PLAIN):  # the order is the same
        assert row["now_registered"] == row["then_registered"] and 0 <= row["now_reached"] <= 1


def test_who_enters_and_leaves_is_counted_and_small_counts_are_hidden(town: Town, tmp_path: Path) -> None:
    now = side(town, Capacities(Capacity(0.05, 0.1)))
    text = SCENARIOS.replace("points = 2\n", "points = 9\n")
    then = side(town, Capacities(Capacity(0.05, 0.1)), text, tmp_path)
    before, after = counted(KIND, now).raised, counted(KIND, then).raised
    line = type_line(KIND, now, then, PLAIN)
    assert (int(line["entered"]), int(line["left"])) == (int((after & ~before).sum()), int((before & ~after).sum()))
    high = [one.levels == "HIGH" for one in (counted(KIND, now), counted(KIND, then))]
    assert int(line["entered_high"]) == int((high[1] & ~high[0]).sum()) and int(line["other_points"]) > 0
    hidden = type_line(KIND, now, then, Suppression(10_000, 5))
    assert {
        hidden["entered"],
        hidden["left_high"],
        hidden["other_points"],
        *levels(hidden, "now"),
        *levels(hidden, "then"),
    } <= {"秘匿", "0"}


def test_a_line_switched_off_is_checked_and_adds_no_points(town: Town, tmp_path: Path) -> None:
    text = SCENARIOS.replace('code = "a9"\n', 'code = "a9"\nis_off = true\nnote = "見直し中"\n')
    criteria = read_all_criteria(write_criteria(tmp_path, scenarios=text))
    assert [p.code for p in criteria.scenarios.table(KIND)] == ["a4", "both"]
    assert judge_scenario(KIND, criteria.scenarios, town.judged.matrix).points.max() < 6
    wrong = text.replace('when = ["absence_3m >= 9"]', 'when = ["nothing >= 9"]')
    told = check_draft(write_criteria(tmp_path / "wrong", scenarios=wrong))
    assert [(f["file"], f["table"], f["entry"], f["key"]) for f in told["faults"]] == [
        ("scenarios.toml", "points", "a9", "when")
    ]
    assert "indicators.toml にありません" in told["faults"][0]["message"]


def test_a_draft_that_is_no_toml_or_lacks_its_version_is_told_as_a_whole(tmp_path: Path) -> None:
    for n, text in enumerate(("version = ", SCENARIOS.replace('version = "試験-1"', 'version = ""'))):
        told = check_draft(write_criteria(tmp_path / str(n), scenarios=text))
        assert len(told["faults"]) == 1 and told["faults"][0]["table"] == "" and told["faults"][0]["message"]
    assert check_draft(write_criteria(tmp_path / "good"))["faults"] == []


def with_parts(hinata: Municipality, *parts: dict[str, Any]) -> Municipality:
    return dataclasses.replace(hinata, extras={**hinata.extras, "capacity": {"band": 0.0, "parts": list(parts)}})


def test_the_narrowest_capacity_counts_and_every_child_stands_in_one_pool(hinata: Municipality) -> None:
    found = capacities(with_parts(
        hinata,
        {"type": "貧困", "high": 0.3, "middle": 0.3},
        {"office": "childcare", "high": 0.2, "middle": 0.2},
        {"type": "貧困", "office": "childcare", "high": 0.5, "middle": 0.5},
    ))  # fmt: skip
    bands = np.array([AgeBand.PRESCHOOL.value, AgeBand.ELEMENTARY.value, AgeBand.OLDER.value], dtype=object)
    for kind, shares in (("POVERTY", [0.5, 0.3, 0.3]), ("ABUSE", [0.2, 0.02, 0.02])):
        pools = list(found.pools(kind, bands))
        assert sum(int(members.sum()) for _, members in pools) == len(bands)
        given = [next(c.high for c, members in pools if members[n]) for n in range(len(bands))]
        assert given == shares, kind
    assert found.of_type("POVERTY").high == 0.3 and found.of_type("ABUSE").high == 0.02


def test_without_parts_everybody_is_one_pool(hinata: Municipality) -> None:
    found = capacities(hinata)
    pools = list(found.pools("ABUSE", np.array(["PRESCHOOL"] * 3, dtype=object)))
    assert len(pools) == 1 and pools[0][1].all()


def test_the_command_reads_criteria_and_capacity_of_the_draft(
    town: Town, home: Home, tmp_path: Path, hinata: Municipality, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.judgement import try_draft as module

    place = write_criteria(tmp_path / "m")
    draft = write_criteria(tmp_path / "draft", scenarios=SCENARIOS.replace("points = 5", "points = 1"))
    (draft / module.CAPACITY).write_text(json.dumps({"high": 0.2, "middle": 0.3, "band": 0.0}))
    monkeypatch.setattr(module, "current_snapshot", lambda home: town.snapshot)
    monkeypatch.setattr(module, "read_register", lambda folder: SimpleNamespace())
    monkeypatch.setattr(module, "lawful_for", lambda *_: lambda item: True)
    types = (DifficultyType.NON_ATTENDANCE, DifficultyType.POVERTY)
    municipality = dataclasses.replace(hinata, folder=place, types=types)
    told = module.try_draft(home=home, municipality=municipality, as_of=AS_OF, draft=draft, at=None)  # type: ignore[arg-type]
    assert [line["type"] for line in told["drafted"]] == ["NON_ATTENDANCE", "POVERTY"]
    assert all(levels(line, "now") != levels(line, "then") for line in told["drafted"])
    kept = _small(told)  # what a job keeps of it is all the page needs
    assert kept["drafted"] == told["drafted"] and len(kept["curves"]) == len(told["curves"])

"""Point tables: which lines count, what is not known, who must have approved."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.errors import ConfigurationFault
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.learning import learnable
from kodomo.judgement.scenarios import FILE, judge_scenario
from kodomo.terms import DifficultyType

from .conftest import SCENARIOS, Town, write_criteria

NON_ATTENDANCE = DifficultyType.NON_ATTENDANCE


def test_only_the_highest_line_of_a_group_counts(town: Town) -> None:
    judged = town.judged
    result = judge_scenario(NON_ATTENDANCE, town.criteria.scenarios, judged.matrix)
    absence, late, arrears = (judged.matrix.column(c) for c in ("absence_3m", "late_12m", "arrears"))
    expected = np.where(absence >= 9, 5, np.where(absence >= 4, 3, 0)) + np.where((late >= 10) & (arrears >= 1), 2, 0)
    np.testing.assert_array_equal(result.points, expected)
    assert len(set(expected)) > 3
    np.testing.assert_allclose(result.logit, np.log(0.02 / 0.98) + 0.35 * expected)


def test_more_points_never_lower_the_score(town: Town) -> None:
    result = judge_scenario(NON_ATTENDANCE, town.criteria.scenarios, town.judged.matrix)
    order = np.argsort(result.points)
    assert (np.diff(result.score[order]) >= 0).all()
    assert ((result.score > 0) & (result.score < 1)).all()


def test_what_is_not_known_fulfils_no_condition(town: Town) -> None:
    matrix = town.judged.matrix
    blank = type(matrix)(**{**vars(matrix), "values": np.full_like(matrix.values, np.nan)})
    result = judge_scenario(NON_ATTENDANCE, town.criteria.scenarios, blank)
    assert not result.points.any() and not result.fired_gates.any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('name = "乙"', 'name = "甲"'), "異なる二人の承認"),
        (('version = "試験-1"\n', ""), "版(version)"),
        (
            ('when = ["absence_3m >= 9"]', 'when = ["absence_9m >= 9"]'),
            "指標「absence_9m」は indicators.toml にありません",
        ),
        (('when = ["absence_3m >= 9"]', 'when = ["absence_3m 9"]'), "の形ではありません"),
        (('sentence = "遅刻が {value} 日で、未納もある"\n', ""), "文を書いてください"),
        (("base_rate = 0.02", "base_rate = 2"), "0 と 1 の間"),
        (('code = "a4"', 'code = "a9"'), "二度書かれています"),
    ],
)
def test_faulty_or_unapproved_scenarios_are_refused(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    assert change[0] in SCENARIOS
    with pytest.raises(ConfigurationFault) as fault:
        read_all_criteria(write_criteria(tmp_path, scenarios=SCENARIOS.replace(*change)))
    assert words in fault.value.text()


def test_shipped_scenarios_are_approved_samples_for_all_seven_types() -> None:
    scenarios = read_all_criteria(SHIPPED_MUNICIPALITIES / "hinata").scenarios
    assert set(scenarios.scopes) == set(DifficultyType)
    assert "見本" in scenarios.note and "未検証" in scenarios.note
    assert all(p.rationale for p in scenarios.points)
    assert {"benefit_gap", "connection_gap"} <= {p.kind for p in scenarios.points}
    postnatal = [e for e in scenarios.escalations if e.type is DifficultyType.POSTNATAL_DEPRESSION]
    assert any(c.indicator == "epds_item10" and (c.operator, c.bound) == (">=", 1) for e in postnatal for c in e.when)


def test_points_that_rest_on_recognition_are_not_shown_to_learning(town: Town) -> None:
    scenario = town.judged.types[0].scenario
    columns = learnable(town.criteria.catalogue, town.criteria.labels, scenario.type, lambda item: True)
    hidden = [line for line, seen in zip(scenario.lines, scenario.learnable_lines(columns), strict=True) if not seen]
    assert all(any(c.indicator not in columns for c in line.when) for line in hidden)
    one = columns[:1]
    each = np.array([line.points for line in scenario.lines])
    kept = np.array([{c.indicator for c in line.when} <= set(one) for line in scenario.lines])
    assert np.allclose(scenario.points_of(one), scenario.fired[:, kept] @ each[kept])
    assert np.all(scenario.points_of(()) == 0)


@pytest.mark.parametrize("name", ["hinata", "usual"])
def test_every_shipped_line_says_why_and_after_what(name: str) -> None:
    """Those it is drafted for have neither our papers nor the line above it."""
    path = SHIPPED_MUNICIPALITIES / name / "criteria" / FILE
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    for line in [*content["points"], *content.get("escalations", [])]:
        for key in ("rationale", "source"):
            assert line.get(key, "").strip(), (line["code"], key)
            assert not re.search(r"domain|同上|measurements|seed", line[key]), (line["code"], key)

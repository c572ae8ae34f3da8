"""Other points on the table: who enters and leaves, in counts; unknown lines and absurd points are refused."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.errors import WrongUsage
from kodomo.governance.suppression import Suppression
from kodomo.judgement.levels import ranking
from kodomo.judgement.scenarios import judge_scenario
from kodomo.judgement.what_if import type_line, with_points
from kodomo.terms import DifficultyType

from .conftest import Town

KIND = DifficultyType.NON_ATTENDANCE
PLAIN = Suppression(0, 1)


def test_the_same_points_change_nobody(town: Town) -> None:
    scenarios = town.criteria.scenarios
    same = with_points(scenarios, {point.code: point.points for point in scenarios.points})
    line = type_line(KIND, scenarios, same, town.judged.matrix, 0.1, PLAIN)
    assert (line["entered"], line["left"], line["label"]) == ("0", "0", "不登校") and int(line["places"]) > 10


def test_points_turned_round_change_as_many_as_the_two_orders_differ(town: Town) -> None:
    scenarios, matrix = town.criteria.scenarios, town.judged.matrix
    turned = with_points(scenarios, {point.code: 9 - point.points for point in scenarios.table(KIND)})
    line = type_line(KIND, scenarios, turned, matrix, 0.1, PLAIN)

    def within(which: object) -> set[str]:
        result = judge_scenario(KIND, which, matrix)  # type: ignore[arg-type]
        rows = np.flatnonzero(result.applicable)
        first = rows[ranking(result.logit[rows], matrix.cohort.child_key[rows])][: int(len(rows) * 0.1)]
        return {matrix.cohort.child_key[row] for row in first if result.points[row] > 0}

    before, after = within(scenarios), within(turned)
    assert int(line["entered"]) == len(after - before) > 0
    assert int(line["left"]) == len(before - after)


def test_points_of_nought_leave_nobody_within(town: Town) -> None:
    nothing = with_points(town.criteria.scenarios, {point.code: 0 for point in town.criteria.scenarios.table(KIND)})
    line = type_line(KIND, town.criteria.scenarios, nothing, town.judged.matrix, 0.1, PLAIN)
    assert line["entered"] == "0" and line["left"] == line["places"] != "0"


def test_small_counts_are_suppressed(town: Town) -> None:
    line = type_line(
        KIND, town.criteria.scenarios, town.criteria.scenarios, town.judged.matrix, 0.01, Suppression(20, 5)
    )
    assert line["places"] == "秘匿" and line["entered"] == "0"


@pytest.mark.parametrize("points", [{"nowhere": 1.0}, {"": 1.0}, {"known": 1000.0}, {"known": float("nan")}])
def test_what_is_no_line_or_no_points_is_refused(points: dict[str, float], town: Town) -> None:
    code = town.criteria.scenarios.points[0].code
    with pytest.raises(WrongUsage):
        with_points(town.criteria.scenarios, {code if key == "known" else key: value for key, value in points.items()})

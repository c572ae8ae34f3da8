"""What other points in the point table would mean: who would come within capacity and who would leave, in counts (analysis side).

Holds the point table alone against itself, without learning, without registrations and without what is held from
the judgement before: the question is what the edit does. Nothing is written.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.configuration import Home, Municipality
from kodomo.errors import WrongUsage
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.data_until import check_reached
from kodomo.features.matrix import FeatureMatrix, feature_matrix
from kodomo.governance.register import read_register
from kodomo.governance.suppression import Suppression
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.levels import ranking
from kodomo.judgement.scenarios import Scenarios, judge_scenario
from kodomo.progress import Progress
from kodomo.terms import DifficultyType, Purpose

Beat = Callable[[dict[str, object]], None] | None
HIGHEST_POINTS = 100.0


def what_if(
    *,
    home: Home,
    municipality: Municipality,
    as_of: dt.date,
    points: Mapping[str, float],
    at: dt.datetime,
    beat: Beat = None,
) -> dict[str, Any]:
    """Count, for every type a change touches, how many children enter and leave 高 and 中 on a date.

    Reads the current snapshot and the criteria at hand. Small counts are suppressed.

    Args:
        points: new points by the code of a line of the point table.

    Raises:
        WrongUsage: no such line, or points out of range.
        NotReady: nothing is published, or the date lies beyond all data.
    """
    started = time.monotonic()
    criteria = read_all_criteria(municipality.criteria_folder)
    changed = with_points(criteria.scenarios, points)
    snapshot, register = current_snapshot(home), read_register(municipality.folder)
    old_data = check_reached(snapshot, as_of)
    kinds = [kind for kind in municipality.types if criteria.scenarios.table(kind) != changed.table(kind)]
    progress = Progress("試算", 1 + len(kinds), unit="工程", beat=beat)
    may = lawful_for(register, Purpose.JUDGE, as_of)
    matrix = feature_matrix(snapshot, [as_of], criteria.catalogue, criteria.expectations, allows=may, spill=home.spill)
    progress.add()
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    share = municipality.capacity_high + municipality.capacity_middle
    types = [type_line(kind, criteria.scenarios, changed, matrix, share, rule) for kind in progress.over(kinds)]
    progress.close()
    return {
        "as_of": as_of.isoformat(), "old_data": old_data, "changed_lines": len(points), "types": types,
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip


def with_points(scenarios: Scenarios, points: Mapping[str, float]) -> Scenarios:
    """The same point tables with other points on some lines. Raises WrongUsage."""
    unknown = sorted(set(points) - {point.code for point in scenarios.points})
    if unknown:
        raise WrongUsage(
            "点数表にない行です。", where="、".join(unknown), then="判定基準の行のコードを確かめてください。"
        )
    if any(not abs(value) <= HIGHEST_POINTS for value in points.values()):
        raise WrongUsage(f"点は -{HIGHEST_POINTS:g} から {HIGHEST_POINTS:g} までにしてください。", where="--points")
    lines = tuple(dataclasses.replace(p, points=points.get(p.code, p.points)) for p in scenarios.points)
    return dataclasses.replace(scenarios, points=lines)


def type_line(
    kind: DifficultyType, now: Scenarios, then: Scenarios, matrix: FeatureMatrix, share: float, rule: Suppression
) -> dict[str, Any]:
    """One type: children judged, places within capacity, and how many would enter and leave them."""
    before, after = (_within(kind, scenarios, matrix, share) for scenarios in (now, then))
    entered, left = int((after & ~before).sum()), int((before & ~after).sum())
    shown = {"judged": int(judge_scenario(kind, now, matrix).applicable.sum()), "places": int(before.sum()),
             "entered": entered, "left": left}  # fmt: skip
    return {"type": kind.value, "label": kind.label, **{key: rule.text(value) for key, value in shown.items()}}


def _within(kind: DifficultyType, scenarios: Scenarios, matrix: FeatureMatrix, share: float) -> NDArray[np.bool_]:
    """Rows within capacity by the point table alone; somebody without any point is in no place."""
    result = judge_scenario(kind, scenarios, matrix)
    rows = np.flatnonzero(result.applicable)
    first = rows[ranking(result.logit[rows], matrix.cohort.child_key[rows])][: int(len(rows) * share)]
    within = np.zeros(len(matrix.cohort), dtype=bool)
    within[first[result.points[first] > 0]] = True
    return within

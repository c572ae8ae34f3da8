"""What became known of the children judged on a past date: the ground every figure stands on (analysis side)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.judgement.combine import probability
from kodomo.judgement.judge import Judged, TypeJudgement
from kodomo.judgement.labels import Cases, mark
from kodomo.terms import OVERALL, Method

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """One type on the past date: children not yet registered then, and what became known of them."""

    type: str
    keys: NDArray[np.object_]
    group: NDArray[np.object_]
    scores: dict[str, Array]
    positive: Array
    new: NDArray[np.bool_]
    rows: NDArray[np.intp]
    is_learned: bool = True
    """Whether anything learned moves the combined score."""


def outcome(judged: Judged, kind: TypeJudgement, cases: Cases, months: int) -> Outcome:
    """Children judged for a type and not yet registered for it, and who was registered within the months after.

    ``cases`` are those known by the day of the evaluation.
    """
    marks = mark(cases, kind.type, judged.matrix.cohort, months)
    # A registration on its way on the past date is neither found nor missed: nobody could know it, nor prevent it.
    rows = kind.rows[~kind.registered[kind.rows] & (marks.pending[kind.rows] < 1)]
    scores = {
        Method.SCENARIO.value: kind.scenario.score[rows],
        Method.COMBINED.value: probability(kind.combination.logit)[rows],
    }
    scores |= {method.value: probability(said)[rows] for method, said in kind.combination.learned.items()}
    positive = (marks.onset[rows] >= 1).astype(np.float64)
    keys = judged.matrix.cohort.child_key[rows]
    new = ~judged.is_known_to_support[rows]
    learned = kind.combination.is_learned
    return Outcome(kind.type.value, keys, judged.groups[rows], scores, positive, new, rows, learned)


def overall_outcome(judged: Judged, outcomes: Sequence[Outcome]) -> Outcome:
    """総合: registered for any type within the months after, among children registered for none."""
    rows = np.flatnonzero(~judged.is_council_registered)
    positive = np.zeros(len(judged.matrix.cohort))
    for one in outcomes:
        positive[one.rows[one.positive > 0]] = 1.0
    scores = {Method.COMBINED.value: judged.overall[rows]}
    keys = judged.matrix.cohort.child_key[rows]
    return Outcome(OVERALL, keys, judged.groups[rows], scores, positive[rows], ~judged.is_known_to_support[rows], rows)

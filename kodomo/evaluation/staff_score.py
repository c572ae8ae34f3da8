"""Whether what was learned beats the staff's own points, out of time and beyond chance (analysis side).

職員の点数表 (the scenario's points) is always computed. The difference is measured on the same children, drawing
whole households again and again, so that what the two share cancels out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kodomo.evaluation.metrics import Figure, auroc, recall_at, with_interval_of_difference
from kodomo.evaluation.outcomes import Outcome
from kodomo.terms import LabelledEnum, Method


class Verdict(LabelledEnum):
    """学習と点数表の比較."""

    BEATS = "BEATS", "学習を加えた判定は、職員の点数表を上回る"
    UNSURE = "UNSURE", "学習を加えた判定が、職員の点数表を上回るとはいえない"
    LOSES = "LOSES", "学習を加えた判定は、職員の点数表に及ばない"
    SAME = "SAME", "職員の点数表で判定している"


def against_staff_score(one: Outcome, places: int, generator: np.random.Generator) -> dict[str, Any] | None:
    """The combined judgement less the staff's points, on one type of a past date; None for 総合, which has no points.

    Args:
        places: how many children can be reviewed.

    Returns:
        ``auroc`` and ``recall`` as value, low, high; ``verdict`` and its ``words``; ``is_used``: whether learning moved
        the score at all.
    """
    combined, points = one.scores.get(Method.COMBINED.value), one.scores.get(Method.SCENARIO.value)
    if combined is None or points is None:
        return None
    share = places / max(len(combined), 1)

    def recall(scores: Any, positive: Any) -> float:
        return recall_at(scores, positive, max(1, int(len(scores) * share)))

    difference = with_interval_of_difference(auroc, combined, points, one.positive, one.group, generator)
    reached = with_interval_of_difference(recall, combined, points, one.positive, one.group, generator)
    verdict = verdict_of(difference, is_used=one.is_learned)
    return {
        "auroc": difference.as_list(),
        "recall": reached.as_list(),
        "verdict": verdict.value,
        "words": verdict.label,
        "is_used": one.is_learned,
    }


def verdict_of(difference: Figure, *, is_used: bool) -> Verdict:
    """What a difference and its interval say."""
    if not is_used:
        return Verdict.SAME
    if difference.low > 0:
        return Verdict.BEATS
    return Verdict.LOSES if difference.high < 0 else Verdict.UNSURE

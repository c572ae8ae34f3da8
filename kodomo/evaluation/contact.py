"""The judgement without what records seeking help or being seen: how much of it is contact, not difficulty (analysis side).

Registrations favour families already in contact, and so does what is learned from them. The indicators marked
``is_contact`` (相談, 手当, 見守り…) are taken away and every child is scored again by the criteria and models as they
are; nothing is learned anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kodomo.evaluation.metrics import auroc, average_precision, recall_at, with_interval, with_interval_of_difference
from kodomo.evaluation.outcomes import Outcome
from kodomo.governance.suppression import Suppression
from kodomo.judgement.combine import probability
from kodomo.judgement.criteria import Criteria
from kodomo.judgement.judge import Judged, score_again
from kodomo.terms import Method


def without_contact(
    judged: Judged,
    one: Outcome,
    criteria: Criteria,
    places: int,
    rule: Suppression,
    generator: np.random.Generator,
) -> dict[str, Any] | None:
    """A type's figures without the indicators of contact; None where it has none, or too few later cases.

    Args:
        places: how many children can be reviewed.

    Returns:
        ``captions`` of the indicators taken away; ``auroc, average_precision`` without them, and by how much these and
        the share of the cases reached change (``…_change``), each as value, low, high.
    """
    catalogue = judged.matrix.catalogue
    gone = [n for n, i in enumerate(catalogue.indicators) if i.is_contact and one.type in {t.value for t in i.types}]
    if not gone or one.positive.sum() <= rule.threshold:
        return None
    values = judged.matrix.values.copy()
    values[:, gone] = np.nan
    logits = score_again(judged, one.type, judged.matrix.with_values(values), criteria)
    then, now = probability(logits)[one.rows], one.scores[Method.COMBINED.value]
    share = places / max(len(then), 1)

    def recall(scores: Any, positive: Any) -> float:
        return recall_at(scores, positive, max(1, int(len(scores) * share)))

    words = (one.positive, one.group, generator)
    return {
        "captions": [catalogue.indicators[n].caption for n in gone],
        "auroc": with_interval(auroc, then, *words).as_list(),
        "average_precision": with_interval(average_precision, then, *words).as_list(),
        **{
            f"{name}_change": with_interval_of_difference(measure, then, now, *words).as_list()
            for name, measure in (("auroc", auroc), ("average_precision", average_precision), ("recall", recall))
        },
    }

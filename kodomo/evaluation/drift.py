"""Whether what comes in still looks like what was learned from: each indicator and score, now against then (analysis side).

The population stability index (PSI; Siddiqi, Credit Risk Scorecards, 2006) compares shares in ten bins cut at
the earlier date's quantiles, missing values being a bin of their own. By the usual reading .10 asks for a look
and .25 for a decision before the model is used on. An index over few children is noise: below
``FEWEST`` none is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.combine import probability
from kodomo.judgement.criteria import Criteria
from kodomo.judgement.judge import Judged, score_others

Array = NDArray[np.float64]

FEWEST = 200
LOOK, DECIDE = 0.10, 0.25
_SHARE_FLOOR = 1e-4
_BINS = 10


@dataclass(frozen=True)
class Shift:
    """One indicator's or score's change between two dates: its index, and the share without a value, then and now."""

    code: str
    """An indicator's code, or a type's where its score moved."""
    caption: str
    index: float
    missing_then: float
    missing_now: float

    @property
    def state(self) -> str:
        """安定, 要注意 or 要判断."""
        return "安定" if self.index < LOOK else "要注意" if self.index < DECIDE else "要判断"


def shifts(then: FeatureMatrix, now: FeatureMatrix) -> list[Shift]:
    """Every indicator both dates have, the one that moved most first; empty below ``FEWEST`` children."""
    if min(len(then.cohort), len(now.cohort)) < FEWEST:
        return []
    found = []
    for indicator in now.catalogue.indicators:
        if indicator.code in then.codes:
            before, after = then.column(indicator.code), now.column(indicator.code)
            found.append(
                Shift(indicator.code, indicator.caption, stability_index(before, after),
                      float(np.isnan(before).mean()), float(np.isnan(after).mean()))
            )  # fmt: skip
    return sorted(found, key=lambda s: (-s.index, s.code))


def score_shifts(then: Judged, now: FeatureMatrix, criteria: Criteria) -> list[Shift]:
    """How each type's combined score is spread over today's children against those of the past date; empty when few.

    Both are scored by what judged the past date: models learned anew on another day have another level.
    """
    found = []
    for kind in then.types:
        before = probability(kind.combination.logit)[kind.rows]
        logits, asked = score_others(then, kind.type.value, now, now.cohort.group(), criteria)
        after = probability(logits[asked])
        if min(len(before), len(after)) >= FEWEST:
            found.append(Shift(kind.type.value, kind.type.label, stability_index(before, after), 0.0, 0.0))
    return sorted(found, key=lambda s: (-s.index, s.code))


def stability_index(then: Array, now: Array) -> float:
    """PSI of two samples; 0 for equal shares, symmetric, missing values compared too.

    >>> stability_index(np.array([0.0, 1.0] * 50), np.array([0.0, 1.0] * 50))
    0.0
    """
    known = then[~np.isnan(then)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else np.empty(0)
    a, b = _shares(then, edges), _shares(now, edges)
    return float(np.sum((b - a) * np.log(b / a)))


def _shares(values: Array, edges: Array) -> Array:
    missing = np.isnan(values)
    # side="left": an edge's own value lies below it, so that 0 and 1 of a flag fall apart.
    place = np.where(missing, len(edges) + 1, np.searchsorted(edges, np.nan_to_num(values), side="left"))
    counts = np.bincount(place, minlength=len(edges) + 2)
    return np.maximum(counts / len(values), _SHARE_FLOOR)

"""The figures of one group of children beside those of the others, none of which gives away a small number (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.evaluation.metrics import Figure, Households, poisson_interval
from kodomo.governance.suppression import Suppression

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SMALLEST_GROUP = 10
"""Groups with fewer known cases than this are not compared (measurements: minimum cell 10)."""
EVEN = (0.8, 1.25)
"""A share reached so many times that of the other children is taken for even (the four-fifths rule of the US
Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D), and so is any whose interval holds 1."""


@dataclass(frozen=True)
class Ground:
    """One type's children: who was raised, who became a case, whose case nobody knew, how likely each was thought.

    ``foreseen`` is None where the score is no probability.
    """

    flagged: Flags
    positive: Flags
    new: Flags
    scores: Array
    foreseen: Array | None
    households: Households


def group_line(label: str, members: Flags, others: Flags, ground: Ground, rule: Suppression) -> dict[str, Any]:
    """Counts and figures of a group; ``others`` are the rest of its division.

    Returns:
        ``children, cases`` as they may be shown; ``flagged_share, recall``; ``figures``: recall, precision, new_found,
        average_precision and recall_ratio (to the others), each value, low, high; ``expected``: cases foreseen, the
        range that chance allows for those there were; ``is_uneven``: reached much less or more than the others,
        beyond chance.
    """
    flagged, case = members & ground.flagged, members & ground.positive
    hits, cases = flagged & case, int(case.sum())
    enough = cases >= SMALLEST_GROUP and cases > rule.threshold
    figures = {
        "recall": _share(hits, case, ground, rule, enough),
        "precision": _share(hits, flagged, ground, rule, enough),
        "new_found": _share(hits & ground.new, flagged, ground, rule, enough),
        "average_precision": _average_precision(members, ground) if enough else HIDDEN,
        "recall_ratio": _ratio(hits, case, others, ground, rule, enough),
    }
    value, low, high = (figures["recall_ratio"].value, figures["recall_ratio"].low, figures["recall_ratio"].high)
    return {
        "group": label,
        "children": rule.count(int(members.sum())),
        "cases": rule.count(cases),
        "flagged_share": _rounded(rule.share(int(flagged.sum()), int(members.sum()))),
        "recall": None if np.isnan(figures["recall"].value) else round(figures["recall"].value, 3),
        "figures": {name: figure.as_list() for name, figure in figures.items()},
        "expected": _expected(members, cases, ground) if enough else None,
        "is_uneven": bool(not EVEN[0] <= value <= EVEN[1] and (high < 1 or low > 1)),
    }


HIDDEN = Figure(float("nan"), float("nan"), float("nan"))


def _share(part: Flags, whole: Flags, ground: Ground, rule: Suppression, enough: bool) -> Figure:
    value = rule.share(int(part.sum()), int(whole.sum()))
    if value is None or not enough:
        return HIDDEN
    above, below = ground.households.drawn_sums(part, whole)
    return ground.households.share(value, _divided(above, below), ground.positive & whole)


def _average_precision(members: Flags, ground: Ground) -> Figure:
    rows = np.flatnonzero(members)
    rows = rows[np.argsort(-ground.scores[rows], kind="stable")]
    ranked, case = ground.scores[rows], ground.positive[rows]
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]

    def measured(weights: Array) -> Array:
        """Row by row: tied scores enter together."""
        hits, seen = np.cumsum(weights * case, axis=1)[:, last], np.cumsum(weights, axis=1)[:, last]
        steps = np.diff(hits, axis=1, prepend=0.0)
        return _divided((steps * _divided(hits, seen, empty=0.0)).sum(axis=1), hits[:, -1])

    value = float(measured(np.ones((1, len(rows))))[0])
    return ground.households.share(value, ground.households.drawn(rows, measured), ground.positive & members)


def _ratio(hits: Flags, case: Flags, others: Flags, ground: Ground, rule: Suppression, enough: bool) -> Figure:
    """The share of its cases reached over that of the others'."""
    rest = others & ground.positive
    reached = rest & ground.flagged
    own, other = (rule.share(int(a.sum()), int(b.sum())) for a, b in ((hits, case), (reached, rest)))
    if not enough or not own or not other or int(rest.sum()) < SMALLEST_GROUP:
        return HIDDEN
    a, b, c, d = ground.households.drawn_sums(hits, case, reached, rest)
    return ground.households.ratio(own / other, _divided(_divided(a, b), _divided(c, d)), case)


def _expected(members: Flags, cases: int, ground: Ground) -> dict[str, Any] | None:
    if ground.foreseen is None:
        return None
    foreseen, (low, high) = float(ground.foreseen[members].sum()), poisson_interval(cases)
    return {
        "foreseen": round(foreseen, 1),
        "range": [round(low, 1), round(high, 1)],
        "is_off": bool(not low <= foreseen <= high),
    }


def _divided(above: Array, below: Array, empty: float = float("nan")) -> Array:
    empty_there = np.full(np.broadcast(above, below).shape, empty)
    return np.asarray(np.divide(above, below, out=empty_there, where=below > 0))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

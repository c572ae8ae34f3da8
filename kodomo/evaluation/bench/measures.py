"""The figures of one method on one table (analysis side)."""

from __future__ import annotations

import numpy as np

from kodomo.evaluation.metrics import auroc, average_precision, precision_at, recall_at
from kodomo.judgement.learners.cross_fit import Array

SHARES = (2, 5, 10)
BINS = 10


def calibration_error(p: Array, y: Array, bins: int = BINS) -> float:
    """Expected calibration error (Naeini, Cooper & Hauskrecht 2015): bins of equal width, mean |predicted − seen|.

    >>> calibration_error(np.array([0.2] * 10), np.array([1.0, 1.0] + [0.0] * 8))
    0.0
    """
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    predicted, seen = np.bincount(place, weights=p, minlength=bins), np.bincount(place, weights=y, minlength=bins)
    return round(float(np.abs(predicted - seen).sum() / len(y)), 12)


def figures(p: Array, y: Array) -> dict[str, float]:
    """All figures of predicted rates against outcomes."""
    found = {"auroc": auroc(p, y), "average_precision": average_precision(p, y)}
    for share in SHARES:
        places = max(1, round(share / 100 * len(y)))
        found[f"precision_at_{share}"] = precision_at(p, y, places)
        found[f"recall_at_{share}"] = recall_at(p, y, places)
    found["brier"] = float(np.mean((p - y) ** 2))
    found["calibration_error"] = calibration_error(p, y)
    return found


def mean_figures(several: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the repeats."""
    return {name: round(float(np.mean([one[name] for one in several])), 6) for name in several[0]}

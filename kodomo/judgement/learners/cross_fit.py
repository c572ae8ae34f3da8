"""Cross-fitting: every row is scored by models that never saw it or its household (analysis side).

A learner is fitted once per fold on the other folds. Rows it was fitted on get the score of their own
fold's model; new rows the mean over the folds. A learner that has a path of settings (rounds of boosting,
strength of a penalty) is fitted along the whole path, and the setting with the smallest log-loss on the
rows left out is kept for all folds: one choice over all rows, which few cases can carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Folds = NDArray[np.int64]

FOLDS = 5


class Model(Protocol):
    """Something fitted."""

    def logits(self, x: Array) -> Array:
        """Log-odds of each row."""


class Path(Protocol):
    """A fit along a path of settings."""

    def path(self, x: Array) -> Array:
        """Log-odds for each setting (rows) and each row of ``x`` (columns)."""

    def at(self, setting: int) -> Model:
        """The model at one setting."""


class Learner(Protocol):
    """A way of learning. ``fit`` reads only its arguments and draws only from ``seed``."""

    @property
    def name(self) -> str:
        """The method's name in results."""

    def fit(self, x: Array, y: Array, *, seed: int, weight: Array | None = None) -> Path:
        """Fit on rows ``x`` (NaN: not known) with outcome ``y`` (0 or 1)."""


@dataclass(frozen=True)
class CrossFitted:
    """One model a fold; ``out_of_fold`` is each training row's log-odds from the model that never saw it."""

    models: tuple[Model, ...]
    out_of_fold: Array
    setting: int

    def logits(self, x: Array) -> Array:
        """New rows: mean log-odds over the folds' models."""
        return np.asarray(np.mean([model.logits(x) for model in self.models], axis=0))

    def logits_of_folds(self, x: Array, folds: Folds) -> Array:
        """Rows whose fold is known: each from its own fold's model."""
        answer = np.zeros(len(x))
        for number, model in enumerate(self.models):
            rows = folds == number
            if rows.any():
                answer[rows] = model.logits(x[rows])
        return answer


def cross_fit(
    learner: Learner,
    x: Array,
    y: Array,
    folds: Folds,
    *,
    seed: int,
    weight: Array | None = None,
    workers: int = 1,
) -> CrossFitted:
    """Fit a learner on the rows outside each fold, choose its setting on the rows inside.

    Args:
        x: rows by columns, NaN where not known.
        y: outcome, 0 or 1.
        folds: fold number of each row, 0 to the largest.
        weight: weight of each row; ones when absent.
        workers: folds fitted side by side, in threads; the result is the same with any number.
    """
    count = int(folds.max()) + 1

    def fit(number: int) -> tuple[Path, Array]:
        inside = folds == number
        own = None if weight is None else weight[~inside]
        fitted = learner.fit(x[~inside], y[~inside], seed=seed + 1_000 * number, weight=own)
        return fitted, fitted.path(x[inside])

    with ThreadPoolExecutor(workers) as pool:
        paths, left_out = zip(*pool.map(fit, range(count)), strict=True)
    settings = len(left_out[0])
    together = np.zeros((settings, len(y)))
    for number, logits in enumerate(left_out):
        together[:, folds == number] = logits
    losses = [log_loss(together[n], y, weight) for n in range(settings)]
    best = int(np.argmin(losses))
    return CrossFitted(tuple(p.at(best) for p in paths), together[best], best)


def log_loss(logits: Array, y: Array, weight: Array | None = None) -> float:
    """Mean negative log-likelihood."""
    return float(np.average(np.logaddexp(0.0, np.where(y > 0, -logits, logits)), weights=weight))


def make_folds(y: Array, group: Sequence[Any] | NDArray[Any] | None, *, count: int = FOLDS, seed: int = 0) -> Folds:
    """Folds with like shares of cases; the rows of one group stay together.

    Groups are dealt out from the one with most cases to the one with least, each to the fold with fewest
    cases, then fewest rows; ties and equal groups in an order drawn from the seed.
    """
    generator = np.random.default_rng(seed)
    if group is None:
        folds = np.zeros(len(y), dtype=np.int64)
        # Cases are dealt out first, the others from where the cases ended: both and all differ by one at most.
        rows = np.concatenate([generator.permutation(np.flatnonzero((y > 0) == kind)) for kind in (True, False)])
        folds[rows] = np.arange(len(rows)) % count
        return folds
    _, place = np.unique(np.asarray(group, dtype=object).astype(str), return_inverse=True)
    cases, rows_of = np.bincount(place, weights=(y > 0)), np.bincount(place)
    order = generator.permutation(len(rows_of))
    order = order[np.lexsort((-rows_of[order], -cases[order]))]
    held = np.zeros((count, 2))
    fold_of_group = np.zeros(len(rows_of), dtype=np.int64)
    for one in order:
        key = held[:, 0] if cases[one] else held[:, 1]
        other = held[:, 1] if cases[one] else held[:, 0]
        fold = int(np.lexsort((other, key))[0])
        fold_of_group[one] = fold
        held[fold] += (cases[one], rows_of[one])
    return fold_of_group[place]

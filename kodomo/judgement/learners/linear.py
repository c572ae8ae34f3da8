"""Penalised logistic regression along a path of penalties (analysis side).

Ridge by L-BFGS and the elastic net by accelerated proximal gradient steps (FISTA, Beck & Teboulle 2009),
each penalty starting from the solution of the stronger one before it (Friedman, Hastie & Tibshirani 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kodomo.judgement.learners.cross_fit import Array

Real = NDArray[np.floating[Any]]
"""Single or double precision: what is computed keeps the precision of the columns."""


_ALLOWED = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
"""Least and greatest weight of a column by its sign."""


@dataclass(frozen=True)
class Line:
    """``intercept + x @ weights``."""

    intercept: float
    weights: Array

    def logits(self, x: Array) -> Array:
        """Log-odds of rows of the prepared columns."""
        return np.asarray(self.intercept + x @ self.weights)


def ridge_path(
    x: Array, y: Array, penalties: Array, *, weight: Array | None = None, signs: NDArray[np.int64] | None = None
) -> list[Line]:
    """Minimise mean log-loss + penalty/2 · |weights|² for each penalty, strongest first; the intercept is free.

    Args:
        signs: of each column: +1 or -1 for a weight that may not go the other way, 0 for a free one; all free when absent.
    """
    share = _shares(len(y), weight)
    place = np.zeros(x.shape[1] + 1)
    rate = np.clip(share @ y, 1e-6, 1 - 1e-6)
    place[0] = np.log(rate / (1 - rate))
    lines = []
    bounds = None if signs is None else [(None, None), *(_ALLOWED[int(sign)] for sign in signs)]
    for penalty in penalties:

        def loss(place: Array, penalty: float = float(penalty)) -> tuple[float, Array]:
            logits = place[0] + x @ place[1:]
            p = _sigmoid(logits)
            value = share @ np.logaddexp(0.0, np.where(y > 0, -logits, logits))
            value += 0.5 * penalty * place[1:] @ place[1:]
            slope = share * (p - y)
            return float(value), np.r_[slope.sum(), x.T @ slope + penalty * place[1:]]

        found = minimize(
            loss, place, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 150, "ftol": 1e-9}
        )
        place = np.asarray(found.x)
        lines.append(Line(float(place[0]), place[1:].copy()))
    return lines


def elastic_path(
    x: Real, y: Array, penalties: Array, *, ridge: float = 0.0, weight: Array | None = None, steps: int = 150
) -> list[Line]:
    """Minimise mean log-loss + penalty · |weights|₁ + ridge/2 · |weights|² for each penalty, strongest first."""
    share: Real = _shares(len(y), weight).astype(x.dtype)
    outcome: Real = y.astype(x.dtype)
    size = float(_largest_curvature(x, share)) / 4 + ridge + 1e-9
    rate = float(np.clip(share @ outcome, 1e-6, 1 - 1e-6))
    intercept, weights = float(np.log(rate / (1 - rate))), np.zeros(x.shape[1], dtype=x.dtype)
    lines = []
    for penalty in penalties.tolist():
        ahead, ahead_0, pace = weights.copy(), intercept, 1.0
        for _ in range(steps):
            slope = share * (_sigmoid(ahead_0 + x @ ahead) - outcome)
            moved = ahead - (x.T @ slope + ridge * ahead) / size
            moved = np.sign(moved) * np.maximum(np.abs(moved) - penalty / size, 0.0)
            moved_0 = ahead_0 - float(slope.sum()) / size
            faster = float((1 + np.sqrt(1 + 4 * pace * pace)) / 2)
            change = max(float(np.abs(moved - weights).max(initial=0.0)), abs(moved_0 - intercept))
            ahead = moved + (pace - 1) / faster * (moved - weights)
            ahead_0 = moved_0 + (pace - 1) / faster * (moved_0 - intercept)
            weights, intercept, pace = moved, moved_0, faster
            if change < 1e-4:
                break
        lines.append(Line(intercept, weights.astype(np.float64)))
    return lines


def strongest_penalty(x: Real, y: Array, weight: Array | None = None) -> float:
    """The smallest L1 penalty at which no weight differs from zero."""
    share = _shares(len(y), weight)
    return float(np.abs(x.T @ (share * (y - share @ y))).max(initial=1e-9))


def _shares(rows: int, weight: Array | None) -> Array:
    return np.full(rows, 1.0 / rows) if weight is None else weight / weight.sum()


def _sigmoid(logits: Real) -> Real:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))


def _largest_curvature(x: Real, share: Real) -> float:
    """Largest eigenvalue of the weighted second moments of the columns and the intercept, by the power method."""
    direction = np.ones(x.shape[1] + 1, dtype=x.dtype) / np.sqrt(x.shape[1] + 1, dtype=x.dtype)
    value = 1.0
    for _ in range(30):
        ahead = share * (direction[0] + x @ direction[1:])
        direction = np.r_[ahead.sum(), x.T @ ahead]
        value = float(np.sqrt(direction @ direction)) or 1.0
        direction = direction / value
    return value * 1.05

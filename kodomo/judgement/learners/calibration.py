"""Calibration of log-odds to rates (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.judgement.learners.cross_fit import Array

FARTHEST = 12.0
"""Log-odds farther out (one in 160,000) are drawn in before fitting: a single such row would flatten the line."""

LEAST_SLOPE = 0.05
HELD = 1e9
"""Drawn so strongly, a weight stays where it is."""


@dataclass(frozen=True)
class Platt:
    """Slope and shift of a log-odds."""

    slope: float
    shift: float

    def __call__(self, logits: Array) -> Array:
        """Calibrated log-odds."""
        return self.slope * logits + self.shift


def fit_platt(logits: Array, y: Array, weight: Array | None = None, *, slope_spread: float = 0.5) -> Platt:
    """Fit slope and shift by penalised logistic regression (Platt 1999).

    The slope is drawn towards 1 (normal, spread ``slope_spread``) and kept above 0.05, so that a handful
    of cases can neither turn the ranking round nor stretch it. Few labels thus move the level only. Half a
    case is added: where none was seen yet, the rate is small, not nought.
    """
    weight = np.ones(len(y)) if weight is None else weight
    logits = np.clip(logits, -FARTHEST, FARTHEST)
    middle = float(np.average(logits, weights=weight))
    spread = float(np.sqrt(np.average((logits - middle) ** 2, weights=weight))) or 1.0
    x = np.column_stack([(logits - middle) / spread, np.ones(len(y))])
    drawn = np.array([1.0 / (slope_spread * spread) ** 2, 1e-9])
    found, _ = penalised(x, y, weight, np.array([spread, _log_odds(y, weight)]), drawn)
    least = LEAST_SLOPE * spread
    if found[0] < least:
        # The level of a slope held at its floor is another than that of the slope the cases would have.
        held = np.array([HELD, 1e-9])
        found, _ = penalised(x, y, weight, np.array([least, _log_odds(y, weight)]), held)
    slope, shift = max(float(found[0]), least), float(found[1])
    return Platt(slope / spread, shift - slope * middle / spread)


@dataclass(frozen=True)
class Bent:
    """A line with another slope above the base rate than below it, after Platt; both rise."""

    platt: Platt
    bend: float
    below: float
    above: float
    shift: float

    def __call__(self, logits: Array) -> Array:
        """Calibrated log-odds."""
        past = self.platt(logits) - self.bend
        return np.asarray(self.below * np.minimum(past, 0.0) + self.above * np.maximum(past, 0.0) + self.shift)


def fit_bent(logits: Array, y: Array, weight: Array | None = None, *, slope_spread: float = 0.5) -> Bent:
    """Fit Platt's line, then let it bend at the base rate; both slopes are drawn towards 1.

    Most rows lie below the base rate and most cases above it, and a mean of learners is seldom as sure on
    one side as on the other: one slope is a compromise between the two (compare beta calibration, Kull,
    Silva Filho & Flach 2017, which also has three numbers). Few cases leave the line straight.
    """
    weight = np.ones(len(y)) if weight is None else weight
    platt = fit_platt(logits, y, weight, slope_spread=slope_spread)
    bend = _log_odds(y, weight)
    past = platt(logits) - bend
    x = np.column_stack([np.minimum(past, 0.0), np.maximum(past, 0.0), np.ones(len(y))])
    drawn = np.array([1.0 / slope_spread**2, 1.0 / slope_spread**2, 1e-9])
    found, _ = penalised(x, y, weight, np.array([1.0, 1.0, bend]), drawn)
    below, above = np.maximum(found[:2], 0.05)
    return Bent(platt, bend, float(below), float(above), float(found[2]))


def _log_odds(y: Array, weight: Array) -> float:
    rate = (weight @ y + 0.5) / (weight.sum() + 1.0)
    return float(np.log(rate / (1 - rate)))


def penalised(x: Array, y: Array, weight: Array, start: Array, drawn: Array) -> tuple[Array, Array]:
    """Penalised logistic regression: weights drawn to ``start`` by ``drawn``; the weights and the curvature there.

    A step that makes the fit worse is halved: one row with a log-odds far out would otherwise throw it.
    """

    # Half a case in one more row, where the mean row stands.
    x = np.vstack([x, weight @ x / weight.sum()])
    y, weight = np.r_[y, 0.5], np.r_[weight, 1.0]

    def loss(w: Array) -> float:
        z = x @ w
        return float(weight @ (np.logaddexp(0.0, z) - y * z) + drawn @ (w - start) ** 2 / 2)

    found, least = start.copy(), loss(start)
    hessian = np.eye(len(start))
    for _ in range(50):
        p = probability(x @ found)
        hessian = (x.T * (weight * p * (1 - p))) @ x + np.diag(drawn)
        move = np.linalg.solve(hessian, x.T @ (weight * (p - y)) + drawn * (found - start))
        while (now := loss(found - move)) > least + 1e-12 and np.abs(move).max() > 1e-9:
            move /= 2
        if now > least:
            break
        found, least = found - move, now
        if np.abs(move).max() < 1e-9:
            break
    return found, hessian


def probability(logits: Array) -> Array:
    """Log-odds to 0–1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))

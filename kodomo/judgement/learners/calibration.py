"""Calibration of log-odds to rates, and how sure it is (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.judgement.learners.cross_fit import Array


@dataclass(frozen=True)
class Platt:
    """Slope and shift of a log-odds; ``covariance`` of (slope, shift) from the curvature of the fit."""

    slope: float
    shift: float
    covariance: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __call__(self, logits: Array) -> Array:
        """Calibrated log-odds."""
        return self.slope * logits + self.shift

    def variance(self, logits: Array) -> Array:
        """Variance of the calibrated log-odds that comes from fitting slope and shift."""
        slope, both, shift = self.covariance
        return np.asarray(slope * logits * logits + 2 * both * logits + shift)


def fit_platt(logits: Array, y: Array, weight: Array | None = None, *, slope_spread: float = 0.5) -> Platt:
    """Fit slope and shift by penalised logistic regression (Platt 1999).

    The slope is drawn towards 1 (normal, spread ``slope_spread``) and kept above 0.05, so that a handful
    of cases can neither turn the ranking round nor stretch it. Few labels thus move the level only.
    """
    weight = np.ones(len(y)) if weight is None else weight
    middle = float(np.average(logits, weights=weight))
    spread = float(np.sqrt(np.average((logits - middle) ** 2, weights=weight))) or 1.0
    x = (logits - middle) / spread
    rate = np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6)
    slope, shift = spread, float(np.log(rate / (1 - rate)))
    precision = 1.0 / (slope_spread * spread) ** 2
    hessian = np.eye(2)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(slope * x + shift, -30, 30)))
        curve = weight * p * (1 - p)
        gradient = np.array([np.sum(weight * (p - y) * x) + precision * (slope - spread), np.sum(weight * (p - y))])
        hessian = np.array(
            [[np.sum(curve * x * x) + precision, np.sum(curve * x)], [np.sum(curve * x), np.sum(curve) + 1e-9]]
        )
        move = np.linalg.solve(hessian, gradient)
        slope, shift = slope - float(np.clip(move[0], -2, 2)), shift - float(np.clip(move[1], -2, 2))
        if np.abs(move).max() < 1e-9:
            break
    slope = max(slope, 0.05 * spread)
    # From (slope, shift) of the standardised log-odds back to those of the log-odds as they are.
    back = np.array([[1 / spread, 0.0], [-middle / spread, 1.0]])
    spread_of_both = back @ np.linalg.inv(hessian) @ back.T
    covariance = (float(spread_of_both[0, 0]), float(spread_of_both[0, 1]), float(spread_of_both[1, 1]))
    return Platt(slope / spread, shift - slope * middle / spread, covariance)


def probability(logits: Array) -> Array:
    """Log-odds to 0–1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))

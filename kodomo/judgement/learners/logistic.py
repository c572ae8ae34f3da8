"""The anchor: additive logistic regression with smooth curves, a second's fit (analysis side).

Every column enters as a line and, where it has many values, as bent pieces between its quantiles: a small
generalised additive model (Hastie & Tibshirani 1986; penalised splines, Eilers & Marx 1996). The ridge
penalty is chosen on the rows left out. Few cases carry lines alone, more carry bends, and choosing between
the two is itself a gamble on few cases: the fit is the mean of both, which is again one sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.judgement.learners.cross_fit import Array
from kodomo.judgement.learners.linear import Line, ridge_path
from kodomo.judgement.learners.preparing import Prepared, prepare

PENALTIES = np.geomspace(1.0, 1e-4, 9)
BENDS = (0.1, 0.3, 0.5, 0.7, 0.9)
LEAST_SPREAD = 0.02
"""A piece that hardly varies in training is left out: stretched to unit spread, one new row would outweigh all else."""
BEND_SCALE = 0.5
"""Bent pieces are drawn in more strongly than lines: this times their spread, so the penalty on them is fourfold."""


@dataclass(frozen=True)
class Curves:
    """Turns rows into lines and bent pieces."""

    prepared: Prepared
    bends: tuple[Array, ...]
    shift: Array
    scale: Array

    @property
    def straight(self) -> int:
        """How many of the columns, the first, are lines; the rest are bends."""
        return len(self.prepared.used) + len(self.prepared.gaps)

    def __call__(self, x: Array) -> Array:
        """The columns a line is fitted on."""
        raw = _pieces(self.prepared, self.bends, x)
        return (raw - self.shift) * self.scale


def _pieces(prepared: Prepared, bends: tuple[Array, ...], x: Array) -> Array:
    line = prepared.standard(x)
    parts = [line]
    place = {n: k for k, n in enumerate(prepared.used)}
    for n, knots in zip(prepared.many, bends, strict=True):
        z = line[:, place[n]]
        there = ~np.isnan(x[:, n])
        parts += [(np.maximum(z - knot, 0.0) * there)[:, None] for knot in knots]
    return np.column_stack(parts)


def fit_curves(x: Array) -> Curves:
    """Learn knots and spreads from training rows."""
    prepared = prepare(x)
    bends = []
    for n in prepared.many:
        grid = (prepared.grids[n] - prepared.middles[n]) / prepared.spreads[n]
        knots = np.unique(np.round(np.quantile(grid, BENDS), 6))
        inside = knots[(knots > max(grid[0], -3.0)) & (knots < min(grid[-1], 3.0))]
        bends.append(inside)
    raw = _pieces(prepared, tuple(bends), x)
    spread = raw.std(axis=0)
    scale = np.where(spread > LEAST_SPREAD, 1.0 / np.maximum(spread, LEAST_SPREAD), 0.0)
    lines = len(prepared.used) + len(prepared.gaps)
    scale[lines:] *= BEND_SCALE
    return Curves(prepared, tuple(bends), raw.mean(axis=0), scale)


@dataclass(frozen=True)
class LogisticModel:
    """Curves and their weights."""

    curves: Curves
    line: Line

    def logits(self, x: Array) -> Array:
        """Log-odds."""
        return self.line.logits(self.curves(x))


@dataclass(frozen=True)
class LogisticPath:
    """One line a penalty."""

    curves: Curves
    lines: list[Line]

    def path(self, x: Array) -> Array:
        """Log-odds at each penalty."""
        z = self.curves(x)
        return np.array([line.logits(z) for line in self.lines])

    def at(self, setting: int) -> LogisticModel:
        """The model at one penalty."""
        return LogisticModel(self.curves, self.lines[setting])


@dataclass(frozen=True)
class Logistic:
    """The learner."""

    name: str = "logistic"

    def fit(self, x: Array, y: Array, *, seed: int, weight: Array | None = None) -> LogisticPath:
        """Fit the whole path; nothing is drawn, so ``seed`` changes nothing."""
        curves = fit_curves(x)
        z = curves(x)
        straight = ridge_path(z[:, : curves.straight], y, PENALTIES, weight=weight)
        bent = ridge_path(z, y, PENALTIES, weight=weight) if z.shape[1] > curves.straight else straight
        padding = np.zeros(z.shape[1] - curves.straight)
        return LogisticPath(
            curves,
            [
                Line((one.intercept + other.intercept) / 2, (np.r_[one.weights, padding] + other.weights) / 2)
                for one, other in zip(straight, bent, strict=True)
            ],
        )

"""A sum of indicators, each with one weight that goes the way it is known to go (analysis side).

With twenty to a hundred known cases most of what trees find beyond single indicators is chance. Ridge logistic regression
on standardised columns, each weight bound to its known sign (Slawski & Hein 2013: with signs known, few cases suffice), is
what Dawes (1979) called robust; it errs elsewhere than trees do, so their mean is better than either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.judgement.learners.cross_fit import Array
from kodomo.judgement.learners.linear import Line, ridge_path
from kodomo.judgement.learners.preparing import Prepared, prepare

PENALTIES = np.geomspace(1.0, 1e-3, 7)
TRUSTED_SCALE = 3.0
"""A trusted column is stretched by this, so that the penalty on it is a ninth: where points are good, average precision
rises by .007, where they tell little, nothing changes (measured)."""


@dataclass(frozen=True)
class LineModel:
    """One weight for each prepared column."""

    prepared: Prepared
    line: Line
    """Its weights are those of the standardised columns."""

    def logits(self, x: Array) -> Array:
        """Log-odds."""
        return self.line.logits(self.prepared.standard(x))

    def contributions(self, x: Array) -> Array:
        """Parts of the log-odds: one per column of ``x``, last the intercept; rows add up to ``logits``."""
        parts = np.zeros((len(x), x.shape[1] + 1))
        # A column's own part and that of its gaps.
        for n, part in zip(self.columns, (self.prepared.standard(x) * self.line.weights).T, strict=True):
            parts[:, n] += part
        parts[:, -1] = self.line.intercept
        return parts

    @property
    def columns(self) -> tuple[int, ...]:
        """Of each weight, which column of the rows it is about."""
        return (*self.prepared.used, *self.prepared.gaps)


@dataclass(frozen=True)
class LinePath:
    """One line a penalty, on the same columns."""

    prepared: Prepared
    lines: list[Line]

    def path(self, x: Array) -> Array:
        """Log-odds at each penalty."""
        z = self.prepared.standard(x)
        return np.array([line.logits(z) for line in self.lines])

    def at(self, setting: int) -> LineModel:
        """The model at one penalty."""
        return LineModel(self.prepared, self.lines[setting])


@dataclass(frozen=True)
class SignedLine:
    """The learner. ``signs`` holds weights to +1 or -1 per column (0, or none given: free); ``trusted`` columns are
    what people know beforehand, such as the sum of their points.
    """

    signs: tuple[int, ...] = ()
    trusted: frozenset[int] = frozenset()
    name: str = "signed_line"

    def fit(self, x: Array, y: Array, *, seed: int, weight: Array | None = None) -> LinePath:
        """Fit the whole path; nothing is drawn, so ``seed`` changes nothing."""
        prepared = prepare(x)
        columns = LineModel(prepared, Line(0.0, np.zeros(0))).columns
        known = len(prepared.used) if self.signs else 0
        signs = np.array([self.signs[n] if place < known else 0 for place, n in enumerate(columns)], dtype=np.int64)
        scale = np.array([TRUSTED_SCALE if n in self.trusted else 1.0 for n in columns])
        found = ridge_path(prepared.standard(x) * scale, y, PENALTIES, weight=weight, signs=signs)
        return LinePath(prepared, [Line(one.intercept, one.weights * scale) for one in found])

"""Columns made ready for learners that need complete, comparable numbers (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from kodomo.judgement.learners.cross_fit import Array

FEW_VALUES = 2
GAPS_WORTH_SAYING = 5


@dataclass(frozen=True)
class Prepared:
    """What was learned from the training rows: per column its quantiles, filling, and whether gaps are told apart.

    ``kind`` of a column: 0 constant (left out), 1 two values, 2 many values.
    """

    kinds: tuple[int, ...]
    grids: tuple[Array, ...]
    middles: Array
    spreads: Array
    gaps: tuple[int, ...]

    @property
    def many(self) -> tuple[int, ...]:
        """Columns with many values."""
        return tuple(n for n, kind in enumerate(self.kinds) if kind == 2)

    @property
    def used(self) -> tuple[int, ...]:
        """Columns that are not constant."""
        return tuple(n for n, kind in enumerate(self.kinds) if kind)

    def standard(self, x: Array, *, limit: float = 3.0) -> Array:
        """Standardised values, drawn in at ``limit`` spreads, gaps at the mean; then one column a gap indicator."""
        used = list(self.used)
        z = (x[:, used] - self.middles[used]) / self.spreads[used]
        z = (
            np.clip(np.nan_to_num(z, nan=0.0, posinf=limit, neginf=-limit), -limit, limit)
            if limit
            else np.nan_to_num(z)
        )
        return np.column_stack([z, *self._gaps(x)])

    def normal_scores(self, x: Array) -> Array:
        """Columns with many values as normal scores of their rank, others standardised; then the gap indicators."""
        parts = []
        for n in self.used:
            column = x[:, n]
            if self.kinds[n] == 2:
                values, ranks = self.grids[n], np.linspace(0.0, 1.0, len(self.grids[n]))
                left, right = np.searchsorted(values, column, "left"), np.searchsorted(values, column, "right")
                inside = np.interp(column, values, ranks)
                tied = right - left > 1
                middle = (left + np.maximum(right - 1, left)) / 2 / (len(values) - 1)
                place = np.where(tied, np.clip(middle, 0, 1), inside)
                z = ndtri(np.clip(place, 0.01, 0.99))
            else:
                z = (column - self.middles[n]) / self.spreads[n]
            parts.append(np.nan_to_num(z, nan=0.0))
        return np.column_stack([*parts, *self._gaps(x)]) if parts or self.gaps else np.zeros((len(x), 1))

    def _gaps(self, x: Array) -> list[Array]:
        return [(np.isnan(x[:, n]) - 0.0) for n in self.gaps]


def prepare(x: Array) -> Prepared:
    """Learn the preparation from training rows; rows whose values are all missing make a column constant."""
    kinds, grids, gaps = [], [], []
    middles, spreads = np.zeros(x.shape[1]), np.ones(x.shape[1])
    for n in range(x.shape[1]):
        column = x[:, n]
        there = column[~np.isnan(column)]
        distinct = len(np.unique(there[:2_000])) if len(there) else 0
        if distinct <= FEW_VALUES and len(there):
            distinct = len(np.unique(there))
        missing = len(column) - len(there)
        if GAPS_WORTH_SAYING <= missing <= len(column) - GAPS_WORTH_SAYING:
            gaps.append(n)
        if distinct < 2:
            kinds.append(0)
            grids.append(np.zeros(1))
            continue
        low, high = np.quantile(there, [0.005, 0.995])
        held = np.clip(there, low, high) if distinct > FEW_VALUES and high > low else there
        middles[n], spreads[n] = held.mean(), held.std() or there.std() or 1.0
        kinds.append(2 if distinct > FEW_VALUES else 1)
        grids.append(np.quantile(there, np.linspace(0, 1, 101)) if distinct > FEW_VALUES else np.zeros(1))
    twins = _distinct_gaps(x, gaps)
    return Prepared(tuple(kinds), tuple(grids), middles, spreads, twins)


def _distinct_gaps(x: Array, gaps: list[int]) -> tuple[int, ...]:
    """Columns that are missing together need one indicator."""
    seen: set[bytes] = set()
    kept = []
    for n in gaps:
        pattern = np.packbits(np.isnan(x[:, n])).tobytes()
        if pattern not in seen:
            seen.add(pattern)
            kept.append(n)
    return tuple(kept)

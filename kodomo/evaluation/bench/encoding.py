"""Text categories as numbers, learned from the training rows alone (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.judgement.learners.cross_fit import Array, make_folds

ROWS_A_LEVEL = 10
LEVELS_MOST = 25
RATES_FROM = 3
PRIOR_ROWS = 20.0
RATE_FOLDS = 5


@dataclass(frozen=True)
class Columns:
    """A table's columns: numbers with NaN, and texts with None for an empty cell."""

    names: tuple[str, ...]
    numbers: dict[str, Array]
    texts: dict[str, NDArray[np.object_]]

    def __len__(self) -> int:
        columns = [*self.numbers.values(), *self.texts.values()]
        return len(columns[0]) if columns else 0

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
        """Some of the rows."""
        return Columns(
            self.names, {n: v[rows] for n, v in self.numbers.items()}, {n: v[rows] for n, v in self.texts.items()}
        )


@dataclass(frozen=True)
class Encoder:
    """What the training rows said about each text column: its common levels, and each level's rate of cases."""

    levels: dict[str, tuple[str, ...]]
    rates: dict[str, dict[str, float]]
    overall: float
    order: tuple[str, ...]

    def __call__(self, table: Columns) -> Array:
        """Numbers as they are; a column for each common level; a rate for columns of three levels or more.

        A rare or unseen level is none of the common ones and has the overall rate; an empty cell is missing.
        """
        parts: list[Array] = []
        for name in self.order:
            if name in table.numbers:
                parts.append(table.numbers[name])
                continue
            values = table.texts[name]
            empty = np.array([v is None for v in values])
            for level in self.levels[name]:
                parts.append(np.where(empty, np.nan, (values == level) + 0.0))
            if name in self.rates:
                known = self.rates[name]
                rate = np.array([np.nan if v is None else known.get(v, self.overall) for v in values])
                parts.append(rate)
        return np.column_stack(parts) if parts else np.zeros((len(table), 1))


def fit_encoder(table: Columns, y: Array) -> Encoder:
    """Learn levels and rates; a rate is drawn towards the overall rate (Micci-Barreca 2001)."""
    levels: dict[str, tuple[str, ...]] = {}
    rates: dict[str, dict[str, float]] = {}
    for name, values in table.texts.items():
        filled = np.array([v is not None for v in values])
        distinct, counts = np.unique(values[filled].astype(str), return_counts=True)
        order = np.lexsort((distinct, -counts))
        common = [str(distinct[n]) for n in order if counts[n] >= ROWS_A_LEVEL][:LEVELS_MOST]
        levels[name] = tuple(common[:1]) if len(common) == 2 and len(distinct) == 2 else tuple(common)
        if len(distinct) >= RATES_FROM:
            rates[name] = _rates(values[filled], y[filled])
    return Encoder(levels, rates, float(y.mean()), table.names)


def encode_training(encoder: Encoder, table: Columns, y: Array, group: NDArray[np.object_] | None, seed: int) -> Array:
    """The training rows: like new rows, but each rate comes from rows of the other folds, never its own."""
    answer = encoder(table)
    folds = make_folds(y, group, count=RATE_FOLDS, seed=seed)
    place = 0
    for name in encoder.order:
        if name in table.numbers:
            place += 1
            continue
        place += len(encoder.levels[name])
        if name in encoder.rates:
            values = table.texts[name]
            for fold in range(RATE_FOLDS):
                rest, own = folds != fold, folds == fold
                filled = rest & np.array([v is not None for v in values])
                known, overall = _rates(values[filled], y[filled]), float(y[rest].mean())
                answer[own, place] = [np.nan if v is None else known.get(v, overall) for v in values[own]]
            place += 1
    return answer


def _rates(values: NDArray[np.object_], y: Array) -> dict[str, float]:
    overall = float(y.mean()) if len(y) else 0.0
    distinct, place = np.unique(values.astype(str), return_inverse=True)
    cases, rows = np.bincount(place, weights=y), np.bincount(place)
    smooth = (cases + PRIOR_ROWS * overall) / (rows + PRIOR_ROWS) if len(rows) else np.zeros(0)
    return {str(level): float(rate) for level, rate in zip(distinct, smooth, strict=True)}

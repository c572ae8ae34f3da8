"""Scores to levels by how many children people can look at, never by a probability (analysis side)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.terms import Level


@dataclass(frozen=True)
class Capacity:
    """How many of the children judged can be looked at, as shares: closely (high), then further (middle)."""

    high: float
    middle: float


def ranking(scores: NDArray[np.float64], keys: NDArray[np.object_]) -> NDArray[np.int64]:
    """Rows from the highest score down; equal scores in an order fixed by the key, unrelated to anything about the child."""
    order = np.array([hashlib.blake2b(str(k).encode(), digest_size=8).digest() for k in keys], dtype="S8")
    return np.lexsort((order, -np.nan_to_num(scores, nan=-np.inf)))


def assign_levels(
    scores: NDArray[np.float64],
    keys: NDArray[np.object_],
    capacity: Capacity,
    *,
    thin: NDArray[np.bool_],
    registered: NDArray[np.bool_],
    escalated: NDArray[np.bool_],
    evidence: NDArray[np.bool_],
) -> NDArray[np.object_]:
    """Give each child judged a level.

    The rules, in this order:
    a child escalated by a fact is HIGH;
    a child of whom too little is known is INSUFFICIENT, never LOW;
    of the others with any evidence, as many as capacity allows are HIGH, then MIDDLE, by score;
    a child already registered for the type takes the level its score earns and uses up no capacity;
    the rest is LOW.
    """
    levels = np.full(len(scores), Level.LOW.value, dtype=object)
    counted = ~thin & ~registered
    order = ranking(scores, keys)
    n_high, n_middle = _places(int(counted.sum()), capacity)
    queue = order[(counted & evidence)[order]]
    levels[queue[:n_high]] = Level.HIGH.value
    levels[queue[n_high : n_high + n_middle]] = Level.MIDDLE.value
    known = registered & ~thin & evidence
    levels[known & (scores >= _lowest(scores, queue[: n_high + n_middle]))] = Level.MIDDLE.value
    levels[known & (scores >= _lowest(scores, queue[:n_high]))] = Level.HIGH.value
    levels[thin] = Level.INSUFFICIENT.value
    levels[escalated] = Level.HIGH.value
    return levels


def _places(children: int, capacity: Capacity) -> tuple[int, int]:
    """Whole children within capacity; at least one of each where anyone is judged."""
    if not children:
        return 0, 0
    return max(1, int(children * capacity.high)), max(1, int(children * capacity.middle))


def _lowest(scores: NDArray[np.float64], rows: NDArray[np.int64]) -> float:
    return float(scores[rows].min()) if len(rows) else np.inf

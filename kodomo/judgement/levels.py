"""Scores to levels by how many children people can look at, never by a probability (analysis side).

Between two runs without new data about a child its level does not flicker: it rises at once, and falls only once
its place has left the capacity by more than a band, or something new is known (``judgement.holding``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.terms import Level


@dataclass(frozen=True)
class Capacity:
    """How many of the children judged can be looked at, as shares: closely (high), then further (middle).

    ``band`` is how far beyond its capacity (a share of the children too) a level is kept without new data.
    """

    high: float
    middle: float
    band: float = 0.0


@dataclass(frozen=True)
class Grounds:
    """What besides its score decides a child's level; arrays of one length, a child each.

    Args:
        keys: person keys, which order equal scores.
        thin: too little is known of the child.
        registered: the child is registered for the type already.
        escalated: a fact asks for review whatever the score.
        evidence: anything at all speaks for the type.
    """

    keys: NDArray[np.object_]
    thin: NDArray[np.bool_]
    registered: NDArray[np.bool_]
    escalated: NDArray[np.bool_]
    evidence: NDArray[np.bool_]

    def of(self, rows: NDArray[Any]) -> Grounds:
        """The same of some of the children, by their places or by a flag each."""
        return Grounds(
            self.keys[rows], self.thin[rows], self.registered[rows], self.escalated[rows], self.evidence[rows]
        )


def ranking(scores: NDArray[np.float64], keys: NDArray[np.object_]) -> NDArray[np.int64]:
    """Rows from the highest score down; equal scores in an order fixed by the key, unrelated to anything about the child."""
    order = np.array([hashlib.blake2b(str(k).encode(), digest_size=8).digest() for k in keys], dtype="S8")
    return np.lexsort((order, -np.nan_to_num(scores, nan=-np.inf)))


def assign_levels(
    scores: NDArray[np.float64],
    capacity: Capacity,
    grounds: Grounds,
    held: NDArray[np.object_] | None = None,
) -> NDArray[np.object_]:
    """Give each child judged a level.

    The rules, in this order:
    a child escalated by a fact is HIGH;
    a child of whom too little is known is INSUFFICIENT, never LOW;
    of the others with any evidence, as many as capacity allows are HIGH, then MIDDLE, by score;
    a child that stood higher before and of whom nothing new is known keeps that within the band, beside them;
    a child already registered for the type takes the level its score earns and uses up no capacity;
    the rest is LOW.

    Args:
        scores: of the children ``grounds`` tells of, in its order.
        held: the level before, where nothing new is known of the child; None or anything else elsewhere.
    """
    levels = np.full(len(scores), Level.LOW.value, dtype=object)
    n_high, n_middle, n_band = _places(grounds, capacity)
    queue = _queue(scores, grounds)
    registered = grounds.registered & ~grounds.thin & grounds.evidence
    before = np.full(len(scores), None, dtype=object) if held is None else held
    was_high = np.asarray(before == Level.HIGH.value, dtype=bool)
    was_raised = was_high | np.asarray(before == Level.MIDDLE.value, dtype=bool)
    for level, places, stood in (
        (Level.MIDDLE, n_high + n_middle, was_raised),
        (Level.HIGH, n_high, was_high),
    ):
        beside = np.zeros(len(scores), dtype=bool)
        beside[queue[: places + n_band]] = True
        levels[beside & stood] = level.value
        levels[queue[:places]] = level.value
        levels[registered & (scores >= _lowest(scores, queue[:places]))] = level.value
        levels[registered & stood & (scores >= _lowest(scores, queue[: places + n_band]))] = level.value
    levels[grounds.thin] = Level.INSUFFICIENT.value
    levels[grounds.escalated] = Level.HIGH.value
    return levels


def levels_between(
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    scores: NDArray[np.float64],
    capacity: Capacity,
    grounds: Grounds,
    levels: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The levels each child would have at the ends of a range of its score, the others' staying as they are.

    The level it has lies within. A child whose level is no matter of its score, by a fact to be seen or for want of
    knowledge, has none.

    Args:
        ends: lowest and highest score of each child.
        levels: what ``assign_levels`` gave for the same scores.
    """
    queue = _queue(scores, grounds)
    n_high, n_middle, _ = _places(grounds, capacity)
    cuts = np.array([_lowest(scores, queue[:n_middle]), _lowest(scores, queue[:n_high])])
    steps = (Level.LOW.value, Level.MIDDLE.value, Level.HIGH.value)
    has = np.array([steps.index(level) if level in steps else 0 for level in levels])
    named = np.array(steps, dtype=object)
    at_low, at_high = (np.sum(np.asarray(end)[:, None] >= cuts[None, :], axis=1) for end in ends)
    found = named[np.minimum(at_low, has)], named[np.maximum(at_high, has)]
    for end in found:
        end[grounds.thin | grounds.escalated] = None
    return found


def _queue(scores: NDArray[np.float64], grounds: Grounds) -> NDArray[np.int64]:
    """Those who may take a place, the highest score first."""
    order = ranking(scores, grounds.keys)
    return order[(~grounds.thin & ~grounds.registered & grounds.evidence)[order]]


def _places(grounds: Grounds, capacity: Capacity) -> tuple[int, int, int]:
    """Whole children within capacity, at least one of each where anyone is judged; and those the band reaches beyond."""
    children = int((~grounds.thin & ~grounds.registered).sum())
    if not children:
        return 0, 0, 0
    band = int(np.ceil(children * capacity.band))
    return max(1, int(children * capacity.high)), max(1, int(children * capacity.middle)), band


def _lowest(scores: NDArray[np.float64], rows: NDArray[np.int64]) -> float:
    return float(scores[rows].min()) if len(rows) else np.inf

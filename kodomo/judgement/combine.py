"""One score from the scenario and the learned model, and the view over all types (analysis side).

Mean of log-odds: learned stacking weights measured worse at these label counts. The staff's scenario
weighs more the fewer the known cases, because few and one-sided labels mislead a learner most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CASES_FOR_EQUAL_WEIGHT = 40
"""With this many known cases, scenario and model weigh the same. The ranking hardly depends on it (20 to 120 tried)."""


def model_weight(cases: int) -> float:
    """How much the learned model weighs: none without cases, half at forty, never all.

    >>> model_weight(40), model_weight(0)
    (0.5, 0.0)
    """
    return cases / (cases + CASES_FOR_EQUAL_WEIGHT)


@dataclass(frozen=True)
class Combination:
    """Log-odds of the two methods and of their weighted mean; ``level`` moves the mean to the rate of registration."""

    scenario: Array
    boosting: Array | None
    weight: float
    level: float = 0.0

    @property
    def logit(self) -> Array:
        """The combined log-odds."""
        if self.boosting is None:
            return self.scenario
        return self.weight * self.boosting + (1 - self.weight) * self.scenario + self.level


def probability(logits: Array) -> Array:
    """Log-odds to 0–1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -40, 40))))


def standing(scores: Array, applicable: NDArray[np.bool_]) -> Array:
    """Where each child stands among those judged for the type: 1 the highest, towards 0 the lowest; ties share.

    Types differ in how their scores are scaled; places can be compared.
    """
    places = np.full(len(scores), np.nan)
    inside = np.flatnonzero(applicable)
    if len(inside):
        _, inverse, counts = np.unique(scores[inside], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - (counts - 1) / 2
        places[inside] = (middle[inverse] - 0.5) / len(inside)
    return places


def overall(standings: Array) -> Array:
    """総合: how unusual it would be to stand this high in this many types by chance (Fisher's method).

    Each type gives -log of the share of children at or above; the sum over the types judged, compared
    with its expectation, rises both with one very high place and with several fairly high ones.

    Args:
        standings: children × types, NaN where the type is not judged for the child.
    """
    surprise = -np.log(np.clip(1 - standings, 1e-6, 1))
    judged = ~np.isnan(standings)
    number = judged.sum(axis=1)
    total = np.where(judged, surprise, 0.0).sum(axis=1)
    return np.where(number > 0, _chi_square_share(total, number), np.nan)


def _chi_square_share(total: Array, number: NDArray[np.int64]) -> Array:
    """P(sum of ``number`` unit exponentials ≤ total): the closed form of the Erlang distribution."""
    term, tail = np.ones_like(total), np.zeros_like(total)
    for k in range(int(number.max(initial=0))):
        if k:
            term = term * total / k
        tail = tail + np.where(k < number, term, 0.0)
    return np.asarray(1.0 - np.exp(-total) * tail)

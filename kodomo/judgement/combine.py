"""One score from the scenario and the learned model, and the view over all types (analysis side).

Mean of log-odds: learned stacking weights measured worse at these label counts. The staff's scenario
weighs more the fewer the known cases, because few and one-sided labels mislead a learner most, and keeps
its share with many: their number does not make them less one-sided.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.terms import Method

Array = NDArray[np.float64]

HIGH_PLACE, APART = 0.90, 0.40
"""要確認: one method puts a child among the highest tenth, another at least this much lower."""
CASES_FOR_EQUAL_WEIGHT = 25
"""With this many known cases, scenario and model weigh the same. Learning sees the points too, and the signed sum trusts
them: with forty two strangers' cities with 65 to 280 cases a type lost .003 AUROC and .006 average precision, with ten or
twenty three others lost some (measured).
"""
LEARNED_AT_MOST = 0.9
"""However many the known cases, they are those the city happened to see: points that tell as much as what was learned
keep a tenth. With a third two cities of 113,000 with 250 to 1,300 cases a type lost .002 AUROC."""
TELL_LITTLE = 0.4
"""Points that tell no more than this share of what was learned tells (AUROC above one half) keep nothing but what few
cases leave them: where a city's registrations know a difficulty that the points look past, a third of the points halved
the average precision (measured). By degrees, for of few cases the share is known badly.
"""
VOICES = {Method.BOOSTING: 3, Method.LINE: 3}
"""Votes in the mean of the learned methods; the others have one. Held to known signs and learned in bags, boosting finds
the unregistered best (average precision of three cities .320, .283 and .330, with equal votes .317, .282 and .330)."""


UNLEARNED = 0.5
"""Share of the learned weight at which points count that learning may not see (a sibling's registration, a consultation).

Nothing learned says what they say, so there is nothing to average them with; but not all of it, for who is registered
shows in other indicators too. Average precision of four cities .318, .383, .310 and .306 without; .320, .392, .310 and
.311 with it.
"""


def model_weight(cases: int, told: float = 1.0) -> float:
    """How much the learned model weighs beside the points.

    None without cases, half at twenty-five; never more than nine tenths beside points that tell as much as it does, and
    all but all with many cases beside points that tell little.

    Args:
        cases: known cases learned from.
        told: what the points tell as a share of what the model tells, both in AUROC above one half.

    >>> model_weight(25), model_weight(0), round(model_weight(800), 2), round(model_weight(800, 0.7), 2)
    (0.5, 0.0, 0.9, 0.95)
    """
    worth = float(np.clip((told - TELL_LITTLE) / (1.0 - TELL_LITTLE), 0.0, 1.0))
    return min(cases / (cases + CASES_FOR_EQUAL_WEIGHT), 1.0 - (1.0 - LEARNED_AT_MOST) * worth)


@dataclass(frozen=True)
class Combination:
    """Calibrated log-odds of the scenario and of the learned methods that speak, and their weighted mean.

    Of the learned methods only those ``counting`` enter the mean; the others are shown beside it.
    ``slope`` and ``level`` calibrate the sum to the rate of registration. Without a learned method, or where what was
    learned does not hold its own against the scenario (``weight`` 0), the scenario stands alone.
    """

    scenario: Array
    learned: Mapping[Method, Array]
    weight: float
    level: float = 0.0
    counting: frozenset[Method] = frozenset()
    slope: float = 1.0
    apart: Array | float = 0.0
    """Of ``scenario``, what the lines add that learning may not see."""

    @property
    def boosting(self) -> Array | None:
        """Boosting's log-odds, where it speaks."""
        return self.learned.get(Method.BOOSTING)

    @property
    def learned_mean(self) -> Array:
        """Mean log-odds of the learned methods that count."""
        return mean_of({method: logits for method, logits in self.learned.items() if method in self.counting})

    @property
    def is_learned(self) -> bool:
        """Whether anything learned moves the score."""
        return bool(self.counting) and self.weight > 0

    @property
    def logit(self) -> Array:
        """The combined log-odds."""
        if not self.is_learned:
            return self.slope * self.scenario + self.level
        learned = self.learned_mean + UNLEARNED * self.apart
        return self.slope * (self.weight * learned + (1 - self.weight) * self.scenario) + self.level

    def disagree(self, judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """要確認: of the methods that make up the score, one ranks the child among the highest tenth of those judged,
        another far below.
        """
        told = [self.scenario, *(logits for method, logits in self.learned.items() if method in self.counting)]
        places = [np.nan_to_num(standing(logits, judged)) for logits in told]
        highest, lowest = np.max(places, axis=0), np.min(places, axis=0)
        return np.asarray((highest >= HIGH_PLACE) & (highest - lowest >= APART))


def shares_of(methods: Collection[Method]) -> dict[Method, float]:
    """The share each of some learned methods has in their mean.

    >>> shares_of([Method.BOOSTING, Method.RULES])[Method.BOOSTING]
    0.75
    """
    votes = {method: VOICES.get(method, 1) for method in methods}
    return {method: number / sum(votes.values()) for method, number in votes.items()}


def mean_of(learned: Mapping[Method, Array]) -> Array:
    """Learned methods together: mean of their calibrated log-odds, each with its share."""
    shares = shares_of(learned)
    return np.asarray(np.sum([share * learned[method] for method, share in shares.items()], axis=0))


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
    judged = ~np.isnan(standings)
    number = judged.sum(axis=1)
    total = np.where(judged, surprise(standings), 0.0).sum(axis=1)
    return np.where(number > 0, _chi_square_share(total, number), np.nan)


def surprise(standings: Array) -> Array:
    """How rare it is to stand at or above a place: the part of one type in the sum behind 総合."""
    return np.asarray(-np.log(np.clip(1 - standings, 1e-6, 1)))


def _chi_square_share(total: Array, number: NDArray[np.int64]) -> Array:
    """P(sum of ``number`` unit exponentials ≤ total): the closed form of the Erlang distribution."""
    term, tail = np.ones_like(total), np.zeros_like(total)
    for k in range(int(number.max(initial=0))):
        if k:
            term = term * total / k
        tail = tail + np.where(k < number, term, 0.0)
    return np.asarray(1.0 - np.exp(-total) * tail)

"""All learners together: the mean of their log-odds, calibrated on rows they did not see (analysis side).

Equal weights: learned stacking measured worse at the label counts a city has. What the mean buys is
safety, since no learner is best on every table and there are too few labels to choose one. Only a learner
behind the best beyond chance, on the rows left out, stays out of the mean, which it would dilute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kodomo.judgement.learners.boosting import Boosting, rounds_for
from kodomo.judgement.learners.calibration import Bent, Platt, fit_bent, fit_platt
from kodomo.judgement.learners.cross_fit import Array, CrossFitted, Folds, Learner, cross_fit
from kodomo.judgement.learners.leak_gates import auroc_difference, rank_auroc
from kodomo.judgement.learners.logistic import Logistic
from kodomo.judgement.learners.rule_discovery import SPLITS, RuleDiscovery
from kodomo.judgement.learners.similar_cases import SimilarCases

NEAR = 0.005
"""AUROC. However sure it is, a learner this little behind costs the mean less than its safety is worth."""
LARGE = 1_000_000
"""Cells of a table beyond which rules are proposed on one pair of halves only: many rows need no repetition."""


def four_learners(rows: int, columns: int) -> tuple[Learner, ...]:
    """The learners combined, for a table of this size."""
    splits = SPLITS if rows * columns < LARGE else 1
    return (RuleDiscovery(splits), Boosting(rounds=rounds_for(rows, columns)), SimilarCases(), Logistic())


@dataclass(frozen=True)
class Combined:
    """Fitted learners, each calibrated, and their calibrated mean."""

    parts: dict[str, CrossFitted]
    counting: tuple[str, ...]
    platts: dict[str, Platt]
    platt: Platt | Bent

    @property
    def out_of_fold(self) -> Array:
        """Each training row's mean log-odds from models that never saw it, before calibration."""
        return _mean([self.parts[name].out_of_fold for name in self.counting])

    def mean(self, each: dict[str, Array]) -> Array:
        """Calibrated mean of the learners that count, from the log-odds of each."""
        return self.platt(_mean([each[name] for name in self.counting]))

    def logits_of_each(self, x: Array) -> dict[str, Array]:
        """New rows: each learner's log-odds, before calibration."""
        return {name: part.logits(x) for name, part in self.parts.items()}

    def logits(self, x: Array) -> Array:
        """New rows: calibrated mean log-odds."""
        return self.mean({name: self.parts[name].logits(x) for name in self.counting})


def fit_combined(
    learners: tuple[Learner, ...],
    x: Array,
    y: Array,
    folds: Folds,
    *,
    seed: int,
    weight: Array | None = None,
    done: Callable[[str], None] = lambda name: None,
) -> Combined:
    """Cross-fit every learner, calibrate each and the mean of all.

    Args:
        x, y, folds, weight: as in ``cross_fit``.
        done: called with a learner's name when it is fitted.
    """
    parts = {}
    for learner in learners:
        parts[learner.name] = cross_fit(learner, x, y, folds, seed=seed, weight=weight)
        done(learner.name)
    platts = {name: fit_platt(part.out_of_fold, y, weight) for name, part in parts.items()}
    counting = near_the_best(parts, y)
    together = _mean([parts[name].out_of_fold for name in counting])
    return Combined(parts, counting, platts, fit_bent(together, y, weight))


def near_the_best(parts: dict[str, CrossFitted], y: Array) -> tuple[str, ...]:
    """Learners that enter the mean: the best, by how they rank rows they did not see, and those not below it beyond chance.

    By the difference on the same rows, for learners rank alike. A fixed distance from the best left the mean of a table
    with few cases to one learner, the luckiest (measured: .011 AUROC behind a peer where the mean is .008 behind).
    """
    best = max(parts, key=lambda name: rank_auroc(parts[name].out_of_fold, y))
    rows = np.arange(len(y)).astype(object)

    def is_behind(name: str) -> bool:
        by, at_least, _ = auroc_difference(parts[best].out_of_fold, parts[name].out_of_fold, y, rows)
        return by > NEAR and at_least > 0

    return tuple(name for name in parts if name == best or not is_behind(name))


def _mean(several: list[Array]) -> Array:
    return np.asarray(np.mean(several, axis=0))

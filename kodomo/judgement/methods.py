"""The learned methods of one type: which of them have anything to say, and what each says (analysis side).

A method speaks only where, on children it was not fitted on, it ranks known cases above the others beyond
what chance would do with so few. A method that does not speak writes no row and moves no score. And where
all that was learned ranks known cases below the staff's own points beyond chance, the points alone are used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kodomo.judgement.boosting import SCENARIO_COLUMN, WORKERS, TrainingSet, fold_of
from kodomo.judgement.learners.calibration import Platt
from kodomo.judgement.learners.cross_fit import Array, CrossFitted, Learner, cross_fit
from kodomo.judgement.learners.leak_gates import auroc_error, auroc_interval, rank_auroc
from kodomo.judgement.learners.rule_discovery import RuleDiscovery, StaffWord
from kodomo.judgement.learners.signed_line import SignedLine
from kodomo.judgement.learners.similar_cases import SimilarCases
from kodomo.terms import Method

OTHERS_AT_MOST = 3_000
"""Unlabelled rows drawn beside the cases for rules and similar cases; boosting draws its own, bag by bag."""
SLOPE_LEAST = 0.051
"""A calibration slope held at its floor means the ranking told nothing."""
NEAR = 0.03
"""However many the cases, they are those the city saw: of two methods this near, the one that knows them better may only
know better whom the city sees (of 868 known cases of 貧困 the best-checked found a fifth fewer of the others, measured).
"""
FORWARD_CASES = 50
"""With fewer children registered after the past dates, standing cases take part in the check too.

Ten to twenty tell nothing: at 113,471 residents thirteen of them silenced what had been learned from 235 known cases,
and cost a tenth of the average precision over all types (measured).
"""


@dataclass(frozen=True)
class Outcome:
    """What cross-fitted scores are held against: which rows take part, and which of them are cases."""

    rows: NDArray[np.bool_]
    case: Array


@dataclass(frozen=True)
class Checked:
    """How well something ranks cases among rows it was not fitted on.

    ``error`` is what is decided by, on the safe side; ``interval`` the 95 % interval that is shown.
    """

    auroc: float
    error: float
    children: int
    interval: tuple[float, float] = (0.0, 1.0)

    @property
    def is_above_chance(self) -> bool:
        """The 95 % interval lies above one half."""
        return bool(self.auroc - 1.96 * self.error > 0.5)


@dataclass(frozen=True)
class Fitted:
    """A cross-fitted learner of a type, its calibration, and how it ranked rows it had not seen."""

    method: Method
    models: CrossFitted
    platt: Platt
    check: Checked

    def logits(self, values: Array, group: NDArray[np.object_], seed: int) -> Array:
        """Calibrated log-odds, each child from the models that never saw its household."""
        return self.platt(self.raw(values, group, seed))

    def raw(self, values: Array, group: NDArray[np.object_], seed: int) -> Array:
        """Log-odds before calibration."""
        return self.models.logits_of_folds(values, fold_of(group, seed))


def other_learners(
    training: TrainingSet,
    staff: StaffWord = StaffWord(),  # noqa: B008 - frozen
) -> tuple[tuple[Method, Learner], ...]:
    """Those that learn beside boosting; ``staff`` is what people said of rules."""
    points = frozenset(n for n, name in enumerate(training.columns) if name == SCENARIO_COLUMN)
    return (
        (Method.LINE, SignedLine(training.signs, points)),
        (Method.RULES, RuleDiscovery(splits=1, staff=staff)),
        (Method.SIMILAR, SimilarCases()),
    )


def fit_others(
    training: TrainingSet,
    *,
    seed: int,
    staff: StaffWord = StaffWord(),  # noqa: B008 - frozen
    once: NDArray[np.bool_] | None = None,
    methods: Collection[Method] = (Method.LINE, Method.RULES, Method.SIMILAR),
) -> dict[Method, CrossFitted]:
    """Fit the methods beside boosting on all cases and a draw of the unlabelled, by the same folds as boosting.

    Args:
        methods: which of them.
        once: of a child that is a case on several dates, one row: each has one vote among rules and similar cases. A sum
            of indicators is steadier with all of them (average precision .286 against .272, measured).
    """
    plain = replace(training, otherwise=np.zeros(len(training.y), dtype=bool))
    fitted = {}
    for method, learner in other_learners(training, staff):
        if method in methods:
            is_case = training.y > 0 if once is None or method is Method.LINE else (training.y > 0) & once
            # Rules count children and similar cases name them: there nobody counts for more than one.
            data = training if method is Method.LINE else plain
            some = data.beside(np.flatnonzero(is_case), data.draw(OTHERS_AT_MOST, np.random.default_rng(seed)))
            folds = fold_of(some.group, seed)
            fitted[method] = cross_fit(
                learner, some.values, some.y, folds, seed=seed, weight=some.weight, workers=WORKERS
            )
    return fitted


def check(logits: Array, outcome: Outcome, group: NDArray[np.object_]) -> Checked:
    """Rank the cases of an outcome among its rows. Children count once in the error, however many dates they stand on.

    Args:
        logits: cross-fitted log-odds of all rows.
        outcome: see ``outcome_for``.
        group: the household of all rows.
    """
    return checked(logits[outcome.rows], outcome.case[outcome.rows], group[outcome.rows])


def outcome_for(
    registered_after: Array, training: TrainingSet, is_past: NDArray[np.bool_], *, lasts: bool = False
) -> Outcome:
    """Later registrations among those unrecognised on past dates; with too few of those, every known case.

    Of a difficulty that lasts every known case as well: who is registered next shows at which age a city registers, who
    stands in the register shows who has it.

    Args:
        registered_after: 1 where the registration followed within the horizon; read on past rows.
        is_past: rows of past dates on which nobody had recognised the child.
        lasts: whether the difficulty does.
    """
    later = is_past & (registered_after > 0)
    if not lasts and len(set(training.group[later])) >= FORWARD_CASES:
        return Outcome(is_past, registered_after)
    return Outcome(np.ones(len(registered_after), dtype=bool), training.y)


def checked(scores: Array, case: Array, group: NDArray[np.object_]) -> Checked:
    """An AUROC with its error and interval; the children of one household, on whatever dates, count together."""
    cases, others = len(set(group[case > 0])), len(set(group[case == 0]))
    area = rank_auroc(scores, case)
    return Checked(area, auroc_error(area, cases, others), cases, auroc_interval(scores, case, group))


def speaks(platt: Platt, checked: Checked) -> bool:
    """Whether a method has anything to say about the type."""
    return platt.slope > SLOPE_LEAST and checked.is_above_chance


def near_the_best(speaking: Mapping[Method, Checked]) -> frozenset[Method]:
    """Methods that enter the mean: those within one standard error of the best one, or ``NEAR`` of its AUROC.

    A method further behind still shows what it says, but would only dilute the others.
    """
    if not speaking:
        return frozenset()
    best = max(speaking.values(), key=lambda one: one.auroc)
    return frozenset(m for m, one in speaking.items() if one.auroc >= best.auroc - max(best.error, NEAR))

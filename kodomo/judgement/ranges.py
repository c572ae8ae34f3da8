"""How surely a score is known: the range of the rate at its height, and how far a child's own place may sway (analysis side).

Two different things are unsure, and neither is the chance of one child, which no finite number of cases can bound
(Barber 2020, Is distribution-free inference possible for binary regression?).

*Rate* (見込みの幅): how many of the children whom this judgement puts at the same height are registered within twelve
months. Fitted on the cross-fitted scores of past dates as a bent line with room for where Platt's line does not fit; the
children of one household, on whatever dates, count together.

*Sway* (順位の幅): where the same child would stand had the city known as many other cases. From how far apart the models
lie that each left out other households (delete-a-group jackknife, Shao & Wu 1989), after what moves all children alike.

How often each holds its truth is measured on towns whose chances are known (``benchmarks/judgement_child_intervals.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from kodomo.judgement.learners.calibration import penalised, probability
from kodomo.judgement.learners.cross_fit import Array

KNOTS = (0.2, 0.4, 0.6, 0.8, 0.95)
"""Shares of the past rows below which the line may bend."""
SLOPE_SPREAD, BEND_SPREAD = 0.5, 1.0
"""How far slope and bends are thought to lie from those of the score's own line before anything is seen."""
CASES_LEAST = 8
"""Households with a case on past dates, of fewer of which nothing is said."""
COVERED = 0.95
ROWS = 2_000
"""Of so many rows the models' disagreement is measured."""
TOP = 0.1
"""Half of them are from this highest share, where levels are decided."""
HEIGHTS = 8


@dataclass(frozen=True)
class Rates:
    """The rate at every height of the combined log-odds: a bent line, how sure it is, and how far 95 % reach."""

    knots: tuple[float, ...]
    weights: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    reach: float
    longer: float
    """From the horizon to twelve months, in log-odds."""

    def range_of(self, logits: Array) -> tuple[Array, Array]:
        """Lowest and highest rate that is likely at each log-odds, as probabilities; the score's own lies inside."""
        basis = _bent(logits, self.knots)
        middle = basis @ np.array(self.weights) + self.longer
        variance = np.einsum("ij,jk,ik->i", basis, np.array(self.covariance), basis)
        wide = self.reach * np.sqrt(np.maximum(variance, 0.0))
        return probability(np.minimum(middle - wide, logits)), probability(np.maximum(middle + wide, logits))

    def as_json(self) -> dict[str, Any]:
        """For the model's readable file."""
        return {
            "knots": list(self.knots),
            "weights": list(self.weights),
            "covariance": [list(row) for row in self.covariance],
            "reach": self.reach,
            "longer": self.longer,
        }


@dataclass(frozen=True)
class Sway:
    """The spread of a child's own part of the combined log-odds, measured at some heights of it."""

    heights: tuple[float, ...]
    spreads: tuple[float, ...]
    reach: float

    def spread(self, logits: Array) -> Array:
        """Standard deviation at each log-odds: between two heights between theirs, beyond the last as there."""
        return np.asarray(np.interp(logits, self.heights, self.spreads))

    def range_of(self, logits: Array) -> tuple[Array, Array]:
        """Lowest and highest log-odds a child may have had, had other cases been known."""
        wide = self.reach * self.spread(logits)
        return logits - wide, logits + wide

    def as_json(self) -> dict[str, Any]:
        """For the model's readable file."""
        return {"heights": list(self.heights), "spreads": list(self.spreads), "reach": self.reach}


def fit_rates(logits: Array, outcome: Array, group: NDArray[np.object_], longer: float) -> Rates | None:
    """Fit the rate at every height; None with too few households with a case to say how sure it is.

    The curve's error is what households scatter (sandwich, Liang & Zeger 1986; Student's t, for they are few)
    and what the wish to stay near the score's own line hides.

    Args:
        logits: combined log-odds of past rows from models that never saw their household.
        outcome: 1 where the registration followed within the horizon.
        group: the household of each row.
        longer: what moves a log-odds from the horizon to twelve months.
    """
    cases = len(set(group[outcome > 0]))
    if cases < CASES_LEAST:
        return None
    knots = tuple(float(k) for k in np.unique(np.quantile(logits, KNOTS)))
    basis = _bent(logits, knots)
    start = np.array([-longer, 1.0, *np.zeros(len(knots))])
    drawn = np.array([1e-9, SLOPE_SPREAD**-2, *np.full(len(knots), BEND_SPREAD**-2)])
    found, curvature = penalised(basis, outcome, np.ones(len(outcome)), start, drawn)
    _, place = np.unique(group.astype(str), return_inverse=True)
    scores = np.zeros((int(place.max()) + 1, basis.shape[1]))
    np.add.at(scores, place, basis * (probability(basis @ found) - outcome)[:, None])
    inverse = np.linalg.inv(curvature)
    # A handful of cases settles few of the line's numbers: the others stay where they were thought to lie.
    free = cases - min(len(start), cases / 2)
    scatter = scores.T @ scores * cases / free
    covariance = inverse @ (scatter + np.diag(drawn)) @ inverse
    return Rates(knots, _floats(found), tuple(_floats(row) for row in covariance), _reach(free), longer)


def rows_to_measure(logits: Array, is_case: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Rows of children who are no known case, half of them from the highest tenth: a case would know itself."""
    others = np.flatnonzero(~is_case)
    order = others[np.argsort(-logits[others], kind="stable")]
    top = max(1, int(len(order) * TOP))
    generator = np.random.default_rng(seed)
    parts = (order[:top], order[top:])
    return np.sort(np.concatenate([generator.permutation(part)[: ROWS // 2] for part in parts]))


def fit_sway(logits: Array, said: Sequence[Array], folds: NDArray[np.int64], cases: int) -> Sway | None:
    """Fit how far a child's place sways, from what each fold's models say of the same rows.

    A row's own fold is left aside: the others' models have all seen its household, so that they differ only in whose cases
    they left out. A model learned without one fold of ``n`` varies ``n`` - 1 times as much as ``n`` - 1 of them differ.

    Args:
        logits: combined log-odds of the rows.
        said: of each fold's models the learned part of it, as it enters.
        folds: the fold of each row.
        cases: households with a known case. Few of them lie in each part left out, so that the spread is known badly:
            Student's t by their number (with 33 cases 93 of a hundred would be held without, measured).
    """
    told = np.where(folds[None, :] == np.arange(len(said))[:, None], np.nan, np.array(said))
    if len(logits) < HEIGHTS or not np.nanstd(told) > 0:
        return None
    middle = np.nanmean(told, axis=0)
    # What moves all children alike, up, down or apart, changes nobody's place.
    for own in told:
        there = ~np.isnan(own)
        own[there] -= np.polyval(np.polyfit(middle[there], own[there], 1), middle[there])
    variance = (len(said) - 1) * np.nanvar(told, axis=0, ddof=1)
    # One row's variance is known by two differences only, that of many rows well.
    parts = np.array_split(np.argsort(logits, kind="stable"), HEIGHTS)
    heights = _floats(np.array([logits[part].mean() for part in parts]))
    spreads = _floats(np.sqrt([variance[part].mean() for part in parts]))
    return Sway(heights, spreads, _reach(max(1.0, cases / len(said))))


def _bent(logits: Array, knots: Sequence[float]) -> Array:
    return np.column_stack([np.ones(len(logits)), logits, *(np.maximum(logits - knot, 0.0) for knot in knots)])


def _reach(free: float) -> float:
    """How many standard errors 95 % reach, of an error known with so many degrees of freedom."""
    return float(student.ppf((1 + COVERED) / 2, free))


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(v) for v in values)

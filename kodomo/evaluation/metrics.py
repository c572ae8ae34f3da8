"""How good a ranking is: figures with intervals that know children share households (analysis side)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm, t

from kodomo.judgement.learners.leak_gates import rank_auroc

Array = NDArray[np.float64]
DRAWS = 300


@dataclass(frozen=True)
class Figure:
    """One measured value and its 95 % interval; NaN where it cannot be measured."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float | None]:
        """For JSON: value, low, high; None for NaN."""
        return [None if np.isnan(v) else round(float(v), 4) for v in (self.value, self.low, self.high)]


def auroc(scores: Array, positive: Array) -> float:
    """Chance that a positive stands above another child; ties count half."""
    return rank_auroc(scores, positive)


def average_precision(scores: Array, positive: Array) -> float:
    """Mean precision at each positive, from the top; tied scores enter together.

    >>> average_precision(np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    0.8333333333333333
    """
    total = positive.sum()
    if not total:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]
    found = np.r_[0.0, hits[last]]
    return float(np.sum(np.diff(found) * hits[last] / (last + 1)) / total)


def precision_at(scores: Array, positive: Array, places: int) -> float:
    """Share of positives among the first places; ties at the edge count by their share."""
    return _hits_at(scores, positive, places) / places if places else float("nan")


def recall_at(scores: Array, positive: Array, places: int) -> float:
    """Share of all positives that are among the first places."""
    total = positive.sum()
    return float(_hits_at(scores, positive, places) / total) if total else float("nan")


def _hits_at(scores: Array, positive: Array, places: int) -> float:
    if places <= 0 or not len(scores):
        return 0.0
    edge = np.sort(scores)[::-1][min(places, len(scores)) - 1]
    above, tied = scores > edge, scores == edge
    room = (places - above.sum()) / tied.sum()
    return float(positive[above].sum() + positive[tied].sum() * min(room, 1.0))


def brier(probabilities: Array, positive: Array) -> float:
    """Mean squared difference between probability and outcome."""
    return float(np.mean((probabilities - positive) ** 2)) if len(positive) else float("nan")


def calibration_error(probabilities: Array, positive: Array, bins: int = 10) -> float:
    """Expected calibration error over bins of equal size."""
    if not len(positive):
        return float("nan")
    parts = np.array_split(np.argsort(probabilities, kind="stable"), min(bins, len(positive)))
    gaps = [abs(probabilities[p].mean() - positive[p].mean()) * len(p) for p in parts]
    return float(sum(gaps) / len(positive))


def with_interval(
    measure: Callable[[Array, Array], float],
    scores: Array,
    positive: Array,
    group: NDArray[np.object_],
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> Figure:
    """A figure between 0 and 1 with its interval from drawing whole households again and again (cluster bootstrap)."""
    value, found = _drawn(lambda rows: measure(scores[rows], positive[rows]), group, generator, draws)
    if found is None:
        return Figure(value, float("nan"), float("nan"))
    return _share_figure(value, found, _households(positive, group))


def curve_with_intervals(
    scores: Array,
    positive: Array,
    group: NDArray[np.object_],
    places: Sequence[int],
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> list[Figure]:
    """The share of positives reached by reviewing so many children, for each number of ``places``, as ``with_interval``.

    One draw of households serves every number: a curve costs little more than a point of it.
    """
    shares = [number / max(len(scores), 1) for number in places]

    def reached(rows: NDArray[np.intp]) -> Array:
        return _recalls(scores[rows], positive[rows], [max(1, int(len(rows) * share)) for share in shares])

    values = _recalls(scores, positive, places)
    if np.isnan(values).any():
        return [Figure(float("nan"), float("nan"), float("nan"))] * len(places)
    drawn = [
        again for again in (reached(rows) for rows in _draws(group, generator, draws)) if not np.isnan(again).any()
    ]
    if len(drawn) < draws // 2:
        return [Figure(float(value), float("nan"), float("nan")) for value in values]
    households = _households(positive, group)
    return [
        _never_certain(_share_figure(float(value), found, households), households)
        for value, found in zip(values, np.array(drawn).T, strict=True)
    ]


def _never_certain(share: Figure, households: int) -> Figure:
    """Of none (or all) reached every draw gives none again, as if that were sure: Wilson's bound (1927) instead."""
    beyond = 1.96**2 / (households + 1.96**2)
    low = min(share.low, 1 - beyond) if share.value >= 1 else share.low
    return Figure(share.value, low, max(share.high, beyond) if share.value <= 0 else share.high)


def _recalls(scores: Array, positive: Array, places: Sequence[int]) -> Array:
    """``recall_at`` for several numbers of places at once."""
    total = positive.sum()
    if not total:
        return np.full(len(places), np.nan)
    ranked = np.sort(scores)[::-1]
    values, first, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(first, weights=positive, minlength=len(values))
    above, found = np.r_[0, np.cumsum(counts)], np.r_[0.0, np.cumsum(hits)]
    edges = np.searchsorted(values, [-ranked[min(n, len(ranked)) - 1] for n in places])
    room = np.minimum((np.asarray(places) - above[edges]) / counts[edges], 1.0)
    return np.asarray((found[edges] + hits[edges] * room) / total)


def poisson_interval(count: int) -> tuple[float, float]:
    """95 % interval of the expectation behind a count (Garwood 1936, Biometrika 28).

    >>> [round(edge, 2) for edge in poisson_interval(10)]
    [4.8, 18.39]
    """
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * (count + 1)) / 2)


def with_interval_of_difference(
    measure: Callable[[Array, Array], float],
    one: Array,
    other: Array,
    positive: Array,
    group: NDArray[np.object_],
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> Figure:
    """By how much one ranking's figure is above another's, on the same children: the households drawn are the same."""

    def difference(rows: NDArray[np.intp]) -> float:
        return measure(one[rows], positive[rows]) - measure(other[rows], positive[rows])

    value, found = _drawn(difference, group, generator, draws)
    if found is None:
        return Figure(value, float("nan"), float("nan"))
    return Figure(value, *_expanded(found, _households(positive, group)))


NEVER_CERTAIN = 5e-4
"""Shares of 0 and 1 are held this far inside before log-odds are taken of them."""


def _share_figure(value: float, found: Array, households: int) -> Figure:
    """A share and the interval its draws give, which stays between 0 and 1 because it is taken in log-odds."""
    low, high = (float(1 / (1 + np.exp(-edge))) for edge in _expanded(_log_odds(found), households))
    return Figure(value, min(low, value), max(high, value))


def _log_odds(shares: Array) -> Array:
    held = np.clip(shares, NEVER_CERTAIN, 1 - NEVER_CERTAIN)
    return np.asarray(np.log(held / (1 - held)))


def _households(positive: Array, group: NDArray[np.object_]) -> int:
    """How many households hold a positive: as many as there are independent finds."""
    return len(set(group[positive > 0].tolist()))


def _expanded(found: Array, households: int) -> tuple[float, float]:
    """The middle 95 % of the draws, stretched about their middle for how few households carry the figure.

    Percentiles alone are too narrow with few (Hesterberg 2015, "What teachers should know about the bootstrap",
    The American Statistician 69: the expanded percentile interval); with forty positives they cover 91 to 93 %.
    """
    low, middle, high = np.quantile(found, [0.025, 0.5, 0.975], method="weibull")
    freedom = max(households - 1, 1)
    stretch = float(t.ppf(0.975, freedom) / norm.ppf(0.975) * np.sqrt(1 + 1 / freedom))
    return float(middle + (low - middle) * stretch), float(middle + (high - middle) * stretch)


class Households:
    """Whole households drawn again and again, once for all figures that are asked of the same children.

    Args:
        group: each row's household.
        draws: how many times as many households as there are are drawn.
    """

    def __init__(self, group: NDArray[np.object_], generator: np.random.Generator, draws: int = DRAWS) -> None:
        self._group = group
        names, self._place = np.unique(group.astype(str), return_inverse=True)
        size = len(names)
        # How often each household stands in each draw.
        self._times = np.array([np.bincount(generator.integers(0, size, size), minlength=size) for _ in range(draws)])
        self._times = self._times.astype(np.float64)

    def drawn_sums(self, *flags: NDArray[np.bool_]) -> list[Array]:
        """In each draw, how many rows of each kind there are."""
        size = self._times.shape[1]
        counted = np.array([np.bincount(self._place[kind], minlength=size) for kind in flags], dtype=np.float64)
        return list(np.asarray(self._times @ counted.T).T)

    def drawn(self, rows: NDArray[np.intp], measure: Callable[[Array], Array], at_once: int = 50) -> Array:
        """A measure of weighted rows (draws × rows, how often each row stands in a draw), for every draw."""
        times, own = self._times, self._place[rows]
        parts = [measure(times[start : start + at_once][:, own]) for start in range(0, len(times), at_once)]
        return np.concatenate(parts)

    def share(self, value: float, found: Array, positive: NDArray[np.bool_]) -> Figure:
        """A share with the interval of its draws; ``positive`` are the rows whose households carry it."""
        told = found[~np.isnan(found)]
        if len(told) < len(found) // 2:
            return Figure(value, float("nan"), float("nan"))
        return _share_figure(value, told, len(set(self._group[positive].tolist())))

    def ratio(self, value: float, found: Array, positive: NDArray[np.bool_]) -> Figure:
        """A ratio of two shares with the interval of its draws, taken in logarithms."""
        told = found[found > 0]
        if len(told) < len(found) // 2:
            return Figure(value, float("nan"), float("nan"))
        low, high = _expanded(np.log(told), len(set(self._group[positive].tolist())))
        return Figure(value, float(np.exp(low)), float(np.exp(high)))


def _drawn(
    measure: Callable[[NDArray[np.intp]], float],
    group: NDArray[np.object_],
    generator: np.random.Generator,
    draws: int,
) -> tuple[float, Array | None]:
    """A figure of all rows, and of each draw of whole groups; None where too few draws have one."""
    value = measure(np.arange(len(group)))
    if np.isnan(value):
        return value, None
    found = [again for again in map(measure, _draws(group, generator, draws)) if not np.isnan(again)]
    return value, np.array(found) if len(found) >= draws // 2 else None


def _draws(group: NDArray[np.object_], generator: np.random.Generator, draws: int) -> Iterator[NDArray[np.intp]]:
    """Rows of so many draws of whole groups, each as many groups as there are."""
    _, inverse = np.unique(group.astype(str), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.r_[0, np.cumsum(np.bincount(inverse))]
    for _ in range(draws):
        drawn = generator.integers(0, len(bounds) - 1, len(bounds) - 1)
        yield order[_ranges(bounds[drawn], bounds[drawn + 1])]


def _ranges(starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.intp]:
    """All whole numbers of several half-open ranges, one after another."""
    lengths = ends - starts
    offsets = np.repeat(starts - np.r_[0, np.cumsum(lengths)[:-1]], lengths)
    return np.asarray(np.arange(lengths.sum()) + offsets, dtype=np.intp)

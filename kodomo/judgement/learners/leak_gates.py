"""Gates that stop training where a column seems to know the outcome (analysis side).

A leak looks like a good model. So before anything is learned each column is asked, period by period,
whether it alone tells cases from the rest, by its value or by being filled at all; and after learning,
whether the model is as good on the latest period as on rows of the same time. A fault found is a reason
to ask where the column comes from, never proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from kodomo.judgement.learners.cross_fit import Array

SINGLE = 0.95
"""A single column that ranks cases this well (AUROC) is a leak until shown otherwise."""
GAP = 0.05
"""Out of time and cross-validated AUROC may not differ by more, in either direction."""
SURE = 2.58
"""Standard errors beyond which a difference over time is no chance: one in a hundred."""
PURE, PURE_CASES = 0.90, 15
"""Where so many cases share a column's values with hardly anyone else, the column was made by recognition."""
ODDS = 75.0
"""And so many times the odds of all rows: of a common outcome the very oldest or poorest may all be cases."""
PRESENCE = 0.65
"""Being filled (or empty) at all ranks cases this well (AUROC): listed, not stopped."""
CASES_LEAST = 10


@dataclass(frozen=True)
class Suspicion:
    """A column (or the whole model, ``column`` -1), which gate it failed, and the figure it failed with."""

    column: int
    gate: str
    figure: float
    stops: bool = True


def rank_auroc(values: Array, y: Array) -> float:
    """Area under the ROC curve of one column, ties counted half, missing values left out; NaN without both classes."""
    there = ~np.isnan(values)
    values, case = values[there], y[there] > 0
    cases, rest = int(case.sum()), int((~case).sum())
    if not cases or not rest:
        return float("nan")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return float((middle[place][case].sum() - cases * (cases + 1) / 2) / (cases * rest))


def suspicious_columns(x: Array, y: Array, period: NDArray[np.generic] | None = None) -> list[Suspicion]:
    """Columns that fail a gate on all rows or in any period, each once, with the figure that shows it.

    Args:
        x: columns, NaN where not filled.
        y: outcome, 0 or 1.
        period: of each row; all rows are one period when absent.
    """
    spans = [np.ones(len(y), dtype=bool)]
    if period is not None:
        spans += [period == one for one in np.unique(period)]
    found = []
    for column in range(x.shape[1]):
        failed = next((s for rows in spans if (s := _column(column, x[rows, column], y[rows]))), None)
        if failed:
            found.append(failed)
    return found


def _column(column: int, values: Array, y: Array) -> Suspicion | None:
    there = ~np.isnan(values)
    filled = there.astype(np.float64)
    for gate, one in (("single_auroc", values), ("presence_auroc", filled)):
        if (y[~np.isnan(one)] > 0).sum() >= CASES_LEAST:
            area = rank_auroc(one, y)
            if max(area, 1 - area) >= SINGLE:
                return Suspicion(column, gate, max(area, 1 - area))
    purity = max(_purity(values, y), _purity(filled, y))
    if purity < PURE:  # as where there are no rows, or no cases
        return None
    rate = float(np.clip(np.mean(y > 0), 1e-6, 1 - 1e-6))
    odds = purity / max(1 - purity, 1e-6) / (rate / (1 - rate))
    return Suspicion(column, "pure_values", purity) if odds >= ODDS else None


def _purity(values: Array, y: Array) -> float:
    """Largest share of cases at or beyond any value, at either end, with enough cases there; 0 where there is none.

    The share's lower 95 % bound counts (Wilson 1927).
    """
    there = ~np.isnan(values)
    values, case = values[there], y[there] > 0
    if case.sum() < PURE_CASES:
        return 0.0
    best = 0.0
    for ordered in (np.argsort(-values, kind="stable"), np.argsort(values, kind="stable")):
        hits, places = np.cumsum(case[ordered]), np.arange(1, len(ordered) + 1)
        last = np.r_[values[ordered][1:] != values[ordered][:-1], True]
        usable = last & (hits >= PURE_CASES)
        if usable.any():
            best = max(best, float(_wilson_low(hits[usable], places[usable]).max()))
    return best


def _wilson_low(hits: NDArray[np.int64], rows: NDArray[np.int64]) -> Array:
    z2 = 1.96**2
    share = hits / rows
    middle = share + z2 / (2 * rows)
    reach = 1.96 * np.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return np.asarray((middle - reach) / (1 + z2 / rows))


def time_gap(cross_validated: float, out_of_time: float, cases: int, rest: int) -> Suspicion | None:
    """The gate on the model: AUROC out of time against cross-validated, beyond what so few cases would do by chance.

    Both are measured, on as few cases, and seven types are asked at every judgement: at 1.96 errors of one of the two a
    third of all judgements would lose a type by chance (one did: twelve cases, .47 after .71, and no leak).
    """
    gap = out_of_time - cross_validated
    before, after = (auroc_error(area, cases, rest) for area in (cross_validated, out_of_time))
    chance = SURE * float(np.hypot(before, after))
    return Suspicion(-1, "time_gap", gap) if abs(gap) > max(GAP, chance) else None


def auroc_error(area: float, cases: int, rest: int) -> float:
    """Standard error of an AUROC (Hanley & McNeil 1982)."""
    if not cases or not rest:
        return float("inf")
    area = float(np.clip(area, 0.5, 0.999))
    first, second = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (cases - 1) * (first - area * area) + (rest - 1) * (second - area * area)
    return float(np.sqrt(max(spread, 0.0) / (cases * rest)))


def auroc_interval(scores: Array, y: Array, group: NDArray[np.object_]) -> tuple[float, float]:
    """95 % interval of an AUROC over rows that come in groups (Obuchowski 1997, the clustered form of DeLong's).

    On the log-odds scale, for near 1 there is less room above than below, and with Student's t for the groups that
    hold a case. 0 to 1 where fewer than two groups hold a case, or fewer than two none: nothing is known then.
    """
    area = rank_auroc(scores, y)
    error, freedom = _clustered_error(_right_sides(scores, y), y, group)
    if not freedom:
        return 0.0, 1.0
    held = float(np.clip(area, 1e-3, 1 - 1e-3))
    middle = np.log(held / (1 - held))
    reach = t.ppf(0.975, freedom) * error / (held * (1 - held))
    low, high = (float(1 / (1 + np.exp(-edge))) for edge in (middle - reach, middle + reach))
    return low, high


def auroc_difference(one: Array, other: Array, y: Array, group: NDArray[np.object_]) -> tuple[float, float, float]:
    """By how much one ranking's AUROC is above another's on the same rows, and its 95 % interval (as ``auroc_interval``)."""
    apart = _right_sides(one, y) - _right_sides(other, y)
    value = float(apart[y > 0].mean()) if (y > 0).any() else 0.0
    error, freedom = _clustered_error(apart, y, group)
    if not freedom:
        return value, -1.0, 1.0
    reach = float(t.ppf(0.975, freedom) * error)
    return value, value - reach, value + reach


def _right_sides(scores: Array, y: Array) -> Array:
    """Each row's share of the other class it stands on the right side of, ties half."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    case = y > 0
    per_value = [np.bincount(place, weights=flag, minlength=len(counts)) for flag in (~case, case)]
    below_rest, below_case = (np.cumsum(each) - each / 2 for each in per_value)
    return np.asarray(
        np.where(case, below_rest[place] / max((~case).sum(), 1), 1 - below_case[place] / max(case.sum(), 1))
    )


def _clustered_error(sides: Array, y: Array, group: NDArray[np.object_]) -> tuple[float, int]:
    """Standard error of the mean right side and its degrees of freedom; 0 of these where nothing is known."""
    _, of_group = np.unique(group.astype(str), return_inverse=True)
    case = y > 0
    cases, rest = int(case.sum()), int((~case).sum())
    with_case, with_rest = len(np.unique(of_group[case])), len(np.unique(of_group[~case]))
    if with_case < 2 or with_rest < 2:
        return float("nan"), 0
    own = sides - np.where(case, sides[case].mean(), sides[~case].mean())
    up, down = (np.bincount(of_group, weights=own * flag) for flag in (case, ~case))
    groups = len(up)
    variance = (
        with_case / (with_case - 1) * (up @ up) / cases**2
        + with_rest / (with_rest - 1) * (down @ down) / rest**2
        + 2 * groups / (groups - 1) * (up @ down) / (cases * rest)
    )
    return float(np.sqrt(max(float(variance), 0.0))), with_case - 1


def telling_gaps(x: Array, y: Array) -> list[Suspicion]:
    """Columns whose being filled or empty alone, whatever the value, ranks cases beyond chance: listed for a person to
    look at, the most telling first. Who is examined, or asked, was often in view before.
    """
    cases, rest = int((y > 0).sum()), int((y <= 0).sum())
    if cases < CASES_LEAST or not rest:
        return []
    filled = ~np.isnan(x)
    # The AUROC of a yes or no is half of one and the difference of its two rates.
    areas = 0.5 + np.abs(filled[y > 0].mean(axis=0) - filled[y <= 0].mean(axis=0)) / 2
    found = [
        Suspicion(column, "presence", float(area), stops=False)
        for column, area in enumerate(areas)
        if area >= PRESENCE and area - SURE * auroc_error(float(area), cases, rest) > 0.5
    ]
    return sorted(found, key=lambda one: -one.figure)


def split_groups(folds: NDArray[np.int64], group: NDArray[np.object_]) -> int:
    """How many groups (households) lie on both sides of a split: must be none."""
    seen: dict[object, set[int]] = {}
    for fold, one in zip(folds.tolist(), group.tolist(), strict=True):
        seen.setdefault(one, set()).add(fold)
    return sum(len(found) > 1 for found in seen.values())

"""Leaks planted in plain tables are caught; columns that are merely good are not."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.judgement.learners.leak_gates import (
    rank_auroc,
    split_groups,
    suspicious_columns,
    telling_gaps,
    time_gap,
)


def plain(rows: int = 1_500, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 4))
    y = (generator.random(rows) < 1 / (1 + np.exp(2.5 - 2.5 * x[:, 0]))) + 0.0
    return x, y


def test_a_strong_honest_column_passes():
    x, y = plain()
    assert suspicious_columns(x, y) == []


def copy_with_slips(y, generator):
    return np.where(generator.random(len(y)) < 0.01, 1 - y, y)


def filled_for_cases_alone(y, generator):
    return np.where(y > 0, generator.normal(size=len(y)), np.nan)


def made_for_some_cases(y, generator):
    return np.where((y > 0) & (generator.random(len(y)) < 0.3), generator.integers(1, 5, len(y)), 0) + 0.0


def turned_round(y, generator):
    return -copy_with_slips(y, generator)


@pytest.mark.parametrize("plant", [copy_with_slips, filled_for_cases_alone, made_for_some_cases, turned_round])
def test_a_planted_leak_is_named(plant):
    x, y = plain()
    x[:, 2] = plant(y, np.random.default_rng(5))
    assert [one.column for one in suspicious_columns(x, y)] == [2]


def test_a_leak_in_one_period_alone_is_found():
    """As in a published panel whose last outcome year was a copy of the year before."""
    x, y = plain(4_000)
    period = np.repeat([2022, 2023, 2024, 2025], 1_000)
    x[:, 3] = np.where(period == 2025, y, x[:, 3])
    assert suspicious_columns(x, y) == [] or [s.column for s in suspicious_columns(x, y)] == [3]
    assert [one.column for one in suspicious_columns(x, y, period)] == [3]


@pytest.mark.parametrize(
    ("cross_validated", "out_of_time", "cases", "stops"),
    [
        (0.72, 0.97, 200, True),
        (0.85, 0.70, 300, True),
        (0.75, 0.72, 300, False),
        (0.75, 0.62, 12, False),
        (0.71, 0.47, 12, False),
    ],
)
def test_models_that_differ_over_time_are_stopped_unless_by_chance(cross_validated, out_of_time, cases, stops):
    assert (time_gap(cross_validated, out_of_time, cases, 3_000) is not None) == stops


def test_missingness_that_predicts_is_listed_but_stops_nothing():
    generator = np.random.default_rng(2)
    x, y = plain()
    x[generator.random(len(y)) < 0.5, 2] = np.nan
    assert telling_gaps(x, y) == [], "empty by chance tells nothing"
    x[generator.random(len(y)) < np.where(y > 0, 0.7, 0.15), 1] = np.nan
    (found,) = telling_gaps(x, y)
    assert found.figure == pytest.approx(rank_auroc(np.isnan(x[:, 1]).astype(float), y))
    assert (found.column, found.stops) == (1, False) and found.figure > 0.65
    assert suspicious_columns(x, y) == []
    few = np.flatnonzero(y > 0)[9:]
    assert telling_gaps(np.delete(x, few, axis=0), np.delete(y, few)) == []


def test_households_on_both_sides_are_counted():
    group = np.array(["a", "a", "b", "c", "c"], dtype=object)
    assert split_groups(np.array([0, 1, 0, 2, 2]), group) == 1
    assert split_groups(np.array([0, 0, 1, 2, 2]), group) == 0

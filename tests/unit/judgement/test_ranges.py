"""How sure a score is: by closed forms where there are any, and against what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.judgement.learners.calibration import probability
from kodomo.judgement.ranges import Sway, fit_rates, fit_sway, rows_to_measure


def rows(number: int, seed: int, level: float = -3.0, house: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds that are right, what came of them, and households of several rows that come out alike."""
    generator = np.random.default_rng(seed)
    logits = np.repeat(level + generator.normal(size=number // house), house)
    outcome = np.repeat((generator.random(number // house) < probability(logits[::house])) + 0.0, house)
    return logits, outcome, np.repeat(np.arange(number // house), house).astype(object)


def test_the_rate_is_held_and_more_cases_say_it_closer() -> None:
    heights = np.array([-5.0, -3.0, -1.0])
    widths = []
    for number in (2_000, 20_000):
        found = fit_rates(*rows(number, 1), longer=0.0)
        assert found is not None
        low, high = found.range_of(heights)
        assert (low < probability(heights)).all() and (probability(heights) < high).all()
        widths.append(np.log(high / low))
    assert (widths[1] < 0.7 * widths[0]).all()


def test_rows_of_one_household_count_together() -> None:
    """The same rows three times over say no more, when they are the same household's."""
    logits, outcome, group = rows(3_000, 2)
    once = fit_rates(logits, outcome, group, 0.0)
    thrice = fit_rates(*(np.tile(part, 3) for part in (logits, outcome, group)), longer=0.0)
    strangers = fit_rates(np.tile(logits, 3), np.tile(outcome, 3), np.arange(9_000).astype(object), 0.0)
    width = {
        name: float(np.diff(np.log(one.range_of(np.array([-2.0]))), axis=0)[0, 0])
        for name, one in {"once": once, "thrice": thrice, "strangers": strangers}.items()
        if one
    }
    assert width["thrice"] == pytest.approx(width["once"], rel=0.25)
    assert width["strangers"] < 0.75 * width["once"]


def test_a_score_that_is_off_is_found_out_and_lies_inside_all_the_same() -> None:
    logits, outcome, group = rows(20_000, 3)
    found = fit_rates(logits + 1.0, outcome, group, 0.0)
    assert found is not None
    low, high = found.range_of(np.array([-2.0]))
    assert low[0] < probability(np.array([-3.0]))[0] and high[0] >= probability(np.array([-2.0]))[0]


def test_twelve_months_are_more_than_the_horizon() -> None:
    logits, outcome, group = rows(20_000, 4, level=-5.0)
    half, whole = (
        fit_rates(logits, outcome, group, 0.0),
        fit_rates(logits + np.log(2), outcome, group, float(np.log(2))),
    )
    assert half is not None and whole is not None
    at = np.array([-5.0])
    assert np.array(whole.range_of(at + np.log(2))) == pytest.approx(2 * np.array(half.range_of(at)), rel=0.02)


def test_with_a_handful_of_households_nothing_is_said() -> None:
    logits, _, group = rows(500, 5)
    assert fit_rates(logits, (np.arange(500) < 7) + 0.0, group, 0.0) is None
    assert fit_rates(logits, (np.arange(500) < 8) + 0.0, group, 0.0) is not None


def test_points_with_few_values_are_borne() -> None:
    generator = np.random.default_rng(6)
    logits = -4.0 + generator.integers(0, 3, 3_000)
    outcome = (generator.random(3_000) < probability(logits)) + 0.0
    found = fit_rates(logits, outcome, np.arange(3_000).astype(object), 0.0)
    assert found is not None
    low, high = found.range_of(np.array([-4.0, -3.0, -2.0]))
    assert np.isfinite(low).all() and (low < high).all() and (np.diff(high) > 0).all()


def test_sway_is_what_leaving_out_households_does() -> None:
    """Models that are sums of four groups' parts, each without one: the variance of one of them is known."""
    generator = np.random.default_rng(7)
    number, folds = 6_000, 4
    logits = generator.normal(-3, 1, number)
    parts = generator.normal(0, 0.3, (folds, number))
    said = [logits + (parts.sum(axis=0) - parts[left]) / (folds - 1) for left in range(folds)]
    found = fit_sway(logits, said, np.arange(number) % folds, 400)
    assert found is not None
    assert found.spread(np.array([-4.0, -3.0, -2.0])) == pytest.approx(np.full(3, 0.3 / np.sqrt(folds - 1)), rel=0.06)
    few = fit_sway(logits, said, np.arange(number) % folds, 24)
    assert few is not None and (few.reach, found.reach) == pytest.approx((2.447, 1.984), abs=0.001)


def test_what_moves_all_alike_is_no_sway() -> None:
    logits = np.random.default_rng(8).normal(-3, 1, 2_000)
    own = np.random.default_rng(9).normal(0, 0.01, (4, 2_000))
    moved = [0.5 * n + (1 + 0.2 * n) * logits + own[n] for n in range(4)]
    found = fit_sway(logits, moved, np.arange(2_000) % 4, 400)
    assert found is not None and found.spread(np.array([-3.0]))[0] < 0.05
    assert fit_sway(logits, [np.zeros(2_000)] * 4, np.arange(2_000) % 4, 400) is None


def test_sway_stays_as_it_was_measured_beyond_where_it_was() -> None:
    sway = Sway((-4.0, -1.0), (0.5, 0.2), 2.0)
    assert sway.spread(np.array([-9.0, -4.0, -2.5, 3.0])) == pytest.approx([0.5, 0.5, 0.35, 0.2])
    low, high = sway.range_of(np.array([-9.0]))
    assert (low[0], high[0]) == pytest.approx((-10.0, -8.0))


def test_rows_are_drawn_from_the_top_too_and_never_of_cases() -> None:
    logits = np.arange(30_000.0)
    is_case = np.arange(30_000) % 10 == 0
    found = rows_to_measure(logits, is_case, 1)
    assert len(found) == 2_000 and not is_case[found].any() and (logits[found] >= 27_000).sum() == 1_000
    assert (rows_to_measure(logits, is_case, 1) == found).all()

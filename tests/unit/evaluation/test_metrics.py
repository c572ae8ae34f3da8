"""Figures worked out by hand, and intervals that respect households."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.evaluation.metrics import (
    _expanded,
    auroc,
    average_precision,
    brier,
    calibration_error,
    curve_with_intervals,
    poisson_interval,
    precision_at,
    recall_at,
    with_interval,
)

SCORES = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
POSITIVE = np.array([1.0, 0.0, 1.0, 0.0, 0.0])


def test_auroc_counts_ties_half() -> None:
    assert auroc(SCORES, POSITIVE) == pytest.approx((3 + 2.5) / 6)


def test_average_precision_lets_ties_in_together() -> None:
    assert average_precision(SCORES, POSITIVE) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert np.isnan(average_precision(SCORES, np.zeros(5)))


def test_precision_and_recall_share_ties_at_the_edge() -> None:
    assert precision_at(SCORES, POSITIVE, 1) == 1
    assert precision_at(SCORES, POSITIVE, 2) == pytest.approx((1 + 0.5) / 2)
    assert recall_at(SCORES, POSITIVE, 3) == 1
    assert recall_at(SCORES, POSITIVE, 1) == 0.5


def test_brier_and_calibration() -> None:
    assert brier(np.array([0.5, 0.0]), np.array([1.0, 0.0])) == pytest.approx(0.125)
    assert calibration_error(np.array([0.2] * 10), np.array([1.0, 1.0] + [0.0] * 8), bins=1) == pytest.approx(0.0)
    assert calibration_error(np.array([0.7] * 10), np.array([1.0, 1.0] + [0.0] * 8), bins=1) == pytest.approx(0.5)


def test_interval_covers_and_is_wider_when_households_repeat() -> None:
    generator = np.random.default_rng(0)
    households = 150
    y = np.repeat((generator.random(households) < 0.3).astype(float), 4)
    scores = np.repeat(generator.normal(size=households), 4) + y
    alone = np.arange(len(y)).astype(object)
    together = np.repeat(np.arange(households), 4).astype(object)
    narrow = with_interval(auroc, scores, y, alone, np.random.default_rng(1))
    wide = with_interval(auroc, scores, y, together, np.random.default_rng(1))
    assert narrow.low < narrow.value < narrow.high
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_few_households_stretch_an_interval_about_the_middle_of_its_draws() -> None:
    """By t over the normal's edge and √(k / (k − 1)): Hesterberg's expanded percentile, by hand for k = 5."""
    draws = np.linspace(-1.0, 1.0, 201)
    low, high = _expanded(draws, 5)
    assert high == pytest.approx(0.9595 * 2.776445 / 1.959964 * np.sqrt(5 / 4), rel=1e-5) and low == pytest.approx(
        -high
    )
    assert _expanded(draws, 4_000)[1] == pytest.approx(0.9595, abs=2e-3)


def test_a_perfect_ranking_is_not_certain_of_itself() -> None:
    y = np.r_[np.ones(6), np.zeros(60)]
    found = with_interval(auroc, y, y, np.arange(66).astype(object), np.random.default_rng(0))
    assert found.value == found.high == 1 and 0.99 < found.low < 1


def test_a_curve_is_recall_at_each_place_with_its_own_interval() -> None:
    rng = np.random.default_rng(5)
    positive = (rng.random(600) < 0.1).astype(float)
    scores = np.round(rng.normal(size=600) + positive, 1)  # many ties
    group = np.array([f"h{n // 2}" for n in range(600)], dtype=object)
    places = [1, 12, 60, 300, 600]
    figures = curve_with_intervals(scores, positive, group, places, np.random.default_rng(1))
    for figure, number in zip(figures, places, strict=True):
        alone = with_interval(
            lambda s, p, n=number: recall_at(s, p, n), scores, positive, group, np.random.default_rng(1)
        )
        assert figure.value == pytest.approx(recall_at(scores, positive, number))
        if 0 < figure.value < 1:
            assert figure.low == pytest.approx(alone.low, abs=0.02) and figure.high == pytest.approx(
                alone.high, abs=0.02
            )
    assert np.isnan(curve_with_intervals(scores, np.zeros(600), group, places, np.random.default_rng(1))[0].value)


def test_chance_allows_a_count_of_none_to_come_from_some() -> None:
    assert poisson_interval(0) == pytest.approx((0.0, 3.689), abs=1e-3)


def test_none_reached_is_not_shown_as_certain() -> None:
    """Nobody of twenty households reached: up to 16 % could be (Wilson); all of them: down to 84 %."""
    scores, group = np.linspace(1, 0, 400), np.arange(400).astype(object)
    positive = np.zeros(400)
    positive[300:320] = 1
    none, everyone = curve_with_intervals(scores, positive, group, [20, 400], np.random.default_rng(1))
    assert none.value == 0 and none.low == pytest.approx(0, abs=1e-4) and none.high == pytest.approx(0.161, abs=1e-3)
    assert everyone.value == 1 and everyone.low == pytest.approx(0.839, abs=1e-3)

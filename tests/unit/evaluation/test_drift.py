"""Indicators that moved are named, those that did not are not."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.evaluation.drift import DECIDE, LOOK, Shift, stability_index

RNG = np.random.default_rng(3)


def test_two_samples_of_one_distribution_are_stable() -> None:
    assert stability_index(RNG.normal(size=4000), RNG.normal(size=4000)) < LOOK / 5


def test_a_shifted_distribution_asks_for_a_decision() -> None:
    assert stability_index(RNG.normal(size=4000), RNG.normal(1.0, 1, 4000)) > DECIDE


@pytest.mark.parametrize(("then", "now"), [(0.1, 0.3), (0.02, 0.2)])
def test_a_flag_is_compared_by_its_shares_as_worked_out_by_hand(then: float, now: float) -> None:
    a, b = (np.array([1.0] * int(1000 * p) + [0.0] * int(1000 * (1 - p))) for p in (then, now))
    by_hand = (now - then) * np.log(now / then) + (then - now) * np.log((1 - now) / (1 - then))
    assert stability_index(a, b) == pytest.approx(by_hand)


def test_values_that_stop_coming_are_a_change() -> None:
    values = RNG.normal(size=2000)
    assert stability_index(values, np.where(RNG.random(2000) < 0.5, np.nan, values)) > DECIDE


def test_an_indicator_nobody_has_a_value_of_is_stable() -> None:
    nothing = np.full(500, np.nan)
    assert stability_index(nothing, nothing) == 0.0


def test_it_is_the_same_in_both_directions() -> None:
    a, b = RNG.integers(0, 2, 900).astype(float), np.r_[np.ones(400), np.zeros(500)]
    assert stability_index(a, b) == pytest.approx(stability_index(b, a))


@pytest.mark.parametrize(("index", "state"), [(0.05, "安定"), (0.1, "要注意"), (0.25, "要判断")])
def test_state_follows_the_usual_reading(index: float, state: str) -> None:
    assert Shift("x", "見本", index, 0, 0).state == state

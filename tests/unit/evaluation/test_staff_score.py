"""Whether learning beats the staff's points: only when the whole interval says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kodomo.evaluation.metrics import Figure, auroc, with_interval, with_interval_of_difference
from kodomo.evaluation.outcomes import Outcome
from kodomo.evaluation.staff_score import Verdict, against_staff_score, verdict_of


def outcome(strength: float, points: float, cases: int = 60, size: int = 1_500, *, learned: bool = True) -> Outcome:
    rng = np.random.default_rng(5)
    positive = np.r_[np.ones(cases), np.zeros(size - cases)]
    scores = {
        "COMBINED": strength * positive + rng.normal(size=size),
        "SCENARIO": points * positive + rng.normal(size=size),
    }
    keys = np.array([f"c{n}" for n in range(size)], dtype=object)
    group = np.array([f"h{n // 2}" for n in range(size)], dtype=object)
    return Outcome("POVERTY", keys, group, scores, positive, np.ones(size, bool), np.arange(size), learned)


@pytest.mark.parametrize(
    ("strength", "points", "verdict"), [(2.5, 0.5, "BEATS"), (1.0, 1.0, "UNSURE"), (0.2, 2.5, "LOSES")]
)
def test_the_interval_decides(strength: float, points: float, verdict: str) -> None:
    found = against_staff_score(outcome(strength, points), 150, np.random.default_rng(1))
    assert found is not None and found["verdict"] == verdict and found["is_used"]
    value, low, high = found["auroc"]
    assert low <= value <= high and (low > 0) == (verdict == "BEATS")


def test_where_the_points_are_used_it_is_said() -> None:
    one = outcome(2.5, 0.5, learned=False)
    found = against_staff_score(one, 150, np.random.default_rng(1))
    assert found is not None and found["verdict"] == "SAME" and not found["is_used"]
    overall = replace(one, scores={"COMBINED": one.scores["COMBINED"]})
    assert against_staff_score(overall, 150, np.random.default_rng(1)) is None


def test_what_cannot_be_measured_beats_nothing() -> None:
    nan = float("nan")
    assert verdict_of(Figure(0.1, nan, nan), is_used=True) is Verdict.UNSURE


def test_a_paired_interval_is_narrower_than_two_apart() -> None:
    """The same ranking with a little noise: what both share cancels out."""
    one = outcome(1.0, 1.0)
    close = one.scores["COMBINED"] + np.random.default_rng(2).normal(0, 0.05, len(one.keys))
    paired = with_interval_of_difference(
        auroc, close, one.scores["COMBINED"], one.positive, one.group, np.random.default_rng(3)
    )
    alone = with_interval(auroc, close, one.positive, one.group, np.random.default_rng(3))
    assert (paired.high - paired.low) < 0.25 * (alone.high - alone.low)
    assert abs(paired.value) < 0.01

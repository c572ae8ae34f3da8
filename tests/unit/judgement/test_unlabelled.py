"""Bags of known cases against drawn unlabelled rows: hidden cases hurt less, and every bag is the same each time."""

from __future__ import annotations

import numpy as np

from kodomo.judgement.learners.boosting import Boosting
from kodomo.judgement.learners.leak_gates import rank_auroc
from kodomo.judgement.learners.unlabelled import BaggedBoosting

SMALL = Boosting(rounds=(60,))


def half_hidden(seed: int = 1, rows: int = 6_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 12))
    y = (generator.random(rows) < 1 / (1 + np.exp(3.5 - 1.2 * x[:, 0] - x[:, 1]))) + 0.0
    seen = y * (generator.random(rows) < 0.5)
    return x, y, seen


def test_bags_rank_hidden_cases_like_the_known_ones() -> None:
    x, y, seen = half_hidden()
    model = BaggedBoosting(SMALL, bags=6).fit(x[:3_000], seen[:3_000], seed=1).at(0)
    held = rank_auroc(model.logits(x[3_000:]), y[3_000:])
    all_known = rank_auroc(SMALL.fit(x[:3_000], y[:3_000], seed=1).at(0).logits(x[3_000:]), y[3_000:])
    assert held > all_known - 0.03
    hidden = (y[:3_000] > 0) & (seen[:3_000] == 0)
    rest = y[:3_000] == 0
    mixed = np.flatnonzero(hidden | rest)
    assert rank_auroc(model.logits(x[mixed]), hidden[mixed] + 0.0) > 0.75


def test_bags_are_the_same_each_time_and_hold_all_cases() -> None:
    x, _, seen = half_hidden(rows=1_500)
    one, two = (BaggedBoosting(SMALL, bags=3).fit(x, seen, seed=4).at(0).texts() for _ in range(2))
    assert one == two and len(one) == 3

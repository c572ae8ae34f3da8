"""Each group has the figures of all, with intervals over households; who is reached less than the others is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kodomo.evaluation.group_figures import Ground, group_line
from kodomo.evaluation.metrics import Households, average_precision
from kodomo.governance.suppression import Suppression

RULE = Suppression(threshold=7, base=5)
SIZE = 4000


def ground(*, reached_in_a: float, foreseen: float = 0.05, seed: int = 3) -> tuple[Ground, np.ndarray]:
    """Two groups of 2,000 with 100 cases each; of the cases of the other group 60 in 100 are flagged."""
    generator = np.random.default_rng(seed)
    is_a = np.arange(SIZE) % 2 == 0
    positive = np.zeros(SIZE, dtype=bool)
    flagged = np.zeros(SIZE, dtype=bool)
    for members, reached in ((is_a, reached_in_a), (~is_a, 0.6)):
        rows = generator.permutation(np.flatnonzero(members))
        positive[rows[:100]] = True
        flagged[rows[: round(100 * reached)]] = True
        flagged[rows[100 : 100 + 200 - round(100 * reached)]] = True
    scores = flagged + generator.random(SIZE) * 0.9
    new = np.arange(SIZE) % 3 == 0
    household = np.array([f"h{n // 4}" for n in range(SIZE)], dtype=object)
    households = Households(household, np.random.default_rng(1))
    return Ground(flagged, positive, new, scores, np.full(SIZE, foreseen), households), is_a


def line_of(given: Ground, members: np.ndarray, others: np.ndarray) -> dict[str, Any]:
    return group_line("甲", members, others, given, RULE)


def test_figures_are_those_of_the_groups_children_alone() -> None:
    given, is_a = ground(reached_in_a=0.6)
    line = line_of(given, is_a, ~is_a)
    assert (line["children"], line["cases"], line["flagged_share"], line["recall"]) == (2000, 100, 0.1, 0.6)
    assert line["figures"]["precision"][0] == 0.3
    found = int((given.flagged & given.positive & given.new & is_a).sum())
    assert line["figures"]["new_found"][0] == pytest.approx(found / 200)
    alone = average_precision(given.scores[is_a], given.positive[is_a].astype(float))
    assert line["figures"]["average_precision"][0] == pytest.approx(alone, abs=1e-4)


def test_every_figure_has_an_interval_about_it() -> None:
    given, is_a = ground(reached_in_a=0.6)
    for name, (value, low, high) in line_of(given, is_a, ~is_a)["figures"].items():
        assert low < value < high, name
    low, high = line_of(given, is_a, ~is_a)["figures"]["recall"][1:]
    # A share of .6 of a hundred: about a tenth to each side.
    assert 0.07 < 0.6 - low < 0.13 and 0.07 < high - 0.6 < 0.13


@pytest.mark.parametrize(("reached", "is_uneven"), [(0.6, False), (0.55, False), (0.3, True), (0.9, True)])
def test_a_group_reached_much_less_or_more_than_the_others_is_named(reached: float, is_uneven: bool) -> None:
    given, is_a = ground(reached_in_a=reached)
    line = line_of(given, is_a, ~is_a)
    assert line["is_uneven"] is is_uneven
    assert line["figures"]["recall_ratio"][0] == pytest.approx(reached / 0.6, abs=1e-3)


@pytest.mark.parametrize(("foreseen", "is_off"), [(0.05, False), (0.08, True), (0.03, True)])
def test_what_was_foreseen_of_a_group_stands_beside_what_came(foreseen: float, is_off: bool) -> None:
    given, is_a = ground(reached_in_a=0.6, foreseen=foreseen)
    expected = line_of(given, is_a, ~is_a)["expected"]
    assert expected["is_off"] is is_off and expected["foreseen"] == pytest.approx(2000 * foreseen)
    assert expected["range"][0] < 100 < expected["range"][1]


def test_nothing_that_rests_on_a_small_count_is_shown() -> None:
    given, is_a = ground(reached_in_a=0.6)
    few = np.zeros(SIZE, dtype=bool)
    few[np.flatnonzero(is_a & given.positive)[:8]] = True
    few[np.flatnonzero(is_a & ~given.positive)[:300]] = True
    line = line_of(given, few, ~few)
    assert all(value == [None, None, None] for value in line["figures"].values())
    assert (line["recall"], line["expected"], line["is_uneven"]) == (None, None, False)
    rare, _ = ground(reached_in_a=0.05)
    assert line_of(rare, is_a, ~is_a)["figures"]["recall"] == [None, None, None], "five finds could be counted back"


def test_without_anybody_else_there_is_nothing_to_be_even_with() -> None:
    given, is_a = ground(reached_in_a=0.6)
    line = line_of(given, is_a, np.zeros(SIZE, dtype=bool))
    assert line["figures"]["recall_ratio"] == [None, None, None] and line["is_uneven"] is False

"""What raises the registrations of every difficulty alike is being seen; cases it brought about count less in learning."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.features.catalogue import Catalogue, read_catalogue
from kodomo.judgement.being_seen import AT_MOST, evened, family_columns, seen_alike
from kodomo.judgement.boosting import TrainingSet
from kodomo.judgement.learners.leak_gates import rank_auroc
from kodomo.judgement.learners.linear import ridge_path

CODES = ("age_months", "one_adult", "rearing_allowance", "special_class", "registered_now")
ONE_ADULT, ALLOWANCE = 1, 2
ROWS = 4_000


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(SHIPPED_MUNICIPALITIES / "hinata")


def city(catalogue: Catalogue, types: int = 5, seed: int = 3) -> tuple[Any, list[tuple[Any, TrainingSet]], list[Any]]:
    """Every type has a symptom of its own and comes alike in every family, but for the first, which the allowance's
    families have more often; of the children of one adult five times as many are registered.
    """
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(ROWS, len(CODES)))
    x[:, ONE_ADULT] = generator.random(ROWS) < 0.2
    x[:, ALLOWANCE] = generator.random(ROWS) < 0.2
    known, hidden = [], []
    for n in range(types):
        symptom = generator.normal(size=ROWS)
        cause = -2.5 + 1.5 * symptom + (1.5 * x[:, ALLOWANCE] if n == 0 else 0.0)
        difficult = generator.random(ROWS) < 1 / (1 + np.exp(-cause))
        y = (difficult & (generator.random(ROWS) < np.where(x[:, ONE_ADULT] > 0, 0.75, 0.15))) + 0.0
        names = np.array([f"h{row}" for row in range(ROWS)], dtype=object)
        values = np.column_stack([x[:, ONE_ADULT], symptom])
        known.append((np.arange(ROWS), TrainingSet(values, y, np.ones(ROWS), names, ("one_adult", "own"), (0, 0))))
        hidden.append(difficult)
    past = SimpleNamespace(codes=CODES, values=x, catalogue=catalogue, cohort=range(ROWS))
    return past, known, hidden


def test_family_indicators_are_contacts_and_the_household_lawful_and_not_made_by_recognition(
    catalogue: Catalogue,
) -> None:
    found = family_columns(catalogue, CODES, lambda item: True)
    assert [CODES[n] for n in found] == ["one_adult", "rearing_allowance"]
    assert family_columns(catalogue, CODES, lambda item: item != "child_rearing_allowance") == (ONE_ADULT,)


def test_what_all_types_share_is_being_seen_and_what_one_type_has_is_not(catalogue: Catalogue) -> None:
    past, known, _ = city(catalogue)
    seen = seen_alike(past, known, lambda item: True, seed=1)
    by = [np.subtract(*(seen[past.values[:, n] == has].mean() for has in (1, 0))) for n in (ONE_ADULT, ALLOWANCE)]
    assert by[0] > 1.0
    assert abs(by[1]) < 0.3


def test_a_few_types_show_nothing_they_all_share(catalogue: Catalogue) -> None:
    past, known, _ = city(catalogue, types=4)
    assert not seen_alike(past, known, lambda item: True, seed=1).any()


def test_cases_count_as_much_in_all_and_the_unlabelled_as_before(catalogue: Catalogue) -> None:
    past, known, _ = city(catalogue)
    data, is_case = known[0][1], known[0][1].y > 0
    after = evened(data, seen_alike(past, known, lambda item: True, seed=1))
    assert after.weight[is_case].sum() == pytest.approx(data.weight[is_case].sum(), rel=0.02)
    assert (after.weight[~is_case] == data.weight[~is_case]).all()
    alone = data.values[:, 0] > 0
    assert after.weight[is_case & alone].mean() < 0.8 < 1.2 < after.weight[is_case & ~alone].mean()
    extreme = evened(data, np.where(alone, 40.0, 0.0))
    assert extreme.weight[is_case].max() <= AT_MOST and extreme.weight[is_case].min() >= 1 / AT_MOST


def test_the_unregistered_in_difficulty_rank_higher(catalogue: Catalogue) -> None:
    past, known, hidden = city(catalogue)
    seen = seen_alike(past, known, lambda item: True, seed=1)
    gains = []
    for (_, data), difficult in zip(known, hidden, strict=True):
        unregistered = data.y == 0
        areas = []
        for one in (data, evened(data, seen)):
            line = ridge_path(one.values, one.y, np.array([1e-3]), weight=one.weight)[0]
            areas.append(rank_auroc(line.logits(one.values)[unregistered], difficult[unregistered] + 0.0))
        gains.append(areas[1] - areas[0])
    assert min(gains) > 0.01

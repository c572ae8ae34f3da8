"""Similar past cases: like ones first, never one's own household, and nothing where hardly any case is known."""

from __future__ import annotations

import numpy as np

from kodomo.judgement.learners.cross_fit import cross_fit, make_folds
from kodomo.judgement.learners.similar_cases import SimilarCases, SimilarModel
from kodomo.judgement.nearest import NEAREST, nearest_cases


def town(seed: int = 3):  # type: ignore[no-untyped-def]
    """Two ways into difficulty: through the first column or through the second; the third says nothing."""
    generator = np.random.default_rng(seed)
    x = generator.normal(0, 1, (900, 3))
    way = np.where(x[:, 0] > 1.2, 1, np.where(x[:, 1] > 1.2, 2, 0))
    y = ((way > 0) & (generator.random(900) < 0.9)).astype(float)
    group = np.array([f"h{n // 2}" for n in range(900)], dtype=object)
    models = cross_fit(SimilarCases(), x, y, make_folds(y, group, seed=1), seed=1)
    return x, way, y, group, models


def test_a_child_is_told_of_cases_that_came_the_same_way() -> None:
    x, way, y, group, models = town()
    past = np.flatnonzero(y > 0)
    children = np.flatnonzero((way == 1) & (x[:, 1] < 0))[:30]
    found = nearest_cases(models, x, children, past, group)
    same = [np.mean(way[others] == 1) for others in found]
    share = np.mean(way[past] == 1)
    assert np.mean(same) > share + 0.25, (np.mean(same), share)
    assert all(len(others) == NEAREST and len(set(others)) == NEAREST for others in found)


def test_no_child_is_told_of_its_own_household() -> None:
    x, _, y, group, models = town()
    past = np.flatnonzero(y > 0)
    for child, others in zip(past, nearest_cases(models, x, past, past, group), strict=True):
        assert group[child] not in set(group[others])
    few = past[:3]
    assert all(len(others) <= 2 for others in nearest_cases(models, x, few, few, group))


def test_a_row_is_nearest_to_itself_and_distances_are_the_same_both_ways() -> None:
    x, _, _, _, models = town()
    model = models.models[0]
    assert isinstance(model, SimilarModel)
    there, back = model.distances(x[:40], x[:50]), model.distances(x[:50], x[:40])
    assert (there[:, :40].argmin(axis=1) == np.arange(40)).all()
    assert np.allclose(there, back.T, atol=1e-4)

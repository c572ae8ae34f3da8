"""A tree's parts read from its table: LightGBM's own to rounding, gaps and repeated columns included."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from kodomo.judgement.tree_parts import Array, read_tables

COLUMNS = 6


def table(rows: int = 900) -> tuple[Array, Array]:
    """Columns with gaps, with zeros and with few values; the outcome follows the same column at two cuts."""
    draw = np.random.default_rng(3)
    x = np.round(draw.normal(size=(rows, COLUMNS)), 1)
    x[:, 4] = draw.integers(0, 2, rows)
    for n in (0, 3):
        x[draw.random(rows) < 0.3, n] = np.nan
    drive = np.nan_to_num(x[:, 0]) ** 2 + x[:, 1] * x[:, 4] - np.isnan(x[:, 3])
    return x, (drive + draw.normal(size=rows) > 0.5).astype(np.float64)


def grown(x: Array, y: Array, **more: Any) -> lgb.Booster:
    settings = {"objective": "binary", "num_leaves": 8, "seed": 1, "num_threads": 1, "verbosity": -1, **more}
    return lgb.train(settings, lgb.Dataset(x, label=y), num_boost_round=30)


@pytest.mark.parametrize("settings", [{}, {"max_depth": 2}, {"use_missing": False}, {"min_data_in_leaf": 400}])
def test_the_tables_say_what_lightgbm_says_of_rows_it_never_saw(settings: dict[str, Any]) -> None:
    x, y = table()
    model = grown(x[:600], y[:600], **settings)
    tables = read_tables(model.model_to_string(), COLUMNS)
    assert tables is not None
    parts = tables.of(x[600:])
    assert np.abs(parts - np.asarray(model.predict(x[600:], pred_contrib=True))).max() < 1e-12
    assert np.abs(parts.sum(axis=1) - np.asarray(model.predict(x[600:], raw_score=True))).max() < 1e-12
    assert np.abs(parts[:, :-1]).max() > 0.1 or "min_data_in_leaf" in settings


@pytest.mark.parametrize("settings", [{"num_leaves": 31}, {"zero_as_missing": True}, {"categorical_feature": [4]}])
def test_what_a_table_cannot_answer_is_left_to_lightgbm(settings: dict[str, Any]) -> None:
    x, y = table()
    model = grown(np.nan_to_num(x) if "categorical_feature" in settings else x, y, **settings)
    assert read_tables(model.model_to_string(), COLUMNS) is None

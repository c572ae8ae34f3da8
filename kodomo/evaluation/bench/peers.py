"""Well-known methods to compare with, each with the settings stated, where their package is installed (analysis side)."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kodomo.judgement.learners.cross_fit import Array

Peer = Callable[[Array, Array, Array, int], Array]
"""Training rows, their outcome, new rows, seed → rates of the new rows. NaN: not known."""


def lightgbm_default(x: Array, y: Array, new: Array, seed: int) -> Array:
    """LightGBM as it comes."""
    import lightgbm as lgb

    model = lgb.LGBMClassifier(n_jobs=1, verbosity=-1, random_state=seed)
    return np.asarray(model.fit(x, y).predict_proba(new)[:, 1])


def lightgbm_tuned(x: Array, y: Array, new: Array, seed: int) -> Array:
    """LightGBM with settings for few cases: 8 leaves, 300 rounds of .03, 40 % of the columns a tree, lambda 5."""
    import lightgbm as lgb

    model = lgb.LGBMClassifier(
        num_leaves=8, n_estimators=300, learning_rate=0.03, colsample_bytree=0.4, reg_lambda=5.0,
        n_jobs=1, verbosity=-1, random_state=seed,
    )  # fmt: skip
    return np.asarray(model.fit(x, y).predict_proba(new)[:, 1])


def xgboost(x: Array, y: Array, new: Array, seed: int) -> Array:
    """XGBoost: depth 3, 300 rounds of .03, 80 % of the rows and half of the columns a tree."""
    import xgboost as xgb

    model = xgb.XGBClassifier(
        max_depth=3, n_estimators=300, learning_rate=0.03, subsample=0.8, colsample_bytree=0.5,
        n_jobs=1, random_state=seed,
    )  # fmt: skip
    return np.asarray(model.fit(x, y).predict_proba(new)[:, 1], dtype=np.float64)


def logistic_regression(x: Array, y: Array, new: Array, seed: int) -> Array:
    """scikit-learn's logistic regression, L2 chosen by cross-validation; means and indicators for gaps."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.preprocessing import StandardScaler

    means, gaps = np.nan_to_num(np.nanmean(x, axis=0)), np.flatnonzero(np.isnan(x).any(axis=0))
    scaler = StandardScaler().fit(_filled(x, means, gaps))
    model = LogisticRegressionCV(
        Cs=10,
        cv=4,
        scoring="neg_log_loss",
        max_iter=500,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
        random_state=seed,
    )
    model.fit(scaler.transform(_filled(x, means, gaps)), y)
    return np.asarray(model.predict_proba(scaler.transform(_filled(new, means, gaps)))[:, 1])


def _filled(x: Array, means: Array, gaps: NDArray[np.intp]) -> Array:
    return np.column_stack([np.where(np.isnan(x), means, x), np.isnan(x[:, gaps])])


def ebm(x: Array, y: Array, new: Array, seed: int) -> Array:
    """InterpretML's explainable boosting machine as it comes."""
    from interpret.glassbox import ExplainableBoostingClassifier

    with warnings.catch_warnings():
        # It warns of every gap in the table that its plots do not show gaps; nothing is plotted here.
        warnings.simplefilter("ignore", UserWarning)
        model = ExplainableBoostingClassifier(n_jobs=1, random_state=seed).fit(x, y)
    return np.asarray(model.predict_proba(new)[:, 1])


PEERS: dict[str, tuple[Peer, str]] = {
    "lightgbm_default": (lightgbm_default, "lightgbm"),
    "lightgbm_tuned": (lightgbm_tuned, "lightgbm"),
    "xgboost": (xgboost, "xgboost"),
    "logistic_regression": (logistic_regression, "sklearn"),
    "ebm": (ebm, "interpret"),
}
"""Name → function and the package it needs."""


def installed_peers() -> tuple[list[str], list[str]]:
    """Peers whose package is installed, and the others."""
    there = [name for name, (_, package) in PEERS.items() if importlib.util.find_spec(package) is not None]
    return there, [name for name in PEERS if name not in there]

"""Gradient boosting per difficulty type, learned from what the city has recognised so far (analysis side).

Few cases, and the rest unlabelled rather than negative: so each model is an average of bags, each bag
all cases against a draw of the unlabelled (Mordelet & Vert 2014, bagging for positive-unlabelled
learning), with small trees, strong shrinkage and effects held to their known sign. A child is always
scored by models that never saw its household (cross-fitting), so nobody's score is their own label.
The same rows, settings and seed give the same models to the byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from kodomo.judgement.learners.boosting import TABLE
from kodomo.judgement.tree_parts import read_tables

Array = NDArray[np.float64]

WORKERS = 2
"""Bags are fitted side by side, each on one thread: the result then depends on no machine's core count."""
SCENARIO_COLUMN = "scenario_points"
"""The column that holds the sum of the staff's points."""
FOLDS = 4
BAGS = 8
ROUNDS = 80
UNLABELLED_PER_CASE = 20
UNLABELLED_AT_LEAST = 600
UNLABELLED_AT_MOST = 40_000
"""Beyond 200 cases a bag of 4,000 held too few of the others to rank by: average precision of boosting .379 against .391
in a city of 113,000 with up to 1,300 known cases of a type, children found among the first 2 % 973 against 1,001 (measured)."""
ROWS_WORTH_TABLES = 600
"""Making the tables of a model's trees takes as long as LightGBM takes for so many rows (measured)."""
OTHERWISE = 0.3
"""Children recognised in another difficulty weigh so much beside the other unlabelled ones.

They are seen as the cases are: what tells these from them is the difficulty (a test-negative design, Jackson & Nelson 2013).
A share of one cost a city of 25,000 .005 AUROC.
"""

SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.1,
    "feature_fraction": 0.4,
    "lambda_l2": 5.0,
    "min_data_in_leaf": 10,
    "max_bin": 63,
    "monotone_constraints_method": "basic",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Small-data settings: untuned defaults cost .035 AUROC on tables of this size (measured)."""


@dataclass(frozen=True)
class TrainingSet:
    """Rows to learn from.

    ``y`` is 1 for a known case, 0 for unlabelled; ``weight`` of each row; ``group`` the household that stays
    on one side of every split; ``offset`` a log-odds every row starts from (the type's, when types are pooled).
    """

    values: Array
    y: Array
    weight: Array
    group: NDArray[np.object_]
    columns: tuple[str, ...]
    signs: tuple[int, ...]
    offset: Array = field(default_factory=lambda: np.zeros(0))
    otherwise: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """Unlabelled rows of children recognised in another difficulty; empty where nobody is told apart by that."""

    @property
    def cases(self) -> int:
        """Households cannot count twice: how many distinct groups hold a case."""
        return len(set(self.group[self.y > 0]))

    def take(self, rows: NDArray[Any]) -> TrainingSet:
        """Some of the rows."""
        offset = self.offset[rows] if len(self.offset) else self.offset
        otherwise = self.otherwise[rows] if len(self.otherwise) else self.otherwise
        return TrainingSet(
            self.values[rows],
            self.y[rows],
            self.weight[rows],
            self.group[rows],
            self.columns,
            self.signs,
            offset,
            otherwise,
        )

    def draw(self, wanted: int, generator: np.random.Generator) -> NDArray[np.intp]:
        """Rows of a draw of the unlabelled; of those recognised in another difficulty as many more."""
        rest = np.flatnonzero(self.y == 0)
        if not self.otherwise.any():
            return np.asarray(generator.choice(rest, size=min(wanted, len(rest)), replace=False))
        parts = rest[~self.otherwise[rest]], rest[self.otherwise[rest]]
        return np.concatenate([generator.choice(p, size=min(wanted, len(p)), replace=False) for p in parts])

    def beside(self, cases: NDArray[np.intp], drawn: NDArray[np.intp]) -> TrainingSet:
        """Cases beside a draw of the unlabelled, in which those recognised in another difficulty weigh what they shall."""
        part = self.take(np.sort(np.concatenate([cases, drawn])))
        if not part.otherwise.any():
            return part
        rest = (part.y == 0) & ~part.otherwise
        share = OTHERWISE * part.weight[rest].sum() / part.weight[part.otherwise].sum()
        return replace(part, weight=np.where(part.otherwise, share * part.weight, part.weight))


@dataclass(frozen=True)
class Boosted:
    """Models of one type: per fold its bags. ``models[f][b]`` never saw a household of fold ``f``."""

    models: tuple[tuple[lgb.Booster, ...], ...]
    columns: tuple[str, ...]
    seed: int

    def logits(self, values: Array, group: NDArray[np.object_], offset: Array | None = None) -> Array:
        """Mean log-odds of the bags of each row's own fold."""
        start = np.zeros(len(values)) if offset is None or not len(offset) else offset
        return start + self._by_fold(
            values,
            group,
            lambda model, part: np.asarray(model.predict(part, raw_score=True, num_threads=1)),
            np.zeros(len(values)),
        )

    def of_fold(self, fold: int, values: Array) -> Array:
        """Mean log-odds of the bags of one fold, whatever the fold of the rows: how models differ, not a score."""
        part = np.ascontiguousarray(values)
        with ThreadPoolExecutor(WORKERS) as pool:
            said = pool.map(lambda model: model.predict(part, raw_score=True, num_threads=1), self.models[fold])
            return np.asarray(np.mean(list(said), axis=0))

    def beside(self, other: Boosted) -> Boosted:
        """The bags of both, of the same columns and folds: their mean is the mean of the two."""
        bags = tuple(own + others for own, others in zip(self.models, other.models, strict=True))
        return Boosted(bags, self.columns, self.seed)

    def contributions(self, values: Array, group: NDArray[np.object_]) -> Array:
        """Exact additive parts (TreeSHAP): one column per feature and a last one for the base; rows add up to the logit."""
        return self._by_fold(values, group, _parts_of, np.zeros((len(values), len(self.columns) + 1)))

    def _by_fold(
        self, values: Array, group: NDArray[np.object_], ask: Callable[[lgb.Booster, Array], Array], answer: Array
    ) -> Array:
        folds = fold_of(group, self.seed)
        with ThreadPoolExecutor(WORKERS) as pool:
            for fold, bags in enumerate(self.models):
                rows = np.flatnonzero(folds == fold)
                if len(rows):
                    part = np.ascontiguousarray(values[rows])
                    answer[rows] = np.mean(list(pool.map(lambda model, part=part: ask(model, part), bags)), axis=0)
        return answer

    def texts(self) -> list[str]:
        """Every model as LightGBM's own readable text."""
        return [model.model_to_string() for bags in self.models for model in bags]


def _parts_of(model: lgb.Booster, values: Array) -> Array:
    """One model's parts of each row: from tables where there are rows enough to be worth making them."""
    tables = read_tables(model.model_to_string(), values.shape[1]) if len(values) >= ROWS_WORTH_TABLES else None
    if tables is None:
        return np.asarray(model.predict(values, pred_contrib=True, num_threads=1))
    return tables.of(values)


def fold_of(group: NDArray[np.object_], seed: int) -> NDArray[np.int64]:
    """The fold of each household: by its key alone, so that it is the same on every date and in every run."""
    named = {
        key: int.from_bytes(hashlib.blake2b(f"{seed}|{key}".encode(), digest_size=4).digest()) % FOLDS
        for key in set(group)
    }
    return np.array([named[key] for key in group], dtype=np.int64)


def fit_boosted(
    data: TrainingSet, *, seed: int, bags: int = BAGS, rounds: int = ROUNDS, step: Callable[[], None] | None = None
) -> Boosted:
    """Fit the bags of every fold on the rows of the other folds.

    Args:
        data: the rows; those of one household share a ``group``.
        seed: of the bags' draws and of LightGBM.
        step: called after each fold, for progress.
    """
    folds = fold_of(data.group, seed)
    fitted = []
    for fold in range(FOLDS):
        rows = np.flatnonzero(folds != fold)
        fitted.append(_fit_bags(data.take(rows), seed=seed + 1_000 * fold, bags=bags, rounds=rounds))
        if step:
            step()
    return Boosted(tuple(fitted), data.columns, seed)


def _fit_bags(data: TrainingSet, *, seed: int, bags: int, rounds: int) -> tuple[lgb.Booster, ...]:
    generator = np.random.default_rng(seed)
    cases = np.flatnonzero(data.y > 0)
    wanted = int(np.clip(UNLABELLED_PER_CASE * len(cases), UNLABELLED_AT_LEAST, UNLABELLED_AT_MOST))
    draws = [data.draw(wanted, generator) for _ in range(bags)]

    def fit(bag: int) -> lgb.Booster:
        return _fit_one(data.beside(cases, draws[bag]), seed=seed + bag, rounds=rounds)

    with ThreadPoolExecutor(WORKERS) as pool:
        return tuple(pool.map(fit, range(bags)))


def _fit_one(data: TrainingSet, *, seed: int, rounds: int) -> lgb.Booster:
    table = lgb.Dataset(
        data.values,
        label=data.y,
        weight=data.weight,
        init_score=data.offset if len(data.offset) else None,
        feature_name=list(data.columns),
        free_raw_data=True,
        params={**TABLE, "max_bin": SETTINGS["max_bin"]},
    )
    settings = {**SETTINGS, "seed": seed, "monotone_constraints": list(data.signs)}
    return lgb.train(settings, table, num_boost_round=rounds)

"""ルール発見型推論: short conjunctions that hold on children they were not proposed on (analysis side).

1. *Proposed* on one half of the rows, as the paths of small boosted trees (RuleFit, Friedman & Popescu 2008),
   at most three conditions each.
2. *Held against the other half*: support and lift floors, a score test of the difference in rates, the false
   discovery rate controlled (Benjamini & Hochberg 1995), near-duplicates dropped.
3. *Weighted on the other half*, beside a line in every column, under an L1 penalty (Tibshirani 1996).
4. Repeated on other halves; a rule's weight is the mean over all, and how often it was kept is its
   stability (Meinshausen & Bühlmann 2010).

The result is one sum of named rules and lines. Weighting rules on the rows that proposed them loses.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from kodomo.judgement.learners.boosting import TABLE
from kodomo.judgement.learners.cross_fit import Array
from kodomo.judgement.learners.linear import Line, elastic_path, strongest_penalty
from kodomo.judgement.learners.preparing import Prepared, prepare

Flags = NDArray[np.bool_]

SPLITS = 2
TREES = 120
SUPPORT_LEAST, SUPPORT_MOST = 0.004, 0.6
ROWS_LEAST = 12
LIFT_UP, LIFT_DOWN = 1.2, 0.85
FALSE_SHARE = 0.10
ALIKE = 0.9
RULES_MOST = 150
RIDGE = 0.003
PATH = np.geomspace(0.6, 0.02, 8)
LINE_SCALE = 0.4
"""Friedman & Popescu's: a line then counts as much before the penalty as a typical rule."""
ROWS_MOST = 12_000
REQUIRED_SCALE = 10.0
"""A required rule bears a tenth of the penalty of the others."""


@dataclass(frozen=True, order=True)
class Condition:
    """``low < column ≤ high``; ``with_gap`` says whether a missing value counts as meeting it."""

    column: int
    low: float
    high: float
    with_gap: bool

    def holds(self, x: Array) -> Flags:
        """Rows that meet it."""
        values = x[:, self.column]
        inside = (values > self.low) & (values <= self.high)
        return np.asarray(inside | np.isnan(values) if self.with_gap else inside)


@dataclass(frozen=True, order=True)
class Rule:
    """All conditions together, one a column."""

    conditions: tuple[Condition, ...]

    def holds(self, x: Array) -> Flags:
        """Rows the rule covers."""
        found = np.ones(len(x), dtype=bool)
        for condition in self.conditions:
            found &= condition.holds(x)
        return found


Shape = frozenset[tuple[int, str]]
"""What a rule looks at, whatever its values: columns, and from which side (``>``, ``<=`` or both)."""


def shape_of(rule: Rule) -> Shape:
    """The shape of a rule.

    >>> sorted(shape_of(Rule((Condition(0, 3.0, np.inf, False), Condition(2, -np.inf, 1.0, True)))))
    [(0, '>'), (2, '<=')]
    """
    return frozenset(
        (c.column, (">" if np.isfinite(c.low) else "") + ("<=" if np.isfinite(c.high) else "")) for c in rule.conditions
    )


@dataclass(frozen=True)
class StaffWord:
    """What people said of rules: shapes no rule may contain, rules always weighed, and rules nearly unpenalised."""

    forbidden: tuple[Shape, ...] = ()
    pinned: tuple[Rule, ...] = ()
    required: tuple[Rule, ...] = ()

    def allows(self, rule: Rule) -> bool:
        """Whether no veto covers the rule: a veto covers whatever contains its shape."""
        own = shape_of(rule)
        return not any(shape <= own for shape in self.forbidden)


@dataclass(frozen=True)
class Weighed:
    """A rule with its weight in log-odds, how often it was kept (0–1), how many rows it covers, how many are cases."""

    rule: Rule
    weight: float
    stability: float
    rows: int
    cases: int


@dataclass(frozen=True)
class RuleModel:
    """One additive model: intercept, lines in the prepared columns, and weighed rules."""

    prepared: Prepared
    intercept: float
    lines: Array
    rules: tuple[Weighed, ...]

    def logits(self, x: Array) -> Array:
        """Log-odds."""
        answer = self.intercept + LINE_SCALE * self.prepared.standard(x) @ self.lines
        for weighed in self.rules:
            answer = answer + weighed.weight * weighed.rule.holds(x)
        return np.asarray(answer)

    def contributions(self, x: Array) -> Array:
        """Parts of the log-odds: one per line, one per rule, last the intercept; rows add up to ``logits``."""
        lines = LINE_SCALE * self.prepared.standard(x) * self.lines
        rules = [w.weight * w.rule.holds(x) for w in self.rules]
        return np.column_stack([lines, *rules, np.full(len(x), self.intercept)])


@dataclass(frozen=True)
class RulePath:
    """The same rules under each penalty."""

    prepared: Prepared
    rules: tuple[Rule, ...]
    lines: tuple[tuple[float, Array, Array], ...]
    kept: Array
    coverage: NDArray[np.int64]
    cases: NDArray[np.int64]

    def path(self, x: Array) -> Array:
        """Log-odds at each penalty."""
        standard = LINE_SCALE * self.prepared.standard(x)
        covers = np.column_stack([r.holds(x) for r in self.rules]) if self.rules else np.zeros((len(x), 0))
        return np.array([intercept + standard @ line + covers @ weights for intercept, line, weights in self.lines])

    def at(self, setting: int) -> RuleModel:
        """The model at one penalty; rules without weight are left out."""
        intercept, line, weights = self.lines[setting]
        chosen = [
            Weighed(rule, float(weights[n]), float(self.kept[setting, n]), int(self.coverage[n]), int(self.cases[n]))
            for n, rule in enumerate(self.rules)
            if weights[n]
        ]
        chosen.sort(key=lambda w: (-abs(w.weight), w.rule))
        return RuleModel(self.prepared, intercept, line, tuple(chosen))


@dataclass(frozen=True)
class RuleDiscovery:
    """The learner."""

    splits: int = SPLITS
    name: str = "rule_discovery"
    staff: StaffWord = field(default=StaffWord())

    def fit(self, x: Array, y: Array, *, seed: int, weight: Array | None = None) -> RulePath:
        """Propose on one half and weigh on the other, both ways, on several halves."""
        generator = np.random.default_rng(seed)
        prepared = prepare(x)
        standard = LINE_SCALE * prepared.standard(x)
        found: list[tuple[list[Rule], list[Line]]] = []
        for split in range(self.splits):
            halves = _halves(y, generator)
            for half in (0, 1):
                first, second = np.flatnonzero(halves == half), np.flatnonzero(halves != half)
                rules = self._held(x, y, first, second, seed + 10 * split + half)
                covers = [r.holds(x[second]) for r in rules]
                # Single precision halves the time of the many passes over the rows; weights need no more.
                z = np.column_stack([standard[second], *covers]).astype(np.float32)
                own = None if weight is None else weight[second]
                top = strongest_penalty(z, y[second], own)
                # A larger column needs a smaller weight for the same effect: so a required rule is hardly penalised.
                scale = np.r_[np.ones(standard.shape[1]), [self._scale(r) for r in rules]].astype(np.float32)
                path = elastic_path(z * scale, y[second], PATH * top, ridge=RIDGE, weight=own)
                found.append((rules, [Line(one.intercept, one.weights * scale) for one in path]))
        return _merge(found, prepared, standard.shape[1], x, y)

    def _held(self, x: Array, y: Array, first: NDArray[np.intp], second: NDArray[np.intp], seed: int) -> list[Rule]:
        proposed = [rule for rule in _propose(x[first], y[first], seed) if self.staff.allows(rule)]
        held = _not_alike(*_hold(proposed, x[second], y[second]))
        kept = [rule for rule in (*self.staff.required, *self.staff.pinned) if self.staff.allows(rule)]
        return [*dict.fromkeys([*kept, *held])]

    def _scale(self, rule: Rule) -> float:
        return REQUIRED_SCALE if rule in self.staff.required else 1.0


def _halves(y: Array, generator: np.random.Generator) -> NDArray[np.int64]:
    halves = np.zeros(len(y), dtype=np.int64)
    for value in (0, 1):
        rows = generator.permutation(np.flatnonzero((y > 0) == bool(value)))
        halves[rows[: len(rows) // 2]] = 1
    return halves


def _propose(x: Array, y: Array, seed: int) -> list[Rule]:
    """Paths of small trees, each grown on what the ones before left over, on part of rows and columns."""
    if len(y) > ROWS_MOST:
        chosen = np.random.default_rng(seed).choice(len(y), ROWS_MOST, replace=False)
        x, y = x[chosen], y[chosen]
    settings = {
        "objective": "binary", "num_leaves": 6, "max_depth": 3, "learning_rate": 0.1, "feature_fraction": 0.4,
        "bagging_fraction": 0.6, "bagging_freq": 1, "min_data_in_leaf": max(10, int(0.004 * len(y))), "lambda_l2": 3.0,
        "max_bin": 31, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1, "seed": seed,
    }  # fmt: skip
    table = lgb.Dataset(np.ascontiguousarray(x), label=y, params={**TABLE, "max_bin": 31})
    booster = lgb.train(settings, table, num_boost_round=TREES)
    rules: dict[Rule, None] = {}
    for tree in booster.dump_model()["tree_info"]:
        for rule in _paths(tree["tree_structure"]):
            rules.setdefault(rule, None)
    return list(rules)


Bounds = dict[int, tuple[float, float, bool]]


def _paths(node: dict[str, object], bounds: Bounds | None = None) -> list[Rule]:
    """Every inner node and leaf below the root is a rule."""
    bounds = bounds or {}
    own = [Rule(tuple(Condition(c, *b) for c, b in sorted(bounds.items())))] if bounds else []
    if "split_feature" not in node:
        return own
    column, edge = int(node["split_feature"]), float(node["threshold"])  # type: ignore[call-overload, arg-type]
    low, high, gap = bounds.get(column, (-np.inf, np.inf, True))
    gap_left = bool(node["default_left"]) and node["missing_type"] != "None"
    gap_right = not node["default_left"] and node["missing_type"] != "None"
    left = bounds | {column: (low, min(high, edge), gap and gap_left)}
    right = bounds | {column: (max(low, edge), high, gap and gap_right)}
    return [*own, *_paths(node["left_child"], left), *_paths(node["right_child"], right)]  # type: ignore[arg-type]


def _hold(rules: list[Rule], x: Array, y: Array) -> tuple[list[Rule], Flags, Array]:
    """Those that hold on rows they were not proposed on, strongest first: rules, their coverage, their z."""
    if not rules:
        return [], np.zeros((len(x), 0), dtype=bool), np.zeros(0)
    covers = np.column_stack([rule.holds(x) for rule in rules])
    inside, rate = covers.sum(axis=0).astype(float), float(y.mean())
    hits = y @ covers
    share = inside / len(x)
    lift = np.divide(hits, inside * rate, out=np.ones_like(hits), where=inside > 0)
    spread = np.sqrt(np.maximum(rate * (1 - rate) * inside * (1 - share), 1e-12))
    z = (hits - inside * rate) / spread
    wide = (share >= SUPPORT_LEAST) & (share <= SUPPORT_MOST) & (inside >= ROWS_LEAST)
    lifted = (lift >= LIFT_UP) | (lift <= LIFT_DOWN)
    tested = np.flatnonzero(wide)
    passed = np.zeros(len(rules), dtype=bool)
    passed[tested[_discoveries(2 * ndtr(-np.abs(z[tested])))]] = True
    kept = np.flatnonzero(passed & lifted)
    kept = kept[np.argsort(-np.abs(z[kept]), kind="stable")]
    return [rules[n] for n in kept], covers[:, kept], z[kept]


def _discoveries(p: Array) -> NDArray[np.intp]:
    """Benjamini & Hochberg: those below the largest p(k) ≤ k/m · q."""
    order = np.argsort(p, kind="stable")
    below = p[order] <= FALSE_SHARE * (np.arange(len(p)) + 1) / max(len(p), 1)
    return order[: np.flatnonzero(below)[-1] + 1] if below.any() else order[:0]


def _not_alike(rules: list[Rule], covers: Flags, z: Array) -> list[Rule]:
    """Drop a rule that covers nearly the same rows as a stronger one (Jaccard), or nearly all the others."""
    kept: list[int] = []
    packed = covers.astype(np.float32)
    size = packed.sum(axis=0)
    for n in range(len(rules)):
        if kept:
            both = packed[:, kept].T @ packed[:, n]
            if (both / (size[kept] + size[n] - both)).max() >= ALIKE:
                continue
        kept.append(n)
        if len(kept) == RULES_MOST:
            break
    return [rules[n] for n in kept]


def _merge(found: list[tuple[list[Rule], list[Line]]], prepared: Prepared, lines: int, x: Array, y: Array) -> RulePath:
    """The mean of all parts is again one sum over rules and lines."""
    everything = sorted({rule for rules, _ in found for rule in rules})
    place = {rule: n for n, rule in enumerate(everything)}
    settings, parts = len(PATH), len(found)
    weights, kept = np.zeros((settings, len(everything))), np.zeros((settings, len(everything)))
    line, intercept = np.zeros((settings, lines)), np.zeros(settings)
    for rules, path in found:
        columns = [place[r] for r in rules]
        for n, one in enumerate(path):
            intercept[n] += one.intercept / parts
            line[n] += one.weights[:lines] / parts
            weights[n, columns] += one.weights[lines:] / parts
            kept[n, columns] += (one.weights[lines:] != 0) / parts
    covers = np.array([r.holds(x) for r in everything], dtype=bool).reshape(len(everything), len(x))
    return RulePath(
        prepared,
        tuple(everything),
        tuple((float(intercept[n]), line[n], weights[n]) for n in range(settings)),
        kept,
        covers.sum(axis=1),
        (covers & (y > 0)).sum(axis=1),
    )

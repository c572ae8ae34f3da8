"""What is learned from known cases: rows, models and calibration per difficulty type (analysis side).

Two kinds of case rows. *Onset*: a child on a past date, with what was known then, whose case began within
the horizon after it. *Standing*: a child on a date, past or today, on which its case stood. Onsets show what precedes
recognition but are few; standing cases are many but may show what support did. A case that is over shows nothing
any more: taken for one today it cost .015 AUROC and a tenth of the average precision (measured on a stranger's city,
whose ended registrations stay in its register), so it is only where there are few others. ``Plan.rows`` says which
are used.
Either way everything made by recognition itself (``is_label_trace``, items of labels) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kodomo.features.catalogue import Catalogue
from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.being_seen import FEWEST_TYPES, evened, seen_alike
from kodomo.judgement.boosting import (
    FOLDS,
    SCENARIO_COLUMN,
    Array,
    Boosted,
    TrainingSet,
    fit_boosted,
    fold_of,
)
from kodomo.judgement.combine import Combination, mean_of, model_weight
from kodomo.judgement.feedback import Reviewed
from kodomo.judgement.labels import Cases, Labels, mark
from kodomo.judgement.learners.calibration import Platt, fit_platt
from kodomo.judgement.learners.cross_fit import CrossFitted
from kodomo.judgement.learners.leak_gates import (
    auroc_difference,
    rank_auroc,
    split_groups,
    suspicious_columns,
    telling_gaps,
    time_gap,
)
from kodomo.judgement.learners.rule_discovery import StaffWord
from kodomo.judgement.methods import Checked, Fitted, Outcome, check, fit_others, near_the_best, outcome_for, speaks
from kodomo.judgement.ranges import Rates, Sway, fit_rates, fit_sway, rows_to_measure
from kodomo.judgement.scenarios import Scenarios, judge_scenario
from kodomo.judgement.staff_rules import TypeRules
from kodomo.terms import DifficultyType, Method

OWN_MODEL_FROM = 50
POOLED_FROM = 20
"""Households with a case; of fewer nothing is learned, for it would describe them. From ten on the mean average precision
over all types would be higher by .005 and .008 (two cities of our own)."""
GAP_CASES = 10
"""Later registrations that there must be on either side before a difference between past dates says anything."""
POOL_ROWS_PER_TYPE = 6_000
CALIBRATE_TO_MONTHS = 12
POINTS_TELL_FROM = 0.53
"""Points that rank known cases no better than this (AUROC), one error allowed for, tell nothing of a type: then what was
learned stands alone.

Such a table was written for another city's data: of 発達障がい it ranked .52, and a third of it cost what learning had found.
With fifty cases .51 may as well be .60: leaving such points out cost .04 AUROC in two cities (measured).
"""
WHO_HAS_IT = 0.5
"""Of a difficulty that lasts, what was learned spreads at least so far beside the points as those who have it lie apart.

By those registered next alone it may not spread at all: they are of the age at which a city registers, and in a stranger's
city of 113,000 learning ranked them below chance, those in difficulty unregistered .73 (points: .56).
"""
LEAST_REACHED = 0.2
"""At ages with less than this share of the rate of the age with most cases, registration does not reach children."""
LEVEL_ONLY = 1e-3
"""Spread of a slope that leaves it where it is: only the level moves."""
WHOLE_MODEL = "(学習の全体)"
SPLIT_HOUSEHOLDS = "(学習と検証の両方にいる世帯)"
FEW_LEAKS = 3
"""So many data items that know the cases are another office's word of the same decision (a certificate beside the service
it entitles to): they are left out. More of them mean that the data themselves were mixed up, and stop the learning."""


@dataclass(frozen=True)
class Plan:
    """How to learn: horizon in months, which case rows, and the seed."""

    horizon_months: int
    rows: str = "both"
    seed: int = 20260401
    bags: int = 8
    rounds: int = 80


@dataclass(frozen=True)
class TypeModel:
    """What was learned for one type."""

    type: DifficultyType
    boosted: Boosted
    platt: Platt
    columns: tuple[str, ...]
    is_pooled: bool
    offset: float
    cases: int
    slope: float = 1.0
    level: float = 0.0
    """The combined log-odds times ``slope`` and ``level`` added: then it is that of registrations within twelve months."""
    boosting_speaks: bool = True
    others: tuple[Fitted, ...] = ()
    """Rules and similar cases, those that have anything to say."""
    counting: frozenset[Method] = frozenset()
    """The methods whose mean enters the combined score: those that speak, and rank near the best of them."""
    weight: float = 0.0
    """How much the learned methods weigh beside the scenario; 0 where they do not rank as well as it does."""
    gap: float | None = None
    """AUROC on the latest past date less that on those before, where further apart than chance: a leak's mark."""
    checks: dict[str, Checked] = field(default_factory=dict)
    """Each method, the scenario and the combination on rows not fitted on, by name."""
    rates: Rates | None = None
    """How sure the rate at every height is; None where the store is too young for a past date, or has too few cases."""
    sway: Sway | None = None
    """How far a child's own place depends on which cases were known; None where nothing learned moves it."""

    def combined(self, scenario: Array, said: Mapping[Method, Array], apart: Array | float = 0.0) -> Combination:
        """The points and what the learned methods said, as this model weighs and calibrates them."""
        return Combination(scenario, said, self.weight, self.level, self.counting, self.slope, apart)


@dataclass
class Learned:
    """All models, and why a type has none."""

    models: dict[DifficultyType, TypeModel] = field(default_factory=dict)
    cases: dict[DifficultyType, int] = field(default_factory=dict)
    without: dict[DifficultyType, str] = field(default_factory=dict)
    stopped: dict[DifficultyType, list[tuple[str, float]]] = field(default_factory=dict)
    left_out: dict[DifficultyType, list[tuple[str, float]]] = field(default_factory=dict)
    """Columns that know the cases, without which a type learned."""
    gaps: dict[DifficultyType, list[tuple[str, float]]] = field(default_factory=dict)
    """Columns that rank a type's cases by being filled or empty alone: learned from, and listed."""


@dataclass(frozen=True)
class TypeRows:
    """One type's rows: what is learned from, which lie on past dates on which nobody had recognised the child, and which
    were registered within the horizon.
    """

    type: DifficultyType
    training: TrainingSet
    is_past: NDArray[np.bool_]
    registered_after: Array
    date: NDArray[np.datetime64]
    """Of each row."""
    once: NDArray[np.bool_] | None = None
    """Of a child that is a case on several dates, the row alone on which it weighs most, the latest of equals."""
    place: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    """Of each row, where it stands among the indicators."""
    lasts: bool = False
    """Whether cases of the type last as long as nobody says otherwise."""

    @property
    def outcome(self) -> Outcome:
        """What scores are held against."""
        return outcome_for(self.registered_after, self.training, self.is_past, lasts=self.lasts)


def learn(
    past: FeatureMatrix,
    cases: Cases,
    labels: Labels,
    scenarios: Scenarios,
    types: tuple[DifficultyType, ...],
    plan: Plan,
    group: Mapping[str, str],
    *,
    allows: Callable[[str], bool] = lambda item: True,
    held_out: Collection[str] = (),
    reviewed: Reviewed | None = None,
    staff_rules: Mapping[DifficultyType, TypeRules] | None = None,
    history_months: int = 0,
    step: Callable[[], None] | None = None,
) -> Learned:
    """Fit a model for every type that has enough known cases.

    Reads only its arguments. Never uses an indicator made by recognition, an item without a legal
    basis for learning, or a case that the caller has not yet let it know.

    Args:
        past: indicators on the past dates and on the day of learning itself (the latest).
        cases: known cases, already cut to what was known on the day of learning.
        group: child to household, the same for all dates, so that no household is on both sides of a split.
        allows: whether an item may be learned from.
        held_out: children nothing is learned from nor calibrated on: those of the audit draws.
        reviewed: children people looked at without finding a difficulty.
        staff_rules: what people said of rules, by type.
        history_months: months of store until the day of learning; 0 where dates count alike however much was known.
        step: called as models are done, for progress.
    """
    learned = Learned()
    sets: dict[DifficultyType, TypeRows] = {}
    for kind in types:
        unlabelled_weight = np.ones(len(past.cohort)) if reviewed is None else reviewed.weights(past.cohort, kind)
        columns = learnable(past.catalogue, labels, kind, allows)
        data = training_set(
            past, cases, scenarios, kind, columns, plan, group, held_out, unlabelled_weight, history_months
        )
        learned.cases[kind] = data.training.cases
        leaks = _leaks(data, plan.seed)
        is_split = bool(leaks) and leaks[0][0] == SPLIT_HOUSEHOLDS
        if leaks and not is_split and len(_told_by(leaks, past.catalogue)) <= FEW_LEAKS:
            learned.left_out[kind] = leaks
            columns = _without(columns, leaks, past.catalogue)
            data = training_set(
                past, cases, scenarios, kind, columns, plan, group, held_out, unlabelled_weight, history_months
            )
            leaks = _leaks(data, plan.seed)
        if leaks:
            learned.stopped[kind] = leaks
            learned.without[kind] = "漏れの疑いのある指標があるため学習を止めた"
        elif data.training.cases < POOLED_FROM:
            learned.without[kind] = f"把握事例が {POOLED_FROM} 件に満たない"
        sets[kind] = data
        learned.gaps[kind] = [
            (data.training.columns[one.column], one.figure)
            for one in telling_gaps(data.training.values, data.training.y)
        ]
    enough = [k for k in types if k not in learned.without and learned.cases[k] >= OWN_MODEL_FROM]
    seen = seen_alike(past, [(sets[k].place, sets[k].training) for k in enough], allows, plan.seed)
    sets = {k: replace(one, training=evened(one.training, seen[one.place])) for k, one in sets.items()}
    if len(enough) >= FEWEST_TYPES:
        sets = {k: replace(one, training=_told_apart(k, sets, len(past.cohort))) for k, one in sets.items()}
    pool = [k for k in types if k not in learned.without and learned.cases[k] < OWN_MODEL_FROM]
    for kind in types:
        if kind not in learned.without and kind not in pool:
            word = (staff_rules or {}).get(kind, TypeRules()).word(sets[kind].training.columns)
            learned.models[kind] = own_model(kind, sets[kind], scenarios, plan, word, step)
    if pool:
        usable = {k: s for k, s in sets.items() if k not in learned.stopped}
        learned.models |= _pooled_models(pool, usable, scenarios, plan, step)
    for kind, model in list(learned.models.items()):
        if model.gap is not None:
            learned.stopped[kind] = [(WHOLE_MODEL, model.gap)]
            learned.without[kind] = "最後の基準日だけ当たり方が違い、漏れの疑いがあるため使わない"
            del learned.models[kind]
    return learned


def _told_apart(kind: DifficultyType, sets: Mapping[DifficultyType, TypeRows], length: int) -> TrainingSet:
    """A type's rows, and which of the unlabelled are recognised in another difficulty."""
    known = np.zeros(length, dtype=bool)
    for other, data in sets.items():
        if other is not kind:
            known[data.place[data.training.y > 0]] = True
    own = sets[kind]
    return replace(own.training, otherwise=known[own.place] & (own.training.y == 0))


def _leaks(data: TypeRows, seed: int) -> list[tuple[str, float]]:
    """Columns that fail a gate, with the figure; the staff's points may know cases as well as they like.

    A household on both sides of a split fails them all: its members' labels would tell of each other.
    """
    split = split_groups(fold_of(data.training.group, seed), data.training.group)
    if split:
        return [(SPLIT_HOUSEHOLDS, float(split))]
    names = data.training.columns
    failed = suspicious_columns(data.training.values, data.training.y, data.date)
    return [(names[one.column], one.figure) for one in failed if names[one.column] != SCENARIO_COLUMN]


def _told_by(leaks: list[tuple[str, float]], catalogue: Catalogue) -> set[tuple[str, str]]:
    """Whose data items the leaking columns look at: several windows of one item are one leak."""
    return {(catalogue[code].whose, item) for code, _ in leaks for item in catalogue[code].items}


def _without(columns: tuple[str, ...], leaks: list[tuple[str, float]], catalogue: Catalogue) -> tuple[str, ...]:
    """The columns less those that leak, and less what else the same items say of the same people."""
    known = _told_by(leaks, catalogue)
    return tuple(
        code for code in columns if not {(catalogue[code].whose, item) for item in catalogue[code].items} & known
    )


def learnable(
    catalogue: Catalogue, labels: Labels, kind: DifficultyType, allows: Callable[[str], bool]
) -> tuple[str, ...]:
    """Indicators a type may learn from: its own, lawful, and none that recognition itself made."""
    return tuple(
        i.code
        for i in catalogue.indicators
        if kind in i.types
        and not i.is_label_trace
        and not set(i.items) & labels.items_of(kind)
        and all(allows(item) for item in i.items)
    )


def training_set(
    past: FeatureMatrix,
    cases: Cases,
    scenarios: Scenarios,
    kind: DifficultyType,
    columns: tuple[str, ...],
    plan: Plan,
    group: Mapping[str, str],
    held_out: Collection[str] = (),
    unlabelled_weight: Array | None = None,
    history_months: int = 0,
) -> TypeRows:
    """Rows of one type: cases, and the unlabelled of the same dates, each with the weight given for its row (or 1),
    less where the staff's points speak for a case (``no_case``).

    Those already recognised are left out, and those held out.
    """
    scenario = judge_scenario(kind, scenarios, past)
    marks = mark(cases, kind, past.cohort, plan.horizon_months)
    today = past.cohort.as_of == past.cohort.as_of.max()
    case = np.zeros(len(past.cohort))
    # Recognised by then, whether or not the news had come: neither what precedes recognition nor without a case.
    recognised = (marks.already > 0) | (marks.pending > 0)
    if plan.rows in ("onset", "both"):
        case = np.where(~today & ~recognised, marks.onset, case)
    if plan.rows in ("standing", "both"):
        case = np.where(today | (plan.rows == "both"), np.maximum(marks.standing, case), case)
        households = {group.get(key, key) for key in past.cohort.child_key[case > 0]}
        if len(households) < OWN_MODEL_FROM:
            # Few cases teach more than what those that are over teach wrongly.
            case = np.where(today, np.maximum(marks.already, case), case)
    # Today's unlabelled rows have no outcome yet; they stand only beside standing cases.
    unlabelled = ~recognised & (marks.onset == 0) & (today if plan.rows == "standing" else np.True_)
    if plan.rows == "onset":
        unlabelled &= ~today
    # With their households, as on every other split.
    apart = {group.get(key, key) for key in held_out}
    seen = np.array([group.get(key, key) not in apart for key in past.cohort.child_key], dtype=bool)
    asked = scenario.applicable & seen
    if not cases.lasts(kind):
        unlabelled &= reached(past.cohort.band, asked & (case > 0), asked & ((case > 0) | unlabelled))
    rows = np.flatnonzero(asked & ((case > 0) | unlabelled))
    points = scenario.points_of(columns)
    values = np.column_stack([design(past, columns), points])[rows]
    given = np.ones(len(past.cohort)) if unlabelled_weight is None else unlabelled_weight
    # A child people reviewed is no longer in doubt.
    weight = np.where(given > 1, given, given * no_case(scenario.base, scenario.point_is * points))
    weight = np.where(case > 0, case, weight) * fullness(past.cohort.as_of, history_months)
    keys = past.cohort.child_key[rows]
    training = TrainingSet(
        values=values,
        y=(case[rows] > 0).astype(np.float64),
        weight=weight[rows],
        group=np.array([group.get(k, k) for k in keys], dtype=object),
        columns=(*columns, SCENARIO_COLUMN),
        signs=(*(past.catalogue[c].sign for c in columns), 1),
    )
    unrecognised = (~today & ~recognised)[rows]
    registered_after = (marks.onset[rows] >= 1).astype(np.float64)
    once = _heaviest_of_child(keys, past.cohort.as_of[rows], np.where(case > 0, weight, 0.0)[rows])
    return TypeRows(
        kind, training, unrecognised, registered_after, past.cohort.as_of[rows], once, rows, cases.lasts(kind)
    )


def reached(band: NDArray[np.str_], case: NDArray[np.bool_], row: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows are of ages that registration reaches: all but those at which next to nobody is a case.

    就学援助 is for pupils. Held against younger and older children as well, its bearers teach that who stands in a school's
    lists is poor, and the poor of five or sixteen come last: they are no examples of children who aren't. Not for what
    lasts: there the ages say when it shows (in a town of our own .07 AUROC of 発達障がい would be lost).

    Args:
        band: each row's age band.
        case: whether it is a case.
        row: whether it is a row at all.
    """
    if case.sum() < OWN_MODEL_FROM:
        return np.ones(len(band), dtype=bool)
    names = np.unique(band[row])
    rates = {name: case[band == name].sum() / row[band == name].sum() for name in names}
    least = LEAST_REACHED * max(rates.values())
    return np.isin(band, [name for name, rate in rates.items() if rate >= least])


def _heaviest_of_child(keys: NDArray[np.object_], dates: NDArray[np.datetime64], weights: Array) -> NDArray[np.bool_]:
    """Of the rows of one child that are cases (weigh anything) the one that weighs most; none of the others."""
    cases = np.flatnonzero(weights > 0)
    chosen = {keys[row]: row for row in cases[np.lexsort((dates[cases], weights[cases]))]}
    found = np.zeros(len(keys), dtype=bool)
    found[list(chosen.values())] = True
    return found


def fullness(dates: NDArray[np.datetime64], history_months: int) -> Array:
    """How much a row of each date counts beside one of the latest: the square of its share of the months stored.

    A year's sum over nine months of store is not the year's sum that children will be judged by.

    >>> fullness(np.array(["2025-03-31", "2026-03-31"], "datetime64[D]"), 24)
    array([0.25, 1.  ])
    """
    if not history_months or not len(dates):
        return np.ones(len(dates))
    month = dates.astype("datetime64[M]").astype(np.int64)
    share = (history_months - (month.max() - month)) / history_months
    return np.asarray(np.clip(share, 0.0, 1.0) ** 2)


def no_case(base: float, points: Array) -> Array:
    """How much an unlabelled row counts as one without a case: less, the more the staff's points speak for one.

    Of the unlabelled some are cases nobody has recognised, and those with many points most likely. Each counts by its
    probability of being none (Elkan & Noto 2008), that of a row without points being 1.

    Args:
        base: log-odds of a row without points.
        points: what its points add to each row's log-odds.
    """
    return np.asarray(np.minimum((1.0 + np.exp(base)) / (1.0 + np.exp(base + points)), 1.0))


def design(matrix: FeatureMatrix, columns: tuple[str, ...]) -> Array:
    """The columns a model reads, in its order."""
    place = {code: n for n, code in enumerate(matrix.codes)}
    return np.asarray(matrix.values[:, [place[c] for c in columns]])


def own_model(
    kind: DifficultyType,
    data: TypeRows,
    scenarios: Scenarios,
    plan: Plan,
    word: StaffWord = StaffWord(),  # noqa: B008 - frozen
    step: Callable[[], None] | None = None,
) -> TypeModel:
    """The model of one type from its own rows: methods fitted side by side, weighed, and how sure they are.

    Args:
        word: what staff said of rules.
        step: called after each fold of boosting.
    """
    boosted = fit_boosted(data.training, seed=plan.seed, bags=plan.bags, rounds=plan.rounds, step=step)
    others = fit_others(data.training, seed=plan.seed, staff=word, once=data.once)
    folds = fold_of(data.training.group, plan.seed)
    raw = {Method.BOOSTING: boosted.logits(data.training.values, data.training.group)}
    raw |= {method: fitted.logits_of_folds(data.training.values, folds) for method, fitted in others.items()}
    judged = _weigh(raw, data, scenarios, plan)
    sway = _sway(boosted, others, judged, data.training, plan)
    return judged.model(kind, boosted, data, judged.kept(others), sway=sway)


@dataclass(frozen=True)
class _Weighed:
    """What the known outcomes say of a type's methods."""

    platts: dict[Method, Platt]
    checks: dict[str, Checked]
    speaking: frozenset[Method]
    counting: frozenset[Method]
    weight: float
    slope: float
    level: float
    gap: float | None
    scores: Array
    """The combined log-odds of every row, as it is shown."""
    rates: Rates | None

    def kept(self, others: Mapping[Method, CrossFitted]) -> tuple[Fitted, ...]:
        """Of the methods beside boosting those that speak."""
        return tuple(
            Fitted(method, fitted, self.platts[method], self.checks[method.value])
            for method, fitted in others.items()
            if method in self.speaking
        )

    def model(
        self,
        kind: DifficultyType,
        boosted: Boosted,
        data: TypeRows,
        others: tuple[Fitted, ...] = (),
        *,
        sway: Sway | None = None,
        columns: tuple[str, ...] | None = None,
        offset: float | None = None,
    ) -> TypeModel:
        return TypeModel(
            type=kind,
            boosted=boosted,
            platt=self.platts[Method.BOOSTING],
            columns=columns or data.training.columns,
            is_pooled=columns is not None,
            offset=offset or 0.0,
            cases=data.training.cases,
            slope=self.slope,
            level=self.level,
            boosting_speaks=Method.BOOSTING in self.speaking,
            others=others,
            counting=self.counting,
            weight=self.weight,
            gap=self.gap,
            checks=self.checks,
            rates=self.rates,
            sway=sway,
        )


def _weigh(raw: Mapping[Method, Array], data: TypeRows, scenarios: Scenarios, plan: Plan) -> _Weighed:
    """Calibrate each method, find those that speak, and hold what they say together against the scenario.

    Platt on the cross-fitted log-odds of past dates against registration in the horizon; the level is then
    moved from the horizon to twelve months. Only past dates take part: today's standing cases say who was
    recognised, not how often it happens. Of a difficulty that lasts who has it has a say in how far each method
    spreads, by which they are averaged.
    """
    rows, training, outcome = data.is_past, data.training, data.outcome
    longer = float(np.log(CALIBRATE_TO_MONTHS / plan.horizon_months))
    # A store too young for any past date: ranks can be learned from standing cases, levels cannot.
    fitted = {
        method: _calibrated(logits, data, outcome) if rows.any() else Platt(1.0, 0.0) for method, logits in raw.items()
    }
    checks = {m.value: check(logits, outcome, training.group) for m, logits in raw.items()}
    speaking = frozenset(m for m in raw if speaks(fitted[m], checks[m.value]))
    scope = scenarios.scope(data.type)
    points = training.values[:, training.columns.index(SCENARIO_COLUMN)]
    scenario = _log_odds(scope.base_rate) + scenarios.point_is * points
    checks[Method.SCENARIO.value] = check(scenario, outcome, training.group)
    counting = near_the_best({m: checks[m.value] for m in raw if m in speaking})
    weight, together = 0.0, scenario
    if speaking:
        best = max(checks[m.value].auroc for m in speaking)
        points_tell = checks[Method.SCENARIO.value]
        told = (points_tell.auroc - 0.5) / (best - 0.5)
        may_tell = points_tell.auroc + points_tell.error >= POINTS_TELL_FROM
        weight = model_weight(training.cases, told) if may_tell else 1.0
        learned = mean_of({m: fitted[m](raw[m]) for m in raw if m in counting})
        together = weight * learned + (1 - weight) * scenario
        checks[Method.COMBINED.value] = check(together, outcome, training.group)
        if _points_stand(together, scenario, outcome, training.group, scenarios):
            weight, together = 0.0, scenario
    # The points speak of difficulty and are surer than registrations bear out: what is combined is calibrated anew.
    final = fit_platt(together[rows], data.registered_after[rows]) if rows.any() else Platt(1.0, 0.0)
    level = final.shift + (1 - weight * final.slope) * longer if rows.any() else 0.0
    moved = {m: Platt(p.slope, p.shift + (longer if rows.any() else 0.0)) for m, p in fitted.items()}
    scores = final(together) + (longer if rows.any() else 0.0)
    rates = fit_rates(scores[rows], data.registered_after[rows], training.group[rows], longer) if rows.any() else None
    gap = _time_gap(raw[Method.BOOSTING], data)
    return _Weighed(moved, checks, speaking, counting, weight, final.slope, level, gap, scores, rates)


def _sway(
    boosted: Boosted, others: Mapping[Method, CrossFitted], judged: _Weighed, training: TrainingSet, plan: Plan
) -> Sway | None:
    """How far places sway: what the models of every fold say of the same rows, as it enters the score."""
    if not judged.counting or not judged.weight:
        return None
    rows = rows_to_measure(judged.scores, training.y > 0, plan.seed)
    values, said = training.values[rows], []
    for fold in range(FOLDS):
        raw = {m: fitted.models[fold].logits(values) for m, fitted in others.items() if m in judged.counting}
        if Method.BOOSTING in judged.counting:
            raw[Method.BOOSTING] = boosted.of_fold(fold, values)
        learned = mean_of({method: judged.platts[method](logits) for method, logits in raw.items()})
        said.append(judged.slope * judged.weight * learned)
    return fit_sway(judged.scores[rows], said, fold_of(training.group[rows], plan.seed), training.cases)


def _calibrated(logits: Array, data: TypeRows, outcome: Outcome) -> Platt:
    """Log-odds of registration in the horizon; of a difficulty that lasts spread at least half as far as who has it tells."""
    past = data.is_past
    found = fit_platt(logits[past], data.registered_after[past])
    if not data.lasts:
        return found
    least = WHO_HAS_IT * fit_platt(logits[outcome.rows], outcome.case[outcome.rows]).slope
    if found.slope >= least:
        return found
    moved = fit_platt(least * logits[past], data.registered_after[past], slope_spread=LEVEL_ONLY)
    return Platt(moved.slope * least, moved.shift)


def _points_stand(
    together: Array, scenario: Array, outcome: Outcome, group: NDArray[np.object_], scenarios: Scenarios
) -> bool:
    """Whether the staff's points alone are used: where learning ranks below them beyond chance or, if the city asks for
    more than that, not above them beyond chance.
    """
    rows, case = outcome.rows, outcome.case
    _, low, high = auroc_difference(together[rows], scenario[rows], case[rows], group[rows])
    return low <= 0 if scenarios.must_beat_points else high < 0


def _time_gap(logits: Array, data: TypeRows) -> float | None:
    """How differently later registrations are ranked on the latest past date, where that cannot be chance."""
    if not data.is_past.any():
        return None
    latest = data.is_past & (data.date == data.date[data.is_past].max())
    before = data.is_past & ~latest
    areas = [rank_auroc(logits[rows], data.registered_after[rows]) for rows in (before, latest)]
    cases = [int(data.registered_after[rows].sum()) for rows in (before, latest)]
    if min(cases) < GAP_CASES:
        return None
    failed = time_gap(areas[0], areas[1], min(cases), int(latest.sum()) - cases[1])
    return None if failed is None else failed.figure


def _pooled_models(
    pool: list[DifficultyType],
    rows: Mapping[DifficultyType, TypeRows],
    scenarios: Scenarios,
    plan: Plan,
    step: Callable[[], None] | None,
) -> dict[DifficultyType, TypeModel]:
    """One model over all types' rows, each row starting from its own type's rate; and each type's own bags beside it.

    The pool knows troubles in general, a type's own few cases what is its alone: of six types with 21 to 45 cases the
    two together had a mean average precision of .280, the pool alone .275 (measured).
    """
    sets = {kind: data.training for kind, data in rows.items()}
    columns = tuple(sorted({c for s in sets.values() for c in s.columns}))
    signs = {c: s for data in sets.values() for c, s in zip(data.columns, data.signs, strict=True)}
    thinned = {k: _thin(sets[k], np.random.default_rng(plan.seed + n)) for n, k in enumerate(sorted(sets))}
    offsets = {k: _log_odds(float(data.y.mean())) for k, data in thinned.items()}
    parts = list(thinned.items())
    together = TrainingSet(
        values=np.concatenate([widen(data, columns) for _, data in parts]),
        y=np.concatenate([data.y for _, data in parts]),
        weight=np.concatenate([data.weight for _, data in parts]),
        group=np.concatenate([data.group for _, data in parts]),
        columns=columns,
        signs=tuple(signs[c] for c in columns),
        offset=np.concatenate([np.full(len(data.y), offsets[k]) for k, data in parts]),
    )
    boosted = fit_boosted(together, seed=plan.seed, bags=plan.bags, rounds=plan.rounds, step=step)
    models = {}
    for kind in pool:
        wide = replace(
            sets[kind],
            values=widen(sets[kind], columns),
            columns=columns,
            signs=together.signs,
            offset=np.full(len(sets[kind].y), offsets[kind]),
        )
        both = boosted.beside(fit_boosted(wide, seed=plan.seed, bags=plan.bags, rounds=plan.rounds))
        others = fit_others(wide, seed=plan.seed, once=rows[kind].once, methods=(Method.LINE,))
        folds = fold_of(wide.group, plan.seed)
        raw = {Method.BOOSTING: both.logits(wide.values, wide.group) + offsets[kind]}
        raw |= {method: fitted.logits_of_folds(wide.values, folds) for method, fitted in others.items()}
        judged = _weigh(raw, rows[kind], scenarios, plan)
        sway = _sway(both, others, judged, wide, plan)
        models[kind] = judged.model(
            kind, both, rows[kind], judged.kept(others), sway=sway, columns=columns, offset=offsets[kind]
        )
    return models


def widen(data: TrainingSet, columns: tuple[str, ...]) -> Array:
    """The rows with all of the pool's columns; what a type does not look at is missing."""
    values = np.full((len(data.values), len(columns)), np.nan)
    place = {c: n for n, c in enumerate(columns)}
    for n, name in enumerate(data.columns):
        values[:, place[name]] = data.values[:, n]
    return values


def _thin(data: TrainingSet, generator: np.random.Generator) -> TrainingSet:
    rest = np.flatnonzero(data.y == 0)
    if len(rest) <= POOL_ROWS_PER_TYPE:
        return data
    kept = generator.choice(rest, size=POOL_ROWS_PER_TYPE, replace=False)
    return data.take(np.sort(np.concatenate([np.flatnonzero(data.y > 0), kept])))


def household_groups(past: FeatureMatrix) -> dict[str, str]:
    """Each child's household on its latest date: one answer for all dates."""
    order = np.argsort(past.cohort.as_of, kind="stable")
    groups: NDArray[np.object_] = past.cohort.group()
    return {past.cohort.child_key[i]: groups[i] for i in order}


def _log_odds(rate: float) -> float:
    bounded = float(np.clip(rate, 1e-4, 0.5))
    return float(np.log(bounded / (1 - bounded)))

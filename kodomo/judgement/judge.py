"""Judges one cohort on one date in memory: every child, every type, every method (analysis side).

``run`` writes what this returns into the store; ``kodomo.evaluation`` calls it for past dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from kodomo.features.catalogue import Catalogue
from kodomo.features.dates import month_index
from kodomo.features.matrix import FeatureMatrix, feature_matrix
from kodomo.judgement.boosting import SCENARIO_COLUMN
from kodomo.judgement.capacities import Capacities
from kodomo.judgement.combine import Combination, overall, probability, standing
from kodomo.judgement.criteria import Criteria
from kodomo.judgement.feedback import Feedback, no_feedback
from kodomo.judgement.knowledge import Knowledge, knowledge_of, relevant_sources
from kodomo.judgement.labels import Cases, horizon_for, known_to_support, learning_dates, mark, read_cases
from kodomo.judgement.learning import Learned, Plan, TypeModel, household_groups, learn
from kodomo.judgement.levels import Grounds, assign_levels, levels_between
from kodomo.judgement.scenarios import ScenarioResult, judge_scenario
from kodomo.judgement.staff_rules import TypeRules
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType, Method

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TypeJudgement:
    """One type's result. Arrays run over the whole cohort; ``rows`` are those the type is judged for."""

    type: DifficultyType
    rows: NDArray[np.intp]
    scenario: ScenarioResult
    model: TypeModel | None
    combination: Combination
    registered: Flags
    thin: Flags
    escalated: Flags

    def levels(
        self,
        method_scores: Array,
        keys: NDArray[np.object_],
        capacities: Capacities,
        bands: NDArray[np.object_],
        evidence: Flags,
        held: NDArray[np.object_] | None = None,
    ) -> NDArray[np.object_]:
        """Levels of one method's scores, for the judged rows; ``held`` as in ``assign_levels``, for those rows too.

        Args:
            bands: every child's age band, which decides whose capacity counts.
        """
        levels = np.full(len(self.rows), None, dtype=object)
        grounds = self._grounds(keys, evidence)
        for capacity, members in capacities.pools(self.type.value, bands[self.rows]):
            rows = self.rows[members]
            levels[members] = assign_levels(
                method_scores[rows], capacity, grounds.of(rows), None if held is None else held[members]
            )
        return levels

    def rates(self) -> tuple[Array, Array] | None:
        """Lowest and highest rate of registration likely at each judged child's height; None where nothing tells."""
        if self.model is None or self.model.rates is None:
            return None
        return self.model.rates.range_of(self.combination.logit[self.rows])

    def levels_between(
        self, levels: NDArray[np.object_], keys: NDArray[np.object_], capacities: Capacities, bands: NDArray[np.object_]
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]] | None:
        """Levels each judged child might have, had the city known other cases; None where nothing learned moves them.

        Args:
            levels: those the combined scores gave.
        """
        if self.model is None or self.model.sway is None:
            return None
        scores = self.combination.logit
        low, high = self.model.sway.range_of(scores)
        grounds = self._grounds(keys, self.evidence)
        found = np.full(len(self.rows), None, dtype=object), np.full(len(self.rows), None, dtype=object)
        for capacity, members in capacities.pools(self.type.value, bands[self.rows]):
            rows = self.rows[members]
            ends = levels_between((low[rows], high[rows]), scores[rows], capacity, grounds.of(rows), levels[members])
            found[0][members], found[1][members] = ends
        return found

    def _grounds(self, keys: NDArray[np.object_], evidence: Flags) -> Grounds:
        return Grounds(keys, self.thin, self.registered, self.escalated, evidence)

    @property
    def evidence(self) -> Flags:
        """Children about whom anything speaks for the type: points, or a model score above the middle."""
        found = self.scenario.points > 0
        if self.combination.is_learned and len(self.rows):
            learned = self.combination.learned_mean
            found |= learned > np.median(learned[self.rows])
        return found


@dataclass(frozen=True)
class Judged:
    """Everything judged for one cohort on one date."""

    as_of: dt.date
    matrix: FeatureMatrix
    groups: NDArray[np.object_]
    types: tuple[TypeJudgement, ...]
    overall: Array
    knowledge: Knowledge
    is_known_to_support: Flags
    is_council_registered: Flags
    learned: Learned
    plan: Plan
    dates: tuple[dt.date, ...]

    @property
    def children(self) -> int:
        """How many were judged."""
        return len(self.matrix.cohort)


@dataclass(frozen=True)
class Studied:
    """What was learned on a date: from which dates, how, and each child's household then, which decides its models."""

    snapshot: str
    as_of: dt.date
    learned: Learned
    plan: Plan
    dates: tuple[dt.date, ...]
    groups: Mapping[str, str]
    matrix: FeatureMatrix

    def today(self, snapshot: Snapshot, as_of: dt.date) -> FeatureMatrix | None:
        """The indicators of a date, where it was learned on it; None where they must be built."""
        if (self.snapshot, self.as_of) != (snapshot.snapshot_id, as_of):
            return None
        return self.matrix.take(np.flatnonzero(self.matrix.cohort.as_of == np.datetime64(as_of, "D")))


@dataclass(frozen=True)
class Lawful:
    """Whether an item has a legal basis, on the day of use, for judging and for learning."""

    may_judge: Callable[[str], bool] = lambda item: True
    may_learn: Callable[[str], bool] = lambda item: True


def study(
    snapshot: Snapshot,
    as_of: dt.date,
    criteria: Criteria,
    types: tuple[DifficultyType, ...],
    *,
    lawful: Lawful = Lawful(),  # noqa: B008 - frozen
    plan: Plan | None = None,
    held_out: Collection[str] = (),
    feedback: Feedback | None = None,
    staff_rules: Mapping[DifficultyType, TypeRules] | None = None,
    built: FeatureMatrix | None = None,
    spill: Path | None = None,
    step: Callable[[str], None] = lambda what: None,
) -> Studied:
    """Learn with what was known on a date: on past dates as each of them knew it, from the outcomes known by it.

    Reads the snapshot. Writes nothing. The same arguments give the same models to the byte.

    Args:
        lawful: whether an item has a legal basis.
        feedback: what people decided and support showed, as labels.
        staff_rules: what people said of rules, by type.
        built: the indicators of an earlier study of the same snapshot, date, criteria and horizon; built when absent.
        plan, held_out, spill, step: as for ``judge``.
    """
    first = first_fact(snapshot, as_of)
    span = month_index(as_of) - month_index(first) + 1
    plan = plan or Plan(horizon_for(span))
    dates = learning_dates(first, as_of, plan.horizon_months)
    whole = built or feature_matrix(
        snapshot,
        [*dates, as_of],
        criteria.catalogue,
        criteria.expectations,
        allows=lawful.may_judge,
        with_dates=True,
        spill=spill,
    )
    step("indicators")
    feedback = feedback or no_feedback()
    cases = _lawful_cases(snapshot, criteria, lawful.may_learn).and_also(feedback.cases).known_by(as_of)
    groups = household_groups(whole)
    # Models are fitted side by side; numeric threads below them would only wait for each other.
    with threadpool_limits(1):
        learned = learn(
            whole,
            cases,
            criteria.labels,
            criteria.scenarios,
            types,
            plan,
            groups,
            allows=lawful.may_learn,
            held_out=held_out,
            reviewed=feedback.reviewed,
            staff_rules=staff_rules,
            history_months=span,
            step=lambda: step("fold"),
        )
    return Studied(snapshot.snapshot_id, as_of, learned, plan, tuple(dates), groups, whole)


def judge(
    snapshot: Snapshot,
    as_of: dt.date,
    criteria: Criteria,
    types: tuple[DifficultyType, ...],
    *,
    may_judge: Callable[[str], bool] = lambda item: True,
    may_learn: Callable[[str], bool] = lambda item: True,
    plan: Plan | None = None,
    held_out: Collection[str] = (),
    studied: Studied | None = None,
    spill: Path | None = None,
    step: Callable[[str], None] = lambda what: None,
) -> Judged:
    """Judge every child of the date with what was known on it, learning included.

    Reads the snapshot. Writes nothing. Uses no fact and no label known after ``as_of``; the past dates it
    learns on see only what was known on each of them, and the outcomes known by ``as_of``.

    Args:
        may_judge, may_learn: whether an item has a legal basis, on the day of use.
        plan: how to learn; chosen from the length of the store when absent.
        held_out: children to judge and not to learn from.
        studied: what was learned, with the same criteria, maybe on another date; learned here and now when absent.
        step: called with a word after each piece of work.
    """
    if studied is None:
        lawful = Lawful(may_judge, may_learn)
        words: dict[str, Any] = {"plan": plan, "held_out": held_out, "spill": spill, "step": step}
        studied = study(snapshot, as_of, criteria, types, lawful=lawful, **words)
    today = studied.today(snapshot, as_of)
    if today is None:
        allowed: dict[str, Any] = {"allows": may_judge, "with_dates": True, "spill": spill}
        today = feature_matrix(snapshot, [as_of], criteria.catalogue, criteria.expectations, **allowed)
    # A child keeps the household it was learned with, so that no model that saw it ever scores it.
    groups = household_groups(today) | dict(studied.groups)
    own_group = np.array([groups[k] for k in today.cohort.child_key], dtype=object)
    knowledge = knowledge_of(today, criteria.expectations, snapshot.read("sources"), as_of)
    standing_cases = read_cases(snapshot, criteria.labels).known_by(as_of)
    models = studied.learned.models
    with threadpool_limits(1):
        judged = tuple(
            _judge_type(kind, today, own_group, criteria, knowledge, standing_cases, models.get(kind)) for kind in types
        )
    step("scores")
    places = np.column_stack([standing_of(t, len(today.cohort)) for t in judged])
    registered = np.logical_or.reduce([t.registered for t in judged])
    known = known_to_support(snapshot, criteria.labels, today.cohort, as_of)
    return Judged(
        as_of,
        today,
        own_group,
        judged,
        overall(places),
        knowledge,
        known | registered,
        registered,
        studied.learned,
        studied.plan,
        studied.dates,
    )


def _judge_type(
    kind: DifficultyType,
    matrix: FeatureMatrix,
    group: NDArray[np.object_],
    criteria: Criteria,
    knowledge: Knowledge,
    cases: Cases,
    model: TypeModel | None,
) -> TypeJudgement:
    scenario = judge_scenario(kind, criteria.scenarios, matrix)
    said = {} if model is None else learned_logits(model, model_values(model, matrix, scenario), group)
    relevant = relevant_sources(knowledge, criteria.catalogue, matrix.sources_of, kind)
    return TypeJudgement(
        type=kind,
        rows=np.flatnonzero(scenario.applicable),
        scenario=scenario,
        model=model,
        combination=_combined(model, scenario, said, matrix) if model else Combination(scenario.logit, {}, 0.0),
        registered=mark(cases, kind, matrix.cohort, None).registered,
        thin=knowledge.too_thin(relevant),
        escalated=np.asarray(scenario.fired_gates.any(axis=1)),
    )


def learned_logits(model: TypeModel, values: Array, group: NDArray[np.object_]) -> dict[Method, Array]:
    """Calibrated log-odds of every learned method that speaks for the type."""
    said: dict[Method, Array] = {}
    if model.boosting_speaks:
        said[Method.BOOSTING] = model.platt(model.boosted.logits(values, group) + model.offset)
    for one in model.others:
        said[one.method] = one.logits(values, group, model.boosted.seed)
    return said


def model_values(model: TypeModel, matrix: FeatureMatrix, scenario: ScenarioResult) -> Array:
    """The columns a model reads, the type's own points among them; what was not built is missing."""
    values = np.full((len(matrix.cohort), len(model.columns)), np.nan)
    place = {code: n for n, code in enumerate(matrix.codes)}
    own = own_columns(model, matrix.catalogue)
    for n, name in enumerate(model.columns):
        if name == SCENARIO_COLUMN:
            values[:, n] = scenario.points_of(own)
        elif name in place and name in own:
            values[:, n] = matrix.values[:, place[name]]
    return values


def score_again(judged: Judged, kind: str, matrix: FeatureMatrix, criteria: Criteria) -> Array:
    """The combined log-odds of one type had the same children had the values of another matrix."""
    return score_others(judged, kind, matrix, judged.groups, criteria)[0]


def score_others(
    judged: Judged, kind: str, matrix: FeatureMatrix, groups: NDArray[np.object_], criteria: Criteria
) -> tuple[Array, Flags]:
    """The combined log-odds other children, or other values, would have by what judged these, and whom the type asks.

    Args:
        groups: the household of each row of the matrix: nobody is scored by a model that learned from it.
    """
    before = next(t for t in judged.types if t.type.value == kind)
    scenario = judge_scenario(before.type, criteria.scenarios, matrix)
    model = before.model
    if model is None:
        return Combination(scenario.logit, {}, 0.0).logit, scenario.applicable
    said = learned_logits(model, model_values(model, matrix, scenario), groups)
    return _combined(model, scenario, said, matrix).logit, scenario.applicable


def _combined(
    model: TypeModel, scenario: ScenarioResult, said: Mapping[Method, Array], matrix: FeatureMatrix
) -> Combination:
    return model.combined(scenario.logit, said, scenario.apart(own_columns(model, matrix.catalogue)))


def own_columns(model: TypeModel, catalogue: Catalogue) -> set[str]:
    """Indicators of the type that its model reads; a pooled model also reads those of other types."""
    return {i.code for i in catalogue.indicators if model.type in i.types and i.code in model.columns}


def standing_of(judged: TypeJudgement, length: int) -> Array:
    """Each child's place in one type; NaN where the type is not judged for it."""
    applicable = np.zeros(length, dtype=bool)
    applicable[judged.rows] = True
    return standing(probability(judged.combination.logit), applicable)


def _lawful_cases(snapshot: Snapshot, criteria: Criteria, may_learn: Callable[[str], bool]) -> Cases:
    """Known cases learning may use: those from items with a legal basis for it."""
    lawful = tuple(label for label in criteria.labels.labels if may_learn(label.item))
    return read_cases(snapshot, type(criteria.labels)(lawful, criteria.labels.known, criteria.labels.sha256))


DENSE = 0.25
"""A month belongs to the regular extracts when it brings this share of the fullest month of the last year."""


def first_fact(snapshot: Snapshot, as_of: dt.date) -> dt.date:
    """Since when the store knows what happens month by month: the first month with a usual number of facts.

    Registrations, allowances and vaccinations reach back many years, a few facts a month; attendance and
    visits, which make learning possible, begin with the extracts.
    """
    table = snapshot.read("facts", ("known_from", "known_to"))
    limit = pa.scalar(as_of, pa.date32())
    known = pc.and_(pc.less_equal(table["known_from"], limit), pc.fill_null(pc.greater(table["known_to"], limit), True))
    days = pc.cast(table["known_from"].filter(known), "int32").to_numpy()
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    latest = int(np.datetime64(as_of, "M").astype(np.int64))
    # Beyond the data (``check_reached`` says so) months without facts are no months of the store.
    if len(months):
        latest = min(latest, int(months.max()) + 1)
    counts = np.bincount(np.clip(latest - months, 0, 1_200), minlength=13)
    usual = float(counts[1:13].max())
    dense = np.flatnonzero(counts >= DENSE * usual) if usual else np.zeros(1, np.int64)
    # The run of dense months that reaches today: a crowded month long ago is not the beginning.
    gaps = np.flatnonzero(np.diff(dense) > 2)
    back = int(dense[gaps[0]] if len(gaps) else dense[-1])
    return np.datetime64(latest - back, "M").astype("datetime64[D]").astype(object)  # type: ignore[no-any-return]

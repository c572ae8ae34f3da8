"""A judgement in memory as the tables the store keeps: levels and scores, reasons, coverage, subjects (analysis side)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from kodomo.judgement.boosting import WORKERS
from kodomo.judgement.capacities import Capacities
from kodomo.judgement.combine import probability, standing, surprise
from kodomo.judgement.contributions import learned_contributions
from kodomo.judgement.holding import Held
from kodomo.judgement.judge import Judged, TypeJudgement, standing_of
from kodomo.judgement.levels import Grounds, assign_levels
from kodomo.judgement.reasons import (
    Parts,
    combined_parts,
    learned_parts,
    overall_reasons,
    reason_table,
    scenario_parts,
    tellable,
)
from kodomo.store.results import COVERAGE, JUDGEMENTS, SUBJECTS
from kodomo.terms import OVERALL, Level, Method


def judgement_tables(
    judged: Judged, capacities: Capacities, *, held: Held | None = None, step: Callable[[], None] = lambda: None
) -> dict[str, pa.Table]:
    """The four tables of one judgement, sorted, ready for the store; ``held``: the levels that may be kept."""
    rows, reasons = [], []
    # Two types at once: one's sentences are put together while the other's parts are worked out. The products of
    # matrices are small: threads of their own would only spin while they wait for one another.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(WORKERS) as pool:
        for own, told in pool.map(lambda kind: _tables_of(judged, kind, capacities, held), judged.types):
            rows += own
            reasons += told
            step()
    levels = _overall_levels(judged, capacities, held)
    reasons.append(overall_reasons(judged))
    rows.append(_overall_rows(judged, levels, reasons[-1]))
    return {
        "judgements": _sorted(pa.concat_tables(rows), "child_key", "type", "method"),
        "reasons": _sorted(pa.concat_tables(reasons), "child_key", "type", "method", "position"),
        "coverage": _coverage(judged),
        "subjects": _subjects(judged),
    }


def _tables_of(
    judged: Judged, kind: TypeJudgement, capacities: Capacities, held: Held | None
) -> tuple[list[pa.Table], list[pa.Table]]:
    """One type's rows and reasons, every method's."""
    parts = parts_of_methods(kind, judged)
    reasons = [
        reason_table(kind, method, part, judged.matrix, with_gates=method is Method.COMBINED)
        for method, part in parts.items()
    ]
    return _type_rows(judged, kind, capacities, held, parts), reasons


def parts_of_methods(kind: TypeJudgement, judged: Judged) -> dict[Method, Parts]:
    """What the score of every method that speaks for the type is made of."""
    catalogue = judged.matrix.catalogue
    contributions = learned_contributions(kind, judged.matrix, judged.groups, catalogue)
    parts = {
        Method.COMBINED: combined_parts(kind, contributions, catalogue),
        Method.SCENARIO: scenario_parts(kind),
        **{method: learned_parts(kind, said, catalogue) for method, said in contributions.items()},
    }
    return {method: tellable(one, judged.matrix) for method, one in parts.items()}


def _type_rows(
    judged: Judged, kind: TypeJudgement, capacities: Capacities, held: Held | None, parts: Mapping[Method, Parts]
) -> list[pa.Table]:
    keys, bands = judged.matrix.cohort.child_key, judged.matrix.cohort.band.astype(object)
    has_points = kind.scenario.points > 0
    methods = [
        (Method.SCENARIO, kind.scenario.score, has_points),
        (Method.COMBINED, probability(kind.combination.logit), kind.evidence),
    ]
    methods += [(one, probability(logits), kind.evidence) for one, logits in kind.combination.learned.items()]
    judged_rows = np.isin(np.arange(len(keys)), kind.rows)
    disputed = kind.combination.disagree(judged_rows)[kind.rows]
    tables = []
    for method, scores, evidence in methods:
        before = held.of(kind.type.value, method.value, keys[kind.rows]) if held else None
        levels = kind.levels(scores, keys, capacities, bands, evidence, before)
        is_combined = method is Method.COMBINED
        tables.append(
            _rows(
                keys[kind.rows],
                kind.type.value,
                method,
                scores[kind.rows],
                levels,
                escalation_texts(kind),
                kind.registered[kind.rows],
                base=parts[method].base,
                rest=parts[method].rest,
                place=standing(scores, judged_rows)[kind.rows],
                disputed=disputed if is_combined else None,
                rates=kind.rates() if is_combined else None,
                levels_between=kind.levels_between(levels, keys, capacities, bands) if is_combined else None,
            )
        )
    return [*tables, _not_asked(keys, kind)]


def range_summary(judged: Judged, capacities: Capacities) -> dict[str, dict[str, Any]]:
    """For the model card, of each type that has ranges: the rate's at the highest 2 % and 10 %, and whom others' cases would move.

    ``may_fall`` of the ``raised`` might have been low, ``may_rise`` of the ``low`` raised. None where nothing tells.
    """
    keys, bands = judged.matrix.cohort.child_key, judged.matrix.cohort.band.astype(object)
    found: dict[str, dict[str, Any]] = {}
    for kind in judged.types:
        rates, scores = kind.rates(), probability(kind.combination.logit)
        levels = kind.levels(scores, keys, capacities, bands, kind.evidence)
        between = kind.levels_between(levels, keys, capacities, bands)
        if not len(kind.rows) or (rates is None and between is None):
            continue
        order = np.argsort(-scores[kind.rows], kind="stable")
        places = {str(share): order[len(order) * share // 100] for share in (2, 10)}
        rate_at = {
            share: [round(float(end[row]), 4) for end in rates] if rates else None for share, row in places.items()
        }
        found[kind.type.value] = {"rate_at": rate_at, **_swaying(levels, between)}
    return found


def _swaying(
    levels: NDArray[np.object_], between: tuple[NDArray[np.object_], NDArray[np.object_]] | None
) -> dict[str, int | None]:
    if between is None:
        return dict.fromkeys(("raised", "may_fall", "low", "may_rise"))
    lowest, highest = between
    is_low, is_told = levels == Level.LOW.value, highest != np.array(None)
    counted = {
        "raised": ~is_low,
        "may_fall": ~is_low & (lowest == Level.LOW.value),
        "low": is_low,
        "may_rise": is_low & (highest != Level.LOW.value),
    }
    return {name: int(np.sum(mask & is_told)) for name, mask in counted.items()}


def _not_asked(keys: NDArray[np.object_], kind: TypeJudgement) -> pa.Table:
    """A row without a score for each child whose age the type does not ask: said, never left to be guessed."""
    others = np.setdiff1d(np.arange(len(keys)), kind.rows)
    return _rows(
        keys[others],
        kind.type.value,
        Method.COMBINED,
        np.full(len(others), np.nan),
        np.full(len(others), Level.NOT_APPLICABLE.value, dtype=object),
        np.full(len(others), None, dtype=object),
        kind.registered[others],
    )


def escalation_texts(kind: TypeJudgement) -> NDArray[np.object_]:
    """Every escalation that holds for each judged child, in words, in the criteria's order; None where none does."""
    gates = kind.scenario.fired_gates[kind.rows]
    texts = np.full(len(gates), None, dtype=object)
    for row in np.flatnonzero(gates.any(axis=1)):
        held = (kind.scenario.escalations[n].sentence for n in np.flatnonzero(gates[row]))
        texts[row] = tuple(dict.fromkeys(held))
    return texts


def _rows(
    keys: NDArray[np.object_],
    kind: str,
    method: Method,
    scores: NDArray[np.float64],
    levels: NDArray[np.object_],
    escalation: NDArray[np.object_],
    registered: NDArray[np.bool_],
    *,
    base: NDArray[np.float64] | None = None,
    rest: NDArray[np.float64] | None = None,
    place: NDArray[np.float64] | None = None,
    disputed: NDArray[np.bool_] | None = None,
    rates: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    levels_between: tuple[NDArray[np.object_], NDArray[np.object_]] | None = None,
) -> pa.Table:
    """Rows of the store; ``base`` and ``rest`` are what the score's log-odds hold beside the reasons said, ``place``
    is the method's own among those judged, ``rates`` and ``levels_between`` the ends of the two ranges.
    """
    without = np.full(len(keys), np.nan)
    nothing = np.full(len(keys), None, dtype=object)
    rate_low, rate_high = rates or (without, without)
    level_low, level_high = levels_between or (nothing, nothing)
    return pa.table(
        {
            "child_key": pa.array(keys, pa.string()),
            "type": pa.array([kind] * len(keys), pa.string()),
            "method": pa.array([method.value] * len(keys), pa.string()),
            "score": pa.array(scores, pa.float64(), from_pandas=True),
            "level": pa.array(levels, pa.string()),
            "escalation": pa.array([texts[0] if texts else None for texts in escalation], pa.string()),
            "escalations": pa.array([list(texts) if texts else None for texts in escalation], pa.list_(pa.string())),
            "is_registered": pa.array(registered, pa.bool_()),
            "standing": pa.array(without if place is None else place, pa.float64(), from_pandas=True),
            "is_disputed": pa.array([None] * len(keys) if disputed is None else disputed, pa.bool_()),
            "score_low": pa.array(rate_low, pa.float64(), from_pandas=True),
            "score_high": pa.array(rate_high, pa.float64(), from_pandas=True),
            "level_low": pa.array(level_low, pa.string()),
            "level_high": pa.array(level_high, pa.string()),
            "base": pa.array(without if base is None else base, pa.float64(), from_pandas=True),
            "rest": pa.array(without if rest is None else rest, pa.float64(), from_pandas=True),
        },
        schema=JUDGEMENTS.schema(),
    )


def _overall_levels(judged: Judged, capacities: Capacities, held: Held | None) -> NDArray[np.object_]:
    """総合 has its own capacity; it is thin only where every type judged is, and escalated where any is."""
    size = len(judged.matrix.cohort)
    applicable = np.zeros((size, len(judged.types)), dtype=bool)
    for n, kind in enumerate(judged.types):
        applicable[kind.rows, n] = True
    thin = np.column_stack([kind.thin for kind in judged.types])
    cohort = judged.matrix.cohort
    is_thin = np.asarray((thin | ~applicable).all(axis=1))
    escalated = np.logical_or.reduce([kind.escalated for kind in judged.types])
    evidence = np.logical_or.reduce([kind.evidence for kind in judged.types])
    before = held.of(OVERALL, Method.COMBINED.value, cohort.child_key) if held else None
    grounds = Grounds(cohort.child_key, is_thin, judged.is_council_registered, escalated, evidence)
    levels = np.full(size, None, dtype=object)
    for capacity, members in capacities.pools(OVERALL, cohort.band.astype(object)):
        levels[members] = assign_levels(
            judged.overall[members], capacity, grounds.of(members), None if before is None else before[members]
        )
    return levels


def _overall_rows(judged: Judged, levels: NDArray[np.object_], reasons: pa.Table) -> pa.Table:
    size = len(judged.matrix.cohort)
    texts = np.full(size, None, dtype=object)
    for kind in judged.types:
        for row, own in zip(kind.rows, escalation_texts(kind), strict=True):
            if own:
                texts[row] = tuple(dict.fromkeys([*(texts[row] or ()), *own]))
    return _rows(
        judged.matrix.cohort.child_key,
        OVERALL,
        Method.COMBINED,
        judged.overall,
        levels,
        texts,
        judged.is_council_registered,
        base=np.zeros(size),
        rest=_overall_sum(judged) - _said(judged, reasons),
    )


def _overall_sum(judged: Judged) -> NDArray[np.float64]:
    """The sum that 総合 is the place of: how rare each type's place is."""
    size = len(judged.matrix.cohort)
    return np.nansum([surprise(standing_of(kind, size)) for kind in judged.types], axis=0)  # type: ignore[no-any-return]


def _said(judged: Judged, reasons: pa.Table) -> NDArray[np.float64]:
    """Each child's sum of the contributions told as reasons."""
    told = reasons.group_by("child_key").aggregate([("contribution", "sum")])
    sums = dict(zip(told["child_key"].to_pylist(), told["contribution_sum"].to_pylist(), strict=True))
    return np.array([sums.get(key, 0.0) for key in judged.matrix.cohort.child_key], dtype=np.float64)


def _coverage(judged: Judged) -> pa.Table:
    """One row a child and source that is expected or known: the rest says nothing."""
    knowledge = judged.knowledge
    rows, columns = np.nonzero(knowledge.expected | knowledge.known)
    names = np.array(knowledge.sources, dtype=object)
    table = pa.table(
        {
            "child_key": pa.array(judged.matrix.cohort.child_key[rows], pa.string()),
            "source": pa.array(names[columns], pa.string()),
            "expected": pa.array(knowledge.expected[rows, columns]),
            "known": pa.array(knowledge.known[rows, columns]),
            "latest_on": pa.array(knowledge.latest[rows, columns], pa.date32(), from_pandas=True),
            "is_fresh": pa.array(knowledge.fresh[rows, columns]),
        },
        schema=COVERAGE.schema(),
    )
    return _sorted(table, "child_key", "source")


def _subjects(judged: Judged) -> pa.Table:
    cohort = judged.matrix.cohort
    grade = np.where((cohort.grade >= 1) & (cohort.grade <= 9), cohort.grade, np.nan)
    new = (
        judged.matrix.column("moved_in_12m") > 0
        if "moved_in_12m" in judged.matrix.codes
        else np.zeros(len(cohort), bool)
    )
    return pa.table(
        {
            "child_key": pa.array(cohort.child_key, pa.string()),
            "age_band": pa.array(cohort.band.astype(object), pa.string()),
            "age_years": pa.array(cohort.age_years, pa.int32()),
            "school_grade": pa.array(grade, pa.float64(), from_pandas=True).cast(pa.int32()),
            "sex": pa.array(cohort.sex, pa.string()),
            "area_code": pa.array(cohort.area_code, pa.string()),
            "household_key": pa.array(cohort.household_key, pa.string()),
            "is_known_to_support": pa.array(judged.is_known_to_support),
            "is_council_registered": pa.array(judged.is_council_registered),
            "moved_in_within_year": pa.array(np.asarray(new, dtype=bool)),
            "coverage_share": pa.array(judged.knowledge.share()),
        },
        schema=SUBJECTS.schema(),
    )


def _sorted(table: pa.Table, *columns: str) -> pa.Table:
    return table.sort_by([(c, "ascending") for c in columns]).combine_chunks()

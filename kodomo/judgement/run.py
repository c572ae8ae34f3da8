"""Judges one cohort on one date and keeps the result in the store, versions and all (analysis side)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kodomo.configuration import Home, Municipality
from kodomo.features.build import current_snapshot, later_deliveries, lawful_for
from kodomo.governance.champion import champion
from kodomo.governance.criteria_versions import InUse, check_usable, keep_copy, thresholds
from kodomo.governance.register import read_register
from kodomo.judgement.audit_draw import draw_size, known_draws, with_round
from kodomo.judgement.combine import probability
from kodomo.judgement.contributions import Said, learned_contributions
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.holding import Held, held_levels
from kodomo.judgement.judge import Judged, TypeJudgement, judge
from kodomo.judgement.learning import TypeModel
from kodomo.judgement.levels import Capacity, assign_levels
from kodomo.judgement.model_card import write_cards
from kodomo.judgement.nearest import similar_cases
from kodomo.judgement.reasons import (
    combined_parts,
    learned_parts,
    overall_reasons,
    reason_table,
    scenario_parts,
)
from kodomo.judgement.recipe import check_same, keep_recipe, present_recipe, recipe_of_champion, study_recipe
from kodomo.judgement.saving import save_models
from kodomo.judgement.staff_rules import standing_rules
from kodomo.progress import Progress
from kodomo.store.database import Snapshot, Store
from kodomo.store.results import COVERAGE, JUDGEMENTS, SUBJECTS
from kodomo.terms import OVERALL, Decision, Level, Method, Purpose

KIND = "judgements"
Beat = Callable[[dict[str, object]], None] | None


def judge_cohort(
    *, home: Home, municipality: Municipality, as_of: dt.date, at: dt.datetime, beat: Beat = None
) -> dict[str, object]:
    """Judge every child for every difficulty type as known on a date, and publish the result.

    Reads the current snapshot, the criteria and the item register. Writes one ``judgements`` folder
    (judgements, reasons, coverage, subjects, audit draws, similar cases) whose manifest names snapshot, criteria and model, and the
    models themselves as readable text. The same snapshot, criteria and date give the same tables. Never
    uses what was known later, an item without a legal basis, or an identity; never decides anything.

    Raises:
        NotReady: nothing has been published yet.
        ConfigurationFault: criteria or register do not hold together.
        NotApproved: two different people have not approved the criteria or the thresholds at hand.
        IntegrityFault: the promoted model cannot be made again as it was approved.
    """
    started = time.monotonic()
    snapshot, store = current_snapshot(home), Store(home.store)
    criteria = read_all_criteria(municipality.folder)
    in_use = check_usable(home, municipality)
    keep_copy(home, municipality.folder)
    register = read_register(municipality.folder)
    size, draws = draw_size(municipality), known_draws(store)
    chosen = champion(home)
    present = present_recipe(store, snapshot, as_of, criteria, municipality.types, draws, standing_rules(home))
    recipe = present if chosen is None else recipe_of_champion(home, chosen, criteria)
    progress = Progress("判定", _pieces_of_work(municipality), unit="人・類型", beat=beat)
    progress.rows = _children(snapshot) * (len(municipality.types) + 1)
    judged = judge(
        snapshot,
        as_of,
        criteria,
        municipality.types,
        may_judge=lawful_for(register, Purpose.JUDGE, as_of),
        studied=study_recipe(
            recipe, home=home, register=register, draws=draws, on=as_of, until=as_of, criteria=criteria,
            step=lambda what: progress.add(),
        ),
        spill=home.spill,
        step=lambda what: progress.add(),
    )  # fmt: skip
    held = held_levels(store, snapshot, as_of, in_use, home.spill)
    tables = judgement_tables(judged, Capacity(**thresholds(municipality)), held=held, step=progress.add)
    tables["audit_draws"] = with_round(draws, as_of, tables["judgements"], tables["subjects"], size, judged.plan.seed)
    tables["similar_cases"] = similar_cases(judged, tables["judgements"], _supported(store, as_of))
    summary = learned_summary(judged)
    model = save_models(home.store, judged, summary)
    if chosen is not None and recipe.as_of <= as_of:
        check_same(chosen, model)
    manifest = _manifest(judged, snapshot, municipality, model, at) | _versions(criteria, municipality, in_use)
    manifest |= {"levels_held_from": held.judgement if held else None, "champion": chosen, "recipe": recipe.as_json()}
    if model is not None and chosen is None:
        keep_recipe(home.store, model, recipe)
        write_cards(
            home.store, model, municipality=municipality, register=register, criteria=criteria, recipe=recipe,
            summary=summary, children=len(judged.matrix.cohort),
            approval={"criteria": manifest["criteria"]["approved_by"], "model": []},
        )  # fmt: skip
    written = store.write(KIND, _name(store, as_of, snapshot, criteria), tables, manifest)
    progress.close()
    return {
        "as_of": as_of.isoformat(),
        "snapshot": snapshot.snapshot_id,
        "judgements": written.snapshot_id,
        "path": str(written.path),
        "children": len(judged.matrix.cohort),
        "levels": _level_counts(tables["judgements"]),
        "drawn": tables["audit_draws"]["round"].to_pylist().count(as_of),
        "criteria": manifest["criteria"],
        "thresholds": manifest["thresholds"],
        "model": model,
        "champion": chosen,
        "learned": manifest["learned"],
        "skipped_indicators": judged.matrix.skipped,
        "later_deliveries": later_deliveries(snapshot, as_of),
        "seconds": round(time.monotonic() - started, 2),
    }


def _supported(store: Store, as_of: dt.date) -> set[str]:
    """Children whom people had decided to support by then, as casework returned it."""
    returned = store.current("outcomes")
    rows = returned.read("decisions").to_pylist() if returned else []
    return {r["child_key"] for r in rows if r["decision"] == Decision.SUPPORT and r["known_from"] <= as_of}


def _children(snapshot: Snapshot) -> int:
    return pc.sum(snapshot.read("persons")["is_child"]).as_py() or 0


def _pieces_of_work(municipality: Municipality) -> int:
    return 2 + 5 * len(municipality.types) + 1


def judgement_tables(
    judged: Judged, capacity: Capacity, *, held: Held | None = None, step: Callable[[], None] = lambda: None
) -> dict[str, pa.Table]:
    """The four tables of one judgement, sorted, ready for the store; ``held``: the levels that may be kept."""
    rows, reasons = [], []
    for kind in judged.types:
        contributions = learned_contributions(kind, judged.matrix, judged.groups, judged.matrix.catalogue)
        rows += _type_rows(judged, kind, capacity, held)
        reasons += _type_reasons(judged, kind, contributions)
        step()
    levels = _overall_levels(judged, capacity, held)
    rows.append(_overall_rows(judged, levels))
    reasons.append(overall_reasons(judged))
    return {
        "judgements": _sorted(pa.concat_tables(rows), "child_key", "type", "method"),
        "reasons": _sorted(pa.concat_tables(reasons), "child_key", "type", "method", "position"),
        "coverage": _coverage(judged),
        "subjects": _subjects(judged),
    }


def _type_rows(judged: Judged, kind: TypeJudgement, capacity: Capacity, held: Held | None) -> list[pa.Table]:
    keys = judged.matrix.cohort.child_key
    has_points = kind.scenario.points > 0
    methods = [
        (Method.SCENARIO, kind.scenario.score, has_points),
        (Method.COMBINED, probability(kind.combination.logit), kind.evidence),
    ]
    methods += [(one, probability(logits), kind.evidence) for one, logits in kind.combination.learned.items()]
    tables = []
    for method, scores, evidence in methods:
        before = held.of(kind.type.value, method.value, keys[kind.rows]) if held else None
        levels = kind.levels(scores, keys, capacity, evidence, before)
        tables.append(
            _rows(
                keys[kind.rows],
                kind.type.value,
                method,
                scores[kind.rows],
                levels,
                escalation_texts(kind),
                kind.registered[kind.rows],
            )
        )
    return [*tables, _not_asked(keys, kind)]


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
) -> pa.Table:
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
        },
        schema=JUDGEMENTS.schema(),
    )


def _type_reasons(judged: Judged, kind: TypeJudgement, contributions: dict[Method, Said]) -> list[pa.Table]:
    matrix, catalogue = judged.matrix, judged.matrix.catalogue
    tables = [
        reason_table(kind, Method.COMBINED, combined_parts(kind, contributions, catalogue), matrix, with_gates=True),
        reason_table(kind, Method.SCENARIO, scenario_parts(kind), matrix),
    ]
    for method, said in contributions.items():
        tables.append(reason_table(kind, method, learned_parts(kind, said, catalogue), matrix))
    return tables


def _overall_levels(judged: Judged, capacity: Capacity, held: Held | None) -> NDArray[np.object_]:
    """総合 has its own capacity; it is thin only where every type judged is, and escalated where any is."""
    size = len(judged.matrix.cohort)
    applicable = np.zeros((size, len(judged.types)), dtype=bool)
    for n, kind in enumerate(judged.types):
        applicable[kind.rows, n] = True
    thin = np.column_stack([kind.thin for kind in judged.types])
    return assign_levels(
        judged.overall,
        judged.matrix.cohort.child_key,
        capacity,
        thin=np.asarray((thin | ~applicable).all(axis=1)),
        registered=judged.is_council_registered,
        escalated=np.logical_or.reduce([kind.escalated for kind in judged.types]),
        evidence=np.logical_or.reduce([kind.evidence for kind in judged.types]),
        held=held.of(OVERALL, Method.COMBINED.value, judged.matrix.cohort.child_key) if held else None,
    )


def _overall_rows(judged: Judged, levels: NDArray[np.object_]) -> pa.Table:
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
    )


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


def _name(store: Store, as_of: dt.date, snapshot: Snapshot, criteria: Criteria) -> str:
    """``<as_of>.<snapshot>.<criteria>``, numbered when judged again."""
    stem = f"{as_of.isoformat()}.{snapshot.snapshot_id}.{criteria.sha256[:12]}"
    taken = set(store.names(KIND))
    if stem not in taken:
        return stem
    return next(f"{stem}.{n}" for n in range(2, len(taken) + 3) if f"{stem}.{n}" not in taken)


def _manifest(
    judged: Judged, snapshot: Snapshot, municipality: Municipality, model: str | None, at: dt.datetime
) -> dict[str, Any]:
    return {
        "as_of": judged.as_of.isoformat(),
        "snapshot": snapshot.snapshot_id,
        "municipality": municipality.code,
        "capacity": {"high": municipality.capacity_high, "middle": municipality.capacity_middle},
        "model": model,
        "learned": learned_summary(judged),
        "skipped_indicators": judged.matrix.skipped,
        "at": at.isoformat(),
    }


def _versions(criteria: Criteria, municipality: Municipality, in_use: tuple[InUse, InUse]) -> dict[str, Any]:
    """The versions a judgement was made with, and who approved them."""
    files, levels = in_use
    named = {"version": criteria.scenarios.version, "note": criteria.scenarios.note}
    return {"criteria": named | files.as_json(), "thresholds": thresholds(municipality) | levels.as_json()}


def learned_summary(judged: Judged) -> dict[str, Any]:
    """What was learned, from when to when, and why a type has no model: for the manifest."""
    learned = judged.learned
    types = {}
    for kind in judged.types:
        model = learned.models.get(kind.type)
        types[kind.type.value] = {
            "cases": learned.cases[kind.type],
            "model": None if model is None else ("pooled" if model.is_pooled else "own"),
            "weight": round(kind.combination.weight, 4),
            "speaking": sorted(method.value for method in kind.combination.learned),
            "counting": sorted(method.value for method in kind.combination.counting),
            "checks": _checks(model),
            "staff_score_stands": model is not None and not kind.combination.is_learned,
            "is_calibrated": model is not None and bool(judged.dates),
            "why_not": learned.without.get(kind.type),
            "leaks": [{"indicator": c, "auroc": round(a, 4)} for c, a in learned.stopped.get(kind.type, [])],
        }
    return {
        "horizon_months": judged.plan.horizon_months,
        "calibrated_to_months": 12,
        "rows": judged.plan.rows,
        "seed": judged.plan.seed,
        "dates": [d.isoformat() for d in judged.dates],
        "types": types,
    }


def _checks(model: TypeModel | None) -> dict[str, dict[str, float | int]]:
    """How each method, the points and the combination ranked rows not fitted on, with 95 % reach."""
    if model is None:
        return {}
    return {
        name: {"auroc": round(one.auroc, 4), "reach": round(1.96 * one.error, 4), "children": one.children}
        for name, one in sorted(model.checks.items())
    }


def _level_counts(judgements: pa.Table) -> dict[str, dict[str, int]]:
    """Children per type and level, combined method."""
    combined = judgements.filter(pc.equal(judgements["method"], Method.COMBINED.value))
    counts = combined.group_by(["type", "level"]).aggregate([("child_key", "count")]).to_pylist()
    found: dict[str, dict[str, int]] = {}
    for line in sorted(counts, key=lambda c: (c["type"], c["level"])):
        blank = {level.value: 0 for level in Level if level is not Level.WITHHELD}
        found.setdefault(line["type"], blank)[line["level"]] = line["child_key_count"]
    return found

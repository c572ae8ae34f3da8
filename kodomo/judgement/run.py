"""Judges one cohort on one date and keeps the result in the store, versions and all (analysis side)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import Home, Municipality
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.data_until import check_reached, later_deliveries
from kodomo.governance.champion import champion
from kodomo.governance.criteria_versions import InUse, check_usable, keep_copy
from kodomo.governance.register import read_register
from kodomo.governance.rules import standing_rules
from kodomo.governance.thresholds import thresholds
from kodomo.judgement.audit_draw import draw_size, known_draws, with_round
from kodomo.judgement.capacities import capacities
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.holding import held_levels
from kodomo.judgement.judge import Judged, judge
from kodomo.judgement.learning import TypeModel
from kodomo.judgement.model_card import Facts, write_cards
from kodomo.judgement.nearest import similar_cases
from kodomo.judgement.recipe import check_same, keep_recipe, present_recipe, recipe_of_champion, study_recipe
from kodomo.judgement.saving import save_models
from kodomo.judgement.tables import judgement_tables, range_summary
from kodomo.progress import Progress
from kodomo.store.database import Snapshot, Store
from kodomo.terms import Decision, Level, Method, Purpose

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
        NotReady: nothing has been published yet, or the date lies beyond all data.
        ConfigurationFault: criteria or register do not hold together.
        NotApproved: two different people have not approved the criteria or the thresholds at hand.
        IntegrityFault: the promoted model cannot be made again as it was approved.
    """
    started = time.monotonic()
    snapshot, store = current_snapshot(home), Store(home.store)
    old_data = check_reached(snapshot, as_of)
    criteria = read_all_criteria(municipality.criteria_folder)
    in_use = check_usable(home, municipality)
    keep_copy(home, municipality.criteria_folder)
    register = read_register(municipality.folder)
    size, draws = draw_size(municipality), known_draws(store)
    chosen = champion(home)
    if chosen is None:
        recipe = present_recipe(store, snapshot, as_of, criteria, municipality.types, draws, standing_rules(home))
    else:
        recipe = recipe_of_champion(home, chosen, criteria)
    progress = Progress("判定", _pieces_of_work(municipality), unit="人・類型", beat=beat)
    progress.rows = _children(snapshot) * (len(municipality.types) + 1)
    step = _stepping(progress)
    learning: dict[str, Any] = {"home": home, "register": register, "draws": draws, "criteria": criteria, "step": step}
    studied = study_recipe(recipe, on=as_of, until=as_of, **learning)
    may = lawful_for(register, Purpose.JUDGE, as_of)
    judged = judge(
        snapshot, as_of, criteria, municipality.types, may_judge=may, studied=studied, spill=home.spill, step=step
    )
    held = held_levels(store, snapshot, as_of, in_use, home.spill)
    tables = judgement_tables(judged, capacities(municipality), held=held, step=progress.add)
    tables["audit_draws"] = with_round(draws, as_of, tables["judgements"], tables["subjects"], size, judged.plan.seed)
    tables["similar_cases"] = similar_cases(judged, tables["judgements"], _supported(store, as_of))
    model = save_models(home.store, judged, learned_summary(judged))
    if chosen is not None and recipe.as_of <= as_of:
        check_same(chosen, model)
    manifest = _manifest(judged, snapshot, municipality, model, at) | _versions(criteria, municipality, in_use)
    manifest |= {"old_data": old_data, "ranges": range_summary(judged, capacities(municipality))}
    manifest |= {"levels_held_from": held.judgement if held else None, "champion": chosen, "recipe": recipe.as_json()}
    if model is not None and chosen is None:
        keep_recipe(home.store, model, recipe)
        write_cards(home.store, model, Facts(municipality, register, criteria, recipe, judged.children), manifest)
    written = store.write(KIND, _name(store, as_of, snapshot, criteria), tables, manifest)
    progress.close()
    told = ("snapshot", "criteria", "thresholds", "model", "champion", "learned", "skipped_indicators")
    return {
        "as_of": as_of.isoformat(),
        "judgements": written.snapshot_id,
        "path": str(written.path),
        "children": judged.children,
        "levels": _level_counts(tables["judgements"]),
        "drawn": tables["audit_draws"]["round"].to_pylist().count(as_of),
        **{name: manifest[name] for name in told},
        "silent": judged.matrix.silent(),
        "later_deliveries": later_deliveries(snapshot, as_of),
        "old_data": old_data,
        "seconds": round(time.monotonic() - started, 2),
    }


def _stepping(progress: Progress) -> Callable[[str], None]:
    return lambda what: progress.add()


def _supported(store: Store, as_of: dt.date) -> set[str]:
    """Children whom people had decided to support by then, as casework returned it."""
    returned = store.current("outcomes")
    rows = returned.read("decisions").to_pylist() if returned else []
    return {r["child_key"] for r in rows if r["decision"] == Decision.SUPPORT and r["known_from"] <= as_of}


def _children(snapshot: Snapshot) -> int:
    return pc.sum(snapshot.read("persons")["is_child"]).as_py() or 0


def _pieces_of_work(municipality: Municipality) -> int:
    return 2 + 5 * len(municipality.types) + 1


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
            "left_out": [{"indicator": c, "auroc": round(a, 4)} for c, a in learned.left_out.get(kind.type, [])],
            "telling_gaps": [{"indicator": c, "auroc": round(a, 4)} for c, a in learned.gaps.get(kind.type, [])],
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
    """How each method, the points and the combination ranked rows not fitted on, with the 95 % interval."""
    if model is None:
        return {}
    found: dict[str, dict[str, float | int]] = {}
    for name, one in sorted(model.checks.items()):
        low, high = one.interval
        found[name] = {
            "auroc": round(one.auroc, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "children": one.children,
        }
    return found


def _level_counts(judgements: pa.Table) -> dict[str, dict[str, int]]:
    """Children per type and level, combined method."""
    combined = judgements.filter(pc.equal(judgements["method"], Method.COMBINED.value))
    counts = combined.group_by(["type", "level"]).aggregate([("child_key", "count")]).to_pylist()
    found: dict[str, dict[str, int]] = {}
    for line in sorted(counts, key=lambda c: (c["type"], c["level"])):
        blank = {level.value: 0 for level in Level if level is not Level.WITHHELD}
        found.setdefault(line["type"], blank)[line["level"]] = line["child_key_count"]
    return found

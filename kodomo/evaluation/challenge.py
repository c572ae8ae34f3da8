"""A new model against the one that judges, on the same past dates and children (analysis side).

Both learn by their recipes with what was known on the past date, or earlier where a recipe says so, and are held
against the registrations that followed. The difference has an interval over whole households. Nothing is decided
here: two people promote a model or leave it (``governance.champion``).
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.evaluation.backtest import past_date
from kodomo.evaluation.metrics import auroc, average_precision, recall_at, with_interval_of_difference
from kodomo.evaluation.outcomes import Array, Outcome, outcome
from kodomo.evaluation.staff_score import Verdict, verdict_of
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.data_until import check_followed
from kodomo.features.dates import window_start
from kodomo.governance.champion import champion
from kodomo.governance.criteria_versions import keep_copy
from kodomo.governance.models import COMPARISON, approval_of, model_folder, write_beside
from kodomo.governance.register import Register, read_register
from kodomo.governance.rules import standing_rules
from kodomo.governance.suppression import Suppression
from kodomo.judgement.audit_draw import known_draws
from kodomo.judgement.capacities import capacities
from kodomo.judgement.combine import standing
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import Judged, first_fact, judge
from kodomo.judgement.labels import Cases, read_cases
from kodomo.judgement.model_card import Facts, write_cards
from kodomo.judgement.recipe import (
    Recipe,
    criteria_of,
    keep_recipe,
    present_recipe,
    read_recipe,
    study_recipe,
)
from kodomo.judgement.run import learned_summary
from kodomo.judgement.saving import save_models
from kodomo.judgement.tables import range_summary
from kodomo.progress import Progress
from kodomo.store.database import Snapshot, Store
from kodomo.terms import Method, Purpose

STEP_MONTHS = 3
Beat = Callable[[dict[str, object]], None] | None


@dataclass(frozen=True)
class Ground:
    """What both models are compared on."""

    home: Home
    municipality: Municipality
    register: Register
    draws: pa.Table
    snapshot: Snapshot
    cases: Cases
    as_of: dt.date
    months: int

    def judged(self, recipe: Recipe, criteria: Criteria, day: dt.date | None) -> Judged:
        """The cohort of a day judged by a recipe as it would have been learned then; None for its own day."""
        words: dict[str, Any] = {
            "home": self.home,
            "register": self.register,
            "draws": self.draws,
            "criteria": criteria,
        }
        studied = study_recipe(recipe, on=self.as_of, until=day, **words)
        may = lawful_for(self.register, Purpose.JUDGE, self.as_of)
        types = self.municipality.types
        return judge(
            self.snapshot, day or recipe.as_of, criteria, types, may_judge=may, studied=studied, spill=self.home.spill
        )


def challenge(
    *, home: Home, municipality: Municipality, as_of: dt.date, at: dt.datetime, dates: int = 1, beat: Beat = None
) -> dict[str, object]:
    """Learn a new model from what is known now and compare it with the one that judges.

    Reads the store, the criteria at hand (approved or not: that is asked at promotion) and the book. Writes the model,
    its recipe, ``comparison.json``, the model card and the register sheet under ``models/<version>/``; no judgement.

    Args:
        dates: on how many past dates to compare, three months apart.

    Raises:
        NotReady: nothing is published, the store is too young, or nothing could be learned.
    """
    started = time.monotonic()
    snapshot, store = current_snapshot(home), Store(home.store)
    old_data = check_followed(snapshot, as_of)
    criteria, register = read_all_criteria(municipality.criteria_folder), read_register(municipality.folder)
    keep_copy(home, municipality.criteria_folder)
    first = first_fact(snapshot, as_of)
    past, months = past_date(first, as_of)
    draws, chosen = known_draws(store), champion(home)
    recipe = present_recipe(store, snapshot, as_of, criteria, municipality.types, draws, standing_rules(home))
    cases = read_cases(snapshot, criteria.labels).known_by(as_of)
    ground = Ground(home, municipality, register, draws, snapshot, cases, as_of, months)
    days = [day for n in range(dates) if (day := _earlier(past, n)) > first]
    progress = Progress("比較", 1 + 2 * len(days), unit="工程", beat=beat)
    new = ground.judged(recipe, criteria, None)
    summary = learned_summary(new)
    version = save_models(home.store, new, summary)
    if version is None:
        raise NotReady(
            "把握事例が少なく、学べるものがありませんでした。", then="把握事例が増えてから、やり直してください。"
        )
    keep_recipe(home.store, version, recipe)
    progress.add()
    pairs = _pairs(
        ground, recipe, criteria, None if chosen is None else read_recipe(home.store, chosen), days, progress
    )
    report = _report(version, chosen, pairs, days, ground)
    write_beside(
        model_folder(home, version), COMPARISON, json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True)
    )
    facts = Facts(municipality, register, criteria, recipe, new.children)
    people = approval_of(home, municipality, version)
    manifest = {"learned": summary, "criteria": {"approved_by": people["criteria"]}, "approved_by": people["model"]}
    manifest |= {"ranges": range_summary(new, capacities(municipality))}
    card, sheet = write_cards(home.store, version, facts, manifest, report)
    progress.close()
    return {
        **report,
        "old_data": old_data,
        "card": str(card),
        "register_sheet": str(sheet),
        "seconds": round(time.monotonic() - started, 2),
    }


def _earlier(past: dt.date, steps: int) -> dt.date:
    return past if not steps else window_start(past, STEP_MONTHS * steps) - dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """One type on all past dates: each child's two scores, its outcome and its household."""

    one: Array
    other: Array
    positive: Array
    group: NDArray[np.object_]


def _pairs(
    ground: Ground,
    recipe: Recipe,
    criteria: Criteria,
    former: Recipe | None,
    days: list[dt.date],
    progress: Progress,
) -> dict[str, Pair]:
    """The challenger beside the champion, or beside the staff's points where no model was promoted."""
    found: dict[str, list[Pair]] = {}
    for day in days:
        new = ground.judged(recipe, criteria, day)
        progress.add()
        old = None if former is None else ground.judged(former, criteria_of(former, ground.home), day)
        progress.add()
        for kind in new.types:
            one = outcome(new, kind, ground.cases, ground.months)
            there = None if old is None else next((k for k in old.types if k.type is kind.type), None)
            other = one if old is None or there is None else outcome(old, there, ground.cases, ground.months)
            method = Method.SCENARIO if old is None else Method.COMBINED
            if old is None or there is not None:
                found.setdefault(kind.type.value, []).append(_pair(one, other, method))
    return {kind: _together(parts) for kind, parts in found.items()}


def _pair(one: Outcome, other: Outcome, method: Method) -> Pair:
    """The children both judged."""
    place = {key: n for n, key in enumerate(other.keys)}
    rows = np.array([n for n, key in enumerate(one.keys) if key in place], dtype=np.intp)
    same = np.array([place[one.keys[n]] for n in rows], dtype=np.intp)
    scores = one.scores[Method.COMBINED.value][rows], other.scores[method.value][same]
    return Pair(*scores, one.positive[rows], one.group[rows])


def _together(parts: list[Pair]) -> Pair:
    return Pair(*(np.concatenate([getattr(part, name) for part in parts]) for name in Pair.__dataclass_fields__))


def _report(
    version: str, chosen: str | None, pairs: Mapping[str, Pair], days: list[dt.date], ground: Ground
) -> dict[str, Any]:
    rule = Suppression(ground.municipality.suppression_threshold, ground.municipality.rounding_base)
    share = ground.municipality.capacity_high + ground.municipality.capacity_middle
    generator = np.random.default_rng(20260401)
    types = {kind: _compared(pair, share, rule, generator) for kind, pair in pairs.items()}
    together = _compared(_by_place(pairs), share, rule, generator) if pairs else None
    return {
        "version": version,
        "champion": chosen,
        "dates": [day.isoformat() for day in days],
        "months_after": ground.months,
        "as_of": ground.as_of.isoformat(),
        "types": types,
        "together": together,
        "sentence": sentence(types, together, against_model=chosen is not None),
    }


def _by_place(pairs: Mapping[str, Pair]) -> Pair:
    """All types in one: each child's place within its type, so that types with few cases say something together."""

    def places(scores: Array) -> Array:
        return standing(scores, np.ones(len(scores), dtype=bool))

    everyone = [Pair(places(p.one), places(p.other), p.positive, p.group) for p in pairs.values()]
    return _together(everyone)


def _compared(pair: Pair, share: float, rule: Suppression, generator: np.random.Generator) -> dict[str, Any]:
    """Differences of one type; none where the cases are few."""
    cases = int(pair.positive.sum())
    counted = {"children": rule.count(len(set(pair.group))), "cases": rule.count(cases)}
    if cases <= rule.threshold:
        return {**counted, "suppressed": True, "verdict": None}

    def recall(scores: Array, positive: Array) -> float:
        return recall_at(scores, positive, max(1, int(len(scores) * share)))

    words = (pair.one, pair.other, pair.positive, pair.group, generator)
    figures = {
        "auroc": with_interval_of_difference(auroc, *words),
        "average_precision": with_interval_of_difference(average_precision, *words),
        "recall": with_interval_of_difference(recall, *words),
    }
    verdict = verdict_of(figures["auroc"], is_used=bool(np.any(pair.one != pair.other)))
    return {
        **counted,
        "suppressed": False,
        "verdict": verdict.value,
        **{name: figure.as_list() for name, figure in figures.items()},
    }


def sentence(types: Mapping[str, Mapping[str, Any]], together: Mapping[str, Any] | None, *, against_model: bool) -> str:
    """What the comparison comes to, in one sentence that promises nothing."""
    said = [body["verdict"] for body in types.values()]
    count = {verdict: said.count(verdict.value) for verdict in Verdict}
    other = "現用のモデル" if against_model else "職員の点数表"
    return (
        f"{other}と比べ、順位の正しさが 95 %の幅でも上回る類型 {count[Verdict.BEATS]}、下回る類型 {count[Verdict.LOSES]}、"
        f"差があるとはいえない類型 {count[Verdict.UNSURE]}、同じ判定の類型 {count[Verdict.SAME]}、"
        f"登録が少なく比べられない類型 {said.count(None)}。{_all_types(together)}"
    )


def _all_types(together: Mapping[str, Any] | None) -> str:
    if together is None or together["suppressed"]:
        return "すべての類型をあわせても、登録が少なく比べられない。"
    value, low, high = together["auroc"]
    return f"すべての類型をあわせた順位の正しさの差は {value:+.3f}(95 %の幅 {low:+.3f}–{high:+.3f})。"

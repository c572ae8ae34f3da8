"""Judges a past date with what was known then, and compares with what the city recognised afterwards (analysis side).

What this can say: how many of the children the city itself recognised later stood within review capacity
before. What it cannot: how many children in difficulty nobody ever recognised. The page says so.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.evaluation.contact import without_contact
from kodomo.evaluation.drift import Shift, score_shifts, shifts
from kodomo.evaluation.figures import places_of, type_report
from kodomo.evaluation.groups import check_groups, divisions
from kodomo.evaluation.items import item_lines
from kodomo.evaluation.misjudged import misjudged
from kodomo.evaluation.missed_cases import missed_report, reviews
from kodomo.evaluation.outcomes import Outcome, outcome, overall_outcome
from kodomo.evaluation.report import write_page
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.data_until import check_followed
from kodomo.features.dates import month_index, window_start
from kodomo.features.matrix import feature_matrix
from kodomo.governance.approvals import Matter
from kodomo.governance.criteria_versions import standing
from kodomo.governance.register import read_register
from kodomo.governance.rules import standing_rules
from kodomo.governance.suppression import Suppression
from kodomo.judgement.audit_draw import known_draws
from kodomo.judgement.capacities import Capacities, capacities
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import Judged, first_fact, judge
from kodomo.judgement.labels import read_cases
from kodomo.judgement.recipe import present_recipe, study_recipe
from kodomo.judgement.run import learned_summary
from kodomo.progress import Progress
from kodomo.store.database import Store
from kodomo.terms import Purpose

KIND = "evaluations"
CASES = "cases.json"
Beat = Callable[[dict[str, object]], None] | None


def evaluate(
    *, home: Home, municipality: Municipality, as_of: dt.date, at: dt.datetime, beat: Beat = None
) -> dict[str, object]:
    """Judge a past date again and measure against the registrations that followed until ``as_of``.

    Reads the current snapshot, criteria and register. Writes JSON and a page under ``evaluations/``; small
    counts are suppressed in both. Beside them ``cases.json``: the cases missed and the children raised for nothing
    known yet, one by one, pseudonymous. The past date is judged as on that day: facts, labels and learning
    known later take no part.

    Raises:
        NotReady: nothing is published, the date lies beyond all data, or the store is too young for a past date.
    """
    started = time.monotonic()
    snapshot = current_snapshot(home)
    old_data = check_followed(snapshot, as_of)
    criteria = read_all_criteria(municipality.criteria_folder)
    check_groups(municipality, criteria.catalogue)
    register = read_register(municipality.folder)
    may = lawful_for(register, Purpose.JUDGE, as_of)
    past, months = past_date(first_fact(snapshot, as_of), as_of)
    store = Store(home.store)
    draws = known_draws(store)
    progress = Progress("検証", 5 + 5 * len(municipality.types), unit="工程", beat=beat)
    judged = judge(
        snapshot,
        past,
        criteria,
        municipality.types,
        may_judge=may,
        studied=study_recipe(
            present_recipe(store, snapshot, past, criteria, municipality.types, draws, standing_rules(home)),
            home=home,
            register=register,
            draws=draws,
            on=as_of,
            criteria=criteria,
            step=lambda what: progress.add(),
        ),
        spill=home.spill,
        step=lambda what: progress.add(),
    )
    cases = read_cases(snapshot, criteria.labels).known_by(as_of)
    captions = {line["source"]: line["caption"] for line in snapshot.read("sources").to_pylist()}
    outcomes = [outcome(judged, kind, cases, months) for kind in judged.types]
    report = measure(judged, outcomes, criteria, municipality, months, captions)
    progress.add()
    report["items"] = item_lines(judged, outcomes, criteria, municipality, register)
    progress.add()
    report["missed"] = missed_report(
        reviews(draws, returned_decisions(store), cases, as_of),
        Suppression(municipality.suppression_threshold, municipality.rounding_base),
    )
    report["criteria"]["approval"] = standing(home, municipality, Matter.CRITERIA).state.value
    now = feature_matrix(snapshot, [as_of], criteria.catalogue, criteria.expectations, allows=may, spill=home.spill)
    report["drift"] = [drift_line(shift) for shift in shifts(judged.matrix, now)]
    report["score_drift"] = [drift_line(shift) for shift in score_shifts(judged, now, criteria)]
    progress.add()
    report |= {"old_data": old_data, "as_of": as_of.isoformat(), "snapshot": snapshot.snapshot_id, "at": at.isoformat()}
    folder = home.store / KIND / f"{as_of.isoformat()}.{snapshot.snapshot_id}.{criteria.sha256[:12]}"
    lines = misjudged(judged, outcomes, capacities(municipality), captions)
    files = _written(folder, report, lines, municipality.name)
    progress.close()
    return {
        "as_of": as_of.isoformat(),
        "past_date": past.isoformat(),
        "months_after": months,
        **files,
        "types": {kind: body["methods"] for kind, body in report["types"].items()},
        "staff_score": {kind: body["staff_score"] for kind, body in report["types"].items()},
        "missed": report["missed"],
        "old_data": old_data,
        "seconds": round(time.monotonic() - started, 2),
    }


def _written(folder: Path, report: dict[str, Any], lines: list[dict[str, Any]], municipality: str) -> dict[str, str]:
    """Where the report, its page and the list of cases were written."""
    files = {"json": folder / "report.json", "page": folder / "report.html", "cases": folder / CASES}
    folder.mkdir(parents=True, exist_ok=True)
    files["json"].write_text(json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
    write_page(report, files["page"], municipality)
    files["cases"].write_text(json.dumps(lines, ensure_ascii=False, indent=1), "utf-8")
    return {name: str(file) for name, file in files.items()}


def returned_decisions(store: Store) -> pa.Table | None:
    """What people decided, as casework returned it last; None where nothing was."""
    returned = store.current("outcomes")
    return returned.read("decisions") if returned is not None else None


def past_date(first: dt.date, as_of: dt.date) -> tuple[dt.date, int]:
    """The past date to judge, and how many months lie after it: 12 where the store allows, else 6.

    Raises:
        NotReady: less than 6 months of facts would lie before it.
    """
    span = month_index(as_of) - month_index(first) + 1
    months = 12 if span >= 30 else 6
    if span < months + 6:
        raise NotReady(
            "過去の日付で検証できるだけの期間の事実が、こどもデータベースにありません。",
            where=f"基準日 {as_of.isoformat()} までに月ごとに届いている事実は {first.isoformat()} ごろから",
            then="12か月分以上の抽出データを受け取ってから、もう一度実行してください。",
        )
    return window_start(as_of, months) - dt.timedelta(days=1), months


def measure(
    judged: Judged,
    outcomes: Sequence[Outcome],
    criteria: Criteria,
    municipality: Municipality,
    months: int,
    captions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """All figures of one past date, counts suppressed; ``captions`` are the sources' Japanese names."""
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    places = capacities(municipality)
    every = [*outcomes, overall_outcome(judged, outcomes)]
    generator = np.random.default_rng(judged.plan.seed)
    parts = divisions(judged, municipality)
    return {
        "past_date": judged.as_of.isoformat(),
        "months_after": months,
        "criteria": {"version": criteria.scenarios.version, "note": criteria.scenarios.note, "sha256": criteria.sha256},
        "capacity": {"high": places.everybody.high, "middle": places.everybody.middle},
        "suppression": {"threshold": rule.threshold, "rounding": rule.base},
        "learned": learned_summary(judged),
        "children": rule.count(len(judged.matrix.cohort)),
        "coverage": _coverage(judged, captions or {}),
        "types": {
            o.type: type_report(o, parts, places.of_type(o.type), rule, generator, months)
            | {"without_contact": without_contact(judged, o, criteria, _places(o, places), rule, generator)}
            for o in every
        },
    }


def _places(one: Outcome, places: Capacities) -> int:
    return sum(places_of(len(one.keys), places.of_type(one.type)))


def drift_line(shift: Shift) -> dict[str, Any]:
    """One indicator's change as a line of the report."""
    return {
        "indicator": shift.code,
        "caption": shift.caption,
        "index": round(shift.index, 4),
        "state": shift.state,
        "missing_then": round(shift.missing_then, 3),
        "missing_now": round(shift.missing_now, 3),
    }


def _coverage(judged: Judged, captions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Per source, the share of the children expected in it whom it knows freshly."""
    knowledge = judged.knowledge
    lines = []
    for n, source in enumerate(knowledge.sources):
        expected = knowledge.expected[:, n]
        if expected.any():
            share = float(knowledge.fresh[expected, n].mean())
            lines.append({"source": source, "caption": captions.get(source, source), "share": round(share, 3)})
    return lines

"""Judges a past date with what was known then, and compares with what the city recognised afterwards (analysis side).

What this can say: how many of the children the city itself recognised later stood within review capacity
before. What it cannot: how many children in difficulty nobody ever recognised. The page says so.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.evaluation.drift import Shift, shifts
from kodomo.evaluation.metrics import (
    Figure,
    auroc,
    average_precision,
    brier,
    calibration_error,
    precision_at,
    recall_at,
    with_interval,
)
from kodomo.evaluation.report import write_page
from kodomo.evaluation.worth import Watched, worth_of_items
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.dates import month_index, window_start
from kodomo.features.matrix import feature_matrix
from kodomo.governance.register import Register, read_register
from kodomo.governance.suppression import Suppression
from kodomo.judgement.combine import probability
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import Judged, TypeJudgement, first_fact, judge
from kodomo.judgement.labels import Cases, mark, read_cases
from kodomo.judgement.learning import CALIBRATE_TO_MONTHS
from kodomo.judgement.levels import Capacity
from kodomo.judgement.run import learned_summary
from kodomo.progress import Progress
from kodomo.terms import OVERALL, AgeBand, Method, Purpose, difficulty_label

KIND = "evaluations"
SMALLEST_GROUP = 10
"""Groups with fewer known cases than this are not compared (measurements: minimum cell 10)."""
HIDDEN = Figure(float("nan"), float("nan"), float("nan"))
Array = NDArray[np.float64]
Beat = Callable[[dict[str, object]], None] | None


@dataclass(frozen=True)
class Outcome:
    """One type on the past date: children not yet registered then, and what became known of them."""

    type: str
    keys: NDArray[np.object_]
    group: NDArray[np.object_]
    scores: dict[str, Array]
    positive: Array
    new: NDArray[np.bool_]
    rows: NDArray[np.intp]


def evaluate(
    *, home: Home, municipality: Municipality, as_of: dt.date, at: dt.datetime, beat: Beat = None
) -> dict[str, object]:
    """Judge a past date again and measure against the registrations that followed until ``as_of``.

    Reads the current snapshot, criteria and register. Writes JSON and a page under ``evaluations/``; small
    counts are suppressed in both. The past date is judged as on that day: facts, labels and learning
    known later take no part.

    Raises:
        NotReady: nothing is published, or the store is too young for a past date.
    """
    started = time.monotonic()
    snapshot = current_snapshot(home)
    criteria = read_all_criteria(municipality.folder)
    register = read_register(municipality.folder)
    past, months = past_date(first_fact(snapshot, as_of), as_of)
    progress = Progress("検証", 5 + 5 * len(municipality.types), unit="工程", beat=beat)
    judged = judge(
        snapshot,
        past,
        criteria,
        municipality.types,
        may_judge=lawful_for(register, Purpose.JUDGE, as_of),
        may_learn=lawful_for(register, Purpose.LEARN, as_of),
        spill=home.spill,
        step=lambda what: progress.add(),
    )
    cases = read_cases(snapshot, criteria.labels).known_by(as_of)
    captions = {line["source"]: line["caption"] for line in snapshot.read("sources").to_pylist()}
    report = measure(judged, cases, criteria, municipality, months, captions)
    progress.add()
    report["items"] = item_lines(judged, cases, criteria, municipality, months, register)
    progress.add()
    may = lawful_for(register, Purpose.JUDGE, as_of)
    now = feature_matrix(snapshot, [as_of], criteria.catalogue, criteria.expectations, allows=may, spill=home.spill)
    report["drift"] = [drift_line(shift) for shift in shifts(judged.matrix, now)]
    progress.add()
    report |= {"as_of": as_of.isoformat(), "snapshot": snapshot.snapshot_id, "at": at.isoformat()}
    folder = home.store / KIND / f"{as_of.isoformat()}.{snapshot.snapshot_id}.{criteria.sha256[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
    page = write_page(report, folder / "report.html", municipality.name)
    progress.close()
    return {
        "as_of": as_of.isoformat(),
        "past_date": past.isoformat(),
        "months_after": months,
        "json": str(folder / "report.json"),
        "page": str(page),
        "types": {kind: body["methods"] for kind, body in report["types"].items()},
        "seconds": round(time.monotonic() - started, 2),
    }


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
            where=f"事実は {first.isoformat()} ごろから",
            then="12か月分以上の抽出データを受け取ってから、もう一度実行してください。",
        )
    return window_start(as_of, months) - dt.timedelta(days=1), months


def measure(
    judged: Judged,
    cases: Cases,
    criteria: Criteria,
    municipality: Municipality,
    months: int,
    captions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """All figures of one past date, counts suppressed; ``captions`` are the sources' Japanese names."""
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    capacity = Capacity(municipality.capacity_high, municipality.capacity_middle)
    outcomes = [outcome(judged, kind, cases, months) for kind in judged.types]
    outcomes.append(_overall_outcome(judged, outcomes))
    generator = np.random.default_rng(judged.plan.seed)
    return {
        "past_date": judged.as_of.isoformat(),
        "months_after": months,
        "criteria": {"version": criteria.scenarios.version, "note": criteria.scenarios.note, "sha256": criteria.sha256},
        "capacity": {"high": capacity.high, "middle": capacity.middle},
        "suppression": {"threshold": rule.threshold, "rounding": rule.base},
        "learned": learned_summary(judged),
        "children": rule.count(len(judged.matrix.cohort)),
        "coverage": _coverage(judged, captions or {}),
        "types": {o.type: _type_report(o, judged, capacity, rule, generator, months) for o in outcomes},
    }


def item_lines(
    judged: Judged, cases: Cases, criteria: Criteria, municipality: Municipality, months: int, register: Register
) -> list[dict[str, Any]]:
    """Every item beside its sensitivity: of the later cases within capacity, the share lost without it.

    Types with too few cases take no part; an item that serves none of the others has no figure.
    """
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    capacity = Capacity(municipality.capacity_high, municipality.capacity_middle)
    found = [outcome(judged, kind, cases, months) for kind in judged.types]
    watched = [
        Watched(o.type, o.rows, o.positive, sum(_places(len(o.keys), capacity)))
        for o in found
        if o.positive.sum() > rule.threshold
    ]
    return [
        {
            "item": worth.item,
            "caption": register.caption(worth.item),
            "sensitivity": register.items[worth.item].sensitivity.label if worth.item in register.items else "",
            "types": [difficulty_label(kind) for kind in worth.lost],
            "lost_share": round(worth.lost_share, 3) if sum(worth.reached.values()) > rule.threshold else None,
        }
        for worth in worth_of_items(judged, criteria, watched)
    ]


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


def _places(size: int, capacity: Capacity) -> tuple[int, int]:
    """How many children stand in 高 and in 中."""
    return tuple(max(1, int(size * share)) if size else 0 for share in (capacity.high, capacity.middle))  # type: ignore[return-value]


def outcome(judged: Judged, kind: TypeJudgement, cases: Cases, months: int) -> Outcome:
    """Children judged for a type and not yet registered for it, and who was registered within the months after.

    ``cases`` are those known by the day of the evaluation.
    """
    marks = mark(cases, kind.type, judged.matrix.cohort, months)
    # A registration on its way on the past date is neither found nor missed: nobody could know it, nor prevent it.
    rows = kind.rows[~kind.registered[kind.rows] & (marks.pending[kind.rows] < 1)]
    scores = {
        Method.SCENARIO.value: kind.scenario.score[rows],
        Method.COMBINED.value: probability(kind.combination.logit)[rows],
    }
    scores |= {method.value: probability(said)[rows] for method, said in kind.combination.learned.items()}
    positive = (marks.onset[rows] >= 1).astype(np.float64)
    keys = judged.matrix.cohort.child_key[rows]
    return Outcome(
        kind.type.value, keys, judged.groups[rows], scores, positive, ~judged.is_known_to_support[rows], rows
    )


def _overall_outcome(judged: Judged, outcomes: list[Outcome]) -> Outcome:
    """総合: registered for any type within the months after, among children registered for none."""
    rows = np.flatnonzero(~judged.is_council_registered)
    positive = np.zeros(len(judged.matrix.cohort))
    for one in outcomes:
        positive[one.rows[one.positive > 0]] = 1.0
    scores = {Method.COMBINED.value: judged.overall[rows]}
    keys = judged.matrix.cohort.child_key[rows]
    return Outcome(OVERALL, keys, judged.groups[rows], scores, positive[rows], ~judged.is_known_to_support[rows], rows)


def _type_report(
    one: Outcome, judged: Judged, capacity: Capacity, rule: Suppression, generator: np.random.Generator, months: int
) -> dict[str, Any]:
    size, cases = len(one.keys), int(one.positive.sum())
    high, middle = _places(size, capacity)
    both = high + middle
    methods = {
        name: _method_report(one, scores, {"high": high, "middle": both}, rule, generator, months)
        for name, scores in sorted(one.scores.items())
    }
    return {
        "caption": difficulty_label(one.type),
        "children": rule.count(size),
        "cases": rule.count(cases),
        "cases_not_known_to_support": rule.count(int((one.positive[one.new] > 0).sum())),
        "places": {"high": high, "middle": both},
        "enough_cases": cases > rule.threshold,
        "methods": methods,
        "curve": _curve(one, rule),
        "groups": _groups(one, judged, both, rule),
    }


def _method_report(
    one: Outcome, scores: Array, places: dict[str, int], rule: Suppression, generator: np.random.Generator, months: int
) -> dict[str, Any]:
    """Figures of one method; none where the cases are so few that they could be counted back."""
    if one.positive.sum() <= rule.threshold:
        return {"suppressed": True}
    measured: dict[str, Figure] = {
        "auroc": with_interval(auroc, scores, one.positive, one.group, generator),
        "average_precision": with_interval(average_precision, scores, one.positive, one.group, generator),
    }
    new = one.positive * one.new
    for level, number in places.items():
        share = number / max(len(scores), 1)
        for name, figure, positive in (
            ("precision", precision_at, one.positive),
            ("recall", recall_at, one.positive),
            ("new_found", precision_at, new),
        ):
            if _is_small(scores, positive, number, rule):
                measured[f"{name}_{level}"] = HIDDEN
            else:
                at_share = partial(_at_share, figure, share)
                measured[f"{name}_{level}"] = with_interval(at_share, scores, positive, one.group, generator)
    return {
        "suppressed": False,
        **{name: figure.as_list() for name, figure in measured.items()},
        **_probability_figures(one, scores, months),
    }


def _is_small(scores: Array, positive: Array, places: int, rule: Suppression) -> bool:
    """Whether a figure would give away a small number of children found."""
    hits = precision_at(scores, positive, places) * places
    return rule.count(int(np.ceil(hits))) is None


def _probability_figures(one: Outcome, scores: Array, months: int) -> dict[str, float | None]:
    """Brier and calibration against the same months; 総合 is a place among children, not a probability."""
    if one.type == OVERALL:
        return {"brier": None, "calibration_error": None}
    expected = 1 - (1 - scores) ** (months / CALIBRATE_TO_MONTHS)
    return {
        "brier": round(brier(expected, one.positive), 5),
        "calibration_error": round(calibration_error(expected, one.positive), 5),
    }


def _at_share(figure: Callable[[Array, Array, int], float], share: float, scores: Array, positive: Array) -> float:
    return figure(scores, positive, max(1, int(len(scores) * share)))


def _curve(one: Outcome, rule: Suppression) -> list[dict[str, float]]:
    """Capacity curve: reviewing so many children reaches this share of the later cases."""
    if one.positive.sum() <= rule.threshold:
        return []
    scores = one.scores[Method.COMBINED.value]
    steps = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
    places = {s: max(1, int(len(scores) * s)) for s in steps}
    shown = [s for s, number in places.items() if not _is_small(scores, one.positive, number, rule)]
    return [{"share": s, "recall": round(recall_at(scores, one.positive, places[s]), 4)} for s in shown]


def _groups(one: Outcome, judged: Judged, places: int, rule: Suppression) -> dict[str, list[dict[str, Any]]]:
    """Flagged share and recall per group; nothing that rests on a small count is shown."""
    cohort = judged.matrix.cohort
    scores = one.scores[Method.COMBINED.value]
    flagged = np.zeros(len(scores), dtype=bool)
    flagged[np.lexsort((one.keys.astype(str), -scores))[:places]] = True
    names = {
        "性別": {"F": "女", "M": "男"},
        "年齢区分": {band.value: band.label for band in AgeBand},
        "国籍": {"True": "外国籍", "False": "日本国籍"},
        "ひとり親相当": {"1.0": "おとなが一人の世帯", "0.0": "その他の世帯"},
    }
    values = {
        "性別": cohort.sex,
        "年齢区分": cohort.band,
        "国籍": cohort.is_foreign,
        "ひとり親相当": judged.matrix.column("one_adult") if "one_adult" in judged.matrix.codes else None,
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for name, labels in names.items():
        column = values[name]
        if column is None:
            continue
        own = np.array([str(v) for v in column[one.rows]])
        found[name] = [_group_line(label, own == value, flagged, one.positive, rule) for value, label in labels.items()]
    return found


def _group_line(
    label: str, members: NDArray[np.bool_], flagged: NDArray[np.bool_], positive: Array, rule: Suppression
) -> dict[str, Any]:
    size, chosen = int(members.sum()), int((members & flagged).sum())
    cases = int(positive[members].sum())
    hits = int(positive[members & flagged].sum())
    return {
        "group": label,
        "children": rule.count(size),
        "flagged_share": _rounded(rule.share(chosen, size)),
        "recall": _rounded(rule.share(hits, cases)) if cases >= SMALLEST_GROUP else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


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

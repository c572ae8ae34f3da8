"""判定の検証: how well a past judgement foresaw what became known, for whom, and whether its inputs still look alike (casework side).

Reads the reports ``kodomo evaluate`` left in the store. They hold no child: counts are suppressed where they are made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.governance.permissions import Action
from kodomo.governance.suppression import SUPPRESSED_MARK
from kodomo.operations import charts
from kodomo.terms import OVERALL, Method

FIGURES = {
    "auroc": "順位の正しさ", "average_precision": "平均適合率",
    "precision_high": "「高」の枠での的中", "recall_high": "「高」の枠で届いた割合",
    "precision_middle": "「高」「中」の枠での的中", "recall_middle": "「高」「中」の枠で届いた割合",
    "new_found_high": "「高」の枠での新たな発見", "new_found_middle": "「高」「中」の枠での新たな発見",
}  # fmt: skip
"""Figures of a method, in the words of the committee's page."""

LOOK, DECIDE = 0.10, 0.25
"""From here a shift of an indicator asks for a look, and for a decision (the report's own reading of the index)."""

STEADY = "安定"
MOST_SHIFTS = 20


@require_safe
def evaluations(request: Any) -> HttpResponse:
    """Lead to the newest report; where there is none, say how one is made."""
    names = report_names()
    return redirect("evaluation", names[0]) if names else render(request, "operations/no_evaluation.html")


@require_safe
def evaluation(request: Any, name: str) -> HttpResponse:
    """One report with its charts, each beside its table."""
    if name not in report_names():
        raise Http404
    report = json.loads((_folder() / name / "report.json").read_text(encoding="utf-8"))
    context = {
        "name": name,
        "others": [{"name": other, "as_of": other.partition(".")[0]} for other in report_names()],
        "report": report,
        "children": _people(report["children"]),
        "overview": _overview(report["types"]),
        "types": [_type(kind, body) for kind, body in _ordered(report["types"])],
        "coverage": _coverage(report.get("coverage", [])),
        "items": [{**x, "lost": _share(x["lost_share"])} for x in report.get("items", [])],
        "drift": _drift(report.get("drift", [])),
        "missed": _missed(report.get("missed")),
    }
    trail.record_first(trail.event_of(request.actor, Action.VIEW_EVALUATION, detail={"what": name}), request.at)
    return render(request, "operations/evaluation.html", context)


def report_names() -> list[str]:
    """Names of the reports in the store, newest first."""
    folder = _folder()
    found = list(folder.glob("*/report.json"))
    return [path.parent.name for path in sorted(found, key=lambda p: p.stat().st_mtime_ns, reverse=True)]


def _folder() -> Path:
    home: Any = settings.HOME
    return Path(home.store) / "evaluations"


def _ordered(types: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(types.items(), key=lambda entry: (entry[0] != OVERALL, entry[0]))


def _overview(types: Mapping[str, Any]) -> dict[str, Any]:
    """The combined judgement's ranking, type by type."""
    rows: list[charts.Interval] = []
    for _, body in _ordered(types):
        figures = body["methods"].get(Method.COMBINED, {})
        if body["enough_cases"] and figures.get("auroc", [None])[0] is not None:
            rows.append((body["caption"], *figures["auroc"]))
    words = [{"label": label, "words": _interval([value, low, high])} for label, value, low, high in rows]
    return {"chart": charts.intervals(rows, "類型ごとの、順位の正しさ") if rows else "", "rows": words}


def _type(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": kind, "caption": body["caption"], "children": _people(body["children"]), "cases": _people(body["cases"]),
        "new": _people(body["cases_not_known_to_support"]), "places": body["places"], "enough": body["enough_cases"],
    }  # fmt: skip
    if not body["enough_cases"]:
        return told
    methods = [m for m in (Method.COMBINED, *(m for m in Method if m is not Method.COMBINED)) if m in body["methods"]]
    told["methods"] = [m.label for m in methods]
    told["figures"] = [
        {"words": words, "values": [_interval(body["methods"][m][key]) for m in methods]}
        for key, words in FIGURES.items()
    ]
    points = [(p["share"], p["recall"]) for p in body["curve"]]
    told["curve"] = charts.curve(points, f"{body['caption']}: 確認する割合と届く割合") if points else ""
    told["points"] = [{"share": f"{x:.0%}", "reached": f"{y:.0%}"} for x, y in points]
    told["groups"] = [_group(name, lines) for name, lines in body["groups"].items()]
    return told


def _group(name: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One division of children: which share of each part was raised, and which share of the later cases reached."""
    shown = [(line["group"], line["flagged_share"]) for line in lines if line["flagged_share"] is not None]
    most = max((value for _, value in shown), default=0.0)
    caption = f"{name}: 「高」「中」に入った割合"
    rows = [
        {"group": line["group"], "children": _count(line["children"]), "flagged": _share(line["flagged_share"]),
         "reached": _share(line["recall"])}
        for line in lines
    ]  # fmt: skip
    return {"name": name, "rows": rows, "chart": charts.bars(shown, caption, most=most, form=".1%") if most else ""}


def _coverage(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [(line["caption"], line["share"]) for line in sorted(lines, key=lambda line: line["share"])]
    chart = charts.bars(rows, "出所ごとの、情報のそろい具合", most=1.0) if rows else ""
    return {"chart": chart, "rows": [{"caption": caption, "share": f"{share:.0%}"} for caption, share in rows]}


def _drift(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The indicators that moved most; the steady ones are counted only."""
    moved = [line for line in lines if line["state"] != STEADY]
    shown = moved[:MOST_SHIFTS]
    most = max([line["index"] for line in shown] + [2 * DECIDE])
    chart = charts.bars([(line["caption"][:11], line["index"]) for line in shown], "指標の変化の大きさ", most=most,
                        limits=(LOOK, DECIDE), form=".2f")  # fmt: skip
    rows = [
        {**line, "index": f"{line['index']:.2f}", "then": f"{line['missing_then']:.0%}", "now": f"{line['missing_now']:.0%}"}
        for line in shown
    ]  # fmt: skip
    return {"chart": chart if shown else "", "rows": rows, "steady": len(lines) - len(moved), "all": len(lines)}


def _missed(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What random draws say of children nobody raised; None where nothing was drawn yet."""
    if not found or not found["rounds"]:
        return None
    value, low, high = found["rate"]
    return {**found, "words": None if value is None else f"{value:.1%}(95 %の幅 {low:.1%}–{high:.1%})"}


def _interval(values: Sequence[float | None]) -> str:
    value, low, high = values
    if value is None:
        return SUPPRESSED_MARK
    return f"{value:.3f}" + ("" if low is None or high is None else f"({low:.3f}–{high:.3f})")


def _count(value: int | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:,}"


def _people(value: int | None) -> str:
    return "秘匿の人数" if value is None else f"{value:,} 人"


def _share(value: float | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:.1%}"

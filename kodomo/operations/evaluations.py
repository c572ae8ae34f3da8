"""判定の検証: how well a past judgement foresaw what became known, for whom, and whether its inputs still look alike (casework side).

Reads the reports ``kodomo evaluate`` left in the store. They hold no child: counts are suppressed where they are made.
Only the list of what was missed speaks of single children, to whom all cases are open, by their case's number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.assessment.lawful import Lawful, lawful_at
from kodomo.assessment.models import Case
from kodomo.assessment.shortlist import visible_cases
from kodomo.governance.permissions import Action, can
from kodomo.governance.suppression import SUPPRESSED_MARK
from kodomo.operations import charts
from kodomo.terms import OVERALL, Level, Method, difficulty_label

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
CASES = "cases.json"
"""What ``kodomo evaluate`` writes of single children, beside the report."""
KINDS = {
    "MISSED": "枠に入らなかった登録",
    "RAISED": "「高」で、登録のないこども",
}
CASES_ON_A_PAGE = 30
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
        "items": [
            {**x, "lost": _share(x["lost_share"]), "changed": _share(x.get("changed_share"))}
            for x in report.get("items", [])
        ],
        "items_hidden": all(x["lost_share"] is None for x in report.get("items", [])),
        "drift": _drift(report.get("drift", [])),
        "missed": _missed(report.get("missed")),
        "score_drift": report.get("score_drift", []),
        "has_cases": can(request.actor.role, Action.VIEW_MISJUDGED) and (_folder() / name / CASES).exists(),
    }
    trail.record_first(trail.event_of(request.actor, Action.VIEW_EVALUATION, detail={"what": name}), request.at)
    return render(request, "operations/evaluation.html", context)


@require_safe
def misjudged(request: Any, name: str) -> HttpResponse:
    """The later cases the past judgement did not raise, and those it raised without a registration, one by one."""
    if name not in report_names() or not (_folder() / name / CASES).exists():
        raise Http404
    lines = json.loads((_folder() / name / CASES).read_text(encoding="utf-8"))
    kind = request.GET.get("kind") if request.GET.get("kind") in KINDS else "MISSED"
    types = sorted({line["type"] for line in lines})
    chosen = request.GET.get("type") if request.GET.get("type") in types else ""
    cases = dict(visible_cases(request.actor).values_list("child_key", "case_number"))
    # A case the reader may not list (their own family's) is left out; a child without a case is nobody's.
    hidden = set(Case.objects.values_list("child_key", flat=True)) - set(cases)
    mine = [line for line in lines if line["kind"] == kind and line["child_key"] not in hidden]
    own = [line for line in mine if not chosen or line["type"] == chosen]
    page = Paginator(own, CASES_ON_A_PAGE).get_page(request.GET.get("page"))
    lawful = lawful_at(request.at)
    context = {
        "name": name, "kind": kind, "kinds": KINDS.items(), "type": chosen,
        "types": [(code, difficulty_label(code)) for code in types],
        "page": page, "query": urlencode({"kind": kind, "type": chosen}),
        "rows": [_misjudged_row(line, cases, lawful) for line in page.object_list],
    }  # fmt: skip
    detail = {"what": name, "kind": kind, "type": chosen, "count": len(page.object_list)}
    trail.record_first(trail.event_of(request.actor, Action.VIEW_MISJUDGED, detail=detail), request.at)
    return render(request, "operations/misjudged.html", context)


def _misjudged_row(line: Mapping[str, Any], cases: Mapping[str, str], lawful: Lawful) -> dict[str, Any]:
    def told(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
        return [r["sentence"] for r in reasons if _may_tell(r, line["type"], lawful)]

    return {
        "case_number": cases.get(line["child_key"], ""),
        "type": difficulty_label(line["type"]),
        "level": Level(line["level"]).label,
        "place": f"上位 {max(line['place'], 0.001) * 100:.3g}%",
        "reasons": told(line["reasons"]),
        "against": told(line["against"]),
        "silent": "・".join(line["silent"]),
    }


def _may_tell(reason: Mapping[str, Any], kind: str, lawful: Lawful) -> bool:
    """A fact that must be seen rests on all its conditions' items; it carries but the first one's indicator."""
    if reason["direction"] == "GATE":
        return lawful.may_tell_escalation(reason["sentence"], ())
    return lawful.may_tell_reason({**reason, "type": kind})


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
    told["staff"], told["beats"] = _against_staff(body.get("staff_score"))
    told["expected"] = body.get("expected")
    told["contact"] = _contact(body.get("without_contact"))
    points = [(p["share"], p["recall"]) for p in body["curve"]]
    spread = [(p["share"], *p["range"]) for p in body["curve"] if None not in p.get("range", [None])]
    told["curve"] = charts.curve(points, f"{body['caption']}: 確認する割合と届く割合", spread) if points else ""
    told["points"] = [_cut(point) for point in body["curve"]]
    told["groups"] = [_group(name, lines) for name, lines in body["groups"].items()]
    return told


def _cut(point: Mapping[str, Any]) -> dict[str, str]:
    """One cut of the capacity curve in words; a report of an older form has no interval and no counts."""
    low, high = point.get("range", (None, None))
    spread = "" if low is None or high is None else f"({low:.0%}–{high:.0%})"
    places = f"({point['places']:,} 人)" if "places" in point else ""
    return {"share": f"{point['share'] * 100:.3g}%{places}",
            "reached": f"{point['recall']:.0%}{spread}",
            "found": _count(point["reached"]) if "reached" in point else "",
            "missed": _count(point["missed"]) if "missed" in point else ""}  # fmt: skip


def _against_staff(found: Mapping[str, Any] | None) -> tuple[str, bool]:
    """Whether learning beats the staff's points, in words; and whether it does."""
    if found is None:
        return "", False
    return found.get("words", ""), found["verdict"] == "BEATS"


def _contact(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is left without the indicators that tell of contact; None in a report of an older form."""
    if found is None:
        return None
    changes = {name: _signed(found[f"{name}_change"]) for name in ("auroc", "recall")}
    return {
        "captions": "・".join(found["captions"]),
        "number": len(found["captions"]),
        "auroc": _interval(found["auroc"]),
        "changes": changes,
    }


def _signed(values: Sequence[float | None]) -> str:
    value, low, high = values
    if value is None:
        return SUPPRESSED_MARK
    return f"{value:+.3f}" + ("" if low is None or high is None else f"({low:+.3f}〜{high:+.3f})")


def _group(name: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One division of children: which share of each part was raised, and which share of the later cases reached."""
    shown = [(line["group"], line["flagged_share"]) for line in lines if line["flagged_share"] is not None]
    most = max((value for _, value in shown), default=0.0)
    caption = f"{name}: 「高」「中」に入った割合"
    rows = [
        {"group": line["group"], "children": _count(line["children"]), "flagged": _share(line["flagged_share"]),
         "reached": _share(line["recall"]), **_group_figures(line)}
        for line in lines
    ]  # fmt: skip
    return {
        "name": name,
        "rows": rows,
        "hidden": all(r["flagged"] == SUPPRESSED_MARK for r in rows),
        "is_full": any("precision" in r for r in rows),
        "chart": charts.bars(shown, caption, most=most, form=".1%") if most else "",
    }


def _group_figures(line: Mapping[str, Any]) -> dict[str, Any]:
    """A group's figures with their intervals; none in a report of an older form."""
    if "figures" not in line:
        return {}
    shares = ("recall", "precision", "new_found")
    words = {k: _share_interval(v) if k in shares else _interval(v) for k, v in line["figures"].items()}
    expected = line["expected"]
    foreseen = "—"
    if expected:
        low, high = expected["range"]
        foreseen = f"{expected['foreseen']:.0f} 人({low:.0f}〜{high:.0f} 人)"
    return {**words, "reached": words["recall"], "cases": _count(line["cases"]), "foreseen": foreseen,
            "is_off": bool(expected and expected["is_off"]), "is_uneven": line["is_uneven"]}  # fmt: skip


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


def _share_interval(values: Sequence[float | None]) -> str:
    value, low, high = values
    if value is None:
        return SUPPRESSED_MARK
    return f"{value:.1%}" + ("" if low is None or high is None else f"({low:.0%}–{high:.0%})")


def _count(value: int | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:,}"


def _people(value: int | None) -> str:
    return "秘匿の人数" if value is None else f"{value:,} 人"


def _share(value: float | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:.1%}"

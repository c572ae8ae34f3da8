"""判定基準の案: the editor. A draft's lines, indicators and capacity, what it would mean, and two people's approval (casework side)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kodomo.assessment import step_up, trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.lawful import current_register
from kodomo.assessment.policies import NotAcceptable, VersionConflict
from kodomo.errors import StaffError
from kodomo.governance import adoption, approvals
from kodomo.governance.approvals import APPROVERS, Matter, State, Step
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.criteria_text import differences, entries, entry_of, with_entry, with_new_entry
from kodomo.governance.criteria_versions import criteria_version
from kodomo.governance.permissions import Action, Actor, can
from kodomo.operations import drafts
from kodomo.operations.criteria_words import (
    AGGREGATE_WORDS,
    KEY_WORDS,
    TABLE_WORDS,
    act_words,
    captions_of,
    change_lines,
    figure_lines,
    rows_of_type,
    value_words,
    when_words,
)
from kodomo.operations.draft_forms import (
    HIGHEST_POINTS,
    BeginForm,
    CapacityForm,
    EntryForm,
    IndicatorForm,
    PointForm,
    ReasonForm,
    RuleForm,
)
from kodomo.operations.draft_trial import tried_lines
from kodomo.operations.models import CriteriaDraft, DraftState
from kodomo.operations.refusals import told_on
from kodomo.terms import DifficultyType, Purpose

FORMS: Mapping[str, type[EntryForm]] = {"points": PointForm, "escalations": RuleForm, "indicators": IndicatorForm}
FILE_OF = {"points": "scenarios.toml", "escalations": "scenarios.toml", "indicators": "indicators.toml"}
TRIES = 3
LONGEST_NAME = 120
HELP = {
    "points": "多いほど、先に確かめます", "group": "同じまとまりの行は、いちばん重い一つだけを数えます(英数字)",
    "sentence": "こどもの画面に出る文。いまの文の {…} の所に、値が入ります", "source": "文献や調査の名前",
    "note": "次に見直す人へ。判定には使いません", "is_off": "行は残したまま、点に入れません",
    "window_months": "基準日までの何か月を見るか", "number": "例: >= 9",
}  # fmt: skip


class DecideForm(forms.Form):
    """案の承認・取下げ."""

    decision = forms.ChoiceField(
        label="どうしますか", choices=[("APPROVE", "承認する"), ("WITHDRAW", "取り下げる")], widget=forms.RadioSelect
    )
    reason = forms.CharField(label="理由", max_length=400, widget=forms.Textarea(attrs={"rows": 2}))
    password = step_up.PasswordAgain()


@require_safe
def drafts_list(request: Any) -> HttpResponse:
    """Every draft, and where a new one begins."""
    return _list(request, BeginForm())


@require_POST
def begin(request: Any) -> HttpResponse:
    """Begin a draft from the version in force, or from an earlier one."""
    form = BeginForm(request.POST)
    if form.is_valid():
        try:
            given = form.cleaned_data
            made = drafts.begin(by=request.actor, title=given["title"], at=request.at, version=given["version"])
            return redirect("draft", made.pk)
        except NotAcceptable as refusal:
            form.add_error("title", refusal.what)
    return _list(request, form, status=400)


def _list(request: Any, form: BeginForm, status: int = 200) -> HttpResponse:
    names = dict(get_user_model().objects.values_list("username", "name"))
    rows = [(one, names.get(one.begun_by, one.begun_by)) for one in CriteriaDraft.objects.all()[:50]]
    context = {"rows": rows, "form": form, "may_edit": _may_edit(request)}
    return render(request, "operations/drafts.html", context, status=status)


@require_safe
def draft(request: Any, number: int) -> HttpResponse:
    """What the draft changes, what it would mean, and how its approval stands."""
    return _overview(request, _found(number))


@require_http_methods(["GET", "POST"])
def draft_type(request: Any, number: int, kind: str) -> HttpResponse:
    """One type's lines: points and switches together, and the way to each line."""
    if kind not in set(DifficultyType):
        raise Http404
    found, wanted = _found(number), DifficultyType(kind)
    typed: dict[str, Any] | None = None
    told: dict[str, Any] = {}
    if request.method == "POST":
        typed = {name: value[:64] for name, value in request.POST.items()}
        told = _save_points(request, found, wanted, typed)
        if not told:
            return redirect("draft-type", number, kind)
        found.refresh_from_db()
    rows = [_typed_row(row, typed, told) for row in rows_of_type(found.files, wanted)]
    context = {
        "draft": found, "kind": wanted, "types": settings.MUNICIPALITY.types, "rows": rows, "may_edit": _may_edit(request, found),
        "rules": rows_of_type(found.files, wanted, "escalations"), "seen": _mark(request, told.get("status", 200), rows_of_type(found.files, wanted)),
        "faults": told.get("faults", []), "saved": found.saves.last(),
    }  # fmt: skip
    return render(request, "operations/draft_type.html", context, status=told.get("status", 200))


def _mark(request: Any, status: int, now: Any) -> str:
    """What a form was opened with: after a fault still that, after a conflict what is saved by now and shown."""
    return str(request.POST.get("seen", "")) if status == 400 else drafts.seen(now)


def _typed_row(row: dict[str, Any], typed: Mapping[str, str] | None, told: Mapping[str, Any]) -> dict[str, Any]:
    """A line as the page shows it: what was typed stays, and what is saved stands beside it where they differ."""
    if typed is None:
        return {**row, "value": row["points"], "is_on": not row.get("is_off")}
    value, is_on = typed.get(f"points_{row['code']}", str(row["points"])), f"on_{row['code']}" in typed
    theirs = told.get("status") == 409 and (value != f"{row['points']:g}" or is_on == bool(row.get("is_off")))
    return {
        **row,
        "value": value,
        "is_on": is_on,
        "theirs": theirs,
        "fault": told.get("lines", {}).get(row["code"], ""),
    }


def _save_points(request: Any, found: CriteriaDraft, kind: DifficultyType, typed: Mapping[str, str]) -> dict[str, Any]:
    """Save points and switches of a type; what went wrong, or nothing."""
    values, lines = {}, {}
    for row in rows_of_type(found.files, kind):
        try:
            points = float(typed.get(f"points_{row['code']}", row["points"]))
            if not abs(points) <= HIGHEST_POINTS:
                raise ValueError
            values[row["code"]] = {"points": points, "is_off": None if f"on_{row['code']}" in typed else True}
        except ValueError:
            lines[row["code"]] = f"-{HIGHEST_POINTS} から {HIGHEST_POINTS} までの数で書いてください。"
    if lines:
        return {"status": 400, "lines": lines, "faults": ["赤い字の行を直してください。まだ保存されていません。"]}

    def edited(now: CriteriaDraft) -> dict[str, str]:
        if typed.get("seen") != drafts.seen(rows_of_type(now.files, kind)):
            raise VersionConflict("この類型の行は、あなたが開いた後に、ほかの人が直しました。")
        text = now.files["scenarios.toml"]
        for code, value in values.items():
            text = with_entry(text, "points", code, value)
        return {"scenarios.toml": text}

    try:
        _save(request, found.pk, f"点数表 {kind.label}", edited)
    except drafts.Faulty as faulty:
        lines = {mark["entry"]: mark["message"] for mark in faulty.marks}
        others = [f"{entry} {message}" for entry, message in lines.items() if entry not in values]
        return {"status": 400, "lines": lines, "faults": [faulty.what, *others]}
    except VersionConflict as conflict:
        words = "あなたの入力は残してあります。いま保存されている値と見比べて、よければもう一度保存してください。"
        return {"status": 409, "faults": [f"{conflict.what}{words}"]}
    except StaffError as refusal:
        return {"status": 400, "faults": [f"{refusal.what}{refusal.then}"]}
    return {}


@require_http_methods(["GET", "POST"])
def draft_entry(request: Any, number: int, table: str, code: str) -> HttpResponse:
    """One line, fact or indicator: all that staff may change of it."""
    found = _found(number)
    kind = FORMS.get(table)
    now = entry_of(found.files[FILE_OF[table]], table, code) if kind else None
    if kind is None or now is None:
        raise Http404
    captions = captions_of(found.files["indicators.toml"])
    form = kind(request.POST or None, entry=now, captions=_offered(request, found, now))
    status, theirs = 200, None
    if request.method == "POST":
        status = 400
        if form.is_valid():
            status = _save_entry(request, found, table, code, form)
            if status == 200:
                return _back(found, table, now)
            if status == 409:
                found.refresh_from_db()
                now = entry_of(found.files[FILE_OF[table]], table, code) or {}
                theirs = _their_lines(now, captions)
    context = _entry_context(request, found, table, form, now) | {
        "code": code,
        "theirs": theirs,
        "seen": _mark(request, status, now),
    }
    return render(request, "operations/draft_entry.html", context, status=status)


def _save_entry(request: Any, found: CriteriaDraft, table: str, code: str, form: EntryForm) -> int:
    """Save one entry; 200, or the status of what was told on the form."""

    def edited(now: CriteriaDraft) -> dict[str, str]:
        text = now.files[FILE_OF[table]]
        if request.POST.get("seen") != drafts.seen(entry_of(text, table, code)):
            raise VersionConflict("この行は、あなたが開いた後に、ほかの人が直しました。")
        return {FILE_OF[table]: with_entry(text, table, code, form.values())}

    return _tried(form, code, lambda: _save(request, found.pk, _named(found, table, form.values()), edited))


def _named(found: CriteriaDraft, table: str, values: Mapping[str, Any]) -> str:
    """An entry in words, for the list of who changed what."""
    words = values.get("caption") or when_words(values.get("when", ()), captions_of(found.files["indicators.toml"]))
    return f"{TABLE_WORDS[table]} {words}"[:LONGEST_NAME]


def _tried(form: EntryForm, code: str, act: Callable[[], None]) -> int:
    """Carry out a save; every refusal is told on the form, so that nothing typed is lost."""
    try:
        act()
    except drafts.Faulty as faulty:
        form.take_marks(faulty.marks, code)
        return 400
    except VersionConflict as conflict:
        form.add_error(None, f"{conflict.what}あなたの入力はまだ保存されていません。下に残してあります。")
        return 409
    except StaffError as refusal:
        form.add_error(None, f"{refusal.what}{refusal.then}")
        return 400
    return 200


@require_http_methods(["GET", "POST"])
def draft_new(request: Any, number: int, kind: str, table: str) -> HttpResponse:
    """Add a line or a fact to a type, from the indicators there are."""
    if kind not in set(DifficultyType) or table not in ("points", "escalations"):
        raise Http404
    found, wanted = _found(number), DifficultyType(kind)
    form = FORMS[table](request.POST or None, entry={}, captions=_offered(request, found))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            code = f"site_{found.pk}_{found.revision}_{len(entries(found.files['scenarios.toml'], table))}"

            def edited(now: CriteriaDraft) -> dict[str, str]:
                values = {"type": wanted.label, "code": code, **form.values()}
                return {"scenarios.toml": with_new_entry(now.files["scenarios.toml"], table, values)}

            status = _tried(form, code, lambda: _save(request, found.pk, _named(found, table, form.values()), edited))
            if status == 200:
                return redirect("draft-type", number, kind)
    context = _entry_context(request, found, table, form, {"type": wanted.label}) | {"is_new": True}
    return render(request, "operations/draft_entry.html", context, status=status)


def _entry_context(
    request: Any, found: CriteriaDraft, table: str, form: EntryForm, now: Mapping[str, Any]
) -> dict[str, Any]:
    type_code = next((t.value for t in DifficultyType if t.label == now.get("type")), "")
    used = [
        row for t in settings.MUNICIPALITY.types for row in rows_of_type(found.files, t)
        if table == "indicators" and any(str(w).split(" ")[0] == now.get("code") for w in row.get("when", ()))
    ]  # fmt: skip
    return {
        "draft": found, "table": table, "form": form, "entry": now, "type_code": type_code, "may_edit": _may_edit(request, found),
        "words": now.get("caption") or when_words(now.get("when", ()), captions_of(found.files["indicators.toml"])),
        "used": used, "conditions": form.conditions() if isinstance(form, RuleForm) else [],
        "aggregate": AGGREGATE_WORDS.get(str(now.get("aggregate", "")), ""),
        "plain": [(form[name], HELP.get(name, "")) for name in form.fields if not name[-1].isdigit()],
    }  # fmt: skip


@require_safe
def draft_indicators(request: Any, number: int) -> HttpResponse:
    """The indicators: what each asks, its window, and the way to change it."""
    found = _found(number)
    rows = [
        {**entry, "aggregate_words": AGGREGATE_WORDS.get(entry.get("aggregate", ""), "")}
        for entry in entries(found.files["indicators.toml"], "indicators")
    ]
    return render(request, "operations/draft_indicators.html", {"draft": found, "rows": rows})


@require_http_methods(["GET", "POST"])
def draft_capacity(request: Any, number: int) -> HttpResponse:
    """The shares of 高 and 中: everybody's, and those of single types and offices."""
    found = _found(number)
    now = drafts.figures_of(found)
    form = CapacityForm(request.POST or None, figures=now)
    gone = list(dict.fromkeys(drafts.figures_faults(now)[1].values()))
    status, theirs = 200, None
    if request.method == "POST":
        status = 400
        if form.is_valid():
            figures, faults = drafts.figures_faults(form.figures())
            form.take_faults(faults)
            if not faults:
                if request.POST.get("seen") != drafts.seen(now):
                    form.add_error(
                        None, "枠は、あなたが開いた後に、ほかの人が直しました。あなたの入力は残してあります。"
                    )
                    status, theirs = 409, figure_lines(drafts.figures_in_force(), now)
                else:
                    status = _tried_figures(request, found, form, figures)
                    if status == 200:
                        return redirect("draft", number)
    context = {"draft": found, "form": form, "rows": form.part_rows(), "seen": _mark(request, status, now),
               "theirs": theirs, "gone": gone, "may_edit": _may_edit(request, found)}  # fmt: skip
    return render(request, "operations/draft_capacity.html", context, status=status)


def _tried_figures(request: Any, found: CriteriaDraft, form: CapacityForm, figures: Mapping[str, Any]) -> int:
    try:
        drafts.save(found, by=request.actor, at=request.at, entry=drafts.CAPACITY_ENTRY, figures=figures)
    except VersionConflict as conflict:
        form.add_error(None, f"{conflict.what}もう一度「保存する」を押してください。")
        return 409
    except StaffError as refusal:
        form.add_error(None, f"{refusal.what}{refusal.then}")
        return 400
    return 200


@require_POST
def submit(request: Any, number: int) -> HttpResponse:
    """Put the draft up for approval."""
    found, form = _found(number), ReasonForm(request.POST)
    if form.is_valid():
        try:
            drafts.submit(found, by=request.actor, reason=form.cleaned_data["reason"], at=request.at)
            return redirect("draft", number)
        except StaffError as refusal:
            form.add_error(None, f"{refusal.what}{refusal.then}")
    return _overview(request, found, submit_form=form, status=400)


@require_POST
def drop(request: Any, number: int) -> HttpResponse:
    """Give the draft up."""
    drafts.drop(_found(number), by=request.actor, at=request.at)
    return redirect("drafts")


@require_POST
@sensitive_post_parameters("password")
def decide(request: Any, number: int) -> HttpResponse:
    """Approve or withdraw what was put up: criteria and thresholds of one draft together."""
    found, form = _found(number), DecideForm(request.POST)
    if form.is_valid() and not step_up.is_really(request, form.cleaned_data["password"]):
        form.add_error("password", "パスワードが違います。")
    if not form.is_valid():
        return _overview(request, found, decide_form=form, status=400)
    step, reason = Step(form.cleaned_data["decision"]), form.cleaned_data["reason"]
    detail = {"draft": found.pk, "what": found.title}
    event = trail.event_of(request.actor, f"{step.value}_CRITERIA", reason=reason, detail=detail)
    try:
        with trail.recorded(event, request.at):
            for matter, version in _left(found, step, request.actor):
                words: dict[str, Any] = {"by": drafts.person_of(request.actor), "reason": reason, "at": request.at}
                adoption.decide(settings.HOME, matter, version, step, **words)
    except StaffError as refusal:
        return _overview(request, found, decide_form=form, status=told_on(request, form, refusal))
    return redirect("draft", number)


def _left(found: CriteriaDraft, step: Step, actor: Actor) -> list[tuple[Matter, str]]:
    """The matters a decision is still to be entered for; all of them where it was entered for each already, to be refused."""
    both = _versions(found)
    stands = {matter: approvals.standing(settings.HOME, matter, version) for matter, version in both}
    if step is Step.WITHDRAW:
        left = [(m, v) for m, v in both if stands[m].state in (State.PROPOSED, State.APPROVED)]
    else:
        left = [(m, v) for m, v in both if actor.username not in {act.by.account for act in stands[m].approvals}]
    return left or both


def _versions(found: CriteriaDraft) -> list[tuple[Matter, str]]:
    both = ((Matter.CRITERIA, found.criteria_version), (Matter.THRESHOLDS, found.thresholds_version))
    return [(matter, version) for matter, version in both if version]


def _overview(
    request: Any,
    found: CriteriaDraft,
    *,
    submit_form: ReasonForm | None = None,
    decide_form: DecideForm | None = None,
    status: int = 200,
) -> HttpResponse:
    standings = [(matter, approvals.standing(settings.HOME, matter, version)) for matter, version in _versions(found)]
    waits = any(now.state is State.PROPOSED for _, now in standings)
    stands = any(now.state in (State.PROPOSED, State.APPROVED) for _, now in standings)
    now = in_force(settings.HOME, settings.MUNICIPALITY)
    changes = differences(drafts.texts_in_force(), found.files)
    texts = found.files
    tried = tried_lines(found)
    context = {
        "draft": found,
        "state_label": DraftState(found.state).label,
        "is_open": found.state == DraftState.OPEN,
        "types": settings.MUNICIPALITY.types,
        "lines": change_lines(changes, texts) + figure_lines(drafts.figures_in_force(), drafts.figures_of(found)),
        "is_elsewhere": found.based_on != criteria_version(now.criteria_folder)
        and (found.state == DraftState.OPEN or waits),
        "saves": list(found.saves.all())[-20:][::-1],
        "standings": [
            {"matter": matter.label, "state": s.state.label, "version": s.version, "lacking": s.lacking if s.state is State.PROPOSED else 0,
             "acts": [act_words(act.as_json()) for act in s.acts]}
            for matter, s in standings
        ],
        "approvers": APPROVERS,
        "tried": tried,
        "may_edit": _may_edit(request, found),
        "submit_form": (submit_form or ReasonForm()) if _may_edit(request, found) else None,
        "decide_form": (decide_form or DecideForm()) if stands and can(request.actor.role, Action.APPROVE_CRITERIA) else None,
        "waits": waits,
    }  # fmt: skip
    return render(request, "operations/draft.html", context, status=status)


def _save(request: Any, number: int, entry: str, edited: Callable[[CriteriaDraft], dict[str, str]]) -> None:
    """Make an edit of the draft as it is now and save it; where another entry was saved meanwhile, of that one.

    Raises:
        VersionConflict: the entry itself was saved meanwhile; others as ``drafts.save``.
    """
    for left in reversed(range(TRIES)):
        now = _found(number)
        try:
            files = edited(now)
            drafts.save(now, by=request.actor, at=request.at, entry=entry, files=files)
            return
        except VersionConflict:
            if not left or _found(number).revision == now.revision:
                raise


def _found(number: int) -> CriteriaDraft:
    return get_object_or_404(CriteriaDraft, pk=number)


def _may_edit(request: Any, found: CriteriaDraft | None = None) -> bool:
    return can(request.actor.role, Action.EDIT_CRITERIA) and (found is None or found.state == DraftState.OPEN)


def _offered(request: Any, found: CriteriaDraft, now: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Indicators a line may rest on: those whose items may be used for judging today, and those it rests on already."""
    used = {str(text).split(" ")[0] for text in (now or {}).get("when", ())}
    register, today = current_register(settings.MUNICIPALITY), local_day(request.at)
    offered = {}
    for entry in entries(found.files["indicators.toml"], "indicators"):
        items = [entry[key] for key in ("item", "per") if entry.get(key)]
        if entry["code"] in used or all(register.allows(item, Purpose.JUDGE, today) for item in items):
            offered[str(entry["code"])] = str(entry["caption"])
    return offered


def _their_lines(now: Mapping[str, Any], captions: Mapping[str, str]) -> list[tuple[str, str]]:
    """An entry as it is saved now, to be read beside what was typed."""
    return [
        (KEY_WORDS.get(key, key), value_words(key, value, captions))
        for key, value in now.items()
        if key not in ("code", "type")
    ]


def _back(found: CriteriaDraft, table: str, now: Mapping[str, Any]) -> HttpResponse:
    if table == "indicators":
        return redirect("draft-indicators", found.pk)
    return redirect("draft-type", found.pk, DifficultyType.from_label(str(now["type"])).value)

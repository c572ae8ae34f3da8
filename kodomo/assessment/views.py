"""Pages of the shortlist and of a case; each showing of a child leaves its audit row first (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.assessment import actions, drafts, policies, trail
from kodomo.assessment.evidence import Evidence, evidence_for
from kodomo.assessment.forms import DecisionForm, FirstViewForm, RevealForm
from kodomo.assessment.judged import judged_types, level_history, must_be_seen
from kodomo.assessment.lawful import Lawful, lawful_at
from kodomo.assessment.models import AssessmentSheet, Case, Inquiry
from kodomo.assessment.moves import InquiryState
from kodomo.assessment.person_changes import person_changes
from kodomo.assessment.sheets import Degree, current_sheets
from kodomo.assessment.states import REASON_CODES, REVEAL_PURPOSES, CaseState, reason_label
from kodomo.assessment.step_up import is_really
from kodomo.governance.permissions import Action, Actor, can

# One case --------------------------------------------------------------------------------------


@require_safe
def case(request: Any, case_number: str) -> HttpResponse:
    """個票: facts first; levels and reasons once the reader's own first view stands."""
    context = _opened(request, case_number, Action.VIEW_CASE)
    if context["may_write_first_view"]:
        before, context["kept_at"] = drafts.kept(request, context["case"], "first-view")
        context["form"] = FirstViewForm.opened(context["case"].version, **before)
    return render(request, "assessment/case.html", context)


@require_safe
def case_print(request: Any, case_number: str) -> HttpResponse:
    """The case on A4 paper, numbered by its audit row."""
    return render(request, "assessment/case_print.html", _opened(request, case_number, Action.PRINT_CASE))


@require_http_methods(["GET", "POST"])
def first_view(request: Any, case_number: str) -> HttpResponse:
    """一次所見: write what the facts alone say."""
    if request.method != "POST":
        return redirect("case", case_number=case_number)
    if drafts.is_asked(request):
        drafts.keep(request, Case.objects.get(case_number=case_number), "first-view")
        return redirect("case", case_number=case_number)
    form = FirstViewForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            actions.write_first_view(case_number, by=request.actor, at=request.at, **given)
        except policies.VersionConflict as conflict:
            return _conflict(request, case_number, conflict, {"一次所見": given["text"]}, "first-view")
        drafts.drop(request, Case.objects.get(case_number=case_number), "first-view")
        return redirect("case", case_number=case_number)
    context = _opened(request, case_number, Action.VIEW_CASE)
    return render(request, "assessment/case.html", {**context, "form": form}, status=400)


@require_http_methods(["GET", "POST"])
def decide(request: Any, case_number: str) -> HttpResponse:
    """アセスメント: the decision, with its reason and the next date."""
    if drafts.is_asked(request):
        drafts.keep(request, Case.objects.get(case_number=case_number), "decide")
        return redirect("decide", case_number=case_number)
    form = DecisionForm(request.POST) if request.method == "POST" else None
    if form is not None and form.check(actions.local_day(request.at)):
        given = dict(form.cleaned_data)
        given["reason"] = given.pop("reason_text")
        try:
            actions.decide(case_number, by=request.actor, at=request.at, **given)
        except policies.VersionConflict as conflict:
            return _conflict(request, case_number, conflict, _decision_words(form.cleaned_data), "decide")
        drafts.drop(request, Case.objects.get(case_number=case_number), "decide")
        return redirect("case", case_number=case_number)
    context = _opened(request, case_number, "OPEN_DECIDE")
    policies.check_can_decide(context["case"], request.actor)
    before, context["kept_at"] = drafts.kept(request, context["case"], "decide")
    context["form"] = form or DecisionForm.opened(context["case"].version, **before)
    return render(request, "assessment/decide.html", context, status=400 if form else 200)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def reveal(request: Any, case_number: str) -> HttpResponse:
    """氏名等を確かめる: purpose and password once more, then the name, this once."""
    form = RevealForm(request.POST or None)
    lawful = lawful_at(request.at)
    with transaction.atomic():
        found = Case.objects.get(case_number=case_number)
        event = trail.event_of(request.actor, "OPEN_REVEAL", subject=found.child_key, detail={"case": case_number})
        trail.append(event, request.at, settings.HOME)
    context: dict[str, Any] = {"case": found, "form": form, "can_reveal": policies.can_reveal(found, lawful)}
    if request.method == "POST" and form.is_valid():
        if is_really(request, form.cleaned_data["password"]):
            purpose = form.cleaned_data["purpose"]
            identity = actions.reveal_name(case_number, by=request.actor, purpose_code=purpose, at=request.at)
            shown = {**context, "identity": identity, "purpose": REVEAL_PURPOSES[purpose]}
            return render(request, "assessment/revealed.html", shown)
        form.add_error("password", "パスワードが違います。")
    return render(request, "assessment/reveal.html", context, status=400 if form.errors else 200)


def _opened(request: Any, case_number: str, action: str) -> dict[str, Any]:
    """Read a case for showing, and write the audit row of the showing.

    The row is written before anything is rendered; when it can't be, the error leaves here and
    no page is made.
    """
    actor, lawful = request.actor, lawful_at(request.at)
    found = Case.objects.prefetch_related("first_views").get(case_number=case_number)
    levels_shown = policies.can_see_levels(found, actor)
    evidence = evidence_for(found, home=settings.HOME, municipality=settings.MUNICIPALITY, lawful=lawful)
    detail = {"case": found.case_number, "levels_shown": levels_shown}
    number = trail.record_first(trail.event_of(actor, action, subject=found.child_key, detail=detail), request.at)
    return {
        "case": found,
        "caseworker": _name_of(found.caseworker),
        "evidence": evidence,
        "levels_shown": levels_shown,
        "is_blind": not levels_shown and can(actor.role, Action.WRITE_MEMBER_VIEW),
        "number": number,
        "today": lawful.today,
        "lawful": lawful,
        "person_changes": person_changes(found, home=settings.HOME),
        **_history(found, actor, levels_shown, evidence, lawful),
        **_possible(found, request, lawful),
    }


def _name_of(username: str) -> str:
    """The name of somebody on the staff; empty for nobody."""
    return get_user_model().objects.filter(username=username).values_list("name", flat=True).first() or username


def _history(case: Case, actor: Actor, levels_shown: bool, evidence: Evidence, lawful: Lawful) -> dict[str, Any]:
    username, decided = actor.username, case.assessments.select_related("first_view")
    levels = lawful.told(case.levels.all())
    current = judged_types(
        [row for row in levels if row.is_current], settings.MUNICIPALITY.types, evidence.reasons, evidence.views
    )
    # A colleague's words, and what they decided, would sway the first view; one's own don't.
    decisions = [
        (a, reason_label(a.decision, a.reason_code)) for a in decided if levels_shown or a.decided_by == username
    ]
    context: dict[str, Any] = {
        "escalations": must_be_seen([row for row in levels if row.is_current], evidence.reasons),
        "first_views": [view for view in case.first_views.all() if levels_shown or view.written_by == username],
        "decisions": decisions[::-1],
        "conference_decisions": [
            item.decided for item in case.agenda.exclude(decided=None).select_related("decided", "conference")
        ]
        if levels_shown
        else [],
        "sheets": sheets_in_words(case) if levels_shown else [],
        "notes": [note for note in case.notes.all() if levels_shown or note.written_by == username],
        "disagreements": case.disagreements.all() if levels_shown else [],
        # That somebody asked tells a member of the committee what the assessor decided.
        "inquiries": inquiries_in_words(case, lawful)
        if levels_shown or not can(actor.role, Action.WRITE_MEMBER_VIEW)
        else [],
    }
    if levels_shown:
        context["judged"], context["quiet"] = current, [one for one in current if one.is_quiet]
        context["history"] = level_history(levels, settings.MUNICIPALITY.types)
    return context


def inquiries_in_words(case: Case, lawful: Lawful) -> list[tuple[Inquiry, InquiryState]]:
    """What was asked and answered, each with whether an answer is awaited today."""
    found = case.inquiries.prefetch_related("answers")
    return [(one, policies.state_of_inquiry(one, lawful.today)) for one in found]


def sheets_in_words(case: Case) -> list[tuple[AssessmentSheet, list[tuple[str, str, str]]]]:
    """The sheets with their answers, the newest first."""
    return [(sheet, _answered(sheet)) for sheet in case.sheets.all()][::-1]


def _answered(sheet: AssessmentSheet) -> list[tuple[str, str, str]]:
    """What was looked into, in words: the items as they were asked then, without those nobody looked into."""
    answers = sheet.answers.values()
    return [
        (a["asked"], Degree(a["degree"]).label, a["text"])
        for a in answers
        if a["degree"] != Degree.UNKNOWN or a["text"]
    ]


def _possible(case: Case, request: Any, lawful: Lawful) -> dict[str, Any]:
    own = case.office == request.actor.office
    role = request.actor.role
    is_open = case.state != CaseState.CLOSED
    return {
        "may_write_first_view": can(role, Action.WRITE_FIRST_VIEW, own_office=own)
        and policies.can_write_first_view(case, request.actor),
        "may_decide": can(role, Action.DECIDE, own_office=own) and policies.can_decide(case, request.actor),
        "sheet_types": list(current_sheets(settings.MUNICIPALITY).values())
        if can(role, Action.WRITE_SHEET, own_office=own) and is_open
        else [],
        "may_note": can(role, Action.WRITE_NOTE, own_office=own) and is_open,
        "may_disagree": can(role, Action.DISAGREE, own_office=own) and is_open,
        "may_ask": can(role, Action.ASK_INQUIRY, own_office=own) and policies.can_ask(case),
        "may_answer": can(role, Action.ANSWER_INQUIRY, own_office=own),
        "may_support": can(role, Action.VIEW_SUPPORT, own_office=own),
        "may_reveal": can(role, Action.REVEAL_NAME, own_office=own) and policies.can_reveal(case, lawful),
        "may_print": can(role, Action.PRINT_CASE, own_office=own),
    }


def _decision_words(given: dict[str, Any]) -> dict[str, str]:
    return {
        "判断": str(dict(DecisionForm.base_fields["decision"].choices)[given["decision"]]),  # type: ignore[attr-defined]
        "理由": REASON_CODES[given["decision"]].get(given["reason_code"], ""),
        "理由の説明": given["reason_text"],
        "次回確認日": str(given["next_on"] or "なし"),
    }


def _conflict(
    request: Any, case_number: str, conflict: policies.VersionConflict, mine: dict[str, str], page: str
) -> HttpResponse:
    """409: what the other person saved and what you wrote, side by side; nothing of yours is lost."""
    drafts.keep(request, Case.objects.get(case_number=case_number), page)
    with transaction.atomic():
        found = Case.objects.get(case_number=case_number)
        event = trail.event_of(request.actor, "VERSION_CONFLICT", subject=found.child_key, detail={"case": case_number})
        trail.append(event, request.at, settings.HOME)
        shown = policies.can_see_levels(found, request.actor)
        theirs = found.assessments.last() if shown else None
        view = found.first_views.last() if shown else None
    context = {
        "case": found, "conflict": conflict, "mine": mine, "theirs": theirs, "their_view": view,
        "reason": reason_label(theirs.decision, theirs.reason_code) if theirs else "",
        "again": request.path,
    }  # fmt: skip
    return render(request, "assessment/conflict.html", context, status=409)

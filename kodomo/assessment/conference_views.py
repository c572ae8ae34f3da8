"""Pages of 統括委員会: the meetings, one meeting, one case before it, and the minutes (casework side)."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kodomo.assessment import conferences, policies, trail
from kodomo.assessment.conference_forms import CallForm, CallOffForm, ItemDecisionForm, MemberViewForm
from kodomo.assessment.evidence import evidence_for
from kodomo.assessment.interests import cases_of_interest, has_interest
from kodomo.assessment.judged import judged_types, must_be_seen
from kodomo.assessment.lawful import Lawful, lawful_at
from kodomo.assessment.models import AgendaItem, Conference
from kodomo.assessment.views import inquiries_in_words, sheets_in_words
from kodomo.governance.permissions import Action, can

MOST_READY = 60
"""Cases offered for a meeting; a meeting has half as many."""


@require_safe
def conference_list(request: Any) -> HttpResponse:
    """会議の一覧: a member sees those they are called to."""
    with trail.recorded(trail.event_of(request.actor, Action.VIEW_CONFERENCE), request.at):
        found = list(_visible(request).prefetch_related("members", "items__decided")[:50])
    rows = [(one, sum(_decision(item) is not None for item in one.items.all())) for one in found]
    context = {"rows": rows, "may_hold": can(request.actor.role, Action.HOLD_CONFERENCE)}
    return render(request, "assessment/conference_list.html", context)


@require_http_methods(["GET", "POST"])
def call(request: Any) -> HttpResponse:
    """会議を開く."""
    ready = list(conferences.ready_cases(request.actor)[:MOST_READY])
    form = (
        CallForm(request.POST, ready=ready)
        if request.method == "POST"
        else CallForm.opened(0, {"ready": ready}, quorum=2)
    )
    if form.is_bound and form.is_valid():
        try:
            key = conferences.call_conference(by=request.actor, at=request.at, **form.given())
        except policies.NotAcceptable as refusal:
            form.refuse(refusal)
        else:
            return redirect("conference", key=key)
    status = 400 if form.is_bound else 200
    trail.record_first(trail.event_of(request.actor, "OPEN_CALL", detail={"count": len(ready)}), request.at)
    return render(request, "assessment/conference_call.html", {"form": form}, status=status)


@require_safe
def conference(request: Any, key: int) -> HttpResponse:
    """議事: the cases before one meeting, and how far each has come."""
    found = get_object_or_404(_visible(request), pk=key)
    context = _agenda(request, found, Action.VIEW_CONFERENCE)
    return render(request, "assessment/conference.html", context)


@require_http_methods(["GET", "POST"])
def call_off(request: Any, key: int) -> HttpResponse:
    """会議を取りやめる: a meeting called by mistake, or one that can't be held."""
    found = get_object_or_404(_visible(request), pk=key)
    form = CallOffForm(request.POST) if request.method == "POST" else CallOffForm.opened(0)
    if form.is_bound and form.is_valid():
        try:
            conferences.call_off(key, by=request.actor, reason=form.cleaned_data["reason"], at=request.at)
        except policies.NotAcceptable as refusal:
            form.refuse(refusal)
        else:
            return redirect("conference", key=key)
    trail.record_first(trail.event_of(request.actor, "OPEN_CALL_OFF", detail={"conference": key}), request.at)
    status = 400 if form.is_bound else 200
    return render(request, "assessment/conference_call_off.html", {"conference": found, "form": form}, status=status)


@require_safe
def minutes(request: Any, key: int) -> HttpResponse:
    """議事録 on paper, numbered by its audit row: decisions with what was said for and against them."""
    found = get_object_or_404(_visible(request), pk=key)
    context = _agenda(request, found, "PRINT_MINUTES")
    return render(request, "assessment/minutes.html", context)


@require_safe
def papers(request: Any, key: int) -> HttpResponse:
    """会議資料: the agenda and the facts of its cases on paper, one numbered copy for each member.

    Without the judgement, like the page they write on; without the cases that the member has an interest in.
    """
    found = get_object_or_404(_visible(request), pk=key)
    member = found.members.filter(username=request.GET.get("member", "")).first()
    context = {"conference": found, "members": found.members.all(), "member": member}
    if member is None:
        return render(request, "assessment/conference_papers_ask.html", context)
    lawful = lawful_at(request.at)
    closed = {pk for name in (member.username, request.actor.username)
              for pk in cases_of_interest(name).values_list("pk", flat=True)}  # fmt: skip
    items = [one for one in found.items.select_related("case") if one.case_id not in closed]
    # Read first, written down then: reading thirty cases' facts must not keep anybody from writing.
    sheets = [_paper(one, lawful) for one in items]
    about = {"conference": found.pk, "member": member.username}
    with transaction.atomic():
        number = trail.append(trail.event_of(request.actor, "PRINT_PAPERS", detail=about), request.at, settings.HOME)
        for one in items:
            detail = {**about, "case": one.case.case_number, "number": number}
            event = trail.event_of(request.actor, "PRINT_PAPERS", subject=one.case.child_key, detail=detail)
            trail.append(event, request.at, settings.HOME)
    shown = {**context, "number": number, "sheets": sheets, "lawful": lawful, "is_blind": True,
             "place": list(found.members.all()).index(member) + 1}  # fmt: skip
    return render(request, "assessment/conference_papers.html", shown)


def _paper(one: AgendaItem, lawful: Lawful) -> dict[str, Any]:
    """One case as the papers tell it."""
    evidence = evidence_for(one.case, home=settings.HOME, municipality=settings.MUNICIPALITY, lawful=lawful)
    levels = lawful.told(one.case.levels.filter(is_current=True))
    return {"item": one, "case": one.case, "evidence": evidence, "escalations": must_be_seen(levels, evidence.reasons)}


@require_http_methods(["GET", "POST"])
def item(request: Any, key: int) -> HttpResponse:
    """一件: a member writes what they think; then the judgement and the others; then the decision is recorded."""
    found = _item(request, key)
    form: Any = None
    if request.method == "POST":
        may_hold = can(request.actor.role, Action.HOLD_CONFERENCE)
        form = ItemDecisionForm(request.POST) if may_hold else MemberViewForm(request.POST)
        if form.is_valid():
            try:
                _write(request, found, form, is_decision=may_hold)
            except policies.NotAcceptable as refusal:
                form.refuse(refusal)
            except policies.VersionConflict as conflict:
                # The words stay in the form; sent again, they count on the case as it is now.
                found = _item(request, key)
                form.data = {**form.data.dict(), "version": found.case.version}
                form.refuse(conflict)
            else:
                return redirect("conference-item", key=key)
    context = _before(request, found)
    context["form"] = form or context["form"]
    status = 400 if form is not None else 200
    return render(request, "assessment/conference_item.html", context, status=status)


@require_POST
def start(request: Any, key: int) -> HttpResponse:
    """この事例を始める."""
    # A meeting called off meanwhile says so on the item's own page.
    with suppress(policies.NotAcceptable):
        conferences.start_item(_item(request, key), by=request.actor, at=request.at)
    return redirect("conference-item", key=key)


def _write(request: Any, found: AgendaItem, form: Any, *, is_decision: bool) -> None:
    act: Any = conferences.decide_item if is_decision else conferences.write_member_view
    act(found, by=request.actor, at=request.at, **form.given())


def _visible(request: Any) -> Any:
    if can(request.actor.role, Action.HOLD_CONFERENCE):
        return Conference.objects.all()
    return Conference.objects.filter(members__username=request.actor.username)


def _item(request: Any, key: int) -> AgendaItem:
    return get_object_or_404(
        AgendaItem.objects.select_related("case", "conference").filter(conference__in=_visible(request)), pk=key
    )


def _decision(found: AgendaItem) -> Any:
    return getattr(found, "decided", None)


def _agenda(request: Any, found: Conference, action: str) -> dict[str, Any]:
    items = list(found.items.select_related("case", "decided", "conference").prefetch_related("views"))
    detail = {"conference": found.pk, "count": len(items)}
    number = trail.record_first(trail.event_of(request.actor, action, detail=detail), request.at)
    closed = set(cases_of_interest(request.actor.username).values_list("pk", flat=True))
    lines = [_line(request, one, is_out=one.case_id in closed) for one in items]
    may_hold = can(request.actor.role, Action.HOLD_CONFERENCE)
    is_open = found.called_off_at is None and all(_decision(one) is None for one in items)
    return {"conference": found, "lines": lines, "members": found.members.all(), "number": number,
            "may_hold": may_hold, "may_call_off": may_hold and is_open}  # fmt: skip


def _line(request: Any, one: AgendaItem, *, is_out: bool) -> dict[str, Any]:
    decided, shown = None if is_out else _decision(one), conferences.sees_views(one, request.actor, is_out=is_out)
    return {
        "is_out": is_out,
        "item": one,
        "own": conferences.view_of(one, request.actor.username),
        "voices": len(conferences.voices(one)),
        "interests": sum(view.has_interest for view in one.views.all()),
        "has_quorum": conferences.has_quorum(one),
        "state": conferences.state_of(one),
        "decided": decided,
        "views": conferences.voices(one) if decided and shown else [],
        "dissent": conferences.dissent(one, decided.decision) if decided and shown else [],
        "minutes": _minutes_taken(one.started_at, decided.decided_at) if decided else None,
    }


def _minutes_taken(started_at: dt.datetime | None, decided_at: dt.datetime) -> int | None:
    return None if started_at is None else max(round((decided_at - started_at).total_seconds() / 60), 1)


def _before(request: Any, found: AgendaItem) -> dict[str, Any]:
    """What one page about a case before the meeting shows, with its audit row: facts to all but who has an interest."""
    actor, lawful, case = request.actor, lawful_at(request.at), found.case
    own = conferences.view_of(found, actor.username)
    is_out = has_interest(actor.username, case)
    levels_shown = not is_out and policies.can_see_levels(case, actor)
    evidence = None if is_out else evidence_for(
        case, home=settings.HOME, municipality=settings.MUNICIPALITY, lawful=lawful)  # fmt: skip
    detail = {"case": case.case_number, "conference": found.conference_id, "levels_shown": levels_shown}
    trail.record_first(trail.event_of(actor, "VIEW_ITEM", subject=case.child_key, detail=detail), request.at)
    levels = [] if evidence is None else lawful.told(case.levels.filter(is_current=True))
    reasons = evidence.reasons if evidence else {}
    views = evidence.views if evidence else {}
    judged = judged_types(levels, settings.MUNICIPALITY.types, reasons, views) if levels_shown else []
    return {
        **_line(request, found, is_out=is_out),
        "case": case,
        "lawful": lawful,
        "evidence": evidence,
        "escalations": must_be_seen(levels, reasons),
        "levels_shown": levels_shown,
        "is_blind": not levels_shown,
        "judged": judged,
        "quiet": [one for one in judged if one.is_quiet],
        "shows_views": conferences.sees_views(found, actor),
        "views": conferences.voices(found) if conferences.sees_views(found, actor) else [],
        "assessment": case.assessments.last() if levels_shown else None,
        "sheets": sheets_in_words(case) if levels_shown else [],
        "inquiries": inquiries_in_words(case, lawful) if levels_shown else [],
        "same_office": case.office == actor.office,
        "may_hold": can(actor.role, Action.HOLD_CONFERENCE),
        "form": _form_for(request, found, own),
    }


def _form_for(request: Any, found: AgendaItem, own: Any) -> Any:
    if _decision(found) is not None or found.conference.called_off_at is not None:
        return None
    if has_interest(request.actor.username, found.case):
        return None
    if can(request.actor.role, Action.HOLD_CONFERENCE):
        return ItemDecisionForm.opened(found.case.version) if conferences.has_quorum(found) else None
    return MemberViewForm.opened(0) if own is None else None

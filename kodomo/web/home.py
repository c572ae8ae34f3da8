"""The first page: what waits for me today, by role (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.conferences import waiting_items
from kodomo.assessment.lawful import lawful_on
from kodomo.assessment.models import Arrival, Case
from kodomo.assessment.shortlist import Reach, visible_cases, with_must_see
from kodomo.assessment.states import WAITING_STATES, CaseState
from kodomo.governance.permissions import Action, Scope, can, scope
from kodomo.operations.desk import waiting_work
from kodomo.support.caseload import late_inquiries
from kodomo.support.package_policies import overdue_packages, waiting_packages

DUE_ROWS = 20


@require_safe
def home(request: Any) -> HttpResponse:
    """Counts with links to the lists behind them; the cases whose next date has come, with their audit row."""
    context: dict[str, Any] = {"today": local_day(request.at), "operating": waiting_work(request)}
    if can(request.actor.role, Action.WRITE_MEMBER_VIEW):
        context["agenda"] = list(waiting_items(request.actor))
        detail = {"count": len(context["agenda"])}
        trail.record_first(trail.event_of(request.actor, Action.VIEW_HOME, detail=detail), request.at)
    elif can(request.actor.role, Action.VIEW_SHORTLIST):
        context |= _work(request)
        detail = {"count": len(context["due"])}
        trail.record_first(trail.event_of(request.actor, Action.VIEW_HOME, detail=detail), request.at)
    return render(request, "web/home.html", context)


def _work(request: Any) -> dict[str, Any]:
    today = local_day(request.at)
    cases = with_must_see(visible_cases(request.actor), lawful_on(today, settings.MUNICIPALITY))
    is_everywhere = scope(request.actor.role, Action.VIEW_SHORTLIST) is Scope.EVERY_OFFICE
    may_approve = can(request.actor.role, Action.APPROVE_PACKAGE, own_office=True)
    return {
        "overdue_packages": overdue_packages(visible_cases(request.actor), today)
        if can(request.actor.role, Action.VIEW_PACKAGES)
        else None,
        "late_inquiries": late_inquiries(visible_cases(request.actor), today)
        if can(request.actor.role, Action.VIEW_CASELOAD)
        else None,
        "approvals": waiting_packages(visible_cases(request.actor)) if may_approve else [],
        "tiles": _tiles(cases, today, request.actor.username),
        "due": list(cases.filter(next_on__lte=today).order_by("next_on", "pk")[:DUE_ROWS]),
        "arrival": Arrival.objects.last(),
        "offices": _by_office(cases) if is_everywhere else None,
    }


def _tiles(cases: QuerySet[Case], today: Any, username: str) -> list[dict[str, Any]]:
    counts = cases.aggregate(
        waiting=Count("pk", filter=Q(state__in=WAITING_STATES)),
        escalated=Count("pk", filter=Q(state__in=WAITING_STATES, must_see=True)),
        overdue=Count("pk", filter=Q(next_on__lt=today)),
        inquire=Count("pk", filter=Q(state=CaseState.INQUIRE)),
        watch=Count("pk", filter=Q(state=CaseState.WATCH)),
        support=Count("pk", filter=Q(state=CaseState.SUPPORT)),
        mine=Count("pk", filter=Q(caseworker=username)),
    )
    words = (
        ("escalated", "必ず確認する事例", "escalated=on&waiting=on", "点数によらず、先に見る"),
        ("waiting", "判断を待つ事例", "waiting=on", "受理・再燃"),
        ("overdue", "次回確認日を過ぎた事例", "overdue=on", "確認が遅れている"),
        ("mine", "わたしが主担当の事例", "caseworker=MINE", ""),
        ("inquire", "調査中", "state=INQUIRE", "学校・園等に確かめている"),
        ("watch", "見守り中", "state=WATCH", ""),
        ("support", "支援する", "state=SUPPORT", "支援につなぐと判断した"),
    )
    url = reverse("shortlist")
    return [
        {"count": counts[key], "words": label, "url": f"{url}?reach={Reach.ALL}&{query}", "note": note}
        for key, label, query, note in words
    ]


def _by_office(cases: QuerySet[Case]) -> list[dict[str, Any]]:
    found = cases.values("office").annotate(
        total=Count("pk"),
        waiting=Count("pk", filter=Q(state__in=WAITING_STATES)),
        decided=Count("pk", filter=~Q(state__in=WAITING_STATES)),
    )
    order = {office.code: place for place, office in enumerate(settings.MUNICIPALITY.offices)}
    return sorted((dict(row) for row in found), key=lambda row: order.get(row["office"], len(order)))

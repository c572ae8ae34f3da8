"""進行管理: the cases somebody is at work on, by next date, and how they lie on people's shoulders (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.models import Case, Inquiry
from kodomo.assessment.shortlist import PAGE_SIZE, visible_cases
from kodomo.assessment.states import WORKED_STATES
from kodomo.governance.permissions import Action, can

VIEWS = {
    "": "対応中のすべて",
    "mine": "わたしの担当",
    "late": "次回確認日を過ぎた",
    "nobody": "主担当が決まっていない",
    "untouched": "まだ接触していない",
    "unanswered": "調査の回答待ち",
}
"""Ways of looking at the list."""


@require_safe
def caseload(request: Any) -> HttpResponse:
    """The worked cases, the soonest next date first; late ones are marked."""
    today, view = local_day(request.at), request.GET.get("view", "")
    with transaction.atomic():
        worked = visible_cases(request.actor).filter(state__in=WORKED_STATES)
        cases = _looked_at(worked, view, request.actor.username, today)
        page = Paginator(cases, PAGE_SIZE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        detail = {"count": len(rows), "view": view if view in VIEWS else ""}
        trail.append(trail.event_of(request.actor, Action.VIEW_CASELOAD, detail=detail), request.at, settings.HOME)
        people = workload(worked, today)
    names = dict(get_user_model().objects.values_list("username", "name"))
    context = {"page": page, "rows": rows, "view": view, "views": VIEWS.items(), "people": people, "names": names,
               "today": today, "may_see_packages": can(request.actor.role, Action.VIEW_PACKAGES),
               "may_assign": can(request.actor.role, Action.ASSIGN_CASE),
               "may_open": can(request.actor.role, Action.OPEN_CASE)}  # fmt: skip
    return render(request, "support/caseload.html", context)


def _looked_at(worked: QuerySet[Case], view: str, username: str, today: Any) -> QuerySet[Case]:
    narrowed = {
        "mine": Q(caseworker=username),
        "late": Q(next_on__lt=today),
        "nobody": Q(caseworker=""),
        "untouched": Q(contacts=None),
        "unanswered": Exists(Inquiry.objects.filter(case=OuterRef("pk"), answers=None)),
    }.get(view, Q())
    latest = worked.filter(narrowed).annotate(last_met_on=Max("contacts__met_on"), plan_count=Count("plans"))
    return latest.order_by(F("next_on").asc(nulls_first=True), "pk")


def workload(worked: QuerySet[Case], today: Any) -> list[dict[str, Any]]:
    """For each office and caseworker: how many cases, and how many are late. Nobody's cases come first."""
    found = worked.values("office", "caseworker").annotate(
        total=Count("pk"), late=Count("pk", filter=Q(next_on__lt=today))
    )
    return [dict(row) for row in found.order_by("office", "caseworker")]

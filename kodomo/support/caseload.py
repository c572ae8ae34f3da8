"""進行管理: the cases somebody is at work on, by next date, and how they lie on people's shoulders (casework side)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
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
from kodomo.support.models import Contact, Plan

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
    worked = visible_cases(request.actor).filter(state__in=WORKED_STATES)
    number = request.GET.get("number", "").strip() if view == "unanswered" else ""
    cases = _looked_at(worked, view, request.actor.username, today)
    if number:
        cases = cases.filter(inquiries=Inquiry.key_of(number) or 0)
    page = Paginator(cases, PAGE_SIZE).get_page(request.GET.get("page"))
    rows, people = _with_latest(list(page.object_list)), workload(worked, today)
    inquiries = _unanswered(rows) if view == "unanswered" else {}
    detail = {"count": len(rows), "view": view if view in VIEWS else ""}
    trail.record_first(trail.event_of(request.actor, Action.VIEW_CASELOAD, detail=detail), request.at)
    names = dict(get_user_model().objects.values_list("username", "name"))
    context = {"page": page, "rows": rows, "view": view, "views": VIEWS.items(), "people": people, "names": names, "inquiries": inquiries, "number": number,
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
    return worked.filter(narrowed).order_by(F("next_on").asc(nulls_first=True), "pk")


def _with_latest(cases: list[Any]) -> list[Any]:
    """The cases of one page, each with the day of its last contact and how many plans it has had."""
    met = Contact.objects.filter(case__in=cases).order_by().values("case").annotate(last=Max("met_on"))
    planned = Plan.objects.filter(case__in=cases).order_by().values("case").annotate(total=Count("pk"))
    last_met = dict(met.values_list("case", "last"))
    plans = dict(planned.values_list("case", "total"))
    for case in cases:
        case.last_met_on, case.plan_count = last_met.get(case.pk), plans.get(case.pk, 0)
    return cases


def _unanswered(cases: list[Any]) -> Mapping[int, list[Inquiry]]:
    """The inquiries of one page's cases that wait for an answer: a paper that comes back bears their number."""
    found: dict[int, list[Inquiry]] = defaultdict(list)
    for one in Inquiry.objects.filter(case__in=cases, answers=None):
        found[one.case_id].append(one)
    return dict(found)


def late_inquiries(cases: QuerySet[Case], today: Any) -> int:
    """How many inquiries of worked cases wait for an answer past their day."""
    late = Inquiry.objects.filter(case__in=cases.filter(state__in=WORKED_STATES), answers=None, due_on__lt=today)
    return late.count()


def workload(worked: QuerySet[Case], today: Any) -> list[dict[str, Any]]:
    """For each office and caseworker: how many cases, and how many are late. Nobody's cases come first."""
    found = worked.values("office", "caseworker").annotate(
        total=Count("pk"), late=Count("pk", filter=Q(next_on__lt=today))
    )
    return [dict(row) for row in found.order_by("office", "caseworker")]

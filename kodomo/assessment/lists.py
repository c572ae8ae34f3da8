"""Pages of the shortlist: the list, its file, conditions kept under a name, and giving cases to people (casework side)."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from kodomo.assessment import actions, exports, policies, trail
from kodomo.assessment import shortlist as lists
from kodomo.assessment.forms import FilterForm
from kodomo.assessment.judged import judged_types, listed_types
from kodomo.assessment.lawful import Lawful, lawful_at
from kodomo.assessment.models import CaseLevel, SavedFilter
from kodomo.configuration import Office
from kodomo.governance.permissions import Action, Role, Scope, can, scope

MOST_FILTERS = 20


@require_safe
def shortlist(request: Any) -> HttpResponse:
    """一次絞り込み: the cases that fit the filters, without names."""
    return _list(request, request.GET)


def _list(request: Any, given: Any, status: int = 200, **more: Any) -> HttpResponse:
    """The list by the conditions given. ``more``: what was wrong with an assignment, and what was marked."""
    lawful = lawful_at(request.at)
    form, filters = _asked(request, given, lawful)
    cases = lists.shortlisted(request.actor, filters, lawful)
    page = Paginator(cases.prefetch_related(_current_levels()), lists.PAGE_SIZE).get_page(given.get("page"))
    rows = _rows(list(page.object_list), request, lawful)
    beyond = lists.shortlisted(request.actor, filters.widened, lawful).count() if filters.is_at_capacity else 0
    _record_list(request, Action.VIEW_SHORTLIST, len(rows), filters)
    query = {name: value for name, value in given.items() if name != "page"}
    context = {"form": form, "page": page, "rows": rows, "query": urlencode(query), "filters": filters,
               "lawful": lawful, "beyond": beyond, "wider": urlencode({**query, "reach": lists.Reach.ALL.value}),
               "many_offices": len(_offices(request)) > 1,
               "saved": SavedFilter.objects.filter(username=request.actor.username),
               "names": _names(),
               "may_export": can(request.actor.role, Action.EXPORT_SHORTLIST)}  # fmt: skip
    if can(request.actor.role, Action.ASSIGN_CASE):
        context |= {"caseworkers": caseworkers(request), "token": secrets.token_urlsafe(24)}
    return render(request, "assessment/shortlist.html", {**context, **more}, status=status)


@require_POST
def shortlist_export(request: Any) -> HttpResponse:
    """The same list as a file, masked in the same way, saying who took it and when."""
    lawful = lawful_at(request.at)
    _, filters = _asked(request, request.POST, lawful)
    cases = lists.shortlisted(request.actor, filters, lawful)
    rows = _rows(list(cases.prefetch_related(_current_levels())), request, lawful)
    number = _record_list(request, Action.EXPORT_SHORTLIST, len(rows), filters)
    content = exports.shortlist_csv(
        rows, actor=request.actor, at=request.at, number=number, lawful=lawful, people=_names()
    )
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="shortlist-{number}.csv"'
    return response


def _asked(request: Any, given: Any, lawful: Lawful) -> tuple[FilterForm, lists.Filters]:
    form = FilterForm(given, offices=_offices(request), actor=request.actor, lawful=lawful)
    return form, form.filters()


def _offices(request: Any) -> tuple[Office, ...]:
    everywhere = scope(request.actor.role, Action.VIEW_SHORTLIST) is Scope.EVERY_OFFICE
    return tuple(
        o for o in settings.MUNICIPALITY.offices if o.age_bands and (everywhere or o.code == request.actor.office)
    )


def _names() -> dict[str, str]:
    """User name → name of everybody on the staff."""
    return dict(get_user_model().objects.values_list("username", "name"))


def _current_levels() -> Prefetch:
    return Prefetch("levels", queryset=CaseLevel.objects.filter(is_current=True), to_attr="current_levels")


def _rows(cases: list[Any], request: Any, lawful: Lawful) -> list[dict[str, Any]]:
    """What the lines of the list say. Levels stay hidden from an assessor whose first view is missing."""
    shown = policies.cases_with_levels(cases, request.actor)
    types = settings.MUNICIPALITY.types
    return [
        {
            "case": case,
            "levels_shown": case.pk in shown,
            "is_blind": case.pk not in shown and can(request.actor.role, Action.WRITE_MEMBER_VIEW),
            "types": listed_types(judged_types(lawful.told(case.current_levels), types)),
        }
        for case in cases
    ]


def _record_list(request: Any, action: Action, count: int, filters: lists.Filters) -> int:
    detail = {"count": count, "filters": filters.chosen()}
    return trail.record_first(trail.event_of(request.actor, action, detail=detail), request.at)


# Conditions under a name, and people for cases ---------------------------------------------------


@require_POST
def save_filter(request: Any) -> HttpResponse:
    """Keep the conditions under a name of one's own; the same name again replaces them."""
    _, filters = _asked(request, request.POST, lawful_at(request.at))
    name = request.POST.get("name", "").strip()[:40]
    if not name:
        raise policies.NotAcceptable(
            "条件に付ける名前が入っていません。", then="前の画面に戻って、名前を入れてください。"
        )
    query = urlencode({k: "on" if v is True else v for k, v in {**filters.chosen(), "order": filters.order}.items()})
    with trail.recorded(trail.event_of(request.actor, "SAVE_FILTER", detail={"filters": filters.chosen()}), request.at):
        kept = SavedFilter.objects.filter(username=request.actor.username)
        if kept.count() >= MOST_FILTERS and not kept.filter(name=name).exists():
            raise policies.NotAcceptable(
                f"保存できる条件は {MOST_FILTERS} 件までです。", then="使わない条件を消してください。"
            )
        SavedFilter.objects.update_or_create(username=request.actor.username, name=name, defaults={"query": query})
    return redirect(f"/cases/?{query}")


@require_POST
def drop_filter(request: Any, key: int) -> HttpResponse:
    """Forget one's own conditions."""
    with trail.recorded(trail.event_of(request.actor, "DROP_FILTER"), request.at):
        SavedFilter.objects.filter(username=request.actor.username, pk=key).delete()
    return redirect("shortlist")


@require_POST
def assign(request: Any) -> HttpResponse:
    """主担当を決める: the cases marked on the list go to one person; refused, the list comes again with its marks."""
    marked, wanted = request.POST.getlist("case"), request.POST.get("caseworker", "")
    query = request.POST.get("query", "")[:600]
    try:
        actions.assign_cases(
            marked,
            by=request.actor,
            caseworker=wanted,
            eligible={account.username: account.office for account in caseworkers(request)},
            token=request.POST.get("token", "")[:64],
            at=request.at,
        )
    except policies.NotAcceptable as refusal:
        return _list(request, QueryDict(query), 400, fault=refusal, marked=set(marked), wanted=wanted)
    return redirect(f"/cases/?{query}")


def caseworkers(request: Any) -> list[Any]:
    """Who may be given cases: practitioners who can sign in, of the offices the person assigns for."""
    people = get_user_model().objects.filter(role=Role.PRACTITIONER, is_active=True)
    if scope(request.actor.role, Action.ASSIGN_CASE) is not Scope.EVERY_OFFICE:
        people = people.filter(office=request.actor.office)
    return list(people.order_by("office", "username"))

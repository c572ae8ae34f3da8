"""受け渡しの台帳: what is out at partners, what has not come back; and the page that takes replies in (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.assessment import trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.policies import NotAcceptable
from kodomo.assessment.shortlist import PAGE_SIZE, visible_cases
from kodomo.governance.permissions import Action, can
from kodomo.support import replies, slip_reader
from kodomo.support.forms import ReplyForm
from kodomo.support.models import Package, PackageFile
from kodomo.support.moves import PackageState
from kodomo.support.package_policies import state_of
from kodomo.support.returned_form import SlipRefused

VIEWS = {
    "": "渡しているもの",
    "late": "未返送",
    "undestroyed": "期限切れ・廃棄を確かめていない",
    "approval": "承認待ち",
    "gone": "廃棄済み",
}
"""Ways of looking at the register."""


@require_safe
def packages(request: Any) -> HttpResponse:
    """受け渡しの台帳, the soonest expected answer first."""
    today, chosen = local_day(request.at), request.GET.get("view", "")
    view = chosen if chosen in VIEWS else ""
    files = Prefetch("files", PackageFile.objects.defer("content"))  # whether there is one; not the sealed bytes
    found = Package.objects.filter(case__in=visible_cases(request.actor)).select_related("case")
    every = sorted(found.prefetch_related("events", "approvals", files), key=lambda one: (one.due_on, one.pk))
    shown = {key: [one for one in every if _is_in(one, key, today)] for key in VIEWS}
    page = Paginator(shown[view], PAGE_SIZE).get_page(request.GET.get("page"))
    detail = {"count": len(page.object_list), "view": view}
    trail.record_first(trail.event_of(request.actor, Action.VIEW_PACKAGES, detail=detail), request.at)
    context = {
        "rows": [(one, state_of(one, today), TODO.get(state_of(one, today), "")) for one in page.object_list],
        "page": page,
        "views": [(key, words, len(shown[key])) for key, words in VIEWS.items()],
        "view": view,
        "today": today,
        "may_receive": can(request.actor.role, Action.RECEIVE_REPLY),
        "may_record": can(request.actor.role, Action.MAKE_PACKAGE, own_office=True),
    }
    return render(request, "support/packages.html", context)


def _is_in(package: Package, view: str, today: dt.date) -> bool:
    state = state_of(package, today)
    return {
        "": state is not PackageState.DESTROYED,
        "late": state is PackageState.LATE,
        "undestroyed": state is PackageState.EXPIRED,
        "approval": state is PackageState.WAITING,
        "gone": state is PackageState.DESTROYED,
    }[view]


TODO = {
    PackageState.WAITING: "承認を待つ",
    PackageState.READY: "渡したことを記録する",
    PackageState.LATE: "催促する",
    PackageState.EXPIRED: "廃棄を確かめる",
    PackageState.REFUSED: "廃棄を記録する",
}
"""What somebody should do next about a package."""


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def reply(request: Any) -> HttpResponse:
    """回答票を取り込む."""
    form = ReplyForm(request.POST, request.FILES) if request.method == "POST" else ReplyForm.opened(0)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            taken, is_new = replies.receive_reply(
                given["slip"].read(slip_reader.LARGEST_SLIP + 1), by=request.actor, next_on=given["next_on"],
                token=given["token"], at=request.at, password=given["password"],
            )  # fmt: skip
        except SlipRefused as refusal:
            # What was refused leaves a row too: by its code, never by what it said.
            with trail.recorded(
                trail.event_of(request.actor, "REFUSE_REPLY", detail={"code": refusal.code}), request.at
            ):
                form.refuse(refusal)
        except NotAcceptable as refusal:
            form.refuse(refusal)
        else:
            detail = {"case": taken.package.case.case_number, "package": taken.package.number}
            event = trail.event_of(request.actor, "VIEW_REPLY", subject=taken.package.case.child_key, detail=detail)
            with trail.recorded(event, request.at):
                return render(request, "support/reply_taken.html", {"reply": taken, "is_new": is_new})
    return render(request, "support/reply.html", {"form": form}, status=400 if form.is_bound else 200)

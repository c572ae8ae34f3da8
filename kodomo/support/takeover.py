"""引継ぎ(人事異動): everything that goes from one caseworker to the next, on one page and in one act (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from kodomo.assessment import trail
from kodomo.assessment.actions import assign_cases, local_day
from kodomo.assessment.forms import OnceForm
from kodomo.assessment.lists import caseworkers
from kodomo.assessment.models import Case, Submission
from kodomo.assessment.policies import TEXT_LIMIT, NotAcceptable, check_text, state_of_inquiry
from kodomo.assessment.shortlist import visible_cases
from kodomo.assessment.states import ENDED_STATES, reason_label
from kodomo.support import package_policies
from kodomo.support.actions import author
from kodomo.support.models import Takeover


class TakeoverForm(OnceForm):
    """引き継ぐ."""

    to = forms.ChoiceField(label="引き継ぐ人")
    text = forms.CharField(
        label="引き継ぐこと(全部の事例に共通)", max_length=TEXT_LIMIT, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, people: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to: Any = self.fields["to"]
        to.choices = [("", "選んでください"), *(people or {}).items()]


@require_http_methods(["GET", "POST"])
def takeover(request: Any) -> HttpResponse:
    """引継ぎ: the cases of one caseworker with what was promised and why; on paper too; and all of them to the next."""
    accounts = caseworkers(request)
    names = dict(get_user_model().objects.values_list("username", "name"))
    leaving = request.GET.get("from") or request.actor.username
    people = {one.username: one.name for one in accounts if one.username != leaving}
    form = TakeoverForm(request.POST, people=people) if request.method == "POST" else None
    if form is not None and form.is_valid():
        eligible = {one.username: one.office for one in accounts}
        try:
            hand_over(request, leaving, names.get(leaving, leaving), eligible, names, form.given())
        except NotAcceptable as refusal:
            form.refuse(refusal)
        else:
            return redirect(f"/takeover/?from={form.cleaned_data['to']}")
    kits = [kit_of(case, local_day(request.at)) for case in cases_of(request, leaving).prefetch_related(*_OF_A_KIT)]
    detail = {"count": len(kits), "from": leaving}
    number = trail.record_first(trail.event_of(request.actor, "VIEW_TAKEOVER", detail=detail), request.at)
    context = {
        "kits": kits, "leaving": leaving, "leaving_name": names.get(leaving, leaving), "number": number,
        "people": holders(request, accounts, names), "today": local_day(request.at),
        "form": form or TakeoverForm.opened(0, {"people": people}),
    }  # fmt: skip
    return render(request, "support/takeover.html", context, status=400 if form is not None else 200)


def open_cases(request: Any) -> Any:
    """The cases not ended, as far as the reader may see them: what nobody has decided yet would be lost otherwise."""
    return visible_cases(request.actor).exclude(state__in=ENDED_STATES)


def cases_of(request: Any, username: str) -> Any:
    """A caseworker's cases; the soonest next date first, those nobody has decided yet last."""
    return open_cases(request).filter(caseworker=username).order_by(F("next_on").asc(nulls_last=True), "pk")


def holders(request: Any, accounts: Iterable[Any], names: Mapping[str, str]) -> dict[str, str]:
    """Whose cases can be looked at: who may be given cases, and whoever still has some though the account is closed."""
    known = {one.username: one.name for one in accounts}
    left = open_cases(request).exclude(caseworker="").values_list("caseworker", flat=True).order_by("caseworker")
    return known | {one: names.get(one, one) for one in left.distinct() if one not in known}


_OF_A_KIT = ("assessments", "plans__goals__outcomes", "inquiries__answers", "packages__events", "packages__approvals",
             "contacts", "takeovers")  # fmt: skip
"""Read for all cases at once: a caseworker who leaves has fifty."""


def kit_of(case: Case, today: dt.date) -> dict[str, Any]:
    """What the next caseworker must know of a case: why it was decided so, what was promised, what is still out."""
    decision = next(reversed(case.assessments.all()), None)
    plan = next(reversed(case.plans.all()), None)
    contacts = sorted(case.contacts.all(), key=lambda one: (one.met_on, one.pk), reverse=True)
    return {
        "case": case,
        "decision": decision,
        "reason": reason_label(decision.decision, decision.reason_code) if decision else "",
        "plan": plan,
        "goals": [(goal, goal.last_outcome) for goal in plan.goals.all()] if plan else [],
        "contacts": contacts[:2],
        "inquiries": [one for one in case.inquiries.all() if state_of_inquiry(one, today) != "ANSWERED"],
        "packages": [(one, package_policies.state_of(one, today)) for one in case.packages.all() if not one.is_settled],
        "takeovers": list(case.takeovers.all())[-1:],
    }


def hand_over(
    request: Any,
    leaving: str,
    leaving_name: str,
    eligible: Mapping[str, str],
    names: Mapping[str, str],
    given: Mapping[str, Any],
) -> None:
    """Give every open case of one caseworker to the next, each with the word that goes with it; once.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: no cases, no words, or the person does not work for the cases' office.
    """
    check_text(given["text"], "引き継ぐこと", required=True)
    with transaction.atomic():
        if Submission.objects.filter(token=given["token"], username=request.actor.username).exists():
            return
        cases = list(cases_of(request, leaving))
        assign_cases(
            [case.case_number for case in cases], by=request.actor, caseworker=given["to"], eligible=eligible,
            token=given["token"], at=request.at,
        )  # fmt: skip
        for case in cases:
            Takeover.objects.create(
                case=case, from_name=leaving_name, to_name=names.get(given["to"], given["to"]),
                text=given["text"].strip(), **author(request.actor, request.at),
            )  # fmt: skip
        detail = {"count": len(cases), "from": leaving, "to": given["to"]}
        trail.append(trail.event_of(request.actor, "HAND_OVER_CASES", detail=detail), request.at, settings.HOME)

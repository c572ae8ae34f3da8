"""Find a case by what somebody on the telephone says: its number, or a half-remembered reading (casework side).

What is typed is sent by POST and kept nowhere: not in an address, a session, a log or an audit row. What
comes back is case numbers of the person's own office; a name stays behind ``reveal``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from kodomo.assessment import step_up, trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.case_numbers import as_case_number, is_case_number
from kodomo.assessment.forms import DateAsWritten
from kodomo.assessment.lawful import lawful_on
from kodomo.assessment.models import Case
from kodomo.assessment.shortlist import visible_cases
from kodomo.assessment.states import REVEAL_PURPOSES
from kodomo.errors import NotPermitted
from kodomo.governance.permissions import Action
from kodomo.vault.search import TooWide, Wanted, search_by_reading

MOST_AN_HOUR = 40
"""Searches a person may make in an hour: enough for a day of telephone calls, too few to go through a school."""


class FindForm(forms.Form):
    """読みか仮番号."""

    words = forms.CharField(label="かな(姓・名)または仮番号", max_length=80)
    born_on = DateAsWritten(label="生年月日(わかるとき)", required=False, max_length=24)
    purpose = forms.ChoiceField(label="目的", choices=list(REVEAL_PURPOSES.items()), widget=forms.RadioSelect)
    password = step_up.PasswordAgain("あなたのパスワード(もう一度)")

    def __init__(self, *args: Any, asks_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].widget.attrs["autocomplete"] = "off"
        if not asks_password:
            del self.fields["password"]


@sensitive_post_parameters("words", "born_on", "password")
@sensitive_variables("form", "given", "wanted")
@require_http_methods(["GET", "POST"])
def find(request: Any) -> HttpResponse:
    """読みで探す: which of my office's cases is about the child somebody speaks of."""
    number = as_case_number(request.POST.get("words", ""))
    if request.method == "POST" and is_case_number(number):
        return redirect("case", case_number=number)
    form = FindForm(request.POST or None, asks_password=not step_up.was_lately(request))
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid() and _is_confirmed(request, form):
        try:
            context["cases"] = _found(request, form.cleaned_data)
        except TooWide as refusal:
            form.add_error("words", f"{refusal.what}{refusal.then}")
    return render(request, "assessment/find.html", context, status=400 if form.errors else 200)


def _is_confirmed(request: Any, form: FindForm) -> bool:
    if "password" not in form.fields or step_up.is_really(request, form.cleaned_data["password"]):
        return True
    form.add_error("password", "パスワードが違います。")
    return False


@sensitive_variables("given", "wanted")
def _found(request: Any, given: dict[str, Any]) -> list[Case]:
    """The cases, best fit first, with an audit row on both sides; the vault's is committed first."""
    today, purpose = local_day(request.at), REVEAL_PURPOSES[given["purpose"]]
    check_pace(request)
    wanted = Wanted(given["words"], given["born_on"])
    mine = visible_cases(request.actor)
    keys = search_by_reading(
        wanted,
        among=set(mine.values_list("child_key", flat=True)),
        home=settings.HOME,
        register=lawful_on(today, settings.MUNICIPALITY).register,
        on=today,
        by=request.actor.username,
        role=request.actor.role,
        purpose=purpose,
        at=request.at,
    )
    found = {case.child_key: case for case in mine.filter(child_key__in=keys)}
    event = trail.event_of(request.actor, Action.FIND_CASE, purpose=purpose, detail={"count": len(keys)})
    trail.record_first(event, request.at)
    # Once more, with one's own row: of many questions at the same time none saw the others' rows before.
    check_pace(request, has_row=True)
    return [found[key] for key in keys if key in found]


def check_pace(request: Any, *, has_row: bool = False) -> None:
    """Nobody goes through the names of a school one by one.

    Args:
        has_row: whether this question's own row is written already.
    """
    since = (request.at - dt.timedelta(hours=1)).astimezone(dt.UTC).isoformat(timespec="milliseconds")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit_events WHERE actor = %s AND action = %s AND at > %s",
            [request.actor.username, Action.FIND_CASE.value, since],
        )
        made = int(cursor.fetchone()[0])
    if made >= MOST_AN_HOUR + has_row:
        raise NotPermitted(
            f"読みでの検索は1時間に {MOST_AN_HOUR} 回までです。", then="時間をおくか、仮番号で開いてください。"
        )

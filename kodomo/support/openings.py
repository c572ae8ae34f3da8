"""移管・相談の受理: a case that people bring in, for a child the judgement did not raise (casework side).

What is typed to find the child is sent by POST and kept nowhere. Only one child may fit; no name comes back.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from kodomo.assessment import step_up, trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.arrivals import arrived_judgement, open_by_hand
from kodomo.assessment.finding import check_pace
from kodomo.assessment.forms import DateAsWritten, OnceForm, missing_date
from kodomo.assessment.interests import has_interest
from kodomo.assessment.lawful import lawful_on
from kodomo.assessment.models import Case, Submission
from kodomo.assessment.moves import check_move
from kodomo.assessment.policies import TEXT_LIMIT, NotAcceptable, check_text
from kodomo.assessment.states import ENDED_STATES, REVEAL_PURPOSES, CaseState
from kodomo.governance import permissions
from kodomo.governance.permissions import Action
from kodomo.support.actions import author
from kodomo.support.models import Opening
from kodomo.support.protection import protection_of
from kodomo.support.words import OpeningSource, Protection
from kodomo.vault.search import TooWide, Wanted, search_by_reading


class OpenForm(OnceForm):
    """移管・相談を受けて事例を開く."""

    source = forms.ChoiceField(
        label="受理のきっかけ", choices=[(m.value, m.label) for m in OpeningSource], widget=forms.RadioSelect
    )
    reading = forms.CharField(label="こどもの読み(姓と名、かな)", max_length=80)
    born_on = DateAsWritten(label="生年月日", max_length=24, error_messages={"required": missing_date("生年月日")})
    from_whom = forms.CharField(label="移管元の市区町村・相談元", required=False, max_length=80)
    text = forms.CharField(
        label="引き継いだこと・聞いたこと", max_length=TEXT_LIMIT, widget=forms.Textarea(attrs={"rows": 6})
    )
    purpose = forms.ChoiceField(label="目的", choices=list(REVEAL_PURPOSES.items()), widget=forms.RadioSelect)
    password = step_up.PasswordAgain("あなたのパスワード(もう一度)")


@sensitive_post_parameters("reading", "born_on", "password")
@sensitive_variables("form", "given")
@require_http_methods(["GET", "POST"])
def open_case(request: Any) -> HttpResponse:
    """移管・相談を受ける: find the one child that fits, and open its case in the office that is responsible."""
    form = OpenForm(request.POST) if request.method == "POST" else OpenForm.opened(0)
    if form.is_bound and form.is_valid():
        if not step_up.is_really(request, form.cleaned_data["password"]):
            form.add_error("password", "パスワードが違います。")
        else:
            try:
                case = _opened(request, form.cleaned_data)
            except (NotAcceptable, TooWide) as refusal:
                form.refuse(refusal)
            else:
                if case.office == request.actor.office:
                    return redirect("support", case_number=case.case_number)
                return render(request, "support/opened_elsewhere.html", {"office": case.office})
    return render(request, "support/open_case.html", {"form": form}, status=400 if form.is_bound else 200)


@sensitive_variables("given")
def _opened(request: Any, given: dict[str, Any]) -> Case:
    """The child's case, new or known, with the opening and its audit row; all of it or nothing.

    Raises:
        NotPermitted: role, or an interest declared in the child's case.
        NotAcceptable: nobody fits, or more than one child does, or no words.
        TooWide: too few letters.
    """
    permissions.check(request.actor.role, Action.OPEN_CASE, own_office=True)
    check_text(given["text"], "引き継いだこと・聞いたこと", required=True)
    check_pace(request)
    key = _only_child(request, given)
    with transaction.atomic():
        case, is_new = _case_of(key, request)
        if not Submission.objects.filter(token=given["token"], username=request.actor.username).exists():
            if case.state in ENDED_STATES:
                check_move(case.state, Action.OPEN_CASE, CaseState.RETURNED)
                case.state = CaseState.RETURNED
            case.version += 1
            case.save()
            _write(request, case, given)
            detail = {"case": case.case_number, "source": given["source"], "is_new": is_new}
            event = trail.event_of(request.actor, Action.OPEN_CASE, subject=key, detail=detail)
            trail.append(event, request.at, settings.HOME)
    return case


def _case_of(key: str, request: Any) -> tuple[Case, bool]:
    """The child's case, locked or new, and whether it is new; of two people at once the second finds the first one's."""
    known, is_new = _locked(key), False
    if known is None:
        try:
            with transaction.atomic():
                known = open_by_hand(key, home=settings.HOME, municipality=settings.MUNICIPALITY, at=request.at)
                is_new = True
        except IntegrityError:
            known = _locked(key)
    if known is None:
        raise _nobody()
    is_closed = has_interest(request.actor.username, known)
    permissions.check(request.actor.role, Action.OPEN_CASE, own_office=True, has_interest=is_closed)
    return known, is_new


def _locked(key: str) -> Case | None:
    return Case.objects.select_for_update().filter(child_key=key).first()


def _write(request: Any, case: Case, given: dict[str, Any]) -> None:
    # As it is today: a family may have come under protection since the judgement.
    protection = protection_of(case, by=request.actor, at=request.at)
    origin = "" if protection is Protection.PROTECTED else given["from_whom"].strip()
    Opening.objects.create(
        case=case,
        source=given["source"],
        from_whom=origin,
        text=given["text"].strip(),
        **author(request.actor, request.at),
    )
    Submission.objects.create(
        token=given["token"], username=request.actor.username, action=Action.OPEN_CASE, made_at=request.at
    )


@sensitive_variables("given")
def _only_child(request: Any, given: dict[str, Any]) -> str:
    """The key of the one child of the judgement that fits. Both sides keep a row that somebody looked."""
    today, purpose = local_day(request.at), REVEAL_PURPOSES[given["purpose"]]
    among = set(arrived_judgement(settings.HOME).read("subjects", ["child_key"])["child_key"].to_pylist())
    with transaction.atomic():
        keys = _found(request, given, among, today, purpose)
        event = trail.event_of(request.actor, Action.FIND_CASE, purpose=purpose, detail={"count": len(keys)})
        trail.append(event, request.at, settings.HOME)
    check_pace(request, has_row=True)
    if not keys:
        raise _nobody()
    if len(keys) > 1:
        raise NotAcceptable(
            "二人以上のこどもに当てはまります。", then="姓と名の両方の読みと、生年月日を確かめてください。"
        )
    return keys[0]


def _found(request: Any, given: dict[str, Any], among: set[str], today: dt.date, purpose: str) -> list[str]:
    return search_by_reading(
        Wanted(given["reading"], given["born_on"]),
        among=among,
        home=settings.HOME,
        register=lawful_on(today, settings.MUNICIPALITY).register,
        on=today,
        by=request.actor.username,
        role=request.actor.role,
        purpose=purpose,
        at=request.at,
    )


def _nobody() -> NotAcceptable:
    return NotAcceptable(
        "当てはまるこどもが、こどもデータベースにまだ載っていません。",
        then="読みと生年月日を確かめてください。転入したばかりのときは、次の受け渡しと判定の後に開けます。それまでは紙で進めてください。",
    )

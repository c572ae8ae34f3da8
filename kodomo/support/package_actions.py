"""Every write on a package (受け渡し票): made, agreed to, and what became of it (casework side)."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from kodomo.assessment.actions import local_day, write_on_case
from kodomo.assessment.case_numbers import check_digit
from kodomo.assessment.lawful import lawful_at
from kodomo.assessment.models import Case
from kodomo.governance.permissions import Action, Actor
from kodomo.support import package_policies as policies
from kodomo.support.actions import author
from kodomo.support.models import Package, PackageApproval, PackageEvent
from kodomo.support.partners import current_partners
from kodomo.support.protection import protection_of
from kodomo.support.words import PackageStep


def make_package(
    case_number: str,
    *,
    by: Actor,
    partner: str,
    partner_name: str,
    request: str,
    heed: str,
    expires_on: dt.date | None,
    version: int,
    token: str,
    at: dt.datetime,
    goal: str = "",
    reply_by: dt.date | None = None,
    numbers: random.Random | None = None,
) -> None:
    """Make what one partner is told and asked, under a number drawn for this partner alone.

    Where the family is under 支援措置, or nobody can say that it isn't, the package waits for an approver.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: no plan, more than the partner needs, words that locate a protected family, or no day until
            which it holds.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        given: dict[str, Any] = {
            "partner": partner,
            "partner_name": partner_name.strip(),
            "request": request.strip(),
            "heed": heed.strip(),
        }
        partners = current_partners(settings.MUNICIPALITY)
        dates: dict[str, Any] = {"reply_by": reply_by, "expires_on": expires_on, "today": local_day(at)}
        day, aim = policies.check_package(case, partners, **given, goal=goal, **dates)
        protection = protection_of(case, by=by, at=at)
        policies.check_words(protection, lawful_at(at).register, request, heed)
        number = _new_package_number(numbers or random.SystemRandom())
        Package.objects.create(
            case=case, number=number, goal=aim, reply_by=reply_by, expires_on=day, protection=protection, **given,
            **author(by, at),
        )  # fmt: skip
        return {"partner": partner, "expires_on": str(day), "protection": protection.value}

    write_on_case(case_number, Action.MAKE_PACKAGE, by=by, reason="", version=version, token=token, at=at, act=act)


def answer_package(
    case_number: str, *, by: Actor, package: int, verdict: str, reason: str, version: int, token: str, at: dt.datetime
) -> None:
    """Agree, as another person than the maker, that a package of a protected family leaves; or send it back.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: one's own package, one that waits for no answer, or no reason.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        protection = protection_of(case, by=by, at=at)
        found = policies.check_approval(case, package, by=by, protection=protection, verdict=verdict, reason=reason)
        PackageApproval.objects.create(
            package=found, verdict=verdict, protection=protection, reason=reason.strip(), **author(by, at)
        )
        return {"package": found.number, "verdict": verdict, "protection": protection.value}

    write_on_case(case_number, Action.APPROVE_PACKAGE, by=by, reason="", version=version, token=token, at=at, act=act)


def record_package_event(
    case_number: str,
    *,
    by: Actor,
    package: int,
    step: str,
    on: dt.date | None,
    text: str,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Record that a receipt or a reply came back, or that the paper is gone.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: not a package of this case, gone already, or a day to come.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        found, day = policies.check_package_event(case, package, step=step, on=on, text=text, today=local_day(at))
        PackageEvent.objects.create(package=found, step=step, on=day, text=text.strip(), **author(by, at))
        if step == PackageStep.DESTROYED:
            found.files.update(content=b"")
        return {"step": step}

    write_on_case(case_number, Action.MAKE_PACKAGE, by=by, reason="", version=version, token=token, at=at, act=act)


def _new_package_number(numbers: random.Random) -> str:
    while True:
        digits = f"{numbers.randrange(1_000_000):06d}"
        number = f"{digits[:3]}-{digits[3:]}{check_digit(digits)}"
        if not Package.objects.filter(number=number).exists():
            return number

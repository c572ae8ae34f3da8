"""Every write of the support: through the one choke point, once, with its audit row (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from kodomo.assessment.actions import local_day, write_on_case
from kodomo.assessment.models import Case
from kodomo.assessment.states import CaseState
from kodomo.governance.permissions import Action, Actor
from kodomo.support import policies
from kodomo.support.models import Closure, Contact, Goal, Outcome, Plan, Reopening, Transfer


def write_plan(
    case_number: str,
    *,
    by: Actor,
    policy: str,
    family_words: str,
    starts_on: dt.date | None,
    review_on: dt.date | None,
    goals: Sequence[Mapping[str, str]],
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Write the plan; a changed plan is a further revision. Its day of review becomes the next date when sooner.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: the case is not to be supported, or the plan doesn't hold together.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_can_plan(case)
        offices = [office.code for office in settings.MUNICIPALITY.offices]
        given: dict[str, Any] = {"policy": policy, "family_words": family_words, "starts_on": starts_on}
        day = policies.check_plan(**given, review_on=review_on, goals=goals, offices=offices, today=local_day(at))
        plan = Plan.objects.create(case=case, revision=case.plans.count() + 1, review_on=day, **given, **author(by, at))
        for number, goal in enumerate(goals, 1):
            Goal.objects.create(plan=plan, number=number, **goal)
        case.next_on = min(day, case.next_on or day)
        return {"revision": plan.revision, "goals": len(goals), "next_on": str(case.next_on)}

    write_on_case(case_number, Action.WRITE_PLAN, by=by, reason="", version=version, token=token, at=at, act=act)


def record_contact(
    case_number: str,
    *,
    by: Actor,
    kind: str,
    met_on: dt.date | None,
    result: str,
    text: str,
    next_on: dt.date | None,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Record a visit, interview or call, what came of it, and the next date, which can't be empty.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: nobody works on the case, a day to come, no words, or no next date.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        given: dict[str, Any] = {"kind": kind, "result": result, "text": text.strip(), "next_on": next_on}
        day = policies.check_contact(case, met_on=met_on, today=local_day(at), **given)
        Contact.objects.create(case=case, met_on=day, **given, **author(by, at))
        case.next_on = next_on
        return {"kind": kind, "result": result, "next_on": str(next_on)}

    write_on_case(case_number, Action.RECORD_CONTACT, by=by, reason="", version=version, token=token, at=at, act=act)


def record_outcome(
    case_number: str,
    *,
    by: Actor,
    goal: int,
    scale: str,
    seen_on: dt.date | None,
    text: str,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Say how a goal stands. What the family did not want is an outcome too.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: not a goal of the current plan, or a day to come.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        found = policies.check_outcome(case, goal, scale=scale, seen_on=seen_on, text=text, today=local_day(at))
        Outcome.objects.create(goal=found, scale=scale, seen_on=seen_on or local_day(at), text=text, **author(by, at))
        return {"goal": found.number, "outcome": scale}

    write_on_case(case_number, Action.RECORD_OUTCOME, by=by, reason="", version=version, token=token, at=at, act=act)


def close_case(
    case_number: str, *, by: Actor, reason_code: str, text: str, version: int, token: str, at: dt.datetime
) -> None:
    """Close (終結) with a reason. A later judgement that rises, or a person, brings the case back.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: nobody works on the case, no reason, or a goal without an outcome.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_closing(case, reason_code, text)
        Closure.objects.create(
            case=case, reason_code=reason_code, text=text.strip(), closed_on=local_day(at), **author(by, at)
        )
        case.state, case.next_on = CaseState.CLOSED, None
        return {"reason_code": reason_code}

    write_on_case(
        case_number, Action.CLOSE_CASE, by=by, reason=reason_code, version=version, token=token, at=at, act=act
    )


def reopen_case(case_number: str, *, by: Actor, text: str, version: int, token: str, at: dt.datetime) -> None:
    """Reopen a closed case: it waits for a decision again (再燃).

    Raises:
        NotPermitted: role or office.
        NotAcceptable: the case is not closed, or no words.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_reopening(case, text)
        Reopening.objects.create(case=case, text=text.strip(), **author(by, at))
        case.state = CaseState.RETURNED
        return {}

    write_on_case(case_number, Action.REOPEN_CASE, by=by, reason="", version=version, token=token, at=at, act=act)


def transfer_case(
    case_number: str, *, by: Actor, to_office: str, text: str, version: int, token: str, at: dt.datetime
) -> None:
    """Hand the case to another office; nobody there is its caseworker until they decide who.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: no such office, or no words.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        receiving = [office.code for office in settings.MUNICIPALITY.offices if office.age_bands]
        policies.check_transfer(case, to_office, text, receiving)
        Transfer.objects.create(
            case=case, from_office=case.office, to_office=to_office, text=text.strip(), **author(by, at)
        )
        detail = {"from": case.office, "to": to_office}
        case.office, case.caseworker = to_office, ""
        return detail

    write_on_case(case_number, Action.TRANSFER_CASE, by=by, reason="", version=version, token=token, at=at, act=act)


def author(actor: Actor, at: dt.datetime) -> dict[str, Any]:
    """Who wrote a row, and when."""
    return {"written_by": actor.username, "written_by_name": actor.name, "written_at": at}

"""Every write on a case: who, why, at most once, with its audit row in the same transaction (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping

from django.conf import settings
from django.db import transaction

from kodomo.assessment import policies, trail
from kodomo.assessment.interests import has_interest
from kodomo.assessment.lawful import lawful_on
from kodomo.assessment.models import (
    Assessment,
    AssessmentSheet,
    Case,
    Disagreement,
    FirstView,
    Inquiry,
    InquiryAnswer,
    Note,
    Submission,
)
from kodomo.assessment.moves import check_move
from kodomo.assessment.sheets import current_sheets
from kodomo.assessment.states import REVEAL_PURPOSES, CaseState
from kodomo.governance import permissions
from kodomo.governance.permissions import Action, Actor
from kodomo.terms import OVERALL
from kodomo.vault.reveal import Identity, reveal


def write_first_view(
    case_number: str, *, by: Actor, text: str, concern: str, version: int, token: str, at: dt.datetime
) -> None:
    """Write the assessor's first view: from here on this person sees the judgement.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: written before, or empty.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_can_write_first_view(case, by, text)
        FirstView.objects.create(
            case=case,
            judgement_name=case.judgement_name,
            text=text.strip(),
            concern=concern,
            written_by=by.username,
            written_by_name=by.name,
            written_at=at,
        )
        return {"concern": concern, "judgement": case.judgement_name}

    write_on_case(case_number, Action.WRITE_FIRST_VIEW, by=by, reason="", version=version, token=token, at=at, act=act)


def decide(
    case_number: str,
    *,
    by: Actor,
    decision: str,
    reason_code: str,
    reason: str,
    agreement: str,
    next_on: dt.date | None,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Decide what is done for the child; a later decision is a further revision, the earlier ones stay.

    Raises:
        NotPermitted: role, office, or no first view yet.
        NotAcceptable: decision, reason or next date don't hold together.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        view = policies.check_can_decide(case, by)
        policies.check_decision(
            decision=decision,
            reason_code=reason_code,
            reason_text=reason,
            agreement=agreement,
            next_on=next_on,
            today=local_day(at),
        )
        revision = case.assessments.count() + 1
        Assessment.objects.create(
            case=case,
            revision=revision,
            first_view=view,
            judgement_name=case.judgement_name,
            decision=decision,
            reason_code=reason_code,
            reason_text=reason.strip(),
            agreement=agreement,
            next_on=next_on,
            decided_by=by.username,
            decided_by_name=by.name,
            decided_by_role=by.role,
            decided_at=at,
        )
        case.state, case.next_on = CaseState(decision), next_on
        return {"decision": decision, "revision": revision, "agreement": agreement, "next_on": str(next_on or "")}

    write_on_case(case_number, Action.DECIDE, by=by, reason=reason_code, version=version, token=token, at=at, act=act)


def reveal_name(case_number: str, *, by: Actor, purpose_code: str, at: dt.datetime) -> Identity:
    """Open the name of one case's child, with an audit row on both sides.

    The vault's row is committed first: if this side's row then fails, nothing is shown and the
    vault still knows that somebody asked.

    Raises:
        NotPermitted: role, office, no legal basis today, or the case is not at that point.
        NotReady: the vault doesn't know the child.
    """
    today = local_day(at)
    lawful = lawful_on(today, settings.MUNICIPALITY)
    with transaction.atomic():
        case = _case(case_number)
        check_access(case, Action.REVEAL_NAME, by)
        policies.check_can_reveal(case, purpose_code, lawful)
        purpose = REVEAL_PURPOSES[purpose_code]
        identity = reveal(
            case.child_key,
            home=settings.HOME,
            register=lawful.register,
            on=today,
            by=by.username,
            role=by.role,
            purpose=purpose,
            case_number=case.case_number,
            at=at,
        )
        event = trail.event_of(by, Action.REVEAL_NAME, subject=case.child_key, purpose=purpose, detail=_about(case))
        trail.append(event, at, settings.HOME)
    return identity


def write_sheet(
    case_number: str,
    *,
    by: Actor,
    kind: str,
    answers: Mapping[str, Mapping[str, str]],
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Write one type's sheet; a further look is a further revision.

    Args:
        answers: code of an item → degree, words, and the item as it was asked.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: no sheet of that type, an item or degree that isn't on it, or nothing answered.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_is_open(case)
        policies.check_sheet(current_sheets(settings.MUNICIPALITY).get(kind), answers)
        revision = case.sheets.filter(type=kind).count() + 1
        AssessmentSheet.objects.create(
            case=case, type=kind, revision=revision, answers=dict(answers), written_by=by.username,
            written_by_name=by.name, written_at=at,
        )  # fmt: skip
        return {"type": kind, "revision": revision, "count": len(answers)}

    write_on_case(case_number, Action.WRITE_SHEET, by=by, reason="", version=version, token=token, at=at, act=act)


def write_note(case_number: str, *, by: Actor, text: str, version: int, token: str, at: dt.datetime) -> None:
    """Write a note. It changes nothing of the case, so nobody else's open form is in its way.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: no words, or a closed case.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_is_open(case)
        policies.check_text(text, "メモ", required=True)
        Note.objects.create(
            case=case, text=text.strip(), written_by=by.username, written_by_name=by.name, written_at=at
        )
        return {}

    write_on_case(case_number, Action.WRITE_NOTE, by=by, reason="", version=None, token=token, at=at, act=act)


def disagree(
    case_number: str, *, by: Actor, kind: str, opinion: str, text: str, version: int, token: str, at: dt.datetime
) -> None:
    """Say that the judgement of one type is wrong, how and why; the codes go back to learning.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: not seen yet, no such type, no words, or a closed case.
        VersionConflict: the case changed since the form was opened, perhaps by a newer judgement.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_is_open(case)
        types = {OVERALL, *(t.value for t in settings.MUNICIPALITY.types)}
        policies.check_disagreement(case, by, kind=kind, opinion=opinion, text=text, types=types)
        Disagreement.objects.create(
            case=case, judgement_name=case.judgement_name, type=kind, opinion=opinion, text=text.strip(),
            written_by=by.username, written_by_name=by.name, written_at=at,
        )  # fmt: skip
        return {"type": kind, "opinion": opinion, "judgement": case.judgement_name}

    write_on_case(case_number, Action.DISAGREE, by=by, reason=opinion, version=version, token=token, at=at, act=act)


def ask_inquiry(
    case_number: str,
    *,
    by: Actor,
    asked: str,
    questions: str,
    due_on: dt.date | None,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Ask a school, nursery or office; the day the answer is due becomes the case's next date when that is sooner.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: nobody works on the case, no question, or no day to come.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        policies.check_can_ask(case)
        day = policies.check_inquiry(asked=asked, questions=questions, due_on=due_on, today=local_day(at))
        Inquiry.objects.create(case=case, asked=asked, questions=questions.strip(), due_on=day,
                               asked_by=by.username, asked_by_name=by.name, asked_at=at)  # fmt: skip
        case.next_on = min(day, case.next_on or day)
        return {"asked": asked, "due_on": str(day)}

    write_on_case(case_number, Action.ASK_INQUIRY, by=by, reason="", version=version, token=token, at=at, act=act)


def answer_inquiry(
    case_number: str,
    *,
    by: Actor,
    inquiry: int,
    text: str,
    answered_on: dt.date | None,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Record what was answered. A correction is a further answer; the first stays.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: no text, a day to come, or an inquiry of another case.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        asked, day = policies.check_answer(case, inquiry, text=text, answered_on=answered_on, today=local_day(at))
        InquiryAnswer.objects.create(inquiry=asked, answered_on=day, text=text.strip(),
                                     recorded_by=by.username, recorded_by_name=by.name, recorded_at=at)  # fmt: skip
        return {"asked": asked.asked, "answered_on": str(day)}

    write_on_case(case_number, Action.ANSWER_INQUIRY, by=by, reason="", version=version, token=token, at=at, act=act)


def assign_cases(
    case_numbers: Collection[str],
    *,
    by: Actor,
    caseworker: str,
    eligible: Mapping[str, str],
    token: str,
    at: dt.datetime,
) -> int:
    """Give a list of cases one caseworker (主担当); each case leaves its own audit row. Returns how many changed.

    All of it or nothing. A list of cases, in no order: it is no ranking.

    Args:
        eligible: who may be given a case: user name → office.

    Raises:
        NotPermitted: role, or a case of another office.
        NotAcceptable: nothing chosen, or the person does not work for the case's office.
    """
    with transaction.atomic():
        if Submission.objects.filter(token=token, username=by.username).exists():
            return 0
        cases = list(Case.objects.select_for_update().filter(case_number__in=case_numbers).order_by("pk"))
        policies.check_assignment(cases, caseworker, eligible)
        for case in cases:
            check_access(case, Action.ASSIGN_CASE, by)
        changed = [case for case in cases if case.caseworker != caseworker]
        for case in changed:
            case.caseworker, case.version = caseworker, case.version + 1
            case.save()
            detail = {**_about(case), "caseworker": caseworker}
            event = trail.event_of(by, Action.ASSIGN_CASE, subject=case.child_key, detail=detail)
            trail.append(event, at, settings.HOME)
        Submission.objects.create(token=token, username=by.username, action=Action.ASSIGN_CASE, made_at=at)
    return len(changed)


def local_day(at: dt.datetime) -> dt.date:
    """The calendar day in the city at a moment."""
    return at.astimezone(settings.LOCAL_ZONE).date()


def write_on_case(
    case_number: str,
    action: Action,
    *,
    by: Actor,
    reason: str,
    version: int | None,
    token: str,
    at: dt.datetime,
    act: Callable[[Case], Mapping[str, object]],
) -> None:
    """One write on one case: permission, once, version, act, audit row; all of it or nothing.

    Every write of the assessment and of the support goes through here.

    Args:
        version: of the case when the form was opened; None for what was not written on an opened case.
        act: does the work on the case, which is saved afterwards; returns what the audit row says of it
            (codes and counts, never a text).

    Raises:
        NotPermitted: role or office.
        VersionConflict: the case changed since the form was opened.
    """
    with transaction.atomic():
        case = _case(case_number)
        check_access(case, action, by)
        if Submission.objects.filter(token=token, username=by.username).exists():
            return
        if version is not None:
            policies.check_version(case, version)
        before = case.state
        detail = {**_about(case), **act(case)}
        check_move(before, action, case.state)
        if action is not Action.WRITE_NOTE:
            case.version += 1
            case.save()
        Submission.objects.create(token=token, username=by.username, action=action, made_at=at)
        event = trail.event_of(by, action, subject=case.child_key, reason=reason, detail=detail)
        trail.append(event, at, settings.HOME)


def check_access(case: Case, action: Action, by: Actor) -> None:
    """Ask the choke point about one case: role, office and declared interest. Raises NotPermitted."""
    is_closed = has_interest(by.username, case)
    permissions.check(by.role, action, own_office=case.office == by.office, has_interest=is_closed)


def _case(case_number: str) -> Case:
    # Locked until the transaction ends: where two write at once, the second sees what the first has done.
    return Case.objects.select_for_update().get(case_number=case_number)


def _about(case: Case) -> dict[str, object]:
    return {"case": case.case_number}

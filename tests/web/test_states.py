"""The tables of states are what the code does: every move is made here, and what is not in a table is not saved."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from kodomo.assessment import actions, conferences, policies
from kodomo.assessment.models import Case, Inquiry
from kodomo.assessment.moves import (
    ARRIVAL,
    CASE_MOVES,
    INQUIRY_MOVES,
    ITEM_MOVES,
    InquiryState,
    ItemState,
    Move,
    check_move,
)
from kodomo.assessment.states import CaseState
from kodomo.errors import IntegrityFault
from kodomo.governance.permissions import Action, Actor, Role
from kodomo.support import actions as support
from kodomo.support import package_actions, package_policies
from kodomo.support import policies as support_policies
from kodomo.support.models import Package
from kodomo.support.moves import PACKAGE_MOVES, PLAN_MOVES, PackageState, PlanState
from kodomo.terms import Decision

HANA = Actor("hana", "青木 花", Role.PRACTITIONER, "family_centre")
CHAIR = Actor("coordinator", "役割 総括", Role.COORDINATOR, "family_centre")
APPROVER = Actor("approver", "役割 承認", Role.APPROVER, "family_centre")
MEMBERS = [Actor(f"member-{n}", f"委員 {n}", Role.COMMITTEE_MEMBER, "npo") for n in range(2)]
AT = timezone.now()
TODAY = timezone.localdate()
NEXT = TODAY + dt.timedelta(days=9)
REASONS = {"SUPPORT": "S1", "INQUIRE": "Q1", "WATCH": "W1", "NO_ACTION": "N1"}


@pytest.fixture
def tokens() -> Iterator[str]:
    return (f"token-of-states-{n:06d}" for n in range(1000))


@pytest.fixture
def do(case_of: Any, tokens: Iterator[str], home: Any) -> Any:
    def act(write: Any, child: str = "pc01", by: Actor = HANA, **given: Any) -> Any:
        case = case_of(child)
        return write(case.case_number, by=by, version=case.version, token=next(tokens), at=AT, **given)

    return act


def next_on(decision: str) -> dt.date | None:
    return None if decision == Decision.NO_ACTION else NEXT


@pytest.fixture
def move(do: Any, case_of: Any, tokens: Iterator[str], in_vault: Any) -> Any:
    """Make one move of a case by its own action."""
    in_vault("pc01")
    do(actions.write_first_view, text="事実だけを見た所見です。", concern="SOME")

    def meet(decision: str) -> None:
        key = conferences.call_conference(
            by=CHAIR, held_on=TODAY, title="試験の会議", quorum=2, members={m.username: m.name for m in MEMBERS},
            case_numbers=[case_of("pc01").case_number], token=next(tokens), at=AT,
        )  # fmt: skip
        item = case_of("pc01").agenda.get(conference=key)
        for member in MEMBERS:
            conferences.write_member_view(item, by=member, has_interest=False, decision="WATCH", text="委員の所見です。",
                                          token=next(tokens), at=AT)  # fmt: skip
        conferences.decide_item(item, by=CHAIR, decision=decision, text="会議の決定です。", discussion="", at=AT,
                                next_on=next_on(decision), version=item.case.version, token=next(tokens))  # fmt: skip

    def make(one: Move) -> None:
        Case.objects.filter(child_key="pc01").update(state=one.before)
        if one.by == Action.DECIDE:
            do(actions.decide, decision=one.after, reason_code=REASONS[one.after], reason="", agreement="AGREE",
               next_on=next_on(one.after))  # fmt: skip
        elif one.by == Action.HOLD_CONFERENCE:
            meet(one.after)
        elif one.by == Action.CLOSE_CASE:
            do(support.close_case, reason_code="C1", text="")
        else:
            do(support.reopen_case, text="欠席がまた増えた。")

    return make


def test_a_case_makes_every_move_of_the_table(move: Any) -> None:
    for one in CASE_MOVES:
        if one.by not in (ARRIVAL, Action.OPEN_CASE):  # those have tests of their own
            move(one)
            assert Case.objects.get(child_key="pc01").state == one.after, one


def test_a_case_makes_no_other_move() -> None:
    for before in CaseState:
        for by in (*Action, ARRIVAL):
            for after in CaseState:
                if before != after and Move(before, by, after) not in CASE_MOVES:
                    with pytest.raises(IntegrityFault):
                        check_move(before, by, after)
    assert Move(CaseState.CLOSED, Action.DECIDE, CaseState.WATCH) not in CASE_MOVES


def test_a_write_that_would_move_a_case_otherwise_is_undone(do: Any, case_of: Any) -> None:
    def close(case: Case) -> dict[str, object]:
        case.state = CaseState.CLOSED
        return {}

    with pytest.raises(IntegrityFault):
        do(lambda number, **given: actions.write_on_case(number, Action.RECORD_CONTACT, reason="", act=close, **given))
    assert (case_of("pc01").state, case_of("pc01").version) == ("ARRIVED", 1)


def test_a_meeting_moves_no_closed_case(move: Any) -> None:
    move(Move(CaseState.WATCH, Action.DECIDE, CaseState.SUPPORT))
    with pytest.raises(policies.NotAcceptable):
        move(Move(CaseState.CLOSED, Action.HOLD_CONFERENCE, CaseState.SUPPORT))


def test_an_inquiry_goes_through_its_states(move: Any, do: Any, case_of: Any) -> None:
    move(Move(CaseState.ARRIVED, Action.DECIDE, CaseState.INQUIRE))
    seen = set()
    for is_late in (False, True):
        do(actions.ask_inquiry, asked="SCHOOL", questions="登校の様子を聞く。", due_on=NEXT)
        asked = Inquiry.objects.last()
        states = [policies.state_of_inquiry(asked, TODAY)]
        if is_late:
            states.append(policies.state_of_inquiry(asked, NEXT + dt.timedelta(days=1)))
        for _ in range(2):
            do(actions.answer_inquiry, inquiry=asked.pk, text="午後から来る日がある。", answered_on=TODAY)
            states.append(policies.state_of_inquiry(Inquiry.objects.get(pk=asked.pk), TODAY))
        seen |= set(zip(["", *states], states, strict=False))
    assert seen == {(one.before, one.after) for one in INQUIRY_MOVES}
    assert {state for pair in seen for state in pair} == {"", *InquiryState}


def test_an_item_goes_through_its_states(move: Any, case_of: Any, tokens: Iterator[str]) -> None:
    move(Move(CaseState.ARRIVED, Action.DECIDE, CaseState.INQUIRE))
    people = [*MEMBERS, Actor("member-3", "委員 三", Role.COMMITTEE_MEMBER, "npo")]
    seen = set()
    for views, is_off in ((3, False), (1, True), (2, True)):
        key = conferences.call_conference(
            by=CHAIR, held_on=TODAY, title="試験の会議", quorum=2, members={m.username: m.name for m in people},
            case_numbers=[case_of("pc01").case_number], token=next(tokens), at=AT,
        )  # fmt: skip
        item = case_of("pc01").agenda.get(conference=key)
        states = [conferences.state_of(item)]
        for member in people[:views]:
            conferences.write_member_view(item, by=member, has_interest=False, decision="WATCH", text="委員の所見です。",
                                          token=next(tokens), at=AT)  # fmt: skip
            states.append(conferences.state_of(item))
        if is_off:
            conferences.call_off(key, by=CHAIR, reason="開けなくなった。", at=AT)
            item.conference.refresh_from_db()
        else:
            conferences.decide_item(item, by=CHAIR, decision="WATCH", text="会議の決定です。", discussion="", at=AT,
                                    next_on=NEXT, version=item.case.version, token=next(tokens))  # fmt: skip
        states.append(conferences.state_of(item))
        seen |= set(zip(["", *states], states, strict=False))
    assert seen == {(one.before, one.after) for one in ITEM_MOVES}
    assert {state for _, state in seen} == set(ItemState)


def plan(do: Any) -> None:
    goals = [{"text": "週に二日は登校できる", "service": "SCHOOL", "office": "school_education"}]
    do(support.write_plan, policy="家の負担を軽くする。", family_words="", starts_on=TODAY, review_on=NEXT, goals=goals)


def test_a_plan_goes_through_its_states(move: Any, do: Any, case_of: Any) -> None:
    move(Move(CaseState.ARRIVED, Action.DECIDE, CaseState.SUPPORT))
    plan(do)
    first = case_of("pc01").plans.get()
    states = [support_policies.state_of_plan(first, day) for day in (TODAY, NEXT + dt.timedelta(days=1))]
    plan(do)
    states.append(support_policies.state_of_plan(first, TODAY))
    assert states == [PlanState.CURRENT, PlanState.LATE, PlanState.REPLACED] == list(PlanState)
    assert {one.after for one in PLAN_MOVES} == set(PlanState)


def test_a_package_goes_through_its_states(move: Any, do: Any, case_of: Any) -> None:
    move(Move(CaseState.ARRIVED, Action.DECIDE, CaseState.SUPPORT))
    plan(do)
    seen: set[tuple[str, str]] = set()

    def made(**case: Any) -> Package:
        Case.objects.filter(child_key="pc01").update(**case)
        do(package_actions.make_package, partner="NPO", partner_name="ひだまり", request="居場所に誘ってください。", heed="",
           reply_by=TODAY + dt.timedelta(days=1), expires_on=TODAY + dt.timedelta(days=2))  # fmt: skip
        return Package.objects.last()

    def state(package: Package, later: int = 0) -> PackageState:
        found = Package.objects.select_related("case").get(pk=package.pk)
        return package_policies.state_of(found, TODAY + dt.timedelta(days=later))

    def stepped(package: Package, step: str) -> None:
        do(package_actions.record_package_event, package=package.pk, step=step, on=TODAY, text="電話で聞いた。")

    for steps in ((), ("HANDED",), ("LATE",), ("REPLIED",), ("HANDED", "REPLIED"), ("LATE", "REPLIED"), ("EXPIRED",),
                  ("HANDED", "EXPIRED"), ("LATE", "EXPIRED"), ("REPLIED", "EXPIRED")):  # fmt: skip
        package, later = made(), 0
        states: list[str] = ["", state(package)]
        for step in steps:
            if step == "LATE":
                stepped(package, "HANDED")
                states.append(state(package))
                later = 2
            elif step == "EXPIRED":
                later = 3
            else:
                stepped(package, step)
            states.append(state(package, later))
        stepped(package, "DESTROYED")
        states.append(state(package, later))
        seen |= set(itertools.pairwise(states))
    for verdict in ("APPROVED", "REFUSED"):
        package = made(is_address_protected=True)
        states = ["", state(package)]
        do(
            package_actions.answer_package,
            by=APPROVER,
            package=package.pk,
            verdict=verdict,
            reason="確かめた上でのこと。",
        )
        states.append(state(package))
        if verdict == "REFUSED":
            stepped(package, "DESTROYED")
            states.append(state(package))
        seen |= set(itertools.pairwise(states))
    wanted = {(str(one.before), str(one.after)) for one in PACKAGE_MOVES}
    assert {(str(a), str(b)) for a, b in seen} == wanted

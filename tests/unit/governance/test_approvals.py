"""The book of approvals: two different people, their roles, withdrawal, and proof that nobody edited it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

import pytest

from kodomo.configuration import Home
from kodomo.errors import IntegrityFault, NotPermitted, StaffError, WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import Act, Matter, Person, State, Step
from kodomo.governance.permissions import Role

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
RIN = Person("江藤 凛", Role.ANALYST, "university", "rin")
TOKO = Person("大野 統子", Role.COORDINATOR, "school_education", "toko")
SHINOBU = Person("工藤 忍", Role.APPROVER, "family_centre", "shinobu")
V = "a" * 64


def propose(home: Home, version: str = V) -> approvals.Standing:
    return approvals.propose(home, Matter.CRITERIA, version, by=RIN, reason="点を見直した", at=AT)


def approve(home: Home, by: Person, version: str = V) -> approvals.Standing:
    return approvals.approve(home, Matter.CRITERIA, version, by=by, reason="会議で確かめた", at=AT)


def test_a_version_is_used_with_the_second_different_person(home: Home) -> None:
    assert approvals.standing(home, Matter.CRITERIA, V).state is State.UNKNOWN
    assert propose(home).state is State.PROPOSED
    first = approve(home, TOKO)
    assert (first.state, first.lacking) == (State.PROPOSED, 1)
    second = approve(home, SHINOBU)
    assert second.state is State.APPROVED and [a.by.name for a in second.approvals] == ["大野 統子", "工藤 忍"]
    assert approvals.standing(home, Matter.CRITERIA, "b" * 64).state is State.UNKNOWN
    assert approvals.standing(home, Matter.THRESHOLDS, V).state is State.UNKNOWN


@pytest.mark.parametrize("name", ["大野 統子", "大野統子", "大野 統子 "])
def test_one_person_cannot_approve_twice_by_writing_the_name_otherwise(home: Home, name: str) -> None:
    propose(home)
    approve(home, TOKO)
    with pytest.raises(NotPermitted):
        approve(home, Person(name, Role.APPROVER))
    assert approvals.standing(home, Matter.CRITERIA, V).lacking == 1


def test_who_builds_the_judgement_proposes_and_does_not_approve(home: Home) -> None:
    propose(home)
    with pytest.raises(NotPermitted):
        approve(home, RIN)
    with pytest.raises(NotPermitted):
        approve(home, Person("佐藤 理", Role.SYSTEM_ADMINISTRATOR))


def test_nothing_is_approved_that_nobody_proposed(home: Home) -> None:
    with pytest.raises(StaffError):
        approve(home, TOKO)
    propose(home)
    with pytest.raises(StaffError):
        propose(home)


@pytest.mark.parametrize(("name", "reason"), [("", "理由"), (" ", "理由"), ("大野 統子", " ")])
def test_a_name_and_a_reason_are_needed(home: Home, name: str, reason: str) -> None:
    propose(home)
    with pytest.raises(WrongUsage):
        approvals.approve(home, Matter.CRITERIA, V, by=Person(name, Role.APPROVER), reason=reason, at=AT)


def test_a_withdrawn_version_starts_again_without_approvals(home: Home) -> None:
    propose(home)
    approve(home, TOKO)
    approve(home, SHINOBU)
    gone = approvals.withdraw(home, Matter.CRITERIA, V, by=TOKO, reason="誤りを見つけた", at=AT)
    assert gone.state is State.WITHDRAWN and gone.approvals == ()
    with pytest.raises(StaffError):
        approve(home, TOKO)
    assert propose(home).lacking == 2
    assert len(approvals.history(home)) == 5


def test_approvals_of_the_folder_count_and_the_book_stands_above_them(home: Home) -> None:
    brought = [Act(0, "2026-03-01", Matter.CRITERIA, V, Step.APPROVE, by, "見本") for by in (TOKO, SHINOBU)]
    assert approvals.standing(home, Matter.CRITERIA, V, brought).state is State.APPROVED
    assert approvals.standing(home, Matter.CRITERIA, V, brought[:1]).state is State.PROPOSED
    approvals.withdraw(home, Matter.CRITERIA, V, by=TOKO, reason="使わない", at=AT, brought=brought)
    assert approvals.standing(home, Matter.CRITERIA, V, brought).state is State.WITHDRAWN


def test_two_names_from_one_account_are_pointed_out(home: Home) -> None:
    propose(home)
    for name in ("甲", "乙"):
        found = approve(home, Person(name, Role.APPROVER, account="server"))
    assert found.state is State.APPROVED and found.is_from_one_account


def test_an_account_of_the_site_is_one_person_whatever_its_name(home: Home) -> None:
    propose(home)
    approve(home, Person("甲", Role.APPROVER, account="toko", is_signed_in=True))
    with pytest.raises(NotPermitted, match="二度"):
        approve(home, Person("乙", Role.APPROVER, account="toko", is_signed_in=True))


def test_every_act_leaves_an_audit_row_and_an_edit_is_found(home: Home) -> None:
    assert approvals.verify(home) is None
    propose(home)
    approve(home, TOKO)
    verdict = approvals.verify(home)
    assert verdict is not None and (verdict.rows, verdict.first_bad) == (2, None)
    with sqlite3.connect(approvals.book_file(home)) as database, pytest.raises(sqlite3.IntegrityError):
        database.execute("UPDATE acts SET name = 'x'")
    with sqlite3.connect(approvals.book_file(home)) as database:
        database.execute("DROP TRIGGER acts_no_update")
        database.execute("UPDATE acts SET name = '工藤 忍' WHERE sequence = 2")
    found = approvals.verify(home)
    assert found is not None and found.first_bad is not None


def test_a_book_that_was_put_back_is_not_written_on(home: Home) -> None:
    propose(home)
    approvals.book_file(home).unlink()
    found = approvals.verify(home)
    assert found is not None and found.first_bad == 1
    with pytest.raises(IntegrityFault):
        propose(home)
    assert approvals.history(home) == []


def test_an_approval_that_was_overtaken_by_a_withdrawal_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and writing somebody withdraws: the book never holds an approval of what is withdrawn."""
    propose(home)
    approve(home, TOKO)
    enter = approvals.enter

    def overtaken(*args: Any, **kwargs: Any) -> approvals.Act:
        monkeypatch.setattr(approvals, "enter", enter)
        approvals.withdraw(home, Matter.CRITERIA, V, by=TOKO, reason="誤りを見つけた", at=AT)
        return enter(*args, **kwargs)

    monkeypatch.setattr(approvals, "enter", overtaken)
    with pytest.raises(StaffError):
        approve(home, SHINOBU)
    assert [act.step for act in approvals.history(home)] == [Step.PROPOSE, Step.APPROVE, Step.WITHDRAW]
    assert approvals.verify(home).first_bad is None

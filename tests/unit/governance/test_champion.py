"""Which model judges: promoted by two, rolled back by one, and then the one before."""

from __future__ import annotations

import datetime as dt

import pytest

from kodomo.configuration import Home
from kodomo.errors import NotPermitted, StaffError
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, Person
from kodomo.governance.champion import champion, promote, roll_back
from kodomo.governance.permissions import Role

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
TOKO, SHINOBU = Person("大野 統子", Role.COORDINATOR), Person("工藤 忍", Role.APPROVER)
AKARI, RIN = Person("小池 明", Role.PRIVACY_OFFICER), Person("江藤 凛", Role.ANALYST)


def both(home: Home, version: str) -> None:
    for person in (TOKO, SHINOBU):
        promote(home, version, by=person, reason="比べた", at=AT)


def test_a_model_judges_with_the_second_person(home: Home) -> None:
    assert champion(home) is None
    promote(home, "m1", by=AKARI, reason="比べた", at=AT)
    assert champion(home) is None
    with pytest.raises(NotPermitted):
        promote(home, "m1", by=AKARI, reason="もう一度", at=AT)
    promote(home, "m1", by=TOKO, reason="比べた", at=AT)
    assert champion(home) == "m1"
    with pytest.raises(StaffError):
        promote(home, "m1", by=SHINOBU, reason="三人目", at=AT)


def test_who_builds_models_does_not_promote_them(home: Home) -> None:
    with pytest.raises(NotPermitted):
        promote(home, "m1", by=RIN, reason="よくなった", at=AT)
    assert approvals.history(home) == []


def test_a_roll_back_brings_the_one_before_and_needs_two_again(home: Home) -> None:
    both(home, "m1")
    both(home, "m2")
    assert champion(home) == "m2"
    assert roll_back(home, by=AKARI, reason="見落としが増えた", at=AT) == ("m2", "m1")
    promote(home, "m2", by=TOKO, reason="直した", at=AT)
    assert champion(home) == "m1"
    promote(home, "m2", by=SHINOBU, reason="直した", at=AT)
    assert champion(home) == "m2"
    approvals.withdraw(home, Matter.MODEL, "m1", by=TOKO, reason="古い", at=AT)
    assert roll_back(home, by=TOKO, reason="止める", at=AT) == ("m2", None)
    with pytest.raises(StaffError):
        roll_back(home, by=TOKO, reason="止める", at=AT)


def test_an_older_model_promoted_again_judges(home: Home) -> None:
    both(home, "m1")
    both(home, "m2")
    roll_back(home, by=TOKO, reason="x", at=AT)
    roll_back(home, by=TOKO, reason="x", at=AT)
    assert champion(home) is None
    both(home, "m2")
    both(home, "m1")
    assert champion(home) == "m1"

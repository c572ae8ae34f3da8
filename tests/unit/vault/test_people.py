"""Cards are written once, found by what is remembered, and sealed the same in whichever process."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from kodomo.configuration import Home
from kodomo.governance.audit import AuditEvent
from kodomo.tables import aside
from kodomo.vault import people
from kodomo.vault.card import Card, table_of
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

AT = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)


def cards() -> list[Card]:
    return [
        Card(1, "架空 花", "カクウ ハナ", ("試験 花",), "2015-05-05", "F", "ひなた市1", True, ("架空 一",), ("101",), True),
        Card(2, "架空 一", "カクウ ハジメ", born_on="1980-01-01", sex="M", is_searched=True),
        Card(3, "試験 二", "シケン ジ", born_on="1950-01-01"),
    ]  # fmt: skip


def write(home: Home, keyring: Keyring, told: list[Card]) -> dict[str, int]:
    with audited(home, keyring, AuditEvent(actor="試験", role="OPERATOR", action="LINK_PEOPLE"), AT):
        return people.write_people(keyring, [table_of(told[:2]), table_of(told[2:])])


def held(keyring: Keyring) -> dict[int, tuple[str, dict[str, object], bool, bool]]:
    from kodomo.vault.models import Person

    return {
        p.pk: (p.person_key, json.loads(keyring.unseal(bytes(p.sealed_identity), f"person:{p.pk}")), p.is_address_protected, p.is_current)
        for p in Person.objects.using("vault")
    }  # fmt: skip


@pytest.fixture(params=[1, 2], ids=["in this process", "beside it"])
def keyring(home: Home, request, monkeypatch) -> Keyring:
    monkeypatch.setattr(aside.os, "cpu_count", lambda: request.param)
    return open_vault(home)


def test_a_card_is_kept_whole_and_found_by_half_a_reading(home: Home, keyring: Keyring) -> None:
    assert write(home, keyring, cards()) == {"persons": 3, "written": 3, "no_longer_current": 0}
    for card in cards():
        key, content, is_protected, is_current = held(keyring)[card.person_number]
        assert content == json.loads(card.content()) and key == keyring.pseudonym("p", card.person_number)
        assert (is_protected, is_current) == (card.is_address_protected, True)
    one = [keyring.pseudonym("p", 1)]
    assert people.find_people(keyring, "given", "はな") == one
    assert people.find_people(keyring, "number", "101") == one
    assert len(people.find_people(keyring, "surname", "かくう")) == 2
    assert people.find_people(keyring, "kana", "シケンジ") == []  # nobody searches for who is neither child nor kin


def test_only_what_changed_is_written_again(home: Home, keyring: Keyring) -> None:
    from kodomo.vault.models import PersonIndex

    write(home, keyring, cards())
    entries = PersonIndex.objects.using("vault").count()
    assert write(home, keyring, cards()) == {"persons": 3, "written": 0, "no_longer_current": 0}
    renamed = [cards()[0], Card(2, "架空 一", "カクウ ハヂメ", born_on="1980-01-01", sex="M", is_searched=True)]
    assert write(home, keyring, renamed) == {"persons": 2, "written": 1, "no_longer_current": 1}
    assert [current for *_, current in held(keyring).values()] == [True, True, False]
    assert PersonIndex.objects.using("vault").count() == entries
    assert write(home, keyring, cards()) == {"persons": 3, "written": 2, "no_longer_current": 0}
    assert all(current for *_, current in held(keyring).values())

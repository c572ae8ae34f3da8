from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connections
from standing_people import FOUR, HANA, OTHERS, PASSWORD, REN, Person

PEOPLE = {
    "pc01": (1, "ヒナタ カナリ", "2016-02-29"),
    "pc02": (2, "ワタナベ ジュン", "2012-05-10"),
    "pc03": (3, "ワタナベ ジュンコ", "2022-11-03"),
    "pc04": (4, "ワタベ リョウ", "2014-07-07"),
    "pc05": (5, "ヒナタ ノゾミ", "2017-01-01"),  # no case
}
OTHER_READINGS = {4: ("ドス サントス マリア", "ミヤザト リョウ")}


@pytest.fixture
def known(home: Any) -> None:
    """The vault as linkage leaves it: sealed cards with blind indexes."""
    from django.db import connections as databases
    from django.db import transaction

    from kodomo.vault.card import Card, table_of
    from kodomo.vault.database import open_vault
    from kodomo.vault.models import Person as Linked
    from kodomo.vault.people import write_people

    keyring = open_vault(home)
    cards = [
        Card(
            number,
            name=f"漢字{number}",
            name_kana=kana,
            born_on=born,
            is_searched=True,
            other_readings=OTHER_READINGS.get(number, ()),
        )
        for number, kana, born in PEOPLE.values()
    ]
    with transaction.atomic(using="vault"):
        write_people(keyring, [table_of(cards)])
    for key, (number, _, _) in PEOPLE.items():
        Linked.objects.using("vault").filter(pk=number).update(person_key=key)
    assert databases["vault"].alias == "vault"


def ask(browser: Any, words: str, **changed: str) -> Any:
    return browser.post("/find/", {"words": words, "purpose": "P1", "password": PASSWORD, **changed})


@pytest.fixture
def found(as_person: Any, case_of: Any, known: None) -> Any:
    def search(person: Person, words: str, **changed: str) -> set[str]:
        body = ask(as_person(person), words, **changed).content.decode()
        return {child for child in ("pc01", "pc02", "pc03", "pc04") if case_of(child).case_number in body}

    return search


@pytest.mark.parametrize(
    ("words", "children"),
    [
        ("わたなべ じゅん", {"pc02"}),
        ("ワタナヘ・シユン", {"pc02"}),
        ("じゅん わたなべ", {"pc02"}),
        ("わたなべ", {"pc02", "pc04"}),
        ("わた", {"pc02", "pc04"}),
        ("わたべ", {"pc02", "pc04"}),
        ("かなり", {"pc01"}),
        ("かなみ", {"pc01"}),
        ("ひなた", {"pc01"}),
        ("わたなべ りょう", {"pc04"}),
        ("みやざと りょう", {"pc04"}),
        ("まりあ", {"pc04"}),
        ("さんとす まりあ", {"pc04"}),
        ("まりあ どす さんとす", {"pc04"}),
        ("みやざと まりあ", set()),
        ("すずき", set()),
        ("'; DROP TABLE x --", set()),
    ],
)
def test_it_finds_a_half_remembered_reading_among_ones_own_cases(words: str, children: set[str], found: Any) -> None:
    assert found(HANA, words) == children


def test_it_finds_no_other_offices_child_and_none_without_a_case(found: Any) -> None:
    assert found(REN, "わたなべ") == {"pc03"}
    assert found(REN, "ひなた") == set()


def test_it_narrows_by_birth_date(found: Any) -> None:
    assert found(HANA, "わた", born_on="平成24年5月10日") == {"pc02"}
    assert found(HANA, "わた", born_on="2000-01-01") == set()


@pytest.mark.parametrize("person", [*FOUR, *OTHERS], ids=lambda person: person.username)
def test_it_serves_practitioners_alone(person: Person, as_person: Any, known: None) -> None:
    expected = 200 if person.role == "PRACTITIONER" else 403
    assert as_person(person).get("/find/").status_code == expected
    assert ask(as_person(person), "わた").status_code == expected


def test_it_leaves_a_row_on_both_sides_without_the_words(
    as_person: Any, known: None, audit_rows: Any, home: Any
) -> None:
    ask(as_person(HANA), "わたなべ", purpose="P3")
    row = audit_rows()[-1]
    assert (row["action"], row["purpose"], row["detail"]) == (
        "FIND_CASE", "すでに関わっている家庭かどうかの確認", '{"count": 2}')  # fmt: skip
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action, purpose, detail FROM audit_events ORDER BY sequence DESC LIMIT 1")
        assert cursor.fetchone() == (
            "hana", "SEARCH_BY_READING", "すでに関わっている家庭かどうかの確認", '{"found": 2}')  # fmt: skip
    stored = b"".join(path.read_bytes() for folder in (home.casework, home.vault) for path in folder.iterdir())
    assert "わたなべ".encode() not in stored and "ワタナベ".encode() not in stored


@pytest.mark.parametrize("side", ["default", "vault"])
def test_it_finds_nothing_when_either_side_cannot_write_its_row(
    side: str, as_person: Any, known: None, case_of: Any
) -> None:
    hana = as_person(HANA)
    with connections[side].cursor() as cursor:
        cursor.execute("DROP TABLE audit_events")
    answer = ask(hana, "わたなべ")
    assert answer.status_code == 500 and case_of("pc02").case_number not in answer.content.decode()


def test_it_shows_no_name(as_person: Any, known: None) -> None:
    body = ask(as_person(HANA), "わた").content.decode()
    assert "漢字" not in body and "ワタナベ" not in body and "ワタベ" not in body


@pytest.mark.parametrize("words", ["", "わ", "。", "  "])
def test_it_needs_something_to_search_with(words: str, as_person: Any, known: None) -> None:
    assert ask(as_person(HANA), words).status_code == 400


def test_it_gives_no_list_of_children(as_person: Any, known: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.vault import search

    monkeypatch.setattr(search, "MOST_FOUND", 1)
    answer = ask(as_person(HANA), "わた")
    assert answer.status_code == 400 and "超えました" in answer.content.decode()


def test_it_asks_for_the_password_at_first_and_again_after_a_while(as_person: Any, known: None) -> None:
    hana = as_person(HANA)
    assert ask(hana, "わた", password="wrong").status_code == 400
    assert hana.post("/find/", {"words": "わた", "purpose": "P1"}).status_code == 400
    assert ask(hana, "わた").status_code == 200
    assert hana.post("/find/", {"words": "わた", "purpose": "P1"}).status_code == 200
    session = hana.session
    session["stepped_up_at"] = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11)).isoformat()
    session.save()
    assert hana.post("/find/", {"words": "わた", "purpose": "P1"}).status_code == 400


def test_it_lets_nobody_go_through_a_school(as_person: Any, known: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.assessment import finding

    monkeypatch.setattr(finding, "MOST_AN_HOUR", 2)
    hana = as_person(HANA)
    assert [ask(hana, "わた").status_code for _ in range(3)] == [200, 200, 403]


def test_nobody_gets_round_the_pace_by_asking_at_once(
    as_person: Any, known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.assessment import finding

    monkeypatch.setattr(finding, "MOST_AN_HOUR", 1)
    hana, search, inner = as_person(HANA), finding.search_by_reading, []

    def meanwhile(*given: Any, **more: Any) -> Any:
        if not inner:
            inner.append(None)
            inner.append(ask(as_person(HANA), "わた").status_code)
        return search(*given, **more)

    monkeypatch.setattr(finding, "search_by_reading", meanwhile)
    assert ask(hana, "わた").status_code == 403 and inner[1] == 200


def test_it_opens_a_case_by_its_number(as_person: Any, case_of: Any) -> None:
    number = case_of("pc01").case_number
    assert ask(as_person(HANA), number)["Location"] == f"/cases/{number}/"


def test_it_searches_only_with_a_legal_basis(as_person: Any, known: None, hinata: Any) -> None:
    from dataclasses import replace

    from kodomo.assessment import finding, lawful
    from kodomo.terms import Purpose

    register = lawful.current_register(hinata)
    without = replace(register, bases=tuple(b for b in register.bases if Purpose.REVEAL not in b.purposes))
    hana = as_person(HANA)
    patch = pytest.MonkeyPatch()
    patch.setattr(finding, "lawful_on", lambda today, place: replace(lawful.lawful_on(today, place), register=without))
    assert ask(hana, "わた").status_code == 403
    patch.undo()


def test_a_case_number_is_read_as_people_write_it(as_person: Any, case_of: Any, known: None) -> None:
    number = case_of("pc01").case_number
    wide = number.translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))
    for written in (f" {number}", wide, number.replace("-", "―")):
        answer = ask(as_person(HANA), written)
        assert answer.status_code == 302 and answer["Location"] == f"/cases/{number}/", written

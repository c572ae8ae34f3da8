from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from standing_people import FOUR, HANA, MAKOTO, OTHERS, PASSWORD, REN, Person


def ask(browser: Any, number: str, **changed: str) -> Any:
    return browser.post(f"/cases/{number}/reveal/", {"purpose": "P1", "password": PASSWORD, **changed})


def vault_actions() -> list[tuple[str, str, str]]:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action, purpose FROM audit_events ORDER BY sequence")
        return list(cursor.fetchall())


@pytest.mark.parametrize("person", [*FOUR, *OTHERS], ids=lambda person: person.username)
def test_it_opens_a_name_for_a_practitioner_of_the_office_alone(
    person: Person, as_person: Any, case_of: Any, in_vault: Any, decided: Any
) -> None:
    in_vault("pc01")
    number = case_of("pc01").case_number
    decided(as_person(HANA), number)
    answer = ask(as_person(person), number)
    mine = person in (HANA, MAKOTO)
    assert answer.status_code == (200 if mine else 403)
    assert ("日向 かなり" in answer.content.decode()) is mine


def test_it_shows_name_with_reading_birth_date_address_and_guardians(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    body = ask(hana, number).content.decode()
    assert "<ruby>日向 かなり<rt>ひなた かなり</rt></ruby>" in body
    assert "2016年2月29日(平成28年)" in body and "ひなた市秘密町1-2-3" in body and "日向 まもり" in body
    assert "日向" not in hana.get(f"/cases/{number}/").content.decode()  # this once


def test_it_leaves_a_row_on_both_sides(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any, audit_rows: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    ask(hana, number, purpose="P4")
    row = audit_rows()[-1]
    assert (row["action"], row["purpose"], row["subject"]) == ("REVEAL_NAME", "緊急の安全確認", "pc01")
    assert vault_actions()[-1] == ("hana", "REVEAL_NAME", "緊急の安全確認")
    assert "日向" not in str(audit_rows())


@pytest.mark.parametrize("side", ["default", "vault"])
def test_it_shows_no_name_when_either_side_cannot_write_its_row(
    side: str, as_person: Any, case_of: Any, in_vault: Any, decided: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    with connections[side].cursor() as cursor:
        cursor.execute("DROP TABLE audit_events")
    answer = ask(hana, number)
    assert answer.status_code == 500
    assert "日向" not in answer.content.decode()


def test_it_asks_for_the_password_again(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any, audit_rows: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    answer = ask(hana, number, password="wrong-password")
    assert answer.status_code == 400
    assert "日向" not in answer.content.decode()
    assert audit_rows()[-1]["action"] == "STEP_UP_FAILED"
    assert vault_actions() == []


def test_it_locks_after_five_wrong_passwords(as_person: Any, case_of: Any, in_vault: Any, decided: Any) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    statuses = [ask(hana, number, password=f"wrong-{n}").status_code for n in range(5)]
    assert statuses[-1] == 429
    assert "日向" not in ask(hana, number).content.decode()


def test_it_opens_nothing_before_a_decision_to_follow_up(as_person: Any, case_of: Any, in_vault: Any) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    assert "まだ氏名等を確かめられません" in hana.get(f"/cases/{number}/reveal/").content.decode()
    answer = ask(hana, number)
    assert answer.status_code == 403 and "日向" not in answer.content.decode()
    assert vault_actions() == []


def test_it_opens_nothing_after_a_decision_to_do_nothing(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number, decision="NO_ACTION", reason_code="N1", next_on="")
    assert ask(hana, number).status_code == 403


def test_it_opens_at_once_where_a_fact_must_be_seen(as_person: Any, case_of: Any, in_vault: Any) -> None:
    in_vault("pc08")
    assert ask(as_person(REN), case_of("pc08").case_number, purpose="P4").status_code == 200


@pytest.mark.parametrize("purpose", ["", "P99", "<b>"])
def test_it_needs_a_purpose_from_the_list(
    purpose: str, as_person: Any, case_of: Any, in_vault: Any, decided: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    assert ask(hana, number, purpose=purpose).status_code == 400
    assert vault_actions() == []


def test_it_withholds_a_protected_address_everywhere(as_person: Any, case_of: Any, in_vault: Any, decided: Any) -> None:
    in_vault("pc04", is_address_protected=True)
    hana, number = as_person(HANA), case_of("pc04").case_number
    decided(hana, number)
    body = ask(hana, number).content.decode()
    assert "日向 かなり" in body and "非表示(支援措置)" in body
    for path in (f"/cases/{number}/", f"/cases/{number}/print/", f"/cases/{number}/decide/", "/cases/", "/"):
        body += hana.get(path).content.decode()
    assert "秘密町" not in body and "ひみつ" not in body


def test_it_says_so_when_the_vault_does_not_know_the_child(as_person: Any, case_of: Any, decided: Any) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    answer = ask(hana, number)
    assert answer.status_code == 503
    assert "氏名等の控えが見つかりません" in answer.content.decode()


def test_it_keeps_the_name_out_of_session_and_casework_database(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any, home: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    ask(hana, number)
    assert "日向" not in str(dict(hana.session))
    stored = b"".join(path.read_bytes() for path in home.casework.iterdir())
    assert "日向".encode() not in stored


def test_it_prints_a_half_width_reading_as_furigana(as_person: Any, case_of: Any, in_vault: Any, decided: Any) -> None:
    in_vault("pc01", name_kana="ﾋﾅﾀ ｶﾞｸ")
    number, hana = case_of("pc01").case_number, as_person(HANA)
    decided(hana, number)
    assert "<rt>ひなた がく</rt>" in ask(hana, number).content.decode()

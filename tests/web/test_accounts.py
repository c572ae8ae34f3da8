from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from standing_people import FOUR, HANA, OTHERS, PASSWORD, Person

from kodomo.web.models import Staff

ADMINISTRATOR = next(p for p in OTHERS if p.role == "SYSTEM_ADMINISTRATOR")
NEW = {"username": "nao", "name": "直井 直", "role": "PRACTITIONER", "office": "childcare"}


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_is_for_the_system_administrator_alone(person: Person, as_person: Any) -> None:
    for path in ("/accounts/", "/accounts/new/", "/accounts/hana/"):
        assert as_person(person).get(path).status_code == 403


def test_it_lists_everybody_with_role_and_second_factor(as_person: Any) -> None:
    body = as_person(ADMINISTRATOR).get("/accounts/").content.decode()
    assert "青木 花" in body and "未登録" in body and "登録済み" in body


def test_it_registers_somebody_with_a_password_to_be_changed(as_person: Any, audit_rows: Any) -> None:
    answer = as_person(ADMINISTRATOR).post("/accounts/new/", NEW)
    password = re.findall(r'class="secret" data-code>([^<]+)<', answer.content.decode())[0]
    account = Staff.objects.get(username="nao")
    assert account.must_change_password and account.check_password(password)
    row = audit_rows()[-1]
    assert row["action"] == "CREATE_ACCOUNT" and "nao" in row["detail"] and password not in str(audit_rows())


@pytest.mark.parametrize(
    "changed",
    [{"username": "hana"}, {"username": "花"}, {"username": "a b"}, {"role": "KING"}, {"office": "moon"}, {"name": ""}],
)  # fmt: skip
def test_it_refuses_a_wrong_registration(changed: dict[str, str], as_person: Any) -> None:
    before = Staff.objects.count()
    assert as_person(ADMINISTRATOR).post("/accounts/new/", {**NEW, **changed}).status_code == 400
    assert Staff.objects.count() == before


def test_it_stops_and_resumes_an_account(as_person: Any) -> None:
    hana, administrator = as_person(HANA), as_person(ADMINISTRATOR)
    administrator.post("/accounts/hana/", {"what": "stop"})
    assert hana.get("/cases/")["Location"].startswith("/sign-in/")
    administrator.post("/accounts/hana/", {"what": "resume"})
    assert as_person(HANA).get("/cases/").status_code == 200


def test_it_unlocks_an_account(as_person: Any, client: Client) -> None:
    for n in range(5):
        client.post("/sign-in/", {"username": "hana", "password": f"wrong-{n}"})
    assert client.post("/sign-in/", {"username": "hana", "password": PASSWORD}).status_code == 429
    as_person(ADMINISTRATOR).post("/accounts/hana/", {"what": "unlock"})
    assert client.post("/sign-in/", {"username": "hana", "password": PASSWORD}).status_code == 302


def test_it_lets_somebody_enrol_anew(as_person: Any) -> None:
    hana = as_person(HANA)
    as_person(ADMINISTRATOR).post("/accounts/hana/", {"what": "forget-factor"})
    assert hana.get("/cases/")["Location"] == "/second-factor/"
    assert hana.get("/second-factor/")["Location"] == "/second-factor/enrol/"


def test_it_gives_a_new_password_and_ends_open_sessions(as_person: Any) -> None:
    hana = as_person(HANA)
    as_person(ADMINISTRATOR).post("/accounts/hana/", {"what": "new-password"})
    assert not Staff.objects.get(username="hana").check_password(PASSWORD)
    assert hana.get("/cases/")["Location"].startswith("/sign-in/")


def test_it_does_nothing_it_has_no_word_for(as_person: Any, audit_rows: Any) -> None:
    before = len(audit_rows())
    assert as_person(ADMINISTRATOR).post("/accounts/hana/", {"what": "promote"}).status_code == 200
    assert len(audit_rows()) == before
    assert as_person(ADMINISTRATOR).get("/accounts/nobody/").status_code == 404


def test_it_shows_the_administrator_no_child(as_person: Any, case_of: Any) -> None:
    browser, number = as_person(ADMINISTRATOR), case_of("pc01").case_number
    for path in ("/", "/accounts/", "/accounts/hana/"):
        assert number not in browser.get(path).content.decode()


def test_it_moves_somebody_to_another_office_from_the_next_click_on(
    as_person: Any, audit_rows: Any, case_of: Any
) -> None:
    hana, administrator = as_person(HANA), as_person(ADMINISTRATOR)
    number = case_of("pc01").case_number
    assert hana.get(f"/cases/{number}/").status_code == 200
    for wrong in ({"role": "KING", "office": "childcare"}, {"role": "PRACTITIONER", "office": "moon"}):
        assert administrator.post("/accounts/hana/", {"what": "move", **wrong}).status_code == 400
    answer = administrator.post("/accounts/hana/", {"what": "move", "role": "PRACTITIONER", "office": "childcare"})
    assert "役割と部署を変えました" in answer.content.decode()
    assert hana.get(f"/cases/{number}/").status_code == 403
    assert hana.get(f"/cases/{case_of('pc03').case_number}/").status_code == 200
    row = [row for row in audit_rows() if row["action"] == "CHANGE_ACCOUNT"][-1]
    assert "family_centre" in row["detail"] and "childcare" in row["detail"]

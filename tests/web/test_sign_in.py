from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from standing_people import FOUR, HANA, PASSWORD, Person

from kodomo.configuration import Home, Municipality


def sign_in(client: Any, username: str = "hana", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in/", {"username": username, "password": password, **more})


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_asks_everybody_for_a_second_factor(person: Person, client: Any) -> None:
    assert sign_in(client, person.username)["Location"] == "/second-factor/"
    for path in ("/", "/cases/", "/password/"):
        assert client.get(path)["Location"] == "/second-factor/"


def test_it_says_the_same_for_a_wrong_password_and_an_unknown_account(client: Any) -> None:
    wrong, unknown = sign_in(client, password="x" * 12), sign_in(client, "nobody")
    assert wrong.status_code == unknown.status_code == 400
    words = "利用者番号かパスワードが違います。"
    assert words in wrong.content.decode() and words in unknown.content.decode()


def test_it_audits_success_and_failure_but_never_an_unknown_account_number(client: Any, audit_rows: Any) -> None:
    sign_in(client, "my-secret-password")
    sign_in(client, password="wrong")
    sign_in(client)
    assert [(row["actor"], row["action"]) for row in audit_rows()[-3:]] == [
        ("?", "SIGN_IN_FAILED"), ("hana", "SIGN_IN_FAILED"), ("hana", "SIGN_IN"),
    ]  # fmt: skip
    assert "my-secret-password" not in str(audit_rows())


def test_it_locks_an_account_after_five_wrong_passwords_and_says_what_to_do(client: Any) -> None:
    answers = [sign_in(client, password=f"wrong-{n}") for n in range(5)]
    assert answers[-1].status_code == 429
    assert "15 分" in answers[-1].content.decode()
    assert sign_in(client).status_code == 429
    assert sign_in(client, "makoto").status_code == 302


def test_it_does_not_open_for_a_stopped_account(client: Any) -> None:
    from kodomo.web.models import Staff

    Staff.objects.filter(username="hana").update(is_active=False)
    assert sign_in(client).status_code == 400


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "cases"])
def test_it_never_sends_people_to_another_site(client: Any, elsewhere: str) -> None:
    sign_in(client, next=elsewhere)
    assert client.session["next"] == "/"


def test_it_remembers_which_page_was_wanted(client: Any) -> None:
    assert client.get("/cases/")["Location"] == "/sign-in/?next=%2Fcases%2F"
    sign_in(client, next="/cases/")
    assert client.session["next"] == "/cases/"


def test_it_ends_the_session_on_the_server(as_person: Any, audit_rows: Any) -> None:
    browser = as_person(HANA)
    key = browser.session.session_key
    assert browser.get("/sign-out/").status_code == 405
    browser.post("/sign-out/")
    from django.contrib.sessions.models import Session

    assert not Session.objects.filter(session_key=key).exists()
    assert audit_rows()[-1]["action"] == "SIGN_OUT"


def test_it_makes_people_change_a_password_somebody_else_knows(as_person: Any) -> None:
    from kodomo.web.models import Staff

    Staff.objects.filter(username="hana").update(must_change_password=True)
    browser = as_person(HANA)
    assert browser.get("/cases/")["Location"] == "/password/"
    new = "atarashii-kotoba-77"
    answer = browser.post("/password/", {"current": PASSWORD, "new": new, "again": new})
    assert answer["Location"] == "/"
    assert Staff.objects.get(username="hana").check_password(new)


@pytest.mark.parametrize(
    ("current", "new", "again", "words"),
    [
        ("wrong", "atarashii-kotoba-77", "atarashii-kotoba-77", "いまのパスワードが違います"),
        (PASSWORD, "atarashii-kotoba-77", "atarashii-kotoba-78", "一致しません"),
        (PASSWORD, "short", "short", "短"),
        (PASSWORD, "123456789012", "123456789012", "数字"),
    ],
    ids=["wrong current", "not the same", "short", "digits only"],
)
def test_it_refuses_a_weak_or_unproven_new_password(
    as_person: Any, current: str, new: str, again: str, words: str
) -> None:
    from kodomo.web.models import Staff

    answer = as_person(HANA).post("/password/", {"current": current, "new": new, "again": again})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert Staff.objects.get(username="hana").check_password(PASSWORD)


def test_it_hashes_passwords_with_argon2(home: Home) -> None:
    from kodomo.web.models import Staff

    assert Staff.objects.get(username="hana").password.startswith("argon2")


# The demonstration ----------------------------------------------------------------------------


def prepared_demo(home: Home, hinata: Municipality) -> str:
    from kodomo.web.serve import prepare

    return str(prepare(home=home, municipality=hinata, demo=True)["accounts"][0]["password"])


def test_it_lets_demo_accounts_in_with_a_password_alone(home: Home, hinata: Municipality, client: Any) -> None:
    password = prepared_demo(home, hinata)
    assert sign_in(client, "toko", password)["Location"] == "/"
    page = client.get("/")
    assert page.status_code == 200
    assert "デモ: 架空の市" in page.content.decode()


def test_it_asks_a_real_account_for_its_second_factor_even_in_a_demo(
    home: Home, hinata: Municipality, client: Any
) -> None:
    prepared_demo(home, hinata)
    assert sign_in(client)["Location"] == "/second-factor/" if not _is_demo("hana") else True
    from kodomo.web.models import Staff

    Staff.objects.filter(username="hana").update(is_demo=False)
    assert sign_in(client, "hana", _password_of("hana"))["Location"] == "/second-factor/"


def _is_demo(username: str) -> bool:
    from kodomo.web.models import Staff

    return bool(Staff.objects.get(username=username).is_demo)


def _password_of(username: str) -> str:
    from kodomo.web import demo
    from kodomo.web.models import Staff

    account = Staff.objects.get(username=username)
    return PASSWORD if account.check_password(PASSWORD) else demo.password(settings.HOME)


def test_it_closes_the_demonstration_on_an_ordinary_start(home: Home, hinata: Municipality, client: Any) -> None:
    from kodomo.web.serve import prepare

    password = prepared_demo(home, hinata)
    prepare(home=home, municipality=hinata, demo=False)
    assert sign_in(client, "toko", password).status_code == 400


@pytest.mark.parametrize("forgery", ["{}", '{"municipality": "999997"}', "not json"])
def test_it_does_not_believe_a_marker_somebody_else_wrote(home: Home, forgery: str, client: Any) -> None:
    from kodomo.web import demo
    from kodomo.web.models import Staff

    Staff.objects.filter(username="hana").update(is_demo=True)
    demo.marker_file(home).write_text(forgery)
    assert sign_in(client)["Location"] == "/second-factor/"


def test_it_does_not_believe_a_marker_copied_from_another_place(
    home: Home, hinata: Municipality, tmp_path: Any
) -> None:
    from kodomo.web import demo

    demo.open_demo(home, hinata)
    elsewhere = Home(tmp_path / "elsewhere")
    elsewhere.casework.mkdir(parents=True)
    demo.marker_file(elsewhere).write_text(demo.marker_file(home).read_text())
    assert demo.is_open(home) and not demo.is_open(elsewhere)


def test_it_has_no_demonstration_beside_a_real_citys_data(home: Home, hinata: Municipality) -> None:
    from dataclasses import replace

    from kodomo.errors import NotPermitted
    from kodomo.web import demo

    with pytest.raises(NotPermitted):
        demo.open_demo(home, replace(hinata, code="212156"))
    assert not demo.is_open(home)


def test_it_makes_one_first_administrator_where_nobody_is(tmp_path: Any, home: Home, hinata: Municipality) -> None:
    from kodomo.web.models import Staff
    from kodomo.web.serve import prepare

    Staff.objects.all().delete()
    accounts = prepare(home=home, municipality=hinata, demo=False)["accounts"]
    assert [a["username"] for a in accounts] == ["admin"]
    assert Staff.objects.get().must_change_password
    assert prepare(home=home, municipality=hinata, demo=False)["accounts"] == []

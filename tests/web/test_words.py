"""No English left over, and every refusal in Japanese: what happened, what to do next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from spoken import english_in
from standing_people import EVERYBODY, HANA, OTHERS, PASSWORD, REN

ADMINISTRATOR = next(p for p in OTHERS if p.role == "SYSTEM_ADMINISTRATOR")
OFFICER = next(p for p in OTHERS if p.role == "PRIVACY_OFFICER")


def test_the_search_itself_finds_english() -> None:
    assert english_in('<p>次へ Next</p><img alt="Logo"><code data-code>abc</code>') == {"Next", "Logo"}


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.username)
def test_no_page_of_any_role_speaks_english(person: Any, as_person: Any, case_of: Any) -> None:
    browser, number = as_person(person), case_of("pc01").case_number
    paths = ["/", "/cases/", "/cases/?type=ABUSE", "/password/", "/nowhere/", "/audit/", "/audit/verify/", "/accounts/",
             "/accounts/new/", "/accounts/hana/", *(f"/cases/{number}/{tail}" for tail in ("", "print/", "decide/", "reveal/"))]  # fmt: skip
    found = {path: english_in(browser.get(path).content.decode()) for path in paths}
    assert not {path: words for path, words in found.items() if words}


def test_no_page_along_the_whole_work_speaks_english(
    as_person: Any, case_of: Any, decided: Any, in_vault: Any, token_of: Any
) -> None:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    stale = token_of(hana.get(f"/cases/{number}/"))
    pages = [hana.post(f"/cases/{number}/first-view/", {**stale, "concern": "", "text": ""})]
    decided(hana, number)
    pages += [hana.get(f"/cases/{number}/{tail}") for tail in ("", "print/", "decide/", "reveal/")]
    pages.append(hana.post(f"/cases/{number}/decide/", {}))
    pages.append(hana.post(f"/cases/{number}/reveal/", {"purpose": "P1", "password": PASSWORD}))
    pages.append(hana.post(f"/cases/{number}/reveal/", {"purpose": "", "password": ""}))
    form = {"decision": "WATCH", "reason_code": "W1", "reason_text": "", "agreement": "AGREE", "next_on": "2026-12-31"}
    pages.append(hana.post(f"/cases/{number}/decide/", {"token": "t" * 24, "version": "1", **form}))
    assert [page.status_code for page in pages][-1] in (400, 409)
    assert [english_in(page.content.decode()) for page in pages] == [set()] * len(pages)


def test_signing_in_and_accounts_speak_no_english(client: Any, as_person: Any) -> None:
    pages = [client.get("/sign-in/"), client.post("/sign-in/", {"username": "", "password": ""})]
    pages += [client.post("/sign-in/", {"username": "makoto", "password": f"w{n}"}) for n in range(5)]
    client.post("/sign-in/", {"username": "hana", "password": PASSWORD})
    pages += [client.get("/second-factor/enrol/"), client.post("/second-factor/enrol/", {"code": "1"})]
    admin = as_person(ADMINISTRATOR)
    pages += [admin.post("/accounts/new/", {"username": "x y"}), admin.post("/accounts/hana/", {"what": "unlock"})]
    weak = {"current": PASSWORD, "new": "1234", "again": "1234"}
    pages.append(admin.post("/password/", weak))
    assert [english_in(page.content.decode()) for page in pages] == [set()] * len(pages)


# Refusals -----------------------------------------------------------------------------------------


def test_a_missing_page_says_what_to_do(as_person: Any) -> None:
    answer = as_person(HANA).get("/nowhere/")
    assert answer.status_code == 404
    assert (
        "ページや事例はありません" in answer.content.decode() and "ホームから探してください" in answer.content.decode()
    )


def test_a_refusal_for_another_office_says_what_to_do(as_person: Any, case_of: Any) -> None:
    answer = as_person(REN).get(f"/cases/{case_of('pc01').case_number}/")
    assert answer.status_code == 403
    assert "次にすること" in answer.content.decode()


def test_a_bug_is_a_plain_page_without_a_trace(as_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.assessment import shortlist

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("秘密町の値")

    monkeypatch.setattr(shortlist, "shortlisted", broken)
    answer = as_person(HANA).get("/cases/")
    body = answer.content.decode()
    assert answer.status_code == 500
    assert "製品の不具合" in body and "Zero" not in body and "秘密町" not in body


def test_a_bugs_message_does_not_reach_the_log() -> None:
    import logging
    import sys

    from kodomo.web.logs import NoValues

    name = "".join(("日", "向"))
    try:
        raise ValueError(name)
    except ValueError:
        text = NoValues("%(message)s").format(logging.LogRecord("x", 40, "p", 1, "画面の不具合", (), sys.exc_info()))
    assert "ValueError" in text and name not in text


def test_a_database_that_cannot_be_read_is_still_answered_in_words(as_person: Any, home: Any) -> None:
    from django.db import connections

    browser = as_person(HANA)
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE assessment_case RENAME TO elsewhere")
    answer = browser.get("/cases/")
    assert answer.status_code == 500 and "製品の不具合" in answer.content.decode()


def test_no_template_holds_a_word_of_reassurance_or_alarm() -> None:
    root = Path(__file__).resolve().parents[2] / "kodomo"
    for path in root.glob("*/templates/**/*.html"):
        text = path.read_text()
        assert not re.search("危険|問題なし|安心|安全です|リスク", text), path

"""メモ and 判定に同意しない: who may write and read them, and that the second goes back to learning by its codes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from standing_people import HANA, MAKOTO, OTHERS, REN

from kodomo.assessment.models import Case, Disagreement, Note

COORDINATOR, MEMBER = (next(p for p in OTHERS if p.role == role) for role in ("COORDINATOR", "COMMITTEE_MEMBER"))
WORDS = "電話は夕方がよい。来月の会議で確かめる。"
WHY = "学校に確かめた。欠席は通院によるもので、いまは毎日登校している。"


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


@pytest.fixture
def send(token_of: Any) -> Any:
    def fill(browser: Any, address: str, **given: str) -> Any:
        return browser.post(address, {**token_of(browser.get(address)), **given})

    return fill


def test_a_note_is_kept_and_in_nobodys_way(
    as_person: Any, case_of: Any, send: Any, first_view: Any, token_of: Any, audit_rows: Any
) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    open_form = token_of(hana.get(f"/cases/{number}/"))
    assert send(hana, f"/cases/{number}/note/", text=WORDS).status_code == 302
    assert WORDS in words(hana.get(f"/cases/{number}/")), "one's own note, before the first view too"
    written = {**open_form, "concern": "SOME", "text": "秋から欠席が増えている。"}
    assert hana.post(f"/cases/{number}/first-view/", written).status_code == 302, "a note is no change of the case"
    makoto = as_person(MAKOTO)
    assert WORDS not in words(makoto.get(f"/cases/{number}/")), "a colleague's words would sway the first view"
    first_view(makoto, number)
    assert WORDS in words(makoto.get(f"/cases/{number}/")) and WORDS in words(hana.get(f"/cases/{number}/print/"))
    form = token_of(hana.get(f"/cases/{number}/note/"))
    for _ in range(2):
        assert hana.post(f"/cases/{number}/note/", {**form, "text": "二度押した。"}).status_code == 302
    assert Note.objects.count() == 2
    assert send(hana, f"/cases/{number}/note/", text=" ").status_code == 400
    row = next(row for row in audit_rows() if row["action"] == "WRITE_NOTE")
    assert (row["actor"], row["subject"]) == ("hana", "pc01") and "夕方" not in str(audit_rows())
    for person in (REN, COORDINATOR, MEMBER):
        assert as_person(person).get(f"/cases/{number}/note/").status_code == 403, person.username


def test_who_saw_the_judgement_may_say_that_it_is_wrong(
    as_person: Any, case_of: Any, send: Any, first_view: Any, audit_rows: Any, home: Any, hinata: Any
) -> None:
    from kodomo.store.database import Store
    from kodomo.support.outcomes import return_outcomes

    hana, number = as_person(HANA), case_of("pc01").case_number
    address = f"/cases/{number}/disagree/"
    assert hana.get(address).status_code == 400, "before one's own first view the levels are not known"
    assert "判定に同意しない" not in words(hana.get(f"/cases/{number}/"))
    first_view(hana, number)
    assert address in hana.get(f"/cases/{number}/").content.decode()
    given = {"kind": "NON_ATTENDANCE", "opinion": "TOO_HIGH", "text": WHY}
    for wrong in ({"kind": "WEATHER"}, {"opinion": ""}, {"text": "いや"}):
        assert send(hana, address, **{**given, **wrong}).status_code == 400
    assert send(hana, address, **given).status_code == 302
    page = words(hana.get(f"/cases/{number}/"))
    assert "判定に同意しない: 不登校" in page and WHY in page and "高すぎる" in page
    assert WHY not in words(as_person(MAKOTO).get(f"/cases/{number}/"))
    assert Case.objects.get(case_number=number).state == "ARRIVED", "the judgement stays, and so does the case"
    assert Disagreement.objects.get().judgement_name == Case.objects.get(case_number=number).judgement_name
    result = return_outcomes(home=home, municipality=hinata, by="tests", at=timezone.now())
    assert result["rows"]["disagreements"] == 1
    (row,) = Store(home.store).current("outcomes").read("disagreements").to_pylist()  # type: ignore[union-attr]
    assert (row["child_key"], row["type"], row["opinion"]) == ("pc01", "NON_ATTENDANCE", "TOO_HIGH")
    assert "通院" not in str(row) and "hana" not in str(row) and "通院" not in str(audit_rows())


def test_what_was_closed_is_not_written_on(
    as_person: Any, case_of: Any, token_of: Any, decided: Any, home: Any
) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    forms = {tail: token_of(hana.get(f"/cases/{number}/{tail}/")) for tail in ("note", "disagree")}
    Case.objects.filter(case_number=number).update(state="CLOSED")
    page = hana.get(f"/cases/{number}/").content.decode()
    given = {"text": WHY, "kind": "NON_ATTENDANCE", "opinion": "TOO_HIGH"}
    for tail, form in forms.items():
        assert f"/{tail}/" not in page, tail
        answers = hana.get(f"/cases/{number}/{tail}/"), hana.post(f"/cases/{number}/{tail}/", {**form, **given})
        for answer in answers:
            assert answer.status_code == 400 and "再開する" in words(answer), tail
    assert not Note.objects.exists() and not Disagreement.objects.exists()


def test_what_was_returned_before_there_were_disagreements_is_written_anew(home: Any, hinata: Any) -> None:
    from kodomo.store.database import TABLES, Store
    from kodomo.support.outcomes import return_outcomes

    old = {name: TABLES[name].schema().empty_table() for name in ("decisions", "contacts", "outcomes", "closures")}
    Store(home.store).write("outcomes", "20260101T000000000000Z", old, {})
    assert return_outcomes(home=home, municipality=hinata, by="tests", at=timezone.now())["is_new"]
    assert not return_outcomes(home=home, municipality=hinata, by="tests", at=timezone.now())["is_new"]

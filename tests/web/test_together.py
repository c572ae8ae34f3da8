"""Several people and several clicks at the same moment: one effect each, no lost work, one unbroken chain."""

# ruff: noqa: F811

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connections
from standing_people import HANA, MAKOTO, PASSWORD, REN
from test_find import known  # noqa: F401

from kodomo.web.verify import verify_audit


def at_once(works: list[Any]) -> list[Any]:
    """Run every piece of work in a thread of its own, all starting together."""
    start, answers = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int) -> None:
        start.wait()
        answers[place] = works[place]()
        connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def test_it_takes_four_clicks_at_once_for_one(
    as_person: Any, case_of: Any, first_view: Any, token_of: Any, decision: Any, home: Any
) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    first_view(hana, case.case_number)
    form = {**token_of(hana.get(f"/cases/{case.case_number}/decide/")), **decision}
    browsers = [as_person(HANA) for _ in range(4)]
    answers = at_once([lambda b=b: b.post(f"/cases/{case.case_number}/decide/", form) for b in browsers])
    assert [answer.status_code for answer in answers] == [302] * 4
    assert case.assessments.count() == 1
    assert verify_audit(home)["casework"]["first_bad"] is None


def test_it_lets_one_of_two_people_save_and_shows_the_other_both_texts(
    as_person: Any, case_of: Any, first_view: Any, token_of: Any, decision: Any, home: Any
) -> None:
    case, works = case_of("pc01"), []
    people = [as_person(HANA), as_person(MAKOTO)]
    for browser in people:
        first_view(browser, case.case_number)
    for browser in people:
        form = {**token_of(browser.get(f"/cases/{case.case_number}/decide/")), **decision}
        works.append(lambda b=browser, f=form: b.post(f"/cases/{case.case_number}/decide/", f))
    assert sorted(answer.status_code for answer in at_once(works)) == [302, 409]
    assert case.assessments.count() == 1


def test_it_keeps_one_chain_while_many_read(as_person: Any, case_of: Any, home: Any) -> None:
    pages = [(HANA, "pc01"), (MAKOTO, "pc02"), (REN, "pc03"), (HANA, "pc09")]
    browsers = [(as_person(person), case_of(child).case_number) for person, child in pages]

    def read(browser: Any, number: str) -> list[int]:
        return [browser.get(f"/cases/{number}/").status_code for _ in range(5)]

    before = verify_audit(home)["casework"]["rows"]
    answers = at_once([lambda b=b, n=n: read(b, n) for b, n in browsers])
    assert answers == [[200] * 5] * 4
    found = verify_audit(home)["casework"]
    assert (found["first_bad"], found["rows"]) == (None, before + 20)


def test_it_opens_one_case_where_two_people_open_the_same_child_at_once(
    known: None, as_person: Any, token_of: Any, monkeypatch: pytest.MonkeyPatch, home: Any
) -> None:
    from kodomo.assessment.models import Case
    from kodomo.support import openings
    from kodomo.support.models import Opening

    really = openings.open_by_hand

    def slowly(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.5)  # by now the other one, too, has seen that there is no case yet
        return really(*args, **kwargs)

    monkeypatch.setattr(openings, "open_by_hand", slowly)
    given = {"source": "CONSULTED", "reading": "ひなた のぞみ", "born_on": "2017-01-01", "from_whom": "", "purpose": "P1",
             "text": "様子を見てほしいと相談があった。", "password": PASSWORD}  # fmt: skip
    works = []
    for person in (HANA, MAKOTO):
        browser = as_person(person)
        form = {**token_of(browser.get("/cases/open/")), **given}
        works.append(lambda b=browser, f=form: b.post("/cases/open/", f))
    answers = at_once(works)
    case = Case.objects.get(child_key="pc05")
    assert [answer["Location"] for answer in answers] == [f"/cases/{case.case_number}/support/"] * 2
    assert sorted(Opening.objects.values_list("written_by", flat=True)) == ["hana", "makoto"]
    assert verify_audit(home)["casework"]["first_bad"] is None

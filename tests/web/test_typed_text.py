"""What somebody typed is never lost: whatever a form is refused for, the words stand on the page that says so."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from standing_people import HANA, OTHERS, REN, Person
from test_every_page import SENT_ONLY, view_of, worked  # noqa: F401

from kodomo.governance.permissions import CASE_ACTIONS
from kodomo.web.pages import PAGE_ACTIONS

WORDS = "弟の迎えと夕食を毎日しているとのこと。"
BY_ROLE = {person.role: person for person in OTHERS}


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


LATER = day(10)
PROSE: dict[str, dict[str, Any]] = {
    "first-view": {"concern": "SOME", "text": WORDS},
    "decide": {"decision": "INQUIRE", "reason_code": "Q1", "agreement": "AGREE", "next_on": LATER, "reason_text": WORDS},
    "sheet": {"degree_who": "STRONG", "text_who": WORDS},
    "note": {"text": WORDS},
    "disagree": {"kind": "ABUSE", "opinion": "TOO_LOW", "text": WORDS},
    "inquiry": {"asked": "SCHOOL", "due_on": LATER, "questions": WORDS},
    "answer": {"answered_on": day(0), "text": WORDS},
    "plan": {"policy": WORDS, "starts_on": day(0), "review_on": LATER, "text_1": WORDS, "service_1": "CARE",
             "office_1": "welfare"},
    "contact": {"kind": "CALL", "result": "TALKED", "met_on": day(0), "next_on": LATER, "text": WORDS},
    "outcome": {"scale": "SAME", "seen_on": day(0), "text": WORDS},
    "package-make": {"partner": "NPO", "partner_name": "ひだまり", "request": WORDS, "expires_on": LATER},
    "package-event": {"step": "REMINDED", "on": day(0), "text": WORDS},
    "package-approve": {"verdict": "APPROVED", "reason": WORDS},
    "close": {"reason_code": "C9", "text": WORDS},
    "reopen": {"text": WORDS},
    "transfer": {"to_office": "childcare", "text": WORDS},
    "takeover": {"to": "makoto", "text": WORDS},
    "open-case": {"source": "CONSULTED", "reading": "ひなた かなり", "born_on": "2016-02-29", "text": WORDS, "purpose": "P3",
                  "password": "wrong"},
    "conference-call": {"title": WORDS, "held_on": LATER, "quorum": "2", "cases": "2026-0000001"},
    "conference-call-off": {"reason": WORDS},
    "conference-item": {"interest": "NONE", "decision": "WATCH", "text": WORDS},
}  # fmt: skip
"""A form of prose by its page, filled in as a person would."""

NO_PROSE = {"reveal", "package-key", "package-file", "find", "reply", "inquiry-file", "inquiry-return"}
"""Pages of the casework that take choices, a password, a file or a few letters to search by."""

SPOILT: dict[str, dict[str, Any]] = {
    "first-view": {"concern": ""}, "decide": {"next_on": ""}, "sheet": {"degree_who": "MUCH"}, "inquiry": {"due_on": "いつか"},
    "note": {"text": WORDS + "あ" * 4_000}, "disagree": {"kind": ""},
    "answer": {"answered_on": day(1)}, "plan": {"review_on": day(0)}, "contact": {"next_on": ""}, "outcome": {"seen_on": day(1)},
    "package-make": {"expires_on": day(400)}, "package-event": {"on": day(1)}, "package-approve": {"verdict": ""},
    "close": {"reason_code": ""}, "reopen": {"text": "*" + WORDS + "あ" * 4_000}, "transfer": {"to_office": "family_centre"},
    "takeover": {"to": ""}, "open-case": {}, "conference-call": {"quorum": "9"}, "conference-call-off": {"version": "x"}, "conference-item": {"interest": ""},
}  # fmt: skip
"""One thing wrong with each."""


def writer(page: str) -> Person:
    if page == "reopen":
        return REN
    if page == "package-approve":
        return BY_ROLE["APPROVER"]
    if page in ("conference-call", "conference-call-off"):
        return BY_ROLE["COORDINATOR"]
    return HANA


def places(page: str, worked: dict[str, Any]) -> str:  # noqa: F811
    takes: dict[str, Any] = {"sheet": {"kind": "YOUNG_CARER"}, "answer": {"inquiry": worked["inquiry"]},
                             "outcome": {"goal": worked["goal"]}, "conference-item": {"key": worked["item"]},
                             "conference-call-off": {"key": worked["meeting"]}}.get(page, {})  # fmt: skip
    if page.startswith("package-") and page != "package-make":
        takes = {"package": worked["package"]}
    if PAGE_ACTIONS[page] in CASE_ACTIONS:
        takes = {**takes, "case_number": worked["closed" if page == "reopen" else "case_number"]}
    return reverse(page, kwargs=takes)


PAGES = sorted(set(PROSE) - {"conference-item"})


@pytest.fixture
def opened(as_person: Any, worked: dict[str, Any], token_of: Any, case_of: Any) -> Any:  # noqa: F811
    """A browser with a page's form open: its address and its hidden values."""

    def open_form(page: str) -> tuple[Any, str, dict[str, str]]:
        if page == "package-approve":
            case_of("pc01").packages.update(protection="UNKNOWN")
        own = case_of("pc09").case_number if page == "first-view" else worked["case_number"]
        browser, address = as_person(writer(page)), places(page, {**worked, "case_number": own})
        shown = browser.get(address, follow=True)
        assert shown.status_code == 200, page
        unasked = dict.fromkeys(re.findall(r'name="(degree_\w+)"', shown.content.decode()), "UNKNOWN")
        return browser, address, {**token_of(shown), **unasked}

    return open_form


def said(answer: Any) -> str:
    return html.unescape(answer.content.decode()).split("<main", 1)[1]


def test_every_form_of_prose_is_tried(worked: dict[str, Any]) -> None:  # noqa: F811
    casework = {
        name for name in PAGE_ACTIONS if view_of(name).__module__.startswith(("kodomo.assessment", "kodomo.support"))
    }
    posting = {name for name in casework - SENT_ONLY if "post" in _methods(name)}
    assert posting == set(PROSE) | NO_PROSE


def _methods(name: str) -> str:
    view = view_of(name)
    allowed = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
    while hasattr(view, "__wrapped__"):
        allowed += [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
        view = view.__wrapped__
    return str([one for one in allowed if isinstance(one, (list, tuple))]).lower()


def test_it_keeps_the_words_of_a_form_with_a_fault(opened: Any) -> None:
    for page in PAGES:
        browser, address, hidden = opened(page)
        answer = browser.post(address, {**hidden, **PROSE[page], **SPOILT[page]})
        assert answer.status_code == 400 and WORDS in said(answer), page


def test_it_keeps_the_words_of_a_form_that_came_too_late(opened: Any, token_of: Any) -> None:
    from kodomo.assessment.models import Case

    for page in (page for page in PAGES if PAGE_ACTIONS[page] in CASE_ACTIONS and page != "note"):
        browser, address, hidden = opened(page)
        Case.objects.update(version=F("version") + 1)
        answer = browser.post(address, {**hidden, **PROSE[page]})
        assert answer.status_code == 409 and WORDS in said(answer), page
        assert WORDS in said(browser.get(address, follow=True)), f"{page} opens with what was written"
    browser, address, _ = opened("contact")
    again = browser.get(address)
    assert browser.post(address, {**token_of(again), **PROSE["contact"]}).status_code == 302
    assert "の下書きの続きです" not in said(browser.get(address)), "sent at last, the draft is gone"


def test_it_keeps_the_words_of_whoever_may_no_longer_write(opened: Any) -> None:
    from kodomo.web.models import Staff

    for page in PAGES:
        browser, address, hidden = opened(page)
        role = writer(page).role
        Staff.objects.filter(username=writer(page).username).update(role="HOLDER")
        answer = browser.post(address, {**hidden, **PROSE[page]})
        assert answer.status_code == 403 and WORDS in said(answer) and "wrong" not in said(answer), page
        Staff.objects.filter(username=writer(page).username).update(role=role)


def test_it_keeps_the_words_of_whoever_was_signed_out(opened: Any) -> None:
    browser, address, hidden = opened("contact")
    browser.logout()
    answer = browser.post(address, {**hidden, **PROSE["contact"]})
    assert answer.status_code == 403 and WORDS in said(answer) and "サインインし直して" in said(answer)
    assert browser.post(address, hidden).status_code == 302, "who typed nothing goes straight to sign in"
    secret = "ひみつのことば、ひみつのことば"
    answer = browser.post("/cases/open/", {**PROSE["open-case"], "password": secret})
    assert WORDS in said(answer) and secret not in said(answer)


def test_it_keeps_the_words_of_a_page_opened_too_long_ago(opened: Any) -> None:
    browser, address, hidden = opened("contact")
    strict = Client(raise_request_exception=False, enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    answer = strict.post(address, {**hidden, **PROSE["contact"]})
    assert answer.status_code == 403 and WORDS in said(answer)
    foreign = Client(raise_request_exception=False, enforce_csrf_checks=True)
    answer = foreign.post(address, PROSE["contact"], headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and WORDS not in said(answer), "another site puts no words on this one's pages"


def test_it_keeps_the_words_of_a_member_and_of_the_chair(worked: dict[str, Any], as_person: Any, token_of: Any) -> None:  # noqa: F811
    """Told already, decided meanwhile: the words of both stand on the page."""
    from kodomo.assessment.models import ConferenceMember

    member = BY_ROLE["COMMITTEE_MEMBER"]
    assert ConferenceMember.objects.filter(username=member.username).exists()
    browser, address = as_person(member), places("conference-item", worked)
    hidden = token_of(browser.get(address))
    for spoilt in ({"interest": ""}, {"decision": ""}):
        answer = browser.post(address, {**hidden, **PROSE["conference-item"], **spoilt})
        assert answer.status_code == 400 and WORDS in said(answer)
    assert browser.post(address, {**hidden, **PROSE["conference-item"]}).status_code == 302
    twice = browser.post(address, {**PROSE["conference-item"], "token": "another-token-of-the-form", "version": 0})
    assert twice.status_code == 400 and WORDS in said(twice)

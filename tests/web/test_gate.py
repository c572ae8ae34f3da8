"""Every page × every role × one's own and another office's case, through the site's front door."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver
from standing_people import EVERYBODY, HANA, MAKOTO, REN, RIN, Person

from kodomo.governance.permissions import CASE_ACTIONS, Action, Scope, scope
from kodomo.web.pages import PAGE_ACTIONS

OWN, OTHERS = "pc01", "pc03"  # of family_centre, of childcare


def names() -> list[str]:
    return sorted(name for name in get_resolver().reverse_dict if isinstance(name, str))


def address(page: str, number: str) -> str:
    from django.urls import reverse

    own: dict[str, dict[str, Any]] = {
        "account-change": {"username": "hana"}, "filter-drop": {"key": 1}, "answer": {"inquiry": 1}, "inquiry-paper": {"inquiry": 1}, "inquiry-file": {"inquiry": 1}, "inquiry-download": {"inquiry": 1}, "inquiry-return": {"inquiry": 1},
        "outcome": {"goal": 1}, "sheet": {"kind": "NON_ATTENDANCE"},
        "package": {"package": 1}, "package-key": {"package": 1}, "package-event": {"package": 1}, "package-reminder": {"package": 1}, "package-approve": {"package": 1}, "package-file": {"package": 1}, "package-download": {"package": 1}, "conference": {"key": 1}, "conference-call-off": {"key": 1}, "conference-papers": {"key": 1}, "conference-minutes": {"key": 1},
        "conference-item": {"key": 1}, "conference-start": {"key": 1},
        **{page: {"number": 1} for page in ("job", "job-cancel", "job-resume", "job-file")},
        "delivery": {"receipt": 1}, "delivery-refused": {"refusal": 1}, "item": {"code": "absence_days"}, "evaluation": {"name": "nowhere"}, "misjudged": {"name": "nowhere"},
        **{page: {"number": 1} for page in ("draft", "draft-indicators", "draft-capacity", "draft-try", "draft-submit", "draft-drop", "draft-decide")},
        "draft-type": {"number": 1, "kind": "ABUSE"}, "draft-new": {"number": 1, "kind": "ABUSE", "table": "points"},
        "draft-entry": {"number": 1, "table": "points", "code": "x"}, "criteria-version": {"matter": "CRITERIA", "version": "x"},
        **{page: {"number": 1} for page in ("link-pair", "link-decide", "link-undo")},
        **{page: {"name": "2026-03-31-first"} for page in ("run", "release-ask", "release-decide")},
    }  # fmt: skip
    takes = own.get(page, {})
    if PAGE_ACTIONS[page] in CASE_ACTIONS:
        takes = {"case_number": number, **takes}
    return reverse(page, kwargs=takes)


def test_it_lists_every_page_and_nothing_else() -> None:
    assert names() == sorted(PAGE_ACTIONS)


def test_it_refuses_a_page_that_is_not_listed(as_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.web import gate

    monkeypatch.setattr(gate, "PAGE_ACTIONS", {k: v for k, v in PAGE_ACTIONS.items() if k != "shortlist"})
    assert as_person(HANA).get("/cases/").status_code == 404


def is_allowed(person: Person, action: Action, office: str) -> bool:
    reach = scope(person.role, action)
    if action is Action.SIGN_IN or reach is Scope.EVERY_OFFICE:
        return True
    return reach is not None and (action not in CASE_ACTIONS or office == person.office)


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.username)
def test_it_opens_exactly_what_the_role_may(person: Person, as_person: Any, case_of: Any) -> None:
    """What is refused answers 403 by every method; what is allowed never does."""
    browser, wrong = as_person(person), []
    for child, office in ((OWN, "family_centre"), (OTHERS, "childcare")):
        number = case_of(child).case_number
        for page in names():
            if page in ("sign-out", "decide"):
                continue  # signing out would end the browser; decide has a rule of its own, below
            if child != OWN and PAGE_ACTIONS[page] not in CASE_ACTIONS:
                continue  # not about a case: once is enough
            for method in ("get", "post"):
                status = getattr(browser, method)(address(page, number)).status_code
                if (status != 403) is not is_allowed(person, PAGE_ACTIONS[page], office):
                    wrong.append((page, office, method, status))
    assert not wrong


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.username)
def test_it_lets_only_a_practitioner_of_the_office_decide(
    person: Person, as_person: Any, case_of: Any, first_view: Any
) -> None:
    for child, office in ((OWN, "family_centre"), (OTHERS, "childcare")):
        number = case_of(child).case_number
        browser = as_person(person)
        first_view(browser, number)
        allowed = is_allowed(person, Action.DECIDE, office)
        assert (browser.get(f"/cases/{number}/decide/").status_code == 200) is allowed
        assert (browser.post(f"/cases/{number}/decide/").status_code != 403) is allowed


@pytest.mark.parametrize("page", sorted(set(PAGE_ACTIONS) - {"sign-in"}))
def test_it_sends_a_stranger_to_sign_in(page: str, client: Any, case_of: Any) -> None:
    answer = client.get(address(page, case_of(OWN).case_number))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_it_audits_a_refusal(as_person: Any, case_of: Any, audit_rows: Any) -> None:
    as_person(RIN).get(f"/cases/{case_of(OWN).case_number}/")
    last = audit_rows()[-1]
    assert (last["actor"], last["action"]) == ("rin", "REFUSED")


def test_it_tells_another_office_whom_to_ask(as_person: Any, case_of: Any) -> None:
    answer = as_person(REN).get(f"/cases/{case_of(OWN).case_number}/")
    assert answer.status_code == 403
    assert "ほかの部署の事例" in answer.content.decode()


def test_it_gives_a_missing_case_no_other_answer_than_a_role_would_get(as_person: Any) -> None:
    assert as_person(HANA).get("/cases/2026-0000000/").status_code == 404
    assert as_person(RIN).get("/cases/2026-0000000/").status_code == 403
    assert as_person(HANA).get("/cases/2026-0000001/").status_code == 404  # the check digit doesn't fit


def test_it_takes_a_role_away_on_the_next_click(as_person: Any) -> None:
    from kodomo.web.models import Staff

    browser = as_person(HANA)
    assert browser.get("/cases/").status_code == 200
    Staff.objects.filter(username="hana").update(role="SYSTEM_ADMINISTRATOR")
    assert browser.get("/cases/").status_code == 403


def test_it_stops_a_disabled_account_on_the_next_click(as_person: Any) -> None:
    from kodomo.web.models import Staff

    browser = as_person(MAKOTO)
    Staff.objects.filter(username="makoto").update(is_active=False)
    assert browser.get("/")["Location"].startswith("/sign-in/")


def test_it_ends_a_session_after_a_working_day(as_person: Any) -> None:
    browser = as_person(HANA)
    session = browser.session
    session["signed_in_at"] = "2026-01-01T00:00:00+00:00"
    session.save()
    assert browser.get("/cases/")["Location"].startswith("/sign-in/")
    assert "_auth_user_id" not in browser.session


def test_it_carries_strict_headers_on_every_answer(as_person: Any, client: Any) -> None:
    for answer in (client.get("/sign-in/"), as_person(HANA).get("/cases/"), client.get("/nowhere/")):
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"


def test_it_keeps_cookies_from_scripts_and_other_sites(client: Any) -> None:
    from standing_people import PASSWORD

    answer = client.post("/sign-in/", {"username": "hana", "password": PASSWORD})
    cookie = answer.cookies["kodomo_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Strict"


def test_it_has_no_script_or_style_inside_its_pages(as_person: Any, case_of: Any) -> None:
    import re

    browser = as_person(HANA)
    for path in ("/", "/cases/", f"/cases/{case_of(OWN).case_number}/", "/sign-in/"):
        body = browser.get(path).content.decode()
        assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son\w+=|https?://(?!www\.w3\.org)", body)


def test_it_refuses_a_form_without_its_secret(home: Any) -> None:
    from django.test import Client

    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "hana", "password": "x"})
    assert answer.status_code == 403
    assert "画面を開き直して" in answer.content.decode()


def test_it_puts_the_end_of_a_session_off_with_each_click_but_writes_it_once_a_minute(as_person: Any) -> None:
    import datetime as dt

    from django.contrib.sessions.models import Session

    def ends() -> Any:
        return Session.objects.get(pk=browser.session.session_key).expire_date

    browser = as_person(HANA)
    browser.get("/cases/")
    first = ends()
    browser.get("/cases/")
    assert ends() == first
    session = browser.session
    session["clicked_at"] = (dt.datetime.fromisoformat(session["clicked_at"]) - dt.timedelta(minutes=2)).isoformat()
    session.save()
    before = ends()
    browser.get("/cases/")
    assert ends() > before
    Session.objects.update(expire_date=before - dt.timedelta(hours=1))  # half an hour without a click, and more
    assert browser.get("/cases/")["Location"].startswith("/sign-in/")


def test_it_lets_a_file_go_to_whoever_asks_for_a_live_part(as_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.http import FileResponse

    from kodomo.web.gate import Gate

    class Asking:
        """A request of htmx for the part that follows a job."""

        class htmx:
            target = "live"

    answer = Gate(lambda request: FileResponse([b"x"]))(Asking())  # type: ignore[arg-type,return-value]
    assert answer["HX-Refresh"] == "true" and b"".join(answer.streaming_content) == b"x"  # type: ignore[attr-defined]

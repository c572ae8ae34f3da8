"""利害関係: who declared an interest in a case sees nothing of it any more, on any page, in any role, and writes nothing."""

# ruff: noqa: F811

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from standing_people import HANA, MAKOTO, OTHERS
from test_conference import ONE, THREE, TWO, call, conclude, item, people, speak, words  # noqa: F401
from test_gate import address, names

from kodomo.assessment.models import AgendaItem
from kodomo.errors import NotPermitted
from kodomo.governance.permissions import CASE_ACTIONS, Action, Role, can, check
from kodomo.web.models import Staff
from kodomo.web.pages import PAGE_ACTIONS

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")


@pytest.fixture
def declared(item: AgendaItem, speak: Any) -> AgendaItem:
    speak(ONE, "", "", interest="HAS")
    return item


def test_it_closes_the_facts_to_who_declared_an_interest(declared: AgendaItem, as_person: Any, audit_rows: Any) -> None:
    number, member = declared.case.case_number, as_person(ONE)
    answer = member.get(f"/cases/{number}/")
    assert answer.status_code == 403 and "利害関係" in words(answer) and "欠席" not in words(answer)
    assert (audit_rows()[-1]["action"], audit_rows()[-1]["actor"]) == ("REFUSED", ONE.username)
    assert as_person(TWO).get(f"/cases/{number}/").status_code == 200
    other = member.get("/cases/?reach=ALL").content.decode()
    assert number not in other and 'class="case-number"' in other


def test_it_closes_every_page_of_the_case_in_every_role(declared: AgendaItem, as_person: Any) -> None:
    """The interest is the person's, not the seat's: a change of role opens nothing."""
    number, open_pages = declared.case.case_number, []
    for role in (Role.PRACTITIONER, Role.APPROVER, Role.COORDINATOR, Role.COMMITTEE_MEMBER):
        Staff.objects.filter(username=ONE.username).update(role=role, office="family_centre")
        browser = as_person(ONE)
        for page in names():
            if PAGE_ACTIONS[page] in CASE_ACTIONS:
                for method in ("get", "post"):
                    if getattr(browser, method)(address(page, number)).status_code != 403:
                        open_pages.append((role, page, method))
        for path in ("/", "/cases/?reach=ALL", "/caseload/", "/packages/"):
            answer = browser.get(path)
            assert answer.status_code == 403 or number not in words(answer), (role, path)
    assert not open_pages


def test_the_meetings_pages_tell_who_is_out_nothing_of_the_case(
    declared: AgendaItem,
    as_person: Any,
    speak: Any,
    conclude: Any,
) -> None:
    speak(TWO)
    speak(THREE)
    assert conclude().status_code == 302
    member = as_person(ONE)
    for path in (f"/conferences/items/{declared.pk}/", f"/conferences/{declared.conference_id}/",
                 f"/conferences/{declared.conference_id}/minutes/"):  # fmt: skip
        text = words(member.get(path))
        for secret in ("訪問から始め", "急がない方が", "支援する", "家の負担", "支援未接続", "要対協", "小4", "欠席"):
            assert secret not in text, (path, secret)
    assert "訪問から始め" in words(as_person(TWO).get(f"/conferences/{declared.conference_id}/minutes/"))


def test_an_interest_holds_in_every_later_meeting(declared: AgendaItem, as_person: Any, call: Any) -> None:
    assert call(declared.case.case_number, title="第4回 統括委員会").status_code == 302
    later = AgendaItem.objects.exclude(pk=declared.pk).get()
    member = as_person(ONE)
    page = member.get(reverse("conference-item", kwargs={"key": later.pk}))
    assert "審議に加わらない事例" in words(page) and "欠席" not in words(page) and "所見を保存" not in words(page)
    assert declared.case.case_number not in words(member.get("/"))
    form = {"interest": "NONE", "decision": "SUPPORT", "text": "やはり加わりたい。", "token": "t" * 20, "version": "0"}
    assert member.post(reverse("conference-item", kwargs={"key": later.pk}), form).status_code == 403
    assert not later.views.exists()


def test_it_refuses_writes_below_the_pages_too(declared: AgendaItem, case_of: Any) -> None:
    from django.utils import timezone

    from kodomo.assessment import actions
    from kodomo.governance.permissions import Actor

    case = declared.case
    actor = Actor(ONE.username, ONE.name, Role.PRACTITIONER, case.office)
    at = timezone.now()
    with pytest.raises(NotPermitted):
        actions.write_first_view(
            case.case_number,
            by=actor,
            text="事実だけを見た所見。",
            concern="SOME",
            version=case.version,
            token="t" * 20,
            at=at,
        )
    with pytest.raises(NotPermitted):
        actions.reveal_name(case.case_number, by=actor, purpose_code="P1", at=at)
    with pytest.raises(NotPermitted):
        actions.assign_cases([case.case_number], by=actor, caseworker="hana", eligible={"hana": case.office},
                             token="u" * 20, at=at)  # fmt: skip


def test_the_choke_point_knows_no_action_that_an_interest_leaves_open() -> None:
    for role in Role:
        for action in CASE_ACTIONS:
            assert not can(role, action, own_office=True, has_interest=True)
    with pytest.raises(NotPermitted) as refusal:
        check(Role.PRACTITIONER, Action.VIEW_CASE, own_office=True, has_interest=True)
    assert "利害関係" in refusal.value.what
    assert re.search("ほかの", refusal.value.then)


def test_it_leaves_everybody_else_as_they_were(declared: AgendaItem, as_person: Any) -> None:
    for person in (HANA, MAKOTO, COORDINATOR):
        assert as_person(person).get(f"/cases/{declared.case.case_number}/").status_code == 200

"""How many questions a page asks of the databases: few, and not more where there are more cases and longer records."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from standing_people import AT, EVERYBODY, HANA, OTHERS
from test_gate import OWN, address, is_allowed, names

from kodomo.assessment import models as assessing
from kodomo.assessment.case_numbers import check_digit
from kodomo.governance.permissions import Role
from kodomo.support import models as supporting
from kodomo.web.models import Staff
from kodomo.web.pages import PAGE_ACTIONS

MOST = 45
"""Questions of one page, the sign-in's and the audit row's among them."""

MEMBER = next(p for p in OTHERS if p.role is Role.COMMITTEE_MEMBER)
BY = {"written_by": HANA.username, "written_by_name": HANA.name, "written_at": AT}
DAY = dt.date(2026, 5, 1)


def records(case: Any, times: int, prefix: str) -> None:
    """Everything that can be written about a case, so many times over."""
    view = assessing.FirstView.objects.create(
        case=case, judgement_name=case.judgement_name, text="気になる。", concern="SOME", **BY
    )
    begun = case.plans.count()
    for n in range(begun + 1, begun + times + 1):
        assessing.Assessment.objects.create(
            case=case, revision=n, first_view=view, judgement_name=case.judgement_name, decision="SUPPORT", reason_code="S1",
            agreement="AGREE", next_on=DAY, decided_by="hana", decided_by_name=HANA.name, decided_by_role=HANA.role, decided_at=AT,
        )  # fmt: skip
        assessing.AssessmentSheet.objects.create(
            case=case,
            type="NON_ATTENDANCE",
            revision=n,
            answers={"a": {"degree": "SOME", "text": "", "asked": "欠席"}},
            **BY,
        )
        asked = assessing.Inquiry.objects.create(
            case=case,
            asked="SCHOOL",
            questions="様子",
            due_on=DAY,
            asked_by="hana",
            asked_by_name=HANA.name,
            asked_at=AT,
        )
        assessing.InquiryAnswer.objects.create(
            inquiry=asked,
            answered_on=DAY,
            text="来ている",
            recorded_by="hana",
            recorded_by_name=HANA.name,
            recorded_at=AT,
        )
        plan = supporting.Plan.objects.create(
            case=case, revision=n, policy="支える", starts_on=DAY, review_on=DAY, **BY
        )
        for number in range(1, min(times, 4) + 1):
            goal = supporting.Goal.objects.create(
                plan=plan, number=number, text="通う", service="SCHOOL", office="school_education"
            )
            supporting.Outcome.objects.create(goal=goal, scale="BETTER", seen_on=DAY, **BY)
        package = supporting.Package.objects.create(
            case=case, number=f"{prefix}-{n}", partner="SCHOOL", partner_name="学校", request="見守り", goal=goal,
            expires_on=dt.date(2030, 1, 1), protection="PROTECTED", **BY,
        )  # fmt: skip
        supporting.PackageApproval.objects.create(
            package=package, verdict="APPROVED", protection="PROTECTED", reason="確かめた", **BY
        )
        supporting.PackageEvent.objects.create(package=package, step="HANDED", on=DAY, **BY)
        supporting.Contact.objects.create(
            case=case, kind="CALL", met_on=DAY, result="TALKED", text="話した", next_on=DAY, **BY
        )
        supporting.Takeover.objects.create(case=case, from_name="前", to_name="次", text="約束", **BY)
        supporting.Transfer.objects.create(
            case=case, from_office="childcare", to_office="family_centre", text="移す", **BY
        )
        supporting.Closure.objects.create(case=case, reason_code="C1", closed_on=DAY, **BY)
        supporting.Reopening.objects.create(case=case, text="また", **BY)


def cases(count: int, times: int, first: int) -> None:
    """So many further cases, each with records, before one more meeting of all of them."""
    like = assessing.Case.objects.get(child_key=OWN)
    meeting, is_new = assessing.Conference.objects.get_or_create(
        held_on=DAY, title="会議", quorum=1, called_by="coordinator", called_by_name="統", called_at=AT
    )
    if is_new:
        assessing.ConferenceMember.objects.create(conference=meeting, username=MEMBER.username, name=MEMBER.name)
    for place in range(count):
        digits = f"{first + place:06d}"
        values = {f.name: getattr(like, f.name) for f in assessing.Case._meta.concrete_fields if f.name != "id"}
        case = assessing.Case.objects.create(
            **{**values, "case_number": f"2026-{digits}{check_digit(digits)}", "child_key": f"extra{first + place}",
               "state": "SUPPORT", "caseworker": "hana", "next_on": DAY, "is_address_protected": True}
        )  # fmt: skip
        for level in like.levels.all():
            level.pk, level.case = None, case
            level.save()
        records(case, times, f"p{first + place}")
        item = assessing.AgendaItem.objects.create(conference=meeting, case=case, position=place + 1)
        if place % 2:
            assessing.MemberView.objects.create(
                item=item, username="other", name="他", has_interest=False, decision="SUPPORT", written_at=AT
            )
    for place in range(count):
        Staff.objects.create_account(
            f"more-{first + place}",
            name=f"職員{first + place}",
            role=Role.PRACTITIONER,
            office="family_centre",
            password="x",
        )


@pytest.fixture
def asked_by_page(as_person: Any, case_of: Any) -> Any:
    """For each page how many questions one opening of it asks, by somebody who may open it."""

    def walk() -> dict[str, int]:
        browsers: dict[str, Any] = {}
        found = {}
        number = case_of(OWN).case_number
        for page in sorted(set(names()) - {"sign-out"}):
            person = next(p for p in EVERYBODY if is_allowed(p, PAGE_ACTIONS[page], "family_centre"))
            browser = browsers.get(person.username) or browsers.setdefault(person.username, as_person(person))
            path = address(page, number)
            browser.get(path)  # what is read once for a process, and once a minute for a session, is not the page's
            asked: list[str] = []

            def count(execute: Any, sql: Any, params: Any, many: Any, context: Any, into: Any = asked) -> Any:
                into.append(sql)
                return execute(sql, params, many, context)

            with ExitStack() as stack:
                for alias in ("default", "vault"):
                    stack.enter_context(connections[alias].execute_wrapper(count))
                answer = browser.get(path)
            found[page] = len(asked)
            assert answer.status_code < 500 and answer.status_code != 403, (page, answer.status_code)
        return found

    return walk


def test_no_page_asks_more_where_there_is_more_to_show(asked_by_page: Any, case_of: Any) -> None:
    like = case_of(OWN)
    assessing.Case.objects.filter(pk=like.pk).update(state="SUPPORT", caseworker="hana", next_on=timezone.localdate())
    records(like, 1, "own")
    cases(2, 1, 100)
    few = asked_by_page()
    records(like, 4, "owns")
    cases(8, 2, 200)
    many = asked_by_page()
    grown = {page: (few[page], many[page]) for page in few if many[page] > few[page]}
    assert not grown
    assert {page: n for page, n in many.items() if n > MOST} == {}

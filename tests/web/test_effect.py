"""取組の効果: the funnel begins with who was judged, hides what is small, and prints on one sheet of A4."""

# ruff: noqa: F811

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import Any

import pytest
from browsing import SCREENSHOTS, address, browser, demo_password, opened, sign_in  # noqa: F401
from django.utils import timezone
from small_store import write_store
from standing_people import AT, OTHERS

from kodomo.configuration import Home
from kodomo.governance.suppression import Suppression
from kodomo.support.effect import STEPS, _funnel

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
RULE = Suppression(7, 5)


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


def line(first: int | None, sizes: list[int]) -> tuple[str, ...]:
    reached = {step: set(range(size)) for (step, _), size in zip(STEPS, sizes, strict=True)}
    return _funnel("虐待", set(range(max(sizes))), reached, RULE, first=(first,)).counts


def test_the_first_step_is_hidden_like_the_others_and_hides_them() -> None:
    assert line(1_832, [640, 300, 100, 80, 60, 40]) == ("1,830", "640", "300", "100", "80", "60", "40")
    assert line(5, [0] * 6)[0] == "秘匿"
    assert line(645, [640, 300, 100, 80, 60, 40])[:3] == ("645", "秘匿", "300"), "five who were judged and not listed"
    assert line(None, [640, 300, 100, 80, 60, 40])[:2] == ("—", "640"), "what is not known is said to be so"


@pytest.fixture
def judged(home: Home, hinata: Any) -> Any:
    """Bring in a judgement of given levels."""
    from kodomo.assessment.arrivals import receive_arrivals

    def release(levels: dict[str, Any]) -> None:
        write_store(home.store, judgement="2026-05-31-many", as_of=dt.date(2026, 5, 31), **levels)
        receive_arrivals(home=home, municipality=hinata, by="tests", at=AT)

    return release


def test_it_counts_children_by_the_types_that_were_asked_of_them(
    judged: Any,
) -> None:
    """Of a child whom a type was not asked nothing was judged in it; a child too little is known of was judged."""
    from kodomo.support.judged_children import judged_children

    judged(
        {
            "pc01": {
                "NON_ATTENDANCE": ("INSUFFICIENT", None),
                "BULLYING": ("NOT_APPLICABLE", None),
                "OVERALL": ("LOW", 0.1),
            }
        }
    )
    found = judged_children()
    assert found is not None
    assert "pc01" in found.everybody and "pc01" in found.of_type["NON_ATTENDANCE"]
    assert "pc01" not in found.of_type.get("BULLYING", frozenset())
    assert "pc01" in found.of_office("family_centre") and "pc01" not in found.of_office("childcare")
    assert found.of_office("family_centre") | found.of_office("childcare") == found.everybody


def test_it_says_nothing_of_who_was_judged_where_the_store_no_longer_has_it(home: Home, as_person: Any) -> None:
    from kodomo.assessment.models import Arrival

    Arrival.objects.update(judgement_name="2020-03-31-gone")
    text = words(as_person(COORDINATOR).get("/effect/"))
    assert "判定した — データベースから" in text
    Arrival.objects.all().delete()
    assert "判定はまだ届いていません" in words(as_person(COORDINATOR).get("/effect/"))


@pytest.fixture
def three_years(home: Home, hinata: Any) -> None:
    """Four hundred cases of both offices, every type and every kind of support, at every step."""
    from kodomo.assessment.models import Assessment, Case, CaseLevel, FirstView
    from kodomo.support.models import Contact, Goal, Outcome, Plan
    from kodomo.support.words import Service
    from kodomo.terms import OVERALL

    today, at = timezone.localdate(), timezone.now()
    who = {"written_by": "hana", "written_by_name": "花", "written_at": at}
    flags = dict.fromkeys(
        ("is_known_to_support", "is_council_registered", "moved_in_within_year", "is_insufficient", "has_escalation"),
        False,
    )
    cases = Case.objects.bulk_create(
        Case(case_number=f"9999-{n:07d}", child_key=f"year{n}", office=("family_centre", "childcare")[n % 2],
             age_band="ELEMENTARY", judgement_name="later", snapshot_name="s", judged_as_of=today, state="SUPPORT",
             arrived_at=at - dt.timedelta(days=20), **flags)
        for n in range(400)
    )  # fmt: skip
    CaseLevel.objects.bulk_create(
        CaseLevel(case=case, judgement_name=name, judged_as_of=today, type=kind, level=level, is_current=is_current)
        for n, case in enumerate(cases)
        for name, level, is_current in (("then", ("HIGH", "MIDDLE")[n % 2], False), ("later", ("LOW", "HIGH")[n % 3 == 0], True))
        for kind in [OVERALL, *hinata.types]
    )  # fmt: skip
    decisions = itertools.cycle(["SUPPORT", "SUPPORT", "SUPPORT", "WATCH", "NO_ACTION"])
    for case, decision in zip(cases[:300], decisions, strict=False):
        view = FirstView.objects.create(case=case, judgement_name="then", text="見た。", concern="SOME", **who)
        Assessment.objects.create(
            case=case, revision=1, first_view=view, judgement_name="then", decision=decision, reason_code="S1",
            agreement="AGREE", decided_by="hana", decided_by_name="花", decided_by_role="PRACTITIONER", decided_at=at,
        )  # fmt: skip
    plans = Plan.objects.bulk_create(
        Plan(case=case, revision=1, policy="家を支える。", starts_on=today, review_on=today, **who)
        for case in cases[:300]
    )
    Contact.objects.bulk_create(
        Contact(case=case, kind="VISIT", met_on=today, result=("ACCEPTED", "TALKED")[n % 3 == 0], text="会えた。",
                next_on=today, **who) for n, case in enumerate(cases[:250])
    )  # fmt: skip
    goals = Goal.objects.bulk_create(
        Goal(plan=plan, number=n, text="目標", service=service.value, office="welfare")
        for plan in plans
        for n, service in enumerate(Service)
    )
    Outcome.objects.bulk_create(
        Outcome(goal=goal, scale=("BETTER", "SAME")[goal.plan_id % 2], seen_on=today, **who) for goal in goals
    )


@pytest.mark.web
@pytest.mark.enable_socket
def test_it_prints_on_one_sheet_and_its_detail_on_another(
    browser: Any, address: str, home: Home, three_years: None
) -> None:
    page = opened(browser, [])
    sign_in(page, address, "toko", demo_password(home))
    for path, name in (("/effect/", "paper-effect-years"), ("/effect/detail/", "paper-effect-detail-years")):
        page.goto(address + path)
        page.emulate_media(media="null")
        assert page.inner_text("main").count("秘匿") < 12, "figures, not blanks"
        paper = page.pdf(prefer_css_page_size=True)
        SCREENSHOTS.mkdir(exist_ok=True)
        SCREENSHOTS.joinpath(f"{name}.pdf").write_bytes(paper)
        assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1, f"{path} runs over the sheet"
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 690, "height": 1000})
        page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)
    page.emulate_media(media="null")
    page.goto(f"{address}/effect/")
    assert page.locator(".chart__bar").count() == 7
    page.click("text=類型ごと・支援の内容ごとの内訳")
    page.wait_for_url(f"{address}/effect/detail/")

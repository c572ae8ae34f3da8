"""受け渡し票: what a partner without an account is told, under which number, and that the paper is gone at the end."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from standing_people import HANA, MAKOTO, OTHERS, PASSWORD, REN

from kodomo.assessment.models import Case
from kodomo.support.models import Package

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
PLAN = {
    "policy": "登校の前に、家の負担を軽くする。",
    "text_1": "放課後に安心できる場所",
    "service_1": "CLUB",
    "office_1": "lifelong_learning",
}
ASKED = {
    "partner": "LIBRARY",
    "partner_name": "ひなた市立図書館",
    "request": "放課後のおはなし会に誘ってください。",
    "heed": "",
}


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


@pytest.fixture
def send(token_of: Any) -> Any:
    def fill(browser: Any, number: str, tail: str, given: dict[str, str]) -> Any:
        return browser.post(f"/cases/{number}/{tail}", {**token_of(browser.get(f"/cases/{number}/{tail}")), **given})

    return fill


@pytest.fixture
def planned(as_person: Any, case_of: Any, decided: Any, send: Any, in_vault: Any) -> Any:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number, decision="SUPPORT", reason_code="S1")
    assert send(hana, number, "plan/", {**PLAN, "starts_on": day(0), "review_on": day(60)}).status_code == 302
    return hana, number


@pytest.fixture
def packed(planned: Any, send: Any) -> Any:
    hana, number = planned
    assert send(hana, number, "package/", {**ASKED, "expires_on": day(30)}).status_code == 302
    return hana, number, Package.objects.get()


def test_it_tells_the_partner_its_part_and_nothing_else(packed: Any, audit_rows: Any) -> None:
    hana, number, package = packed
    text = words(hana.get(f"/cases/{number}/package/{package.pk}/"))
    assert package.number in text and "おはなし会" in text and "小学生" in text and "回答票" in text
    for secret in (number, "pc01", "小4", "不登校", "欠席", "生活保護", "調査中", "登校の前に", "要対協", "高"):
        assert secret not in text.replace("【取扱注意】", ""), secret
    row = audit_rows()[-1]
    assert (row["action"], row["subject"]) == ("PRINT_PACKAGE", "pc01") and f"印刷番号 {row['sequence']}" in text


def test_it_opens_the_key_to_the_number_as_every_name_is_opened(packed: Any, audit_rows: Any) -> None:
    hana, number, package = packed
    address = f"/cases/{number}/package/{package.pk}/key/"
    assert "日向" not in words(hana.get(address))
    assert hana.post(address, {"purpose": "P1", "password": "wrong"}).status_code == 400
    assert hana.post(address, {"purpose": "", "password": PASSWORD}).status_code == 400
    assert not [row for row in audit_rows() if row["action"] in ("REVEAL_NAME", "PRINT_PACKAGE_KEY")]
    key = words(hana.post(address, {"purpose": "P1", "password": PASSWORD}))
    assert "日向 かなり" in key and number in key and package.number in key and "おはなし会" not in key
    assert "秘密町" not in key
    last = audit_rows()[-1]
    assert last["action"] == "PRINT_PACKAGE_KEY" and f"印刷番号 {last['sequence']}" in key
    assert audit_rows()[-2]["action"] == "REVEAL_NAME"


def test_it_gives_every_partner_a_number_of_its_own(packed: Any, send: Any) -> None:
    hana, number, first = packed
    given = {
        **ASKED,
        "partner": "SCHOOL",
        "partner_name": "東小学校",
        "heed": "人前で声をかけない。",
        "expires_on": day(30),
    }
    assert send(hana, number, "package/", given).status_code == 302
    second = Package.objects.exclude(pk=first.pk).get()
    assert first.number != second.number and number not in (first.number, second.number)
    school = words(hana.get(f"/cases/{number}/package/{second.pk}/"))
    assert "人前で声をかけない" in school and "小4" in school and first.number not in school


@pytest.mark.parametrize(
    "changed",
    [
        {"heed": "病気のこと。"}, {"request": "誘う"}, {"partner": "PRESS"}, {"partner_name": " "}, {"expires_on": ""},
        {"expires_on": day(0)}, {"expires_on": day(181)},
    ],
    ids=["more than it needs", "no request", "no partner", "nobody", "no end", "today", "too long"],
)  # fmt: skip
def test_it_makes_no_package_that_says_too_much_or_never_ends(changed: dict[str, str], planned: Any, send: Any) -> None:
    hana, number = planned
    assert send(hana, number, "package/", {**ASKED, "expires_on": day(30), **changed}).status_code == 400
    assert not Package.objects.exists()


def test_the_register_shows_a_page_at_a_time(packed: Any, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hana, number, package = packed
    send(hana, number, "package/", {**ASKED, "expires_on": day(20)})
    monkeypatch.setattr("kodomo.support.package_register.PAGE_SIZE", 1)
    first, second = (words(hana.get(f"/packages/?page={n}")) for n in (1, 2))
    assert "1 / 2" in first and "次のページ" in first and "前のページ" in second
    assert package.number not in first and package.number in second, "the sooner day comes first"
    assert "渡しているもの(2)" in first


def test_it_needs_a_plan(as_person: Any, case_of: Any, decided: Any) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number, decision="SUPPORT", reason_code="S1")
    assert hana.get(f"/cases/{number}/package/").status_code == 400


def test_it_closes_no_case_whose_papers_are_still_out(packed: Any, send: Any) -> None:
    hana, number, package = packed
    goal = Case.objects.get(case_number=number).plans.get().goals.get()
    send(hana, number, f"outcome/{goal.pk}/", {"scale": "ACHIEVED", "seen_on": day(0), "text": ""})
    answer = send(hana, number, "close/", {"reason_code": "C1", "text": ""})
    assert answer.status_code == 400 and "廃棄を確かめていない受け渡し票" in words(answer)
    event = f"package/{package.pk}/event/"
    assert send(hana, number, event, {"step": "REPLIED", "on": day(0), "text": ""}).status_code == 400
    assert (
        send(hana, number, event, {"step": "REPLIED", "on": day(0), "text": "二回来てくれました。"}).status_code == 302
    )
    assert send(hana, number, event, {"step": "DESTROYED", "on": day(1), "text": ""}).status_code == 400
    assert send(hana, number, event, {"step": "DESTROYED", "on": day(0), "text": ""}).status_code == 302
    page = words(hana.get(f"/cases/{number}/support/"))
    assert "二回来てくれました" in page and "廃棄済み" in page
    gone = hana.get(f"/cases/{number}/package/{package.pk}/")
    assert gone.status_code == 400 and "廃棄を確かめた受け渡し票です。渡さないでください" in words(gone)
    assert "紙の受け渡し票" not in page and "逆引き票" in page
    assert send(hana, number, event, {"step": "RECEIVED", "on": day(0), "text": ""}).status_code == 400
    assert send(hana, number, "close/", {"reason_code": "C1", "text": ""}).status_code == 302


def test_it_reminds_of_papers_past_their_day_until_they_are_gone(packed: Any, send: Any, audit_rows: Any) -> None:
    hana, number, package = packed
    reminder = f"/cases/{number}/package/{package.pk}/reminder/"
    assert hana.get(reminder).status_code == 400 and "受け渡し票が" not in words(hana.get("/"))
    Package.objects.filter(pk=package.pk).update(expires_on=dt.date(2020, 1, 1))
    page = words(hana.get(f"/cases/{number}/support/"))
    assert "期限切れ・廃棄を確かめる" in page and "もう渡さないでください" in page and "紙の受け渡し票" not in page
    for tail, status in (("", 400), ("download/", 400), ("file/", 200)):
        assert hana.get(f"/cases/{number}/package/{package.pk}/{tail}").status_code == status
    assert send(hana, number, f"package/{package.pk}/file/", {}).status_code == 400
    assert "受け渡し票が 1 件" in words(hana.get("/"))
    letter = words(hana.get(reminder))
    row = audit_rows()[-1]
    assert (row["action"], row["subject"]) == ("PRINT_REMINDER", "pc01") and f"印刷番号 {row['sequence']}" in letter
    assert package.number in letter and "2020年1月1日" in letter and "ひなた市立図書館" in letter
    assert "回答票がお手元" in letter
    for secret in (number, "おはなし会", "小4", "小学生", "登校の前に"):
        assert secret not in letter, secret
    event = f"package/{package.pk}/event/"
    assert send(hana, number, event, {"step": "DESTROYED", "on": day(0), "text": "電話で聞いた。"}).status_code == 302
    assert "受け渡し票が" not in words(hana.get("/")) and hana.get(reminder).status_code == 400
    assert "電話で聞いた" in words(hana.get(f"/cases/{number}/support/"))


def test_it_reminds_of_no_paper_that_never_left_the_house(packed: Any) -> None:
    from kodomo.support.models import PackageApproval

    hana, number, package = packed
    Package.objects.filter(pk=package.pk).update(expires_on=dt.date(2020, 1, 1), protection="PROTECTED")
    for answered in (False, True):
        if answered:
            PackageApproval.objects.create(
                package=package, protection="PROTECTED", verdict="REFUSED", reason="相手方が読むおそれがある。",
                written_by="approver", written_by_name="承認者", written_at=timezone.now(),
            )  # fmt: skip
        assert "受け渡し票が" not in words(hana.get("/"))
        assert hana.get(f"/cases/{number}/package/{package.pk}/reminder/").status_code == 400


def test_it_opens_no_package_under_another_case_nor_for_others(
    packed: Any, as_person: Any, case_of: Any, send: Any, decided: Any
) -> None:
    hana, number, package = packed
    other = case_of("pc02").case_number
    for tail in ("", "key/"):
        assert hana.get(f"/cases/{other}/package/{package.pk}/{tail}").status_code == 404
        for person, status in ((MAKOTO, 200), (REN, 403), (COORDINATOR, 403)):
            assert as_person(person).get(f"/cases/{number}/package/{package.pk}/{tail}").status_code == status
    form = {"step": "DESTROYED", "on": day(0), "text": ""}
    assert send(hana, other, f"package/{package.pk}/event/", form).status_code == 400
    assert not package.events.exists()


def test_the_new_folder_names_whom_cases_and_packages_go_to(tmp_path: Path) -> None:
    from kodomo.assessment.arrivals import responsible_office
    from kodomo.configuration import read_municipality
    from kodomo.intake.scaffold import new_municipality
    from kodomo.support.partners import current_partners
    from kodomo.terms import AgeBand

    new_municipality("みずき町", "架空県", tmp_path / "mizuki")
    town = read_municipality(tmp_path / "mizuki")
    assert {code for code, one in current_partners(town).items() if one.keeps} == {"CITY"}
    assert all("grade" not in current_partners(town)[code].items for code in ("LIBRARY", "CLUB"))
    offices = [responsible_office(town, band) for band in AgeBand]
    assert offices == ["childcare", "school", "school", "school"]


def test_the_database_counts_late_packages_as_the_rule_does(packed: Any) -> None:
    """Every kind of partner, day and course of a package: counted by the database, or one by one."""
    from itertools import product

    from kodomo.support.models import PackageApproval, PackageEvent
    from kodomo.support.package_policies import can_remind, overdue_packages
    from kodomo.support.words import PackageStep, Protection, Verdict

    _, _, package = packed
    case, today = package.case, timezone.localdate()
    days = [None, today - dt.timedelta(days=1), today, today + dt.timedelta(days=1)]
    courses = (
        [],
        ["HANDED"],
        ["HANDED", "REPLIED"],
        ["REPLIED"],
        ["HANDED", "REPLIED", "DESTROYED"],
        ["HANDED", "DESTROYED"],
    )
    answers: tuple[str | None, ...] = (None, Verdict.APPROVED, Verdict.REFUSED)
    written = {"written_by": "hana", "written_at": timezone.now()}
    kinds = product(("LIBRARY", "CITY"), days, days[1:], courses, (Protection.NONE, Protection.PROTECTED), answers)
    for place, (partner, reply_by, expires_on, course, protection, answer) in enumerate(kinds):
        one = Package.objects.create(
            case=case, number=f"X{place}", partner=partner, partner_name="先", request="頼む", reply_by=reply_by,
            expires_on=expires_on, protection=protection, **written,
        )  # fmt: skip
        PackageEvent.objects.bulk_create(
            PackageEvent(package=one, step=PackageStep(step), on=today, **written) for step in course
        )
        if answer:
            PackageApproval.objects.create(package=one, verdict=answer, protection=protection, reason="理由", **written)
    cases = type(case).objects.filter(pk=case.pk)
    for is_protected in (False, True):
        cases.update(is_address_protected=is_protected)
        one_by_one = sum(can_remind(found, today) for found in Package.objects.select_related("case"))
        assert overdue_packages(cases, today) == one_by_one > 20

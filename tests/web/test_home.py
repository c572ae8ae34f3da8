from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from handmade import waiting_job
from standing_people import EVERYBODY, HANA, OTHERS, REN, RIN, Person

from kodomo.assessment.models import Case

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")


def counts(answer: Any) -> dict[str, int]:
    found = re.findall(r'tile__words">([^<]+)</span><span class="tile__count">(\d+)', answer.content.decode())
    return {words: int(count) for words, count in found}


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.username)
def test_it_opens_for_everybody_and_greets_by_name(person: Person, as_person: Any) -> None:
    answer = as_person(person).get("/")
    assert answer.status_code == 200
    assert person.name in answer.content.decode()


def test_it_counts_ones_own_offices_cases(as_person: Any) -> None:
    assert counts(as_person(HANA).get("/"))["判断を待つ事例"] == 6
    assert counts(as_person(REN).get("/"))["判断を待つ事例"] == 2
    assert counts(as_person(REN).get("/"))["必ず確認する事例"] == 1
    assert counts(as_person(COORDINATOR).get("/"))["判断を待つ事例"] == 8


def test_it_counts_nothing_for_those_who_see_no_child(as_person: Any) -> None:
    body = as_person(RIN).get("/").content.decode()
    assert "tile" not in body and "/cases/" not in body


def test_each_count_is_the_length_of_the_list_behind_it(as_person: Any, decided: Any, case_of: Any) -> None:
    hana = as_person(HANA)
    decided(hana, case_of("pc01").case_number)
    Case.objects.filter(child_key="pc02").update(next_on=dt.date(2020, 1, 1), state="WATCH")
    body = hana.get("/").content.decode()
    tiles = re.findall(
        r'<a href="(/cases/\?[^"]+)"><span class="tile__words">[^<]+</span><span class="tile__count">(\d+)', body
    )
    assert len(tiles) == 7 and sum(int(count) for _, count in tiles) >= 7
    for url, count in tiles:
        listed = re.findall(r'class="case-number"', hana.get(url.replace("&amp;", "&")).content.decode())
        assert len(listed) == int(count), url


def test_it_lists_what_is_due_and_marks_what_is_late(as_person: Any, case_of: Any) -> None:
    Case.objects.filter(child_key="pc02").update(next_on=dt.date(2020, 1, 1))
    body = as_person(HANA).get("/").content.decode()
    assert case_of("pc02").case_number in body and "超過" in body and "2020/01/01(令2)" in body


def test_it_says_which_judgement_is_the_current_one(as_person: Any) -> None:
    body = as_person(HANA).get("/").content.decode()
    assert "2026年3月31日(令和8年)" in body and "9 人" in body


def test_it_shows_the_coordinating_office_every_offices_progress(as_person: Any) -> None:
    body = as_person(COORDINATOR).get("/").content.decode()
    assert "部署ごとの進み具合" in body and "子育て支援課" in body
    assert "部署ごとの進み具合" not in as_person(HANA).get("/").content.decode()


def test_it_leaves_a_row_for_the_cases_it_shows(as_person: Any, case_of: Any, audit_rows: Any) -> None:
    Case.objects.filter(child_key="pc02").update(next_on=dt.date(2020, 1, 1))
    as_person(HANA).get("/")
    row = audit_rows()[-1]
    assert (row["actor"], row["action"], row["detail"]) == ("hana", "VIEW_HOME", '{"count": 1}')


def test_it_shows_no_case_when_the_row_cannot_be_written(as_person: Any, case_of: Any) -> None:
    from django.db import connections

    Case.objects.filter(child_key="pc02").update(next_on=dt.date(2020, 1, 1))
    browser = as_person(HANA)
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE audit_events")
    answer = browser.get("/")
    assert answer.status_code == 500 and case_of("pc02").case_number not in answer.content.decode()


def test_it_leaves_no_row_for_those_who_see_no_child(as_person: Any, audit_rows: Any) -> None:
    as_person(RIN).get("/")
    assert not [row for row in audit_rows() if row["action"] == "VIEW_HOME"]


def test_it_is_calm_before_the_first_judgement(as_person: Any) -> None:
    from kodomo.assessment.models import Arrival

    Arrival.objects.all().delete()
    Case.objects.all().delete()
    assert "判定はまだ届いていません" in as_person(HANA).get("/").content.decode()


def works(answer: Any) -> dict[str, tuple[str, int]]:
    found = re.findall(
        r'<a href="([^"]+)"><span class="works__words">([^<]+)</span> <span class="works__count">(\d+)',
        answer.content.decode(),
    )
    return {words: (url, int(count)) for url, words, count in found}


def test_operators_see_what_waits_for_them_and_where(as_person: Any, home: Any) -> None:
    from kodomo.jobs.book import JobBook, JobStep

    waiting_job(
        JobBook(home.runs), "LINK", "名寄せと反映", [JobStep("名寄せ", ("link",))], asked_by="x", office="welfare"
    )
    by_role = {p.role: works(as_person(p).get("/")) for p in EVERYBODY}
    assert by_role["COORDINATOR"]["期限を過ぎた・届いていない出所"] == ("/deliveries/", 23)
    assert by_role["COORDINATOR"]["途中で止まった処理"] == ("/jobs/", 1)
    assert by_role["COORDINATOR"]["公開を申請していない判定"] == ("/runs/", 1)
    assert by_role["HOLDER"]["期限を過ぎた・届いていない出所"] == ("/deliveries/", 2)
    assert by_role["HOLDER"]["途中で止まった処理"] == ("/jobs/", 0)  # another office's
    assert by_role["LINK_REVIEWER"] == {"確認を待つ名寄せの組": ("/links/", 0)}
    assert set(by_role["APPROVER"]) == {"承認を待つ判定の公開", "承認を待つ判定基準の案"}
    assert by_role["PRACTITIONER"] == by_role["COMMITTEE_MEMBER"] == {}


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.username)
def test_every_link_on_the_first_page_opens(person: Person, as_person: Any) -> None:
    browser = as_person(person)
    links = re.findall(r'<a href="(/[^"#]*)"', browser.get("/").content.decode())
    wrong = [link for link in links if browser.get(link.replace("&amp;", "&")).status_code not in (200, 302)]
    assert not wrong

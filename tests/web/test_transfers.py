"""移管 out and in, and 引継ぎ from one caseworker to the next: nothing is lost on the way, and nothing said too much."""

# ruff: noqa: F811

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from standing_people import HANA, MAKOTO, OTHERS, PASSWORD, REN
from test_find import known  # noqa: F401
from test_replies import as_csv, filled, sealed, unpacked, upload  # noqa: F401

from kodomo.assessment.models import AgendaItem, Case, Conference, MemberView
from kodomo.assessment.states import CaseState
from kodomo.support.models import Contact, Opening, Package, Takeover

APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
PLAN = {"policy": "登校の前に、家の負担を軽くする。", "text_1": "放課後に安心できる場所", "service_1": "CLUB",
        "office_1": "lifelong_learning"}  # fmt: skip
OPENED = {"source": "TRANSFER_IN", "reading": "ひなた のぞみ", "born_on": "2017-01-01", "from_whom": "となり町",
          "text": "前の町で、家事の支援を受けていた。", "purpose": "P1", "password": PASSWORD}  # fmt: skip


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


def with_interest(username: str, case: Case) -> None:
    """At a meeting about the case, the person declares an interest in it."""
    now = timezone.now()
    meeting = Conference.objects.create(
        held_on=now.date(), title="第1回", quorum=2, called_by="x", called_by_name="x", called_at=now
    )
    item = AgendaItem.objects.create(conference=meeting, case=case, position=1)
    MemberView.objects.create(item=item, username=username, name=username, has_interest=True, written_at=now)


@pytest.fixture
def send(token_of: Any) -> Any:
    def fill(browser: Any, address: str, given: dict[str, Any]) -> Any:
        return browser.post(address, {**token_of(browser.get(address)), **given})

    return fill


@pytest.fixture
def planned(as_person: Any, case_of: Any, decided: Any, send: Any, in_vault: Any) -> Any:
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number, decision="SUPPORT", reason_code="S1")
    send(hana, f"/cases/{number}/plan/", {**PLAN, "starts_on": day(0), "review_on": day(60)})
    contact = {
        "kind": "VISIT",
        "result": "TALKED",
        "text": "来週、園の見学に付き添うと約束した。",
        "met_on": day(0),
        "next_on": day(7),
    }
    assert send(hana, f"/cases/{number}/contact/", contact).status_code == 302
    return hana, number


# To another municipality ------------------------------------------------------------------------


def test_a_case_goes_to_another_municipality_with_its_course_and_a_receipt(
    planned: Any, send: Any, token_of: Any, tmp_path: Path
) -> None:
    hana, number = planned
    asked = {
        "partner": "CITY",
        "partner_name": "となり町",
        "request": "転出に伴い、支援を引き継いでください。",
        "expires_on": day(30),
    }
    assert send(hana, f"/cases/{number}/package/", asked).status_code == 302
    package = Package.objects.get()
    paper = words(hana.get(f"/cases/{number}/package/{package.pk}/"))
    assert "支援方針: 登校の前に" in paper and "結果はまだない" in paper and "接触 1 回" in paper
    assert "園の見学" not in paper and number not in paper
    _, rows = unpacked(hana, number, package, send, tmp_path)
    assert "会えたか" not in [row[0] for row in rows]
    goal = Case.objects.get(case_number=number).plans.get().goals.get()
    send(hana, f"/cases/{number}/outcome/{goal.pk}/", {"scale": "BETTER", "seen_on": day(0), "text": ""})
    assert send(hana, f"/cases/{number}/close/", {"reason_code": "C4", "text": ""}).status_code == 400
    answers = {"受け入れた日": day(0), "受け入れた部署と担当の役割": "こども課の相談員", "急いで知らせたいこと": "ない"}
    filled = [[row[0], answers.get(row[0], row[1] if len(row) > 1 else "")] for row in rows]
    assert upload(hana, token_of, as_csv(filled)).status_code == 200
    taken = Contact.objects.last()
    assert (taken.kind, taken.result) == ("REPLY", "AGREED") and "こども課の相談員" in taken.text
    assert send(hana, f"/cases/{number}/close/", {"reason_code": "C4", "text": ""}).status_code == 302
    Package.objects.update(expires_on=dt.date(2026, 1, 1))
    assert package.number not in words(hana.get("/packages/?view=undestroyed"))


def test_the_course_of_a_protected_family_stays_in_the_house(planned: Any, send: Any, as_person: Any) -> None:
    hana, number = planned
    Case.objects.filter(case_number=number).update(is_address_protected=True)
    asked = {
        "partner": "CITY",
        "partner_name": "となり町",
        "request": "支援を引き継いでください。",
        "expires_on": day(30),
    }
    assert send(hana, f"/cases/{number}/package/", asked).status_code == 302
    paper = f"/cases/{number}/package/{Package.objects.get().pk}/"
    assert hana.get(paper).status_code == 403
    send(as_person(APPROVER), f"{paper}approve/", {"verdict": "APPROVED", "reason": "保護の担当どうしで確かめた。"})
    text = words(hana.get(paper))
    assert "支援方針" not in text and "となり町" not in text


# From elsewhere ---------------------------------------------------------------------------------


@pytest.fixture
def brought(known: None, send: Any) -> Any:
    def bring(browser: Any, **changed: str) -> Any:
        return send(browser, "/cases/open/", {**OPENED, **changed})

    return bring


def test_a_case_taken_over_opens_for_the_one_child_that_fits(brought: Any, as_person: Any, audit_rows: Any) -> None:
    hana = as_person(HANA)
    answer = brought(hana)
    case = Case.objects.get(child_key="pc05")
    assert answer["Location"] == f"/cases/{case.case_number}/support/"
    assert (case.office, case.state, case.levels.filter(is_current=True).exists()) == ("family_centre", "ARRIVED", True)
    page = words(hana.get(answer["Location"]))
    assert "移管を受けた" in page and "となり町" in page and "家事の支援" in page and "漢字5" not in page
    assert hana.get(f"/cases/{case.case_number}/").status_code == 200
    row = next(row for row in audit_rows() if row["action"] == "OPEN_CASE")
    assert row["subject"] == "pc05" and "のぞみ" not in str(audit_rows()) and "家事" not in str(audit_rows())


def test_it_opens_nothing_for_nobody_or_for_several(brought: Any, as_person: Any, audit_rows: Any) -> None:
    hana = as_person(HANA)
    for changed, said in (
        ({"reading": "すずき はな"}, "まだ載っていません"),
        ({"born_on": "2017-01-02"}, "まだ載っていません"),
        ({"reading": "の"}, "2文字以上"),
        ({"password": "wrong-password"}, "パスワードが違います"),
        ({"born_on": ""}, "「生年月日」が入っていません"),
        ({"text": "短い"}, "5文字以上"),
    ):
        answer = brought(hana, **changed)
        assert answer.status_code == 400 and said in words(answer), said
    assert not Opening.objects.exists() and not Case.objects.filter(child_key="pc05").exists()
    assert "FIND_CASE" in [row["action"] for row in audit_rows()]


def test_a_known_case_gets_the_word_and_comes_back_when_it_had_ended(
    brought: Any, as_person: Any, case_of: Any
) -> None:
    Case.objects.filter(child_key="pc01").update(state="CLOSED")
    given = {"reading": "ひなた かなり", "born_on": "2016-02-29", "source": "CONSULTED"}
    assert brought(as_person(HANA), **given).status_code == 302
    assert case_of("pc01").state == "RETURNED" and Opening.objects.get().case == case_of("pc01")


def test_a_small_childs_case_goes_to_the_office_for_small_children(brought: Any, as_person: Any, case_of: Any) -> None:
    answer = brought(as_person(HANA), reading="わたなべ じゅんこ", born_on="2022-11-03")
    assert (
        answer.status_code == 200
        and "子育て支援課" in words(answer)
        and case_of("pc03").case_number not in words(answer)
    )
    assert "家事の支援" in words(as_person(REN).get(f"/cases/{case_of('pc03').case_number}/support/"))


def test_it_keeps_no_word_of_where_a_protected_family_came_from(brought: Any, as_person: Any, case_of: Any) -> None:
    assert case_of("pc04").is_address_protected
    assert brought(as_person(HANA), reading="わたべ りょう", born_on="2014-07-07").status_code == 302
    assert Opening.objects.get().from_whom == ""


def test_who_declared_an_interest_opens_nothing_of_the_case(brought: Any, as_person: Any, case_of: Any) -> None:
    Case.objects.filter(child_key="pc01").update(state="CLOSED")
    with_interest("hana", case_of("pc01"))
    given = {"reading": "ひなた かなり", "born_on": "2016-02-29", "source": "CONSULTED"}
    answer = brought(as_person(HANA), **given)
    assert answer.status_code == 403 and "利害関係" in words(answer)
    assert case_of("pc01").state == "CLOSED" and not Opening.objects.exists()
    assert brought(as_person(MAKOTO), **given).status_code == 302


def test_who_declared_an_interest_takes_no_reply_in_nor_reads_one(sealed: Any, token_of: Any, as_person: Any) -> None:
    hana, number, _, rows = sealed
    slip = as_csv(filled(rows))
    assert upload(hana, token_of, slip).status_code == 200
    with_interest("makoto", Case.objects.get(case_number=number))
    answer = upload(as_person(MAKOTO), token_of, slip)
    assert answer.status_code == 403 and "宿題" not in words(answer)


def test_it_asks_today_whether_a_family_is_protected(brought: Any, as_person: Any, case_of: Any) -> None:
    """The case may rest on a judgement from before the protection; the vault knows."""
    Case.objects.filter(child_key="pc04").update(is_address_protected=False)
    from kodomo.vault.models import Person as Linked

    Linked.objects.using("vault").filter(person_key="pc04").update(is_address_protected=True)
    assert brought(as_person(HANA), reading="わたべ りょう", born_on="2014-07-07").status_code == 302
    assert Opening.objects.get().from_whom == ""


# From one caseworker to the next ----------------------------------------------------------------


def test_everything_goes_to_the_next_caseworker_at_once(
    planned: Any, send: Any, as_person: Any, audit_rows: Any
) -> None:
    hana, number = planned
    Case.objects.filter(case_number=number).update(caseworker="hana")
    page = words(hana.get("/takeover/"))
    for told in (
        number,
        "複数の分野の事実が重なっている",
        "家の負担を軽くする",
        "放課後に安心できる場所",
        "園の見学に付き添う",
    ):
        assert told in page, told
    last = audit_rows()[-1]
    assert last["action"] == "VIEW_TAKEOVER" and f"印刷番号 {last['sequence']}" in page
    form = {"to": "makoto", "text": "来週の見学は一緒に行く。"}
    assert send(hana, "/takeover/?from=hana", form).status_code == 302
    assert Case.objects.get(case_number=number).caseworker == "makoto"
    assert (Takeover.objects.get().from_name, Takeover.objects.get().to_name) == ("青木 花", "井上 誠")
    makoto = as_person(MAKOTO)
    assert "来週の見学は一緒に行く" in words(makoto.get("/takeover/")) and number not in words(hana.get("/takeover/"))
    assert "青木 花 から 井上 誠 へ" in words(makoto.get(f"/cases/{number}/support/"))


def test_what_waits_for_a_decision_goes_along_and_what_has_ended_stays(planned: Any, send: Any, as_person: Any) -> None:
    hana, number = planned
    waiting, returned, ended = Case.objects.filter(office="family_centre").exclude(case_number=number)[:3]
    for case, state in ((waiting, CaseState.ARRIVED), (returned, CaseState.RETURNED), (ended, CaseState.NO_ACTION)):
        Case.objects.filter(pk=case.pk).update(caseworker="hana", state=state, next_on=None)
    Case.objects.filter(case_number=number).update(caseworker="hana")
    shown = words(hana.get("/takeover/"))
    assert shown.index(number) < shown.index(waiting.case_number) and ended.case_number not in shown
    assert send(hana, "/takeover/?from=hana", {"to": "makoto", "text": "来週の見学は一緒に行く。"}).status_code == 302
    given = set(Case.objects.filter(caseworker="makoto").values_list("case_number", flat=True))
    assert given >= {number, waiting.case_number, returned.case_number} and ended.case_number not in given


def test_the_cases_of_who_has_already_left_are_found(planned: Any, send: Any, as_person: Any) -> None:
    """The account was closed first: the office's cases must not stay with somebody who no longer signs in."""
    _, number = planned
    Case.objects.filter(case_number=number).update(caseworker="hana")
    get_user_model().objects.filter(username="hana").update(is_active=False)
    makoto = as_person(MAKOTO)
    assert 'value="hana"' in makoto.get("/takeover/").content.decode()
    form = {"to": "makoto", "text": "来週の見学は一緒に行く。"}
    assert send(makoto, "/takeover/?from=hana", form).status_code == 302
    assert Case.objects.get(case_number=number).caseworker == "makoto"


def test_it_takes_no_takeover_that_does_not_hold_together(
    planned: Any, send: Any, as_person: Any, token_of: Any
) -> None:
    hana, number = planned
    Case.objects.filter(case_number=number).update(caseworker="hana")
    for given in ({"to": "makoto", "text": "短い"}, {"to": "", "text": "引き継ぐこと。"}, {"to": "ren", "text": "引き継ぐこと。"},
                  {"to": "hana", "text": "引き継ぐこと。"}):  # fmt: skip
        assert send(hana, "/takeover/?from=hana", given).status_code == 400
    assert not Takeover.objects.exists() and Case.objects.get(case_number=number).caseworker == "hana"
    form = {**token_of(hana.get("/takeover/")), "to": "makoto", "text": "引き継ぐことば。"}
    assert [hana.post("/takeover/?from=hana", form).status_code for _ in range(2)] == [302, 302]
    assert Takeover.objects.count() == 1


def test_no_case_goes_to_who_declared_an_interest_in_it(planned: Any, send: Any) -> None:
    hana, number = planned
    Case.objects.filter(case_number=number).update(caseworker="hana")
    with_interest("makoto", Case.objects.get(case_number=number))
    answer = send(hana, "/takeover/?from=hana", {"to": "makoto", "text": "来週の見学は一緒に行く。"})
    assert answer.status_code == 400 and number in words(answer) and "来週の見学" in answer.content.decode()
    assert Case.objects.get(case_number=number).caseworker == "hana" and not Takeover.objects.exists()


def test_others_see_only_their_offices_cases(planned: Any, as_person: Any) -> None:
    _, number = planned
    Case.objects.filter(case_number=number).update(caseworker="hana")
    assert number in words(as_person(APPROVER).get("/takeover/?from=hana"))
    assert number not in words(as_person(REN).get("/takeover/?from=hana"))

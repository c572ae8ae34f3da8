"""統括委員会: blind views first, then the judgement and the talk; quorum, interest, dissent and minutes."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from standing_people import HANA, MAKOTO, OTHERS, PASSWORD, Person

from kodomo.assessment.models import AgendaItem, Case, Conference, ConferenceDecision, MemberView
from kodomo.governance.permissions import Role

CHAIR = next(p for p in OTHERS if p.role == "COORDINATOR")
ONE = next(p for p in OTHERS if p.role == "COMMITTEE_MEMBER")
TWO = Person("member-two", "委員 二", Role.COMMITTEE_MEMBER, "npo")
THREE = Person("member-three", "委員 三", Role.COMMITTEE_MEMBER, "university")
STRANGER = Person("member-four", "委員 四", Role.COMMITTEE_MEMBER, "npo")
LEVELS = ("確認の順番", "積極的なアプローチ", "直近3か月の欠席")


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


@pytest.fixture
def people(home: Any) -> None:
    from kodomo.web.models import Staff

    for person in (TWO, THREE, STRANGER):
        Staff.objects.create_account(
            person.username, name=person.name, role=person.role, office=person.office, password=PASSWORD
        )


@pytest.fixture
def call(as_person: Any, token_of: Any, people: None) -> Any:
    def send(*numbers: str, **changed: Any) -> Any:
        chair = as_person(CHAIR)
        form = {
            **token_of(chair.get("/conferences/call/")), "title": "第3回 統括委員会", "held_on": day(3), "quorum": "2",
            "members": [p.username for p in (ONE, TWO, THREE)], "cases": "\n".join(numbers), **changed,
        }  # fmt: skip
        return chair.post("/conferences/call/", form)

    return send


@pytest.fixture
def item(call: Any, as_person: Any, case_of: Any, decided: Any) -> AgendaItem:
    number = case_of("pc01").case_number
    decided(as_person(HANA), number)
    assert call(number).status_code == 302
    return AgendaItem.objects.get()


@pytest.fixture
def speak(as_person: Any, token_of: Any, item: AgendaItem) -> Any:
    def send(
        person: Person, decision: str = "SUPPORT", text: str = "家の負担を先に見たい。", interest: str = "NONE"
    ) -> Any:
        browser, address = as_person(person), f"/conferences/items/{item.pk}/"
        form = {**token_of(browser.get(address)), "interest": interest, "decision": decision, "text": text}
        return browser.post(address, form)

    return send


@pytest.fixture
def conclude(as_person: Any, token_of: Any, item: AgendaItem) -> Any:
    def send(**changed: str) -> Any:
        chair, address = as_person(CHAIR), f"/conferences/items/{item.pk}/"
        form = {**token_of(chair.get(address)), "decision": "SUPPORT", "text": "訪問から始め、学校と分担する。",
                "discussion": "急がない方がよいという意見もあった。", "next_on": day(14), **changed}  # fmt: skip
        return chair.post(address, form)

    return send


def test_it_keeps_each_member_blind_until_their_own_view(as_person: Any, item: AgendaItem, speak: Any) -> None:
    speak(ONE, "WATCH", "一の所見: もう少し待ちたい。")
    before = words(as_person(TWO).get(f"/conferences/items/{item.pk}/"))
    assert "欠席" in before and "一の所見" not in before and "あなたの所見が書かれた後に表示します" in before
    assert not [word for word in LEVELS if word in before]
    case_page = words(as_person(TWO).get(f"/cases/{item.case.case_number}/"))
    assert not [word for word in LEVELS if word in case_page]
    speak(TWO)
    after = words(as_person(TWO).get(f"/conferences/items/{item.pk}/"))
    assert "一の所見" in after and "確認の順番" in after


def test_it_tells_the_chair_nothing_before_the_quorum(as_person: Any, item: AgendaItem, speak: Any) -> None:
    speak(ONE, "WATCH", "一の所見: もう少し待ちたい。")
    page = words(as_person(CHAIR).get(f"/conferences/items/{item.pk}/"))
    assert "一の所見" not in page and "1 人(定足数 2 人)" in page and "決定を記録する" not in page
    speak(TWO)
    page = words(as_person(CHAIR).get(f"/conferences/items/{item.pk}/"))
    assert "一の所見" in page and "決定を記録する" in page


def test_it_keeps_out_a_member_with_an_interest(as_person: Any, item: AgendaItem, speak: Any, conclude: Any) -> None:
    assert "あなたの部署の事例です" in words(as_person(ONE).get(f"/conferences/items/{item.pk}/"))
    speak(ONE, "", "", interest="HAS")
    speak(TWO)
    page = words(as_person(ONE).get(f"/conferences/items/{item.pk}/"))
    assert "審議に加わらない事例" in page and "欠席" not in page and "家の負担" not in page
    assert conclude().status_code == 400  # one voice is no quorum of two
    assert not ConferenceDecision.objects.exists()
    speak(THREE)
    assert conclude().status_code == 302


def test_it_decides_keeps_the_dissent_and_prints_it(
    as_person: Any, item: AgendaItem, speak: Any, conclude: Any, audit_rows: Any
) -> None:
    chair = as_person(CHAIR)
    assert [chair.post(f"/conferences/items/{item.pk}/start/").status_code for _ in range(2)] == [302, 302]
    speak(ONE, "WATCH", "一の所見: もう少し待ちたい。")
    speak(TWO)
    assert conclude().status_code == 302
    case = Case.objects.get(pk=item.case_id)
    assert (case.state, case.next_on) == ("SUPPORT", timezone.localdate() + dt.timedelta(days=14))
    text = words(chair.get(f"/conferences/{item.conference_id}/minutes/"))
    number = audit_rows()[-1]["sequence"]
    assert f"印刷番号 {number}" in text and "異なる意見" in text and "一の所見" in text and "審議 1 分" in text
    assert "急がない方がよい" in text and "支援する" in text
    row = next(row for row in audit_rows() if row["action"] == "HOLD_CONFERENCE")
    assert row["subject"] == "pc01" and '"against": 1' in row["detail"] and "訪問" not in row["detail"]
    assert len([row for row in audit_rows() if row["action"] == "START_ITEM"]) == 1
    assert "統括委員会の決定: 支援する" in words(as_person(HANA).get(f"/cases/{case.case_number}/"))


def test_it_tells_a_blind_member_no_state_by_which_the_assessor_decided(as_person: Any, item: AgendaItem) -> None:
    number, two = item.case.case_number, as_person(TWO)
    for address in (f"/conferences/items/{item.pk}/", f"/cases/{number}/", "/cases/?reach=ALL", "/"):
        body = two.get(address).content.decode()
        assert number in body and "調査中" not in body.split("<main", 1)[1], address
    for query in ("state=INQUIRE", "state=ARRIVED", "waiting=on", "overdue=on"):
        assert two.get(f"/cases/?{query}&reach=ALL").content.count(b'class="case-number"') == 8, query


def test_it_tells_a_blind_member_nothing_the_assessor_decided_or_asked(
    as_person: Any, item: AgendaItem, speak: Any, token_of: Any
) -> None:
    number, two, hana = item.case.case_number, as_person(TWO), as_person(HANA)
    question = {"asked": "SCHOOL", "questions": "保健室の利用はどうですか。", "due_on": day(7)}
    asked = {**token_of(hana.get(f"/cases/{number}/inquiry/")), **question}
    assert hana.post(f"/cases/{number}/inquiry/", asked).status_code == 302
    page = words(two.get(f"/cases/{number}/"))
    assert "判定への意見" not in page and HANA.name not in page and "保健室の利用はどうですか" not in page
    speak(TWO)
    page = words(two.get(f"/cases/{number}/"))
    assert "判定への意見" in page and "保健室の利用はどうですか" in page
    assert "保健室の利用はどうですか" in words(two.get(f"/conferences/items/{item.pk}/"))


def test_it_lists_at_home_what_waits_for_a_members_view(as_person: Any, item: AgendaItem, speak: Any) -> None:
    assert item.case.case_number in as_person(ONE).get("/").content.decode()
    speak(ONE)
    assert "所見を待つ議事はありません" in as_person(ONE).get("/").content.decode()
    assert item.case.case_number in as_person(TWO).get("/").content.decode()
    assert item.case.case_number not in as_person(STRANGER).get("/").content.decode()


def test_it_decides_once(speak: Any, conclude: Any, item: AgendaItem) -> None:
    speak(ONE)
    speak(TWO)
    assert [conclude().status_code, conclude(decision="WATCH").status_code] == [302, 400]
    assert ConferenceDecision.objects.get().decision == "SUPPORT"
    assert speak(THREE).status_code == 400


@pytest.mark.parametrize(
    "changed", [{"decision": ""}, {"text": "はい"}, {"next_on": ""}, {"next_on": day(0)}, {"decision": "NO_ACTION"}]
)
def test_it_refuses_a_decision_that_does_not_hold_together(
    changed: dict[str, str], speak: Any, conclude: Any, item: AgendaItem
) -> None:
    speak(ONE)
    speak(TWO)
    answer = conclude(**changed)
    assert answer.status_code == 400 and "急がない方がよい" in answer.content.decode()
    assert not ConferenceDecision.objects.exists() and Case.objects.get(pk=item.case_id).state == "INQUIRE"


def test_it_loses_no_word_when_the_case_changed_meanwhile(
    speak: Any, as_person: Any, token_of: Any, item: AgendaItem, decided: Any
) -> None:
    speak(ONE)
    speak(TWO)
    chair, address = as_person(CHAIR), f"/conferences/items/{item.pk}/"
    form = {**token_of(chair.get(address)), "decision": "WATCH", "text": "見守りながら待つ。", "next_on": day(9)}
    Case.objects.filter(pk=item.case_id).update(version=99)
    answer = chair.post(address, form)
    assert answer.status_code == 400 and "見守りながら待つ。" in answer.content.decode()
    assert chair.post(address, {**form, **token_of(answer)}).status_code == 302
    assert Case.objects.get(pk=item.case_id).state == "WATCH"


def test_it_takes_one_view_from_each_member(speak: Any, item: AgendaItem) -> None:
    assert [speak(ONE).status_code, speak(ONE, "WATCH").status_code] == [302, 400]
    assert MemberView.objects.get().decision == "SUPPORT"


@pytest.mark.parametrize(("opinion", "text"), [("", "意見のない所見。"), ("SUPPORT", ""), ("DANCE", "知らない意見。")])
def test_it_refuses_a_view_without_opinion_or_words(opinion: str, text: str, speak: Any) -> None:
    assert speak(ONE, opinion, text).status_code == 400
    assert not MemberView.objects.exists()


def test_it_is_there_for_its_members_alone(as_person: Any, item: AgendaItem) -> None:
    for person, status in ((ONE, 200), (STRANGER, 404), (CHAIR, 200), (HANA, 403)):
        browser = as_person(person)
        for address in (f"/conferences/{item.conference_id}/", f"/conferences/items/{item.pk}/",
                        f"/conferences/{item.conference_id}/minutes/"):  # fmt: skip
            assert browser.get(address).status_code == status, (person.username, address)
    assert "第3回" not in words(as_person(STRANGER).get("/conferences/"))
    assert as_person(ONE).get("/conferences/call/").status_code == 403
    assert as_person(ONE).post(f"/conferences/items/{item.pk}/start/").status_code == 403


@pytest.mark.parametrize(
    "changed", [{"quorum": "1"}, {"quorum": "4"}, {"members": []}, {"title": "会"}, {"held_on": ""}, {"cases": "なし"}]
)
def test_it_calls_no_meeting_that_could_not_decide(
    changed: dict[str, Any], call: Any, as_person: Any, case_of: Any, decided: Any
) -> None:
    number = case_of("pc01").case_number
    decided(as_person(HANA), number)
    assert call(number, **changed).status_code == 400
    assert not Conference.objects.exists()


def test_it_takes_only_assessed_cases_each_once_in_the_order_written(
    call: Any, as_person: Any, case_of: Any, decided: Any
) -> None:
    first, second, waiting = (case_of(child).case_number for child in ("pc02", "pc01", "pc04"))
    decided(as_person(HANA), second)
    decided(as_person(MAKOTO), first)
    assert call(first, waiting).status_code == 400
    assert call(first, second, first).status_code == 302
    assert [item.case.case_number for item in AgendaItem.objects.all()] == [first, second]


def test_it_shows_no_case_when_the_row_cannot_be_written(as_person: Any, item: AgendaItem) -> None:
    from django.db import connection

    browser = as_person(ONE)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE audit_events")
    assert as_person(CHAIR).get("/conferences/call/").status_code == 500, "its candidates are cases too"
    for address in (f"/conferences/items/{item.pk}/", f"/conferences/{item.conference_id}/minutes/"):
        answer = browser.get(address)
        assert answer.status_code == 500 and "欠席" not in answer.content.decode()


def test_it_offers_the_assessed_cases_for_the_agenda(
    as_person: Any, case_of: Any, decided: Any, call: Any, audit_rows: Any
) -> None:
    """Nobody copies numbers from a list: what was assessed and not called for yet stands there to be marked."""
    hana, (first, second, third) = as_person(HANA), (case_of(key).case_number for key in ("pc01", "pc02", "pc09"))
    decided(hana, first)
    decided(hana, second, decision="SUPPORT", reason_code="S1")
    decided(hana, third, decision="NO_ACTION", reason_code="N1", next_on="")
    page = as_person(CHAIR).get("/conferences/call/").content.decode()
    row = audit_rows()[-1]
    assert row["action"] == "OPEN_CALL" and '"count":2' in str(row["detail"]).replace(" ", "")
    assert page.index(f'value="{second}"') < page.index(f'value="{first}"') and third not in page
    assert call(chosen=[second]).status_code == 302 and call(first, chosen=[]).status_code == 302
    assert list(AgendaItem.objects.values_list("case__case_number", flat=True).order_by("pk")) == [second, first]
    assert second not in as_person(CHAIR).get("/conferences/call/").content.decode()
    assert call().status_code == 400 and call(chosen=[third]).status_code == 400


def test_the_papers_are_a_numbered_copy_for_each_member(
    item: AgendaItem, as_person: Any, speak: Any, audit_rows: Any
) -> None:
    speak(TWO, interest="HAS")
    chair, address = as_person(CHAIR), f"/conferences/{item.conference_id}/papers/"
    asked = words(chair.get(address))
    assert "委員 二 の写し" in asked and item.case.case_number not in asked
    paper = words(chair.get(f"{address}?member={ONE.username}"))
    rows = [row for row in audit_rows() if row["action"] == "PRINT_PAPERS"]
    assert [row["subject"] for row in rows] == ["", "pc01"] and f"印刷番号 {rows[0]['sequence']} " in paper
    assert item.case.case_number in paper and "写し 1 / 3" in paper and "取扱注意" in paper and "欠席" in paper
    for secret in (*LEVELS, "調査する", "家の負担"):
        assert secret not in paper, secret
    closed = words(chair.get(f"{address}?member={TWO.username}"))
    assert item.case.case_number not in closed and "渡せる議事はありません" in closed
    assert as_person(ONE).get(address).status_code == 403


def test_a_number_that_cannot_be_read_is_told_and_none_is_passed_over(
    call: Any, as_person: Any, case_of: Any, decided: Any
) -> None:
    number = case_of("pc01").case_number
    decided(as_person(HANA), number)
    answer = call(number, "2026-12", "あの子")
    assert answer.status_code == 400 and "仮番号として読めないものがあります: 2026-12、あの子" in words(answer)
    assert not AgendaItem.objects.exists()
    assert call(number.translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))).status_code == 302
    assert AgendaItem.objects.get().case.case_number == number


@pytest.fixture
def call_off(as_person: Any, token_of: Any, item: AgendaItem) -> Any:
    def send(reason: str = "開催日を誤って登録した。", by: Person = CHAIR) -> Any:
        browser, address = as_person(by), f"/conferences/{item.conference_id}/call-off/"
        return browser.post(address, {**token_of(as_person(CHAIR).get(address)), "reason": reason})

    return send


def test_it_can_be_called_off_and_its_cases_come_before_another(
    as_person: Any, item: AgendaItem, call: Any, call_off: Any, speak: Any, audit_rows: Any
) -> None:
    number = item.case.case_number
    assert f'value="{number}"' not in as_person(CHAIR).get("/conferences/call/").content.decode()
    assert call_off().status_code == 302 and audit_rows()[-1]["action"] == "CALL_OFF_CONFERENCE"
    page = words(as_person(CHAIR).get(f"/conferences/{item.conference_id}/"))
    assert "取りやめました" in page and "開催日を誤って登録した。" in page and "この会議を取りやめる" not in page
    assert "取りやめ" in words(as_person(ONE).get("/conferences/"))
    assert number not in words(as_person(ONE).get("/")), "nobody waits for a view any more"
    assert f'value="{number}"' in as_person(CHAIR).get("/conferences/call/").content.decode()
    assert call(number).status_code == 302 and AgendaItem.objects.count() == 2


def test_it_takes_no_view_no_start_and_no_decision_once_called_off(
    as_person: Any, item: AgendaItem, call_off: Any, speak: Any, conclude: Any, token_of: Any
) -> None:
    speak(ONE, "WATCH", "一の所見: もう少し待ちたい。")
    speak(TWO)
    chair, address = as_person(CHAIR), f"/conferences/items/{item.pk}/"
    form = {**token_of(chair.get(address)), "decision": "SUPPORT", "text": "訪問から始める。", "next_on": day(14)}
    third = {**token_of(as_person(THREE).get(address)), "interest": "NONE", "decision": "WATCH", "text": "所見です。"}
    assert call_off().status_code == 302
    for browser, given in ((chair, form), (as_person(THREE), third)):
        answer = browser.post(address, given)
        assert answer.status_code == 400 and "取りやめた会議です" in words(answer)
    assert chair.post(f"{address}start/").status_code == 302
    found = AgendaItem.objects.get()
    assert found.started_at is None and found.views.count() == 2 and not ConferenceDecision.objects.exists()
    assert "所見と決定は書けません" in words(chair.get(address)) and "一の所見" in words(chair.get(address))


def test_it_is_not_called_off_after_a_decision_without_a_reason_or_by_a_member(
    item: AgendaItem, call_off: Any, speak: Any, conclude: Any
) -> None:
    assert call_off(by=ONE).status_code == 403
    assert call_off(reason=" ").status_code == 400
    speak(ONE)
    speak(TWO)
    assert conclude().status_code == 302
    answer = call_off()
    assert answer.status_code == 400 and "決定した事例がある会議は、取りやめられません" in words(answer)
    assert Conference.objects.get().called_off_at is None


def test_a_member_who_had_not_spoken_is_no_longer_blind_for_a_meeting_called_off(
    as_person: Any, item: AgendaItem, call_off: Any
) -> None:
    address = f"/cases/{item.case.case_number}/"
    assert not [word for word in LEVELS if word in words(as_person(TWO).get(address))]
    call_off()
    assert [word for word in LEVELS if word in words(as_person(TWO).get(address))]

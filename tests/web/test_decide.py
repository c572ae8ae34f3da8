from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from standing_people import FOUR, HANA, MAKOTO, Person

from kodomo.assessment.states import REASON_CODES
from kodomo.terms import Decision


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_is_for_the_office_of_the_case_alone(person: Person, as_person: Any, case_of: Any, decided: Any) -> None:
    case = case_of("pc01")
    answer = decided(as_person(person), case.case_number, token="t" * 24, version="1")
    mine = person in (HANA, MAKOTO)
    assert answer.status_code == (409 if mine else 403)  # version 1 is what the case was before the first view


def test_it_keeps_decision_reason_person_and_date(as_person: Any, case_of: Any, decided: Any, audit_rows: Any) -> None:
    case = case_of("pc01")
    answer = decided(as_person(HANA), case.case_number, reason_text="学校に様子を聞く。")
    assert answer.status_code == 302
    made = case.assessments.get()
    assert (made.decision, made.reason_code, made.reason_text) == ("INQUIRE", "Q1", "学校に様子を聞く。")
    assert (made.decided_by, made.decided_by_name, made.decided_by_role) == ("hana", "青木 花", "PRACTITIONER")
    assert made.first_view.written_by == "hana"
    case.refresh_from_db()
    assert (case.state, case.next_on) == ("INQUIRE", made.next_on)
    row = audit_rows()[-1]
    assert (row["action"], row["reason"], row["subject"]) == ("DECIDE", "Q1", "pc01")
    assert "学校に様子" not in row["detail"]


def test_it_needs_ones_own_first_view(as_person: Any, case_of: Any, decision: Any, first_view: Any) -> None:
    case = case_of("pc01")
    first_view(as_person(HANA), case.case_number)
    case.refresh_from_db()
    makoto = as_person(MAKOTO)
    assert makoto.get(f"/cases/{case.case_number}/decide/").status_code == 403
    form = {**decision, "token": "t" * 24, "version": str(case.version)}
    answer = makoto.post(f"/cases/{case.case_number}/decide/", form)
    assert answer.status_code == 403
    assert "一次所見を書いてください" in answer.content.decode()
    assert not case.assessments.exists()


@pytest.mark.parametrize("decision_code", list(Decision))
def test_it_takes_every_decision(decision_code: Decision, as_person: Any, case_of: Any, decided: Any) -> None:
    case = case_of("pc01")
    changed = {"decision": decision_code.value, "reason_code": next(iter(REASON_CODES[decision_code]))}
    if decision_code is Decision.NO_ACTION:
        changed["next_on"] = ""
    assert decided(as_person(HANA), case.case_number, **changed).status_code == 302
    case.refresh_from_db()
    assert case.state == decision_code.value


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"next_on": ""}, "次回確認日が要ります"),
        ({"decision": "WATCH", "reason_code": "W1", "next_on": ""}, "次回確認日が要ります"),
        ({"decision": "SUPPORT", "reason_code": "S1", "next_on": ""}, "次回確認日が要ります"),
        ({"decision": "NO_ACTION", "reason_code": "N1"}, "次回確認日を付けません"),
        ({"next_on": "2020-01-01"}, "明日から1年以内"),
        ({"next_on": "2099-01-01"}, "明日から1年以内"),
        ({"next_on": "令和八年"}, "日付として読めません"),
        ({"next_on": "2026-02-30"}, "日付として読めません"),
        ({"reason_code": "S1"}, "組み合わせ"),
        ({"reason_code": ""}, "必須"),
        ({"reason_code": "Q9"}, "5文字以上"),
        ({"agreement": "DISAGREE"}, "5文字以上"),
        ({"agreement": ""}, "必須"),
        ({"decision": "PUNISH"}, "選択"),
        ({"reason_text": "あ" * 4001}, "4000"),
    ],
)
def test_it_refuses_what_does_not_hold_together(
    changed: dict[str, str], words: str, as_person: Any, case_of: Any, decided: Any
) -> None:
    case = case_of("pc01")
    answer = decided(as_person(HANA), case.case_number, **changed)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not case.assessments.exists()


def test_it_keeps_what_was_typed_when_it_refuses(as_person: Any, case_of: Any, decided: Any) -> None:
    case = case_of("pc01")
    answer = decided(as_person(HANA), case.case_number, reason_text="書いた理由は残る。", next_on="")
    assert "書いた理由は残る。" in answer.content.decode()


def test_it_reads_a_date_in_japanese_years(as_person: Any, case_of: Any, decided: Any) -> None:
    day = timezone.localdate() + dt.timedelta(days=30)
    case = case_of("pc01")
    assert (
        decided(
            as_person(HANA), case.case_number, next_on=f"令和{day.year - 2018}年{day.month}月{day.day}日"
        ).status_code
        == 302
    )
    assert case.assessments.get().next_on == day


def test_it_takes_effect_once_however_often_it_is_sent(
    as_person: Any, case_of: Any, first_view: Any, token_of: Any, decision: Any, audit_rows: Any
) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    first_view(hana, case.case_number)
    form = {**token_of(hana.get(f"/cases/{case.case_number}/decide/")), **decision}
    for _ in range(3):
        assert hana.post(f"/cases/{case.case_number}/decide/", form).status_code == 302
    assert case.assessments.count() == 1
    assert len([row for row in audit_rows() if row["action"] == "DECIDE"]) == 1


def test_it_loses_nobodys_work_when_two_decide(
    as_person: Any, case_of: Any, first_view: Any, token_of: Any, decision: Any
) -> None:
    hana, makoto, case = as_person(HANA), as_person(MAKOTO), case_of("pc01")
    number = case.case_number
    first_view(hana, number)
    first_view(makoto, number)
    forms = [{**token_of(b.get(f"/cases/{number}/decide/")), **decision} for b in (hana, makoto)]
    assert hana.post(f"/cases/{number}/decide/", {**forms[0], "reason_text": "花の理由です。"}).status_code == 302
    answer = makoto.post(f"/cases/{number}/decide/", {**forms[1], "reason_text": "誠の理由です。"})
    body = answer.content.decode()
    assert answer.status_code == 409
    assert "花の理由です。" in body and "誠の理由です。" in body and "青木 花" in body
    assert case.assessments.count() == 1


def test_it_adds_a_revision_and_keeps_the_earlier_one(
    as_person: Any, case_of: Any, decided: Any, token_of: Any, decision: Any
) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    decided(hana, case.case_number)
    hidden = token_of(hana.get(f"/cases/{case.case_number}/decide/"))
    changed = {**decision, "decision": "SUPPORT", "reason_code": "S4"}
    assert hana.post(f"/cases/{case.case_number}/decide/", {**hidden, **changed}).status_code == 302
    assert list(case.assessments.values_list("revision", "decision")) == [(1, "INQUIRE"), (2, "SUPPORT")]
    body = hana.get(f"/cases/{case.case_number}/").content.decode()
    assert body.index("第2版") < body.index("第1版")


def test_it_notices_a_judgement_that_came_in_meanwhile(
    as_person: Any, case_of: Any, first_view: Any, token_of: Any, decision: Any, home: Any, hinata: Any
) -> None:
    from small_store import write_store
    from standing_people import AT

    from kodomo.assessment.arrivals import receive_arrivals

    hana, case = as_person(HANA), case_of("pc01")
    first_view(hana, case.case_number)
    form = {**token_of(hana.get(f"/cases/{case.case_number}/decide/")), **decision}
    write_store(home.store, judgement="2026-04-30-second")
    receive_arrivals(home=home, municipality=hinata, by="tests", at=AT)
    assert hana.post(f"/cases/{case.case_number}/decide/", form).status_code == 409
    assert hana.get(f"/cases/{case.case_number}/decide/").status_code == 403  # a new first view is due
    assert not case.assessments.exists()

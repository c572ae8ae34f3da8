"""調査, 主担当 and kept conditions: the rest of an assessor's day."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from standing_people import HANA, MAKOTO, OTHERS, REN

from kodomo.assessment.models import Case, Inquiry, SavedFilter

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
QUESTIONS = "この1か月の登校の様子を教えてください。"


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


@pytest.fixture
def asked(as_person: Any, case_of: Any, decided: Any, token_of: Any) -> Any:
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    form = {**token_of(hana.get(f"/cases/{number}/inquiry/")), "asked": "SCHOOL", "questions": QUESTIONS}
    assert hana.post(f"/cases/{number}/inquiry/", {**form, "due_on": day(5)}).status_code == 302
    return hana, number


def test_it_asks_and_waits_for_the_answer(asked: Any, audit_rows: Any) -> None:
    hana, number = asked
    body = hana.get(f"/cases/{number}/").content.decode()
    assert QUESTIONS in body and "回答待ち" in body
    assert Case.objects.get(case_number=number).next_on == timezone.localdate() + dt.timedelta(days=5)
    row = next(row for row in audit_rows() if row["action"] == "ASK_INQUIRY")
    assert row["subject"] == "pc01" and QUESTIONS not in row["detail"]


def test_it_prints_the_questions_under_a_number_of_their_own(
    asked: Any, audit_rows: Any, in_vault: Any, token_of: Any, as_person: Any
) -> None:
    in_vault("pc01")
    hana, number = asked
    inquiry = Inquiry.objects.get()
    paper = hana.get(f"/cases/{number}/inquiry/{inquiry.pk}/paper/").content.decode().split("<main", 1)[1]
    sheet = paper.split("paper-strip", 1)[1]
    row = audit_rows()[-1]
    assert (row["action"], row["subject"]) == ("PRINT_INQUIRY", "pc01") and f"印刷番号 {row['sequence']}" in sheet
    assert QUESTIONS in sheet and inquiry.number in sheet and "学校 御中" in sheet and "(令和" in sheet
    for secret in (number, "日向", "不登校", "欠席", "小4", "pc01"):
        assert secret not in sheet, secret
    assert inquiry.number in hana.get("/caseload/?view=unanswered").content.decode(), (
        "whoever gets it back finds the case"
    )
    assert inquiry.number in hana.get(f"/cases/{number}/").content.decode()
    assert hana.get(f"/cases/{number}/inquiry/999/paper/").status_code == 404
    assert as_person(COORDINATOR).get(f"/cases/{number}/inquiry/{inquiry.pk}/paper/").status_code == 403
    Case.objects.update(is_address_protected=True)
    refused = hana.get(f"/cases/{number}/inquiry/{inquiry.pk}/paper/")
    assert refused.status_code == 400 and "紙では渡せません" in refused.content.decode()


def test_it_lists_the_cases_that_wait_for_an_answer(asked: Any, token_of: Any) -> None:
    hana, number = asked
    assert number in hana.get("/caseload/?view=unanswered").content.decode()
    address = f"/cases/{number}/inquiry/{Inquiry.objects.get().pk}/"
    hana.post(address, {**token_of(hana.get(address)), "text": "午後だけ登校しています。", "answered_on": day(0)})
    assert number not in hana.get("/caseload/?view=unanswered").content.decode()


def test_it_marks_an_answer_that_is_late(asked: Any) -> None:
    hana, number = asked
    assert "期限を過ぎた調査" not in hana.get("/").content.decode()
    Inquiry.objects.update(due_on=dt.date(2020, 1, 1))
    assert "回答待ち・超過" in hana.get(f"/cases/{number}/").content.decode()
    assert "期限を過ぎた調査が 1 件" in hana.get("/").content.decode()
    listed = hana.get("/caseload/?view=unanswered").content.decode()
    assert "期限 2020/01/01" in listed and "超過" in listed.split("期限 2020/01/01", 1)[1][:120]


def test_it_finds_the_case_by_the_number_on_the_paper(asked: Any, as_person: Any) -> None:
    hana, number = asked
    told = Inquiry.objects.get().number
    for typed in (
        told,
        told.removeprefix("調"),
        f" {told.translate(str.maketrans('0123456789', '０１２３４５６７８９'))} ",
    ):
        assert number in hana.get("/caseload/", {"view": "unanswered", "number": typed}).content.decode(), typed
    wrong = told[:-1] + str((int(told[-1]) + 1) % 10)
    for typed in (wrong, "調9999990", "番号", "調" + "9" * 8, "9" * 40):
        assert number not in hana.get("/caseload/", {"view": "unanswered", "number": typed}).content.decode(), typed
    assert number not in as_person(REN).get("/caseload/", {"view": "unanswered", "number": told}).content.decode()


def test_it_records_the_answer_and_a_later_one_beside_it(asked: Any, token_of: Any) -> None:
    hana, number = asked
    address = f"/cases/{number}/inquiry/{Inquiry.objects.get().pk}/"
    assert QUESTIONS in hana.get(address).content.decode()
    for text in ("週に一日、午後だけ登校しています。", "先週からは来ていません。"):
        form = {**token_of(hana.get(address)), "text": text, "answered_on": day(0)}
        assert hana.post(address, form).status_code == 302
    body = hana.get(f"/cases/{number}/").content.decode()
    assert "午後だけ登校" in body and "先週からは来ていません" in body and "回答待ち" not in body


@pytest.mark.parametrize(
    "changed", [{"due_on": ""}, {"due_on": day(0)}, {"due_on": day(400)}, {"questions": "?"}, {"asked": "PRESS"}]
)
def test_it_refuses_an_inquiry_without_words_or_a_day_to_come(
    changed: dict[str, str], asked: Any, token_of: Any
) -> None:
    hana, number = asked
    form = {
        **token_of(hana.get(f"/cases/{number}/inquiry/")),
        "asked": "SCHOOL",
        "questions": QUESTIONS,
        "due_on": day(3),
    }
    assert hana.post(f"/cases/{number}/inquiry/", {**form, **changed}).status_code == 400
    assert Inquiry.objects.count() == 1


def test_it_asks_nobody_before_somebody_decided_to_work_on_the_case(as_person: Any, case_of: Any) -> None:
    assert as_person(HANA).get(f"/cases/{case_of('pc01').case_number}/inquiry/").status_code == 400


def test_it_answers_no_other_cases_inquiry(asked: Any, case_of: Any, token_of: Any) -> None:
    hana, _ = asked
    address = f"/cases/{case_of('pc02').case_number}/inquiry/{Inquiry.objects.get().pk}/"
    page = hana.get(address)
    assert QUESTIONS not in page.content.decode()
    form = {**token_of(page), "text": "別の事例から書く。", "answered_on": day(0)}
    assert hana.post(address, form).status_code == 400
    assert Inquiry.objects.get().answers.count() == 0


# 主担当 ------------------------------------------------------------------------------------------------


def assign(browser: Any, *numbers: str, to: str = "makoto") -> Any:
    token = re.findall(r'name="token" value="([^"]+)"', browser.get("/cases/?reach=ALL").content.decode())
    return browser.post("/cases/assign/", {"case": numbers, "caseworker": to, "token": token[0], "query": "reach=ALL"})


def test_it_gives_several_cases_to_one_person_each_with_its_row(as_person: Any, case_of: Any, audit_rows: Any) -> None:
    numbers = [case_of(child).case_number for child in ("pc01", "pc02")]
    answer = assign(as_person(APPROVER), *numbers)
    assert answer["Location"] == "/cases/?reach=ALL"
    assert set(Case.objects.filter(caseworker="makoto").values_list("case_number", flat=True)) == set(numbers)
    rows = [row for row in audit_rows() if row["action"] == "ASSIGN_CASE"]
    assert {row["subject"] for row in rows} == {"pc01", "pc02"} and all('"makoto"' in row["detail"] for row in rows)
    makoto = as_person(MAKOTO)
    mine = makoto.get("/cases/?reach=ALL&caseworker=MINE").content.decode()
    assert all(number in mine for number in numbers) and mine.count('class="case-number"') == 2


@pytest.mark.parametrize(("children", "to"), [((), "makoto"), (("pc01",), "ren"), (("pc01",), "rin"), (("pc01",), "")])
def test_it_gives_a_case_to_nobody_who_could_not_work_on_it(
    children: tuple[str, ...], to: str, as_person: Any, case_of: Any
) -> None:
    answer = assign(as_person(HANA), *(case_of(child).case_number for child in children), to=to)
    assert answer.status_code == 400
    assert not Case.objects.exclude(caseworker="").exists()


def test_it_gives_away_no_other_offices_case(as_person: Any, case_of: Any) -> None:
    numbers = [case_of("pc01").case_number, case_of("pc03").case_number]
    assert assign(as_person(HANA), *numbers).status_code == 400
    assert assign(as_person(HANA), numbers[1], to="ren").status_code == 400
    assert not Case.objects.exclude(caseworker="").exists()
    assert assign(as_person(COORDINATOR), numbers[1], to="ren").status_code == 302


def test_a_list_that_was_refused_comes_again_with_its_marks_and_conditions(as_person: Any, case_of: Any) -> None:
    number, hana = case_of("pc01").case_number, as_person(HANA)
    body = assign(hana, number, to="").content.decode()
    assert "主担当が選ばれていません" in body and "まだ保存されていません" in body
    assert f'value="{number}" form="assign" checked' in body and '<option value="ALL" selected>' in body
    body = assign(hana, to="makoto").content.decode()
    assert "事例が選ばれていません" in body and '<option value="makoto" selected>' in body and " checked" not in body


# 条件 --------------------------------------------------------------------------------------------------


def test_it_keeps_conditions_under_a_name_of_ones_own(as_person: Any, audit_rows: Any) -> None:
    hana = as_person(HANA)
    answer = hana.post(
        "/cases/filters/", {"name": "転入の小学生", "age_band": "ELEMENTARY", "moved_in": "on", "reach": "ALL"}
    )
    kept = SavedFilter.objects.get()
    assert answer["Location"] == f"/cases/?{kept.query}"
    body = hana.get("/cases/").content.decode()
    assert "転入の小学生" in body
    assert hana.get(f"/cases/?{kept.query}").content.count(b'class="case-number"') == 1
    assert "転入の小学生" not in as_person(MAKOTO).get("/cases/").content.decode()
    as_person(MAKOTO).post(f"/cases/filters/{kept.pk}/")
    assert SavedFilter.objects.count() == 1
    hana.post(f"/cases/filters/{kept.pk}/")
    assert SavedFilter.objects.count() == 0
    assert {"SAVE_FILTER", "DROP_FILTER"} <= {row["action"] for row in audit_rows()}


def test_it_needs_a_name_and_keeps_no_more_than_some(as_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.assessment import lists

    hana = as_person(HANA)
    assert hana.post("/cases/filters/", {"name": " "}).status_code == 400
    monkeypatch.setattr(lists, "MOST_FILTERS", 1)
    assert hana.post("/cases/filters/", {"name": "一"}).status_code == 302
    assert hana.post("/cases/filters/", {"name": "二"}).status_code == 400
    assert hana.post("/cases/filters/", {"name": "一", "moved_in": "on"}).status_code == 302
    assert SavedFilter.objects.get().query.count("moved_in=on") == 1


def test_it_finds_what_changed_since_the_last_judgement(as_person: Any, case_of: Any, home: Any, hinata: Any) -> None:
    from small_store import write_store
    from standing_people import AT

    from kodomo.assessment.arrivals import receive_arrivals

    write_store(home.store, judgement="2026-04-30-second", as_of=dt.date(2026, 4, 30),
                pc01={"NON_ATTENDANCE": ("MIDDLE", 0.5), "OVERALL": ("HIGH", 0.9), "YOUNG_CARER": ("MIDDLE", 0.55)})  # fmt: skip
    receive_arrivals(home=home, municipality=hinata, by="tests", at=AT)
    body = as_person(COORDINATOR).get("/cases/?changed=on&reach=ALL").content.decode()
    assert re.findall(r'class="case-number"[^>]*>([0-9-]+)<', body) == [case_of("pc01").case_number]

from __future__ import annotations

from typing import Any

import pytest
from standing_people import FOUR, HANA, MAKOTO, Person

from kodomo.errors import IntegrityFault


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_is_written_by_the_office_of_the_case_alone(
    person: Person, as_person: Any, case_of: Any, token_of: Any
) -> None:
    case = case_of("pc01")
    hidden = {"token": "t" * 24, "version": str(case.version)}
    answer = as_person(person).post(
        f"/cases/{case.case_number}/first-view/", {**hidden, "concern": "SOME", "text": "確かめたいことがある。"}
    )
    mine = person in (HANA, MAKOTO)
    assert answer.status_code == (302 if mine else 403)
    assert case.first_views.count() == (1 if mine else 0)


def test_it_is_kept_with_person_time_and_judgement(
    as_person: Any, case_of: Any, first_view: Any, audit_rows: Any
) -> None:
    case = case_of("pc01")
    first_view(as_person(HANA), case.case_number, "欠席が増えている。")
    view = case.first_views.get()
    assert (view.text, view.written_by, view.written_by_name) == ("欠席が増えている。", "hana", "青木 花")
    assert view.judgement_name == case.judgement_name
    row = audit_rows()[-1]
    assert row["action"] == "WRITE_FIRST_VIEW" and "欠席が増えている" not in row["detail"]


@pytest.mark.parametrize(
    ("text", "concern"), [("", "SOME"), ("短い", "SOME"), ("     ", "SOME"), ("確かめたいことがある。", ""), ("確かめたい。", "X")]
)  # fmt: skip
def test_it_is_not_accepted_empty(text: str, concern: str, as_person: Any, case_of: Any, token_of: Any) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    hidden = token_of(hana.get(f"/cases/{case.case_number}/"))
    answer = hana.post(f"/cases/{case.case_number}/first-view/", {**hidden, "concern": concern, "text": text})
    assert answer.status_code == 400
    assert "まだ保存されていません" in answer.content.decode()
    assert "確認の順番" not in answer.content.decode()
    assert not case.first_views.exists()


def test_it_takes_effect_once_however_often_it_is_sent(
    as_person: Any, case_of: Any, token_of: Any, audit_rows: Any
) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    form = {**token_of(hana.get(f"/cases/{case.case_number}/")), "concern": "SOME", "text": "確かめたいことがある。"}
    answers = [hana.post(f"/cases/{case.case_number}/first-view/", form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert case.first_views.count() == 1
    assert len([row for row in audit_rows() if row["action"] == "WRITE_FIRST_VIEW"]) == 1


def test_it_cannot_be_rewritten_after_the_judgement_was_seen(as_person: Any, case_of: Any, first_view: Any) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    first_view(hana, case.case_number)
    case.refresh_from_db()
    again = {
        "token": "another-token-of-24-chars",
        "version": str(case.version),
        "concern": "NONE",
        "text": "やはり気にならない。",
    }
    answer = hana.post(f"/cases/{case.case_number}/first-view/", again)
    assert answer.status_code == 400
    assert "一次所見はもう書かれています" in answer.content.decode()
    assert case.first_views.count() == 1


def test_it_shows_both_texts_when_somebody_was_first(as_person: Any, case_of: Any, token_of: Any, decided: Any) -> None:
    makoto, case = as_person(MAKOTO), case_of("pc01")
    hidden = token_of(makoto.get(f"/cases/{case.case_number}/"))
    decided(as_person(HANA), case.case_number)
    mine = "誠の書いた所見。消えてはならない。"
    answer = makoto.post(f"/cases/{case.case_number}/first-view/", {**hidden, "concern": "SOME", "text": mine})
    body = answer.content.decode()
    assert answer.status_code == 409
    assert mine in body
    assert "ほかの人の所見は、あなたの一次所見の後に表示します" in body
    assert case.first_views.count() == 1


def test_it_cannot_be_changed_or_deleted_in_code(as_person: Any, case_of: Any, first_view: Any) -> None:
    case = case_of("pc01")
    first_view(as_person(HANA), case.case_number)
    view = case.first_views.get()
    view.text = "書き換え"
    with pytest.raises(IntegrityFault):
        view.save()
    with pytest.raises(IntegrityFault):
        view.delete()


def test_it_keeps_hostile_text_as_text(as_person: Any, case_of: Any, first_view: Any) -> None:
    hana, case = as_person(HANA), case_of("pc01")
    first_view(hana, case.case_number, "<script>alert(1)</script>{{ x }}")
    body = hana.get(f"/cases/{case.case_number}/").content.decode()
    assert "<script>alert" not in body and "&lt;script&gt;alert(1)" in body


def test_it_sends_a_reader_back_to_the_case(as_person: Any, case_of: Any) -> None:
    number = case_of("pc01").case_number
    assert as_person(HANA).get(f"/cases/{number}/first-view/")["Location"] == f"/cases/{number}/"


def test_it_writes_nothing_when_its_audit_row_fails(as_person: Any, case_of: Any, token_of: Any) -> None:
    from django.db import connections

    hana, case = as_person(HANA), case_of("pc01")
    hidden = token_of(hana.get(f"/cases/{case.case_number}/"))
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_events RENAME TO elsewhere")
    answer = hana.post(
        f"/cases/{case.case_number}/first-view/", {**hidden, "concern": "SOME", "text": "消えるはずの所見"}
    )
    assert answer.status_code == 500
    assert not case.first_views.exists()
    case.refresh_from_db()
    assert case.version == int(hidden["version"])


def test_a_colleagues_decision_is_told_after_ones_own_view(
    as_person: Any, case_of: Any, decided: Any, first_view: Any
) -> None:
    number, makoto = case_of("pc01").case_number, as_person(MAKOTO)
    decided(as_person(HANA), number, reason_text="花の考えた理由です。")
    for tail in ("", "print/"):
        assert "花の考えた理由です" not in makoto.get(f"/cases/{number}/{tail}").content.decode()
        assert "花の考えた理由です" in as_person(HANA).get(f"/cases/{number}/{tail}").content.decode()
    first_view(makoto, number)
    assert "花の考えた理由です" in makoto.get(f"/cases/{number}/").content.decode()

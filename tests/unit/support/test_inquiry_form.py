"""What is printed on an inquiry's form must come back as it went; what a school fills in must make sense."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from kodomo.assessment.questions import read_questions
from kodomo.support.inquiry_form import InquiryAnswers, PrintedInquiry, number_on, read_inquiry_answers
from kodomo.support.returned_form import SlipRefused

KEY, TODAY = b"k" * 32, dt.date(2026, 11, 22)
PRINTED = PrintedInquiry(
    "調0000123", 1, dt.date(2026, 12, 5), read_questions("登校の様子(選択: 毎日、週に数日)\n友だちとの様子")
)
FILLED = {"答えた日": "令和8年11月20日", "問1 登校の様子": "週に数日", "問2 友だちとの様子": "休み時間は一人が多い。",
          "急いで知らせたいこと": "ない", "書いた人の役割(名前は書かない)": "担任"}  # fmt: skip


def rows(**changed: str) -> list[list[str]]:
    return [[label, {**FILLED, **changed}.get(label, value)] for label, value in PRINTED.rows(KEY)]


def read(given: list[list[str]], printed: PrintedInquiry = PRINTED, key: bytes = KEY) -> InquiryAnswers:
    return read_inquiry_answers(given, printed, key, TODAY)


def test_it_reads_what_was_filled_in() -> None:
    answers = read(rows())
    assert answers.answered_on == dt.date(2026, 11, 20) and not answers.is_urgent and not answers.unanswered
    assert answers.text() == (
        "問1 登校の様子: 週に数日\n問2 友だちとの様子: 休み時間は一人が多い。\n書いた人の役割: 担任"
    )
    assert number_on(rows()) == "調0000123" and InquiryAnswers.from_kept(answers.kept()) == answers


def test_the_same_answers_have_the_same_digest_however_they_are_written() -> None:
    again = rows(
        答えた日="2026/11/20", 回答の期限="2026/12/5", 照会番号="調００００１２３", **{"問1 登校の様子": "週に 数日"}
    )
    assert read(again).digest() == read(rows()).digest() != read(rows(答えた日="2026-11-19")).digest()


def test_a_question_may_stay_without_an_answer_but_not_all_of_them() -> None:
    assert read(rows(**{"問1 登校の様子": ""})).unanswered == ["問1 登校の様子"]
    with pytest.raises(SlipRefused) as refusal:
        read(rows(**{"問1 登校の様子": "", "問2 友だちとの様子": " "}))
    assert refusal.value.code == "empty"


@pytest.mark.parametrize(
    ("given", "where"),
    [(rows(照会番号="調0000124"), "照会番号"), (rows(版="2"), "版"), (rows(回答の期限="2027-12-05"), "期限"),
     (rows(確認符号="AAAA-AAAA-AAAA"), "確認符号"), (rows()[1:], "照会番号"), ([*rows(), ["版", "1"]], "回答票"),
     (rows()[::-1], "回答票"),
     ([["問2 家庭での様子", r[1]] if r[0].startswith("問2") else r for r in rows()], "問2")],
)  # fmt: skip
def test_a_printed_word_that_came_back_otherwise_is_told_with_its_row(given: list[list[str]], where: str) -> None:
    with pytest.raises(SlipRefused) as refusal:
        read(given)
    assert refusal.value.code == "altered" and where in refusal.value.where


def test_a_seal_of_another_number_day_question_choice_or_key_does_not_fit() -> None:
    asked = read_questions("登校の様子(選択: 毎日、週に一日)\n友だちとの様子")
    others: list[tuple[Any, bytes]] = [
        (replace(PRINTED, edition=2), KEY), (replace(PRINTED, questions=asked), KEY), (PRINTED, b"x" * 32)
    ]  # fmt: skip
    for printed, key in others:
        with pytest.raises(SlipRefused):
            read(rows(), printed, key)


@pytest.mark.parametrize(
    ("given", "said"),
    [(rows(答えた日="先週"), "日付として"), (rows(答えた日=""), "日付として"), (rows(答えた日="2026-11-23"), "後の日"),
     (rows(**{"問1 登校の様子": "たまに"}), "「問1」"), (rows(急いで知らせたいこと="はい"), "選択肢"),
     (rows(**{"問2 友だちとの様子": "あ" * 1_001}), "「問2」が長すぎます"),
     ([*rows(), ["問3 家庭の様子", "別の話"]], "増えた行"), ([[*r, "横" if r[0].startswith("問2") else ""] for r in rows()], "「問2」の行の右")],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused_in_words(given: list[list[str]], said: str) -> None:
    with pytest.raises(SlipRefused) as refusal:
        read(given)
    assert refusal.value.code == "unfilled" and said in refusal.value.what and "別の話" not in refusal.value.text()

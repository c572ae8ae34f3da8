"""What is printed on a reply slip must come back as it went; what is filled in must make sense."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from kodomo.support.returned_form import SlipRefused
from kodomo.support.slip_form import Answers, Printed, number_on, read_answers
from kodomo.support.words import ContactResult, OutcomeScale

KEY, TODAY = b"k" * 32, dt.date(2026, 11, 22)
PRINTED = Printed("771-8696", 1, dt.date(2026, 12, 22), ("会えたときの様子", "したこと"))
FILLED = {"行った日": "令和8年11月20日", "会えたか": "会えた・話を聞いた", "様子の変化": "よくなっている", "会えたときの様子": "宿題をした。",
          "急いで知らせたいこと": "ない", "書いた人の役割(名前は書かない)": "スタッフ"}  # fmt: skip


def rows(**changed: str) -> list[list[str]]:
    return [[label, {**FILLED, **changed}.get(label, value)] for label, value in PRINTED.rows(KEY)]


def read(given: list[list[str]], printed: Printed = PRINTED, key: bytes = KEY) -> Answers:
    return read_answers(given, printed, key, TODAY)


def test_it_reads_what_was_filled_in() -> None:
    answers = read(rows())
    assert (answers.seen_on, answers.met, answers.change) == (
        dt.date(2026, 11, 20),
        ContactResult.TALKED,
        OutcomeScale.BETTER,
    )
    assert answers.text() == "会えたときの様子: 宿題をした。\n書いた人の役割: スタッフ"
    assert not answers.is_urgent and number_on(rows()) == "771-8696"


def test_the_same_answers_have_the_same_digest_however_they_are_written() -> None:
    again = rows(行った日="2026/11/20", 使える期限="2026/12/22", 受け渡し番号="７７１-８６９６")
    assert read(again).digest() == read(rows()).digest() != read(rows(様子の変化="変わらない")).digest()


def test_a_printed_word_that_came_back_otherwise_is_noticed() -> None:
    cases = [
        rows(受け渡し番号="771-8697"), rows(版="2"), rows(使える期限="2027-12-22"), rows(確認符号="AAAA-AAAA-AAAA"), rows()[1:],
        [*rows(), ["版", "1"]], rows()[::-1], [["会えた時の様子", r[1]] if r[0] == "会えたときの様子" else r for r in rows()],
    ]  # fmt: skip
    for given in cases:
        with pytest.raises(SlipRefused) as refusal:
            read(given)
        assert refusal.value.code == "altered"


def test_a_seal_of_another_number_day_question_or_key_does_not_fit() -> None:
    for printed, key in (
        (replace(PRINTED, number="771-8697"), KEY), (replace(PRINTED, edition=2), KEY), (PRINTED, b"x" * 32),
        (replace(PRINTED, expires_on=dt.date(2027, 1, 1)), KEY), (replace(PRINTED, questions=("家庭のこと",)), KEY),
    ):  # fmt: skip
        with pytest.raises(SlipRefused):
            read(rows(), printed, key)
        assert printed.seal(key) != PRINTED.seal(KEY)


def test_an_answer_that_is_none_is_refused_in_words() -> None:
    for given, said in (
        (rows(行った日="先週"), "日付として"), (rows(行った日=""), "日付として"), (rows(行った日="2026-11-23"), "後の日"),
        (rows(会えたか="会った"), "選択肢"), (rows(様子の変化="上々"), "選択肢"), (rows(急いで知らせたいこと="はい"), "選択肢"),
        (rows(したこと="あ" * 1_001), "文字まで"), ([*rows(), ["追伸", "別の話"]], "欄の外"), ([[*r, "横"] for r in rows()], "欄の外"),
    ):  # fmt: skip
        with pytest.raises(SlipRefused) as refusal:
            read(given)
        assert refusal.value.code == "unfilled" and said in refusal.value.what and "別の話" not in refusal.value.text()


def test_what_may_be_left_out_is_left_out() -> None:
    answers = read(
        rows(様子の変化="", 会えたときの様子="", 急いで知らせたいこと="", **{"書いた人の役割(名前は書かない)": ""})
    )
    assert answers.change is None and answers.text() == "書かれたことはない。"
    assert read(rows(急いで知らせたいこと="ある(すぐ電話してください)")).text().startswith("【急いで")

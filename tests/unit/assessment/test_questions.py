"""What a caseworker types as questions becomes numbered questions, with choices where a line ends in them."""

from __future__ import annotations

import pytest

from kodomo.assessment.questions import Question, fault_of_choices, read_questions


def test_every_line_is_a_question_and_empty_lines_are_none() -> None:
    assert read_questions("登校の様子\r\n\r\n  保健室の利用  \n") == (
        Question(1, "登校の様子"),
        Question(2, "保健室の利用"),
    )
    assert read_questions(" \n") == ()


@pytest.mark.parametrize(
    "line",
    [
        "昼食（選択：食べる、残す,食べない）",
        "昼食 (選択: 食べる、 残す、食べない )",
        "昼食(選択:食べる，残す，食べない)",
    ],
)
def test_choices_are_read_in_whatever_width_they_are_typed(line: str) -> None:
    assert read_questions(line) == (Question(1, "昼食", ("食べる", "残す", "食べない")),)


def test_other_brackets_are_words_of_the_question() -> None:
    assert read_questions("様子(この1か月)") == (Question(1, "様子(この1か月)"),)
    assert read_questions("様子(この1か月)(選択: よい、わるい)") == (
        Question(1, "様子(この1か月)", ("よい", "わるい")),
    )


def test_the_same_question_twice_keeps_two_labels() -> None:
    assert [one.label for one in read_questions("様子\n様子")] == ["問1 様子", "問2 様子"]


@pytest.mark.parametrize(
    ("line", "said"),
    [("昼食(選択: 食べる)", "2 個から"), ("昼食(選択: )", "2 個から"), ("昼食(選択: " + "、".join(map(str, range(11))) + ")", "2 個から"),
     ("昼食(選択: 食べる、食べる)", "同じことば"), ("昼食(選択: 食べる、" + "あ" * 31 + ")", "30 文字"),
     ("昼食(選択: " + "、".join(f"{n}" + "あ" * 27 for n in range(10)) + ")", "255 文字"), ("(選択: はい、いいえ)", "何を聞くのか")],
)  # fmt: skip
def test_choices_that_no_form_could_offer_are_told_with_their_line(line: str, said: str) -> None:
    assert fault_of_choices(f"登校の様子\n{line}").startswith("2 行目") and said in fault_of_choices(
        f"登校の様子\n{line}"
    )
    assert fault_of_choices("登校の様子\n昼食(選択: 食べる、残す)") == ""

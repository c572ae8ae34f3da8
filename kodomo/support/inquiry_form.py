"""調査票 as a form: the rows a school fills in, and what it wrote, with every printed word checked (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.assessment.questions import Question
from kodomo.support import returned_form
from kodomo.support.returned_form import (
    EDITION,
    SEAL,
    URGENT,
    URGENT_WORDS,
    WRITER,
    Rows,
    SlipRefused,
    day_in,
    filled_in,
    plain,
    unfilled,
    value_of,
)

NUMBER, DUE, ANSWERED_ON = "照会番号", "回答の期限", "答えた日"

MOST_QUESTIONS, LONGEST_QUESTION = 20, 200
"""A form is one or two pages; more is a conversation."""


@dataclass(frozen=True)
class PrintedInquiry:
    """What is printed on an inquiry's form: it must come back as it went."""

    number: str
    edition: int
    due_on: dt.date
    questions: tuple[Question, ...]

    def rows(self, key: bytes) -> list[tuple[str, str]]:
        """Label and printed value of every row; an empty value is to be filled in."""
        asked = [f"{one.label}\t{'、'.join(one.choices)}" for one in self.questions]
        sealed = returned_form.seal(key, "inquiry", self.number, str(self.edition), self.due_on.isoformat(), *asked)
        return [
            (NUMBER, self.number), (EDITION, str(self.edition)), (DUE, self.due_on.isoformat()), (SEAL, sealed),
            (ANSWERED_ON, ""), *((one.label, "") for one in self.questions), (URGENT, ""), (WRITER, ""),
        ]  # fmt: skip

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Label → what can be chosen beside it."""
        return {**{one.label: one.choices for one in self.questions if one.choices}, URGENT: tuple(URGENT_WORDS)}

    def in_words(self) -> tuple[str, ...]:
        """The labels of the questions that are answered in one's own words."""
        return tuple(one.label for one in self.questions if not one.choices)


@dataclass(frozen=True)
class InquiryAnswers:
    """What was written on a form."""

    answered_on: dt.date
    texts: Mapping[str, str]
    is_urgent: bool
    writer: str

    def text(self) -> str:
        """In words, as staff would have typed them."""
        return returned_form.in_words(self.texts, is_urgent=self.is_urgent, writer=self.writer)

    def digest(self) -> str:
        """The same answers give the same digest, however the file was saved."""
        said = (f"{question}={words}" for question, words in self.texts.items())
        return returned_form.digest_of(self.answered_on.isoformat(), str(self.is_urgent), self.writer, *said)

    @property
    def unanswered(self) -> list[str]:
        """Questions left empty."""
        return [question for question, words in self.texts.items() if not words]

    def kept(self) -> dict[str, Any]:
        """As a draft keeps them until somebody has confirmed them."""
        return {"answered_on": self.answered_on.isoformat(), "texts": dict(self.texts), "is_urgent": self.is_urgent,
                "writer": self.writer}  # fmt: skip

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> InquiryAnswers:
        """What ``kept`` gave."""
        day = dt.date.fromisoformat(kept["answered_on"])
        return cls(day, dict(kept["texts"]), kept["is_urgent"], kept["writer"])


def number_on(rows: Rows) -> str:
    """The number a form says it has; empty where it is no form of ours."""
    return value_of(rows, NUMBER)


def edition_on(rows: Rows) -> str:
    """The edition a form says it is of."""
    return value_of(rows, EDITION)


def read_inquiry_answers(rows: Rows, printed: PrintedInquiry, key: bytes, today: dt.date) -> InquiryAnswers:
    """What was filled in, once everything printed has come back as it went.

    Raises:
        SlipRefused: ``altered`` where a printed word differs; ``empty`` where no question has an answer; ``unfilled``
            where something stands outside the cells for answers, is too long, or is not among the choices.
    """
    told = filled_in(rows, printed.rows(key))
    texts = {one.label: told[one.label] for one in printed.questions}
    if not any(texts.values()):
        raise SlipRefused(
            "empty", "どの問いにも答えが書かれていません。", where="回答票",
            then="太い枠の中に答えを書いて、返してもらってください。",
        )  # fmt: skip
    picked = {**texts, URGENT: told[URGENT]}
    for label, choices in printed.choices().items():
        same = {plain(choice): choice for choice in choices}
        if picked[label] and plain(picked[label]) not in same:
            raise unfilled(f"「{returned_form.head(label)}」の答えが、選択肢のことばではありません。")
        picked[label] = same.get(plain(picked[label]), "")
    texts = {label: picked[label] for label in texts}
    answered_on = day_in(told[ANSWERED_ON], ANSWERED_ON, today)
    return InquiryAnswers(answered_on, texts, URGENT_WORDS.get(picked[URGENT], False), told[WRITER])

"""回答票: the rows of the slip a partner fills in, and what its answers are in our words (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kodomo.support import returned_form
from kodomo.support.returned_form import EDITION, SEAL, URGENT, URGENT_WORDS, WRITER, Rows, day_in, filled_in, unfilled
from kodomo.support.words import ContactResult, OutcomeScale

MET_WORDS: Mapping[str, ContactResult] = {
    "会えた・支援を受け入れた": ContactResult.ACCEPTED,
    "会えた・話を聞いた": ContactResult.TALKED,
    "断られた": ContactResult.REFUSED,
    "会えなかった": ContactResult.ABSENT,
}
"""What a partner chooses from, and what it is in the record of contacts."""

CHANGE_WORDS: Mapping[str, OutcomeScale] = {
    "達成した": OutcomeScale.ACHIEVED,
    "よくなっている": OutcomeScale.BETTER,
    "変わらない": OutcomeScale.SAME,
    "悪くなっている": OutcomeScale.WORSE,
    "わからない": OutcomeScale.UNKNOWN,
}

NUMBER, LAST_DAY = "受け渡し番号", "使える期限"
TAKEN_ON = "受け入れた日"
SEEN_ON, MET, CHANGE = "行った日", "会えたか", "様子の変化"
CHOICES: Mapping[str, Sequence[str]] = {
    MET: tuple(MET_WORDS), CHANGE: tuple(CHANGE_WORDS), URGENT: tuple(URGENT_WORDS)
}  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """What is printed on a slip: it must come back as it went."""

    number: str
    edition: int
    expires_on: dt.date
    questions: tuple[str, ...]
    is_receipt: bool = False
    """From who takes a case over: when and by whom, not whom they met."""

    def seal(self, key: bytes) -> str:
        """Over number, edition, last day and questions."""
        return returned_form.seal(
            key, "reply-slip", self.number, str(self.edition), self.expires_on.isoformat(), *self.questions
        )

    def rows(self, key: bytes) -> list[tuple[str, str]]:
        """Label and printed value of every row; an empty value is for the partner to fill in."""
        return [
            (NUMBER, self.number), (EDITION, str(self.edition)), (LAST_DAY, self.expires_on.isoformat()),
            (SEAL, self.seal(key)), *((label, "") for label in self.asked()),
        ]  # fmt: skip

    def asked(self) -> tuple[str, ...]:
        """The labels of what the partner fills in."""
        if self.is_receipt:
            return (TAKEN_ON, *self.questions, URGENT, WRITER)
        return (SEEN_ON, MET, CHANGE, *self.questions, URGENT, WRITER)


@dataclass(frozen=True)
class Answers:
    """What a partner wrote."""

    seen_on: dt.date
    met: ContactResult
    change: OutcomeScale | None
    texts: Mapping[str, str]
    is_urgent: bool
    writer: str

    def text(self) -> str:
        """In words, for the record of contacts."""
        return returned_form.in_words(self.texts, is_urgent=self.is_urgent, writer=self.writer)

    def digest(self) -> str:
        """The same answers give the same digest, however the file was saved."""
        return returned_form.digest_of(
            self.seen_on.isoformat(), self.met, self.change or "", str(self.is_urgent), self.writer,
            *(f"{question}={words}" for question, words in self.texts.items()),
        )  # fmt: skip


def number_on(rows: Rows) -> str:
    """The number a slip says it has; empty where it is no slip of ours."""
    return returned_form.value_of(rows, NUMBER)


def read_answers(rows: Rows, printed: Printed, key: bytes, today: dt.date) -> Answers:
    """What was filled in, once everything printed has come back as it went.

    Raises:
        SlipRefused: ``altered`` where a printed word differs; ``unfilled`` where an answer is missing or is none,
            or something stands outside the cells for answers.
    """
    told = filled_in(rows, printed.rows(key))
    day = TAKEN_ON if printed.is_receipt else SEEN_ON
    seen_on = day_in(told[day], day, today)
    met, change, urgent = (told.get(label, "") for label in (MET, CHANGE, URGENT))
    if (
        ((met or not printed.is_receipt) and met not in MET_WORDS)
        or change not in {*CHANGE_WORDS, ""}
        or urgent not in {*URGENT_WORDS, ""}
    ):
        raise unfilled(f"「{MET}」「{CHANGE}」「{URGENT}」は、選択肢のことばのまま書いてもらってください。")
    return Answers(
        seen_on,
        MET_WORDS.get(met, ContactResult.AGREED),
        CHANGE_WORDS.get(change),
        {question: told[question] for question in printed.questions},
        URGENT_WORDS.get(urgent, False),
        told[WRITER],
    )

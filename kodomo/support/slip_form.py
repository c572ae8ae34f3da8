"""回答票: the rows of the slip a partner fills in, and its reading back with every printed word checked (casework side).

The slip is told by its number; that it is the one that was sent, by a seal (確認符号) over number, edition,
last day and questions. The seal is keyed: nobody outside can make one for another number.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kodomo.assessment.dates import read_date
from kodomo.errors import StaffError
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

URGENT_WORDS: Mapping[str, bool] = {"ない": False, "ある(すぐ電話してください)": True}

NUMBER, EDITION, LAST_DAY, SEAL = "受け渡し番号", "版", "使える期限", "確認符号"
TAKEN_ON = "受け入れた日"
SEEN_ON, MET, CHANGE, URGENT, WRITER = (
    "行った日",
    "会えたか",
    "様子の変化",
    "急いで知らせたいこと",
    "書いた人の役割(名前は書かない)",
)
CHOICES = {MET: tuple(MET_WORDS), CHANGE: tuple(CHANGE_WORDS), URGENT: tuple(URGENT_WORDS)}

LONGEST_ANSWER = 1_000


class SlipRefused(StaffError):
    """A slip that is not taken in, with the code that stands in the audit row."""

    def __init__(self, code: str, what: str, *, where: str = "", then: str = "") -> None:
        super().__init__(what, where=where, then=then, code=code)
        self.code = code


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
        """Twelve letters in three groups: sixty bits of HMAC-SHA256."""
        said = "\n".join(["reply-slip", self.number, str(self.edition), self.expires_on.isoformat(), *self.questions])
        letters = base64.b32encode(hmac.new(key, said.encode(), hashlib.sha256).digest()).decode()[:12]
        return "-".join((letters[:4], letters[4:8], letters[8:]))

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
        lines = [f"{question}: {words}" for question, words in self.texts.items() if words]
        lines += [f"書いた人の役割: {self.writer}"] if self.writer else []
        return (
            "\n".join((["【急いで知らせたいことがある】"] if self.is_urgent else []) + lines) or "書かれたことはない。"
        )

    def digest(self) -> str:
        """The same answers give the same digest, however the file was saved."""
        said = [self.seen_on.isoformat(), self.met, self.change or "", str(self.is_urgent), self.writer,
                *(f"{question}={words}" for question, words in self.texts.items())]  # fmt: skip
        return hashlib.sha256("\0".join(said).encode()).hexdigest()


def number_on(rows: Sequence[Sequence[str]]) -> str:
    """The number a slip says it has; empty where it is no slip of ours."""
    return next((_plain(row[1]) for row in rows if len(row) > 1 and _plain(row[0]) == NUMBER), "")


def read_answers(rows: Sequence[Sequence[str]], printed: Printed, key: bytes, today: dt.date) -> Answers:
    """What was filled in, once everything printed has come back as it went.

    Raises:
        SlipRefused: ``altered`` where a printed word differs; ``unfilled`` where an answer is missing or is none,
            or something stands outside the cells for answers: nothing a partner wrote is dropped in silence.
    """
    wanted = printed.rows(key)
    labels = [_plain(label) for label, _ in wanted]
    found = [(_plain(row[0]), row[1].strip() if len(row) > 1 else "") for row in rows]
    told = dict(found)
    if [label for label, _ in found if label in labels] != labels:
        raise _altered()
    if len(found) > len(labels) or any("".join(row[2:]).strip() for row in rows):
        raise _unfilled("答えの欄の外に書かれたことがあります。")
    for label, value in wanted:
        if value and not _same(told[_plain(label)], value):
            raise _altered()
    return _answers(told, printed, today)


def _answers(told: Mapping[str, str], printed: Printed, today: dt.date) -> Answers:
    day = TAKEN_ON if printed.is_receipt else SEEN_ON
    texts = {question: told[_plain(question)] for question in printed.questions}
    if any(len(words) > LONGEST_ANSWER for words in (*texts.values(), told[_plain(WRITER)])):
        raise _unfilled(f"答えは一つ {LONGEST_ANSWER} 文字までです。")
    try:
        seen_on = read_date(told[_plain(day)])
    except ValueError:
        raise _unfilled(f"「{day}」が日付として読めません。") from None
    if seen_on > today:
        raise _unfilled(f"「{day}」が、今日より後の日です。")
    met, change, urgent = (told.get(_plain(label), "") for label in (MET, CHANGE, URGENT))
    if (
        ((met or not printed.is_receipt) and met not in MET_WORDS)
        or change not in {*CHANGE_WORDS, ""}
        or urgent not in {*URGENT_WORDS, ""}
    ):
        raise _unfilled(f"「{MET}」「{CHANGE}」「{URGENT}」は、選択肢のことばのまま書いてもらってください。")
    return Answers(
        seen_on,
        MET_WORDS.get(met, ContactResult.AGREED),
        CHANGE_WORDS.get(change),
        texts,
        URGENT_WORDS.get(urgent, False),
        told[_plain(WRITER)],
    )


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _same(told: str, printed: str) -> bool:
    """Equal, or the same day in another writing: a spreadsheet that opens a CSV rewrites dates."""
    if _plain(told) == _plain(printed):
        return True
    try:
        return read_date(told) == dt.date.fromisoformat(printed)
    except ValueError:
        return False


def _altered() -> SlipRefused:
    return SlipRefused(
        "altered",
        "渡したときの回答票と違います。番号・期限・確認符号・質問のどれかが書き換えられているか、別の版です。",
        then="渡したファイルの回答票に書いて、返してもらってください。取り込まずに、電話などで確かめてもかまいません。",
    )


def _unfilled(what: str) -> SlipRefused:
    return SlipRefused("unfilled", what, where="回答票", then="受け渡し先に直してもらうか、聞いて書き直してください。")

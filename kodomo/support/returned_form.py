"""A form that comes back from outside with cells filled in: every printed word must return as it went (casework side).

A form is told by its number; that it is the one that was sent, by a seal (確認符号). The seal is keyed: nobody
outside can make one for another number. The same for a partner's reply slip and a school's answer to an inquiry.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence

from kodomo.assessment.dates import read_date
from kodomo.errors import StaffError

EDITION, SEAL = "版", "確認符号"
URGENT, WRITER = "急いで知らせたいこと", "書いた人の役割(名前は書かない)"
URGENT_WORDS: Mapping[str, bool] = {"ない": False, "ある(すぐ電話してください)": True}

LONGEST_ANSWER = 1_000

Rows = Sequence[Sequence[str]]


class SlipRefused(StaffError):
    """A form that is not taken in, with the code that stands in the audit row."""

    def __init__(self, code: str, what: str, *, where: str = "", then: str = "") -> None:
        super().__init__(what, where=where, then=then, code=code)
        self.code = code


def seal(key: bytes, *said: str) -> str:
    """Twelve letters in three groups: sixty bits of HMAC-SHA256 over all that is printed."""
    letters = base64.b32encode(hmac.new(key, "\n".join(said).encode(), hashlib.sha256).digest()).decode()[:12]
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def value_of(rows: Rows, label: str) -> str:
    """What stands beside a label; empty where the label is not there."""
    return next((plain(row[1]) for row in rows if len(row) > 1 and plain(row[0]) == plain(label)), "")


def filled_in(rows: Rows, wanted: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Label → what was written beside it, once everything printed has come back as it went.

    Args:
        wanted: label and printed value of every row, in order; an empty value was to be filled in.

    Raises:
        SlipRefused: ``altered`` where a printed word differs; ``unfilled`` where something stands outside the cells
            for answers or an answer is too long: nothing that somebody wrote is dropped in silence.
    """
    labels = {plain(label): label for label, _ in wanted}
    found = [(plain(row[0]), row[1].strip() if len(row) > 1 else "") for row in rows]
    told = dict(found)
    missing = next((label for short, label in labels.items() if short not in told), "")
    if missing or [label for label, _ in found if label in labels] != list(labels):
        raise altered(missing)
    for row in rows:
        label = labels.get(plain(row[0]), "")
        if not label or "".join(row[2:]).strip():
            where = f"「{head(label)}」の行の右" if label else "増えた行"
            raise unfilled(f"答えの欄の外に書かれたことがあります({where})。")
    for label, value in wanted:
        if value and not _same(told[plain(label)], value):
            raise altered(label)
    answers = {label: told[plain(label)] for label, value in wanted if not value}
    for label, words in answers.items():
        if len(words) > LONGEST_ANSWER:
            raise unfilled(f"「{head(label)}」が長すぎます。答えは一つ {LONGEST_ANSWER} 文字までです。")
    return answers


def day_in(text: str, label: str, today: dt.date) -> dt.date:
    """The day somebody wrote, which has been."""
    try:
        day = read_date(text)
    except ValueError:
        raise unfilled(f"「{label}」が日付として読めません。") from None
    if day > today:
        raise unfilled(f"「{label}」が、今日より後の日です。")
    return day


def in_words(texts: Mapping[str, str], *, is_urgent: bool, writer: str) -> str:
    """What was written, as one text for the record."""
    lines = [f"{question}: {words}" for question, words in texts.items() if words]
    lines += [f"書いた人の役割: {writer}"] if writer else []
    return "\n".join((["【急いで知らせたいことがある】"] if is_urgent else []) + lines) or "書かれたことはない。"


def digest_of(*said: str) -> str:
    """The same answers give the same digest, however the file was saved."""
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def plain(text: str) -> str:
    """A printed word without what programs change on its way: widths and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def head(label: str) -> str:
    """What of a label can be said on a page: a question by its number."""
    return label.split(" ", 1)[0]


def _same(told: str, printed: str) -> bool:
    """Equal, or the same day in another writing: a spreadsheet that opens a CSV rewrites dates."""
    if plain(told) == plain(printed):
        return True
    try:
        return read_date(told) == dt.date.fromisoformat(printed)
    except ValueError:
        return False


def altered(label: str = "") -> SlipRefused:
    """Something printed came back otherwise."""
    return SlipRefused(
        "altered",
        "渡したときの回答票と違います。番号・期限・確認符号・質問のどれかが書き換えられているか、別の版です。",
        where=f"「{head(label)}」の行" if label else "回答票",
        then="渡したファイルの回答票に書いて、返してもらってください。取り込まずに、電話などで確かめてもかまいません。",
    )


def unfilled(what: str) -> SlipRefused:
    """Something filled in makes no sense, or stands where nothing is to be written."""
    return SlipRefused("unfilled", what, where="回答票", then="渡した相手に直してもらうか、聞いて書き直してください。")

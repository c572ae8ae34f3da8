"""What kind of thing a column's printed values are, by the values alone (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

from kodomo.intake.cells import FEMALE, MALE, NO, YES
from kodomo.intake.dates import read_date, read_month

LOOKED_AT = 3_000
"""Distinct values of one column that are looked at."""

CODES_AT_MOST = 30
SHORT = 12

_KANA = re.compile(r"^[ァ-ヶーｦ-ﾟぁ-ゖゝゞヽヾ・=\s.　-]+$")
_HAN = "\u3400-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U0002ffff々〆ヶ〓?"
_NAME = re.compile(rf"^[{_HAN}ぁ-んァ-ヶー]{{1,8}}[\s　][{_HAN}ぁ-んァ-ヶー・]{{1,10}}$")
_UNSPACED = re.compile(rf"^[{_HAN}ぁ-んァ-ヶー]{{2,8}}$")
_ADDRESS = re.compile(
    r"[都道府県市区町村郡].*[\d０-９一二三四五六七八九十]|[\d０-９]+(丁目|番地?|号|[-－‐ー][\d０-９])"
)
_WORD = re.compile(r"[^\W\d_]")
_INTEGER = re.compile(r"^[+\-△▲]?\d{1,3}(,?\d{3})*(日|回|人|点|円|歳|才|年|年生|本|週|件|%)?$")
_DECIMAL = re.compile(r"^[+\-△▲]?\d+\.\d+(kg|g|cm|m|%)?$", re.I)
_DIGITS = re.compile(r"^\d+$")
_ALNUM = re.compile(r"^(?=.*\d)[0-9A-Za-z教特校児保園第\-/_]{3,24}$")
_ERA_START = re.compile(r"^(明治|大正|昭和|平成|令和|[MTSHRmtshr明大昭平令])")
_WESTERN = re.compile(r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?([ T].*)?$")
_SHORT_YEAR = re.compile(r"^\d{2}[/.\-]\d{1,2}[/.\-]\d{1,2}$")
_YEAR = re.compile(r"^(\d{4}|(令和|平成|[RH])(\d{1,2}|元))年?度?$")
_TIME = re.compile(r"^\d{1,2}[::]\d{2}")


@dataclass
class Kinds:
    """Shares (0 to 1) of a column's distinct values that look like each kind, and what else was seen."""

    rows: int = 0
    filled: int = 0
    distinct: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    notations: Counter[str] = field(default_factory=Counter)
    lengths: tuple[int, int] = (0, 0)
    leading_zeros: bool = False
    digits_only: set[str] = field(default_factory=set)
    """All distinct values, where they are few digits."""
    codes: list[str] = field(default_factory=list)
    """Distinct values fit to be shown: short codes, never what may be a person's."""

    def share(self, kind: str) -> float:
        """The share of one kind."""
        return self.shares.get(kind, 0.0)


def kinds_of(cells: list[str], may_show: bool) -> Kinds:
    """Look at a column's cells.

    Args:
        cells: as printed.
        may_show: whether the column's name says that its words are codes and no person's.
    """
    texts = [unicodedata.normalize("NFKC", cell).strip() for cell in cells]
    counts = Counter(text for text in texts if text)
    values = [value for value, _ in counts.most_common(LOOKED_AT)]
    found = Kinds(rows=len(cells), filled=sum(counts.values()), distinct=len(counts))
    if not values:
        return found
    tally: Counter[str] = Counter()
    for value in values:
        for kind in _kinds(value, found.notations):
            tally[kind] += 1
    found.shares = {kind: count / len(values) for kind, count in tally.items()}
    digits = [value for value in values if _DIGITS.match(value)]
    lengths = [len(value) for value in digits]
    found.digits_only = set(values) if len(digits) == len(values) <= 3 else set()
    found.lengths = (min(lengths, default=0), max(lengths, default=0))
    found.leading_zeros = any(value.startswith("0") and len(value) > 1 for value in digits)
    if found.distinct <= CODES_AT_MOST and found.filled >= found.distinct * 2:
        found.codes = [value for value in sorted(counts) if may_be_shown(value, may_show)]
    return found


def may_be_shown(value: str, words_may: bool) -> bool:
    """Whether a value may stand in a draft: a code of up to three signs, a mark, or a short word of a column of codes."""
    if (
        re.fullmatch(r"[0-9A-Za-z]{1,3}|[◎○●△▲▽▼□■☆★×*]{1,2}", value)
        or value in YES
        or value in NO
        or value in ("男", "女")
    ):
        return True
    return words_may and len(value) <= SHORT and not _NAME.match(value) and not re.search(r"\d{4,}", value)


def kinds_of_value(value: str) -> list[str]:
    """Every kind that one value looks like."""
    return _kinds(value, Counter())


def _kinds(value: str, notations: Counter[str]) -> list[str]:
    found = [kind for kind, pattern in (("kana", _KANA), ("name", _NAME), ("unspaced", _UNSPACED), ("address", _ADDRESS), ("integer", _INTEGER),
                                        ("decimal", _DECIMAL), ("digits", _DIGITS), ("alnum", _ALNUM),
                                        ("year", _YEAR), ("time", _TIME)) if pattern.search(value)]  # fmt: skip
    if value in YES or value in NO or value.upper() in YES or value.upper() in NO:
        found.append("flag")
    if value.upper() in MALE or value.upper() in FEMALE:
        found.append("sex")
    if "address" in found and not _WORD.search(value):
        found.remove("address")  # 31-10866-2 is a customer's number; a house number alone is told by its header
    notation = date_notation(value)
    if notation:
        found.append("date")
        notations[notation] += 1
    elif month_notation(value):
        found.append("month")
        notations[month_notation(value)] += 1
    return found


def date_notation(value: str) -> str:
    """How a date is written, or empty when it is none. Six digits without an era may be one: ``six``."""
    if _SHORT_YEAR.match(value):
        _, month, day = re.split(r"[/.\-]", value)
        return "short_year" if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 else ""
    if _DIGITS.match(value):
        if len(value) == 6:
            return "six" if 1 <= int(value[2:4]) <= 12 and 1 <= int(value[4:]) <= 31 else ""
        read = read_date(value).value if len(value) in (7, 8) else None
        return {7: "era_code", 8: "western_digits"}[len(value)] if read and len(read) == 10 else ""
    read = read_date(value).value
    if not read or len(read) != 10:
        return ""
    return "western" if _WESTERN.match(value) else "era" if _ERA_START.match(value) else ""


def month_notation(value: str) -> str:
    """How a month is written, or empty."""
    read = read_month(value).value if not _DIGITS.match(value) or len(value) in (5, 6) else None
    if not read or not "1900" <= read[:4] <= "2100":
        return ""
    return "month_digits" if _DIGITS.match(value) else "month_words"

"""One column's printed values into the form that is kept, each distinct value worked out once (identity side).

The kept form is text or None: dates in ISO 8601, numbers without commas, codes as their meanings,
flags as 1 and 0, sex as 男, 女 or その他, everything else as printed. A blank is None, never zero.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from kodomo.intake.dates import plain_date, read_date, read_day_of_year, read_month
from kodomo.intake.decode import DAMAGED
from kodomo.intake.layout import LayoutColumn
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault

Kept = str | None | RowFault

YES = frozenset(
    [
        "○",
        "◯",
        "〇",
        "●",
        "◎",
        "★",
        "1",
        "✓",
        "✔",
        "レ",
        "*",
        "有",
        "あり",
        "有り",
        "ある",
        "済",
        "該当",
        "はい",
        "Y",
        "YES",
        "TRUE",
    ]
)
NO = frozenset(
    ["×", "✕", "✖", "✗", "☓", "0", "無", "なし", "無し", "ない", "未", "非該当", "いいえ", "N", "NO", "FALSE"]
)

MALE = frozenset(["1", "男", "男性", "男子", "男児", "男の子", "おとこ", "おとこの子", "M", "MALE"])
FEMALE = frozenset(["2", "女", "女性", "女子", "女児", "女の子", "おんな", "おんなの子", "F", "FEMALE"])
OTHER_SEX = frozenset(["9", "その他"])
UNKNOWN_SEX = frozenset(["0", "不明", "未回答"])

FORMULA_ERRORS = frozenset(["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#####"])
DITTO = frozenset(["〃", "々", "同上", '"', "''"])

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BAD = re.compile(_CONTROL.pattern[:-1] + DAMAGED.pattern[1:])
_EXCEL_TEXT = re.compile(r'^="(.*)"$')
_NUMBER = re.compile(
    r"^(?P<sign>[+\-△▲])?(?P<whole>\d+)(?P<part>\.\d+)?(?:日|回|人|点|円|歳|才|か月|ヶ月|カ月|年生|年|本|週|件|%|m3|㎥|㎡)?$"
)

_PLAIN_TYPES = frozenset(["text", "name", "kana", "address", "identifier"])
_READ_TYPES = frozenset(["date", "month", "fiscal_year", "integer", "decimal"])
"""Types whose kept value is not what is printed."""
_ODD_STARTS = frozenset("=#〃々同\"'")
"""With one of these begins whatever a text cell may hold that isn't its text: a formula, its error, a ditto mark."""

JOINT = "\x1e"
"""Stands between the parts of a joined value until they are read. No readable cell holds it."""

MEMO_LIMIT = 300_000


@dataclass
class ColumnReader:
    """Reads one declared column. Holds what it worked out, for the length of one file only."""

    column: LayoutColumn
    limits: Limits
    memo: dict[str, Kept] = field(default_factory=dict)
    doubts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._meanings = meanings_of(self.column)
        self._unknown = {_folded(word) for word in self.column.unknown}
        self._faulty: set[str] = set()
        self._read = _READERS.get(self.column.type, _text)
        self._is_plain = self.column.type in _PLAIN_TYPES and not (
            self.column.join or self._unknown or self.column.before or self.column.after
        )
        self._is_plain_date = self.column.type == "date" and not (
            self.column.join or self.column.before or self.column.after or self.column.century or self.column.era
        )
        self._blank = self.column.blank if self.column.blank is not None else self.column.codes.get("")
        self._units = tuple(sorted((_folded(unit) for unit in self.column.unit), key=len, reverse=True))

    def learn(self, distinct: set[str]) -> bool:
        """Work out values not met before; says whether any of ``distinct`` is at fault."""
        if len(self.memo) > MEMO_LIMIT:
            self.memo.clear()
            self._faulty.clear()
        fresh = distinct.difference(self.memo)  # not ``- keys()``, which walks through all of them
        if self._is_plain and fresh:
            fresh = self._learn_plain(fresh)
        elif self._is_plain_date and fresh:
            fresh = self._learn_dates(fresh)
        for raw in fresh:
            self.memo[raw] = kept = self._value(raw)
            if isinstance(kept, RowFault):
                self._faulty.add(raw)
        return not self._faulty.isdisjoint(distinct)

    def _learn_plain(self, fresh: set[str]) -> set[str]:
        """Take texts as they stand where nothing about them is out of the way; returns the rest, for the slow way."""
        if max(map(len, fresh)) > self.limits.cell_characters or _BAD.search("".join(fresh)):
            return fresh
        if self.column.type == "identifier":
            easy = {raw for raw in fresh if raw.isascii() and raw.isalnum()}
            digits = self.column.digits
            self.memo.update((raw, raw.zfill(digits) if digits and raw.isdigit() else raw) for raw in easy)
            return fresh - easy
        easy_texts = {
            raw: text for raw in fresh if "\r" not in raw and (text := raw.strip()) and text[0] not in _ODD_STARTS
        }
        self.memo.update(easy_texts)
        return fresh - easy_texts.keys() if len(easy_texts) < len(fresh) else set()

    def _learn_dates(self, fresh: set[str]) -> set[str]:
        """Take days in the everyday shapes at once; returns the rest, for the slow way."""
        values = list(fresh)
        lines = [line.strip() for line in unicodedata.normalize("NFKC", "\n".join(values)).split("\n")]
        if len(lines) != len(values):
            return fresh
        told = zip(values, lines, strict=True)
        easy = {raw: day for raw, line in told if line not in self._unknown and (day := plain_date(line))}
        self.memo.update(easy)
        return fresh - easy.keys()

    def _value(self, raw: str) -> Kept:
        if len(raw) > self.limits.cell_characters:
            return RowFault.TOO_LONG
        if _BAD.search(raw):
            if DAMAGED.search(raw):
                return RowFault.UNDECODABLE
            if not self.column.join:
                return RowFault.CONTROL
        if self.column.join:
            return self._joined(raw)
        text = _cleaned(raw)
        if text in FORMULA_ERRORS:
            return RowFault.FORMULA_ERROR
        if text in DITTO and self.column.type not in ("text", "flag"):
            return RowFault.DITTO
        return self._settled(text)

    def _settled(self, text: str) -> Kept:
        """A cleaned text as it is kept: blank, unknown, or read by the column's type."""
        if not text and self._blank:
            return self._blank
        is_unknown = not text or (bool(self._unknown) and _folded(text) in self._unknown)
        before, after = self.column.before, self.column.after
        if self.column.type in _READ_TYPES:
            # 6 with 令和 before it and 年度 after it is a year; what is kept of a year takes no more words
            kept = None if is_unknown else self._read(f"{before}{text}{after}", self)
        else:
            kept = None if is_unknown else self._read(text, self)
            is_value = isinstance(kept, str) and not isinstance(kept, RowFault)  # a fault is a text, too
            kept = f"{before}{kept}{after}" if is_value else kept
        return RowFault.MISSING if kept is None and self.column.required and not text else kept

    def _joined(self, raw: str) -> Kept:
        """A value that stands in several columns, put together."""
        given = raw.split(JOINT)
        if len(given) != len(self.column.join) or any(_CONTROL.search(part) for part in given):
            return RowFault.CONTROL
        parts = [_cleaned(part) for part in given]
        if any(part in FORMULA_ERRORS for part in parts):
            return RowFault.FORMULA_ERROR
        if self.column.whole and not all(parts):
            return self._settled("")
        if self.column.type in ("date", "month"):
            return self._settled(joined_date(parts, self.column))
        if self.column.type in ("integer", "decimal"):
            return self._sum([self._settled(part) for part in parts if part])
        text = self.column.between.join(part for part in parts if part)
        marked = [str(name) for name, part in zip(self.column.join, parts, strict=True) if part.upper() in YES]
        if (
            self.column.type in ("code", "sex")
            and marked
            and len(marked) == sum(map(bool, parts))
            and not self.meaning(text)
        ):
            # Columns of which one is ticked (男 ●, 女): its header is the value.
            return self._settled(marked[0]) if len(marked) == 1 else RowFault.UNKNOWN_CODE
        return self._settled(text)

    def _sum(self, values: list[Kept]) -> Kept:
        """Figures of several columns together (病欠 and 事故欠); put side by side their digits would be another figure."""
        fault = next((value for value in values if isinstance(value, RowFault)), None)
        if fault:
            return fault
        told = [Decimal(value) for value in values if value is not None]
        return self._settled(f"{sum(told):f}" if told else "")

    def meaning(self, text: str) -> str | None:
        """The declared meaning of a printed code: as printed, in half width, or without leading zeros."""
        folded = _folded(text)
        return self._meanings.get(text) or self._meanings.get(folded) or self._meanings.get(_bare(folded))


def part_as_read(text: str, column: LayoutColumn, meanings: Mapping[str, str]) -> str:
    """A printed cell as it becomes part of a joined number: its lost zeros put back, its code spelt out.

    One office prints a school as 1, another as 01 or by its name: one number may be made of all three.
    """
    folded = _folded(text)
    if column.digits and folded.isdigit():
        return folded.zfill(column.digits)
    return meanings.get(folded) or meanings.get(_bare(folded)) or text


def meanings_of(column: LayoutColumn) -> dict[str, str]:
    """Ways a code may be printed -> its meaning. Declared spellings win; a spelling without zeros must be unambiguous."""
    bare: dict[str, str] = {}
    clashes: set[str] = set()
    for code, meaning in column.codes.items():
        key = _bare(_folded(code))
        if bare.setdefault(key, meaning) != meaning:
            clashes.add(key)
    loose = {key: meaning for key, meaning in bare.items() if key not in clashes}
    own = {meaning: meaning for meaning in column.codes.values()}
    return {**loose, **own, **{_folded(c): m for c, m in column.codes.items()}, **column.codes}


def _bare(text: str) -> str:
    return text.lstrip("0") or "0" if text.isdigit() else text


def _folded(text: str) -> str:
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _cleaned(raw: str) -> str:
    """Without spaces at both ends and the ="…" with which Excel is made to keep leading zeros."""
    text = raw.strip()
    found = _EXCEL_TEXT.match(text) if text[:2] == '="' else None
    return found.group(1).strip() if found else text


# One function per type: text that is not blank -> what is kept, or a fault -------------------------


def _text(text: str, reader: ColumnReader) -> Kept:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _identifier(text: str, reader: ColumnReader) -> Kept:
    """An identifier is a string of characters, not a number: its zeros stay, and lost ones are put back if told how many."""
    number = _folded(text).lstrip("'")
    if reader.column.digits and number.isdigit():
        number = number.zfill(reader.column.digits)
    return number or None


def _number(text: str, reader: ColumnReader) -> Kept:
    plain = _folded(text).replace(",", "").replace(" ", "")
    unit = next((unit for unit in reader._units if unit and plain.endswith(unit)), "")
    plain = plain[: len(plain) - len(unit)]
    if plain.startswith("(") and plain.endswith(")"):
        plain = "-" + plain[1:-1]  # how books print a negative number
    found = _NUMBER.match(plain)
    if not found:
        return RowFault.NOT_NUMBER
    fraction = (found["part"] or "").rstrip("0").rstrip(".")
    if fraction and reader.column.type == "integer":
        return RowFault.NOT_NUMBER
    sign = "-" if found["sign"] in ("-", "△", "▲") else ""
    whole = str(int(found["whole"]))
    value = float(f"{sign}{whole}{fraction}")
    low, high = reader.column.minimum, reader.column.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return RowFault.OUT_OF_RANGE
    return f"{sign if value else ''}{whole}{fraction}"


def _date(text: str, reader: ColumnReader) -> Kept:
    if reader.column.century and (short := _SHORT_YEAR.match(_folded(text))):
        text = f"{reader.column.century}{short.group()}"
    elif _SERIAL_WITH_TIME.match(text):
        text = text.partition(".")[0]
    found = (read_month if reader.column.type == "month" else read_date)(text, reader.column.era)
    if found.is_readable:
        reader.doubts.update(d for d in found.doubts if d != "serial")
        return found.value
    if "no_era" in found.doubts:
        return RowFault.NO_ERA
    if reader.column.type == "date" and (day := read_day_of_year(text)):
        # Its year stands in another column of the row, and is put before it when that is read.
        return day if reader.column.year_from else RowFault.NO_YEAR
    return RowFault.NOT_MONTH if reader.column.type == "month" else RowFault.NOT_DATE


_SHORT_YEAR = re.compile(r"^\d{2}(?:[./年-]\d{1,2}(?:[./月-]\d{1,2}日?)?月?|\d{2}|\d{4})$")
_SERIAL_WITH_TIME = re.compile(r"^\d{5}\.\d+$")
_FISCAL_YEAR = re.compile(r"^(?P<year>\D*\d{1,4}|\D+元)年?度?$")


def _fiscal_year(text: str, reader: ColumnReader) -> Kept:
    """A fiscal year (年度) as its first day."""
    year = western_fiscal_year(text)
    return f"{year}-04-01" if year else RowFault.NOT_DATE


def western_fiscal_year(text: str) -> str:
    """A written fiscal year (R6, 令和6年度, 2024), or that of a month or day (202502, R7.2.3), in four western digits.

    Empty for anything else. A file named by its month says by this of which year its numbers are.
    """
    found = _FISCAL_YEAR.match(_folded(text).replace(" ", ""))
    year = _year_of(found["year"]) if found else None
    month = "" if year else read_month(text).value or ""
    if month:
        year = int(month[:4]) - (int(month[5:]) < 4)
    return f"{year:04d}" if year else ""


def _year_of(text: str) -> int | None:
    """The western year that 2025, 令和7, R7 or 507 (元号コード + 年) mean."""
    if text.isdigit() and len(text) == 3:
        text = f"{text}0401"
    elif not text.isdigit():
        text = f"{text}年4月1日"
    elif len(text) < 4:
        return None
    value = read_date(text).value
    return int(value[:4]) if value else None


_ERA_WORDS = {"1": "明治", "2": "大正", "3": "昭和", "4": "平成", "5": "令和"}
"""住民基本台帳システムの年号コード; two digits in the 中間標準レイアウト (05)."""


def joined_date(parts: list[str], column: LayoutColumn) -> str:
    """A date or month whose era, year, month and day stand in columns of their own, as one written date.

    Where no era is printed apart, the year is western or carries its own. With ``fiscal`` the year
    is a fiscal year, and January to March belong to the next one.

    >>> from kodomo.intake.layout import LayoutColumn
    >>> joined_date(["5", "05", "4", "1"], LayoutColumn("生年月日", "date", join=("元", "年", "月", "日")))
    '令和5年4月1日'
    """
    plain = [_folded(part).rstrip("年月日度") if len(part) > 1 else _folded(part) for part in parts]
    if not any(plain):
        return ""
    figures = 3 if column.type == "date" else 2
    is_year = len(plain) <= figures and any(c.isdigit() for c in plain[0])
    era, rest = ("", plain) if is_year else (plain[0], plain[1:])
    if len(plain) == 2 and column.type == "date":
        era, rest = plain[0], plain[1:]
    era = _ERA_WORDS.get(era.lstrip("0"), era) or column.era
    if len(rest) == 1:
        return _undivided(era, rest[0])
    year, month = rest[0], rest[1].lstrip("0") or rest[1]
    if column.fiscal and month in ("1", "2", "3"):
        western = _year_of(f"{era}{year}")
        era, year = ("", str(western + 1)) if western else (era, year)
    year = year.lstrip("0") or year if era else year
    day = f"{rest[2].lstrip('0') or rest[2]}日" if len(rest) > 2 and rest[2] else ""
    return f"{era}{year}年{month}月{day}" if month else f"{era}{year}年"


def _undivided(era: str, digits: str) -> str:
    """050401 under its era."""
    if era and digits.isdigit() and len(digits) in (4, 6):
        return f"{era}{int(digits[:2])}年{int(digits[2:4])}月" + (f"{int(digits[4:])}日" if digits[4:] else "")
    return f"{era}{digits}"


def _flag(text: str, reader: ColumnReader) -> Kept:
    declared = reader.meaning(text)
    if declared:
        return declared
    folded = _folded(text).upper()
    if folded in ("-", "ー"):
        return None
    if text in YES or folded in YES:
        return "1"
    return "0" if text in NO or folded in NO else _other(reader, RowFault.NOT_FLAG)


def _code(text: str, reader: ColumnReader) -> Kept:
    return reader.meaning(text) or _other(reader, RowFault.UNKNOWN_CODE)


def _other(reader: ColumnReader, fault: RowFault) -> Kept:
    """What a value that no code table knows means: what the layout says, or a fault."""
    return fault if reader.column.other is None else reader.column.other or None


def _sex(text: str, reader: ColumnReader) -> Kept:
    word = (reader.meaning(text) or _folded(text)).upper()
    for kept, words in (("男", MALE), ("女", FEMALE), ("その他", OTHER_SEX)):
        if word in words:
            return kept
    return None if word in UNKNOWN_SEX else _other(reader, RowFault.NOT_SEX)


_READERS: dict[str, Callable[[str, ColumnReader], Kept]] = {
    "identifier": _identifier, "integer": _number, "decimal": _number, "date": _date, "month": _date,
    "flag": _flag, "code": _code, "sex": _sex, "fiscal_year": _fiscal_year,
}  # fmt: skip

"""One column's printed values into the form that is kept, each distinct value worked out once (identity side).

The kept form is text or None: dates in ISO 8601, numbers without commas, codes as their meanings,
flags as 1 and 0, sex as 男, 女 or その他, everything else as printed. A blank is None, never zero.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kodomo.intake.dates import read_date, read_month
from kodomo.intake.decode import DAMAGED
from kodomo.intake.layout import LayoutColumn
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault

Kept = str | None | RowFault

YES = frozenset(
    ["○", "◯", "〇", "●", "◎", "1", "✓", "✔", "レ", "有", "あり", "有り", "済", "該当", "はい", "Y", "YES", "TRUE"]
)
NO = frozenset(["×", "✕", "✖", "✗", "☓", "0", "無", "なし", "無し", "未", "非該当", "いいえ", "N", "NO", "FALSE"])

MALE = frozenset(["1", "男", "男性", "男子", "男児", "M", "MALE"])
FEMALE = frozenset(["2", "女", "女性", "女子", "女児", "F", "FEMALE"])
OTHER_SEX = frozenset(["9", "その他"])
UNKNOWN_SEX = frozenset(["0", "不明", "未回答"])

FORMULA_ERRORS = frozenset(["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#####"])
DITTO = frozenset(["〃", "々", "同上", '"', "''"])

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EXCEL_TEXT = re.compile(r'^="(.*)"$')
_NUMBER = re.compile(
    r"^(?P<sign>[+\-△▲])?(?P<whole>\d+)(?P<part>\.\d+)?(?:日|回|人|点|円|歳|才|か月|ヶ月|カ月|年生|年|本|週|件|%|m3|㎥|㎡)?$"
)

MEMO_LIMIT = 300_000


@dataclass
class ColumnReader:
    """Reads one declared column. Holds what it worked out, for the length of one file only."""

    column: LayoutColumn
    limits: Limits
    memo: dict[str, Kept] = field(default_factory=dict)
    doubts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._meanings = _meanings(self.column)
        self._unknown = {_folded(word) for word in self.column.unknown}
        self._faulty: set[str] = set()
        self._read = _READERS.get(self.column.type, _text)

    def learn(self, distinct: set[str]) -> bool:
        """Work out values not met before; says whether any of ``distinct`` is at fault."""
        if len(self.memo) > MEMO_LIMIT:
            self.memo.clear()
            self._faulty.clear()
        for raw in distinct - self.memo.keys():
            self.memo[raw] = kept = self._value(raw)
            if isinstance(kept, RowFault):
                self._faulty.add(raw)
        return not self._faulty.isdisjoint(distinct)

    def _value(self, raw: str) -> Kept:
        if len(raw) > self.limits.cell_characters:
            return RowFault.TOO_LONG
        if DAMAGED.search(raw):
            return RowFault.UNDECODABLE
        if _CONTROL.search(raw):
            return RowFault.CONTROL
        text = _cleaned(raw)
        if text in FORMULA_ERRORS:
            return RowFault.FORMULA_ERROR
        if text in DITTO and self.column.type not in ("text", "flag"):
            return RowFault.DITTO
        kept = None if not text or _folded(text) in self._unknown else self._read(text, self)
        return RowFault.MISSING if kept is None and self.column.required and not text else kept

    def meaning(self, text: str) -> str | None:
        """The declared meaning of a printed code: as printed, in half width, or without leading zeros."""
        folded = _folded(text)
        return self._meanings.get(text) or self._meanings.get(folded) or self._meanings.get(_bare(folded))


def _meanings(column: LayoutColumn) -> dict[str, str]:
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
    return unicodedata.normalize("NFKC", text).strip()


def _cleaned(raw: str) -> str:
    """Without spaces at both ends and the ="…" with which Excel is made to keep leading zeros."""
    text = raw.strip()
    found = _EXCEL_TEXT.match(text) if text[:2] == '="' else None
    return found.group(1).strip() if found else text


# One function per type: text that is not blank -> what is kept, or a fault -------------------------


def _text(text: str, reader: ColumnReader) -> Kept:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _identifier(text: str, reader: ColumnReader) -> Kept:
    """An identifier is a string of characters, not a number: its zeros stay."""
    return _folded(text).lstrip("'") or None


def _number(text: str, reader: ColumnReader) -> Kept:
    found = _NUMBER.match(_folded(text).replace(",", "").replace(" ", ""))
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
    found = (read_month if reader.column.type == "month" else read_date)(text, reader.column.era)
    if found.is_readable:
        reader.doubts.update(d for d in found.doubts if d != "serial")
        return found.value
    if "no_era" in found.doubts:
        return RowFault.NO_ERA
    return RowFault.NOT_MONTH if reader.column.type == "month" else RowFault.NOT_DATE


def _flag(text: str, reader: ColumnReader) -> Kept:
    declared = reader.meaning(text)
    if declared:
        return declared
    folded = _folded(text).upper()
    if folded in ("-", "ー"):
        return None
    if text in YES or folded in YES:
        return "1"
    return "0" if text in NO or folded in NO else RowFault.NOT_FLAG


def _code(text: str, reader: ColumnReader) -> Kept:
    return reader.meaning(text) or RowFault.UNKNOWN_CODE


def _sex(text: str, reader: ColumnReader) -> Kept:
    word = (reader.meaning(text) or _folded(text)).upper()
    for kept, words in (("男", MALE), ("女", FEMALE), ("その他", OTHER_SEX)):
        if word in words:
            return kept
    return None if word in UNKNOWN_SEX else RowFault.NOT_SEX


_READERS: dict[str, Callable[[str, ColumnReader], Kept]] = {
    "identifier": _identifier, "integer": _number, "decimal": _number, "date": _date, "month": _date,
    "flag": _flag, "code": _code, "sex": _sex,
}  # fmt: skip

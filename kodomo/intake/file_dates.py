"""The extraction date of a file, as offices write it into a name, a sheet's title or a line above the table (identity side)."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from kodomo.intake.dates import read_date

_NARROW = {0x301C: 0x7E} | {ord(wide): ord(wide) - 0xFEE0 for wide in (chr(code) for code in range(0xFF01, 0xFF5F))}
"""Full width to half, sign by sign: positions stay as they are."""

_ERA = r"(?:令和|平成|(?<![A-Za-z])[RHrh])"
_YEAR = rf"(?:(?<!\d)20\d\d|{_ERA}\s?(?:\d{{1,2}}|元))"
_MARK = r"[-._/]"

_COUNTED = r"\s?(?:回|学期|期|組|次|号|枚|部|校|班|人|歳|才|クラス|[かヶケカヵ]月|年生|gakki|kai|ki(?![A-Za-z])|kumi|han(?![A-Za-z]))"
"""R6_1回 is the first time in 令和6年度, not its January."""

_DAYS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)((?:19|20)\d{6})(?=(?:\d{4}|\d{6})?(?!\d))",
        rf"({_YEAR}年\s?\d{{1,2}}月\s?\d{{1,2}}日)",
        rf"({_YEAR}{_MARK}\d{{1,2}}{_MARK}\d{{1,2}})(?!\d)",
        rf"({_ERA}\d{{6}})(?!\d)",
        r"(?<!\d)([45]\d{6})(?!\d)",
    )
)
"""A day in one of the notations that can't be another: 250401 might be of 平成, and isn't read."""

_MONTHS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"({_YEAR})年\s?(\d{{1,2}})月(?:分?[~-](\d{{1,2}})月)?",
        rf"({_YEAR})(?:[-./](\d{{1,2}})|_(\d{{2}}))(?![\d年]|{_MARK}\d|{_COUNTED})",
        rf"({_ERA}\d{{2}})(0[1-9]|1[0-2])(?:[~-](\d{{2}}))?(?!\d)",
        r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(?:[~-](\d{2}))?(?!\d)",
    )
)
"""A month, or two months of one year, of which the later counts."""

_MONTH_OF_YEAR = re.compile(rf"({_YEAR})年度[^\d]{{0,20}}(\d{{1,2}})月")


@dataclass(frozen=True)
class Written:
    """A date and the place where it is written; of a month its last day."""

    on: dt.date
    start: int
    end: int


def date_in(text: str) -> Written | None:
    """The latest day that a text names, in whatever notation; where it names no day, the end of its latest month.

    >>> date_in("異動者一覧(R7.4.30現在).csv").on, date_in("令和7年度_出欠_1月分.xlsx").on
    (datetime.date(2025, 4, 30), datetime.date(2026, 1, 31))
    """
    plain = text.translate(_NARROW)
    days = [Written(on, m.start(1), m.end(1)) for p in _DAYS for m in p.finditer(plain) if (on := _on(m.group(1)))]
    months = [] if days else _months(plain)
    return max(days or months, key=lambda found: (found.on, found.end - found.start), default=None)


def date_by(pattern: str, text: str) -> Written | None:
    """The date that a layout's own pattern encloses in ( ); of several ( ) the parts are year, month and day.

    A year of two digits counts as 20xx.
    """
    found = re.search(pattern, text)
    if not found or any(part is None for part in found.groups()):
        return None
    parts = [part.strip() for part in found.groups()]
    if len(parts) > 1 and re.fullmatch(r"\d\d", parts[0]):
        parts[0] = f"20{parts[0]}"  # nothing was extracted in another century
    on = _on("-".join(parts))
    return Written(on, found.start(1), found.end(found.re.groups)) if on else None


def _months(text: str) -> list[Written]:
    """Months, as their last days; 令和7年度 … 1月 is January of 令和8年."""
    found = []
    for match in (m for pattern in _MONTHS for m in pattern.finditer(text)):
        on = _on(f"{match.group(1)}年{match.group(3) or match.group(2)}月")
        found += [Written(on, match.start(1), match.end())] if on else []
    for match in _MONTH_OF_YEAR.finditer(text):
        april, month = _on(f"{match.group(1)}年4月"), int(match.group(2))
        if april and 1 <= month <= 12:
            found.append(Written(_end(april.year + (month < 4), month), match.start(1), match.end()))
    return found


def _on(text: str) -> dt.date | None:
    """A day, or the last day of a month; None for anything else, and for days that no delivery was made on."""
    written = read_date(text).value
    if not written or not "1989" <= written[:4] <= "2099":
        return None
    if len(written) == 7:
        return _end(int(written[:4]), int(written[5:]))
    return dt.date.fromisoformat(written) if len(written) == 10 else None


def _end(year: int, month: int) -> dt.date:
    return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


YEARS = (
    r"((?:令和|平成|R|H)?(?:\d+|元)年度)", r"(?<![A-Za-z])([RH]\d{1,2})(?![\d年]|\.\d)", r"(?<!\d)(20\d\d)(?!\d)",
)  # fmt: skip


_FIRST_MONTH = r"((?:(?<!\d)20\d\d|(?:令和|平成|(?<![A-Za-z])[RH])(?:\d{1,2}|元))年\d{1,2})(?=月|[-~〜]\d{1,2}月)"
"""2024年1-3月 is of the fiscal year 2023: the month has to be read with the year."""

_SPAN = re.compile(_FIRST_MONTH + r"(?:[-~〜](\d{1,2}))?")


def _spans(name: str) -> bool:
    """Whether a name tells months, and all of one fiscal year."""
    found = _SPAN.search(name)
    if not found:
        return False
    first = int(found[1].rpartition("年")[2])
    return (first < 4) == (int(found[2] or first) < 4)


def year_match(names: Sequence[str]) -> str:
    """A pattern around the fiscal year that every one of some names tells, or nothing.

    >>> bool(re.search(year_match(["名簿_2024年1-3月.csv", "名簿_2024年4-6月.csv"]), "名簿_2024年1-3月.csv")[1] == "2024年1")
    True
    """
    plain = [unicodedata.normalize("NFKC", name) for name in names]
    if plain and all(map(_spans, plain)) and not any("年度" in name for name in plain):
        return _FIRST_MONTH
    return next((p for p in YEARS if plain and all(re.search(p, name) for name in plain)), "")


_MONTHS_IN_NAMES = (
    r"((?:令和|平成|R|H)?(?:\d{1,4}|元)年\d{1,2}月)",
    r"((?:令和|平成|R|H)?(?:\d+|元)年度[^\d]{0,20}\d{1,2}月)(?!末|現在|時点)",
    r"(?<![A-Za-z])([RH](?:\d{2}(?:0[1-9]|1[0-2])|\d{1,2}\.(?:0?[1-9]|1[0-2])))(?!\.?\d)",
    r"(?<!\d)(20\d\d(?:0[1-9]|1[0-2]))(?!\d)",
    r"(?<!\d)(20\d\d[-_.](?:0[1-9]|1[0-2]))(?![\d-])",
)


def month_in_names(names: Sequence[str]) -> str:
    """A pattern around the month that every one of some names tells, or nothing.

    >>> month_in_names(["支払明細_R0606.tsv"]) == month_in_names(["支払明細_R06.10.tsv"]) != ""
    True
    """
    named = [unicodedata.normalize("NFKC", name) for name in names]
    return next((p for p in _MONTHS_IN_NAMES if named and all(re.search(p, name) for name in named)), "")

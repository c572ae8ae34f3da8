"""Dates as Japanese offices write them: 和暦 beside the Western year (casework side)."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

ERAS = (
    (dt.date(2019, 5, 1), "令和"),
    (dt.date(1989, 1, 8), "平成"),
    (dt.date(1926, 12, 25), "昭和"),
    (dt.date(1912, 7, 30), "大正"),
    (dt.date(1873, 1, 1), "明治"),
)
"""First day of each era. Before 1873 the old calendar was in use; such dates are shown without an era."""


def era_year(day: dt.date) -> str:
    """The era and year, the first being 元年.

    >>> era_year(dt.date(2019, 4, 30)), era_year(dt.date(2019, 5, 1)), era_year(dt.date(2026, 3, 31))
    ('平成31年', '令和元年', '令和8年')
    """
    for first, name in ERAS:
        if day >= first:
            year = day.year - first.year + (6 if name == "明治" else 1)
            return f"{name}{'元' if year == 1 else year}年"
    return ""


def long_date(day: dt.date) -> str:
    """A date in full: 2026年3月31日(令和8年)."""
    era = era_year(day)
    return f"{day.year}年{day.month}月{day.day}日" + (f"({era})" if era else "")


def short_date(day: dt.date) -> str:
    """A date for a table: 2026/03/31(令8)."""
    era = era_year(day)
    return f"{day:%Y/%m/%d}" + (f"({era[0]}{era[2:-1]})" if era else "")


def fiscal_year_label(year: int) -> str:
    """年度 as offices call it: 令和7年度.

    >>> fiscal_year_label(2025)
    '令和7年度'
    """
    return f"{era_year(dt.date(year, 5, 1))}度"


_LETTERS = {"R": "令和", "H": "平成", "S": "昭和", "T": "大正", "M": "明治"}
_WESTERN = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_ERA = re.compile(r"(令和|平成|昭和|大正|明治|[RHSTM])(元|\d{1,2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.IGNORECASE)


def read_date(text: str) -> dt.date:
    """A date as hands write it: 2026-05-10, 2026年5月10日, 令和8年5月10日, R8.5.10; full width too.

    >>> read_date("R8.5.10") == read_date("令和8年5月10日") == read_date("2026/5/10")
    True

    Raises:
        ValueError: no such date, or a day outside the era it names.
    """
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    western = _WESTERN.fullmatch(plain)
    if western:
        return dt.date(*(int(part) for part in western.groups()))
    written = _ERA.fullmatch(plain)
    if not written:
        raise ValueError("not a date")
    name = _LETTERS.get(written[1].upper(), written[1])
    first = next(first for first, known in ERAS if known == name)
    year = 1 if written[2] == "元" else int(written[2])
    day = dt.date(first.year + year - (6 if name == "明治" else 1), int(written[3]), int(written[4]))
    if not era_year(day).startswith(name):
        raise ValueError("outside the era")
    return day

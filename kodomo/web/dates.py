"""Dates as Japanese offices write them: 和暦 beside the Western year (casework side)."""

from __future__ import annotations

import datetime as dt

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
    """年度 with its era: 2025年度(令和7年度)."""
    return f"{year}年度({era_year(dt.date(year, 5, 1))}度)"

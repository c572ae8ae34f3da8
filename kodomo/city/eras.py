"""Dates as municipal systems print them: 和暦 in its several notations and 西暦 (synthetic city)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

ERAS = (
    (dt.date(2019, 5, 1).toordinal(), "令和", "R", 5, 2018),
    (dt.date(1989, 1, 8).toordinal(), "平成", "H", 4, 1988),
    (dt.date(1926, 12, 25).toordinal(), "昭和", "S", 3, 1925),
    (dt.date(1912, 7, 30).toordinal(), "大正", "T", 2, 1911),
)
"""First day, name, letter, number code and the year before year one."""

Notation = Callable[[int], str]


def _era(ordinal: int) -> tuple[str, str, int, int, int, int]:
    day = dt.date.fromordinal(ordinal)
    for first, name, letter, code, before in ERAS:
        if ordinal >= first:
            return name, letter, code, day.year - before, day.month, day.day
    raise ValueError("明治以前の日付は扱わない")


@lru_cache(maxsize=100_000)
def kanji(ordinal: int) -> str:
    """令和5年4月1日; the first year is 元年."""
    name, _, _, year, month, day = _era(ordinal)
    return f"{name}{'元' if year == 1 else year}年{month}月{day}日"


@lru_cache(maxsize=100_000)
def letters(ordinal: int) -> str:
    """R05.04.01."""
    _, letter, _, year, month, day = _era(ordinal)
    return f"{letter}{year:02d}.{month:02d}.{day:02d}"


@lru_cache(maxsize=100_000)
def short_letters(ordinal: int) -> str:
    """R5.4.1."""
    _, letter, _, year, month, day = _era(ordinal)
    return f"{letter}{year}.{month}.{day}"


@lru_cache(maxsize=100_000)
def seven_digits(ordinal: int) -> str:
    """5050401: the era's number, then yymmdd."""
    _, _, code, year, month, day = _era(ordinal)
    return f"{code}{year:02d}{month:02d}{day:02d}"


@lru_cache(maxsize=100_000)
def slashes(ordinal: int) -> str:
    """2023/04/01."""
    return dt.date.fromordinal(ordinal).strftime("%Y/%m/%d")


@lru_cache(maxsize=100_000)
def short_slashes(ordinal: int) -> str:
    """2023/4/1."""
    day = dt.date.fromordinal(ordinal)
    return f"{day.year}/{day.month}/{day.day}"


@lru_cache(maxsize=100_000)
def overrun(ordinal: int) -> str:
    """The date in the era before its own, as a form printed too early has it: 平成31年5月1日.

    Only for dates within a year of an era's beginning; others come out right.
    """
    day = dt.date.fromordinal(ordinal)
    for (first, *_), (_, name, _, _, before) in pairwise(ERAS):
        if first <= ordinal < first + 300:
            return f"{name}{day.year - before}年{day.month}月{day.day}日"
    return kanji(ordinal)


def month_start(year: int, month: int, shift: int = 0) -> int:
    """The ordinal of the first day of a month, ``shift`` months later."""
    index = year * 12 + month - 1 + shift
    return dt.date(index // 12, index % 12 + 1, 1).toordinal()


def school_year(ordinal: int) -> int:
    """年度: April to March."""
    day = dt.date.fromordinal(ordinal)
    return day.year if day.month >= 4 else day.year - 1


def grade_in(born: int, year: int) -> int:
    """Grade in a school year: 1–6 elementary, 7–9 junior high; below 1 before school, above 9 after.

    年齢計算ニ関スル法律 lets a person reach an age on the day before the birthday, so those born on
    1 April belong to the earlier school year (学校教育法17条).
    """
    day = dt.date.fromordinal(born - 1)
    first_year = (day.year if day.month >= 4 else day.year - 1) + 7
    return year - first_year + 1


def age_on(born: int, ordinal: int) -> int:
    """Completed years of age, counted by birthdays."""
    birth, day = dt.date.fromordinal(born), dt.date.fromordinal(ordinal)
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))

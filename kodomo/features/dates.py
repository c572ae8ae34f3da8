"""Dates as the city hall counts them: windows that end with a date, ages, school grades (analysis side)."""

from __future__ import annotations

import calendar
import datetime as dt

import numpy as np
from numpy.typing import NDArray

from kodomo.terms import AgeBand

ADULT_MONTHS = 216
"""満18歳: who counts as a grown-up in a household (児童福祉法4条)."""
OLDEST = 18
"""The last year of age anybody is judged at."""
LAST_GRADE = 12
"""高校3年: a child is judged until the end of the school year in which it turns 18, as 児童手当法3条 and 児童扶養手当法3条
count (18歳に達する日以後の最初の3月31日まで), and as a pupil caring for the family is still one (子ども・若者育成支援推進法2条7号).
A type that the law ends at 18 says so by its ``ages`` (虐待: 児童福祉法4条)."""


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day some months earlier, or the month's last when it has no such day.

    >>> months_before(dt.date(2024, 3, 31), 1)
    datetime.date(2024, 2, 29)
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def window_start(as_of: dt.date, months: int) -> dt.date:
    """First day of the window of so many months that ends with ``as_of``, that day included.

    >>> window_start(dt.date(2026, 3, 31), 3)
    datetime.date(2026, 1, 1)
    >>> window_start(dt.date(2024, 2, 29), 12)
    datetime.date(2023, 3, 1)
    """
    return months_before(as_of + dt.timedelta(days=1), months)


def school_year(as_of: dt.date) -> int:
    """年度: April to March."""
    return as_of.year if as_of.month >= 4 else as_of.year - 1


def month_index(day: dt.date) -> int:
    """Months since year 0, for differences between months."""
    return day.year * 12 + day.month - 1


def school_grade(as_of: dt.date, school_year_born: NDArray[np.float64]) -> NDArray[np.float64]:
    """学年 1–9 on a date; below 1 before school, above 9 after junior high school (no repeating).

    A child born 2 April 2015 to 1 April 2016 has ``school_year_born`` 2015 and enters school in
    April 2022; the law (学校教育法17条) counts the day before the sixth birthday, so 1 April belongs to
    the earlier year.

    >>> school_grade(dt.date(2022, 4, 1), np.array([2015.0, 2016.0]))
    array([1., 0.])
    """
    return np.asarray(school_year(as_of) - school_year_born - 6, dtype=np.float64)


def age_band(grade: NDArray[np.float64], age_years: NDArray[np.int32]) -> NDArray[np.str_]:
    """年齢区分 by grade; by age where the school year of birth is not known."""
    assumed = np.where(np.isnan(grade), age_years - 6.0, grade)
    return np.select(
        [assumed < 1, assumed <= 6, assumed <= 9],
        [AgeBand.PRESCHOOL.value, AgeBand.ELEMENTARY.value, AgeBand.JUNIOR_HIGH.value],
        AgeBand.OLDER.value,
    )

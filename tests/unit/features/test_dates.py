"""Ages, grades and windows at the edges of the calendar."""

from __future__ import annotations

import numpy as np
import pytest

from features.factory import day
from kodomo.features.dates import age_band, months_before, school_grade, window_start


@pytest.mark.parametrize(
    ("as_of", "months", "start"),
    [
        ("2026-03-31", 1, "2026-03-01"),
        ("2026-03-31", 12, "2025-04-01"),
        ("2024-02-29", 1, "2024-02-01"),
        ("2024-02-29", 12, "2023-03-01"),
        ("2023-02-28", 12, "2022-03-01"),
        ("2024-02-28", 12, "2023-02-28"),
        ("2025-03-30", 1, "2025-02-28"),
        ("2026-04-01", 3, "2026-01-02"),
    ],
)
def test_window_ends_with_the_date_and_spans_whole_months(as_of: str, months: int, start: str) -> None:
    assert window_start(day(as_of), months) == day(start)


def test_months_before_the_29th_of_february() -> None:
    assert months_before(day("2024-02-29"), 12) == day("2023-02-28")


@pytest.mark.parametrize(
    ("as_of", "born_year", "grade"),
    [
        # Born 1 April 2016: school year of birth 2015, so in school a year before one born on 2 April 2016.
        ("2022-03-31", 2015, 0),
        ("2022-04-01", 2015, 1),
        ("2022-04-01", 2016, 0),
        ("2028-03-31", 2015, 6),
        ("2028-04-01", 2015, 7),
        ("2031-03-31", 2015, 9),
        ("2031-04-01", 2015, 10),
    ],
)
def test_school_grade_turns_on_the_first_of_april(as_of: str, born_year: int, grade: int) -> None:
    assert school_grade(day(as_of), np.array([float(born_year)]))[0] == grade


def test_age_band_follows_the_grade_and_falls_back_on_age() -> None:
    grades = np.array([0.0, 1.0, 6.0, 7.0, 9.0, 10.0, np.nan, np.nan])
    ages = np.array([6, 6, 12, 12, 15, 15, 3, 8], dtype=np.int32)
    expected = [
        "PRESCHOOL",
        "ELEMENTARY",
        "ELEMENTARY",
        "JUNIOR_HIGH",
        "JUNIOR_HIGH",
        "OLDER",
        "PRESCHOOL",
        "ELEMENTARY",
    ]
    assert age_band(grades, ages).tolist() == expected

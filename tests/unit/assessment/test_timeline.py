from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kodomo.assessment.timeline import Fact

FIRST = dt.date(2025, 11, 14)


def fact(valid_to: dt.date | None) -> Fact:
    nothing: Any = None
    return Fact("本人", "x", "相談", None, "家庭", FIRST, valid_to, FIRST, "児童相談", "福祉課", nothing, False)


@pytest.mark.parametrize(
    ("valid_to", "last_day"),
    [
        (FIRST, None),
        (FIRST + dt.timedelta(days=1), None),
        (FIRST + dt.timedelta(days=2), FIRST + dt.timedelta(days=1)),
        (dt.date(2026, 4, 1), dt.date(2026, 3, 31)),
        (None, None),
    ],
    ids=["empty spell", "one day", "two days", "a school year", "still holds"],
)
def test_a_fact_of_one_day_has_one_date(valid_to: dt.date | None, last_day: dt.date | None) -> None:
    """``valid_to`` is the first day on which it no longer holds: nobody reads the day after as part of it."""
    assert fact(valid_to).last_day == last_day

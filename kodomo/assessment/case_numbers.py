"""Case numbers (仮番号): the fiscal year, six digits drawn at random and a check digit (casework side)."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection

_WEIGHTS = (7, 3, 1, 7, 3, 1)


def fiscal_year(day: dt.date) -> int:
    """年度: from 1 April to 31 March.

    >>> fiscal_year(dt.date(2026, 3, 31)), fiscal_year(dt.date(2026, 4, 1))
    (2025, 2026)
    """
    return day.year if day.month >= 4 else day.year - 1


def new_case_number(day: dt.date, taken: Collection[str], numbers: random.Random) -> str:
    """Draw a number that is not taken.

    Drawn, not counted nor derived: neither the child key nor the order of review can be read
    from it. The last digit lets a number misheard on the telephone be noticed.
    """
    while True:
        digits = f"{numbers.randrange(1_000_000):06d}"
        number = f"{fiscal_year(day)}-{digits}{check_digit(digits)}"
        if number not in taken:
            return number


def check_digit(digits: str) -> int:
    """The digit that makes the weighted sum a multiple of ten.

    >>> check_digit("000123")
    4
    """
    return -sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 10


def is_case_number(text: str) -> bool:
    """Whether the text is shaped like a case number and its check digit fits."""
    year, _, digits = text.partition("-")
    if not (len(year) == 4 and len(digits) == 7 and (year + digits).isascii() and (year + digits).isdigit()):
        return False
    return check_digit(digits[:6]) == int(digits[6])

"""Case numbers (仮番号): the fiscal year, six digits drawn at random and a check digit (casework side)."""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from collections.abc import Collection

_WEIGHTS = (7, 3, 1, 7, 3, 1)

_LINES = frozenset("-‐‑‒–—―−ー")
"""Whatever a keyboard gives for the line between year and number."""


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


def as_case_number(text: str) -> str:
    """What somebody typed for a case number, with the digits and the line of a case number.

    >>> as_case_number(" ２０２６－0001234 ")
    '2026-0001234'
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    return "".join("-" if ch in _LINES else ch for ch in plain)


def is_case_number(text: str) -> bool:
    """Whether the text is shaped like a case number and its check digit fits."""
    year, _, digits = text.partition("-")
    if not (len(year) == 4 and len(digits) == 7 and (year + digits).isascii() and (year + digits).isdigit()):
        return False
    return check_digit(digits[:6]) == int(digits[6])

"""Recognises 個人番号 (My Number), so that a file carrying them is turned away whole (identity side).

番号法 lets nobody use them for this undertaking. A number is twelve digits, the last a check digit
(行政手続における特定の個人を識別するための番号の利用等に関する法律の規定による通知カード及び個人番号カード並びに
情報提供ネットワークシステムによる特定個人情報の提供等に関する省令 第5条). One in about ten
arbitrary twelve-digit numbers passes by chance, so a column is judged by most of its values.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

SUSPECT_HEADERS = ("個人番号", "マイナンバー", "住民票コード", "mynumber", "my number", "myno")

_OFFICES = "健診|検診|健管|健康|保健|接種|予診|台帳|整理|管理|システム|施設|独自"
_OFFICES_OWN = re.compile(f"({_OFFICES})(受診者|対象者)?個人番号|個人番号\\(({_OFFICES})[^)]*\\)")
"""A number that an office gives to persons itself, 健診個人番号 or 個人番号(健康): it is short, and an 個人番号 has twelve digits (番号法施行規則・省令第5条)."""

SHORT = 10
"""Fewer digits than this are no 個人番号, not even one whose leading zeros were lost."""

FEWEST = 3
"""Fewer distinct valid numbers than this may be chance."""

SEEN_LIMIT = 200_000

_SEPARATORS = re.compile(r"[\s\-‐‑‒–—―−ー]")
_TWELVE = re.compile(r"(?<!\d)\d{12}(?!\d)")
_MAY_HOLD_TWELVE = re.compile(rf"\d(?:{_SEPARATORS.pattern}*\d){{11}}")
"""Twelve digits on end, in whatever parts: of most columns no cell at all, so that they are looked at together."""
_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
"""Q11 … Q1 of 省令第5条: n+1 for n ≤ 6, n−5 above, counted from the lowest digit but the check digit."""


def has_valid_check_digit(digits: str) -> bool:
    """Whether twelve digits end in their check digit: 11 − (ΣPn·Qn mod 11), or 0 where that remainder is 0 or 1.

    >>> has_valid_check_digit("123456789018"), has_valid_check_digit("123456789012")
    (True, False)
    """
    remainder = sum(int(d) * w for d, w in zip(digits[:11], _WEIGHTS, strict=True)) % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)


def twelve_digits_in(cell: str) -> str | None:
    """Twelve digits that a cell consists of or contains, in any width and however separated; else None."""
    if len(cell) < 12:
        return None
    plain = unicodedata.normalize("NFKC", cell)
    joined = _SEPARATORS.sub("", plain)
    if len(joined) == 12 and joined.isascii() and joined.isdigit():
        return joined
    found = _TWELVE.search(plain)
    return found.group() if found and found.group().isascii() else None


def is_suspect_header(header: str) -> bool:
    """Whether a column's printed name says that it holds such numbers."""
    plain = unicodedata.normalize("NFKC", header).lower()
    return any(word in plain for word in SUSPECT_HEADERS)


def is_offices_own(header: str) -> bool:
    """Whether a column's printed name says that its 個人番号 is a number of an office's own system."""
    return bool(_OFFICES_OWN.search(unicodedata.normalize("NFKC", header)))


@dataclass
class NumberWatch:
    """Watches one column. Keeps only the few distinct valid values it needs to decide, never shows them."""

    header: str
    valid: set[str] = field(default_factory=set)
    valid_count: int = 0
    invalid_count: int = 0
    filled: bool = False
    longest: int = 0
    """Digits of the longest value, where the name is an office's own."""
    _seen: set[str] = field(default_factory=set)

    def look(self, distinct_cells: set[str]) -> None:
        """Take in the distinct values of some rows."""
        if not self.filled:
            self.filled = any(cell.strip() for cell in distinct_cells)
        if is_offices_own(self.header):
            self.longest = max([self.longest, *(len(re.findall(r"\d", cell)) for cell in distinct_cells)])
        long = [cell for cell in distinct_cells if len(cell) > 11]
        if not long or not _MAY_HOLD_TWELVE.search(unicodedata.normalize("NFKC", "\0".join(long))):
            return
        fresh = set(long) - self._seen
        if len(self._seen) > SEEN_LIMIT:
            self._seen.clear()
        self._seen |= fresh
        for cell in fresh:
            if digits := twelve_digits_in(cell):
                self._count(digits)

    def _count(self, digits: str) -> None:
        if not has_valid_check_digit(digits):
            self.invalid_count += 1
            return
        self.valid_count += 1
        if len(self.valid) < FEWEST:
            self.valid.add(digits)

    @property
    def holds_individual_numbers(self) -> bool:
        """A column holds 個人番号 if its name says so and it is filled, or most of its numbers pass the check."""
        if self.filled and is_suspect_header(self.header):
            return not is_offices_own(self.header) or self.longest >= SHORT
        return len(self.valid) >= FEWEST and self.valid_count > self.invalid_count

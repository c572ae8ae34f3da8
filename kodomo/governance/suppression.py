"""Small counts are suppressed and the rest rounded before anyone sees them (crosscutting).

A count of one to ``threshold`` could point at a child; it is not shown. Larger counts are rounded to the
base, so that two tables cannot be subtracted to find one. Zero is shown: it points at nobody. The
threshold and base are the municipality's decision (settings.toml [suppression]).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SUPPRESSED_MARK = "秘匿"


@dataclass(frozen=True)
class Suppression:
    """A municipality's rule."""

    threshold: int
    base: int

    def count(self, number: int) -> int | None:
        """A count as it may be shown; None when it is suppressed.

        >>> rule = Suppression(threshold=7, base=5)
        >>> rule.count(0), rule.count(7), rule.count(13)
        (0, None, 15)
        """
        if number == 0:
            return 0
        if number <= self.threshold:
            return None
        return self.base * round(number / self.base) if self.base > 1 else number

    def counts(self, numbers: Sequence[int]) -> list[int | None]:
        """Counts that add up to a shown total: when exactly one would be suppressed, the next smallest is too.

        Otherwise the one hidden could be had by subtraction.
        """
        shown = [self.count(n) for n in numbers]
        hidden = [i for i, value in enumerate(shown) if value is None]
        if len(hidden) == 1:
            others = [i for i, n in enumerate(numbers) if n > 0 and i not in hidden]
            if others:
                shown[min(others, key=lambda i: (numbers[i], i))] = None
        return shown

    def share(self, part: int, whole: int) -> float | None:
        """A share as it may be shown: None unless part, the rest and the whole are each zero or above the threshold."""
        if whole == 0 or any(0 < n <= self.threshold for n in (part, whole - part, whole)):
            return None
        return part / whole

    def text(self, number: int) -> str:
        """A count as words on a page."""
        shown = self.count(number)
        return SUPPRESSED_MARK if shown is None else f"{shown:,}"

"""What a person sees while a stage works: rows done, rate and time left, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}分{rest:02d}秒" if minutes else f"{rest}秒"


class Progress:
    """One stage's counter.

    Lines go to standard error at most every ``every`` seconds; a terminal overwrites the line,
    a log file gets new ones. ``beat`` is called with the same figures, for the job ledger.

    Args:
        caption: the stage's Japanese name.
        total: rows expected, or None when that is not known.
        rows: when the work is counted in steps, how many rows the steps stand for together; what is
            shown is then their share in rows.
        beat: called with {"caption", "done", "total", "rate", "left"}; used for heartbeats.
    """

    def __init__(
        self,
        caption: str,
        total: int | None = None,
        *,
        unit: str = "行",
        rows: int | None = None,
        every: float = 1.0,
        beat: Callable[[dict[str, object]], None] | None = None,
    ) -> None:
        self.caption, self.total, self.unit, self.every, self.beat = caption, total, unit, every, beat
        self.rows = rows
        self.done = 0
        self.started = time.monotonic()
        self._shown = 0.0

    def add(self, rows: int = 1) -> None:
        """Count rows as done."""
        self.done += rows
        now = time.monotonic()
        if now - self._shown >= self.every and self.done != self.total:
            self._shown = now
            self._show(end="\r" if sys.stderr.isatty() else "\n")

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, counting each."""
        for item in items:
            yield item
            self.add()

    def close(self) -> float:
        """Print the last line; return the seconds the stage took."""
        self.total = self.done
        self._show(end="\n")
        return time.monotonic() - self.started

    def figures(self) -> dict[str, Any]:
        """Caption, rows done and expected, rows per second, seconds left (None when unknown)."""
        spent = max(time.monotonic() - self.started, 1e-9)
        done, total = self.done, self.total
        if self.rows and total:
            done, total = self.rows * done // total, self.rows
        rate = done / spent
        left = (total - done) / rate if total and rate > 0 else None
        return {"caption": self.caption, "done": done, "total": total, "rate": rate, "left": left}

    def _show(self, end: str) -> None:
        figures = self.figures()
        share = f"/{figures['total']:,}" if figures["total"] else ""
        left = figures["left"]
        rest = f" 残り {_clock(float(left))}" if isinstance(left, float) and left >= 0.5 else ""
        # Below one a second the rate tells nothing that the time left does not tell better.
        speed = f"  毎秒 {figures['rate']:,.0f} {self.unit}" if figures["rate"] >= 1 else ""
        line = f"{self.caption}  {figures['done']:,}{share} {self.unit}{speed}{rest}"
        print(f"\r{line:<78}" if end == "\r" else line, end=end, file=sys.stderr, flush=True)
        if self.beat:
            self.beat(figures)

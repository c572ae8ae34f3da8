"""What every writer of extracts shares: the city, its lives, the window of months and the printer (synthetic city)."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kodomo.city.eras import month_start
from kodomo.city.lives import Lives
from kodomo.city.mistakes import Manner, Scribe
from kodomo.city.people import LAST_DAY, City, Person
from kodomo.city.sheets import Cell, Printer, Sheet

EXTRACTED = dt.date(2026, 4, 1)
STAMP = EXTRACTED.strftime("%Y%m%d")


@dataclass
class Press:
    """One run's shared things."""

    city: City
    lives: Lives
    printer: Printer
    seed: int
    window: int
    canaries: list[tuple[str, str]] = field(default_factory=list)

    @property
    def first_day(self) -> int:
        """The first day of the window."""
        return month_start(2026, 4, -self.window)

    def rng(self, name: str) -> np.random.Generator:
        """A generator of one writer's own, so that a change in one leaves the others as they were."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def scribe(self, source: str, manner: Manner) -> Scribe:
        """A clerk of one office."""
        return Scribe(self.seed, source, manner)

    def school_years(self) -> list[int]:
        """School years the window touches."""
        first = dt.date.fromordinal(self.first_day)
        return list(range(first.year if first.month >= 4 else first.year - 1, 2026))

    def window_months(self) -> range:
        """Positions in the followed months that lie within the window."""
        return range(max(0, self.lives.months - self.window), self.lives.months)

    def write(
        self, source: str, file_name: str, rows: list[tuple[Person, list[Cell]]], *,
        top: Sequence[str] = (), foot: Sequence[str] = (),
        exact_duplicates: float = 0.0, unreadable: float = 0.0, near_duplicates: float = 0.0,
    ) -> None:  # fmt: skip
        """Print rows, each with the person it is about, in the layout's order of columns."""
        columns = self.printer.layouts[source].columns
        names = [c.name if c.occurrence == 1 else f"{c.name}#{c.occurrence}" for c in columns]
        table: dict[str, list[Cell]] = {name: [row[i] for _, row in rows] for i, name in enumerate(names)}
        people = [person.person_id for person, _ in rows]
        self.printer.write(
            Sheet(source, file_name, table, people, top, foot, exact_duplicates, unreadable, near_duplicates)
        )

    def month_of(self, day: int) -> int:
        """Position of a day's month, clipped to the followed months."""
        return int(np.clip(np.searchsorted(self.lives.starts, day, side="right") - 1, 0, self.lives.months - 1))


def days_within(rng: np.random.Generator, start: int) -> int:
    """A weekday or so within the month that begins on ``start``."""
    day = start + int(rng.integers(0, 28))
    if dt.date.fromordinal(day).weekday() >= 5:
        day += 7 - dt.date.fromordinal(day).weekday()
    return min(day, LAST_DAY)


def number_typo(rng: np.random.Generator, number: str, rate: float) -> str:
    """The number as keyed in: rarely two digits change places."""
    if rate and rng.random() < rate:
        spot = int(rng.integers(4, len(number) - 1))
        return number[:spot] + number[spot + 1] + number[spot] + number[spot + 2 :]
    return number

"""Facts in an order a person can read: by person, months in tables, repeated events counted (casework side)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kodomo.assessment.case_numbers import fiscal_year
from kodomo.governance.register import Basis
from kodomo.terms import plain_number

SERIES_FROM = 4
"""An item with this many monthly observations, or this many repetitions, becomes a table by month."""


@dataclass(frozen=True)
class Fact:
    """One dated value with where it comes from and by what right it is shown."""

    whose: str
    item: str
    caption: str
    number: float | None
    code: str | None
    valid_from: dt.date
    valid_to: dt.date | None
    known_from: dt.date
    source: str
    holder: str
    basis: Basis
    is_after_judgement: bool
    is_presence: bool = False
    """Its being there is all it says; the store holds 1 for it, which would read as a count of something."""

    @property
    def value(self) -> str:
        """The value in words."""
        if self.code is not None:
            return self.code
        return "あり" if self.number is None or self.is_presence else plain_number(self.number)

    @property
    def is_event(self) -> bool:
        """Something that happened on a day, not something that lasted."""
        return self.valid_to is not None and (self.valid_to - self.valid_from).days <= 1

    @property
    def last_day(self) -> dt.date | None:
        """The last day on which it held; None for an event and for what still holds."""
        return None if self.valid_to is None or self.is_event else self.valid_to - dt.timedelta(days=1)


@dataclass(frozen=True)
class Series:
    """An item month by month: one row for each fiscal year, April to March, the newest first."""

    caption: str
    is_count: bool
    years: tuple[tuple[int, tuple[float | None, ...]], ...]
    latest: Fact
    single: tuple[Fact, ...] = ()
    """The events behind a count, for whoever wants to read them one by one."""


@dataclass(frozen=True)
class PersonRecord:
    """What is known about one person of the household."""

    whose: str
    series: tuple[Series, ...]
    facts: tuple[Fact, ...]

    @property
    def is_of_parent_or_child(self) -> bool:
        """Read at once; other members' records are folded away, a click from sight."""
        return self.whose in ("本人", "母", "父", "保護者")


def by_person(facts: Iterable[Fact], order: Sequence[str]) -> tuple[PersonRecord, ...]:
    """Facts grouped by the person they are about, in the household's order, the newest first."""
    groups: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[fact.whose].append(fact)
    return tuple(_record(whose, groups[whose]) for whose in order if whose in groups)


def _record(whose: str, facts: list[Fact]) -> PersonRecord:
    items: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        items[(fact.caption, fact.source)].append(fact)
    found = {key: _series(same) for key, same in items.items()}
    series = tuple(one for _, one in sorted(found.items()) if one is not None)
    rest = [fact for fact in facts if found[(fact.caption, fact.source)] is None]
    return PersonRecord(whose, series, tuple(sorted(rest, key=lambda fact: fact.valid_from, reverse=True)))


def _series(same: list[Fact]) -> Series | None:
    """A table, where one reads better than lines."""
    if len(same) < SERIES_FROM or same[0].is_presence:
        return None
    months = [(fact.valid_from.year, fact.valid_from.month) for fact in same]
    latest = max(same, key=lambda fact: fact.known_from)
    if all(fact.number is not None for fact in same) and len(set(months)) == len(months):
        return Series(latest.caption, False, _by_year((fact.valid_from, fact.number) for fact in same), latest)
    if all(fact.code is not None and (fact.is_event or fact.valid_to is None) for fact in same):
        single = tuple(sorted(same, key=lambda fact: fact.valid_from, reverse=True))
        return Series(latest.caption, True, _by_year((fact.valid_from, 1.0) for fact in same), latest, single)
    return None


def _by_year(observed: Iterable[tuple[dt.date, float | None]]) -> tuple[tuple[int, tuple[float | None, ...]], ...]:
    years: dict[int, list[float | None]] = defaultdict(lambda: [None] * 12)
    for day, number in observed:
        position = (day.month - 4) % 12
        values = years[fiscal_year(day)]
        values[position] = (values[position] or 0) + (number or 0)
    return tuple((year, tuple(values)) for year, values in sorted(years.items(), reverse=True))

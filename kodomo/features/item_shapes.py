"""What the published facts of each data item look like: events, states or months, numbers or codes, of whom (analysis side).

Counts over everybody, for drafting criteria; no fact of a person leaves this module.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir

from kodomo.features.cohort import stored
from kodomo.features.engines import open_engine
from kodomo.store.database import Snapshot

EVENT, MONTH, STATE = "event", "month", "state"
MOSTLY = 0.5
"""From this share of its facts (or persons) on an item is taken for what most of them are."""
MONTH_DAYS, STATE_DAYS = 27, 45
COMMON = 0.2
"""What so many of all children (or grown-ups) are told of is no worry by being there: they were asked, weighed, invoiced."""
MOST_ANSWERS = 5
"""Whole numbers from 1 to at most this are answers on a scale, which a sentence has to name."""
SPARSE = 4
"""Told of in fewer than one of so many months: a survey or an examination, whatever month its facts are given to."""


@dataclass(frozen=True)
class Shape:
    """One item: how its facts lie in time, what they hold, and whom they are about.

    ``spell`` is ``event`` (a day), ``month`` (a figure for each month) or ``state`` (holds from a day to another).
    ``values`` counts distinct numbers; ``codes`` are the codes with how many persons bore each, commonest first,
    ``childrens`` those of them that mostly children bore. ``whose`` is ``self`` where the persons are mostly children, ``mother`` where mostly children's mothers, else
    ``household``. ``months`` is how long the item has been told of; ``oldest`` the age in years of the oldest child that bears it
    now, -1 where no child does. ``share`` is that of all children, all mothers or everybody, after ``whose``, of whom it was ever told.
    ``beginnings`` counts the days on which its facts begin. ``late`` is how many months the newest list we knew had been over,
    at most, when the next came: 0 where there was always one that held.
    """

    item: str
    sources: tuple[str, ...]
    facts: int
    persons: int
    spell: str
    has_numbers: bool
    values: int
    least: float
    most: float
    codes: tuple[tuple[str, int], ...]
    childrens: frozenset[str]
    whose: str
    months: int
    oldest: int
    share: float = 0.0
    beginnings: int = 0
    late: int = 0

    @property
    def is_flag(self) -> bool:
        """Numbers that say no or yes."""
        return self.has_numbers and self.values == 2 and (self.least, self.most) == (0.0, 1.0)

    @property
    def is_presence(self) -> bool:
        """Facts that say nothing but that there was something."""
        return not self.codes and (not self.has_numbers or self.values < 2)

    @property
    def is_sparse(self) -> bool:
        """Whether a person has it in few of the months it is told of."""
        return self.facts * SPARSE < self.persons * self.months

    @property
    def is_common(self) -> bool:
        """Whether so many bear it that its being there tells nothing."""
        return self.share >= COMMON

    @property
    def is_answer(self) -> bool:
        """Whole numbers from 1 to a few that nearly everybody has: the steps of an answer, not a count of something."""
        low, high = self.least, self.most
        return low == 1 and 3 <= high == self.values <= MOST_ANSWERS and (self.spell == EVENT or self.is_common)

    @property
    def repeats(self) -> bool:
        """Whether a person usually has more than one."""
        return self.facts >= 1.5 * self.persons


def item_shapes(snapshot: Snapshot, spill: Path | None = None) -> dict[str, Shape]:
    """Look at every item of the published facts. Reads the snapshot; writes nothing.

    Args:
        spill: folder for what does not fit in memory.
    """
    with open_engine("duckdb", spill) as engine:
        facts, persons = stored(engine, snapshot, "facts"), stored(engine, snapshot, "persons")
        kin = stored(engine, snapshot, "kinships")
        told = facts.filter(facts.known_to.isnull()).join(
            persons.select("person_key", "is_child", "born_month"), "person_key"
        )
        told = told.cross_join(facts.aggregate(today=facts.known_from.max()))
        mothers = (
            kin.filter(kin.kind == "MOTHER").select(person_key="relative_key", mother=ibis.literal(True)).distinct()
        )
        told = told.left_join(mothers, "person_key").drop("person_key_right")
        lines = _of_items(told).to_pyarrow().to_pylist()
        everybody = _everybody(persons, mothers)
        codes: dict[str, list[tuple[str, int]]] = defaultdict(list)
        childrens: dict[str, set[str]] = defaultdict(set)
        for line in _of_codes(told).to_pyarrow().to_pylist():
            codes[line["item"]].append((line["code"], line["persons"]))
            if line["children"] >= MOSTLY * line["persons"]:
                childrens[line["item"]].add(line["code"])
        lists: dict[str, list[tuple[dt.date, dt.date | None]]] = defaultdict(list)
        for line in _of_lists(told).to_pyarrow().to_pylist():
            lists[line["item"]].append((line["known_from"], None if line["holds"] else line["until"]))
        sources: dict[str, list[str]] = defaultdict(list)
        for line in told.select("item", "source").distinct().to_pyarrow().to_pylist():
            sources[line["item"]].append(line["source"])
    return {
        item: _shape(
            line, tuple(sorted(codes[item], key=lambda c: (-c[1], c[0]))), frozenset(childrens[item]), sorted(sources[item]), everybody,
            _late(lists[item]),
        )
        for line in lines
        for item in [line["item"]]
    }  # fmt: skip


def _everybody(persons: ir.Table, mothers: ir.Table) -> dict[str, int]:
    """How many there are of each ``whose``."""
    return {
        "self": _count(persons.filter(persons.is_child).count().to_pyarrow().as_py()),
        "mother": _count(mothers.count().to_pyarrow().as_py()),
        "household": _count(persons.count().to_pyarrow().as_py()),
    }


def _of_items(told: ir.Table) -> ir.Table:
    days = told.valid_to.epoch_days() - told.valid_from.epoch_days()
    return told.group_by("item").agg(
        facts=told.count(),
        persons=told.person_key.nunique(),
        children=told.person_key.nunique(where=told.is_child),
        mothers=told.person_key.nunique(where=told.mother.fill_null(False)),
        numbers=told.number.count(),
        values=told.number.nunique(),
        least=told.number.min(),
        most=told.number.max(),
        long=told.count(where=told.valid_to.isnull() | (days >= STATE_DAYS)),
        monthly=told.count(where=(days >= MONTH_DAYS) & (days < STATE_DAYS)),
        oldest=_years(told).max(where=told.is_child),
        first=told.valid_from.min(),
        last=told.valid_from.max(),
        beginnings=told.valid_from.nunique(),
    )


def _of_lists(told: ir.Table) -> ir.Table:
    """Of each item and day on which we came to know of some: until when the longest of them held."""
    return told.group_by("item", "known_from").agg(until=told.valid_to.max(), holds=told.valid_to.isnull().any())


def _late(lists: Iterable[tuple[dt.date, dt.date | None]]) -> int:
    """How many months there was at most no list that held, from the end of the newest known until the next became known."""
    most = 0
    newest: dt.date | None = None
    for known, until in sorted(lists, key=lambda one: one[0]):
        if newest is not None and known > newest:
            most = max(most, _months(newest, known) - (known.day <= newest.day))
        if until is None:
            return most
        newest = until if newest is None else max(newest, until)
    return most


def _years(told: ir.Table) -> ir.IntegerValue:
    months = (told.today.year() - told.born_month.year()) * 12 + told.today.month() - told.born_month.month()
    return (months / 12).floor().cast("int32")


def _of_codes(told: ir.Table) -> ir.Table:
    coded = told.filter(told.code.notnull())
    return coded.group_by("item", "code").agg(
        persons=coded.person_key.nunique(), children=coded.person_key.nunique(where=coded.is_child)
    )  # fmt: skip


def _shape(
    line: dict[str, object],
    codes: tuple[tuple[str, int], ...],
    childrens: frozenset[str],
    sources: list[str],
    everybody: Mapping[str, int],
    late: int,
) -> Shape:
    facts, persons = _count(line["facts"]), _count(line["persons"])
    spell = EVENT
    if _count(line["long"]) >= MOSTLY * facts:
        spell = STATE
    elif _count(line["monthly"]) >= MOSTLY * facts:
        spell = MONTH
    whose = "household"
    if _count(line["children"]) >= MOSTLY * persons:
        whose = "self"
    elif _count(line["mothers"]) >= MOSTLY * persons:
        whose = "mother"
    first, last = line["first"], line["last"]
    span = _months(first, last) if isinstance(first, dt.date) and isinstance(last, dt.date) else 1
    return Shape(
        item=str(line["item"]),
        sources=tuple(sources),
        facts=facts,
        persons=persons,
        spell=spell,
        has_numbers=_count(line["numbers"]) >= MOSTLY * facts,
        values=_count(line["values"]),
        least=float(str(line["least"] if line["least"] is not None else 0)),
        most=float(str(line["most"] if line["most"] is not None else 0)),
        codes=codes,
        childrens=childrens,
        whose=whose,
        months=span,
        oldest=int(str(line["oldest"])) if line["oldest"] is not None else -1,
        share=persons / max(everybody[whose], 1),
        beginnings=_count(line["beginnings"]),
        late=late,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _months(first: dt.date, last: dt.date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month + 1

"""Who is judged on a date, and who belongs to them, as known on that date (analysis side).

A row is one child on one date. Several dates are built in one pass, so everything downstream
carries the row's own ``as_of`` and window starts and compares with those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.formats.pyarrow import PyArrowType
from numpy.typing import NDArray

from kodomo.features.dates import ADULT_MONTHS, LAST_GRADE, age_band, month_index, school_grade, window_start
from kodomo.store.database import TABLES, Snapshot


@dataclass(frozen=True)
class Cohort:
    """Children on dates: row ``i`` is ``child_key[i]`` on ``as_of[i]``; sorted by date, then key."""

    child_key: NDArray[np.object_]
    as_of: NDArray[np.datetime64]
    age_months: NDArray[np.int32]
    grade: NDArray[np.float64]
    sex: NDArray[np.object_]
    is_foreign: NDArray[np.object_]
    area_code: NDArray[np.object_]
    household_key: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.child_key)

    @property
    def age_years(self) -> NDArray[np.int32]:
        """満年齢, from the month of birth: the day is not in the store, so it is reached with the month."""
        return np.asarray(self.age_months // 12, dtype=np.int32)

    @property
    def band(self) -> NDArray[np.str_]:
        """年齢区分 codes."""
        return age_band(self.grade, self.age_years)

    def group(self) -> NDArray[np.object_]:
        """What must stay on one side of every split: the household, or the child where none is known."""
        missing = np.array([k is None for k in self.household_key])
        return np.where(missing, self.child_key, self.household_key)

    def take(self, rows: NDArray[np.intp]) -> Cohort:
        """Some of the rows."""
        return Cohort(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Told:
    """How often a source speaks of an item, and since when; by number in the facts of the frame."""

    item: str
    source: str
    facts: int
    begun: dt.date


@dataclass
class Frame:
    """The tables every indicator is asked of: one engine, the snapshot, the cohort's rows and their relatives.

    In ``facts`` persons, items, sources and dates are numbers, for each fact meets many rows: ``place`` of the person,
    ``item`` and ``source`` as numbered below; the dates that know it are those from ``first_date`` up to, not with,
    ``end_date``; the dates whose window of so many months it begins in or after end before ``reach_<months>``.
    """

    engine: ibis.BaseBackend
    cohort: Cohort
    dates: tuple[dt.date, ...]
    facts: ir.Table
    members: ir.Table
    told: tuple[Told, ...]
    items: dict[str, int]
    sources: dict[str, int]
    persons: int

    def relatives(self, whose: str) -> ir.Table:
        """(row, place, date_number and all that ``dates`` says) of one kind of relative."""
        return self.engine.table(f"members_{whose}")


PARENTS = ("MOTHER", "FATHER")
WHOSE = ("self", "mother", "guardians", "siblings", "household")


def start_column(months: int) -> str:
    """Column that holds the first day of a window of so many months."""
    return f"start_{months}"


def reach_column(months: int) -> str:
    """Column of a fact: how many of the dates have a window of so many months that opens no later than it begins."""
    return f"reach_{months}"


@dataclass
class Ground:
    """The city as one engine holds it: everybody's attributes and homes, the whole cohort, and what is told of whom.

    ``frame`` lays out some of the children; only one frame of a ground can be asked at a time.
    """

    engine: ibis.BaseBackend
    cohort: Cohort
    dates: tuple[dt.date, ...]
    windows: tuple[int, ...]
    told: tuple[Told, ...]
    facts: ir.Table
    """Facts of the wanted items known by the latest date, of everybody."""

    def frame(self, rows: NDArray[np.intp] | None = None, facts: ir.Table | None = None) -> Frame:
        """The tables that indicators of some of the cohort's rows, or of all, are asked of.

        Args:
            rows: the cohort's rows; those of one child stay together, or its facts are read again and again.
            facts: a part of ``Ground.facts`` that holds all about these rows and their relatives; with ``person``, a
                number of the table ``numbered``, it needs no ``person_key``.
        """
        cohort = self.cohort if rows is None else self.cohort.take(rows)
        _lay_out_rows(self.engine, "rows", cohort)
        self.engine.create_table("members", _relatives(self.engine), overwrite=True)
        persons = _number_members(self.engine)
        _number_facts(self.engine, self.facts if facts is None else facts, self.dates, self.windows)
        return Frame(
            self.engine, cohort, self.dates, self.engine.table("facts"), self.engine.table("members"), self.told,
            _numbered(one.item for one in self.told), _numbered(one.source for one in self.told), persons,
        )  # fmt: skip


def open_ground(
    engine: ibis.BaseBackend,
    snapshot: Snapshot,
    dates: Sequence[dt.date],
    windows: Sequence[int],
    items: Sequence[str],
) -> Ground:
    """Read the city for some dates: who is judged on each, and what is told of some items.

    Facts come in only when known by the latest date and not told otherwise by the earliest; each aggregate
    compares with its own row's.

    Args:
        engine: Ibis backend (DuckDB here; Spark reads the same files).
        snapshot: the published store folder.
        dates: the ``as_of`` dates, distinct.
        windows: window lengths in months that will be asked for.
        items: the data items that will be asked for.
    """
    ordered = tuple(sorted(dates))
    _load(engine, snapshot, ordered, windows)
    cohort = _cohort(engine)
    _lay_out_rows(engine, "judged", cohort)
    told, wanted = _told_facts(engine, snapshot, ordered, items)
    return Ground(engine, cohort, ordered, tuple(windows), told, wanted)


def open_frame(
    engine: ibis.BaseBackend,
    snapshot: Snapshot,
    dates: Sequence[dt.date],
    windows: Sequence[int],
    items: Sequence[str],
) -> Frame:
    """Lay out the whole cohort at once, its relatives and the facts of some items; arguments as of ``open_ground``."""
    return open_ground(engine, snapshot, dates, windows, items).frame()


def _lay_out_rows(engine: ibis.BaseBackend, name: str, cohort: Cohort) -> None:
    table = pa.table(
        {
            "row": pa.array(np.arange(len(cohort), dtype=np.int32)),
            "child_key": pa.array(cohort.child_key, pa.string()),
            "as_of": pa.array(cohort.as_of.astype("datetime64[D]"), pa.date32()),
            "household_key": pa.array(cohort.household_key, pa.string()),
        }
    )
    engine.create_table(name, table, overwrite=True)


def _load(engine: ibis.BaseBackend, snapshot: Snapshot, ordered: Sequence[dt.date], windows: Sequence[int]) -> None:
    columns: dict[str, pa.Array] = {
        "as_of": pa.array(ordered, pa.date32()),
        "date_number": pa.array(range(len(ordered)), pa.int16()),
        "as_of_month": pa.array([month_index(d) for d in ordered], pa.int32()),
    }
    for months in windows:
        columns[start_column(months)] = pa.array([window_start(d, months) for d in ordered], pa.date32())
    engine.create_table("dates", pa.table(columns), overwrite=True)
    for name in ("persons", "corrected_persons", "household_spells", "kinships", "residence_spells"):
        engine.create_table(name, stored(engine, snapshot, name), overwrite=True)
    engine.create_table("people", _people(engine), overwrite=True)
    engine.create_table("present", _present(engine), overwrite=True)
    engine.create_table("dwellings", _dwellings(engine), overwrite=True)


def _number_members(engine: ibis.BaseBackend) -> int:
    """Number everybody who is somebody's relative, and lay out each kind of relative by number; how many persons."""
    members = engine.table("members")
    keys = pc.unique(members.select("person_key").distinct().to_pyarrow()["person_key"].combine_chunks()).sort()
    places = pa.table({"person_key": keys.cast(pa.string()), "place": np.arange(len(keys), dtype=np.int32)})
    engine.create_table("places", places, overwrite=True)
    numbered = members.join(engine.table("places"), "person_key").join(engine.table("dates"), "as_of")
    for whose in WHOSE:
        own = numbered.filter(numbered.whose == whose).drop("whose", "person_key")
        engine.create_table(f"members_{whose}", own, overwrite=True)
    return len(keys)


def _told_facts(
    engine: ibis.BaseBackend, snapshot: Snapshot, ordered: Sequence[dt.date], items: Sequence[str]
) -> tuple[tuple[Told, ...], ir.Table]:
    """What is told of all, by item and source; and the facts themselves, item and source as numbers."""
    every = stored(engine, snapshot, "facts")
    earliest, latest = ibis.literal(ordered[0]), ibis.literal(ordered[-1])
    wanted = every.filter(
        every.known_from <= latest,
        (every.known_to > earliest).fill_null(True),
        every.valid_from <= latest,
        every.item.isin(list(items)),
    )
    counts = wanted.group_by("item", "source").agg(facts=wanted.count(), begun=wanted.known_from.min())
    found = counts.order_by([ibis.asc("facts"), ibis.desc("source")]).to_pyarrow().to_pylist()
    told = tuple(Told(**line) for line in found)
    numbers = {"item": _numbered(one.item for one in told), "source": _numbered(one.source for one in told)}
    pairs: dict[str, pa.Array] = {}
    for name, numbered in numbers.items():
        names = [getattr(one, name) for one in told]
        pairs[name] = pa.array(names, pa.string())
        pairs[f"{name}_number"] = pa.array([numbered[one] for one in names], pa.int16())
    engine.create_table("told", pa.table(pairs), overwrite=True)
    facts = wanted.join(engine.table("told"), ["item", "source"]).select(
        "person_key", "number", "code", "valid_from", "valid_to", "known_from", "known_to",
        item="item_number", source="source_number",
    )  # fmt: skip
    return told, facts


def _number_facts(
    engine: ibis.BaseBackend, facts: ir.Table, ordered: Sequence[dt.date], windows: Sequence[int]
) -> None:
    """Lay out the facts about the numbered relatives, with the numbers of the dates that know them."""
    places, person = engine.table("places"), "person_key"
    if "person" in facts.columns:
        person = "person"
        places = places.join(engine.table("numbered").select("person_key", "person"), "person_key").drop("person_key")
    own = facts.join(places, person)
    reaches = {
        reach_column(months): _dates_before(own.valid_from, [window_start(d, months) for d in ordered], is_on=True)
        for months in windows
    }
    numbered = own.select(
        "place", "number", "code", "valid_from", "valid_to", "known_from", "item", "source",
        first_date=_dates_before(ibis.greatest(own.valid_from, own.known_from), ordered),
        end_date=_dates_before(own.known_to, ordered).fill_null(len(ordered)),
        **reaches,
    )  # fmt: skip
    # Sorted by item, each (whose, item) group reads only its own stretch of the table.
    engine.create_table("facts", numbered.order_by("item", "place"), overwrite=True)


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)))}


def _dates_before(day: ir.DateValue, dates: Sequence[dt.date], *, is_on: bool = False) -> ir.IntegerValue:
    """How many of the dates lie before a day (or on it)."""
    each = ((day >= one if is_on else day > one).cast("int16") for one in map(ibis.literal, dates))
    return reduce(add, each).cast("int16")


def stored(engine: ibis.BaseBackend, snapshot: Snapshot, name: str) -> ir.Table:
    """A table of a snapshot; what was declared after the snapshot was written is empty in it."""
    if not snapshot.holds(name):
        return ibis.memtable(TABLES[name].empty())
    table = engine.read_parquet(str(snapshot.file(name)))
    absent = [c for c in TABLES[name].columns if c.nullable and c.name not in table.columns]
    return table.mutate(**{c.name: ibis.null(PyArrowType.to_ibis(c.kind)) for c in absent}) if absent else table


def known(pair: ir.Table) -> ir.BooleanValue:
    """The one rule of what was known: told by the row's date (``as_of``), and not yet told otherwise."""
    return (pair.known_from <= pair.as_of) & (pair.known_to > pair.as_of).fill_null(True)


def _over(pair: ir.Table) -> ir.BooleanValue:
    """Over as known on the row's date: an end nobody knew of yet does not count."""
    ended = (pair.valid_to <= pair.as_of) & (pair.end_known_from.fill_null(pair.valid_to) <= pair.as_of)
    return ended.fill_null(False)


def _people(engine: ibis.BaseBackend) -> ir.Table:
    """Everybody's attributes as known on each date: what stands, unless it was corrected only later."""
    attributes = ("born_month", "school_year_born", "sex", "is_foreign")
    person, date, before = engine.table("persons"), engine.table("dates"), engine.table("corrected_persons")
    told = before.join(date.select("as_of"), before.known_to > date.as_of)
    told = told.filter((told.known_from <= told.as_of).fill_null(True))
    told = told.select("person_key", "as_of", "known_to", **{f"was_{name}": told[name] for name in attributes})
    both = (
        person.select("person_key", *attributes)
        .cross_join(date.select("as_of"))
        .left_join(told, ["person_key", "as_of"])
    )
    chosen = {name: both.known_to.notnull().ifelse(both[f"was_{name}"], both[name]) for name in attributes}
    return both.select("person_key", "as_of", **chosen)


def _present(engine: ibis.BaseBackend) -> ir.Table:
    """Residents as known on each date."""
    spell, date = engine.table("residence_spells"), engine.table("dates")
    pairs = spell.join(date, [spell.valid_from <= date.as_of, spell.known_from <= date.as_of])
    return pairs.filter(known(pairs) & ~_over(pairs)).select("person_key", "as_of").distinct()


def _dwellings(engine: ibis.BaseBackend) -> ir.Table:
    """Each resident's household as known on each date: the last spell known to have begun.

    A spell closed by a later one that nobody knew of yet is still the one known, so the end is not looked at.
    """
    spell, present = engine.table("household_spells"), engine.table("present")
    pairs = spell.join(present, "person_key").filter(lambda t: (t.valid_from <= t.as_of) & known(t))
    latest = ibis.window(
        group_by=["person_key", "as_of"],
        order_by=[ibis.desc("valid_from"), ibis.desc("known_from"), "household_key"],
    )
    ranked = pairs.mutate(place=ibis.row_number().over(latest))
    kept = ranked.filter(ranked.place == 0)
    return kept.select("person_key", "as_of", "household_key", "relationship", "area_code", began="valid_from")


def _cohort(engine: ibis.BaseBackend) -> Cohort:
    person, present, dwelling = engine.table("people"), engine.table("present"), engine.table("dwellings")
    there = present.join(person.filter(person.born_month.notnull()), ["person_key", "as_of"])
    months = (there.as_of.year() - there.born_month.year()) * 12 + (there.as_of.month() - there.born_month.month())
    aged = there.mutate(age_months=months.cast("int32"))
    born = aged.school_year_born.fill_null(_school_year(aged.born_month))
    children = aged.filter((aged.age_months >= 0) & (_school_year(aged.as_of) - born - 6 <= LAST_GRADE))
    housed = children.left_join(dwelling, ["person_key", "as_of"])
    found = (
        housed.select(
            "person_key", "as_of", "age_months", "school_year_born", "sex", "is_foreign", "area_code", "household_key"
        )
        .order_by("as_of", "person_key")
        .to_pyarrow()
    )
    return _arrays(found)


def _school_year(day: ir.DateValue) -> ir.IntegerValue:
    """``dates.school_year`` for a column; of a month of birth, the school year of all but those born on 1 April."""
    return day.year() - (day.month() < 4).cast("int32")


def _arrays(found: pa.Table) -> Cohort:
    dates = found["as_of"].to_numpy().astype("datetime64[D]")
    born = found["school_year_born"].cast(pa.float64()).to_numpy()
    grade = np.full(len(found), np.nan)
    for day in np.unique(dates):
        here = dates == day
        grade[here] = school_grade(day.astype(object), born[here])
    return Cohort(
        child_key=_objects(found["person_key"]),
        as_of=dates,
        age_months=found["age_months"].to_numpy().astype(np.int32),
        grade=grade,
        sex=_objects(found["sex"]),
        is_foreign=_objects(found["is_foreign"]),
        area_code=_objects(found["area_code"]),
        household_key=_objects(found["household_key"]),
    )


def _objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """A child's key is one object, on however many dates it stands."""
    coded = column.combine_chunks().dictionary_encode()
    named = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    return np.asarray(named[coded.indices.fill_null(len(named) - 1).to_numpy()])


def _relatives(engine: ibis.BaseBackend) -> ir.Table:
    """(row, whose, person_key) as known on the row's date."""
    rows = engine.table("rows").select("row", "child_key", "as_of", "household_key")
    kin = _kin(engine, rows)
    housemates = _housemates(engine, rows)
    engine.create_table("housemates", housemates, overwrite=True)
    engine.create_table("kin", kin, overwrite=True)
    kin, housemates = engine.table("kin"), engine.table("housemates")
    young = housemates.filter(housemates.age_months < ADULT_MONTHS)
    siblings = ibis.union(
        kin.filter(kin.kind == "SIBLING").select("row", "as_of", "person_key"),
        young.select("row", "as_of", "person_key"),
        _same_parent(engine, rows, kin),
        distinct=True,
    )
    named = {
        "self": rows.select("row", "as_of", person_key="child_key"),
        "mother": kin.filter(kin.kind == "MOTHER").select("row", "as_of", "person_key").distinct(),
        "guardians": kin.filter(kin.kind != "SIBLING").select("row", "as_of", "person_key").distinct(),
        "siblings": siblings,
        "household": housemates.select("row", "as_of", "person_key"),
    }
    return ibis.union(*(table.mutate(whose=ibis.literal(whose)) for whose, table in named.items()))


def _kin(engine: ibis.BaseBackend, rows: ir.Table) -> ir.Table:
    kinship = engine.table("kinships")
    pairs = rows.select("row", "child_key", "as_of").join(kinship, "child_key")
    held = pairs.filter(known(pairs), pairs.valid_from <= pairs.as_of, ~_over(pairs))
    return held.select("row", "as_of", "kind", person_key="relative_key").distinct()


def _housemates(engine: ibis.BaseBackend, rows: ir.Table) -> ir.Table:
    dwelling, person = engine.table("dwellings"), engine.table("people").select("person_key", "as_of", "born_month")
    together = rows.join(dwelling, ["household_key", "as_of"]).filter(lambda t: t.person_key != t.child_key)
    aged = together.left_join(person, ["person_key", "as_of"])
    months = (aged.as_of.year() - aged.born_month.year()) * 12 + (aged.as_of.month() - aged.born_month.month())
    return aged.select("row", "as_of", "person_key", "relationship", "began", "born_month", age_months=months)


def _same_parent(engine: ibis.BaseBackend, rows: ir.Table, kin: ir.Table) -> ir.Table:
    """Children of the same mother or father who live elsewhere, also judged on that date."""
    parents = kin.filter(kin.kind.isin(PARENTS)).select("row", "as_of", "person_key")
    kinship = engine.table("kinships").filter(lambda t: t.kind.isin(PARENTS)).rename(other="child_key")
    pairs = parents.join(kinship, parents.person_key == kinship.relative_key)
    held = pairs.filter(known(pairs), pairs.valid_from <= pairs.as_of, ~_over(pairs)).select("row", "as_of", "other")
    judged = engine.table("judged").select("as_of", other="child_key")
    both = held.join(judged, ["as_of", "other"]).join(rows.select("row", "child_key"), "row")
    return both.filter(both.other != both.child_key).select("row", "as_of", person_key="other").distinct()

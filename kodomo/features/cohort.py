"""Who is judged on a date, and who belongs to them, as known on that date (analysis side).

A row is one child on one date. Several dates are built in one pass, so everything downstream
carries the row's own ``as_of`` and window starts and compares with those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.formats.pyarrow import PyArrowType
from numpy.typing import NDArray

from kodomo.features.dates import ADULT_MONTHS, age_band, month_index, school_grade, window_start
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


@dataclass
class Frame:
    """The tables every indicator is asked of: one engine, the snapshot, the cohort's rows and their relatives."""

    engine: ibis.BaseBackend
    cohort: Cohort
    facts: ir.Table
    members: ir.Table
    windows: tuple[int, ...]

    def start(self, months: int) -> str:
        """Column that holds the first day of a window."""
        return start_column(months)


def start_column(months: int) -> str:
    """Column that holds the first day of a window of so many months."""
    return f"start_{months}"


def open_frame(
    engine: ibis.BaseBackend,
    snapshot: Snapshot,
    dates: Sequence[dt.date],
    windows: Sequence[int],
    items: Sequence[str],
) -> Frame:
    """Lay out cohort, relatives and the facts of some items for some dates.

    Facts come in only when known by the latest date and not told otherwise by the earliest; each aggregate
    compares with its own row's.

    Args:
        engine: Ibis backend (DuckDB here; Spark reads the same files).
        snapshot: the published store folder.
        dates: the ``as_of`` dates, distinct.
        windows: window lengths in months that will be asked for.
        items: the data items that will be asked for.
    """
    _load(engine, snapshot, dates, windows, items)
    cohort = _cohort(engine)
    engine.create_table(
        "rows",
        pa.table(
            {
                "row": pa.array(np.arange(len(cohort), dtype=np.int32)),
                "child_key": pa.array(cohort.child_key, pa.string()),
                "as_of": pa.array(cohort.as_of.astype("datetime64[D]"), pa.date32()),
                "household_key": pa.array(cohort.household_key, pa.string()),
            }
        ),
        overwrite=True,
    )
    related = _relatives(engine).join(engine.table("dates"), "as_of")
    engine.create_table("members", related, overwrite=True)
    return Frame(engine, cohort, engine.table("facts"), engine.table("members"), tuple(windows))


def _load(
    engine: ibis.BaseBackend, snapshot: Snapshot, dates: Sequence[dt.date], windows: Sequence[int], items: Sequence[str]
) -> None:
    ordered = sorted(dates)
    columns: dict[str, pa.Array] = {
        "as_of": pa.array(ordered, pa.date32()),
        "as_of_month": pa.array([month_index(d) for d in ordered], pa.int32()),
    }
    for months in windows:
        columns[start_column(months)] = pa.array([window_start(d, months) for d in ordered], pa.date32())
    engine.create_table("dates", pa.table(columns), overwrite=True)
    for name in ("persons", "corrected_persons", "household_spells", "kinships", "residence_spells"):
        engine.create_table(name, stored(engine, snapshot, name), overwrite=True)
    every = stored(engine, snapshot, "facts")
    earliest, latest = ibis.literal(ordered[0]), ibis.literal(ordered[-1])
    wanted = every.filter(
        every.known_from <= latest,
        (every.known_to > earliest).fill_null(True),
        every.valid_from <= latest,
        every.item.isin(list(items)),
    )
    # Sorted by item, each (whose, item) group reads only its own stretch of the table.
    engine.create_table("facts", wanted.order_by("item", "person_key"), overwrite=True)
    engine.create_table("people", _people(engine), overwrite=True)
    engine.create_table("present", _present(engine), overwrite=True)
    engine.create_table("dwellings", _dwellings(engine), overwrite=True)


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
    children = aged.filter((aged.age_months >= 0) & (aged.age_months < ADULT_MONTHS))
    housed = children.left_join(dwelling, ["person_key", "as_of"])
    found = (
        housed.select(
            "person_key", "as_of", "age_months", "school_year_born", "sex", "is_foreign", "area_code", "household_key"
        )
        .order_by("as_of", "person_key")
        .to_pyarrow()
    )
    return _arrays(found)


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
    values = np.empty(len(column), dtype=object)
    values[:] = pc.cast(column, column.type).to_pylist()
    return values


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
    parents = kin.filter(kin.kind.isin(["MOTHER", "FATHER"])).select("row", "as_of", "person_key")
    others = parents.view().select(other="row", as_of="as_of", person_key="person_key")
    pairs = parents.join(others, ["as_of", "person_key"]).filter(lambda t: t.row != t.other)
    keys = rows.select(other="row", sibling_key="child_key")
    return pairs.join(keys, "other").select("row", "as_of", person_key="sibling_key").distinct()

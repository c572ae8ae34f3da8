"""The matrix of indicators: one row a child on a date, one column an indicator, empty where nobody can know (analysis side)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kodomo.features.aggregates import group_query, windows_of
from kodomo.features.catalogue import CLASS, ZERO_MEANS_NONE, Catalogue, Indicator
from kodomo.features.classmates import class_values
from kodomo.features.cohort import Cohort, Frame, known, open_frame, stored
from kodomo.features.coverage import Expectations, SourceExpectation
from kodomo.features.engines import open_engine
from kodomo.features.household import STRUCTURE_WINDOWS, Values, structures
from kodomo.store.database import Snapshot

RECENT_MONTHS = 12
"""A voluntary source knows a child it saw within this time."""
DECIMALS = 9
"""An engine adds up in parallel, in an order of its own: the last bits of a mean or a trend differ from run to run.

Rounded, the same facts give the same bytes, and with them the same models.
"""


@dataclass(frozen=True)
class FeatureMatrix:
    """Indicators of a cohort.

    ``values[i, j]`` is indicator ``codes[j]`` of cohort row ``i``, NaN where nobody can know;
    ``on[i, j]`` the date of the newest fact that counted (NaT for structures and for zeros).
    ``skipped`` names the indicators left out and why, in Japanese.
    """

    cohort: Cohort
    catalogue: Catalogue
    values: NDArray[np.float64]
    on: NDArray[np.datetime64] | None
    source_of: dict[str, str]
    known_by: dict[str, NDArray[np.datetime64]]
    skipped: dict[str, str]
    register_source: str | None = None
    """The source whose tables the structures (household, kinship, residence) come from."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Column names, in catalogue order."""
        return self.catalogue.codes

    def column(self, code: str) -> Values:
        """One indicator's values."""
        return np.asarray(self.values[:, self.codes.index(code)])

    def with_values(self, values: Values) -> FeatureMatrix:
        """The same rows and columns with other values."""
        return replace(self, values=values)

    def take(self, rows: NDArray[np.intp]) -> FeatureMatrix:
        """Some of the rows."""
        return replace(
            self,
            cohort=self.cohort.take(rows),
            values=self.values[rows],
            on=None if self.on is None else self.on[rows],
            known_by={s: d[rows] for s, d in self.known_by.items()},
        )


def feature_matrix(
    snapshot: Snapshot,
    dates: Sequence[dt.date],
    catalogue: Catalogue,
    expectations: Expectations,
    *,
    allows: Callable[[str], bool] = lambda item: True,
    with_dates: bool = False,
    spill: Path | None = None,
    engine_name: str = "duckdb",
) -> FeatureMatrix:
    """Build the indicators of every child on every date, from what was known on each date alone.

    Reads the snapshot's files. Writes nothing. Never looks at a fact that was known, or began, after
    the row's own date.

    Args:
        snapshot: the published store folder.
        dates: the ``as_of`` dates; all are built in one pass.
        catalogue, expectations: the municipality's criteria.
        allows: whether an item may be used; asked for the day of use, not for the past dates built.
        with_dates: also keep the date of the newest fact behind each value.
        spill: folder for what does not fit in memory.
        engine_name: one of ``engines.ENGINES``; the values are the same on each.
    """
    with open_engine(engine_name, spill) as engine:
        used, skipped = _lawful(catalogue, allows)
        windows = sorted(
            windows_of([i for i in used.indicators if not i.structure]) | {*STRUCTURE_WINDOWS, RECENT_MONTHS}
        )
        items = sorted(i for i in _items_there(engine, snapshot) if allows(i))
        frame = open_frame(engine, snapshot, dates, windows, items)
        matrix = _fill(frame, used, expectations, skipped, with_dates=with_dates)
        return replace(matrix, register_source=_register_source(snapshot))


def _lawful(catalogue: Catalogue, allows: Callable[[str], bool]) -> tuple[Catalogue, dict[str, str]]:
    """An indicator over an item without a legal basis is not built."""
    skipped = {}
    for indicator in catalogue.indicators:
        refused = [i for i in indicator.items if not allows(i)]
        if refused:
            skipped[indicator.code] = f"データ項目「{'・'.join(refused)}」に、判定に使う有効な法的根拠がない"
    return catalogue.without(skipped), skipped


def _register_source(snapshot: Snapshot) -> str | None:
    sources = snapshot.read("sources").to_pylist()
    return min((line["source"] for line in sources if line["kind"] == "residents"), default=None)


def _items_there(engine: ibis.BaseBackend, snapshot: Snapshot) -> list[str]:
    facts = stored(engine, snapshot, "facts")
    return list(facts.select("item").distinct().to_pyarrow()["item"].to_pylist())


def _fill(
    frame: Frame, catalogue: Catalogue, expectations: Expectations, skipped: dict[str, str], *, with_dates: bool
) -> FeatureMatrix:
    shape = (len(frame.cohort), len(catalogue.indicators))
    values = np.full(shape, np.nan)
    on = np.full(shape, np.datetime64("NaT"), dtype="datetime64[D]") if with_dates else None
    place = {code: n for n, code in enumerate(catalogue.codes)}
    knowledge = _Knowledge.read(frame, expectations)
    shapes = structures(frame, {i.structure for i in catalogue.indicators if i.structure})
    for indicator in catalogue.indicators:
        if indicator.structure:
            values[:, place[indicator.code]] = shapes[indicator.structure]
    about_class = [i for i in catalogue.indicators if i.whose == CLASS]
    if about_class and catalogue.classes:
        found = class_values(frame, about_class, catalogue.classes, knowledge.zero_means_none)
        for code, own in found.items():
            values[:, place[code]] = own
    for (whose, _), group in _groups(catalogue).items():
        answer = group_query(frame, whose, group, with_dates=with_dates).to_pyarrow()
        rows = answer["row"].to_numpy()
        for indicator in group:
            column = place[indicator.code]
            seen = _spread(answer[f"{indicator.code}__seen"], rows, shape[0])
            value = _spread(answer[indicator.code], rows, shape[0])
            values[:, column] = _zero_or_missing(indicator, value, np.nan_to_num(seen), knowledge)
            if on is not None:
                on[rows, column] = (
                    answer[f"{indicator.code}__on"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
                )
    values = np.round(values, DECIMALS)
    for indicator in catalogue.indicators:
        values[~asked_of(indicator, frame.cohort), place[indicator.code]] = np.nan
    return FeatureMatrix(frame.cohort, catalogue, values, on, knowledge.source_of, knowledge.self_known(), skipped)


def _groups(catalogue: Catalogue) -> dict[tuple[str, str], list[Indicator]]:
    """Indicators that one grouped scan can answer together."""
    groups: dict[tuple[str, str], list[Indicator]] = defaultdict(list)
    for indicator in catalogue.indicators:
        if not indicator.structure and indicator.whose != CLASS:
            groups[indicator.whose, indicator.item].append(indicator)
    return groups


def _spread(column: pa.ChunkedArray, rows: NDArray[np.int32], length: int) -> Values:
    values = np.full(length, np.nan)
    values[rows] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def asked_of(indicator: Indicator, cohort: Cohort) -> NDArray[np.bool_]:
    """The children an indicator is asked of: years of age, school grades and age bands, both ends included."""
    asked = np.ones(len(cohort), dtype=bool)
    if indicator.ages:
        asked &= (cohort.age_years >= indicator.ages[0]) & (cohort.age_years <= indicator.ages[1])
    if indicator.grades:
        asked &= (cohort.grade >= indicator.grades[0]) & (cohort.grade <= indicator.grades[1])
    if indicator.age_bands:
        asked &= np.isin(cohort.band, [b.value for b in indicator.age_bands])
    return asked


def expected_of(expectation: SourceExpectation, cohort: Cohort) -> NDArray[np.bool_]:
    """The children a source should know, by age; none for a source without stated ages or grades."""
    expected = np.full(len(cohort), expectation.ages is not None or expectation.grades is not None)
    if expectation.ages:
        expected &= (cohort.age_years >= expectation.ages[0]) & (cohort.age_years <= expectation.ages[1])
    if expectation.grades:
        expected &= (cohort.grade >= expectation.grades[0]) & (cohort.grade <= expectation.grades[1])
    return expected


@dataclass(frozen=True)
class _Knowledge:
    """What each source knows: when it began (``first``: with each item), whom it saw last and when."""

    frame: Frame
    expectations: Expectations
    source_of: dict[str, str]
    begun: dict[str, np.datetime64]
    first: dict[str, np.datetime64]
    latest: dict[tuple[str, str], NDArray[np.datetime64]]
    related: dict[str, NDArray[np.bool_]]

    @classmethod
    def read(cls, frame: Frame, expectations: Expectations) -> _Knowledge:
        """Ask the engine once per relation."""
        facts = frame.facts
        counts = facts.group_by("item", "source").agg(n=facts.count(), begun=facts.known_from.min())
        found = counts.order_by([ibis.asc("n"), ibis.desc("source")]).to_pyarrow().to_pylist()
        source_of = {line["item"]: line["source"] for line in found}
        begun: dict[str, np.datetime64] = {}
        first: dict[str, np.datetime64] = {}
        for line in found:
            day = np.datetime64(line["begun"], "D")
            begun[line["source"]] = min(begun.get(line["source"], day), day)
            first[line["item"]] = min(first.get(line["item"], day), day)
        latest: dict[tuple[str, str], NDArray[np.datetime64]] = {}
        related: dict[str, NDArray[np.bool_]] = {}
        dates = [day.astype(object) for day in np.unique(frame.cohort.as_of)]
        frame.engine.create_table(NEWEST, _newest_of_persons(frame, dates), overwrite=True)
        for whose in ("self", "mother", "guardians", "siblings", "household"):
            related[whose] = _has_any(frame, whose)
            latest |= _latest(frame, whose)
        return cls(frame, expectations, source_of, begun, first, latest, related)

    def zero_means_none(self, indicator: Indicator) -> NDArray[np.bool_]:
        """Rows where finding no fact of the item means there is none, not that nobody knows."""
        cohort = self.frame.cohort
        source = self.source_of.get(indicator.item)
        expectation = self.expectations.sources.get(source or "")
        if source is None or expectation is None or expectation.kind == "roster":
            return np.zeros(len(cohort), dtype=bool)
        # Before the item's first fact nobody could tell that the source would speak of it.
        answerable = np.asarray(cohort.as_of >= self.first[indicator.item])
        if expectation.kind == "voluntary":
            seen = self.latest.get((indicator.whose, source))
            if seen is None:
                return np.zeros(len(cohort), dtype=bool)
            return answerable & np.asarray(seen >= cohort.as_of - np.timedelta64(RECENT_MONTHS * 31, "D"))
        if indicator.whose == "self" and (expectation.ages or expectation.grades):
            answerable &= expected_of(expectation, cohort)
        if indicator.whose in ("mother", "guardians"):
            answerable &= self.related[indicator.whose]
        return answerable

    def self_known(self) -> dict[str, NDArray[np.datetime64]]:
        """Per source, when it last said something about the child or those its expectation names."""
        nothing = np.full(len(self.frame.cohort), np.datetime64("NaT"), dtype="datetime64[D]")
        known = {}
        for source in sorted(set(self.begun) | set(self.expectations.sources)):
            expectation = self.expectations.sources.get(source)
            whom = expectation.whose if expectation else ("self",)
            dates = [self.latest[w, source] for w in whom if (w, source) in self.latest]
            known[source] = np.fmax.reduce([nothing, *dates])
        return known


def _has_any(frame: Frame, whose: str) -> NDArray[np.bool_]:
    members = frame.members
    rows = members.filter(members.whose == whose).select("row").distinct().to_pyarrow()["row"].to_numpy()
    has = np.zeros(len(frame.cohort), dtype=bool)
    has[rows] = True
    return has


def _latest(frame: Frame, whose: str) -> dict[tuple[str, str], NDArray[np.datetime64]]:
    """Per source, the newest fact about a row's relatives known on its date."""
    members, newest = frame.members, frame.engine.table(NEWEST)
    theirs = members.filter(members.whose == whose).select("row", "as_of", "person_key")
    told = theirs.join(newest, ["person_key", "as_of"])
    found = told.group_by("row", "source").agg(on=told.on.max()).to_pyarrow()
    sources = found["source"].to_numpy(zero_copy_only=False)
    rows, on = found["row"].to_numpy(), found["on"].to_numpy().astype("datetime64[D]")
    spread = {}
    for source in set(sources):
        dates = np.full(len(frame.cohort), np.datetime64("NaT"), dtype="datetime64[D]")
        here = sources == source
        dates[rows[here]] = on[here]
        spread[whose, str(source)] = dates
    return spread


NEWEST = "newest"


def _newest_of_persons(frame: Frame, dates: Sequence[dt.date]) -> ir.Table:
    """(person, source, date): the newest fact known on the date; an open spell counts as of that date.

    Most facts were over when they became known and nobody told otherwise since: their day is the same on every later
    date, so each is looked at once and carried forward. Only the others are compared with every date.
    """
    facts = frame.facts.select("person_key", "source", "valid_from", "valid_to", "known_from", "known_to")
    begun = ibis.greatest(facts.valid_from, facts.known_from)
    first = ibis.cases(*((begun <= ibis.literal(day), ibis.literal(day)) for day in dates))
    facts = facts.mutate(as_of=first)
    is_settled = facts.known_to.isnull() & (facts.valid_to <= facts.as_of).fill_null(False)
    once = facts.filter(is_settled)
    once = once.mutate(on=ibis.greatest(once.valid_from, once.valid_to))
    once = once.group_by("person_key", "source", "as_of").agg(on=once.on.max())
    date = frame.engine.table("dates").select("as_of")
    empty = once.select("person_key", "source").distinct().cross_join(date).mutate(on=ibis.null("date"))
    every = ibis.union(
        once.select("person_key", "source", "as_of", "on"), empty.select("person_key", "source", "as_of", "on")
    )
    held = every.group_by("person_key", "source", "as_of").agg(on=every.on.max())
    so_far = ibis.cumulative_window(group_by=["person_key", "source"], order_by="as_of")
    carried = held.mutate(on=held.on.max().over(so_far))
    pairs = facts.filter(~is_settled).drop("as_of").cross_join(date)
    told = pairs.filter((pairs.valid_from <= pairs.as_of) & known(pairs))
    ends = ibis.least(told.valid_to.fill_null(told.as_of), told.as_of)
    others = told.select("person_key", "source", "as_of", on=ibis.greatest(told.valid_from, ends))
    both = ibis.union(carried.filter(carried.on.notnull()).select("person_key", "source", "as_of", "on"), others)
    return both.group_by("person_key", "source", "as_of").agg(on=both.on.max())


def _zero_or_missing(indicator: Indicator, value: Values, seen: Values, knowledge: _Knowledge) -> Values:
    if indicator.aggregate not in ZERO_MEANS_NONE:
        return value
    otherwise = np.where(knowledge.zero_means_none(indicator), 0.0, np.nan)
    return np.where(seen > 0, np.nan_to_num(value), otherwise)

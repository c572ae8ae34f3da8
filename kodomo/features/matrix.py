"""The matrix of indicators: one row a child on a date, one column an indicator, empty where nobody can know (analysis side)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kodomo.features.aggregates import group_query, seen_column, windows_of
from kodomo.features.blocks import ROWS_AT_ONCE, frames
from kodomo.features.catalogue import CLASS, ZERO_MEANS_NONE, Catalogue, Indicator
from kodomo.features.classmates import ClassTotals
from kodomo.features.cohort import WHOSE, Cohort, Frame, open_ground, stored
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
    sources_of: dict[str, tuple[str, ...]]
    """By item: the sources that tell it, the one with most facts first."""
    known_by: dict[str, NDArray[np.datetime64]]
    skipped: dict[str, str]
    register_source: str | None = None
    """The source whose tables the structures (household, kinship, residence) come from."""
    teller: dict[tuple[str, str], NDArray[np.int8]] = field(default_factory=dict)
    """Of items that several sources tell, by whose they are: place in ``sources_of`` of the one that spoke last."""

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

    def silent(self) -> list[str]:
        """Indicators that say nothing of any child, not even that there is nothing: their item does not come in, or
        nobody can be asked of it.
        """
        told = ~np.isnan(self.values)
        return [code for n, code in enumerate(self.codes) if not told[:, n].any()]

    def take(self, rows: NDArray[np.intp]) -> FeatureMatrix:
        """Some of the rows."""
        return replace(
            self,
            cohort=self.cohort.take(rows),
            values=self.values[rows],
            on=None if self.on is None else self.on[rows],
            known_by={s: d[rows] for s, d in self.known_by.items()},
            teller={key: places[rows] for key, places in self.teller.items()},
        )

    def sources_told(self, indicator: Indicator, rows: NDArray[np.intp]) -> NDArray[np.object_]:
        """For each of the rows the source behind an indicator's value; None where no source tells it."""
        names = (self.register_source,) if indicator.structure else self.sources_of.get(indicator.item, (None,))
        places = self.teller.get((indicator.whose, indicator.item)) if len(names) > 1 else None
        return np.array(names, dtype=object)[np.zeros(len(rows), np.intp) if places is None else places[rows]]


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
    rows_at_once: int = ROWS_AT_ONCE,
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
        rows_at_once: how many rows are asked of at once, where there is a folder to spill to; the values are the same.
    """
    with open_engine(engine_name, spill) as engine:
        used, skipped = _lawful(catalogue, allows)
        windows = sorted(
            windows_of([i for i in used.indicators if not i.structure]) | {*STRUCTURE_WINDOWS, RECENT_MONTHS}
        )
        items = sorted(i for i in _items_there(engine, snapshot) if allows(i))
        ground = open_ground(engine, snapshot, dates, windows, items)
        matrix = _empty(ground.cohort, used, skipped, with_dates=with_dates)
        classes = ClassTotals(used, len(ground.cohort))
        for frame, rows in frames(ground, spill, most=rows_at_once):
            _fill(frame, rows, matrix, expectations, classes)
        for code, own in classes.values().items():
            _put(matrix, used[code], ground.cohort, np.arange(len(ground.cohort)), own)
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


def _empty(cohort: Cohort, catalogue: Catalogue, skipped: dict[str, str], *, with_dates: bool) -> FeatureMatrix:
    """Nothing known of anybody, to be filled block by block."""
    shape = (len(cohort), len(catalogue.indicators))
    on = np.full(shape, np.datetime64("NaT"), dtype="datetime64[D]", order="F") if with_dates else None
    # Column by column, as it is filled.
    return FeatureMatrix(cohort, catalogue, np.full(shape, np.nan, order="F"), on, {}, {}, skipped)


def _fill(
    frame: Frame, rows: NDArray[np.intp], matrix: FeatureMatrix, expectations: Expectations, classes: ClassTotals
) -> None:
    """Write a block's values, dates and what its sources know into its rows of the matrix."""
    catalogue = matrix.catalogue
    knowledge = _Knowledge.read(frame, expectations)
    shapes = structures(frame, {i.structure for i in catalogue.indicators if i.structure})
    for indicator in catalogue.indicators:
        if indicator.structure:
            _put(matrix, indicator, frame.cohort, rows, shapes[indicator.structure])
    for (whose, _), group in _groups(catalogue).items():
        answer = group_query(frame, whose, group, with_dates=matrix.on is not None).to_pyarrow()
        answered = answer["row"].to_numpy()
        for indicator in group:
            _put(matrix, indicator, frame.cohort, rows, _answered(indicator, answer, answered, knowledge))
            if matrix.on is not None:
                newest = answer[f"{indicator.code}__on"].to_numpy(zero_copy_only=False)
                matrix.on[rows[answered], matrix.codes.index(indicator.code)] = newest.astype("datetime64[D]")
    classes.add(frame, rows, knowledge.zero_means_none)
    matrix.sources_of.update(knowledge.sources_of)
    nothing = np.datetime64("NaT", "D")
    for source, days in knowledge.self_known().items():
        matrix.known_by.setdefault(source, np.full(len(matrix.cohort), nothing))[rows] = days
    for whose, item in {
        (i.whose, i.item) for i in catalogue.indicators if len(knowledge.sources_of.get(i.item, ())) > 1
    }:
        places = matrix.teller.setdefault((whose, item), np.zeros(len(matrix.cohort), np.int8))
        places[rows] = knowledge.last_teller(whose, item)


def _put(matrix: FeatureMatrix, indicator: Indicator, cohort: Cohort, rows: NDArray[np.intp], own: Values) -> None:
    """Write an indicator's values into the rows that the cohort given stands for."""
    asked = asked_of(indicator, cohort)
    column = matrix.values[:, matrix.codes.index(indicator.code)]
    # Rounded, a trend of nothing is 0 or -0 by the order an engine added in; adding 0 leaves one of them.
    column[rows] = np.where(asked, np.round(own, DECIMALS) + 0.0, np.nan)


def _answered(indicator: Indicator, answer: pa.Table, rows: NDArray[np.int32], knowledge: _Knowledge) -> Values:
    """An indicator's values for the whole cohort: what the engine answered, else zero or missing."""
    found = answer[indicator.code].to_numpy(zero_copy_only=False)
    values = np.full(len(knowledge.frame.cohort), np.nan)
    if indicator.aggregate not in ZERO_MEANS_NONE:
        values[rows] = found
        return values
    values[knowledge.zero_means_none(indicator)] = 0.0
    seen = answer[seen_column(indicator)].to_numpy(zero_copy_only=False) > 0
    values[rows[seen]] = np.nan_to_num(found[seen])
    return values


def _groups(catalogue: Catalogue) -> dict[tuple[str, str], list[Indicator]]:
    """Indicators that one grouped scan can answer together."""
    groups: dict[tuple[str, str], list[Indicator]] = defaultdict(list)
    for indicator in catalogue.indicators:
        if not indicator.structure and indicator.whose != CLASS:
            groups[indicator.whose, indicator.item].append(indicator)
    return groups


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
    sources_of: dict[str, tuple[str, ...]]
    begun: dict[str, np.datetime64]
    first: dict[str, np.datetime64]
    latest: dict[tuple[str, str], NDArray[np.datetime64]]
    related: dict[str, NDArray[np.bool_]]

    @classmethod
    def read(cls, frame: Frame, expectations: Expectations) -> _Knowledge:
        """Ask the engine once per relation."""
        sources_of: dict[str, tuple[str, ...]] = {}
        begun: dict[str, np.datetime64] = {}
        first: dict[str, np.datetime64] = {}
        for one in frame.told:  # the source with fewest facts first
            sources_of[one.item] = (one.source, *sources_of.get(one.item, ()))
            day = np.datetime64(one.begun, "D")
            begun[one.source] = min(begun.get(one.source, day), day)
            first[one.item] = min(first.get(one.item, day), day)
        latest: dict[tuple[str, str], NDArray[np.datetime64]] = {}
        related: dict[str, NDArray[np.bool_]] = {}
        newest = _newest_of_persons(frame)
        for whose in WHOSE:
            relatives = frame.relatives(whose).select("row", "place", "date_number").to_pyarrow()
            row, place, date = (relatives[name].to_numpy() for name in ("row", "place", "date_number"))
            order = np.argsort(row, kind="stable")
            row, place, date = row[order], place[order], date[order]
            starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.zeros(0, np.intp)
            related[whose] = np.zeros(len(frame.cohort), dtype=bool)
            related[whose][row] = True
            for source, number in frame.sources.items():
                days = np.full(len(frame.cohort), NEVER, dtype=np.int32)
                if len(row):
                    days[row[starts]] = np.maximum.reduceat(newest[number, date, place], starts)
                if (days > NEVER).any():
                    latest[whose, source] = _days(days)
        return cls(frame, expectations, sources_of, begun, first, latest, related)

    def zero_means_none(self, indicator: Indicator) -> NDArray[np.bool_]:
        """Rows where finding no fact of the item means there is none, not that nobody knows."""
        nobody = np.zeros(len(self.frame.cohort), dtype=bool)
        described = [self.expectations.sources.get(source) for source in self.sources_of.get(indicator.item, ())]
        if any(one is None or one.kind == "roster" for one in described):
            return nobody
        silent = [self._none_without(one, indicator) for one in described if one]
        return np.asarray(np.logical_or.reduce([nobody, *silent]))

    def _none_without(self, expectation: SourceExpectation, indicator: Indicator) -> NDArray[np.bool_]:
        """Rows where a source that is no roster says by its silence that there is none."""
        cohort, source = self.frame.cohort, expectation.source
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

    def last_teller(self, whose: str, item: str) -> NDArray[np.int8]:
        """Which of an item's sources said something last about those whose it is, as its place in ``sources_of``."""
        never = np.full(len(self.frame.cohort), np.datetime64("0001-01-01", "D"))
        days = [np.fmax(never, self.latest.get((whose, source), never)) for source in self.sources_of[item]]
        return np.asarray(np.argmax(days, axis=0), np.int8)

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


NEVER = np.iinfo(np.int32).min


def _days(days: NDArray[np.int32]) -> NDArray[np.datetime64]:
    found = days.astype("datetime64[D]")
    found[days == NEVER] = np.datetime64("NaT")
    return found


def _newest_of_persons(frame: Frame) -> NDArray[np.int32]:
    """source × date × person: day of the newest fact known on the date, else ``NEVER``; an open spell counts as of it.

    Most facts were over when they became known and nobody told otherwise since: their day is the same on every later
    date, so each is looked at once and carried forward. Only the others are compared with every date.
    """
    facts = frame.facts
    over = facts.valid_to <= ibis.cases(
        *((facts.first_date == number, ibis.literal(day)) for number, day in enumerate(frame.dates))
    )
    is_settled = (facts.end_date == len(frame.dates)) & over.fill_null(False)
    once = facts.filter(is_settled)
    once = once.group_by("source", "place", date_number=once.first_date).agg(
        on=ibis.greatest(once.valid_from, once.valid_to).max()
    )
    date = frame.engine.table("dates").select("date_number", "as_of")
    told = facts.filter(~is_settled).cross_join(date)
    told = told.filter((told.first_date <= told.date_number) & (told.date_number < told.end_date))
    ends = ibis.least(told.valid_to.fill_null(told.as_of), told.as_of)
    others = told.group_by("source", "place", "date_number").agg(on=ibis.greatest(told.valid_from, ends).max())
    newest = np.full((len(frame.sources), len(frame.dates), frame.persons), NEVER, dtype=np.int32)
    for found, is_carried in ((once.to_pyarrow(), True), (others.to_pyarrow(), False)):
        where = tuple(found[name].to_numpy() for name in ("source", "date_number", "place"))
        newest[where] = np.maximum(newest[where], found["on"].cast(pa.int32()).to_numpy())
        if is_carried:
            np.maximum.accumulate(newest, axis=1, out=newest)
    return newest

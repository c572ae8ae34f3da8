"""How much is known about each child: which sources know it, how freshly, and whether that is enough (analysis side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kodomo.features.catalogue import Catalogue
from kodomo.features.coverage import Expectations
from kodomo.features.data_until import newest_delivery
from kodomo.features.matrix import FeatureMatrix, expected_of
from kodomo.terms import DifficultyType

ENOUGH_SHARE = 0.5
"""At least half of what should be known about a child must be."""
ENOUGH_WEIGHT = 1.0
"""And at least one full source must know it: nobody is judged by water bills alone."""
EXPECTING = ("roster", "universal")

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Knowledge:
    """Per source and child: expected by age, known, when last, and fresh."""

    sources: tuple[str, ...]
    expected: Flags
    known: Flags
    latest: NDArray[np.datetime64]
    fresh: Flags
    weights: NDArray[np.float64]

    def share(self, rows: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Share (by weight) of the expected sources that know the child freshly; 0 where none is expected."""
        weights = self.weights if rows is None else self.weights * rows
        wanted = self.expected @ weights
        there = (self.expected & self.known & self.fresh) @ weights
        return np.divide(there, wanted, out=np.zeros(len(wanted)), where=wanted > 0)

    def weight(self, rows: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Weight of all sources that know the child freshly, expected or not (a voluntary one counts one)."""
        weights = np.where(self.weights > 0, self.weights, 1.0)
        chosen = weights if rows is None else weights * rows
        listed = (self.expected | (self.weights == 0)) & self.known & self.fresh
        return np.asarray(listed @ chosen)

    def too_thin(self, relevant: NDArray[np.bool_]) -> Flags:
        """Children of whom too little is known for a type whose evidence comes from the relevant sources."""
        return (self.share(relevant) < ENOUGH_SHARE) | (self.weight(relevant) < ENOUGH_WEIGHT)


def knowledge_of(matrix: FeatureMatrix, expectations: Expectations, sources: pa.Table, as_of: dt.date) -> Knowledge:
    """Lay out who knows whom.

    A source is fresh when its last extract until the date is no older on it than its own limit; for a date
    before the first extract, what was known then is judged by the child's own newest fact alone.
    """
    names = tuple(sorted(matrix.known_by))
    rows = {line["source"]: line for line in sources.to_pylist()}
    size = (len(matrix.cohort), len(names))
    expected, fresh = np.zeros(size, bool), np.zeros(size, bool)
    latest = np.full(size, np.datetime64("NaT"), dtype="datetime64[D]")
    weights = np.zeros(len(names))
    for n, name in enumerate(names):
        latest[:, n] = matrix.known_by[name]
        line, expectation = rows.get(name), expectations.sources.get(name)
        newest = newest_delivery(line, as_of) if line is not None else None
        current = line is not None and (newest is None or (as_of - newest).days <= line["freshness_days"])
        recent = np.ones(size[0], bool)
        if expectation is not None:
            weights[n] = expectation.weight if expectation.kind in EXPECTING else 0.0
            if expectation.kind in EXPECTING:
                expected[:, n] = expected_of(expectation, matrix.cohort)
            if expectation.stale_months is not None:
                limit = np.datetime64(as_of, "D") - np.timedelta64(expectation.stale_months * 31, "D")
                recent = latest[:, n] >= limit
        fresh[:, n] = recent & current
    known = ~np.isnat(latest)
    for group in expectations.groups():
        _expect_once(expected, latest, fresh & known, [n for n, name in enumerate(names) if name in group])
    return Knowledge(names, expected, known, latest, fresh & known, weights)


def _expect_once(expected: Flags, latest: NDArray[np.datetime64], knows: Flags, members: list[int]) -> None:
    """Of sources that list children together, each a part, expect of a child the one that knows it, else that spoke last."""
    if len(members) < 2:
        return
    wanted, days = expected[:, members], latest[:, members]
    order = np.where(np.isnat(days), 0, days.astype(np.int64) + 10**6) + np.where(knows[:, members], 10**7, 0)
    chosen = np.argmax(np.where(wanted, order, -1), axis=1)
    expected[:, members] = wanted & (chosen[:, None] == np.arange(len(members)))


def relevant_sources(
    knowledge: Knowledge, catalogue: Catalogue, sources_of: Mapping[str, tuple[str, ...]], kind: DifficultyType
) -> NDArray[np.bool_]:
    """Sources that carry a type's own evidence (label traces aside)."""
    items = {item for i in catalogue.indicators if kind in i.types and not i.is_label_trace for item in i.items}
    named = {source for item in items for source in sources_of.get(item, ())}
    return np.array([s in named for s in knowledge.sources], dtype=bool)

"""Which levels of the judgement before may be kept: those of children of whom nothing new is known (analysis side).

New is whatever changed in what the store says of the child, of a relative or of somebody it lives with: a fact
added, corrected, withdrawn or ended by statement, a move, a relative found or lost. That time passes alone is not new.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kodomo.errors import NotReady
from kodomo.governance.criteria_versions import InUse
from kodomo.store.database import Snapshot, Store
from kodomo.tables.engine import connect

KIND = "judgements"


@dataclass(frozen=True)
class Held:
    """The levels before, of children without new data; and the judgement they stood in."""

    judgement: str
    levels: Mapping[tuple[str, str], Mapping[str, str]]

    def of(self, kind: str, method: str, keys: NDArray[np.object_]) -> NDArray[np.object_]:
        """The level before of each child for a type (or 総合) and method; None where it may not be kept."""
        known = self.levels.get((kind, method), {})
        return np.array([known.get(key) for key in keys], dtype=object)


def held_levels(
    store: Store, snapshot: Snapshot, as_of: dt.date, in_use: tuple[InUse, InUse], spill: Path | None = None
) -> Held | None:
    """What may be kept from the newest judgement until the date, made with the same criteria and thresholds.

    Where people decided other criteria or thresholds, levels follow them at once.

    Returns:
        None where there is no such judgement, or its snapshot is gone.
    """
    before = judgement_before(store, as_of, in_use)
    if before is None:
        return None
    try:
        then = store.open("snapshots", str(before.manifest["snapshot"]))
    except NotReady:
        return None
    changed = children_with_news(then, dt.date.fromisoformat(str(before.manifest["as_of"])), snapshot, as_of, spill)
    levels: dict[tuple[str, str], dict[str, str]] = {}
    table = before.read("judgements", ("child_key", "type", "method", "level"))
    for key, kind, method, level in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        if key not in changed:
            levels.setdefault((kind, method), {})[key] = level
    return Held(before.snapshot_id, levels)


def judgement_before(store: Store, as_of: dt.date, in_use: tuple[InUse, InUse]) -> Snapshot | None:
    """The judgement of the latest date until ``as_of`` (of several, the last made) with these versions."""
    found = [store.open(KIND, name) for name in store.names(KIND)]
    same = [one for one in found if _versions(one) == tuple(version.version for version in in_use)]
    until = [
        (str(one.manifest["as_of"]), n) for n, one in enumerate(same) if one.manifest["as_of"] <= as_of.isoformat()
    ]
    return same[max(until)[1]] if until else None


def _versions(judgement: Snapshot) -> tuple[str, str]:
    criteria, thresholds = judgement.manifest.get("criteria", {}), judgement.manifest.get("thresholds", {})
    return str(criteria.get("sha256", "")), str(thresholds.get("sha256", ""))


def children_with_news(
    then: Snapshot, then_on: dt.date, now: Snapshot, now_on: dt.date, spill: Path | None = None
) -> set[str]:
    """Children of whom, or of whose relatives or household, the store says something else than before."""
    with connect(spill) as engine:
        for name, snapshot, day in (("before", then, then_on), ("after", now, now_on)):
            engine.execute(f"CREATE TABLE said_{name} AS {_SAID}", _places(snapshot, day))
        engine.execute(_CHANGED)
        spells = [str(snapshot.file("household_spells")) for snapshot in (now, then)]
        values = [str(now.file("persons")), str(now.file("kinships")), spells[0], now_on, spells[1], then_on]
        return {row[0] for row in engine.execute(_CHILDREN, values).fetchall()}


def _places(snapshot: Snapshot, day: dt.date) -> list[object]:
    kin = str(snapshot.file("kinships"))
    return [str(snapshot.file("facts")), day, day, str(snapshot.file("household_spells")), day, day, day, kin, day, day]


# A person's statements as one number: the order of rows doesn't matter, and equal ones do not cancel out.
_SAID = """
SELECT person_key, count(*) AS statements, sum(hash(said) % 4294967291) AS digest FROM (
    SELECT person_key, (source, item, number, code, valid_from, valid_to)::VARCHAR AS said FROM read_parquet(?)
    WHERE known_from <= ? AND (known_to IS NULL OR known_to > ?)
    UNION ALL
    SELECT person_key, (household_key, relationship, valid_from, valid_to)::VARCHAR FROM read_parquet(?)
    WHERE known_from <= ? AND (known_to IS NULL OR known_to > ?)
    UNION ALL
    SELECT child_key, (relative_key, kind, valid_from, CASE WHEN end_known_from IS NULL OR end_known_from <= ? THEN valid_to END)::VARCHAR
    FROM read_parquet(?) WHERE known_from <= ? AND (known_to IS NULL OR known_to > ?)
) GROUP BY person_key
"""

_CHANGED = """
CREATE TABLE changed AS
SELECT coalesce(a.person_key, b.person_key) AS person_key
FROM said_before AS b FULL JOIN said_after AS a USING (person_key)
WHERE (a.statements, a.digest) IS DISTINCT FROM (b.statements, b.digest)
"""

_CHILDREN = """
WITH living AS (
    SELECT person_key, household_key FROM read_parquet($3) WHERE valid_to IS NULL OR valid_to > $4
    -- Who has left a household since is news of those who stay.
    UNION SELECT person_key, household_key FROM read_parquet($5) WHERE valid_to IS NULL OR valid_to > $6
)
SELECT person_key FROM read_parquet($1) WHERE is_child AND person_key IN (
    SELECT person_key FROM changed
    UNION SELECT child_key FROM read_parquet($2) WHERE relative_key IN (SELECT person_key FROM changed)
    UNION SELECT person_key FROM living
          WHERE household_key IN (SELECT household_key FROM living WHERE person_key IN (SELECT person_key FROM changed))
)
"""

"""Who is under 支援措置 by the newest snapshot: protection does not wait for the next judgement (casework side)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kodomo.configuration import Home
from kodomo.store.database import Store
from kodomo.tables.engine import reading


def protected_now(home: Home) -> frozenset[str]:
    """Keys of everybody who is under protection, or lives with somebody who is, by what stands now in the newest snapshot."""
    snapshot = Store(home.store).current("snapshots")
    if snapshot is None:
        return frozenset()
    return _protected(home.store, snapshot.snapshot_id, snapshot.file("persons").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _protected(store: Path, name: str, stamp: int) -> frozenset[str]:
    """Read once for each publishing of a snapshot."""
    snapshot = Store(store).open("snapshots", name)
    query = f"""
        WITH told AS (SELECT person_key FROM read_parquet($persons) WHERE is_address_protected),
             now AS (SELECT person_key, household_key FROM read_parquet($spells)
                     WHERE valid_to IS NULL AND ({snapshot.standing("household_spells")}))
        SELECT person_key FROM told
        UNION SELECT person_key FROM now WHERE household_key IN (SELECT household_key FROM now JOIN told USING (person_key))
    """
    files = {"persons": str(snapshot.file("persons")), "spells": str(snapshot.file("household_spells"))}
    with reading() as engine:
        return frozenset(row[0] for row in engine.execute(query, files).fetchall())

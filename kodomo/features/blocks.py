"""Cuts a city too large to be asked at once into blocks of children with all their relatives (analysis side).

Indicators look at a child, its kin and its household. Whoever was ever linked by kinship or a shared household
belongs to one component (as known on any date, so on each), and a block is made of whole components: no fact is
needed by two blocks. The facts are dealt out to the blocks in one pass, so that time grows with the city and
memory with the block.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from kodomo.features.cohort import Frame, Ground

ROWS_AT_ONCE = 500_000
"""Rows (child and date) of a block: those of about 20,000 children on 24 dates, which fit DuckDB's memory."""

Rows = NDArray[np.intp]


def frames(ground: Ground, spill: Path | None, *, most: int = ROWS_AT_ONCE) -> Iterator[tuple[Frame, Rows]]:
    """The cohort block by block: what indicators are asked of, and which of the cohort's rows these are.

    Args:
        spill: where the dealt facts lie meanwhile; without it (and on Spark, which deals them itself) all is one block.
        most: rows of a block, unless one component has more.
    """
    everybody = np.arange(len(ground.cohort), dtype=np.intp)
    if spill is None or ground.engine.name != "duckdb" or len(everybody) <= most:
        yield ground.frame(), everybody
        return
    person, block = _blocks(ground, most)
    place = pc.index_in(pa.array(ground.cohort.child_key, pa.string()), value_set=person).to_numpy()
    with _dealt(ground, spill, person, block) as facts:
        for number in range(int(block.max()) + 1):
            rows = np.flatnonzero(block[place] == number)
            yield ground.frame(rows, facts(number)), rows


def _blocks(ground: Ground, most: int) -> tuple[pa.Array, NDArray[np.int16]]:
    """Every person linked with anybody, and the block of each; those linked with no child of the cohort have none (-1)."""
    engine, cohort = ground.engine, ground.cohort
    homes = engine.table("household_spells").select("person_key", "household_key").distinct().to_pyarrow()
    kin = engine.table("kinships").select("child_key", "relative_key").distinct().to_pyarrow()
    children = pa.array(cohort.child_key, pa.string())
    keys = (homes["person_key"], kin["child_key"], kin["relative_key"], children)
    person = pc.unique(pa.chunked_array([c for one in keys for c in _chunks(one)], pa.string()))
    houses = homes["household_key"].combine_chunks().dictionary_encode()

    def place(column: pa.ChunkedArray) -> Rows:
        return np.asarray(pc.index_in(column, value_set=person).to_numpy(), dtype=np.intp)

    start = np.concatenate([place(homes["person_key"]), place(kin["child_key"])])
    end = np.concatenate([len(person) + houses.indices.to_numpy(), place(kin["relative_key"])])
    nodes = len(person) + len(houses.dictionary)
    _, component = connected_components(coo_matrix((np.ones(len(start), bool), (start, end)), (nodes, nodes)), False)
    of_row = component[place(pa.chunked_array([children]))]
    # Blocks are filled one after another; a component is never cut.
    counts = np.bincount(of_row, minlength=int(component.max()) + 1)
    filled = np.where(counts > 0, (np.cumsum(counts) - counts) // most, -1)
    _, closed = np.unique(filled[filled >= 0], return_inverse=True)
    filled[filled >= 0] = closed
    return person, filled[component[: len(person)]].astype(np.int16)


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


@contextmanager
def _dealt(
    ground: Ground, spill: Path, person: pa.Array, block: NDArray[np.int16]
) -> Iterator[Callable[[int], ir.Table]]:
    """The facts written out by block and read again by its number; taken away in the end."""
    spill.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="facts-", dir=spill))
    try:
        numbers = np.arange(len(person), dtype=np.int32)
        named = pa.table({"person_key": person, "person": numbers, "block": block}).filter(pa.array(block >= 0))
        ground.engine.create_table("numbered", named, overwrite=True)
        # From here on a person is a number: a key of letters would be compared again in every block.
        everything = ground.facts.join(ground.engine.table("numbered"), "person_key").drop("person_key")
        ground.engine.to_parquet(everything, folder / "all", partition_by="block")

        def read(number: int) -> ir.Table:
            part = folder / "all" / f"block={number}"
            # Of some blocks nothing is told.
            return ground.engine.read_parquet(str(part / "*.parquet")) if part.is_dir() else ground.facts.limit(0)

        yield read
    finally:
        shutil.rmtree(folder, ignore_errors=True)

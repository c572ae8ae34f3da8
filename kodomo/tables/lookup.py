"""Rows of a published file by their key, for pages that ask for one child at a time (shared ground).

A query engine plans each question for about as long as it takes to answer it, and a child's page has seven. Published
files never change: a small one is kept in memory, sorted by the key; of a large one, which was written sorted, only the
row groups that can hold the key are read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MOST_ROWS = 200_000
"""A file of up to as many rows stays in memory: who lives with whom in a city of 400,000."""

MOST_KEPT = 48
"""The small files of eight judgements; whichever was asked for longest ago makes room."""


def rows_with(path: Path, key: str, values: Collection[str]) -> list[dict[str, Any]]:
    """The rows whose column ``key`` holds one of the values, value by value in their order.

    Safe for many threads at once: each reads with a handle of its own.

    Args:
        path: a Parquet file that is never changed, only replaced.
        key: a column of strings.
    """
    stamp, wanted = path.stat().st_mtime_ns, sorted(set(values))
    if _footer(path, stamp).num_rows <= MOST_ROWS:
        table = _by_key(path, stamp, key)
        parts = [_between(table, key, value) for value in wanted]
    else:
        parts = _from_groups(path, stamp, key, wanted)
    return [row for part in parts for row in part.to_pylist()]


def all_rows(path: Path) -> list[dict[str, Any]]:
    """Every row of a short file."""
    rows: list[dict[str, Any]] = _kept(path, path.stat().st_mtime_ns).to_pylist()
    return rows


def _between(table: pa.Table, key: str, value: str) -> pa.Table:
    column = table.column(key).chunk(0) if table.num_rows else ()
    first = bisect_left(column, value, key=pa.StringScalar.as_py)
    return table.slice(first, bisect_right(column, value, lo=first, key=pa.StringScalar.as_py) - first)


def _from_groups(path: Path, stamp: int, key: str, wanted: list[str]) -> list[pa.Table]:
    footer, found = _footer(path, stamp), []
    texts = [field.name for field in footer.schema.to_arrow_schema() if pa.types.is_string(field.type)]
    # Dictionaries as they stand in the file: a third quicker than a text for each row.
    with pq.ParquetFile(path, metadata=footer, read_dictionary=texts) as file:
        for group, (low, high) in enumerate(_bounds(path, stamp, key)):
            here = [value for value in wanted if low is None or low <= value <= high]
            if here:
                table = file.read_row_group(group, use_threads=False)
                found.append(table.filter(pc.is_in(table.column(key), value_set=pa.array(here, pa.string()))))
    return found


@lru_cache(maxsize=2 * MOST_KEPT)
def _footer(path: Path, stamp: int) -> pq.FileMetaData:
    return pq.read_metadata(path)


@lru_cache(maxsize=2 * MOST_KEPT)
def _bounds(path: Path, stamp: int, key: str) -> tuple[tuple[Any, Any], ...]:
    """The least and the greatest key of each row group; nothing where the file doesn't say."""
    footer = _footer(path, stamp)
    place = footer.schema.names.index(key)
    told = [footer.row_group(group).column(place).statistics for group in range(footer.num_row_groups)]
    return tuple((one.min, one.max) if one is not None and one.has_min_max else (None, None) for one in told)


@lru_cache(maxsize=MOST_KEPT)
def _kept(path: Path, stamp: int) -> pa.Table:
    return pq.read_table(path, use_threads=False)


@lru_cache(maxsize=MOST_KEPT)
def _by_key(path: Path, stamp: int, key: str) -> pa.Table:
    """The whole file sorted by a key, rows of one key in the file's order, in one piece."""
    return pq.read_table(path, use_threads=False).sort_by(key).combine_chunks()

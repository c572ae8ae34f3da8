"""The one place that opens a query engine (shared ground): DuckDB with bounded memory, threads and spill."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

LEAST_UNSPILLED_GB = 6

UNSPILLED = f"{max(LEAST_UNSPILLED_GB, int(0.75 * os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9))}GB"
"""The bound for work that may not spill: three quarters of the machine. A city of a million takes less than three gigabytes."""


def connect(
    spill: Path | None = None, *, memory: str = "3GB", threads: int | None = None, is_packed: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that cannot reach a network nor fetch extensions.

    Args:
        spill: folder for what doesn't fit in memory; None lets DuckDB fail instead. DuckDB writes it in
            clear (encrypting it needs an extension that would have to be fetched), so the identity
            side never names one.
        memory: DuckDB's own limit (its buffers, not the whole process).
        threads: worker threads; all cores by default.
        is_packed: at each ``CHECKPOINT``, and only there, tables are compressed in memory to about a third.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": threads or os.cpu_count() or 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        }
    )
    if spill is not None:
        spill.mkdir(parents=True, exist_ok=True)
    # Unset, DuckDB would spill into the working folder; an empty name forbids it.
    folder = "" if spill is None else str(spill).replace("'", "''")
    connection.execute(f"SET temp_directory = '{folder}'")
    if is_packed:
        connection.execute("ATTACH ':memory:' AS packed (COMPRESS)")
        connection.execute("USE packed")
        connection.execute("SET wal_autocheckpoint = '1TB'")
    return connection


@contextmanager
def beside(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second connection to the same tables (temporary ones excepted), for another thread."""
    database = connection.execute("SELECT current_database()").fetchall()[0][0]
    cursor = connection.cursor()
    try:
        cursor.execute(f'USE "{database}"')
        yield cursor
    finally:
        cursor.close()


@contextmanager
def reading() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one page's short questions to published files, on an engine that this process keeps open.

    Opening an engine takes longer than such a question, and so does reading a file's footer: the kept engine
    remembers the footers (a published file never changes). Ask with bound values; make no tables.
    """
    cursor = _kept_engine().cursor()
    try:
        yield cursor
    finally:
        cursor.close()


_making = threading.Lock()
_engines: dict[int, duckdb.DuckDBPyConnection] = {}


def _kept_engine() -> duckdb.DuckDBPyConnection:
    """One for each process, made once however many ask first: a forked one must not share its parent's, nor its tables."""
    process = os.getpid()
    with _making:
        if process not in _engines:
            _engines[process] = connect(memory="1GB")
            _engines[process].execute("SET GLOBAL parquet_metadata_cache = true")
        return _engines[process]


def drop(connection: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Give back the room of tables that nobody asks again."""
    connection.execute(";".join(f"DROP TABLE IF EXISTS {name}" for name in tables))


def release() -> None:
    """Give back memory that Arrow keeps for later: after a large table is gone, as much again may be held."""
    pa.default_memory_pool().release_unused()

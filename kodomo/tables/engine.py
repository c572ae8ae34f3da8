"""The one place that opens a query engine (shared ground): DuckDB with bounded memory, threads and spill."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb


def connect(spill: Path | None = None, *, memory: str = "3GB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that cannot reach a network nor fetch extensions.

    Args:
        spill: folder for what doesn't fit in memory; None lets DuckDB fail instead of spilling.
        memory: DuckDB's own limit (its buffers, not the whole process).
        threads: worker threads; all cores by default.
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
        connection.execute(f"SET temp_directory = '{str(spill).replace(chr(39), chr(39) * 2)}'")
    return connection

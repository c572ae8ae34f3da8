"""The engine the indicators run on: DuckDB on one machine, or Spark for a prefecture and more (analysis side).

The same Ibis expressions run on both, from the same Parquet files. On one machine DuckDB is many times
quicker: Spark pays only where the facts don't fit one machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis

from kodomo.tables.engine import connect
from kodomo.tables.spark import start_spark

ENGINES = ("duckdb", "spark")


@contextmanager
def open_engine(name: str, spill: Path | None) -> Iterator[ibis.BaseBackend]:
    """Open an engine and close it again.

    Args:
        name: one of ``ENGINES``.
        spill: folder for what doesn't fit in memory; Spark keeps its tables there while it runs.

    Raises:
        NotReady: Spark or Java is not installed.
    """
    if name == "duckdb":
        connection = connect(spill, memory="1500MB")
        try:
            yield ibis.duckdb.from_connection(connection)
        finally:
            connection.close()
        return
    if spill is not None:
        spill.mkdir(parents=True, exist_ok=True)
    tables = Path(tempfile.mkdtemp(prefix="spark-", dir=spill))
    try:
        session = start_spark(tables)
        try:
            yield ibis.pyspark.connect(session)
        finally:
            session.stop()
    finally:
        shutil.rmtree(tables, ignore_errors=True)

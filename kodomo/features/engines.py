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

from kodomo.errors import NotReady
from kodomo.tables.engine import connect

ENGINES = ("duckdb", "spark")

_ALONE = {
    "spark.ui.enabled": "false",  # nothing listens that nobody asked for
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.log.level": "ERROR",
}
"""For Spark on this machine alone. A cluster's own settings (``spark-defaults.conf``, ``SPARK_HOME``) come first."""


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
        session = _session(tables)
        try:
            yield ibis.pyspark.connect(session)
        finally:
            session.stop()
    finally:
        shutil.rmtree(tables, ignore_errors=True)


def _session(tables: Path):  # type: ignore[no-untyped-def]
    try:
        from pyspark import SparkConf
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError:
        raise NotReady(
            "Spark が入っていません。", then="pip install 'kodomo[spark]' と Java 17 を入れてください。"
        ) from None
    conf = SparkConf()
    if not conf.contains("spark.master"):
        conf.setMaster("local[*]").setAll(list(_ALONE.items()))
    conf.set("spark.sql.warehouse.dir", str(tables)).set("spark.sql.session.timeZone", "UTC")
    try:
        return SparkSession.builder.appName("kodomo").config(conf=conf).getOrCreate()
    except PySparkRuntimeError:
        raise NotReady(
            "Spark を始められません。", where="Java", then="Java 17 を入れ、JAVA_HOME を確かめてください。"
        ) from None

"""The one place that starts Spark (shared ground): for what doesn't fit one machine, the same queries as DuckDB's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kodomo.errors import NotReady

ALONE = {
    "spark.ui.enabled": "false",  # nothing listens that nobody asked for
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.log.level": "ERROR",
}
"""For Spark on this machine alone. A cluster's own settings (``spark-defaults.conf``, ``SPARK_HOME``) come first."""


def start_spark(tables: Path, settings: Mapping[str, str] | None = None) -> Any:
    """A Spark session; the caller stops it.

    Args:
        tables: folder for tables that Spark keeps while it runs.
        settings: what has to be so wherever it runs.

    Raises:
        NotReady: Spark or Java is not installed.
    """
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
        conf.setMaster("local[*]").setAll(list(ALONE.items()))
    conf.set("spark.sql.warehouse.dir", str(tables)).set("spark.sql.session.timeZone", "UTC")
    conf.setAll(list((settings or {}).items()))
    try:
        return SparkSession.builder.appName("kodomo").config(conf=conf).getOrCreate()
    except PySparkRuntimeError:
        raise NotReady(
            "Spark を始められません。", where="Java", then="Java 17 を入れ、JAVA_HOME を確かめてください。"
        ) from None

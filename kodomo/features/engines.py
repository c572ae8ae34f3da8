"""The engine the indicators run on: DuckDB on one machine, or Spark for a prefecture and more (analysis side).

The same Ibis expressions run on both, from the same Parquet files. On one machine DuckDB is many times
quicker: Spark pays only where the facts don't fit one machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

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
            yield DuckDB.over(connection)
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


class DuckDB(Backend):  # type: ignore[misc]  # Ibis says no types
    """Ibis on DuckDB that asks nothing twice: for a small city, asking took longer than the answers.

    A table is made by two statements instead of seven; its columns are those it was made with, not asked for again;
    and a query is translated once, whichever connection asks it.
    """

    made: dict[str, ibis.Schema]

    @classmethod
    def over(cls, connection: duckdb.DuckDBPyConnection) -> DuckDB:
        """The engine over an open connection, which stays its owner's to close."""
        engine: DuckDB = cls.from_connection(connection)
        engine.made = {}
        return engine

    def create_table(self, name: str, obj: ir.Table | pa.Table, *, overwrite: bool = False) -> ir.Table:
        """Make a table of a query's rows, or of rows at hand."""
        if isinstance(obj, pa.Table):
            schema, rows = ibis.Schema.from_pyarrow(obj.schema), "SELECT * FROM at_hand"
            self.con.register("at_hand", obj)
        else:
            schema, rows = obj.schema(), self.compile(obj)
            self._run_pre_execute_hooks(obj)
        columns, names = _columns(schema)
        self.con.execute(f'CREATE {"OR REPLACE " if overwrite else ""}TABLE "{name}" ({columns})')
        self.con.execute(f'INSERT INTO "{name}" ({names}) {rows}')
        if isinstance(obj, pa.Table):
            self.con.unregister("at_hand")
        self.made[name] = schema
        return self.table(name)

    def get_schema(self, table_name: str, **place: Any) -> ibis.Schema:
        """A table's columns."""
        return self.made.get(table_name) or super().get_schema(table_name, **place)

    def compile(self, expr: ir.Expr, /, **options: Any) -> str:
        """A query's SQL."""
        sql: str = super().compile(expr, **options) if any(options.values()) else _translated(expr.op())
        return sql


@lru_cache(maxsize=256)
def _translated(query: Any) -> str:
    """The SQL of about two catalogues' queries is kept."""
    sql: str = Backend().compile(query.to_expr())
    return sql


@lru_cache(maxsize=256)
def _columns(schema: ibis.Schema) -> tuple[str, str]:
    """A table's columns as they are declared, and their names alone."""
    declared = schema.to_sqlglot_column_defs("duckdb")
    return ", ".join(one.sql("duckdb") for one in declared), ", ".join(one.this.sql("duckdb") for one in declared)

"""Candidate pairs and their weights, in SQL that DuckDB and Spark read alike (identity side).

A pair is an edge between a record and somebody on the spine: found by an equality of ``BLOCKS``, compared
level by level, weighed by the model (Fellegi and Sunter, with the frequency of the reading). The text is
one for both engines; what they write differently stands in the macros of ``DUCKDB`` and ``SPARK``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.linkage import model
from kodomo.tables import parts as in_parts
from kodomo.tables.parts import fill, parts_of
from kodomo.tables.spark import start_spark

ENGINES = ("duckdb", "spark")

LOWEST_WEIGHT = 0.0
"""Pairs below even odds are not kept as candidates: they could neither link nor be worth a person's time."""

DUCKDB = """
CREATE OR REPLACE MACRO one_slip(a, b) AS damerau_levenshtein(a, b) <= 1;
CREATE OR REPLACE MACRO shares_one(a, b) AS list_has_any(a, b);
"""
"""Beside ``same_name`` and ``one_off`` of ``forms``; ``one_slip`` is for dates, whose characters are one byte each."""

LONGEST_DATE = 10

SPARK = (
    """CREATE OR REPLACE TEMPORARY FUNCTION same_name(a STRING, b STRING) RETURNS BOOLEAN RETURN
       a = b OR ((contains(a, '〓') OR contains(b, '〓')) AND length(a) = length(b)
                 AND (a LIKE replace(b, '〓', '_') OR b LIKE replace(a, '〓', '_')))""",
    "CREATE OR REPLACE TEMPORARY FUNCTION one_off(a STRING, b STRING) RETURNS BOOLEAN RETURN levenshtein(a, b) = 1",
    "CREATE OR REPLACE TEMPORARY FUNCTION one_slip(a STRING, b STRING) RETURNS BOOLEAN RETURN levenshtein(a, b) <= 1 OR "
    + " OR ".join(
        f"(left(a, {i - 1}) || substr(a, {i + 1}, 1) || substr(a, {i}, 1) || substr(a, {i + 2}) = b AND length(a) > {i})"
        for i in range(1, LONGEST_DATE)
    ),
    "CREATE OR REPLACE TEMPORARY FUNCTION shares_one(a ARRAY<STRING>, b ARRAY<STRING>) RETURNS BOOLEAN RETURN arrays_overlap(a, b)",
)
"""The same as functions of Spark, whose ``levenshtein`` counts characters; a slip may also be two that changed places."""

SEALED_SPARK = {
    "spark.io.encryption.enabled": "true",  # whatever Spark puts on a disk is of the identity side
    "spark.io.encryption.keySizeBits": "256",
}

FREQUENCY = """
CREATE OR REPLACE TABLE kana_share AS
SELECT r.kana, greatest(count(s.kana), 1)::DOUBLE / greatest((SELECT count(kana) FROM main.spine_name), 1) AS share
FROM (SELECT DISTINCT kana FROM record WHERE kana IS NOT NULL) r LEFT JOIN main.spine_name s USING (kana) GROUP BY r.kana
"""
"""How common a reading is among all names of the spine: the records that happen to be open say nothing of that."""


BLOCKED = " UNION ".join(
    "SELECT l.unique_id AS l, r.unique_id AS r FROM (SELECT * FROM record WHERE {part}) l JOIN spine_variant r ON "
    + " AND ".join(f"l.{name} = r.{name}" for name in block)
    for block in model.BLOCKS
)
"""Who is compared with whom; of a part of the records."""


BIRTH_DATES = 30_000
"""A record meets at least whoever was born on the same day: so many days there are."""


def edges_sql(weights: Mapping[str, Any], part: str = "true") -> str:
    """The query that gives ``form, person, weight, name_level, birth_level`` out of ``record``, ``spine_variant`` and ``kana_share``.

    Args:
        weights: the model as ``model.weights`` gives it.
        part: which records, by ``unique_id``.
    """
    prior, names = weights["prior"], list(weights["comparisons"])
    bits = ", ".join(_bits(name, told) for name, told in weights["comparisons"].items())
    levels = ", ".join(f"{_level_of(name)} AS {name}_level" for name in names)
    joined = " ".join(f"LEFT JOIN {name}_bits ON {name}_bits.level = {name}_level" for name in names)
    weight = " + ".join(f"coalesce({name}_bits.bits + {RARITY.format(name)}, CAST(0 AS DOUBLE))" for name in names)
    return f"""
WITH pair AS ({BLOCKED.format(part=part)}), {bits},
compared AS (
    SELECT l.owner AS form, r.owner AS person, k.share, {levels}
    FROM pair JOIN record l ON l.unique_id = pair.l JOIN spine_variant r ON r.unique_id = pair.r LEFT JOIN kana_share k ON k.kana = l.kana
), weighed AS (
    SELECT form, person, name_level, birth_level, CAST({math.log2(prior / (1 - prior))!r} AS DOUBLE) + {weight} AS weight
    FROM compared {joined}
), ordered AS (
    SELECT form, person, weight, name_level, birth_level,
        row_number() OVER (PARTITION BY form, person ORDER BY weight DESC, name_level DESC, birth_level DESC) AS place
    FROM weighed WHERE weight >= {LOWEST_WEIGHT}
)
SELECT form, person, weight, name_level, birth_level FROM ordered WHERE place = 1
"""


def _level_of(name: str) -> str:
    """The level of a comparison: 0 for none of the conditions, -1 where one side says nothing."""
    null_if, levels = model.COMPARED[name]
    unknown = " OR ".join(f"({_sided(null_if.replace(' IS NULL', f'_{side} IS NULL'))})" for side in "lr")
    rest = [
        f"WHEN {_sided(condition)} THEN {len(levels) - 1 - i}" for i, (condition, *_) in enumerate(levels[:-1])
    ]  # fmt: skip
    return f"CASE WHEN {unknown} THEN -1 {' '.join(rest)} ELSE 0 END"


def _sided(condition: str) -> str:
    return re.sub(r"\b(\w+)_([lr])\b", r"\2.\1", condition)


RARITY = "coalesce({0}_bits.base - log2(share), CAST(0 AS DOUBLE))"
"""A rare name says more than a common one."""


def _bits(name: str, told: Iterable[tuple[float, float, float | None]]) -> str:
    """For each level what it is worth: log2(m / u). A table, for Spark would write a long CASE out over and over."""
    rows = list(told)
    lines = [
        f"({len(rows) - 1 - i}, CAST({math.log2(m / u)!r} AS DOUBLE), "
        f"CAST({'NULL' if base is None else repr(math.log2(base))} AS DOUBLE))"
        for i, (m, u, base) in enumerate(rows)
    ]
    return f"{name}_bits AS (SELECT * FROM (VALUES {', '.join(lines)}) AS told(level, bits, base))"


EMPTY = """
CREATE OR REPLACE TABLE candidate (form BIGINT, person BIGINT, weight DOUBLE, name_level INTEGER, birth_level INTEGER)
"""


def weigh_on_duckdb(connection: duckdb.DuckDBPyConnection, weights: Mapping[str, Any]) -> None:
    """Make the table ``candidate`` where the records are, a part of the records at a time: in a large city each has many namesakes."""
    names = connection.execute("SELECT count(*) FROM spine_variant").fetchall()[0][0]
    records = max(in_parts.AT_ONCE * 8 * BIRTH_DATES // max(names, 1), 1)
    fill(
        connection,
        "candidate",
        edges_sql(weights, "{part}"),
        parts_of(connection, "record", "unique_id", records),
        "unique_id",
    )


def weigh_on_spark(connection: duckdb.DuckDBPyConnection, weights: Mapping[str, Any], spill: Path) -> None:
    """Make the table ``candidate`` on Spark: records and spine go there, edges come back.

    Args:
        spill: folder for what Spark puts aside, encrypted with a key that it forgets.

    Raises:
        NotReady: Spark or Java is not installed.
    """
    spill.mkdir(parents=True, exist_ok=True, mode=0o700)
    spark = start_spark(spill, {**SEALED_SPARK, "spark.local.dir": str(spill)})
    try:
        for function in SPARK:
            spark.sql(function)
        for table in ("record", "spine_variant", "kana_share"):
            rows = connection.table(table).to_arrow_table()
            spark.createDataFrame(rows).createOrReplaceTempView(table)
        found = spark.sql(edges_sql(weights)).toArrow()
    finally:
        spark.stop()
    _take(connection, found)


def _take(connection: duckdb.DuckDBPyConnection, found: pa.Table) -> None:
    connection.execute(EMPTY)
    connection.register("found", found)
    connection.execute("INSERT INTO candidate SELECT form, person, weight, name_level, birth_level FROM found")
    connection.unregister("found")

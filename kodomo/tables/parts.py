"""Goes through a large table part by part, so that what a statement needs at once does not grow with the city (shared ground).

Names in clear may not be spilled to a disk (``tables.engine``). So what has to fit in memory must stay small: a part's
rows are joined, sorted and packed before the next part's. Whatever fits in one part is done in one go, by the same statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import duckdb

AT_ONCE = 1 << 19
"""Rows of a wide table at once: as many as a city of two hundred thousand people has in all."""


FEW = 4
"""Of up to so many parts what they need at once counts, not what they leave."""


@dataclass(frozen=True)
class Part:
    """A stretch of a key; ``first`` is None where one part is all."""

    first: int | None = None
    last: int = 0

    def holds(self, key: str) -> str:
        """The condition that a row with this key belongs to the part.

        >>> Part(1, 5).holds("f.form"), Part().holds("f.form")
        ('f.form BETWEEN 1 AND 5', 'true')
        """
        return "true" if self.first is None else f"{key} BETWEEN {self.first} AND {self.last}"


def parts_of(connection: duckdb.DuckDBPyConnection, table: str, key: str, at_once: int | None = None) -> list[Part]:
    """Part a table by an integer key into stretches of about ``at_once`` rows; one part, if that is all, without asking for keys.

    Args:
        table: a table or a query in parentheses.
    """
    at_once = at_once or AT_ONCE
    rows = int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
    if rows <= at_once:
        return [Part()]
    count = -(-rows // at_once)
    ends = connection.execute(
        f"SELECT max(key) FROM (SELECT {key} AS key, ntile({count}) OVER (ORDER BY {key}) AS part FROM {table}) GROUP BY part ORDER BY part"
    ).fetchall()
    # An open beginning and end: a key that comes to be later belongs somewhere, too.
    bounds = [-(1 << 62), *sorted({int(end) for (end,) in ends[:-1]}), 1 << 62]
    return [Part(low + 1, high) for low, high in pairwise(bounds)]


def fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    query: str,
    parts: list[Part],
    key: str,
    *,
    few: int = FEW,
) -> None:
    """Make a table out of what a query gives, part by part.

    Args:
        query: with ``{part}`` where the condition belongs.
        key: by which a row belongs to a part.
        few: up to so many parts are left as they are: packing takes longer than it helps, unless it has to be done anyway (1).
    """
    for number, part in enumerate(parts):
        made = f"INSERT INTO {table}" if number else f"CREATE OR REPLACE TABLE {table} AS"
        connection.execute(f"{made} {query.replace('{part}', part.holds(key))}")
        if len(parts) > few:
            pack(connection)


def pack_large(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """``pack``, if a table takes more than a few parts: packing takes longer than it helps a small city."""
    if connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] > FEW * AT_ONCE:
        pack(connection)


def pack(connection: duckdb.DuckDBPyConnection) -> None:
    """Compress what was written since the last time, if the engine packs (``engine.connect``)."""
    connection.execute("CHECKPOINT")

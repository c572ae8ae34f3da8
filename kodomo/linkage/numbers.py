"""Person numbers that last: a person found again keeps the number of the run before (identity side)."""

from __future__ import annotations

import duckdb
import pyarrow as pa


def number_persons(connection: duckdb.DuckDBPyConnection, earlier: pa.Table | None, highest: int) -> dict[str, int]:
    """Make the table ``numbered`` (person, person_number) out of ``mention``, ``link`` and the run before.

    A person takes the number that most of its records had; when two persons want one number, the one
    with more of its records gets it, the other takes its next best or a new one. Numbers are never
    used twice.

    Args:
        earlier: ``receipt, row, role, person_number`` of the run before.
        highest: the highest number ever given.

    Returns:
        How many numbers were kept, given anew, and how many of the run before found no person.
    """
    persons = connection.execute(
        "SELECT DISTINCT l.person FROM link l JOIN mention m USING (form) ORDER BY l.person"
    ).fetchall()
    votes = _votes(connection, earlier) if earlier is not None else []
    number_of: dict[int, int] = {}
    taken: set[int] = set()
    for person, number, _ in votes:
        if person not in number_of and number not in taken:
            number_of[person] = number
            taken.add(number)
    kept = len(number_of)
    for (person,) in persons:
        if person not in number_of:
            highest += 1
            number_of[person] = highest
    ordered = sorted(number_of.items())
    connection.register("fresh", pa.table({
        "person": pa.array([p for p, _ in ordered], pa.int64()), "person_number": pa.array([n for _, n in ordered], pa.int64()),
    }))  # fmt: skip
    connection.execute("CREATE OR REPLACE TABLE numbered AS SELECT * FROM fresh")
    connection.unregister("fresh")
    lost = len({number for _, number, _ in votes} - taken)
    return {"kept": kept, "new": len(number_of) - kept, "lost": lost}


def _votes(connection: duckdb.DuckDBPyConnection, earlier: pa.Table) -> list[tuple[int, int, int]]:
    connection.register("earlier", earlier)
    rows: list[tuple[int, int, int]] = connection.execute(
        """SELECT l.person, e.person_number, count(*) AS votes
           FROM earlier e JOIN mention m USING (receipt, row, role) JOIN link l USING (form)
           WHERE e.person_number IS NOT NULL
           GROUP BY l.person, e.person_number ORDER BY votes DESC, e.person_number, l.person"""
    ).fetchall()
    connection.unregister("earlier")
    return rows

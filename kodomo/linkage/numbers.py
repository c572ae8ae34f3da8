"""Person numbers that last: a person found again keeps the number of the run before (identity side)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

Vote = tuple[int | None, int, int, int]
"""A person (None: nobody), a number, how many of the number's records are that person's now, and the first of them."""

KNOWN_BEFORE = pa.schema([
    ("receipt", pa.int64()), ("row", pa.int32()), ("role", pa.string()), ("person_number", pa.int64()), ("into", pa.int64()),
])  # fmt: skip

NUMBERED = ("receipt", "row", "role", "person_number")
"""What is asked of the run before: which record bore which number. All else that it says takes twice the room of these."""


def number_persons(
    connection: duckdb.DuckDBPyConnection,
    earlier: pa.Table | None,
    highest: int,
    retired: pa.Table | None = None,
    standing: pa.Table | None = None,
) -> dict[str, int]:
    """Make the table ``numbered`` (person, person_number) out of ``mention``, ``link`` and the run before.

    In a split the number stays with the larger part (of equals: with the record landed first), in a merge the
    elder number stays and the other retires; ``stay`` says it exactly. A person without a number gets the one
    back that its records had before a merge, or else a new one. Numbers are never used twice for different people.

    Args:
        earlier: ``NUMBERED`` of the run before.
        highest: the highest number ever given.
        retired: the same of records whose number retired in a merge, and ``into`` which number.
        standing: the table ``numbered`` of the run before, where this one builds on it: whoever is not in ``moved``
            (person) keeps the number, and only the records of the others are counted. None to count all.

    Returns:
        How many numbers were kept, given anew, given back, and how many of the run before found no person.
    """
    connection.execute("CREATE OR REPLACE TABLE numbered (person BIGINT, person_number BIGINT)")
    if standing is not None:
        _keep_standing(connection, standing)
        earlier = None if earlier is None else in_question(connection, earlier, standing)
    votes = _votes(connection, earlier) if earlier is not None else []
    if votes and retired is not None and retired.num_rows:
        votes = without_aliases(votes, _votes(connection, retired, settle=False), dict(_aliases(retired)))
    kept, numbers = _give(connection, votes), {number for _, number, _, _ in votes}
    settled = _count(connection)
    given_back = 0
    if retired is not None and retired.num_rows:
        _give(connection, _votes(connection, retired, is_among_unnumbered=True))
        given_back = _count(connection) - settled
    linked = "link" if standing is None else "(FROM link SEMI JOIN moved USING (person))"
    connection.execute(
        f"""INSERT INTO numbered SELECT person, $highest + row_number() OVER (ORDER BY person)
           FROM (SELECT DISTINCT l.person FROM {linked} l SEMI JOIN placed p USING (form)) ANTI JOIN numbered USING (person)""",
        {"highest": highest},
    )
    return {
        "kept": settled, "given_back": given_back, "new": _count(connection) - settled - given_back,
        "lost": len(numbers - set(kept.values())),
    }  # fmt: skip


def stay(votes: Iterable[Vote]) -> dict[int, int]:
    """Whose number is whose: person -> number.

    A number is claimed only by persons most of whose own records bore it, and goes to the one with the most of
    them: so a child that loses most of its records to a sibling, who has more of its own, still keeps its number.
    A number that nobody claims and all of whose records came to one person has been merged into that person,
    who then keeps the elder number.

    >>> stay([(1, 10, 3, 0), (1, 20, 9, 5)])
    {1: 10}
    >>> sorted(stay([(1, 10, 3, 0), (2, 10, 2, 1), (1, 20, 9, 5)]).items())
    [(1, 20), (2, 10)]
    """
    by_number: dict[int, list[Vote]] = defaultdict(list)
    own: dict[int, tuple[int, int]] = {}
    for vote in votes:
        person, number, records, _ = vote
        by_number[number].append(vote)
        if person is not None:
            own[person] = max(own.get(person, (0, 0)), (records, -number))
    found: dict[int, list[int]] = defaultdict(list)
    for number, cast in by_number.items():
        claims = [
            (records, -first, person)
            for person, _, records, first in cast
            if person is not None and own[person][1] == -number
        ]
        holders = [vote for vote in cast if vote[0] is not None]
        lost = sum(records for person, _, records, _ in cast if person is None)
        if claims:
            found[max(claims)[2]].append(number)
        elif len(holders) == 1 and holders[0][2] > lost and holders[0][0] is not None:
            found[holders[0][0]].append(number)
    return {person: min(numbers) for person, numbers in found.items()}


def without_aliases(votes: list[Vote], former: Iterable[Vote], into: Mapping[int, int]) -> list[Vote]:
    """Leave out the claims on a number of those who come apart from it again, for they get their own number back.

    Args:
        votes: claims on the numbers of the run before.
        former: who holds the records of retired numbers now.
        into: retired number -> the number it was merged into.

    >>> without_aliases([(1, 10, 5, 0), (2, 10, 1, 3)], [(1, 20, 2, 0)], {20: 10})
    [(2, 10, 1, 3)]
    """
    cast: dict[int, list[Vote]] = defaultdict(list)
    for vote in former:
        cast[vote[1]].append(vote)
    leaving: set[tuple[int | None, int]] = set()
    for number, found in cast.items():
        person, _, records, _ = max(found, key=lambda vote: (vote[2], -vote[3]))
        if 2 * records > sum(vote[2] for vote in found):
            leaving.add((person, into[number]))
    staying = {number for person, number, _, _ in votes if person is not None and (person, number) not in leaving}
    return [vote for vote in votes if vote[1] not in staying or (vote[0], vote[1]) not in leaving]


def in_question(connection: duckdb.DuckDBPyConnection, earlier: pa.Table, standing: pa.Table) -> pa.Table:
    """The records of the run before whose number could be another now: nobody's, and those of persons who lost or gained a record.

    Args:
        earlier, standing: as ``number_persons`` takes them.
    """
    numbers = earlier["person_number"]
    return earlier.filter(pc.or_(pc.is_null(numbers), pc.is_in(numbers, value_set=_moved(connection, standing))))


def _keep_standing(connection: duckdb.DuckDBPyConnection, standing: pa.Table) -> None:
    """Let everybody who lost and gained nothing keep their number."""
    connection.register("numbered_before", standing)
    connection.execute(
        "INSERT INTO numbered SELECT person, person_number FROM numbered_before ANTI JOIN moved USING (person)"
    )
    connection.unregister("numbered_before")


def _moved(connection: duckdb.DuckDBPyConnection, standing: pa.Table) -> pa.Array:
    """The numbers before of whoever lost or gained a record."""
    persons = connection.table("moved").to_arrow_table()["person"].combine_chunks()
    return standing["person_number"].filter(pc.is_in(standing["person"], value_set=persons)).combine_chunks()


def _aliases(retired: pa.Table) -> Iterable[tuple[int, int]]:
    return zip(retired["person_number"].to_pylist(), retired["into"].to_pylist(), strict=True)


def _give(connection: duckdb.DuckDBPyConnection, votes: list[Vote]) -> dict[int, int]:
    """Write the numbers of persons where votes differ; returns them."""
    given = stay(votes)
    connection.register("fresh", pa.table({
        "person": pa.array(list(given), pa.int64()), "person_number": pa.array(list(given.values()), pa.int64()),
    }))  # fmt: skip
    connection.execute("INSERT INTO numbered FROM fresh")
    connection.unregister("fresh")
    return given


VOTE = """
CREATE OR REPLACE TEMP TABLE vote AS
SELECT l.person, e.person_number, count(*) AS records, min(p.mention) AS first
FROM earlier e JOIN placed p USING (receipt, row, role) LEFT JOIN {link} l USING (form)
WHERE e.person_number IS NOT NULL GROUP BY ALL
"""

UNNUMBERED = "(FROM link ANTI JOIN numbered USING (person))"

UNDISPUTED = """
INSERT INTO numbered SELECT any_value(person), person_number FROM vote
WHERE person IN (SELECT person FROM vote WHERE person IS NOT NULL GROUP BY person HAVING count(*) = 1)
GROUP BY person_number HAVING count(*) = 1 AND count(person) = 1
"""
"""All that bore the number is one person's, who bears no other: nearly everybody, month after month."""


def _votes(
    connection: duckdb.DuckDBPyConnection,
    earlier: pa.Table,
    *,
    is_among_unnumbered: bool = False,
    settle: bool = True,
) -> list[Vote]:
    """Settle the undisputed numbers at once (unless not to ``settle``); returns the votes about all others."""
    connection.register("earlier", earlier)
    connection.execute(VOTE.format(link=UNNUMBERED if is_among_unnumbered else "link"))
    connection.unregister("earlier")
    if is_among_unnumbered:
        connection.execute("DELETE FROM vote WHERE person_number IN (SELECT person_number FROM numbered)")
    if settle:
        connection.execute(UNDISPUTED)
    rows: list[Vote] = connection.execute(
        "SELECT person, person_number, records, first FROM vote ANTI JOIN numbered USING (person_number) ORDER BY ALL"
    ).fetchall()
    return rows


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM numbered").fetchall()[0][0])

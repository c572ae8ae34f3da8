"""What began in one row and ended in another is one spell, and on each day is known as far as it was told by then."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest

from kodomo.linkage.ended import end_spells

day = dt.date.fromisoformat
APRIL, JULY, OCTOBER, NEW_YEAR, SPRING = map(
    day, ("2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01")
)
Row = tuple[Any, ...]


def told(*rows: Row) -> list[Row]:
    """From code, begun, ended, known from, known to (ended = begun: the row only ends) to the same, in order."""
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE said (person_key VARCHAR, item VARCHAR, number DOUBLE, code VARCHAR, valid_from DATE, valid_to DATE, source VARCHAR,
               known_from DATE, known_to DATE)"""
    )
    for row in rows:
        connection.execute("INSERT INTO said VALUES ('a', 'aid', NULL, ?, ?, ?, 'welfare', ?, ?)", list(row))
    # somebody else's, another item's and another source's are not ended by it
    for person, item, source in (("b", "aid", "welfare"), ("a", "care", "welfare"), ("a", "aid", "tax")):
        connection.execute(
            "INSERT INTO said VALUES (?, ?, NULL, 'x', '2025-04-01', NULL, ?, '2025-04-01', NULL)",
            [person, item, source],
        )
    end_spells(connection)
    others = connection.execute("SELECT count(*) FROM told WHERE code = 'x' AND valid_to IS NULL AND known_to IS NULL")
    assert others.fetchall() == [(3,)]
    return connection.execute(
        "SELECT code, valid_from, valid_to, known_from, known_to FROM told WHERE code IS DISTINCT FROM 'x' ORDER BY ALL"
    ).fetchall()


def test_a_spell_is_open_until_its_end_is_known() -> None:
    assert told(("生活", APRIL, None, APRIL, None), (None, OCTOBER, OCTOBER, NEW_YEAR, None)) == [
        ("生活", APRIL, OCTOBER, NEW_YEAR, None), ("生活", APRIL, None, APRIL, NEW_YEAR),
    ]  # fmt: skip


def test_what_began_again_goes_on() -> None:
    found = told(
        ("生活", APRIL, None, APRIL, None), (None, JULY, JULY, JULY, None), ("生活", OCTOBER, None, OCTOBER, None)
    )
    assert ("生活", OCTOBER, None, OCTOBER, None) in found and ("生活", APRIL, JULY, JULY, None) in found


def test_an_end_of_one_kind_ends_that_kind_alone() -> None:
    found = told(
        ("生活", APRIL, None, APRIL, None), ("住宅", APRIL, None, APRIL, None), ("住宅", JULY, JULY, JULY, None)
    )
    assert [row for row in found if row[4] is None] == [
        ("住宅", APRIL, JULY, JULY, None),
        ("生活", APRIL, None, APRIL, None),
    ]


def test_an_end_that_was_taken_back_or_put_right_holds_as_long_as_it_was_told() -> None:
    found = told(("生活", APRIL, None, APRIL, None), (None, OCTOBER, OCTOBER, OCTOBER, NEW_YEAR))
    assert found == [
        ("生活", APRIL, OCTOBER, OCTOBER, NEW_YEAR), ("生活", APRIL, None, APRIL, OCTOBER), ("生活", APRIL, None, NEW_YEAR, None),
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [(), ((None, JULY, JULY, JULY, None),), (("生活", JULY, OCTOBER, JULY, None), (None, SPRING, SPRING, SPRING, None))])  # fmt: skip
def test_an_end_of_nothing_says_nothing_and_an_ended_spell_keeps_its_end(rows: tuple[Row, ...]) -> None:
    assert told(*rows) == [row for row in rows if row[1] != row[2]]

"""Versions of what the register tells, and what is put together of them again: told once or often, it comes out the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.linkage.forms import MACROS
from kodomo.linkage.households import GENERATIONS, MOVES, RESIDENCES, SPELLS, UNDONE, together, versions

FIRST, LAST = dt.date(1, 1, 1), dt.date(9999, 12, 31)
DAYS = [FIRST, *(dt.date(2026, month, 1) for month in range(1, 6)), LAST]

stretches = st.tuples(st.integers(0, 5), st.integers(1, 6)).filter(lambda s: s[0] < s[1])
told = st.lists(st.tuples(st.integers(1, 3), stretches), max_size=8)


def table(connection: duckdb.DuckDBPyConnection, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE said ({columns})")
    for row in rows:
        connection.execute(f"INSERT INTO said VALUES ({', '.join('?' * len(row))})", list(row))


def versioned(rows: list[tuple[int, tuple[int, int]]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    table(connection, "person INTEGER, since DATE, until DATE", [(of, DAYS[a], DAYS[b]) for of, (a, b) in rows])
    connection.execute(versions("version", "said", "person"))
    return connection


@settings(max_examples=40)
@given(rows=told)
def test_a_version_is_a_stretch_in_which_no_row_came_or_went(rows: list[tuple[int, tuple[int, int]]]) -> None:
    connection = versioned(rows)
    found = {}
    for of, since, until in connection.execute("FROM version").fetchall():
        for day in range(DAYS.index(since), DAYS.index(until)):
            assert (of, day) not in found, "versions of one person don't overlap"
            found[of, day] = (since, until)
    for of in {person for person, _ in rows}:
        edges = {edge for person, stretch in rows if person == of for edge in stretch}
        days = range(min(edges), max(edges))
        assert [day in edges for day in days] == [found[of, day][0] == DAYS[day] for day in days]


@settings(max_examples=40)
@given(rows=told)
def test_what_neighbouring_versions_tell_alike_is_one_row_again(rows: list[tuple[int, tuple[int, int]]]) -> None:
    """Each version says how many rows stood in it; told together, a day knows what it knew before, in as few rows as can be."""
    connection = versioned(rows)
    connection.execute(
        """CREATE OR REPLACE TABLE known AS
           SELECT v.person, (SELECT count(*) FROM said s WHERE s.person = v.person AND s.since <= v.since AND v.until <= s.until) AS rows,
               v.since, v.until FROM version v"""
    )
    connection.execute(together("known", "person, rows", "person", "version"))
    found = connection.execute("FROM known ORDER BY person, since").fetchall()
    for of in {person for person, _ in rows}:
        mine = [row for row in found if row[0] == of]
        edges = {edge for person, stretch in rows if person == of for edge in stretch}
        for day in range(min(edges), max(edges)):
            expected = len([1 for person, (a, b) in rows if person == of and a <= day < b])
            assert [row[1] for row in mine if row[2] <= DAYS[day] < row[3]] == [expected]
        assert all(one[1] != other[1] for one, other in pairwise(mine) if one[3] == other[2])


@settings(max_examples=40)
@given(spells=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=6))
def test_a_number_that_stood_empty_is_another_household(spells: list[tuple[int, int, int]]) -> None:
    """Person, month they came, months they stayed (0: still there)."""
    connection = duckdb.connect()
    rows = {(person, began, began + months if months else None) for person, began, months in spells}
    day = [dt.date(2025 + month // 12, month % 12 + 1, 1) for month in range(12)]
    connection.execute(
        """CREATE TABLE spell (person INTEGER, household_number VARCHAR, relationship VARCHAR, town VARCHAR, valid_from DATE, valid_to DATE,
               known_from DATE, end_known_from DATE, since DATE, until DATE)"""
    )
    for person, began, ended in rows:
        connection.execute(
            "INSERT INTO spell VALUES (?, 'H', NULL, NULL, ?, ?, NULL, NULL, ?, ?)",
            [person, day[began], None if ended is None else day[ended], FIRST, LAST],
        )
    connection.execute(versions("household_version", "spell", "household_number"))
    connection.execute(GENERATIONS)
    found = dict(connection.execute("SELECT valid_from, max(household) FROM living GROUP BY valid_from").fetchall())
    generation, lived_until = 0, None
    for _, began, ended in sorted(rows, key=lambda row: row[1]):
        if lived_until is not None and began > lived_until:
            generation += 1
        lived_until = max(lived_until or 0, 99 if ended is None else ended)
        assert found[day[began]] == f"H#{generation}"


def test_whoever_has_no_day_of_becoming_a_resident_was_one_from_the_move_that_tells_of_it_or_from_birth() -> None:
    connection = duckdb.connect()
    connection.execute(MACROS)
    connection.execute(
        """CREATE TABLE standing (person INTEGER, since DATE, until DATE, kind VARCHAR, resident_number VARCHAR, household_number VARCHAR,
               relationship VARCHAR, town VARCHAR, born_on VARCHAR, resident_from DATE, from_reason VARCHAR, resident_to DATE, to_reason VARCHAR,
               event_on DATE, event_kind VARCHAR, known_from DATE, mention INTEGER);
           CREATE TABLE register (kind VARCHAR, known_from DATE, has_stood BOOLEAN)"""
    )
    rows = (  # person, kind, born, from, to, why gone, moved on, by
        (1, "residents", "1980-05-01", "2010-04-01", None, None, None, None),
        (2, "residents", "1981-05-01", None, None, None, None, None),
        (3, "residents", "1982-05-01", None, None, None, None, None),
        (3, "moves", "1982-05-01", None, None, None, "2024-06-01", "転入"),
        (4, "residents", "1983-05-01", None, "2025-06-01", "転出", None, None),
        (5, "residents", "1984-05-01", None, None, "転出", None, None),
    )
    for person, kind, born, began, ended, why, on, by in rows:
        connection.execute(
            "INSERT INTO standing VALUES (?, ?, ?, ?, ?, 'h', '子', 't', ?, ?, NULL, ?, ?, ?, ?, NULL, 0)",
            [person, FIRST, LAST, kind, str(person), born, began, ended, why, on, by],
        )
    connection.execute(RESIDENCES)
    found = connection.execute("SELECT person, began, ended, from_reason FROM stay ORDER BY person").fetchall()
    day = dt.date.fromisoformat
    assert found == [
        (1, day("2010-04-01"), None, None), (2, day("1981-05-01"), None, None), (3, day("2024-06-01"), None, "転入"),
        (4, day("1983-05-01"), day("2025-06-01"), None),
    ]  # fmt: skip


def test_the_moves_tell_who_came_and_who_left_since_the_last_list() -> None:
    """A list twice a year and a month's moves: who was born since lives here and who has left since does not."""
    connection = duckdb.connect()
    connection.execute(MACROS)
    connection.execute(
        """CREATE TABLE standing (person INTEGER, since DATE, until DATE, kind VARCHAR, resident_number VARCHAR, household_number VARCHAR,
               relationship VARCHAR, town VARCHAR, born_on VARCHAR, resident_from DATE, from_reason VARCHAR, resident_to DATE, to_reason VARCHAR,
               event_on DATE, event_kind VARCHAR, known_from DATE, mention INTEGER);
           CREATE TABLE register (kind VARCHAR, known_from DATE, has_stood BOOLEAN);
           INSERT INTO register VALUES ('residents', '2025-10-02', true)"""
    )
    rows = (  # person, when a list printed them, moves: on, by, known
        (1, "2025-10-02", ()),
        (2, "2025-10-02", (("2026-01-10", "転出", "2026-02-01"),)),
        (3, "2025-10-02", (("2025-08-01", "転出", "2025-09-01"),)),  # the list printed afterwards has them
        (4, "2025-10-02", (("2026-01-10", "転出", "2026-02-01"), ("2026-01-15", "転出取消", "2026-02-01"))),
        (5, None, (("2025-11-20", "出生", "2025-12-01"),)),
        (6, None, (("2025-11-20", "出生", "2025-12-01"), ("2025-12-01", "名の届出", "2026-01-01"))),
        (7, None, (("2025-05-20", "転入", "2025-06-01"),)),  # not on the list printed afterwards
        (
            8,
            None,
            (("2025-11-20", "転入", "2025-12-01"), ("2026-01-20", "転出", "2026-02-01")),
        ),  # pairs are told elsewhere
        # planned for April, given up in March
        (9, "2025-10-02", (("2026-04-01", "転出", "2026-03-10"), ("2026-03-20", "転出の取消し", "2026-03-25"))),
        # given up once, gone at last
        (
            10,
            "2025-10-02",
            (
                ("2026-01-10", "転出", "2026-01-12"),
                ("2026-01-15", "転出取消", "2026-01-16"),
                ("2026-03-01", "転出", "2026-03-02"),
            ),
        ),
    )
    for person, listed, moves in rows:
        for at, (kind, known, on, by) in enumerate(
            (
                *((("residents", listed, None, None),) if listed else ()),
                *(("moves", k, on, by) for on, by, k in moves),
            )
        ):
            connection.execute(
                "INSERT INTO standing VALUES (?, ?, ?, ?, ?, 'h', '子', 't', '2020-01-01', NULL, NULL, NULL, NULL, ?, ?, ?, ?)",
                [person, FIRST, LAST, kind, str(person), on, by, known, at],
            )
    for statement in (UNDONE, RESIDENCES, MOVES, SPELLS):
        connection.execute(statement)
    found = connection.execute("SELECT person, began, ended, to_reason FROM stay ORDER BY person").fetchall()
    day = dt.date.fromisoformat
    born = day("2020-01-01")
    assert found == [
        (1, born, None, None), (2, born, day("2026-01-10"), "転出"), (3, born, None, None), (4, born, None, None),
        (5, day("2025-11-20"), None, None), (6, day("2025-11-20"), None, None), (9, born, None, None), (10, born, day("2026-03-01"), "転出"),
    ]  # fmt: skip
    # and in their home they lived all along, without a gap between what was planned and what was given up
    lived = connection.execute(
        "SELECT person, valid_from, valid_to FROM spell WHERE person IN (4, 9, 10) ORDER BY ALL"
    ).fetchall()
    assert lived == [(4, born, None), (9, born, None), (10, born, day("2026-03-01"))]

"""What the vault keeps about each linked person: the newest printed name, address and protection (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator

import duckdb
import pyarrow as pa

from kodomo.vault.card import CARDS
from kodomo.vault.people import BATCH

SEARCHED_YEARS = 20

PRINTED = """
CREATE OR REPLACE TEMP TABLE told_card AS
WITH said AS (
    -- month after month the register prints nearly everybody as before: what is printed is looked at once
    SELECT l.person, m.print,
        max((m.kind = 'residents', NOT m.is_superseded, m.kind = 'moves', coalesce(r.event_on, DATE '0001-01-01'), m.known_from, m.mention)) AS rank
    FROM placed m JOIN link l USING (form) LEFT JOIN register r USING (mention)
    WHERE l.rule IN ('REGISTER', 'NEW') GROUP BY l.person, m.print
)
SELECT n.person_number,
    arg_max(x.name, x.rank) FILTER (x.name IS NOT NULL) AS name,
    arg_max(x.name_kana, x.rank) FILTER (x.name_kana IS NOT NULL) AS name_kana,
    list_sort(list(DISTINCT x.name) FILTER (x.name IS NOT NULL)) AS names,
    list_sort(list_distinct(flatten(list([x.name_kana, x.alias_kana])))) AS readings,
    any_value(p.born_on) AS born_on, any_value(p.sex) AS sex,
    arg_max(x.address, x.rank) FILTER (x.address IS NOT NULL) AS address,
    list_sort(list(DISTINCT x.resident_number) FILTER (x.resident_number IS NOT NULL)) AS resident_numbers
FROM (
    SELECT s.person, filled(a.name) AS name, filled(a.name_kana) AS name_kana, filled(a.alias_kana) AS alias_kana, filled(a.address) AS address,
        plain_number(a.resident_number) AS resident_number, s.rank
    FROM said s JOIN printed a USING (print)
) x JOIN numbered n USING (person) JOIN spine p USING (person)
GROUP BY n.person_number
"""
"""The card shows what the resident register prints; only newcomers' cards show what another source printed."""

PROTECTED = """
CREATE OR REPLACE TEMP TABLE protected AS
WITH said AS (
    SELECT n.person_number, m.source, coalesce(a.row_key, p.resident_number, m.receipt || ':' || m.row) AS record,
        a.address_protection AS flag, (NOT m.is_superseded, m.known_from, m.mention) AS rank
    FROM landed a JOIN mention m USING (mention) JOIN printed p USING (print) JOIN link l USING (form) JOIN numbered n USING (person)
    WHERE m.source IN (SELECT unnest($sources::VARCHAR[]))
), newest AS (
    -- a blank cell is no act: it lifts nothing that an earlier delivery of the record said
    SELECT person_number, arg_max(flag, rank) FILTER (flag IS NOT NULL) AS flag FROM said GROUP BY person_number, source, record
)
SELECT DISTINCT person_number FROM newest WHERE flag = '1'
UNION SELECT person_number FROM numbered WHERE person_number NOT IN (SELECT person_number FROM said)
"""
"""支援措置: the union of every source's records, each lifted only by its own newest positive act.

A person of whom no source with the flag says anything is unknown, and unknown counts as protected:
leaks came from a flag that stood in one of several systems only, or was lost on re-registration.
"""

BESIDE_PROTECTED = """
INSERT INTO protected
SELECT DISTINCT n.person_number
FROM protected x JOIN numbered o USING (person_number)
JOIN membership a ON a.person = o.person JOIN membership b ON b.household = a.household
JOIN numbered n ON n.person = b.person
WHERE (a.valid_to IS NULL OR a.valid_to > $on) AND (b.valid_to IS NULL OR b.valid_to > $on)
  AND a.known_to IS NULL AND b.known_to IS NULL
"""
"""A household with a protected member is protected as a whole: the others' address is the same."""

CARD = """
CREATE OR REPLACE TABLE card AS
WITH guardian AS (
    SELECT DISTINCT c.person_number, r.person_number AS guardian
    FROM kinship k JOIN numbered c ON c.person = k.child JOIN numbered r ON r.person = k.relative
    WHERE k.kind IN ('MOTHER', 'FATHER', 'GUARDIAN') AND (k.valid_to IS NULL OR k.valid_to > $on) AND k.known_to IS NULL
), guarded AS (
    SELECT g.person_number, list(t.name ORDER BY g.guardian) AS guardians
    FROM guardian g JOIN told_card t ON t.person_number = g.guardian WHERE t.name IS NOT NULL GROUP BY g.person_number
), around AS (
    SELECT DISTINCT r.person_number FROM kinship k JOIN numbered r ON r.person = k.relative JOIN spine y ON y.person = k.child
    WHERE try_cast(y.born_on AS DATE) >= $since
), told AS (
    SELECT t.person_number, coalesce(t.name, '') AS name, coalesce(t.name_kana, '') AS name_kana,
        list_filter(coalesce(t.names, []), lambda n: n IS DISTINCT FROM t.name) AS former_names, coalesce(t.born_on, '') AS born_on,
        coalesce(t.sex, '') AS sex, coalesce(t.address, '') AS address,
        t.person_number IN (FROM protected) AS is_address_protected, coalesce(g.guardians, []) AS guardians,
        coalesce(t.resident_numbers, []) AS resident_numbers,
        t.person_number IN (FROM around) OR coalesce(t.born_on, '') >= $since::VARCHAR AS is_searched,
        list_filter(coalesce(t.readings, []), lambda r: r IS DISTINCT FROM t.name_kana AND r IS NOT NULL) AS other_readings
    FROM told_card t LEFT JOIN guarded g USING (person_number)
)
SELECT *, hash(name, name_kana, former_names, born_on, sex, address, is_address_protected, guardians, resident_numbers, is_searched, other_readings) AS sign
FROM told ORDER BY person_number
"""
"""``sign`` changes with anything that a card says."""

SIGNS = "SELECT person_number, sign FROM card"
"""What the next run knows this one's cards by."""


def tell_cards(connection: duckdb.DuckDBPyConnection, on: dt.date, protecting: Collection[str]) -> None:
    """Make the table ``card``: what the vault keeps of each numbered person, and a sign of it.

    Args:
        on: the day that decides who is a current guardian and who is still searched for.
        protecting: sources whose layout has the flag of address protection.
    """
    connection.execute(PRINTED)
    connection.execute(PROTECTED, {"sources": sorted(protecting)})
    connection.execute(BESIDE_PROTECTED, {"on": on})
    since = on.replace(year=on.year - SEARCHED_YEARS, day=1)
    connection.execute(CARD, {"on": on, "since": since})
    connection.execute("DROP TABLE told_card; DROP TABLE protected")


def cards_told(connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    """A card for each person (pieces of ``card.CARDS``), in order of number, made as they are asked for."""
    told = connection.sql(f"SELECT {CARD_COLUMNS} FROM card ORDER BY person_number")
    yield from told.to_arrow_reader(BATCH)


def cards_changed(connection: duckdb.DuckDBPyConnection, before: pa.Table) -> tuple[pa.Table, list[int]]:
    """The cards that say anything else than those of the run before, and the numbers that have none any more.

    Args:
        before: what ``SIGNS`` gave in the run before.
    """
    connection.register("card_before", before)
    changed = connection.sql(
        f"SELECT {CARD_COLUMNS} FROM card ANTI JOIN card_before USING (person_number, sign) ORDER BY person_number"
    ).to_arrow_table()
    gone = connection.execute("SELECT person_number FROM card_before ANTI JOIN card USING (person_number)").fetchall()
    connection.unregister("card_before")
    return changed, sorted(number for (number,) in gone)


CARD_COLUMNS = ", ".join(CARDS.names)

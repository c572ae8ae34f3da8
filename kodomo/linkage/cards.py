"""What the vault keeps about each linked person: the newest printed name, address and protection (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import duckdb

from kodomo.vault.people import Card

SEARCHED_YEARS = 20

PRINTED = """
SELECT n.person_number,
    arg_max(x.name, x.rank) FILTER (x.name IS NOT NULL) AS name,
    arg_max(x.name_kana, x.rank) FILTER (x.name_kana IS NOT NULL) AS name_kana,
    list_sort(list(DISTINCT x.name) FILTER (x.name IS NOT NULL)) AS names,
    any_value(p.born_on) AS born_on, any_value(p.sex) AS sex,
    arg_max(x.address, x.rank) FILTER (x.address IS NOT NULL) AS address,
    list_sort(list(DISTINCT x.resident_number) FILTER (x.resident_number IS NOT NULL)) AS resident_numbers
FROM (
    SELECT l.person, filled(a.name) AS name, filled(a.name_kana) AS name_kana,
        filled(a.address) AS address, plain_number(a.resident_number) AS resident_number,
        (m.kind = 'residents', NOT m.is_superseded, m.kind = 'moves', coalesce(r.event_on, DATE '0001-01-01'), m.known_from, m.mention) AS rank
    FROM placed m JOIN printed a USING (print) JOIN link l USING (form) LEFT JOIN register r USING (mention)
    WHERE l.rule IN ('REGISTER', 'NEW')
) x JOIN numbered n USING (person) JOIN spine p USING (person)
GROUP BY n.person_number ORDER BY n.person_number
"""
"""The card shows what the resident register prints; only newcomers' cards show what another source printed."""

PROTECTED = """
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

GUARDIANS = """
SELECT c.person_number, list(DISTINCT r.person_number ORDER BY r.person_number)
FROM kinship k JOIN numbered c ON c.person = k.child JOIN numbered r ON r.person = k.relative
WHERE k.kind IN ('MOTHER', 'FATHER', 'GUARDIAN') AND (k.valid_to IS NULL OR k.valid_to > $on) AND k.known_to IS NULL
GROUP BY c.person_number
"""

AROUND = """
SELECT DISTINCT r.person_number
FROM kinship k JOIN numbered r ON r.person = k.relative JOIN spine y ON y.person = k.child
WHERE try_cast(y.born_on AS DATE) >= $since
"""


def make_cards(connection: duckdb.DuckDBPyConnection, on: dt.date, protecting: Collection[str]) -> list[Card]:
    """One card per numbered person, in order of number.

    A household with a protected member is protected as a whole: the others' address is the same.

    Args:
        on: the day that decides who is a current guardian and who is still searched for.
        protecting: sources whose layout has the flag of address protection.
    """
    rows = connection.execute(PRINTED).fetchall()
    names = {row[0]: row[1] or "" for row in rows}
    sources = {"sources": sorted(protecting)}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE protected AS {PROTECTED}", sources)
    protected = {n for (n,) in connection.execute("FROM protected").fetchall()} | _beside_protected(connection, on)
    guardians = dict(connection.execute(GUARDIANS, {"on": on}).fetchall())
    since = on.replace(year=on.year - SEARCHED_YEARS, day=1)
    around = {n for (n,) in connection.execute(AROUND, {"since": since}).fetchall()}
    return [
        Card(
            person_number=number, name=name or "", name_kana=kana or "",
            former_names=tuple(n for n in all_names or () if n != name), born_on=born_on or "", sex=sex or "",
            address=address or "", is_address_protected=number in protected,
            guardians=tuple(names[g] for g in guardians.get(number, ()) if names.get(g)),
            resident_numbers=tuple(numbers or ()),
            is_searched=number in around or (born_on or "") >= since.isoformat(),
        )
        for number, name, kana, all_names, born_on, sex, address, numbers in rows
    ]  # fmt: skip


def _beside_protected(connection: duckdb.DuckDBPyConnection, on: dt.date) -> set[int]:
    rows = connection.execute(
        """SELECT DISTINCT n.person_number
           FROM protected x JOIN numbered o USING (person_number)
           JOIN membership a ON a.person = o.person JOIN membership b ON b.household = a.household
           JOIN numbered n ON n.person = b.person
           WHERE (a.valid_to IS NULL OR a.valid_to > $on) AND (b.valid_to IS NULL OR b.valid_to > $on)
             AND a.known_to IS NULL AND b.known_to IS NULL""",
        {"on": on},
    ).fetchall()
    return {number for (number,) in rows}

"""From scored candidates to decisions: link, ask a person, or leave alone (identity side).

A wrong link puts another family's trouble on a child; a missing one can be mended. So a link needs
weight, a clear lead over the second best person and, among twins, the given name itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb
import pyarrow as pa

from kodomo.linkage.groups import Groups

LINK_WEIGHT = 6.0
"""Bits of evidence (odds of 64 to 1) from which a record is linked without a person.

Tried with every resident number, a third of the readings and a tenth of the names taken away and 3 %
of birth dates and readings broken, the best person of all 73 records between 5.5 and 9 bits was right."""

DOUBT_WEIGHT = 1.0
"""Bits from which a person is asked rather than the pair dropped."""

LEAD = 6.0
"""Bits by which the best person must lead the second best."""

GIVEN_AGREES = 4
"""Levels of ``model.NAME_LEVELS`` from this one up: the given name is the same in writing or reading."""

FIRST_NEWCOMER = 1 << 40
"""Added to the first form of somebody the register doesn't know, for what they are called by within a run: above all the register's."""

UNITS = """
CREATE OR REPLACE TABLE ranked AS
WITH unit AS (
    -- rows of one own number with one birth date are judged together, by their strongest form
    SELECT form, CASE WHEN own_number IS NOT NULL AND born_on IS NOT NULL
        THEN min(form) OVER (PARTITION BY system, own_number, born_on) ELSE form END AS unit
    FROM form WHERE form IN (SELECT form FROM candidate)
), scored AS (
    SELECT u.unit, c.person, max(c.weight) AS weight, arg_max(c.form, c.weight) AS form,
        max(c.name_level) AS name_level, max(c.birth_level) AS birth_level
    FROM candidate c JOIN unit u USING (form)
    ANTI JOIN (SELECT form, person FROM verdict WHERE NOT is_same) v ON v.form = c.form AND v.person = c.person
    GROUP BY u.unit, c.person
), ordered AS (
    SELECT *, row_number() OVER (PARTITION BY unit ORDER BY weight DESC, person) AS place FROM scored
)
SELECT a.unit, a.form, a.person, a.weight, a.name_level, a.birth_level, b.person AS second,
    a.weight - coalesce(b.weight, -1e9) AS lead,
    EXISTS (FROM twin t WHERE t.person = a.person) AS is_twin
FROM ordered a LEFT JOIN ordered b ON b.unit = a.unit AND b.place = 2 WHERE a.place = 1
"""

LINKED = f"""
INSERT INTO link
SELECT c.form, r.person, 'MODEL', r.weight
FROM ranked r JOIN candidate c ON c.person = r.person
JOIN form f ON f.form = c.form JOIN form g ON g.form = r.form
ANTI JOIN (SELECT form, person FROM verdict WHERE NOT is_same) v ON v.form = c.form AND v.person = c.person
WHERE (c.form = r.form OR (f.system = g.system AND f.own_number = g.own_number AND f.born_on = g.born_on))
  AND r.weight >= {LINK_WEIGHT} AND r.lead >= {LEAD}
  AND (NOT r.is_twin OR r.name_level >= {GIVEN_AGREES})
"""

DOUBTS = f"""
INSERT INTO doubt
WITH open AS (SELECT * FROM ranked ANTI JOIN link USING (form) WHERE weight >= {DOUBT_WEIGHT})
SELECT form, person, weight,
    CASE WHEN is_twin AND name_level < {GIVEN_AGREES} THEN 'TWIN'
         WHEN lead < {LEAD} THEN 'CLOSE_SECOND' ELSE 'WEAK' END AS why
FROM open
UNION ALL
SELECT form, second, weight - lead, 'CLOSE_SECOND' FROM open WHERE lead < {LEAD} AND second IS NOT NULL
UNION ALL
SELECT d.left_form, s.person, NULL, 'RETURNED' FROM spine_doubt d JOIN main.spine_form s ON s.form = d.right_form
"""


def decide(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Turn the table ``candidate`` into links and doubts; returns how many links were made, and how many doubts there are."""
    connection.execute(UNITS)
    before = _count(connection, "link")
    connection.execute(LINKED)
    connection.execute(DOUBTS)
    return {"linked": _count(connection, "link") - before, "doubtful": _count(connection, "doubt")}


def mint_newcomers(connection: duckdb.DuckDBPyConnection) -> int:
    """Make persons of their own out of records that are nobody on the spine and aren't in doubt.

    A record needs a birth date and a name. Records are one newcomer when the number and the birth
    date, or the reading and the birth date, or the writing and the birth date agree, or a person said so, and
    nobody said otherwise. Where one of them was decided to be somebody known, so are all.
    """
    rows = connection.execute(CANDIDATES).fetchall()
    known = dict(connection.execute(SAID_TO_BE).fetchall())
    decided = connection.execute("SELECT left_form, right_form, is_same FROM decided").fetchall()
    groups = _group(rows, [d[:2] for d in decided if d[2]], {d[:2] for d in decided if not d[2]})
    fresh = [forms for forms in groups if not any(form in known for form in forms)]
    pairs = [(form, FIRST_NEWCOMER + forms[0]) for forms in fresh for form in forms]
    _follow(connection, groups, known)
    connection.register("fresh", pa.table({
        "form": pa.array([f for f, _ in pairs], pa.int64()), "person": pa.array([p for _, p in pairs], pa.int64()),
    }))  # fmt: skip
    for statement in NEWCOMERS:
        connection.execute(statement)
    connection.unregister("fresh")
    return len({person for _, person in pairs})


CANDIDATES = """
WITH said AS (
    SELECT left_form AS form FROM decided WHERE is_same UNION SELECT right_form FROM decided WHERE is_same
)
SELECT f.form, f.resident_number, f.kana, f.name, f.given, f.given_kana, f.born_on
FROM form f ANTI JOIN link USING (form) ANTI JOIN doubt USING (form)
WHERE f.kind = 'observations' AND length(f.born_on) = 10 AND (f.kana IS NOT NULL OR f.name IS NOT NULL)
UNION SELECT f.form, f.resident_number, f.kana, f.name, f.given, f.given_kana, f.born_on
FROM form f SEMI JOIN said USING (form) WHERE f.kind = 'observations'
ORDER BY 1
"""
"""What nobody on the spine is, and whatever a person said to be the same as another record."""

SAID_TO_BE = """
SELECT l.form, l.person FROM link l JOIN form f USING (form) JOIN (
    SELECT left_form AS form FROM decided WHERE is_same UNION SELECT right_form FROM decided WHERE is_same) USING (form)
WHERE f.kind = 'observations'
"""


def _follow(connection: duckdb.DuckDBPyConnection, groups: list[list[int]], known: dict[int, int]) -> None:
    """Link open records to the person whom a person said one of their group to be; to nobody where that is two."""
    found = []
    for forms in groups:
        persons = {known[form] for form in forms if form in known}
        if len(persons) == 1:
            found += [(form, *persons) for form in forms if form not in known]
    if found:
        connection.executemany("INSERT INTO link VALUES (?, ?, 'REVIEW', NULL)", found)


NEWCOMERS = (
    "INSERT INTO link SELECT form, person, 'NEW', NULL FROM fresh",
    """INSERT INTO spine SELECT n.person, any_value(f.born_on), any_value(f.sex)
       FROM fresh n JOIN form f USING (form) GROUP BY n.person ORDER BY n.person""",
    """INSERT INTO spine_name SELECT DISTINCT n.person, f.name, f.surname, f.given, f.kana, f.surname_kana, f.given_kana,
           f.sorted_kana, f.loose_kana, f.turned_kana, f.name_words, f.kana_words FROM fresh n JOIN form f USING (form)""",
    """INSERT INTO spine_place SELECT DISTINCT n.person, f.town, f.number FROM fresh n JOIN form f USING (form)
       WHERE f.town IS NOT NULL""",
    """INSERT INTO spine_number SELECT DISTINCT f.resident_number, n.person FROM fresh n JOIN form f USING (form)
       WHERE f.resident_number IS NOT NULL""",
)


def settle_newcomers(connection: duckdb.DuckDBPyConnection) -> None:
    """Add all newcomers who are linked to the spine's tables, as ``mint_newcomers`` did."""
    connection.execute("CREATE OR REPLACE TEMP TABLE fresh AS SELECT form, person FROM link WHERE rule = 'NEW'")
    for statement in NEWCOMERS[1:]:
        connection.execute(statement)
    connection.execute("DROP TABLE fresh")


def _group(
    rows: list[tuple],  # type: ignore[type-arg]
    same: Iterable[tuple[int, int]] = (),
    apart: Collection[tuple[int, int]] = (),
) -> list[list[int]]:
    groups = Groups((row[0] for row in rows), apart)
    for one, other in same:
        groups.join(one, other)
    keys: dict[tuple[object, ...], int] = {}
    for form, number, kana, name, given, given_kana, born_on in rows:
        signs = [("number", number, given_kana or given), ("kana", kana), ("name", name)]
        for sign in signs if born_on else ():
            if all(sign):
                groups.join(keys.setdefault((*sign, born_on), form), form)
    return groups.parts()


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

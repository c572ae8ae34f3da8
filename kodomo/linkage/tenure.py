"""Whose number it was on the day: for rows that carry a resident number and no name (identity side).

A number is given again after its bearer is gone. A row without a name can't contradict its number,
so the day it became known decides: it belongs to whoever bore the number then, or to nobody yet.
"""

from __future__ import annotations

import duckdb

NAMELESS = "f.name IS NULL AND f.kana IS NULL AND f.resident_number IS NOT NULL AND f.kind = 'observations'"

ON_DAY = "(t.since IS NULL OR {day} >= t.since) AND (t.until IS NULL OR {day} < t.until)"

WHOLE = f"""
CREATE OR REPLACE TABLE bearer_of AS
SELECT f.form, min(t.person) AS person FROM form f JOIN tenure t USING (resident_number)
WHERE {NAMELESS} AND {ON_DAY.format(day="f.seen_from")} AND {ON_DAY.format(day="f.seen_to")}
GROUP BY f.form HAVING count(DISTINCT t.person) = 1
"""

PARTS = f"""
CREATE OR REPLACE TEMP TABLE tenure_part AS
WITH mixed AS (
    SELECT f.form, f.resident_number FROM form f SEMI JOIN tenure USING (resident_number) ANTI JOIN bearer_of b USING (form) WHERE {NAMELESS}
), told AS (
    SELECT p.mention, p.form, p.known_from, min(t.person) AS person
    FROM placed p JOIN mixed m USING (form)
    LEFT JOIN tenure t ON t.resident_number = m.resident_number AND {ON_DAY.format(day="p.known_from")}
    GROUP BY p.mention, p.form, p.known_from
), counted AS (
    SELECT *, dense_rank() OVER (PARTITION BY form ORDER BY person NULLS FIRST) AS part FROM told
)
SELECT *, CASE WHEN part = 1 THEN form
    ELSE (SELECT max(form) FROM main.form) + dense_rank() OVER (ORDER BY part = 1, form, part) END AS new_form
FROM counted
"""
"""Rows of one number from before and after it changed hands: the first part keeps the form, each other gets its own."""

APART = (
    """INSERT INTO form BY NAME
       SELECT f.* REPLACE (n.new_form AS form, n.seen_from AS seen_from, n.seen_to AS seen_to, n.rows AS rows)
       FROM (SELECT form, new_form, min(known_from) AS seen_from, max(known_from) AS seen_to, count(*) AS rows
             FROM tenure_part WHERE new_form <> form GROUP BY form, new_form) n JOIN form f USING (form)""",
    """UPDATE form SET seen_from = n.seen_from, seen_to = n.seen_to, rows = n.rows
       FROM (SELECT form, min(known_from) AS seen_from, max(known_from) AS seen_to, count(*) AS rows
             FROM tenure_part WHERE new_form = form GROUP BY form) n WHERE n.form = form.form""",
    """UPDATE placed SET mate = t.new_form FROM (
           SELECT p.receipt, p.row, t.form, t.new_form FROM tenure_part t JOIN placed p USING (mention) WHERE t.new_form <> t.form) t
       WHERE t.receipt = placed.receipt AND t.row = placed.row AND placed.mate = t.form""",
    """UPDATE placed SET form = t.new_form FROM tenure_part t WHERE t.mention = placed.mention AND t.new_form <> t.form""",
    """INSERT INTO bearer_of SELECT DISTINCT new_form, person FROM tenure_part WHERE person IS NOT NULL""",
)


def part_by_tenure(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the table ``bearer_of`` (form, person) for rows without a name, by the day they became known.

    Reads ``tenure``; parts a form whose rows fall to more than one bearer, in ``form`` and ``placed``.

    Returns:
        How many forms were made by parting.
    """
    connection.execute(WHOLE)
    connection.execute(PARTS)
    made = connection.execute("SELECT count(DISTINCT new_form) FROM tenure_part WHERE new_form <> form").fetchall()[0][
        0
    ]
    for statement in APART:
        connection.execute(statement)
    connection.execute("DROP TABLE tenure_part")
    return int(made)

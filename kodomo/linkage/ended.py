"""Benefits whose beginning and end are rows apart (開始, 廃止; 認定, 消滅): put together before they are published (identity side).

A row that only ends what earlier rows began lands as a fact that holds on no day (``FactRule.ends``).
"""

from __future__ import annotations

import duckdb

CLOSING = """
CREATE OR REPLACE TEMP TABLE closing AS
SELECT person_key, item, source, code, valid_to, known_from, known_to FROM said WHERE valid_from = valid_to
"""

CLOSED = """
CREATE OR REPLACE TEMP TABLE closed AS
WITH begun AS (
    SELECT *, row_number() OVER () AS fact FROM said SEMI JOIN closing USING (person_key, item, source) WHERE valid_to IS NULL
), pair AS (
    SELECT b.fact, c.valid_to, c.known_from, c.known_to FROM begun b JOIN closing c USING (person_key, item, source)
    WHERE c.valid_to > b.valid_from AND (c.code IS NULL OR c.code = b.code)
), step AS (
    SELECT fact, known_from AS day FROM begun UNION SELECT fact, unnest([known_from, known_to]) FROM pair
), stretch AS (
    SELECT fact, day, coalesce(lead(day) OVER (PARTITION BY fact ORDER BY day), b.known_to) AS until
    FROM step JOIN begun b USING (fact) WHERE day >= b.known_from AND (b.known_to IS NULL OR day < b.known_to)
)
SELECT b.* EXCLUDE (fact, known_from, known_to) REPLACE (
    (SELECT min(p.valid_to) FROM pair p WHERE p.fact = s.fact AND p.known_from <= s.day AND (p.known_to IS NULL OR s.day < p.known_to)) AS valid_to),
    s.day AS known_from, s.until AS known_to
FROM stretch s JOIN begun b USING (fact)
"""
"""Benefits whose beginning and end are rows apart (開始, 廃止): what began ends on the first end told of after it. Until that
end was known, what began was known to go on."""

TOLD = """
CREATE OR REPLACE TEMP VIEW told AS
FROM said WHERE valid_to > valid_from
UNION ALL FROM said ANTI JOIN closing USING (person_key, item, source) WHERE valid_to IS NULL
UNION ALL BY NAME FROM closed
"""


def end_spells(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``told`` of ``said``: each spell with the end that another row tells, and no fact that only ends.

    Reads ``said`` (a person's facts as landed); an end that ends nothing says nothing.
    """
    connection.execute(CLOSING)
    has_any = connection.execute("FROM closing LIMIT 1").fetchall()
    if not has_any:
        connection.execute("CREATE OR REPLACE TEMP VIEW told AS FROM said")
        return
    for statement in (CLOSED, TOLD):
        connection.execute(statement)

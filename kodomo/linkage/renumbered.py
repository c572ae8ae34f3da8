"""A register whose numbers were all given anew between two lists (identity side).

A city that moves to another system (since 2025 to the national standard, 地方公共団体情報システムの標準化に関する法律) may get new
numbers for everybody. The vendor's table of former and new numbers then says who is who; where it isn't handed over,
every resident would be two persons. Between two whole lists of one city nearly everybody stays: where most of them stand
in both by name, birth date and sex, and under another number, it is the numbers that changed.
"""

from __future__ import annotations

import duckdb

from kodomo.tables.engine import drop

WHOLE_LIST = 0.5
"""A list at least this large beside the largest is one of everybody; others are of changes, or of one district."""

CHANGED = 0.5
"""Share of the smaller of two lists that must stand in the other by name, and under another number."""

FEWEST = 20
"""People of whom the smaller list must tell, for a share to mean anything."""

LISTED = """
CREATE OR REPLACE TEMP TABLE listed AS
WITH dated AS (
    SELECT receipt, max(known_from) AS day FROM register WHERE kind = 'residents' GROUP BY receipt
)
SELECT DISTINCT d.day, b.bearer FROM register r JOIN dated d USING (receipt) JOIN bearer_form b USING (form) WHERE r.kind = 'residents'
"""

TURNED = f"""
CREATE OR REPLACE TEMP TABLE turned AS
WITH sized AS (
    SELECT day, count(*) AS size FROM listed GROUP BY day
), whole AS (
    SELECT day, size, lag(day) OVER each AS before, lag(size) OVER each AS size_before
    FROM sized WHERE size >= {WHOLE_LIST} * (SELECT max(size) FROM sized) WINDOW each AS (ORDER BY day)
), kept AS (
    SELECT w.day, count(*) AS kept FROM whole w JOIN listed n ON n.day = w.day JOIN listed o ON o.day = w.before AND o.bearer = n.bearer GROUP BY w.day
)
SELECT w.day, w.before, least(w.size, w.size_before) AS smaller FROM whole w LEFT JOIN kept k USING (day)
WHERE w.before IS NOT NULL AND least(w.size, w.size_before) >= {FEWEST} AND coalesce(k.kept, 0) <= (1 - {CHANGED}) * least(w.size, w.size_before)
"""

ALIKE = """
CREATE OR REPLACE TEMP TABLE renumbered_alike AS
WITH named AS (
    SELECT b.bearer, b.ended, n.born_on, b.sex, n.kana, n.name FROM bearer b JOIN bearer_name n USING (bearer) WHERE n.born_on IS NOT NULL
), gone AS (
    -- who had left before that list, and is printed there still, has no new number: nor is it theirs if they came back
    SELECT t.day, n.* FROM turned t JOIN listed l ON l.day = t.before JOIN named n ON n.bearer = l.bearer AND coalesce(n.ended, t.before) >= t.before
    WHERE NOT EXISTS (FROM listed x WHERE x.bearer = l.bearer AND x.day >= t.day)
), new AS (
    SELECT t.day, n.* FROM turned t JOIN listed l ON l.day = t.day JOIN named n USING (bearer)
    WHERE NOT EXISTS (FROM listed x WHERE x.bearer = l.bearer AND x.day < t.day)
), alike AS (
    SELECT g.day, g.bearer AS old, w.bearer AS new FROM gone g JOIN new w ON w.day = g.day AND w.born_on = g.born_on AND w.kana = g.kana WHERE NOT coalesce(w.sex <> g.sex, false)
    UNION SELECT g.day, g.bearer, w.bearer FROM gone g JOIN new w ON w.day = g.day AND w.born_on = g.born_on AND w.name = g.name WHERE NOT coalesce(w.sex <> g.sex, false)
), home AS (
    SELECT DISTINCT b.bearer, r.town, r.number FROM register r JOIN bearer_form b USING (form) WHERE r.town IS NOT NULL AND r.number IS NOT NULL
), at_home AS (
    -- looked up for each pair: paired by place first, a large block's tenants would be as many pairs as their square
    SELECT DISTINCT a.old, a.new FROM alike a JOIN home h ON h.bearer = a.old JOIN home w ON w.bearer = a.new AND w.town = h.town AND w.number = h.number
)
SELECT a.day, a.old, a.new, h.old IS NOT NULL AS is_home FROM alike a LEFT JOIN at_home h USING (old, new)
"""

FORMER = f"""
INSERT INTO former
WITH met AS (
    SELECT t.day FROM turned t JOIN renumbered_alike a USING (day) GROUP BY t.day, t.smaller HAVING count(DISTINCT a.old) >= {CHANGED} * t.smaller
), open AS (
    FROM renumbered_alike SEMI JOIN met USING (day)
    WHERE old NOT IN (SELECT unnest([bearer, other]) FROM former) AND new NOT IN (SELECT unnest([bearer, other]) FROM former)
), counted AS (
    SELECT old, new, is_home, count(*) OVER (PARTITION BY old) AS news, count(*) OVER (PARTITION BY new) AS olds,
        count(*) FILTER (is_home) OVER (PARTITION BY old) AS home_news, count(*) FILTER (is_home) OVER (PARTITION BY new) AS home_olds
    FROM open
)
SELECT new, old FROM counted WHERE (news = 1 AND olds = 1) OR (is_home AND home_news = 1 AND home_olds = 1)
"""
"""What a table of numbers says goes before. Of namesakes born on one day each is told by the address, or nobody is joined."""


def find_renumbered(connection: duckdb.DuckDBPyConnection) -> int:
    """Add to ``former`` (bearer, other) whom two lists know under different numbers because all were given anew.

    Reads ``register``, ``bearer``, ``bearer_form`` and ``bearer_name``; returns how many persons were found.
    """
    before = _count(connection)
    connection.execute(LISTED)
    connection.execute(TURNED)
    if connection.execute("FROM turned LIMIT 1").fetchall():
        connection.execute(ALIKE)
        connection.execute(FORMER)
        drop(connection, "renumbered_alike")
    drop(connection, "listed", "turned")
    return _count(connection) - before


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM former").fetchall()[0][0])

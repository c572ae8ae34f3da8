"""Who lived with whom, who is whose parent, who was a resident when (identity side).

The household number is a fact with an end, not a key: a number that stood empty and is used again
is another household. A parent is one by the relationship the register prints, by what an allowance
or school says, or by a pregnancy that ends in the household.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import duckdb
import pyarrow as pa

CHILD_YEARS = 25
"""Kin are worked out for persons born within so many years: today's children, and those of the years evaluated."""

RESIDENCES = """
CREATE OR REPLACE TABLE stay AS
SELECT DISTINCT s.person, r.resident_number, r.resident_from AS began, r.resident_to AS ended, r.from_reason, r.to_reason,
    r.household_number, r.relationship, r.town, r.nationality, r.known_from, r.mention
FROM register r JOIN spine_form s USING (form)
WHERE r.kind = 'residents' AND NOT r.is_silent AND r.resident_from IS NOT NULL
"""

MOVES = """
CREATE OR REPLACE TABLE move AS
SELECT s.person, r.resident_number, r.event_on, r.event_kind, r.household_number, r.relationship, r.town, r.known_from,
    regexp_matches(r.event_kind, '転出|死亡|消除') AS is_end, regexp_matches(r.event_kind, '転入|出生|職権記載') AS is_start,
    lead(r.event_on) OVER step AS next_on, lead(r.known_from) OVER step AS next_known,
    lead(r.event_kind) OVER step AS next_kind,
    row_number() OVER step AS position
FROM register r JOIN spine_form s USING (form)
WHERE r.kind = 'moves' AND NOT r.is_silent AND r.event_on IS NOT NULL
WINDOW step AS (PARTITION BY s.person, r.resident_number ORDER BY r.event_on, r.mention)
"""

SPELLS = """
CREATE OR REPLACE TABLE spell AS
WITH after_move AS (
    SELECT m.person, m.household_number, m.relationship, m.town, m.event_on AS valid_from,
        coalesce(m.next_on, CASE WHEN y.ended > m.event_on THEN y.ended END) AS valid_to, m.known_from
    FROM move m LEFT JOIN stay y ON y.person = m.person AND y.resident_number = m.resident_number
    WHERE NOT m.is_end
), before_first AS (
    -- the history starts at some year: what the first move did not change was so before it
    SELECT y.person, CASE WHEN m.event_kind IN ('転居', '氏名変更') OR m.is_end THEN m.household_number END AS household_number,
        CASE WHEN m.event_kind IN ('転居', '氏名変更') OR m.is_end THEN m.relationship END AS relationship,
        CASE WHEN m.event_kind <> '転居' THEN m.town END AS town,
        y.began AS valid_from, m.event_on AS valid_to, y.began + 1 AS known_from
    FROM stay y JOIN move m ON m.person = y.person AND m.resident_number = y.resident_number AND m.position = 1
    WHERE NOT m.is_start AND y.began < m.event_on
), never_moved AS (
    SELECT y.person, y.household_number, y.relationship, y.town, y.began AS valid_from, y.ended AS valid_to, y.began + 1 AS known_from
    FROM stay y ANTI JOIN move m ON m.person = y.person AND m.resident_number = y.resident_number
)
SELECT DISTINCT * FROM (FROM after_move UNION ALL FROM before_first UNION ALL FROM never_moved)
WHERE valid_to IS NULL OR valid_to > valid_from
"""

FILL_ENDS = """
UPDATE spell SET household_number = y.household_number, relationship = coalesce(spell.relationship, y.relationship)
FROM stay y WHERE y.person = spell.person AND spell.household_number IS NULL AND y.ended = spell.valid_to
"""
"""A removed person's last row sometimes leaves the household blank."""

GENERATIONS = """
CREATE OR REPLACE TABLE membership AS
WITH ordered AS (
    SELECT *, max(coalesce(valid_to, DATE '9999-12-31')) OVER (
        PARTITION BY household_number ORDER BY valid_from, person ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lived_until
    FROM spell WHERE household_number IS NOT NULL
)
SELECT person, relationship, town, valid_from, valid_to, known_from,
    household_number || '#' || sum(CASE WHEN valid_from > lived_until THEN 1 ELSE 0 END) OVER (
        PARTITION BY household_number ORDER BY valid_from, person) AS household
FROM ordered
"""
"""A number nobody bore for a day or more is another household when it comes back."""

PLACE_IN_HOUSE = """
CREATE OR REPLACE MACRO place_in_house(r) AS CASE
    WHEN r IS NULL THEN NULL
    WHEN regexp_matches(r, '^(世帯主|本人)$') THEN 'HEAD'
    WHEN regexp_matches(r, '^(妻|夫)(\\(未届\\)|（未届）)?$') THEN 'SPOUSE'
    WHEN regexp_matches(r, '^(妻|夫)の(子|長男|長女|.男|.女)$') THEN 'STEPCHILD'
    WHEN regexp_matches(r, '^(子の子|孫|子の妻の子|子の夫の子)') THEN 'GRANDCHILD'
    WHEN regexp_matches(r, '^(子|長男|長女|.男|.女|養子)の(妻|夫)$') THEN 'CHILD_SPOUSE'
    WHEN regexp_matches(r, '^(子|長男|長女|[一二三四五六七八九次]男|[一二三四五六七八九次]女|養子|養女)$') THEN 'CHILD'
    WHEN regexp_matches(r, '^(父|母|妻の父|妻の母|夫の父|夫の母)$') THEN 'PARENT'
    ELSE 'OTHER' END
"""

HOUSE_PAIRS = f"""
CREATE OR REPLACE TABLE house_pair AS
SELECT c.person AS child, a.person AS relative, place_in_house(c.relationship) AS child_place,
    place_in_house(a.relationship) AS relative_place, p.sex, p.born_on AS relative_born, y.born_on AS child_born,
    greatest(c.valid_from, a.valid_from) AS valid_from, least(c.valid_to, a.valid_to) AS valid_to,
    greatest(c.known_from, a.known_from) AS known_from, c.household
FROM membership c JOIN spine y ON y.person = c.person
JOIN membership a ON a.household = c.household AND a.person <> c.person AND a.valid_from < coalesce(c.valid_to, DATE '9999-12-31')
    AND c.valid_from < coalesce(a.valid_to, DATE '9999-12-31')
JOIN spine p ON p.person = a.person
WHERE try_cast(y.born_on AS DATE) >= $at - INTERVAL {CHILD_YEARS} YEAR
"""

OLD_ENOUGH = (
    "date_diff('day', try_cast(relative_born AS DATE), try_cast(child_born AS DATE)) BETWEEN 14 * 365 AND 60 * 365"
)

PARENTS = f"""
CREATE OR REPLACE TABLE kin_raw AS
WITH upper AS (
    -- grandchildren: only when one grown child of the head lives there can that be the parent
    SELECT child, household, valid_from, count(DISTINCT relative) AS grown
    FROM house_pair WHERE child_place = 'GRANDCHILD' AND relative_place = 'CHILD' AND {OLD_ENOUGH} GROUP BY ALL
), parent AS (
    SELECT h.child, h.relative, CASE h.sex WHEN 'F' THEN 'MOTHER' WHEN 'M' THEN 'FATHER' END AS kind, h.valid_from, h.valid_to, h.known_from
    FROM house_pair h LEFT JOIN upper u ON u.child = h.child AND u.household = h.household AND u.valid_from = h.valid_from
    WHERE {OLD_ENOUGH} AND (
        (child_place = 'CHILD' AND relative_place IN ('HEAD', 'SPOUSE'))
        OR (child_place = 'STEPCHILD' AND relative_place = 'SPOUSE')
        OR (child_place = 'GRANDCHILD' AND relative_place = 'CHILD' AND u.grown = 1)
        OR (child_place = 'GRANDCHILD' AND relative_place = 'CHILD_SPOUSE'))
), standing_in AS (
    SELECT h.child, h.relative, 'GUARDIAN' AS kind, h.valid_from, h.valid_to, h.known_from
    FROM house_pair h WHERE relative_place = 'HEAD' AND {OLD_ENOUGH} AND child_place IN ('STEPCHILD', 'GRANDCHILD', 'OTHER')
      AND (child_place = 'STEPCHILD' OR NOT EXISTS (FROM parent p WHERE p.child = h.child))
)
SELECT *, getvariable('register_source') AS source FROM parent WHERE kind IS NOT NULL
UNION ALL SELECT *, getvariable('register_source') FROM standing_in
UNION ALL
SELECT c.child, c.relative, 'SIBLING', c.valid_from, c.valid_to, c.known_from, getvariable('register_source') FROM house_pair c
WHERE c.child_place IN ('CHILD', 'STEPCHILD') AND c.relative_place IN ('CHILD', 'STEPCHILD')
  AND abs(date_diff('day', try_cast(relative_born AS DATE), try_cast(child_born AS DATE))) < 25 * 365
"""

NAMED = f"""
INSERT INTO kin_raw
WITH told AS (
    SELECT receipt, row, min(valid_from) AS valid_from, max(coalesce(valid_to, DATE '9999-12-31')) AS valid_to, min(known_from) AS known_from
    FROM facts GROUP BY receipt, row
)
SELECT c.person AS child, g.person AS relative,
    CASE WHEN m.role = 'mother' OR (m.role = 'guardian' AND m.relationship = '母') THEN 'MOTHER'
         WHEN m.role = 'father' OR (m.role = 'guardian' AND m.relationship = '父') THEN 'FATHER' ELSE 'GUARDIAN' END AS kind,
    CASE WHEN m.role = 'guardian' THEN t.valid_from ELSE coalesce(try_cast(y.born_on AS DATE), t.valid_from) END,
    CASE WHEN m.role = 'guardian' AND t.valid_to < DATE '9999-12-31' THEN t.valid_to END,
    t.known_from, m.source
FROM partner_mention m JOIN link g ON g.form = m.form JOIN link c ON c.form = m.mate JOIN spine y ON y.person = c.person
JOIN told t ON t.receipt = m.receipt AND t.row = m.row
WHERE c.person <> g.person AND try_cast(y.born_on AS DATE) >= $at - INTERVAL {CHILD_YEARS} YEAR
"""
"""Whom an allowance, a school or a check-up names beside the child."""

CARING = """
INSERT INTO kin_raw SELECT child, relative, 'GUARDIAN', valid_from, valid_to, known_from, source FROM kin_raw
WHERE source <> getvariable('register_source') AND kind IN ('MOTHER', 'FATHER')
  AND source IN (SELECT DISTINCT source FROM partner_mention WHERE role = 'guardian')
"""

BORN_OF = """
INSERT INTO kin_raw
SELECT DISTINCT h.child, h.relative, 'MOTHER', try_cast(h.child_born AS DATE), NULL::DATE, f.known_from, f.source
FROM facts f JOIN mention m ON m.receipt = f.receipt AND m.row = f.row AND m.role = f.role JOIN link l ON l.form = m.form
JOIN house_pair h ON h.relative = l.person AND date_diff('day', f.valid_from, try_cast(h.child_born AS DATE)) BETWEEN -100 AND 30
WHERE f.item IN (SELECT unnest($items::VARCHAR[])) AND h.valid_from <= try_cast(h.child_born AS DATE) + 60
"""

SAME_MOTHER = """
INSERT INTO kin_raw
SELECT DISTINCT a.child, b.child, 'SIBLING', greatest(a.valid_from, b.valid_from), least(a.valid_to, b.valid_to),
    greatest(a.known_from, b.known_from), a.source
FROM kin_raw a JOIN kin_raw b ON a.relative = b.relative AND a.child <> b.child AND a.kind IN ('MOTHER', 'FATHER') AND b.kind = a.kind
    AND a.valid_from < coalesce(b.valid_to, DATE '9999-12-31') AND b.valid_from < coalesce(a.valid_to, DATE '9999-12-31')
"""

KINSHIPS = """
CREATE OR REPLACE TABLE kinship AS
WITH ordered AS (
    SELECT *, max(coalesce(valid_to, DATE '9999-12-31')) OVER (
        PARTITION BY child, relative, kind ORDER BY valid_from, valid_to NULLS LAST, source
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS told_until
    FROM kin_raw
), islands AS (
    SELECT *, sum(CASE WHEN valid_from > told_until THEN 1 ELSE 0 END) OVER (
        PARTITION BY child, relative, kind ORDER BY valid_from, valid_to NULLS LAST, source) AS island
    FROM ordered
)
SELECT child, relative, kind, arg_min(source, (known_from, source)) AS source, min(valid_from) AS valid_from,
    nullif(max(coalesce(valid_to, DATE '9999-12-31')), DATE '9999-12-31') AS valid_to, min(known_from) AS known_from
FROM islands GROUP BY child, relative, kind, island ORDER BY child, relative, kind, valid_from
"""

RESIDENCE_SPELLS = """
CREATE OR REPLACE TABLE residence AS
WITH starts AS (
    SELECT person, resident_number, event_on, event_kind, known_from FROM move WHERE is_start
), ends AS (
    SELECT person, resident_number, event_on, event_kind, known_from FROM move WHERE is_end
), stays AS (
    SELECT person, resident_number, began AS valid_from, ended AS valid_to, from_reason, to_reason, began + 1 AS known_from FROM stay
    UNION
    -- an earlier stay under the same number is told by the moves only
    SELECT s.person, s.resident_number, s.event_on, min(e.event_on), any_value(s.event_kind),
        arg_min(e.event_kind, e.event_on), any_value(s.known_from)
    FROM starts s JOIN ends e ON e.person = s.person AND e.resident_number = s.resident_number AND e.event_on > s.event_on
    WHERE NOT EXISTS (FROM stay y WHERE y.person = s.person AND y.resident_number = s.resident_number AND y.began <= s.event_on)
    GROUP BY s.person, s.resident_number, s.event_on
)
SELECT y.person, y.valid_from, y.valid_to,
    CASE WHEN y.from_reason LIKE '%出生%' THEN 'BIRTH' WHEN y.from_reason LIKE '%転入%' THEN 'MOVE_IN'
         WHEN y.from_reason IS NOT NULL THEN 'OTHER' END AS began_by,
    CASE WHEN y.valid_to IS NULL THEN NULL WHEN y.to_reason LIKE '%死亡%' THEN 'DEATH' WHEN y.to_reason LIKE '%転出%' THEN 'MOVE_OUT'
         WHEN y.to_reason LIKE '%職権%' THEN 'EX_OFFICIO' ELSE 'OTHER' END AS ended_by,
    coalesce(min(s.known_from), min(y.known_from)) AS known_from,
    CASE WHEN y.valid_to IS NOT NULL THEN coalesce(min(e.known_from), y.valid_to + 1) END AS end_known_from
FROM stays y
LEFT JOIN starts s ON s.person = y.person AND s.resident_number = y.resident_number AND s.event_on = y.valid_from
LEFT JOIN ends e ON e.person = y.person AND e.resident_number = y.resident_number AND e.event_on = y.valid_to
WHERE y.valid_to IS NULL OR y.valid_to > y.valid_from
GROUP BY y.person, y.valid_from, y.valid_to, y.from_reason, y.to_reason ORDER BY y.person, y.valid_from
"""

PARTNER_MENTION = """
CREATE OR REPLACE TABLE partner_mention AS
SELECT m.*, r.relationship FROM mention m
LEFT JOIN (SELECT receipt, row, role, any_value(trim(relationship)) AS relationship FROM landed
           WHERE role = 'guardian' GROUP BY receipt, row, role) r USING (receipt, row, role)
WHERE m.mate IS NOT NULL
"""


def build_households(
    connection: duckdb.DuckDBPyConnection, at: object, expected_delivery: Collection[str] = ()
) -> dict[str, int]:
    """Make the tables ``membership``, ``kinship`` and ``residence`` by run-local person.

    Needs the tables of linkage, ``landed`` (mentions) and ``facts`` (landed facts) in the connection.

    Args:
        at: the day from which children are counted back (``CHILD_YEARS``).
        expected_delivery: codes of the items that say when a pregnancy should end.
    """
    connection.execute("SET VARIABLE register_source = (SELECT min(source) FROM mention WHERE kind = 'residents')")
    for statement in (RESIDENCES, MOVES, SPELLS, FILL_ENDS, GENERATIONS, PLACE_IN_HOUSE, PARTNER_MENTION):
        connection.execute(statement)
    connection.execute(HOUSE_PAIRS, {"at": at})
    connection.execute(PARENTS)
    connection.execute(NAMED, {"at": at})
    connection.execute(CARING)
    connection.execute(BORN_OF, {"items": sorted(expected_delivery)})
    for statement in (SAME_MOTHER, KINSHIPS, RESIDENCE_SPELLS):
        connection.execute(statement)
    _number_households(connection)
    counts = connection.execute(
        """SELECT (SELECT count(DISTINCT household) FROM membership), (SELECT count(*) FROM kinship),
                  (SELECT count(*) FROM residence), (SELECT count(DISTINCT person) FROM twin)"""
    ).fetchall()[0]
    return dict(zip(("households", "kinships", "residence_spells", "twins"), map(int, counts), strict=True))


def household_number(household: str) -> int:
    """The vault's own number of a household: the same for the same number and generation, run after run."""
    return int.from_bytes(hashlib.sha256(household.encode()).digest()[:7], "big")


def _number_households(connection: duckdb.DuckDBPyConnection) -> None:
    names = [row[0] for row in connection.execute("SELECT DISTINCT household FROM membership ORDER BY 1").fetchall()]
    connection.register("household_numbers", pa.table({
        "household": pa.array(names, pa.string()), "number": pa.array([household_number(n) for n in names], pa.int64()),
    }))  # fmt: skip
    connection.execute("CREATE OR REPLACE TABLE household AS SELECT * FROM household_numbers")
    connection.unregister("household_numbers")

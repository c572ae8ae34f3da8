"""Who is whose parent, guardian or sibling, from the day on which that could be known (identity side).

A parent is one by the relationship the register prints, by what an allowance or school says, or by
a pregnancy that ends in the household.

Every piece of evidence is one stretch of days, ``seen_on`` to ``over_on``: from the day on which it
held and was known, to the day on which it was known to have ended, or was told otherwise (then
``valid_to`` is empty). Pieces are joined only where their stretches touch, so that no link shows on
a day on which nobody knew of it.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from kodomo.tables.parts import fill, parts_of

CHILD_YEARS = 25
"""Kin are worked out for persons born within so many years: today's children, and those of the years evaluated."""

FIRST, LAST = "DATE '0001-01-01'", "DATE '9999-12-31'"
"""No day is before the first (what the first delivery told is history), none after the last (it still stands)."""

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
WITH place AS (
    SELECT relationship, place_in_house(relationship) AS place FROM (SELECT DISTINCT relationship FROM living)
)
SELECT c.person AS child, a.person AS relative, u.place AS child_place, w.place AS relative_place, p.sex, p.born_on AS relative_born, y.born_on AS child_born,
    greatest(c.valid_from, a.valid_from) AS valid_from, least(c.valid_to, a.valid_to) AS valid_to, c.household,
    greatest(c.valid_from, a.valid_from, c.known_from, a.known_from, c.since, a.since, y.since, p.since) AS seen_on,
    least(greatest(c.valid_to, c.end_known_from), greatest(a.valid_to, a.end_known_from)) AS gone_on,
    least(c.until, a.until, y.until, p.until) AS until
FROM living c JOIN attribute y ON y.person = c.person AND y.since < c.until AND c.since < y.until
JOIN living a ON a.household = c.household AND a.person <> c.person AND a.valid_from < coalesce(c.valid_to, {LAST})
    AND c.valid_from < coalesce(a.valid_to, {LAST}) AND a.since < c.until AND c.since < a.until
JOIN attribute p ON p.person = a.person AND p.since < a.until AND a.since < p.until
LEFT JOIN place u ON u.relationship = c.relationship LEFT JOIN place w ON w.relationship = a.relationship
WHERE try_cast(y.born_on AS DATE) >= $at - INTERVAL {CHILD_YEARS} YEAR
"""
"""Two under one roof. ``gone_on``: the day on which one of them was known to have left; ``until``: the day from
which the register told otherwise."""

NEVER_SEEN = "DELETE FROM house_pair WHERE seen_on >= until"

OLD_ENOUGH = (
    "date_diff('day', try_cast(relative_born AS DATE), try_cast(child_born AS DATE)) BETWEEN 14 * 365 AND 60 * 365"
)
KIND = "CASE h.sex WHEN 'F' THEN 'MOTHER' WHEN 'M' THEN 'FATHER' END"
IS_PARENT = """(
    (h.child_place = 'CHILD' AND h.relative_place IN ('HEAD', 'SPOUSE'))
    OR (h.child_place = 'STEPCHILD' AND h.relative_place = 'SPOUSE')
    OR (h.child_place = 'GRANDCHILD' AND h.relative_place = 'CHILD_SPOUSE'))"""

PAIR_LASTS = f"""h.valid_from, CASE WHEN h.gone_on <= h.until THEN h.valid_to END AS valid_to,
    h.seen_on, nullif(least(h.gone_on, h.until), {LAST}) AS over_on, getvariable('register_source') AS source"""

PARENTS = f"""
CREATE OR REPLACE TABLE kin_raw AS
SELECT h.child, h.relative, {KIND} AS kind, {PAIR_LASTS} FROM house_pair h WHERE {OLD_ENOUGH} AND {IS_PARENT} AND kind IS NOT NULL
UNION ALL
SELECT h.child, h.relative, 'SIBLING', {PAIR_LASTS} FROM house_pair h
WHERE h.child_place IN ('CHILD', 'STEPCHILD') AND h.relative_place IN ('CHILD', 'STEPCHILD')
  AND abs(date_diff('day', try_cast(relative_born AS DATE), try_cast(child_born AS DATE))) < 25 * 365
"""

SLICES = """
CREATE OR REPLACE TABLE slice AS
WITH unclear AS (
    SELECT child, relative, child_place, seen_on, gone_on, until FROM house_pair
    SEMI JOIN (SELECT child FROM house_pair WHERE child_place IN ('STEPCHILD', 'GRANDCHILD', 'OTHER')) u USING (child)
), cut AS (
    SELECT DISTINCT child, unnest([seen_on, gone_on, until]) AS since FROM unclear
)
SELECT * FROM (SELECT child, since, lead(since) OVER (PARTITION BY child ORDER BY since) AS until FROM cut WHERE since IS NOT NULL)
WHERE until IS NOT NULL
"""
"""Where it takes all of a household to tell who the parent is, it is told anew whenever something becomes known."""

UNCLEAR = f"""
INSERT INTO kin_raw
WITH h AS (
    -- whoever was known by then, those who had left included
    SELECT p.* EXCLUDE (until), p.until AS pair_until, s.since, s.until, {OLD_ENOUGH} AS is_old_enough
    FROM house_pair p JOIN slice s ON s.child = p.child AND p.seen_on <= s.since AND s.until <= p.until
), upper AS (
    -- grandchildren: only when one grown child of the head lives there can that be the parent
    SELECT child, since, household, valid_from, count(DISTINCT relative) AS grown FROM h
    WHERE child_place = 'GRANDCHILD' AND relative_place = 'CHILD' AND is_old_enough GROUP BY ALL
), grown_child AS (
    SELECT h.* FROM h JOIN upper u USING (child, since, household, valid_from)
    WHERE h.child_place = 'GRANDCHILD' AND h.relative_place = 'CHILD' AND h.is_old_enough AND u.grown = 1
), parent AS (
    SELECT child, since FROM grown_child UNION SELECT child, since FROM h WHERE is_old_enough AND {IS_PARENT}
), found AS (
    SELECT h.*, {KIND} AS kind FROM grown_child h
    UNION ALL
    SELECT h.*, 'GUARDIAN' FROM h WHERE relative_place = 'HEAD' AND is_old_enough AND child_place IN ('STEPCHILD', 'GRANDCHILD', 'OTHER')
      AND (child_place = 'STEPCHILD' OR NOT EXISTS (FROM parent p WHERE p.child = h.child AND p.since = h.since))
)
SELECT child, relative, kind, valid_from, CASE WHEN until = gone_on THEN valid_to END, since, nullif(until, {LAST}),
    getvariable('register_source')
FROM found WHERE kind IS NOT NULL AND (gone_on IS NULL OR until <= gone_on)
"""

PARTNER_MENTION = """
CREATE OR REPLACE TABLE partner_mention AS
SELECT m.*, r.relationship FROM mention m
LEFT JOIN (SELECT receipt, row, role, any_value(trim(relationship)) AS relationship FROM landed
           WHERE role = 'guardian' GROUP BY receipt, row, role) r USING (receipt, row, role)
WHERE m.mate IS NOT NULL
"""

NAMED = f"""
INSERT INTO kin_raw
WITH told AS (
    SELECT receipt, row, min(valid_from) AS valid_from, nullif(max(coalesce(valid_to, {LAST})), {LAST}) AS valid_to,
        min(known_from) AS known_from, nullif(max(coalesce(known_to, {LAST})), {LAST}) AS known_to
    FROM facts GROUP BY receipt, row
), listed AS (
    -- nobody could be told to be the one whom the register did not list yet, nor a child without a date of birth
    SELECT person, min(since) AS since, min(since) FILTER (born_on IS NOT NULL) AS born_since, max(try_cast(born_on AS DATE)) AS born
    FROM attribute GROUP BY person
), named AS (
    SELECT c.person AS child, g.person AS relative,
        CASE WHEN m.role = 'mother' OR (m.role = 'guardian' AND m.relationship = '母') THEN 'MOTHER'
             WHEN m.role = 'father' OR (m.role = 'guardian' AND m.relationship = '父') THEN 'FATHER' ELSE 'GUARDIAN' END AS kind,
        CASE WHEN m.role = 'guardian' THEN t.valid_from ELSE coalesce(x.born, t.valid_from) END AS valid_from,
        CASE WHEN m.role = 'guardian' THEN t.valid_to END AS valid_to, greatest(t.known_from, x.born_since, z.since) AS known_from,
        t.known_to, m.source, m.role = 'guardian' AS is_guardian
    FROM partner_mention m JOIN link g ON g.form = m.form JOIN link c ON c.form = m.mate
    JOIN told t ON t.receipt = m.receipt AND t.row = m.row
    JOIN listed x ON x.person = c.person JOIN listed z ON z.person = g.person
    WHERE c.person <> g.person AND x.born >= $at - INTERVAL {CHILD_YEARS} YEAR
      -- the head printed on a row may be a husband or a brother
      AND (m.role <> 'household_head' OR coalesce(date_diff('year', z.born, x.born) >= 14, true))
)
SELECT child, relative, kind, least(valid_from, seen_on) AS valid_from, CASE WHEN valid_to <= coalesce(known_to, {LAST}) THEN valid_to END,
    seen_on, least(valid_to, known_to), source
FROM (SELECT *, greatest(CASE WHEN is_guardian THEN valid_from END, known_from) AS seen_on FROM named)
"""
"""Whom an allowance, a school or a check-up names beside the child."""

CARING = """
INSERT INTO kin_raw SELECT child, relative, 'GUARDIAN', valid_from, valid_to, seen_on, over_on, source FROM kin_raw
WHERE source <> getvariable('register_source') AND kind IN ('MOTHER', 'FATHER')
  AND source IN (SELECT DISTINCT source FROM partner_mention WHERE role = 'guardian')
"""

BORN_OF = f"""
INSERT INTO kin_raw
SELECT DISTINCT h.child, h.relative, 'MOTHER', try_cast(h.child_born AS DATE), NULL::DATE,
    greatest(f.known_from, h.seen_on, try_cast(h.child_born AS DATE)), least(f.known_to, nullif(h.until, {LAST})), f.source
FROM facts f JOIN mention m ON m.receipt = f.receipt AND m.row = f.row AND m.role = f.role JOIN link l ON l.form = m.form
JOIN house_pair h ON h.relative = l.person AND date_diff('day', f.valid_from, try_cast(h.child_born AS DATE)) BETWEEN -100 AND 30
WHERE f.item IN (SELECT unnest($items::VARCHAR[])) AND h.valid_from <= try_cast(h.child_born AS DATE) + 60
"""
"""She stays the mother when one of them leaves."""

SAME_MOTHER = f"""
INSERT INTO kin_raw
SELECT DISTINCT a.child, b.child, 'SIBLING', greatest(a.valid_from, b.valid_from),
    CASE WHEN coalesce(a.over_on, {LAST}) <= coalesce(b.over_on, {LAST}) THEN a.valid_to ELSE b.valid_to END,
    greatest(a.seen_on, b.seen_on), least(a.over_on, b.over_on), a.source
FROM kin_raw a JOIN kin_raw b ON a.relative = b.relative AND a.child <> b.child AND a.kind IN ('MOTHER', 'FATHER') AND b.kind = a.kind
    AND a.seen_on < coalesce(b.over_on, {LAST}) AND b.seen_on < coalesce(a.over_on, {LAST})
"""

STRETCH = f"""arg_min(source, (seen_on, source)) AS source, arg_min(valid_from, (seen_on, valid_from)) AS valid_from,
    arg_max({{'day': valid_to}}, (coalesce(over_on, {LAST}), coalesce(valid_to, {FIRST}))).day AS valid_to,
    min(seen_on) AS known_from, nullif(max(coalesce(over_on, {LAST})), {LAST}) AS over_on"""

KINSHIPS = f"""
WITH piece AS (
    FROM kin_raw WHERE seen_on < coalesce(over_on, {LAST}) AND {{part}}
), known AS (
    SELECT child, relative, kind, {STRETCH},
        -- nearly always: every piece was seen before any was over
        max(seen_on) <= min(coalesce(over_on, {LAST})) AS is_one
    FROM piece GROUP BY child, relative, kind
), ordered AS (
    SELECT *, max(coalesce(over_on, {LAST})) OVER (
        PARTITION BY child, relative, kind ORDER BY seen_on, over_on NULLS LAST, source
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM piece SEMI JOIN (FROM known WHERE NOT is_one) USING (child, relative, kind)
), stretched AS (
    SELECT *, sum(CASE WHEN seen_on > reached THEN 1 ELSE 0 END) OVER (
        PARTITION BY child, relative, kind ORDER BY seen_on, over_on NULLS LAST, source) AS stretch
    FROM ordered
), joined AS (
    SELECT * EXCLUDE (is_one) FROM known WHERE is_one
    UNION ALL BY NAME SELECT child, relative, kind, {STRETCH} FROM stretched GROUP BY child, relative, kind, stretch
)
SELECT child, relative, kind, source, valid_from, CASE WHEN over_on IS NOT NULL THEN valid_to END AS valid_to, known_from,
    CASE WHEN valid_to IS NOT NULL THEN over_on END AS end_known_from, CASE WHEN valid_to IS NULL THEN over_on END AS known_to
FROM joined
"""
"""``known_to``: the day from which the link was told otherwise; ``end_known_from``: the day its end became known."""


def pair_households(connection: duckdb.DuckDBPyConnection, at: object, *, is_first: bool) -> None:
    """Make the table ``house_pair`` of the households in ``living``, or add to it; needs ``attribute``."""
    connection.execute(PLACE_IN_HOUSE)
    made = "CREATE OR REPLACE TABLE house_pair AS" if is_first else "INSERT INTO house_pair"
    connection.execute(f"{made} {HOUSE_PAIRS}", {"at": at})


def build_kinship(connection: duckdb.DuckDBPyConnection, at: object, expected_delivery: Collection[str] = ()) -> None:
    """Make the table ``kinship`` by run-local person; needs ``house_pair``, ``attribute``, ``facts`` and the links."""
    connection.execute("SET VARIABLE register_source = (SELECT min(source) FROM mention WHERE kind = 'residents')")
    for statement in (PARTNER_MENTION, NEVER_SEEN, PARENTS, SLICES, UNCLEAR):
        connection.execute(statement)
    connection.execute(NAMED, {"at": at})
    connection.execute(CARING)
    connection.execute(BORN_OF, {"items": sorted(expected_delivery)})
    connection.execute(SAME_MOTHER)
    fill(connection, "kinship", KINSHIPS, parts_of(connection, "kin_raw", "child"), "child")

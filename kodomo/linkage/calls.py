"""Records that know a child only by a name and an age or a grade: clubs and NPOs (identity side).

There is no birth date to lean on, so nothing is weighed: a child is linked when nobody else of that
age (and school, where it is told) bears the name; otherwise a person decides.
"""

from __future__ import annotations

import duckdb

from kodomo.linkage.rules import SCHOOLS

MOST_ASKED = 3
"""With more possible children than this nobody can decide from the paper either; the record stays unlinked."""

AGE_SLACK_DAYS = 62
"""A sheet's ages were true some time before the month it became known."""

AGE_SLIP = 1
"""Ages in such sheets are guessed, or were true at the last birthday."""

WANTED = """
CREATE OR REPLACE TABLE wanted AS
SELECT f.*, plain_school(f.school) AS plain, year(f.seen_from - INTERVAL 3 MONTH) AS school_year,
    try_cast(regexp_extract(f.grade, '\\d+') AS INTEGER) AS class
FROM form f ANTI JOIN link USING (form)
WHERE f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NULL AND (f.name IS NOT NULL OR f.kana IS NOT NULL)
"""

CHILD_NAME = """
CREATE OR REPLACE TABLE child_name AS
WITH child AS (
    SELECT p.person, p.sex, try_cast(p.born_on AS DATE) AS born,
        year(try_cast(p.born_on AS DATE) - INTERVAL 1 DAY - INTERVAL 3 MONTH) AS cohort
    FROM spine p WHERE try_cast(p.born_on AS DATE) >= (SELECT min(seen_from) - INTERVAL 20 YEAR FROM form)
)
SELECT c.*, n.* EXCLUDE (person) FROM child c JOIN (
    SELECT person, name, kana, sorted_kana, given, given_kana FROM spine_name
    UNION SELECT DISTINCT l.person, f.name, f.kana, f.sorted_kana, f.given, f.given_kana FROM link l JOIN form f USING (form)
    WHERE f.role = 'subject' AND f.born_on IS NOT NULL AND f.own_number IS NOT NULL
) n USING (person)
"""
"""Schools and clubs share their wrong characters: how a school writes a child counts beside the register."""

ALIKE = """
CREATE OR REPLACE TABLE alike AS
SELECT w.form, s.person FROM wanted w JOIN child_name s ON w.kana = s.kana
UNION SELECT w.form, s.person FROM wanted w JOIN child_name s ON w.name = s.name
UNION SELECT w.form, s.person FROM wanted w JOIN child_name s ON w.sorted_kana = s.sorted_kana
UNION SELECT w.form, s.person FROM wanted w JOIN child_name s ON w.kana = s.given_kana
UNION SELECT w.form, s.person FROM wanted w JOIN child_name s ON w.name = s.given
UNION SELECT w.form, s.person FROM wanted w JOIN child_name s ON left(w.name, 1) = left(s.name, 1) AND length(w.name) = length(s.name)
    WHERE (contains(w.name, '〓') OR contains(s.name, '〓')) AND same_name(w.name, s.name)
UNION SELECT w.form, s.person FROM wanted w JOIN child_name s ON right(w.name, 1) = right(s.name, 1) AND length(w.name) = length(s.name)
    WHERE (contains(w.name, '〓') OR contains(s.name, '〓')) AND same_name(w.name, s.name)
UNION SELECT w.form, s.person FROM graded w JOIN child_name s ON s.cohort = w.cohort AND left(w.name, 1) = left(s.name, 1)
    WHERE one_off(w.name, s.name)
UNION SELECT w.form, s.person FROM graded w JOIN child_name s ON s.cohort = w.cohort AND right(w.name, 1) = right(s.name, 1)
    WHERE one_off(w.name, s.name)
"""
"""Pairs worth looking at, each found by an equality: any other condition would compare all with all.

Names one character apart (or with one unknown character) share their first or their last."""

GRADED = """
CREATE OR REPLACE TABLE graded AS
SELECT form, name, unnest([school_year - class - 6, school_year - class - 12]) AS cohort
FROM wanted WHERE class IS NOT NULL AND length(name) >= 3
"""

CALLED = f"""
CREATE OR REPLACE TABLE called AS
WITH fitting AS (
    SELECT w.form, s.person, any_value(w.plain) AS plain,
        bool_or(coalesce(w.kana = s.kana, false) OR coalesce(same_name(w.name, s.name), false)
                OR coalesce(w.sorted_kana = s.sorted_kana, false)) AS is_whole,
        bool_or(coalesce(w.kana = s.given_kana, false) OR coalesce(w.name = s.given, false)) AS is_given,
        any_value(w.age IS NULL AND w.class IS NULL) AS is_age_unknown
    FROM alike a JOIN wanted w USING (form) JOIN child_name s ON s.person = a.person
    WHERE date_sub('year', s.born, w.seen_to) < 20
     AND (w.age IS NULL OR w.age BETWEEN date_sub('year', s.born, w.seen_from - INTERVAL {AGE_SLACK_DAYS} DAY) - {AGE_SLIP}
                               AND date_sub('year', s.born, w.seen_to) + {AGE_SLIP})
     AND (w.class IS NULL OR w.class IN (w.school_year - s.cohort - 6, w.school_year - s.cohort - 12))
     AND (w.sex IS NULL OR s.sex IS NULL OR w.sex = s.sex)
    GROUP BY w.form, s.person
), schools AS (
    SELECT t.form, t.person, bool_or(d.school = t.plain OR starts_with(d.school, t.plain) OR starts_with(t.plain, d.school)) AS is_same
    FROM fitting t JOIN schooled d USING (person) WHERE t.plain IS NOT NULL GROUP BY t.form, t.person
)
SELECT t.form, t.person, CASE WHEN t.is_whole THEN 2 WHEN t.is_given THEN 1 ELSE 0 END AS likeness, t.is_age_unknown, coalesce(s.is_same, false) AS is_same_school
FROM fitting t LEFT JOIN schools s USING (form, person)
ANTI JOIN (SELECT form, person FROM verdict WHERE NOT is_same) v ON v.form = t.form AND v.person = t.person
WHERE coalesce(s.is_same, t.is_whole OR t.is_given)
"""
"""Children who can be meant: the name or call name, the age give or take one, no other school.

A name one character off counts only for a child of the same school and grade."""

CHOSEN = """
CREATE OR REPLACE TABLE chosen AS
WITH whole AS (
    -- who bears the whole name goes before who bears the given name, and that before one character off
    SELECT *, max(likeness) OVER (PARTITION BY form) AS best FROM called
), counted AS (
    SELECT *, count(*) OVER (PARTITION BY form) AS fitting,
        count(*) FILTER (is_same_school) OVER (PARTITION BY form) AS at_school
    FROM whole WHERE likeness = best
)
SELECT form, person, fitting,
    -- a given name alone may be short for another (ゆう for ゆうた): without the school it is never certain
    ((fitting = 1 AND ((likeness = 2 AND NOT is_age_unknown) OR is_same_school)) OR (at_school = 1 AND is_same_school)) AS is_certain
FROM counted
"""

KNOWN_HERE = """
WITH known AS (
    SELECT DISTINCT f.source, f.name, f.kana, l.person FROM link l JOIN form f USING (form) WHERE l.rule = 'AGE'
), meant AS (
    SELECT DISTINCT f.form, c.person
    FROM called c JOIN form f USING (form) JOIN known k ON k.person = c.person AND k.source = f.source
        AND (k.name = f.name OR k.kana = f.kana)
    ANTI JOIN link l ON l.form = f.form
)
INSERT INTO link SELECT form, min(person), 'CALL', NULL FROM meant GROUP BY form HAVING count(*) = 1
"""
"""A sheet that once told us which child it calls so means the same child by the same name, if the age fits no other it knows."""


def link_called(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Link records by name and age or grade where only one child fits; adds the rest to ``doubt``."""
    for statement in (SCHOOLS, WANTED, CHILD_NAME, GRADED, ALIKE, CALLED, CHOSEN):
        connection.execute(statement)
    linked = connection.execute(
        """INSERT INTO link SELECT form, min(person), 'AGE', NULL FROM chosen WHERE is_certain
           GROUP BY form HAVING count(*) = 1"""
    ).fetchall()[0][0]
    known = connection.execute(KNOWN_HERE).fetchall()[0][0]
    asked = connection.execute(
        f"""INSERT INTO doubt SELECT form, person, NULL, 'NAME_AND_AGE' FROM chosen ANTI JOIN link USING (form)
            WHERE fitting <= {MOST_ASKED}"""
    ).fetchall()[0][0]
    return {"linked": int(linked), "known_here": int(known), "doubtful": int(asked)}

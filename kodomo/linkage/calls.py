"""Records that know a child only by a name and an age or a grade: clubs and NPOs (identity side).

There is no birth date to lean on, so nothing is weighed: a child is linked when nobody else of that
age (and school, where it is told) bears the name; otherwise a person decides.
"""

from __future__ import annotations

import duckdb

MOST_ASKED = 3
"""With more possible children than this nobody can decide from the paper either; the record stays unlinked."""

AGE_SLACK_DAYS = 62
"""A sheet's ages were true some time before the month it became known."""

SCHOOLED = """
CREATE OR REPLACE TABLE schooled AS
SELECT DISTINCT l.person, plain_school(f.school) AS school FROM link l JOIN form f USING (form)
WHERE f.school IS NOT NULL AND f.role = 'subject' AND f.born_on IS NOT NULL
"""

PLAIN_SCHOOL = """
CREATE OR REPLACE MACRO plain_school(s) AS nullif(
    regexp_replace(regexp_replace(regexp_replace(nfc_normalize(trim(s)), '^.*(市立|町立|村立|区立)', ''), '学校$', ''), '[ 　]', '', 'g'), '')
"""

CALLED = f"""
CREATE OR REPLACE TABLE called AS
WITH wanted AS (
    SELECT f.*, plain_school(f.school) AS plain, year(f.seen_from - INTERVAL 3 MONTH) AS school_year,
        try_cast(regexp_extract(f.grade, '\\d+') AS INTEGER) AS class
    FROM form f ANTI JOIN link USING (form)
    WHERE f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NULL AND (f.name IS NOT NULL OR f.kana IS NOT NULL)
      AND (f.age IS NOT NULL OR f.grade IS NOT NULL OR f.school IS NOT NULL)
), child AS (
    SELECT p.person, p.sex, try_cast(p.born_on AS DATE) AS born, year(try_cast(p.born_on AS DATE) - INTERVAL 1 DAY - INTERVAL 3 MONTH) AS cohort
    FROM spine p WHERE try_cast(p.born_on AS DATE) >= (SELECT min(seen_from) - INTERVAL 20 YEAR FROM form)
), fitting AS (
    SELECT w.form, c.person,
        bool_or(coalesce(w.kana = s.kana, false) OR coalesce(same_name(w.name, s.name), false)
                OR coalesce(w.sorted_kana = s.sorted_kana, false)) AS is_whole,
        any_value(w.plain) AS plain
    FROM wanted w JOIN child c
      ON (w.age IS NULL OR w.age BETWEEN date_sub('year', c.born, w.seen_from - INTERVAL {AGE_SLACK_DAYS} DAY)
                               AND date_sub('year', c.born, w.seen_to))
     AND (w.class IS NULL OR w.class IN (w.school_year - c.cohort - 6, w.school_year - c.cohort - 12))
     AND (w.sex IS NULL OR c.sex IS NULL OR w.sex = c.sex)
    JOIN spine_name s ON s.person = c.person AND (
        w.kana = s.kana OR w.name = s.name OR same_name(w.name, s.name) OR w.sorted_kana = s.sorted_kana
        OR w.kana = s.given_kana OR w.name = s.given)
    GROUP BY w.form, c.person
)
SELECT DISTINCT t.form, t.person, t.is_whole, t.plain IS NULL AS is_school_unknown,
    EXISTS (FROM schooled d WHERE d.person = t.person) AS has_school,
    EXISTS (FROM schooled d WHERE d.person = t.person AND (d.school = t.plain OR starts_with(d.school, t.plain)
            OR starts_with(t.plain, d.school))) AS is_same_school
FROM fitting t
ANTI JOIN (SELECT form, person FROM verdict WHERE NOT is_same) v ON v.form = t.form AND v.person = t.person
"""

CHOSEN = """
CREATE OR REPLACE TABLE chosen AS
WITH counted AS (
    SELECT *, count(*) OVER (PARTITION BY form) AS all_fitting,
        count(*) FILTER (is_whole) OVER (PARTITION BY form) AS whole_fitting,
        count(*) FILTER (is_whole AND is_same_school) OVER (PARTITION BY form) AS whole_at_school,
        count(*) FILTER (is_same_school) OVER (PARTITION BY form) AS any_at_school
    FROM called
)
SELECT form, person,
    (is_whole AND whole_fitting = 1 AND (is_same_school OR is_school_unknown OR NOT has_school))
    OR (is_whole AND is_same_school AND whole_at_school = 1)
    OR (NOT is_whole AND whole_fitting = 0 AND is_same_school AND any_at_school = 1) AS is_certain,
    all_fitting
FROM counted
"""


def link_called(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Link records by name and age or grade where only one child fits; adds the rest to ``doubt``."""
    for statement in (PLAIN_SCHOOL, SCHOOLED, CALLED, CHOSEN):
        connection.execute(statement)
    linked = connection.execute(
        """INSERT INTO link SELECT form, min(person), 'AGE', NULL FROM chosen WHERE is_certain
           GROUP BY form HAVING count(*) = 1"""
    ).fetchall()[0][0]
    asked = connection.execute(
        f"""INSERT INTO doubt SELECT form, person, NULL, 'NAME_AND_AGE' FROM chosen ANTI JOIN link USING (form)
            WHERE all_fitting <= {MOST_ASKED}"""
    ).fetchall()[0][0]
    return {"linked": int(linked), "doubtful": int(asked)}

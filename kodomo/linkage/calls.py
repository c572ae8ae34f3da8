"""Records that know a child only by a name and an age or a grade: clubs and NPOs (identity side).

There is no birth date to lean on, but a sheet calls one child by one name month after month, and the
ages it tells pass birthdays as the child does. So nothing is decided row by row: all that a sheet
says under one name is weighed at once against every child it can mean, and against somebody from
elsewhere. One child is linked when hardly anybody else can be meant; otherwise a person decides.
"""

from __future__ import annotations

from typing import Any

import duckdb

from kodomo.tables.engine import drop

MOST_ASKED = 5
"""With more possible children than this nobody can decide from the paper either; the record stays unlinked."""

SURE = 0.98
"""How probable one child must be to be linked without a person."""

WORTH_ASKING = 0.1

AGE_MISS = (0.0, 3.7, 6.5, 12.0)
"""Bits against a child whose age differs by none, one, two, more years: sheets guess ages, or keep last year's."""

AGE_ERRS, AGE_HOLDS = 0.3, 2.0
"""How often a sheet errs about an age, before anything is known of it (a beta distribution): one that was right fifteen
times makes a sixteenth miss tell more, of one that guesses every other time a miss tells less."""

HALF_NAME_MISS = 0.7
"""So many bits per statement a given name may miss the child it decides for: where ages are guessed, it may as well be the
beginning of another's (ひな for ひなた)."""

GRADE_MISS, SCHOOL_MISS, SCHOOL_UNKNOWN = 10.0, 6.0, 1.0

TOWN_MISS, RAREST_TOWN = 5.0, 0.002
"""Bits against a child who never lived in the town told: one of thirty has moved, or stays with somebody, in any of the
other towns: in a town where a fiftieth of the people live, a fiftieth of them do."""

MOST_SAID = 16
"""More statements than this about one child add nothing: whoever writes a wrong age writes it again."""

FEWEST_SAID = 3
"""On so many days half a name (a given name, a surname) must have been told, with ages that fit, where no school or town is told."""

TRACK_GAP_DAYS = 730
"""Ages that put births further apart than this, with none between, are two children of one name."""

MONTHS_GAP_DAYS = 75
"""The same of ages told in years and months."""

FROM_ELSEWHERE = 0.0005
"""For each child here who bears the name: how many from elsewhere bear it, come here, and are just as old."""

FEWEST_ELSEWHERE = 0.1
"""A name that nobody here bears may still be borne elsewhere."""

MANY_ELSEWHERE = 30
"""However many bear a name here, at all ages: of one age there are not more than of a rarer one."""

SCHOOL_ELSEWHERE = 0.05
"""How many of those from elsewhere go to one certain school here."""

USUAL_MISS = 1.5
"""Bits per statement by which a sheet misses even the child it means; somebody from elsewhere misses no worse."""

LIKENESS = {
    "whole": 1.0,
    "given": 1.0,
    "surname": 1.0,
    "initial": 0.3,
    "beginning": 0.15,
    "homophone": 0.01,
    "renamed": 0.005,
    "one_off": 0.001,
}
"""How readily a sheet uses such a name for a child: ゆう for ゆうた is a seventh as likely as for ゆう, another surname than the
register's rarer, one certain slip rarer still."""

COINCIDENCE = 0.02
"""How seldom a child's other surname is just that of another child of the same given name, who fits as well."""

ALWAYS = 0.95
"""Of a source's rows so many tell the school: then a row without one is an omission."""

LONGEST_MONTH_DAYS = 62
"""Rows that tell of days further apart stand for a year."""

TOLD_SPAN_DAYS = 400
"""A row tells of the days of its facts, unless they lie longer back: a list of today names the day somebody was registered."""

SCHOOLED = """
CREATE OR REPLACE TABLE schooled AS
WITH told AS (
    SELECT DISTINCT p.form, t.school FROM (SELECT DISTINCT form, print FROM placed WHERE role = 'subject') p JOIN printed t USING (print) WHERE t.school IS NOT NULL
)
SELECT DISTINCT l.person, named_school(t.school) AS school FROM told t JOIN form f USING (form) JOIN link l USING (form)
WHERE f.born_on IS NOT NULL AND named_school(t.school) IS NOT NULL
"""
"""Every school that is told of somebody, not only the first under one number: children pass on to the next."""

IS_CALLED = """f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NULL AND f.resident_number IS NULL
  AND (f.name IS NOT NULL OR f.kana IS NOT NULL)"""

OPEN = "form f ANTI JOIN (SELECT form FROM link WHERE rule <> 'REVIEW') USING (form)"

WANTED = f"""
CREATE OR REPLACE TABLE wanted AS
WITH passed_on AS (
    -- a number that two bore in turn binds only rows of one name
    SELECT o.own FROM own o JOIN link l USING (form) GROUP BY o.own HAVING count(DISTINCT l.person) > 1
), reading AS (
    -- 青木 alone is アオキ リツ, if the sheet mostly tells how it reads 青木, and always so
    SELECT source, name, min(kana) AS kana FROM form WHERE born_on IS NULL GROUP BY source, name
    HAVING count(DISTINCT kana) = 1 AND sum(rows) FILTER (kana IS NOT NULL) * 2 >= sum(rows)
), schools_own AS (
    -- where every row tells the school, one name at two schools is two children
    SELECT source FROM form WHERE role = 'subject' AND born_on IS NULL AND own_number IS NULL GROUP BY source
    HAVING sum(rows) FILTER (school IS NOT NULL) >= {{always}} * sum(rows)
)
SELECT f.form, f.source, f.system, f.own_number, f.name, f.surname, f.given, f.kana, f.given_kana, f.sorted_kana, f.sex, f.town,
    dense_rank() OVER (ORDER BY f.source, f.own_number, CASE WHEN f.own_number IS NULL AND c.source IS NOT NULL THEN named_school(f.school) END,
        CASE WHEN f.own_number IS NULL OR p.own IS NOT NULL THEN coalesce(f.kana, n.kana, f.name) END) AS called
FROM {OPEN}
LEFT JOIN reading n ON n.source = f.source AND n.name = f.name
LEFT JOIN schools_own c ON c.source = f.source LEFT JOIN own o ON o.form = f.form LEFT JOIN passed_on p ON p.own = o.own
ANTI JOIN of_class ON of_class.form = f.form
WHERE {IS_CALLED}
"""

SAID = """
CREATE OR REPLACE TABLE said AS
WITH days AS (
    -- a row knows its age and grade on the days it tells of; it may be known much later
    SELECT m.mention, m.form, m.print, w.source, m.known_from AS day, least(coalesce(min(t.valid_from), m.known_from), m.known_from) AS first,
        coalesce(max(least(t.valid_from, t.known_from)), m.known_from) AS last
    FROM placed m JOIN wanted w USING (form)
    LEFT JOIN facts t ON t.receipt = m.receipt AND t.row = m.row AND t.valid_from >= m.known_from - INTERVAL {span} DAY
    GROUP BY m.mention, m.form, m.print, w.source, m.known_from
), yearly AS (
    -- on a sheet with a column for each month the age was asked some day of the year
    SELECT source FROM days GROUP BY source HAVING max(last - first) > {month}
), dated AS (
    SELECT d.* REPLACE (
        CASE WHEN y.source IS NULL THEN d.first ELSE make_date(school_year(d.first), 4, 1) END AS first,
        CASE WHEN y.source IS NULL THEN d.last ELSE make_date(school_year(d.last) + 1, 3, 31) END AS last)
    FROM days d LEFT JOIN yearly y USING (source)
), told AS (
    SELECT w.called, w.form, try_cast(regexp_extract(p.age, '\\d+') AS INTEGER) AS age,
        -- of a baby the months are told as well: 1歳7か月
        12 * try_cast(regexp_extract(p.age, '^(\\d+)歳\\d', 1) AS INTEGER) + try_cast(regexp_extract(p.age, '歳(\\d+)か月', 1) AS INTEGER) AS months, p.grade,
        plain_school(p.school) AS school, w.town, d.day, d.first, d.last, count(*) AS rows
    FROM dated d JOIN wanted w USING (form) JOIN printed p USING (print) GROUP BY ALL
), births AS (
    -- a number of the sheet's own is one child's; the first three grades are of any school
    SELECT t.* REPLACE (named_school(t.school) AS school), years_ahead(t.grade, t.school) AS ahead, CASE WHEN w.own_number IS NULL THEN coalesce(t.last - to_days((t.months * 30.44 + 15)::INTEGER), t.last - to_days((t.age * 365.25 + 183)::INTEGER),
        CASE WHEN len(years_ahead(t.grade, t.school)) = 1 THEN make_date(school_year(t.last) - years_ahead(t.grade, t.school)[1], 10, 1) END) END::DATE AS birth
    FROM told t JOIN wanted w USING (form)
), gaps AS (
    SELECT *, CASE WHEN birth - lag(birth) OVER (PARTITION BY called ORDER BY birth, form, day)
        > CASE WHEN months IS NOT NULL AND lag(months) OVER (PARTITION BY called ORDER BY birth, form, day) IS NOT NULL THEN {near} ELSE {gap} END THEN 1 ELSE 0 END AS is_gap FROM births
)
SELECT * EXCLUDE (is_gap), CASE WHEN birth IS NOT NULL THEN sum(is_gap) OVER (PARTITION BY called ORDER BY birth, form, day) END AS track
FROM gaps
"""
"""What the sheets say, statement by statement, parted where the ages can't be one child's."""

TRACK = """
CREATE OR REPLACE TABLE track AS
WITH counted AS (
    SELECT called, count(DISTINCT track) AS tracks, min(track) AS only, bool_or(months IS NOT NULL) AND bool_or(birth IS NULL) AS is_partly FROM said GROUP BY called
), one AS (
    -- without any age a statement means the only child of the name, if the sheet knows only one
    SELECT s.* REPLACE (CASE WHEN c.tracks <= 1 THEN coalesce(s.track, c.only, 0) ELSE s.track END AS track), false AS is_witness
    FROM said s JOIN counted c USING (called) WHERE NOT (c.is_partly AND s.birth IS NULL)
    -- months decide for the statements that tell them; what tells none is weighed beside their years alone
    UNION ALL SELECT s.* REPLACE (NULL AS months, -1 AS track), s.birth IS NOT NULL
    FROM said s JOIN counted c USING (called) WHERE c.is_partly AND c.tracks <= 1
), graded AS (
    -- a number of the sheet's own is one child's, whatever grades it tells
    SELECT o.*, CASE WHEN len(o.ahead) = 1 AND o.school IS NOT NULL AND w.own_number IS NULL THEN school_year(o.last) - o.ahead[1] END AS cohort
    FROM one o JOIN wanted w USING (form) WHERE o.track IS NOT NULL
), cohorts AS (
    SELECT called, track, count(DISTINCT cohort) > 1 AS is_several FROM graded GROUP BY called, track
), schools AS (
    SELECT called, track, cohort FROM graded WHERE cohort IS NOT NULL GROUP BY called, track, cohort, school_year(last)
    HAVING count(DISTINCT school) > 1 AND NOT starts_with(max(school), min(school))
), parted AS (
    SELECT g.* EXCLUDE (cohort), CASE WHEN c.is_several OR s.called IS NOT NULL THEN g.cohort END AS of_year, CASE WHEN s.called IS NOT NULL THEN g.school END AS of_school
    FROM graded g JOIN cohorts c USING (called, track) LEFT JOIN (SELECT DISTINCT * FROM schools) s ON s.called = g.called AND s.track = g.track AND s.cohort = g.cohort
)
SELECT dense_rank() OVER (ORDER BY called, track, of_year, of_school) AS unit, * EXCLUDE (track, of_year, of_school) FROM parted
"""
"""Children of one call name are parted by the year of school that grades tell, and by schools told in one year."""

REVIEWED = """
CREATE OR REPLACE TABLE reviewed AS
SELECT DISTINCT t.unit, v.person, v.is_same FROM verdict v JOIN track t USING (form)
"""
"""What people decided about one record holds for all that the sheet says of that child."""

CHILD_NAME = """
CREATE OR REPLACE TABLE child_name AS
WITH child AS (
    SELECT p.person, p.sex, try_cast(p.born_on AS DATE) AS born,
        cohort_of(try_cast(p.born_on AS DATE)) AS cohort
    FROM spine p WHERE try_cast(p.born_on AS DATE) >= (SELECT min(seen_from) - INTERVAL 20 YEAR FROM form)
)
SELECT c.*, n.* EXCLUDE (person) FROM child c JOIN (
    SELECT person, name, kana, sorted_kana, surname, surname_kana, given, given_kana FROM spine_name
    UNION SELECT DISTINCT l.person, f.name, f.kana, f.sorted_kana, f.surname, f.surname_kana, f.given, f.given_kana FROM link l JOIN form f USING (form)
    WHERE f.role = 'subject' AND f.born_on IS NOT NULL AND f.own_number IS NOT NULL
) n USING (person)
"""
"""Schools and clubs share their wrong characters: how a school writes a child counts beside the register."""

FOREIGN_NAME = """
CREATE OR REPLACE TABLE foreign_name AS
SELECT DISTINCT person, kana, letters_of(kana) AS letters FROM child_name WHERE regexp_matches(name, '^[A-Z]+$') AND length(kana) >= 4
"""

NAMES_CALLED = """
CREATE OR REPLACE MACRO starts_in_latin(kana, letter) AS letter IN (translate(left(kana, 1),
    'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワガギグゲゴザジズゼゾダデドバビブベボパピプペポ',
    'AIUEOKKKKKSSSSSTTTTTNNNNNHHHHHMMMMMYYYRRRRRWGGGGGZJZZZDDDBBBBBPPPPP'), translate(left(kana, 1), 'チフジ', 'CFZ'));
CREATE OR REPLACE MACRO is_otherwise(a, b) AS contradicts(a, b) AND NOT starts_with(b, a) AND NOT ends_with(b, a);
CREATE OR REPLACE TABLE name_called AS
SELECT DISTINCT letters_of(w.kana) AS letters, t.unit, w.name, w.surname, w.given, w.kana, w.given_kana, w.sorted_kana, w.sex FROM (SELECT DISTINCT unit, form FROM track) t JOIN wanted w USING (form);
CREATE OR REPLACE TABLE name_begun AS
SELECT unit, left(kana, cut) AS surname_kana, substr(kana, cut + 1) AS begun FROM (
    SELECT unit, kana, unnest(range(2, length(kana))) AS cut FROM name_called WHERE length(kana) BETWEEN 3 AND 9) WHERE length(begun) <= 3
"""
"""佐藤ゆ, さとうゆ and 佐藤Y are a surname and how the given name begins."""

ALIKE = """
CREATE OR REPLACE TABLE alike AS
WITH pair AS (
    SELECT w.unit, s.person, CASE WHEN is_otherwise(w.name, s.name) THEN 'homophone' ELSE 'whole' END AS likeness FROM name_called w JOIN child_name s ON w.kana = s.kana
    UNION SELECT w.unit, s.person, 'whole' FROM name_called w JOIN child_name s ON w.name = s.name
    UNION SELECT w.unit, s.person, 'whole' FROM name_called w JOIN child_name s ON w.name = s.given || s.surname
    UNION SELECT w.unit, s.person, CASE WHEN is_otherwise(w.name, s.name) THEN 'homophone' ELSE 'whole' END FROM name_called w JOIN child_name s ON w.sorted_kana = s.sorted_kana
    UNION SELECT w.unit, s.person, 'whole' FROM name_called w JOIN child_name s ON left(w.name, 1) = left(s.name, 1) AND length(w.name) = length(s.name)
        WHERE (contains(w.name, '〓') OR contains(s.name, '〓')) AND same_name(w.name, s.name)
    UNION SELECT w.unit, s.person, 'whole' FROM name_called w JOIN child_name s ON right(w.name, 1) = right(s.name, 1) AND length(w.name) = length(s.name)
        WHERE (contains(w.name, '〓') OR contains(s.name, '〓')) AND same_name(w.name, s.name)
    UNION SELECT w.unit, s.person, 'whole' FROM name_called w JOIN foreign_name s ON w.letters = s.letters WHERE turned_about(w.kana, s.kana)
    UNION SELECT w.unit, s.person, 'given' FROM name_called w JOIN child_name s ON w.kana = s.given_kana
    UNION SELECT w.unit, s.person, 'given' FROM name_called w JOIN child_name s ON w.name = s.given WHERE w.kana IS NULL OR w.kana = s.given_kana
    UNION SELECT w.unit, s.person, 'surname' FROM name_called w JOIN child_name s ON w.kana = s.surname_kana
    UNION SELECT w.unit, s.person, 'surname' FROM name_called w JOIN child_name s ON w.name = s.surname WHERE w.kana IS NULL
    UNION SELECT w.unit, s.person, 'whole' FROM name_called w JOIN child_name s ON w.surname = s.surname AND w.given_kana = s.given_kana WHERE NOT contradicts(w.given, s.given)
    UNION SELECT w.unit, s.person, 'initial' FROM name_called w JOIN child_name s ON w.surname = s.surname AND w.given_kana = left(s.given_kana, length(w.given_kana)) WHERE w.given_kana <> s.given_kana
    UNION SELECT w.unit, s.person, 'initial' FROM name_called w JOIN child_name s ON w.surname = s.surname AND w.given = left(s.given, length(w.given)) WHERE w.given <> s.given
    UNION SELECT w.unit, s.person, 'initial' FROM name_called w JOIN child_name s ON w.name = s.surname AND w.kana = left(s.given_kana, length(w.kana)) WHERE w.kana <> s.surname_kana
    UNION SELECT w.unit, s.person, 'initial' FROM name_begun w JOIN child_name s ON w.surname_kana = s.surname_kana AND w.begun = left(s.given_kana, length(w.begun)) WHERE w.begun <> s.given_kana
    UNION SELECT w.unit, s.person, 'initial' FROM name_called w JOIN child_name s ON w.surname = s.surname AND starts_in_latin(s.given_kana, w.given)
    UNION SELECT w.unit, s.person, 'beginning' FROM name_called w JOIN child_name s ON w.kana = left(s.given_kana, length(w.kana)) WHERE w.kana <> s.given_kana AND length(w.kana) BETWEEN 1 AND 4 AND NOT is_otherwise(w.name, s.name)
    UNION SELECT w.unit, s.person, 'beginning' FROM name_called w JOIN child_name s ON w.name = left(s.given, length(w.name)) WHERE w.name <> s.given AND length(w.name) BETWEEN 1 AND 2
    UNION SELECT w.unit, s.person, 'beginning' FROM name_called w JOIN child_name s ON left(w.kana, 1) || right(w.kana, 1) = left(s.given_kana, 2)
        WHERE length(w.kana) = 3 AND substr(w.kana, 2, 1) = 'ツ'
    UNION SELECT w.unit, s.person, 'beginning' FROM name_called w JOIN foreign_name s ON w.kana = right(s.kana, length(w.kana)) WHERE w.kana <> s.kana AND length(w.kana) BETWEEN 2 AND 4
    UNION SELECT w.unit, s.person, 'beginning' FROM name_called w JOIN foreign_name s ON left(w.kana, 4) = left(s.kana, 4) WHERE starts_with(s.kana, w.kana) AND w.kana <> s.kana
    UNION SELECT w.unit, s.person, 'renamed' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND s.given = w.given WHERE w.name <> s.name
    UNION SELECT w.unit, s.person, 'renamed' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND s.given_kana = w.given_kana
        WHERE w.name <> s.name AND NOT contradicts(w.given, s.given)
    UNION SELECT w.unit, s.person, 'one_off' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND left(w.name, 1) = left(s.name, 1)
        WHERE length(w.name) >= 3 AND one_off(w.name, s.name)
    UNION SELECT w.unit, s.person, 'one_off' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND right(w.name, 1) = right(s.name, 1)
        WHERE length(w.name) >= 3 AND one_off(w.name, s.name)
), best AS (
    SELECT unit, person, max({likeness: CASE likeness %s END, kind: likeness}) AS found FROM pair GROUP BY unit, person
)
SELECT b.unit, b.person, b.found.likeness AS likeness, b.found.kind AS kind FROM best b
WHERE NOT EXISTS (FROM name_called w JOIN child_name s ON s.person = b.person WHERE w.unit = b.unit AND w.sex IS NOT NULL AND s.sex IS NOT NULL AND w.sex <> s.sex)
"""
"""Pairs worth looking at, each found by an equality: any other condition would compare all with all."""

GRADED = """
CREATE OR REPLACE TABLE graded AS
SELECT DISTINCT t.unit, w.name, w.given, w.given_kana, unnest(list_transform(t.ahead, lambda years: school_year(t.last) - years)) AS cohort
FROM track t JOIN wanted w USING (form) WHERE t.ahead IS NOT NULL AND t.school IS NOT NULL AND length(w.name) >= 2
"""
"""A name one character off, or with another surname, counts only beside a school and a grade."""

FITTED = """
CREATE OR REPLACE TABLE fitted AS
WITH born AS (
    SELECT DISTINCT person, born, cohort FROM child_name
), taught AS (
    SELECT a.unit, a.person, t.school, bool_or(d.school = t.school OR starts_with(d.school, t.school) OR starts_with(t.school, d.school)) AS is_same
    FROM alike a JOIN (SELECT DISTINCT unit, school FROM track WHERE school IS NOT NULL) t USING (unit)
    -- where a child goes now says nothing of where it went before: only schools of one kind contradict each other
    JOIN schooled d ON d.person = a.person AND right(d.school, 1) = right(t.school, 1)
    GROUP BY a.unit, a.person, t.school
), lived AS (
    SELECT DISTINCT person, town FROM spine_place WHERE town IS NOT NULL
), towns AS (
    SELECT town, greatest(count(DISTINCT person) / (SELECT count(DISTINCT person) FROM spine_place), {rarest}) AS share FROM spine_place GROUP BY town
), torn AS (
    -- one child is told of in one way on one day, though not always all of it
    SELECT unit FROM track GROUP BY unit, day HAVING greatest(count(DISTINCT age), count(DISTINCT months), count(DISTINCT grade), count(DISTINCT school), count(DISTINCT town)) > 1
    -- nor goes to two schools in one grade; who changed schools in the middle of a year is asked about
    UNION SELECT unit FROM track WHERE school IS NOT NULL GROUP BY unit, school_year(last), grade
        HAVING count(DISTINCT school) > 1 AND NOT starts_with(max(school), min(school))
), missed AS (
    SELECT a.unit, a.person, t.rows, t.day,
        CASE WHEN b.born > t.last OR date_sub('year', b.born, t.last) >= 20 THEN 3 WHEN t.age IS NULL THEN 0
             -- the age on the first day told of, on the last, or between
             WHEN t.months IS NOT NULL THEN CASE greatest(date_sub('month', b.born, t.first) - t.months, t.months - date_sub('month', b.born, t.last), 0)
                 WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE 2 + (abs(date_sub('month', b.born, t.last) - t.months) > 11)::INTEGER END
             ELSE least(greatest(date_sub('year', b.born, t.first) - t.age, t.age - date_sub('year', b.born, t.last), 0), 3) END::INTEGER AS years_off, CASE WHEN t.ahead IS NULL OR list_contains(t.ahead, school_year(t.last) - b.cohort) THEN 0.0 ELSE {grade} END
        + CASE WHEN t.school IS NULL OR s.is_same THEN 0.0 WHEN s.is_same IS NULL THEN {unknown} ELSE {school} END
        + CASE WHEN t.town IS NULL OR h.person IS NOT NULL THEN 0.0 ELSE {town} END AS miss,
        CASE WHEN t.town IS NULL THEN 0.0 ELSE -log2(coalesce(o.share, {rarest})) END AS chosen, t.town IS NULL OR h.person IS NOT NULL AS is_there,
        t.age IS NOT NULL AS is_told, t.age IS NOT NULL OR t.ahead IS NOT NULL AS is_aged, t.age IS NOT NULL AND t.ahead IS NOT NULL AS is_graded, coalesce(s.is_same, false) AS is_taught, h.person IS NOT NULL AS is_at_home
    FROM alike a JOIN track t USING (unit) JOIN born b ON b.person = a.person
    LEFT JOIN taught s ON s.unit = a.unit AND s.person = a.person AND s.school = t.school
    LEFT JOIN lived h ON h.person = a.person AND h.town = t.town LEFT JOIN towns o ON o.town = t.town
)
SELECT unit, person, sum((miss + {ages}[1 + years_off]) * rows) / sum(rows) AS each,
    least(1, {most} / sum(rows)) AS counting, counting * sum(rows) FILTER (years_off > 0) AS off, counting * sum(rows) FILTER (is_told OR years_off > 0) AS told,
    coalesce(lgamma({errs}) + lgamma({holds} + told) - lgamma({errs} + off) - lgamma({holds} + told - off), 0) / ln(2) + coalesce(off, 0) AS missed_ages,
    missed_ages + counting * sum((miss + CASE WHEN years_off > 1 THEN {ages}[1 + years_off] - {ages}[2] ELSE 0 END) * rows) + coalesce(sum(chosen * rows) FILTER (NOT is_there), 0) / sum(rows) AS miss,
    least(sum(rows), {most}) * {usual} AS usual, sum(chosen * rows) / sum(rows) AS chosen, count(DISTINCT day) AS said, unit IN (FROM torn) AS is_torn,
    bool_or(is_aged) AS is_aged, bool_and(is_graded) AS is_graded, bool_or(is_taught) AS is_taught, bool_and(is_at_home) AS is_at_home
FROM missed GROUP BY unit, person
"""
"""How badly what the sheet says fits each child, in bits."""

WEIGHED = """
CREATE OR REPLACE TABLE called AS
WITH named AS (
    SELECT unit, kind, greatest(sum(likeness), {fewest}) AS bearers FROM alike GROUP BY unit, kind
), itself AS (
    SELECT unit FROM alike JOIN fitted USING (unit, person) WHERE kind = 'whole' AND each <= {worst}
), weighed AS (
    SELECT f.*, least(min(f.miss) OVER (PARTITION BY f.unit), f.usual) + f.chosen AS miss_elsewhere, a.kind, a.likeness * CASE WHEN a.kind = 'renamed' AND f.unit IN (SELECT unit FROM itself) THEN {coincidence} ELSE 1 END * pow(2, -f.miss + CASE WHEN EXISTS (FROM reviewed r WHERE r.unit = f.unit AND r.person = f.person AND r.is_same) THEN 20 ELSE 0 END) AS weight
    FROM fitted f JOIN alike a USING (unit, person)
    WHERE NOT EXISTS (FROM reviewed r WHERE r.unit = f.unit AND r.person = f.person AND NOT r.is_same)
)
SELECT w.unit, w.person, w.kind, w.each, w.said, w.is_torn, w.is_aged, w.is_graded, w.is_taught, w.is_at_home,
    w.weight / (sum(w.weight) OVER (PARTITION BY w.unit) + {elsewhere} * least(n.bearers, {many}) * CASE WHEN w.is_taught THEN {schooled} ELSE 1 END * pow(2, -w.miss_elsewhere)) AS probability
FROM weighed w JOIN named n USING (unit, kind)
"""

SURE_ONES = """
CREATE OR REPLACE TABLE sure AS
SELECT unit, person FROM called
WHERE (unit, person) IN (SELECT (unit, person) FROM reviewed WHERE is_same)
   OR probability >= {sure} AND (each <= {worst} OR kind = 'whole' AND is_aged AND is_taught AND each <= {town}) AND (is_aged OR is_taught)
  AND (kind = 'whole' OR kind IN ('one_off', 'homophone', 'renamed') AND is_taught
       OR NOT is_torn AND (kind = 'surname' OR each <= {half}) AND (is_taught OR is_at_home AND (kind IN ('given', 'surname') OR kind = 'beginning' AND is_aged AND each <= 0)
           OR kind = 'given' AND is_graded AND each <= 0 OR kind NOT IN ('one_off', 'homophone', 'renamed') AND said >= {fewest_said}))
"""
"""The child must also fit by itself: of many that don't, one always fits least badly. Whoever moved away since is known by
the whole name in the grade of a school. Half a name told once decides only beside the town, or the age and the grade;
the beginning of one only where it fits the single child of that age in the town. Two children of one call name on one
sheet are left to a person."""

EXPECTED_WRONG = """
SELECT coalesce(sum(t.rows * (1 - c.probability)), 0.0)
FROM track t JOIN link l ON l.form = t.form AND l.rule = 'AGE' JOIN called c ON c.unit = t.unit AND c.person = l.person WHERE NOT t.is_witness
"""
"""By their own probabilities, how many rows linked here belong to somebody else."""

DOUBTFUL = """
INSERT INTO doubt
WITH asked AS (
    SELECT unit, person, probability, count(*) OVER (PARTITION BY unit) AS possible FROM called
    ANTI JOIN sure USING (unit) WHERE probability >= {asking}
)
SELECT DISTINCT t.form, a.person, log2(a.probability / (1 - least(a.probability, 0.9999))), 'NAME_AND_AGE'
FROM asked a JOIN (SELECT unit, max(form) AS form FROM track ANTI JOIN link USING (form) WHERE NOT is_witness GROUP BY unit) t USING (unit) WHERE a.possible <= {most_asked}
"""


UNDECIDED = """
SELECT w.source, sum(t.rows)::BIGINT, coalesce(sum(t.rows) FILTER (t.age IS NULL), 0)::BIGINT, coalesce(sum(t.rows) FILTER (t.grade IS NULL), 0)::BIGINT,
    coalesce(sum(t.rows) FILTER (t.school IS NULL), 0)::BIGINT, coalesce(sum(t.rows) FILTER (t.town IS NULL), 0)::BIGINT
FROM track t JOIN wanted w USING (form) ANTI JOIN link l ON l.form = t.form SEMI JOIN called c ON c.unit = t.unit
ANTI JOIN (SELECT unit FROM track SEMI JOIN doubt USING (form)) a ON a.unit = t.unit
WHERE w.surname IS NULL AND NOT t.is_witness
GROUP BY w.source ORDER BY w.source
"""
"""Rows whose call name fits so many children that nobody could decide from the paper either, and which columns they leave empty."""


NOBODY_CALLED: dict[str, Any] = {"linked": 0, "doubtful": 0, "expected_wrong_rows": 0.0, "undecided": []}
"""What ``link_called`` returns where there are no such records."""


def is_anybody_called(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there are open records that know somebody by a name alone."""
    return bool(connection.execute(f"SELECT EXISTS (FROM {OPEN} WHERE {IS_CALLED})").fetchall()[0][0])


def link_called(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Link records by name and age or grade where hardly anybody else can be meant; adds the rest to ``doubt``.

    A record whose statements fall to two children of one name is left to a person.

    Returns:
        How many were linked and are asked about; by their own probabilities how many rows are wrong; and by source what
        fits too many children to be asked about, with how many of the rows leave age, grade, school and town empty.
    """
    words = {
        "errs": AGE_ERRS, "holds": AGE_HOLDS, "half": HALF_NAME_MISS, "gap": TRACK_GAP_DAYS, "near": MONTHS_GAP_DAYS, "ages": list(AGE_MISS), "grade": GRADE_MISS, "school": SCHOOL_MISS, "unknown": SCHOOL_UNKNOWN, "town": TOWN_MISS,
        "most": MOST_SAID, "elsewhere": FROM_ELSEWHERE, "sure": SURE, "worst": AGE_MISS[1], "asking": WORTH_ASKING, "most_asked": MOST_ASKED, "usual": USUAL_MISS, "fewest": FEWEST_ELSEWHERE, "many": MANY_ELSEWHERE, "fewest_said": FEWEST_SAID,
        "schooled": SCHOOL_ELSEWHERE, "span": TOLD_SPAN_DAYS, "rarest": RAREST_TOWN, "coincidence": COINCIDENCE, "month": LONGEST_MONTH_DAYS, "always": ALWAYS,
    }  # fmt: skip
    likeness = ALIKE % " ".join(f"WHEN '{kind}' THEN {weight}" for kind, weight in LIKENESS.items())
    for statement in (
        SCHOOLED,
        WANTED.format(**words),
        SAID.format(**words),
        TRACK,
        REVIEWED,
        CHILD_NAME,
        NAMES_CALLED,
        FOREIGN_NAME,
        GRADED,
        likeness,
    ):
        connection.execute(statement)
    for statement in (FITTED, WEIGHED, SURE_ONES):
        connection.execute(statement.format(**words))
    linked = connection.execute(
        """INSERT INTO link SELECT t.form, min(s.person), 'AGE', NULL FROM track t ANTI JOIN link l ON l.form = t.form LEFT JOIN sure s USING (unit)
           WHERE NOT t.is_witness GROUP BY t.form HAVING count(DISTINCT s.person) = 1 AND bool_and(s.person IS NOT NULL)"""
    ).fetchall()[0][0]
    wrong = connection.execute(EXPECTED_WRONG).fetchall()[0][0]
    asked = connection.execute(DOUBTFUL.format(**words)).fetchall()[0][0]
    names = ("source", "rows", "without_age", "without_grade", "without_school", "without_town")
    undecided = [dict(zip(names, row, strict=True)) for row in connection.execute(UNDECIDED).fetchall()]
    drop(
        connection,
        "wanted",
        "said",
        "track",
        "reviewed",
        "child_name",
        "foreign_name",
        "name_called",
        "graded",
        "alike",
        "fitted",
        "called",
        "sure",
    )
    return {
        "linked": int(linked),
        "doubtful": int(asked),
        "expected_wrong_rows": round(wrong, 3),
        "undecided": undecided,
    }

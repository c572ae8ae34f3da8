"""Records that know a child only by a name and an age or a grade: clubs and NPOs (identity side).

There is no birth date to lean on, but a sheet calls one child by one name month after month, and the
ages it tells pass birthdays as the child does. So nothing is decided row by row: all that a sheet
says under one name is weighed at once against every child it can mean, and against somebody from
elsewhere. One child is linked when hardly anybody else can be meant; otherwise a person decides.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from kodomo.linkage.foreign import FEWEST_WORDS, IS_FOREIGN, words_of
from kodomo.linkage.presence import AGE_MISS, MOST_SAID, Called, weigh
from kodomo.tables.engine import drop

MOST_ASKED = 5
"""With more possible children than this nobody can decide from the paper either; the record stays unlinked."""

SURE = 0.98
"""How probable one child must be to be linked without a person."""

SAID_SURE = 0.9
"""The same of a child whom a person named for another row of that name."""

WORTH_ASKING = 0.1

HALF_NAME_MISS, MOSTLY = 0.7, 2 / 3
"""So many bits per statement a given name may miss the child it decides for, or so many of at least ``FEWEST_SAID`` must fit it:
where ages are guessed, it may as well be the beginning of another's (ひな for ひなた)."""

GRADE_MISS, SCHOOL_MISS, SCHOOL_UNLISTED, SCHOOL_UNKNOWN = 10.0, 7.0, 5.0, 1.0
"""A school that has handed in its roll lists nearly all of its children, or leaves one out once and for all; of one that hasn't nobody's is known."""

AWAY_MISS = 7.0
"""Bits against a child who moved in only after what a sheet tells, or out before, as far as the
register and other offices tell: one of a hundred on a sheet is from elsewhere. Once and for all, for whoever comes from the next town does so month after month."""

REGISTERED_LATE_DAYS = 31
"""A move is registered within two weeks (住民基本台帳法22条), and for a child seldom later than a month."""

CLASS_MISS = 8.0
"""Bits against a child whom the school's list has in another class of the grade told."""

TOWN_MISS, TOWN_MISSED_MOST, RAREST_TOWN = 5.0, 9.0, 0.002
"""Bits against a child who never lived in the town told: one of thirty has moved, or stays with somebody, in any of the
other towns: in a town where a fiftieth of the people live, a fiftieth of them do. At most so many: a town written wrong leaves the child possible."""

ONE_SLIP_IN = 10
"""On one of so many days a sheet may contradict itself about one child; two children come together more often."""

FEWEST_SAID = 3
"""On so many days half a name (a given name, a surname) must have been told, where no school or town is told; on one less if all ages and grades fit."""

SEX_MISS = 6.0
"""Bits against a child of the other sex: one of sixty-odd is told wrongly."""

FAR = 3
"""Years of birth further than this from all that a sheet's ages and grades tell are nobody's it means."""

HOPELESS = 10.0
"""Whom every single statement misses by so many bits is not meant."""

LIKENESS = {
    "whole": 1.0,
    "given": 1.0,
    "surname": 1.0,
    "initial": 0.3,
    "heard": 0.3,
    "beginning": 0.15,
    "clipped": 0.15,
    "respelt": 0.1,
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
SELECT l.person, named_school(t.school) AS school, max(f.seen_to) AS seen FROM told t JOIN form f USING (form) JOIN link l USING (form)
WHERE f.born_on IS NOT NULL AND named_school(t.school) IS NOT NULL GROUP BY ALL
"""
"""Every school that is told of somebody, not only the first under one number: children pass on to the next."""

STAYED = """
CREATE OR REPLACE TABLE stayed AS
WITH act AS (
    SELECT s.person, begins_stay(r.event_kind) AS is_start, ends_stay(r.event_kind) AS is_end, r.*
    FROM register r JOIN spine_form s USING (form) SEMI JOIN child_name c ON c.person = s.person
), stay AS (
    SELECT person, min(CASE WHEN kind = 'residents' THEN coalesce(resident_from, CASE WHEN told_from IS NULL THEN DATE '1900-01-01' ELSE known_from END) WHEN is_start THEN event_on END) AS came,
        max(CASE WHEN kind = 'residents' AND resident_to IS NULL THEN known_from WHEN is_start OR takes_back(event_kind) THEN event_on END) AS seen, max(CASE WHEN kind = 'residents' THEN resident_to WHEN is_end THEN event_on END) AS gone
    FROM act GROUP BY person
), met AS (
    SELECT l.person, min(f.seen_from) AS first, max(f.seen_to) AS last FROM link l JOIN form f USING (form) SEMI JOIN child_name c ON c.person = l.person
    WHERE f.role = 'subject' AND f.kind = 'observations' GROUP BY l.person
)
SELECT coalesce(s.person, m.person) AS person, CASE WHEN s.person IS NULL THEN m.first ELSE least(s.came, m.first) END AS came,
    CASE WHEN s.person IS NULL THEN m.last WHEN seen IS NULL OR gone > seen THEN greatest(gone, m.last) END AS gone
FROM stay s FULL JOIN met m USING (person)
"""
"""From the first day to the last on which the register has somebody here, or another office met them; NULL where neither says.
Who was away in between counts as here."""

IS_CALLED = """f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NULL AND f.resident_number IS NULL
  AND (f.name IS NOT NULL OR f.kana IS NOT NULL)"""

FROM_ELSEWHERE = r"^([市区町村郡県都府道]外|他(市町?村?|町村?|村|区|県|都道府県))(から|在住|居住|の子)?(\(.*\))?$"
"""What a sheet writes in the place of a town of whoever comes from the next one: nobody the register has, whatever the name."""

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
SELECT f.form, f.source, f.system, f.own_number, f.name, f.surname, f.given, f.kana, f.given_kana, f.sorted_kana, f.sex, f.town, p.own IS NOT NULL AS is_passed_on,
    dense_rank() OVER (ORDER BY f.source, f.own_number, CASE WHEN f.own_number IS NULL AND c.source IS NOT NULL THEN named_school(f.school) END,
        CASE WHEN f.own_number IS NULL OR p.own IS NOT NULL THEN coalesce(f.kana, n.kana, f.name) END) AS called
FROM {OPEN}
LEFT JOIN reading n ON n.source = f.source AND n.name = f.name
LEFT JOIN schools_own c ON c.source = f.source LEFT JOIN own o ON o.form = f.form LEFT JOIN passed_on p ON p.own = o.own
ANTI JOIN of_class ON of_class.form = f.form
WHERE {IS_CALLED} AND regexp_matches(f.town, '{FROM_ELSEWHERE}') IS NOT TRUE
"""

DISTRICT = """
CREATE OR REPLACE TABLE district AS
SELECT w.town AS district, t.town FROM (SELECT DISTINCT town FROM wanted WHERE length(town) >= 2) w
JOIN (SELECT DISTINCT town FROM spine_place) t ON starts_with(t.town, w.town) OR starts_with(w.town, t.town);
UPDATE wanted SET town = NULL WHERE town NOT IN (SELECT district FROM district);
CREATE OR REPLACE TABLE district_share AS
SELECT d.district AS town, greatest(count(DISTINCT p.person) / (SELECT count(DISTINCT person) FROM spine_place), {rarest}) AS share
FROM spine_place p JOIN district d USING (town) GROUP BY d.district
"""
"""The towns of a district told: of 大字大植字日浦 people say 大植. A name that no town's begins with tells nothing."""

TOLD_ON = """
CREATE OR REPLACE TABLE told_on AS
-- a row knows its age and grade on the days it tells of; it may be known much later
SELECT m.mention, m.form, m.print, w.source, m.known_from AS day, least(coalesce(min(t.valid_from), m.known_from), m.known_from) AS first,
    coalesce(max(least(t.valid_from, t.known_from)), m.known_from) AS last, count(t.row) > 0 AS is_dated
FROM placed m JOIN wanted w USING (form)
LEFT JOIN facts t ON t.receipt = m.receipt AND t.row = m.row AND t.valid_from >= m.known_from - INTERVAL {span} DAY
GROUP BY m.mention, m.form, m.print, w.source, m.known_from
"""

BY_MONTHS = """
-- on a sheet with a column for each month the age was asked some day of the year
UPDATE told_on SET first = make_date(school_year(first), 4, 1), last = make_date(school_year(last) + 1, 3, 31)
WHERE source IN (SELECT source FROM told_on GROUP BY source HAVING max(last - first) > {month});
-- a sheet that tells of months alone says it on some day of the month; a row that is there twice says nothing of its own the second time
UPDATE told_on SET first = CASE WHEN is_dated THEN first ELSE first - INTERVAL {month} DAY END, last = last_day(last)
WHERE source IN (SELECT source FROM told_on WHERE is_dated GROUP BY source HAVING bool_and(day(first) = 1 AND first = last AND first < day) AND count(DISTINCT first) > 1)
"""

LETTERED = """
CREATE OR REPLACE TABLE lettered AS
SELECT source FROM told_on JOIN (SELECT print, grade FROM printed WHERE grade IS NOT NULL) USING (print) GROUP BY source
HAVING count(*) FILTER (regexp_matches(grade, '[小中高]')) >= {mostly} * count(*)
"""
"""Sources that write to which school a grade belongs."""

SAID = """
CREATE OR REPLACE TABLE said AS
WITH told AS (
    SELECT w.called, w.form, w.source, w.own_number IS NOT NULL AND NOT w.is_passed_on AS is_one, w.sex, try_cast(regexp_extract(p.age, '\\d+') AS INTEGER) AS age,
        -- of a baby the months are told as well: 1歳7か月
        12 * try_cast(regexp_extract(p.age, '^(\\d+)歳\\d', 1) AS INTEGER) + try_cast(regexp_extract(p.age, '歳(\\d+)か月', 1) AS INTEGER) AS months, p.grade,
        -- of children not yet at school a sheet of 小4 and 中2 gives the age alone
        years_ahead(p.grade, plain_school(p.school)) || CASE WHEN w.source IN (SELECT source FROM lettered) AND regexp_matches(plain_grade(p.grade), '^[2-6]$') THEN [grade_in(p.grade), grade_in(p.grade) + 1] ELSE [] END AS ahead, named_school(p.school) AS school, w.town,
        class_of(p.class_name, p.grade) AS class, class_in(p.grade) AS step,
        CASE WHEN regexp_matches(p.name, '(くん|クン|君)\\s*([(（].*)?$') THEN 'M' WHEN regexp_matches(p.name, '(ちゃん|チャン)\\s*([(（].*)?$') THEN 'F' END AS manner,
        d.day, d.first, d.last, count(*) AS rows
    FROM told_on d JOIN wanted w USING (form) JOIN printed p USING (print) GROUP BY ALL
)
SELECT row_number() OVER (ORDER BY called, form, day, first, last, age, months, grade, school, class, manner) AS statement, * FROM told
"""
"""What the sheets say, statement by statement. ``is_one``: a number of the sheet's own is one child's. ``manner``: くん is said of boys."""

REVIEWED = """
CREATE OR REPLACE TABLE reviewed AS
SELECT DISTINCT w.called, v.person, v.is_same FROM verdict v JOIN wanted w USING (form)
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
    WHERE f.role = 'subject' AND f.born_on IS NOT NULL AND (f.own_number IS NOT NULL OR f.given_kana IS NOT NULL AND l.person NOT IN (SELECT person FROM spine_name WHERE given_kana IS NOT NULL))
) n USING (person)
"""
"""Schools and clubs share their wrong characters: how a school writes a child counts beside the register. So does how another
office reads a name that the register doesn't read."""

FOREIGN_NAME = """
CREATE OR REPLACE TABLE foreign_name AS
SELECT DISTINCT person, kana, letters_of(kana) AS letters FROM child_name WHERE regexp_matches(name, '^[A-Z]+$') AND length(kana) >= 4
"""

SHORTEST_HEARD = 3
"""Of fewer kana too many words sound alike to another ear."""

WORDS_CALLED = f"""
CREATE OR REPLACE TABLE words_called AS
WITH named AS (
    SELECT DISTINCT w.called, f.name, f.surname, f.given, f.kana, f.surname_kana, f.given_kana, f.name_words, f.kana_words FROM wanted w JOIN form f USING (form)
), child AS (
    SELECT n.* FROM spine_name n SEMI JOIN child_name c ON c.person = n.person WHERE n.person IN (SELECT person FROM spine_name WHERE {IS_FOREIGN})
), told AS (
    SELECT *, respelt(word) AS heard FROM ({words_of("named", "called")})
), borne AS (
    SELECT *, respelt(word) AS heard FROM ({words_of("child", "person")})
), met AS (
    SELECT t.called, t.said, t.total, t.nth, b.person, b.said AS name, b.nth AS place, t.word = b.word AS is_same
    FROM told t JOIN borne b ON b.heard = t.heard AND (b.word = t.word OR length(t.heard) >= {SHORTEST_HEARD})
)
SELECT called, person, CASE WHEN count(DISTINCT nth) >= {FEWEST_WORDS} THEN 'whole' WHEN bool_and(is_same) THEN 'given' ELSE 'heard' END AS likeness
FROM met GROUP BY called, said, total, person, name
-- all that is written; of a single word not the first, which is a surname
HAVING count(DISTINCT nth) = total AND count(DISTINCT place) >= total AND (total >= {FEWEST_WORDS} OR min(place) > 1)
"""
"""Words of a foreign child's name in any order, with some left out, or as another ear heard them (マテュース for ﾏﾃｳｽ)."""

NAMES_CALLED = """
CREATE OR REPLACE MACRO is_otherwise(a, b) AS contradicts(a, b) AND NOT starts_with(b, a) AND NOT ends_with(b, a);
CREATE OR REPLACE TABLE name_called AS
SELECT DISTINCT letters_of(kana) AS letters, called, name, coalesce(surname, nullif(regexp_extract(name, '^([A-Z]{2,})[ぁ-ヺー]{1,3}$', 1), '')) AS surname, given, kana,
    coalesce(given_kana, nullif(translate(regexp_extract(name, '^[A-Z]{2,}([ぁ-ヺー]{1,3})$', 1), 'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖ', 'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶ'), '')) AS given_kana, sorted_kana FROM wanted;
CREATE OR REPLACE TABLE name_begun AS
SELECT called, left(kana, cut) AS surname_kana, substr(kana, cut + 1) AS begun FROM (
    SELECT called, kana, unnest(range(2, length(kana))) AS cut FROM name_called WHERE length(kana) BETWEEN 3 AND 9) WHERE length(begun) <= 3
"""
"""佐藤ゆ, さとうゆ, PHAMき and 佐藤Y are a surname and how the given name begins."""

ALIKE = """
CREATE OR REPLACE TABLE alike AS
WITH pair AS (
    SELECT w.called, s.person, CASE WHEN is_otherwise(w.name, s.name) THEN 'homophone' ELSE 'whole' END AS likeness FROM name_called w JOIN child_name s ON w.kana = s.kana
    UNION SELECT w.called, s.person, 'whole' FROM name_called w JOIN child_name s ON w.name = s.name
    UNION SELECT w.called, s.person, 'whole' FROM name_called w JOIN child_name s ON w.name = s.given || s.surname
    UNION SELECT w.called, s.person, CASE WHEN is_otherwise(w.name, s.name) THEN 'homophone' ELSE 'whole' END FROM name_called w JOIN child_name s ON w.sorted_kana = s.sorted_kana
    UNION SELECT w.called, s.person, 'whole' FROM name_called w JOIN child_name s ON left(w.name, 1) = left(s.name, 1) AND length(w.name) = length(s.name)
        WHERE (contains(w.name, '〓') OR contains(s.name, '〓')) AND same_name(w.name, s.name)
    UNION SELECT w.called, s.person, 'whole' FROM name_called w JOIN child_name s ON right(w.name, 1) = right(s.name, 1) AND length(w.name) = length(s.name)
        WHERE (contains(w.name, '〓') OR contains(s.name, '〓')) AND same_name(w.name, s.name)
    UNION SELECT w.called, s.person, 'whole' FROM name_called w JOIN foreign_name s ON w.letters = s.letters WHERE turned_about(w.kana, s.kana)
    UNION SELECT w.called, s.person, 'given' FROM name_called w JOIN child_name s ON w.kana = s.given_kana
    UNION SELECT w.called, s.person, 'given' FROM name_called w JOIN child_name s ON w.name = s.given WHERE w.kana IS NULL OR w.kana = s.given_kana
    UNION SELECT w.called, s.person, 'surname' FROM name_called w JOIN child_name s ON w.kana = s.surname_kana
    UNION SELECT w.called, s.person, 'surname' FROM name_called w JOIN child_name s ON w.name = s.surname WHERE w.kana IS NULL
    UNION SELECT w.called, s.person, 'whole' FROM name_called w JOIN child_name s ON w.surname = s.surname AND w.given_kana = s.given_kana WHERE NOT contradicts(w.given, s.given)
    UNION SELECT w.called, s.person, 'initial' FROM name_called w JOIN child_name s ON w.surname = s.surname AND w.given_kana = left(s.given_kana, length(w.given_kana)) WHERE w.given_kana <> s.given_kana
    UNION SELECT w.called, s.person, 'initial' FROM name_called w JOIN child_name s ON right(w.surname, 1) = right(s.surname, 1) AND length(w.surname) = length(s.surname) AND w.given_kana = left(s.given_kana, length(w.given_kana))
        WHERE (contains(w.surname, '〓') OR contains(s.surname, '〓')) AND same_name(w.surname, s.surname)
    UNION SELECT w.called, s.person, 'initial' FROM name_called w JOIN child_name s ON w.surname = s.surname AND w.given = left(s.given, length(w.given)) WHERE w.given <> s.given
    UNION SELECT w.called, s.person, 'initial' FROM name_called w JOIN child_name s ON w.name = s.surname AND w.kana = left(s.given_kana, length(w.kana)) WHERE w.kana <> s.surname_kana
    UNION SELECT w.called, s.person, 'initial' FROM name_begun w JOIN child_name s ON w.surname_kana = s.surname_kana AND w.begun = left(s.given_kana, length(w.begun)) WHERE w.begun <> s.given_kana
    UNION SELECT w.called, s.person, 'initial' FROM name_called w JOIN child_name s ON w.surname = s.surname AND length(w.given) = 1 AND starts_in_latin(s.given_kana, w.given)
    UNION SELECT w.called, s.person, 'beginning' FROM name_called w JOIN (SELECT *, unnest(range(2, least(length(given_kana), 5))) AS cut FROM child_name) s ON w.kana = left(s.given_kana, s.cut) WHERE NOT is_otherwise(w.name, s.name)
    UNION SELECT w.called, s.person, 'beginning' FROM name_called w JOIN (SELECT *, unnest(range(1, least(length(given), 3))) AS cut FROM child_name) s ON w.name = left(s.given, s.cut)
    UNION SELECT w.called, s.person, 'beginning' FROM name_called w JOIN child_name s ON left(w.kana, 1) || right(w.kana, 1) = left(s.given_kana, 2)
        WHERE length(w.kana) = 3 AND substr(w.kana, 2, 1) = 'ツ'
    UNION SELECT w.called, s.person, 'clipped' FROM name_called w JOIN child_name s ON left(w.kana, 1) = left(s.given_kana, 1)
        WHERE length(w.kana) = 2 AND ends_with(w.kana, 'ツ')
    UNION SELECT w.called, s.person, 'beginning' FROM name_called w JOIN (SELECT *, unnest(range(2, least(length(kana), 5))) AS cut FROM foreign_name) s ON w.kana = right(s.kana, s.cut)
    UNION SELECT w.called, s.person, 'beginning' FROM name_called w JOIN foreign_name s ON left(w.kana, 4) = left(s.kana, 4) WHERE starts_with(s.kana, w.kana) AND w.kana <> s.kana
    UNION SELECT called, person, likeness FROM words_called
    UNION SELECT w.called, s.person, 'renamed' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND s.given = w.given WHERE w.name <> s.name
    UNION SELECT w.called, s.person, 'renamed' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND s.given_kana = w.given_kana
        WHERE w.name <> s.name AND NOT contradicts(w.given, s.given)
    UNION SELECT w.called, s.person, 'respelt' FROM graded w JOIN (SELECT DISTINCT given, given_kana FROM child_name WHERE given_kana IS NOT NULL) r ON r.given = w.given
        JOIN child_name s ON s.cohort = w.cohort AND s.given_kana = r.given_kana WHERE w.given_kana IS NULL AND starts_with(w.name, s.surname) AND s.given <> w.given
    UNION SELECT w.called, s.person, 'one_off' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND left(w.name, 1) = left(s.name, 1)
        WHERE length(w.name) >= 3 AND one_off(w.name, s.name) AND coalesce(length(w.given_kana), 2) > 1
    UNION SELECT w.called, s.person, 'one_off' FROM graded w JOIN child_name s ON s.cohort = w.cohort AND right(w.name, 1) = right(s.name, 1)
        WHERE length(w.name) >= 3 AND one_off(w.name, s.name) AND coalesce(length(w.given_kana), 2) > 1
), best AS (
    SELECT called, person, max({likeness: CASE likeness %s END, kind: likeness}) AS found FROM pair GROUP BY called, person
)
SELECT b.called, b.person, b.found.likeness AS likeness, b.found.kind AS kind FROM best b
"""
"""Pairs worth looking at, each found by an equality of what stands on one side alone: any other would compare all with all. 佐藤か is no slip of 佐藤凛.
A single kana may begin any of hundreds of names: its candidates were a quarter of all pairs of a city, and decided nothing. 橘 瀬名 is sooner 橘 星那, written otherwise as it is read, than 鈴木 瀬名 under another surname."""

GRADED = """
CREATE OR REPLACE TABLE graded AS
SELECT DISTINCT t.called, w.name, w.given, w.given_kana, unnest(list_transform(t.ahead, lambda years: school_year(t.last) - years)) AS cohort
FROM said t JOIN wanted w USING (form) WHERE t.ahead IS NOT NULL AND t.school IS NOT NULL AND length(w.name) >= 2
"""
"""A name one character off, or with another surname, counts only beside a school and a grade."""

FITTED = """
WITH likely AS (
    FROM alike WHERE called % {slices} = {slice}
), told AS (
    FROM said WHERE called % {slices} = {slice}
), born AS (
    SELECT DISTINCT person, born, cohort, sex FROM child_name
), taught AS (
    SELECT a.called, a.person, t.school, bool_or(d.school = t.school OR starts_with(d.school, t.school) OR starts_with(t.school, d.school)) AS is_same
    FROM likely a JOIN (SELECT DISTINCT called, school FROM told WHERE school IS NOT NULL) t USING (called)
    -- where a child goes now says nothing of where it went before: only schools of one kind contradict each other
    JOIN schooled d ON d.person = a.person AND right(d.school, 1) = right(t.school, 1)
    GROUP BY a.called, a.person, t.school
), seated AS (
    -- whoever the list has in another class of that grade is not the one of this
    SELECT t.statement, c.person FROM told t JOIN class_list c ON c.school = t.school AND c.step = t.step
    WHERE t.class IS NOT NULL GROUP BY t.statement, c.person HAVING bool_and(c.class <> t.class)
), schools_told AS (
    SELECT called, school, count(*) AS statements FROM told GROUP BY called, school
), all_told AS (
    SELECT called, count(*) AS statements FROM told GROUP BY called
), age_told AS (
    -- whoever is born years off from all that is told of ages is not looked at
    SELECT called, list_distinct(list(CASE WHEN age IS NOT NULL THEN year(last) - age END)) || list_distinct(flatten(list(list_transform(ahead, lambda years: school_year(last) - years)))) AS years
    FROM told WHERE age IS NOT NULL OR ahead IS NOT NULL GROUP BY called
), meant AS (
    SELECT a.called, a.person, b.born, b.cohort, b.sex FROM likely a JOIN born b USING (person) LEFT JOIN age_told t USING (called)
    WHERE t.called IS NULL OR len(list_filter(t.years, lambda y: abs(y - year(b.born)) <= {far})) > 0
), lived AS (
    -- where a child lived before, an allowance's list or a school's may still tell when the register doesn't
    SELECT DISTINCT p.person, d.district AS town FROM (
        FROM (SELECT person, town FROM spine_place) UNION SELECT l.person, f.town FROM link l JOIN form f USING (form) SEMI JOIN meant m ON m.person = l.person WHERE f.role = 'subject'
    ) p JOIN district d USING (town)
)
SELECT t.called, t.statement, b.person,
    CASE WHEN b.born > t.last OR date_sub('year', b.born, t.last) >= 20 THEN 3 WHEN t.age IS NULL THEN 0
         -- the age on the first day told of, on the last, or between
         WHEN t.months IS NOT NULL THEN CASE greatest(date_sub('month', b.born, t.first) - t.months, t.months - date_sub('month', b.born, t.last), 0)
             WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE 2 + (abs(date_sub('month', b.born, t.last) - t.months) > 11)::INTEGER END
         ELSE least(greatest(date_sub('year', b.born, t.first) - t.age, t.age - date_sub('year', b.born, t.last), 0), 3) END::TINYINT AS years_off,
    (CASE WHEN t.ahead IS NULL OR list_contains(t.ahead, school_year(t.last) - b.cohort) THEN 0.0 ELSE {grade} END
        + greatest(CASE WHEN t.school IS NULL OR s.is_same THEN 0.0 WHEN s.is_same IS NOT NULL THEN {school}
               -- a roll says nothing of who came after it was handed in
               WHEN r.school IS NULL OR y.came > r.seen THEN {unknown} ELSE {unlisted} / least(n.statements, {most}) END,
            CASE WHEN y.came > t.last + INTERVAL {late} DAY OR y.gone < t.first - INTERVAL {late} DAY THEN {away} / least(a.statements, {most}) ELSE 0.0 END)
        + CASE WHEN g.person IS NULL THEN 0.0 ELSE {class_} END
        + CASE WHEN t.town IS NULL OR h.person IS NOT NULL THEN 0.0 ELSE least({town} - log2(coalesce(o.share, {rarest})), {town_most}) END
        + CASE WHEN t.sex <> b.sex THEN {sex} ELSE 0.0 END)::FLOAT AS miss,
    coalesce(s.is_same, false) AS is_taught, h.person IS NOT NULL AS is_at_home, coalesce(t.manner <> b.sex, false) AS is_ill_mannered,
    date_sub('year', b.born, t.last)::SMALLINT AS years
FROM told t JOIN meant b USING (called) JOIN all_told a USING (called)
LEFT JOIN stayed y ON y.person = b.person
LEFT JOIN taught s ON s.called = a.called AND s.person = b.person AND s.school = t.school
LEFT JOIN (SELECT school, max(seen) AS seen FROM schooled GROUP BY school) r ON r.school = t.school
LEFT JOIN lived h ON h.person = b.person AND h.town = t.town
LEFT JOIN district_share o ON o.town = t.town
LEFT JOIN seated g ON g.statement = t.statement AND g.person = b.person
LEFT JOIN schools_told n ON n.called = t.called AND n.school = t.school
QUALIFY min(miss + {ages}[1 + years_off]) OVER (PARTITION BY t.called, b.person) <= {hopeless}
"""
"""How badly each statement fits each child, in bits but for the ages; who fits none of them is left out. Slice by slice of the
names, for every statement of a name meets every child it can mean."""
PAIRS_AT_ONCE = 500_000
PAIRS = """
SELECT coalesce(sum(s.statements * a.persons), 0)::BIGINT FROM (SELECT called, count(*) AS statements FROM said GROUP BY called) s
JOIN (SELECT called, count(*) AS persons FROM alike GROUP BY called) a USING (called)
"""

SIBLINGS = """
SELECT DISTINCT h.person, h.other FROM family h
SEMI JOIN (SELECT person FROM fitted) f ON f.person = h.person SEMI JOIN (SELECT person FROM fitted) o ON o.person = h.other WHERE h.person <> h.other
"""

UNDECIDED = """
SELECT t.source, sum(t.rows)::BIGINT, coalesce(sum(t.rows) FILTER (t.age IS NULL), 0)::BIGINT, coalesce(sum(t.rows) FILTER (t.grade IS NULL), 0)::BIGINT,
    coalesce(sum(t.rows) FILTER (t.school IS NULL), 0)::BIGINT, coalesce(sum(t.rows) FILTER (t.town IS NULL), 0)::BIGINT
FROM said t ANTI JOIN link l ON l.form = t.form
SEMI JOIN (SELECT called FROM fitted UNION SELECT called FROM wanted WHERE length(kana) = 1) c ON c.called = t.called
ANTI JOIN (SELECT called FROM wanted SEMI JOIN doubt USING (form)) a ON a.called = t.called
GROUP BY t.source ORDER BY t.source
"""
"""Rows whose call name fits so many children that nobody could decide from the paper either, and which columns they leave empty."""

NOBODY_CALLED: dict[str, Any] = {"linked": 0, "doubtful": 0, "expected_wrong_rows": 0.0, "undecided": []}
"""What ``link_called`` returns where there are no such records."""


def is_anybody_called(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there are open records that know somebody by a name alone."""
    return bool(connection.execute(f"SELECT EXISTS (FROM {OPEN} WHERE {IS_CALLED})").fetchall()[0][0])


STATEMENTS = """
SELECT s.statement, s.called, s.form, s.source, s.is_one, s.manner, s.rows::DOUBLE AS rows, s.day, s.age IS NOT NULL AS is_told,
    s.age IS NOT NULL OR s.ahead IS NOT NULL AS is_aged, s.age IS NOT NULL AND s.ahead IS NOT NULL AS is_graded, s.town IS NOT NULL AS is_placed,
    hash(s.age, s.months, s.grade) AS said_of_age, s.age, s.months, s.grade, s.school, s.town, school_year(s.last) AS year,
    CASE WHEN s.town IS NULL THEN 0.0 ELSE -log2(coalesce(o.share, {rarest})) END AS chosen,
    CASE WHEN s.age IS NOT NULL THEN s.last - to_days(((s.age + 1) * 365.25)::INTEGER) WHEN len(s.ahead) = 1 THEN make_date(school_year(s.last) - s.ahead[1], 4, 2) END::DATE AS born_after,
    CASE WHEN s.age IS NOT NULL THEN s.first - to_days((s.age * 365.25)::INTEGER) WHEN len(s.ahead) = 1 THEN make_date(school_year(s.last) - s.ahead[1] + 1, 4, 1) END::DATE AS born_before
FROM said s SEMI JOIN fitted USING (called) LEFT JOIN district_share o ON o.town = s.town ORDER BY s.called, s.statement
"""
WHOM = """
SELECT called, person, likeness, kind FROM alike SEMI JOIN fitted USING (called, person) ORDER BY called, person
"""

CAME = """
SELECT f.source, l.person, min(date_sub('year', try_cast(p.born_on AS DATE), f.seen_from)) FROM link l JOIN form f USING (form) JOIN spine p USING (person)
SEMI JOIN (SELECT DISTINCT source FROM said) s ON s.source = f.source
WHERE f.role = 'subject' AND p.born_on IS NOT NULL GROUP BY f.source, l.person ORDER BY ALL
"""


def read_called(connection: duckdb.DuckDBPyConnection) -> tuple[list[Called], dict[str, Any]]:
    """What the sheets say, name by name, with the children each can mean; and the statements' own columns, in the same order."""
    said = connection.execute(STATEMENTS.format(rarest=RAREST_TOWN)).fetchnumpy()
    whom = connection.execute(WHOM).fetchnumpy()
    fit = connection.execute("SELECT * FROM fitted ORDER BY called, statement, person").fetchnumpy()
    bearers = dict(connection.execute("SELECT called, sum(likeness) FROM alike GROUP BY called").fetchall())
    favoured: dict[int, set[int]] = defaultdict(set)
    refused: dict[int, set[int]] = defaultdict(set)
    for called, person, is_same in connection.execute("FROM reviewed").fetchall():
        (favoured if is_same else refused)[called].add(person)
    groups = []
    each = zip(_parts(said["called"]), _parts(whom["called"]), _parts(fit["called"]), strict=True)
    for rows, people, pairs in each:
        called = int(said["called"][rows.start])
        shape = (rows.stop - rows.start, people.stop - people.start)
        stays = ~np.isin(whom["person"][people], list(refused[called]))
        if not stays.any():
            continue

        def told(name: str, shape: tuple[int, int] = shape, pairs: slice = pairs, stays: Any = stays) -> Any:
            return np.ma.getdata(fit[name][pairs]).reshape(shape)[:, stays]

        weights = said["rows"][rows]
        groups.append(Called(
            called=called, source=str(said["source"][rows.start]), is_one=bool(said["is_one"][rows.start]),
            statements=np.arange(rows.start, rows.stop), rows=weights, is_told=said["is_told"][rows], is_aged=said["is_aged"][rows],
            manner=np.ma.filled(said["manner"][rows], None), persons=whom["person"][people][stays], likeness=_likeness(whom, people, told, stays),
            kinds=whom["kind"][people][stays].tolist(), bearers=float(bearers[called]), born_after=_days(said["born_after"][rows]), born_before=_days(said["born_before"][rows]), miss=told("miss").astype(float),
            years_off=told("years_off").astype(int), is_taught=told("is_taught"), is_at_home=told("is_at_home"), is_ill_mannered=told("is_ill_mannered"),
            years=told("years").astype(float), days=said["day"][rows], schools=_named(said["year"][rows], said["school"][rows]), towns=_named(np.zeros(len(weights)), said["town"][rows]), chosen=float((said["chosen"][rows] * weights).sum() / weights.sum()), favoured=favoured[called],
        ))  # fmt: skip
    return groups, said


def _parts(called: Any) -> Iterable[slice]:
    """Where each name's rows lie, all rows of a name standing together."""
    cuts = np.flatnonzero(np.diff(called)) + 1
    return [slice(int(a), int(b)) for a, b in zip([0, *cuts], [*cuts, len(called)], strict=True) if b > a]


def _likeness(whom: Any, people: slice, told: Any, stays: Any) -> Any:
    """How readily the name is used for each; by another surname, or in other characters, nobody is called where a child of just this name fits as well."""
    likeness, kinds = whom["likeness"][people][stays].astype(float), whom["kind"][people][stays]
    each = (told("miss") + np.array(AGE_MISS)[told("years_off").astype(int)]).mean(axis=0)
    if (each[kinds == "whole"] <= AGE_MISS[1]).any():
        likeness[np.isin(kinds, ["renamed", "respelt"])] *= COINCIDENCE
    return likeness


def _named(when: Any, names: Any) -> list[tuple[str, str] | None]:
    return [
        None if gone else (str(at), str(name))
        for at, name, gone in zip(when, np.ma.getdata(names), np.ma.getmaskarray(names), strict=True)
    ]


def _days(column: Any) -> Any:
    """Days as numbers; nan where there is none."""
    days = np.ma.getdata(column).astype("datetime64[D]").astype(float)
    return np.where(np.ma.getmaskarray(column), np.nan, days)


@dataclass(frozen=True)
class Decision:
    """Of one statement: whom it means, if that is sure, and else who may be meant."""

    form: int
    called: int
    rows: float
    person: int | None
    probability: float
    possible: tuple[tuple[int, float], ...]


def decide(group: Called, said: Any) -> list[Decision]:
    """Decide statement by statement.

    The child must also fit by itself: of many that don't, one always fits least badly. Whoever moved away since is known by
    the whole name in the grade of a school. A given name told once decides where all that is told fits, a surname or the
    beginning of a name only beside the school or the town. Two children of one call name on one
    day's sheet are left to a person.
    """
    best = group.probability.argmax(axis=1)
    chance = group.probability[np.arange(len(best)), best]
    sure = chance >= np.where(np.isin(group.persons[best], list(group.favoured)), SAID_SURE, SURE)
    for at in np.unique(best[sure]).tolist():
        if int(group.persons[at]) not in group.favoured and not _is_fit(group, said, at, sure & (best == at)):
            sure &= best != at
    decisions = []
    for row, statement in enumerate(group.statements.tolist()):
        likely = [
            k
            for k in np.argsort(-group.probability[row], kind="stable")[: MOST_ASKED + 1].tolist()
            if group.probability[row, k] >= WORTH_ASKING
        ]
        decisions.append(Decision(
            form=int(said["form"][statement]), called=group.called, rows=float(group.rows[row]), person=int(group.persons[best[row]]) if sure[row] else None,
            probability=float(chance[row]), possible=tuple((int(group.persons[k]), float(group.probability[row, k])) for k in likely),
        ))  # fmt: skip
    return decisions


def _is_fit(group: Called, said: Any, at: int, mine: Any) -> bool:
    """Whether what is said of one child fits it well enough for its kind of name."""
    kind, rows, here = group.kinds[at], group.rows[mine], group.statements[mine]
    is_aged, is_taught = bool(group.is_aged[mine].any()), bool(group.is_taught[mine, at].any())
    placed = said["is_placed"][here]
    is_at_home = bool(placed.any() and group.is_at_home[mine, at][placed].all())
    is_torn, missed = _is_torn(said, here), group.miss[mine, at] + np.array(AGE_MISS)[group.years_off[mine, at]]
    if is_taught and not is_torn:
        # whoever goes to the one school told went on to the other
        missed = missed - SCHOOL_MISS * (
            ~np.ma.getmaskarray(said["school"])[here] & ~group.is_taught[mine, at] & (missed >= SCHOOL_MISS)
        )
    each = float((missed * rows).sum() / rows.sum())
    if not (
        (each <= AGE_MISS[1] or (kind == "whole" and is_aged and is_taught and each <= TOWN_MISS))
        and (is_aged or is_taught)
    ):
        return False
    if kind == "whole":
        return True
    if kind in ("one_off", "homophone", "respelt", "renamed"):
        return is_taught
    fitting = float(rows[missed <= 0].sum())
    is_mostly = fitting >= max(FEWEST_SAID, MOSTLY * rows.sum())
    if is_torn or not (kind == "surname" or each <= HALF_NAME_MISS or is_mostly):
        return False
    days = len(np.unique(said["day"][here]))
    return (
        is_taught
        or (is_at_home and (kind in ("given", "heard", "surname", "initial") or (is_aged and each <= 0)))
        or days >= FEWEST_SAID
        or (each <= 0 and (kind in ("given", "heard", "initial") or (days >= 2 and kind == "surname")))
    )  # fmt: skip


def _is_torn(said: Any, here: Any) -> bool:
    """Whether one day's statements contradict each other, more than a slip on many days does, or one year's name two schools in one grade by turns."""
    days: dict[Any, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
    schools: dict[Any, set[tuple[Any, str]]] = defaultdict(set)
    for at in here.tolist():
        for name in ("age", "months", "grade", "school", "town"):
            if said[name][at] is not np.ma.masked:
                days[said["day"][at]][name].add(said[name][at])
        if said["school"][at] is not np.ma.masked:
            schools[said["year"][at], str(said["grade"][at])].add((said["day"][at], str(said["school"][at])))
    torn = sum(any(len(values) > 1 for values in told.values()) for told in days.values())
    return torn > len(days) // ONE_SLIP_IN or any(_is_by_turns(sorted(told)) for told in schools.values())


def _is_by_turns(told: list[tuple[Any, str]]) -> bool:
    """Whether a year's schools, day by day, are more than one change of school."""
    changes = [day == before or None for (before, old), (day, new) in pairwise(told) if not max(old, new).startswith(min(old, new))]  # fmt: skip
    return len(changes) > 1 or True in changes


def weigh_called(connection: duckdb.DuckDBPyConnection, groups: list[Called]) -> None:
    """Weigh all names of each sheet together with whom other rules found on it, and with their families."""
    came: dict[str, dict[int, float]] = defaultdict(dict)
    for source, person, age in connection.execute(CAME).fetchall():
        came[source][person] = age
    siblings: dict[int, set[int]] = defaultdict(set)
    for person, other in connection.execute(SIBLINGS).fetchall():
        siblings[person].add(other)
    ages = connection.execute(
        "SELECT date_sub('year', born, (SELECT max(last) FROM said)) FROM (SELECT DISTINCT person, born FROM child_name)"
    ).fetchnumpy()
    weigh(groups, came, siblings, next(iter(ages.values())).astype(float))


def _link(connection: duckdb.DuckDBPyConnection, found: list[Decision]) -> tuple[int, float]:
    """Link the forms all of whose statements mean one child; returns how many, and how many rows are expected to be wrong."""
    meant: dict[int, set[int | None]] = defaultdict(set)
    for decision in found:
        meant[decision.form].add(decision.person)
    known = {form for (form,) in connection.execute("SELECT form FROM link SEMI JOIN wanted USING (form)").fetchall()}
    linked = sorted(
        (form, person)
        for form, persons in meant.items()
        if form not in known and len(persons) == 1 and None not in persons
        for person in persons
    )
    _insert(connection, "INSERT INTO link SELECT form, person, 'AGE', NULL FROM decided_here", linked)
    made = {form for form, _ in linked}
    return len(linked), sum(d.rows * (1 - d.probability) for d in found if d.form in made)


def _insert(connection: duckdb.DuckDBPyConnection, statement: str, rows: list[Any]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [(), ()]
    made = {"form": pa.array(columns[0], pa.int64()), "person": pa.array(columns[1], pa.int64())}
    connection.register(
        "decided_here", pa.table(made | {"weight": pa.array(columns[2], pa.float64())} if len(columns) > 2 else made)
    )
    if rows:
        connection.execute(statement)
    connection.unregister("decided_here")


def _ask(connection: duckdb.DuckDBPyConnection, found: list[Decision]) -> int:
    """Ask a person about what stays open: once for all that may mean the same children."""
    linked = {form for (form,) in connection.execute("SELECT form FROM link SEMI JOIN wanted USING (form)").fetchall()}
    asked: dict[tuple[int, frozenset[int]], Decision] = {}
    for decision in found:
        key = decision.called, frozenset(person for person, _ in decision.possible)
        if (
            decision.form not in linked
            and 0 < len(decision.possible) <= MOST_ASKED
            and (key not in asked or decision.form > asked[key].form)
        ):
            asked[key] = decision
    pairs = sorted(
        {(d.form, person, math.log2(p / (1 - min(p, 0.9999)))) for d in asked.values() for person, p in d.possible}
    )
    _insert(connection, "INSERT INTO doubt SELECT form, person, weight, 'NAME_AND_AGE' FROM decided_here", pairs)
    return len(pairs)


def link_called(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Link records by name and age or grade where hardly anybody else can be meant; adds the rest to ``doubt``.

    Returns:
        How many were linked and are asked about; by their own probabilities how many rows are wrong; and by source what
        fits too many children to be asked about, with how many of the rows leave age, grade, school and town empty.
    """
    words = {
        "ages": list(AGE_MISS), "grade": GRADE_MISS, "school": SCHOOL_MISS, "unknown": SCHOOL_UNKNOWN, "unlisted": SCHOOL_UNLISTED, "class_": CLASS_MISS, "most": MOST_SAID, "town": TOWN_MISS, "town_most": TOWN_MISSED_MOST, "rarest": RAREST_TOWN, "sex": SEX_MISS,
        "away": AWAY_MISS, "late": REGISTERED_LATE_DAYS, "hopeless": HOPELESS, "far": FAR, "span": TOLD_SPAN_DAYS, "month": LONGEST_MONTH_DAYS, "always": ALWAYS, "mostly": MOSTLY,
    }  # fmt: skip
    likeness = ALIKE % " ".join(f"WHEN '{kind}' THEN {weight}" for kind, weight in LIKENESS.items())
    for statement in (
        SCHOOLED,
        WANTED,
        DISTRICT,
        TOLD_ON,
        BY_MONTHS,
        LETTERED,
        SAID,
        REVIEWED,
        CHILD_NAME,
        STAYED,
        NAMES_CALLED,
        FOREIGN_NAME,
        WORDS_CALLED,
        GRADED,
        likeness,
    ):
        connection.execute(
            statement.format(**words) if statement in (WANTED, DISTRICT, TOLD_ON, BY_MONTHS, LETTERED) else statement
        )
    slices = 1 + int(connection.execute(PAIRS).fetchall()[0][0]) // PAIRS_AT_ONCE
    for number in range(slices):
        into = "INSERT INTO fitted" if number else "CREATE OR REPLACE TABLE fitted AS"
        connection.execute(into + FITTED.format(slice=number, slices=slices, **words))
    groups, said = read_called(connection)
    weigh_called(connection, groups)
    found = [decision for group in groups for decision in decide(group, said)]
    linked, wrong = _link(connection, found)
    asked = _ask(connection, found)
    names = ("source", "rows", "without_age", "without_grade", "without_school", "without_town")
    undecided = [dict(zip(names, row, strict=True)) for row in connection.execute(UNDECIDED).fetchall()]
    drop(connection, "wanted", "district", "district_share", "told_on", "lettered", "said", "reviewed", "child_name", "stayed", "foreign_name", "words_called", "name_called", "name_begun", "graded", "alike", "fitted")  # fmt: skip
    return {"linked": linked, "doubtful": asked, "expected_wrong_rows": round(wrong, 3), "undecided": undecided}

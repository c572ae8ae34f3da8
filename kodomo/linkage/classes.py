"""Pupils whom a record knows by their class: a seat, or half a name, where no birth date is told (identity side).

A school's lists say who is in which class. A nurse or a teacher then writes 4-2 高橋, and whoever holds the list knows
who that is, as long as one 高橋 alone is in 4-2. A list tells its year by itself: a child of known birth is in the
fourth grade in one year.
"""

from __future__ import annotations

import duckdb

from kodomo.linkage.foreign import FEWEST_WORDS, meeting
from kodomo.linkage.rules import (
    GIVEN_ALONE,
    NAME_LIKE,
    NAME_SAME,
    NAME_SHORT,
    NAME_TURNED,
    SURNAME_ALONE,
    WHOLE_SAME,
    Rule,
    apply_rule,
)
from kodomo.tables.engine import drop

MACROS = r"""
CREATE OR REPLACE MACRO plain_class(c) AS nullif(ltrim(regexp_replace(upper(translate(trim(c),
    '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪ一二三四五六七八九', '0123456789ABCDEFGHIJ123456789')), '(組|学級|クラス|ぐみ)$', ''), '0'), '');
CREATE OR REPLACE MACRO class_of(class_name, grade) AS coalesce(plain_class(class_name),
    plain_class(regexp_extract(plain_grade(grade), '^\D*\d\s*(?:年|年生)?\s*[-‐‑–−－ー・./の]?\s*([0-9A-ZＡ-Ｚぁ-ん]{1,3})\s*(?:組|学級)?$', 1)));
CREATE OR REPLACE MACRO letters_of(kana) AS array_to_string(list_sort(string_split(kana, '')), '');
CREATE OR REPLACE MACRO latin_letters(name) AS CASE WHEN regexp_matches(name, '^[A-Z]{4,}$') THEN letters_of(name) END;
CREATE OR REPLACE MACRO starts_in_latin(kana, letter) AS letter IN (translate(left(kana, 1),
    'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワガギグゲゴザジズゼゾダデドバビブベボパピプペポ',
    'AIUEOKKKKKSSSSSTTTTTNNNNNHHHHHMMMMMYYYRRRRRWGGGGGZJZZZDDDBBBBBPPPPP'), translate(left(kana, 1), 'チフジ', 'CFZ'));
CREATE OR REPLACE MACRO seat_of(seat) AS try_cast(regexp_extract(plain_grade(seat), '\d+') AS INTEGER);
"""
"""A class as 2, A or さくら, out of its own column or out of what follows the grade: 4-2, 4年2組, 4の2."""

MOST_ASKED = 5
"""Of more bearers in one class nobody is asked."""

TELLS_CLASS = "class_of(t.class_name, t.grade) IS NOT NULL AND plain_school(t.school) IS NOT NULL AND class_in(t.grade) IS NOT NULL"

IS_CLASSED = "f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NULL AND f.resident_number IS NULL"

IS_NAMED = "(f.name IS NOT NULL OR f.kana IS NOT NULL)"

ANYBODY = f"""
SELECT EXISTS (FROM printed t WHERE t.role = 'subject' AND filled(t.born_on) IS NULL AND {TELLS_CLASS})
"""

PRINTED_CLASS = f"""
CREATE OR REPLACE TABLE printed_class AS
WITH told AS (
    SELECT DISTINCT school, grade, class_name, seat FROM printed WHERE school IS NOT NULL AND grade IS NOT NULL
), read AS (
    SELECT t.*, plain_school(t.school) AS at, class_in(t.grade) AS step, class_of(t.class_name, t.grade) AS class,
        seat_of(t.seat) AS seated, years_ahead(t.grade, plain_school(t.school)) AS ahead
    FROM told t WHERE {TELLS_CLASS}
)
SELECT p.print, r.at AS school, r.step, r.class, r.seated AS seat, r.ahead FROM printed p JOIN read r ON r.school = p.school AND r.grade = p.grade
    AND r.class_name IS NOT DISTINCT FROM p.class_name AND r.seat IS NOT DISTINCT FROM p.seat
"""
"""What class each print tells, if any. A city prints a few thousand classes and seats, hundreds of thousands of times."""

CLASS_LIST = """
CREATE OR REPLACE TABLE class_list AS
WITH listed AS (
    -- whoever is on a list and nobody's yet may be meant as well
    SELECT DISTINCT p.form, coalesce(l.person, -p.form) AS person, cohort_of(try_cast(coalesce(y.born_on, f.born_on) AS DATE)) AS cohort, p.print
    FROM placed p JOIN form f USING (form) LEFT JOIN link l USING (form) LEFT JOIN spine y USING (person)
    WHERE f.role = 'subject' AND f.kind = 'observations' AND (f.born_on IS NOT NULL OR l.person IS NOT NULL AND f.own_number IS NOT NULL)
)
SELECT DISTINCT l.person, l.form, l.cohort, t.school, t.step, t.class, t.seat
FROM listed l JOIN printed_class t USING (print) WHERE l.cohort IS NOT NULL
"""

SAME_SEAT = Rule(
    "C0",
    "生年月日が少し違う記録で、学校・学年・組・出席番号と氏名が、既に決まったこどもの名簿の行と同じ",
    """
SELECT DISTINCT o.form, k.person
FROM class_list o JOIN class_list k USING (school, step, class, seat, cohort) JOIN todo f ON f.form = o.form JOIN form g ON g.form = k.form
WHERE o.person < 0 AND k.person > 0 AND f.name = g.name AND f.surname IS NOT NULL AND damerau_levenshtein(f.born_on, g.born_on) <= 2
""",
)
"""Of two lists of one class the second has a slip in the birth date: left open, it would stand beside the child as another of that name."""

CLASSED = f"""
CREATE OR REPLACE TABLE classed AS
WITH row AS (
    SELECT m.form, m.print, m.receipt, m.row, m.known_from FROM placed m JOIN (SELECT f.form FROM form f ANTI JOIN link USING (form) WHERE {IS_CLASSED}) f USING (form)
    SEMI JOIN printed_class USING (print)
), days AS (
    SELECT m.form, m.print, coalesce(min(t.valid_from), min(m.known_from) - INTERVAL 31 DAY) AS first, coalesce(max(least(t.valid_from, t.known_from)), max(m.known_from)) AS last
    FROM row m LEFT JOIN facts t ON t.receipt = m.receipt AND t.row = m.row GROUP BY m.form, m.print, m.receipt, m.row
)
SELECT DISTINCT d.form, d.print, t.school, t.step, t.class, t.seat,
    unnest(list_distinct(flatten(list_transform(t.ahead, lambda years: [d.first - years, d.last - years])))) AS cohort
FROM (SELECT DISTINCT form, print, school_year(first) AS first, school_year(last) AS last FROM days) d JOIN printed_class t USING (print)
"""
"""What open records tell of a class, and the years of birth it can be; a record told in April may mean the year before."""

CLASS_NAME = """
CREATE OR REPLACE TABLE class_name AS
WITH child AS (
    SELECT DISTINCT person, form FROM class_list SEMI JOIN classed USING (school, step, class, cohort)
), named AS (
    SELECT person, name, surname, given, kana, surname_kana, given_kana, sorted_kana, loose_kana FROM spine_name SEMI JOIN child USING (person)
    UNION SELECT c.person, f.name, f.surname, f.given, f.kana, f.surname_kana, f.given_kana, f.sorted_kana, f.loose_kana FROM child c JOIN form f USING (form)
        WHERE f.surname IS NOT NULL
)
SELECT *, latin_letters(name) AS letters FROM named
"""
"""How the list writes a child counts beside the register: a wrong character is often wrong everywhere."""

SOUGHT = f"""
CREATE OR REPLACE TABLE sought AS
WITH written AS (
    SELECT o.*, {{name: f.name, surname: f.surname, given: f.given, kana: f.kana, given_kana: f.given_kana, sorted_kana: f.sorted_kana, loose_kana: f.loose_kana}} AS written
    FROM classed o JOIN form f USING (form) WHERE {IS_NAMED}
)
SELECT *, dense_rank() OVER (ORDER BY school, step, class, cohort, written) AS sought FROM written
"""
"""One name in one class, however many records write it: compared once."""

BEGUN = """CASE WHEN f.surname IN (s.surname, s.surname_kana) OR f.surname IS NULL AND s.surname_kana IS NOT NULL AND starts_with(f.kana, s.surname_kana) THEN coalesce(
        f.given <> s.given AND starts_with(s.given, f.given) OR f.given_kana <> s.given_kana AND starts_with(s.given_kana, f.given_kana)
        OR starts_in_latin(s.given_kana, f.given)
        OR f.surname IS NULL AND length(f.kana) - length(s.surname_kana) BETWEEN 1 AND 2 AND starts_with(s.kana, f.kana) AND f.kana <> s.kana, false)
    ELSE false END OR coalesce(f.name = s.surname AND f.kana <> s.surname_kana AND starts_with(s.given_kana, f.kana), false)"""
"""佐藤ゆ, さとうゆ, 佐藤Y, 佐藤 結, 佐藤(ゆ): how a class that has two of one surname is written.

Only CASE leaves the rest unasked where the surname differs; of two million pairs that is nearly all.
"""

ALIAS_BEGUN = (
    "coalesce(s.surname IS NULL AND s.letters IS NULL AND length(f.name) >= 2 AND starts_with(s.name, f.name), false)"
)
"""An alias is registered in one piece."""

LAST_WORDS = "coalesce(length(f.kana) >= 2 AND ends_with(s.kana, f.kana), false)"
"""A foreign child called by its given name."""

SHARES_AN_END = """coalesce(left(f.name, 1) = left(s.name, 1), false) OR coalesce(right(f.name, 1) = right(s.name, 1), false)
    OR coalesce(left(f.kana, 1) = left(s.kana, 1), false) OR coalesce(right(f.kana, 1) = right(s.kana, 1), false)
    OR coalesce(left(f.given_kana, 1) = left(s.given_kana, 1), false)"""
"""As two do that are one slip apart."""

LIKENESS = f"""
CREATE OR REPLACE TABLE class_likeness AS
WITH f AS (
    SELECT DISTINCT sought, school, step, class, cohort, unnest(written), NULL::VARCHAR AS born_on, latin_letters(written.name) AS letters FROM sought
), child AS (
    SELECT DISTINCT person, school, step, class, cohort FROM class_list
)
SELECT f.sought, s.person,
    bool_or({WHOLE_SAME} OR {NAME_TURNED} OR coalesce(f.letters = s.letters, false) OR CASE WHEN s.letters IS NULL THEN false ELSE {NAME_SHORT} END) AS is_whole,
    bool_or({GIVEN_ALONE} OR CASE WHEN s.letters IS NULL THEN false ELSE {LAST_WORDS} END) AS is_given,
    bool_or({SURNAME_ALONE} OR {ALIAS_BEGUN}) AS is_surname, bool_or({BEGUN}) AS is_begun,
    bool_or({NAME_SAME} OR CASE WHEN {SHARES_AN_END} THEN {NAME_LIKE} ELSE false END) AS is_like
FROM f JOIN child c USING (school, step, class, cohort) JOIN class_name s ON s.person = c.person
GROUP BY f.sought, s.person
HAVING is_whole OR is_given OR is_surname OR is_begun OR is_like
"""
"""Whom of the class a name can mean; DANGTHI HOA is DANG THI HOA, however its words are run together."""

FOREIGN_LIKENESS = f"""
INSERT INTO class_likeness
SELECT DISTINCT o.sought, n.person, n.words >= {FEWEST_WORDS}, n.words < {FEWEST_WORDS}, false, false, false
FROM ({meeting("SELECT o.form, c.person FROM sought o JOIN class_list c USING (school, step, class, cohort) WHERE c.person > 0", fewest=1)}) n
JOIN sought o USING (form) JOIN class_list c ON c.person = n.person AND c.school = o.school AND c.step = o.step AND c.class = o.class AND c.cohort = o.cohort
WHERE n.slip < 2 OR NOT EXISTS (FROM twin t WHERE t.person = n.person)
"""
"""The words of a foreign name in another order, with some left out or as another ear heard them; one word is as good as a given name."""

CLASSMATE = """
CREATE OR REPLACE TABLE classmate AS
WITH l AS (
    SELECT sought, person, bool_or(is_whole) AS is_whole, bool_or(is_given) AS is_given, bool_or(is_surname) AS is_surname, bool_or(is_begun) AS is_begun
    FROM class_likeness GROUP BY sought, person
)
SELECT o.form, o.print, l.person, coalesce(bool_or(o.seat = c.seat), false) AS is_seated, coalesce(bool_and(o.seat <> c.seat), false) AS is_elsewhere,
    any_value(l.is_whole) AS is_whole, any_value(l.is_given) AS is_given, any_value(l.is_surname) AS is_surname, any_value(l.is_begun) AS is_begun
FROM sought o JOIN l USING (sought)
JOIN class_list c ON c.person = l.person AND c.school = o.school AND c.step = o.step AND c.class = o.class AND c.cohort = o.cohort
JOIN form f ON f.form = o.form LEFT JOIN form g ON g.form = c.form LEFT JOIN spine y ON y.person = l.person
GROUP BY o.form, o.print, l.person
HAVING any_value(l.is_whole) OR is_seated OR (any_value(l.is_given) OR any_value(l.is_surname) OR any_value(l.is_begun))
    AND NOT coalesce(any_value(f.sex) <> coalesce(any_value(y.sex), any_value(g.sex)), false)
"""
"""Half a name doesn't mean a child of the other sex: 4-2 高橋, a girl, is the one girl of two 高橋, and nobody where the list has a boy alone."""

IN_CLASS = Rule(
    "C1",
    "学校・学年・組が同じで、氏名か、出席番号と氏名の一部か、氏名の一部(性別があれば性別も)が合うこどもが、その組に一人だけ(生年月日のない記録)",
    """
WITH best AS (
    SELECT form, print, person, is_seated AND (is_whole OR is_given OR is_surname OR is_begun OR NOT has_twin) AS is_seated, is_whole AS is_told, is_begun, is_elsewhere,
        bool_or(is_seated) OVER each AS is_any_seated, bool_or(is_whole) OVER each AS is_any_told, bool_or(is_whole AND is_seated) OVER each AS is_any_both, bool_or(is_begun) OVER each AS is_any_begun
    FROM (SELECT m.*, EXISTS (FROM twin t WHERE t.person = m.person) AS has_twin FROM classmate m) WINDOW each AS (PARTITION BY form, print)
), fitting AS (
    SELECT form, print, person FROM best
    -- a seat is slipped sooner than a name into another classmate's whole one
    WHERE CASE WHEN is_any_told THEN is_told AND (is_seated OR NOT is_any_both) WHEN is_any_seated THEN is_seated WHEN is_any_begun THEN is_begun AND NOT is_elsewhere ELSE NOT is_elsewhere END
), one AS (
    SELECT form, print, min(person) AS person FROM fitting GROUP BY form, print HAVING count(DISTINCT person) = 1 AND min(person) > 0
)
SELECT DISTINCT form, person FROM one SEMI JOIN todo USING (form)
""",
)

ON_SHEET = f"""
CREATE OR REPLACE TABLE on_sheet AS
SELECT DISTINCT m.receipt, p.source, p.dated, school_year(p.dated) AS year, t.school, t.step, t.class, t.seat, m.form, {IS_NAMED} AS is_named, f.surname, l.person
FROM placed m JOIN form f USING (form) JOIN printed p USING (print) JOIN printed_class t USING (print) LEFT JOIN link l USING (form)
WHERE m.role = 'subject' AND p.dated IS NOT NULL AND t.seat IS NOT NULL
"""
"""Who told a class and a seat in one month to one office, nameless ones among them."""

PLACE = "place AS (SELECT DISTINCT person, school, step, class, cohort, seat FROM class_list WHERE seat IS NOT NULL)"

AGREEING, DIFFERING = 5, 0.1
"""Named rows of a class in a school year that must sit as the list says, and the share of others above which seats were given anew."""

BY_SEAT = Rule(
    "C2",
    "氏名のない(か、姓だけが合う)記録で、学校・学年・組・出席番号の合うこどもが一人だけで、同じ組の氏名のある記録の席が名簿のとおり",
    f"""
WITH {PLACE}, kept AS (
    -- a nurse sees three of a class in a month and thirty in a year; who gives seats anew in autumn is found out
    SELECT s.source, s.year, s.school, s.step, s.class FROM on_sheet s JOIN place c USING (person, school, step, class)
    WHERE s.is_named GROUP BY ALL
    HAVING count(*) FILTER (c.seat = s.seat) >= {AGREEING} AND count(*) FILTER (c.seat <> s.seat) <= {DIFFERING} * count(*)
), seated AS (
    SELECT o.form, c.person, s.source, s.dated, f.sex <> y.sex AS is_other_sex
    FROM on_sheet s JOIN kept USING (source, year, school, step, class) JOIN classed o USING (form, school, step, class, seat)
    JOIN place c USING (school, step, class, cohort, seat) JOIN form f ON f.form = o.form LEFT JOIN spine y ON y.person = c.person
    -- 後藤 日和 sits where the list has 後藤 ひより
    WHERE NOT s.is_named OR s.person IS NULL AND EXISTS (FROM class_name n WHERE n.person = c.person AND n.surname = s.surname)
), one AS (
    SELECT form, source, dated, min(person) AS person FROM seated GROUP BY ALL
    HAVING count(DISTINCT person) = 1 AND min(person) > 0 AND NOT coalesce(bool_or(is_other_sex), false)
)
SELECT DISTINCT form, person FROM one ANTI JOIN (FROM on_sheet WHERE is_named) USING (source, dated, person) SEMI JOIN todo USING (form)
""",
)
"""A pupil who leaves the name out, or whose given name the school writes otherwise, is known by the seat. Not where that child signed another row of the month: a slip of the seat."""

ENOUGH_NAMED, ODD_SEATS = 30, 0.03
"""Named rows of a month's other classes that must sit as the lists say, and the share of them that may not."""

BY_SILENT_SEAT = Rule(
    "C3",
    "組の全員に氏名のない記録で、学校・学年・組・出席番号の合うこどもが一人だけで、ほかの組の氏名のある記録の席が名簿のとおりで、その組の性別が席の順に名簿と合う",
    f"""
WITH {PLACE}, named AS (
    SELECT s.source, s.dated, s.form, bool_or(c.seat = s.seat) AS is_seated
    FROM on_sheet s JOIN place c USING (person, school, step, class) WHERE s.is_named GROUP BY ALL
), kept AS (
    SELECT source, dated FROM named GROUP BY ALL
    HAVING count(*) >= {ENOUGH_NAMED} AND count(*) FILTER (NOT is_seated) <= {ODD_SEATS} * count(*)
), silent AS (
    SELECT source, dated, school, step, class FROM on_sheet SEMI JOIN kept USING (source, dated) GROUP BY ALL HAVING NOT bool_or(is_named)
), seated AS (
    SELECT s.receipt, s.source, s.dated, s.school, s.step, s.class, s.form, c.person, f.sex AS told, y.sex AS listed
    FROM on_sheet s SEMI JOIN silent USING (source, dated, school, step, class) JOIN form f ON f.form = s.form
    LEFT JOIN classed o ON o.form = s.form AND o.school = s.school AND o.step = s.step AND o.class = s.class AND o.seat = s.seat
    LEFT JOIN place c ON c.school = o.school AND c.step = o.step AND c.class = o.class AND c.cohort = o.cohort AND c.seat = o.seat
    LEFT JOIN spine y ON y.person = c.person
), agreeing AS (
    SELECT source, dated, school, step, class FROM seated GROUP BY ALL
    HAVING count(*) FILTER (told = listed) >= {AGREEING} AND count(*) FILTER (told <> listed) <= {DIFFERING} * count(*)
       AND count(DISTINCT form) FILTER (person IS NOT NULL) >= (1 - {DIFFERING}) * count(DISTINCT form)
), one AS (
    SELECT receipt, form, min(person) AS person FROM seated SEMI JOIN agreeing USING (source, dated, school, step, class) GROUP BY ALL
    HAVING count(DISTINCT person) = 1 AND min(person) > 0 AND NOT coalesce(bool_or(told <> listed), false)
), twice AS (
    SELECT form FROM (SELECT form, count(*) OVER (PARTITION BY receipt, person) AS rows FROM (FROM one UNION SELECT receipt, form, person FROM on_sheet WHERE is_named)) WHERE rows > 1
)
SELECT DISTINCT form, person FROM one ANTI JOIN twice USING (form) SEMI JOIN todo USING (form)
""",
)
"""A school that takes no names hands in the seats of its list, as the schools that take names show of the same form.

Whether this one's list was drawn up anew nobody can see by names; where girls and boys would no longer sit in their places, it shows.
"""

UNDECIDED = """
CREATE OR REPLACE TABLE of_class AS
SELECT form FROM classmate ANTI JOIN link USING (form) WHERE NOT is_whole GROUP BY form HAVING count(DISTINCT person) > 1
"""


ASKED = f"""
INSERT INTO doubt
SELECT DISTINCT form, person, NULL, 'CLASSMATES' FROM (
    SELECT form, person, is_begun, bool_or(is_begun) OVER (PARTITION BY form) AS is_any_begun FROM classmate SEMI JOIN of_class USING (form) WHERE person > 0 AND NOT is_elsewhere)
WHERE is_begun OR NOT is_any_begun
QUALIFY count(DISTINCT person) OVER (PARTITION BY form) BETWEEN 2 AND {MOST_ASKED}
"""
"""Whoever wrote the list knows whom it means: with both at hand, one question decides."""


NO_LIST = """
CREATE OR REPLACE TABLE class_list (person BIGINT, form BIGINT, cohort BIGINT, school VARCHAR, step INTEGER, class VARCHAR, seat INTEGER)
"""


def link_classmates(connection: duckdb.DuckDBPyConnection) -> int:
    """Link open records by school, class and seat; returns how many. Looks at the whole city.

    Leaves the table ``of_class`` (form): half a name that several children of the class bear. Nobody here knows more than
    that; a person is asked. And ``class_list`` (person, school, step, class): who is in which class, as the lists tell.
    """
    connection.execute(MACROS)
    connection.execute("CREATE OR REPLACE TABLE of_class (form BIGINT)")
    connection.execute(NO_LIST)
    if not connection.execute(ANYBODY).fetchall()[0][0]:
        return 0
    for statement in (PRINTED_CLASS, CLASSED, CLASS_LIST):
        connection.execute(statement)
    if linked := apply_rule(connection, SAME_SEAT):
        connection.execute(CLASS_LIST)
    for statement in (CLASS_NAME, SOUGHT, LIKENESS, FOREIGN_LIKENESS, CLASSMATE):
        connection.execute(statement)
    linked += apply_rule(connection, IN_CLASS)
    connection.execute(ON_SHEET)
    linked += apply_rule(connection, BY_SEAT)
    linked += apply_rule(connection, BY_SILENT_SEAT)
    connection.execute(UNDECIDED)
    connection.execute(ASKED)
    drop(connection, "printed_class", "classed", "class_name", "sought", "class_likeness", "classmate", "on_sheet")
    return linked

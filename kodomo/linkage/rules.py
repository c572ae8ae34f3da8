"""Certain links: each a named rule in SQL that a clerk could apply by hand (identity side).

A rule links a form only when exactly one person fits. Rules run in order; a form that one rule
linked is out of reach of the later ones. What no rule decides goes to the model, or to a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from kodomo.intake.normalise import UNNAMED
from kodomo.linkage import foreign
from kodomo.linkage.foreign import meeting
from kodomo.tables import parts as in_parts
from kodomo.tables.parts import Part, parts_of


@dataclass(frozen=True)
class Rule:
    """One rule: its code, its Japanese caption, and a query that gives ``form, person`` pairs that fit.

    ``about``: of which open forms ``f`` it can say anything; where there is none, the query is not asked.
    """

    code: str
    caption: str
    query: str
    about: str = "true"


GENERATION = 14
"""Years between a parent's birth and a child's, at least."""

HIGHEST_CHANCE = 0.001
"""How many others may be expected to agree by accident, for agreement in name alone to decide."""

NAME_SAME = """(
    coalesce(f.kana = s.kana, false) OR coalesce(f.given_kana = s.given_kana, false)
    OR coalesce(same_name(f.name, s.name), false) OR coalesce(same_name(f.given, s.given), false)
    OR coalesce(f.sorted_kana = s.sorted_kana, false)
    OR coalesce(f.surname IS NULL AND s.given IS NOT NULL AND length(f.name) > length(s.given) AND ends_with(f.name, s.given), false)
)"""
"""The given name agrees, in writing or in reading; the surname may have changed."""

NAME_LIKE = """(
    coalesce(f.loose_kana = s.loose_kana, false)
    OR coalesce(one_off(f.given_kana, s.given_kana) OR one_off(f.kana, s.kana), false)
    OR coalesce(length(f.name) >= 3 AND one_off(f.name, s.name), false)
)"""
"""One slip apart; never enough where a twin could be meant."""

NAME_SHORT = """coalesce(regexp_matches(s.name, '^[A-Z]+$') AND length(f.kana) >= 4
    AND (starts_with(s.kana, f.kana) OR turned_about(f.kana, s.kana)), false)"""
"""The first words of a foreign name, as schools call a child of three or four, or its words in another order."""

NAME_TURNED = "coalesce(f.name = s.given || s.surname, false)"
"""The given name written first: 翔太 高橋."""

SURNAME_ALONE = """coalesce(f.born_on IS NULL
    AND (same_name(f.name, s.surname) OR (f.name IS NULL AND f.surname IS NULL AND f.kana = s.surname_kana)), false)"""
"""Nothing but a surname, as teachers and nurses write who came; 谷本 looks like 谷 and 本."""

GIVEN_ALONE = """CASE WHEN f.surname IS NULL
    THEN coalesce(same_name(f.name, s.given) OR f.kana = s.given_kana AND NOT contradicts(f.name, s.given), false) ELSE false END"""
"""Nothing but the given name: 蒼くん."""

THE_CHILD = "f.name IN ('本児', '本人', '対象児', '対象児童', '当該児', '当該児童', '同児')"
"""What a case's record says in the place of a name."""

WHOLE_SAME = """(
    coalesce(f.kana = s.kana, false) OR coalesce(same_name(f.name, s.name), false)
    OR coalesce(f.sorted_kana = s.sorted_kana, false)
)"""

BIRTH_NEAR = "damerau_levenshtein(f.born_on, p.born_on) <= 2"

SEX_FITS = "(f.sex IS NULL OR s.sex IS NULL OR f.sex = s.sex)"

PLACE_FITS = """(q.town = f.town AND (q.number = f.number OR starts_with(q.number, f.number || '-')
    OR starts_with(f.number, q.number || '-')))"""

BY_NUMBER = f"""
WITH pair AS (
    SELECT f.form, n.person,
        coalesce(f.born_on = p.born_on, false) AS is_born_same,
        f.born_on IS NULL OR p.born_on IS NULL AS is_born_unknown,
        coalesce({BIRTH_NEAR}, false) AS is_born_near,
        f.name IS NOT NULL OR f.kana IS NOT NULL AS has_name,
        EXISTS (FROM twin t JOIN spine_name s ON s.person = t.other
                WHERE t.person = n.person AND ({NAME_SAME} OR {NAME_LIKE})) AS is_like_twin,
        coalesce(bool_or({NAME_SAME}), false) AS is_name_same,
        coalesce(bool_or({WHOLE_SAME}), false) AS is_whole_same,
        coalesce(bool_or({NAME_LIKE}), false) AS is_name_like,
        bool_and(f.sex IS NULL OR p.sex IS NULL OR f.sex = p.sex) AS is_sex_same
    FROM todo f JOIN spine_number n USING (resident_number) JOIN spine p USING (person)
    LEFT JOIN spine_name s USING (person) GROUP BY ALL
)
SELECT form, person FROM pair
WHERE is_whole_same
   OR (is_name_same AND NOT is_like_twin AND (is_born_same OR is_born_unknown OR is_born_near))
   OR (is_born_same AND has_name AND NOT is_like_twin AND (is_name_like OR is_sex_same))
   OR (is_born_same AND NOT has_name)
   -- nothing but the number: then it must have been this person's on the day
   OR (is_born_unknown AND NOT has_name AND (form, person) IN (SELECT (form, person) FROM bearer_of)
       AND form NOT IN (SELECT form FROM pair WHERE is_born_same))
"""

NUMBER_IN_DOUBT = """
INSERT INTO doubt
SELECT DISTINCT f.form, t.person, NULL, 'OTHER_TIME' FROM form f ANTI JOIN link USING (form) JOIN tenure t USING (resident_number)
JOIN spine p USING (person)
WHERE f.name IS NULL AND f.kana IS NULL AND f.kind = 'observations' AND (f.born_on IS NULL OR p.born_on IS NULL)
"""
"""A number alone, on a day when it wasn't this person's as far as the register tells: a person decides."""


def same_writing(todo: str, spine: str, column: str, more: str, also: str = "") -> str:
    """Pairs of equal writing where ``more`` holds too, each found by equalities; 〓 stands for any character.

    Joined on ``same_name`` itself, all records of a birth date (a town) would meet each other, which grows
    with the city's square.

    Args:
        also: a column of the spine to be given beside each pair.
    """
    pair = f"SELECT f.form, s.person{also and ', ' + also} FROM {todo} f JOIN {spine} s ON {more}"
    unread = f"same_name(f.{column}, s.{column})"
    return f"""(
    {pair} AND f.{column} = s.{column}
    UNION {pair} AND {unread} WHERE contains(f.{column}, '〓')
    UNION {pair} AND {unread} WHERE contains(s.{column}, '〓'))"""


BORN_SAME = f"s.born_on = f.born_on AND {SEX_FITS}"

BY_READING = f"""
SELECT DISTINCT f.form, s.person
FROM todo f JOIN spine_known s ON s.kana = f.kana AND {BORN_SAME}
WHERE NOT EXISTS (
      -- the reading says one twin, the writing the other: not certain
      FROM twin t JOIN spine_name o ON o.person = t.other WHERE t.person = s.person AND o.given = f.given AND s.given <> f.given)
"""

BY_WRITING = f"""
SELECT DISTINCT n.form, n.person
FROM {same_writing("todo", "spine_known", "name", BORN_SAME)} n JOIN form f USING (form)
WHERE NOT EXISTS (
      FROM twin t JOIN spine_name o ON o.person = t.other WHERE t.person = n.person AND o.given_kana = f.given_kana)
"""

BY_TURNED_NAME = (
    f"SELECT DISTINCT f.form, s.person FROM todo f JOIN spine_known s ON s.sorted_kana = f.sorted_kana AND {BORN_SAME}"
    f" UNION SELECT DISTINCT f.form, s.person FROM todo f JOIN spine_known s ON s.given || s.surname = f.name AND {BORN_SAME}"
)

BY_LOOSE_READING = f"""
SELECT DISTINCT f.form, s.person FROM todo f JOIN spine_known s ON s.turned_kana = f.turned_kana AND {BORN_SAME}
WHERE NOT contradicts(f.given, s.given)
"""

BY_WRITTEN_SURNAME = f"""
SELECT DISTINCT f.form, s.person FROM todo f JOIN spine_known s ON s.given_kana = f.given_kana AND s.surname = f.surname AND {BORN_SAME}
WHERE f.kana IS NULL AND NOT contradicts(f.given, s.given)
"""

BY_WORDS = f"""
SELECT n.form, n.person
FROM ({meeting("SELECT f.form, s.person FROM todo f JOIN spine s ON s.born_on = f.born_on AND " + SEX_FITS)}) n
WHERE n.slip < 2 OR NOT EXISTS (FROM twin t WHERE t.person = n.person)
"""

GIVEN_AND_BIRTH = f"""(
    SELECT f.form, s.person FROM todo f JOIN spine_known s ON s.given_kana = f.given_kana AND {BORN_SAME}
    UNION FROM {same_writing("todo", "spine_known", "given", BORN_SAME)})"""

AT_HOME = f"""EXISTS (FROM spine_place q WHERE q.person = n.person AND f.number IS NOT NULL
    AND ({PLACE_FITS} OR q.number = f.number AND in_short(f.town, q.town)))"""

GUARDIAN_IN_FAMILY = """EXISTS (FROM family h JOIN spine_name g ON g.person = h.other WHERE h.person = n.person
    AND (same_name(g.name, f.guardian_name) OR g.kana = f.guardian_kana))"""

GIVEN_ALONE_AND_BIRTH = f"""(
    SELECT f.form, s.person FROM todo f JOIN spine_known s ON s.given = f.name AND {BORN_SAME}
    UNION SELECT f.form, s.person FROM todo f JOIN spine_known s ON s.given_kana = f.kana AND {BORN_SAME}
    WHERE f.name IS NULL)"""
"""Nothing but a given name, as who brings a child writes it beside their own: 慧, of 田中 由紀."""

BY_HOME = f"""
SELECT DISTINCT n.form, n.person
FROM (FROM {GIVEN_AND_BIRTH} UNION FROM {GIVEN_ALONE_AND_BIRTH}) n JOIN form f USING (form)
WHERE {AT_HOME} OR {GUARDIAN_IN_FAMILY}
"""

GUARDIANS_CHILD = r"""coalesce(starts_with(f.name, f.guardian_name)
    AND regexp_matches(substr(f.name, length(f.guardian_name) + 1), '^の?(子|児|こども|子ども|子供|息子|娘|[長次二三四]男|[長次二三四]女|第[一二三四]子)$'), false)"""
"""佐藤花子の子: the name in the child's place is its guardian's."""

IN_TOWN = "(f.town IS NULL OR EXISTS (FROM spine_place q WHERE q.person = n.person AND starts_with(q.town, f.town)))"
"""Told without a number, an address may leave out the end of the town (浜浦町 for 浜浦町小ノ浦)."""

NO_NAME = f"""(f.name IS NULL AND f.kana IS NULL AND f.given IS NULL AND f.given_kana IS NULL OR f.name IN {tuple(sorted(UNNAMED))} OR {GUARDIANS_CHILD})"""

BY_FOREIGN_HOME = f"""
SELECT DISTINCT n.form, n.person
FROM (SELECT f.form, s.person FROM todo f JOIN spine_known s ON {BORN_SAME}
      WHERE f.role = 'subject' AND NOT {NO_NAME} AND s.person IN (SELECT person FROM spine_name WHERE {foreign.IS_FOREIGN})) n
JOIN form f USING (form)
WHERE {AT_HOME} AND NOT EXISTS (FROM twin t WHERE t.person = n.person)
"""
"""金 敏俊, read キン ビンシュン by the school, is KIM MINJUN in the register: no letter and no reading agrees, but the house does and the day of birth."""

BY_BIRTH_AT_HOME = f"""
SELECT DISTINCT n.form, n.person
FROM (SELECT f.form, s.person FROM todo f JOIN spine_known s ON {BORN_SAME} WHERE f.role = 'subject' AND {NO_NAME}) n
JOIN form f USING (form)
WHERE {AT_HOME} OR {GUARDIAN_IN_FAMILY} AND NOT ({GUARDIANS_CHILD} AND (f.number IS NOT NULL OR NOT {IN_TOWN}))
"""
"""宇都宮京子の子 names one of several 宇都宮京子: of whom an address is told, that must be where the child lives."""

GRADES = r"""
CREATE OR REPLACE MACRO plain_school(s) AS CASE WHEN regexp_matches(s, '[小中高校園]') THEN nullif(
    regexp_replace(regexp_replace(regexp_replace(nfc_normalize(trim(s)), '^.*(市立|町立|村立|区立)', ''), '学校$', ''), '[ 　]', '', 'g'), '') END;
CREATE OR REPLACE MACRO named_school(s) AS CASE WHEN NOT regexp_matches(plain_school(s),
    '^((公|私|県|国|市外|他市|認可外)立?の?)?(保育園|幼稚園|(認定)?(こども|子ども|子供)園|園|小|中|小中|高|高校|高等)[児生]?$|^未就|^(小|中)学生$') THEN plain_school(s) END;
CREATE OR REPLACE MACRO school_year(day) AS year(day - INTERVAL 3 MONTH);
CREATE OR REPLACE MACRO cohort_of(born) AS year(born - INTERVAL 1 DAY - INTERVAL 3 MONTH);
CREATE OR REPLACE MACRO plain_grade(g) AS translate(g, '０１２３４５６７８９一二三四五六', '0123456789123456');
CREATE OR REPLACE MACRO grade_in(g) AS try_cast(regexp_extract(plain_grade(g), '\d+') AS INTEGER);
CREATE OR REPLACE MACRO class_in(g) AS CASE WHEN grade_in(g) BETWEEN 7 AND 9 THEN grade_in(g) - 6 ELSE grade_in(g) END;
CREATE OR REPLACE MACRO years_ahead(g, school) AS CASE
    WHEN contains(g, '歳') OR regexp_matches(school, '[園所]$') THEN NULL
    WHEN contains(g, '年長') THEN [6] WHEN contains(g, '年中') THEN [5] WHEN contains(g, '年少') THEN [4]
    WHEN class_in(g) IS NULL THEN NULL
    WHEN grade_in(g) BETWEEN 7 AND 9 THEN [6 + grade_in(g)]
    WHEN contains(g, '小') THEN [6 + class_in(g)] WHEN contains(g, '中') THEN [12 + class_in(g)] WHEN contains(g, '高') THEN [15 + class_in(g)]
    WHEN ends_with(school, '小') THEN [6 + class_in(g)] WHEN ends_with(school, '中') THEN [12 + class_in(g)]
    WHEN ends_with(school, '高') THEN [15 + class_in(g)] ELSE [6 + class_in(g), 12 + class_in(g)] END;
CREATE OR REPLACE MACRO in_grade(g, school, day, born) AS
    list_contains(years_ahead(g, school), school_year(day) - cohort_of(born)) OR list_contains(years_ahead(g, school), school_year(day) - 1 - cohort_of(born));
"""
"""``named_school``: 園, 高校 or 未就園 say what kind of place it is and not which: nothing that another's name contradicts.

A grade beside a birth date. 7 to 9 are counted on from primary school: the first to third year of junior high. What was told in March may be known in April: the grade of the school year before fits as well."""

SCHOOLS = """
CREATE OR REPLACE TABLE schooled AS
SELECT DISTINCT l.person, named_school(f.school) AS school FROM link l JOIN form f USING (form)
WHERE named_school(f.school) IS NOT NULL AND f.role = 'subject' AND f.born_on IS NOT NULL;
"""

KNOWN_SHARE = """
CREATE OR REPLACE VIEW known_share AS
SELECT s.*, g.persons, least(g.share, gk.share) AS given_share, least(n.share, nk.share) AS surname_share,
    g.share AS writing_share, gk.share AS reading_share
FROM spine_known s
LEFT JOIN named_share g ON g.part = 'given' AND g.name = s.given AND g.cohort = try_cast(s.born_year AS INTEGER) // 5
LEFT JOIN named_share gk ON gk.part = 'given_kana' AND gk.name = s.given_kana AND gk.cohort = try_cast(s.born_year AS INTEGER) // 5
LEFT JOIN named_share n ON n.part = 'surname' AND n.name = s.surname
LEFT JOIN named_share nk ON nk.part = 'surname_kana' AND nk.name = s.surname_kana
"""

# A surname differs in three records of a hundred, and as many are of nobody here: a record whose given name and birth
# date somebody here bears by accident n times is that somebody's with odds of one to n; ten times n, if it names
# another address besides, for so few of those who changed their surname moved.
LIVES_ELSEWHERE = (
    "f.town IS NOT NULL AND NOT EXISTS (FROM spine_place q WHERE q.person = n.person AND in_short(f.town, q.town))"
)
"""The record knows an address, and in no town where the person ever lived."""

BY_RARE_GIVEN = f"""
WITH alike AS MATERIALIZED (
    FROM {GIVEN_AND_BIRTH}
), born AS (
    SELECT born_on, count(*) AS born FROM main.spine SEMI JOIN (FROM form SEMI JOIN alike USING (form)) USING (born_on) GROUP BY born_on
)
SELECT n.form, n.person
FROM alike n JOIN form f USING (form) JOIN known_share s USING (person) JOIN born b ON b.born_on = s.born_on
GROUP BY n.form, n.person
-- how many others born that day should bear the name; the writing must not contradict, and a stranger's address counts
HAVING min(b.born * CASE WHEN same_name(f.given, s.given) AND f.given_kana = s.given_kana THEN s.given_share
                         WHEN same_name(f.given, s.given) THEN s.writing_share
                         WHEN f.given_kana = s.given_kana AND NOT contradicts(f.given, s.given) THEN s.reading_share END)
    <= CASE WHEN bool_or({LIVES_ELSEWHERE}) THEN 0.6 ELSE 4 END * {HIGHEST_CHANCE}
"""

AT_SCHOOL = "EXISTS (FROM schooled d WHERE d.person = n.person AND d.school = plain_school(f.school))"

NEAR_DAYS = 130
"""About how many birth dates are one slip away from any one."""

SLIPPED = """(
    SELECT f.form, s.person FROM {todo} f JOIN spine_known s ON s.{name} = f.{name} AND s.born_year = f.year
    UNION SELECT f.form, s.person FROM {todo} f JOIN spine_known s ON s.{name} = f.{name} AND s.born_day = f.born_day
    WHERE f.is_itself)"""
"""One digit or a month away, a birth date keeps its year or its day, or is in the year before or after."""

SLIPPED_BIRTH_PAIRS = f"""
WITH dated AS (
    SELECT form, kana, name, substr(born_on, 6) AS born_day, year::VARCHAR AS year, year = year(day) AS is_itself
    FROM (SELECT *, unnest(list_distinct([year(day - 31), year(day), year(day + 31)])) AS year
          FROM (SELECT *, try_cast(born_on AS DATE) AS day FROM todo) WHERE day IS NOT NULL)
), near AS (
    SELECT f.form, s.person, bool_and(coalesce(f.loose_kana <> s.loose_kana, false)) AS is_read_otherwise,
        min({NEAR_DAYS} * s.persons / 1826 * s.surname_share * s.given_share) AS namesakes
    FROM (FROM {SLIPPED.format(todo="dated", name="kana")} UNION FROM {SLIPPED.format(todo="dated", name="name")}) c
    JOIN form f USING (form) JOIN known_share s USING (person)
    WHERE {SEX_FITS} AND f.born_on <> s.born_on
      AND (s.kana = f.kana OR s.name = f.name) AND (f.name IS NULL OR s.name IS NULL OR same_name(f.name, s.name))
      AND (damerau_levenshtein(f.born_on, s.born_on) <= 1
        OR abs(date_diff('day', try_cast(f.born_on AS DATE), try_cast(s.born_on AS DATE))) <= 31
        OR (substr(f.born_on, 1, 4) = substr(s.born_on, 1, 4) AND substr(f.born_on, 6, 2) = substr(s.born_on, 9, 2)
            AND substr(f.born_on, 9, 2) = substr(s.born_on, 6, 2)))
    GROUP BY f.form, s.person
)
-- who is meant must be clear before school or home have their say: a school knows only the children it teaches
SELECT form, min(person) AS person, bool_or(is_read_otherwise) AS is_read_otherwise, max(coalesce(namesakes, 1)) AS namesakes
FROM near GROUP BY form HAVING count(*) = 1
"""

BY_SLIPPED_BIRTH = f"""
SELECT n.form, n.person FROM slipped n JOIN todo f USING (form)
WHERE {AT_HOME} OR {GUARDIAN_IN_FAMILY} OR (NOT n.is_read_otherwise AND {AT_SCHOOL})
"""

BY_RARE_NAME = f"SELECT n.form, n.person FROM slipped n JOIN todo f USING (form) WHERE NOT n.is_read_otherwise AND n.namesakes <= CASE WHEN {LIVES_ELSEWHERE} THEN 0.3 ELSE 1 END * {HIGHEST_CHANCE}"

BY_SCHOOL = f"""
WITH alike AS (
    SELECT form, min(person) AS person FROM {GIVEN_AND_BIRTH} GROUP BY form HAVING count(DISTINCT person) = 1
)
SELECT n.form, n.person FROM alike n JOIN form f USING (form) WHERE {AT_SCHOOL}
"""

GROWN = """(p.born_on IS NULL
    OR coalesce(try_cast(p.born_on AS DATE), try_cast(left(p.born_on, 4) || '-12-31' AS DATE)) <= f.seen_from - INTERVAL 15 YEAR)"""
"""Of a birth date known by its year alone the last day counts."""

AGE_FITS = """abs(date_sub('year', try_cast(p.born_on AS DATE), f.seen_from) - f.age) <= 1"""

GUARDIANS_CHILDREN = f"""parent AS (
    SELECT f.form, g.person FROM todo f JOIN spine_name g ON g.name = f.guardian_name WHERE f.role = 'subject' AND f.born_on IS NULL
    UNION SELECT f.form, g.person FROM todo f JOIN spine_name g ON g.given || g.surname = f.guardian_name WHERE f.role = 'subject' AND f.born_on IS NULL
    UNION SELECT f.form, g.person FROM todo f JOIN spine_name g ON g.kana = f.guardian_kana
    WHERE f.role = 'subject' AND f.born_on IS NULL AND NOT contradicts(f.guardian_name, g.name)
), child AS (
    SELECT DISTINCT c.form, p.person, p.born_on, p.sex FROM parent c JOIN spine e USING (person) JOIN family h ON h.person = c.person JOIN spine p ON p.person = h.other
    WHERE try_cast(e.born_on AS DATE) + INTERVAL {GENERATION} YEAR <= try_cast(p.born_on AS DATE)
)"""

BY_GUARDIAN = f"""
WITH {GUARDIANS_CHILDREN}
SELECT DISTINCT f.form, p.person FROM child p JOIN form f USING (form) JOIN spine_name s ON s.person = p.person
WHERE (f.sex IS NULL OR p.sex IS NULL OR f.sex = p.sex) AND ({NAME_TURNED} OR NOT contradicts(f.given, s.given))
  AND coalesce(in_grade(f.grade, plain_school(f.school), f.seen_from, try_cast(p.born_on AS DATE)), true) AND coalesce({AGE_FITS}, true)
  AND ({WHOLE_SAME} OR {NAME_TURNED}
    OR ((years_ahead(f.grade, plain_school(f.school)) IS NOT NULL OR f.age IS NOT NULL OR EXISTS (FROM spine_place q WHERE q.person = p.person AND {PLACE_FITS}))
      AND coalesce(same_name(coalesce(f.given, f.name), s.given) OR coalesce(f.given_kana, f.kana) = s.given_kana AND NOT contradicts(coalesce(f.given, f.name), s.given), false)))
"""

BY_CHILD = f"""
WITH mother AS (
    SELECT form, kana, name, left(born_on, 4) AS born_year, substr(born_on, 6) AS born_day, child_born_on FROM todo
    WHERE child_born_on IS NOT NULL AND (sex IS NULL OR sex = 'F')
), alike AS (
    SELECT f.*, s.person, s.born_on FROM mother f JOIN spine_known s ON s.kana = f.kana
    WHERE NOT contradicts(f.name, s.name) AND (f.born_year IS NULL OR f.born_year = s.born_year OR f.born_day = s.born_day) AND (s.sex IS NULL OR s.sex = 'F')
    UNION SELECT f.*, s.person, s.born_on FROM mother f JOIN spine_known s ON s.name = f.name
    WHERE (f.born_year IS NULL OR f.born_year = s.born_year OR f.born_day = s.born_day) AND (s.sex IS NULL OR s.sex = 'F')
    UNION SELECT m.*, n.person, s.born_on FROM {GIVEN_AND_BIRTH} n JOIN mother m USING (form) JOIN spine s ON s.person = n.person
)
SELECT DISTINCT a.form, a.person FROM alike a JOIN family h USING (person) JOIN spine c ON c.person = h.other AND c.born_on = a.child_born_on
WHERE coalesce(try_cast(a.born_on AS DATE) + INTERVAL {GENERATION} YEAR <= try_cast(c.born_on AS DATE), true)
"""

BY_GUARDIAN_AT_HOME = f"""
WITH {GUARDIANS_CHILDREN}
SELECT DISTINCT f.form, p.person FROM child p JOIN form f USING (form)
WHERE {NO_NAME} AND f.age IS NOT NULL AND {AGE_FITS} AND (f.sex IS NULL OR p.sex IS NULL OR f.sex = p.sex)
  AND EXISTS (FROM spine_place q WHERE q.person = p.person AND ({PLACE_FITS}
      -- a town alone is enough for the child of the only bearer of the guardian's name
      OR starts_with(q.town, f.town) AND f.number IS NULL AND f.form IN (SELECT form FROM parent GROUP BY form HAVING count(DISTINCT person) = 1)))
"""

FOREIGN_HOME = Rule(
    "H6",
    "外国人で、生年月日と番地までの住所が同じ人が一人だけ(氏名は、漢字・ローマ字・カタカナのどれで書くかで違う)",
    BY_FOREIGN_HOME,
    "f.role = 'subject' AND f.born_on IS NOT NULL AND f.number IS NOT NULL",
)

RULES = (
    Rule("N1", "宛名番号が同じで、生年月日または氏名が合う", BY_NUMBER, "f.resident_number IS NOT NULL"),
    Rule("K1", "カナと生年月日が同じ人が、台帳に一人だけ", BY_READING),
    Rule("K2", "漢字氏名と生年月日が同じ人が、台帳に一人だけ", BY_WRITING),
    Rule("K5", "漢字の姓、カナの名、生年月日が同じ人が、台帳に一人だけ", BY_WRITTEN_SURNAME),
    Rule("K3", "姓と名の順が違うだけで、カナか漢字と、生年月日が同じ人が一人だけ", BY_TURNED_NAME),
    Rule("K4", "濁点・長音・姓名の順だけが違うカナと生年月日が同じ人が一人だけ(漢字は食い違わない)", BY_LOOSE_READING),
    Rule(
        "K6",
        "外国人の氏名の語(二語以上)と生年月日が同じ人が一人だけ(語の順、省いた語、カタカナの書き方は問わない)",
        BY_WORDS,
    ),
    FOREIGN_HOME,
    Rule("H1", "名と生年月日が同じで、住所または保護者も合う人が一人だけ(姓の変更、名だけの記録)", BY_HOME),
    Rule(
        "U1",
        "名がまだない乳児と、生年月日も、住所か母・保護者も合う人が一人だけ",
        BY_BIRTH_AT_HOME,
        f"f.role = 'subject' AND {NO_NAME}",
    ),
    Rule(
        "M1",
        "氏名が同じで、同じ世帯に出産日どおりの生年月日のこどもがいる女性が一人だけ(本人の生年月日はないか、年か月日が違う)",
        BY_CHILD,
        "f.child_born_on IS NOT NULL",
    ),
)
"""In order. The number comes first, but never alone where a name or birth date contradicts it."""

SCHOOLMATE = Rule("H2", "名と生年月日と学校が同じ人が一人だけ(姓の変更)", BY_SCHOOL)

OF_GUARDIAN = Rule(
    "H3",
    "生年月日のない記録で、保護者の氏名の合う人の家族に、こどもの氏名(名だけなら学年か年齢か番地までの住所も)の合う人が一人だけ",
    BY_GUARDIAN,
    "f.role = 'subject' AND f.born_on IS NULL",
)

NAMELESS_OF_GUARDIAN = Rule(
    "H4",
    "氏名も生年月日もない(「○○の子」など)記録で、保護者の氏名の合う人の家族に、住所(番地がなければ、保護者と同じ氏名の人がほかにいないこと)と年齢の合うこどもが一人だけ",
    BY_GUARDIAN_AT_HOME,
    f"f.role = 'subject' AND f.born_on IS NULL AND {NO_NAME}",
)

SLIPPED_BIRTH = Rule(
    "B1", "氏名が同じで生年月日が一字か一月以内の違い、学校・住所・保護者のどれかも合う人が一人だけ", BY_SLIPPED_BIRTH
)

SLIPPED_BIRTH_RARE = Rule(
    "B2", "カナも漢字も同じで生年月日が一字か一月以内の違い、珍しい氏名で、そのような人が一人だけ", BY_RARE_NAME
)

RARE_GIVEN_NAME = Rule(
    "G1",
    "珍しい名と生年月日が同じ人が一人だけ(姓の変更)。その日に生まれた同名の人がほかにいるとは考えにくい",
    BY_RARE_GIVEN,
)

NUMBERED_GUARDIAN = Rule(
    "H5",
    "同じ行の保護者が宛名番号で決まり、その家族に、名と生年月日が同じ(氏名が同じなら生年月日は二字違いまでの)人が一人だけ",
    f"""
WITH known AS (
    SELECT DISTINCT m.mate AS form, g.person AS guardian FROM (SELECT DISTINCT form, mate FROM mention WHERE mate IS NOT NULL) m
    JOIN link g ON g.form = m.form WHERE g.rule = 'N1'
)
SELECT DISTINCT f.form, s.person
FROM todo f JOIN known k USING (form) JOIN family h ON h.person = k.guardian JOIN spine_known s ON s.person = h.other
WHERE {SEX_FITS} AND (s.born_on = f.born_on AND (s.given_kana = f.given_kana OR same_name(s.given, f.given))
    OR damerau_levenshtein(s.born_on, f.born_on) <= 2 AND (s.kana = f.kana OR s.name = f.name)
        AND NOT contradicts(f.given, s.given) AND NOT EXISTS (FROM twin t WHERE t.person = s.person))
""",
    "f.role = 'subject' AND f.born_on IS NOT NULL",
)
"""Allowances go on in the surname the family bore, long after a divorce that the register tells only the outcome of."""

BORN_AND_GRADED = f"""(f.born_on IS NULL OR p.born_on IS NULL OR {BIRTH_NEAR})
  AND (f.born_on IS NOT NULL OR coalesce(in_grade(f.grade, plain_school(f.school), f.seen_from, try_cast(p.born_on AS DATE)), true))"""

OWN_BEARER = f"""
SELECT f.form, b.person FROM open f JOIN bearer b USING (own) JOIN spine p USING (person) WHERE {BORN_AND_GRADED} AND f.form NOT IN (SELECT form FROM alike)"""

OWN_NUMBER = Rule(
    "S1",
    "同じ出所の番号で既に決まった人と、氏名が合う",
    f"""
WITH open AS (
    SELECT o.own, f.* FROM own o JOIN todo f USING (form)
), followed AS (
    SELECT o.own, l.person, f.* EXCLUDE (form) FROM own o SEMI JOIN open USING (own) JOIN link l USING (form) JOIN form f USING (form)
), bearer AS (
    SELECT DISTINCT own, person FROM followed
), lone AS (
    SELECT own FROM bearer GROUP BY own HAVING count(*) = 1
), printed AS (
    -- how the source itself wrote the bearer elsewhere: a wrong character is often wrong everywhere
    SELECT DISTINCT person, own, name, surname, given, kana, surname_kana, given_kana, sorted_kana, loose_kana, turned_kana, name_words, kana_words FROM followed
), alike AS (
SELECT f.form, b.person
FROM open f JOIN bearer b USING (own) JOIN spine p USING (person)
LEFT JOIN (SELECT person, NULL AS own, COLUMNS(* EXCLUDE (person)) FROM spine_name SEMI JOIN bearer USING (person)
           UNION ALL SELECT * FROM printed) s ON s.person = b.person AND (s.own IS NULL OR s.own = f.own)
WHERE {BORN_AND_GRADED}
  AND ({NAME_SAME} OR {NAME_SHORT} OR {NAME_TURNED}
    OR ({NAME_LIKE} AND NOT EXISTS (FROM twin t WHERE t.person = b.person)
        -- フクモト ユウジ is no slip of フクモト ユウカ, where her husband is called so
        AND NOT EXISTS (FROM family h JOIN spine_name o ON o.person = h.other WHERE h.person = b.person AND (o.kana = f.kana OR o.name = f.name)))
    OR ({GIVEN_ALONE} AND f.born_on IS NULL AND NOT EXISTS (FROM twin t JOIN spine_name o ON o.person = t.other WHERE t.person = b.person AND (o.given = s.given OR o.given_kana = s.given_kana)))
    OR ((f.name IS NULL AND f.kana IS NULL OR {THE_CHILD} OR {SURNAME_ALONE}) AND f.own IN (FROM lone)))
GROUP BY f.form, b.person
-- a number that two bore in turn, 藤岡 蒼 and 高林 蒼: the whole name says more than the given name
QUALIFY bool_or({WHOLE_SAME}) = bool_or(bool_or({WHOLE_SAME})) OVER (PARTITION BY f.form)
)
FROM alike
UNION
SELECT n.form, n.person FROM ({meeting(OWN_BEARER, fewest=1)}) n
WHERE (n.slip < 2 OR NOT EXISTS (FROM twin t WHERE t.person = n.person)) AND n.form NOT IN (SELECT form FROM alike)
""",
    "f.form IN (SELECT form FROM own)",
)
"""One source's own number binds its rows, checked by name; a number two people bore binds only named rows."""


def _relative(fits: str) -> str:
    """SQL that finds, in the family of the person whose row it is, the elders whom a guardian's or parent's name fits."""
    return f"""
WITH kin AS (
    SELECT person, other FROM family
    UNION SELECT DISTINCT c.person, g.person
    FROM mention m JOIN link g ON g.form = m.form JOIN link c ON c.form = m.mate
    -- the register prints the head on every row of the household, the head's own among them
    UNION SELECT DISTINCT c.person, c.person FROM mention m JOIN link c ON c.form = m.mate WHERE m.role = 'household_head'
)
SELECT DISTINCT f.form, p.person,
    f.role = 'household_head' OR coalesce(try_cast(p.born_on AS DATE) + INTERVAL {GENERATION} YEAR <= try_cast(y.born_on AS DATE), true) AS is_elder
FROM todo f JOIN (SELECT DISTINCT form, mate FROM mention WHERE mate IS NOT NULL) m USING (form)
JOIN link c ON c.form = m.mate JOIN spine y ON y.person = c.person
JOIN kin k ON k.person = c.person JOIN spine p ON p.person = k.other JOIN spine_name s ON s.person = p.person
WHERE {fits}
  AND (f.role <> 'mother' OR p.sex IS NULL OR p.sex = 'F') AND (f.role <> 'father' OR p.sex IS NULL OR p.sex = 'M')
  AND (f.role = 'household_head' OR p.born_on IS NULL OR y.born_on IS NULL OR p.born_on < y.born_on)
  AND (f.role = 'household_head' OR {GROWN})
QUALIFY is_elder = bool_or(is_elder) OVER (PARTITION BY f.form)
"""


RELATIVE = Rule(
    "R1",
    "同じ行の本人の家族(世帯主は本人も)に、同じ氏名(姓と名の順は問わない)の人が一人だけ",
    _relative(f"({WHOLE_SAME} OR {NAME_TURNED})"),
)
"""A guardian or parent is grown and older than the child, a generation if anybody of the name is: no elder brother called as
the father. A head's wife or mother may be older than the head."""

RENAMED = "f.role IN ('guardian', 'mother', 'father') AND f.born_on IS NULL AND f.resident_number IS NULL"

GIVEN_WRITTEN = """coalesce(same_name(f.given, s.given), f.surname IS NULL AND same_name(f.name, s.given), false)
    AND NOT coalesce(f.given_kana <> s.given_kana, false)"""

RENAMED_RELATIVE = Rule(
    "R2",
    "同じ行の本人の家族に、名の漢字が同じで、姓だけが違うか書かれていない一世代上の人が一人だけ(結婚や離婚の前の姓、名だけの保護者欄)",
    f"""
SELECT form, person FROM ({_relative(f"{RENAMED} AND {GIVEN_WRITTEN}")})
WHERE is_elder
""",
    RENAMED,
)
"""A booklet or a list keeps the name a mother bore before she married or divorced; beside a child's whole name a nursery writes
its parent's given name alone. Only in writing: カオリ alone is everywhere."""

FOREIGN_RELATIVE = Rule(
    "R3",
    "同じ行の本人の家族(世帯主は本人も)に、氏名の語(世帯主は二語以上。姓だけは除く)の合う一世代上の外国人が一人だけ",
    f"""
SELECT n.form, n.person FROM ({meeting(f"SELECT form, person FROM ({_relative('true')}) WHERE is_elder", fewest=1)}) n JOIN form f USING (form)
WHERE f.role <> 'household_head' OR n.words > 1
""",
    "f.role IN ('guardian', 'mother', 'father', 'household_head') AND f.born_on IS NULL AND f.resident_number IS NULL",
)

AS_WRITTEN = Rule(
    "K8",
    "ほかの記録で既に決まった人と、氏名(漢字かカナ)と生年月日が同じで、そのような人が一人だけ",
    """
WITH open AS (
    SELECT * FROM todo WHERE role = 'subject' AND kind = 'observations' AND length(born_on) = 10 AND form NOT IN (SELECT form FROM doubt)
), known AS (
    SELECT DISTINCT l.person, g.name, g.kana, g.born_on, g.sex
    FROM link l JOIN form g USING (form) WHERE g.role = 'subject' AND g.born_on IN (SELECT born_on FROM open)
), pair AS (
    SELECT f.form, f.name, f.kana, f.sex, k.person, k.sex AS known_sex FROM open f JOIN known k USING (born_on, name) WHERE f.surname IS NOT NULL
    UNION SELECT f.form, f.name, f.kana, f.sex, k.person, k.sex FROM open f JOIN known k USING (born_on, kana)
    WHERE f.surname_kana IS NOT NULL AND NOT contradicts(f.name, k.name)
)
SELECT DISTINCT n.form, n.person FROM pair n
WHERE (n.sex IS NULL OR n.known_sex IS NULL OR n.sex = n.known_sex)
  AND NOT EXISTS (FROM twin t JOIN spine_name o ON o.person = t.other WHERE t.person = n.person AND (o.name = n.name OR o.kana = n.kana))
""",
    "f.role = 'subject' AND f.born_on IS NOT NULL",
)
"""What one office writes for KIM MINJUN, known by the house, the next writes too: nobody from elsewhere, though the register never says 金 敏俊."""

Hook = Callable[[], None]
"""Called at a point of the sequence, by a run that takes over what the run before found."""


def _nothing() -> None:
    return None


OWN = """
CREATE OR REPLACE TABLE own AS
WITH numbered AS (
    SELECT form, system, own_number FROM form WHERE own_number IS NOT NULL AND role IN ('subject', 'holder')
), shared AS (
    SELECT system, own_number, row_number() OVER () AS own FROM numbered GROUP BY system, own_number HAVING count(*) > 1
)
SELECT form, own FROM numbered JOIN shared USING (system, own_number)
"""
"""Forms that share a number of their source with another form, and which: followed seven times, for each round tells of more."""


def start_links(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables ``link`` (form, person, rule, weight), with the register's own rows and decisions made by people, and ``doubt``.

    Needs the tables of ``forms``, ``spine`` and ``tenure``, and ``verdict`` (form, person, is_same).
    """
    connection.execute(GRADES)
    connection.execute(foreign.MACROS)
    connection.execute("CREATE OR REPLACE TABLE link (form BIGINT, person BIGINT, rule VARCHAR, weight DOUBLE)")
    connection.execute("CREATE OR REPLACE TABLE doubt (form BIGINT, person BIGINT, weight DOUBLE, why VARCHAR)")
    connection.execute("CREATE OR REPLACE TABLE waiting (form BIGINT)")  # whose link is taken over at a later point
    connection.execute("INSERT INTO link SELECT form, person, 'REGISTER', NULL FROM spine_form")
    connection.execute(OWN)
    connection.execute(
        """INSERT INTO link SELECT form, min(person), 'REVIEW', NULL FROM verdict
           WHERE is_same AND form NOT IN (SELECT form FROM link) GROUP BY form HAVING count(DISTINCT person) = 1"""
    )


def apply_rule(connection: duckdb.DuckDBPyConnection, rule: Rule) -> int:
    """Link every open form that exactly one person fits, pairs a reviewer parted left out; returns how many.

    Open forms are asked about part by part; what is found of one says nothing of another before all were asked.
    """
    before = _count(connection)
    _show_open(connection, Part())
    if not connection.execute(f"SELECT EXISTS (FROM todo f WHERE {rule.about})").fetchall()[0][0]:
        return 0
    found = f"""
        WITH fitting AS ({rule.query}),
             allowed AS (SELECT DISTINCT form, person FROM fitting ANTI JOIN
                         (SELECT form, person FROM verdict WHERE NOT is_same) USING (form, person))
        SELECT form, min(person), '{rule.code}', NULL FROM allowed GROUP BY form HAVING count(*) = 1"""
    parts = open_parts(connection, rule.about) if "todo" in rule.query else [Part()]
    if len(parts) == 1:
        connection.execute(f"INSERT INTO link {found}")
    else:
        connection.execute("CREATE OR REPLACE TEMP TABLE fitted AS FROM link LIMIT 0")
        for part in parts:
            _show_open(connection, part)
            connection.execute(f"INSERT INTO fitted {found}")
        connection.execute("INSERT INTO link FROM fitted; DROP TABLE fitted")
    return _count(connection) - before


def open_parts(connection: duckdb.DuckDBPyConnection, about: str = "true") -> list[Part]:
    """The parts in which open forms are asked about; few of a form's columns serve each, so there may be more of them."""
    _show_open(connection, Part())
    at_once = in_parts.FEW * in_parts.AT_ONCE
    few = connection.execute("SELECT count(*) FROM form").fetchall()[0][0] <= at_once
    return [Part()] if few else parts_of(connection, f"(SELECT form FROM todo f WHERE {about})", "form", at_once)


def _show_open(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Show under the name ``todo`` the open forms of a part."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP VIEW todo AS
            SELECT * FROM (SELECT * FROM form WHERE {part.holds("form")}) ANTI JOIN link USING (form) ANTI JOIN waiting USING (form)"""
    )


def apply_certain_rules(connection: duckdb.DuckDBPyConnection, after_own_numbers: Hook = _nothing) -> dict[str, int]:
    """Apply ``RULES``, then what follows from one source's own numbers; returns links by rule."""
    found = {rule.code: apply_rule(connection, rule) for rule in (*RULES, OWN_NUMBER)}
    after_own_numbers()
    connection.execute(SCHOOLS)
    connection.execute(KNOWN_SHARE)
    found[SCHOOLMATE.code] = apply_rule(connection, SCHOOLMATE)
    _pair_slipped(connection)
    for rule in (
        SLIPPED_BIRTH,
        SLIPPED_BIRTH_RARE,
        RARE_GIVEN_NAME,
        NUMBERED_GUARDIAN,
        OF_GUARDIAN,
        NAMELESS_OF_GUARDIAN,
    ):
        found[rule.code] = apply_rule(connection, rule)
    found[OWN_NUMBER.code] += apply_rule(connection, OWN_NUMBER)
    connection.execute(SCHOOLS)
    connection.execute(NUMBER_IN_DOUBT)
    return found


def _pair_slipped(connection: duckdb.DuckDBPyConnection) -> None:
    for number, part in enumerate(open_parts(connection)):
        _show_open(connection, part)
        made = "INSERT INTO slipped" if number else "CREATE OR REPLACE TABLE slipped AS"
        connection.execute(f"{made} {SLIPPED_BIRTH_PAIRS}")
    _show_open(connection, Part())


def apply_following_rules(
    connection: duckdb.DuckDBPyConnection, before_relatives: Hook = _nothing, after_relatives: Hook = _nothing
) -> dict[str, int]:
    """What follows once the subjects are known: own numbers again, relatives named beside them."""
    found = {OWN_NUMBER.code: apply_rule(connection, OWN_NUMBER)}
    before_relatives()
    for rule in (RELATIVE, RENAMED_RELATIVE, FOREIGN_RELATIVE):
        found[rule.code] = apply_rule(connection, rule)
    after_relatives()
    return found


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("SELECT count(*) FROM link").fetchall()[0][0])

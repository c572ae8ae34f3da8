"""Contract holders (water, rent): no birth date, but a name, an address and the household behind it (identity side).

Each rule is one that a clerk could apply by hand, as those of ``rules``; they come last, when it is known who the
children, their parents and the other numbers of the source belong to.
"""

from __future__ import annotations

import duckdb

from kodomo.linkage.foreign import meeting
from kodomo.linkage.rules import GROWN, HIGHEST_CHANCE, OWN_NUMBER, PLACE_FITS, Rule, apply_rule, same_writing
from kodomo.tables.engine import drop

MOST_CERTAIN, FEWEST_READ = 0.9, 5

READINGS = f"""
CREATE OR REPLACE TEMP TABLE town_reading AS
WITH spelt AS (
    SELECT *, regexp_extract(town, '^[ァ-ヶー]+') AS reading, regexp_extract(town, '^[ァ-ヶー]+(.*)$', 1) AS beyond
    FROM form WHERE regexp_matches(town, '^[ァ-ヶー]+([東西南北].*)?$') AND number IS NOT NULL
), lone AS (
    SELECT name, kana, min(person) AS person FROM spine_name WHERE name IS NOT NULL AND kana IS NOT NULL
    GROUP BY name, kana HAVING count(DISTINCT person) = 1
), read AS (
    SELECT reading, left(q.town, length(q.town) - length(beyond)) AS town, beyond <> '' AS is_head, count(DISTINCT t.person) AS persons FROM (
        SELECT f.reading, f.beyond, f.number, l.person FROM spelt f JOIN link l USING (form)
        -- where the water system alone prints kana, the only one written and read just so shows it, living at that number
        UNION SELECT f.reading, f.beyond, f.number, s.person FROM spelt f ANTI JOIN link l ON l.form = f.form JOIN lone s ON s.name = f.name AND s.kana = f.kana
    ) t JOIN spine_place q ON q.person = t.person AND ends_with(q.town, beyond) AND length(q.town) > length(beyond)
        AND (q.number = t.number OR beyond <> '' AND starts_with(q.number, t.number || '-'))
    GROUP BY ALL
)
-- a town that the register itself writes so is read by nobody else's name
SELECT reading, town, is_head FROM read WHERE reading NOT IN (SELECT town FROM spine_place)
QUALIFY persons >= {FEWEST_READ} AND persons >= {MOST_CERTAIN} * sum(persons) OVER (PARTITION BY reading, is_head)
"""
"""How towns are read: tax and water systems print addresses in kana. It is learned from people already linked, or named alike in writing and reading, whose house number agrees; no list of towns is
complete, and readings are local. Of ミドリサワ東三線北 the head is read, whose country lines are written by the compass."""

HOME_PLACE = """
CREATE OR REPLACE TEMP TABLE home_place AS
FROM spine_place UNION ALL SELECT s.person, r.reading, s.number FROM spine_place s JOIN town_reading r USING (town) WHERE NOT r.is_head
UNION ALL SELECT s.person, r.reading || substr(s.town, length(r.town) + 1), s.number
FROM spine_place s JOIN town_reading r ON r.is_head AND starts_with(s.town, r.town) AND length(s.town) > length(r.town)
"""
"""Where people live, each town by its reading as well."""

PLACE_SAME = "q.town = f.town AND q.number = f.number"

BY_NAME_AND_HOME = f"""
WITH home AS (SELECT DISTINCT n.person, n.name, n.kana, n.sorted_kana, q.town, q.number FROM spine_name n JOIN home_place q USING (person)),
open AS (SELECT * FROM todo WHERE born_on IS NULL AND number IS NOT NULL),
borne AS (
    -- somebody is written and read just so: 水口 隆 is not the 水口 隆史 of that address, though both are read タカシ
    SELECT form FROM open SEMI JOIN spine_name USING (name, kana)
), read AS (
    SELECT f.form, q.person, q.number, contradicts(f.name, q.name) AS is_otherwise FROM open f JOIN home q ON q.kana = f.kana AND {PLACE_FITS}
    UNION SELECT f.form, q.person, q.number, contradicts(f.name, q.name) FROM open f JOIN home q ON q.sorted_kana = f.sorted_kana AND {PLACE_FITS}
), pair AS (
    SELECT form, person, number FROM read WHERE NOT (is_otherwise AND form IN (FROM borne))
    UNION {same_writing("open", "home", "name", PLACE_FITS.replace("q.", "s."), also="s.number")}
), fitting AS (
    SELECT n.form, n.person, n.number = f.number AS is_exact FROM pair n JOIN form f USING (form) JOIN spine p USING (person)
    WHERE (f.role = 'subject' OR {GROWN}) AND (f.role <> 'mother' OR p.sex IS NULL OR p.sex = 'F') AND (f.role <> 'father' OR p.sex IS NULL OR p.sex = 'M')
)
-- whoever lives at this very number goes before a namesake at a longer or shorter one
SELECT form, person FROM fitting QUALIFY is_exact = bool_or(is_exact) OVER (PARTITION BY form)
"""

# a guardian with an address of their own is looked for as well: the child beside them may live elsewhere, on no register
HOLDER = Rule("W1", "氏名と住所が同じ人が、台帳に一人だけ(本人のほかは15歳以上)", BY_NAME_AND_HOME)

OPEN = """
CREATE OR REPLACE TEMP TABLE open_undated AS
SELECT * FROM todo WHERE role IN ('subject', 'holder', 'household_head') AND born_on IS NULL
"""
"""What the first rule leaves is little: looked for once, not by each rule among all."""

OPEN_HOLDERS = "(SELECT * FROM open_undated ANTI JOIN link USING (form) WHERE role IN ('holder', 'household_head'))"

IN_SHORT = Rule(
    "W10",
    "氏名と番地が同じ人が一人だけで、書かれた町とその人の町は、小字や旧町村名を省くかどうかの違い(契約者)",
    f"""
SELECT DISTINCT f.form, s.person
FROM {OPEN_HOLDERS} f JOIN spine_name s ON s.kana = f.kana AND NOT contradicts(f.name, s.name)
JOIN spine_place q ON q.person = s.person AND q.number = f.number AND in_short(f.town, q.town) JOIN spine p ON p.person = s.person
WHERE {GROWN}
""",
)
"""Branch offices and utilities leave out what all their customers' addresses have in common, and 小字, which number no lots anew."""

HOME_IN_SHORT = """
INSERT INTO home_place
WITH written AS (
    SELECT DISTINCT f.town AS short, q.town
    FROM link l JOIN form f USING (form) JOIN spine_place q ON q.person = l.person AND q.number = f.number
    WHERE l.rule = 'W10' AND f.town <> q.town AND in_short(f.town, q.town)
)
SELECT s.person, w.short, s.number FROM spine_place s JOIN written w USING (town)
"""
"""Towns as those offices are seen to write them, for whoever's name is written otherwise."""

FOREIGN_AT_HOME = Rule(
    "W3",
    "番地まで同じ住所に、氏名の語(二語以上)の合う外国人が一人だけ(語の順、省いた語、カタカナの書き方は問わない。契約者)",
    f"""
SELECT form, person
FROM ({meeting(f"SELECT f.form, p.person FROM {OPEN_HOLDERS} f JOIN home_place q ON {PLACE_SAME} JOIN spine p USING (person) WHERE {GROWN}")})
UNION SELECT f.form, s.person
FROM {OPEN_HOLDERS} f JOIN home_place q ON {PLACE_SAME} JOIN spine_name s USING (person) JOIN spine p USING (person)
WHERE regexp_matches(s.name, '^[A-Z]+$') AND length(f.kana) >= 4 AND (turned_about(f.kana, s.kana) OR starts_with(s.kana, f.kana)) AND {GROWN}
""",
)

RENAMED_AT_HOME = Rule(
    "W4",
    "名と番地までの住所が同じ人が一人だけで、偶然そこに同じ名の人が住んだとは考えにくい(契約者の姓の変更)",
    f"""
WITH housemates AS (
    SELECT town, number, count(DISTINCT person) AS persons FROM home_place WHERE number IS NOT NULL GROUP BY ALL
)
SELECT form, person FROM (
    SELECT n.form, n.person, min(n.namesakes) AS namesakes FROM (
    SELECT f.form, s.person, h.persons * CASE WHEN f.given = s.given AND f.given_kana = s.given_kana THEN s.given_share
        WHEN f.given = s.given THEN s.writing_share ELSE s.reading_share END AS namesakes
    FROM {OPEN_HOLDERS} f JOIN home_place q ON {PLACE_SAME} JOIN known_share s ON s.person = q.person
    JOIN spine p ON p.person = q.person JOIN housemates h ON h.town = q.town AND h.number = q.number
    WHERE (f.given = s.given OR f.given_kana = s.given_kana AND NOT contradicts(f.given, s.given)) AND {GROWN}
      -- whoever bears the whole name here is meant, though the register knows them at another address
      AND NOT EXISTS (FROM spine_name b WHERE b.kana = f.kana AND NOT contradicts(f.name, b.name))
) n GROUP BY n.form, n.person
    -- of a father and a son of one name the name's fashion in their years must not choose
    QUALIFY count(*) OVER (PARTITION BY n.form) = 1
) WHERE namesakes <= 4 * {HIGHEST_CHANCE}
""",
)

HOLDERS_FAMILY = Rule(
    "W5",
    "同じ出所の番号で既に決まった契約者の家族に、同じ氏名の人が一人だけ",
    f"""
WITH bearer AS (
    SELECT DISTINCT o.own, l.person FROM own o JOIN link l USING (form)
), home AS (
    SELECT own, person FROM bearer UNION SELECT b.own, h.other FROM bearer b JOIN family h USING (person)
)
SELECT DISTINCT f.form, s.person
FROM {OPEN_HOLDERS} f JOIN own o USING (form) JOIN home h ON h.own = o.own JOIN spine_name s ON s.person = h.person JOIN spine p ON p.person = s.person
WHERE (s.kana = f.kana AND NOT contradicts(f.name, s.name) OR same_name(f.name, s.name) OR s.sorted_kana = f.sorted_kana) AND {GROWN}
""",
)
"""Bills name now the one, now the other of a household."""

AT_THE_TAP = Rule(
    "W8",
    "同じ出所の番号の別の記録に書かれた住所に、同じ氏名の人が一人だけ(番地までの住所を書かない請求など)",
    f"""
WITH place AS (
    SELECT DISTINCT o.own, g.town, g.number FROM own o JOIN form g USING (form) WHERE g.town IS NOT NULL AND g.number IS NOT NULL
)
SELECT DISTINCT f.form, s.person
FROM {OPEN_HOLDERS} f JOIN own o USING (form) JOIN place t ON t.own = o.own
JOIN home_place q ON {PLACE_FITS.replace("f.", "t.")} JOIN spine_name s USING (person) JOIN spine p USING (person)
WHERE f.number IS NULL AND (s.kana = f.kana AND NOT contradicts(f.name, s.name) OR same_name(f.name, s.name) OR s.sorted_kana = f.sorted_kana) AND {GROWN}
""",
)

HOLDER_ELSEWHERE = Rule(
    "W2",
    "カナも漢字も同じ人が台帳に一人だけで、町が同じか以前の住所が移行されておらず、偶然の同姓同名とは考えにくい(契約者)",
    f"SELECT form, person FROM holder_elsewhere WHERE namesakes <= {HIGHEST_CHANCE}",
)

TOLD_ELSEWHERE = Rule(
    "W6",
    "氏名が同じで、その人か家族の住所としてほかの台帳に書かれた住所とも同じ人が一人だけ(契約者)",
    f"""
WITH told AS (
    SELECT DISTINCT l.person, f.town, f.number FROM link l JOIN form f USING (form)
    WHERE f.role = 'subject' AND f.born_on IS NOT NULL AND f.town IS NOT NULL AND f.number IS NOT NULL
), home AS (
    FROM told UNION SELECT h.other, t.town, t.number FROM told t JOIN family h USING (person)
)
SELECT DISTINCT f.form, s.person
FROM {OPEN_HOLDERS} f JOIN home q ON {PLACE_SAME} JOIN spine_name s USING (person) JOIN spine p USING (person)
WHERE (s.kana = f.kana AND NOT contradicts(f.name, s.name) OR s.name = f.name) AND {GROWN}
""",
)
"""Where the register has only the newest address, a school or a clinic may still know the one before."""

CAME_OR_WENT = Rule(
    "W7",
    "氏名が同じで、住所が台帳の転出先か前住所と同じ人が一人だけ(支援措置のある世帯の転出先・前住所は使わない)",
    f"""
WITH told AS (
    SELECT l.person, bool_or(a.address_protection = '1') AS is_protected
    FROM landed a JOIN mention m USING (mention) JOIN link l USING (form)
    WHERE coalesce(list_contains(getvariable('protecting')::VARCHAR[], m.source), true) GROUP BY l.person
), protected AS (
    -- whoever lived with a protected person may have gone with them; of whom nothing is told, nothing is known
    SELECT person FROM told WHERE is_protected UNION SELECT f.other FROM told t JOIN family f USING (person) WHERE t.is_protected
), other AS (
    FROM other_place UNION ALL SELECT o.mention, r.reading, o.number FROM other_place o JOIN town_reading r USING (town) WHERE NOT r.is_head
), home AS (
    SELECT DISTINCT l.person, o.town, o.number FROM other o JOIN placed m USING (mention) JOIN link l USING (form)
    SEMI JOIN told t ON t.person = l.person ANTI JOIN protected p ON p.person = l.person
)
SELECT DISTINCT f.form, s.person
FROM open_undated f ANTI JOIN link l ON l.form = f.form
JOIN home q ON {PLACE_SAME} JOIN spine_name s USING (person) JOIN spine p USING (person)
WHERE (s.kana = f.kana AND NOT contradicts(f.name, s.name) OR same_name(f.name, s.name)) AND (f.role = 'subject' OR {GROWN})
  AND (f.sex IS NULL OR p.sex IS NULL OR f.sex = p.sex)
""",
)

SLIP_AT_HOME = Rule(
    "W9",
    "番地まで同じ住所に、カナが一字違いか隣の字と入れ替わった人が一人だけで、書かれた姓か名は、台帳のだれの姓・名でもない(契約者の書き誤り)",
    f"""
WITH slip AS (
    -- one part is written as registered, the other belongs to nobody: few of a large block's tenants are compared
    SELECT f.form, f.kana, f.name, f.seen_from, s.person, s.kana AS registered, s.name AS written
    FROM {OPEN_HOLDERS} f JOIN spine_place q ON {PLACE_SAME} JOIN spine_name s ON s.person = q.person AND s.surname_kana = f.surname_kana
    WHERE NOT EXISTS (FROM spine_name b WHERE b.given_kana = f.given_kana)
    UNION ALL SELECT f.form, f.kana, f.name, f.seen_from, s.person, s.kana, s.name
    FROM {OPEN_HOLDERS} f JOIN spine_place q ON {PLACE_SAME} JOIN spine_name s ON s.person = q.person AND s.given_kana = f.given_kana
    WHERE NOT EXISTS (FROM spine_name b WHERE b.surname_kana = f.surname_kana)
)
SELECT DISTINCT f.form, f.person FROM slip f JOIN spine p USING (person)
WHERE (one_off(f.kana, f.registered) OR swaps_two(f.kana, f.registered)) AND NOT contradicts(f.name, f.written) AND {GROWN}
""",
)
"""サオリ is a slip where it says タオリ, which nobody is called; タカオ may be a brother of タカシ who never registered here."""

READ_AT_HOME = Rule(
    "W11",
    "番地まで同じ住所に、書かれたカナが、姓の別の読みか、読みの登録のない通称の読みに当たる人が一人だけ(契約者)",
    f"""
WITH near AS (
    SELECT f.form, f.surname_kana, f.given_kana, s.person, s.name, s.surname, s.given, s.given_kana AS registered
    FROM {OPEN_HOLDERS} f JOIN spine_place q ON {PLACE_SAME} JOIN spine_name s USING (person) JOIN spine p USING (person)
    WHERE f.name IS NULL AND f.surname_kana IS NOT NULL AND s.name IS NOT NULL AND (s.given_kana = f.given_kana OR s.given_kana IS NULL) AND {GROWN}
), surname_read AS (
    SELECT DISTINCT surname, surname_kana FROM spine_name SEMI JOIN near USING (surname_kana) WHERE surname IS NOT NULL
), given_read AS (
    SELECT DISTINCT given, given_kana FROM spine_name SEMI JOIN near USING (given_kana) WHERE given IS NOT NULL
)
SELECT DISTINCT form, person FROM near JOIN surname_read USING (surname, surname_kana) WHERE registered = given_kana
UNION SELECT DISTINCT n.form, n.person FROM near n
JOIN surname_read r ON r.surname_kana = n.surname_kana AND starts_with(n.name, r.surname)
JOIN given_read g ON g.given_kana = n.given_kana AND n.name = r.surname || g.given
WHERE n.registered IS NULL
""",
)
"""山城 is ヤマシロ in one family and ヤマグスク in the next, and a clerk of the other reads it as their own. A 通称 is registered
without a reading; its parts are read as the register reads them in others' names."""

ELSEWHERE = f"""
CREATE OR REPLACE TABLE holder_elsewhere AS
WITH open AS (
    SELECT f.*, count(*) OVER () AS holders FROM form f ANTI JOIN link USING (form)
    WHERE f.role IN ('holder', 'household_head') AND f.born_on IS NULL AND f.kana IS NOT NULL
), lone AS (
    SELECT f.form, min(s.person) AS person FROM open f JOIN spine_name s ON s.kana = f.kana JOIN spine p USING (person)
    WHERE {GROWN} GROUP BY f.form HAVING count(DISTINCT s.person) = 1
), unknown_before AS (
    -- lived here before the history begins: an address we were never told
    SELECT s.person FROM register r JOIN spine_form s USING (form) GROUP BY s.person
    HAVING min(r.resident_from) < min(r.event_on) AND arg_min(r.event_kind, r.event_on) NOT IN ('転入', '出生', '職権記載')
)
SELECT DISTINCT f.form, s.person,
    -- a name nobody else here bears is still as common elsewhere as its parts are; unparted, it can't be told
    coalesce(max(f.holders * s.surname_share * s.given_share) OVER (PARTITION BY f.form), 1.0) AS namesakes
FROM lone l JOIN open f USING (form) JOIN known_share s ON s.person = l.person AND s.kana = f.kana
WHERE (f.name IS NULL OR s.name IS NULL OR same_name(f.name, s.name))
  AND (s.person IN (FROM unknown_before) OR EXISTS (FROM home_place q WHERE q.person = s.person AND q.town = f.town))
"""

ELSEWHERE_IN_DOUBT = """
INSERT INTO doubt SELECT form, person, NULL, 'HOLDER' FROM holder_elsewhere ANTI JOIN link USING (form)
"""


IS_OPEN = """
SELECT EXISTS (FROM form ANTI JOIN link USING (form) WHERE born_on IS NULL AND (number IS NOT NULL OR role IN ('holder', 'household_head', 'subject')))
"""


def is_any_holder_open(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there are records that ``apply_holder_rules`` could link."""
    return bool(connection.execute(IS_OPEN).fetchall()[0][0])


def apply_holder_rules(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Link contract holders once subjects and their relatives are known; returns links by rule. Looks at the whole city."""
    for statement in (READINGS, HOME_PLACE):
        connection.execute(statement)
    found = {HOLDER.code: apply_rule(connection, HOLDER)}
    connection.execute(OPEN)
    found[IN_SHORT.code] = apply_rule(connection, IN_SHORT)
    connection.execute(HOME_IN_SHORT)
    for rule in (CAME_OR_WENT, FOREIGN_AT_HOME, RENAMED_AT_HOME, TOLD_ELSEWHERE, READ_AT_HOME, SLIP_AT_HOME):
        found[rule.code] = apply_rule(connection, rule)
    connection.execute(ELSEWHERE)
    found[HOLDER_ELSEWHERE.code] = apply_rule(connection, HOLDER_ELSEWHERE)
    connection.execute(ELSEWHERE_IN_DOUBT)
    found[OWN_NUMBER.code] = apply_rule(connection, OWN_NUMBER)
    for rule in (HOLDERS_FAMILY, AT_THE_TAP):
        found[rule.code] = apply_rule(connection, rule)
    drop(connection, "open_undated", "home_place", "town_reading")
    return found

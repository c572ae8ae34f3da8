"""Who lived with whom and who was a resident when, as the register stood on every day (identity side).

The household number is a fact with an end, not a key: a number that stood empty and is used again
is another household.

The register is delivered again and again, and each delivery may tell of a person otherwise than the
one before. So everything is worked out for each *version*: a stretch of days (``since``, ``until``)
during which what the register says of a person, or of a household, did not change. What comes out
the same in neighbouring versions is put together again. One delivery means one version of everybody.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from kodomo.linkage.kinship import FIRST, LAST, build_kinship, pair_households
from kodomo.tables.engine import drop
from kodomo.tables.parts import FEW, pack, pack_large, parts_of

REGISTER_ROWS = f"""
CREATE OR REPLACE TABLE register_row AS
SELECT s.person, coalesce(r.told_from, {FIRST}) AS since, coalesce(r.told_to, {LAST}) AS until,
    r.mention, r.kind, r.resident_number, r.household_number, r.relationship, r.town, r.nationality, r.born_on, r.sex,
    r.resident_from, r.from_reason, r.resident_to, r.to_reason, r.event_on, r.event_kind, r.known_from
FROM register r JOIN (FROM spine_form WHERE {{part}}) s USING (form) WHERE r.has_stood
"""

STANDING = """
CREATE OR REPLACE TABLE standing AS
SELECT v.since, v.until, p.* EXCLUDE (since, until)
FROM register_row p JOIN person_version v ON v.person = p.person AND p.since <= v.since AND v.until <= p.until
"""

UNDONE = """
DELETE FROM standing WHERE kind = 'moves' AND takes_back(event_kind) OR (person, since, mention) IN (
    SELECT t.person, t.since, arg_max(m.mention, (m.known_from, m.event_on, m.mention))
    FROM standing t JOIN standing m USING (person, since, resident_number)
    WHERE t.kind = 'moves' AND takes_back(t.event_kind) AND m.kind = 'moves' AND m.known_from <= t.known_from
        AND CASE WHEN regexp_matches(t.event_kind, '転入|出生|記載') THEN begins_stay(m.event_kind) ELSE ends_stay(m.event_kind) END
    GROUP BY t.person, t.since, t.mention)
"""
"""A cancelled move (転出取消, 職権回復) never was: it and the last move of its kind told before it are left out, so that
whoever meant to leave has lived there all along. The day of the cancelling act may lie before the planned day itself."""

ATTRIBUTES = f"""
CREATE OR REPLACE TABLE attribute AS
WITH told AS (
    -- whom no list has printed yet (born or come since the last one) is as the moves say
    SELECT person, since, until, arg_max(born_on, step) AS born_on, arg_max(sex, step) AS sex, arg_max(nationality, step) AS nationality
    FROM (SELECT *, (kind = 'residents', coalesce(resident_from, event_on, {FIRST})) AS step FROM standing) GROUP BY person, since, until
)
SELECT p.person, coalesce(v.since, {FIRST}) AS since, coalesce(v.until, {LAST}) AS until, t.nationality,
    -- whom the register does not list is as other records say
    CASE WHEN v.person IS NULL THEN p.born_on ELSE t.born_on END AS born_on, CASE WHEN v.person IS NULL THEN p.sex ELSE t.sex END AS sex
FROM (FROM spine WHERE {{part}}) p LEFT JOIN person_version v USING (person) LEFT JOIN told t ON t.person = p.person AND t.since = v.since
"""

RESIDENCES = f"""
CREATE OR REPLACE TABLE stay AS
WITH told AS (
    SELECT person, since, resident_number, max(event_on) AS start, arg_max(event_kind, event_on) AS start_kind
    FROM standing WHERE kind = 'moves' AND begins_stay(event_kind) GROUP BY ALL
), listed AS (
    SELECT person, since, resident_number, max(known_from) AS listed_on FROM standing WHERE kind = 'residents' GROUP BY ALL
), final AS (
    SELECT person, since, until, resident_number, max(event_on) AS final_on, arg_max(event_kind, step) AS final_kind,
        arg_max(known_from, step) AS final_known, arg_max(household_number, step) AS household_number,
        arg_max(relationship, step) AS relationship, arg_max(town, step) AS town
    FROM (SELECT *, (event_on, known_from, mention) AS step FROM standing)
    WHERE kind = 'moves' AND event_on IS NOT NULL
        AND (begins_stay(event_kind) OR ends_stay(event_kind))
    GROUP BY person, since, until, resident_number
), gone AS (
    SELECT person, since, resident_number, final_on, final_kind, final_known FROM final
    WHERE ends_stay(final_kind)
), printed AS (
    SELECT DISTINCT person, since, until, resident_number, coalesce(resident_from, start, try_cast(born_on AS DATE), DATE '1900-01-01') AS began,
        resident_to, CASE WHEN resident_from IS NULL THEN coalesce(from_reason, start_kind) ELSE from_reason END AS from_reason,
        to_reason, household_number, relationship, town
    FROM standing LEFT JOIN told USING (person, since, resident_number)
    WHERE kind = 'residents' AND (resident_from IS NOT NULL OR resident_to IS NOT NULL OR to_reason IS NULL)
)
SELECT p.* EXCLUDE (resident_to, from_reason, to_reason, household_number, relationship, town),
    coalesce(p.resident_to, g.final_on) AS ended, p.from_reason, CASE WHEN p.resident_to IS NULL THEN g.final_kind ELSE p.to_reason END AS to_reason,
    p.household_number, p.relationship, p.town
FROM printed p LEFT JOIN listed l USING (person, since, resident_number)
LEFT JOIN gone g ON g.person = p.person AND g.since = p.since AND g.resident_number = p.resident_number AND g.final_on >= p.began
    AND coalesce(g.final_known > l.listed_on, true)
UNION ALL
SELECT f.person, f.since, f.until, f.resident_number, f.final_on, NULL, f.final_kind, NULL, f.household_number, f.relationship, f.town
FROM final f ANTI JOIN listed USING (person, since, resident_number)
WHERE begins_stay(f.final_kind)
    AND f.final_known > (SELECT coalesce(max(known_from), {FIRST}) FROM register WHERE kind = 'residents' AND has_stood)
"""
"""Many registers leave blank the day on which whoever never moved became a resident: it is then the day of the first
move that tells of it, or of birth. Somebody gone on no known day was never here for all that is told.

A list of who lives here today, printed once or twice a year, knows nothing of what came after it: then the moves
alone tell who was born or came since, and who has left. A later list that prints them
says that they are here."""

ANEW = "番号変更"
"""Why a stay ends and another begins where somebody got a new number and went nowhere."""

RENUMBERED = f"""
CREATE OR REPLACE TABLE renumbered AS
WITH seen AS (
    SELECT person, since, resident_number, min(known_from) AS first_seen, max(known_from) FILTER (kind = 'residents') AS last_listed
    FROM standing SEMI JOIN (SELECT person FROM stay GROUP BY person HAVING count(DISTINCT resident_number) > 1) USING (person)
    GROUP BY ALL
), following AS (
    SELECT o.person, o.since, o.resident_number, min(o.began) AS began, arg_min({{number: n.resident_number, began: n.began, seen: k.first_seen}}, (k.first_seen, n.began)) AS new
    FROM stay o JOIN seen s USING (person, since, resident_number)
    JOIN seen k ON k.person = o.person AND k.since = o.since AND k.resident_number <> o.resident_number AND k.first_seen > s.last_listed
    JOIN stay n ON n.person = k.person AND n.since = k.since AND n.resident_number = k.resident_number
    -- a list of those who left may come after the list of who is here
    WHERE o.ended IS NULL AND coalesce(n.ended > s.last_listed, true) GROUP BY ALL
)
SELECT DISTINCT person, since, resident_number, new.number AS new_number, new.began <= began AS has_stayed,
    CASE WHEN new.began <= began THEN new.seen ELSE new.began END AS day
FROM following;
UPDATE stay SET ended = r.day, to_reason = CASE WHEN r.has_stayed THEN '{ANEW}' ELSE stay.to_reason END
FROM renumbered r WHERE r.person = stay.person AND r.since = stay.since AND r.resident_number = stay.resident_number AND stay.ended IS NULL;
UPDATE stay SET began = r.day, from_reason = '{ANEW}'
FROM renumbered r WHERE r.person = stay.person AND r.since = stay.since AND r.new_number = stay.resident_number AND r.has_stayed AND stay.began < r.day;
DROP TABLE renumbered
"""
"""Nobody bears two numbers at once: a list that prints somebody under another number, and no more under the first, ends
what hangs on the first. Else whoever leaves under the new one would live here for ever under the old one, and every
household would stand twice. Who was here all along goes from the one household number to the other on that day."""

MOVES = """
CREATE OR REPLACE TABLE move AS
SELECT person, since, until, resident_number, event_on, event_kind, household_number, relationship, town, known_from,
    ends_stay(event_kind) AS is_end, begins_stay(event_kind) AS is_start,
    regexp_matches(event_kind, '転居|氏.*変更|改姓|改氏|氏名') AS is_same_home,
    lead(event_on) OVER step AS next_on, lead(known_from) OVER step AS next_known, row_number() OVER step AS position
FROM standing
WHERE kind = 'moves' AND event_on IS NOT NULL
WINDOW step AS (PARTITION BY person, since, resident_number ORDER BY event_on, mention)
"""

SPELLS = """
CREATE OR REPLACE TABLE spell AS
WITH after_move AS (
    SELECT m.person, m.household_number, m.relationship, m.town, m.event_on AS valid_from,
        coalesce(m.next_on, CASE WHEN y.ended > m.event_on THEN y.ended END) AS valid_to, m.known_from,
        CASE WHEN m.next_on IS NOT NULL THEN m.next_known WHEN y.ended > m.event_on THEN y.ended + 1 END AS end_known_from,
        m.since, m.until
    FROM move m LEFT JOIN stay y ON y.person = m.person AND y.resident_number = m.resident_number AND y.since = m.since
    WHERE NOT m.is_end
), before_first AS (
    -- the history starts at some year: what the first move did not change was so before it
    SELECT y.person, CASE WHEN m.is_same_home OR m.is_end THEN m.household_number END AS household_number,
        CASE WHEN m.is_same_home OR m.is_end THEN m.relationship END AS relationship,
        CASE WHEN m.event_kind NOT LIKE '%転居%' THEN m.town END AS town,
        y.began AS valid_from, m.event_on AS valid_to, y.began + 1 AS known_from, m.known_from AS end_known_from, y.since, y.until
    FROM stay y JOIN move m ON m.person = y.person AND m.resident_number = y.resident_number AND m.since = y.since AND m.position = 1
    WHERE NOT m.is_start AND y.began < m.event_on
), never_moved AS (
    SELECT y.person, y.household_number, y.relationship, y.town, y.began AS valid_from, y.ended AS valid_to, y.began + 1 AS known_from,
        y.ended + 1 AS end_known_from, y.since, y.until
    FROM stay y ANTI JOIN move m ON m.person = y.person AND m.resident_number = y.resident_number AND m.since = y.since
)
SELECT DISTINCT * FROM (FROM after_move UNION ALL FROM before_first UNION ALL FROM never_moved)
WHERE valid_to IS NULL OR valid_to > valid_from
"""

FILL_ENDS = """
UPDATE spell SET household_number = y.household_number, relationship = coalesce(spell.relationship, y.relationship)
FROM stay y WHERE y.person = spell.person AND y.since = spell.since AND spell.household_number IS NULL AND y.ended = spell.valid_to
"""
"""A removed person's last row sometimes leaves the household blank."""

FILL_RELATIONSHIPS = """
UPDATE spell SET relationship = y.relationship
FROM stay y WHERE y.person = spell.person AND y.since = spell.since AND spell.relationship IS NULL AND spell.household_number = y.household_number
"""
"""Histories often leave out how whoever moved is related to the head; the register's own row says it of the same home."""

GENERATIONS = f"""
CREATE OR REPLACE TABLE living AS
WITH held AS (
    SELECT s.* EXCLUDE (since, until), v.since, v.until
    FROM spell s JOIN household_version v ON v.household_number = s.household_number AND s.since <= v.since AND v.until <= s.until
), kept AS (
    -- somebody there from the first day lives there still: the number never stood empty
    SELECT household_number, since FROM held GROUP BY ALL HAVING min(valid_from) = min(valid_from) FILTER (valid_to IS NULL)
), ordered AS (
    SELECT *, max(coalesce(valid_to, {LAST})) OVER (PARTITION BY household_number, since ORDER BY valid_from, person
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lived_until
    FROM held ANTI JOIN kept USING (household_number, since)
), counted AS (
    SELECT * EXCLUDE (lived_until), sum(CASE WHEN valid_from > lived_until THEN 1 ELSE 0 END) OVER (
        PARTITION BY household_number, since ORDER BY valid_from, person) AS generation
    FROM ordered
    UNION ALL BY NAME (SELECT *, 0 AS generation FROM held SEMI JOIN kept USING (household_number, since))
)
SELECT person, relationship, town, valid_from, valid_to, known_from, end_known_from, since, until, household_number,
    household_number || '#' || generation AS household
FROM counted
"""
"""A number nobody bore for a day or more is another household when it comes back."""

SPELL_IS = "person, household_number, relationship, town, valid_from, valid_to, known_from, end_known_from"
LIVING_IS = "person, household, relationship, town, valid_from, valid_to, known_from, end_known_from"
STAY_IS = "person, valid_from, valid_to, began_by, ended_by, known_from, end_known_from"

MEMBERSHIP = f"""
CREATE OR REPLACE TABLE membership AS
SELECT person, household, relationship, town, valid_from, valid_to, greatest(known_from, since) AS known_from,
    nullif(until, {LAST}) AS known_to
FROM living WHERE greatest(known_from, since) < until
"""

RESIDENCE_SPELLS = f"""
CREATE OR REPLACE TABLE residing AS
WITH starts AS (
    SELECT person, since, until, resident_number, event_on, event_kind, known_from FROM move WHERE is_start
), ends AS (
    SELECT person, since, resident_number, event_on, event_kind, known_from FROM move WHERE is_end
), stays AS (
    -- a new number is no move: the stay under the one before goes on
    SELECT y.person, y.since, y.until, y.resident_number, coalesce(b.began, y.began) AS valid_from, y.ended AS valid_to,
        CASE WHEN b.began IS NULL THEN y.from_reason ELSE b.from_reason END AS from_reason, y.to_reason, coalesce(b.began, y.began) + 1 AS known_from
    FROM stay y LEFT JOIN (
        SELECT person, since, min(began) AS began, arg_min(from_reason, began) AS from_reason FROM stay WHERE to_reason = '{ANEW}' GROUP BY ALL
    ) b ON b.person = y.person AND b.since = y.since AND y.from_reason = '{ANEW}'
    WHERE y.to_reason IS DISTINCT FROM '{ANEW}'
    UNION
    -- an earlier stay under the same number is told by the moves only
    SELECT s.person, s.since, s.until, s.resident_number, s.event_on, min(e.event_on), any_value(s.event_kind),
        arg_min(e.event_kind, e.event_on), any_value(s.known_from)
    FROM starts s JOIN ends e ON e.person = s.person AND e.since = s.since AND e.resident_number = s.resident_number
        AND e.event_on > s.event_on
    WHERE NOT EXISTS (FROM stay y WHERE y.person = s.person AND y.since = s.since AND y.resident_number = s.resident_number
                      AND y.began <= s.event_on)
    GROUP BY s.person, s.since, s.until, s.resident_number, s.event_on
)
SELECT y.person, y.since, y.until, y.valid_from, y.valid_to,
    CASE WHEN y.from_reason LIKE '%出生%' THEN 'BIRTH' WHEN y.from_reason LIKE '%転入%' THEN 'MOVE_IN'
         WHEN y.from_reason IS NOT NULL THEN 'OTHER' END AS began_by,
    CASE WHEN y.valid_to IS NULL THEN NULL WHEN y.to_reason LIKE '%死亡%' THEN 'DEATH' WHEN y.to_reason LIKE '%転出%' THEN 'MOVE_OUT'
         WHEN y.to_reason LIKE '%職権%' THEN 'EX_OFFICIO' ELSE 'OTHER' END AS ended_by,
    coalesce(min(s.known_from), min(y.known_from)) AS known_from,
    CASE WHEN y.valid_to IS NOT NULL THEN coalesce(min(e.known_from), y.valid_to + 1) END AS end_known_from
FROM stays y
LEFT JOIN starts s ON s.person = y.person AND s.since = y.since AND s.resident_number = y.resident_number AND s.event_on = y.valid_from
LEFT JOIN ends e ON e.person = y.person AND e.since = y.since AND e.resident_number = y.resident_number AND e.event_on = y.valid_to
WHERE y.valid_to IS NULL OR y.valid_to > y.valid_from
GROUP BY y.person, y.since, y.until, y.valid_from, y.valid_to, y.from_reason, y.to_reason
"""

RESIDENCE = f"""
CREATE OR REPLACE TABLE residence AS
SELECT person, valid_from, valid_to, began_by, ended_by, greatest(known_from, since) AS known_from, end_known_from,
    nullif(until, {LAST}) AS known_to
FROM residing WHERE greatest(known_from, since) < until ORDER BY person, valid_from
"""


def build_households(
    connection: duckdb.DuckDBPyConnection, at: object, expected_delivery: Collection[str] = ()
) -> dict[str, int]:
    """Make the tables ``membership``, ``kinship``, ``residence`` and ``attribute`` by run-local person.

    Needs the tables of linkage, ``landed`` (mentions) and ``facts`` (landed facts) in the connection. A row
    whose ``known_to`` is filled was known until then and is no longer so.

    Args:
        at: the day from which children are counted back (``CHILD_YEARS``).
        expected_delivery: codes of the items that say when a pregnancy should end.
    """
    pack_large(connection, "spine")
    _tell_of_persons(connection)
    _tell_of_households(connection, at)
    build_kinship(connection, at, expected_delivery)
    drop(connection, "house_pair", "slice", "kin_raw", "partner_mention")
    connection.execute(HOUSEHOLD)
    counts = connection.execute(
        """SELECT (SELECT count(DISTINCT household) FROM membership WHERE known_to IS NULL),
                  (SELECT count(*) FROM kinship WHERE known_to IS NULL), (SELECT count(*) FROM residence WHERE known_to IS NULL),
                  (SELECT count(DISTINCT person) FROM twin)"""
    ).fetchall()[0]
    return dict(zip(("households", "kinships", "residence_spells", "twins"), map(int, counts), strict=True))


def _tell_of_persons(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``attribute``, ``spell`` and ``residence``: what hangs on one person's own rows alone."""
    parts = parts_of(connection, "spine", "person")
    for number, part in enumerate(parts):
        connection.execute(REGISTER_ROWS.replace("{part}", part.holds("person")))
        connection.execute(versions("person_version", "register_row", "person"))
        connection.execute(STANDING)
        connection.execute(UNDONE)
        connection.execute(ATTRIBUTES.replace("{part}", part.holds("person")))
        connection.execute(together("attribute", "person, born_on, sex, nationality", "person", "person_version"))
        for statement in (RESIDENCES, RENUMBERED, MOVES, SPELLS, FILL_ENDS, FILL_RELATIONSHIPS):
            connection.execute(statement)
        connection.execute(together("spell", SPELL_IS, "person", "person_version"))
        # The widest tables; sealing what follows is the other time when memory is full.
        connection.execute("DROP TABLE standing; DROP TABLE register_row")
        for statement in (RESIDENCE_SPELLS, together("residing", STAY_IS, "person", "person_version"), RESIDENCE):
            connection.execute(statement)
        drop(connection, "person_version", "stay", "move", "residing")
        if len(parts) > 1:
            _gather(connection, ("attribute", "spell", "residence"), number, len(parts))


def _tell_of_households(connection: duckdb.DuckDBPyConnection, at: object) -> None:
    """Make ``membership`` and ``house_pair``: who lived under one roof, household number by household number."""
    count = len(parts_of(connection, "spell", "person"))
    for number in range(count):
        part = f"hash(household_number) % {count} = {number}" if count > 1 else "true"
        connection.execute(versions("household_version", f"(FROM spell WHERE {part})", "household_number"))
        for statement in (
            GENERATIONS,
            together("living", LIVING_IS, "household_number", "household_version"),
            MEMBERSHIP,
        ):
            connection.execute(statement)
        pair_households(connection, at, is_first=number == 0)
        drop(connection, "household_version", "living")
        if count > 1:
            _gather(connection, ("membership",), number, count)


def _gather(connection: duckdb.DuckDBPyConnection, tables: Collection[str], number: int, of: int) -> None:
    """Put a part's tables to those of the parts before; after the last they bear the tables' names."""
    for name in tables:
        if number == 0:
            connection.execute(f"ALTER TABLE {name} RENAME TO all_{name}")
        else:
            connection.execute(f"INSERT INTO all_{name} FROM {name}; DROP TABLE {name}")
        if number == of - 1:
            connection.execute(f"ALTER TABLE all_{name} RENAME TO {name}")
    if of > FEW:
        pack(connection)


def versions(name: str, table: str, of: str) -> str:
    """SQL that makes ``name``: for each ``of``, the stretches during which no row of a table came or went."""
    return f"""
CREATE OR REPLACE TABLE {name} AS
WITH once AS (
    SELECT {of}, min(since) AS since, min(until) AS until FROM {table} WHERE {of} IS NOT NULL
    GROUP BY {of} HAVING min(since) = max(since) AND min(until) = max(until) AND min(since) < min(until)
), cut AS (
    SELECT DISTINCT {of}, unnest([since, until]) AS since FROM {table} ANTI JOIN once USING ({of}) WHERE {of} IS NOT NULL
)
FROM once
UNION ALL
SELECT * FROM (SELECT {of}, since, lead(since) OVER (PARTITION BY {of} ORDER BY since) AS until FROM cut) WHERE until IS NOT NULL
"""


def together(table: str, columns: str, of: str, versions: str) -> str:
    """SQL that puts rows of a table together again that say the same in neighbouring versions.

    Whatever is told of in one version only (``of``, by the table ``versions``) has nothing to be put together.
    """
    return f"""
CREATE OR REPLACE TABLE {table} AS
WITH often AS (
    SELECT {of} FROM {versions} GROUP BY {of} HAVING count(*) > 1
), ordered AS (
    SELECT {columns}, since, until, max(until) OVER (PARTITION BY {columns} ORDER BY since, until
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM {table} SEMI JOIN often USING ({of})
), stretched AS (
    SELECT *, sum(CASE WHEN since > reached THEN 1 ELSE 0 END) OVER (PARTITION BY {columns} ORDER BY since, until) AS stretch
    FROM ordered
)
SELECT {columns}, min(since) AS since, max(until) AS until FROM stretched GROUP BY {columns}, stretch
UNION ALL
SELECT DISTINCT {columns}, since, until FROM {table} ANTI JOIN often USING ({of})
"""


HOUSEHOLD = """
CREATE OR REPLACE TABLE household AS
SELECT household, ('0x' || left(sha256(household), 14))::BIGINT AS number FROM (SELECT DISTINCT household FROM membership)
"""
"""The vault's own number of a household: the same for the same number and generation, run after run."""

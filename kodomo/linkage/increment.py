"""Link a new delivery onto the run before: what nothing new can have changed is taken over (identity side).

Forms are made of the new rows alone and stand beside those of before. A form keeps its
person without being compared again if (1) a certain rule found it, or the family beside it, or its
address; (2) it is printed as before; (3) nobody whom it could mean by number, name or birth date has
changed, come or gone; (4) no record under the same number of its own source is new or changed; and
(5) nobody decided anything about it. Every other form is linked as in a run from the beginning,
against all persons (``vicinity``). Whatever rests on how common a name is (B2, G1, the model) is taken over only
where the register told nothing new, for then names are as common as before; contract holders, classmates and call names are
never taken over. No frequency is frozen. So the outcome is that of linking everything anew; ``tests/unit/linkage/test_increment.py`` holds it to that.

What was there before is looked at where it lies (``kept.Standing``). It is put together with the new only when all of it
is wanted: for a spine to be built anew, for households, or for what the next run needs (``put_together``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from kodomo.intake.normalise_columns import names_of
from kodomo.linkage import forms, kept
from kodomo.linkage.foreign import IS_FOREIGN
from kodomo.linkage.rules import NO_NAME

RESTATED = (
    """UPDATE placed SET is_superseded = s.is_superseded FROM restated s
       WHERE s.receipt = placed.receipt AND s.row = placed.row AND s.is_superseded <> placed.is_superseded""",
    """UPDATE register SET is_silent = t.is_silent, has_stood = t.has_stood, told_from = t.told_from, told_to = t.told_to
       FROM (SELECT p.mention, s.is_superseded OR s.is_duplicate AS is_silent,
                 NOT s.is_duplicate AND coalesce(s.told_until > s.told_on, true) AS has_stood,
                 CASE WHEN NOT s.is_initial THEN s.told_on END AS told_from, s.told_until AS told_to
             FROM restated s JOIN placed p USING (receipt, row)) t
       WHERE t.mention = register.mention AND (register.is_silent, register.has_stood, register.told_from, register.told_to)
           IS DISTINCT FROM (t.is_silent, t.has_stood, t.told_from, t.told_to)""",
)
"""Rows of earlier deliveries as they are now; which of them a new one corrects is told by ``restated``."""

MONTH = "month"
"""The schema in which what was landed since is made into forms by itself: a form is told by nothing but its own row."""

SAME_FORM = f"""
CREATE OR REPLACE TEMP TABLE month_form AS
SELECT n.form AS month_form, o.form IS NOT NULL AS is_known,
    coalesce(o.form, (SELECT coalesce(max(form), 0) FROM kept_written) + row_number() OVER (PARTITION BY o.form IS NULL ORDER BY n.form)) AS form
FROM {MONTH}.form n LEFT JOIN (SELECT form, form_hash FROM kept_written) o USING (form_hash)
"""

MORE = (
    SAME_FORM,
    f"""CREATE OR REPLACE TABLE more_placed AS
        SELECT p.mention, p.receipt, p.row, p.role, p.kind, f.form, m.form AS mate, p.print, p.combo, p.known_from, p.is_superseded
        FROM {MONTH}.placed p JOIN month_form f ON f.month_form = p.form LEFT JOIN month_form m ON m.month_form = p.mate ORDER BY p.mention""",
    f"""CREATE OR REPLACE TABLE more_formed AS
        SELECT c.combo, c.print, f.form, m.form AS mate FROM {MONTH}.formed c ANTI JOIN kept_combination o USING (combo)
        JOIN month_form f ON f.month_form = c.form LEFT JOIN month_form m ON m.month_form = c.mate""",
    f"CREATE OR REPLACE TABLE more_printed AS FROM {MONTH}.printed ANTI JOIN kept_printed USING (print)",
    f"CREATE OR REPLACE TABLE more_unspaced AS FROM {MONTH}.unspaced ANTI JOIN kept_unspaced USING (value)",
    f"CREATE OR REPLACE TABLE more_delivery AS FROM {MONTH}.delivery ANTI JOIN kept_delivery USING (receipt, source, file)",
    f"CREATE OR REPLACE TABLE more_landed AS FROM {MONTH}.landed",
    f"CREATE OR REPLACE TABLE more_other_place AS FROM {MONTH}.other_place",
    f"""CREATE OR REPLACE TABLE more_register AS
        SELECT r.* REPLACE (f.form AS form) FROM {MONTH}.register r JOIN month_form f ON f.month_form = r.form ORDER BY r.mention""",
)
"""What the month adds to each table, its forms numbered on from those of before."""

TOLD_AGAIN = """
CREATE OR REPLACE TEMP TABLE told_again AS
WITH known AS (
    SELECT form FROM month_form WHERE is_known
), combination AS (
    SELECT c.form, combo, min(mention) AS first, min(known_from) AS seen_from, max(known_from) AS seen_to, count(*) AS rows
    FROM kept_mention JOIN (SELECT combo, form FROM kept_combination SEMI JOIN known USING (form)) c USING (combo) GROUP BY c.form, combo
    UNION ALL SELECT form, combo, min(mention), min(known_from), max(known_from), count(*) FROM more_placed SEMI JOIN known USING (form) GROUP BY form, combo
)
SELECT form, arg_min(combo, (seen_from, first)) AS combo, min(seen_from) AS seen_from, max(seen_to) AS seen_to, sum(rows)::BIGINT AS rows
FROM combination GROUP BY form
"""
"""Forms of before that a new row writes once more: since when, how often, and in which way first."""

WRITTEN_FIRST = f"""
CREATE OR REPLACE TEMP TABLE written_first AS
SELECT t.form, o.form_hash, c.mate_hash, {forms.FORM_COLUMNS}, t.seen_from, t.seen_to, t.rows
FROM told_again t JOIN written_before o USING (form) JOIN {MONTH}.formed c USING (combo) JOIN {MONTH}.base b ON b.print = c.print
LEFT JOIN (SELECT print, name, kana FROM {MONTH}.base) g ON b.role = 'subject' AND g.print = c.partner
"""
"""An old row that is delivered late may be the first of all; what moves on under one number is told by the first."""

MORE_FORM = (
    TOLD_AGAIN,
    WRITTEN_FIRST,
    f"""CREATE OR REPLACE TABLE more_form AS
        SELECT o.* REPLACE (t.seen_from AS seen_from, t.seen_to AS seen_to, t.rows AS rows)
        FROM written_before o JOIN (FROM told_again ANTI JOIN written_first USING (form)) t USING (form)
        UNION ALL BY NAME FROM written_first
        UNION ALL BY NAME (SELECT n.* REPLACE (f.form AS form) FROM {MONTH}.form n JOIN month_form f ON f.month_form = n.form WHERE NOT f.is_known ORDER BY f.form)""",
    f"""CREATE OR REPLACE TABLE changed_form AS
        SELECT form FROM (SELECT form, {kept.FORM_SIGN} AS sign FROM more_form) n
        LEFT JOIN (SELECT form, {kept.FORM_SIGN} AS sign FROM written_before) b USING (form)
        WHERE b.sign IS DISTINCT FROM n.sign""",
    f"DROP SCHEMA {MONTH} CASCADE",
    "DROP TABLE month_form; DROP TABLE told_again; DROP TABLE written_first",
)
"""New forms, and those of before as they are now."""

BESIDE: dict[str, str] = {
    "form": "(FROM kept_written ANTI JOIN more_form USING (form)) UNION ALL BY NAME FROM more_form",
    "formed": "FROM kept_combination UNION ALL FROM more_formed",
    "placed": """
        SELECT m.mention, m.receipt, m.row, m.role, m.kind, f.form, f.mate, f.print, m.combo, m.known_from, m.is_superseded
        FROM kept_mention m JOIN kept_combination f USING (combo) UNION ALL FROM more_placed""",
    **{
        name: f"FROM kept_{name} UNION ALL FROM more_{name}"
        for name in ("printed", "unspaced", "delivery", "landed", "other_place")
    },
    "register": "FROM kept_register UNION ALL BY NAME FROM more_register",
}
"""Each table of ``forms`` as it is now: what was kept, and beside it what is new."""

ORDERED = {"placed": "mention"}


@dataclass(frozen=True)
class More:
    """What the month's rows brought: the surnames known now, and whether the register tells anything new or otherwise."""

    surnames: frozenset[str]
    is_register_told: bool


def gather_more(
    connection: duckdb.DuckDBPyConnection,
    standing: kept.Standing,
    mentions: Iterable[pa.Table],
    restated: pa.Table,
    printing: forms.Printing,
) -> More | None:
    """Make views of the tables of ``forms.gather_forms`` and ``register`` out of what the run before kept and the mentions landed since.

    Args:
        restated: ``receipt, row`` and the states of rows of earlier deliveries whose source has delivered since.

    Returns:
        None when a surname is new and parts a name that was printed before, so that everything has to be linked anew.
    """
    standing.show("kept_written", "kept_combination", "kept_mention", "kept_printed", "kept_unspaced", "kept_delivery")
    standing.show("kept_surname", "kept_decision", "kept_parted")
    connection.execute(forms.MACROS)
    first = connection.execute("SELECT coalesce(max(mention) + 1, 0) FROM kept_mention").fetchall()[0][0]
    surnames = frozenset(s for (s,) in connection.execute("FROM kept_surname").fetchall())
    connection.execute(f"CREATE OR REPLACE SCHEMA {MONTH}")
    connection.execute(f"SET schema = '{MONTH}'")
    known = forms.gather_forms(connection, mentions, printing, first=first, surnames=surnames, is_packed=False)
    forms.make_register(connection)
    told = connection.execute("SELECT count(*) FROM register").fetchall()[0][0]
    connection.execute("SET schema = 'main'")
    if _parts_old_names(connection, known, known - surnames):
        return None
    for statement in MORE:
        connection.execute(statement)
    known_again = connection.sql("SELECT form FROM month_form WHERE is_known").to_arrow_table()["form"]
    connection.register("written_before", standing.rows("kept_written", "form", known_again))
    for statement in MORE_FORM:
        connection.execute(statement)
    connection.unregister("written_before")
    for name, query in BESIDE.items():
        if name not in ("landed", "other_place", "register"):
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
    connection.execute(forms.MENTION_VIEW)
    changed = 0
    if told or restated.num_rows:
        put_rows_together(connection, standing)
        changed = _restate(connection, restated)
    return More(known, is_register_told=bool(told or changed))


def _restate(connection: duckdb.DuckDBPyConnection, restated: pa.Table) -> int:
    """Bring the states of earlier rows up to date; returns how many rows of the register that changed."""
    connection.register("restated", restated)
    changed = [connection.execute(statement).fetchall()[0][0] for statement in RESTATED]
    connection.unregister("restated")
    return int(changed[-1])


def are_rows_together(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether ``put_rows_together`` was done."""
    found = connection.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'form'").fetchall()
    return not found[0][0]


def put_rows_together(connection: duckdb.DuckDBPyConnection, standing: kept.Standing) -> None:
    """Make tables of what ``gather_more`` left as views: all rows are wanted now. What only the next run needs is handed over."""
    if are_rows_together(connection):
        return
    standing.show("kept_landed", "kept_other_place", "kept_register")
    connection.execute("DROP VIEW IF EXISTS mention")
    for name, query in BESIDE.items():
        order = f" ORDER BY {ORDERED[name]}" if name in ORDERED else ""
        connection.execute(f"CREATE TABLE whole_{name} AS FROM ({query}){order}")
        connection.execute(
            f"DROP VIEW IF EXISTS {name}; ALTER TABLE whole_{name} RENAME TO {name}; DROP TABLE more_{name}"
        )
    connection.execute(forms.MENTION_VIEW)
    standing.set_aside()


def same_decisions(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether people decided what they had decided at the run before, in the same order."""
    now, before = (
        connection.execute(query).fetchall()
        for query in ("SELECT left_ref, right_ref, is_same FROM decision ORDER BY position", "FROM kept_decision")
    )
    return bool(now == before)


def _parts_old_names(connection: duckdb.DuckDBPyConnection, surnames: frozenset[str], fresh: frozenset[str]) -> bool:
    if not fresh:
        return False
    old = connection.execute("SELECT value, name, surname, given FROM kept_unspaced").fetchall()
    begun = {name: form for name, *form in old if form[0] and any(form[0].startswith(s) for s in fresh)}
    again = names_of(begun, surnames)
    return any([n.key or None, n.surname or None, n.given or None] != begun[name] for name, n in again.items())


TOUCHED = (
    """CREATE OR REPLACE TABLE touched AS
       WITH changed AS (
           SELECT coalesce(n.person, k.person) AS person FROM person_sign n FULL JOIN kept_person k USING (person)
           WHERE n.sign IS DISTINCT FROM k.sign
       )
       FROM changed UNION SELECT other FROM changed JOIN family USING (person)""",
    """CREATE OR REPLACE TABLE touched_name AS
       SELECT * EXCLUDE (person) FROM spine_known SEMI JOIN touched USING (person)
       UNION SELECT * EXCLUDE (person) FROM kept_name SEMI JOIN touched USING (person)""",
    """CREATE OR REPLACE TABLE touched_number AS
       SELECT resident_number FROM spine_number SEMI JOIN touched USING (person)
       UNION SELECT resident_number FROM kept_number SEMI JOIN touched USING (person)""",
)
"""Whoever changed, came or went, and their families; by all names and numbers, those of before included."""

OPEN = "(FROM form ANTI JOIN spine_form USING (form))"
UNREAD = "(SELECT * FROM {table} x WHERE contains(x.name, '〓'))"
"""Names with a character nobody could read are alike to many; there are few of them."""

FRESH = """
CREATE OR REPLACE TABLE fresh_form AS
SELECT form FROM changed_form
UNION SELECT form FROM form SEMI JOIN kept_parted USING (form_hash)
UNION SELECT left_form FROM decided UNION SELECT right_form FROM decided
"""
"""Forms that are new or changed, and that a person decided about."""

UNDECIDED = """
INSERT INTO fresh_form
SELECT p.form FROM placed p JOIN (SELECT left_ref AS ref FROM kept_decision UNION SELECT right_ref FROM kept_decision)
    ON ref = p.receipt || ':' || p.row || ':' || p.role
"""
"""Those that a person had decided about."""

COULD_MEAN = f"""
INSERT INTO fresh_form
SELECT o.form FROM kept_outcome o SEMI JOIN touched USING (person)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_number USING (resident_number)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (name)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (sorted_kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (turned_kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN (SELECT born_on, given || surname AS name FROM touched_name) USING (born_on, name)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN (FROM touched_name WHERE {IS_FOREIGN}) USING (born_on)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (born_on, given_kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (born_on, given)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN (SELECT born_on FROM spine SEMI JOIN touched USING (person)) USING (born_on) WHERE {NO_NAME}
UNION SELECT f.form FROM {OPEN} f JOIN {UNREAD.format(table="touched_name")} t USING (born_on)
UNION SELECT f.form FROM {UNREAD.format(table=OPEN)} f JOIN touched_name t USING (born_on)
UNION SELECT f.form FROM {OPEN} f JOIN {UNREAD.format(table="touched_name")} t ON length(t.name) = length(f.name)
    WHERE f.born_on IS NULL AND same_name(f.name, t.name)
UNION SELECT f.form FROM {UNREAD.format(table=OPEN)} f JOIN touched_name t ON length(t.name) = length(f.name)
    WHERE f.born_on IS NULL AND same_name(f.name, t.name)
"""
"""Those that could mean somebody who changed."""

TOGETHER = """
INSERT INTO fresh_form
SELECT f.form FROM form f SEMI JOIN (SELECT DISTINCT system, own_number FROM form SEMI JOIN fresh_form USING (form) WHERE own_number IS NOT NULL)
    USING (system, own_number)
"""

PENDING = """
CREATE OR REPLACE TABLE pending AS
SELECT form FROM fresh_form UNION SELECT form FROM kept_open EXCEPT SELECT form FROM spine_form
"""
"""What is linked again: whatever nothing settles."""

STIRRED_FIRST = (
    """CREATE OR REPLACE TABLE pending AS
       SELECT form FROM fresh_form UNION SELECT form FROM kept_open WHERE NOT can_stand EXCEPT SELECT form FROM spine_form""",
    """CREATE OR REPLACE TEMP TABLE newly AS
       SELECT form, system, own_number, resident_number, name, kana, born_on, o.person FROM form SEMI JOIN fresh_form USING (form)
       LEFT JOIN (SELECT form, person FROM kept_open WHERE rule = 'NEW') o USING (form)
       UNION ALL SELECT form, system, own_number, NULL, NULL, NULL, NULL, NULL FROM kept_open WHERE NOT can_stand""",
)
"""While the spine is the same, open records and those that rest on how common a name is stay as they are, unless stirred."""

QUIET = "(FROM kept_open ANTI JOIN pending USING (form) WHERE can_stand)"

STIRRED = f"""
CREATE OR REPLACE TEMP TABLE stirred AS
SELECT form FROM {QUIET} SEMI JOIN (FROM newly WHERE own_number IS NOT NULL) USING (system, own_number)
UNION SELECT form FROM {QUIET} SEMI JOIN newly USING (born_on, kana)
UNION SELECT form FROM {QUIET} SEMI JOIN newly USING (born_on, name)
UNION SELECT form FROM {QUIET} SEMI JOIN newly USING (born_on, resident_number)
UNION SELECT form FROM {QUIET} WHERE rule = 'NEW' AND person IN (SELECT person FROM newly)
"""
"""Those that share a number of their source with what is linked again, or could be the same newcomer."""

STIRRED_AT_SCHOOL = f"""
CREATE OR REPLACE TEMP TABLE stirred AS
WITH known AS (
    FROM spine_known SEMI JOIN near_person USING (person)
), quiet AS (
    SELECT *, substr(born_on, 1, 4) AS born_year, substr(born_on, 6) AS born_day FROM {QUIET} WHERE is_schooled
)
SELECT form FROM quiet SEMI JOIN known USING (born_on, given_kana)
UNION SELECT form FROM quiet SEMI JOIN known USING (born_on, given)
UNION SELECT q.form FROM quiet q JOIN known k USING (born_on) WHERE contains(q.given, '〓') OR contains(k.given, '〓')
UNION SELECT q.form FROM quiet q JOIN known k USING (kana) WHERE {{near}}
UNION SELECT q.form FROM quiet q JOIN known k USING (name) WHERE {{near}}
""".format(
    near="q.born_day = k.born_day OR abs(try_cast(q.born_year AS INTEGER) - try_cast(k.born_year AS INTEGER)) <= 1"
)
"""Those that could mean somebody of whom another school may be known now."""

STIR = (
    "INSERT INTO pending FROM stirred",
    """CREATE OR REPLACE TEMP TABLE newly AS
       SELECT form, system, own_number, resident_number, name, kana, born_on, CASE WHEN rule = 'NEW' THEN person END AS person
       FROM kept_open SEMI JOIN stirred USING (form)""",
)


def find_pending(
    connection: duckdb.DuckDBPyConnection, standing: kept.Standing, *, is_standing: bool, may_stand: bool
) -> None:
    """Make the table ``pending``: the forms whose outcome is not taken over; and ``touched``, the persons who changed.

    Args:
        is_standing: the spine is that of the run before.
        may_stand: then open records may stay open, and what rests on how common a name is may stand too.
    """
    standing.show("kept_outcome", "kept_open", "kept_doubt")
    connection.execute(FRESH)
    if connection.execute("SELECT count(*) FROM kept_decision").fetchall()[0][0]:
        connection.execute(UNDECIDED)
    if is_standing:
        connection.execute("CREATE OR REPLACE TABLE touched (person BIGINT)")
    else:
        standing.show("kept_person", "kept_name", "kept_number")
        for statement in (kept.PERSON_SIGN, *TOUCHED, COULD_MEAN):
            connection.execute(statement)
    connection.execute(TOGETHER)
    if is_standing and may_stand:
        for statement in STIRRED_FIRST:
            connection.execute(statement)
        stir(connection)
    else:
        connection.execute(PENDING)


def stir(connection: duckdb.DuckDBPyConnection, first: str = STIRRED) -> None:
    """Add to ``pending`` what is stirred by ``newly``, and by what that stirs."""
    connection.execute(first)
    while connection.execute("SELECT count(*) FROM stirred").fetchall()[0][0]:
        for statement in STIR:
            connection.execute(statement)
        connection.execute(STIRRED)

"""Link a new delivery onto the run before: what nothing new can have changed is taken over (identity side).

Forms are made of the new rows alone and added to those of before. The register's spine is built as always, out of
forms that are already normalised; where the register told nothing new and nobody decided anything, the spine of the
run before stands (``kept.SPINE_TABLES``). A form keeps its
person without being compared again if (1) a certain rule found it, or the family beside it, or its
address; (2) it is printed as before; (3) nobody whom it could mean by number, name or birth date has
changed, come or gone; (4) no record under the same number of its own source is new or changed; and
(5) nobody decided anything about it. Every other form is linked as in a run from the beginning,
against all persons. Whatever rests on how common a name is (B2, G1, W2, the model, call names) is
never taken over: frequencies are those of the whole city at each run, none is frozen. So the outcome is
that of linking everything anew; ``tests/unit/linkage/test_increment.py`` holds it to that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.intake.normalise_columns import names_of
from kodomo.linkage import forms, kept
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
    coalesce(o.form, (SELECT coalesce(max(form), 0) FROM main.form) + row_number() OVER (PARTITION BY o.form IS NULL ORDER BY n.form)) AS form
FROM {MONTH}.form n LEFT JOIN main.form o USING (form_hash)
"""

TOLD_AGAIN = """
CREATE OR REPLACE TEMP TABLE told_again AS
WITH combination AS (
    SELECT form, combo, min(mention) AS first, min(known_from) AS seen_from, max(known_from) AS seen_to, count(*) AS rows
    FROM main.placed SEMI JOIN (FROM month_form WHERE is_known) USING (form) GROUP BY form, combo
)
SELECT form, arg_min(combo, (seen_from, first)) AS combo, min(seen_from) AS seen_from, max(seen_to) AS seen_to, sum(rows)::BIGINT AS rows
FROM combination GROUP BY form
"""
"""Forms of before that a new row writes once more: since when, how often, and in which way first."""

WRITTEN_FIRST = f"""
CREATE OR REPLACE TEMP TABLE written_first AS
SELECT t.form, o.form_hash, c.mate_hash, {forms.FORM_COLUMNS}, t.seen_from, t.seen_to, t.rows
FROM told_again t JOIN main.form o USING (form) JOIN {MONTH}.formed c USING (combo) JOIN {MONTH}.base b ON b.print = c.print
LEFT JOIN (SELECT print, name, kana FROM {MONTH}.base) g ON b.role = 'subject' AND g.print = c.partner
"""
"""An old row that is delivered late may be the first of all; what moves on under one number is told by the first."""

SIGNED = f"SELECT form, {kept.FORM_SIGN} AS sign FROM main.form"

MERGE = (
    SAME_FORM,
    f"CREATE OR REPLACE TEMP TABLE sign_before AS {SIGNED} SEMI JOIN month_form USING (form)",
    f"""INSERT INTO main.placed
        SELECT p.mention, p.receipt, p.row, p.role, p.kind, f.form, m.form, p.print, p.combo, p.known_from, p.is_superseded
        FROM {MONTH}.placed p JOIN month_form f ON f.month_form = p.form LEFT JOIN month_form m ON m.month_form = p.mate ORDER BY p.mention""",
    f"""INSERT INTO main.formed
        SELECT c.combo, c.print, f.form, m.form FROM {MONTH}.formed c ANTI JOIN main.formed o USING (combo)
        JOIN month_form f ON f.month_form = c.form LEFT JOIN month_form m ON m.month_form = c.mate""",
    TOLD_AGAIN,
    WRITTEN_FIRST,
    """UPDATE main.form SET seen_from = t.seen_from, seen_to = t.seen_to, rows = t.rows
       FROM (FROM told_again ANTI JOIN written_first USING (form)) t WHERE t.form = main.form.form""",
    "DELETE FROM main.form WHERE form IN (SELECT form FROM written_first)",
    "INSERT INTO main.form BY NAME FROM written_first",
    f"""INSERT INTO main.form BY NAME
        SELECT n.* REPLACE (f.form AS form) FROM {MONTH}.form n JOIN month_form f ON f.month_form = n.form WHERE NOT f.is_known ORDER BY f.form""",
    f"""CREATE OR REPLACE TABLE changed_form AS
        SELECT form FROM ({SIGNED} SEMI JOIN month_form USING (form)) n LEFT JOIN sign_before b USING (form) WHERE b.sign IS DISTINCT FROM n.sign""",
    f"INSERT INTO main.printed FROM {MONTH}.printed ANTI JOIN main.printed USING (print)",
    f"INSERT INTO main.unspaced FROM {MONTH}.unspaced ANTI JOIN main.unspaced USING (value)",
    f"INSERT INTO main.delivery FROM {MONTH}.delivery ANTI JOIN main.delivery USING (receipt, source, file)",
    f"INSERT INTO main.landed FROM {MONTH}.landed",
    f"INSERT INTO main.other_place FROM {MONTH}.other_place",
    f"""INSERT INTO main.register BY NAME
        SELECT r.* REPLACE (f.form AS form) FROM {MONTH}.register r JOIN month_form f ON f.month_form = r.form ORDER BY r.mention""",
    f"DROP SCHEMA {MONTH} CASCADE",
    "DROP TABLE month_form; DROP TABLE told_again; DROP TABLE written_first; DROP TABLE sign_before",
)


@dataclass(frozen=True)
class More:
    """What the month's rows brought: the surnames known now, and whether the register tells anything new or otherwise."""

    surnames: frozenset[str]
    is_register_told: bool


def gather_more(
    connection: duckdb.DuckDBPyConnection,
    mentions: Iterable[pa.Table],
    restated: pa.Table,
    printing: forms.Printing,
) -> More | None:
    """Make the tables of ``forms.gather_forms`` and ``register`` out of what the run before kept and the mentions landed since.

    Args:
        restated: ``receipt, row`` and the states of rows of earlier deliveries whose source has delivered since.

    Returns:
        None when a surname is new and parts a name that was printed before, so that everything has to be linked anew.
    """
    for statement in (forms.MACROS, forms.MENTION_VIEW):
        connection.execute(statement)
    first = connection.execute("SELECT coalesce(max(mention) + 1, 0) FROM placed").fetchall()[0][0]
    surnames = frozenset(s for (s,) in connection.execute("FROM kept_surname").fetchall())
    connection.execute(f"CREATE OR REPLACE SCHEMA {MONTH}")
    connection.execute(f"SET schema = '{MONTH}'")
    known = forms.gather_forms(connection, mentions, printing, first=first, surnames=surnames, is_packed=False)
    forms.make_register(connection)
    told = connection.execute("SELECT count(*) FROM register").fetchall()[0][0]
    connection.execute("SET schema = 'main'")
    if _parts_old_names(connection, known, known - surnames):
        return None
    connection.register("restated", restated)
    for statement in RESTATED:
        changed = connection.execute(statement).fetchall()[0][0]  # of the last: rows of the register
    connection.unregister("restated")
    for statement in MERGE:
        connection.execute(statement)
    return More(known, is_register_told=bool(told or changed))


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
    old = connection.execute("SELECT value, name, surname, given FROM unspaced").fetchall()
    begun = {name: form for name, *form in old if form[0] and any(form[0].startswith(s) for s in fresh)}
    again = names_of(begun, surnames)
    return any([n.key or None, n.surname or None, n.given or None] != begun[name] for name, n in again.items())


TOUCHED = (
    """CREATE OR REPLACE TABLE touched AS
       WITH changed AS (
           SELECT coalesce(n.leader, k.leader) AS leader FROM person_sign n FULL JOIN kept_person k USING (leader)
           WHERE n.sign IS DISTINCT FROM k.sign
       )
       FROM changed UNION
       SELECT o.leader FROM changed JOIN leader l USING (leader) JOIN family f USING (person) JOIN leader o ON o.person = f.other""",
    """CREATE OR REPLACE TABLE touched_name AS
       SELECT n.* EXCLUDE (person), p.born_on FROM spine_name n JOIN leader USING (person) JOIN spine p USING (person) SEMI JOIN touched USING (leader)
       UNION SELECT * EXCLUDE (leader, person) FROM kept_name SEMI JOIN touched USING (leader)""",
    """CREATE OR REPLACE TABLE touched_number AS
       SELECT resident_number FROM spine_number JOIN leader USING (person) SEMI JOIN touched USING (leader)
       UNION SELECT resident_number FROM kept_number SEMI JOIN touched USING (leader)""",
)
"""Whoever changed, came or went, and their families; by all names and numbers, those of before included."""

OPEN = "(FROM form ANTI JOIN spine_form USING (form))"
UNREAD = "(SELECT * FROM {table} x WHERE contains(x.name, '〓'))"
"""Names with a character nobody could read are alike to many; there are few of them."""

FRESH = f"""
CREATE OR REPLACE TABLE fresh_form AS
SELECT form FROM changed_form ANTI JOIN spine_form USING (form)
UNION SELECT form FROM form WHERE form_hash IN (SELECT form_hash FROM form GROUP BY form_hash HAVING count(*) > 1 UNION FROM kept_parted)
UNION SELECT left_form FROM decided UNION SELECT right_form FROM decided
UNION SELECT p.form FROM placed p JOIN (SELECT left_ref AS ref FROM kept_decision UNION SELECT right_ref FROM kept_decision)
    ON ref = p.receipt || ':' || p.row || ':' || p.role
UNION SELECT o.form FROM kept_outcome o SEMI JOIN touched USING (leader)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_number USING (resident_number)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (name)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (sorted_kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (turned_kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (born_on, given_kana)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN touched_name USING (born_on, given)
UNION SELECT f.form FROM {OPEN} f SEMI JOIN (SELECT p.born_on FROM spine p JOIN leader USING (person) SEMI JOIN touched USING (leader)) USING (born_on)
    WHERE {NO_NAME}
UNION SELECT f.form FROM {OPEN} f JOIN {UNREAD.format(table="touched_name")} t USING (born_on)
UNION SELECT f.form FROM {UNREAD.format(table=OPEN)} f JOIN touched_name t USING (born_on)
UNION SELECT f.form FROM {OPEN} f JOIN {UNREAD.format(table="touched_name")} t ON length(t.name) = length(f.name)
    WHERE f.born_on IS NULL AND same_name(f.name, t.name)
UNION SELECT f.form FROM {UNREAD.format(table=OPEN)} f JOIN touched_name t ON length(t.name) = length(f.name)
    WHERE f.born_on IS NULL AND same_name(f.name, t.name)
"""
"""Forms that are new or changed, that a person decided about, and that could mean somebody who changed."""

TOGETHER = """
INSERT INTO fresh_form
SELECT f.form FROM form f JOIN (SELECT DISTINCT system, own_number FROM form SEMI JOIN fresh_form USING (form) WHERE own_number IS NOT NULL)
    USING (system, own_number)
ANTI JOIN fresh_form x ON x.form = f.form
"""

SETTLED = f"""
CREATE OR REPLACE TABLE settled AS
SELECT o.form, l.person, o.rule, o.weight,
    CASE WHEN o.rule IN {kept.BY_KEY} THEN 'FIRST' WHEN o.rule = 'S1' THEN 'OWN'
         WHEN o.rule = 'W1' AND f.role = 'holder' THEN 'HOLDER' ELSE 'KIN' END AS since
FROM kept_outcome o JOIN leader l USING (leader) JOIN form f ON f.form = o.form ANTI JOIN fresh_form x ON x.form = o.form
WHERE o.is_early OR (o.rule IN ('R1', 'W1') AND f.born_on IS NULL AND f.role <> 'subject')
"""
"""What is taken over, and from when on: at once, after own numbers were first followed, or after relatives.

Holders not before that either: their numbers would be followed too soon."""

KIN_CHANGED = (
    """CREATE OR REPLACE TABLE kin_changed AS
       SELECT leader FROM (FROM kin_seen EXCEPT FROM kept_kin) UNION SELECT leader FROM (FROM kept_kin EXCEPT FROM kin_seen)
       UNION SELECT k.leader FROM kin_seen k JOIN touched t ON t.leader = k.other UNION FROM touched""",
    """DELETE FROM settled WHERE since = 'KIN' AND form IN (
           SELECT form FROM (FROM mate_seen EXCEPT FROM kept_mate) UNION SELECT form FROM (FROM kept_mate EXCEPT FROM mate_seen)
           UNION SELECT form FROM mate_seen SEMI JOIN kin_changed USING (leader))""",
)
"""Relatives are looked for again wherever the child is another, or its family or those found beside it changed."""


NOBODY_TOUCHED = (
    "CREATE OR REPLACE TABLE person_sign AS FROM kept_person",
    "CREATE OR REPLACE TABLE touched AS SELECT leader FROM leader LIMIT 0",
    "CREATE OR REPLACE TABLE touched_name AS SELECT * EXCLUDE (leader, person) FROM kept_name LIMIT 0",
    "CREATE OR REPLACE TABLE touched_number AS SELECT resident_number FROM kept_number LIMIT 0",
)
"""Where the spine stands as it was."""

NOTHING_SETTLED = (
    "CREATE OR REPLACE TABLE settled (form BIGINT, person BIGINT, rule VARCHAR, weight DOUBLE, since VARCHAR)"
)


class Replay:
    """Takes the outcomes of the run before over, each at the point of the sequence where it was reached.

    And notes at these points what the next run has to know; all that a run from the beginning (``is_empty``) does.
    ``is_standing``: the spine is that of the run before.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, is_empty: bool, is_standing: bool = False) -> None:
        self._connection, self._is_empty, self._is_standing = connection, is_empty, is_standing

    def begin(self) -> None:
        """Find what can be taken over; call when the spine stands and before any rule ran."""
        touched = NOBODY_TOUCHED if self._is_standing else (kept.PERSON_SIGN, *(() if self._is_empty else TOUCHED))
        found = (NOTHING_SETTLED,) if self._is_empty else (FRESH, TOGETHER, SETTLED)
        for statement in (*touched, *found):
            self._connection.execute(statement)
        self._take_over("FIRST")

    def after_own_numbers(self) -> None:
        """Call when a source's own numbers have been followed for the first time."""
        self._take_over("OWN")
        self._connection.execute(kept.EARLY)

    def before_relatives(self) -> None:
        """Call when all subjects are known that can be known before their relatives."""
        for statement in (kept.KIN, kept.MATE):
            self._connection.execute(statement)
        if self._is_empty:
            return
        for statement in KIN_CHANGED:
            self._connection.execute(statement)
        self._wait()

    def after_relatives(self) -> None:
        """Call when the relatives of what is new have been looked for."""
        self._take_over("KIN")
        self._take_over("HOLDER")

    def figures(self) -> dict[str, Any]:
        """How many forms and rows were compared, and how many forms taken over."""
        rows = self._connection.execute(
            """SELECT count(*) FILTER (s.form IS NULL), coalesce(sum(f.rows) FILTER (s.form IS NULL), 0), count(s.form)
               FROM form f ANTI JOIN spine_form USING (form) LEFT JOIN settled s ON s.form = f.form"""
        ).fetchall()
        compared, records, taken = rows[0]
        return {"forms_compared": int(compared), "records_compared": int(records), "forms_taken_over": int(taken)}

    def _take_over(self, since: str) -> None:
        self._connection.execute(
            """INSERT INTO link SELECT form, person, rule, weight FROM settled WHERE since = ?
               AND form NOT IN (SELECT form FROM link)""",
            [since],
        )
        self._wait()

    def _wait(self) -> None:
        self._connection.execute(
            "CREATE OR REPLACE TABLE waiting AS SELECT form FROM settled ANTI JOIN link USING (form)"
        )

"""Link a new delivery onto the run before: what nothing new can have changed is taken over (identity side).

The register's spine is built as always, out of forms that are already normalised. A form keeps its
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
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.intake.normalise import learn_surnames
from kodomo.intake.normalise_columns import names_of
from kodomo.linkage import forms, kept

RESTORE = (
    """CREATE OR REPLACE TABLE incoming_mention AS
       SELECT m.mention, m.receipt, m.row, m.role, m.kind, c.print, c.partner, c.mate, m.combo, m.known_from,
           coalesce(s.is_superseded, m.is_superseded) AS is_superseded
       FROM kept_mention m JOIN kept_combination c USING (combo) LEFT JOIN restated s USING (receipt, row) ORDER BY m.mention""",
    """CREATE OR REPLACE TABLE incoming_register AS
       SELECT r.* REPLACE (
           CASE WHEN s.row IS NULL THEN r.is_silent ELSE s.is_superseded OR s.is_duplicate END AS is_silent,
           CASE WHEN s.row IS NULL THEN r.has_stood ELSE NOT s.is_duplicate AND coalesce(s.told_until > s.told_on, true) END AS has_stood,
           CASE WHEN s.row IS NULL THEN r.told_from WHEN NOT s.is_initial THEN s.told_on END AS told_from,
           CASE WHEN s.row IS NULL THEN r.told_to ELSE s.told_until END AS told_to)
       FROM kept_register r JOIN kept_mention m USING (mention) LEFT JOIN restated s ON s.receipt = m.receipt AND s.row = m.row
       ORDER BY r.mention""",
)
"""Rows of earlier deliveries as they are; which of them a new one corrects is told by ``restated``."""

UNSPACED = """
SELECT DISTINCT p.name, b.name AS folded, b.surname, b.given FROM printed p JOIN base b USING (print)
WHERE p.name IS NOT NULL AND NOT regexp_matches(trim(p.name), '\\s')
"""


def gather_more(
    connection: duckdb.DuckDBPyConnection,
    mentions: Iterable[pa.Table],
    restated: pa.Table,
    printing: forms.Printing,
) -> frozenset[str] | None:
    """Make the tables of ``forms.gather_forms`` out of what the run before kept and the mentions landed since.

    Args:
        restated: ``receipt, row`` and the states of rows of earlier deliveries whose source has delivered since.

    Returns:
        The surnames known now; None when one of them is new and parts a name that was printed before, so
        that everything has to be linked anew.
    """
    connection.execute(forms.MACROS)
    connection.register("restated", restated)
    for statement in RESTORE:
        connection.execute(statement)
    connection.unregister("restated")
    first = connection.execute("SELECT coalesce(max(mention) + 1, 0) FROM incoming_mention").fetchall()[0][0]
    landed = list(mentions)  # a month is small: one pass over all of it
    forms.take_in_all(connection, [pa.concat_tables(landed)] if landed else [], printing, first)
    surnames = frozenset(s for (s,) in connection.execute("FROM kept_surname").fetchall())
    fresh = connection.execute("SELECT DISTINCT name FROM printed ANTI JOIN base USING (print) WHERE name IS NOT NULL")
    known = surnames | learn_surnames([name for (name,) in fresh.fetchall()])
    if _parts_old_names(connection, known, known - surnames):
        return None
    forms.make_forms(connection, printing, known)
    return known


def _parts_old_names(connection: duckdb.DuckDBPyConnection, surnames: frozenset[str], fresh: frozenset[str]) -> bool:
    if not fresh:
        return False
    old = connection.execute(UNSPACED).fetchall()
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
       UNION SELECT * EXCLUDE (leader) FROM kept_name SEMI JOIN touched USING (leader)""",
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
SELECT f.form FROM {OPEN} f LEFT JOIN kept_form k ON k.form = f.form JOIN form_sign s ON s.form = f.form WHERE k.sign IS DISTINCT FROM s.sign
UNION SELECT form FROM form WHERE form_hash IN (SELECT form_hash FROM form GROUP BY form_hash HAVING count(*) > 1)
UNION SELECT form FROM kept_form WHERE form_hash IN (SELECT form_hash FROM kept_form GROUP BY form_hash HAVING count(*) > 1)
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
    CASE WHEN o.rule IN {kept.BY_KEY} OR (o.rule = 'W1' AND f.role = 'holder') THEN 'FIRST'
         WHEN o.rule = 'S1' THEN 'OWN' ELSE 'KIN' END AS since
FROM kept_outcome o JOIN leader l USING (leader) JOIN form f ON f.form = o.form ANTI JOIN fresh_form x ON x.form = o.form
WHERE o.is_early OR (o.rule IN ('R1', 'W1') AND f.born_on IS NULL AND f.role <> 'subject')
"""
"""What is taken over, and from when on: at once, after own numbers were first followed, or after relatives."""

KIN_CHANGED = (
    """CREATE OR REPLACE TABLE kin_changed AS
       SELECT leader FROM (FROM kin_seen EXCEPT FROM kept_kin) UNION SELECT leader FROM (FROM kept_kin EXCEPT FROM kin_seen)
       UNION SELECT k.leader FROM kin_seen k JOIN touched t ON t.leader = k.other UNION FROM touched""",
    """DELETE FROM settled WHERE since = 'KIN' AND form IN (
           SELECT form FROM (FROM mate_seen EXCEPT FROM kept_mate) UNION SELECT form FROM (FROM kept_mate EXCEPT FROM mate_seen)
           UNION SELECT form FROM mate_seen SEMI JOIN kin_changed USING (leader))""",
)
"""Relatives are looked for again wherever the child is another, or its family or those found beside it changed."""


NOTHING_SETTLED = (
    "CREATE OR REPLACE TABLE settled (form BIGINT, person BIGINT, rule VARCHAR, weight DOUBLE, since VARCHAR)"
)


class Replay:
    """Takes the outcomes of the run before over, each at the point of the sequence where it was reached.

    And notes at these points what the next run has to know; all that a run from the beginning (``is_empty``) does.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, is_empty: bool) -> None:
        self._connection, self._is_empty = connection, is_empty

    def begin(self) -> None:
        """Find what can be taken over; call when the spine stands and before any rule ran."""
        found = (NOTHING_SETTLED,) if self._is_empty else (*TOUCHED, FRESH, TOGETHER, SETTLED)
        for statement in (kept.FORM_SIGN, kept.PERSON_SIGN, *found):
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

"""A run that builds on the one before: what it takes over, at which point, and how its outcome becomes the whole city's (identity side)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb

from kodomo.linkage import foreign, increment, kept, rules, spine
from kodomo.linkage.decide import settle_newcomers
from kodomo.linkage.vicinity import NEAR, Vicinity
from kodomo.tables.engine import release


class Beginning:
    """A run from the beginning: takes nothing over, and notes on the way what the next run has to know."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def begin(self) -> None:
        """Call when links were started and before any rule ran."""
        self._execute(kept.PERSON_SIGN)

    def after_own_numbers(self) -> None:
        """Call when a source's own numbers have been followed for the first time."""
        self._connection.execute(kept.EARLY)

    def show(self, persons: str) -> None:
        """Call when the model wants to know names, places and families of a query's persons."""

    def after_model(self) -> None:
        """Call when the model has decided."""

    def before_relatives(self) -> None:
        """Call when all subjects are known that can be known before their relatives."""
        self._execute(kept.KIN, kept.MATE)

    def after_relatives(self) -> None:
        """Call when the relatives of what is new have been looked for."""

    def after_newcomers(self) -> None:
        """Call when newcomers were told from everybody else."""

    def widen(self) -> None:
        """Call when all of the city is wanted under the usual names."""

    def figures(self) -> dict[str, Any]:
        """How many forms and rows were compared, and how many forms taken over."""
        compared, records = self._execute(
            "SELECT count(*), coalesce(sum(rows), 0) FROM form ANTI JOIN spine_form USING (form)"
        )[0]
        return {"forms_compared": int(compared), "records_compared": int(records), "forms_taken_over": 0}

    def _execute(self, *statements: str) -> list[tuple[Any, ...]]:
        for statement in statements:
            found = self._connection.execute(statement)
        rows: list[tuple[Any, ...]] = found.fetchall()
        return rows


KIN_CHANGED = (
    """CREATE OR REPLACE TABLE kin_changed AS
       WITH now AS (FROM kin_seen SEMI JOIN near_person USING (person)), before AS (FROM kept_kin SEMI JOIN near_person USING (person))
       SELECT person FROM (FROM now EXCEPT FROM before) UNION SELECT person FROM (FROM before EXCEPT FROM now)
       UNION SELECT k.person FROM now k JOIN touched t ON t.person = k.other UNION FROM touched""",
    """CREATE OR REPLACE TABLE dropped AS
       WITH now AS (FROM mate_seen SEMI JOIN near_told USING (form)), before AS (FROM kept_mate SEMI JOIN near_told USING (form))
       SELECT form FROM settled WHERE since = 'KIN' AND form IN (
           SELECT form FROM (FROM now EXCEPT FROM before) UNION SELECT form FROM (FROM before EXCEPT FROM now)
           UNION SELECT form FROM now SEMI JOIN kin_changed USING (person))""",
    "DELETE FROM settled WHERE form IN (FROM dropped)",
)
"""Relatives are looked for again wherever the child is another, or its family or those found beside it changed."""

CAUGHT_UP = """
INSERT INTO link SELECT form, person, 'REGISTER', NULL FROM spine_form ANTI JOIN link USING (form)
UNION ALL SELECT form, person, rule, weight FROM settled ANTI JOIN link USING (form) WHERE since IN (SELECT unnest(?::VARCHAR[]))
"""

LEADING_ON = """
SELECT person FROM link WHERE rule = 'MODEL' AND (form IN (FROM (SELECT form FROM own)) OR form IN (SELECT mate FROM placed))
"""
"""Whom the model found where more follows from it: another record of the same number, or somebody named beside."""

KIN_TOUCHED = "SELECT person FROM touched UNION SELECT person FROM kept_kin WHERE other IN (SELECT person FROM touched)"

WHOLE = (
    f"DELETE FROM form WHERE form IN (SELECT form FROM {NEAR}.parted)",
    f"INSERT INTO form BY NAME FROM {NEAR}.form SEMI JOIN {NEAR}.parted USING (form)",
    f"""UPDATE placed SET form = n.form, mate = n.mate FROM {NEAR}.placed n
        WHERE n.mention = placed.mention AND (n.form, n.mate) IS DISTINCT FROM (placed.form, placed.mate)""",
)
"""Forms that fall to two bearers of a number are parted where they are near."""

OUTCOME = (
    f"""CREATE OR REPLACE TABLE link AS
        SELECT form, person, 'REGISTER' AS rule, NULL::DOUBLE AS weight FROM spine_form
        UNION ALL SELECT form, person, rule, weight FROM kept_outcome ANTI JOIN pending USING (form) ANTI JOIN {NEAR}.dropped USING (form)
        WHERE rule <> 'NEW'
        UNION ALL SELECT form, person, rule, weight FROM {NEAR}.link ANTI JOIN {NEAR}.settled USING (form) WHERE rule <> 'REGISTER'""",
    f"""CREATE OR REPLACE TABLE doubt AS
        FROM {NEAR}.doubt UNION ALL SELECT d.* FROM kept_doubt d SEMI JOIN (FROM kept_open WHERE can_stand) USING (form) ANTI JOIN pending USING (form)""",
    f"""CREATE OR REPLACE TABLE early AS
        FROM {NEAR}.early UNION SELECT form FROM kept_outcome ANTI JOIN pending USING (form) WHERE since = 'OWN'""",
    f"""CREATE OR REPLACE TABLE kin_seen AS
        FROM kept_kin ANTI JOIN {NEAR}.near_person USING (person) UNION ALL FROM {NEAR}.kin_seen SEMI JOIN {NEAR}.near_person USING (person)""",
    f"""CREATE OR REPLACE TABLE mate_seen AS
        FROM kept_mate ANTI JOIN {NEAR}.near_told USING (form) UNION ALL FROM {NEAR}.mate_seen ANTI JOIN (FROM {NEAR}.near_form ANTI JOIN {NEAR}.near_told USING (form)) USING (form)""",
    f"CREATE OR REPLACE TABLE verdict AS FROM {NEAR}.verdict",
    f"CREATE OR REPLACE TABLE decided AS FROM {NEAR}.decided",
    "CREATE OR REPLACE TABLE waiting (form BIGINT)",
    f"""CREATE OR REPLACE TABLE moved AS
        SELECT DISTINCT unnest([b.person, n.person]) AS person
        FROM (SELECT form, person FROM kept_outcome WHERE form IN (SELECT form FROM pending UNION FROM {NEAR}.dropped)
              UNION ALL SELECT form, person FROM kept_spine_form SEMI JOIN {NEAR}.near_form USING (form)) b
        FULL JOIN (SELECT form, person FROM {NEAR}.link ANTI JOIN {NEAR}.settled USING (form)) n USING (form)
        WHERE b.person IS DISTINCT FROM n.person
        UNION FROM touched""",
)
"""What was found near beside what stands of the run before."""


NEWCOMERS = "INSERT INTO link SELECT form, person, rule, weight FROM kept_outcome ANTI JOIN pending USING (form) WHERE rule = 'NEW'"
"""Before newcomers are told from everybody else, nobody is one."""

TAKEN = f"""
SELECT count(*), coalesce(sum(f.rows), 0) FROM form f
SEMI JOIN (SELECT form FROM kept_outcome UNION SELECT form FROM kept_open) USING (form) ANTI JOIN pending USING (form) ANTI JOIN {NEAR}.dropped USING (form)
"""


class Replay(Beginning):
    """Takes outcomes of the run before over, each at the point of the sequence where it was reached.

    Everything between ``begin`` and ``widen`` happens in ``vicinity.NEAR``.

    Args:
        is_standing: the spine is that of the run before.
        is_whole: rows and forms were put together already.
        may_stand: as ``increment.find_pending`` takes it.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        standing: kept.Standing,
        *,
        is_standing: bool,
        is_whole: bool,
        may_stand: bool = True,
    ) -> None:
        super().__init__(connection)
        self._standing, self._is_standing, self._is_whole, self._may_stand = standing, is_standing, is_whole, may_stand
        self._reached: list[str] = []
        self._is_wide, self._are_newcomers_known, self._taken = False, False, (0, 0)

    def open(self) -> None:
        """Find what is linked again, and bring near whomever it could mean; call when the spine stands."""
        self._standing.show("kept_kin", "kept_mate", "kept_spine_form")
        stands = self._is_standing and self._may_stand
        increment.find_pending(self._connection, self._standing, is_standing=self._is_standing, may_stand=stands)
        self._vicinity = Vicinity(
            self._connection, self._standing, is_whole=self._is_whole, is_standing=self._is_standing
        )
        self._vicinity.bring("SELECT form FROM main.pending", KIN_TOUCHED)
        if stands:
            increment.stir(self._connection, increment.STIRRED_AT_SCHOOL)
            self._execute("DELETE FROM settled WHERE form IN (FROM main.pending)")
            self._vicinity.bring("SELECT form FROM main.pending ANTI JOIN near_asked USING (form)")

    def begin(self) -> None:
        self._reach("FIRST")

    def after_own_numbers(self) -> None:
        self._reach("OWN")
        super().after_own_numbers()

    def show(self, persons: str) -> None:
        self._vicinity.show(persons)

    def after_model(self) -> None:
        self._vicinity.bring_persons(LEADING_ON)
        self._reach("MODEL")

    def before_relatives(self) -> None:
        super().before_relatives()
        self._execute(*KIN_CHANGED)
        if self._execute("SELECT count(*) FROM dropped")[0][0]:
            self._vicinity.bring("SELECT form FROM dropped")
        self._reach()

    def after_relatives(self) -> None:
        self._reach("KIN", "HOLDER")

    def after_newcomers(self) -> None:
        self._are_newcomers_known = True

    def _reach(self, *points: str) -> None:
        self._reached += points
        self._connection.execute(CAUGHT_UP, [self._reached])
        self._execute("CREATE OR REPLACE TABLE waiting AS SELECT form FROM settled ANTI JOIN link USING (form)")

    def widen(self) -> None:
        """Make the whole city's tables out of what stands and what was found near; once is enough."""
        if self._is_wide:
            return
        self._is_wide = True
        self._vicinity.leave()
        increment.put_rows_together(self._connection, self._standing)
        if self._is_standing:
            self._stand_as_tables()
        self._execute(f"""CREATE TABLE {NEAR}.parted AS SELECT form FROM {NEAR}.form
                          WHERE form_hash IN (SELECT form_hash FROM {NEAR}.form GROUP BY form_hash HAVING count(*) > 1)""")
        self._execute(*WHOLE, *OUTCOME)
        if self._are_newcomers_known:
            self._execute(NEWCOMERS)
            settle_newcomers(self._connection)
        taken, rows = self._execute(TAKEN)[0]
        self._taken = int(taken), int(rows)
        self._vicinity.close()
        self._standing.forget()
        release()
        self._execute(rules.GRADES, foreign.MACROS, rules.KNOWN_SHARE, rules.OWN)

    def _stand_as_tables(self) -> None:
        views: Iterable[str] = kept.SPINE_VIEWS
        for name in views:
            if name != "spine_known":
                self._execute(f"CREATE TABLE whole_{name} AS FROM {name}")
        self._execute("DROP VIEW spine_known")
        for name in views:
            if name != "spine_known":
                self._execute(f"DROP VIEW {name}", f"ALTER TABLE whole_{name} RENAME TO {name}")
        self._execute(spine.KNOWN)

    def figures(self) -> dict[str, Any]:
        taken, rows = self._taken
        whole = super().figures()
        return {
            "forms_compared": whole["forms_compared"] - taken,
            "records_compared": whole["records_compared"] - rows,
            "forms_taken_over": taken,
        }

"""Whom a month's records could mean, and what is known of them: a small city out of the large one (identity side).

The rules are the same text for a whole city and for a month. For a month they are asked in a schema of its own
(``NEAR``), whose tables of the usual names hold only the forms to be decided on, everybody on the spine whom one of
these could mean, and what was said of those before. Names that the schema doesn't hold are the whole city's.

So whoever adds a rule has to see to it that ``MEANT`` brings every person it could find for a form.
"""

from __future__ import annotations

import duckdb

from kodomo.intake.normalise import UNNAMED
from kodomo.linkage import forms, kept, spine
from kodomo.linkage.foreign import IS_FOREIGN
from kodomo.tables.engine import drop

NEAR = "near"

PART_OF_SPINE = ("spine", "spine_name", "spine_place", "spine_number")
"""Of each of these the rows of whoever is near."""

EMPTY = (
    *(f"CREATE TABLE {NEAR}.{name} AS FROM main.{name} LIMIT 0"
      for name in (*PART_OF_SPINE, "spine_form", "family", "tenure", "form", "placed")),
    f"CREATE TABLE {NEAR}.near_person (person BIGINT)",
    f"CREATE TABLE {NEAR}.near_housed (person BIGINT)",
    f"CREATE TABLE {NEAR}.near_form (form BIGINT)",
    f"CREATE TABLE {NEAR}.near_told (form BIGINT)",
    f"CREATE TABLE {NEAR}.near_asked (form BIGINT)",
    f"CREATE TABLE {NEAR}.settled AS SELECT form, person, rule, weight, since FROM kept_outcome LIMIT 0",
)  # fmt: skip
"""``near_person``: all their forms are near. ``near_housed``: their families are. ``near_told``: all rows of the form are near, and all forms it stands beside.
``near_asked``: everybody whom the form could mean is near."""

NAMELESS = f"(name IS NULL AND kana IS NULL OR name IN {tuple(sorted(UNNAMED))} OR starts_with(name, guardian_name))"

WHOLE = (
    "born_on IN (SELECT born_on FROM asked)",
    "kana IN (SELECT kana FROM asked)",
    "name IN (SELECT name FROM asked)",
    "contains(name, '〓')",
    "contains(given, '〓')",
)
UNDATED = "FROM asked WHERE born_on IS NULL"
WHOLE_OF_UNDATED = (
    f"sorted_kana IN (SELECT sorted_kana {UNDATED})",
    f"name IN (SELECT guardian_name {UNDATED})",
    f"kana IN (SELECT guardian_kana {UNDATED})",
    f"given || surname IN (SELECT guardian_name {UNDATED})",
)
"""One thing whole: what ``MEANT`` asks for together with something else, or of a form without a birth date by itself."""

NEARBY = """
CREATE OR REPLACE TEMP TABLE nearby AS
SELECT person, name, surname, given, kana, given_kana, sorted_kana, turned_kana, kana_words, born_on, born_year, born_day
FROM main.spine_known WHERE {}
"""
"""The names of whoever shares the whole of one thing with a form: looked for in one go through the city's spine, so
that every way of meaning somebody can then be asked of few."""

MEANT = f"""
CREATE OR REPLACE TEMP TABLE meant AS
WITH dated AS (
    SELECT kana, name, substr(born_on, 6) AS born_day, unnest([year - 1, year, year + 1])::VARCHAR AS born_year
    FROM (SELECT *, try_cast(substr(born_on, 1, 4) AS INTEGER) AS year FROM asked WHERE born_on IS NOT NULL)
), undated AS (
    {UNDATED}
), turned AS (
    SELECT person, born_on, given || surname AS name FROM nearby
), parent AS (
    SELECT person FROM nearby SEMI JOIN (SELECT guardian_name AS name FROM undated) USING (name)
    UNION SELECT person FROM nearby SEMI JOIN (SELECT guardian_kana AS kana FROM undated) USING (kana)
    UNION SELECT person FROM turned SEMI JOIN (SELECT guardian_name AS name FROM undated) USING (name)
)
SELECT person FROM main.spine_number SEMI JOIN asked USING (resident_number)
UNION SELECT person FROM nearby SEMI JOIN dated USING (kana, born_year)
UNION SELECT person FROM nearby SEMI JOIN dated USING (kana, born_day)
UNION SELECT person FROM nearby SEMI JOIN dated USING (name, born_year)
UNION SELECT person FROM nearby SEMI JOIN dated USING (name, born_day)
UNION SELECT person FROM nearby SEMI JOIN undated USING (kana)
UNION SELECT person FROM nearby SEMI JOIN undated USING (name)
UNION SELECT person FROM nearby SEMI JOIN undated USING (sorted_kana)
UNION SELECT person FROM turned SEMI JOIN asked USING (born_on, name)
UNION FROM parent UNION SELECT other FROM main.family SEMI JOIN parent USING (person)
UNION SELECT person FROM nearby SEMI JOIN asked USING (born_on, sorted_kana)
UNION SELECT person FROM nearby SEMI JOIN asked USING (born_on, turned_kana)
UNION SELECT person FROM (FROM nearby WHERE {IS_FOREIGN}) SEMI JOIN asked USING (born_on)
UNION SELECT person FROM nearby SEMI JOIN asked USING (born_on, given_kana)
UNION SELECT person FROM nearby SEMI JOIN asked USING (born_on, given)
UNION SELECT n.person FROM nearby n JOIN asked f ON n.born_on = f.born_on AND (n.given = f.name OR f.name IS NULL AND n.given_kana = f.kana)
UNION SELECT person FROM nearby SEMI JOIN (FROM asked WHERE {NAMELESS} OR contains(name, '〓') OR contains(given, '〓')) USING (born_on)
UNION SELECT person FROM (FROM nearby WHERE contains(name, '〓') OR contains(given, '〓')) SEMI JOIN asked USING (born_on)
UNION SELECT n.person FROM main.spine_name n JOIN (SELECT name FROM asked WHERE born_on IS NULL AND contains(name, '〓')) f ON length(n.name) = length(f.name)
    WHERE same_name(f.name, n.name)
UNION SELECT n.person FROM (FROM nearby WHERE contains(name, '〓')) n JOIN (SELECT name FROM asked WHERE born_on IS NULL) f ON length(n.name) = length(f.name)
    WHERE same_name(f.name, n.name)
UNION SELECT person FROM kept_outcome SEMI JOIN (
    FROM owned UNION SELECT form FROM asked UNION SELECT mate FROM main.formed SEMI JOIN asked USING (form)) USING (form)
UNION SELECT person FROM main.spine_form SEMI JOIN (FROM owned UNION SELECT mate FROM main.formed SEMI JOIN asked USING (form)) USING (form)
"""
"""Everybody whom a rule could find for a form, by the number, a whole name and a birth date not far off, or a part of it and
the birth date; where no birth date is told, the guardian's family; whoever bears a number of the same source, or is named
beside; and who was found before."""

OWNED = """
CREATE OR REPLACE TEMP TABLE owned AS
SELECT form FROM main.form SEMI JOIN (SELECT system, own_number FROM asked WHERE own_number IS NOT NULL) USING (system, own_number)
UNION SELECT form FROM main.form SEMI JOIN (SELECT born_on, name FROM asked WHERE born_on IS NOT NULL AND name IS NOT NULL) USING (born_on, name)
UNION SELECT form FROM main.form SEMI JOIN (SELECT born_on, kana FROM asked WHERE born_on IS NOT NULL AND kana IS NOT NULL) USING (born_on, kana)
"""
"""What bears a number of the same source, or is written just so, with the same day of birth."""

SHOWN = (
    """CREATE OR REPLACE TEMP TABLE shown AS
       FROM (FROM housed UNION SELECT other FROM main.family SEMI JOIN housed USING (person)) ANTI JOIN spine USING (person)""",
    "INSERT INTO family FROM main.family SEMI JOIN housed USING (person)",
    "INSERT INTO near_housed FROM housed",
    *(f"INSERT INTO {name} FROM main.{name} SEMI JOIN shown USING (person)" for name in PART_OF_SPINE if name != "spine_name"),
)  # fmt: skip
"""Who somebody is by the register: names, places and numbers, theirs and their families'."""

TOLD_OF = """
FROM brought UNION SELECT person FROM settled SEMI JOIN added USING (form) UNION SELECT person FROM spine_form SEMI JOIN added USING (form)
"""

BROUGHT = (
    "CREATE OR REPLACE TEMP TABLE brought AS SELECT DISTINCT person FROM meant ANTI JOIN near_person USING (person)"
)

AROUND = (
    """CREATE OR REPLACE TEMP TABLE told AS
       FROM (SELECT form FROM asked UNION FROM owned UNION SELECT form FROM kept_outcome SEMI JOIN brought USING (person)
             UNION SELECT form FROM main.spine_form SEMI JOIN brought USING (person)
             UNION SELECT left_form FROM main.decided UNION SELECT right_form FROM main.decided) ANTI JOIN near_told USING (form)""",
    """INSERT INTO told
       SELECT DISTINCT form FROM main.formed ANTI JOIN told USING (form) ANTI JOIN near_told USING (form) WHERE mate IN (SELECT form FROM told)""",
    """CREATE OR REPLACE TEMP TABLE added AS
       FROM (FROM told UNION SELECT mate FROM main.formed SEMI JOIN told USING (form) WHERE mate IS NOT NULL) ANTI JOIN near_form USING (form)""",
    """INSERT INTO settled SELECT form, person, rule, weight, coalesce(since, stands_since) FROM kept_outcome SEMI JOIN added USING (form) ANTI JOIN main.pending USING (form)""",
    "INSERT INTO spine_form FROM main.spine_form SEMI JOIN added USING (form)",
)
"""What was said of those who are brought, who was named beside them and beside whom those stand.
What is nobody's, or a newcomer's, and stays so is none of the forms to be decided on."""

WRITTEN = """
SELECT form FROM added ANTI JOIN asked USING (form)
ANTI JOIN (FROM kept_open ANTI JOIN main.pending USING (form) WHERE rule IS NULL OR rule = 'NEW') USING (form)
"""
ADDED = (
    "INSERT INTO form FROM asked ANTI JOIN form USING (form)",
    "INSERT INTO form FROM written",
    "INSERT INTO tenure FROM main.tenure SEMI JOIN asked USING (resident_number) WHERE resident_number NOT IN (SELECT resident_number FROM tenure)",
    "INSERT INTO near_person FROM brought",
    "INSERT INTO near_form FROM added",
    "INSERT INTO near_told FROM told",
    "INSERT INTO near_asked SELECT form FROM asked",
)

ROWS_IN_VIEWS = """
INSERT INTO placed
WITH combo AS (
    SELECT combo, form, mate, print FROM kept_combination SEMI JOIN told USING (form)
)
SELECT m.mention, m.receipt, m.row, m.role, m.kind, c.form, c.mate, c.print, m.combo, m.known_from, m.is_superseded
FROM kept_mention m JOIN combo c USING (combo)
UNION ALL FROM main.more_placed SEMI JOIN told USING (form)
"""
"""As ``increment.BESIDE`` has them, but without putting together all that was ever landed."""

ROWS = "INSERT INTO placed FROM main.placed SEMI JOIN told USING (form)"


class Vicinity:
    """The tables of ``NEAR``: made with the first forms, and added to wherever linking leads beyond.

    Args:
        is_whole: rows and forms were put together (``increment.put_rows_together``); otherwise they lie where they were kept.
        is_standing: so does the spine.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, standing: kept.Standing, *, is_whole: bool, is_standing: bool
    ) -> None:
        self._connection, self._standing, self._is_whole, self._is_standing = (
            connection,
            standing,
            is_whole,
            is_standing,
        )
        self._rows = ROWS if is_whole else ROWS_IN_VIEWS
        connection.execute(f"CREATE OR REPLACE SCHEMA {NEAR}")
        database = connection.execute("SELECT current_database()").fetchall()[0][0]
        self._beyond = f"{database}.main"
        for statement in EMPTY:
            connection.execute(statement)
        connection.execute(f"SET search_path = '{database}.{NEAR},{self._beyond}'")
        connection.execute(forms.MENTION_VIEW)
        connection.execute(spine.KNOWN)

    def bring(self, forms: str, persons: str = "SELECT NULL::BIGINT AS person LIMIT 0") -> None:
        """Add everybody whom forms could mean, and more persons, with all that was said of them.

        Args:
            forms: a query of forms to be decided on.
            persons: a query of persons on the spine.
        """
        self._write("asked", forms)
        anybody = f"SELECT EXISTS (FROM asked) OR EXISTS (FROM ({persons}) ANTI JOIN near_person USING (person))"
        if not self._connection.execute(anybody).fetchall()[0][0]:
            return
        is_any_undated = self._connection.execute(f"SELECT EXISTS ({UNDATED})").fetchall()[0][0]
        whole = (*WHOLE, *WHOLE_OF_UNDATED) if is_any_undated else WHOLE
        for statement in (OWNED, NEARBY.format(" OR ".join(whole)), MEANT):
            self._connection.execute(statement)
        self._connection.execute(f"INSERT INTO meant {persons}")
        for statement in (BROUGHT, *AROUND):
            self._connection.execute(statement)
        self._write("written", WRITTEN)
        self.show(TOLD_OF)
        for statement in (*ADDED, self._rows):
            self._connection.execute(statement)

    def _write(self, table: str, forms: str) -> None:
        """Make a table of the rows of some forms."""
        if self._is_whole:
            query = f"SELECT * FROM main.form SEMI JOIN ({forms}) USING (form)"
        else:
            wanted = self._connection.sql(forms).to_arrow_table()["form"]
            self._connection.register("picked", self._standing.rows("kept_written", "form", wanted))
            query = f"""(FROM picked ANTI JOIN main.more_form USING (form))
                        UNION ALL BY NAME (FROM main.more_form SEMI JOIN ({forms}) USING (form))"""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")

    def show(self, persons: str) -> None:
        """Add who persons and their families are by the register, without what else was said of them."""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE housed AS SELECT DISTINCT person FROM ({persons}) ANTI JOIN near_housed USING (person)"
        )
        for statement in SHOWN:
            self._connection.execute(statement)
        if self._is_standing:
            wanted = self._connection.table("shown").to_arrow_table()["person"]
            self._connection.register("picked", self._standing.rows("kept_name", "person", wanted))
            self._connection.execute(
                "INSERT INTO spine_name SELECT * EXCLUDE (born_on, sex, born_year, born_day) FROM picked"
            )
        else:
            self._connection.execute("INSERT INTO spine_name FROM main.spine_name SEMI JOIN shown USING (person)")

    def bring_persons(self, persons: str) -> None:
        """Add persons alone."""
        self.bring("SELECT form FROM near_form LIMIT 0", persons)

    def leave(self) -> None:
        """Ask the whole city again under all names; the schema stays until ``close``."""
        self._connection.execute(f"SET search_path = '{self._beyond}'")

    def close(self) -> None:
        """Forget what was near."""
        self._connection.execute(f"DROP SCHEMA {NEAR} CASCADE")
        drop(
            self._connection,
            "asked",
            "owned",
            "nearby",
            "meant",
            "brought",
            "told",
            "added",
            "housed",
            "shown",
            "written",
        )
        self._connection.unregister("picked")

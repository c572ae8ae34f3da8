"""What a run keeps for the next one, so that a month's delivery need not be linked with everything before it (identity side).

Prints with their normal forms, landed mentions, and for each form what became of it. A person is called by the
first form the register printed of them, which lasts from run to run. Everything here lies sealed beside the
run's links. The next run opens what it needs as a view (``stand``): only what is new or changed becomes a table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

BY_KEY = ("N1", "K1", "K2", "K5", "K3", "K4", "K6", "H6", "H1", "U1", "M1")
"""Rules that look at nothing but the spine: their outcome stands while nobody changes whom they could mean."""

PERSON_SIGN = """
CREATE OR REPLACE TABLE person_sign AS
WITH sign AS (
    SELECT person, hash('form', form, resident_number) AS part FROM spine_form
    UNION ALL SELECT person, hash('name', name, surname, given, kana, surname_kana, given_kana, sorted_kana, loose_kana, turned_kana, name_words, kana_words) FROM spine_name
    UNION ALL SELECT person, hash('place', town, number) FROM spine_place
    UNION ALL SELECT person, hash('person', born_on, sex) FROM spine
    UNION ALL SELECT person, hash('tenure', resident_number, since, until) FROM tenure
    UNION ALL SELECT person, hash('family', other) FROM family
)
SELECT person, hash(list_sort(list(part))) AS sign FROM sign GROUP BY person
"""
"""All that a rule may look at of a person on the spine: one sign that changes with any of it."""

FORM_SIGN = """hash(source, system, role, kind, resident_number, own_number, name, surname, given, kana, surname_kana, given_kana,
    sorted_kana, loose_kana, turned_kana, name_words, kana_words, alias, former, born_on, sex, town, number, phone, guardian_name, guardian_kana,
    age, school, grade, child_born_on, mate_hash, seen_from, CASE WHEN name IS NULL AND kana IS NULL THEN hash(seen_to, rows) END)"""
"""All that a rule may look at of a form; of one without a name also when it was seen last."""

KIN = """
CREATE OR REPLACE TABLE kin_seen AS
SELECT DISTINCT c.person, g.person AS other
FROM (SELECT DISTINCT form, mate FROM placed WHERE mate IS NOT NULL) m
JOIN link g ON g.form = m.form JOIN link c ON c.form = m.mate
"""
MATE = """
CREATE OR REPLACE TABLE mate_seen AS
SELECT DISTINCT m.form, c.person
FROM (SELECT DISTINCT form, mate FROM placed WHERE mate IS NOT NULL) m JOIN link c ON c.form = m.mate
"""
"""Taken just before relatives are looked for: who was found beside whom, and beside whom a form stands."""

EARLY = "CREATE OR REPLACE TABLE early AS SELECT form FROM link WHERE rule = 'S1'"
"""Taken just after the first time that own numbers were followed."""

EARLY_TABLES: Mapping[str, str] = {
    "kept_written": "FROM form",
    "kept_mention": "SELECT mention, receipt, row, role, kind, combo, known_from, is_superseded FROM placed ORDER BY mention",
    "kept_combination": "SELECT combo, print, form, mate FROM formed",
}
"""Taken as soon as forms are made, for numbers that changed hands part some of them later."""

SINCE = f"""CASE WHEN rule IN {BY_KEY} THEN 'FIRST' WHEN rule = 'S1' AND is_early THEN 'OWN' WHEN rule = 'W1' AND role = 'holder' THEN 'HOLDER'
    WHEN rule IN ('R1', 'R2', 'R3', 'W1') AND born_on IS NULL AND role <> 'subject' THEN 'KIN' END"""
"""From when on an outcome is taken over: at once, after own numbers were first followed, after relatives, or never.

Holders not before that either: their numbers would be followed too soon."""

PARTED = (
    "(SELECT form FROM form WHERE form_hash IN (SELECT form_hash FROM form GROUP BY form_hash HAVING count(*) > 1))"
)
"""Forms parted in a run (``tenure``) are parted again in each: their outcome is never taken over."""

BY_WHOLE_SPINE = ("H2", "B1", "B2", "G1", "MODEL")
"""Rules that weigh how common a name is, too: while the spine is the same, so is that."""

CAN_STAND = (
    "role = 'subject' AND kind = 'observations' AND born_on IS NOT NULL AND (name IS NOT NULL OR kana IS NOT NULL)"
)

STANDS_SINCE = f"""CASE WHEN NOT coalesce({CAN_STAND}, false) THEN NULL WHEN rule IN {BY_WHOLE_SPINE} THEN 'MODEL'
    WHEN rule = 'NEW' THEN 'NEW' END"""
"""The same where the spine is that of the run before."""

OUTCOME = f"""
SELECT form, rule, weight, person, {SINCE} AS since, {STANDS_SINCE} AS stands_since FROM (
    SELECT l.*, f.role, f.kind, f.born_on, f.name, f.kana, e.form IS NOT NULL AS is_early
    FROM link l ANTI JOIN spine_form USING (form) JOIN form f USING (form) LEFT JOIN early e ON e.form = l.form)
ANTI JOIN {PARTED} USING (form)
"""

TABLES: Mapping[str, str] = {
    "kept_printed": "FROM printed",
    "kept_unspaced": "FROM unspaced",
    "kept_delivery": "FROM delivery",
    "kept_landed": "FROM landed",
    "kept_other_place": "FROM other_place",
    "kept_register": "FROM register",
    "kept_surname": "FROM surname",
    "kept_decision": "SELECT left_ref, right_ref, is_same FROM decision ORDER BY position",
    "kept_parted": "SELECT form_hash FROM form GROUP BY form_hash HAVING count(*) > 1",
    "kept_outcome": OUTCOME,
    "kept_open": f"""
        SELECT f.form, o.rule, o.person, o.form IS NULL AND {CAN_STAND} OR o.stands_since IS NOT NULL AS can_stand, f.system, f.own_number,
            f.resident_number, f.name, f.kana, f.given, f.given_kana, f.born_on, f.school IS NOT NULL AS is_schooled
        FROM form f ANTI JOIN spine_form USING (form) ANTI JOIN {PARTED} USING (form) LEFT JOIN ({OUTCOME}) o USING (form) WHERE o.since IS NULL""",
    "kept_doubt": "FROM doubt ANTI JOIN spine_form USING (form)",
    "kept_person": "FROM person_sign",
    "kept_name": """
        SELECT n.*, p.born_on, p.sex, substr(p.born_on, 1, 4) AS born_year, substr(p.born_on, 6) AS born_day
        FROM spine_name n JOIN spine p USING (person) SEMI JOIN spine_form USING (person)""",
    "kept_number": "SELECT DISTINCT resident_number, person FROM spine_form",
    "kept_kin": "FROM kin_seen",
    "kept_mate": f"FROM mate_seen ANTI JOIN {PARTED} USING (form)",
    "kept_spine": "FROM spine SEMI JOIN spine_form USING (person)",
    "kept_spine_form": "FROM spine_form",
    "kept_place": "FROM spine_place SEMI JOIN spine_form USING (person)",
    "kept_family": "FROM family",
    "kept_twin": "FROM twin",
    "kept_tenure": "FROM tenure",
    "kept_spine_doubt": "FROM spine_doubt",
    "kept_spine_count": "FROM spine_count",
    "kept_share": "FROM named_share",
}

Take = Callable[[str, pa.RecordBatchReader], None]


def set_aside(connection: duckdb.DuckDBPyConnection, take: Take) -> None:
    """Hand over ``EARLY_TABLES`` by name, one after the other."""
    for name, query in EARLY_TABLES.items():
        take(name, in_pieces(connection, query))


def tables_to_keep(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, pa.RecordBatchReader]]:
    """What the next run needs of this one beside ``EARLY_TABLES`` and the facts, out of the tables that ``link_mentions`` left.

    One after the other, each to be read before the next is asked for.
    """
    for name, query in TABLES.items():
        yield name, in_pieces(connection, query)


PIECE_ROWS = 122_880


def in_pieces(connection: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    """What a query gives, to be read piece by piece: whole, a city's largest tables would stand in memory twice."""
    return connection.sql(query).to_arrow_reader(PIECE_ROWS)


SPINE_VIEWS: Mapping[str, str] = {
    "spine": "FROM kept_spine",
    "spine_form": "FROM kept_spine_form",
    "spine_known": "FROM kept_name",
    "spine_name": "SELECT * EXCLUDE (born_on, sex, born_year, born_day) FROM kept_name",
    "spine_place": "FROM kept_place",
    "spine_number": "FROM kept_number",
    "family": "FROM kept_family",
    "twin": "FROM kept_twin",
    "tenure": "FROM kept_tenure",
    "spine_doubt": "FROM kept_spine_doubt",
    "spine_count": "FROM kept_spine_count",
    "named_share": "FROM kept_share",
    "person_sign": "FROM kept_person",
}
"""The spine of the run before, by the names under which ``spine.build_spine`` and ``PERSON_SIGN`` make it."""


WANTED_FIRST = (
    "kept_written", "kept_combination", "kept_mention", "kept_printed", "kept_unspaced", "kept_delivery", "kept_surname", "kept_decision",
    "kept_parted", "kept_landed", "kept_other_place", "kept_register",
)  # fmt: skip
WANTED_LATER = (
    "kept_open", "kept_outcome", "kept_doubt", "kept_name", "kept_number", "kept_spine_form", "kept_kin", "kept_mate",
)  # fmt: skip
"""What every run asks for that builds on another: for forms, and after the facts for links, about in this order."""


class Standing:
    """The tables a run kept, each opened and shown as a view when it is first asked for.

    ``take`` takes what the run after this one needs of how forms were made; None where none follows.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, open_table: Callable[[str], pa.Table], take: Take | None = None
    ) -> None:
        self._connection, self._open, self._take = connection, open_table, take
        self._tables: dict[str, pa.Table] = {}

    def show(self, *names: str) -> None:
        """Show tables under their own names."""
        for name in names:
            if name not in self._tables:
                self._tables[name] = self._open(name)
                self._connection.register(name, self._tables[name])

    def rows(self, name: str, key: str, wanted: pa.ChunkedArray) -> pa.Table:
        """The rows of a table whose key is wanted: of few rows of a wide table, Arrow touches nothing but those."""
        self.show(name)
        table = self._tables[name]
        return table.filter(pc.is_in(table[key], value_set=wanted.combine_chunks()))

    def stand_spine(self) -> None:
        """Let the spine be that of the run before."""
        for name, query in SPINE_VIEWS.items():
            self.show(query.rpartition(" ")[2])
            self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def set_aside(self) -> None:
        """Hand over ``EARLY_TABLES``: call when all rows are put together and none is parted yet."""
        if self._take is not None:
            set_aside(self._connection, self._take)

    def forget(self) -> None:
        """Give back the room of all that is shown; no view may be asked any more."""
        for name in self._tables:
            self._connection.unregister(name)
        self._tables.clear()


def basis(*, receipts: list[tuple[int, str]], rules_about: Mapping[str, Any]) -> dict[str, Any]:
    """What must be as it was for a run to build on the one before: the program, the deliveries, what may be used.

    Args:
        receipts: every receipt's number and folder, in order.
        rules_about: whatever else decides how rows are read (who prints, which items lapsed).
    """
    said = json.dumps(rules_about, sort_keys=True, ensure_ascii=False, default=str)
    return {
        "program": program(), "receipts": [list(r) for r in receipts],
        "reading": hashlib.sha256(said.encode()).hexdigest()[:20],
    }  # fmt: skip


def why_anew(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Why everything has to be linked anew: a Japanese reason, or empty when the run before can be built on."""
    if not before:
        return "前の名寄せの控えがない"
    if before["program"] != now["program"]:
        return "製品が新しくなった"
    if before["reading"] != now["reading"]:
        return "使ってよい項目・レイアウト・消した人のいずれかが変わった"
    if now["receipts"][: len(before["receipts"])] != before["receipts"]:
        return "前の名寄せのあとに、受領が取り消された"
    return ""


@cache
def program() -> str:
    """A sign of everything that decides how records are read and linked: another release links anew once."""
    here = Path(__file__).parent
    digest = hashlib.sha256(duckdb.__version__.encode())
    for folder in (here, here.parent / "intake", here.parent / "vault"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]

"""What a run keeps for the next one, so that a month's delivery need not be linked with everything before it (identity side).

Prints with their normal forms, landed mentions, and for each form what became of it. Persons are
named by their *leader*, the first form of theirs the register printed: it lasts from run to run,
where the numbers of persons within a run do not. Everything here lies sealed beside the run's links.
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

BY_KEY = ("N1", "K1", "K2", "K5", "K3", "K4", "H1", "U1")
"""Rules that look at nothing but the spine: their outcome stands while nobody changes whom they could mean."""

LEADER = """
CREATE OR REPLACE TABLE leader AS SELECT person, min(form) AS leader FROM spine_form GROUP BY person
"""

PERSON_SIGN = """
CREATE OR REPLACE TABLE person_sign AS
WITH sign AS (
    SELECT person, hash('form', form, resident_number) AS part FROM spine_form
    UNION ALL SELECT person, hash('name', name, surname, given, kana, surname_kana, given_kana, sorted_kana, loose_kana, turned_kana) FROM spine_name
    UNION ALL SELECT person, hash('place', town, number) FROM spine_place
    UNION ALL SELECT person, hash('person', born_on, sex) FROM spine
    UNION ALL SELECT person, hash('tenure', resident_number, since, until) FROM tenure
    UNION ALL SELECT f.person, hash('family', l.leader) FROM family f JOIN leader l ON l.person = f.other
)
SELECT l.leader, hash(list_sort(list(s.part))) AS sign FROM sign s JOIN leader l USING (person) GROUP BY l.leader
"""
"""All that a rule may look at of a person on the spine: one sign that changes with any of it."""

FORM_SIGN = """hash(source, system, role, kind, resident_number, own_number, name, surname, given, kana, surname_kana, given_kana,
    sorted_kana, loose_kana, turned_kana, alias, former, born_on, sex, town, number, phone, guardian_name, guardian_kana,
    age, school, grade, mate_hash, seen_from, CASE WHEN name IS NULL AND kana IS NULL THEN hash(seen_to, rows) END)"""
"""All that a rule may look at of a form; of one without a name also when it was seen last."""

KIN = """
CREATE OR REPLACE TABLE kin_seen AS
SELECT DISTINCT x.leader AS leader, y.leader AS other
FROM (SELECT DISTINCT form, mate FROM placed WHERE mate IS NOT NULL) m
JOIN link g ON g.form = m.form JOIN link c ON c.form = m.mate JOIN leader x ON x.person = c.person JOIN leader y ON y.person = g.person
"""
MATE = """
CREATE OR REPLACE TABLE mate_seen AS
SELECT DISTINCT m.form, x.leader
FROM (SELECT DISTINCT form, mate FROM placed WHERE mate IS NOT NULL) m
JOIN link c ON c.form = m.mate JOIN leader x ON x.person = c.person
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
    "kept_outcome": f"""
        SELECT l.form, l.rule, l.weight, d.leader, l.rule IN {BY_KEY} OR (l.rule = 'S1' AND e.form IS NOT NULL) AS is_early
        FROM link l ANTI JOIN spine_form USING (form) LEFT JOIN leader d USING (person) LEFT JOIN early e ON e.form = l.form""",
    "kept_person": "FROM person_sign",
    "kept_name": "SELECT l.leader, n.*, p.born_on FROM spine_name n JOIN leader l USING (person) JOIN spine p USING (person)",
    "kept_number": "SELECT l.leader, n.resident_number, n.person FROM spine_number n JOIN leader l USING (person)",
    "kept_kin": "FROM kin_seen",
    "kept_mate": "FROM mate_seen",
}

SPINE_TABLES: Mapping[str, str] = {
    "kept_spine": "SELECT p.* FROM spine p SEMI JOIN leader USING (person)",
    "kept_spine_form": "FROM spine_form",
    "kept_place": "SELECT q.* FROM spine_place q SEMI JOIN leader USING (person)",
    "kept_family": "FROM family",
    "kept_tenure": "FROM tenure",
    "kept_spine_doubt": "FROM spine_doubt",
    "kept_spine_count": "FROM spine_count",
}
"""Opened only where the register has not been delivered since, and nobody decided anything: then the spine stands."""

Take = Callable[[str, pa.RecordBatchReader], None]


def set_aside(connection: duckdb.DuckDBPyConnection, take: Take) -> None:
    """Hand over ``EARLY_TABLES`` by name, one after the other."""
    for name, query in EARLY_TABLES.items():
        take(name, in_pieces(connection, query))


def tables_to_keep(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, pa.RecordBatchReader]]:
    """What the next run needs of this one beside ``EARLY_TABLES`` and the facts, out of the tables that ``link_mentions`` left.

    One after the other, each to be read before the next is asked for.
    """
    for name, query in {**TABLES, **SPINE_TABLES}.items():
        yield name, in_pieces(connection, query)


PIECE_ROWS = 122_880


def in_pieces(connection: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    """What a query gives, to be read piece by piece: whole, a city's largest tables would stand in memory twice."""
    return connection.sql(query).to_arrow_reader(PIECE_ROWS)


def load_kept(connection: duckdb.DuckDBPyConnection, open_table: Callable[[str], pa.Table]) -> None:
    """Put what a run kept into the connection: under the same names, or as the tables of ``forms`` that it was."""
    for name in ("kept_written", "kept_combination", *TABLES):
        _load(connection, GROWING.get(name, name), open_table(name))
    connection.register("kept_mention", open_table("kept_mention"))
    connection.execute(PLACED_AGAIN)
    connection.unregister("kept_mention")


STANDING = (
    "CREATE OR REPLACE TABLE spine AS FROM kept_spine",
    "CREATE OR REPLACE TABLE spine_form AS FROM kept_spine_form",
    "CREATE OR REPLACE TABLE spine_name AS SELECT * EXCLUDE (leader, born_on) FROM kept_name",
    "CREATE OR REPLACE TABLE spine_place AS FROM kept_place",
    "CREATE OR REPLACE TABLE spine_number AS SELECT resident_number, person FROM kept_number",
    "CREATE OR REPLACE TABLE family AS FROM kept_family",
    "CREATE OR REPLACE TABLE tenure AS FROM kept_tenure",
    "CREATE OR REPLACE TABLE spine_doubt AS FROM kept_spine_doubt",
    "CREATE OR REPLACE TABLE spine_count AS FROM kept_spine_count",
)


def load_spine(connection: duckdb.DuckDBPyConnection, open_table: Callable[[str], pa.Table]) -> None:
    """Put the spine of the run before into the connection, as ``spine.build_spine`` made it but for ``twin`` and ``spine_known``."""
    for name in SPINE_TABLES:
        connection.register(name, open_table(name))
    for statement in STANDING:
        connection.execute(statement)
    for name in SPINE_TABLES:
        connection.unregister(name)


def _load(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    connection.register("sealed_table", table)
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM sealed_table")
    connection.unregister("sealed_table")


GROWING = {
    "kept_printed": "printed", "kept_delivery": "delivery", "kept_landed": "landed", "kept_other_place": "other_place",
    "kept_unspaced": "unspaced",
    "kept_written": "form", "kept_combination": "formed", "kept_register": "register",
}  # fmt: skip

PLACED_AGAIN = """
CREATE OR REPLACE TABLE placed AS
SELECT m.mention, m.receipt, m.row, m.role, m.kind, f.form, f.mate, f.print, m.combo, m.known_from, m.is_superseded
FROM kept_mention m JOIN formed f USING (combo) ORDER BY m.mention
"""


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

"""Small hand-written extracts as landed mentions and facts, for tests of linkage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.linkage.forms import Printing
from kodomo.linkage.link import link_mentions
from kodomo.tables.engine import connect
from kodomo.vault.records import LANDED_FACTS, MENTIONS

ON = dt.date(2026, 4, 1)
PRINTING = Printing({"school_enrolment": "pupil_number", "school_attendance": "pupil_number"}, "架空県", "ひなた市")
RECEIPTS = {"resident_register": 1, "resident_moves": 2}


@dataclass
class Paper:
    """Collects rows as offices would print them; ``link`` links them and tells who is whom."""

    mentions: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def resident(
        self, number: str, name: str, kana: str, born_on: str, sex: str = "男", **more: str
    ) -> tuple[str, int]:
        given = {
            "household_number": "H" + number,
            "relationship": "子",
            "address": "北町1-1",
            "resident_from": born_on,
            "address_protection": "0",
        }
        body = {**given, "resident_number": number, "name": name, "name_kana": kana, "born_on": born_on, "sex": sex}
        return self.row("resident_register", kind="residents", subject={**body, **more})

    def move(self, number: str, event_on: str, event_kind: str, **more: str) -> tuple[str, int]:
        body = {"resident_number": number, "event_on": event_on, "registered_on": event_on, "event_kind": event_kind}
        return self.row("resident_moves", kind="moves", subject={**body, **more})

    def row(self, source: str, *, kind: str = "observations", known_from: dt.date = ON, flags: Mapping[str, Any] | None = None,
            said: list[dict[str, Any]] | None = None, **people: Mapping[str, str]) -> tuple[str, int]:  # fmt: skip
        number = self.rows[source] = self.rows.get(source, 0) + 1
        place = {"receipt": receipt_of(source), "source": source, "file": f"{source}.csv", "row": number}
        state = {"is_duplicate": False, "is_superseded": False, "told_on": ON, "is_initial": True, **(flags or {})}
        for role, body in people.items():
            self.mentions.append({**place, "role": role, "kind": kind, "known_from": known_from, **state, **body})
        for fact in said or ():
            self.facts.append({"role": "subject", "valid_from": ON, "known_from": known_from, **place, **fact})
        return source, number

    def tables(self) -> tuple[pa.Table, pa.Table]:
        return _table(MENTIONS.schema(), self.mentions), _table(LANDED_FACTS.schema(), self.facts)

    def link(self, model_file: Path, decisions: Any = (), printing: Printing = PRINTING) -> Linked:
        connection = connect(threads=1)
        mentions, facts = self.tables()
        figures = link_mentions(
            connection, [mentions], facts, printing=printing, model_file=model_file, on=ON, decisions=decisions
        )
        return Linked(connection, figures)


@dataclass
class Linked:
    """The outcome, asked by (source, row)."""

    connection: duckdb.DuckDBPyConnection
    figures: dict[str, Any]

    def person(self, place: tuple[str, int], role: str = "subject") -> int | None:
        rows = self.connection.execute(
            "SELECT l.person FROM mention m LEFT JOIN link l USING (form) WHERE m.source = ? AND m.row = ? AND m.role = ?",
            [*place, role],
        ).fetchall()
        assert len(rows) == 1, rows
        return rows[0][0]

    def rule(self, place: tuple[str, int], role: str = "subject") -> str | None:
        rows = self.connection.execute(
            "SELECT l.rule FROM mention m LEFT JOIN link l USING (form) WHERE m.source = ? AND m.row = ? AND m.role = ?",
            [*place, role],
        ).fetchall()
        return rows[0][0]

    def doubts(self, place: tuple[str, int]) -> set[tuple[int, str]]:
        return set(self.connection.execute(
            "SELECT d.person, d.why FROM doubt d JOIN mention m USING (form) WHERE m.source = ? AND m.row = ?", list(place)
        ).fetchall())  # fmt: skip


def receipt_of(source: str) -> int:
    return RECEIPTS.setdefault(source, len(RECEIPTS) + 1)


def reference(place: tuple[str, int], role: str = "subject") -> str:
    return f"{receipt_of(place[0])}:{place[1]}:{role}"


def _table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kodomo.errors import IntegrityFault
from kodomo.governance import audit
from kodomo.governance.audit import AuditEvent

KEY = b"k" * 32
AT = dt.datetime(2026, 4, 1, 9, 0, tzinfo=dt.UTC)


class DjangoLike:
    """A sqlite3 cursor that takes ``%s`` as Django's do."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.cursor = connection.cursor()

    def execute(self, sql: str, params: Any = ()) -> Any:
        return self.cursor.execute(sql.replace("%s", "?"), params)

    def fetchone(self) -> Any:
        return self.cursor.fetchone()

    def fetchall(self) -> Any:
        return self.cursor.fetchall()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "audit.sqlite3", isolation_level=None)
    audit.install(DjangoLike(opened), "sqlite")
    yield opened
    opened.close()


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "audit.anchor"


def write(connection: sqlite3.Connection, anchor: Path, count: int) -> None:
    for number in range(count):
        event = AuditEvent("hana", "PRACTITIONER", "VIEW_CASE", f"p{number}", "アセスメント", "", {"件": number})
        sequence, mac = audit.append(DjangoLike(connection), KEY, "sqlite", event, AT)
        audit.write_anchor(anchor, sequence, mac)


def verdict(connection: sqlite3.Connection, anchor: Path | None, key: bytes = KEY) -> audit.Verdict:
    return audit.verify(DjangoLike(connection), key, anchor)


def unlock(connection: sqlite3.Connection) -> None:
    """What somebody with the file and a database tool would do first."""
    for trigger in ("audit_events_no_update", "audit_events_no_delete"):
        connection.execute(f"DROP TRIGGER {trigger}")


def test_an_untouched_chain_is_well(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 5)
    assert verdict(connection, anchor) == audit.Verdict(5, None)


def test_an_empty_chain_is_well(connection: sqlite3.Connection, anchor: Path) -> None:
    assert verdict(connection, anchor) == audit.Verdict(0, None)


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"])
def test_the_table_itself_refuses_changes(connection: sqlite3.Connection, anchor: Path, statement: str) -> None:
    write(connection, anchor, 2)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    assert verdict(connection, anchor).first_bad is None


@pytest.mark.parametrize("column", ["at", "actor", "role", "action", "subject", "purpose", "reason", "detail"])
def test_an_edited_row_is_named(connection: sqlite3.Connection, anchor: Path, column: str) -> None:
    write(connection, anchor, 5)
    unlock(connection)
    connection.execute(f"UPDATE audit_events SET {column} = 'y' WHERE sequence = 3")
    found = verdict(connection, anchor)
    assert found.first_bad == 3
    assert "違います" in found.fault


def test_a_removed_row_is_named(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 5)
    unlock(connection)
    connection.execute("DELETE FROM audit_events WHERE sequence = 3")
    found = verdict(connection, anchor)
    assert found.first_bad == 3
    assert "欠けて" in found.fault


def test_a_removed_first_row_is_named(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 3)
    unlock(connection)
    connection.execute("DELETE FROM audit_events WHERE sequence = 1")
    assert verdict(connection, anchor).first_bad == 1


def test_renumbering_after_a_removal_does_not_mend_it(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 5)
    unlock(connection)
    connection.execute("DELETE FROM audit_events WHERE sequence = 3")
    connection.execute("UPDATE audit_events SET sequence = sequence - 1 WHERE sequence > 3")
    assert verdict(connection, anchor).first_bad == 3


def test_a_cut_tail_is_found_by_the_anchor(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 5)
    unlock(connection)
    connection.execute("DELETE FROM audit_events WHERE sequence > 3")
    assert verdict(connection, None).first_bad is None
    found = verdict(connection, anchor)
    assert found.first_bad == 4
    assert "切り取られた" in found.fault


def test_an_older_database_put_back_and_written_on_is_found(
    connection: sqlite3.Connection, anchor: Path, tmp_path: Path
) -> None:
    write(connection, anchor, 3)
    older = sqlite3.connect(tmp_path / "older.sqlite3", isolation_level=None)
    connection.backup(older)
    write(connection, anchor, 3)
    write(older, anchor, 2)
    assert verdict(older, anchor).first_bad == 6
    older.close()


def test_a_chain_that_lost_its_tail_is_not_continued(connection: sqlite3.Connection, anchor: Path) -> None:
    """Going on would replace the anchor, and with it the only sign that rows are missing."""
    write(connection, anchor, 5)
    unlock(connection)
    connection.execute("DELETE FROM audit_events WHERE sequence > 3")
    with pytest.raises(IntegrityFault, match="失われている"):
        audit.append(DjangoLike(connection), KEY, "sqlite", AuditEvent("hana", "", "X"), AT, anchor)
    assert verdict(connection, anchor).first_bad == 4


def test_a_chain_whose_last_act_was_not_anchored_in_time_is_continued(
    connection: sqlite3.Connection, anchor: Path
) -> None:
    """A process killed between commit and anchor leaves the anchor one row behind; that is no tampering."""
    write(connection, anchor, 3)
    audit.append(DjangoLike(connection), KEY, "sqlite", AuditEvent("hana", "", "X"), AT)
    sequence, mac = audit.append(DjangoLike(connection), KEY, "sqlite", AuditEvent("hana", "", "Y"), AT, anchor)
    audit.write_anchor(anchor, sequence, mac)
    assert verdict(connection, anchor) == audit.Verdict(5, None)


def test_without_the_key_nobody_writes_a_row_that_fits(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 2)
    audit.append(DjangoLike(connection), b"x" * 32, "sqlite", AuditEvent("eve", "", "VIEW_CASE"), AT)
    assert verdict(connection, anchor).first_bad == 3


def test_a_chain_without_its_anchor_is_not_trusted(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 2)
    anchor.unlink()
    assert verdict(connection, anchor).first_bad is not None


@pytest.mark.parametrize("body", ["", "{", "[]", '{"sequence": "two"}'])
def test_an_unreadable_anchor_is_a_fault_and_is_not_overwritten(
    connection: sqlite3.Connection, anchor: Path, body: str
) -> None:
    write(connection, anchor, 2)
    anchor.write_text(body)
    assert "読めません" in verdict(connection, anchor).fault
    with pytest.raises(IntegrityFault):
        audit.write_anchor(anchor, 3, "m")
    assert anchor.read_text() == body


def test_the_anchor_never_goes_backwards(anchor: Path) -> None:
    audit.write_anchor(anchor, 7, "seven")
    audit.write_anchor(anchor, 5, "five")
    assert json.loads(anchor.read_text()) == {"sequence": 7, "mac": "seven"}


def test_a_row_that_is_rolled_back_leaves_no_gap(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 2)
    connection.execute("BEGIN IMMEDIATE")
    audit.append(DjangoLike(connection), KEY, "sqlite", AuditEvent("hana", "", "DECIDE"), AT)
    connection.execute("ROLLBACK")
    write(connection, anchor, 1)
    assert verdict(connection, anchor) == audit.Verdict(3, None)


def test_order_follows_the_sequence_even_when_the_clock_goes_back(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 1)
    audit.append(DjangoLike(connection), KEY, "sqlite", AuditEvent("hana", "", "X"), AT - dt.timedelta(days=30))
    assert verdict(connection, None) == audit.Verdict(2, None)


def test_many_rows_at_once_are_the_same_chain_as_one_by_one(connection: sqlite3.Connection, anchor: Path) -> None:
    write(connection, anchor, 5)
    one_by_one = connection.execute("SELECT * FROM audit_events ORDER BY sequence").fetchall()
    other = sqlite3.connect(":memory:", isolation_level=None)
    audit.install(DjangoLike(other), "sqlite")
    acts = [
        (AT, AuditEvent("hana", "PRACTITIONER", "VIEW_CASE", f"p{n}", "アセスメント", "", {"件": n})) for n in range(5)
    ]
    audit.append_all(DjangoLike(other), KEY, "sqlite", acts[:2])
    sequence, mac = audit.append_all(DjangoLike(other), KEY, "sqlite", acts[2:])
    assert other.execute("SELECT * FROM audit_events ORDER BY sequence").fetchall() == one_by_one
    assert (sequence, mac) == (5, one_by_one[-1][-1])

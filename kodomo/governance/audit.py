"""Append-only audit trail with a keyed chain: who did what to which child's data, and why (crosscutting).

The caller passes a cursor of its own open transaction, so an act and its audit row are committed
together or not at all; when the row can't be written, the act fails too (fail closed). Each row's
MAC covers the row and the MAC before it; the key lies apart from the database, so somebody who can
edit the file cannot mend the chain. The newest MAC is copied to an anchor file after each commit:
a tail that was cut off, or an old database put back, no longer reaches the anchor.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kodomo.errors import IntegrityFault

FIELDS = ("sequence", "at", "actor", "role", "action", "subject", "purpose", "reason", "detail", "previous")

CREATE = """
CREATE TABLE audit_events (
    sequence BIGINT PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    mac TEXT NOT NULL
)
"""

SQLITE_TRIGGERS = (
    "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events "
    "BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END",
    "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events "
    "BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END",
)

POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION audit_events_refuse() RETURNS trigger AS $$ "
    "BEGIN RAISE EXCEPTION 'audit_events is append-only'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse()",
)


class Cursor(Protocol):
    """What is needed of a database cursor: ``%s`` parameters, as Django's cursors take them."""

    def execute(self, sql: str, params: Any = ...) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


@dataclass(frozen=True)
class AuditEvent:
    """One act. ``subject`` is a child key or another object's key, never a name.

    ``detail`` holds counts, codes and object keys only; no cell value of personal data.
    """

    actor: str
    role: str
    action: str
    subject: str = ""
    purpose: str = ""
    reason: str = ""
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found. ``first_bad`` is a sequence number, None when all is well."""

    rows: int
    first_bad: int | None
    fault: str = ""


def install(cursor: Cursor, vendor: str) -> None:
    """Create the table and the triggers that refuse changes. ``vendor`` is sqlite or postgresql."""
    cursor.execute(CREATE)
    for statement in POSTGRESQL_TRIGGERS if vendor == "postgresql" else SQLITE_TRIGGERS:
        cursor.execute(statement)


def index(cursor: Cursor) -> None:
    """Let a person's acts of one kind be counted without walking the years before (how often somebody searched)."""
    cursor.execute("CREATE INDEX IF NOT EXISTS audit_events_by_actor ON audit_events (actor, action, at)")


def append(
    cursor: Cursor, key: bytes, vendor: str, event: AuditEvent, at: dt.datetime, anchor: Path | None = None
) -> tuple[int, str]:
    """Write one row inside the caller's transaction; returns its sequence number and MAC.

    On SQLite the caller's transaction must be IMMEDIATE (as configured), on PostgreSQL an advisory
    lock held to the end of the transaction keeps two writers from chaining to the same row.

    Args:
        anchor: where the newest MAC was copied. When given, a chain that no longer holds it is not
            continued: going on would overwrite the only sign that rows were taken away.

    Raises:
        IntegrityFault: the chain doesn't reach its anchor, or the anchor can't be read.
    """
    return append_all(cursor, key, vendor, [(at, event)], anchor)


def append_all(
    cursor: Cursor,
    key: bytes,
    vendor: str,
    acts: Iterable[tuple[dt.datetime, AuditEvent]],
    anchor: Path | None = None,
) -> tuple[int, str]:
    """Write several rows, one after the other, as ``append`` writes one; returns the last one's number and MAC."""
    if vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x6B6F646F6D6F])
    sequence, mac = _newest(cursor, anchor)
    for at, event in acts:
        sequence, previous = sequence + 1, mac
        detail = json.dumps(event.detail or {}, ensure_ascii=False, sort_keys=True)
        moment = at.astimezone(dt.UTC).isoformat(timespec="milliseconds")
        row = (sequence, moment, event.actor, event.role, event.action, event.subject, event.purpose,
               event.reason, detail, previous)  # fmt: skip
        mac = _mac(key, row)
        cursor.execute(
            "INSERT INTO audit_events"
            " (sequence, at, actor, role, action, subject, purpose, reason, detail, previous, mac)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [*row, mac],
        )
    return sequence, mac


def verify(cursor: Cursor, key: bytes, anchor: Path | None = None) -> Verdict:
    """Walk the chain from its first row and name the first bad one.

    Finds an edited, removed, inserted or reordered row, and (with the anchor) a cut tail or an
    older database put back.
    """
    cursor.execute(
        "SELECT sequence, at, actor, role, action, subject, purpose, reason, detail, previous, mac"
        " FROM audit_events ORDER BY sequence"
    )
    previous, expected, macs_at = "", 1, {}
    rows = cursor.fetchall()
    for row in rows:
        if int(row[0]) != expected:
            return Verdict(len(rows), expected, "行が欠けています")
        if row[9] != previous or not hmac.compare_digest(_mac(key, tuple(row[:10])), row[10]):
            return Verdict(len(rows), expected, "行の内容が書かれたときと違います")
        previous, expected = row[10], expected + 1
        macs_at[int(row[0])] = row[10]
    return _against_anchor(len(rows), macs_at, anchor)


def _newest(cursor: Cursor, anchor: Path | None) -> tuple[int, str]:
    """The last row's number and MAC, asked together with the row the anchor knows, which must still be there."""
    kept = _read_anchor(anchor) if anchor is not None else None
    # A number no row has stands for no anchor.
    cursor.execute(
        "SELECT sequence, mac FROM audit_events WHERE sequence = %s"
        " OR sequence = (SELECT max(sequence) FROM audit_events) ORDER BY sequence",
        [kept[0] if kept else 0],
    )
    rows = [(int(sequence), str(mac)) for sequence, mac in cursor.fetchall()]
    if kept is not None and kept not in rows:
        raise IntegrityFault(
            "証跡の末尾が失われているか、古いデータベースに戻されています。処理を止めました。",
            where=anchor.name if anchor else "",
            then="データベースを保全し、kodomo audit verify の結果を個人情報保護責任者に知らせてください。",
        )
    return rows[-1] if rows else (0, "")


def _read_anchor(anchor: Path) -> tuple[int, str] | None:
    """Sequence and MAC of the anchor, None where there is none. Raises IntegrityFault."""
    try:
        kept = json.loads(anchor.read_text())
        return int(kept["sequence"]), str(kept["mac"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise IntegrityFault("証跡の控え(アンカー)を読めません。", where=anchor.name) from None


def _against_anchor(rows: int, macs_at: Mapping[int, str], anchor: Path | None) -> Verdict:
    if anchor is None:
        return Verdict(rows, None)
    try:
        kept = _read_anchor(anchor)
    except IntegrityFault:
        return Verdict(rows, rows, "控え(アンカー)を読めません")
    if kept is None:
        return Verdict(rows, 1, "控え(アンカー)がありません") if rows else Verdict(rows, None)
    sequence, mac = kept
    if macs_at.get(sequence) != mac:
        return Verdict(rows, min(sequence, rows + 1), "末尾が切り取られたか、古いデータベースに戻されています")
    return Verdict(rows, None)


def write_anchor(anchor: Path, sequence: int, mac: str) -> None:
    """Copy the newest MAC outside the database; call after the commit. Never goes backwards."""
    kept = _read_anchor(anchor)
    if kept is not None and kept[0] >= sequence:
        return
    anchor.parent.mkdir(parents=True, exist_ok=True)
    aside = anchor.with_name(f"{anchor.name}.{os.getpid()}.{sequence}.partial")
    with aside.open("w") as handle:
        handle.write(json.dumps({"sequence": sequence, "mac": mac}))
        handle.flush()
        # A power cut must not leave an empty anchor behind the rename: every later act would be refused.
        os.fsync(handle.fileno())
    aside.replace(anchor)


def _mac(key: bytes, row: tuple[Any, ...]) -> str:
    values = [int(row[0]), *(str(value) for value in row[1:])]
    return hmac.new(key, json.dumps(values, ensure_ascii=False).encode(), hashlib.sha256).hexdigest()

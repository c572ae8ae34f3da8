"""Write which landed record was linked to whom, so that linkage can be checked from outside (identity side)."""

from __future__ import annotations

import csv
import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import Home, Municipality
from kodomo.errors import StaffError
from kodomo.governance.audit import AuditEvent
from kodomo.progress import Progress
from kodomo.tables.engine import UNSPILLED, connect
from kodomo.terms import Purpose
from kodomo.vault import people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

COLUMNS = ("source", "file", "sheet", "row", "row_key", "person_key")

ROWS = f"""
SELECT m.source, m.file, coalesce(s.sheet, ''), m.row % {records.PEOPLE_STEP} - coalesce(s.before, 0) AS row, m.row_key, k.person_key, m.role
FROM landed m LEFT JOIN links l USING (receipt, row, role) LEFT JOIN keys k USING (person_number)
ASOF LEFT JOIN sheets s ON s.receipt = m.receipt AND s.before < m.row % {records.PEOPLE_STEP}
ORDER BY m.receipt, m.row, m.role NOT IN ('subject', 'holder'), m.role
"""
OWNERS = ("subject", "holder")
"""Whom a row is about; the others it names (guardian, mother …) are told on demand."""


def export_links(
    out: Path, *, home: Home, municipality: Municipality, by: str, at: dt.datetime, everybody: bool = False
) -> dict[str, Any]:
    """Write a CSV (UTF-8, readable by its owner only) with one line per landed record and whom it was linked to.

    ``row`` is the row a spreadsheet shows, in the workbook's ``sheet`` (empty for a text file).
    A record nobody was found for has an empty ``person_key``. ``row_key`` is the source's own
    identifier: the file belongs to the identity side. Writes one audit row.

    Args:
        everybody: a line for each person a row names, its subject or holder first, with their ``role`` in a column more.

    Raises:
        NotReady: no link run yet.
        StaffError: the file can't be written.
    """
    started = time.monotonic()
    keyring = open_vault(home)
    run = people.require_run()
    event = AuditEvent(actor=by, role="OPERATOR", action="EXPORT_LINKS", subject=run.sealed_file, purpose=Purpose.LINK.label,
                       detail={"file": out.name, "everybody": everybody})  # fmt: skip
    links = people.open_run(home, keyring, run, "links").select(["receipt", "row", "role", "person_number"])
    mentions = records.landed_mentions(home, keyring).select(["receipt", "source", "file", "row", "role", "row_key"])
    with audited(home, keyring, event, at):
        rows = _write(out, mentions, links, keyring, everybody)
    return {"file": str(out), "rows": rows, "run": run.pk, "seconds": round(time.monotonic() - started, 1)}


def _sheets() -> pa.Table:
    told = [(receipt, name, before) for receipt, sheets in records.sheets_read().items() for name, before in sheets]
    columns = list(zip(*told, strict=True)) or [(), (), ()]
    return pa.table({name: pa.array(values, kind) for name, values, kind in zip(
        ("receipt", "sheet", "before"), columns, (pa.int64(), pa.string(), pa.int32()), strict=True)})  # fmt: skip


def _write(out: Path, mentions: pa.Table, links: pa.Table, keyring: Keyring, everybody: bool) -> int:
    connection = connect(memory=UNSPILLED)
    if not everybody:
        mentions = mentions.filter(pc.is_in(mentions["role"], value_set=pa.array(OWNERS)))
    numbers = pc.unique(links["person_number"].drop_null())
    connection.register("landed", mentions)
    connection.register("links", links)
    connection.register("sheets", _sheets())
    connection.register("keys", pa.table(
        {"person_number": numbers, "person_key": [keyring.pseudonym("p", n) for n in numbers.to_pylist()]}))  # fmt: skip
    columns = (*COLUMNS, "role") if everybody else COLUMNS
    rows = [row[: len(columns)] for row in connection.execute(ROWS).fetchall()]
    progress = Progress("紐付けの書き出し", len(rows))
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
            out.chmod(0o600)
            writer = csv.writer(handle)
            writer.writerow(columns)
            writer.writerows(progress.over(rows))
    except OSError as fault:
        raise StaffError(
            "紐付けのファイルを書けません。",
            where=f"{out} ({fault.strerror})",
            then="書き込める場所を指定してください。",
        ) from None
    progress.close()
    return len(rows)

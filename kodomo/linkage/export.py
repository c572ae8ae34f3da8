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

COLUMNS = ("source", "file", "row", "role", "row_key", "person_key")

ROWS = f"""
SELECT m.source, m.file, m.row % {records.PEOPLE_STEP} AS row, m.role, m.row_key, k.person_key
FROM landed m LEFT JOIN links l USING (receipt, row, role) LEFT JOIN keys k USING (person_number)
ORDER BY m.receipt, m.row, m.role NOT IN ('subject', 'holder'), m.role
"""


def export_links(out: Path, *, home: Home, municipality: Municipality, by: str, at: dt.datetime) -> dict[str, Any]:
    """Write a CSV (UTF-8, readable by its owner only) with one line per person a landed row speaks of, and who that is.

    ``role`` says who the person is in the row: its subject or holder first, then guardian, mother … A record nobody was found for has an empty ``person_key``. ``row_key`` is the source's own
    identifier: the file belongs to the identity side. Writes one audit row.

    Raises:
        NotReady: no link run yet.
        StaffError: the file can't be written.
    """
    started = time.monotonic()
    keyring = open_vault(home)
    run = people.require_run()
    event = AuditEvent(actor=by, role="OPERATOR", action="EXPORT_LINKS", subject=run.sealed_file, purpose=Purpose.LINK.label,
                       detail={"file": out.name})  # fmt: skip
    links = people.open_run(home, keyring, run, "links").select(["receipt", "row", "role", "person_number"])
    mentions = records.landed_mentions(home, keyring).select(["receipt", "source", "file", "row", "role", "row_key"])
    with audited(home, keyring, event, at):
        rows = _write(out, mentions, links, keyring)
    return {"file": str(out), "rows": rows, "run": run.pk, "seconds": round(time.monotonic() - started, 1)}


def _write(out: Path, mentions: pa.Table, links: pa.Table, keyring: Keyring) -> int:
    connection = connect(memory=UNSPILLED)
    numbers = pc.unique(links["person_number"].drop_null())
    connection.register("landed", mentions)
    connection.register("links", links)
    connection.register("keys", pa.table(
        {"person_number": numbers, "person_key": [keyring.pseudonym("p", n) for n in numbers.to_pylist()]}))  # fmt: skip
    rows = connection.execute(ROWS).fetchall()
    progress = Progress("紐付けの書き出し", len(rows))
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
            out.chmod(0o600)
            writer = csv.writer(handle)
            writer.writerow(COLUMNS)
            writer.writerows(progress.over(rows))
    except OSError as fault:
        raise StaffError(
            "紐付けのファイルを書けません。",
            where=f"{out} ({fault.strerror})",
            then="書き込める場所を指定してください。",
        ) from None
    progress.close()
    return len(rows)

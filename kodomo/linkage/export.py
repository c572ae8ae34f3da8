"""Write which landed record was linked to whom, so that linkage can be checked from outside (identity side)."""

from __future__ import annotations

import csv
import datetime as dt
import os
import time
from collections.abc import Sequence
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

COLUMNS = ("source", "file", "row", "row_key", "person_key")

ROWS = f"""
WITH told AS (
SELECT m.receipt, m.row AS number, m.source, m.file, m.row % {records.PEOPLE_STEP} AS row, m.row_key, k.person_key, coalesce(s.sheet, '') AS sheet,
       m.row % {records.PEOPLE_STEP} - s.before + s.line AS sheet_row, m.role
FROM landed m LEFT JOIN links l USING (receipt, row, role) LEFT JOIN keys k USING (person_number)
ASOF LEFT JOIN spans s ON s.receipt = m.receipt AND s.before < m.row % {records.PEOPLE_STEP}
)
SELECT {{columns}} FROM told ORDER BY receipt, number, role NOT IN ('subject', 'holder'), role
"""
OWNERS = ("subject", "holder")
"""Whom a row is about; the others it names (guardian, mother …) are told on demand."""


def export_links(
    out: Path,
    *,
    home: Home,
    municipality: Municipality,
    by: str,
    at: dt.datetime,
    everybody: bool = False,
    as_shown: bool = False,
) -> dict[str, Any]:
    """Write a CSV (UTF-8, readable by its owner only) with one line per landed record and whom it was linked to.

    ``row`` counts from the first data row of the file, through all its sheets. A record nobody was found for has an empty ``person_key``. ``row_key`` is the source's own
    identifier: the file belongs to the identity side. Writes one audit row.

    Args:
        everybody: a line for each person a row names, its subject or holder first, with their ``role`` in a column more.
        as_shown: two columns more, ``sheet`` (empty for a text file) and the row of it that a spreadsheet shows,
            ``sheet_row`` (empty for what was received before that was kept).

    Raises:
        NotReady: no link run yet.
        StaffError: the file can't be written.
    """
    started = time.monotonic()
    columns = (*COLUMNS, *(["role"] if everybody else []), *(["sheet", "sheet_row"] if as_shown else []))
    keyring = open_vault(home)
    run = people.require_run()
    event = AuditEvent(actor=by, role="OPERATOR", action="EXPORT_LINKS", subject=run.sealed_file, purpose=Purpose.LINK.label,
                       detail={"file": out.name, "everybody": everybody})  # fmt: skip
    links = people.open_run(home, keyring, run, "links").select(["receipt", "row", "role", "person_number"])
    mentions = records.landed_mentions(home, keyring).select(["receipt", "source", "file", "row", "role", "row_key"])
    with audited(home, keyring, event, at):
        rows = _write(out, mentions if everybody else _owners(mentions), links, keyring, columns)
    return {"file": str(out), "rows": rows, "run": run.pk, "seconds": round(time.monotonic() - started, 1)}


def _spans() -> pa.Table:
    told = [(receipt, *span) for receipt, spans in records.spans_read().items() for span in spans]
    columns = list(zip(*told, strict=True)) or [()] * 4
    kinds = {"receipt": pa.int64(), "sheet": pa.string(), "before": pa.int32(), "line": pa.int32()}
    return pa.table({name: pa.array(values, kind) for (name, kind), values in zip(kinds.items(), columns, strict=True)})


def _owners(mentions: pa.Table) -> pa.Table:
    return mentions.filter(pc.is_in(mentions["role"], value_set=pa.array(OWNERS)))


def _write(out: Path, mentions: pa.Table, links: pa.Table, keyring: Keyring, columns: Sequence[str]) -> int:
    connection = connect(memory=UNSPILLED)
    numbers = pc.unique(links["person_number"].drop_null())
    connection.register("landed", mentions)
    connection.register("links", links)
    connection.register("spans", _spans())
    connection.register("keys", pa.table(
        {"person_number": numbers, "person_key": [keyring.pseudonym("p", n) for n in numbers.to_pylist()]}))  # fmt: skip
    rows = connection.execute(ROWS.format(columns=", ".join(columns))).fetchall()
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

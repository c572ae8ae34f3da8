"""One delivery beside the one before it: records added, changed, gone (identity side).

From keyed fingerprints alone; nothing is unsealed but them.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.intake.layout import Layout
from kodomo.vault.records import PEOPLE_STEP

ROWS_TOLD = 20

OVERLAP = 0.05
"""Deliveries that share fewer records than this are months side by side, not states of one list."""


def series_of(file_name: str, layout: Layout) -> str:
    """A file's name without its extraction date: files of one series follow each other (令和6年度 and 令和7年度 don't)."""
    name = unicodedata.normalize("NFC", file_name)
    found = layout.date_in(name) if layout.file.extracted_in == "file_name" else None
    return name[: found.start] + "*" + name[found.end :] if found else name


def compare(before: pa.Table, now: pa.Table) -> dict[str, Any]:
    """What became of records between two deliveries (tables ``ROWS``, of one source and one series).

    Returns:
        ``added``, ``changed``, ``vanished``, ``same`` (counts of records); ``changed_rows`` (rows of this
        file) and ``vanished_rows`` (rows of the earlier one), the first few; ``is_list``: whether the two
        are states of one list at all.
    """
    there, here = last_of_each(before), last_of_each(now)
    both = pc.is_in(here["identity"], value_set=there["identity"].combine_chunks())
    at = pc.index_in(here["identity"], value_set=there["identity"].combine_chunks())
    is_same = pc.fill_null(pc.equal(here["content"], there["content"].take(at)), False)
    gone = pc.invert(pc.is_in(there["identity"], value_set=here["identity"].combine_chunks()))
    shared, changed = _sum(both), pc.and_(both, pc.invert(is_same))
    is_list = shared >= OVERLAP * min(here.num_rows, there.num_rows) and shared > 0
    return {
        "is_list": bool(is_list), "added": here.num_rows - shared, "changed": _sum(changed), "same": _sum(is_same),
        "vanished": _sum(gone) if is_list else 0, "changed_rows": _rows(here.filter(changed)),
        "vanished_rows": _rows(there.filter(gone)) if is_list else [],
    }  # fmt: skip


def last_of_each(rows: pa.Table) -> pa.Table:
    """The last row of each identity: what the delivery says in the end."""
    groups = rows.group_by("identity", use_threads=False).aggregate([("content", "last"), ("row", "last")])
    return (
        groups.rename_columns({"content_last": "content", "row_last": "row"})
        .select(rows.column_names)
        .cast(rows.schema)
    )


def _rows(rows: pa.Table) -> list[int]:
    # one printed row may hold several people
    return sorted({number % PEOPLE_STEP for number in rows["row"].to_pylist()})[:ROWS_TOLD]


def _sum(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)

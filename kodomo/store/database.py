"""The child database: immutable Parquet snapshots with a manifest (analysis side, meeting place of all stages).

A folder is written aside, every file is flushed to disk, and one rename publishes it; a pointer
file is then replaced. Readers hold a snapshot's folder, so a batch never changes what they see.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kodomo.errors import IntegrityFault, NotReady
from kodomo.store import children, events, results
from kodomo.tables.schema import Table, identifying_columns

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        children.PERSONS,
        children.CORRECTED_PERSONS,
        children.PERSON_CHANGES,
        children.HOUSEHOLD_SPELLS,
        children.KINSHIPS,
        children.RESIDENCE_SPELLS,
        events.FACTS,
        events.SOURCES,
        results.JUDGEMENTS,
        results.REASONS,
        results.COVERAGE,
        results.SUBJECTS,
        results.AUDIT_DRAWS,
        results.SIMILAR_CASES,
        results.DECISIONS,
        results.DISAGREEMENTS,
        results.CONTACTS,
        results.OUTCOMES,
        results.CLOSURES,
    )
}
"""Every table the store knows. A table that is not here cannot be written."""

SNAPSHOT_TABLES = (
    "persons",
    "corrected_persons",
    "person_changes",
    "household_spells",
    "kinships",
    "residence_spells",
    "facts",
    "sources",
)
JUDGEMENT_TABLES = ("judgements", "reasons", "coverage", "subjects", "audit_draws", "similar_cases")


ROWS_AT_ONCE = 8_192
"""Rows of a group: a page about one child reads the few groups that hold its key, so they are small; whole scans of a
city take as long as with groups eight times as large."""


@dataclass(frozen=True)
class Snapshot:
    """One published folder: where it is and what its manifest says."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def snapshot_id(self) -> str:
        """The folder's own name, unique for ever."""
        return self.path.name

    def file(self, table: str) -> Path:
        """The Parquet file of a table. Raises NotReady when the snapshot holds none."""
        path = self.path / f"{table}.parquet"
        if not path.exists():
            raise NotReady(f"表「{table}」がスナップショット {self.snapshot_id} にありません。")
        return path

    def holds(self, table: str) -> bool:
        """Whether the folder has the table: one that was declared after it was written is missing."""
        return (self.path / f"{table}.parquet").exists()

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns the table was written with."""
        path = self.file(table)
        return _columns_of(path, path.stat().st_mtime_ns)

    def standing(self, table: str, on: dt.date | None = None) -> str:
        """The SQL condition for rows nobody has told otherwise: at all, or by a day."""
        if "known_to" not in self.columns(table):
            return "true"
        return "known_to IS NULL" + (f" OR known_to > DATE '{on.isoformat()}'" if on else "")

    def read(self, table: str, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
        """A table in memory; a column that was declared after the snapshot was written is empty.

        Args:
            columns: only these; None for all.
            filters: which rows, as ``pyarrow.parquet.read_table`` takes them.
        """
        written = self.columns(table)
        chosen = None if columns is None else [c for c in columns if c in written]
        found = pq.read_table(self.file(table), columns=chosen, filters=filters)
        for column in TABLES[table].columns if table in TABLES else ():
            if column.nullable and column.name not in written and (columns is None or column.name in columns):
                found = found.append_column(column.name, pa.nulls(found.num_rows, column.kind))
        return found


@lru_cache(maxsize=128)
def _columns_of(path: Path, stamp: int) -> tuple[str, ...]:
    """Asked for every page of a child; a published file doesn't change."""
    return tuple(pq.read_schema(path).names)


class Store:
    """The store's folders under one home.

    ``snapshots/`` holds what publish wrote, ``judgements/`` what judge wrote, ``features/`` the
    indicator matrices, ``outcomes/`` what casework returned. Nothing in it names a person.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(
        self,
        kind: str,
        name: str,
        tables: Mapping[str, pa.Table],
        manifest: Mapping[str, Any],
        *,
        declared: Mapping[str, Table] | None = None,
    ) -> Snapshot:
        """Publish tables as one folder ``kind/name``, all or nothing, and make it the current one.

        Args:
            declared: declarations for tables the store does not know by itself (the indicators are a
                municipality's own). They are checked like all others and cannot replace a known one.

        Raises:
            IntegrityFault: a table is not declared, holds an identifying column, or does not fit
                its declaration; or the name is taken.
        """
        target = self.root / kind / name
        if target.exists():
            raise IntegrityFault(f"{kind}/{name} は既にあります。", then="別の名前で書いてください。")
        aside = self.root / kind / f".{name}.{os.getpid()}.partial"
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(parents=True)
        known = {**(declared or {}), **TABLES}
        files = {n: _write_table(aside, known.get(n), n, data) for n, data in sorted(tables.items())}
        body = {**manifest, "name": name, "kind": kind, "files": files}
        _write_durably(aside / "manifest.json", json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True).encode())
        _sync_folder(aside)
        aside.rename(target)
        _sync_folder(target.parent)
        pointer = self.root / kind / ".CURRENT.partial"
        _write_durably(pointer, name.encode())
        pointer.replace(self.root / kind / "CURRENT")
        _sync_folder(target.parent)
        return Snapshot(target, body)

    def current(self, kind: str) -> Snapshot | None:
        """The folder the pointer names, or None when nothing was published yet."""
        pointer = self.root / kind / "CURRENT"
        return self.open(kind, pointer.read_text().strip()) if pointer.exists() else None

    def open(self, kind: str, name: str) -> Snapshot:
        """A published folder by name. Raises NotReady."""
        path = self.root / kind / name
        if not (path / "manifest.json").exists():
            raise NotReady(f"{kind}/{name} がありません。", then="kodomo status で、いまあるものを確かめてください。")
        return Snapshot(path, json.loads((path / "manifest.json").read_text()))

    def names(self, kind: str) -> list[str]:
        """Published folders of a kind, oldest first."""
        folder = self.root / kind
        if not folder.exists():
            return []
        found = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
        return [p.name for p in sorted(found, key=lambda p: (p / "manifest.json").stat().st_mtime_ns)]

    def verify(self, snapshot: Snapshot) -> None:
        """Compare every file with the hash in the manifest. Raises IntegrityFault."""
        for name, entry in snapshot.manifest["files"].items():
            if _sha256(snapshot.path / f"{name}.parquet") != entry["sha256"]:
                raise IntegrityFault(
                    f"スナップショットの表「{name}」が書かれたときと違います。", where=str(snapshot.path)
                )

    def sweep(self) -> int:
        """Remove what a killed writer left aside; returns how many folders."""
        leftovers = [p for p in self.root.glob("*/.*.partial") if p.is_dir()]
        for path in leftovers:
            shutil.rmtree(path, ignore_errors=True)
        return len(leftovers)


def _write_table(folder: Path, declared: Table | None, name: str, data: pa.Table) -> dict[str, object]:
    if declared is None:
        raise IntegrityFault(f"表「{name}」は宣言されていないので書けません。")
    identifying = identifying_columns(declared)
    if identifying:
        raise IntegrityFault(
            f"表「{name}」には識別情報の列があるので、こどもデータベースに書けません。", where=str(identifying)
        )
    path = folder / f"{name}.parquet"
    pq.write_table(declared.conform(data), path, compression="zstd", row_group_size=ROWS_AT_ONCE)
    _sync_file(path)
    return {"rows": data.num_rows, "sha256": _sha256(path)}


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_file(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()

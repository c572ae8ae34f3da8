"""Snapshots are whole or absent, declared, pseudonymous, and verifiable."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from kodomo.errors import IntegrityFault, NotReady
from kodomo.store.database import TABLES, Store
from kodomo.store.events import FACTS, SOURCES
from kodomo.tables.schema import Column, Sensitivity, Table, identifying_columns
from kodomo.vault.records import LANDED_FACTS, MENTIONS


def facts(count: int = 2) -> pa.Table:
    day = dt.date(2025, 4, 1)
    rows = [("p1", "absence_days", 1.0, None, day, None, day, None, "school_attendance")] * count
    return pa.Table.from_arrays(
        [pa.array(values, type=c.kind) for values, c in zip(zip(*rows, strict=True), FACTS.columns, strict=True)],
        schema=FACTS.schema(),
    )


def test_snapshot_is_written_and_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.current("snapshots") is None
    store.write("snapshots", "one", {"facts": facts()}, {"counts": 1})
    current = store.current("snapshots")
    assert current is not None
    assert current.snapshot_id == "one"
    assert current.read("facts").num_rows == 2
    assert current.manifest["files"]["facts"]["rows"] == 2
    store.verify(current)


def test_reader_keeps_its_snapshot_while_another_is_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    held = store.write("snapshots", "one", {"facts": facts(1)}, {})
    store.write("snapshots", "two", {"facts": facts(3)}, {})
    assert held.read("facts").num_rows == 1
    assert store.current("snapshots").snapshot_id == "two"  # type: ignore[union-attr]
    assert store.names("snapshots") == ["one", "two"]


def test_undeclared_table_and_taken_name_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(IntegrityFault):
        store.write("snapshots", "one", {"names": facts()}, {})
    assert store.names("snapshots") == []
    store.write("snapshots", "one", {"facts": facts()}, {})
    with pytest.raises(IntegrityFault):
        store.write("snapshots", "one", {"facts": facts()}, {})


@pytest.mark.parametrize("declared", [MENTIONS, LANDED_FACTS], ids=lambda t: t.name)
def test_identity_side_tables_cannot_enter(tmp_path: Path, declared: Table) -> None:
    with pytest.raises(IntegrityFault):
        Store(tmp_path).write("snapshots", "one", {declared.name: declared.empty()}, {})


def test_table_declared_with_an_identifying_column_cannot_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky = Table("leaky", "漏れ", "人", (Column("name", pa.string(), "氏名", Sensitivity.IDENTIFYING),))
    monkeypatch.setitem(TABLES, "leaky", leaky)
    with pytest.raises(IntegrityFault):
        Store(tmp_path).write("snapshots", "one", {"leaky": pa.table({"name": ["x"]})}, {})


def test_no_declared_store_table_identifies() -> None:
    assert not [t.name for t in TABLES.values() if identifying_columns(t)]


def test_value_that_does_not_fit_is_refused_without_being_told() -> None:
    bad = pa.table({c.name: pa.array(["秘密の値"]) for c in SOURCES.columns})
    with pytest.raises(IntegrityFault) as refusal:
        SOURCES.conform(bad)
    assert "秘密の値" not in str(refusal.value)


def test_changed_file_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    snapshot = store.write("snapshots", "one", {"facts": facts()}, {})
    with snapshot.file("facts").open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(IntegrityFault):
        store.verify(snapshot)


def test_missing_snapshot_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        Store(tmp_path).open("snapshots", "none")


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_database import facts
from kodomo.store import database
step = int(sys.argv[2])
calls = 0
def die(*_):
    global calls
    calls += 1
    if calls == step:
        os.kill(os.getpid(), 9)
original_file, original_folder = database._sync_file, database._sync_folder
database._sync_file = lambda p: (die(), original_file(p))
database._sync_folder = lambda p: (die(), original_folder(p))
database.Store(Path(sys.argv[1])).write("snapshots", "two", {"facts": facts(3)}, {})
"""


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_kill_at_any_step_leaves_the_old_or_the_new_snapshot(tmp_path: Path, step: int) -> None:
    store = Store(tmp_path)
    store.write("snapshots", "one", {"facts": facts(1)}, {})
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(step), here], check=False)
    assert done.returncode == -9
    current = store.current("snapshots")
    assert current is not None
    store.verify(current)
    assert (current.snapshot_id, current.read("facts").num_rows) in {("one", 1), ("two", 3)}
    store.sweep()
    assert not [p for p in (tmp_path / "snapshots").iterdir() if p.is_dir() and p.name.endswith(".partial")]

"""The engine never writes names to disk in clear."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from kodomo.tables.engine import connect

LARGE = "CREATE TABLE t AS SELECT i, 'x' || i AS s FROM range(8000000) r(i)"


def test_without_a_spill_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.OutOfMemoryException):
        connect(memory="50MB", threads=1).execute(LARGE)
    assert not list(tmp_path.iterdir())


def test_a_named_spill_folder_is_used(tmp_path: Path) -> None:
    connection = connect(tmp_path / "o'spill", memory="100MB", threads=1)
    connection.execute(LARGE)
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(8_000_000,)]

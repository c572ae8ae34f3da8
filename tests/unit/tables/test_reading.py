"""The engine that pages read published files with: kept open, many readers at once, the newest small files in memory."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kodomo.tables import engine


def written(path: Path, *numbers: int) -> Path:
    pq.write_table(pa.table({"number": list(numbers)}), path)
    return path


def held(path: Path) -> list[int]:
    with engine.reading() as connection:
        rows = connection.execute(f"SELECT number FROM {engine.kept_table(path)} ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def test_a_kept_file_is_read_once_and_anew_when_it_is_another(tmp_path: Path) -> None:
    path = written(tmp_path / "it's.parquet", 1, 2)
    assert engine.kept_table(path) == engine.kept_table(path) and held(path) == [1, 2]
    written(tmp_path / "other.parquet", 9)
    (tmp_path / "other.parquet").replace(path)
    assert held(path) == [9]


def test_many_ask_for_a_file_at_once(tmp_path: Path) -> None:
    path, found = written(tmp_path / "a.parquet", *range(1000)), []
    threads = [threading.Thread(target=lambda: found.append(len(held(path)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert found == [1000] * 8


def test_the_oldest_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_KEPT", 2)
    paths = [written(tmp_path / f"{n}.parquet", n) for n in range(4)]
    assert [held(path) for path in paths] == [[0], [1], [2], [3]]
    assert len(engine._kept) == 2 and held(paths[0]) == [0]


def test_a_reader_reaches_no_network_and_writes_nothing_beside_it(tmp_path: Path) -> None:
    with engine.reading() as connection:
        for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert connection.execute(f"SELECT current_setting('{setting}')").fetchall() == [(False,)]
        assert connection.execute("SELECT current_setting('temp_directory')").fetchall() == [("",)]


def test_all_who_ask_first_get_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, found, opened = written(tmp_path / "a.parquet", 1, 2), [], []

    def slowly(**bounds: str) -> duckdb.DuckDBPyConnection:
        time.sleep(0.05)
        opened.append(duckdb.connect())
        return opened[-1]

    monkeypatch.setattr(engine, "_engines", {})
    monkeypatch.setattr(engine, "connect", slowly)
    threads = [threading.Thread(target=lambda: found.append(held(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    engine._kept.clear()
    assert found == [[1, 2]] * 4 and len(opened) == 1


def test_another_process_makes_its_own_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, parent = written(tmp_path / "a.parquet", 1, 2), engine.os.getpid()
    assert held(path) == [1, 2]
    monkeypatch.setattr(engine, "_engines", {parent: engine._engines[parent]})
    monkeypatch.setattr(engine.os, "getpid", lambda: parent + 1)
    assert held(path) == [1, 2]
    engine._kept.clear()

"""The engine that pages ask published files with: kept open, one for a process, out of reach of everything else."""

from __future__ import annotations

import threading
import time

import duckdb
import pytest

from kodomo.tables import engine


def answer() -> int:
    with engine.reading() as connection:
        return int(connection.execute("SELECT 1").fetchall()[0][0])


def test_a_reader_reaches_no_network_and_writes_nothing_beside_it() -> None:
    with engine.reading() as connection:
        for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert connection.execute(f"SELECT current_setting('{setting}')").fetchall() == [(False,)]
        assert connection.execute("SELECT current_setting('temp_directory')").fetchall() == [("",)]


def test_all_who_ask_first_get_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    found, opened = [], []

    def slowly(**bounds: str) -> duckdb.DuckDBPyConnection:
        time.sleep(0.05)
        opened.append(duckdb.connect())
        return opened[-1]

    monkeypatch.setattr(engine, "_engines", {})
    monkeypatch.setattr(engine, "connect", slowly)
    threads = [threading.Thread(target=lambda: found.append(answer())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert found == [1] * 4 and len(opened) == 1


def test_another_process_opens_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer() == 1
    parent = engine.os.getpid()
    monkeypatch.setattr(engine, "_engines", {parent: engine._engines[parent]})
    monkeypatch.setattr(engine.os, "getpid", lambda: parent + 1)
    assert answer() == 1 and len(engine._engines) == 2

"""Rows of a published file by their key: the same whether it is kept in memory or read group by group."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kodomo.tables import lookup
from kodomo.tables.lookup import all_rows, rows_with

KEYS = st.lists(st.sampled_from("abcdefgh"), max_size=60)


def written(path: Path, keys: list[str], size: int = 4) -> Path:
    rows = {"key": pa.array(keys, pa.string()), "place": pa.array(range(len(keys)), pa.int64())}
    pq.write_table(pa.table(rows), path, row_group_size=size)
    return path


def expected(keys: list[str], wanted: set[str]) -> list[tuple[str, int]]:
    return sorted((key, place) for place, key in enumerate(keys) if key in wanted)


def given_by(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["key"], row["place"]) for row in rows]


@pytest.mark.parametrize("most", [0, 1000])
@given(keys=KEYS, wanted=st.sets(st.sampled_from("abcdxyz")), is_sorted=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_row_of_a_key_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, keys: list[str], wanted: set[str], is_sorted: bool
) -> None:
    monkeypatch.setattr(lookup, "MOST_ROWS", most)
    keys = sorted(keys) if is_sorted else keys
    path = written(tmp_path / f"{abs(hash((most, tuple(keys))))}.parquet", keys)
    found = given_by(rows_with(path, "key", wanted))
    assert sorted(found) == expected(keys, wanted)
    if is_sorted or most:
        assert found == expected(keys, wanted)  # value by value, and the rows of one in the file's order


def test_only_groups_that_can_hold_the_key_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MOST_ROWS", 0)
    path, read = written(tmp_path / "a.parquet", sorted("aabbccddeeff"), size=4), []
    whole = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda self, group, **how: read.append(group) or whole(self, group, **how)
    )
    assert given_by(rows_with(path, "key", ["c"])) == [("c", 4), ("c", 5)] and read == [1]
    assert rows_with(path, "key", ["x"]) == [] and read == [1]


def test_a_replaced_file_is_read_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", ["a"])
    assert len(rows_with(path, "key", ["a"])) == len(all_rows(path)) == 1
    written(tmp_path / "b.parquet", ["a", "a"]).replace(path)
    assert len(rows_with(path, "key", ["a"])) == len(all_rows(path)) == 2


def test_an_empty_file_holds_nobody(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", [])
    assert rows_with(path, "key", ["a"]) == [] == all_rows(path)


def test_many_ask_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MOST_ROWS", 0)
    path, found = written(tmp_path / "a.parquet", sorted("abcdefgh" * 50), size=16), []
    threads = [
        threading.Thread(target=lambda k=key: found.append(len(rows_with(path, "key", [k])))) for key in "abcdefgh"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert found == [50] * 8

"""A city that is too large to be linked in one go is linked part by part, and comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.linkage import edges
from kodomo.tables import parts
from kodomo.tables.engine import connect
from kodomo.tables.parts import Part, fill, parts_of

from .test_increment import City, _linked, _outcome


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_city_in_many_parts_comes_out_as_in_one(seed: int, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = City(seed).paper
    whole, figures = _linked(paper, model_file)
    monkeypatch.setattr(parts, "AT_ONCE", 7)
    monkeypatch.setattr(edges, "BIRTH_DATES", 1)
    parted, again = _linked(paper, model_file)
    assert _outcome(parted) == _outcome(whole)
    assert again == figures


def test_parts_hold_every_row_once_and_those_to_come() -> None:
    connection = connect(threads=1)
    connection.execute("CREATE TABLE row AS SELECT 3 * range AS key FROM range(10)")
    found = parts_of(connection, "row", "key", 4)
    assert len(found) == 3
    fill(connection, "copied", "SELECT key FROM row WHERE {part} ORDER BY key", found, "key")
    assert connection.execute("FROM copied").fetchall() == [(3 * n,) for n in range(10)]
    assert connection.execute(f"SELECT count(*) FROM (SELECT 1000 AS key) WHERE {found[-1].holds('key')}").fetchall()[
        0
    ][0]


def test_what_fits_in_one_part_is_not_parted() -> None:
    connection = connect(threads=1)
    connection.execute("CREATE TABLE row AS SELECT range AS key FROM range(4)")
    assert parts_of(connection, "row", "key", 4) == [Part()]

"""What write_city puts on disk."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from written_city import RESIDENTS, Written

from kodomo.city.write_city import write_city
from kodomo.errors import WrongUsage


def test_every_source_has_a_file_and_every_file_one_layout(city: Written) -> None:
    seen = Counter()
    for path in city.files():
        fitting = [s for s, layout in city.layouts.items() if path.match(layout.file.pattern)]
        assert len(fitting) == 1, path.name
        assert path.parent.name == city.layouts[fitting[0]].holder
        assert city.layouts[fitting[0]].extracted_on(path.name) is not None
        seen[fitting[0]] += 1
    assert set(seen) == set(city.layouts)


def test_headers_stand_where_the_layout_says(city: Written) -> None:
    for path in city.files():
        layout = city.layout_of(path)
        assert city.cells(path)[layout.file.skip_top] == [c.name for c in layout.columns], path.name


def test_every_data_row_is_in_the_answer_key(city: Written) -> None:
    rows: dict[str, list[int]] = {}
    people = {p["person_id"] for p in city.key("people.csv")}
    for link in city.key("links.csv"):
        rows.setdefault(link["file"], []).append(int(link["row"]))
        assert link["person_id"] in people
    for path in city.files():
        assert rows[path.name] == list(range(1, len(city.rows(path)) + 1)), path.name


def test_it_says_which_rows_nobody_can_read(city: Written) -> None:
    kinds = Counter(m["kind"] for m in city.key("mistakes.csv"))
    broken = sum(kinds[k] for k in ("unreadable_date", "unknown_code", "missing_required"))
    total = sum(len(city.rows(p)) for p in city.files())
    assert 0.0002 < broken / total < 0.003
    assert kinds["exact_duplicate"] >= 3


def test_register_holds_exactly_the_residents_asked_for(city: Written) -> None:
    assert len(city.key("households.csv")) == RESIDENTS
    path = next(p for p in city.files() if p.name.startswith("住民記録"))
    columns = [c.name for c in city.layout_of(path).columns]
    gone = columns.index("消除日")
    copies = sum(m["file"] == path.name and m["kind"] == "exact_duplicate" for m in city.key("mistakes.csv"))
    present = sum(row[gone] == "" for row in city.rows(path))
    assert RESIDENTS <= present <= RESIDENTS + copies


def individual_number(digits: str) -> bool:
    """12 digits whose last is the check digit of 行政手続における特定の個人を識別するための番号…施行令8条."""
    total = sum(int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(digits[:11]), start=1))
    return int(digits[11]) == (0 if total % 11 <= 1 else 11 - total % 11)


def test_the_check_knows_an_individual_number() -> None:
    assert individual_number("123456789018")
    assert not individual_number("123456789019")


def test_no_cell_can_be_taken_for_an_individual_number(city: Written) -> None:
    for path in city.files():
        for row in city.cells(path):
            for cell in row:
                plain = re.sub(r"[\s\-－.]", "", unicodedata.normalize("NFKC", cell))
                assert not re.fullmatch(r"\d{12}", plain), path.name
                assert not re.search(r"(?<!\d)\d{12}(?!\d)", cell), path.name


def test_identifiers_are_short(city: Written) -> None:
    for path in city.files():
        layout = city.layout_of(path)
        for i, column in enumerate(layout.columns):
            if column.type == "identifier":
                assert all(len(row[i]) <= 10 for row in city.rows(path)), (path.name, column.name)


def test_canaries_are_in_the_extracts(city: Written) -> None:
    text = "\n".join("\t".join(row) for path in city.files() for row in city.cells(path))
    wanted = [c for c in city.key("canaries.csv") if c["kind"] in ("surname", "given", "address", "number")]
    assert len({c["value"] for c in wanted if c["kind"] == "surname"}) >= 6
    missing = [c for c in wanted if c["value"] not in text]
    assert not missing


def test_canaries_are_nobody_elses(city: Written) -> None:
    surnames = {c["value"] for c in city.key("canaries.csv") if c["kind"] == "surname"}
    path = next(p for p in city.files() if p.name.startswith("住民記録"))
    bearers = Counter(row[3].split("　")[0] for row in city.rows(path))
    assert all(0 < bearers[s] <= 12 for s in surnames)


def test_nothing_refused_is_printed(city: Written) -> None:
    for path in city.files():
        layout = city.layout_of(path)
        for i, column in enumerate(layout.columns):
            if "成績" in column.ignore:
                assert all(row[i] == "" for row in city.rows(path))


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()


def test_same_seed_same_bytes_xlsx_included(tmp_path: Path) -> None:
    digests = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_city(residents=600, months=12, seed=seed, out=tmp_path / name)
        digests.append(digest(tmp_path / name))
    assert digests[0] == digests[1] != digests[2]


def test_an_earlier_city_is_replaced(tmp_path: Path) -> None:
    stale = tmp_path / "extracts" / "citizens" / "住民記録_一覧_20200401.csv"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    write_city(residents=300, months=12, seed=1, out=tmp_path)
    assert not stale.exists()


@pytest.mark.parametrize(("residents", "months"), [(100, 24), (1000, 6), (1000, 73)])
def test_it_refuses_a_city_that_cannot_be_told(tmp_path: Path, residents: int, months: int) -> None:
    with pytest.raises(WrongUsage):
        write_city(residents=residents, months=months, seed=1, out=tmp_path)
    assert not list(tmp_path.iterdir())

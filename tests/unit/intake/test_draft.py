"""A draft finds how a file is written and what its columns are, shows no value, and reads the file once completed."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from strange_files import MAKERS, Truth

from kodomo.cli import main
from kodomo.errors import DeliveryRefused
from kodomo.intake.draft import draft_layout, draft_text, known_of
from kodomo.intake.draft_writing import Known
from kodomo.intake.layout import layout_for, read_layout, read_layouts
from kodomo.intake.layout_check import check_layout
from kodomo.intake.layout_repeat import spelt_out
from kodomo.intake.limits import LIMITS
from kodomo.intake.read import Job, Reading, read_extract
from kodomo.intake.survey import survey

ROOT = Path(__file__).resolve().parents[3]


def drafted(path: Path, known: Known | None = None) -> tuple[dict[str, Any], str]:
    """The draft as TOML and as text, made in this process."""
    seen = survey(path, path.name, LIMITS).told()
    text = draft_text(path.name, seen, known or Known())
    return tomllib.loads(text), text


def completed(text: str, folder: Path) -> Path:
    """The draft with the least a person must fill in."""
    text = text.replace('system = ""', 'system = "町"').replace('holder = ""', 'holder = "school"')
    text = re.sub(r'^item = ""$', 'item = "x"', text, flags=re.M)
    path = folder / "draft.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read_by(layout_path: Path, path: Path) -> Reading:
    layout = read_layout(layout_path)
    columns = frozenset(c.reference for c in layout.columns if not c.ignore)
    return read_extract(Job(path, path.name, layout, columns, frozenset(), b"k" * 32, dt.date(2026, 4, 1), LIMITS))


def by_reference(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for column in spelt_out(body)["columns"]:
        occurrence = column.get("occurrence", 1)
        found[column["name"] if occurrence == 1 else f"{column['name']}#{occurrence}"] = column
    return found


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_strange_file_is_drafted_as_it_is(make, tmp_path):
    truth: Truth = make(tmp_path)
    body, text = drafted(truth.path)
    file, columns = body["file"], by_reference(body)
    assert file["format"] == truth.format
    assert file.get("encoding", "") == truth.encoding
    if truth.delimiter:
        assert file.get("delimiter", "\t" if truth.format == "tsv" else ",") == truth.delimiter
    told = {key: file.get(key, default) for key, default in (("skip_top", 0), ("header_rows", 1), ("skip_below", 0))}
    if truth.format != "fixed":
        assert told == {"skip_top": truth.skip_top, "header_rows": truth.header_rows, "skip_below": truth.skip_below}
        assert {r for r in truth.dates if columns[r]["type"] != "date"} == set()
        assert {r for r in truth.identifiers if columns[r]["type"] != "identifier"} == set()
        found = {r: (columns[r].get("person"), columns[r].get("field")) for r in truth.fields}
        assert found == truth.fields
    assert [secret for secret in truth.secrets if secret in text] == []


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_completed_draft_of_a_strange_file_reads_it(make, tmp_path):
    truth: Truth = make(tmp_path)
    _, text = drafted(truth.path)
    layout_path = completed(text, tmp_path)
    assert check_layout(tomllib.loads(layout_path.read_text(encoding="utf-8"))) == []
    if truth.readable:
        reading = read_by(layout_path, truth.path)
        expected = truth.rows * 3 if truth.format == "xlsx" else truth.rows
        assert (reading.rows_landed, reading.quarantined) == (expected, [])


def test_hinatas_own_files_are_drafted_right(tmp_path, hinata):
    from kodomo.city.write_city import write_city

    write_city(residents=900, months=12, seed=5, out=tmp_path / "city")
    layouts = read_layouts(hinata.folder)
    right = wrong = 0
    for path in sorted((tmp_path / "city" / "extracts").rglob("*")):
        if not path.is_file():
            continue
        layout = layout_for(path.name, layouts)
        body, _ = drafted(path)
        file, columns = body["file"], by_reference(body)
        assert file["format"] == layout.file.format, path.name
        if not layout.file.is_workbook:
            assert file["encoding"].removesuffix("-sig") == layout.file.encoding.removesuffix("-sig"), path.name
        assert (file.get("skip_top", 0), file.get("header_rows", 1)) == (layout.file.skip_top, 1), path.name
        for column in (c for c in layout.columns if not c.ignore):
            guess = columns[column.reference]
            if column.type in ("date", "month", "identifier"):
                assert guess["type"] == column.type, (path.name, column.reference, guess)
            if column.person:
                is_right = (guess.get("person"), guess.get("field")) == (column.person, column.field)
                right, wrong = right + is_right, wrong + (not is_right)
    assert right > 120 and wrong <= right * 0.02, (right, wrong)


def test_draft_takes_items_from_the_folder_and_tells_those_it_lacks(town, tmp_path):
    known = known_of(town)
    assert known.offices == ("citizens", "school") and known.items["学籍番号"] == "pupil_number"
    path = tmp_path / "x_20260401.csv"
    path.write_text(
        "学籍番号,氏名,年月,欠席日数,世帯番号\n"
        + "".join(f"A{n:03d},山 花{n},2026-04,{n % 3},{n:05d}\n" for n in range(40))
    )
    body, text = drafted(path, known)
    columns = by_reference(body)
    assert columns["学籍番号"]["item"] == "pupil_number" and columns["欠席日数"]["item"] == "absence_days"
    assert '# code = "household_number"' in text and '# code = "name"' not in text
    assert body["record"] == {"row_key": "学籍番号", "identity": ["学籍番号", "年月"]}


def test_months_people_and_parts_of_dates_are_drafted_as_one(tmp_path):
    from strange_files import household_of_children, parts_in_columns, wide_months

    months, _ = drafted(wide_months(tmp_path).path)
    assert months["repeat"][0]["for"] == ["4", "5", "6", "7", "8", "9", "10", "11", "12", "1", "2", "3"]
    assert months["repeat"][0]["columns"][0]["name"] == "{}月"
    truth = household_of_children(tmp_path)
    people, text = drafted(truth.path)
    assert people["people"][0]["for"] == ["1", "2", "3"] and len(people["people"][0]["columns"]) == 3
    reading = read_by(completed(text, tmp_path), truth.path)
    assert reading.landing.mentions["role"].to_pylist().count("subject") == 15 * 3 + 15 * 2
    parts = by_reference(drafted(parts_in_columns(tmp_path).path)[0])
    assert parts["生年月日"]["join"] == ["元号", "年", "月", "日"] and parts["生年月日"]["field"] == "born_on"
    assert "年" not in parts


def test_file_that_can_never_be_received_gets_no_draft(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"%PDF-1.7")
    with pytest.raises(DeliveryRefused):
        draft_layout(path, Known())
    link = tmp_path / "y.csv"
    link.symlink_to(path)
    with pytest.raises(DeliveryRefused):
        draft_layout(link, Known())


def test_individual_numbers_are_warned_of_in_the_draft(tmp_path):
    from kodomo.intake.individual_number import has_valid_check_digit

    numbers = [n for n in (f"{k:012d}" for k in range(123456780000, 123456789999)) if has_valid_check_digit(n)][:30]
    path = tmp_path / "x.csv"
    path.write_text(
        "宛名番号,氏名,番号\n" + "".join(f"{at:05d},山 花,{n}\n" for at, n in enumerate(numbers)), encoding="utf-8"
    )
    text = draft_layout(path, Known())["layout"]
    assert "個人番号(マイナンバー)とみられる列があります: 番号" in text and numbers[0] not in text


def test_commands_draft_and_check(tmp_path, town, capsys):
    path = tmp_path / "出欠_20260401.csv"
    path.write_bytes(
        "学籍番号,氏名,年月,欠席,遅刻\nA001,翡翠川花,2026-03,3,0\nA002,翡翠川次,だめ,1,0\n".encode("cp932")
    )
    call = ["--home", str(tmp_path / "home"), "--municipality", str(town)]
    out = tmp_path / "draft.toml"
    assert main([*call, "layout", "draft", str(path), "--out", str(out)]) == 0
    assert main([*call, "layout", "draft", str(path), "--out", str(out)]) == 2
    assert tomllib.loads(out.read_text(encoding="utf-8"))["file"]["encoding"] == "cp932"
    assert main([*call, "layout", "check", str(town / "sources" / "absences.toml"), str(path), "--json"]) == 0
    said = capsys.readouterr()
    assert "3 行目" in said.err and "R-05" in said.err and "翡翠川" not in said.err + said.out
    assert '"rows_landed": 1' in said.out and '"absence_days": 1' in said.out
    path.write_bytes("学籍番号,児童氏名,年月,欠席\nA001,翡翠川花,2026-03,3\n".encode())
    assert main([*call, "layout", "check", str(town / "sources" / "absences.toml"), str(path)]) == 4
    said = capsys.readouterr()
    assert "encoding は utf-8" in said.err and "列「氏名」が見つかりません。似た見出し: 児童氏名" in said.err
    assert not (tmp_path / "home" / "vault").exists()
    # A layout in a municipality's folder is checked against that folder's register, whichever is the default.
    path.write_bytes("学籍番号,氏名,年月,欠席,遅刻\nA001,翡翠川花,2026-03,3,0\n".encode("cp932"))
    assert main([*call[:2], "layout", "check", str(town / "sources" / "absences.toml"), str(path)]) == 0
    assert main([*call, "layout", "draft"]) == 2 and main([*call, "layout", "check", str(path)]) == 2

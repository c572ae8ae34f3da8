"""A reply slip from outside: rows of text, or a refusal in words; read in a process of its own."""

from __future__ import annotations

import io
import json
import random
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import msoffcrypto
import pytest
import pyzipper
import xlsxwriter

from kodomo.cli import main
from kodomo.errors import DeliveryRefused
from kodomo.intake.slip import SLIP_LIMITS, read_slip

ROWS = [["受け渡し番号", "123-4567"], ["様子", "二回来てくれました。\n元気でした。"], ["", ""], ["日", "-"]]
READ = [row for row in ROWS if any(row)]


def workbook(rows: list[list[str]], title: str = "回答票", formula: str = "") -> bytes:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False})
    book.add_worksheet("お願い").write_string(0, 0, "読まないところ")
    sheet = book.add_worksheet(title)
    for n, row in enumerate(rows):
        for m, cell in enumerate(row):
            sheet.write_string(n, m, cell)
    if formula:
        sheet.write_formula(0, 3, formula)
    book.close()
    return held.getvalue()


def read(folder: Path, content: bytes, name: str = "slip") -> list[list[str]]:
    path = folder / name
    path.write_bytes(content)
    return read_slip(path, "回答票")


def test_it_reads_the_sheet_of_a_workbook_and_nothing_else(tmp_path: Path) -> None:
    assert read(tmp_path, workbook(ROWS)) == READ


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_it_reads_a_csv_in_the_encodings_offices_use(encoding: str, tmp_path: Path) -> None:
    text = '受け渡し番号,123-4567\r\n様子,"二回来てくれました。\n元気でした。"\r\n,\r\n日,-\r\n'
    assert read(tmp_path, text.encode(encoding)) == READ


def test_it_refuses_what_is_no_slip(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (8 << 20))
    cases = {
        "formula": [workbook(ROWS, formula="=1+1"), workbook([["様子", "=HYPERLINK(1)"]]), "様子,＝1+1".encode(),
                    "様子,\u200b@SUM(1)".encode(), b"a,+1", b"a,-1"],
        "no_sheet": [workbook(ROWS, title="別の紙")],
        "too_large": [workbook([["あ"] * 21]), workbook([["あ"]] * 201), b"a" * (SLIP_LIMITS.file_bytes + 1),
                      ("様子," + "あ" * 4_001).encode()],
        "bomb": [bomb.getvalue()],
        "nul": [b"a,\0b"],
        "wrong_kind": [b"%PDF-1.7", b"MZ\x90"],
        "empty": [b""],
    }  # fmt: skip
    for code, contents in cases.items():
        for content in contents:
            with pytest.raises(DeliveryRefused) as refusal:
                read(tmp_path, content)
            assert refusal.value.details["code"] == code
            assert "二回来て" not in refusal.value.text()


def zipped(files: dict[str, bytes], password: str | None = None) -> bytes:
    held = io.BytesIO()
    with pyzipper.AESZipFile(
        held, "w", compression=zipfile.ZIP_DEFLATED, encryption=pyzipper.WZ_AES if password else None
    ) as archive:
        if password:
            archive.setpassword(password.encode())
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def locked(content: bytes, password: str) -> bytes:
    held = io.BytesIO()
    msoffcrypto.OfficeFile(io.BytesIO(content)).encrypt(password, held)
    return held.getvalue()


SECRET = "かぎ-2026"
NOISE = random.Random(1).randbytes(600_000)  # noqa: S311  what does not pack


def test_it_opens_what_came_back_protected(tmp_path: Path) -> None:
    book, text = workbook(ROWS), "受け渡し番号,123-4567\r\n".encode("cp932")
    path = tmp_path / "slip"
    for content in (zipped({"回答票.xlsx": book}, SECRET), zipped({"__MACOSX/._x": b"x", "a/回答票.xlsx": book}, SECRET),
                    locked(book, SECRET)):  # fmt: skip
        path.write_bytes(content)
        assert read_slip(path, "回答票", password=SECRET) == READ
        for password, said in ((None, "パスワードのかかったファイル"), ("wrong", "パスワードが違う")):
            with pytest.raises(DeliveryRefused, match=said) as refusal:
                read_slip(path, "回答票", password=password)
            assert refusal.value.details["code"] == "password" and "--password" not in refusal.value.text()
    path.write_bytes(zipped({"slip.csv": text}))  # only packed: no password is asked for
    assert read_slip(path, "回答票") == [["受け渡し番号", "123-4567"]]
    assert read_slip(path, "回答票", password=SECRET) == [["受け渡し番号", "123-4567"]]


def test_it_opens_no_zip_that_holds_more_than_a_slip(tmp_path: Path) -> None:
    book = workbook(ROWS)
    hidden = workbook(ROWS, formula="=1+1")
    cases = {
        "nested": [zipped({"a.xlsx": book, "b.xlsx": book}, SECRET), zipped({"a.zip": zipped({"b": b"c"})})],
        "too_large": [zipped({"a.csv": NOISE + b"a" * SLIP_LIMITS.file_bytes})],
        "bomb": [zipped({"a.csv": b"0" * (17 << 20)})],
        "formula": [zipped({"a.xlsx": hidden}, SECRET), locked(hidden, SECRET)],
        "slip": [zipped({"../a.csv": b"a,b"})],
    }
    for code, contents in cases.items():
        for content in contents:
            path = tmp_path / "slip"
            path.write_bytes(content)
            with pytest.raises(DeliveryRefused) as refusal:
                read_slip(path, "回答票", password=SECRET)
            assert refusal.value.details["code"] == code


def test_it_says_of_a_damaged_zip_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> Iterator[bytes]:
        yield b"a,b"
        raise zlib.error("invalid block type")

    damaged = bytearray(zipped({"a.csv": b"number,answer\n" * 9}))
    damaged[45] ^= 0xFF
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, bytes(damaged))
    assert refusal.value.details["code"] == "broken_archive"
    monkeypatch.setattr("kodomo.intake.slip.entry_pieces", broken)
    (tmp_path / "slip").write_bytes(zipped({"a.csv": b"a,b"}, SECRET))
    with pytest.raises(DeliveryRefused) as refusal:
        read_slip(tmp_path / "slip", "slip", password="other")
    assert refusal.value.details["code"] == "password"


def test_the_command_reads_it_in_a_bounded_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "slip.xlsx"
    path.write_bytes(workbook(ROWS))
    assert main(["--home", str(tmp_path), "read-slip", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": READ}
    path.write_bytes(zipped({"slip.xlsx": workbook(ROWS)}, SECRET))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    assert main(["--home", str(tmp_path), "read-slip", str(path), "--json", "--password-stdin"]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": READ}
    path.write_bytes(workbook(ROWS, formula="=1+1"))
    assert main(["--home", str(tmp_path), "read-slip", str(path), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "formula"

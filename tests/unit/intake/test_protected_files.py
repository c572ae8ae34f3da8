"""Old workbooks, protected workbooks and AES zips open with their password, and harmful ones not at all."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import msoffcrypto
import pytest
import pyzipper
import xlsxwriter
import xlwt
from town import ALLOWANCE_LAYOUT, AT, absences_csv

from kodomo.cli import main
from kodomo.configuration import read_municipality
from kodomo.errors import DeliveryRefused
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.office import opened
from kodomo.intake.receive import receive
from kodomo.intake.survey import survey

ROWS = [["児童手当"], [], ["受付番号", "氏名", "氏名", "開始", "終了", "登録日", "区分"], ["U1", "山田", "花子", "R5.4.1", "", "R5.4.2", "01"],
        ["計"]]  # fmt: skip
WORKBOOK, OLD = "手当_20260401.xlsx", "手当_20260401.xls"
PASSWORD = "ひみつ-42"


def workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("一覧")
    for r, row in enumerate(ROWS):
        sheet.write_row(r, 0, row)
    book.close()
    return out.getvalue()


def protected(content: bytes, password: str = PASSWORD) -> bytes:
    out = io.BytesIO()
    msoffcrypto.OfficeFile(io.BytesIO(content)).encrypt(password, out)
    return out.getvalue()


def old_workbook() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("一覧")
    for r, row in enumerate(ROWS):
        for c, value in enumerate(row):
            sheet.write(r, c, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def old_town(town: Path) -> Path:
    """The town, whose allowance office still uses the old format."""
    text = ALLOWANCE_LAYOUT.replace("手当_*.xlsx", "手当_*.xls").replace('format = "xlsx"', 'format = "xls"')
    (town / "sources" / "old.toml").write_text(
        text.replace('source = "allowances"', 'source = "old"'), encoding="utf-8"
    )
    return town


def test_protected_workbook_opens_with_its_password_only(deliver_apart, inbox):
    (inbox / WORKBOOK).write_bytes(protected(workbook()))
    (told,) = deliver_apart(inbox)["deliveries"]
    assert (told["state"], told["code"]) == ("refused", "password") and "--password-file" in told["then"]
    (told,) = deliver_apart(inbox, password="chigau")["deliveries"]
    assert (told["state"], told["code"]) == ("refused", "password")
    (told,) = deliver_apart(inbox, password=PASSWORD)["deliveries"]
    assert (told["state"], told["rows_landed"]) == ("landed", 1)


def test_what_a_password_protects_is_checked_like_any_other_file(deliver_apart, inbox):
    out = io.BytesIO(workbook())
    with pyzipper.ZipFile(out, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    (inbox / WORKBOOK).write_bytes(protected(out.getvalue()))
    (told,) = deliver_apart(inbox, password=PASSWORD)["deliveries"]
    assert told["code"] == "macro"


def test_decrypted_content_too_large_is_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(protected(workbook()))
    with pytest.raises(DeliveryRefused) as refusal:
        opened(path, "xlsx", "x.xlsx", PASSWORD, Limits(unpacked_bytes=1_000))
    assert refusal.value.details["code"] == "bomb"


def test_old_workbook_reads_where_the_layout_says_so(old_town, inbox, home):
    (inbox / OLD).write_bytes(old_workbook())
    result = receive([inbox], home=home, municipality=read_municipality(old_town), by="t", at=AT)
    assert (result["landed"], result["rows_landed"]) == (1, 1)


def test_old_workbook_under_a_new_name_is_told(deliver_apart, inbox):
    (inbox / WORKBOOK).write_bytes(old_workbook())
    (told,) = deliver_apart(inbox)["deliveries"]
    assert told["code"] == "old_office" and "format を xls" in told["then"]


def renamed_stream(content: bytes, old: str, new: str) -> bytes:
    """An OLE file whose directory calls one stream otherwise (names of equal length)."""
    assert len(old) == len(new)
    changed = content.replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    assert changed != content
    return changed


def with_record(content: bytes, kind: int, body: bytes) -> bytes:
    """An old workbook one of whose records became another one (xlwt's WRITEACCESS is long and harmless)."""
    at = content.index(struct.pack("<HH", 0x005C, 0x70))
    filled = struct.pack("<HH", kind, 0x70) + body.ljust(0x70, b"\0")
    return content[:at] + filled + content[at + 4 + 0x70 :]


@pytest.mark.parametrize(("content", "code"), [
    (with_record(old_workbook(), 0x0085, b"\0\0\0\0\0\x01\x01\0x"), "macro"), (with_record(old_workbook(), 0x0085, b"\0\0\0\0\0\x06\x01\0x"), "macro"),
    (with_record(old_workbook(), 0x00D3, b""), "macro"), (with_record(old_workbook(), 0x01AE, b"\x01\0\x05\0url"), "external_link"),
    (renamed_stream(old_workbook(), "Workbook", "_VBA_PRO"), "macro"), (renamed_stream(old_workbook(), "Workbook", "MBD00001"), "embedded"),
    (renamed_stream(old_workbook(), "Workbook", "WordDocu"), "wrong_kind"), (old_workbook()[:700], "broken_workbook"),
    (with_record(old_workbook(), 0x002F, b"\x01\0\x01\0"), "password"),
])  # fmt: skip
def test_harmful_old_workbook_is_refused(tmp_path, content, code):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(DeliveryRefused) as refusal:
        opened(path, "xls", "x.xls", None, LIMITS)
    assert refusal.value.details["code"] == code


def test_protected_and_old_workbooks_are_drafted(tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(protected(workbook()))
    seen = survey(path, path.name, LIMITS, PASSWORD)
    assert (seen.format, seen.shape.skip_top) == ("xlsx", 2) and [c.name for c in seen.columns][:2] == [
        "受付番号",
        "氏名",
    ]
    path.write_bytes(old_workbook())
    assert survey(path, path.name, LIMITS).format == "xls"


# AES zips ----------------------------------------------------------------------------------------

ABSENCES = "出欠_20260401.csv"


def aes_zip(path: Path, bits: int = 256, body: bytes | None = None, compression: int = pyzipper.ZIP_DEFLATED) -> Path:
    with pyzipper.AESZipFile(path, "w", compression=compression, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(PASSWORD.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        archive.writestr(ABSENCES, absences_csv("A1,山田,2026-03,3,0") if body is None else body)
    return path


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("compression", [pyzipper.ZIP_DEFLATED, pyzipper.ZIP_STORED])
def test_aes_zip_opens_with_its_password_only(deliver, inbox, bits, compression):
    aes_zip(inbox / "a.zip", bits, compression=compression)
    assert deliver(inbox)["deliveries"][0]["code"] == "password"
    assert deliver(inbox, password="chigau")["deliveries"][0]["code"] == "password"
    result = deliver(inbox, password=PASSWORD)
    assert (result["landed"], result["rows_landed"]) == (1, 1)


def test_aes_zip_of_more_than_one_piece_reads_whole(deliver, inbox):
    rows = [f"A{n},山田{n},2026-03,{n % 9},0" for n in range(120_000)]
    aes_zip(inbox / "a.zip", body=absences_csv(*rows), compression=pyzipper.ZIP_STORED)
    assert deliver(inbox, password=PASSWORD)["rows_landed"] == len(rows)


def test_aes_zip_with_a_flipped_bit_or_cut_off_is_refused(deliver, inbox):
    content = aes_zip(inbox / "a.zip").read_bytes()
    at = content.index(b"PK\x01\x02") - 20
    (inbox / "a.zip").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    (told,) = deliver(inbox, password=PASSWORD)["deliveries"]
    assert told["code"] == "unreadable"


def test_aes_zip_that_unpacks_without_end_is_stopped(deliver, inbox):
    aes_zip(inbox / "a.zip", body=b"0" * 3_000_000)
    (told,) = deliver(inbox, password=PASSWORD, limits=Limits(file_bytes=1_000_000))["deliveries"]
    assert told["code"] == "too_large"


# The command -------------------------------------------------------------------------------------


def test_password_comes_from_a_file_or_the_keyboard_never_from_the_line(tmp_path, town, inbox, monkeypatch, capsys):
    aes_zip(inbox / "a.zip")
    call = ["--home", str(tmp_path / "home"), "--municipality", str(town), "receive", str(inbox), "--password-file"]
    assert main([*call, str(tmp_path / "nowhere")]) == 2 and "パスワードのファイル" in capsys.readouterr().err
    (tmp_path / "pw").write_text(PASSWORD + "\n", encoding="utf-8")
    assert main([*call, str(tmp_path / "pw")]) == 0
    aes_zip(inbox / "a.zip", body=absences_csv("A2,山田,2026-03,3,0"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    assert main([*call, "-"]) == 0
    assert PASSWORD not in capsys.readouterr().err

"""What may hurt is refused with a reason before it is parsed, and what slips through dies in the child alone."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
import xlsxwriter
from town import absences_csv, residents_csv

from kodomo.errors import DeliveryRefused, WrongUsage
from kodomo.intake.delivery import display_name, find_files
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.sanitise import check_archive, check_workbook

WORKBOOK, RESIDENTS = "手当_20260401.xlsx", "住民_20260401.csv"


def refusal_of(call, *words, **more) -> DeliveryRefused:
    with pytest.raises(DeliveryRefused) as caught:
        call(*words, **more)
    refusal = caught.value
    assert refusal.what and refusal.where and refusal.then
    return refusal


def workbook_bytes() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet("一覧")
    rows = [
        ["手当"],
        [],
        ["受付番号", "氏名", "氏名", "開始", "終了", "登録日", "区分"],
        ["1", "親", "子", "R5.4.1", "", "", "01"],
    ]
    for at, row in enumerate(rows):
        page.write_row(at, 0, row)
    book.close()
    return out.getvalue()


def with_parts(
    content: bytes, extra: dict[str, bytes], replaced: dict[str, tuple[bytes, bytes]] | None = None
) -> bytes:
    """The same archive with parts added, or with bytes of parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            body = old.read(entry)
            if replaced and entry.filename in replaced:
                body = body.replace(*replaced[entry.filename])
            new.writestr(entry.filename, body)
        for name, body in extra.items():
            new.writestr(name, body)
    return out.getvalue()


def test_ordinary_workbook_passes(read):
    assert read(WORKBOOK, workbook_bytes()).rows_landed == 1


PARTS = [
    ("xl/vbaProject.bin", b"x", "macro"), ("xl/macrosheets/sheet1.xml", b"<a/>", "macro"), ("xl/externalLinks/externalLink1.xml", b"<a/>", "external_link"),
    ("xl/connections.xml", b"<a/>", "external_link"), ("xl/embeddings/oleObject1.bin", b"x", "embedded"), ("xl/activeX/activeX1.bin", b"x", "embedded"),
    ("xl/media/x.exe", b"MZ", "embedded"), ("xl/inner.zip", b"PK", "embedded"), ("../../../etc/cron.d/x", b"x", "slip"), ("/etc/passwd", b"x", "slip"),
    ("C:\\windows\\x.xml", b"x", "slip"), ("xl/evil.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "entity"),
    ("xl/evil16.xml", '<?xml version="1.0"?><!DOCTYPE a []><a/>'.encode("utf-16"), "entity"), ("xl/late.xml", b" " * 1_048_570 + b"<!ENTITY a 'b'>", "entity"),
    ("xl/_rels/x.xml.rels", b'<Relationships><Relationship Id="1" Type="http://x/relationships/attachedTemplate" Target="http://x/" TargetMode="External"/></Relationships>', "external_link"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "code"), PARTS, ids=[p[0] for p in PARTS])
def test_dangerous_part_of_a_workbook_is_refused(read, name, body, code):
    assert refusal_of(read, WORKBOOK, with_parts(workbook_bytes(), {name: body})).details["code"] == code


def test_hyperlink_in_a_workbook_is_harmless(read):
    body = b'<Relationships><Relationship Id="1" Type="http://x/relationships/hyperlink" Target="mailto:a@b" TargetMode="External"/></Relationships>'
    assert read(WORKBOOK, with_parts(workbook_bytes(), {"xl/worksheets/_rels/sheet1.xml.rels": body})).rows_landed == 1


def test_macro_enabled_type_is_refused(read):
    types = {"[Content_Types].xml": (b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main")}
    assert refusal_of(read, WORKBOOK, with_parts(workbook_bytes(), {}, types)).details["code"] == "macro"


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.98])
def test_truncated_workbook_is_refused(read, keep):
    content = workbook_bytes()
    assert refusal_of(read, WORKBOOK, content[: int(len(content) * keep)]).details["code"] == "broken_archive"


def test_workbook_with_a_flipped_byte_is_refused(read):
    content = bytearray(workbook_bytes())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    content[entry.header_offset + 60] ^= 0xFF
    assert refusal_of(read, WORKBOOK, bytes(content)).details["code"] == "broken_archive"


# Bombs ------------------------------------------------------------------------------------------


def zip_of(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return path


def test_bomb_is_refused_by_its_directory_alone(tmp_path):
    bomb = zip_of(tmp_path / "b.zip", a=b"0" * 60_000_000)
    assert bomb.stat().st_size < 70_000
    assert refusal_of(check_archive, bomb, "b.zip").details["code"] == "bomb"


def test_too_many_or_too_large_entries_are_refused(tmp_path):
    many = zip_of(tmp_path / "m.zip", **{f"f{n}": b"" for n in range(30)})
    assert refusal_of(check_archive, many, "m.zip", Limits(archive_entries=20)).details["code"] == "bomb"
    large = zip_of(tmp_path / "l.zip", a=os.urandom(5000))
    assert refusal_of(check_archive, large, "l.zip", Limits(unpacked_bytes=4000)).details["code"] == "bomb"


def test_directory_that_lies_about_a_size_is_refused(tmp_path):
    content = bytearray(with_parts(workbook_bytes(), {"xl/lie.xml": b"<a>" + b"x" * 100_000 + b"</a>"}))
    at = content.rfind(b"xl/lie.xml") - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    (tmp_path / "lie.xlsx").write_bytes(content)
    assert refusal_of(check_workbook, tmp_path / "lie.xlsx", "lie.xlsx").details["code"] in ("bomb", "broken_archive")


def test_same_name_twice_in_an_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("a.csv", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.csv", b"2")
    assert refusal_of(check_archive, tmp_path / "d.zip", "d.zip").details["code"] == "broken_archive"


def test_link_in_an_archive_is_refused(tmp_path):
    entry = zipfile.ZipInfo("住民_20260401.csv")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert refusal_of(check_archive, tmp_path / "l.zip", "l.zip").details["code"] == "link"


def sparse_sheet(rows: int) -> bytes:
    """A workbook whose one sheet unpacks to very many cells."""
    body = b"".join(b'<row><c t="n"><v>1</v></c><c t="n"><v>1</v></c></row>' for _ in range(rows))
    return with_parts(workbook_bytes(), {}, {"xl/worksheets/sheet1.xml": (b"<sheetData>", b"<sheetData>" + body)})


def test_sheet_of_very_many_cells_dies_in_the_child_and_lands_nothing(deliver_apart, inbox, home):
    (inbox / WORKBOOK).write_bytes(sparse_sheet(300_000))
    limits = Limits(memory_bytes=300 << 20, ratio=10**6)
    result = deliver_apart(inbox, limits=limits)
    (told,) = result["deliveries"]
    assert told["state"] == "refused" and told["code"] in ("memory", "child_died", "bomb") and result["exit_code"] == 4
    assert not list((home.vault / "landed").glob("*"))


def test_child_that_takes_too_long_is_stopped(deliver_apart, inbox):
    (inbox / RESIDENTS).write_bytes(residents_csv(*(f"{n},山田{n},R5.4.1,町{n}," for n in range(600_000))))
    (told,) = deliver_apart(inbox, limits=Limits(cpu_seconds=1, memory_bytes=4 << 30))["deliveries"]
    assert told["state"] == "refused" and told["code"] == "child_died"
    (told,) = deliver_apart(inbox, limits=Limits(wall_seconds=0))["deliveries"]
    assert told["code"] == "time"


# Kinds ------------------------------------------------------------------------------------------

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

KINDS = [
    (WORKBOOK, b"", "empty"), (WORKBOOK, OLE + b"\0" * 600, "broken_workbook"), (WORKBOOK, OLE + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le"), "broken_workbook"),
    (WORKBOOK, residents_csv("1,2,3,4,5"), "wrong_kind"), (RESIDENTS, b"", "empty"), (RESIDENTS, workbook_bytes(), "wrong_kind"), (RESIDENTS, b"%PDF-1.7", "wrong_kind"),
    (RESIDENTS, b"MZ\x90", "wrong_kind"), (RESIDENTS, b"<!DOCTYPE html><table>", "wrong_kind"), (RESIDENTS, b"<?xml version='1.0'?>", "wrong_kind"),
    (RESIDENTS, b"\x1f\x8b\x08", "wrong_kind"), (RESIDENTS, OLE, "old_office"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "code"), KINDS)
def test_file_of_another_kind_is_refused(read, name, content, code):
    assert refusal_of(read, name, content).details["code"] == code


def test_nul_bytes_are_refused(read):
    assert refusal_of(read, RESIDENTS, residents_csv("1,山\0田,R5.4.1,町,")).details["code"] == "nul"


def test_two_thousand_columns_are_refused(read):
    wide = ",".join(f"列{n}" for n in range(2000))
    assert refusal_of(read, RESIDENTS, residents_csv(header=wide)).details["code"] == "too_wide"


def test_workbook_of_two_thousand_columns_is_refused(read, tmp_path):
    book = xlsxwriter.Workbook(str(tmp_path / "w.xlsx"))
    book.add_worksheet("一覧").write_row(2, 0, [f"列{n}" for n in range(2000)])
    book.close()
    assert refusal_of(read, WORKBOOK, tmp_path / "w.xlsx").details["code"] == "too_wide"


def test_header_of_absurd_length_is_refused(read):
    assert refusal_of(read, RESIDENTS, residents_csv(header="列" * 60_000)).details["code"] == "too_wide"


def test_cell_of_ten_megabytes_is_refused(read):
    assert (
        refusal_of(read, RESIDENTS, residents_csv("1," + "あ" * 5_000_000 + ",R5.4.1,町,")).details["code"]
        == "long_line"
    )


def test_cell_too_long_for_a_sheet_costs_its_row_only(read):
    rows = "1,山田,R5.4.1,町,", "2,佐藤,R5.4.1," + "あ" * 40_000 + ",", "3,鈴木,R5.4.1,町,"
    reading = read(RESIDENTS, residents_csv(*rows))
    assert reading.quarantined == [(2, "(行全体)", "R-14")] and reading.rows_landed == 2


def test_cell_spread_over_many_lines_gives_its_lines_back(read):
    rows = [f"{n},山田,R5.4.1,町{n}," for n in range(3000)]
    rows[10] = '10,山田,R5.4.1,"町'
    reading = read(RESIDENTS, residents_csv(*rows), Limits(cell_characters=2000))
    assert reading.quarantined == [(11, "(行全体)", "R-15")] or reading.quarantined == [(11, "(行全体)", "R-14")]
    assert reading.rows_landed == 2999


def test_file_of_broken_quotes_throughout_is_refused(read):
    rows = [f'{n},"山"田,R5.4.1,町,' for n in range(50)]
    assert refusal_of(read, RESIDENTS, residents_csv(*rows), Limits(quote_faults=20)).details["code"] == "quotes"


def test_file_no_row_of_which_is_readable_is_refused(read):
    refusal = refusal_of(read, "出欠_20260401.csv", absences_csv("A1,山田,だめ,1,0", "A2,佐藤,これも,1,0"))
    assert refusal.details["code"] == "no_row" and "年月" in refusal.where and "山田" not in refusal.text()


def test_file_of_a_header_alone_lands_with_no_rows(read):
    reading = read("出欠_20260401.csv", absences_csv())
    assert (reading.rows_read, reading.rows_landed) == (0, 0)


def test_too_many_rows_are_refused(read):
    rows = [f"A{n},山,2026-03,1,0" for n in range(60)]
    assert (
        refusal_of(read, "出欠_20260401.csv", absences_csv(*rows), Limits(rows=50)).details["code"] == "too_many_rows"
    )


# The folder --------------------------------------------------------------------------------------


def test_links_and_pipes_are_refused_and_not_followed(deliver, inbox, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(residents_csv("1,山田,R5.4.1,町,"))
    (inbox / RESIDENTS).symlink_to(secret)
    (inbox / "folder").symlink_to(tmp_path)
    os.mkfifo(inbox / "出欠_1.csv")
    result = deliver(inbox)
    assert sorted(d["code"] for d in result["deliveries"]) == ["link", "link", "special"]
    assert result["landed"] == 0 and result["exit_code"] == 4


def test_litter_of_operating_systems_is_ignored_and_told(inbox):
    for name in (
        "Thumbs.db",
        "README_各課の説明.md",
        "readme.txt",
        ".DS_Store",
        "~$手当_1.xlsx",
        "desktop.ini",
        "._住民_1.csv",
    ):
        (inbox / name).write_bytes(b"x")
    (inbox / "住民_2.csv").write_bytes(b"x")
    found = find_files([inbox], LIMITS)
    assert [c.name for c in found.candidates] == ["住民_2.csv"] and len(found.ignored) == 7


def test_folders_are_walked_in_order_and_not_without_end(inbox):
    deep = inbox
    for level in range(6):
        deep = deep / f"d{level}"
        deep.mkdir()
        (deep / f"{level}.csv").write_bytes(b"x")
    found = find_files([inbox], Limits(depth=3))
    assert [c.name for c in found.candidates] == ["0.csv", "1.csv"]
    assert [refusal.details["code"] for _, refusal in found.refusals] == ["too_deep"]
    with pytest.raises(DeliveryRefused):
        find_files([inbox], Limits(files=2))


def test_path_that_is_not_there_is_wrong_usage(inbox):
    with pytest.raises(WrongUsage):
        find_files([inbox / "無い"], LIMITS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("住民\n\x1b[31m_1.csv", "住民__[31m_1.csv"),
        ("か\u3099.csv", "が.csv"),
        ("a" * 300 + ".csv", "a" * 200),
        ("\u202ecsv.exe", "_csv.exe"),
        ("", "_"),
    ],
)
def test_delivered_name_is_made_harmless_for_reports(name, shown):
    assert display_name(name) == shown


def test_reserved_and_odd_names_are_only_names(deliver, inbox, home):
    (inbox / "CON.csv").write_bytes(b"x")
    (inbox / "住民_..; rm -rf ..csv").write_bytes(residents_csv("1,山田,R5.4.1,町,"))
    result = deliver(inbox)
    assert {d["file"]: d["state"] for d in result["deliveries"]} == {
        "CON.csv": "refused",
        "住民_..; rm -rf ..csv": "landed",
    }
    assert not list((home.handover / "incoming").iterdir())


def test_file_larger_than_the_limit_is_refused_before_it_is_read(deliver, inbox):
    (inbox / RESIDENTS).write_bytes(residents_csv("1,山田,R5.4.1,町,"))
    (told,) = deliver(inbox, limits=Limits(file_bytes=20))["deliveries"]
    assert told["code"] == "too_large"


# Archives ----------------------------------------------------------------------------------------


def test_zip_is_unpacked_and_each_file_received(deliver, inbox):
    with zipfile.ZipFile(inbox / "4月分.zip", "w") as archive:
        archive.writestr("提出/住民_20260401.csv", residents_csv("1,山田,R5.4.1,町,"))
        archive.writestr("提出/出欠_20260401.csv", absences_csv("A1,山田,2026-03,1,0"))
        archive.writestr("提出/Thumbs.db", b"x")
        archive.writestr("__MACOSX/x.csv", b"x")
    result = deliver(inbox)
    assert [(d["file"], d["state"]) for d in result["deliveries"]] == [
        ("住民_20260401.csv", "landed"),
        ("出欠_20260401.csv", "landed"),
    ]


def test_zip_from_japanese_windows_has_readable_names(deliver, inbox):
    inner = zipfile.ZipInfo("X" * len("住民_20260401.csv".encode("cp932")))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(inner, residents_csv("1,山田,R5.4.1,町,"))
    content = out.getvalue().replace(inner.filename.encode(), "住民_20260401.csv".encode("cp932"))
    (inbox / "a.zip").write_bytes(content)
    assert deliver(inbox)["deliveries"][0]["file"] == "住民_20260401.csv"


def test_zip_in_a_zip_and_zip_slip_are_refused(deliver, inbox):
    zip_of(inbox / "a.zip", **{"inner.zip": b"PK"})
    zip_of(inbox / "b.zip", **{"../../住民_1.csv": residents_csv("1,山田,R5.4.1,町,")})
    result = deliver(inbox)
    assert [d["code"] for d in result["deliveries"]] == ["nested", "slip"] and result["landed"] == 0


def zipcrypto(password: bytes, body: bytes, crc: int) -> bytes:
    """Traditional PKWARE encryption, written from APPNOTE 6.1, since the standard library only decrypts."""
    table = []
    for n in range(256):
        value = n
        for _ in range(8):
            value = (value >> 1) ^ 0xEDB88320 if value & 1 else value >> 1
        table.append(value)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = (keys[0] >> 8) ^ table[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in b"\0" * 11 + bytes([crc >> 24]) + body:
        mixed = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ ((mixed * (mixed ^ 1)) >> 8 & 0xFF))
        update(byte)
    return bytes(out)


def protected_zip(path: Path, name: str, body: bytes, password: bytes) -> None:
    crc, encoded = zlib.crc32(body), name.encode()
    packed = zipcrypto(password, body, crc)
    common = struct.pack("<HHHHHIIIHH", 20, 0x801, 0, 0, 0x21, crc, len(packed), len(body), len(encoded), 0)
    local = b"PK\x03\x04" + common + encoded + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + encoded
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    path.write_bytes(local + central + end)


def test_protected_zip_opens_with_its_password_only(deliver, inbox):
    protected_zip(inbox / "a.zip", RESIDENTS, residents_csv("1,山田,R5.4.1,町,"), b"himitsu")
    assert deliver(inbox)["deliveries"][0]["code"] == "password"
    assert deliver(inbox, password="chigau")["deliveries"][0]["code"] in ("password", "unreadable")
    assert deliver(inbox, password="himitsu")["landed"] == 1

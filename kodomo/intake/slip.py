"""Reads a small sheet that came back from outside, a reply slip (回答票), as bare rows of text (identity side).

Runs in the bounded child process like every delivered file. Knows nothing of what a slip says: who asked for
it compares it with what was sent out. A partner may send it back as it came: in an encrypted zip, or as a
workbook with a password; then it is opened in memory alone.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from dataclasses import replace
from itertools import islice
from pathlib import Path

from kodomo.errors import DeliveryRefused
from kodomo.intake.decode import DAMAGED, decode, likely_encoding
from kodomo.intake.delivery import entry_pieces, is_litter
from kodomo.intake.limits import LIMITS, MIB, Limits
from kodomo.intake.office import opened
from kodomo.intake.sanitise import OLE, ZIP, check_archive, check_kind, check_workbook, refused
from kodomo.intake.workbooks import open_calamine, open_sheet, sheet_rows

SLIP_LIMITS = replace(
    LIMITS, file_bytes=MIB, archive_entries=100, unpacked_bytes=16 * MIB, ratio_counts_from=MIB, columns=20, rows=200,
    cell_characters=4_000, cpu_seconds=10, wall_seconds=20,
)  # fmt: skip
"""A slip is one page. What is larger is no slip."""

SHEET = "回答票"

_FORMULA_MARKS = tuple("=+-@＝＋－＠")
_FORMULA_CELL = re.compile(rb"<(\w+:)?f[\s>/]")


def read_slip(path: Path, name: str, limits: Limits = SLIP_LIMITS, password: str | None = None) -> list[list[str]]:
    """The rows of the sheet 回答票 of an xlsx, or of a CSV; empty rows left out.

    Args:
        password: opens a zip or a workbook that came back protected.

    Raises:
        DeliveryRefused: hostile, broken, of another kind, too large, with a formula, or protected without the
            right password (code ``password``).
    """
    if path.stat().st_size > limits.file_bytes:
        raise refused("too_large", "回答票にしては大きすぎるファイルです。", name, _SAME)
    slip = _unsealed(path, name, limits, password)
    head = slip.getvalue()[: 1 << 12]
    rows = _workbook(slip, name, limits) if head.startswith(ZIP) else _text(slip.getvalue(), name, head, limits)
    rows = [[cell.strip() for cell in row] for row in islice(rows, limits.rows + 1)]
    if len(rows) > limits.rows or any(len(row) > limits.columns for row in rows):
        raise refused("too_large", "回答票にしては行か列が多すぎます。", name, _SAME)
    for number, row in enumerate(rows, 1):
        for cell in row:
            _check_cell(cell, number, name, limits)
    return [row for row in rows if any(row)]


_SAME = "受け渡したファイルの回答票に書いて、返してもらってください。"


# What protects it -------------------------------------------------------------------------------


def _unsealed(path: Path, name: str, limits: Limits, password: str | None) -> io.BytesIO:
    """The slip itself: the file, the one file in a zip, or what a workbook's password protects."""
    try:
        content = path.read_bytes()
        if content.startswith(ZIP) and not _is_workbook(path, name, limits):
            content = _only_entry(path, name, limits, password)
            if content.startswith(ZIP) and not _is_workbook(io.BytesIO(content), name, limits):
                raise refused("nested", "圧縮ファイルの中に圧縮ファイルがあります。", name, _SAME)
        elif content.startswith(OLE):
            found = opened(path, "xlsx", name, password, limits)
            content = found.getvalue() if isinstance(found, io.BytesIO) else content
    except DeliveryRefused as refusal:
        # The same words whatever protects it: who reads them sits before a page, not before a command line.
        code = refusal.details.get("code")
        if code == "password":
            raise _locked(name, is_wrong=bool(password)) from None
        if code == "old_office":
            raise refused("wrong_kind", "古い形式の表計算ファイルです。", name, _SAME) from None
        raise
    return io.BytesIO(content)


def _is_workbook(source: Path | io.BytesIO, name: str, limits: Limits) -> bool:
    return any(entry.filename == "[Content_Types].xml" for entry in check_archive(source, name, limits))


def _only_entry(path: Path, name: str, limits: Limits, password: str | None) -> bytes:
    """What the one file of a zip holds."""
    with zipfile.ZipFile(path) as archive:
        entries = [one for one in archive.infolist() if not one.is_dir() and not is_litter(Path(one.filename).name)]
        if len(entries) != 1:
            raise refused(
                "nested", "圧縮ファイルの中に、回答票のほかのファイルがあります。", name,
                "回答票だけを入れて、返してもらってください。",
            )  # fmt: skip
        content = bytearray()
        try:
            for piece in entry_pieces(archive, entries[0], name, password):
                content += piece
                if len(content) > limits.file_bytes:
                    raise refused("too_large", "回答票にしては大きすぎるファイルです。", name, _SAME)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
            # The old encryption notices one wrong password of 256 only by what comes out.
            if password and entries[0].flag_bits & 0x1:
                raise _locked(name, is_wrong=True) from None
            raise refused("broken_archive", "圧縮ファイルが壊れています。", name, _SAME) from None
    return bytes(content)


def _locked(name: str, *, is_wrong: bool) -> DeliveryRefused:
    return refused(
        "password",
        "パスワードが違うか、対応していない暗号の方式です。" if is_wrong else "パスワードのかかったファイルです。",
        name,
        "「開くパスワード」を確かめて入れ、ファイルをもう一度選んでください。",
    )


# What it holds ----------------------------------------------------------------------------------


def _workbook(source: io.BytesIO, name: str, limits: Limits) -> list[list[str]]:
    check_workbook(source, name, limits)
    with zipfile.ZipFile(source) as archive:
        for entry in archive.namelist():
            if entry.startswith("xl/worksheets/") and _FORMULA_CELL.search(archive.read(entry).replace(b"\0", b"")):
                raise refused(
                    "formula", "計算式の入ったセルがあります。", name, "値だけを書いて、返してもらってください。"
                )
    workbook = open_calamine(source, name)
    if SHEET not in workbook.sheet_names:
        raise refused("no_sheet", f"シート「{SHEET}」がありません。", name, _SAME)
    sheet = open_sheet(workbook, SHEET, name)
    if sheet.width > limits.columns or sheet.total_height > limits.rows:
        raise refused("too_large", "回答票にしては行か列が多すぎます。", name, _SAME)
    return list(sheet_rows(sheet))


def _text(content: bytes, name: str, head: bytes, limits: Limits) -> list[list[str]]:
    check_kind(head, "csv", name)
    csv.field_size_limit(limits.file_bytes)  # the process's, which whoever read before may have narrowed
    encoding = likely_encoding(content) or "cp932"
    if b"\0" in content and not encoding.startswith("utf-16"):
        raise refused("nul", "NUL 文字が入っています。", name, _SAME)
    try:
        return list(csv.reader(io.StringIO(decode(content, encoding), newline=""), strict=True))
    except csv.Error:
        raise refused("unreadable", "CSV として読めません。", name, _SAME) from None


def _check_cell(cell: str, row: int, name: str, limits: Limits) -> None:
    where = f"{name} {row} 行目"
    if len(cell) > limits.cell_characters:
        raise refused(
            "too_large", "長すぎるセルがあります。", where, f"{limits.cell_characters} 文字までにしてください。"
        )
    if DAMAGED.search(cell):
        raise refused("unreadable", "読めない文字があります。", where, "xlsx のまま返してもらってください。")
    visible = "".join(ch for ch in cell if unicodedata.category(ch) not in ("Cf", "Zs", "Cc") or ch == "\n")
    if len(visible) > 1 and visible.startswith(_FORMULA_MARKS):
        raise refused(
            "formula",
            "計算式とみられるセルがあります。",
            where,
            "先頭の記号(= + - @)を除いて、返してもらってください。",
        )

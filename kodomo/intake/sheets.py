"""A delivered file as numbered rows under a header, whatever it is written in (identity side).

Row 1 is the first record after the header. A wholly empty line of a CSV is no record and is not
counted; a record whose cells are all empty is counted and skipped, and so is every blank row of a
sheet, so that header row + n is the row a person finds in the file. The footer and what follows it
are not rows; a row below it that looks like data is reported, never dropped in silence.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from kodomo.intake.decode import decode, foreign_lines
from kodomo.intake.layout import Layout
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault
from kodomo.intake.sanitise import refused

CHUNK_ROWS = 25_000
SLOW_START = 32

WHOLE_ROW = "(行全体)"
"""Stands for the column where a fault concerns the row as a whole."""


@dataclass
class Chunk:
    """Some consecutive rows: their numbers, their cells row by row, and rows that couldn't be split into cells."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    faults: list[tuple[int, str, RowFault]] = field(default_factory=list)


@dataclass
class Sheet:
    """An opened file: its header as printed, and its rows to be read once."""

    header: list[str]
    chunks: Iterator[Chunk]
    ends_abruptly: bool = False
    blank_rows: int = 0
    notes: list[str] = field(default_factory=list)


def open_sheet(path: Path, layout: Layout, name: str, limits: Limits) -> Sheet:
    """Open a file as its layout says.

    Raises:
        DeliveryRefused: no such sheet, no header where it should be, absurdly wide, NUL bytes.
    """
    if layout.file.format == "xlsx":
        return _open_workbook(path, layout, name, limits)
    return _open_text(path.read_bytes(), layout, name, limits)


# Text ------------------------------------------------------------------------------------------


def _open_text(content: bytes, layout: Layout, name: str, limits: Limits) -> Sheet:
    encoding = layout.file.encoding
    if encoding != "utf-16" and b"\0" in content:
        raise refused("nul", "NUL 文字が入っています。", name, "文字コードを確かめ、出力し直してください。")
    text = decode(content, encoding).rstrip("\x1a")  # Ctrl-Z: how DOS programs end a file
    lines = list(io.StringIO(text, newline=""))
    if max(map(len, lines), default=0) > limits.line_characters:
        raise refused("long_line", "1行が長すぎます。", name, "改行の抜けや引用符の閉じ忘れを確かめてください。")
    text_rows = _TextRows(lines, foreign_lines(content, encoding), layout, name, limits)
    header = text_rows.read_header()
    sheet = Sheet(header, iter(()), ends_abruptly=not text.endswith(("\n", "\r")))
    sheet.chunks = _numbered(text_rows.chunks(len(header)), layout, header, sheet, limits, name)
    return sheet


@dataclass
class _Record:
    cells: list[str]
    fault: RowFault | None = None


class _TextRows:
    """CSV or TSV lines split into records: quickly where all is well, record by record where it isn't."""

    def __init__(self, lines: list[str], foreign: set[int], layout: Layout, name: str, limits: Limits) -> None:
        self.lines, self.foreign, self.name, self.limits = lines, foreign, name, limits
        self.at = layout.file.skip_top
        self.delimiter = "\t" if layout.file.format == "tsv" else ","
        self.quote_faults = 0
        csv.field_size_limit(limits.cell_characters)

    def read_header(self) -> list[str]:
        """The first record after the junk lines."""
        while self.at < len(self.lines) and not self.lines[self.at].strip("\r\n"):
            self.at += 1
        if self.at >= len(self.lines):
            raise refused(
                "no_header", "見出しの行がありません。", self.name, "ファイルが途中で切れていないか確かめてください。"
            )
        if len(self.lines[self.at]) > self.limits.header_characters:
            raise refused("too_wide", "見出しの行が長すぎます。", self.name, "別のファイルでないか確かめてください。")
        reader = self._reader(self.at)
        try:
            header: list[str] = next(reader)
        except (csv.Error, StopIteration):
            raise refused(
                "no_header", "見出しの行を読めません。", self.name, "見出しの引用符を確かめてください。"
            ) from None
        self.at += reader.line_num
        check_width(header, self.name, self.limits)
        return header

    def chunks(self, width: int) -> Iterator[list[_Record | list[str]]]:
        """Records in order; a plain list of cells where nothing is wrong."""
        pace = SLOW_START
        while self.at < len(self.lines):
            records = self._quick(width)
            # The slow way is left again soon where trouble is rare (a footer), and kept where it is common.
            pace = SLOW_START if len(records) > SLOW_START else min(pace * 2, CHUNK_ROWS)
            yield records or self._careful(width, pace)

    def _quick(self, width: int) -> list[_Record | list[str]]:
        """Many records at once, up to the first that is not as wide as the header; none of them has a fault."""
        reader = self._reader(self.at)
        try:
            records: list[_Record | list[str]] = list(islice(reader, CHUNK_ROWS))
        except csv.Error:
            return []
        if any(self.at <= line < self.at + reader.line_num for line in self.foreign):
            return []
        if set(map(len, records)) - {width, 0}:  # type: ignore[arg-type]
            good = next(i for i, cells in enumerate(records) if len(cells) not in (width, 0))  # type: ignore[arg-type]
            reader = self._reader(self.at)
            records = list(islice(reader, good))
        self.at += reader.line_num
        return records

    def _careful(self, width: int, count: int) -> list[_Record | list[str]]:
        """Record by record. A record that swallowed several lines and came out wrong gives back all but its first."""
        records: list[_Record | list[str]] = []
        reader, start = self._reader(self.at), self.at
        while self.at < len(self.lines) and len(records) < count:
            cells, fault = _next_record(reader, width)
            following = start + reader.line_num
            if fault and following - self.at > 1:
                fault = RowFault.QUOTE
            if fault in (RowFault.QUOTE, RowFault.TOO_LONG):
                self._count_quote_fault()
                following = start = self.at + 1
                reader = self._reader(start)
            if any(line in self.foreign for line in range(self.at, following)):
                fault = RowFault.MIXED_ENCODING
            records.append(_Record(cells, fault) if fault else cells[:width])
            self.at = following
        return records

    def _count_quote_fault(self) -> None:
        self.quote_faults += 1
        if self.quote_faults > self.limits.quote_faults:
            raise refused(
                "quotes",
                "引用符の対応がとれない行が多すぎます。",
                self.name,
                "区切り文字と引用符の設定を直し、出力し直してください。",
            )

    def _reader(self, at: int) -> Any:
        rest = map(self.lines.__getitem__, range(at, len(self.lines)))
        return csv.reader(rest, delimiter=self.delimiter, strict=True)


def _next_record(reader: Any, width: int) -> tuple[list[str], RowFault | None]:
    """One record and what is wrong with it. More cells than the header has are no fault while they are empty."""
    try:
        cells: list[str] = next(reader)
    except csv.Error as error:
        return [], RowFault.TOO_LONG if "limit" in str(error) else RowFault.QUOTE
    except StopIteration:
        return [], None
    is_good = len(cells) in (width, 0) or (len(cells) > width and not any(cells[width:]))
    return cells, None if is_good else RowFault.CELL_COUNT


def check_width(header: Sequence[str], name: str, limits: Limits) -> None:
    """Refuse a header nobody prints. Raises DeliveryRefused."""
    if len(header) > limits.columns:
        raise refused(
            "too_wide", f"列が {limits.columns} を超えています。", name, "別のファイルでないか確かめてください。"
        )


# Sheets ----------------------------------------------------------------------------------------


def _open_workbook(path: Path, layout: Layout, name: str, limits: Limits) -> Sheet:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        wanted = layout.file.sheet or workbook.sheet_names[0]
        sheet = workbook.get_sheet_by_name(wanted)
    except WorksheetNotFound:
        raise refused(
            "no_sheet", f"シート「{layout.file.sheet}」がありません。", name, "シート名を確かめてください。"
        ) from None
    except PasswordError:
        raise refused(
            "password", "パスワードで保護された表計算ファイルです。", name, "パスワードを外して渡してください。"
        ) from None
    except (CalamineError, OSError, ValueError, IndexError):
        raise refused(
            "broken_workbook", "表計算ファイルを読めません。", name, "表計算ソフトで開いて保存し直してください。"
        ) from None
    if sheet.width > limits.columns:
        check_width([""] * sheet.width, name, limits)
    if sheet.total_height > limits.rows:
        raise refused("too_many_rows", "行が多すぎます。", name, "ファイルを分けて渡してください。")
    rows = _sheet_rows(sheet)
    header = next(islice(rows, layout.file.skip_top, None), None)
    if header is None or not any(header):
        raise refused("no_header", "見出しの行がありません。", name, "見出しより上の行数(skip_top)を確かめてください。")
    opened = Sheet(header, iter(()))
    chunks = iter(lambda: list(islice(rows, CHUNK_ROWS)), [])
    opened.chunks = _numbered(chunks, layout, header, opened, limits, name)
    return opened


def _sheet_rows(sheet: Any) -> Iterator[list[str]]:
    memo: dict[Any, str] = {}
    for row in sheet.iter_rows():
        yield [memo.get((type(v), v)) or memo.setdefault((type(v), v), cell_text(v)) for v in row]
        if len(memo) > 500_000:
            memo.clear()


def cell_text(value: object) -> str:
    """A sheet's cell as text: whole numbers without a decimal point, dates in ISO 8601, booleans as 1 and 0.

    >>> [cell_text(v) for v in ("00123", 1234.0, 1.5, True, dt.date(2024, 5, 1))]
    ['00123', '1234', '1.5', '1', '2024-05-01']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ") if value.time() != dt.time() else value.date().isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return "" if value is None else str(value)


# Both ------------------------------------------------------------------------------------------


def _numbered(
    source: Iterator[Any], layout: Layout, header: list[str], sheet: Sheet, limits: Limits, name: str
) -> Iterator[Chunk]:
    """Number the rows, leave out blank ones, stop at the footer."""
    ends = re.compile(layout.file.footer).match if layout.file.footer else None
    counts_empty = layout.file.format == "xlsx"
    number, is_over = 0, False
    for records in source:
        chunk = Chunk()
        firsts = {c[0] if c else "" for r in records if (c := r.cells if isinstance(r, _Record) else r) is not None}
        cut = None if is_over or ends is None else _footer_at(records, firsts, ends)
        if not is_over and cut is None and _is_plain(records, firsts, header):
            chunk.numbers, chunk.rows = list(range(number + 1, number + len(records) + 1)), records
            number += len(records)
        else:
            for position, record in enumerate(records):
                is_over = is_over or position == cut
                number += _take(record, chunk, number, header, sheet, ends if is_over else None, counts_empty)
        if number > limits.rows:
            raise refused("too_many_rows", "行が多すぎます。", name, "ファイルを分けて渡してください。")
        yield chunk
    if ends and not is_over:
        sheet.notes.append("末尾の行(合計など)がありません。ファイルが途中で切れていないか確かめてください。")


def _is_plain(records: list[Any], firsts: set[str], header: list[str]) -> bool:
    """Whether every record is a row like any other: nothing wrong, not blank, no repeated header."""
    return "" not in firsts and header[0] not in firsts and not any(isinstance(r, _Record) for r in records)


def _take(
    record: Any, chunk: Chunk, number: int, header: list[str], sheet: Sheet, ended: Any, counts_empty: bool
) -> int:
    """Put one record where it belongs; returns by how much it moves the row number on."""
    fault, cells = (record.fault, record.cells) if isinstance(record, _Record) else (None, record)
    if not cells and fault is None and not counts_empty:
        return 0
    if ended:
        _after_footer(chunk, number + 1, cells, header, ended)
    elif fault:
        chunk.faults.append((number + 1, WHOLE_ROW, fault))
    elif (not cells[0] and not any(cells)) or cells == header:
        sheet.blank_rows += 1
    else:
        chunk.numbers.append(number + 1)
        chunk.rows.append(cells)
    return 1


def _footer_at(records: list[Any], firsts: set[str], ends: Callable[[str], Any]) -> int | None:
    """Position of the first record whose first cell ends the data."""
    hits = {first for first in firsts if ends(first.strip())}
    if not hits:
        return None
    for position, record in enumerate(records):
        cells = record.cells if isinstance(record, _Record) else record
        if cells and cells[0] in hits:
            return position
    return None


def _after_footer(
    chunk: Chunk, number: int, cells: list[str], header: list[str], ends: Callable[[str], Any] | None
) -> None:
    is_footer = bool(cells and ends and ends(cells[0].strip()))
    looks_like_data = len(cells) == len(header) and sum(map(bool, cells)) * 2 > len(header)
    if looks_like_data and not is_footer:
        chunk.faults.append((number, WHOLE_ROW, RowFault.AFTER_FOOTER))

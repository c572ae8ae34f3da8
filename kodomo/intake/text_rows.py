"""Delimited text (CSV, TSV and their kin) and fixed-width text as rows (identity side)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from kodomo.intake.decode import decode, foreign_lines
from kodomo.intake.header import SEARCHED_ROWS, combined, find_header
from kodomo.intake.layout import Layout, LayoutColumn
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault
from kodomo.intake.sanitise import refused
from kodomo.intake.several_tables import turned
from kodomo.intake.sheets import CHUNK_ROWS, Record, Sheet, check_width, numbered

SLOW_START = 32


def open_text(path: Path, layout: Layout, name: str, limits: Limits) -> Sheet:
    """Open delimited text as its layout says.

    Raises:
        DeliveryRefused: no header where it should be, absurdly wide, NUL bytes, a line too long.
    """
    content, encoding = path.read_bytes(), layout.file.encoding
    if not encoding.startswith("utf-16") and b"\0" in content:
        raise refused("nul", "NUL 文字が入っています。", name, "文字コードを確かめ、出力し直してください。")
    text = decode(content, encoding).rstrip("\x1a")  # Ctrl-Z: how DOS programs end a file
    lines = list(io.StringIO(text, newline=""))
    if max(map(len, lines), default=0) > limits.line_characters:
        raise refused("long_line", "1行が長すぎます。", name, "改行の抜けや引用符の閉じ忘れを確かめてください。")
    above, foreign = "", foreign_lines(content, encoding)
    if layout.file.transposed:
        skipped = layout.file.skip_top
        above, lines, foreign = "".join(lines[:skipped]), _on_its_side(lines[skipped:], layout, name, limits), set()
        layout = replace(layout, file=replace(layout.file, skip_top=0))
    rows = _TextRows(lines, foreign, layout, name, limits)
    sheet = Sheet([], iter(()), ends_abruptly=not text.endswith(("\n", "\r")))
    sheet.heads = rows.read_header()
    sheet.above = above + "".join(lines[: rows.header_at])
    sheet.header = combined(sheet.heads) if sheet.heads else [""] * rows.first_width()
    check_width(sheet.header, name, limits)
    rows.skip(layout.file.skip_below)
    sheet.leave_out(rows.rows_above() + len(sheet.heads) + layout.file.skip_below)
    sheet.chunks = numbered(rows.chunks(len(sheet.header)), layout, sheet, limits, name)
    return sheet


def _on_its_side(lines: list[str], layout: Layout, name: str, limits: Limits) -> list[str]:
    """Lines with rows and columns changed over. Raises DeliveryRefused where they can't be split into cells."""
    csv.field_size_limit(limits.cell_characters)
    style = _style(layout)
    try:
        rows = list(csv.reader(lines, **style))
    except csv.Error:
        raise refused(
            "quotes", "引用符の対応がとれない行があります。", name, "引用符の抜け・余りを直し、出力し直してください。"
        ) from None
    check_width([""] * len(rows), name, limits)
    out = io.StringIO(newline="")
    if "quoting" in style:
        out.write("".join(layout.file.delimiter.join(cells) + "\n" for cells in turned(rows)))
    else:
        csv.writer(out, **style, lineterminator="\n").writerows(turned(rows))
    return list(io.StringIO(out.getvalue(), newline=""))


def _style(layout: Layout) -> dict[str, Any]:
    """How a layout's cells are parted and quoted, as ``csv`` takes it."""
    quote = {"quotechar": layout.file.quote} if layout.file.quote else {"quoting": csv.QUOTE_NONE}
    return {"delimiter": layout.file.delimiter, "strict": True, **quote}


class _TextRows:
    """Lines split into records: quickly where all is well, record by record where it isn't."""

    def __init__(self, lines: list[str], foreign: set[int], layout: Layout, name: str, limits: Limits) -> None:
        self.lines, self.foreign, self.layout, self.name, self.limits = lines, foreign, layout, name, limits
        self.at = self.header_at = layout.file.skip_top
        self.style = _style(layout)
        self.quote_faults = 0
        self.reach = CHUNK_ROWS
        csv.field_size_limit(limits.cell_characters)

    def read_header(self) -> list[list[str]]:
        """The header's rows after the junk lines; none where the layout says that there is none."""
        depth = self.layout.file.header_rows
        if self.layout.file.find_header:
            self.at = self._search()
        if not depth:
            return []
        while depth == 1 and self.at < len(self.lines) and not self.lines[self.at].strip("\r\n"):
            self.at += 1
        self.header_at = self.at
        return [self._header_row() for _ in range(depth)]

    def _header_row(self) -> list[str]:
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

    def _search(self) -> int:
        """The line on which the searched-for header begins."""
        starts: list[int] = []
        rows: list[list[str]] = []
        reader = self._reader(self.at)
        while len(rows) < SEARCHED_ROWS:
            start: int = self.at + reader.line_num
            try:
                rows.append(next(reader))
            except StopIteration:
                break
            except csv.Error:
                rows.append([])
            starts.append(start)
        found = find_header(rows, self.layout)
        if found is None:
            raise refused(
                "no_header", "見出しの行が見つかりません。", self.name,
                f"初めの {SEARCHED_ROWS} 行に、columns の名前がすべて並ぶ行があるか確かめてください。",
            )  # fmt: skip
        return starts[found]

    def first_width(self) -> int:
        """How many cells the first record has that isn't junk, where no header tells."""
        is_junk = re.compile(self.layout.file.junk).match if self.layout.file.junk else None
        try:
            for cells in self._reader(self.at):
                first = next((cell.strip() for cell in cells if cell.strip()), "")
                if cells and not (is_junk and first and is_junk(first)):
                    return len(cells)
        except csv.Error:
            pass
        return max((c.position for c in self.layout.columns), default=0)

    def rows_above(self) -> int:
        """How many rows a spreadsheet shows above the header."""
        try:
            return sum(1 for _ in csv.reader(self.lines[: self.header_at], **self.style))
        except csv.Error:
            return self.header_at

    def skip(self, count: int) -> None:
        """Leave out lines that are neither header nor data."""
        self.at += count

    def chunks(self, width: int) -> Iterator[list[Record | list[str]]]:
        """Records in order; a plain list of cells where nothing is wrong."""
        pace = SLOW_START
        while self.at < len(self.lines):
            records = self._quick(width)
            # The slow way is left again soon where trouble is rare (a footer), and kept where it is common.
            pace = SLOW_START if len(records) > SLOW_START else min(pace * 2, CHUNK_ROWS)
            yield records or self._careful(width, pace)

    def _quick(self, width: int) -> list[Record | list[str]]:
        """Many records at once, as far as they can be told apart; of lines of their own, those at fault among them."""
        reader = self._reader(self.at)
        try:
            records: list[Any] = list(islice(reader, self.reach))
        except csv.Error:
            return self._shorter()
        if any(self.at <= line < self.at + reader.line_num for line in self.foreign):
            return self._shorter()
        widths = set(map(len, records)) - {width, 0}
        if self.layout.file.short_rows and widths and max(widths) < width:
            _fill(records, width)
        elif widths and reader.line_num == len(records):
            # each is one line, so that none can have swallowed the next
            for at, cells in enumerate(records):
                if len(cells) not in (width, 0):
                    fault = _width_fault(cells, width, self.layout.file.short_rows)
                    records[at] = Record(cells, fault) if fault else cells[:width]
        elif widths:
            good = next(i for i, cells in enumerate(records) if len(cells) not in (width, 0))
            self._shorter()
            reader = self._reader(self.at)
            records = list(islice(reader, good))
            self.at += reader.line_num
            return records
        self.at += reader.line_num
        self.reach = min(self.reach * 2, CHUNK_ROWS)
        return records

    def _shorter(self) -> list[Record | list[str]]:
        """Look less far ahead, for what lies before the next trouble is read again; nothing is read yet."""
        self.reach = max(self.reach // 2, SLOW_START * 2)
        return []

    def _careful(self, width: int, count: int) -> list[Record | list[str]]:
        """Record by record. A record that swallowed several lines and came out wrong gives back all but its first."""
        records: list[Record | list[str]] = []
        reader, start = self._reader(self.at), self.at
        while self.at < len(self.lines) and len(records) < count:
            cells, fault = _next_record(reader, width, self.layout.file.short_rows)
            following = start + reader.line_num
            if fault and following - self.at > 1:
                fault = RowFault.QUOTE
            if fault in (RowFault.QUOTE, RowFault.TOO_LONG):
                self._count_quote_fault()
                following = start = self.at + 1
                reader = self._reader(start)
            if any(line in self.foreign for line in range(self.at, following)):
                fault = RowFault.MIXED_ENCODING
            records.append(Record(cells, fault) if fault else cells[:width])
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
        return csv.reader(rest, **self.style)


def _fill(records: list[list[str]], width: int) -> None:
    for cells in records:
        if 0 < len(cells) < width:
            cells.extend([""] * (width - len(cells)))


def _next_record(reader: Any, width: int, may_be_short: bool) -> tuple[list[str], RowFault | None]:
    """One record and what is wrong with it."""
    try:
        cells: list[str] = next(reader)
    except csv.Error as error:
        return [], RowFault.TOO_LONG if "limit" in str(error) else RowFault.QUOTE
    except StopIteration:
        return [], None
    return cells, _width_fault(cells, width, may_be_short)


def _width_fault(cells: list[str], width: int, may_be_short: bool) -> RowFault | None:
    """What is wrong with a record's number of cells. More than the header has are no fault while they are empty."""
    if may_be_short:
        _fill([cells], width)
    is_good = len(cells) in (width, 0) or (len(cells) > width and not any(cells[width:]))
    return None if is_good else RowFault.CELL_COUNT


# Fixed width -----------------------------------------------------------------------------------


def open_fixed(path: Path, layout: Layout, name: str, limits: Limits) -> Sheet:
    """Open fixed-width text: each printed column by position and width, counted in bytes or characters.

    Raises:
        DeliveryRefused: NUL bytes, a record too long, or a file that its record length doesn't divide.
    """
    content, shape = path.read_bytes(), layout.file
    if not shape.encoding.startswith("utf-16") and b"\0" in content:
        raise refused("nul", "NUL 文字が入っています。", name, "文字コードを確かめ、出力し直してください。")
    # Their places in a row are the order in which they are declared.
    columns = [c for c in layout.columns if c.is_printed]
    records = _fixed_records(content.rstrip(b"\x1a"), layout, name)
    longest = max(map(len, records), default=0)
    if longest > limits.line_characters:
        raise refused("long_line", "1行が長すぎます。", name, "record_bytes と改行を確かめてください。")
    body = records[shape.skip_top + shape.header_rows + shape.skip_below :]
    needed = max((c.position for c in columns if c.required), default=0)
    sheet = Sheet([c.name for c in columns], iter(()))
    sheet.leave_out(len(records) - len(body))
    sheet.above = decode(b"\n".join(_bytes(r, shape.encoding) for r in records[: shape.skip_top]), shape.encoding)
    split = (_fixed_row(record, columns, shape.encoding, needed) for record in body)
    sheet.chunks = numbered(iter(lambda: list(islice(split, CHUNK_ROWS)), []), layout, sheet, limits, name)
    return sheet


def _fixed_records(content: bytes, layout: Layout, name: str) -> list[Any]:
    """Records as bytes, or as characters where the layout counts those."""
    shape = layout.file
    if shape.record_bytes:
        if len(content) % shape.record_bytes:
            raise refused(
                "record_length", "ファイルの大きさが、一件の長さ(record_bytes)で割り切れません。", name,
                "一件の長さを確かめ、途中で切れていないか確かめてください。",
            )  # fmt: skip
        return [content[at : at + shape.record_bytes] for at in range(0, len(content), shape.record_bytes)]
    if shape.positions == "character" or shape.encoding.startswith("utf-16"):
        return decode(content, shape.encoding).splitlines()
    return content.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")


def _bytes(record: Any, encoding: str) -> bytes:
    return record if isinstance(record, bytes) else record.encode(encoding, "replace")


def _fixed_row(record: Any, columns: list[LayoutColumn], encoding: str, needed: int) -> Record | list[str]:
    if not record.strip():
        return []
    pieces = [record[c.position - 1 : c.position - 1 + c.width] for c in columns]
    cells = [(decode(p, encoding) if isinstance(p, bytes) else p).strip() for p in pieces]
    # Trailing blanks are often cut off; only a record that ends before a required column is broken for sure.
    return Record(cells, RowFault.CELL_COUNT) if len(record) < needed else cells

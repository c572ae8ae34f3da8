"""A delivered file as numbered rows under a header, whatever it is written in (identity side).

Row 1 is the first record after the header. A wholly empty line of a CSV is no record and is not
counted; a record whose cells are all empty is counted and skipped, and so is every blank row of a
sheet. Beside the numbers stands where a spreadsheet shows them (``Sheet.spans``). The footer and what
follows it are not rows; a row below it that looks like data is reported, never dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from kodomo.intake.layout import Layout
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault
from kodomo.intake.sanitise import refused

CHUNK_ROWS = 25_000
_FIRST_CELL = itemgetter(0)

WHOLE_ROW = "(行全体)"
"""Stands for the column where a fault concerns the row as a whole."""


@dataclass
class Chunk:
    """Some consecutive rows: their numbers, their cells row by row, and rows that couldn't be split into cells."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    faults: list[tuple[int, str, RowFault]] = field(default_factory=list)

    def with_next(self, following: Chunk) -> Chunk:
        """These rows and those that come after them."""
        self.numbers += following.numbers
        self.rows += following.rows
        self.faults += following.faults
        return self


@dataclass
class Record:
    """One record that something is wrong with."""

    cells: list[str]
    fault: RowFault | None = None


@dataclass
class Sheet:
    """An opened file or sheet: its header as printed, and its rows to be read once.

    ``heads``: the header row by row (for headers repeated on each page); ``above``: the junk lines
    above it as text; ``last``: the number of the last row read so far; ``spans``: after which number the rows
    stand below which of a spreadsheet's (of a table on its side, its columns).
    """

    header: list[str]
    chunks: Iterator[Chunk]
    ends_abruptly: bool = False
    blank_rows: int = 0
    notes: list[str] = field(default_factory=list)
    heads: list[list[str]] = field(default_factory=list)
    above: str = ""
    name: str = ""
    last: int = 0
    spans: list[list[int]] = field(default_factory=lambda: [[0, 0]])

    def leave_out(self, lines: int) -> None:
        """Lines that are no rows stand behind the last row, or above the first."""
        before, line = self.spans[-1]
        below = [self.last, line + self.last - before + lines]
        self.spans[-1:] = [below] if before == self.last else [self.spans[-1], below]


def check_width(header: Sequence[str], name: str, limits: Limits) -> None:
    """Refuse a header nobody prints. Raises DeliveryRefused."""
    if len(header) > limits.columns:
        raise refused(
            "too_wide", f"列が {limits.columns} を超えています。", name, "別のファイルでないか確かめてください。"
        )


def numbered(source: Iterator[Any], layout: Layout, sheet: Sheet, limits: Limits, name: str) -> Iterator[Chunk]:
    """Number the rows, leave out blank and junk ones, stop at the footer."""
    shape = layout.file
    ends = re.compile(shape.footer).match if shape.footer else None
    sorter = _Sorter(sheet, ends, re.compile(shape.junk).match if shape.junk else None, shape.is_workbook)
    whole = Chunk()
    for records in source:
        chunk = sorter.chunk(records)
        if sheet.last > limits.rows:
            raise refused("too_many_rows", "行が多すぎます。", name, "ファイルを分けて渡してください。")
        # Rows that come a few at a time, as between faulty ones, are read together: each time costs as much as thousands.
        whole = chunk if not (whole.rows or whole.faults) else whole.with_next(chunk)
        if len(whole.rows) + len(whole.faults) >= CHUNK_ROWS // 2:
            yield whole
            whole = Chunk()
    if whole.rows or whole.faults:
        yield whole
    if ends and not sorter.is_over:
        sheet.notes.append("末尾の行(合計など)がありません。ファイルが途中で切れていないか確かめてください。")


Match = Callable[[str], Any]


@dataclass
class _Sorter:
    """Puts records where they belong: rows, faults, or neither."""

    sheet: Sheet
    ends: Match | None
    is_junk: Match | None
    counts_empty: bool
    is_over: bool = False

    def chunk(self, records: list[Any]) -> Chunk:
        chunk, sheet = Chunk(), self.sheet
        is_whole = set(map(type, records)) <= {list} and all(records)
        firsts = set(map(_FIRST_CELL, records)) if is_whole else {_first(r) for r in records}
        odd = self._odd(firsts)
        if not self.is_over and not odd and is_whole:
            chunk.numbers, chunk.rows = list(range(sheet.last + 1, sheet.last + len(records) + 1)), records
            sheet.last += len(records)
            return chunk
        for record in records:
            if self.is_over or isinstance(record, Record) or not record or record[0] in odd:
                sheet.last += self._take(record, chunk)
            else:
                sheet.last += 1
                chunk.numbers.append(sheet.last)
                chunk.rows.append(record)
        return chunk

    def _odd(self, firsts: set[str]) -> set[str]:
        """First cells of rows that need a closer look: blank, a repeated header's, a footer's, junk."""
        odd = firsts & {"", *(head[0] for head in self.sheet.heads if head)}
        marks = [mark for mark in (self.ends, self.is_junk) if mark]
        return odd | {first for first in firsts for mark in marks if mark(first.strip())}

    def _take(self, record: Any, chunk: Chunk) -> int:
        """Put one record where it belongs; returns by how much it moves the row number on."""
        fault, cells = (record.fault, record.cells) if isinstance(record, Record) else (None, record)
        if not cells and fault is None and not self.counts_empty:
            self.sheet.leave_out(1)
            return 0
        number = self.sheet.last + 1
        first = next((cell.strip() for cell in cells if cell.strip()), "")
        is_end = bool(self.ends and cells and self.ends(cells[0].strip() or first))
        if self.is_over or is_end:
            self.is_over = True
            self._after_footer(chunk, number, cells, is_end)
        elif self.is_junk and first and self.is_junk(first):
            self.sheet.blank_rows += 1
        elif fault:
            chunk.faults.append((number, WHOLE_ROW, fault))
        elif (not cells[0] and not any(cells)) or cells in self.sheet.heads:
            self.sheet.blank_rows += 1
        else:
            chunk.numbers.append(number)
            chunk.rows.append(cells)
        return 1

    def _after_footer(self, chunk: Chunk, number: int, cells: list[str], is_end: bool) -> None:
        width = len(self.sheet.header)
        looks_like_data = len(cells) == width and sum(map(bool, cells)) * 2 > width
        if looks_like_data and not is_end:
            chunk.faults.append((number, WHOLE_ROW, RowFault.AFTER_FOOTER))


def _first(record: Any) -> str:
    cells = record.cells if isinstance(record, Record) else record
    return cells[0] if cells else ""

"""Writes extracts as each system prints them, and remembers whose every row is (synthetic city)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import xlsxwriter

from kodomo.city.mistakes import BROKEN_DATES
from kodomo.intake.layout import Layout

Cell = str | int | float | dt.date
CREATED = dt.datetime(2026, 4, 1, 9, 0)  # noqa: DTZ001  (printed as the office's wall clock)

SECOND = "#2"
"""Marks the second of two columns with one header name."""


@dataclass
class Sheet:
    """One file's rows, column by column, and the person each row is about."""

    source: str
    file_name: str
    columns: dict[str, list[Cell]]
    people: list[str]
    top: Sequence[str] = ()
    foot: Sequence[str] = ()
    exact_duplicates: float = 0.0
    unreadable: float = 0.0
    near_duplicates: float = 0.0


@dataclass
class Ledger:
    """What the answer key needs to know of the files."""

    links: list[tuple[str, str, int, str]] = field(default_factory=list)
    mistakes: list[tuple[str, int, str]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


class Printer:
    """Prints sheets by the municipality's layouts, one folder per holder."""

    def __init__(self, layouts: dict[str, Layout], out: Path, seed: int) -> None:
        self.layouts, self.out, self.seed = layouts, out, seed
        self.ledger = Ledger()

    def write(self, sheet: Sheet) -> None:
        """Spoil a few rows, write the file, note whose rows they are."""
        layout = self.layouts[sheet.source]
        names = _headers(layout)
        missing = set(names) ^ set(sheet.columns)
        if missing:
            raise ValueError(f"{sheet.source}: columns differ from the layout: {sorted(missing)}")
        rows = [list(row) for row in zip(*(sheet.columns[name] for name in names), strict=True)]
        rows, people = self._spoil(layout, sheet, rows, list(sheet.people))
        folder = self.out / layout.holder
        folder.mkdir(parents=True, exist_ok=True)
        headers = [c.name for c in layout.columns]
        if layout.file.format == "xlsx":
            _write_xlsx(folder / sheet.file_name, layout, headers, rows, sheet)
        else:
            _write_text(folder / sheet.file_name, layout, headers, rows, sheet)
        self.ledger.links.extend((sheet.source, sheet.file_name, i, p) for i, p in enumerate(people, start=1))
        self.ledger.rows[sheet.source] = self.ledger.rows.get(sheet.source, 0) + len(rows)

    def _spoil(
        self, layout: Layout, sheet: Sheet, rows: list[list[Cell]], people: list[str]
    ) -> tuple[list[list[Cell]], list[str]]:
        rng = random.Random(f"spoil-{self.seed}-{sheet.file_name}")
        note = self.ledger.mistakes.append
        for rate, kind in ((sheet.exact_duplicates, "exact_duplicate"), (sheet.near_duplicates, "near_duplicate")):
            for index in sorted(_some(rng, len(rows), rate), reverse=True):
                copy = list(rows[index]) if kind == "exact_duplicate" else _nearly(layout, rows[index])
                if copy != rows[index] or kind == "exact_duplicate":
                    rows.append(copy)
                    people.append(people[index])
                    note((sheet.file_name, len(rows), kind))
        for index in sorted(_some(rng, len(rows), sheet.unreadable)):
            note((sheet.file_name, index + 1, _break(layout, rows[index], rng)))
        return rows, people


def _headers(layout: Layout) -> list[str]:
    return [c.name if c.occurrence == 1 else f"{c.name}#{c.occurrence}" for c in layout.columns]


def _some(rng: random.Random, size: int, rate: float) -> list[int]:
    wanted = size * rate
    count = int(wanted) + (rng.random() < wanted - int(wanted))
    return rng.sample(range(size), min(count, size))


def _nearly(layout: Layout, row: list[Cell]) -> list[Cell]:
    """The same row keyed in again: spaces differ."""
    copy = list(row)
    for i, column in enumerate(layout.columns):
        if column.type in ("name", "kana") and isinstance(copy[i], str) and not column.ignore:
            copy[i] = str(copy[i]).replace("　", " ") if "　" in str(copy[i]) else str(copy[i]).replace(" ", "")
    return copy


def _break(layout: Layout, row: list[Cell], rng: random.Random) -> str:
    """Make one required cell unreadable; returns what was done."""
    taken = [(i, c) for i, c in enumerate(layout.columns) if c.required and not c.ignore]
    dates = [i for i, c in taken if c.type == "date"]
    if dates and rng.random() < 0.6:
        row[rng.choice(dates)] = rng.choice(BROKEN_DATES)
        return "unreadable_date"
    codes = [i for i, c in taken if c.codes]
    if codes and rng.random() < 0.4:
        row[rng.choice(codes)] = "X9"
        return "unknown_code"
    row[rng.choice([i for i, _ in taken])] = ""
    return "missing_required"


# ── files ──


def _write_text(path: Path, layout: Layout, headers: list[str], rows: Iterable[list[Cell]], sheet: Sheet) -> None:
    buffer = io.StringIO(newline="")
    separator = "\t" if layout.file.format == "tsv" else ","
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    if len(sheet.top) != layout.file.skip_top:
        raise ValueError(f"{sheet.source}: {len(sheet.top)} lines above the header, {layout.file.skip_top} declared")
    buffer.writelines(f"{line}\r\n" for line in sheet.top)
    writer.writerow(headers)
    writer.writerows(rows)
    buffer.writelines(f"{line}\r\n" for line in sheet.foot)
    path.write_bytes(buffer.getvalue().encode(layout.file.encoding))


def _write_xlsx(path: Path, layout: Layout, headers: list[str], rows: Iterable[list[Cell]], sheet: Sheet) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": False, "strings_to_numbers": False})
    book.set_properties({"title": layout.caption, "author": layout.system, "created": CREATED})
    page = book.add_worksheet(layout.file.sheet)
    days = book.add_format({"num_format": "yyyy/mm/dd"})
    if len(sheet.top) != layout.file.skip_top:
        raise ValueError(f"{sheet.source}: {len(sheet.top)} lines above the header, {layout.file.skip_top} declared")
    for i, text in enumerate(sheet.top):
        page.write_string(i, 0, text)
    page.write_row(len(sheet.top), 0, headers)
    line = len(sheet.top) + 1
    for row in rows:
        for column, cell in enumerate(row):
            if isinstance(cell, dt.date):
                page.write_datetime(line, column, dt.datetime(cell.year, cell.month, cell.day), days)  # noqa: DTZ001
            elif isinstance(cell, str):
                if cell:
                    page.write_string(line, column, cell)
            else:
                page.write_number(line, column, cell)
        line += 1
    for text in sheet.foot:
        page.write_string(line, 0, text)
        line += 1
    book.close()

"""Write small extracts by hand, in exactly the shape a layout declares (for tests)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import xlsxwriter

from kodomo.intake.layout import Layout
from kodomo.jobs.book import JobBook, JobStep

Row = Mapping[str, object]


def write_extract(layout: Layout, rows: Sequence[Row], folder: Path, day: str = "20260401") -> Path:
    """Write one file of a source: junk lines, header, the rows, a footer; columns a row leaves out are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / layout.file.pattern.replace("*", day)
    names = [column.name for column in layout.columns]
    body = [[str(row.get(c.reference, row.get(c.name, ""))) for c in layout.columns] for row in rows]
    for row in rows:
        unknown = set(row) - set(names) - {column.reference for column in layout.columns}
        assert not unknown, f"{layout.source}: {unknown}"
    lines = [[f"出力帳票 {n + 1} {day}"] for n in range(layout.file.skip_top)] + [names] + body
    if layout.file.footer:
        lines.append([f"{_footer(layout)} {day}"])
    if layout.file.format == "xlsx":
        _write_xlsx(path, layout.file.sheet or "Sheet1", lines)
    else:
        _write_text(path, layout, lines)
    return path


def _footer(layout: Layout) -> str:
    return "合計" if "合計" in layout.file.footer else "以上"


def _write_text(path: Path, layout: Layout, lines: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter="\t" if layout.file.format == "tsv" else ",", lineterminator="\r\n").writerows(lines)
    path.write_bytes(text.getvalue().encode(layout.file.encoding))


def _write_xlsx(path: Path, sheet: str, lines: list[list[str]]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet(sheet)
        for y, line in enumerate(lines):
            for x, value in enumerate(line):
                page.write_string(y, x, value)


def waiting_job(book: JobBook, kind: str, caption: str, steps: Sequence[JobStep], *, asked_by: str, **more: str) -> int:
    """A job that may run at once, without the audit row that the site writes before; its number."""
    number = book.note(kind, caption, steps, asked_by=asked_by, **more)
    book.let_run(number)
    return number

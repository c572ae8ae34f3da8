"""A city on disk, and how to read it without the product's own reader."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineWorkbook

from kodomo.intake.layout import Layout

RESIDENTS = 4000


@dataclass(frozen=True)
class Written:
    """A city on disk, and how to read it."""

    out: Path
    report: dict[str, object]
    layouts: dict[str, Layout]

    def files(self) -> list[Path]:
        return sorted(p for p in (self.out / "extracts").rglob("*") if p.is_file())

    def layout_of(self, path: Path) -> Layout:
        return next(layout for layout in self.layouts.values() if path.match(layout.file.pattern))

    def cells(self, path: Path) -> list[list[str]]:
        """Every line of a file as printed, junk lines included."""
        layout = self.layout_of(path)
        if layout.file.format == "xlsx":
            return [
                [str(c) for c in row] for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
            ]
        text = path.read_bytes().decode(layout.file.encoding)
        return list(csv.reader(io.StringIO(text), delimiter="\t" if layout.file.format == "tsv" else ","))

    def rows(self, path: Path) -> list[list[str]]:
        """Data rows: below the header, above the footer."""
        layout = self.layout_of(path)
        lines = self.cells(path)[layout.file.skip_top + 1 :]
        footer = re.compile(layout.file.footer or r"(?!)")
        return lines[: next((i for i, row in enumerate(lines) if row and footer.search(row[0])), len(lines))]

    def key(self, name: str) -> list[dict[str, str]]:
        with (self.out / "answer_key" / name).open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

"""Where each declared column's cells come from: a printed column, several joined, or outside the rows (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kodomo.intake.cells import JOINT, meanings_of, part_as_read, western_fiscal_year
from kodomo.intake.header import BETWEEN, folded, names_of
from kodomo.intake.layout import Layout, LayoutColumn


@dataclass(frozen=True)
class Place:
    """One source of cells: the printed column ``at``, or a text that is the same for every row, or parts of these."""

    at: int = -1
    text: str = ""
    parts: tuple[Place, ...] = ()
    match: str = ""
    """The part of each cell that is wanted, in ( ); a cell that doesn't fit is blank."""
    read_as: LayoutColumn | None = None
    """The column whose digits and codes a part of a joined number goes by."""

    def cells(self, printed: Sequence[Sequence[str]], count: int) -> Sequence[str]:
        """This place's cells of some rows, given their printed columns."""
        if self.parts:
            return list(map(JOINT.join, zip(*(part.cells(printed, count) for part in self.parts), strict=True)))
        cells = printed[self.at] if self.at >= 0 else [self.text] * count
        cells = _parts_of(cells, self.match) if self.match else cells
        return cells if self.read_as is None else _as_read(cells, self.read_as)

    def printed_at(self) -> set[int]:
        """Printed columns that this place reads."""
        return {self.at}.union(*(part.printed_at() for part in self.parts)) - {-1}


def _parts_of(cells: Sequence[str], match: str) -> list[str]:
    """What a pattern encloses in each cell (compared in one width), each distinct cell looked at once."""
    pattern = re.compile(match)
    found = {cell: pattern.search(cell) or pattern.search(unicodedata.normalize("NFKC", cell)) for cell in set(cells)}
    parts = {cell: (hit.group(1) or "").strip() if hit else "" for cell, hit in found.items()}
    return [parts[cell] for cell in cells]


def _as_read(cells: Sequence[str], column: LayoutColumn) -> list[str]:
    """Cells as parts of a number, each distinct one worked out once."""
    meanings = meanings_of(column)
    read = {cell: part_as_read(cell, column, meanings) for cell in set(cells)}
    return [read[cell] for cell in cells]


@dataclass(frozen=True)
class Found:
    """What a file has of its layout: places by reference, and names it lacks."""

    places: dict[str, Place]
    missing: list[str]
    expected: set[int]
    """Printed columns that the layout speaks of, ignored ones included."""


def find_places(layout: Layout, header: list[str], outside: dict[str, str], has_header: bool) -> Found:
    """Find each declared column in a file.

    Args:
        header: printed names, or as many blanks as there are columns.
        outside: texts that are not rows, by ``FOUND_IN`` (file_name, sheet_name, above).
        has_header: whether names are printed at all.

    A column that is optional and isn't there is blank for every row.
    """
    finder = _Finder(header if has_header else [], len(header), layout)
    places: dict[str, Place] = {}
    missing: list[str] = []
    expected: set[int] = set()
    for column in layout.columns:
        place, lacking = finder.place(column, outside)
        if place:
            expected |= place.printed_at()
        if place and not column.ignore:
            places[column.reference] = place
        if place is None and not column.ignore:
            if column.optional:
                places[column.reference] = Place()
            else:
                missing += lacking
    return Found(places, missing, expected)


class _Finder:
    def __init__(self, header: list[str], width: int, layout: Layout) -> None:
        self.width = width
        self.is_fixed = layout.file.format == "fixed"  # its cells come in the order of declaration
        self.by_name = {c.reference: c for c in layout.columns}
        seen: Counter[str] = Counter()
        self.at: dict[tuple[str, int], int] = {}
        for place, printed in enumerate(header):
            name = folded(printed)
            seen[name] += 1
            self.at[(name, seen[name])] = place
        # A header over several rows may be named by its lowest row alone, where that is unambiguous.
        lowest = Counter(folded(h).rsplit(BETWEEN, 1)[-1] for h in header if BETWEEN in folded(h))
        self.lowest = {
            folded(h).rsplit(BETWEEN, 1)[-1]: place
            for place, h in enumerate(header)
            if BETWEEN in folded(h) and lowest[folded(h).rsplit(BETWEEN, 1)[-1]] == 1
        }

    def place(self, column: LayoutColumn, outside: dict[str, str]) -> tuple[Place | None, list[str]]:
        """Where a column's cells come from; or None and the names that are missing."""
        if column.value is not None:
            return Place(text=column.value), []
        if column.found_in:
            found = re.search(column.match, outside.get(column.found_in, ""))
            return (Place(text=found.group(1).strip()), []) if found else (None, [column.reference])
        if column.part_of:
            place = self.whole(column, outside)
            return (replace(place, match=column.match), []) if place else (None, [str(column.part_of)])
        if column.join:
            parts = [self.joined(part, column, outside) for part in column.join]
            lacking = [str(part) for part, place in zip(column.join, parts, strict=True) if place is None]
            return (None, lacking) if lacking else (Place(parts=tuple(p for p in parts if p)), [])
        at = self.printed(column)
        return (Place(at), []) if at is not None else (None, [column.reference])

    def whole(self, column: LayoutColumn, outside: dict[str, str]) -> Place | None:
        """The printed column that holds more than one value; a column may be a part of its own namesake."""
        of = column.part_of
        if isinstance(of, int) or of != column.name:
            return self.part(of, outside)
        at = self._by_name(folded(of), column.occurrence)
        return Place(at) if at is not None else None

    def joined(self, part: str | int, into: LayoutColumn, outside: dict[str, str]) -> Place | None:
        """Where a part of a joined value comes from: cut out of a cell like its column's own values are.

        A part of a number (番号) also goes by its column's digits and codes; of anything else, as printed.
        """
        declared = self.by_name.get(part) if isinstance(part, str) else None
        is_cut = declared is not None and declared.part_of not in ("", part)
        place = self.place(declared, outside)[0] if declared and is_cut else self.part(part, outside)
        is_coded = declared is not None and bool(declared.digits or declared.codes) and not declared.join
        return replace(place, read_as=declared) if place and is_coded and into.type == "identifier" else place

    def part(self, part: str | int, outside: dict[str, str]) -> Place | None:
        if isinstance(part, int):
            return Place(part - 1) if 1 <= part <= self.width else None
        declared = self.by_name.get(part)
        if declared and not (declared.join or declared.part_of):
            place = self.place(declared, outside)[0]
            if place and place.text and declared.type == "fiscal_year":
                # R6 in one file's name and 2024 in another's are one year, in whatever they become part of.
                return replace(place, text=western_fiscal_year(place.text) or place.text)
            return place
        name, _, count = part.partition("#")
        at = self._by_name(folded(name), int(count) if count.isdigit() else 1)
        return Place(at) if at is not None else None

    def printed(self, column: LayoutColumn) -> int | None:
        if column.position and not self.is_fixed:
            return column.position - 1 if column.position <= self.width else None
        ways = (self._by_name(name, column.occurrence) for name in names_of(column))
        return next((at for at in ways if at is not None), None)

    def _by_name(self, name: str, occurrence: int) -> int | None:
        at = self.at.get((name, occurrence))
        return self.lowest.get(name) if at is None and occurrence == 1 else at

"""Sheets that hold more than one table, or one on its side: told apart before anything is guessed or read (identity side)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from kodomo.intake.column_words import is_known, meaning_of
from kodomo.intake.header import folded

Rows = Sequence[Sequence[str]]

_DATAISH = re.compile(r"\d{3,}|^\d+$")
TELLS_WHO = ("name", "name_kana", "resident_number", "own_number")


def turned(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Rows as columns: what stood in the leftmost cells is the first row. Empty rows at the end are left out."""
    columns = [list(cells) for cells in zip_longest(*rows, fillvalue="")]
    while columns and not any(cell.strip() for cell in columns[-1]):
        columns.pop()
    return columns


def lies_on_its_side(rows: Rows) -> int | None:
    """Where a table begins whose labels stand in the first column, one person to a column; None where there is none."""
    labelled = [at for at, row in enumerate(rows[:200]) if len(row) > 1 and any(c.strip() for c in row[1:])]
    labels = [rows[at][0].strip() for at in labelled]
    known = [label for label in labels if label and is_known(label)]
    about = {meaning_of(label).field for label in known}
    if len(known) < 3 or len(known) < len(labels) * 0.5 or not about.intersection(TELLS_WHO):
        return None
    return labelled[0]


def tables_one_above_another(rows: Rows) -> list[int]:
    """Where tables with headers of their own begin: rows of known names right below the top, a blank row or a title or two."""
    found: list[tuple[int, tuple[str, ...]]] = []
    filled = [sum(map(bool, map(str.strip, row))) for row in rows]
    for at, row in enumerate(rows[:-2]):
        is_apart = not at or filled[at - 1] <= max(1, filled[at] * 0.6)
        if filled[at] < 3 or not is_apart or min(filled[at + 1 : at + 3]) < max(2, filled[at] * 0.5):
            continue
        names = tuple(cell.strip() for cell in row if cell.strip())
        is_header = sum(map(is_known, names)) >= max(2, len(names) * 0.6) and not any(map(_DATAISH.search, names))
        if is_header and not (found and found[-1][0] == at - 1):  # right below one it is the same header's next row
            found.append((at, names))
    return [at for at, _ in found] if len({names for _, names in found}) > 1 else []


@dataclass(frozen=True)
class SideBySide:
    """Tables beside each other: the columns of each, and whether all have the same header."""

    tables: list[list[int]]
    are_alike: bool


def tables_side_by_side(header: Sequence[str], body: Rows) -> SideBySide | None:
    """Find tables beside each other: one header printed again and again, or others parted by an empty column."""
    names = [folded(name) for name in header]
    there = [at for at, name in enumerate(names) if name or any(at < len(row) and row[at].strip() for row in body)]
    if not all(names[at] for at in there):
        return None
    printed = [names[at] for at in there]
    for width in range(2, len(printed) // 2 + 1):
        if (
            len(printed) % width == 0
            and printed == printed[:width] * (len(printed) // width)
            and _tells_who(printed[:width])
        ):
            return SideBySide([there[at : at + width] for at in range(0, len(there), width)], True)
    groups: list[list[int]] = []
    for at in there:
        if groups and groups[-1][-1] == at - 1:
            groups[-1].append(at)
        else:
            groups.append([at])
    is_each_a_table = all(len(group) > 1 and _tells_who([names[at] for at in group]) for group in groups)
    return SideBySide(groups, False) if len(groups) > 1 and is_each_a_table else None


def _tells_who(names: Sequence[str]) -> bool:
    return any(meaning_of(name).field in TELLS_WHO for name in names)


@dataclass
class OtherTable:
    """Looks out, while rows are read, for the header of another table below the first; the first's own may come again."""

    names: list[str]
    """The header's lowest row as printed."""
    has_begun: bool = False
    _folded: list[str] = field(init=False)
    _words: frozenset[str] = field(init=False)
    _printed: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._folded = [folded(name) for name in self.names]
        self._words = frozenset(name for name in self._folded if name)
        self._printed = frozenset(name for name in self.names if name)

    def begins_at(self, rows: Rows, distinct: Sequence[set[str]]) -> int | None:
        """The first of these rows that belongs to another table, its header included.

        ``distinct``: the values of each column of these rows.
        """
        if self.has_begun:
            return 0
        if sum(not self._printed.isdisjoint(values) for values in distinct) < 2:
            return None
        for at, row in enumerate(rows):
            cells = [folded(cell) for cell in row]
            if len({cell for cell in cells if cell in self._words}) < 2 or any(map(_DATAISH.search, cells)):
                continue
            if cells != self._folded:
                self.has_begun = True
                return at
        return None

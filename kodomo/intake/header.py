"""The header of a delivered file: printed over one row or several, with merged cells, or not at all (identity side)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from kodomo.intake.layout import Layout, LayoutColumn

BETWEEN = "/"
"""Stands between the parts of a header of several rows: 欠席/病欠."""

SEARCHED_ROWS = 200
"""How many rows are looked at for a header that has to be searched for."""


def folded(header: str) -> str:
    """A header's name for comparison: in one width, without spaces."""
    return "".join(unicodedata.normalize("NFKC", header).split())


def combined(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of columns whose header takes several rows.

    A cell merged sideways holds its text in the first column only: the others take it over. One
    merged downwards leaves the cells below it blank.

    >>> combined([["氏名", "欠席", "", "備考"], ["", "病欠", "事故欠", ""]])
    ['氏名', '欠席/病欠', '欠席/事故欠', '備考']
    """
    if len(rows) == 1:
        return list(rows[0])
    width = max(map(len, rows), default=0)
    filled = [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in rows]
    for level, row in enumerate(filled[:-1]):
        below = filled[level + 1 :]
        for at in range(1, width):
            starts_anew = any(filled[above][at] and not _same(filled[above], at) for above in range(level))
            if not row[at] and not starts_anew and any(lower[at] for lower in below):
                row[at] = row[at - 1]
    return [BETWEEN.join(dict.fromkeys(row[at] for row in filled if row[at])) for at in range(width)]


def _same(row: Sequence[str], at: int) -> bool:
    return at > 0 and row[at] == row[at - 1]


def names_of(column: LayoutColumn) -> tuple[str, ...]:
    """Every way a column's header may be printed, folded."""
    return tuple(folded(name) for name in (column.name, *column.also))


def wanted_names(layout: Layout) -> list[tuple[str, ...]]:
    """For each column that must be there: the names it may have."""
    made = (layout.dated.name, *layout.dated.columns) if layout.dated else ()
    there = (c for c in layout.columns if c.is_printed and c.name not in made)
    return [names_of(c) for c in there if not (c.ignore or c.optional or c.position)]


def looks_like_header(names: Iterable[str], wanted: Sequence[tuple[str, ...]]) -> bool:
    """Whether a row holds the names of all columns that must be there."""
    there = {folded(name) for name in names}
    there |= {name.rsplit(BETWEEN, 1)[-1] for name in there}
    return bool(wanted) and all(there.intersection(ways) for ways in wanted)


def find_header(rows: Sequence[Sequence[str]], layout: Layout) -> int | None:
    """Position of the first of the header's rows among the first rows of a file, or None."""
    depth, wanted = layout.file.header_rows, wanted_names(layout)
    for at in range(len(rows) - depth + 1):
        if looks_like_header(combined(rows[at : at + depth]), wanted):
            # A title just above a header of several rows must not be taken for its first row.
            while at + 1 <= len(rows) - depth and looks_like_header(combined(rows[at + 1 : at + 1 + depth]), wanted):
                at += 1
            return at
    return None


def printable(header: str) -> str:
    """A printed column name fit for a report: short, on one line, and not if it is itself a number."""
    text = "".join(c for c in " ".join(header.split()) if c.isprintable())[:40]
    return "(数字だけの見出し)" if sum(c.isdigit() for c in text) > 6 else text

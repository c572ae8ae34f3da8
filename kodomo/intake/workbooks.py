"""Sheets of workbooks (xlsx and the older xls) as rows (identity side)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from kodomo.errors import DeliveryRefused
from kodomo.intake.header import SEARCHED_ROWS, combined, find_header, looks_like_header, wanted_names
from kodomo.intake.layout import Layout
from kodomo.intake.limits import Limits
from kodomo.intake.sanitise import refused
from kodomo.intake.several_tables import turned
from kodomo.intake.sheets import CHUNK_ROWS, Sheet, check_width, numbered


def open_workbook(path: Path | io.BytesIO, layout: Layout, name: str, limits: Limits) -> Iterator[Sheet]:
    """Open the sheets that the layout asks for, one after the other.

    Where it asks for sheets by a pattern with ``*`` or ``?``, those without the header are left
    out and noted in the first that has one.

    Raises:
        DeliveryRefused: no such sheet, no header where it should be, absurdly wide or long.
    """
    workbook = open_calamine(path, name)
    chosen, is_pattern = chosen_sheets(layout, workbook.sheet_names, name)
    left_out: list[str] = []
    opened = 0
    for title in chosen:
        try:
            sheet = _open_sheet(workbook, title, layout, name, limits)
        except DeliveryRefused as refusal:
            if not is_pattern or refusal.details.get("code") != "no_header":
                raise
            left_out.append(title)
            continue
        if is_pattern and sheet.heads and not looks_like_header(sheet.header, wanted_names(layout)):
            left_out.append(title)
            continue
        opened += 1
        yield sheet
        if left_out:
            sheet.notes.append(f"見出しのないシート {len(left_out)} 枚は読みませんでした。")
            left_out.clear()
    if not opened:
        raise refused("no_header", "見出しのあるシートがありません。", name, "シートと見出しの行を確かめてください。")


def open_calamine(path: Path | io.BytesIO, name: str) -> Any:
    """The workbook, opened. Raises DeliveryRefused where it is protected or broken."""
    from python_calamine import CalamineWorkbook

    with _refusing(name):
        if isinstance(path, Path) and path.suffix:
            path = io.BytesIO(path.read_bytes())  # by its content, not by a name that may lie
        if isinstance(path, io.BytesIO):
            path.seek(0)
            return CalamineWorkbook.from_filelike(path)
        return CalamineWorkbook.from_path(str(path))


def open_sheet(workbook: Any, which: str | int, name: str) -> Any:
    """A sheet by its title or its position from 0. Raises DeliveryRefused where it is broken."""
    with _refusing(name):
        return workbook.get_sheet_by_name(which) if isinstance(which, str) else workbook.get_sheet_by_index(which)


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """What calamine says of a workbook it can't read, as a refusal."""
    from python_calamine import CalamineError, PasswordError

    try:
        yield
    except PasswordError:
        raise refused(
            "password", "パスワードで保護された表計算ファイルです。", name,
            "パスワードを --password-file で添えるか、外して渡してください。",
        ) from None  # fmt: skip
    except BaseException as fault:
        # Where an old workbook breaks off in its middle calamine panics, in a class of its own beside Exception.
        if not isinstance(fault, CalamineError | OSError | ValueError | IndexError) and type(fault).__name__ != PANIC:
            raise
        raise refused(
            "broken_workbook", "表計算ファイルを読めません。", name, "表計算ソフトで開いて保存し直してください。"
        ) from None


PANIC = "PanicException"


def chosen_sheets(layout: Layout, names: list[str], name: str) -> tuple[list[str], bool]:
    """Names of the sheets to read, in the workbook's order, and whether a pattern chose them."""
    if not layout.file.sheets:
        if not names:
            raise refused("no_sheet", "シートがありません。", name, "表計算ソフトで開いて保存し直してください。")
        return names[:1], False
    wanted: list[str] = []
    is_pattern = False
    for sheet in layout.file.sheets:
        if isinstance(sheet, str) and sheet not in names and any(c in sheet for c in "*?"):
            is_pattern = True
            found = [n for n in names if fnmatchcase(n, sheet)]
        elif isinstance(sheet, int):
            found = names[sheet - 1 : sheet] if sheet >= 1 else []
        else:
            found = [n for n in names if n.strip() == sheet.strip()]
        if not found:
            raise refused("no_sheet", f"シート「{sheet}」がありません。", name, "シート名を確かめてください。")
        wanted += found
    return sorted(dict.fromkeys(wanted), key=names.index), is_pattern


def _open_sheet(workbook: Any, title: str, layout: Layout, name: str, limits: Limits) -> Sheet:
    source = open_sheet(workbook, title, name)
    if source.width > limits.columns:
        check_width([""] * source.width, name, limits)
    if source.total_height > limits.rows:
        raise refused("too_many_rows", "行が多すぎます。", name, "ファイルを分けて渡してください。")
    rows, shape = sheet_rows(source), layout.file
    above = list(islice(rows, shape.skip_top))
    if shape.transposed:
        rows = iter(turned(rows))
    head = _header(rows, above, layout, name)
    if head is None:
        raise refused("no_header", "見出しの行がありません。", name, "見出しより上の行数(skip_top)を確かめてください。")
    heads, rest = head
    if shape.transposed:
        check_width(heads[0] if heads else [], name, limits)
    sheet = Sheet(combined(heads) if heads else [""] * source.total_width, iter(()), heads=heads, name=title)
    sheet.above = "\n".join("\t".join(cells) for cells in above)
    list(islice(rest, shape.skip_below))
    sheet.leave_out((0 if shape.transposed else len(above)) + len(heads) + shape.skip_below)
    chunks = iter(lambda: list(islice(rest, CHUNK_ROWS)), [])
    sheet.chunks = numbered(chunks, layout, sheet, limits, name)
    return sheet


def _header(
    rows: Iterator[list[str]], above: list[list[str]], layout: Layout, name: str
) -> tuple[list[list[str]], Iterator[list[str]]] | None:
    """The header's rows and the rows after it; adds what stands above it to ``above``. None: there is none."""
    shape = layout.file
    if not shape.header_rows:
        return [], rows
    if not shape.find_header:
        heads = list(islice(rows, shape.header_rows))
        return (heads, rows) if any(any(head) for head in heads) else None
    first = list(islice(rows, SEARCHED_ROWS))
    at = find_header(first, layout)
    if at is None:
        return None
    above += first[:at]
    after = at + shape.header_rows
    return first[at:after], _chained(first[after:], rows)


def _chained(first: list[list[str]], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield from first
    yield from rest


def sheet_rows(sheet: Any) -> Iterator[list[str]]:
    """A sheet's rows as texts."""
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

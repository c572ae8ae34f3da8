"""Looks at a file nobody described yet: how it is written, where its table lies, what its columns hold (identity side).

Runs in the bounded child process. What it hands back holds no cell but short codes and printed
column names; never a value that may be a person's.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from kodomo.intake.dated_columns import dated_series, months_of
from kodomo.intake.dates import read_month
from kodomo.intake.decode import ENCODING_NAMES, decode, likely_encoding
from kodomo.intake.file_dates import date_in, month_in_names, year_match
from kodomo.intake.guess import Guess, guess_columns
from kodomo.intake.limits import Limits
from kodomo.intake.office import Source, opened
from kodomo.intake.row_identity import identity_of
from kodomo.intake.sanitise import OLE, ZIP, check_kind, check_workbook, refused
from kodomo.intake.several_tables import (
    lies_on_its_side,
    tables_one_above_another,
    tables_side_by_side,
    turned,
)
from kodomo.intake.sheets import Chunk
from kodomo.intake.table_shape import Shape, shape_of
from kodomo.intake.value_kinds import date_notation
from kodomo.intake.workbooks import open_calamine, open_sheet, sheet_rows

DELIMITERS = (",", "\t", ";", "|", "^", "~", ":")
TRIED_LINES = 400
ROWS_AT_MOST = 200_000


@dataclass
class Survey:
    """What a file looks like. ``why`` gives, by key of the layout, the evidence in Japanese."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    sheet: str | int = ""
    sheets: int = 0
    shape: Shape = field(default_factory=Shape)
    columns: list[Guess] = field(default_factory=list)
    row_key: str = ""
    identity: list[str] = field(default_factory=list)
    rows: int = 0
    transposed: bool = False
    side_by_side: int = 0
    """How many tables of one header stand beside each other; 0: there is one."""
    sheet_is_month: bool = False
    sheet_is_month_only: bool = False
    """The sheets are called 4月 to 3月: the year stands elsewhere."""
    sheet_month: str = ""
    """A pattern around the month in the sheets' names (手帳R6.4), where they tell it among other words."""
    sheet_is_school: bool = False
    sheet_year: str = ""
    """A pattern around the fiscal year in the sheets' names, where they tell it."""
    tables: dict[str, Any] = field(default_factory=dict)
    """Other tables that this survey leaves out: ``how`` they lie (above, beside), ``lines`` or ``columns``."""
    dated: dict[str, Any] = field(default_factory=dict)
    """Columns whose headers are months: ``name``, ``columns`` (their forms), ``from``, ``to``, ``is_daily``."""
    above: list[str] = field(default_factory=list)
    """What the lines above the header and the sheet's name seem to tell: 年度, 年月."""
    dated_in: str = ""
    """Where inside the file an extraction date seems to stand: above, sheet_name."""
    individual_numbers: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    other_sheets: list[str] = field(default_factory=list)
    """Names of sheets whose tables have another header; no person's, for they name tables (in a book of one per person there is one header)."""
    others: list[list[list[str]]] = field(default_factory=list)
    """Rows of further sheets of the same header, until they are looked at."""

    def told(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def survey(path: Path, name: str, limits: Limits, password: str | None = None, sheet: str = "") -> Survey:
    """Look at a file; of a workbook at the tables like that of one sheet, else like its longest.

    Raises:
        DeliveryRefused: it is none that can be received: empty, hostile, broken, of another kind.
    """
    with path.open("rb") as handle:
        head = handle.read(1 << 16)
    if head.startswith(ZIP) or head.startswith(OLE):
        source = path if head.startswith(ZIP) else opened(path, "xls", name, password, limits)
        kind = "xls" if head.startswith(OLE) and not _is_zip(source) else "xlsx"
        if kind == "xlsx":
            check_workbook(source, name, limits)
        found, rows, lines = _workbook(source, name, kind, limits, sheet)
    else:
        check_kind(head, "csv", name)
        found, rows, lines = _text(path, name, limits)
    edges = found.shape.edges
    found.shape, above = _shape(found, rows, lines)
    found.shape.edges = edges
    top = rows[:above]
    if found.transposed:
        rows = turned(rows[above:])
    found.why |= found.shape.why
    body = found.shape.body(rows)
    found.rows = len(body)
    header, body = _one_of_several(found, body)
    header, body = _months_as_rows(found, header, body, name)
    found.columns, found.individual_numbers = guess_columns(header, body, found.format in ("xlsx", "xls"))
    if not (found.dated or found.transposed or found.side_by_side or found.tables):
        body = _with_other_sheets(found, header, body)
    found.row_key, found.identity = identity_of(found.columns, body)
    found.above = _hints(top)
    written = _date_above(top)
    # A sheet for each month is headed by its month: the first one's is not the day on which the book was written.
    if written and all(_date_above(other[: max(above, 1)]) == written for other in found.others):
        found.dated_in = "above"
    found.others = []
    return found


def _date_above(rows: Sequence[Sequence[str]]) -> dt.date | None:
    """The date in some rows above a header."""
    written = date_in("\n".join("\t".join(cells) for cells in rows))
    return written.on if written else None


SHEETS_LOOKED_AT = 40


def _with_other_sheets(found: Survey, header: list[str], body: list[list[str]]) -> list[list[str]]:
    """The rows of all sheets of one header, by which the columns are judged again: one sheet hasn't every code."""
    more: list[list[str]] = []
    for rows in found.others[:SHEETS_LOOKED_AT]:
        shape = shape_of(rows, list(range(len(rows))))
        more += shape.body(rows) if list(shape.header) == list(header) else []
    if more:
        body = [*body, *more]
        found.rows = len(body)
        # where groups are merged downwards each sheet begins with one: a blank there says that nobody wrote it down
        firsts = [
            more[0]
            for rows in found.others[:SHEETS_LOOKED_AT]
            if (more := shape_of(rows, list(range(len(rows)))).body(rows))
        ]
        merged = {
            column.reference
            for at, column in enumerate(found.columns)
            if column.is_merged and all(len(first) > at and first[at].strip() for first in firsts)
        }
        found.columns, found.individual_numbers = guess_columns(header, body, True)
        for column in found.columns:
            column.is_merged |= column.reference in merged  # every sheet has the same groups
    return body


def _shape(found: Survey, rows: list[list[str]], lines: list[int]) -> tuple[Shape, int]:
    """Where the table lies, and how many rows stand above it; of several tables the longest, upright or on its side."""
    starts = tables_one_above_another(rows)
    if starts:
        ends = [*starts[1:], len(rows)]
        longest = max(range(len(starts)), key=lambda at: ends[at] - starts[at])
        start, end = starts[longest] if longest else 0, ends[longest]
        while end < len(rows) and sum(map(bool, map(str.strip, rows[end - 1]))) <= 1:
            end -= 1  # the next table's title
        found.tables = {"how": "above", "lines": [lines[at] + 1 for at in starts], "read": lines[starts[longest]] + 1}
        shape = shape_of(rows[start:end], lines[start:end])
        shape.first += start
        shape.skipped = [*(at + start for at in shape.skipped), *range(end, len(rows))]
        return shape, shape.first - shape.header_rows - shape.skip_below
    shape = shape_of(rows, lines)
    start = shape.first - shape.header_rows - shape.skip_below
    if shape.header_rows:
        return shape, start
    side = lies_on_its_side(rows)
    if side is None:
        return shape, start
    on_side = turned(rows[side:])
    found.transposed = True
    shape = shape_of(on_side, list(range(len(on_side))))
    shape.skip_top, shape.why = lines[side], {}
    return shape, side


def _one_of_several(found: Survey, body: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The header and rows of one table, where several stand beside each other: all rows of like ones, else the first."""
    header = found.shape.header
    beside = tables_side_by_side(header, body) if found.shape.header_rows else None
    if beside is None:
        return header, body
    first = beside.tables[0]
    if beside.are_alike:
        found.side_by_side = len(beside.tables)
        body = [cells for row in body for table in beside.tables if any(cells := [row[at] for at in table])]
    else:
        found.tables = {"how": "beside", "columns": [table[0] + 1 for table in beside.tables], "read": first[0] + 1}
        body = [cells for row in body if any(cells := [row[at] for at in first])]
    return [header[at] for at in first], body


def _months_as_rows(
    found: Survey, header: list[str], body: list[list[str]], name: str
) -> tuple[list[str], list[list[str]]]:
    """A table whose headers are months as one with a row for each month; days are left out, as too many."""
    series = dated_series(header) if found.shape.header_rows else None
    if series is None:
        return header, body
    column = "年月" if "年月" not in header else "見出しの年月"
    found.dated = {"name": column, "columns": list(series.templates), "from": series.months[0],
                   "to": series.months[-1], "count": len(series.months), "is_daily": series.is_daily}  # fmt: skip
    months = months_of(header, column, series.templates, name)
    if series.is_daily:
        return [header[at] for at in months.shared], [[row[at] for at in months.shared] for row in body]
    return months.header, months.chunk(Chunk(list(range(len(body))), body)).rows


def _hints(above: Sequence[Sequence[str]]) -> list[str]:
    text = unicodedata.normalize("NFKC", "\n".join("\t".join(cells) for cells in above))
    hints = []
    if re.search(r"(令和|平成|R|H)?(\d{1,4}|元)年度", text):
        hints.append("年度")
    if re.search(r"(令和|平成|[RH]|20)\s?(\d{1,2}|元)年\s?\d{1,2}月(?!\s?\d{1,2}\s?日)", text):
        hints.append("年月")
    return hints


# Text ------------------------------------------------------------------------------------------


def _text(path: Path, name: str, limits: Limits) -> tuple[Survey, list[list[str]], list[int]]:
    content = path.read_bytes()
    encoding = likely_encoding(content) or "cp932"
    if not encoding.startswith("utf-16") and b"\0" in content:
        raise refused("nul", "NUL 文字が入っています。", name, "文字コードを確かめ、出力し直してください。")
    text = decode(content, encoding).rstrip("\x1a")
    lines = list(io.StringIO(text, newline=""))
    if max(map(len, lines), default=0) > limits.line_characters:
        raise refused("long_line", "1行が長すぎます。", name, "改行の抜けや引用符の閉じ忘れを確かめてください。")
    found = Survey("csv", encoding)
    found.why["encoding"] = _encoding_evidence(content, encoding)
    delimiter, share, width = _delimiter(lines)
    if not delimiter:
        return _undelimited(found, lines)
    found.delimiter, found.format = delimiter, "tsv" if delimiter == "\t" else "csv"
    found.why["delimiter"] = f"行の {share:.0%} が同じ {width} 個のセルに分かれる"
    rows, starts = _records(lines, delimiter, limits)
    return found, rows, starts


def _encoding_evidence(content: bytes, encoding: str) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "先頭に UTF-8 の印(BOM)がある"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "先頭に UTF-16 の印(BOM)がある"
    is_plain = all(byte < 0x80 for byte in content[:200_000]) and encoding != "iso-2022-jp"
    return "日本語の文字がなく、どれでも同じに読める" if is_plain else f"全体が {ENCODING_NAMES[encoding]} として読める"


def _delimiter(lines: Sequence[str]) -> tuple[str, float, int]:
    """The delimiter by which most lines fall into the same number of cells, with that share and number."""
    sample = [line for line in [*lines[:TRIED_LINES], *lines[TRIED_LINES:][-50:]] if line.strip()]
    best, best_score = ("", 0.0, 0), 0.0
    for delimiter in DELIMITERS:
        widths = Counter(len(cells) for cells in _split(sample, delimiter) if cells)
        many = [(count, width) for width, count in widths.items() if width > 1]
        if not many:
            continue
        count, width = max(many)
        share = count / max(sum(widths.values()), 1)
        # Two cells on half of the lines is chance (a comma in an address); ten cells on all is a table.
        score = share * (1 - 1 / width)
        if share >= 0.5 and score > best_score:
            best, best_score = (delimiter, share, width), score
    return best


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    csv.field_size_limit(1 << 20)
    try:
        return list(csv.reader(iter(lines), delimiter=delimiter))
    except csv.Error:
        return [line.rstrip("\r\n").split(delimiter) for line in lines]


def _records(lines: list[str], delimiter: str, limits: Limits) -> tuple[list[list[str]], list[int]]:
    """Records and the line each begins on; blank lines are left out."""
    csv.field_size_limit(limits.cell_characters)
    rows: list[list[str]] = []
    starts: list[int] = []
    reader = csv.reader(lines, delimiter=delimiter)
    while len(rows) < ROWS_AT_MOST:
        start = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            continue
        if cells:
            rows.append(cells)
            starts.append(start)
    return rows, starts


def _undelimited(found: Survey, lines: list[str]) -> tuple[Survey, list[list[str]], list[int]]:
    """One column, or columns of fixed width."""
    filled = [line.rstrip("\r\n") for line in lines if line.strip()]
    encoding = "cp932" if found.encoding == "cp932" else "utf-8"
    coded = [line.encode(encoding, "surrogateescape") for line in filled]
    lengths = Counter(map(len, coded))
    length, count = max(((n, k) for k, n in lengths.items()), default=(0, 0))[::-1]
    if len(filled) < 3 or length < 10 or count < len(filled) * 0.9:
        found.delimiter = ","
        found.why["delimiter"] = "区切り文字が見つからない。列が一つのファイルとみた"
        return found, [[line] for line in filled], [at for at, line in enumerate(lines) if line.strip()]
    found.format = "fixed"
    whole = [line for line in coded if len(line) == length]
    edges = _dates_apart(_edges(whole), whole)
    found.why["format"] = f"区切り文字がなく、行の {count / len(filled):.0%} が同じ {length} バイト"
    found.shape.edges = edges
    rows = [[line[a:b].decode(encoding, "replace").strip() for a, b in edges] for line in coded if len(line) == length]
    return found, rows, [at for at, line in enumerate(lines) if line.strip()]


def _edges(lines: list[bytes]) -> list[tuple[int, int]]:
    """Where columns of fixed width may begin: where a blank ends, or where digits end or begin in nearly every row."""
    sample, width = lines[:2_000], len(lines[0])
    starts = {0}
    for at in range(1, width):
        before, here = Counter(_class(r[at - 1]) for r in sample), Counter(_class(r[at]) for r in sample)
        blank_ends = before[" "] == len(sample) and here[" "] < len(sample)
        changes = before["9"] >= len(sample) * 0.98 and here["9"] <= len(sample) * 0.02
        begins = here["9"] >= len(sample) * 0.98 and before["9"] <= len(sample) * 0.02 and before["x"] == 0
        if blank_ends or changes or begins:
            starts.add(at)
    marks = sorted(starts)
    return list(zip(marks, [*marks[1:], width], strict=True))


def _dates_apart(edges: list[tuple[int, int]], lines: list[bytes]) -> list[tuple[int, int]]:
    """Cut dates out of runs of digits: 14120305 beside a name is 性別 1 and 平成12年3月5日, not a number."""
    sample, marks = lines[:500], {start for start, _ in edges} | {end for _, end in edges}
    for start, end in edges:
        found = next((cut for cut in _cuts(start, end) if _is_date_in_all(sample, *cut)), None)
        marks |= set(found or ())
    places = sorted(marks)
    return list(pairwise(places))


def _cuts(start: int, end: int) -> list[tuple[int, int]]:
    """Places inside a column where a date of 8 or 7 digits may stand, with something beside it."""
    return [(at, at + n) for n in (8, 7) for at in range(start, end - n + 1) if end - start > n]


def _is_date_in_all(lines: list[bytes], start: int, end: int) -> bool:
    cells = [line[start:end] for line in lines]
    filled = [cell.decode("ascii") for cell in cells if cell.isdigit() and cell.strip(b"0")]
    plausible = {7: "era_code", 8: "western_digits"}[end - start]
    return len(filled) >= max(3, len(cells) * 0.9) and all(date_notation(cell) == plausible for cell in filled)


def _class(byte: int) -> str:
    if byte == 0x20:
        return " "
    return "9" if 0x30 <= byte <= 0x39 else "x" if byte >= 0x80 else "a"


# Workbooks -------------------------------------------------------------------------------------


def _workbook(
    path: Source, name: str, kind: str, limits: Limits, chosen: str
) -> tuple[Survey, list[list[str]], list[int]]:
    workbook = open_calamine(path, name)
    found = Survey(kind, sheets=len(workbook.sheet_names))
    tables: list[tuple[int, list[list[str]]]] = []
    for position in range(len(workbook.sheet_names)):
        sheet = open_sheet(workbook, position, name)
        if sheet.width > limits.columns or sheet.total_height > limits.rows:
            raise refused("too_wide", "表が大きすぎます。", name, "別のファイルでないか確かめてください。")
        tables.append((position, list(islice(sheet_rows(sheet), ROWS_AT_MOST))))
    if not tables:
        raise refused("no_sheet", "シートがありません。", name, "表計算ソフトで開いて保存し直してください。")
    largest = max(tables, key=lambda entry: sum(1 for row in entry[1] if sum(map(bool, row)) > 1))
    titles = [str(title) for title in workbook.sheet_names]
    if chosen and chosen.strip() not in [title.strip() for title in titles]:
        raise refused("no_sheet", f"シート「{chosen}」がありません。", name, f"あるのは {'、'.join(titles)} です。")
    position, rows = next((t for t in tables if chosen and titles[t[0]].strip() == chosen.strip()), largest)
    if len(tables) > 1:
        shape = shape_of(rows, list(range(len(rows))))
        header = rows[shape.skip_top] if shape.header_rows else []
        alike = [at for at, other in tables if other and _has_header(other, header)]
        found.other_sheets = [titles[at] for at, other in tables if at not in alike and _is_table(other)]
        if len(alike) > 1:
            found.sheet = "*"
            found.why["sheet"] = f"{len(tables)} 枚のうち {len(alike)} 枚に同じ見出しがある"
            names = [titles[at] for at in alike]
            found.sheet_is_month = all(len(read_month(name).value or "") == 7 for name in names)
            found.sheet_is_month_only = all(MONTH_ONLY.fullmatch(unicodedata.normalize("NFKC", n)) for n in names)
            found.sheet_is_school = all(SCHOOL.search(unicodedata.normalize("NFKC", n).strip()) for n in names)
            found.sheet_month = "" if found.sheet_is_month else month_in_names(names)
            found.sheet_year = "" if found.sheet_is_month or found.sheet_month else year_match(names)
            found.others = [other for at, (_, other) in enumerate(tables) if at in alike and at != position]
        else:
            found.sheet = titles[position] if found.other_sheets else position + 1
            found.why["sheet"] = f"{len(tables)} 枚のうち、{'選ばれたもの' if chosen else '行のいちばん多いもの'}"
    width = max(map(len, rows), default=0)
    return found, [cells + [""] * (width - len(cells)) for cells in rows], list(range(len(rows)))


FEWEST_OF_A_TABLE = 3
SCHOOL = re.compile("(小|中|小学校|中学校|学園|保育園|保育所|幼稚園|こども園|園)$")
MONTH_ONLY = re.compile(r"\s*(1[0-2]|0?[1-9])月(分|度)?\s*")


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a sheet holds a table, not a note or a cover."""
    return sum(1 for row in rows if sum(map(bool, row)) > 2) > FEWEST_OF_A_TABLE


def _is_zip(source: Source) -> bool:
    return isinstance(source, io.BytesIO) and source.getvalue().startswith(ZIP)


def _has_header(rows: Sequence[Sequence[str]], header: Sequence[str]) -> bool:
    wanted = {name for name in header if name}
    return bool(wanted) and any(wanted <= set(row) for row in rows[:60])

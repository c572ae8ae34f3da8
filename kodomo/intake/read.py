"""Reads one delivered file in a process of its own, under limits, and hands back Arrow tables (identity side).

Runs as the child of ``kodomo.intake.child``: the job comes as JSON on standard input, the answer
goes to standard output. It opens no database and knows no key but the one for row fingerprints.
Whatever goes wrong, no cell value leaves it in a message.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import socket
import struct
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.errors import DeliveryRefused
from kodomo.intake.cells import DITTO, ColumnReader
from kodomo.intake.dated_columns import Months, month_written, months_of
from kodomo.intake.dates import in_fiscal_year, on_or_before
from kodomo.intake.decode import ENCODING_NAMES, likely_encoding
from kodomo.intake.extract import Extraction, fits
from kodomo.intake.header import printable
from kodomo.intake.individual_number import NumberWatch
from kodomo.intake.layout import Layout, LayoutColumn, read_layout
from kodomo.intake.limits import Limits
from kodomo.intake.office import Source, opened
from kodomo.intake.places import Found, find_places
from kodomo.intake.profile import Profile
from kodomo.intake.quarantine import RowFault
from kodomo.intake.sanitise import check_kind, check_workbook, refused
from kodomo.intake.several_tables import OtherTable
from kodomo.intake.sheets import WHOLE_ROW, Chunk, Sheet
from kodomo.intake.slip import read_slip
from kodomo.intake.survey import survey
from kodomo.intake.text_rows import open_fixed, open_text
from kodomo.intake.workbooks import open_workbook
from kodomo.tables.arrow import leave_pandas_out
from kodomo.vault.records import PEOPLE_STEP, Landing

MAGIC = b"KDM1"
HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Job:
    """What to read, and what of it may be taken in."""

    path: Path
    name: str
    layout: Layout
    columns: frozenset[str]
    rules: frozenset[int]
    key: bytes
    arrived_on: dt.date
    limits: Limits
    descriptor: int | None = None
    """The open file, where it has no name that another process could open."""
    password: str | None = field(default=None, repr=False)


@dataclass
class Reading:
    """What was read of one file."""

    landing: Landing
    rows_read: int
    blank_rows: int
    quarantined: list[tuple[int, str, str]]
    unexpected: list[str]
    doubts: dict[str, dict[str, int]]
    undated: dict[str, int]
    notes: list[str]
    rows_skipped: int = 0
    rows_withdrawn: int = 0
    profile: dict[str, Any] = field(default_factory=dict)
    """Counts of blanks, codes and figures by column, of the rows taken in (``kodomo.intake.profile``)."""
    extracted_on: str | None = None
    """The extraction date, where the layout says that it stands inside the file."""
    spans: list[list[Any]] = field(default_factory=list)
    """Where a spreadsheet shows the rows (``kodomo.vault.records.place_of``)."""

    @property
    def rows_landed(self) -> int:
        """Rows taken in; a row of several people, or months, is one."""
        rows = self.landing.rows["row"]
        step = pa.scalar(PEOPLE_STEP, pa.int32())
        printed = pc.subtract(rows, pc.multiply(pc.divide(rows, step), step))
        return int(pc.count_distinct(printed).as_py())


def read_extract(job: Job) -> Reading:
    """Read a file whole: check what it is, its header, every column for 個人番号, then its rows.

    Raises:
        DeliveryRefused: nothing of the file may be taken in.
    """
    with job.path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    check_kind(head, job.layout.file.format, job.name)
    source: Source = job.path
    if job.layout.file.is_workbook:
        source = opened(job.path, job.layout.file.format, job.name, job.password, job.limits)
    if job.layout.file.format == "xlsx":
        check_workbook(source, job.name, job.limits)
    reader = _Reader(job)
    for sheet in open_sheets(job, source):
        reader.take(sheet)
    return reader.reading()


def open_sheets(job: Job, source: Source) -> Iterable[Sheet]:
    """A file's sheets as its layout says; a text file is one sheet. Raises DeliveryRefused."""
    layout = job.layout
    if layout.file.is_workbook:
        return open_workbook(source, layout, job.name, job.limits)
    opened = open_fixed if layout.file.format == "fixed" else open_text
    return [opened(job.path, layout, job.name, job.limits)]


TELLS_NOBODY = frozenset({"age", "sex", "school", "grade", "class_name"})
"""Fields of a person that name nobody: a sheet for each class may be called by them."""


class _Reader:
    """One pass over a file's sheets, chunk by chunk; rows are numbered through all of them."""

    def __init__(self, job: Job) -> None:
        self.job, layout = job, job.layout
        taken = tuple(c for c in layout.columns if c.reference in job.columns)
        rules = tuple(rule for at, rule in enumerate(layout.facts) if at in job.rules)
        # A person who isn't there lacks nothing: what is required of a row's people is asked of those who are.
        self.readers = {c.reference: ColumnReader(replace(c, required=c.required and not c.group), job.limits)
                        for c in taken}  # fmt: skip
        self.required = {c.reference: c.group for c in taken if c.required and c.group}
        self.extraction = Extraction(layout, taken, rules, job.key, job.arrived_on)
        self.watches: list[NumberWatch] = []
        self.faults: list[tuple[int, str, RowFault]] = []
        self.rows_read = self.rows_skipped = self.rows_withdrawn = self.blank_rows = self.before = 0
        self.sheets, self.spans = 0, list[list[Any]]()
        self.is_sheet_named_after_somebody = any(
            c.found_in == "sheet_name" and c.person and c.field not in TELLS_NOBODY for c in layout.columns
        )
        self.profile = Profile({c.reference: c.type for c in taken})
        self.notes: list[str] = []
        self.unexpected: dict[str, None] = {}
        self.extracted_on: str | None = None

    def take(self, sheet: Sheet) -> None:
        """Read one sheet to its end."""
        self.months = self._months(sheet)
        found = self._found(sheet, self.months.header if self.months else sheet.header)
        self.places = found.places
        self._date(sheet)
        self.other = OtherTable(sheet.heads[-1] if sheet.heads else [])
        self.above: dict[str, str] = {}
        watches = [NumberWatch(header) for header in sheet.header]
        self.watches += watches
        for chunk in sheet.chunks:
            if self.before:
                chunk.numbers = [number + self.before for number in chunk.numbers]
                chunk.faults = [(number + self.before, column, fault) for number, column, fault in chunk.faults]
            self._take(chunk, watches)
        self.sheets += 1
        # The report, which goes to offices in clear, names no sheet that is called after a child.
        name = f"{self.sheets}枚目" if self.is_sheet_named_after_somebody else sheet.name
        self.spans += [[name, self.before + before, line] for before, line in sheet.spans]
        last = self.before + sheet.last
        if sheet.ends_abruptly and self.faults and self.faults[-1][0] == last:
            sheet.notes.append("最後の行が途中で終わっています。ファイルが切れていないか確かめてください。")
        self.before, self.blank_rows = last, self.blank_rows + sheet.blank_rows
        self.notes += sheet.notes

    def reading(self) -> Reading:
        """What all sheets came to."""
        self._refuse_individual_numbers()
        landing = self.extraction.landing()
        if self.rows_read > self.rows_skipped and not landing.rows.num_rows:
            self._refuse_all()
        return Reading(
            landing=landing,
            rows_read=self.rows_read,
            blank_rows=self.blank_rows,
            quarantined=[(row, column, str(fault)) for row, column, fault in sorted(set(self.faults))],
            unexpected=list(self.unexpected),
            doubts={name: dict(r.doubts) for name, r in self.readers.items() if r.doubts},
            undated={item: count for item, count in self.extraction.undated.items() if count},
            notes=self.notes,
            rows_skipped=self.rows_skipped,
            rows_withdrawn=self.rows_withdrawn,
            profile=self.profile.told(),
            extracted_on=self.extracted_on,
            spans=self.spans,
        )

    def _date(self, sheet: Sheet) -> None:
        """Take the extraction date from each sheet, where the layout says that it stands there: the file's is the latest.

        A workbook kept up month by month has a sheet for each, and ages in it are of that month.
        """
        place = self.job.layout.file.extracted_in
        if place == "file_name":
            return
        written = self.job.layout.date_in({"sheet_name": sheet.name, "above": sheet.above}[place])
        if written is not None:
            self.extraction.arrived_on = written.on
            self.extracted_on = max(self.extracted_on or "", written.on.isoformat())
        elif not self.before:
            self.notes.append(
                "抽出日が見つかりません。受け取った日を抽出日とみなしました(extracted_in、extracted_on)。"
            )

    def _months(self, sheet: Sheet) -> Months | None:
        """The columns of months, where the layout has such and reads them. Raises DeliveryRefused."""
        dated = self.job.layout.dated
        if dated is None or self.job.layout.is_daily_left_out:
            return None
        return months_of(sheet.header, dated.name, dated.columns, self.job.name)

    def _found(self, sheet: Sheet, header: list[str]) -> Found:
        """Where each declared column stands in this sheet, whatever the order.

        Raises:
            DeliveryRefused: a declared column that is not merely ignored is missing. Its values would
                otherwise be taken for nothing; a missing column is never zero.
        """
        layout, name = self.job.layout, self.job.name
        outside = {"file_name": name, "sheet_name": sheet.name, "above": sheet.above}
        has_header = bool(sheet.heads) or layout.file.format == "fixed"
        found = find_places(layout, header, outside, has_header)
        if found.missing:
            raise refused(
                "missing_column",
                f"レイアウトにある列が {len(found.missing)} 列ありません。ファイル全体を受け取りません。",
                f"{name} 列: {'、'.join(found.missing)}",
                _hint(self.job, len(found.missing)),
            )
        for at, printed in enumerate(header):
            if at not in found.expected and printed.strip() and not self._is_left_out(printed):
                self.unexpected[printable(printed)] = None
        return found

    def _is_left_out(self, printed: str) -> bool:
        """Whether a printed column is one of those days that the layout knows of and doesn't read."""
        return self.job.layout.is_daily_left_out and bool(month_written(printed))

    def _take(self, chunk: Chunk, watches: list[NumberWatch]) -> None:
        self.faults += chunk.faults
        self.rows_read += len(chunk.numbers) + len(chunk.faults)
        if not chunk.rows:
            return
        printed: list[Sequence[str]] = list(zip(*chunk.rows, strict=True))
        distinct = [set(cells) for cells in printed]
        for watch, values in zip(watches, distinct, strict=True):
            watch.look(values)
        other = self.other.begins_at(chunk.rows, distinct)
        if other is not None:
            self.faults += [(number, WHOLE_ROW, RowFault.OTHER_TABLE) for number in chunk.numbers[other:]]
            chunk.numbers, chunk.rows = chunk.numbers[:other], chunk.rows[:other]
            if not chunk.rows:
                return
            printed = list(zip(*chunk.rows, strict=True))
            distinct = [set(cells) for cells in printed]
        if self.months:
            chunk = self.months.chunk(chunk)
            printed = list(zip(*chunk.rows, strict=True))
            distinct = [set(cells) for cells in printed]
        kept: dict[str, list[Any]] = {}
        faults: list[tuple[int, str, RowFault]] = []
        for name, reader in self.readers.items():
            cells = self._cells(name, reader.column, printed, len(chunk.rows))
            place = self.places[name].at
            has_fault = reader.learn(distinct[place] if place >= 0 and cells is printed[place] else set(cells))
            kept[name] = list(map(reader.memo.__getitem__, cells))
            if has_fault:
                faults += [(at, name, value) for at, value in enumerate(kept[name]) if isinstance(value, RowFault)]
        faults += self._put_years(kept)
        self._blank_where_unfit(kept, len(chunk.rows))
        faults += self._missing_of_people(kept, len(chunk.rows))
        self._keep(chunk.numbers, kept, faults)

    def _cells(self, name: str, column: LayoutColumn, printed: Sequence[Sequence[str]], count: int) -> Sequence[str]:
        cells = self.places[name].cells(printed, count)
        if not column.fill_down:
            return cells
        filled, above = [], self.above.get(name, "")
        for cell in cells:
            is_same = cell.strip() in DITTO or (not cell.strip() and column.fill_down is True)
            above = above if is_same else cell
            filled.append(above)
        self.above[name] = above
        return filled

    def _put_years(self, kept: dict[str, list[Any]]) -> list[tuple[int, str, RowFault]]:
        """Complete days printed without their year by the fiscal year that their row, sheet or file tells, or by a day
        of the row that they lie before.
        """
        faults = []
        for name, reader in self.readers.items():
            of = self.readers.get(reader.column.year_from)
            complete = on_or_before if of and of.column.type == "date" else in_fiscal_year
            for at, day in enumerate(kept[name]) if reader.column.year_from else ():
                if isinstance(day, str) and day.startswith("--"):
                    year = kept[reader.column.year_from][at]
                    is_told = isinstance(year, str) and not (complete is on_or_before and len(year) < 10)
                    kept[name][at] = complete(day, year) if is_told else None
                    if kept[name][at] is None:
                        faults.append((at, name, RowFault.NOT_DATE if isinstance(year, str) else RowFault.NO_YEAR))
        return faults

    def _blank_where_unfit(self, kept: dict[str, list[Any]], count: int) -> None:
        """Leave out values whose row doesn't fit their column's own condition."""
        for name, reader in self.readers.items():
            for other, meanings in reader.column.when.items():
                beside = kept.get(other, [None] * count)
                kept[name] = [v if (beside[at] or "") in meanings else None for at, v in enumerate(kept[name])]

    def _missing_of_people(self, kept: dict[str, list[Any]], count: int) -> list[tuple[int, str, RowFault]]:
        """Required cells that are blank for one of a row's several people who is there."""
        faults = []
        for name, group in self.required.items():
            there = [kept[c.reference] for c in self.extraction.columns if c.group == group and c.person]
            faults += [
                (at, name, RowFault.MISSING)
                for at in range(count)
                if kept[name][at] is None and any(values[at] is not None for values in there)
            ]
        return faults

    def _keep(self, numbers: list[int], kept: dict[str, list[Any]], faults: list[tuple[int, str, RowFault]]) -> None:
        """Leave out rows that the layout doesn't want and rows at fault, and take in the rest."""
        left_out = self._left_out(kept, len(numbers))
        faults = [entry for entry in faults if entry[0] not in left_out]
        self.faults += [(numbers[at] % PEOPLE_STEP, name, fault) for at, name, fault in faults]
        bad = left_out | {at for at, _, _ in faults}
        if self.months:
            # A row of which one month can't be read is handed back whole, as it is printed.
            at_fault = {numbers[at] % PEOPLE_STEP for at, _, _ in faults}
            bad |= {at for at, number in enumerate(numbers) if number % PEOPLE_STEP in at_fault}
            self.rows_skipped += sum(numbers[at] < PEOPLE_STEP for at in left_out)
        else:
            self.rows_skipped += len(left_out)
        arrays = {name: pa.array(values, pa.string()) for name, values in kept.items()}
        if bad:
            is_good = pa.array([at not in bad for at in range(len(numbers))])
            numbers = [number for at, number in enumerate(numbers) if at not in bad]
            arrays = {name: values.filter(is_good) for name, values in arrays.items()}
        if not numbers:
            return
        self.profile.add(arrays)
        withdraw = self.job.layout.withdraw_when
        withdrawn = fits(withdraw, arrays, len(numbers)) if withdraw else None
        self.rows_withdrawn += (pc.sum(withdrawn).as_py() or 0) if withdrawn is not None else 0
        reversed_spells = self.extraction.add(numbers, arrays, withdrawn)
        self.faults += [(number % PEOPLE_STEP, name, fault) for number, name, fault in reversed_spells]

    def _left_out(self, kept: dict[str, list[Any]], count: int) -> set[int]:
        layout = self.job.layout
        if not (layout.skip_when or layout.only_when):
            return set()

        def all_fit(condition: dict[str, list[str]], at: int) -> bool:
            return all((kept[name][at] or "") in meanings for name, meanings in condition.items())

        skipped = {at for at in range(count) if layout.skip_when and all_fit(layout.skip_when, at)}
        if layout.only_when:
            names = list(layout.only_when)
            # A row whose condition can't be read is a fault, not a row that nobody wants.
            skipped |= {
                at
                for at in range(count)
                if not any(isinstance(kept[n][at], RowFault) for n in names) and not all_fit(layout.only_when, at)
            }
        return skipped

    def _refuse_individual_numbers(self) -> None:
        columns = dict.fromkeys(watch.header for watch in self.watches if watch.holds_individual_numbers)
        if columns:
            raise refused(
                "individual_number",
                "個人番号(マイナンバー)か住民票コードとみられる列があります。ファイル全体を受け取りません。",
                f"{self.job.name} 列: {'、'.join(printable(c) or '(見出しのない列)' for c in columns)}",
                "その列を除いて出力し直してください。渡した媒体からも消してください。",
            )

    def _refuse_all(self) -> None:
        common = Counter((column, fault) for _, column, fault in self.faults).most_common(3)
        words = "、".join(f"列「{column}」: {fault.label}" for (column, fault), _ in common)
        raise refused(
            "no_row", "読める行が一行もありません。", f"{self.job.name} ({words})",
            "別のファイルでないか、文字コードとレイアウトを確かめてください。",
        )  # fmt: skip


def _hint(job: Job, missing: int) -> str:
    """What the cause may be, when (nearly) the whole header doesn't fit."""
    wanted = [c for c in job.layout.columns if not c.ignore]
    if missing < max(len(wanted) * 0.7, 2) or job.layout.file.is_workbook:
        return "列を落とさずに出力し直すか、出力の仕様が変わったならレイアウトを直してください。"
    likely = likely_encoding(job.path.read_bytes())
    declared = ENCODING_NAMES[job.layout.file.encoding]
    if likely and ENCODING_NAMES[likely] != declared:
        return f"ファイルは {ENCODING_NAMES[likely]} のようです(レイアウトは {declared})。出力の文字コードを確かめてください。"
    return "見出しより上の行数(skip_top)と区切り文字を確かめ、別のファイルでないか確かめてください。"


# The process -----------------------------------------------------------------------------------


def main() -> None:
    """Answer one job from standard input on standard output; never raises."""
    _prepare()
    _answer(sys.stdin.buffer.read(), sys.stdout.buffer, None)


def serve(descriptor: int) -> None:
    """Wait for jobs on a socket and fork a process for each, so that starting up is paid for once.

    Each job comes with the pipe its answer goes to, and the file if that has no name; the answer
    begins with the process's number.
    This process itself opens nothing that was delivered; it reads each layout once, for a year's files of a source
    have the same. It ends with its parent.
    """
    _prepare()
    with socket.socket(fileno=descriptor) as jobs:
        while True:
            head, given, _, _ = socket.recv_fds(jobs, 4, 2)
            if len(head) < 4 or not given:
                return
            body = _exactly(jobs, struct.unpack("<I", head)[0])
            with suppress(Exception):  # whatever is wrong with it is told by the process that answers
                _layout(json.loads(body)["layout"])
            if os.fork() == 0:
                _answer_and_end(jobs, given, body)
            for descriptor in given:
                os.close(descriptor)
            _reap()


def _prepare() -> None:
    """Import what reading needs before the first job comes."""
    leave_pandas_out()
    import pyarrow.acero  # noqa: F401
    import python_calamine  # noqa: F401


def _exactly(jobs: socket.socket, length: int) -> bytes:
    body = b""
    while len(body) < length and (piece := jobs.recv(length - len(body))):
        body += piece
    return body


def _answer_and_end(jobs: socket.socket, given: list[int], body: bytes) -> None:
    """What the forked process does; it never comes back, whatever happens (its parent may be gone)."""
    try:
        jobs.close()
        with open(given[0], "wb") as out:  # noqa: PTH123  a descriptor, not a path
            out.write(struct.pack("<Q", os.getpid()))
            out.flush()
            _answer(body, out, given[1] if len(given) > 1 else None)
    finally:
        os._exit(0)


def _reap() -> None:
    """Let go of processes that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _answer(job_text: bytes, out: BinaryIO, descriptor: int | None) -> None:
    answer: dict[str, Any]
    tables: list[pa.Table] = []
    try:
        body = json.loads(job_text)
        if body.get("task") == "survey":
            answer = {"survey": _survey(body)}
        elif body.get("task") == "slip":
            answer = {"slip": _slip(body)}
        else:
            job = _job(body, descriptor)
            _bind(job.limits)
            reading = read_extract(job)
            tables = [reading.landing.mentions, reading.landing.facts, reading.landing.rows]
            answer = {"reading": {k: v for k, v in vars(reading).items() if k != "landing"}}
    except DeliveryRefused as refusal:
        answer = {"refused": {"what": refusal.what, "where": refusal.where, "then": refusal.then, **refusal.details}}
    except MemoryError:
        answer, tables = {"dead": "memory"}, []
    except Exception as fault:
        # A bug of ours. Its text may carry a cell's value; its place in our code can't.
        ours = [f for f in traceback.extract_tb(fault.__traceback__) if "kodomo" in Path(f.filename).parts]
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours))
        answer, tables = {"failed": f"{type(fault).__name__} {places}"}, []
    _write(out, answer, tables)


def _survey(body: dict[str, Any]) -> dict[str, Any]:
    """Look at a file that no layout describes."""
    limits = Limits(**body["limits"])
    _bind(limits)
    return survey(Path(body["path"]), body["name"], limits, body.get("password"), body.get("sheet", "")).told()


def _slip(body: dict[str, Any]) -> list[list[str]]:
    """Read a reply slip."""
    limits = Limits(**body["limits"])
    _bind(limits)
    return read_slip(Path(body["path"]), body["name"], limits, body.get("password"))


def _job(body: dict[str, Any], descriptor: int | None) -> Job:
    return Job(
        path=Path(body["path"] if descriptor is None else f"/proc/self/fd/{descriptor}"),
        name=body["name"],
        layout=_layout(body["layout"]),
        columns=frozenset(body["columns"]),
        rules=frozenset(body["rules"]),
        key=bytes.fromhex(body["key"]),
        arrived_on=dt.date.fromisoformat(body["arrived_on"]),
        limits=Limits(**body["limits"]),
        password=body.get("password"),
    )


def _layout(path: str) -> Layout:
    file = Path(path)
    return _layout_of(file, file.stat().st_mtime_ns if file.exists() else 0)


@cache
def _layout_of(path: Path, _written: int) -> Layout:
    """The layout as it stood at the time in nanoseconds: who watches a folder for weeks meets a mended one."""
    return read_layout(path)


def _bind(limits: Limits) -> None:
    """Bound this process: memory, processor time, no core dump (it would hold names), no file of its own."""
    # A short life that makes millions of small lists and no cycles: collecting them would cost a fifth of the time.
    gc.disable()
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        import resource
    except ImportError:  # Windows has no such limits; the parent's clock still holds
        return
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _write(out: BinaryIO, answer: dict[str, Any], tables: list[pa.Table]) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode()
    # Arrow complains of numbers that don't begin on a multiple of eight bytes.
    body += b" " * (-(len(MAGIC) + len(body)) % 8)
    out.write(MAGIC + struct.pack("<Q", len(body)) + body)
    for table in map(_without_nothing, tables):
        with pa.ipc.new_stream(pa.PythonFile(out, "w"), table.schema) as writer:
            writer.write_table(table)
    out.flush()


def _without_nothing(table: pa.Table) -> pa.Table:
    """Columns that hold no value lose their type on the way: of most sources' mentions two thirds are such, and as
    texts each would be as long as a number. The receiver knows the types.
    """
    for at, name in enumerate(table.column_names):
        if table[name].null_count == table.num_rows:
            table = table.set_column(at, name, pa.nulls(table.num_rows))
    return table


if __name__ == "__main__":
    main()

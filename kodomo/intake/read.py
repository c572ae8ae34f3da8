"""Reads one delivered file in a process of its own, under limits, and hands back Arrow tables (identity side).

Runs as the child of ``kodomo.intake.child``: the job comes as JSON on standard input, the answer
goes to standard output. It opens no database and knows no key but the one for row fingerprints.
Whatever goes wrong, no cell value leaves it in a message.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import struct
import sys
import traceback
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from kodomo.errors import DeliveryRefused
from kodomo.intake.cells import ColumnReader
from kodomo.intake.decode import ENCODING_NAMES, likely_encoding
from kodomo.intake.extract import Extraction
from kodomo.intake.individual_number import NumberWatch
from kodomo.intake.layout import Layout, read_layout
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault
from kodomo.intake.sanitise import check_kind, check_workbook, refused
from kodomo.intake.sheets import Chunk, Sheet, open_sheet
from kodomo.vault.records import Landing

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

    @property
    def rows_landed(self) -> int:
        """Rows taken in."""
        return int(self.landing.rows.num_rows)


def read_extract(job: Job) -> Reading:
    """Read a file whole: check what it is, its header, every column for 個人番号, then its rows.

    Raises:
        DeliveryRefused: nothing of the file may be taken in.
    """
    with job.path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    check_kind(head, job.layout.file.format, job.name)
    if job.layout.file.format == "xlsx":
        check_workbook(job.path, job.name, job.limits)
    sheet = open_sheet(job.path, job.layout, job.name, job.limits)
    return _Reader(job, sheet).read()


class _Reader:
    """One pass over a sheet's chunks."""

    def __init__(self, job: Job, sheet: Sheet) -> None:
        self.job, self.sheet = job, sheet
        self.places = _places(job, sheet.header)
        taken = [c for c in job.layout.columns if c.reference in job.columns and c.reference in self.places]
        self.readers = {c.reference: ColumnReader(c, job.limits) for c in taken}
        rules = tuple(rule for at, rule in enumerate(job.layout.facts) if at in job.rules)
        self.extraction = Extraction(job.layout, tuple(taken), rules, job.key, job.arrived_on)
        self.watches = [NumberWatch(header) for header in sheet.header]
        self.faults: list[tuple[int, str, RowFault]] = []
        self.rows_read = 0

    def read(self) -> Reading:
        for chunk in self.sheet.chunks:
            self._take(chunk)
        self._refuse_individual_numbers()
        landing = self.extraction.landing()
        if self.rows_read and not landing.rows.num_rows:
            self._refuse_all()
        if self.sheet.ends_abruptly and self.faults and self.faults[-1][0] == self.rows_read + self.sheet.blank_rows:
            self.sheet.notes.append("最後の行が途中で終わっています。ファイルが切れていないか確かめてください。")
        return Reading(
            landing=landing,
            rows_read=self.rows_read,
            blank_rows=self.sheet.blank_rows,
            quarantined=[(row, column, str(fault)) for row, column, fault in sorted(set(self.faults))],
            unexpected=self._unexpected(),
            doubts={name: dict(r.doubts) for name, r in self.readers.items() if r.doubts},
            undated={item: count for item, count in self.extraction.undated.items() if count},
            notes=self.sheet.notes,
        )

    def _take(self, chunk: Chunk) -> None:
        self.faults += chunk.faults
        self.rows_read += len(chunk.numbers) + len(chunk.faults)
        if not chunk.rows:
            return
        printed = list(zip(*chunk.rows, strict=True))
        distinct = [set(cells) for cells in printed]
        for watch, values in zip(self.watches, distinct, strict=True):
            watch.look(values)
        kept: dict[str, list[Any]] = {}
        bad: set[int] = set()
        for name, reader in self.readers.items():
            place = self.places[name]
            has_fault = reader.learn(distinct[place])
            kept[name] = list(map(reader.memo.__getitem__, printed[place]))
            if has_fault:
                bad |= self._note_faults(name, kept[name], chunk.numbers)
        numbers = chunk.numbers
        if bad:
            good = [at for at in range(len(numbers)) if at not in bad]
            numbers = [numbers[at] for at in good]
            kept = {name: [values[at] for at in good] for name, values in kept.items()}
        if numbers:
            arrays = {name: pa.array(values, pa.string()) for name, values in kept.items()}
            self.faults += self.extraction.add(numbers, arrays)

    def _note_faults(self, name: str, values: list[Any], numbers: list[int]) -> set[int]:
        bad = {at for at, value in enumerate(values) if isinstance(value, RowFault)}
        self.faults += [(numbers[at], name, values[at]) for at in bad]
        return bad

    def _refuse_individual_numbers(self) -> None:
        columns = [watch.header for watch in self.watches if watch.holds_individual_numbers]
        if columns:
            raise refused(
                "individual_number",
                "個人番号(マイナンバー)か住民票コードとみられる列があります。ファイル全体を受け取りません。",
                f"{self.job.name} 列: {'、'.join(printable(c) for c in columns)}",
                "その列を除いて出力し直してください。渡した媒体からも消してください。",
            )

    def _refuse_all(self) -> None:
        common = Counter((column, fault) for _, column, fault in self.faults).most_common(3)
        words = "、".join(f"列「{column}」: {fault.label}" for (column, fault), _ in common)
        raise refused(
            "no_row", "読める行が一行もありません。", f"{self.job.name} ({words})",
            "別のファイルでないか、文字コードとレイアウトを確かめてください。",
        )  # fmt: skip

    def _unexpected(self) -> list[str]:
        expected = {self.places[c.reference] for c in self.job.layout.columns if c.reference in self.places}
        return [printable(h) for at, h in enumerate(self.sheet.header) if at not in expected and h.strip()]


def _places(job: Job, header: list[str]) -> dict[str, int]:
    """Where each declared column stands in the file, whatever the order.

    Raises:
        DeliveryRefused: a declared column that is not merely ignored is missing. Its values would
            otherwise be taken for nothing; a missing column is never zero.
    """
    seen: Counter[str] = Counter()
    at: dict[tuple[str, int], int] = {}
    for place, printed in enumerate(header):
        name = _folded(printed)
        seen[name] += 1
        at[(name, seen[name])] = place
    found = {c.reference: at.get((_folded(c.name), c.occurrence)) for c in job.layout.columns}
    missing = [c.reference for c in job.layout.columns if not c.ignore and found[c.reference] is None]
    if missing:
        raise refused(
            "missing_column",
            f"レイアウトにある列が {len(missing)} 列ありません。ファイル全体を受け取りません。",
            f"{job.name} 列: {'、'.join(missing)}",
            _hint(job, len(missing)),
        )
    return {reference: place for reference, place in found.items() if place is not None}


def _hint(job: Job, missing: int) -> str:
    """What the cause may be, when (nearly) the whole header doesn't fit."""
    wanted = [c for c in job.layout.columns if not c.ignore]
    if missing < max(len(wanted) * 0.7, 2) or job.layout.file.format == "xlsx":
        return "列を落とさずに出力し直すか、出力の仕様が変わったならレイアウトを直してください。"
    likely = likely_encoding(job.path.read_bytes())
    declared = ENCODING_NAMES[job.layout.file.encoding]
    if likely and ENCODING_NAMES[likely] != declared:
        return f"ファイルは {ENCODING_NAMES[likely]} のようです(レイアウトは {declared})。出力の文字コードを確かめてください。"
    return "見出しより上の行数(skip_top)と区切り文字を確かめ、別のファイルでないか確かめてください。"


def _folded(header: str) -> str:
    return "".join(unicodedata.normalize("NFKC", header).split())


def printable(header: str) -> str:
    """A printed column name fit for a report: short, on one line, and not if it is itself a number."""
    text = "".join(c for c in " ".join(header.split()) if c.isprintable())[:40]
    return "(数字だけの見出し)" if sum(c.isdigit() for c in text) > 6 else text


# The process -----------------------------------------------------------------------------------


def main() -> None:
    """Answer one job from standard input on standard output; never raises."""
    _prepare()
    _answer(sys.stdin.buffer.read(), sys.stdout.buffer, None)


def serve(descriptor: int) -> None:
    """Wait for jobs on a socket and fork a process for each, so that starting up is paid for once.

    Each job comes with the pipe its answer goes to, and the file if that has no name; the answer
    begins with the process's number.
    This process itself opens no file and reads nothing that was delivered. It ends with its parent.
    """
    _prepare()
    with socket.socket(fileno=descriptor) as jobs:
        while True:
            head, given, _, _ = socket.recv_fds(jobs, 4, 2)
            if len(head) < 4 or not given:
                return
            body = _exactly(jobs, struct.unpack("<I", head)[0])
            if os.fork() == 0:
                _answer_and_end(jobs, given, body)
            for descriptor in given:
                os.close(descriptor)
            _reap()


class _WithoutPandas:
    """Arrow imports pandas where it is there, at ten times the cost of all the rest; reading has no use for it."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)


def _prepare() -> None:
    """Import what reading needs before the first job comes."""
    sys.meta_path.insert(0, _WithoutPandas)
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
        job = _job(json.loads(job_text), descriptor)
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


def _job(body: dict[str, Any], descriptor: int | None) -> Job:
    return Job(
        path=Path(body["path"] if descriptor is None else f"/proc/self/fd/{descriptor}"),
        name=body["name"],
        layout=read_layout(Path(body["layout"])),
        columns=frozenset(body["columns"]),
        rules=frozenset(body["rules"]),
        key=bytes.fromhex(body["key"]),
        arrived_on=dt.date.fromisoformat(body["arrived_on"]),
        limits=Limits(**body["limits"]),
    )


def _bind(limits: Limits) -> None:
    """Bound this process: memory, processor time, no core dump (it would hold names), no file of its own."""
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
    out.write(MAGIC + struct.pack("<Q", len(body)) + body)
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        content = sink.getvalue()
        out.write(struct.pack("<Q", content.size))
        out.write(content)
    out.flush()


if __name__ == "__main__":
    main()

"""Stage 1, ``kodomo receive``: delivered files into the vault, each whole or not at all (identity side)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kodomo.configuration import Home, Municipality
from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.governance.register import Register, read_register
from kodomo.intake.child import Read, readers
from kodomo.intake.delivery import Candidate, Found, Taken, find_files, is_archive, locked, take_in, unpack, writing
from kodomo.intake.extraction_slip import Slip
from kodomo.intake.incoming import Copy, clear
from kodomo.intake.layout import Layout, check_against, fits_name, layouts_for, read_layouts
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.media import carried
from kodomo.intake.permission import Permission, permit
from kodomo.intake.read import Job, Reading
from kodomo.intake.sanitise import refused
from kodomo.progress import Progress
from kodomo.tables.arrow import leave_pandas_out
from kodomo.vault.database import open_vault
from kodomo.vault.keys import Keyring

if TYPE_CHECKING:
    from kodomo.intake.landing import ReceiptBook
    from kodomo.vault.models import Receipt

TOKYO = dt.timezone(dt.timedelta(hours=9))

READERS = 2
"""Files read at the same time; their rows are landed in order of name, one by one."""

SAME_FILE = "same_file"

NO_SLIP = Slip()

QUARANTINED_TOLD = 200
"""Quarantined rows of one file that the command's own result lists; the report beside it lists all."""

Beat = Callable[[dict[str, object]], None]


def receive(
    paths: list[Path],
    *,
    home: Home,
    municipality: Municipality,
    by: str,
    at: dt.datetime,
    medium: str = "MEDIA",
    password: str | None = None,
    carrier: str = "",
    sources: Collection[str] | None = None,
    extracted_on: dt.date | Slip | None = None,
    beat: Beat | None = None,
    limits: Limits = LIMITS,
) -> dict[str, Any]:
    """Receive files or folders: sanitise, validate, report, land.

    Reads the delivered files (they stay as they are), the municipality's layouts and register.
    Writes sealed records, receipts and audit rows into the vault and reports into the handover
    area. Never writes a cell's value anywhere else, never lands part of a file, never lands an
    item without a legal basis on the day of ``at``.

    Returns:
        counts; ``deliveries``, one report per file (all but the longest lists of quarantined rows);
        ``exit_code`` 4 when a file was refused for any reason but having landed before.

    ``extracted_on`` is the day of extraction of files that don't tell it themselves, or the slip that came with them.
    ``sources`` are those the deliverer may hand in; None for all. ``carrier`` is the label of the medium the files came on, which the ledger of media must know.

    Raises:
        ConfigurationFault: layouts or register don't hold together.
        WrongUsage: a path isn't there. Busy: another process is receiving.
        StaffError: the vault or the handover area can't be written; what landed stays landed.
    """
    started = time.monotonic()
    leave_pandas_out()
    layouts, register = read_layouts(municipality.folder), read_register(municipality.folder)
    if not layouts:
        raise ConfigurationFault(
            "レイアウトが一つもありません。どのファイルも読めません。", where=str(municipality.folder / "sources"),
            then="kodomo layout draft で見本から下書きをつくり、sources/ に置いてください。",
        )  # fmt: skip
    check_against(layouts.values(), [*register.items, *register.refused], [o.code for o in municipality.offices])
    found = find_files(paths, limits)
    with locked(home.handover), readers() as read:  # they get ready while the vault is opened
        keyring = open_vault(home)
        if carrier:
            carried(keyring, carrier)
        from kodomo.intake.landing import ReceiptBook  # its models exist only once the vault is open

        book = ReceiptBook(home, keyring, by, at, medium, carrier)
        book.mend()
        desk = _Desk(home, read, layouts, register, book, row_key(keyring), at, limits, password, sources,
                     Slip.of(extracted_on) if isinstance(extracted_on, dt.date) else extracted_on or NO_SLIP)  # fmt: skip
        deliveries = desk.receive(found, beat)
    return _result(deliveries, found.ignored, started)


def row_key(keyring: Keyring) -> bytes:
    """The key of row fingerprints, derived from the vault's own so that the reading process never holds that."""
    return hmac.new(keyring.mark("intake.rows").encode(), b"rows", hashlib.sha256).digest()


@dataclass
class _Pending:
    """A file on its way: either already refused, or being read."""

    name: str
    size: int = 0
    taken: Taken | None = None
    layout: Layout | None = None
    permission: Permission | None = None
    refusal: DeliveryRefused | None = None
    reading: Future[tuple[Reading, float]] | None = None
    unchanged: Receipt | None = None
    """The receipt of the same content, where this is another day's delivery."""
    mark: tuple[str, str, dt.date | None] | None = None
    """By what the same delivery is known again: the content's hash, the sheets' source, the day of extraction."""
    is_last: bool = True
    """Whether no other sheets of this file wait to be read."""


@dataclass
class _Desk:
    """One run of receiving."""

    home: Home
    read: Read
    layouts: dict[str, Layout]
    register: Register
    book: ReceiptBook
    key: bytes
    at: dt.datetime
    limits: Limits
    password: str | None
    sources: Collection[str] | None = None
    slip: Slip = NO_SLIP
    permitted: dict[str, Permission] = field(default_factory=dict)
    """By source, what may be taken in today: the same for a year's files."""

    def receive(self, found: Found, beat: Beat | None) -> list[dict[str, Any]]:
        """All files, in order of name; the next ones are read while one is landed."""
        self.incoming = self.home.handover / "incoming"
        self._clear()
        self.seen: set[tuple[str, str, dt.date | None]] = set()
        self.copies: list[Copy] = []
        deliveries = [self.book.refuse(name, "", "", refusal) for name, refusal in found.refusals]
        for delivery in deliveries:
            _say(delivery)
        progress = Progress("受領", None, beat=beat)
        total = sum(c.path.lstat().st_size for c in found.candidates)
        done = 0
        with ThreadPoolExecutor(READERS) as pool:
            try:
                for pending in _ahead(self._started(found.candidates, pool), READERS + 1):
                    deliveries.append(self._finish(pending))
                    _say(deliveries[-1])
                    done += pending.size
                    rows = int(deliveries[-1].get("rows_read", 0))
                    progress.total = int((progress.done + rows) * total / done) if done else None
                    progress.add(rows)
            finally:
                pool.shutdown(cancel_futures=True)
                for copy in self.copies:
                    copy.shred()
                self._clear()
        progress.close()
        return deliveries

    def _clear(self) -> None:
        with writing(self.incoming):
            clear(self.incoming)
            self.incoming.mkdir(parents=True, mode=0o700)

    def _started(self, candidates: list[Candidate], pool: ThreadPoolExecutor) -> Iterator[_Pending]:
        for number, candidate in enumerate(candidates):
            try:
                taken = take_in(candidate, self.incoming / f"{number:06d}.in", self.limits)
                self.copies.append(taken.copy)
                if not is_archive(taken):
                    yield from self._starts(taken, pool)
                    continue
                try:
                    for inner in unpack(taken, self.incoming, self.limits, self.password):
                        self.copies.append(inner.copy)
                        yield from self._starts(inner, pool)
                finally:
                    taken.copy.shred()
            except DeliveryRefused as refusal:
                yield _Pending(candidate.name, refusal=refusal)

    def _starts(self, taken: Taken, pool: ThreadPoolExecutor) -> Iterator[_Pending]:
        """A file once for each layout that reads sheets of it; most have one."""
        unfit, fitting = None, list[Layout]()
        try:
            fitting = layouts_for(taken.name, self.layouts)
        except DeliveryRefused as refusal:
            unfit = refusal
        if unfit or len(fitting) == 1:
            yield self._start(_Pending(taken.name, taken.size, taken), taken, fitting, unfit, pool)
            return
        for layout in fitting:
            is_last = layout is fitting[-1]
            pending = _Pending(taken.name, taken.size if is_last else 0, taken, is_last=is_last)
            pending.mark = (taken.sha256, layout.source, self._told_on(layout, taken.name))
            yield self._start(pending, taken, [layout], None, pool)

    def _start(
        self,
        pending: _Pending,
        taken: Taken,
        fitting: list[Layout],
        unfit: DeliveryRefused | None,
        pool: ThreadPoolExecutor,
    ) -> _Pending:
        """Everything that can be decided before a file is parsed, then the parsing itself, in a child."""
        try:
            pending.unchanged = self._refuse_same(pending, taken)
            if unfit:
                raise unfit
            pending.layout = layout = fitting[0]
            self._refuse_others(layout, taken.name)
            on = self.at.astimezone(TOKYO).date()
            if layout.source not in self.permitted:
                self.permitted[layout.source] = permit(layout, self.register, on, taken.name)
            pending.permission = permission = self.permitted[layout.source]
        except DeliveryRefused as refusal:
            pending.refusal = refusal
            return pending
        job = Job(taken.path, taken.name, layout, permission.columns, permission.rules, self.key,
                  self._told_on(layout, taken.name) or on, self.limits, taken.copy.descriptor,
                  self.password)  # fmt: skip
        pending.reading = pool.submit(_timed, self.read, job)
        return pending

    def _refuse_others(self, layout: Layout, name: str) -> None:
        """An office hands in its own sources only, whatever a file or an archive is called."""
        if self.sources is not None and layout.source not in self.sources:
            raise refused(
                "others_source", "ほかの部署が保有するデータのファイルです。", name,
                "ファイル名を確かめ、保有する部署から渡してもらってください。",
            )  # fmt: skip

    def _refuse_same(self, pending: _Pending, taken: Taken) -> Receipt | None:
        """Refuse a file that landed before; content extracted anew on another day is a delivery, and its receipt told.

        Only a day written in the file's name can differ where the content doesn't. Sheets that a layout of their own
        reads are a delivery of their own.
        """
        before = self.book.receipts_of(taken.sha256)
        if pending.mark:
            before = [receipt for receipt in before if receipt.source == pending.mark[1]]
        pending.mark = mark = pending.mark or (taken.sha256, "", self._extracted_on(taken.name))
        on = mark[2]
        if mark in self.seen or (before and (on is None or on in {r.extracted_on for r in before})):
            which = (
                f"受領番号 {before[-1].pk}「{before[-1].file_name}」、{before[-1].received_at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
                if before
                else "今回の受け渡しの中"
            )
            raise refused(
                SAME_FILE, "同じ内容のファイルを受領済みです。", f"{taken.name} ({which})",
                "同じものを二度渡したのなら、何もしなくてかまいません。変わりのなかった月の分なら、"
                "ファイル名に抽出日(20260430 など)を付けて渡してください。別の内容のはずなら、出力し直してください。",
            )  # fmt: skip
        self.seen.add(mark)
        return before[-1] if before else None

    def _extracted_on(self, name: str) -> dt.date | None:
        """A file's day of extraction, by the one layout that it fits."""
        fitting = [layout for layout in self.layouts.values() if fits_name(name, layout)]
        return self._told_on(fitting[0], name) if len(fitting) == 1 else None

    def _told_on(self, layout: Layout, name: str) -> dt.date | None:
        """The day of extraction: as the file's name has it, else as the deliverer says."""
        return layout.extracted_on(name) or self.slip.day(name)

    def _finish(self, pending: _Pending) -> dict[str, Any]:
        source = pending.layout.source if pending.layout else ""
        try:
            if not (pending.reading and pending.taken and pending.layout and pending.permission):
                raise pending.refusal or refused(
                    "unreadable", "読み取りを始められませんでした。", pending.name, "もう一度渡してください。"
                )
            reading, seconds = pending.reading.result()
            told = _told(reading, pending.layout, pending.permission, seconds)
            if pending.unchanged:
                told["unchanged"] = _unchanged_words(pending.unchanged)
            layout_sha256 = hashlib.sha256(pending.layout.path.read_bytes()).hexdigest()
            on = self._told_on(pending.layout, pending.taken.name)
            receipt = self.book.keep(pending.taken, pending.layout, layout_sha256, reading, told, on)
            return self.book.write_report_of(receipt)
        except DeliveryRefused as refusal:
            sha256 = pending.taken.sha256 if pending.taken else ""
            if refusal.details.get("code") != SAME_FILE and pending.mark:
                self.seen.discard(pending.mark)
            return self.book.refuse(pending.name, sha256, source, refusal)
        finally:
            if pending.taken and pending.is_last:
                pending.taken.copy.shred()


def _timed(read: Read, job: Job) -> tuple[Reading, float]:
    started = time.monotonic()
    return read(job), time.monotonic() - started


def _ahead(items: Iterator[_Pending], count: int) -> Iterator[_Pending]:
    """The same items in the same order, with some started before they are asked for."""
    waiting: deque[_Pending] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) >= count:
            yield waiting.popleft()
    yield from waiting


def _told(reading: Reading, layout: Layout, permission: Permission, seconds: float) -> dict[str, Any]:
    """What a report says beyond the receipt's own columns."""
    notes = list(reading.notes)
    for item, count in reading.undated.items():
        notes.append(f"日付がないため事実にできなかった値: {item} {count:,} 件")
    for column, doubts in reading.doubts.items():
        notes.append(f"列「{column}」の日付の書き方で確かめたいもの: {_doubt_words(doubts)}")
    return {
        "caption": layout.caption, "spans": reading.spans, "unexpected_columns": reading.unexpected, "refused_items": list(permission.refused),
        "blank_rows": reading.blank_rows, "rows_skipped": reading.rows_skipped, "rows_withdrawn": reading.rows_withdrawn, "undated": reading.undated, "notes": notes, "seconds": round(seconds, 2),
    }  # fmt: skip


def _unchanged_words(before: Receipt) -> str:
    return (
        f"中身は、受領番号 {before.pk}「{before.file_name}」と一字も違いません。変わりのなかった分として、抽出日だけを新しくしました"
        "(同じ行は二重には数えません)。前の分を取り違えて渡していないか、出所に確かめてください。"
    )


def _doubt_words(doubts: dict[str, int]) -> str:
    from kodomo.intake.dates import DOUBTS

    return "、".join(f"{DOUBTS[doubt]} {count:,} とおり" for doubt, count in sorted(doubts.items()))


def _say(delivery: dict[str, Any]) -> None:
    """Tell the person at the terminal what needs their eye: refusals and quarantined rows, not what went well."""
    if delivery["state"] == "refused":
        print(
            f"{delivery['file']}: 受け取れません。{delivery['what']}({delivery['where']}){delivery['then']}",
            file=sys.stderr,
        )
        return
    if delivery.get("unchanged"):
        print(f"{delivery['file']}: {delivery['unchanged']}", file=sys.stderr)
    if delivery["rows_quarantined"]:
        page = Path(delivery["report"]).with_suffix(".html")
        print(
            f"{delivery['file']}: {delivery['rows_landed']:,} 行を取り込み、{delivery['rows_quarantined']:,} 行を差し戻しました"
            f"(報告: {page})",
            file=sys.stderr,
        )


def _result(deliveries: list[dict[str, Any]], ignored: list[str], started: float) -> dict[str, Any]:
    landed = [d for d in deliveries if d["state"] == "landed"]
    refusals = [d for d in deliveries if d["state"] == "refused"]
    same = [d for d in refusals if d["code"] == SAME_FILE]
    return {
        "files": len(deliveries),
        "landed": len(landed),
        "refused": len(refusals),
        "already_landed": len(same),
        "rows_read": sum(d["rows_read"] for d in landed),
        "rows_landed": sum(d["rows_landed"] for d in landed),
        "rows_quarantined": sum(d["rows_quarantined"] for d in landed),
        "rows_duplicate": sum(d["rows_duplicate"] for d in landed),
        "rows_corrected": sum(d["rows_corrected"] for d in landed),
        "deliveries": [_shortened(d) for d in deliveries],
        "ignored": ignored,
        "seconds": round(time.monotonic() - started, 2),
        "exit_code": DeliveryRefused.exit_code if len(refusals) > len(same) else 0,
    }


def _shortened(delivery: dict[str, Any]) -> dict[str, Any]:
    rows = delivery.get("quarantined", [])
    return {**delivery, "quarantined": rows[:QUARANTINED_TOLD]} if rows else delivery

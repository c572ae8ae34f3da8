"""Who delivered what, when, its hash and its rows: one transaction per file, with its audit row (identity side).

Order of a landing: the sealed folder is put in place, then the database commits the receipt, then
the report is written. A process killed before the commit leaves a folder nobody names (swept at
the next start); one killed after it leaves a receipt without its report (written at the next start).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import DatabaseError

from kodomo.configuration import Home
from kodomo.errors import DeliveryRefused, StaffError
from kodomo.governance.audit import AuditEvent
from kodomo.intake.comparison import compare, last_of_each, series_of
from kodomo.intake.delivery import Taken, writing
from kodomo.intake.layout import Layout
from kodomo.intake.profile import shifts
from kodomo.intake.read import Reading
from kodomo.intake.report import quarantine_entry, rows_told, write_report
from kodomo.terms import Party
from kodomo.vault.database import audited
from kodomo.vault.keys import Keyring
from kodomo.vault.models import QuarantinedRow, Receipt, RefusedDelivery
from kodomo.vault.records import delivery_order, land, landed_folder, read_rows, receipts, sweep
from kodomo.vault.statements import compare_rows

INSERT_AT_ONCE = 2_000


@dataclass
class ReceiptBook:
    """Receipts of one home: asks what is there, adds to it. Held by one process at a time (the area's lock)."""

    home: Home
    keyring: Keyring
    by: str
    at: dt.datetime
    medium: str
    carrier: str = ""
    _rows: dict[str, list[tuple[Receipt, pa.Table]]] = field(default_factory=dict)
    _said: dict[str, pa.Table] = field(default_factory=dict)
    """By source, the row in which each record said something last."""

    def mend(self) -> None:
        """Finish what a killed process left half done: orphaned folders go, missing reports are written."""
        with writing(landed_folder(self.home)):
            sweep(self.home)
        for receipt in receipts():
            if not (self.reports / f"{_stem(receipt.pk)}.json").exists():
                self.write_report_of(Receipt.objects.using("vault").get(pk=receipt.pk))

    @property
    def reports(self) -> Path:
        """Where reports lie."""
        return self.home.handover / "reports"

    def receipts_of(self, sha256: str) -> list[Receipt]:
        """The receipts of files with this hash, oldest first."""
        return self._by_hash.get(sha256, [])

    @cached_property
    def _by_hash(self) -> dict[str, list[Receipt]]:
        """All receipts, asked for once: nobody else receives meanwhile."""
        found: dict[str, list[Receipt]] = {}
        for receipt in receipts():
            found.setdefault(receipt.sha256, []).append(receipt)
        return found

    def keep(
        self,
        taken: Taken,
        layout: Layout,
        layout_sha256: str,
        reading: Reading,
        told: dict[str, Any],
        on: dt.date | None = None,
    ) -> Receipt:
        """Land one file, extracted ``on`` a day unless it says otherwise inside: seal its rows, then one transaction with receipt, quarantined rows and audit row."""
        again = len(self.receipts_of(taken.sha256))
        name = taken.sha256[:32] + (f"-{again}" if again else "")
        with writing(landed_folder(self.home)):
            land(self.home, self.keyring, name, reading.landing)
        receipt = Receipt(
            source=layout.source, file_name=taken.name, sha256=taken.sha256, size_bytes=taken.size,
            extracted_on=dt.date.fromisoformat(reading.extracted_on) if reading.extracted_on else on, received_at=self.at, received_by=self.by, medium=self.medium,
            rows_read=reading.rows_read, rows_landed=reading.rows_landed,
            rows_quarantined=len({row for row, _, _ in reading.quarantined}),
            layout_sha256=layout_sha256, sealed_file=name, report=told,
        )  # fmt: skip
        # A copy: the table as it came holds on to everything else that the reading process answered.
        rows = reading.landing.rows.take(pa.arange(0, reading.landing.rows.num_rows))
        receipt.rows_duplicate, receipt.rows_corrected = self._compare(receipt, rows)
        receipt.report = {**told, **self._beside_the_last(receipt, layout, rows, reading.profile)}
        with _plain_database_words(self.home), audited(self.home, self.keyring, self._event(receipt, reading), self.at):
            receipt.save(using="vault", force_insert=True)
            QuarantinedRow.objects.using("vault").bulk_create(
                (QuarantinedRow(receipt=receipt, row_number=r, column=c, code=k) for r, c, k in reading.quarantined),
                batch_size=INSERT_AT_ONCE,
            )
        self._rows[layout.source].append((receipt, rows))
        self._by_hash.setdefault(taken.sha256, []).append(receipt)
        return receipt

    def refuse(self, name: str, sha256: str, source: str, refusal: DeliveryRefused) -> dict[str, Any]:
        """Keep a refusal with its audit row, and write its report; returns the report."""
        code = str(refusal.details.get("code", "refused"))
        report = {
            "file": name, "state": "refused", "source": source, "sha256": sha256, "code": code, "what": refusal.what,
            "where": refusal.where, "then": refusal.then, "refused_items": refusal.details.get("refused_items", []),
            "received_at": self.at.isoformat(timespec="seconds"), "received_by": self.by,
        }  # fmt: skip
        refused = RefusedDelivery(
            source=source,
            file_name=name,
            sha256=sha256,
            refused_at=self.at,
            refused_by=self.by,
            code=code,
            report=report,
        )
        event = AuditEvent(self.by, str(Party.COORDINATOR), "intake.refuse", f"file/{sha256[:16]}", reason=code,
                           detail={"source": source, "sha256": sha256})  # fmt: skip
        with _plain_database_words(self.home), audited(self.home, self.keyring, event, self.at):
            refused.save(using="vault", force_insert=True)
        path = write_report(self.reports, f"refused-{refused.pk:06d}", report)
        return {**report, "report": str(path)}

    def write_report_of(self, receipt: Receipt) -> dict[str, Any]:
        """Write a receipt's report from the database; returns it."""
        found = QuarantinedRow.objects.using("vault").filter(receipt=receipt)
        quarantined = found.values_list("row_number", "column", "code") if receipt.rows_quarantined else ()
        report = {
            "file": receipt.file_name, "state": "landed", "receipt": receipt.pk, "source": receipt.source,
            "sha256": receipt.sha256, "extracted_on": str(receipt.extracted_on) if receipt.extracted_on else None,
            "received_at": receipt.received_at.isoformat(timespec="seconds"), "received_by": receipt.received_by,
            "rows_read": receipt.rows_read, "rows_landed": receipt.rows_landed,
            "rows_quarantined": receipt.rows_quarantined, "rows_duplicate": receipt.rows_duplicate,
            "rows_corrected": receipt.rows_corrected, **{k: v for k, v in receipt.report.items() if k not in ("profile", "spans")},
            "quarantined": [quarantine_entry(*entry, receipt.report.get("spans", [])) for entry in quarantined],
        }  # fmt: skip
        path = write_report(self.reports, _stem(receipt.pk), report)
        return {**report, "report": str(path)}

    def _compare(self, receipt: Receipt, rows: pa.Table) -> tuple[int, int]:
        """How many of this file's rows repeat, and how many rows it corrects, as things stand with it."""
        if receipt.source not in self._rows:
            earlier = receipts({receipt.source})
            self._rows[receipt.source] = [(r, read_rows(self.home, self.keyring, r)) for r in earlier]
        before = sorted(self._rows[receipt.source], key=lambda pair: _order(pair[0]))
        if before and _order(receipt) < _order(before[-1][0]):
            self._said.pop(receipt.source, None)
            return _compare_between(before, receipt, rows)
        # What comes last in time is beside what its own records said last: a source of a hundred months costs little more than one.
        said = self._said.get(receipt.source)
        if said is None:
            said = last_of_each(pa.concat_tables([rows.slice(0, 0), *(table for _, table in before)]))
        is_told_again = pc.is_in(said["identity"], value_set=rows["identity"].combine_chunks())
        told = said.filter(is_told_again)
        if told.num_rows:
            said = said.filter(pc.invert(is_told_again))
        self._said[receipt.source] = pa.concat_tables([said, last_of_each(pa.concat_tables([told, rows]))])
        states = compare_rows([(0, _order(receipt)[0], told), (1, _order(receipt)[0], rows)])
        return _true(states[1]["is_duplicate"]), sum(map(_corrected, states.values()))

    def _beside_the_last(
        self, receipt: Receipt, layout: Layout, read: pa.Table, profile: dict[str, Any]
    ) -> dict[str, Any]:
        """What changed against the delivery before this one in its series, and how old it is."""
        told: dict[str, Any] = {"carrier": self.carrier, "profile": profile, "against_last": None, "shifts": []}
        on = receipt.extracted_on
        age = (self.at.date() - on).days if on else None
        told["freshness"] = {"age_days": age, "freshness_days": layout.freshness_days,
                             "is_fresh": age is not None and age <= layout.freshness_days}  # fmt: skip
        series = series_of(receipt.file_name, layout)
        earlier = [(r, rows) for r, rows in self._rows[receipt.source] if series_of(r.file_name, layout) == series]
        earlier = [pair for pair in earlier if _order(pair[0]) < _order(receipt)]
        if not earlier:
            return told
        last, rows = max(earlier, key=lambda pair: _order(pair[0]))
        before = last.report
        found = compare(rows, read)
        found["changed_at"] = rows_told(found["changed_rows"], receipt.report.get("spans", []))
        found["vanished_at"] = rows_told(found["vanished_rows"], before.get("spans", []))
        told["against_last"] = {"receipt": last.pk, "file": last.file_name, **found}
        told["shifts"] = shifts(before.get("profile") or {}, profile)
        return told

    def _event(self, receipt: Receipt, reading: Reading) -> AuditEvent:
        detail = {
            "source": receipt.source, "sha256": receipt.sha256, "medium": receipt.medium,
            **({"carrier": self.carrier} if self.carrier else {}), "rows_read": receipt.rows_read,
            "rows_landed": receipt.rows_landed, "rows_quarantined": receipt.rows_quarantined,
        }  # fmt: skip
        return AuditEvent(
            self.by, str(Party.COORDINATOR), "intake.receive", f"file/{receipt.sha256[:16]}", detail=detail
        )


def _compare_between(before: list[tuple[Receipt, pa.Table]], receipt: Receipt, rows: pa.Table) -> tuple[int, int]:
    """The same of a file that was extracted before others that were received already."""
    given = sorted([*before, (receipt, rows)], key=lambda pair: _order(pair[0]))
    now = compare_rows([(r.pk or 0, _order(r)[0], table) for r, table in given])
    then = compare_rows([(r.pk or 0, _order(r)[0], table) for r, table in given if r.pk])
    superseded_now, superseded_then = (sum(map(_corrected, states.values())) for states in (now, then))
    return _true(now[0]["is_duplicate"]), superseded_now - superseded_then


def _order(receipt: Receipt) -> tuple[dt.date, int]:
    on, number = delivery_order(receipt)
    return on, number or 2**62  # not saved yet: the newest of its day


def _true(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _corrected(states: pa.Table) -> int:
    """Rows that were corrected, those that only repeated another left out."""
    return _true(pc.and_not(states["is_superseded"], states["is_duplicate"]))


def _stem(number: int) -> str:
    return f"{number:06d}"


@contextmanager
def _plain_database_words(home: Home) -> Iterator[None]:
    """A full or locked database is told in words; nothing was written then, the act included."""
    try:
        yield
    except DatabaseError:
        raise StaffError(
            "保管庫のデータベースに書き込めません。",
            where=str(home.vault),
            then="空き容量と権限を確かめてから、同じコマンドをもう一度実行してください。受領済みの分はそのままです。",
            code="database",
        ) from None

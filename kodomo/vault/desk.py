"""The operators' door to the vault: receipts, reports, refusals, media and freshness, each look audited (identity side).

Shows counts, row numbers, columns and codes. No identity passes through here.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from kodomo.configuration import Home
from kodomo.errors import NotReady
from kodomo.governance.audit import AuditEvent
from kodomo.vault.database import audited
from kodomo.vault.keys import Keyring
from kodomo.vault.models import Medium, QuarantinedRow, Receipt, RefusedDelivery
from kodomo.vault.records import place_of


@dataclass(frozen=True)
class Desk:
    """One operator's look into the vault. Everything it returns has left an audit row first.

    Args:
        by, role: who looks, in which role.
        sources: the sources this person may see (a holder's office sees its own); None for all.
    """

    home: Home
    keyring: Keyring
    by: str
    role: str
    at: dt.datetime
    sources: Collection[str] | None = None

    def receipts(self) -> list[dict[str, Any]]:
        """Receipts, newest first, without their rows."""
        with self._audited("desk.receipts"):
            return [_receipt(r) for r in self._own(Receipt.objects.using("vault")).order_by("-pk")]

    def quarantine(self, receipt: int) -> list[dict[str, Any]]:
        """Quarantined rows of one receipt: sheet, row as a spreadsheet shows it, column and code. Empty for another office's receipt."""
        with self._audited("desk.quarantine", f"receipt/{receipt}"):
            rows = QuarantinedRow.objects.using("vault").filter(receipt_id=receipt).select_related("receipt")
            if self.sources is not None:
                rows = rows.filter(receipt__source__in=self.sources)
            places = [(r, place_of(r.row_number, r.receipt.report.get("spans", []))) for r in rows.order_by("row_number", "pk")]  # fmt: skip
            return [{"sheet": sheet, "row": row, "column": r.column, "code": r.code} for r, (sheet, row) in places]

    def refusals(self) -> list[dict[str, Any]]:
        """Files nothing was taken of, newest first. Files of no known source are shown to who may see all."""
        with self._audited("desk.refusals"):
            found = self._own(RefusedDelivery.objects.using("vault")).order_by("-pk")
            return [
                {"refusal": r.pk, "file": r.file_name, "source": r.source, "code": r.code, "refused_at": r.refused_at.isoformat(),
                 "refused_by": r.refused_by, "what": r.report.get("what", ""), "then": r.report.get("then", "")}
                for r in found
            ]  # fmt: skip

    def report(self, receipt: int) -> dict[str, Any]:
        """The whole report of one delivery, as receiving wrote it: counts, rows, columns, codes and what to do.

        Raises:
            NotReady: there is no such receipt among the sources this person may see, or its report is not written.
        """
        with self._audited("desk.report", f"receipt/{receipt}"):
            is_own = self._own(Receipt.objects.using("vault")).filter(pk=receipt).exists()
        path = self.home.handover / "reports" / f"{receipt:06d}.json"
        if not is_own:
            raise NotReady("その番号の受領はありません。", where=f"受領番号 {receipt}")
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotReady(
                "この受領の報告は、まだ書かれていません。",
                where=f"受領番号 {receipt}",
                then="次の受け取りのときに書かれます。",
            ) from None
        return found

    def refusal(self, number: int) -> dict[str, Any]:
        """Why nothing was taken of one file. Raises NotReady when there is none this person may see."""
        with self._audited("desk.refusal", f"refusal/{number}"):
            found = self._own(RefusedDelivery.objects.using("vault")).filter(pk=number).first()
        if found is None:
            raise NotReady("その番号の記録はありません。", where=f"受領できなかったファイル {number}")
        return dict(found.report)

    def media(self, offices: Collection[str] | None = None) -> list[dict[str, Any]]:
        """The ledger of media, newest first; with ``offices`` only what these handed over."""
        with self._audited("desk.media"):
            found = Medium.objects.using("vault").order_by("-pk")
            if offices is not None:
                found = found.filter(office__in=offices)
            return [
                {"label": m.label, "office": m.office, "brought_by": m.brought_by, "taken_by": m.taken_by,
                 "taken_at": m.taken_at, "ended_at": m.ended_at, "ended_by": m.ended_by, "ended_how": m.ended_how,
                 "days": ((m.ended_at or self.at) - m.taken_at).days}
                for m in found
            ]  # fmt: skip

    def freshness(self, freshness_days: Mapping[str, int]) -> list[dict[str, Any]]:
        """For each source that should deliver: the newest extraction, its age in days, whether it is stale.

        A source that never delivered has no date and is stale: silence is not health.
        """
        with self._audited("desk.freshness"):
            newest: dict[str, Receipt] = {}
            for receipt in self._own(Receipt.objects.using("vault")).order_by("pk"):
                kept = newest.get(receipt.source)
                if kept is None or _day(receipt) >= _day(kept):
                    newest[receipt.source] = receipt
        shown = [s for s in freshness_days if self.sources is None or s in self.sources]
        return [self._fresh(source, newest.get(source), freshness_days[source]) for source in shown]

    def _fresh(self, source: str, receipt: Receipt | None, days: int) -> dict[str, Any]:
        on = _day(receipt) if receipt else None
        age = (self.at.date() - on).days if on else None
        return {
            "source": source, "extracted_on": on.isoformat() if on else None, "age_days": age,
            "freshness_days": days, "is_fresh": age is not None and age <= days,
            "rows": receipt.rows_landed if receipt else 0,
        }  # fmt: skip

    def _own(self, found: QuerySet[Any]) -> QuerySet[Any]:
        return found if self.sources is None else found.filter(source__in=self.sources)

    def _audited(self, action: str, subject: str = "") -> Any:
        return audited(self.home, self.keyring, AuditEvent(self.by, self.role, action, subject), self.at)


def open_desk(home: Home, *, by: str, role: str, at: dt.datetime, sources: Collection[str] | None = None) -> Desk:
    """The door for somebody at a page, whose process has the vault's database open; arguments as for ``Desk``."""
    return Desk(home, Keyring.open(home.keys), by, role, at, sources)


def _day(receipt: Receipt) -> dt.date:
    return receipt.extracted_on or receipt.received_at.date()


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "receipt": receipt.pk, "source": receipt.source, "file": receipt.file_name, "sha256": receipt.sha256,
        "extracted_on": receipt.extracted_on.isoformat() if receipt.extracted_on else None,
        "received_at": receipt.received_at.isoformat(), "received_by": receipt.received_by, "medium": receipt.medium,
        "rows_read": receipt.rows_read, "rows_landed": receipt.rows_landed,
        "rows_quarantined": receipt.rows_quarantined, "rows_duplicate": receipt.rows_duplicate,
        "rows_corrected": receipt.rows_corrected,
    }  # fmt: skip

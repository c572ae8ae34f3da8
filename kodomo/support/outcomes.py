"""Decisions, contacts and outcomes go back to the store, without a name and without a word of free text (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.db import transaction

from kodomo.assessment import trail
from kodomo.assessment.models import Assessment, Disagreement
from kodomo.configuration import Home, Municipality
from kodomo.governance.audit import AuditEvent
from kodomo.store.database import TABLES, Store
from kodomo.support.models import Closure, Contact, Outcome

KIND = "outcomes"


def return_outcomes(*, home: Home, municipality: Municipality, by: str, at: dt.datetime) -> dict[str, Any]:
    """Write everything people decided and what came of it into the store as one folder ``outcomes/…``.

    Reads the casework database. Writes codes, dates and keys, all or nothing, and the audit row in the
    same transaction; never a free text, a name of a colleague or a case number, by which this side's
    rows could be found again. Each row says when it was written: learning for an earlier date must not
    know it. The same rows give the same folder, which is then left as it is.

    Raises:
        IntegrityFault: the store refuses a table.
    """
    with transaction.atomic():
        tables = {
            "decisions": _table("decisions", _decisions()),
            "disagreements": _table("disagreements", _disagreements()),
            "contacts": _table("contacts", _contacts()),
            "outcomes": _table("outcomes", _outcomes()),
            "closures": _table("closures", _closures()),
        }
        rows = {name: table.num_rows for name, table in tables.items()}
        store, current = Store(home.store), Store(home.store).current(KIND)
        is_new = current is None or any(
            not (current.holds(name) and current.read(name).equals(table)) for name, table in tables.items()
        )
        if is_new:
            trail.append(AuditEvent(by, "SYSTEM", "RETURN_OUTCOMES", detail=rows), at, home)
            name = at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
            current = store.write(KIND, name, tables, {"municipality": municipality.code, "at": at.isoformat()})
    return {"outcomes": current.snapshot_id if current else None, "is_new": is_new, "rows": rows}


def _table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    schema = TABLES[name].schema()
    ordered = sorted(rows, key=lambda row: (row["child_key"], row["known_from"], str(row)))
    return pa.Table.from_pylist([dict(row) for row in ordered], schema=schema)


def _decisions() -> Iterable[Mapping[str, Any]]:
    for row in Assessment.objects.select_related("case", "first_view"):
        yield {
            "child_key": row.case.child_key, "judgement": row.judgement_name, "revision": row.revision,
            "decision": row.decision, "reason_code": row.reason_code, "concern": row.first_view.concern,
            "agreement": row.agreement, "office": row.case.office, "known_from": _day(row.decided_at),
        }  # fmt: skip


def _disagreements() -> Iterable[Mapping[str, Any]]:
    for row in Disagreement.objects.select_related("case"):
        yield {"child_key": row.case.child_key, "judgement": row.judgement_name, "type": row.type,
               "opinion": row.opinion, "known_from": _day(row.written_at)}  # fmt: skip


def _contacts() -> Iterable[Mapping[str, Any]]:
    for row in Contact.objects.select_related("case"):
        yield {"child_key": row.case.child_key, "kind": row.kind, "result": row.result, "met_on": row.met_on,
               "known_from": _day(row.written_at)}  # fmt: skip


def _outcomes() -> Iterable[Mapping[str, Any]]:
    for row in Outcome.objects.select_related("goal__plan__case"):
        goal = row.goal
        yield {"child_key": goal.plan.case.child_key, "plan": goal.plan.revision, "goal": goal.number,
               "service": goal.service, "office": goal.office, "outcome": row.scale, "seen_on": row.seen_on,
               "known_from": _day(row.written_at)}  # fmt: skip


def _closures() -> Iterable[Mapping[str, Any]]:
    for row in Closure.objects.select_related("case"):
        yield {"child_key": row.case.child_key, "reason_code": row.reason_code, "closed_on": row.closed_on,
               "known_from": _day(row.written_at)}  # fmt: skip


def _day(at: dt.datetime) -> dt.date:
    return at.astimezone(settings.LOCAL_ZONE).date()

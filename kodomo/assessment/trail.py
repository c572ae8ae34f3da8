"""The casework side's own audit trail: acts and page views with their rows in one transaction (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from kodomo.assessment.keys import anchor_file, keys
from kodomo.configuration import Home
from kodomo.errors import IntegrityFault
from kodomo.governance import approvals, audit
from kodomo.governance.permissions import Action, Actor
from kodomo.vault.reveal import verify_vault


@contextmanager
def recorded(event: audit.AuditEvent, at: dt.datetime) -> Iterator[None]:
    """One transaction that holds an act (or a reading) and its audit row.

    When the row can't be written the act is undone and the caller gets the error, so that a page
    is not shown without its row.
    """
    home: Home = settings.HOME
    with transaction.atomic():
        yield
        append(event, at, home)


def record_first(event: audit.AuditEvent, at: dt.datetime) -> int:
    """Write the audit row of what is about to be shown, or done outside this database; returns its number.

    For a reading: to be called when everything is read and nothing is rendered. The transaction holds the row alone,
    so that on SQLite nobody's writing waits for somebody else's reading. When the row can't be written the caller
    gets the error, and shows and does nothing.
    """
    with transaction.atomic():
        return append(event, at, settings.HOME)


def append(event: audit.AuditEvent, at: dt.datetime, home: Home) -> int:
    """Write one audit row inside the open transaction, and its anchor once that is committed.

    Raises:
        IntegrityFault: the row can't be written. The transaction is lost with it.
    """
    anchor = anchor_file(home)
    try:
        with connection.cursor() as cursor:
            sequence, mac = audit.append(cursor, keys(home)["audit"], connection.vendor, event, at, anchor)
    except DatabaseError:
        raise IntegrityFault(
            "証跡を書けないので、表示も保存もしませんでした。",
            then="システム管理者に連絡してください。証跡が書けるようになるまで、個票は開けません。",
        ) from None
    transaction.on_commit(lambda: audit.write_anchor(anchor, sequence, mac))
    return sequence


def event_of(
    actor: Actor,
    action: Action | str,
    *,
    subject: str = "",
    purpose: str = "",
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> audit.AuditEvent:
    """An audit event in the words of the site."""
    return audit.AuditEvent(actor.username, actor.role.value, str(action), subject, purpose, reason, detail)


def verify_chains(home: Home) -> dict[str, audit.Verdict]:
    """Check the casework chain, the vault's and (where anything was approved yet) that of approvals, each from its first row."""
    with connection.cursor() as cursor:
        casework = audit.verify(cursor, keys(home)["audit"], anchor_file(home))
    governance = approvals.verify(home)
    return {
        "casework": casework,
        "vault": verify_vault(home),
        **({"governance": governance} if governance is not None else {}),
    }

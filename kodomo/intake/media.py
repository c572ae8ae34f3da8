"""The ledger of media (媒体管理簿): which medium came, by whose hand, when, and when it was wiped (identity side).

Every entry is written together with its audit row. A medium that carried extracts holds names in
clear until it is wiped or handed back; the ledger says which still do.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from kodomo.configuration import Home
from kodomo.errors import WrongUsage
from kodomo.governance.audit import AuditEvent
from kodomo.terms import Party
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

OVERDUE_DAYS = 7
"""A medium that lies unwiped for longer is pointed out."""

ENDINGS = {"wipe": "消去", "return": "返却", "destroy": "破壊"}


def take_medium(home: Home, *, label: str, office: str, brought_by: str, by: str, at: dt.datetime) -> dict[str, Any]:
    """Enter a medium that arrived.

    Raises:
        WrongUsage: a part is missing, or a medium of this label is here already.
    """
    if not (label.strip() and office.strip() and brought_by.strip()):
        raise WrongUsage(
            "媒体の名札、渡した部署、渡した人を書いてください。", where="--label --from --by",
            then="例: kodomo media take --label USB-03 --from 学校教育課 --by 主事",
        )  # fmt: skip
    keyring = open_vault(home)
    from kodomo.vault.models import Medium

    if Medium.objects.using("vault").filter(label=label, ended_at=None).exists():
        raise WrongUsage(
            "同じ名札の媒体が、まだ消去されずに手元にあります。", where=label, then="先に消去か返却を書いてください。"
        )
    entry = Medium(label=label, office=office, brought_by=brought_by, taken_by=by, taken_at=at)
    with audited(home, keyring, _event(by, "media.take", label, {"office": office, "brought_by": brought_by}), at):
        entry.save(using="vault", force_insert=True)
    return _told(entry, at)


def end_medium(home: Home, *, label: str, how: str, by: str, at: dt.datetime) -> dict[str, Any]:
    """Enter that a medium was wiped, handed back or destroyed.

    Raises:
        WrongUsage: no medium of this label is here, or ``how`` is none of ``ENDINGS``.
    """
    if how not in ENDINGS:
        raise WrongUsage("消し方が違います。", where=how, then=f"使えるのは {'、'.join(ENDINGS)} です。")
    keyring = open_vault(home)
    entry = _present(label)
    if entry is None:
        raise WrongUsage(
            "この名札の媒体は、手元にありません。", where=label, then="kodomo media list で確かめてください。"
        )
    entry.ended_at, entry.ended_by, entry.ended_how = at, by, how
    with audited(home, keyring, _event(by, f"media.{how}", label, {"taken_at": entry.taken_at.isoformat()}), at):
        entry.save(using="vault")
    return _told(entry, at)


def list_media(home: Home, *, by: str, at: dt.datetime) -> dict[str, Any]:
    """The whole ledger, newest first, with how many media are still here and for how long."""
    keyring = open_vault(home)
    from kodomo.vault.models import Medium

    with audited(home, keyring, _event(by, "media.list", "", {}), at):
        entries = [_told(entry, at) for entry in Medium.objects.using("vault").order_by("-pk")]
    here = [entry for entry in entries if entry["ended_at"] is None]
    return {"media": entries, "here": len(here), "overdue": [e["label"] for e in here if e["days"] > OVERDUE_DAYS]}


def carried(keyring: Keyring, label: str) -> None:
    """Note nothing, but refuse a carrier that the ledger doesn't know. Call with the vault open.

    Raises:
        WrongUsage: no medium of this label is here.
    """
    if _present(label) is None:
        raise WrongUsage(
            "この名札の媒体は、媒体管理簿にありません。", where=label,
            then="kodomo media take で、受け取った媒体を先に書いてください。",
        )  # fmt: skip


def _present(label: str) -> Any:
    from kodomo.vault.models import Medium

    return Medium.objects.using("vault").filter(label=label, ended_at=None).first()


def _event(by: str, action: str, label: str, detail: dict[str, str]) -> AuditEvent:
    return AuditEvent(by, str(Party.COORDINATOR), action, f"medium/{label}" if label else "", detail=detail)


def _told(entry: Any, at: dt.datetime) -> dict[str, Any]:
    return {
        "label": entry.label, "office": entry.office, "brought_by": entry.brought_by, "taken_by": entry.taken_by,
        "taken_at": entry.taken_at.isoformat(timespec="seconds"), "days": ((entry.ended_at or at) - entry.taken_at).days,
        "ended_at": entry.ended_at.isoformat(timespec="seconds") if entry.ended_at else None,
        "ended_by": entry.ended_by, "ended_how": ENDINGS.get(entry.ended_how, ""),
    }  # fmt: skip

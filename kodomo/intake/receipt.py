"""What was delivered, and how fresh each source is, for ``kodomo status`` (identity side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kodomo.configuration import Home, Municipality
from kodomo.intake.layout import read_layouts
from kodomo.terms import Party
from kodomo.vault.database import open_vault


def deliveries(*, home: Home, municipality: Municipality, by: str, at: dt.datetime) -> list[dict[str, Any]]:
    """One entry for each source the municipality declares: its newest delivery, its age, how many files.

    Sources that never delivered are there too. Leaves an audit row; shows no rows and no names.
    """
    keyring = open_vault(home)
    from kodomo.vault.desk import Desk  # its models exist only once the vault is open

    layouts = read_layouts(municipality.folder)
    desk = Desk(home, keyring, by, str(Party.COORDINATOR), at)
    files: dict[str, list[dict[str, Any]]] = {}
    for receipt in desk.receipts():
        files.setdefault(receipt["source"], []).append(receipt)
    fresh = desk.freshness({source: layout.freshness_days for source, layout in layouts.items()})
    return [_entry(entry, layouts[entry["source"]].caption, files.get(entry["source"], [])) for entry in fresh]


def _entry(fresh: dict[str, Any], caption: str, receipts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "source": fresh["source"],
        "caption": caption,
        "files": len(receipts),
        "rows": sum(r["rows_landed"] for r in receipts),
        "rows_quarantined": sum(r["rows_quarantined"] for r in receipts),
        "extracted_on": fresh["extracted_on"],
        "age_days": fresh["age_days"],
        "is_fresh": fresh["is_fresh"],
        "received_at": receipts[0]["received_at"] if receipts else None,
    }

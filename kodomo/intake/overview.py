"""What has been delivered and how fresh each source is, for `kodomo status` (identity side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kodomo.configuration import Home, Municipality
from kodomo.intake.layout import read_layouts
from kodomo.vault.database import open_vault


def delivery_overview(
    *, home: Home, municipality: Municipality, by: str, at: dt.datetime
) -> dict[str, list[dict[str, Any]]]:
    """Receipts (newest first), refused files, and the freshness of every source that should deliver.

    Shows counts, dates and codes only. The look itself is audited in the vault.
    """
    keyring = open_vault(home)
    from kodomo.vault.desk import Desk  # its models need the opened vault

    desk = Desk(home, keyring, by, "OPERATOR", at)
    layouts = read_layouts(municipality.folder)
    return {
        "deliveries": desk.receipts(),
        "refusals": desk.refusals(),
        "freshness": desk.freshness({source: layout.freshness_days for source, layout in layouts.items()}),
    }

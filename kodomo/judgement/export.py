"""Writes judgements as one CSV for those who check them from outside (analysis side)."""

from __future__ import annotations

import csv
import datetime as dt
import time
from pathlib import Path

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.store.database import Snapshot, Store
from kodomo.terms import difficulty_label

COLUMNS = ("person_key", "type", "method", "score", "level", "score_low", "score_high", "level_low", "level_high")


def judgements_as_of(home: Home, as_of: dt.date) -> Snapshot:
    """The newest judgements of a date. Raises NotReady when that date was not judged."""
    store = Store(home.store)
    for name in reversed(store.names("judgements")):
        found = store.open("judgements", name)
        if found.manifest["as_of"] == as_of.isoformat():
            return found
    raise NotReady(f"{as_of.isoformat()} の判定がありません。", then="先に kodomo judge を実行してください。")


def export_judgements(out: Path, *, home: Home, municipality: Municipality, as_of: dt.date) -> dict[str, object]:
    """Write ``COLUMNS`` of the newest judgements of a date; types by Japanese name, ranges of the combination alone.

    Reads the store alone. Holds pseudonymous keys and no reason, date or name.

    Raises:
        NotReady: the date was not judged.
    """
    started = time.monotonic()
    judgements = judgements_as_of(home, as_of)
    table = judgements.read("judgements").sort_by(
        [("child_key", "ascending"), ("type", "ascending"), ("method", "ascending")]
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        for batch in table.to_batches():
            columns = [batch.column(name).to_pylist() for name in ("child_key", *COLUMNS[1:])]
            for key, kind, method, *rest in zip(*columns, strict=True):
                writer.writerow((key, difficulty_label(kind), method, *map(_cell, rest)))
    return {
        "out": str(out),
        "rows": table.num_rows,
        "judgements": judgements.snapshot_id,
        "as_of": as_of.isoformat(),
        "seconds": round(time.monotonic() - started, 2),
    }


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if isinstance(value, float) else value

"""名寄せの訂正 on the child's page: what was thought to be this child's when it was judged, and is no longer (casework side).

A judgement, a first view and a decision rest on the records that were the child's then. When linkage
joins or parts persons later, whoever reads the case must know before they read anything else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from kodomo.assessment.models import Case
from kodomo.configuration import Home
from kodomo.store.database import Snapshot, Store
from kodomo.tables.lookup import rows_with

WORDS = {
    ("MERGE", True): "別の番号で扱っていた記録を、このこどもの記録に加えました",
    ("MERGE", False): "このこどもの番号を、同じ人と分かった別の番号にまとめました",
    ("SPLIT", True): "別のこどもの記録に混じっていたものを分けて、この番号をつくりました",
    ("SPLIT", False): "このこどもの記録の一部を、別の人のものとして分けました",
    ("MOVED", True): "別の人のものとしていた記録を、このこどもの記録に加えました",
    ("MOVED", False): "このこどものものとしていた記録を、外しました",
    ("UNDONE", True): "前の名寄せの変更を取り消し、記録をこのこどもに戻しました",
    ("UNDONE", False): "前の名寄せの変更を取り消し、記録をこのこどもから外しました",
}


@dataclass(frozen=True)
class PersonChange:
    """One change of whose records these are, in words."""

    words: str
    changed_on: dt.date
    records: int
    facts: int
    is_after_judgement: bool
    is_alias: bool
    other_case: str
    """The number of the case about the other key, where the same office has one; else empty."""


def person_changes(case: Case, *, home: Home) -> tuple[PersonChange, ...]:
    """What linkage changed about a case's child since the judgement on the page or since the case came in, newest first."""
    store = Store(home.store)
    newest = store.current("snapshots")
    if newest is None or not newest.holds("person_changes"):
        return ()
    rows = rows_with(newest.file("person_changes"), "person_key", [case.child_key])
    judged_run = _link_run(store.open("snapshots", case.snapshot_name))
    others = _cases_of({row["other_key"] for row in rows if row["other_key"]}, case.office)
    found = [
        PersonChange(
            words=WORDS[row["kind"], row["came"]], changed_on=row["changed_on"], records=row["records"], facts=row["facts"],
            is_after_judgement=judged_run is None or row["link_run"] > judged_run, is_alias=row["is_alias"],
            other_case=others.get(row["other_key"], ""),
        )
        for row in sorted(rows, key=lambda row: -row["link_run"])
        if judged_run is None or row["link_run"] > judged_run or row["changed_on"] >= case.arrived_at.date()
    ]  # fmt: skip
    return tuple(found)


def _link_run(snapshot: Snapshot) -> int | None:
    found: Any = snapshot.manifest.get("link_run")
    return int(found) if found is not None else None


def _cases_of(keys: set[str], office: str) -> dict[str, str]:
    return dict(Case.objects.filter(child_key__in=keys, office=office).values_list("child_key", "case_number"))

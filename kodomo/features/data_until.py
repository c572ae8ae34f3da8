"""Until when the store's data reach, beside the date somebody asks of (analysis side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.errors import NotReady
from kodomo.store.database import Snapshot

A_MONTH = 31
"""Extracts come monthly: a date so much later than the last of them is told of."""
NAMED = 8
"""So many sources are named in one sentence, the others counted."""


@dataclass(frozen=True)
class Delivered:
    """One source: when what came last was extracted, and for how many days that counts as new."""

    caption: str
    newest: dt.date | None
    freshness_days: int

    def is_old(self, as_of: dt.date) -> bool:
        """Whether its newest extract is past its limit on a date; one nobody knows the date of is not."""
        return self.newest is not None and (as_of - self.newest).days > self.freshness_days


def newest_delivery(source: Mapping[str, Any], as_of: dt.date | None = None) -> dt.date | None:
    """The last extract of a line of ``sources``, until a date where one is given: what came after it makes nothing fresh."""
    days = source["deliveries"] or ([source["extracted_on"]] if source["extracted_on"] else [])
    return max((day for day in days if as_of is None or day <= as_of), default=None)


def later_deliveries(snapshot: Snapshot, as_of: dt.date) -> str:
    """Names of the sources with a delivery that a date does not know yet, the first of each aside (it is history)."""
    sources = snapshot.read("sources").to_pylist()
    return "、".join(s["caption"] for s in sources if any(day > as_of for day in (s["deliveries"] or [])[1:]))


def check_reached(snapshot: Snapshot, as_of: dt.date) -> str:
    """Refuse a date on which no source is new any more, and say which are not: a judgement there rests on nothing.

    Returns:
        A sentence for staff: sources past their limit on the date, and data that end long before it; empty where
        neither is so.

    Raises:
        NotReady: every source is past its limit.
    """
    delivered = _delivered(snapshot)
    last = _last(delivered)
    if last is None:
        return ""
    old = [one for one in delivered if one.is_old(as_of)]
    if len(old) == len(delivered):
        raise _beyond(f"基準日 {as_of} の時点で新しいといえるデータが、一つの出所にもありません。", delivered, last)
    said = ""
    if (as_of - last).days > A_MONTH:
        said = f"基準日 {as_of} は、最後の抽出日 {last} より {(as_of - last).days} 日あとです。その間に起きたことは、だれについても入っていません。"
    if old:
        said += f"基準日に期限を過ぎている出所(最後の抽出日): {_listed([f'{o.caption}({o.newest})' for o in old])}"
    return said


def check_followed(snapshot: Snapshot, as_of: dt.date) -> str:
    """``check_reached`` for a date until which registrations are counted: months without data would count as months
    in which nobody was registered.

    Raises:
        NotReady: the date lies more than a month after everything that came in.
    """
    said = check_reached(snapshot, as_of)
    delivered = _delivered(snapshot)
    last = _last(delivered)
    if last is not None and (as_of - last).days > A_MONTH:
        what = f"基準日 {as_of} までの登録を数えられません。最後の抽出日より {(as_of - last).days} 日あとで、その間の登録が入っていません。"
        raise _beyond(what, delivered, last)
    return said


def _beyond(what: str, delivered: list[Delivered], last: dt.date) -> NotReady:
    names = _listed([one.caption for one in delivered if one.newest == last])
    return NotReady(
        what,
        where=f"こどもデータベースの最後の抽出日は {last}({names})",
        then=f"基準日を {last} までにするか、新しい抽出データを受け取って、名寄せと公表をしてください。",
    )


def _last(delivered: list[Delivered]) -> dt.date | None:
    return max((one.newest for one in delivered if one.newest), default=None)


def _listed(names: list[str]) -> str:
    return "、".join(names[:NAMED]) + (f" ほか {len(names) - NAMED}" if len(names) > NAMED else "")


def _delivered(snapshot: Snapshot) -> list[Delivered]:
    """Every source that says anything; where no file name told a date, by when its newest fact was known."""
    facts = snapshot.read("facts", ("source", "known_from"))
    known = facts.group_by("source").aggregate([("known_from", "max")])
    told = dict(zip(known["source"].to_pylist(), known["known_from_max"].to_pylist(), strict=True))
    lines = snapshot.read("sources").to_pylist()
    return [
        Delivered(line["caption"], newest_delivery(line) or told.get(line["source"]), line["freshness_days"])
        for line in lines
        if newest_delivery(line) or line["source"] in told
    ]

"""支援措置(DV等): whether a family is under protection today, by every source there is (casework side).

The union counts: what the case was told, what the newest snapshot says of the child and whoever lives with it,
and what the vault holds. Where one of them does not know the child, or the register that carries the flag was
not delivered lately, nobody can say that there is no protection.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

from kodomo.assessment.lawful import Lawful, lawful_at
from kodomo.assessment.models import Case
from kodomo.governance.permissions import Actor
from kodomo.governance.register import Register
from kodomo.store.database import Snapshot, Store
from kodomo.support.words import Protection
from kodomo.tables.engine import reading
from kodomo.vault.reveal import is_address_protected

ITEM = "address_protection"
"""The core item every municipality's register names so; its sources are who must have delivered lately."""


def protection_of(case: Case, *, by: Actor, at: dt.datetime) -> Protection:
    """What holds for the child's family now. Asking leaves a row in the vault's audit trail."""
    told = is_address_protected(
        case.child_key, home=settings.HOME, by=by.username, role=by.role.value, case_number=case.case_number, at=at
    )
    snapshot = Store(settings.HOME.store).current("snapshots")
    stored = None if snapshot is None else _in_store(snapshot, case.child_key)
    if told or stored or case.is_address_protected:
        return Protection.PROTECTED
    is_unknown = told is None or stored is None or why_unknown(lawful_at(at))
    return Protection.UNKNOWN if is_unknown else Protection.NONE


def _in_store(snapshot: Snapshot, child_key: str) -> bool | None:
    """Whether the child or anybody who lives with it is under protection; None where the child is not known."""
    files = {
        "spells": str(snapshot.file("household_spells")),
        "persons": str(snapshot.file("persons")),
        "child": child_key,
    }
    query = f"""
        WITH now AS (SELECT person_key, household_key FROM read_parquet($spells)
                     WHERE valid_to IS NULL AND {snapshot.standing("household_spells")})
        SELECT bool_or(is_address_protected), bool_or(person_key = $child) FROM read_parquet($persons)
        WHERE person_key = $child OR person_key IN (
            SELECT person_key FROM now WHERE household_key IN (SELECT household_key FROM now WHERE person_key = $child))
    """
    with reading() as engine:
        is_protected, is_known = engine.execute(query, files).fetchall()[0]
    return bool(is_protected) if is_known else None


def why_unknown(lawful: Lawful) -> str:
    """Why nobody's protection can be ruled out today, as a sentence for staff; empty where single families can be.

    The sources that the municipality's register names for the flag must all have delivered, and lately.
    """
    item = lawful.register.items.get(ITEM)
    wanted = set(item.sources) if item else set()
    if not wanted:
        return "支援措置を知らせる出所が登録簿にないため、どの家庭も有無を確かめられません。"
    snapshot = Store(settings.HOME.store).current("snapshots")
    rows = [] if snapshot is None else snapshot.read("sources").to_pylist()
    fresh = {row["source"] for row in rows if _is_fresh(row, lawful.today)}
    late = "・".join(sorted(_captions(rows, wanted - fresh)))
    return (
        f"支援措置を知らせる出所のうち、新しい分が届いていないもの({late})があるため、どの家庭も有無を確かめられません。"
        if late
        else ""
    )


def _is_fresh(source: Mapping[str, Any], today: dt.date) -> bool:
    on = source["extracted_on"]
    return on is not None and (today - on).days <= source["freshness_days"]


def _captions(rows: Iterable[Mapping[str, Any]], sources: Iterable[str]) -> set[str]:
    captions = {row["source"]: row["caption"] for row in rows}
    return {captions.get(source, source) for source in sources}


# Words that locate ------------------------------------------------------------------------------

_PLACES = re.compile(
    r"〒|\d{3}-\d{4}|\d+-\d+|[\d一二三四五六七八九十]+(丁目|番地|番\d|号室|号棟|号線)"
    r"|(校|学)区|町内|自治会|団地|マンション|アパート|駅|バス停|電停|交差点|緯度|経度|地図|https?:|www\.|@"
)
"""Addresses, telephone numbers, places one can wait at. Dates are written with 月 and 日, so a hyphen is none."""

_HYPHENS = re.compile("[‐‑‒–—−ー－]")


def locates(text: str, register: Register) -> bool:
    """Whether a text says where somebody is: an address, a telephone number, a place, or a school's or area's name.

    Strict on purpose: a word too many is rewritten in a minute, a leak is not taken back.
    """
    plain = unicodedata.normalize("NFKC", text)
    snapshot = Store(settings.HOME.store).current("snapshots")
    names = _names(str(snapshot.file("facts")), tuple(sorted(register.with_role("locating")))) if snapshot else ()
    return bool(_PLACES.search(_HYPHENS.sub("-", plain))) or any(name in plain for name in (*names, *_own_names()))


def _own_names() -> Collection[str]:
    city = settings.MUNICIPALITY
    towns = (town for towns in city.areas.values() for town in towns)
    return {city.name, city.prefecture, *city.areas, *towns} - {""}


@lru_cache(maxsize=2)
def _names(facts: str, items: tuple[str, ...]) -> tuple[str, ...]:
    """Every school and place a snapshot knows, whole and as people shorten them. Read once for a snapshot."""
    query = "SELECT DISTINCT code FROM read_parquet(?) WHERE code IS NOT NULL AND item IN (SELECT unnest(?::VARCHAR[]))"
    with reading() as engine:
        found = [
            unicodedata.normalize("NFKC", row[0]) for row in engine.execute(query, [facts, list(items)]).fetchall()
        ]
    return tuple(sorted(name for whole in found for name in {whole, _shortened(whole)} if len(name) >= 2))


def _shortened(name: str) -> str:
    """ひなた東小学校 → 東小: without the city, and without 学校."""
    city = re.escape(settings.MUNICIPALITY.name[:-1])
    return re.sub(r"(小|中)学校$", r"\1", re.sub(rf"^{city}[市町村]?立?", "", name))

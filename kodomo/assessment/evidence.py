"""What the store knows about one child, as the child's page shows it (casework side).

Reads the snapshot and the judgement a case is pinned to, filtered by key; an item is shown only if the
register holds a basis for アセスメント on the day of reading. Names are never here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.assessment.lawful import Lawful
from kodomo.assessment.models import Case
from kodomo.assessment.protected import protected_now
from kodomo.assessment.timeline import Fact, PersonRecord, by_person
from kodomo.configuration import Home, Municipality
from kodomo.governance.register import Basis
from kodomo.store.database import Snapshot, Store
from kodomo.tables.lookup import all_rows, rows_with
from kodomo.terms import OVERALL, DifficultyType, Method, Purpose


@dataclass(frozen=True)
class Member:
    """One person of the household: role and age band, nothing that names or locates."""

    role: str
    age: str
    sex: str
    is_the_child: bool
    is_child: bool


@dataclass(frozen=True)
class CoverageRow:
    """How well one source knows the child."""

    caption: str
    holder: str
    state: str
    state_label: str
    latest_on: dt.date | None
    extracted_on: dt.date | None


@dataclass(frozen=True)
class Coverage:
    """そろい具合: what is known, what is old and what is missing."""

    rows: tuple[CoverageRow, ...]

    def count(self, *states: str) -> int:
        """How many sources are in one of the states."""
        return sum(row.state in states for row in self.rows)

    @property
    def expected(self) -> int:
        """Sources that ought to know a child of this age."""
        return self.count("FRESH", "STALE", "MISSING")

    @property
    def fresh(self) -> int:
        """Sources that know the child and are up to date."""
        return self.count("FRESH")

    @property
    def missing(self) -> tuple[CoverageRow, ...]:
        """Sources that ought to know the child and don't, or are old."""
        return tuple(row for row in self.rows if row.state in ("MISSING", "STALE"))


@dataclass(frozen=True)
class Reason:
    """One reason of a judgement."""

    type: str
    direction: str
    sentence: str
    source: str
    fact_on: dt.date | None


@dataclass(frozen=True)
class Views:
    """How each method sees a type: its name and place in words; and whether they are so far apart that a person must look."""

    places: tuple[tuple[str, str], ...]
    is_disputed: bool


@dataclass(frozen=True)
class Evidence:
    """Everything the child's page shows from the store."""

    records: tuple[PersonRecord, ...]
    members: tuple[Member, ...]
    coverage: Coverage
    reasons: Mapping[str, tuple[Reason, ...]]
    views: Mapping[str, Views]
    withheld: tuple[str, ...]
    """Captions of items that are there but have no valid basis today, or would locate a protected family."""
    by_points: Mapping[str, str]
    """Types judged by the staff's points alone, and why, in words."""
    versions: str
    """Which versions of criteria and thresholds the judgement was made with, in words; empty for an old judgement."""
    is_address_protected: bool
    """Whether the family was protected at the judgement, or is by the newest snapshot: protection does not wait for one."""


def evidence_for(case: Case, *, home: Home, municipality: Municipality, lawful: Lawful) -> Evidence:
    """Read what the child's page shows on the day that ``lawful`` speaks of.

    Raises:
        NotReady: the pinned snapshot or judgement is gone.
    """
    store = Store(home.store)
    snapshot, judgement = store.open("snapshots", case.snapshot_name), store.open("judgements", case.judgement_name)
    people = _household(case, snapshot, is_kin_told=lawful.may_show(["relationship"]))
    rows = _facts([p["person_key"] for p in people], snapshot)
    sources = {row["source"]: row for row in all_rows(snapshot.file("sources"))}
    coverage = sorted(
        rows_with(judgement.file("coverage"), "child_key", [case.child_key]), key=lambda row: row["source"]
    )
    reasons = _reasons(case, judgement)
    is_protected = case.is_address_protected or case.child_key in protected_now(home)
    roles = {p["person_key"]: p["role"] for p in people}
    reader = _Reader(case, lawful, municipality, sources, roles, is_protected=is_protected)
    facts, withheld = reader.shown(rows)
    return Evidence(
        records=by_person(facts, [person["role"] for person in people]),
        members=tuple(reader.member(person) for person in people),
        coverage=Coverage(tuple(reader.coverage(row) for row in coverage)),
        reasons=_by_type(reader.reason(row) for row in reasons if lawful.may_tell_reason(row)),
        views=_views(rows_with(judgement.file("judgements"), "child_key", [case.child_key])),
        withheld=withheld,
        by_points=_by_points(judgement.manifest),
        versions=_versions(judgement.manifest),
        is_address_protected=is_protected,
    )


HIGHEST = ((0.99, "100 人に 1 人の上位"), (0.9, "10 人に 1 人の上位"))
"""Places in words, from so high up: a figure would be read as a probability, and one far down as "fine"."""


def _views(rows: Iterable[Mapping[str, Any]]) -> dict[str, Views]:
    """Each type's methods in their order; none in a judgement of before places were kept."""
    by_type: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        if row.get("standing") is not None:
            by_type[row["type"]][row["method"]] = row
    return {
        kind: Views(
            tuple((m.label, _place_words(own[m]["standing"])) for m in Method if m in own and m is not Method.COMBINED),
            bool(own.get(Method.COMBINED, {}).get("is_disputed")),
        )
        for kind, own in by_type.items()
    }


def _place_words(standing: float) -> str:
    return next((words for least, words in HIGHEST if standing >= least), "上位に入らない")


def _by_points(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Why a type is judged by the points: nothing could be learned, or what was learned doesn't beat them."""
    said = {}
    for kind, learned in manifest.get("learned", {}).get("types", {}).items():
        if learned.get("staff_score_stands"):
            said[kind] = "学習した推定が職員の点数表を上回ると確かめられていないため、点数表で判定しています。"
        elif learned.get("model") is None and learned.get("why_not"):
            said[kind] = f"学習した推定を使わず、職員の点数表で判定しています({learned['why_not']})。"
    return said


def _versions(manifest: Mapping[str, Any]) -> str:
    criteria, thresholds = manifest.get("criteria", {}), manifest.get("thresholds", {})
    if not criteria.get("sha256"):
        return ""
    note = f"({criteria['note']})" if criteria.get("note") else ""
    found = f"判定基準 {criteria.get('version', '')}{note} 版 {criteria['sha256'][:12]}"
    return found + (f"、しきい値 版 {thresholds['sha256'][:12]}" if thresholds.get("sha256") else "")


_PREFERENCE = {Method.COMBINED: 0, Method.SCENARIO: 1}


def _reasons(case: Case, judgement: Snapshot) -> list[dict[str, Any]]:
    """For each type the reasons of the method that was decided by, in their order."""
    rows = rows_with(judgement.file("reasons"), "child_key", [case.child_key])
    preferred: dict[str, int] = {}
    for row in rows:
        place = _PREFERENCE.get(row["method"], 2)
        preferred[row["type"]] = min(place, preferred.get(row["type"], place))
    told = [row for row in rows if _PREFERENCE.get(row["method"], 2) == preferred[row["type"]]]
    return sorted(told, key=lambda row: (row["type"], row["position"]))


def _household(case: Case, snapshot: Snapshot, *, is_kin_told: bool) -> list[dict[str, Any]]:
    """The people living with the child on the judgement's day by what stands now, the child first.

    Relatives who live elsewhere are left out on purpose: a separated parent's data are not for this page.
    Where 続柄 may not be told, everybody but the child is 同居の人.
    """
    spells, day = snapshot.file("household_spells"), case.judged_as_of
    homes = {row["household_key"] for row in _now(rows_with(spells, "person_key", [case.child_key]), day)}
    living = {row["person_key"] for row in _now(rows_with(spells, "household_key", homes), day)}
    found = rows_with(snapshot.file("persons"), "person_key", {case.child_key, *living})
    ranks = _kin(case, snapshot)
    for person in found:
        person["is_the_child"] = person["person_key"] == case.child_key
        person["role"] = (
            "本人" if person["is_the_child"] else _ROLES.get(ranks.get(person["person_key"], 0), "同居の人")
        )
    found.sort(key=lambda one: (not one["is_the_child"], ranks.get(one["person_key"], len(_ROLES) + 1),
                                one["born_month"] or dt.date.max, one["person_key"]))  # fmt: skip
    for person in found:
        if not (is_kin_told or person["is_the_child"]):
            person["role"] = "同居の人"
    return _numbered(found)


def _now(spells: Iterable[Mapping[str, Any]], day: dt.date) -> Iterator[Mapping[str, Any]]:
    """The spells in which somebody lives on a day, of those nobody has told otherwise."""
    for row in spells:
        if row["valid_from"] <= day and (row["valid_to"] is None or row["valid_to"] > day) and _stands(row):
            yield row


def _stands(row: Mapping[str, Any]) -> bool:
    """Whether nobody has told otherwise since; a store of before corrections were kept says nothing."""
    return row.get("known_to") is None


_KINDS = ("MOTHER", "FATHER", "SIBLING")
_ROLES = {1: "母", 2: "父", 3: "きょうだい", 4: "保護者"}


def _kin(case: Case, snapshot: Snapshot) -> dict[str, int]:
    """The child's relatives by rank, mother, father, sibling, another guardian; the nearest where one is two of them."""
    ranks: dict[str, int] = {}
    for row in rows_with(snapshot.file("kinships"), "child_key", [case.child_key]):
        if row["valid_to"] is None and _stands(row):
            rank = _KINDS.index(row["kind"]) + 1 if row["kind"] in _KINDS else len(_ROLES)
            ranks[row["relative_key"]] = min(rank, ranks.get(row["relative_key"], rank))
    return ranks


def _numbered(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two siblings are きょうだい1 and きょうだい2: what one did must not be read as the other's."""
    times = Counter(person["role"] for person in people)
    seen: Counter[str] = Counter()
    for person in people:
        role = person["role"]
        if times[role] > 1:
            seen[role] += 1
            person["role"] = f"{role}{seen[role]}"
    return people


def _facts(person_keys: Collection[str], snapshot: Snapshot) -> list[dict[str, Any]]:
    """What stands now, the newest first; a statement that was corrected since is nobody's fact."""
    rows = [row for row in rows_with(snapshot.file("facts"), "person_key", person_keys) if _stands(row)]
    rows.sort(key=lambda row: (row["item"], row["source"], row["known_from"],
                               row["code"] is None, row["code"] or "", row["number"] is None, row["number"] or 0))  # fmt: skip
    rows.sort(key=lambda row: row["valid_from"], reverse=True)
    return rows


class _Reader:
    """Turns stored rows into what the page shows, under the register."""

    def __init__(
        self,
        case: Case,
        lawful: Lawful,
        municipality: Municipality,
        sources: Mapping[str, Mapping[str, Any]],
        roles: Mapping[str, str],
        *,
        is_protected: bool,
    ) -> None:
        self.case, self.lawful, self.sources, self.roles = case, lawful, sources, roles
        self.is_protected = is_protected
        self.register, self.today = lawful.register, lawful.today
        self.offices = {office.code: office.name for office in municipality.offices}
        self.locating, self.presence = self.register.with_role("locating"), self.register.with_role("presence")

    def shown(self, rows: Iterable[Mapping[str, Any]]) -> tuple[list[Fact], tuple[str, ...]]:
        shown, withheld = [], set()
        rows = list(rows)
        grounds = {
            item: self.register.basis_for(item, Purpose.ASSESS, self.today) for item in {r["item"] for r in rows}
        }
        for row in rows:
            basis, caption = grounds[row["item"]], self.register.caption(row["item"])
            if basis is None:
                withheld.add(
                    f"{caption}(いまは根拠がない)" if row["item"] in self.register.items else "登録簿にない項目"
                )
            elif self.is_protected and row["item"] in self.locating:
                withheld.add(f"{caption}(支援措置)")
            else:
                shown.append(self._fact(row, caption, basis))
        return shown, tuple(sorted(withheld))

    def _fact(self, row: Mapping[str, Any], caption: str, basis: Basis) -> Fact:
        return Fact(
            whose=self.roles.get(row["person_key"], "同居の人"),
            item=row["item"],
            caption=caption,
            number=row["number"],
            code=row["code"],
            valid_from=row["valid_from"],
            valid_to=row["valid_to"],
            known_from=row["known_from"],
            source=self.source_caption(row["source"]),
            holder=self.holder(row["source"]),
            basis=basis,
            is_presence=row["item"] in self.presence,
            is_after_judgement=row["known_from"] > self.case.judged_as_of,
        )

    def member(self, person: Mapping[str, Any]) -> Member:
        """One person of the household, as far as 生年月日 and 性別 may be shown today."""
        born = person["born_month"] if self.lawful.may_show(["birth_date"]) else None
        sex = person["sex"] if self.lawful.may_show(["sex"]) else None
        written = {"M": "男", "F": "女"}.get(sex or "", "—")
        return Member(
            person["role"],
            age_words(born, self.case.judged_as_of, is_child=person["is_child"]),
            written,
            person["is_the_child"],
            person["is_child"],
        )

    def source_caption(self, source: str | None) -> str:
        known = self.sources.get(source or "")
        return str(known["caption"]) if known else "出所不明"

    def holder(self, source: str) -> str:
        known = self.sources.get(source)
        code = str(known["holder"]) if known else ""
        return self.offices.get(code, code)

    def coverage(self, row: Mapping[str, Any]) -> CoverageRow:
        if row["known"]:
            state = ("FRESH", "新しい") if row["is_fresh"] else ("STALE", "古い")
        else:
            state = ("MISSING", "載っていない") if row["expected"] else ("OUTSIDE", "対象外の年齢")
        extracted = self.sources.get(row["source"], {}).get("extracted_on")
        caption, holder = self.source_caption(row["source"]), self.holder(row["source"])
        return CoverageRow(caption, holder, *state, row["latest_on"], extracted)

    def reason(self, row: Mapping[str, Any]) -> Reason:
        source = self.source_caption(row["source"]) if row["source"] else ""
        return Reason(row["type"], row["direction"], row["sentence"], source, row["fact_on"])


def age_words(born_month: dt.date | None, on: dt.date, *, is_child: bool = False) -> str:
    """Age as broadly as the work allows: years for children, decades for adults, 65 and over together.

    Whom the store counts as a child has years at 18 too: pupils are judged until their last school year ends.
    """
    if born_month is None:
        return "年齢不明"
    years = on.year - born_month.year - (on.month < born_month.month)
    if years < 18 or is_child:
        return f"{years}歳"
    return "65歳以上" if years >= 65 else f"{years // 10 * 10}代"


def _by_type(reasons: Iterable[Reason]) -> dict[str, tuple[Reason, ...]]:
    grouped: dict[str, list[Reason]] = defaultdict(list)
    for reason in reasons:
        grouped[reason.type].append(reason)
    order = [OVERALL, *DifficultyType]
    return {code: tuple(grouped[code]) for code in order if code in grouped}

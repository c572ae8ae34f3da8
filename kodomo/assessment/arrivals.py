"""Judged children arrive from the store as cases (casework side).

The judgement is only read. Who is on the shortlist follows its levels; which office's queue a case
joins follows ``offices.toml``. Children of the audit draw (監査抽出) arrive like the others, with the type to look at
first and without a level or a reason: who reviews them does not know that nothing raised them.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db import transaction

from kodomo.assessment import trail
from kodomo.assessment.case_numbers import new_case_number
from kodomo.assessment.grounds import current_grounds
from kodomo.assessment.lawful import current_register
from kodomo.assessment.models import Arrival, Case, CaseLevel
from kodomo.assessment.states import ENDED_STATES, CaseState
from kodomo.configuration import Home, Municipality, responsible_office
from kodomo.errors import IntegrityFault, NotReady
from kodomo.governance import audit
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.criteria_versions import judged_with
from kodomo.store.database import Snapshot, Store
from kodomo.tables.engine import connect
from kodomo.terms import OVERALL, Level, Method

SHORTLIST_LEVELS = (Level.HIGH, Level.MIDDLE)
"""Levels that bring a child onto the shortlist; an escalation and thin data do so too."""

_HEIGHT = {Level.INSUFFICIENT: 0, Level.LOW: 0, Level.WITHHELD: 0, Level.MIDDLE: 1, Level.HIGH: 2}


@dataclass(frozen=True)
class Judged:
    """One child as the judgement left it: who it is in broad terms, and a level for each type."""

    subject: Mapping[str, Any]
    levels: tuple[Mapping[str, Any], ...]
    is_address_protected: bool = True
    is_drawn: bool = False
    is_met: bool = True

    @property
    def is_insufficient(self) -> bool:
        """情報不足: the overall view could not be judged. Not the same as low."""
        return any(entry["type"] == OVERALL and entry["level"] == Level.INSUFFICIENT for entry in self.levels)

    @property
    def has_escalation(self) -> bool:
        """Some fact must be looked at whatever the score."""
        return any(entry["escalation"] for entry in self.levels)

    @property
    def is_raised(self) -> bool:
        """Any level reaches the shortlist, a fact must be seen, or too little is known."""
        reaches = any(entry["level"] in SHORTLIST_LEVELS for entry in self.levels)
        return reaches or self.has_escalation or self.is_insufficient

    @property
    def is_shortlisted(self) -> bool:
        """A child is on the shortlist if the judgement raised it, or it was drawn."""
        return self.is_raised or self.is_drawn

    @property
    def is_plainly_high(self) -> bool:
        """A level is high, or a fact must be seen: nothing of that is ever held back."""
        return self.has_escalation or any(entry["level"] == Level.HIGH for entry in self.levels)

    @property
    def may_be_held_back(self) -> bool:
        """Whether a raised child looks like a drawn one once its levels are held back."""
        known = self.subject["is_known_to_support"] or self.subject["is_council_registered"]
        return self.is_raised and not (self.is_plainly_high or self.is_insufficient or known)

    def veiled(self) -> Judged:
        """The same child with the type it stands highest in and 総合, both without a level or range: what a draw shows."""
        placed = [entry for entry in self.levels if entry["type"] != OVERALL and entry["standing"] is not None]
        first = min(placed, key=lambda entry: (entry["standing"], entry["type"]), default=None)
        shown = [entry for entry in self.levels if entry is first or entry["type"] == OVERALL]
        nothing = {"level": Level.WITHHELD.value, "level_low": None, "level_high": None, "place": None}
        return replace(self, levels=tuple({**entry, **nothing} for entry in shown))


def receive_arrivals(
    *,
    home: Home,
    municipality: Municipality,
    by: str,
    at: dt.datetime,
    numbers: random.Random | None = None,
    judgement_name: str | None = None,
) -> dict[str, Any]:
    """Open a case for every child on a judgement's shortlist, and bring known cases up to date.

    Reads the named judgement in the store, the current one where none is named. Writes cases, their levels and one audit row in one
    transaction. A judgement comes in once: a second call changes nothing. Never closes a case
    and never touches what people wrote.

    Args:
        by: who or what received it; stands in the audit row.
        numbers: where case numbers are drawn from; the operating system's source when not given.

    Raises:
        NotReady: nothing was judged yet.
        ConfigurationFault: no office is responsible for an age band.
    """
    store = Store(home.store)
    judgement = store.open("judgements", judgement_name) if judgement_name else store.current("judgements")
    if judgement is None:
        raise NotReady("まだ判定がありません。", then="kodomo judge を先に実行してください。")
    with transaction.atomic():
        known = Arrival.objects.filter(judgement_name=judgement.snapshot_id).first()
        if known is not None:
            return {"judgement": judgement.snapshot_id, "is_new": False, **known.figures}
        figures = _take_in(judgement, store, municipality, at, numbers or random.SystemRandom())
        Arrival.objects.create(
            judgement_name=judgement.snapshot_id,
            judged_as_of=_as_of(judgement),
            manifest=dict(judgement.manifest),
            figures=figures,
            received_at=at,
        )
        detail = {"judgement": judgement.snapshot_id, **figures}
        trail.append(audit.AuditEvent(by, "SYSTEM", "RECEIVE_ARRIVALS", detail=detail), at, home)
    return {"judgement": judgement.snapshot_id, "is_new": True, **figures}


def open_by_hand(
    child_key: str, *, home: Home, municipality: Municipality, at: dt.datetime, numbers: random.Random | None = None
) -> Case | None:
    """Open a case for a child whom the judgement did not bring onto the shortlist; inside the caller's transaction.

    The case is pinned to the judgement that came in last, whose levels of the child come with it.

    Returns:
        None for a child that this judgement doesn't know.

    Raises:
        NotReady: no judgement has come in yet.
    """
    judgement = arrived_judgement(home)
    everybody = _judged(judgement, Store(home.store), municipality)
    one = next((j for j in everybody if j.subject["child_key"] == child_key), None)
    if one is None:
        return None
    case = _open_cases([one], judgement, municipality, at, numbers or random.SystemRandom())[0]
    _write_levels([one], {child_key: case}, judgement, _escalation_items(judgement, municipality))
    return case


def arrived_judgement(home: Home) -> Snapshot:
    """The judgement that came in last. Raises NotReady before the first."""
    arrival = Arrival.objects.last()
    if arrival is None:
        raise NotReady("判定がまだ届いていません。", then="判定が届いてから、もう一度開いてください。")
    return Store(home.store).open("judgements", arrival.judgement_name)


def _take_in(
    judgement: Snapshot, store: Store, municipality: Municipality, at: dt.datetime, numbers: random.Random
) -> dict[str, int]:
    # Locked: what somebody decides meanwhile waits, and is not written over.
    known = {case.child_key: case for case in Case.objects.select_for_update()}
    everybody = _judged(judgement, store, municipality)
    judged = [one for one in everybody if one.is_shortlisted or one.subject["child_key"] in known]
    before = _current_levels(known, store)
    chosen = _drawn_for_review(judged, known) | _waiting_blind()
    chosen |= _held_back(judged, known, before, chosen, numbers)
    judged = [
        one.veiled()
        if one.subject["child_key"] in chosen and not one.is_plainly_high and not one.is_insufficient
        else one
        for one in judged
    ]
    fresh = [one for one in judged if one.subject["child_key"] not in known]
    # Rows are numbered in the order they are written: shuffled, so that the order of cases says nothing.
    numbers.shuffle(fresh)
    followed = [one for one in judged if one.subject["child_key"] in known]
    returned = _bring_up_to_date(followed, known, judgement, before, chosen)
    opened = _open_cases(fresh, judgement, municipality, at, numbers)
    cases = {case.child_key: case for case in [*known.values(), *opened]}
    _write_levels(judged, cases, judgement, _escalation_items(judgement, municipality))
    return {
        "judged": _count(judgement),
        "opened": len(opened),
        "updated": len(judged) - len(fresh),
        "returned": returned,
        "insufficient": sum(one.is_insufficient for one in judged),
        "escalated": sum(one.has_escalation for one in judged),
    }


def _drawn_for_review(judged: Iterable[Judged], known: Mapping[str, Case]) -> set[str]:
    """Children of the draw whom nobody is looking at: without a case, or with one that has ended.

    A child whose case is being worked on is reviewed as known: a draw changes nothing about it.
    """
    drawn = {one.subject["child_key"] for one in judged if one.is_drawn}
    return {key for key in drawn if key not in known or known[key].state in ENDED_STATES}


def _waiting_blind() -> set[str]:
    """Children whose levels are held back and of whom nobody has decided yet.

    A later judgement would say at last that nothing raised the child, or that it was no draw.
    """
    waiting = (CaseState.ARRIVED, CaseState.RETURNED)
    veiled = CaseLevel.objects.filter(is_current=True, level=Level.WITHHELD, case__state__in=waiting)
    return set(veiled.values_list("case__child_key", flat=True))


def _held_back(
    judged: Iterable[Judged],
    known: Mapping[str, Case],
    before: Standing,
    chosen: Collection[str],
    numbers: random.Random,
) -> set[str]:
    """As many raised children as were drawn, of those that come now: whose levels are held back too.

    Were drawn children alone without a level, its absence would say that nothing raised them. Only children at 中 of
    whom no fact must be seen are held back, and only until somebody decides. New cases and ones that come back are
    each chosen apart, for the page tells which is which.
    """
    new: list[str] = []
    back: list[str] = []
    for one in judged:
        key = one.subject["child_key"]
        if key in chosen or not one.may_be_held_back:
            continue
        if key not in known:
            new.append(key)
        elif known[key].state in ENDED_STATES and _has_risen(before.get(known[key].pk, {}), one.levels):
            back.append(key)
    drawn = {one.subject["child_key"] for one in judged if one.is_drawn} & set(chosen)
    number = sum(key not in known for key in drawn)
    return {*numbers.sample(new, min(number, len(new))), *numbers.sample(back, min(len(drawn) - number, len(back)))}


def _open_cases(
    fresh: list[Judged], judgement: Snapshot, municipality: Municipality, at: dt.datetime, numbers: random.Random
) -> list[Case]:
    taken = set(Case.objects.values_list("case_number", flat=True))
    opened = []
    for one in fresh:
        number = new_case_number(at.date(), taken, numbers)
        taken.add(number)
        office = responsible_office(municipality, one.subject["age_band"])
        case = Case(case_number=number, child_key=one.subject["child_key"], office=office, arrived_at=at)
        _describe(case, one, judgement)
        opened.append(case)
    Case.objects.bulk_create(opened, batch_size=500)
    return opened


def _describe(case: Case, one: Judged, judgement: Snapshot) -> None:
    case.age_band = one.subject["age_band"]
    case.school_grade = one.subject["school_grade"]
    # A protected family's area is not even stored here: what isn't there can't be shown.
    case.is_address_protected = one.is_address_protected
    case.area_code = "" if one.is_address_protected else (one.subject["area_code"] or "")
    case.is_known_to_support = one.subject["is_known_to_support"]
    case.is_council_registered = one.subject["is_council_registered"]
    case.is_met_by_agency = one.is_met
    case.moved_in_within_year = one.subject["moved_in_within_year"]
    case.is_insufficient = one.is_insufficient
    case.has_escalation = one.has_escalation
    case.judgement_name = judgement.snapshot_id
    case.snapshot_name = snapshot_name(judgement.manifest)
    case.judged_as_of = _as_of(judgement)


Standing = Mapping[int, Mapping[str, tuple[str, str]]]
"""For each case the level and the fact that must be seen, by type, as the judgement before left them."""


def _current_levels(known: Mapping[str, Case], store: Store) -> Standing:
    """What each case stands at; where a level was held back from a case that has ended, the one that was held back.

    Else a child looked at without its level would seem to rise as soon as its level is shown.
    """
    before: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    blind: dict[str, set[int]] = defaultdict(set)
    for row in CaseLevel.objects.filter(is_current=True):
        before[row.case_id][row.type] = row.level, row.escalation
        if row.level == Level.WITHHELD:
            blind[row.judgement_name].add(row.case_id)
    by_key = {key: case.pk for key, case in known.items() if case.state in ENDED_STATES}
    for name in blind.keys() & set(store.names("judgements")):
        for one in _judged(store.open("judgements", name), store):
            case = by_key.get(one.subject["child_key"])
            if case in blind[name]:
                before[case] = {entry["type"]: (entry["level"], entry["escalation"] or "") for entry in one.levels}
    return before


def _bring_up_to_date(
    judged: list[Judged],
    known: Mapping[str, Case],
    judgement: Snapshot,
    before: Standing,
    chosen: Collection[str],
) -> int:
    """Write what the judgement says of known cases; one that ended comes back where it rose or was chosen for review."""
    returned, touched = 0, []
    for one in judged:
        key = one.subject["child_key"]
        case = known[key]
        if case.state in ENDED_STATES and (key in chosen or _has_risen(before.get(case.pk, {}), one.levels)):
            case.state, returned = CaseState.RETURNED, returned + 1
        case.has_changed = _has_changed(before.get(case.pk, {}), one.levels)
        _describe(case, one, judgement)
        # A form that is open in a browser was written under the former judgement: it must notice.
        case.version += 1
        touched.append(case)
    CaseLevel.objects.filter(is_current=True, case__in=touched).update(is_current=False)
    fields = [f.name for f in Case._meta.concrete_fields if f.name not in ("id", "case_number", "child_key", "office")]
    Case.objects.bulk_update(touched, fields, batch_size=200)
    return returned


def _has_changed(before: Mapping[str, tuple[str, str]], now: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any type's level or fact to be seen differs. It says that, not in which direction."""
    return before != {entry["type"]: (entry["level"], entry["escalation"] or "") for entry in now}


def _has_risen(before: Mapping[str, tuple[str, str]], now: Iterable[Mapping[str, Any]]) -> bool:
    for entry in now:
        level, escalation = before.get(entry["type"], (Level.LOW.value, ""))
        if _HEIGHT[Level(entry["level"])] > _HEIGHT[Level(level)]:
            return True
        if entry["escalation"] and not escalation:
            return True
    return False


def _write_levels(
    judged: list[Judged], cases: Mapping[str, Case], judgement: Snapshot, items: Mapping[str, list[str]]
) -> None:
    rows = [
        CaseLevel(
            case=cases[one.subject["child_key"]],
            judgement_name=judgement.snapshot_id,
            judged_as_of=_as_of(judgement),
            type=entry["type"],
            level=entry["level"],
            level_low=entry["level_low"] or "",
            level_high=entry["level_high"] or "",
            place=entry["place"],
            escalation=entry["escalation"] or "",
            escalation_items=items.get(entry["escalation"] or "", []),
            other_escalations=[
                [said, items[said]] for said in entry["escalations"] or () if said != entry["escalation"]
            ],
            is_registered=entry["is_registered"],
        )
        for one in judged
        for entry in one.levels
    ]
    CaseLevel.objects.bulk_create(rows, batch_size=500)


_LEVELS = f"""
SELECT child_key, type, level, level_low, level_high, escalation, escalations, is_registered,
       CASE WHEN score IS NULL OR level = 'INSUFFICIENT' THEN NULL
            ELSE rank() OVER (PARTITION BY type ORDER BY score DESC NULLS LAST) END AS place,
       CASE WHEN score IS NULL OR level = 'INSUFFICIENT' THEN NULL
            ELSE percent_rank() OVER (PARTITION BY type ORDER BY score DESC NULLS LAST) END AS standing
FROM (SELECT *, row_number() OVER (
          PARTITION BY child_key, type
          ORDER BY CASE method WHEN '{Method.COMBINED}' THEN 0 WHEN '{Method.SCENARIO}' THEN 1 ELSE 2 END
      ) AS preference FROM (
          SELECT * FROM read_parquet(?)
          UNION ALL BY NAME SELECT NULL::VARCHAR AS level_low, NULL::VARCHAR AS level_high WHERE false
      ) WHERE level <> '{Level.NOT_APPLICABLE}')
WHERE preference = 1
ORDER BY child_key, type
"""
"""A judgement of before there were ranges has none."""


_PROTECTED = """
SELECT DISTINCT spells.household_key
FROM read_parquet(?) AS spells JOIN read_parquet(?) AS persons USING (person_key)
WHERE persons.is_address_protected AND spells.valid_to IS NULL AND ({standing})
"""
"""Where a protected person lives by what was known on the day of judgement, or by what stands now."""


def _judged(judgement: Snapshot, store: Store, municipality: Municipality | None = None) -> list[Judged]:
    """The judgement's children. Who is met by an agency is asked of the register, where one is given."""
    snapshot = store.open("snapshots", snapshot_name(judgement.manifest))
    files = [str(snapshot.file("household_spells")), str(snapshot.file("persons"))]
    standing = snapshot.standing("household_spells", _as_of(judgement))
    with connect(memory="1GB", threads=2) as engine:
        levels: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in engine.sql(_LEVELS, params=[str(judgement.file("judgements"))]).to_arrow_table().to_pylist():
            levels[entry["child_key"]].append(entry)
        subjects = engine.sql("SELECT * FROM read_parquet(?)", params=[str(judgement.file("subjects"))])
        found = subjects.to_arrow_table().to_pylist()
        homes = {row[0] for row in engine.execute(_PROTECTED.format(standing=standing), files).fetchall()}
        people = "SELECT person_key FROM read_parquet(?) WHERE is_address_protected"
        people_protected = {row[0] for row in engine.execute(people, files[1:]).fetchall()}
    drawn = _drawn(judgement)
    met = _met(judgement, municipality) if municipality else None
    return [
        Judged(
            s,
            tuple(levels[s["child_key"]]),
            s["child_key"] in people_protected or s["household_key"] in homes,
            s["child_key"] in drawn,
            met is None or s["child_key"] in met,
        )
        for s in found
    ]


def _met(judgement: Snapshot, municipality: Municipality) -> set[str]:
    """Children whom a source knows whose people meet families: its items carry the role ``contact`` in the register."""
    register = current_register(municipality)
    sources = {source for item in register.with_role("contact") for source in register.items[item].sources}
    rows = judgement.read("coverage", ("child_key", "source", "known"))
    meets = pc.is_in(rows["source"], value_set=pa.array(sorted(sources), pa.string()))
    return set(rows.filter(pc.and_(rows["known"], meets))["child_key"].to_pylist())


def _drawn(judgement: Snapshot) -> set[str]:
    """Children of this judgement's own audit draw; a judgement written before there were draws has none."""
    if not judgement.holds("audit_draws"):
        return set()
    rows = judgement.read("audit_draws", ("child_key", "round")).to_pylist()
    return {row["child_key"] for row in rows if row["round"] == _as_of(judgement)}


_GATES = "SELECT DISTINCT sentence, indicator FROM read_parquet(?) WHERE direction = 'GATE' AND indicator IS NOT NULL"


def _escalation_items(judgement: Snapshot, municipality: Municipality) -> dict[str, list[str]]:
    """What each escalation of the judgement rests on: as the criteria say, else as the judgement's own reasons do.

    Noted here, where criteria and judgement still belong together; the criteria may be edited later.
    """
    grounds = current_grounds(in_force(settings.HOME, municipality), judged_with(settings.HOME))
    with connect(memory="256MB", threads=1) as engine:
        gates = engine.execute(_GATES, [str(judgement.file("reasons"))]).fetchall()
        texts = "SELECT DISTINCT unnest(list_append(escalations, escalation)) FROM read_parquet(?) WHERE escalation IS NOT NULL"
        sentences = [row[0] for row in engine.execute(texts, [str(judgement.file("judgements"))]).fetchall()]
    found: dict[str, list[str]] = {}
    for sentence in sentences:
        said = grounds.of_escalation(sentence)
        if said is None:
            said = frozenset().union(
                *(grounds.indicators.get(code, frozenset()) for text, code in gates if text == sentence)
            )
        found[sentence] = sorted(said)
    return found


def _count(judgement: Snapshot) -> int:
    return int(judgement.manifest["files"]["subjects"]["rows"])


def _as_of(judgement: Snapshot) -> dt.date:
    return dt.date.fromisoformat(str(judgement.manifest["as_of"]))


def snapshot_name(manifest: Mapping[str, Any]) -> str:
    """The store snapshot a judgement was made from, as its manifest names it.

    Raises:
        IntegrityFault: the manifest names none.
    """
    for name in ("snapshot", "snapshot_id"):
        if isinstance(manifest.get(name), str):
            return str(manifest[name])
    raise IntegrityFault("判定に、もとになったこどもデータベースの版が書かれていません。", where=str(manifest["name"]))

"""Whom each source lists: children, mothers or households, and of which ages nearly all (analysis side)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
from numpy.typing import NDArray

from kodomo.features.cohort import stored
from kodomo.features.engines import open_engine
from kodomo.features.item_shapes import EVENT, MONTH, MONTH_DAYS, STATE, STATE_DAYS
from kodomo.store.database import Snapshot

NEARLY_ALL, OF_EVENTS = 0.6, 0.85
"""A source that lists this share of an age's children lists, as it seems, whoever is of that age; what tells of events
lists those to whom they happened, unless it lists still more."""
HAPPENS = 1.0
"""Days per person of a source of events, variance over mean, from which they happen (visits to the nurse's room) rather
than are held for everybody (questionnaires, check-ups)."""
BELONGS = 0.8
"""Of the children it lists, at least so many are of those ages."""
OLDEST = 17
RECENT = {MONTH: 150, STATE: 300, EVENT: 730}
"""Days before a source's newest word within which it should have spoken of whomever it lists."""
SCHOOL_AGES = (5, 15)


@dataclass(frozen=True)
class Listed:
    """One source: about whom its facts are, the ages of which it lists nearly all children (None: of none), and why.

    ``is_school`` where those are the ages of compulsory schooling.
    """

    whose: str
    ages: tuple[int, int] | None
    evidence: str

    @property
    def is_school(self) -> bool:
        """Whether it lists pupils: their grades then say better who is listed than their ages."""
        return self.ages is not None and SCHOOL_AGES[0] <= self.ages[0] <= 7 and self.ages[1] <= SCHOOL_AGES[1]


def listed_by_sources(snapshot: Snapshot, spill: Path | None = None) -> dict[str, Listed]:
    """Count, for every source, which of today's children it has told of lately, by year of age.

    A child counts as listed where a fact is about itself, its mother or anybody of its household: whichever of the
    three the source's persons mostly are.
    """
    with open_engine("duckdb", spill) as engine:
        facts, people = stored(engine, snapshot, "facts"), stored(engine, snapshot, "persons")
        homes, kin = stored(engine, snapshot, "household_spells"), stored(engine, snapshot, "kinships")
        facts = facts.filter(facts.known_to.isnull())
        latest = facts.aggregate(day=facts.known_from.max())
        facts = facts.cross_join(latest)
        facts = facts.mutate(until=ibis.least(facts.valid_to.fill_null(facts.day), facts.day))
        days = facts.valid_to.epoch_days() - facts.valid_from.epoch_days()
        kinds = facts.group_by("source").agg(
            facts=facts.count(), newest=facts.until.max(),
            states=facts.count(where=facts.valid_to.isnull() | (days >= STATE_DAYS)), months=facts.count(where=(days >= MONTH_DAYS) & (days < STATE_DAYS)),
        )  # fmt: skip
        spell_of = {line["source"]: _spell(line) for line in kinds.to_pyarrow().to_pylist()}
        told = facts.join(kinds.select("source", "newest"), "source")
        since = ibis.cases(*((told.source == source, RECENT[spell]) for source, spell in spell_of.items()), else_=0)
        recent = told.filter(told.until.epoch_days() >= told.newest.epoch_days() - since)
        told = recent.select("source", "person_key").distinct()
        child = people.filter(people.is_child & people.is_resident).cross_join(latest)
        months = (child.day.year() - child.born_month.year()) * 12 + child.day.month() - child.born_month.month()
        child = child.select(child_key="person_key", age=(months / 12).floor().cast("int32"))
        home = (
            homes.filter(homes.valid_to.isnull() & homes.known_to.isnull())
            .select("person_key", "household_key")
            .distinct()
        )
        mate = child.join(home.rename(child_key="person_key"), "child_key").join(home, "household_key")
        mother = kin.filter((kin.kind == "MOTHER") & kin.known_to.isnull())
        ways = {
            "self": child.select("child_key", "age", person_key="child_key"),
            "mother": child.join(mother.select("child_key", person_key="relative_key").distinct(), "child_key"),
            "household": mate.select("child_key", "age", "person_key"),
        }
        happening = {source for source, spell in spell_of.items() if spell == EVENT} & _happening(recent)
        ages = _by_age(child.group_by("age").agg(n=ibis._.count()).to_pyarrow().to_pylist())
        lists: dict[str, dict[str, NDArray[np.float64]]] = {name: {} for name in ways}
        for name, way in ways.items():
            pairs = way.join(told, "person_key").group_by("source", "age").agg(n=ibis._.child_key.nunique())
            for line in pairs.to_pyarrow().to_pylist():
                own = lists[name].setdefault(line["source"], np.zeros(OLDEST + 1))
                if 0 <= line["age"] <= OLDEST:
                    own[line["age"]] = line["n"]
        whose = {
            line["source"]: _whose(line)
            for line in _persons(told, people, mother).to_pyarrow().to_pylist()
        }  # fmt: skip
    nobody = np.zeros(OLDEST + 1)
    found = {
        source: _listed(who, lists[who].get(source, nobody), ages, OF_EVENTS if spell_of[source] == EVENT else NEARLY_ALL)
        for source, who in whose.items()
    }  # fmt: skip
    return found | {
        source: Listed(
            found[source].whose, None, "人によって回数がまちまちな出来事の記録。載っていなければ、なかったとみた"
        )
        for source in happening & set(found)
    }


def _happening(told: ibis.Table) -> set[str]:
    """Sources whose days per person vary as much as what befalls people does."""
    days = told.group_by("source", "person_key").agg(days=ibis._.valid_from.nunique())
    spread = days.group_by("source").agg(mean=days.days.mean(), variance=days.days.var(how="pop"))
    return {
        line["source"]
        for line in spread.to_pyarrow().to_pylist()
        if line["variance"] is not None and line["variance"] >= HAPPENS * line["mean"]
    }


def _spell(line: dict[str, int]) -> str:
    if 2 * line["states"] >= line["facts"]:
        return STATE
    return MONTH if 2 * line["months"] >= line["facts"] else EVENT


def _persons(told: ibis.Table, people: ibis.Table, mother: ibis.Table) -> ibis.Table:
    known = told.join(people.select("person_key", "is_child"), "person_key")
    marked = mother.select(person_key="relative_key", mother=ibis.literal(True)).distinct()
    known = known.left_join(marked, "person_key")
    return known.group_by("source").agg(
        persons=known.count(), children=known.count(where=known.is_child), mothers=known.count(where=known.mother.fill_null(False))
    )  # fmt: skip


def _whose(line: dict[str, int]) -> str:
    if 2 * line["children"] >= line["persons"]:
        return "self"
    return "mother" if 2 * line["mothers"] >= line["persons"] else "household"


def _by_age(lines: list[dict[str, int]]) -> NDArray[np.float64]:
    found = np.zeros(OLDEST + 1)
    for line in lines:
        if 0 <= line["age"] <= OLDEST:
            found[line["age"]] = line["n"]
    return found


def _listed(whose: str, listed: NDArray[np.float64], ages: NDArray[np.float64], nearly_all: float) -> Listed:
    share = np.divide(listed, ages, out=np.zeros(len(ages)), where=ages > 0)
    most = np.flatnonzero(share >= nearly_all)
    low, high = (int(most[0]), int(most[-1])) if len(most) else (0, -1)
    inside = float(listed[low : high + 1].sum())
    # A source that lists many of other ages too lists those it concerns, of whatever age.
    if inside < BELONGS * listed.sum() or not inside:
        whole = float(listed.sum() / max(ages.sum(), 1.0))
        return Listed(whose, None, f"こどもの {whole:.0%} について載っている。該当者だけの台帳とみた")
    reached = inside / max(float(ages[low : high + 1].sum()), 1.0)
    return Listed(whose, (low, high), f"{low}–{high}歳のこどもの {reached:.0%} について載っている。名簿とみた")

"""Whom each source lists: children, mothers or households, and of which ages nearly all (analysis side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import ibis
import numpy as np
from numpy.typing import NDArray

from kodomo.features.cohort import stored
from kodomo.features.data_until import newest_delivery
from kodomo.features.dates import ADULT_MONTHS, LAST_GRADE, OLDEST
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
GRADES = 9
UNBORN_MONTHS = 10
"""What is said of a mother so long before a birth is said of the pregnancy."""
PARTS, AT_BOTH = 0.5, 0.2
"""Sources that tell of the same data items (at least this share of the fewer) about other people (at most this share of
the fewer is told of by both) each list a part: two vendors' pupils, the offices of former towns."""
RECENT = {MONTH: 150, STATE: 300, EVENT: 730}
"""Days before a source's newest word within which it should have spoken of whomever it lists."""
A_YEAR = 365
"""In a year of events every pupil passes each grade once."""


@dataclass(frozen=True)
class Listed:
    """One source: about whom its facts are, the ages or school grades (1–9) of which it lists nearly all children
    (both None: of none), and why.
    """

    whose: str
    ages: tuple[int, int] | None
    evidence: str
    grades: tuple[int, int] | None = None
    together: tuple[str, ...] = ()
    """Sources with which it lists these children, each a part."""

    @property
    def is_roll(self) -> bool:
        """Whether it lists nearly all children of some ages or grades."""
        return self.ages is not None or self.grades is not None


def listed_by_sources(snapshot: Snapshot, spill: Path | None = None) -> dict[str, Listed]:
    """Count, for every source, which children it has told of lately, by how old they were and in which grade they were.

    A child counts as listed where a fact is about itself, its mother or anybody of its household: whichever of the
    three the source's persons mostly are. Sources that each list a part of the children are counted as one. Ages are
    those on the source's own last day, school grades those on the day something was said: the survey of last year's
    pupils is no roll of those who have left school since.
    """
    with open_engine("duckdb", spill) as engine:
        facts, people = stored(engine, snapshot, "facts"), stored(engine, snapshot, "persons")
        homes, kin = stored(engine, snapshot, "household_spells"), stored(engine, snapshot, "kinships")
        current = facts.filter(facts.known_to.isnull())
        group_of = _grouped(current)
        told = _told(current, _last_days(snapshot))
        told = told.mutate(source=told.source.substitute(group_of)) if group_of else told
        kinds = told.group_by("source").agg(
            facts=told.count(), newest=told.until.max(),
            states=told.count(where=told.is_open | (told.days >= STATE_DAYS)), months=told.count(where=(told.days >= MONTH_DAYS) & (told.days < STATE_DAYS)),
        )  # fmt: skip
        spell_of = {line["source"]: _spell(line) for line in kinds.to_pyarrow().to_pylist()}
        told = told.join(kinds.select("source", "newest"), "source")
        since = ibis.cases(*((told.source == source, RECENT[spell]) for source, spell in spell_of.items()), else_=0)
        recent = told.filter(told.until.epoch_days() >= told.newest.epoch_days() - since)
        events = [source for source, spell in spell_of.items() if spell == EVENT]
        engine.create_table("spoken", _spoken(recent, events), overwrite=True)
        spoken = engine.table("spoken")
        mother = kin.filter((kin.kind == "MOTHER") & kin.known_to.isnull())
        ways = _ways(people, homes, mother)
        happening = set(events) & _happening(recent)
        today = max(_last_days(snapshot).values(), default=None)
        there = {"source": ibis.literal(""), "until": ibis.literal(today), "last": ibis.literal(today)}
        everybody = _shares(ways["self"].mutate(**there, is_lately=ibis.literal(True)))
        lists = {
            name: _shares(_about(way.join(spoken, "person_key"), events if name == "mother" else ()))
            for name, way in ways.items()
        }
        whose = {
            line["source"]: _whose(line)
            for line in _persons(spoken.select("source", "person_key").distinct(), people, mother).to_pyarrow().to_pylist()
        }  # fmt: skip
    found = {
        source: _listed(
            who,
            lists[who].get(source, _Shares()),
            everybody.get("", _Shares()),
            OF_EVENTS if spell_of[source] == EVENT else NEARLY_ALL,
        )
        for source, who in whose.items()
    }
    found |= {
        source: Listed(
            found[source].whose, None, "人によって回数がまちまちな出来事の記録。載っていなければ、なかったとみた"
        )
        for source in happening & set(found)
    }
    return found | _parted(found, group_of)


def _ways(people: ibis.Table, homes: ibis.Table, mother: ibis.Table) -> dict[str, ibis.Table]:
    """Pairs of a child and the person a source speaks of: itself, its mother, anybody of its household."""
    # Who has come of age since the source's last day was a child on it.
    child = people.filter(people.is_resident & people.born_month.notnull())
    child = child.select("born_month", "school_year_born", child_key="person_key")
    now = homes.filter(homes.valid_to.isnull() & homes.known_to.isnull())
    home = now.select("person_key", "household_key").distinct()
    mate = child.join(home.rename(child_key="person_key"), "child_key").join(home, "household_key")
    return {
        "self": child.mutate(person_key="child_key"),
        "mother": child.join(mother.select("child_key", person_key="relative_key").distinct(), "child_key"),
        "household": mate.drop("household_key"),
    }


def _grouped(facts: ibis.Table) -> dict[str, str]:
    """Of sources that list people together, each a part: the one whose name stands for all of them."""
    pairs = facts.select("source", "item").distinct().to_pyarrow().to_pylist()
    items: dict[str, set[str]] = {}
    for line in pairs:
        items.setdefault(line["source"], set()).add(line["item"])
    alike = [
        (one, other)
        for one, other in combinations(sorted(items), 2)
        if len(items[one] & items[other]) >= PARTS * min(len(items[one]), len(items[other]))
    ]
    if not alike:
        return {}
    wanted = facts.filter(facts.source.isin({source for pair in alike for source in pair}))
    people: dict[str, set[str]] = {}
    for line in wanted.select("source", "person_key").distinct().to_pyarrow().to_pylist():
        people.setdefault(line["source"], set()).add(line["person_key"])
    group_of: dict[str, str] = {}
    for one, other in alike:
        if len(people[one] & people[other]) <= AT_BOTH * min(len(people[one]), len(people[other])):
            first, second = group_of.get(one, one), group_of.get(other, other)
            joined = {one, other} | {source for source, name in group_of.items() if name in (first, second)}
            group_of |= dict.fromkeys(joined, min(first, second))
    return group_of


def _parted(found: Mapping[str, Listed], group_of: Mapping[str, str]) -> dict[str, Listed]:
    """What was found of a group, said of each of its sources; together they are a roll or none."""
    said = {}
    for source, name in group_of.items():
        others = tuple(sorted(other for other in group_of if group_of[other] == name and other != source))
        if name in found:
            roll = replace(found[name], together=others) if found[name].is_roll else found[name]
            said[source] = replace(roll, evidence=f"{'・'.join(others)} とあわせて、{roll.evidence}")
    return said


@dataclass(frozen=True)
class _Shares:
    """How many children of each year of age, and of each grade from 0 (the year before school) to 10."""

    ages: NDArray[np.float64] = field(default_factory=lambda: np.zeros(OLDEST + 1))
    grades: NDArray[np.float64] = field(default_factory=lambda: np.zeros(GRADES + 2))
    elsewhere: float = 0.0
    """Children told of in other years than those of school."""


def _shares(pairs: ibis.Table) -> dict[str, _Shares]:
    """By source, from pairs of a child and a day on which it was spoken of; each child once a year of age or grade."""
    months = (pairs.last.year() - pairs.born_month.year()) * 12 + pairs.last.month() - pairs.born_month.month()
    year, last = (day.year() - (day.month() < 4).cast("int32") for day in (pairs.until, pairs.last))
    judged = pairs.filter((last - pairs.school_year_born - 6 <= LAST_GRADE).fill_null(months < ADULT_MONTHS))
    laid = judged.select(
        "child_key", "source", "is_lately",
        age=(months / 12).floor().cast("int32"), grade=(year - pairs.school_year_born - 6).cast("int32"),
    )  # fmt: skip
    by_age = laid.group_by("source", "age").agg(n=laid.child_key.nunique())
    by_grade = laid.filter(laid.is_lately).group_by("source", "grade").agg(n=laid.child_key.nunique())
    found: dict[str, _Shares] = {}
    for line in by_age.to_pyarrow().to_pylist():
        own = found.setdefault(line["source"], _Shares())
        if line["age"] is not None and 0 <= line["age"] <= OLDEST:
            own.ages[line["age"]] = line["n"]
    for line in by_grade.to_pyarrow().to_pylist():
        own = found.setdefault(line["source"], _Shares())
        if line["grade"] is not None and 0 <= line["grade"] <= GRADES + 1:
            own.grades[line["grade"]] = line["n"]
        elif line["grade"] is not None:
            found[line["source"]] = replace(own, elsewhere=own.elsewhere + line["n"])
    return found


def _last_days(snapshot: Snapshot) -> dict[str, dt.date]:
    """Until when each source tells: its last extract, else when its newest fact was known."""
    facts = snapshot.read("facts", ("source", "known_from"))
    newest = facts.group_by("source").aggregate([("known_from", "max")])
    days = dict(zip(newest["source"].to_pylist(), newest["known_from_max"].to_pylist(), strict=True))
    lines = {line["source"]: newest_delivery(line) for line in snapshot.read("sources").to_pylist()}
    # What is extracted on 1 April tells of the school year that ended the day before.
    return {source: (lines.get(source) or day) - dt.timedelta(days=1) for source, day in days.items()}


def _told(facts: ibis.Table, last: Mapping[str, dt.date]) -> ibis.Table:
    """Facts that had begun by their source's last day, each with the day until which it held; what is planned is none."""
    day = ibis.cases(*((facts.source == source, ibis.literal(on)) for source, on in last.items()), else_=None)
    dated = facts.mutate(last=day.cast("date"))
    begun = dated.filter(dated.valid_from <= dated.last)
    return begun.select(
        "source", "person_key", "valid_from", "last",
        # A spell ends before its ``valid_to``: what ends on 1 April was so in the school year before.
        until=ibis.greatest(begun.valid_from, ibis.least((begun.valid_to - ibis.interval(days=1)).fill_null(begun.last), begun.last)),
        days=begun.valid_to.epoch_days() - begun.valid_from.epoch_days(), is_open=begun.valid_to.isnull(),
    )  # fmt: skip


def _spoken(recent: ibis.Table, events: Sequence[str]) -> ibis.Table:
    """On which days a source spoke of a person: every event, and the last day of what goes on."""
    is_event = recent.source.isin(events)
    lately = ~is_event | (recent.until.epoch_days() > recent.newest.epoch_days() - A_YEAR)
    told = recent.mutate(is_lately=lately)
    single = told.filter(is_event).select("source", "person_key", "last", "until", "is_lately").distinct()
    lasting = told.filter(~told.source.isin(events))
    latest = lasting.group_by("source", "person_key", "last").agg(
        until=lasting.until.max(), is_lately=lasting.is_lately.any()
    )
    return single.union(latest.select(*single.columns))


def _about(pairs: ibis.Table, events: Sequence[str]) -> ibis.Table:
    """Pairs of a child and what was said of its mother: what befell her is about the child she carried or bore last."""
    if not events:
        return pairs
    age = (pairs.until.year() - pairs.born_month.year()) * 12 + pairs.until.month() - pairs.born_month.month()
    near = pairs.filter((age >= -UNBORN_MONTHS) | ~pairs.source.isin(events))
    youngest = near.mutate(
        last_born=near.born_month.max().over(ibis.window(group_by=["source", "person_key", "until"]))
    )
    return youngest.filter((youngest.born_month == youngest.last_born) | ~youngest.source.isin(events))


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


def _listed(whose: str, listed: _Shares, everybody: _Shares, nearly_all: float) -> Listed:
    grades = _range(listed.grades, everybody.grades, nearly_all)
    if grades is not None and grades[0] >= 1 and grades[1] <= GRADES and whose == "self":
        inside = float(listed.grades[grades[0] : grades[1] + 1].sum())
        if inside >= BELONGS * (listed.grades.sum() + listed.elsewhere):
            reached = min(inside / max(float(everybody.grades[grades[0] : grades[1] + 1].sum()), 1.0), 1.0)
            said = f"{_grade(grades[0])}–{_grade(grades[1])}のこどもの {reached:.0%} について載っている。名簿とみた"
            return Listed(whose, None, said, grades)
    ages = _range(listed.ages, everybody.ages, nearly_all)
    inside = float(listed.ages[ages[0] : ages[1] + 1].sum()) if ages else 0.0
    # The years next to them are half listed by nature: a check-up at one and a half, a class list in autumn.
    near = float(listed.ages[max(ages[0] - 1, 0) : ages[1] + 2].sum()) if ages else 0.0
    # A source that lists many of other ages too lists those it concerns, of whatever age.
    if ages is None or inside < BELONGS * (inside + float(listed.ages.sum()) - near):
        whole = min(float(listed.ages.sum() / max(everybody.ages.sum(), 1.0)), 1.0)
        return Listed(whose, None, f"こどもの {whole:.0%} について載っている。該当者だけの台帳とみた")
    reached = min(inside / max(float(everybody.ages[ages[0] : ages[1] + 1].sum()), 1.0), 1.0)
    years = f"{ages[0]}" if ages[0] == ages[1] else f"{ages[0]}–{ages[1]}"
    return Listed(whose, ages, f"{years}歳のこどもの {reached:.0%} について載っている。名簿とみた")


def _range(listed: NDArray[np.float64], everybody: NDArray[np.float64], nearly_all: float) -> tuple[int, int] | None:
    """The first and the last year of which nearly all children are listed."""
    share = np.divide(listed, everybody, out=np.zeros(len(everybody)), where=everybody > 0)
    most = np.flatnonzero(share >= nearly_all)
    return (int(most[0]), int(most[-1])) if len(most) else None


def _grade(grade: int) -> str:
    return f"小{grade}" if grade <= 6 else f"中{grade - 6}"

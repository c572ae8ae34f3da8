"""The answer key: who each row is about and what each child goes through, written where no stage reads (synthetic city)."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from kodomo.city.families import is_child
from kodomo.city.lives import Lives
from kodomo.city.notice import Noticed
from kodomo.city.people import LAST_DAY, City, Person
from kodomo.city.press import Press
from kodomo.terms import DifficultyType as Type


def write_truth(press: Press, noticed: Noticed, out: Path) -> dict[str, int]:
    """Write the answer key's files; returns rows per file."""
    out.mkdir(parents=True, exist_ok=True)
    city, ledger = press.city, press.printer.ledger
    return {
        "links.csv": _table(out / "links.csv", ("source", "file", "row", "person_id"), ledger.links),
        "people.csv": _table(out / "people.csv", PEOPLE, (_person(p) for p in city.people)),
        "kin.csv": _table(out / "kin.csv", ("child", "relative", "kind"), _kin(city)),
        "households.csv": _table(out / "households.csv", ("person_id", "household_id"), _households(city)),
        "difficulties.csv": _table(out / "difficulties.csv", DIFFICULTIES, _difficulties(press.lives, noticed)),
        "needs.csv": _table(out / "needs.csv", ("person_id", "need", "connected_on"), _needs(press.lives)),
        "canaries.csv": _table(out / "canaries.csv", ("kind", "value"), press.canaries),
        "mistakes.csv": _table(out / "mistakes.csv", ("file", "row", "kind"), ledger.mistakes),
    }


PEOPLE = (
    "person_id", "born_on", "sex", "is_child_at_end", "household_id", "is_twin", "is_foreign", "moved_in", "moved_out",
    "came_back", "surname_changed", "is_protected", "resident_numbers",
)  # fmt: skip
DIFFICULTIES = ("person_id", "type", "first_month", "last_month", "intensity", "registered_on")


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _day(day: int) -> str:
    return dt.date.fromordinal(day).isoformat()


def _person(person: Person) -> tuple[object, ...]:
    stay = person.stay_on(LAST_DAY)
    reasons = {s.reason for s in person.stays}
    return (
        person.person_id, _day(person.born), person.sex, int(is_child(person, LAST_DAY) and stay is not None),
        stay.household if stay else "", int(person.is_twin), int(person.foreign is not None), int("転入" in reasons),
        int(any(s.end_reason == "転出" for s in person.stays)), int(len({s.number for s in person.stays}) > 1),
        int(len({s.text for _, s in person.surnames}) > 1), int(person.is_protected), " ".join(person.numbers()),
    )  # fmt: skip


def _kin(city: City) -> Iterable[tuple[str, str, str]]:
    for family in city.families:
        for child in family.children:
            if child.mother is not None:
                yield child.person_id, child.mother.person_id, "MOTHER"
            if child.father is not None:
                yield child.person_id, child.father.person_id, "FATHER"
            yield child.person_id, family.guardian(LAST_DAY).person_id, "GUARDIAN"


def _households(city: City) -> Iterable[tuple[str, str]]:
    for person in city.people:
        stay = person.stay_on(LAST_DAY)
        if stay is not None:
            yield person.person_id, stay.household


def _difficulties(lives: Lives, noticed: Noticed) -> Iterable[tuple[object, ...]]:
    registered: dict[tuple[int, Type], list[int]] = {}
    for case in noticed.registrations:
        if case.child >= 0:
            registered.setdefault((case.child, case.type), []).append(case.on)
    for kind in Type:
        state = lives.states[kind]
        for child in np.flatnonzero(state.any(axis=1)).tolist():
            days = registered.get((child, kind), [])
            yield from _spells(lives, kind, child, state[child], days)


def _spells(
    lives: Lives, kind: Type, child: int, state: np.ndarray, registered: list[int]
) -> Iterable[tuple[object, ...]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], state.astype(np.int8), [0]))))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        # One number for how heavy it is: far over the threshold is heavier, one half at the threshold.
        depth = float(1 / (1 + np.exp(-1.2 * lives.excess[kind][child, first:end].mean())))
        begin, finish = int(lives.starts[first]), int(lives.starts[end - 1]) + 31
        on = next((d for d in registered if begin - 31 <= d <= finish + 400), None)
        still = end == lives.months
        yield (
            lives.children[child].person_id, kind.label, _day(begin)[:7], "" if still else _day(int(lives.starts[end - 1]))[:7],
            f"{depth:.2f}", _day(on) if on is not None else "",
        )  # fmt: skip


def _needs(lives: Lives) -> Iterable[tuple[str, str, str]]:
    for child in np.flatnonzero(lives.needs_development_support).tolist():
        connected = int(lives.connected[child])
        yield lives.children[child].person_id, "発達支援", _day(connected) if connected <= LAST_DAY else ""

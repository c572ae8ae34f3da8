"""The people of ひなた市: who they are, whose child, where registered and when (synthetic city).

A person's registration is a list of :class:`Stay`; every change of address, household, relationship
or register entry begins a new one. From these the register and its history are printed.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect_right
from dataclasses import dataclass, field, replace

from kodomo.city.names import Address, ForeignName, Given, NameBook, Places, Surname

LAST_DAY = dt.date(2026, 3, 31).toordinal()
"""The city's last day; extracts are dated the day after."""

HISTORY_FROM = dt.date(2016, 4, 1).toordinal()
"""The register's history was not carried over from the system before this day."""

FOR_EVER = 3_000_000
"""An end that has not come."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One state of a person's registration, from ``start`` until the day before ``end``."""

    start: int
    number: str
    household: str
    address: Address
    relation: str
    reason: str
    end: int = FOR_EVER
    end_reason: str = ""


@dataclass(eq=False, slots=True)
class Person:
    """One human being, whatever the records call them."""

    person_id: str
    sex: str
    born: int
    given: Given
    surnames: list[tuple[int, Surname]]
    foreign: ForeignName | None = None
    alias: tuple[str, str] | None = None
    mother: Person | None = None
    father: Person | None = None
    family: Family | None = None
    stays: list[Stay] = field(default_factory=list)
    died: int | None = None
    is_protected: bool = False
    is_twin: bool = False
    former_shown: bool = False
    outside_number: str = ""

    def surname_on(self, day: int) -> Surname:
        """The surname borne on a day."""
        return self.surnames[max(bisect_right([d for d, _ in self.surnames], day) - 1, 0)][1]

    def stay_on(self, day: int) -> Stay | None:
        """The registration on a day, or None."""
        return next((s for s in reversed(self.stays) if s.start <= day < s.end), None)

    def is_resident(self, day: int) -> bool:
        """Registered in the city on that day."""
        return self.stay_on(day) is not None

    def last_stay(self) -> Stay | None:
        """The latest registration, ended or not."""
        return self.stays[-1] if self.stays else None

    def numbers(self) -> list[str]:
        """Every 宛名番号 the person has had, earliest first."""
        return list(
            dict.fromkeys([s.number for s in self.stays] + ([self.outside_number] if self.outside_number else []))
        )

    def number_on(self, day: int) -> str:
        """The 宛名番号 in use on a day: the registration's, else the nearest earlier or the first one."""
        stay = self.stay_on(day)
        if stay:
            return stay.number
        earlier = [s.number for s in self.stays if s.start <= day]
        return earlier[-1] if earlier else self.outside_number or self.stays[0].number


@dataclass(eq=False, slots=True)
class Family:
    """A parent or two and their children, and what befell them as a family."""

    family_id: int
    mother: Person
    father: Person | None
    children: list[Person] = field(default_factory=list)
    grandparents: list[Person] = field(default_factory=list)
    custodian: Person | None = None
    single_from: int = FOR_EVER
    remarried_on: int = FOR_EVER
    step_parent: Person | None = None
    arrived_on: int = 0
    left_on: int = FOR_EVER
    moves: list[int] = field(default_factory=list)
    is_foreign: bool = False
    guardian_is_mother: bool = False

    def is_single(self, day: int) -> bool:
        """One adult brings the children up on that day."""
        return self.single_from <= day < self.remarried_on

    def guardian(self, day: int) -> Person:
        """受給者・保護者 as offices would name them on that day."""
        if self.single_from <= day and self.custodian is not None:
            return self.custodian
        return self.mother if self.father is None or self.guardian_is_mother else self.father

    def adults(self) -> list[Person]:
        """Everyone who has brought the children up."""
        return [p for p in (self.mother, self.father, self.step_parent) if p is not None]


class City:
    """Everyone who lives or has lived in ひなた市 since the history begins."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"people-{seed}")
        self.names = NameBook()
        self.places = Places()
        self.people: list[Person] = []
        self.families: list[Family] = []
        self._number = 10_200_000 + self.rng.randrange(90_000)
        self._household = 30_100_000 + self.rng.randrange(90_000)

    def new_number(self) -> str:
        """A 宛名番号: ten digits with leading zeros, never reused here."""
        self._number += self.rng.randint(1, 9)
        return f"{self._number:010d}"

    def new_household(self) -> str:
        """A 世帯番号: eight digits."""
        self._household += self.rng.randint(1, 7)
        return str(self._household)

    def person(
        self, sex: str, born: int, surname: Surname, *, given: Given | None = None, foreign: ForeignName | None = None
    ) -> Person:
        """A new human being, not yet registered anywhere."""
        year = dt.date.fromordinal(born).year
        made = Person(
            f"P{len(self.people) + 1:07d}",
            sex,
            born,
            given or self.names.given(self.rng, sex, year),
            [(0, surname)],
            foreign,
        )
        self.people.append(made)
        return made

    def settle(self, person: Person, day: int, household: str, address: Address, relation: str, reason: str) -> None:
        """Begin a registration; someone who left before gets a new 宛名番号."""
        person.stays.append(Stay(day, self.new_number(), household, address, relation, reason))

    def change(self, person: Person, day: int, reason: str, *, always: bool = False, **changes: object) -> None:
        """Change a registration from a day on; nothing happens to people who are not registered.

        Args:
            person: whose registration.
            day: from when.
            reason: 異動事由.
            always: enter the event even when nothing but the name changed.
            changes: fields of :class:`Stay`.
        """
        stay = person.last_stay()
        if stay is None or not stay.start <= day < stay.end:
            return
        if day == stay.start:
            person.stays[-1] = replace(stay, **changes)  # type: ignore[arg-type]
            return
        if not always and all(getattr(stay, key) == value for key, value in changes.items()):
            return
        person.stays[-1] = replace(stay, end=day)
        person.stays.append(replace(stay, start=day, reason=reason, **changes))  # type: ignore[arg-type]

    def leave(self, person: Person, day: int, reason: str) -> None:
        """End a registration: 転出, 死亡 or 職権消除."""
        stay = person.last_stay()
        if stay is None or stay.end != FOR_EVER or day <= stay.start:
            return
        person.stays[-1] = replace(stay, end=day, end_reason=reason)
        if reason == "死亡":
            person.died = day

    def residents(self, day: int) -> list[Person]:
        """Everyone registered on a day."""
        return [p for p in self.people if p.is_resident(day)]

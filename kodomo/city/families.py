"""Families with children in ひなた市: births, moves, divorce, remarriage, grandparents, away and back (synthetic city).

Each family's story is told forward from its first child, so that what the register prints hangs together.
"""

from __future__ import annotations

import datetime as dt
import heapq
from dataclasses import dataclass, field

from kodomo.city.eras import age_on
from kodomo.city.names import Address, Surname
from kodomo.city.people import FOR_EVER, HISTORY_FROM, LAST_DAY, City, Family, Person

YEAR = 365.25
TWIN_RATE = 0.01
SINGLE_MOTHER, SINGLE_FATHER = 0.152, 0.02


@dataclass(order=True)
class Event:
    """Something that befalls a family; of one day's events the lower ``order`` comes first."""

    day: int
    order: int
    count: int
    kind: str = field(compare=False)
    person: Person | None = field(compare=False, default=None)


class FamilyStory:
    """Tells one family's story; ``until`` is the day it leaves the city, or for ever."""

    def __init__(self, city: City, *, until: int = FOR_EVER) -> None:
        self.city, self.rng, self.until = city, city.rng, until
        self.end = min(until, LAST_DAY)
        self.household, self.address = "", self._home()
        self.head: Person | None = None
        self.family = self._people()
        self.is_here = False
        self.queue: list[Event] = []
        self._count = 0

    def _home(self) -> Address:
        return self.city.places.dwelling(self.rng, flat=0.38)

    # ── who ──

    def _people(self) -> Family:
        rng, city = self.rng, self.city
        eldest = self._eldest_birth()
        age = min(max(rng.gauss(29.6, 4.9), 17.0), 43.5)
        mother_born = int(eldest - age * YEAR)
        father_born = int(mother_born - rng.gauss(1.8, 4.0) * YEAR)
        foreign = rng.random() < 0.017
        country = str(city.names.countries.one(rng)) if foreign else ""
        surname, maiden = city.names.surname(rng), city.names.surname(rng)
        family_name = None
        if foreign:
            dad = city.names.foreign(rng, country, "M")
            family_name = dad.family
            surname = Surname(dad.family[0], dad.family[1])
            father = city.person("M", father_born, surname, foreign=dad)
            mum = city.names.foreign(rng, country, "F")
            mother = city.person("F", mother_born, Surname(*mum.family), foreign=mum)
            if country in ("中国", "韓国") and rng.random() < 0.6:
                alias = city.names.surname(rng)
                for person in (father, mother):
                    person.alias = (alias.text, alias.kana)
        else:
            father = city.person("M", father_born, surname)
            mother = city.person("F", mother_born, maiden)
            mother.surnames.append((eldest - rng.randint(200, 1200), surname))
            mother.former_shown = rng.random() < 0.03
        unmarried = not foreign and rng.random() < 0.013
        family = Family(len(city.families) + 1, mother, None if unmarried else father, is_foreign=foreign)
        if unmarried:
            mother.surnames[1:] = []
            surname = maiden
            family.single_from, family.custodian = eldest, mother
        city.families.append(family)
        self._children(eldest, surname, country, family_name, family)
        self._grandparents(family, mother, father)
        for person in (*family.children, *family.adults()):
            person.family = family
        family.guardian_is_mother = rng.random() < 0.13
        return family

    def _eldest_birth(self) -> int:
        # More eldest children among the older: births fell by about three per cent a year.
        while True:
            age = self.rng.random() * 22.5
            if self.rng.random() < 0.62 + 0.38 * age / 22.5:
                break
        born = int(LAST_DAY - age * YEAR)
        return born - (LAST_DAY - self.end)

    def _children(self, eldest: int, surname: Surname, country: str, family_name: object, family: Family) -> None:
        rng = self.rng
        wanted = rng.choices((1, 2, 3, 4, 5), (24, 50, 20, 5, 1))[0]
        born = eldest
        alike = rng.random() < 0.16
        while len(family.children) < wanted and born < self.end:
            twins = rng.random() < TWIN_RATE
            first = self._child(born, surname, country, family_name, family, like_eldest=alike)
            if twins:
                first.is_twin = True
                other = self._child(
                    born,
                    surname,
                    country,
                    family_name,
                    family,
                    like=first,
                    sex=first.sex if rng.random() < 0.68 else None,
                )
                other.is_twin = True
            born += int(min(max(rng.gauss(2.7, 1.1), 1.0), 8) * YEAR)

    def _child(
        self, born: int, surname: Surname, country: str, family_name: object, family: Family, *,
        like: Person | None = None, like_eldest: bool = False, sex: str | None = None,
    ) -> Person:  # fmt: skip
        rng, city = self.rng, self.city
        sex = sex or ("M" if rng.random() < 0.513 else "F")
        taken = {c.given.text for c in family.children}
        model = like.given if like and rng.random() < 0.45 else None
        if like_eldest and family.children:
            model = family.children[0].given
        year = dt.date.fromordinal(born).year
        given = city.names.given(rng, sex, year, like=model)
        while given.text in taken:
            given = city.names.given(rng, sex, year)
        foreign = city.names.foreign(rng, country, sex, family_name) if country else None  # type: ignore[arg-type]
        child = city.person(sex, born, surname, given=given, foreign=foreign)
        child.mother, child.father = family.mother, family.father
        if family.father is not None and family.father.alias:
            child.alias = family.father.alias
        family.children.append(child)
        return child

    def _grandparents(self, family: Family, mother: Person, father: Person) -> None:
        rng = self.rng
        single = family.father is None
        if family.is_foreign or rng.random() > (0.24 if single else 0.13):
            return
        child = mother if single or rng.random() < 0.3 else father
        surname = child.surnames[0][1]
        grandmother = self.city.person("F", int(child.born - rng.gauss(28, 4) * YEAR), surname)
        family.grandparents.append(grandmother)
        if rng.random() < 0.62:
            grandfather = self.city.person("M", int(grandmother.born - rng.gauss(2, 3) * YEAR), surname)
            family.grandparents.append(grandfather)
        child.mother = grandmother

    # ── when ──

    def tell(self) -> Family:
        """Register the family through its whole story."""
        family = self.family
        family.arrived_on = self._arrival()
        family.left_on = self.until
        self._foresee()
        while self.queue:
            event = heapq.heappop(self.queue)
            if event.day < self.end or event.kind == "arrive":
                getattr(self, f"_{event.kind}")(event.day, event.person)
        if self.until <= LAST_DAY:
            self._leave(self.until, None)
        family.children = [c for c in family.children if c.stays]
        return family

    def _will(self, day: int, order: int, kind: str, person: Person | None = None) -> None:
        self._count += 1
        heapq.heappush(self.queue, Event(day, order, self._count, kind, person))

    def _arrival(self) -> int:
        rng, eldest = self.rng, self.family.children[0].born
        if rng.random() < 0.66:
            return eldest - rng.randint(100, 2500)
        return min(rng.randint(eldest, max(eldest + 1, self.end - 30)), self.end - 1)

    def _foresee(self) -> None:
        rng, family = self.rng, self.family
        self._will(family.arrived_on, 0, "arrive")
        eldest = family.children[0].born
        self._separation(eldest)
        for child in family.children:
            if child.born > family.arrived_on:
                self._will(child.born, 1, "birth", child)
            grown = dt.date(dt.date.fromordinal(child.born - 1).year + 19, 3, 25).toordinal()
            if rng.random() < 0.5:
                self._will(grown + rng.randrange(12), 6, "grow_up", child)
        begun = max(eldest, family.arrived_on, HISTORY_FROM - 900) + 60
        for year in range((self.end - begun) // 365):
            if rng.random() < 0.042:
                self._will(begun + int((year + rng.random()) * 365), 4, "relocate")
        self._absence(max(begun, HISTORY_FROM))
        for grandparent in family.grandparents:
            death = self._death(grandparent)
            if death:
                self._will(death, 9, "die", grandparent)

    def _absence(self, begun: int) -> None:
        rng = self.rng
        if rng.random() < 0.03 and self.end - begun > 900:
            gone = rng.randint(begun, self.end - 500)
            self._will(gone, 7, "go_away")
            self._will(gone + rng.randint(180, max(200, min(1400, self.end - gone - 60))), 8, "come_back")

    def _separation(self, eldest: int) -> None:
        rng, family = self.rng, self.family
        if family.father is None:
            self._remarriage(eldest)
            return
        years = (self.end - eldest) / YEAR
        chance = (SINGLE_MOTHER + SINGLE_FATHER) * min(2.0, 0.28 + years / 9.0)
        if rng.random() > chance or years < 0.5:
            return
        day = eldest + int(rng.betavariate(1.5, 1.9) * years * YEAR) + 30
        if day >= self.end:
            return
        by_father = rng.random() < SINGLE_FATHER / (SINGLE_MOTHER + SINGLE_FATHER)
        family.custodian = family.father if by_father else family.mother
        family.single_from = day
        self._will(day, 2, "divorce")
        self._remarriage(day)

    def _remarriage(self, after: int) -> None:
        rng, family = self.rng, self.family
        day = after + int(rng.expovariate(1 / 9.0) * YEAR) + 330
        if day < self.end - 30:
            family.remarried_on = day
            self._will(day, 3, "remarry")
        unborn = range(after + 200, (day + 240) if family.remarried_on < FOR_EVER else FOR_EVER)
        family.children = [c for c in family.children if c.born not in unborn or c.born == after]

    def _death(self, person: Person) -> int | None:
        start = max(HISTORY_FROM, self.family.arrived_on + 30)
        for day in range(start, self.end, 365):
            if self.rng.random() < death_rate(person, day):
                return day + self.rng.randrange(min(365, max(1, self.end - day)))
        return None

    # ── what happens ──

    def _members(self, day: int) -> list[Person]:
        family = self.family
        parents = [p for p in (family.father, family.mother) if p is not None]
        if family.single_from <= day and family.custodian is not None:
            parents = [family.custodian]
        if family.remarried_on <= day and family.step_parent is not None:
            parents.append(family.step_parent)
        alive = [g for g in family.grandparents if g.died is None]
        return [*parents, *alive, *(c for c in family.children if c.born <= day)]

    def _arrive(self, day: int, _: Person | None) -> None:
        city, rng = self.city, self.rng
        self.is_here = True
        self.household = city.new_household()
        members = self._members(day)
        self.head = members[0]
        grandfathers = [g for g in self.family.grandparents if g.sex == "M"]
        if grandfathers and rng.random() < 0.5:
            self.head = grandfathers[0]
        reason = "転入" if rng.random() < 0.96 or day < HISTORY_FROM else "職権記載"
        for person in members:
            city.settle(person, day, self.household, self.address, self._relation(person, day), reason)

    def _birth(self, day: int, child: Person | None) -> None:
        assert child is not None  # noqa: S101
        family = self.family
        if family.step_parent is not None and family.custodian is not None:
            child.mother, child.father = sorted((family.custodian, family.step_parent), key=lambda p: p.sex)
            child.surnames[:] = [(0, child.father.surname_on(day))]
        if not self.is_here:
            return
        self.city.settle(child, day, self.household, self.address, self._relation(child, day), "出生")

    def _relocate(self, day: int, _: Person | None) -> None:
        if not self.is_here:
            return
        self.address = self._home()
        self.family.moves.append(day)
        for person in self._members(day):
            self.city.change(person, day, "転居", address=self.address)

    def _divorce(self, day: int, _: Person | None) -> None:
        family, rng, city = self.family, self.rng, self.city
        leaver = family.father if family.custodian is family.mother else family.mother
        assert leaver is not None and family.custodian is not None  # noqa: S101
        if not self.is_here:
            self.head = family.custodian
            self._surnames_after_divorce(day)
            return
        theirs = rng.random() < 0.42  # the custodian stays in the home
        in_laws = [g for g in family.grandparents if leaver.mother is family.grandparents[0]]
        if in_laws:
            theirs = False
        if not theirs:
            old_household = self.household
            self.household, self.address = city.new_household(), self._home()
            family.moves.append(day)
            for left_behind in in_laws:
                city.change(left_behind, day, "世帯変更", household=old_household)
            family.grandparents = [g for g in family.grandparents if g not in in_laws]
        self.head = family.custodian
        for person in self._members(day):
            city.change(
                person, day, "離婚" if person is family.custodian else "世帯変更",
                household=self.household, address=self.address, relation=self._relation(person, day),
            )  # fmt: skip
        self._surnames_after_divorce(day)
        self._ex_partner(leaver, day, theirs, in_laws)

    def _surnames_after_divorce(self, day: int) -> None:
        family, rng = self.family, self.rng
        mother = family.mother
        if family.is_foreign or rng.random() > 0.62 or len(mother.surnames) < 2:
            return
        maiden = mother.surnames[0][1]
        mother.surnames.append((day, maiden))
        if family.custodian is mother and rng.random() < 0.72:
            changed = day + rng.randint(20, 160)
            for child in family.children:
                if child.born < changed:
                    self._will(changed, 5, "take_mothers_name", child)

    def _take_mothers_name(self, day: int, child: Person | None) -> None:
        assert child is not None  # noqa: S101
        child.surnames.append((day, self.family.mother.surname_on(day)))
        self.city.change(child, day, "氏名変更", always=True)

    def _ex_partner(self, leaver: Person, day: int, theirs: bool, in_laws: list[Person]) -> None:
        rng, city = self.rng, self.city
        roll = rng.random()
        if in_laws and roll < 0.7:
            return
        if roll < 0.6:
            city.leave(leaver, day + rng.randrange(25), "転出")
        elif theirs:
            city.change(leaver, day, "離婚", household=city.new_household(), address=self._home(), relation="世帯主")
        else:
            city.change(leaver, day, "離婚", relation="世帯主")

    def _remarry(self, day: int, _: Person | None) -> None:
        family, rng, city = self.family, self.rng, self.city
        custodian = family.custodian
        assert custodian is not None  # noqa: S101
        sex = "M" if custodian.sex == "F" else "F"
        partner = city.person(sex, int(custodian.born + rng.gauss(-1, 5) * YEAR), city.names.surname(rng))
        family.step_parent, partner.family = partner, family
        if self.is_here:
            if rng.random() < 0.3:
                self.address = self._home()
                family.moves.append(day)
            city.settle(partner, day, self.household, self.address, "夫", "転入")
        surname = partner.surnames[0][1] if sex == "M" else custodian.surname_on(day)
        if sex == "M":
            self.head = partner
        else:
            partner.surnames.append((day, surname))
        if not family.is_foreign and sex == "M":
            custodian.surnames.append((day, surname))
            if rng.random() < 0.82:
                for child in (c for c in family.children if c.born <= day):
                    child.surnames.append((day, surname))
        for person in self._members(day):
            kind = "婚姻" if person is custodian else "氏名変更" if person.surnames[-1][0] == day else "世帯変更"
            city.change(person, day, kind, always=True, address=self.address, relation=self._relation(person, day))

    def _go_away(self, day: int, _: Person | None) -> None:
        self.is_here = False
        for person in self._members(day):
            self.city.leave(person, day, "転出")

    def _come_back(self, day: int, _: Person | None) -> None:
        if self.is_here:
            return
        self.is_here = True
        self.household, self.address = self.city.new_household(), self._home()
        self.family.arrived_on = day
        members = self._members(day)
        if self.head not in members:
            self.head = members[0]
        for person in members:
            if (person.died is None and person.last_stay() is None) or (person.stays and person.stays[-1].end <= day):
                self.city.settle(person, day, self.household, self.address, self._relation(person, day), "転入")

    def _grow_up(self, day: int, child: Person | None) -> None:
        assert child is not None  # noqa: S101
        if self.is_here:
            self.city.leave(child, day, "転出")

    def _die(self, day: int, person: Person | None) -> None:
        assert person is not None  # noqa: S101
        if person.stay_on(day) is None:
            return
        self.city.leave(person, day, "死亡")
        if person is self.head:
            members = self._members(day)
            self.head = members[0]
            for member in members:
                self.city.change(member, day, "世帯変更", relation=self._relation(member, day))

    def _leave(self, day: int, _: Person | None) -> None:
        for person in self._members(day):
            self.city.leave(person, day, "転出")

    def _relation(self, person: Person, day: int) -> str:
        """続柄, seen from the head of the household."""
        family, head = self.family, self.head
        if person is head:
            return "世帯主"
        if head in family.grandparents:
            return self._relation_to_grandparent(person)
        if person in family.children:
            own = head in (person.mother, person.father)
            adopted = person.surname_on(day) == (head.surname_on(day) if head else None)
            return "子" if own or adopted else "妻の子" if head and head.sex == "M" else "夫の子"
        if person in family.grandparents:
            word = "母" if person.sex == "F" else "父"
            return word if head is not None and head.mother is family.grandparents[0] else f"妻の{word}"
        return "妻" if person.sex == "F" else "夫"

    def _relation_to_grandparent(self, person: Person) -> str:
        family = self.family
        if person in family.grandparents:
            return "妻" if person.sex == "F" else "夫"
        if person in family.children:
            return "子の子"
        if person.mother is family.grandparents[0]:
            return "子"
        return "子の妻" if person.sex == "F" else "子の夫"


def death_rate(person: Person, day: int) -> float:
    """Chance of dying within the year: doubling about every eight years from forty on, men earlier."""
    age = age_on(person.born, day) + (3 if person.sex == "M" else 0)
    return min(0.6, 0.0016 * 2 ** ((age - 45) / 8.2)) if age > 40 else 0.0003


def is_child(person: Person, day: int) -> bool:
    """Born and under eighteen on that day (児童福祉法4条)."""
    return person.born <= day and age_on(person.born, day) < 18

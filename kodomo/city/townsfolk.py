"""Everyone else in ひなた市, and the city filled to its size (synthetic city)."""

from __future__ import annotations

from collections.abc import Callable

from kodomo.city.families import YEAR, FamilyStory, death_rate, is_child
from kodomo.city.names import Surname
from kodomo.city.people import FOR_EVER, HISTORY_FROM, LAST_DAY, City, Person
from kodomo.progress import Progress

CHILD_SHARE = 0.154
"""Share of residents under eighteen."""

Beat = Callable[[dict[str, object]], None] | None

KINDS = (
    ("old_single", 0.22),
    ("young_single", 0.20),
    ("old_couple", 0.28),
    ("couple", 0.12),
    ("parent_and_adult", 0.18),
)


def found_city(residents: int, seed: int, beat: Beat = None) -> City:
    """A city of exactly so many residents on its last day, with everyone who left or died since the history begins.

    Args:
        residents: registered on the last day.
        seed: same seed, same city.
        beat: progress listener.
    """
    city = City(seed)
    counter = Progress("ひなた市の人びと", residents, unit="人", beat=beat)
    families = _families(city, residents, counter)
    _leavers(city, residents, families)
    _neighbours(city, residents, counter)
    _outsiders(city, residents)
    _protect(city, residents)
    city.people = [p for p in city.people if p.stays or p.outside_number]  # never registered: only told of
    counter.close()
    return city


def _families(city: City, residents: int, counter: Progress) -> int:
    wanted = round(residents * CHILD_SHARE)
    found, told = 0, 0
    while found < wanted:
        family = FamilyStory(city).tell()
        told += 1
        found += sum(is_child(c, LAST_DAY) and c.is_resident(LAST_DAY) for c in family.children)
        counter.add(len(family.children) + 2)
    return told


def _leavers(city: City, residents: int, families: int) -> None:
    rng = city.rng
    span = LAST_DAY - HISTORY_FROM
    for _ in range(round(families * 0.2)):
        FamilyStory(city, until=HISTORY_FROM + rng.randrange(60, span)).tell()
    for _ in range(round(residents * 0.05)):
        gone = HISTORY_FROM + rng.randrange(60, span)
        _household(city, _kind(city), gone)


def _kind(city: City) -> str:
    return city.rng.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]


def _neighbours(city: City, residents: int, counter: Progress) -> None:
    missing = residents - len(city.residents(LAST_DAY))
    while missing > 0:
        kind = _kind(city) if missing > 3 else "young_single"
        missing -= sum(p.is_resident(LAST_DAY) for p in _household(city, kind, FOR_EVER))
        counter.add(2)


def _household(city: City, kind: str, until: int) -> list[Person]:
    """One household without children, some of whose members died within the history."""
    rng = city.rng
    members = _members(city, kind)
    address = city.places.dwelling(rng, flat=0.6 if "single" in kind else 0.15)
    household = city.new_household()
    arrived = _arrival(city, kind, min(until, LAST_DAY))
    for i, person in enumerate(members):
        relation = "世帯主" if i == 0 else "子" if person.born > members[0].born + 15 * YEAR else "妻"
        later = person.born > arrived
        city.settle(person, max(arrived, person.born), household, address, relation, "出生" if later else "転入")
    for person in members:
        _mortality(city, person, arrived, min(until, LAST_DAY))
    _succession(city, members)
    if rng.random() < 0.12:
        day = max(arrived, HISTORY_FROM) + rng.randrange(30, 3000)
        if day < min(until, LAST_DAY):
            address = city.places.dwelling(rng, flat=0.5)
            for person in members:
                city.change(person, day, "転居", address=address)
    if until <= LAST_DAY:
        for person in members:
            city.leave(person, until, "転出" if rng.random() < 0.97 else "職権消除")
    return members


def _arrival(city: City, kind: str, before: int) -> int:
    rng = city.rng
    years = rng.expovariate(1 / (4.0 if kind == "young_single" else 22.0)) + 0.1
    return max(before - int(years * YEAR) - 20, before - int(55 * YEAR))


def _members(city: City, kind: str) -> list[Person]:
    rng = city.rng
    surname = city.names.surname(rng)
    if rng.random() < 0.02 and kind == "young_single":
        return [_foreigner(city)]
    ages = {"old_single": (77, 9), "young_single": (37, 13), "old_couple": (72, 7), "couple": (47, 11)}
    mean, spread = ages.get(kind, (76, 7))
    low = 19.2 if kind == "young_single" else 26
    age = min(max(rng.gauss(mean, spread), low), 101)
    if kind.endswith("single"):
        sex = "F" if rng.random() < (0.66 if kind == "old_single" else 0.44) else "M"
        return [city.person(sex, int(LAST_DAY - age * YEAR), surname)]
    man = city.person("M", int(LAST_DAY - (age + 2) * YEAR), surname)
    woman = _wife(city, man, surname)
    if kind != "parent_and_adult":
        return [man, woman]
    child = city.person(rng.choice("MF"), int(woman.born + rng.gauss(29, 4) * YEAR), surname)
    child.mother = woman
    return [man, woman, child] if rng.random() < 0.5 else [woman, child]


def _wife(city: City, man: Person, surname: Surname) -> Person:
    woman = city.person("F", int(man.born + city.rng.gauss(2.5, 3) * YEAR), city.names.surname(city.rng))
    woman.surnames.append((int(woman.born + 26 * YEAR), surname))
    return woman


def _foreigner(city: City) -> Person:
    rng = city.rng
    country = str(city.names.countries.one(rng))
    sex = rng.choice("MF")
    name = city.names.foreign(rng, country, sex)
    return city.person(sex, int(LAST_DAY - rng.uniform(20, 48) * YEAR), Surname(*name.family), foreign=name)


def _mortality(city: City, person: Person, arrived: int, until: int) -> None:
    # Only some of those who died are told of: a household with a dead member is generated with the living.
    for day in range(max(HISTORY_FROM, arrived + 10), until, 365):
        if city.rng.random() < death_rate(person, day) * 0.8:
            city.leave(person, min(day + city.rng.randrange(365), until - 1), "死亡")
            return


def _succession(city: City, members: list[Person]) -> None:
    head = members[0]
    heirs = [m for m in members[1:] if m.died is None]
    if head.died is None or not heirs:
        return
    for i, heir in enumerate(heirs):
        relation = "世帯主" if i == 0 else "子"
        city.change(heir, head.died, "世帯変更", relation=relation)


def _outsiders(city: City, residents: int) -> None:
    """住登外者: known to an office by a number of its own, never registered here.

    Some are strangers (里帰り出産, facilities); some are residents who were given a second number.
    """
    rng = city.rng
    for _ in range(max(6, round(residents * 0.003))):
        surname = city.names.surname(rng)
        person = city.person(rng.choice("MF"), int(LAST_DAY - rng.uniform(0.5, 40) * YEAR), surname)
        person.outside_number = f"9{rng.randrange(10**8, 10**9)}"
    homes = [p for p in city.people if p.stays and is_child(p, LAST_DAY)]
    for person in rng.sample(homes, min(len(homes), max(3, round(residents * 0.0008)))):
        person.outside_number = f"9{rng.randrange(10**8, 10**9)}"


def _protect(city: City, residents: int) -> None:
    """支援措置 for about 0.3 % of households, most of them mothers with children who came here."""
    rng = city.rng
    households = max(3, round(residents / 2.3 * 0.003))
    likely = [f for f in city.families if f.is_single(LAST_DAY) and f.mother.is_resident(LAST_DAY)]
    rng.shuffle(likely)
    for family in likely[: round(households * 0.8)]:
        for person in (family.custodian, *family.children):
            if person is not None and person.is_resident(LAST_DAY):
                person.is_protected = True
    others = [p for p in city.people if p.is_resident(LAST_DAY) and p.family is None]
    for person in rng.sample(others, min(len(others), max(1, round(households * 0.2)))):
        person.is_protected = True

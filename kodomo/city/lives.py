"""What children and families in ひなた市 go through, month by month: hidden burdens and the seven difficulties (synthetic city).

Nothing here is printed. Burdens (家計, 孤立, 親の心の不調, 家族の世話, 発達特性, 学校適応) drive liabilities
with thresholds, so that base rates hold while combinations matter more than their sum. Part of every
liability is left to chance nobody records, so that no record can tell the whole of it.
Base rates: 国の調査 (不登校 小2.3 %・中6.7 %, 貧困 11.5 %, ヤングケアラー 約6 %, EPDS9点以上 9.7 %, 発達 8.8 %).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.city.eras import grade_in, month_start
from kodomo.city.families import is_child
from kodomo.city.people import LAST_DAY, City, Family, Person
from kodomo.terms import DifficultyType as Type

Floats = NDArray[Any]
Flags = NDArray[Any]
Days = NDArray[Any]

MONTHS = 72
"""Lives are followed for six years, so that registrations and check-ups before the window have causes."""


@dataclass
class CareNeed:
    """要介護 of a grandparent in the family's home: level 1 (要支援1) to 7 (要介護5), from a day on."""

    person: Person
    level: int
    since: int
    service: float


@dataclass
class Lives:
    """Hidden states. First axis child (or family), second axis month."""

    children: list[Person]
    families: list[Family]
    family_of: Days
    starts: Days
    born: Days
    is_boy: Flags
    age: Floats
    grade: NDArray[Any]
    resident: Flags
    single: Flags
    econ: Floats
    isolation: Floats
    mental: Floats
    care: Floats
    development: Floats
    adjustment: Floats
    young_mother: Flags
    step: Flags
    kids: NDArray[Any]
    birth_order: NDArray[Any]
    arrived: Days
    care_needs: dict[int, list[CareNeed]]
    states: dict[Type, Flags] = field(default_factory=dict)
    excess: dict[Type, Floats] = field(default_factory=dict)
    connected: Days = field(default_factory=lambda: np.zeros(0, np.int64))
    needs_development_support: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def months(self) -> int:
        """How many months are followed."""
        return len(self.starts)

    def pupil(self) -> Flags:
        """Of compulsory school age and registered, by month."""
        return (self.grade >= 1) & (self.grade <= 9) & self.resident

    def by_child(self, family_array: NDArray[Any]) -> NDArray[Any]:
        """A family array spread over children."""
        return family_array[self.family_of]


def live(city: City, rng: np.random.Generator) -> Lives:
    """Follow every family with a child registered within the followed months."""
    starts = np.array([month_start(2026, 4, shift) for shift in range(-MONTHS, 0)])
    families = [f for f in city.families if any(_was_here(c, int(starts[0])) for c in f.children)]
    children = [(i, c) for i, f in enumerate(families) for c in f.children if _was_here(c, int(starts[0]))]
    lives = _frame(families, children, starts)
    _burdens(lives, rng)
    _difficulties(lives, rng)
    return lives


def _was_here(child: Person, since: int) -> bool:
    return any(s.end > since and is_child(child, max(s.start, since)) for s in child.stays)


def _frame(families: list[Family], pairs: list[tuple[int, Person]], starts: Days) -> Lives:
    children = [c for _, c in pairs]
    born = np.array([c.born for c in children], dtype=np.int64)
    months, size = len(starts), len(families)
    years = [d.year - (d.month < 4) for d in map(dt.date.fromordinal, starts.tolist())]
    first_year = np.array([years[0] - grade_in(c.born, years[0]) + 1 for c in children])
    resident = np.zeros((len(children), months), bool)
    for i, child in enumerate(children):
        for stay in child.stays:
            resident[i] |= (starts + 27 >= stay.start) & (starts < stay.end)
    age = (starts[None, :] - born[:, None]) / 365.25
    order = [sorted(families[i].children, key=lambda c: c.born).index(c) for i, c in pairs]
    minors = np.zeros((size, months), np.int16)
    family_of = np.array([i for i, _ in pairs], dtype=np.int64)
    np.add.at(minors, family_of, ((age >= 0) & (age < 18)).astype(np.int16))
    return Lives(
        children=children, families=families, family_of=family_of, starts=starts, born=born,
        is_boy=np.array([c.sex == "M" for c in children]), age=age.astype(np.float32),
        grade=(np.array(years)[None, :] - first_year[:, None] + 1).astype(np.int16),
        resident=resident & (age > -0.08) & (age < 18),
        single=_between(families, starts, "single_from", "remarried_on"),
        econ=np.zeros((size, months), np.float32), isolation=np.zeros((size, months), np.float32),
        mental=np.zeros((size, months), np.float32), care=np.zeros((size, months), np.float32),
        development=np.zeros(len(children), np.float32), adjustment=np.zeros((len(children), months), np.float32),
        young_mother=np.array([(f.children[0].born - f.mother.born) / 365.25 < 21.5 for f in families]),
        step=np.array([starts >= f.remarried_on for f in families]).reshape(size, months),
        kids=minors, birth_order=np.array(order, np.int16),
        arrived=np.array([f.arrived_on for f in families], dtype=np.int64), care_needs={},
    )  # fmt: skip


def _between(families: list[Family], starts: Days, first: str, last: str) -> Flags:
    begin = np.array([getattr(f, first) for f in families])[:, None]
    end = np.array([getattr(f, last) for f in families])[:, None]
    return (starts[None, :] >= begin) & (starts[None, :] < end)


def wander(rng: np.random.Generator, rows: int, months: int, keep: float) -> Floats:
    """A stationary AR(1) of unit variance per row: moods that last for about 1 / (1 - keep) months."""
    out = np.empty((rows, months), np.float32)
    out[:, 0] = rng.standard_normal(rows, np.float32)
    fresh = float(np.sqrt(1 - keep * keep))
    for month in range(1, months):
        out[:, month] = keep * out[:, month - 1] + fresh * rng.standard_normal(rows, np.float32)
    return out


def plus(values: Floats) -> Floats:
    """What lies above zero; combinations of burdens are felt only where both are there."""
    return np.maximum(values, 0)


# ── burdens ──


def _burdens(lives: Lives, rng: np.random.Generator) -> None:
    size, months = lives.econ.shape
    foreign = np.array([f.is_foreign for f in lives.families])[:, None]
    base = rng.standard_normal((size, 1), np.float32)
    shock = wander(rng, size, months, 0.96)
    # One adult shifts the family's money by so much that 44.5 % against 8.6 % fall below the line.
    lives.econ = (0.86 * base + 0.5 * shock + 1.62 * lives.single + 0.35 * lives.young_mother[:, None]).astype(
        np.float32
    )
    lives.econ += 0.25 * foreign + 0.12 * plus((lives.kids - 2).astype(np.float32)) - 0.1
    recent = (lives.starts[None, :] - lives.arrived[:, None] < 730) & (lives.starts[None, :] >= lives.arrived[:, None])
    grandparent = np.array([bool(f.grandparents) for f in lives.families])[:, None]
    lives.isolation = (
        rng.standard_normal((size, 1), np.float32)
        + 0.5 * recent
        + 0.45 * foreign
        - 0.5 * grandparent
        + 0.25 * lives.single
    ).astype(np.float32)
    infant = np.zeros((size, months), bool)
    np.logical_or.at(infant, lives.family_of, (lives.age >= 0) & (lives.age < 1))
    lives.mental = (
        0.6 * rng.standard_normal((size, 1), np.float32) + 0.65 * wander(rng, size, months, 0.93)
        + 0.22 * plus(lives.econ) + 0.18 * lives.isolation
        + 0.75 * infant * plus(rng.standard_normal((size, 1), np.float32))
    ).astype(np.float32)  # fmt: skip
    shared: Floats = rng.standard_normal((size, 1), np.float32)[lives.family_of, 0]
    own = rng.standard_normal(len(lives.children), np.float32)
    lives.development = (0.45 * shared + 0.89 * own + 0.28 * lives.is_boy - 0.14).astype(np.float32)
    _care_needs(lives, rng)
    lives.adjustment = (
        0.55 * rng.standard_normal((len(lives.children), 1), np.float32) + 0.7 * wander(rng, len(lives.children), months, 0.9)
        - 0.3 * plus(lives.development)[:, None]
    ).astype(np.float32)  # fmt: skip


def _care_needs(lives: Lives, rng: np.random.Generator) -> None:
    infants = np.zeros(lives.econ.shape, np.int16)
    np.add.at(infants, lives.family_of, ((lives.age >= 0) & (lives.age < 4)).astype(np.int16))
    lives.care = (0.25 * infants * (lives.single | (lives.kids >= 3)) + 0.35 * plus(lives.mental - 1.2)).astype(
        np.float32
    )
    for i, family in enumerate(lives.families):
        for person in family.grandparents:
            age = (LAST_DAY - person.born) / 365.25
            if rng.random() >= (0.5 if age > 84 else 0.28 if age > 76 else 0.12 if age > 68 else 0.04):
                continue
            level = int(rng.choice(7, p=(0.15, 0.14, 0.21, 0.18, 0.13, 0.11, 0.08))) + 1
            since = LAST_DAY - int(rng.integers(90, 2400))
            service = float(np.clip(rng.normal(2.0 + 1.7 * level - 1.6 * max(lives.econ[i, -1], 0), 3), 0, 26))
            lives.care_needs.setdefault(i, []).append(CareNeed(person, level, since, service))
            lives.care[i] += (lives.starts >= since) * (0.28 * level) * (1.15 - service / 26)
    siblings = np.zeros(len(lives.families), np.float32)
    np.add.at(siblings, lives.family_of, plus(lives.development - 1.7))
    lives.care += 0.4 * np.minimum(siblings, 2.0)[:, None]


# ── difficulties ──


def _difficulties(lives: Lives, rng: np.random.Generator) -> None:
    kids, months = lives.age.shape
    econ, iso, mental, care = (lives.by_child(a) for a in (lives.econ, lives.isolation, lives.mental, lives.care))
    single, step, many = lives.by_child(lives.single), lives.by_child(lives.step), lives.by_child(lives.kids)
    young = lives.by_child(lives.young_mother)[:, None]
    foreign = np.array([f.is_foreign for f in lives.families])[lives.family_of][:, None]
    recent = (lives.starts[None, :] - lives.by_child(lives.arrived)[:, None] < 500).astype(np.float32)
    dev = lives.development[:, None]
    here = lives.resident
    school = lives.pupil()

    def chance(own: float, family: float, mood: float, keep: float) -> Floats:
        mine = own * rng.standard_normal((kids, 1), np.float32) + mood * wander(rng, kids, months, keep)
        return mine + family * rng.standard_normal((len(lives.families), 1), np.float32)[lives.family_of]

    # 貧困: the line is drawn through the family's money itself.
    _cross(lives, Type.POVERTY, econ + chance(0, 0.42, 0, 0.9) + 0.25 * _family_mood(lives, rng), here, 0.119, 0.10)
    abuse = (
        0.30 * econ + 0.30 * iso + 0.45 * mental + 0.55 * step + 0.35 * young + 0.12 * plus((many - 2).astype(np.float32))
        + 0.45 * plus(econ) * plus(iso) + 0.40 * plus(mental) * ((lives.age < 3) | (dev > 1)) + 0.2 * recent
        + chance(0.45, 0.85, 0.5, 0.93)
    )  # fmt: skip
    _cross(lives, Type.ABUSE, abuse, here & (lives.age >= 0), 0.040, 0.25)
    bullying = (
        -0.50 * lives.adjustment + 0.40 * plus(dev) + 0.35 * recent + 0.45 * foreign + 0.25 * plus(econ) * plus(dev)
        + chance(0.75, 0, 1.0, 0.87)
    )  # fmt: skip
    _cross(lives, Type.BULLYING, bullying, school & (lives.grade <= 6), 0.042, 0.3)
    _cross(lives, Type.BULLYING, bullying, school & (lives.grade > 6), 0.028, 0.3)
    lives.adjustment -= 0.5 * lives.states[Type.BULLYING]
    refusal = (
        0.40 * plus(dev) - 0.50 * lives.adjustment + 0.22 * econ + 0.32 * plus(mental) + 0.35 * single
        + 0.55 * plus(dev) * (lives.grade >= 7) + 0.45 * plus(-lives.adjustment) * plus(econ) + chance(1.0, 0.6, 0.8, 0.94)
    )  # fmt: skip
    # Those who do not reach thirty days yet, or come for part of the day, are in difficulty too: half as many again.
    for grade, rate in enumerate((0.014, 0.020, 0.027, 0.034, 0.043, 0.054, 0.073, 0.092, 0.102), start=1):
        _cross(lives, Type.NON_ATTENDANCE, refusal, school & (lives.grade == grade), rate, 0.45)
    carer = (
        0.85 * care + 0.32 * single + 0.20 * plus((many - 2).astype(np.float32)) + 0.22 * (lives.birth_order == 0)[:, None]
        - 0.1 * lives.is_boy[:, None] + 0.45 * foreign + 0.35 * plus(econ) * (many >= 3) + 0.55 * plus(mental - 0.8) * single
        + chance(0.55, 0.60, 0.35, 0.95)
    )  # fmt: skip
    _cross(lives, Type.YOUNG_CARER, carer, here & (lives.age >= 8), 0.060, 0.2)
    _postnatal(lives, rng, econ, iso, mental, young)
    _developmental(lives, rng, econ, iso)


def _family_mood(lives: Lives, rng: np.random.Generator) -> Floats:
    return wander(rng, len(lives.families), lives.months, 0.95)[lives.family_of]


def _cross(lives: Lives, kind: Type, liability: Floats, eligible: Flags, rate: float, slack: float) -> None:
    """In difficulty from crossing the threshold until ``slack`` below it; the threshold meets the base rate."""
    state = lives.states.setdefault(kind, np.zeros(eligible.shape, bool))
    excess = lives.excess.setdefault(kind, np.full(eligible.shape, -9, np.float32))
    if not eligible.any():
        return
    recent = np.zeros(eligible.shape, bool)
    recent[:, -36:] = eligible[:, -36:]
    sample = liability[recent] if recent.any() else liability[eligible]
    low, high = np.quantile(sample, 1 - rate) - 1.5, float(sample.max())
    found = _spells(liability, eligible, low, slack)
    for _ in range(14):
        middle = (low + high) / 2
        found = _spells(liability, eligible, middle, slack)
        if found[recent].mean() > rate:
            low = middle
        else:
            high = middle
    state |= found
    excess[eligible] = (liability - high)[eligible]


def _spells(liability: Floats, eligible: Flags, threshold: float, slack: float) -> Flags:
    state = np.zeros(liability.shape, bool)
    state[:, 0] = liability[:, 0] > threshold
    for month in range(1, liability.shape[1]):
        held = state[:, month - 1] & (liability[:, month] > threshold - slack)
        state[:, month] = held | (liability[:, month] > threshold)
    return state & eligible


def _postnatal(lives: Lives, rng: np.random.Generator, econ: Floats, iso: Floats, mental: Floats, young: Flags) -> None:
    # The mother's state is one for twins: chance is drawn per family.
    size, months = lives.econ.shape
    luck = (0.45 * rng.standard_normal((size, 1), np.float32) + 0.35 * wander(rng, size, months, 0.9))[lives.family_of]
    liability = 0.75 * mental + 0.25 * young + 0.22 * iso + 0.35 * plus(econ) * plus(iso) + luck
    infant = lives.resident & (lives.age >= 0) & (lives.age < 1)
    _cross(lives, Type.POSTNATAL_DEPRESSION, liability, infant, 0.097, 0.8)


def _developmental(lives: Lives, rng: np.random.Generator, econ: Floats, iso: Floats) -> None:
    """In need from the age it shows until somebody connects the child with support."""
    kids = len(lives.children)
    need = lives.development > np.quantile(lives.development, 1 - 0.088)
    shows = lives.born + (365.25 * rng.uniform(1.6, 5.5, kids)).astype(np.int64)
    barrier = 0.5 * plus(econ[:, -1]) + 0.4 * plus(iso[:, -1]) - 0.5 * plus(lives.development - 1.9)
    years = rng.exponential(9.0 * np.exp(np.clip(barrier, -1, 1.5)))
    lives.connected = np.where(need, shows + (365.25 * (0.4 + years)).astype(np.int64), 0)
    lives.needs_development_support = need
    open_need = need[:, None] & (lives.starts >= shows[:, None]) & (lives.starts < lives.connected[:, None])
    lives.states[Type.DEVELOPMENTAL_DISORDER] = open_need & lives.resident
    lives.excess[Type.DEVELOPMENTAL_DISORDER] = np.repeat(
        (lives.development - np.quantile(lives.development, 1 - 0.088))[:, None], lives.months, axis=1
    ).astype(np.float32)

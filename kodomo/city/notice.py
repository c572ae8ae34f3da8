"""What the city noticed: consultations and registrations with the council, biased to those already in contact (synthetic city).

About 2 % of children are registered, a fraction of those in difficulty; families nobody visits are
noticed least. Some are registered without being in difficulty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.city.benefits import Benefits
from kodomo.city.lives import Flags, Floats, Lives, plus
from kodomo.city.people import FOR_EVER, LAST_DAY, Person
from kodomo.terms import DifficultyType as Type

OPEN_SHARE = {
    Type.ABUSE: 0.0105,
    Type.NON_ATTENDANCE: 0.0038,
    Type.YOUNG_CARER: 0.0018,
    Type.POVERTY: 0.0014,
    Type.DEVELOPMENTAL_DISORDER: 0.0016,
    Type.POSTNATAL_DEPRESSION: 0.0005,
    Type.BULLYING: 0.0005,
}
"""Registrations open on the last day, as shares of all children: together about 2 %."""

CONSULTED = {
    Type.ABUSE: (("01", 0.0055), ("02", 0.0055)),
    Type.NON_ATTENDANCE: (("03", 0.0088),),
    Type.BULLYING: (("04", 0.0066),),
    Type.DEVELOPMENTAL_DISORDER: (("05", 0.0044), ("02", 0.0011)),
    Type.YOUNG_CARER: (("06", 0.0019), ("99", 0.0011)),
    Type.POVERTY: (("07", 0.0014),),
    Type.POSTNATAL_DEPRESSION: (("08", 0.0165), ("02", 0.0055)),
}
"""Monthly chance of a consultation of a kind while in difficulty, before contact counts."""


@dataclass(frozen=True)
class Consultation:
    """A consultation with the centre."""

    child: int
    day: int
    kind: str


@dataclass(frozen=True)
class Registration:
    """A case of the council; ``child`` -1: the person is a pregnant woman (特定妊婦)."""

    child: int
    person: Person
    type: Type
    grade: str
    on: int
    off: int


@dataclass(frozen=True)
class Noticed:
    """What the family centre knows."""

    consultations: list[Consultation]
    registrations: list[Registration]


def notice(lives: Lives, benefits: Benefits, rng: np.random.Generator) -> Noticed:
    """Draw consultations, then registrations, from hidden states and contact."""
    contact = _contact(lives, benefits, rng)
    consultations = _consultations(lives, contact, rng)
    seen = np.zeros(contact.shape, np.float32)
    for item in consultations:
        seen[item.child, np.searchsorted(lives.starts, item.day, side="right") - 1 :] += 0.8
    registrations = _registrations(lives, contact + np.minimum(seen, 2.4), rng)
    registrations += _expectant(lives, rng)
    return Noticed(consultations, sorted(registrations, key=lambda r: (r.on, r.person.person_id)))


def _contact(lives: Lives, benefits: Benefits, rng: np.random.Generator) -> Floats:
    family = (
        1.1 * benefits.on_assistance + 0.45 * benefits.on_rearing + 0.3 * benefits.on_aid - 0.45 * plus(lives.isolation)
    )  # fmt: skip
    luck = 0.5 * rng.standard_normal((len(lives.families), 1))
    grown: Floats = (family + luck)[lives.family_of].astype(np.float32)
    grown += 0.3 * ((lives.grade >= 1) & (lives.grade <= 9))
    return grown


def _consultations(lives: Lives, contact: Floats, rng: np.random.Generator) -> list[Consultation]:
    found = []
    pull = np.exp(np.clip(0.7 * contact, -1.5, 1.5))
    hazards: list[tuple[str, Floats]] = [("99", 0.00015 * pull), ("02", 0.00022 * pull * (lives.age < 7))]
    for kind, shares in CONSULTED.items():
        for code, rate in shares:
            hazards.append((code, rate * pull * lives.states[kind] + rate * 0.006 * (lives.excess[kind] > -1.5) * pull))
    for code, hazard in hazards:
        rows, months = np.nonzero(rng.random(hazard.shape, np.float32) < hazard * lives.resident * (lives.age > 0))
        for child, month in zip(rows.tolist(), months.tolist(), strict=True):
            found.append(Consultation(child, int(lives.starts[month] + rng.integers(0, 28)), code))
    return sorted(found, key=lambda c: (c.day, c.child))


def _registrations(lives: Lives, contact: Floats, rng: np.random.Generator) -> list[Registration]:
    taken: dict[int, Registration] = {}
    children = int(lives.resident[:, -1].sum())
    for kind, share in OPEN_SHARE.items():
        state = lives.states[kind]
        pull = np.exp(np.clip(0.85 * contact + 0.35 * lives.excess[kind], -2.5, 2.8))
        weight = (state + 0.006 * (lives.excess[kind] > -0.8)) * pull * lives.resident
        for child, on, off in _cases(lives, weight, state, round(children * share), rng):
            grade = "要保護" if kind is Type.ABUSE and rng.random() < 0.62 else "要支援"
            case = Registration(child, lives.children[child], kind, grade, on, off)
            if child not in taken or (rng.random() < 0.2 and taken[child].type is not kind):
                taken.setdefault(child, case)
    _siblings(lives, taken, rng)
    return list(taken.values())


def _cases(
    lives: Lives, weight: Floats, state: Flags, wanted: int, rng: np.random.Generator
) -> list[tuple[int, int, int]]:
    patience = -np.log(rng.random(len(lives.children)))
    length = rng.gamma(2.0, 300.0, len(lives.children)) + 90
    summed = np.cumsum(weight, axis=1)
    low, high = 0.0, 1.0

    def cases(scale: float) -> list[tuple[int, int, int]]:
        reached = summed * scale > patience[:, None]
        children = np.flatnonzero(reached[:, -1])
        months = np.argmax(reached[children], axis=1)
        on = lives.starts[months] + (patience[children] * 1e6).astype(np.int64) % 28
        off = on + length[children].astype(np.int64)
        born = lives.born[children]
        grown = born + 6574
        off = np.minimum(off, grown)
        return [
            (int(c), int(a), int(b) if b <= LAST_DAY else FOR_EVER)
            for c, a, b in zip(children, on, off, strict=True) if a <= LAST_DAY and a < b
        ]  # fmt: skip

    for _ in range(22):
        middle = (low + high) / 2
        if sum(off == FOR_EVER for *_, off in cases(middle)) > wanted:
            high = middle
        else:
            low = middle
    return cases(high)


def _siblings(lives: Lives, taken: dict[int, Registration], rng: np.random.Generator) -> None:
    for child, case in list(taken.items()):
        if case.type is not Type.ABUSE:
            continue
        for other in np.flatnonzero(lives.family_of == lives.family_of[child]).tolist():
            here = bool(lives.resident[other, -1]) and lives.born[other] < case.on - 30
            if other not in taken and here and rng.random() < 0.25:
                taken[other] = Registration(other, lives.children[other], case.type, case.grade, case.on, case.off)


def _expectant(lives: Lives, rng: np.random.Generator) -> list[Registration]:
    """特定妊婦: registered some months before a birth; the case is closed some weeks after it."""
    found = []
    for child in np.flatnonzero(lives.born > lives.starts[0] + 250).tolist():
        month = int(np.clip(np.searchsorted(lives.starts, lives.born[child]), 0, lives.months - 1))
        if lives.excess[Type.ABUSE][child, month] > -0.35 and rng.random() < 0.30:
            mother = lives.families[int(lives.family_of[child])].mother
            on = int(lives.born[child]) - int(rng.integers(60, 170))
            off = int(lives.born[child]) + int(rng.integers(10, 70))
            if mother.stay_on(on) is not None:
                found.append(Registration(-1, mother, Type.ABUSE, "特定妊婦", on, off if off <= LAST_DAY else FOR_EVER))
    return found

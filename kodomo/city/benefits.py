"""Who receives what: 手当, 生活保護, 就学援助, with non-take-up, delay and detection bias (synthetic city)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.city.lives import Flags, Floats, Lives, plus
from kodomo.city.people import FOR_EVER, LAST_DAY


@dataclass(frozen=True)
class Spell:
    """A family's benefit from a day until the day before ``end``."""

    family: int
    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Benefits:
    """Every family's benefits; the arrays say by month whether one is received."""

    assistance: list[Spell]
    rearing: list[Spell]
    aid: list[tuple[int, int, str]]
    on_assistance: Flags
    on_rearing: Flags
    on_aid: Flags


def take_up(lives: Lives, rng: np.random.Generator) -> Benefits:
    """Draw benefits from hidden money, awareness and reluctance; 20–40 % of those entitled do not apply."""
    assistance, on_assistance = _assistance(lives, rng)
    rearing, on_rearing = _rearing(lives, rng)
    aid, on_aid = _aid(lives, rng, on_assistance)
    return Benefits(assistance, rearing, aid, on_assistance, on_rearing, on_aid)


def _assistance(lives: Lives, rng: np.random.Generator) -> tuple[list[Spell], Flags]:
    size, months = lives.econ.shape
    need = lives.econ + 0.25 * plus(lives.mental) + 0.5 * rng.standard_normal((size, 1), np.float32)
    line = np.quantile(need, 0.991)
    received = np.zeros((size, months), bool)
    spells = []
    for family in np.flatnonzero((need > line).sum(axis=1) >= 4):
        first = int(np.argmax(need[family] > line)) + int(rng.integers(1, 8))
        last = int(np.flatnonzero(need[family] > line - 0.5)[-1]) + int(rng.integers(2, 9))
        if first >= months or rng.random() < 0.28:
            continue
        start = int(lives.starts[first]) if first > 9 else int(lives.starts[0]) - int(rng.integers(0, 1200))
        start = max(start, int(lives.arrived[family]) + 30)
        if start >= LAST_DAY - 20:
            continue
        end = int(lives.starts[last]) if last < months else FOR_EVER
        received[family] = (lives.starts >= start) & (lives.starts < end)
        if end > start:
            spells.append(Spell(int(family), "", start, end))
    return spells, received


def _rearing(lives: Lives, rng: np.random.Generator) -> tuple[list[Spell], Flags]:
    """児童扶養手当: single parents who applied; 全部・一部・全部停止 by last year's money, re-examined each November."""
    size, months = lives.econ.shape
    received = np.zeros((size, months), bool)
    spells: list[Spell] = []
    for family in np.flatnonzero(lives.single.any(axis=1)):
        told = lives.families[family]
        reluctance = 0.21 + 0.08 * max(float(lives.isolation[family, -1]), 0.0)
        if rng.random() < reluctance:
            continue
        since = max(told.single_from, told.arrived_on) + int(rng.gamma(1.5, 60)) + 25
        until = (
            min(told.remarried_on + int(rng.integers(10, 120)), FOR_EVER) if told.remarried_on < FOR_EVER else FOR_EVER
        )
        youngest = max((c.born for c in told.children), default=0)
        until = min(until, youngest + 6660)
        if since >= min(until, LAST_DAY):
            continue
        spells.extend(_classes(lives, rng, int(family), since, until))
        received[family] = (lives.starts >= since) & (lives.starts < until)
    return spells, received


def _classes(lives: Lives, rng: np.random.Generator, family: int, since: int, until: int) -> list[Spell]:
    spells: list[Spell] = []
    helped = 0.9 if lives.families[family].grandparents else 0.0
    start = since
    for november in (m for m in range(lives.months) if m % 12 == 7):
        day = int(lives.starts[november])
        if day <= start or day >= min(until, LAST_DAY):
            continue
        spells.append(Spell(family, _class(lives, rng, family, start, helped), start, day))
        start = day
    spells.append(Spell(family, _class(lives, rng, family, start, helped), start, until))
    merged: list[Spell] = []
    for spell in spells:
        if merged and merged[-1].kind == spell.kind:
            merged[-1] = Spell(family, spell.kind, merged[-1].start, spell.end)
        else:
            merged.append(spell)
    return merged


def _class(lives: Lives, rng: np.random.Generator, family: int, day: int, helped: float) -> str:
    month = int(np.clip(np.searchsorted(lives.starts, day) - 9, 0, lives.months - 1))
    money = float(lives.econ[family, month]) - helped + 0.5 * float(rng.standard_normal())
    return "1" if money > 0.75 else "2" if money > 0.05 else "3"


def _aid(lives: Lives, rng: np.random.Generator, assisted: Flags) -> tuple[list[tuple[int, int, str]], Flags]:
    """就学援助 by family and school year: 要保護 with 生活保護, 準要保護 on application."""
    size, months = lives.econ.shape
    knows: Floats = np.asarray(rng.random(size), np.float32)
    received = np.zeros((size, months), bool)
    grants: list[tuple[int, int, str]] = []
    line = np.quantile(lives.econ[lives.family_of][lives.pupil()], 0.812) if lives.pupil().any() else 9.0
    for april in range(0, months, 12):
        year = 2026 - (months - april) // 12
        money = lives.econ[:, april] + 0.45 * np.asarray(rng.standard_normal(size), np.float32)
        reluctant = 0.24 + 0.07 * plus(lives.isolation[:, april]) + 0.12 * ~lives.single[:, april]
        poor = (money > line) & (knows > reluctant)
        for family in np.flatnonzero(poor | assisted[:, april]):
            kind = "要" if assisted[family, april] else "準"
            grants.append((int(family), year, kind))
            received[family, april : april + 12] = True
    return grants, received

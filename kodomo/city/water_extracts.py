"""水道: bills known only by name, kana and place of use (synthetic city)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import numpy as np

from kodomo.city.eras import school_year
from kodomo.city.lives import Days, Floats
from kodomo.city.mistakes import Manner
from kodomo.city.names import Address
from kodomo.city.people import LAST_DAY, Person, Stay
from kodomo.city.press import STAMP, Press
from kodomo.city.sheets import Cell, Sheet

WATER = Manner(
    script="half", jis=0.6, large_kana=0.5, lost_marks=0.05, kana_slip=0.02, homophone=0.01, stale_name=0.25, alias=0.3,
    address_style="mixed",
)  # fmt: skip


@dataclass(frozen=True)
class Tap:
    """One household's contract: whose name it bears, where, from when until when, how many it serves."""

    holder: Person
    address: Address
    start: int
    end: int
    served: float


@dataclass
class Meter:
    """What all taps owe and use, bill after bill."""

    taps: list[Tap]
    family: Days
    money: Floats
    careless: Floats
    arrears: Days

    def read(self, rng: np.random.Generator, econ: Floats) -> tuple[list[int], list[int]]:
        """One bill each: cubic metres used and months in arrears; ``econ`` is the families' money that month."""
        size = len(self.taps)
        if len(econ):
            self.money = np.where(self.family >= 0, econ[self.family], self.money)
        missed = rng.random(size) < np.clip(self.careless + 0.014 * np.exp(0.85 * self.money.clip(-2, 3)), 0, 0.6)
        cleared = rng.random(size) < np.clip(0.75 - 0.10 * self.money, 0.2, 0.95)
        self.arrears = np.minimum(np.where(missed, self.arrears + 2, np.where(cleared, 0, self.arrears)), 24)
        usage = rng.gamma(9, np.array([tap.served for tap in self.taps]) * 14.5 / 9)
        return usage.astype(np.int64).tolist(), self.arrears.tolist()


def print_water(press: Press) -> None:
    """Bimonthly bills, one file a school year's span."""
    rng, lives = press.rng("water_bills"), press.lives
    scribe = press.scribe("water_bills", WATER)
    meter = _meter(press, rng)
    names = [
        (f"{3000000 + i * 7 + 11:09d}", *scribe.names(tap.holder, LAST_DAY), scribe.place(tap.address))
        for i, tap in enumerate(meter.taps)
    ]
    years: dict[int, list[int]] = {}
    for month in press.window_months():
        start = int(lives.starts[month])
        if dt.date.fromordinal(start).month % 2 == 0:
            years.setdefault(school_year(start), []).append(month)
    for year, months in years.items():
        rows: list[tuple[Cell, ...]] = []
        people: list[str] = []
        for month in months:
            start = int(lives.starts[month])
            usage, arrears = meter.read(rng, lives.econ[:, month])
            printed = f"{dt.date.fromordinal(start):%Y%m}"
            for i, tap in enumerate(meter.taps):
                if tap.start <= start + 40 and tap.end > start:
                    phone = f"0999-{i % 90 + 10}-0000" if i % 4 else ""
                    rows.append((*names[i], printed, str(usage[i]), str(1800 + usage[i] * 130), str(arrears[i]), phone))
                    people.append(tap.holder.person_id)
        _print_year(press, year, rows, people)


def _print_year(press: Press, year: int, rows: list[tuple[Cell, ...]], people: list[str]) -> None:
    columns = [c.name for c in press.printer.layouts["water_bills"].columns]
    table: dict[str, list[Cell]] = {name: [row[i] for row in rows] for i, name in enumerate(columns)}
    press.printer.write(
        Sheet(
            "water_bills", f"水道調定_令和{year - 2018}年度_{STAMP}.csv", table, people,
            top=("水道料金調定一覧表", "ひなた市上下水道事業 出力日:2026/04/01"), foot=(f"合計 {len(people):,} 件",),
            exact_duplicates=0.0002, unreadable=0.0003,
        )
    )  # fmt: skip


def _meter(press: Press, rng: np.random.Generator) -> Meter:
    taps = _taps(press, rng)
    place = {id(family): i for i, family in enumerate(press.lives.families)}
    family = np.array([place.get(id(tap.holder.family), -1) for tap in taps])
    size = len(taps)
    money = rng.standard_normal(size) * 0.8 - 0.2
    return Meter(taps, family, money, rng.gamma(0.5, 0.02, size), np.zeros(size, np.int64))


def _taps(press: Press, rng: np.random.Generator) -> list[Tap]:
    stays = [(p, s) for p in press.city.people for s in p.stays if s.end > press.first_day]
    served = Counter(s.household for _, s in stays if s.end > LAST_DAY)
    spouses = {s.household: p for p, s in stays if s.relation in ("妻", "夫")}
    taps = []
    for (household, address), (person, start, end) in _heads(stays, rng).items():
        if rng.random() < 0.04 and address.building:
            continue  # the landlord pays
        holder = spouses[household] if household in spouses and rng.random() < 0.06 else person
        taps.append(Tap(holder, address, start, end, max(served[household], 1) ** 0.8))
    return taps


def _heads(
    stays: list[tuple[Person, Stay]], rng: np.random.Generator
) -> dict[tuple[str, Address], tuple[Person, int, int]]:
    """Whose name each dwelling's contract bears; half of those who follow a head never change it."""
    heads: dict[tuple[str, Address], tuple[Person, int, int]] = {}
    for person, stay in stays:
        if stay.relation != "世帯主":
            continue
        key = (stay.household, stay.address)
        known = heads.get(key)
        if known is None:
            heads[key] = (person, stay.start, stay.end)
        else:
            keeper = known[0] if rng.random() < 0.5 else person
            heads[key] = (keeper, min(known[1], stay.start), max(known[2], stay.end))
    return heads

"""Names people in ひなた市 bear: tables of surnames, given names and foreign names, drawn with real skew (synthetic city)."""

from __future__ import annotations

import csv
import random
from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

TABLES = Path(__file__).resolve().parent / "tables"

Thing = TypeVar("Thing")


def katakana(hiragana: str) -> str:
    """Hiragana to katakana, other characters unchanged."""
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in hiragana)


class Surname(NamedTuple):
    """A surname and its reading in katakana."""

    text: str
    kana: str


class Given(NamedTuple):
    """A given name and its reading in katakana."""

    text: str
    kana: str


@dataclass(frozen=True)
class ForeignName:
    """A name from abroad: roman letters as in the passport, and katakana somebody chose."""

    country: str
    family: tuple[str, str]
    given: tuple[str, str]


class Draw(Generic[Thing]):
    """A weighted draw from a fixed list, by bisection: quick enough for every resident."""

    def __init__(self, things: Sequence[Thing], weights: Sequence[float]) -> None:
        self.things = list(things)
        self.cumulative = list(accumulate(weights))

    def one(self, rng: random.Random) -> Thing:
        """One thing."""
        return self.things[bisect(self.cumulative, rng.random() * self.cumulative[-1])]


def read_table(name: str) -> list[dict[str, str]]:
    """A shipped table's rows."""
    with (TABLES / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


class NameBook:
    """Every name the city draws from."""

    def __init__(self) -> None:
        rows = read_table("surnames.csv")
        self._surnames = Draw(
            [Surname(r["surname"], katakana(r["kana"])) for r in rows], [float(r["weight"]) for r in rows]
        )
        self._given: dict[tuple[str, str], Draw[Given]] = {}
        self._by_initial: dict[tuple[str, str, str], list[Given]] = defaultdict(list)
        self._read_given()
        self._families: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._foreign_given: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for row in read_table("foreign_names.csv"):
            pair = (row["roman"], row["kana"])
            if row["part"] == "family":
                self._families[row["country"]].append(pair)
            else:
                self._foreign_given[row["country"], row["sex"]].append(pair)
        self.countries = Draw(list(self._families), [5, 3, 2.5, 1.5, 2, 1][: len(self._families)])

    def _read_given(self) -> None:
        groups: dict[tuple[str, str], list[tuple[Given, float]]] = defaultdict(list)
        for row in read_table("given_names.csv"):
            name = Given(row["name"], katakana(row["kana"]))
            groups[row["sex"], row["generation"]].append((name, float(row["weight"])))
            self._by_initial[row["sex"], row["generation"], name.text[0]].append(name)
        self._given = {key: Draw([n for n, _ in group], [w for _, w in group]) for key, group in groups.items()}

    def surname(self, rng: random.Random) -> Surname:
        """A surname, frequent ones more often."""
        return self._surnames.one(rng)

    def given(self, rng: random.Random, sex: str, born_year: int, like: Given | None = None) -> Given:
        """A given name of the generation; ``like``: one that begins with the same character, if there is one."""
        generation = "1" if born_year < 1958 else "2" if born_year < 1988 else "3" if born_year < 2008 else "4"
        if like is not None:
            similar = [n for n in self._by_initial.get((sex, generation, like.text[0]), ()) if n.text != like.text]
            if similar:
                return rng.choice(similar)
        return self._given[sex, generation].one(rng)

    def foreign(self, rng: random.Random, country: str, sex: str, family: tuple[str, str] | None = None) -> ForeignName:
        """A name of that country; ``family`` keeps a family's name."""
        return ForeignName(
            country, family or rng.choice(self._families[country]), rng.choice(self._foreign_given[country, sex])
        )


@dataclass(frozen=True)
class Town:
    """A 町 of ひなた市; ``area`` is the elementary school's district."""

    name: str
    kana: str
    postcode: str
    chome: int
    area: int


class Address(NamedTuple):
    """Where a dwelling stands. ``chome`` 0: numbered by 番地; ``room`` empty: a house of its own."""

    town: Town
    chome: int
    block: int
    number: int
    building: str
    room: str


BUILDINGS = (
    "ひなたハイツ", "コーポ汐見", "メゾン若葉", "サンライズ日向", "グリーンハイム", "県営住宅北原団地", "市営住宅水門団地",
    "レジデンス緑ヶ丘", "シャトー花園", "パークサイド桜木", "ハイム東雲", "第二コーポ千歳",
)  # fmt: skip


class Places:
    """Dwellings of ひなた市."""

    def __init__(self) -> None:
        rows = read_table("towns.csv")
        towns = [Town(r["town"], katakana(r["kana"]), r["postcode"], int(r["chome"]), int(r["area"])) for r in rows]
        self._towns = Draw(towns, [float(r["weight"]) for r in rows])

    def dwelling(self, rng: random.Random, flat: float) -> Address:
        """A dwelling; ``flat`` is the chance that it is one of a building's rooms."""
        town = self._towns.one(rng)
        chome = rng.randint(1, town.chome) if town.chome else 0
        block = rng.randint(1, 38) if chome else rng.randint(2, 1480)
        number = rng.randint(1, 24) if chome else rng.choice((0, 0, 1, 2, 3, 5))
        if rng.random() >= flat:
            return Address(town, chome, block, number, "", "")
        room = f"{rng.randint(1, 5)}0{rng.randint(1, 8)}"
        return Address(town, chome, block, number, rng.choice(BUILDINGS), room)

"""Which sources should know which children, so that nothing found differs from nothing known (analysis side).

``criteria/coverage.toml``, one ``[[sources]]`` per source of the store:

``source``  its code.
``kind``    ``roster``   名簿: every child of the ages is listed with values; not listed means not known.
            ``register`` 該当者台帳: lists only those concerned; not listed means "none" (zero).
            ``universal`` 全員: every child of the ages should be listed, and not being listed is itself zero.
            ``voluntary`` 任意: knows only those who came; not listed means not known.
``ages`` or ``grades``  for whom it should exist (years or school grades 1–9, both ends included).
``whose``   about whom it speaks, for "does it know this child": self (default), mother, guardians, siblings, household.
``stale_months``  a child's newest fact older than this no longer counts as knowing (absent: it keeps counting).
``weight``  how much its absence thins what is known (default 1; 0 for the voluntary ones).
``together``  other sources that list the same kind of children, each a part (two vendors, the offices of former towns):
            who is on one of them is not missed on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kodomo.features.criteria import Entry, read_criteria
from kodomo.features.dates import OLDEST

FILE = "coverage.toml"
WHOSE = ("self", "mother", "guardians", "siblings", "household")
MOST_WEIGHT = 10.0
KINDS = ("roster", "register", "universal", "voluntary")


@dataclass(frozen=True)
class SourceExpectation:
    """One source: what it means when a child is not in it, and at which ages it should be."""

    source: str
    kind: str
    ages: tuple[int, int] | None
    grades: tuple[int, int] | None
    whose: tuple[str, ...]
    stale_months: int | None
    weight: float
    together: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expectations:
    """All sources of ``coverage.toml``, and the file's hash."""

    sources: dict[str, SourceExpectation]
    sha256: str

    def groups(self) -> list[set[str]]:
        """Sources that list children together, each a part of them."""
        found: list[set[str]] = []
        for one in self.sources.values():
            if one.together:
                named = {one.source, *one.together}
                joined = [group for group in found if group & named]
                found = [group for group in found if group not in joined] + [named.union(*joined)]
        return found


def read_expectations(folder: Path) -> Expectations:
    """Read ``criteria/coverage.toml`` of a municipality's folder.

    Raises:
        ConfigurationFault: with file, entry and line of every fault.
    """
    file = read_criteria(folder / "criteria" / FILE, "sources")
    read: dict[str, SourceExpectation] = {}
    written = [(entry, _expectation(entry)) for entry in file.entries("sources")]
    for entry, expectation in written:
        if expectation.source in read:
            entry.blame("source", "同じ出所が二度書かれています。")
        read[expectation.source] = expectation
    for entry, expectation in written:
        for other in expectation.together:
            if other not in read or other == expectation.source:
                entry.blame("together", f"「{other}」は、このファイルにあるほかの出所ではありません。")
    file.faults.settle()
    return Expectations(read, file.sha256)


def _expectation(entry: Entry) -> SourceExpectation:
    entry.only("source", "kind", "ages", "grades", "whose", "stale_months", "weight", "together", "note")
    kind = entry.choice("kind", KINDS)
    weight = entry.number("weight", 0.0 if kind == "voluntary" else 1.0)
    if not 0 <= weight <= MOST_WEIGHT:
        entry.blame("weight", f"0 から {MOST_WEIGHT:g} までの数で書いてください。")
    whose = entry.texts("whose")
    for one in whose:
        if one not in WHOSE:
            entry.blame("whose", f"使える値は {'・'.join(WHOSE)} です。")
    return SourceExpectation(
        entry.text("source"),
        kind,
        entry.interval("ages", 0, OLDEST),
        entry.interval("grades", 1, 9),
        whose or ("self",),
        entry.months("stale_months"),
        weight,
        entry.texts("together"),
    )

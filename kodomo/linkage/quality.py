"""How good the links are, against an answer key: precision, recall and F1 overall and by group (identity side)."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Place = tuple[str, str, int]


@dataclass(frozen=True)
class Score:
    """Counts of right, wrong and missed links, and what follows from them."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the links made that are right; 1 when none was made."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the links there are that were made; 1 when there are none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed) if self.right else 0.0

    def figures(self) -> dict[str, float | int]:
        """As JSON data, rounded to five places."""
        return {"precision": round(self.precision, 5), "recall": round(self.recall, 5), "f1": round(self.f1, 5),
                "right": self.right, "wrong": self.wrong, "missed": self.missed}  # fmt: skip


def read_links(path: Path, person_column: str) -> dict[Place, str]:
    """Which person each (source, file, row) belongs to; rows without a person have an empty text."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return {(r["source"], r["file"], int(r["row"])): r[person_column] or "" for r in csv.DictReader(handle)}


def record_score(
    found: Mapping[Place, str], truth: Mapping[Place, str], places: Iterable[Place] | None = None
) -> Score:
    """Score record by record: is the person found the one the record is about?

    A found person stands for the true person that most of its records have; where two found persons
    have the same true person, the one with more records stands for it and the other's records are
    missed, not wrong: nobody else's trouble was put on anybody. A record of another true person under
    a found one is wrong, and missed too.

    Args:
        places: only these records are counted; all of the truth by default.
    """
    stands_for = _stands_for(found, truth)
    right = wrong = missed = 0
    for place in truth if places is None else places:
        person, true = found.get(place, ""), truth.get(place, "")
        if person and stands_for.get(person) == (true, True):
            right += 1
        else:
            missed += bool(true)
            wrong += bool(person) and stands_for[person][0] != true
    return Score(right, wrong, missed)


def pair_score(found: Mapping[Place, str], truth: Mapping[Place, str], places: Iterable[Place] | None = None) -> Score:
    """Score pair by pair: every two records that are, or were said to be, one person."""
    chosen = list(truth if places is None else places)
    by_found = Counter(found.get(p, "") for p in chosen)
    by_truth = Counter(truth.get(p, "") for p in chosen)
    by_both = Counter((found.get(p, ""), truth.get(p, "")) for p in chosen)
    right = sum(_pairs(n) for (f, t), n in by_both.items() if f and t)
    said = sum(_pairs(n) for f, n in by_found.items() if f)
    true = sum(_pairs(n) for t, n in by_truth.items() if t)
    return Score(right, said - right, true - right)


def quality_report(
    found: Mapping[Place, str], truth: Mapping[Place, str], groups: Mapping[str, Callable[[Place], bool]] | None = None
) -> dict[str, Any]:
    """Both scores overall, record scores by source, and by further groups of records (twins, children …).

    Rows that were not landed (quarantined) are not counted: linkage never saw them.
    """
    landed = [place for place in truth if place in found]
    by_source: dict[str, list[Place]] = defaultdict(list)
    for place in landed:
        by_source[place[0]].append(place)
    chosen = {name: [p for p in landed if belongs(p)] for name, belongs in (groups or {}).items()}
    return {
        "records": len(landed),
        "record": record_score(found, truth, landed).figures(),
        "pair": pair_score(found, truth, landed).figures(),
        "by_source": {name: record_score(found, truth, places).figures() for name, places in sorted(by_source.items())},
        "by_group": {name: record_score(found, truth, places).figures() for name, places in chosen.items()},
    }


def _stands_for(found: Mapping[Place, str], truth: Mapping[Place, str]) -> dict[str, tuple[str, bool]]:
    """For each found person: the true person most of its records have, and whether it is the main one of that person."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for place, person in found.items():
        if person and truth.get(place):
            votes[person][truth[place]] += 1
    best = {person: max(sorted(counts.items()), key=lambda kv: kv[1]) for person, counts in votes.items()}
    main: dict[str, tuple[int, str]] = {}
    for person, (true, count) in best.items():
        main[true] = max(main.get(true, (0, "")), (count, person))
    decided = {person: (true, main[true][1] == person) for person, (true, _) in best.items()}
    return defaultdict(lambda: ("", False), decided)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2

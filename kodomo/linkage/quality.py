"""How good the links are, against labels: precision, recall and F1 with intervals, overall and by group (identity side).

Records of one person are right or wrong together, so intervals count persons, not rows.
"""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Place = tuple[str, str, int]

Z = 1.959964


@dataclass(frozen=True)
class Score:
    """Counts of right, wrong and missed links, and what follows from them."""

    right: int
    wrong: int
    missed: int
    by_person: tuple[tuple[int, int, int], ...] = ()
    """The same counts for each person; empty where they were not kept."""

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

    def figures(self) -> dict[str, Any]:
        """As JSON data, rounded to five places; 95 % intervals where the counts by person are known."""
        body: dict[str, Any] = {"precision": round(self.precision, 5), "recall": round(self.recall, 5), "f1": round(self.f1, 5),
                                "right": self.right, "wrong": self.wrong, "missed": self.missed}  # fmt: skip
        if self.by_person:
            body["interval"] = {
                "precision": ratio_interval([(r, r + w) for r, w, _ in self.by_person]),
                "recall": ratio_interval([(r, r + m) for r, _, m in self.by_person]),
                "f1": ratio_interval([(2 * r, 2 * r + w + m) for r, w, m in self.by_person]),
            }
        return body


def ratio_interval(clusters: Iterable[tuple[int, int]]) -> tuple[float, float]:
    """The 95 % interval of a share whose parts come in clusters of (hits, all): Wilson's, on as many rows as count.

    Rows of one cluster that agree are worth less than so many rows apart: the number of rows is divided by
    the design effect, which is that of full agreement when nothing at all went wrong (or right).

    >>> ratio_interval([(1, 1)] * 100)
    (0.96301, 1.0)
    """
    counted = [(hits, size) for hits, size in clusters if size]
    total = sum(size for _, size in counted)
    if not total:
        return 0.0, 1.0
    share = sum(hits for hits, _ in counted) / total
    if share in (0.0, 1.0):
        effect = sum(size * size for _, size in counted) / total
    else:
        spread = sum((hits - share * size) ** 2 for hits, size in counted) / total
        effect = max(1.0, spread / (share * (1 - share)))
    return wilson(share, total / effect)


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in so many independent trials, rounded to five places."""
    z2 = Z * Z
    middle = share + z2 / (2 * count)
    half = Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    low, high = ((middle + sign * half) / (1 + z2 / count) for sign in (-1, 1))
    return round(max(low, 0.0), 5), round(min(high, 1.0), 5)


def read_links(path: Path, person_column: str) -> dict[Place, str]:
    """Which person each (source, file, row) is about, not who else it names; rows without a person have an empty text."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return {
            (r["source"], r["file"], int(r["row"])): r[person_column] or ""
            for r in csv.DictReader(handle)
            if r.get("role", "subject") in ("subject", "holder")
        }


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
    by_person: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for place in truth if places is None else places:
        person, true = found.get(place, ""), truth.get(place, "")
        counts = by_person[true or f"?{person}"]
        if person and stands_for[person] == (true, True):
            counts[0] += 1
        else:
            counts[1] += bool(person) and stands_for[person][0] != true
            counts[2] += bool(true)
    return _summed(by_person.values())


def pair_score(found: Mapping[Place, str], truth: Mapping[Place, str], places: Iterable[Place] | None = None) -> Score:
    """Score pair by pair: every two records that are, or were said to be, one person."""
    chosen = list(truth if places is None else places)
    by_both = Counter((found.get(p, ""), truth.get(p, "")) for p in chosen)
    by_found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    by_truth: dict[str, list[int]] = defaultdict(list)
    for (person, true), count in by_both.items():
        if person:
            by_found[person].append((true, count))
        if true:
            by_truth[true].append(count)
    by_person: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for person, parts in by_found.items():
        right = sum(_pairs(count) for true, count in parts if true)
        owner = max(parts, key=lambda part: (part[1], part[0]))[0] or f"?{person}"
        by_person[owner][1] += _pairs(sum(count for _, count in parts)) - right
        for true, count in parts:
            if true:
                by_person[true][0] += _pairs(count)
    for true, counts in by_truth.items():
        by_person[true][2] += _pairs(sum(counts)) - by_person[true][0]
    return _summed(by_person.values())


def _summed(by_person: Iterable[list[int]]) -> Score:
    rows = tuple((right, wrong, missed) for right, wrong, missed in by_person)
    right, wrong, missed = (sum(row[i] for row in rows) for i in range(3))
    return Score(right, wrong, missed, rows)


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

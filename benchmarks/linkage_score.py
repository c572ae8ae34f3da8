"""Score clusters of the noisy town: pairs, and record → person of the register (no library beyond Python's own)."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

Key = tuple[str, int]


def read_clusters(path: Path) -> dict[Key, str]:
    """``clusters.csv``: source, row, person; empty where nobody was found."""
    with path.open(encoding="utf-8", newline="") as handle:
        return {(line["source"], int(line["row"])): line["person"] for line in csv.DictReader(handle)}


def read_truth(path: Path) -> dict[Key, int]:
    """``truth.csv``: source, row, person."""
    with path.open(encoding="utf-8", newline="") as handle:
        return {(line["source"], int(line["row"])): int(line["person"]) for line in csv.DictReader(handle)}


def read_groups(path: Path) -> dict[str, list[Key]]:
    """``groups.csv``: group, source, row."""
    found: dict[str, list[Key]] = {}
    with path.open(encoding="utf-8", newline="") as handle:
        for line in csv.DictReader(handle):
            found.setdefault(line["group"], []).append((line["source"], int(line["row"])))
    return found


def figures(right: int, said: int, true: int) -> dict[str, float | int]:
    """Precision, recall and F1 out of three counts."""
    return {"precision": round(right / said, 5) if said else 1.0, "recall": round(right / true, 5) if true else 1.0,
            "f1": round(2 * right / (said + true), 5) if said + true else 1.0, "wrong": said - right, "missed": true - right}  # fmt: skip


def pair_figures(
    found: Mapping[Key, str], truth: Mapping[Key, int], keys: list[Key] | None = None
) -> dict[str, float | int]:
    """Every two records that are, or were said to be, one person, within a source and across."""
    chosen = list(truth) if keys is None else keys

    def pairs(counted: Counter[object]) -> int:
        return sum(n * (n - 1) // 2 for n in counted.values())

    said = pairs(Counter(found[k] for k in chosen if found.get(k)))
    right = pairs(Counter((found[k], truth[k]) for k in chosen if found.get(k)))
    return figures(right, said, pairs(Counter(truth[k] for k in chosen)))


def person_figures(
    found: Mapping[Key, str], truth: Mapping[Key, int], keys: list[Key] | None = None
) -> dict[str, float | int]:
    """Each record of the two children's registers: is it on the right entry of the resident register, if there is one?"""
    entry = {truth[k]: found[k] for k in truth if k[0] == "register"}
    owner = {found[k]: truth[k] for k in truth if k[0] == "register"}
    right = said = true = 0
    for key in truth if keys is None else keys:
        if key[0] == "register":
            continue
        person, whose = found.get(key, ""), truth[key]
        said += person in owner
        true += whose in entry
        right += person in owner and owner[person] == whose
    return figures(right, said, true)


def block_recall(found: Mapping[Key, str], compared: Iterable[tuple[Key, str]], truth: Mapping[Key, int]) -> float:
    """Share of the others' records of residents whose own entry was looked at: linked by a rule, or compared by the model."""
    owner = {found[k]: truth[k] for k in truth if k[0] == "register"}
    reached = {key for key, person in compared if owner.get(person) == truth[key]}
    residents = set(owner.values())
    asked = [k for k in truth if k[0] != "register" and truth[k] in residents]
    return round(sum(k in reached or owner.get(found.get(k, "")) == truth[k] for k in asked) / max(len(asked), 1), 5)


def read_compared(path: Path) -> list[tuple[Key, str]]:
    """``candidates.csv``: source, row, person."""
    with path.open(encoding="utf-8", newline="") as handle:
        return [((line["source"], int(line["row"])), line["person"]) for line in csv.DictReader(handle)]


Edge = tuple[Key, Key, float]


def read_edges(path: Path) -> list[Edge]:
    """``edges.csv``: source_l, row_l, source_r, row_r, weight."""
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            ((e["source_l"], int(e["row_l"])), (e["source_r"], int(e["row_r"])), float(e["weight"])) for e in csv.DictReader(handle)
        ]  # fmt: skip


def edge_figures(edges: list[Edge], truth: Mapping[Key, int]) -> dict[str, float | int]:
    """The pairs a tool gave, against all pairs there are."""
    right = sum(truth[a] == truth[b] for a, b, _ in edges)
    return figures(right, len(edges), sum(n * (n - 1) // 2 for n in Counter(truth.values()).values()))


def best_entry_figures(edges: list[Edge], truth: Mapping[Key, int]) -> dict[str, float | int]:
    """For each record of the children's registers the heaviest pair with the resident register."""
    best: dict[Key, tuple[float, Key]] = {}
    for a, b, weight in edges:
        for record, entry in ((a, b), (b, a)):
            if entry[0] == "register" and record[0] != "register":
                best[record] = max(best.get(record, (float("-inf"), entry)), (weight, entry))
    right = sum(truth[record] == truth[entry] for record, (_, entry) in best.items())
    entries = {person for key, person in truth.items() if key[0] == "register"}
    return figures(right, len(best), sum(key[0] != "register" and person in entries for key, person in truth.items()))

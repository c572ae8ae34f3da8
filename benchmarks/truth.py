"""How good links and judgements are against the synthetic city's answer key.

    python benchmarks/truth.py CITY LINKS.csv JUDGEMENTS.csv [--as-of 2026-03-31]

CITY holds ``answer_key/``; the CSV files come from `kodomo export-links` and `kodomo export-judgements`.
Prints what `kodomo.linkage.quality` reports (record → person and pairs, by source and group), and for each type and method AUROC and average
precision of finding children in difficulty on the date who are not registered for that type.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from kodomo.linkage.quality import Place, quality_report, read_links


def owners(found: dict[Place, str], truth: dict[Place, str]) -> dict[str, str]:
    """The true person that holds the majority of each person key's rows."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for place, key in found.items():
        if key and truth.get(place):
            votes[key][truth[place]] += 1
    return {key: counts.most_common(1)[0][0] for key, counts in votes.items()}


def split_people(found: dict[Place, str], truth: dict[Place, str]) -> int:
    """How many true people hold rows under more than one person key."""
    keys: dict[str, set[str]] = defaultdict(set)
    for place, key in found.items():
        if key and truth.get(place):
            keys[truth[place]].add(key)
    return sum(len(held) > 1 for held in keys.values())


def groups(people: pd.DataFrame, truth: dict[Place, str]) -> dict[str, Callable[[Place], bool]]:
    """Groups of records by what the answer key says of their person."""
    chosen = {
        "children": "is_child_at_end", "twins": "is_twin", "foreign_names": "is_foreign", "came_back": "came_back",
        "surname_changed": "surname_changed",
    }  # fmt: skip
    members = {name: set(people.loc[people[column] == "1", "person_id"]) for name, column in chosen.items()}

    def belongs(found: set[str]) -> Callable[[Place], bool]:
        return lambda place: truth[place] in found

    return {name: belongs(found) for name, found in members.items()}


def hidden_cases(
    judgements: pd.DataFrame, difficulties: pd.DataFrame, owner: dict[str, str], month: str
) -> dict[str, dict[str, dict[str, float]]]:
    """AUROC and average precision for children in difficulty on the date and not registered for that type."""
    judgements = judgements[judgements["level"] != "NOT_APPLICABLE"]
    person = judgements["person_key"].map(owner)
    ended = difficulties["last_month"]
    active = difficulties[(difficulties["first_month"] <= month) & ((ended == "") | (ended >= month))]
    registered = difficulties[(difficulties["registered_on"] != "") & (difficulties["registered_on"].str[:7] <= month)]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (kind, method), rows in judgements.assign(person=person).groupby(["type", "method"]):
        mine = active if kind == "総合" else active[active["type"] == kind]
        known = registered if kind == "総合" else registered[registered["type"] == kind]
        judged = rows[~rows["person"].isin(set(known["person_id"])) & rows["person"].notna()]
        truth = judged["person"].isin(set(mine["person_id"])).to_numpy()
        score = pd.to_numeric(judged["score"], errors="coerce").fillna(0).to_numpy()
        if not truth.any():
            continue
        top = np.argsort(-score, kind="stable")
        found.setdefault(str(kind), {})[str(method)] = {
            "hidden": int(truth.sum()),
            "judged": len(judged),
            "auroc": round(float(roc_auc_score(truth, score)), 4),
            "average_precision": round(float(average_precision_score(truth, score)), 4),
            "found_at_2pct": int(truth[top[: max(1, int(0.02 * len(top)))]].sum()),
            "found_at_10pct": int(truth[top[: max(1, int(0.10 * len(top)))]].sum()),
            "insufficient": int((judged["level"] == "INSUFFICIENT").sum()),
        }
    return found


def main() -> None:
    """Compare and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("links", type=Path)
    parser.add_argument("judgements", type=Path)
    parser.add_argument("--as-of", default="2026-03-31")
    words = parser.parse_args()
    key = words.city / "answer_key"
    truth, found = read_links(key / "links.csv", "person_id"), read_links(words.links, "person_key")
    truth = {place: truth.get(place, "") for place in found}
    people = pd.read_csv(key / "people.csv", dtype=str, keep_default_na=False)
    owner = owners(found, truth)
    judgements = pd.read_csv(words.judgements, dtype=str, keep_default_na=False)
    difficulties = pd.read_csv(key / "difficulties.csv", dtype=str, keep_default_na=False)
    with words.links.open(encoding="utf-8") as handle:
        rows = sum(1 for _ in handle) - 1
    body = {
        "rows": rows,
        "landed_once": rows == len(found),
        "people_under_two_keys": split_people(found, truth),
        "links": quality_report(found, truth, groups(people, truth)),
        "judgements": hidden_cases(judgements, difficulties, owner, words.as_of[:7]),
    }
    print(json.dumps(body, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

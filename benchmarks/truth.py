"""How good links and judgements are against the synthetic city's answer key.

    python benchmarks/truth.py CITY LINKS.csv JUDGEMENTS.csv [--as-of 2026-03-31]

CITY holds ``answer_key/``; the CSV files come from `kodomo export-links` and `kodomo export-judgements`.
Prints precision, recall and F1 of record → person by source, and for each type and method AUROC and average
precision of finding children in difficulty on the date who are not registered for that type.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score


def owners(links: pd.DataFrame) -> dict[str, str]:
    """The true person that holds the majority of each person key's rows."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for key, person in zip(links["person_key"], links["person_id"], strict=True):
        if key and person:
            votes[key][person] += 1
    return {key: counts.most_common(1)[0][0] for key, counts in votes.items()}


def link_quality(links: pd.DataFrame, owner: dict[str, str]) -> dict[str, dict[str, float]]:
    """Record → person: of the linked rows how many are right, of all rows with a person how many are found."""
    frame = links.assign(
        right=[owner.get(k) == p for k, p in zip(links["person_key"], links["person_id"], strict=True)]
    )
    found = {}
    for source, rows in [("all", frame), *frame.groupby("source")]:
        linked = rows[rows["person_key"] != ""]
        precision = float(linked["right"].mean()) if len(linked) else 1.0
        recall = float((rows["right"] & (rows["person_key"] != "")).sum() / max((rows["person_id"] != "").sum(), 1))
        found[str(source)] = {"rows": len(rows), "precision": round(precision, 5), "recall": round(recall, 5)}
    return found


def split_people(links: pd.DataFrame) -> int:
    """How many true people hold rows under more than one person key."""
    keyed = links[(links["person_key"] != "") & (links["person_id"] != "")]
    return int((keyed.groupby("person_id")["person_key"].nunique() > 1).sum())


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
    truth = pd.read_csv(key / "links.csv", dtype=str, keep_default_na=False)
    links = pd.read_csv(words.links, dtype=str, keep_default_na=False).merge(
        truth, on=["source", "file", "row"], how="left"
    )
    links["person_id"] = links["person_id"].fillna("")
    owner = owners(links)
    judgements = pd.read_csv(words.judgements, dtype=str, keep_default_na=False)
    difficulties = pd.read_csv(key / "difficulties.csv", dtype=str, keep_default_na=False)
    body = {
        "rows": len(links),
        "landed_once": bool(not links.duplicated(["source", "file", "row"]).any()),
        "people_under_two_keys": split_people(links),
        "links": link_quality(links, owner),
        "judgements": hidden_cases(judgements, difficulties, owner, words.as_of[:7]),
    }
    print(json.dumps(body, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

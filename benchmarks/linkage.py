"""How good, how quick and how large linkage is, beside its peers: what `make bench-linkage` runs.

    python benchmarks/linkage.py [--sizes 25299 113000 1000000] [--all-ages 1000000] [--seed 1] [--peers .venv-peers/bin/python]

For each size a noisy town (``linkage_noise``: N residents, two children's registers of 0.178 N rows each) is
written as CSV and linked from its files by kodomo, in a process of its own; up to 113,000 residents also by
Splink as it comes and by the Record Linkage Toolkit. With ``--all-ages N`` the two other registers hold N rows of
all ages together: N records against N residents; of two such sizes ten million and ten million are extrapolated. FEBRL4 comes last. Writes ``results/linkage.json`` with
machine and versions, and prints a table.
"""

from __future__ import annotations

import argparse
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
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

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
    read_groups,
    read_truth,
)  # fmt: skip

HERE = Path(__file__).resolve().parent
LARGEST_FOR_PEERS = 113_471
PACKAGES = ("duckdb", "pyarrow", "splink", "japanese-personal-name-dataset")


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
        run(
            sys.executable, "linkage_town.py", str(folder), str(residents), str(round(residents * elsewhere)), str(seed)
        )
        took = run(sys.executable, "linkage_kodomo.py", str(folder))
        truth, groups = read_truth(folder / "truth.csv"), read_groups(folder / "groups.csv")
        records = len(truth)
        body: dict[str, Any] = {"residents": residents, "records": records}
        found = read_clusters(folder / "clusters.csv")
        compared = chain.from_iterable(read_compared(path) for path in folder.glob("candidates*.csv"))
        body["kodomo"] = {
            **_cost(took, records), "pairs": took["figures"]["model"]["pairs"], "in_queue": took["queued_share"],
            "decided_alone": round(took["figures"]["linked"] / took["figures"]["mentions"], 5), "block_recall": block_recall(found, compared, truth),
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


LARGE = 10_000_000
"""Residents of the largest city asked about, and as many other records: no machine here links it, so it is extrapolated."""


def extrapolated(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What ``LARGE`` residents and as many records would take, going on as from the second largest run to the largest.

    By power (as cost grew between the two) and by line (so much more for each record more).
    """
    if len(runs) < 2:
        return {}
    small, large = runs[-2:]
    times = 2 * LARGE / large["records"]
    found: dict[str, Any] = {"records": 2 * LARGE}
    for name in ("seconds", "cpu_seconds", "peak_mb"):
        one, two = small["kodomo"][name], large["kodomo"][name]
        power = math.log(two / one) / math.log(large["records"] / small["records"])
        each = (two - one) / (large["records"] - small["records"])
        found[name] = {"power": round(power, 2), "by_power": round(two * times**power),
                       "by_line": round(two + each * (2 * LARGE - large["records"]))}  # fmt: skip
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
            "growth": exponents(runs), "all_ages": all_ages, "growth_all_ages": exponents(all_ages), "extrapolated": extrapolated(all_ages), "febrl4": febrl(words.peers)}  # fmt: skip
    words.out.parent.mkdir(exist_ok=True)
    words.out.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(table(runs))
    print("all ages:", table(all_ages), sep="\n")
    print("growth (power of size):", json.dumps(body["growth"]), json.dumps(body["growth_all_ages"]))
    print("10 million residents and as many other records, extrapolated:", json.dumps(body["extrapolated"]))
    print("FEBRL4:", json.dumps(body["febrl4"]))


if __name__ == "__main__":
    main()

"""Measures the learners: against peers, with hidden labels, and the leak gates.

    python benchmarks/judgement.py compare  TABLES [--out FILE] [--leave-out ebm]   every learner and peer on each table
    python benchmarks/judgement.py hidden   [TABLES]              half of the labels hidden: share of the lost AUROC regained
    python benchmarks/judgement.py gates    [TABLES]              20 planted leaks caught, false alarms on clean tables

TABLES is a folder of CSV files, each with a column ``target`` (0/1) and perhaps a column ``group``. Without
it, tables drawn from known rules stand in, the same each time. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.errors import StaffError
from kodomo.evaluation.bench.compare import COMBINED, bench_judgement
from kodomo.evaluation.bench.encoding import fit_encoder
from kodomo.evaluation.bench.peers import PEERS, lightgbm_tuned
from kodomo.evaluation.bench.reading import read_table
from kodomo.judgement.learners.boosting import Boosting
from kodomo.judgement.learners.combine import fit_combined
from kodomo.judgement.learners.cross_fit import Learner, make_folds
from kodomo.judgement.learners.leak_gates import rank_auroc, suspicious_columns
from kodomo.judgement.learners.logistic import Logistic
from kodomo.judgement.learners.rule_discovery import RuleDiscovery
from kodomo.judgement.learners.similar_cases import SimilarCases
from kodomo.judgement.learners.unlabelled import BaggedBoosting

Array = NDArray[np.float64]
Plain = tuple[str, Array, Array]

DRAWN = 50
PLANTED = 20


def drawn_table(seed: int) -> Plain:
    """Numbers, yes/no columns and counts; cases follow from lines, a bend, a conjunction and much chance."""
    generator = np.random.default_rng(seed)
    rows = int(generator.integers(800, 4_000))
    numbers = generator.normal(size=(rows, 6))
    flags = (generator.random((rows, 5)) < generator.uniform(0.02, 0.5, 5)) + 0.0
    counts = generator.poisson(generator.uniform(0.2, 3, 4), (rows, 4)).astype(np.float64)
    weights = generator.normal(size=6) * 0.5
    logit = numbers @ weights + 0.8 * flags[:, 0] + 0.3 * counts[:, 0] - 0.6 * np.abs(numbers[:, 1])
    logit += 1.5 * ((numbers[:, 2] > 0.5) & (flags[:, 4] > 0)) + generator.normal(size=rows) * 0.5
    rate = generator.uniform(0.03, 0.2)
    shift = np.quantile(logit + generator.logistic(size=rows), 1 - rate)
    y: Array = (logit + generator.logistic(size=rows) > shift).astype(np.float64)
    x = np.column_stack([numbers, flags, counts])
    x[generator.random(x.shape) < 0.06] = np.nan
    return f"drawn{seed:02d}", x, y


def tables(folder: Path | None) -> Iterator[Plain]:
    """Tables of a folder, or the drawn ones; texts as columns of levels, without any rate of cases."""
    if folder is None:
        yield from (drawn_table(seed) for seed in range(DRAWN))
        return
    for path in sorted(folder.glob("*.csv")):
        table = read_table(path, target="target", group=_group(path))
        encoder = fit_encoder(table.columns, table.y)
        plain = type(encoder)(encoder.levels, {}, encoder.overall, encoder.order)
        yield path.stem, plain(table.columns), table.y


def tell(body: dict[str, Any], out: Path | None) -> None:
    """Print what was measured, and write it into a file where one is named."""
    text = json.dumps(body, ensure_ascii=False, indent=1)
    if out:
        out.write_text(text + "\n", encoding="utf-8")
    print(text)


def machine() -> dict[str, Any]:
    """Cores, Python and the versions of what learns."""
    packages = ("numpy", "scikit-learn", "lightgbm", "xgboost-cpu", "interpret-core")
    return {"cores": os.cpu_count(), "python": platform.python_version(), "versions": {p: version(p) for p in packages}}


def _group(path: Path) -> str | None:
    with path.open(encoding="utf-8") as handle:
        return "group" if "group" in handle.readline().strip().split(",") else None


def compare(folder: Path, leave_out: list[str]) -> dict[str, Any]:
    """Mean figures of each method over all tables, and how far each falls behind the best peer."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for path in sorted(folder.glob("*.csv")):
        try:
            result = bench_judgement(path, target="target", group=_group(path), repeats=1, leave_out=leave_out)
        except StaffError as refusal:
            print(f"{path.name}: {refusal.what}", file=sys.stderr)
            continue
        found[path.stem] = result["methods"]
        best = max(v["auroc"] for n, v in result["methods"].items() if n in PEERS)
        own = result["methods"][COMBINED]
        print(
            f"{path.stem}: combine {own['auroc']:.4f} / {own['average_precision']:.4f}, best peer {best:.4f}",
            file=sys.stderr,
        )
    names = list(next(iter(found.values())))
    peers = [name for name in names if name in PEERS]
    summary = {}
    for name in names:
        gaps = {t: m[name]["auroc"] - max(m[p]["auroc"] for p in peers) for t, m in found.items()}
        worst = min(gaps, key=lambda t: gaps[t])
        means = {
            f: round(float(np.mean([m[name][f] for m in found.values()])), 4) for f in found[next(iter(found))][name]
        }
        summary[name] = {**means, "worst_gap": round(gaps[worst], 4), "worst_table": worst}
    return {
        "on": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "tables": len(found),
        "means": summary,
        "each": found,
    }


def hidden(folder: Path | None, most: int = 8) -> dict[str, Any]:
    """Half of the training labels hidden at random; true labels for scoring. Means over tables and two halves.

    ``naive``: LightGBM with small-data settings that takes every hidden case for a negative. ``ours``: all
    learners, boosting in bags. Regained: (ours − naive) / (all labels − naive). ``ours_naive``: the same
    learners without bags, which tells how much is due to bags and how much to the learners.
    """
    lines: dict[str, dict[str, float]] = {}
    for name, x, y in tables(folder):
        if len(lines) == most:
            break
        folds = make_folds(y, None, count=2, seed=3)
        areas: dict[str, list[float]] = {}
        for number in range(2):
            training, held = folds != number, folds == number
            for method, rates in _hidden_scores(x[training], y[training], x[held]).items():
                areas.setdefault(method, []).append(rank_auroc(rates, y[held]))
        lines[name] = {method: round(float(np.mean(a)), 4) for method, a in areas.items()}
        print(name, lines[name], file=sys.stderr)
    means = {m: float(np.mean([line[m] for line in lines.values()])) for m in next(iter(lines.values()))}
    lost = means["all_labels"] - means["naive"]
    regained = {m: round((means[m] - means["naive"]) / lost, 3) for m in means if m.startswith("ours")}
    return {
        "tables": lines,
        "means": {m: round(v, 4) for m, v in means.items()},
        "lost": round(lost, 4),
        "regained": regained,
    }


def _hidden_scores(x: Array, y: Array, new: Array) -> dict[str, Array]:
    generator = np.random.default_rng(11)
    seen = y.copy()
    cases = np.flatnonzero(y > 0)
    seen[generator.permutation(cases)[: len(cases) // 2]] = 0
    folds = make_folds(seen, None, count=5, seed=5)
    naive: tuple[Learner, ...] = (RuleDiscovery(), Boosting(), SimilarCases(), Logistic())
    bagged: tuple[Learner, ...] = (RuleDiscovery(), BaggedBoosting(), SimilarCases(), Logistic())
    return {
        "all_labels": lightgbm_tuned(x, y, new, 1),
        "naive": lightgbm_tuned(x, seen, new, 1),
        "ours": fit_combined(bagged, x, seen, folds, seed=1).logits(new),
        "ours_naive": fit_combined(naive, x, seen, folds, seed=1).logits(new),
    }


def planted(kind: int, y: Array, generator: np.random.Generator) -> Array:
    """A leaking column: a copy with slips, filled for cases alone, made for some cases, or a copy in one year."""
    if kind == 0:
        return np.where(generator.random(len(y)) < 0.01, 1 - y, y) * generator.uniform(1, 9)
    if kind == 1:
        return np.where(y > 0, generator.normal(size=len(y)), np.nan)
    if kind == 2:
        return np.where((y > 0) & (generator.random(len(y)) < 0.6), generator.integers(1, 5, len(y)), 0) + 0.0
    return np.where(np.arange(len(y)) % 4 == 3, y, generator.normal(size=len(y)))


def gates(folder: Path | None) -> dict[str, Any]:
    """Leaks caught among the planted, and clean tables stopped without cause; rows fall into four periods in turn."""
    caught, missed, alarms, clean = 0, [], {}, 0
    for number, (name, x, y) in enumerate(tables(folder)):
        period = np.arange(len(y)) % 4
        clean += 1
        found = suspicious_columns(x, y, period)
        if found:
            alarms[name] = [(one.column, one.gate, round(one.figure, 3)) for one in found]
        if number < PLANTED:
            column = planted(number % 4, y, np.random.default_rng(number))
            leaked = np.column_stack([x, column])
            if any(one.column == x.shape[1] for one in suspicious_columns(leaked, y, period)):
                caught += 1
            else:
                missed.append((name, number % 4))
    return {"planted": min(PLANTED, clean), "caught": caught, "missed": missed, "clean": clean, "false_alarms": alarms}


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("compare", "hidden", "gates"))
    parser.add_argument("tables", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="PEER", help="peers not to run")
    words = parser.parse_args()
    if words.what == "compare" and words.tables is None:
        parser.error("compare needs a folder of tables")
    if words.what == "compare":
        body = compare(words.tables, words.leave_out)
    else:
        body = {"hidden": hidden, "gates": gates}[words.what](words.tables)
    tell(body, words.out)


if __name__ == "__main__":
    main()

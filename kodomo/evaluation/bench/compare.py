"""Compares the learners and their combination with peers on an outside table, fold by fold (analysis side)."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kodomo.evaluation.bench.encoding import encode_training, fit_encoder
from kodomo.evaluation.bench.measures import BINS, figures, mean_figures
from kodomo.evaluation.bench.peers import PEERS, installed_peers
from kodomo.evaluation.bench.reading import Table, read_table
from kodomo.judgement.learners.calibration import probability
from kodomo.judgement.learners.combine import fit_combined, four_learners
from kodomo.judgement.learners.cross_fit import Array, make_folds
from kodomo.progress import Progress

FOLDS = 5
INNER_FOLDS = 5
INNER_FOLDS_LARGE = 3
LARGE_CELLS = 1_000_000
TWICE_BELOW = 2_000
COMBINED = "combine"


@dataclass(frozen=True)
class _Part:
    """One fold of one repeat: rows left out, and every method's rates for them with its seconds."""

    repeat: int
    rows: Any
    rates: dict[str, Array]
    seconds: dict[str, float]


def bench_judgement(
    path: Path,
    *,
    target: str,
    group: str | None = None,
    ignore: Sequence[str] = (),
    seed: int = 1,
    repeats: int | None = None,
    workers: int = 2,
    without_peers: bool = False,
    leave_out: Sequence[str] = (),
) -> dict[str, Any]:
    """Run every learner, their combination and the installed peers on the same folds of a table.

    Reads the file, writes nothing. Everything that is learned, encodings of texts included, comes from the
    training rows of the fold. Stratified folds, fixed by the seed; rows of one group stay together.

    Args:
        target, group, ignore: columns, as in ``read_table``.
        repeats: how often folds are drawn; when absent twice below 2,000 rows, else once.
        workers: processes side by side, a fold each.
        leave_out: peers not to run; the explainable boosting machine takes longer than all others together.

    Returns:
        ``methods.<name>`` with AUROC, average precision, precision and recall at 2, 5 and 10 %, Brier score,
        calibration error and seconds; and how the folds were made.

    Raises:
        UnusableTable: the table cannot be compared on.
    """
    table = read_table(path, target=target, group=group, ignore=ignore)
    there, absent = ([], []) if without_peers else installed_peers()
    there = [name for name in there if name not in leave_out]
    repeats = repeats or (2 if len(table.y) < TWICE_BELOW else 1)
    parts = _all_parts(table, there, repeats, seed, workers)
    methods = {name: _method(table, parts, name, repeats) for name in parts[0].rates}
    return {
        "file": path.name,
        "rows": len(table.y),
        "positives": int(table.y.sum()),
        "base_rate": round(float(table.y.mean()), 6),
        "positive_value": table.positive,
        "columns": len(table.columns.names),
        "text_columns": len(table.columns.texts),
        "folds": {
            "count": FOLDS,
            "repeats": repeats,
            "seed": seed,
            "stratified": True,
            "grouped_by": group,
            "scores": "pooled over the folds of a repeat, figures averaged over repeats",
            "calibration_bins": f"{BINS} bins of equal width",
        },
        "methods": methods,
        "not_installed": absent,
        "notes": list(table.notes),
    }


def _all_parts(table: Table, peers: list[str], repeats: int, seed: int, workers: int) -> list[_Part]:
    progress = Progress("判定方法の比較", FOLDS * repeats * (len(four_learners(1, 1)) + len(peers)), unit="学習")
    work = []
    for repeat in range(repeats):
        folds = make_folds(table.y, table.group, count=FOLDS, seed=seed + repeat)
        work += [(repeat, np.flatnonzero(folds == n)) for n in range(FOLDS)]
    each = len(four_learners(1, 1)) + len(peers)
    parts: list[_Part] = []
    if workers <= 1:
        for repeat, rows in work:
            parts.append(one_fold(table, repeat, rows, peers, seed, progress.add))
    else:
        # Fresh processes: a forked one would inherit the threads of the numeric libraries half alive.
        pool: Executor = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
        with pool:
            running: list[Future[_Part]] = [pool.submit(one_fold, table, r, rows, peers, seed) for r, rows in work]
            for done in as_completed(running):
                parts.append(done.result())
                progress.add(each)
    progress.close()
    return sorted(parts, key=lambda part: (part.repeat, int(part.rows[0])))


def one_fold(
    table: Table, repeat: int, rows: Any, peers: list[str], seed: int, step: Callable[[], None] = lambda: None
) -> _Part:
    """Fit every method on all rows but ``rows``, and let it rate those."""
    inside = np.zeros(len(table.y), dtype=bool)
    inside[rows] = True
    with threadpool_limits(1):
        rates, seconds = _rates(table, ~inside, inside, peers, seed + 100 * repeat, step)
    return _Part(repeat, rows, rates, seconds)


def _rates(
    table: Table, training: Any, held: Any, peers: list[str], seed: int, step: Callable[[], None]
) -> tuple[dict[str, Array], dict[str, float]]:
    """Every method's rates for the rows held out."""
    y = table.y[training]
    group = None if table.group is None else table.group[training]
    known = table.columns.take(training)
    encoder = fit_encoder(known, y)
    x, new = encode_training(encoder, known, y, group, seed), encoder(table.columns.take(held))
    rates: dict[str, Array] = {}
    seconds: dict[str, float] = {}
    clock = [time.monotonic()]

    def done(name: str) -> None:
        now = time.monotonic()
        seconds[name] = now - clock[0]
        clock[0] = now
        step()

    inner = INNER_FOLDS if x.size < LARGE_CELLS else INNER_FOLDS_LARGE
    folds = make_folds(y, group, count=inner, seed=seed + 7)
    fitted = fit_combined(four_learners(*x.shape), x, y, folds, seed=seed, done=done)
    clock[0] = time.monotonic()
    each = fitted.logits_of_each(new)
    for name, logits in each.items():
        rates[name] = probability(fitted.platts[name](logits))
    rates[COMBINED] = probability(fitted.mean(each))
    seconds[COMBINED] = sum(seconds.values()) + time.monotonic() - clock[0]
    for name in peers:
        clock[0] = time.monotonic()
        rates[name] = PEERS[name][0](x, y, new, seed)
        done(name)
    return rates, seconds


def _method(table: Table, parts: list[_Part], name: str, repeats: int) -> dict[str, float]:
    several = []
    for repeat in range(repeats):
        rates = np.full(len(table.y), np.nan)
        for part in parts:
            if part.repeat == repeat:
                rates[part.rows] = part.rates[name]
        several.append(figures(rates, table.y))
    spent = sum(part.seconds[name] for part in parts)
    return {**mean_figures(several), "seconds": round(spent, 2)}


def as_text(result: dict[str, Any]) -> str:
    """The comparison as a table for people: one line a method."""
    lines = [
        f"{result['file']}: {result['rows']:,} 行、陽性 {result['positives']:,} 行({result['base_rate']:.1%})、"
        f"{result['columns']} 列。{result['folds']['count']} 分割 × {result['folds']['repeats']} 回、"
        f"校正誤差は 0〜1 を{BINS}等分した区間で測る",
        *(f"・{note}" for note in result["notes"]),
        f"{'方法':<18}  AUROC     AP  適合2%  適合5% 適合10%  再現2%  再現5% 再現10%  Brier  校正誤差     秒",
    ]
    for name, one in result["methods"].items():
        places = [one[f"{kind}_at_{share}"] for kind in ("precision", "recall") for share in (2, 5, 10)]
        lines.append(
            f"{name:<20}{one['auroc']:7.4f}{one['average_precision']:7.4f}"
            + "".join(f"{value:8.3f}" for value in places)
            + f"{one['brier']:8.4f}{one['calibration_error']:9.4f}{one['seconds']:8.1f}"
        )
    lines += [f"{name}: 入っていない(任意の依存 bench)" for name in result["not_installed"]]
    return "\n".join(lines)

"""How often the 95 % intervals that are published hold the truth, by drawing cities whose truth is known.

    python benchmarks/judgement_intervals.py [--draws N] [--out FILE]

A child's score and its later registration both follow what its household shares and what is its own, so that
children of one household are alike. The truth of a figure is its value over a very large draw. Each further draw is
one evaluation: its figures get their intervals as ``kodomo evaluate`` gives them, and the share of draws whose
interval holds the truth is the coverage. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from judgement import machine, tell
from numpy.typing import NDArray

from kodomo.evaluation.metrics import (
    Figure,
    auroc,
    average_precision,
    poisson_interval,
    precision_at,
    recall_at,
    with_interval,
    with_interval_of_difference,
)
from kodomo.evaluation.missed_cases import Review, missed_rate
from kodomo.judgement.learners.leak_gates import auroc_difference
from kodomo.judgement.methods import checked

Array = NDArray[np.float64]
SHARE_HIGH, SHARE_BOTH = 0.02, 0.10
LARGE = 400_000
"""Households whose children give the truth of a figure."""


def people(
    households: int, rate: float, generator: np.random.Generator
) -> tuple[Array, Array, Array, NDArray[np.object_], Array]:
    """Two scores of different worth, the outcome, the household and the true probability of every child; about
    ``rate`` are cases.
    """
    sizes = generator.choice([1, 2, 3], households, p=[0.45, 0.4, 0.15])
    house = np.repeat(np.arange(households), sizes)
    shared = generator.normal(size=households)[house] * 0.8
    own = generator.normal(size=len(house)) * 0.9
    burden = shared + own
    scores = burden + generator.normal(size=len(house)) * 0.8
    other = burden + generator.normal(size=len(house)) * 1.4
    logit = np.log(rate / (1 - rate)) - 1.0 + 1.5 * burden
    chance = 1 / (1 + np.exp(-logit))
    positive: Array = (generator.random(len(house)) < chance).astype(np.float64)
    return scores, other, positive, house.astype(np.object_), chance


def at_share(figure: Callable[[Array, Array, int], float], share: float, scores: Array, positive: Array) -> float:
    """Precision or recall among a share of the children."""
    return figure(scores, positive, max(1, int(len(scores) * share)))


FIGURES: dict[str, Callable[[Array, Array], float]] = {
    "auroc": auroc,
    "average_precision": average_precision,
    "precision_high": partial(at_share, precision_at, SHARE_HIGH),
    "precision_middle": partial(at_share, precision_at, SHARE_BOTH),
    "recall_high": partial(at_share, recall_at, SHARE_HIGH),
    "recall_middle": partial(at_share, recall_at, SHARE_BOTH),
}
RATES = {"few_cases": 0.006, "more_cases": 0.02}


def of_an_evaluation(rate: float, draws: int, households: int = 1_500) -> dict[str, Any]:
    """Coverage and mean width of the intervals of an evaluation report, and how many cases it rests on."""
    generator = np.random.default_rng(7)
    scores, other, positive, *_ = people(LARGE, rate, generator)
    truth = {name: figure(scores, positive) for name, figure in FIGURES.items()}
    apart = truth["auroc"] - auroc(other, positive)
    truth |= {
        "auroc_against_another": apart,
        "difference_while_learning": apart,
        "auroc_while_learning": truth["auroc"],
    }
    found: dict[str, list[tuple[bool, float]]] = {name: [] for name in (*truth, "expected_cases")}
    cases = []
    for _ in range(draws):
        scores, other, positive, house, chance = people(households, rate, generator)
        cases.append(positive.sum())
        measured = {n: with_interval(f, scores, positive, house, generator) for n, f in FIGURES.items()}
        words = (scores, other, positive, house, generator)
        measured["auroc_against_another"] = with_interval_of_difference(auroc, *words)
        learned = checked(scores, positive, house)
        measured["auroc_while_learning"] = Figure(learned.auroc, *learned.interval)
        measured["difference_while_learning"] = Figure(*auroc_difference(scores, other, positive, house))
        # What scores that are right foresee of these very children, as the evaluation holds it against what came.
        truth["expected_cases"] = float(chance.sum())
        measured["expected_cases"] = Figure(float(positive.sum()), *poisson_interval(int(positive.sum())))
        for name, one in measured.items():
            found[name].append((one.low <= truth[name] <= one.high, one.high - one.low))
    return {"cases": round(float(np.mean(cases)), 1)} | {name: _told(held) for name, held in found.items()}


def of_the_missed(rate: float, rounds: int, draws: int) -> dict[str, Any]:
    """Coverage of the missed-case rate: 25 children a round from bands that differ, one in five never reviewed."""
    generator = np.random.default_rng(11)
    sizes, ratio = np.array([4_000, 5_000, 2_600, 2_400]), np.array([0.6, 1.0, 1.6, 1.2])
    rates = rate * ratio / (sizes @ ratio / sizes.sum())
    held = []
    for _ in range(draws):
        drawn = []
        for day in range(rounds):
            for band, size in enumerate(sizes):
                number = int(25 * size / sizes.sum() + generator.random())
                hits = np.where(generator.random(number) < 0.8, generator.random(number) < rates[band], None)
                when = dt.date(2026, 3, 31) + dt.timedelta(days=day)
                drawn += [Review(when, str(band), int(size), None if hit is None else bool(hit)) for hit in hits]
        figure, _ = missed_rate(drawn)
        held.append((figure.low <= rate <= figure.high, figure.high - figure.low))
    return {"rate": rate, "rounds": rounds, **_told(held)}


def _told(held: list[tuple[bool, float]]) -> dict[str, float]:
    covered, width = np.mean(np.array(held, dtype=float), axis=0)
    return {"covers": round(float(covered), 3), "width": round(float(width), 3)}


def main() -> None:
    """Draw, measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    body: dict[str, Any] = {
        "on": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine(),
        "draws": words.draws,
    }
    for name, rate in RATES.items():
        body[name] = of_an_evaluation(rate, words.draws)
        print(name, json.dumps(body[name]), file=sys.stderr)
    body["missed"] = [of_the_missed(r, n, 2_000) for n in (1, 4, 12) for r in (0.03, 0.10)]
    tell(body, words.out)


if __name__ == "__main__":
    main()

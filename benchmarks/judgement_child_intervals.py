"""How often the two ranges of a child's judgement hold their truth, in towns whose chances are known.

    python benchmarks/judgement_child_intervals.py [--draws N] [--out FILE]

Each draw is a town of its own: children in households, records of five dates that follow a burden of their own and one of
their household, gaps, and registrations that come with a chance known for every child. One type is learned from it as
``kodomo judge`` does, and judges children of another town that every draw judges. *rates*: the share of them whose
``score_low`` to ``score_high`` hold the true rate of all who are judged at the same height. *sway*: the share whose range of
log-odds holds what the draws say of the child together (those of the other draws, moved and stretched as a whole to this
one's scale). *levels*: the share whose levels hold the one it has by that. *own_chance* is promised by nobody: the share whose
``score_low`` to ``score_high`` hold the child's very own chance. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from judgement import machine, tell
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from kodomo.judgement.boosting import SCENARIO_COLUMN, TrainingSet
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.judge import learned_logits
from kodomo.judgement.learners.calibration import penalised, probability
from kodomo.judgement.learning import Plan, TypeRows, own_model
from kodomo.judgement.levels import Capacity, Grounds, assign_levels, levels_between
from kodomo.judgement.scenarios import Scenarios
from kodomo.terms import DifficultyType

Array = NDArray[np.float64]
MONTHS, HORIZON = (0, 3, 6, 9, 15), 6
"""Months of the dates, the last being the day of judgement, and how long after each a registration counts."""
COLUMNS, TELLING = 24, 10
KIND = DifficultyType.POVERTY
CAPACITY = Capacity(0.02, 0.10)
SIZES = {"few_cases": (0.01, 1_500, 40), "some_cases": (0.02, 1_500, 40), "more_cases": (0.03, 4_500, 20)}
"""Yearly rate, households and draws."""
BENDS = (0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)
PANEL = 2_500
"""Households whose children every draw judges."""


@dataclass(frozen=True)
class Town:
    """Children: records of every date with the points last, household, chance within a year, month of registration."""

    records: tuple[Array, ...]
    house: NDArray[np.object_]
    chance: Array
    registered: Array


def a_town(households: int, rate: float, name: str, generator: np.random.Generator) -> Town:
    """Draw one."""
    sizes = generator.choice([1, 2, 3], households, p=[0.45, 0.4, 0.15])
    number = np.repeat(np.arange(households), sizes)
    burden = 0.7 * generator.normal(size=households)[number] + 0.7 * generator.normal(size=len(number))
    lasting = generator.normal(size=(len(number), COLUMNS))
    gaps = generator.random(lasting.shape) < np.linspace(0, 0.5, COLUMNS)
    records = []
    for _ in MONTHS:
        x = 0.8 * lasting + 0.6 * generator.normal(size=lasting.shape)
        x[:, :TELLING] = 0.8 * x[:, :TELLING] + 0.6 * burden[:, None]
        # As records are: flags, counts with a long tail, amounts that are mostly nought.
        x[:, 1], x[:, 12] = (x[:, 1] > 0.8) + 0.0, (x[:, 12] > 1) + 0.0
        x[:, 3], x[:, 5] = np.round(np.exp(x[:, 3])), np.maximum(x[:, 5], 0).round(1)
        x = np.where(gaps, np.nan, x)
        said = np.nan_to_num(x)
        points = 2 * (said[:, 0] > 1) + (said[:, 2] > 1) + 2 * (said[:, 1] > 0) + (said[:, 11] > 1.2)
        records.append(np.column_stack([x, points]))
    told = 1.1 * burden + 0.5 * np.maximum(lasting[:, 0], 0) + 0.3 * lasting[:, 11]
    told += 0.6 * (lasting[:, 12] > 1) * (burden > 0)
    chance = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) - 0.9 + told)))
    registered = generator.exponential(12 / -np.log1p(-chance))
    house = np.array([f"{name}{n}" for n in number], dtype=object)
    return Town(tuple(records), house, chance, registered)


def rows_of(town: Town) -> TypeRows:
    """What is learned from: the past dates with what followed within the horizon, and today's known cases."""
    today, parts = MONTHS[-1], []
    for month, records in zip(MONTHS, town.records, strict=True):
        known = town.registered < month
        follows = (town.registered >= month) & (town.registered < month + HORIZON) & (month != today)
        is_past = np.full(len(known), month != today) & ~known
        date = np.full(len(known), np.datetime64("2025-01-31") + np.timedelta64(30 * month, "D"))
        parts.append((records, (known | follows) + 0.0, is_past, follows + 0.0, date, town.house))
    values, y, is_past, after, date, house = (np.concatenate(part) for part in zip(*parts, strict=True))
    names = (*(f"x{n}" for n in range(COLUMNS)), SCENARIO_COLUMN)
    signs = (*(1 if n < 3 else 0 for n in range(COLUMNS)), 1)
    training = TrainingSet(values, y, np.ones(len(y)), house, names, signs)
    return TypeRows(KIND, training, is_past, after, date)


@dataclass(frozen=True)
class _Draw:
    """What one draw says of the panel: log-odds, both ranges, and the levels of the second."""

    logits: Array
    rates: tuple[Array, Array]
    sway: tuple[Array, Array]
    levels: tuple[NDArray[np.object_], NDArray[np.object_]]
    cases: int


def one_draw(town: Town, panel: Town, scenarios: Scenarios) -> _Draw:
    """Learn from a town, judge the panel."""
    rows = rows_of(town)
    model = own_model(KIND, rows, scenarios, Plan(HORIZON))
    values = panel.records[-1]
    base = scenarios.scope(KIND).base_rate
    points = np.log(base / (1 - base)) + scenarios.point_is * values[:, -1]
    logits = model.combined(points, learned_logits(model, values, panel.house)).logit
    if model.rates is None:
        raise SystemExit("too few cases for a range")
    # A town in which nothing learned may move the score has points alone, and no sway.
    sway = model.sway.range_of(logits) if model.sway else (logits, logits)
    levels = levels_between(sway, logits, CAPACITY, nobody(panel), levels_of(logits, panel))
    return _Draw(logits, model.rates.range_of(logits), sway, levels, rows.training.cases)


def nobody(panel: Town) -> Grounds:
    """Nobody is escalated, registered or little known, and of everybody something speaks."""
    none = np.zeros(len(panel.chance), dtype=bool)
    keys = np.arange(len(panel.chance)).astype(object)
    return Grounds(keys, thin=none, registered=none, escalated=none, evidence=~none)


def levels_of(logits: Array, panel: Town) -> NDArray[np.object_]:
    """The panel's levels by log-odds."""
    return assign_levels(logits, CAPACITY, nobody(panel))


def rate_at(logits: Array, chance: Array) -> Array:
    """The true rate of those judged at each child's height: the panel's own chances, smoothed over the heights.

    Chances, not outcomes, and a line that may bend at seven heights: means of neighbours would be as unsure at the highest
    as what is to be measured.
    """
    knots = np.quantile(logits, BENDS)
    basis = np.column_stack([np.ones(len(logits)), logits, *(np.maximum(logits - knot, 0.0) for knot in knots)])
    start, drawn = np.array([0.0, 1.0, *np.zeros(len(knots))]), np.full(basis.shape[1], 1e-3)
    found, _ = penalised(basis, chance, np.full(len(chance), 1_000.0), start, drawn)
    return probability(basis @ found)


def coverage(draws: list[_Draw], panel: Town) -> dict[str, Any]:
    """The share of children held by each range, over all draws, with its error over draws, and the ranges' widths."""
    every = np.array([one.logits for one in draws])
    found: dict[str, list[float]] = {"rates": [], "sway": [], "levels": [], "own_chance": []}
    widths: dict[str, list[float]] = {"rates": [], "sway": []}
    for n, one in enumerate(draws):
        together = np.delete(every, n, axis=0).mean(axis=0)
        settled = np.polyval(np.polyfit(together, one.logits, 1), together)
        truths = {"rates": rate_at(one.logits, panel.chance), "own_chance": panel.chance, "sway": settled}
        for name, truth in truths.items():
            low, high = one.sway if name == "sway" else one.rates
            found[name].append(float(np.mean((low <= truth) & (truth <= high))))
        level = levels_of(settled, panel)
        height = {"LOW": 0, "MIDDLE": 1, "HIGH": 2}
        low, own, high = (np.array([height[v] for v in part]) for part in (one.levels[0], level, one.levels[1]))
        found["levels"].append(float(np.mean((low <= own) & (own <= high))))
        widths["rates"].append(float(np.mean(np.log(one.rates[1] / one.rates[0]))))
        widths["sway"].append(float(np.mean(one.sway[1] - one.sway[0])))
    told = {
        name: {"covers": round(float(np.mean(v)), 3), "error": round(float(np.std(v) / np.sqrt(len(v))), 3)}
        for name, v in found.items()
    }
    for name, held in widths.items():
        told[name]["width"] = round(float(np.mean(held)), 2)
    return {"draws": len(draws), "cases": round(float(np.mean([d.cases for d in draws])), 1), **told}


def main() -> None:
    """Draw, measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, help="draws of each size, instead of 40, 40 and 20")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    scenarios = read_all_criteria(Path(__file__).parents[1] / "municipalities" / "hinata").scenarios
    body: dict[str, Any] = {"on": dt.datetime.now(dt.UTC).date().isoformat(), "machine": machine()}
    for name, (rate, households, draws) in SIZES.items():
        started = time.process_time()
        panel = a_town(PANEL, rate, "panel", np.random.default_rng(99))
        with threadpool_limits(1):
            drawn = [
                one_draw(a_town(households, rate, "h", np.random.default_rng(1_000 + n)), panel, scenarios)
                for n in range(words.draws or draws)
            ]
        body[name] = coverage(drawn, panel) | {"cpu_seconds": round(time.process_time() - started)}
        print(name, json.dumps(body[name]), file=sys.stderr)
    tell(body, words.out)


if __name__ == "__main__":
    main()

"""Judgements of the synthetic city beside LightGBM on the same indicators, dates and registrations, held against its answer key.

    python benchmarks/judgement_city.py [--residents N] [--seeds S ...] [--out FILE]
    python benchmarks/judgement_city.py --home HOME --city CITY --links LINKS [--as-of DAY]    a city that has been published already
    python benchmarks/judgement_city.py --home HOME --municipality FOLDER --owners OWNERS --difficulties KEY [--as-of DAY]    a stranger's

A city of 36 months is judged with what was known after 24 of them, so that its answer key tells what came next. Two
targets per type, of the children not registered for it: those in difficulty on the date; those and the ones who will be
within twelve months. For each, how well every method ranks them and how many stand within a review capacity of 2 % and
10 %. LightGBM learns the same rows (past dates and known cases, folds by household), as it comes and with settings for
few cases; the oracle is LightGBM on the answer key's own word on each target, which no city has. ``regained`` is the
share of the average precision between LightGBM and the oracle. ``level`` holds the calibrated scores against the
registrations of the following twelve months. Also how alike the three strongest reasons are over five seeds, and how many of
the five rows most like a child registered later were known cases. The answer key is read for measuring only.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from judgement import machine, tell
from numpy.typing import NDArray
from truth import owners

from kodomo.configuration import SHIPPED_MUNICIPALITIES, Home, read_municipality
from kodomo.evaluation.backtest import past_date
from kodomo.evaluation.bench.peers import lightgbm_default, lightgbm_tuned
from kodomo.evaluation.metrics import auroc, average_precision, calibration_error, recall_at
from kodomo.evaluation.outcomes import outcome
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.dates import month_index
from kodomo.governance.register import read_register
from kodomo.judgement.boosting import FOLDS, fold_of
from kodomo.judgement.contributions import learned_contributions
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import Judged, Lawful, Studied, TypeJudgement, first_fact, judge, model_values, study
from kodomo.judgement.labels import Cases, horizon_for, read_cases
from kodomo.judgement.learning import Plan, design, learnable, training_set
from kodomo.judgement.nearest import nearest_cases as like_rows
from kodomo.judgement.reasons import WORTH_SAYING, combined_parts
from kodomo.judgement.scenarios import judge_scenario
from kodomo.linkage.quality import read_links
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType, Method, Purpose

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

AS_OF = dt.date(2025, 3, 31)
OURS = SHIPPED_MUNICIPALITIES / "hinata"
MONTHS = 36
TARGETS = {"now": 0, "within_12_months": 12}
"""Target → by how many months after the date a difficulty may begin."""
SEEDS_OF_REASONS = 5
PEERS = {"lightgbm_default": lightgbm_default, "lightgbm_small_data": lightgbm_tuned}


@dataclass(frozen=True)
class City:
    """A published city, the day it is judged, by which criteria, and the answer key's word on its children."""

    as_of: dt.date
    snapshot: Snapshot
    criteria: Criteria
    types: tuple[DifficultyType, ...]
    lawful: Lawful
    owner: Mapping[str, str]
    difficulties: pd.DataFrame

    def study(self, as_of: dt.date, seed: int | None = None, before: Studied | None = None) -> Studied:
        """Learn with what was known on a date; with another seed than the product's, and indicators built before."""
        span = month_index(as_of) - month_index(first_fact(self.snapshot, as_of)) + 1
        plan = Plan(horizon_for(span)) if seed is None else Plan(horizon_for(span), seed=seed)
        built = before.matrix if before else None
        return study(self.snapshot, as_of, self.criteria, self.types, lawful=self.lawful, plan=plan, built=built)

    def judge(self, studied: Studied, as_of: dt.date) -> Judged:
        """Judge the cohort of a date."""
        may = self.lawful.may_judge
        return judge(self.snapshot, as_of, self.criteria, self.types, may_judge=may, studied=studied)

    def persons(self, keys: NDArray[np.object_]) -> NDArray[np.object_]:
        """The true person behind each key; None where the links hold none."""
        return np.array([self.owner.get(key) for key in keys], dtype=object)

    @property
    def targets(self) -> dict[str, int]:
        """Those the answer key can tell of."""
        known_until = self.difficulties["first_month"].max()
        return {name: ahead for name, ahead in TARGETS.items() if later(self.month, ahead) <= known_until}

    @property
    def month(self) -> str:
        """The month judged, as the answer key writes it."""
        return self.as_of.isoformat()[:7]

    def in_difficulty(self, kind: DifficultyType, month: str, ahead: int = 0) -> set[str]:
        """True persons in a difficulty of a type in a month, or so many months ahead of one."""
        rows = self.difficulties[self.difficulties["type"] == kind.label]
        ended = rows["last_month"]
        begun = rows["first_month"] <= later(month, ahead)
        return set(rows[begun & ((ended == "") | (ended >= month))]["person_id"])

    def registered(self, kind: DifficultyType, month: str) -> set[str]:
        """True persons registered for a type by a month."""
        rows = self.difficulties[self.difficulties["type"] == kind.label]
        return set(rows[(rows["registered_on"] != "") & (rows["registered_on"].str[:7] <= month)]["person_id"])

    def hidden(
        self, kind: DifficultyType, keys: NDArray[np.object_], month: str, ahead: int = 0
    ) -> tuple[Array, Flags]:
        """Of each key: 1 in difficulty by then; and whether it counts, being known and not registered for the type."""
        people, known = self.persons(keys), self.registered(kind, month)
        mine = self.in_difficulty(kind, month, ahead)
        return (
            np.array([one in mine for one in people], dtype=np.float64),
            np.array([one is not None and one not in known for one in people], dtype=bool),
        )


def later(month: str, months: int) -> str:
    """So many months after a month.

    >>> later("2025-03", 12), later("2025-11", 2)
    ('2026-03', '2026-01')
    """
    number = int(month[:4]) * 12 + int(month[5:7]) - 1 + months
    return f"{number // 12}-{number % 12 + 1:02d}"


def owners_of(folder: Path, links: Path) -> dict[str, str]:
    """The true person behind each key of our own city: its folder, and the links exported from the home."""
    return owners(read_links(links, "person_key"), read_links(folder / "answer_key" / "links.csv", "person_id"))


def open_city(
    home: Path, owner: Mapping[str, str], difficulties: Path, settings: Path = OURS, as_of: dt.date = AS_OF
) -> City:
    """A published home, who is behind its keys, the answer key's states, and the municipality's folder."""
    municipality = read_municipality(settings)
    register = read_register(municipality.folder)
    return City(
        as_of,
        current_snapshot(Home(home)),
        read_all_criteria(municipality.folder),
        municipality.types,
        Lawful(lawful_for(register, Purpose.JUDGE, as_of), lawful_for(register, Purpose.LEARN, as_of)),
        owner,
        pd.read_csv(difficulties, dtype=str, keep_default_na=False),
    )


def figures(scores: Array, truth: Array) -> dict[str, float]:
    """Ranking figures, and the children found within a capacity; ties at its edge count by their share."""
    found = {"auroc": auroc(scores, truth), "average_precision": average_precision(scores, truth)}
    for share in (2, 10):
        reached = recall_at(scores, truth, max(1, int(len(scores) * share / 100)))
        found[f"found_at_{share}"] = reached * float(truth.sum())
    return {name: round(value, 4) for name, value in found.items()}


def beside_lightgbm(city: City, studied: Studied, judged: Judged) -> dict[str, Any]:
    """Each type's figures per target and method, and their means."""
    every = read_cases(city.snapshot, city.criteria.labels)
    types = {}
    for kind in judged.types:
        scores = {Method.COMBINED.value: kind.combination.logit, Method.SCENARIO.value: kind.scenario.logit}
        scores |= {method.value: logits for method, logits in kind.combination.learned.items()}
        scores |= _peers(city, studied, judged, kind, every.known_by(city.as_of))
        targets = {name: _at_target(city, studied, judged, kind, scores, ahead) for name, ahead in city.targets.items()}
        types[kind.type.label] = {
            "cases_learned_from": studied.learned.cases[kind.type],
            "targets": {name: found for name, found in targets.items() if found},
            "level": _level(city, judged, kind, every),
        }
        print(kind.type.label, json.dumps(types[kind.type.label], ensure_ascii=False), file=sys.stderr)
    return {"types": types, "means": {name: _means(types, name) for name in city.targets}}


def _at_target(
    city: City, studied: Studied, judged: Judged, kind: TypeJudgement, scores: Mapping[str, Array], ahead: int
) -> dict[str, Any]:
    truth, counts = city.hidden(kind.type, judged.matrix.cohort.child_key, city.month, ahead)
    rows = kind.rows[counts[kind.rows]]
    if not truth[rows].any():
        return {}
    every = {**scores, "oracle": _oracle(city, studied, judged, kind, ahead)}
    return {
        "hidden": int(truth[rows].sum()),
        "children": len(rows),
        "methods": {name: figures(one[rows], truth[rows]) for name, one in every.items()},
    }


def _level(city: City, judged: Judged, kind: TypeJudgement, every: Cases) -> dict[str, float] | None:
    """Registrations of the following twelve months: as the scores said, and as came; None where nothing followed yet."""
    if "within_12_months" not in city.targets:
        return None
    after = outcome(judged, kind, every, 12)
    said, came = after.scores[Method.COMBINED.value], after.positive
    top = np.argsort(-said, kind="stable")[: max(1, len(said) // 50)]
    return {
        "said": round(float(said.sum()), 1),
        "came": int(came.sum()),
        "calibration_error": round(calibration_error(said, came), 4),
        "said_in_first_2": round(float(said[top].sum()), 1),
        "came_in_first_2": int(came[top].sum()),
    }


def _means(types: Mapping[str, Any], target: str) -> dict[str, dict[str, float]]:
    """Of the methods that every type has: mean AUROC and average precision, children found in all, against the oracle."""
    lines = [one["targets"][target]["methods"] for one in types.values() if target in one["targets"]]
    found = {}
    for name in sorted(set.intersection(*map(set, lines))):
        each = [line[name] for line in lines]
        found[name] = {
            **{f: round(float(np.mean([m[f] for m in each])), 4) for f in ("auroc", "average_precision")},
            **{f: round(float(np.sum([m[f] for m in each])), 1) for f in ("found_at_2", "found_at_10")},
            "lowest_auroc": min(m["auroc"] for m in each),
        }
    most = found["oracle"]
    for one in found.values():
        one["share_of_oracles_auroc"] = round(one["auroc"] / most["auroc"], 4)
        for peer in PEERS:
            least, reached = (found[peer]["average_precision"], one["average_precision"])
            one[f"regained_from_{peer}"] = round((reached - least) / (most["average_precision"] - least), 4)
    return found


def _peers(city: City, studied: Studied, judged: Judged, kind: TypeJudgement, cases: Cases) -> dict[str, Array]:
    """LightGBM learned from the same rows as the product's learners, the staff's points left aside."""
    columns = learnable(studied.matrix.catalogue, city.criteria.labels, kind.type, city.lawful.may_learn)
    words = (studied.matrix, cases, city.criteria.scenarios, kind.type, columns, studied.plan, studied.groups)
    rows = training_set(*words).training
    x, new = rows.values[:, :-1], design(judged.matrix, columns)
    folds, today = fold_of(rows.group, studied.plan.seed), fold_of(judged.groups, studied.plan.seed)
    return {name: _by_fold(peer, x, rows.y, folds, new, today) for name, peer in PEERS.items()}


def _oracle(city: City, studied: Studied, judged: Judged, kind: TypeJudgement, ahead: int) -> Array:
    """LightGBM with the true states of every date as labels: how far these indicators could carry."""
    whole = studied.matrix
    columns = learnable(whole.catalogue, city.criteria.labels, kind.type, city.lawful.may_learn)
    truth, asked = np.zeros(len(whole.cohort)), np.zeros(len(whole.cohort), dtype=bool)
    scenario = judge_scenario(kind.type, city.criteria.scenarios, whole)
    for day in np.unique(whole.cohort.as_of):
        rows = np.flatnonzero(whole.cohort.as_of == day)
        truth[rows], known = city.hidden(kind.type, whole.cohort.child_key[rows], str(day)[:7], ahead)
        asked[rows] = known & scenario.applicable[rows]
    group = np.array([studied.groups.get(key, key) for key in whole.cohort.child_key], dtype=object)
    folds, today = fold_of(group, studied.plan.seed), fold_of(judged.groups, studied.plan.seed)
    x = design(whole, columns)
    return _by_fold(lightgbm_tuned, x[asked], truth[asked], folds[asked], design(judged.matrix, columns), today)


def _by_fold(
    peer: Any, x: Array, y: Array, folds: NDArray[np.int64], new: Array, new_folds: NDArray[np.int64]
) -> Array:
    """Every new row scored by a model that saw none of its household."""
    scores = np.zeros(len(new))
    for fold in range(FOLDS):
        here = new_folds == fold
        if here.any() and y[folds != fold].any():
            scores[here] = peer(x[folds != fold], y[folds != fold], new[here], 1)
    return scores


def strongest(judged: Judged, most: int = 3, share: float = 0.10) -> dict[tuple[str, str], frozenset[str]]:
    """The strongest raising reasons of the children in the first tenth of each type that has a model."""
    catalogue, found = judged.matrix.catalogue, {}
    for kind in judged.types:
        if not kind.combination.is_learned:
            continue
        said = learned_contributions(kind, judged.matrix, judged.groups, catalogue)
        parts = combined_parts(kind, said, catalogue)
        logit = kind.combination.logit[kind.rows]
        names = [unit.sentence or unit.indicator for unit in parts.units]
        for row in np.argsort(-logit, kind="stable")[: int(len(logit) * share)]:
            order = np.argsort(-parts.values[row], kind="stable")[:most]
            chosen = frozenset(names[n] for n in order if parts.values[row, n] >= WORTH_SAYING)
            found[kind.type.value, judged.matrix.cohort.child_key[kind.rows[row]]] = chosen
    return found


def agreement(several: list[dict[tuple[str, str], frozenset[str]]]) -> dict[str, float]:
    """Mean over pairs of seeds and children judged high by both: shared reasons over the more of the two."""
    found: dict[str, list[float]] = {}
    for one, other in combinations(several, 2):
        for key in one.keys() & other.keys():
            if one[key] or other[key]:
                most = max(len(one[key]), len(other[key]))
                found.setdefault(key[0], []).append(len(one[key] & other[key]) / most)
    together = [value for values in found.values() for value in values]
    return {kind: round(float(np.mean(values)), 4) for kind, values in sorted(found.items())} | {
        "all": round(float(np.mean(together)), 4) if together else float("nan")
    }


def like_cases(city: City, nearest: int = 5, share: float = 0.10) -> dict[str, Any]:
    """Out of time: of the rows most like a child that was registered later, how many were known cases then.

    Learned and judged on a past date. A later case is a child not registered on it and registered within the months
    after; a true positive is one that stood among the first tenth of its type. Its like are sought, by the distances
    the product uses, among the rows learned from, other households' only. ``lift`` is the share of known cases among
    the five nearest over that among all rows.
    """
    past, months = past_date(first_fact(city.snapshot, city.as_of), city.as_of)
    studied = city.study(past)
    judged = city.judge(studied, past)
    every = read_cases(city.snapshot, city.criteria.labels)
    types = {}
    for kind in judged.types:
        fitted = next((one for one in kind.model.others if one.method is Method.SIMILAR), None) if kind.model else None
        if fitted is None or kind.model is None:
            continue
        later = outcome(judged, kind, every.known_by(city.as_of), months)
        order = np.argsort(-later.scores[Method.COMBINED.value], kind="stable")
        high = np.zeros(len(order), dtype=bool)
        high[order[: int(len(order) * share)]] = True
        cases = np.flatnonzero(later.positive > 0)
        words = (kind.type, kind.model.columns[:-1], studied.plan, studied.groups)
        learned = training_set(studied.matrix, every.known_by(past), city.criteria.scenarios, *words).training
        own = model_values(kind.model, judged.matrix, kind.scenario)[later.rows[cases]]
        group = np.concatenate([learned.group, later.group[cases]])
        children, rows = len(learned.y) + np.arange(len(cases)), np.arange(len(learned.y))
        near = like_rows(fitted.models, np.concatenate([learned.values, own]), children, rows, group)
        base = float(learned.y.mean())
        lifts = np.array([learned.y[found[:nearest]].mean() / base for found in near])
        types[kind.type.label] = {
            "later_cases": len(cases),
            "true_positives": int(high[cases].sum()),
            "base_rate": round(base, 4),
            "lift_of_true_positives": _mean(lifts[high[cases]]),
            "lift_of_later_cases": _mean(lifts),
        }
    return {"past_date": past.isoformat(), "months_after": months, "types": types}


def _mean(values: Array) -> float | None:
    return round(float(values.mean()), 2) if len(values) else None


def like_cases_in_all(cities: list[dict[str, Any]]) -> dict[str, float | int]:
    """The lift over all cities and types, each true positive counting once."""
    lines = [line for one in cities for line in one["like_cases"]["types"].values()]
    number = sum(line["true_positives"] for line in lines)
    total = sum(line["true_positives"] * (line["lift_of_true_positives"] or 0.0) for line in lines)
    return {"true_positives": number, "lift": round(total / number, 2) if number else float("nan")}


def build_city(residents: int, seed: int, root: Path) -> tuple[Path, Path, Path]:
    """Make, receive, link and publish a city; its home, its folder and its links."""
    home, folder, links = root / "home", root / "home" / "city", root / "links.csv"
    size = ["--residents", str(residents), "--months", str(MONTHS), "--seed", str(seed)]
    steps = (["city", *size, "--out", str(folder)], ["receive", str(folder / "extracts")], ["link"], ["publish"])
    for words in (*steps, ["export-links", str(links)]):
        command = [sys.executable, "-m", "kodomo", "--home", str(home), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command)
    return home, folder, links


def measure(city: City, *, with_reasons: bool) -> dict[str, Any]:
    """All figures of one city."""
    started = time.process_time()
    studied = city.study(city.as_of)
    judged = city.judge(studied, city.as_of)
    body: dict[str, Any] = {
        "children": judged.children,
        "learning_cpu_seconds": round(time.process_time() - started, 1),
    }
    body |= beside_lightgbm(city, studied, judged)
    body["like_cases"] = like_cases(city)
    if with_reasons:
        others = range(1, SEEDS_OF_REASONS)
        said = [
            strongest(judged),
            *(strongest(city.judge(city.study(city.as_of, seed, studied), city.as_of)) for seed in others),
        ]
        body["top_3_reasons_agree"] = agreement(said)
    return body


def _places(words: argparse.Namespace, seed: int | None, root: Path) -> tuple[Path, Mapping[str, str], Path]:
    """The home, the people behind its keys and the states: of a city made here, or of one that stands ready."""
    if words.owners:
        return (
            words.home,
            dict(pd.read_csv(words.owners, dtype=str)[["person_key", "person_id"]].values),
            words.difficulties,
        )
    home, folder, links = (
        (words.home, words.city, words.links) if seed is None else build_city(words.residents, seed, root)
    )
    return home, owners_of(folder, links), folder / "answer_key" / "difficulties.csv"


def main() -> None:
    """Measure the cities asked for and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--residents", type=int, default=25_299)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--home", type=Path, help="a home that holds a published city already")
    parser.add_argument("--city", type=Path, help="the folder of that city")
    parser.add_argument("--links", type=Path, help="what kodomo export-links wrote of that home")
    parser.add_argument("--municipality", type=Path, default=OURS, help="that city's settings, criteria and register")
    parser.add_argument("--owners", type=Path, help="CSV: person_key,person_id, where the key is of another form")
    parser.add_argument("--difficulties", type=Path, help="CSV as the answer key's difficulties.csv")
    parser.add_argument("--as-of", type=dt.date.fromisoformat, default=AS_OF, help="the day judged")
    parser.add_argument("--no-reasons", action="store_true", help="leave out the five seeds of the first city")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    cities = []
    for number, seed in enumerate(words.seeds if words.home is None else [None]):
        with tempfile.TemporaryDirectory() as root:
            city = open_city(*_places(words, seed, Path(root)), words.municipality, words.as_of)
            found = measure(city, with_reasons=number == 0 and not words.no_reasons)
        cities.append({"residents": words.residents, "seed": seed, **found})
    body = {"on": dt.datetime.now(dt.UTC).date().isoformat(), "machine": machine(), "cities": cities}
    body["like_cases_in_all"] = like_cases_in_all(cities)
    tell(body, words.out)


if __name__ == "__main__":
    main()

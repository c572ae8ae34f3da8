"""What the judgement misses, from the children drawn at random and what people found about them (analysis side).

Of the children nobody raised, how many need support? Each drawn child that was reviewed stands for the children of
its round and age band; the interval is Wilson's (1927), with the number of reviews that equally weighted ones would
have to be (Kish 1965). The exact interval (Korn & Graubard 1998) held the truth in 98 to 99 of 100 simulated rounds
of 25 reviews: it told less than was known (compare Franco et al. 2019, Journal of Survey Statistics and Methodology 7).

A child counts as found when people decided to support it, or when it was registered within twelve months of the
round; a child under inquiry, or whom nobody decided on within twelve months, is not reviewed yet.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from kodomo.evaluation.metrics import Figure
from kodomo.features.dates import window_start
from kodomo.governance.suppression import Suppression
from kodomo.judgement.labels import Cases
from kodomo.terms import Decision

REVIEW_MONTHS = 12
REACH = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Review:
    """One drawn child: its round and age band, how many children that band had in the pool, and what was found.

    ``found`` is None while nobody has decided.
    """

    round: dt.date
    age_band: str
    band_children: int
    found: bool | None


def reviews(draws: pa.Table, decisions: pa.Table | None, cases: Cases, as_of: dt.date) -> list[Review]:
    """What was found of every child drawn until a date, as known on it.

    Args:
        draws: the ``audit_draws`` table.
        decisions: the ``decisions`` table that casework returned; None where nothing was.
        cases: known cases, cut to what is known by ``as_of``.
    """
    said: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in decisions.to_pylist() if decisions is not None else ():
        if row["known_from"] <= as_of:
            said[row["child_key"]].append(row)
    begun: dict[str, list[dt.date]] = defaultdict(list)
    for person, weight, day, untold in zip(cases.person, cases.weight, cases.began, cases.untold, strict=True):
        if weight >= 1 and np.isnat(untold):
            begun[person].append(day.astype(object))
    return [
        Review(row["round"], row["age_band"], row["band_children"],
               _found(row["round"], said[row["child_key"]], begun[row["child_key"]]))
        for row in draws.to_pylist()
        if row["round"] <= as_of
    ]  # fmt: skip


def _found(drawn_on: dt.date, decisions: Iterable[Mapping[str, Any]], begun: Iterable[dt.date]) -> bool | None:
    until = window_start(drawn_on, -REVIEW_MONTHS)
    if any(drawn_on < day < until for day in begun):
        return True
    own = [row for row in decisions if drawn_on <= row["known_from"] < until]
    if not own:
        return None
    last = max(own, key=lambda row: (row["known_from"], row["revision"]))["decision"]
    return None if last == Decision.INQUIRE.value else bool(last == Decision.SUPPORT.value)


def missed_rate(found: Iterable[Review]) -> tuple[Figure, float]:
    """The share of children needing support among those nobody raised, with its 95 % interval.

    Returns:
        The figure (NaN where nobody was reviewed) and the share of the pool that the reviewed bands stand for.
    """
    everyone = list(found)
    bands: dict[tuple[dt.date, str], list[bool]] = defaultdict(list)
    size: dict[tuple[dt.date, str], int] = {}
    for one in everyone:
        size[one.round, one.age_band] = one.band_children
        if one.found is not None:
            bands[one.round, one.age_band].append(one.found)
    reviewed = [(float(size[key]) / len(own), own) for key, own in bands.items()]
    weights = np.concatenate([np.full(len(own), weight) for weight, own in reviewed]) if reviewed else np.zeros(0)
    hits = np.concatenate([np.array(own, dtype=float) for _, own in reviewed]) if reviewed else np.zeros(0)
    covered = sum(size[key] for key in bands) / sum(size.values()) if size else 0.0
    return weighted_share(hits, weights), covered


def weighted_share(hits: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> Figure:
    """A weighted share with Wilson's interval.

    >>> round(weighted_share(np.zeros(30), np.ones(30)).high, 4)
    0.1135
    """
    if not len(hits):
        return Figure(float("nan"), float("nan"), float("nan"))
    share = float(weights @ hits / weights.sum())
    number = float(weights.sum() ** 2 / (weights @ weights))
    reach = REACH**2 / number
    middle = (share + reach / 2) / (1 + reach)
    half = REACH * np.sqrt(share * (1 - share) / number + reach / (4 * number)) / (1 + reach)
    return Figure(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def missed_report(found: list[Review], rule: Suppression) -> dict[str, Any]:
    """The lines of the evaluation: counts suppressed, the rate and its interval shown.

    The rate speaks of a random draw from the whole city, and points at nobody.
    """
    figure, covered = missed_rate(found)
    done = [one for one in found if one.found is not None]
    return {
        "rounds": len({one.round for one in found}),
        "drawn": rule.count(len(found)),
        "reviewed": rule.count(len(done)),
        "found": rule.count(sum(bool(one.found) for one in done)),
        "rate": figure.as_list(),
        "stands_for_share": round(covered, 3),
    }

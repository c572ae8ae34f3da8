"""The missed-case rate: who counts as found, how much each review stands for, and an interval that covers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kodomo.evaluation.missed_cases import Review, missed_rate, missed_report, reviews, weighted_share
from kodomo.governance.suppression import Suppression
from kodomo.judgement.labels import Cases
from kodomo.store.database import TABLES

ROUND, AS_OF = dt.date(2026, 3, 31), dt.date(2027, 4, 30)


def cases(**registered: str) -> Cases:
    keys = list(registered)
    days = np.array([registered[k] for k in keys], dtype="datetime64[D]")
    never = np.full(len(keys), "NaT", dtype="datetime64[D]")
    kinds = np.full(len(keys), "ABUSE", dtype=object)
    lasts = np.full(len(keys), np.inf)
    return Cases(np.array(keys, dtype=object), kinds, np.ones(len(keys)), days, never, days, never, lasts)


def draws(*keys: str) -> pa.Table:
    row = {"round": ROUND, "age_band": "OLDER", "area_code": "A", "stratum_children": 5, "band_children": 50,
           "pool_children": 100, "probability": 0.2}  # fmt: skip
    return pa.Table.from_pylist([{**row, "child_key": key} for key in keys], schema=TABLES["audit_draws"].schema())


def decisions(*rows: tuple[str, str, str]) -> pa.Table:
    common = {"judgement": "j", "reason_code": "N1", "concern": "LOW", "agreement": "AGREE", "office": "x"}
    found = [
        {**common, "child_key": key, "decision": decision, "known_from": dt.date.fromisoformat(on), "revision": n}
        for n, (key, decision, on) in enumerate(rows, 1)
    ]
    return pa.Table.from_pylist(found, schema=TABLES["decisions"].schema())


@pytest.mark.parametrize(
    ("said", "registered", "found"),
    [
        ([], {}, None),
        ([("c", "SUPPORT", "2026-05-01")], {}, True),
        ([("c", "NO_ACTION", "2026-05-01")], {}, False),
        ([("c", "WATCH", "2026-05-01")], {}, False),
        ([("c", "INQUIRE", "2026-05-01")], {}, None),
        ([("c", "INQUIRE", "2026-05-01"), ("c", "SUPPORT", "2026-06-01")], {}, True),
        ([("c", "SUPPORT", "2026-05-01"), ("c", "NO_ACTION", "2026-06-01")], {}, False),
        ([("c", "NO_ACTION", "2026-05-01")], {"c": "2026-09-01"}, True),
        ([("c", "NO_ACTION", "2026-05-01")], {"c": "2027-04-15"}, False),
        ([("c", "NO_ACTION", "2026-05-01")], {"c": "2026-03-01"}, False),
        ([("c", "SUPPORT", "2026-03-01")], {}, None),
        ([("c", "SUPPORT", "2027-04-15")], {}, None),
        ([("c", "SUPPORT", "2027-05-15")], {}, None),
    ],
    ids=["nobody looked", "support", "no action", "watch", "inquiry", "inquiry, then support", "changed",
         "registered later", "registered after a year", "begun before", "decided before the round", "after a year",
         "not known yet"],
)  # fmt: skip
def test_what_counts_as_found(said: list[Any], registered: dict[str, str], found: bool | None) -> None:
    assert [r.found for r in reviews(draws("c"), decisions(*said), cases(**registered), AS_OF)] == [found]


def test_without_any_returned_decision_nobody_is_reviewed() -> None:
    assert [r.found for r in reviews(draws("a", "b"), None, cases(), AS_OF)] == [None, None]
    assert reviews(draws("a"), None, cases(), dt.date(2026, 3, 30)) == []


@pytest.mark.parametrize(
    ("found", "number", "low", "high"), [(0, 30, 0.0, 0.1135), (3, 30, 0.0346, 0.2562), (30, 30, 0.8865, 1.0)]
)
def test_equal_weights_give_wilsons_interval(found: int, number: int, low: float, high: float) -> None:
    """Worked out from Wilson's formula with z = 1.96."""
    hits = np.r_[np.ones(found), np.zeros(number - found)]
    figure = weighted_share(hits, np.full(number, 3.0))
    np.testing.assert_allclose([figure.value, figure.low, figure.high], [found / number, low, high], atol=1e-4)


def test_each_band_stands_for_its_children_however_many_were_reviewed() -> None:
    small = [Review(ROUND, "OLDER", 100, True), *(Review(ROUND, "OLDER", 100, False) for _ in range(3))]
    large = [Review(ROUND, "PRESCHOOL", 900, False) for _ in range(6)]
    waiting = [Review(ROUND, "PRESCHOOL", 900, None) for _ in range(10)]
    figure, covered = missed_rate([*small, *large, *waiting])
    assert figure.value == pytest.approx(0.1 * 0.25) and covered == 1.0
    _, covered = missed_rate([*small, Review(ROUND, "PRESCHOOL", 900, None)])
    assert covered == pytest.approx(0.1)


def test_the_interval_covers_under_a_stratified_draw() -> None:
    rng = np.random.default_rng(3)
    truth, share = {"A": 0.02, "B": 0.2}, {"A": 0.8, "B": 0.2}
    rate = sum(truth[b] * share[b] for b in truth)
    covered = 0
    for _ in range(400):
        found = [
            Review(dt.date(2026, month, 28), band, int(1_000 * share[band]), bool(rng.random() < truth[band]))
            for month in range(1, 7) for band, number in (("A", 20), ("B", 5)) for _ in range(number)
        ]  # fmt: skip
        figure, _ = missed_rate(found)
        covered += figure.low <= rate <= figure.high
    assert covered / 400 >= 0.93


def test_small_counts_are_hidden_and_the_rate_is_not() -> None:
    found = [Review(ROUND, "OLDER", 100, n == 0) for n in range(20)]
    report = missed_report(found, Suppression(7, 5))
    assert (report["found"], report["reviewed"], report["rounds"]) == (None, 20, 1)
    assert report["rate"][0] == 0.05 and report["rate"][2] > 0.2
    assert missed_report([], Suppression(7, 5))["rate"] == [None, None, None]

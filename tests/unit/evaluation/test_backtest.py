"""A past date judged as on that day, measured against what followed; small counts never leave."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from features.factory import day, simulated_town
from judgement.conftest import QUICK, TYPES, write_criteria

from kodomo.configuration import Municipality
from kodomo.errors import NotReady
from kodomo.evaluation.backtest import measure, past_date
from kodomo.evaluation.report import write_page
from kodomo.governance.suppression import Suppression
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.judge import judge
from kodomo.judgement.labels import read_cases


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> dict:  # type: ignore[type-arg]
    root = tmp_path_factory.mktemp("back")
    records, _ = simulated_town(500, seed=11, registration=0.8)
    snapshot = records.publish(root / "store")
    criteria = read_all_criteria(write_criteria(root / "m"))
    past = day("2025-09-30")
    judged = judge(snapshot, past, criteria, TYPES, plan=QUICK)
    cases = read_cases(snapshot, criteria.labels).known_by(day("2026-03-31"))
    return measure(judged, cases, criteria, hinata, 6)


def test_later_registrations_stand_high_before(report: dict) -> None:  # type: ignore[type-arg]
    figures = report["types"]["NON_ATTENDANCE"]["methods"]["COMBINED"]
    value, low, high = figures["auroc"]
    assert value > 0.7 and low < value < high
    assert figures["recall_middle"][0] > 0.2
    curve = [point["recall"] for point in report["types"]["NON_ATTENDANCE"]["curve"]]
    assert curve == sorted(curve)


def test_figures_that_would_give_away_a_small_number_are_hidden(report: dict) -> None:  # type: ignore[type-arg]
    """At 2 % of some 900 children there is room for fewer finds than the threshold."""
    body = report["types"]["NON_ATTENDANCE"]
    hidden = [name for name, value in body["methods"]["COMBINED"].items() if value == [None, None, None]]
    assert set(hidden) >= {"new_found_high"} | {"precision_high"}
    for name in ("recall_middle", "precision_middle"):
        value = body["methods"]["COMBINED"][name][0]
        total = body["places"]["middle"] if name == "precision_middle" else body["cases"]
        assert value is None or value * total > 7 - 2.5


def test_types_with_few_cases_show_no_figures(report: dict) -> None:  # type: ignore[type-arg]
    poverty = report["types"]["POVERTY"]
    assert poverty["enough_cases"] is False
    assert all(m == {"suppressed": True} for m in poverty["methods"].values())
    assert poverty["curve"] == []


def test_page_stands_alone_and_shows_no_small_count(report: dict, tmp_path: Path, hinata: Municipality) -> None:  # type: ignore[type-arg]
    page = write_page(report, tmp_path / "report.html", hinata.name).read_text(encoding="utf-8")
    assert "<script" not in page and "http" not in page and "src=" not in page
    assert "<svg" in page and "把握していない困難は数えられません" in page
    assert not re.search(r"\bc\d{5}", page + json.dumps(report))


def test_a_young_store_cannot_be_backtested() -> None:
    assert past_date(day("2024-04-01"), day("2026-03-31")) == (day("2025-09-30"), 6)
    assert past_date(day("2022-04-01"), day("2026-03-31")) == (day("2025-03-31"), 12)
    with pytest.raises(NotReady):
        past_date(day("2025-11-01"), day("2026-03-31"))


@pytest.mark.parametrize(("number", "shown"), [(0, 0), (1, None), (7, None), (8, 10), (12, 10), (13, 15)])
def test_small_counts_are_suppressed_and_others_rounded(number: int, shown: int | None) -> None:
    assert Suppression(7, 5).count(number) == shown


def test_one_hidden_count_cannot_be_had_by_subtraction() -> None:
    assert Suppression(7, 5).counts([40, 3, 22]) == [40, None, None]
    assert Suppression(7, 5).counts([40, 3, 0]) == [None, None, 0]
    assert Suppression(7, 5).counts([3, 4, 30]) == [None, None, 30]


def test_a_share_is_shown_only_when_no_small_count_stands_behind_it() -> None:
    rule = Suppression(7, 5)
    assert rule.share(10, 40) == 0.25
    assert rule.share(3, 40) is None
    assert rule.share(37, 40) is None
    assert rule.share(0, 0) is None

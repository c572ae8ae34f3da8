"""判定の検証: charts with their tables, suppressed figures stay suppressed, and no child appears."""

from __future__ import annotations

import json
from typing import Any

import pytest
from evaluation_report import NAME, report, write_report
from spoken import english_in
from standing_people import HANA, OTHERS, RIN

from kodomo.configuration import Home
from kodomo.operations import charts

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")


@pytest.fixture
def evaluated(home: Home) -> str:
    write_report(home.store)
    return NAME


def test_it_says_how_a_report_is_made_where_there_is_none(as_person: Any) -> None:
    body = as_person(RIN).get("/evaluations/").content.decode()
    assert "検証はまだ行われていません" in body and english_in(body) == set()


def test_each_chart_stands_beside_its_table(as_person: Any, evaluated: str, audit_rows: Any) -> None:
    browser = as_person(RIN)
    assert browser.get("/evaluations/")["Location"] == f"/evaluations/{NAME}/"
    body = browser.get(f"/evaluations/{NAME}/").content.decode()
    assert body.count("<svg") == 6  # ranking, curve, two divisions, coverage, drift
    for figure in ("0.812(0.771–0.850)", "上位 10%", "62%", "11.9%", "0.31", "25.0%", "1.2%(95 %の幅 0.4%–3.0%)"):
        assert figure in body, figure
    assert "style=" not in body and english_in(body) == set()
    assert audit_rows()[-1]["action"] == "VIEW_EVALUATION"


def test_what_was_suppressed_stays_so(as_person: Any, evaluated: str) -> None:
    body = as_person(COORDINATOR).get(f"/evaluations/{NAME}/").content.decode()
    assert body.count("秘匿") >= 5
    few = body.partition("<h2>産後うつ</h2>")[2].partition("</section>")[0]
    assert "示しません" in few and "<svg" not in few and "0.812" not in few


def test_a_report_of_an_older_form_is_shown_as_far_as_it_goes(as_person: Any, home: Home) -> None:
    old = {key: value for key, value in report().items() if key not in ("items", "drift", "missed")}
    folder = home.store / "evaluations" / "old"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(old))
    assert as_person(RIN).get("/evaluations/old/").status_code == 200


def test_nobody_else_and_nothing_else_is_shown(as_person: Any, evaluated: str) -> None:
    assert as_person(HANA).get(f"/evaluations/{NAME}/").status_code == 403
    for name in ("..", "nowhere"):
        assert as_person(RIN).get(f"/evaluations/{name}/").status_code == 404


def test_charts_escape_words_and_keep_values_in_the_frame() -> None:
    drawn = charts.bars([("<b>", 3.0), ("い", -1.0)], "a & b", most=1.0)
    assert "&lt;b&gt;" in drawn and "a &amp; b" in drawn and 'width="-' not in drawn
    assert 'cx="150.0"' in charts.intervals([("低い", 0.1, 0.0, 0.2)], "x")
    assert charts.curve([(0.9, 1.0)], "x").count("444.0,12.0") == 1

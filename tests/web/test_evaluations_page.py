"""判定の検証: charts with their tables, suppressed figures stay suppressed, and no child appears."""

from __future__ import annotations

import json
from typing import Any

import pytest
from evaluation_report import NAME, case_line, report, write_cases, write_report
from spoken import english_in
from standing_people import HANA, OTHERS, RIN
from test_transfers import with_interest

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
    for words in (
        "上回るとはいえない",
        "登録の見込みは 30 人",
        "46〜77 人",
        "水準が外れています",
        "給食費(2025-03-31)",
        "2 個をないものとして採点し直すと、順位の正しさは 0.788(0.740–0.830)(差 -0.024(-0.050〜+0.010))",
        "上位 10%(250 人)",
        "62%(52%–72%)",
        "0.27",
    ):
        assert words in body, words
    groups = body.partition("<caption>性別</caption>")[2].partition("</details>")[0]
    for words in ("41.2%(38%–70%)", "17.1%(12%–23%)", "0.331(0.270–0.400)", "0.640(0.500–0.830)", "31 人(46〜77 人)"):
        assert words in groups, words
    assert groups.count("差がある") == 1 and groups.count("水準が外れ") == 1
    assert 'class="chart__spread"' in body and "見落とし" not in body.partition("監査抽出")[0]
    for figure in (
        "0.812(0.771–0.850)",
        "上位 10%",
        "62%",
        "11.9%",
        "0.31",
        "25.0%",
        "33.1%",
        "1.2%(95 %の幅 0.4%–3.0%)",
    ):
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


def test_what_was_missed_is_listed_by_case_number_with_its_reasons(
    as_person: Any, evaluated: str, home: Home, case_of: Any, audit_rows: Any
) -> None:
    case = case_of("pc01")
    lapsed = {"sentence": "「消えた指標」が 3 以上", "indicator": None, "direction": "UP"}
    gate = {"sentence": "どの基準にもない必ず確認する事実", "indicator": "absence_3m", "direction": "GATE"}
    write_cases(
        home.store, case_line(case.child_key), case_line("pnobody", place=0.9, reasons=[lapsed, gate], silent=[]),
        case_line("praised", kind="RAISED", level="HIGH", place=0.0004),
    )  # fmt: skip
    browser = as_person(COORDINATOR)
    assert f"/evaluations/{NAME}/cases/" in browser.get(f"/evaluations/{NAME}/").content.decode()
    body = browser.get(f"/evaluations/{NAME}/cases/").content.decode()
    for words in (
        case.case_number,
        "上位 34.1%",
        "直近3か月の欠席が 2 日",
        "児童生徒アセスメント",
        "事例なし",
        "不登校",
    ):
        assert words in body, words
    assert (
        case.child_key not in body and "pnobody" not in body and "上位 0.1%" not in body and english_in(body) == set()
    )
    assert "消えた指標" not in body and "どの基準にもない" not in body, (
        "what a sentence rests on must be known before it is told"
    )
    raised = browser.get(f"/evaluations/{NAME}/cases/?kind=RAISED&type=NON_ATTENDANCE").content.decode()
    assert "上位 0.1%" in raised and case.case_number not in raised
    assert audit_rows()[-1]["action"] == "VIEW_MISJUDGED"


def test_an_own_familys_case_is_not_in_the_list(as_person: Any, evaluated: str, home: Home, case_of: Any) -> None:
    case = case_of("pc01")
    write_cases(home.store, case_line("pc01"), case_line("pc03"))
    with_interest(COORDINATOR.username, case)
    body = as_person(COORDINATOR).get(f"/evaluations/{NAME}/cases/").content.decode()
    assert case.case_number not in body and case_of("pc03").case_number in body


def test_the_list_is_for_those_all_cases_are_open_to(as_person: Any, evaluated: str, home: Home) -> None:
    assert as_person(COORDINATOR).get(f"/evaluations/{NAME}/cases/").status_code == 404, "nothing was written"
    write_cases(home.store, case_line("pnobody"))
    for person in (RIN, HANA):
        assert as_person(person).get(f"/evaluations/{NAME}/cases/").status_code == 403
    assert "見落としの一覧" not in as_person(RIN).get(f"/evaluations/{NAME}/").content.decode()


def test_charts_escape_words_and_keep_values_in_the_frame() -> None:
    drawn = charts.bars([("<b>", 3.0), ("い", -1.0)], "a & b", most=1.0)
    assert "&lt;b&gt;" in drawn and "a &amp; b" in drawn and 'width="-' not in drawn
    assert 'cx="150.0"' in charts.intervals([("低い", 0.1, 0.0, 0.2)], "x")
    assert charts.curve([(0.9, 1.0)], "x").count("444.0,12.0") == 1

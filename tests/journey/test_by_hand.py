"""Indicators of named children, against values worked out by hand from extracts written by hand.

Three families, written in the very shape ひなた市's systems print:

- 双葉: twins born on the same day, same sex, same address; their absences must not be mixed.
- 有田: a lone mother with two children, an allowance and no school expense aid.
- 若宮: a mother whose EPDS was answered with item 10 = 1, and her baby.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from handmade import write_extract
from journey.walk import AS_OF, ROOT, Journey, read_csv

from kodomo.configuration import Home
from kodomo.intake.layout import read_layouts

MIDTOWN = "架空県ひなた市中央町1丁目"


def _resident(
    number: str, household: str, name: str, kana: str, born: str, sex: str, relation: str, address: str
) -> dict[str, str]:
    return {
        "宛名番号": number, "世帯番号": household, "氏名": name, "氏名ｶﾅ": kana, "生年月日": born, "性別": sex,
        "住所": address, "続柄": relation, "国籍区分": "1", "支援措置区分": "0", "住民となった日": born,
        "住民となった事由": "出生",
    }  # fmt: skip


RESIDENTS = [
    _resident("0000001001", "500001", "双葉 健", "ﾌﾀﾊﾞ ｹﾝ", "昭和58年3月4日", "1", "世帯主", f"{MIDTOWN}2番3号"),
    _resident("0000001002", "500001", "双葉 舞", "ﾌﾀﾊﾞ ﾏｲ", "昭和60年5月6日", "2", "妻", f"{MIDTOWN}2番3号"),
    _resident("0000001003", "500001", "双葉 葵", "ﾌﾀﾊﾞ ｱｵｲ", "平成25年8月20日", "2", "子", f"{MIDTOWN}2番3号"),
    _resident("0000001004", "500001", "双葉 茜", "ﾌﾀﾊﾞ ｱｶﾈ", "平成25年8月20日", "2", "子", f"{MIDTOWN}2番3号"),
    _resident("0000002001", "500002", "有田 霞", "ｱﾘﾀ ｶｽﾐ", "昭和62年1月15日", "2", "世帯主", f"{MIDTOWN}9番1号"),
    _resident("0000002002", "500002", "有田 駿", "ｱﾘﾀ ｼｭﾝ", "平成27年11月2日", "1", "子", f"{MIDTOWN}9番1号"),
    _resident("0000002003", "500002", "有田 凪", "ｱﾘﾀ ﾅｷﾞ", "令和3年2月28日", "2", "子", f"{MIDTOWN}9番1号"),
    _resident("0000003001", "500003", "若宮 灯", "ﾜｶﾐﾔ ｱｶﾘ", "平成7年7月7日", "2", "世帯主", f"{MIDTOWN}12番5号"),
    _resident("0000003002", "500003", "若宮 律", "ﾜｶﾐﾔ ﾘﾂ", "令和8年1月10日", "1", "子", f"{MIDTOWN}12番5号"),
]  # fmt: skip

PUPILS = {
    "S0301": ("双葉 葵", "フタバ アオイ", "2013/08/20", "女", "双葉 健"),
    "S0302": ("双葉 茜", "フタバ アカネ", "2013/08/20", "女", "双葉 健"),
    "S0101": ("有田 駿", "アリタ シュン", "2015/11/02", "男", "有田 霞"),
}

ABSENCES = {  # month -> absences; March is known only a week after its end, so not yet on 31 March
    "S0301": {"2025-10": 0, "2025-11": 1, "2025-12": 1, "2026-01": 2, "2026-02": 5, "2026-03": 9},
    "S0302": {"2025-10": 0, "2025-11": 0, "2025-12": 0, "2026-01": 0, "2026-02": 1, "2026-03": 0},
    "S0101": {"2025-10": 3, "2025-11": 0, "2025-12": 0, "2026-01": 0, "2026-02": 0, "2026-03": 0},
}


def _enrolment() -> list[dict[str, str]]:
    return [
        {
            "年度": "2025", "学校名": "ひなた小学校", "学年": "6" if number != "S0101" else "4", "学籍番号": number,
            "児童生徒氏名": name, "フリガナ": kana, "生年月日": born, "性別": sex, "保護者氏名": guardian,
            "学級区分": "通常", "在籍開始日": "2025/04/01", "在籍終了日": "2026/04/01",
        }
        for number, (name, kana, born, sex, guardian) in PUPILS.items()
    ]  # fmt: skip


def _attendance() -> list[dict[str, str]]:
    return [
        {"年月": month, "学年": "6" if number != "S0101" else "4", "学籍番号": number, "氏名": PUPILS[number][0],
         "授業日数": "20", "出停・忌引等": "0", "欠席日数": str(days), "遅刻": "0", "早退": "0"}
        for number, months in ABSENCES.items()
        for month, days in months.items()
    ]  # fmt: skip


ALLOWANCE = [
    {"証書番号": f"77000{n}", "受給者宛名番号": "0000002001", "受給者氏名": "有田 霞", "対象児童宛名番号": child,
     "対象児童氏名": name, "支給区分": "1", "支給開始": "令和6年6月1日", "認定日": "令和6年5月20日"}
    for n, (child, name) in enumerate([("0000002002", "有田 駿"), ("0000002003", "有田 凪")])
]  # fmt: skip

EPDS = [
    {"実施番号": "E0001", "実施日": "令和8年2月9日", "宛名番号": "0000003001", "氏名": "若宮 灯", "カナ": "ﾜｶﾐﾔ ｱｶﾘ",
     "EPDS合計点": "12", "項目10": "1", "入力日": "令和8年2月10日"},
    # Entered on 30 March and known three days later: not yet on 31 March.
    {"実施番号": "E0002", "実施日": "令和8年3月9日", "宛名番号": "0000003001", "氏名": "若宮 灯", "カナ": "ﾜｶﾐﾔ ｱｶﾘ",
     "EPDS合計点": "25", "項目10": "3", "入力日": "令和8年3月30日"},
]  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """The three families, received, linked, published and built."""
    root = tmp_path_factory.mktemp("town")
    layouts = read_layouts(ROOT / "municipalities" / "hinata")
    for source, rows in {
        "resident_register": RESIDENTS,
        "school_enrolment": _enrolment(),
        "school_attendance": _attendance(),
        "child_rearing_allowance": ALLOWANCE,
        "epds": EPDS,
    }.items():
        write_extract(layouts[source], rows, root / "extracts")
    walked = Journey(Home(root / "home"), root)
    walked.run_in_turn(
        ("receive", str(root / "extracts")), ("link",), ("publish",), ("build", "--as-of", AS_OF),
        ("export-links", str(root / "links.csv")),
    )  # fmt: skip
    yield walked


@pytest.fixture(scope="module")
def keys(town: Journey) -> dict[str, str]:
    """Person key of each row key of the register and the school roll."""
    rows = read_csv(town.city / "links.csv")
    return {r["row_key"]: r["person_key"] for r in rows if r["source"] in {"resident_register", "school_enrolment"}}


@pytest.fixture(scope="module")
def indicators(town: Journey) -> dict[str, dict[str, Any]]:
    """Indicators of every child, by person key."""
    table = pq.read_table(next(Path(town.results["build"]["path"]).glob("*.parquet")))
    return {row["child_key"]: row for row in table.to_pylist()}


def test_every_row_lands(town: Journey) -> None:
    received = town.results["receive"]
    assert received["landed"] == 5
    assert received["rows_quarantined"] == 0
    assert received["rows_landed"] == len(RESIDENTS) + 3 + 18 + 2 + 2


def test_twins_are_two_people_and_each_has_her_own_school_record(keys: dict[str, str]) -> None:
    assert keys["S0301"] == keys["0000001003"]
    assert keys["S0302"] == keys["0000001004"]
    assert keys["S0301"] != keys["S0302"]


@pytest.mark.parametrize(
    ("number", "indicator", "value"),
    [
        ("S0301", "absence_last", 5),  # February: March is not yet known
        ("S0301", "absence_3m", 2 + 5),  # January and February
        ("S0301", "absence_12m", 1 + 1 + 2 + 5),
        ("S0301", "absence_share_3m", 7 / 40),
        ("S0302", "absence_3m", 1),
        ("S0302", "absence_12m", 1),
        ("S0101", "absence_3m", 0),
        ("S0101", "absence_12m", 3),
    ],
)
def test_absences_known_on_the_date(
    keys: dict[str, str], indicators: dict[str, dict[str, Any]], number: str, indicator: str, value: float
) -> None:
    assert indicators[keys[number]][indicator] == pytest.approx(value)


def test_home_of_the_lone_mother(keys: dict[str, str], indicators: dict[str, dict[str, Any]]) -> None:
    for number in ("0000002002", "0000002003"):
        child = indicators[keys[number]]
        assert child["rearing_allowance_full"] == 1
        assert child["one_adult"] == 1
        assert child["household_size"] == 3
    assert indicators[keys["0000001003"]]["one_adult"] == 0
    assert indicators[keys["0000001003"]]["household_size"] == 4


def test_mothers_answer_counts_for_her_baby_and_not_for_others(
    keys: dict[str, str], indicators: dict[str, dict[str, Any]]
) -> None:
    baby = indicators[keys["0000003002"]]
    assert baby["epds_last"] == 12  # the one of March is known from 2 April
    assert baby["epds_item10"] == 1
    assert not indicators[keys["0000002003"]]["epds_last"]


def test_preschool_child_has_no_absence_and_no_zero(
    keys: dict[str, str], indicators: dict[str, dict[str, Any]]
) -> None:
    assert indicators[keys["0000002003"]]["absence_12m"] is None


def test_a_day_later_the_late_facts_are_known(town: Journey, keys: dict[str, str]) -> None:
    later = (dt.date.fromisoformat(AS_OF) + dt.timedelta(days=10)).isoformat()
    built = town.run("build", "--as-of", later)
    table = pq.read_table(next(Path(built["path"]).glob("*.parquet")))
    rows = {row["child_key"]: row for row in table.to_pylist()}
    assert rows[keys["0000003002"]]["epds_last"] == 25
    assert rows[keys["0000003002"]]["epds_item10"] in {1, 3}

"""Columns that municipal extracts usually have are drafted as the items that the shipped criteria know."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kodomo.intake import column_words as words
from kodomo.intake.draft import draft_layout
from kodomo.intake.draft_writing import Known
from kodomo.intake.usual_items import usual_item, usual_items, words_of_notes


@pytest.mark.parametrize(("column", "around", "code"), [
    ("合計所得金額", ["課税台帳"], "taxable_income"), ("課税区分", [], "tax_class"), ("ひとり親控除", [], "single_parent_deduction"),
    ("欠席日数", ["出欠"], "absence_days"), ("欠席日数", ["登園日数"], "nursery_absence_days"), ("事故欠", [], "unexcused_absence_days"),
    ("お迎え遅れ", [], "nursery_late_pickups"), ("保育料階層", [], "nursery_band"), ("言語", ["乳幼児健診"], "checkup_language"),
    ("婚姻", ["妊娠届"], "pregnancy_marriage"), ("精神科既往", ["妊娠届"], "mother_mental_history"), ("M-CHAT不通過", [], "mchat_failed"),
    ("育児不安", [], "parenting_anxiety"), ("給水停止予告", [], "water_stop_notice"), ("未納回数", ["水栓番号"], "water_arrears_months"),
    ("支給/区分", ["児童扶養手当"], "child_rearing_allowance"), ("主訴区分", ["支援対象児童登録簿"], "council_registration"),
    ("主訴", ["来室記録"], "nurse_room_visit"), ("種別", ["相談受付簿"], "child_consultation"), ("世帯類型", [], "assistance_household_kind"),
    ("未納額/4月", ["給食費未納"], "school_fee_arrears"), ("支給区分", ["児童扶養手当"], "child_rearing_allowance"), ("EPDS", ["訪問"], "epds_score"), ("要介護状態区分", [], "care_level"), ("要支援認定", [], "care_level"), ("停水予告", [], "water_stop_notice"), ("5月登園", ["5月延長"], "nursery_days"), ("体重", ["乳幼児健診"], "infant_weight_kg"), ("心の病気の既往", ["妊娠届"], "mother_mental_history"),
])  # fmt: skip
def test_column_is_known(column: str, around: list[str], code: str) -> None:
    found = usual_item(column, [*around, column])
    assert found is not None and found.code == code


@pytest.mark.parametrize("column", ["体重g", "体重(g)", "体重（ｇ）"])
def test_a_weight_in_grams_is_not_the_item_in_kilograms(column: str) -> None:
    """Indicators compare kilograms: a thousandfold would say nothing, and nobody would be told."""
    assert usual_item(column, ["乳幼児健診", column]) is None


@pytest.mark.parametrize(
    ("column", "around"),
    [
        ("言語", ["使用言語"]),
        ("要支援", ["1歳6か月児健診"]),
        ("区分", ["住民"]),
        ("運動", ["運動会"]),
        ("支給区分", ["手帳"]),
        ("主訴区分", ["医療機関"]),
    ],
)
def test_a_word_that_means_many_things_needs_its_place(column: str, around: list[str]) -> None:
    assert usual_item(column, [*around, column]) is None


def test_each_item_is_written_once_with_types_that_exist() -> None:
    codes = [item.code for item in usual_items()]
    assert len(codes) == len(set(codes)) > 60
    assert {kind for item in usual_items() for kind in item.types} == {
        "虐待", "いじめ", "不登校", "ヤングケアラー", "貧困", "産後うつ", "発達障がい",
    }  # fmt: skip


def _draft(folder: Path, name: str, header: list[str], rows: list[list[str]]) -> str:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
    return str(draft_layout(path, Known())["layout"])


def test_an_amount_the_criteria_ask_of_is_proposed_and_another_is_left_out(tmp_path: Path) -> None:
    header = ["宛名番号", "氏名", "賦課年度", "合計所得金額", "振込金額"]
    rows = [[f"{n:010d}", f"試験　太郎{'一二三四五六七八九十'[n]}", "2025", str(1000 * n), str(n)] for n in range(10)]
    text = _draft(tmp_path, "課税台帳.csv", header, rows)
    assert 'item = "taxable_income"' in text and '# types = ["貧困", ' in text
    assert text.count(words.AMOUNT) == 1 and "判定(JUDGE)と学習(LEARN)の根拠" in text


def test_absences_printed_apart_are_added_up(tmp_path: Path) -> None:
    header = ["児童生徒番号", "氏名", "授業日数", "病欠", "事故欠", "遅刻"]
    rows = [[f"{n:06d}", f"試験　花{'子美恵代香'[n % 5]}", "18", str(n % 3), str(n % 2), "0"] for n in range(20)]
    text = _draft(tmp_path, "2026年03月_出欠集計.csv", header, rows)
    assert 'join = ["病欠", "事故欠"]' in text and 'item = "absence_days"' in text


def test_notes_stay_out_and_only_the_kind_of_worry_is_offered(tmp_path: Path) -> None:
    header = ["健診日", "児氏名", "備考"]
    rows = [["2025/4/1", f"試験　花{'子美恵代香'[n % 5]}", "母が眠れないと話す"] for n in range(20)]
    text = _draft(tmp_path, "乳幼児健診.csv", header, rows)
    assert words.NOTES in text and "母が" not in text
    assert '# part_of = "備考"' in text and '"眠れ" = "気分・不眠"' in text
    assert len(words_of_notes()) > 60


def test_marks_under_months_are_codes_of_what_the_file_is_about(tmp_path: Path) -> None:
    months = [f"{m}月" for m in (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)]
    rows = [[f"11-{n:05d}", f"試験　太{'一二三四五六七八九十'[n]}", *["×", "", "分納"] * 4] for n in range(10)]
    text = _draft(tmp_path, "給食費未納.csv", ["整理番号", "保護者氏名", *months], rows)
    assert 'name = "{}月"\ntype = "code"' in text and '"分納" = "分納"' in text


def test_names_without_a_space_are_names_where_there_are_many_of_them(tmp_path: Path) -> None:
    given = "一二三四五六七八九十"
    rows = [
        [f"{n}", f"試験{given[n // 10]}{given[n % 10]}", f"架空{given[n % 10]}{given[n // 10]}", "中央町1-2"]
        for n in range(60)
    ]
    text = _draft(tmp_path, "給食費未納_R6.csv", ["番号", "保護者", "児童生徒", "居住地"], rows)
    assert 'name = "保護者"\ntype = "name"' in text and 'name = "児童生徒"\ntype = "name"' in text
    assert 'field = "address"' in text and 'caption = "給食費未納"' in text
    kinds = [[f"{n}", "父" if n % 2 else "母"] for n in range(60)]
    assert 'name = "保護者"\ntype = "name"' not in _draft(tmp_path, "相談.csv", ["番号", "保護者"], kinds)

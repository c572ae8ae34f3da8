"""What values say where a column's name says little or the wrong thing: marks, fixed words, words among numbers."""

from __future__ import annotations

import pytest
from test_draft_of_offices import draft, person, written

from kodomo.intake.guess import Guess, guess_columns
from kodomo.intake.table_shape import shape_of
from kodomo.intake.usual_items import usual_item


def guessed(header: str, *rows: str) -> dict[str, Guess]:
    found, _ = guess_columns(header.split(","), [row.split(",") for row in rows], False)
    return {column.name: column for column in found}


def test_few_words_many_times_are_codes_and_names_are_not():
    rows = [
        f"{person(at)},{('放課後等デイ', '児童発達支援')[at % 2]},{('山田', '森')[at % 2]},{'欠席' if at % 3 else '遅刻'},{'*' if at % 5 == 0 else ''}"
        for at in range(60)
    ]
    columns = guessed("児童氏名,サービス,民生委員名,項目,未申告", *rows)
    assert columns["サービス"].codes == ["児童発達支援", "放課後等デイ"] and columns["項目"].type == "code"
    assert columns["民生委員名"].codes == [] and columns["未申告"].type == "flag"


@pytest.mark.parametrize(
    ("header", "value", "kind", "is_left_out"),
    [
        ("気になる様子", "○", "flag", False), ("10月メモ有", "1", "flag", False), ("支援者(1-4)", "3", "integer", False),
        ("電話", "●", "flag", False), ("電話", "03-1234-5678", "text", False), ("ひとこと", "おかわり", "text", True),
        ("担当者", "山田", "text", True),
    ],
)  # fmt: skip
def test_values_refute_a_columns_name(header, value, kind, is_left_out):
    columns = guessed(f"児童氏名,{header}", *(f"{person(at)},{value if at % 2 else ''}" for at in range(40)))
    assert (columns[header].type, bool(columns[header].ignore)) == (kind, is_left_out)
    assert (columns[header].field == "phone") == (value.startswith("03"))


def test_numbers_called_no_and_codes_called_cd_are_what_they_are():
    columns = guessed(
        "宛名No,氏名,事業CD,学校番号", *(f"{1000000 + at},{person(at)},{at % 3 + 1}00,{at % 2 + 1}" for at in range(40))
    )
    assert columns["宛名No"].field == "resident_number" and columns["事業CD"].codes == ["100", "200", "300"]
    assert columns["学校番号"].field == "school"


def test_notes_that_differ_stay_left_out():
    columns = guessed("児童氏名,メモ", *(f"{person(at)},今日は{at}回目" for at in range(40)))
    assert columns["メモ"].ignore


def test_words_among_numbers_and_nine_beside_answers_are_no_numbers():
    rows = [
        f"{person(at)},{'未' if at % 9 == 0 else at},{9 if at % 8 == 0 else at % 4 + 1},{at % 10}" for at in range(80)
    ]
    columns = guessed("使用者氏名,5月期,Q1,点", *rows)
    assert (columns["5月期"].type, columns["5月期"].unknown) == ("integer", ["未"])
    assert columns["Q1"].unknown == ["9"] and columns["点"].unknown == []


def test_noughts_and_ones_are_no_and_yes_where_the_name_asks():
    columns = guessed("児童氏名,要支援,むし歯の数", *(f"{person(at)},{at % 2},{at % 2}" for at in range(20)))
    assert (columns["要支援"].type, columns["むし歯の数"].type) == ("flag", "integer")


def test_code_of_a_school_and_a_nursery_called_facility_are_where_the_child_goes():
    columns = guessed("学校CD,児童氏名", *(f"{('S13', 'C50')[at % 2]},{person(at)}" for at in range(20)))
    assert (columns["学校CD"].field, columns["学校CD"].codes) == ("school", ["C50", "S13"])
    columns = guessed("学校コード,学校名,児童氏名", *(f"{at % 2},東小,{person(at)}" for at in range(20)))
    assert columns["学校名"].field == "school" and columns["学校コード"].ignore
    columns = guessed("園児番号,施設名,児童氏名", *(f"{at:05},東保育園,{person(at)}" for at in range(20)))
    assert columns["施設名"].field == "school"
    assert guessed("施設名,氏名", *(f"東,{person(at)}" for at in range(20)))["施設名"].field == ""


def test_number_of_a_person_is_no_running_number_though_it_began_so():
    columns = guessed("個人NO,氏名,納付義務者", *(f"{at + 1:07},{person(at)},{person(at + 1)}" for at in range(20)))
    assert (columns["個人NO"].field, columns["個人NO"].ignore) == ("own_number", "")
    assert (columns["納付義務者"].person, columns["納付義務者"].field) == ("guardian", "name")


@pytest.mark.parametrize(
    ("column", "near", "code"),
    [
        ("赤ちゃんへの気持ち", "産婦", "bonding_score"), ("妊娠がわかった時", "妊娠届", "pregnancy_feeling"),
        ("未納月数", "給食費", "school_fee_arrears"), ("理由", "来室記録", "nurse_room_visit"), ("区分CD", "台帳番号", "council_registration"),
        ("結果", "就学援助", "school_expense_aid"),
    ],
)  # fmt: skip
def test_usual_items_by_what_stands_beside(column, near, code):
    found = usual_item(column, [near])
    assert (found.code if found else "") == code


@pytest.mark.parametrize(
    ("last", "footer"),
    [("対象者,16,受診,16", "^対象者"), ("のべ,2,,", "^のべ"), ("ｹﾝｽｳ,12207,,", "^ｹﾝｽｳ"), ("在籍,301,,", "^在籍")],
)
def test_counts_below_a_table_are_no_row(last, footer):
    rows = [
        ["番号", "氏名", "生年月日", "判定"],
        *([f"A{at}", person(at), f"R5.4.{at + 1}", "健康"] for at in range(9)),
    ]
    found = shape_of([*rows, last.split(",")], list(range(11)))
    assert found.footer == footer and len(found.body([*rows, last.split(",")])) == 9


@pytest.mark.parametrize(
    ("first", "kind", "last", "footer"),
    [
        (["H,SUIDO,202405,検針月"], "D", ["T,11,,"], "^(T)$"),
        (["1,21,0,20250401,町役場"], "2", ["8,11,0,,", "9"], "^(8|9)$"),
    ],
)
def test_control_records_around_data_are_neither_header_nor_rows(tmp_path, first, kind, last, footer):
    """As in banks' transfer files: the first record is no header, though it has words in it."""
    rows = [f"{kind},31-108{at:02d}-2,ｶﾐﾊﾗ ﾄｵﾙ,緑町{at}－１,,{20 + at},0,{at % 2}" for at in range(40)]
    path = written(tmp_path / "SUI202405.csv", first[0], [*rows, *last])
    body, columns, _ = draft(path)
    assert (body["file"]["skip_top"], body["file"]["header_rows"], body["file"]["footer"]) == (1, 0, footer)
    assert columns["列2"]["type"] == "identifier" and columns["列4"]["type"] == "address"


@pytest.mark.parametrize("first", ["D,1,2,3", "X,緑町1-1,1,2", "H"])
def test_table_of_coded_rows_has_no_control_records_without_both_ends(first):
    rows = [first.split(","), *(["D", f"緑町{at}-1", "1", "2"] for at in range(9))]
    assert shape_of(rows, list(range(10))).footer == ""


def test_list_of_who_lives_where_with_whom_is_the_register_and_a_table_of_numbers_is_moves(tmp_path):
    head = "宛名番号,世帯番号,氏名,生年月日,性別,続柄,住所,支援措置,旧宛名番号"
    rows = [f"{100000 + at},{3000 + at // 3},{person(at)},S58.3.{at + 1},男,子,緑町{at}-1,," for at in range(20)]
    body, columns, _ = draft(written(tmp_path / "住基_R070401.csv", head, rows))
    assert body["record"]["kind"] == "residents" and columns["旧宛名番号"]["field"] == "former_number"
    rows = [f"{100000 + at},{200000 + at},{person(at)},202511{at + 1:02d}" for at in range(20)]
    body, columns, _ = draft(written(tmp_path / "対照表.csv", "現宛名番号,旧宛名番号,氏名,処理日", rows))
    assert body["record"]["kind"] == "moves" and columns["処理日"]["field"] == "event_on"
    assert columns["異動事由"]["value"] == "番号変更" and columns["旧宛名番号"]["field"] == "former_number"


def test_address_before_a_move_is_told_by_the_move(tmp_path):
    head = "宛名番号,異動日,異動事由,氏名,生年月日,住所,前住所"
    rows = [
        f"{100000 + at},2024-05-{at + 1:02d},転居,{person(at)},S58.3.{at + 1},緑町{at}-1,東町{at}-2" for at in range(20)
    ]
    _, columns, _ = draft(written(tmp_path / "異動_R7.csv", head, rows))
    assert columns["前住所"]["field"] == "moved_from" and columns["住所"]["field"] == "address"


def test_number_of_an_offices_own_called_individual_is_none_of_the_law_where_it_is_short():
    rows = [f"{100000 + at},{person(at)}" for at in range(20)]
    found, banned = guess_columns(["健診個人番号", "氏名"], [row.split(",") for row in rows], False)
    assert banned == [] and (found[0].field, found[0].ignore) == ("own_number", "")
    assert guess_columns(["個人番号", "氏名"], [row.split(",") for row in rows], False)[1] == ["個人番号"]
    assert guess_columns(["児童個人番号", "氏名"], [row.split(",") for row in rows], False)[1] == ["児童個人番号"]
    long = [[f"{100000000000 + at}", person(at)] for at in range(20)]
    assert guess_columns(["健診個人番号", "氏名"], long, False)[1] == ["健診個人番号"]
    assert guess_columns(["個人番号（健康）", "氏名"], [row.split(",") for row in rows], False)[1] == []
    assert guess_columns(["個人番号（健康）", "氏名"], long, False)[1] == ["個人番号（健康）"]


def test_what_is_told_of_the_child_is_not_the_pregnant_womans():
    rows = [f"{person(at)},H7.4.{at + 1},{'男女'[at % 2]},R6.4.{at + 1},{('夫', 'なし')[at % 2]}" for at in range(20)]
    columns = guessed("妊婦氏名,生年月日,児性別,児生年月日,支援者", *rows)
    assert columns["支援者"].codes == ["なし", "夫"]
    assert (
        guessed("妊婦氏名,分娩日", *(f"{person(at)},R6.4.{at + 1}" for at in range(9)))["分娩日"].field
        == "child_born_on"
    )
    assert columns["児性別"].ignore and columns["児生年月日"].field == "child_born_on"
    assert (columns["生年月日"].person, columns["生年月日"].field) == ("subject", "born_on")


def test_call_names_in_kana_are_names_and_a_relationship_beside_the_guardian_is_the_guardians():
    rows = [f"{chr(0x3042 + at)}{chr(0x3044 + at)}ちゃん,{at % 9 + 4},緑町" for at in range(40)]
    columns = guessed("よびな,とし,地区", *rows)
    assert [columns[n].field for n in ("よびな", "とし", "地区")] == ["name", "age", "address"]
    columns = guessed("児童氏名,保護者氏名,続柄", *(f"{person(at)},{person(at + 1)},父" for at in range(20)))
    assert columns["続柄"].person == "guardian"

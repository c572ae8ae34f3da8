"""Drafts of books that people keep by hand: days without their year, ditto marks, months and years in sheets' names, notes."""

from __future__ import annotations

import re
import tomllib

import pytest
import xlsxwriter
from test_draft_of_offices import draft, person, written
from test_layout_forms import NAME, column, file, layout_of, read

from kodomo.errors import ConfigurationFault
from kodomo.intake.draft import draft_layout
from kodomo.intake.draft_writing import Known


def test_checkups_of_different_ages_are_different_sources(tmp_path):
    for name, pattern in (
        ("3歳児健診_20260401.csv", "3歳児健診_*.csv"),
        ("1歳6か月児健診R7.csv", "1歳6か月児健診R*.csv"),
    ):
        body, _, _ = draft(
            written(tmp_path / name, "氏名,生年月日", [f"{person(at)},R4.4.{at + 1}" for at in range(9)])
        )
        assert body["file"]["pattern"] == pattern and body["caption"].startswith(name[:3])


def test_days_without_their_year_take_it_from_the_name_of_the_file(tmp_path):
    rows = [
        f"{'2024-' if at % 9 == 0 else ''}{at % 12 + 1}/{at % 27 + 1},東小,{at % 6 + 1}-1,{at * 7 % 30 + 1},{person(at)}"
        for at in range(60)
    ]
    header = "月日,校名,学年-組,番号,名前"
    _, columns, _ = draft(*(written(tmp_path / f"R{year}来室記録.csv", header, rows) for year in (6, 7)))
    assert (columns["月日"]["type"], columns["月日"]["year_from"]) == ("date", "年度")
    assert re.search(columns["年度"]["match"], "R6来室記録.csv")[1] == "R6"
    assert (columns["学年-組"]["field"], columns["番号"]["field"]) == ("grade", "seat")


def book(path, names):
    workbook = xlsxwriter.Workbook(path)
    for month, name in enumerate(names):
        sheet = workbook.add_worksheet(name)
        sheet.write_row(0, 0, ["学校", "学年", "組", "児童氏名", "区分", "備考"])
        for at in range(12):
            kind = "加害" if month and at % 2 else "被害"
            sheet.write_row(
                at + 1, 0, ["〃" if at else "東小", "3年", "1", person(at), kind, "要連絡" if at % 2 else ""]
            )
    workbook.close()
    return path


def test_sheets_named_by_months_tell_the_month_and_all_of_them_the_codes(tmp_path):
    _, columns, text = draft(book(tmp_path / "月報.xlsx", ["R6.4", "R6.5", "R6.6"]))
    assert (columns["年月"]["type"], columns["年月"]["found_in"]) == ("month", "sheet_name")
    assert set(columns["区分"]["codes"]) == {"被害", "加害"}
    assert columns["学校"]["fill_down"] == "〃" and columns["組"]["field"] == "class_name"
    assert "自由記述" in columns["備考"]["ignore"]
    assert "データの行は 36 行" in text


def test_notes_that_somebody_writes_are_left_out(tmp_path):
    rows = [f"{person(at)},{person(at + 1)}が{at}時に迎えに来た" for at in range(40)]
    _, columns, _ = draft(written(tmp_path / "記録_20260401.csv", "氏名,備考", rows))
    assert "自由記述" in columns["備考"]["ignore"]


def test_columns_of_a_school_and_of_a_checkup_are_what_they_are(tmp_path):
    rows = [
        f"{at + 1},東小,{at % 6 + 1},1,{at + 1},{person(at)},{person(at + 1)},{at % 9},{at % 4},異常なし"
        for at in range(60)
    ]
    header = "No,学校,年,組,番,氏名,保護者(母),5歳児SDQ困難計,ｱﾝｹｰﾄ該当数,医師所見"
    _, columns, _ = draft(written(tmp_path / "健診_20260401.csv", header, [*rows[:9], rows[8], *rows[9:]]))
    assert columns["年"]["field"] == "grade"
    assert (columns["保護者(母)"]["person"], columns["保護者(母)"]["field"]) == ("mother", "name")
    assert "field" not in columns["5歳児SDQ困難計"] and columns["ｱﾝｹｰﾄ該当数"]["type"] == "integer"
    assert "通し番号" in columns["No"]["ignore"]
    assert columns["医師所見"]["codes"] == {"異常なし": "異常なし"}


def test_row_that_names_the_mother_alone_is_about_her(tmp_path):
    rows = [f"{person(at)},さとう あい,H7.4.{at + 1},R6.4.{at + 1},{at % 9}" for at in range(20)]
    _, columns, _ = draft(written(tmp_path / "産婦健診_20260401.csv", "産婦氏名,よみ,生年月日,出産日,EPDS計", rows))
    assert {columns[name]["person"] for name in ("産婦氏名", "よみ", "生年月日", "出産日")} == {"subject"}
    assert columns["出産日"]["field"] == "child_born_on"


def test_absences_of_a_month_are_added_up_month_by_month(tmp_path):
    months = [4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3]
    header = "学籍番号,氏名," + ",".join(f"{m}月病欠,{m}月事故欠" for m in months)
    rows = [f"{7000 + at},{person(at)}," + ",".join(["1,0"] * 12) for at in range(20)]
    text = draft_layout([written(tmp_path / "出欠_2025.csv", header, rows)], Known())["layout"]
    joined = [c["join"] for c in tomllib.loads(text).get("repeat", [{}])[0].get("columns", []) if "join" in c]
    assert joined == [["{}月病欠", "{}月事故欠"]]


MARKED = '[[columns]]\nname = "母"\ntype = "name"\nitem = "name"\nperson = "mother"\nfield = "name"\nfill_down = "〃"\n'


def test_ditto_marks_alone_are_filled_and_blanks_stay_blank(tmp_path):
    body = "氏名,母\n山田,山田 花\n山田二,〃\n森,\n森二,〃\n林,同上\n".encode()
    found = read(tmp_path, file() + NAME + MARKED, body)
    mothers = [m["name"] for m in found.landing.mentions.to_pylist() if m["role"] == "mother"]
    assert mothers == ["山田 花", "山田 花"]
    assert column(found, "name")[0] == "山田" and not found.quarantined


def test_another_mark_to_fill_by_is_a_fault(tmp_path):
    with pytest.raises(ConfigurationFault, match="fill_down"):
        layout_of(tmp_path, file() + NAME + MARKED.replace('"〃"', '"同"'))


def test_cells_that_slipped_into_a_column_of_codes_say_nothing_and_are_not_shown(tmp_path):
    # A row that lost a cell puts a birth date, an address, a name or an amount under the next header.
    rows = [
        f"{person(at)},{at % 3 + 1},{'男女'[at % 2]},{'学校' if at % 2 else '保健'},{at % 9 + 12}" for at in range(200)
    ]
    rows[7] = "佐藤　蓮,1430000,H19.1.11,緑町2-13-9,R5.4.1"
    rows[9] = "佐藤　葵,1583000,H20.2.12,山田　花子,R5.4.2"
    _, columns, text = draft(written(tmp_path / "台帳_20260401.csv", "氏名,課税区分,性別,経路,登園日数", rows))
    assert set(columns["課税区分"]["codes"]) == {"1", "2", "3"} and set(columns["経路"]["codes"]) == {"学校", "保健"}
    assert columns["登園日数"]["type"] == "integer"
    assert not re.search("緑町|山田|H19|1430000", text)


def test_days_attended_by_month_are_no_name_of_a_nursery(tmp_path):
    """登園 ends like the name of a nursery; what a child's numbers of days were would have become its school."""
    head = "園児ID,園名,園児名," + ",".join(f"{month}月登園" for month in range(5, 10))
    rows = [f"K{at:04},中央保育園,{person(at)},{at % 9 + 12},{at % 7 + 14},20,19,18" for at in range(60)]
    body, columns, _ = draft(written(tmp_path / "登園集計_R7.csv", head, rows))
    assert columns["園名"]["field"] == "school"
    assert body["repeat"][0]["columns"] == [{"name": "{}月登園", "type": "integer", "item": "nursery_days"}]


def test_sheets_named_by_months_without_a_year_tell_the_month_of_the_files_year(tmp_path):
    _, columns, text = draft(book(tmp_path / "R7年度_月報.xlsx", ["4月", "5月", "1月"]))
    assert (columns["月"]["found_in"], columns["年月"]["join"], columns["年月"]["fiscal"]) == (
        "sheet_name", ["年度", "月"], True,
    )  # fmt: skip
    assert re.search(columns["月"]["match"], "1月")[1] == "1" and columns["年度"]["found_in"] == "file_name"
    assert '# valid_from = "年月"' in text and '# valid_to = "month_end"' in text


def test_counts_that_leave_nothing_blank_and_zero_unprinted_are_zero_where_blank(tmp_path):
    rows = [
        f"{person(at)},20,{at % 3 + 1 if at % 4 == 0 else ''},{2 if at % 9 == 0 else ''},{at % 3}" for at in range(90)
    ]
    header = "氏名,授業日数,病欠,事故欠,遅刻"
    _, columns, _ = draft(written(tmp_path / "出席簿_202604.csv", header, rows))
    assert {n: c.get("blank") for n, c in columns.items() if c["type"] == "integer"} == {
        "授業日数": None, "病欠": "0", "事故欠": "0", "遅刻": None, "欠席日数(計)": "0",
    }  # fmt: skip


def test_a_word_in_the_place_of_a_day_is_no_fault_and_may_be_a_fact(tmp_path):
    """Who did not come has no day of coming: such a row is neither handed back nor told as if nothing were known."""
    rows = [f"{person(at)},R4.4.{at + 1},令和7年度,{'未受診' if at % 6 == 0 else f'R7.4.{at + 1}'}" for at in range(28)]
    _, columns, text = draft(written(tmp_path / "健診.csv", "氏名,生年月日,年度,受診日", rows))
    assert columns["受診日"]["type"] == "date" and columns["受診日"]["unknown"] == ["未受診"]
    offered = text[text.index("日付でなく言葉が書かれた行がある") :].split("# ──")[0]
    lines = [line[2:] for line in offered.splitlines()[1:] if line.startswith("# ")]
    told = tomllib.loads("\n".join(lines))
    assert told["columns"][0]["part_of"] == "受診日" and re.fullmatch(told["columns"][0]["match"], "未受診")
    assert told["facts"][0]["valid_from"] == "年度" and told["facts"][0]["valid_to"] == "year_end"
    late = [row.replace("未受診", "転出" if at == 0 else "R7.5.1") for at, row in enumerate(rows)]
    _, columns, _ = draft(written(tmp_path / "健診2.csv", "氏名,生年月日,年度,受診日", late))
    assert "unknown" not in columns["受診日"]  # one alone slipped in

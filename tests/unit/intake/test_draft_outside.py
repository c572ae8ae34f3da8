"""Drafts of files whose rows don't tell their month, year, school or term: one file's records must not overwrite another's."""

from __future__ import annotations

import re

import pytest
import xlsxwriter
from test_draft_of_offices import draft, person, written

from kodomo.intake.cells import western_fiscal_year
from kodomo.intake.dates import read_month
from kodomo.intake.guess import guess_columns
from kodomo.intake.row_identity import identity_of


def identity(header: str, rows: list[str]) -> tuple[str, list[str]]:
    body = [row.split(",") for row in rows]
    return identity_of(guess_columns(header.split(","), body, False)[0], body)


def allowance(month: str) -> list[str]:
    return [f"{1000 + at},{person(at)},H30.4.{at + 1},支給" for at in range(20)]


@pytest.mark.parametrize(
    ("name", "month"), [("支払明細_R0606.tsv", "R0606"), ("月報_202410.csv", "202410"), ("明細_R6.10.csv", "R6.10")]
)
def test_month_in_a_files_name_tells_its_rows_apart_where_they_tell_no_day(tmp_path, name, month):
    path = written(tmp_path / name, "認定番号,受給者氏名,受給者生年月日,差止区分", allowance(month))
    body, columns, text = draft(path)
    assert (columns["年月"]["type"], columns["年月"]["found_in"]) == ("month", "file_name")
    assert re.search(columns["年月"]["match"], name)[1] == month
    assert body["record"]["identity"] == ["年月", "認定番号"] and '# valid_from = "年月"' in text


def test_day_since_when_something_holds_is_not_the_rows_month_but_a_visits_day_is(tmp_path):
    since = [f"{1000 + at},{person(at)},R4.5.{at + 1},母子" for at in range(20)]
    head = "ケース番号,氏名,保護開始日,世帯類型"
    months = [written(tmp_path / f"保護台帳_2024{month}.csv", head, since) for month in ("04", "05")]
    _, columns, _ = draft(*months)
    assert columns["年月"]["found_in"] == "file_name"
    _, columns, _ = draft(months[0])
    assert "年月" not in columns  # a register as of that month, for all that its one file tells
    _, columns, _ = draft(written(tmp_path / "来室_202404.csv", "番号,氏名,来室日,世帯類型", since))
    assert "年月" not in columns


def test_month_above_a_table_counts_where_no_name_tells_it(tmp_path):
    rows = ["101,ひまわり園,佐藤 蓮,H31/2/24,20,0"] + [f"{102 + at},ひまわり園,{person(at)},H31/2/{at + 1},20,1" for at in range(9)]  # fmt: skip
    head = "在園児月報　令和6年10月\n園児番号,園名,園児氏名,生年月日,登園日数,欠席"
    _, columns, _ = draft(written(tmp_path / "月報.csv", head, rows))
    assert re.search(columns["年月"]["match"], "在園児月報　令和6年10月")[1] == "令和6年10月"
    head = head.replace("令和6年10月", "令和6年10月1日現在")
    _, columns, _ = draft(written(tmp_path / "月報2.csv", head, rows))
    assert "年月" not in columns


def test_file_of_one_month_is_told_apart_by_its_month_too():
    rows = [f"{1000 + at},202405,佐藤 蓮,{at}" for at in range(20)]
    assert identity("お客様番号,検針年月,使用者名,水量", rows) == ("お客様番号", ["お客様番号", "検針年月"])
    assert identity("お客様番号,検針月,使用者名,水量", rows) == ("お客様番号", ["お客様番号", "検針月"])
    since = [row.replace("202405", "202104") for row in rows]
    assert identity("お客様番号,契約年月,使用者名,水量", since) == ("お客様番号", ["お客様番号"])


def test_kinds_and_the_childs_name_tell_rows_apart_where_no_number_does():
    checkups = [f"{at // 2:05d},{('3歳', '4か月')[at % 2]},{person(at // 2)},2021-02-10" for at in range(80)]
    assert identity("健管番号,健診区分,氏名,生年月日", checkups)[1] == ["健管番号", "健診区分"]
    siblings = [f"{at // 2:05d},{person(at)},{person(at + 1)},2018-01-{at % 28 + 1:02d}" for at in range(80)]
    found = identity("証書番号,受給者氏名,児童氏名,児童生年月日", siblings)
    assert found == ("証書番号", ["証書番号", "児童氏名", "児童生年月日"])
    unnumbered = [f"東小,{person(at)},2018-01-{at % 28 + 1:02d},全部" for at in range(20)]
    assert identity("学校名,児童氏名,生年月日,区分", unnumbered) == ("", ["児童氏名", "生年月日"])


def test_visits_of_one_child_on_one_day_are_not_taken_for_one_record():
    rows = [f"2024/5/{at % 9 + 1},{person(at % 3)},2018-01-01,頭痛" for at in range(40)]
    assert identity("来室日,氏名,生年月日,理由", [*rows, rows[0].replace("頭痛", "けが")])[1] == []


def test_kinds_of_moves_on_one_day_are_two_moves():
    rows = [f"{100000 + at},{person(at)},2024-05-{at + 1:02d},転居" for at in range(20)]
    assert identity("宛名番号,氏名,異動日,異動事由", rows)[1] == ["宛名番号", "異動日", "異動事由"]


def test_year_in_names_is_no_part_of_records_that_tell_their_own_day(tmp_path):
    rows = [f"{1000 + at // 2},{person(at)},2024-05-{at + 1:02d}" for at in range(20)]
    body, _, _ = draft(written(tmp_path / "接種_R6.csv", "接種者番号,氏名,接種日", rows))
    assert "年度" not in body["record"]["identity"]


def test_names_of_files_tell_the_school_the_checkup_and_the_term(tmp_path):
    rows = [f"{person(at)},2021-02-{at + 1:02d},要観察" for at in range(9)]
    head = "氏名,生年月日,判定"
    _, columns, _ = draft(
        *(written(tmp_path / f"来室記録_{s}.csv", head, rows) for s in ("中央小", "汐見台小", "第一中"))
    )
    assert (
        columns["学校"]["field"] == "school"
        and re.search(columns["学校"]["match"], "来室記録_第一中.csv")[1] == "第一中"
    )
    names = ("R6_4か月児健診.csv", "R6_1歳6か月児健診.csv")
    body, columns, _ = draft(*(written(tmp_path / name, head, rows) for name in names))
    assert [re.search(columns["健診"]["match"], n)[1] for n in names] == ["4か月児健診", "1歳6か月児健診"]
    assert {"年度", "健診"} <= set(body["record"]["identity"])
    body, columns, _ = draft(written(tmp_path / "アンケート_2024_1学期.csv", "学校,学年,組,番号,氏名,Q1",
                                     [f"東小,3,{at // 20 + 1},{at % 20 + 1},{person(at)},{at % 4 + 1}" for at in range(80)]))  # fmt: skip
    assert (
        re.search(columns["期"]["match"], "アンケート_2024_1学期.csv")[1] == "1学期"
        and "期" in body["record"]["identity"]
    )


def test_sheets_called_after_schools_are_the_school_and_those_of_a_year_the_year(tmp_path):
    for name, sheets in (("名簿.xlsx", ["中央小", "汐見台小"]), ("現況.xlsx", ["R6年度", "R7年度"])):
        workbook = xlsxwriter.Workbook(tmp_path / name)
        for title in sheets:
            sheet = workbook.add_worksheet(title)
            sheet.write_row(0, 0, ["証書番号", "児童氏名", "児童生年月日", "人数"])
            for at in range(12):
                sheet.write_row(at + 1, 0, [f"{at + 100:05d}", person(at), f"H30.4.{at + 1}", "1"])
        workbook.close()
    _, columns, _ = draft(tmp_path / "名簿.xlsx")
    assert columns["シート名"]["field"] == "school"
    body, columns, _ = draft(tmp_path / "現況.xlsx")
    assert columns["年度"]["found_in"] == "sheet_name" and body["record"]["identity"][0] == "年度"


def test_month_reported_takes_its_year_from_the_sheets_name(tmp_path):
    workbook = xlsxwriter.Workbook(tmp_path / "報告.xlsx")
    for title in ("R6", "R7"):
        sheet = workbook.add_worksheet(title)
        sheet.write_row(0, 0, ["報告月", "学校名", "学年", "児童氏名", "態様"])
        for at in range(12):
            sheet.write_row(at + 1, 0, [f"{at % 12 + 1}月", "東小", "3", person(at), "冷やかし"])
    workbook.close()
    _, columns, _ = draft(tmp_path / "報告.xlsx")
    assert columns["年月"]["join"] == ["年度", "報告月"] and columns["年度"]["found_in"] == "sheet_name"


def test_halves_of_a_year_are_one_layout_with_all_months(tmp_path):
    rows = [f"K{at:04},東保育園,{person(at)},{at % 9 + 12},{at % 7 + 14},20" for at in range(60)]
    halves = {"登園_R7上期(4-6月).csv": (4, 5, 6), "登園_R7下期(10-12月).csv": (10, 11, 12)}
    head = "園児番号,園名,園児名,"
    body, columns, text = draft(
        *(written(tmp_path / n, head + ",".join(f"{m}月登園" for m in months), rows) for n, months in halves.items())
    )
    assert set(body["repeat"][0]["for"]) == {"4", "5", "6", "10", "11", "12"} and "入れていません" not in text
    assert body["repeat"][0]["columns"][0]["optional"] and body["record"]["identity"] == ["年度", "期", "園児番号"]
    assert re.search(columns["期"]["match"], "登園_R7下期(10-12月).csv")[1] == "下期"


def test_month_among_other_words_in_the_names_of_sheets_is_the_rows(tmp_path):
    workbook = xlsxwriter.Workbook(tmp_path / "手帳台帳.xlsx")
    for title in ("手帳R6.4", "手帳R7.4"):
        sheet = workbook.add_worksheet(title)
        sheet.write_row(0, 0, ["手帳番号", "氏名", "生年月日", "種別"])
        for at in range(12):
            sheet.write_row(at + 1, 0, [f"{at + 100:05d}", person(at), f"H30.4.{at + 1}", "療育"])
    workbook.close()
    body, columns, _ = draft(tmp_path / "手帳台帳.xlsx")
    assert re.search(columns["年月"]["match"], "手帳R6.4")[1] == "R6.4" and body["record"]["identity"] == [
        "年月",
        "手帳番号",
    ]


def test_rounds_of_a_years_survey_are_told_apart(tmp_path):
    rows = [f"東小,3,{at // 20 + 1},{at % 20 + 1},{person(at)},{at % 4 + 1}" for at in range(80)]
    names = ("anke_R6_1.csv", "anke_R6_2.csv")
    body, columns, _ = draft(*(written(tmp_path / n, "学校,学年,組,番号,氏名,Q1", rows) for n in names))
    assert [re.search(columns["回"]["match"], n)[1] for n in names] == ["1", "2"]
    assert body["record"]["identity"][:2] == ["年度", "回"]


def test_events_of_a_benefit_are_told_by_their_day_and_are_no_moves(tmp_path):
    rows = [
        f"{1000 + at // 2},{person(at)},H30.4.{at % 9 + 1},{('11', '21')[at % 2]},R6.5.{at + 1}" for at in range(20)
    ]
    _, columns, text = draft(written(tmp_path / "event.csv", "受給者番号,児童氏名,児童生年月日,事由,異動年月日", rows))
    assert columns["異動年月日"]["type"] == "date" and "field" not in columns["異動年月日"]
    assert '# valid_from = "異動年月日"' in text


def test_row_for_each_item_examined_is_a_fact_for_each_item(tmp_path):
    rows = [
        f"{1000 + at // 3},{person(at // 3)},R5.4.{at // 3 % 28 + 1},2024/5/{at // 3 % 28 + 1},3Y,0{at % 3},{at % 5}.5"
        for at in range(90)
    ]
    head = "受診者番号,氏名,生年月日,受診日,健診,項目番号,結果"
    body, _, text = draft(written(tmp_path / "結果.csv", head, rows))
    assert "項目番号" in body["record"]["identity"]
    assert '# when = { "項目番号" = ["02"] }' in text and '# number = "結果"' in text


def test_column_for_each_day_of_the_month_is_left_out(tmp_path):
    head = "学籍番号,氏名," + ",".join(map(str, range(1, 31))) + ",欠席計"
    rows = [
        f"{1000 + at},{person(at)}," + ",".join("/" if (at + d) % 9 == 0 else "" for d in range(30)) + ",3"
        for at in range(20)
    ]
    _, columns, _ = draft(written(tmp_path / "出席簿_202404.csv", head, rows))
    assert all(columns[str(day)]["ignore"] for day in range(1, 31)) and columns["欠席計"]["type"] == "integer"


@pytest.mark.parametrize("name", ["月別出欠_令和5年度_01月.csv", "出席統計 令和5年度1月分.csv"])
def test_month_of_a_fiscal_year_in_a_files_name_tells_its_rows(tmp_path, name):
    rows = [f"東小,{at % 6 + 1},1,{at},{person(at)},16,{at % 3},0" for at in range(1, 30)]
    body, columns, text = draft(written(tmp_path / name, "学校,学年,組,番,氏名,授業日数,病欠,遅刻", rows))
    told = re.search(columns["年月"]["match"], name)[1]
    assert read_month(told).value == "2024-01"
    assert "年月" in body["record"]["identity"] and '# valid_from = "年月"' in text


def test_months_of_a_year_in_a_files_name_give_days_without_a_year_theirs(tmp_path):
    rows = [f"{at % 3 + 1}/{at % 27 + 1},公民館,{person(at)},{at % 9 + 4}" for at in range(60)]
    names = ["参加名簿_2024年1-3月.csv", "参加名簿_2024年4-6月.csv"]
    _, columns, _ = draft(*(written(tmp_path / name, "開催日,会場,よびな,ねんれい", rows) for name in names))
    years = [western_fiscal_year(re.search(columns["年度"]["match"], name)[1]) for name in names]
    assert (columns["開催日"]["year_from"], years) == ("年度", ["2023", "2024"])


def test_days_called_hinichi_are_days(tmp_path):
    rows = [f"{at % 12 + 1}月{at % 27 + 1}日,北,{person(at)},小{at % 6 + 1},○" for at in range(60)]
    path = written(tmp_path / "出席簿_令和5年度.csv", "日にち,教室,なまえ,学年,出席", rows)
    _, columns, _ = draft(path)
    assert (columns["日にち"]["type"], columns["日にち"]["year_from"]) == ("date", "年度")


def test_era_beside_a_date_of_six_digits_is_read_with_it(tmp_path):
    rows = [
        f"{135 + at // 4}-1,{at % 4},{person(at)},{'020705' if at % 2 else '621102'},{'令' if at % 2 else '昭'},020920"
        for at in range(40)
    ]
    _, columns, _text = draft(
        written(tmp_path / "世帯員_令和5年度.csv", "ケース番号,員番号,氏名,生年月日,元号,開始年月日", rows)
    )
    birth = columns["生年月日(元号とも)"]
    assert (birth["join"], birth["field"], birth["type"]) == (["元号", "生年月日"], "born_on", "date")
    assert "元号" not in columns and "生年月日" not in columns


def test_another_school_or_number_is_not_part_of_the_first(tmp_path):
    rows = [f"令和5年4月{at % 27 + 1}日,東小学校,{at % 6 + 1},{person(at)},西小学校" for at in range(40)]
    _, columns, _ = draft(written(tmp_path / "転出入学者.csv", "年月日,学校名,学年,氏名,相手校", rows))
    assert columns["相手校"]["ignore"] and columns["学校名"]["field"] == "school" and "item" not in columns["年月日"]
    rows = [f"{1000000 + at}-1,{9000000 + at},{person(at)},東町{at}-1,20" for at in range(40)]
    _, columns, _ = draft(written(tmp_path / "給水契約.csv", "お客様番号,水栓番号,使用者名,使用場所,口径", rows))
    assert columns["水栓番号"]["ignore"] and columns["お客様番号"]["field"] == "own_number"


def test_grades_among_ages_are_cut_out_of_the_cell(tmp_path):
    ages = ("9", "10さい", "5年生", "小3", "")
    rows = [f"2024/4/{at % 27 + 1},公民館,{person(at)},{ages[at % 5]}" for at in range(60)]
    _, columns, _ = draft(written(tmp_path / "参加名簿.csv", "開催日,会場,よびな,ねんれい", rows))
    assert (columns["学年"]["part_of"], columns["年齢"]["part_of"]) == ("ねんれい", "ねんれい")
    assert "ねんれい" not in columns
    assert [bool(re.search(columns["学年"]["match"], age)) for age in ages] == [False, False, True, True, False]


def test_a_number_that_only_runs_in_one_file_is_in_no_identity(tmp_path):
    head = "クラブ名,利用番号,児童名,学年,利用日数"
    running = [f"東クラブ,{at},{person(at)},{at % 3 + 1}年,{at % 20}" for at in range(1, 40)]
    jumping = [f"東クラブ,{at * 7 % 41},{person(at)},{at % 3 + 1}年,{at % 20}" for at in range(1, 30)]
    names = (("名簿R05.04.csv", running), ("名簿R05.05.csv", jumping))
    body, columns, _ = draft(*(written(tmp_path / name, head, rows) for name, rows in names))
    assert not [n for n in body["record"]["identity"] if columns[n].get("ignore")]

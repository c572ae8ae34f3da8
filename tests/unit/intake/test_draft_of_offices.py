"""Drafts of files as offices and old systems print them: what a wrong guess would turn into wrong values in silence."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from kodomo.cli import main
from kodomo.errors import DeliveryRefused
from kodomo.intake.column_words import meaning_of
from kodomo.intake.draft import draft_layout
from kodomo.intake.draft_merge import common_pattern
from kodomo.intake.draft_writing import Known
from kodomo.intake.layout_repeat import spelt_out

FAMILIES, GIVEN = ("佐藤", "髙橋", "五十嵐", "東"), ("蓮", "結衣", "陽翔", "さくら", "葵")


def person(at: int) -> str:
    return f"{FAMILIES[at % 4]}　{GIVEN[at % 5]}"


def written(path: Path, header: str, rows: list[str], encoding: str = "utf-8") -> Path:
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def draft(*paths: Path, **more: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]], str]:
    text = draft_layout(list(paths), Known(), **more)["layout"]
    body = tomllib.loads(text)
    return body, {c["name"]: c for c in spelt_out(body)["columns"]}, text


def test_children_numbered_in_full_width_are_people_and_not_one_long_name(tmp_path):
    header = "証書番号,受給者氏名,児童１氏名,児童１生年月日,児童２氏名,児童２生年月日"
    rows = [
        f"第{at:03d}号,{person(at)},{person(at + 1)},R3.4.{at + 1},{person(at + 2)},R5.6.{at + 1}" for at in range(12)
    ]
    body, _, _ = draft(written(tmp_path / "手当.csv", header, rows))
    assert body["people"][0]["for"] == ["１", "２"]
    assert body["record"]["identity"] == ["証書番号", "児童{}氏名"]


def test_name_of_a_partner_is_not_joined_to_the_womans(tmp_path):
    rows = [f"2025/4/{at + 1},{person(at)},平成7年4月{at + 1}日,{person(at + 1)},{person(at + 2)}" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "届.csv", "届出日,妊婦氏名,生年月日,夫(パートナー)氏名,氏名", rows))
    assert columns["妊婦氏名"]["field"] == "name"
    assert "field" not in columns["夫(パートナー)氏名"] and columns["夫(パートナー)氏名"]["ignore"]


def test_foreign_writings_of_the_standard_register_name_those_whom_the_name_leaves_blank(tmp_path):
    rows = [f"{at:06d},{person(at)},サトウ　レン,,,1990-01-{at + 1:02d}" for at in range(12)]
    rows += [
        f"{at:06d},,クルス　ジャスミン,CRUZ JASMINE,{'張　偉' if at % 2 else ''},1990-01-{at:02d}"
        for at in range(12, 20)
    ]
    header = "宛名番号,氏名,氏名_カナ,氏名_外国人ローマ字,氏名_外国人漢字,生年月日"
    _, columns, _ = draft(written(tmp_path / "住民.csv", header, rows))
    named = {name: c.get("when") for name, c in columns.items() if c.get("field") == "name"}
    assert named == {
        "氏名": None,
        "氏名_外国人ローマ字": {"氏名": [""]},
        "氏名_外国人漢字": {"氏名": [""], "氏名_外国人ローマ字": [""]},
    }


def test_former_address_and_codes_of_places_are_not_joined_to_the_address(tmp_path):
    rows = [f"{at:06d},{person(at)},1{at:03d},緑町,{at + 1}番地,南町{at + 1}番地2" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "台帳.csv", "個人コード,氏名,町名コード,町名,番地,前住所", rows))
    assert [name for name, c in columns.items() if c.get("field") == "address"] == ["町名", "番地"]
    assert columns["個人コード"]["field"] == "resident_number"


@pytest.mark.parametrize("name", ["No.", "受付番号", "連番"])
def test_number_that_only_counts_the_rows_names_no_record(tmp_path, name):
    rows = [f"{at + 1},{person(at)},R3.4.{at % 28 + 1},{at % 3}" for at in range(20)]
    body, columns, _ = draft(written(tmp_path / "名簿.csv", f"{name},児童氏名,生年月日,回数", rows))
    assert "通し番号" in columns[name]["ignore"]
    assert name not in body["record"].get("identity", []) and body["record"].get("row_key") != name


def test_headers_in_capital_letters(tmp_path):
    rows = [f"{at:08d},{person(at)},ｻﾄｳ ﾚﾝ,201504{at + 1:02d},M,緑町{at + 1}番地,MR" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "x.csv", "ATENA_NO,SHIMEI,KANA,SEINENGAPPI,SEIBETSU,JUSHO,VACCINE", rows))
    found = {name: c.get("field") for name, c in columns.items()}
    assert found == {"ATENA_NO": "resident_number", "SHIMEI": "name", "KANA": "name_kana", "SEINENGAPPI": "born_on",
                     "SEIBETSU": "sex", "JUSHO": "address", "VACCINE": None}  # fmt: skip
    assert meaning_of("KOJIN_NO").ignore and not meaning_of("KOJIN_CD").ignore


def test_sheet_of_call_names(tmp_path):
    rows = [f"{GIVEN[at % 5]}ちゃん,{at % 9 + 4},緑町,{person(at)},元気" for at in range(12)]
    _, columns, text = draft(written(tmp_path / "記録.csv", "よび名,年齢,お住まい,保護者,気になったこと", rows))
    assert [columns[n].get("field") for n in ("よび名", "年齢", "お住まい", "保護者")] == [
        "name",
        "age",
        "address",
        "name",
    ]
    assert columns["保護者"]["person"] == "guardian" and columns["気になったこと"]["ignore"]
    assert "抽出日が見つからない" in text


def test_list_of_call_names_takes_a_bare_age_the_sex_of_a_boy_and_the_district(tmp_path):
    rows = [
        f"{GIVEN[at % 5]}ちゃん,{('小4', '9', '12', '中1')[at % 4]},{('男の子', '女の子')[at % 2]},{('上野', '日影', '')[at % 3]}"
        for at in range(24)
    ]
    _, columns, _ = draft(written(tmp_path / "記録_202604.csv", "呼び名,学年年齢,性別,地区", rows))
    assert [re.search(columns["年齢"]["match"], cell) is not None for cell in ("9", "１２", "小4", "9歳")] == [
        True,
        True,
        False,
        True,
    ]
    assert (columns["性別"]["field"], columns["地区"]["field"], columns["地区"]["type"]) == (
        "sex",
        "address",
        "address",
    )


def test_roll_in_order_of_classes_tells_the_seat_and_no_running_number(tmp_path):
    rows = [f"{at:05},第一小,{1 + at // 60},{1 + at // 30 % 2},{1 + at % 30},{person(at)}" for at in range(180)]
    _, columns, _ = draft(written(tmp_path / "学齢簿_202605.csv", "学籍番号,学校名,学年,組,番号,氏名", rows))
    assert columns["番号"]["field"] == "seat" and "ignore" not in columns["番号"]
    rows = [f"{at:05},第一小,{1 + at // 60},{1 + at // 30 % 2},{1 + at},{person(at)}" for at in range(180)]
    _, columns, _ = draft(written(tmp_path / "名簿_202605.csv", "学籍番号,学校名,学年,組,番号,氏名", rows))
    assert "ignore" in columns["番号"]


def test_header_in_hiragana_and_the_child_who_was_bullied_are_known(tmp_path):
    rows = [f"{at:03},{person(at)},R04.0{1 + at % 9}.1{at % 9},{'男女'[at % 2] if at % 3 else ''}" for at in range(24)]
    _, columns, _ = draft(written(tmp_path / "報告_202604.csv", "整理番号,被害児童生徒,せいねんがっぴ,せい別", rows))
    assert [columns[n].get("field") for n in ("被害児童生徒", "せいねんがっぴ", "せい別")] == ["name", "born_on", "sex"]


def test_cell_of_a_grade_or_an_age_tells_both(tmp_path):
    rows = [f"{GIVEN[at % 5]}ちゃん,{('小4', '年長', '5歳', '2年', '中１', '１２才')[at % 6]},東小" for at in range(24)]
    _, columns, _ = draft(written(tmp_path / "記録_202604.csv", "よびな,学年・年齢,学校", rows))
    grade, age = columns["学年"], columns["年齢"]
    assert (grade["field"], grade["part_of"], age["field"], age["type"]) == ("grade", "学年・年齢", "age", "integer")
    cells = ("小4", "年長", "5さい", "2年", "中１", "１２才")
    assert [bool(re.search(grade["match"], cell)) for cell in cells] == [True, True, False, True, True, False]
    assert [bool(re.search(age["match"], cell)) for cell in cells] == [False, False, True, False, False, True]


def test_person_word_above_marks_is_no_name(tmp_path):
    rows = [f"{person(at)},{'○' if at % 2 else ''},{'○' if at % 3 else ''}" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "送迎.csv", "児童氏名,母,父", rows))
    assert columns["母"].get("field") is None and columns["母"]["blank"] == "0"


def test_date_inside_a_run_of_digits_of_fixed_width(tmp_path):
    rows = [
        f"{at * 7919 % 100000:05d}" + person(at).ljust(10, "　") + f"{at % 2 + 1}4{10 + at:02d}03{at % 28 + 1:02d}"
        + "緑町" + "5060401"
        for at in range(15)
    ]  # fmt: skip
    path = tmp_path / "SEIHO.DAT"
    path.write_bytes("\r\n".join([*rows, ""]).encode("cp932"))
    body, _, text = draft(path)
    dates = {(c["position"], c["width"]): c.get("field") for c in body["columns"] if c["type"] == "date"}
    assert dates == {(27, 7): "born_on", (38, 7): None} and "値から見当をつけただけ" in text


def test_sheets_with_merged_classes_and_a_date_above(tmp_path):
    path = tmp_path / "入所名簿.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("ひばり園", "みなみ園"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["入所名簿", None, "令和7年4月1日現在"])
            sheet.write_row(1, 0, ["クラス", "児童名", "生年月日", "性"])
            for at in range(9):
                sheet.write_row(
                    at + 2, 0, [f"{at // 3}歳児" if at % 3 == 0 else None, person(at), f"R4.5.{at + 1}", "男女"[at % 2]]
                )
    body, columns, text = draft(path)
    assert body["file"]["extracted_in"] == "above" and columns["クラス"]["fill_down"]
    assert columns["性"]["field"] == "sex" and 'found_in = "sheet_name"' in text


def test_a_school_that_few_of_a_club_tell_is_no_merged_cell(tmp_path):
    path = tmp_path / "来所表.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for month in range(4, 8):
            sheet = book.add_worksheet(f"{month}月")
            sheet.write_row(0, 0, ["呼び名", "歳", "学校", "来所回数"])
            for at in range(4 if month == 4 else 9):
                school = "第二中" if at == (0 if month == 4 else 5) else None
                sheet.write_row(at + 1, 0, [f"{'あいうえおかきくけ'[at]}ちゃん", 9 + at % 4, school, at % 3 + 1])
    _, columns, _ = draft(path)
    assert columns["学校"]["field"] == "school" and "fill_down" not in columns["学校"]


def test_several_samples_of_one_source(tmp_path):
    head, rows = "処理区分,認定番号,児童氏名,認定日", []
    for month, kinds in (("04", "1"), ("05", "29")):
        lines = [
            f"{kinds[at % len(kinds)]},{at + 3:05d}{month},{person(at)},令和7年{int(month)}月{at + 1}日"
            for at in range(12)
        ]
        rows.append(written(tmp_path / f"手当_2025{month}30.csv", head + (",消滅日" if month == "05" else ""),
                            [line + (",R7.5.1" if month == "05" else "") for line in lines]))  # fmt: skip
    other = written(tmp_path / "別.csv", "a,b,c", ["1,2,3"] * 9)
    body, columns, text = draft(*rows, other)
    assert columns["処理区分"]["codes"] == {"1": "1", "2": "2", "9": "9"}
    assert columns["消滅日"]["optional"] and body["file"]["pattern"] == "手当_*.csv"
    assert "入れていません: 別.csv" in text


def test_patterns_of_several_names():
    schools = [f"{name}小学校_出欠_*.xlsx" for name in ("中央", "南", "美園")]
    assert common_pattern(schools) == "*小学校_出欠_*.xlsx"
    assert common_pattern(["a_*.csv", "b_*.csv", "c_*.csv"]) == ["a_*.csv", "b_*.csv", "c_*.csv"]


def test_files_inside_a_zip_are_drafted_and_checked(tmp_path, town, capsys):
    content = "学籍番号,氏名,年月,欠席,遅刻\nA001,翡翠川花,2026-03,3,0\nA002,翡翠川次,2026-03,1,0\n"
    with zipfile.ZipFile(tmp_path / "全校.zip", "w") as archive:
        archive.writestr("出欠_20260401.csv", content.encode("cp932"))
        archive.writestr("出欠_20260402.csv", content.replace("A00", "B00").encode("cp932"))
    body, _, text = draft(tmp_path / "全校.zip")
    assert body["file"]["pattern"] == "出欠_*.csv" and "翡翠川" not in text
    call = ["--home", str(tmp_path / "home"), "--municipality", str(town)]
    layout = str(town / "sources" / "absences.toml")
    assert main([*call, "layout", "check", layout, str(tmp_path / "全校.zip"), "--json"]) == 0
    said = capsys.readouterr()
    assert "== 出欠_20260401.csv" in said.err and said.out.count('"rows_landed": 2') == 2


def test_protected_zip_needs_its_password_for_a_draft_too(tmp_path):
    import pyzipper

    path = tmp_path / "全校.zip"
    with pyzipper.AESZipFile(path, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"himitsu")
        archive.writestr("出欠_20260401.csv", ("学籍番号,氏名,欠席\n" + "A1,山 花,3\n" * 5).encode("cp932"))
    with pytest.raises(DeliveryRefused):
        draft(path)
    assert draft(path, password="himitsu")[0]["file"]["pattern"] == "出欠_*.csv"


def test_check_tells_what_is_joined_and_counts_repeats_of_people(tmp_path, town, capsys):
    header = "番号,児童1氏名,児童2氏名"
    path = written(tmp_path / "手当_20260401.csv", header, [f"{at},{person(at)},{person(at + 1)}" for at in range(8)])
    layout = town / "sources" / "hand.toml"
    top = 'source = "hand"\ncaption = "x"\nsystem = "x"\nholder = "school"\nlag_days = 0\nfreshness_days = 9\n'
    name = 'type = "name"\nitem = "name"\nperson = "subject"\nfield = "name"\n'
    shape = '[file]\npattern = "手当_*.csv"\nformat = "csv"\nencoding = "utf-8"\n'
    layout.write_text(
        top + shape + f'[[columns]]\nname = "児童1氏名"\n{name}[[columns]]\nname = "児童2氏名"\n{name}',
        encoding="utf-8",
    )
    call = ["--home", str(tmp_path / "home"), "--municipality", str(town), "layout", "check", str(layout), str(path)]
    main(call)
    assert "児童1氏名 + 児童2氏名 をつないで読みます" in capsys.readouterr().err
    layout.write_text(
        top + shape + '[record]\nidentity = ["番号", "児童{}氏名"]\n[[columns]]\nname = "番号"\ntype = "identifier"\n'
        f'[[people]]\nfor = ["1", "2"]\n[[people.columns]]\nname = "児童{{}}氏名"\n{name}', encoding="utf-8",
    )  # fmt: skip
    main([*call, "--json"])
    assert '"repeated_records": 0' in capsys.readouterr().out


def test_header_cells_with_line_feeds_and_months_with_their_year(tmp_path):
    rows = [f"{person(at)},H27.4.{at + 1},緑町{at + 1}番地" for at in range(12)]
    path = tmp_path / "名簿.csv"
    path.write_bytes("\r".join(['"児童\n氏名","生年\n月日",住所', *rows, ""]).encode("cp932"))
    _, columns, _ = draft(path)
    assert [c.get("field") for c in columns.values()] == ["name", "born_on", "address"]
    months = ",".join(f"令和7年{month}月" for month in range(4, 10))
    wide = [f"A{at:03d},{person(at)}," + ",".join(str(at % 3) for _ in range(6)) for at in range(12)]
    body, _, _ = draft(written(tmp_path / "欠席.csv", f"学籍番号,氏名,{months}", wide))
    assert body["file"].get("header_rows", 1) == 1 and body["columns"][0]["field"] == "own_number"


def test_headers_in_half_width_kana_and_a_case_told_once_for_its_household(tmp_path):
    rows = [f"{at:06d},ｻﾄｳ ﾚﾝ{chr(0xFF71 + at)},4270{at % 9 + 1}10,{at % 2 + 1},緑町{at + 1}番地" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "x.csv", "ｱﾃﾅﾊﾞﾝｺﾞｳ,ｼﾒｲ,ｾｲﾈﾝｶﾞｯﾋﾟ,ｾｲﾍﾞﾂ,ｼﾞｭｳｼｮ", rows, "cp932"))
    assert [c.get("field") for c in columns.values()] == ["resident_number", "name_kana", "born_on", "sex", "address"]
    members = [f"{f'C{at:03d}' if at % 3 == 0 else ''},{person(at)},昭{50 + at}.4.{at + 1}" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "y.csv", "ケース番号,世帯員氏名,生年月日", members))
    assert columns["ケース番号"]["fill_down"]


def test_children_whose_dates_share_one_header_are_people(tmp_path):
    """児童1, 生年月日, 児童2, 生年月日: the dates are told apart by their place alone."""
    header = "受給者番号,受給者氏名,児童1,生年月日,児童2,生年月日"
    children = [("サトウ レン", "サトウ ユイ"), ("ヒガシ アオイ", "タカハシ ハルト")]
    rows = [
        f"{5000 + at},{person(at)},{children[at % 2][0]}{'アイウエオ'[at % 5]},R3.4.{at % 28 + 1},"
        + (f"{children[at % 2][1]}{'カキクケコ'[at % 5]},R5.6.{at % 28 + 1}" if at % 3 else ",")
        for at in range(60)
    ]
    body, _, _ = draft(written(tmp_path / "手当_R6.csv", header, rows))
    columns = {c["name"]: c for c in body["people"][0]["columns"]}
    assert columns["児童{}"]["person"] == "subject" and columns["児童{}"]["field"] in ("name", "name_kana")
    assert (columns["生年月日"]["occurrence"], columns["生年月日"]["field"]) == ("{}", "born_on")
    assert "生年月日" not in {c["name"] for c in body["columns"]}


def test_absences_of_unknown_reason_are_days_and_count_among_the_absences(tmp_path):
    rows = [f"0{110100 + at},{person(at)},18,{at % 3},{at % 2},{at % 4}" for at in range(40)]
    _, columns, _ = draft(
        written(tmp_path / "出欠_202404.csv", "学籍番号,氏名,出席すべき日数,病欠,事故欠,理由不明", rows)
    )
    assert (columns["理由不明"]["type"], columns["理由不明"]["item"]) == ("integer", "unexplained_absence_days")
    assert columns["欠席日数(計)"]["join"] == ["病欠", "事故欠", "理由不明"]


def test_other_tables_of_a_workbook_are_named_and_may_be_drafted(tmp_path):
    book = tmp_path / "台帳_R6.xlsx"
    visits = [["訪問日", "児氏名", "生年月日"], *([f"R6.5.{at + 1}", person(at), f"R6.4.{at + 1}"] for at in range(12))]
    care = [["決定日", "産婦氏名", "区分"], *([f"R6.7.{at + 1}", person(at), "訪問"] for at in range(9))]
    with xlsxwriter.Workbook(book) as workbook:
        for title, rows in (("訪問", visits), ("産後ケア", care), ("表紙", [["令和6年度"]])):
            sheet = workbook.add_worksheet(title)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    body, columns, text = draft(book)
    assert body["file"]["sheet"] == "訪問" and "(産後ケア)" in text and "児氏名" in columns
    body, columns, text = draft(book, sheet="産後ケア")
    assert body["file"]["sheet"] == "産後ケア" and "(訪問)" in text and "産婦氏名" in columns
    with pytest.raises(DeliveryRefused, match="シート"):
        draft(book, sheet="健診")


def test_month_above_each_sheet_is_no_extraction_date_of_the_book(tmp_path):
    for name, months, is_dated in (("来室_R6.xlsx", (4, 5, 6), False), ("学齢簿_R6.xlsx", (5, 5, 5), True)):
        with xlsxwriter.Workbook(tmp_path / name) as workbook:
            for at, month in enumerate(months):
                sheet = workbook.add_worksheet(f"{at + 1}組")
                sheet.write(0, 0, f"記録 令和6年{month}月1日")
                for row, cells in enumerate(
                    [["氏名", "学年", "主訴"], *([person(n), n % 6 + 1, "頭痛"] for n in range(9))]
                ):
                    sheet.write_row(row + 1, 0, cells)
        body, _, _ = draft(tmp_path / name)
        assert ("extracted_in" in body["file"]) is is_dated


def test_age_in_months_is_an_age(tmp_path):
    rows = [f"{person(at)},{at % 4}歳{at % 12}か月,就労" for at in range(24)]
    _, columns, _ = draft(written(tmp_path / "一時預かり_20250401.csv", "児童名,月齢,理由", rows))
    assert (columns["月齢"]["field"], columns["月齢"]["type"], columns["月齢"].get("ignore")) == ("age", "text", None)


def test_marks_of_several_grades_are_codes(tmp_path):
    rows = [
        f"{7000 + at},{person(at)},東町{at}番地,{'◎○△×'[at % 4]},{'◎○'[at % 2]},{'★' if at % 5 == 0 else ''}"
        for at in range(40)
    ]
    _, columns, _ = draft(written(tmp_path / "様子_20250401.csv", "番号,氏名,住所,友人,表情,給水停止", rows))
    assert (columns["友人"]["type"], set(columns["友人"]["codes"])) == ("code", set("◎○△×"))
    assert columns["表情"]["type"] == "code" and columns["給水停止"]["type"] == "flag"


def test_day_of_a_birth_without_its_year_lies_before_the_day_of_the_check(tmp_path):
    rows = [f"2025/{at % 9 + 2}/1,{person(at)},H{at % 9 + 1}.4.2,{at % 9 + 1}/{at + 1},{at % 5}" for at in range(24)]
    _, columns, _ = draft(written(tmp_path / "産婦健診_R7.csv", "健診日,産婦氏名,生年月日,出産日,合計点", rows))
    assert (columns["出産日"]["field"], columns["出産日"]["year_from"]) == ("child_born_on", "健診日")


def test_children_listed_in_one_cell_are_taken_out_one_by_one(tmp_path):
    rows = [
        f"{5000 + at},{person(at)},S60.4.{at % 28 + 1},{GIVEN[at % 5]}"
        + (f"、{GIVEN[(at + 1) % 5]},H30.4.{at % 28 + 1}・R4.5.{at % 28 + 1}" if at % 3 else f",R2.6.{at % 28 + 1}")
        for at in range(40)
    ]
    body, columns, _ = draft(
        written(tmp_path / "手当_R6.csv", "証書番号,受給者氏名,受給者生年月日,対象児童,児童生年月日", rows)
    )
    assert (columns["対象児童2"]["part_of"], columns["対象児童2"]["person"], columns["対象児童2"]["field"]) == (
        "対象児童",
        "subject",
        "name",
    )
    assert columns["児童生年月日2"]["field"] == "born_on" and "対象児童" not in columns
    assert body["record"]["identity"] == ["年度", "証書番号", "対象児童{n}"]
    cell, dates = "蓮、葵", "H30.4.1・R4.5.1"
    taken = [
        re.search(columns[f"{name}{n}"]["match"], of)
        for name, of in (("対象児童", cell), ("児童生年月日", dates))
        for n in (1, 2)
    ]
    assert [found and found.group(1) for found in taken] == ["蓮", "葵", "H30.4.1", "R4.5.1"]
    assert not re.search(columns["対象児童2"]["match"], "蓮")


def test_cells_of_rows_that_slipped_sideways_are_no_codes(tmp_path):
    rows = [
        f"{person(at)},{'男女'[at % 2]},緑町{at + 1}番地,{('', '知的・情緒')[at % 9 == 0]},{at % 4 + 1},{'準要'[at % 2]}"
        for at in range(120)
    ]
    rows[30] = "五十嵐 湊,,女,緑町31番地,,2"  # a blank typed in before 性別
    rows[40] = ",森下　琴子,女,北町9番地3,知的・情緒,3"
    rows[50] = "東　葵,男,緑町51番地,4,準,"  # one left out
    _, columns, text = draft(written(tmp_path / "学籍.csv", "氏名,性別,住所,特別支援学級,世話をしている,区分", rows))
    assert columns["特別支援学級"]["codes"] == {"知的・情緒": "知的・情緒"}
    assert columns["世話をしている"]["type"] == "integer"
    assert columns["区分"]["codes"] == {"準": "準", "要": "要"}
    assert not any(word in text for word in ("森下", "琴子", "北町", "緑町", "五十嵐"))


def test_numbers_and_names_of_before_and_marks_of_unknown_days_are_not_joined_to_the_rows_own(tmp_path):
    """The standard resident system prints them beside each other."""
    header = "宛名番号,異動事由コード,異動年月日,氏名,旧氏,旧氏_カナ,生年月日,生年月日_不詳フラグ,異動前世帯番号,異動後世帯番号,再転入前宛名番号,医療機関コード"
    rows = [
        f"{at:015d},10,2024-04-{at + 1:02d},{person(at)},,,2015-06-{at + 1:02d},0,,{at + 50:015d},,33110{at + 1:02d}"
        for at in range(12)
    ]
    _, columns, _ = draft(written(tmp_path / "異動.csv", header, rows))
    used = {(c.get("person"), c.get("field")): name for name, c in columns.items() if c.get("field")}
    assert used["subject", "household_number"] == "異動後世帯番号" and used["subject", "born_on"] == "生年月日"
    assert used["subject", "resident_number"] == "宛名番号" and used["subject", "former_name"] == "旧氏"
    assert columns["再転入前宛名番号"]["field"] == "former_number"
    for name in ("異動前世帯番号", "生年月日_不詳フラグ", "旧氏_カナ"):
        assert columns[name]["ignore"]
    assert columns["医療機関コード"]["type"] != "date"


def test_child_who_uses_and_whoever_asks_for_it_are_two_people(tmp_path):
    rows = [f"2025/4/{at + 1},{person(at)},R3.4.{at + 1},{person(at + 1)}" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "預かり.csv", "利用日,利用児氏名,児生年月日,依頼者氏名", rows))
    assert [columns[n]["person"] for n in ("利用児氏名", "児生年月日", "依頼者氏名")] == [
        "subject",
        "subject",
        "guardian",
    ]


def test_reading_beside_the_recipients_name_is_the_recipients(tmp_path):
    rows = [f"{at:04d},{person(at)},サトウ レン,S60.4.{at + 1},{person(at + 1)},R3.4.{at + 1}" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "手当.csv", "証書番号,氏名,フリガナ,生年月日,児童氏名,児童生年月日", rows))
    assert columns["氏名"]["person"] == columns["フリガナ"]["person"] == "guardian"


def test_what_was_asked_of_a_mother_is_hers_though_the_child_is_named(tmp_path):
    rows = [
        f"6-{at:04d},{person(at)},1990/4/{at + 1},{'ベビー' if at % 2 else person(at + 1)},2025/3/{at + 1},2025/4/{at + 1},{at % 9}"
        for at in range(12)
    ]
    _, columns, _ = draft(
        written(tmp_path / "産婦.csv", "母子手帳番号,産婦氏名,産婦生年月日,児氏名,児生年月日,実施日,合計点", rows)
    )
    assert (
        columns["産婦氏名"]["person"]
        == columns["産婦生年月日"]["person"]
        == columns["母子手帳番号"]["person"]
        == "subject"
    )
    assert columns["児生年月日"]["field"] == "child_born_on" and columns["児氏名"]["ignore"]


def test_questionnaire_of_a_mother_is_hers_and_the_number_nobodys(tmp_path):
    """The number may be the child's: as the mother's own it would join the child's check-ups to her."""
    rows = [
        f"K{at:04d},{person(at)},1990/4/{at + 1},{person(at + 1)},2025/3/{at + 1},1か月,2025/4/{at + 1},{at % 9},{at % 4}"
        for at in range(12)
    ]
    head = "健管番号,母氏名,母生年月日,児氏名,児生年月日,実施時期,実施日,合計点,ボンディング"
    body, columns, _ = draft(written(tmp_path / "EPDS_R6.csv", head, rows))
    assert (
        columns["母氏名"]["person"] == columns["母生年月日"]["person"] == columns["児生年月日"]["person"] == "subject"
    )
    assert columns["児生年月日"]["field"] == "child_born_on" and columns["児氏名"]["ignore"]
    assert "person" not in columns["健管番号"] and "健管番号" in body["record"]["identity"]


def test_answers_there_is_and_there_is_none_are_yes_and_no(tmp_path):
    rows = [
        f"{person(at)},1990/4/{at % 28 + 1},{('夫', '実母', '友人')[at % 3]},{('ない', 'ある')[at % 5 == 0]}"
        for at in range(120)
    ]
    rows[7] = "佐藤 蓮,1990/4/8,,夫"
    _, columns, _ = draft(written(tmp_path / "妊娠届.csv", "妊婦氏名,生年月日,相談相手,経済的不安", rows))
    assert columns["経済的不安"]["type"] == "flag"


def test_month_beside_a_fiscal_year_is_the_rows_month(tmp_path):
    rows = [f"2025,{1 + at % 12},{1000 + at},{person(at)},20,{at % 3}" for at in range(24)]
    body, columns, text = draft(written(tmp_path / "出欠月報_202504.csv", "年度,月,学籍番号,氏名,授業日数,病欠", rows))
    assert columns["年月"]["join"] == ["年度", "月"] and columns["年月"]["fiscal"] and "月" not in columns
    assert "年月" in body["record"]["identity"]
    assert '# number = "病欠"\n# valid_from = "年月"\n# valid_to = "month_end"' in text
    day = [f"2025,{1 + at % 12},2025/4/{at + 1},{person(at)}" for at in range(12)]
    _, told, _ = draft(written(tmp_path / "来室_2025.csv", "年度,月,来室日,氏名", day))
    assert "年月" not in told


def test_birth_and_sex_of_the_child_beside_the_mother_are_not_hers(tmp_path):
    rows = [f"R7-{at:04d},{person(at)},未定,2025/4/{at + 1},{'男女'[at % 2]},{at % 9}" for at in range(12)]
    _, columns, _ = draft(written(tmp_path / "産婦健診.csv", "届番号,母氏名,児,児生年月日,児性別,EPDS1か月", rows))
    assert (columns["児生年月日"]["person"], columns["児生年月日"]["field"]) == ("subject", "child_born_on")
    assert columns["母氏名"]["person"] == "subject" and columns["児性別"]["ignore"]


def test_facts_of_a_file_of_contract_holders_are_theirs(tmp_path):
    rows = [f"{7000 + at:07d},ｻﾄｳ ﾚﾝ,東町{at + 1}-1,{20 + at},{30 + at},{40 + at}" for at in range(12)]
    _, _, months = draft(
        written(tmp_path / "給水台帳_R6.csv", "水栓番号,使用者カナ,使用場所,5月水量,7月水量,9月水量", rows)
    )
    assert '# person = "holder"\n# number = "{}月水量"' in months
    rows = [f"{7000 + at:07d},ｻﾄｳ ﾚﾝ,東町{at + 1}-1,2025/4/{at + 1},{at % 3}" for at in range(12)]
    _, _, days = draft(written(tmp_path / "未納.csv", "水栓番号,使用者カナ,使用場所,検針日,未納回数", rows))
    assert '# person = "holder"\n# number = "未納回数"' in days

"""Two tables on one sheet, above another or side by side, and tables on their side: read where they can be, told where not."""

from __future__ import annotations

import datetime as dt

import pytest
from test_dated_columns import NUMBER
from test_draft_of_offices import draft, person
from test_layout_forms import BIRTH, NAME, TOP, column, file, names, read, workbook

from kodomo.errors import DeliveryRefused
from kodomo.intake.layout import read_layout
from kodomo.intake.several_tables import tables_one_above_another, tables_side_by_side

HEAD = ["番号", "児童氏名", "生年月日"]
ROSTER = NUMBER + NAME.replace("氏名", "児童氏名") + BIRTH


def rows(count, start=0):
    return [[str(7000 + at), person(at), f"H30.4.{at + 1}"] for at in range(start, start + count)]


def as_csv(lines):
    return "".join(",".join(line) + "\n" for line in lines).encode()


# One above another ------------------------------------------------------------------------------


def test_rows_of_a_second_table_are_never_read_under_the_first_tables_header(tmp_path):
    first = [[*row, "R7.4.1"] for row in rows(3)]
    second = [[*row, "R8.1.10"] for row in rows(2, 5)]
    lines = [[*HEAD, "利用開始日"], *first, ["", "", "", ""], ["待機児童一覧", "", "", ""], [*HEAD, "申込日"], *second]
    layout = file() + ROSTER + '[[columns]]\nname = "利用開始日"\ntype = "date"\nitem = "start"\n'
    layout += '[[facts]]\nitem = "start"\nvalid_from = "利用開始日"\n'
    found = read(tmp_path, layout, as_csv(lines))
    assert len(names(found)) == 4 and len(found.landing.facts) == 3
    assert [(row, code) for row, _, code in found.quarantined] == [(6, "R-20"), (7, "R-20"), (8, "R-20")]


def test_header_printed_anew_for_each_class_is_no_other_table(tmp_path):
    lines = [HEAD, *rows(2), ["2組", "", ""], HEAD, *rows(2, 2), ["番号", "児童氏名", "生年月日"], *rows(1, 4)]
    found = read(tmp_path, file(junk="^\\d+組$") + ROSTER, as_csv(lines))
    assert len(names(found)) == 5 and not found.quarantined


def test_draft_of_two_tables_takes_the_longer_and_says_so(tmp_path):
    path = workbook(tmp_path / "学童_20260401.xlsx", {"S": [
        ["学童 利用者一覧", "", "令和8年4月1日現在"], [*HEAD, "利用開始日"], *[[*row, "R7.4.1"] for row in rows(12)],
        [], ["待機児童一覧"], [*HEAD, "申込日", "希望施設"], *[[*row, "R8.1.10", "第一"] for row in rows(6, 12)],
    ]})  # fmt: skip
    body, columns, text = draft(path)
    assert "2 行目から、17 行目から" in text and "別のファイルに分けて" in text
    assert body["file"]["skip_top"] == 1 and "利用開始日" in columns and "申込日" not in columns
    assert "データの行は 12 行" in text


def test_draft_of_classes_below_each_other_passes_over_their_titles(tmp_path):
    lines = [line for c in range(3) for line in ([f"{c + 1}組", "", ""], HEAD, *rows(6, 6 * c), ["", "", ""])]
    path = tmp_path / "名簿_20260401.csv"
    path.write_bytes(as_csv(lines))
    body, _, text = draft(path)
    assert body["file"]["junk"] == "^\\d+組$" and "!!" not in text and "データの行は 18 行" in text


def test_lines_above_a_table_are_no_table():
    assert tables_one_above_another([["学校名", "第一小学校", ""], ["学年", "1年", ""], [], HEAD, *rows(5)]) == []


# Side by side -----------------------------------------------------------------------------------


def test_like_tables_side_by_side_are_drafted_as_people_and_read(tmp_path):
    pairs = zip(rows(8), rows(8, 8), strict=True)
    path = workbook(tmp_path / "名簿_20260401.xlsx", {"S": [[*HEAD, "", *HEAD], *[[*a, "", *b] for a, b in pairs]]})
    body, _, text = draft(path)
    assert (body["people"][0]["for"], body["record"]["identity"]) == ([1, 2], ["番号#{}"])
    kept = text[text.index("[file]") :]
    (tmp_path / "l.toml").write_text(TOP + kept, encoding="utf-8")
    assert read_layout(tmp_path / "l.toml").groups == (0, 1)
    found = read(tmp_path, kept, path, path.name)
    assert sorted(names(found)) == sorted(person(at) for at in range(16))


def test_unlike_tables_side_by_side_are_told(tmp_path):
    right = ["受付番号", "児童氏名", "申込日"]
    path = workbook(
        tmp_path / "学童_20260401.xlsx", {"S": [[*HEAD, "", *right], *[[*row, "", *row] for row in rows(8)]]}
    )
    body, columns, text = draft(path)
    assert "左から 1 列目から、左から 5 列目から" in text and list(columns) == HEAD and "people" not in body


def test_columns_parted_by_an_empty_one_are_one_table_where_only_one_part_tells_who():
    assert tables_side_by_side([*HEAD, "", "欠席", "遅刻"], [["1", "森 葵", "H30.1.1", "", "1", "2"]]) is None


# On its side ------------------------------------------------------------------------------------

SIDE = [
    ["個人票", "", "", ""],
    ["児童氏名", "山田 蓮", "森 葵", ""],
    ["番号", "1", "2", ""],
    ["生年月日", "H30.4.1", "H30.4.2", ""],
]


@pytest.mark.parametrize("is_sheet", [False, True])
def test_table_on_its_side_is_read_person_by_person(tmp_path, is_sheet):
    layout = file(transposed=True, skip_top=1, **({"format": "xlsx"} if is_sheet else {})) + ROSTER
    layout = layout.replace('encoding = "utf-8"\n', "") if is_sheet else layout
    content = workbook(tmp_path / "0.xlsx", {"S": SIDE}) if is_sheet else as_csv(SIDE)
    found = read(tmp_path, layout, content, "名簿_20260401.xlsx")
    assert names(found) == ["山田 蓮", "森 葵"] and column(found, "born_on") == ["2018-04-01", "2018-04-02"]


def test_table_on_its_side_is_drafted(tmp_path):
    lines = [
        ["個人票"],
        *([label, *(row[at] for row in rows(9))] for at, label in enumerate(HEAD)),
        ["学年", *"123456123"],
    ]
    path = workbook(tmp_path / "個人票_20260401.xlsx", {"S": lines})
    body, columns, text = draft(path)
    assert (body["file"]["transposed"], body["file"]["skip_top"]) == (True, 1)
    assert list(columns) == [*HEAD, "学年"] and person(0) not in text
    reading = read(tmp_path, text[text.index("[file]") :], path, path.name)
    assert len(names(reading)) == 9


def test_far_too_wide_a_table_on_its_side_is_refused(tmp_path):
    with pytest.raises(DeliveryRefused):
        read(tmp_path, file(transposed=True) + ROSTER, b"a,b\n" * 3000)


def test_broken_quotes_of_a_table_on_its_side_are_refused_in_words(tmp_path):
    with pytest.raises(DeliveryRefused, match="引用符"):
        read(tmp_path, file(transposed=True) + ROSTER, '"児童氏名,"a"b,c\n番号,1\n'.encode())


def test_dates_stay_dates_when_a_sheet_is_turned(tmp_path):
    path = workbook(tmp_path / "0.xlsx", {"S": [["児童氏名", "山田"], ["番号", 12], ["生年月日", dt.date(2018, 4, 1)]]})
    layout = (file(format="xlsx", transposed=True) + ROSTER).replace('encoding = "utf-8"\n', "")
    assert column(read(tmp_path, layout, path, "名簿.xlsx"), "born_on") == ["2018-04-01"]


def test_names_merged_downwards_beside_a_group_belong_to_the_header(tmp_path):
    months = ["4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月", "1月", "2月", "3月"]
    body_rows = [["中央小", "2", f"森 一{n}", "ﾓﾘ", "4500", *[""] * 10, "4500"] for n in "朗郎介彦太"]
    path = workbook(tmp_path / "給食費_R6.xlsx", {"S": [
        ["令和6年度 未納一覧"], ["学校", "年", "保護者氏名", "カナ", "未納額", *[""] * 11], ["", "", "", "", *months], *body_rows,
    ]})  # fmt: skip
    body, columns, text = draft(path)
    assert body["file"]["header_rows"] == 2 and "!!" not in text
    assert columns["保護者氏名"]["field"] == "name" and columns["カナ"]["field"] == "name_kana"


def test_two_rows_of_one_header_are_no_two_tables():
    above = ["", "", "園児", "", "保護者", "認定"]
    assert (
        tables_one_above_another([["第一保育所"], above, ["№", "児童番号", "氏名", "生年月日", "", ""], *rows(9)]) == []
    )

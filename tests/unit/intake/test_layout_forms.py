"""Files laid out in every way municipal systems print them can be described by a layout and read."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from town import AT

from kodomo.configuration import read_municipality
from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.intake import layout_keys
from kodomo.intake.layout import Layout, fits_name, read_layout
from kodomo.intake.limits import LIMITS
from kodomo.intake.read import Job, Reading, read_extract
from kodomo.intake.receive import receive
from kodomo.vault.database import open_vault
from kodomo.vault.records import MENTION_FIELDS, PEOPLE_STEP, landed_facts, landed_mentions, place_of

TOP = """
source = "club"
caption = "名簿"
system = "表"
holder = "school"
lag_days = 0
freshness_days = 45
"""
NAME = '[[columns]]\nname = "氏名"\ntype = "name"\nitem = "name"\nperson = "subject"\nfield = "name"\n'
BIRTH = '[[columns]]\nname = "生年月日"\ntype = "date"\nitem = "birth"\nperson = "subject"\nfield = "born_on"\n'


def layout_of(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "club.toml"
    path.write_text(TOP + text, encoding="utf-8")
    return read_layout(path)


def read(tmp_path: Path, text: str, content: bytes | Path, name: str = "名簿_20260401.csv") -> Reading:
    layout = layout_of(tmp_path, text)
    path = content if isinstance(content, Path) else tmp_path / "0.in"
    if isinstance(content, bytes):
        path.write_bytes(content)
    columns = frozenset(c.reference for c in layout.columns if not c.ignore)
    rules = frozenset(range(len(layout.facts)))
    return read_extract(Job(path, name, layout, columns, rules, b"k" * 32, dt.date(2026, 4, 1), LIMITS))


def file(**keys: Any) -> str:
    keys = {"pattern": "名簿*", "format": "csv", "encoding": "utf-8", **keys}
    body = "\n".join(f"{k} = {toml(v)}" for k, v in keys.items())
    return f"[file]\n{body}\n"


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return (
        str(value) if isinstance(value, int) else f"'{value}'" if "\\" in value else f'"{value}"'.replace("\t", "\\t")
    )


def names(reading: Reading) -> list[str | None]:
    return reading.landing.mentions["name"].to_pylist()


def column(reading: Reading, name: str) -> list[Any]:
    return reading.landing.mentions[name].to_pylist()


def facts(reading: Reading) -> list[tuple[Any, ...]]:
    rows = reading.landing.facts.to_pylist()
    return [(f["row"], f["item"], f["number"], f["code"], str(f["valid_from"]), str(f["valid_to"])) for f in rows]


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "yyyy/mm/dd"})
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, dt.date):
                    sheet.write_datetime(r, c, dt.datetime.combine(value, dt.time()), day)
                else:
                    sheet.write(r, c, value)
    book.close()
    return path


# Delimiters, encodings, headers -----------------------------------------------------------------


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ",", "^"])
def test_any_delimiter_reads(tmp_path, delimiter):
    body = f"氏名{delimiter}生年月日\n山田{delimiter}R5.4.1\n".encode()
    found = read(tmp_path, file(delimiter=delimiter) + NAME + BIRTH, body)
    assert (names(found), column(found, "born_on")) == (["山田"], ["2023-04-01"])


def test_file_without_quotes_keeps_its_quotation_marks(tmp_path):
    body = '氏名|生年月日\n"山田|R5.4.1\n'.encode()
    assert names(read(tmp_path, file(delimiter="|", quote="") + NAME + BIRTH, body)) == ['"山田']


@pytest.mark.parametrize(("encoding", "python"), [
    ("cp932", "cp932"), ("Shift_JIS", "cp932"), ("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("UTF-16", "utf-16"),
    ("utf-16-le", "utf-16-le"), ("UTF16BE", "utf-16-be"), ("iso-2022-jp", "iso-2022-jp"), ("EUC-JP", "euc_jp"),
])  # fmt: skip
def test_every_encoding_gives_the_same_characters(tmp_path, encoding, python):
    text = "氏名,生年月日\n山田 花子ー,令和5年4月1日\n齋藤ﾊﾅ,R5.4.2\n"
    text = text if python not in ("iso-2022-jp",) else text.replace("ﾊﾅ", "ハナ")
    found = read(tmp_path, file(encoding=encoding) + NAME + BIRTH, text.encode(python))
    assert names(found)[0] == "山田 花子ー" and len(names(found)) == 2


def test_euc_reads_vendor_characters_and_says_where_it_is_damaged(tmp_path):
    body = "氏名,生年月日\n".encode("euc_jp") + b"\xad\xa1\xbb\xb3,R5.4.1\n\xff\xfe,R5.4.1\n\x8f\xb0\xa1,R5.4.1\n"
    found = read(tmp_path, file(encoding="euc-jp") + NAME + BIRTH, body)
    assert names(found) == ["①山", "丂"] and [(r, c) for r, _, c in found.quarantined] == [(2, "R-01")]


def test_wave_dash_is_one_character_whatever_the_encoding(tmp_path):
    cp932 = read(tmp_path, file(encoding="cp932") + NAME, "氏名\n～山\n".encode("cp932"))
    euc = read(tmp_path, file(encoding="euc-jp") + NAME, "氏名\n".encode("euc_jp") + b"\xa1\xc1\xbb\xb3\n")
    assert names(cp932) == names(euc)


def test_file_without_header_reads_in_the_order_declared(tmp_path):
    found = read(tmp_path, file(header_rows=0) + NAME + BIRTH, "山田,R5.4.1\n佐藤,R5.4.2\n".encode())
    assert names(found) == ["山田", "佐藤"] and found.rows_read == 2 and found.unexpected == []


def test_columns_can_be_named_by_position(tmp_path):
    text = file(header_rows=0) + NAME.replace("[[columns]]", "[[columns]]\nposition = 3")
    found = read(tmp_path, text + BIRTH.replace("[[columns]]", "[[columns]]\nposition = 1"), "R5.4.1,x,山田\n".encode())
    assert (names(found), column(found, "born_on")) == (["山田"], ["2023-04-01"])
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, text, b"R5.4.1,x\n")
    assert refusal.value.details["code"] == "missing_column"


def test_header_of_several_rows_with_merged_cells(tmp_path):
    body = "出欠表\n氏名,1学期,,2学期,,生年月日\n,欠席,遅刻,欠席,遅刻,\n山田,1,2,3,4,R5.4.1\n".encode()
    text = file(skip_top=1, header_rows=2) + NAME + BIRTH
    text += '[[columns]]\nname = "2学期/欠席"\ntype = "integer"\n'
    text += '[[facts]]\nitem = "absence_days"\nnumber = "2学期/欠席"\nvalid_from = "生年月日"\n'
    found = read(tmp_path, text, body)
    assert names(found) == ["山田"] and facts(found)[0][2] == 3.0
    assert found.unexpected == ["1学期/欠席", "1学期/遅刻", "2学期/遅刻"]


def test_lowest_header_row_alone_names_a_column_where_that_is_clear(tmp_path):
    body = "基本情報,,欠席\n氏名,生年月日,病欠\n山田,R5.4.1,3\n".encode()
    assert names(read(tmp_path, file(header_rows=2) + NAME + BIRTH, body)) == ["山田"]


def test_header_repeated_over_pages_is_no_row_though_it_has_two_rows(tmp_path):
    head = "基本,\n氏名,生年月日\n"
    body = f"{head}山田,R5.4.1\n{head}佐藤,R5.4.2\n".encode()
    found = read(tmp_path, file(header_rows=2) + NAME + BIRTH, body)
    assert names(found) == ["山田", "佐藤"] and found.landing.rows["row"].to_pylist() == [1, 4]
    assert [place_of(row, found.spans) for row in (1, 4)] == [("", 3), ("", 6)]


def test_header_is_searched_for_where_its_place_changes(tmp_path):
    text = file(find_header=True) + NAME + BIRTH
    for top in ("", "一覧\n", "一覧\n\n出力日,令和8年4月1日\n氏名の順,\n"):
        assert names(read(tmp_path, text, f"{top}氏名,生年月日\n山田,R5.4.1\n".encode())) == ["山田"]
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, text, "氏名,年齢\n山田,3\n".encode())
    assert refusal.value.details["code"] == "no_header"


def test_rows_below_the_header_can_be_left_out(tmp_path):
    found = read(tmp_path, file(skip_below=2) + NAME, "氏名\n(全角)\n----\n山田\n".encode())
    assert names(found) == ["山田"] and found.landing.rows["row"].to_pylist() == [1]
    assert place_of(1, found.spans) == ("", 4)


@pytest.mark.parametrize("printed", ["氏名", "児童氏名", "氏 名(漢字)"])
def test_column_is_found_by_any_of_its_names(tmp_path, printed):
    text = file() + NAME.replace('type = "name"', 'type = "name"\nalso = ["児童氏名", "氏名(漢字)"]')
    assert names(read(tmp_path, text, f"{printed}\n山田\n".encode())) == ["山田"]


def test_column_that_may_be_missing_is_blank_then(tmp_path):
    text = file() + NAME + BIRTH.replace('type = "date"', 'type = "date"\noptional = true')
    assert column(read(tmp_path, text, "氏名\n山田\n".encode()), "born_on") == [None]
    assert column(read(tmp_path, text, "氏名,生年月日\n山田,R5.4.1\n".encode()), "born_on") == ["2023-04-01"]


# Rows that are no rows --------------------------------------------------------------------------


def test_junk_and_totals_in_the_middle_are_passed_over_and_counted(tmp_path):
    text = file(junk="^(小計|-+$|※)", footer="^合計") + NAME + BIRTH
    body = "氏名,生年月日\n山田,R5.4.1\n小計,1\n-----\n\n佐藤,R5.4.2\n,※ 続く\n鈴木,R5.4.3\n合計,3\n".encode()
    found = read(tmp_path, text, body)
    assert names(found) == ["山田", "佐藤", "鈴木"] and found.quarantined == [] and found.blank_rows == 3


def test_columns_are_counted_on_the_first_row_that_is_no_junk(tmp_path):
    text = file(header_rows=0, junk="^[HT]$") + (NAME + BIRTH).replace('"氏名"', '"氏名"\nposition = 2').replace(
        '"生年月日"', '"生年月日"\nposition = 3'
    )
    found = read(tmp_path, text, "H,1\nD,山田,R5.4.1\nD,佐藤,R5.4.2\nT,2\n".encode())
    assert names(found) == ["山田", "佐藤"] and found.quarantined == []


def test_footer_whose_label_is_not_in_the_first_cell(tmp_path):
    found = read(tmp_path, file(footer="^合計") + NAME + BIRTH, "氏名,生年月日\n山田,R5.4.1\n,合計 1\n".encode())
    assert names(found) == ["山田"] and found.quarantined == [] and found.notes == []


def test_short_rows_are_filled_where_the_layout_says_so(tmp_path):
    body = "氏名,生年月日,備考\n山田,R5.4.1\n佐藤\n鈴木,R5.4.2,x\n".encode()
    assert len(read(tmp_path, file() + NAME + BIRTH, body).quarantined) == 2
    found = read(tmp_path, file(short_rows=True) + NAME + BIRTH, body)
    assert names(found) == ["山田", "佐藤", "鈴木"] and found.quarantined == []
    with_footer = read(tmp_path, file(short_rows=True, footer="^計") + NAME + BIRTH, body + "計,3\n".encode())
    assert names(with_footer) == ["山田", "佐藤", "鈴木"]


CLASS = '[[columns]]\nname = "削除区分"\ntype = "code"\ncodes = { "1" = "削除", "0" = "有効" }\nblank = "有効"\n'


def test_rows_are_left_out_by_a_condition_and_counted(tmp_path):
    body = "氏名,削除区分,生年月日\n山田,1,だめ\n佐藤,0,R5.4.2\n鈴木,,R5.4.3\n田中,9,R5.4.4\n".encode()
    text = file() + "[record]\n{}\n" + NAME + BIRTH + CLASS
    skipped = read(tmp_path, text.replace("{}", 'skip_when = { "削除区分" = ["削除"] }'), body)
    only = read(tmp_path, text.replace("{}", 'only_when = { "削除区分" = ["有効"] }'), body)
    for found in (skipped, only):
        assert names(found) == ["佐藤", "鈴木"] and found.rows_skipped == 1 and found.rows_read == 4
        assert found.quarantined == [(4, "削除区分", "R-08")]


def test_row_that_withdraws_an_earlier_one_takes_its_facts_back(tmp_path, town, home):
    text = file() + '[record]\nidentity = ["会員番号", "年月"]\nwithdraw_when = { "削除区分" = ["削除"] }\n' + CLASS
    text += '[[columns]]\nname = "会員番号"\ntype = "identifier"\nitem = "pupil_number"\nperson = "subject"\nfield = "own_number"\n'
    text += '[[columns]]\nname = "年月"\ntype = "month"\n[[columns]]\nname = "欠席"\ntype = "integer"\n'
    text += '[[facts]]\nitem = "absence_days"\nnumber = "欠席"\nvalid_from = "年月"\nvalid_to = "month_end"\n'
    (town / "sources" / "club.toml").write_text(TOP + text, encoding="utf-8")
    inbox = tmp_path / "in"
    inbox.mkdir()

    def deliver(month: str, *rows: str) -> dict[str, Any]:
        path = inbox / f"名簿_2026{month}01.csv"
        path.write_text("会員番号,年月,欠席,削除区分\n" + "\n".join(rows) + "\n", encoding="utf-8")
        return receive([path], home=home, municipality=read_municipality(town), by="t", at=AT)

    def standing() -> list[float]:
        facts = landed_facts(home, open_vault(home)).to_pylist()
        return sorted(f["number"] for f in facts if f["known_to"] is None)

    deliver("04", "A1,2026-03,3,0", "A2,2026-03,5,0")
    assert standing() == [3.0, 5.0]
    told = deliver("05", "A1,2026-03,3,1")
    assert standing() == [5.0] and told["deliveries"][0]["rows_withdrawn"] == 1 and told["rows_corrected"] == 1
    deliver("06", "A1,2026-03,4,0")
    assert standing() == [4.0, 5.0]
    assert landed_mentions(home, open_vault(home)).num_rows == 3


# Values ------------------------------------------------------------------------------------------


def one(tmp_path: Path, kind: str, printed: str, more: str = "", field: str = "own_number") -> Any:
    text = (
        file()
        + f'[[columns]]\nname = "値"\ntype = "{kind}"\nitem = "x"\nperson = "subject"\nfield = "{field}"\n{more}\n'
    )
    text += '[[columns]]\nname = "印"\ntype = "text"\n'
    found = read(tmp_path, text, f'値,印\n"{printed}",x\nR5.4.1,y\n1,y\n'.encode())
    first = [q for q in found.quarantined if q[0] == 1]
    return first[0][2] if first else column(found, field)[0]


def test_lost_leading_zeros_are_put_back(tmp_path):
    assert one(tmp_path, "identifier", "1234", "digits = 10") == "0000001234"
    assert one(tmp_path, "identifier", "１２３４", "digits = 10") == "0000001234"
    assert one(tmp_path, "identifier", "A-12", "digits = 10") == "A-12"


@pytest.mark.parametrize(("printed", "more", "kept"), [
    ("1", '{ "1" = "有" }', "有"), ("9", '{ "1" = "有" }\nother = "その他"', "その他"), ("9", '{ "1" = "有" }\nother = ""', None),
    ("9", '{ "1" = "有" }', "R-08"), ("", '{ "1" = "有" }\nblank = "無"', "無"), ("", '{ "1" = "有", "" = "無" }', "無"),
    ("", '{ "1" = "有" }', None), ("不明", '{ "1" = "有" }\nunknown = ["不明"]', None),
])  # fmt: skip
def test_code_tables_have_a_default_and_a_meaning_for_blanks(tmp_path, printed, more, kept):
    assert one(tmp_path, "code", printed, f"codes = {more}") == kept


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ("M", "男"),
        ("f", "女"),
        ("1", "男"),
        ("２", "女"),
        ("女子", "女"),
        ("男児", "男"),
        ("女の子", "女"),
        ("おとこの子", "男"),
    ],
)
def test_sex_is_read_in_every_code(tmp_path, printed, kept):
    assert one(tmp_path, "sex", printed, field="sex") == kept


@pytest.mark.parametrize(("printed", "more", "kept"), [
    ("1,234", "", "1234"), ("１，２３４", "", "1234"), ("△5", "", "-5"), ("(1,234)", "", "-1234"), ("3200 g", 'unit = ["g"]', "3200"),
    ("5週", "", "5"), ("12,5", "", "125"), ("1.50", "", "1.5"), ("3200g", "", "R-06"),
])  # fmt: skip
def test_numbers_with_separators_and_units(tmp_path, printed, more, kept):
    assert one(tmp_path, "decimal", printed, more, "age") == kept


@pytest.mark.parametrize(("printed", "more", "kept"), [
    ("R5.4.1", "", "2023-04-01"), ("令和5年4月1日", "", "2023-04-01"), ("5050401", "", "2023-04-01"), ("20230401", "", "2023-04-01"),
    ("2023/4/1", "", "2023-04-01"), ("45017", "", "2023-04-01"), ("45017.5", "", "2023-04-01"), ("050401", 'era = "令和"', "2023-04-01"),
    ("050401", "", "R-12"), ("23/04/01", "century = 20", "2023-04-01"), ("980401", "century = 19", "1998-04-01"),
    ("令和元年5月1日", "", "2019-05-01"), ("2023年4月1日(土)", "", "2023-04-01"), ("2023-04-01T00:00:00", "", "2023-04-01"),
])  # fmt: skip
def test_birth_dates_in_any_notation(tmp_path, printed, more, kept):
    assert one(tmp_path, "date", printed, more, "born_on") == kept


@pytest.mark.parametrize(("parts", "kept"), [
    (["5", "5", "4", "1"], "2023-04-01"), (["05", "05", "04", "01"], "2023-04-01"), (["令和", "5", "4", "1"], "2023-04-01"),
    (["R", "5年", "4月", "1日"], "2023-04-01"), (["平成", "元", "1", "8"], "1989-01-08"), (["S", "64", "1", "7"], "1989-01-07"),
    (["", "2023", "4", "1"], "2023-04-01"), (["", "", "", ""], None), (["4", "30", "2", "30"], "R-04"),
    (["3", "20", "5", "99"], "1945-05"),
])  # fmt: skip
def test_birth_date_in_four_columns(tmp_path, parts, kept):
    text = file() + NAME + BIRTH.replace("[[columns]]", '[[columns]]\njoin = ["元号", "年", "月", "日"]')
    found = read(tmp_path, text, f"氏名,元号,年,月,日\n山田,{','.join(parts)}\n佐藤,R,5,4,1\n".encode())
    assert (found.quarantined[0][2] if found.quarantined else column(found, "born_on")[0]) == kept
    assert found.unexpected == []


@pytest.mark.parametrize(("head", "row", "join", "kept"), [
    ("年,月,日", "2023,4,1", '["年", "月", "日"]', "2023-04-01"), ("年,月,日", "R5,4,1", '["年", "月", "日"]', "2023-04-01"),
    ("元号,日付", "5,050401", '["元号", "日付"]', "2023-04-01"), ("元号,日付", "令和,050401", '["元号", "日付"]', "2023-04-01"),
])  # fmt: skip
def test_birth_date_in_two_or_three_columns(tmp_path, head, row, join, kept):
    text = file() + NAME + BIRTH.replace("[[columns]]", f"[[columns]]\njoin = {join}")
    assert column(read(tmp_path, text, f"氏名,{head}\n山田,{row}\n".encode()), "born_on") == [kept]


def test_joined_columns_of_a_file_without_header_go_by_position(tmp_path):
    text = file(header_rows=0) + NAME.replace("[[columns]]", "[[columns]]\njoin = [1, 2]\nbetween = '　'")
    found = read(
        tmp_path, text + BIRTH.replace("[[columns]]", "[[columns]]\nposition = 3"), "山田,花子,R5.4.1\n".encode()
    )
    assert names(found) == ["山田　花子"]


def test_family_and_given_names_kana_and_address_in_several_columns(tmp_path):
    head = ["姓", "名", "セイ", "メイ", "都道府県", "市区町村", "町名", "丁目", "番地"]
    part = '[[columns]]\nname = "{}"\ntype = "{}"\nitem = "x"\nperson = "subject"\nfield = "{}"\n'
    kinds = ["name"] * 2 + ["kana"] * 2 + ["address"] * 5
    fields = ["name"] * 2 + ["name_kana"] * 2 + ["address"] * 5
    columns = [part.format(*entry) for entry in zip(head, kinds, fields, strict=True)]
    columns[7] += 'after = "丁目"\n'
    columns[8] += 'after = "番"\n'
    body = ",".join(head) + "\n山田,花子,ヤマダ,ハナコ,架空県,ひなた市,南町,2,3\n佐藤,,サトウ,,,,北町,,\n"
    found = read(tmp_path, file() + "".join(columns), body.encode())
    assert names(found) == ["山田　花子", "佐藤"] and column(found, "name_kana") == ["ヤマダ　ハナコ", "サトウ"]
    assert column(found, "address") == ["架空県ひなた市南町2丁目3番", "北町"]


def test_cells_merged_downwards_and_ditto_marks_are_filled(tmp_path):
    text = file() + NAME + '[[columns]]\nname = "世帯番号"\ntype = "identifier"\nitem = "x"\nperson = "subject"\n'
    text += 'field = "household_number"\nfill_down = true\n'
    found = read(tmp_path, text, "世帯番号,氏名\n11,山田\n,花子\n〃,太郎\n12,佐藤\n".encode())
    assert column(found, "household_number") == ["11", "11", "11", "12"]


def test_value_found_in_the_file_name_above_the_header_or_fixed(tmp_path):
    text = file(skip_top=2) + NAME
    text += '[[columns]]\nname = "学校"\ntype = "text"\nitem = "x"\nperson = "subject"\nfield = "school"\nfound_in = "above"\nmatch = \'学校名[::]\\s*(\\S+?)(?:,|$)\'\n'
    text += '[[columns]]\nname = "年月"\ntype = "month"\nfound_in = "file_name"\nmatch = \'_(\\d{6})\'\n'
    text += '[[columns]]\nname = "印"\ntype = "code"\nvalue = "在籍"\ncodes = { "在籍" = "在籍" }\n'
    text += '[[facts]]\nitem = "enrolled"\ncode = "印"\nvalid_from = "年月"\nvalid_to = "month_end"\n'
    found = read(tmp_path, text, "名簿,\n学校名: 南小,\n氏名,x\n山田,1\n".encode(), "名簿_202604.csv")
    assert column(found, "school") == ["南小"]
    assert facts(found) == [(1, "enrolled", None, "在籍", "2026-04-01", "2026-05-01")]
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, text, "名簿,\n氏名,x\n山田,1\n".encode(), "名簿_新.csv")
    assert "年月" in refusal.value.where


# Wide tables, fiscal years, several people --------------------------------------------------------


def test_wide_monthly_columns_make_one_fact_for_each_month(tmp_path):
    months = '["4", "5", "6", "7", "8", "9", "10", "11", "12", "1", "2", "3"]'
    text = file() + NAME + '[[columns]]\nname = "年度"\ntype = "fiscal_year"\n'
    text += (
        f'[[repeat]]\nfor = {months}\ncolumns = [{{ name = "{{}}月", type = "integer", minimum = 0, maximum = 31 }}]\n'
    )
    text += 'facts = [{ item = "absence_days", number = "{}月", valid_from = "年度", month = "{}", valid_to = "month_end" }]\n'
    head = "氏名,年度," + ",".join(f"{m}月" for m in (*range(4, 13), 1, 2, 3))
    found = read(tmp_path, text, f"{head}\n山田,令和7年度,0,1,,,,,,,,3,,2\n佐藤,2025,40,,,,,,,,,,,\n".encode())
    assert [(f[2], f[4], f[5]) for f in facts(found)] == [
        (0.0, "2025-04-01", "2025-05-01"), (1.0, "2025-05-01", "2025-06-01"), (3.0, "2026-01-01", "2026-02-01"),
        (2.0, "2026-03-01", "2026-04-01"),
    ]  # fmt: skip
    assert found.quarantined == [(2, "4月", "R-07")]
    assert {str(f["known_from"]) for f in found.landing.facts.to_pylist()} >= {"2025-04-30", "2026-03-31"}


@pytest.mark.parametrize(("printed", "kept"), [
    ("2025", "2025-04-01"), ("令和7年度", "2025-04-01"), ("R7", "2025-04-01"), ("R07年度", "2025-04-01"), ("令和元年度", "2019-04-01"),
    ("507", "2025-04-01"), ("２０２５年", "2025-04-01"), ("7", "R-04"), ("年度", "R-04"),
])  # fmt: skip
def test_fiscal_year_in_every_notation_lasts_from_april_to_march(tmp_path, printed, kept):
    text = file() + NAME + '[[columns]]\nname = "年度"\ntype = "fiscal_year"\n'
    text += '[[facts]]\nitem = "enrolled"\nvalid_from = "年度"\nvalid_to = "year_end"\n'
    found = read(tmp_path, text, f"氏名,年度\n山田,{printed}\n佐藤,2024\n".encode())
    if kept.startswith("R-"):
        assert found.quarantined == [(1, "年度", kept)]
    else:
        assert facts(found)[0][4:] == (kept, f"{int(kept[:4]) + 1}-04-01")


def test_month_of_a_fiscal_year_belongs_to_the_next_calendar_year(tmp_path):
    text = file() + NAME + '[[columns]]\nname = "年月"\ntype = "month"\njoin = ["年度", "月"]\nfiscal = true\n'
    text += '[[facts]]\nitem = "enrolled"\nvalid_from = "年月"\nvalid_to = "month_end"\n'
    found = read(tmp_path, text, "氏名,年度,月\n山田,2025,4\n山田,2025,3\n山田,令和7,1月\n".encode())
    assert [f[4] for f in facts(found)] == ["2025-04-01", "2026-03-01", "2026-01-01"]


PEOPLE = """
[[columns]]
name = "世帯番号"
type = "identifier"
item = "x"
person = "guardian"
field = "household_number"
[[columns]]
name = "保護者"
type = "name"
item = "name"
person = "guardian"
field = "name"
[[columns]]
name = "登録日"
type = "date"
[[people]]
for = ["1", "2", "3"]
columns = [
  { name = "児童{}番号", type = "identifier", item = "x", person = "subject", field = "own_number" },
  { name = "児童{}氏名", type = "name", item = "name", person = "subject", field = "name", required = true },
  { name = "児童{}区分", type = "code", codes = { "1" = "小", "2" = "中" } },
]
facts = [{ item = "school_kind", code = "児童{}区分", valid_from = "登録日" }]
[[facts]]
item = "enrolled"
valid_from = "登録日"
[[facts]]
item = "guardian_enrolled"
person = "guardian"
valid_from = "登録日"
"""
PEOPLE_HEAD = "世帯番号,保護者,登録日," + ",".join(f"児童{n}番号,児童{n}氏名,児童{n}区分" for n in (1, 2, 3))


def test_row_of_several_children_is_a_record_for_each_who_is_there(tmp_path):
    text = file() + '[record]\nrow_key = "児童{}番号"\nidentity = ["世帯番号", "児童{}番号"]\n' + PEOPLE
    body = f"{PEOPLE_HEAD}\n11,山田,R5.4.1,A1,花子,1,A2,太郎,2,,,\n12,佐藤,R5.4.1,B1,次郎,1,,,,,,\n13,鈴木,R5.4.1,C1,三郎,1,C2,,1,,,\n"
    found = read(tmp_path, text, body.encode())
    rows = [(m["row"], m["role"], m["name"], m["row_key"]) for m in found.landing.mentions.to_pylist()]
    second = PEOPLE_STEP + 1
    assert sorted(rows) == sorted([
        (1, "guardian", "山田", "A1"), (1, "subject", "花子", "A1"), (2, "guardian", "佐藤", "B1"), (2, "subject", "次郎", "B1"),
        (second, "guardian", "山田", "A2"), (second, "subject", "太郎", "A2"),
    ])  # fmt: skip
    said = sorted((f[0], f[1], f[3]) for f in facts(found))
    assert said == sorted([
        (1, "school_kind", "小"), (second, "school_kind", "中"), (2, "school_kind", "小"), (1, "enrolled", None),
        (second, "enrolled", None), (2, "enrolled", None), (1, "guardian_enrolled", None), (2, "guardian_enrolled", None),
    ])  # fmt: skip
    assert found.rows_landed == 2 and found.quarantined == [(3, "児童2氏名", "R-03")]
    identities = found.landing.rows["identity"].to_pylist()
    assert len(set(identities)) == len(identities) == 3


def test_people_of_a_row_without_numbers_of_their_own_are_told_apart(tmp_path):
    text = file() + '[record]\nidentity = ["世帯番号"]\n' + PEOPLE
    found = read(tmp_path, text, f"{PEOPLE_HEAD}\n11,山田,R5.4.1,,花子,1,,太郎,2,,,\n".encode())
    assert len(set(found.landing.rows["identity"].to_pylist())) == 2


def test_several_guardians_of_one_child_are_each_named_beside_the_child(tmp_path):
    text = (
        file()
        + NAME
        + '[[columns]]\nname = "登録日"\ntype = "date"\n[[facts]]\nitem = "enrolled"\nvalid_from = "登録日"\n'
    )
    text += '[[people]]\nfor = [{ n = "1", w = "第一" }, { n = "2", w = "第二" }]\ncolumns = [{ name = "保護者{n}({w})", type = "name", item = "name", person = "guardian", field = "name" }]\n'
    found = read(
        tmp_path, text, "氏名,登録日,保護者1(第一),保護者2(第二)\n花子,R5.4.1,山田,佐藤\n次郎,R5.4.1,鈴木,\n".encode()
    )
    rows = {(m["row"], m["role"], m["name"]) for m in found.landing.mentions.to_pylist()}
    second = PEOPLE_STEP + 1
    assert rows == {
        (1, "subject", "花子"), (1, "guardian", "山田"), (second, "subject", "花子"), (second, "guardian", "佐藤"),
        (2, "subject", "次郎"), (2, "guardian", "鈴木"),
    }  # fmt: skip
    assert [f[0] for f in facts(found)] == [1, 2]


def test_people_without_placeholder_in_their_names_are_a_fault(tmp_path):
    text = file() + NAME + '[[people]]\nfor = ["1", "2"]\ncolumns = [{ name = "児童氏名", type = "text" }]\n'
    with pytest.raises(ConfigurationFault) as refusal:
        layout_of(tmp_path, text)
    assert "{}" in refusal.value.text()


# Workbooks ---------------------------------------------------------------------------------------

CLASS_ROWS = [["氏名", "生年月日"], ["山田", dt.date(2023, 4, 1)], ["佐藤", 45018], ["鈴木", "R5.4.3"]]


@pytest.mark.parametrize("sheet", ["名簿", 2, ["名簿"]])
def test_sheet_by_name_or_position(tmp_path, sheet):
    path = workbook(tmp_path / "b.xlsx", {"表紙": [["名簿"]], "名簿": CLASS_ROWS})
    found = read(tmp_path, file(format="xlsx", sheet=sheet) + NAME + BIRTH, path)
    assert column(found, "born_on") == ["2023-04-01", "2023-04-02", "2023-04-03"]


def test_report_names_no_sheet_that_is_called_after_a_child(tmp_path):
    """One sheet a child, its name on the tab: rows are told by the sheet's place."""
    path = workbook(
        tmp_path / "b.xlsx", {"翡翠川 花": [["生年月日"], ["R5.4.9"]], "翡翠川 次": [["生年月日"], ["だめ"]]}
    )
    tab = '[[columns]]\nname = "氏名"\ntype = "name"\nitem = "x"\nperson = "subject"\nfield = "name"\nfound_in = "sheet_name"\nmatch = "^(.+)$"\n'
    found = read(tmp_path, file(format="xlsx", sheet="*") + BIRTH + tab, path)
    assert names(found) == ["翡翠川 花"]
    assert [place_of(row, found.spans) for row in (1, 2)] == [("1枚目", 2), ("2枚目", 2)]


def test_several_sheets_are_numbered_through_and_named_as_a_value(tmp_path):
    sheets = {
        "表紙": [["名簿"]],
        "1年1組": CLASS_ROWS[:2],
        "1年2組": [["生年月日", "氏名"], ["R5.4.9", "田中"], ["だめ", "伊藤"]],
    }
    path = workbook(tmp_path / "b.xlsx", sheets)
    text = '[[columns]]\nname = "組"\ntype = "text"\nitem = "x"\nperson = "subject"\nfield = "grade"\nfound_in = "sheet_name"\nmatch = "^(.+)$"\n'
    for sheet in ("*", "*組", ["1年1組", "1年2組"], [2, 3]):
        found = read(tmp_path, file(format="xlsx", sheet=sheet) + NAME + BIRTH + text, path)
        assert names(found) == ["山田", "田中"] and column(found, "grade") == ["1年1組", "1年2組"]
        assert found.landing.rows["row"].to_pylist() == [1, 2] and found.quarantined == [(3, "生年月日", "R-04")]
        assert [place_of(row, found.spans) for row in (1, 2, 3)] == [("1年1組", 2), ("1年2組", 2), ("1年2組", 3)]
    with pytest.raises(DeliveryRefused, match="シート「3年」"):
        read(tmp_path, file(format="xlsx", sheet=["1年1組", "3年"]) + NAME + BIRTH + text, path)


def test_workbook_with_merged_header_blank_column_and_totals(tmp_path):
    rows = [["", "出欠"], ["", "氏名", "欠席", "", "生年月日"], ["", "", "病欠", "事故", ""], ["", "山田", 1, 2, 45017],
            [], ["", "小計", 1, 2, ""], ["", "佐藤", 0, 0, "H31.4.1"], ["", "合計", 1, 2, ""]]  # fmt: skip
    path = workbook(tmp_path / "b.xlsx", {"表": rows})
    text = file(format="xlsx", skip_top=1, header_rows=2, junk="^小計", footer="^合計") + NAME + BIRTH
    found = read(tmp_path, text, path)
    assert names(found) == ["山田", "佐藤"] and found.quarantined == []
    searched = text.replace("skip_top = 1", "find_header = true")
    assert names(read(tmp_path, searched, path)) == ["山田", "佐藤"]


# Fixed width -------------------------------------------------------------------------------------

FIXED = """
[[columns]]
name = "番号"
type = "identifier"
item = "x"
person = "subject"
field = "own_number"
width = 6
required = true
[[columns]]
name = "氏名"
type = "name"
item = "name"
person = "subject"
field = "name"
width = 12
[[columns]]
name = "生年月日"
type = "date"
item = "birth"
person = "subject"
field = "born_on"
position = 20
width = 7
"""


def fixed_row(number: str, name: str, birth: str) -> bytes:
    return number.encode().ljust(6) + name.encode("cp932").ljust(12) + b"x" + birth.encode()


def test_fixed_width_counted_in_bytes(tmp_path):
    body = (
        fixed_row("000001", "山田花子", "5050401")
        + b"\r\n"
        + fixed_row("000002", "佐藤", "だめ".encode().hex()[:7])
        + b"\r\n"
    )
    found = read(tmp_path, file(format="fixed", encoding="cp932") + FIXED, body + b"\r\n")
    assert names(found) == ["山田花子"] and column(found, "own_number") == ["000001"]
    assert column(found, "born_on") == ["2023-04-01"] and found.quarantined == [(2, "生年月日", "R-04")]


def test_fixed_width_without_line_ends(tmp_path):
    body = b"".join(fixed_row(f"{n:06d}", "山田", "5050401") for n in range(3))
    text = file(format="fixed", encoding="cp932", record_bytes=26) + FIXED
    assert len(names(read(tmp_path, text, body))) == 3
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, text, body[:-1])
    assert refusal.value.details["code"] == "record_length"


def test_fixed_width_counted_in_characters(tmp_path):
    text = file(format="fixed", positions="character", skip_top=1)
    text += NAME + "width = 4\n" + BIRTH + "width = 7\n"
    assert names(read(tmp_path, text, "一覧\n山田花子5050401\n佐藤　　5050402\n".encode())) == ["山田花子", "佐藤"]


# Names of files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "pattern", "expected"), [
    ("名簿_20260401.csv", r"(\d{8})", "2026-04-01"), ("名簿_R080401.csv", r"_(R\d{6})", "2026-04-01"),
    ("名簿_令和8年4月1日.csv", "_(令和.+日)", "2026-04-01"), ("名簿_2026-04-01.csv", r"_([\d-]+)", "2026-04-01"),
    ("名簿_202602.csv", r"_(\d{6})", "None"), ("名簿_2026-02.csv", r"_([\d-]+)", "2026-02-28"),
    ("名簿_R8.12月.csv", r"_(R\d+\.\d+月)", "2026-12-31"),
])  # fmt: skip
def test_extraction_date_in_any_notation(tmp_path, name, pattern, expected):
    layout = layout_of(tmp_path, file(extracted_on=pattern) + NAME)
    assert str(layout.extracted_on(name)) == expected


def test_layout_may_have_several_patterns(tmp_path):
    layout = layout_of(tmp_path, file(pattern=["名簿*.csv", "*会員*.TXT"]) + NAME)
    assert [fits_name(n, layout) for n in ("名簿1.csv", "R8会員.txt", "会員.csv")] == [True, True, False]


# Faults of layouts -------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "key", "words"), [
    (file(delimiter=",,") + NAME, "file.delimiter", "一つだけ"), (file(header_rows=99) + NAME, "file.header_rows", "9 まで"),
    (file(header_rows=0, find_header=True) + NAME, "find_header", "使えません"), (file(sheet="x") + NAME, "file.sheet", "xlsx"),
    (file(format="fixed") + NAME, "width", "長さ"), (file(positions="mm") + NAME, "file.positions", "character"),
    (file() + NAME + "join = ['氏']\n", "join", "二つ以上"), (file() + NAME + "value = 'x'\njoin = ['a','b']\n", "value", "同時"),
    (file() + NAME + "found_in = 'footer'\nmatch = '(x)'\n", "found_in", "above"), (file() + NAME + "match = '(x)'\n", "match", "found_in"),
    (file() + NAME + "found_in = 'above'\nmatch = 'x'\n", "match", "かっこ"), (file() + NAME + "digits = 3\n", "digits", "identifier"),
    (file() + NAME + "century = 18\n", "century", "19 か 20"), (file() + NAME + "fiscal = true\n", "fiscal", "month"),
    (file() + NAME + "other = 'x'\n", "other", "code"), (file() + NAME + "positon = 3\n", "positon", "position"),
    (file() + "[record]\nwithdraw_when = { '氏名' = ['x'] }\n" + NAME, "withdraw_when", "identity"),
    (file() + "[record]\nskip_when = { '区分' = ['x'] }\n" + NAME, "skip_when", "ありません"),
    (file() + NAME + BIRTH + "[[facts]]\nitem = 'x'\nvalid_from = '生年月日'\nmonth = 4\n", "month", "年度"),
    (file(header_rows=0) + NAME + "join = ['姓', '名']\n", "join", "ありません"),
    (file() + NAME + "[[repeat]]\nfor = [1]\ncolumns = ['x']\n", "repeat[1].columns", "表"),
    (file() + NAME + "[[repeat]]\nfor = []\ncolumns = [{name='x'}]\n", "repeat[1].for", "書かれていません"),
])  # fmt: skip
def test_fault_of_a_form_is_told_by_its_key(tmp_path, text, key, words):
    with pytest.raises(ConfigurationFault) as refusal:
        layout_of(tmp_path, text)
    assert [f for f in refusal.value.details["faults"] if key in f and words in f], refusal.value.details["faults"]


def test_every_field_of_a_mention_has_its_words():
    assert tuple(layout_keys.FIELDS) == MENTION_FIELDS


def test_export_names_the_printed_row_of_each_of_a_rows_people():
    from kodomo.linkage.export import ROWS

    assert f"m.row % {PEOPLE_STEP}" in ROWS


def test_part_of_a_cell(tmp_path):
    text = (
        file()
        + NAME
        + '[[columns]]\nname = "学校"\npart_of = "学校・学年"\nmatch = \'^(.+?)\\s\'\ntype = "text"\nitem = "name"\nperson = "subject"\nfield = "school"\n'
        + '[[columns]]\nname = "学校・学年"\npart_of = "学校・学年"\nmatch = \'(\\d)年\'\ntype = "integer"\nitem = "name"\nperson = "subject"\nfield = "grade"\n'
    )
    content = "氏名,学校・学年\n山 花,中央小 ３年\n海 空,南小\n野 風,北中 1年\n".encode()
    mentions = read(tmp_path, text, content).landing.mentions
    assert mentions["school"].to_pylist() == ["中央小", None, "北中"]
    assert mentions["grade"].to_pylist() == ["3", None, "1"]


def test_part_of_by_position_and_of_a_missing_column(tmp_path):
    part = '[[columns]]\nname = "組"\npart_of = {}\nmatch = "(.)組"\ntype = "text"\nitem = "name"\nperson = "subject"\nfield = "school"\n'
    content = "氏名,所属\n山 花,1組\n".encode()
    assert read(tmp_path, file() + NAME + part.format(2), content).landing.mentions["school"].to_pylist() == ["1"]
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, file() + NAME + part.format('"学級"'), content)
    assert "学級" in refusal.value.where


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ('part_of = "組"', "かっこ"),
        ('part_of = "組"\nmatch = "組"', "かっこ"),
        ('part_of = "組"\nmatch = "(組)"\nvalue = "1"', "同時には"),
        ('match = "(組)"', "part_of"),
    ],
)
def test_part_of_is_checked(tmp_path, column, words):
    with pytest.raises(ConfigurationFault) as fault:
        layout_of(tmp_path, file() + NAME + f'[[columns]]\nname = "x"\ntype = "text"\n{column}\n')
    assert any(words in one for one in fault.value.details["faults"])


def test_extraction_date_above_the_table(tmp_path):
    text = file(skip_top=2, extracted_in="above", pattern="参加記録*") + NAME
    content = "参加記録,令和7年6月分\n\n氏名\n山 花\n".encode()
    reading = read(tmp_path, text, content, "参加記録.csv")
    assert reading.extracted_on == "2025-06-30"
    assert reading.landing.mentions["known_from"].to_pylist() == [dt.date(2025, 6, 30)]
    parts = text.replace('extracted_in = "above"', "extracted_in = \"above\"\nextracted_on = '年,(\\d+),月,(\\d+)'")
    assert read(tmp_path, parts, "年,2025,月,6\n\n氏名\n山 花\n".encode(), "参加記録.csv").extracted_on == "2025-06-30"


def test_sheets_of_months_tell_each_its_own_extraction_date_and_the_file_the_latest(tmp_path):
    """Of the first sheet alone the file would be two years old by now, and every later age wrong."""
    sheets = {f"2025年{month}月": [["氏名"], [f"山 花{month}"]] for month in (4, 12, 9)}
    text = file(format="xlsx", sheet="*", extracted_in="sheet_name", pattern="参加記録*") + NAME
    reading = read(tmp_path, text, workbook(tmp_path / "参加記録.xlsx", sheets))
    assert reading.extracted_on == "2025-12-31"
    ends = [dt.date(2025, 4, 30), dt.date(2025, 12, 31), dt.date(2025, 9, 30)]
    assert reading.landing.mentions["known_from"].to_pylist() == ends


def test_extraction_date_that_is_not_there_is_told(tmp_path):
    reading = read(tmp_path, file(skip_top=1, extracted_in="above") + NAME, "記録\n氏名\n山 花\n".encode(), "名簿.csv")
    assert reading.extracted_on is None and any("抽出日が見つかりません" in note for note in reading.notes)
    assert reading.landing.mentions["known_from"].to_pylist() == [dt.date(2026, 4, 1)]


def test_receipt_keeps_the_date_that_stands_inside(tmp_path, town, home):
    layout = town / "sources" / "absences.toml"
    body = layout.read_text(encoding="utf-8")
    body = re.sub(r"^pattern = .*$", 'pattern = "出欠*.csv"\nextracted_in = "above"\nskip_top = 1', body, flags=re.M)
    layout.write_text(body, encoding="utf-8")
    path = tmp_path / "出欠.csv"
    path.write_bytes("令和8年3月分\n学籍番号,氏名,年月,欠席,遅刻\nA001,翡翠川花,2026-03,3,0\n".encode("cp932"))
    told = receive([path], home=home, municipality=read_municipality(town), at=AT, by="試験")
    assert told["landed"] == 1 and told["deliveries"][0]["extracted_on"] == "2026-03-31"

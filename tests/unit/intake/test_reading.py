"""Rows become mentions and facts; rows that can't be read are named, and the rest is taken in."""

from __future__ import annotations

import datetime as dt

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ABSENCE_LAYOUT, REGISTER_LAYOUT, absences_csv, residents_csv

from kodomo.errors import DeliveryRefused
from kodomo.intake.cells import ColumnReader
from kodomo.intake.extract import last_day, month_end, year_end
from kodomo.intake.layout import LayoutColumn
from kodomo.intake.limits import LIMITS, Limits
from kodomo.vault.records import place_of

RESIDENTS, ABSENCES = "住民_20260401.csv", "出欠_20260401.csv"


def mentions(reading) -> list[dict]:
    return reading.landing.mentions.to_pylist()


def facts(reading) -> list[dict]:
    return sorted(reading.landing.facts.to_pylist(), key=lambda f: (f["row"], f["item"]))


def faults(reading) -> list[tuple[int, str, str]]:
    return [tuple(entry) for entry in reading.quarantined]


# Text files -------------------------------------------------------------------------------------


def test_row_becomes_a_mention_as_printed(read):
    reading = read(RESIDENTS, residents_csv("00123,髙橋　誠,昭和50年2月3日,ためし町１－２,090-0000-0000"))
    (mention,) = mentions(reading)
    assert (mention["resident_number"], mention["row_key"]) == ("00123", "00123")
    assert (mention["name"], mention["born_on"], mention["address"]) == ("髙橋　誠", "1975-02-03", "ためし町１－２")
    assert (mention["kind"], mention["role"], mention["row"]) == ("residents", "subject", 1)
    assert "090-0000-0000" not in str(mention)
    assert mention["known_from"] == dt.date(2026, 4, 1)


def test_month_makes_dated_facts_known_after_the_lag(read):
    reading = read(ABSENCES, absences_csv("A1,山田,令和6年12月,3,0"))
    first, second = facts(reading)
    assert (first["item"], first["number"], first["code"]) == ("absence_days", 3.0, None)
    assert (first["valid_from"], first["valid_to"]) == (dt.date(2024, 12, 1), dt.date(2025, 1, 1))
    assert first["known_from"] == dt.date(2025, 1, 7)  # the month's last day and seven days' lag
    assert (second["item"], second["number"]) == ("late_days", 0.0)
    assert mentions(reading)[0]["known_from"] == dt.date(2025, 1, 7)


def test_nothing_is_known_later_than_the_file_that_says_it(read):
    """The file is of 1 April: March's seven days of lag are not waited for; a month not yet over counts when it is."""
    rows = absences_csv("A1,山田,令和8年3月,3,0", "A2,佐藤,令和8年4月,1,0")
    known = [f["known_from"] for f in facts(read(ABSENCES, rows)) if f["item"] == "absence_days"]
    assert known == [dt.date(2026, 4, 1), dt.date(2026, 4, 30)]


def test_blank_is_nothing_and_never_zero(read):
    reading = read(ABSENCES, absences_csv("A1,山田,2026-03,,", "A2,佐藤,2026-03,0,"))
    assert [(f["row"], f["item"], f["number"]) for f in facts(reading)] == [(2, "absence_days", 0.0)]
    assert len(mentions(reading)) == 2


QUARANTINED = [
    ("A1,山田,2026-03,たくさん,0", "欠席", "R-06"), ("A1,山田,2026-03,1.5,0", "欠席", "R-06"), ("A1,山田,2026-03,32,0", "欠席", "R-07"),
    ("A1,山田,2026-03,-1,0", "欠席", "R-07"), ("A1,山田,三月,1,0", "年月", "R-05"), ("A1,山田,,1,0", "年月", "R-03"),
    (",山田,2026-03,1,0", "学籍番号", "R-03"), ("A1,山田,2026-03,1", "(行全体)", "R-02"), ("A1,山田,2026-03,1,0,9", "(行全体)", "R-02"),
    ("A1,山\x07田,2026-03,1,0", "氏名", "R-13"), ("A1,〃,2026-03,1,0", "氏名", "R-19"), ("A1,山田,2026-03,#N/A,0", "欠席", "R-18"),
    ('A1,"山"田,2026-03,1,0', "(行全体)", "R-15"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "column", "code"), QUARANTINED)
def test_row_that_cannot_be_read_is_named_and_the_rest_lands(read, row, column, code):
    reading = read(ABSENCES, absences_csv("A0,先,2026-03,1,0", row, "A9,後,2026-03,2,0"))
    assert faults(reading) == [(2, column, code)]
    assert (reading.rows_read, reading.rows_landed) == (3, 2)
    assert [m["row"] for m in mentions(reading)] == [1, 3]
    assert [f["number"] for f in facts(reading) if f["item"] == "absence_days"] == [1.0, 2.0]


def test_every_fault_of_a_row_is_told(read):
    reading = read(ABSENCES, absences_csv("A0,先,2026-03,1,0", ",山田,三月,x,0"))
    assert faults(reading) == [(2, "学籍番号", "R-03"), (2, "年月", "R-05"), (2, "欠席", "R-06")]


@pytest.mark.parametrize("printed", ["3", "３", "3日", "3.0", " 3 ", "+3", "03"])
def test_number_reads_in_every_dress(read, printed):
    assert facts(read(ABSENCES, absences_csv(f"A1,山,2026-03,{printed},0")))[0]["number"] == 3.0


def test_thousands_separator_is_no_column(read):
    assert facts(read(ABSENCES, absences_csv('A1,山,2026-03,1,"1,234"')))[1]["number"] == 1234.0


def test_extra_empty_cells_are_no_fault(read):
    reading = read(ABSENCES, absences_csv("A1,山田,2026-03,1,0,,"))
    assert (faults(reading), reading.rows_landed) == ([], 1)


def test_quoted_line_break_is_one_row(read):
    reading = read(RESIDENTS, residents_csv('1,山田,R5.4.1,"上\r\n下",', "2,佐藤,R5.4.1,町,"))
    assert [(m["row"], m["address"]) for m in mentions(reading)] == [(1, "上\n下"), (2, "町")]
    assert place_of(2, reading.spans) == ("", 4)


def test_forgotten_quote_costs_its_own_row_only(read):
    rows = [f"{n},山田,R5.4.1,町{n}," for n in range(1, 8)]
    rows[2] = '3,山田,R5.4.1,"町3,'
    reading = read(RESIDENTS, residents_csv(*rows))
    assert faults(reading) == [(3, "(行全体)", "R-15")]
    assert [m["row"] for m in mentions(reading)] == [1, 2, 4, 5, 6, 7]


def test_blank_lines_are_not_counted_and_empty_records_are(read):
    content = residents_csv("1,山田,R5.4.1,町,", "", ",,,,", "2,佐藤,R5.4.1,町,")
    reading = read(RESIDENTS, content)
    assert [m["row"] for m in mentions(reading)] == [1, 3]
    assert (reading.rows_read, reading.blank_rows) == (2, 1)
    # Under a title and the header; a spreadsheet shows the blank line too.
    assert [place_of(row, reading.spans) for row in (1, 2, 3)] == [("", 3), ("", 5), ("", 6)]


def test_footer_ends_the_rows_and_data_below_it_is_reported(read):
    reading = read(
        RESIDENTS, residents_csv("1,山田,R5.4.1,町,", end="合計,1,,,\r\n作成者,情報課\r\n2,佐藤,R5.4.1,町,\r\n")
    )
    assert reading.rows_landed == 1
    assert faults(reading) == [(4, "(行全体)", "R-17")]


def test_missing_footer_is_noted(read):
    reading = read(RESIDENTS, residents_csv("1,山田,R5.4.1,町,", end=""))
    assert reading.rows_landed == 1 and "途中で切れて" in reading.notes[0]


def test_file_cut_in_the_middle_of_a_row_is_noted(read):
    content = absences_csv("A1,山田,2026-03,1,0", "A2,佐藤,2026-03,2,0")[:-9]
    reading = read(ABSENCES, content)
    assert (reading.rows_landed, faults(reading)) == (1, [(2, "(行全体)", "R-02")])
    assert "最後の行" in reading.notes[-1]


def test_header_repeated_on_each_page_is_no_row(read):
    header = "学籍番号,氏名,年月,欠席,遅刻"
    reading = read(ABSENCES, absences_csv("A1,山田,2026-03,1,0", header, "A2,佐藤,2026-03,2,0"))
    assert (reading.rows_read, reading.blank_rows, reading.rows_landed) == (2, 1, 2)


# Headers ----------------------------------------------------------------------------------------


def test_columns_in_another_order_are_found(read):
    reading = read(ABSENCES, absences_csv("0,3,2026-03,山田,A1", header="遅刻,欠席,年月,氏名,学籍番号"))
    assert facts(reading)[0]["number"] == 3.0 and mentions(reading)[0]["own_number"] == "A1"


def test_header_in_another_width_or_with_spaces_is_found(read):
    reading = read(ABSENCES, absences_csv("A1,山田,2026-03,1,0", header="学籍 番号,氏　名,年月,欠席,遅刻"))
    assert reading.rows_landed == 1


@pytest.mark.parametrize("missing", ["学籍番号", "氏名", "年月", "欠席", "遅刻"])
def test_missing_column_refuses_the_file(read, missing):
    header = "学籍番号,氏名,年月,欠席,遅刻".replace(missing, "別名")
    with pytest.raises(DeliveryRefused) as refusal:
        read(ABSENCES, absences_csv("A1,山田,2026-03,1,0", header=header))
    assert refusal.value.details["code"] == "missing_column" and missing in refusal.value.where


def test_unexpected_column_is_reported_and_not_taken_in(read):
    content = absences_csv("A1,山田,2026-03,1,0,秘密の値", header="学籍番号,氏名,年月,欠席,遅刻,備考")
    reading = read(ABSENCES, content)
    assert reading.unexpected == ["備考"] and reading.rows_landed == 1
    landed = str(reading.landing.mentions.to_pydict()) + str(reading.landing.facts.to_pydict())
    assert "秘密の値" not in landed


def test_file_without_header_tells_no_cell(read):
    with pytest.raises(DeliveryRefused) as refusal:
        read(ABSENCES, "A1,山田花子,2026-03,1,0\r\nA2,佐藤,2026-03,1,0\r\n".encode("cp932"))
    assert "山田花子" not in refusal.value.text() and "A1" not in refusal.value.text()


@pytest.mark.parametrize("name", ["20260401123", "1,234,567", "2026/04/01 10:00"])
def test_header_that_is_a_number_is_not_repeated_in_reports(name):
    from kodomo.intake.read import printable

    assert printable(name) == "(数字だけの見出し)"
    assert printable("備\n考\t欄") == "備 考 欄"


# Encodings --------------------------------------------------------------------------------------


def recoded(town, encoding: str) -> None:
    path = town / "sources" / "absences.toml"
    path.write_text(ABSENCE_LAYOUT.replace('"cp932"', f'"{encoding}"'), encoding="utf-8")


TEXT = "学籍番号,氏名,年月,欠席,遅刻\r\nA1,髙橋①～ﾊﾅ,2026-03,3,0\r\n"


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("cp932", TEXT.encode("cp932")), ("utf-8-sig", TEXT.encode("utf-8-sig")), ("utf-8-sig", TEXT.encode()),
        ("utf-16", TEXT.encode("utf-16")), ("utf-16", TEXT.encode("utf-16-le")), ("utf-16", TEXT.encode("utf-16-be")),
    ],
)  # fmt: skip
def test_every_encoding_reads_alike(read, town, encoding, content):
    recoded(town, encoding)
    reading = read(ABSENCES, content)
    assert mentions(reading)[0]["name"] == "髙橋①～ﾊﾅ" and facts(reading)[0]["number"] == 3.0


def test_iso_2022_jp_reads_with_half_width_kana_and_vendor_characters(read, town):
    recoded(town, "iso-2022-jp")
    text = "学籍番号,氏名,年月,欠席,遅刻\r\n".encode("iso-2022-jp")
    row = b"A1,\x1b$B;3ED-!\x1b(I\x4a\x45\x1b(B,2026-03,3,0\r\n"
    assert mentions(read(ABSENCES, text + row))[0]["name"] == "山田①ﾊﾅ"


def test_undecodable_bytes_cost_their_row_only(read):
    content = absences_csv("A1,山田,2026-03,1,0", "A2,佐XX,2026-03,1,0", "A3,鈴木,2026-03,1,0").replace(
        b"XX", b"\x81\x20"
    )
    reading = read(ABSENCES, content)
    assert faults(reading) == [(2, "氏名", "R-01")] and reading.rows_landed == 2


def test_undecodable_bytes_in_an_ignored_column_cost_nothing(read):
    content = residents_csv("1,山田,R5.4.1,町,XX").replace(b"XX", b"\x81\x20")
    assert read(RESIDENTS, content).rows_landed == 1


def test_gaiji_are_kept_as_they_are(read):
    content = absences_csv("A1,山GG田〓,2026-03,1,0").replace(b"GG", b"\xf0\x40")
    assert mentions(read(ABSENCES, content))[0]["name"] == "山\ue000田〓"


def test_line_in_another_encoding_is_not_landed_as_nonsense(read):
    rows = (
        absences_csv("A1,山田,2026-03,1,0")
        + "A2,佐藤花子さん,2026-03,1,0\r\n".encode()
        + "A3,ﾃｱﾐｶ,2026-03,1,0\r\n".encode("cp932")
    )
    reading = read(ABSENCES, rows)
    assert faults(reading) == [(2, "(行全体)", "R-16")]
    assert [m["name"] for m in mentions(reading)] == ["山田", "ﾃｱﾐｶ"]


@pytest.mark.parametrize(("written", "words"), [("utf-8", "UTF-8 のよう"), ("utf-8-sig", "")])
def test_wrong_encoding_is_named_in_the_hint(read, town, written, words):
    content = TEXT.encode(written)
    if not words:  # a BOM says what the file is, whatever the layout says
        assert read(ABSENCES, content).rows_landed == 1
        return
    with pytest.raises(DeliveryRefused) as refusal:
        read(ABSENCES, content)
    assert words in refusal.value.then


def test_tab_separated_file_reads(read, town):
    text = ABSENCE_LAYOUT.replace('format = "csv"', 'format = "tsv"')
    (town / "sources" / "absences.toml").write_text(text, encoding="utf-8")
    assert facts(read(ABSENCES, absences_csv("A1,山,2026-03,3,0").replace(b",", b"\t")))[0]["number"] == 3.0


# Workbooks --------------------------------------------------------------------------------------

HEADER = ["受付番号", "氏名", "氏名", "開始", "終了", "登録日", "区分"]


def workbook(path, *rows, sheet="一覧", top=2):
    book = xlsxwriter.Workbook(str(path))
    page = book.add_worksheet(sheet)
    date = book.add_format({"num_format": "yyyy/mm/dd"})
    for at, row in enumerate([HEADER, *rows]):
        for column, value in enumerate(row):
            if isinstance(value, dt.date):
                page.write_datetime(at + top, column, dt.datetime.combine(value, dt.time()), date)
            else:
                page.write(at + top, column, value)
    book.close()
    return path


def test_workbook_reads_texts_numbers_serials_and_dates(read, tmp_path):
    path = workbook(
        tmp_path / "w.xlsx",
        ["00123", "山田 母", "山田 子", "R5.4.1", "", 45017, "01"],
        [124, "佐藤 父", "佐藤 子", dt.date(2024, 5, 1), 45443, "令和6年5月3日", 2],
        ["計", 2],
    )
    reading = read("手当_20260401.xlsx", path)
    first, second = facts(reading)
    assert (first["code"], first["valid_from"], first["valid_to"]) == ("全部", dt.date(2023, 4, 1), None)
    assert (second["code"], second["valid_to"], second["known_from"]) == (
        "一部",
        dt.date(2024, 6, 1),
        dt.date(2024, 5, 3),
    )
    assert [(m["role"], m["name"], m["row_key"]) for m in mentions(reading)] == [
        ("guardian", "山田 母", "00123"), ("subject", "山田 子", "00123"), ("guardian", "佐藤 父", "124"), ("subject", "佐藤 子", "124"),
    ]  # fmt: skip


def test_when_a_spell_became_known_does_not_hang_on_whether_it_has_ended_since(read, tmp_path):
    rows = (["1", "親", "子", "R5.4.1", end, "", "01"] for end in ("", "R6.3.31"))
    known = {f["known_from"] for f in facts(read("手当_20260401.xlsx", workbook(tmp_path / "w.xlsx", *rows)))}
    assert known == {dt.date(2026, 4, 1)}  # nobody wrote down when: it counts from its delivery


def test_when_keeps_other_meanings_out_but_not_the_person(read, tmp_path):
    path = workbook(tmp_path / "w.xlsx", ["1", "親", "子", "R5.4.1", "", "", "09"])
    reading = read("手当_20260401.xlsx", path)
    assert facts(reading) == [] and len(mentions(reading)) == 2


def test_unknown_code_is_quarantined(read, tmp_path):
    path = workbook(
        tmp_path / "w.xlsx", ["1", "親", "子", "R5.4.1", "", "", "01"], ["2", "親", "子", "R5.4.1", "", "", "05"]
    )
    assert faults(read("手当_20260401.xlsx", path)) == [(2, "区分", "R-08")]


def test_spell_that_ends_before_it_begins_is_quarantined(read, tmp_path):
    good, bad = ["1", "親", "子", "R5.4.1", "R5.4.1", "", "01"], ["2", "親", "子", "R5.4.1", "R5.3.31", "", "01"]
    reading = read("手当_20260401.xlsx", workbook(tmp_path / "w.xlsx", good, bad))
    assert faults(reading) == [(2, "終了", "R-11")]
    assert facts(reading)[0]["valid_to"] == dt.date(2023, 4, 2)  # the printed end is the spell's last day


def test_blank_row_of_a_sheet_keeps_its_number(read, tmp_path):
    path = workbook(
        tmp_path / "w.xlsx", ["1", "親", "子", "R5.4.1", "", "", "01"], [], ["3", "親", "子", "R5.4.1", "", "", "01"]
    )
    assert sorted({m["row"] for m in mentions(read("手当_20260401.xlsx", path))}) == [1, 3]


def test_absent_person_makes_no_mention(read, tmp_path):
    path = workbook(tmp_path / "w.xlsx", ["1", "親", "", "R5.4.1", "", "", "01"])
    found = mentions(read("手当_20260401.xlsx", path))
    assert [(m["role"], m["name"]) for m in found] == [("guardian", "親"), ("subject", None)]


def test_sheet_by_another_name_is_refused(read, tmp_path):
    with pytest.raises(DeliveryRefused, match="シート"):
        read("手当_20260401.xlsx", workbook(tmp_path / "w.xlsx", sheet="別の表"))


# Values -----------------------------------------------------------------------------------------


def test_two_columns_of_one_field_are_joined(read, town):
    text = REGISTER_LAYOUT.replace('ignore = "使わない"', 'item = "name"\nperson = "subject"\nfield = "name"')
    (town / "sources" / "residents.toml").write_text(text, encoding="utf-8")
    found = mentions(read(RESIDENTS, residents_csv("1,山田,R5.4.1,町,花子", "2,佐藤,R5.4.1,町,", "3,,R5.4.1,町,")))
    assert [m["name"] for m in found] == ["山田　花子", "佐藤", None]


@pytest.mark.parametrize(
    ("printed", "kept"),
    [("男", "男"), ("2", "女"), ("Ｆ", "女"), ("男性", "男"), ("9", "その他"), ("0", None), ("不明", None), ("", None)],
)
def test_sex_is_kept_as_one_word(read, town, printed, kept):
    text = REGISTER_LAYOUT.replace(
        'type = "text"\nignore = "使わない"', 'type = "sex"\nitem = "name"\nperson = "subject"\nfield = "sex"'
    )
    (town / "sources" / "residents.toml").write_text(text, encoding="utf-8")
    assert mentions(read(RESIDENTS, residents_csv(f"1,山田,R5.4.1,町,{printed}")))[0]["sex"] == kept


@pytest.mark.parametrize(
    ("printed", "kept"),
    [("○", "1"), ("●", "1"), ("1", "1"), ("有", "1"), ("×", "0"), ("０", "0"), ("無", "0"), ("", None), ("-", None)],
)
def test_protection_is_kept_as_one_or_zero(read, town, printed, kept):
    wanted = 'type = "flag"\nitem = "name"\nperson = "subject"\nfield = "address_protection"'
    text = REGISTER_LAYOUT.replace('type = "text"\nignore = "使わない"', wanted)
    (town / "sources" / "residents.toml").write_text(text, encoding="utf-8")
    found = mentions(read(RESIDENTS, residents_csv(f"1,山田,R5.4.1,町,{printed}")))
    assert found[0]["address_protection"] == kept


def test_where_somebody_went_is_kept_but_of_a_protected_person_not_even_landed(read, town):
    flag = 'type = "flag"\nitem = "name"\nperson = "subject"\nfield = "address_protection"'
    text = REGISTER_LAYOUT.replace('type = "text"\nignore = "使わない"', flag)
    text = text.replace('field = "address"', 'field = "moved_to"')
    (town / "sources" / "residents.toml").write_text(text, encoding="utf-8")
    found = mentions(
        read(
            RESIDENTS,
            residents_csv("1,山田,R5.4.1,別市本町1-1,0", "2,佐藤,R5.4.1,別市本町1-2,1", "3,森,R5.4.1,別市本町1-3,"),
        )
    )
    assert [m["moved_to"] for m in found] == ["別市本町1-1", None, "別市本町1-3"]


def test_excel_text_formula_keeps_leading_zeros(read):
    content = residents_csv('"=""00123""",山田,R5.4.1,町,', "'0045,佐藤,R5.4.1,町,")
    assert [m["resident_number"] for m in mentions(read(RESIDENTS, content))] == ["00123", "0045"]


def test_unknown_birth_date_is_kept_as_far_as_known(read):
    found = mentions(
        read(RESIDENTS, residents_csv("1,山,昭和20年5月不詳,町,", "2,川,9999999,町,", "3,海,S20.99.99,町,"))
    )
    assert [m["born_on"] for m in found] == ["1945-05", None, "1945"]


def test_ends_of_periods():
    assert month_end(dt.date(2024, 12, 31)) == dt.date(2025, 1, 1)
    assert month_end(dt.date(2024, 2, 1)) == dt.date(2024, 3, 1)
    assert year_end(dt.date(2024, 4, 1)) == dt.date(2025, 4, 1) and year_end(dt.date(2025, 3, 31)) == dt.date(
        2025, 4, 1
    )
    assert [last_day(v) for v in ("2024-02", "2024", "2024-05-06")] == [
        dt.date(2024, 2, 29),
        dt.date(2024, 12, 31),
        dt.date(2024, 5, 6),
    ]


# Fuzz -------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_words(read, body):
    try:
        reading = read(
            ABSENCES, absences_csv("A1,山田,2026-03,1,0") + body, Limits(cell_characters=64, line_characters=200)
        )
    except DeliveryRefused as refusal:
        assert refusal.details["code"]
        return
    rows = {row for row, _, _ in faults(reading)}
    assert reading.rows_read == reading.rows_landed + len(rows)
    assert rows.isdisjoint(m["row"] for m in mentions(reading))


@settings(max_examples=100)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="cp932", exclude_characters="\0\x1a¢£¬‖−〜"), max_size=8),
            min_size=5,
            max_size=5,
        ),
        max_size=8,
    )
)
def test_any_table_keeps_its_row_numbers(read, rows):
    import csv
    import io

    out = io.StringIO(newline="")
    csv.writer(out).writerows([["A0", "先", "2026-03", "1", "0"], *rows])
    content = absences_csv() + out.getvalue().encode("cp932", "replace")
    reading = read(ABSENCES, content)
    assert reading.rows_read == reading.rows_landed + len({row for row, _, _ in faults(reading)})
    assert mentions(reading)[0]["row"] == 1


@given(
    st.sets(st.one_of(st.text(max_size=8), st.sampled_from(['="012"', "#N/A", "同上", "〃", "々木", "'12", " 012 ", "A-1", "同心町", "\r\n"])), max_size=8),
    st.sampled_from(["text", "name", "kana", "address", "identifier"]),
    st.sampled_from([0, 5]),
)  # fmt: skip
def test_texts_taken_all_at_once_are_what_each_is_by_itself(cells, kind, digits):
    column = LayoutColumn("x", kind, required=True, digits=digits if kind == "identifier" else 0)
    together = ColumnReader(column, LIMITS)
    together.learn(cells)
    alone = ColumnReader(column, LIMITS)
    assert together.memo == {cell: alone._value(cell) for cell in cells}

"""Tables whose columns are months are read as a record for each month; days aren't; what doesn't tell the year says so."""

from __future__ import annotations

import datetime as dt

import pytest
from test_draft_of_offices import draft, person
from test_layout_forms import BIRTH, NAME, column, facts, file, layout_of, names, read, workbook

from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.intake.dated_columns import dated_series, month_written, months_of
from kodomo.vault.records import PEOPLE_STEP

MONTHS = [*range(4, 13), 1, 2, 3]
NUMBER = '[[columns]]\nname = "番号"\ntype = "identifier"\nitem = "own"\nperson = "subject"\nfield = "own_number"\n'
DATED = (
    '[dated]\nname = "年月"\ncolumns = ["{}"]\n'
    '[record]\nidentity = ["番号", "年月"]\n'
    '[[columns]]\nname = "年月"\ntype = "month"\n'
    '[[columns]]\nname = "{}"\ntype = "integer"\nmaximum = 31\n'
    '[[facts]]\nitem = "absence"\nnumber = "{}"\nvalid_from = "年月"\nvalid_to = "month_end"\n'
)
WHOLE = file() + NUMBER + NAME + DATED


@pytest.mark.parametrize(
    ("header", "month"),
    [
        *[(text, "2025-04") for text in ("R7.4", "2025/04", "2025年4月", "令和7年4月分", "202504", "R7年度 4月", "R7/4月")],
        *[("令和7年度/1月", "2026-01"), ("２０２５．４", "2025-04"), ("2025-04-01", "2025-04-01"), ("平成31年4月", "2019-04")],
        *[("4月", "4月"), ("6/3(火)", "6/3"), ("12日", "12日")],
        *[(text, "") for text in ("欠席", "2025", "4", "5050401", "12345678", "令和7年度13月", "")],
    ],
)  # fmt: skip
def test_month_of_a_header(header, month):
    assert month_written(header) == month


def test_each_month_of_a_row_is_a_record_with_its_fact(tmp_path):
    found = read(tmp_path, WHOLE, "番号,氏名,R7.12,R8.1,備考\nA1,山田,3,0,\nA2,森,,2,\n".encode())
    assert names(found) == ["山田", "森", "山田", "森"]
    assert facts(found) == [
        (1, "absence", 3.0, None, "2025-12-01", "2026-01-01"),
        (1 + PEOPLE_STEP, "absence", 0.0, None, "2026-01-01", "2026-02-01"),
        (2 + PEOPLE_STEP, "absence", 2.0, None, "2026-01-01", "2026-02-01"),
    ]
    assert (found.rows_read, found.rows_landed, found.unexpected) == (2, 2, ["備考"])
    assert len(set(found.landing.rows["identity"].to_pylist())) == 4


def test_next_deliverys_columns_are_found_though_their_names_are_new_and_tell_of_the_same_records(tmp_path):
    old = read(tmp_path, WHOLE, "番号,氏名,R8.2,R8.3\nA1,山田,1,2\n".encode())
    new = read(tmp_path, WHOLE, "番号,氏名,2026/03,2026/04\nA1,山田,2,5\n".encode())
    told = [reading.landing.rows.to_pylist() for reading in (old, new)]
    assert told[0][1]["identity"] == told[1][0]["identity"] and told[0][1]["content"] == told[1][0]["content"]
    assert told[1][1]["identity"] not in {row["identity"] for row in told[0]}


def test_row_of_which_one_month_cannot_be_read_is_handed_back_whole_and_once(tmp_path):
    found = read(tmp_path, WHOLE, "番号,氏名,R7.4,R7.5\nA1,山田,3,99\nA2,森,1,1\n".encode())
    assert [(row, name) for row, name, _ in found.quarantined] == [(1, "{}")]
    assert (found.rows_landed, names(found)) == (1, ["森", "森"])


def test_two_values_of_each_month_and_a_header_of_two_rows(tmp_path):
    text = WHOLE.replace('["{}"]', '["{}/欠席", "{}/遅刻"]').replace('"{}"', '"{}/欠席"')
    text = text.replace('encoding = "utf-8"', 'encoding = "utf-8"\nheader_rows = 2')
    text += '[[columns]]\nname = "{}/遅刻"\ntype = "integer"\n'
    body = "番号,氏名,令和7年度4月,,令和7年度5月,\n,,欠席,遅刻,欠席,遅刻\nA1,山田,1,2,3,4\n"
    found = read(tmp_path, text, body.encode())
    assert [(f[2], f[4]) for f in facts(found)] == [(1.0, "2025-04-01"), (3.0, "2025-05-01")]


def test_dates_as_headers_of_a_sheet(tmp_path):
    path = workbook(
        tmp_path / "0.xlsx", {"S": [["番号", "氏名", dt.date(2025, 4, 1), dt.date(2025, 5, 1)], ["A1", "山田", 2, 0]]}
    )
    found = read(tmp_path, WHOLE.replace('"csv"\nencoding = "utf-8"', '"xlsx"'), path, "名簿_20260401.xlsx")
    assert [(f[2], f[4]) for f in facts(found)] == [(2.0, "2025-04-01"), (0.0, "2025-05-01")]


def test_months_without_a_year_take_it_from_the_files_name(tmp_path):
    joined = '[[columns]]\nname = "年度"\ntype = "fiscal_year"\nfound_in = "file_name"\nmatch = \'(令和\\d+年度)\'\n'
    joined += '[[columns]]\nname = "月"\ntype = "text"\n[[columns]]\nname = "年月"\ntype = "month"\njoin = ["年度", "月"]\nfiscal = true\n'
    text = WHOLE.replace('[dated]\nname = "年月"', '[dated]\nname = "月"').replace(
        '[[columns]]\nname = "年月"\ntype = "month"\n', joined
    )
    found = read(tmp_path, text, "番号,氏名,4月,1月\nA1,山田,3,1\n".encode(), "名簿_令和7年度.csv")
    assert [(f[2], f[4]) for f in facts(found)] == [(3.0, "2025-04-01"), (1.0, "2026-01-01")]


@pytest.mark.parametrize(
    ("header", "code"), [("番号,氏名,R7.4,2025/04", "month_twice"), ("番号,氏名,欠席,遅刻", "no_months")]
)
def test_file_whose_months_do_not_tell_is_refused(tmp_path, header, code):
    with pytest.raises(DeliveryRefused) as refusal:
        read(tmp_path, WHOLE, f"{header}\nA1,山田,3,9\n".encode())
    assert refusal.value.details["code"] == code


def test_far_too_many_days_are_refused():
    header = [f"2025{m:02}{d:02}" for m in range(1, 13) for d in range(1, 28)]
    with pytest.raises(DeliveryRefused):
        months_of(header, "日", ["{}"], "x.csv")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('["番号", "年月"]', '["番号"]', "「年月」も入れて"),
        ('columns = ["{}"]', 'columns = ["月"]', "{} 一つ"),
        ('columns = ["{}"]', 'columns = ["{}", "{}遅刻"]', "「{}遅刻」を columns にも"),
        ('valid_from = "年月"', 'valid_from = "生年月日"', "年月"),
        ('format = "csv"', 'format = "csv"\nheader_rows = 0', "見出しのある"),
    ],
)
def test_layout_that_would_lose_or_double_months_is_refused(tmp_path, old, new, words):
    text = (WHOLE + BIRTH).replace(old, new)
    if old.startswith("valid_from"):
        text = text.replace('number = "{}"\n', "")
    with pytest.raises(ConfigurationFault, match=words):
        layout_of(tmp_path, text)


def _table(tmp_path, heads, name="出欠_20260401.csv"):
    rows = [
        [f"{7000 + at}", person(at), f"H30.4.{at + 1}", *(str((at + m) % 4) for m in range(len(heads)))]
        for at in range(20)
    ]
    path = tmp_path / name
    path.write_text(
        "\n".join(",".join(row) for row in [["学籍番号", "児童氏名", "生年月日", *heads], *rows]), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("form", ["R{e}.{m}", "{y}/{m:02}", "令和{e}年{m}月", "{y}{m:02}", "欠席 {y}年{m}月分"])
def test_draft_of_months_of_certain_years_fits_next_years_file_too(tmp_path, form):
    def heads(year):
        return [form.format(y=year + (m < 4), e=year + (m < 4) - 2018, m=m) for m in MONTHS]

    body, columns, text = draft(_table(tmp_path, heads(2025)))
    template = "欠席{}" if "欠席" in form else "{}"
    assert body["dated"] == {"name": "年月", "columns": [template]}
    assert body["record"]["identity"] == ["学籍番号", "年月"] and "2025-04 から 2026-03" in text
    assert (columns["年月"]["type"], columns[template]["type"]) == ("month", "integer")
    assert dated_series(["学籍番号", *heads(2026)]) is not None and len(columns) == 5


def test_draft_of_months_without_a_year_asks_for_it_and_keeps_years_apart(tmp_path):
    body, columns, _ = draft(_table(tmp_path, [f"{m}月" for m in MONTHS], "出欠_令和7年度.csv"))
    assert body["repeat"][0]["for"] == [str(m) for m in MONTHS]
    assert body["record"]["identity"] == ["年度", "学籍番号"] and columns["年度"]["found_in"] == "file_name"


def test_draft_leaves_out_days_and_says_what_to_use(tmp_path):
    _, columns, text = draft(_table(tmp_path, [*(f"6/{d}" for d in range(1, 31)), "欠席計"], "出席簿_令和7年6月.csv"))
    assert columns["{}"]["ignore"] and columns["欠席計"]["type"] == "integer" and len(columns) == 6
    assert "月の合計" in text and columns["年月"]["found_in"] == "file_name"
    days = (
        file()
        + NUMBER
        + '[dated]\nname = "年月"\ncolumns = ["{}"]\n[[columns]]\nname = "{}"\ntype = "text"\nignore = "x"\n'
    )
    found = read(tmp_path, days, "番号,7/1(火),7/2(水),備考\nA1,○,×,\n".encode())
    assert (found.rows_landed, found.unexpected, column(found, "own_number")) == (1, ["備考"], ["A1"])

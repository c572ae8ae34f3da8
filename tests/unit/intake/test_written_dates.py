"""Every notation of a date that municipal systems print."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.intake.dates import DOUBTS, ERAS, first_day, read_date, read_month

WHOLE = {
    "R5.4.1": "2023-04-01", "r5.4.1": "2023-04-01", "Ｒ５．４．１": "2023-04-01", "R5/04/01": "2023-04-01", "R1-12-31": "2019-12-31",
    "令和5年4月1日": "2023-04-01", "令和元年5月1日": "2019-05-01", "令和０５年０４月０１日": "2023-04-01", "令5.4.1": "2023-04-01",
    "㋿5年4月1日": "2023-04-01", "㍻30年1月2日": "2018-01-02", "昭和 9年 9月 9日": "1934-09-09", "大正15年12月24日": "1926-12-24",
    "5050401": "2023-04-01", "５０５０４０１": "2023-04-01", "4310430": "2019-04-30", "3640107": "1989-01-07", "05050401": "2023-04-01",
    "20230401": "2023-04-01", "2023/4/1": "2023-04-01", "2023-04-01": "2023-04-01", "2023年4月1日": "2023-04-01",
    "2023/04/01 00:00:00": "2023-04-01", "2023-04-01T09:30:00": "2023-04-01", "2024年5月1日(水)": "2024-05-01", "2024/5/1（水曜日）": "2024-05-01",
    "45017": "2023-04-01", "2024.2.29": "2024-02-29", "R050401": "2023-04-01", "西暦2023年4月1日": "2023-04-01", "  R5.4.1　": "2023-04-01",
}  # fmt: skip

PARTIAL = {
    "昭和20年不詳": "1945", "昭和20年5月不詳": "1945-05", "昭和20年5月日不詳": "1945-05", "昭和20年月日不詳": "1945", "20190599": "2019-05",
    "20199999": "2019", "20190500": "2019-05", "1950/99/99": "1950", "S20.00.00": "1945", "昭和20年5月頃": "1945-05", "2019-05": "2019-05",
    "2019": "2019", "令和5年": "2023", "3209999": "1945",
}  # fmt: skip

UNKNOWN = [
    "",
    "　",
    "不詳",
    "不明",
    "9999999",
    "99999999",
    "9999/99/99",
    "0000000",
    "00000000",
    "-",
    "R99.99.99",
    "00000",
]

UNREADABLE = {
    "abc": "unreadable", "2023/2/29": "impossible", "令和5年4月31日": "impossible", "5051301": "impossible", "20231301": "impossible",
    "050401": "no_era", "R51231": "unreadable", "1/2/2024": "unreadable", "12": "unreadable", "R5.4.1から": "unreadable",
    "令和5年4月1日〜令和6年3月31日": "unreadable", "5月1日": "unreadable", "18000101": "unreadable", "X5.4.1": "unreadable",
}  # fmt: skip


@pytest.mark.parametrize(("text", "iso"), [*WHOLE.items(), *PARTIAL.items()])
def test_date_reads(text, iso):
    found = read_date(text)
    assert found.value == iso and found.is_readable
    assert ("partial" in found.doubts) == (len(iso) < 10)


@pytest.mark.parametrize("text", UNKNOWN)
def test_date_unknown_is_no_date_and_no_fault(text):
    assert read_date(text).value is None and read_date(text).is_readable


@pytest.mark.parametrize(("text", "doubt"), UNREADABLE.items())
def test_date_unreadable_is_never_guessed(text, doubt):
    found = read_date(text)
    assert found.value is None and not found.is_readable and found.doubts == (doubt,)


def test_date_of_six_digits_needs_the_declared_era():
    assert read_date("050401", "R").value == "2023-04-01"
    assert read_date("050401", "平成").value == "1993-04-01"


@pytest.mark.parametrize(
    ("text", "iso", "doubt"),
    [("平成31年5月1日", "2019-05-01", "after_era"), ("R1.4.30", "2019-04-30", "before_era"), ("明治45年7月30日", "1912-07-30", "after_era"),
     ("昭和64年1月8日", "1989-01-08", "after_era")],
)  # fmt: skip
def test_date_outside_its_era_is_read_with_a_doubt(text, iso, doubt):
    assert read_date(text).value == iso and read_date(text).doubts == (doubt,)


@pytest.mark.parametrize(
    ("text", "iso"),
    [("2024-05", "2024-05"), ("202405", "2024-05"), ("R6.5", "2024-05"), ("令和6年5月", "2024-05"), ("50605", "2024-05"), ("２０２４年５月", "2024-05"),
     ("令和元年5月", "2019-05"), ("2024/05/01", "2024-05"), ("20240531", "2024-05"), ("R0605", "2024-05"), ("2024-05-01 00:00:00", "2024-05")],
)  # fmt: skip
def test_month_reads(text, iso):
    assert read_month(text).value == iso


@pytest.mark.parametrize("text", ["5月", "2024", "令和6年", "0605", "202413", "50613", "x"])
def test_month_without_year_or_month_is_unreadable(text):
    assert read_month(text).value is None and not read_month(text).is_readable


def _notations(day: dt.date) -> list[str]:
    era = [e for e in ERAS if e.begins <= day][-1]
    year = day.year - era.begins.year + 1
    written = "元" if year == 1 else str(year)
    return [
        f"{era.letter}{year}.{day.month}.{day.day}", f"{era.letter}{year:02d}{day.month:02d}{day.day:02d}",
        f"{era.name}{written}年{day.month}月{day.day}日", f"{era.code}{year:02d}{day.month:02d}{day.day:02d}",
        f"0{era.code}{year:02d}{day.month:02d}{day.day:02d}", day.isoformat(), f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日", f"{era.name}{year:>2}年{day.month:>2}月{day.day:>2}日",
    ]  # fmt: skip


@given(st.dates(dt.date(1873, 1, 1), dt.date(2099, 12, 31)))
def test_date_means_the_same_in_every_notation(day):
    if day.year - 2018 > 80:
        return
    for text in _notations(day):
        wide = text.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)})
        assert read_date(text).value == day.isoformat(), text
        assert read_date(wide).value == day.isoformat(), wide


@given(st.text(max_size=24))
def test_date_reader_never_raises(text):
    for found in (read_date(text), read_month(text), read_date(text, "R")):
        assert set(found.doubts) <= set(DOUBTS)
        if found.value:
            assert 1868 <= first_day(found.value).year <= 2199


@given(st.from_regex(r"[MTSHRmt昭平令0-9年月日元/.\-不詳9 ]{1,14}", fullmatch=True))
def test_date_reader_never_raises_on_near_dates(text):
    found = read_date(text)
    assert found.value is None or first_day(found.value)

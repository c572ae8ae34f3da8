"""The extraction date is found as offices write it, and never where something else is written."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.intake.file_dates import date_by, date_in, year_match


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("住民_20250430.csv", "2025-04-30"),
        ("dump20250430123055.csv", "2025-04-30"),
        ("JUKI_ALL_R070430.txt", "2025-04-30"),
        ("異動者一覧表(R7.4.30現在).csv", "2025-04-30"),
        ("入所児童名簿 令和7年4月1日.xlsx", "2025-04-01"),
        ("名簿令和元年5月1日.csv", "2019-05-01"),
        ("住基5070430.dat", "2025-04-30"),
        ("jido_2025-04-30.csv", "2025-04-30"),
        ("名簿_2025_04_30.csv", "2025-04-30"),
        ("学齢簿2025.5.1.xls", "2025-05-01"),
        ("台帳_令和7年度_20250430.csv", "2025-04-30"),
        ("20250401-20250430.csv", "2025-04-30"),
        ("名簿_２０２５年４月３０日.csv", "2025-04-30"),
        ("出欠 2025年9月.csv", "2025-09-30"),
        ("出欠R7.4月分.csv", "2025-04-30"),
        ("R0704.csv", "2025-04-30"),
        ("接種_202504-06.csv", "2025-06-30"),
        ("健診 令和7年4月~9月.csv", "2025-09-30"),
        ("令和7年度_出欠_1月分.xlsx", "2026-01-31"),
    ],
)
def test_date_in_a_files_name(name, on):
    written = date_in(name)
    assert written is not None and written.on.isoformat() == on


@pytest.mark.parametrize(
    "name",
    ["R6妊娠届受付簿.xlsx", "出欠_2025.xlsx", "健診_250620.tsv", "SEIHO2506.DAT", "参加記録6月.xlsx", "2024-25.csv",
     "宛名_1234567.csv", "宛名_99999999.csv", "FR070430.csv", "file_v2.10.3.csv", "名簿.csv"],
)  # fmt: skip
def test_what_may_be_something_else_is_no_date(name):
    assert date_in(name) is None


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2090, 12, 31)),
    st.sampled_from(["{:%Y%m%d}", "{:%Y-%m-%d}", "{0.year}年{0.month}月{0.day}日"]),
)
def test_every_day_is_read_back_from_its_place(day, notation):
    text = notation.format(day)
    written = date_in(f"名簿_{text}.csv")
    assert written is not None and written.on == day
    assert f"名簿_{text}.csv"[written.start : written.start + 4] == f"{day.year}"


@given(st.text(max_size=40))
def test_no_text_breaks_it(text):
    date_in(text)
    date_by(r"(.*)", text)


def test_parts_that_stand_apart():
    written = date_by(r"年\s(\d{4})\s月\s(\d+)", "記録\n年\t2025\t月\t6")
    assert written is not None and written.on == dt.date(2025, 6, 30)
    assert date_by(r"(\d+)-(\d+)", "a") is None
    short = date_by(r"_(\d\d)(\d\d)(\d\d)\.", "健診_250620.tsv")
    assert short is not None and (short.on, short.start, short.end) == (dt.date(2025, 6, 20), 3, 9)


@pytest.mark.parametrize(
    "name",
    [
        "教師チェック_R6_1回.csv",
        "hokenshitsu_2024_1gakki.csv",
        "kakunin_2024_2kai.csv",
        "名簿_R7_2学期.xlsx",
        "R6-3組.csv",
        "健診R6_3歳.csv",
        "anke_R6_1.csv",
    ],
)
def test_a_count_beside_a_year_is_no_month(name):
    assert date_in(name) is None


@pytest.mark.parametrize(
    ("name", "year"), [("名簿_R7.csv", "R7"), ("R6年度名簿.csv", "R6年度"), ("名簿R7.4.30.csv", None)]
)
def test_the_year_of_a_files_name_ends_at_its_extension(name, year):
    pattern = year_match([name])
    found = re.search(pattern, name) if pattern else None
    assert (found and found.group(1)) == year

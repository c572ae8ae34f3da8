"""Every way a date is written gives the same ISO date, or the part of it that is known, and says what is doubtful."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.intake.dates import ERAS
from kodomo.intake.normal_forms.answer import answer
from kodomo.intake.normal_forms.loose_dates import DOUBTS, read_loosely
from kodomo.intake.towns.folding import in_kanji

WIDE = str.maketrans("0123456789./-", "０１２３４５６７８９．／－")
LIGATURES = {"明治": "㍾", "大正": "㍽", "昭和": "㍼", "平成": "㍻", "令和": "㋿"}
WEEKDAYS = "月火水木金土日"


def era_of(day: dt.date):
    era = [e for e in ERAS if e.begins <= day][-1]
    return era, day.year - era.begins.year + 1


def notations(day: dt.date) -> list[str]:
    """The same day as dozens of systems write it, none of them doubtful."""
    era, year = era_of(day)
    gannen = "元" if year == 1 else str(year)
    kanji = "元" if year == 1 else in_kanji(year)
    m, d, letter, name = day.month, day.day, era.letter, era.name
    written = [
        f"{name}{gannen}年{m}月{d}日", f"{name}{year}年{m}月{d}日", f"{name}{year:02d}年{m:02d}月{d:02d}日", f"{name} {year}年 {m}月 {d}日",
        f"{name}{kanji}年{in_kanji(m)}月{in_kanji(d)}日", f"{LIGATURES[name]}{gannen}年{m}月{d}日", f"{name[0]}{year}.{m}.{d}",
        f"{letter}{year}.{m}.{d}", f"{letter.lower()}{year}.{m}.{d}", f"{letter}{year:02d}.{m:02d}.{d:02d}", f"{letter}{year}/{m}/{d}",
        f"{letter}{year:02d}/{m:02d}/{d:02d}", f"{letter}{year}-{m}-{d}", f"{letter}{year:02d}{m:02d}{d:02d}", f"{letter}.{year}.{m}.{d}",
        f"{letter} {year:2d}. {m:2d}. {d:2d}", f"{letter}{gannen}年{m}月{d}日", f"{era.code}{year:02d}{m:02d}{d:02d}",
        f"{era.code}-{year:02d}-{m:02d}-{d:02d}", f"{name}{year}({day.year})年{m}月{d}日", f"{day.year}({name}{gannen})年{m}月{d}日",
        f"{day.year}年({name}{gannen}年){m}月{d}日", f"{day.year}年{m}月{d}日({name}{gannen}年{m}月{d}日)",
        day.isoformat(), f"{day.year}/{m}/{d}", f"{day.year}.{m}.{d}", f"{day.year}年{m}月{d}日", f"西暦{day.year}年{m:02d}月{d:02d}日",
        f"{day:%Y%m%d}", f"{day.isoformat()}T00:00:00", f"{day.isoformat()} 00:00:00", f"{day.year}/{m}/{d} 0:00", f"{day.isoformat()}T09:30:00+09:00",
        f"{day.isoformat()}T00:00:00.000Z", f"{day.year}/{m}/{d}({WEEKDAYS[day.weekday()]})", f"{day.year}年{m}月{d}日({WEEKDAYS[day.weekday()]}曜日)",
        f"{''.join('〇一二三四五六七八九'[int(c)] for c in str(day.year))}年{in_kanji(m)}月{in_kanji(d)}日", f"{day:%Y%m%d}103000",
        f"「{name}{year}年{m}月{d}日」", f"{letter}{year} {m} {d}", f"{day.year} {m} {d}", f"{letter}{year}，{m}，{d}", f"{day:%Y%m%d}T000000",
        f"{name}{year}年{m}月{d}日生", f"{name}{year}年{m}月{d}日 生まれ", f"生年月日:{name}{year}年{m}月{d}日", f"'{day.year}/{m}/{d}",
    ]  # fmt: skip
    return [*written, *(w.translate(WIDE) for w in written), f"  {written[0]}　", f"({written[7]})"]


SOME_DAYS = [
    "2024-04-01",
    "2019-05-01",
    "2019-04-30",
    "2020-02-29",
    "1989-01-08",
    "1989-01-07",
    "1926-12-26",
    "1912-07-29",
    "2000-12-31",
    "1945-08-05",
]


@pytest.mark.parametrize("iso", SOME_DAYS)
def test_every_notation_of_a_day_is_that_day_without_doubt(iso: str) -> None:
    for text in notations(dt.date.fromisoformat(iso)):
        found = read_loosely(text)
        assert (found.value, found.doubts) == (iso, ()), text


@given(st.dates(dt.date(1873, 1, 1), dt.date(2060, 12, 31)), st.data())
def test_notations_of_any_day_agree(day: dt.date, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(notations(day)))
    assert read_loosely(text).value == day.isoformat(), text


# text: (value, doubts)
KNOWN_IN_PART = {
    "令和6年4月": ("2024-04", ["is_month"]), "R6.4": ("2024-04", ["is_month"]), "2024-04": ("2024-04", ["is_month"]), "2024年4月": ("2024-04", ["is_month"]),
    "令和6年": ("2024", ["is_year"]), "R6": ("2024", ["is_year"]), "平31": ("2019", ["is_year"]), "昭和64": ("1989", ["is_year"]), "2024年": ("2024", ["is_year"]),
    "2024": ("2024", ["is_year"]), "令和元年": ("2019", ["is_year"]), "S60.00.00": ("1985", ["is_year"]), "昭和60年00月00日": ("1985", ["is_year"]),
    "昭和60年99月99日": ("1985", ["is_year"]), "19850099": ("1985", ["is_year"]), "19850500": ("1985-05", ["is_month"]), "3600000": ("1985", ["is_year"]),
    "昭和60年5月不詳": ("1985-05", ["is_month"]), "昭和60年5月日不詳": ("1985-05", ["is_month"]), "昭和60年月日不明": ("1985", ["is_year"]),
    "昭和20年頃": ("1945", ["is_year", "approximate"]), "昭和20年5月ごろ": ("1945-05", ["is_month", "approximate"]),
    "推定昭和20年": ("1945", ["is_year", "approximate"]), "昭和20年(推定)": ("1945", ["is_year", "approximate"]), "約1945年": ("1945", ["is_year", "approximate"]),
    "令和6年4月1日頃": ("2024-04-01", ["approximate"]), "令和6年度": ("2024", ["fiscal_year", "is_year"]), "2024年度": ("2024", ["fiscal_year", "is_year"]),
    "R6年度": ("2024", ["fiscal_year", "is_year"]), "2024-2025年度": (None, ["unreadable"]), "令和6年4月上旬": ("2024-04", ["part_of_month", "is_month"]),
    "令和6年4月末": ("2024-04", ["part_of_month", "is_month"]), "令和6年春": ("2024", ["season", "is_year"]), "202404": ("2024-04", ["is_month"]),
    "1985-05-??": ("1985-05", ["is_month"]), "1985/05/XX": ("1985-05", ["is_month"]), "S60.5.*": ("1985-05", ["is_month"]), "昭和60年??月??日": ("1985", ["is_year"]),
    "令和六年四月": ("2024-04", ["is_month"]), "二〇二四年": ("2024", ["is_year"]),
}  # fmt: skip

WITH_A_GUESS = {
    "060401": ("2024-04-01", ["era_guessed"]), "300401": ("2018-04-01", ["era_guessed"]), "600401": ("1985-04-01", ["era_guessed"]), "6.4.1": ("2024-04-01", ["era_guessed"]),
    "6年4月1日": ("2024-04-01", ["era_guessed"]), "30年4月1日": ("2018-04-01", ["era_guessed"]), "24/4/1": ("2024-04-01", ["two_digit_year"]), "98/4/1": ("1998-04-01", ["two_digit_year"]),
    "6/4/1": ("2024-04-01", ["era_guessed"]), "85.4.1": ("1985-04-01", ["two_digit_year"]), "850401": ("1985-04-01", ["two_digit_year"]), "令和6年4月1日以降": ("2024-04-01", ["approximate"]),
    "2024年4月1日生（3歳）": ("2024-04-01", ["extra_words"]), "'24.4.1": ("2024-04-01", ["two_digit_year"]), "45,383": ("2024-04-01", ["serial"]),
    "1 Apr 2024": ("2024-04-01", ["english"]), "1st April 2024": ("2024-04-01", ["english"]), "April 1, 2024": ("2024-04-01", ["english"]), "Mon, 1 Apr 2024": ("2024-04-01", ["english"]),
    "2024-Apr-01": ("2024-04-01", ["english"]), "1-Apr-24": ("2024-04-01", ["english", "two_digit_year"]), "Apr-24": ("2024-04", ["english", "two_digit_year", "is_month"]),
    "Apr 2024": ("2024-04", ["english", "is_month"]), "12/31/2024": ("2024-12-31", ["year_last"]), "31/12/2024": ("2024-12-31", ["year_last"]), "4/4/2024": ("2024-04-04", ["year_last"]),
    "45383": ("2024-04-01", ["serial"]), "45383.0": ("2024-04-01", ["serial"]), "45383.75": ("2024-04-01", ["serial"]), "４５３８３": ("2024-04-01", ["serial"]),
    "R6.4.1〜R7.3.31": ("2024-04-01", ["range"]), "令和6年4月1日から": ("2024-04-01", ["range"]), "2024/4/1～2025/3/31": ("2024-04-01", ["range"]),
    "令和6年4月1日 転入": ("2024-04-01", ["extra_words"]), "平成31年5月1日": ("2019-05-01", ["after_era"]), "昭和65年1月1日": ("1990-01-01", ["after_era"]),
    "平成元年1月1日": ("1989-01-01", ["before_era"]), "R1.4.30": ("2019-04-30", ["before_era"]), "明治5年1月1日": ("1872-01-01", ["lunar"]),
    "令和6(2023)年4月1日": ("2024-04-01", ["calendars_differ"]), "2024年4月1日(平成6年4月1日)": ("2024-04-01", ["calendars_differ"]),
}  # fmt: skip

NO_DATE = {
    "9999/99/99": "unknown", "99999999": "unknown", "9999999": "unknown", "0000/00/00": "unknown", "00000000": "unknown", "不明": "unknown", "不詳": "unknown",
    "生年月日不詳": "unknown", "生年月日が不明": "unknown", "未詳": "unknown", "未記入": "unknown", "令和　年　月　日": "unknown", "年　月　日": "unknown", "----": "unknown",
    "**": "unknown", "NULL": "unknown", "なし": "unknown", "R99.99.99": "unknown", "2023-02-29": "impossible", "令和5年2月29日": "impossible",
    "令和6年4月31日": "impossible", "2024/13/1": "impossible", "20240230": "impossible", "5061301": "impossible", "4月1日": "no_year", "4/1": "no_year", "12.25": "no_year",
    "4/1/2024": "year_last", "abc": "unreadable", "令和": "unreadable", "13": "unreadable", "12345678": "unreadable", "山田太郎": "unreadable",
    "-1": "unreadable", "2024年4月1日4日": "unreadable", "X5.4.1": "unreadable", "R51231": "unreadable", "6060401": "unreadable", "🏠": "unreadable",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*KNOWN_IN_PART.items(), *WITH_A_GUESS.items()])
def test_what_is_known_in_part_or_by_a_guess_says_so(text: str, expected: tuple[str | None, list[str]]) -> None:
    found = read_loosely(text)
    assert (found.value, list(found.doubts)) == expected


@pytest.mark.parametrize(("text", "doubt"), NO_DATE.items())
def test_what_is_no_date_has_no_value_and_a_reason(text: str, doubt: str) -> None:
    found = read_loosely(text)
    assert found.value is None and found.doubts[0] == doubt


def test_a_guess_tells_the_other_days_it_could_be() -> None:
    found = answer("date", "060401")
    assert found.parts["candidates"] == ["2024-04-01", "1994-04-01", "1931-04-01", "2006-04-01"]


@pytest.mark.parametrize(
    ("text", "era"),
    [("2024-04-01", "令和6年4月1日"), ("2019-04-30", "平成31年4月30日"), ("2019-05", "令和元年5月"), ("2019", None), ("2020", "令和2年"), ("1989-01", None)],
)  # fmt: skip
def test_parts_show_the_japanese_calendar_where_it_is_certain(text: str, era: str | None) -> None:
    assert answer("date", text).parts["era"] == era


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_has_a_reason(text: str) -> None:
    found = read_loosely(text)
    assert found.doubts or found.value
    assert all(d in DOUBTS for d in found.doubts)
    if found.value:
        assert read_loosely(found.value).value == found.value


@pytest.mark.parametrize("written", ["4-24-05-01", "4-240501", "424.05.01", "４／２４０５０１"])
def test_the_code_of_an_era_may_stand_apart(written: str) -> None:
    assert answer("date", written).value == "2012-05-01"

from __future__ import annotations

import datetime as dt
import random

import pytest

from kodomo.assessment.case_numbers import check_digit, fiscal_year, is_case_number, new_case_number
from kodomo.assessment.dates import era_year, fiscal_year_label, long_date, read_date, short_date
from kodomo.assessment.evidence import age_words
from kodomo.assessment.states import DATED_DECISIONS, REASON_CODES, REVEAL_PURPOSES, CaseState
from kodomo.terms import Decision, plain_number

DAY = dt.date(2026, 4, 2)


# 数 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(1.2e6, 4, "1,200,000"), (2026, 4, "2026"), (7686.0, 4, "7686"), (12345.5, 1, "12,345.5"), (0.1 + 0.2, 4, "0.3"),
     (-0.00001, 4, "0"), (-25000, 0, "-25,000"), (100, 0, "100"), (2.5, 0, "2")],
)  # fmt: skip
def test_a_number_is_written_as_staff_read_it(value: float, decimals: int, expected: str) -> None:
    assert plain_number(value, decimals) == expected


def test_a_difference_carries_its_sign() -> None:
    assert [plain_number(value, 1, "+") for value in (12000, -3.04, 0.0)] == ["+12,000", "-3", "0"]


@pytest.mark.parametrize(
    ("born", "is_child", "expected"),
    [((2008, 3), True, "18歳"), ((2008, 3), False, "10代"), ((2008, 5), True, "17歳"), ((2007, 1), False, "10代"),
     ((1990, 4), False, "30代"), ((1960, 4), False, "65歳以上")],
)  # fmt: skip
def test_a_child_of_18_has_years_and_a_grown_up_a_decade(born: tuple[int, int], is_child: bool, expected: str) -> None:
    assert age_words(dt.date(*born, 1), DAY, is_child=is_child) == expected


# 和暦 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2019, 5, 1), "令和元年"),
        (dt.date(2019, 4, 30), "平成31年"),
        (dt.date(1989, 1, 8), "平成元年"),
        (dt.date(1989, 1, 7), "昭和64年"),
        (dt.date(1926, 12, 25), "昭和元年"),
        (dt.date(1926, 12, 24), "大正15年"),
        (dt.date(1912, 7, 30), "大正元年"),
        (dt.date(1912, 7, 29), "明治45年"),
        (dt.date(1873, 1, 1), "明治6年"),
        (dt.date(1872, 12, 31), ""),
    ],
)
def test_an_era_begins_on_its_first_day(day: dt.date, expected: str) -> None:
    assert era_year(day) == expected


def test_dates_carry_both_years() -> None:
    assert long_date(DAY) == "2026年4月2日(令和8年)"
    assert short_date(DAY) == "2026/04/02(令8)"
    assert short_date(dt.date(2019, 5, 1)) == "2019/05/01(令元)"
    assert long_date(dt.date(1850, 1, 1)) == "1850年1月1日"
    assert fiscal_year_label(2018) == "平成30年度"
    assert fiscal_year_label(2019) == "令和元年度"


@pytest.mark.parametrize(
    "text",
    ["2026-04-02", "2026/4/2", "2026年4月2日", "令和8年4月2日", "R8.4.2", "r8/4/2", "２０２６－０４－０２", "令和８年 ４月２日"],
)  # fmt: skip
def test_a_date_is_read_as_hands_write_it(text: str) -> None:
    assert read_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-30", "令和8年13月1日", "平成40年1月1日", "令和元年4月30日", "昭和0年1月1日", "明日", "20260402", "X8.4.2", "26-4-2"],
)  # fmt: skip
def test_what_is_no_date_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_date(text)


def test_every_day_of_an_era_reads_back() -> None:
    for offset in range(0, 50_000, 97):
        day = dt.date(1890, 1, 1) + dt.timedelta(days=offset)
        written = f"{era_year(day)}{day.month}月{day.day}日"
        assert read_date(written) == day


# 仮番号 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "year"), [(dt.date(2026, 3, 31), 2025), (dt.date(2026, 4, 1), 2026)])
def test_the_fiscal_year_begins_in_april(day: dt.date, year: int) -> None:
    assert fiscal_year(day) == year
    assert new_case_number(day, (), random.Random(1)).startswith(f"{year}-")  # noqa: S311


def test_every_single_wrong_digit_is_noticed_and_most_swaps() -> None:
    number = new_case_number(DAY, (), random.Random(3))  # noqa: S311
    head, digits = number.split("-")
    for place in range(7):
        for digit in "0123456789":
            wrong = digits[:place] + digit + digits[place + 1 :]
            assert is_case_number(f"{head}-{wrong}") is (wrong == digits)


@pytest.mark.parametrize("text", ["", "2026", "2026-12", "2026-123456x", "２０２６-0001234", "2026-00012345", "x-1"])
def test_other_text_is_no_case_number(text: str) -> None:
    assert not is_case_number(text)


def test_a_taken_number_is_not_given_again() -> None:
    class Stubborn(random.Random):
        drawn = iter([123, 123, 456])

        def randrange(self, *_: object) -> int:  # type: ignore[override]
            return next(self.drawn)

    first = new_case_number(DAY, (), Stubborn())
    assert first == f"2026-000123{check_digit('000123')}"
    assert new_case_number(DAY, {first}, Stubborn()).startswith("2026-000456")


# Words --------------------------------------------------------------------------------------------


def test_every_decision_has_reasons_and_a_state() -> None:
    assert set(REASON_CODES) == set(Decision)
    assert {d.value for d in Decision} <= {s.value for s in CaseState}
    for codes in REASON_CODES.values():
        assert any(code.endswith("9") for code in codes) and len(codes) >= 3
    every = [code for codes in REASON_CODES.values() for code in codes]
    assert len(every) == len(set(every))


def test_every_decision_but_one_is_followed_up() -> None:
    assert set(Decision) - set(DATED_DECISIONS) == {Decision.NO_ACTION}


def test_no_word_calls_a_child_dangerous() -> None:
    text = str(REASON_CODES) + str(REVEAL_PURPOSES) + "".join(s.label + s.description for s in CaseState)
    assert "危険" not in text and "リスク" not in text

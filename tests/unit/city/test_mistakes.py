"""Notations: dates in 和暦, addresses, kana, and one clerk's steadiness."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from kodomo.city import eras, kana
from kodomo.city.mistakes import Manner, Scribe, write_address
from kodomo.city.names import Address, Given, Surname, Town
from kodomo.city.people import Person, Stay

DAY = dt.date(2023, 4, 1).toordinal()


def day(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()


def test_dates_in_every_notation() -> None:
    assert eras.kanji(DAY) == "令和5年4月1日"
    assert eras.letters(DAY) == "R05.04.01"
    assert eras.short_letters(DAY) == "R5.4.1"
    assert eras.seven_digits(DAY) == "5050401"
    assert eras.slashes(DAY) == "2023/04/01"
    assert eras.short_slashes(DAY) == "2023/4/1"


def test_eras_change_on_their_day() -> None:
    assert eras.kanji(day("2019-04-30")) == "平成31年4月30日"
    assert eras.kanji(day("2019-05-01")) == "令和元年5月1日"
    assert eras.kanji(day("1989-01-07")) == "昭和64年1月7日"
    assert eras.overrun(day("2019-05-01")) == "平成31年5月1日"
    assert eras.overrun(DAY) == "令和5年4月1日"


@pytest.mark.parametrize(
    ("born", "grade"), [("2016-04-02", 3), ("2016-04-01", 4), ("2017-04-01", 3), ("2019-04-02", 0)]
)
def test_first_of_april_belongs_to_the_earlier_school_year(born: str, grade: int) -> None:
    assert eras.grade_in(day(born), 2025) == grade


def test_kana_as_old_systems_print_it() -> None:
    assert kana.half_width("ガッコウ　キョウコ") == "ｶﾞｯｺｳ ｷｮｳｺ"
    assert kana.large_letters("キョウヘイ") == "キヨウヘイ"
    assert kana.drop_marks("ヤマザキ") == "ヤマサキ"
    assert kana.hiragana("ヴァン アン").encode("cp932")


HOME = Address(Town("鈴ヶ森", "スズガモリ", "9990013", 4, 2), 2, 13, 4, "ひなたハイツ", "203")


def test_addresses_in_several_notations() -> None:
    rng = random.Random(1)  # noqa: S311
    assert write_address(HOME, "register", rng) == "ひなた市鈴ヶ森２丁目１３番４号　ひなたハイツ２０３号"
    written = {
        write_address(HOME, style, rng) for style in ("plain", "hyphen", "kanji", "prefecture") for _ in range(40)
    }
    assert any("2-13-4" in w for w in written)
    assert any("二丁目" in w for w in written)
    assert any("鈴ケ森" in w for w in written)
    assert any(w.startswith("架空県") for w in written)
    assert any("203" not in w for w in written)


def person(**more: object) -> Person:
    made = Person("P1", "F", day("2014-06-05"), Given("優菜", "ユウナ"), [(0, Surname("髙橋", "タカハシ"))], **more)  # type: ignore[arg-type]
    made.stays.append(Stay(day("2014-06-05"), "0000000001", "30000001", HOME, "子", "出生"))
    return made


def test_one_clerk_writes_a_person_the_same_way_twice() -> None:
    scribe = Scribe(1, "school", Manner(jis=0.5, homophone=0.5, kana_slip=0.5, address_style="mixed"))
    child = person()
    assert scribe.names(child, DAY) == scribe.names(child, DAY)
    assert scribe.address(child, DAY) == scribe.address(child, DAY)
    assert scribe.born(child) == scribe.born(child)


def test_schools_write_jis_forms_and_registers_private_ones() -> None:
    assert Scribe(1, "a", Manner(jis=1.0)).name(person(), DAY) == "高橋　優菜"
    assert Scribe(1, "a", Manner(private_use=1.0)).name(person(), DAY) == "\ue001橋　優菜"
    assert Scribe(1, "a", Manner(geta=1.0)).name(person(), DAY) == "〓橋　優菜"
    assert Scribe(1, "a", Manner(homophone=1.0, jis=1.0)).name(person(), DAY) in ("高橋　悠菜", "高橋　優奈")


def test_a_name_before_the_divorce_lives_on() -> None:
    child = person()
    child.surnames.append((DAY - 100, Surname("林", "ハヤシ")))
    assert Scribe(1, "a", Manner()).name(child, DAY) == "林　優菜"
    assert Scribe(1, "a", Manner(stale_name=1.0, jis=1.0)).name(child, DAY) == "高橋　優菜"

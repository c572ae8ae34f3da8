"""Entries of a monthly list: each is one child's, and tells by itself whose."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from .paper import Paper
from .test_call_names import town_of


def told(paper: Paper, months: list[tuple[int, int]], name: str, **said: str) -> list[tuple[str, int]]:
    return [
        paper.row("npo", subject={"name": name, **said}, known_from=dt.date(year, month, 28)) for year, month in months
    ]


def pupil(paper: Paper, number: int, name: str, kana: str, born: str, school: str) -> tuple[str, int]:
    who = paper.resident(f"100{number}", name, kana, born, household_number=f"H{number}")
    paper.row("roster", subject={"name": name, "school": school, "own_number": f"S{number}", "born_on": born})
    return who


def test_entry_told_in_another_way_month_after_month_is_not_the_first_ones_child_for_nothing(
    paper: Paper, model_file: Path
) -> None:
    """みずむ of 浜小, eight years old, and みずむ of the third grade stand on one list each month."""
    town_of(paper)
    here = pupil(paper, 1, "石井 瑞夢", "ｲｼｲ ﾐｽﾞﾑ", "2017-02-11", "浜小学校")
    pupil(paper, 2, "木村 瑞武", "ｷﾑﾗ ﾐｽﾞﾑ", "2016-07-13", "川小学校")
    months = [(2025, month) for month in range(5, 13)]
    with_school = told(paper, months, "みずむさん", age="8", school="浜小学校")
    with_grade = told(paper, months[1:6], "みずむさん", grade="小3")
    linked = paper.link(model_file)
    assert {linked.person(line) for line in with_school} == {linked.person(here)}
    assert {linked.person(line) for line in with_grade} == {None}


def test_ages_that_fit_one_birthday_throughout_are_no_slips_about_a_child_of_another(
    paper: Paper, model_file: Path
) -> None:
    """Once a month for a year and a half the list turns a year on in November: who was born in July is not meant."""
    town_of(paper)
    pupil(paper, 1, "石井 絵音", "ｲｼｲ ｴﾈ", "2018-07-28", "浜小学校")
    for number, day in enumerate(["2019-06-13", "2019-06-25", "2019-08-17"]):
        paper.resident(f"200{number}", f"木村 {'恵絵依'[number]}音", "ｷﾑﾗ ｴﾈ", day, household_number=f"K{number}")
    months = [(2024 + at // 12, at % 12 + 1) for at in range(5, 24)]
    lines = [
        told(paper, [(year, month)], "えねちゃん", age=str(year - 2018 - (month < 11)),
             **({"school": "浜小学校"} if (year, month) > (2025, 4) else {}))[0] for year, month in months
    ]  # fmt: skip
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {None}


def test_child_told_now_with_the_age_and_now_with_the_grade_is_one(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    only = pupil(paper, 1, "石井 瑞夢", "ｲｼｲ ﾐｽﾞﾑ", "2017-02-11", "浜小学校")
    pupil(paper, 2, "木村 瑞武", "ｷﾑﾗ ﾐｽﾞﾑ", "2012-07-13", "川小学校")
    months = [(2025, month) for month in range(5, 13)]
    lines = told(paper, months, "みずむさん", age="8") + told(paper, months[::2], "みずむさん", grade="小3")
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {linked.person(only)}


def test_surname_with_a_beginning_that_fits_too_many_is_told_to_its_holder_too(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    for number, (name, kana) in enumerate(zip("蓮玲伶怜礼令麗", "ﾝｲｵｲｲｲｲ", strict=True)):
        paper.resident(f"300{number}", f"石井 {name}{number}太", f"ｲｼｲ ﾚ{kana}ﾀ", f"2016-06-0{number + 1}", household_number=f"R{number}")  # fmt: skip
    line = told(paper, [(2025, 9)], "石井れ", age="9")[0]
    linked = paper.link(model_file)
    assert linked.person(line) is None and not linked.doubts(line)
    assert [one["rows"] for one in linked.figures["called"]["undecided"]] == [1]

"""Sheets of a year that call a child by a call name: age, grade and town find the one child, or a person is asked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kodomo.linkage import calls
from kodomo.linkage.command import undecided_lines

from .paper import Paper

MAY = dt.date(2025, 5, 30)


def sheet(paper: Paper, name: str, source: str = "npo", **body: str) -> tuple[str, int]:
    """A row of a sheet with a column for each month, of which it was in time for the first."""
    days = [dt.date(2025, month, 1) for month in (4, 7, 12)]
    said = [{"item": "meals", "number": 1.0, "valid_from": day, "known_from": day + dt.timedelta(60)} for day in days]
    return paper.row(source, subject={"name": name, **body}, known_from=MAY, said=said)


def town_of(paper: Paper) -> None:
    """Twenty towns with somebody in each."""
    for number in range(20):
        paper.resident(f"8{number:03}", f"西 {number}", f"ﾆｼ ｱ{'ｱｲｳｴｵ'[number % 5]}", "1970-01-01", address=f"第{'一二三四五六七八九十'[number % 10]}町{number}-1")  # fmt: skip


def test_one_child_of_that_age_in_that_town_is_meant(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    rio = paper.resident("1001", "石井 莉央", "ｲｼｲ ﾘｵ", "2014-11-01", "女", address="浜町1-1")
    paper.resident("1002", "木村 理央", "ｷﾑﾗ ﾘｵ", "2014-08-01", "女", address="川町5-5")
    here = sheet(paper, "りおちゃん", age="10", grade="小5", address="浜町")
    either = sheet(paper, "りおちゃん", source="other", age="10", grade="小5")
    older = sheet(paper, "りおちゃん", source="third", age="13", grade="中2", address="浜町")
    linked = paper.link(model_file)
    assert (linked.person(here), linked.rule(here)) == (linked.person(rio), "AGE")
    assert linked.person(either) is None and len(linked.doubts(either)) == 2
    assert linked.person(older) is None


def test_who_comes_from_elsewhere_is_no_resident_of_that_name(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    rio = paper.resident("1001", "石井 莉央", "ｲｼｲ ﾘｵ", "2014-11-01", "女", address="浜町1-1")
    here, elsewhere, next_town = (
        sheet(paper, "りおちゃん", source=source, age="10", grade="小5", address=town)
        for source, town in (("npo", "浜町"), ("other", "市外"), ("third", "他市町村(隣町)"))
    )
    linked = paper.link(model_file)
    assert linked.person(here) == linked.person(rio)
    assert linked.person(elsewhere) is None is linked.person(next_town)
    assert not linked.doubts(elsewhere) and not linked.doubts(next_town)


def test_age_of_a_years_sheet_was_asked_some_day_of_the_year(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    ken = paper.resident("1001", "石井 健人", "ｲｼｲ ｹﾝﾄ", "2016-01-20", address="浜町1-1")
    paper.resident("1002", "木村 研人", "ｷﾑﾗ ｹﾝﾄ", "2019-06-20", address="浜町5-5")
    spring = sheet(paper, "けんとくん", age="9", address="浜町")
    winter = sheet(paper, "けんとくん", source="other", age="10", address="浜町")
    linked = paper.link(model_file)
    assert linked.person(spring) == linked.person(winter) == linked.person(ken)


@pytest.mark.parametrize("at_once", [1, calls.PAIRS_AT_ONCE])
def test_beginning_of_a_name_needs_the_single_child_of_that_age_in_the_town(
    paper: Paper, model_file: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """However few names are looked at together."""
    monkeypatch.setattr(calls, "PAIRS_AT_ONCE", at_once)
    town_of(paper)
    haruto = paper.resident("1001", "石井 陽翔", "ｲｼｲ ﾊﾙﾄ", "2016-08-01", address="浜町1-1")
    for number, (name, kana) in enumerate([("木村 陽香", "ｷﾑﾗ ﾊﾙｶ"), ("森 晴樹", "ﾓﾘ ﾊﾙｷ")]):
        paper.resident(f"200{number}", name, kana, "2016-07-01", address="川町5-5", household_number=f"K{number}")
    one = sheet(paper, "はるくん", age="9", grade="小3", address="浜町")
    two = sheet(paper, "はるちゃん", source="other", age="9", grade="小3", address="川町")
    nowhere = sheet(paper, "はるちゃん", source="third", age="9", grade="小3")
    linked = paper.link(model_file)
    assert linked.person(one) == linked.person(haruto)
    assert linked.person(two) is None and len(linked.doubts(two)) == 2
    assert linked.person(nowhere) is None and len(linked.doubts(nowhere)) == 3


def test_given_name_with_an_age_is_enough_where_it_is_the_only_one(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    only = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2017-08-01", address="浜町1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2012-08-01", address="川町5-5")
    fits = sheet(paper, "たけひさ", age="8", grade="小2")
    age_alone = sheet(paper, "たけひさ", source="other", age="8")
    no_such_grade = sheet(paper, "たけひさ", source="third", age="8", grade="小5")
    begun = sheet(paper, "たけくん", source="fourth", age="8")
    linked = paper.link(model_file)
    assert linked.person(fits) == linked.person(age_alone) == linked.person(only)
    assert linked.person(begun) is None and len(linked.doubts(begun)) == 1
    assert linked.person(no_such_grade) is None


def visit(paper: Paper, on: str, name: str, age: str, school: str = "", grade: str = "") -> tuple[str, int]:
    """A line of a club's book, written on a day."""
    told = {key: value for key, value in (("age", age), ("school", school), ("grade", grade)) if value}
    return paper.row("club", subject={"name": name, **told}, known_from=dt.date.fromisoformat(on))


def test_one_name_at_two_schools_in_one_grade_is_each_schools_child_and_nobody_without_a_school(
    paper: Paper, model_file: Path
) -> None:
    """Two children of one call name come to one club, and their lines can't be told apart where the school is left out."""
    town_of(paper)
    children = []
    for number, (name, kana, born, school) in enumerate([
        ("石井 薫", "ｲｼｲ ｶｵﾙ", "2010-06-08", "浜中学校"), ("木村 薫", "ｷﾑﾗ ｶｵﾙ", "2010-05-29", "川中学校"),
    ]):  # fmt: skip
        children.append(paper.resident(f"100{number}", name, kana, born))
        pupil = {"name": name, "school": school, "grade": "3", "own_number": f"S{number}", "born_on": born}
        paper.row("roster", subject=pupil)
    lines = [
        visit(paper, day, "かおる", "14", school, grade)
        for day, school, grade in [
            ("2025-05-10", "浜中学校", "3"), ("2025-05-12", "川中学校", "3"), ("2025-05-20", "浜中学校", "3"),
            ("2025-05-22", "", ""), ("2025-05-24", "川中学校", "3"), ("2025-05-26", "浜中学校", "3"),
        ]
    ]  # fmt: skip
    linked = paper.link(model_file)
    beach, river = (linked.person(child) for child in children)
    assert [linked.person(line) for line in lines] == [beach, river, beach, None, river, beach]


def test_district_told_is_the_towns_that_begin_with_its_name_and_an_unknown_one_tells_nothing(
    paper: Paper, model_file: Path
) -> None:
    """大字大植字日浦 is 大植 to those who live there; はま地区 is on no register."""
    town_of(paper)
    ours = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2015-08-01", address="大字大植字日浦1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2015-07-01", address="大字川口字日浦5-5", household_number="K2")
    only = paper.resident(
        "1003", "森 莉央", "ﾓﾘ ﾘｵ", "2015-06-01", "女", address="大字川口字新田2-2", household_number="K3"
    )
    known = paper.row("club", subject={"name": "たけひさ", "age": "9", "address": "大植"}, known_from=MAY)
    unknown = paper.row("club", subject={"name": "りおちゃん", "age": "9", "address": "はま地区"}, known_from=MAY)
    linked = paper.link(model_file)
    assert linked.person(known) == linked.person(ours)
    assert linked.person(unknown) == linked.person(only)


def test_town_a_child_left_before_the_register_was_handed_in_is_told_by_another_list(
    paper: Paper, model_file: Path
) -> None:
    town_of(paper)
    moved = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2015-08-01", address="浜町1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2015-07-01", address="森町5-5", household_number="K2")
    paper.resident("1003", "森 莉央", "ﾓﾘ ﾘｵ", "2012-07-01", "女", address="川町5-5", household_number="K3")
    paper.row(
        "allowance",
        subject={
            "name": "石井 岳久",
            "name_kana": "ｲｼｲ ﾀｹﾋｻ",
            "born_on": "2015-08-01",
            "sex": "男",
            "address": "川町2-2",
        },
    )
    line = paper.row("club", subject={"name": "たけひさ", "age": "9", "address": "川町"}, known_from=MAY)
    linked = paper.link(model_file)
    assert linked.person(line) == linked.person(moved) is not None


def test_bare_number_among_grades_with_letters_may_be_the_age_of_a_child_not_yet_at_school(
    paper: Paper, model_file: Path
) -> None:
    town_of(paper)
    small = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2020-08-01", address="浜町1-1")
    large = paper.resident("1002", "木村 莉央", "ｷﾑﾗ ﾘｵ", "2015-07-01", "女", address="森町5-5", household_number="K2")
    hers = [paper.row("class", subject={"name": "りおちゃん", "grade": grade}, known_from=dt.date(2025, month, 10)) for month, grade in ((4, "小4"), (5, "4"), (6, "小4"))]  # fmt: skip
    his = [paper.row("class", subject={"name": "たけひさ", "grade": "4"}, known_from=dt.date(2025, month, 10)) for month in (4, 5, 6)]  # fmt: skip
    more = [paper.row("class", subject={"name": "すずき", "grade": "小5"}, known_from=dt.date(2025, month, 10)) for month in range(4, 12)]  # fmt: skip
    linked = paper.link(model_file)
    assert {linked.person(line) for line in hers} == {linked.person(large)}
    assert {linked.person(line) for line in his} == {linked.person(small)}
    assert {linked.person(line) for line in more} == {None}


def test_namesakes_much_older_than_all_on_a_nurserys_list_are_not_meant_by_it(paper: Paper, model_file: Path) -> None:
    """The list tells no ages: those of whom it names beyond doubt are told by the register."""
    town_of(paper)
    for number in range(60):
        name, kana = f"原 {'一二三四五六七八九十'[number % 10]}{'朗美介香也代'[number // 10]}", f"ﾊﾗ {'ｱｲｳｴｵｶｷｸｹｺ'[number % 10]}{['ﾛｳ', 'ﾐ', 'ｽｹ', 'ｶ', 'ﾔ', 'ﾖ'][number // 10]}"  # fmt: skip
        born = f"{2020 + number % 3}-05-{1 + number % 28:02}"
        paper.resident(f"50{number:02}", name, kana, born, household_number=f"N{number}")
        paper.row("roll", subject={"name": name, "born_on": born, "school": "ひよこ保育園"})
        paper.row("days", subject={"name": name, "name_kana": kana, "school": "ひよこ保育園"}, known_from=MAY)
    small = paper.resident("1001", "石井 蓮", "ｲｼｲ ﾚﾝ", "2021-08-01")
    paper.row("roll", subject={"name": "石井 蓮", "born_on": "2021-08-01", "school": "ひよこ保育園"})
    for number in range(12):
        paper.resident(f"60{number:02}", "石井 蓮", "ｲｼｲ ﾚﾝ", f"20{10 + number % 5}-04-{10 + number}", household_number=f"M{number}")  # fmt: skip
    line = paper.row("days", subject={"name": "石井 蓮", "school": "ひよこ保育園"}, known_from=MAY)
    linked = paper.link(model_file)
    assert linked.person(line) == linked.person(small) is not None


def test_a_slip_among_many_that_fit_does_not_make_a_call_name_another_childs(paper: Paper, model_file: Path) -> None:
    """Last year's grade is kept on for a month or two."""
    town_of(paper)
    child = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2017-08-01", address="浜町1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2010-08-01", address="川町5-5", household_number="K2")
    grades = {
        "2024-12": "小1",
        "2025-01": "小1",
        "2025-02": "小1",
        "2025-04": "小2",
        "2025-05": "小1",
        "2025-06": "小2",
    }
    lines = [
        paper.row("club", subject={"name": "たけひさ", "grade": grade}, known_from=dt.date.fromisoformat(f"{month}-10"))
        for month, grade in grades.items()
    ]
    linked = paper.link(model_file)
    assert linked.person(lines[0]) == linked.person(child) is not None


@pytest.mark.parametrize(("schools", "is_one"), [("浜浜川川", True), ("浜川浜川", False)])
def test_child_who_moved_to_another_school_within_the_year_is_one_and_two_schools_by_turns_are_two(
    paper: Paper, model_file: Path, schools: str, is_one: bool
) -> None:
    town_of(paper)
    child = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2015-08-01", address="浜町1-1")
    pupil = {"name": "石井 岳久", "school": "浜小学校", "grade": "4", "own_number": "S1", "born_on": "2015-08-01"}
    paper.row("roster", subject=pupil)
    months = ("2025-05-10", "2025-07-10", "2025-10-10", "2025-12-10")
    told = [*((day, f"{school}小学校") for day, school in zip(months, schools, strict=True)), ("2026-01-10", "")]
    lines = [visit(paper, day, "たけひさ", "9" if day < "2025-08" else "10", school, "4") for day, school in told]
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {linked.person(child) if is_one else None}


def test_last_word_of_a_foreign_name_is_a_call_name_too(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    paper.resident("1001", "GARCIA ROSE ANN", "ｶﾞﾙｼｱ ﾛｰｽﾞ ｱﾝ", "2015-12-22", "女", address="浜町1-1")
    paper.resident("1002", "門屋 杏子", "ｶﾄﾞﾔ ｱﾝｺ", "2015-09-25", "女", address="浜町5-5")
    either = sheet(paper, "あんちゃん", age="9", grade="小4", address="浜町")
    linked = paper.link(model_file)
    assert linked.person(either) is None and len(linked.doubts(either)) == 2


@pytest.mark.parametrize("called", ["マテュース", "マテュース　アルベス", "がぶりえう", "ガブリエル　アルベス"])
def test_words_of_a_foreign_name_are_call_names_as_another_ear_hears_them(
    paper: Paper, model_file: Path, called: str
) -> None:
    town_of(paper)
    name, kana = "ALVES MATHEUS GABRIEL", "ｱｳﾍﾞｽ ﾏﾃｳｽ ｶﾞﾌﾞﾘｴﾙ"
    matheus = paper.resident("1001", name, kana, "2015-12-22", address="浜町1-1")
    paper.resident("1002", "ALVES PEDRO", "ｱｳﾍﾞｽ ﾍﾟﾄﾞﾛ", "2015-09-25", address="浜町5-5")
    here = sheet(paper, called, age="9", grade="小4", address="浜町")
    nobody = sheet(paper, "アルベス　エンゾ", source="other", age="9", grade="小4", address="浜町")
    linked = paper.link(model_file)
    assert linked.person(here) == linked.person(matheus)
    assert linked.person(nobody) is None


def test_what_fits_too_many_is_told_to_its_holder_with_the_columns_that_would_help(
    paper: Paper, model_file: Path
) -> None:
    for number in range(12):
        paper.resident(f"3{number:03}", f"石井{'一二三四五六七八九十百千'[number]} 蓮", f"ｲｼｲ{'ｱｲｳｴｵｶｷｸｹｺｻｼ'[number]} ﾚﾝ", f"2016-{number % 12 + 1:02}-01",
                       address=f"川町{number + 1}-1", household_number=f"R{number}")  # fmt: skip
    row = sheet(paper, "れんくん", age="9", source="npo_watch")
    linked = paper.link(model_file)
    assert linked.person(row) is None and not linked.doubts(row)
    (told,) = linked.figures["called"]["undecided"]
    assert told == {
        "source": "npo_watch",
        "rows": 1,
        "without_age": 0,
        "without_grade": 1,
        "without_school": 1,
        "without_town": 1,
    }
    (line,) = undecided_lines(linked.figures)
    assert "1 行" in line and "住んでいる町" in line and "年齢(" not in line
    assert undecided_lines({}) == []


def test_sheet_that_is_always_right_about_ages_tells_apart_two_who_differ_on_one_day(
    paper: Paper, model_file: Path
) -> None:
    town_of(paper)
    own = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2019-06-20", address="浜町1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2019-07-20", address="川町5-5")
    days = [f"2025-{month:02}-10" for month in range(1, 13)] + ["2025-07-05"]
    lines = [visit(paper, day, "たけひさ", "5" if day < "2025-06-20" else "6") for day in days]
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {linked.person(own)}


def test_half_name_with_guessed_ages_is_left_to_a_person(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2015-08-01", address="浜町1-1")
    ages = ["9", "8", "10", "9", "9", "8", "9", "10", "9", "8"]
    lines = [visit(paper, f"2024-09-{day:02}", "たけひさ", age) for day, age in enumerate(ages, 2)]
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {None}


def test_age_left_out_on_a_day_on_which_it_is_told_too_is_no_second_child(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    child = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2015-08-01", address="浜町1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2011-08-01", address="川町5-5")
    days = [("2024-09-02", "9"), ("2024-09-02", ""), ("2024-09-09", "9"), ("2024-09-16", "9"), ("2024-09-23", "9")]
    lines = [visit(paper, day, "たけひさ", age) for day, age in days]
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {linked.person(child)}


def stay(paper: Paper, name: str, age: str, on: dt.date) -> tuple[str, int]:
    """A visit of one day to temporary care, at an age told that day."""
    said = [
        {
            "item": "care",
            "number": 1.0,
            "valid_from": on,
            "valid_to": on + dt.timedelta(1),
            "known_from": on + dt.timedelta(7),
        }
    ]
    return paper.row("care", subject={"name": name, "age": age}, known_from=on + dt.timedelta(7), said=said)


def test_months_of_a_babys_age_tell_two_of_one_name_and_year_apart(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    winter = paper.resident("1001", "石井 莉央", "ｲｼｲ ﾘｵ", "2023-01-10", "女")
    summer = paper.resident("1002", "石井 莉緒", "ｲｼｲ ﾘｵ", "2023-07-20", "女", household_number="K2")
    day = dt.date(2025, 3, 5)
    older = stay(paper, "いしい りお", "2歳1か月", day)
    younger = stay(paper, "いしい りお", "1歳7か月", day)
    later = stay(paper, "いしい りお", "1歳9か月", dt.date(2025, 5, 2))
    third = paper.resident("1003", "森 莉央", "ﾓﾘ ﾘｵ", "2023-01-15", "女", household_number="K3")
    paper.resident("1004", "森 莉緒", "ﾓﾘ ﾘｵ", "2022-08-20", "女", household_number="K4")
    told = stay(paper, "もり りお", "2歳1か月", day)
    untold = stay(paper, "もり りお", "", dt.date(2025, 6, 1))
    linked = paper.link(model_file)
    assert linked.person(told) == linked.person(third) and linked.person(untold) is None
    assert linked.person(older) == linked.person(winter)
    assert linked.person(younger) == linked.person(later) == linked.person(summer)


def test_surname_and_how_the_given_name_begins_name_the_one_child_of_that_age(paper: Paper, model_file: Path) -> None:
    """佐藤ゆ, さとうゆ, 佐藤Y, 佐藤 結 and さとう (ゆ): as those write who call two of one surname."""
    town_of(paper)
    yui = paper.resident("1001", "佐藤 結衣", "ｻﾄｳ ﾕｲ", "2015-08-01", "女", address="浜町1-1")
    paper.resident("1002", "佐藤 蓮", "ｻﾄｳ ﾚﾝ", "2015-10-01", address="川町5-5", household_number="K2")
    paper.resident("1003", "鈴木 結菜", "ｽｽﾞｷ ﾕﾅ", "2015-07-01", "女", address="川町6-6", household_number="K3")
    for number, (name, kana) in enumerate([("高橋 陽太", "ﾀｶﾊｼ ﾖｳﾀ"), ("高橋 洋平", "ﾀｶﾊｼ ﾖｳﾍｲ")]):
        paper.resident(f"200{number}", name, kana, "2015-07-01", address="川町5-5", household_number=f"T{number}")
    days = ("2024-09-02", "2024-09-09", "2024-09-16")
    names = ("佐藤ゆ", "さとうゆ", "佐藤Ｙちゃん", "佐藤 結", "佐藤(ゆ)")
    hers = [
        paper.row(f"club{at}", subject={"name": name, "age": "9"}, known_from=dt.date.fromisoformat(day))
        for at, name in enumerate(names) for day in days
    ]  # fmt: skip
    either = [visit(paper, day, "高橋よ", "9") for day in days]
    once = visit(paper, "2024-10-02", "さとう れ", "4")
    linked = paper.link(model_file)
    assert {linked.person(line) for line in hers} == {linked.person(yui)}
    assert {linked.person(line) for line in either} == {None}
    assert {len(linked.doubts(line)) for line in either} == {2}
    assert linked.person(once) is None


def test_surname_in_characters_and_given_name_in_kana_is_a_whole_name(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    paper.resident("1000", "鈴木 蓮", "ｽｽﾞｷ ﾚﾝ", "2015-08-01")
    ren = paper.resident("1001", "佐藤 蓮", "ｻﾄｳ ﾚﾝ", "2015-08-01", address="浜町1-1")
    assert paper.link(model_file).person(ren) is not None
    line, boy = visit(paper, "2024-09-02", "佐藤れん", "9"), visit(paper, "2024-09-02", "さとう れん君", "9")
    linked = paper.link(model_file)
    assert linked.person(line) == linked.person(boy) == linked.person(ren)


def test_two_of_one_call_name_are_told_apart_by_their_ages_month_after_month(paper: Paper, model_file: Path) -> None:
    """Three children called ゆうくん come to one kitchen; one of them is like another child of the town."""
    town_of(paper)
    older = paper.resident("1001", "石井 悠斗", "ｲｼｲ ﾕｳﾄ", "2012-08-01", address="浜町1-1")
    younger = paper.resident("1002", "木村 佑真", "ｷﾑﾗ ﾕｳﾏ", "2016-11-01", address="川町5-5", household_number="K2")
    for number in range(2):
        paper.resident(f"300{number}", "森 勇気", "ﾓﾘ ﾕｳｷ", f"2019-06-0{number + 1}", address=f"第二町{number}-2", household_number=f"M{number}")  # fmt: skip
    months = [f"2024-{month:02}-12" for month in range(4, 13)]
    rows = [
        (older, [visit(paper, day, "ゆうくん", "11" if day < "2024-08-01" else "12") for day in months]),
        (younger, [visit(paper, day, "ゆうくん", "7" if day < "2024-11-01" else "8") for day in months]),
        (None, [visit(paper, day, "ゆうくん", "4" if day < "2024-06-05" else "5") for day in months]),
    ]
    linked = paper.link(model_file)
    for child, lines in rows:
        assert {linked.person(line) for line in lines} == {child and linked.person(child)}
    assert {len(linked.doubts(line)) for line in rows[2][1]} == {0, 2}


def test_a_sheet_of_months_tells_an_age_of_some_day_of_the_month(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    early = paper.resident("1001", "石井 健", "ｲｼｲ ｹﾝ", "2019-06-04", address="浜町1-1")
    late = paper.resident("1002", "木村 健", "ｷﾑﾗ ｹﾝ", "2019-06-26", address="川町5-5", household_number="K2")
    lines = []
    for month, age in ((4, "4"), (5, "4"), (6, "4"), (7, "5"), (8, "5")):
        day = dt.date(2024, month, 1)
        said = [{"item": "meal", "number": 1.0, "valid_from": day, "known_from": day + dt.timedelta(36)}]
        # a line that is there twice is landed without what it says
        for facts in (said, []):
            lines.append(paper.row("cafe", subject={"name": "けんくん", "age": age}, known_from=day + dt.timedelta(36), said=facts))  # fmt: skip
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {None}
    assert {person for line in lines for person, _ in linked.doubts(line)} == {
        linked.person(early),
        linked.person(late),
    }


def test_whom_a_sheet_calls_kun_is_no_girl(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    boy = paper.resident("1001", "石井 葵", "ｲｼｲ ｱｵｲ", "2015-08-01", address="浜町1-1")
    girl = paper.resident("1002", "木村 葵", "ｷﾑﾗ ｱｵｲ", "2015-08-01", "女", address="川町5-5", household_number="K2")
    days = [f"2024-{month:02}-12" for month in range(4, 13)]
    for number in range(20):
        sex = ("男", "女")[number % 2]
        paper.resident(f"40{number:02}", f"原 {'一二三四五六七八九十'[number % 10]}{'朗美'[number % 2]}", f"ﾊﾗ {'ｱｲｳｴｵｶｷｸｹｺ'[number % 10]}{['ﾛｳ', 'ﾐ'][number % 2]}",
                       "2014-01-01", sex, address=f"第二町{number}-2", household_number=f"N{number}")  # fmt: skip
        for day in days[:3]:
            visit(paper, day, f"はら {'あいうえおかきくけこ'[number % 10]}{['ろう', 'み'][number % 2]}{['くん', 'ちゃん'][number % 2]}", "10")  # fmt: skip
    his = [visit(paper, day, "あおいくん", "8" if day < "2024-08-01" else "9") for day in days]
    linked = paper.link(model_file)
    assert {linked.person(line) for line in his} == {linked.person(boy)} != {linked.person(girl)}


def test_one_day_on_which_a_long_sheet_contradicts_itself_makes_no_second_child(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    child = paper.resident("1001", "石井 岳久", "ｲｼｲ ﾀｹﾋｻ", "2015-01-01", address="浜町1-1")
    paper.resident("1002", "木村 武久", "ｷﾑﾗ ﾀｹﾋｻ", "2011-08-01", address="川町5-5")
    days = [f"2024-{month:02}-{day:02}" for month in (4, 5, 6, 7, 9, 10) for day in (3, 17)]
    lines = [visit(paper, day, "たけひさ", "9") for day in days] + [visit(paper, days[3], "たけひさ", "8")]
    few = [paper.row("camp", subject={"name": "たけひさ", "age": age}, known_from=dt.date(2024, 8, day)) for day, age in ((1, "9"), (2, "9"), (3, "9"), (3, "8"))]  # fmt: skip
    linked = paper.link(model_file)
    assert {linked.person(line) for line in lines} == {linked.person(child)}
    assert {linked.person(line) for line in few} == {None}


def test_who_moved_in_only_later_leaves_the_name_to_whom_it_fits(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    here = paper.resident("1001", "石井 知葉", "ｲｼｲ ﾁﾊ", "2014-10-01", "女", address="浜町1-1")
    late = {"resident_from": "2026-01-20", "address": "川町5-5"}
    paper.resident("1002", "木村 知葉", "ｷﾑﾗ ﾁﾊ", "2015-02-01", "女", **late)
    line = visit(paper, "2025-05-10", "ちは", "", grade="小5")
    told = {"name": "ちは", "grade": "小5"}
    came_in_time = paper.row("other", subject=told, known_from=dt.date(2026, 3, 10))
    linked = paper.link(model_file)
    assert linked.person(line) == linked.person(here)
    assert linked.person(came_in_time) is None and len(linked.doubts(came_in_time)) == 2


def test_a_roll_says_nothing_of_who_came_after_it(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    who = {
        name: (f"{family} 響太郎", f"{kana} ｷｮｳﾀﾛｳ")
        for name, family, kana in (("old", "石井", "ｲｼｲ"), ("new", "木村", "ｷﾑﾗ"))
    }
    paper.resident("1001", *who["old"], "2010-10-01", "男", address="浜町1-1")
    paper.resident("1002", *who["new"], "2010-09-01", "男", address="川町5-5", resident_from="2025-12-07")
    roll = {"grade": "中3", "school": "浜中", "born_on": "2010-10-01", "sex": "男"}
    paper.row(
        "roster", subject={"name": who["old"][0], "name_kana": who["old"][1], **roll}, known_from=dt.date(2025, 5, 8)
    )
    told = {"name": "きょうたろうくん", "age": "15", "school": "浜中"}
    since = paper.row("npo", subject=told, known_from=dt.date(2026, 1, 31))
    linked = paper.link(model_file)
    assert linked.person(since) is None and len(linked.doubts(since)) == 2


def test_who_moved_out_before_leaves_the_name_to_whom_it_fits(paper: Paper, model_file: Path) -> None:
    town_of(paper)
    here = paper.resident("1001", "石井 知葉", "ｲｼｲ ﾁﾊ", "2014-10-01", "女", address="浜町1-1")
    paper.resident("1002", "木村 知葉", "ｷﾑﾗ ﾁﾊ", "2015-02-01", "女", address="川町5-5", resident_to="2024-11-01")
    line = visit(paper, "2025-05-10", "ちは", "", grade="小5")
    linked = paper.link(model_file)
    assert linked.person(line) == linked.person(here)


def test_two_of_one_call_name_and_town_on_one_months_sheets_are_two_children(paper: Paper, model_file: Path) -> None:
    """What twenty rows repeat is no reason to take those that contradict them, on the same sheets, for the same child."""
    town_of(paper)
    births = {"石井 柚樹": dt.date(2018, 6, 18), "木村 柚希": dt.date(2019, 9, 5)}
    whole = {name: paper.resident(f"100{n}", name, "ｲｼｲ ﾕｽﾞｷ" if not n else "ｷﾑﾗ ﾕｽﾞｷ", str(born), address="浜町1-1", household_number=f"H{n}")
             for n, (name, born) in enumerate(births.items())}  # fmt: skip
    lines: dict[str, list[tuple[str, int]]] = {name: [] for name in births}
    for month in range(24):
        day = dt.date(2024 + month // 12, month % 12 + 1, 28)
        for name, born in list(births.items())[: 1 if month < 8 else 2]:
            age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
            told = {"name": "ゆずきくん", "age": str(age), "address": "浜町"}
            lines[name].append(paper.row("npo", subject=told, known_from=day))
    linked = paper.link(model_file)
    for name, mine in lines.items():
        found = [linked.person(line) for line in mine]
        assert set(found) - {None} == {linked.person(whole[name])}, name


def test_town_told_is_another_childs_the_rarer_it_is(paper: Paper, model_file: Path) -> None:
    """Two of one name come on the same days, one from each town: on a day with one of them it is the town's."""
    town_of(paper)
    hama = paper.resident("1001", "石井 蓮", "ｲｼｲ ﾚﾝ", "2020-07-22", address="浜町1-1")
    kawa = paper.resident("1002", "木村 蓮", "ｷﾑﾗ ﾚﾝ", "2020-07-11", address="川町5-5")
    days = [("浜町", month) for month in range(1, 13)] + [("川町", month) for month in (10, 11, 12)]
    lines = [
        (town, paper.row("npo", subject={"name": "れんくん", "age": "5" if month > 7 else "4", "address": town}, known_from=dt.date(2025, month, 28)))
        for town, month in days if (town, month) != ("浜町", 11)
    ]  # fmt: skip
    linked = paper.link(model_file)
    assert {linked.person(line) for town, line in lines if town == "浜町"} == {linked.person(hama)}
    assert {linked.person(line) for town, line in lines if town == "川町"} == {linked.person(kawa)}


def test_beginning_of_a_name_beside_a_surname_in_latin_letters_or_with_an_unknown_character(
    paper: Paper, model_file: Path
) -> None:
    town_of(paper)
    kim = paper.resident("1001", "PHAM KIMOANH", "ﾌｧﾑ ｷﾑｵｱﾝ", "2015-05-05", "女", address="浜町1-1")
    kanato = paper.resident("1002", "\ue000沢 奏翔", "ﾖｼｻﾞﾜ ｶﾅﾄ", "2015-06-06", address="浜町2-2")
    paper.resident("1003", "吉沢 茂", "ﾖｼｻﾞﾜ ｼｹﾞﾙ", "1950-06-06")
    pham = visit(paper, "2025-05-10", "PHAMき", "10", grade="小4")
    yoshi = visit(paper, "2025-05-10", "吉沢か", "9", grade="小4")
    linked = paper.link(model_file)
    assert linked.person(pham) == linked.person(kim)
    assert linked.person(yoshi) == linked.person(kanato)

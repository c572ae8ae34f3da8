"""Pupils without a birth date: numbers that pass to another child, grades, new surnames, names that only sound alike."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from .paper import Paper

JUNE = dt.date(2024, 6, 20)


def enrolled(
    paper: Paper, number: str, name: str, kana: str, born_on: str, school: str = "緑ヶ丘小", when: dt.date = JUNE
) -> None:
    body = {"own_number": number, "name": name, "name_kana": kana, "born_on": born_on, "school": school}
    paper.row("school_enrolment", subject=body, known_from=when)


def month(paper: Paper, number: str, name: str, grade: str, when: dt.date) -> tuple[str, int]:
    return paper.row("school_attendance", subject={"own_number": number, "name": name, "grade": grade}, known_from=when)


def test_number_that_two_children_of_one_given_name_bore_in_turn_goes_by_the_whole_name(
    paper: Paper, model_file: Path
) -> None:
    big = paper.resident("0101", "須田 愛莉", "ｽﾀﾞ ｱｲﾘ", "2013-02-08", "女")
    small = paper.resident("0102", "服部 愛莉", "ﾊｯﾄﾘ ｱｲﾘ", "2018-03-21", "女", address="南町2-2")
    enrolled(paper, "70038", "須田 愛莉", "スダ アイリ", "2013-02-08")
    enrolled(paper, "70038", "服部 愛莉", "ハットリ アイリ", "2018-03-21", when=dt.date(2025, 6, 20))
    before = month(paper, "70038", "須田愛莉", "6", dt.date(2024, 9, 7))
    after = month(paper, "70038", "服部愛莉", "2", dt.date(2025, 9, 7))
    linked = paper.link(model_file)
    assert linked.person(before) == linked.person(big) and linked.person(after) == linked.person(small)


def test_number_binds_nobody_who_cannot_be_in_that_grade(paper: Paper, model_file: Path) -> None:
    arata = paper.resident("0101", "石川 新", "ｲｼｶﾜ ｱﾗﾀ", "2012-07-07")
    enrolled(paper, "570196", "石川 新", "イシカワ アラタ", "2012-07-07", "岩木中", dt.date(2025, 6, 20))
    own = month(paper, "570196", "石川新", "1", dt.date(2025, 9, 7))
    march = month(paper, "570196", "石川新", "1", dt.date(2026, 4, 7))  # told in April, of March
    other = month(paper, "570196", "成田新", "3", dt.date(2024, 9, 7))
    linked = paper.link(model_file)
    assert linked.person(own) == linked.person(march) == linked.person(arata)
    assert linked.person(other) is None


def report(
    paper: Paper, name: str, kana: str = "", grade: str = "3", school: str = "緑ヶ丘小", source: str = "bullying_report"
) -> tuple[str, int]:
    body = {"name": name, "school": school, "grade": grade, **({"name_kana": kana} if kana else {})}
    return paper.row(source, subject=body, known_from=JUNE)


def test_new_surname_is_followed_where_one_child_of_the_grade_has_the_given_name(
    paper: Paper, model_file: Path
) -> None:
    renamed = paper.resident("0101", "白石 起寛", "ｼﾗｲｼ ﾀﾂﾋﾛ", "2015-06-05")
    enrolled(paper, "1", "白石 起寛", "シライシ タツヒロ", "2015-06-05")
    for number, (surname, kana, born_on) in enumerate([("佐藤", "ｻﾄｳ", "2015-07-01"), ("鈴木", "ｽｽﾞｷ", "2015-08-01")]):
        paper.resident(f"020{number}", f"{surname} 湊", f"{kana} ﾐﾅﾄ", born_on, address=f"南町{number + 2}-2")
        enrolled(paper, f"2{number}", f"{surname} 湊", f"{kana} ﾐﾅﾄ", born_on)
    one = report(paper, "神 起寛", "カミ タツヒロ")
    two = report(paper, "山口 湊", "ヤマグチ ミナト")
    other_grade = report(paper, "神 起寛", "カミ タツヒロ", grade="5", source="camp")
    other_school = report(paper, "神 起寛", "カミ タツヒロ", school="南小", source="club")
    linked = paper.link(model_file)
    assert (linked.person(one), linked.rule(one)) == (linked.person(renamed), "AGE")
    assert linked.person(two) is None and len(linked.doubts(two)) == 2
    assert linked.person(other_grade) is None and linked.person(other_school) is None


def test_child_of_that_very_name_goes_before_one_who_only_sounds_alike_or_is_renamed(
    paper: Paper, model_file: Path
) -> None:
    itself = paper.resident("0101", "内田 亜企", "ｳﾁﾀﾞ ｱｷ", "2015-06-05", "女")
    paper.resident("0102", "内田 亜杏", "ｳﾁﾀﾞ ｱｷ", "2015-07-05", "女", address="南町2-2")
    paper.resident("0103", "長沼 亜企", "ﾅｶﾞﾇﾏ ｱｷ", "2015-08-05", "女", address="東町3-3")
    for number, name, kana, born_on in (("1", "内田 亜企", "ウチダ アキ", "2015-06-05"), ("2", "内田 亜杏", "ウチダ アキ", "2015-07-05"),
                                        ("3", "長沼 亜企", "ナガヌマ アキ", "2015-08-05")):  # fmt: skip
        enrolled(paper, number, name, kana, born_on)
    row = report(paper, "内田 亜企", "ウチダ アキ")
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(itself)


def test_between_one_who_sounds_alike_and_one_renamed_a_person_decides(paper: Paper, model_file: Path) -> None:
    paper.resident("0102", "内田 亜杏", "ｳﾁﾀﾞ ｱｷ", "2015-07-05", "女")
    paper.resident("0103", "長沼 亜企", "ﾅｶﾞﾇﾏ ｱｷ", "2015-08-05", "女", address="東町3-3")
    enrolled(paper, "2", "内田 亜杏", "ウチダ アキ", "2015-07-05")
    enrolled(paper, "3", "長沼 亜企", "ナガヌマ アキ", "2015-08-05")
    row = report(paper, "内田 亜企", "ウチダ アキ")
    linked = paper.link(model_file)
    assert linked.person(row) is None and len(linked.doubts(row)) == 2


def test_one_name_at_two_schools_is_two_children(paper: Paper, model_file: Path) -> None:
    children = []
    for number, (school, born_on) in enumerate([("緑ヶ丘小", "2015-06-05"), ("南小", "2016-01-05")]):
        children.append(paper.resident(f"010{number}", "佐藤 翔太", "ｻﾄｳ ｼｮｳﾀ", born_on, address=f"南町{number + 2}-2"))
        enrolled(paper, str(number), "佐藤 翔太", "サトウ ショウタ", born_on, school)
    rows = [report(paper, "佐藤 翔太", school="緑ヶ丘小"), report(paper, "佐藤 翔太", school="南小")]
    linked = paper.link(model_file)
    assert [linked.person(row) for row in rows] == [linked.person(child) for child in children]


def test_what_was_told_in_march_is_of_the_school_year_that_ends_with_it(paper: Paper, model_file: Path) -> None:
    said = {"name": "佐藤 翔太", "school": "緑ヶ丘小", "grade": "3"}
    child = paper.resident("0101", "佐藤 翔太", "ｻﾄｳ ｼｮｳﾀ", "2015-06-05")
    paper.resident("0102", "佐藤 翔太", "ｻﾄｳ ｼｮｳﾀ", "2016-06-05", address="南町2-2")
    for number, born_on in (("1", "2015-06-05"), ("2", "2016-06-05")):
        enrolled(paper, number, "佐藤 翔太", "サトウ ショウタ", born_on)
    row = paper.row(
        "nurse_room",
        subject=said,
        known_from=dt.date(2025, 4, 3),
        said=[{"item": "visit", "valid_from": dt.date(2025, 3, 20)}],
    )
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(child)


def test_foreign_name_in_another_order_is_one_childs(paper: Paper, model_file: Path) -> None:
    mai = paper.resident("0101", "ＶＵ　ＮＧＯＣ　ＭＡＩ", "ﾌﾞ ｺﾞﾂｸ ﾏｲ", "2015-12-18", "女")
    enrolled(paper, "1", "ＶＵ　ＮＧＯＣ　ＭＡＩ", "ブ ゴツク マイ", "2015-12-18")
    row = report(paper, "ゴツクマイブ")
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(mai)


def test_kind_of_place_without_its_name_contradicts_no_school(paper: Paper, model_file: Path) -> None:
    """A counter writes 園, 未就園 or 高校: where the child goes, not which one."""
    for number in range(20):
        paper.resident(f"8{number:03}", f"西 {number}", "ﾆｼ ｱ", "1970-01-01", address=f"西町{number}-1")
    small = paper.resident("0101", "山田 すみれ", "ﾔﾏﾀﾞ ｽﾐﾚ", "2020-01-22", "女")
    paper.row(
        "nursery", subject={"name": "山田 すみれ", "born_on": "2020-01-22", "school": "あさひ保育園"}, known_from=JUNE
    )
    body = {"name": "山田　すみれ", "name_kana": "やまだ すみれ", "age": "4歳", "sex": "女"}
    nursery = paper.row("consultation", subject={**body, "school": "園"}, known_from=JUNE)
    none = paper.row("visits", subject={**body, "school": "未就園"}, known_from=JUNE)
    another = paper.row("club", subject={**body, "school": "みどり保育園"}, known_from=JUNE)
    linked = paper.link(model_file)
    assert linked.person(nursery) == linked.person(none) == linked.person(small)
    assert linked.person(another) is None

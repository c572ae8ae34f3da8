"""Pupils known by their class: a seat, half a name, and what leaves it open which classmate is meant."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from .paper import Paper

JUNE = dt.date(2025, 6, 20)
MARCH = dt.date(2026, 3, 25)


def pupil(
    paper: Paper, number: str, name: str, kana: str, born_on: str, class_name: str, seat: str, grade: str = "4"
) -> tuple[str, int]:
    """A child of the register who is on the class list of one school year."""
    child = paper.resident(number, name, kana, born_on, address=f"北町{number}-1")
    body = {
        "own_number": number,
        "name": name,
        "born_on": born_on,
        "school": "緑小学校",
        "grade": grade,
        "class_name": class_name,
        "seat": seat,
    }
    paper.row("class_list", subject=body, known_from=MARCH)
    return child


def visit(
    paper: Paper,
    name: str,
    grade: str,
    seat: str = "",
    class_name: str = "",
    on: dt.date = JUNE,
    sex: str | None = None,
) -> tuple[str, int]:
    body = {"name": name, "school": "緑小", "grade": grade, "seat": seat or None, "class_name": class_name or None}
    body["sex"] = sex
    return paper.row(
        "nurse",
        subject=body,
        known_from=on + dt.timedelta(7),
        said=[{"item": "visit", "code": "頭痛", "valid_from": on, "known_from": on + dt.timedelta(7)}],
    )


def test_surname_is_enough_where_one_child_of_the_class_bears_it(paper: Paper, model_file: Path) -> None:
    aoi = pupil(paper, "1", "高橋 葵", "ﾀｶﾊｼ ｱｵｲ", "2015-06-01", "2", "7")
    pupil(paper, "2", "高橋 蓮", "ﾀｶﾊｼ ﾚﾝ", "2015-07-01", "1", "8")
    minato = pupil(paper, "3", "高橋 湊", "ﾀｶﾊｼ ﾐﾅﾄ", "2014-07-01", "2", "9", grade="5")
    rows = [
        visit(paper, "高橋さん", "4-2"),
        visit(paper, "高橋", "4", class_name="２組"),
        visit(paper, "高橋", "四年二組"),
        visit(paper, "葵", "4-2"),
    ]
    year_before = visit(paper, "高橋", "4-2", on=dt.date(2024, 6, 20))
    other_class, other_name = visit(paper, "高橋", "4-3"), visit(paper, "鈴木", "4-2")
    linked = paper.link(model_file)
    assert {(linked.person(row), linked.rule(row)) for row in rows} == {(linked.person(aoi), "C1")}
    assert linked.person(year_before) in (None, linked.person(minato))
    assert linked.person(other_class) is None and linked.person(other_name) is None


def test_seat_tells_two_of_one_surname_apart_and_a_whole_name_goes_before_a_wrong_seat(
    paper: Paper, model_file: Path
) -> None:
    rin = pupil(paper, "1", "佐藤 凛", "ｻﾄｳ ﾘﾝ", "2015-06-01", "2", "7")
    yui = pupil(paper, "2", "佐藤 結衣", "ｻﾄｳ ﾕｲ", "2015-07-01", "2", "8")
    seated, named = visit(paper, "佐藤", "4-2", seat="8"), visit(paper, "佐藤結衣", "4-2")
    slip, either, nobody = (
        visit(paper, "佐藤結依", "4-2", seat="8"),
        visit(paper, "佐藤", "4-2"),
        visit(paper, "田中", "4-2", seat="7"),
    )
    wrong_seat = visit(paper, "佐藤凛", "4-2", seat="31")
    linked = paper.link(model_file)
    assert linked.person(seated) == linked.person(named) == linked.person(slip) == linked.person(yui)
    assert linked.person(wrong_seat) == linked.person(rin)
    assert linked.person(either) is None and linked.person(nobody) is None


def test_sex_tells_two_of_one_surname_apart_and_half_a_name_of_the_other_sex_is_nobodys(
    paper: Paper, model_file: Path
) -> None:
    boy = pupil(paper, "1", "西村 蓮", "ﾆｼﾑﾗ ﾚﾝ", "2015-06-01", "2", "7")
    girl = pupil(paper, "2", "西村 結衣", "ﾆｼﾑﾗ ﾕｲ", "2015-07-01", "2", "8")
    paper.mentions[2]["sex"] = "女"
    pupil(paper, "3", "浜田 凪", "ﾊﾏﾀﾞ ﾅｷﾞ", "2015-07-02", "2", "9")
    rows = {sex: visit(paper, "西村", "4-2", sex=sex) for sex in ("男", "女", None)}
    other, whole = visit(paper, "浜田", "4-2", sex="女"), visit(paper, "西村結衣", "4-2", sex="男")
    linked = paper.link(model_file)
    assert linked.person(rows["男"]) == linked.person(boy) and linked.person(rows["女"]) == linked.person(girl)
    assert linked.person(rows[None]) is None and linked.person(other) is None
    assert linked.person(whole) == linked.person(girl)


GIVEN = {"葵": "ｱｵｲ", "湊": "ﾐﾅﾄ", "律": "ﾘﾂ", "朔": "ｻｸ", "凪": "ﾅｷﾞ", "楓": "ｶｴﾃﾞ"}


def answer(
    paper: Paper, name: str | None, seat: str, source: str = "survey", sex: str | None = None
) -> tuple[str, int]:
    """A row of a questionnaire handed in by class and seat."""
    body = {"name": name, "school": "緑小", "grade": "4", "class_name": "2", "seat": seat, "sex": sex}
    return paper.row(source, subject=body, known_from=JUNE)


def class_of_six(paper: Paper) -> list[tuple[str, int]]:
    return [
        pupil(paper, str(n), f"岸本 {given}", f"ｷｼﾓﾄ {kana}", f"2015-06-0{n}", "2", str(n))
        for n, (given, kana) in enumerate(GIVEN.items(), 1)
    ]


def test_row_without_a_name_is_the_child_of_its_seat_where_the_named_rows_of_its_class_sit_as_the_list_says(
    paper: Paper, model_file: Path
) -> None:
    last = class_of_six(paper)[-1]
    for n, given in enumerate([*GIVEN][:-1], 1):
        answer(paper, f"岸本 {given}", str(n))
    nameless, nobodys, other_sex = (
        answer(paper, None, "6"),
        answer(paper, None, "7"),
        answer(paper, None, "6", sex="女"),
    )
    linked = paper.link(model_file)
    assert (linked.person(nameless), linked.rule(nameless)) == (linked.person(last), "C2")
    assert linked.person(nobodys) is None and linked.person(other_sex) is None


def test_whole_name_goes_before_the_seat_of_a_classmate_whose_name_is_alike(paper: Paper, model_file: Path) -> None:
    aoi = class_of_six(paper)[0]
    slip = answer(paper, "岸本 葵", "2")
    linked = paper.link(model_file)
    assert linked.person(slip) == linked.person(aoi)


def test_row_without_a_name_is_nobodys_where_seats_were_given_anew_or_nothing_shows_that_they_were_not(
    paper: Paper, model_file: Path
) -> None:
    class_of_six(paper)
    for n, given in enumerate([*GIVEN][:-1], 2):
        answer(paper, f"岸本 {given}", str(n), "renumbered")
    for n, given in enumerate([*GIVEN][:2], 1):
        answer(paper, f"岸本 {given}", str(n), "few_named")
    rows = [
        answer(paper, None, "1", "renumbered"),
        answer(paper, None, "6", "few_named"),
        answer(paper, None, "6", "numbers_only"),
    ]
    linked = paper.link(model_file)
    assert [(linked.person(row), linked.rule(row)) for row in rows] == [(None, None)] * 3


def test_row_without_a_name_is_not_a_child_who_signed_another_row_of_the_same_sheet(
    paper: Paper, model_file: Path
) -> None:
    """A slip of the seat: whoever sits there handed in a sheet of its own."""
    class_of_six(paper)
    for n, given in enumerate(GIVEN, 1):
        answer(paper, f"岸本 {given}", str(n))
    slip = answer(paper, None, "3")
    assert paper.link(model_file).person(slip) is None


SEXES = "男女男男女女"


def class_without_names(paper: Paper, source: str = "survey", sexes: str = SEXES) -> list[tuple[str, int]]:
    """The questionnaire of 4-2, which takes no names; 4-3 hands it in with names."""
    return [answer(paper, None, str(n), source, sex) for n, sex in enumerate(sexes, 1)]


def listed_classes(paper: Paper, source: str = "survey", moved: int = 0) -> list[tuple[str, int]]:
    """4-2 and 4-3 as the lists tell; thirty of 4-3 hand in the questionnaire, ``moved`` of them sitting elsewhere."""
    children = class_of_six(paper)
    for mention, sex in zip(children, SEXES, strict=True):
        paper.mentions[mention_at(paper, mention)]["sex"] = sex
    kana = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎ"
    for n, letter in enumerate(kana, 1):
        pupil(paper, str(100 + n), f"試験 {letter}太", f"ｼｹﾝ {letter}ﾀ", f"2015-07-{n:02}", "3", str(n))
        body = {
            "name": f"試験 {letter}太",
            "school": "緑小",
            "grade": "4",
            "class_name": "3",
            "seat": str(n + (n <= moved)),
        }
        paper.row(source, subject=body, known_from=JUNE)
    return children


def mention_at(paper: Paper, mention: tuple[str, int]) -> int:
    return next(i for i, m in enumerate(paper.mentions) if (m["source"], m["row"]) == mention)


def test_class_without_any_name_sits_as_its_list_where_the_other_classes_do_and_girls_and_boys_fit(
    paper: Paper, model_file: Path
) -> None:
    children = listed_classes(paper)
    rows = class_without_names(paper)
    linked = paper.link(model_file)
    assert [linked.person(row) for row in rows] == [linked.person(child) for child in children]
    assert {linked.rule(row) for row in rows} == {"C3"}


def test_class_without_any_name_is_nobodys_where_its_seats_may_be_others(paper: Paper, model_file: Path) -> None:
    listed_classes(paper)
    renumbered = class_without_names(paper, sexes="女男男女女男")
    linked = paper.link(model_file)
    assert [linked.person(row) for row in renumbered] == [None] * 6


def test_class_without_any_name_is_nobodys_where_other_classes_sit_otherwise_or_none_has_names(
    paper: Paper, model_file: Path
) -> None:
    listed_classes(paper, moved=3)
    rows = class_without_names(paper) + class_without_names(paper, "numbers_only")
    linked = paper.link(model_file)
    assert [linked.person(row) for row in rows] == [None] * 12


def test_twins_in_one_class_need_the_given_name_or_the_seat(paper: Paper, model_file: Path) -> None:
    pupil(paper, "1", "森 陽菜", "ﾓﾘ ﾋﾅ", "2015-06-01", "1", "20")
    paper.mentions[0]["household_number"] = "F"
    kana = pupil(paper, "2", "森 陽奈", "ﾓﾘ ﾋﾅﾉ", "2015-06-01", "1", "21")
    paper.mentions[2]["household_number"] = "F"
    slip, seated = visit(paper, "森陽那", "4-1", seat="20"), visit(paper, "森", "4-1", seat="21")
    linked = paper.link(model_file)
    assert linked.person(seated) == linked.person(kana)
    assert linked.person(slip) is None


def test_record_of_early_april_may_mean_the_class_of_the_year_before_or_nobody(paper: Paper, model_file: Path) -> None:
    before = pupil(paper, "1", "林 大和", "ﾊﾔｼ ﾔﾏﾄ", "2014-06-01", "2", "7")
    paper.mentions[1]["grade"] = "4"  # fourth grade in the year before
    row = paper.row("nurse", subject={"name": "林", "school": "緑小", "grade": "4-2"}, known_from=dt.date(2025, 4, 3))
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(before)


def test_given_name_that_two_of_a_class_bear_is_neithers_though_one_was_found_by_the_guardian(
    paper: Paper, model_file: Path
) -> None:
    pupil(paper, "1", "田中 凪", "ﾀﾅｶ ﾅｷﾞ", "2015-11-19", "1", "13")
    other = pupil(paper, "2", "鴻上 凪", "ｺｳｶﾐ ﾅｷﾞ", "2016-03-30", "1", "8")
    paper.resident("3", "鴻上 恵", "ｺｳｶﾐ ﾒｸﾞﾐ", "1985-05-05", "女", household_number="H2", relationship="世帯主")
    lunch = {"name": "凪", "school": "緑小", "grade": "4", "class_name": "1"}
    found = paper.row("lunch", subject=lunch, guardian={"name": "鴻上 恵"}, known_from=JUNE)
    row = paper.row("lunch", subject=lunch, guardian={"name": "田中 大輔"}, known_from=JUNE)
    linked = paper.link(model_file)
    assert (linked.person(found), linked.rule(found)) == (linked.person(other), "H3")
    assert linked.person(row) is None


def test_grades_counted_on_from_primary_school_are_those_of_junior_high(paper: Paper, model_file: Path) -> None:
    """A list that counts to 9 and a nurse who counts from 1 anew mean one class: 8-2 is 中2の2組."""
    children = []
    for number, day, room in (("1", "2011-06-01", "2"), ("2", "2011-09-01", "3")):
        children.append(paper.resident(number, "高橋 葵", "ﾀｶﾊｼ ｱｵｲ", day, address=f"北町{number}-1"))
        body = {
            "own_number": number,
            "name": "高橋 葵",
            "born_on": day,
            "school": "緑中学校",
            "grade": "8",
            "class_name": room,
        }
        paper.row("class_list", subject=body, known_from=MARCH)
    said = [{"item": "visit", "code": "頭痛", "valid_from": JUNE, "known_from": JUNE}]
    body = {"name": "高橋 葵", "school": "緑中", "grade": "2", "class_name": "3組"}
    seen = paper.row("nurse", subject=body, known_from=JUNE, said=said)
    told = paper.row("teacher", subject={**body, "grade": "中2", "class_name": "2"}, known_from=JUNE, said=said)
    linked = paper.link(model_file)
    assert (linked.person(told), linked.person(seen)) == tuple(map(linked.person, children))


def test_half_a_name_that_two_of_a_class_bear_is_asked_and_its_beginning_tells_them_apart(
    paper: Paper, model_file: Path
) -> None:
    """School staff write 佐藤 where there are two, and 佐藤ゆ or 佐藤Y where they think of it."""
    rin = pupil(paper, "1", "佐藤 凛", "ｻﾄｳ ﾘﾝ", "2015-06-01", "2", "7")
    yui = pupil(paper, "2", "佐藤 結衣", "ｻﾄｳ ﾕｲ", "2015-07-01", "2", "8")
    pupil(paper, "3", "鈴木 結菜", "ｽｽﾞｷ ﾕﾅ", "2015-08-01", "2", "9")
    either = visit(paper, "佐藤", "4-2")
    hers = [visit(paper, name, "4-2") for name in ("佐藤ゆ", "さとう ゆ", "さとうゆ", "佐藤Y", "佐藤 結", "佐藤(ゆ)")]
    nobody = visit(paper, "佐藤か", "4-2")
    linked = paper.link(model_file)
    assert linked.person(either) is None
    assert linked.doubts(either) == {(linked.person(child), "CLASSMATES") for child in (rin, yui)}
    assert {(linked.person(row), linked.rule(row)) for row in hers} == {(linked.person(yui), "C1")}
    assert linked.person(nobody) is None


def test_child_whom_the_list_leaves_out_is_not_its_namesake_of_another_class(paper: Paper, model_file: Path) -> None:
    """A faulty row of the roll leaves 松本 凛 without a class; the other 凛 of the grade bears another surname, and sits elsewhere."""
    own = paper.resident("1", "松本 凛", "ﾏﾂﾓﾄ ﾘﾝ", "2015-06-01", address="北町1-1")
    other = pupil(paper, "2", "三木 凛", "ﾐｷ ﾘﾝ", "2015-07-01", "2", "16")
    for number in range(3, 8):
        pupil(paper, str(number), f"原 {'一二三四五'[number - 3]}朗", f"ﾊﾗ {'ｱｲｳｴｵ'[number - 3]}ﾛｳ", "2015-08-01", "3", str(number))  # fmt: skip
    rows = [visit(paper, "松本凛", "4-3", on=JUNE + dt.timedelta(week * 7)) for week in range(14)]
    linked = paper.link(model_file)
    assert {linked.person(row) for row in rows} == {linked.person(own)} != {linked.person(other)}


def test_given_name_written_otherwise_as_it_is_read_is_no_classmate_of_another_surname(
    paper: Paper, model_file: Path
) -> None:
    pupil(paper, "1", "橘 星那", "ﾀﾁﾊﾞﾅ ｾﾅ", "2015-06-01", "1", "11")
    other = pupil(paper, "2", "鈴木 瀬名", "ｽｽﾞｷ ｾﾅ", "2015-07-01", "1", "9")
    rows = [visit(paper, "橘瀬名", "4-1", on=JUNE + dt.timedelta(week * 7)) for week in range(8)]
    linked = paper.link(model_file)
    assert linked.person(other) not in {linked.person(row) for row in rows}


def test_a_given_name_written_otherwise_sits_where_the_list_has_the_surname(paper: Paper, model_file: Path) -> None:
    hiyori = pupil(paper, "9", "後藤 ひより", "ｺﾞﾄｳ ﾋﾖﾘ", "2015-06-30", "2", "9")
    for seat, (given, reading) in enumerate(GIVEN.items(), 1):
        pupil(paper, str(seat), f"山田 {given}", f"ﾔﾏﾀﾞ {reading}", f"2015-06-{seat:02}", "2", str(seat))
    answers = [answer(paper, f"山田{given}", str(seat)) for seat, given in enumerate(GIVEN, 1)]
    otherwise, stranger = answer(paper, "後藤日和", "9"), answer(paper, "小林日和", "9", source="other")
    linked = paper.link(model_file)
    assert all(linked.person(row) is not None for row in answers)
    assert (linked.person(otherwise), linked.rule(otherwise)) == (linked.person(hiyori), "C2")
    assert linked.person(stranger) is None


def test_a_second_list_with_a_slip_in_the_birth_date_is_no_other_child_of_that_name(
    paper: Paper, model_file: Path
) -> None:
    rin = pupil(paper, "1", "佐藤 凛", "ｻﾄｳ ﾘﾝ", "2015-06-01", "2", "7")
    seated = {"school": "緑小学校", "grade": "4", "class_name": "2", "seat": "7"}
    told = {"name": "佐藤 凛", "name_kana": "ｻﾄｳ ﾘﾝｶ", "born_on": "2015-06-11"}
    slipped = paper.row("growth", subject={**told, **seated}, known_from=MARCH)
    paper.resident("9", "佐藤 凛", "ｻﾄｳ ﾘﾝ", "2015-06-21", address="西町9-9")
    seen = visit(paper, "佐藤凛", "4-2", seat="7")
    linked = paper.link(model_file)
    assert linked.person(slipped) == linked.person(seen) == linked.person(rin)
    assert linked.rule(slipped) == "C0"

"""Who is linked to whom: the cases linkage is judged by."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from kodomo.linkage.command import unlinked_lines

from .paper import Linked, Paper, reference

TWIN_BIRTH = "2015-05-05"


def family(paper: Paper) -> dict[str, tuple[str, int]]:
    """A mother with twins, and a neighbour of the same surname."""
    return {
        "mother": paper.resident(
            "0103", "髙橋 恵", "ﾀｶﾊｼ ﾒｸﾞﾐ", "1985-05-05", "女", household_number="H1", relationship="世帯主"
        ),
        "shota": paper.resident("0101", "髙橋 翔太", "ﾀｶﾊｼ ｼｮｳﾀ", TWIN_BIRTH, household_number="H1"),
        "shoko": paper.resident("0102", "髙橋 翔子", "ﾀｶﾊｼ ｼｮｳｺ", TWIN_BIRTH, "女", household_number="H1"),
        "neighbour": paper.resident("0201", "高橋 恵", "ﾀｶﾊｼ ｹｲ", "1990-01-01", "女", address="南町2-2-2"),
    }


def same(linked: Linked, *places: tuple[str, int]) -> bool:
    persons = {linked.person(place) for place in places}
    return len(persons) == 1 and None not in persons


def test_number_links_only_with_an_agreeing_name_or_birth_date(paper: Paper, model_file: Path) -> None:
    people = family(paper)
    right = paper.row(
        "vaccination", subject={"resident_number": "0101", "name_kana": "タカハシ シヨウタ", "born_on": TWIN_BIRTH}
    )
    typo = paper.row(
        "vaccination", subject={"resident_number": "0201", "name_kana": "タカハシ シヨウタ", "born_on": TWIN_BIRTH}
    )
    stranger = paper.row(
        "disability",
        subject={
            "resident_number": "0201",
            "name": "村田 一郎",
            "name_kana": "ムラタ イチロウ",
            "born_on": "1950-02-03",
        },
    )
    linked = paper.link(model_file)
    assert same(linked, people["shota"], right, typo)
    assert linked.rule(right) == "N1"
    assert linked.rule(typo) == "K1"
    assert linked.person(stranger) not in {linked.person(p) for p in people.values()}


def test_twins_are_told_apart_by_given_name_even_against_the_number(paper: Paper, model_file: Path) -> None:
    people = family(paper)
    shoko = paper.row(
        "school_enrolment",
        subject={"own_number": "S2", "name": "高橋翔子", "name_kana": "たかはし しょうこ", "born_on": TWIN_BIRTH},
    )
    swapped = paper.row(
        "infant_checkup", subject={"resident_number": "0101", "name": "高橋 翔子", "born_on": TWIN_BIRTH}
    )
    nameless = paper.row("counselling", subject={"name": "高橋", "name_kana": "タカハシ", "born_on": TWIN_BIRTH})
    linked = paper.link(model_file)
    assert same(linked, people["shoko"], shoko, swapped)
    assert linked.person(nameless) not in {linked.person(people["shota"]), linked.person(people["shoko"])}


def test_cousins_of_one_name_stay_apart(paper: Paper, model_file: Path) -> None:
    one = paper.resident("0301", "佐藤 陽菜", "ｻﾄｳ ﾋﾅ", "2014-06-01", "女", household_number="H3")
    other = paper.resident("0302", "佐藤 陽菜", "ｻﾄｳ ﾋﾅ", "2014-08-15", "女", household_number="H4", address="西町9-9")
    first = paper.row("university", subject={"name": "佐藤陽菜", "name_kana": "さとう ひな", "born_on": "2014-06-01"})
    vague = paper.row("npo", subject={"name": "さとう ひな", "age": "11"}, known_from=dt.date(2026, 2, 1))
    linked = paper.link(model_file)
    assert linked.person(one) != linked.person(other)
    assert same(linked, one, first)
    assert linked.person(vague) is None
    assert {person for person, _ in linked.doubts(vague)} == {linked.person(one), linked.person(other)}


def test_divorce_with_new_surname_and_address_is_followed(paper: Paper, model_file: Path) -> None:
    child = paper.resident("0401", "山本 蓮", "ﾔﾏﾓﾄ ﾚﾝ", "2016-03-03", household_number="H6", address="東町3-3-3")
    paper.move(
        "0401",
        "2016-03-03",
        "出生",
        name="鈴木 蓮",
        name_kana="ｽｽﾞｷ ﾚﾝ",
        household_number="H5",
        relationship="子",
        address="北町1-2-3",
    )
    paper.move(
        "0401",
        "2025-01-10",
        "離婚",
        name="山本 蓮",
        name_kana="ﾔﾏﾓﾄ ﾚﾝ",
        household_number="H6",
        relationship="子",
        address="東町3-3-3",
    )
    old = paper.row("university", subject={"name": "鈴木 蓮", "name_kana": "すずき れん", "born_on": "2016-03-03"})
    new = paper.row("counselling", subject={"name": "山本 蓮", "name_kana": "やまもと れん", "born_on": "2016-03-03"})
    third = paper.row(
        "expense",
        subject={"name": "林 蓮", "name_kana": "はやし れん", "born_on": "2016-03-03", "address": "北町一丁目2番3号"},
    )
    linked = paper.link(model_file)
    assert same(linked, child, old, new, third)
    assert linked.rule(third) == "H1"


def test_allowance_in_a_former_surname_is_of_the_child_of_the_guardian_whose_number_it_prints(
    paper: Paper, model_file: Path
) -> None:
    # the register was first printed after the divorce and knows only the names of today
    for number, name, kana, born in (
        ("0101", "田中 歩", "ﾀﾅｶ ｱﾕﾐ", "1988-01-02"), ("0102", "田中 光", "ﾀﾅｶ ﾋｶﾘ", "2018-03-05"), ("0103", "田中 魁星", "ﾀﾅｶ ｶｲｾｲ", "2023-02-05"),
        ("0201", "丸山 光", "ﾏﾙﾔﾏ ﾋｶﾘ", "2018-03-05"),
    ):  # fmt: skip
        paper.resident(number, name, kana, born, "女", household_number="H" + number[:2])
    guardian = {"resident_number": "0101", "name": "中村 歩", "name_kana": "ﾅｶﾑﾗ ｱﾕﾐ"}
    rows = [
        paper.row("allowance", subject={"name": name, "name_kana": kana, "born_on": born}, guardian=guardian)
        for name, kana, born in (
            ("中村 光", "ﾅｶﾑﾗ ﾋｶﾘ", "2018-03-05"), ("田中 魁星", "ﾀﾅｶ ｶｲｾｲ", "2022-02-06"), ("中村 魁星", "ﾅｶﾑﾗ ｶｲｾｲ", "2022-02-06"),
        )
    ]  # fmt: skip
    linked = paper.link(model_file)
    assert [linked.person(row) for row in rows[:2]] == [linked.person(("resident_register", n)) for n in (2, 3)]
    assert [linked.rule(row) for row in rows[:2]] == ["H5", "H5"]
    assert linked.rule(rows[2]) != "H5"


def returned(paper: Paper, second_name: str, second_kana: str) -> tuple[tuple[str, int], tuple[str, int]]:
    away = paper.resident(
        "0501", "中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2012-12-12", "女", resident_from="2012-12-12", resident_to="2019-03-31"
    )
    back = paper.resident(
        "0909", second_name, second_kana, "2012-12-12", "女", resident_from="2023-04-01", household_number="H9"
    )
    return away, back


def test_moved_away_and_back_under_a_new_number_is_one_person(paper: Paper, model_file: Path) -> None:
    away, back = returned(paper, "中村 葵", "ﾅｶﾑﾗ ｱｵｲ")
    linked = paper.link(model_file)
    assert same(linked, away, back)
    assert linked.figures["spine"]["two_numbers"] == 1


def test_a_stay_begins_with_the_arrival_though_the_register_prints_the_first_day_of_long_ago(
    paper: Paper, model_file: Path
) -> None:
    born = {"name": "中村 葵", "name_kana": "ﾅｶﾑﾗ ｱｵｲ", "born_on": "2012-12-12"}
    away = paper.resident("0501", "中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2012-12-12", "女")
    paper.move("0501", "2024-06-11", "転出", **born)
    back = paper.resident("0909", "中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2012-12-12", "女", household_number="H9", address="南町2-2")
    paper.move("0909", "2025-01-28", "転入", **born)
    linked = paper.link(model_file)
    assert same(linked, away, back)


def test_a_sources_number_binds_a_given_name_alone_and_the_child_of_the_record(paper: Paper, model_file: Path) -> None:
    ao = paper.resident("0501", "中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2012-12-12")
    paper.resident("0502", "中村 蓮", "ﾅｶﾑﾗ ﾚﾝ", "2014-12-12", household_number="H0501")
    paper.row("intake", subject={"own_number": "R5-1", "name": "中村 葵", "born_on": "2012-12-12"})
    given, child, other = (
        paper.row("intake", subject={"own_number": "R5-1", "name": n}) for n in ("葵くん", "本児", "蓮くん")
    )
    linked = paper.link(model_file)
    assert same(linked, ao, given, child)
    assert linked.person(other) != linked.person(ao)


def test_a_given_name_beside_guardian_and_house_is_the_guardians_child(paper: Paper, model_file: Path) -> None:
    paper.resident(
        "0500",
        "中村 京美",
        "ﾅｶﾑﾗ ｷﾖﾐ",
        "1985-01-01",
        "女",
        household_number="H5",
        relationship="世帯主",
        address="北町5-5",
    )
    ao = paper.resident("0501", "中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2020-12-12", household_number="H5", address="北町5-5")
    guardian = {"name": "中村 京美"}
    here = paper.row("arrears", subject={"name": "葵", "address": "北町5番地5"}, guardian=guardian)
    elsewhere = paper.row("arrears", subject={"name": "葵", "address": "南町9-9"}, guardian=guardian)
    linked = paper.link(model_file)
    assert same(linked, ao, here) and linked.person(elsewhere) != linked.person(ao)


def test_a_departure_that_only_the_moves_tell_ends_the_first_stay(paper: Paper, model_file: Path) -> None:
    # A register exported as who lives here today prints no last day: those who left are in the list of moves alone.
    def stay(number: str, name: str, kana: str, born: str, last: str | None = None) -> tuple[str, int]:
        place = paper.resident(number, name, kana, born, resident_from="2012-12-12")
        for day, kind in (("2018-05-01", "転居"), (last, "転出")) if last else ():
            paper.move(number, str(day), kind, name=name, name_kana=kana, born_on=born)
        return place

    names = (
        ("中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2012-12-12"),
        ("中村 蓮", "ﾅｶﾑﾗ ﾚﾝ", "2014-02-02"),
        ("中村 湊", "ﾅｶﾑﾗ ﾐﾅﾄ", "2015-03-03"),
    )
    away, early, here = (
        stay(f"050{at}", *who, last) for at, (who, last) in enumerate(zip(names, ("2019-03-31", "2024-01-01", None), strict=True))
    )  # fmt: skip
    back, overlapping, other = (
        paper.resident(f"090{at}", *who, resident_from="2023-04-01", household_number="H9")
        for at, who in enumerate(names)
    )
    linked = paper.link(model_file)
    assert same(linked, away, back)
    assert linked.person(early) != linked.person(overlapping) and linked.person(here) != linked.person(other)


def test_who_left_before_the_first_list_and_came_back_is_one_person(paper: Paper, model_file: Path) -> None:
    # the list of who lives here was first printed after they had gone: the old number stands in the moves alone
    def left(number: str, name: str, kana: str, born: str, kind: str) -> tuple[str, int]:
        return paper.move(number, "2024-10-11", kind, name=name, name_kana=kana, born_on=born, sex="女")

    def came(number: str, name: str, kana: str, born: str, first: str = "2025-02-09") -> tuple[str, int]:
        return paper.resident(number, name, kana, born, "女", resident_from=first, household_number="H9")

    names = [
        (f"中嶋 {g}", f"ﾅｶｼﾞﾏ {k}", f"2011-12-0{n}")
        for n, (g, k) in enumerate((("姫花", "ﾋﾒｶ"), ("静雪", "ｼﾂﾞｷ"), ("晶", "ｱｷﾗ")), 1)
    ]
    away = left("0501", *names[0], "転出")
    moved_within = left("0502", *names[1], "転居")
    later = left("0503", *names[2], "転出")
    back, other, before = came("0901", *names[0]), came("0902", *names[1]), came("0903", *names[2], "2024-04-01")
    linked = paper.link(model_file)
    assert same(linked, away, back)
    assert linked.person(moved_within) != linked.person(other) and linked.person(later) != linked.person(before)


def test_a_former_number_in_the_register_makes_one_person_unless_the_rest_contradicts(
    paper: Paper, model_file: Path
) -> None:
    # 除票 of a city that prints no last day, and the first day of all for those who came back: only the number tells.
    def pair(number: int, first: str, reading: str, **other: str) -> tuple[tuple[str, int], tuple[str, int]]:
        old = paper.resident(f"06{number}", first, reading, "2012-12-12", "女")
        given = {"name": first, "kana": reading, "born_on": "2012-12-12", **other}
        new = paper.resident(
            f"08{number}", given["name"], given["kana"], given["born_on"], "女", former_number=f"0006{number}"
        )
        return old, new

    back, married = pair(1, "中村 葵", "ﾅｶﾑﾗ ｱｵｲ"), pair(2, "小川 凪", "ｵｶﾞﾜ ﾅｷﾞ", name="森 凪", kana="ﾓﾘ ﾅｷﾞ")
    mistyped = pair(3, "岸 栞", "ｷｼ ｼｵﾘ", name="原 樹里", kana="ﾊﾗ ｼﾞｭﾘ")
    elder = pair(4, "関 紬", "ｾｷ ﾂﾑｷﾞ", born_on="2009-01-01")
    told = paper.row("university", subject={"name": "中村 葵", "name_kana": "なかむら あおい", "born_on": "2012-12-12"})
    linked = paper.link(model_file)
    assert same(linked, *back, told) and same(linked, *married)
    assert linked.person(mistyped[0]) != linked.person(mistyped[1]) and linked.person(elder[0]) != linked.person(
        elder[1]
    )
    apart = paper.link(model_file, decisions=[(reference(back[0]), reference(back[1]), False)])
    assert apart.person(back[0]) != apart.person(back[1])


def test_back_under_another_surname_is_asked_about_and_the_answer_holds(paper: Paper, model_file: Path) -> None:
    away, back = returned(paper, "小川 葵", "ｵｶﾞﾜ ｱｵｲ")
    linked = paper.link(model_file)
    assert linked.person(away) != linked.person(back)
    assert linked.figures["spine"]["doubts"] == 1
    decided = paper.link(model_file, decisions=[(reference(away), reference(back), True)])
    assert same(decided, away, back)


def test_two_residents_at_once_are_never_one_person(paper: Paper, model_file: Path) -> None:
    one = paper.resident("0601", "加藤 結", "ｶﾄｳ ﾕｲ", "2013-01-01", "女", household_number="HA")
    other = paper.resident("0602", "加藤 結", "ｶﾄｳ ﾕｲ", "2013-01-01", "女", household_number="HB", address="港町4-4")
    told = paper.row("university", subject={"name": "加藤 結", "name_kana": "かとう ゆい", "born_on": "2013-01-01"})
    linked = paper.link(model_file)
    assert linked.person(one) != linked.person(other)
    assert linked.person(told) is None
    assert {why for _, why in linked.doubts(told)} <= {"CLOSE_SECOND", "WEAK"}


def test_reused_number_parts_into_two_persons(paper: Paper, model_file: Path) -> None:
    now = paper.resident("0701", "村上 樹", "ﾑﾗｶﾐ ｲﾂｷ", "2018-05-01", resident_from="2022-04-01")
    before = paper.move("0701", "2017-02-01", "死亡", name="岡田 正", name_kana="ｵｶﾀﾞ ﾀﾀﾞｼ")
    linked = paper.link(model_file)
    assert linked.person(now) != linked.person(before)
    assert linked.figures["spine"]["numbers_split"] == 1


def test_foreign_name_in_the_other_order_is_the_same_name(paper: Paper, model_file: Path) -> None:
    resident = paper.resident("0801", "SANTOS MARIA", "ｻﾝﾄｽ ﾏﾘｱ", "2011-11-11", "女", nationality="外国籍")
    turned = paper.row(
        "university", subject={"name": "Maria Santos", "name_kana": "マリア サントス", "born_on": "2011-11-11"}
    )
    kana = paper.row("counselling", subject={"name": "マリア・サントス", "born_on": "2011-11-11"})
    linked = paper.link(model_file)
    assert same(linked, resident, turned, kana)


def test_baby_without_a_name_is_linked_by_number_and_birth_date_only(paper: Paper, model_file: Path) -> None:
    baby = paper.resident("0901", "田村 湊", "ﾀﾑﾗ ﾐﾅﾄ", "2025-12-01", household_number="HC")
    other = paper.resident("0902", "田村 律", "ﾀﾑﾗ ﾘﾂ", "2025-12-02", household_number="HD", address="谷町8-8")
    known = paper.row(
        "infant_checkup", subject={"resident_number": "0901", "name": "田村 未命名", "born_on": "2025-12-01"}
    )
    unknown = paper.row("visit", subject={"name": "田村 ベビー", "name_kana": "ﾀﾑﾗ ﾍﾞﾋﾞｰ", "born_on": "2025-12-02"})
    linked = paper.link(model_file)
    assert same(linked, baby, known)
    assert linked.person(unknown) != linked.person(baby)
    assert linked.person(unknown) in {None, linked.person(other)}


def test_name_and_age_link_when_one_child_fits_and_are_queued_where_two_do(paper: Paper, model_file: Path) -> None:
    only = paper.resident("1001", "石井 隼人", "ｲｼｲ ﾊﾔﾄ", "2017-09-01")
    paper.resident("1002", "木村 蒼", "ｷﾑﾗ ｱｵ", "2016-09-01")
    paper.resident("1003", "森 碧", "ﾓﾘ ｱｵ", "2016-10-01", address="川町5-5")
    when = dt.date(2026, 1, 15)
    whole = paper.row("npo", subject={"name": "いしい はやと", "age": "8"}, known_from=when)
    called = paper.row("npo", subject={"name": "はやとくん", "age": "8"}, known_from=when)
    both = paper.row("npo", subject={"name": "あおちゃん", "age": "9"}, known_from=when)
    nobody = paper.row("npo", subject={"name": "ぴーちゃん", "age": "9"}, known_from=when)
    linked = paper.link(model_file)
    assert same(linked, only, whole, called)
    assert linked.person(both) is None
    assert len(linked.doubts(both)) == 2
    assert linked.person(nobody) is None and not linked.doubts(nobody)


def visits(paper: Paper, name: str, ages: dict[dt.date, str]) -> list[tuple[str, int]]:
    return [paper.row("npo", subject={"name": name, "age": age}, known_from=day) for day, age in ages.items()]


def test_ages_that_pass_a_birthday_tell_which_of_two_children_a_sheet_means(paper: Paper, model_file: Path) -> None:
    summer = paper.resident("1001", "石井 陽翔", "ｲｼｲ ﾊﾙﾄ", "2016-08-01")
    paper.resident("1002", "木村 悠人", "ｷﾑﾗ ﾊﾙﾄ", "2015-03-01", address="川町5-5")
    months = [
        (2024, 6, "7"),
        (2024, 7, "7"),
        (2024, 9, "8"),
        (2025, 2, "8"),
        (2025, 6, "8"),
        (2025, 7, "9"),
        (2025, 9, "9"),
        (2026, 1, "9"),
    ]
    rows = visits(paper, "はるとくん", {dt.date(year, month, 20): age for year, month, age in months})
    linked = paper.link(model_file)
    assert {linked.person(row) for row in rows} == {linked.person(summer)}


def test_two_children_of_one_call_name_in_one_sheet_are_parted_by_their_ages(paper: Paper, model_file: Path) -> None:
    small = paper.resident("1001", "石井 陽翔", "ｲｼｲ ﾊﾙﾄ", "2020-08-01")
    big = paper.resident("1002", "木村 悠人", "ｷﾑﾗ ﾊﾙﾄ", "2012-03-01", address="川町5-5")
    days = [dt.date(2025, month, 20) for month in (1, 2, 3, 4)]
    small_rows = visits(paper, "はると", dict.fromkeys(days, "4"))
    big_rows = visits(paper, "はると", {days[0]: "12", days[1]: "12", days[2]: "13", days[3]: "13"})
    ageless = paper.row("npo", subject={"name": "はると"}, known_from=days[0])
    linked = paper.link(model_file)
    assert {linked.person(row) for row in small_rows} == {linked.person(small)}
    assert {linked.person(row) for row in big_rows} == {linked.person(big)}
    assert linked.person(ageless) is None


def test_a_call_name_that_begins_two_childrens_names_is_asked_about(paper: Paper, model_file: Path) -> None:
    paper.resident("1001", "石井 優太", "ｲｼｲ ﾕｳﾀ", "2016-08-01")
    paper.resident("1002", "木村 優希", "ｷﾑﾗ ﾕｳｷ", "2016-07-01", address="川町5-5")
    rows = visits(paper, "ゆうちゃん", {dt.date(2025, month, 20): "8" for month in (1, 2, 3, 4)})
    linked = paper.link(model_file)
    assert {linked.person(row) for row in rows} == {None}
    asked = [row for row in rows if linked.doubts(row)]
    assert len(asked) == 1 and len(linked.doubts(asked[0])) == 2  # one question for all that the sheet says


def test_an_answer_about_one_record_of_a_called_child_holds_for_all_of_them(paper: Paper, model_file: Path) -> None:
    yuta = paper.resident("1001", "石井 優太", "ｲｼｲ ﾕｳﾀ", "2016-08-01")
    paper.resident("1002", "木村 優希", "ｷﾑﾗ ﾕｳｷ", "2016-07-01", address="川町5-5")
    rows = visits(paper, "ゆうちゃん", {dt.date(2025, month, 20): "8" for month in (1, 2, 3, 4)})
    decided = paper.link(model_file, decisions=[(reference(rows[1]), reference(yuta), True)])
    assert {decided.person(row) for row in rows} == {decided.person(yuta)}


def test_school_number_carries_rows_without_a_birth_date_but_not_against_the_name(
    paper: Paper, model_file: Path
) -> None:
    people = family(paper)
    paper.row(
        "school_enrolment",
        subject={"own_number": "S1", "name": "高橋 翔太", "name_kana": "タカハシ ショウタ", "born_on": TWIN_BIRTH},
    )
    plain = paper.row("school_attendance", subject={"own_number": "S1"})
    named = paper.row("school_attendance", subject={"own_number": "S1", "name": "髙橋翔太"})
    wrong = paper.row("school_attendance", subject={"own_number": "S1", "name": "松井 賢治"})
    linked = paper.link(model_file)
    assert same(linked, people["shota"], plain, named)
    assert linked.person(wrong) is None


def test_a_source_that_hardly_links_is_told_of() -> None:
    rows = {
        "water": {"UNLINKED": 90, "W1": 10}, "dental": {"NEW": 40, "K1": 5}, "welfare": {"N1": 60, "UNLINKED": 20},
        "lunch": {"UNLINKED": 3}, "npo": {"UNLINKED": 30}, "gas": {"W1": 58, "UNLINKED": 42},
    }  # fmt: skip
    told = unlinked_lines({"rows_by_source": rows, "called": {"undecided": [{"source": "npo"}]}})
    assert (
        [line.split()[1] for line in told] == ["water", "dental", "gas"]
        and "100 件のうち" in told[0]
        and "10 件だけ" in told[0]
    )
    assert unlinked_lines({}) == []


def test_guardian_is_found_in_the_family_of_the_child_and_namesakes_are_not(paper: Paper, model_file: Path) -> None:
    people = family(paper)
    row = paper.row(
        "school_enrolment",
        subject={"own_number": "S1", "name_kana": "タカハシ ショウタ", "born_on": TWIN_BIRTH},
        guardian={"name": "高橋恵"},
    )
    linked = paper.link(model_file)
    assert linked.person(row, "guardian") == linked.person(people["mother"])
    assert linked.rule(row, "guardian") == "R1"


def test_guardian_of_a_name_that_an_elder_brother_bears_too_is_the_grown_one(paper: Paper, model_file: Path) -> None:
    father, _, child = (
        paper.resident(number, name, kana, born_on, household_number="H1")
        for number, name, kana, born_on in (
            ("1", "RAI RAJESH", "ﾗｲ ﾗｼﾞｪｽ", "1970-09-19"),
            ("2", "RAI RAJESH", "ﾗｲ ﾗｼﾞｪｽ", "2008-05-05"),
            ("3", "RAI RIYA", "ﾗｲ ﾘﾔ", "2012-09-08"),
        )
    )
    row = paper.row(
        "child_allowance",
        subject={"name": "RAI RIYA", "name_kana": "ライ　リヤ", "born_on": "2012-09-08"},
        guardian={"name": "RAI RAJESH"},
        known_from=dt.date(2025, 2, 1),
    )
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(child)
    assert linked.person(row, "guardian") == linked.person(father)


def test_head_of_household_may_be_the_rows_own_subject_or_younger_than_it(paper: Paper, model_file: Path) -> None:
    def printed(number: str, name: str, kana: str, born_on: str, head: str, household: str = "HD") -> tuple[str, int]:
        body = {
            "resident_number": number,
            "name": name,
            "name_kana": kana,
            "born_on": born_on,
            "household_number": household,
        }
        address = (
            {"address": "ひなた市花園町１丁目１番１号"}
            if household == "HD"
            else {"address": "ひなた市花園町３丁目９番４号"}
        )
        return paper.row(
            "resident_register", kind="residents", subject={**body, **address}, household_head={"name": head}
        )

    own = printed("1201", "長谷川 実", "ﾊｾｶﾞﾜ ﾐﾉﾙ", "1985-05-05", "長谷川 実")
    wife = printed("1202", "長谷川 梓", "ﾊｾｶﾞﾜ ｱｽﾞｻ", "1981-02-03", "長谷川 実")
    namesake = printed("1203", "長谷川 実", "ﾊｾｶﾞﾜ ﾐﾉﾙ", "1990-07-08", "長谷川 浩", "HE")
    linked = paper.link(model_file)
    assert linked.person(own, "household_head") == linked.person(own) == linked.person(wife, "household_head")
    assert linked.person(own) != linked.person(namesake), "another of that name is another"
    assert linked.person(namesake, "household_head") is None, "nobody of that household is called so"


def test_contract_holder_is_found_by_name_and_address_and_is_no_child(paper: Paper, model_file: Path) -> None:
    father = paper.resident(
        "1101", "田島 健", "ﾀｼﾞﾏ ｹﾝ", "1975-01-01", household_number="HE", address="ひなた市花園町２丁目２７番１５号"
    )
    paper.resident(
        "1102", "田島 健", "ﾀｼﾞﾏ ｹﾝ", "2012-01-01", household_number="HE", address="ひなた市花園町２丁目２７番１５号"
    )
    water = paper.row(
        "water_bills", holder={"name": "田島　健", "name_kana": "ﾀｼﾞﾏ ｹﾝ", "address": "花園町2-27-15 コーポ花101"}
    )
    elsewhere = paper.row("water_bills", holder={"name": "田島　健", "name_kana": "ﾀｼﾞﾏ ｹﾝ", "address": "本町9-9-9"})
    linked = paper.link(model_file)
    assert linked.person(water, "holder") == linked.person(father)
    assert linked.person(elsewhere, "holder") is None


def town_of(paper: Paper, surname: tuple[str, str], givens: list[tuple[str, str]], count: int) -> None:
    for number in range(count):
        given, kana = givens[number % len(givens)]
        paper.resident(f"5{number:04}", f"{surname[0]} {given}{number}", f"{surname[1]} {kana}", f"19{50 + number % 40}-03-03",
                       address=f"西町{number + 1}-1", household_number=f"W{number}")  # fmt: skip


def test_a_common_name_in_the_right_town_is_asked_about_and_a_rare_one_is_linked(
    paper: Paper, model_file: Path
) -> None:
    town_of(paper, ("田中", "ﾀﾅｶ"), [("実", "ﾐﾉﾙ"), ("清", "ｷﾖｼ")], 300)
    common = paper.resident("6001", "田中 茂", "ﾀﾅｶ ｼｹﾞﾙ", "1960-01-01", address="谷町3-3-3")
    paper.resident("6003", "佐藤 茂", "ｻﾄｳ ｼｹﾞﾙ", "1961-01-01", address="谷町8-3-3")
    rare = paper.resident("6002", "翡翠川 鶴松", "ﾋｽｲｶﾞﾜ ﾂﾙﾏﾂ", "1960-01-01", address="谷町4-4-4")
    asked = paper.row("water_bills", holder={"name": "田中 茂", "name_kana": "ﾀﾅｶ ｼｹﾞﾙ", "address": "谷町9-9-9"})
    sure = paper.row("water_bills", holder={"name": "翡翠川 鶴松", "name_kana": "ﾋｽｲｶﾞﾜ ﾂﾙﾏﾂ", "address": "谷町9-9-9"})
    linked = paper.link(model_file)
    assert linked.person(asked, "holder") is None
    assert linked.doubts(asked) == {(linked.person(common), "HOLDER")}
    assert linked.rule(sure, "holder") == "W2" and linked.person(sure, "holder") == linked.person(rare)


def test_unknown_person_becomes_one_person_across_sources(paper: Paper, model_file: Path) -> None:
    family(paper)
    one = paper.row("university", subject={"name": "遠山 梢", "name_kana": "とおやま こずえ", "born_on": "2014-02-02"})
    two = paper.row(
        "counselling", subject={"name": "遠山　梢", "name_kana": "トオヤマ コズエ", "born_on": "2014-02-02"}
    )
    nobody = paper.row("club", subject={"name": "遠山 梢"})
    linked = paper.link(model_file)
    assert same(linked, one, two)
    assert linked.rule(one) == "NEW"
    assert linked.person(nobody) in {None, linked.person(one)}


def test_different_decision_keeps_a_pair_apart(paper: Paper, model_file: Path) -> None:
    people = family(paper)
    row = paper.row(
        "university", subject={"name": "高橋 翔太", "name_kana": "たかはし しょうた", "born_on": TWIN_BIRTH}
    )
    assert same(paper.link(model_file), people["shota"], row)
    parted = paper.link(model_file, decisions=[(reference(row), reference(people["shota"]), False)])
    assert parted.person(row) != parted.person(people["shota"])


def test_two_children_of_one_call_name_on_one_sheet_are_not_one(paper: Paper, model_file: Path) -> None:
    paper.resident("1001", "林 琴音", "ﾊﾔｼ ｺﾄﾈ", "2019-03-24")
    day = dt.date(2025, 6, 30)
    rows = [paper.row("npo", subject={"name": "ことね", "age": age}, known_from=day) for age in ("6", "6", "5")]
    again = visits(paper, "ことね", {dt.date(2025, 7, 31): "6", dt.date(2025, 8, 31): "6"})
    linked = paper.link(model_file)
    assert {linked.person(row) for row in (*rows, *again)} == {None}


def test_town_told_beside_a_call_name_decides_and_another_town_counts_against(paper: Paper, model_file: Path) -> None:
    here = paper.resident("1001", "石井 結衣", "ｲｼｲ ﾕｲ", "2016-08-01", address="桜木町1-1")
    paper.resident("1002", "木村 結衣", "ｷﾑﾗ ﾕｲ", "2016-05-01", address="川町5-5")
    namesake = paper.resident("1003", "東海林 岳", "ｼｮｳｼﾞ ｶﾞｸ", "2016-04-20", address="川町6-6")
    told = {"name": "ゆいちゃん", "age": "8", "address": "桜木町"}
    row = paper.row("npo", subject=told, known_from=dt.date(2025, 6, 30))
    wrong = paper.row(
        "npo", subject={"name": "しょうじ がく", "age": "10", "address": "桜木町"}, known_from=dt.date(2025, 6, 30)
    )
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(here)
    assert linked.person(wrong) != linked.person(namesake)


def test_holder_whose_birthday_is_unknown_is_found(paper: Paper, model_file: Path) -> None:
    old = paper.resident(
        "7001", "玉城 ウシ", "ﾀﾏｷ ｳｼ", "1938", resident_from="1990-01-01", household_number="HU", address="字東12番地"
    )
    paper.resident(
        "7002", "玉城 ウシ", "ﾀﾏｷ ｳｼ", "2015", resident_from="2015-09-01", household_number="HU", address="字東12番地"
    )
    water = paper.row("water_bills", holder={"name": "玉城　ウシ", "name_kana": "ﾀﾏｷ ｳｼ", "address": "字東12"})
    linked = paper.link(model_file)
    assert linked.person(water, "holder") == linked.person(old)


def test_given_name_in_kana_and_reading_in_brackets_serve_as_readings(paper: Paper, model_file: Path) -> None:
    people = family(paper)
    kana = paper.row("school_enrolment", subject={"name": "高橋 しょうた", "born_on": TWIN_BIRTH, "address": "北町1-1"})
    bracket = paper.row("school_enrolment", subject={"name": "高槗 将太(たかはし しょうた)", "born_on": TWIN_BIRTH})
    sister = paper.row(
        "school_enrolment", subject={"name": "高橋 しょうこ", "born_on": TWIN_BIRTH, "address": "北町1-1"}
    )
    linked = paper.link(model_file)
    assert same(linked, people["shota"], bracket, kana) and same(linked, people["shoko"], sister)

"""Children who are named in part: a baby without a name yet, a given name in kana, the first words of a foreign name."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from .paper import Paper

BORN = "2025-05-05"


def test_baby_without_a_name_is_the_one_born_that_day_at_the_address_or_of_the_mother(
    paper: Paper, model_file: Path
) -> None:
    mother = {"household_number": "H1", "address": "北町1-1", "relationship": "世帯主"}
    paper.resident("0100", "武内 恵", "ﾀｹｳﾁ ﾒｸﾞﾐ", "1995-01-01", "女", **mother)
    baby = paper.resident("0101", "武内 悠人", "ﾀｹｳﾁ ﾕｳﾄ", BORN, household_number="H1", address="北町1-1")
    paper.resident("0102", "森 湊", "ﾓﾘ ﾐﾅﾄ", BORN, address="南町2-2")
    there = paper.row(
        "baby_visit", subject={"name": "武内ベビー", "born_on": BORN, "sex": "男", "address": "北町1番1号"}
    )
    moved = paper.row(
        "baby_visit",
        subject={"name": "第一子", "born_on": BORN, "sex": "男", "address": "西町9-9"}, mother={"name": "武内 恵", "address": "西町9-9"},
    )  # fmt: skip
    girl = paper.row("baby_visit", subject={"name": "武内児", "born_on": BORN, "sex": "女", "address": "北町1-1"})
    elsewhere = paper.row("baby_visit", subject={"name": "ベビー", "born_on": BORN, "sex": "男", "address": "東町3-3"})
    linked = paper.link(model_file)
    assert linked.person(there) == linked.person(moved) == linked.person(baby)
    assert linked.rule(there) == linked.rule(moved) == "U1"
    assert linked.person(girl) != linked.person(baby) and linked.rule(elsewhere) != "U1"


def test_unnamed_twins_are_left_to_a_person(paper: Paper, model_file: Path) -> None:
    for number, name, kana in (("0101", "髙橋 蓮", "ﾀｶﾊｼ ﾚﾝ"), ("0102", "髙橋 湊", "ﾀｶﾊｼ ﾐﾅﾄ")):
        paper.resident(number, name, kana, BORN, household_number="H1")
    baby = paper.row("baby_visit", subject={"name": "高橋ベビー", "born_on": BORN, "sex": "男", "address": "北町1-1"})
    assert paper.link(model_file).rule(baby) != "U1"


def test_surname_in_characters_and_given_name_in_kana_make_a_whole_name(paper: Paper, model_file: Path) -> None:
    hiroto = paper.resident("0101", "佐藤 大翔", "ｻﾄｳ ﾋﾛﾄ", BORN)
    paper.resident("0102", "鈴木 大翔", "ｽｽﾞｷ ﾋﾛﾄ", BORN, address="南町2-2")
    row = paper.row("nursery", subject={"name": "佐藤 ひろと", "born_on": BORN})
    other = paper.row("nursery", subject={"name": "佐藤 はると", "born_on": BORN})
    linked = paper.link(model_file)
    assert (linked.person(row), linked.rule(row)) == (linked.person(hiroto), "K5")
    assert linked.rule(other) != "K5"


def test_schools_number_binds_the_first_words_of_a_foreign_name(paper: Paper, model_file: Path) -> None:
    born = "2016-08-22"
    nam = paper.resident("0101", "ＴＲＡＮ　ＨＵＵ　ＮＡＭ", "ﾁｬﾝ ﾌｳ ﾅﾑ", born)
    paper.resident("0102", "佐藤 蓮太郎", "ｻﾄｳ ﾚﾝﾀﾛｳ", born, address="南町2-2")
    whole = paper.row("school_enrolment", subject={"own_number": "20231", "name": "チャン フウ ナム", "born_on": born})
    short = paper.row("school_attendance", subject={"own_number": "20231", "name": "チャン フウ"})
    paper.row(
        "school_enrolment",
        subject={"own_number": "20232", "name": "佐藤 蓮太郎", "name_kana": "サトウ レンタロウ", "born_on": born},
    )
    brother = paper.row("school_attendance", subject={"own_number": "20232", "name": "佐藤 蓮"})
    linked = paper.link(model_file)
    assert linked.person(whole) == linked.person(short) == linked.person(nam)
    assert linked.person(brother) is None


def test_whole_name_in_the_grade_of_a_school_is_known_after_a_move(paper: Paper, model_file: Path) -> None:
    yamato = paper.resident("0101", "伊藤 大和", "ｲﾄｳ ﾔﾏﾄ", "2015-10-04", address="浜町1-1")
    paper.row(
        "school_enrolment",
        subject={"own_number": "1", "name": "伊藤 大和", "name_kana": "イトウ ヤマト", "born_on": "2015-10-04", "school": "緑ヶ丘小"},
    )  # fmt: skip
    said = {"name": "伊藤 大和", "name_kana": "イトウ ヤマト", "address": "高杉9-9"}
    moved = paper.row("aid_r6", known_from=dt.date(2024, 6, 20), subject={**said, "school": "緑ヶ丘小", "grade": "3"})
    other_grade = paper.row("aid_r7", known_from=dt.date(2024, 6, 20), subject={**said, "address": "中町3-3", "school": "緑ヶ丘小", "grade": "6"})  # fmt: skip
    other_school = paper.row("camp", known_from=dt.date(2024, 6, 20), subject={**said, "address": "東町4-4", "school": "南小", "grade": "3"})  # fmt: skip
    linked = paper.link(model_file)
    assert (linked.person(moved), linked.rule(moved)) == (linked.person(yamato), "AGE")
    assert linked.person(other_grade) is None and linked.person(other_school) is None


def test_surname_alone_is_known_at_a_seat_that_one_child_has(paper: Paper, model_file: Path) -> None:
    for number, (name, kana, born) in enumerate((("徳永 蓮", "ﾄｸﾅｶﾞ ﾚﾝ", "2013-10-04"), ("森 湊", "ﾓﾘ ﾐﾅﾄ", "2013-11-04"),
                                                 ("森 陽", "ﾓﾘ ﾖｳ", "2013-12-04"))):  # fmt: skip
        paper.resident(f"010{number}", name, kana, born, address=f"北町{number}-1")
        seat = f"2024-北小-5-1-{min(number, 1) + 8}"
        paper.row(
            "attendance", subject={"own_number": seat, "name": name, "born_on": born, "school": "北小", "grade": "5"}
        )
    day = dt.date(2024, 6, 20)
    he, wrong_name, two = (
        paper.row("attendance", known_from=day, subject={"own_number": f"2024-北小-5-1-{seat}", "name": name, "school": "北小", "grade": "5"})
        for seat, name in ((8, "徳永さん"), (8, "谷"), (9, "森"))
    )  # fmt: skip
    linked = paper.link(model_file)
    assert linked.rule(he) == "S1"
    assert linked.rule(wrong_name) != "S1" and linked.rule(two) != "S1"


def test_child_without_a_birth_date_is_known_in_the_family_of_its_guardian(paper: Paper, model_file: Path) -> None:
    for at, (surname, reading) in enumerate((("高橋", "ﾀｶﾊｼ"), ("松井", "ﾏﾂｲ"))):
        home = {"household_number": f"H{at}", "address": f"北町{at}-1"}
        paper.resident(f"01{at}0", f"{surname} 竜也", f"{reading} ﾀﾂﾔ", "1985-01-01", **home)
        paper.resident(f"01{at}1", f"{surname} 飛鳥", f"{reading} ｱｽｶ", "2012-06-16", **home)
    asuka = paper.resident("0110", "高橋 翼", "ﾀｶﾊｼ ﾂﾊﾞｻ", "2015-06-16", household_number="H0", address="北町0-1")
    day = dt.date(2025, 6, 20)
    lunch = paper.row(
        "lunch", known_from=day, subject={"name": "翼", "school": "北小", "grade": "4"}, guardian={"name": "高橋 竜也"}
    )
    other_grade = paper.row(
        "lunch", known_from=day, subject={"name": "翼", "school": "北小", "grade": "1"}, guardian={"name": "高橋 竜也"}
    )
    no_grade = paper.row("savings", known_from=day, subject={"name": "翼"}, guardian={"name": "高橋 竜也"})
    whole = paper.row(
        "allowance",
        known_from=day,
        subject={"name": "高橋 翼", "name_kana": "タカハシ ツバサ"},
        guardian={"name_kana": "タカハシ タツヤ"},
    )
    named_as_parent = paper.row(
        "allowance", known_from=day, subject={"name": "高橋 竜也"}, guardian={"name": "高橋 飛鳥"}
    )
    linked = paper.link(model_file)
    assert linked.person(lunch) == linked.person(whole) == linked.person(asuka)
    assert linked.rule(lunch) == linked.rule(whole) == "H3"
    assert {linked.rule(row) for row in (other_grade, no_grade, named_as_parent)}.isdisjoint({"H3"})


def test_child_written_without_a_surname_is_known_by_birth_date_and_guardian(paper: Paper, model_file: Path) -> None:
    # Sitters' and day-care forms ask for the child's name under the parent's, and get the given name alone.
    for at, (surname, reading) in enumerate((("田中", "ﾀﾅｶ"), ("松井", "ﾏﾂｲ"))):
        home = {"household_number": f"H{at}", "address": f"北町{at}-1"}
        paper.resident(f"01{at}0", f"{surname} 由紀", f"{reading} ﾕｷ", "1985-01-01", "女", **home)
    kei = paper.resident("0101", "田中 慧", "ﾀﾅｶ ｹｲ", "2021-12-20", household_number="H0", address="北町0-1")
    paper.resident("0111", "松井 圭", "ﾏﾂｲ ｹｲ", "2021-12-20", household_number="H1", address="北町1-1")
    day = {"born_on": "2021-12-20"}
    sat = paper.row("sitters", subject={"name": "慧", **day}, guardian={"name": "田中 由紀"})
    read = paper.row("sitters", subject={"name_kana": "けい", **day}, guardian={"name": "田中 由紀"})
    at_home = paper.row("sitters", subject={"name": "慧", "address": "北町0-1", **day})
    other_guardian = paper.row("sitters", subject={"name": "慧", **day}, guardian={"name": "松井 由紀"})
    other_writing = paper.row("sitters", subject={"name": "慶", **day}, guardian={"name": "田中 由紀"})
    other_day = paper.row("sitters", subject={"name": "慧", "born_on": "2019-03-03"}, guardian={"name": "田中 由紀"})
    linked = paper.link(model_file)
    assert [linked.person(row) for row in (sat, read, at_home)] == [linked.person(kei)] * 3
    assert [linked.rule(row) for row in (sat, read, at_home)] == ["H1"] * 3
    assert {linked.rule(row) for row in (other_guardian, other_writing, other_day)}.isdisjoint({"H1"})


def test_guardian_under_another_surname_or_with_it_behind_is_the_elder_of_that_given_name(
    paper: Paper, model_file: Path
) -> None:
    """A booklet keeps the surname that a mother bore before she married; some write the given name first."""
    home = {"household_number": "H0", "address": "北町1-1"}
    mother = paper.resident("0100", "當間 香菜", "ﾄｳﾏ ｶﾅ", "1985-08-23", "女", **home)
    paper.resident("0101", "當間 玲聖", "ﾄｳﾏ ﾚｲｾｲ", "2021-09-09", **home)
    paper.resident("0102", "當間 聖", "ﾄｳﾏ ｾｲ", "2008-09-09", "女", **home)
    paper.resident("0103", "當間 加奈", "ﾄｳﾏ ｶﾅ", "1960-08-23", "女", **home)
    paper.resident("0200", "森 慧美", "ﾓﾘ ｹｲﾐ", "1985-08-23", "女", household_number="H1", address="北町2-1")
    child = {"name": "當間 玲聖", "name_kana": "ﾄｳﾏ ﾚｲｾｲ", "born_on": "2021-09-09"}

    def guardian(role: str = "guardian", **said: str) -> tuple[str, int]:
        return paper.row("checkup", subject=child, **{role: said})

    former, turned = guardian(name="多和田 香菜"), guardian(name="香菜 當間")
    # a sister, a reading alone, somebody of another home, a father of her name, and another birth date
    others = [guardian(name="多和田 聖"), guardian(name_kana="ﾀﾜﾀﾞ ｶﾅ"), guardian(name="森 慧美")]
    father, other = guardian("father", name="多和田 香菜"), guardian(name="多和田 香菜", born_on="1990-01-01")
    linked = paper.link(model_file)
    assert [(linked.person(row, "guardian"), linked.rule(row, "guardian")) for row in (former, turned)] == [
        (linked.person(mother), "R2"), (linked.person(mother), "R1"),
    ]  # fmt: skip
    assert {linked.rule(row, "guardian") for row in (*others, other)}.isdisjoint({"R1", "R2"})
    assert linked.person(father, "father") is None


def test_guardian_named_by_the_given_name_alone_is_the_elder_of_that_name_in_the_childs_family(
    paper: Paper, model_file: Path
) -> None:
    """A nursery writes the family's surname once, before the child's given name."""
    home = {"household_number": "H0", "address": "北町1-1"}
    father = paper.resident("0100", "今井 威信", "ｲﾏｲ ﾀｹﾉﾌﾞ", "1985-08-23", "男", **home)
    paper.resident("0101", "今井 玲聖", "ｲﾏｲ ﾚｲｾｲ", "2021-09-09", **home)
    paper.resident("0102", "今井 聖", "ｲﾏｲ ｾｲ", "2008-09-09", "女", **home)
    paper.resident("0200", "森 慧美", "ﾓﾘ ｹｲﾐ", "1985-08-23", "女", household_number="H1", address="北町2-1")
    child = {"name": "今井 玲聖", "name_kana": "ｲﾏｲ ﾚｲｾｲ", "born_on": "2021-09-09"}
    named = {
        said: paper.row("nursery", subject=child, guardian={"name": said})
        for said in ("威信", "聖", "慧美", "今井", "威")
    }
    linked = paper.link(model_file)
    assert (linked.person(named["威信"], "guardian"), linked.rule(named["威信"], "guardian")) == (
        linked.person(father),
        "R2",
    )
    assert [linked.person(named[said], "guardian") for said in ("聖", "慧美", "今井", "威")] == [None] * 4


def test_own_number_that_lost_its_zeros_is_the_same_number(paper: Paper, model_file: Path) -> None:
    """As after a spreadsheet program; a number of nothing but zeros is nobody's."""
    ren = paper.resident("0100", "田中 蓮", "ﾀﾅｶ ﾚﾝ", "2014-06-16")
    paper.row("school_enrolment", subject={"own_number": "004711", "name": "田中 蓮", "born_on": "2014-06-16"})
    paper.row("school_enrolment", subject={"own_number": "000000", "name": "田中 蓮", "born_on": "2014-06-16"})
    short = paper.row("school_attendance", subject={"own_number": "4711"})
    blank, other = (paper.row("school_attendance", subject={"own_number": n}) for n in ("0", "A004711"))
    linked = paper.link(model_file)
    assert linked.person(short) == linked.person(ren)
    assert linked.person(blank) is None and linked.person(other) is None


def test_given_name_written_first_is_the_same_name(paper: Paper, model_file: Path) -> None:
    paper.resident("0100", "高橋 竜也", "ﾀｶﾊｼ ﾀﾂﾔ", "1985-01-01", household_number="H0", address="北町1-1")
    asuka = paper.resident("0101", "高橋 飛鳥", "ﾀｶﾊｼ ｱｽｶ", "2014-06-16", household_number="H0", address="北町1-1")
    paper.resident("0102", "飛田 鳥高", "ﾄﾋﾞﾀ ﾄﾘﾀｶ", "2014-06-16", address="南町2-2")
    seat = {"own_number": "2024-北小-4-1-8", "school": "北小", "grade": "4"}
    paper.row("attendance", subject={**seat, "name": "高橋 飛鳥", "born_on": "2014-06-16"})
    day = dt.date(2024, 6, 20)
    rows = (
        paper.row("register", subject={"name": "飛鳥 高橋", "born_on": "2014-06-16"}),
        paper.row("attendance", known_from=day, subject={**seat, "name": "飛鳥高橋"}),
        paper.row("guidance", known_from=day, subject={"name": "飛鳥　高橋", "school": "北小", "grade": "4"}),
        paper.row("allowance", known_from=day, subject={"name": "高橋 飛鳥"}, guardian={"name": "竜也 高橋"}),
    )
    linked = paper.link(model_file)
    assert [linked.person(row) for row in rows] == [linked.person(asuka)] * 4
    assert [linked.rule(row) for row in rows] == ["K3", "S1", "AGE", "H3"]

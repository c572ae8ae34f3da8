"""Mothers known by the day they gave birth, and children known by nothing but their guardian."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from .paper import Paper

JUNE = dt.date(2025, 6, 20)


def family(
    paper: Paper,
    number: str,
    mother: str,
    kana: str,
    born_on: str,
    children: list[tuple[str, str, str]],
    address: str = "北町1-1",
) -> tuple[tuple[str, int], list[tuple[str, int]]]:
    """A mother and her children (name, reading, birth date) in one household of the register."""
    home = {"household_number": number, "address": address}
    found = paper.resident(f"{number}0", mother, kana, born_on, "女", relationship="世帯主", **home)
    return found, [paper.resident(f"{number}{i}", *child, **home) for i, child in enumerate(children, 1)]


def check(paper: Paper, name: str, kana: str, child_born_on: str, **more: str) -> tuple[str, int]:
    return paper.row(
        "epds", subject={"name": name, "name_kana": kana, "child_born_on": child_born_on, **more}, known_from=JUNE
    )


def test_mother_without_a_birth_date_is_whoever_of_that_name_bore_a_child_that_day(
    paper: Paper, model_file: Path
) -> None:
    one, _ = family(paper, "10", "山本 紀子", "ﾔﾏﾓﾄ ﾉﾘｺ", "1998-08-03", [("山本 湊", "ﾔﾏﾓﾄ ﾐﾅﾄ", "2025-05-02")])
    family(paper, "20", "山本 紀子", "ﾔﾏﾓﾄ ﾉﾘｺ", "1995-01-03", [("山本 蓮", "ﾔﾏﾓﾄ ﾚﾝ", "2025-05-09")])
    row, slip = (
        check(paper, "山本 紀子", "", "2025-05-02"),
        check(paper, "山本 紀子", "やまもと のりこ", "2025-05-02", born_on="1997-08-03"),
    )
    other_day, namesake = check(paper, "山本 紀子", "", "2025-05-03"), check(paper, "山本 典子", "", "2025-05-02")
    linked = paper.link(model_file)
    assert {(linked.person(r), linked.rule(r)) for r in (row, slip)} == {(linked.person(one), "M1")}
    assert linked.person(other_day) is None and linked.person(namesake) is None


def test_mother_under_a_new_surname_is_found_by_both_birth_dates(paper: Paper, model_file: Path) -> None:
    mother, _ = family(paper, "10", "村上 梓", "ﾑﾗｶﾐ ｱｽﾞｻ", "1996-10-27", [("村上 湊", "ﾑﾗｶﾐ ﾐﾅﾄ", "2024-05-14")])
    for number in range(30):  # a name too common for a birth date alone to decide
        paper.resident(
            f"9{number:02}",
            f"{'川谷森林原'[number % 5]} 梓",
            "ｶﾜ ｱｽﾞｻ",
            f"1996-{number % 12 + 1:02}-{number % 28 + 1:02}",
            "女",
            address=f"南町{number}",
        )
    row = check(paper, "土井 梓", "どい あずさ", "2024-05-14", born_on="1996-10-27")
    linked = paper.link(model_file)
    assert (linked.person(row), linked.rule(row)) == (linked.person(mother), "M1")


def consulted(paper: Paper, guardian: str, **child: str) -> tuple[str, int]:
    return paper.row(
        "consultation", subject={"name": f"{guardian}の子", **child}, guardian={"name": guardian}, known_from=JUNE
    )


def test_child_of_somebody_is_found_by_birth_date_or_by_age_and_address(paper: Paper, model_file: Path) -> None:
    children = [("岡田 湊", "ｵｶﾀﾞ ﾐﾅﾄ", "2015-06-15"), ("岡田 蓮", "ｵｶﾀﾞ ﾚﾝ", "2020-06-15")]
    _, (big, small) = family(paper, "10", "岡田 早紀", "ｵｶﾀﾞ ｻｷ", "1990-03-01", children)
    family(paper, "20", "岡田 早紀", "ｵｶﾀﾞ ｻｷ", "1988-03-01", [("岡田 翔", "ｵｶﾀﾞ ｼｮｳ", "2015-08-15")], address="南町2-2")
    born = consulted(paper, "岡田早紀", born_on="2015-06-15")
    aged = consulted(paper, "岡田早紀", age="5", address="北町1-1")
    no_place, town_alone = consulted(paper, "岡田早紀", age="9"), consulted(paper, "岡田早紀", age="6", address="北町")
    _, (only,) = family(
        paper, "30", "真鍋 恵美", "ﾏﾅﾍﾞ ｴﾐ", "1989-03-01", [("真鍋 結衣", "ﾏﾅﾍﾞ ﾕｲ", "2012-11-01")], address="西町3-3"
    )
    alone = consulted(paper, "真鍋恵美", age="12", address="西町")
    elsewhere = consulted(paper, "岡田早紀", born_on="2015-06-15", address="東町5-5")
    linked = paper.link(model_file)
    assert (linked.person(born), linked.rule(born)) == (linked.person(big), "U1")
    assert (linked.person(aged), linked.rule(aged)) == (linked.person(small), "H4")
    assert (linked.person(alone), linked.rule(alone)) == (linked.person(only), "H4")
    assert linked.person(no_place) is None and linked.person(town_alone) is None
    assert linked.rule(elsewhere) != "U1"

"""Numbers of the register that were all given anew between two lists, with no table of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from kodomo.linkage.command import renumbered_lines

from .paper import Paper

Place = tuple[str, int]

BEFORE, AFTER = dt.date(2025, 4, 1), dt.date(2026, 1, 5)
SOUNDS = "アイウエオカキクケコサシスセソタチツテト"


def listed(
    paper: Paper, source: str, on: dt.date, number: str, name: str, kana: str, born_on: str, address: str = "北町1-1"
) -> Place:
    body = {
        "resident_number": number, "name": name, "name_kana": kana, "born_on": born_on, "sex": "女", "household_number": "H" + number,
        "address": address, "resident_from": born_on, "address_protection": "0",
    }  # fmt: skip
    return paper.row(source, kind="residents", known_from=on, subject=body)


def town(paper: Paper, source: str, on: dt.date, first: int, people: range) -> list[Place]:
    """Residents as one list prints them, numbered from ``first`` on; the same number of ``people`` is the same person."""
    return [
        listed(paper, source, on, f"{first + n}", f"村{n % 7}{n // 7} 葵{n}", f"ﾑﾗ {SOUNDS[n]}{SOUNDS[-n]}", f"20{n % 20:02d}-05-{n + 1:02d}")
        for n in people
    ]  # fmt: skip


def same(paper: Paper, model_file: Path, old: list[Place], new: list[Place]) -> list[bool]:
    linked = paper.link(model_file)
    return [linked.person(a) == linked.person(b) for a, b in zip(old, new, strict=True)]


def test_everybody_under_a_new_number_is_who_they_were(paper: Paper, model_file: Path) -> None:
    old, new = town(paper, "old", BEFORE, 1000, range(20)), town(paper, "new", AFTER, 9_000_000, range(20))
    told = paper.row("nursery", subject={"resident_number": "1003"})
    linked = paper.link(model_file)
    assert [linked.person(a) for a in old] == [linked.person(b) for b in new]
    assert linked.person(told) == linked.person(new[3])
    assert linked.figures["spine"]["renumbered"] == 20
    assert "20 人" in renumbered_lines(linked.figures)[0]


def test_namesakes_born_on_one_day_are_told_by_the_address_or_not_at_all(paper: Paper, model_file: Path) -> None:
    twice = ("森 凪", "ﾓﾘ ﾅｷﾞ", "2015-06-06")
    town(paper, "old", BEFORE, 1000, range(20))
    old = [
        listed(paper, "old", BEFORE, f"20{n}", *twice, address=place) for n, place in enumerate(("北町1-1", "港町4-4"))
    ]
    town(paper, "new", AFTER, 9_000_000, range(20))
    new = [
        listed(paper, "new", AFTER, f"90{n}", *twice, address=place) for n, place in enumerate(("港町4-4", "東町2-2"))
    ]
    linked = paper.link(model_file)
    assert linked.person(old[1]) == linked.person(new[0])
    assert len({linked.person(place) for place in (*old, *new)}) == 3


def test_where_numbers_stay_nobody_is_joined_by_name(paper: Paper, model_file: Path) -> None:
    old = town(paper, "old", BEFORE, 1000, range(20))
    town(paper, "new", AFTER, 1000, range(18))
    # two who left and two who came, of the same names: namesakes are no news in a register that keeps its numbers
    new = town(paper, "new", AFTER, 9_000_000, range(18, 20))
    assert same(paper, model_file, old[18:], new) == [False, False]
    assert not renumbered_lines(paper.link(model_file).figures)


def test_lists_of_changes_tell_of_others_each_time(paper: Paper, model_file: Path) -> None:
    # every list holds whom something happened to: nearly no number twice, and nearly nobody
    old = town(paper, "old", BEFORE, 1000, range(0, 12)) + [
        listed(paper, "old", BEFORE, f"30{n}", f"岸 栞{n}", "ｷｼ ｼｵﾘ", f"2014-03-{n + 1:02d}") for n in range(14)
    ]
    new = town(paper, "new", AFTER, 9_000_000, range(0, 12)) + [
        listed(paper, "new", AFTER, f"40{n}", f"原 樹{n}", "ﾊﾗ ｲﾂｷ", f"2013-03-{n + 1:02d}") for n in range(14)
    ]
    assert not any(same(paper, model_file, old, new))


def test_what_the_table_of_numbers_says_goes_before(paper: Paper, model_file: Path) -> None:
    old, new = town(paper, "old", BEFORE, 1000, range(20)), town(paper, "new", AFTER, 9_000_000, range(20))
    # the number of the first was given to nobody here: the vendor's table knows another new one for it
    moved = paper.resident(
        "5000",
        "村00 葵0",
        "ﾑﾗ アア",
        "2000-05-01",
        "女",
        resident_from="2000-05-01",
        former_number="1000",
        address="西町9-9",
    )
    linked = paper.link(model_file)
    assert linked.person(old[0]) == linked.person(moved) != linked.person(new[0])
    assert linked.person(old[1]) == linked.person(new[1])

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


def test_nobody_lives_on_under_the_old_number(paper: Paper, model_file: Path) -> None:
    """One stay goes on under the new number; whoever leaves has left, and a household stands once on any day."""
    for source, on, first, house in (("old", BEFORE, "10", "H1"), ("new", AFTER, "90", "H9")):
        for number, (name, kana, born_on) in enumerate(
            (("森 凪", "ﾓﾘ ﾅｷﾞ", "1985-06-06"), ("森 葵", "ﾓﾘ ｱｵｲ", "2015-07-07"))
        ):
            told = {} if source == "old" else {"former_number": f"10{number}"}
            paper.row(source, kind="residents", known_from=on, flags={"told_on": on}, subject={
                "resident_number": f"{first}{number}", "name": name, "name_kana": kana, "born_on": born_on, "sex": "女",
                "household_number": house, "relationship": "子" if number else "世帯主", "resident_from": born_on, "address_protection": "0", **told,
            })  # fmt: skip
    left = dt.date(2026, 2, 10)
    paper.row("left", kind="moves", known_from=left, flags={"told_on": left},
              subject={"resident_number": "901", "event_on": "2026-02-10", "event_kind": "転出"})  # fmt: skip
    connection = paper.link(model_file).connection
    stays = connection.execute(
        "SELECT valid_from, valid_to, ended_by FROM residence WHERE known_to IS NULL ORDER BY ALL"
    ).fetchall()
    assert stays == [(dt.date(1985, 6, 6), None, None), (dt.date(2015, 7, 7), left, "MOVE_OUT")]
    homes = connection.execute("SELECT household, valid_from, valid_to FROM membership ORDER BY ALL").fetchall()
    assert homes == [
        ("H1#0", dt.date(1985, 6, 6), AFTER), ("H1#0", dt.date(2015, 7, 7), AFTER), ("H9#0", AFTER, left), ("H9#0", AFTER, None),
    ]  # fmt: skip


def test_a_list_of_those_who_left_that_comes_later_ends_nobodys_stay(paper: Paper, model_file: Path) -> None:
    mori = {"name": "森 凪", "name_kana": "ﾓﾘ ﾅｷﾞ", "born_on": "1985-06-06", "sex": "女", "address_protection": "0"}
    paper.row("here", kind="residents", known_from=BEFORE, flags={"told_on": BEFORE},
              subject={**mori, "resident_number": "900", "resident_from": "1985-06-06", "former_number": "100"})  # fmt: skip
    paper.row("left", kind="residents", known_from=AFTER, flags={"told_on": AFTER},
              subject={**mori, "resident_number": "100", "resident_from": "1985-06-06", "resident_to": "2019-03-31"})  # fmt: skip
    connection = paper.link(model_file).connection
    assert connection.execute(
        "SELECT count(DISTINCT person), count(*) FILTER (valid_to IS NULL) FROM residence"
    ).fetchall() == [(1, 1)]


def test_who_had_left_and_come_back_before_is_still_one_person(paper: Paper, model_file: Path) -> None:
    def printed(source: str, on: dt.date, number: str, began: str, ended: str | None = None) -> Place:
        body = {
            "resident_number": number, "name": "森 凪", "name_kana": "ﾓﾘ ﾅｷﾞ", "born_on": "2010-06-06", "sex": "女", "household_number": "H" + number,
            "address": "北町1-1", "resident_from": began, "address_protection": "0",
        }  # fmt: skip
        return paper.row(
            source, kind="residents", known_from=on, subject=body | ({"resident_to": ended} if ended else {})
        )

    town(paper, "old", BEFORE, 1000, range(20))
    left = printed("old", BEFORE, "500", "2010-06-06", "2016-03-31")
    back = printed("old", BEFORE, "600", "2020-04-01")
    town(paper, "new", AFTER, 9_000_000, range(20))
    now = printed("new", AFTER, "9500000", "2020-04-01")
    linked = paper.link(model_file)
    assert linked.person(back) == linked.person(now)
    assert linked.person(left) == linked.person(back)

"""A number that was given again: rows that carry nothing else go by the day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from .paper import Linked, Paper, reference

BEFORE, AFTER = dt.date(2016, 5, 1), dt.date(2023, 5, 1)


def reused(paper: Paper) -> tuple[tuple[str, int], tuple[str, int]]:
    """岡田 bore the number until he died in 2017; 村上 has it since 2022."""
    now = paper.resident("0701", "村上 樹", "ﾑﾗｶﾐ ｲﾂｷ", "2018-05-01", resident_from="2022-04-01")
    before = paper.move("0701", "2017-02-01", "死亡", name="岡田 正", name_kana="ｵｶﾀﾞ ﾀﾀﾞｼ")
    return now, before


def bare(paper: Paper, known_from: dt.date, number: str = "0701", **more: str) -> tuple[str, int]:
    return paper.row("long_term_care", known_from=known_from, subject={"resident_number": number, **more})


def test_rows_of_one_number_part_at_the_day_it_changed_hands(paper: Paper, model_file: Path) -> None:
    now, before = reused(paper)
    old, new = bare(paper, BEFORE), bare(paper, AFTER)
    linked = paper.link(model_file)
    assert linked.person(old) == linked.person(before)
    assert linked.person(new) == linked.person(now)
    assert linked.figures["spine"]["numbers_parted"] == 1


def test_the_first_day_itself_is_the_new_bearers(paper: Paper, model_file: Path) -> None:
    now, before = reused(paper)
    day_before, first_day = bare(paper, dt.date(2022, 3, 31)), bare(paper, dt.date(2022, 4, 1))
    linked = paper.link(model_file)
    assert linked.person(day_before) == linked.person(before)
    assert linked.person(first_day) == linked.person(now)


def test_a_row_from_before_anybody_is_known_to_have_had_the_number_is_asked_about(
    paper: Paper, model_file: Path
) -> None:
    now = paper.resident("0702", "原 美里", "ﾊﾗ ﾐｻﾄ", "2018-05-01", "女", resident_from="2022-04-01")
    early, late = bare(paper, BEFORE, "0702"), bare(paper, AFTER, "0702")
    linked = paper.link(model_file)
    assert linked.person(early) is None
    assert linked.doubts(early) == {(linked.person(now), "OTHER_TIME")}
    assert linked.person(late) == linked.person(now) and not linked.doubts(late)


def test_a_decision_about_such_a_row_holds_for_its_part_only(paper: Paper, model_file: Path) -> None:
    now = paper.resident("0702", "原 美里", "ﾊﾗ ﾐｻﾄ", "2018-05-01", "女", resident_from="2022-04-01")
    late, early = bare(paper, AFTER, "0702"), bare(paper, BEFORE, "0702")
    other = bare(paper, BEFORE - dt.timedelta(days=1), "0702")
    decided = paper.link(model_file, decisions=[(reference(early), reference(now), True)])
    assert decided.person(early) == decided.person(other) == decided.person(late) == decided.person(now)
    parted = paper.link(model_file, decisions=[(reference(late), reference(now), False)])
    assert parted.person(late) is None


def test_a_name_or_a_birth_date_that_agrees_needs_no_day(paper: Paper, model_file: Path) -> None:
    now, before = reused(paper)
    named = bare(paper, BEFORE, name="村上 樹")
    dated = bare(paper, BEFORE, born_on="2018-05-01")
    elder = bare(paper, AFTER, name="岡田 正")
    linked = paper.link(model_file)
    assert linked.person(named) == linked.person(dated) == linked.person(now)
    assert linked.person(elder) == linked.person(before)


def test_the_partner_of_a_parted_row_stays_beside_it(paper: Paper, model_file: Path) -> None:
    paper.resident("0801", "林 恵", "ﾊﾔｼ ﾒｸﾞﾐ", "1985-05-05", "女", household_number="H8", relationship="世帯主")
    child = paper.resident("0802", "林 樹", "ﾊﾔｼ ｲﾂｷ", "2018-05-01", household_number="H8", resident_from="2018-05-01")
    paper.move("0802", "2001-02-01", "死亡", name="岡田 正", name_kana="ｵｶﾀﾞ ﾀﾀﾞｼ")
    rows = [
        paper.row("child_allowance", known_from=day, subject={"resident_number": "0802"}, guardian={"name": "林 恵"})
        for day in (dt.date(2000, 5, 1), dt.date(2020, 5, 1))
    ]
    linked = paper.link(model_file)
    mates = mate_of(linked, rows[1], "guardian")
    assert linked.person(rows[1]) == linked.person(child) == mates
    assert linked.person(rows[0]) != linked.person(child)
    assert linked.rule(rows[1], "guardian") == "R1" and linked.person(rows[0], "guardian") is None


def mate_of(linked: Linked, place: tuple[str, int], role: str) -> int | None:
    rows = linked.connection.execute(
        "SELECT l.person FROM mention m LEFT JOIN link l ON l.form = m.mate WHERE m.source = ? AND m.row = ? AND m.role = ?",
        [*place, role],
    ).fetchall()
    return rows[0][0]


def test_everybody_keeps_who_they_are_when_a_change_of_systems_gives_new_numbers(
    paper: Paper, model_file: Path
) -> None:
    """A table of old and new numbers names nobody: of who left before it, the new number is told there alone."""
    born = "2014-06-16"
    ren, ren_new = (
        paper.resident(n, "田中 蓮", "ﾀﾅｶ ﾚﾝ", born, resident_from="2014-06-16") for n in ("00001", "230000000001")
    )
    mio = paper.resident("00002", "森 澪", "ﾓﾘ ﾐｵ", "2015-01-01", "女")
    old = paper.resident("00003", "林 恵", "ﾊﾔｼ ﾒｸﾞﾐ", "1985-01-01", "女")
    new = paper.resident("230000000003", "谷 大輔", "ﾀﾆ ﾀﾞｲｽｹ", "1990-01-01")  # a slip in the table
    one, two = (
        paper.resident("00004", "原 葵", "ﾊﾗ ｱｵｲ", "2012-01-01"),
        paper.resident("00005", "西 翼", "ﾆｼ ﾂﾊﾞｻ", "2013-01-01"),
    )
    he, she = (
        paper.resident(n, "桜田 紗由季", "ｻｸﾗﾀﾞ ｻﾕｷ", born, sex) for n, sex in (("00006", "男"), ("230000000006", "女"))
    )
    for number in "12356":
        paper.move(f"23000000000{number}", "2026-01-05", "番号変更", former_number=f"0000{number}")
    paper.move(
        "230000000005", "2026-01-05", "番号変更", former_number="00004"
    )  # 4 and 5 got one number: nobody knows whose
    rows = [paper.row("allowance", subject={"resident_number": n, "name": "森 澪"}) for n in ("00002", "230000000002")]
    linked = paper.link(model_file)
    assert linked.person(ren) == linked.person(ren_new) and linked.person(he) == linked.person(she)
    assert [linked.person(row) for row in rows] == [linked.person(mio)] * 2
    assert linked.person(old) != linked.person(new) and linked.person(one) != linked.person(two)

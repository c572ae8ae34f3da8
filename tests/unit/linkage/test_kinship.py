"""Homes, kin and residence show from the day they could be known to the day the register told otherwise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from .paper import Linked, Paper

FIRST, SECOND, THIRD = dt.date(2026, 1, 5), dt.date(2026, 2, 5), dt.date(2026, 3, 5)
CHILD, MOTHER = "0000101", "0000103"


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def told(on: dt.date, until: dt.date | None = None) -> dict[str, Any]:
    return {"told_on": on, "told_until": until, "is_initial": on == FIRST, "is_superseded": until is not None}


def resident(paper: Paper, number: str, on: dt.date = FIRST, until: dt.date | None = None, **more: str) -> None:
    people = {CHILD: ("髙橋 翔太", "ﾀｶﾊｼ ｼｮｳﾀ", "2015-05-05"), MOTHER: ("髙橋 恵", "ﾀｶﾊｼ ﾒｸﾞﾐ", "1985-05-05")}
    name, kana, born = people[number]
    body = {"resident_number": number, "name": name, "name_kana": kana, "born_on": born, "sex": "女", "household_number": "H1",
            "relationship": "世帯主" if number == MOTHER else "子", "address": "北町1-2-3", "resident_from": born}  # fmt: skip
    paper.row("resident_register", kind="residents", known_from=on, flags=told(on, until), subject={**body, **more})


def move(paper: Paper, number: str, event_on: str, known: str, on: dt.date = FIRST, **more: str) -> None:
    body = {"resident_number": number, "event_on": event_on, "registered_on": known, "event_kind": "世帯変更"}
    paper.row("resident_moves", kind="moves", known_from=day(known), flags=told(on), subject={**body, **more})


def asked(linked: Linked, query: str) -> list[tuple[Any, ...]]:
    return linked.connection.execute(query).fetchall()


KIN = "SELECT kind, valid_from, valid_to, known_from, end_known_from, known_to FROM kinship WHERE kind <> 'SIBLING' ORDER BY ALL"
BORN, KNOWN = day("2015-05-05"), day("2015-05-06")


def test_end_of_a_link_is_known_when_the_move_was_registered(paper: Paper, model_file: Path) -> None:
    resident(paper, CHILD)
    resident(paper, MOTHER, household_number="H9")
    move(paper, MOTHER, "1985-05-05", "1985-05-06", event_kind="出生", household_number="H1", relationship="世帯主")
    move(paper, MOTHER, "2025-08-20", "2025-09-11", household_number="H9", relationship="世帯主")
    assert asked(paper.link(model_file), KIN) == [("MOTHER", BORN, day("2025-08-20"), KNOWN, day("2025-09-11"), None)]


def test_link_that_was_told_otherwise_stood_until_then(paper: Paper, model_file: Path) -> None:
    resident(paper, MOTHER)
    resident(paper, CHILD, FIRST, SECOND)
    resident(paper, CHILD, SECOND, THIRD, relationship="同居人")
    resident(paper, CHILD, THIRD)
    assert asked(paper.link(model_file), KIN) == [
        ("GUARDIAN", BORN, None, SECOND, None, THIRD),
        ("MOTHER", BORN, None, KNOWN, None, SECOND),
        ("MOTHER", BORN, None, THIRD, None, None),
    ]


def test_links_with_a_time_between_in_which_nobody_knew_are_two(paper: Paper, model_file: Path) -> None:
    resident(paper, CHILD)
    resident(paper, MOTHER)
    # The mother moves to the child's next home too, but her move is registered half a year later.
    move(paper, CHILD, "2015-05-05", "2015-05-06", event_kind="出生", household_number="H1", relationship="子")
    move(paper, MOTHER, "1985-05-05", "1985-05-06", event_kind="出生", household_number="H1", relationship="世帯主")
    move(paper, CHILD, "2024-04-01", "2024-04-05", household_number="H2", relationship="子")
    move(paper, MOTHER, "2024-04-01", "2024-10-01", household_number="H2", relationship="世帯主")
    assert asked(paper.link(model_file), KIN) == [
        ("MOTHER", BORN, day("2024-04-01"), KNOWN, day("2024-04-05"), None),
        ("MOTHER", day("2024-04-01"), None, day("2024-10-01"), None, None),
    ]


def test_allowance_that_names_another_guardian_ends_the_first_from_that_day(paper: Paper, model_file: Path) -> None:
    resident(paper, CHILD)
    resident(paper, MOTHER, household_number="H9")
    said = {"item": "child_allowance", "number": 1.0, "valid_from": day("2025-06-01")}
    for known, until, name in ((day("2025-06-20"), SECOND, MOTHER), (SECOND, None, "")):
        guardian = {"guardian": {"resident_number": MOTHER, "name": "髙橋 恵", "relationship": "祖父"}} if name else {}
        paper.row("child_allowance", subject={"resident_number": CHILD, "name": "髙橋 翔太", "born_on": "2015-05-05"},
                  flags=told(FIRST if until else SECOND, until), said=[{**said, "known_from": known, "known_to": until}], **guardian)  # fmt: skip
    assert asked(paper.link(model_file), KIN) == [
        ("GUARDIAN", day("2025-06-01"), None, day("2025-06-20"), None, SECOND)
    ]


def test_household_told_otherwise_without_a_move_was_the_other_until_then(paper: Paper, model_file: Path) -> None:
    resident(paper, CHILD, FIRST, SECOND)
    resident(paper, CHILD, SECOND, household_number="H2")
    found = asked(
        paper.link(model_file), "SELECT household, valid_from, known_from, known_to FROM membership ORDER BY known_from"
    )
    assert found == [("H1#0", BORN, KNOWN, SECOND), ("H2#0", BORN, SECOND, None)]


def test_change_that_touches_no_home_leaves_its_spell_whole(paper: Paper, model_file: Path) -> None:
    resident(paper, CHILD, FIRST, SECOND)
    resident(paper, CHILD, SECOND, address_protection="1")
    linked = paper.link(model_file)
    assert asked(linked, "SELECT known_from, known_to FROM membership") == [(KNOWN, None)]
    assert asked(linked, "SELECT known_from, known_to FROM residence") == [(KNOWN, None)]


def test_number_used_again_is_another_household_however_late_the_end_was_told(paper: Paper, model_file: Path) -> None:
    resident(paper, MOTHER, FIRST, SECOND)
    resident(paper, MOTHER, SECOND, resident_to="2025-03-31", resident_to_reason="転出")
    resident(paper, CHILD, SECOND, resident_from="2025-09-01", resident_from_reason="転入")
    found = asked(
        paper.link(model_file),
        "SELECT household, valid_from, known_from, known_to FROM membership ORDER BY valid_from, known_from",
    )
    born = day("1985-05-05")
    assert found == [
        ("H1#0", born, day("1985-05-06"), SECOND), ("H1#0", born, SECOND, None), ("H1#1", day("2025-09-01"), SECOND, None),
    ]  # fmt: skip


@pytest.mark.parametrize("on", [FIRST, SECOND])
def test_resident_told_by_a_later_delivery_was_not_known_before_it(paper: Paper, model_file: Path, on: dt.date) -> None:
    resident(paper, MOTHER)
    resident(paper, CHILD, on)
    found = asked(paper.link(model_file), "SELECT known_from FROM residence WHERE valid_from = DATE '2015-05-05'")
    assert found == [(KNOWN if on == FIRST else SECOND,)]


def test_person_is_as_each_delivery_said(paper: Paper, model_file: Path) -> None:
    resident(paper, CHILD, FIRST, SECOND, sex="男")
    resident(paper, CHILD, SECOND, born_on="2015-06-05", nationality="外国籍")
    query = "SELECT born_on, sex, nationality, since > DATE '2000-01-01', until < DATE '9999-12-31' FROM attribute ORDER BY since"
    assert asked(paper.link(model_file), query) == [
        ("2015-05-05", "M", None, False, True), ("2015-06-05", "F", "外国籍", True, False),
    ]  # fmt: skip

"""支援措置: the union of all sources, lifted only by the newest positive act; unknown counts as protected."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kodomo.linkage.cards import cards_told, tell_cards
from kodomo.linkage.numbers import number_persons
from kodomo.vault.card import cards_of

from .paper import ON, Paper

REGISTER, WELFARE = "resident_register", "council_registration"
LATER = dt.date(2026, 5, 1)


def protected(paper: Paper, model_file: Path, protecting: set[str] | None = None) -> set[str]:
    """Birth dates of the protected: each person of these papers has one of their own."""
    linked = paper.link(model_file)
    number_persons(linked.connection, None, 0)
    tell_cards(linked.connection, ON, {REGISTER, WELFARE} if protecting is None else protecting)
    return {
        card.born_on for told in cards_told(linked.connection) for card in cards_of(told) if card.is_address_protected
    }


def family(paper: Paper, *flags: str | None, number: str = "0000101", born_on: str = "2015-05-05") -> None:
    """The same record of one child, delivered once for each flag; the last delivery stands."""
    for at, flag in enumerate(flags):
        place = paper.resident(number, "架空 花", "ｶｸｳ ﾊﾅ", born_on, household_number="H" + number)
        body = paper.mentions[-1]
        body["address_protection"], body["row_key"] = flag, number
        body["is_superseded"], body["known_from"] = at < len(flags) - 1, dt.date(2026, 1 + at, 1)
        assert place


@pytest.mark.parametrize(("flags", "is_protected"), [
    (("1",), True),
    (("0",), False),
    (("0", "1"), True),
    (("1", "0"), False),
    (("1", None), True),
    (("1", None, "0"), False),
    (("0", None), False),
    ((None,), False),
])  # fmt: skip
def test_only_the_newest_positive_act_of_a_record_lifts_it(
    paper: Paper, model_file: Path, flags: tuple[str | None, ...], is_protected: bool
) -> None:
    family(paper, *flags)
    assert protected(paper, model_file) == ({"2015-05-05"} if is_protected else set())


def test_one_source_lifts_nothing_that_another_says(paper: Paper, model_file: Path) -> None:
    family(paper, "0")
    paper.row(WELFARE, known_from=dt.date(2025, 1, 1), subject={
        "resident_number": "0000101", "name": "架空 花", "born_on": "2015-05-05", "address_protection": "1"})  # fmt: skip
    assert protected(paper, model_file) == {"2015-05-05"}


def test_a_second_record_of_a_person_lifts_nothing_that_the_first_says(paper: Paper, model_file: Path) -> None:
    """Moved away and back under a new number: the flag stood on the old one."""
    family(paper, "1")
    paper.resident("0000777", "架空 花", "ｶｸｳ ﾊﾅ", "2015-05-05", household_number="H0000101")
    paper.mentions[-1]["row_key"] = "0000777"
    assert "2015-05-05" in protected(paper, model_file)


def test_whoever_lives_with_a_protected_person_is_protected(paper: Paper, model_file: Path) -> None:
    family(paper, "1")
    paper.resident("0000102", "架空 次郎", "ｶｸｳ ｼﾞﾛｳ", "2017-07-07", household_number="H0000101")
    paper.resident("0000200", "別宅 三郎", "ﾍﾞｯﾀｸ ｻﾌﾞﾛｳ", "2016-06-06", household_number="H9")
    assert protected(paper, model_file) == {"2015-05-05", "2017-07-07"}


def test_a_person_no_flagged_source_speaks_of_counts_as_protected(paper: Paper, model_file: Path) -> None:
    family(paper, "0")
    assert protected(paper, model_file, protecting=set()) == {"2015-05-05"}

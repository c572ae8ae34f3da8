"""Cities whose extracts lack what ours have: fewer fields may leave more open, never link the wrong person."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.linkage.run import link_people

from .paper import Paper
from .test_run import land, stage

BORN = "2015-05-05"


def twins(paper: Paper, **without: str) -> tuple[tuple[str, int], tuple[str, int]]:
    """Twins and a namesake of one of them elsewhere, in a register that lacks some columns."""
    home = {"household_number": "H1", "address": "北町1-2-3"}
    one = paper.resident("01", "髙橋 翔太", "ﾀｶﾊｼ ｼｮｳﾀ", BORN, **{**home, **without})
    other = paper.resident("02", "髙橋 翔子", "ﾀｶﾊｼ ｼｮｳｺ", BORN, **{"sex": "女", **home, **without})
    paper.resident(
        "03", "高橋 翔太", "ﾀｶﾊｼ ｼｮｳﾀ", "2013-01-09", **{"household_number": "H2", "address": "南町5", **without}
    )
    return one, other


@pytest.mark.parametrize(
    "missing",
    [
        {"name_kana": ""},
        {"sex": ""},
        {"household_number": "", "relationship": ""},
        {"address": ""},
        {"resident_from": ""},
    ],
)
def test_a_register_without_a_column_still_tells_twins_apart(
    paper: Paper, model_file: Path, missing: dict[str, str]
) -> None:
    one, other = twins(paper, **missing)
    rows = [paper.row("university", subject={"name": name, "born_on": BORN}) for name in ("高橋 翔太", "高橋 翔子")]
    linked = paper.link(model_file)
    assert [linked.person(row) for row in rows] == [linked.person(one), linked.person(other)]


def test_name_and_birth_date_or_reading_and_birth_date_are_enough(paper: Paper, model_file: Path) -> None:
    one, other = twins(paper)
    written = paper.row("nursery", subject={"name": "高橋翔太", "born_on": BORN})
    read = paper.row("clinic", subject={"name_kana": "たかはし しょうこ", "born_on": BORN})
    linked = paper.link(model_file)
    assert linked.person(written) == linked.person(one)
    assert linked.person(read) == linked.person(other)


def test_name_and_address_find_the_child_and_no_namesake(paper: Paper, model_file: Path) -> None:
    one, _ = twins(paper)
    here = paper.row("club", subject={"name": "高橋 翔太", "address": "北町一丁目2番3号"})
    nowhere = paper.row("club", subject={"name": "高橋 翔太", "address": "東町9-9"})
    linked = paper.link(model_file)
    assert linked.person(here) == linked.person(one)
    assert linked.person(nowhere) is None


def test_a_surname_and_a_birth_date_alone_name_neither_twin(paper: Paper, model_file: Path) -> None:
    twins(paper)
    row = paper.row("clinic", subject={"name_kana": "たかはし", "born_on": BORN})
    linked = paper.link(model_file)
    known = {linked.person(("resident_register", number)) for number in (1, 2, 3)}
    assert linked.person(row) not in known


def test_without_a_resident_register_nothing_is_linked_and_the_reason_is_told(
    home: Home, hinata: Municipality, paper: Paper
) -> None:
    paper.row("university_assessment", subject={"name": "高橋 翔太", "born_on": BORN})
    land(paper, home)
    with pytest.raises(NotReady, match="residents"):
        link_people(**stage(home, hinata))

"""Whom a source lists is told from its facts: children of some ages or grades, those concerned, mothers, households."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.factory import Town, day
from kodomo.features.source_lists import Listed, listed_by_sources


def children(*years: int, each: int = 10) -> Town:
    """Children born each June; the extract is that of 1 April 2026."""
    town = Town()
    for year in years:
        for n in range(each):
            town.person(f"c{year}-{n}", f"{year}-06-10", f"h{year}-{n}")
    return town


def lists(town: Town, tmp_path: Path) -> dict[str, Listed]:
    return listed_by_sources(town.publish(tmp_path))


def test_pupils_are_told_by_their_grade_on_the_day_before_the_extract(tmp_path: Path) -> None:
    town = children(*range(2008, 2022))
    for year in range(2010, 2019):  # 小1 to 中3 of 2025; of the extract's own day they would be 小2 to 高1
        for n in range(9):
            town.fact(f"c{year}-{n}", "enrolled", "2025-04-01", to=None)
            town.fact(f"c{year}-{n}", "late", "2026-02-01", source="months", number=1, to="2026-03-01")
            town.fact(f"c{year}-{n}", "class", "2026-03-01", source="year_end", number=1, to="2026-04-01")
    found = lists(town, tmp_path)
    for source in ("school_attendance", "months", "year_end"):
        assert (found[source].grades, found[source].ages) == ((1, 9), None), source
    assert "小1–中3のこどもの 90%" in found["months"].evidence


def test_a_survey_of_last_years_pupils_is_no_roll_of_those_who_left_school(tmp_path: Path) -> None:
    town = children(*range(2007, 2022))
    for year, held in ((2024, "2024-11-01"), (2025, "2025-11-01")):
        for grade in range(3, 10):
            for n in range(10):
                town.fact(f"c{year - 6 - grade}-{n}", "answer", held, source="survey", number=2)
    assert lists(town, tmp_path)["survey"].grades == (3, 9)


def test_ages_are_those_of_the_sources_own_last_day(tmp_path: Path) -> None:
    town = children(*range(2007, 2026))
    for year in range(2007, 2025):
        for n in range(8):
            town.fact(f"c{year}-{n}", "allowance", "2025-04-01", source="allowance", to=None)
            if 2020 <= year <= 2023:
                town.fact(f"c{year}-{n}", "checkup", f"{year + 2}-01-10", source="checkup")
    town.deliveries["allowance"] = [day("2025-06-01")]
    found = lists(town, tmp_path)
    assert found["allowance"].ages == (0, 17), "who came of age or was born since does not count"
    assert found["allowance"].grades is None


def test_what_is_planned_for_later_moves_no_age(tmp_path: Path) -> None:
    town = children(*range(2016, 2026))
    for year in range(2021, 2025):
        for n in range(10):
            town.fact(f"c{year}-{n}", "days", "2026-02-01", source="nursery", number=1, to="2026-03-01")
    town.fact("c2016-1", "meeting", "2027-11-21", source="council", known="2027-11-28")
    found = lists(town, tmp_path)
    assert found["nursery"].ages == (1, 4)
    assert "council" not in found


def test_what_befalls_a_mother_is_about_the_child_she_bore_last(tmp_path: Path) -> None:
    town = children(2019, 2024, 2025, each=6)
    for n in range(6):
        for year in (2024, 2025):
            mother = town.person(f"m{year}-{n}", "1990-01-01", f"h{year}-{n}", since="2015-01-01", relationship="妻")
            town.persons[mother]["is_child"] = False
            town.kin(f"c{year}-{n}", mother, "MOTHER")
            town.fact(mother, "score", f"{year}-07-10", source="epds", number=3)
            town.fact(mother, "notified", f"{year - 1}-12-10", source="pregnancy", number=12)
        town.kin(f"c2019-{n}", f"m2025-{n}", "MOTHER")  # the elder child is not listed by the birth of the younger
    found = lists(town, tmp_path)
    assert (found["epds"].whose, found["epds"].ages) == ("mother", (0, 1))
    assert (found["pregnancy"].whose, found["pregnancy"].ages) == ("mother", (0, 1))


def test_who_is_concerned_is_no_roll(tmp_path: Path) -> None:
    town = children(*range(2012, 2022))
    for year in range(2012, 2022):
        town.fact(f"c{year}-1", "card", "2020-04-01", source="cards", to=None)
        town.fact(f"c{year}-2", "advice", "2025-09-01", source="centre")
    found = lists(town, tmp_path)
    for source in ("cards", "centre"):
        assert not found[source].is_roll and "該当者だけ" in found[source].evidence, source


@pytest.mark.parametrize(("elder", "is_roll"), [(3, True), (9, False)])
def test_the_years_beside_a_roll_may_be_half_listed(tmp_path: Path, elder: int, is_roll: bool) -> None:
    """All of 2 to 4, half of 1 and 5; and of the others so many that it lists whom it concerns."""
    town = children(*range(2011, 2026))
    for year, listed in {2020: 5, 2021: 10, 2022: 10, 2023: 10, 2024: 5}.items():
        for n in range(listed):
            town.fact(f"c{year}-{n}", "checkup", "2025-09-01", source="checkup")
    for year in range(2013, 2018):
        for n in range(elder // 3):
            town.fact(f"c{year}-{n}", "checkup", "2025-09-01", source="checkup")
    assert lists(town, tmp_path)["checkup"].ages == ((2, 4) if is_roll else None)


def test_visits_that_nearly_everybody_made_are_no_roll_of_anybody(tmp_path: Path) -> None:
    town = Town()
    for n in range(40):
        town.person(f"c{n}", f"{2015 + n % 4}-06-10", f"h{n}")
        for visit in range(1 + (n % 4) ** 2):
            town.fact(f"c{n}", "visit", f"2025-{5 + visit % 7:02d}-{1 + visit:02d}", source="nurse", code="頭痛")
        for month in ("06", "11"):
            town.fact(f"c{n}", "answer", f"2025-{month}-01", source="survey", number=2.0)
    found = lists(town, tmp_path)
    assert found["survey"].grades == (1, 4)
    assert not found["nurse"].is_roll and "出来事" in found["nurse"].evidence


def test_two_vendors_pupils_are_one_roll_in_two_parts(tmp_path: Path) -> None:
    town = children(*range(2008, 2022))
    for year in range(2010, 2019):
        for n in range(10):
            vendor = "vendor_a" if n < 5 else "vendor_b"
            town.fact(f"c{year}-{n}", "days", "2026-02-01", source=vendor, number=n, to="2026-03-01")
            town.fact(f"c{year}-{n}", "late", "2026-02-01", source=vendor, number=0, to="2026-03-01")
            if n > 6:  # another list of some of them, of another matter
                town.fact(f"c{year}-{n}", "card", "2024-04-01", source="cards", to=None)
    found = lists(town, tmp_path)
    assert [(found[s].grades, found[s].together) for s in ("vendor_a", "vendor_b")] == [
        ((1, 9), ("vendor_b",)), ((1, 9), ("vendor_a",)),
    ]  # fmt: skip
    assert "vendor_b とあわせて" in found["vendor_a"].evidence
    assert not found["cards"].is_roll and not found["cards"].together


def test_two_offices_that_tell_the_same_of_the_same_children_are_no_parts(tmp_path: Path) -> None:
    town = children(*range(2010, 2019))
    for year in range(2010, 2019):
        for n in range(5):
            for office in ("school", "board"):
                town.fact(f"c{year}-{n}", "days", "2026-02-01", source=office, number=n, to="2026-03-01")
    found = lists(town, tmp_path)
    assert not found["school"].is_roll and found["school"].together == ()

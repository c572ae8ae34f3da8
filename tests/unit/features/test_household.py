"""Structures of the home, worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

from features.factory import Town, day, indicators
from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.household import STRUCTURES
from kodomo.features.matrix import feature_matrix

AS_OF = day("2026-03-31")


def shapes(town: Town, root: Path, child: str) -> dict[str, float]:
    folder = indicators(root / "m", *(f'code = "{s}"\nstructure = "{s}"' for s in STRUCTURES))
    matrix = feature_matrix(town.publish(root / "store"), [AS_OF], read_catalogue(folder), read_expectations(folder))
    row = list(matrix.cohort.child_key).index(child)
    return dict(zip(matrix.codes, matrix.values[row].tolist(), strict=True))


def test_three_generations_with_a_new_partner(tmp_path: Path) -> None:
    town = Town()
    town.person("gran", "1948-01-01", "h1", since="2000-01-01", relationship="世帯主")
    town.person("mai", "1996-03-01", "h1", since="2014-01-01", relationship="子")
    town.person("new", "1990-01-01", "h1", since="2025-11-01", relationship="同居人", by="MOVE_IN")
    town.person("hana", "2015-05-01", "h1", relationship="子の子")
    town.person("ren", "2023-08-01", "h1", relationship="子の子")
    town.kin("hana", "mai", "MOTHER", "2015-05-01")
    town.person("far", "1989-01-01", "h2", since="2010-01-01", relationship="世帯主")
    town.kin("hana", "far", "GUARDIAN", "2015-05-01")
    assert shapes(town, tmp_path, "hana") == {
        "age_months": 130, "grade": 4, "household_size": 5, "adults": 3, "one_adult": 0, "children": 2,
        "children_under_6": 1, "children_under_3": 1, "older_children": 0, "elders_65": 1, "elders_75": 1,
        "parents_at_home": 1, "nonresident_guardian": 1, "household_changes_12m": 0, "moves_36m": 0,
        "adult_joined_12m": 1, "adult_left_12m": 0, "moved_in_12m": 0, "months_resident": 130,
        "mother_age_at_birth": 19, "step_child": 0, "grandparent_headed": 1, "unrelated_adult": 1,
    }  # fmt: skip


def test_moved_in_with_one_adult(tmp_path: Path) -> None:
    town = Town()
    town.person("mai", "1996-03-01", "h1", since="2025-10-01", relationship="世帯主", by="MOVE_IN")
    town.person("hana", "2015-05-01", "h1", since="2025-10-01", by="MOVE_IN")
    found = shapes(town, tmp_path, "hana")
    assert (found["one_adult"], found["moved_in_12m"], found["months_resident"], found["adult_joined_12m"]) == (
        1,
        1,
        5,
        0,
    )
    assert found["parents_at_home"] == 0
    assert math.isnan(found["mother_age_at_birth"])


def test_moving_house_twice_within_three_years(tmp_path: Path) -> None:
    town = Town()
    town.person("hana", "2015-05-01")
    town.dwell("hana", "h1", day("2015-05-01"), day("2024-06-01"))
    town.dwell("hana", "h1", day("2024-06-01"), day("2025-12-01"), area="A2")
    town.dwell("hana", "h2", day("2025-12-01"), area="A3")
    found = shapes(town, tmp_path, "hana")
    assert (found["moves_36m"], found["household_changes_12m"]) == (2, 1)


def test_unknown_home_is_not_an_empty_home(tmp_path: Path) -> None:
    town = Town()
    town.person("hana", "2015-05-01")
    found = shapes(town, tmp_path, "hana")
    assert {name for name, value in found.items() if not math.isnan(value)} == {
        "age_months", "grade", "moved_in_12m", "months_resident"
    }  # fmt: skip

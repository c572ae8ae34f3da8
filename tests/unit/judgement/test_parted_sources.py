"""Two sources that list the pupils together, each a part: nobody is missed on the other, and reasons name the right one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from features.factory import Town, day, indicators

from kodomo.errors import ConfigurationFault
from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.matrix import feature_matrix
from kodomo.judgement.knowledge import knowledge_of, relevant_sources
from kodomo.terms import DifficultyType

AS_OF = day("2026-03-31")
ENTRY = 'item = "absence_days"\naggregate = "sum"\nwindow_months = 3'
PARTS = tuple(
    f'source = "{one}"\nkind = "roster"\ngrades = [1, 9]\ntogether = ["{other}"]'
    for one, other in (("vendor_a", "vendor_b"), ("vendor_b", "vendor_a"))
)


def pupils() -> Town:
    """hana is vendor A's, ren vendor B's, mei went from A to B, aoi is on neither."""
    town = Town()
    for key in ("hana", "ren", "mei", "aoi"):
        town.person(key, "2015-06-01", f"h-{key}")
    for key, month, source in (
        ("hana", "2026-02", "vendor_a"), ("ren", "2026-02", "vendor_b"),
        ("mei", "2025-06", "vendor_a"), ("mei", "2026-02", "vendor_b"),
    ):  # fmt: skip
        town.fact(key, "absence_days", f"{month}-01", source=source, number=3, to=f"{month}-28")
    return town


@pytest.mark.parametrize("kind", ["roster", "register"])
def test_who_is_on_one_part_is_expected_there_alone(tmp_path: Path, kind: str) -> None:
    coverage = [part.replace("roster", kind) for part in PARTS]
    folder = indicators(tmp_path / "m", f'code = "absence"\n{ENTRY}', coverage=coverage)
    snapshot, expectations = pupils().publish(tmp_path / "store"), read_expectations(folder)
    matrix = feature_matrix(snapshot, [AS_OF], read_catalogue(folder), expectations)
    rows = {key: n for n, key in enumerate(matrix.cohort.child_key)}
    children = np.array([rows[key] for key in ("hana", "ren", "mei", "aoi")])
    told = matrix.sources_told(matrix.catalogue["absence"], children)
    assert told[:3].tolist() == ["vendor_a", "vendor_b", "vendor_b"]
    knowledge = knowledge_of(matrix, expectations, snapshot.read("sources"), AS_OF)
    assert knowledge.sources == ("vendor_a", "vendor_b")
    if kind == "roster":
        assert knowledge.expected[children].tolist() == [[True, False], [False, True], [False, True], [True, False]]
        assert knowledge.share()[children].tolist() == [1, 1, 1, 0]
        assert np.isnan(matrix.column("absence")[rows["aoi"]])
    else:
        assert matrix.column("absence")[rows["aoi"]] == 0
    kind_of = DifficultyType.NON_ATTENDANCE
    assert relevant_sources(knowledge, matrix.catalogue, matrix.sources_of, kind_of).tolist() == [True, True]


def test_a_source_together_with_none_is_refused(tmp_path: Path) -> None:
    folder = indicators(tmp_path / "m", f'code = "absence"\n{ENTRY}', coverage=[PARTS[0]])
    with pytest.raises(ConfigurationFault, match="vendor_b"):
        read_expectations(folder)

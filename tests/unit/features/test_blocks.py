"""A city cut into blocks: the same indicators, dates and knowledge as asked at once, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kodomo.features.blocks import frames
from kodomo.features.catalogue import read_catalogue
from kodomo.features.cohort import open_ground
from kodomo.features.coverage import read_expectations
from kodomo.features.engines import DuckDB
from kodomo.features.matrix import FeatureMatrix, feature_matrix
from kodomo.tables.engine import connect

from .test_engines import DATES, catalogue, shuffled_town


def test_blocks_give_what_the_whole_city_gives(tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "m")
    snapshot = shuffled_town().publish(tmp_path / "store")

    def built(rows_at_once: int) -> FeatureMatrix:
        return feature_matrix(
            snapshot, DATES, read_catalogue(folder), read_expectations(folder), with_dates=True,
            spill=tmp_path / "spill", rows_at_once=rows_at_once,
        )  # fmt: skip

    whole, cut = built(10_000), built(15)
    assert whole.codes == cut.codes and list(whole.cohort.child_key) == list(cut.cohort.child_key)
    for code in whole.codes:
        np.testing.assert_array_equal(cut.column(code), whole.column(code), err_msg=code)
        assert np.isfinite(whole.column(code)).any(), f"{code} says nothing in this town"
    assert whole.on is not None and cut.on is not None and np.array_equal(whole.on, cut.on, equal_nan=True)
    assert whole.sources_of == cut.sources_of and list(whole.known_by) == list(cut.known_by)
    assert all(np.array_equal(whole.known_by[s], cut.known_by[s], equal_nan=True) for s in whole.known_by)
    assert list((tmp_path / "spill").iterdir()) == []


def test_nobody_has_a_relative_in_another_block(tmp_path: Path) -> None:
    snapshot = shuffled_town().publish(tmp_path / "store")
    with connect(tmp_path / "spill", threads=1) as connection:
        ground = open_ground(DuckDB.over(connection), snapshot, DATES, (12, 36), ())
        people, rows = [], []
        for frame, own in frames(ground, tmp_path / "spill", most=15):
            people.append(set(frame.members.select("person_key").distinct().to_pyarrow()["person_key"].to_pylist()))
            rows.append(own)
            assert list(frame.cohort.child_key) == list(ground.cohort.child_key[own])
    assert sorted(np.concatenate(rows)) == list(range(len(ground.cohort)))
    assert len(people) > 3 and sum(map(len, people)) == len(set.union(*people))

"""Every aggregate, every structure and every class of a shuffled town: the same values on DuckDB and on Spark."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from features.factory import Town, day, indicators
from features.test_classmates import CLASS, COVERAGE, MEAN, SHARE, school
from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.household import STRUCTURES
from kodomo.features.matrix import FeatureMatrix, feature_matrix

ABSENCE = 'item = "absence_days"\n'
WINDOWED = (
    "sum", "count", "max", "min", "mean", "last", "any", "months_since", "trend",
    'change"\nbaseline_months = "6',
)  # fmt: skip
DATES = [day("2025-09-30"), day("2026-03-31")]


def shuffled_town(seed: int = 5, homes: int = 25) -> Town:
    """Families with one to three children, moves, ties on one day, values learned late and values corrected; a class."""
    draw = np.random.default_rng(seed)
    town = school(8)
    for home in range(homes):
        mother = town.person(f"m{home}", f"{draw.integers(1975, 1995)}-05-01", f"h{home}", relationship="世帯主")
        children = [
            town.person(f"c{home}-{n}", f"{draw.integers(2009, 2024)}-{draw.integers(1, 13):02d}-01", f"h{home}")
            for n in range(draw.integers(1, 4))
        ]
        for child in children:
            town.kin(child, mother, "MOTHER")
            for other in children:
                if other != child:
                    town.kin(child, other, "SIBLING")
            for _ in range(draw.integers(0, 20)):
                on = dt.date(2024, 4, 1) + dt.timedelta(days=int(draw.integers(0, 24)) * 30)
                known = on + dt.timedelta(days=int(draw.integers(1, 60)))
                town.fact(child, "absence_days", on.isoformat(), number=float(draw.integers(0, 9)), known=known.isoformat())  # fmt: skip
                town.fact(child, "school_days", on.isoformat(), number=20.0, known=known.isoformat())
                town.fact(child, "visit", on.isoformat(), code=str(draw.integers(0, 4)), source="nurse_room", known=known.isoformat())  # fmt: skip
    return town


def catalogue(folder: Path) -> Path:
    numbers = [
        f'code = "{whose}_{n}"\n{ABSENCE}whose = "{whose}"\naggregate = "{how}"\nwindow_months = 12'.replace('"6"', "6")
        for whose in ("self", "siblings")
        for n, how in enumerate(WINDOWED)
    ]
    others = [
        f'code = "streak"\n{ABSENCE}aggregate = "streak"\nwindow_months = 12\nnumber = ">= 2"',
        f'code = "share"\n{ABSENCE}aggregate = "share"\nwindow_months = 12\nper = "school_days"',
        'code = "kinds"\nitem = "visit"\naggregate = "distinct"\nwindow_months = 12',
        *(f'code = "s_{name}"\nstructure = "{name}"' for name in STRUCTURES),
    ]
    coverage = ('source = "school_attendance"\nkind = "universal"\nages = [0, 17]', COVERAGE[1])
    made = indicators(folder, *numbers, *others, MEAN, SHARE.replace('"share"', '"class_share"', 1), coverage=coverage)
    file = made / "criteria" / "indicators.toml"
    file.write_text(CLASS + file.read_text("utf-8"), "utf-8")
    return made


@pytest.mark.enable_socket  # Python and the Java machine speak over loopback
def test_both_engines_give_the_same_values_and_dates(java: None, tmp_path: Path) -> None:
    folder = catalogue(tmp_path / "m")
    snapshot = shuffled_town().publish(tmp_path / "store")

    def built(engine: str) -> FeatureMatrix:
        return feature_matrix(
            snapshot, DATES, read_catalogue(folder), read_expectations(folder), with_dates=True,
            spill=tmp_path / "spill", engine_name=engine,
        )  # fmt: skip

    duckdb, spark = built("duckdb"), built("spark")
    assert list(duckdb.cohort.child_key) == list(spark.cohort.child_key) and len(duckdb.cohort) > 60
    assert duckdb.codes == spark.codes
    for code in duckdb.codes:
        np.testing.assert_allclose(spark.column(code), duckdb.column(code), rtol=0, atol=1e-9, err_msg=code)
        assert np.isfinite(duckdb.column(code)).any(), f"{code} says nothing in this town"
    assert duckdb.on is not None and spark.on is not None
    assert np.array_equal(duckdb.on.astype("datetime64[D]"), spark.on.astype("datetime64[D]"), equal_nan=True)
    assert list((tmp_path / "spill").iterdir()) == []

"""Shares and means over a child's class, worked out by hand: the child itself left out, small classes silent.

That Spark says the same is among all the rest in ``test_engines``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.factory import Town, day, indicators
from kodomo.errors import ConfigurationFault
from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.matrix import FeatureMatrix, feature_matrix

AS_OF = day("2026-03-31")
CLASS = '[class]\nitem = "school_enrolled"\n'
MEAN = 'code = "mean"\nitem = "absence_days"\nwhose = "class"\nwindow_months = 3\naggregate = "mean"'
SHARE = 'code = "share"\nitem = "visit"\nwhose = "class"\nwindow_months = 3\naggregate = "share"\ncodes = ["けが"]'
COVERAGE = ('source = "school_attendance"\nkind = "roster"\ngrades = [1, 9]', 'source = "nurse_room"\nkind = "register"\ngrades = [1, 9]')  # fmt: skip


def folder(root: Path, *entries: str, head: str = CLASS) -> Path:
    made = indicators(root / "m", *entries, coverage=COVERAGE)
    file = made / "criteria" / "indicators.toml"
    file.write_text(head + file.read_text("utf-8"), "utf-8")
    return made


def school(pupils: int = 7) -> Town:
    """A class of c0, c1, …: pupil n is absent n days a month; c0 and c1 came to the nurse, c1 hurt.

    Beside it an older pupil of the same school and one of the same grade elsewhere.
    """
    town = Town()
    town.person("seed", "1980-01-01")
    for n in range(pupils):
        town.person(f"c{n}", "2015-05-10", f"h{n}")
        town.fact(f"c{n}", "school_enrolled", "2022-04-01", code="東小", source="school_enrolment", to=None)
        for month in ("2026-01-01", "2026-02-01"):
            town.fact(f"c{n}", "absence_days", month, number=n)
    for key, born, name in (("older", "2013-05-10", "東小"), ("elsewhere", "2015-05-10", "西小")):
        town.person(key, born, f"h-{key}")
        town.fact(key, "school_enrolled", "2022-04-01", code=name, source="school_enrolment", to=None)
        town.fact(key, "absence_days", "2026-02-01", number=20)
    town.fact("c0", "visit", "2026-01-10", code="腹痛", source="nurse_room")
    town.fact("c1", "visit", "2026-01-11", code="けが", source="nurse_room")
    town.fact("c1", "visit", "2026-01-12", code="けが", source="nurse_room")
    return town


def built(root: Path, town: Town, *entries: str, head: str = CLASS) -> FeatureMatrix:
    made, snapshot = folder(root, *entries, head=head), town.publish(root / "store")
    catalogue, expectations = read_catalogue(made), read_expectations(made)
    return feature_matrix(snapshot, [AS_OF], catalogue, expectations, with_dates=True)


def of(matrix: FeatureMatrix, code: str, key: str) -> float:
    return float(matrix.column(code)[list(matrix.cohort.child_key).index(key)])


def test_the_mean_of_the_others_months_and_the_share_of_the_others(tmp_path: Path) -> None:
    matrix = built(tmp_path, school(), MEAN, SHARE)
    assert of(matrix, "mean", "c0") == pytest.approx((1 + 2 + 3 + 4 + 5 + 6) / 6)
    assert of(matrix, "mean", "c6") == pytest.approx((0 + 1 + 2 + 3 + 4 + 5) / 6)
    # c1 came twice and is one child; of itself it is left out.
    assert of(matrix, "share", "c0") == pytest.approx(1 / 6)
    assert of(matrix, "share", "c1") == 0


@pytest.mark.parametrize(("pupils", "least", "said"), [(6, 5, True), (5, 5, False), (7, 7, False), (8, 7, True)])
def test_a_small_class_says_nothing(tmp_path: Path, pupils: int, least: int, said: bool) -> None:
    matrix = built(tmp_path, school(pupils), MEAN, SHARE, head=f"{CLASS}least = {least}\n")
    for code in ("mean", "share"):
        assert np.isnan(of(matrix, code, "c0")) is not said
        assert np.isnan(of(matrix, code, "older")) and np.isnan(of(matrix, code, "elsewhere"))


def test_without_grades_the_whole_school_is_the_class(tmp_path: Path) -> None:
    matrix = built(tmp_path, school(), MEAN, head=f"{CLASS}by_grade = false\n")
    assert of(matrix, "mean", "c0") == pytest.approx((2 * (1 + 2 + 3 + 4 + 5 + 6) + 20) / 13)


def test_a_class_is_what_was_known_on_the_date(tmp_path: Path) -> None:
    town = school()
    # c6 moves away from March on; told only in April.
    town.fact(
        "c6", "school_enrolled", "2026-03-01", code="西小", source="school_enrolment", to=None, known="2026-04-05"
    )
    assert of(built(tmp_path, town, MEAN), "mean", "c0") == pytest.approx(21 / 6)
    told = school()
    told.fact("c6", "school_enrolled", "2026-03-01", code="西小", source="school_enrolment", to=None)
    matrix = built(tmp_path / "b", told, MEAN)
    assert of(matrix, "mean", "c0") == pytest.approx(15 / 5) and np.isnan(of(matrix, "mean", "c6"))


def test_classmates_of_whom_nobody_knows_do_not_count(tmp_path: Path) -> None:
    town = school(8)
    town.facts = [f for f in town.facts if f["item"] != "absence_days" or f["person_key"] not in ("c5", "c6", "c7")]
    assert np.isnan(of(built(tmp_path, town, MEAN), "mean", "c0"))  # four others have numbers


@pytest.mark.parametrize(
    ("head", "entry", "line", "word"),
    [
        ("", MEAN, 7, "[class]"),
        (CLASS, MEAN.replace('"mean"\nitem', '"m"\nitem').replace('aggregate = "mean"', 'aggregate = "max"'), 11, "mean・share"),
        ("[class]\nleast = 5\n", MEAN, 1, "item"),
        (f"{CLASS}least = 4\n", MEAN, 3, "least"),
        (f'{CLASS}by_grade = "はい"\n', MEAN, 3, "by_grade"),
        (f"{CLASS}size = 4\n", MEAN, 3, "size"),
    ],
    ids=["no class said", "aggregate", "no item", "too few", "by_grade", "unknown key"],
)  # fmt: skip
def test_faults_name_their_line(tmp_path: Path, head: str, entry: str, line: int, word: str) -> None:
    with pytest.raises(ConfigurationFault) as fault:
        read_catalogue(folder(tmp_path, entry, head=head))
    assert word in str(fault.value) and f"{line} 行目" in str(fault.value)


def test_no_indicator_about_a_class_without_a_basis_for_what_names_it(tmp_path: Path) -> None:
    made, snapshot = folder(tmp_path, MEAN), school().publish(tmp_path / "store")
    words = (snapshot, [AS_OF], read_catalogue(made), read_expectations(made))
    assert feature_matrix(*words, allows=lambda item: item != "school_enrolled").codes == ()
    assert feature_matrix(*words).codes == ("mean",)

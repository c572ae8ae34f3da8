"""Nothing learned later changes what an indicator was: facts, homes, kin and residence as known on the date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.factory import Town, day, indicators
from kodomo.features.catalogue import read_catalogue
from kodomo.features.cohort import open_frame
from kodomo.features.coverage import read_expectations
from kodomo.features.engines import DuckDB
from kodomo.features.matrix import FeatureMatrix, feature_matrix
from kodomo.tables.engine import connect

AS_OF = day("2025-09-30")
ENTRIES = (
    'code = "sum"\nitem = "absence_days"\naggregate = "sum"\nwindow_months = 12',
    'code = "last"\nitem = "absence_days"\naggregate = "last"\nwindow_months = 12',
    'code = "change"\nitem = "absence_days"\naggregate = "change"\nwindow_months = 3\nbaseline_months = 6',
    'code = "streak"\nitem = "absence_days"\naggregate = "streak"\nwindow_months = 24\nnumber = ">= 1"',
    'code = "now"\nitem = "absence_days"\nat = "now"\naggregate = "count"',
    'code = "sibling"\nitem = "absence_days"\nwhose = "siblings"\naggregate = "max"\nwindow_months = 12',
    *(
        f'code = "{s}"\nstructure = "{s}"'
        for s in ("household_size", "adults", "adult_left_12m", "moves_36m", "moved_in_12m")
    ),
)
COVERAGE = ('source = "school_attendance"\nkind = "register"\ngrades = [1, 9]',)


def matrix_of(town: Town, root: Path, as_of: dt.date = AS_OF) -> FeatureMatrix:
    folder = indicators(root / "m", *ENTRIES, coverage=COVERAGE)
    return feature_matrix(town.publish(root / "store"), [as_of], read_catalogue(folder), read_expectations(folder))


def family() -> Town:
    town = Town()
    town.person("mai", "1990-01-01", "h1", since="2014-01-01", relationship="世帯主")
    for key, born in (("hana", "2015-05-01"), ("ren", "2017-05-01")):
        town.person(key, born, "h1")
        town.kin(key, "mai", "MOTHER", born)
    town.fact("hana", "absence_days", "2025-08-01", number=2, known="2025-09-08")
    town.fact("ren", "absence_days", "2025-07-01", number=1, known="2025-08-08")
    return town


later = st.builds(
    dict,
    key=st.sampled_from(["hana", "ren", "mai"]),
    on=st.dates(dt.date(2023, 1, 1), dt.date(2027, 1, 1)),
    known=st.dates(AS_OF + dt.timedelta(days=1), dt.date(2027, 6, 1)),
    number=st.integers(0, 20),
    open_spell=st.booleans(),
)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> FeatureMatrix:
    """The family's indicators as they were."""
    return matrix_of(family(), tmp_path_factory.mktemp("before"))


@settings(max_examples=6)
@given(facts=st.lists(later, min_size=1, max_size=6))
def test_facts_known_after_the_date_change_nothing(before: FeatureMatrix, facts: list[dict]) -> None:  # type: ignore[type-arg]
    town = family()
    with TemporaryDirectory() as folder:
        for f in facts:
            town.fact(f["key"], "absence_days", f["on"].isoformat(), number=f["number"],
                      known=f["known"].isoformat(), to=None if f["open_spell"] else "same")  # fmt: skip
        town.person("newcomer", "2016-01-01", "h1", since=(AS_OF + dt.timedelta(days=1)).isoformat(), by="MOVE_IN")
        after = matrix_of(town, Path(folder))
    assert list(before.cohort.child_key) == list(after.cohort.child_key)
    np.testing.assert_array_equal(before.values, after.values)


def test_a_fact_that_begins_after_the_date_never_counts_even_when_entered_early(tmp_path: Path) -> None:
    town = family()
    town.fact("hana", "absence_days", "2025-10-01", number=9, known="2025-09-01")
    assert matrix_of(town, tmp_path).column("sum")[0] == 2


def test_a_fact_known_on_the_date_itself_counts(tmp_path: Path) -> None:
    town = family()
    town.fact("hana", "absence_days", "2025-09-30", number=4, known="2025-09-30")
    assert matrix_of(town, tmp_path).column("sum")[0] == 6


def test_a_move_nobody_knew_of_yet_has_not_happened(tmp_path: Path) -> None:
    town = family()
    town.household_spells = [s for s in town.household_spells if s["person_key"] != "mai"]
    town.dwell("mai", "h1", day("2014-01-01"), day("2025-08-20"), relationship="世帯主")
    town.dwell("mai", "h9", day("2025-08-20"), relationship="世帯主", known=day("2025-10-05"))
    matrix = matrix_of(town, tmp_path)
    assert matrix.column("household_size")[0] == 3
    assert matrix.column("adult_left_12m")[0] == 0


def test_a_known_move_has(tmp_path: Path) -> None:
    town = family()
    town.household_spells = [s for s in town.household_spells if s["person_key"] != "mai"]
    town.dwell("mai", "h1", day("2014-01-01"), day("2025-08-20"), relationship="世帯主")
    town.dwell("mai", "h9", day("2025-08-20"), relationship="世帯主", known=day("2025-08-27"))
    matrix = matrix_of(town, tmp_path)
    assert matrix.column("household_size")[0] == 2
    assert matrix.column("adult_left_12m")[0] == 1


def test_a_child_whose_leaving_was_not_known_is_still_judged(tmp_path: Path) -> None:
    town = family()
    town.residence_spells = [s for s in town.residence_spells if s["person_key"] != "ren"]
    town.resident("ren", day("2017-05-01"), day("2025-09-10"), end_known=day("2025-10-02"))
    assert "ren" in matrix_of(town, tmp_path).cohort.child_key
    town.residence_spells[-1]["end_known_from"] = day("2025-09-12")
    assert "ren" not in matrix_of(town, tmp_path / "again").cohort.child_key


@pytest.mark.parametrize(("as_of", "total"), [("2025-09-30", 2), ("2025-10-31", 7)])
def test_corrected_value_counts_until_the_correction_was_known(tmp_path: Path, as_of: str, total: int) -> None:
    town = family()
    town.facts[0]["known_to"] = day("2025-10-15")
    town.fact("hana", "absence_days", "2025-08-01", number=7, known="2025-10-15")
    assert matrix_of(town, tmp_path, day(as_of)).column("sum")[0] == total


def test_fact_taken_back_is_gone_and_not_zero_where_nobody_would_know(tmp_path: Path) -> None:
    town = family()
    town.facts[0]["known_to"] = day("2025-09-20")
    matrix = matrix_of(town, tmp_path)
    assert matrix.column("sum")[0] == 0 and np.isnan(matrix.column("last")[0])


def test_link_shows_from_the_day_it_was_known_to_the_day_its_end_was(tmp_path: Path) -> None:
    town = family()
    town.kinships.clear()
    town.kin("hana", "mai", "MOTHER", "2015-05-01", known="2025-03-01", ended="2025-06-01", end_known="2025-06-20")
    town.kin("ren", "mai", "MOTHER", "2017-05-01", until="2025-05-01")
    shown = {}
    for as_of in ("2025-02-28", "2025-04-30", "2025-06-10", "2025-06-20"):
        frame = relations(town, tmp_path / as_of, day(as_of))
        shown[as_of] = sorted(child for child, whose, _ in frame if whose == "mother")
    assert shown == {"2025-02-28": ["ren"], "2025-04-30": ["hana", "ren"], "2025-06-10": ["hana"], "2025-06-20": []}


def relations(town: Town, root: Path, as_of: dt.date) -> list[tuple[str, str, str]]:
    """(child, whose, person) as known on a date."""
    with connect(threads=1) as connection:
        frame = open_frame(DuckDB.over(connection), town.publish(root), [as_of], (12,), ())
        members = frame.members.select("row", "whose", "person_key").to_pyarrow().to_pylist()
    return [(frame.cohort.child_key[m["row"]], m["whose"], m["person_key"]) for m in members]


def test_home_and_residence_that_were_told_otherwise_later_are_as_they_were_told(tmp_path: Path) -> None:
    town = family()
    town.household_spells = [s for s in town.household_spells if s["person_key"] != "mai"]
    town.dwell("mai", "h1", day("2014-01-01"), relationship="世帯主", until=day("2025-10-10"))
    town.dwell("mai", "h9", day("2014-01-01"), relationship="世帯主", known=day("2025-10-10"))
    town.resident("ren", day("2017-05-01"), until=day("2025-10-10"))
    town.residence_spells = [r for r in town.residence_spells if r["person_key"] != "ren" or r["known_to"]]
    before, after = matrix_of(town, tmp_path), matrix_of(town, tmp_path / "after", day("2025-10-10"))
    assert list(before.cohort.child_key) == ["hana", "ren"] and before.column("household_size")[0] == 3
    assert list(after.cohort.child_key) == ["hana"] and after.column("household_size")[0] == 1


def test_person_is_as_the_register_said_before_it_corrected_itself(tmp_path: Path) -> None:
    town = family()
    before = {
        "person_key": "hana",
        "born_month": day("2014-05-01"),
        "school_year_born": 2014,
        "sex": "M",
        "is_foreign": True,
    }
    town.corrected_persons.append({**before, "known_from": None, "known_to": day("2025-10-01")})
    then, now = matrix_of(town, tmp_path).cohort, matrix_of(town, tmp_path / "now", day("2025-10-01")).cohort
    assert (then.age_years[0], then.grade[0], then.sex[0], then.is_foreign[0]) == (11, 5, "M", True)
    assert (now.age_years[0], now.grade[0], now.sex[0], now.is_foreign[0]) == (10, 4, "F", False)


def test_snapshot_from_before_these_columns_is_read_as_if_nothing_had_been_corrected(tmp_path: Path) -> None:
    new = matrix_of(family(), tmp_path)
    snapshot = family().publish(tmp_path / "old")
    (snapshot.path / "corrected_persons.parquet").unlink()
    for name in ("facts", "kinships", "household_spells", "residence_spells"):
        table = pq.read_table(snapshot.file(name))
        pq.write_table(table.drop_columns(["known_to"]), snapshot.file(name))
    folder = indicators(tmp_path / "m", *ENTRIES, coverage=COVERAGE)
    old = feature_matrix(snapshot, [AS_OF], read_catalogue(folder), read_expectations(folder))
    np.testing.assert_array_equal(new.values, old.values)


@pytest.mark.parametrize("born", ["2007-05-01", "2008-03-15"])
@pytest.mark.parametrize(("as_of", "there"), [("2025-05-01", True), ("2026-03-31", True), ("2026-04-01", False)])
def test_judged_until_the_end_of_the_school_year_of_the_eighteenth_birthday(
    tmp_path: Path, born: str, as_of: str, there: bool
) -> None:
    town = family()
    town.person("saki", born, "h1")
    town.persons["saki"]["school_year_born"] = None if born == "2007-05-01" else 2007
    town.fact("hana", "absence_days", "2025-01-01", number=2, known="2025-02-08")
    assert ("saki" in matrix_of(town, tmp_path, day(as_of)).cohort.child_key) is there


def test_several_dates_in_one_pass_are_the_same_as_one_by_one(tmp_path: Path) -> None:
    folder = indicators(tmp_path / "m", *ENTRIES, coverage=COVERAGE)
    snapshot = family().publish(tmp_path / "store")
    dates = [day("2025-08-31"), day("2025-09-30")]
    catalogue, expectations = read_catalogue(folder), read_expectations(folder)
    together = feature_matrix(snapshot, dates, catalogue, expectations)
    apart = [feature_matrix(snapshot, [d], catalogue, expectations) for d in dates]
    np.testing.assert_array_equal(together.values, np.concatenate([m.values for m in apart]))

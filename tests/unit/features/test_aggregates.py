"""Every aggregate against values worked out by hand, for one child on 31 March 2026."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from features.factory import Town, day, indicators
from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.matrix import FeatureMatrix, feature_matrix

AS_OF = day("2026-03-31")
ROSTER = 'source = "school_attendance"\nkind = "roster"\ngrades = [1, 9]'
REGISTER = 'source = "nurse_room"\nkind = "register"\ngrades = [1, 9]'
VOLUNTARY = 'source = "npo_watch"\nkind = "voluntary"'


def town() -> Town:
    """花 with absences 1, 2, 0, 4, 6, 5 from October to March; March is not known yet on 31 March."""
    built = Town()
    built.person("hana", "2015-05-10", "h1")
    for month, days in zip(("2025-10", "2025-11", "2025-12", "2026-01", "2026-02"), (1, 2, 0, 4, 6), strict=True):
        built.fact("hana", "absence_days", f"{month}-01", number=days, known="2026-03-10")
        built.fact("hana", "school_days", f"{month}-01", number=20, known="2026-03-10")
    built.fact("hana", "absence_days", "2026-03-01", number=5, known="2026-04-07")
    return built


def built(
    tmp_path: Path, source: Town, *entries: str, coverage: tuple[str, ...] = (ROSTER, REGISTER, VOLUNTARY)
) -> FeatureMatrix:
    folder = indicators(tmp_path / "m", *entries, coverage=coverage)
    snapshot = source.publish(tmp_path / "store")
    return feature_matrix(snapshot, [AS_OF], read_catalogue(folder), read_expectations(folder), with_dates=True)


def value(tmp_path: Path, source: Town, entry: str, child: str = "hana", **keywords: tuple[str, ...]) -> float:
    matrix = built(tmp_path, source, f'code = "x"\n{entry}', **keywords)
    return float(matrix.column("x")[list(matrix.cohort.child_key).index(child)])


ABSENCE = 'item = "absence_days"\n'


NUMBERS = [
    ('aggregate = "sum"\nwindow_months = 3', 10.0),
    ('aggregate = "sum"\nwindow_months = 6', 13.0),
    ('aggregate = "sum"\nwindow_months = 6\nexpiry_months = 2', 6.0),
    ('aggregate = "count"\nwindow_months = 6', 5.0),
    ('aggregate = "count"\nwindow_months = 6\nnumber = ">= 2"', 3.0),
    ('aggregate = "max"\nwindow_months = 12', 6.0),
    ('aggregate = "min"\nwindow_months = 12', 0.0),
    ('aggregate = "last"\nwindow_months = 12', 6.0),
    ('aggregate = "mean"\nwindow_months = 6', 2.6),
    ('aggregate = "any"\nwindow_months = 3\nnumber = ">= 7"', 0.0),
    ('aggregate = "any"\nwindow_months = 3\nnumber = ">= 6"', 1.0),
    ('aggregate = "months_since"\nwindow_months = 12\nnumber = ">= 4"', 1.0),
    ('aggregate = "months_since"\nwindow_months = 12\nnumber = "== 2"', 4.0),
    ('aggregate = "change"\nwindow_months = 3\nbaseline_months = 3', 5.0 - 1.0),
    ('aggregate = "streak"\nwindow_months = 12\nnumber = ">= 4"', 2.0),
    ('aggregate = "streak"\nwindow_months = 12\nnumber = ">= 7"', 0.0),
    ('aggregate = "trend"\nwindow_months = 6', 1.2),
    ('aggregate = "share"\nwindow_months = 3\nper = "school_days"', 10 / 40),
    ('aggregate = "share"\nwindow_months = 6\nnumber = ">= 4"', 2 / 5),
]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> FeatureMatrix:
    """All the entries above in one catalogue."""
    entries = [f'code = "x{n}"\n{ABSENCE}{entry}' for n, (entry, _) in enumerate(NUMBERS)]
    return built(tmp_path_factory.mktemp("numbers"), town(), *entries)


@pytest.mark.parametrize("case", range(len(NUMBERS)), ids=[entry.replace("\n", " ") for entry, _ in NUMBERS])
def test_aggregate_of_numbers_as_worked_out_by_hand(numbers: FeatureMatrix, case: int) -> None:
    assert numbers.column(f"x{case}")[0] == pytest.approx(NUMBERS[case][1])


def test_the_order_in_which_facts_are_added_up_changes_no_bit(tmp_path: Path) -> None:
    """An engine with several threads adds in any order; fractions then differ in the last bits."""
    source = Town()
    source.person("hana", "2015-05-10", "h1")
    rng = random.Random(3)  # noqa: S311
    for month in range(3, 13):
        for day_of in range(1, 28):
            source.fact("hana", "absence_days", f"2025-{month:02d}-{day_of:02d}", number=rng.choice((0.1, 0.7, 10 / 3)))
            source.fact("hana", "school_days", f"2025-{month:02d}-{day_of:02d}", number=rng.choice((0.3, 0.9)))
    more = {"share": 'per = "school_days"', "change": "baseline_months = 6"}
    entries = [
        f'code = "{one}"\n{ABSENCE}aggregate = "{one}"\nwindow_months = 6\n{more.get(one, "")}'
        for one in ("mean", "sum", "trend", "change", "share")
    ]
    found = []
    for n in range(4):
        rng.shuffle(source.facts)
        found.append(built(tmp_path / str(n), source, *entries).values[0].tolist())
    assert found == [found[0]] * 4 and all(found[0])


def test_distinct_counts_different_codes_of_the_window(tmp_path: Path) -> None:
    source = town()
    for on, code in (("2026-01-10", "頭痛"), ("2026-02-10", "頭痛"), ("2026-02-11", "けが"), ("2024-01-01", "腹痛")):
        source.fact("hana", "nurse_room_visit", on, source="nurse_room", code=code)
    entry = 'item = "nurse_room_visit"\naggregate = "distinct"\nwindow_months = 12'
    assert value(tmp_path, source, entry) == 2


def test_codes_choose_facts(tmp_path: Path) -> None:
    source = town()
    source.fact("hana", "nurse_room_visit", "2026-02-11", source="nurse_room", code="けが")
    source.fact("hana", "nurse_room_visit", "2026-02-12", source="nurse_room", code="相談")
    entry = 'item = "nurse_room_visit"\ncodes = ["相談"]\naggregate = "count"\nwindow_months = 3'
    assert value(tmp_path, source, entry) == 1


def test_last_takes_the_correction_learned_later(tmp_path: Path) -> None:
    source = town()
    source.fact("hana", "absence_days", "2026-02-01", number=9, known="2026-03-20")
    assert value(tmp_path, source, ABSENCE + 'aggregate = "last"\nwindow_months = 3') == 9


@pytest.mark.parametrize(
    ("began", "ended", "now", "touching"),
    [
        ("2020-04-01", None, 1.0, 1.0),
        ("2020-04-01", "2026-04-01", 1.0, 1.0),
        ("2020-04-01", "2026-03-31", 0.0, 1.0),
        ("2020-04-01", "2025-06-30", 0.0, 1.0),
        ("2020-04-01", "2025-03-31", 0.0, 0.0),
    ],
)
def test_spells_now_and_in_the_window(
    tmp_path: Path, began: str, ended: str | None, now: float, touching: float
) -> None:
    source = town()
    source.fact("hana", "public_assistance", began, source="public_assistance", number=1, to=ended)
    coverage = ('source = "public_assistance"\nkind = "register"',)
    matrix = built(
        tmp_path,
        source,
        'code = "now"\nitem = "public_assistance"\nat = "now"\naggregate = "any"',
        'code = "touching"\nitem = "public_assistance"\nat = "touching"\nwindow_months = 12\naggregate = "any"',
        coverage=coverage,
    )
    assert (matrix.column("now")[0], matrix.column("touching")[0]) == (now, touching)


def test_relatives_as_whose(tmp_path: Path) -> None:
    source = town()
    mother = source.person("mai", "1990-02-02", "h1", since="2015-01-01", relationship="妻")
    source.person("ren", "2018-05-10", "h1")
    source.kin("hana", mother, "MOTHER", "2015-05-10")
    source.fact("ren", "absence_days", "2026-02-01", number=3, known="2026-03-10")
    source.fact(mother, "epds_score", "2026-02-01", source="epds", number=11)
    entries = [
        f'code = "{whose}"\nitem = "{item}"\nwhose = "{whose}"\naggregate = "max"\nwindow_months = 3'
        for whose, item in (
            ("mother", "epds_score"),
            ("siblings", "absence_days"),
            ("household", "epds_score"),
            ("guardians", "epds_score"),
        )
    ]
    matrix = built(tmp_path, source, *entries)
    hana = list(matrix.cohort.child_key).index("hana")
    assert [matrix.column(w)[hana] for w in ("mother", "siblings", "household", "guardians")] == [11, 3, 11, 11]
    ren = list(matrix.cohort.child_key).index("ren")
    assert matrix.column("siblings")[ren] == 6
    assert math.isnan(matrix.column("mother")[ren])


def test_nothing_found_is_zero_only_where_the_source_would_know(tmp_path: Path) -> None:
    source = town()
    source.person("aoi", "2015-06-01", "h2")
    source.person("baby", "2025-06-01", "h2")
    source.fact("hana", "nurse_room_visit", "2026-02-01", source="nurse_room", code="けが")
    source.fact("hana", "npo_watch", "2026-02-01", source="npo_watch", code="変わりなし")
    matrix = built(
        tmp_path,
        source,
        'code = "register"\nitem = "nurse_room_visit"\naggregate = "count"\nwindow_months = 3',
        'code = "roster"\nitem = "absence_days"\naggregate = "sum"\nwindow_months = 3',
        'code = "voluntary"\nitem = "npo_watch"\ncodes = ["気になる様子"]\naggregate = "count"\nwindow_months = 3',
        'code = "refused"\nitem = "tax_income"\naggregate = "count"\nwindow_months = 3',
    )
    by_child = {k: matrix.values[n].tolist() for n, k in enumerate(matrix.cohort.child_key)}
    assert by_child["hana"][:3] == [1, 10, 0]
    assert by_child["aoi"][0] == 0
    assert math.isnan(by_child["aoi"][1]) and math.isnan(by_child["aoi"][2])
    assert math.isnan(by_child["baby"][0])
    assert all(math.isnan(row[3]) for row in by_child.values())


def test_roster_that_lost_sight_of_a_child_says_nothing(tmp_path: Path) -> None:
    source = town()
    source.person("mio", "2015-06-01", "h2")
    source.fact("mio", "absence_days", "2024-06-01", number=1, known="2024-07-08")
    entry = ABSENCE + 'aggregate = "count"\nwindow_months = 3\nnumber = ">= 1"'
    assert math.isnan(value(tmp_path, source, entry, "mio"))


def test_date_of_the_newest_fact_that_counted(tmp_path: Path) -> None:
    matrix = built(
        tmp_path, town(), 'code = "x"\n' + ABSENCE + 'aggregate = "count"\nwindow_months = 6\nnumber = "== 2"'
    )
    assert matrix.on is not None
    assert str(matrix.on[0, 0]) == "2025-11-01"
    assert matrix.sources_of["absence_days"] == ("school_attendance",)


def test_item_without_a_legal_basis_is_skipped_and_named(tmp_path: Path) -> None:
    folder = indicators(
        tmp_path / "m",
        'code = "x"\n' + ABSENCE + 'aggregate = "sum"\nwindow_months = 3',
        'code = "y"\nitem = "late_days"\naggregate = "sum"\nwindow_months = 3',
    )
    snapshot = town().publish(tmp_path / "store")
    matrix = feature_matrix(
        snapshot, [AS_OF], read_catalogue(folder), read_expectations(folder), allows=lambda item: item != "absence_days"
    )
    assert matrix.codes == ("y",)
    assert "absence_days" in matrix.skipped["x"]

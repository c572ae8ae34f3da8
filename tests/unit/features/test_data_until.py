"""A date that lies beyond the data is refused, or said; the date of an extract is no such date."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.factory import Town, day
from kodomo.errors import NotReady
from kodomo.features.data_until import check_followed, check_reached, later_deliveries
from kodomo.store.database import Snapshot

LAST = "2026-03-31"


def store(tmp_path: Path) -> Snapshot:
    """School says something monthly (60 days count as new), the health centre said something long ago."""
    town = Town()
    town.person("hana", "2015-05-01", "h1")
    town.fact("hana", "absence_days", "2026-02-01", number=2, known="2026-03-08")
    town.fact("hana", "checkup", "2018-06-01", source="checkups")
    town.deliveries = {"school_attendance": [day("2026-02-28"), day(LAST)], "checkups": [day("2025-12-31")]}
    return town.publish(tmp_path)


@pytest.mark.parametrize("as_of", [LAST, "2026-04-30", "2026-05-30"])
def test_a_source_past_its_limit_is_named_with_its_last_extract(tmp_path: Path, as_of: str) -> None:
    said = check_reached(store(tmp_path), day(as_of))
    assert "〔checkups〕(2025-12-31)" in said and "〔school_attendance〕" not in said


def test_a_date_before_the_last_extract_with_all_sources_new_says_nothing(tmp_path: Path) -> None:
    assert check_reached(store(tmp_path), day("2026-02-28")) == ""


@pytest.mark.parametrize(("as_of", "is_said"), [("2026-05-01", False), ("2026-05-02", True)])
def test_more_than_a_month_without_any_data_is_said(tmp_path: Path, as_of: str, is_said: bool) -> None:
    said = check_reached(store(tmp_path), day(as_of))
    assert ("最後の抽出日 2026-03-31 より 32 日あと" in said) is is_said


@pytest.mark.parametrize("as_of", ["2026-05-31", "2029-01-01"])
def test_a_date_on_which_nothing_is_new_is_refused_with_the_last_data(tmp_path: Path, as_of: str) -> None:
    with pytest.raises(NotReady) as refused:
        check_reached(store(tmp_path), day(as_of))
    assert as_of in refused.value.what and "2026-03-31(〔school_attendance〕)" in refused.value.where
    assert "2026-03-31 まで" in refused.value.then


@pytest.mark.parametrize(("as_of", "is_refused"), [("2026-05-01", False), ("2026-05-02", True)])
def test_registrations_are_not_counted_until_a_date_nobody_told_of(
    tmp_path: Path, as_of: str, is_refused: bool
) -> None:
    if not is_refused:
        assert "〔checkups〕" in check_followed(store(tmp_path), day(as_of))
        return
    with pytest.raises(NotReady, match="32 日あと"):
        check_followed(store(tmp_path), day(as_of))


def test_where_no_file_name_told_a_date_the_newest_fact_counts(tmp_path: Path) -> None:
    snapshot = store(tmp_path)
    undated = _without_dates(snapshot)
    assert check_reached(undated, day("2026-05-07")).count("〔checkups〕(2018-06-01)") == 1
    with pytest.raises(NotReady, match="2026-03-08"):
        check_reached(undated, day("2026-05-08"))


def test_an_empty_store_says_nothing(tmp_path: Path) -> None:
    town = Town()
    town.person("hana", "2015-05-01", "h1")
    assert check_reached(town.publish(tmp_path), day("2029-01-01")) == ""


def test_deliveries_the_date_does_not_know_are_named_the_first_of_a_source_is_history(tmp_path: Path) -> None:
    snapshot = store(tmp_path)
    assert later_deliveries(snapshot, day("2026-03-30")) == "〔school_attendance〕"
    assert later_deliveries(snapshot, day(LAST)) == ""


def _without_dates(snapshot: Snapshot) -> Snapshot:
    path = snapshot.file("sources")
    table = pq.read_table(path)
    for name in ("deliveries", "extracted_on"):
        place = table.column_names.index(name)
        table = table.set_column(place, table.schema.field(name), pa.nulls(len(table), table.schema.field(name).type))
    pq.write_table(table, path)
    return snapshot

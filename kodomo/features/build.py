"""Builds the indicators of every child for a date and keeps them in the store (analysis side)."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable
from functools import cache

import pyarrow as pa

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.features.catalogue import Catalogue, read_catalogue
from kodomo.features.coverage import Expectations, read_expectations
from kodomo.features.data_until import check_reached, later_deliveries
from kodomo.features.matrix import FeatureMatrix, feature_matrix
from kodomo.governance.register import Register, read_register
from kodomo.progress import Progress
from kodomo.store.database import Snapshot, Store
from kodomo.tables.schema import Column, Table
from kodomo.terms import Purpose, Sensitivity

KIND = "features"
Beat = Callable[[dict[str, object]], None] | None


def build_features(
    *,
    home: Home,
    municipality: Municipality,
    as_of: dt.date,
    at: dt.datetime,
    beat: Beat = None,
    engine: str = "duckdb",
) -> dict[str, object]:
    """Build every child's indicators as known on a date and write them into the store.

    Reads the current snapshot, the municipality's criteria and its item register. Writes one folder
    ``features/<as_of>…`` at once or not at all; the same snapshot and criteria give the same folder,
    which is then left as it is. Never uses a fact known after ``as_of``, and never an item without a
    legal basis for judgement on that date: its indicators are left out and named.

    Args:
        engine: one of ``engines.ENGINES``.

    Raises:
        NotReady: nothing has been published yet, the date lies beyond all data, or the engine is not installed.
        ConfigurationFault: the criteria or the register do not hold together.
    """
    started = time.monotonic()
    snapshot = current_snapshot(home)
    old_data = check_reached(snapshot, as_of)
    catalogue, expectations = (
        read_catalogue(municipality.criteria_folder),
        read_expectations(municipality.criteria_folder),
    )
    progress = Progress("指標の作成", len(catalogue.indicators), unit="指標", beat=beat)
    matrix = feature_matrix(
        snapshot,
        [as_of],
        catalogue,
        expectations,
        allows=lawful_for(read_register(municipality.folder), Purpose.JUDGE, as_of),
        spill=home.spill,
        engine_name=engine,
    )
    progress.add(len(matrix.codes))
    written = _keep(Store(home.store), snapshot, as_of, matrix, expectations, at)
    progress.close()
    return {
        "as_of": as_of.isoformat(),
        "snapshot": snapshot.snapshot_id,
        "features": written.snapshot_id,
        "path": str(written.path),
        "children": len(matrix.cohort),
        "indicators": len(matrix.codes),
        "skipped": matrix.skipped,
        "silent": matrix.silent(),
        "later_deliveries": later_deliveries(snapshot, as_of),
        "old_data": old_data,
        "criteria_sha256": catalogue.sha256,
        "seconds": round(time.monotonic() - started, 2),
    }


def current_snapshot(home: Home) -> Snapshot:
    """The published child database. Raises NotReady when there is none."""
    snapshot = Store(home.store).current("snapshots")
    if snapshot is None:
        raise NotReady("こどもデータベースがまだ公表されていません。", then="先に kodomo publish を実行してください。")
    return snapshot


def lawful_for(register: Register, purpose: Purpose, on: dt.date) -> Callable[[str], bool]:
    """Whether an item may be used for a purpose on the day of use; each item is asked once."""

    @cache
    def allows(item: str) -> bool:
        return register.allows(item, purpose, on)

    return allows


def declared_table(catalogue: Catalogue) -> Table:
    """The wide matrix as a declaration: its columns are the municipality's indicators."""
    fixed = (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("as_of", pa.date32(), "基準日", Sensitivity.PLAIN),
    )
    asked = tuple(
        Column(i.code, pa.float64(), i.caption, Sensitivity.SPECIAL_CARE, nullable=True) for i in catalogue.indicators
    )
    return Table(KIND, "指標", "一人のこどもの、一つの基準日の指標", fixed + asked)


def _keep(
    store: Store, snapshot: Snapshot, as_of: dt.date, matrix: FeatureMatrix, expectations: Expectations, at: dt.datetime
) -> Snapshot:
    criteria = hashlib.sha256(
        "".join((matrix.catalogue.sha256, expectations.sha256, *matrix.codes)).encode()
    ).hexdigest()
    name = f"{as_of.isoformat()}.{snapshot.snapshot_id}.{criteria[:12]}"
    if name in store.names(KIND):
        return store.open(KIND, name)
    columns = {"child_key": pa.array(matrix.cohort.child_key, pa.string())}
    columns["as_of"] = pa.array([as_of] * len(matrix.cohort), pa.date32())
    for n, code in enumerate(matrix.codes):
        columns[code] = pa.array(matrix.values[:, n], pa.float64(), from_pandas=True)
    manifest = {
        "as_of": as_of.isoformat(),
        "snapshot": snapshot.snapshot_id,
        "criteria_sha256": matrix.catalogue.sha256,
        "coverage_sha256": expectations.sha256,
        "skipped": matrix.skipped,
        "at": at.isoformat(),
    }
    declared = {KIND: declared_table(matrix.catalogue)}
    return store.write(KIND, name, {KIND: pa.table(columns)}, manifest, declared=declared)

"""When a legal basis lapses, every path stops using the item: publish, indicators, reasons, and new deliveries."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from handmade import write_extract
from journey.test_by_hand import RESIDENTS, _attendance, _enrolment
from journey.walk import AS_OF, ROOT, Journey

from kodomo.configuration import Home
from kodomo.intake.layout import read_layouts
from kodomo.store.database import Store

HINATA = ROOT / "municipalities" / "hinata"


@pytest.fixture
def lapsed(tmp_path: Path) -> Path:
    """ひなた市's folder, in which absences were taken out of the decision they rested on."""
    folder = tmp_path / "municipality"
    shutil.copytree(HINATA, folder)
    bases = folder / "register" / "bases.toml"
    text = bases.read_text()
    assert text.count('"absence_days", ') == 1
    bases.write_text(text.replace('"absence_days", ', ""))
    return folder


def _deliver(folder: Path) -> Path:
    layouts = read_layouts(HINATA)
    write_extract(layouts["resident_register"], RESIDENTS, folder)
    write_extract(layouts["school_enrolment"], _enrolment(), folder)
    write_extract(layouts["school_attendance"], _attendance(), folder)
    return folder


def _items(home: Home) -> set[str]:
    snapshot = Store(home.store).current("snapshots")
    assert snapshot is not None
    return set(snapshot.read("facts")["item"].to_pylist())


def test_item_whose_basis_lapsed_after_landing_is_not_published_nor_computed(tmp_path: Path, lapsed: Path) -> None:
    walked = Journey(Home(tmp_path / "home"), tmp_path)
    walked.run_in_turn(("receive", str(_deliver(tmp_path / "extracts"))), ("link",), ("publish",))
    assert "absence_days" in _items(walked.home)

    here = ("--municipality", str(lapsed))
    built, _, _ = walked.run_in_turn(
        (*here, "build", "--as-of", AS_OF), (*here, "publish"), (*here, "judge", "--as-of", AS_OF)
    )
    assert "absence_12m" in built["skipped"]
    matrix = pq.read_table(next(Path(built["path"]).glob("*.parquet")))
    assert "absence_12m" not in matrix.column_names or pc.count(matrix["absence_12m"]).as_py() == 0
    assert "absence_days" not in _items(walked.home)
    assert "school_enrolled" in _items(walked.home)
    judged = Store(walked.home.store).current("judgements")
    assert judged is not None
    used = set(judged.read("reasons")["indicator"].to_pylist())
    assert not {indicator for indicator in used if indicator and indicator.startswith("absence")}


def test_item_without_a_basis_is_not_landed(tmp_path: Path, lapsed: Path) -> None:
    walked = Journey(Home(tmp_path / "home"), tmp_path)
    # published under the valid register: what never landed does not come back
    received, _, _ = walked.run_in_turn(
        ("--municipality", str(lapsed), "receive", str(_deliver(tmp_path / "extracts"))), ("link",), ("publish",)
    )
    refused = {
        item["item"] if isinstance(item, dict) else item
        for delivery in received["deliveries"]
        for item in delivery["refused_items"]
    }
    assert "absence_days" in str(refused)
    assert "absence_days" not in _items(walked.home)

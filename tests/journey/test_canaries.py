"""Canary identities planted in the extracts appear on no analysis-side or casework-side file, and in no printed word."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from journey.walk import Journey


def _canaries(journey: Journey) -> set[str]:
    found = {row["value"] for row in journey.answers("canaries")}
    assert len(found) >= 5
    return found


def _strings(path: Path) -> str:
    """Everything readable in a file; Parquet columns are decompressed first."""
    if path.suffix != ".parquet":
        return path.read_bytes().decode("utf-8", errors="ignore")
    table = pq.read_table(path)
    texts = [c for c in table.columns if pa.types.is_string(c.type) or pa.types.is_large_string(c.type)]
    return "\n".join(str(value) for column in texts for value in column.unique().to_pylist())


def test_canaries_are_in_the_extracts(journey: Journey) -> None:
    raw = b"".join(p.read_bytes() for p in sorted((journey.city / "extracts").rglob("*.csv")))
    text = raw.decode("cp932", errors="ignore") + raw.decode("utf-8", errors="ignore")
    assert any(value in text for value in _canaries(journey))


@pytest.mark.parametrize("side", ["store", "casework", "runs", "spill", "keys", "handover"])
def test_no_canary_on_disk_outside_the_seals(journey: Journey, side: str) -> None:
    files = [p for p in (journey.home.root / side).rglob("*") if p.is_file()]
    canaries = _canaries(journey)
    leaks = [(p.name, value) for p in files for text in [_strings(p)] for value in canaries if value in text]
    assert not leaks


def test_vault_holds_no_canary_in_clear(journey: Journey) -> None:
    files = [p for p in journey.home.vault.rglob("*") if p.is_file()]
    assert files
    canaries = _canaries(journey)
    for path in files:
        content = path.read_bytes()
        for value in canaries:
            assert value.encode() not in content, path.name
            assert value.encode("cp932", errors="ignore") not in content or not value.encode("cp932", errors="ignore")


def test_no_canary_was_printed(journey: Journey) -> None:
    assert journey.printed
    assert not [value for value in _canaries(journey) if value in journey.printed]


def test_the_scan_would_find_one(tmp_path: Path, journey: Journey) -> None:
    value = next(iter(_canaries(journey)))
    path = tmp_path / "leak.parquet"
    pq.write_table(pa.table({"sentence": [f"{value}さん"]}), path)
    assert value in _strings(path)

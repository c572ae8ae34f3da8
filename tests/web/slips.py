"""Has forms that came back read in the test's own process, for tests of what comes before and after the reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.errors import DeliveryRefused
from kodomo.intake.slip import read_slip
from kodomo.support.returned_form import SlipRefused


@pytest.fixture
def apart() -> None:
    """Asked for by tests that want it read as in an office: in bounded processes of its own, two for each file."""


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if "apart" in request.fixturenames:
        return

    def rows(content: bytes, password: str = "") -> list[list[str]]:
        (tmp_path / "slip").write_bytes(content)
        try:
            return read_slip(tmp_path / "slip", "回答票", password=password or None)
        except DeliveryRefused as fault:
            code = str(fault.details["code"])
            raise SlipRefused(code, fault.what, where=fault.where, then=fault.then) from None

    for page in ("replies", "inquiry_files"):
        monkeypatch.setattr(f"kodomo.support.{page}.read_rows", rows)

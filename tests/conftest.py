"""What every test stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.configuration import Home, Municipality, read_municipality

ROOT = Path(__file__).resolve().parent.parent
HINATA = ROOT / "municipalities" / "hinata"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty installation of its own."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def hinata() -> Municipality:
    """The synthetic city's settings."""
    return read_municipality(HINATA)

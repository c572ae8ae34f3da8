"""What every test stands on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kodomo.configuration import Home, Municipality, read_municipality

ROOT = Path(__file__).resolve().parent.parent
HINATA = ROOT / "municipalities" / "hinata"

SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
"""How long an example takes says something about the machine, not about the product."""

settings.register_profile("steady", derandomize=True, database=None, **SLOW)
settings.register_profile("explore", database=None, **SLOW)
settings.load_profile("steady")
"""The same examples on every run; other ones with ``pytest --hypothesis-profile=explore``."""

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
"""Spark's Java lives for seconds here: its thorough compiler would work longer than what it compiles."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty installation of its own."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def hinata() -> Municipality:
    """The synthetic city's settings."""
    return read_municipality(HINATA)


LONG = (
    "test_on_postgresql.py",
    "test_engines.py",
    "test_every_page.py",
    "test_analysis_alone.py",
    "test_two_clocks.py",
)
"""Files that take minutes: begun first, so that no core waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order they are handed out: the long ones, then as they lie."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))

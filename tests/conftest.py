"""What every test stands on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kodomo.configuration import Home, Municipality, read_municipality
from kodomo.vault import database

# Every process compiles every module anew, and pytest each test file, where the environment says to keep none.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Every commit of every test waits for the disk. What memory holds waits for nothing; where there is enough, it lies there.
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the system's, in which pytest makes its own
ENOUGH_BYTES = 4 << 30
if "TMPDIR" not in os.environ and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES:
    os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)

ROOT = Path(__file__).resolve().parent.parent
HINATA = ROOT / "municipalities" / "hinata"

SLOW = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
"""How long an example takes says something about the machine, not about the product."""

settings.register_profile("steady", derandomize=True, database=None, **SLOW)
settings.register_profile("explore", database=None, **SLOW)
settings.load_profile("steady")
"""The same examples on every run; other ones with ``pytest --hypothesis-profile=explore``."""


@pytest.fixture(scope="session")
def java() -> None:
    """Spark and Java are there; the first session starts the Java machine, the others find it running."""
    pytest.importorskip("pyspark", reason="pyspark がありません(make test が入れます)")
    if shutil.which("java") is None:
        pytest.skip("Java がありません(root で make test を実行すると入ります)")
    # It lives for seconds: the thorough compiler would work longer than what it compiles.
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty installation of its own."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="session", autouse=True)
def _vault_made_once() -> Iterator[None]:
    """The first vault of a process is migrated, and later new ones begin as its copy, which takes a fiftieth of the
    time; each asks whether it is up to date, as ever.
    """
    from django.db import connections

    migrate, made = database._migrate, sqlite3.connect(":memory:")

    def copied() -> None:
        vault = connections["vault"]
        if vault.vendor != "sqlite" or vault.introspection.table_names():
            return migrate()
        if made.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            made.backup(vault.connection)
        else:
            migrate()
            vault.connection.backup(made)
        return migrate()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_migrate", copied)
        yield
    made.close()


@pytest.fixture(scope="session")
def hinata() -> Municipality:
    """The synthetic city's settings."""
    return read_municipality(HINATA)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What passed leaves nothing lying in memory."""
    if exitstatus == 0 and not hasattr(session.config, "workerinput"):
        shutil.rmtree(session.config._tmp_path_factory.getbasetemp(), ignore_errors=True)


LONG = (
    "test_on_postgresql.py",
    "test_engines.py",
    "test_every_page.py",
    "test_analysis_alone.py",
    "test_days.py",
    "test_keyboard.py",
    "test_whole_loop.py",
    "test_two_clocks.py",
    "test_resume.py",
)
"""Files that take half a minute and more: begun first, so that no core waits for them at the end."""

ONCE = ("journey", "java")
"""What is made once for all tests that ask for it: a walked city, and a Java machine for Spark."""


LONGEST_VALUE = 60
"""Characters or bytes of a parameter that a test may be named by."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """A file's content names no test: a workbook carries its minute, and processes that begin in two would find other tests."""
    return "content" if isinstance(val, (str, bytes)) and len(val) > LONGEST_VALUE else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order they are handed out: the long ones, then as they lie; what one process does is handed out as one."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))
    for item in items:
        shared = next((name for name in ONCE if name in getattr(item, "fixturenames", ())), None)
        item.add_marker(pytest.mark.xdist_group(shared or str(item.path.relative_to(ROOT))))

"""A prepared installation, copied anew for each test.

Each test has real database files and real commits (not a transaction that is rolled back): audit
rows, anchors and lock-outs behave as they do in an office.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgres
import pytest

from kodomo.configuration import Home, Municipality, read_municipality

_ROOT = Path(__file__).resolve().parents[2]
FIRST_HOME = Home(Path(tempfile.mkdtemp(prefix="kodomo-web-")))


def _bring_up_django() -> None:
    """Once for the process, at collection; the environment is left as it was found."""
    from kodomo.web.start import start_django

    before = dict(os.environ)
    start_django(FIRST_HOME, read_municipality(_ROOT / "municipalities" / "hinata"))
    os.environ.clear()
    os.environ.update(before)


_bring_up_django()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from small_store import write_store  # noqa: E402
from standing_people import AT, EVERYBODY, PASSWORD  # noqa: E402


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server | None]:
    """The PostgreSQL these tests run on, where it was asked for (KODOMO_TEST_DATABASE=postgresql)."""
    if not postgres.ASKED:
        yield None
        return
    with postgres.cluster() as address:
        yield postgres.Server(address)


@pytest.fixture(scope="session")
def _prepared(
    django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory, hinata: Municipality, server: Any
) -> Home:
    """One installation with tables, people and cases; only ever copied, and made once in a process."""
    if _MADE:
        return _MADE[0]
    from django.contrib.auth.hashers import make_password

    from kodomo.assessment.arrivals import receive_arrivals
    from kodomo.web.models import Staff
    from kodomo.web.start import migrate, point_at

    django_db_blocker.unblock()
    settings.PASSWORD_HASHERS = ["standing_people.QuickArgon2"]
    home = Home(tmp_path_factory.mktemp("prepared"))
    if server is not None:
        server.give(home.root)
    point_at(home, hinata)
    migrate()
    sealed = make_password(PASSWORD)
    Staff.objects.bulk_create(
        Staff(username=p.username, name=p.name, role=p.role, office=p.office, password=sealed) for p in EVERYBODY
    )
    write_store(home.store)
    receive_arrivals(home=home, municipality=hinata, by="tests", at=AT)
    _let_go()
    _MADE.append(home)
    return home


_MADE: list[Home] = []
"""Two folders of tests stand on it, each with a fixture of its own."""


def _let_go() -> None:
    for connection in connections.all():
        if connection.settings_dict["NAME"]:
            if connection.vendor == "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()


@pytest.fixture
def home(_prepared: Home, tmp_path: Path, hinata: Municipality, server: Any) -> Iterator[Home]:
    """A fresh copy of the prepared installation; the site's settings point at it."""
    from kodomo.web.start import point_at

    own = Home(tmp_path / "home")
    shutil.copytree(_prepared.root, own.root)
    databases = server.give(own.root, template="1") if server is not None else {}
    point_at(own, hinata)
    hosts = settings.ALLOWED_HOSTS
    settings.ALLOWED_HOSTS = [*hosts, "testserver"]
    yield own
    settings.ALLOWED_HOSTS = hosts
    for connection in connections.all():
        connection.close()
    if server is not None:
        server.take(databases)


@pytest.fixture
def case_of(home: Home) -> Any:
    """The case of a child of the small store."""

    def find(child_key: str) -> Any:
        from kodomo.assessment.models import Case

        return Case.objects.get(child_key=child_key)

    return find

"""What every test of the site stands on: a prepared installation, copied anew for each test, and the standing people.

Each test has real database files and real commits (not a transaction that is rolled back): audit
rows, anchors and lock-outs behave as they do in an office.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kodomo.configuration import Home, Municipality, read_municipality

_ROOT = Path(__file__).resolve().parents[2]
_FIRST_HOME = Home(Path(tempfile.mkdtemp(prefix="kodomo-web-")))


def _bring_up_django() -> None:
    """Once for the process, at collection; the environment is left as it was found."""
    from kodomo.web.start import start_django

    before = dict(os.environ)
    start_django(_FIRST_HOME, read_municipality(_ROOT / "municipalities" / "hinata"))
    os.environ.clear()
    os.environ.update(before)


_bring_up_django()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from small_store import write_store  # noqa: E402

from kodomo.governance.permissions import Role  # noqa: E402

AT = dt.datetime(2026, 4, 2, 1, 0, tzinfo=dt.UTC)
PASSWORD = "hinata-no-kaze-2026"


def pytest_unconfigure() -> None:
    shutil.rmtree(_FIRST_HOME.root, ignore_errors=True)


@dataclass(frozen=True)
class Person:
    """One of the people a test speaks of."""

    username: str
    name: str
    role: Role
    office: str


HANA = Person("hana", "青木 花", Role.PRACTITIONER, "family_centre")
MAKOTO = Person("makoto", "井上 誠", Role.PRACTITIONER, "family_centre")
REN = Person("ren", "上田 蓮", Role.PRACTITIONER, "childcare")
RIN = Person("rin", "江藤 凛", Role.ANALYST, "university")
OTHERS = tuple(
    Person(role.lower().replace("_", "-"), f"役割 {role.label}", role, "family_centre")
    for role in Role
    if role not in (Role.PRACTITIONER, Role.ANALYST)
)
EVERYBODY = (HANA, MAKOTO, REN, RIN, *OTHERS)


@pytest.fixture(scope="session")
def _prepared(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> Home:
    """One installation with tables, people and cases; only ever copied."""
    from django.contrib.auth.hashers import make_password

    from kodomo.assessment.arrivals import receive_arrivals
    from kodomo.web.models import Staff
    from kodomo.web.start import migrate, point_at

    django_db_blocker.unblock()
    home = Home(tmp_path_factory.mktemp("prepared"))
    point_at(home, hinata)
    migrate()
    sealed = make_password(PASSWORD)
    Staff.objects.bulk_create(
        Staff(username=p.username, name=p.name, role=p.role, office=p.office, password=sealed) for p in EVERYBODY
    )
    write_store(home.store)
    receive_arrivals(home=home, municipality=hinata, by="tests", at=AT)
    _let_go()
    return home


def _let_go() -> None:
    for connection in connections.all():
        if connection.settings_dict["NAME"]:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()


@pytest.fixture
def home(_prepared: Home, tmp_path: Path, hinata: Municipality) -> Iterator[Home]:
    """A fresh copy of the prepared installation; the site's settings point at it."""
    from kodomo.web.start import point_at

    own = Home(tmp_path / "home")
    shutil.copytree(_prepared.root, own.root)
    point_at(own, hinata)
    hosts = settings.ALLOWED_HOSTS
    settings.ALLOWED_HOSTS = [*hosts, "testserver"]
    yield own
    settings.ALLOWED_HOSTS = hosts
    for connection in connections.all():
        connection.close()


@pytest.fixture
def client(home: Home) -> Client:
    """A browser nobody has signed in with."""
    return Client(raise_request_exception=False)


@pytest.fixture
def as_person(home: Home) -> Any:
    """A browser in which a person has signed in and given the second factor."""

    def sign_in(person: Person) -> Client:
        from django.utils import timezone
        from django_otp import DEVICE_ID_SESSION_KEY
        from django_otp.plugins.otp_totp.models import TOTPDevice

        from kodomo.web.models import Staff

        account = Staff.objects.get(username=person.username)
        device, _ = TOTPDevice.objects.get_or_create(user=account, confirmed=True, defaults={"name": "試験"})
        browser = Client(raise_request_exception=False)
        browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        session = browser.session
        session["signed_in_at"] = timezone.now().isoformat()
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
        return browser

    return sign_in


@pytest.fixture
def case_of(home: Home) -> Any:
    """The case of a child of the small store."""

    def find(child_key: str) -> Any:
        from kodomo.assessment.models import Case

        return Case.objects.get(child_key=child_key)

    return find


@pytest.fixture
def audit_rows(home: Home) -> Any:
    """The casework audit trail as it stands."""

    def read() -> list[dict[str, Any]]:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT sequence, actor, role, action, subject, purpose, reason, detail FROM audit_events ORDER BY 1"
            )
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return read

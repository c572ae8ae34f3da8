"""What every test of the site stands on: the prepared installation, browsers, and the work of standing people."""

# ruff: noqa: F811

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from typing import Any

import postgres
import pytest
from django.db import connections
from django.test import Client
from prepared_site import FIRST_HOME, _prepared, case_of, home, server  # noqa: F401
from standing_people import Person

from kodomo.configuration import Home


def pytest_sessionstart(session: pytest.Session) -> None:
    """Databases here are files of each test's own; pytest-django has nothing to guard."""
    from pytest_django.plugin import blocking_manager_key

    session.config.stash[blocking_manager_key].unblock()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL, what its answers can differ in."""
    if postgres.ASKED:
        items[:] = postgres.one_of_each_refused(items)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(FIRST_HOME.root, ignore_errors=True)


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

        from kodomo.web.models import Authenticator, Staff

        account = Staff.objects.get(username=person.username)
        device = Authenticator.objects.filter(user=account).first() or Authenticator.begin(account)
        Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
        browser = Client(raise_request_exception=False)
        browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        session = browser.session
        session["signed_in_at"] = timezone.now().isoformat()
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
        return browser

    return sign_in


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


@pytest.fixture
def token_of() -> Any:
    """The hidden values of a form on a page, as a browser would send them back."""

    def read(page: Any) -> dict[str, str]:
        body = page.content.decode()
        found = re.findall(r'<input type="hidden" name="(token|version)" value="([^"]*)"', body)
        return dict(found)

    return read


@pytest.fixture
def first_view(token_of: Any) -> Any:
    """Write a first view as a person would: open the case, fill in, send."""

    def write(browser: Any, number: str, text: str = "欠席が増え続けているので確かめたい。") -> Any:
        hidden = token_of(browser.get(f"/cases/{number}/"))
        return browser.post(f"/cases/{number}/first-view/", {**hidden, "concern": "SOME", "text": text})

    return write


@pytest.fixture
def decision() -> dict[str, str]:
    """A decision that holds together."""
    from django.utils import timezone

    next_on = timezone.localdate() + dt.timedelta(days=14)
    return {
        "decision": "INQUIRE",
        "reason_code": "Q1",
        "reason_text": "",
        "agreement": "AGREE",
        "next_on": next_on.isoformat(),
    }


@pytest.fixture
def decided(first_view: Any, token_of: Any, decision: dict[str, str]) -> Any:
    """Take a case all the way to a decision."""

    def decide(browser: Any, number: str, **changed: str) -> Any:
        first_view(browser, number)
        hidden = token_of(browser.get(f"/cases/{number}/decide/"))
        return browser.post(f"/cases/{number}/decide/", {**hidden, **decision, **changed})

    return decide


@pytest.fixture
def in_vault(home: Home) -> Any:
    """Put an identity for a child key into the vault, as linkage would."""

    def put(child_key: str, number: int = 1, **changed: Any) -> None:
        from kodomo.vault.keys import Keyring
        from kodomo.vault.models import Person as Linked

        content = {
            "name": "日向 かなり", "name_kana": "ヒナタ カナリ", "former_names": [], "born_on": "2016-02-29", "sex": "F",
            "address": "ひなた市秘密町1-2-3", "is_address_protected": False, "guardians": ["日向 まもり"], **changed,
        }  # fmt: skip
        sealed = Keyring.open(home.keys).seal(json.dumps(content).encode(), f"person:{number}")
        told = {
            "person_key": child_key,
            "sealed_identity": sealed,
            "is_address_protected": content["is_address_protected"],
        }
        Linked.objects.using("vault").update_or_create(person_number=number, defaults=told)

    return put

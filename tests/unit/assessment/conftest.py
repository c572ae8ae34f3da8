"""The assessment tests stand on the same prepared installation as the web tests."""

from __future__ import annotations

import sys
from pathlib import Path

_WEB = Path(__file__).resolve().parents[2] / "web"
if str(_WEB) not in sys.path:
    sys.path.insert(0, str(_WEB))

import pytest  # noqa: E402
from prepared_site import _prepared, case_of, home, server  # noqa: E402, F401


@pytest.fixture
def audit_count(home):  # type: ignore[no-untyped-def]  # noqa: F811
    """How many rows the casework trail has."""
    from django.db import connections

    def count() -> int:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit_events")
            return int(cursor.fetchone()[0])

    return count

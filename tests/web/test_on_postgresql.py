"""The site on Debian's PostgreSQL, started here on a temporary data directory: the tests of the work, once more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import postgres
import pytest

HERE = Path(__file__).parent
AGAIN = (
    "test_together.py", "test_decide.py", "test_first_view.py", "test_support.py", "test_inquiry.py", "test_inquiry_files.py", "test_find.py",
    "test_conference.py", "test_sheets.py", "test_packages.py", "test_lapse_page.py",
    "test_jobs_page.py", "test_runs_page.py", "test_deliveries_page.py", "test_links_page.py", "test_criteria_page.py",
    "test_models_page.py", "test_queries.py", "test_on_postgresql.py::test_it_really_runs_on_postgresql",
)  # fmt: skip
"""What people write, at once and one after the other, what they search, what the audit trail keeps of it; the operators'
pages that write. ``test_queries`` opens every page, those that only read among them."""


# Each of the two belongs to one side of the process that the first starts; neither is skipped on its own side.
if postgres.ASKED:

    def test_it_really_runs_on_postgresql(home: object) -> None:
        from django.db import connections

        assert {alias: connections[alias].vendor for alias in ("default", "vault")} == {
            "default": "postgresql",
            "vault": "postgresql",
        }

else:

    def test_the_work_is_the_same_on_postgresql() -> None:
        if postgres.programs() is None:
            if os.environ.get("CI"):
                pytest.fail("PostgreSQL がありません。make system-packages で入れてください。")
            pytest.skip("PostgreSQL がないので試せません(make system-packages)")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", *(str(HERE / name) for name in AGAIN)],
            env={**os.environ, "KODOMO_TEST_DATABASE": "postgresql"},
            cwd=HERE.parents[1], capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:]
        passed = re.search(r"(\d+) passed", done.stdout)
        assert passed and int(passed.group(1)) >= 100 and "skipped" not in done.stdout, done.stdout[-500:]

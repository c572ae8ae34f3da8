"""The suite itself: what shares a costly beginning is handed to one process, and every process finds the same tests."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="一つの処理で動くときは、分けるものがありません")
def test_the_tests_of_a_file_go_to_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells what belongs together by the end of a test's name."""
    assert request.node.nodeid.endswith("@tests/architecture/test_suite.py")


def test_no_test_is_named_by_what_a_file_holds(request: pytest.FixtureRequest) -> None:
    """Two processes that make a workbook a moment apart must find the same tests."""
    assert not [
        item.nodeid[:200] for item in request.session.items if "[PK\\x03" in item.nodeid or "-PK\\x03" in item.nodeid
    ]

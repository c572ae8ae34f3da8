"""The suite itself: what shares a costly beginning is handed to one process, or it would be made in each."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="一つの処理で動くときは、分けるものがありません")
def test_the_tests_of_a_file_go_to_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist tells what belongs together by the end of a test's name."""
    assert request.node.nodeid.endswith("@tests/architecture/test_suite.py")

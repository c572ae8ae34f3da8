"""Linkage on hand-written paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from .paper import Paper


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return tmp_path / "model.json"

"""A little town, an empty home, and a way to read and receive in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from town import AT, write_town

from kodomo.configuration import Home, read_municipality
from kodomo.intake.layout import layout_for, read_layouts
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.read import Job, Reading, read_extract
from kodomo.intake.receive import receive


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """The municipality's folder."""
    return write_town(tmp_path / "town")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder on the operator's medium."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def read(town: Path, tmp_path: Path) -> Callable[..., Reading]:
    """Read bytes as one source's file, in this process, everything permitted."""

    def reading(name: str, content: bytes | Path, limits: Limits = LIMITS) -> Reading:
        layout = layout_for(name, read_layouts(town))
        path = content if isinstance(content, Path) else tmp_path / "0.in"
        if isinstance(content, bytes):
            path.write_bytes(content)
        columns = frozenset(c.reference for c in layout.columns if not c.ignore)
        rules = frozenset(range(len(layout.facts)))
        return read_extract(Job(path, name, layout, columns, rules, b"k" * 32, dt.date(2026, 4, 1), limits))

    return reading


Deliver = Callable[..., dict[str, Any]]


@pytest.fixture
def deliver_apart(town: Path, home: Home) -> Deliver:
    """Receive paths into the empty home, as the product does: each file read in a process of its own."""

    def delivering(*paths: Path, at: dt.datetime = AT, **more: Any) -> dict[str, Any]:
        return receive(list(paths), home=home, municipality=read_municipality(town), by="tester", at=at, **more)

    return delivering


@pytest.fixture
def deliver(deliver_apart: Deliver, monkeypatch: pytest.MonkeyPatch) -> Deliver:
    """The same with the reading done in this process, for tests of what comes before and after it."""
    monkeypatch.setattr("kodomo.intake.receive.readers", lambda: nullcontext(read_extract))
    return deliver_apart

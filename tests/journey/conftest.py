"""One small ひなた市, taken through every stage once by the command line, for all journey tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from journey.walk import AS_OF, RESIDENTS, Journey

from kodomo.configuration import Home


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """The whole path on 1,500 residents, from extracts to the casework site's arrivals."""
    root = tmp_path_factory.mktemp("journey")
    walked = Journey(Home(root / "home"), root / "city")
    started = time.monotonic()
    walked.run("city", "--residents", str(RESIDENTS), "--months", "24", "--seed", "7", "--out", str(walked.city))
    walked.run("receive", str(walked.city / "extracts"))
    walked.run("link")
    walked.run("publish")
    walked.run("build", "--as-of", AS_OF)
    walked.run("judge", "--as-of", AS_OF)
    walked.run("export-links", str(root / "links.csv"))
    walked.run("export-judgements", str(root / "judgements.csv"), "--as-of", AS_OF)
    walked.run("prepare", "--demo")
    walked.run("evaluate", "--as-of", AS_OF)
    walked.seconds = time.monotonic() - started
    yield walked

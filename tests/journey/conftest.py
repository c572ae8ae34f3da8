"""One small ひなた市, taken through every stage once by the command line, for all journey tests."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest
from journey.walk import AS_OF, RESIDENTS, Journey

from kodomo.configuration import Home


def _worked() -> float:
    """CPU seconds of the commands so far: how long they took says more of what else the machine does."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """The whole path on 1,500 residents, from extracts to the casework site's arrivals."""
    root = tmp_path_factory.mktemp("journey")
    walked = Journey(Home(root / "home"), root / "city")
    started = _worked()
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
    walked.cpu_seconds = _worked() - started
    yield walked

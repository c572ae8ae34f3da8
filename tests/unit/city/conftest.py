"""One small city for all tests of this folder."""

from __future__ import annotations

import pytest
from written_city import RESIDENTS, Written

from kodomo.city.write_city import write_city
from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.intake.layout import read_layouts


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Written:
    out = tmp_path_factory.mktemp("hinata")
    report = write_city(residents=RESIDENTS, months=24, seed=7, out=out)
    return Written(out, report, read_layouts(SHIPPED_MUNICIPALITIES / "hinata"))


@pytest.fixture(scope="session")
def larger_city(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Enough children for shares of shares."""
    out = tmp_path_factory.mktemp("hinata_larger")
    report = write_city(residents=12_000, months=12, seed=2, out=out)
    return Written(out, report, read_layouts(SHIPPED_MUNICIPALITIES / "hinata"))

"""A place belongs to one municipality; a demonstration can't be opened on another's data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotPermitted
from kodomo.web.serve import _claim


def test_place_of_one_municipality_is_refused_to_another(tmp_path: Path, hinata: Municipality) -> None:
    home = Home(tmp_path)
    _claim(home, replace(hinata, code="123456"))
    _claim(home, replace(hinata, code="123456"))
    with pytest.raises(NotPermitted):
        _claim(home, hinata)

"""Towns become the areas a municipality names, by a code alone; an area of a few people is nobody's address."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from kodomo.configuration import Municipality, area_code, read_municipality
from kodomo.errors import ConfigurationFault
from kodomo.linkage import publish
from kodomo.linkage.gate import AREA
from kodomo.tables.engine import connect
from kodomo.vault.keys import Keyring

EAST = area_code("東地区")


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.open(tmp_path / "keys")


def areas_of(keyring: Keyring, municipality: Municipality, people: dict[str, int]) -> dict[str, str]:
    """Town → area code, of so many people in each town."""
    towns = [town for town, count in people.items() for _ in range(count)]
    spells = [{"person_number": number, "town": town} for number, town in enumerate(towns)]
    connection = connect()
    connection.register("household_spells", pa.Table.from_pylist(spells))
    publish._register_area_codes(connection, keyring, municipality)
    return dict(connection.execute("SELECT town, area_code FROM areas").fetchall())


def test_towns_of_a_named_area_share_its_code_however_they_are_written(keyring: Keyring, hinata: Municipality) -> None:
    named = replace(hinata, extras={**hinata.extras, "areas": {"東地区": ["緑ヶ丘", "大字北原字上ノ山", "汐見町"]}})
    found = areas_of(keyring, named, {"緑ケ丘": 30, "北原上ノ山": 15, "汐見町": 5, "本町": 50, "栄町": 49})
    assert {town for town, code in found.items() if code == EAST} == {"緑ケ丘", "北原上ノ山", "汐見町"}
    assert set(found) == {"緑ケ丘", "北原上ノ山", "汐見町", "本町"} and found["本町"] != EAST
    assert all(AREA.match(code) for code in found.values())


def test_an_area_of_too_few_people_is_no_area(keyring: Keyring, hinata: Municipality) -> None:
    named = replace(hinata, extras={**hinata.extras, "areas": {"東地区": ["緑ヶ丘", "汐見町"]}})
    assert areas_of(keyring, named, {"緑ケ丘": 29, "汐見町": 20}) == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[areas]\n"東地区" = "緑ヶ丘"\n', "areas.東地区: 地区に入る町名を [ ] の並びで"),
        ('[areas]\n"東地区" = []\n', "areas.東地区: 地区に入る町名を [ ] の並びで"),
        ('[areas]\n"東地区" = ["緑ヶ丘"]\n"西地区" = ["緑ヶ丘"]\n', "areas.西地区: 「緑ヶ丘」は「東地区」にも"),
    ],
)
def test_what_is_wrong_with_areas_is_said(tmp_path: Path, hinata: Municipality, written: str, said: str) -> None:
    text = (hinata.folder / "settings.toml").read_text(encoding="utf-8").split("[areas]")[0]
    (tmp_path / "settings.toml").write_text(text + written, encoding="utf-8")
    (tmp_path / "offices.toml").write_bytes((hinata.folder / "offices.toml").read_bytes())
    with pytest.raises(ConfigurationFault, match="誤りが 1 件") as fault:
        read_municipality(tmp_path)
    assert said in str(fault.value)

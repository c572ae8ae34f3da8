"""By which town and number an office's addresses are compared, whichever process works them out."""

from __future__ import annotations

import pyarrow as pa

from kodomo.intake.addresses import normalise_address
from kodomo.linkage import places
from kodomo.tables import aside

ADDRESSES = sorted(
    [
        "ひなた市日向町一丁目2番3号",
        "日向町1-2-3 コーポ花101",
        "東都ひなた市字上原12番地の3",
        "東都みどり市緑町5",
        "緑町5",
        "住所不定",
        " 日向町１丁目２－３\n二行目",
        *(f"日向町{n}丁目{n + 1}-{n + 2}" for n in range(1, 9)),
    ]
)
VALUES = pa.chunked_array([ADDRESSES[:5], ADDRESSES[5:]], pa.string())


def told() -> dict[str, tuple[str | None, str | None]]:
    table = places.normal_places(VALUES, "東都", "ひなた市")
    assert table.schema.equals(places.PLACES)
    return {row["value"]: (row["town"], row["number"]) for row in table.to_pylist()}


def test_addresses_are_compared_by_town_and_number():
    found = told()
    assert list(found) == ADDRESSES
    assert found["日向町1-2-3 コーポ花101"] == found["ひなた市日向町一丁目2番3号"]
    other = normalise_address("東都みどり市緑町5", "東都", "ひなた市")
    assert found["東都みどり市緑町5"] == (other.city + other.town, other.number) and other.city
    assert found["緑町5"] != found["東都みどり市緑町5"]


def test_other_process_answers_as_this_one_would(monkeypatch):
    here = told()
    monkeypatch.setattr(places, "FEWEST", 1)  # as if a handful were many, in several pieces
    monkeypatch.setattr(places, "PIECE_ROWS", 3)
    monkeypatch.setattr(aside.os, "cpu_count", lambda: 2)
    asked = []
    monkeypatch.setattr(places, "_placed", lambda *words: asked.append(words))
    assert told() == here and asked == []


def test_of_no_addresses_there_are_no_places():
    assert places.normal_places(pa.chunked_array([], pa.string()), "", "").equals(places.PLACES.empty_table())

"""Addresses come back from the other process as from this one, and without it just the same."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest

from kodomo.intake.addresses import normalise_address
from kodomo.linkage import aside

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
    table = aside.normal_places(VALUES, "東都", "ひなた市")
    assert table.schema.equals(aside.PLACES)
    return {row["value"]: (row["town"], row["number"]) for row in table.to_pylist()}


@pytest.fixture
def many(monkeypatch):
    """As if a handful were many, in several pieces."""
    monkeypatch.setattr(aside, "FEWEST", 1)
    monkeypatch.setattr(aside, "PIECE_ROWS", 3)
    monkeypatch.setattr(aside.os, "cpu_count", lambda: 2)


def test_addresses_are_compared_by_town_and_number(monkeypatch):
    found = told()
    assert list(found) == ADDRESSES
    assert found["日向町1-2-3 コーポ花101"] == found["ひなた市日向町一丁目2番3号"]
    other = normalise_address("東都みどり市緑町5", "東都", "ひなた市")
    assert found["東都みどり市緑町5"] == (other.city + other.town, other.number) and other.city
    assert found["緑町5"] != found["東都みどり市緑町5"]


def test_other_process_answers_as_this_one_would(many, monkeypatch):
    here = {}
    with monkeypatch.context() as alone:
        alone.setattr(aside.os, "cpu_count", lambda: 1)
        here = told()
    asked = []
    monkeypatch.setattr(aside, "_placed", lambda *words: asked.append(words))
    assert told() == here and asked == []


DIES_LATER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from kodomo.linkage import aside
placed, asked = aside._placed, []
def once(*words):
    if asked:
        os._exit(1)
    asked.append(words)
    return placed(*words)
aside._placed = once
aside.answer()
"""


@pytest.mark.parametrize(
    "command",
    [
        ("/nowhere/python",),
        (sys.executable, "-c", "pass"),
        (sys.executable, "-c", DIES_LATER, str(aside.ROOT)),
        (sys.executable, "-c", "print('x' * 100)"),
    ],
    ids=["never starts", "dies", "dies after an answer", "talks nonsense"],
)
def test_without_the_other_process_this_one_does_its_work(many, monkeypatch, command):
    monkeypatch.setattr(aside, "_COMMAND", command)
    assert list(told()) == ADDRESSES


def test_of_no_addresses_there_are_no_places():
    assert aside.normal_places(pa.chunked_array([], pa.string()), "", "").equals(aside.PLACES.empty_table())

"""ひなた市's layouts and register: everything that comes in is declared and has a basis."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kodomo.configuration import SHIPPED_MUNICIPALITIES, read_municipality, read_toml
from kodomo.intake.layout import SPELL_ENDS, Layout, check_against, read_layouts
from kodomo.terms import DifficultyType, LegalBasis, Purpose, Sensitivity
from kodomo.vault.records import MENTION_FIELDS

FOLDER = SHIPPED_MUNICIPALITIES / "hinata"
LAYOUTS = read_layouts(FOLDER)
ITEMS: dict[str, dict[str, Any]] = {i["code"]: i for i in read_toml(FOLDER / "register" / "items.toml")["items"]}
BASES: list[dict[str, Any]] = read_toml(FOLDER / "register" / "bases.toml")["bases"]
REFUSED: list[dict[str, Any]] = read_toml(FOLDER / "register" / "bases.toml")["refused"]


@pytest.fixture(params=list(LAYOUTS.values()), ids=lambda layout: layout.source)
def layout(request: pytest.FixtureRequest) -> Layout:
    return request.param  # type: ignore[no-any-return]


def test_the_product_accepts_them() -> None:
    offices = [o.code for o in read_municipality(FOLDER).offices]
    check_against(LAYOUTS.values(), ITEMS, offices)


def test_columns_are_sound(layout: Layout) -> None:
    for column in layout.columns:
        assert bool(column.ignore) != bool(column.item), column.name
        assert bool(column.person) == bool(column.field), column.name
        assert column.field in ("", *MENTION_FIELDS)
    assert any(c.person for c in layout.columns)


def test_facts_name_columns_that_are_taken_in(layout: Layout) -> None:
    taken = {c.name for c in layout.columns if not c.ignore}
    for fact in layout.facts:
        named = {fact.number, fact.code, fact.valid_from, fact.known_from, *fact.when} - {""}
        assert named <= taken, fact.item
        assert fact.valid_to in taken | {"", *SPELL_ENDS}
    assert set(layout.identity) <= taken
    assert layout.row_key in taken | {""}


def test_items_are_registered_for_this_source(layout: Layout) -> None:
    for item in layout.items():
        assert item in ITEMS, item
        assert layout.source in ITEMS[item]["sources"], item


@pytest.mark.parametrize("day", [dt.date(2020, 4, 1), dt.date(2024, 10, 1), dt.date(2026, 4, 1)])
def test_every_item_taken_in_has_a_basis_on_the_day(layout: Layout, day: dt.date) -> None:
    for item in layout.items():
        valid = [b for b in BASES if item in b["items"] and b["valid_from"] <= day < b.get("valid_to", dt.date.max)]
        assert valid, item
    for fact in layout.facts:
        purposes = {p for b in BASES if fact.item in b["items"] for p in b["purposes"]}
        assert purposes >= {"JUDGE", "LEARN", "ASSESS"}, fact.item


def test_identifying_items_never_reach_judgement() -> None:
    special = {"birth_date", "household_number"}  # only the month, and only that people live together
    for basis in BASES:
        if {"JUDGE", "LEARN"} & set(basis["purposes"]):
            assert {i for i in basis["items"] if ITEMS[i]["sensitivity"] == "IDENTIFYING"} <= special, basis["code"]


def test_protection_and_nationality_are_not_judged_by() -> None:
    for basis in BASES:
        if {"JUDGE", "LEARN"} & set(basis["purposes"]):
            assert not {"address_protection", "nationality"} & set(basis["items"])


def test_bases_are_complete() -> None:
    codes = [b["code"] for b in BASES]
    assert len(codes) == len(set(codes))
    for basis in BASES:
        LegalBasis(basis["basis"])
        assert {Purpose(p) for p in basis["purposes"]}
        assert basis["nature"] in ("臨時", "恒常")
        assert (basis["nature"] == "臨時") == ("valid_to" in basis)
        assert basis["decision_number"]
        assert basis["approved_by"]
        assert set(basis["items"]) <= set(ITEMS)
        if basis["basis"] in ("USE_BEYOND_PURPOSE", "PROVISION"):
            assert len(basis["reasonable_grounds"]) > 30


def test_provision_crosses_institutions_and_internal_use_does_not() -> None:
    offices = {o.code: o.institution for o in read_municipality(FOLDER).offices}
    for basis in BASES:
        holders = {offices[ITEMS[i]["holder"]] for i in basis["items"]}
        assert holders == {basis["from_institution"]}, basis["code"]
        if basis["basis"] == "PROVISION":
            assert basis["from_institution"] != basis["to_institution"]
        if basis["basis"] == "USE_BEYOND_PURPOSE":
            assert basis["from_institution"] == basis["to_institution"]


def test_refused_items_have_no_basis_and_no_source() -> None:
    refused = {r["code"] for r in REFUSED}
    assert {"tax_income", "school_grades", "individual_number"} <= refused
    for row in REFUSED:
        assert not ITEMS[row["code"]]["sources"]
        assert not any(row["code"] in b["items"] for b in BASES)
        assert len(row["why"]) > 20


def test_items_are_well_formed() -> None:
    offices = {o.code for o in read_municipality(FOLDER).offices}
    for item in ITEMS.values():
        assert item["holder"] in offices
        Sensitivity(item["sensitivity"])
        for label in item["types"]:
            DifficultyType.from_label(label)

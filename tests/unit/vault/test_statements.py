"""Repeats, corrections and the days between which a statement was known: every named case, and any sequence."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.tables.engine import connect
from kodomo.vault import statements
from kodomo.vault.records import LANDED_FACTS, ROWS, landing_schema
from kodomo.vault.statements import STATE, changed_records, compare_rows, has_stood, known_between, known_once

JAN, FEB, MAR, APR = (dt.date(2026, month, 1) for month in (1, 2, 3, 4))
Fact = Mapping[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """Three hundred sequences are asked of one engine: opening one takes as long as the answer."""
    with connect(threads=1) as kept, pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "connect", lambda **_: nullcontext(kept.cursor()))
        yield


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def rows(*pairs: tuple[str, str]) -> pa.Table:
    """A receipt's rows given as (identity, content)."""
    columns = {
        "row": list(range(1, len(pairs) + 1)),
        "identity": [hashlib.blake2b(identity.encode(), digest_size=16).digest() for identity, _ in pairs],
        "content": [hashlib.blake2b(content.encode(), digest_size=16).digest() for _, content in pairs],
    }
    return pa.table(columns, schema=ROWS.schema())


def flags(states: dict[int, pa.Table]) -> dict[int, list[str]]:
    """D for a duplicate, S for a superseded row, – for one that stands."""
    return {
        key: [
            ("D" if d else "") + ("S" if s else "") or "-"
            for d, s in zip(t["is_duplicate"].to_pylist(), t["is_superseded"].to_pylist(), strict=True)
        ]
        for key, t in states.items()
    }


TABLE = [
    ("one row stands", {1: [("a", "1")]}, {1: ["-"]}),
    ("repeat in a file", {1: [("a", "1"), ("a", "1")]}, {1: ["-", "D"]}),
    ("repeat in a later delivery", {1: [("a", "1")], 2: [("a", "1")]}, {1: ["-"], 2: ["D"]}),
    ("correction", {1: [("a", "1")], 2: [("a", "2")]}, {1: ["S"], 2: ["-"]}),
    ("correction within a file", {1: [("a", "1"), ("a", "2")]}, {1: ["S", "-"]}),
    ("repeated, then corrected", {1: [("a", "1"), ("a", "1")], 2: [("a", "2")]}, {1: ["S", "DS"], 2: ["-"]}),
    ("changed and changed back", {1: [("a", "1")], 2: [("a", "2")], 3: [("a", "1"), ("a", "1")]}, {1: ["S"], 2: ["S"], 3: ["-", "D"]}),
    ("others are left alone", {1: [("a", "1"), ("b", "1")], 2: [("a", "2"), ("c", "1")]}, {1: ["S", "-"], 2: ["-", "-"]}),
    ("no identity: the content is it", {1: [("1", "1"), ("2", "2")], 2: [("1", "1"), ("3", "3")]}, {1: ["-", "-"], 2: ["D", "-"]}),
    ("nothing delivered", {1: []}, {1: []}),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "expected"), [case[1:] for case in TABLE], ids=[case[0] for case in TABLE])
def test_rows_repeat_or_correct(given_, expected):
    delivered = [(key, JAN + dt.timedelta(days=key), rows(*pairs)) for key, pairs in given_.items()]
    assert flags(compare_rows(delivered)) == expected


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=6), min_size=1, max_size=5)
)
def test_exactly_one_row_of_each_identity_stands_and_it_is_the_newest_statement(deliveries):
    delivered = [(key, JAN + dt.timedelta(days=key), rows(*pairs)) for key, pairs in enumerate(deliveries)]
    states = flags(compare_rows(delivered))
    standing, newest = {}, {}
    for key, pairs in enumerate(deliveries):
        for (identity, content), flag in zip(pairs, states[key], strict=True):
            newest[identity] = content
            if flag == "-":
                assert identity not in standing
                standing[identity] = content
    assert standing == newest


# What was known when ---------------------------------------------------------------------------

Delivery = tuple[dt.date, Sequence[tuple[str, Sequence[Fact]]]]
"""The day of extraction, and per row the record it is about and the facts it makes."""


def said(number: float, known: dt.date, ends: dt.date | None = None, item: str = "x") -> Fact:
    return {"item": item, "number": number, "known_from": known, "valid_from": day("2025-10-01"), "valid_to": ends}


def told(*deliveries: Delivery) -> list[tuple[str, float, dt.date | None, dt.date, dt.date | None]]:
    """(item, number, valid_to, known_from, known_to) of every fact, in order of time."""
    ordered = sorted(enumerate(deliveries), key=lambda pair: (pair[1][0], pair[0]))
    states = compare_rows([(key, on, rows(*((i, repr(facts)) for i, facts in body))) for key, (on, body) in ordered])
    parts, stood = [], []
    for key, (_, body) in ordered:
        state = states[key]
        made = [{**fact, "row": n, "role": "subject"} for n, (_, facts) in enumerate(body, 1) for fact in facts]
        table = pa.Table.from_pylist(made, landing_schema(LANDED_FACTS))
        at = pa.array([f["row"] - 1 for f in made], pa.int64())
        for name in STATE.names[1:]:
            table = table.append_column(name, state[name].take(at))
        parts.append(table.filter(has_stood(table)))
        stood.append(state.filter(has_stood(state)))
    facts, statements = pa.concat_tables(parts), pa.concat_tables(stood)
    is_changed = pa.compute.is_in(facts["record"], value_set=changed_records(statements))
    found = known_once(facts.filter(pa.compute.invert(is_changed))).to_pylist()
    found += known_between(facts.filter(is_changed), statements).to_pylist()
    return sorted(
        ((f["item"], f["number"], f["valid_to"], f["known_from"], f["known_to"]) for f in found),
        key=lambda f: (f[0], f[3], f[1]),
    )


EARLY = day("2025-11-05")


def test_what_the_first_delivery_tells_counts_from_the_holders_own_date():
    assert told((JAN, [("a", [said(1, EARLY)])])) == [("x", 1, None, EARLY, None)]


def test_what_a_later_delivery_tells_for_the_first_time_counts_from_that_delivery():
    found = told((JAN, []), (FEB, [("a", [said(1, EARLY)])]), (MAR, [("b", [said(2, day("2026-03-06"))])]))
    assert found == [("x", 1, None, FEB, None), ("x", 2, None, day("2026-03-06"), None)]


def test_corrected_value_stands_until_the_correcting_delivery():
    found = told((JAN, [("a", [said(1, EARLY)])]), (MAR, [("a", [said(2, EARLY)])]))
    assert found == [("x", 1, None, EARLY, MAR), ("x", 2, None, MAR, None)]


def test_correction_that_is_known_only_after_its_lag_leaves_no_gap():
    late = day("2026-03-10")
    found = told((JAN, [("a", [said(1, EARLY)])]), (MAR, [("a", [said(2, late)])]))
    assert found == [("x", 1, None, EARLY, late), ("x", 2, None, late, None)]


def test_correction_within_one_delivery_never_showed_the_wrong_value():
    found = told((JAN, [("a", [said(1, EARLY)]), ("a", [said(2, EARLY)])]))
    assert found == [("x", 2, None, EARLY, None)]
    again = told((JAN, [("a", [said(1, EARLY)])]), (MAR, [("a", [said(3, EARLY)]), ("a", [said(2, EARLY)])]))
    assert again == [("x", 1, None, EARLY, MAR), ("x", 2, None, MAR, None)]


def test_open_spell_is_open_until_its_end_was_delivered():
    end = day("2026-02-16")
    found = told((JAN, [("a", [said(1, EARLY)])]), (MAR, [("a", [said(1, EARLY, end)])]))
    assert found == [("x", 1, None, EARLY, MAR), ("x", 1, end, MAR, None)]


def test_repeated_identical_row_changes_nothing():
    row = ("a", [said(1, EARLY)])
    assert told((JAN, [row]), (FEB, [row, row]), (MAR, [row])) == [("x", 1, None, EARLY, None)]


def test_value_that_changes_and_changes_back_was_known_as_it_was():
    one, other = ("a", [said(1, EARLY)]), ("a", [said(2, EARLY)])
    found = told((JAN, [one]), (FEB, [other]), (MAR, [one]))
    assert found == [("x", 1, None, EARLY, FEB), ("x", 2, None, FEB, MAR), ("x", 1, None, MAR, None)]


def test_old_file_sent_late_takes_its_place_in_time():
    found = told((JAN, []), (MAR, [("a", [said(5, EARLY)])]), (FEB, [("a", [said(3, EARLY)])]))
    assert found == [("x", 3, None, FEB, MAR), ("x", 5, None, MAR, None)]


def test_row_delivered_again_with_an_empty_cell_takes_its_fact_away():
    both = ("a", [said(1, EARLY), said(7, EARLY, item="y")])
    found = told((JAN, [both]), (MAR, [("a", [said(7, EARLY, item="y")])]))
    assert ("x", 1, None, EARLY, MAR) in found and len(found) == 3
    assert [(f[1], f[3], f[4]) for f in found if f[0] == "y"] == [(7, EARLY, MAR), (7, MAR, None)]


def test_empty_cell_that_is_filled_later_counts_from_then():
    found = told((JAN, [("a", [])]), (MAR, [("a", [said(1, EARLY)])]))
    assert found == [("x", 1, None, MAR, None)]


def test_statement_superseded_before_it_could_be_known_was_never_known():
    late = day("2026-03-20")
    found = told((JAN, [("a", [said(1, EARLY)])]), (FEB, [("a", [said(2, late)])]), (MAR, [("a", [said(3, EARLY)])]))
    assert found == [("x", 1, None, EARLY, MAR), ("x", 3, None, MAR, None)]


def test_records_without_a_correction_are_not_touched_by_another_ones():
    found = told((JAN, [("a", [said(1, EARLY)]), ("b", [said(9, EARLY)])]), (MAR, [("a", [said(2, EARLY)])]))
    assert ("x", 9, None, EARLY, None) in found and len(found) == 3


ONE_FACT = st.builds(
    said, st.integers(1, 3).map(float), st.dates(day("2025-12-01"), day("2026-05-01")), item=st.sampled_from("xy")
)
ROW = st.tuples(st.sampled_from("ab"), st.lists(ONE_FACT, max_size=2, unique_by=lambda f: f["item"]))
DELIVERY = st.tuples(st.dates(JAN, APR), st.lists(ROW, max_size=3))


@settings(max_examples=150)
@given(st.lists(DELIVERY, min_size=1, max_size=5), st.dates(JAN, APR))
def test_what_is_known_on_a_day_comes_from_the_deliveries_until_then(deliveries, as_of):
    """The definition: on a day, all deliveries say what those extracted until then say."""
    deliveries = [(JAN, []), *deliveries]
    known = [f for f in told(*deliveries) if f[3] <= as_of and (f[4] is None or f[4] > as_of)]
    until = [
        f for f in told(*(d for d in deliveries if d[0] <= as_of)) if f[3] <= as_of and (f[4] is None or f[4] > as_of)
    ]
    assert [f[:4] for f in known] == [f[:4] for f in until]

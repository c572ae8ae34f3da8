"""The definition of "as known on a date": later deliveries change nothing of it, whatever they correct.

``build(all deliveries, as_of)`` must equal ``build(deliveries extracted until as_of, as_of)``, on the real path from
received files to the matrix, to who belongs to whom, and to what judging starts from.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from journey.shifting_town import FIRST, numbers, town, walk

from kodomo.configuration import Home, Municipality
from kodomo.features.catalogue import read_catalogue
from kodomo.features.cohort import open_frame
from kodomo.features.coverage import read_expectations
from kodomo.features.engines import DuckDB
from kodomo.features.matrix import feature_matrix
from kodomo.judgement.judge import first_fact
from kodomo.judgement.knowledge import knowledge_of
from kodomo.judgement.labels import known_to_support, mark, read_cases, read_labels
from kodomo.store.database import Snapshot
from kodomo.tables.engine import connect

DATES_A_TOWN = 2
SPOKEN_OF = ("child_allowance", "child_rearing_allowance", "council_registration", "council_class", "child_consultation",
             "checkup_4m", "checkup_18m", "checkup_36m", "checkup_finding", "untreated_teeth")  # fmt: skip
"""Items the town's sources speak of; of the others nothing can differ."""


def known_on(home: Home, snapshot: Snapshot, municipality: Municipality, as_of: dt.date) -> dict[str, Any]:
    """Everything judging starts from, by resident number."""
    names = numbers(home)
    catalogue, expectations = read_catalogue(municipality.folder), read_expectations(municipality.folder)
    catalogue = catalogue.without({i.code for i in catalogue.indicators if not (i.structure or i.item in SPOKEN_OF)})
    matrix = feature_matrix(snapshot, [as_of], catalogue, expectations, with_dates=True)
    children = [names[key] for key in matrix.cohort.child_key]
    labels = read_labels(municipality.folder)
    cases = read_cases(snapshot, labels).known_by(as_of)
    knowledge = knowledge_of(matrix, expectations, snapshot.read("sources"), as_of)
    marks = {kind: mark(cases, kind, matrix.cohort, 6) for kind in municipality.types}
    support = known_to_support(snapshot, labels, matrix.cohort, as_of)
    order = np.argsort(children)
    found: dict[str, Any] = {"children": [children[i] for i in order]}
    assert matrix.on is not None
    found["values"] = dict(zip(matrix.codes, matrix.values[order].T.tolist(), strict=True))
    found["on"] = dict(zip(matrix.codes, matrix.on[order].T.tolist(), strict=True))
    found["known_by"] = {source: days[order].tolist() for source, days in matrix.known_by.items()}
    found["sex"], found["foreign"] = matrix.cohort.sex[order].tolist(), matrix.cohort.is_foreign[order].tolist()
    found["marks"] = {kind.value: [values[order].tolist() for values in vars(m).values()] for kind, m in marks.items()}
    found["support"] = support[order].tolist()
    found["fresh"] = dict(zip(knowledge.sources, knowledge.fresh[order].T.tolist(), strict=True))
    found["since"] = first_fact(snapshot, as_of)
    return {**found, **relations(snapshot, names, as_of)}


def relations(snapshot: Snapshot, names: dict[str, str], as_of: dt.date) -> dict[str, Any]:
    """Who belongs to whom, and who lives with whom."""
    with connect(threads=1) as connection:
        engine = DuckDB.over(connection)
        frame = open_frame(engine, snapshot, [as_of], (12, 36), ())
        members = frame.members.select("row", "whose", "person_key").to_pyarrow().to_pylist()
        homes = engine.table("dwellings").select("household_key", "person_key", "relationship").to_pyarrow().to_pylist()
        rows = [names[key] for key in frame.cohort.child_key]
    households: dict[str, list[tuple[str, str]]] = {}
    for line in homes:
        households.setdefault(line["household_key"], []).append((names[line["person_key"]], line["relationship"] or ""))
    return {
        "members": sorted({(rows[m["row"]], m["whose"], names[m["person_key"]]) for m in members}),
        # homes without a child are published only while someone in them was ever beside one
        "households": sorted(
            sorted(people) for people in households.values() if {name for name, _ in people} & set(rows)
        ),
    }


@pytest.mark.parametrize("seed", range(2))
def test_later_deliveries_change_nothing_of_what_was_known(tmp_path: Path, hinata: Municipality, seed: int) -> None:
    drawn = town(seed, hinata)
    deliveries = drawn.deliveries()
    folders = [(day, drawn.write((day, files), tmp_path / "extracts")) for day, files in deliveries]
    rng = random.Random(seed)  # noqa: S311  (drawn for tests)
    rest = folders[1:]
    rng.shuffle(rest)  # an old file may come late
    received = [folders[0], *rest]
    whole = Home(tmp_path / "whole")
    everything = walk(whole, hinata, [folder for _, folder in received])
    last = max(day for day, _ in folders)
    for n in range(DATES_A_TOWN):
        as_of = FIRST + dt.timedelta(days=rng.randrange((last - FIRST).days))
        until = Home(tmp_path / f"until-{n}")
        part = walk(until, hinata, [folder for day, folder in received if day <= as_of])
        expected = known_on(until, part, hinata, as_of)
        found = known_on(whole, everything, hinata, as_of)
        for name, value in expected.items():
            assert_same(found[name], value, f"{name} on {as_of} (seed {seed})")


def assert_same(found: Any, expected: Any, what: str) -> None:
    if isinstance(expected, dict):
        assert found.keys() >= expected.keys(), what
        for name in expected:
            assert_same(found[name], expected[name], f"{what}: {name}")
    else:
        assert str(found) == str(expected), what  # NaN equals itself here

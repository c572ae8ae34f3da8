"""Time and memory of indicators, learning and judging at the size of a city with 18,000 children, on made-up facts.

    python benchmarks/judgement_speed.py build  [--children N ...] [--out FILE]    200 indicators, 24 dates, 10 M facts per 18,000 children
    python benchmarks/judgement_speed.py learn  [--out FILE]                       60 indicators, 36 months, 7 types; then scores with reasons

Facts follow from a burden of each household and one of each child, so that there is something to learn. Each size
runs in a process of its own; seconds are said by the clock and of the processors, for the machine may be busy.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from judgement import machine, tell
from numpy.typing import NDArray

from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.dates import window_start
from kodomo.features.matrix import feature_matrix
from kodomo.judgement.capacities import Capacities
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import judge, study
from kodomo.judgement.levels import Capacity
from kodomo.judgement.tables import judgement_tables
from kodomo.store.database import TABLES, Snapshot, Store
from kodomo.terms import DifficultyType

AS_OF = dt.date(2026, 3, 31)
EPOCH = dt.date(1970, 1, 1)
CHILDREN = 18_000
FACTS_PER_CHILD = 10_000_000 / 18_000
ITEMS = 40
REGISTERED_ITEM = "registration"


def city(root: Path, children: int, months: int, *, facts_per_child: float, registered: float) -> Snapshot:
    """Publish a made-up city: households of two children and a mother, monthly facts, a few registrations of each type."""
    generator = np.random.default_rng(1)
    houses = children // 2
    keys = np.array([f"c{n:07d}" for n in range(children)])
    mothers = np.array([f"m{n:07d}" for n in range(houses)])
    house = np.arange(children) // 2
    burden = generator.normal(size=houses)[house] + generator.normal(size=children)
    born = np.datetime64("2026-03-01") - generator.integers(13, 210, children).astype("timedelta64[D]") * 30
    people, since = np.concatenate([keys, mothers]), np.datetime64("2005-01-01", "D")
    born_month = np.concatenate([born, np.full(houses, np.datetime64("1988-03-01"))]).astype("datetime64[M]")
    own_house = np.concatenate([house, np.arange(houses)])
    tables: dict[str, dict[str, Any]] = {
        "persons": {
            "person_key": people,
            "born_month": born_month.astype("datetime64[D]"),
            "school_year_born": born_month.astype("datetime64[Y]").astype(np.int64) + 1970,
            "sex": np.where(np.arange(len(people)) % 2, "F", "M"),
            "is_child": np.arange(len(people)) < children,
            "is_resident": np.ones(len(people), bool),
            "is_foreign": np.zeros(len(people), bool),
            "area_code": own_house % 20,
            "is_address_protected": np.zeros(len(people), bool),
        },
        "household_spells": _spells(people, since, len(people))
        | {"household_key": own_house, "relationship": np.where(np.arange(len(people)) < children, "子", "妻"),
           "area_code": own_house % 20},
        "residence_spells": _spells(people, since, len(people)) | {"began_by": np.full(len(people), "BIRTH")},
        "kinships": {"child_key": keys, "relative_key": mothers[house], "kind": np.full(children, "MOTHER"),
                     "source": np.full(children, "s00"), "valid_from": np.full(children, since),
                     "known_from": np.full(children, since)},
    }  # fmt: skip
    number = int(children * facts_per_child)
    rows = generator.integers(0, len(people), number)
    burdens = np.concatenate([burden, burden[::2]])[rows]
    item = generator.integers(0, ITEMS, number)
    days = np.datetime64(window_start(AS_OF, months), "D") + generator.integers(0, months * 30, number)
    facts: dict[str, Any] = {
        "person_key": _named(people, rows),
        "item": _named([f"i{n:02d}" for n in range(ITEMS)], item),
        "number": np.round(np.maximum(generator.normal(size=number) + burdens * (item % 5) * 0.15, 0), 2),
        "code": _named(["甲", "乙", "丙"], generator.integers(0, 3, number)),
        "valid_from": days,
        "valid_to": days,
        "known_from": days + generator.integers(0, 30, number),
        "source": _named([f"s{n:02d}" for n in range(ITEMS)], item // 5),
    }
    tables["facts"] = _with_registrations(facts, keys, burden, registered, months, generator) if registered else facts
    tables["sources"] = {
        "source": [f"s{n:02d}" for n in range(ITEMS // 5)], "caption": ["出所"] * (ITEMS // 5),
        "kind": ["observations"] * (ITEMS // 5), "holder": ["x"] * (ITEMS // 5),
        "freshness_days": [60] * (ITEMS // 5), "rows": [1] * (ITEMS // 5),
    }  # fmt: skip
    tables["corrected_persons"] = {}
    return Store(root).write("snapshots", "s1", {name: _table(name, held) for name, held in tables.items()}, {})


def _named(names: Sequence[str] | NDArray[Any], numbers: NDArray[Any]) -> pa.Array:
    """Each number's name; as Arrow holds it, a hundred million fit in memory."""
    return pa.array(names, pa.string()).take(pa.array(numbers))


def _spells(keys: NDArray[Any], since: np.datetime64, number: int) -> dict[str, Any]:
    return {"person_key": keys, "valid_from": np.full(number, since), "known_from": np.full(number, since)}


def _with_registrations(
    facts: dict[str, Any],
    keys: NDArray[Any],
    burden: NDArray[Any],
    share: float,
    months: int,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """For each type the given share of the children is registered at some time, the burdened first."""
    more: dict[str, list[Any]] = {name: [held] for name, held in facts.items()}
    for kind in DifficultyType:
        wanted = int(len(keys) * share)
        if not wanted:
            continue
        chosen = np.argsort(-(burden + generator.normal(size=len(keys)) * 1.5), kind="stable")[:wanted]
        on = np.datetime64(window_start(AS_OF, months), "D") + generator.integers(90, months * 30, wanted)
        for name, held in {
            "person_key": keys[chosen], "item": np.full(wanted, REGISTERED_ITEM), "number": np.full(wanted, np.nan),
            "code": np.full(wanted, kind.label), "valid_from": on, "valid_to": np.full(wanted, np.datetime64("NaT", "D")),
            "known_from": on, "source": np.full(wanted, "s00"),
        }.items():  # fmt: skip
            more[name].append(held)
    return {name: np.concatenate(held) for name, held in more.items()}


def _table(name: str, held: dict[str, Any]) -> pa.Table:
    """Columns as the store declares them; what is not given is empty."""
    columns = TABLES[name].columns
    size = len(next(iter(held.values()))) if held else 0
    arrays = []
    for column in columns:
        if column.name not in held:
            arrays.append(pa.nulls(size, column.kind))
            continue
        values = held[column.name]
        if isinstance(values, pa.Array):
            arrays.append(values)
        elif pa.types.is_string(column.kind):
            arrays.append(pa.array(np.asarray(values).astype(str), pa.string()))
        else:
            arrays.append(pa.array(values, from_pandas=True).cast(column.kind))
    return pa.table(arrays, schema=TABLES[name].schema())


AGGREGATES = ("sum", "count", "max", "mean", "any", "months_since", "distinct", "last", "min", "share")
WHOSE = ("self", "self", "self", "mother", "siblings", "household")


def criteria_folder(folder: Path, number: int) -> Path:
    """A municipality's criteria with so many indicators: every aggregate, whose and window in turn."""
    (folder / "criteria").mkdir(parents=True)
    labels = "".join(
        f'[[labels]]\ntype = "{k.label}"\nitem = "{REGISTERED_ITEM}"\ncodes = ["{k.label}"]\n' for k in DifficultyType
    )
    entries = []
    for n in range(number):
        aggregate = AGGREGATES[n % len(AGGREGATES)]
        lines = {
            "code": f"x{n:03d}", "caption": f"指標{n}", "item": f"i{n % ITEMS:02d}", "whose": WHOSE[(n // 3) % len(WHOSE)],
            "aggregate": aggregate, "sentence": "{value}",
        }  # fmt: skip
        text = "".join(f'{key} = "{value}"\n' for key, value in lines.items())
        codes = 'codes = ["甲"]\n' if aggregate in ("share", "any") else ""
        entries.append(
            f'[[indicators]]\n{text}{codes}window_months = {(1, 3, 6, 12, 24)[(n // 7) % 5]}\ntypes = ["*"]\n'
        )
    coverage = "".join(f'[[sources]]\nsource = "s{n:02d}"\nkind = "register"\n' for n in range(ITEMS // 5))
    scopes = "".join(f'[[types]]\ntype = "{k.label}"\nbase_rate = 0.03\nages = [0, 17]\n' for k in DifficultyType)
    points = "".join(
        f'[[points]]\ntype = "{k.label}"\ncode = "{k.value}{n}"\nwhen = ["x{n:03d} >= 2"]\npoints = 2\nrationale = "見本"\n'
        for k in DifficultyType
        for n in range(6)
    )
    head = 'version = "見本"\nnote = "見本・未検証"\n[[approved_by]]\nname = "甲"\non = 2026-03-01\n[[approved_by]]\nname = "乙"\non = 2026-03-02\n'
    files = {
        "indicators": "\n".join(entries),
        "coverage": coverage,
        "scenarios": head + scopes + points,
        "labels": labels,
    }
    for name, text in files.items():
        (folder / "criteria" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def timed(body: dict[str, Any], name: str) -> Iterator[None]:
    """Seconds by the clock and of the processors of a piece of work, and the most memory so far."""
    wall, processors = time.monotonic(), time.process_time()
    yield
    body[name] = {
        "seconds": round(time.monotonic() - wall, 1),
        "cpu_seconds": round(time.process_time() - processors, 1),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }


def _write_city(root: str, *words: float) -> None:
    """In a process of its own, so that its memory is not counted."""
    subprocess.run([sys.executable, __file__, "city", root, *map(str, words)], check=True)  # noqa: S603


def build(children: int) -> dict[str, Any]:
    """200 indicators on 24 month ends."""
    body: dict[str, Any] = {"children": children, "load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as root:
        _write_city(root, children, 24, FACTS_PER_CHILD, 0.0)
        snapshot = Store(Path(root)).current("snapshots")
        assert snapshot is not None  # noqa: S101 - just written
        folder = criteria_folder(Path(root) / "m", 200)
        catalogue, expectations = read_catalogue(folder), read_expectations(folder)
        dates = [window_start(AS_OF, n) - dt.timedelta(days=1) for n in range(1, 24)] + [AS_OF]
        body |= {
            "facts": snapshot.manifest["files"]["facts"]["rows"],
            "indicators": len(catalogue.indicators),
            "dates": len(dates),
        }
        with timed(body, "build"):
            matrix = feature_matrix(snapshot, sorted(dates), catalogue, expectations, spill=Path(root) / "spill")
        body |= {"rows": len(matrix.cohort), "filled": round(float(1 - np.isnan(matrix.values[::97]).mean()), 3)}
    return body


def learn(children: int) -> dict[str, Any]:
    """Learning on 36 months for seven types, then the scores, levels and reasons of every child."""
    body: dict[str, Any] = {"children": children, "load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as root:
        # 400 known cases of 18,000 in all are what a city has; here every type has enough for models of its own.
        _write_city(root, children, 36, 150.0, 0.006)
        snapshot = Store(Path(root)).current("snapshots")
        assert snapshot is not None  # noqa: S101 - just written
        criteria: Criteria = read_all_criteria(criteria_folder(Path(root) / "m", 60))
        kinds = tuple(DifficultyType)
        body |= {"facts": snapshot.manifest["files"]["facts"]["rows"], "indicators": len(criteria.catalogue.indicators)}
        with timed(body, "learn"):
            studied = study(snapshot, AS_OF, criteria, kinds, spill=Path(root) / "spill")
        body["dates"] = len(studied.dates) + 1
        body["cases"] = {kind.value: number for kind, number in studied.learned.cases.items()}
        body["models"] = {kind.value: len(model.others) + 1 for kind, model in studied.learned.models.items()}
        with timed(body, "scores_with_reasons"):
            judged = judge(snapshot, AS_OF, criteria, kinds, studied=studied)
            tables = judgement_tables(judged, Capacities(Capacity(0.02, 0.08)))
        body |= {"judgements": tables["judgements"].num_rows, "reasons": tables["reasons"].num_rows}
    return body


def growth(built: Sequence[dict[str, Any]]) -> dict[str, float]:
    """By which power of the number of children time grows, from the smallest to the largest size; 1 is in step."""
    small, large = (choose(built, key=lambda one: one["children"]) for choose in (min, max))
    times = large["children"] / small["children"]
    kinds = ("seconds", "cpu_seconds", "peak_gb")
    return {
        kind: round(float(np.log(large["build"][kind] / small["build"][kind]) / np.log(times)), 3) for kind in kinds
    }


def main() -> None:
    """Run each size in a process of its own and print one JSON object."""
    if sys.argv[1:2] == ["city"]:
        root, children, months, facts, registered = sys.argv[2:7]
        city(Path(root), int(children), int(months), facts_per_child=float(facts), registered=float(registered))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("build", "learn", "all"))
    parser.add_argument("--children", type=int, nargs="+", default=[CHILDREN])
    parser.add_argument("--alone", action="store_true", help="measure in this very process")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    if words.alone:
        print(json.dumps({"build": build, "learn": learn}[words.what](words.children[0])))
        return
    body: dict[str, Any] = {"on": dt.datetime.now(dt.UTC).date().isoformat(), "machine": machine()}
    for what in ("build", "learn") if words.what == "all" else (words.what,):
        sizes = words.children if what == "build" else words.children[:1]
        body[what] = []
        for children in sizes:
            command = [sys.executable, __file__, what, "--alone", "--children", str(children)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
            body[what].append(json.loads(done.stdout))
            print(json.dumps(body[what][-1]), file=sys.stderr)
    if len(body.get("build", ())) > 1:
        body["growth"] = growth(body["build"])
    tell(body, words.out)


if __name__ == "__main__":
    main()

"""Make the noisy town of ``linkage_noise`` and write it down, in a process of its own: in memory it is as large as linking it.

    python benchmarks/linkage_town.py FOLDER RESIDENTS CHILDREN SEED

Writes ``register.csv``, ``health.csv`` and ``school.csv`` into FOLDER, ``truth.csv`` (source, row, who it is) and ``groups.csv``
(group, source, row): the rows of those whom linkage is asked about apart. Prints one JSON object.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from linkage_noise import HEALTH_COLUMNS, REGISTER_COLUMNS, SCHOOL_COLUMNS, Person, Town, make_town
from linkage_score import Key

COLUMNS = {"register": REGISTER_COLUMNS, "health": HEALTH_COLUMNS, "school": SCHOOL_COLUMNS}


def write_town(folder: Path, town: Town) -> None:
    """The three extracts as CSV, who each row is about, and the groups."""
    for source, columns in COLUMNS.items():
        _write(folder / f"{source}.csv", columns, getattr(town, source))
    _write(folder / "truth.csv", ("source", "row", "person"), ((*key, number) for key, number in town.truth.items()))
    told = ((name, *key) for name, keys in _groups(town).items() for key in keys)
    _write(folder / "groups.csv", ("group", "source", "row"), told)


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(rows)


def _groups(town: Town) -> dict[str, list[Key]]:
    by_number = {person.number: person for person in town.people}
    tests: dict[str, Callable[[Person], bool]] = {
        "twins": lambda p: p.is_twin, "foreign_names": lambda p: p.is_foreign, "two_surnames": lambda p: bool(p.other_surname[0]),
    }  # fmt: skip
    found = {
        name: [key for key, number in town.truth.items() if (person := by_number.get(number)) and test(person)]
        for name, test in tests.items()
    }
    found["surname_and_address_differ"] = [
        key for key in found["two_surnames"]
        if key[0] != "register" and _differs(getattr(town, key[0])[key[1] - 1], by_number[town.truth[key]])
    ]  # fmt: skip
    return found


def _differs(row: tuple[str, ...], person: Person) -> bool:
    """Whether an office's row has the other parent's surname and another place, as after a divorce and a move together."""
    name, address = row[1], row[5]
    here = person.town.removeprefix("大字")[0]
    return name[0] == person.other_surname[0][0] != person.surname[0] and bool(address) and here not in address


def main() -> None:
    """Make and write one town."""
    folder, (residents, children, seed) = Path(sys.argv[1]), map(int, sys.argv[2:5])
    write_town(folder, make_town(residents=residents, children=children, seed=seed))
    print(json.dumps({"residents": residents}))


if __name__ == "__main__":
    main()

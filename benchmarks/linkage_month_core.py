"""A month's new records against a large linked town, linkage alone: from rows to persons and keys, no sealing, no cards.

    python benchmarks/linkage_month_core.py [--residents 113000] [--rows 5000] [--seed 1] [--anew] [--out FILE.json]

The town is that of ``linkage_noise``. ``--rows`` records of the two children's registers are held back; the others are
linked, and what that run keeps for the next one is held in memory. Then the held-back records are linked onto it and
numbered: that is what is timed, as a peer's scoring of new records against old ones is, but with clusters and keys.
``--anew`` also links everything from the beginning and counts the records that have another person or key.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from linkage_kodomo import FIELDS, read_mentions
from linkage_noise import CITY, PREFECTURE, TODAY, make_town
from linkage_town import write_town

from kodomo.linkage import kept
from kodomo.linkage.forms import Printing
from kodomo.linkage.link import FACT_COLUMNS, Before, link_mentions
from kodomo.linkage.numbers import number_persons
from kodomo.tables.engine import connect
from kodomo.vault.records import LANDED_FACTS, MENTION_STATE
from kodomo.vault.statements import STATE

OFFICES = ("health", "school")
LATER = 10
"""Added to the receipt of a record that comes with the month."""

NUMBERED = """
SELECT m.receipt, m.row, m.role, n.person_number FROM mention m LEFT JOIN link l USING (form) LEFT JOIN numbered n USING (person)
"""


def part(folder: Path, rows: int, seed: int) -> tuple[list[pa.Table], list[pa.Table]]:
    """The register and the offices' records but for some, and those."""
    before, month = [read_mentions(folder / "register.csv", 1)], []
    for office in OFFICES:
        table = read_mentions(folder / f"{office}.csv", list(FIELDS).index(office) + 1)
        drawn = random.Random(f"{seed}{office}").sample(range(table.num_rows), rows // len(OFFICES))  # noqa: S311
        is_drawn = pc.is_in(pa.arange(0, table.num_rows), value_set=pa.array(drawn, pa.int64()))
        before.append(table.filter(pc.invert(is_drawn)))
        late = table.filter(is_drawn)
        receipt = pc.add(late["receipt"], pa.scalar(LATER, pa.int64()))
        month.append(late.set_column(late.column_names.index("receipt"), "receipt", receipt))
    return before, month


class Clock:
    """Seconds and CPU seconds, and of them those of the last step but one to the last (households and kin, and putting the city's tables together for them)."""

    def __init__(self) -> None:
        self.marks = [self._now()]

    def step(self) -> None:
        """Note the moment."""
        self.marks.append(self._now())

    def figures(self) -> dict[str, float]:
        """What it took from the first moment to now, without households and kin."""
        whole, homes = (self._between(self.marks[0], self._now()), self._between(self.marks[-2], self.marks[-1]))
        names = ("seconds", "cpu_seconds")
        return {n: round(a - b, 2) for n, a, b in zip(names, whole, homes, strict=True)} | {
            f"{n}_of_households": round(b, 2) for n, b in zip(names, homes, strict=True)
        }

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.monotonic(), time.process_time()

    @staticmethod
    def _between(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
        return other[0] - one[0], other[1] - one[1]


def link(
    folder: Path, mentions: list[pa.Table], earlier: pa.Table | None, before: Before | None, keep: dict[str, pa.Table]
) -> tuple[pa.Table, dict[str, Any]]:
    """Link and number; the records' numbers and the figures. ``keep`` takes what the next run needs."""
    connection = connect(memory="20GB", is_packed=True)
    facts = pa.table({name: LANDED_FACTS.empty()[name] for name in FACT_COLUMNS})
    clock = Clock()
    figures = link_mentions(
        connection, mentions, facts, printing=Printing({}, PREFECTURE, CITY), model_file=folder / "model.json", on=TODAY,
        before=before, step=clock.step, set_aside=lambda name, pieces: keep.update({name: pieces.read_all()}) if before is None else pieces.close(),
    )  # fmt: skip
    highest = pc.max(earlier["person_number"]).as_py() if earlier is not None else 0
    number_persons(connection, earlier, highest, standing=before.open_table("kept_numbered") if before else None)
    took = clock.figures()
    if before is None:
        keep.update({name: pieces.read_all() for name, pieces in kept.tables_to_keep(connection)})
        keep["kept_numbered"] = connection.table("numbered").to_arrow_table()
    numbered = _numbered(connection)
    connection.close()
    return numbered, took | {n: figures[n] for n in ("mentions", "records_compared", "forms_compared")}


def _numbered(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    return connection.sql(NUMBERED).to_arrow_table()


def _places(table: pa.Table) -> dict[tuple[int, int], int | None]:
    names = ("receipt", "row", "person_number")
    return {(r, row): number for r, row, number in zip(*(table[n].to_pylist() for n in names), strict=True)}


def measure(residents: int, rows: int, seed: int, *, anew: bool) -> dict[str, Any]:
    """Make the town, link it without the month, then the month."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_town(folder, make_town(residents=residents, children=round(residents * 0.1777), seed=seed))
        before, month = part(folder, rows, seed)
        keep: dict[str, pa.Table] = {}
        earlier, first = link(folder, before, None, None, keep)
        restated = pa.schema(
            [*(STATE.field(n) for n in ("row", *MENTION_STATE)), ("receipt", pa.int64())]
        ).empty_table()
        numbers, took = link(folder, month, earlier, Before(keep.__getitem__, restated), {})
        found: dict[str, Any] = {"residents": residents, "rows": rows, "before": first, "month": took}
        if anew:
            others, whole = link(folder, [*before, *month], earlier, None, {})
            one, other = _places(numbers), _places(others)
            found |= {"anew": whole, "records_with_another_key": sum(one[p] != other[p] for p in other)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found | {"peak_mb": round(peak / 1024), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}


def main() -> None:
    """Measure one size, or several, and how the month's cost grows from the first to the last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=[113_000])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    runs = [measure(n, words.rows, words.seed, anew=words.anew) for n in words.residents]
    found: dict[str, Any] = {"runs": runs}
    if len(runs) > 1:
        grown = math.log(runs[-1]["residents"] / runs[0]["residents"])
        cost = math.log(runs[-1]["month"]["cpu_seconds"] / runs[0]["month"]["cpu_seconds"])
        found["exponent_of_cpu_seconds"] = round(cost / grown, 2)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    print(text)
    if words.out:
        words.out.write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Does linkage know its own error? Its estimate without labels against the truth, town by town.

    python benchmarks/linkage_estimate.py [--residents 12000] [--seeds 20] [--out results/linkage-estimate.json]

Each seed is another noisy town (``linkage_noise``), linked twice: with no number in any office's record, and
with the resident number in half of the health office's. Per link the estimate of ``linkage.estimate`` (which sees
no truth) says precision and recall of records with a 95 % interval; the town says what they are. Printed:
in how many towns the true value lies in the interval, how wide the intervals are, and how far off the estimates.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from linkage import machine
from linkage_kodomo import FIELDS, read_mentions
from linkage_noise import CITY, PREFECTURE, TODAY, Town, make_town
from linkage_town import write_town

from kodomo.linkage.estimate import estimate_quality
from kodomo.linkage.forms import Printing
from kodomo.linkage.link import FACT_COLUMNS, link_mentions
from kodomo.linkage.quality import record_score
from kodomo.tables.engine import connect
from kodomo.vault.records import LANDED_FACTS

PRINTING = Printing({}, PREFECTURE, CITY)
NUMBERED = 0.5
"""Share of the health office's records that carry the resident number in the second arm."""


def mentions(folder: Path, town: Town, share: float, seed: int) -> list[pa.Table]:
    """The town's files as landed mentions, the given share of the health office's with the resident number."""
    tables = [read_mentions(folder / f"{source}.csv", place) for place, source in enumerate(FIELDS, 1)]
    rng = random.Random(seed)  # noqa: S311  (a test town, not a secret)
    by_person = {town.truth["register", row]: line[0] for row, line in enumerate(town.register, 1)}
    numbers = [
        by_person.get(town.truth["health", row]) if rng.random() < share else None
        for row in range(1, len(town.health) + 1)
    ]
    at = tables[1].column_names.index("resident_number")
    tables[1] = tables[1].set_column(at, "resident_number", pa.array(numbers, pa.string()))
    return tables


def one(folder: Path, town: Town, share: float, seed: int) -> dict[str, Any]:
    """Link one town, estimate without its truth, and say what is true."""
    tables = mentions(folder, town, share, seed)
    connection = connect(memory="8GB")
    facts = pa.table({name: LANDED_FACTS.empty()[name] for name in FACT_COLUMNS})
    figures = link_mentions(
        connection, iter(tables), facts, printing=PRINTING, model_file=folder / "model.json", on=TODAY
    )
    found = {
        (source, "", int(row)): "" if person is None else str(person)
        for source, row, person in connection.execute(
            "SELECT m.source, m.row, l.person FROM mention m LEFT JOIN link l USING (form)"
        ).fetchall()
    }
    connection.close()
    said = estimate_quality(
        lambda: iter(tables), printing=PRINTING, on=TODAY, link_rows=figures["rows_by_source"],
        stated_errors=float(figures.get("called", {}).get("expected_wrong_rows", 0)),
    )  # fmt: skip
    truth = {(source, "", row): str(person) for (source, row), person in town.truth.items()}
    score = record_score(found, truth)
    true = {"precision": score.precision, "recall": score.recall}
    return {
        name: {"true": round(true[name], 5), **said[name],
               "is_inside": said[name]["interval"][0] <= round(true[name], 5) <= said[name]["interval"][1]}
        for name in true
    }  # fmt: skip


def summary(towns: list[dict[str, Any]]) -> dict[str, Any]:
    """Coverage, width and error over towns."""
    return {
        name: {
            "inside": sum(t[name]["is_inside"] for t in towns), "towns": len(towns),
            "median_width": round(statistics.median(t[name]["interval"][1] - t[name]["interval"][0] for t in towns), 5),
            "median_error": round(statistics.median(abs(t[name]["estimate"] - t[name]["true"]) for t in towns), 5),
        }
        for name in ("precision", "recall")
    }  # fmt: skip


def main() -> None:
    """Measure all seeds, print the summary, write it with every town."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--residents", type=int, default=12_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).resolve().parent / "results" / "linkage-estimate.json"
    )
    words = parser.parse_args()
    arms: dict[str, list[dict[str, Any]]] = {"no_numbers": [], "half_of_health_numbered": []}
    for seed in range(1, words.seeds + 1):
        town = make_town(residents=words.residents, children=round(words.residents * 0.1777), seed=seed)
        with tempfile.TemporaryDirectory() as name:
            write_town(Path(name), town)
            for arm, share in zip(arms, (0.0, NUMBERED), strict=True):
                arms[arm].append({"seed": seed, **one(Path(name), town, share, seed)})
    body = {"on": time.strftime("%Y-%m-%d"), "machine": machine(), "residents": words.residents,
            "summary": {arm: summary(towns) for arm, towns in arms.items()}, "towns": arms}  # fmt: skip
    words.out.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(body["summary"]))


if __name__ == "__main__":
    main()

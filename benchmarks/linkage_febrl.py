"""FEBRL4, the usual yardstick, through the engine under kodomo's linkage and its one-to-one decision.

    python benchmarks/linkage_febrl.py FOLDER        FOLDER holds a.csv and b.csv as written by linkage_toolkit.py

Nothing in FEBRL4 is Japanese, so kodomo's readings, kanji and households have nothing to say to it: what is
tried here is the probabilistic engine with comparisons for these columns, and deciding one to one, by weight,
instead of pair by pair. A check against going backwards, not a goal: every good tool is within a handful of
pairs of the 5,000. Prints one JSON object.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
import warnings
from pathlib import Path

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

RULES = (
    block_on("soc_sec_id"), block_on("date_of_birth"), block_on("given_name", "surname"), block_on("surname", "postcode"),
    block_on("given_name", "postcode"), block_on("address_1", "street_number"), block_on("suburb", "street_number"),
    block_on("substr(date_of_birth, 1, 6)", "surname"),
)  # fmt: skip

ONE_TO_ONE = """
WITH pair AS (SELECT unique_id_l AS a, unique_id_r AS b, match_weight AS weight FROM {pairs})
SELECT a, b FROM pair
QUALIFY row_number() OVER (PARTITION BY a ORDER BY weight DESC, b) = 1 AND row_number() OVER (PARTITION BY b ORDER BY weight DESC, a) = 1
"""


def settings() -> SettingsCreator:
    """Comparisons for the columns of FEBRL4."""
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("given_name", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("surname", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
            cl.LevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.LevenshteinAtThresholds("postcode", [1, 2]),
            cl.JaroWinklerAtThresholds("suburb", [0.9]),
            cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
            cl.LevenshteinAtThresholds("street_number", [1]),
        ],
        blocking_rules_to_generate_predictions=list(RULES),
    )


def link(folder: Path) -> dict[str, object]:
    """Link both files; returns counts of right, said and true pairs."""
    started = time.monotonic()
    connection = duckdb.connect()
    for name in ("a", "b"):
        connection.execute(
            f"""CREATE TABLE {name} AS SELECT rec_id AS unique_id, * EXCLUDE (rec_id)
                FROM read_csv('{folder / name}.csv', all_varchar = true, nullstr = '')"""
        )
    api = DuckDBAPI(connection)
    linker = Linker([api.register(n, dataset_display_name=n) for n in ("a", "b")], settings(), log_level=logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker.training.estimate_probability_two_random_records_match([block_on("soc_sec_id")], recall=0.9)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for rule in (block_on("date_of_birth"), block_on("given_name", "surname")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule, record_sample_proportion=1.0)
        pairs = linker.inference.predict(threshold_match_weight=-5)
    found = connection.execute(ONE_TO_ONE.format(pairs=pairs.physical_name)).fetchall()
    right = sum(a.split("-")[1] == b.split("-")[1] for a, b in found)
    return {"right": right, "said": len(found), "true": 5000, "f1": round(2 * right / (len(found) + 5000), 5),
            "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


def main() -> None:
    """Link FEBRL4 and print what came of it."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    body = link(Path(sys.argv[1]))
    body |= {"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}
    print(json.dumps(body))


if __name__ == "__main__":
    main()

"""The peer as it comes: Splink with its own comparisons and no Japanese normalisation, on the noisy town.

    python benchmarks/linkage_splink.py FOLDER

Dates and sex are parsed, for without that nothing would match; names, readings and addresses stay as
printed. Splink's library comparisons, term frequencies for names, EM on its default sample, links at match
weight 0. Writes ``edges.csv`` (the pairs at or above it) beside the files and prints one JSON object: pairs are
scored as they are, for clustering them would only join the mistakes.
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
import pyarrow as pa
import splink.comparison_library as cl
from linkage_kodomo import FIELDS, read_mentions
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COLUMNS = """SELECT row_number() OVER () AS unique_id, source, row, name, name_kana AS kana, address, born_on,
    CASE sex WHEN '1' THEN 'M' WHEN '男' THEN 'M' WHEN '2' THEN 'F' WHEN '女' THEN 'F' END AS sex FROM landed"""


def settings() -> SettingsCreator:
    """What the documentation would have a newcomer write for these columns."""
    return SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("kana", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("born_on", input_is_string=True),
            cl.ExactMatch("sex"),
            cl.LevenshteinAtThresholds("address", [2, 6]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("born_on"), block_on("name"), block_on("kana", "substr(born_on, 1, 4)"), block_on("address", "sex"),
        ],
    )  # fmt: skip


def link_folder(folder: Path) -> dict[str, object]:
    """Link the folder's three files with Splink; writes the edges."""
    started = time.monotonic()
    connection = duckdb.connect()
    connection.register("landed", pa.concat_tables(read_mentions(folder / f"{s}.csv", i) for i, s in enumerate(FIELDS)))
    connection.execute(f"CREATE TABLE record AS {COLUMNS}")
    api = DuckDBAPI(connection)
    tables = []
    for source in FIELDS:
        connection.execute(f"CREATE TABLE {source} AS SELECT * FROM record WHERE source = '{source}'")
        tables.append(api.register(source, dataset_display_name=source))
    linker = Linker(tables, settings(), log_level=logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker.training.estimate_probability_two_random_records_match([block_on("name", "born_on")], recall=0.6)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for rule in (block_on("born_on"), block_on("name")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        pairs = linker.inference.predict(threshold_match_weight=0)
    connection.execute(
        f"""COPY (SELECT a.source AS source_l, a.row AS row_l, b.source AS source_r, b.row AS row_r, p.match_weight AS weight
            FROM {pairs.physical_name} p JOIN record a ON a.unique_id = p.unique_id_l JOIN record b ON b.unique_id = p.unique_id_r
            ORDER BY ALL) TO '{folder / "edges.csv"}'"""
    )
    return {"seconds": round(time.monotonic() - started, 1)}


def main() -> None:
    """Link one folder and print what it took."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    body = link_folder(Path(sys.argv[1]))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    body |= {"peak_mb": round(usage.ru_maxrss / 1024), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1)}
    print(json.dumps(body))


if __name__ == "__main__":
    main()

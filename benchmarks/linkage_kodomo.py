"""Link the noisy town of ``linkage_noise`` from its CSV files with kodomo's own linkage, in a process of its own.

    python benchmarks/linkage_kodomo.py FOLDER
    python benchmarks/linkage_kodomo.py --parse FOLDER       only writes parsed-*.csv for peers that read no era dates

FOLDER holds ``register.csv``, ``health.csv`` and ``school.csv``. Writes ``clusters.csv`` (source, row,
person) and ``candidates.csv`` (who was compared) beside them and prints one JSON object with seconds, peak memory and figures.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from linkage_noise import CITY, PREFECTURE, TODAY

from kodomo.intake.normalise_columns import dates_of
from kodomo.linkage.edges import BLOCKED
from kodomo.linkage.forms import Printing
from kodomo.linkage.link import FACT_COLUMNS, link_mentions
from kodomo.tables.engine import UNSPILLED, connect
from kodomo.tables.parts import parts_of
from kodomo.vault.records import LANDED_FACTS, MENTIONS

FIELDS = {
    "register": {"宛名番号": "resident_number", "世帯番号": "household_number", "続柄": "relationship", "氏名": "name", "カナ": "name_kana",
                 "生年月日": "born_on", "性別": "sex", "住所": "address", "住民となった日": "resident_from"},
    "health": {"整理番号": "own_number", "氏名": "name", "フリガナ": "name_kana", "生年月日": "born_on", "性別": "sex", "住所": "address"},
    "school": {"学籍番号": "own_number", "児童生徒名": "name", "ふりがな": "name_kana", "生年月日": "born_on", "性別": "sex", "住所": "address"},
}  # fmt: skip
DATES = ("born_on", "resident_from")


BLOCK_BYTES = 1 << 26
"""A file is read so many bytes at a time: it is as much the city's own as what linkage makes of it."""


def read_mentions(path: Path, receipt: int) -> pa.Table:
    """One CSV file as landed mentions: dates in ISO, everything else as printed."""
    return pa.concat_tables(read_in_pieces(path, receipt))


def read_in_pieces(path: Path, receipt: int) -> Iterator[pa.Table]:
    """The same, piece by piece."""
    with path.open(encoding="utf-8") as handle:
        names = next(csv.reader(handle))
    strings = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    read = pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES)
    row = 0
    for batch in pyarrow.csv.open_csv(path, read_options=read, convert_options=strings):
        yield _mentions(pa.table(batch), path, receipt, row)
        row += batch.num_rows


def _mentions(table: pa.Table, path: Path, receipt: int, row: int) -> pa.Table:
    source, length = path.stem, table.num_rows
    given = {field: table[name].combine_chunks() for name, field in FIELDS[source].items()}
    for name in DATES:
        if name in given:
            given[name] = _iso(given[name])
    fixed = {
        "receipt": receipt, "source": source, "file": path.name, "role": "subject", "known_from": TODAY,
        "kind": "residents" if source == "register" else "observations", "is_duplicate": False, "is_superseded": False,
    }  # fmt: skip
    arrays = [
        given[f.name] if f.name in given
        else pa.array(range(row + 1, row + length + 1), pa.int32()) if f.name == "row"
        else pa.repeat(pa.scalar(fixed[f.name], f.type), length) if f.name in fixed
        else pa.nulls(length, f.type)
        for f in MENTIONS.schema()
    ]  # fmt: skip
    return pa.table(arrays, schema=MENTIONS.schema())


def _iso(column: pa.Array) -> pa.Array:
    encoded = column.dictionary_encode()
    found = dates_of(encoded.dictionary.to_pylist())
    values = pa.array([found[text].value or None for text in encoded.dictionary.to_pylist()], pa.string())
    return values.take(encoded.indices)


class _Compared:
    """Writes who was compared with whom, at the step where linkage has it at hand; its time is not linkage's."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection, self._path, self.seconds = connection, path, 0.0

    def write(self) -> None:
        """Called after each step."""
        started = time.monotonic()
        if self._connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'candidate'").fetchall():
            parts = parts_of(self._connection, "record", "unique_id", 100_000)
            for number, part in enumerate(parts):
                path = self._path if len(parts) == 1 else self._path.with_suffix(f".{number}.csv")
                self._connection.execute(
                    COMPARED.format(blocked=BLOCKED.format(part=part.holds("unique_id")), path=path)
                )
        self.seconds += time.monotonic() - started


COMPARED = """
COPY (SELECT DISTINCT m.source, m.row, r.owner AS person FROM ({blocked}) b JOIN record l ON l.unique_id = b.l
      JOIN spine_variant r ON r.unique_id = b.r JOIN mention m ON m.form = l.owner) TO '{path}'
"""


def link_folder(folder: Path) -> dict[str, object]:
    """Link the folder's three files; returns seconds and figures, and writes the clusters."""
    started = time.monotonic()
    connection = connect(memory=UNSPILLED, is_packed=True)  # as ``kodomo link`` opens it
    tables = chain.from_iterable(read_in_pieces(folder / f"{source}.csv", i + 1) for i, source in enumerate(FIELDS))
    facts = pa.table({name: LANDED_FACTS.empty()[name] for name in FACT_COLUMNS})
    aside = _Compared(connection, folder / "candidates.csv")
    figures = link_mentions(
        connection, tables, facts, printing=Printing({}, PREFECTURE, CITY), model_file=folder / "model.json", on=TODAY, set_aside=lambda name, pieces: pieces.close(),  # no run comes after this one
        step=aside.write,
    )  # fmt: skip
    connection.execute(
        "COPY (SELECT source, row, l.person FROM mention LEFT JOIN link l USING (form) ORDER BY source, row) TO '"
        + str(folder / "clusters.csv") + "'"
    )  # fmt: skip
    seconds = time.monotonic() - started - aside.seconds
    doubts = connection.execute(
        "SELECT count(DISTINCT form), count(DISTINCT form) / (SELECT count(*) FROM form) FROM doubt"
    ).fetchall()[0]
    connection.execute(
        f"COPY (SELECT DISTINCT m.source, m.row, d.person, d.why FROM doubt d JOIN mention m USING (form)) TO '{folder / 'doubts.csv'}'"
    )
    return {
        "seconds": round(seconds, 1),
        "figures": figures,
        "queued": int(doubts[0]),
        "queued_share": round(doubts[1], 5),
    }


def parse_folder(folder: Path) -> dict[str, object]:
    """Write what a peer without Japanese dates can read: dates in ISO, sex as M and F, everything else as printed."""
    for source in FIELDS:
        table = read_mentions(folder / f"{source}.csv", 1)
        sex = pc.replace_substring_regex(pc.replace_substring_regex(table["sex"], "^(1|男)$", "M"), "^(2|女)$", "F")
        columns = {name: table[name] for name in ("row", "name", "name_kana", "born_on", "address")} | {"sex": sex}
        pyarrow.csv.write_csv(pa.table(columns), folder / f"parsed-{source}.csv")
    return {}


def main() -> None:
    """Link one folder and print what it took."""
    body = parse_folder(Path(sys.argv[2])) if sys.argv[1] == "--parse" else link_folder(Path(sys.argv[1]))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    body |= {"peak_mb": round(usage.ru_maxrss / 1024), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1)}
    print(json.dumps(body, ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()

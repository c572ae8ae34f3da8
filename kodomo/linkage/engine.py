"""What the certain rules left over: records and spine side by side, the model, and the engine that weighs them (identity side)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from kodomo.linkage import edges, model
from kodomo.tables.engine import drop
from kodomo.tables.parts import FEW, pack, parts_of

TRAINING_RECORDS = 20_000

FEWEST_TO_TRAIN_FOR = 20_000
"""With fewer records left over the stated weights are used: trained ones cost as much time as all the rest and
were no better (a town of 113,000 with noise: pairwise F1 .99748 trained, .99746 stated), and they drift from month to month."""

TOLD = "(SELECT *, substr(born_on, 1, 7) AS born_month, substr(born_on, 4, 1) AS born_decade_year FROM {}spine_known)"

SPINE_VARIANT = """
WITH asked AS (
    SELECT person FROM possible WHERE {{part}}
), told AS (
    SELECT * FROM {told} SEMI JOIN asked USING (person)
), places AS (
    SELECT person, list(DISTINCT town || '|' || number) FILTER (number IS NOT NULL) AS places, list(DISTINCT town) AS towns,
        max(town || '|' || number) AS home
    FROM spine_place SEMI JOIN asked USING (person) GROUP BY person
), kin AS (
    SELECT * FROM family SEMI JOIN asked USING (person)
), called AS (
    SELECT person, name, kana FROM spine_name WHERE person IN (SELECT other FROM kin)
), relatives AS (
    SELECT h.person, list(DISTINCT x.value) AS family
    FROM kin h JOIN (SELECT person, name AS value FROM called UNION SELECT person, kana FROM called) x ON x.person = h.other
    WHERE x.value IS NOT NULL GROUP BY h.person
)
SELECT {{before}} + row_number() OVER (ORDER BY n.person, n.name, n.kana) AS unique_id, n.person AS owner, n.name, n.surname, n.given,
    n.kana, n.surname_kana, n.given_kana, n.sorted_kana, n.loose_kana, n.born_on, n.sex, n.born_year, n.born_month,
    n.born_day, n.born_decade_year, a.places, a.towns, a.home, r.family
FROM told n LEFT JOIN places a USING (person) LEFT JOIN relatives r USING (person)
""".format(told=TOLD.format(""))
"""Everybody in ``possible`` (person), by each of their names; numbered on from those of the parts before."""

_SAID = {tuple(name for name in block if name != "home") for block in model.BLOCKS}
_WIDEST = sorted(one for one in _SAID if not any(set(other) < set(one) for other in _SAID))
_WHOLE = " OR ".join(f"{name} IN (SELECT {name} FROM record)" for name, *more in _WIDEST if not more)
_PARTS = " ".join(
    f"UNION SELECT person FROM {TOLD.format('main.')} SEMI JOIN record USING ({', '.join(block)})"
    for block in _WIDEST
    if len(block) > 1
)

POSSIBLE = f"""
CREATE OR REPLACE TABLE possible AS
SELECT person FROM main.spine_known WHERE {_WHOLE} {_PARTS}
"""
"""Whom a block can bring beside a record: each block but for the address, which is known only once the lists are made,
in as few goes through the spine as can be. All of it is looked at, for a record may mean anybody; a month's own tables hold a part."""

EVERYBODY = "CREATE OR REPLACE TABLE possible AS SELECT person FROM main.spine"

MOST_TO_TRAIN_ON = 1 << 21
"""Training looks at so many persons at most: it writes out every pair it learns from, and more persons teach it nothing."""

SAMPLED = f"""
CREATE OR REPLACE TABLE possible AS
SELECT person FROM link SEMI JOIN train_record ON train_record.unique_id = link.form
UNION (SELECT person FROM main.spine ORDER BY hash(person) LIMIT {MOST_TO_TRAIN_ON // 2})
"""
"""Whom the certain rules gave the records to learn from, among as many others as serve for chance."""

RECORD = """
CREATE OR REPLACE TABLE {table} AS
SELECT f.form AS unique_id, f.form AS owner, f.name, f.surname, f.given, f.kana, f.surname_kana, f.given_kana,
    f.sorted_kana, f.loose_kana, f.born_on, f.sex, substr(f.born_on, 1, 4) AS born_year, substr(f.born_on, 1, 7) AS born_month,
    substr(f.born_on, 6) AS born_day, substr(f.born_on, 4, 1) AS born_decade_year,
    CASE WHEN f.number IS NOT NULL AND f.town IS NOT NULL THEN [f.town || '|' || f.number] END AS places,
    CASE WHEN f.town IS NOT NULL THEN [f.town] END AS towns,
    CASE WHEN f.number IS NOT NULL THEN f.town || '|' || f.number END AS home,
    CASE WHEN f.guardian_name IS NOT NULL OR f.guardian_kana IS NOT NULL
         THEN list_filter([f.guardian_name, f.guardian_kana], lambda x: x IS NOT NULL) END AS family
FROM form f {which}
"""

LEFT_OVER = """
ANTI JOIN link USING (form) ANTI JOIN waiting USING (form)
WHERE f.kind = 'observations' AND (f.kana IS NOT NULL OR f.name IS NOT NULL)
  AND (f.born_on IS NOT NULL OR (f.number IS NOT NULL AND f.role = 'subject'))
"""

TRAINS = "WHERE f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NOT NULL AND (f.kana IS NOT NULL OR f.name IS NOT NULL)"

FOR_TRAINING = f"{TRAINS} ORDER BY hash(f.form) LIMIT {TRAINING_RECORDS}"


def score_candidates(
    connection: duckdb.DuckDBPyConnection,
    model_file: Path,
    engine: str = "duckdb",
    spill: Path | None = None,
    show: Callable[[str], None] = lambda persons: None,
) -> dict[str, int]:
    """Score what the certain rules left over; makes the table ``candidate`` (form, person, weight, levels).

    Reads ``form``, ``link``, ``spine*`` and ``family``; trains and saves the model when there is none.

    Args:
        engine: one of ``edges.ENGINES``, for blocking, comparing and weighing.
        spill: folder for what Spark puts aside.
        show: called with a query of persons before their names, places and families are asked for.

    Returns:
        Counts: records scored, pairs compared well enough to be kept.
    """
    drop(connection, "spine_variant")
    connection.execute(RECORD.format(table="record", which=LEFT_OVER))
    records = _count(connection, "record")
    if records == 0:
        connection.execute(edges.EMPTY)
        return {"records": 0, "pairs": 0}
    # Training draws from all names of the spine; comparing needs the few thousand that a record could mean.
    connection.execute(POSSIBLE if records < FEWEST_TO_TRAIN_FOR else EVERYBODY)
    show("FROM possible")
    connection.execute(edges.DUCKDB)
    connection.execute(edges.FREQUENCY)
    weights = _model(connection, model_file, records)
    # Training on everybody has made them already.
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'spine_variant'").fetchall():
        make_variants(connection)
    if engine == "spark" and spill is not None:
        edges.weigh_on_spark(connection, weights, spill)
    else:
        edges.weigh_on_duckdb(connection, weights)
    return {"records": records, "pairs": _count(connection, "candidate")}


def _model(connection: duckdb.DuckDBPyConnection, model_file: Path, left_over: int) -> dict[str, Any]:
    """The weights to score with: the saved model, a freshly trained one, or the stated ones for a handful."""
    # A record has at most one person: before anything is compared, each is as likely as the next.
    persons = _count(connection, "main.spine")
    prior = 1 / max(persons, 1000)
    records = _trainable(connection)
    kept = model.load_model(model_file, records)
    if kept is None and left_over >= FEWEST_TO_TRAIN_FOR:
        connection.execute(RECORD.format(table="train_record", which=FOR_TRAINING))
        if persons > MOST_TO_TRAIN_ON:
            connection.execute(SAMPLED)
        make_variants(connection)
        kept = model.train(connection, records)
        model.save_model(model_file, kept, records)
        drop(connection, "train_record")
        if persons > MOST_TO_TRAIN_ON:
            connection.execute(EVERYBODY)
            drop(connection, "spine_variant")
    return model.weights(kept, prior)


def make_variants(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``spine_variant`` of everybody in ``possible``."""
    parts = parts_of(connection, "possible", "person")
    for number, part in enumerate(parts):
        before = _count(connection, "spine_variant") if number else 0
        made = "INSERT INTO spine_variant" if number else "CREATE OR REPLACE TABLE spine_variant AS"
        query = SPINE_VARIANT.replace("{part}", part.holds("person")).replace("{before}", str(before))
        connection.execute(f"{made} {query}")
        if len(parts) > FEW:
            pack(connection)


def is_model_settled(connection: duckdb.DuckDBPyConnection, model_file: Path, most_left_over: int) -> bool:
    """Whether so many records at most are weighed by the same model as fewer would be."""
    return most_left_over < FEWEST_TO_TRAIN_FOR or model.load_model(model_file, _trainable(connection)) is not None


def _trainable(connection: duckdb.DuckDBPyConnection) -> int:
    return _count(connection, f"(SELECT 1 FROM main.form f {TRAINS} LIMIT {TRAINING_RECORDS})")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

"""Edges between records and the spine: the same pairs and weights on DuckDB, on Spark, and by Splink itself."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest
from splink import DuckDBAPI

from kodomo.linkage import edges, model
from kodomo.linkage.engine import EVERYBODY, POSSIBLE, RECORD, make_variants

from .paper import Paper

SURNAMES = {"髙橋": "ﾀｶﾊｼ", "林": "ﾊﾔｼ", "渡邉": "ﾜﾀﾅﾍﾞ", "〓田": "ﾖｼﾀﾞ", "グエン": "ｸﾞｴﾝ"}
GIVENS = {"葵": "ｱｵｲ", "蓮": "ﾚﾝ", "陽菜": "ﾋﾅ", "翔太": "ｼｮｳﾀ", "翔太郎": "ｼｮｳﾀﾛｳ", "優斗": "ﾕｳﾄ"}
PRIOR = {"probability_two_random_records_match": 1 / 1000}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A linked town of 200 whose ``record`` holds slips of every kind that the certain rules leave over, and more."""
    dice, paper = random.Random(7), Paper()  # noqa: S311 - a made town
    for number in range(200):
        surname, given = dice.choice(list(SURNAMES)), dice.choice(list(GIVENS))
        born = f"20{dice.randint(10, 13)}-{dice.randint(1, 4):02}-{dice.randint(1, 12):02}"
        kana = f"{SURNAMES[surname]} {GIVENS[given]}"
        paper.resident(str(7000 + number), f"{surname} {given}", kana, born, sex=dice.choice("男女"),
                       address=f"{dice.choice('北南')}町{dice.randint(1, 9)}-1", household_number=f"H{number // 3}")  # fmt: skip
        said = {"name": f"{surname} {given}", "name_kana": kana, "born_on": born, "address": "北町1-1"}
        for _ in range(dice.randint(0, 2)):
            field = dice.choice(list(said))
            if field == "born_on":
                swapped = born[:8] + born[9] + born[8]
                said[field] = dice.choice(
                    (swapped, f"2011{born[4:]}", f"{born[:5]}{born[8:]}-{born[5:7]}", born[:9] + "0")
                )
            elif dice.random() < 0.4:
                said.pop(field)
            else:
                said[field] = said[field][1:] if dice.random() < 0.5 else said[field] + "ｱ"
            if not said:
                break
        paper.row("nurse_room", subject=said, guardian={"name": f"{surname} 恵"})
    linked = paper.link(tmp_path_factory.mktemp("town") / "model.json").connection
    which = "WHERE f.kind = 'observations' AND (f.kana IS NOT NULL OR f.name IS NOT NULL)"
    for statement in (
        RECORD.format(table="record", which=which),
        EVERYBODY,
        edges.DUCKDB,
        edges.FREQUENCY,
    ):
        linked.execute(statement)
    make_variants(linked)
    return linked


Edge = tuple[float, int, int]


def found(connection: duckdb.DuckDBPyConnection) -> dict[tuple[int, int], Edge]:
    rows = connection.execute("FROM candidate").fetchall()
    return {(form, person): (weight, name, birth) for form, person, weight, name, birth in rows}


def assert_same(one: dict[tuple[int, int], Edge], other: dict[tuple[int, int], Edge], within: float) -> None:
    assert one.keys() == other.keys() and len(one) > 300
    for pair, (weight, *levels) in one.items():
        assert abs(weight - other[pair][0]) < within and levels == list(other[pair][1:]), pair
    assert len({tuple(levels) for _, *levels in one.values()}) > 12, "slips of many kinds are among them"


def test_edges_are_those_of_splink(town: duckdb.DuckDBPyConnection) -> None:
    edges.weigh_on_duckdb(town, model.weights(None, 1 / 1000))
    mine = found(town)
    stated = model.settings().get_settings("duckdb").as_dict() | PRIOR
    linker = model.make_linker(DuckDBAPI(town), "record", stated)
    shares = linker._db_api.register(town.sql("SELECT kana, share AS tf_kana FROM kana_share").to_arrow_table())
    linker.table_management.register_term_frequency_lookup(shares, "kana")
    pairs = linker.inference.predict(threshold_match_weight=edges.LOWEST_WEIGHT)
    town.execute(
        f"""CREATE OR REPLACE TABLE candidate AS SELECT owner_l AS form, owner_r AS person, max(match_weight) AS weight,
            arg_max(gamma_name, match_weight) AS name_level, arg_max(gamma_birth, match_weight) AS birth_level
            FROM {pairs.physical_name} GROUP BY ALL"""
    )
    assert_same(found(town), mine, 1e-9)


def test_whom_no_block_brings_beside_a_record_is_not_missed(town: duckdb.DuckDBPyConnection) -> None:
    """The same edges with those alone whom a record could mean."""
    weights = model.weights(None, 1 / 1000)
    town.execute(
        "CREATE OR REPLACE TABLE all_records AS FROM record; DELETE FROM record WHERE hash(unique_id) % 6 <> 0"
    )
    town.execute(edges.FREQUENCY)
    edges.weigh_on_duckdb(town, weights)
    every = found(town)
    town.execute("CREATE OR REPLACE TABLE everybody AS FROM spine_variant")
    town.execute(POSSIBLE)
    make_variants(town)
    near, whole = town.execute(
        "SELECT (SELECT count(*) FROM spine_variant), (SELECT count(*) FROM everybody)"
    ).fetchall()[0]
    edges.weigh_on_duckdb(town, weights)
    assert near < whole and len(every) > 30
    assert found(town) == every
    for table, kept in (("record", "all_records"), ("spine_variant", "everybody")):
        town.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {kept}")
    town.execute(edges.FREQUENCY)


@pytest.mark.enable_socket  # Python and the Java machine speak over loopback
def test_spark_finds_the_edges_of_duckdb(java: None, town: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    weights = model.weights(None, 1 / 1000)
    edges.weigh_on_duckdb(town, weights)
    mine = found(town)
    edges.weigh_on_spark(town, weights, tmp_path / "spill")
    assert_same(found(town), mine, 1e-6)
    left = [p for p in (tmp_path / "spill").rglob("*") if p.is_file()]
    assert left == [], "nothing of anybody stays behind"

"""The probabilistic model for what no certain rule decides: Splink settings, starting weights, training (identity side).

Weights start from stated beliefs about how municipal records go wrong and are trained by EM when
there is enough to learn from. The trained model is a JSON file in the vault and is used as it is
until it no longer fits the amount of data, so that a month's re-run scores as the month before.
"""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:  # Splink is asked for where it is used: most runs weigh by stated beliefs or a saved model
    from splink import DuckDBAPI, Linker, SettingsCreator
    from splink.comparison_library import CustomComparison

SEED = 20260401
SMALLEST_TRAINING = 2_000
"""Records below which EM would chase noise; the starting weights are used as they are."""

MODEL_VERSION = 4

SMALLEST = 1e-12
"""No level is proof: training may find a share of none."""

# Level: SQL condition, Japanese label, m (share among true pairs), u (share among chance pairs in a block).
Level = tuple[str, str, float, float]

_SURNAME = "(surname_kana_l = surname_kana_r OR same_name(surname_l, surname_r))"
_GIVEN = "(given_kana_l = given_kana_r OR same_name(given_l, given_r))"
_READING = "kana_l = kana_r"
_WRITING = "same_name(name_l, name_r)"

NAME_LEVELS: tuple[Level, ...] = (
    (f"{_READING} AND {_WRITING}", "カナも漢字も同じ", 0.72, 0.00004),
    (_READING, "カナが同じ", 0.08, 0.00006),
    (_WRITING, "漢字が同じ", 0.08, 0.00004),
    ("sorted_kana_l = sorted_kana_r OR (surname_kana_l = given_kana_r AND given_kana_l = surname_kana_r)", "姓名の順が逆", 0.004, 0.00001),
    (_GIVEN, "名が同じで姓が違う", 0.05, 0.006),
    (f"{_SURNAME} AND (one_off(given_kana_l, given_kana_r) OR one_off(given_l, given_r))"
     " AND least(length(coalesce(given_kana_l, given_l)), length(coalesce(given_kana_r, given_r))) >= 2", "姓が同じで名が一字違い", 0.02, 0.0012),
    ("loose_kana_l = loose_kana_r OR one_off(kana_l, kana_r)"
     " OR (length(name_l) >= 3 AND one_off(name_l, name_r))", "氏名が一字違い", 0.03, 0.001),
    (_SURNAME, "姓だけ同じ", 0.006, 0.02),
    ("ELSE", "氏名が違う", 0.01, 0.97),
)  # fmt: skip
"""Surname and given name in one comparison: apart, they would count a family's surname twice over."""

BIRTH_LEVELS: tuple[Level, ...] = (
    ("born_on_l = born_on_r", "同じ", 0.96, 0.00005),
    ("one_slip(born_on_l, born_on_r)", "一字違い・隣の字の入れ替わり", 0.02, 0.001),
    ("substr(born_on_l, 1, 4) = substr(born_on_r, 1, 4) AND substr(born_on_l, 6, 2) = substr(born_on_r, 9, 2) AND substr(born_on_l, 9, 2) = substr(born_on_r, 6, 2)", "月と日が逆", 0.003, 0.0002),
    ("substr(born_on_l, 6) = substr(born_on_r, 6) OR substr(born_on_l, 1, 7) = substr(born_on_r, 1, 7)", "年だけ、または日だけ違う", 0.012, 0.006),
    ("ELSE", "違う", 0.005, 0.99),
)  # fmt: skip

SEX_LEVELS: tuple[Level, ...] = (("sex_l = sex_r", "同じ", 0.995, 0.5), ("ELSE", "違う", 0.005, 0.5))

HOME_LEVELS: tuple[Level, ...] = (
    ("shares_one(places_l, places_r)", "住んだことのある番地", 0.86, 0.0004),
    ("shares_one(towns_l, towns_r)", "住んだことのある町", 0.05, 0.05),
    ("ELSE", "住んだことのない町", 0.09, 0.95),
)

FAMILY_LEVELS: tuple[Level, ...] = (
    ("shares_one(family_l, family_r)", "保護者が家族にいる", 0.9, 0.0006),
    ("ELSE", "保護者が家族にいない", 0.1, 0.9994),
)

COMPARED: dict[str, tuple[str, tuple[Level, ...]]] = {
    "name": ("kana IS NULL AND name IS NULL", NAME_LEVELS),
    "birth": ("born_on IS NULL", BIRTH_LEVELS),
    "sex": ("sex IS NULL", SEX_LEVELS),
    "home": ("towns IS NULL", HOME_LEVELS),
    "family": ("family IS NULL", FAMILY_LEVELS),
}
"""Each comparison: when a side says nothing, and its levels from the strongest on."""

CAPTIONS = {"name": "氏名", "birth": "生年月日", "sex": "性別", "home": "住所", "family": "保護者"}

BLOCKS = (
    ("born_on",),
    ("kana", "born_year"),
    ("kana", "born_day"),
    ("name", "born_year"),
    ("name", "born_day"),
    ("given_kana", "born_month"),
    ("given", "born_day", "born_decade_year"),
    ("kana", "home"),
    ("name", "home"),
)
"""Every rule names at least two things or a full birth date, so that pairs grow with the city, not with its square."""


def settings() -> SettingsCreator:
    """The model before training."""
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="unique_id",
        probability_two_random_records_match=0.00002,
        comparisons=[
            _comparison(name, CAPTIONS[name], null_if, levels, tf="kana" if name == "name" else "")
            for name, (null_if, levels) in COMPARED.items()
        ],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in BLOCKS],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
        additional_columns_to_retain=["owner"],
    )


def _comparison(name: str, caption: str, null_if: str, levels: tuple[Level, ...], tf: str = "") -> CustomComparison:
    from splink.comparison_library import CustomComparison

    sides = [null_if.replace(" IS NULL", f"_{side} IS NULL") for side in "lr"]
    made: list[dict[str, Any]] = [
        {"sql_condition": f"({sides[0]}) OR ({sides[1]})", "label_for_charts": "不明", "is_null_level": True}
    ]
    for condition, label, m, u in levels:
        level: dict[str, Any] = {
            "sql_condition": condition, "label_for_charts": label, "m_probability": m, "u_probability": u,
        }  # fmt: skip
        if tf and condition.startswith(_READING):
            level |= {"tf_adjustment_column": tf, "tf_adjustment_weight": 1.0}
        made.append(level)
    return CustomComparison(output_column_name=name, comparison_description=caption, comparison_levels=made)


def load_model(path: Path, records: int) -> dict[str, Any] | None:
    """The saved model, or None when there is none, its kind is another, or the data outgrew it by half."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    outgrown = records > 1.5 * kept["trained_on"] and records >= SMALLEST_TRAINING
    return None if kept["version"] != MODEL_VERSION or outgrown else kept["settings"]


def save_model(path: Path, model: dict[str, Any], trained_on: int) -> None:
    """Put the model in place by one rename. It holds weights and conditions, no person's values."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(".partial")
    body = {"version": MODEL_VERSION, "trained_on": trained_on, "settings": model}
    aside.write_text(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True))
    aside.replace(path)


def weights(trained: dict[str, Any] | None, prior: float) -> dict[str, Any]:
    """What ``edges.edges_sql`` weighs by: for each comparison and level m, u, and the u of the reading if its frequency counts.

    Args:
        trained: Splink's settings as JSON data; None for the stated beliefs.
        prior: how probable two records taken by chance are one person's.
    """
    told = {c["output_column_name"]: _by_condition(c) for c in trained["comparisons"]} if trained else {}
    found: dict[str, list[tuple[float, float, float | None]]] = {}
    for name, (_, levels) in COMPARED.items():
        mine = told.get(name, {})
        said = [mine.get(label, (m, u)) for _, label, m, u in levels]
        reading = next((u for (condition, *_), (_, u) in zip(levels, said, strict=True) if condition == _READING), None)
        found[name] = [
            (max(m, SMALLEST), max(u, SMALLEST), reading if condition.startswith(_READING) else None)
            for (condition, *_), (m, u) in zip(levels, said, strict=True)
        ]
    return {"prior": prior, "comparisons": found}


def _by_condition(comparison: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """By level what training found; a level that it never saw keeps the stated beliefs."""
    return {
        level["label_for_charts"]: (level["m_probability"], level["u_probability"])
        for level in comparison["comparison_levels"]
        if isinstance(level.get("m_probability"), float) and isinstance(level.get("u_probability"), float)
    }


def train(connection: duckdb.DuckDBPyConnection, records: int) -> dict[str, Any]:
    """Train on the tables ``train_record`` and ``spine_variant``; returns Splink's settings as JSON data.

    With fewer than ``SMALLEST_TRAINING`` records the starting weights come back.
    """
    from splink import DuckDBAPI, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection)
    linker = make_linker(api, "train_record", settings())
    if records >= SMALLEST_TRAINING:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Splink tells analysts in English which levels it could not train
            linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=SEED)
            for rule in (block_on("born_on"), block_on("kana")):
                linker.training.estimate_parameters_using_expectation_maximisation(
                    rule, record_sample_proportion=1.0, fix_u_probabilities=True
                )
    return dict(linker.misc.save_model_to_json())


def make_linker(api: DuckDBAPI, records: str, model: Any) -> Linker:
    """A linker between one table of records and ``spine_variant``."""
    from splink import Linker

    left = api.register(records, dataset_display_name="a_record")
    right = api.register("spine_variant", dataset_display_name="b_spine")
    return Linker([left, right], model, log_level=logging.ERROR)

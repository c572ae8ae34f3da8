"""Who was flagged and who was found, by group: where the judgement treats groups differently (analysis side).

Sex, age, nationality and area are in the child database. What else divides children (one adult alone, a disability
or public assistance in the household) is the municipality's own indicator, named in ``settings.toml``::

    [[evaluation_groups]]
    caption = "ひとり親相当"
    indicator = "one_adult"
    yes = "おとなが一人の世帯"
    no = "その他の世帯"

A child the indicator says nothing of belongs to neither. Where ``settings.toml`` names none, those of ``USUAL`` are
compared whose indicator there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.configuration import Municipality, area_code
from kodomo.errors import ConfigurationFault
from kodomo.evaluation.group_figures import Ground, group_line
from kodomo.evaluation.metrics import Households
from kodomo.evaluation.outcomes import Array, Outcome
from kodomo.features.catalogue import Catalogue
from kodomo.governance.suppression import Suppression
from kodomo.judgement.judge import Judged
from kodomo.terms import AgeBand, Method

KEYS = ("caption", "indicator", "yes", "no")
USUAL = (
    {"caption": "ひとり親相当", "indicator": "one_adult", "yes": "おとなが一人の世帯", "no": "その他の世帯"},
    {"caption": "障害者手帳を持つ同居者", "indicator": "disability_in_household", "yes": "いる", "no": "いない"},
    {"caption": "生活保護", "indicator": "assistance_now", "yes": "受けている世帯", "no": "受けていない世帯"},
)
"""What divides children everywhere, by the codes that shipped and drafted criteria give it."""
YES, NO, UNKNOWN = "yes", "no", ""
OTHER_AREAS = "OTHER"
MOST_TOWNS = 20
"""So many towns without a name of their own are compared one by one."""


@dataclass(frozen=True)
class Division:
    """One way to divide the cohort: each row's value, and the values compared with their names."""

    caption: str
    values: NDArray[np.str_]
    labels: Mapping[str, str]


def check_groups(municipality: Municipality, catalogue: Catalogue) -> None:
    """That every group of ``settings.toml`` is whole and asks an indicator there is. Raises ConfigurationFault."""
    faults = []
    for number, entry in enumerate(municipality.extras.get("evaluation_groups", ()), 1):
        place = f"settings.toml: evaluation_groups[{number}]"
        faults += [f"{place}.{key}: 書かれていません" for key in KEYS if not str(entry.get(key, "")).strip()]
        if entry.get("indicator") and entry["indicator"] not in catalogue.codes:
            faults.append(f"{place}.indicator: 指標「{entry['indicator']}」は indicators.toml にありません")
    if faults:
        raise ConfigurationFault(
            "検証で比べる区分の書き方に誤りがあります。\n" + "\n".join(f"・{fault}" for fault in faults),
            where=str(municipality.folder / "settings.toml"), then="示された項目を直してください。", faults=faults,
        )  # fmt: skip


def divisions(judged: Judged, municipality: Municipality) -> list[Division]:
    """Every division of the judged cohort that can be compared."""
    cohort = judged.matrix.cohort
    found = [
        Division("性別", cohort.sex.astype(str), {"F": "女", "M": "男"}),
        Division("年齢区分", cohort.band.astype(str), {band.value: band.label for band in AgeBand}),
        Division("国籍", cohort.is_foreign.astype(str), {"True": "外国籍", "False": "日本国籍"}),
    ]
    for entry in municipality.extras.get("evaluation_groups", USUAL):
        if entry["indicator"] in judged.matrix.codes:
            column = judged.matrix.column(entry["indicator"])
            values = np.where(np.isnan(column), UNKNOWN, np.where(column > 0, YES, NO))
            found.append(Division(entry["caption"], values, {YES: entry["yes"], NO: entry["no"]}))
    return [*found, _areas(cohort.area_code, municipality)]


def _areas(codes: NDArray[np.object_], municipality: Municipality) -> Division:
    """Areas by their names; a town that the municipality put into none by its code, the smaller towns together."""
    named = {area_code(name): name for name in municipality.areas}
    towns = Counter(code for code in codes if code is not None and code != OTHER_AREAS and code not in named)
    shown = {town: f"名前のない地区 {town}" for town, _ in towns.most_common(MOST_TOWNS)}
    values = np.array([UNKNOWN if c is None else c if c in named or c in shown else OTHER_AREAS for c in codes])
    return Division("地区", values.astype(str), named | shown | {OTHER_AREAS: "その他の地区"})


def group_lines(
    one: Outcome,
    parts: list[Division],
    places: int,
    rule: Suppression,
    generator: np.random.Generator,
    foreseen: Array | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Every group's figures as ``group_figures.group_line`` tells them; nothing that rests on a small count is shown.

    Args:
        places: how many children can be reviewed.
        foreseen: each child's probability of a case in the months looked at; None where there is none.
    """
    scores = one.scores[Method.COMBINED.value]
    flagged = np.zeros(len(scores), dtype=bool)
    flagged[np.lexsort((one.keys.astype(str), -scores))[:places]] = True
    households = Households(one.group, generator)
    ground = Ground(flagged, one.positive > 0, one.new, scores, foreseen, households)
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        own = part.values[one.rows]
        told = np.isin(own, list(part.labels))
        lines = [
            group_line(label, own == value, told & (own != value), ground, rule) for value, label in part.labels.items()
        ]
        found[part.caption] = [line for line in lines if line["children"] != 0]
    return found

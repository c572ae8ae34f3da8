"""Who was flagged and who was found, by group: where the judgement treats groups differently (analysis side).

Sex, age, nationality and area are in the child database. What else divides children (one adult alone, a disability
or public assistance in the household) is the municipality's own indicator, named in ``settings.toml``::

    [[evaluation_groups]]
    caption = "ひとり親相当"
    indicator = "one_adult"
    yes = "おとなが一人の世帯"
    no = "その他の世帯"

A child the indicator says nothing of belongs to neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.configuration import Municipality, area_code
from kodomo.errors import ConfigurationFault
from kodomo.evaluation.outcomes import Array, Outcome
from kodomo.features.catalogue import Catalogue
from kodomo.governance.suppression import Suppression
from kodomo.judgement.judge import Judged
from kodomo.terms import AgeBand, Method

SMALLEST_GROUP = 10
"""Groups with fewer known cases than this are not compared (measurements: minimum cell 10)."""
KEYS = ("caption", "indicator", "yes", "no")
YES, NO, UNKNOWN = "yes", "no", ""
OTHER_AREAS = "OTHER"


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
    areas = {area_code(name): name for name in municipality.areas} | {OTHER_AREAS: "その他の地区"}
    found = [
        Division("性別", cohort.sex.astype(str), {"F": "女", "M": "男"}),
        Division("年齢区分", cohort.band.astype(str), {band.value: band.label for band in AgeBand}),
        Division("国籍", cohort.is_foreign.astype(str), {"True": "外国籍", "False": "日本国籍"}),
    ]
    for entry in municipality.extras.get("evaluation_groups", ()):
        if entry["indicator"] in judged.matrix.codes:
            column = judged.matrix.column(entry["indicator"])
            values = np.where(np.isnan(column), UNKNOWN, np.where(column > 0, YES, NO))
            found.append(Division(entry["caption"], values, {YES: entry["yes"], NO: entry["no"]}))
    if municipality.areas:
        found.append(Division("地区", cohort.area_code.astype(str), areas))
    return found


def group_lines(one: Outcome, parts: list[Division], places: int, rule: Suppression) -> dict[str, list[dict[str, Any]]]:
    """Flagged share and recall per group; nothing that rests on a small count is shown."""
    scores = one.scores[Method.COMBINED.value]
    flagged = np.zeros(len(scores), dtype=bool)
    flagged[np.lexsort((one.keys.astype(str), -scores))[:places]] = True
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        own = part.values[one.rows]
        lines = [_group_line(label, own == value, flagged, one.positive, rule) for value, label in part.labels.items()]
        found[part.caption] = [line for line in lines if line["children"] != 0]
    return found


def _group_line(
    label: str, members: NDArray[np.bool_], flagged: NDArray[np.bool_], positive: Array, rule: Suppression
) -> dict[str, Any]:
    size, chosen = int(members.sum()), int((members & flagged).sum())
    cases = int(positive[members].sum())
    hits = int(positive[members & flagged].sum())
    return {
        "group": label,
        "children": rule.count(size),
        "flagged_share": _rounded(rule.share(chosen, size)),
        "recall": _rounded(rule.share(hits, cases)) if cases >= SMALLEST_GROUP else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

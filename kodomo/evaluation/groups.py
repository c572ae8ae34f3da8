"""Who was flagged and who was found, by group: where the judgement treats groups differently (analysis side)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.evaluation.outcomes import Array, Outcome
from kodomo.governance.suppression import Suppression
from kodomo.judgement.judge import Judged
from kodomo.terms import AgeBand, Method

SMALLEST_GROUP = 10
"""Groups with fewer known cases than this are not compared (measurements: minimum cell 10)."""


def group_lines(one: Outcome, judged: Judged, places: int, rule: Suppression) -> dict[str, list[dict[str, Any]]]:
    """Flagged share and recall per group; nothing that rests on a small count is shown."""
    cohort = judged.matrix.cohort
    scores = one.scores[Method.COMBINED.value]
    flagged = np.zeros(len(scores), dtype=bool)
    flagged[np.lexsort((one.keys.astype(str), -scores))[:places]] = True
    names = {
        "性別": {"F": "女", "M": "男"},
        "年齢区分": {band.value: band.label for band in AgeBand},
        "国籍": {"True": "外国籍", "False": "日本国籍"},
        "ひとり親相当": {"1.0": "おとなが一人の世帯", "0.0": "その他の世帯"},
    }
    values = {
        "性別": cohort.sex,
        "年齢区分": cohort.band,
        "国籍": cohort.is_foreign,
        "ひとり親相当": judged.matrix.column("one_adult") if "one_adult" in judged.matrix.codes else None,
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for name, labels in names.items():
        column = values[name]
        if column is None:
            continue
        own = np.array([str(v) for v in column[one.rows]])
        found[name] = [_group_line(label, own == value, flagged, one.positive, rule) for value, label in labels.items()]
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

"""What is usual in a child's class: shares and means over its classmates, the child itself left out (analysis side).

What a class is, ``[class]`` of ``criteria/indicators.toml`` says (``catalogue.ClassRule``). An indicator of
``whose = "class"`` takes ``mean`` (of the classmates' numbers; each must have one) or ``share``
(of the classmates for whom any fact passes the filters). Totals of a class less the child's own: nobody's facts are
compared with anybody's, so the work grows with the children and not with the pairs of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.features.aggregates import class_query, known_facts
from kodomo.features.catalogue import ClassRule, Indicator
from kodomo.features.cohort import Frame

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Classes:
    """Each row's class on its date, -1 where none is known."""

    number: NDArray[np.int64]
    least: int

    def over_others(self, own: Values) -> Values:
        """The total of the others in each row's class; 0 for a row without a class."""
        inside = self.number >= 0
        totals = np.bincount(self.number[inside], weights=own[inside], minlength=1)
        return np.where(inside, totals[np.maximum(self.number, 0)] - own, 0.0)


def classes(frame: Frame, rule: ClassRule) -> Classes:
    """The class of every row as known on its date: the spell of the item that began last and still holds."""
    pairs = known_facts(frame, "self", [rule.item])
    held = pairs.filter(pairs.code.notnull() & (pairs.valid_to > pairs.as_of).fill_null(True))
    found = held.select("row", "valid_from", "code").order_by("row", "valid_from", "code").to_pyarrow()
    named: dict[tuple[Any, ...], int] = {}
    number = np.full(len(frame.cohort), -1, dtype=np.int64)
    grade, dates = frame.cohort.grade, frame.cohort.as_of
    for row, code in zip(found["row"].to_pylist(), found["code"].to_pylist(), strict=True):
        key = (dates[row], code, grade[row] if rule.by_grade else None)
        # In order of beginning: the last one stands.
        number[row] = named.setdefault(key, len(named)) if key[2] == key[2] else -1
    return Classes(number, rule.least)


def class_values(
    frame: Frame,
    indicators: Sequence[Indicator],
    rule: ClassRule,
    zero_means_none: Callable[[Indicator], NDArray[np.bool_]],
) -> dict[str, Values]:
    """The values of indicators about classmates, for every row of the cohort.

    Args:
        zero_means_none: rows where finding no fact about a child means that there is none.
    """
    own = classes(frame, rule)
    values = {}
    for item in sorted({i.item for i in indicators}):
        group = [replace(i, whose="self") for i in indicators if i.item == item]
        answer = class_query(frame, group).to_pyarrow()
        rows = answer["row"].to_numpy()
        for indicator in group:
            parts = {name: np.zeros(len(frame.cohort)) for name in ("total", "counted", "passing", "seen")}
            for name, column in parts.items():
                found = answer[f"{indicator.code}__{name}"].cast("float64").to_numpy(zero_copy_only=False)
                column[rows] = np.nan_to_num(found)
            values[indicator.code] = _value(indicator, own, parts, zero_means_none(indicator))
    return values


def _value(indicator: Indicator, own: Classes, parts: dict[str, Values], zero: NDArray[np.bool_]) -> Values:
    if indicator.aggregate == "mean":
        told = own.over_others((parts["counted"] > 0).astype(np.float64))
        counted, total = own.over_others(parts["counted"]), own.over_others(parts["total"])
        return np.where(told >= own.least, total / np.maximum(counted, 1.0), np.nan)
    passing = own.over_others((parts["passing"] > 0).astype(np.float64))
    # A classmate counts where the source says something of it, or where saying nothing means there is none.
    known = own.over_others(((parts["seen"] > 0) | zero).astype(np.float64))
    return np.where(known >= own.least, passing / np.maximum(known, 1.0), np.nan)

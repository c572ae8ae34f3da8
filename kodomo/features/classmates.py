"""What is usual in a child's class: shares and means over its classmates, the child itself left out (analysis side).

What a class is, ``[class]`` of ``criteria/indicators.toml`` says (``catalogue.ClassRule``). An indicator of
``whose = "class"`` takes ``mean`` (of the classmates' numbers; each must have one) or ``share``
(of the classmates for whom any fact passes the filters). Totals of a class less the child's own: nobody's facts are
compared with anybody's, so the work grows with the children and not with the pairs of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.features.aggregates import class_query, known_facts
from kodomo.features.catalogue import CLASS, Catalogue, ClassRule, Indicator
from kodomo.features.cohort import Frame

Values = NDArray[np.float64]
Rows = NDArray[np.intp]
PARTS = ("total", "counted", "passing", "seen", "zero")


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


class ClassTotals:
    """What the children bring to their classes, taken in block by block; the values once all have been.

    Args:
        catalogue: its indicators of ``whose = "class"`` and what it says a class is.
        size: rows of the whole cohort.
    """

    def __init__(self, catalogue: Catalogue, size: int) -> None:
        self._rule = catalogue.classes
        about = [i for i in catalogue.indicators if i.whose == CLASS] if self._rule else []
        self._indicators = [replace(i, whose="self") for i in about]
        self._named: dict[tuple[Any, ...], int] = {}
        self._number = np.full(size if about else 0, -1, dtype=np.int64)
        self._parts = {i.code: {name: np.zeros(size) for name in PARTS} for i in about}

    def add(self, frame: Frame, rows: Rows, zero_means_none: Callable[[Indicator], NDArray[np.bool_]]) -> None:
        """Take in a block.

        Args:
            rows: the cohort's rows that the frame's stand for.
            zero_means_none: of the frame's rows those where finding no fact about a child means that there is none.
        """
        if not self._indicators or self._rule is None:
            return
        self._name_classes(frame, rows, self._rule)
        for item in sorted({i.item for i in self._indicators}):
            group = [i for i in self._indicators if i.item == item]
            answer = class_query(frame, group).to_pyarrow()
            answered = rows[answer["row"].to_numpy()]
            for indicator in group:
                parts = self._parts[indicator.code]
                for name in ("total", "counted", "passing", "seen"):
                    found = answer[f"{indicator.code}__{name}"].cast("float64").to_numpy(zero_copy_only=False)
                    parts[name][answered] = np.nan_to_num(found)
                parts["zero"][rows] = zero_means_none(indicator)

    def _name_classes(self, frame: Frame, rows: Rows, rule: ClassRule) -> None:
        """The class of every row as known on its date: the spell of the item that began last and still holds."""
        pairs = known_facts(frame, "self", [rule.item])
        held = pairs.filter(pairs.code.notnull() & (pairs.valid_to > pairs.as_of).fill_null(True))
        found = held.select("row", "valid_from", "code").order_by("row", "valid_from", "code").to_pyarrow()
        grade, dates = frame.cohort.grade, frame.cohort.as_of
        for row, code in zip(found["row"].to_pylist(), found["code"].to_pylist(), strict=True):
            key = (dates[row], code, grade[row] if rule.by_grade else None)
            # In order of beginning: the last one stands.
            self._number[rows[row]] = self._named.setdefault(key, len(self._named)) if key[2] == key[2] else -1

    def values(self) -> dict[str, Values]:
        """The values of indicators about classmates, for every row of the cohort."""
        if not self._indicators or self._rule is None:
            return {}
        own = Classes(self._number, self._rule.least)
        return {i.code: _value(i, own, self._parts[i.code]) for i in self._indicators}


def _value(indicator: Indicator, own: Classes, parts: dict[str, Values]) -> Values:
    if indicator.aggregate == "mean":
        told = own.over_others((parts["counted"] > 0).astype(np.float64))
        counted, total = own.over_others(parts["counted"]), own.over_others(parts["total"])
        return np.where(told >= own.least, total / np.maximum(counted, 1.0), np.nan)
    passing = own.over_others((parts["passing"] > 0).astype(np.float64))
    # A classmate counts where the source says something of it, or where saying nothing means there is none.
    known = own.over_others(((parts["seen"] > 0) | (parts["zero"] > 0)).astype(np.float64))
    return np.where(known >= own.least, passing / np.maximum(known, 1.0), np.nan)

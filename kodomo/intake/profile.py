"""Shares and means of a delivery's columns, and what of them has shifted enough to be worth a question (identity side).

Counts only, of columns that say something about many people at once: codes, flags and figures.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

COUNTED = ("code", "flag", "sex")
MEASURED = ("integer", "decimal")

FEWEST_ROWS = 50
"""Below this many rows in either delivery a shift is likely chance."""

SURE = 4.0
"""Standard errors beyond which a difference is told: at a few dozen columns a month, once in decades by chance."""

SHARE_SHIFT, MEAN_SHIFT, ROWS_SHIFT = 0.05, 0.2, 0.2
"""Smallest change worth a question: of a share in points, of a mean and of the number of rows as a part."""

MEANINGS_AT_MOST = 40


@dataclass
class Profile:
    """What one delivery's columns hold, added up chunk by chunk."""

    types: Mapping[str, str]
    rows: int = 0
    blanks: Counter[str] = field(default_factory=Counter)
    meanings: dict[str, Counter[str]] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)
    """By column: count, zeros, sum, sum of squares."""

    def add(self, kept: Mapping[str, pa.Array]) -> None:
        """Count some rows' kept values."""
        self.rows += len(next(iter(kept.values()), ()))
        for name, values in kept.items():
            if values.null_count:
                self.blanks[name] += values.null_count
            if self.types.get(name) in COUNTED:
                counts = pc.value_counts(values.drop_null()).to_pylist()
                self.meanings.setdefault(name, Counter()).update({c["values"]: c["counts"] for c in counts})
            elif self.types.get(name) in MEASURED:
                self._measure(name, values.drop_null())

    def _measure(self, name: str, values: pa.Array) -> None:
        numbers = values.cast(pa.float64())
        zeros = pc.sum(pc.equal(numbers, 0.0)).as_py() or 0
        total, squares = pc.sum(numbers).as_py() or 0.0, pc.sum(pc.multiply(numbers, numbers)).as_py() or 0.0
        before = self.figures.get(name, [0, 0, 0.0, 0.0])
        self.figures[name] = [a + b for a, b in zip(before, (len(numbers), zeros, total, squares), strict=True)]

    def told(self) -> dict[str, Any]:
        """As JSON takes it; columns of too many meanings are left out."""
        few = {name: dict(counts) for name, counts in self.meanings.items() if len(counts) <= MEANINGS_AT_MOST}
        return {"rows": self.rows, "blanks": dict(self.blanks), "meanings": few, "figures": self.figures}


def shifts(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Changes between two deliveries' profiles that are neither chance nor small, each with a Japanese sentence.

    Shares are compared by the two-proportion z test, means by Welch's statistic.
    """
    if not before or min(before["rows"], now["rows"]) < FEWEST_ROWS:
        return []
    found = []
    change = now["rows"] / before["rows"] - 1
    if abs(change) >= ROWS_SHIFT:
        words = (
            f"行の数が {before['rows']:,} から {now['rows']:,} に {_grown(change)}。抽出の条件が変わっていませんか。"
        )
        found.append({"column": "", "what": "rows", "before": before["rows"], "now": now["rows"], "question": words})
    for name in {**before["blanks"], **now["blanks"]}:
        found += _share(
            name, "空欄", before["blanks"].get(name, 0), before["rows"], now["blanks"].get(name, 0), now["rows"]
        )
    for name in before["meanings"].keys() & now["meanings"].keys():
        then, today = before["meanings"][name], now["meanings"][name]
        n, m = sum(then.values()), sum(today.values())
        for meaning in {**then, **today}:
            found += _share(name, f"「{meaning}」", then.get(meaning, 0), n, today.get(meaning, 0), m)
    for name in before["figures"].keys() & now["figures"].keys():
        then, today = before["figures"][name], now["figures"][name]
        zeros = _share(name, "0", then[1], then[0], today[1], today[0])
        found += zeros or _mean(name, then, today)
    return sorted(found, key=lambda shift: (shift["column"], shift["what"]))


def _share(name: str, what: str, k: float, n: float, k2: float, n2: float) -> list[dict[str, Any]]:
    if min(n, n2) < FEWEST_ROWS:
        return []
    p, q, pooled = k / n, k2 / n2, (k + k2) / (n + n2)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n2))
    if abs(q - p) < SHARE_SHIFT or error == 0 or abs(q - p) < SURE * error:
        return []
    grown = f"({_grown(q / p - 1)})" if p else "(前回はありませんでした)"
    words = f"「{name}」の{what}の割合が {p:.0%} から {q:.0%} に変わりました{grown}。入力のしかたや抽出の条件が変わっていませんか。"
    return [{"column": name, "what": what, "before": round(p, 4), "now": round(q, 4), "question": words}]


def _mean(name: str, then: list[float], today: list[float]) -> list[dict[str, Any]]:
    if min(then[0], today[0]) < FEWEST_ROWS:
        return []
    (a, va), (b, vb) = _moments(then), _moments(today)
    error = math.sqrt(va / then[0] + vb / today[0])
    if error == 0 or abs(b - a) < SURE * error or abs(b - a) < MEAN_SHIFT * max(abs(a), 1e-9):
        return []
    words = f"「{name}」の平均が {a:,.2f} から {b:,.2f} に変わりました。単位や数え方が変わっていませんか。"
    return [{"column": name, "what": "平均", "before": round(a, 4), "now": round(b, 4), "question": words}]


def _moments(figures: list[float]) -> tuple[float, float]:
    count, _, total, squares = figures
    mean = total / count
    return mean, max(squares / count - mean * mean, 0.0)


def _grown(change: float) -> str:
    return f"{abs(change):.0%} {'増えています' if change > 0 else '減っています'}"

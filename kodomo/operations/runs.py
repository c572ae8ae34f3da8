"""Figures of a judgement run and of two beside each other, small counts hidden; no child is in them (casework side)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.governance.suppression import SUPPRESSED_MARK, Suppression
from kodomo.store.database import Snapshot, Store
from kodomo.tables.engine import connect
from kodomo.terms import OVERALL, Level, Method, difficulty_label

LEVELS = (Level.HIGH, Level.MIDDLE, Level.LOW, Level.INSUFFICIENT, Level.NOT_APPLICABLE)
CHANGES = {
    "UP": "上がった", "DOWN": "下がった", "SAME": "変わらない", "THINNED": "情報不足になった", "FILLED": "情報がそろった",
    "NEW": "新しく対象になった", "GONE": "対象から外れた",
}  # fmt: skip
"""How one child's level for one type may differ between two runs."""

_LEVELS = f"""
SELECT child_key, type, level FROM read_parquet(?) WHERE level <> '{Level.NOT_APPLICABLE}'
QUALIFY row_number() OVER (PARTITION BY child_key, type
    ORDER BY CASE method WHEN '{Method.COMBINED}' THEN 0 WHEN '{Method.SCENARIO}' THEN 1 ELSE 2 END) = 1
"""
"""The level casework sees: the combined method's, else the scenario's."""

_COUNTS = f"SELECT type, level, count(*) FROM ({_LEVELS}) GROUP BY ALL"

_CHANGES = f"""
WITH height(level, h) AS (VALUES ('{Level.LOW}', 1), ('{Level.MIDDLE}', 2), ('{Level.HIGH}', 3)),
before AS ({_LEVELS}), after AS ({_LEVELS})
SELECT coalesce(a.type, b.type) AS type, CASE
    WHEN b.level IS NULL THEN 'NEW' WHEN a.level IS NULL THEN 'GONE' WHEN a.level = b.level THEN 'SAME'
    WHEN a.level = '{Level.INSUFFICIENT}' THEN 'THINNED' WHEN b.level = '{Level.INSUFFICIENT}' THEN 'FILLED'
    WHEN ah.h > bh.h THEN 'UP' ELSE 'DOWN' END AS change, count(*)
FROM before b FULL JOIN after a ON a.child_key = b.child_key AND a.type = b.type
LEFT JOIN height ah ON ah.level = a.level LEFT JOIN height bh ON bh.level = b.level
GROUP BY ALL
"""


@dataclass(frozen=True)
class CountLine:
    """One difficulty type's counts as they may be shown, in words."""

    type: str
    label: str
    counts: tuple[str, ...]


def run_named(store: Store, name: str) -> Snapshot | None:
    """A run by its name; None for anything that is not one."""
    return store.open("judgements", name) if name in store.names("judgements") else None


def run_before(store: Store, name: str) -> Snapshot | None:
    """The run that was made before this one; None for the first."""
    names = store.names("judgements")
    place = names.index(name)
    return store.open("judgements", names[place - 1]) if place else None


def level_lines(judgement: Snapshot, rule: Suppression) -> list[CountLine]:
    """How many children stand at each level, type by type."""
    with connect(memory="1GB", threads=2) as engine:
        rows = engine.execute(_COUNTS, [str(judgement.file("judgements"))]).fetchall()
    return _lines(rows, [level.value for level in LEVELS[:-1]], rule)


def change_lines(before: Snapshot, after: Snapshot, rule: Suppression) -> list[CountLine]:
    """How many children's levels changed between two runs, type by type."""
    files = [str(before.file("judgements")), str(after.file("judgements"))]
    with connect(memory="1GB", threads=2) as engine:
        rows = engine.execute(_CHANGES, files).fetchall()
    return _lines(rows, list(CHANGES), rule)


def differences(before: Snapshot, after: Snapshot) -> list[tuple[str, str, str]]:
    """What the two runs were made with, where that differs: what, then, now."""
    found = []
    for words, read in _MADE_WITH.items():
        then, now = read(before.manifest), read(after.manifest)
        if then != now:
            found.append((words, then or "—", now or "—"))
    return found


def criteria_words(manifest: Mapping[str, Any]) -> str:
    """The criteria's version as staff call it, with the beginning of its digest."""
    criteria = manifest.get("criteria")
    return f"{criteria['version']}({criteria['sha256'][:12]})" if criteria else ""


def _thresholds_words(manifest: Mapping[str, Any]) -> str:
    capacity = manifest.get("capacity") or {}
    return "、".join(
        f"{words} {capacity[key]:.1%}" for key, words in (("high", "高"), ("middle", "中")) if key in capacity
    )


_MADE_WITH = {
    "基準日": lambda m: str(m.get("as_of", "")),
    "こどもデータベースの版": lambda m: str(m.get("snapshot") or ""),
    "判定基準": criteria_words,
    "レベルの枠": _thresholds_words,
    "判定モデル": lambda m: str(m.get("model") or ""),
}


def _lines(rows: list[tuple[Any, ...]], columns: list[str], rule: Suppression) -> list[CountLine]:
    counts: dict[str, dict[str, int]] = {}
    for kind, column, number in rows:
        counts.setdefault(kind, {})[column] = number
    lines = []
    for kind in sorted(counts, key=lambda code: (code == OVERALL, code)):
        shown = rule.counts([counts[kind].get(column, 0) for column in columns])
        words = tuple(SUPPRESSED_MARK if number is None else f"{number:,}" for number in shown)
        lines.append(CountLine(kind, difficulty_label(kind), words))
    return lines

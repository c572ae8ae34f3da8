"""A discovered rule as a sentence staff can read and argue with (analysis side).

A learner cuts between two values it saw (2.5 visits, 0.0347 of the school days). What can only be whole is said
as 「3 以上」, what is or isn't by the indicator's own sentence, shares in per cent, differences with their sign.
"""

from __future__ import annotations

import math

from kodomo.features.catalogue import Catalogue, Indicator
from kodomo.judgement.boosting import SCENARIO_COLUMN
from kodomo.judgement.learners.rule_discovery import Condition, Rule
from kodomo.terms import plain_number

ALL_POINTS = "シナリオの点数の合計"
WHOLE = frozenset({"count", "any", "distinct", "streak", "months_since"})
"""Aggregates whose values are whole numbers; so is everything the register's own tables say (``structure``)."""
TRUE_OR_NOT = frozenset(
    {"one_adult", "nonresident_guardian", "moved_in_12m", "step_child", "grandparent_headed", "unrelated_adult"}
)
"""Structures that are 1 or 0."""
TINY, HUGE = 1e-9, 1e100


def rule_sentence(rule: Rule, columns: tuple[str, ...], catalogue: Catalogue) -> str:
    """The rule's conditions in words, joined.

    Args:
        columns: names of the columns the rule's numbers mean: codes of indicators, or the sum of the scenario.
    """
    return "、かつ".join(_condition(c, columns[c.column], catalogue) for c in rule.conditions)


def of_gaps_alone(condition: Condition) -> bool:
    """Whether the cut lies beyond every value, so that only empty cells can pass."""
    return condition.low > HUGE or condition.high < -HUGE


def _condition(condition: Condition, name: str, catalogue: Catalogue) -> str:
    low, high = _read(condition.low), _read(condition.high)
    indicator = None if name == SCENARIO_COLUMN else catalogue[name]
    caption = ALL_POINTS if indicator is None else indicator.caption
    if (math.isinf(low) and math.isinf(high)) or of_gaps_alone(condition):
        return f"「{caption}」の情報がない" if condition.with_gap else f"「{caption}」の情報がある"
    words = (indicator and _yes_or_no(indicator, low, high)) or f"「{caption}」が {_between(indicator, low, high)}"
    return f"{words}か、情報がない" if condition.with_gap else words


def _read(edge: float) -> float:
    """A cut as it is meant: LightGBM cuts beside zero instead of at it, and beyond every value to part off the gaps."""
    if abs(edge) < TINY:
        return 0.0
    # And a hair beside the middle of two values: 4.500000000000001.
    return math.copysign(math.inf, edge) if abs(edge) > HUGE else round(edge, 9)


def _yes_or_no(indicator: Indicator, low: float, high: float) -> str:
    """The indicator's own sentence where the condition asks whether something is at all; empty where it asks how much."""
    nothing = low < 0 <= high < 1
    if indicator.aggregate == "any" or indicator.structure in TRUE_OR_NOT:
        is_so = "" if "{value}" in indicator.sentence else indicator.sentence
        if nothing:
            return indicator.sentence_zero or f"「{indicator.caption}」に当たらない"
        return is_so or f"「{indicator.caption}」に当たる"
    return indicator.sentence_zero if nothing and _is_whole(indicator) else ""


def _is_whole(indicator: Indicator) -> bool:
    return indicator.aggregate in WHOLE or bool(indicator.structure)


def _between(indicator: Indicator | None, low: float, high: float) -> str:
    """``(low, high]`` in words, at least one of the two finite."""
    if indicator is not None and (_is_whole(indicator) or _between_whole(low, high)):
        return _whole(low, high)
    ends = (f"{_number(indicator, low)} を超え", f"{_number(indicator, high)} 以下")
    if math.isinf(high):
        return ends[0] + "る"
    return ends[1] if math.isinf(low) else "、".join(ends)


def _between_whole(low: float, high: float) -> bool:
    """Whether the cut lies half way between two whole numbers, as it does where the learner saw whole numbers only."""
    return all(math.isinf(edge) or edge % 1 == 0.5 for edge in (low, high))


def _whole(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{math.floor(low) + 1} 以上"
    if math.isinf(low):
        return f"{math.floor(high)} 以下"
    least, most = math.floor(low) + 1, math.floor(high)
    return f"{least}" if least == most else f"{least}〜{most}"


def _number(indicator: Indicator | None, edge: float) -> str:
    aggregate = "" if indicator is None else indicator.aggregate
    value = edge * 100 if aggregate == "share" else edge
    sign = "+" if aggregate in ("change", "trend") and edge else ""
    text = f"{value:{sign}.2g}" if abs(value) < 10 else plain_number(value, 0, sign)
    return text.replace("-", "−") + (" %" if aggregate == "share" else "")

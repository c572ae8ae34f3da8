"""Drafted lines of points for drafted indicators whose words speak of a worry, for a person to look over (analysis side)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kodomo.features.worries import lower_end, points_of

OFTEN, MORE = 3, 2
"""What happened this often speaks for so many points more."""
CHECKUP = "健診の所見"
"""Several columns of one examination say the same finding: the weightiest of their lines counts, beside the shipped ones."""
DAYS = (3, 6)
"""Days of one month from which a line counts."""
FEW = 12
"""A number whose greatest value is at most this counts something, such as findings; larger ones are amounts and scores."""

LETTERS = {
    "虐待": "a",
    "いじめ": "b",
    "不登校": "n",
    "ヤングケアラー": "y",
    "貧困": "p",
    "産後うつ": "d",
    "発達障がい": "v",
}
"""By what the codes of a type's drafted lines begin."""

Entry = dict[str, Any]


def lines_for(
    entries: Sequence[Entry],
    captions: Mapping[str, str],
    most: Mapping[str, float],
    least: Mapping[str, float] | None = None,
    denied: Collection[str] = (),
    common: Collection[str] = (),
    answers: Collection[str] = (),
) -> list[Entry]:
    """Lines of ``[[points]]`` for the entries that speak of a worry; gives these the sign ``+``.

    Args:
        entries: drafted indicators; changed in place.
        captions: the data items' names.
        most: the greatest number told of each data item that has numbers.
        least: the smallest; answers from 1 (never) to 4 (often) say yes from 3 on.
        denied: data items some of whose codes say that there is nothing: that somebody was asked tells nothing.
        common: data items that many are told of: no worry by being there.
        answers: data items whose figures are the steps of an answer, from 1 on.
    """
    lows = least or {}
    lines: list[Entry] = []
    codes = {entry["code"] for entry in entries}
    for entry in entries:
        if entry.get("whose") == "siblings" or (entry["item"] in denied and not entry.get("codes")):
            continue
        if entry["item"] in common and entry["aggregate"] in ("any", "count") and not entry.get("codes"):
            continue
        caption = captions.get(entry["item"], "")
        kind, points = points_of(caption, entry.get("codes", ()), entry["types"])
        if not points and entry["item"] in answers and not entry.get("codes"):
            lines += _of_low_answers(entry, caption, most.get(entry["item"], 1), lows.get(entry["item"], 0))
        if not points:
            continue
        entry["sign"] = "+"
        is_shorter = entry["code"].endswith("_12m") and f"{entry['code'][:-4]}_24m" in codes
        is_counted = entry["aggregate"] in ("any", "count") or (
            entry["aggregate"] in ("max", "last") and (_is_days(entry) or most.get(entry["item"], FEW + 1) <= FEW)
        )
        if is_counted and not is_shorter:
            is_answer = entry["item"] in answers
            steps = _steps(entry, most.get(entry["item"], 1), lows.get(entry["item"], 0), is_answer=is_answer)
            # Each grade of an answer has lines of its own: what is very much of a worry counts above what is some.
            for type_, count in points.items():
                lines += _lines(entry, type_, count, kind, steps, together=is_answer)
    return lines


def _of_low_answers(entry: Entry, caption: str, most: float, least: float) -> list[Entry]:
    """Lines where the lowest answers speak of a worry (家で安心できる, 1 of 5); gives the entry the sign ``-``."""
    said = lower_end(caption)
    kind, points = points_of(said, (), entry["types"]) if said else ("", {})
    if not points:
        return []
    entry["sign"] = "-"
    if entry["aggregate"] != "last":
        return []
    middle = math.ceil((most + least) / 2)
    steps = [step for step in (int(least) + 1, int(least)) if step < middle]
    return [
        line
        for type_, count in points.items()
        for line in _lines(entry, type_, count, kind, steps, together=True, sign="<=")
    ]


def _steps(entry: Entry, most: float, least: float, *, is_answer: bool) -> tuple[int, ...]:
    """From which values on a line counts: once and often; of a figure from the middle of what was told."""
    if entry["aggregate"] == "any" or (entry["aggregate"] == "max" and most <= 1):
        return (1,)
    if _is_days(entry):
        return DAYS
    if entry["aggregate"] == "count":
        return 1, OFTEN
    middle = max(2, math.ceil((most + least) / 2))
    if not is_answer:
        return (middle,)
    # Asked again and again most answer once with the first step above the middle: that is the newest answer's alone.
    above = tuple(range(max(middle, 3), int(most) + 1))
    return above[1:] or above if entry["aggregate"] == "max" else above


def _is_days(entry: Entry) -> bool:
    return entry["aggregate"] == "max" and "日数" in str(entry["caption"])


def _lines(
    entry: Entry, type_: str, points: int, kind: str, steps: Sequence[int], *, together: bool = False, sign: str = ">="
) -> list[Entry]:
    """One line a step; ``together``: whatever is asked of the item, the weightiest alone counts."""
    name = f"{LETTERS.get(type_, 'x')}_{entry['code']}"
    group = f"{LETTERS.get(type_, 'x')}_{entry['item']}" if together else name
    if kind == CHECKUP:
        group = "checkup"
    common = {"rationale": f"「{kind}」を表す言葉から下書きした", "note": "見本・未検証"}
    return [
        {"type": type_, "code": f"{name}_{step}", "when": [f"{entry['code']} {sign} {step}"], "points": points + MORE * at, "group": group, **common}
        for at, step in enumerate(steps)
    ]  # fmt: skip

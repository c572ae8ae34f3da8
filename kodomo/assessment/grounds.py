"""Which data items a sentence or a flag of the judgement rests on, as the municipality's criteria say (casework side).

A sentence holds its items' values. So it may be told only while each of those items may be shown; what it
rests on must therefore be known, and a sentence whose ground is not known is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from kodomo.configuration import Municipality, read_toml
from kodomo.terms import DifficultyType

FILES = ("indicators.toml", "scenarios.toml", "labels.toml")
OPERATOR = re.compile(r"\s*(?:>=|<=|==|!=|>|<)")

RULE = re.compile(r"(「.+?」)(?:が |の情報が|に当た)")
"""How a condition of a discovered rule begins that isn't an indicator's own sentence (``judgement.rule_words``)."""
ALL_POINTS = "「シナリオの点数の合計」"
Items = frozenset[str]


@dataclass(frozen=True)
class Line:
    """One line of the point table: how its sentence reads, and what all of its conditions rest on."""

    type: str
    pattern: re.Pattern[str]
    items: Items


@dataclass(frozen=True)
class Grounds:
    """What everything the judgement says rests on.

    ``words``: what names an indicator in a discovered rule's sentence (「caption」, or its own sentence), and its items.
    ``council`` and ``known``: the items behind the flags 要対協登録 and 支援につながっている; ``moved_in``: behind
    転入1年以内.
    """

    indicators: Mapping[str, Items]
    lines: tuple[Line, ...]
    escalations: Mapping[str, Items]
    council: Items
    known: Items
    moved_in: Items
    words: Mapping[str, Items]

    def of_reason(self, kind: str, indicator: str | None, sentence: str) -> Items | None:
        """The items a reason's sentence rests on; None when that is not known.

        A reason without an indicator is a discovered rule, which speaks of every indicator it names, or speaks of the
        judgement itself (its place, its sum of points): no item. A line of several conditions carries only its first as
        indicator, but speaks of all of them.
        """
        if not indicator:
            return self._of_rule(sentence)
        own = self.indicators.get(indicator)
        if own is None:
            return None
        said = (line.items for line in self.lines if line.type == kind and line.pattern.fullmatch(sentence))
        return own.union(*said)

    def _of_rule(self, sentence: str) -> Items | None:
        """The items a rule's conditions rest on; none for a sentence that is no rule, None for a rule not known whole."""
        conditions = [one.removesuffix("か、情報がない") for one in sentence.split("、かつ")]
        found = [self.words.get(_named(one)) for one in conditions]
        if None in found:
            is_rule = len(found) > 1 or any(found) or RULE.match(conditions[0])
            return None if is_rule and _named(sentence) != ALL_POINTS else frozenset()
        return frozenset().union(*(items for items in found if items is not None))

    def of_escalation(self, sentence: str) -> Items | None:
        """The items behind a fact that must be seen; None when the criteria do not (or no longer) hold the sentence."""
        return self.escalations.get(sentence)


def current_grounds(municipality: Municipality, earlier: Iterable[Path] = ()) -> Grounds:
    """The grounds as the criteria in force say, and earlier versions for sentences only those hold.

    Args:
        municipality: as ``governance.criteria_in_force`` gives it.
        earlier: folders of versions that judged before; what casework shows may come from one of them.
    """
    now = _grounds_of(municipality.criteria_folder)
    before = [_grounds_of(folder) for folder in earlier if folder != municipality.criteria_folder]
    return replace(
        now,
        indicators=_together(one.indicators for one in (now, *before)),
        lines=tuple(dict.fromkeys(line for one in (now, *before) for line in one.lines)),
        words=_together(one.words for one in (now, *before)),
        escalations=_together(one.escalations for one in (now, *before)),
    )


def _together(parts: Iterable[Mapping[str, Items]]) -> dict[str, Items]:
    """What rests on different items in different versions rests on all of them."""
    found: dict[str, Items] = {}
    for part in parts:
        for name, items in part.items():
            found[name] = found.get(name, frozenset()) | items
    return found


def _grounds_of(folder: Path) -> Grounds:
    place = folder / "criteria"
    stamps = tuple((place / name).stat().st_mtime_ns for name in FILES if (place / name).exists())
    return _read_grounds(place, stamps)


@lru_cache(maxsize=32)
def _read_grounds(folder: Path, stamps: tuple[int, ...]) -> Grounds:
    indicators, scenarios, labels = (read_toml(folder / name) if (folder / name).exists() else {} for name in FILES)
    of_indicator = {
        str(e.get("code", "")): _items(e.get("item"), e.get("per")) for e in indicators.get("indicators", ())
    }
    moved = (e for e in indicators.get("indicators", ()) if e.get("structure") == "moved_in_12m")
    registering = [e.get("item") for e in labels.get("labels", ()) if float(e.get("weight", 1)) >= 1]
    connecting = [e.get("item") for e in labels.get("known_to_support", ())]
    return Grounds(
        indicators=of_indicator,
        lines=tuple(_lines(scenarios.get("points", ()), of_indicator)),
        escalations=_escalations(scenarios.get("escalations", ()), of_indicator),
        council=_items(*registering),
        known=_items(*registering, *connecting),
        moved_in=_items(*(e.get("item") for e in moved)),
        words=_words(indicators.get("indicators", ()), of_indicator),
    )


def _words(entries: Iterable[Mapping[str, Any]], of_indicator: Mapping[str, Items]) -> dict[str, Items]:
    """By what words a rule may name an indicator; two that share them rest on what either rests on."""
    return _together(
        {words: of_indicator[str(entry.get("code", ""))]}
        for entry in entries
        for words in (f"「{entry.get('caption')}」", entry.get("sentence"), entry.get("sentence_zero"))
        if words
    ) | {ALL_POINTS: frozenset()}


def _named(condition: str) -> str:
    """What stands for the indicator in a rule's condition."""
    found = RULE.match(condition)
    return found[1] if found else condition


def _items(*codes: Any) -> Items:
    return frozenset(str(code) for code in codes if code)


def _lines(points: Iterable[Mapping[str, Any]], of_indicator: Mapping[str, Items]) -> Iterable[Line]:
    for point in points:
        sentence, items = str(point.get("sentence", "")), _of_conditions(point, of_indicator)
        if sentence and items is not None:
            pattern = re.compile(".*".join(re.escape(part) for part in sentence.split("{value}")))
            yield Line(_type_code(point), pattern, items)


def _escalations(entries: Iterable[Mapping[str, Any]], of_indicator: Mapping[str, Items]) -> dict[str, Items]:
    """Two escalations of the same wording rest on what either of them rests on."""
    found: dict[str, Items] = {}
    for entry in entries:
        sentence, items = str(entry.get("sentence", "")), _of_conditions(entry, of_indicator)
        if sentence and items is not None:
            found[sentence] = found.get(sentence, frozenset()) | items
    return found


def _of_conditions(entry: Mapping[str, Any], of_indicator: Mapping[str, Items]) -> Items | None:
    names = [OPERATOR.split(str(text).strip(), maxsplit=1)[0] for text in entry.get("when", ())]
    if not names or any(name not in of_indicator for name in names):
        return None
    return frozenset().union(*(of_indicator[name] for name in names))


def _type_code(entry: Mapping[str, Any]) -> str:
    label = str(entry.get("type", ""))
    return next((kind.value for kind in DifficultyType if label in (kind.label, kind.value)), label)

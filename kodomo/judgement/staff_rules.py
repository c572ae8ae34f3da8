"""What staff say of rules that learning found: accepted, pinned, required or forbidden, remembered across runs (analysis side).

A rule is named by its type and its *shape*: which indicators it looks at and from which side, not at which value, for
values move with every learning. A veto covers every rule that contains the shape, however it is narrowed further.
What was said last of a rule stands; it lies in the book of approvals with a name, a reason and an audit row.

FORBID   never proposed; a line in the same indicator is another matter (take the indicator out of the criteria).
PIN      always weighed, at the values it had when it was pinned, even where it fails the floors and tests.
REQUIRE  the same, and nearly without a penalty, so that its weight is what the cases say.
ACCEPT   looked at and left to learning; takes an earlier word back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kodomo.configuration import Home
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, Step
from kodomo.judgement.learners.rule_discovery import Condition, Rule, Shape, StaffWord
from kodomo.terms import DifficultyType


@dataclass(frozen=True)
class Bound:
    """One condition by its indicator's code; infinite where it has no such side."""

    column: str
    above: float | None
    at_most: float | None
    with_gap: bool = False

    @property
    def side(self) -> str:
        """Which sides it has: ``>``, ``<=`` or both."""
        return (">" if self.above is not None else "") + ("<=" if self.at_most is not None else "")


@dataclass(frozen=True)
class StaffRule:
    """What was said last of one rule."""

    type: str
    step: str
    bounds: tuple[Bound, ...]
    sentence: str = ""

    @property
    def name(self) -> str:
        """The rule's identifier."""
        return rule_name(self.type, self.bounds)


@dataclass(frozen=True)
class TypeRules:
    """What staff said of one type's rules, by indicator codes."""

    forbidden: tuple[tuple[Bound, ...], ...] = ()
    pinned: tuple[tuple[Bound, ...], ...] = ()
    required: tuple[tuple[Bound, ...], ...] = ()

    def word(self, columns: Sequence[str]) -> StaffWord:
        """The same for a table of these columns; a rule on an indicator that isn't there is left out."""
        place = {name: n for n, name in enumerate(columns)}

        def there(rules: tuple[tuple[Bound, ...], ...]) -> list[tuple[Bound, ...]]:
            return [bounds for bounds in rules if all(b.column in place for b in bounds)]

        def rule(bounds: tuple[Bound, ...]) -> Rule:
            return Rule(tuple(sorted(_condition(b, place[b.column]) for b in bounds)))

        return StaffWord(
            tuple(_shape(b, place) for b in there(self.forbidden)),
            tuple(rule(b) for b in there(self.pinned)),
            tuple(rule(b) for b in there(self.required)),
        )


def _condition(bound: Bound, column: int) -> Condition:
    low = -np.inf if bound.above is None else bound.above
    high = np.inf if bound.at_most is None else bound.at_most
    return Condition(column, low, high, bound.with_gap)


def _shape(bounds: tuple[Bound, ...], place: Mapping[str, int]) -> Shape:
    return frozenset((place[b.column], b.side) for b in bounds)


def rule_name(kind: str, bounds: Iterable[Bound]) -> str:
    """A rule's identifier, readable and the same whatever its values.

    >>> rule_name("POVERTY", [Bound("late", 2.0, None), Bound("arrears", None, 1.0)])
    'POVERTY:arrears<=&late>'
    """
    return f"{kind}:" + "&".join(sorted(f"{b.column}{b.side}" for b in bounds))


def rules_by_type(rules: Iterable[StaffRule]) -> dict[DifficultyType, TypeRules]:
    """What was said, by type."""
    found: dict[DifficultyType, dict[str, list[tuple[Bound, ...]]]] = {}
    for rule in rules:
        found.setdefault(DifficultyType(rule.type), {}).setdefault(rule.step, []).append(rule.bounds)
    return {
        kind: TypeRules(*(tuple(steps.get(step.value, ())) for step in (Step.FORBID, Step.PIN, Step.REQUIRE)))
        for kind, steps in found.items()
    }


def standing_rules(home: Home) -> tuple[StaffRule, ...]:
    """What was said last of every rule, by the book; in the order of their names."""
    last: dict[str, StaffRule] = {}
    for act in approvals.history(home, Matter.RULE):
        entry = {**act.detail, "step": act.step.value}
        last[act.version] = read_staff_rule(entry)
    return tuple(last[name] for name in sorted(last))


def read_staff_rule(entry: Mapping[str, Any]) -> StaffRule:
    """A rule as written in JSON."""
    bounds = tuple(Bound(b["column"], b["above"], b["at_most"], bool(b["with_gap"])) for b in entry["bounds"])
    return StaffRule(entry["type"], entry["step"], bounds, entry.get("sentence", ""))

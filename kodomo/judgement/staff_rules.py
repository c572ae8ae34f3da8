"""What staff said of rules, as learning takes it: for a type, and for a table's columns (analysis side)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kodomo.governance.approvals import Step
from kodomo.governance.rules import Bound, StaffRule
from kodomo.judgement.learners.rule_discovery import Condition, Rule, Shape, StaffWord
from kodomo.terms import DifficultyType


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


def rules_by_type(rules: Iterable[StaffRule]) -> dict[DifficultyType, TypeRules]:
    """What was said, by type."""
    found: dict[DifficultyType, dict[str, list[tuple[Bound, ...]]]] = {}
    for rule in rules:
        found.setdefault(DifficultyType(rule.type), {}).setdefault(rule.step, []).append(rule.bounds)
    return {
        kind: TypeRules(*(tuple(steps.get(step.value, ())) for step in (Step.FORBID, Step.PIN, Step.REQUIRE)))
        for kind, steps in found.items()
    }

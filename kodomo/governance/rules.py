"""What staff say of rules that learning found: accepted, pinned, required or forbidden, remembered across runs (crosscutting).

A rule is named by its type and its *shape*: which indicators it looks at and from which side, not at which value, for
values move with every learning. A veto covers every rule that contains the shape, however it is narrowed further.
What was said last of a rule stands; it lies in the book of approvals with a name, a reason and an audit row.

FORBID   never proposed; a line in the same indicator is another matter (take the indicator out of the criteria).
PIN      always weighed, at the values it had when it was pinned, even where it fails the floors and tests.
REQUIRE  the same, and nearly without a penalty, so that its weight is what the cases say.
ACCEPT   looked at and left to learning; takes an earlier word back.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.configuration import Home
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, Person, Step
from kodomo.governance.models import model_folder
from kodomo.governance.suppression import Suppression


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


def rule_name(kind: str, bounds: Iterable[Bound]) -> str:
    """A rule's identifier, readable and the same whatever its values.

    >>> rule_name("POVERTY", [Bound("late", 2.0, None), Bound("arrears", None, 1.0)])
    'POVERTY:arrears<=&late>'
    """
    return f"{kind}:" + "&".join(sorted(f"{b.column}{b.side}" for b in bounds))


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


@dataclass(frozen=True)
class Found:
    """One rule of a model: in how many folds of how many, its mean weight, and the most children and cases it covered."""

    type: str
    bounds: tuple[Bound, ...]
    sentence: str
    folds: int
    of: int
    weight: float
    rows: int
    cases: int
    said: str = ""

    @property
    def name(self) -> str:
        """The rule's identifier."""
        return rule_name(self.type, self.bounds)

    @property
    def is_repeated(self) -> bool:
        """Found again on other children, or spoken of by staff; the rest may well be chance.

        Stability of what is selected as the sign that it is no accident: Meinshausen & Bühlmann (2010).
        """
        return bool(self.said) or self.folds > 1 or self.of == 1

    def as_json(self, rule: Suppression) -> dict[str, Any]:
        """For ``--json``; small counts are suppressed."""
        return {
            "name": self.name, "type": self.type, "sentence": self.sentence, "folds": self.folds,
            "of": self.of, "is_repeated": self.is_repeated,
            "weight": round(self.weight, 4), "rows": rule.count(self.rows), "cases": rule.count(self.cases),
            "said": self.said,
        }  # fmt: skip


def found_rules(home: Home, model: str) -> list[Found]:
    """The rules of a model, with what staff said of them: by type, those found most often first, then by weight.

    Those spoken of and not found come last.

    Args:
        model: its version.

    Raises:
        NotReady: there is no such model.
    """
    path = model_folder(home, model) / "models.json"
    if not path.exists():
        raise NotReady(f"モデル {model} がありません。", where=str(path))
    body = json.loads(path.read_text(encoding="utf-8"))
    forms: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kind, card in body["models"].items():
        for rule in card["rules"]:
            forms.setdefault((rule_name(kind, _bounds(rule)), kind), []).append(rule)
    said = {rule.name: rule for rule in standing_rules(home)}
    tries = {kind: len({rule["fold"] for rule in card["rules"]}) for kind, card in body["models"].items()}
    found = [_found(kind, same, tries[kind], said.get(name)) for (name, kind), same in forms.items()]
    found.sort(key=lambda rule: (rule.type, -rule.folds, -abs(rule.weight), rule.name))
    there = {rule.name for rule in found}
    gone = [rule for name, rule in said.items() if name not in there]
    return found + [Found(rule.type, rule.bounds, rule.sentence, 0, 0, 0.0, 0, 0, rule.step) for rule in gone]


def _found(kind: str, forms: list[dict[str, Any]], tries: int, said: StaffRule | None) -> Found:
    """One rule over the folds: the form that covered most stands for all."""
    widest = max(forms, key=lambda form: (form["rows"], form["sentence"]))
    return Found(
        kind,
        _bounds(widest),
        widest["sentence"],
        len({form["fold"] for form in forms}),
        tries,
        statistics.fmean(form["weight"] for form in forms),
        widest["rows"],
        widest["cases"],
        said.step if said else "",
    )


def _bounds(rule: Mapping[str, Any]) -> tuple[Bound, ...]:
    return tuple(Bound(c["column"], c["above"], c["at_most"], bool(c["with_gap"])) for c in rule["conditions"])


def say(home: Home, step: Step, name: str, *, by: Person, reason: str, at: dt.datetime, model: str) -> StaffRule:
    """Accept, pin, require or forbid a rule of a model, or one spoken of before.

    Raises:
        WrongUsage: no rule of this name was found or spoken of.
        NotPermitted, NotReady: as ``governance.approvals`` and ``found_rules``.
    """
    known = {rule.name: rule for rule in found_rules(home, model)}
    if name not in known:
        raise WrongUsage(
            "この名前のルールはありません。", where=name, then="kodomo rules list で名前を確かめてください。"
        )
    rule = known[name]
    bounds = [vars(bound) for bound in rule.bounds]
    detail = {"type": rule.type, "bounds": bounds, "sentence": rule.sentence}
    approvals.enter(home, Matter.RULE, name, step, by=by, reason=reason, at=at, detail=detail)
    return StaffRule(rule.type, step.value, rule.bounds, rule.sentence)

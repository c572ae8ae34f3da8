"""The rules of the newest model as staff read them, and what they say of one (analysis side)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kodomo.configuration import Home
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, Person, Step
from kodomo.governance.suppression import Suppression
from kodomo.judgement.saving import MODELS
from kodomo.judgement.staff_rules import Bound, StaffRule, rule_name, standing_rules
from kodomo.store.database import Store


@dataclass(frozen=True)
class Found:
    """One rule of the newest model: in how many folds, its mean weight, and the most children and cases it covered."""

    type: str
    bounds: tuple[Bound, ...]
    sentence: str
    folds: int
    weight: float
    rows: int
    cases: int
    said: str = ""

    @property
    def name(self) -> str:
        """The rule's identifier."""
        return rule_name(self.type, self.bounds)

    def as_json(self, rule: Suppression) -> dict[str, Any]:
        """For ``--json``; small counts are suppressed."""
        return {
            "name": self.name, "type": self.type, "sentence": self.sentence, "folds": self.folds,
            "weight": round(self.weight, 4), "rows": rule.count(self.rows), "cases": rule.count(self.cases),
            "said": self.said,
        }  # fmt: skip


def found_rules(home: Home, model: str | None = None) -> list[Found]:
    """The rules of a model, with what staff said of them; those spoken of and not found come last.

    Args:
        model: its version; that of the current judgement when not given.

    Raises:
        NotReady: nothing was judged, or the judgement has no model.
    """
    version = model or _current_model(home)
    body = json.loads(_models_file(home, version).read_text(encoding="utf-8"))
    forms: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kind, card in body["models"].items():
        for rule in card["rules"]:
            forms.setdefault((rule_name(kind, _bounds(rule)), kind), []).append(rule)
    said = {rule.name: rule for rule in standing_rules(home)}
    found = [_found(kind, same, said.get(name)) for (name, kind), same in forms.items()]
    found.sort(key=lambda rule: (rule.type, -abs(rule.weight), rule.name))
    there = {rule.name for rule in found}
    gone = [rule for name, rule in said.items() if name not in there]
    return found + [Found(rule.type, rule.bounds, rule.sentence, 0, 0.0, 0, 0, rule.step) for rule in gone]


def _found(kind: str, forms: list[dict[str, Any]], said: StaffRule | None) -> Found:
    """One rule over the folds: the form that covered most stands for all."""
    widest = max(forms, key=lambda form: (form["rows"], form["sentence"]))
    return Found(
        kind,
        _bounds(widest),
        widest["sentence"],
        len({form["fold"] for form in forms}),
        float(np.mean([form["weight"] for form in forms])),
        widest["rows"],
        widest["cases"],
        said.step if said else "",
    )


def _bounds(rule: Mapping[str, Any]) -> tuple[Bound, ...]:
    return tuple(Bound(c["column"], c["above"], c["at_most"], bool(c["with_gap"])) for c in rule["conditions"])


def say(
    home: Home, step: Step, name: str, *, by: Person, reason: str, at: dt.datetime, model: str | None = None
) -> StaffRule:
    """Accept, pin, require or forbid a rule of the newest model, or one spoken of before.

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


def _current_model(home: Home) -> str:
    judgement = Store(home.store).current("judgements")
    version = judgement.manifest.get("model") if judgement is not None else None
    if not version:
        raise NotReady("まだ学習したモデルがありません。", then="kodomo judge を先に実行してください。")
    return str(version)


def _models_file(home: Home, version: str) -> Path:
    path = home.store / MODELS / version / "models.json"
    if not path.exists():
        raise NotReady(f"モデル {version} がありません。", where=str(path))
    return path

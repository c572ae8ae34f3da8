"""A model as a recipe that makes it again: what was learned from, with which criteria, labels and vetoes (analysis side).

Snapshots, returned outcomes, criteria copies and audit draws are kept and never changed, and learning gives the same
bytes for the same input. So a promoted model is used by making it again and comparing its digest with the one that
people approved: what judges children is what they approved, or nothing is judged.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from kodomo.configuration import Home
from kodomo.errors import IntegrityFault, NotReady
from kodomo.features.build import lawful_for
from kodomo.governance.criteria_versions import kept_copy
from kodomo.governance.models import MODELS, RECIPE, write_beside
from kodomo.governance.register import Register
from kodomo.governance.rules import StaffRule, read_staff_rule
from kodomo.judgement.audit_draw import drawn_in
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.feedback import read_feedback
from kodomo.judgement.judge import Lawful, Studied, study
from kodomo.judgement.staff_rules import rules_by_type
from kodomo.store.database import Snapshot, Store
from kodomo.terms import DifficultyType, Purpose


@dataclass(frozen=True)
class Recipe:
    """What a model was learned from.

    ``rounds`` are the audit draws held out; ``outcomes`` the folder of returned decisions; ``rules`` what staff said
    of rules by then.
    """

    snapshot: str
    as_of: dt.date
    criteria: str
    types: tuple[str, ...]
    outcomes: str | None
    rounds: tuple[dt.date, ...]
    rules: tuple[StaffRule, ...]

    def as_json(self) -> dict[str, Any]:
        """For the file beside the model."""
        body = asdict(self)
        return body | {"as_of": self.as_of.isoformat(), "rounds": [day.isoformat() for day in self.rounds]}


def present_recipe(
    store: Store,
    snapshot: Snapshot,
    as_of: dt.date,
    criteria: Criteria,
    types: Sequence[DifficultyType],
    draws: pa.Table,
    rules: Sequence[StaffRule],
) -> Recipe:
    """What would be learned from now: the snapshot and everything that came back and was drawn until the date."""
    returned = store.current("outcomes")
    rounds = sorted({day for day in draws["round"].to_pylist() if day < as_of})
    names = tuple(kind.value for kind in types)
    outcomes = returned.snapshot_id if returned is not None else None
    return Recipe(snapshot.snapshot_id, as_of, criteria.sha256, names, outcomes, tuple(rounds), tuple(rules))


def study_recipe(
    recipe: Recipe,
    *,
    home: Home,
    register: Register,
    draws: pa.Table,
    on: dt.date,
    until: dt.date | None = None,
    criteria: Criteria | None = None,
    step: Callable[[str], None] = lambda what: None,
) -> Studied:
    """Learn by a recipe: as it says, or (``until`` a date before) as it would have on that date.

    Args:
        on: the day of use, by which the register says what is lawful.
        criteria: those of the recipe, where they are at hand; else the kept copy is read.

    Raises:
        NotReady: the snapshot, the returned outcomes or the copy of the criteria is gone.
    """
    store = Store(home.store)
    as_of = min(recipe.as_of, until) if until else recipe.as_of
    criteria = criteria or criteria_of(recipe, home)
    return study(
        store.open("snapshots", recipe.snapshot),
        as_of,
        criteria,
        tuple(DifficultyType(name) for name in recipe.types),
        lawful=Lawful(lawful_for(register, Purpose.JUDGE, on), lawful_for(register, Purpose.LEARN, on)),
        held_out=drawn_in(draws, recipe.rounds, as_of),
        feedback=read_feedback(store, criteria.feedback, as_of, recipe.outcomes) if recipe.outcomes else None,
        staff_rules=rules_by_type(recipe.rules),
        spill=home.spill,
        step=step,
    )


def criteria_of(recipe: Recipe, home: Home) -> Criteria:
    """The criteria a recipe names, from their kept copy. Raises NotReady."""
    kept = kept_copy(home, recipe.criteria)
    if not kept.exists():
        raise NotReady("モデルを学んだときの判定基準の写しがありません。", where=str(kept))
    return read_all_criteria(kept)


def recipe_of_champion(home: Home, version: str, criteria: Criteria) -> Recipe:
    """The recipe of the model that judges.

    Raises:
        NotReady: it is gone, or the criteria at hand are another version than it was learned with.
    """
    recipe = read_recipe(home.store, version)
    if recipe.criteria != criteria.sha256:
        raise NotReady(
            "現用のモデルは、いまとは別の版の判定基準で学んだものなので、いまの判定基準では使えません。",
            where=f"モデル {version} の判定基準 {recipe.criteria[:12]}、いまの判定基準 {criteria.sha256[:12]}",
            then="kodomo models challenge で新しい候補をつくって昇格させるか、kodomo models roll-back で前に戻してください。",
        )  # fmt: skip
    return recipe


def check_same(approved: str, made: str | None) -> None:
    """Refuse to judge with a model that is not the one people approved.

    Raises:
        IntegrityFault: what the recipe gives now has another digest.
    """
    if made != approved:
        raise IntegrityFault(
            "承認されたモデルを、同じようにつくり直せません。判定していません。",
            where=f"承認 {approved}、いま {made or 'なし'}",
            then="製品の更新、法的根拠の変化、保存データの変化が考えられます。"
            "kodomo models challenge で新しい候補をつくるか、kodomo models roll-back で前に戻してください。",
        )


def keep_recipe(root: Path, version: str, recipe: Recipe) -> None:
    """Write a model's recipe beside it, where none is yet: two dates may give one model, and the first stands."""
    if not (root / MODELS / version / RECIPE).exists():
        text = json.dumps(recipe.as_json(), ensure_ascii=False, indent=1, sort_keys=True)
        write_beside(root / MODELS / version, RECIPE, text)


def read_recipe(root: Path, version: str) -> Recipe:
    """The recipe beside a model. Raises NotReady."""
    path = root / MODELS / version / RECIPE
    if not path.exists():
        raise NotReady(
            f"モデル {version} のつくり方が残っていません。", where=str(path.parent),
            then="kodomo models status で、いまあるモデルを確かめてください。",
        )  # fmt: skip
    body = json.loads(path.read_text(encoding="utf-8"))
    return Recipe(
        body["snapshot"],
        dt.date.fromisoformat(body["as_of"]),
        body["criteria"],
        tuple(body["types"]),
        body["outcomes"],
        tuple(dt.date.fromisoformat(day) for day in body["rounds"]),
        tuple(read_staff_rule(entry) for entry in body["rules"]),
    )

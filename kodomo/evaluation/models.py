"""Models at hand, their promotion and their way back, for the command line and the operators' pages (analysis side)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady, WrongUsage
from kodomo.evaluation.challenge import FILE as COMPARISON
from kodomo.evaluation.challenge import approval_of
from kodomo.governance import approvals
from kodomo.governance import champion as book
from kodomo.governance.approvals import Matter, Person, Standing
from kodomo.governance.criteria_versions import NotApproved, check_usable
from kodomo.judgement.model_card import CARD, SHEET, add_approval
from kodomo.judgement.recipe import FILE as RECIPE
from kodomo.judgement.recipe import read_recipe
from kodomo.judgement.saving import MODELS


def models_status(home: Home) -> dict[str, Any]:
    """The model that judges, every model that can be made again, and the book's acts on models, newest first.

    Reads the store and the book; writes nothing.
    """
    now = book.champion(home)
    folders = (home.store / MODELS).glob(f"*/{RECIPE}") if (home.store / MODELS).exists() else ()
    models = [_model(home, path.parent.name, now) for path in folders]
    models.sort(key=lambda one: (one["as_of"], one["version"]), reverse=True)
    acts = [act.as_json() for act in reversed(approvals.history(home, Matter.MODEL))]
    return {"champion": now, "models": models, "history": acts}


def _model(home: Home, version: str, now: str | None) -> dict[str, Any]:
    recipe, folder = read_recipe(home.store, version), home.store / MODELS / version
    state = approvals.standing(home, Matter.MODEL, version)
    compared = folder / COMPARISON
    return {
        "version": version,
        "as_of": recipe.as_of.isoformat(),
        "snapshot": recipe.snapshot,
        "criteria": recipe.criteria,
        "state": state.state.value,
        "state_label": "現用" if version == now else state.state.label,
        "lacking": state.lacking,
        "approvals": [act.as_json() for act in state.approvals],
        "comparison": json.loads(compared.read_text(encoding="utf-8")) if compared.exists() else None,
        "card": str(folder / CARD) if (folder / CARD).exists() else None,
        "register_sheet": str(folder / SHEET) if (folder / SHEET).exists() else None,
    }


def promote_model(
    home: Home, municipality: Municipality, version: str, *, by: Person, reason: str, at: dt.datetime
) -> Standing:
    """Approve a model that was compared; with the second different person it judges.

    Args:
        version: the model's version, or a beginning of it that no other has.

    Raises:
        WrongUsage: no or several models begin like this.
        NotReady: it was never compared, or the criteria at hand are another version.
        NotApproved: two people have not approved the criteria it was learned with.
        NotPermitted, StaffError: as ``governance.champion.promote``.
    """
    version = _whole(home, version)
    compared = home.store / MODELS / version / COMPARISON
    if not compared.exists():
        raise NotReady(
            "このモデルは、いまの判定と比べられていません。", where=f"モデル {version}",
            then="kodomo models challenge で比べてから、昇格させてください。",
        )  # fmt: skip
    criteria, _ = check_usable(home, municipality)
    learned_with = read_recipe(home.store, version).criteria
    if learned_with != criteria.version:
        raise NotApproved(
            "このモデルは、いまとは別の版の判定基準で学んだものです。",
            where=f"モデルの判定基準 {learned_with[:12]}、いまの判定基準 {criteria.version[:12]}",
            then="いまの判定基準で kodomo models challenge をやり直してください。",
        )
    seen = hashlib.sha256(compared.read_bytes()).hexdigest()
    done = book.promote(home, version, by=by, reason=reason, at=at, detail={"comparison": seen})
    add_approval(home.store, version, approval_of(home, municipality, version))
    return done


def _whole(home: Home, beginning: str) -> str:
    versions = [one["version"] for one in models_status(home)["models"] if one["version"].startswith(beginning)]
    if len(versions) != 1 or not beginning:
        raise WrongUsage(
            "どのモデルか決まりません。", where=beginning or "--model",
            then="kodomo models status で、モデルの版を確かめてください。",
        )  # fmt: skip
    return str(versions[0])


def lines(status: dict[str, Any]) -> list[str]:
    """``models_status`` as lines for people."""
    now = status["champion"]
    found = [f"現用のモデル: {now}" if now else "現用のモデル: なし(判定のたびに、その日までのことから学びます)"]
    for one in status["models"]:
        found.append(f"{one['version']}  学んだ日 {one['as_of']}  {one['state_label']}")
        if one["comparison"]:
            found.append(f"  {one['comparison']['sentence']}")
        for act in one["approvals"]:
            found.append(f"  承認 {act['at'][:10]} {act['name']} {act['reason']}")
    return found

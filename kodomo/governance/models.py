"""Models at hand, their promotion and what their cards say of it, for the command line and the site (crosscutting).

A model's folder ``store/models/<version>/`` holds what was learned as text, the recipe that makes it again, the
comparison of its challenge, the model card and the sheet of the public register. Its files are read here as JSON and
text; what they mean is the analysis side's business (``judgement.recipe``, ``judgement.model_card``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import APPROVERS, Matter, Person, Standing
from kodomo.governance.champion import champion, promote
from kodomo.governance.criteria_versions import NotApproved, check_usable, standing
from kodomo.governance.permissions import Role

MODELS = "models"
RECIPE, COMPARISON, CARD, SHEET = "recipe.json", "comparison.json", "model_card.md", "algorithm_register.md"
APPROVAL_HEAD = "\n\n## 承認\n\n"


def model_folder(home: Home, version: str) -> Path:
    """Where a model lies."""
    return home.store / MODELS / version


def models_status(home: Home) -> dict[str, Any]:
    """The model that judges, every model that can be made again, and the book's acts on models, newest first.

    Reads the store and the book; writes nothing.
    """
    now = champion(home)
    models = [_model(home, path.parent.name, now) for path in (home.store / MODELS).glob(f"*/{RECIPE}")]
    models.sort(key=lambda one: (one["as_of"], one["version"]), reverse=True)
    acts = [act.as_json() for act in reversed(approvals.history(home, Matter.MODEL))]
    return {"champion": now, "models": models, "history": acts}


def _model(home: Home, version: str, now: str | None) -> dict[str, Any]:
    folder = model_folder(home, version)
    recipe = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    state = approvals.standing(home, Matter.MODEL, version)
    compared = folder / COMPARISON
    return {
        "version": version,
        "as_of": recipe["as_of"],
        "snapshot": recipe["snapshot"],
        "criteria": recipe["criteria"],
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
    folder = model_folder(home, version)
    compared = folder / COMPARISON
    if not compared.exists():
        raise NotReady(
            "このモデルは、いまの判定と比べられていません。", where=f"モデル {version}",
            then="kodomo models challenge で比べてから、昇格させてください。",
        )  # fmt: skip
    criteria, _ = check_usable(home, municipality)
    learned_with = json.loads((folder / RECIPE).read_text(encoding="utf-8"))["criteria"]
    if learned_with != criteria.version:
        raise NotApproved(
            "このモデルは、いまとは別の版の判定基準で学んだものです。",
            where=f"モデルの判定基準 {learned_with[:12]}、いまの判定基準 {criteria.version[:12]}",
            then="いまの判定基準で kodomo models challenge をやり直してください。",
        )
    seen = hashlib.sha256(compared.read_bytes()).hexdigest()
    done = promote(home, version, by=by, reason=reason, at=at, detail={"comparison": seen})
    add_approval(folder, approval_of(home, municipality, version))
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


def approval_of(home: Home, municipality: Municipality, version: str) -> dict[str, Any]:
    """Who approved the criteria at hand, and the model: for the card."""
    criteria = standing(home, municipality, Matter.CRITERIA).approvals
    model = approvals.standing(home, Matter.MODEL, version).approvals
    return {"criteria": [act.as_json() for act in criteria], "model": [act.as_json() for act in model]}


def write_beside(folder: Path, name: str, text: str) -> Path:
    """Put a text beside a model, in place by one rename."""
    target = folder / name
    aside = target.with_name(f".{name}.partial")
    aside.write_text(text, encoding="utf-8")
    aside.replace(target)
    return target


def add_approval(folder: Path, approval: Mapping[str, Any]) -> None:
    """Bring the approvals on both pages up to date; the rest stays as it was written."""
    card = (folder / CARD).read_text(encoding="utf-8")
    write_beside(folder, CARD, card.partition(APPROVAL_HEAD)[0] + APPROVAL_HEAD + approvers(approval) + "\n")
    sheet = (folder / SHEET).read_text(encoding="utf-8").splitlines()
    row = f"| 承認 | {approved_by(approval)} |"
    changed = [row if line.startswith("| 承認 |") else line for line in sheet]
    write_beside(folder, SHEET, "\n".join(changed) + "\n")


def approvers(approval: Mapping[str, Any]) -> str:
    """The people who approved criteria and model, as lines of the card."""
    lines = [
        f"{matter}: " + ("、".join(f"{one['name']}({_role(one)})" for one in people) or "まだない")
        for matter, people in (("判定基準", approval["criteria"]), ("モデル", approval["model"]))
    ]
    return "\n".join(f"- {line}" for line in lines)


def approved_by(approval: Mapping[str, Any]) -> str:
    """For the public: which offices of the law's scheme approved, not who."""
    if len(approval["model"]) < APPROVERS:
        return "まだ承認されていない"
    return f"異なる二人の承認({'、'.join(Role(one['role']).label for one in approval['model'])})"


def _role(one: Mapping[str, Any]) -> str:
    """Of names that stand in a file alone only the office is known."""
    return Role(one["role"]).label if one.get("role") else str(one.get("office", ""))

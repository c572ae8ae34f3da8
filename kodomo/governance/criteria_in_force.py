"""Which version of criteria and thresholds judges: the files of the municipality's folder, or one adopted on the site (crosscutting).

The approval that was completed last decides, for each of the two apart. Was it of a version written on the site
(its proposal in the book says ``origin: SITE``), that version judges, whatever the files say meanwhile; was it of
the files, the files do, and they must be approved as they are. Before any of either, the files.
A withdrawn version isn't replaced by an older one: nothing is judged until two people approve again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kodomo.configuration import Home, Municipality
from kodomo.errors import IntegrityFault
from kodomo.governance import approvals
from kodomo.governance.approvals import Act, Matter, State, Step
from kodomo.governance.criteria_versions import criteria_version, kept_copy

SITE = "SITE"


def in_force(home: Home, municipality: Municipality) -> Municipality:
    """The municipality with the criteria and thresholds that judge now; as it is where its files do.

    Reads the book of approvals. Writes nothing, and checks no approval: ``criteria_versions.check_usable`` does.

    Raises:
        IntegrityFault: the kept copy of an adopted version is gone or is not what was approved.
    """
    files = replace(municipality, adopted=None)
    criteria = adopted(approvals.history(home, Matter.CRITERIA))
    if criteria is not None:
        copy = kept_copy(home, criteria.version)
        if not copy.is_dir() or criteria_version(copy) != criteria.version:
            raise IntegrityFault(
                "画面で承認された判定基準の写しが、承認されたものと違います。", where=str(copy),
                then="バックアップから戻すか、システム管理者に連絡してください。",
            )  # fmt: skip
        files = replace(files, adopted=copy)
    thresholds = adopted(approvals.history(home, Matter.THRESHOLDS))
    return files if thresholds is None else with_thresholds(files, thresholds.detail["contents"])


def with_thresholds(municipality: Municipality, figures: Any) -> Municipality:
    """The municipality with other figures of capacity."""
    capacity = {"band": figures["band"], "parts": list(figures.get("parts", ())), "title": figures.get("title", "")}
    return replace(
        municipality, capacity_high=float(figures["high"]), capacity_middle=float(figures["middle"]),
        extras={**municipality.extras, "capacity": capacity},
    )  # fmt: skip


def adopted(acts: Iterable[Act]) -> Act | None:
    """The proposal of the version the last completed approval made the one that judges; None where that is the files'.

    Args:
        acts: the book's acts of one matter, oldest first.
    """
    seen: list[Act] = []
    proposals: dict[str, Act] = {}
    found: Act | None = None
    for act in acts:
        seen.append(act)
        if act.step is Step.PROPOSE:
            proposals[act.version] = act
        elif act.step is Step.APPROVE and _completes(seen, act):
            proposal = proposals.get(act.version)
            found = proposal if proposal is not None and proposal.detail.get("origin") == SITE else None
    return found


def _completes(seen: list[Act], act: Act) -> bool:
    """Whether this approval is the one that made its version usable."""
    before, after = (approvals.stand(acts, act.matter, act.version).state for acts in (seen[:-1], seen))
    return before is not State.APPROVED and after is State.APPROVED

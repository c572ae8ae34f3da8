"""現用のモデル: which model judges, by the approvals of two people; and the one step back (crosscutting).

Without any promotion every judgement learns on its own day. A promoted model (*champion*) judges until another is
promoted, it is rolled back or withdrawn; then the one promoted before judges again, if its approvals still stand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from kodomo.configuration import Home
from kodomo.errors import StaffError
from kodomo.governance import approvals
from kodomo.governance.approvals import APPROVERS, Act, Matter, Person, Standing, State, Step


def champion(home: Home) -> str | None:
    """The model that judges now; None where every judgement learns on its own day."""
    standing = promoted(approvals.history(home, Matter.MODEL))
    return standing[-1] if standing else None


def promoted(acts: Iterable[Act]) -> list[str]:
    """Models that two different people approved and nobody took back, in the order of their promotion."""
    counting: dict[str, set[str]] = {}
    order: list[str] = []
    for act in acts:
        names = counting.setdefault(act.version, set())
        if act.step is Step.APPROVE:
            names.add(act.by.sameness)
            if len(names) == APPROVERS:
                order.append(act.version)
        elif act.step in (Step.WITHDRAW, Step.ROLL_BACK):
            names.clear()
            order = [version for version in order if version != act.version]
    return order


def promote(
    home: Home, version: str, *, by: Person, reason: str, at: dt.datetime, detail: dict[str, Any] | None = None
) -> Standing:
    """Approve a model; with the second different person it judges. The first approval proposes it too.

    Args:
        detail: what the approver looked at: the digest of the comparison, for instance.

    Raises:
        NotPermitted: the role may not approve, or the person did already.
        StaffError: it is promoted already.
    """
    now = approvals.standing(home, Matter.MODEL, version)
    if now.state is State.APPROVED:
        raise StaffError("このモデルは、もう承認されています。", where=f"モデル {version}")
    if now.state is not State.PROPOSED:
        approvals.check_person(Step.APPROVE, by, reason)
        approvals.propose(home, Matter.MODEL, version, by=by, reason=reason, at=at, detail=detail)
    return approvals.approve(home, Matter.MODEL, version, by=by, reason=reason, at=at, detail=detail)


def roll_back(home: Home, *, by: Person, reason: str, at: dt.datetime) -> tuple[str, str | None]:
    """Take the model that judges out of use; one person suffices.

    Returns:
        The model taken back, and the one that judges now (None: every judgement learns on its own day).

    Raises:
        StaffError: no model was promoted.
    """
    now = champion(home)
    if now is None:
        raise StaffError(
            "昇格したモデルがないので、戻すものがありません。", then="kodomo models status で確かめてください。"
        )

    def check(acts: list[Act]) -> None:
        if promoted(acts)[-1:] != [now]:
            raise StaffError(
                "ほかの人が先に、使うモデルを変えました。", then="kodomo models status で確かめてください。"
            )

    approvals.enter(home, Matter.MODEL, now, Step.ROLL_BACK, by=by, reason=reason, at=at, check=check)
    return now, champion(home)

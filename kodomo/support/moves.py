"""Which state of a plan and of a package follows which, by what (casework side)."""

from __future__ import annotations

from kodomo.assessment.moves import TIME, Move
from kodomo.governance.permissions import Action
from kodomo.support.words import PackageStep, Verdict
from kodomo.terms import LabelledEnum


class PlanState(LabelledEnum):
    """支援計画の状態: of one revision."""

    CURRENT = "CURRENT", "実施中"
    LATE = "LATE", "見直す日を過ぎた"
    REPLACED = "REPLACED", "前の版"


class PackageState(LabelledEnum):
    """受け渡し票の状態."""

    WAITING = "WAITING", "承認を待つ"
    REFUSED = "REFUSED", "差し戻された"
    READY = "READY", "渡せる"
    HANDED = "HANDED", "渡した"
    LATE = "LATE", "未返送"
    REPLIED = "REPLIED", "回答あり"
    EXPIRED = "EXPIRED", "期限切れ・廃棄を確かめる"
    DESTROYED = "DESTROYED", "廃棄済み"


PLAN_MOVES = (
    Move("", Action.WRITE_PLAN, PlanState.CURRENT),
    Move(PlanState.CURRENT, TIME, PlanState.LATE),
    Move(PlanState.CURRENT, Action.WRITE_PLAN, PlanState.REPLACED),
    Move(PlanState.LATE, Action.WRITE_PLAN, PlanState.REPLACED),
)

_OUT = (PackageState.READY, PackageState.HANDED, PackageState.LATE)
IN_FORCE = (*_OUT, PackageState.REPLIED)
"""States in which its paper and its file may be made, again too."""

PACKAGE_MOVES = (
    Move("", Action.MAKE_PACKAGE, PackageState.READY),
    Move("", f"{Action.MAKE_PACKAGE.label}(支援措置あり・不明)", PackageState.WAITING),
    Move(PackageState.WAITING, Verdict.APPROVED.label, PackageState.READY),
    Move(PackageState.WAITING, Verdict.REFUSED.label, PackageState.REFUSED),
    Move(PackageState.READY, PackageStep.HANDED.label, PackageState.HANDED),
    Move(PackageState.HANDED, TIME, PackageState.LATE),
    *(Move(state, Action.RECEIVE_REPLY, PackageState.REPLIED) for state in _OUT),
    *(Move(state, TIME, PackageState.EXPIRED) for state in IN_FORCE),
    *(Move(state, PackageStep.DESTROYED.label, PackageState.DESTROYED)
      for state in (*IN_FORCE, PackageState.EXPIRED, PackageState.REFUSED)),
)  # fmt: skip

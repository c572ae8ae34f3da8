"""Which state follows which, by what: the tables that writes are held to and that diagrams are drawn from (casework side)."""

from __future__ import annotations

from dataclasses import dataclass

from kodomo.assessment.states import ENDED_STATES, WORKED_STATES, CaseState
from kodomo.errors import IntegrityFault
from kodomo.governance.permissions import Action
from kodomo.terms import Decision, LabelledEnum

ARRIVAL = "判定が届く"
"""No person's act: ``receive_arrivals``."""

TIME = "日が過ぎる"
"""Nobody's act."""


@dataclass(frozen=True)
class Move:
    """From one state to another. ``before`` is empty where something begins; ``by`` is an action, or words for it."""

    before: str
    by: str
    after: str

    @property
    def words(self) -> str:
        """What people call it."""
        return Action(self.by).label if self.by in set(Action) else self.by


class InquiryState(LabelledEnum):
    """調査の状態."""

    WAITING = "WAITING", "回答待ち"
    LATE = "LATE", "回答待ち・超過"
    ANSWERED = "ANSWERED", "回答あり"


class ItemState(LabelledEnum):
    """議事の状態: of one case before one meeting."""

    CALLED = "CALLED", "所見を待つ"
    QUORATE = "QUORATE", "決定を待つ"
    DECIDED = "DECIDED", "決定済み"
    CALLED_OFF = "CALLED_OFF", "取りやめ"


_OPEN = tuple(state for state in CaseState if state is not CaseState.CLOSED)

CASE_MOVES: tuple[Move, ...] = (
    Move("", ARRIVAL, CaseState.ARRIVED),
    Move("", Action.OPEN_CASE, CaseState.ARRIVED),
    *(Move(before, Action.DECIDE, decision) for before in _OPEN for decision in Decision),
    # Nothing comes before a meeting that nobody has assessed.
    *(Move(before, Action.HOLD_CONFERENCE, decision) for before in _OPEN[1:] for decision in Decision),
    *(Move(before, Action.CLOSE_CASE, CaseState.CLOSED) for before in WORKED_STATES),
    Move(CaseState.CLOSED, Action.REOPEN_CASE, CaseState.RETURNED),
    *(Move(before, by, CaseState.RETURNED) for by in (ARRIVAL, Action.OPEN_CASE) for before in ENDED_STATES),
)
"""Every move of a case. A write that would move it otherwise is undone."""

INQUIRY_MOVES = (
    Move("", Action.ASK_INQUIRY, InquiryState.WAITING),
    Move(InquiryState.WAITING, TIME, InquiryState.LATE),
    Move(InquiryState.WAITING, Action.ANSWER_INQUIRY, InquiryState.ANSWERED),
    Move(InquiryState.LATE, Action.ANSWER_INQUIRY, InquiryState.ANSWERED),
    Move(InquiryState.ANSWERED, Action.ANSWER_INQUIRY, InquiryState.ANSWERED),
)

ITEM_MOVES = (
    Move("", Action.HOLD_CONFERENCE, ItemState.CALLED),
    Move(ItemState.CALLED, Action.WRITE_MEMBER_VIEW, ItemState.CALLED),
    Move(ItemState.CALLED, Action.WRITE_MEMBER_VIEW, ItemState.QUORATE),
    Move(ItemState.QUORATE, Action.WRITE_MEMBER_VIEW, ItemState.QUORATE),
    Move(ItemState.QUORATE, Action.HOLD_CONFERENCE, ItemState.DECIDED),
    Move(ItemState.CALLED, Action.HOLD_CONFERENCE, ItemState.CALLED_OFF),
    Move(ItemState.QUORATE, Action.HOLD_CONFERENCE, ItemState.CALLED_OFF),
)


def check_move(before: str, by: str, after: str) -> None:
    """A case moves only as the table says; staying where it is is no move.

    Raises:
        IntegrityFault: a fault of the product. Nothing is saved.
    """
    if before != after and Move(before, by, after) not in CASE_MOVES:
        raise IntegrityFault(
            "事例の状態の移り方が決まりと合わないため、保存しませんでした。",
            where=f"{before} → {after}({by})",
            then="製品の不具合です。システム管理者に伝えてください。",
        )

"""What is possible in supporting a case: rules in pairs, ``check_…`` refuses and ``can_…`` answers (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from kodomo.assessment.models import Case
from kodomo.assessment.policies import NotAcceptable, check_day_to_come, check_is_open, check_text
from kodomo.assessment.states import WORKED_STATES, CaseState
from kodomo.support.models import Goal, Plan
from kodomo.support.moves import PlanState
from kodomo.support.words import (
    CLOSING_REASONS,
    NEEDS_TEXT,
    ContactKind,
    ContactResult,
    OutcomeScale,
    Service,
)

MOST_GOALS = 4
"""More goals at a time are none."""


def current_plan(case: Case) -> Plan | None:
    """The plan that counts."""
    return case.plans.prefetch_related("goals__outcomes").last()


def state_of_plan(plan: Plan, today: dt.date) -> PlanState:
    """Whether a revision counts, and whether its day of review has passed."""
    if plan.case.plans.filter(revision__gt=plan.revision).exists():
        return PlanState.REPLACED
    return PlanState.LATE if plan.review_on < today else PlanState.CURRENT


def can_plan(case: Case) -> bool:
    """A plan is written for a case that somebody decided to support."""
    return case.state == CaseState.SUPPORT


def check_can_plan(case: Case) -> None:
    """Refuses when ``can_plan`` says no."""
    if not can_plan(case):
        raise too_early(case, "支援計画は、「支援する」と判断した事例に書きます。")


def check_plan(
    *,
    policy: str,
    family_words: str,
    starts_on: dt.date | None,
    review_on: dt.date | None,
    goals: Sequence[Mapping[str, str]],
    offices: Collection[str],
    today: dt.date,
) -> dt.date:
    """A plan has a policy, one to four goals with service and office, and a day of review to come; gives the day."""
    check_text(policy, "支援方針", required=True)
    check_text(family_words, "本人・家庭の希望", required=False)
    if not 1 <= len(goals) <= MOST_GOALS:
        raise NotAcceptable(f"目標は1つから{MOST_GOALS}つまでです。", then="いま取り組むことに絞ってください。")
    for goal in goals:
        check_text(goal["text"], "目標", required=True)
        if goal["service"] not in set(Service) or goal["office"] not in offices:
            raise NotAcceptable("目標ごとに、支援の内容と受け持つ部署を選んでください。")
    if starts_on is None:
        raise NotAcceptable("「始める日」が入っていません。", then="日付を入れてください。")
    return check_day_to_come(review_on, "見直す日", max(today, starts_on))


def can_record_contact(case: Case) -> bool:
    """Contacts belong to a case that somebody works on."""
    return case.state in WORKED_STATES


def check_can_record_contact(case: Case) -> None:
    """Refuses when ``can_record_contact`` says no."""
    if not can_record_contact(case):
        raise too_early(case, "接触の記録は、支援・調査・見守りの事例に書きます。")


def check_contact(
    case: Case,
    *,
    kind: str,
    met_on: dt.date | None,
    result: str,
    text: str,
    next_on: dt.date | None,
    today: dt.date,
) -> dt.date:
    """A contact has been, says what came of it, and leaves a next date to come; gives the day of the contact."""
    check_can_record_contact(case)
    if kind not in set(ContactKind) or result not in set(ContactResult):
        raise NotAcceptable("方法と結果を選んでください。")
    check_text(text, "様子", required=True)
    if met_on is None or met_on > today:
        raise NotAcceptable("接触の日は、今日までの日にしてください。", then="日付を直してください。")
    check_day_to_come(next_on, "次回確認日", today)
    return met_on


def check_outcome(case: Case, goal: int, *, scale: str, seen_on: dt.date | None, text: str, today: dt.date) -> Goal:
    """An outcome is of a goal of the plan that counts, seen on a day that has been; gives the goal."""
    check_is_open(case)
    plan = current_plan(case)
    found = plan.goals.filter(pk=goal).first() if plan else None
    if found is None:
        raise NotAcceptable("いまの支援計画の目標ではありません。", then="支援の画面を開き直してください。")
    if scale not in set(OutcomeScale):
        raise NotAcceptable("結果を選んでください。")
    if seen_on is None or seen_on > today:
        raise NotAcceptable("確かめた日は、今日までの日にしてください。", then="日付を直してください。")
    check_text(text, "説明", required=False)
    return found


def words_of_goal(case: Case, goal: int) -> str:
    """What a goal of the current plan says; empty for any other."""
    plan = current_plan(case)
    found = plan.goals.filter(pk=goal).first() if plan else None
    return f"目標{found.number}: {found.text}" if found else ""


def can_close(case: Case) -> bool:
    """A case that somebody works on can be closed."""
    return case.state in WORKED_STATES


def check_can_close(case: Case) -> None:
    """Refuses when ``can_close`` says no."""
    if not can_close(case):
        raise too_early(case, "終結できるのは、支援・調査・見守りの事例です。")


def check_closing(case: Case, reason_code: str, text: str) -> None:
    """A case is closed with a reason; when there is a plan, only after every goal has an outcome."""
    check_can_close(case)
    if reason_code not in CLOSING_REASONS:
        raise NotAcceptable("終結の理由が選ばれていません。", then="一つ選んでください。")
    check_text(text, "説明", required=reason_code in NEEDS_TEXT)
    plan = current_plan(case)
    if any(not package.is_settled for package in case.packages.prefetch_related("events")):
        raise NotAcceptable(
            "廃棄を確かめていない受け渡し票があります。",
            then="受け渡し先に廃棄を頼み、記録してください。移管のときは、受け入れの回答を取り込んでください。",
        )
    if plan and any(not goal.outcomes.all() for goal in plan.goals.all()):
        raise NotAcceptable("結果の書かれていない目標があります。", then="目標ごとに結果を書いてから終結してください。")


def can_reopen(case: Case) -> bool:
    """Only what was closed is reopened."""
    return case.state == CaseState.CLOSED


def check_can_reopen(case: Case) -> None:
    """Refuses when ``can_reopen`` says no."""
    if not can_reopen(case):
        raise too_early(case, "終結していない事例です。")


def check_reopening(case: Case, text: str) -> None:
    """A closed case is reopened with words."""
    check_can_reopen(case)
    check_text(text, "再開の理由", required=True)


def check_transfer(case: Case, to_office: str, text: str, receiving: Collection[str]) -> None:
    """A case goes to another office that takes cases, with words for whoever takes over."""
    if to_office not in receiving or to_office == case.office:
        raise NotAcceptable("移管先を選んでください。", then="事例を受け持つ、ほかの部署を選んでください。")
    check_text(text, "引き継ぐこと", required=True)


def too_early(case: Case, what: str) -> NotAcceptable:
    """A refusal of what the case is not ready for."""
    return NotAcceptable(what, where=f"事例 {case.case_number}", then="個票で、いまの状態を確かめてください。")

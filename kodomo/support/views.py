"""Pages of the support of one case; each showing leaves its audit row first (casework side)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.assessment.actions import local_day
from kodomo.assessment.dates import long_date
from kodomo.assessment.form_page import FormPage, answer, opened_case
from kodomo.assessment.lawful import lawful_at
from kodomo.assessment.models import Case
from kodomo.assessment.policies import check_is_open
from kodomo.assessment.states import CaseState
from kodomo.governance.permissions import Action, Actor, can
from kodomo.support import actions, package_policies, policies
from kodomo.support.forms import CloseForm, ContactForm, OutcomeForm, PlanForm, ReopenForm, TransferForm
from kodomo.support.models import Outcome
from kodomo.support.moves import IN_FORCE
from kodomo.support.protection import why_unknown
from kodomo.support.words import CLOSING_REASONS

PAST_DAY = "今日までの日。例: 2026-11-20、令和8年11月20日"
COMING_DAY = "明日から1年以内。例: 2026-12-10、令和8年12月10日"


def _last_plan(case: Case, actor: Actor) -> Mapping[str, Any]:
    """A further revision begins where the last one stands."""
    plan = policies.current_plan(case)
    if plan is None:
        return {"office_1": case.office}
    goals: dict[str, Any] = {}
    for goal in plan.goals.all():
        goals |= {f"{name}_{goal.number}": getattr(goal, name) for name in ("text", "service", "office")}
    plain = {name: getattr(plan, name) for name in ("policy", "family_words", "starts_on", "review_on")}
    return {**plain, **goals}


def _signed(row: Any) -> dict[str, str]:
    return {"書いた人": f"{row.written_by_name} {long_date(local_day(row.written_at))}"}


def _newest_plan(case: Case) -> Mapping[str, Any]:
    plan = policies.current_plan(case)
    if plan is None:
        return {}
    goals = "\n".join(f"目標{goal.number} {goal.text}" for goal in plan.goals.all())
    return {"支援方針": plan.policy, "目標": goals, "見直す日": long_date(plan.review_on), **_signed(plan)}


def _newest_contact(case: Case) -> Mapping[str, Any]:
    one = case.contacts.last()
    if one is None:
        return {}
    return {"方法": one.get_kind_display(), "日": long_date(one.met_on), "結果": one.get_result_display(),
            "様子": one.text, "次回確認日": long_date(one.next_on), **_signed(one)}  # fmt: skip


def _newest_outcome(case: Case) -> Mapping[str, Any]:
    one = Outcome.objects.filter(goal__plan__case=case).select_related("goal").last()
    if one is None:
        return {}
    return {"目標": f"目標{one.goal.number} {one.goal.text}", "結果": one.get_scale_display(),
            "確かめた日": long_date(one.seen_on), "説明": one.text, **_signed(one)}  # fmt: skip


PLAN = FormPage(
    opens_as="OPEN_PLAN", title="支援計画を書く", button="支援計画を保存する", form=PlanForm, act=actions.write_plan,
    leads_to="support", check=policies.check_can_plan, initial=_last_plan, newest=_newest_plan,
    note="目標は、いま取り組むことに絞って4つまで。書き直すと新しい版になり、前の版は残ります。",
    helps={"review_on": COMING_DAY, "starts_on": "例: 2026-12-01、令和8年12月1日",
           "family_words": "断られたことも、そのまま書いてください"},
)  # fmt: skip
CONTACT = FormPage(
    opens_as="OPEN_CONTACT", title="訪問・面談・電話を記録する", button="記録する", form=ContactForm,
    act=actions.record_contact, leads_to="support", check=policies.check_can_record_contact, newest=_newest_contact,
    note="断られたことも大切な結果です。次に確かめる日を必ず決めてください。",
    helps={"met_on": PAST_DAY, "next_on": COMING_DAY, "text": "見たこと・聞いたこと。考えたことは分けて書く"},
)  # fmt: skip
OUTCOME = FormPage(
    opens_as="OPEN_OUTCOME", title="目標の結果を記録する", button="結果を記録する", form=OutcomeForm,
    act=actions.record_outcome, leads_to="support", newest=_newest_outcome, check=check_is_open, about=policies.words_of_goal, helps={"seen_on": PAST_DAY},
)  # fmt: skip
CLOSE = FormPage(
    opens_as="OPEN_CLOSE", title="終結する", button="終結する", form=CloseForm, act=actions.close_case,
    leads_to="support", check=policies.check_can_close,
    note="支援計画のある事例は、すべての目標に結果を書いてから終結します。後の判定で可能性が上がったときは、再燃として戻ります。",
    helps={"text": "「支援を望まず」と「その他」のときは必ず書いてください"},
)  # fmt: skip
REOPEN = FormPage(
    opens_as="OPEN_REOPEN", title="再開する", button="再開する", form=ReopenForm, act=actions.reopen_case,
    leads_to="case", check=policies.check_can_reopen, note="再開すると「再燃(再確認)」になり、支援要否の判断を待ちます。",
)  # fmt: skip
TRANSFER = FormPage(
    opens_as="OPEN_TRANSFER", title="ほかの部署へ移管する", button="移管する", form=TransferForm,
    act=actions.transfer_case, leads_to="caseload", stays=False,
    note="移管すると、この事例はあなたの部署の一覧から消え、移管先の一覧に入ります。主担当は移管先で決めます。",
    helps={"text": "約束したこと、次にすること、気を付けること"},
)  # fmt: skip


@require_safe
def support(request: Any, case_number: str) -> HttpResponse:
    """支援の記録: plan, contacts, outcomes, and how the case ended."""
    found = opened_case(request, case_number, Action.VIEW_SUPPORT)
    today, current = local_day(request.at), policies.current_plan(found)
    lawful = lawful_at(request.at)
    context = {
        "case": found,
        "lawful": lawful,
        "today": today,
        "plan": current,
        "plan_state": policies.state_of_plan(current, today) if current else None,
        "earlier": list(found.plans.prefetch_related("goals"))[:-1][::-1],
        "contacts": found.contacts.order_by("-met_on", "-pk"),
        "closures": [(c, CLOSING_REASONS.get(c.reason_code, c.reason_code)) for c in found.closures.all()],
        "reopenings": found.reopenings.all(),
        "transfers": found.transfers.all(),
        "openings": found.openings.all(),
        "takeovers": found.takeovers.all(),
        "why_unknown": lambda: why_unknown(lawful),  # asked only where a package waits
        "in_force": IN_FORCE,
        "packages": [
            (one, package_policies.state_of(one, today), package_policies.may_be_answered(one))
            for one in found.packages.select_related("case").prefetch_related("events", "approvals")
        ],
        **_possible(found, request),
    }
    return render(request, "support/support.html", context)


def _possible(case: Case, request: Any) -> dict[str, bool]:
    own, role = case.office == request.actor.office, request.actor.role

    def may(action: Action, is_possible: bool) -> bool:
        return is_possible and can(role, action, own_office=own)

    return {
        "may_plan": may(Action.WRITE_PLAN, policies.can_plan(case)),
        "may_contact": may(Action.RECORD_CONTACT, policies.can_record_contact(case)),
        "may_record_outcome": may(Action.RECORD_OUTCOME, case.state != CaseState.CLOSED),
        "may_package": may(Action.MAKE_PACKAGE, package_policies.can_package(case)),
        "may_approve": may(Action.APPROVE_PACKAGE, True),
        "may_record_package": may(Action.MAKE_PACKAGE, True),
        "may_close": may(Action.CLOSE_CASE, policies.can_close(case)),
        "may_reopen": may(Action.REOPEN_CASE, policies.can_reopen(case)),
        "may_transfer": may(Action.TRANSFER_CASE, True),
    }


@require_http_methods(["GET", "POST"])
def plan(request: Any, case_number: str) -> HttpResponse:
    """支援計画."""
    return answer(request, case_number, PLAN)


@require_http_methods(["GET", "POST"])
def contact(request: Any, case_number: str) -> HttpResponse:
    """訪問・面談・電話."""
    return answer(request, case_number, CONTACT)


@require_http_methods(["GET", "POST"])
def outcome(request: Any, case_number: str, goal: int) -> HttpResponse:
    """目標の結果."""
    return answer(request, case_number, OUTCOME, goal=goal)


@require_http_methods(["GET", "POST"])
def close(request: Any, case_number: str) -> HttpResponse:
    """終結."""
    return answer(request, case_number, CLOSE)


@require_http_methods(["GET", "POST"])
def reopen(request: Any, case_number: str) -> HttpResponse:
    """再開."""
    return answer(request, case_number, REOPEN)


@require_http_methods(["GET", "POST"])
def transfer(request: Any, case_number: str) -> HttpResponse:
    """移管."""
    own_office = get_object_or_404(Case, case_number=case_number).office
    return answer(request, case_number, replace(TRANSFER, options=lambda **more: {"own_office": own_office}))

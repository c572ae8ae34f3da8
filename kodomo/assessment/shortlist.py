"""The shortlist (一次絞り込み): cases by filters, masked, in a chosen order (casework side)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from kodomo.assessment.models import Case, CaseLevel
from kodomo.assessment.states import WAITING_STATES
from kodomo.governance.permissions import Action, Actor, Scope, scope
from kodomo.terms import LabelledEnum, Level

PAGE_SIZE = 50


class Order(LabelledEnum):
    """並び順."""

    WAITING = "WAITING", "必ず確認・受理の順"
    GRADE = "GRADE", "学年の順"
    NEXT = "NEXT", "次回確認日の順"
    NUMBER = "NUMBER", "仮番号の順"


class Support(LabelledEnum):
    """支援・相談につながっているか."""

    CONNECTED = "CONNECTED", "つながっている"
    UNCONNECTED = "UNCONNECTED", "支援未接続"


@dataclass(frozen=True)
class Filters:
    """絞り込みの条件. An empty value means every case."""

    type: str = ""
    level: str = ""
    age_band: str = ""
    office: str = ""
    state: str = ""
    support: str = ""
    unregistered: bool = False
    insufficient: bool = False
    moved_in: bool = False
    escalated: bool = False
    nobody_knows: bool = False
    waiting: bool = False
    overdue: bool = False
    order: str = Order.WAITING

    def chosen(self) -> dict[str, object]:
        """The conditions that narrow the list, for the audit row and the export's heading."""
        return {name: value for name, value in vars(self).items() if value and name != "order"}


def visible_cases(actor: Actor) -> QuerySet[Case]:
    """The cases a person may list: every office's, their own office's, or none."""
    reach = scope(actor.role, Action.VIEW_SHORTLIST)
    if reach is None:
        return Case.objects.none()
    return Case.objects.all() if reach is Scope.EVERY_OFFICE else Case.objects.filter(office=actor.office)


def shortlisted(actor: Actor, filters: Filters, today: dt.date) -> QuerySet[Case]:
    """The visible cases that fit the filters, in order."""
    cases = visible_cases(actor)
    exact = {name: getattr(filters, name) for name in ("age_band", "office", "state") if getattr(filters, name)}
    cases = cases.filter(*_wanted(filters), **exact)
    if filters.type or filters.level:
        cases = cases.filter(Exists(_levels(filters)))
    if filters.overdue:
        cases = cases.filter(next_on__lt=today)
    return cases.order_by(*_ORDERS[Order(filters.order)])


def _wanted(filters: Filters) -> list[Q]:
    """Each condition by itself: two that contradict each other give an empty list, not one of them."""
    conditions = {
        Q(is_known_to_support=filters.support == Support.CONNECTED): bool(filters.support),
        Q(is_council_registered=False): filters.unregistered,
        Q(is_insufficient=True): filters.insufficient,
        Q(moved_in_within_year=True): filters.moved_in,
        Q(has_escalation=True): filters.escalated,
        Q(is_known_to_support=False, is_council_registered=False): filters.nobody_knows,
        Q(state__in=WAITING_STATES): filters.waiting,
    }
    return [condition for condition, is_asked in conditions.items() if is_asked]


def _levels(filters: Filters) -> QuerySet[CaseLevel]:
    """Of a type without a level: whatever brings it onto the list, a fact that must be seen included."""
    rows = CaseLevel.objects.filter(case=OuterRef("pk"), is_current=True)
    if filters.type:
        rows = rows.filter(type=filters.type)
    if filters.level:
        return rows.filter(level=filters.level)
    return rows.filter(Q(level__in=(Level.HIGH, Level.MIDDLE)) | ~Q(escalation=""))


_ORDERS: dict[Order, tuple[Any, ...]] = {
    Order.WAITING: (F("has_escalation").desc(), "arrived_at", "pk"),
    Order.GRADE: ("school_grade", "age_band", "pk"),
    Order.NEXT: (F("next_on").asc(nulls_last=True), "pk"),
    Order.NUMBER: ("case_number",),
}

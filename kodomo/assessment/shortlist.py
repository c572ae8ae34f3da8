"""The shortlist (一次絞り込み): cases by filters, masked, in a chosen order (casework side)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery

from kodomo.assessment.interests import cases_of_interest
from kodomo.assessment.lawful import Lawful
from kodomo.assessment.models import Case, CaseLevel, named_areas
from kodomo.assessment.policies import sees_levels_at_once, views_that_open_levels
from kodomo.assessment.protected import protected_now
from kodomo.assessment.states import FOLLOWED_STATES, WAITING_STATES
from kodomo.governance.permissions import Action, Actor, Scope, scope
from kodomo.terms import OVERALL, LabelledEnum, Level

PAGE_SIZE = 50

RAISED_LEVELS = (Level.HIGH, Level.MIDDLE, Level.WITHHELD)
"""Levels that bring a case onto the list of a type."""


class Order(LabelledEnum):
    """並び順."""

    WAITING = "WAITING", "必ず確認・受理の順"
    GRADE = "GRADE", "学年の順"
    NEXT = "NEXT", "次回確認日の順"
    NUMBER = "NUMBER", "仮番号の順"
    PLACE = "PLACE", "総合の確認の順"


class Reach(LabelledEnum):
    """範囲: how much of what arrived is listed."""

    REVIEW = (
        "REVIEW",
        "総合で確認する候補",
        "人が確かめられる件数まで。必ず確認する事実がある事例と、対応中の事例を含む",
    )
    ALL = "ALL", "届いたすべて", "どれか一つの類型だけで挙がった事例と、情報不足の事例も"


class Support(LabelledEnum):
    """支援・相談につながっているか."""

    CONNECTED = "CONNECTED", "つながっている"
    UNCONNECTED = "UNCONNECTED", "支援未接続"


class Hands(LabelledEnum):
    """主担当."""

    MINE = "MINE", "わたし"
    NOBODY = "NOBODY", "決まっていない"


@dataclass(frozen=True)
class Filters:
    """絞り込みの条件. An empty value means every case."""

    reach: str = Reach.REVIEW
    type: str = ""
    level: str = ""
    age_band: str = ""
    office: str = ""
    area: str = ""
    state: str = ""
    support: str = ""
    unregistered: bool = False
    insufficient: bool = False
    moved_in: bool = False
    escalated: bool = False
    nobody_knows: bool = False
    changed: bool = False
    caseworker: str = ""
    waiting: bool = False
    overdue: bool = False
    order: str = Order.WAITING

    def chosen(self) -> dict[str, object]:
        """The conditions that narrow the list, for the audit row and the export's heading."""
        return {name: value for name, value in vars(self).items() if value and name != "order"}

    @property
    def is_at_capacity(self) -> bool:
        """Whether the list keeps to 総合. Who asks for a type, a level or 情報不足 asks for something else."""
        return self.reach != Reach.ALL and not (self.type or self.level or self.insufficient)

    @property
    def widened(self) -> Filters:
        """The same conditions over everything that arrived."""
        return replace(self, reach=Reach.ALL)


def visible_cases(actor: Actor) -> QuerySet[Case]:
    """The cases a person may list: every office's, their own office's, or none; never one they have an interest in."""
    reach = scope(actor.role, Action.VIEW_SHORTLIST)
    if reach is None:
        return Case.objects.none()
    cases = Case.objects.exclude(pk__in=cases_of_interest(actor.username).values("pk"))
    return cases if reach is Scope.EVERY_OFFICE else cases.filter(office=actor.office)


def shortlisted(actor: Actor, filters: Filters, lawful: Lawful) -> QuerySet[Case]:
    """The visible cases that fit the filters, in order; each says as ``must_see`` whether some fact must be seen.

    No condition answers what the reader may not see: a level is matched only in cases whose levels this
    person may see already, and a flag whose items have no basis today is not asked for.
    """
    cases = with_must_see(visible_cases(actor), lawful)
    exact = {name: getattr(filters, name) for name in ("age_band", "office", "state") if getattr(filters, name)}
    cases = cases.filter(*_wanted(filters, lawful), **exact)
    if filters.is_at_capacity:
        cases = cases.filter(_listed(OVERALL, lawful) | Q(must_see=True) | Q(state__in=FOLLOWED_STATES))
    if filters.level:
        cases = cases.filter(pk__in=_at_level(filters, actor).values("case"))
    elif filters.type:
        cases = cases.filter(_listed(filters.type, lawful))
    if filters.area:
        # A protected family's case has no area: it is found by none. Nor is one protected since its judgement.
        hidden = protected_now(settings.HOME) & set(cases.values_list("child_key", flat=True))
        cases = cases.exclude(child_key__in=hidden).filter(
            area_code__in=[code for code, name in named_areas().items() if name == filters.area]
        )
    if filters.caseworker:
        cases = cases.filter(caseworker=actor.username if filters.caseworker == Hands.MINE else "")
    if filters.overdue:
        cases = cases.filter(next_on__lt=lawful.today)
    return _ordered(cases, Order(filters.order), actor)


def with_must_see(cases: QuerySet[Case], lawful: Lawful) -> QuerySet[Case]:
    """The cases with ``must_see``: whether a fact that may be told today must be seen, whatever the score."""
    such = _current().filter(_escalated(lawful)).values("case")
    return cases.annotate(must_see=ExpressionWrapper(Q(pk__in=such), BooleanField()))


def _wanted(filters: Filters, lawful: Lawful) -> list[Q]:
    """Each condition by itself: two that contradict each other give an empty list, not one of them."""
    council, known = lawful.may_tell_council, lawful.may_tell_known
    conditions = {
        Q(is_known_to_support=filters.support == Support.CONNECTED): bool(filters.support) and known,
        Q(is_council_registered=False): filters.unregistered and council,
        Q(is_insufficient=True): filters.insufficient,
        Q(moved_in_within_year=True): filters.moved_in and lawful.may_tell_moved_in,
        Q(must_see=True): filters.escalated,
        Q(is_known_to_support=False, is_council_registered=False, is_met_by_agency=False): filters.nobody_knows
        and lawful.may_tell_nobody,
        Q(has_changed=True): filters.changed,
        Q(state__in=WAITING_STATES): filters.waiting,
    }
    return [condition for condition, is_asked in conditions.items() if is_asked]


def _current() -> QuerySet[CaseLevel]:
    """The levels of now, of all cases: asked for once as a list of cases, not anew for each case."""
    return CaseLevel.objects.filter(is_current=True).order_by()


def _escalated(lawful: Lawful) -> Q:
    first = Q(escalation__gt="") & ~Q(escalation__in=sorted(lawful.withheld_escalations))
    return first | Q(pk__in=sorted(lawful.otherwise_escalated))


def _listed(kind: str, lawful: Lawful) -> Q:
    """Whatever of a type brings a case onto the list, a fact that must be seen and a draw included."""
    rows = _current().filter(type=kind)
    raised, such = rows.filter(level__in=RAISED_LEVELS), rows.filter(_escalated(lawful))
    return Q(pk__in=raised.values("case")) | Q(pk__in=such.values("case"))


def _at_level(filters: Filters, actor: Actor) -> QuerySet[CaseLevel]:
    """At a level, of the type or of any. Asked before the first view, the answer would be the level itself."""
    rows = _current().filter(level=filters.level)
    if filters.type:
        rows = rows.filter(type=filters.type)
    if not sees_levels_at_once(actor):
        rows = rows.filter(Exists(views_that_open_levels(actor).filter(case=OuterRef("case"))))
    return rows


def _ordered(cases: QuerySet[Case], order: Order, actor: Actor) -> QuerySet[Case]:
    """In a chosen order. The order of places would tell an assessor what the levels hide."""
    if order is Order.PLACE and sees_levels_at_once(actor):
        place = Subquery(_current().filter(case=OuterRef("pk"), type=OVERALL).values("place")[:1])
        return cases.annotate(place=place).order_by(F("place").asc(nulls_last=True), "pk")
    return cases.order_by(*_ORDERS.get(order, _ORDERS[Order.WAITING]))


_ORDERS: dict[Order, tuple[Any, ...]] = {
    Order.WAITING: (F("must_see").desc(), "arrived_at", "pk"),
    Order.GRADE: ("school_grade", "age_band", "pk"),
    Order.NEXT: (F("next_on").asc(nulls_last=True), "pk"),
    Order.NUMBER: ("case_number",),
}

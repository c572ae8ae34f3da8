"""取組の効果: how many children pass from the list to help, and what came of it, with small counts hidden (casework side)."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Min
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.assessment.models import Arrival, Assessment, Case, CaseLevel
from kodomo.governance.permissions import Action
from kodomo.governance.suppression import SUPPRESSED_MARK, Suppression
from kodomo.support.comparison import compared
from kodomo.support.funnel_chart import funnel_chart
from kodomo.support.models import Contact, Goal, Outcome
from kodomo.support.words import GOOD, MET, ContactResult, Service
from kodomo.terms import OVERALL, Decision, Level, difficulty_label

STEPS = (
    ("listed", "候補に挙がった"),
    ("assessed", "人が確かめた"),
    ("supported", "支援すると判断した"),
    ("met", "会えた"),
    ("accepted", "支援を受け入れた"),
    ("better", "達成した・よくなっている"),
)
"""The funnel. Each step counts children, and only those of the step before."""

SERVICE_STEPS = (
    ("planned", "計画した"),
    ("met", "会えた"),
    ("accepted", "支援を受け入れた"),
    ("better", "その目標が達成・よくなっている"),
)
"""The funnel of one kind of support."""


@dataclass(frozen=True)
class Funnel:
    """One line of the funnel as it may be shown: counts in words, and the width of a bar in per cent."""

    label: str
    counts: tuple[str, ...]
    widths: tuple[int, ...]


@require_safe
def effect(request: Any) -> HttpResponse:
    """One page a mayor can read. No child is on it; looking at it leaves a row all the same."""
    rule = Suppression(settings.MUNICIPALITY.suppression_threshold, settings.MUNICIPALITY.rounding_base)
    reached = _children_by_step()
    funnels, steps = _funnels(reached, rule), [words for _, words in STEPS]
    context = {
        "steps": steps,
        "funnels": funnels,
        "chart": funnel_chart(
            list(zip(steps, funnels[0].counts, funnels[0].widths, strict=True)), "届いた事例がどこまで進んだか"
        ),
        "offices": _offices(reached, rule),
        "service_steps": [words for _, words in SERVICE_STEPS],
        "services": _services(rule),
        "days": _days_to_first_contact(rule),
        "compared": compared(rule),
        "arrival": Arrival.objects.last(),
        "number": trail.record_first(trail.event_of(request.actor, Action.VIEW_EFFECT), request.at),
        "threshold": rule.threshold,
        "base": rule.base,
    }
    return render(request, "support/effect.html", context)


def _children_by_step() -> dict[str, set[int]]:
    """Keys of the cases that got as far as each step."""
    assessed = set(Assessment.objects.values_list("case_id", flat=True))
    supported = set(Assessment.objects.filter(decision=Decision.SUPPORT).values_list("case_id", flat=True))
    met = set(Contact.objects.filter(result__in=MET).values_list("case_id", flat=True)) & supported
    accepted = set(Contact.objects.filter(result=ContactResult.ACCEPTED).values_list("case_id", flat=True)) & met
    better = {case for case, scale, _ in _latest_outcomes() if scale in GOOD} & accepted
    listed = set(Case.objects.values_list("pk", flat=True))
    return {"listed": listed, "assessed": assessed, "supported": supported, "met": met, "accepted": accepted,
            "better": better}  # fmt: skip


def _latest_outcomes() -> Iterable[tuple[int, str, str]]:
    """For each goal its case, the newest outcome and its service; a case counts as better when one of its goals is."""
    newest: dict[int, tuple[int, str, str]] = {}
    told = Outcome.objects.order_by("pk").values_list("goal_id", "goal__plan__case_id", "scale", "goal__service")
    for goal, case, scale, service in told:
        newest[goal] = (case, scale, service)
    return newest.values()


def _funnels(reached: dict[str, set[int]], rule: Suppression) -> list[Funnel]:
    of_type: dict[str, set[int]] = defaultdict(set)
    raised = CaseLevel.objects.filter(is_current=True, level__in=(Level.HIGH, Level.MIDDLE))
    for case, kind in raised.values_list("case_id", "type"):
        of_type[kind].add(case)
    types = [t.value for t in settings.MUNICIPALITY.types]
    lines = [_funnel("届いた事例すべて", reached["listed"], reached, rule)]
    return lines + [_funnel(difficulty_label(code), of_type[code], reached, rule) for code in [OVERALL, *types]]


def _offices(reached: dict[str, set[int]], rule: Suppression) -> list[Funnel]:
    of_office: dict[str, set[int]] = defaultdict(set)
    for case, office in Case.objects.values_list("pk", "office"):
        of_office[office].add(case)
    receiving = [office for office in settings.MUNICIPALITY.offices if office.age_bands]
    return [_funnel(office.name, of_office[office.code], reached, rule) for office in receiving]


def _services(rule: Suppression) -> list[Funnel]:
    """For each kind of support: planned for how many children, met, accepted by the family, and its own goal better."""
    planned: dict[str, set[int]] = defaultdict(set)
    for case, service in Goal.objects.values_list("plan__case_id", "service"):
        planned[service].add(case)
    met = set(Contact.objects.filter(result__in=MET).values_list("case_id", flat=True))
    accepted = set(Contact.objects.filter(result=ContactResult.ACCEPTED).values_list("case_id", flat=True)) & met
    better: dict[str, set[int]] = defaultdict(set)
    for case, scale, service in _latest_outcomes():
        if scale in GOOD:
            better[service].add(case)
    lines = []
    for service in (service for service in Service if planned[service]):
        own = planned[service]
        got = {"planned": own, "met": met, "accepted": accepted, "better": better[service] & accepted}
        lines.append(_funnel(service.label, own, got, rule, SERVICE_STEPS))
    return lines


def _funnel(
    label: str,
    cases: set[int],
    reached: dict[str, set[int]],
    rule: Suppression,
    steps: Sequence[tuple[str, str]] = STEPS,
) -> Funnel:
    """Steps shrink, so the difference of two shown counts is a count too: a small difference hides the later one."""
    numbers = [len(cases & reached[step]) for step, _ in steps]
    shown: list[int | None] = []
    for place, number in enumerate(numbers):
        gone = numbers[place - 1] - number if place else 0
        shown.append(None if 0 < gone <= rule.threshold else rule.count(number))
    most = shown[0] or 0
    return Funnel(
        label,
        tuple(SUPPRESSED_MARK if number is None else f"{number:,}" for number in shown),
        tuple(round(100 * number / most) if number and most else 0 for number in shown),
    )


def _days_to_first_contact(rule: Suppression) -> list[tuple[str, int | None]]:
    """The middle number of days from arrival to the first contact, of all and by office; None where too few were contacted."""
    first = Case.objects.annotate(first_on=Min("contacts__met_on")).exclude(first_on=None)
    days: dict[str, list[int]] = defaultdict(list)
    for office, arrived_at, met_on in first.values_list("office", "arrived_at", "first_on"):
        days[office].append(_days(arrived_at, met_on))
        days[""].append(_days(arrived_at, met_on))

    def middle(office: str) -> int | None:
        return round(statistics.median(days[office])) if len(days[office]) > rule.threshold else None

    receiving = [office for office in settings.MUNICIPALITY.offices if office.age_bands]
    return [("全体", middle("")), *((office.name, middle(office.code)) for office in receiving)]


def _days(arrived_at: dt.datetime, met_on: dt.date) -> int:
    return max((met_on - arrived_at.astimezone(settings.LOCAL_ZONE).date()).days, 0)

"""取組の効果: how many children pass from the list to help, and what came of it, with small counts hidden (casework side)."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Iterable
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
from kodomo.support.models import Contact, Outcome
from kodomo.support.words import GOOD, MET, ContactResult
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


@dataclass(frozen=True)
class Funnel:
    """One line of the funnel as it may be shown: counts in words, and the width of a bar in per cent."""

    label: str
    counts: tuple[str, ...]
    widths: tuple[int, ...]


@require_safe
def effect(request: Any) -> HttpResponse:
    """One page a mayor can read. No child is on it; looking at it leaves a row all the same."""
    with trail.recorded(trail.event_of(request.actor, Action.VIEW_EFFECT), request.at):
        rule = Suppression(settings.MUNICIPALITY.suppression_threshold, settings.MUNICIPALITY.rounding_base)
        reached = _children_by_step()
        context = {
            "steps": [words for _, words in STEPS],
            "funnels": _funnels(reached, rule),
            "offices": _offices(reached, rule),
            "days": _days_to_first_contact(rule),
            "arrival": Arrival.objects.last(),
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
    better = {case for case, scale in _latest_outcomes() if scale in GOOD} & accepted
    listed = set(Case.objects.values_list("pk", flat=True))
    return {"listed": listed, "assessed": assessed, "supported": supported, "met": met, "accepted": accepted,
            "better": better}  # fmt: skip


def _latest_outcomes() -> Iterable[tuple[int, str]]:
    """For each goal the newest outcome; a case counts as better when one of its goals is."""
    newest: dict[int, tuple[int, str]] = {}
    for goal, case, scale in Outcome.objects.order_by("pk").values_list("goal_id", "goal__plan__case_id", "scale"):
        newest[goal] = (case, scale)
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


def _funnel(label: str, cases: set[int], reached: dict[str, set[int]], rule: Suppression) -> Funnel:
    """Steps shrink, so the difference of two shown counts is a count too: a small difference hides the later one."""
    numbers = [len(cases & reached[step]) for step, _ in STEPS]
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


def _days_to_first_contact(rule: Suppression) -> int | None:
    """The middle number of days from arrival to the first contact; None when too few were contacted to say."""
    first = Case.objects.annotate(first_on=Min("contacts__met_on")).exclude(first_on=None)
    days = [_days(arrived_at, met_on) for arrived_at, met_on in first.values_list("arrived_at", "first_on")]
    return round(statistics.median(days)) if len(days) > rule.threshold else None


def _days(arrived_at: dt.datetime, met_on: dt.date) -> int:
    return max((met_on - arrived_at.astimezone(settings.LOCAL_ZONE).date()).days, 0)

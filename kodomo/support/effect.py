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
from kodomo.support.comparison import compared, side_by_side
from kodomo.support.funnel_chart import funnel_chart
from kodomo.support.judged_children import JudgedChildren, first_step, judged_children
from kodomo.support.models import Contact, Goal, Outcome
from kodomo.support.words import GOOD, MET, ContactResult, Service
from kodomo.terms import OVERALL, Decision, Level, difficulty_label

JUDGED = "判定した"

STEPS = (
    ("listed", "候補に挙がった"),
    ("assessed", "人が確かめた"),
    ("supported", "支援すると判断した"),
    ("met", "会えた"),
    ("accepted", "支援を受け入れた"),
    ("better", "達成した・よくなっている"),
)
"""The funnel after its first step. Each step counts children, and only those of the step before."""

MEANINGS = (
    "データベースから、困難の類型ごとに調べたこども",
    "判定・乱数の抽出・相談で、事例として届いたこども",
    "職員が事実を見て、一次所見と判断を書いた",
    "そのうち、支援が要ると職員が判断した",
    "訪問・面談・電話などで、本人か家族と話せた",
    "家庭が支援を受け入れた(断ることも選べる)",
    "支援計画の目標が、一つでもよい方に動いた",
)
"""What each step means, in one line for a reader who sees this page once a year."""

SERVICE_STEPS = (
    ("planned", "計画した"),
    ("met", "会えた"),
    ("accepted", "支援を受け入れた"),
    ("better", "その目標が達成・よくなっている"),
)
"""The funnel of one kind of support."""


STEP_WORDS = (JUDGED, *(words for _, words in STEPS))

UNKNOWN_MARK = "—"


@dataclass(frozen=True)
class Funnel:
    """One line of the funnel as it may be shown: counts in words, and the width of a bar in per cent."""

    label: str
    counts: tuple[str, ...]
    widths: tuple[int, ...]


@require_safe
def effect(request: Any) -> HttpResponse:
    """One sheet a mayor can read. No child is on it; looking at it leaves a row all the same."""
    rule = _rule()
    reached = _reached()
    whole = _whole(reached, rule)
    rows = list(zip(STEP_WORDS, whole.counts, whole.widths, strict=True))
    context = {
        "chart": funnel_chart(rows, "判定したこどもが、どこまで支援につながったか"),
        "meanings": [(words, count, meaning) for (words, count, _), meaning in zip(rows, MEANINGS, strict=True)],
        "steps": STEP_WORDS,
        "offices": list(zip([whole, *_offices(reached, rule)], _days_to_first_contact(rule), strict=True)),
        "compared": side_by_side(compared(rule)),
    }
    return _page(request, "support/effect.html", context, rule)


@require_safe
def effect_detail(request: Any) -> HttpResponse:
    """The same counts by type and by kind of support, on a sheet of their own."""
    rule = _rule()
    context = {
        "steps": STEP_WORDS,
        "funnels": _funnels(_reached(), rule),
        "service_steps": [words for _, words in SERVICE_STEPS],
        "services": _services(rule),
    }
    return _page(request, "support/effect_detail.html", context, rule)


def _page(request: Any, template: str, context: dict[str, Any], rule: Suppression) -> HttpResponse:
    number = trail.record_first(trail.event_of(request.actor, Action.VIEW_EFFECT), request.at)
    shown = {"arrival": Arrival.objects.last(), "number": number, "threshold": rule.threshold, "base": rule.base}
    return render(request, template, {**context, **shown})


def _rule() -> Suppression:
    return Suppression(settings.MUNICIPALITY.suppression_threshold, settings.MUNICIPALITY.rounding_base)


@dataclass(frozen=True)
class Reached:
    """How far the children came: cases by step, each case's child, and who was judged at all."""

    steps: dict[str, set[int]]
    key_of: dict[int, str]
    judged: JudgedChildren | None


def _reached() -> Reached:
    return Reached(_children_by_step(), dict(Case.objects.values_list("pk", "child_key")), judged_children())


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


def _whole(reached: Reached, rule: Suppression) -> Funnel:
    judged = reached.judged
    return _line("全体", reached.steps["listed"], reached, judged.everybody if judged else None, rule)


def _funnels(reached: Reached, rule: Suppression) -> list[Funnel]:
    of_type: dict[str, set[int]] = defaultdict(set)
    raised = CaseLevel.objects.filter(is_current=True, level__in=(Level.HIGH, Level.MIDDLE))
    for case, kind in raised.values_list("case_id", "type"):
        of_type[kind].add(case)
    types = [t.value for t in settings.MUNICIPALITY.types]
    none, judged = frozenset[str](), reached.judged
    return [_whole(reached, rule)] + [
        _line(difficulty_label(code), of_type[code], reached, judged.of_type.get(code, none) if judged else None, rule)
        for code in [OVERALL, *types]
    ]


def _offices(reached: Reached, rule: Suppression) -> list[Funnel]:
    of_office: dict[str, set[int]] = defaultdict(set)
    for case, office in Case.objects.values_list("pk", "office"):
        of_office[office].add(case)
    receiving, judged = [o for o in settings.MUNICIPALITY.offices if o.age_bands], reached.judged
    return [
        _line(office.name, of_office[office.code], reached, judged.of_office(office.code) if judged else None, rule)
        for office in receiving
    ]


def _line(label: str, cases: set[int], reached: Reached, judged: frozenset[str] | None, rule: Suppression) -> Funnel:
    """A line of the funnel that begins with who was judged."""
    number = first_step(judged, {reached.key_of[case] for case in cases})
    return _funnel(label, cases, reached.steps, rule, first=(number,))


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
    *,
    first: tuple[int | None, ...] = (),
) -> Funnel:
    """Steps shrink, so the difference of two shown counts is a count too: a small difference hides the later one.

    Args:
        first: what comes before the steps; None where it is not known.
    """
    numbers = [*first, *(len(cases & reached[step]) for step, _ in steps)]
    shown: list[int | None] = []
    for place, number in enumerate(numbers):
        before = numbers[place - 1] if place else None
        gone = before - number if before is not None and number is not None else 0
        shown.append(None if number is None or 0 < gone <= rule.threshold else rule.count(number))
    most = next((number for number in shown if number), 0)
    return Funnel(
        label,
        tuple(
            UNKNOWN_MARK if known is None else SUPPRESSED_MARK if number is None else f"{number:,}"
            for known, number in zip(numbers, shown, strict=True)
        ),
        # A count that is shown has a bar that is seen.
        tuple(max(round(100 * number / most), 1) if number else 0 for number in shown),
    )


def _days_to_first_contact(rule: Suppression) -> list[int | None]:
    """The middle number of days from arrival to the first contact, of all and by office; None where too few were contacted."""
    first = Case.objects.annotate(first_on=Min("contacts__met_on")).exclude(first_on=None)
    days: dict[str, list[int]] = defaultdict(list)
    for office, arrived_at, met_on in first.values_list("office", "arrived_at", "first_on"):
        days[office].append(_days(arrived_at, met_on))
        days[""].append(_days(arrived_at, met_on))

    def middle(office: str) -> int | None:
        return round(statistics.median(days[office])) if len(days[office]) > rule.threshold else None

    receiving = [office for office in settings.MUNICIPALITY.offices if office.age_bands]
    return [middle(""), *(middle(office.code) for office in receiving)]


def _days(arrived_at: dt.datetime, met_on: dt.date) -> int:
    return max((met_on - arrived_at.astimezone(settings.LOCAL_ZONE).date()).days, 0)

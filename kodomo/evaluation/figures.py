"""The figures of one type on a past date, none that would give away a small number of children (analysis side)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kodomo.evaluation.groups import Division, group_lines
from kodomo.evaluation.metrics import (
    Figure,
    auroc,
    average_precision,
    brier,
    calibration_error,
    curve_with_intervals,
    poisson_interval,
    precision_at,
    recall_at,
    with_interval,
)
from kodomo.evaluation.outcomes import Array, Outcome
from kodomo.evaluation.staff_score import against_staff_score
from kodomo.governance.suppression import Suppression
from kodomo.judgement.learning import CALIBRATE_TO_MONTHS
from kodomo.judgement.levels import Capacity
from kodomo.terms import OVERALL, Method, difficulty_label

HIDDEN = Figure(float("nan"), float("nan"), float("nan"))


def places_of(size: int, capacity: Capacity) -> tuple[int, int]:
    """How many children stand in 高 and in 中."""
    return tuple(max(1, int(size * share)) if size else 0 for share in (capacity.high, capacity.middle))  # type: ignore[return-value]


def type_report(
    one: Outcome,
    parts: list[Division],
    capacity: Capacity,
    rule: Suppression,
    generator: np.random.Generator,
    months: int,
) -> dict[str, Any]:
    """Counts, figures of each method, the capacity curve and the groups of one type."""
    size, cases = len(one.keys), int(one.positive.sum())
    high, middle = places_of(size, capacity)
    both = high + middle
    methods = {
        name: _method_report(one, scores, {"high": high, "middle": both}, rule, generator, months)
        for name, scores in sorted(one.scores.items())
    }
    return {
        "caption": difficulty_label(one.type),
        "children": rule.count(size),
        "cases": rule.count(cases),
        "cases_not_known_to_support": rule.count(int((one.positive[one.new] > 0).sum())),
        "places": {"high": high, "middle": both},
        "enough_cases": cases > rule.threshold,
        "methods": methods,
        "staff_score": against_staff_score(one, both, generator) if cases > rule.threshold else None,
        "expected": _expected(one, rule, months),
        "curve": _curve(one, (high, both), rule, generator),
        "groups": group_lines(one, parts, both, rule, generator, _foreseen(one, months)),
    }


def _method_report(
    one: Outcome, scores: Array, places: dict[str, int], rule: Suppression, generator: np.random.Generator, months: int
) -> dict[str, Any]:
    """Figures of one method; none where the cases are so few that they could be counted back."""
    if one.positive.sum() <= rule.threshold:
        return {"suppressed": True}
    measured: dict[str, Figure] = {
        "auroc": with_interval(auroc, scores, one.positive, one.group, generator),
        "average_precision": with_interval(average_precision, scores, one.positive, one.group, generator),
    }
    new = one.positive * one.new
    for level, number in places.items():
        share = number / max(len(scores), 1)
        for name, figure, positive in (
            ("precision", precision_at, one.positive),
            ("recall", recall_at, one.positive),
            ("new_found", precision_at, new),
        ):
            if _is_small(scores, positive, number, rule):
                measured[f"{name}_{level}"] = HIDDEN
            else:
                at_share = partial(_at_share, figure, share)
                measured[f"{name}_{level}"] = with_interval(at_share, scores, positive, one.group, generator)
    return {
        "suppressed": False,
        **{name: figure.as_list() for name, figure in measured.items()},
        **_probability_figures(one, scores, months),
    }


def _is_small(scores: Array, positive: Array, places: int, rule: Suppression) -> bool:
    """Whether a figure would give away a small number of children found."""
    hits = precision_at(scores, positive, places) * places
    return rule.count(int(np.ceil(hits))) is None


def _probability_figures(one: Outcome, scores: Array, months: int) -> dict[str, float | None]:
    """Brier and calibration against the same months; 総合 is a place among children, not a probability."""
    if one.type == OVERALL:
        return {"brier": None, "calibration_error": None}
    expected = _within(scores, months)
    return {
        "brier": round(brier(expected, one.positive), 5),
        "calibration_error": round(calibration_error(expected, one.positive), 5),
    }


def _at_share(figure: Callable[[Array, Array, int], float], share: float, scores: Array, positive: Array) -> float:
    return figure(scores, positive, max(1, int(len(scores) * share)))


def _expected(one: Outcome, rule: Suppression, months: int) -> dict[str, Any] | None:
    """How many cases the scores foresaw in these months, beside how many there were and what chance allows of that."""
    each = _foreseen(one, months)
    if each is None or one.positive.sum() <= rule.threshold:
        return None
    foreseen = each.sum()
    low, high = poisson_interval(int(one.positive.sum()))
    return {
        "foreseen": round(float(foreseen), 1),
        "range": [round(low, 1), round(high, 1)],
        "is_off": bool(not low <= foreseen <= high),
    }


def _foreseen(one: Outcome, months: int) -> Array | None:
    """Each child's probability of a case in these months; None for 総合 and for points, which are none."""
    if one.type == OVERALL or not one.is_learned:
        return None
    return _within(one.scores[Method.COMBINED.value], months)


def _within(scores: Array, months: int) -> Array:
    """Probability of a case within so many months, from that within ``CALIBRATE_TO_MONTHS``."""
    return np.asarray(1 - (1 - scores) ** (months / CALIBRATE_TO_MONTHS))


CUTS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Where the capacity curve is cut, beside the municipality's own two places."""


def _curve(
    one: Outcome, own: tuple[int, int], rule: Suppression, generator: np.random.Generator
) -> list[dict[str, Any]]:
    """Capacity curve: reviewing so many children reaches this share of the later cases, and misses the others."""
    total = int(one.positive.sum())
    if total <= rule.threshold:
        return []
    scores = one.scores[Method.COMBINED.value]
    places = sorted({*own, *(max(1, int(len(scores) * share)) for share in CUTS)})
    shown = [number for number in places if not _is_small(scores, one.positive, number, rule)]
    figures = curve_with_intervals(scores, one.positive, one.group, shown, generator)
    return [
        {
            "share": round(number / len(scores), 4),
            "places": number,
            "recall": round(figure.value, 4),
            "range": figure.as_list()[1:],
            "reached": rule.count(round(figure.value * total)),
            "missed": rule.count(total - round(figure.value * total)),
        }
        for number, figure in zip(shown, figures, strict=True)
    ]

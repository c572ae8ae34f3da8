"""What later judgements say of children who were helped and of those who were not, told honestly (casework side).

Only children who stood at the same level when somebody decided are set beside each other, and only what a later
judgement says; it is no proof of an effect, for people choose whom to help.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kodomo.assessment.models import Assessment, CaseLevel
from kodomo.governance.suppression import SUPPRESSED_MARK, Suppression
from kodomo.support.models import Contact
from kodomo.support.words import ContactResult
from kodomo.terms import OVERALL, Decision, Level

GROUPS = (
    ("accepted", "支援を受け入れた"),
    ("offered", "支援すると判断したが、断られた・会えていない"),
    ("watched", "調査・見守りをした"),
    ("left", "対応しないとした"),
)
"""Who is set beside whom, by the first decision and what came of it."""

STARTS = (Level.HIGH, Level.MIDDLE)

_HEIGHT = {Level.HIGH: 2, Level.MIDDLE: 1, Level.LOW: 0}
"""A child about whom too little is known later is neither better nor worse: it is left out."""


@dataclass(frozen=True)
class Compared:
    """One group of one starting level: how many a later judgement saw, and how many of them stood lower."""

    start: str
    group: str
    children: str
    lower: str


def compared(rule: Suppression) -> list[Compared]:
    """Each group by starting level; small numbers, and those that give them away, are left out."""
    counts: dict[tuple[Level, str], list[int]] = defaultdict(lambda: [0, 0])
    groups = _groups()
    for case, before, after in _levels():
        if case in groups and before in STARTS and after in _HEIGHT:
            found = counts[before, groups[case]]
            found[0] += 1
            found[1] += _HEIGHT[after] < _HEIGHT[before]
    return [
        Compared(level.label, words, rule.text(counts[level, code][0]), _share(rule, *counts[level, code]))
        for level in STARTS
        for code, words in GROUPS
    ]


def side_by_side(rows: Iterable[Compared]) -> list[tuple[str, list[Compared]]]:
    """Each group in words with its line for every starting level, in the order of ``STARTS``."""
    found: dict[str, list[Compared]] = defaultdict(list)
    for one in rows:
        found[one.group].append(one)
    return list(found.items())


def _share(rule: Suppression, whole: int, part: int) -> str:
    share = rule.share(part, whole)
    return ("—" if whole == 0 else SUPPRESSED_MARK) if share is None else f"{10 * round(10 * share)} %"


def _groups() -> Mapping[int, str]:
    """Which group each decided case belongs to."""
    first: dict[int, str] = {}
    for case, decision in Assessment.objects.order_by("pk").values_list("case_id", "decision"):
        first.setdefault(case, decision)
    accepted = set(Contact.objects.filter(result=ContactResult.ACCEPTED).values_list("case_id", flat=True))

    def group(case: int, decision: str) -> str:
        if decision == Decision.SUPPORT:
            return "accepted" if case in accepted else "offered"
        return "left" if decision == Decision.NO_ACTION else "watched"

    return {case: group(case, decision) for case, decision in first.items()}


def _levels() -> Iterable[tuple[int, Level, Level]]:
    """Case, its overall level in the judgement its first decision saw, and its level in a later judgement now."""
    seen: dict[int, str] = {}
    for case, name in Assessment.objects.order_by("pk").values_list("case_id", "judgement_name"):
        seen.setdefault(case, name)
    rows = CaseLevel.objects.filter(type=OVERALL, case__in=list(seen))
    before: dict[int, Level] = {}
    after: dict[int, Level] = {}
    for case, name, level, is_current in rows.values_list("case_id", "judgement_name", "level", "is_current"):
        if name == seen[case]:
            before[case] = Level(level)
        elif is_current:
            after[case] = Level(level)
    return [(case, before[case], after[case]) for case in before if case in after]

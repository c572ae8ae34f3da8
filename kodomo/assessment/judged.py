"""Levels as a page shows them: in the municipality's order, with reasons, never as reassurance (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kodomo.assessment.evidence import Reason, Views
from kodomo.assessment.models import CaseLevel
from kodomo.terms import OVERALL, OVERALL_LABEL, DifficultyType, Level

SHOWN_JUDGEMENTS = 6
"""As many judgements side by side as fit a page: three years of two a year."""

LEVEL_WORDS: Mapping[str, str] = {
    Level.HIGH: "高: 積極的なアプローチを検討する候補",
    Level.MIDDLE: "中: 学校等への調査を検討する候補",
    Level.LOW: "低: いまの情報からは候補に挙がらない(困難がないという意味ではない)",
    Level.INSUFFICIENT: "情報不足: 判定できるだけの情報がない(低いという意味ではない)",
    Level.WITHHELD: "この事例では判定のレベルと根拠を示しません。事実だけから判断してください",
}
"""What a level says, and what it doesn't."""


@dataclass(frozen=True)
class JudgedType:
    """One type's level with its reasons."""

    type: str
    label: str
    level: str
    level_label: str
    words: str
    place: int | None
    escalation: str
    is_registered: bool
    raising: tuple[Reason, ...]
    lowering: tuple[Reason, ...]
    views: Views | None = None
    lowest: str = ""
    highest: str = ""
    """順位の幅: levels it might have had, had the city known other cases; empty where nothing tells."""

    @property
    def may_be_higher(self) -> str:
        """The higher level it might have had, by name; empty where none."""
        steps = (Level.LOW, Level.MIDDLE, Level.HIGH)
        is_higher = self.level in steps and self.highest in steps and steps.index(Level(self.highest)) > steps.index(Level(self.level))  # fmt: skip
        return Level(self.highest).label if is_higher else ""

    @property
    def range_words(self) -> str:
        """順位の幅 in words. Of a low level only what may lie above: that it stays low would read as "fine"."""
        if not self.highest or (self.level == Level.LOW and not self.may_be_higher):
            return ""
        names = [Level(end).label for end in dict.fromkeys((self.lowest, self.highest))]
        if len(names) == 1:
            return f"順位の幅: 「{names[0]}」のまま。市が別の事例を把握していても、このレベルだった見込みです。"
        said = f"順位の幅: 「{names[0]}」〜「{names[1]}」。"
        if self.may_be_higher:
            said += f"市が別の事例を把握していたら「{self.may_be_higher}」だったかもしれません。"
        if self.lowest != self.level:
            said += "下の端は、困難がないという意味ではありません。順番よりも事実を読んでください。"
        return said

    @property
    def is_quiet(self) -> bool:
        """Low, without a fact that must be seen and all methods alike: shown last and short, never as good news."""
        return self.level == Level.LOW and not self.escalation and not (self.views and self.views.is_disputed)

    @property
    def is_raised(self) -> bool:
        """Whether this type is why the child is on the list."""
        return self.level in (Level.HIGH, Level.MIDDLE, Level.WITHHELD) or bool(self.escalation)


def judged_types(
    levels: Iterable[CaseLevel],
    types: Sequence[DifficultyType],
    reasons: Mapping[str, tuple[Reason, ...]] | None = None,
    views: Mapping[str, Views] | None = None,
) -> list[JudgedType]:
    """The levels of one judgement, the overall view first, then the municipality's types."""
    by_type = {row.type: row for row in levels}
    return [
        _judged(by_type[code], label, (reasons or {}).get(code, ()), (views or {}).get(code))
        for code, label in [(OVERALL, OVERALL_LABEL), *((t.value, t.label) for t in types)]
        if code in by_type
    ]


@dataclass(frozen=True)
class History:
    """判定の履歴: for each type its level at each judgement, the oldest first."""

    days: tuple[dt.date, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def level_history(levels: Sequence[CaseLevel], types: Sequence[DifficultyType]) -> History | None:
    """The levels of the last judgements by type; None while there is but one."""
    names = list(dict.fromkeys((row.judged_as_of, row.judgement_name) for row in levels))
    shown = sorted(names)[-SHOWN_JUDGEMENTS:]
    if len(shown) < 2:
        return None
    at = {((row.judged_as_of, row.judgement_name), row.type): Level(row.level).label for row in levels}
    captions = [(OVERALL, OVERALL_LABEL), *((t.value, t.label) for t in types)]
    rows = [(label, tuple(at.get((name, code), "—") for name in shown)) for code, label in captions]
    return History(tuple(day for day, _ in shown), tuple(row for row in rows if set(row[1]) != {"—"}))


def listed_types(judged: Sequence[JudgedType]) -> list[JudgedType]:
    """Why a case is on the list: the raised types, and the overall view only when no type says it."""
    raised = [one for one in judged if one.is_raised]
    return [one for one in raised if one.type != OVERALL] or raised


def must_be_seen(
    levels: Iterable[CaseLevel], reasons: Mapping[str, tuple[Reason, ...]]
) -> list[tuple[str, tuple[str, ...]]]:
    """Each type's facts that must be seen whatever the score, every one once; 総合 only for what no type says.

    A level carries the first of them alone; the judgement's reasons carry all. Both come in already without
    what has no basis.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    said: set[str] = set()
    for row in sorted(levels, key=lambda row: row.type == OVERALL):
        gates = [r.sentence for r in reasons.get(row.type, ()) if r.direction == "GATE" and row.type != OVERALL]
        sentences = tuple(s for s in dict.fromkeys([row.escalation, *gates]) if s and s not in said)
        if sentences and not (row.type == OVERALL and set(sentences) <= said):
            found.append((row.type, sentences))
            said.update(sentences)
    return found


def _judged(row: CaseLevel, label: str, reasons: tuple[Reason, ...], views: Views | None) -> JudgedType:
    reasons, views = ((), None) if row.level == Level.WITHHELD else (reasons, views)
    return JudgedType(
        type=row.type,
        label=label,
        level=row.level,
        level_label=Level(row.level).label,
        words=LEVEL_WORDS[row.level],
        # A place is shown only where it helps to order the work; "3,000th" would read as "fine".
        place=row.place if row.level in (Level.HIGH, Level.MIDDLE) else None,
        escalation=row.escalation,
        is_registered=row.is_registered,
        raising=tuple(r for r in reasons if r.direction == "UP"),
        lowering=tuple(r for r in reasons if r.direction == "DOWN"),
        views=views,
        lowest=row.level_low,
        highest=row.level_high,
    )

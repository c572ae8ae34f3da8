"""What may be told on a page today: the register's basis for アセスメント, asked of everything that holds a value (casework side).

Facts, reasons, facts that must be seen, and the flags of a case all come through here, on the screen, on
paper and in files. When the register can't be read, nothing is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from kodomo.assessment.grounds import Grounds, Items, current_grounds
from kodomo.assessment.models import CaseLevel
from kodomo.configuration import Municipality
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.criteria_versions import judged_with
from kodomo.governance.register import Register, read_register
from kodomo.terms import Purpose


@dataclass(frozen=True)
class Lawful:
    """The answers for one day."""

    register: Register
    grounds: Grounds
    today: dt.date

    def may_show(self, items: Collection[str] | None) -> bool:
        """Every item has a basis today. Not knowing what something rests on is never a yes."""
        return items is not None and all(self.register.allows(item, Purpose.ASSESS, self.today) for item in items)

    def may_tell_reason(self, reason: Mapping[str, Any]) -> bool:
        """A reason's sentence holds its items' values: without a basis it goes the way of the facts."""
        return self.may_show(self.grounds.of_reason(reason["type"], reason["indicator"], reason["sentence"]))

    def may_tell_escalation(self, sentence: str, items: Iterable[str]) -> bool:
        """The same for a fact that must be seen. ``items`` is what the arrival noted; the criteria say it otherwise."""
        known: Items | None = frozenset(items) or self.grounds.of_escalation(sentence)
        return bool(known) and self.may_show(known)

    @property
    def may_tell_council(self) -> bool:
        """Whether 要対協登録 may be shown and asked for."""
        return self.may_show(self.grounds.council)

    @property
    def may_tell_known(self) -> bool:
        """Whether 支援につながっている may be shown and asked for."""
        return self.may_show(self.grounds.known)

    @property
    def may_tell_moved_in(self) -> bool:
        """Whether 転入1年以内 may be shown and asked for."""
        return self.may_show(self.grounds.moved_in)

    @property
    def may_tell_nobody(self) -> bool:
        """Whether どの機関ともつながっていない may be shown and asked for: it speaks of every agency's record."""
        return self.may_tell_council and self.may_tell_known and self.may_show(self.register.with_role("contact"))

    @cached_property
    def withheld_escalations(self) -> frozenset[str]:
        """The sentences in any case's current levels that may not be told today. Asked once for a page."""
        pairs = CaseLevel.objects.filter(is_current=True, escalation__gt="")
        # Without the model's own order, whose columns would make every row a distinct one.
        found = pairs.order_by().values_list("escalation", "escalation_items").distinct()
        return frozenset(text for text, items in found if not self.may_tell_escalation(text, items))

    @cached_property
    def otherwise_escalated(self) -> frozenset[int]:
        """Current levels (primary keys) whose first sentence may not be told today, but another may."""
        if not self.withheld_escalations:
            return frozenset()
        rows = CaseLevel.objects.filter(is_current=True, escalation__in=self.withheld_escalations)
        return frozenset(row.pk for row in rows if self._sentence(row))

    def _sentence(self, row: CaseLevel) -> str:
        """The first fact that must be seen and may be told; empty when there is none."""
        said = [(row.escalation, row.escalation_items), *row.other_escalations] if row.escalation else []
        return next((text for text, items in said if self.may_tell_escalation(text, items)), "")

    def told(self, levels: Iterable[CaseLevel]) -> list[CaseLevel]:
        """The levels as they may be shown: without the words, and the mark, that have no basis."""
        shown = []
        for row in levels:
            row.escalation = self._sentence(row)
            row.is_registered = row.is_registered and self.may_tell_council
            shown.append(row)
        return shown


def lawful_on(today: dt.date, municipality: Municipality) -> Lawful:
    """What may be told on a day.

    Raises:
        ConfigurationFault: the register or the criteria can't be read.
    """
    grounds = current_grounds(in_force(settings.HOME, municipality), judged_with(settings.HOME))
    return Lawful(current_register(municipality), grounds, today)


def lawful_at(at: dt.datetime) -> Lawful:
    """What may be told at a moment, in the city's own calendar and by its own register."""
    return lawful_on(at.astimezone(settings.LOCAL_ZONE).date(), settings.MUNICIPALITY)


def current_register(municipality: Municipality) -> Register:
    """The register as its files say now: a basis taken out of them is gone on the next page."""
    folder = municipality.folder
    stamps = tuple((folder / "register" / name).stat().st_mtime_ns for name in ("items.toml", "bases.toml")
                   if (folder / "register" / name).exists())  # fmt: skip
    return _read_register(folder, stamps)


@lru_cache(maxsize=4)
def _read_register(folder: Path, stamps: tuple[int, ...]) -> Register:
    return read_register(folder)

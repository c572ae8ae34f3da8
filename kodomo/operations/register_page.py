"""データ項目台帳: which item may be used for what, by which basis, until when; what stops soon; what was refused (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kodomo.assessment.actions import local_day
from kodomo.assessment.forms import DateAsWritten
from kodomo.governance.register import Basis, Item, Lapse, Register, read_register
from kodomo.operations.criteria_words import indicators_in_force
from kodomo.operations.sources import all_sources
from kodomo.terms import LegalBasis, Purpose

SOON_DAYS = 30
"""A basis that ends within so many days, with none to follow it, is pointed out."""

SHORT = {
    LegalBasis.WITHIN_PURPOSE: "61条",
    LegalBasis.BY_LAW: "69条1項",
    LegalBasis.CONSENT: "本人同意",
    LegalBasis.USE_BEYOND_PURPOSE: "69条2項2号",
    LegalBasis.PROVISION: "69条2項3号",
}
"""A basis as it stands in a narrow cell; its full name is in the legend and on the item's page."""

STOPPING = {
    Purpose.LINK: "受け取りと名寄せに使えなくなります",
    Purpose.JUDGE: "この項目を使う指標が計算されなくなります",
    Purpose.LEARN: "判定の学習と検証から外れます",
    Purpose.ASSESS: "個票に表示されなくなります",
    Purpose.REVEAL: "氏名等を確かめる画面に出なくなります",
}
"""What staff will notice when an item stops for a purpose."""


class RegisterFilter(forms.Form):
    """台帳の条件."""

    office = forms.ChoiceField(label="保有する部署", required=False)
    on = DateAsWritten(label="この日に使えるか", required=False, max_length=20)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        office: Any = self.fields["office"]
        office.choices = [("", "すべて"), *((o.code, o.name) for o in settings.MUNICIPALITY.offices)]


@dataclass(frozen=True)
class Cell:
    """One item for one purpose: what it is called and how it is coloured; the words say it without the colour.

    ``until`` is the last day on which it may be used.
    """

    kind: str
    words: str
    until: dt.date | None = None
    stops_soon: bool = False


@require_safe
def register(request: Any) -> HttpResponse:
    """The whole register as a table of items by purposes on a day."""
    form = RegisterFilter(request.GET or None)
    asked = form.cleaned_data if form.is_valid() else {}
    on = asked.get("on") or local_day(request.at)
    held = read_register(settings.MUNICIPALITY.folder)
    lapses = held.lapsing(on, SOON_DAYS)
    stopping = {(lapse.item, lapse.purpose) for lapse in lapses}
    items = [i for i in held.items.values() if not asked.get("office") or asked["office"] in i.holders]
    context = {
        "form": form,
        "on": on,
        "purposes": list(Purpose),
        "groups": _groups(held, [i for i in items if i.code not in held.refused], on, stopping),
        "lapses": [_lapse(held, lapse) for lapse in lapses if any(lapse.item == i.code for i in items)],
        "refused": [r for r in held.refused.values() if not asked.get("office") or r.holder == asked["office"]],
        "legend": [(kind.value.lower(), SHORT[kind], kind.label) for kind in LegalBasis],
        "days": SOON_DAYS,
    }
    return render(request, "operations/register.html", context, status=400 if form.errors else 200)


@require_safe
def item(request: Any, code: str) -> HttpResponse:
    """One item: what it is, every basis of it, and what uses it."""
    held = read_register(settings.MUNICIPALITY.folder)
    found, refusal = held.items.get(code), held.refused.get(code)
    if found is None and refusal is None:
        raise Http404
    on, sources = local_day(request.at), all_sources(settings.MUNICIPALITY)
    context = {
        "item": found,
        "caption": held.caption(code),
        "refusal": refusal,
        "lines": [(purpose, _cell(held, code, purpose, on, set())) for purpose in Purpose] if found else [],
        "bases": [_basis(basis, on) for basis in held.bases if code in basis.items],
        "sources": [sources[s].caption for s in found.sources if s in sources] if found else [],
        "indicators": indicators_of(code),
    }
    return render(request, "operations/item.html", context)


def lapses_soon(on: dt.date) -> list[Lapse]:
    """What stops within the days that are pointed out."""
    return read_register(settings.MUNICIPALITY.folder).lapsing(on, SOON_DAYS)


def indicators_of(code: str) -> list[str]:
    """Captions of the indicators that ask an item, as the criteria say now."""
    entries = indicators_in_force()
    return [str(entry.get("caption", "")) for entry in entries if code in (entry.get("item"), entry.get("per"))]


def _groups(
    held: Register, items: Iterable[Item], on: dt.date, stopping: set[tuple[str, Purpose]]
) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in items:
        cells = [_cell(held, one.code, purpose, on, stopping) for purpose in Purpose]
        found.setdefault(one.domain or "その他", []).append({"item": one, "cells": cells})
    return [{"domain": domain, "rows": rows} for domain, rows in found.items()]


def _cell(held: Register, code: str, purpose: Purpose, on: dt.date, stopping: set[tuple[str, Purpose]]) -> Cell:
    basis = held.basis_for(code, purpose, on)
    if basis is not None:
        return Cell(basis.basis.value.lower(), SHORT[basis.basis], _last_day(basis), (code, purpose) in stopping)
    named = [b for b in held.bases if code in b.items and purpose in b.purposes]
    if any(b.valid_from > on for b in named):
        return Cell("coming", f"{min(b.valid_from for b in named if b.valid_from > on)} から")
    return Cell("lapsed", "切れた") if named else Cell("none", "使えない")


def _last_day(basis: Basis) -> dt.date | None:
    return basis.valid_to - dt.timedelta(days=1) if basis.valid_to else None


def _lapse(held: Register, lapse: Lapse) -> dict[str, Any]:
    used = indicators_of(lapse.item) if lapse.purpose is Purpose.JUDGE else []
    return {
        "caption": held.caption(lapse.item), "code": lapse.item, "purpose": lapse.purpose.label,
        "stops_on": lapse.stops_on, "basis": lapse.basis, "words": STOPPING[lapse.purpose], "indicators": used,
    }  # fmt: skip


def _basis(basis: Basis, on: dt.date) -> dict[str, Any]:
    purposes = "・".join(purpose.label for purpose in Purpose if purpose in basis.purposes)
    return {"basis": basis, "label": basis.basis.label, "holds": basis.holds_on(on), "purposes": purposes}

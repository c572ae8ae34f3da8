"""Template filters: dates with 和暦, office names, words for codes (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone

from kodomo import terms
from kodomo.assessment import dates
from kodomo.terms import difficulty_label

register = template.Library()


@register.filter
def era(day: dt.date | dt.datetime | None) -> str:
    """A date in full with 和暦; a moment in the city's own time."""
    return dates.long_date(_day(day)) if day else "—"


@register.filter
def short_era(day: dt.date | dt.datetime | None) -> str:
    """A date for a table with 和暦."""
    return dates.short_date(_day(day)) if day else "—"


@register.filter
def moment(at: dt.datetime | None) -> str:
    """Date, 和暦 and time of day."""
    return f"{dates.long_date(_day(at))} {timezone.localtime(at):%H:%M}" if at else "—"


@register.filter
def fiscal_year(year: int) -> str:
    """年度 with its era."""
    return dates.fiscal_year_label(year)


@register.filter
def office_name(code: str) -> str:
    """The office's name; the code where the municipality no longer has it."""
    return next((office.name for office in settings.MUNICIPALITY.offices if office.code == code), code)


@register.filter
def difficulty(code: str) -> str:
    """Japanese name of a difficulty type."""
    return difficulty_label(code)


@register.filter
def identity_part(part: str) -> str:
    """What a part of an identity is called."""
    return {"name": "氏名", "kana": "ふりがな", "born_on": "生年月日", "address": "住所", "guardians": "保護者"}.get(
        part, part
    )


@register.filter
def plain_number(value: float | None) -> str:
    """A number without useless decimals; a dash where nothing is known."""
    return "—" if value is None else terms.plain_number(value)


@register.filter
def entry(mapping: Any, key: object) -> Any:
    """A mapping's value for a key that is in a variable."""
    return mapping.get(key)


def _day(value: dt.date | dt.datetime) -> dt.date:
    return timezone.localtime(value).date() if isinstance(value, dt.datetime) else value

"""Numbers and moments as the operators' screens write them (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.conf import settings

register = template.Library()


@register.filter
def clock(seconds: float | None) -> str:
    """Seconds since the epoch as the city's day and time."""
    return f"{dt.datetime.fromtimestamp(seconds, settings.LOCAL_ZONE):%Y-%m-%d %H:%M}" if seconds else "—"


@register.filter
def whole(value: Any) -> str:
    """A number with thousands marked; words as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.1f}" if isinstance(value, float) and value < 10 else f"{round(value):,}"


@register.filter
def iso_clock(text: str | None) -> str:
    """A moment written by a stage, as the city's day and time."""
    if not text:
        return "—"
    return f"{dt.datetime.fromisoformat(text).astimezone(settings.LOCAL_ZONE):%Y-%m-%d %H:%M}"


@register.filter
def strength(bits: float) -> str:
    """How strongly two records agree, in bits, with its sign.

    >>> strength(3.52), strength(-0.04)
    ('+3.5', '0.0')
    """
    rounded = round(bits, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"

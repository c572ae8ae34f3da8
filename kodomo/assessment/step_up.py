"""Step-up: the person at the keyboard is still the one who signed in (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from axes.utils import reset as reset_lockout
from django import forms
from django.contrib.auth import authenticate

from kodomo.assessment import trail

LASTS = dt.timedelta(minutes=10)
"""How long a password given for searching stands; a name is asked for anew every time."""


class PasswordAgain(forms.CharField):
    """The field in which a person gives the password again, as it is: blanks at its ends count."""

    def __init__(self, label: str = "あなたのパスワード", **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        super().__init__(label=label, strip=False, max_length=256, widget=widget, **kwargs)


def is_really(request: Any, password: str) -> bool:
    """Whether the password is the person's; a wrong one is audited and counts towards the lock-out."""
    if authenticate(request, username=request.actor.username, password=password) is None:
        with trail.recorded(trail.event_of(request.actor, "STEP_UP_FAILED"), request.at):
            return False
    reset_lockout(username=request.actor.username)
    request.session["stepped_up_at"] = request.at.isoformat()
    return True


def was_lately(request: Any) -> bool:
    """Whether the person gave the password again within the last minutes of this session."""
    stamp = request.session.get("stepped_up_at")
    return stamp is not None and request.at - dt.datetime.fromisoformat(stamp) < LASTS

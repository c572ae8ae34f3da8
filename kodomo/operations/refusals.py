"""A refusal told on the form it answers, so that what somebody typed stays where it was typed (casework side)."""

from __future__ import annotations

from typing import Any

from django.forms import Form

from kodomo.assessment import trail
from kodomo.assessment.policies import VersionConflict
from kodomo.errors import NotPermitted, StaffError


def told_on(request: Any, form: Form, refusal: StaffError) -> int:
    """Put a refusal above a form; returns the status of the page that shows it. One of permission leaves its row."""
    where = f"({refusal.where})" if refusal.where and "/" not in refusal.where else ""
    form.add_error(None, f"{refusal.what}{where}{refusal.then}")
    if isinstance(refusal, NotPermitted):
        event = trail.event_of(request.actor, "REFUSED", detail={"page": request.resolver_match.view_name})
        with trail.recorded(event, request.at):
            return 403
    return 409 if isinstance(refusal, VersionConflict) else 400

"""Drafts: what somebody has typed and not sent yet, kept for them alone until they send it (casework side)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kodomo.assessment import trail
from kodomo.assessment.models import Case, Draft

BUTTON = "draft"
"""Name of the button that keeps instead of sending."""

_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "token", "version", BUTTON})
LONGEST = 20_000


def is_asked(request: Any) -> bool:
    """Whether the form came with the button that keeps it."""
    return request.method == "POST" and BUTTON in request.POST


def keep(request: Any, case: Case, page: str) -> None:
    """Keep what was typed, in place of what was kept before. It is not checked: it is not finished."""
    put(request, case, page, {n: value[:LONGEST] for n, value in request.POST.items() if n not in _NOT_KEPT})


def put(request: Any, case: Case, page: str, content: Mapping[str, Any]) -> None:
    """Keep something as it is, in place of what was kept before."""
    event = trail.event_of(request.actor, "KEEP_DRAFT", subject=case.child_key,
                           detail={"case": case.case_number, "page": page})  # fmt: skip
    with trail.recorded(event, request.at):
        Draft.objects.update_or_create(
            case=case,
            username=request.actor.username,
            page=page,
            defaults={"content": dict(content), "kept_at": request.at},
        )


def kept(request: Any, case: Case, page: str) -> tuple[Mapping[str, Any], Any]:
    """What the person typed on this page before, and when; nothing when they kept nothing."""
    draft = Draft.objects.filter(case=case, username=request.actor.username, page=page).first()
    return (draft.content, draft.kept_at) if draft else ({}, None)


def drop(request: Any, case: Case, page: str) -> None:
    """Forget the draft: it was sent."""
    Draft.objects.filter(case=case, username=request.actor.username, page=page).delete()

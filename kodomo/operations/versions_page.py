"""判定基準の版: every version that was ever put up or judged with, what it changed, and going back to it as a new one (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kodomo.governance import adoption
from kodomo.governance.adoption import Version
from kodomo.governance.approvals import Matter, Step
from kodomo.governance.criteria_text import differences
from kodomo.governance.permissions import Action, can
from kodomo.operations import drafts
from kodomo.operations.criteria_words import act_words, change_lines, figure_lines
from kodomo.operations.draft_forms import BeginForm


@require_safe
def versions(request: Any) -> HttpResponse:
    """Every version of criteria and thresholds, the newest first."""
    groups = [{"matter": matter, "rows": _listed(matter)} for matter in (Matter.CRITERIA, Matter.THRESHOLDS)]
    return render(request, "operations/versions.html", {"groups": groups})


@require_safe
def version(request: Any, matter: str, version: str) -> HttpResponse:
    """One version: who did what with it, and what it changes against the one in force."""
    if matter not in (Matter.CRITERIA.value, Matter.THRESHOLDS.value):
        raise Http404
    found = next((one for one in _listed(Matter(matter)) if one.version == version), None)
    if found is None:
        raise Http404
    lines = _lines(found)
    is_kept = lines is not None
    may_begin = is_kept and found.matter is Matter.CRITERIA and can(request.actor.role, Action.EDIT_CRITERIA)
    context = {
        "one": found, "lines": lines or [], "is_kept": is_kept, "acts": [act_words(act.as_json()) for act in found.acts],
        "form": BeginForm(initial={"version": version}) if may_begin else None,
    }  # fmt: skip
    return render(request, "operations/version.html", context)


def _listed(matter: Matter) -> list[Version]:
    return adoption.versions(settings.HOME, settings.MUNICIPALITY, matter)


def _lines(found: Version) -> list[dict[str, str]] | None:
    """What the version says otherwise than the one in force; None where its text is not kept."""
    if found.matter is Matter.THRESHOLDS:
        figures = next((a.detail.get("contents") for a in reversed(found.acts) if a.step is Step.PROPOSE), None)
        if figures is None:
            return [] if found.is_in_force else None
        return figure_lines(drafts.figures_in_force(), figures)
    folder = adoption.folder_of(settings.HOME, settings.MUNICIPALITY, found.version)
    if folder is None:
        return None
    texts = adoption.texts_of(folder)
    return change_lines(differences(drafts.texts_in_force(), texts), texts)

"""What a draft of the criteria would mean: the job that counts it on the newest base date, and its answer for the page (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from kodomo.errors import NotReady
from kodomo.jobs.book import JobStep
from kodomo.operations import charts, drafts
from kodomo.operations.jobs_page import book, put_and_start
from kodomo.operations.models import CriteriaDraft
from kodomo.store.database import Store
from kodomo.terms import Level

WHAT_IF = "WHAT_IF"
LEVELS = (Level.HIGH, Level.MIDDLE, Level.LOW, Level.INSUFFICIENT)


@require_POST
def try_draft(request: Any, number: int) -> HttpResponse:
    """Count what the draft would mean, as a job on the newest base date."""
    found = get_object_or_404(CriteriaDraft, pk=number)
    judgement = Store(settings.HOME.store).current("judgements")
    if judgement is None:
        raise NotReady("まだ判定がないので、試せません。", then="先に判定してください。")
    folder = drafts.folder_to_try(found)
    step = JobStep("試算", ("what-if", "--draft", str(folder), "--as-of", str(judgement.manifest["as_of"])))
    job = put_and_start(request, WHAT_IF, f"判定基準の案「{found.title}」の試算", [step], version=str(found.revision))
    CriteriaDraft.objects.filter(pk=found.pk).update(tried_job=job, tried_revision=found.revision)
    return redirect("draft", number)


def tried_lines(found: CriteriaDraft) -> dict[str, Any] | None:
    """What the newest trial said, and whether it was of the draft as it is now; None where none was begun."""
    if found.tried_job is None:
        return None
    job = book().job(found.tried_job)
    told = next((one for one in job.results if "drafted" in one), {})
    return {
        "job": found.tried_job,
        "is_open": job.is_open,
        "is_current": found.tried_revision == found.revision,
        "as_of": told.get("as_of"),
        "lines": [_line(one, told.get("curves", [])) for one in told.get("drafted", [])],
        "failed": not (told or job.is_open),
    }


def _line(one: dict[str, Any], curves: list[dict[str, Any]]) -> dict[str, Any]:
    """One type's counts beside each other, and its curve."""
    own = [curve for curve in curves if curve["type"] == one["type"]]
    return {
        **one,
        "levels": [(level.label, one[f"now_{level.value}"], one[f"then_{level.value}"]) for level in LEVELS],
        "shares": [{**curve, "percent": f"{curve['share']:.0%}"} for curve in own],
        "has_curve": any(curve.get("then_reached") is not None for curve in own),
        "chart": charts.two_curves(
            [(curve["share"], curve.get("now_reached")) for curve in own],
            [(curve["share"], curve.get("then_reached")) for curve in own],
            f"{one['label']}: 確認する割合と、すでに登録のあるこどものうち枠に入る割合",
        ),
    }

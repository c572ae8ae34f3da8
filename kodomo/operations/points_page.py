"""点数表の見直し: other points for one type, tried on the newest base date before anybody approves, and the file that would hold them (casework side).

The page writes no criteria: what was tried comes out as a file for the municipality's folder, whose new version is
then proposed and approved.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from kodomo.assessment import trail
from kodomo.errors import NotReady
from kodomo.jobs.book import JobStep
from kodomo.operations.criteria_page import point_rows
from kodomo.operations.jobs_page import put_and_start
from kodomo.store.database import Store
from kodomo.terms import DifficultyType

WHAT_IF = "WHAT_IF"
HIGHEST = 100
_BLOCK = re.compile(r"(?ms)^\[\[points\]\].*?(?=^\[|\Z)")


class PointsForm(forms.Form):
    """一つの類型の点."""

    def __init__(self, *args: Any, rows: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in rows:
            self.fields[row["code"]] = forms.FloatField(
                label=row["when"], initial=row["points"], min_value=-HIGHEST, max_value=HIGHEST
            )

    def changed_points(self) -> dict[str, float]:
        """The lines whose points are others than the file's."""
        return {code: value for code, value in self.cleaned_data.items() if value != self.fields[code].initial}


@require_http_methods(["GET", "POST"])
def points(request: Any, kind: str) -> HttpResponse:
    """Other points for one type: try them as a job, or take the file that holds them."""
    if kind not in set(DifficultyType):
        raise Http404
    rows = [row for row in point_rows() if row["type"] == DifficultyType(kind).label]
    form = PointsForm(request.POST or None, rows=rows)
    if request.method == "POST" and form.is_valid():
        changed = form.changed_points()
        if not changed:
            form.add_error(None, "どの点も変わっていません。")
        elif request.POST.get("what") == "file":
            return _file(request, changed)
        else:
            return redirect("job", _try(request, changed))
    shown = [{**row, "field": form[row["code"]]} for row in rows]
    context = {"form": form, "kind": DifficultyType(kind), "rows": shown, "types": settings.MUNICIPALITY.types}
    return render(request, "operations/points.html", context, status=400 if form.errors else 200)


def with_points(text: str, changed: dict[str, float]) -> str:
    """The scenarios file with other points on some lines, and every other character as it was."""

    def edited(block: re.Match[str]) -> str:
        code = re.search(r'(?m)^code\s*=\s*"([^"]*)"', block[0])
        value = changed.get(code[1]) if code else None
        return (
            block[0]
            if value is None
            else re.sub(r"(?m)^(points\s*=\s*)[-+.\d]+", rf"\g<1>{value:g}", block[0], count=1)
        )

    return _BLOCK.sub(edited, text)


def _try(request: Any, changed: dict[str, float]) -> int:
    judgement = Store(settings.HOME.store).current("judgements")
    if judgement is None:
        raise NotReady("まだ判定がないので、試せません。", then="先に判定してください。")
    words = ("what-if", *(f"--points={code}={value:g}" for code, value in changed.items()))
    step = JobStep("試算", (*words, "--as-of", str(judgement.manifest["as_of"])))
    return put_and_start(request, WHAT_IF, "点数表の見直しの試算", [step], version=f"{len(changed)} 行")


def _file(request: Any, changed: dict[str, float]) -> HttpResponse:
    path = settings.MUNICIPALITY.folder / "criteria" / "scenarios.toml"
    text = with_points(path.read_text(encoding="utf-8"), changed)
    with trail.recorded(trail.event_of(request.actor, "TAKE_POINTS", detail={"count": len(changed)}), request.at):
        answer = HttpResponse(text.encode(), content_type="application/toml; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="scenarios.toml"'
    return answer

"""処理の状況: long work started from a page, how far it is, its end; stopping and going on (casework side)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from kodomo.assessment import trail
from kodomo.assessment.actions import local_day
from kodomo.assessment.forms import DateAsWritten
from kodomo.governance.permissions import Action, Actor, Scope, can, check, scope
from kodomo.jobs import runner
from kodomo.jobs.book import STATES, Job, JobBook, JobStep
from kodomo.operations.kinds import KINDS, steps_of

SHOWN = 30

FIGURE_WORDS = {
    "files": "ファイル", "landed": "取り込んだファイル", "refused": "受け取れなかったファイル", "already_landed": "受領済みのファイル",
    "rows_read": "読んだ行", "rows_landed": "取り込んだ行", "rows_quarantined": "差し戻した行",
    "mentions": "記載", "linked": "つながった記載", "unlinked": "つながらない記載", "doubtful": "人が確かめる組", "newcomers": "住民記録にない人",
    "children": "こども", "indicators": "指標", "rows": "行", "as_of": "基準日", "past_date": "検証した日",
    "months_after": "その後の月数", "decisions": "判断", "contacts": "接触", "outcomes": "結果", "closures": "終結",
    "seconds": "かかった秒数", "changed_lines": "変えた行", "old_data": "△",
}  # fmt: skip
"""Figures of a step's result that staff are shown; anything else stays in the book."""


class StartForm(forms.Form):
    """処理の開始."""

    kind = forms.ChoiceField(choices=[(kind.code, kind.caption) for kind in KINDS.values()])
    as_of = DateAsWritten(label="基準日", required=False, max_length=20)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        """A kind that judges needs its day, and no day after today is known yet."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        kind, as_of = KINDS.get(given.get("kind", "")), given.get("as_of")
        if kind and kind.needs_day and as_of is None and not self.errors:
            self.add_error("as_of", "基準日を入れてください。")
        if as_of and as_of > self.today:
            self.add_error("as_of", "基準日は今日までの日にしてください。")
        return given


@dataclass(frozen=True)
class JobLine:
    """One job as a page shows it."""

    job: Job
    state: str
    step: str
    share: int | None
    left: str

    @property
    def number(self) -> int:
        """The job's number."""
        return self.job.job_number


@require_safe
def jobs(request: Any) -> HttpResponse:
    """What runs, what waits, what ended how; and what this person may start."""
    return _page(request, {code: StartForm(today=local_day(request.at)) for code in KINDS})


def _page(request: Any, of_kind: dict[str, StartForm], status: int = 200) -> HttpResponse:
    lines = [line_of(job) for job in visible_jobs(request.actor)]
    startable = [
        {"kind": kind, "form": of_kind[kind.code]} for kind in KINDS.values() if can(request.actor.role, kind.action)
    ]
    context = {
        "open": [line for line in lines if line.job.is_open],
        "stopped": [line for line in lines if line.job.can_resume],
        "ended": [line for line in lines if not (line.job.is_open or line.job.can_resume)],
        "startable": startable,
        "is_fresh": status == 200,  # a form that was refused is not taken away while somebody mends it
        "today": local_day(request.at),
    }
    return render(request, "operations/jobs.html", context, status=status)


@require_POST
def start(request: Any) -> HttpResponse:
    """Start one kind of work; the answer leads to its page."""
    form = StartForm(request.POST, today=local_day(request.at))
    if not form.is_valid():
        blank = {code: StartForm(today=local_day(request.at)) for code in KINDS}
        return _page(request, {**blank, request.POST.get("kind", ""): form}, status=400)
    kind = KINDS[form.cleaned_data["kind"]]
    check(request.actor.role, kind.action)
    as_of = form.cleaned_data["as_of"] if kind.needs_day else None
    out = str(settings.HOME.runs / "exports" / f"{secrets.token_hex(8)}.csv")
    number = put_and_start(request, kind.code, kind.caption, steps_of(kind, as_of, out), as_of=as_of)
    return redirect("job", number)


@require_safe
def job(request: Any, number: int) -> HttpResponse:
    """One job: its steps, the running one's figures, what came out or what went wrong."""
    found = own_job(request.actor, number)
    steps = _steps(found)
    context = {
        "line": line_of(found),
        "steps": steps,
        "may_stop": can(request.actor.role, Action.STOP_JOB) and _reaches(request.actor, Action.STOP_JOB, found),
        "files": [entry for step in steps for entry in step["files"]],
        "tried": next((result["types"] for result in found.results if result.get("step") == "what-if" and "types" in result), None),
        "sees_deliveries": can(request.actor.role, Action.VIEW_DELIVERIES),
        "has_file": found.kind == "EXPORT" and found.state == "DONE" and can(request.actor.role, Action.EXPORT_JUDGEMENTS),
    }  # fmt: skip
    return render(request, "operations/job.html", context)


@require_POST
def cancel(request: Any, number: int) -> HttpResponse:
    """Stop a job; what its finished steps did stays."""
    found = _stoppable(request.actor, number)
    trail.record_first(trail.event_of(request.actor, "CANCEL_JOB", detail={"job": number}), request.at)
    runner.cancel(book(), found.job_number)
    return redirect("job", number)


@require_POST
def resume(request: Any, number: int) -> HttpResponse:
    """Let an interrupted or failed job go on from its first unfinished step."""
    found = _stoppable(request.actor, number)
    with trail.recorded(trail.event_of(request.actor, "RESUME_JOB", detail={"job": number}), request.at):
        book().wait_again(found.job_number)
    runner.start(book(), number, command_globals())
    return redirect("job", number)


@require_safe
def job_file(request: Any, number: int) -> FileResponse:
    """The file an export wrote, pseudonymous; taking it leaves a row."""
    found = own_job(request.actor, number)
    path = Path(found.steps[-1].words[1]) if found.kind == "EXPORT" and found.state == "DONE" else None
    if path is None or not path.is_file():
        raise Http404
    detail = {"job": number, "count": path.stat().st_size}
    with trail.recorded(trail.event_of(request.actor, "TAKE_JOB_FILE", detail=detail), request.at):
        return FileResponse(path.open("rb"), as_attachment=True, filename=f"judgements-{number}.csv")


# What other pages of this side use ------------------------------------------------------------------


def book() -> JobBook:
    """The book of this home."""
    return JobBook(settings.HOME.runs)


def command_globals() -> list[str]:
    """The global options by which a command works on this site's home."""
    return ["--home", str(settings.HOME.root), "--municipality", str(settings.MUNICIPALITY.folder.resolve())]


def put_and_start(
    request: Any, kind: str, caption: str, steps: Sequence[JobStep], *, leftovers: str = "", **detail: object
) -> int:
    """Write a job down, then its audit row, and only then let it run; returns its number.

    Book and trail are two databases. What breaks off between them leaves a job that is told as 始まる前に止まった and
    that nothing runs, with its row or without.
    """
    actor, jobs_ = request.actor, book()
    number = jobs_.note(kind, caption, steps, asked_by=actor.username, office=actor.office, leftovers=leftovers)
    more = {name: str(value) for name, value in detail.items() if value}
    trail.record_first(trail.event_of(actor, "START_JOB", detail={"what": caption, "job": number, **more}), request.at)
    jobs_.let_run(number)
    runner.start(jobs_, number, command_globals())
    return number


def visible_jobs(actor: Actor) -> list[Job]:
    """The newest jobs this person may see: all, or those of the own office."""
    own_only = scope(actor.role, Action.VIEW_JOBS) is Scope.OWN_OFFICE
    return book().jobs(SHOWN, office=actor.office if own_only else None)


def own_job(actor: Actor, number: int) -> Job:
    """A job this person may see. Raises Http404."""
    if not 1 <= number <= book().newest():
        raise Http404
    found = book().job(number)
    if not _reaches(actor, Action.VIEW_JOBS, found):
        raise Http404
    return found


def line_of(found: Job) -> JobLine:
    """A job with its words."""
    done, total, left = (found.figures.get(key) for key in ("done", "total", "left"))
    step = found.steps[found.steps_done].caption if found.steps_done < len(found.steps) else ""
    share = min(100, round(100 * done / total)) if done is not None and total else None
    return JobLine(found, STATES[found.state], step, share, _duration(left) if left is not None else "")


def _reaches(actor: Actor, action: Action, found: Job) -> bool:
    return scope(actor.role, action) is Scope.EVERY_OFFICE or found.office == actor.office


def _stoppable(actor: Actor, number: int) -> Job:
    found = own_job(actor, number)
    if not _reaches(actor, Action.STOP_JOB, found):
        raise Http404
    return found


def _steps(found: Job) -> list[dict[str, Any]]:
    lines = []
    for place, step in enumerate(found.steps):
        result = found.results[place] if place < len(found.results) else {}
        figures = [(FIGURE_WORDS[k], v) for k, v in result.items() if k in FIGURE_WORDS and v not in ("", None)]
        state = "済み" if place < found.steps_done else "これから"
        if place == found.steps_done and found.state in ("RUNNING", "FAILED", "INTERRUPTED"):
            state = STATES[found.state]
        files = [entry for entry in result.get("deliveries", ()) if isinstance(entry, dict)]
        lines.append({"caption": step.caption, "state": state, "figures": figures, "files": files})
    return lines


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} 分 {rest:02d} 秒" if minutes else f"{rest} 秒"

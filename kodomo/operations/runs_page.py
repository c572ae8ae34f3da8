"""判定の実行と公開: each run in numbers, beside the one before, and its release to casework (casework side)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from kodomo.assessment import step_up, trail
from kodomo.errors import StaffError
from kodomo.governance.permissions import Action, can
from kodomo.governance.suppression import Suppression
from kodomo.operations import releases
from kodomo.operations.models import Release, ReleaseState
from kodomo.operations.refusals import told_on
from kodomo.operations.runs import (
    CHANGES,
    LEVELS,
    change_lines,
    criteria_words,
    differences,
    level_lines,
    run_before,
    run_named,
)  # fmt: skip
from kodomo.store.database import Snapshot, Store

SHOWN = 30


class AskForm(forms.Form):
    """公開の申請."""

    reason = forms.CharField(label="申請する理由", max_length=400, widget=forms.Textarea(attrs={"rows": 3}))


class DecideForm(forms.Form):
    """公開の承認."""

    decision = forms.ChoiceField(
        label="どうしますか", choices=[("approve", "公開を承認する"), ("refuse", "見送る")], widget=forms.RadioSelect
    )
    reason = forms.CharField(label="理由", max_length=400, widget=forms.Textarea(attrs={"rows": 3}))
    password = step_up.PasswordAgain()


@require_safe
def runs(request: Any) -> HttpResponse:
    """Every run, newest first, and how its release stands."""
    store = Store(settings.HOME.store)
    found = [store.open("judgements", name) for name in reversed(store.names("judgements")[-SHOWN:])]
    standing = {release.judgement_name: release for release in Release.objects.all()}
    lines = [{**_words(run), "release": standing.get(run.snapshot_id)} for run in found]
    waiting = [line for line in lines if line["release"] and line["release"].state == ReleaseState.ASKED]
    return render(request, "operations/runs.html", {"lines": lines, "waiting": waiting})


@require_safe
def run(request: Any, name: str) -> HttpResponse:
    """One run: what it was made with, levels by type, what changed since the run before; its release."""
    return _page(request, name, AskForm(), DecideForm())


@require_POST
def ask(request: Any, name: str) -> HttpResponse:
    """Ask that the run be released."""
    _named(name)
    form = AskForm(request.POST)
    if not form.is_valid():
        return _page(request, name, form, DecideForm(), status=400)
    try:
        releases.ask_release(name, by=request.actor, reason=form.cleaned_data["reason"], at=request.at)
    except StaffError as refusal:
        return _page(request, name, form, DecideForm(), status=told_on(request, form, refusal))
    return redirect("run", name)


@require_POST
@sensitive_post_parameters("password")
def decide(request: Any, name: str) -> HttpResponse:
    """Release the run to casework or turn the request down; the approver gives the password again."""
    _named(name)
    form = DecideForm(request.POST)
    if form.is_valid() and not step_up.is_really(request, form.cleaned_data["password"]):
        form.add_error("password", "パスワードが違います。")
    if not form.is_valid():
        return _page(request, name, AskForm(), form, status=400)
    words = {"by": request.actor, "reason": form.cleaned_data["reason"], "at": request.at}
    try:
        if form.cleaned_data["decision"] == "approve":
            releases.approve_release(name, home=settings.HOME, municipality=settings.MUNICIPALITY, **words)
        else:
            releases.refuse_release(name, **words)
    except StaffError as refusal:
        return _page(request, name, AskForm(), form, status=told_on(request, form, refusal))
    return redirect("run", name)


def _page(request: Any, name: str, ask_form: AskForm, decide_form: DecideForm, status: int = 200) -> HttpResponse:
    found, store = _named(name), Store(settings.HOME.store)
    rule = _rule()
    before = run_before(store, name)
    release = releases.standing_release(name)
    is_waiting = release is not None and release.state == ReleaseState.ASKED
    context = {
        "run": _words(found),
        "before": _words(before) if before else None,
        "levels": [level.label for level in LEVELS[:-1]],
        "level_lines": level_lines(found, rule),
        "changes": list(CHANGES.values()),
        "change_lines": change_lines(before, found, rule) if before else [],
        "differences": differences(before, found) if before else [],
        "release": release,
        "history": Release.objects.filter(judgement_name=name),
        "ask_form": ask_form if ask_form.errors or _may_ask(request, release) else None,
        "decide_form": decide_form
        if decide_form.errors or (is_waiting and can(request.actor.role, Action.APPROVE_RELEASE))
        else None,
        "threshold": rule.threshold,
        "base": rule.base,
    }
    trail.record_first(trail.event_of(request.actor, Action.VIEW_RUNS, detail={"judgement": name}), request.at)
    return render(request, "operations/run.html", context, status=status)


def _may_ask(request: Any, release: Release | None) -> bool:
    may = can(request.actor.role, Action.ASK_RELEASE)
    return may and (release is None or release.state == ReleaseState.REFUSED)


def _named(name: str) -> Snapshot:
    found = run_named(Store(settings.HOME.store), name)
    if found is None:
        raise Http404
    return found


def _rule() -> Suppression:
    return Suppression(settings.MUNICIPALITY.suppression_threshold, settings.MUNICIPALITY.rounding_base)


def _words(run: Snapshot) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "name": run.snapshot_id, "as_of": manifest["as_of"], "at": manifest.get("at"), "children": _rule().text(manifest["files"]["subjects"]["rows"]),
        "criteria": criteria_words(manifest), "snapshot": manifest.get("snapshot"), "model": manifest.get("model"), "old_data": manifest.get("old_data"),
    }  # fmt: skip

"""判定モデルとルール: which model judges, candidates held against it, promotion by two people; rules found, accepted or vetoed (casework side)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from kodomo.assessment import step_up, trail
from kodomo.errors import NotReady
from kodomo.governance.approvals import Step
from kodomo.governance.permissions import Action, Actor, can
from kodomo.governance.suppression import SUPPRESSED_MARK
from kodomo.operations.commands import ask
from kodomo.terms import difficulty_label

SAYINGS = (Step.ACCEPT, Step.PIN, Step.REQUIRE, Step.FORBID)


class PasswordReasonForm(forms.Form):
    """モデルの承認・戻し."""

    model = forms.RegexField(r"^[0-9a-f]{0,64}\Z", required=False)
    reason = forms.CharField(label="理由", max_length=400, widget=forms.Textarea(attrs={"rows": 2}))
    password = step_up.PasswordAgain()


class RuleForm(forms.Form):
    """ルールへの意見."""

    rule = forms.CharField(max_length=200)
    step = forms.ChoiceField(label="このルールを", choices=[(step.value.lower(), step.label) for step in SAYINGS])
    reason = forms.CharField(label="理由", max_length=400)


@require_safe
def models(request: Any) -> HttpResponse:
    """The model that judges, candidates with their comparison, and the rules learning found."""
    return _page(request)


@require_POST
@sensitive_post_parameters("password")
def promote(request: Any) -> HttpResponse:
    """Approve a candidate that was compared; with the second different person it judges."""
    form = _checked(request)
    if form.errors or not form.cleaned_data["model"]:
        return _page(request, promote_form=form, status=400)
    words = ("models", "promote", f"--model={form.cleaned_data['model']}")
    _act(request, "PROMOTE_MODEL", form.cleaned_data["model"], form.cleaned_data["reason"], *words)
    return redirect("models")


@require_POST
@sensitive_post_parameters("password")
def roll_back(request: Any) -> HttpResponse:
    """Take the model that judges out of use; one person suffices."""
    form = _checked(request)
    if form.errors:
        return _page(request, back_form=form, status=400)
    _act(request, "ROLL_BACK_MODEL", "", form.cleaned_data["reason"], "models", "roll-back")
    return redirect("models")


@require_POST
def say(request: Any) -> HttpResponse:
    """Accept, pin, require or forbid a rule; it works from the next learning on."""
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, rule_form=form, status=400)
    given = form.cleaned_data
    _act(request, "SAY_RULE", given["rule"], given["reason"], "rules", given["step"], f"--rule={given['rule']}")
    return redirect("models")


def _checked(request: Any) -> PasswordReasonForm:
    form = PasswordReasonForm(request.POST)
    if form.is_valid() and not step_up.is_really(request, form.cleaned_data["password"]):
        form.add_error("password", "パスワードが違います。")
    return form


def _act(request: Any, action: str, what: str, reason: str, *words: str) -> None:
    """Carry it out by the command line, which writes the book of approvals; the site's own row names the session's person."""
    event = trail.event_of(
        request.actor, action, reason=reason, detail={"what": " ".join(words[:2]), "version": what[:12]}
    )
    with trail.recorded(event, request.at):
        ask(request.actor, *words, *_person(request.actor), f"--reason={reason}")


def _person(actor: Actor) -> tuple[str, ...]:
    return (f"--by={actor.name}", f"--role={actor.role.value}", f"--office={actor.office}")


def _page(
    request: Any,
    *,
    promote_form: PasswordReasonForm | None = None,
    back_form: PasswordReasonForm | None = None,
    rule_form: RuleForm | None = None,
    status: int = 200,
) -> HttpResponse:
    with ThreadPoolExecutor(2) as both:  # each takes a second or two, most of it starting up
        asked, listed = both.submit(ask, request.actor, "models", "status"), both.submit(_rules, request.actor)
        told, (rules, why_not) = asked.result(), listed.result()
    may_approve, may_say = (can(request.actor.role, a) for a in (Action.APPROVE_CRITERIA, Action.PROPOSE_CRITERIA))
    context = {
        "champion": told["champion"],
        "models": told["models"],
        "groups": _groups(rules),
        "why_not": why_not,
        "promote_form": (promote_form or PasswordReasonForm(auto_id="id_promote_%s")) if may_approve else None,
        "back_form": (back_form or PasswordReasonForm(auto_id="id_back_%s"))
        if may_approve and told["champion"]
        else None,
        "may_say": may_say,
        "sayings": [(step.value.lower(), step.label) for step in SAYINGS],
        "rule_form": rule_form,
    }
    return render(request, "operations/models.html", context, status=status)


def _rules(actor: Actor) -> tuple[list[dict[str, Any]], str]:
    """The rules of the newest model, or why there are none."""
    try:
        return ask(actor, "rules", "list")["rules"], ""
    except NotReady as missing:
        return [], missing.what


def _groups(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        counts = {key: SUPPRESSED_MARK if rule[key] is None else f"{rule[key]:,}" for key in ("rows", "cases")}
        said = Step(rule["said"]).label if rule["said"] else ""
        groups.setdefault(rule["type"], []).append({**rule, **counts, "said_label": said})
    return [{"type": difficulty_label(kind), "rows": found} for kind, found in groups.items()]

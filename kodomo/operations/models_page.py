"""判定モデルとルール: which model judges, candidates held against it, promotion by two people; rules found, accepted or vetoed (casework side)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from kodomo.assessment import step_up, trail
from kodomo.errors import NotReady, StaffError
from kodomo.governance import models as at_hand
from kodomo.governance import rules
from kodomo.governance.approvals import Step
from kodomo.governance.champion import roll_back as take_back
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.permissions import Action, can
from kodomo.governance.suppression import SUPPRESSED_MARK, Suppression
from kodomo.operations.criteria_words import indicators_in_force
from kodomo.operations.drafts import person_of
from kodomo.operations.refusals import told_on
from kodomo.store.database import Store
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
    if not request.POST.get("model"):
        form.add_error("model", "モデルを選んでください。")
    model = str(form.cleaned_data.get("model", "")) if form.is_valid() else ""

    def act(words: dict[str, Any]) -> None:
        now = in_force(settings.HOME, settings.MUNICIPALITY)
        at_hand.promote_model(settings.HOME, now, model, **words)

    status = _acted(request, "PROMOTE_MODEL", model, form, act)
    return redirect("models") if status == 302 else _page(request, promote_form=form, status=status)


@require_POST
@sensitive_post_parameters("password")
def roll_back(request: Any) -> HttpResponse:
    """Take the model that judges out of use; one person suffices."""
    form = _checked(request)
    status = _acted(request, "ROLL_BACK_MODEL", "", form, lambda words: take_back(settings.HOME, **words))
    return redirect("models") if status == 302 else _page(request, back_form=form, status=status)


@require_POST
def say(request: Any) -> HttpResponse:
    """Accept, pin, require or forbid a rule; it works from the next learning on."""
    form = RuleForm(request.POST)

    def act(words: dict[str, Any]) -> None:
        given = form.cleaned_data
        rules.say(settings.HOME, Step(given["step"].upper()), given["rule"], model=_newest_model(), **words)

    status = _acted(request, "SAY_RULE", request.POST.get("rule", ""), form, act)
    return redirect("models") if status == 302 else _page(request, rule_form=form, status=status)


def _checked(request: Any) -> PasswordReasonForm:
    form = PasswordReasonForm(request.POST)
    if form.is_valid() and not step_up.is_really(request, form.cleaned_data["password"]):
        form.add_error("password", "パスワードが違います。")
    return form


def _acted(request: Any, action: str, what: str, form: forms.Form, act: Callable[[dict[str, Any]], object]) -> int:
    """Carry it out in the signed-in person's name, with the site's row; a refusal is told on the form."""
    if not form.is_valid():
        return 400
    reason = form.cleaned_data["reason"]
    event = trail.event_of(request.actor, action, reason=reason, detail={"version": what[:60]})
    try:
        with trail.recorded(event, request.at):
            act({"by": person_of(request.actor), "reason": reason, "at": request.at})
    except StaffError as refusal:
        return told_on(request, form, refusal)
    return 302


def _page(
    request: Any,
    *,
    promote_form: PasswordReasonForm | None = None,
    back_form: PasswordReasonForm | None = None,
    rule_form: RuleForm | None = None,
    status: int = 200,
) -> HttpResponse:
    told = at_hand.models_status(settings.HOME)
    found, why_not = _rules()
    may_approve, may_say = (can(request.actor.role, a) for a in (Action.APPROVE_CRITERIA, Action.PROPOSE_CRITERIA))
    context = {
        "champion": told["champion"],
        "models": told["models"],
        "groups": _groups(found),
        "not_learned": _not_learned(),
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


def _newest_model() -> str:
    """The model of the newest judgement. Raises NotReady."""
    judgement = Store(settings.HOME.store).current("judgements")
    version = judgement.manifest.get("model") if judgement is not None else None
    if not version:
        raise NotReady("まだ学習したモデルがありません。", then="「処理の状況」で判定を始めてください。")
    return str(version)


def _rules() -> tuple[list[dict[str, Any]], str]:
    """The rules of the newest model, or why there are none."""
    rule = Suppression(settings.MUNICIPALITY.suppression_threshold, settings.MUNICIPALITY.rounding_base)
    try:
        return [one.as_json(rule) for one in rules.found_rules(settings.HOME, _newest_model())], ""
    except NotReady as missing:
        return [], missing.what


def _not_learned() -> list[dict[str, Any]]:
    """By type, why nothing was learned, and the indicators that learning left out because they all but tell the cases."""
    judgement = Store(settings.HOME.store).current("judgements")
    learned = {} if judgement is None else judgement.manifest.get("learned", {}).get("types", {})
    captions = {str(entry.get("code", "")): str(entry.get("caption", "")) for entry in indicators_in_force()}
    lines = [
        {
            "type": difficulty_label(kind),
            "why": said.get("why_not") or "",
            "indicators": [
                captions.get(one["indicator"], "")
                for part in ("leaks", "left_out")
                for one in said.get(part, ())
                if one["indicator"] in captions
            ],
            "gaps": [
                captions[one["indicator"]] for one in said.get("telling_gaps", ()) if one["indicator"] in captions
            ],
        }
        for kind, said in learned.items()
    ]
    return [line for line in lines if line["why"] or line["indicators"] or line["gaps"]]


def _groups(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules by type: those found again and again, which people can read through, and those found once."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        counts = {key: SUPPRESSED_MARK if rule[key] is None else f"{rule[key]:,}" for key in ("rows", "cases")}
        said = Step(rule["said"]).label if rule["said"] else ""
        groups.setdefault(rule["type"], []).append({**rule, **counts, "said_label": said})
    return [
        {
            "type": difficulty_label(kind),
            "rows": [r for r in found if r["is_repeated"]],
            "once": [r for r in found if not r["is_repeated"]],
        }
        for kind, found in groups.items()
    ]

"""判定基準: which version of criteria and thresholds is in force, by whose approval, what it says, and what other thresholds would mean (casework side).

Approvals go into the book of ``governance.approvals``; the files themselves are the municipality's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from kodomo.assessment import step_up, trail
from kodomo.configuration import Municipality
from kodomo.errors import StaffError
from kodomo.governance import adoption, criteria_versions
from kodomo.governance.approvals import Matter, State, Step
from kodomo.governance.criteria_in_force import SITE, in_force
from kodomo.governance.permissions import Action, Actor, can
from kodomo.governance.suppression import SUPPRESSED_MARK, Suppression
from kodomo.governance.thresholds import as_written
from kodomo.operations import charts, drafts
from kodomo.operations.capacity import Reach, reach_at
from kodomo.operations.criteria_words import act_words, part_name, rows_of_type, share_words
from kodomo.operations.drafts import person_of
from kodomo.operations.models import CriteriaDraft, DraftState
from kodomo.operations.refusals import told_on
from kodomo.store.database import Store
from kodomo.terms import OVERALL, OVERALL_LABEL, difficulty_label

MATTERS = (Matter.CRITERIA, Matter.THRESHOLDS)
SHARES = (0.01, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)
MOST_SHARE = 50.0

USES = {
    "APPROVED": "使えます",
    "DECLARED": "使えます(ファイルの中の記載による。版とは結び付いていません)",
    None: "使えません",
}


class ProposeForm(forms.Form):
    """版の提案."""

    matter = forms.ChoiceField(choices=[(m.value, m.label) for m in MATTERS])
    version = forms.CharField(max_length=64)
    reason = forms.CharField(label="提案する理由", max_length=400, widget=forms.Textarea(attrs={"rows": 2}))


class DecideForm(ProposeForm):
    """版の承認・取下げ."""

    decision = forms.ChoiceField(
        label="どうしますか", choices=[("APPROVE", "承認する"), ("WITHDRAW", "取り下げる")], widget=forms.RadioSelect
    )
    reason = forms.CharField(label="理由", max_length=400, widget=forms.Textarea(attrs={"rows": 2}))
    password = step_up.PasswordAgain()


class CapacityForm(forms.Form):
    """枠の試算."""

    type = forms.ChoiceField(label="類型", required=False)
    high = forms.FloatField(label="「高」の枠(%)", required=False, min_value=0.5, max_value=MOST_SHARE, step_size=0.5)
    middle = forms.FloatField(label="「中」の枠(%)", required=False, min_value=0.5, max_value=MOST_SHARE, step_size=0.5)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["type"]
        kind.choices = [(OVERALL, OVERALL_LABEL), *((t.value, t.label) for t in settings.MUNICIPALITY.types)]


@dataclass(frozen=True)
class Part:
    """One matter as the page shows it, and the forms this person may fill in."""

    matter: Matter
    version: str
    state: State
    use: str
    lacking: int
    approvals: list[Mapping[str, Any]]
    history: list[Mapping[str, Any]]
    is_from_one_account: bool
    is_stopped: bool
    propose_form: ProposeForm | None
    decide_form: DecideForm | None


@require_safe
def criteria(request: Any) -> HttpResponse:
    """The version at hand of both matters, and the point table in words."""
    return _page(request, {})


@require_POST
def propose(request: Any) -> HttpResponse:
    """Put the version at hand up for approval."""
    form = ProposeForm(request.POST)
    if not form.is_valid():
        return _page(request, {(request.POST.get("matter", ""), "propose"): form}, status=400)
    return _acted(request, Step.PROPOSE, form, "propose")


@require_POST
@sensitive_post_parameters("password")
def decide(request: Any) -> HttpResponse:
    """Approve or withdraw the version the person looked at; the password first."""
    form = DecideForm(request.POST)
    if form.is_valid() and not step_up.is_really(request, form.cleaned_data["password"]):
        form.add_error("password", "パスワードが違います。")
    if not form.is_valid():
        return _page(request, {(request.POST.get("matter", ""), "decide"): form}, status=400)
    return _acted(request, Step(form.cleaned_data["decision"]), form, "decide")


@require_safe
def capacity(request: Any) -> HttpResponse:
    """What other shares of 高 and 中 would mean, by the newest judgement: how many to look at, how many nobody knows."""
    now, _ = as_written(in_force(settings.HOME, settings.MUNICIPALITY))
    form = CapacityForm(request.GET or None, initial={key: 100 * now[key] for key in ("high", "middle")})
    asked = form.cleaned_data if form.is_valid() else {}
    kind = asked.get("type") or OVERALL
    high, middle = ((asked.get(key) or 100 * now[key]) / 100 for key in ("high", "middle"))
    rule = Suppression(settings.MUNICIPALITY.suppression_threshold, settings.MUNICIPALITY.rounding_base)
    judgement = Store(settings.HOME.store).current("judgements")
    shares = sorted({*SHARES, high, high + middle, now["high"], now["high"] + now["middle"]})
    found = reach_at(judgement, kind, shares) if judgement else []
    context = {
        "form": form,
        "kind": difficulty_label(kind),
        "judgement": judgement.manifest if judgement else None,
        "lines": [_reach_words(one, rule) for one in found],
        "now": [_reach_words(one, rule) for one in found if one.share in (now["high"], now["high"] + now["middle"])],
        "tried": [_reach_words(one, rule) for one in found if one.share in (high, high + middle)],
        "chart": _chart(found, rule, difficulty_label(kind)),
        "setting": {"high": f"{high:.4g}", "middle": f"{middle:.4g}"},
    }
    return render(request, "operations/capacity.html", context, status=400 if form.errors else 200)


def _acted(request: Any, step: Step, form: ProposeForm, what: str) -> HttpResponse:
    try:
        _act(request, step, form)
    except StaffError as refusal:
        status = told_on(request, form, refusal)
        return _page(request, {(form.cleaned_data["matter"], what): form}, status=status)
    return redirect("criteria")


def _act(request: Any, step: Step, form: ProposeForm) -> None:
    given = form.cleaned_data
    detail = {"what": Matter(given["matter"]).label, "version": given["version"][:12]}
    event = trail.event_of(request.actor, f"{step.value}_CRITERIA", reason=given["reason"], detail=detail)
    # The book has a trail of its own; the site's row says that it was this session's person.
    matter, version = Matter(given["matter"]), given["version"]
    words: dict[str, Any] = {"by": person_of(request.actor), "reason": given["reason"], "at": request.at}
    with trail.recorded(event, request.at):
        if adoption.site_version(settings.HOME, settings.MUNICIPALITY, matter, step, version):
            adoption.decide(settings.HOME, matter, version, step, **words)
        else:
            criteria_versions.act_on(settings.HOME, settings.MUNICIPALITY, step, [matter], version=version, **words)


def _page(request: Any, sent: Mapping[tuple[str, str], forms.Form], status: int = 200) -> HttpResponse:
    now = in_force(settings.HOME, settings.MUNICIPALITY)
    told = criteria_versions.status(settings.HOME, now)
    origins = adoption.origins(settings.HOME, settings.MUNICIPALITY)
    parts = [matter.value.lower() for matter in MATTERS]
    context = {
        "parts": [
            _part(request.actor, matter, {**told[part], "origin": origins[part]["origin"]}, sent)
            for matter, part in zip(MATTERS, parts, strict=True)
        ],
        "changed": told["criteria"]["changed"],
        "figures": _figure_words(told["thresholds"]["figures"]),
        "faults": told["thresholds"]["faults"],
        "title": adoption.title_of(now.criteria_folder),
        "groups": _point_groups(now),
        "origins": origins,
        "open_drafts": CriteriaDraft.objects.filter(state=DraftState.OPEN),
        "waiting_drafts": drafts.waiting(),
        "may_edit": can(request.actor.role, Action.EDIT_CRITERIA),
    }
    return render(request, "operations/criteria.html", context, status=status)


def _figure_words(figures: Mapping[str, Any]) -> list[str]:
    """Every capacity in force, everybody's first."""
    parts = [(part_name(part["type"], part["office"]), part) for part in figures.get("parts", ())]
    return [
        f"{name}: 「高」{share_words(one['high'])}、「中」{share_words(one['middle'])}"
        for name, one in [("すべての類型", figures), *parts]
    ]


def _part(actor: Actor, matter: Matter, told: Mapping[str, Any], sent: Mapping[tuple[str, str], forms.Form]) -> Part:
    state, first = State(told["state"]), {"matter": matter.value, "version": told["version"]}
    # What was written on the site and withdrawn is put up again as a new draft; only files are proposed as they lie.
    is_site = told["origin"] == SITE
    may_propose = can(actor.role, Action.PROPOSE_CRITERIA) and state in (State.UNKNOWN, State.WITHDRAWN) and not is_site
    may_decide = can(actor.role, Action.APPROVE_CRITERIA) and state in (State.PROPOSED, State.APPROVED)
    return Part(
        matter=matter, version=told["version"], state=state, use=USES[told["usable"]], lacking=told["lacking"],
        approvals=[act_words(act) for act in told["approvals"]], history=[act_words(act) for act in told["history"]],
        is_from_one_account=told["is_from_one_account"], is_stopped=is_site and state is State.WITHDRAWN,
        propose_form=_form(sent, matter, "propose", ProposeForm, first) if may_propose else None,
        decide_form=_form(sent, matter, "decide", DecideForm, first) if may_decide else None,
    )  # fmt: skip


def _form(sent: Mapping[Any, Any], matter: Matter, what: str, kind: type[forms.Form], first: Mapping[str, str]) -> Any:
    prefix = f"id_{matter.value.lower()}_{what}_%s"
    found = sent.get((matter.value, what)) or kind(initial=dict(first))
    found.auto_id = prefix
    return found


def _point_groups(now: Municipality) -> list[dict[str, Any]]:
    """The point table in force in words, type by type."""
    texts = adoption.texts_of(now.criteria_folder)
    groups = [{"type": kind.label, "rows": rows_of_type(texts, kind)} for kind in now.types]
    return [group for group in groups if group["rows"]]


def _reach_words(one: Reach, rule: Suppression) -> dict[str, str]:
    unknown, registered = rule.counts([one.unknown, one.registered])
    return {
        "share": f"{one.share:.1%}",
        "children": rule.text(one.children),
        "unknown": SUPPRESSED_MARK if unknown is None else f"{unknown:,}",
        "registered": SUPPRESSED_MARK if registered is None else f"{registered:,}",
    }


def _chart(found: list[Reach], rule: Suppression, label: str) -> Any:
    """Of all children registered already, the share that stands within so many: how well the order agrees with what is known."""
    all_registered = found[-1].all_registered if found else 0
    points = []
    for one in found:
        reached = rule.share(one.registered, all_registered)
        if reached is not None and one.share <= 0.5:
            points.append((one.share, reached))
    return charts.curve(points, f"{label}: 確認する割合と、すでに登録のあるこどものうち枠に入る割合") if points else ""

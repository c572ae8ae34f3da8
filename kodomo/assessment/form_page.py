"""A page with one form about one case: opened with its audit row, sent once, nothing typed is lost (casework side)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from kodomo.assessment import drafts, policies, trail
from kodomo.assessment.forms import OnceForm
from kodomo.assessment.lawful import lawful_at
from kodomo.assessment.models import Case
from kodomo.governance.permissions import Actor


@dataclass(frozen=True)
class FormPage:
    """What one such page is: its words, its form, what it does and where it leads.

    ``check`` refuses to open it where the case is not at that point; ``act`` is the write; ``about`` says in
    words what the form is about, where the case alone doesn't. ``stays``: whether it leads to a page of the case.
    ``newest`` tells the last record of the kind in words, for whoever comes too late; ``options`` are what the form is made with; ``part`` tells two pages of one kind apart.
    """

    opens_as: str
    title: str
    button: str
    form: type[OnceForm]
    act: Callable[..., None]
    leads_to: str
    check: Callable[[Case], None] = lambda case: None
    note: str = ""
    helps: Mapping[str, str] = field(default_factory=dict)
    initial: Callable[[Case, Actor], Mapping[str, Any]] = lambda case, actor: {}
    about: Callable[..., str] = lambda case, **more: ""
    stays: bool = True
    newest: Callable[[Case], Mapping[str, Any]] = lambda case: {}
    options: Callable[..., Mapping[str, Any]] = lambda **more: {}
    part: str = ""

    def name(self, **more: Any) -> str:
        """Under which a draft of this page is kept: each goal, package and inquiry of a case has its own."""
        return f"{self.opens_as}:{self.part or '/'.join(str(value) for value in more.values())}"


def answer(request: Any, case_number: str, page: FormPage, **more: Any) -> HttpResponse:
    """The page for GET; for POST the write, or the form again with what is wrong, or both texts side by side."""
    options, name = page.options(**more), page.name(**more)
    if drafts.is_asked(request):
        drafts.keep(request, Case.objects.get(case_number=case_number), name)
        return redirect(request.path)
    form = page.form(request.POST, **options) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            page.act(case_number, by=request.actor, at=request.at, **form.given(), **more)
        except policies.NotAcceptable as refusal:
            form.refuse(refusal)
        except policies.VersionConflict as conflict:
            return _conflict(request, case_number, page, conflict, form, name)
        else:
            drafts.drop(request, Case.objects.get(case_number=case_number), name)
            return redirect(page.leads_to, case_number=case_number) if page.stays else redirect(page.leads_to)
    found = opened_case(request, case_number, page.opens_as)
    page.check(found)
    before, kept_at = drafts.kept(request, found, name)
    form = form or page.form.opened(found.version, options, **{**page.initial(found, request.actor), **before})
    status = 400 if form.is_bound else 200
    return render(
        request,
        "assessment/form_page.html",
        {**_shown(request, found, page), "about": page.about(found, **more), "form": form, "kept_at": kept_at},
        status=status,
    )


def opened_case(request: Any, case_number: str, action: str) -> Case:
    """A case for showing something of it, with its audit row."""
    found = Case.objects.get(case_number=case_number)
    event = trail.event_of(request.actor, action, subject=found.child_key, detail={"case": case_number})
    trail.record_first(event, request.at)
    return found


def _shown(request: Any, found: Case, page: FormPage) -> dict[str, Any]:
    return {"case": found, "page": page, "lawful": lawful_at(request.at)}


def _conflict(
    request: Any, case_number: str, page: FormPage, conflict: policies.VersionConflict, form: OnceForm, name: str
) -> HttpResponse:
    found = opened_case(request, case_number, "VERSION_CONFLICT")
    drafts.keep(request, found, name)
    context = {
        "case": found,
        "conflict": conflict,
        "mine": form.in_words(),
        "theirs_elsewhere": page.leads_to if page.stays else "support",
        "again": request.path,
        "newest": page.newest(found),
    }
    return render(request, "assessment/conflict.html", context, status=409)

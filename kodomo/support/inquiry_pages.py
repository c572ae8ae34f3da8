"""Pages of an inquiry's file: made and handed out, and taken in again once somebody has looked at what it says (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.assessment import drafts, trail
from kodomo.assessment.form_page import opened_case
from kodomo.assessment.models import Inquiry
from kodomo.assessment.policies import NotAcceptable
from kodomo.errors import StaffError
from kodomo.support import inquiry_files
from kodomo.support.forms import FileForm, InquiryReturnForm
from kodomo.support.models import InquiryReturn
from kodomo.support.protection import protection_of
from kodomo.support.returned_form import SlipRefused
from kodomo.support.slip_reader import LARGEST_SLIP


@require_http_methods(["GET", "POST"])
def file(request: Any, case_number: str, inquiry: int) -> HttpResponse:
    """調査票のファイル: made anew on each asking, its password shown this once."""
    found = _inquiry(case_number, inquiry)
    form: Any = FileForm(request.POST) if request.method == "POST" else None
    password, was_shown, refusal = None, False, None
    if form is not None and form.is_valid():
        try:
            password = inquiry_files.seal_inquiry(
                case_number, inquiry, by=request.actor, token=form.cleaned_data["token"], at=request.at
            )
            was_shown = password is None
        except NotAcceptable as fault:
            refusal = fault
    case = opened_case(request, case_number, "OPEN_INQUIRY_FILE")
    context = {
        "case": case, "inquiry": found, "file": found.files.last(), "password": password, "was_shown": was_shown,
        "refusal": refusal, "form": FileForm.opened(case.version), "returned": found.returns.last(),
    }  # fmt: skip
    return render(request, "support/inquiry_file.html", context, status=400 if refusal else 200)


@require_safe
def download(request: Any, case_number: str, inquiry: int) -> HttpResponse:
    """The encrypted file itself. Its name says nothing but the number."""
    with transaction.atomic():
        found = _inquiry(case_number, inquiry)
        inquiry_files.check_can_leave(found, protection_of(found.case, by=request.actor, at=request.at))
        newest = found.files.last()
        if newest is None or not newest.content:
            raise Http404
        detail = {"case": case_number, "inquiry": found.number, "edition": newest.edition}
        event = trail.event_of(request.actor, "DOWNLOAD_INQUIRY", subject=found.case.child_key, detail=detail)
        trail.append(event, request.at, settings.HOME)
    sent = HttpResponse(bytes(newest.content), content_type="application/zip")
    sent["Content-Disposition"] = f'attachment; filename="{inquiry_files.file_stem(found)}.zip"'
    return sent


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def hand_in(request: Any, case_number: str, inquiry: int) -> HttpResponse:
    """戻った調査票を取り込む: choose the file, look at what it says, confirm. Until then nothing is recorded."""
    found = _inquiry(case_number, inquiry)
    step = request.POST.get("step", "") if request.method == "POST" else ""
    if step == "read":
        return _read(request, found)
    if step == "confirm":
        return _confirm(request, found)
    if step == "leave":
        drafts.drop(request, found.case, _draft(found))
        return redirect("inquiry-return", case_number=case_number, inquiry=inquiry)
    return _page(request, found, status=400 if request.method == "POST" else 200)


def _read(request: Any, found: Inquiry) -> HttpResponse:
    """Read a file and keep what it says as this person's draft; a refusal says what, where and what next."""
    form = InquiryReturnForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, form=form, status=400)
    number, given = found.case.case_number, form.cleaned_data
    try:
        read = inquiry_files.read_form(
            number, found.pk, given["slip"].read(LARGEST_SLIP + 1), by=request.actor, at=request.at,
            password=given["password"],
        )  # fmt: skip
    except SlipRefused as refusal:
        return _refused(request, found, refusal, form)
    detail = {"case": number, "inquiry": found.number, "edition": read.edition, "sha256": read.sha256}
    event = trail.event_of(request.actor, "READ_INQUIRY_FORM", subject=found.case.child_key, detail=detail)
    with trail.recorded(event, request.at):
        drafts.put(request, found.case, _draft(found), read.kept())
    return redirect("inquiry-return", case_number=number, inquiry=found.pk)


def _confirm(request: Any, found: Inquiry) -> HttpResponse:
    """Record what was shown, once: a second click finds it recorded."""
    number, shown = found.case.case_number, request.POST.get("digest", "")
    kept, _ = drafts.kept(request, found.case, _draft(found))
    read = inquiry_files.ReadForm.from_kept(kept) if kept else None
    if read is None or read.digest != shown:
        mine = {"inquiry": found, "digest": shown, "written_by": request.actor.username}
        if InquiryReturn.objects.filter(**mine).exists():
            return redirect("case", case_number=number)
        return _refused(request, found, SlipRefused(
            "not_shown", "確かめた回答が、もうありません。別の画面でファイルを選び直したか、やめています。まだ記録していません。",
            then="いま表示している内容を確かめるか、ファイルをもう一度選んでください。",
        ))  # fmt: skip
    form = FileForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=400)
    try:
        inquiry_files.record_form(
            number, found.pk, read, by=request.actor, token=form.cleaned_data["token"], at=request.at
        )
    except SlipRefused as refusal:
        drafts.drop(request, found.case, _draft(found))
        return _refused(request, found, refusal)
    drafts.drop(request, found.case, _draft(found))
    return redirect("case", case_number=number)


def _refused(request: Any, found: Inquiry, refusal: StaffError, form: Any = None) -> HttpResponse:
    """What was refused leaves a row too: by its code, never by what it said."""
    detail = {"case": found.case.case_number, "inquiry": found.number, "code": refusal.details.get("code", "")}
    event = trail.event_of(request.actor, "REFUSE_INQUIRY_FORM", subject=found.case.child_key, detail=detail)
    with trail.recorded(event, request.at):
        return _page(request, found, form=form, refusal=refusal, status=400)


def _page(
    request: Any, found: Inquiry, *, form: Any = None, refusal: StaffError | None = None, status: int = 200
) -> HttpResponse:
    case = opened_case(request, found.case.case_number, "OPEN_INQUIRY_RETURN")
    kept, kept_at = drafts.kept(request, case, _draft(found))
    context = {
        "case": case, "inquiry": found, "refusal": refusal, "kept_at": kept_at, "earlier": found.answers.all(),
        "read": inquiry_files.ReadForm.from_kept(kept) if kept else None, "file": found.files.defer("content").last(),
        "form": form or InquiryReturnForm.opened(case.version), "confirming": FileForm.opened(case.version),
    }  # fmt: skip
    return render(request, "support/inquiry_return.html", context, status=status)


def _inquiry(case_number: str, inquiry: int) -> Inquiry:
    return get_object_or_404(Inquiry.objects.select_related("case"), pk=inquiry, case__case_number=case_number)


def _draft(found: Inquiry) -> str:
    return f"INQUIRY_RETURN:{found.pk}"

"""受け渡しデータ: what each source delivered, how fresh it is, what became of each file; handing one in (casework side)."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.errors import Busy, IntegrityFault, NotPermitted, NotReady
from kodomo.governance.permissions import Action, Scope, can, scope
from kodomo.jobs.book import JobStep
from kodomo.operations.jobs_page import put_and_start
from kodomo.operations.kinds import RECEIVE
from kodomo.operations.sources import Source, all_sources, own_sources
from kodomo.operations.uploads import UPLOAD_BYTES, keep, name_fault
from kodomo.vault.desk import Desk, open_desk

SHOWN = 40
ROWS_SHOWN = 500
"""Quarantined rows listed on a page; the summary above them counts all."""

FILE_HELP = f"一つのファイルか、まとめた圧縮ファイル。{UPLOAD_BYTES // (1024 * 1024)} メガバイトまで"

ENDED_WORDS = {"wipe": "消去", "return": "返却", "destroy": "破壊"}


class UploadForm(forms.Form):
    """ファイルの受け渡し."""

    file = forms.FileField(
        label="ファイル",
        error_messages={"required": "ファイルを選んでください。", "empty": "ファイルの中身がありません。"},
    )
    carrier = forms.ChoiceField(label="届いた媒体", required=False)
    password = forms.CharField(
        label="ファイルのパスワード", required=False, max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, carriers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        carrier: Any = self.fields["carrier"]
        carrier.choices = [("", "媒体ではない(この画面から渡す)"), *((label, label) for label in carriers)]

    def clean_file(self) -> UploadedFile:
        """The name is matched with layouts, never used as a path; still it must be a name."""
        given: UploadedFile = self.cleaned_data["file"]
        fault = name_fault(str(given.name))
        if fault:
            raise forms.ValidationError(fault)
        if (given.size or 0) > UPLOAD_BYTES:
            raise forms.ValidationError("ファイルが大きすぎます。媒体で渡してください。")
        return given


@require_safe
def deliveries(request: Any) -> HttpResponse:
    """Every source with its freshness, the newest receipts, and the files of which nothing was taken."""
    sources = own_sources(request.actor, settings.MUNICIPALITY)
    door = desk(request, sources)
    receipts = door.receipts()
    newest: dict[str, dict[str, Any]] = {}
    for receipt in reversed(receipts):
        newest[receipt["source"]] = receipt
    fresh = {line["source"]: line for line in door.freshness({s.code: s.freshness_days for s in sources.values()})}
    lines: list[dict[str, Any]] = [
        {"source": s, "fresh": fresh[s.code], "newest": newest.get(s.code)} for s in sources.values()
    ]
    lines.sort(key=lambda line: (line["fresh"]["is_fresh"], line["fresh"]["age_days"] is not None))
    context = {
        "lines": lines,
        "late": sum(not line["fresh"]["is_fresh"] for line in lines),
        "receipts": [{**r, "caption": _caption(sources, r["source"])} for r in receipts[:SHOWN]],
        "refusals": [{**r, "caption": _caption(sources, r["source"])} for r in door.refusals()[:SHOWN]],
        "may_upload": can(request.actor.role, Action.UPLOAD_DELIVERY) and bool(sources),
    }
    return render(request, "operations/deliveries.html", context)


@require_safe
def delivery(request: Any, receipt: int) -> HttpResponse:
    """The report of one delivery, fit for printing and handing to its holder."""
    sources = own_sources(request.actor, settings.MUNICIPALITY)
    try:
        report = desk(request, sources).report(receipt)
    except NotReady as missing:
        raise Http404 from missing
    entries = report.get("quarantined", [])
    sums = Counter((e["code"], e["reason"], e["column"], e["advice"]) for e in entries)
    context = {
        "report": report,
        "source": sources.get(report["source"]),
        "sums": [{"code": c, "reason": r, "column": col, "advice": a, "count": n} for (c, r, col, a), n in sums.most_common()],
        "rows": entries[:ROWS_SHOWN],
        "more": max(0, len(entries) - ROWS_SHOWN),
        "may_hand_in": can(request.actor.role, Action.UPLOAD_DELIVERY),
    }  # fmt: skip
    return render(request, "operations/delivery.html", context)


@require_safe
def refused(request: Any, refusal: int) -> HttpResponse:
    """Why nothing was taken of one file, and what to do."""
    sources = own_sources(request.actor, settings.MUNICIPALITY)
    try:
        report = desk(request, sources).refusal(refusal)
    except NotReady as missing:
        raise Http404 from missing
    may_hand_in = can(request.actor.role, Action.UPLOAD_DELIVERY)
    context = {"report": report, "source": sources.get(report.get("source", "")), "may_hand_in": may_hand_in}
    return render(request, "operations/delivery_refused.html", context)


@require_safe
def media(request: Any) -> HttpResponse:
    """媒体管理簿: which medium came by whose hand, and whether it still holds names in clear."""
    entries = _media(request)
    context = {"entries": [{**e, "ended_words": ENDED_WORDS.get(e["ended_how"], "")} for e in entries]}
    return render(request, "operations/media.html", context)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
def upload(request: Any) -> HttpResponse:
    """Hand a file in: it is received by a job of its own, with every check a medium's file gets."""
    sources = own_sources(request.actor, settings.MUNICIPALITY)
    carriers = [entry["label"] for entry in _media(request) if entry["ended_at"] is None]
    form = UploadForm(request.POST or None, request.FILES or None, carriers=carriers)
    if not sources:
        raise NotPermitted(
            "あなたの部署が保有する出所は、登録されていません。", then="総括管理主体の担当に登録を頼んでください。"
        )
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "sources": sources.values(), "file_help": FILE_HELP}
        return render(request, "operations/upload.html", context, status=400 if form.errors else 200)
    given = form.cleaned_data
    path, secret = keep(settings.HOME, given["file"], given["password"])
    words = [
        "receive",
        str(path),
        "--medium",
        "MEDIA" if given["carrier"] else "MANUAL",
        f"--carrier={given['carrier']}",
    ]
    if scope(request.actor.role, Action.UPLOAD_DELIVERY) is Scope.OWN_OFFICE:
        words += [word for code in sources for word in ("--source", code)]
    if secret:
        words += ["--password-file", str(secret)]
    steps = [JobStep("受け取りと検査", tuple(words))]
    try:
        number = put_and_start(request, RECEIVE, "データの受け取り", steps, leftovers=str(path.parent), file=path.name)
    except (Busy, IntegrityFault):  # no job, or one that will never run, would take the file away
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return redirect("job", number)


def desk(request: Any, sources: dict[str, Source]) -> Desk:
    """The operators' door for this person; a holder's office sees its own sources through it."""
    actor = request.actor
    own_only = scope(actor.role, Action.VIEW_DELIVERIES) is Scope.OWN_OFFICE
    seen = list(sources) if own_only else None
    return open_desk(settings.HOME, by=actor.username, role=actor.role.value, at=request.at, sources=seen)


def _media(request: Any) -> list[dict[str, Any]]:
    actor = request.actor
    own_only = scope(actor.role, Action.VIEW_DELIVERIES) is Scope.OWN_OFFICE
    offices = [settings.MUNICIPALITY.office(actor.office).name, actor.office] if own_only else None
    return desk(request, {}).media(offices)


def _caption(sources: dict[str, Source], code: str) -> str:
    found = sources.get(code) or all_sources(settings.MUNICIPALITY).get(code)
    return found.caption if found else (code or "分からない")

"""Pages of packages (受け渡し票): what a partner without an account gets on paper, and what came back (casework side)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import segno
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.assessment import trail
from kodomo.assessment.actions import local_day, reveal_name
from kodomo.assessment.form_page import FormPage, answer, opened_case
from kodomo.assessment.forms import RevealForm
from kodomo.assessment.lawful import lawful_at
from kodomo.assessment.models import Case
from kodomo.assessment.policies import can_reveal
from kodomo.assessment.states import REVEAL_PURPOSES
from kodomo.assessment.step_up import is_really
from kodomo.support import package_actions, package_policies, policies, replies
from kodomo.support.forms import ApprovalForm, FileForm, PackageEventForm, PackageForm
from kodomo.support.models import Package
from kodomo.support.protection import protection_of, why_unknown

MAKE = FormPage(
    opens_as="OPEN_PACKAGE", title="受け渡し票をつくる", button="受け渡し票をつくる", form=PackageForm,
    act=package_actions.make_package, leads_to="support", check=package_policies.check_can_package,
    note="氏名・住所・判定・ほかの部署の事実は渡しません。受け渡し先の役割に要ることだけを書いてください。だれのことかは、この票とは別に、口頭で伝えます。支援措置のある、または有無を確かめられない家庭の票は、承認者が承認するまで渡せません。",
    helps={"goal": "選ぶと、回答票の「様子の変化」がその目標の結果として記録されます",
           "reply_by": "なければ使える期限まで待ちます。過ぎると台帳で催促の対象になります",
           "request": "例: 放課後の見学に誘い、来た日と様子を回答票に書いてもらう",
           "heed": "学校・園・NPOだけに渡します。家庭の事情や病名は書かない",
           "expires_on": "明日から180日以内。期限が来たら廃棄してもらい、記録します"},
)  # fmt: skip
EVENT = FormPage(
    opens_as="OPEN_PACKAGE_EVENT", title="受け渡しの経過を記録する", button="経過を記録する", form=PackageEventForm,
    act=package_actions.record_package_event, leads_to="support", about=package_policies.words_of_package,
    helps={"on": "今日までの日。例: 2026-11-20、令和8年11月20日", "text": "電話などで回答を受けたときは「回答票が戻った」を選び、内容を必ず書いてください"},
)  # fmt: skip
APPROVE = FormPage(
    opens_as="OPEN_APPROVAL", title="受け渡しを承認する", button="答えを記録する", form=ApprovalForm,
    act=package_actions.answer_package, leads_to="support",
    note="支援措置のある、または有無を確かめられない家庭の受け渡し票です。渡すことで居場所が知られるおそれがないか、受け渡し先のだれが読むか、別の方法がないかを確かめてください。紙やファイルに受け渡し先の名前・学年は載りません。",
    helps={"reason": "例: 校長と養護教諭だけが読むこと、相手方との関わりがないことを確かめた"},
)  # fmt: skip


@require_http_methods(["GET", "POST"])
def make(request: Any, case_number: str) -> HttpResponse:
    """受け渡し票をつくる."""
    note = MAKE.note + why_unknown(lawful_at(request.at))
    plan = policies.current_plan(get_object_or_404(Case, case_number=case_number))
    goals = [(str(goal.number), f"目標{goal.number} {goal.text}") for goal in plan.goals.all()] if plan else []
    return answer(request, case_number, replace(MAKE, note=note, options=lambda **more: {"goals": goals}))


@require_http_methods(["GET", "POST"])
def event(request: Any, case_number: str, package: int) -> HttpResponse:
    """経過を記録する."""
    return answer(request, case_number, EVENT, package=package)


@require_http_methods(["GET", "POST"])
def approve(request: Any, case_number: str, package: int) -> HttpResponse:
    """受け渡しを承認する: the approver reads all that would leave, and answers in words."""

    def about(case: Case, package: int) -> str:
        found = package_policies.package_of(case, package)
        protection = protection_of(case, by=request.actor, at=request.at)
        lines = [f"受け渡し番号 {found.number}({protection.label})", f"受け渡し先: {found.partner_name}({found.partner_caption})",
                 f"頼むこと: {found.request}", f"気を付けること: {found.heed}" if found.heed else "", f"つくった人: {found.written_by_name}"]  # fmt: skip
        return "\n".join(line for line in lines if line)

    return answer(
        request,
        case_number,
        replace(APPROVE, about=about, note=APPROVE.note + why_unknown(lawful_at(request.at))),
        package=package,
    )


@require_safe
def paper(request: Any, case_number: str, package: int) -> HttpResponse:
    """受け渡し票 on A4, for the partner: its own number, no name, no case number, and a slip to send back."""
    return _printed(request, case_number, package, "PRINT_PACKAGE", "support/package.html")


@require_safe
def reminder(request: Any, case_number: str, package: int) -> HttpResponse:
    """催促状 on A4: the number and the days alone; nothing of what was asked, and nothing of the child."""
    with transaction.atomic():
        found = _package(case_number, package)
        package_policies.check_can_remind(found, local_day(request.at))
        protection = protection_of(found.case, by=request.actor, at=request.at)
        detail = {"case": case_number, "package": found.number}
        row = trail.event_of(request.actor, "PRINT_REMINDER", subject=found.case.child_key, detail=detail)
        number = trail.append(row, request.at, settings.HOME)
    context = {"package": found, "case": found.case, "number": number, "is_expired": found.expires_on < local_day(request.at),
               "names_partner": "partner_name" in package_policies.items_of(found, protection)}  # fmt: skip
    return render(request, "support/package_reminder.html", context)


@require_http_methods(["GET", "POST"])
def file(request: Any, case_number: str, package: int) -> HttpResponse:
    """受け渡しファイル: made anew on each asking, its password shown this once."""
    found = _package(case_number, package)
    form: Any = FileForm(request.POST) if request.method == "POST" else None
    password, was_shown = None, False
    if form is not None and form.is_valid():
        password = replies.seal_package(found, by=request.actor, token=form.cleaned_data["token"], at=request.at)
        was_shown = password is None
    opened_case(request, case_number, "OPEN_PACKAGE_FILE")
    context = {"case": found.case, "package": found, "file": found.files.last(), "password": password,
               "was_shown": was_shown, "form": FileForm.opened(found.case.version)}  # fmt: skip
    return render(request, "support/package_file.html", context)


@require_safe
def download(request: Any, case_number: str, package: int) -> HttpResponse:
    """The encrypted file itself. Its name says nothing but the number."""
    with transaction.atomic():
        found = _package(case_number, package)
        protection = protection_of(found.case, by=request.actor, at=request.at)
        package_policies.check_can_give(found, protection, local_day(request.at), lawful_at(request.at).register)
        newest = found.files.last()
        if newest is None or not newest.content:
            raise Http404
        package_policies.check_file(newest, protection)
        detail = {"case": case_number, "package": found.number, "edition": newest.edition}
        event = trail.event_of(request.actor, "DOWNLOAD_PACKAGE", subject=found.case.child_key, detail=detail)
        trail.append(event, request.at, settings.HOME)
    sent = HttpResponse(bytes(newest.content), content_type="application/zip")
    sent["Content-Disposition"] = f'attachment; filename="kodomo-{found.number}.zip"'
    return sent


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def key(request: Any, case_number: str, package: int) -> HttpResponse:
    """逆引き票, kept in the office apart from the package: whose the partner's number is.

    A name opens here as everywhere: for a purpose, after the password once more, with a row on both sides.
    """
    found = _package(case_number, package)
    form = RevealForm(request.POST or None)
    opened = opened_case(request, case_number, "OPEN_PACKAGE_KEY")
    context = {"package": found, "case": opened, "form": form, "can_reveal": can_reveal(opened, lawful_at(request.at))}
    if request.method == "POST" and form.is_valid():
        if is_really(request, form.cleaned_data["password"]):
            purpose = form.cleaned_data["purpose"]
            identity = reveal_name(case_number, by=request.actor, purpose_code=purpose, at=request.at)
            detail = {"case": case_number, "package": found.number}
            row = trail.event_of(request.actor, "PRINT_PACKAGE_KEY", subject=opened.child_key, detail=detail)
            with transaction.atomic():
                number = trail.append(row, request.at, settings.HOME)
            shown = {**context, "identity": identity, "number": number, "purpose": REVEAL_PURPOSES[purpose]}
            return render(request, "support/package_key.html", shown)
        form.add_error("password", "パスワードが違います。")
    return render(request, "support/package_key_ask.html", context, status=400 if form.errors else 200)


def _package(case_number: str, package: int) -> Package:
    found = Package.objects.select_related("case").prefetch_related("events", "approvals", "files")
    return get_object_or_404(found, pk=package, case__case_number=case_number)


def _printed(request: Any, case_number: str, package: int, action: str, template: str) -> HttpResponse:
    with transaction.atomic():
        found = _package(case_number, package)
        protection = protection_of(found.case, by=request.actor, at=request.at)
        package_policies.check_can_give(found, protection, local_day(request.at), lawful_at(request.at).register)
        detail = {"case": case_number, "package": found.number, "protection": protection.value}
        row = trail.event_of(request.actor, action, subject=found.case.child_key, detail=detail)
        number = trail.append(row, request.at, settings.HOME)
    picture = segno.make(f"{found.number}/{number}", error="m").svg_inline(
        scale=4, border=2, svgclass="qr", lineclass=None
    )
    context = {"package": found, "case": found.case, "number": number, "picture": picture,
               "items": package_policies.items_of(found, protection), "course": package_policies.course_of(found.case)}  # fmt: skip
    return render(request, template, context)

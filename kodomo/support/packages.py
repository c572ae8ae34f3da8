"""Pages of packages (受け渡し票): what a partner without an account gets on paper, and what came back (casework side)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import segno
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from kodomo.assessment import trail
from kodomo.assessment.form_page import FormPage, answer
from kodomo.assessment.models import Case
from kodomo.support import package_actions, package_policies
from kodomo.support.forms import ApprovalForm, PackageEventForm, PackageForm
from kodomo.support.models import Package
from kodomo.support.protection import protection_of

MAKE = FormPage(
    opens_as="OPEN_PACKAGE", title="受け渡し票をつくる", button="受け渡し票をつくる", form=PackageForm,
    act=package_actions.make_package, leads_to="support", check=package_policies.check_can_package,
    note="氏名・住所・判定・ほかの部署の事実は渡しません。受け渡し先の役割に要ることだけを書いてください。だれのことかは、この票とは別に、口頭で伝えます。支援措置のある、または有無を確かめられない家庭の票は、承認者が承認するまで渡せません。",
    helps={"request": "例: 放課後の見学に誘い、来た日を返信票に書いてもらう",
           "heed": "学校・園・NPOだけに渡します。家庭の事情や病名は書かない",
           "expires_on": "明日から180日以内。期限が来たら廃棄してもらい、記録します"},
)  # fmt: skip
EVENT = FormPage(
    opens_as="OPEN_PACKAGE_EVENT", title="受け渡しの経過を記録する", button="経過を記録する", form=PackageEventForm,
    act=package_actions.record_package_event, leads_to="support", about=package_policies.words_of_package,
    helps={"on": "今日までの日。例: 2026-11-20、令和8年11月20日", "text": "返信票のときは必ず書いてください"},
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
    return answer(request, case_number, MAKE)


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
        lines = [f"受け渡し番号 {found.number}({protection.label})", f"受け渡し先: {found.partner_name}({found.get_partner_display()})",
                 f"頼むこと: {found.request}", f"気を付けること: {found.heed}" if found.heed else "", f"つくった人: {found.written_by_name}"]  # fmt: skip
        return "\n".join(line for line in lines if line)

    return answer(request, case_number, replace(APPROVE, about=about), package=package)


@require_safe
def paper(request: Any, case_number: str, package: int) -> HttpResponse:
    """受け渡し票 on A4, for the partner: its own number, no name, no case number, and a slip to send back."""
    return _printed(request, case_number, package, "PRINT_PACKAGE", "support/package.html")


@require_safe
def key(request: Any, case_number: str, package: int) -> HttpResponse:
    """逆引き票, kept in the office apart from the package: which case the partner's number is."""
    return _printed(request, case_number, package, "PRINT_PACKAGE_KEY", "support/package_key.html")


def _printed(request: Any, case_number: str, package: int, action: str, template: str) -> HttpResponse:
    with transaction.atomic():
        found = get_object_or_404(Package.objects.select_related("case"), pk=package, case__case_number=case_number)
        protection = protection_of(found.case, by=request.actor, at=request.at)
        package_policies.check_can_leave(found, protection)
        detail = {"case": case_number, "package": found.number, "protection": protection.value}
        row = trail.event_of(request.actor, action, subject=found.case.child_key, detail=detail)
        number = trail.append(row, request.at, settings.HOME)
    picture = segno.make(f"{found.number}/{number}", error="m").svg_inline(
        scale=4, border=2, svgclass="qr", lineclass=None
    )
    context = {"package": found, "case": found.case, "number": number, "picture": picture,
               "items": package_policies.items_of(found, protection)}  # fmt: skip
    return render(request, template, context)

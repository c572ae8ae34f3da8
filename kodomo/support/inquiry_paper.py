"""調査票: an inquiry on A4 for a school, nursery or office, with room for the answer (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.assessment.models import Inquiry
from kodomo.assessment.policies import NotAcceptable
from kodomo.support.protection import protection_of
from kodomo.support.words import Protection


@require_safe
def inquiry_paper(request: Any, case_number: str, inquiry: int) -> HttpResponse:
    """調査票 under a number of its own: the questions and the day alone; no name, no case number, no judgement.

    Raises:
        NotAcceptable: the family is under 支援措置, or perhaps under it: a paper can be left lying about.
    """
    found = get_object_or_404(Inquiry.objects.select_related("case"), pk=inquiry, case__case_number=case_number)
    with transaction.atomic():
        protection = protection_of(found.case, by=request.actor, at=request.at)
        if protection is not Protection.NONE:
            raise NotAcceptable(
                f"「{protection.label}」の家庭の調査票は、紙では渡せません。",
                where=f"事例 {case_number}",
                then="会うか電話で聞き、「回答を記録する」に書いてください。",
            )
        detail = {"case": case_number, "inquiry": found.number}
        row = trail.event_of(request.actor, "PRINT_INQUIRY", subject=found.case.child_key, detail=detail)
        number = trail.append(row, request.at, settings.HOME)
    context = {"inquiry": found, "case": found.case, "number": number}
    return render(request, "support/inquiry_paper.html", context)

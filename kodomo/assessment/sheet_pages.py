"""Pages of assessment sheets: one for each difficulty type the municipality keeps a sheet for (casework side)."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from kodomo.assessment import actions
from kodomo.assessment.form_page import FormPage, answer
from kodomo.assessment.forms import SheetForm
from kodomo.assessment.models import Case
from kodomo.assessment.policies import check_is_open
from kodomo.assessment.sheets import Sheet, current_sheets
from kodomo.governance.permissions import Actor


@require_http_methods(["GET", "POST"])
def sheet(request: Any, case_number: str, kind: str) -> HttpResponse:
    """アセスメントシート: degrees and words for what somebody looked into."""
    found = current_sheets(settings.MUNICIPALITY).get(kind)
    if found is None:
        raise Http404(f"no sheet {kind}")
    return answer(request, case_number, _page(found), kind=kind)


def _page(found: Sheet) -> FormPage:
    return FormPage(
        opens_as="OPEN_SHEET",
        title=f"アセスメントシート({found.type.label})",
        button="シートを保存する",
        form=SheetForm,
        act=actions.write_sheet,
        leads_to="case",
        check=check_is_open,
        note=f"{found.caption}。点数にはなりません。確かめていない項目は「わからない・確かめていない」のままにしてください。",
        helps={f"degree_{item.code}": item.help for item in found.items},
        initial=partial(_own_last, found),
        options=lambda **more: {"sheet": found},
        part=found.type.value,
    )


def _own_last(found: Sheet, case: Case, actor: Actor) -> dict[str, Any]:
    """A further look begins where one's own last one stands; a colleague's answers would sway."""
    last = case.sheets.filter(type=found.type.value, written_by=actor.username).last()
    answers = last.answers if last else {}
    return {
        f"{part}_{code}": answers[code][part]
        for code in found.captions()
        if code in answers
        for part in ("degree", "text")
    }

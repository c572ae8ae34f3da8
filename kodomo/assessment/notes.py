"""Pages of what people say beside a decision: a note, and that they do not agree with the judgement (casework side)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from kodomo.assessment import actions, policies
from kodomo.assessment.form_page import FormPage, answer
from kodomo.assessment.forms import DisagreementForm, NoteForm
from kodomo.assessment.models import Case

NOTE = FormPage(
    opens_as="OPEN_NOTE",
    title="メモを書く",
    button="メモを残す",
    form=NoteForm,
    act=actions.write_note,
    leads_to="case",
    check=policies.check_is_open,
    note="状態も次回確認日も変わりません。接触したことは「訪問・面談・電話を記録する」に書いてください。",
    helps={"text": "例: 電話は夕方がよい、来月の会議で確かめる。氏名・住所は書かない"},
)

DISAGREE = FormPage(
    opens_as="OPEN_DISAGREE",
    title="判定に同意しない",
    button="意見を記録する",
    form=DisagreementForm,
    act=actions.disagree,
    leads_to="case",
    check=policies.check_is_open,
    note="判定は変わりませんが、意見は個票に残ります。選んだ類型と意見だけが氏名も文章もなく学習に戻り、次の判定の参考になります。",
    helps={"text": "確かめたこと、実際と違うこと", "kind": "総合を選ぶと、挙がった類型すべてについての意見になります"},
)


@require_http_methods(["GET", "POST"])
def note(request: Any, case_number: str) -> HttpResponse:
    """メモを書く."""
    return answer(request, case_number, NOTE)


@require_http_methods(["GET", "POST"])
def disagree(request: Any, case_number: str) -> HttpResponse:
    """判定に同意しない: for whoever has seen the judgement."""
    policies.check_has_seen_levels(get_object_or_404(Case, case_number=case_number), request.actor)
    return answer(request, case_number, DISAGREE)

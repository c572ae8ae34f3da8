"""Pages of inquiries (調査): what a school, nursery or office is asked, and what it answered (casework side)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from kodomo.assessment import actions, policies
from kodomo.assessment.form_page import FormPage, answer
from kodomo.assessment.forms import AnswerForm, InquiryForm

ASK = FormPage(
    opens_as="OPEN_INQUIRY",
    title="学校・園等に調査を頼む",
    button="調査を記録する",
    form=InquiryForm,
    act=actions.ask_inquiry,
    leads_to="case",
    check=policies.check_can_ask,
    note="判定の結果や点数は、照会先に伝えません。聞くことは、事実を確かめる最小限にしてください。",
    helps={
        "questions": "一行に一つ。例: 保健室の利用。選んでもらうときは「登校の様子(選択: 毎日、週に数日、来ていない)」",
        "due_on": "明日から1年以内。例: 2026-12-10、令和8年12月10日",
    },
)

ANSWER = FormPage(
    opens_as="OPEN_ANSWER",
    title="調査の回答を記録する",
    button="回答を記録する",
    form=AnswerForm,
    act=actions.answer_inquiry,
    leads_to="case",
    note="後から届いたことは、もう一件の回答として書いてください。前の回答は残ります。",
    about=policies.words_of_inquiry,
    helps={"answered_on": "今日までの日。例: 2026-11-20、令和8年11月20日"},
)


@require_http_methods(["GET", "POST"])
def ask(request: Any, case_number: str) -> HttpResponse:
    """調査を頼む."""
    return answer(request, case_number, ASK)


@require_http_methods(["GET", "POST"])
def record_answer(request: Any, case_number: str, inquiry: int) -> HttpResponse:
    """回答を記録する."""
    return answer(request, case_number, ANSWER, inquiry=inquiry)

"""What is possible on a case in its state: rules in pairs, ``check_…`` refuses and ``can_…`` answers (casework side).

Who may do it is decided in ``governance.permissions``; this module asks only whether it makes sense.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from django.db.models import F, QuerySet

from kodomo.assessment.interests import has_interest
from kodomo.assessment.lawful import Lawful
from kodomo.assessment.models import AgendaItem, Case, FirstView, Inquiry, MemberView
from kodomo.assessment.moves import InquiryState
from kodomo.assessment.questions import fault_of_choices
from kodomo.assessment.sheets import Degree, Sheet
from kodomo.assessment.states import (
    DATED_DECISIONS,
    INQUIRED,
    REASON_CODES,
    REVEAL_PURPOSES,
    WORKED_STATES,
    Agreement,
    CaseState,
    Opinion,
)
from kodomo.errors import NotPermitted, StaffError
from kodomo.governance.permissions import Action, Actor, Role, can
from kodomo.terms import Decision

LONGEST_WAIT_DAYS = 366
"""A next date further away than a year is no follow-up."""

TEXT_LIMIT = 4_000
"""Characters of a free text; more belongs into an attachment."""


class VersionConflict(StaffError):
    """Somebody else changed the case while the form was open; nothing was saved."""

    exit_code = 8


class NotAcceptable(StaffError):
    """What was entered does not hold together; nothing was saved."""


def check_version(case: Case, version: int) -> None:
    """A write is accepted only if the case is still as it was when the form was opened."""
    if case.version != version:
        raise VersionConflict(
            "この事例は、あなたが画面を開いた後に、ほかの人が更新しました。",
            where=f"事例 {case.case_number}",
            then="最新の内容を確かめ、必要なら書き直して、もう一度保存してください。",
        )


def first_view_of(case: Case, username: str) -> FirstView | None:
    """A person's first view of the case under its current judgement."""
    # A page asks this for each of its buttons, of views it has read already.
    found = [v for v in case.first_views.all() if v.judgement_name == case.judgement_name and v.written_by == username]
    return max(found, key=lambda view: view.pk, default=None)


def can_see_levels(case: Case, actor: Actor) -> bool:
    """Levels, reasons and their order are shown to an assessor only after their own first view is written.

    People who do not assess (committee, approver) see them once somebody's first view of this
    judgement stands; a member called to decide on the case only after their own view. The coordinating office, which runs the judgement, sees them at once.
    """
    return case.pk in cases_with_levels([case], actor)


def cases_with_levels(cases: Collection[Case], actor: Actor) -> set[int]:
    """The same rule for a whole list, asked of the database once: keys of the cases whose levels may be seen."""
    if sees_levels_at_once(actor):
        return {case.pk for case in cases}
    views = views_that_open_levels(actor).filter(case__in=[case.pk for case in cases])
    return set(views.values_list("case_id", flat=True))


def sees_levels_at_once(actor: Actor) -> bool:
    """The coordinating office narrows down by the levels; nobody who assesses or decides sees them unasked."""
    return actor.role is Role.COORDINATOR


def views_that_open_levels(actor: Actor) -> QuerySet[FirstView]:
    """The first views of current judgements by which the person may see their cases' levels."""
    views = FirstView.objects.filter(judgement_name=F("case__judgement_name"))
    if can(actor.role, Action.WRITE_FIRST_VIEW, own_office=True):
        return views.filter(written_by=actor.username)
    if can(actor.role, Action.WRITE_MEMBER_VIEW):
        return views.exclude(case__in=_before_the_member(actor.username))
    return views


def _before_the_member(username: str) -> QuerySet[Case]:
    """Cases of whose undecided item a member has not said what they think, or must not say: they stay blind there."""
    spoken = MemberView.objects.filter(username=username, has_interest=False).values("item")
    called = AgendaItem.objects.filter(
        conference__members__username=username, conference__called_off_at=None, decided=None
    )
    return Case.objects.filter(agenda__in=called.exclude(pk__in=spoken))


def check_can_write_first_view(case: Case, actor: Actor, text: str) -> None:
    """A person writes one first view for each judgement, in words, before seeing the levels."""
    if first_view_of(case, actor.username) is not None:
        raise NotAcceptable(
            "一次所見はもう書かれています。判定を見た後に一次所見を変えることはできません。",
            where=f"事例 {case.case_number}",
            then="考えが変わったときは、判断の理由に書いてください。",
        )
    check_text(text, "一次所見", required=True)


def can_write_first_view(case: Case, actor: Actor) -> bool:
    """Whether the person's first view of the current judgement is still missing."""
    return first_view_of(case, actor.username) is None


def check_can_decide(case: Case, actor: Actor) -> FirstView:
    """Only a person whose own first view of the current judgement is written may decide; gives that view."""
    if case.state == CaseState.CLOSED:
        raise NotAcceptable("終結した事例です。", then="判断を改めるときは、先に「再開する」で戻してください。")
    view = first_view_of(case, actor.username)
    if view is None:
        raise NotPermitted(
            "判断の前に、事実だけを見た一次所見を書いてください。",
            where=f"事例 {case.case_number}",
            then="個票で一次所見を書くと、判定と判断の欄が開きます。",
        )
    return view


def can_decide(case: Case, actor: Actor) -> bool:
    """Whether the person's first view stands and the case is open, so that they may decide."""
    return case.state != CaseState.CLOSED and first_view_of(case, actor.username) is not None


def check_decision(
    *, decision: str, reason_code: str, reason_text: str, agreement: str, next_on: dt.date | None, today: dt.date
) -> None:
    """A decision has a known reason, words where a code is not enough, and a next date where it is followed up."""
    if decision not in set(Decision) or reason_code not in REASON_CODES[Decision(decision)]:
        raise NotAcceptable("判断と理由の組み合わせが正しくありません。", then="判断に合う理由を選んでください。")
    if agreement not in set(Agreement):
        raise NotAcceptable("判定への意見が選ばれていません。", then="一つ選んでください。")
    check_text(reason_text, "理由の説明", required=reason_code.endswith("9") or agreement == Agreement.DISAGREE)
    check_next_date(Decision(decision), next_on, today)


def check_next_date(decision: Decision, next_on: dt.date | None, today: dt.date) -> None:
    """支援する・調査する・見守る need a next date, in the future and within a year; 対応しない has none."""
    if decision not in DATED_DECISIONS:
        if next_on is not None:
            raise NotAcceptable("「対応しない」には次回確認日を付けません。", then="次回確認日を空にしてください。")
        return
    if next_on is None:
        raise NotAcceptable(f"「{decision.label}」には次回確認日が要ります。", then="次に確かめる日を入れてください。")
    if not today < next_on <= today + dt.timedelta(days=LONGEST_WAIT_DAYS):
        raise NotAcceptable("次回確認日は、明日から1年以内の日にしてください。", then="日付を直してください。")


def check_sheet(sheet: Sheet | None, answers: Mapping[str, Mapping[str, str]]) -> None:
    """A sheet's answers are degrees and words to its own items, and somebody has looked into at least one of them."""
    if sheet is None:
        raise NotAcceptable("この類型のアセスメントシートはありません。", then="個票から開き直してください。")
    if not set(answers) <= set(sheet.captions()):
        raise NotAcceptable("シートにない項目があります。", then="画面を開き直して、もう一度入力してください。")
    for answer in answers.values():
        if answer.get("degree") not in set(Degree):
            raise NotAcceptable("項目ごとに程度を選んでください。")
        check_text(answer.get("text", ""), "自由記述", required=False)
    if all(answer["degree"] == Degree.UNKNOWN for answer in answers.values()):
        raise NotAcceptable("確かめた項目がありません。", then="一つ以上の項目で、程度を選んでください。")


def check_has_seen_levels(case: Case, actor: Actor) -> None:
    """Nobody has an opinion on a judgement that is not shown to them yet."""
    if not can_see_levels(case, actor):
        raise NotAcceptable("判定への意見は、一次所見を書いた後に書けます。", then="個票で、まず所見を書いてください。")


def check_disagreement(case: Case, actor: Actor, *, kind: str, opinion: str, text: str, types: Collection[str]) -> None:
    """Who disagrees has seen the judgement, names one of its types, and says why."""
    check_has_seen_levels(case, actor)
    if kind not in types or opinion not in set(Opinion):
        raise NotAcceptable("類型と意見を選んでください。")
    check_text(text, "理由", required=True)


def check_is_open(case: Case) -> None:
    """What was closed is not written on any more, until somebody reopens it."""
    if case.state == CaseState.CLOSED:
        raise NotAcceptable(
            "終結した事例です。",
            where=f"事例 {case.case_number}",
            then="書き加えるときは、先に「再開する」で戻してください。",
        )


def can_ask(case: Case) -> bool:
    """Questions go out only for a case that somebody decided to work on: asking a school marks a child."""
    return case.state in WORKED_STATES


def check_can_ask(case: Case) -> None:
    """Refuses when ``can_ask`` says no."""
    if not can_ask(case):
        raise NotAcceptable(
            "この事例では、まだ調査を頼めません。",
            where=f"事例 {case.case_number}",
            then="「調査する」などの判断をした後に頼んでください。",
        )


def check_inquiry(*, asked: str, questions: str, due_on: dt.date | None, today: dt.date) -> dt.date:
    """An inquiry names whom it asks, what, and a day to come within a year; gives the day."""
    if asked not in INQUIRED:
        raise NotAcceptable("照会先が選ばれていません。", then="一つ選んでください。")
    check_text(questions, "聞くこと", required=True)
    fault = fault_of_choices(questions)
    if fault:
        raise NotAcceptable(fault, then="「聞くこと(選択: はい、いいえ)」の形に直してください。")
    return check_day_to_come(due_on, "回答の期限", today)


def state_of_inquiry(inquiry: Inquiry, today: dt.date) -> InquiryState:
    """Whether an answer is awaited, overdue, or there."""
    if inquiry.answers.all():
        return InquiryState.ANSWERED
    return InquiryState.LATE if inquiry.due_on < today else InquiryState.WAITING


def words_of_inquiry(case: Case, inquiry: int) -> str:
    """What an inquiry of this case asked of whom; empty for another case's."""
    asked = case.inquiries.filter(pk=inquiry).first()
    return f"{asked.get_asked_display()}に聞いたこと:\n{asked.questions}" if asked else ""


def check_answer(
    case: Case, inquiry: int, *, text: str, answered_on: dt.date | None, today: dt.date
) -> tuple[Inquiry, dt.date]:
    """An answer belongs to an inquiry of this case, has words, and came on a day that has been; gives both."""
    asked = inquiry_of(case, inquiry)
    check_text(text, "回答", required=True)
    if answered_on is None or not answered_on <= today:
        raise NotAcceptable("回答のあった日は、今日までの日にしてください。", then="日付を直してください。")
    return asked, answered_on


def inquiry_of(case: Case, inquiry: int) -> Inquiry:
    """An inquiry is answered on its own case alone."""
    found: Inquiry | None = case.inquiries.filter(pk=inquiry).first()
    if found is None:
        raise NotAcceptable("この事例の調査ではありません。", then="個票を開き直してください。")
    return found


def check_assignment(cases: Collection[Case], caseworker: str, eligible: Mapping[str, str]) -> None:
    """Every chosen case goes to a person of the case's own office, who declared no interest in it."""
    if not cases:
        raise NotAcceptable("事例が選ばれていません。", then="一覧で事例に印を付けてください。")
    if not caseworker:
        raise NotAcceptable("主担当が選ばれていません。", then="だれに頼むかを選んでください。")
    if caseworker not in eligible or any(case.office != eligible[caseworker] for case in cases):
        raise NotAcceptable(
            "主担当には、その事例の担当部署のケース担当だけを選べます。", then="部署で絞り込んでから選んでください。"
        )
    closed = [case.case_number for case in cases if has_interest(caseworker, case)]
    if closed:
        # They could not even open it: nobody would be at work on it.
        raise NotAcceptable(
            f"選んだ人が主担当になれない事例があります: {'、'.join(closed)}",
            then="その事例は、ほかの人を主担当にしてください。",
        )


def check_day_to_come(day: dt.date | None, caption: str, today: dt.date) -> dt.date:
    """A date to work towards lies between tomorrow and a year from now; gives the date."""
    if day is None:
        raise NotAcceptable(f"「{caption}」が入っていません。", then="次に確かめる日を決めて入れてください。")
    if not today < day <= today + dt.timedelta(days=LONGEST_WAIT_DAYS):
        raise NotAcceptable(f"「{caption}」は、明日から1年以内の日にしてください。", then="日付を直してください。")
    return day


def can_reveal(case: Case, lawful: Lawful) -> bool:
    """A name is opened only for a case that is being followed up, or that has a fact which must be seen at once.

    A fact that has no legal basis today is none.
    """
    return must_see(case, lawful) or case.state in WORKED_STATES


def must_see(case: Case, lawful: Lawful) -> bool:
    """Whether some fact that may be told today must be seen whatever the score."""
    rows = case.levels.filter(is_current=True).exclude(escalation="")
    return any(row.escalation for row in lawful.told(rows))


def check_can_reveal(case: Case, purpose_code: str, lawful: Lawful) -> None:
    """Refuses when ``can_reveal`` says no, or the purpose is not on the list."""
    if not can_reveal(case, lawful):
        raise NotPermitted(
            "この事例は、まだ氏名等を確かめられません。",
            where=f"事例 {case.case_number}",
            then="支援する・調査する・見守る のいずれかを判断した後に確かめてください。",
        )
    if purpose_code not in REVEAL_PURPOSES:
        raise NotAcceptable("氏名等を確かめる目的が選ばれていません。", then="目的を一つ選んでください。")


def check_text(text: str, caption: str, *, required: bool) -> None:
    """A text says something where it must, and is no book."""
    if required and len(text.strip()) < 5:
        raise NotAcceptable(f"「{caption}」を5文字以上で書いてください。", then="考えたことを言葉で残してください。")
    if len(text) > TEXT_LIMIT:
        raise NotAcceptable(f"「{caption}」は {TEXT_LIMIT} 文字までです。", then="短くしてください。")

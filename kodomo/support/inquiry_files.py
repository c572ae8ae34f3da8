"""Inquiries as encrypted files, and the answers that come back in them: read, shown, and recorded once confirmed (casework side)."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from kodomo.assessment import policies, trail
from kodomo.assessment.actions import check_access, local_day, write_on_case
from kodomo.assessment.dates import long_date
from kodomo.assessment.models import Case, Inquiry, InquiryAnswer, Submission
from kodomo.assessment.policies import NotAcceptable
from kodomo.assessment.states import AnswerSource, CaseState
from kodomo.governance.permissions import Action, Actor
from kodomo.support import slip_form
from kodomo.support.actions import author
from kodomo.support.inquiry_form import (
    ANSWERED_ON,
    LONGEST_QUESTION,
    MOST_QUESTIONS,
    InquiryAnswers,
    PrintedInquiry,
    edition_on,
    number_on,
    read_inquiry_answers,
)
from kodomo.support.models import InquiryFile, InquiryReturn
from kodomo.support.protection import protection_of
from kodomo.support.replies import seal_key
from kodomo.support.returned_form import Rows, SlipRefused
from kodomo.support.sealed_zip import new_password, sealed_zip
from kodomo.support.slip_book import Slip, slip_book
from kodomo.support.slip_reader import read_rows
from kodomo.support.words import Protection

SEAL_USE = "inquiry-form"


# What goes out ----------------------------------------------------------------------------------


def seal_inquiry(
    case_number: str, inquiry: int, *, by: Actor, token: str, at: dt.datetime, numbers: random.Random | None = None
) -> str | None:
    """Make the inquiry's file anew, under a new password; gives the password, which is kept nowhere.

    It says what the printed sheet says: the questions, the day and the inquiry's own number. No name, no case
    number, no judgement.

    Returns:
        None for a form that was sent before: the password was shown then, and is not shown twice.

    Raises:
        NotPermitted: role or office.
        NotAcceptable: a family under 支援措置 or perhaps under it, a closed case, or more questions than a form holds.
    """
    drawn = numbers or random.SystemRandom()
    with transaction.atomic():
        case = Case.objects.select_for_update().get(case_number=case_number)
        check_access(case, Action.ASK_INQUIRY, by)
        if Submission.objects.filter(token=token, username=by.username).exists():
            return None
        found = policies.inquiry_of(case, inquiry)
        check_can_leave(found, protection_of(case, by=by, at=at))
        password, edition = new_password(drawn), found.files.count() + 1
        detail = {"case": case_number, "inquiry": found.number, "edition": edition}
        event = trail.event_of(by, "SEAL_INQUIRY", subject=case.child_key, detail=detail)
        number = trail.append(event, at, settings.HOME)
        content = sealed_zip(
            {f"{file_stem(found)}.xlsx": _book(found, edition, number, at)}, password,
            at.astimezone(settings.LOCAL_ZONE), drawn,
        )  # fmt: skip
        InquiryFile.objects.create(
            inquiry=found, edition=edition, print_number=number, sha256=hashlib.sha256(content).hexdigest(),
            content=content, **author(by, at),
        )  # fmt: skip
        found.files.exclude(edition=edition).update(content=b"")
        Submission.objects.create(token=token, username=by.username, action=Action.ASK_INQUIRY, made_at=at)
    return password


def check_can_leave(inquiry: Inquiry, protection: Protection) -> None:
    """A form leaves for a case that is being worked on, of a family that nobody looks for, with questions it can hold."""
    where = f"照会番号 {inquiry.number}"
    if protection is not Protection.NONE:
        raise NotAcceptable(
            f"「{protection.label}」の家庭の調査票は、紙やファイルでは渡せません。",
            where=where, then="会うか電話で聞き、「回答を記録する」に書いてください。",
        )  # fmt: skip
    if inquiry.case.state == CaseState.CLOSED:
        raise NotAcceptable(
            "終結した事例の調査票は渡せません。", where=where, then="要るときは、再開してから渡してください。"
        )
    asked = inquiry.asked_questions
    if len(asked) > MOST_QUESTIONS or any(len(one.text) > LONGEST_QUESTION for one in asked):
        raise NotAcceptable(
            f"ファイルの調査票は、問い {MOST_QUESTIONS} 個まで、一つ {LONGEST_QUESTION} 文字までです。",
            where=where, then="紙の調査票を使うか、一行に一つの短い問いにして、調査を頼み直してください。",
        )  # fmt: skip


def file_stem(inquiry: Inquiry) -> str:
    """A file's name says nothing but the number."""
    return f"kodomo-inquiry-{inquiry.number.removeprefix('調')}"


def printed_on(inquiry: Inquiry, edition: int) -> PrintedInquiry:
    """What stands on one edition of the form."""
    return PrintedInquiry(inquiry.number, edition, inquiry.due_on, inquiry.asked_questions)


def _book(inquiry: Inquiry, edition: int, number: int, at: dt.datetime) -> bytes:
    printed = printed_on(inquiry, edition)
    slip = Slip(printed.rows(seal_key(SEAL_USE)), printed.choices(), (ANSWERED_ON,), printed.in_words())
    office = settings.MUNICIPALITY.office(inquiry.case.office).name
    told = [
        ("照会番号", inquiry.number),
        ("照会先", f"{inquiry.get_asked_display()} 御中"),
        ("お願い", "シート「回答票」の問いに、見たこと・聞いたことだけを書いてください。"),
        ("回答の期限", long_date(inquiry.due_on)),
        ("連絡先", f"{settings.MUNICIPALITY.name} {office}"),
        ("返した後", "このファイルと写しを、手元に残さないでください。"),
    ]
    moment = at.astimezone(settings.LOCAL_ZONE)
    mark = f"照会番号 {inquiry.number} 出力番号 {number} {moment:%Y-%m-%d %H:%M}"
    return slip_book(told, slip, mark=mark, made_at=at)


# What comes back --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadForm:
    """A form as it was read: nothing of it is recorded until somebody confirms it."""

    edition: int
    sha256: str
    answers: InquiryAnswers

    @property
    def digest(self) -> str:
        """Of the answers."""
        return self.answers.digest()

    def kept(self) -> dict[str, Any]:
        """As a draft keeps it."""
        return {"edition": self.edition, "sha256": self.sha256, "answers": self.answers.kept()}

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> ReadForm:
        """What ``kept`` gave."""
        return cls(kept["edition"], kept["sha256"], InquiryAnswers.from_kept(kept["answers"]))


def read_form(case_number: str, inquiry: int, content: bytes, *, by: Actor, at: dt.datetime, password: str = "") -> ReadForm:  # fmt: skip
    """What a returned form says, read in a bounded process of its own and compared with what went out.

    Args:
        password: what opens the file, where it is protected; kept nowhere.

    Raises:
        NotPermitted: role, office, or an interest declared in the case.
        SlipRefused: hostile, broken or locked; no form, another inquiry's, an older edition, altered, not filled in,
            or of an edition that was answered before.
    """
    case = Case.objects.get(case_number=case_number)
    check_access(case, Action.ANSWER_INQUIRY, by)
    found = policies.inquiry_of(case, inquiry)
    _check_open(case)
    rows = read_rows(content, password)
    _check_number(rows, found, by)
    edition = _edition(rows, found)
    answers = read_inquiry_answers(rows, printed_on(found, edition), seal_key(SEAL_USE), local_day(at))
    _check_unanswered(found, edition, answers.digest())
    return ReadForm(edition, hashlib.sha256(content).hexdigest(), answers)


def record_form(case_number: str, inquiry: int, read: ReadForm, *, by: Actor, token: str, at: dt.datetime) -> None:
    """Record a form that somebody has looked at, as a typed answer would be; the file that went out is given out no more.

    Raises:
        NotPermitted: role, office, or an interest declared in the case.
        SlipRefused: the case was closed, a newer edition made, or this one answered meanwhile.
    """

    def act(case: Case) -> Mapping[str, object]:
        _check_open(case)
        found = policies.inquiry_of(case, inquiry)
        if read.edition != found.files.count():
            raise _old_edition(found)
        _check_unanswered(found, read.edition, read.digest)
        answer = InquiryAnswer.objects.create(
            inquiry=found, answered_on=read.answers.answered_on, text=read.answers.text(), source=AnswerSource.FILE.value,
            recorded_by=by.username, recorded_by_name=by.name, recorded_at=at,
        )  # fmt: skip
        InquiryReturn.objects.create(
            inquiry=found, edition=read.edition, digest=read.digest, sha256=read.sha256,
            is_urgent=read.answers.is_urgent, answer=answer, **author(by, at),
        )  # fmt: skip
        found.files.update(content=b"")
        return {"asked": found.asked, "answered_on": str(read.answers.answered_on), "inquiry": found.number,
                "edition": read.edition, "sha256": read.sha256, "urgent": read.answers.is_urgent}  # fmt: skip

    write_on_case(
        case_number, Action.ANSWER_INQUIRY, by=by, reason=AnswerSource.FILE.value, version=None, token=token, at=at, act=act
    )  # fmt: skip


def _check_open(case: Case) -> None:
    if case.state == CaseState.CLOSED:
        raise SlipRefused(
            "closed",
            "終結した事例の調査票なので、取り込めません。",
            where=f"事例 {case.case_number}",
            then="再開してから取り込むか、「回答を記録する」に書いてください。",
        )


def _check_number(rows: Rows, found: Inquiry, by: Actor) -> None:
    number = number_on(rows)
    if number == found.number:
        return
    if not number:
        is_slip = bool(slip_form.number_on(rows))
        raise SlipRefused(
            "no_form",
            "受け渡し票の回答票です。" if is_slip else "この市の調査票ではありません。照会番号の行がありません。",
            where="回答票",
            then="受け渡しの台帳の「回答票を取り込む」から取り込んでください。"
            if is_slip
            else "渡したファイルの回答票に書いて、返してもらってください。",
        )
    other = _own_inquiry(number, by)
    raise SlipRefused(
        "foreign",
        "別の調査の調査票です。" if other else "この部署の調査の調査票ではありません。",
        where=f"照会番号 {other.number}" if other else "「照会番号」の行",
        then=f"事例 {other.case.case_number} の個票を開き、その調査から取り込んでください。"
        if other
        else "照会番号を確かめてください。ほかの部署が頼んだものは、その部署に届けてください。",
    )


def _own_inquiry(number: str, by: Actor) -> Inquiry | None:
    """The inquiry of one's own office that has the number."""
    return Inquiry.objects.filter(pk=Inquiry.key_of(number) or 0, case__office=by.office).select_related("case").first()


def _edition(rows: Rows, found: Inquiry) -> int:
    """The newest edition, when the form is of that one."""
    newest = found.files.count()
    if edition_on(rows) != str(newest):
        raise _old_edition(found)
    return newest


def _old_edition(found: Inquiry) -> SlipRefused:
    return SlipRefused(
        "old_edition",
        "いまの版の調査票ではありません。ファイルをつくり直すと、前の版は取り込めなくなります。",
        where=f"照会番号 {found.number} 「版」の行",
        then="いまの版に書いて返してもらうか、「回答を記録する」に書いてください。",
    )


def _check_unanswered(found: Inquiry, edition: int, digest: str) -> None:
    before = InquiryReturn.objects.filter(inquiry=found, edition=edition).first()
    if before is None:
        return
    moment = before.written_at.astimezone(settings.LOCAL_ZONE)
    when = f"{long_date(moment.date())} {moment:%H:%M} に {before.written_by_name} が記録しています"
    if before.digest == digest:
        raise SlipRefused(
            "known", f"この回答は、{when}。記録は増えていません。", where=f"照会番号 {found.number}",
            then="個票の「調査」で確かめてください。",
        )  # fmt: skip
    raise SlipRefused(
        "answered",
        f"この調査票には、もう別の回答があります。{when}。",
        where=f"照会番号 {found.number}",
        then="直した回答は、「回答を記録する」にもう一件の回答として書くか、ファイルをつくり直して書いてもらってください。",
    )

"""Packages as encrypted files, and the reply slips that come back: each taken in once, on its own case (casework side)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from kodomo.assessment import trail
from kodomo.assessment.actions import check_access, local_day, write_on_case
from kodomo.assessment.dates import long_date
from kodomo.assessment.keys import keys
from kodomo.assessment.lawful import lawful_at
from kodomo.assessment.models import Case, Submission
from kodomo.assessment.policies import NotAcceptable
from kodomo.governance import permissions
from kodomo.governance.permissions import Action, Actor
from kodomo.support import package_policies, policies
from kodomo.support.actions import author
from kodomo.support.models import Contact, Outcome, Package, PackageEvent, PackageFile, ReplySlip
from kodomo.support.partners import current_partners
from kodomo.support.protection import protection_of
from kodomo.support.returned_form import SlipRefused
from kodomo.support.sealed_zip import new_password, sealed_zip
from kodomo.support.slip_book import Slip, slip_book
from kodomo.support.slip_form import CHOICES, SEEN_ON, TAKEN_ON, Answers, Printed, number_on, read_answers
from kodomo.support.slip_reader import read_rows
from kodomo.support.words import ContactKind, PackageStep, Protection
from kodomo.terms import AgeBand


def seal_package(
    package: Package, *, by: Actor, token: str, at: dt.datetime, numbers: random.Random | None = None
) -> str | None:
    """Make the package's file anew, under a new password; gives the password, which is kept nowhere.

    Returns:
        None for a form that was sent before: the password was shown then, and is not shown twice.

    Raises:
        NotPermitted: role or office, or a protected family's package that nobody agreed to.
        NotAcceptable: gone or past its last day, or for a kind of partner the municipality no longer keeps.
    """
    drawn = numbers or random.SystemRandom()
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=package.case_id)
        check_access(case, Action.MAKE_PACKAGE, by)
        if Submission.objects.filter(token=token, username=by.username).exists():
            return None
        protection = protection_of(case, by=by, at=at)
        package_policies.check_can_give(package, protection, local_day(at), lawful_at(at).register)
        password, edition = new_password(drawn), package.files.count() + 1
        detail = {"case": case.case_number, "package": package.number, "edition": edition, "protection": protection}
        event = trail.event_of(by, "SEAL_PACKAGE", subject=case.child_key, detail=detail)
        number = trail.append(event, at, settings.HOME)
        partner = current_partners(settings.MUNICIPALITY).get(package.partner)
        if partner is None:
            raise NotAcceptable(
                "この受け渡し先の種類は、いまの設定にありません。", then="新しい受け渡し票をつくってください。"
            )
        printed = Printed(package.number, edition, package.expires_on, partner.questions, partner.keeps)
        slip = Slip(printed.rows(seal_key()), CHOICES, (SEEN_ON, TAKEN_ON), printed.questions)
        book = slip_book(told_to(package, protection), slip, mark=_mark(package, number, at), made_at=at)
        content = sealed_zip(
            {f"kodomo-{package.number}.xlsx": book}, password, at.astimezone(settings.LOCAL_ZONE), drawn
        )
        PackageFile.objects.create(
            package=package, edition=edition, questions=list(partner.questions), is_receipt=partner.keeps, protection=protection, expires_on=package.expires_on,
            print_number=number, sha256=hashlib.sha256(content).hexdigest(), content=content, **author(by, at),
        )  # fmt: skip
        # An older file may be in wrong hands: it is no longer given out.
        package.files.exclude(edition=edition).update(content=b"")
        Submission.objects.create(token=token, username=by.username, action=Action.MAKE_PACKAGE, made_at=at)
    return password


def told_to(package: Package, protection: Protection) -> list[tuple[str, str]]:
    """Caption and words of all that the partner is told."""
    items, case = package_policies.items_of(package, protection), package.case
    office = settings.MUNICIPALITY.office(case.office).name
    lines = [
        ("受け渡し番号", package.number),
        ("受け渡し先", package.partner_name if "partner_name" in items else package.partner_caption),
        ("学年", case.grade_label if "grade" in items else ""),
        ("年齢区分", AgeBand(case.age_band).label if "band" in items else ""),
        ("いっしょに目指すこと", package.goal.text if "goal" in items and package.goal else ""),
        ("支援の経過", package_policies.course_of(case) if "course" in items else ""),
        ("頼むこと", package.request),
        ("気を付けること", package.heed if "heed" in items else ""),
        ("返してほしい日", long_date(package.reply_by) if package.reply_by else ""),
        ("連絡先", f"{settings.MUNICIPALITY.name} {office}"),
        (
            "使える期限",
            f"{long_date(package.expires_on)}。期限が過ぎたらこのファイルを消し、消したことを知らせてください。",
        ),
    ]
    return [(caption, words) for caption, words in lines if words]


def _mark(package: Package, number: int, at: dt.datetime) -> str:
    moment = at.astimezone(settings.LOCAL_ZONE)
    return f"受け渡し番号 {package.number} 出力番号 {number} {moment:%Y-%m-%d %H:%M}"


def seal_key(use: str = "reply-slip") -> bytes:
    """The key of one kind of form's seals, of its own, so that no other use of the casework key can make one."""
    return hmac.new(keys(settings.HOME)["seal"], use.encode(), hashlib.sha256).digest()


# What comes back --------------------------------------------------------------------------------


def receive_reply(
    content: bytes, *, by: Actor, next_on: dt.date | None, token: str, at: dt.datetime, password: str = ""
) -> tuple[ReplySlip, bool]:
    """Take a slip in: a contact, the reply's step on the package, and the goal's outcome where one was asked for.

    Reads the file in a bounded process of its own. The same answers have one effect, however often and in
    whatever file they come; other answers on the same slip are a further reply.

    Args:
        password: what opens the file, where the partner protected it; kept nowhere.

    Returns:
        The reply, and whether it is new.

    Raises:
        SlipRefused: no slip of this office's packages, past its last day, altered, not filled in, or locked.
        NotPermitted: role, or an interest declared in the case.
        NotAcceptable: no next date, or the case is not at that point.
    """
    permissions.check(by.role, Action.RECEIVE_REPLY, own_office=True)
    today, rows = local_day(at), read_rows(content, password)
    file = _file_of(rows, by)
    package = file.package
    check_access(package.case, Action.RECEIVE_REPLY, by)
    if package.is_gone or package.expires_on < today:
        raise SlipRefused(
            "expired",
            "使える期限を過ぎたか、廃棄を確かめた受け渡し票の回答票です。",
            where=f"受け渡し番号 {package.number}",
            then="内容は電話などで確かめ、接触の記録に書いてください。また頼むときは、新しい受け渡し票をつくってください。",
        )
    printed = Printed(package.number, file.edition, file.expires_on, tuple(file.questions), file.is_receipt)
    answers = read_answers(rows, printed, seal_key(), today)
    known = _known(package, answers)
    if known is not None:
        return known, False
    try:
        _land(package, file, answers, content, by=by, next_on=next_on, token=token, at=at)
    except _Replayed:
        return ReplySlip.objects.get(package=package, digest=answers.digest()), False
    return ReplySlip.objects.get(package=package, digest=answers.digest()), True


class _Replayed(Exception):
    """The same answers came in meanwhile; nothing of this transaction stays."""


def _known(package: Package, answers: Answers) -> ReplySlip | None:
    return ReplySlip.objects.filter(package=package, digest=answers.digest()).first()


def _land(
    package: Package, file: PackageFile, answers: Answers, content: bytes, *, by: Actor, next_on: dt.date | None,
    token: str, at: dt.datetime,
) -> None:  # fmt: skip
    def act(case: Case) -> Mapping[str, object]:
        if _known(package, answers) is not None:
            raise _Replayed
        given: dict[str, Any] = {"kind": ContactKind.REPLY, "result": answers.met, "text": answers.text(),
                                 "next_on": next_on}  # fmt: skip
        day = policies.check_contact(case, met_on=answers.seen_on, today=local_day(at), **given)
        contact = Contact.objects.create(case=case, met_on=day, **given, **author(by, at))
        outcome = _outcome(case, package, answers, by, at)
        PackageEvent.objects.create(
            package=package, step=PackageStep.REPLIED, on=local_day(at), text="回答票を取り込んだ。", **author(by, at)
        )
        ReplySlip.objects.create(
            package=package, edition=file.edition, digest=answers.digest(), is_urgent=answers.is_urgent,
            sha256=hashlib.sha256(content).hexdigest(), contact=contact, outcome=outcome, **author(by, at),
        )  # fmt: skip
        case.next_on = next_on
        return {"package": package.number, "edition": file.edition, "result": answers.met,
                "outcome": outcome.scale if outcome else "", "urgent": answers.is_urgent}  # fmt: skip

    # One form may bring several slips (back in the browser, and the next file): a second click is told by the answers.
    once = hashlib.sha256(f"{token}\0{package.number}\0{answers.digest()}".encode()).hexdigest()
    write_on_case(package.case.case_number, Action.RECEIVE_REPLY, by=by, reason="", version=None, token=once, at=at,
                  act=act)  # fmt: skip


def _outcome(case: Case, package: Package, answers: Answers, by: Actor, at: dt.datetime) -> Outcome | None:
    """How the asked goal stands; nothing where the plan has been written anew and the goal is none any more."""
    plan = policies.current_plan(case)
    if package.goal is None or answers.change is None or plan is None or package.goal.plan_id != plan.pk:
        return None
    text = f"受け渡し番号 {package.number} の回答票による。"
    return Outcome.objects.create(
        goal=package.goal, scale=answers.change, seen_on=answers.seen_on, text=text, **author(by, at)
    )


def _file_of(rows: Sequence[Sequence[str]], by: Actor) -> PackageFile:
    """The newest file of the package that the slip says it belongs to, of one of this office's cases."""
    found = PackageFile.objects.filter(package__number=number_on(rows), package__case__office=by.office)
    file = found.select_related("package__case", "package__goal").order_by("-edition").first()
    if file is None:
        raise SlipRefused(
            "foreign",
            "この部署の受け渡し票の回答票ではありません。",
            then="受け渡し番号を確かめてください。ほかの部署が渡したものは、その部署に届けてください。",
        )
    return file

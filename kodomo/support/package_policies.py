"""What may go to a partner, and what may come back: rules in pairs, ``check_…`` refuses and ``can_…`` answers (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from kodomo.assessment.dates import long_date
from kodomo.assessment.models import Case
from kodomo.assessment.policies import NotAcceptable, check_day_to_come, check_text
from kodomo.assessment.states import CaseState
from kodomo.errors import NotPermitted
from kodomo.governance.approvals import sameness
from kodomo.governance.permissions import Actor
from kodomo.governance.register import Register
from kodomo.support.models import Goal, Package, PackageEvent, PackageFile
from kodomo.support.moves import PackageState
from kodomo.support.partners import Partner, current_partners
from kodomo.support.policies import current_plan, too_early
from kodomo.support.protection import locates
from kodomo.support.words import LONGEST_PACKAGE_DAYS, PackageStep, Protection, Verdict


def can_package(case: Case) -> bool:
    """A partner is asked for a child who is being supported, under a plan."""
    return case.state == CaseState.SUPPORT and case.plans.exists()


def check_can_package(case: Case) -> None:
    """Refuses when ``can_package`` says no."""
    if not can_package(case):
        raise too_early(case, "受け渡し票は、支援計画のある事例でつくります。")


def check_package(
    case: Case,
    partners: Mapping[str, Partner],
    *,
    partner: str,
    partner_name: str,
    request: str,
    heed: str,
    goal: str,
    reply_by: dt.date | None,
    expires_on: dt.date | None,
    today: dt.date,
) -> tuple[dt.date, Goal | None]:
    """A package tells one partner no more than its part needs, until a day within half a year; gives day and goal."""
    check_can_package(case)
    if partner not in partners or not partner_name.strip():
        raise NotAcceptable("受け渡し先を選び、名前を書いてください。")
    check_text(request, "頼むこと", required=True)
    check_text(heed, "気を付けること", required=False)
    if heed.strip() and "heed" not in partners[partner].items:
        raise NotAcceptable(
            f"「{partners[partner].caption}」には「気を付けること」を渡しません。", then="頼むことだけにしてください。"
        )
    day = check_day_to_come(expires_on, "使える期限", today)
    if day > today + dt.timedelta(days=LONGEST_PACKAGE_DAYS):
        raise NotAcceptable(
            f"「使える期限」は {LONGEST_PACKAGE_DAYS} 日以内にしてください。", then="日付を直してください。"
        )
    if reply_by is not None and not today < reply_by <= day:
        raise NotAcceptable("「返してほしい日」は、明日から使える期限までの日にしてください。")
    return day, _goal(case, goal)


def _goal(case: Case, goal: str) -> Goal | None:
    """The goal of the current plan that a reply is to tell of."""
    if not goal:
        return None
    plan = current_plan(case)
    found = plan.goals.filter(number=goal).first() if plan and goal.isdigit() else None
    if found is None:
        raise NotAcceptable("いまの支援計画の目標ではありません。", then="画面を開き直してください。")
    return found


def check_words(protection: Protection, register: Register, *texts: str) -> None:
    """What is written about a family under protection, or perhaps under it, says nothing about where it is."""
    if protection is not Protection.NONE and any(locates(text, register) for text in texts):
        raise NotAcceptable(
            f"「{protection.label}」の家庭です。居場所のわかる言葉(住所、電話番号、学校・園・地区の名前、駅や建物など)は書けません。",
            then="場所を表す言葉のない受け渡し票をつくってください。日付は「11月22日」のように書いてください。",
        )


_NOT_OF_THE_PROTECTED = ("goal", "course")
"""Written for people in the house, where a place may be named."""


def course_of(case: Case) -> str:
    """支援の経過 in short: what was aimed at and how it stands, how often the family was met, and last when."""
    plan = current_plan(case)
    lines = [f"支援方針: {plan.policy}"] if plan else []
    for goal in plan.goals.all() if plan else ():
        last = goal.last_outcome
        lines.append(f"目標{goal.number} {goal.text}: {last.get_scale_display() if last else '結果はまだない'}")
    days = sorted(case.contacts.values_list("met_on", flat=True))
    if days:
        lines.append(f"接触 {len(days)} 回、最後は {long_date(days[-1])}")
    return "\n".join(lines)


def items_of(package: Package, protection: Protection) -> tuple[str, ...]:
    """What of a package is told: what the partner's part needs; of a protected family no place, no grade, no goal."""
    partner = current_partners(settings.MUNICIPALITY).get(package.partner)
    items = partner.items if partner else ()
    if protection is Protection.NONE:
        return ("partner_name", *items)
    return tuple(
        dict.fromkeys("band" if item == "grade" else item for item in items if item not in _NOT_OF_THE_PROTECTED)
    )


def is_agreed(package: Package, protection: Protection) -> bool:
    """Where there is no protection nobody need agree. An agreement to the unknown is none to the known."""
    answer = package.answer
    if answer is None:
        return protection is Protection.NONE
    return answer.verdict == Verdict.APPROVED and (
        answer.protection == Protection.PROTECTED or protection is not Protection.PROTECTED
    )


def waits_for_approval(package: Package) -> bool:
    """By what this side knows without asking the vault: good enough to remind people, not to let anything leave."""
    known = Protection.PROTECTED if package.case.is_address_protected else Protection(package.protection)
    is_sent_back = package.answer is not None and package.answer.verdict == Verdict.REFUSED
    return not (package.is_gone or is_sent_back or is_agreed(package, known))


def may_be_answered(package: Package) -> bool:
    """Whether an approver may be asked about it, whatever this side knows: only the vault may know of a protection."""
    is_sent_back = package.answer is not None and package.answer.verdict == Verdict.REFUSED
    return not (package.is_gone or is_sent_back or is_agreed(package, Protection.PROTECTED))


def state_of(package: Package, today: dt.date) -> PackageState:
    """Where a package stands, by what this side knows."""
    if package.is_gone:
        return PackageState.DESTROYED
    if package.answer is not None and package.answer.verdict == Verdict.REFUSED:
        return PackageState.REFUSED
    if waits_for_approval(package):
        return PackageState.WAITING
    if package.expires_on < today and not package.is_settled:
        return PackageState.EXPIRED
    if package.is_answered:
        return PackageState.REPLIED
    if not package.events.all():
        return PackageState.READY
    return PackageState.LATE if package.due_on < today else PackageState.HANDED


def waiting_packages(cases: QuerySet[Case]) -> list[Package]:
    """The packages of these cases that wait for an approver, the oldest first."""
    found = Package.objects.filter(case__in=cases).select_related("case").prefetch_related("events", "approvals")
    doubtful = found.filter(Q(case__is_address_protected=True) | ~Q(protection=Protection.NONE))
    return [package for package in doubtful if waits_for_approval(package)]


def check_can_leave(package: Package, protection: Protection, register: Register) -> None:
    """A package of a family under protection, or perhaps under it, leaves only after another person's agreement.

    And never with words that locate: a family may have come under protection after they were written.
    """
    if is_agreed(package, protection):
        check_words(protection, register, package.request, package.heed)
        return
    answer = package.answer
    if answer is not None and answer.verdict == Verdict.REFUSED:
        raise NotPermitted(
            "承認者が差し戻した受け渡し票です。",
            where=f"受け渡し番号 {package.number}",
            then="理由を支援の記録で読み、渡し方を見直して、新しい受け渡し票をつくってください。",
        )
    raise NotPermitted(
        f"「{protection.label}」の家庭の受け渡し票です。承認者の承認がないと、印刷も書き出しもできません。",
        where=f"受け渡し番号 {package.number}",
        then="同じ部署の承認者に、支援の記録から承認してもらってください。つくった人は承認できません。",
    )


def check_approval(
    case: Case, package: int, *, by: Actor, protection: Protection, verdict: str, reason: str
) -> Package:
    """Another person than the maker answers once, in words, about a package that waits for an answer; gives it."""
    found = package_of(case, package)
    if found.written_by == by.username or sameness(found.written_by_name) == sameness(by.name):
        raise NotAcceptable("つくった人は、自分の受け渡し票を承認できません。", then="ほかの承認者に頼んでください。")
    if found.is_gone:
        raise NotAcceptable("廃棄を確かめた受け渡し票です。")
    answer = found.answer
    if is_agreed(found, protection) or (answer is not None and answer.verdict == Verdict.REFUSED):
        raise NotAcceptable("承認を待っている受け渡し票ではありません。", then="支援の記録で確かめてください。")
    if verdict not in set(Verdict):
        raise NotAcceptable("「承認する」か「差し戻す」を選んでください。")
    check_text(reason, "理由", required=True)
    return found


def package_of(case: Case, package: int) -> Package:
    """A package of this case; another case's is refused."""
    found: Package | None = case.packages.filter(pk=package).first()
    if found is None:
        raise NotAcceptable("この事例の受け渡し票ではありません。", then="支援の画面を開き直してください。")
    return found


def can_give(package: Package, today: dt.date) -> bool:
    """A paper or a file is made of a package that is not gone and whose last day has not passed."""
    return not package.is_gone and package.expires_on >= today


def check_can_give(package: Package, protection: Protection, today: dt.date, register: Register) -> None:
    """Refuses when ``can_give`` says no, or when it may not leave: an old paper would be given out unseen."""
    check_can_leave(package, protection, register)
    if can_give(package, today):
        return
    raise NotAcceptable(
        f"{'廃棄を確かめた' if package.is_gone else '使える期限を過ぎた'}受け渡し票です。渡さないでください。",
        where=f"受け渡し番号 {package.number}",
        then="渡してあるものは、廃棄を頼んで記録してください。また頼むときは、新しい受け渡し票をつくってください。",
    )


def can_remind(package: Package, today: dt.date) -> bool:
    """A partner that has something of ours is reminded once its answer, or its word that the paper is gone, is late."""
    return state_of(package, today) in (PackageState.LATE, PackageState.EXPIRED)


def check_can_remind(package: Package, today: dt.date) -> None:
    """Refuses when ``can_remind`` says no."""
    if not can_remind(package, today):
        raise NotAcceptable(
            "催促する受け渡し票ではありません。返してほしい日も、使える期限も過ぎていません。",
            where=f"受け渡し番号 {package.number}",
        )


def overdue_packages(cases: QuerySet[Case], today: dt.date) -> int:
    """How many packages partners are late with: an answer past its day, or a paper past its end that may be out.

    As ``can_remind`` says of each. Whatever nobody had to agree to is counted by the database: an office has hundreds.
    """
    steps = PackageEvent.objects.filter(package=OuterRef("pk"))
    out = Package.objects.filter(case__in=cases).exclude(Exists(steps.filter(step=PackageStep.DESTROYED)))
    past = out.filter(Q(reply_by__lt=today) | Q(expires_on__lt=today))
    asks = Q(case__is_address_protected=True) | ~Q(protection=Protection.NONE) | Q(approvals__isnull=False)
    # What waits for an approver, or was sent back, no partner has: the rule itself says.
    asked = past.filter(asks).distinct().select_related("case").prefetch_related("events", "approvals")
    replied = Exists(steps.filter(step=PackageStep.REPLIED))
    keepers = [code for code, partner in current_partners(settings.MUNICIPALITY).items() if partner.keeps]
    expired = Q(expires_on__lt=today) & ~(Q(partner__in=keepers) & replied)
    unanswered = Exists(steps) & ~replied  # past its day, as ``past`` says
    plain = past.exclude(pk__in=past.filter(asks).values("pk")).filter(expired | unanswered)
    return plain.count() + sum(can_remind(package, today) for package in asked)


def check_file(file: PackageFile, protection: Protection) -> None:
    """A file made while there was no protection tells too much once there is, or may be."""
    if protection is not Protection.NONE and file.protection == Protection.NONE:
        raise NotAcceptable(
            "支援措置の確認より前につくったファイルです。", then="「つくり直す」で、新しいファイルをつくってください。"
        )


def check_package_event(
    case: Case, package: int, *, step: str, on: dt.date | None, text: str, today: dt.date
) -> tuple[Package, dt.date]:
    """A step belongs to a package of this case whose paper is not gone, on a day that has been; gives both."""
    found = package_of(case, package)
    if found.is_gone:
        raise NotAcceptable(
            "廃棄を確かめた受け渡し票です。", then="また頼むときは、新しい受け渡し票をつくってください。"
        )
    if step not in set(PackageStep):
        raise NotAcceptable("経過を選んでください。")
    if on is None or on > today:
        raise NotAcceptable("日は、今日までの日にしてください。", then="日付を直してください。")
    check_text(text, "内容", required=step == PackageStep.REPLIED)
    return found, on


def words_of_package(case: Case, package: int) -> str:
    """Which package a step is written for; empty for another case's."""
    found = case.packages.filter(pk=package).first()
    return f"受け渡し番号 {found.number}({found.partner_name})" if found else ""

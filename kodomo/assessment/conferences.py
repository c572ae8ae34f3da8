"""統括委員会: agenda, blind views, interest, quorum and decision; every write with its audit row (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Case as Choice
from django.db.models import Exists, OuterRef, QuerySet, When

from kodomo.assessment import interests, trail
from kodomo.assessment.actions import local_day, write_on_case
from kodomo.assessment.models import (
    AgendaItem,
    Assessment,
    Case,
    Conference,
    ConferenceDecision,
    ConferenceMember,
    MemberView,
    Submission,
)
from kodomo.assessment.moves import ItemState
from kodomo.assessment.policies import NotAcceptable, check_next_date, check_text
from kodomo.assessment.states import WORKED_STATES, CaseState
from kodomo.errors import NotPermitted
from kodomo.governance import permissions
from kodomo.governance.permissions import Action, Actor
from kodomo.terms import Decision

MOST_ITEMS = 30
"""More cases than a meeting of half a day can give ten minutes each."""


def call_conference(
    *,
    by: Actor,
    held_on: dt.date,
    title: str,
    quorum: int,
    members: Mapping[str, str],
    case_numbers: Sequence[str],
    token: str,
    at: dt.datetime,
) -> int:
    """Call a meeting with its members and its agenda; returns its key.

    Args:
        members: user name → name, of accounts that may write a member's view.

    Raises:
        NotPermitted: role.
        NotAcceptable: no quorum can be reached, or a case that nobody has assessed.
    """
    permissions.check(by.role, Action.HOLD_CONFERENCE)
    with transaction.atomic():
        if Submission.objects.filter(token=token, username=by.username).exists():
            return int(Conference.objects.filter(called_by=by.username).values_list("pk", flat=True)[0])
        cases = _check_agenda(case_numbers)
        _check_members(quorum, members, title)
        conference = Conference.objects.create(
            held_on=held_on, title=title.strip(), quorum=quorum, called_by=by.username, called_by_name=by.name,
            called_at=at,
        )  # fmt: skip
        for username, name in members.items():
            ConferenceMember.objects.create(conference=conference, username=username, name=name)
        for position, case in enumerate(cases, 1):
            AgendaItem.objects.create(conference=conference, case=case, position=position)
        Submission.objects.create(token=token, username=by.username, action=Action.HOLD_CONFERENCE, made_at=at)
        detail = {"conference": conference.pk, "members": len(members), "count": len(cases)}
        trail.append(trail.event_of(by, "CALL_CONFERENCE", detail=detail), at, settings.HOME)
    return int(conference.pk)


def call_off(key: int, *, by: Actor, reason: str, at: dt.datetime) -> None:
    """Call a meeting off that will not be held: its cases may come before another, and nobody is waited for.

    What members wrote stays on record. A second click changes nothing.

    Raises:
        NotPermitted: role.
        NotAcceptable: no reason, or the meeting decided on a case already.
    """
    permissions.check(by.role, Action.HOLD_CONFERENCE)
    check_text(reason, "取りやめる理由", required=True)
    with transaction.atomic():
        found = Conference.objects.select_for_update().get(pk=key)
        if found.called_off_at is not None:
            return
        if ConferenceDecision.objects.filter(item__conference=found).exists():
            raise NotAcceptable(
                "決定した事例がある会議は、取りやめられません。", then="残りの事例は、次の会議にかけてください。"
            )
        found.called_off_at, found.called_off_by_name, found.called_off_reason = at, by.name, reason.strip()
        found.save(update_fields=["called_off_at", "called_off_by_name", "called_off_reason"])
        trail.append(trail.event_of(by, "CALL_OFF_CONFERENCE", detail={"conference": key}), at, settings.HOME)


def ready_cases(by: Actor) -> QuerySet[Case]:
    """The cases somebody assessed and works on that no meeting was called for yet: 支援する first, the soonest date first."""
    closed = interests.cases_of_interest(by.username).values("pk")
    called = AgendaItem.objects.filter(case=OuterRef("pk"), conference__called_off_at=None)
    found = Case.objects.filter(~Exists(called), state__in=WORKED_STATES).exclude(pk__in=closed)
    assessed = found.filter(Exists(Assessment.objects.filter(case=OuterRef("pk"))))
    is_support = Choice(When(state=CaseState.SUPPORT, then=0), default=1)
    return assessed.order_by(is_support, "next_on", "pk")


def start_item(item: AgendaItem, *, by: Actor, at: dt.datetime) -> None:
    """Begin with a case: from here its time is counted. A second click changes nothing.

    Raises:
        NotPermitted: role.
        NotAcceptable: the meeting was called off.
    """
    permissions.check(by.role, Action.HOLD_CONFERENCE)
    with transaction.atomic():
        _check_is_held(item)
        if AgendaItem.objects.filter(pk=item.pk, started_at=None).update(started_at=at):
            event = trail.event_of(by, "START_ITEM", subject=item.case.child_key, detail=_about(item))
            trail.append(event, at, settings.HOME)


def write_member_view(
    item: AgendaItem, *, by: Actor, has_interest: bool, decision: str, text: str, token: str, at: dt.datetime
) -> None:
    """Write a member's own view, blind; or declare an interest, which keeps the member out of this item.

    Raises:
        NotPermitted: role, or not a member of this meeting.
        NotAcceptable: written before, decided already, called off, or no opinion.
    """
    is_closed = interests.has_interest(by.username, item.case) and view_of(item, by.username) is None
    permissions.check(by.role, Action.WRITE_MEMBER_VIEW, has_interest=is_closed)
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=item.case_id)
        if Submission.objects.filter(token=token, username=by.username).exists():
            return
        _check_view(item, by, has_interest=has_interest, decision=decision, text=text)
        MemberView.objects.create(
            item=item, username=by.username, name=by.name, has_interest=has_interest,
            decision="" if has_interest else decision, text=text.strip(), written_at=at,
        )  # fmt: skip
        Submission.objects.create(token=token, username=by.username, action=Action.WRITE_MEMBER_VIEW, made_at=at)
        detail = {**_about(item), "interest": has_interest}
        event = trail.event_of(by, Action.WRITE_MEMBER_VIEW, subject=item.case.child_key, detail=detail)
        trail.append(event, at, settings.HOME)


def decide_item(
    item: AgendaItem,
    *,
    by: Actor,
    decision: str,
    text: str,
    discussion: str,
    next_on: dt.date | None,
    version: int,
    token: str,
    at: dt.datetime,
) -> None:
    """Record what the meeting decided; it becomes the state of the case. Who thought otherwise stays on record.

    Raises:
        NotPermitted: role.
        NotAcceptable: below the quorum, decided already, called off, or decision and date don't hold together.
        VersionConflict: the case changed since the form was opened.
    """

    def act(case: Case) -> Mapping[str, object]:
        check_decision(item, decision=decision, text=text, discussion=discussion, next_on=next_on, today=local_day(at))
        ConferenceDecision.objects.create(
            item=item, decision=decision, text=text.strip(), discussion=discussion.strip(), next_on=next_on,
            decided_by=by.username, decided_by_name=by.name, decided_at=at,
        )  # fmt: skip
        case.state, case.next_on = CaseState(decision), next_on
        against = len(dissent(item, decision))
        return {**_about(item), "decision": decision, "voices": len(voices(item)), "against": against}

    write_on_case(item.case.case_number, Action.HOLD_CONFERENCE, by=by, reason="", version=version, token=token, at=at,
                  act=act)  # fmt: skip


def voices(item: AgendaItem) -> list[MemberView]:
    """The views that count: of members without an interest."""
    return [view for view in item.views.all() if not view.has_interest]


def dissent(item: AgendaItem, decision: str) -> list[MemberView]:
    """The views that a decision goes against."""
    return [view for view in voices(item) if view.decision != decision]


def has_quorum(item: AgendaItem) -> bool:
    """Enough members without an interest have said what they think."""
    return len(voices(item)) >= item.conference.quorum


def state_of(item: AgendaItem) -> ItemState:
    """Where a case before a meeting stands."""
    if getattr(item, "decided", None) is not None:
        return ItemState.DECIDED
    if item.conference.called_off_at is not None:
        return ItemState.CALLED_OFF
    return ItemState.QUORATE if has_quorum(item) else ItemState.CALLED


def view_of(item: AgendaItem, username: str) -> MemberView | None:
    """What one member wrote on an item."""
    return next((view for view in item.views.all() if view.username == username), None)


def waiting_items(actor: Actor) -> QuerySet[AgendaItem]:
    """The items that wait for a member's view, of the next meeting first."""
    called = AgendaItem.objects.filter(
        conference__members__username=actor.username, conference__called_off_at=None, decided=None
    )
    closed = interests.cases_of_interest(actor.username).values("pk")
    waiting = called.exclude(views__username=actor.username).exclude(case__in=closed)
    waiting = waiting.select_related("case", "conference")
    return waiting.order_by("conference__held_on", "conference", "position")


def sees_views(item: AgendaItem, actor: Actor, *, is_out: bool | None = None) -> bool:
    """The others' views: for a member after their own, and never with an interest; for who chairs, at the quorum.

    Before the quorum even the chair does not know which way it goes, and can't steer who is still to speak.

    Args:
        is_out: whether the person declared an interest in the case, where that was asked already.
    """
    if permissions.can(actor.role, Action.HOLD_CONFERENCE):
        return has_quorum(item)
    if is_out is None:
        is_out = interests.has_interest(actor.username, item.case)
    return view_of(item, actor.username) is not None and not is_out


def check_decision(
    item: AgendaItem, *, decision: str, text: str, discussion: str, next_on: dt.date | None, today: dt.date
) -> None:
    """A meeting decides once on a case, with a quorum, in words, and with a next date where it is followed up."""
    _check_is_held(item)
    if ConferenceDecision.objects.filter(item=item).exists():
        raise NotAcceptable("この事例は、この会議でもう決定されています。")
    if item.case.state == CaseState.CLOSED:
        raise NotAcceptable("終結した事例です。", then="先に担当部署が「再開する」で戻してください。")
    if not has_quorum(item):
        raise NotAcceptable(
            f"所見を書いた委員が {len(voices(item))} 人で、定足数 {item.conference.quorum} 人に足りません。",
            then="ほかの委員に所見を書いてもらってください。利害関係のある委員は数えません。",
        )
    if decision not in set(Decision):
        raise NotAcceptable("決定が選ばれていません。", then="一つ選んでください。")
    check_text(text, "決定の理由と支援の方法", required=True)
    check_text(discussion, "話し合ったこと", required=False)
    check_next_date(Decision(decision), next_on, today)


def _check_is_held(item: AgendaItem) -> None:
    """Asked inside the write: the page may have been opened before the meeting was called off."""
    if Conference.objects.filter(pk=item.conference_id).exclude(called_off_at=None).exists():
        raise NotAcceptable("取りやめた会議です。", then="この事例は、次の会議にかけてください。")


def _check_view(item: AgendaItem, by: Actor, *, has_interest: bool, decision: str, text: str) -> None:
    _check_is_held(item)
    if not item.conference.members.filter(username=by.username).exists():
        raise NotPermitted("この会議の委員ではありません。", then="総括管理主体の担当に確かめてください。")
    if view_of(item, by.username) is not None:
        raise NotAcceptable("所見はもう書かれています。ほかの委員の所見を見た後に変えることはできません。")
    if ConferenceDecision.objects.filter(item=item).exists():
        raise NotAcceptable("この事例は、この会議でもう決定されています。")
    if not has_interest and decision not in set(Decision):
        raise NotAcceptable("意見が選ばれていません。", then="一つ選んでください。")
    check_text(text, "所見", required=not has_interest)


def _check_agenda(case_numbers: Sequence[str]) -> list[Case]:
    wanted = list(dict.fromkeys(case_numbers))
    if not 1 <= len(wanted) <= MOST_ITEMS:
        raise NotAcceptable(f"議事にかける事例は1件から{MOST_ITEMS}件までです。", then="仮番号を確かめてください。")
    found = {case.case_number: case for case in Case.objects.filter(case_number__in=wanted)}
    unfit = [n for n in wanted if n not in found or not found[n].assessments.exists()]
    if unfit:
        raise NotAcceptable(
            f"アセスメントの済んでいない事例があります: {'、'.join(unfit)}",
            then="委員会にかけるのは、担当者が支援要否を判断した事例です。",
        )
    return [found[number] for number in wanted]


def _check_members(quorum: int, members: Collection[str], title: str) -> None:
    check_text(title, "名称", required=True)
    if not 2 <= quorum <= len(members):
        raise NotAcceptable(
            f"定足数は2人から委員の人数({len(members)} 人)までです。", then="委員と定足数を確かめてください。"
        )


def _about(item: AgendaItem) -> dict[str, object]:
    return {"case": item.case.case_number, "conference": item.conference_id}

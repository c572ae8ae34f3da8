"""Releasing a judgement to casework: one person asks, another approves, and only then do its cases arrive (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError

from kodomo.assessment import trail
from kodomo.assessment.arrivals import receive_arrivals
from kodomo.assessment.policies import NotAcceptable
from kodomo.configuration import Home, Municipality
from kodomo.errors import NotPermitted, NotReady
from kodomo.governance.approvals import sameness
from kodomo.governance.permissions import Actor, Role
from kodomo.operations.models import Release, ReleaseState
from kodomo.store.database import Store


def standing_release(judgement: str) -> Release | None:
    """The newest request about a judgement, whatever became of it."""
    return Release.objects.filter(judgement_name=judgement).last()


def ask_release(judgement: str, *, by: Actor, reason: str, at: dt.datetime) -> Release:
    """Ask that a judgement be shown to casework.

    Raises:
        NotReady: there is no such judgement.
        NotAcceptable: no reason; asked or released already; or a later base date was released before.
    """
    as_of = dt.date.fromisoformat(str(Store(settings.HOME.store).open("judgements", judgement).manifest["as_of"]))
    if not reason.strip():
        raise NotAcceptable("公開を申請する理由を書いてください。")
    _check_newest(as_of)
    event = trail.event_of(by, "ASK_RELEASE", reason=reason, detail={"judgement": judgement})
    try:
        with trail.recorded(event, at):
            return Release.objects.create(
                judgement_name=judgement, judged_as_of=as_of, state=ReleaseState.ASKED, asked_by=by.username, asked_at=at,
                asked_reason=reason.strip(),
            )  # fmt: skip
    except IntegrityError:
        raise NotAcceptable("この判定の公開は、もう申請されているか、公開済みです。") from None


def approve_release(
    judgement: str, *, by: Actor, reason: str, at: dt.datetime, home: Home, municipality: Municipality
) -> dict[str, Any]:
    """Approve a request: the judgement's cases arrive in the same transaction. Returns the arrival's figures.

    Raises:
        NotAcceptable: nobody asked, it was decided meanwhile, or a later base date was released meanwhile.
        NotPermitted: the person who asked, under whatever account.
    """
    event = trail.event_of(by, "APPROVE_RELEASE", reason=reason, detail={"judgement": judgement})
    with trail.recorded(event, at):
        _decide(judgement, ReleaseState.RELEASED, by, reason, at)
        return receive_arrivals(home=home, municipality=municipality, by=by.username, at=at, judgement_name=judgement)


def refuse_release(judgement: str, *, by: Actor, reason: str, at: dt.datetime) -> None:
    """Turn a request down; it may be asked again. Raises as ``approve_release``, and NotAcceptable without a reason."""
    if not reason.strip():
        raise NotAcceptable("見送る理由を書いてください。")
    event = trail.event_of(by, "REFUSE_RELEASE", reason=reason, detail={"judgement": judgement})
    with trail.recorded(event, at):
        _decide(judgement, ReleaseState.REFUSED, by, reason, at)


def release_now(
    *,
    home: Home,
    municipality: Municipality,
    asked_by: str,
    approved_by: str,
    reason: str,
    at: dt.datetime,
    judgement: str | None = None,
) -> dict[str, Any]:
    """Ask for and approve a release in one go, in the names of two people, for the command line and the demonstration.

    A judgement that is released already is left as it is.

    Raises:
        NotReady: nothing was judged yet, or there is no such judgement.
        NotAcceptable: a name is missing.
        NotPermitted: the two names are one.
    """
    if not (sameness(asked_by) and sameness(approved_by)):
        raise NotAcceptable("公開を申請した人と承認した人の氏名を、両方書いてください。")
    store = Store(home.store)
    current = store.open("judgements", judgement) if judgement else store.current("judgements")
    if current is None:
        raise NotReady("まだ判定がありません。", then="kodomo judge を先に実行してください。")
    name = current.snapshot_id
    found = standing_release(name)
    if found is None or found.state == ReleaseState.REFUSED:
        ask_release(name, by=Actor(asked_by, asked_by, Role.COORDINATOR, ""), reason=reason, at=at)
    elif found.state == ReleaseState.RELEASED:
        return receive_arrivals(home=home, municipality=municipality, by=approved_by, at=at, judgement_name=name)
    approver = Actor(approved_by, approved_by, Role.APPROVER, "")
    return approve_release(name, by=approver, reason=reason, at=at, home=home, municipality=municipality)


def _check_newest(as_of: dt.date) -> None:
    """What casework sees never goes back to an earlier base date."""
    if Release.objects.filter(state=ReleaseState.RELEASED, judged_as_of__gt=as_of).exists():
        raise NotAcceptable(
            "これより後の基準日の判定が、もう公開されています。", then="新しい基準日で判定してから申請してください。"
        )


def _name_of(username: str) -> str:
    """The name behind an account: one person with two accounts is one person."""
    name = get_user_model().objects.filter(username=username).values_list("name", flat=True).first()
    return str(name or username)


def _decide(judgement: str, state: ReleaseState, by: Actor, reason: str, at: dt.datetime) -> None:
    waiting = Release.objects.filter(judgement_name=judgement, state=ReleaseState.ASKED)
    asked = waiting.first()
    if asked is None:
        raise NotAcceptable("承認を待つ申請がありません。ほかの人が先に決めたのかもしれません。")
    if state is ReleaseState.RELEASED:
        _check_newest(asked.judged_as_of)
    if {sameness(asked.asked_by), sameness(_name_of(asked.asked_by))} & {sameness(by.username), sameness(by.name)}:
        raise NotPermitted("申請した人は、自分の申請を承認できません。", then="別の人が承認してください。")
    changed = waiting.filter(pk=asked.pk).update(
        state=state, decided_by=by.username, decided_at=at, decided_reason=reason.strip()
    )
    if not changed:
        raise NotAcceptable("ほかの人が先に決めました。")

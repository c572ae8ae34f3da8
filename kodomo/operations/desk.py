"""What waits for an operator today, by role, for the first page: counts and places alone (casework side)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.urls import reverse

from kodomo.assessment.actions import local_day
from kodomo.governance.permissions import Action, can
from kodomo.operations import drafts
from kodomo.operations.deliveries import desk
from kodomo.operations.jobs_page import visible_jobs
from kodomo.operations.models import Release, ReleaseState
from kodomo.operations.register_page import SOON_DAYS, lapses_soon
from kodomo.operations.sources import own_sources
from kodomo.store.database import Store
from kodomo.vault.doubts import waiting_count


def waiting_work(request: Any) -> list[dict[str, Any]]:
    """Lines of count, words and link for the pages this person may open; empty for those who operate nothing."""
    role = request.actor.role
    lines: list[dict[str, Any]] = []
    if can(role, Action.VIEW_DELIVERIES):
        lines.append(_late_sources(request))
    if can(role, Action.REVIEW_LINK):
        lines.append(_line(waiting_count(), "組", "確認を待つ名寄せの組", "link-pairs", "同じ人かどうかを決める"))
    if can(role, Action.ASK_RELEASE):
        lines.append(
            _line(_unreleased(), "件", "公開を申請していない判定", "runs", "前の判定との違いを確かめて申請する")
        )
    if can(role, Action.APPROVE_RELEASE):
        asked = Release.objects.filter(state=ReleaseState.ASKED).count()
        lines.append(_line(asked, "件", "承認を待つ判定の公開", "runs", "申請した人とは別の人が承認する"))
    if can(role, Action.APPROVE_CRITERIA):
        note = "異なる二人が承認する"
        lines.append(_line(len(drafts.waiting()), "件", "承認を待つ判定基準の案", "criteria", note))
    if can(role, Action.VIEW_JOBS):
        lines += _jobs(request)
    if can(role, Action.VIEW_REGISTER):
        lines.append(_lapsing(local_day(request.at)))
    return lines


def _line(count: int, unit: str, words: str, page: str, note: str) -> dict[str, Any]:
    return {"count": count, "unit": unit, "words": words, "url": reverse(page), "note": note}


def _late_sources(request: Any) -> dict[str, Any]:
    sources = own_sources(request.actor, settings.MUNICIPALITY)
    fresh = desk(request, sources).freshness({s.code: s.freshness_days for s in sources.values()})
    late = sum(not line["is_fresh"] for line in fresh)
    return _line(late, "件", "期限を過ぎた・届いていない出所", "deliveries", f"出所は {len(sources)} 件")


def _unreleased() -> int:
    """Judgements newer than the newest one that was asked for or released."""
    names = Store(settings.HOME.store).names("judgements")
    known = set(Release.objects.exclude(state=ReleaseState.REFUSED).values_list("judgement_name", flat=True))
    places = [place for place, name in enumerate(names) if name in known]
    return len(names) - 1 - max(places) if places else len(names)


def _jobs(request: Any) -> list[dict[str, Any]]:
    jobs = visible_jobs(request.actor)
    stopped = sum(job.can_resume for job in jobs)
    lines = [_line(sum(job.is_open for job in jobs), "件", "動いている・順番を待つ処理", "jobs", "")]
    return [*lines, _line(stopped, "件", "途中で止まった処理", "jobs", "確かめて、再開するか取りやめる")]


def _lapsing(on: dt.date) -> dict[str, Any]:
    count = len({(lapse.item, lapse.purpose) for lapse in lapses_soon(on)})
    return _line(count, "件", f"{SOON_DAYS} 日以内に止まる項目と目的", "register", "根拠の期限が切れる")

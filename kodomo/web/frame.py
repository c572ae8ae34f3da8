"""What every page's frame needs: who is signed in, where they may go, which city this is (casework side)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from kodomo.governance.permissions import can
from kodomo.web import demo, fonts
from kodomo.web.pages import BEFORE_SECOND_FACTOR, PAGE_ACTIONS

MENU = (
    ("home", "ホーム"),
    ("shortlist", "一次絞り込み"),
    ("caseload", "進行管理"),
    ("find", "読みで探す"),
    ("conferences", "統括委員会"),
    ("effect", "取組の効果"),
    ("deliveries", "受け渡しデータ"),
    ("register", "データ項目台帳"),
    ("criteria", "判定基準"),
    ("runs", "判定の実行と公開"),
    ("evaluations", "判定の検証"),
    ("link-pairs", "名寄せの確認"),
    ("jobs", "処理の状況"),
    ("audit", "証跡"),
    ("accounts", "利用者"),
)
"""Pages of the main menu, in order."""


def frame(request: Any) -> dict[str, Any]:
    """The context every template gets."""
    actor = getattr(request, "actor", None)
    place = request.resolver_match
    is_inside = actor is not None and (place is None or place.view_name not in BEFORE_SECOND_FACTOR)
    return {
        "actor": actor,
        "municipality": settings.MUNICIPALITY,
        "menu": [_entry(request, page, words) for page, words in MENU if can(actor.role, PAGE_ACTIONS[page])]
        if actor and is_inside
        else [],
        "has_fonts": fonts.is_made(),
        "is_demo": demo.is_open(settings.HOME),
        "printed_at": getattr(request, "at", None),
    }


def _entry(request: Any, page: str, words: str) -> dict[str, Any]:
    url = reverse(page)
    is_here = request.path == url if url == "/" else request.path.startswith(url)
    return {"url": url, "words": words, "is_here": is_here}

"""Refusals and faults as Japanese pages: what happened, where, what to do next (casework side)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from kodomo.assessment.policies import NotAcceptable, VersionConflict
from kodomo.errors import Busy, ConfigurationFault, IntegrityFault, NotPermitted, NotReady, StaffError

STATUSES: tuple[tuple[type[StaffError], int], ...] = (
    (VersionConflict, 409),
    (NotAcceptable, 400),
    (NotPermitted, 403),
    (NotReady, 503),
    (Busy, 503),
    (ConfigurationFault, 500),
    (IntegrityFault, 500),
)

TITLES = {
    400: "受け付けられませんでした",
    403: "この操作はできません",
    404: "ページが見つかりません",
    409: "ほかの人が先に更新しました",
    500: "処理できませんでした",
    503: "まだ使えません",
}


TOO_BIG = "画面から渡せるのは 256 MB までです。それより大きいものは媒体で渡してください。"


_NEVER_SHOWN = ("csrfmiddlewaretoken", "token", "version", "query")


def typed_words(request: Any) -> list[str]:
    """What a person typed into the form that was refused, so that nobody types anything twice.

    Prose alone: no secret, no choice, no date. It is shown once, to the browser that sent it, and kept nowhere.
    Nothing of a form another site sends: its words are not the person's own, and are not put into this site's mouth.
    """
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return []
    given = [
        value
        for name, values in request.POST.lists()
        for value in values
        if name not in _NEVER_SHOWN and "password" not in name
    ]
    return [text for text in given if len(text) >= _PROSE and not text.isascii()]


_PROSE = 5
"""Characters from which something is prose; what is shorter is typed again in no time."""


def refusal_page(request: Any, refusal: StaffError) -> HttpResponse:
    """A refusal as a page. The place is shown only where it is a page or a case, not a file on the server."""
    status = next((code for kind, code in STATUSES if isinstance(refusal, kind)), 400)
    where = "" if status in (500, 503) and "/" in refusal.where else refusal.where
    return _page(request, status, refusal.what, where, refusal.then)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    if isinstance(exception, RequestDataTooBig):
        return _page(request, 400, "送られた内容が大きすぎるか、ファイルを受け取る画面ではありません。", "", TOO_BIG)
    return _page(request, 400, "送られた内容を読めませんでした。", "", "前の画面に戻って、もう一度お試しください。")


def not_permitted(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _page(
        request, 403, "この画面を見る権限がありません。", "", "必要なときは総括管理主体の担当に相談してください。"
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose page was opened too long ago or elsewhere."""
    return _page(
        request, 403, "画面を開いてから時間がたったため、送信を受け付けませんでした。", "",
        "画面を開き直して、もう一度入力してください。",
    )  # fmt: skip


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _page(
        request, 404, "指定されたページや事例はありません。", "", "番号を確かめるか、ホームから探してください。"
    )


def signed_out(request: Any) -> HttpResponse:
    """403 of a form whose writer is no longer signed in."""
    return _page(
        request, 403, "サインインの時間が切れたため、保存しませんでした。", "",
        "下の文を写しておき、サインインし直してから、もう一度入力してください。",
    )  # fmt: skip


def broken(request: HttpRequest) -> HttpResponse:
    """500: a bug. Drawn without the database, which may be what broke."""
    words = {"title": TITLES[500], "what": "製品の不具合により、画面を表示できませんでした。保存は行われていません。",
             "then": "もう一度試しても変わらないときは、システム管理者に日時を伝えてください。", "status": 500}  # fmt: skip
    return HttpResponse(render_to_string("web/broken.html", words), status=500)


def _page(request: Any, status: int, what: str, where: str, then: str) -> HttpResponse:
    context = {"status": status, "title": TITLES[status], "what": what, "where": where, "then": then,
               "typed": typed_words(request)}  # fmt: skip
    return render(request, "web/error.html", context, status=status)

"""The gate every request passes: signed in, second factor, role, office; then the view (casework side).

Views do not ask who may do what: a page is refused here unless ``pages`` lists it and
``governance.permissions`` allows it. Refusals are audited.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import urlencode

from kodomo.assessment import trail
from kodomo.assessment.interests import has_interest
from kodomo.assessment.models import Case
from kodomo.errors import NotPermitted, StaffError
from kodomo.governance import permissions
from kodomo.governance.permissions import CASE_ACTIONS, Action, Actor
from kodomo.web import demo, errors
from kodomo.web.pages import BEFORE_NEW_PASSWORD, BEFORE_SECOND_FACTOR, PAGE_ACTIONS

PUT_OFF_EVERY = dt.timedelta(minutes=1)

LIVE = "live"
"""The part of a page that asks for itself again every few seconds. That is nobody's click: it keeps no session open."""


class Gate:
    """Decides on each request before its view runs, and puts refusals into words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Answer; the moment of the request is fixed here, once."""
        request.at = timezone.now()
        request.actor = None
        response = self.get_response(request)
        if request.htmx.target == LIVE and not _has_live_part(response):
            response["HX-Refresh"] = "true"  # what ran has ended: the whole page has something new to say
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponseBase | None:
        """Let pass (None), send to sign in, or refuse."""
        page = request.resolver_match.view_name
        action = PAGE_ACTIONS.get(page)
        if action is None:
            raise Http404(f"unlisted page {page}")
        if action is Action.SIGN_IN:
            return None
        elsewhere = _to_sign_in(request, page)
        if elsewhere is not None and request.htmx:
            return HttpResponse(headers={"HX-Refresh": "true"})  # the page itself then leads to signing in
        if elsewhere is not None:
            return errors.signed_out(request) if request.method == "POST" and errors.typed_words(request) else elsewhere
        if request.htmx.target != LIVE:
            _stay_signed_in(request)
        request.actor = request.user.actor
        try:
            check_access(request.actor, action, kwargs.get("case_number"))
        except NotPermitted as refusal:
            _record_refusal(request, page, kwargs.get("case_number", ""))
            return errors.refusal_page(request, refusal)
        return None

    def process_exception(self, request: Any, exception: Exception) -> HttpResponse | None:
        """A refusal meant for staff becomes a page; anything else is a bug and stays one."""
        if isinstance(exception, NotPermitted) and request.actor is not None:
            page = request.resolver_match
            _record_refusal(request, page.view_name, page.kwargs.get("case_number", ""))
        if isinstance(exception, StaffError):
            return errors.refusal_page(request, exception)
        return None


def check_access(actor: Actor, action: Action, case_number: str | None) -> None:
    """Ask the choke point, with the case's office and the person's interest where the page is about a case.

    Raises:
        NotPermitted: role, office or a declared interest.
        Http404: no such case; only for roles that may see some.
    """
    own_office, is_closed = None, False
    if action in CASE_ACTIONS:
        if permissions.scope(actor.role, action) is None:
            permissions.check(actor.role, action, own_office=False)
        office = Case.objects.filter(case_number=case_number).values_list("office", flat=True).first()
        if office is None:
            raise Http404
        own_office, is_closed = office == actor.office, has_interest(actor.username, str(case_number))
    permissions.check(actor.role, action, own_office=own_office, has_interest=is_closed)


def has_second_factor(request: Any) -> bool:
    """A second factor was given in this session, or the account is the open demonstration's."""
    # Within the request that signs in, the account does not carry the answer yet: then there is none.
    is_verified = getattr(request.user, "is_verified", lambda: False)
    return is_verified() or (request.user.is_demo and demo.is_open(settings.HOME))


def _to_sign_in(request: Any, page: str) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect(f"/sign-in/?{urlencode({'next': request.path})}" if request.path != "/" else "sign-in")
    if _is_worn_out(request):
        logout(request)
        return redirect("sign-in")
    if not has_second_factor(request):
        return None if page in BEFORE_SECOND_FACTOR else redirect("second-factor")
    if request.user.must_change_password and page not in BEFORE_NEW_PASSWORD:
        return redirect("password")
    return None


def _stay_signed_in(request: Any) -> None:
    """Each click puts the end of the session off; what was put off within the last minute is left as it is."""
    last = request.session.get("clicked_at")
    if last is None or request.at - dt.datetime.fromisoformat(last) > PUT_OFF_EVERY:
        request.session["clicked_at"] = request.at.isoformat()


def _is_worn_out(request: Any) -> bool:
    began = request.session.get("signed_in_at")
    if began is None:
        return True
    return request.at - dt.datetime.fromisoformat(began) > dt.timedelta(hours=settings.LONGEST_SESSION_HOURS)


def _has_live_part(response: HttpResponseBase) -> bool:
    return isinstance(response, HttpResponse) and f'id="{LIVE}"'.encode() in response.content  # a file has no content


def _record_refusal(request: Any, page: str, case_number: str) -> None:
    event = trail.event_of(request.actor, "REFUSED", detail={"page": page, "case": case_number})
    with trail.recorded(event, request.at):
        pass

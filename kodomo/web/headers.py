"""Headers every answer carries: nothing is kept in a cache, nothing is offered to other sites (casework side)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

STATIC_PREFIX = "/static/"


class Headers:
    """Adds the headers that Django and django-csp do not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with headers."""
        response = self.get_response(request)
        if not request.path.startswith(STATIC_PREFIX):
            response["Cache-Control"] = "no-store, max-age=0"
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), clipboard-read=()"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["X-Frame-Options"] = "DENY"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

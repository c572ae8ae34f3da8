"""The second factor: a code from an authenticator device, its enrolment and paper codes (casework side)."""

from __future__ import annotations

import base64
import unicodedata
from typing import Any

import segno
from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import devices_for_user, login, verify_token

from kodomo.assessment import trail
from kodomo.web.devices import Authenticator, PaperCodes
from kodomo.web.sign_in import record_failure

PAPER_CODES = 8


class CodeForm(forms.Form):
    """認証コード."""

    code = forms.CharField(
        label="認証コード",
        max_length=16,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        """Blanks and full-width digits are what hands type."""
        return unicodedata.normalize("NFKC", self.cleaned_data["code"]).replace(" ", "").lower()


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def second_factor(request: Any) -> HttpResponse:
    """Ask for the code of an enrolled device; without a device, go and enrol one."""
    if not any(devices_for_user(request.user)):
        return redirect("enrol")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = _matching_device(request.user, form.cleaned_data["code"])
        if device is not None:
            _pass(request, device, "SECOND_FACTOR")
            return redirect(request.session.pop("next", "/"))
        record_failure(request, request.user.username, "SECOND_FACTOR_FAILED")
        form.add_error("code", "認証コードが違います。時刻のずれがないか、新しいコードで試してください。")
    return render(request, "web/second_factor.html", {"form": form}, status=400 if form.errors else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def enrol(request: Any) -> HttpResponse:
    """Enrol an authenticator: show its secret as a picture and as text, accept it once a code fits."""
    if any(devices_for_user(request.user)):
        return redirect("second-factor")
    device = _unconfirmed_device(request.user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device.verify_token(form.cleaned_data["code"]):
            return _enrolled(request, device)
        form.add_error("code", "認証コードが違います。読み取り直して、新しいコードを入れてください。")
    picture = segno.make(device.config_url, error="m").svg_inline(scale=5, border=2, svgclass="qr", lineclass=None)
    secret = base64.b32encode(device.secret).decode().rstrip("=")
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    context = {"form": form, "picture": picture, "groups": groups}
    return render(request, "web/enrol.html", context, status=400 if form.errors else 200)


def _unconfirmed_device(account: Any) -> Authenticator:
    return Authenticator.objects.filter(user=account, confirmed=False).first() or Authenticator.begin(account)


def _enrolled(request: Any, device: Authenticator) -> HttpResponse:
    with transaction.atomic():
        device.confirmed = True
        device.save()
        codes = PaperCodes.objects.create(user=request.user, name="紙のコード", confirmed=True).draw(PAPER_CODES)
        _pass(request, device, "ENROL_SECOND_FACTOR")
    return render(request, "web/paper_codes.html", {"codes": codes, "next": request.session.pop("next", "/")})


def _pass(request: Any, device: Any, action: str) -> None:
    with trail.recorded(trail.event_of(request.user.actor, action), request.at):
        login(request, device)


def _matching_device(account: Any, code: str) -> Any:
    # Each device throttles itself after wrong codes; every device is asked, so that a paper code works too.
    return next(
        (device for device in devices_for_user(account) if verify_token(account, device.persistent_id, code)), None
    )

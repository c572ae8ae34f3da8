"""Signing in and out with a password, and changing it (casework side)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout, password_validation, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from kodomo.assessment import trail
from kodomo.governance.audit import AuditEvent
from kodomo.web.gate import has_second_factor
from kodomo.web.models import Staff


class SignInForm(forms.Form):
    """利用者番号とパスワード."""

    username = forms.CharField(
        label="利用者番号", max_length=64, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label="パスワード", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), max_length=256
    )


class PasswordForm(forms.Form):
    """パスワードの変更."""

    current = forms.CharField(label="いまのパスワード", widget=forms.PasswordInput, max_length=256)
    new = forms.CharField(label="新しいパスワード", widget=forms.PasswordInput, max_length=256)
    again = forms.CharField(label="新しいパスワード(もう一度)", widget=forms.PasswordInput, max_length=256)

    def clean(self) -> dict[str, Any]:
        """The two new ones are the same."""
        given = super().clean() or {}
        if given.get("new") != given.get("again"):
            self.add_error("again", "新しいパスワードが一致しません。")
        return given


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: Any) -> HttpResponse:
    """Ask for account number and password; the second factor comes next."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = authenticate(request, **form.cleaned_data)
        if account is not None:
            return _signed_in(request, account)
        record_failure(request, form.cleaned_data["username"], "SIGN_IN_FAILED")
        form.add_error(None, "利用者番号かパスワードが違います。")
    next_page = request.POST.get("next") or request.GET.get("next", "")
    context = {"form": form, "next": next_page}
    return render(request, "web/sign_in.html", context, status=400 if form.errors else 200)


def _signed_in(request: Any, account: Any) -> HttpResponse:
    with trail.recorded(trail.event_of(account.actor, "SIGN_IN"), request.at):
        login(request, account)
    request.session["signed_in_at"] = request.at.isoformat()
    request.session["next"] = _safe_next(request)
    return redirect(request.session["next"] if has_second_factor(request) else "second-factor")


def _safe_next(request: Any) -> str:
    wanted = request.POST.get("next", "")
    # Only a path of this site: a sign-in page must not send people elsewhere.
    is_own = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if is_own else "/"


@require_POST
def sign_out(request: Any) -> HttpResponse:
    """End the session on the server, not only in the browser."""
    with trail.recorded(trail.event_of(request.actor, "SIGN_OUT"), request.at):
        logout(request)
    return redirect("sign-in")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def change_password(request: Any) -> HttpResponse:
    """Change one's own password; other sessions of the account end with it."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _is_acceptable(request, form):
        request.user.set_password(form.cleaned_data["new"])
        request.user.must_change_password = False
        with trail.recorded(trail.event_of(request.actor, "CHANGE_PASSWORD"), request.at):
            request.user.save()
        update_session_auth_hash(request, request.user)
        return redirect("home")
    status = 400 if form.errors else 200
    return render(request, "web/password.html", {"form": form}, status=status)


def _is_acceptable(request: Any, form: PasswordForm) -> bool:
    if not authenticate(request, username=request.user.username, password=form.cleaned_data["current"]):
        record_failure(request, request.user.username, "CHANGE_PASSWORD_FAILED")
        form.add_error("current", "いまのパスワードが違います。")
        return False
    try:
        password_validation.validate_password(form.cleaned_data["new"], request.user)
    except ValidationError as fault:
        form.add_error("new", fault)
        return False
    return True


def record_failure(request: Any, username: str, action: str) -> None:
    """Audit a failed proof. An unknown account number isn't kept: it may be a password typed in the wrong field."""
    known = Staff.objects.filter(username=username).first()
    event = AuditEvent(known.username if known else "?", known.role if known else "", action)
    with trail.recorded(event, request.at):
        pass


def locked_out(request: Any, *rest: Any) -> HttpResponse:
    """Too many wrong passwords: the account rests for a while."""
    minutes = int(settings.AXES_COOLOFF_TIME * 60)
    return render(request, "web/locked_out.html", {"minutes": minutes}, status=429)

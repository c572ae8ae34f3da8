"""Accounts, for the system administrator: who may sign in, with which role; never any child's data (casework side)."""

from __future__ import annotations

import secrets
from typing import Any

from axes.utils import reset as reset_lockout
from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from django_otp import device_classes, devices_for_user

from kodomo.assessment import trail
from kodomo.governance.permissions import Role
from kodomo.web.models import Staff

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that can't be taken for each other when read out or copied by hand."""


class AccountForm(forms.Form):
    """利用者の登録."""

    username = forms.CharField(
        label="利用者番号",
        max_length=64,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]{1,63}\Z", "半角の英小文字・数字で書いてください。")],
    )
    name = forms.CharField(label="氏名", max_length=64)
    role = forms.ChoiceField(label="役割", choices=[(role.value, role.label) for role in Role])
    office = forms.ChoiceField(label="部署")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        office: Any = self.fields["office"]
        office.choices = [(o.code, o.name) for o in settings.MUNICIPALITY.offices]

    def clean_username(self) -> str:
        """An account number is never given twice: the audit trail names people by it."""
        username = str(self.cleaned_data["username"])
        if Staff.objects.filter(username=username).exists():
            raise forms.ValidationError("この利用者番号は使われています。")
        return username


class MoveForm(forms.Form):
    """人事異動: another role or office for an account that stays."""

    role = forms.ChoiceField(label="役割", choices=[(role.value, role.label) for role in Role])
    office = forms.ChoiceField(label="部署")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        office: Any = self.fields["office"]
        office.choices = [(o.code, o.name) for o in settings.MUNICIPALITY.offices]


MOVE = "move"
CHANGES = {
    "stop": "使えなくする",
    "resume": "使えるようにする",
    "unlock": "ロックを外す",
    "forget-factor": "二要素認証を登録し直してもらう",
    "new-password": "仮パスワードを出す",
}


@require_safe
def accounts(request: Any) -> HttpResponse:
    """List every account."""
    having = {
        user for kind in device_classes() for user in kind.objects.filter(confirmed=True).values_list("user", flat=True)
    }
    rows = [{"account": account, "has_factor": account.pk in having} for account in Staff.objects.all()]
    return render(request, "web/accounts.html", {"rows": rows, "roles": list(Role)})


@require_http_methods(["GET", "POST"])
@sensitive_variables("password")
def new(request: Any) -> HttpResponse:
    """Register somebody; the first password is shown once and must be changed at the first sign-in."""
    form = AccountForm(request.POST or None)
    if not (request.method == "POST" and form.is_valid()):
        return render(request, "web/account_new.html", {"form": form}, status=400 if form.errors else 200)
    given, password = form.cleaned_data, first_password()
    detail = {"account": given["username"], "what": Role(given["role"]).label}
    with trail.recorded(trail.event_of(request.actor, "CREATE_ACCOUNT", detail=detail), request.at):
        account = Staff.objects.create_account(**{**given, "role": Role(given["role"])}, password=password)
        account.must_change_password = True
        account.save()
    return render(request, "web/account_done.html", {"account": account, "password": password, "done": "登録しました"})


@require_http_methods(["GET", "POST"])
@sensitive_variables("password")
def change(request: Any, username: str) -> HttpResponse:
    """Stop, resume, unlock, let somebody enrol anew, or move them to another role or office."""
    account = get_object_or_404(Staff, username=username)
    what = request.POST.get("what", "")
    if what == MOVE:
        return _moved(request, account)
    if request.method != "POST" or what not in CHANGES:
        return _shown(request, account)
    password = None
    detail = {"account": username, "what": CHANGES[what]}
    with trail.recorded(trail.event_of(request.actor, "CHANGE_ACCOUNT", detail=detail), request.at):
        password = _carry_out(account, what)
    return render(request, "web/account_done.html", {"account": account, "password": password, "done": CHANGES[what]})


def _shown(request: Any, account: Staff, form: MoveForm | None = None) -> HttpResponse:
    unfit = "resume" if account.is_active else "stop"
    changes = {code: words for code, words in CHANGES.items() if code != unfit}
    context = {"account": account, "changes": changes, "what_move": MOVE,
               "form": form or MoveForm(initial={"role": account.role, "office": account.office})}  # fmt: skip
    return render(request, "web/account_change.html", context, status=400 if form else 200)


def _moved(request: Any, account: Staff) -> HttpResponse:
    """The next click of whoever was moved is already in the new role: the gate asks the account each time."""
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _shown(request, account, form)
    before = f"{account.get_role_display()}({account.office})"
    account.role, account.office = Role(form.cleaned_data["role"]), form.cleaned_data["office"]
    after = f"{Role(account.role).label}({account.office})"
    detail = {"account": account.username, "what": f"{before} → {after}"}
    with trail.recorded(trail.event_of(request.actor, "CHANGE_ACCOUNT", detail=detail), request.at):
        account.save()
    return render(request, "web/account_done.html", {"account": account, "done": "役割と部署を変えました"})


def _carry_out(account: Staff, what: str) -> str | None:
    password = None
    if what in ("stop", "resume"):
        account.is_active = what == "resume"
    elif what == "unlock":
        reset_lockout(username=account.username)
    elif what == "forget-factor":
        for device in devices_for_user(account, confirmed=None):
            device.delete()
    else:
        password = first_password()
        account.set_password(password)
        account.must_change_password = True
    account.save()
    return password


def first_password() -> str:
    """A password to be read out once: four groups of four."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))

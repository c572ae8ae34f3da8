"""The site's addresses; each name must be listed in ``pages`` (casework side)."""

from __future__ import annotations

from django.urls import include, path

from kodomo.web import accounts, audit_list, errors, home, second_factor, sign_in

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("second-factor/", second_factor.second_factor, name="second-factor"),
    path("second-factor/enrol/", second_factor.enrol, name="enrol"),
    path("password/", sign_in.change_password, name="password"),
    path("audit/", audit_list.audit_list, name="audit"),
    path("audit/verify/", audit_list.verify, name="audit-verify"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/new/", accounts.new, name="account-new"),
    path("accounts/<str:username>/", accounts.change, name="account-change"),
    path("", include("kodomo.assessment.urls")),
    path("", include("kodomo.support.urls")),
    path("", include("kodomo.operations.urls")),
]

handler400 = errors.bad_request
handler403 = errors.not_permitted
handler404 = errors.not_found
handler500 = errors.broken

"""Addresses of support (casework side)."""

from __future__ import annotations

from django.urls import path

from kodomo.support import (
    caseload,
    effect,
    inquiry_pages,
    inquiry_paper,
    openings,
    package_register,
    packages,
    similar,
    takeover,
    views,
)

urlpatterns = [
    path("caseload/", caseload.caseload, name="caseload"),
    path("packages/", package_register.packages, name="packages"),
    path("packages/reply/", package_register.reply, name="reply"),
    path("takeover/", takeover.takeover, name="takeover"),
    path("cases/open/", openings.open_case, name="open-case"),
    path("effect/", effect.effect, name="effect"),
    path("effect/detail/", effect.effect_detail, name="effect-detail"),
    path("cases/<case_number:case_number>/similar/", similar.similar, name="similar"),
    path(
        "cases/<case_number:case_number>/inquiry/<int:inquiry>/paper/",
        inquiry_paper.inquiry_paper,
        name="inquiry-paper",
    ),
    path("cases/<case_number:case_number>/inquiry/<int:inquiry>/file/", inquiry_pages.file, name="inquiry-file"),
    path(
        "cases/<case_number:case_number>/inquiry/<int:inquiry>/download/",
        inquiry_pages.download,
        name="inquiry-download",
    ),
    path("cases/<case_number:case_number>/inquiry/<int:inquiry>/return/", inquiry_pages.hand_in, name="inquiry-return"),
    path("cases/<case_number:case_number>/support/", views.support, name="support"),
    path("cases/<case_number:case_number>/plan/", views.plan, name="plan"),
    path("cases/<case_number:case_number>/contact/", views.contact, name="contact"),
    path("cases/<case_number:case_number>/outcome/<int:goal>/", views.outcome, name="outcome"),
    path("cases/<case_number:case_number>/package/", packages.make, name="package-make"),
    path("cases/<case_number:case_number>/package/<int:package>/", packages.paper, name="package"),
    path("cases/<case_number:case_number>/package/<int:package>/key/", packages.key, name="package-key"),
    path("cases/<case_number:case_number>/package/<int:package>/file/", packages.file, name="package-file"),
    path("cases/<case_number:case_number>/package/<int:package>/download/", packages.download, name="package-download"),
    path("cases/<case_number:case_number>/package/<int:package>/reminder/", packages.reminder, name="package-reminder"),
    path("cases/<case_number:case_number>/package/<int:package>/event/", packages.event, name="package-event"),
    path("cases/<case_number:case_number>/package/<int:package>/approve/", packages.approve, name="package-approve"),
    path("cases/<case_number:case_number>/close/", views.close, name="close"),
    path("cases/<case_number:case_number>/reopen/", views.reopen, name="reopen"),
    path("cases/<case_number:case_number>/transfer/", views.transfer, name="transfer"),
]

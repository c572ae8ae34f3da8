"""Addresses of the shortlist and of a case (casework side)."""

from __future__ import annotations

from django.urls import path, register_converter

from kodomo.assessment import conference_views, finding, inquiries, lists, notes, sheet_pages, views
from kodomo.assessment.case_numbers import is_case_number


class CaseNumber:
    """A case number whose check digit fits; anything else is no such page."""

    regex = r"[0-9]{4}-[0-9]{7}"

    def to_python(self, value: str) -> str:
        """Refuse a number misheard or mistyped."""
        if not is_case_number(value):
            raise ValueError
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


register_converter(CaseNumber, "case_number")

urlpatterns = [
    path("cases/", lists.shortlist, name="shortlist"),
    path("cases/export/", lists.shortlist_export, name="shortlist-export"),
    path("cases/assign/", lists.assign, name="assign"),
    path("cases/filters/", lists.save_filter, name="filter-save"),
    path("cases/filters/<int:key>/", lists.drop_filter, name="filter-drop"),
    path("find/", finding.find, name="find"),
    path("conferences/", conference_views.conference_list, name="conferences"),
    path("conferences/call/", conference_views.call, name="conference-call"),
    path("conferences/<int:key>/", conference_views.conference, name="conference"),
    path("conferences/<int:key>/call-off/", conference_views.call_off, name="conference-call-off"),
    path("conferences/<int:key>/minutes/", conference_views.minutes, name="conference-minutes"),
    path("conferences/<int:key>/papers/", conference_views.papers, name="conference-papers"),
    path("conferences/items/<int:key>/", conference_views.item, name="conference-item"),
    path("conferences/items/<int:key>/start/", conference_views.start, name="conference-start"),
    path("cases/<case_number:case_number>/sheet/<str:kind>/", sheet_pages.sheet, name="sheet"),
    path("cases/<case_number:case_number>/note/", notes.note, name="note"),
    path("cases/<case_number:case_number>/disagree/", notes.disagree, name="disagree"),
    path("cases/<case_number:case_number>/inquiry/", inquiries.ask, name="inquiry"),
    path("cases/<case_number:case_number>/inquiry/<int:inquiry>/", inquiries.record_answer, name="answer"),
    path("cases/<case_number:case_number>/", views.case, name="case"),
    path("cases/<case_number:case_number>/print/", views.case_print, name="case-print"),
    path("cases/<case_number:case_number>/first-view/", views.first_view, name="first-view"),
    path("cases/<case_number:case_number>/decide/", views.decide, name="decide"),
    path("cases/<case_number:case_number>/reveal/", views.reveal, name="reveal"),
]

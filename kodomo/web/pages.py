"""Which action each page is: a page that is not listed here is refused (casework side)."""

from __future__ import annotations

from collections.abc import Mapping

from kodomo.governance.permissions import Action

PAGE_ACTIONS: Mapping[str, Action] = {
    "sign-in": Action.SIGN_IN,
    "sign-out": Action.OWN_ACCOUNT,
    "second-factor": Action.OWN_ACCOUNT,
    "enrol": Action.OWN_ACCOUNT,
    "password": Action.OWN_ACCOUNT,
    "home": Action.VIEW_HOME,
    "shortlist": Action.VIEW_SHORTLIST,
    "shortlist-export": Action.EXPORT_SHORTLIST,
    "case": Action.VIEW_CASE,
    "case-print": Action.PRINT_CASE,
    "first-view": Action.WRITE_FIRST_VIEW,
    "decide": Action.DECIDE,
    "reveal": Action.REVEAL_NAME,
    "find": Action.FIND_CASE,
    "assign": Action.ASSIGN_CASE,
    "filter-save": Action.VIEW_SHORTLIST,
    "filter-drop": Action.VIEW_SHORTLIST,
    "sheet": Action.WRITE_SHEET,
    "inquiry": Action.ASK_INQUIRY,
    "answer": Action.ANSWER_INQUIRY,
    "conferences": Action.VIEW_CONFERENCE,
    "conference-call": Action.HOLD_CONFERENCE,
    "conference": Action.VIEW_CONFERENCE,
    "conference-minutes": Action.VIEW_CONFERENCE,
    "conference-item": Action.VIEW_CONFERENCE,
    "conference-start": Action.HOLD_CONFERENCE,
    "caseload": Action.VIEW_CASELOAD,
    "effect": Action.VIEW_EFFECT,
    "similar": Action.VIEW_CASE,
    "support": Action.VIEW_SUPPORT,
    "plan": Action.WRITE_PLAN,
    "contact": Action.RECORD_CONTACT,
    "outcome": Action.RECORD_OUTCOME,
    "package-make": Action.MAKE_PACKAGE,
    "package": Action.MAKE_PACKAGE,
    "package-key": Action.REVEAL_NAME,
    "package-file": Action.MAKE_PACKAGE,
    "package-download": Action.MAKE_PACKAGE,
    "package-event": Action.MAKE_PACKAGE,
    "package-approve": Action.APPROVE_PACKAGE,
    "packages": Action.VIEW_PACKAGES,
    "reply": Action.RECEIVE_REPLY,
    "close": Action.CLOSE_CASE,
    "reopen": Action.REOPEN_CASE,
    "transfer": Action.TRANSFER_CASE,
    "deliveries": Action.VIEW_DELIVERIES,
    "delivery": Action.VIEW_DELIVERIES,
    "delivery-refused": Action.VIEW_DELIVERIES,
    "delivery-upload": Action.UPLOAD_DELIVERY,
    "media": Action.VIEW_DELIVERIES,
    "register": Action.VIEW_REGISTER,
    "item": Action.VIEW_REGISTER,
    "runs": Action.VIEW_RUNS,
    "run": Action.VIEW_RUNS,
    "release-ask": Action.ASK_RELEASE,
    "release-decide": Action.APPROVE_RELEASE,
    "evaluations": Action.VIEW_EVALUATION,
    "evaluation": Action.VIEW_EVALUATION,
    "jobs": Action.VIEW_JOBS,
    "job": Action.VIEW_JOBS,
    "job-start": Action.VIEW_JOBS,
    "job-cancel": Action.STOP_JOB,
    "job-resume": Action.STOP_JOB,
    "job-file": Action.EXPORT_JUDGEMENTS,
    "audit": Action.VIEW_AUDIT,
    "audit-verify": Action.VIEW_AUDIT,
    "accounts": Action.MANAGE_ACCOUNTS,
    "account-new": Action.MANAGE_ACCOUNTS,
    "account-change": Action.MANAGE_ACCOUNTS,
}
"""URL name → action."""

BEFORE_SECOND_FACTOR = frozenset({"sign-out", "second-factor", "enrol"})
"""Pages for somebody whose password was right but whose second factor has not been asked yet."""

BEFORE_NEW_PASSWORD = BEFORE_SECOND_FACTOR | {"password"}
"""Pages for somebody who must change a password that another person knows."""

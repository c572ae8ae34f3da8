"""Every page of the site in a real Chromium: WCAG 2.2 AA by axe-core, no overflow at 1280×720 and at 200 %, no English."""

# ruff: noqa: F811

from __future__ import annotations

import datetime as dt
from typing import Any

import evaluation_report
import pytest
from browsing import BARE_DATES, address, browser, check, demo_password, opened, sign_in  # noqa: F401
from django.utils import timezone
from guide import picture
from handmade import waiting_job
from test_links_page import put_pairs
from test_models_page import learn_rules

from kodomo.configuration import Home
from kodomo.web.pages import PAGE_ACTIONS

pytestmark = [pytest.mark.web, pytest.mark.enable_socket]

SENT_ONLY = {"sign-out", "shortlist-export", "assign", "filter-save", "filter-drop", "conference-start",
             "package-download", "inquiry-download"}  # fmt: skip
SENT_ONLY |= {
    "criteria-propose",
    "draft-begin",
    "draft-try",
    "draft-submit",
    "draft-drop",
    "draft-decide",
    "model-promote",
    "model-roll-back",
    "rule-say",
    "criteria-decide",
    "link-decide",
    "link-undo",
    "evaluations",
    "release-ask",
    "release-decide",
    "job-start",
    "job-cancel",
    "job-resume",
    "job-file",
}
"""Pages that answer a form alone and lead elsewhere."""

ELSEWHERE = {"sign-in", "second-factor", "enrol"}
"""Pages before the inside of the site, looked at in ``test_screens``."""

WHO = {
    "home": "hana", "shortlist": "hana", "find": "hana", "caseload": "hana", "case": "hana", "case-print": "toko",
    "first-view": "makoto", "decide": "hana", "reveal": "hana", "inquiry": "hana", "sheet": "hana", "note": "hana", "disagree": "hana", "package-make": "hana", "package": "hana", "package-key": "hana", "package-event": "hana", "package-reminder": "hana", "package-approve": "shinobu", "package-file": "hana", "packages": "hana", "similar": "hana", "takeover": "hana", "open-case": "hana", "reply": "hana", "answer": "hana", "inquiry-paper": "hana", "inquiry-file": "hana", "inquiry-return": "hana", "support": "hana",
    "plan": "hana", "contact": "hana", "outcome": "hana", "close": "hana", "transfer": "hana", "reopen": "ren",
    "effect": "toko", "effect-detail": "toko", "password": "hana", "audit": "akari", "audit-verify": "akari", "accounts": "osamu",
    "conferences": "toko", "conference-call": "toko", "conference": "toko", "conference-call-off": "toko", "conference-minutes": "toko", "conference-papers": "toko",
    "conference-item": "kei", "account-new": "osamu", "account-change": "osamu",
}  # fmt: skip
"""For each page somebody who may open it."""

WHO |= {
    "deliveries": "toko", "delivery": "toko", "delivery-refused": "toko", "delivery-upload": "mamoru", "media": "toko",
    "register": "rin", "item": "rin", "evaluation": "rin", "misjudged": "toko", "link-pairs": "tamaki", "link-pair": "tamaki", "criteria": "toko", "capacity": "toko", "models": "toko", "runs": "toko", "run": "shinobu", "jobs": "toko", "job": "toko",
    "drafts": "rin", "draft": "toko", "draft-type": "rin", "draft-new": "rin", "draft-entry": "rin", "draft-indicators": "rin",
    "draft-capacity": "rin", "criteria-versions": "shinobu", "criteria-version": "rin",
}  # fmt: skip
OPERATED: dict[str, dict[str, Any]] = {
    "job": {"number": 2}, "delivery": {"receipt": 1}, "delivery-refused": {"refusal": 1},
    "item": {"code": "absence_days"}, "run": {"name": "2026-04-30-second"},
    "evaluation": {"name": evaluation_report.NAME}, "misjudged": {"name": evaluation_report.NAME}, "link-pair": {"number": 1},
    "draft": {"number": 1}, "draft-type": {"number": 1, "kind": "NON_ATTENDANCE"}, "draft-indicators": {"number": 1},
    "draft-new": {"number": 1, "kind": "NON_ATTENDANCE", "table": "points"}, "draft-capacity": {"number": 1},
    "draft-entry": {"number": 1, "table": "points", "code": "n_absence_3m_15"},
}  # fmt: skip
"""What the operators' pages are about."""


def test_no_page_is_left_out() -> None:
    assert set(PAGE_ACTIONS) == set(WHO) | SENT_ONLY | ELSEWHERE


@pytest.fixture
def worked(home: Home, case_of: Any, in_vault: Any) -> dict[str, Any]:
    """A case in the middle of its life for 花, and a closed one for 蓮; where their pages are."""
    in_vault("pc01")  # an inquiry's form leaves only for a family known not to be under protection
    from kodomo.assessment import actions
    from kodomo.governance.permissions import Actor, Role
    from kodomo.support import actions as support
    from kodomo.support import package_actions

    at, today = timezone.now(), timezone.localdate()
    tokens = (f"test-token-of-page-{n:04d}" for n in range(100))
    hana = Actor("hana", "青木 花", Role.PRACTITIONER, "family_centre")
    ren = Actor("ren", "上田 蓮", Role.PRACTITIONER, "childcare")

    def do(act: Any, by: Actor, child: str, **given: Any) -> None:
        case = case_of(child)
        act(case.case_number, by=by, version=case.version, token=next(tokens), at=at, **given)

    def later(days: int) -> dt.date:
        return today + dt.timedelta(days=days)

    for by, child, decision, reason in ((hana, "pc01", "SUPPORT", "S1"), (ren, "pc03", "WATCH", "W1")):
        do(actions.write_first_view, by, child, text="秋から欠席が増え続けている。", concern="STRONG")
        do(
            actions.decide,
            by,
            child,
            decision=decision,
            reason_code=reason,
            reason="",
            agreement="AGREE",
            next_on=later(9),
        )
    do(
        actions.ask_inquiry,
        hana,
        "pc01",
        asked="SCHOOL",
        questions="登校の様子(選択: 毎日、週に数日、来ていない)\n休み時間の様子",
        due_on=later(5),
    )
    returned_form(case_of("pc01").inquiries.get(), hana, next(tokens), at)
    goals = [{"text": "週に二日は登校できる", "service": "SCHOOL", "office": "school_education"},
             {"text": "介護の手を増やす", "service": "CARE", "office": "welfare"}]  # fmt: skip
    do(support.write_plan, hana, "pc01", policy="登校の前に、家の負担を軽くする。", family_words="静かに進めてほしい。",
       starts_on=today, review_on=later(60), goals=goals)  # fmt: skip
    do(support.record_contact, hana, "pc01", kind="VISIT", result="REFUSED", text="玄関で、いまは要らないと言われた。",
       met_on=today, next_on=later(14))  # fmt: skip
    goal = case_of("pc01").plans.get().goals.first()
    do(support.record_outcome, hana, "pc01", goal=goal.pk, scale="BETTER", seen_on=today, text="午後だけ登校。")
    do(package_actions.make_package, hana, "pc01", partner="LIBRARY", partner_name="ひなた市立図書館",
       request="放課後のおはなし会に誘う。", heed="", expires_on=later(30))  # fmt: skip
    do(package_actions.make_package, hana, "pc01", partner="SPORTS", partner_name="ひなたスポーツクラブ",
       request="土曜の見学に誘う。", heed="", expires_on=later(20))  # fmt: skip
    late = case_of("pc01").packages.last()
    do(package_actions.record_package_event, hana, "pc01", package=late.pk, step="HANDED", on=today, text="")
    type(late).objects.filter(pk=late.pk).update(reply_by=later(-3))
    from kodomo.assessment import conferences

    toko = Actor("toko", "大野 統子", Role.COORDINATOR, "school_education")
    members = {"kei": "木村 慧", "committee-member": "役割 委員"}
    meeting = conferences.call_conference(
        by=toko, held_on=later(3), title="第3回 統括委員会", quorum=2, members=members,
        case_numbers=[case_of("pc01").case_number], token=next(tokens), at=at,
    )  # fmt: skip
    do(support.close_case, ren, "pc03", reason_code="C2", text="")
    type(case_of("pc01")).objects.filter(child_key="pc01").update(caseworker="hana")
    _jobs(home)
    _draft(at)
    _deliveries(home, at)
    _second_run(home, toko, at)
    evaluation_report.write_report(home.store)
    evaluation_report.write_cases(home.store, evaluation_report.case_line("pc01"))
    put_pairs(home)
    learn_rules(home)
    return {
        "case_number": case_of("pc01").case_number, "closed": case_of("pc03").case_number, "goal": goal.pk,
        "inquiry": case_of("pc01").inquiries.get().pk, "meeting": meeting, "item": case_of("pc01").agenda.get().pk,
        "package": case_of("pc01").packages.first().pk, "late": late.pk,
    }  # fmt: skip


def returned_form(inquiry: Any, by: Any, token: str, at: dt.datetime) -> None:
    """The inquiry's file, and what came back in it, chosen and not yet confirmed."""
    from kodomo.assessment.models import Draft
    from kodomo.support.inquiry_files import ReadForm, seal_inquiry
    from kodomo.support.inquiry_form import InquiryAnswers

    seal_inquiry(inquiry.case.case_number, inquiry.pk, by=by, token=token, at=at)
    texts = {"問1 登校の様子": "週に数日", "問2 休み時間の様子": "図書室で一人で過ごしています。"}
    read = ReadForm(1, "0a" * 32, InquiryAnswers(timezone.localdate(), texts, is_urgent=False, writer="担任"))
    content = {"case": inquiry.case, "username": by.username, "kept_at": at, "content": read.kept()}
    Draft.objects.create(page=f"INQUIRY_RETURN:{inquiry.pk}", **content)


def _second_run(home: Home, by: Any, at: dt.datetime) -> None:
    """A newer judgement whose release was asked for."""
    from small_store import write_store

    from kodomo.operations.releases import ask_release

    write_store(home.store, judgement="2026-04-30-second", as_of=dt.date(2026, 4, 30))
    ask_release("2026-04-30-second", by=by, reason="前月との違いを確かめた。", at=at)


def _draft(at: dt.datetime) -> None:
    """A draft of the criteria with a changed line, tried and not yet put up for approval."""
    from kodomo.governance.criteria_text import with_entry
    from kodomo.governance.permissions import Actor, Role
    from kodomo.operations import drafts
    from kodomo.operations.models import CriteriaDraft

    rin = Actor("rin", "江藤 凛", Role.ANALYST, "university")
    made = drafts.begin(by=rin, title="2026年度 第2版", at=at)
    files = dict(made.files)
    files["scenarios.toml"] = with_entry(files["scenarios.toml"], "points", "n_absence_3m_15", {"points": 6.0})
    files["scenarios.toml"] = with_entry(files["scenarios.toml"], "points", "n_late_5", {"is_off": True})
    figures = {**made.thresholds, "high": 0.03}
    CriteriaDraft.objects.filter(pk=made.pk).update(files=files, thresholds=figures, tried_job=4, tried_revision=1)


def _deliveries(home: Home, at: dt.datetime) -> None:
    """One delivery with quarantined rows and a difference to the last one, one refused file, two media."""
    from kodomo.intake.media import end_medium, take_medium
    from kodomo.intake.report import quarantine_entry, write_report
    from kodomo.vault.models import Receipt, RefusedDelivery

    columns = {
        "source": "school_attendance", "file_name": "出欠月集計_20260401.csv", "sha256": "0a" * 32, "size_bytes": 1,
        "extracted_on": dt.date(2026, 4, 1), "received_at": at, "received_by": "root(toko)", "medium": "MEDIA",
        "rows_read": 24012, "rows_landed": 24009, "rows_quarantined": 3, "rows_duplicate": 2, "rows_corrected": 1,
        "layout_sha256": "", "sealed_file": "x",
    }  # fmt: skip
    receipt = Receipt.objects.using("vault").create(**columns)
    told = {**columns, "receipt": receipt.pk, "state": "landed", "file": columns["file_name"], "caption": "出欠 月集計",
            "received_at": at.isoformat(), "carrier": "USB-01", "unexpected_columns": ["備考2"], "notes": ["空行が 2 行ありました"],
            "rows_skipped": 0, "rows_withdrawn": 0, "freshness": {"age_days": 235, "freshness_days": 45, "is_fresh": False},
            "against_last": {"receipt": receipt.pk, "file": "出欠月集計_20260301.csv", "is_list": True, "added": 1020, "changed": 3,
                             "changed_rows": [12, 57, 903], "vanished": 1, "vanished_rows": [44], "same": 22988},
            "shifts": [{"question": "列「欠席日数」の空欄が 2 % から 31 % に増えました。出力の条件が変わっていませんか。"}],
            "refused_items": [{"caption": "成績・学力調査", "purpose": "判定", "columns": ["評定"], "why": "受け取らないと決めた項目です。"}],
            "quarantined": [quarantine_entry(n, "欠席日数", code) for n, code in ((12, "R-06"), (57, "R-07"), (903, "R-06"))]}  # fmt: skip
    write_report(home.handover / "reports", f"{receipt.pk:06d}", told)
    why = {"file": "名簿.xlsm", "what": "マクロが入っています。", "where": "名簿.xlsm", "then": "値だけを新しい xlsx に保存し直してください。",
           "received_at": at.isoformat(), "received_by": "root", "source": "", "sha256": ""}  # fmt: skip
    RefusedDelivery.objects.using("vault").create(
        file_name="名簿.xlsm", refused_at=at, refused_by="root", code="macro", report=why
    )
    for label in ("USB-01", "USB-02"):
        take_medium(home, label=label, office="学校教育課", brought_by="主事", by="root", at=at)
    end_medium(home, label="USB-02", how="wipe", by="root", at=at)


def _jobs(home: Home) -> None:
    """One job that ended, one that was refused, and one that stopped in its middle."""
    from kodomo.jobs.book import JobBook, JobStep
    from kodomo.operations.kinds import KINDS, steps_of

    book, day = JobBook(home.runs), dt.date(2026, 3, 31)
    for code in ("LINK", "MONTHLY", "JUDGE"):
        waiting_job(
            book, code, KINDS[code].caption, steps_of(KINDS[code], day, ""), asked_by="toko", office="school_education"
        )
    book.end(1, "DONE")
    book.end_step(2, {"step": "link", "mentions": 328252, "linked": 327214, "doubtful": 66, "seconds": 11.6})
    waiting_job(
        book, "WHAT_IF", "判定基準の案の試算", [JobStep("試算", ("what-if",))], asked_by="rin", office="university"
    )
    curves = [_reach(s) for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)]
    told = {"type": "NON_ATTENDANCE", "label": "不登校", "judged": "2,070", "now_HIGH": "40", "now_MIDDLE": "165",
            "now_LOW": "1,800", "now_INSUFFICIENT": "65", "then_HIGH": "60", "then_MIDDLE": "165", "then_LOW": "1,780",
            "then_INSUFFICIENT": "65", "entered": "45", "left": "25", "other_points": "90", "entered_high": "30", "left_high": "10", "now_by_fact": "10", "then_by_fact": "10"}  # fmt: skip
    book.end_step(4, {"step": "what-if", "as_of": "2026-03-31", "drafted": [told], "curves": curves})
    book.end(4, "DONE")
    fault = {"what": "こどもデータベースの版がありません。", "where": "", "then": "先に反映してください。"}
    book.end(3, "FAILED", fault)


def _reach(share: float) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "NON_ATTENDANCE", "share": share}
    for side, times in (("now", 2.7), ("then", 3.3)):
        found |= {f"{side}_children": f"{round(share * 2070):,}", f"{side}_unknown": f"{round(share * 1600):,}",
                  f"{side}_registered": f"{round(share * 400):,}", f"{side}_reached": times * share}  # fmt: skip
    return found


def path_of(page: str, worked: dict[str, Any]) -> str:
    from django.conf import settings
    from django.urls import reverse

    from kodomo.governance.criteria_versions import criteria_version

    takes: dict[str, Any] = {"account-change": {"username": "ren"}, "answer": {"inquiry": worked["inquiry"]}, **{name: {"inquiry": worked["inquiry"]} for name in ("inquiry-paper", "inquiry-file", "inquiry-return")},
                             "outcome": {"goal": worked["goal"]}, "sheet": {"kind": "YOUNG_CARER"},
                             "package-reminder": {"package": worked["late"]}, **{name: {"package": worked["package"]} for name in ("package", "package-key", "package-event", "package-approve", "package-file")}, "conference": {"key": worked["meeting"]}, "conference-call-off": {"key": worked["meeting"]},
                             "conference-minutes": {"key": worked["meeting"]},
                             "conference-papers": {"key": worked["meeting"]},
                             "conference-item": {"key": worked["item"]},
                             "criteria-version": {"matter": "CRITERIA", "version": criteria_version(settings.MUNICIPALITY.folder)},
                             **OPERATED}.get(page, {})  # fmt: skip
    from kodomo.governance.permissions import CASE_ACTIONS

    if PAGE_ACTIONS[page] in CASE_ACTIONS:
        takes = {**takes, "case_number": worked["closed" if page == "reopen" else "case_number"]}
    return reverse(page, kwargs=takes)


def view_of(name: str, patterns: Any = None) -> Any:
    """The view behind a page's name."""
    from django.urls import get_resolver

    for one in patterns or get_resolver().url_patterns:
        found = view_of(name, one.url_patterns) if hasattr(one, "url_patterns") else one.name == name and one.callback
        if found:
            return found
    return None


@pytest.mark.parametrize("username", sorted(set(WHO.values())))
def test_it_is_in_order(username: str, browser: Any, address: str, home: Home, worked: dict[str, Any]) -> None:
    complaints: list[str] = []
    page = opened(browser, complaints)
    sign_in(page, address, username, demo_password(home))
    if username == WHO["link-pair"]:
        page.goto(f"{address}/links/1/")
        check(page, "page-link-pair-password")
        page.fill("[name=password]", demo_password(home))
        page.click("main button[type=submit]")
    for name in sorted(name for name, who in WHO.items() if who == username):
        answer = page.goto(address + path_of(name, worked))
        assert answer.status == 200, name
        check(page, f"page-{name}")
        if view_of(name).__module__.startswith(("kodomo.assessment", "kodomo.support")):
            assert page.evaluate(BARE_DATES) == [], f"{name}: 和暦 stands beside every date that caseworkers read"
        picture(page, name)
    assert complaints == []

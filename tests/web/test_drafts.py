"""The criteria editor: drafts, checks at the field, two editors, trial, two people's approval, versions, going back."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from spoken import english_in
from standing_people import HANA, OTHERS, PASSWORD, RIN

from kodomo.configuration import Home
from kodomo.errors import ConfigurationFault
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, State
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.criteria_text import entry_of
from kodomo.governance.criteria_versions import check_usable
from kodomo.operations import drafts
from kodomo.operations.models import CriteriaDraft

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
OFFICER = next(p for p in OTHERS if p.role == "PRIVACY_OFFICER")
TYPE = "types/NON_ATTENDANCE"
LINE = "entries/points/n_absence_3m_15"
WORDS = {"points": "8", "kind": "risk", "when_1": "absence_3m", "sign_1": ">=", "bound_1": "15", "group": "absence",
         "rationale": "長期欠席のきざし"}  # fmt: skip


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader asked in this process: a command of its own takes two seconds each time."""
    from kodomo.judgement.draft_check import check_draft

    def asked(actor: Any, *words: str) -> dict[str, Any]:
        assert words[:3] == ("criteria", "check", "--draft")
        return check_draft(Path(words[3]))

    monkeypatch.setattr(drafts, "ask", asked)


@pytest.fixture
def number(as_person: Any, home: Home, loads: None) -> int:
    """A draft somebody has begun."""
    answer = as_person(RIN).post("/criteria/drafts/begin/", {"title": "第2版"})
    assert answer.status_code == 302
    return int(re.findall(r"\d+", answer["Location"])[0])


def page(number: int, rest: str = "") -> str:
    return f"/criteria/drafts/{number}/{rest}{'/' if rest else ''}"


def hidden(browser: Any, url: str) -> dict[str, str]:
    body = browser.get(url).content.decode()
    return dict(re.findall(r'name="(seen)" value="([^"]*)"', body))


def send(browser: Any, url: str, **given: str) -> Any:
    return browser.post(url, {**hidden(browser, url), **given})


def quick(browser: Any, url: str, **changed: str) -> dict[str, str]:
    """The quick table as a browser would send it back."""
    body = browser.get(url).content.decode()
    points = dict(re.findall(r'name="(points_\w+)" value="([-\d.]+)"', body))
    on = dict.fromkeys(re.findall(r'name="(on_\w+)" [^>]*checked', body), "on")
    return {**points, **on, **hidden(browser, url), **changed}


def line(number: int, code: str = "n_absence_3m_15") -> dict[str, Any]:
    text = CriteriaDraft.objects.get(pk=number).files["scenarios.toml"]
    found = entry_of(text, "points", code)
    assert found is not None
    return found


def decide(browser: Any, number: int, **more: str) -> Any:
    given = {"decision": "APPROVE", "reason": "会議で確かめた。", "password": PASSWORD}
    return browser.post(page(number, "decide"), {**given, **more})


def changed_and_submitted(as_person: Any, number: int) -> None:
    assert send(as_person(RIN), page(number, LINE), **{**WORDS, "points": "3"}).status_code == 302
    answer = as_person(RIN).post(page(number, "submit"), {"reason": "欠席の重みを見直した。"})
    assert answer.status_code == 302, answer.content.decode()


# Who may --------------------------------------------------------------------------------------------


def test_only_coordinator_and_analyst_write_and_only_approvers_decide(as_person: Any, number: int) -> None:
    for person, status in ((RIN, 200), (COORDINATOR, 200), (APPROVER, 403), (OFFICER, 403), (HANA, 403)):
        assert as_person(person).get(page(number, TYPE)).status_code == status, person.username
    for person, status in ((RIN, 200), (APPROVER, 200), (OFFICER, 200), (HANA, 403)):
        assert as_person(person).get(page(number)).status_code == status, person.username
    assert as_person(APPROVER).post("/criteria/drafts/begin/", {"title": "別"}).status_code == 403
    assert decide(as_person(RIN), number).status_code == 403


def test_neither_the_author_alone_nor_one_person_twice_brings_a_version_into_force(
    as_person: Any, home: Home, number: int, audit_rows: Any
) -> None:
    toko = as_person(COORDINATOR)
    assert send(toko, page(number, LINE), **{**WORDS, "points": "3"}).status_code == 302
    assert toko.post(page(number, "submit"), {"reason": "見直した。"}).status_code == 302
    assert decide(toko, number).status_code == 302
    again = decide(toko, number, reason="もう一度書いた理由")
    assert again.status_code == 403 and "もう一度書いた理由" in again.content.decode()
    assert in_force(home, settings.MUNICIPALITY).adopted is None
    assert decide(as_person(RIN), number).status_code == 403  # who builds the judgement does not approve
    assert decide(as_person(APPROVER), number).status_code == 302
    assert in_force(home, settings.MUNICIPALITY).adopted is not None
    told = [(row["actor"], row["action"]) for row in audit_rows()]
    assert ("coordinator", "APPROVE_CRITERIA") in told and ("approver", "APPROVE_CRITERIA") in told
    book = approvals.history(home, Matter.CRITERIA)
    assert [(act.step.value, act.by.account) for act in book] == [
        ("PROPOSE", "coordinator"), ("APPROVE", "coordinator"), ("APPROVE", "approver"),
    ]  # fmt: skip


def test_one_account_under_two_names_is_one_person(as_person: Any, number: int) -> None:
    from kodomo.web.models import Staff

    changed_and_submitted(as_person, number)
    assert decide(as_person(COORDINATOR), number).status_code == 302
    Staff.objects.filter(username="coordinator").update(name="結婚して 改姓")
    assert decide(as_person(COORDINATOR), number).status_code == 403


def test_an_approval_needs_the_password_and_a_reason(as_person: Any, home: Home, number: int) -> None:
    changed_and_submitted(as_person, number)
    for wrong in ({"password": "違う"}, {"reason": ""}):
        assert decide(as_person(COORDINATOR), number, **wrong).status_code == 400
    assert approvals.history(home, Matter.CRITERIA)[-1].step != "APPROVE"


# What it does ---------------------------------------------------------------------------------------


def test_a_draft_judges_only_once_two_people_approved_it_and_files_stay_as_they_are(
    as_person: Any, home: Home, number: int
) -> None:
    before = (settings.MUNICIPALITY.folder / "criteria" / "scenarios.toml").read_bytes()
    changed_and_submitted(as_person, number)
    home_page = as_person(APPROVER).get("/").content.decode()
    assert "承認を待つ判定基準の案" in home_page
    assert "承認を待つ案" in as_person(APPROVER).get("/criteria/").content.decode()
    assert decide(as_person(COORDINATOR), number).status_code == 302
    assert in_force(home, settings.MUNICIPALITY) == settings.MUNICIPALITY
    assert decide(as_person(OFFICER), number).status_code == 302
    now = in_force(home, settings.MUNICIPALITY)
    assert now.adopted is not None and home.governance in now.adopted.parents
    criteria, thresholds = check_usable(home, now)
    assert criteria.approval == "APPROVED" and len(criteria.approved_by) == 2 and thresholds.approval == "APPROVED"
    text = (now.criteria_folder / "criteria" / "scenarios.toml").read_text()
    assert 'version = "第2版"' in text and "points = 3\n" in text
    assert (settings.MUNICIPALITY.folder / "criteria" / "scenarios.toml").read_bytes() == before
    body = as_person(COORDINATOR).get("/criteria/").content.decode()
    assert "画面で承認された版" in body and english_in(body) == set()
    assert decide(as_person(APPROVER), number, decision="WITHDRAW").status_code == 302
    assert approvals.standing(home, Matter.CRITERIA, criteria.version).state is State.WITHDRAWN
    assert in_force(home, settings.MUNICIPALITY).adopted is not None  # stopped, not silently an older one


def test_points_and_switches_of_a_type_are_saved_together(as_person: Any, number: int, audit_rows: Any) -> None:
    browser, url = as_person(RIN), page(number, TYPE)
    given = quick(browser, url, points_n_absence_3m_15="2.5")
    del given["on_n_absence_3m_9"]
    assert browser.post(url, given).status_code == 302
    assert line(number)["points"] == 2.5 and line(number, "n_absence_3m_9")["is_off"] is True
    assert line(number, "n_absence_3m_5") == {**line(number, "n_absence_3m_5"), "points": 4}
    assert audit_rows()[-1]["action"] == "SAVE_DRAFT"
    body = browser.get(page(number)).content.decode()
    assert "直近3か月の欠席日数 15 以上" in body and "2.5" in body and english_in(body) == set()
    wrong = browser.post(url, quick(browser, url, points_n_absence_3m_15="八", points_n_change="-7"))
    text = wrong.content.decode()
    assert wrong.status_code == 400 and 'value="八"' in text and 'value="-7"' in text and "数で書いてください" in text
    refused = browser.post(url, quick(browser, url, points_n_change="-7"))
    assert (
        refused.status_code == 400
        and "負の点は" in refused.content.decode()
        and line(number, "n_change")["points"] == 3
    )


def test_faults_of_the_loader_stand_at_their_field_and_nothing_typed_is_lost(as_person: Any, number: int) -> None:
    browser = as_person(RIN)
    two = {**WORDS, "when_2": "absence_change", "sign_2": ">=", "bound_2": "1", "rationale": "書きかけの長い理由"}
    answer = send(browser, page(number, LINE), **two)
    body = answer.content.decode()
    assert answer.status_code == 400 and "条件が二つ以上のときは、文を書いてください" in body
    assert "書きかけの長い理由" in body and "sentence" not in line(number)
    assert send(browser, page(number, LINE), **{**two, "sentence": "欠席が多く、増えている"}).status_code == 302
    assert line(number)["when"] == ["absence_3m >= 15", "absence_change >= 1"]
    for wrong in ({"bound_1": "たくさん"}, {"sign_1": ""}, {"points": "900"}, {"rationale": ""}, {"when_1": "nothing"}):
        assert send(browser, page(number, LINE), **{**WORDS, **wrong}).status_code == 400, wrong


def test_an_indicator_keeps_to_the_loaders_rules(as_person: Any, number: int) -> None:
    browser, url = as_person(RIN), page(number, "entries/indicators/absence_3m")
    body = browser.get(url).content.decode()
    assert "この指標を使っている行" in body and english_in(body) <= {"value"}
    words = {"caption": "直近4か月の欠席日数", "window_months": "4", "sentence": "直近4か月の欠席が {value} 日"}
    wrong = send(browser, url, **{**words, "baseline_months": "9"})
    assert wrong.status_code == 400 and "change に必須" in wrong.content.decode()
    assert send(browser, url, **words).status_code == 302
    found = entry_of(CriteriaDraft.objects.get(pk=number).files["indicators.toml"], "indicators", "absence_3m")
    assert found is not None and (found["window_months"], found["caption"]) == (4, "直近4か月の欠席日数")
    assert "直近4か月の欠席日数" in browser.get(page(number)).content.decode()


def test_a_line_is_added_from_offered_indicators_and_comments_stay(as_person: Any, number: int) -> None:
    browser = as_person(RIN)
    before = CriteriaDraft.objects.get(pk=number).files["scenarios.toml"]
    given = {**WORDS, "when_1": "late_3m", "bound_1": "20", "points": "2", "group": ""}
    assert browser.post(page(number, f"{TYPE}/new/points"), given).status_code == 302
    after = CriteriaDraft.objects.get(pk=number).files["scenarios.toml"]
    added = [row for row in after.splitlines() if row not in before.splitlines()]
    assert 'when = ["late_3m >= 20"]' in added and "points = 2" in after
    assert [row for row in before.splitlines() if row.startswith("#")] == [
        row for row in after.splitlines() if row.startswith("#")
    ]
    body = browser.get(page(number, f"{TYPE}/new/escalations")).content.decode()
    assert english_in(body) == set()
    assert browser.get(page(number, "types/NOWHERE")).status_code == 404
    assert browser.get(page(number, "entries/points/nowhere")).status_code == 404


def test_two_editors_do_not_overwrite_each_other_and_both_texts_are_shown(as_person: Any, number: int) -> None:
    rin, toko, url = as_person(RIN), as_person(COORDINATOR), page(number, LINE)
    opened = hidden(rin, url)
    assert send(toko, url, **{**WORDS, "rationale": "統子の理由"}).status_code == 302
    answer = rin.post(url, {**WORDS, **opened, "rationale": "凛の理由"})
    body = answer.content.decode()
    assert answer.status_code == 409 and "統子の理由" in body and "凛の理由" in body
    assert line(number)["rationale"] == "統子の理由"
    fresh = dict(re.findall(r'name="(seen)" value="([^"]*)"', body))
    assert rin.post(url, {**WORDS, **fresh, "rationale": "二人の理由"}).status_code == 302
    assert line(number)["rationale"] == "二人の理由"
    # A fault in between doesn't hide that somebody saved meanwhile.
    opened = hidden(rin, url)
    assert send(toko, url, **{**WORDS, "rationale": "統子がまた直した"}).status_code == 302
    faulty = rin.post(url, {**WORDS, **opened, "points": "多い"})
    assert faulty.status_code == 400
    kept = dict(re.findall(r'name="(seen)" value="([^"]*)"', faulty.content.decode()))
    assert rin.post(url, {**WORDS, **kept, "points": "4"}).status_code == 409
    # Another line that somebody saved meanwhile is no conflict: both edits stay.
    other = page(number, "entries/points/n_absence_3m_9")
    opened = hidden(rin, other)
    assert send(toko, url, **{**WORDS, "points": "7"}).status_code == 302
    assert rin.post(other, {**WORDS, **opened, "points": "5", "bound_1": "9"}).status_code == 302
    assert (line(number)["points"], line(number, "n_absence_3m_9")["points"]) == (7, 5)
    table = page(number, TYPE)
    old = quick(rin, table)
    assert send(toko, url, **{**WORDS, "points": "6"}).status_code == 302
    late = rin.post(table, {**old, "points_n_absence_3m_15": "1"})
    assert late.status_code == 409 and "いま保存されている値: 6" in late.content.decode()
    assert 'value="1"' in late.content.decode() and line(number)["points"] == 6


def test_capacity_by_type_and_office_is_checked_and_becomes_the_thresholds_in_force(
    as_person: Any, home: Home, number: int
) -> None:
    browser, url = as_person(RIN), page(number, "capacity")
    assert english_in(browser.get(url).content.decode()) == set()
    given = {"high": "3", "middle": "9", "band": "0.5", "type_1": "NON_ATTENDANCE", "office_1": "family_centre",
             "high_1": "4", "middle_1": "12"}  # fmt: skip
    half = send(browser, url, **{**given, "middle_1": ""})
    assert half.status_code == 400 and "「高」と「中」の両方" in half.content.decode()
    twice = {**given, "type_2": "NON_ATTENDANCE", "office_2": "family_centre", "high_2": "1", "middle_2": "1"}
    assert "二度書かれています" in send(browser, url, **twice).content.decode()
    opened = hidden(browser, url)
    assert send(browser, url, **given).status_code == 302
    late = browser.post(url, {**given, **opened, "high": "1"})
    assert late.status_code == 409 and "ほかの人が直しました" in late.content.decode()
    assert browser.post(page(number, "submit"), {"reason": "回れる件数に合わせた。"}).status_code == 302
    draft = CriteriaDraft.objects.get(pk=number)
    assert draft.thresholds_version and not draft.criteria_version
    for person in (COORDINATOR, APPROVER):
        assert decide(as_person(person), number).status_code == 302
    now = in_force(home, settings.MUNICIPALITY)
    assert now.adopted is None and now.capacity_high == 0.03
    assert now.extras["capacity"]["parts"][0]["office"] == "family_centre"
    assert check_usable(home, now)[1].version == draft.thresholds_version


def test_a_capacity_of_an_office_that_was_given_up_is_mended_on_the_site(
    as_person: Any, home: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, url = as_person(RIN), page(number, "capacity")
    given = {"high": "3", "middle": "9", "band": "0.5", "type_1": "NON_ATTENDANCE", "office_1": "childcare",
             "high_1": "4", "middle_1": "12"}  # fmt: skip
    assert send(browser, url, **given).status_code == 302
    assert browser.post(page(number, "submit"), {"reason": "回れる件数に合わせた。"}).status_code == 302
    for person in (COORDINATOR, APPROVER):
        assert decide(as_person(person), number).status_code == 302
    left = tuple(
        replace(one, age_bands=()) if one.code == "childcare" else one for one in settings.MUNICIPALITY.offices
    )
    monkeypatch.setattr(settings, "MUNICIPALITY", replace(settings.MUNICIPALITY, offices=left))
    with pytest.raises(ConfigurationFault, match="childcare"):
        check_usable(home, in_force(home, settings.MUNICIPALITY))
    for path in ("/criteria/", "/criteria/capacity/", "/criteria/versions/"):
        told = browser.get(path)
        assert told.status_code == 200, path
    assert "いまの枠では判定できません" in browser.get("/criteria/").content.decode()
    begun = browser.post("/criteria/drafts/begin/", {"title": "部署の見直し"})
    again = int(re.findall(r"\d+", begun["Location"])[0])
    stale = browser.post(page(again, "submit"), {"reason": "このまま。"})
    assert stale.status_code == 400 and "枠を空にするか" in stale.content.decode()
    body = browser.get(page(again, "capacity")).content.decode()
    assert "いまはない部署(childcare)" in body and "このままでは判定できません" in body
    assert send(browser, page(again, "capacity"), **given).status_code == 400, "the office is still gone"
    assert send(browser, page(again, "capacity"), **{**given, "high_1": "", "middle_1": ""}).status_code == 302
    assert browser.post(page(again, "submit"), {"reason": "なくなった部署の枠をやめる。"}).status_code == 302
    for person in (COORDINATOR, APPROVER):
        assert decide(as_person(person), again).status_code == 302
    now = in_force(home, settings.MUNICIPALITY)
    assert check_usable(home, now)[1].approval == "APPROVED" and "parts" not in drafts.figures_in_force()
    assert "判定できません" not in browser.get("/criteria/").content.decode()


def test_what_was_submitted_cannot_be_changed_and_an_unchanged_draft_is_not_submitted(
    as_person: Any, number: int
) -> None:
    browser = as_person(RIN)
    same = browser.post(page(number, "submit"), {"reason": "書いた理由は残る"})
    assert same.status_code == 400 and "書いた理由は残る" in same.content.decode()
    opened = hidden(browser, page(number, LINE))
    changed_and_submitted(as_person, number)
    late = browser.post(page(number, LINE), {**WORDS, **opened, "points": "1"})
    assert late.status_code in (400, 409) and line(number)["points"] == 3
    assert browser.post(page(number, "submit"), {"reason": "もう一度"}).status_code == 400
    assert browser.post(page(number, "drop"), {}).status_code == 400


def test_names_of_versions_are_their_own(as_person: Any, number: int) -> None:
    browser = as_person(RIN)
    for title in ("第2版", "", "見本-1"):
        answer = browser.post("/criteria/drafts/begin/", {"title": title})
        assert answer.status_code == 400, title


def test_an_earlier_version_is_read_and_gone_back_to_as_a_new_one(as_person: Any, home: Home, number: int) -> None:
    changed_and_submitted(as_person, number)
    for person in (COORDINATOR, APPROVER):
        decide(as_person(person), number)
    browser = as_person(RIN)
    body = browser.get("/criteria/versions/").content.decode()
    assert "第2版" in body and "見本-1" in body and "いま使われている" in body and english_in(body) == set()
    first = re.findall(r"/criteria/versions/CRITERIA/(\w{64})/", body)[-1]
    old = browser.get(f"/criteria/versions/CRITERIA/{first}/").content.decode()
    assert "直近3か月の欠席日数 15 以上" in old and ">3<" in old and ">8<" in old and english_in(old) == set()
    assert browser.get(f"/criteria/versions/CRITERIA/{'0' * 64}/").status_code == 404
    again = browser.post("/criteria/drafts/begin/", {"title": "第3版", "version": first})
    back = int(re.findall(r"\d+", again["Location"])[0])
    assert browser.post(page(back, "submit"), {"reason": "前の点に戻す。"}).status_code == 302
    for person in (COORDINATOR, OFFICER):
        assert decide(as_person(person), back).status_code == 302
    text = (in_force(home, settings.MUNICIPALITY).criteria_folder / "criteria" / "scenarios.toml").read_text()
    assert 'version = "第3版"' in text and "points = 8\n" in text
    versions = browser.get("/criteria/versions/").content.decode()
    assert all(title in versions for title in ("見本-1", "第2版", "第3版"))


def test_a_submission_that_broke_off_can_be_sent_again_also_after_another_edit(
    as_person: Any, home: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book has the proposal, the site's database does not: what a power cut between the two leaves behind."""
    from kodomo.governance import adoption

    browser, submit = as_person(RIN), adoption.submit
    assert send(browser, page(number, LINE), **{**WORDS, "points": "3"}).status_code == 302

    def cut_short(*given: Any, **words: Any) -> Any:
        submit(*given, **words)
        raise KeyboardInterrupt

    monkeypatch.setattr(adoption, "submit", cut_short)
    with pytest.raises(KeyboardInterrupt):
        browser.post(page(number, "submit"), {"reason": "見直した。"})
    monkeypatch.setattr(adoption, "submit", submit)
    assert CriteriaDraft.objects.get(pk=number).state == "OPEN"
    assert [act.step.value for act in approvals.history(home, Matter.CRITERIA)] == ["PROPOSE"]
    assert send(browser, page(number, LINE), **{**WORDS, "points": "4"}).status_code == 302
    again = browser.post(page(number, "submit"), {"reason": "見直した。"})
    assert again.status_code == 302, again.content.decode()
    assert browser.post("/criteria/drafts/begin/", {"title": "第2版"}).status_code == 400  # now it is somebody's


def test_a_version_withdrawn_by_mistake_is_put_up_again_as_it_was(as_person: Any, home: Home, number: int) -> None:
    changed_and_submitted(as_person, number)
    for person in (COORDINATOR, APPROVER):
        decide(as_person(person), number)
    assert decide(as_person(APPROVER), number, decision="WITHDRAW").status_code == 302
    body = as_person(RIN).get("/criteria/").content.decode()
    assert "取り下げられたので、判定はできません" in body and "この版を提案する" not in body
    begun = as_person(RIN).post("/criteria/drafts/begin/", {"title": "第2版(もう一度)"})
    again = int(re.findall(r"\d+", begun["Location"])[0])
    answer = as_person(RIN).post(page(again, "submit"), {"reason": "取下げは誤りだった。"})
    assert answer.status_code == 302, answer.content.decode()
    for person in (COORDINATOR, APPROVER):
        assert decide(as_person(person), again).status_code == 302
    assert check_usable(home, in_force(home, settings.MUNICIPALITY))[0].approval == "APPROVED"


def test_a_draft_of_points_alone_takes_no_capacity_back_that_was_approved_meanwhile(
    as_person: Any, home: Home, number: int
) -> None:
    browser = as_person(RIN)
    begun = browser.post("/criteria/drafts/begin/", {"title": "枠だけの見直し"})
    other = int(re.findall(r"\d+", begun["Location"])[0])
    assert send(browser, page(other, "capacity"), high="3", middle="9", band="0.5").status_code == 302
    assert browser.post(page(other, "submit"), {"reason": "回れる件数に合わせた。"}).status_code == 302
    changed_and_submitted(as_person, number)  # begun before, and submitted before the other is approved
    for person in (COORDINATOR, APPROVER):
        assert decide(as_person(person), other).status_code == 302
    begun = browser.post("/criteria/drafts/begin/", {"title": "点だけの見直し"})
    assert not CriteriaDraft.objects.get(pk=number).thresholds_version
    third = int(re.findall(r"\d+", begun["Location"])[0])
    CriteriaDraft.objects.filter(pk=third).update(thresholds={"high": 0.02, "middle": 0.08, "band": 0.005})
    assert "「高」の枠" not in browser.get(page(third)).content.decode()
    assert 'value="3.0"' in browser.get(page(third, "capacity")).content.decode()
    assert send(browser, page(third, LINE), **{**WORDS, "points": "2"}).status_code == 302
    assert browser.post(page(third, "submit"), {"reason": "点だけ。"}).status_code == 302
    assert not CriteriaDraft.objects.get(pk=third).thresholds_version
    for person in (COORDINATOR, APPROVER):
        assert decide(as_person(person), third).status_code == 302
    assert in_force(home, settings.MUNICIPALITY).capacity_high == 0.03
    waiting = as_person(APPROVER).get(page(number)).content.decode()
    assert (
        "いま使われている版の写しではありません" in waiting
    )  # who approves it would take the points just approved back


def test_a_broken_file_of_the_folder_is_told_and_not_a_fault_of_the_product(
    as_person: Any, home: Home, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    from dataclasses import replace

    folder = shutil.copytree(settings.MUNICIPALITY.folder, tmp_path / "town")
    monkeypatch.setattr(settings, "MUNICIPALITY", replace(settings.MUNICIPALITY, folder=folder))
    (folder / "criteria" / "indicators.toml").write_bytes("# 指標".encode("cp932"))
    for url in ("/criteria/", page(number)):
        answer = as_person(RIN).get(url)
        assert answer.status_code == 500 and "設定ファイルを読めません" in answer.content.decode(), url


def test_a_trial_that_ends_takes_nothing_away_that_somebody_types_meanwhile(
    as_person: Any, home: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.jobs import runner
    from kodomo.jobs.book import JobBook

    own, began = os.getpid(), psutil.Process().create_time()
    monkeypatch.setattr(runner, "start", lambda book, number, globals_: book.belongs_to(number, own, began))
    browser = as_person(RIN)
    browser.post(page(number, "try"), {})
    refused = browser.post(page(number, "submit"), {"reason": "書きかけの理由"}).content.decode()
    assert f'id="live" hx-get="{page(number)}"' in refused and "書きかけの理由" in refused
    JobBook(home.runs).end(1, "FAILED")
    part = browser.get(page(number), headers={"HX-Request": "true", "HX-Target": "live"})
    body = part.content.decode()
    assert "HX-Refresh" not in part and 'id="live"' in body and "hx-get" not in body and "数えられませんでした" in body


def test_a_draft_is_tried_before_approval_in_counts_alone(
    as_person: Any, home: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.jobs import runner
    from kodomo.jobs.book import JobBook

    monkeypatch.setattr(runner, "start", lambda book, number, globals_: None)
    browser = as_person(RIN)
    assert browser.post(page(number, "try"), {}).status_code == 302
    job = JobBook(home.runs).job(1)
    words = job.steps[0].words
    assert words[:2] == ("what-if", "--draft") and words[3:] == ("--as-of", "2026-03-31")
    assert (Path(words[2]) / "criteria" / "scenarios.toml").is_file() and (Path(words[2]) / "capacity.json").is_file()
    told = {"type": "NON_ATTENDANCE", "label": "不登校", "judged": "2,070", "entered": "25", "left": "30", "other_points": "60",
            "entered_high": "10", "left_high": "10", "now_by_fact": "10", "then_by_fact": "秘匿"}  # fmt: skip
    told |= {
        f"{side}_{level}": "165" for side in ("now", "then") for level in ("HIGH", "MIDDLE", "LOW", "INSUFFICIENT")
    }
    curve = {"type": "NON_ATTENDANCE", "share": 0.1}
    curve |= {f"{side}_{what}": "15" for side in ("now", "then") for what in ("children", "unknown", "registered")}
    kept = runner._small(
        {"as_of": "2026-03-31", "drafted": [told], "curves": [{**curve, "now_reached": 0.4, "then_reached": 0.45}]}
    )
    JobBook(home.runs).end_step(1, {"step": "what-if", **kept})
    JobBook(home.runs).end(1, "DONE")
    body = browser.get(page(number)).content.decode()
    assert ">25<" in body and "秘匿" in body and "枠の外になることは、困難がないという意味ではありません" in body
    assert "<svg" in body and english_in(body) == set()
    assert browser.get("/jobs/1/").status_code == 200
    send(browser, page(number, LINE), **{**WORDS, "points": "1"})
    assert "この後に案を直しています" in browser.get(page(number)).content.decode()

"""判定基準: who approved which version, two people through the site, and what other thresholds would mean."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from small_store import CHILDREN
from spoken import english_in
from standing_people import HANA, OTHERS, PASSWORD, RIN

from kodomo.configuration import Home, read_municipality
from kodomo.governance import approvals, criteria_versions
from kodomo.governance.approvals import Matter, State
from kodomo.operations.capacity import reach_at
from kodomo.operations.criteria_words import act_words
from kodomo.store.database import Store
from kodomo.terms import OVERALL

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
OFFICER = next(p for p in OTHERS if p.role == "PRIVACY_OFFICER")


@pytest.fixture
def changed(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder whose point table was changed after its approval; the version at hand."""
    folder = tmp_path / "town"
    shutil.copytree(settings.MUNICIPALITY.folder, folder)
    path = folder / "criteria" / "scenarios.toml"
    path.write_text(path.read_text() + "\n# 見直し\n")
    monkeypatch.setattr(settings, "MUNICIPALITY", read_municipality(folder))
    return criteria_versions.criteria_version(folder)


def decide(browser: Any, version: str, **more: str) -> Any:
    given = {
        "matter": "CRITERIA",
        "version": version,
        "decision": "APPROVE",
        "reason": "確かめた。",
        "password": PASSWORD,
    }
    return browser.post("/criteria/decide/", {**given, **more})


def state(home: Home, version: str) -> State:
    return approvals.standing(home, Matter.CRITERIA, version).state


@pytest.mark.parametrize(
    ("at", "day"), [("2026-11-22T17:30:00+00:00", "2026/11/23(令8)"), ("2026-03-01", "2026/03/01(令8)")]
)
def test_an_act_stands_under_the_citys_day(at: str, day: str) -> None:
    assert act_words({"step": "APPROVE", "role": "APPROVER", "at": at})["on"] == day


def test_it_says_which_version_is_in_force_and_shows_the_points_in_words(as_person: Any) -> None:
    body = as_person(RIN).get("/criteria/").content.decode()
    version = criteria_versions.criteria_version(settings.MUNICIPALITY.folder)
    assert version[:12] in body and "承認済み" in body and "使えます" in body
    assert "直近3か月の欠席日数 15 以上" in body and body.count("<details") >= 7
    assert english_in(body) == set()


def test_two_different_people_bring_a_changed_version_into_force(
    as_person: Any, home: Home, changed: str, audit_rows: Any
) -> None:
    analyst = as_person(RIN)
    assert "使えません" in analyst.get("/criteria/").content.decode()
    given = {"matter": "CRITERIA", "version": changed, "reason": "出欠の点を見直した。"}
    assert analyst.post("/criteria/propose/", given).status_code == 302
    assert state(home, changed) is State.PROPOSED
    assert decide(as_person(COORDINATOR), changed).status_code == 302
    assert state(home, changed) is State.PROPOSED
    assert decide(as_person(COORDINATOR), changed).status_code == 403  # the same person twice
    assert decide(as_person(OFFICER), changed).status_code == 302
    assert state(home, changed) is State.APPROVED
    acts = [(row["actor"], row["action"]) for row in audit_rows() if row["action"].endswith("_CRITERIA")]
    assert acts == [
        ("rin", "PROPOSE_CRITERIA"),
        ("coordinator", "APPROVE_CRITERIA"),
        ("privacy-officer", "APPROVE_CRITERIA"),
    ]
    body = as_person(APPROVER).get("/criteria/").content.decode()
    assert "承認済み" in body and "出欠の点を見直した。" in body and english_in(body) == set()
    assert decide(as_person(APPROVER), changed, decision="WITHDRAW").status_code == 302
    assert state(home, changed) is State.WITHDRAWN


def test_a_version_changed_meanwhile_is_not_approved(as_person: Any, home: Home, changed: str) -> None:
    as_person(RIN).post("/criteria/propose/", {"matter": "CRITERIA", "version": changed, "reason": "x"})
    path = settings.MUNICIPALITY.folder / "criteria" / "scenarios.toml"
    path.write_text(path.read_text() + "# もう一度\n")
    assert decide(as_person(COORDINATOR), changed).status_code == 400
    assert state(home, changed) is State.PROPOSED


def test_who_builds_the_judgement_does_not_approve_it(as_person: Any, changed: str) -> None:
    assert decide(as_person(RIN), changed).status_code == 403
    assert as_person(OFFICER).post("/criteria/propose/", {}).status_code == 403
    assert as_person(HANA).get("/criteria/").status_code == 403


def test_an_approval_needs_the_password(as_person: Any, home: Home, changed: str) -> None:
    as_person(RIN).post("/criteria/propose/", {"matter": "CRITERIA", "version": changed, "reason": "x"})
    assert decide(as_person(COORDINATOR), changed, password="違う").status_code == 400
    assert decide(as_person(COORDINATOR), changed, reason="").status_code == 400
    assert not approvals.standing(home, Matter.CRITERIA, changed).approvals


def test_reach_counts_the_first_of_the_order(home: Home) -> None:
    judgement = Store(home.store).open("judgements", "2026-03-31-first")
    one, half, everybody = reach_at(judgement, OVERALL, [0.01, 0.5, 1.0])
    assert (one.children, half.children) == (1, 4)  # eight of nine could be judged
    assert everybody.children == len(CHILDREN) - 1
    assert everybody.unknown == sum(not child[5] for child in CHILDREN if child[0] != "pc06")
    assert half.registered == everybody.registered == one.all_registered == 1
    assert reach_at(judgement, "ABUSE", [0.5])[0].children == 4


def test_other_thresholds_are_tried_without_changing_any(as_person: Any) -> None:
    browser = as_person(COORDINATOR)
    body = browser.get("/criteria/capacity/?type=ABUSE&high=5&middle=20").content.decode()
    assert "試した「高」" in body and "5.0%" in body and "25.0%" in body and "秘匿" in body
    assert "高 0.05、中 0.2" in body and english_in(body) == set()
    assert browser.get("/criteria/capacity/?high=900").status_code == 400
    assert browser.get("/criteria/capacity/?type=nothing").status_code == 400
    assert re.search(r"いまの「高」", browser.get("/criteria/capacity/").content.decode())

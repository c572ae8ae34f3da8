"""判定モデルとルール: candidates and their approval, rules and what staff say of them, through the commands of the analysis side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_store import LEVELS, judgement_tables
from spoken import english_in
from standing_people import HANA, OTHERS, PASSWORD, RIN

from kodomo.configuration import Home
from kodomo.errors import NotPermitted
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, Step
from kodomo.governance.permissions import Actor
from kodomo.operations import models_page
from kodomo.operations.commands import ask
from kodomo.store.database import Store

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
VERSION = "0a1b2c3d4e5f"
RULE = "NON_ATTENDANCE:absence_3m>"


def learn_rules(home: Home) -> None:
    """A judgement whose model found one rule, as learning leaves it."""
    rule = {
        "fold": 1, "sentence": "「直近3か月の欠席日数」が 9.5 を超える", "rows": 120, "cases": 5, "weight": 0.8,
        "conditions": [{"column": "absence_3m", "above": 9.5, "at_most": None, "with_gap": False}],
    }  # fmt: skip
    folder = home.store / "models" / VERSION
    folder.mkdir(parents=True)
    (folder / "models.json").write_text(json.dumps({"models": {"NON_ATTENDANCE": {"rules": [rule]}}}))
    manifest = {"as_of": "2026-05-31", "snapshot": "2026-03-31-small", "model": VERSION}
    Store(home.store).write("judgements", "2026-05-31-learned", judgement_tables(LEVELS), manifest)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the page asks of the command line, with answers made by hand."""
    heard: list[tuple[str, ...]] = []
    model = {"version": VERSION, "as_of": "2026-03-31", "state": "PROPOSED", "state_label": "承認待ち", "approvals": [],
             "comparison": {"sentence": "候補は、いまの判定を上回るとはいえません。"}}  # fmt: skip

    def answer(actor: Actor, *words: str) -> dict[str, Any]:
        heard.append((actor.username, *words))
        return {"champion": VERSION, "models": [model], "rules": []}

    monkeypatch.setattr(models_page, "ask", answer)
    return heard


@pytest.mark.enable_socket
def test_it_shows_what_was_learned_and_keeps_what_staff_say_of_a_rule(
    as_person: Any, home: Home, audit_rows: Any
) -> None:
    learn_rules(home)
    analyst = as_person(RIN)
    body = analyst.get("/models/").content.decode()
    assert "「直近3か月の欠席日数」が 9.5 を超える" in body and "不登校(1 件)" in body
    assert "秘匿" in body and "120" in body and "候補はまだありません" in body and english_in(body) == set()
    given = {"rule": RULE, "step": "forbid", "reason": "--by 欠席の理由を問わないため。"}
    assert analyst.post("/models/rule/", given).status_code == 302
    act = approvals.history(home, Matter.RULE)[-1]
    assert (act.step, act.version, act.by.name, act.reason) == (Step.FORBID, RULE, RIN.name, given["reason"])
    assert act.by.account.endswith("(rin)")
    assert audit_rows()[-1]["action"] == "SAY_RULE"


def test_a_candidate_is_approved_under_the_persons_name_after_the_password(
    as_person: Any, asked: list[tuple[str, ...]], audit_rows: Any
) -> None:
    browser = as_person(COORDINATOR)
    body = browser.get("/models/").content.decode()
    assert "上回るとはいえません" in body and VERSION in body and english_in(body) == set()
    given = {"model": VERSION, "reason": "比べた。", "password": "違う"}
    asked.clear()
    assert browser.post("/models/promote/", given).status_code == 400
    assert not [words for words in asked if "promote" in words]
    assert browser.post("/models/promote/", {**given, "password": PASSWORD}).status_code == 302
    acted = next(words for words in asked if "promote" in words)
    assert acted == ("coordinator", "models", "promote", f"--model={VERSION}", f"--by={COORDINATOR.name}",
                     "--role=COORDINATOR", "--office=family_centre", "--reason=比べた。")  # fmt: skip
    assert audit_rows()[-1]["action"] == "PROMOTE_MODEL"


def test_the_model_in_use_is_taken_back_by_one_person(as_person: Any, asked: list[tuple[str, ...]]) -> None:
    assert as_person(APPROVER).post("/models/roll-back/", {"reason": "偏り。", "password": PASSWORD}).status_code == 302
    assert any(words[1:3] == ("models", "roll-back") for words in asked)


@pytest.mark.parametrize("model", ["", "--all", "x y", "../.."])
def test_what_is_no_model_is_not_passed_on(model: str, as_person: Any, asked: list[tuple[str, ...]]) -> None:
    given = {"model": model, "reason": "x", "password": PASSWORD}
    assert as_person(COORDINATOR).post("/models/promote/", given).status_code == 400
    assert not [words for words in asked if "promote" in words]


def test_roles_do_what_is_theirs(as_person: Any, asked: list[tuple[str, ...]]) -> None:
    assert as_person(RIN).post("/models/promote/", {}).status_code == 403
    assert as_person(HANA).get("/models/").status_code == 403
    assert as_person(RIN).post("/models/rule/", {"rule": RULE, "step": "forbid", "reason": ""}).status_code == 400
    assert asked == [("rin", "models", "status"), ("rin", "rules", "list")] or len(asked) == 2


@pytest.mark.enable_socket
def test_a_refusal_of_the_command_line_is_told_in_its_words(home: Home) -> None:
    from kodomo.governance.permissions import Role

    actor = Actor("rin", "江藤 凛", Role.ANALYST, "university")
    with pytest.raises(NotPermitted) as refusal:
        ask(actor, "criteria", "approve", "--by=江藤 凛", "--role=ANALYST", "--reason=x")
    assert "承認はできません" in refusal.value.what

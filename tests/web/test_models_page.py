"""判定モデルとルール: candidates and their approval, rules and what staff say of them, through the commands of the analysis side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from small_store import LEVELS, judgement_tables
from spoken import english_in
from standing_people import HANA, OTHERS, PASSWORD, RIN

from kodomo.configuration import Home
from kodomo.errors import NotPermitted
from kodomo.governance import approvals
from kodomo.governance.approvals import Matter, Step
from kodomo.governance.champion import champion
from kodomo.governance.criteria_versions import criteria_version
from kodomo.governance.permissions import Actor
from kodomo.operations.commands import ask
from kodomo.store.database import Store

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
VERSION = "0a1b2c3d4e5f"
RULE = "NON_ATTENDANCE:absence_3m>"


def learn_rules(home: Home, *more: dict[str, Any]) -> None:
    """A judgement whose model found one rule, as learning leaves it, and ``more``."""
    rule = {
        "fold": 1, "sentence": "「直近3か月の欠席日数」が 9.5 を超える", "rows": 120, "cases": 5, "weight": 0.8,
        "conditions": [{"column": "absence_3m", "above": 9.5, "at_most": None, "with_gap": False}],
    }  # fmt: skip
    folder = home.store / "models" / VERSION
    folder.mkdir(parents=True)
    (folder / "models.json").write_text(json.dumps({"models": {"NON_ATTENDANCE": {"rules": [rule, *more]}}}))
    manifest = {"as_of": "2026-05-31", "snapshot": "2026-03-31-small", "model": VERSION}
    Store(home.store).write("judgements", "2026-05-31-learned", judgement_tables(LEVELS), manifest)


def put_candidate(home: Home) -> None:
    """A model that was compared, as a challenge leaves it."""
    folder = home.store / "models" / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    criteria = criteria_version(settings.MUNICIPALITY.folder)
    recipe = {"as_of": "2026-03-31", "snapshot": "2026-03-31-small", "criteria": criteria}
    comparison = {"sentence": "候補は、いまの判定を上回るとはいえません。"}
    for name, body in (("recipe.json", recipe), ("comparison.json", comparison)):
        (folder / name).write_text(json.dumps(body, ensure_ascii=False))
    (folder / "model_card.md").write_text("# 判定モデル\n")
    (folder / "algorithm_register.md").write_text("| 承認 | まだ承認されていない |\n")


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
    assert act.by.account == "rin"
    assert audit_rows()[-1]["action"] == "SAY_RULE"


def test_what_was_found_once_stands_apart_from_what_was_found_again(as_person: Any, home: Home) -> None:
    late = {"column": "late_3m", "above": 2.5, "at_most": None, "with_gap": False}
    once = {"fold": 1, "sentence": "「遅刻日数」が 3 以上", "rows": 90, "cases": 8, "weight": 0.9, "conditions": [late]}
    absent = {"column": "absence_3m", "above": 8.5, "at_most": None, "with_gap": False}
    again = {"fold": 2, "sentence": "「直近3か月の欠席日数」が 8.5 を超える", "rows": 80, "cases": 7, "weight": 0.1,
             "conditions": [absent]}  # fmt: skip
    learn_rules(home, once, again)
    repeated, _, rest = as_person(RIN).get("/models/").content.decode().partition("一度だけ見つかったルール(1 件)")
    assert "直近3か月の欠席日数" in repeated and "2 / 2" in repeated and "遅刻日数" not in repeated
    assert "遅刻日数" in rest and "1 / 2" in rest


def test_it_says_what_was_not_learned_and_what_learning_left_out(as_person: Any, home: Home) -> None:
    left_out = {"why_not": None, "leaks": [], "left_out": [{"indicator": "absence_3m", "auroc": 0.98}]}
    too_few = {"why_not": "把握事例が 20 件に満たない", "leaks": [], "left_out": []}
    quiet = {"why_not": None, "leaks": [], "left_out": [], "telling_gaps": []}
    gaps = {**quiet, "telling_gaps": [{"indicator": "late_12m", "auroc": 0.71}]}
    types = {"NON_ATTENDANCE": left_out, "POSTNATAL_DEPRESSION": too_few, "ABUSE": quiet, "POVERTY": gaps}
    manifest = {"as_of": "2026-05-31", "snapshot": "2026-03-31-small", "model": VERSION, "learned": {"types": types}}
    Store(home.store).write("judgements", "2026-05-31-learned", judgement_tables(LEVELS), manifest)
    body = as_person(RIN).get("/models/").content.decode()
    panel = body.partition("学習しなかったもの")[2].partition("</section>")[0]
    assert '載っているかどうか"><span data-code>直近12か月の遅刻日数' in panel and "貧困" in panel
    assert "欠席" in panel and "不登校" in panel and "20 件に満たない" in panel and "虐待" not in panel
    assert english_in(panel) == set()


def test_two_people_promote_a_candidate_in_their_own_names_and_accounts(
    as_person: Any, home: Home, audit_rows: Any
) -> None:
    put_candidate(home)
    browser = as_person(COORDINATOR)
    body = browser.get("/models/").content.decode()
    assert "上回るとはいえません" in body and VERSION in body and english_in(body) == set()
    given = {"model": VERSION, "reason": "比べた。", "password": "違う"}
    wrong = browser.post("/models/promote/", given)
    assert wrong.status_code == 400 and "比べた。" in wrong.content.decode() and not approvals.history(home)
    assert browser.post("/models/promote/", {**given, "password": PASSWORD}).status_code == 302
    again = browser.post("/models/promote/", {**given, "reason": "二度目の理由", "password": PASSWORD})
    assert again.status_code == 403 and "二度目の理由" in again.content.decode()
    assert champion(home) is None
    assert as_person(APPROVER).post("/models/promote/", {**given, "password": PASSWORD}).status_code == 302
    assert champion(home) == VERSION
    acts = [(act.by.name, act.by.account) for act in approvals.history(home, Matter.MODEL) if act.step is Step.APPROVE]
    assert acts == [(COORDINATOR.name, "coordinator"), (APPROVER.name, "approver")]
    assert audit_rows()[-1]["action"] == "PROMOTE_MODEL"
    taken = as_person(APPROVER).post("/models/roll-back/", {"reason": "偏り。", "password": PASSWORD})
    assert taken.status_code == 302 and champion(home) is None


def test_one_account_under_two_names_promotes_no_model_alone_by_a_beginning_of_its_version(
    as_person: Any, home: Home
) -> None:
    from kodomo.web.models import Staff

    put_candidate(home)
    given = {"model": VERSION, "reason": "比べた。", "password": PASSWORD}
    assert as_person(COORDINATOR).post("/models/promote/", given).status_code == 302
    Staff.objects.filter(username="coordinator").update(name="結婚して 改姓")
    assert as_person(COORDINATOR).post("/models/promote/", {**given, "model": VERSION[:8]}).status_code == 403
    assert champion(home) is None


@pytest.mark.parametrize("model", ["", "--all", "x y", "../..", "0a1b2c3d4e5f6"])
def test_what_is_no_model_is_not_approved(model: str, as_person: Any, home: Home) -> None:
    put_candidate(home)
    given = {"model": model, "reason": "残る理由", "password": PASSWORD}
    answer = as_person(COORDINATOR).post("/models/promote/", given)
    assert answer.status_code == 400 and "残る理由" in answer.content.decode() and not approvals.history(home)


def test_roles_do_what_is_theirs_and_a_refused_opinion_stays_typed(as_person: Any, home: Home) -> None:
    learn_rules(home)
    assert as_person(RIN).post("/models/promote/", {}).status_code == 403
    assert as_person(HANA).get("/models/").status_code == 403
    empty = {"rule": RULE, "step": "forbid", "reason": ""}
    assert as_person(RIN).post("/models/rule/", empty).status_code == 400
    unknown = as_person(RIN).post("/models/rule/", {**empty, "rule": "NOWHERE:x>", "reason": "理由"})
    assert unknown.status_code == 400 and "この名前のルールはありません" in unknown.content.decode()


@pytest.mark.enable_socket
def test_a_refusal_of_the_command_line_is_told_in_its_words(home: Home) -> None:
    from kodomo.governance.permissions import Role

    actor = Actor("rin", "江藤 凛", Role.ANALYST, "university")
    with pytest.raises(NotPermitted) as refusal:
        ask(actor, "criteria", "approve", "--by=江藤 凛", "--role=ANALYST", "--reason=x")
    assert "承認はできません" in refusal.value.what

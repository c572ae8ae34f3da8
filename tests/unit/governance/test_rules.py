"""What staff say of found rules: by name and reason, remembered, and by shape instead of values."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest

from kodomo import cli
from kodomo.configuration import Home
from kodomo.errors import NotPermitted, NotReady, WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import Person, Step
from kodomo.governance.permissions import Role
from kodomo.governance.rules import found_rules, say, standing_rules
from kodomo.governance.suppression import Suppression
from kodomo.judgement.learners.rule_discovery import Condition, Rule
from kodomo.judgement.staff_rules import rules_by_type
from kodomo.terms import DifficultyType

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
RIN = Person("江藤 凛", Role.ANALYST, "university", "rin")
NAME = "POVERTY:absence_3m>&arrears<="


def condition(column: str, above: float | None = None, at_most: float | None = None) -> dict[str, object]:
    return {"column": column, "above": above, "at_most": at_most, "with_gap": False}


@pytest.fixture
def model(home: Home) -> Home:
    """A judgement whose model found one rule in two folds, with other values, and one in one."""
    pair = [condition("arrears", at_most=1.0), condition("absence_3m", above=4.0)]
    moved = [condition("absence_3m", above=6.0), condition("arrears", at_most=2.0)]
    rules = [
        {"fold": 0, "sentence": "甲", "conditions": pair, "weight": 0.5, "stability": 1.0, "rows": 40, "cases": 9},
        {"fold": 1, "sentence": "乙", "conditions": moved, "weight": 0.3, "stability": 1.0, "rows": 60, "cases": 12},
        {"fold": 1, "sentence": "丙", "conditions": [condition("late", above=2.0)], "weight": 0.6, "stability": 1.0,
         "rows": 5, "cases": 2},
    ]  # fmt: skip
    folder = home.store / "models" / "m1"
    folder.mkdir(parents=True)
    (folder / "models.json").write_text(json.dumps({"models": {"POVERTY": {"rules": rules}}}), encoding="utf-8")
    return home


def test_the_same_shape_is_one_rule_however_its_values_move(model: Home) -> None:
    found = found_rules(model, "m1")
    assert [rule.name for rule in found] == [NAME, "POVERTY:late>"], "what was found twice comes first"
    both = found[0]
    assert [(rule.folds, rule.of, rule.is_repeated) for rule in found] == [(2, 2, True), (1, 2, False)]
    assert (both.folds, both.weight, both.rows, both.cases, both.sentence) == (2, 0.4, 60, 12, "乙")
    assert found[1].as_json(Suppression(7, 5))["cases"] is None


def test_what_was_said_last_stands_and_is_remembered(model: Home) -> None:
    for step in (Step.PIN, Step.FORBID):
        say(model, step, NAME, by=RIN, reason="見当違い", at=AT, model="m1")
    (rule,) = standing_rules(model)
    assert (rule.step, rule.name) == ("FORBID", NAME)
    # The next model does not find it any more: the veto is still there, and listed.
    (model.store / "models" / "m2").mkdir()
    (model.store / "models" / "m2" / "models.json").write_text('{"models": {"POVERTY": {"rules": []}}}')
    (listed,) = found_rules(model, "m2")
    assert (listed.name, listed.said, listed.folds) == (NAME, "FORBID", 0)
    say(model, Step.ACCEPT, NAME, by=RIN, reason="見直した", at=AT, model="m2")
    assert rules_by_type(standing_rules(model))[DifficultyType.POVERTY].forbidden == ()
    verdict = approvals.verify(model)
    assert verdict is not None and (verdict.rows, verdict.first_bad) == (3, None)


def test_columns_are_found_by_name_and_missing_ones_left_out(model: Home) -> None:
    say(model, Step.PIN, NAME, by=RIN, reason="現場の知見", at=AT, model="m1")
    rules = rules_by_type(standing_rules(model))[DifficultyType.POVERTY]
    word = rules.word(("x", "arrears", "absence_3m"))
    assert word.pinned == (Rule((Condition(1, -np.inf, 2.0, False), Condition(2, 6.0, np.inf, False))),)
    assert rules.word(("arrears",)).pinned == ()


def test_only_named_people_of_the_right_role_speak_of_rules_that_exist(model: Home) -> None:
    with pytest.raises(WrongUsage):
        say(model, Step.FORBID, "POVERTY:nothing>", by=RIN, reason="x", at=AT, model="m1")
    with pytest.raises(NotPermitted):
        say(model, Step.FORBID, NAME, by=Person("佐藤", Role.SYSTEM_ADMINISTRATOR), reason="x", at=AT, model="m1")
    with pytest.raises(NotReady):
        found_rules(model, "m9")


def test_the_commands_list_forbid_and_refuse(model: Home, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = cli.main(["--home", str(model.root), *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    assert run("rules", "list")[0] == 6, "nothing was judged"
    code, found = run("rules", "list", "--model", "m1")
    assert code == 0 and [rule["said"] for rule in found["rules"]] == ["", ""]
    person = ("--by", "江藤 凛", "--role", "ANALYST", "--reason", "因果が逆")
    code, found = run("rules", "forbid", "--model", "m1", "--rule", NAME, *person)
    assert code == 0 and {rule["name"]: rule["said"] for rule in found["rules"]}[NAME] == "FORBID"
    assert run("rules", "forbid", "--model", "m1", "--rule", NAME)[0] == 2
    code, found = run("models", "status")
    assert code == 0 and found == {"champion": None, "models": [], "history": []}
    assert run("models", "promote", "--model", "m1", *person)[0] == 2, "it has no recipe"
    person = ("--by", "大野", "--role", "COORDINATOR", "--reason", "x")
    assert run("models", "roll-back", *person)[0] == 1

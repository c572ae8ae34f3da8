"""A version of criteria or thresholds is used once two people approved exactly it; what worked before still works."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kodomo import cli
from kodomo.configuration import Home, Municipality, read_municipality
from kodomo.errors import ConfigurationFault, StaffError, WrongUsage
from kodomo.governance import approvals
from kodomo.governance import criteria_versions as versions
from kodomo.governance.approvals import Matter, Person, Step
from kodomo.governance.criteria_versions import NotApproved, check_usable
from kodomo.governance.permissions import Role
from kodomo.judgement.criteria import read_all_criteria

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
BOTH = (Matter.CRITERIA, Matter.THRESHOLDS)
PEOPLE = (Person("大野 統子", Role.COORDINATOR), Person("工藤 忍", Role.APPROVER))
NAMES = '\n[[approved_by]]\nname = "甲"\non = 2026-03-01\n[[approved_by]]\nname = "乙"\non = 2026-03-02\n'


@pytest.fixture
def folder(hinata: Municipality, tmp_path: Path) -> Path:
    """A copy of the shipped folder, to be changed."""
    return Path(shutil.copytree(hinata.folder, tmp_path / "m"))


def change(folder: Path, file: str, old: str, new: str) -> Municipality:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return read_municipality(folder)


def act(home: Home, m: Municipality, step: Step, by: Person, matters: Any = BOTH, **more: Any) -> None:
    versions.act_on(home, m, step, matters, by=by, reason="会議で確かめた", at=AT, **more)


def settled(home: Home, m: Municipality) -> list[str]:
    return [one.approval for one in check_usable(home, m)]


def test_the_version_is_the_one_the_judgement_names(hinata: Municipality) -> None:
    assert versions.criteria_version(hinata.folder) == read_all_criteria(hinata.folder).sha256


def test_the_shipped_sample_is_approved_by_two_and_says_it_is_a_sample(home: Home, hinata: Municipality) -> None:
    """After a change of its criteria: put the version that `kodomo criteria status` prints into approvals.toml."""
    for one in check_usable(home, hinata):
        assert one.approval == "APPROVED"
        assert len({who["name"] for who in one.approved_by}) == 2
        assert all("見本・未検証" in who["reason"] for who in one.approved_by)
    assert not (home.root / "governance").exists()


def test_a_changed_weight_is_another_version_and_is_refused(home: Home, folder: Path) -> None:
    changed = change(folder, "criteria/scenarios.toml", "base_rate = 0.015", "base_rate = 0.016")
    with pytest.raises(NotApproved) as refusal:
        check_usable(home, changed)
    assert "二人の承認" in refusal.value.text() and "kodomo criteria" in refusal.value.then
    assert refusal.value.exit_code == 3 and refusal.value.details["lacking"] == 2


def test_who_changes_the_criteria_alone_needs_no_word_of_thresholds_that_stand(home: Home, folder: Path) -> None:
    changed = change(folder, "criteria/scenarios.toml", "base_rate = 0.015", "base_rate = 0.016")
    act(home, changed, Step.PROPOSE, Person("江藤 凛", Role.ANALYST))
    for person in PEOPLE:
        act(home, changed, Step.APPROVE, person)
    assert settled(home, changed) == ["APPROVED", "APPROVED"]
    assert {act.matter for act in approvals.history(home)} == {Matter.CRITERIA}
    with pytest.raises(StaffError, match="もう承認済み"):
        act(home, changed, Step.PROPOSE, Person("江藤 凛", Role.ANALYST))


def test_a_changed_threshold_is_refused_too(home: Home, folder: Path) -> None:
    with pytest.raises(NotApproved, match="しきい値"):
        check_usable(home, change(folder, "settings.toml", "high = 0.02", "high = 0.05"))


def test_a_new_version_is_used_after_two_people_and_until_it_is_withdrawn(home: Home, folder: Path) -> None:
    changed = change(folder, "criteria/scenarios.toml", "base_rate = 0.015", "base_rate = 0.016")
    act(home, changed, Step.PROPOSE, PEOPLE[0], (Matter.CRITERIA,))
    act(home, changed, Step.APPROVE, PEOPLE[0], (Matter.CRITERIA,))
    with pytest.raises(NotApproved, match="大野"):
        check_usable(home, changed)
    act(home, changed, Step.APPROVE, PEOPLE[1], (Matter.CRITERIA,))
    assert settled(home, changed) == ["APPROVED", "APPROVED"]
    assert read_all_criteria(versions.kept_copy(home, versions.criteria_version(folder)))
    act(home, changed, Step.WITHDRAW, PEOPLE[1], (Matter.CRITERIA,))
    with pytest.raises(NotApproved):
        check_usable(home, changed)


def test_what_changed_since_the_last_approved_version_is_named(home: Home, folder: Path, hinata: Municipality) -> None:
    versions.keep_copy(home, hinata.folder)
    changed = change(folder, "criteria/scenarios.toml", "base_rate = 0.015", "base_rate = 0.016")
    assert versions.changed_files(home, changed) == ["scenarios.toml"]
    assert versions.changed_files(home, hinata) == []


def test_a_copy_that_was_broken_off_is_none_that_was_judged_with(home: Home, hinata: Municipality) -> None:
    kept = versions.keep_copy(home, hinata.folder)
    partial = kept.with_name(f".{kept.name}.partial") / "criteria"
    partial.mkdir(parents=True)
    (partial / "indicators.toml").write_text('[[indicators]]\ncode = "abse')
    assert versions.judged_with(home) == [kept]


def test_a_person_approves_what_they_looked_at(home: Home, folder: Path, hinata: Municipality) -> None:
    seen = versions.criteria_version(hinata.folder)
    changed = change(folder, "criteria/labels.toml", "weight = 0.5", "weight = 0.4")
    with pytest.raises(WrongUsage):
        act(home, changed, Step.PROPOSE, PEOPLE[0], (Matter.CRITERIA,), version=seen[:12])


def unbound(folder: Path) -> Municipality:
    """A folder as they were before approvals were bound to versions."""
    (folder / "criteria" / "approvals.toml").unlink()
    change(folder, "settings.toml", "[approval]", "[formerly]")
    path = folder / "criteria" / "scenarios.toml"
    path.write_text(path.read_text(encoding="utf-8") + NAMES, encoding="utf-8")
    return read_municipality(folder)


def test_a_folder_that_worked_before_still_works_where_nothing_was_ever_approved(home: Home, folder: Path) -> None:
    assert settled(home, unbound(folder)) == ["DECLARED", "DECLARED"]


def test_the_first_act_of_the_book_binds_such_a_folder(home: Home, folder: Path) -> None:
    old = unbound(folder)
    act(home, old, Step.PROPOSE, PEOPLE[0], (Matter.CRITERIA,))
    with pytest.raises(NotApproved):
        check_usable(home, old)
    for person in PEOPLE:
        act(home, old, Step.APPROVE, person, (Matter.CRITERIA,))
    assert settled(home, old) == ["APPROVED", "DECLARED"]
    trial = replace(old, extras={**old.extras, "approval": {"required": False}})
    act(home, trial, Step.PROPOSE, PEOPLE[0], (Matter.THRESHOLDS,))
    assert settled(home, trial) == ["APPROVED", "DECLARED"]


def test_without_any_name_nothing_is_used_and_a_trial_is_told_how(home: Home, folder: Path) -> None:
    old = unbound(folder)
    path = folder / "criteria" / "scenarios.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(NAMES, ""), encoding="utf-8")
    with pytest.raises(NotApproved) as told:
        check_usable(home, old)
    assert "[[approved_by]] に二人の名前" in told.value.text()
    with pytest.raises(NotApproved) as strict:
        check_usable(home, replace(old, extras={**old.extras, "approval": {"required": True}}))
    assert "approved_by" not in strict.value.text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('role = "COORDINATOR"', 'role = "ANALYST"', "承認できる役割"),
        ('matter = "判定基準"', 'matter = "基準"', "matter は"),
        ("on = 2026-03-01", 'on = "きのう"', "on("),
        ('name = "大野 統子"', 'name = ""', "name"),
        ('office = "school_education"', 'offise = "school_education"', "知らないキー"),
    ],
)
def test_faults_of_the_folders_approvals_are_named(home: Home, folder: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigurationFault) as fault:
        check_usable(home, change(folder, "criteria/approvals.toml", old, new))
    assert words in fault.value.text() and "1 番目" in fault.value.text()


@pytest.mark.parametrize("band", ["-0.1", "0.2", "true", '"広く"'])
def test_a_band_is_a_small_share(home: Home, folder: Path, band: str) -> None:
    with pytest.raises(ConfigurationFault, match="band"):
        check_usable(home, change(folder, "settings.toml", "band = 0.005", f"band = {band}"))


@pytest.mark.parametrize("said", [True, "yes", {"required": "はい"}, {"required": 1}])
def test_required_is_true_or_false(home: Home, folder: Path, said: Any) -> None:
    old = unbound(folder)
    with pytest.raises(ConfigurationFault, match="required"):
        check_usable(home, replace(old, extras={**old.extras, "approval": said}))


def test_the_command_says_versions_and_takes_two_people(
    home: Home, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, "criteria/scenarios.toml", "base_rate = 0.015", "base_rate = 0.016")

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = cli.main(["--home", str(home.root), "--municipality", str(folder), "criteria", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    code, found = run("status")
    assert (code, found["criteria"]["state"], found["criteria"]["usable"]) == (0, "UNKNOWN", None)
    for step, person in (("propose", PEOPLE[0]), ("approve", PEOPLE[0]), ("approve", PEOPLE[1])):
        words = ("--part", "criteria", "--by", person.name, "--role", person.role.value, "--reason", "確かめた")
        code, found = run(step, *words)
        assert code == 0
    assert found["criteria"]["state"] == "APPROVED" and found["criteria"]["is_from_one_account"]
    code, found = run("approve", "--part", "criteria", "--by", "工藤忍", "--role", "APPROVER", "--reason", "もう一度")
    assert code == 5 and "二度承認" in found["error"]["what"]
    verdict = approvals.verify(home)
    assert verdict is not None and (verdict.rows, verdict.first_bad) == (3, None)

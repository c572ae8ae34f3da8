"""Which version judges: the files', or the site's; the last completed approval decides, and nothing falls back silently."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kodomo import cli
from kodomo.configuration import Home, Municipality, read_municipality
from kodomo.errors import ConfigurationFault, IntegrityFault, NotPermitted, WrongUsage
from kodomo.governance import adoption, approvals
from kodomo.governance import criteria_versions as versions
from kodomo.governance.approvals import Matter, Person, Step
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.criteria_text import with_top
from kodomo.governance.criteria_versions import NotApproved, check_usable
from kodomo.governance.permissions import Role
from kodomo.governance.thresholds import as_settings, checked, thresholds

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
TOKO = Person("大野 統子", Role.COORDINATOR, account="toko", is_signed_in=True)
SHINOBU = Person("工藤 忍", Role.APPROVER, account="shinobu", is_signed_in=True)
RIN = Person("江藤 凛", Role.ANALYST, account="rin", is_signed_in=True)


@pytest.fixture
def folder(hinata: Municipality, tmp_path: Path) -> Path:
    """A copy of the shipped folder, to be changed."""
    return Path(shutil.copytree(hinata.folder, tmp_path / "m"))


def written(hinata: Municipality, place: Path, title: str) -> Path:
    """A version as the site writes one."""
    (place / "criteria").mkdir(parents=True)
    texts = adoption.texts_of(hinata.folder)
    texts["scenarios.toml"] = with_top(texts["scenarios.toml"], "version", title)
    for name, text in texts.items():
        (place / "criteria" / name).write_text(text, encoding="utf-8")
    return place


def submit(home: Home, files: Path | None, figures: Any = None) -> dict[Matter, str]:
    return adoption.submit(home, files, figures, by=RIN, authors=["rin"], reason="見直し", at=AT)


def approve(home: Home, matter: Matter, version: str, *people: Person) -> None:
    for person in people:
        adoption.decide(home, matter, version, Step.APPROVE, by=person, reason="確かめた", at=AT)


def test_without_any_act_the_files_judge(home: Home, hinata: Municipality) -> None:
    assert in_force(home, hinata) == hinata


def test_one_approval_changes_nothing_two_bring_it_into_force(home: Home, hinata: Municipality, tmp_path: Path) -> None:
    version = submit(home, written(hinata, tmp_path / "two", "第2版"))[Matter.CRITERIA]
    approve(home, Matter.CRITERIA, version, TOKO)
    assert in_force(home, hinata) == hinata
    with pytest.raises(NotPermitted):
        approve(home, Matter.CRITERIA, version, TOKO)
    with pytest.raises(NotPermitted):
        approve(
            home, Matter.CRITERIA, version, Person("大野 改姓", Role.COORDINATOR, account="toko", is_signed_in=True)
        )
    with pytest.raises(NotPermitted):
        approve(home, Matter.CRITERIA, version, RIN)
    approve(home, Matter.CRITERIA, version, SHINOBU)
    now = in_force(home, hinata)
    assert versions.criteria_version(now.criteria_folder) == version
    assert [one.approval for one in check_usable(home, now)] == ["APPROVED", "APPROVED"]
    assert in_force(home, now) == now


def test_a_withdrawn_version_is_not_replaced_by_an_older_one(home: Home, hinata: Municipality, tmp_path: Path) -> None:
    for title in ("第2版", "第3版"):
        version = submit(home, written(hinata, tmp_path / title, title))[Matter.CRITERIA]
        approve(home, Matter.CRITERIA, version, TOKO, SHINOBU)
    adoption.decide(home, Matter.CRITERIA, version, Step.WITHDRAW, by=TOKO, reason="誤り", at=AT)
    now = in_force(home, hinata)
    assert versions.criteria_version(now.criteria_folder) == version
    with pytest.raises(NotApproved, match="取り下げられた"):
        check_usable(home, now)


def test_files_approved_later_judge_again_and_changed_ones_do_not_by_themselves(
    home: Home, folder: Path, hinata: Municipality, tmp_path: Path
) -> None:
    version = submit(home, written(hinata, tmp_path / "two", "第2版"))[Matter.CRITERIA]
    approve(home, Matter.CRITERIA, version, TOKO, SHINOBU)
    path = folder / "criteria" / "scenarios.toml"
    path.write_text(path.read_text().replace("base_rate = 0.015", "base_rate = 0.016"))
    files = read_municipality(folder)
    assert in_force(home, files).adopted is not None
    told = adoption.origins(home, files)["criteria"]
    assert (told["origin"], told["files_are_the_same"]) == ("SITE", False)
    words: dict[str, Any] = {"reason": "ファイルで直した", "at": AT}
    versions.act_on(home, files, Step.PROPOSE, [Matter.CRITERIA], by=RIN, **words)
    for person in (TOKO, SHINOBU):
        versions.act_on(home, files, Step.APPROVE, [Matter.CRITERIA], by=person, **words)
    assert in_force(home, files).adopted is None
    # Files changed after that must be approved: no older version of the site takes their place.
    path.write_text(path.read_text() + "\n# もう一度\n")
    again = read_municipality(folder)
    assert in_force(home, again).adopted is None
    with pytest.raises(NotApproved):
        check_usable(home, again)


def test_a_copy_that_is_not_what_was_approved_judges_nobody(home: Home, hinata: Municipality, tmp_path: Path) -> None:
    version = submit(home, written(hinata, tmp_path / "two", "第2版"))[Matter.CRITERIA]
    approve(home, Matter.CRITERIA, version, TOKO, SHINOBU)
    path = versions.kept_copy(home, version) / "criteria" / "labels.toml"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(IntegrityFault):
        in_force(home, hinata)


def test_figures_of_capacity_are_a_version_and_can_be_gone_back_to(home: Home, hinata: Municipality) -> None:
    first = thresholds(hinata)
    parts = [{"type": "貧困", "office": "family_centre", "high": 0.04, "middle": 0.1}]
    figures, faults = checked({**first, "high": 0.03, "parts": parts, "title": "第2版"}, hinata)
    assert not faults
    version = submit(home, None, figures)[Matter.THRESHOLDS]
    approve(home, Matter.THRESHOLDS, version, TOKO, SHINOBU)
    now = in_force(home, hinata)
    assert thresholds(now) == figures and now.capacity_high == 0.03 and check_usable(home, now)[1].version == version
    back = submit(home, None, {**first, "title": "第3版"})[Matter.THRESHOLDS]
    approve(home, Matter.THRESHOLDS, back, TOKO, SHINOBU)
    assert in_force(home, hinata).capacity_high == first["high"] and back != version
    listed = adoption.versions(home, hinata, Matter.THRESHOLDS)
    assert [(one.title, one.is_in_force) for one in listed] == [("第3版", True), ("第2版", False), ("", False)]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"type": "貧困", "high": 2, "middle": 0.1}, "parts.1.high"),
        ({"type": "貧乏", "high": 0.1, "middle": 0.1}, "parts.1.type"),
        ({"office": "water", "high": 0.1, "middle": 0.1}, "parts.1.office"),
        ({"high": 0.1, "middle": 0.1}, "parts.1"),
        ({"type": "貧困", "high": 0.1, "middle": True}, "parts.1.middle"),
        ({"type": "貧困", "high": 0.1, "middle": 0.1, "low": 1}, "parts.1"),
        ("貧困", "parts"),
    ],
)
def test_faults_of_capacity_are_named(part: Any, name: str, hinata: Municipality) -> None:
    _, faults = checked({**thresholds(hinata), "parts": [part]}, hinata)
    assert set(faults) == {name}


def test_the_lines_for_settings_say_the_same_figures(folder: Path, hinata: Municipality) -> None:
    parts = [
        {"type": "貧困", "office": "childcare", "high": 0.04, "middle": 0.1},
        {"type": "OVERALL", "high": 0.1, "middle": 0.2},
    ]
    figures, _ = checked({**thresholds(hinata), "parts": parts}, hinata)
    path = folder / "settings.toml"
    text = path.read_text()
    start, end = text.index("[capacity]"), text.index("[approval]")
    path.write_text(text[:start] + as_settings(figures) + "\n" + text[end:])
    assert thresholds(read_municipality(folder)) == figures
    path.write_text(path.read_text().replace('office = "childcare"', 'office = "nowhere"'))
    with pytest.raises(ConfigurationFault, match="nowhere"):
        thresholds(read_municipality(folder))


def test_the_command_tells_exports_and_stops_what_the_site_adopted(
    home: Home, hinata: Municipality, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = submit(home, written(hinata, tmp_path / "two", "第2版"))[Matter.CRITERIA]
    approve(home, Matter.CRITERIA, version, TOKO, SHINOBU)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        code = cli.main(["--home", str(home.root), "--municipality", str(folder), "criteria", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    code, told = run("status")
    assert code == 0 and told["criteria"]["version"] == version and told["origin"]["criteria"]["origin"] == "SITE"
    code, told = run("export", "--out", str(tmp_path / "out"))
    assert code == 0 and versions.criteria_version(tmp_path / "out") == version
    shutil.copytree(tmp_path / "out" / "criteria", folder / "criteria", dirs_exist_ok=True)
    code, told = run("status")
    assert told["origin"]["criteria"]["files_are_the_same"] and told["criteria"]["usable"] == "APPROVED"
    assert run("export", "--out", str(tmp_path / "out"))[0] == 2
    person = ("--by", "個人 保護", "--role", "PRIVACY_OFFICER", "--reason", "止める")
    acts = len(approvals.history(home))
    assert run("withdraw", "--version", version[:12], *person)[0] == 2  # of which of the two? nothing is done
    assert len(approvals.history(home)) == acts
    code, told = run("withdraw", "--part", "criteria", *person)
    assert code == 0 and told["criteria"]["state"] == "WITHDRAWN" and told["criteria"]["usable"] is None
    assert approvals.verify(home) is not None


def test_the_next_run_judges_with_what_was_adopted(
    home: Home,
    hinata: Municipality,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from kodomo.judgement import run

    seen: list[str] = []

    def judge(*, municipality: Municipality, **_: Any) -> dict[str, Any]:
        seen.append(versions.criteria_version(municipality.criteria_folder))
        return {"silent": [], "old_data": "基準日に期限を過ぎている出所: 出欠"}

    monkeypatch.setattr(run, "judge_cohort", judge)
    words = ["--home", str(home.root), "--municipality", str(hinata.folder), "judge", "--as-of", "2026-03-31", "--json"]
    assert cli.main(words) == 0
    assert "△ 基準日に期限を過ぎている出所: 出欠" in capsys.readouterr().err
    version = submit(home, written(hinata, tmp_path / "two", "第2版"))[Matter.CRITERIA]
    approve(home, Matter.CRITERIA, version, TOKO)
    assert cli.main(words) == 0
    approve(home, Matter.CRITERIA, version, SHINOBU)
    assert cli.main(words) == 0
    assert seen == [versions.criteria_version(hinata.folder)] * 2 + [version]
    assert {"judge", "build", "evaluate", "what-if", "models"} == set(cli.JUDGING)


def test_nothing_is_submitted_of_nothing(home: Home) -> None:
    with pytest.raises(WrongUsage):
        submit(home, None)

"""The command line's contract: one JSON object, documented exit codes, no traceback for staff."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kodomo import cli
from kodomo.errors import EXIT_CODES, StaffError

ROOT = Path(__file__).resolve().parents[3]


def kodomo(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kodomo", *words], capture_output=True, text=True, check=False, cwd=cwd
    )


def test_status_of_an_empty_home_is_one_json_object(tmp_path: Path) -> None:
    done = kodomo("--home", str(tmp_path / "new"), "status", "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["deliveries"] == body["snapshots"] == body["judgements"] == body["jobs"] == []


def test_json_flag_may_stand_before_the_command(tmp_path: Path) -> None:
    done = kodomo("--json", "--home", str(tmp_path), "status")
    assert json.loads(done.stdout)["jobs"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["build"], 2),
        (["build", "--as-of", "31/3/2026"], 3),
        (["--municipality", "/nowhere", "link"], 3),
        (["build", "--as-of", "2026-03-31"], 6),
        (["judge", "--as-of", "2026-03-31"], 6),
        (["publish"], 6),
        (["link"], 6),
    ],
)
def test_refusal_has_its_exit_code_words_and_no_traceback(tmp_path: Path, words: list[str], code: int) -> None:
    done = kodomo("--home", str(tmp_path), *words, "--json")
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["exit_code"] == code
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_check_of_a_municipality_tells_what_judging_would_refuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "town"
    shutil.copytree(ROOT / "municipalities" / "hinata", folder)
    assert cli.main(["--municipality", str(folder), "municipality", "check"]) == 0
    path = folder / "criteria" / "scenarios.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("absence_3m >= 15", "absence_3y >= 15", 1), encoding="utf-8"
    )
    assert cli.main(["--municipality", str(folder), "municipality", "check"]) == 3
    shown = capsys.readouterr().err
    assert "criteria/scenarios.toml" in shown and "absence_3y" in shown


def test_bug_shows_where_and_never_what(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "".join(["鶫", "野森", " 花子"])

    def broken(_: object) -> dict[str, object]:
        raise ValueError(secret)

    monkeypatch.setitem(cli.COMMANDS, "status", (broken, "", ()))
    assert cli.main(["status"]) == 70
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "鶫野森" not in shown


def test_every_exit_code_is_documented() -> None:
    def below(kind: type[StaffError]) -> list[type[StaffError]]:
        return [kind, *(deep for sub in kind.__subclasses__() for deep in below(sub))]

    assert {kind.exit_code for kind in below(StaffError)} <= set(EXIT_CODES)


def test_every_command_has_words() -> None:
    assert all(words for _, words, _ in cli.COMMANDS.values())


@pytest.mark.parametrize("words", [[], *([name] for name in cli.COMMANDS)], ids=" ".join)
def test_every_command_can_be_asked_for_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0 and "使い方" in capsys.readouterr().out


def test_a_reader_that_leaves_early_is_no_fault(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kodomo", "--home", str(tmp_path), "status", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    ) as running:  # fmt: skip
        assert running.stdout and running.stderr
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
    assert running.returncode == 0

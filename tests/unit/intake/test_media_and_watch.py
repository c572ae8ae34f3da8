"""Media are accounted for until wiped; a watched folder takes whole files once, and stops when told."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from town import AT, absences_csv

from kodomo.cli import main
from kodomo.errors import Busy, WrongUsage
from kodomo.governance import audit
from kodomo.intake.media import end_medium, list_media, take_medium
from kodomo.intake.watch import watch
from kodomo.vault.database import anchor_file, open_vault

ABSENCES = "出欠_20260401.csv"
USB = {"label": "USB-03", "office": "学校教育課", "brought_by": "主事"}


def actions(home) -> list[str]:
    from django.db import connections

    keyring = open_vault(home)
    with connections["vault"].cursor() as cursor:
        assert audit.verify(cursor, keyring.audit, anchor_file(home)).first_bad is None
        cursor.execute("SELECT action FROM audit_events ORDER BY sequence")
        return [row[0] for row in cursor.fetchall()]


def test_medium_is_taken_carries_and_is_wiped_each_with_its_audit_row(deliver, inbox, home):
    take_medium(home, **USB, by="op", at=AT)
    (inbox / ABSENCES).write_bytes(absences_csv("A1,山田,2026-03,3,0"))
    (told,) = deliver(inbox, carrier="USB-03")["deliveries"]
    assert told["carrier"] == "USB-03" and "USB-03" in Path(told["report"]).with_suffix(".html").read_text(
        encoding="utf-8"
    )
    later = AT + dt.timedelta(days=9)
    assert list_media(home, by="op", at=later)["overdue"] == ["USB-03"]
    ended = end_medium(home, label="USB-03", how="wipe", by="op", at=later)
    assert (ended["ended_how"], ended["days"]) == ("消去", 9)
    told = list_media(home, by="op", at=later)
    assert (told["here"], told["overdue"], told["media"][0]["brought_by"]) == (0, [], "主事")
    assert actions(home) == ["media.take", "intake.receive", "media.list", "media.wipe", "media.list"]


def test_unknown_or_doubly_entered_medium_is_told(deliver, inbox, home):
    (inbox / ABSENCES).write_bytes(absences_csv("A1,山田,2026-03,3,0"))
    with pytest.raises(WrongUsage, match="媒体管理簿"):
        deliver(inbox, carrier="USB-99")
    take_medium(home, **USB, by="op", at=AT)
    with pytest.raises(WrongUsage, match="まだ消去されず"):
        take_medium(home, **USB, by="op", at=AT)
    with pytest.raises(WrongUsage, match="手元にありません"):
        end_medium(home, label="USB-04", how="wipe", by="op", at=AT)
    with pytest.raises(WrongUsage):
        end_medium(home, label="USB-03", how="lose", by="op", at=AT)
    with pytest.raises(WrongUsage, match="名札"):
        take_medium(home, label="", office="x", brought_by="y", by="op", at=AT)


def test_media_on_the_command_line(tmp_path, capsys):
    call = ["--home", str(tmp_path / "home"), "media"]
    assert main([*call, "take", "--label", "USB-1", "--from", "福祉課", "--by", "主任"]) == 0
    assert main([*call, "list", "--json"]) == 0
    assert '"here": 1' in capsys.readouterr().out
    assert main([*call, "return", "--label", "USB-1"]) == 0 and main([*call, "wipe", "--label", "USB-1"]) == 2


# Watching ----------------------------------------------------------------------------------------


class Looks:
    """What happens between two looks at the folder."""

    def __init__(self, *events) -> None:
        self.events = list(events)

    def __call__(self) -> bool:
        if not self.events:
            return False
        self.events.pop(0)()
        return True


def nothing() -> None:
    return None


def test_file_is_taken_once_it_rests_and_again_only_when_it_changes(tmp_path):
    folder, taken = tmp_path / "in", []
    folder.mkdir()
    path = folder / ABSENCES

    def take(paths):
        taken.append([p.name for p in paths])
        return {"files": len(paths), "landed": 1}

    def growing(content: bytes):
        return lambda: path.write_bytes(content)

    looks = Looks(
        growing(b"a"),
        growing(b"ab"),
        nothing,
        nothing,
        growing(b"abc"),
        nothing,
        lambda: (folder / ".hidden").write_bytes(b"x"),
        nothing,
    )
    assert watch(folder, take, tmp_path / "state.json", looks)["landed"] == 2
    assert taken == [[ABSENCES], [ABSENCES]]
    assert watch(folder, take, tmp_path / "state.json", Looks(nothing, nothing))["files"] == 0
    (tmp_path / "state.json").write_text("broken")
    assert watch(folder, take, tmp_path / "state.json", Looks(nothing, nothing))["files"] == 1


def test_busy_area_is_tried_again(tmp_path):
    (tmp_path / ABSENCES).write_bytes(b"x")
    calls = []

    def take(paths):
        calls.append(paths)
        if len(calls) == 1:
            raise Busy("x")
        return {"files": 1}

    assert watch(tmp_path, take, tmp_path / "s" / "state.json", Looks(nothing, nothing, nothing))["files"] == 1
    with pytest.raises(WrongUsage):
        watch(tmp_path / "nowhere", take, tmp_path / "state.json", Looks())


def test_watching_process_takes_what_comes_and_ends_when_told(tmp_path, town):
    folder = tmp_path / "in"
    folder.mkdir()
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "kodomo", "--home", str(tmp_path / "home"), "--municipality", str(town), "receive",
               "--watch", str(folder), "--every", "0.1", "--json"]  # fmt: skip
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(root)}
    )
    try:
        (folder / ABSENCES).write_bytes(absences_csv("A1,山田,2026-03,3,0"))
        ends = time.monotonic() + 60
        while time.monotonic() < ends and not (tmp_path / "home" / "handover" / "watched.json").exists():
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        out, _ = child.communicate(timeout=30)
    finally:
        child.kill()
    assert child.returncode == 0 and json.loads(out)["rows_landed"] == 1
    assert (folder / ABSENCES).exists()

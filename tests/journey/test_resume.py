"""A demo that is killed goes on where it was, and run again has nothing left to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from kodomo.configuration import Home
from kodomo.jobs.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]


def _demo(home: Path) -> list[str]:
    return [sys.executable, "-m", "kodomo", "--home", str(home), "demo", "--residents", "600", "--no-serve", "--json"]


def test_killed_demo_goes_on_where_it_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = subprocess.Popen(
        _demo(home), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert first.stderr is not None
    for line in first.stderr:
        if "[3/" in line:
            break
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    ledger = Ledger(Home(home).runs)
    assert {r.stage: r.state for r in ledger.runs()}["demo:receive"] == "DONE"

    second = subprocess.run(_demo(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr[-2000:]
    ran = json.loads(second.stdout)["seconds"]
    assert "city" not in ran
    assert "receive" not in ran
    assert "judge" in ran

    third = subprocess.run(_demo(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert json.loads(third.stdout)["seconds"] == {}

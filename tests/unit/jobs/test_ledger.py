"""The ledger tells running from interrupted, and keeps one stage from running twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kodomo.errors import Busy
from kodomo.jobs.ledger import Ledger

HOLD = """
import sys, time
from pathlib import Path
from kodomo.jobs.ledger import Ledger
with Ledger(Path(sys.argv[1])).run("link", "x") as beat:
    beat({"done": 5, "total": 10})
    print("held", flush=True)
    time.sleep(60)
"""


def test_finished_run_is_done_for_its_inputs_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.run("link", "a"):
        pass
    assert ledger.is_done("link", "a")
    assert not ledger.is_done("link", "b")
    assert not ledger.is_done("publish", "a")


def test_failed_run_is_not_done(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with pytest.raises(ValueError, match="broken"), ledger.run("link", "a"):
        raise ValueError("broken")
    assert not ledger.is_done("link", "a")
    assert ledger.runs()[0].state == "FAILED"


def test_second_run_of_a_living_stage_is_refused_and_killed_one_is_taken_over(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "held"
    ledger = Ledger(tmp_path)
    with pytest.raises(Busy) as refusal, ledger.run("link"):
        pass
    assert refusal.value.exit_code == 8
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert ledger.runs()[0].state == "INTERRUPTED"
    assert ledger.runs()[0].figures == {"done": 5, "total": 10}
    with ledger.run("link", "y"):
        assert ledger.runs()[0].state == "RUNNING"
    assert ledger.is_done("link", "y")


def test_result_stays_for_the_next_day(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.run("judge"):
        time.sleep(0.01)
    ledger.keep_result("judge", {"children": 3})
    assert Ledger(tmp_path).runs()[0].result == {"children": 3}

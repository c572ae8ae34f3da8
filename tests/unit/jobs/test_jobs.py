"""Jobs run in a process of their own, one at a time, and survive being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from handmade import waiting_job

from kodomo.errors import Busy, NotReady
from kodomo.jobs.book import MOST_WAITING, Job, JobBook, JobStep
from kodomo.jobs.runner import cancel, run_job

STAGE = """
import json, os, sys, time
from pathlib import Path
from kodomo.jobs.ledger import Ledger
folder, what = Path(sys.argv[1]), sys.argv[2]
with (folder / "trace").open("a") as trace:
    trace.write(what + "\\n")
if what == "refuse":
    print(json.dumps({"error": {"what": "断りました。", "where": "ここ", "then": "直してください。"}}))
    sys.exit(6)
if what == "crash":
    sys.exit(70)
if what == "hang" and not (folder / "go").exists():
    with Ledger(folder / "runs").run("link") as beat:
        beat({"caption": "名寄せ", "done": 30, "total": 100, "rate": 10.0, "left": 7.0})
        (folder / "hanging").write_text("")
        time.sleep(60)
print(json.dumps({"rows": 5, "by": os.environ["KODOMO_ASKED_BY"], "deliveries": [1, 2]}))
sys.exit(4 if what == "partly" else 0)
"""

RUN = """
import signal, sys
from pathlib import Path
from kodomo.jobs.book import JobBook
from kodomo.jobs.runner import run_job
def stop(*_): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, stop)
folder = Path(sys.argv[1])
run_job(JobBook(folder / "runs"), int(sys.argv[2]), [str(folder)], [sys.executable, "-c", (folder / "stage").read_text()], 0.05)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "stage").write_text(STAGE)
    return tmp_path


@pytest.fixture
def book(place: Path) -> JobBook:
    return JobBook(place / "runs")


def put(book: JobBook, *what: str, **more: str) -> int:
    return waiting_job(book, "TRY", "試し", [JobStep(f"段 {w}", (w,)) for w in what], asked_by="toko", **more)


def run_here(book: JobBook, place: Path, number: int) -> Job:
    run_job(book, number, [str(place)], [sys.executable, "-c", STAGE], 0.05)
    return book.job(number)


def run_apart(place: Path, number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, str(place), str(number)])


LONGEST = 60
"""Seconds before what should come counts as missing: many, for the machine may be busy."""


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def wait_until_it_hangs(book: JobBook, place: Path, number: int) -> None:
    """The command is in its middle, and its runner has noted whose it is."""
    wait_for(lambda: (place / "hanging").exists() and len(book.processes(number)) == 2)


def trace(place: Path) -> list[str]:
    return (place / "trace").read_text().split()


def test_steps_run_in_order_on_behalf_of_who_asked(book: JobBook, place: Path) -> None:
    job = run_here(book, place, put(book, "receive", "link"))
    assert (job.state, job.steps_done, trace(place)) == ("DONE", 2, ["receive", "link"])
    assert job.results[0] == {"step": "receive", "rows": 5, "by": "toko"}
    assert job.finished is not None and job.started is not None


def test_a_refusal_stops_the_job_with_its_words(book: JobBook, place: Path) -> None:
    job = run_here(book, place, put(book, "refuse", "link"))
    assert (job.state, trace(place)) == ("FAILED", ["refuse"])
    assert job.fault == {"what": "断りました。", "where": "ここ", "then": "直してください。"}


def test_a_bug_stops_the_job_and_names_the_log(book: JobBook, place: Path) -> None:
    job = run_here(book, place, put(book, "crash"))
    assert job.state == "FAILED" and "不具合" in job.fault["what"] and f"{job.job_number:06d}.log" in job.fault["then"]


def test_a_refused_file_among_others_is_no_failure(book: JobBook, place: Path) -> None:
    assert run_here(book, place, put(book, "partly", "link")).state == "DONE"


def test_a_killed_job_is_interrupted_and_goes_on_where_it_was(book: JobBook, place: Path) -> None:
    number = put(book, "receive", "hang", "judge")
    runner = run_apart(place, number)
    wait_until_it_hangs(book, place, number)
    running = book.job(number)
    assert (running.state, running.steps_done, running.figures["done"]) == ("RUNNING", 1, 30)
    processes = book.processes(number)
    assert len(processes) == 2
    for process in processes:
        os.kill(process, signal.SIGKILL)
    runner.wait()
    wait_for(lambda: not book.processes(number))
    killed = book.job(number)
    assert (killed.state, killed.steps_done, killed.can_resume, killed.figures) == ("INTERRUPTED", 1, True, {})
    (place / "go").write_text("")
    book.wait_again(number)
    assert run_here(book, place, number).state == "DONE"
    assert trace(place) == ["receive", "hang", "hang", "judge"]


def test_a_command_left_behind_by_a_killed_runner_keeps_the_turn(book: JobBook, place: Path) -> None:
    number, other = put(book, "hang"), put(book, "link")
    runner = run_apart(place, number)
    wait_until_it_hangs(book, place, number)
    child = book.processes(number)[1]
    runner.kill()
    runner.wait()
    assert book.job(number).state == "RUNNING"  # its command still works
    second = run_apart(place, other)
    wait_for(lambda: book.processes(other) == [second.pid])
    assert book.job(other).state == "WAITING"
    os.kill(child, signal.SIGKILL)
    second.wait(timeout=LONGEST)
    assert book.job(other).state == "DONE" and book.job(number).state == "INTERRUPTED"


def test_one_job_at_a_time_and_a_cancelled_one_makes_room(book: JobBook, place: Path) -> None:
    first, second = put(book, "hang", leftovers=str(place / "upload")), put(book, "link")
    (place / "upload").mkdir()
    one = run_apart(place, first)
    wait_until_it_hangs(book, place, first)
    two = run_apart(place, second)
    wait_for(lambda: book.processes(second) == [two.pid])
    assert book.job(second).state == "WAITING"
    child = book.processes(first)[1]
    cancel(book, first)
    one.wait(timeout=LONGEST)
    two.wait(timeout=LONGEST)
    assert book.job(first).state == "CANCELLED" and not psutil.pid_exists(child)
    assert not (place / "upload").exists()
    assert book.job(second).state == "DONE" and book.job(second).started >= book.job(first).finished


def test_a_job_nobody_runs_any_more_can_be_given_up(book: JobBook, place: Path) -> None:
    number = put(book, "link", leftovers=str(place / "upload"))
    (place / "upload").mkdir()
    assert book.job(number).state == "INTERRUPTED"
    cancel(book, number)
    assert book.job(number).state == "CANCELLED" and not (place / "upload").exists()
    with pytest.raises(Busy):
        book.wait_again(number)


def test_a_job_has_one_runner_and_stopping_reaches_it(book: JobBook, place: Path) -> None:
    """Two people went on with it at one moment: the second runner leaves, and the first one is the one that is told."""
    number = put(book, "hang")
    first = run_apart(place, number)
    wait_until_it_hangs(book, place, number)
    with pytest.raises(Busy):
        book.wait_again(number)
    assert run_apart(place, number).wait(timeout=LONGEST) == 0
    assert book.processes(number)[0] == first.pid and len(book.processes(number)) == 2
    cancel(book, number)
    first.wait(timeout=LONGEST)
    assert book.job(number).state == "CANCELLED" and trace(place) == ["hang"]


def test_a_job_that_was_stopped_before_its_runner_came_is_not_run(book: JobBook, place: Path) -> None:
    number = put(book, "link")
    cancel(book, number)
    assert run_here(book, place, number).state == "CANCELLED" and not (place / "trace").exists()


def test_a_finished_job_is_not_cancelled(book: JobBook, place: Path) -> None:
    number = run_here(book, place, put(book, "link")).job_number
    cancel(book, number)
    assert book.job(number).state == "DONE"


def test_offices_see_their_own(book: JobBook) -> None:
    put(book, "link")
    put(book, "receive", office="welfare")
    assert [job.office for job in book.jobs(office="welfare")] == ["welfare"]
    assert len(book.jobs()) == 2
    with pytest.raises(NotReady):
        book.job(99)


def test_too_many_open_jobs_are_refused(book: JobBook, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.jobs import book as module

    monkeypatch.setattr(module, "lives", lambda process, began: True)
    for _ in range(MOST_WAITING):
        put(book, "link")
    with pytest.raises(Busy):
        put(book, "link")
    assert json.dumps(book.job(1).fault) == "{}"

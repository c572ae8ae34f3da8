"""Run one job of the book: its commands one after another as child processes, one job at a time in a home.

The turn is a lock of the operating system on ``jobs.lock``, held by the runner and handed on to its command:
a runner that is killed lets go only when the command it left behind has ended too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from kodomo.jobs.book import JobBook, JobStep

OURSELVES = (sys.executable, "-m", "kodomo")
PARTLY_REFUSED = 4
"""``DeliveryRefused.exit_code``: a file was refused, the command did its work all the same."""

STOPPING_SECONDS = 30.0
ENTRIES_KEPT = 50
"""Of a list in a command's result (the files of a delivery) so many stay with the job."""

ASKED_BY = "KODOMO_ASKED_BY"
"""The environment variable that tells a command on whose behalf it works."""


def start(book: JobBook, number: int, globals_: Sequence[str]) -> None:
    """Start the runner of a job as a process of its own, which lives on when this one ends.

    Args:
        globals_: ``--home`` and ``--municipality`` with their values.
    """
    words = [*OURSELVES, *globals_, "run-job", str(number)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, start_new_session=True, **quiet)  # type: ignore[call-overload]  # noqa: S603
    book.belongs_to(number, process.pid, _began(process.pid))
    # Somebody must take note of its end, or it stays in the system's list as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()


def run_job(
    book: JobBook, number: int, globals_: Sequence[str], command: Sequence[str] = OURSELVES, patience: float = 0.5
) -> dict[str, Any]:
    """Wait for the job's turn, then run its unfinished steps. Told to stop (SIGTERM), it stops its command and ends.

    Returns the job's number and how it ended; as it is where another runner has it or it is over.
    """
    if not book.belongs_to(number, os.getpid(), _began(os.getpid())):
        return {"job": number, "state": book.job(number).state}
    state, fault = "CANCELLED", None
    try:
        with _turn(book.folder / "jobs.lock", patience) as lock:
            book.begin(number)
            job = book.job(number)
            state = "DONE"
            for step in job.steps[job.steps_done :]:
                fault = _run(book, number, step, [*command, *globals_], lock, job.asked_by)
                if fault is not None:
                    state = "FAILED"
                    break
    except KeyboardInterrupt:
        state, fault = "CANCELLED", None
    book.end(number, state, fault)
    if state in ("DONE", "CANCELLED"):
        clear(book, number)
    return {"job": number, "state": state}


def cancel(book: JobBook, number: int) -> None:
    """Tell a job to stop. One whose runner is gone is ended here; what its finished steps did stays."""
    job, living = book.job(number), book.processes(number)
    for process in living[:1] if job.is_open else ():
        psutil.Process(process).terminate()
    if not living and job.state != "DONE":
        book.end(number, "CANCELLED")
        clear(book, number)


def clear(book: JobBook, number: int) -> None:
    """Remove the folder a job no longer needs (an uploaded file), once it won't run again."""
    leftovers = book.job(number).leftovers
    if leftovers:
        shutil.rmtree(leftovers, ignore_errors=True)


def _run(
    book: JobBook, number: int, step: JobStep, command: Sequence[str], lock: int, asked_by: str
) -> dict[str, str] | None:
    """Run one step; returns what went wrong, None when nothing did."""
    log = book.folder / "jobs" / f"{number:06d}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    handed_on: dict[str, Any] = {} if os.name == "nt" else {"pass_fds": (lock,)}
    with log.open("ab") as words:
        process = subprocess.Popen(  # noqa: S603  (our own command, words from this program)
            [*command, *step.words, "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words,
            env={**os.environ, ASKED_BY: asked_by}, **handed_on,
        )  # fmt: skip
        try:
            book.begin_step(number, process.pid, _began(process.pid))
            told, _ = process.communicate()
        except KeyboardInterrupt:
            _stop(process)
            raise
    result = answer_of(told)
    if process.returncode in (0, PARTLY_REFUSED):
        book.end_step(number, {"step": step.words[0], **_small(result)})
        return None
    return _fault(step, process.returncode, result, log)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOPPING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def answer_of(told: bytes) -> dict[str, Any]:
    """What a command said with ``--json``; empty when it said nothing that can be read."""
    try:
        found = json.loads(told)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _small(result: Mapping[str, Any]) -> dict[str, Any]:
    """What of a result stays with the job: its figures, and the figures of a list's first entries."""
    small = _scalars(result)
    for name, value in result.items():
        if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            small[name] = [_scalars(entry) for entry in value[:ENTRIES_KEPT]]
    return small


def _scalars(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if isinstance(value, str | int | float | bool)}


def _fault(step: JobStep, code: int, result: Mapping[str, Any], log: Path) -> dict[str, str]:
    told = result.get("error")
    if isinstance(told, dict):
        return {key: str(told.get(key, "")) for key in ("what", "where", "then")}
    what = "処理が外から止められました。" if code in (130, -9, -15, 137, 143) else "処理が製品の不具合で止まりました。"
    return {"what": what, "where": f"{step.caption}(終了コード {code})",
            "then": f"記録 {log.name} を開発者に見せてください。再開もできます。"}  # fmt: skip


@contextmanager
def _turn(path: Path, patience: float) -> Iterator[int]:
    """Hold the home's one turn, waiting for whoever has it."""
    with path.open("a+b") as handle:
        while not _locked(handle.fileno()):
            time.sleep(patience)
        yield handle.fileno()


def _locked(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _began(process: int) -> float:
    try:
        return psutil.Process(process).create_time()
    except psutil.NoSuchProcess:  # it ended at once
        return 0.0

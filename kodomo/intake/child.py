"""Starts the reading processes and takes their answers; a dead or silent one is a refused file (identity side)."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from kodomo.errors import DeliveryRefused
from kodomo.intake.limits import Limits
from kodomo.intake.read import MAGIC, Job, Reading
from kodomo.intake.sanitise import refused
from kodomo.intake.slip import SLIP_LIMITS
from kodomo.tables.schema import Table
from kodomo.vault.records import LANDED_FACTS, MENTIONS, ROWS, Landing, landing_schema

ROOT = Path(__file__).resolve().parents[2]

# -I: neither the caller's environment nor its folder decides what code the child runs.
_PYTHON = (sys.executable, "-I", "-c")
_START = "import sys; sys.path.insert(0, sys.argv[1]); from kodomo.intake import read; "

Read = Callable[[Job], Reading]

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")


@contextmanager
def readers() -> Iterator[Read]:
    """A function that reads a file in a process of its own, for the length of a with block.

    Where the system can fork, one process waits with everything imported and forks for each file
    (a hundredth of a second); elsewhere each file starts an interpreter. Files share no process.
    """
    if not CAN_FORK:
        yield read_in_child
        return
    ours, theirs = socket.socketpair()
    command = (*_PYTHON, _START + "read.serve(int(sys.argv[2]))", str(ROOT), str(theirs.fileno()))
    waiting = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
    )  # fmt: skip
    theirs.close()
    try:
        yield _Forking(ours).read
    finally:
        ours.close()
        try:
            waiting.wait(5)
        except subprocess.TimeoutExpired:
            waiting.kill()
            waiting.wait()


class _Forking:
    """Sends jobs to the waiting process; several threads may read at once."""

    def __init__(self, jobs: socket.socket) -> None:
        self.jobs, self.lock = jobs, threading.Lock()

    def read(self, job: Job) -> Reading:
        """Read one file. Raises DeliveryRefused as ``read_in_child`` does."""
        told = _told(job)
        answers, theirs = os.pipe()
        _widen(theirs)
        try:
            with self.lock:
                given = [theirs] if job.descriptor is None else [theirs, job.descriptor]
                socket.send_fds(self.jobs, [struct.pack("<I", len(told))], given)
                self.jobs.sendall(told)
        except OSError:
            os.close(answers)
            raise refused("child_died", "読み取りの用意をした処理が止まりました。", job.name, _SPLIT) from None
        finally:
            os.close(theirs)
        with open(answers, "rb", buffering=0) as pipe:  # noqa: PTH123  a descriptor, not a path
            answer = _all_of(pipe.fileno(), job)
        return _reading(memoryview(answer)[8:], job)


PIPE_BYTES = 1 << 20


def _widen(pipe: int) -> None:
    """Let a pipe hold more at once, where the system can: an answer is a hundred megabytes."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _all_of(pipe: int, job: Job) -> bytearray:
    """Everything up to the pipe's end; kills the reading process when time is up."""
    answer, ends = bytearray(), time.monotonic() + job.limits.wall_seconds
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(max(ends - time.monotonic(), 0)):
                if len(answer) >= 8:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(struct.unpack("<Q", answer[:8])[0], signal.SIGKILL)
                raise _too_slow(job)
            piece = os.read(pipe, PIPE_BYTES)
            if not piece:
                return answer
            answer += piece


def read_in_child(job: Job) -> Reading:
    """Read a file in an interpreter started for it alone.

    Raises:
        DeliveryRefused: the child refused the file, died, ran out of memory or time, or answered
            in a form it never should.
    """
    return _reading(memoryview(_asked(_told(job), job.name, job.limits, job.descriptor)), job)


def survey_in_child(
    path: Path, name: str, limits: Limits, password: str | None = None, descriptor: int | None = None, sheet: str = ""
) -> dict[str, Any]:
    """Look at a file that no layout describes (``kodomo.intake.survey``), in an interpreter of its own.

    Raises:
        DeliveryRefused: as ``read_in_child``.
    """
    found: dict[str, Any] = _answered("survey", path, name, limits, descriptor, password=password, sheet=sheet)
    return found


def slip_in_child(path: Path, name: str, limits: Limits = SLIP_LIMITS, password: str | None = None) -> list[list[str]]:
    """Read a reply slip (``kodomo.intake.slip``), in an interpreter of its own.

    Raises:
        DeliveryRefused: as ``read_in_child``.
    """
    found: list[list[str]] = _answered("slip", path, name, limits, None, password=password)
    return found


def _answered(task: str, path: Path, name: str, limits: Limits, descriptor: int | None, **more: Any) -> Any:
    told = json.dumps({"task": task, "path": str(path), "name": name, "limits": asdict(limits), **more}).encode()
    answer = memoryview(_asked(told, name, limits, descriptor))
    if not answer or bytes(answer[:4]) != MAGIC:
        raise _died(name)
    body: dict[str, Any] = json.loads(bytes(_piece(answer[4:])[0]))
    if task not in body:
        raise _refusal(body, name)
    return body[task]


def _asked(told: bytes, name: str, limits: Limits, descriptor: int | None) -> bytes:
    with subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
        (*_PYTHON, _START + "read.main()", str(ROOT)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        pass_fds=() if descriptor is None else (descriptor,),
    ) as child:  # fmt: skip
        try:
            return child.communicate(told, timeout=limits.wall_seconds)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            raise refused("time", "時間内に読み終わりませんでした。", name, _SPLIT) from None
        except BaseException:
            child.kill()
            raise


_SPLIT = "ファイルの中身を提出元に確かめ、大きければ分けて渡してください。"


def _too_slow(job: Job) -> DeliveryRefused:
    return refused("time", "時間内に読み終わりませんでした。", job.name, _SPLIT)


def _told(job: Job) -> bytes:
    return json.dumps(
        {
            "path": str(job.path), "name": job.name, "layout": str(job.layout.path), "columns": sorted(job.columns),
            "rules": sorted(job.rules), "key": job.key.hex(), "arrived_on": job.arrived_on.isoformat(),
            "limits": asdict(job.limits), "password": job.password,
        }
    ).encode()  # fmt: skip


def _reading(answer: memoryview, job: Job) -> Reading:
    if not answer:
        raise _died(job.name)
    try:
        if bytes(answer[:4]) != MAGIC:
            raise ValueError
        body, rest = _piece(answer[4:])
        told: dict[str, Any] = json.loads(bytes(body))
        if "reading" in told:
            tables = pa.BufferReader(rest)
            landing = Landing(*(_table(tables, declared) for declared in (MENTIONS, LANDED_FACTS, ROWS)))
            return Reading(landing=landing, **told["reading"])
    except (ValueError, TypeError, struct.error, pa.ArrowException):
        raise refused("child_died", "読み取りの結果を受け取れませんでした。", job.name, _SPLIT) from None
    raise _refusal(told, job.name)


def _died(name: str) -> DeliveryRefused:
    return refused("child_died", "読み取りが制限(メモリ・時間)を超えたか、異常終了しました。", name, _SPLIT)


def _refusal(told: dict[str, Any], name: str) -> DeliveryRefused:
    if "refused" in told:
        return DeliveryRefused(**told["refused"])
    if told.get("dead") == "memory":
        return refused("memory", "読み取りに使えるメモリを超えました。", name, _SPLIT)
    return refused(
        "reader_failed", f"読み取りの途中で製品の不具合が起きました({told.get('failed')})。", name,
        "場所を開発者に伝えてください。このファイルからは何も取り込んでいません。",
    )  # fmt: skip


def _piece(content: memoryview) -> tuple[memoryview, memoryview]:
    (length,) = struct.unpack("<Q", content[:8])
    if len(content) < 8 + length:
        raise ValueError
    return content[8 : 8 + length], content[8 + length :]


def _table(tables: pa.BufferReader, declared: Table) -> pa.Table:
    """The next of the tables, as declared."""
    table = pa.ipc.open_stream(tables).read_all()
    table.validate(full=True)
    return table.cast(landing_schema(declared))

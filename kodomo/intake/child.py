"""Starts the reading process and takes its answer; a dead or silent child is a refused file (identity side)."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from kodomo.errors import DeliveryRefused
from kodomo.intake.read import MAGIC, Job, Reading
from kodomo.intake.sanitise import refused
from kodomo.vault.records import Landing

ROOT = Path(__file__).resolve().parents[2]

# -I: neither the caller's environment nor its folder decides what code the child runs.
COMMAND = (
    sys.executable, "-I", "-c",
    "import sys; sys.path.insert(0, sys.argv[1]); from kodomo.intake.read import main; main()", str(ROOT),
)  # fmt: skip


def read_in_child(job: Job) -> Reading:
    """Read a file in a child process of its own.

    Raises:
        DeliveryRefused: the child refused the file, died, ran out of memory or time, or answered
            in a form it never should.
    """
    with subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            answer, _ = child.communicate(_told(job), timeout=job.limits.wall_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            raise refused("time", "時間内に読み終わりませんでした。", job.name, _SPLIT) from None
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise refused("child_died", "読み取りが制限(メモリ・時間)を超えたか、異常終了しました。", job.name, _SPLIT)
    return _reading(memoryview(answer), job)


_SPLIT = "ファイルの中身を提出元に確かめ、大きければ分けて渡してください。"


def _told(job: Job) -> bytes:
    return json.dumps(
        {
            "path": str(job.path), "name": job.name, "layout": str(job.layout.path), "columns": sorted(job.columns),
            "rules": sorted(job.rules), "key": job.key.hex(), "arrived_on": job.arrived_on.isoformat(),
            "limits": asdict(job.limits),
        }
    ).encode()  # fmt: skip


def _reading(answer: memoryview, job: Job) -> Reading:
    try:
        if bytes(answer[:4]) != MAGIC:
            raise ValueError
        body, rest = _piece(answer[4:])
        told: dict[str, Any] = json.loads(bytes(body))
        if "reading" in told:
            tables = []
            for _ in range(3):
                content, rest = _piece(rest)
                tables.append(_table(content))
            return Reading(landing=Landing(*tables), **told["reading"])
    except (ValueError, TypeError, struct.error, pa.ArrowException):
        raise refused("child_died", "読み取りの結果を受け取れませんでした。", job.name, _SPLIT) from None
    raise _refusal(told, job)


def _refusal(told: dict[str, Any], job: Job) -> DeliveryRefused:
    if "refused" in told:
        return DeliveryRefused(**told["refused"])
    if told.get("dead") == "memory":
        return refused("memory", "読み取りに使えるメモリを超えました。", job.name, _SPLIT)
    return refused(
        "reader_failed", f"読み取りの途中で製品の不具合が起きました({told.get('failed')})。", job.name,
        "場所を開発者に伝えてください。このファイルからは何も取り込んでいません。",
    )  # fmt: skip


def _piece(content: memoryview) -> tuple[memoryview, memoryview]:
    (length,) = struct.unpack("<Q", content[:8])
    if len(content) < 8 + length:
        raise ValueError
    return content[8 : 8 + length], content[8 + length :]


def _table(content: memoryview) -> pa.Table:
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    return table

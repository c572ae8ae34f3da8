"""The ledger of runs: which stage ran when, how far it got, and whether it still lives (shared by the sides).

A run belongs to one process, known by its number and the moment it began. When that process is gone
the run is shown as 中断 and no longer keeps another from starting. Nothing personal is written here.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from kodomo.errors import Busy

STATES = {"RUNNING": "実行中", "DONE": "完了", "FAILED": "失敗", "INTERRUPTED": "中断"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_number INTEGER PRIMARY KEY AUTOINCREMENT,
    stage TEXT NOT NULL,
    inputs TEXT NOT NULL,
    state TEXT NOT NULL,
    process INTEGER NOT NULL,
    process_began REAL NOT NULL,
    started REAL NOT NULL,
    beaten REAL NOT NULL,
    finished REAL,
    figures TEXT NOT NULL DEFAULT '{}',
    result TEXT NOT NULL DEFAULT '{}'
)
"""


@dataclass(frozen=True)
class Run:
    """One run as the ledger knows it. Times are seconds since the epoch."""

    run_number: int
    stage: str
    inputs: str
    state: str
    started: float
    finished: float | None
    figures: Mapping[str, Any]
    result: Mapping[str, Any]


class Ledger:
    """One file of runs under ``runs/``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "ledger.sqlite3"
        with self.open() as database:
            database.execute(SCHEMA)

    @contextmanager
    def run(self, stage: str, inputs: str = "") -> Iterator[Callable[[dict[str, object]], None]]:
        """Hold a stage for the length of a with block; yields the heartbeat to pass on as ``beat``.

        Raises:
            Busy: the same stage is running in another living process.
        """
        number = self._begin(stage, inputs)
        try:
            yield lambda figures: self._beat(number, figures)
        except BaseException:
            self._end(number, "FAILED", {})
            raise
        self._end(number, "DONE", None)

    def keep_result(self, stage: str, result: Mapping[str, object]) -> None:
        """Attach a small result (counts, ids) to the newest run of a stage."""
        with self.open() as database:
            database.execute(
                "UPDATE runs SET result = ? WHERE run_number = (SELECT MAX(run_number) FROM runs WHERE stage = ?)",
                (json.dumps(result, ensure_ascii=False, default=str), stage),
            )

    def runs(self, limit: int = 50) -> list[Run]:
        """Newest first. A dead process' run is shown as interrupted."""
        with self.open() as database:
            rows = database.execute("SELECT * FROM runs ORDER BY run_number DESC LIMIT ?", (limit,)).fetchall()
        return [self._as_run(row) for row in rows]

    def check_idle(self, *stages: str) -> None:
        """Refuse while one of these stages is running.

        Raises:
            Busy: naming it.
        """
        for run in self.runs(limit=500):
            if run.stage in stages and run.state == "RUNNING":
                raise Busy(
                    "ほかの処理が実行中なので、いまは行えません。",
                    where=f"{run.stage}(実行番号 {run.run_number})",
                    then="終わるのを待ってから、同じコマンドをもう一度実行してください。",
                )

    def figures_of(self, process: int, began: float) -> Mapping[str, Any]:
        """How far the stage that a process runs has got; empty before its first heartbeat."""
        with self.open() as database:
            row = database.execute(
                "SELECT figures FROM runs WHERE process = ? AND process_began BETWEEN ? AND ?"
                " ORDER BY run_number DESC LIMIT 1",
                (process, began - 1, began + 1),
            ).fetchone()
        return dict(json.loads(row["figures"])) if row else {}

    def is_done(self, stage: str, inputs: str) -> bool:
        """Whether the newest run of this stage had these inputs and came to its end."""
        newest = next((r for r in self.runs(limit=500) if r.stage == stage), None)
        return newest is not None and newest.inputs == inputs and newest.state == "DONE"

    def _begin(self, stage: str, inputs: str) -> int:
        now = time.time()
        with self.open() as database:
            database.execute("BEGIN IMMEDIATE")
            rows = database.execute("SELECT * FROM runs WHERE stage = ? AND state = 'RUNNING'", (stage,)).fetchall()
            for row in rows:
                if self._as_run(row).state == "RUNNING":
                    raise Busy(
                        "同じ処理がすでに実行中です。",
                        where=f"{stage}(実行番号 {row['run_number']})",
                        then="終わるのを待つか、kodomo status で進み具合を確かめてください。",
                    )
                database.execute("UPDATE runs SET state = 'INTERRUPTED' WHERE run_number = ?", (row["run_number"],))
            cursor = database.execute(
                "INSERT INTO runs (stage, inputs, state, process, process_began, started, beaten)"
                " VALUES (?, ?, 'RUNNING', ?, ?, ?, ?)",
                (stage, inputs, os.getpid(), psutil.Process().create_time(), now, now),
            )
            return int(cursor.lastrowid or 0)

    def _beat(self, number: int, figures: dict[str, object]) -> None:
        with self.open() as database:
            database.execute(
                "UPDATE runs SET beaten = ?, figures = ? WHERE run_number = ?",
                (time.time(), json.dumps(figures, ensure_ascii=False), number),
            )

    def _end(self, number: int, state: str, result: Mapping[str, object] | None) -> None:
        with self.open() as database:
            database.execute(
                "UPDATE runs SET state = ?, finished = ? WHERE run_number = ?", (state, time.time(), number)
            )

    def _as_run(self, row: sqlite3.Row) -> Run:
        state = row["state"]
        if state == "RUNNING" and not lives(row["process"], row["process_began"]):
            state = "INTERRUPTED"
        return Run(
            row["run_number"], row["stage"], row["inputs"], state, row["started"], row["finished"],
            json.loads(row["figures"]), json.loads(row["result"]),
        )  # fmt: skip

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """The ledger's file, one transaction long."""
        database = sqlite3.connect(self.path, timeout=30)
        database.row_factory = sqlite3.Row
        try:
            with database:
                yield database
        finally:
            database.close()


def lives(process: int, began: float) -> bool:
    """Whether the process of this number that began at this moment is still at work."""
    # The number alone does not do: it is given out again, and a killed process may linger as a zombie.
    if process <= 0:
        return False
    try:
        found = psutil.Process(process)
        return abs(found.create_time() - began) < 1.0 and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

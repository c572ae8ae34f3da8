"""The book of jobs: long work that somebody started from a page, its steps, how far it got, how it ended (shared by the sides).

A job is a list of `kodomo …` commands. It belongs to one runner process (``kodomo.jobs.runner``). Where the
runner and the command it waits for are both gone, the job is 中断: what was done stays, and it can go on from
the first step that was not finished. Nothing personal is written here.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.errors import Busy, NotReady
from kodomo.jobs.ledger import Ledger, lives

STATES = {
    "NOTED": "始まる前に止まった",
    "WAITING": "順番待ち",
    "RUNNING": "実行中",
    "DONE": "完了",
    "FAILED": "失敗",
    "CANCELLED": "取りやめ",
    "INTERRUPTED": "中断",
}
OPEN_STATES = ("WAITING", "RUNNING")
"""NOTED is none of them: whoever asked has not signed for the job in the audit trail yet, and nothing may run it."""

RESUMABLE_STATES = ("INTERRUPTED", "FAILED")

MOST_WAITING = 20
"""Jobs that may be open at once: each holds a small process."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    caption TEXT NOT NULL,
    steps TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    office TEXT NOT NULL,
    asked REAL NOT NULL,
    state TEXT NOT NULL,
    steps_done INTEGER NOT NULL DEFAULT 0,
    process INTEGER NOT NULL DEFAULT 0,
    process_began REAL NOT NULL DEFAULT 0,
    child INTEGER NOT NULL DEFAULT 0,
    child_began REAL NOT NULL DEFAULT 0,
    started REAL,
    finished REAL,
    results TEXT NOT NULL DEFAULT '[]',
    fault TEXT NOT NULL DEFAULT '{}',
    leftovers TEXT NOT NULL DEFAULT ''
)
"""


@dataclass(frozen=True)
class JobStep:
    """One command of a job.

    Args:
        caption: what staff read while it runs.
        words: the command's words after the global options.
    """

    caption: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """One job as the book knows it. Times are seconds since the epoch.

    ``figures`` are the running step's: done, total, rate (a second), left (seconds). ``fault`` says what,
    where and then of a failed one. ``office`` is whose people may see it besides those who see all.
    """

    job_number: int
    kind: str
    caption: str
    steps: tuple[JobStep, ...]
    asked_by: str
    office: str
    asked: float
    state: str
    steps_done: int
    started: float | None
    finished: float | None
    figures: Mapping[str, Any]
    results: tuple[Mapping[str, Any], ...]
    fault: Mapping[str, str]
    leftovers: str

    @property
    def is_open(self) -> bool:
        """Still waiting or running."""
        return self.state in OPEN_STATES

    @property
    def can_resume(self) -> bool:
        """It stopped before its end, and nobody ended it on purpose."""
        return self.state in RESUMABLE_STATES


class JobBook:
    """The jobs of one home, in the file of the ledger of runs."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder)
        self.folder = folder
        with self._open() as database:
            database.execute(SCHEMA)

    def note(
        self, kind: str, caption: str, steps: Sequence[JobStep], *, asked_by: str, office: str = "", leftovers: str = ""
    ) -> int:
        """Write a new job down that nothing runs before ``let_run``; returns its number.

        Args:
            leftovers: a folder that goes when the job has ended.

        Raises:
            Busy: too many jobs are open already.
        """
        if sum(job.is_open for job in self.jobs()) >= MOST_WAITING:
            raise Busy(
                "順番を待つ処理が多すぎるので、いまは始められません。",
                then="「処理の状況」で、終わるのを待ってからもう一度始めてください。",
            )
        body = json.dumps([[step.caption, list(step.words)] for step in steps], ensure_ascii=False)
        with self._open() as database:
            cursor = database.execute(
                "INSERT INTO jobs (kind, caption, steps, asked_by, office, asked, state, leftovers)"
                " VALUES (?, ?, ?, ?, ?, ?, 'NOTED', ?)",
                (kind, caption, body, asked_by, office, time.time(), leftovers),
            )
            return int(cursor.lastrowid or 0)

    def let_run(self, number: int) -> None:
        """From here on a runner may take a job that was noted; one that is further already stays as it is."""
        with self._open() as database:
            database.execute("UPDATE jobs SET state = 'WAITING' WHERE job_number = ? AND state = 'NOTED'", (number,))

    def jobs(self, limit: int = 50, office: str | None = None) -> list[Job]:
        """Newest first; with ``office`` only those of its people."""
        sql, values = "SELECT * FROM jobs", []
        if office is not None:
            sql, values = f"{sql} WHERE office = ?", [office]
        with self._open() as database:
            rows = database.execute(f"{sql} ORDER BY job_number DESC LIMIT ?", [*values, limit]).fetchall()
        return [self._as_job(row) for row in rows]

    def job(self, number: int) -> Job:
        """One job. Raises NotReady when there is none."""
        with self._open() as database:
            row = database.execute("SELECT * FROM jobs WHERE job_number = ?", (number,)).fetchone()
        if row is None:
            raise NotReady("その番号の処理はありません。", where=f"処理番号 {number}")
        return self._as_job(row)

    def newest(self) -> int:
        """The number of the newest job; 0 when there was none."""
        with self._open() as database:
            return int(database.execute("SELECT coalesce(max(job_number), 0) FROM jobs").fetchone()[0])

    def processes(self, number: int) -> list[int]:
        """The living processes of a job: its runner's, then its command's."""
        with self._open() as database:
            row = database.execute("SELECT * FROM jobs WHERE job_number = ?", (number,)).fetchone()
        pairs = ((row["process"], row["process_began"]), (row["child"], row["child_began"])) if row else ()
        return [process for process, began in pairs if lives(process, began)]

    # What the runner notes ---------------------------------------------------------------------

    def belongs_to(self, number: int, process: int, began: float) -> bool:
        """A runner was started for the job; it may have to wait for its turn.

        False, and nothing changes, when the job is over or another living runner has it.
        """
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            row = database.execute("SELECT * FROM jobs WHERE job_number = ?", (number,)).fetchone()
            if row is None or row["state"] not in OPEN_STATES:
                return False
            if lives(row["process"], row["process_began"]):
                return bool(row["process"] == process)
            database.execute(
                "UPDATE jobs SET process = ?, process_began = ? WHERE job_number = ?", (process, began, number)
            )
            return True

    def begin(self, number: int) -> None:
        """It is the job's turn."""
        self._set(number, state="RUNNING", started=time.time(), fault="{}")

    def begin_step(self, number: int, child: int, began: float) -> None:
        """A step's command is running."""
        self._set(number, child=child, child_began=began)

    def end_step(self, number: int, result: Mapping[str, Any]) -> None:
        """A step came to its end; its small figures stay with the job."""
        job = self.job(number)
        results = json.dumps([*job.results, dict(result)], ensure_ascii=False)
        self._set(number, steps_done=job.steps_done + 1, results=results, child=0, child_began=0.0)

    def end(self, number: int, state: str, fault: Mapping[str, str] | None = None) -> None:
        """The job is over, one way or another."""
        body = json.dumps(dict(fault or {}), ensure_ascii=False)
        self._set(number, state=state, finished=time.time(), fault=body)

    def wait_again(self, number: int) -> None:
        """Put an interrupted or failed job back in line; finished steps stay finished.

        Raises:
            Busy: it isn't at rest.
        """
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")  # of two people at once the second is told
            row = database.execute("SELECT * FROM jobs WHERE job_number = ?", (number,)).fetchone()
            if row is None or not self._as_job(row).can_resume:
                raise Busy(
                    "この処理は、いまは再開できません。", where=f"処理番号 {number}", then="状態を確かめてください。"
                )
            database.execute(
                "UPDATE jobs SET state = 'WAITING', finished = NULL, process = 0, process_began = 0, child = 0,"
                " child_began = 0 WHERE job_number = ?",
                (number,),
            )

    def _set(self, number: int, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._open() as database:
            database.execute(f"UPDATE jobs SET {columns} WHERE job_number = ?", [*values.values(), number])

    def _as_job(self, row: sqlite3.Row) -> Job:
        runner_lives, child_lives = lives(row["process"], row["process_began"]), lives(row["child"], row["child_began"])
        state = row["state"]
        if state in OPEN_STATES and not (runner_lives or child_lives):
            state = "INTERRUPTED"
        figures = self.ledger.figures_of(row["child"], row["child_began"]) if child_lives else {}
        return Job(
            job_number=row["job_number"], kind=row["kind"], caption=row["caption"],
            steps=tuple(JobStep(caption, tuple(words)) for caption, words in json.loads(row["steps"])),
            asked_by=row["asked_by"], office=row["office"], asked=row["asked"], state=state,
            steps_done=row["steps_done"], started=row["started"], finished=row["finished"], figures=figures,
            results=tuple(json.loads(row["results"])), fault=json.loads(row["fault"]), leftovers=row["leftovers"],
        )  # fmt: skip

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self.ledger.open() as database:
            yield database

"""Has another process of our own do part of the work on a table, piece by piece, while this one goes on (shared ground).

Python uses one core. The other process gets pieces through a pipe and answers the same way: nothing of them lies on
a disk or in its command line. Where it can't be started or dies, this one does what is left.
"""

from __future__ import annotations

import contextlib
import gc
import os
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from kodomo.tables.arrow import leave_pandas_out

Answer = Callable[[pa.RecordBatch], pa.RecordBatch]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Aside:
    """Work that another process may do.

    Args:
        module: where the work is; the module's ``aside()`` is what the other process runs (``serve``).
        asked, answers: schemas of a piece and of its answer, one answer for each piece.
        words: what the other process has to be told first; through the pipe, for it may be secret.
    """

    module: str
    asked: pa.Schema
    answers: pa.Schema
    words: bytes = field(default=b"", repr=False)

    def command(self) -> tuple[str, ...]:
        # -I: neither the caller's environment nor its folder decides what code the other process runs.
        code = f"import sys; sys.path.insert(0, sys.argv[1]); from {self.module} import aside; aside()"
        return (sys.executable, "-I", "-c", code, str(ROOT))

    def answered(self, pieces: Iterable[pa.RecordBatch], here: Answer) -> Generator[pa.RecordBatch]:
        """The pieces' answers in their order: the other process's, and from where it fails ``here``'s.

        Pieces are taken by a thread, as the other process gets to them.
        """
        handed, waiting = deque[pa.RecordBatch](), iter(pieces)
        if (os.cpu_count() or 1) > 1:
            for answer in self._asked(waiting, handed):
                handed.popleft()
                yield answer
        while handed:
            yield here(handed.popleft())
        yield from map(here, waiting)

    def _asked(self, pieces: Iterator[pa.RecordBatch], handed: deque[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Answers, as long as they come. ``handed``: the pieces taken from ``pieces``, those to be answered among them."""
        try:
            other = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
                self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            return
        handing = _Handing(self, cast("IO[bytes]", other.stdin), pieces, handed)
        handing.start()
        try:
            with cast("IO[bytes]", other.stdout) as told:
                yield from self._told(told)
        finally:
            other.kill()  # it has ended, or nobody waits for it any more
            handing.join()
            other.wait()
        if handing.fault is not None:
            raise handing.fault

    def _told(self, told: IO[bytes]) -> Iterator[pa.RecordBatch]:
        try:
            answers = pa.ipc.open_stream(told)
            if not answers.schema.equals(self.answers):
                return
            for answer in answers:
                answer.validate(full=True)
                yield answer
        except (OSError, pa.ArrowException):
            return


class _Handing(threading.Thread):
    """Hands the pieces over. A fault in making a piece is kept for who asked; the other process's end is none."""

    def __init__(
        self, work: Aside, pipe: IO[bytes], pieces: Iterator[pa.RecordBatch], handed: deque[pa.RecordBatch]
    ) -> None:
        super().__init__(daemon=True)
        self.work, self.pipe, self.pieces, self.handed = work, pipe, pieces, handed
        self.fault: BaseException | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError, pa.ArrowException):
            self._hand_over()
        with contextlib.suppress(OSError):  # what the other process did not take stays in the pipe
            self.pipe.close()

    def _hand_over(self) -> None:
        self.pipe.write(struct.pack("<I", len(self.work.words)) + self.work.words)
        with pa.ipc.new_stream(pa.PythonFile(self.pipe, "w"), self.work.asked) as writer:
            while (piece := self._next()) is not None:
                self.handed.append(piece)
                writer.write_batch(piece)
                self.pipe.flush()

    def _next(self) -> pa.RecordBatch | None:
        try:
            return next(self.pieces, None)
        except BaseException as fault:  # told where answers are asked for
            self.fault = fault
            return None


def serve(answers: pa.Schema, prepared: Callable[[bytes], Answer]) -> None:
    """What the other process does: hear the words, then answer each piece until there are no more."""
    gc.disable()  # a short life that makes no cycles
    leave_pandas_out()
    heard, told = sys.stdin.buffer, sys.stdout.buffer
    answer = prepared(heard.read(struct.unpack("<I", heard.read(4))[0]))
    with pa.ipc.new_stream(pa.PythonFile(told, "w"), answers) as writer:
        told.flush()
        for piece in pa.ipc.open_stream(heard):
            writer.write_batch(answer(piece))
            told.flush()

"""Pieces come back answered, each once and in order, however far the other process got."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pyarrow as pa
import pytest

from kodomo.tables import aside
from kodomo.tables.aside import Aside

ASKED = pa.schema([("number", pa.int64())])
ANSWERS = pa.schema([("said", pa.string())])
PIECES = 6


def pieces(count: int = PIECES) -> Iterator[pa.RecordBatch]:
    for start in range(count):
        yield pa.record_batch([pa.array([start, start + 10], pa.int64())], schema=ASKED)


def answering(by: str):
    return lambda piece: pa.record_batch([[f"{by} {n}" for n in piece.column(0).to_pylist()]], schema=ANSWERS)


SERVES = """
import os, sys
sys.path.insert(0, sys.argv[1])
import pyarrow as pa
from kodomo.tables.aside import serve
answers = pa.schema([("said", pa.string())])
def prepared(words):
    asked = []
    def answer(piece):
        asked.append(piece)
        if len(asked) > int(sys.argv[2]):
            os._exit(1)
        return pa.record_batch([[f"{words.decode()} {n}" for n in piece.column(0).to_pylist()]], schema=answers)
    return answer
serve(answers, prepared)
"""


def work(monkeypatch: pytest.MonkeyPatch, *code: str, words: bytes = b"beside") -> Aside:
    monkeypatch.setattr(aside.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(Aside, "command", lambda self: code)
    return Aside("nowhere", ASKED, ANSWERS, words)


def said(work: Aside, count: int = PIECES) -> list[str]:
    return [text for answer in work.answered(pieces(count), answering("here")) for text in answer.column(0).to_pylist()]


def expected(beside: int, count: int = PIECES) -> list[str]:
    return [f"{'beside' if at < beside else 'here'} {n}" for at in range(count) for n in (at, at + 10)]


@pytest.mark.parametrize("dies_after", [0, 1, 3, PIECES])
def test_what_the_other_process_leaves_is_done_here(monkeypatch, dies_after):
    serving = work(monkeypatch, sys.executable, "-c", SERVES, str(aside.ROOT), str(dies_after))
    assert said(serving) == expected(dies_after)


@pytest.mark.parametrize(
    "command",
    [("/nowhere/python",), (sys.executable, "-c", "pass"), (sys.executable, "-c", "print('x' * 100)")],
    ids=["never starts", "dies", "talks nonsense"],
)
def test_without_the_other_process_all_is_done_here(monkeypatch, command):
    assert said(work(monkeypatch, *command)) == expected(0)


def test_more_than_a_pipe_holds_goes_through(monkeypatch):
    serving = work(monkeypatch, sys.executable, "-c", SERVES, str(aside.ROOT), "100000", words=b"w" * 200_000)
    assert len(said(serving, 300)) == 600


def test_one_core_does_all_here(monkeypatch):
    serving = work(monkeypatch, sys.executable, "-c", SERVES, str(aside.ROOT), "100000")
    monkeypatch.setattr(aside.os, "cpu_count", lambda: 1)
    assert said(serving) == expected(0)


def test_a_fault_in_making_the_pieces_is_told(monkeypatch):
    def faulty() -> Iterator[pa.RecordBatch]:
        yield from pieces(2)
        raise LookupError("a piece can't be made")

    serving = work(monkeypatch, sys.executable, "-c", SERVES, str(aside.ROOT), "100000")
    with pytest.raises(LookupError):
        list(serving.answered(faulty(), answering("here")))


def test_whoever_stops_asking_leaves_no_process_behind(monkeypatch):
    started = []
    popen = aside.subprocess.Popen
    monkeypatch.setattr(aside.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    serving = work(monkeypatch, sys.executable, "-c", SERVES, str(aside.ROOT), "100000")
    answers = serving.answered(pieces(1000), answering("here"))
    next(answers)
    answers.close()
    assert started[0].returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)


def test_words_are_not_in_the_command_line_nor_in_its_print():
    secret = Aside("kodomo.vault.card", ASKED, ANSWERS, b"secret")
    assert b"secret" not in " ".join(secret.command()).encode() and "secret" not in repr(secret)

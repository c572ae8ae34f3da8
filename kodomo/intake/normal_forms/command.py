"""Normalises the lines of files or of standard input, for staff to try their own values (identity side)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from kodomo.errors import WrongUsage
from kodomo.intake.normal_forms.answer import Answer, answer, as_line, read_lines


def normalise_files(kind: str, files: Sequence[Path], *, whole: bool, out: BinaryIO) -> dict[str, Any]:
    """Answer every line of the files in order; keeps nothing.

    Args:
        kind: date, kana, name or address.
        files: paths; ``-`` or none at all means standard input.
        whole: give everything back as one object instead of writing a line for each.
        out: where the lines go.

    Raises:
        WrongUsage: a file cannot be read.
    """
    if whole:
        return _as_one(kind, [answer(kind, line) for line in _lines(files)])
    try:
        for line in _lines(files):
            out.write(as_line(answer(kind, line)).encode() + b"\n")
        out.flush()
    except BrokenPipeError:
        # `| head` closed its end: nothing is wrong, and nothing more may be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return {}


def _as_one(kind: str, answers: list[Answer]) -> dict[str, Any]:
    return {
        "kind": kind,
        "lines": [a.as_object() for a in answers],
        "counts": {
            "lines": len(answers),
            "with_value": sum(a.value is not None for a in answers),
            "with_doubts": sum(bool(a.doubts) for a in answers),
        },
    }


def _lines(files: Sequence[Path]) -> Iterator[str]:
    for path in files or (Path("-"),):
        with _opened(path) as stream:
            yield from read_lines([stream])


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = path.open("rb")
    except OSError as fault:
        raise WrongUsage(
            "ファイルを読めません。", where=str(path), then="名前と、読む権限を確かめてください。"
        ) from fault
    with stream:
        yield stream

"""Normalises a city's addresses in a process of its own, while this one normalises names (identity side).

Of all that is normalised, addresses take half of the time, and Python uses one core. The other process gets them
through a pipe, piece by piece, and answers the same way: nothing of them lies on a disk or in its command line.
"""

from __future__ import annotations

import gc
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from kodomo.intake.addresses import outside_own
from kodomo.intake.normalise_columns import addresses_of

FEWEST = 40_000
"""With fewer addresses, starting another process takes as long as it saves."""

PIECE_ROWS = 20_000

PLACES = pa.schema([("value", pa.string()), ("town", pa.string()), ("number", pa.string())])

ROOT = Path(__file__).resolve().parents[2]

# -I: neither the caller's environment nor its folder decides what code the other process runs.
_COMMAND = (
    sys.executable, "-I", "-c",
    "import sys; sys.path.insert(0, sys.argv[1]); from kodomo.linkage import aside; aside.answer()", str(ROOT),
)  # fmt: skip


def normal_places(values: pa.ChunkedArray, prefecture: str, city: str) -> pa.Table:
    """Addresses, each given once, and by which town and number they are compared (schema ``PLACES``).

    Many go to a process of its own; where that can't be started or dies, this one does its work.
    """
    pieces = [values.slice(at, PIECE_ROWS).combine_chunks() for at in range(0, len(values), PIECE_ROWS)]
    if len(values) >= FEWEST and (os.cpu_count() or 1) > 1:
        try:
            return pa.Table.from_batches(_asked(pieces, prefecture, city), PLACES)
        except (OSError, pa.ArrowException):
            pass
    return pa.Table.from_batches([_placed(piece, prefecture, city) for piece in pieces], PLACES)


def _placed(values: pa.Array, prefecture: str, city: str) -> pa.RecordBatch:
    texts = values.to_pylist()
    forms = addresses_of(texts, prefecture, city)
    outside = {(f.prefecture, f.city): f for f in forms.values()}
    # a place of another municipality is not the street of that name here
    before = {where: outside_own(form, prefecture, city) for where, form in outside.items()}
    towns = [(before[f.prefecture, f.city] + f.town) or None for f in map(forms.__getitem__, texts)]
    numbers = [forms[text].number or None for text in texts]
    return pa.record_batch([values, pa.array(towns, pa.string()), pa.array(numbers, pa.string())], schema=PLACES)


def _asked(pieces: list[pa.Array], prefecture: str, city: str) -> Iterator[pa.RecordBatch]:
    """Answers of the other process, each asked for when the one before has come: neither waits on a full pipe."""
    asked = pa.schema([PLACES.field("value")])
    with subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as other:
        if other.stdin is None or other.stdout is None:
            raise OSError
        try:
            words = json.dumps({"prefecture": prefecture, "city": city}).encode()
            other.stdin.write(struct.pack("<I", len(words)) + words)
            with pa.ipc.new_stream(pa.PythonFile(other.stdin, "w"), asked) as writer:
                answers = None
                for piece in pieces:
                    writer.write_batch(pa.record_batch([piece], schema=asked))
                    other.stdin.flush()
                    answers = answers or pa.ipc.open_stream(other.stdout)
                    try:
                        answer = answers.read_next_batch()
                    except StopIteration:  # it ended between two answers
                        raise OSError from None
                    answer.validate(full=True)
                    yield pa.record_batch([piece, *answer.columns], schema=PLACES)
        except BaseException:
            other.kill()
            raise


def answer() -> None:
    """What the other process does: read the municipality's name, then pieces of addresses, and answer each."""
    gc.disable()  # a short life that makes no cycles
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    words = json.loads(asked.read(struct.unpack("<I", asked.read(4))[0]))
    answers = pa.schema([PLACES.field("town"), PLACES.field("number")])
    with pa.ipc.new_stream(pa.PythonFile(told, "w"), answers) as writer:
        for piece in pa.ipc.open_stream(asked):
            placed = _placed(piece.column(0), words["prefecture"], words["city"])
            writer.write_batch(placed.select(answers.names))
            told.flush()

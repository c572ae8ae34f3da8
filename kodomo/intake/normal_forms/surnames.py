"""Common Japanese surnames and their readings, to part a name that is written without a space (identity side)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kodomo.intake.characters import fold_characters

LISTED = Path(__file__).with_name("surnames.txt")
LONGEST = 5


@cache
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    rows = [line.split("\t") for line in LISTED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    names = frozenset(fold_characters(row[0]) for row in rows)
    readings = frozenset("".join(chr(ord(c) + 0x60) for c in reading) for row in rows for reading in row[1:])
    return names, readings


def common_surnames() -> frozenset[str]:
    """Folded surnames of about 2,000 kinds."""
    return _listed()[0]


def common_readings() -> frozenset[str]:
    """Their readings in full-width katakana."""
    return _listed()[1]

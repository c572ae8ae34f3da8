"""The command line's Japanese: argparse's refusals, and ``--help`` laid out.

Japanese has no spaces, and a character of it takes two columns of a terminal.
"""

from __future__ import annotations

import argparse
import re
from unicodedata import east_asian_width

_PIECES = re.compile(r"[!-~]+|\s+|.")
"""A Latin word is never cut; between Japanese characters a line may end anywhere but before …"""
_NEVER_FIRST = frozenset("、。)」』】ーっゃゅょッャュョ…・!?:;,.!?:;)]")

_SAID = (
    (r"the following arguments are required: (.+)", r"書かれていないものがあります: \1"),
    (r"unrecognized arguments: (.+)", r"分からない指定です: \1"),
    (r"argument (.+?): invalid choice: (.+?) \(choose from (.+)\)", r"\1 に \2 は書けません。書けるもの: \3"),
    (r"argument (.+?): expected (?:one argument|at least one argument)", r"\1 のあとに値がありません"),
    (r"argument (.+?): invalid int value: (.+)", r"\1 の \2 は、整数で書いてください"),
    (r"argument (.+?): invalid float value: (.+)", r"\1 の \2 は、数で書いてください"),
    (r"argument (.+?): invalid .+ value: (.+)", r"\1 に \2 は書けません"),
    (r"argument (.+?): not allowed with argument (.+)", r"\1 と \2 は、いっしょには書けません"),
    (r"one of the arguments (.+) is required", r"どれか一つを書いてください: \1"),
)
"""What argparse says of wrong usage, and how staff are told."""


def in_japanese(message: str) -> str:
    """argparse's refusal as staff are told it; one that nobody foresaw as it is."""
    found = ((re.fullmatch(pattern, message), said) for pattern, said in _SAID)
    return next((match.expand(said) for match, said in found if match), message)


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def wrapped(text: str, width: int) -> list[str]:
    """The text as lines of at most ``width`` columns; a Latin word longer than that stands alone."""
    lines, line = [], ""
    for piece in _PIECES.findall(" ".join(text.split())):
        if line and columns_of(line + piece) > width and piece not in _NEVER_FIRST:
            lines.append(line.rstrip())
            line = ""
        line += piece if line or not piece.isspace() else ""
    return [*lines, line.rstrip()] if line.strip() else lines


class JapaneseHelp(argparse.HelpFormatter):
    """argparse's layout with lines ended as Japanese is."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrapped(text, width - len(indent)))

    def add_usage(self, usage: str | None, actions, groups, prefix: str | None = None) -> None:  # type: ignore[no-untyped-def]
        super().add_usage(usage, actions, groups, "使い方: " if prefix is None else prefix)

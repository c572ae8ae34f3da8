"""Data items that municipal extracts usually carry, by the words of their columns, and words that notes carry (identity side)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kodomo.configuration import read_toml

FILE = Path(__file__).with_name("usual_items.toml")


@dataclass(frozen=True)
class UsualItem:
    """A data item as the shipped criteria know it.

    ``words`` are found in its column's name, ``near`` (where there is any) in the file's name or another column's.
    """

    code: str
    caption: str
    domain: str
    sensitivity: str
    types: tuple[str, ...]
    words: re.Pattern[str]
    near: re.Pattern[str] | None

    def is_named(self, column: str, around: Iterable[str]) -> bool:
        """Whether a column seems to carry it.

        Args:
            column: its name, plain.
            around: the file's name and the names of all columns, plain.
        """
        # Of a header over two rows (支給/区分) the parts may only together say what it is, or the lower alone.
        ways = (column, column.replace("/", ""), column.rsplit("/", 1)[-1])
        if not any(map(self.words.search, ways)):
            return False
        return self.near is None or any(self.near.search(name) for name in around)


@cache
def usual_items() -> tuple[UsualItem, ...]:
    """All of them, the first that fits being meant."""
    return tuple(
        UsualItem(
            one["code"],
            one["caption"],
            one["domain"],
            one["sensitivity"],
            tuple(one["types"]),
            re.compile(one["words"]),
            re.compile(one["near"]) if "near" in one else None,
        )
        for one in read_toml(FILE)["items"]
    )


@cache
def words_of_notes() -> dict[str, str]:
    """Words that notes about a child carry, each with the kind of worry it speaks of."""
    return {word: one["kind"] for one in read_toml(FILE)["words"] for word in one["found"]}


def usual_item(column: str, around: Iterable[str]) -> UsualItem | None:
    """The usual item that a column of this name carries, or None."""
    places = tuple(around)
    return next((item for item in usual_items() if item.is_named(column, places)), None)

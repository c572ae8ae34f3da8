"""Criteria files as staff write them: entries with their line numbers, and every fault named at once (analysis side)."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kodomo.configuration import read_toml
from kodomo.errors import ConfigurationFault
from kodomo.terms import AgeBand, DifficultyType

TABLE_HEAD = re.compile(r"^\s*\[{1,2}\s*[A-Za-z_]+\s*\]{1,2}\s*(#.*)?$")
NAMES = {"types": ("type",), "sources": ("source",), "approved_by": ("name",), "feedback": ("event",),
         "labels": ("type", "item"), "known_to_support": ("item",)}  # fmt: skip
"""What an entry is called in a message, by table, where it has no code."""
NUMBER_FILTER = re.compile(r"^\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$")


@dataclass
class Entry:
    """One ``[[table]]`` of a criteria file: its keys, and the line each one stands on."""

    table: str
    values: Mapping[str, Any]
    line: int
    key_lines: Mapping[str, int]
    faults: Faults

    def blame(self, key: str, message: str) -> None:
        """Note a fault of one key."""
        name = next((str(self.values[k]) for k in NAMES.get(self.table, ("code",)) if self.values.get(k)), "")
        line = self.key_lines.get(key, self.line)
        self.faults.blame(f"{line} 行目 [[{self.table}]]「{name}」{key}", message, self.table, name, key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text value; without a default it must be there."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.blame(key, "文字で書いてください(必須)。" if default is None else "文字で書いてください。")
            return default or ""
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """A text value out of a list."""
        allowed = tuple(allowed)
        value = self.text(key, default)
        if value not in allowed:
            self.blame(key, f"使える値は {'・'.join(allowed)} です。")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A number; without a default it must be there."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.blame(key, "数で書いてください。")
            return default or 0.0
        return float(value)

    def months(self, key: str) -> int | None:
        """A positive whole number of months, or None when not written."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 240:
            self.blame(key, "1 から 240 までの月数で書いてください。")
            return 1
        return int(value)

    def flag(self, key: str) -> bool:
        """true or false; false when not written."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.blame(key, "true か false で書いてください。")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when not written."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or any(not isinstance(v, str) for v in value):
            self.blame(key, '["…", "…"] の形で書いてください。')
            return ()
        return tuple(value)

    def interval(self, key: str, lowest: int, highest: int) -> tuple[int, int] | None:
        """Two whole numbers, both ends included, or None when not written."""
        value = self.values.get(key)
        if value is None:
            return None
        if not (isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value)):
            self.blame(key, "[下限, 上限] の形で書いてください。")
            return None
        if not lowest <= value[0] <= value[1] <= highest:
            self.blame(key, f"{lowest} から {highest} までで、下限 ≦ 上限にしてください。")
        return value[0], value[1]

    def types(self, key: str = "types") -> tuple[DifficultyType, ...]:
        """Difficulty types by their Japanese names; ``["*"]`` means all."""
        found = []
        for label in self.texts(key):
            if label == "*":
                return tuple(DifficultyType)
            try:
                found.append(DifficultyType.from_label(label))
            except KeyError:
                self.blame(key, f"困難の類型「{label}」はありません。")
        return tuple(found)

    def type(self, key: str = "type") -> DifficultyType:
        """One difficulty type by its Japanese name."""
        label = self.text(key)
        try:
            return DifficultyType.from_label(label)
        except KeyError:
            self.blame(key, f"困難の類型「{label}」はありません。")
            return DifficultyType.ABUSE

    def bands(self, key: str) -> tuple[AgeBand, ...]:
        """Age bands by their Japanese names."""
        found = []
        for label in self.texts(key):
            try:
                found.append(AgeBand.from_label(label))
            except KeyError:
                self.blame(key, f"年齢区分「{label}」はありません。")
        return tuple(found)

    def number_filter(self, key: str) -> tuple[str, float] | None:
        """A comparison such as ``">= 9"``, or None when not written."""
        value = self.values.get(key)
        if value is None:
            return None
        read = read_comparison(value) if isinstance(value, str) else None
        if read is None:
            self.blame(key, '">= 9" の形で書いてください。')
        return read

    def only(self, *known: str) -> None:
        """Refuse keys nobody reads: a misspelt key would silently change the criteria."""
        for key in self.values:
            if key not in known:
                self.blame(key, "知らないキーです。")


@dataclass
class Faults:
    """All faults of one file, reported together."""

    path: Path
    found: list[str] = field(default_factory=list)
    marks: list[dict[str, str]] = field(default_factory=list)
    """The same faults as file, table, entry, key and message, for a page that shows each at its field."""

    def blame(self, place: str, message: str, table: str = "", entry: str = "", key: str = "") -> None:
        """Note a fault, once however often it is come upon."""
        if (words := f"{place}: {message}") not in self.found:
            self.found.append(words)
            mark = {"file": self.path.name, "table": table, "entry": entry, "key": key, "message": message}
            self.marks.append(mark)

    def settle(self) -> None:
        """Raise ConfigurationFault when anything was found."""
        if self.found:
            raise ConfigurationFault(
                f"判定基準のファイルに直すところが {len(self.found)} か所あります。",
                where=f"{self.path}\n  " + "\n  ".join(self.found),
                then="示した行を直して、もう一度実行してください。",
                faults=len(self.found),
                marks=self.marks,
            )


@dataclass(frozen=True)
class CriteriaFile:
    """A criteria file read whole: top-level values, entries by table, and the hash of its bytes."""

    path: Path
    top: Mapping[str, Any]
    tables: Mapping[str, tuple[Entry, ...]]
    faults: Faults
    sha256: str
    lines: tuple[str, ...] = ()

    def blame(self, key: str, message: str) -> None:
        """Note a fault of a key that stands above all tables."""
        line = _key_lines(list(self.lines), -1).get(key, 1)
        self.faults.blame(f"{line} 行目 {key}", message, key=key)

    def line_of(self, table: str, key: str) -> int:
        """The line of a key of a single ``[table]``; that of the table where the key is not written, else 1."""
        start = next((n for n, line in enumerate(self.lines, 1) if line.strip() == f"[{table}]"), 1)
        return _key_lines(list(self.lines), start - 1).get(key, start)

    def entries(self, table: str) -> tuple[Entry, ...]:
        """The entries of ``[[table]]`` in written order."""
        return self.tables.get(table, ())


def read_comparison(text: str) -> tuple[str, float] | None:
    """A comparison written by staff.

    >>> read_comparison(">= 9")
    ('>=', 9.0)
    """
    match = NUMBER_FILTER.match(text)
    return (match.group(1), float(match.group(2))) if match else None


def read_criteria(path: Path, *tables: str, top: Iterable[str] = ()) -> CriteriaFile:
    """Read a criteria file and find the line of every entry and key.

    Args:
        path: the TOML file.
        tables: the ``[[table]]`` names it may hold.
        top: the keys that may stand above them, or ``[table]`` names.

    Raises:
        ConfigurationFault: missing or not TOML. A table or key nobody reads is noted among the file's faults.
    """
    content = read_toml(path)
    raw = path.read_bytes()
    faults = Faults(path)
    lines = raw.decode("utf-8-sig").splitlines()
    read: dict[str, tuple[Entry, ...]] = {}
    above: dict[str, Any] = {}
    known = (*tables, *top)
    for name, value in content.items():
        line = _line_of(name, lines)
        if name not in known:
            is_table = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
            place = f"{line} 行目 [[{name}]]" if is_table else f"{line} 行目 {name}"
            which = f"知らない{'表' if is_table else 'キー'}です。使えるのは {'・'.join(known)} です。"
            faults.blame(place, which, name if is_table else "", key="" if is_table else name)
        elif name not in tables:
            above[name] = value
        elif isinstance(value, list) and all(isinstance(v, dict) for v in value):
            read[name] = tuple(_entries(name, value, lines, faults))
        else:
            faults.blame(f"{line} 行目 {name}", f"[[{name}]] の形で、一件ずつ書いてください。", name)
    return CriteriaFile(path, above, read, faults, hashlib.sha256(raw).hexdigest(), tuple(lines))


def _entries(table: str, values: list[dict[str, Any]], lines: list[str], faults: Faults) -> Iterable[Entry]:
    header = re.compile(rf"^\s*\[\[\s*{re.escape(table)}\s*\]\]")
    starts = [n for n, line in enumerate(lines) if header.match(line)]
    if len(starts) != len(values):
        # Written on one line, or in another form of TOML: right, but without lines of their own.
        line = _line_of(table, lines)
        faults.blame(f"{line} 行目 {table}", f"[[{table}]] の形で、一件ずつ書いてください。", table)
        return
    for value, start in zip(values, starts, strict=True):
        yield Entry(table, value, start + 1, _key_lines(lines, start), faults)


def _line_of(name: str, lines: list[str]) -> int:
    """The first line that names a key or table; 1 where none does."""
    shape = re.compile(rf"^\s*(\[{{1,2}}\s*)?\"?{re.escape(name)}\"?\s*[\]=.]")
    return next((n for n, line in enumerate(lines, 1) if shape.match(line)), 1)


def _key_lines(lines: list[str], start: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if TABLE_HEAD.match(line):
            break
        match = re.match(r"^\s*([A-Za-z_]+)\s*=", line)
        if match:
            found.setdefault(match.group(1), number)
    return found

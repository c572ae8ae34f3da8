"""One entry of a criteria file written anew, every other character as it was; and what differs between two versions (crosscutting).

A file is TOML as staff write it, with comments of their own. Whatever is written here is read again and compared
with what was meant, so that a way of writing this module does not know is refused, never spoiled.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kodomo.errors import ConfigurationFault

IDENTITY = {
    "indicators": ("code",),
    "points": ("code",),
    "escalations": ("code",),
    "types": ("type",),
    "sources": ("source",),
}
"""By which keys an entry is the same entry in two versions; of other tables, by all it says."""

Entries = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """One difference between two versions: an entry that came, went, or says something else under a key.

    ``before`` is None where the key or the whole entry was not there; ``after`` likewise.
    """

    file: str
    table: str
    entry: str
    key: str
    before: Any
    after: Any


def entries(text: str, table: str) -> list[dict[str, Any]]:
    """The entries of ``[[table]]``, in written order."""
    found = _read(text).get(table, [])
    return [deepcopy(entry) for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


@lru_cache(maxsize=16)
def _read(text: str) -> dict[str, Any]:
    """The file's tables, not to be changed: one page asks for the entries of the same few texts dozens of times."""
    return tomllib.loads(text)


def entry_of(text: str, table: str, code: str) -> dict[str, Any] | None:
    """The entry with a code, or None."""
    return next((entry for entry in entries(text, table) if entry.get("code") == code), None)


def with_entry(text: str, table: str, code: str, values: Mapping[str, Any]) -> str:
    """The file with other values under some keys of one entry; a value of None takes the key out.

    Raises:
        ConfigurationFault: there is no such entry, or it is written in a way this can't change.
    """
    now = entry_of(text, table, code)
    if now is None:
        raise ConfigurationFault(
            f"「{code}」という行がありません。", then="ほかの人が先に直したかもしれません。一覧から開き直してください。"
        )
    changed = {key: value for key, value in values.items() if now.get(key) != value}
    if not changed:
        return text
    lines = _lines(text)
    start, end = _span(lines, table, code)
    block = list(lines[start:end])
    for key, value in changed.items():
        block = _with_key(block, key, value)
    written = "".join([*lines[:start], *block, *lines[end:]])
    wanted = {key: value for key, value in {**now, **changed}.items() if value is not None}
    _check(text, written, table, {code: wanted})
    return written


def with_new_entry(text: str, table: str, values: Mapping[str, Any]) -> str:
    """The file with one entry more, behind the last of its table and type.

    Raises:
        ConfigurationFault: its code is taken, or the file is written in a way this can't add to.
    """
    if entry_of(text, table, str(values["code"])) is not None:
        raise ConfigurationFault(f"コード「{values['code']}」は、もう使われています。")
    lines = _lines(text)
    same = [e["code"] for e in entries(text, table) if e.get("type") == values.get("type") and "code" in e]
    place = _span(lines, table, same[-1])[1] if same else len(lines)
    block = [f"\n[[{table}]]\n", *(f"{key} = {_toml(value)}\n" for key, value in values.items() if value is not None)]
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += "\n"
    written = "".join([*lines[:place], *block, *lines[place:]])
    _check(text, written, table, {str(values["code"]): {k: v for k, v in values.items() if v is not None}})
    return written


def with_top(text: str, key: str, value: str) -> str:
    """The file with another text under a key that stands before all tables. Raises ConfigurationFault."""
    lines = _lines(text)
    head = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    written = "".join([*_with_key(list(lines[:head]), key, value), *lines[head:]])
    if tomllib.loads(written) != {**_read(text), key: value}:
        raise _unwritable(key)
    return written


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """What differs between the files of two versions, by file name, in the order of the later one."""
    found: list[Change] = []
    for name in after:
        then, now = (_read(files.get(name, "")) for files in (before, after))
        for table in dict.fromkeys([*now, *then]):
            if isinstance(now.get(table, then.get(table)), list):
                found += _changes(
                    name, table, _by_identity(table, then.get(table)), _by_identity(table, now.get(table))
                )
            elif then.get(table) != now.get(table):
                found.append(Change(name, "", "", table, then.get(table), now.get(table)))
    return found


def _changes(name: str, table: str, then: Entries, now: Entries) -> list[Change]:
    found = []
    for entry in dict.fromkeys([*now, *then]):
        old, new = then.get(entry), now.get(entry)
        if old is None or new is None:
            found.append(Change(name, table, entry, "", old, new))
            continue
        found += [
            Change(name, table, entry, key, old.get(key), new.get(key))
            for key in dict.fromkeys([*old, *new])
            if old.get(key) != new.get(key)
        ]
    return found


def _by_identity(table: str, listed: Any) -> Entries:
    keys = IDENTITY.get(table)
    found: Entries = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict):
            named = (
                [str(entry.get(key, "")) for key in keys]
                if keys
                else [json.dumps(entry, ensure_ascii=False, default=str)]
            )
            found[" ".join(named)] = entry
    return found


def _lines(text: str) -> list[str]:
    """Lines as TOML counts them. ``splitlines`` also breaks at signs that stand within a text somebody pasted (U+2028)."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _span(lines: list[str], table: str, code: str) -> tuple[int, int]:
    """The lines of one entry: from its header to its last key; comments behind that belong to what follows."""
    header = re.compile(rf"^\s*\[\[\s*{re.escape(table)}\s*\]\]")
    for start in (n for n, line in enumerate(lines) if header.match(line)):
        rest = range(start + 1, len(lines))
        end = next((n for n in rest if re.match(r"^\s*\[\[?\s*[A-Za-z_.\"]+\s*\]", lines[n])), len(lines))
        while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        if any(entry.get("code") == code for entry in _read_block(lines[start:end], table)):
            return start, end
    raise _unwritable(code)


def _read_block(block: list[str], table: str) -> list[dict[str, Any]]:
    try:
        return entries("".join(block), table)
    except tomllib.TOMLDecodeError:
        return []


def _with_key(block: list[str], key: str, value: Any) -> list[str]:
    place = next((n for n, line in enumerate(block) if re.match(rf"^\s*{re.escape(key)}\s*=", line)), None)
    line = [] if value is None else [f"{key} = {_toml(value)}\n"]
    if place is not None:
        return [*block[:place], *line, *block[place + 1 :]]
    if block and not block[-1].endswith("\n"):
        block = [*block[:-1], block[-1] + "\n"]
    return [*block, *line]


def _check(before: str, after: str, table: str, changed: Entries) -> None:
    """Refuse what reads otherwise than meant."""
    meant = _read(before)
    found = _by_identity(table, meant.get(table)) | changed
    try:
        read = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        raise _unwritable("、".join(changed)) from None
    if _by_identity(table, read.pop(table, [])) != found or read != {k: v for k, v in meant.items() if k != table}:
        raise _unwritable("、".join(changed))


def _unwritable(name: str) -> ConfigurationFault:
    return ConfigurationFault(
        f"「{name}」は、画面では直せない書き方でファイルに書かれています。",
        then="自治体フォルダのファイルで、一つのキーを一行に書き直してください。",
    )


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

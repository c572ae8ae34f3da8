"""A folder that other systems put extracts into, looked at again and again (identity side)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kodomo.errors import Busy, WrongUsage
from kodomo.intake.delivery import writing

Mark = list[int]
"""A file's size and time of change (nanoseconds)."""


def watch(
    folder: Path, take: Callable[[list[Path]], dict[str, Any]], state: Path, goes_on: Callable[[], bool]
) -> dict[str, Any]:
    """Receive what comes to lie in a folder until told to stop.

    A file is taken when its size and time have not changed between two looks, so that one still
    being copied is left alone. It stays where it is; ``state`` remembers it, through restarts too.
    A file that was refused is taken again when it changes.

    Args:
        take: receives files, and returns the result of ``kodomo.intake.receive.receive``.
        goes_on: waits for a while; False ends the watching.

    Raises:
        WrongUsage: the folder isn't there.
    """
    if not folder.is_dir():
        raise WrongUsage("見張るフォルダがありません。", where=str(folder))
    done = _remembered(state)
    before: dict[str, Mark] = {}
    total = {"files": 0, "landed": 0, "refused": 0, "rows_landed": 0, "rows_quarantined": 0}
    while True:
        now = _marks(folder)
        ready = [name for name, mark in now.items() if before.get(name) == mark and done.get(name) != mark]
        if ready:
            try:
                result = take([folder / name for name in sorted(ready)])
            except Busy:
                ready = []  # somebody else is receiving; the next look comes soon
                result = {}
            for key in total:
                total[key] += int(result.get(key, 0))
            done |= {name: now[name] for name in ready}
            _remember(state, {name: mark for name, mark in done.items() if name in now})
        before = now
        if not goes_on():
            return total


def _marks(folder: Path) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    for path in folder.iterdir():
        try:
            status = path.lstat()
        except OSError:
            continue  # gone between two calls
        if path.is_file() and not path.is_symlink() and not path.name.startswith((".", "~$")):
            marks[path.name] = [status.st_size, status.st_mtime_ns]
    return marks


def _remembered(state: Path) -> dict[str, Mark]:
    try:
        body = json.loads(state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _remember(state: Path, done: dict[str, Mark]) -> None:
    with writing(state):
        state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = state.with_suffix(".partial")
        aside.write_text(json.dumps(done, ensure_ascii=False), encoding="utf-8")
        aside.replace(state)

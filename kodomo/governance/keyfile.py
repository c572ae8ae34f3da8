"""Key files kept apart from the data they open, one per side (crosscutting)."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from kodomo.errors import IntegrityFault

FORMER = ".former"


def read_or_create_keys(path: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The named 32-byte keys of one file; keys that are missing are made and added.

    The file is readable by its owner only. A new file is put in place by one rename, so a killed
    process leaves either the old keys or the new ones, never half a file.

    Raises:
        IntegrityFault: the file is there but is not a key file. It is never overwritten: that
            would make everything sealed with it unreadable for ever.
    """
    wanted = list(names)
    keys = _read(path) if path.exists() else {}
    if all(name in keys for name in wanted):
        return {name: keys[name] for name in wanted}
    for name in wanted:
        keys.setdefault(name, secrets.token_bytes(32))
    _write(path, keys)
    return {name: keys[name] for name in wanted}


def former_keys(path: Path) -> dict[str, bytes]:
    """Keys that were replaced and not destroyed yet, by the name they had. Raises IntegrityFault."""
    keys = _read(path) if path.exists() else {}
    return {name.removesuffix(FORMER): key for name, key in keys.items() if name.endswith(FORMER)}


def replace_keys(path: Path, names: Iterable[str]) -> bool:
    """Put new keys in the place of the named ones and keep the former beside them until ``destroy_former``.

    Returns False, changing nothing, when former keys are still there: the last replacement was not finished.

    Raises:
        IntegrityFault: the file is not there or is not a key file.
    """
    keys = _read(path)
    if any(name.endswith(FORMER) for name in keys):
        return False
    for name in names:
        keys[name + FORMER], keys[name] = keys[name], secrets.token_bytes(32)
    _write(path, keys)
    return True


def destroy_former(path: Path) -> None:
    """Take the former keys out of the file: what only they open can't be opened any more."""
    _write(path, {name: key for name, key in _read(path).items() if not name.endswith(FORMER)})


def _write(path: Path, keys: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(f".{os.getpid()}.partial")
    body = json.dumps({n: base64.b64encode(k).decode() for n, k in sorted(keys.items())}, indent=1)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(body)
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(path)


def _read(path: Path) -> dict[str, bytes]:
    try:
        return {n: base64.b64decode(k, validate=True) for n, k in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        raise IntegrityFault(
            "鍵ファイルを読めません。",
            where=str(path),
            then="控えの鍵ファイルから戻してください。作り直してはいけません。",
        ) from None

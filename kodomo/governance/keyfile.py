"""Key files kept apart from the data they open, one per side (crosscutting)."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from kodomo.errors import IntegrityFault


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
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(f".{os.getpid()}.partial")
    body = json.dumps({n: base64.b64encode(k).decode() for n, k in sorted(keys.items())}, indent=1)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(body)
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(path)
    return {name: keys[name] for name in wanted}


def _read(path: Path) -> dict[str, bytes]:
    try:
        return {n: base64.b64decode(k, validate=True) for n, k in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError, TypeError):
        raise IntegrityFault(
            "鍵ファイルを読めません。",
            where=str(path),
            then="控えの鍵ファイルから戻してください。作り直してはいけません。",
        ) from None

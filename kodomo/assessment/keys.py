"""The casework side's keys: its audit chain, Django's signing, the demo marker, the second factor (casework side)."""

from __future__ import annotations

from pathlib import Path

from kodomo.configuration import Home
from kodomo.governance.keyfile import read_or_create_keys

KEY_NAMES = ("audit", "secret", "demo", "seal", "paper")


def keys(home: Home) -> dict[str, bytes]:
    """The casework side's keys, made when there are none."""
    return read_or_create_keys(home.keys / "casework.json", KEY_NAMES)


def anchor_file(home: Home) -> Path:
    """Where the newest MAC of the casework chain is copied."""
    return home.keys / "audit-casework.anchor"

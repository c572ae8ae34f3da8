"""Addresses of the site's own files, which change with their content, so that a browser may keep them (casework side)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class VersionedFiles(StaticFilesStorage):
    """Static files under their names, with a digest behind: a new edition is another address."""

    def url(self, name: str | None) -> str:
        """The address of a file; without a digest where there is no such file."""
        address = super().url(name)
        digest = _digest(name or "")
        return f"{address}?v={digest}" if digest else address


@lru_cache(maxsize=64)
def _digest(name: str) -> str:
    path = finders.find(name)
    return hashlib.sha256(Path(str(path)).read_bytes()).hexdigest()[:12] if path else ""

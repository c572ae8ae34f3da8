"""Copies of delivered files while they are read: without a name where the system can, so that a kill leaves none (identity side).

Raw extracts hold names in clear. On Linux the copy is a file without a name (``O_TMPFILE``): the
system frees it when the last process that holds it ends, however it ends. Elsewhere the copy has a
name, and what a killed process left is shredded by the next command that touches this home.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PIECE = 1 << 20


@dataclass
class Copy:
    """One copy. ``descriptor`` is None for a copy that has a name."""

    path: Path
    descriptor: int | None = None
    is_gone: bool = False

    @classmethod
    def make(cls, target: Path) -> Copy:
        """An empty copy that only this account can read. Raises OSError."""
        descriptor = _without_name(target.parent)
        if descriptor is not None:
            return cls(Path(f"/proc/self/fd/{descriptor}"), descriptor)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        return cls(target)

    @contextmanager
    def writer(self) -> Iterator[BinaryIO]:
        """The copy, open for writing."""
        with self.path.open("r+b") as handle:
            yield handle

    def shred(self) -> None:
        """Let go of the copy. One with a name is overwritten first; doing it twice is no fault."""
        if self.is_gone:
            return
        self.is_gone = True
        if self.descriptor is None:
            shred(self.path)
        else:
            os.close(self.descriptor)


def _without_name(folder: Path) -> int | None:
    """A file that has no name and never had one, or None where the system or the disk knows none."""
    flag = getattr(os, "O_TMPFILE", 0)
    if not flag or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, flag | os.O_RDWR, 0o600)
    except OSError as fault:
        if fault.errno not in (errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT):
            raise
        return None


def shred(path: Path) -> None:
    """Overwrite a file with zeros and remove it. A medium that writes elsewhere (SSD) must be encrypted besides."""
    with contextlib.suppress(FileNotFoundError):
        left = path.lstat().st_size
        with path.open("r+b") as handle:
            while left > 0:
                handle.write(bytes(min(left, _PIECE)))
                left -= _PIECE
            handle.flush()
            os.fsync(handle.fileno())
        path.unlink()


def clear(folder: Path) -> int:
    """Shred whatever lies in ``handover/incoming``; returns how many files it was.

    Call only while holding the area's lock: a delivery in progress looks the same. Raises OSError.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()] if folder.is_dir() else []
    for path in files:
        shred(path)
    shutil.rmtree(folder, ignore_errors=True)
    return len(files)


def has_leftovers(folder: Path) -> bool:
    """Whether anything lies in the folder."""
    return folder.is_dir() and any(folder.iterdir())

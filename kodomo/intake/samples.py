"""Files that somebody tries a layout on: as they lie there, or one by one out of a zip (identity side).

Nothing is landed. What comes out of a zip holds names in clear: it is copied without a name where
the system can, and shredded otherwise, as a delivery is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kodomo.errors import StaffError
from kodomo.intake.delivery import Candidate, Taken, display_name, is_archive, take_in, unpack
from kodomo.intake.limits import Limits
from kodomo.intake.sanitise import ZIP, refused


@dataclass(frozen=True)
class Sample:
    """One file to look at; ``descriptor`` is the open copy, where it has no name."""

    name: str
    path: Path
    descriptor: int | None = None


@contextmanager
def opened_samples(paths: Sequence[Path], limits: Limits, password: str | None) -> Iterator[list[Sample]]:
    """The files under the given paths, those inside zips included, for the length of a with block.

    Raises:
        DeliveryRefused: no ordinary file, too large, or an archive that ``kodomo receive`` would refuse too.
        StaffError: a file can't be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        copies: list[Taken] = []
        try:
            samples: list[Sample] = []
            for path in paths:
                if _is_zip(path, limits):
                    taken = take_in(
                        Candidate(path, display_name(path.name)), Path(folder) / f"{len(copies)}.in", limits
                    )
                    copies.append(taken)
                    inner = list(_inner(taken, Path(folder), limits, password, copies)) if is_archive(taken) else []
                    samples += inner or [Sample(path.name, path.resolve())]
                else:
                    samples.append(Sample(path.name, path.resolve()))
            yield samples
        finally:
            for taken in copies:
                taken.copy.shred()


def _inner(taken: Taken, folder: Path, limits: Limits, password: str | None, copies: list[Taken]) -> Iterator[Sample]:
    for one in unpack(taken, folder, limits, password):
        copies.append(one)
        yield Sample(one.name, one.path, one.copy.descriptor)


def _is_zip(path: Path, limits: Limits) -> bool:
    """Whether a file may be a zip to be unpacked; refuses whatever is no ordinary file."""
    try:
        if path.is_symlink() or not path.is_file():
            if not path.exists():
                raise FileNotFoundError(2, "ファイルがありません")
            raise refused(
                "special", "普通のファイルではありません。", path.name, "ファイルそのものを指定してください。"
            )
        if path.stat().st_size > limits.file_bytes:
            raise refused("too_large", "ファイルが大きすぎます。", path.name, "分けて渡してください。")
        with path.open("rb") as handle:
            return handle.read(4).startswith(ZIP)
    except OSError as fault:
        raise StaffError(
            "ファイルを読めません。", where=f"{path} ({fault.strerror})", then="場所と権限を確かめてください。"
        ) from None

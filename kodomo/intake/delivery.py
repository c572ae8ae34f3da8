"""Files as they are handed over: found, copied under names of our own, unpacked where they are archives (identity side).

Nothing is read from where the operator left it but once, into the handover area: what is checked
is what is parsed. The delivered names are used for matching and for reports only, never as paths.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kodomo.configuration import Home
from kodomo.errors import Busy, DeliveryRefused, StaffError, WrongUsage
from kodomo.intake.aes_zip import METHOD, aes_pieces
from kodomo.intake.incoming import Copy, clear, has_leftovers
from kodomo.intake.limits import Limits
from kodomo.intake.sanitise import ZIP, check_archive, refused

LITTER = ("thumbs.db", "desktop.ini", "ehthumbs.db")
_PIECE = 1 << 20


@dataclass(frozen=True)
class Candidate:
    """A file somebody hands over, where it still lies. ``inside`` is the archive it was in, if any."""

    path: Path
    name: str


@dataclass(frozen=True)
class Taken:
    """A file in the handover area: its delivered name, our copy, its hash and size."""

    name: str
    copy: Copy
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """Where our copy can be opened."""
        return self.copy.path


@dataclass
class Found:
    """What lies under the given paths."""

    candidates: list[Candidate] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    refusals: list[tuple[str, DeliveryRefused]] = field(default_factory=list)


def find_files(paths: list[Path], limits: Limits) -> Found:
    """Files under the given paths in order of name; links are refused, not followed.

    Files that operating systems leave behind (Thumbs.db, .DS_Store, ~$…) are listed as ignored.

    Raises:
        WrongUsage: a path that isn't there.
    """
    found = Found()
    for path in paths:
        if not os.path.lexists(path):
            raise WrongUsage("渡されたファイルかフォルダがありません。", where=str(path))
        _look(path, found, limits, depth=0)
    return found


def _look(path: Path, found: Found, limits: Limits, depth: int) -> None:
    name = display_name(path.name)
    if depth and is_litter(path.name):
        found.ignored.append(name)
        return
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        found.refusals.append(
            (name, refused("link", "リンクは受け取りません。", name, "ファイルそのものを渡してください。"))
        )
    elif stat.S_ISREG(mode):
        if len(found.candidates) >= limits.files:
            raise refused("too_many", f"ファイルが {limits.files} を超えています。", name, "分けて渡してください。")
        found.candidates.append(Candidate(path, name))
    elif not stat.S_ISDIR(mode):
        found.refusals.append(
            (name, refused("special", "ファイルでもフォルダでもないものです。", name, "取り除いてください。"))
        )
    elif depth >= limits.depth:
        found.refusals.append(
            (name, refused("too_deep", "フォルダが深すぎます。", name, "浅いフォルダに移してください。"))
        )
    else:
        for inner in sorted(path.iterdir(), key=lambda p: unicodedata.normalize("NFC", p.name)):
            _look(inner, found, limits, depth + 1)


def is_litter(name: str) -> bool:
    """Whether a file is what systems leave beside others, by its bare name."""
    return name.startswith((".", "~$", "._")) or name.lower() in LITTER or bool(_EXPLAINS.fullmatch(name))


_EXPLAINS = re.compile(r"(readme|お読みください)[^./]*(\.(md|txt|pdf|docx?|html?))?|.*\.md", re.I)
"""What an office writes beside its files, for people."""


def display_name(name: str) -> str:
    """A delivered name fit for reports and records: composed, without control characters, at most 200 characters."""
    composed = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    return "".join(c if c.isprintable() else "_" for c in composed)[:200] or "_"


def take_in(candidate: Candidate, target: Path, limits: Limits) -> Taken:
    """Copy a file into the handover area, hashing it on the way.

    ``target`` names the copy only where the system knows no copies without a name.

    Raises:
        DeliveryRefused: not a regular file any more, unreadable, or too large.
        StaffError: the handover area can't be written.
    """
    try:
        descriptor = os.open(candidate.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        raise refused(
            "unreadable", "ファイルを開けません。", candidate.name, "権限と媒体を確かめてください。"
        ) from None
    with os.fdopen(descriptor, "rb") as source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise refused("special", "普通のファイルではありません。", candidate.name, "取り除いてください。")
        if status.st_size > limits.file_bytes:
            raise refused("too_large", "ファイルが大きすぎます。", candidate.name, "分けて渡してください。")
        return _copy(iter(lambda: source.read(_PIECE), b""), target, candidate.name, limits.file_bytes)


def _copy(pieces: Iterator[bytes], target: Path, name: str, most: int) -> Taken:
    digest, size = hashlib.sha256(), 0
    with writing(target):
        copy = Copy.make(target)
        try:
            with copy.writer() as out:
                while (piece := _next_piece(pieces, name)) is not None:
                    digest.update(piece)
                    size += len(piece)
                    if size > most:
                        raise refused("too_large", "ファイルが大きすぎます。", name, "分けて渡してください。")
                    out.write(piece)
        except BaseException:
            copy.shred()
            raise
    return Taken(name, copy, digest.hexdigest(), size)


def _next_piece(pieces: Iterator[bytes], name: str) -> bytes | None:
    """The next piece of a delivered file; trouble with the medium is the file's, not the handover area's."""
    try:
        return next(pieces, None)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        raise refused(
            "unreadable", "ファイルを最後まで読めません。", name, "媒体か書庫が壊れていないか確かめてください。"
        ) from None


def is_archive(taken: Taken) -> bool:
    """Whether a file is a zip to be unpacked (and not a workbook, which is a zip too)."""
    with taken.path.open("rb") as handle:
        head = handle.read(4)
    return head.startswith(ZIP) and not taken.name.lower().endswith((".xlsx", ".xlsm", ".xltx", ".docx", ".pptx"))


def unpack(taken: Taken, folder: Path, limits: Limits, password: str | None) -> Iterator[Taken]:
    """Unpack a zip's files one by one into the handover area under names of our own.

    Raises:
        DeliveryRefused: as ``check_archive``; protected without the right password; an archive inside.
    """
    entries = [entry for entry in check_archive(taken.path, taken.name, limits) if not entry.is_dir()]
    with zipfile.ZipFile(taken.path) as archive:
        for number, entry in enumerate(entries):
            inner = PurePosixPath(_entry_name(entry).replace("\\", "/")).name
            if is_litter(inner) or "__MACOSX/" in entry.filename:
                continue
            name = display_name(inner)
            if name.lower().endswith((".zip", ".7z", ".rar", ".gz", ".lzh")):
                raise refused(
                    "nested", "書庫の中に書庫があります。", f"{taken.name} の中の {name}", "展開して渡してください。"
                )
            target = folder / f"{taken.sha256[:16]}-{number:05d}.in"
            yield _copy(entry_pieces(archive, entry, taken.name, password), target, name, limits.file_bytes)


def entry_pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, password: str | None) -> Iterator[bytes]:
    """What an entry holds, piece by piece. Raises DeliveryRefused: protected without the right password, or broken."""
    is_protected = bool(entry.flag_bits & 0x1)
    if is_protected and not password:
        raise refused(
            "password",
            "パスワードで保護された書庫です。",
            name,
            "--password-file でパスワードを添えて受領し直してください。",
        )
    if is_protected and password and entry.compress_type == METHOD:
        yield from aes_pieces(Path(str(archive.filename)), entry, name, password)
        return
    try:
        handle = archive.open(entry, pwd=password.encode() if is_protected and password else None)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile):
        raise refused(
            "password" if is_protected else "broken_archive",
            "書庫のパスワードが違うか、対応していない方式(AES など)です。" if is_protected else "書庫が壊れています。",
            name,
            "パスワードを確かめるか、展開してから暗号化した媒体で渡してください。",
        ) from None
    with handle:
        while piece := handle.read(_PIECE):
            yield piece


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Zips made on Japanese Windows write names in CP932 without saying so; zipfile then reads CP437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return entry.filename


# The area ---------------------------------------------------------------------------------------


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn a full or read-only disk into plain words. Raises StaffError."""
    try:
        yield
    except OSError as fault:
        words = {
            errno.ENOSPC: "空き容量がありません。",
            errno.EDQUOT: "空き容量がありません。",
            errno.EROFS: "書き込みが禁止されています。",
        }
        raise StaffError(
            f"保存先に書き込めません。{words.get(fault.errno or 0, '')}",
            where=str(place.parent),
            then="空き容量と権限を確かめてから、同じコマンドをもう一度実行してください。受領済みの分はそのままです。",
            code="disk",
        ) from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the handover area for one receiving process; let go even when killed, since the lock is the system's.

    Raises:
        Busy: another process is receiving.
    """
    with writing(folder / ".lock"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = (folder / ".lock").open("a+b")
    with handle:
        try:
            _lock(handle.fileno())
        except OSError:
            raise Busy(
                "ほかの受領が実行中です。", where=str(folder), then="終わるのを待ってからやり直してください。"
            ) from None
        yield


def clear_leftovers(home: Home) -> int:
    """Shred copies of delivered files that a killed process left; returns how many. Every command starts with this.

    Does nothing while another process is receiving: then they are no leftovers.
    """
    incoming = home.handover / "incoming"
    if not has_leftovers(incoming):
        return 0
    try:
        with locked(home.handover), writing(incoming):
            return clear(incoming)
    except Busy:
        return 0


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

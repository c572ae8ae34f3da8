"""Old and password-protected workbooks: what is inside an OLE file, opened only as far as it is harmless (identity side).

Runs in the bounded child process: a hostile file may ask for a billion rounds of key stretching, and
the limits on processor time and memory are what stops it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kodomo.intake.limits import Limits
from kodomo.intake.sanitise import OLE, ZIP, refused

Source = Path | io.BytesIO
"""What a workbook is read from: the copy itself, or its decrypted content in memory."""

_BOUNDSHEET, _SUPBOOK, _FILEPASS, _CODENAME_PROJECT = 0x0085, 0x01AE, 0x002F, 0x00D3
_OWN_BOOK, _ADD_INS = 0x0401, 0x3A01


def opened(path: Path, expected: str, name: str, password: str | None, limits: Limits) -> Source:
    """A workbook ready to be checked and read: the file itself, or what its password protects.

    Args:
        expected: ``xlsx`` or ``xls``, as the layout says.

    Raises:
        DeliveryRefused: protected without the right password, macros or links inside, or another
            kind of file than expected.
    """
    with path.open("rb") as handle:
        head = handle.read(8)
    if not head.startswith(OLE):
        if expected == "xls":
            raise refused("wrong_kind", "xls ではないファイルです。", name, "レイアウトの format を確かめてください。")
        return path
    streams = _streams(path, name)
    if "encryptedpackage" in streams:
        return _decrypted(path, name, password, limits, ZIP)
    if expected == "xlsx":
        raise refused(
            "old_office", "古い形式(.xls など)のファイルです。", name,
            "xlsx か CSV で保存し直すか、レイアウトの format を xls にしてください。",
        )  # fmt: skip
    _refuse_projects(streams, name)
    records = list(_records(path, streams, name))
    if any(kind == _FILEPASS for kind, _ in records):
        source = _decrypted(path, name, password, limits, (OLE,))
        records = list(_records(source, _streams(source, name), name))
        _refuse_records(records, name)
        return source
    _refuse_records(records, name)
    return path


def _streams(source: Source, name: str) -> list[str]:
    import olefile

    try:
        with olefile.OleFileIO(_rewound(source)) as ole:
            return ["/".join(parts).lower() for parts in ole.listdir(streams=True, storages=True)]
    except Exception:  # the library raises what it meets: bad offsets, struct errors, recursion
        raise _broken(name) from None


def _rewound(source: Source) -> BinaryIO | str:
    if isinstance(source, io.BytesIO):
        source.seek(0)
        return source
    return str(source)


def _broken(name: str) -> Exception:
    return refused(
        "broken_workbook", "表計算ファイルを読めません。", name, "表計算ソフトで開いて保存し直してください。"
    )


def _refuse_projects(streams: list[str], name: str) -> None:
    for stream in streams:
        first = stream.partition("/")[0]
        if "vba" in stream or first in ("macros", "_vba_project_cur"):
            raise refused("macro", "マクロが入っています。", name, "値だけを新しい xlsx に保存し直してください。")
        if first.startswith("mbd") or first in ("ctls", "objectpool") or "ole10native" in stream:
            raise refused(
                "embedded", "埋め込みオブジェクトが入っています。", name, "値だけを新しい xlsx に保存し直してください。"
            )
    if not {"workbook", "book"} & set(streams):
        raise refused(
            "wrong_kind", "表計算ソフトのファイルではありません。", name, "xlsx か CSV で保存し直してください。"
        )


def _records(source: Source, streams: list[str], name: str) -> Iterator[tuple[int, bytes]]:
    """The workbook's globals, record by record (MS-XLS 2.1.4), up to the first sheet."""
    import olefile

    stream = "workbook" if "workbook" in streams else "book"
    try:
        with olefile.OleFileIO(_rewound(source)) as ole:
            content = ole.openstream(stream).read()
    except Exception:
        raise _broken(name) from None
    at = 0
    while at + 4 <= len(content):
        kind, length = struct.unpack_from("<HH", content, at)
        yield kind, content[at + 4 : at + 4 + length]
        if kind == 0x000A:  # EOF of the globals
            return
        at += 4 + length


def _refuse_records(records: list[tuple[int, bytes]], name: str) -> None:
    for kind, body in records:
        if kind == _CODENAME_PROJECT or (kind == _BOUNDSHEET and len(body) > 5 and body[5] in (0x01, 0x06)):
            raise refused(
                "macro", "マクロのシートが入っています。", name, "値だけを新しい xlsx に保存し直してください。"
            )
        if kind == _SUPBOOK and len(body) >= 4 and struct.unpack_from("<H", body, 2)[0] not in (_OWN_BOOK, _ADD_INS):
            raise refused(
                "external_link", "外部ファイルへのリンクが入っています。", name, "リンクを切って保存し直してください。"
            )


def _decrypted(path: Path, name: str, password: str | None, limits: Limits, wanted: tuple[bytes, ...]) -> io.BytesIO:
    if not password:
        raise refused(
            "password", "パスワードで保護された表計算ファイルです。", name,
            "--password-file でパスワードを添えて受領し直すか、パスワードを外して渡してください。",
        )  # fmt: skip
    import msoffcrypto

    out = _Bounded(limits.unpacked_bytes)
    try:
        with path.open("rb") as handle:
            office = msoffcrypto.OfficeFile(handle)
            office.load_key(password=password)
            office.decrypt(out)
    except MemoryError:
        raise
    except _TooLarge:
        raise refused("bomb", "復号すると大きくなりすぎるファイルです。", name, "提出元に確かめてください。") from None
    except Exception:  # a wrong key, an unknown method and a broken file look alike from outside
        raise _wrong_password(name) from None
    if not out.getvalue().startswith(wanted):
        raise _wrong_password(name)
    out.seek(0)
    return out


def _wrong_password(name: str) -> Exception:
    return refused(
        "password", "パスワードが違うか、対応していない暗号の方式です。", name,
        "パスワードを確かめるか、外してから暗号化した媒体で渡してください。",
    )  # fmt: skip


class _TooLarge(Exception):
    pass


class _Bounded(io.BytesIO):
    """Memory that takes only so much."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        if self.tell() + len(piece) > self.most:
            raise _TooLarge
        return super().write(piece)

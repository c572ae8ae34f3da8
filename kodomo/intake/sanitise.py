"""What may enter at all: kind of file, archives, macros, hostile content (identity side, 安全化処置).

Looked at before anything is parsed: directories of archives first, then the bytes inside for what
makes parsers dangerous. A refusal names the file and the reason, never its content.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from kodomo.errors import DeliveryRefused
from kodomo.intake.limits import LIMITS, Limits

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

OTHER_KINDS = (
    (b"%PDF", "PDF"), (b"MZ", "実行ファイル"), (b"\x7fELF", "実行ファイル"), (b"{\\rtf", "リッチテキスト"),
    (b"\x89PNG", "画像"), (b"\xff\xd8\xff", "画像"), (b"GIF8", "画像"), (b"Rar!", "RAR 書庫"),
    (b"7z\xbc\xaf", "7z 書庫"), (b"\x1f\x8b", "gzip 書庫"), (b"BZh", "bzip2 書庫"), (b"\xfd7zXZ", "xz 書庫"),
    (b"SQLite format 3", "データベース"), (b"#!", "スクリプト"), (b"<?xml", "XML"), (b"<!doctype", "HTML"), (b"<html", "HTML"),
)  # fmt: skip

FORBIDDEN_PARTS = (
    (re.compile(r"vbaproject|vbadata|/macrosheets/|/dialogsheets/", re.I), "macro", "マクロが入っています"),
    (re.compile(r"/externallinks/|/connections\.xml$|/querytables/", re.I), "external_link", "外部ファイルへのリンクが入っています"),
    (re.compile(r"/embeddings/|/activex/|/ctrlprops/", re.I), "embedded", "埋め込みオブジェクトが入っています"),
    (re.compile(r"\.(exe|dll|js|vbs|bat|cmd|ps1|scr|lnk|hta|jar|docm|xlsm|zip|7z|rar|gz|iso)$", re.I), "embedded",
     "入れ子の書庫か実行ファイルが入っています"),
)  # fmt: skip

_HARMLESS_LINK = re.compile(rb"relationships/hyperlink\"", re.I)
_RELATIONSHIP = re.compile(rb"<Relationship\b[^>]*>", re.I)
_MARKUP = re.compile(rb"<!\s*(doctype|entity)", re.I)
_CHUNK = 1 << 20


def refused(code: str, what: str, where: str, then: str) -> DeliveryRefused:
    """A refusal of a whole file with a code that programs can read."""
    return DeliveryRefused(what, where=where, then=then, code=code)


def check_kind(head: bytes, expected: str, name: str) -> None:
    """Check by its first bytes that a file is what its layout says (one of ``FORMATS``).

    An OLE file where a workbook is expected may be an old or a protected one: ``kodomo.intake.office`` decides.

    Raises:
        DeliveryRefused: another kind of file.
    """
    if not head:
        raise refused("empty", "ファイルが空です。", name, "出力し直して、もう一度渡してください。")
    is_workbook = expected in ("xlsx", "xls")
    if head.startswith(OLE):
        if not is_workbook:
            raise refused(
                "old_office", "古い形式の表計算ソフトか文書のファイルです。", name, "CSV で出力し直してください。"
            )
        return
    is_archive = head.startswith(ZIP)
    if is_workbook and not is_archive:
        raise refused("wrong_kind", f"{expected} ではないファイルです。", name, f"{expected} で保存し直してください。")
    if not is_workbook and is_archive:
        raise refused(
            "wrong_kind", "文字のファイルのはずが、書庫か表計算のファイルです。", name, "CSV で出力し直してください。"
        )
    for magic, kind in OTHER_KINDS:
        if head[: len(magic)].lower() == magic.lower():
            raise refused(
                "wrong_kind", f"{kind}のファイルです。", name, "レイアウトどおりの形式で出力し直してください。"
            )


def check_archive(path: Path | io.BytesIO, name: str, limits: Limits = LIMITS) -> list[zipfile.ZipInfo]:
    """Check an archive by its directory alone, before a byte is unpacked; returns its entries.

    Raises:
        DeliveryRefused: broken, too many entries, too large or too tightly packed when unpacked, or
            an entry's name leads out of the archive, repeats, or is a link.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise refused(
            "broken_archive", "書庫が壊れているか、途中で切れています。", name, "もう一度書き出して渡してください。"
        ) from None
    if len(entries) > limits.archive_entries:
        raise refused("bomb", f"書庫の中のファイルが {limits.archive_entries} を超えています。", name, _ASK)
    total = sum(entry.file_size for entry in entries)
    if total > limits.unpacked_bytes:
        raise refused("bomb", "展開すると大きくなりすぎる書庫です。", name, _ASK)
    size = path.getbuffer().nbytes if isinstance(path, io.BytesIO) else path.stat().st_size
    packed = max(size, 1)
    if total > limits.ratio_counts_from and total > packed * limits.ratio:
        raise refused("bomb", "異常に高い率で圧縮された書庫です。", name, _ASK)
    _check_names(entries, name)
    return entries


_ASK = "このファイルを開かず、提出元に確かめてください。"


def _check_names(entries: list[zipfile.ZipInfo], name: str) -> None:
    seen = set()
    for entry in entries:
        inner = entry.filename.replace("\\", "/")
        parts = PurePosixPath(inner).parts
        is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
        if inner.startswith("/") or ".." in parts or re.match(r"^[A-Za-z]:", inner) or "\0" in entry.orig_filename:
            raise refused("slip", "書庫の外を指す名前が入っています。", name, _ASK)
        if is_link:
            raise refused("link", "書庫にリンクが入っています。", name, _ASK)
        if inner.lower() in seen:
            raise refused("broken_archive", "書庫に同じ名前が二つあります。", name, _ASK)
        seen.add(inner.lower())


def check_workbook(path: Path | io.BytesIO, name: str, limits: Limits = LIMITS) -> None:
    """Check an xlsx: its directory, forbidden parts, and the bytes of every XML part.

    Unpacks in pieces and counts what really comes out, since a directory can lie.

    Raises:
        DeliveryRefused: as ``check_archive``; macros, external links, embedded objects, DOCTYPE or
            ENTITY, or a part larger than its directory says.
    """
    entries = check_archive(path, name, limits)
    for entry in entries:
        for pattern, code, what in FORBIDDEN_PARTS:
            if pattern.search("/" + entry.filename.replace("\\", "/")):
                raise refused(code, f"{what}。", name, "値だけを新しい xlsx に保存し直してください。")
        if entry.flag_bits & 0x1:
            raise refused("password", "パスワードで保護された書庫です。", name, "パスワードを外して渡してください。")
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names:
        raise refused("wrong_kind", "xlsx の中身が足りません。", name, "表計算ソフトで開いて保存し直してください。")
    with zipfile.ZipFile(path) as archive:
        for entry in entries:
            if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                _check_part(archive, entry, name)


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> None:
    is_relations = entry.filename.lower().endswith(".rels")
    is_types = entry.filename == "[Content_Types].xml"
    whole = b""
    for piece in _pieces(archive, entry, name):
        if _MARKUP.search(piece):
            raise refused("entity", "XML の実体参照(DOCTYPE・ENTITY)が入っています。", name, _ASK)
        if is_relations or is_types:
            whole += piece  # a repeated tail can only repeat what was found, never hide it
    if is_types and b"macroenabled" in whole.lower():
        raise refused("macro", "マクロつきの形式です。", name, "xlsx(マクロなし)で保存し直してください。")
    for link in _RELATIONSHIP.findall(whole) if is_relations else ():
        if b'targetmode="external"' in link.lower() and not _HARMLESS_LINK.search(link):
            raise refused(
                "external_link", "外部ファイルへのリンクが入っています。", name, "リンクを切って保存し直してください。"
            )


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """A part's bytes piece by piece, each with the end of the one before; NULs taken out so that UTF-16 can't hide."""
    tail, total = b"", 0
    try:
        with archive.open(entry) as handle:
            while piece := handle.read(_CHUNK):
                total += len(piece)
                if total > entry.file_size:
                    raise refused("bomb", "書庫の目録と中身の大きさが違います。", name, _ASK)
                plain = piece.replace(b"\0", b"")
                yield tail + plain
                tail = plain[-32:]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, zlib.error):
        raise refused(
            "broken_archive", "書庫が壊れているか、途中で切れています。", name, "もう一度書き出して渡してください。"
        ) from None

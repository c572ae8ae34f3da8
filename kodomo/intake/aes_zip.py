"""Entries of zips encrypted with AES (WinZip's AE-1 and AE-2), which the standard library can't open (identity side).

Written from the published description "AES Encryption Information: Encryption Specification AE-1 and
AE-2": a key from PBKDF2-HMAC-SHA1 with 1,000 rounds, AES in counter mode with a little-endian counter
from 1, and ten bytes of HMAC-SHA1 over what is encrypted.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kodomo.errors import DeliveryRefused
from kodomo.intake.sanitise import refused

METHOD = 99
"""The compression method that stands in the directory of an AES entry."""

ROUNDS = 1_000
_SIZES = {1: (16, 8), 2: (24, 12), 3: (32, 16)}
"""Strength -> length of key and of salt."""
_MAC = 10
_PIECE = 1 << 20


def aes_pieces(path: Path, entry: zipfile.ZipInfo, name: str, password: str) -> Iterator[bytes]:
    """The plain bytes of one entry, piece by piece. The last piece comes only if the entry is whole.

    Raises:
        DeliveryRefused: a wrong password, an unknown method, or a damaged entry.
    """
    strength, method, version = _extra(entry, name)
    key_length, salt_length = _SIZES[strength]
    with path.open("rb") as handle:
        handle.seek(_data_offset(path, entry, name))
        salt, check = handle.read(salt_length), handle.read(2)
        length = entry.compress_size - salt_length - 2 - _MAC
        if length < 0 or len(check) < 2:
            raise _damaged(name)
        keys = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, ROUNDS, 2 * key_length + 2)
        if not hmac.compare_digest(keys[-2:], check):
            raise _wrong(name)
        mac = hmac.new(keys[key_length : 2 * key_length], digestmod=hashlib.sha1)
        unpacker = zlib.decompressobj(-15) if method == zipfile.ZIP_DEFLATED else None
        crc, counter = 0, 1
        cipher = Cipher(algorithms.AES(keys[:key_length]), modes.ECB())  # noqa: S305  counter mode is built on it below
        while length:
            sealed = handle.read(min(_PIECE, length))
            if not sealed:
                raise _damaged(name)
            length -= len(sealed)
            mac.update(sealed)
            plain, counter = _counter_mode(cipher, sealed, counter)
            for piece in _unpacked(unpacker, plain, name):
                crc = zlib.crc32(piece, crc)
                yield piece
        if not hmac.compare_digest(mac.digest()[:_MAC], handle.read(_MAC)):
            raise _damaged(name)
        if version == 1 and crc != entry.CRC:
            raise _damaged(name)


def _counter_mode(cipher: Cipher[modes.ECB], sealed: bytes, counter: int) -> tuple[bytes, int]:
    blocks = -(-len(sealed) // 16)
    encryptor = cipher.encryptor()
    stream = encryptor.update(b"".join(n.to_bytes(16, "little") for n in range(counter, counter + blocks)))
    mixed = int.from_bytes(sealed, "big") ^ int.from_bytes(stream[: len(sealed)], "big")
    return mixed.to_bytes(len(sealed), "big"), counter + blocks


def _unpacked(unpacker: zlib._Decompress | None, plain: bytes, name: str) -> Iterator[bytes]:
    """Unpacked in pieces, so that a tightly packed entry can be stopped before it fills the memory."""
    if unpacker is None:
        yield plain
        return
    try:
        while plain:
            yield unpacker.decompress(plain, _PIECE)
            plain = unpacker.unconsumed_tail
    except zlib.error:
        raise _damaged(name) from None


def _extra(entry: zipfile.ZipInfo, name: str) -> tuple[int, int, int]:
    """Strength, true compression method and version (1 or 2) from the entry's extra field 0x9901."""
    extra = entry.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == 0x9901 and length >= 7 and len(extra) >= 11:
            version, maker, strength, method = struct.unpack_from("<H2sBH", extra, 4)
            if maker == b"AE" and strength in _SIZES and method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                return strength, method, version
        extra = extra[4 + length :]
    raise refused(
        "password", "対応していない方式で暗号化された書庫です。", name, "展開してから、暗号化した媒体で渡してください。"
    )


def _data_offset(path: Path, entry: zipfile.ZipInfo, name: str) -> int:
    """Where the entry's bytes begin: behind its local header, whose names may be longer than the directory's."""
    with path.open("rb") as handle:
        handle.seek(entry.header_offset)
        head = handle.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise _damaged(name)
    name_length, extra_length = struct.unpack_from("<HH", head, 26)
    return int(entry.header_offset) + 30 + int(name_length) + int(extra_length)


def _wrong(name: str) -> DeliveryRefused:
    return refused("password", "書庫のパスワードが違います。", name, "パスワードを確かめて、受領し直してください。")


def _damaged(name: str) -> DeliveryRefused:
    return refused("unreadable", "ファイルを最後まで読めません。", name, "媒体か書庫が壊れていないか確かめてください。")

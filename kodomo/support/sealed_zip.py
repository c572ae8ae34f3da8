"""Writes a zip encrypted with AES-256 (WinZip's AE-2), which 7-Zip and the like open with a password (casework side).

Written from the published description "AES Encryption Information: Encryption Specification AE-1 and AE-2":
PBKDF2-HMAC-SHA1 with 1,000 rounds, AES in counter mode with a little-endian counter from 1, ten bytes of HMAC-SHA1.
So few rounds protect no word that people think up: the password is drawn here, long enough to stand by itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import random
import struct
import zlib
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ROUNDS = 1_000
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is misheard or misread on paper: i l o 0 1."""

GROUPS, GROUP_LENGTH = 5, 4


def new_password(numbers: random.Random) -> str:
    """Twenty letters in five groups: 31^20 ≈ 2^99 possibilities.

    Args:
        numbers: the operating system's source, except in tests.
    """
    return "-".join("".join(numbers.choice(LETTERS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def sealed_zip(files: Mapping[str, bytes], password: str, at: dt.datetime, salts: random.Random) -> bytes:
    """A zip of files (ASCII name → content), each packed and encrypted under the password.

    Args:
        at: stands as the files' time, in the zone it is given in.
        salts: the operating system's source, except in tests.
    """
    body, directory = bytearray(), bytearray()
    for name, content in files.items():
        entry = _sealed(content, password, salts.randbytes(16))
        head = _head(name, len(entry), len(content), at)
        offset = len(body)
        body += b"PK\x03\x04" + head + name.encode("ascii") + _EXTRA + entry
        directory += b"PK\x01\x02" + struct.pack("<H", 51) + head
        directory += struct.pack("<HHHII", 0, 0, 0, 0, offset) + name.encode("ascii") + _EXTRA
    count = len(files)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)


# Field 0x9901: seven bytes, version 2 (no CRC of the plain text is given away), strength 3 (AES-256), packed.
_EXTRA = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 8)


def _head(name: str, sealed: int, plain: int, at: dt.datetime) -> bytes:
    """What the local header and the directory say alike, from the version needed to the length of the extra field."""
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    day = (at.year - 1980) << 9 | at.month << 5 | at.day
    return struct.pack("<HHHHHIIIHH", 51, 0x1, 99, time, day, 0, sealed, plain, len(name), len(_EXTRA))


def _sealed(content: bytes, password: str, salt: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    keys = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, ROUNDS, 66)
    sealed = _counter_mode(keys[:32], packed)
    return salt + keys[64:] + sealed + hmac.new(keys[32:64], sealed, hashlib.sha1).digest()[:10]


def _counter_mode(key: bytes, plain: bytes) -> bytes:
    blocks = -(-len(plain) // 16)
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  counter mode is built on it
    stream = encryptor.update(b"".join(n.to_bytes(16, "little") for n in range(1, blocks + 1)))[: len(plain)]
    return (int.from_bytes(plain, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(plain), "big")

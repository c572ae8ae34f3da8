"""The vault's keys at work: sealing, blind indexes and pseudonyms (identity side)."""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from kodomo.errors import IntegrityFault
from kodomo.governance.keyfile import former_keys, read_or_create_keys

NONCE_BYTES = 12

KEY_NAMES = ("seal", "blind", "mark", "pseudonym", "audit")
REPLACEABLE = ("seal", "blind")
"""The others can't be replaced: child keys in decisions, the audit chain and the comparison of deliveries rest on them."""


def key_file(keys_folder: Path) -> Path:
    """Where the vault's keys lie."""
    return keys_folder / "vault.json"


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESGCMSIV:
    """Setting one up takes as long as sealing a card; a city has a hundred thousand."""
    return AESGCMSIV(key)


@dataclass(frozen=True)
class Keyring:
    """The vault's keys, opened. Nothing here is ever printed: the fields hide themselves."""

    _keys: dict[str, bytes]
    _former: dict[str, bytes] = field(default_factory=dict)
    """Keys being replaced: they still open what was sealed with them, and seal nothing."""

    def __repr__(self) -> str:
        return "Keyring(…)"

    @classmethod
    def open(cls, keys_folder: Path) -> Keyring:
        """Read ``vault.json`` from the keys folder, making it when there is none."""
        path = key_file(keys_folder)
        return cls(read_or_create_keys(path, KEY_NAMES), former_keys(path))

    def handed_over(self) -> bytes:
        """The keys for a process of our own that works beside this one. Into its pipe, and nowhere else."""
        keys = [{name: key.hex() for name, key in one.items()} for one in (self._keys, self._former)]
        return json.dumps(keys).encode()

    @classmethod
    def handed(cls, told: bytes) -> Keyring:
        """What the other process makes of ``handed_over``."""
        return cls(*({name: bytes.fromhex(key) for name, key in one.items()} for one in json.loads(told)))

    @property
    def audit(self) -> bytes:
        """Key of the vault's audit chain."""
        return self._keys["audit"]

    def seal(self, content: bytes, place: str) -> bytes:
        """Encrypt (AES-256-GCM-SIV). ``place`` is bound in: a sealed value moved elsewhere won't open."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + _cipher(self._keys["seal"]).encrypt(nonce, content, place.encode())

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what ``seal`` made for the same place. Raises IntegrityFault."""
        content = self._open_with(self._keys["seal"], sealed, place)
        if content is None and "seal" in self._former:
            content = self._open_with(self._former["seal"], sealed, place)
        if content is None:
            raise IntegrityFault(
                "封をしたデータを開けません。", where=place, then="鍵ファイルと保存先が正しい組か確かめてください。"
            )
        return content

    def reseal(self, sealed: bytes, place: str) -> bytes | None:
        """The same content under the newest key; None when it is under that already. Raises IntegrityFault."""
        if self._open_with(self._keys["seal"], sealed, place) is not None:
            return None
        return self.seal(self.unseal(sealed, place), place)

    @staticmethod
    def _open_with(key: bytes, sealed: bytes, place: str) -> bytes | None:
        try:
            return _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except InvalidTag:
            return None

    def blind_index(self, text: str) -> str:
        """A keyed fingerprint by which a person can be searched for; it changes when keys are replaced."""
        return hmac.digest(self._keys["blind"], text.encode(), "sha256").hex()[:32]

    def mark(self, text: str) -> str:
        """A keyed fingerprint that lasts: equal texts of many years are known for equal."""
        return hmac.digest(self._keys["mark"], text.encode(), "sha256").hex()[:32]

    def pseudonym(self, kind: str, number: int, zone: str = "store") -> str:
        """The keyed pseudonym of a person or household number in a zone.

        Different for each zone, so that two zones' leaks cannot be joined; the number itself
        can't be got back without the key. 100 bits: no collision at the nation's size.

        Args:
            kind: "p" for a person, "h" for a household; printed in front.
        """
        digest = hmac.digest(self._keys["pseudonym"], f"{zone}:{kind}:{number}".encode(), "sha256")
        bits = int.from_bytes(digest[:13], "big") >> 4
        return kind + "".join([_PAIRS[bits >> at & 0x3FF] for at in range(90, -1, -10)])


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
"""Base 32 (RFC 4648) two letters at a time: the library's own takes four times as long, for a hundred thousand persons."""

"""Secrets of the second factor at rest: sealed, or kept only as a keyed fingerprint (casework side)."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from django.conf import settings

from kodomo.assessment.keys import keys
from kodomo.errors import IntegrityFault

NONCE_BYTES = 12


def seal(content: bytes, place: str) -> bytes:
    """Encrypt (AES-256-GCM-SIV) with the casework key file. ``place`` is bound in: moved elsewhere it won't open."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCMSIV(keys(settings.HOME)["seal"]).encrypt(nonce, content, place.encode())


def unseal(sealed: bytes, place: str) -> bytes:
    """Decrypt what ``seal`` made for the same place.

    Raises:
        IntegrityFault: another key file, another place, or a changed byte.
    """
    try:
        return AESGCMSIV(keys(settings.HOME)["seal"]).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()
        )
    except InvalidTag:
        raise IntegrityFault(
            "認証アプリの登録を開けません。",
            where=place,
            then="鍵ファイルと保存先が正しい組か確かめ、直らなければ二要素認証を登録し直してもらってください。",
        ) from None


def fingerprint(text: str, place: str) -> str:
    """A keyed fingerprint: enough to recognise a code that is shown, not to read it out of the database."""
    return hmac.new(keys(settings.HOME)["paper"], f"{place}:{text}".encode(), hashlib.sha256).hexdigest()

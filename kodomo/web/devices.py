"""The second factor's devices: an authenticator whose secret is sealed, and paper codes kept as fingerprints (casework side)."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from kodomo.web.sealing import fingerprint, seal, unseal

SECRET_BYTES = 20
STEP_SECONDS = 30
TOLERANCE = 1
"""Steps before and after the present one that are accepted: clocks of offices differ (RFC 6238 §5.2)."""

PAPER_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Authenticator(ThrottlingMixin, Device):
    """認証アプリ (TOTP, RFC 6238). Its secret lies sealed with the casework key file, never in clear."""

    sealed_secret = models.BinaryField()
    # The newest step a code was taken for: a code counts once.
    last_step = models.BigIntegerField(default=-1)

    class Meta(Device.Meta):
        verbose_name = "認証アプリ"

    @classmethod
    def begin(cls, account: Any) -> Authenticator:
        """A new one with a fresh secret, not confirmed yet."""
        sealed = seal(secrets.token_bytes(SECRET_BYTES), _place(account.pk))
        return cls.objects.create(user=account, name="認証アプリ", confirmed=False, sealed_secret=sealed)

    @property
    def secret(self) -> bytes:
        """The secret, opened for this once."""
        return unseal(bytes(self.sealed_secret), _place(self.user_id))

    @property
    def config_url(self) -> str:
        """What the picture for the phone says."""
        issuer = settings.OTP_TOTP_ISSUER
        label = quote(f"{issuer}:{self.user.get_username()}")
        secret = base64.b32encode(self.secret).decode().rstrip("=")
        asked = {"secret": secret, "algorithm": "SHA1", "digits": 6, "period": STEP_SECONDS, "issuer": issuer}
        return f"otpauth://totp/{label}?{urlencode(asked, quote_via=quote)}"

    def verify_token(self, token: str) -> bool:
        """Whether the code fits the present step or its neighbours and was not taken before; wrong ones slow down."""
        if not self.verify_is_allowed()[0]:
            return False
        step = self._step_of(token)
        if step is None:
            self.throttle_increment(commit=True)
            return False
        self.last_step = step
        self.throttle_reset(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        """Seconds of waiting, doubled by each wrong code."""
        return 1

    def _step_of(self, token: str) -> int | None:
        if not (token.isascii() and token.isdigit() and len(token) == 6):
            return None
        now = int(time.time()) // STEP_SECONDS
        clock = TOTP(self.secret, step=STEP_SECONDS)
        for step in range(max(now - TOLERANCE, self.last_step + 1), now + TOLERANCE + 1):
            clock.time = step * STEP_SECONDS
            if secrets.compare_digest(f"{clock.token():06d}", token):
                return step
        return None


class PaperCodes(ThrottlingMixin, Device):
    """紙のコード: a handful of codes for the day the phone is lost, each good for once."""

    class Meta(Device.Meta):
        verbose_name = "紙のコード"

    def draw(self, count: int) -> list[str]:
        """Fresh codes, told this once; the database keeps their fingerprints alone."""
        codes = ["".join(secrets.choice(PAPER_LETTERS) for _ in range(8)) for _ in range(count)]
        PaperCode.objects.bulk_create([PaperCode(device=self, fingerprint=self._mark(code)) for code in codes])
        return codes

    def verify_token(self, token: str) -> bool:
        """Whether the code is one of those left; it is used up."""
        if not self.verify_is_allowed()[0]:
            return False
        used, _ = self.codes.filter(fingerprint=self._mark(token)).delete()
        if used:
            self.throttle_reset(commit=True)
        else:
            self.throttle_increment(commit=True)
        return bool(used)

    def get_throttle_factor(self) -> int:
        """Seconds of waiting, doubled by each wrong code."""
        return 1

    def _mark(self, code: str) -> str:
        return fingerprint(code, f"paper:{self.user_id}")


class PaperCode(models.Model):
    """One unused paper code."""

    device = models.ForeignKey(PaperCodes, on_delete=models.CASCADE, related_name="codes")
    fingerprint = models.CharField(max_length=64)


def _place(account_key: int) -> str:
    return f"authenticator:{account_key}"

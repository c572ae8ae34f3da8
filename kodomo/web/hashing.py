"""How much work a password is worth (casework side)."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class OfficeArgon2(Argon2PasswordHasher):
    """Argon2id on one core, as OWASP's Password Storage Cheat Sheet recommends: 46 MiB, one pass, one lane.

    Django's own settings take both cores of an office PC for a quarter of a second, and everybody else's page waits: a
    search by name asks for the password again and again, all day. A password has twelve letters or more, wrong ones lock
    the account, and a second factor is asked for besides. A password sealed otherwise is sealed anew when it is next given.
    """

    memory_cost = 47_104
    time_cost = 1
    parallelism = 1

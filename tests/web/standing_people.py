"""The standing people of the web tests, one for each role besides the four everybody knows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.hashers import Argon2PasswordHasher

from kodomo.governance.permissions import Role

AT = dt.datetime(2026, 4, 2, 1, 0, tzinfo=dt.UTC)
PASSWORD = "hinata-no-kaze-2026"


@dataclass(frozen=True)
class Person:
    """One of the people a test speaks of."""

    username: str
    name: str
    role: Role
    office: str


HANA = Person("hana", "青木 花", Role.PRACTITIONER, "family_centre")
MAKOTO = Person("makoto", "井上 誠", Role.PRACTITIONER, "family_centre")
REN = Person("ren", "上田 蓮", Role.PRACTITIONER, "childcare")
RIN = Person("rin", "江藤 凛", Role.ANALYST, "university")
OTHERS = tuple(
    Person(role.lower().replace("_", "-"), f"役割 {role.label}", role, "family_centre")
    for role in Role
    if role not in (Role.PRACTITIONER, Role.ANALYST)
)
EVERYBODY = (HANA, MAKOTO, REN, RIN, *OTHERS)

FOUR = (HANA, MAKOTO, REN, RIN)


class QuickArgon2(Argon2PasswordHasher):
    """The site's own hash, with the least work: the tests sign in hundreds of times."""

    time_cost, memory_cost, parallelism = 1, 8, 1

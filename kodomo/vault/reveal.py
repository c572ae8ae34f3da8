"""The one door from a child key to a name: asks purpose and case, writes the audit row first (identity side).

Nothing else on the casework side can open a sealed identity. What comes out is shown once, to one
person, about one child; it is never kept, logged or cached.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from kodomo.configuration import Home
from kodomo.errors import NotPermitted, NotReady
from kodomo.governance import audit
from kodomo.governance.register import Register
from kodomo.terms import Purpose
from kodomo.vault import history
from kodomo.vault.card import place
from kodomo.vault.database import anchor_file, audited
from kodomo.vault.keys import Keyring
from kodomo.vault.models import Person

IDENTITY_ITEMS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "kana": ("name_kana",),
    "born_on": ("birth_date",),
    "address": ("address",),
    "guardians": ("name", "relationship"),
}
"""What of an identity rests on which items of the register: the core items every municipality's register names so."""

_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


@dataclass(frozen=True)
class Identity:
    """Who a child is. Hides itself from logs and tracebacks: the fields are not in its ``repr``.

    ``address`` is None when it is protected (DV等支援措置): it is withheld here, so that no
    screen can show it by mistake. ``withheld`` names the parts that have no basis for 氏名等の開示 on
    the day; they are empty here.
    """

    name: str = field(repr=False)
    kana: str = field(repr=False)
    born_on: dt.date | None = field(repr=False)
    address: str | None = field(repr=False)
    is_address_protected: bool
    guardians: tuple[str, ...] = field(repr=False)
    withheld: tuple[str, ...] = ()

    @property
    def furigana(self) -> str:
        """The reading in hiragana, as printed above names."""
        # Many a ledger keeps half-width readings, in which voiced marks stand apart.
        return unicodedata.normalize("NFKC", self.kana).translate(_TO_HIRAGANA)


def reveal(
    person_key: str,
    *,
    home: Home,
    register: Register,
    on: dt.date,
    by: str,
    role: str,
    purpose: str,
    case_number: str,
    at: dt.datetime,
    keyring: Keyring | None = None,
) -> Identity:
    """Open one person's identity for one case and purpose.

    Reads the sealed identity and writes the vault's audit row in one transaction; when the row
    can't be written nothing is opened. Never gives out a protected address, nor a part that the
    register gives no basis to show for 氏名等の開示 on the day; the row says which parts were opened.

    Args:
        person_key: the store zone's key of the person (for a case: its child key).
        register, on: the item register, and the calendar day in the city.
        by, role: who asks, as the casework site knows them.
        purpose: why, in words; kept in the audit row.
        case_number: the case on whose account the name is needed.
        keyring: the vault's keys; opened from ``home`` when not given.

    Raises:
        NotPermitted: the purpose or the case is missing, or no part has a basis on the day.
        NotReady: the vault doesn't know the key.
        IntegrityFault: the seal doesn't open.
    """
    if not (purpose.strip() and case_number.strip() and by.strip()):
        raise NotPermitted("氏名等を確かめるには、目的と事例の番号が要ります。", then="目的を選んでください。")
    lawful = lawful_parts(register, on)
    if not lawful:
        register.check(IDENTITY_ITEMS["name"][0], Purpose.REVEAL, on)
        raise NotPermitted("氏名等を確かめるための法的根拠がありません。", where=f"{on.isoformat()} 時点")
    opened = keyring or Keyring.open(home.keys)
    event = audit.AuditEvent(
        actor=by, role=role, action="REVEAL_NAME", subject=person_key, purpose=purpose,
        detail={"case": case_number, "parts": ",".join(lawful)},
    )  # fmt: skip
    with audited(home, opened, event, at):
        person = history.standing_person(person_key)
        if person is None:
            raise NotReady(
                "この事例の氏名等の控えが見つかりません。",
                where=f"事例 {case_number}",
                then="名寄せをやり直した後であれば、総括管理主体の担当に伝えてください。",
            )
        return _identity(person, opened, lawful)


def is_address_protected(
    person_key: str,
    *,
    home: Home,
    by: str,
    role: str,
    case_number: str,
    at: dt.datetime,
    keyring: Keyring | None = None,
) -> bool | None:
    """Whether the vault holds a person under 支援措置 now; None where it doesn't know the person.

    Opens nothing that is sealed. Leaves an audit row in the vault all the same.
    """
    opened = keyring or Keyring.open(home.keys)
    event = audit.AuditEvent(
        actor=by, role=role, action="ASK_PROTECTION", subject=person_key, detail={"case": case_number}
    )
    with audited(home, opened, event, at):
        standing = history.standing_person(person_key)
        if standing is None:
            return None
        # A record that was joined to another keeps its own flag: either one is enough.
        former = Person.objects.using("vault").filter(person_key=person_key, is_address_protected=True)
        return standing.is_address_protected or former.exists()


def lawful_parts(register: Register, on: dt.date) -> tuple[str, ...]:
    """The parts of an identity that may be shown on a day: every item behind a part needs a basis."""
    return tuple(
        part
        for part, items in IDENTITY_ITEMS.items()
        if all(register.allows(item, Purpose.REVEAL, on) for item in items)
    )


def verify_vault(home: Home) -> audit.Verdict:
    """Walk the vault's audit chain from its first row and name the first bad one."""
    with connections["vault"].cursor() as cursor:
        return audit.verify(cursor, Keyring.open(home.keys).audit, anchor_file(home))


def _identity(person: Person, keyring: Keyring, lawful: Collection[str]) -> Identity:
    content: dict[str, Any] = json.loads(keyring.unseal(bytes(person.sealed_identity), place(person.person_number)))
    # Either flag is enough: the protection is the union of what every source says, and an unread
    # flag counts as set.
    is_protected = bool(person.is_address_protected or content.get("is_address_protected", True))
    born_on = content.get("born_on") if "born_on" in lawful else None
    guardians = content.get("guardians") if "guardians" in lawful else None
    address = content.get("address") if "address" in lawful else None
    return Identity(
        name=(content.get("name") if "name" in lawful else None) or "",
        kana=(content.get("name_kana") if "kana" in lawful else None) or "",
        born_on=dt.date.fromisoformat(born_on) if born_on and len(born_on) == 10 else None,
        address=None if is_protected else (address or ""),
        is_address_protected=is_protected,
        guardians=tuple(name for name in guardians or () if name),
        withheld=tuple(part for part in IDENTITY_ITEMS if part not in lawful),
    )

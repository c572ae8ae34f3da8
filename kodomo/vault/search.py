"""Find a case's child by a half-remembered reading: the words go in, keys come out, no name leaves (identity side).

Candidates come from blind indexes; each one's card is opened here, compared and closed again. Only keys
the caller already works with come back, so that a search can't tell whether somebody else's child is known.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from kodomo.configuration import Home
from kodomo.errors import NotPermitted, StaffError
from kodomo.governance import audit
from kodomo.governance.register import Register
from kodomo.terms import Purpose
from kodomo.vault import history
from kodomo.vault.card import PREFIX_LETTERS, place, reading_words, search_form
from kodomo.vault.database import audited
from kodomo.vault.keys import Keyring
from kodomo.vault.models import Person
from kodomo.vault.people import find_by_any

FEWEST_LETTERS = 2
MOST_FOUND = 10
"""More hits than this are no answer but a list of children: the search is refused as too wide."""

_NEAR = 1


class TooWide(StaffError):
    """The words fit too many children, or are too few to search with; nothing is shown."""


@dataclass(frozen=True)
class Wanted:
    """What somebody remembers. Hides itself from logs: the fields are not in its ``repr``."""

    reading: str = field(repr=False)
    born_on: dt.date | None = field(default=None, repr=False)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the reading, folded: kana, voicing, small letters and long vowels don't matter."""
        return tuple(w for w in (search_form(part) for part in self.reading.replace("　", " ").split()) if w)


def search_by_reading(
    wanted: Wanted,
    *,
    among: Collection[str],
    home: Home,
    register: Register,
    on: dt.date,
    by: str,
    role: str,
    purpose: str,
    at: dt.datetime,
    keyring: Keyring | None = None,
) -> list[str]:
    """The keys of people whose reading fits, best fit first, out of ``among``.

    Reads sealed cards and writes the vault's audit row in one transaction; the row says how many were
    found and never what was asked. One letter may be wrong, and a beginning is enough.

    Args:
        among: the keys of the children whose cases the person may open.
        register, on: the item register and the calendar day: the reading (and the birth date, where given)
            needs a basis for 氏名等の開示.

    Raises:
        NotPermitted: no purpose, or no legal basis on the day.
        TooWide: fewer than two letters, or more hits than one screen of children.
    """
    if not (purpose.strip() and by.strip()):
        raise NotPermitted("読みで探すには、目的が要ります。", then="目的を選んでください。")
    for item in ("name_kana", *(["birth_date"] if wanted.born_on else [])):
        register.check(item, Purpose.REVEAL, on)
    if not wanted.words or max(map(len, wanted.words)) < FEWEST_LETTERS:
        raise TooWide("読みの文字が足りません。", then="かなで2文字以上を入れてください。")
    opened = keyring or Keyring.open(home.keys)
    keys: list[str] = []
    detail: dict[str, object] = {"found": 0}
    with audited(home, opened, audit.AuditEvent(by, role, "SEARCH_BY_READING", "", purpose, "", detail), at):
        aliases = history.aliases_of(among)
        fitting = _fitting(wanted, opened, frozenset(among) | frozenset(aliases))
        keys = [key for found in fitting for key in ([found] if found in among else []) + aliases.get(found, [])]
        detail["found"] = len(keys)
    if len(keys) > MOST_FOUND:
        raise TooWide(
            f"当てはまるこどもが {MOST_FOUND} 人を超えました。", then="姓と名の両方か、生年月日も入れてください。"
        )
    return keys


def _fitting(wanted: Wanted, keyring: Keyring, among: frozenset[str]) -> list[str]:
    candidates = _candidates(wanted.words, keyring) & among
    people = Person.objects.using("vault").filter(person_key__in=sorted(candidates), is_current=True)
    found = []
    for person in people:
        content = json.loads(keyring.unseal(bytes(person.sealed_identity), place(person.person_number)))
        distance = _distance(wanted, content)
        if distance is not None:
            found.append((distance, person.person_key))
    return [key for _, key in sorted(found)]


def _candidates(words: tuple[str, ...], keyring: Keyring) -> set[str]:
    """Whoever shares a surname, a given name or the beginning of one with any of the words."""
    terms: set[tuple[str, str]] = set()
    for word in {*words, "".join(words)}:
        terms |= {(kind, word) for kind in ("kana", "surname", "given")}
        if len(word) >= PREFIX_LETTERS:
            terms |= {(kind, word[:PREFIX_LETTERS]) for kind in ("surname_prefix", "given_prefix")}
    return find_by_any(keyring, terms)


def _distance(wanted: Wanted, content: dict[str, Any]) -> int | None:
    """How far the card is from what is remembered: 0 is exact; None doesn't fit."""
    if wanted.born_on and content.get("born_on") != wanted.born_on.isoformat():
        return None
    readings = [str(content.get("name_kana") or ""), *content.get("other_readings", ())]
    fits = [_reading_distance(wanted, [search_form(w) for w in reading_words(reading)]) for reading in readings]
    return min((fit for fit in fits if fit is not None), default=None)


def _reading_distance(wanted: Wanted, names: list[str]) -> int | None:
    """The same of one reading. Words are never taken from two: 姓 of one and 名 of another is nobody's name."""
    whole = "".join(names)
    if len(wanted.words) == 1:
        return _nearest(wanted.words[0], [whole, *names])
    parts = [_nearest(word, names) for word in wanted.words]
    return None if None in parts else sum(part for part in parts if part is not None)


def _nearest(word: str, names: list[str]) -> int | None:
    """0 the same, 1 a beginning, 2 one letter off."""
    if word in names:
        return 0
    if any(name.startswith(word) for name in names):
        return 1
    return 2 if len(word) > FEWEST_LETTERS and any(_is_one_off(word, name) for name in names) else None


def _is_one_off(left: str, right: str) -> bool:
    """Whether one letter added, left out or changed makes one the other."""
    if abs(len(left) - len(right)) > _NEAR:
        return False
    short, long = sorted((left, right), key=len)
    place = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    rest = short[place + 1 :] if len(short) == len(long) else short[place:]
    return rest == long[place + 1 :]

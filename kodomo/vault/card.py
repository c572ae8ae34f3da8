"""What the vault keeps about one person, how it is sealed, and under what it is found (identity side)."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

import pyarrow as pa

from kodomo.tables.aside import Answer, Aside, serve
from kodomo.vault.keys import Keyring

PREFIX_LETTERS = 2
CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_TO_LARGE = str.maketrans("ァィゥェォヵヶッャュョヮヅヂヲヴ", "アイウエオカケツヤユヨワスシオフ")
_LOST = str.maketrans("", "", "\u3099\u309aー・ 　-")


@dataclass(frozen=True)
class Card:
    """What the vault keeps about one person, sealed: the newest printed values, and how to find them.

    ``is_searched`` persons get blind indexes: children and the people around them, nobody else.
    ``other_readings``: 通称カナ, and readings the register printed before.
    """

    person_number: int
    name: str = field(default="", repr=False)
    name_kana: str = field(default="", repr=False)
    former_names: tuple[str, ...] = field(default=(), repr=False)
    born_on: str = field(default="", repr=False)
    sex: str = ""
    address: str = field(default="", repr=False)
    is_address_protected: bool = False
    guardians: tuple[str, ...] = field(default=(), repr=False)
    resident_numbers: tuple[str, ...] = field(default=(), repr=False)
    is_searched: bool = False
    other_readings: tuple[str, ...] = field(default=(), repr=False)

    def content(self) -> str:
        """The card as canonical JSON: equal cards give equal text."""
        return CANONICAL.encode(vars(self))  # asdict() copies every value: half of a city's writing time


_ARROW = {
    "int": pa.int64(), "str": pa.string(), "bool": pa.bool_(), "tuple[str, ...]": pa.list_(pa.string()),
}  # fmt: skip
CARDS = pa.schema([(told.name, _ARROW[str(told.type)]) for told in fields(Card)])
"""Cards as a table, a column for each field of ``Card``."""

HELD = CARDS.append(pa.field("held", pa.binary()))
"""The same, with what the vault holds of the person, sealed; null where it holds nothing, or nothing that still counts."""

SEALED = pa.schema([
    ("person_number", pa.int64()), ("person_key", pa.string()), ("sealed_identity", pa.binary()),
    ("is_address_protected", pa.bool_()), ("kinds", pa.list_(pa.string())), ("fingerprints", pa.list_(pa.string())),
])  # fmt: skip
"""Cards as they are written; ``kinds`` and ``fingerprints``: the blind indexes of each."""


def cards_of(table: pa.RecordBatch) -> Iterator[Card]:
    """The cards of a piece of ``CARDS``."""
    columns = (table.column(told.name).to_pylist() for told in CARDS)
    told = (map(tuple, v) if pa.types.is_list(f.type) else v for v, f in zip(columns, CARDS, strict=True))
    return map(Card, *told)  # row by row would take twice as long, for a hundred thousand persons


def table_of(cards: Iterable[Card]) -> pa.RecordBatch:
    """Cards as a piece of ``CARDS``."""
    return pa.RecordBatch.from_pylist([vars(card) for card in cards], CARDS)


def as_told(content: dict[str, Any]) -> dict[str, Any]:
    """What a table or JSON holds of a card, as ``Card`` takes it."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}


def search_form(text: str) -> str:
    """A reading as half-remembered: hiragana or katakana, voicing, small letters and long vowels don't matter.

    >>> search_form("ワタナベ じゅん") == search_form("わたなへ・シュン")
    True
    """
    large = unicodedata.normalize("NFKC", text).translate(_TO_KATAKANA).translate(_TO_LARGE)
    return unicodedata.normalize("NFD", large).translate(_LOST)


def reading_words(reading: str) -> list[str]:
    """The words of a printed reading: 姓 and 名, or a foreign name's each."""
    return reading.replace("\u3000", " ").split()


def index_terms(card: Card, form: Callable[[str], str] = search_form) -> set[tuple[str, str]]:
    """Under which (kind, text) a person can be found. ``form``: ``search_form``, or one that remembers its answers."""
    if not card.is_searched:
        return set()
    terms = {("born_on", card.born_on), *(("number", n) for n in card.resident_numbers)}
    for reading in (card.name_kana, *card.other_readings):
        terms |= _reading_terms([form(w) for w in reading_words(reading)])
    return {(kind, text) for kind, text in terms if text}


def _reading_terms(words: list[str]) -> set[tuple[str, str]]:
    """Under what one reading is found: whole, 姓, 名, and of a foreign name each word, for offices call its bearer by any."""
    terms = {("kana", "".join(words))}
    if len(words) > 1:
        terms |= {("surname", words[0]), ("surname_prefix", words[0][:PREFIX_LETTERS])}
        for given in {"".join(words[1:]), *words[1:]}:
            terms |= {("given", given), ("given_prefix", given[:PREFIX_LETTERS])}
    return terms


def sealing(keyring: Keyring) -> Answer:
    """What answers a piece of ``HELD`` with ``SEALED``: those of its cards that say anything else than the vault holds.

    What it remembers are names, for most texts are many people's and are worked out once: it is made for one
    writing, and nothing of it outlives that.
    """
    form, blind = cache(search_form), cache(lambda kind, text: keyring.blind_index(f"{kind}:{text}"))

    def row(card: Card, content: bytes) -> tuple[Any, ...]:
        terms = sorted(index_terms(card, form))
        kinds, fingerprints = [kind for kind, _ in terms], [blind(kind, text) for kind, text in terms]
        key = keyring.pseudonym("p", card.person_number)
        sealed = keyring.seal(content, place(card.person_number))
        return card.person_number, key, sealed, card.is_address_protected, kinds, fingerprints

    def sealed(piece: pa.RecordBatch) -> pa.RecordBatch:
        rows = []
        for card, held in zip(cards_of(piece), piece.column("held").to_pylist(), strict=True):
            content = card.content().encode()
            if held is None or keyring.unseal(held, place(card.person_number)) != content:
                rows.append(row(card, content))
        columns = zip(*rows, strict=True) if rows else [()] * len(SEALED)
        return pa.record_batch([pa.array(v, f.type) for v, f in zip(columns, SEALED, strict=True)], schema=SEALED)

    return sealed


def place(number: int) -> str:
    """Where a card is sealed to: moved to another person's place it won't open."""
    return f"person:{number}"


def sealed_aside(keyring: Keyring, pieces: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    """``sealing`` of many pieces of ``HELD``, in a process beside this one that writes what it is told."""
    return Aside(__name__, HELD, SEALED, keyring.handed_over()).answered(pieces, sealing(keyring))


def aside() -> None:
    """What the other process does."""
    serve(SEALED, lambda words: sealing(Keyring.handed(words)))

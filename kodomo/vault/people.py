"""Linked people in the vault: sealed cards, blind indexes for search, and sealed link runs (identity side)."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connections

from kodomo.configuration import Home
from kodomo.errors import IntegrityFault, NotReady
from kodomo.tables.packing import packed
from kodomo.tables.uncollected import uncollected
from kodomo.vault.keys import Keyring

if TYPE_CHECKING:
    from kodomo.vault.models import LinkRun  # Django is only there in a process that opened the vault

BATCH = 5_000
PREFIX_LETTERS = 2
CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_TO_LARGE = str.maketrans("ァィゥェォヵヶッャュョヮヅヂヲヴ", "アイウエオカケツヤユヨワスシオフ")
_LOST = str.maketrans("", "", "\u3099\u309aー・ 　-")


@dataclass(frozen=True)
class Card:
    """What the vault keeps about one person, sealed: the newest printed values, and how to find them.

    ``is_searched`` persons get blind indexes: children and the people around them, nobody else.
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

    def content(self) -> str:
        """The card as canonical JSON: equal cards give equal text."""
        return CANONICAL.encode(vars(self))  # asdict() copies every value: half of a city's writing time


def search_form(text: str) -> str:
    """A reading as half-remembered: hiragana or katakana, voicing, small letters and long vowels don't matter.

    >>> search_form("ワタナベ じゅん") == search_form("わたなへ・シュン")
    True
    """
    large = unicodedata.normalize("NFKC", text).translate(_TO_KATAKANA).translate(_TO_LARGE)
    return unicodedata.normalize("NFD", large).translate(_LOST)


def index_terms(card: Card, form: Callable[[str], str] = search_form) -> set[tuple[str, str]]:
    """Under which (kind, text) a person can be found. ``form``: ``search_form``, or one that remembers its answers."""
    if not card.is_searched:
        return set()
    words = [form(w) for w in card.name_kana.replace("　", " ").split()]
    whole = "".join(words)
    terms = {("kana", whole), ("born_on", card.born_on), *(("number", n) for n in card.resident_numbers)}
    if len(words) > 1:
        given = "".join(words[1:])
        terms |= {("surname", words[0]), ("given", given), ("given_prefix", given[:PREFIX_LETTERS])}
        terms.add(("surname_prefix", words[0][:PREFIX_LETTERS]))
    return {(kind, text) for kind, text in terms if text}


def find_people(keyring: Keyring, kind: str, text: str) -> list[str]:
    """Person keys found under a blind index (kinds of ``index_terms``); readings are folded first.

    Reads no identity and writes no audit row: whoever shows a result to a person reveals it through
    ``vault.reveal``, which does.
    """
    return sorted(find_by_any(keyring, {(kind, text)}))


def find_by_any(keyring: Keyring, terms: Collection[tuple[str, str]]) -> set[str]:
    """Person keys found under any of the blind indexes (kind, text), asked for in one question. As ``find_people``."""
    from kodomo.vault.models import PersonIndex

    folded = {(kind, text if kind in ("born_on", "number") else search_form(text)) for kind, text in terms}
    found = PersonIndex.objects.using("vault").filter(
        kind__in={kind for kind, _ in folded},
        fingerprint__in={keyring.blind_index(f"{kind}:{text}") for kind, text in folded},
        person__is_current=True,
    )
    return set(found.values_list("person__person_key", flat=True))


@uncollected()
def write_people(keyring: Keyring, cards: Iterable[Card]) -> dict[str, int]:
    """Bring the person tables in line with these cards, inside the caller's transaction.

    Cards that say what is already there are not written again. Persons without a card stay, marked
    as not current: their keys may stand in earlier snapshots and decisions.
    """
    kept = {number: (content, is_current) for number, content, is_current in _kept_contents(keyring)}
    fresh: set[int] = set()

    def changed() -> Iterator[Card]:
        for card in cards:
            fresh.add(card.person_number)
            before = kept.get(card.person_number)
            if before is None or before != (card.content(), True):
                yield card

    written = _write(keyring, changed(), kept)
    gone = [number for number, (_, is_current) in kept.items() if is_current and number not in fresh]
    _no_longer_current(gone)
    return {"persons": len(fresh), "written": written, "no_longer_current": len(gone)}


def change_people(keyring: Keyring, changed: Collection[Card], gone: Collection[int]) -> dict[str, int]:
    """The same where it is known which cards say something new, and whose number has none any more."""
    from kodomo.vault.models import Person

    _write(keyring, changed, {card.person_number for card in changed})
    _no_longer_current(gone)
    persons = Person.objects.using("vault").filter(is_current=True).count()
    return {"persons": persons, "written": len(changed), "no_longer_current": len(gone)}


def _write(keyring: Keyring, changed: Iterable[Card], kept: Collection[int]) -> int:
    """Write cards and their search index; returns how many. ``kept``: numbers that may have an index already."""
    from kodomo.vault.models import PersonIndex

    cursor, written, cards = connections["vault"].cursor(), 0, iter(changed)
    index_rows = _index_rows(keyring)
    while batch := list(islice(cards, BATCH)):
        cursor.executemany(_UPSERT, [_row(keyring, card, card.content()) for card in batch])
        numbers = [c.person_number for c in batch if c.person_number in kept]
        PersonIndex.objects.using("vault").filter(person_id__in=numbers).delete()
        # In the order of the table's own index: it is then filled page by page.
        found = sorted((row for card in batch for row in index_rows(card)), key=itemgetter(1, 2))
        cursor.executemany(_INDEX, found)
        written += len(batch)
    return written


def _no_longer_current(numbers: Collection[int]) -> None:
    from kodomo.vault.models import Person

    for batch in _batches(list(numbers)):
        Person.objects.using("vault").filter(pk__in=batch).update(is_current=False)


_UPSERT = """
INSERT INTO vault_person (person_number, person_key, sealed_identity, is_address_protected, is_current)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (person_number) DO UPDATE SET sealed_identity = excluded.sealed_identity,
    is_address_protected = excluded.is_address_protected, is_current = excluded.is_current
"""
_INDEX = "INSERT INTO vault_personindex (person_id, kind, fingerprint) VALUES (%s, %s, %s)"


def _row(keyring: Keyring, card: Card, content: str) -> tuple[Any, ...]:
    sealed = keyring.seal(content.encode(), f"person:{card.person_number}")
    key = keyring.pseudonym("p", card.person_number)
    return (card.person_number, key, sealed, card.is_address_protected, True)


IndexRows = Callable[[Card], list[tuple[Any, ...]]]


def _index_rows(keyring: Keyring) -> IndexRows:
    """What writes a card's rows of the search index; each text is worked out once, for most are many people's.

    What it remembers are names: it is made for one writing, and nothing of it outlives that.
    """
    form, blind = cache(search_form), cache(lambda kind, text: keyring.blind_index(f"{kind}:{text}"))
    return lambda card: [
        (card.person_number, kind, blind(kind, text)) for kind, text in sorted(index_terms(card, form))
    ]


def _kept_contents(keyring: Keyring) -> Iterator[tuple[int, str, bool]]:
    from kodomo.vault.models import Person

    rows = (
        Person.objects.using("vault")
        .filter(erased_at=None)
        .values_list("person_number", "sealed_identity", "is_current")
    )
    for number, sealed, is_current in rows.iterator(chunk_size=BATCH):
        yield number, keyring.unseal(bytes(sealed), f"person:{number}").decode(), is_current


def reseal_people(keyring: Keyring) -> int:
    """Seal every card anew and rebuild the search index, inside the caller's transaction; returns how many cards."""
    from kodomo.vault.models import Person, PersonIndex

    PersonIndex.objects.using("vault").all().delete()
    people = Person.objects.using("vault").filter(erased_at=None).order_by("pk")
    cursor, index_rows = connections["vault"].cursor(), _index_rows(keyring)
    for batch in _batches(list(people.values_list("person_number", flat=True))):
        cards = []
        for number, sealed in people.filter(pk__in=batch).values_list("person_number", "sealed_identity"):
            place = f"person:{number}"
            cards.append(Card(**_lists_as_tuples(json.loads(keyring.unseal(bytes(sealed), place)))))
        cursor.executemany(_RESEAL, [(keyring.seal(card.content().encode(), f"person:{card.person_number}"),
                                      card.person_number) for card in cards])  # fmt: skip
        cursor.executemany(_INDEX, [row for card in cards for row in index_rows(card)])
    return people.count()


_RESEAL = "UPDATE vault_person SET sealed_identity = %s WHERE person_number = %s"


def _lists_as_tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def highest_number() -> int:
    """The highest person number ever given; 0 before the first."""
    from kodomo.vault.models import Person

    last = Person.objects.using("vault").order_by("-person_number").values_list("person_number", flat=True).first()
    return int(last or 0)


def protected_numbers() -> list[int]:
    """Persons whose address must not be shown (支援措置), those no longer current among them: an older run may name them."""
    from kodomo.vault.models import Person

    return list(Person.objects.using("vault").filter(is_address_protected=True).values_list("person_number", flat=True))


# ---- link runs: one sealed Parquet file per table, one folder per run ----


def links_folder(home: Home) -> Path:
    """Where sealed link runs lie."""
    return home.vault / "links"


def seal_run(
    home: Home, keyring: Keyring, name: str, tables: Iterable[tuple[str, pa.Table | pa.RecordBatchReader | bytes]]
) -> None:
    """Seal a run's tables into ``vault/links/<name>``: written aside, flushed, put in place by one rename.

    Nothing reads the folder before a LinkRun names it. The tables, or what ``packed`` made of them, are asked
    for one after the other.
    """
    target = links_folder(home) / name
    aside = target.with_name(f".{name}.{os.getpid()}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True, mode=0o700)
    for table, data in tables:
        body = data if isinstance(data, bytes) else packed(data)
        with (aside / f"{table}.sealed").open("wb") as handle:
            handle.write(keyring.seal(body, f"links/{name}/{table}"))
            handle.flush()
            os.fsync(handle.fileno())
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)
    # The database row that names the folder may not outlive it in a power cut.
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def current_run() -> LinkRun | None:
    """The link run that counts, or None before the first."""
    from kodomo.vault.models import LinkRun

    return LinkRun.objects.using("vault").filter(is_current=True).order_by("-pk").first()


def require_run() -> LinkRun:
    """The link run that counts. Raises NotReady before the first."""
    run = current_run()
    if run is None:
        raise NotReady("まだ名寄せが済んでいません。", then="kodomo link を先に行ってください。")
    return run


def open_run(home: Home, keyring: Keyring, run: LinkRun, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """One table of a run, or some of its columns. Raises IntegrityFault when the file is missing or broken."""
    path = links_folder(home) / run.sealed_file / f"{table}.sealed"
    try:
        sealed = path.read_bytes()
    except OSError:
        raise IntegrityFault(
            "名寄せ結果のファイルを読めません。",
            where=f"名寄せ {run.pk} ({table})",
            then="保存先のディスクと権限を確かめ、なければ控えから戻すか、名寄せをやり直してください。",
        ) from None
    return pq.read_table(
        io.BytesIO(keyring.unseal(sealed, f"links/{run.sealed_file}/{table}")),
        columns=list(columns) if columns else None,
    )


def holds_table(home: Home, run: LinkRun, table: str) -> bool:
    """Whether a run has a table: one from before the table was kept has not."""
    return (links_folder(home) / run.sealed_file / f"{table}.sealed").exists()


def record_run(name: str, figures: Mapping[str, Any], at: dt.datetime) -> LinkRun:
    """Make a sealed run the one that counts, inside the caller's transaction."""
    from kodomo.vault.models import LinkRun

    LinkRun.objects.using("vault").filter(is_current=True).update(is_current=False)
    return LinkRun.objects.using("vault").create(made_at=at, sealed_file=name, figures=dict(figures), is_current=True)


def sweep_runs(home: Home) -> int:
    """Remove sealed run folders that no LinkRun names, and those of all but the two newest; returns how many."""
    from kodomo.vault.models import LinkRun

    newest = list(LinkRun.objects.using("vault").order_by("-pk").values_list("sealed_file", flat=True)[:2])
    folder = links_folder(home)
    leftovers = [p for p in folder.iterdir() if p.is_dir() and p.name not in newest] if folder.exists() else []
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return len(leftovers)

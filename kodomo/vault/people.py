"""Linked people in the vault: sealed cards, blind indexes for search, and sealed link runs (identity side)."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import connections

from kodomo.configuration import Home
from kodomo.errors import IntegrityFault, NotReady
from kodomo.tables.packing import packed
from kodomo.tables.uncollected import uncollected
from kodomo.vault.card import CARDS, HELD, Card, as_told, place, sealed_aside, sealing, search_form, table_of
from kodomo.vault.keys import Keyring

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from kodomo.vault.models import LinkRun  # Django is only there in a process that opened the vault

BATCH = 5_000


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
def write_people(keyring: Keyring, told: Iterable[pa.RecordBatch]) -> dict[str, int]:
    """Bring the person tables in line with all cards (pieces of ``card.CARDS``), inside the caller's transaction.

    Cards that say what is already there are not written again. Persons without a card stay, marked
    as not current: their keys may stand in earlier snapshots and decisions.
    """
    kept = _kept()
    fresh: set[int] = set()

    def beside_held() -> Iterator[pa.RecordBatch]:
        for piece in told:
            numbers = piece.column("person_number").to_pylist()
            fresh.update(numbers)
            yield _held(piece, [kept.get(number) for number in numbers])

    with closing(sealed_aside(keyring, beside_held())) as sealed:
        written = _write(sealed, kept)
    gone = [number for number, held in kept.items() if held is not None and number not in fresh]
    _no_longer_current(gone)
    return {"persons": len(fresh), "written": written, "no_longer_current": len(gone)}


def change_people(keyring: Keyring, changed: pa.Table, gone: Collection[int]) -> dict[str, int]:
    """The same where it is known which cards say something new (``card.CARDS``), and whose number has none any more."""
    from kodomo.vault.models import Person

    pieces = (_held(piece, [None] * piece.num_rows) for piece in changed.to_batches(BATCH))
    _write(map(sealing(keyring), pieces), set(changed["person_number"].to_pylist()))
    _no_longer_current(gone)
    persons = Person.objects.using("vault").filter(is_current=True).count()
    return {"persons": persons, "written": changed.num_rows, "no_longer_current": len(gone)}


def _held(piece: pa.RecordBatch, held: list[bytes | None]) -> pa.RecordBatch:
    columns = [*piece.select(CARDS.names).columns, pa.array(held, pa.binary())]
    return pa.record_batch(columns, schema=HELD)


def _write(sealed: Iterable[pa.RecordBatch], kept: Collection[int]) -> int:
    """Write cards (``card.SEALED``) and their search index; returns how many. ``kept``: numbers that may have an index."""
    from kodomo.vault.models import PersonIndex

    cursor, written = connections["vault"].cursor(), 0
    for piece in sealed:
        numbers = piece.column("person_number").to_pylist()
        rows = (piece.column(name).to_pylist() for name in _WRITTEN)
        cursor.executemany(_UPSERT, list(zip(numbers, *rows, strict=True)))
        known = [number for number in numbers if number in kept]
        PersonIndex.objects.using("vault").filter(person_id__in=known).delete()
        _write_index(cursor, piece)
        written += piece.num_rows
    return written


_WRITTEN = ("person_key", "sealed_identity", "is_address_protected")


def _write_index(cursor: CursorWrapper, piece: pa.RecordBatch) -> None:
    """In the order of the table's own index: it is then filled page by page."""
    kinds, fingerprints = piece.column("kinds"), piece.column("fingerprints")
    persons = piece.column("person_number").take(pc.list_parent_indices(kinds))
    found = pa.table({"person": persons, "kind": kinds.flatten(), "fingerprint": fingerprints.flatten()})
    found = found.sort_by([("kind", "ascending"), ("fingerprint", "ascending")])
    cursor.executemany(_INDEX, list(zip(*(column.to_pylist() for column in found.columns), strict=True)))


def _no_longer_current(numbers: Collection[int]) -> None:
    from kodomo.vault.models import Person

    for batch in _batches(list(numbers)):
        Person.objects.using("vault").filter(pk__in=batch).update(is_current=False)


_UPSERT = """
INSERT INTO vault_person (person_number, person_key, sealed_identity, is_address_protected, is_current)
VALUES (%s, %s, %s, %s, TRUE)
ON CONFLICT (person_number) DO UPDATE SET sealed_identity = excluded.sealed_identity,
    is_address_protected = excluded.is_address_protected, is_current = excluded.is_current
"""
_INDEX = "INSERT INTO vault_personindex (person_id, kind, fingerprint) VALUES (%s, %s, %s)"


def _kept() -> dict[int, bytes | None]:
    """What the vault holds of each number that was not erased, sealed; None of those that no longer count."""
    from kodomo.vault.models import Person

    rows = (
        Person.objects.using("vault")
        .filter(erased_at=None)
        .values_list("person_number", "sealed_identity", "is_current")
    )
    return {number: bytes(sealed) if is_current else None for number, sealed, is_current in rows.iterator(BATCH)}


def reseal_people(keyring: Keyring) -> int:
    """Seal every card anew and rebuild the search index, inside the caller's transaction; returns how many cards."""
    from kodomo.vault.models import Person, PersonIndex

    PersonIndex.objects.using("vault").all().delete()
    people = Person.objects.using("vault").filter(erased_at=None).order_by("pk")
    cursor, resealed = connections["vault"].cursor(), sealing(keyring)
    for batch in _batches(list(people.values_list("person_number", flat=True))):
        kept = people.filter(pk__in=batch).values_list("person_number", "sealed_identity")
        contents = (json.loads(keyring.unseal(bytes(sealed), place(number))) for number, sealed in kept)
        told = table_of(Card(**as_told(content)) for content in contents)
        piece = resealed(_held(told, [None] * told.num_rows))
        cursor.executemany(_RESEAL, list(zip(piece.column("sealed_identity").to_pylist(),
                                             piece.column("person_number").to_pylist(), strict=True)))  # fmt: skip
        _write_index(cursor, piece)
    return people.count()


_RESEAL = "UPDATE vault_person SET sealed_identity = %s WHERE person_number = %s"


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

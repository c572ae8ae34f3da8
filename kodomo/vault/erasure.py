"""Erase one person: their cards, their rows in sealed deliveries and runs, and the means to find them (identity side).

The rows are taken out of every sealed file and the files are sealed anew under new keys; the old keys are
destroyed, so that no copy of an old file, on a backup or in a disk's free blocks, can be opened any longer.
What stays is a tombstone: the number, which is never given again, and keyed marks by which a record is known
when a source delivers it again.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import connections
from django.db.models import Q

from kodomo.configuration import Home
from kodomo.tables.packing import packed
from kodomo.vault import people, records
from kodomo.vault.card import CANONICAL, place, search_form
from kodomo.vault.keys import Keyring

Record = tuple[int, int, str]
"""Receipt, row and role of a landed record."""

NUMBERED = {
    "links": ("person_number",), "persons": ("person_number",), "corrected_persons": ("person_number",),
    "household_spells": ("person_number",), "residence_spells": ("person_number",), "kinships": ("child_number", "relative_number"),
}  # fmt: skip
"""The tables of a run by whom they speak of; every other file of a run serves the next run only."""


def bury(keyring: Keyring, numbers: Collection[int], marks: Iterable[tuple[int, str, str]], at: dt.datetime) -> int:
    """Destroy the cards and search entries of some numbers and leave tombstones, inside the caller's transaction.

    Args:
        marks: number, kind and the text whose keyed mark is kept; the text itself is not.

    Returns:
        How many other persons' cards named one of them as a guardian and were written again without.
    """
    from kodomo.vault.models import Person, PersonIndex, Tombstone

    people_ = Person.objects.using("vault")
    names = {
        str(json.loads(keyring.unseal(bytes(p.sealed_identity), place(p.pk))).get("name", ""))
        for p in people_.filter(pk__in=numbers, erased_at=None)
    } - {""}  # fmt: skip
    PersonIndex.objects.using("vault").filter(person_id__in=numbers).delete()
    people_.filter(pk__in=numbers).update(
        sealed_identity=b"", is_current=False, is_address_protected=True, erased_at=at
    )
    Tombstone.objects.using("vault").filter(person_id__in=numbers).delete()
    Tombstone.objects.using("vault").bulk_create(
        [
            Tombstone(person_id=n, kind=kind, mark=keyring.mark(f"erased:{kind}:{text}"))
            for n, kind, text in sorted(set(marks))
        ]
    )
    return _without_guardian(keyring, names)


def forget_pairs(found: Collection[Record]) -> int:
    """Take pairs for review off the queue that show one of some records, inside the caller's transaction; returns how many."""
    from kodomo.vault.models import DoubtfulPair

    refs = sorted(f"{receipt}:{row}:{role}" for receipt, row, role in found)
    removed = 0
    for start in range(0, len(refs), 500):
        some = refs[start : start + 500]
        pairs = DoubtfulPair.objects.using("vault").filter(Q(left_ref__in=some) | Q(right_ref__in=some))
        removed += pairs.delete()[0]
    return removed


def _without_guardian(keyring: Keyring, names: Collection[str]) -> int:
    """Take names off all cards as guardians. A namesake's card gets its guardian back at the next run."""
    from kodomo.vault.models import Person

    written = 0
    for person in Person.objects.using("vault").filter(erased_at=None).iterator(chunk_size=people.BATCH):
        card = json.loads(keyring.unseal(bytes(person.sealed_identity), place(person.pk)))
        kept = [name for name in card.get("guardians", ()) if name not in names]
        if len(kept) != len(card.get("guardians", ())):
            body = CANONICAL.encode(card | {"guardians": kept}).encode()
            Person.objects.using("vault").filter(pk=person.pk).update(
                sealed_identity=keyring.seal(body, place(person.pk))
            )
            written += 1
    return written


def lookalikes(keyring: Keyring, numbers: Collection[int]) -> set[int]:
    """Numbers that are nobody's any longer and whose cards show the same reading or name and birth date."""
    from kodomo.vault.models import Person

    people_ = Person.objects.using("vault").filter(erased_at=None)

    def signs(person: Person) -> set[tuple[str, str, str]]:
        card = json.loads(keyring.unseal(bytes(person.sealed_identity), place(person.pk)))
        born = str(card.get("born_on", ""))
        return {(part, search_form(str(card.get(part, ""))), born) for part in ("name", "name_kana") if card.get(part)}

    wanted = {sign for person in people_.filter(pk__in=numbers) for sign in signs(person) if sign[2]}
    gone = people_.filter(is_current=False, retired_into=None).exclude(pk__in=numbers)
    return {person.pk for person in gone.iterator(chunk_size=people.BATCH) if signs(person) & wanted}


def take_out_of_deliveries(home: Home, keyring: Keyring, found: Iterable[Record]) -> int:
    """Take some records, and all they say, out of the sealed deliveries; returns how many files were written anew.

    The keyed fingerprints of the rows stay: without them a repetition would count as a new row.
    """
    by_receipt: dict[int, set[tuple[int, str]]] = {}
    for number, row, role in found:
        by_receipt.setdefault(number, set()).add((row, role))
    written = 0
    for receipt in records.receipts():
        gone = by_receipt.get(receipt.pk)
        for part in ("mentions", "facts") if gone else ():
            place = f"landed/{receipt.sealed_file}/{part}"
            path = records.landed_folder(home) / receipt.sealed_file / f"{part}.sealed"
            written += _rewrite(path, place, keyring, partial(_without_records, gone=gone or set()))
    return written


def _without_records(table: pa.Table, gone: Collection[tuple[int, str]]) -> pa.Table:
    keys = pc.binary_join_element_wise(pc.cast(table["row"], pa.string()), pc.cast(table["role"], pa.string()), ":")
    wanted = pa.array([f"{row}:{role}" for row, role in gone], pa.string())
    return table.filter(pc.invert(pc.is_in(keys, value_set=wanted)))


def take_out_of_runs(home: Home, keyring: Keyring, numbers: Collection[int]) -> int:
    """Take some persons out of the run that counts, and drop all other runs and what the next one would build on."""
    run, written = people.require_run(), 0
    for folder in people.links_folder(home).iterdir():
        if folder.name != run.sealed_file:
            shutil.rmtree(folder, ignore_errors=True)
    gone = pa.array(sorted(numbers), pa.int64())
    for path in sorted((people.links_folder(home) / run.sealed_file).glob("*.sealed")):
        columns = NUMBERED.get(path.stem)
        if columns is None:
            path.unlink()
            continue
        place = f"links/{run.sealed_file}/{path.stem}"
        written += _rewrite(path, place, keyring, partial(_without_numbers, columns=columns, gone=gone))
    return written


def _without_numbers(table: pa.Table, columns: Iterable[str], gone: pa.Array) -> pa.Table:
    for column in columns:
        table = table.filter(pc.invert(pc.is_in(table[column], value_set=gone)))
    return table


def _rewrite(path: Path, place: str, keyring: Keyring, change: Callable[[pa.Table], pa.Table]) -> int:
    """Whether a sealed Parquet file had to be written anew."""
    before = pq.read_table(io.BytesIO(keyring.unseal(path.read_bytes(), place)))
    after = change(before)
    if after.num_rows == before.num_rows:
        return 0
    aside = path.with_suffix(f".{os.getpid()}.partial")
    with aside.open("wb") as handle:
        handle.write(keyring.seal(packed(after), place))
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(path)
    return 1


def unfinished() -> list[str]:
    """Keys of persons whose erasure began and did not end, by the vault's audit trail, in order of the beginning."""
    with connections["vault"].cursor() as cursor:
        cursor.execute(
            """SELECT b.subject FROM audit_events b WHERE b.action = 'ERASE_PERSON_BEGIN' AND NOT EXISTS (
                   SELECT 1 FROM audit_events d WHERE d.action = 'ERASE_PERSON' AND d.subject = b.subject AND d.sequence > b.sequence)
               ORDER BY b.sequence"""
        )
        return [str(subject) for (subject,) in cursor.fetchall()]


def tombstone_marks() -> dict[tuple[str, str], list[int]]:
    """Kind and mark -> the erased numbers that left it."""
    from kodomo.vault.models import Tombstone

    found: dict[tuple[str, str], list[int]] = {}
    for number, kind, mark in Tombstone.objects.using("vault").values_list("person_id", "kind", "mark"):
        found.setdefault((kind, mark), []).append(number)
    return found

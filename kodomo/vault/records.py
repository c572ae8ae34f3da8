"""Landed extracts as sealed Parquet files, one folder per receipt (identity side).

A landed row becomes one *mention* for each person it speaks of (role subject, guardian …) and one
*fact* for each thing it says about one of them. Values are as printed (spaces at both ends
removed), except that dates are ISO 8601 (``YYYY-MM-DD``, or ``YYYY-MM``, ``YYYY`` where only that
much is known), codes are their meanings, sex is 男, 女 or その他, and whole numbers have no commas.

The sealed files hold rows as they came. Which row repeats or corrects which is worked out when
they are read, from keyed fingerprints of each row (``ROWS``): so a delivery that arrives late or
out of order, or a landing that is undone, needs nothing rewritten (``kodomo.vault.statements``).

Reading (a process that has called ``kodomo.vault.database.open_vault``)::

    landed_mentions(home, keyring)              every landed row, flags included
    landed_mentions(home, keyring, sources={"resident_register"})
    landed_facts(home, keyring)                 repeated rows left out, corrected ones with ``known_to``
    mention_tables(home, keyring)               the first, delivery by delivery, for whoever can't hold all at once
"""

from __future__ import annotations

import os
import shutil
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kodomo.configuration import Home
from kodomo.errors import IntegrityFault
from kodomo.tables.packing import packed
from kodomo.tables.schema import Column, Table
from kodomo.terms import Sensitivity
from kodomo.vault.statements import STATE, changed_records, compare_rows, has_stood, known_between, known_once

if TYPE_CHECKING:
    from kodomo.vault.keys import Keyring
    from kodomo.vault.models import Receipt

MENTION_FIELDS = (
    "resident_number", "own_number", "household_number", "name", "name_kana", "former_name",
    "alias_name", "alias_kana", "born_on", "sex", "address", "age", "grade", "school", "class_name", "seat", "child_born_on", "relationship",
    "nationality", "address_protection", "phone",
    # resident register only
    "resident_from", "resident_from_reason", "resident_to", "resident_to_reason",
    "event_on", "event_kind", "registered_on", "moved_from", "moved_to", "former_number",
)  # fmt: skip
"""What a row can say about who a person is. ``address_protection`` holds "1" when protected."""

OTHER_PLACES = ("moved_from", "moved_to")
"""Where somebody came from or went: only compared, never shown; of a protected person not even landed."""

PLACE = (
    Column("receipt", pa.int64(), "受領番号", Sensitivity.PLAIN),
    Column("source", pa.string(), "出所のコード", Sensitivity.PLAIN),
    Column("file", pa.string(), "ファイル名", Sensitivity.PLAIN),
    Column("row", pa.int32(), "行番号(最初のデータ行が 1。シートが続くときは通し)", Sensitivity.PLAIN),
    Column(
        "role", pa.string(), "行の中での役: subject guardian mother father household_head holder", Sensitivity.PLAIN
    ),
)

MENTIONS = Table(
    "mentions",
    "記載",
    "一つの行が一人について述べた、その人が誰かに関すること",
    (
        *PLACE,
        Column("kind", pa.string(), "行の種類: observations residents moves", Sensitivity.PLAIN),
        Column("row_key", pa.string(), "出所自身の識別子", Sensitivity.IDENTIFYING, nullable=True),
        *(Column(name, pa.string(), name, Sensitivity.IDENTIFYING, nullable=True) for name in MENTION_FIELDS),
        Column("known_from", pa.date32(), "知り得た日", Sensitivity.PLAIN),
        Column("is_duplicate", pa.bool_(), "同じ内容の行が前にある", Sensitivity.PLAIN),
        Column("is_superseded", pa.bool_(), "後の受領で訂正された", Sensitivity.PLAIN),
        Column("told_on", pa.date32(), "この内容が初めて渡された抽出日", Sensitivity.PLAIN),
        Column("told_until", pa.date32(), "別の内容に変わった抽出日(空は「いまも」)", Sensitivity.PLAIN, nullable=True),
        Column("is_initial", pa.bool_(), "その出所の最初の受領で渡された", Sensitivity.PLAIN),
    ),
)

LANDED_FACTS = Table(
    "landed_facts",
    "受領した事実",
    "一つの行が一人について述べた、一つのデータ項目の値",
    (
        *PLACE,
        Column("item", pa.string(), "データ項目コード", Sensitivity.PLAIN),
        Column("number", pa.float64(), "数値", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("code", pa.string(), "区分(日本語の値)", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("valid_from", pa.date32(), "期間の始まり"),
        Column("valid_to", pa.date32(), "期間の終わり(この日を含まない)", nullable=True),
        Column("known_from", pa.date32(), "知り得た日"),
        Column("known_to", pa.date32(), "この言明が成り立たなくなった日(空は「いまも」)", nullable=True),
    ),
)

PEOPLE_STEP = 10_000_000
"""Where one printed row holds several people, the record of the n-th (from 0) is numbered row + n × this."""


def place_of(row: int, spans: Sequence[Sequence[Any]]) -> tuple[str, int]:
    """The sheet (empty for a text file) and the row, as a spreadsheet shows them, of a landed row's number.

    Args:
        spans: in which sheet, and below which of its rows, those numbered higher than a number stand; by number.

    >>> place_of(PEOPLE_STEP + 17, [["4月", 0, 3], ["5月", 12, 2]])
    ('5月', 7)
    """
    row %= PEOPLE_STEP
    at = bisect_left(spans, row, key=itemgetter(1))
    sheet, before, line = spans[at - 1] if at else ("", 0, 0)
    return sheet, row - before + line


FINGERPRINT = pa.binary(16)

ROWS = Table(
    "rows",
    "行の指紋",
    "一つの受領の、取り込んだ一行",
    (
        Column("row", pa.int32(), "行番号(最初のデータ行が 1。シートが続くときは通し)", Sensitivity.PLAIN),
        Column("identity", FINGERPRINT, "同じ記録を指す列の、鍵つき指紋"),
        Column("content", FINGERPRINT, "取り込んだ内容の、鍵つき指紋"),
    ),
)

MENTION_STATE = ("is_duplicate", "is_superseded", "told_on", "told_until", "is_initial")

ADDED_ON_READING = ("receipt", "source", "file", "known_to", *MENTION_STATE)
"""Columns the database knows; they are not in the sealed files."""


@dataclass(frozen=True)
class Landing:
    """What one file says, ready to be sealed: the declared tables without ``ADDED_ON_READING``."""

    mentions: pa.Table
    facts: pa.Table
    rows: pa.Table


def landing_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table as it lies in the sealed file."""
    return pa.schema([field for field in table.schema() if field.name not in ADDED_ON_READING])


def landed_folder(home: Home) -> Path:
    """Where sealed landings lie."""
    return home.vault / "landed"


def land(home: Home, keyring: Keyring, name: str, landing: Landing) -> None:
    """Seal one file's rows into ``vault/landed/<name>``: written aside, flushed, put in place by one rename.

    Nothing reads the folder before a Receipt names it. A folder of the same name, left by a
    process that was killed before its Receipt was written, is replaced.

    Raises:
        IntegrityFault: a table does not fit its declaration, or the disk took only part of it.
    """
    target = landed_folder(home) / name
    aside = target.with_name(f".{name}.{os.getpid()}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True, mode=0o700)
    parts = (
        ("mentions", MENTIONS, landing.mentions),
        ("facts", LANDED_FACTS, landing.facts),
        ("rows", ROWS, landing.rows),
    )
    for part, declared, data in parts:
        conforming = _without_empty_fields(_conform(declared, data))
        _write_sealed(aside / f"{part}.sealed", keyring, f"landed/{name}/{part}", conforming)
    _flush_folder(aside)
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)
    _flush_folder(target.parent)


def landed_mentions(home: Home, keyring: Keyring, sources: Collection[str] | None = None) -> pa.Table:
    """Every landed row's mentions (schema ``MENTIONS``), in order of receipt and row.

    Rows that repeat or were corrected are there too, flagged. Does not write an audit row: the
    stage that calls it does.

    Args:
        sources: only these source codes; None for all.

    Raises:
        IntegrityFault: a sealed file is missing or broken.
    """
    tables = list(mention_tables(home, keyring, sources))
    return pa.concat_tables(tables) if tables else MENTIONS.empty()


def mention_tables(
    home: Home, keyring: Keyring, sources: Collection[str] | None = None, known: Known | None = None
) -> Iterator[pa.Table]:
    """The tables ``landed_mentions`` is made of, one per receipt in order, each read when it is asked for.

    Arguments and errors as for ``landed_mentions``.
    """
    known = known or known_of(home, keyring, sources)
    for receipt in known.receipts:
        yield _mentions(home, keyring, receipt, known.states[receipt.pk])


@dataclass(frozen=True)
class Known:
    """Receipts and, by their keys, the states of their rows: worked out once for whoever reads mentions and facts."""

    receipts: list[Receipt]
    states: dict[int, pa.Table]

    def of(self, sources: Collection[str]) -> Known:
        """The same of some of the sources."""
        return Known([r for r in self.receipts if r.source in sources], self.states)


def known_of(home: Home, keyring: Keyring, sources: Collection[str] | None = None) -> Known:
    """The receipts of these sources (None: of all) and the states of their rows."""
    chosen = receipts(sources)
    return Known(chosen, row_states(home, keyring, chosen))


@dataclass(frozen=True)
class Since:
    """What has been delivered since some receipts.

    ``mentions``: the tables of ``mention_tables`` of the new receipts. ``restated``: the states (``receipt``, ``row`` and
    the columns of ``MENTION_STATE``) of all older rows of the sources whose records the new receipts tell of again.
    ``retold``: these sources. ``receipts``: the new receipts' keys; ``sources``: theirs, and ``known`` all receipts of these.
    """

    mentions: Iterator[pa.Table]
    restated: pa.Table
    retold: frozenset[str]
    receipts: frozenset[int]
    sources: frozenset[str]
    known: Known


def delivered_since(home: Home, keyring: Keyring, known: Collection[int]) -> Since:
    """What receipts made after some known ones (by key) say, and what that does to the rows of the known ones."""
    fresh = [r for r in receipts() if r.pk not in known]
    sources = frozenset(r.source for r in fresh)
    told = known_of(home, keyring, sources)
    groups, states = _by_source(told.receipts), told.states
    retold = frozenset(source for source, group in groups.items() if _is_retold(group, states, known))
    restated = [
        states[r.pk].select(["row", *MENTION_STATE]).append_column("receipt", pa.repeat(pa.scalar(r.pk, pa.int64()), states[r.pk].num_rows))
        for source in sorted(retold) for r in groups[source] if r.pk in known
    ]  # fmt: skip
    empty = pa.schema([*(STATE.field(name) for name in ("row", *MENTION_STATE)), ("receipt", pa.int64())]).empty_table()
    mentions = (_mentions(home, keyring, r, states[r.pk]) for r in fresh)
    return Since(mentions, pa.concat_tables([empty, *restated]), retold, frozenset(r.pk for r in fresh), sources, told)


def _is_retold(group: list[Receipt], states: dict[int, pa.Table], known: Collection[int]) -> bool:
    """Whether new receipts of a source tell of records that known ones told of, or one comes before the first of them."""
    old, new = ([states[r.pk] for r in group if (r.pk in known) is wanted] for wanted in (True, False))
    if not old:
        return False
    before = pa.concat_tables(old)
    again = pc.is_in(pa.concat_tables(new)["record"], value_set=pc.unique(before["record"]))
    return bool(pc.any(again).as_py()) or min(group, key=delivery_order).pk not in known


def _mentions(home: Home, keyring: Keyring, receipt: Receipt, states: pa.Table) -> pa.Table:
    table = _with_state(_with_place(_read(home, keyring, receipt, "mentions"), receipt), states, MENTION_STATE)
    return with_empty_fields(table).select(MENTIONS.schema().names).cast(MENTIONS.schema())


def with_empty_fields(mentions: pa.Table) -> pa.Table:
    """Mentions with every field of ``MENTION_FIELDS``: one that was empty throughout, or came later, is not sealed with them."""
    for name in MENTION_FIELDS:
        if name not in mentions.column_names:
            mentions = mentions.append_column(name, pa.nulls(mentions.num_rows, pa.string()))
    return mentions


def landed_facts(home: Home, keyring: Keyring, sources: Collection[str] | None = None) -> pa.Table:
    """What landed rows say or said (schema ``LANDED_FACTS``), in no order.

    A row that repeats an earlier one says nothing. What a later row corrected is there with the day
    from which it no longer stood (``known_to``): on a day before, that was what was known.
    Arguments and errors as for ``landed_mentions``.
    """
    tables = list(fact_tables(home, keyring, sources))
    return pa.concat_tables(tables) if tables else LANDED_FACTS.empty()


def fact_tables(
    home: Home,
    keyring: Keyring,
    sources: Collection[str] | None = None,
    columns: Collection[str] | None = None,
    only: Collection[int] | None = None,
    known: Known | None = None,
) -> Iterator[pa.Table]:
    """The tables ``landed_facts`` is made of, each read when it is asked for.

    One per receipt, source by source, and after a source's last receipt one for its records that were corrected.

    Args:
        columns: only these columns of ``LANDED_FACTS``; None for all.
        only: only facts of these receipts, whose records no other receipt tells of; None for all.
        known: these sources' receipts and states, where they are at hand.
    """
    known = known or known_of(home, keyring, sources)
    states = known.states
    schema = pa.schema([f for f in LANDED_FACTS.schema() if columns is None or f.name in columns])
    stored = {name for name in schema.names if name not in ADDED_ON_READING}
    for group in _by_source(known.receipts).values():
        told = pa.concat_tables([states[r.pk].filter(has_stood(states[r.pk])) for r in group])
        changed, revised = changed_records(told), []
        for receipt in group if only is None else [r for r in group if r.pk in only]:
            table = _read(home, keyring, receipt, "facts", sorted(stored | {"row", "role", "item", "known_from"}))
            table = _with_state(_with_place(table, receipt), states[receipt.pk], STATE.names)
            table = table.filter(has_stood(table))
            is_changed = pc.is_in(table["record"], value_set=changed)
            yield known_once(table.filter(pc.invert(is_changed))).select(schema.names).cast(schema)
            revised.append(table.filter(is_changed))
        if len(changed) and revised:
            yield known_between(pa.concat_tables(revised), told).select(schema.names).cast(schema)


def receipts(sources: Collection[str] | None = None) -> list[Receipt]:
    """Receipts in the order they were made, of these sources or of all."""
    from kodomo.vault.models import Receipt  # Django is only there in a process that opened the vault

    found = Receipt.objects.using("vault").order_by("pk").defer("report")
    return list(found if sources is None else found.filter(source__in=sources))


def spans_read() -> dict[int, list[list[Any]]]:
    """By receipt (primary key), where a spreadsheet shows its rows, as ``place_of`` takes it; not of old receipts."""
    from kodomo.vault.models import Receipt

    return {pk: spans for pk, spans in Receipt.objects.using("vault").values_list("pk", "report__spans") if spans}


def row_states(home: Home, keyring: Keyring, chosen: Iterable[Receipt]) -> dict[int, pa.Table]:
    """For each receipt (by primary key): which of its rows repeat, were corrected, and when they stood.

    A table per receipt, in row order, as ``statements.STATE`` says. Receipts of a source must be given
    together, for rows are compared within a source.
    """
    groups = [sorted(group, key=delivery_order) for group in _by_source(chosen).values()]

    def compared(group: list[Receipt]) -> dict[int, pa.Table]:
        return compare_rows([(r.pk, delivery_order(r)[0], _read(home, keyring, r, "rows")) for r in group])

    with ThreadPoolExecutor(SOURCES_AT_ONCE) as pool:  # Arrow does the work, without the interpreter's lock
        return {key: state for states in pool.map(compared, groups) for key, state in states.items()}


SOURCES_AT_ONCE = 2


def _by_source(chosen: Iterable[Receipt]) -> dict[str, list[Receipt]]:
    groups: dict[str, list[Receipt]] = {}
    for receipt in chosen:
        groups.setdefault(receipt.source, []).append(receipt)
    return groups


def delivery_order(receipt: Receipt) -> tuple[Any, int]:
    """Deliveries count from the day they were extracted, so that an old file sent late corrects nothing newer."""
    return (receipt.extracted_on or receipt.received_at.date(), receipt.pk)


def _with_place(table: pa.Table, receipt: Receipt) -> pa.Table:
    length = table.num_rows
    return (
        table.append_column("receipt", pa.repeat(pa.scalar(receipt.pk, pa.int64()), length))
        .append_column("source", pa.repeat(receipt.source, length))
        .append_column("file", pa.repeat(receipt.file_name, length))
    )


def _with_state(table: pa.Table, states: pa.Table, names: Iterable[str]) -> pa.Table:
    """Add the row's state; several mentions or facts of one row share it."""
    at = pc.index_in(table["row"], value_set=states["row"].combine_chunks())
    for name in names:
        if name != "row":
            table = table.append_column(name, states[name].take(at))
    return table


def _conform(declared: Table, data: pa.Table) -> pa.Table:
    within = Table(declared.name, declared.caption, declared.row_is, tuple(
        c for c in declared.columns if c.name not in ADDED_ON_READING))  # fmt: skip
    return within.conform(data)


def _without_empty_fields(data: pa.Table) -> pa.Table:
    """Without the fields that no mention fills: of most sources two thirds, and to read such a column takes as long as
    to read one that says something.
    """
    empty = [name for name in MENTION_FIELDS if name in data.column_names and data[name].null_count == data.num_rows]
    return data.drop_columns(empty)


def _write_sealed(path: Path, keyring: Keyring, place: str, data: pa.Table) -> None:
    body = packed(data)
    with path.open("wb") as handle:
        handle.write(keyring.seal(body, place))
        handle.flush()
        os.fsync(handle.fileno())


def _read(home: Home, keyring: Keyring, receipt: Receipt, part: str, columns: list[str] | None = None) -> pa.Table:
    path = landed_folder(home) / receipt.sealed_file / f"{part}.sealed"
    try:
        sealed = path.read_bytes()
    except OSError:
        raise IntegrityFault(
            "受領した記録のファイルを読めません。",
            where=f"受領番号 {receipt.pk} ({part})",
            then="保存先のディスクと権限を確かめ、なければ控えから戻してください。",
        ) from None
    body = pa.py_buffer(keyring.unseal(sealed, f"landed/{receipt.sealed_file}/{part}"))
    # By one thread: to hand the columns of a small file round to several takes as long as to read them.
    return pq.ParquetFile(pa.BufferReader(body)).read(columns, use_threads=False)


def read_mention(home: Home, keyring: Keyring, receipt: Receipt, row: int, role: str) -> dict[str, Any] | None:
    """What one landed row says of one person, as it was printed; None where there is none. Raises IntegrityFault."""
    table = _read(home, keyring, receipt, "mentions")
    found = table.filter(pc.and_(pc.equal(table["row"], row), pc.equal(table["role"], role))).to_pylist()
    return {**dict.fromkeys(MENTION_FIELDS), **found[0]} if found else None


def read_rows(home: Home, keyring: Keyring, receipt: Receipt) -> pa.Table:
    """The row fingerprints (``ROWS``) of one receipt. Raises IntegrityFault."""
    return _read(home, keyring, receipt, "rows")


def sweep(home: Home) -> int:
    """Remove sealed folders that no Receipt names (a killed process left them); returns how many.

    Call only while holding the handover area's lock: a landing in progress looks the same.
    """
    folder = landed_folder(home)
    if not folder.exists():
        return 0
    named = {receipt.sealed_file for receipt in receipts()}
    orphans = [path for path in folder.iterdir() if path.name not in named]
    for path in orphans:
        shutil.rmtree(path)
    return len(orphans)


def _flush_folder(path: Path) -> None:
    if os.name == "nt":  # Windows can't open a folder for flushing; its rename is journalled
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

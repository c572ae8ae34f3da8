"""Rows of one file into mentions and facts, column by column (identity side).

Only columns that the register permits come here; what isn't permitted was left behind when the
cells were read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.intake.dates import first_day
from kodomo.intake.layout import SPELL_ENDS, FactRule, Layout, LayoutColumn
from kodomo.intake.quarantine import RowFault
from kodomo.vault.records import (
    LANDED_FACTS,
    MENTION_FIELDS,
    MENTIONS,
    OTHER_PLACES,
    PEOPLE_STEP,
    ROWS,
    Landing,
    landing_schema,
)

Kept = Mapping[str, pa.Array]
"""Kept values of the rows at hand by column reference, all of one length, text or null."""

WITHDRAWN = "withdrawn"

SEPARATOR = "\x1f"

PROTECTION = "address_protection"

NOT_PROTECTED = ("0", "無", "なし", "対象外", "非該当", "解除")

JOINED_WITH = {"address": "", "name": "\u3000", "name_kana": "\u3000", "alias_name": "\u3000", "alias_kana": "\u3000"}


@dataclass
class Extraction:
    """Builds the landing of one file, chunk by chunk.

    Args:
        layout: the source's declaration.
        columns: the columns that are taken in.
        rules: the facts that may be made.
        key: key of the row fingerprints.
        arrived_on: extraction date, or the day of receiving where the file's name has none.
    """

    layout: Layout
    columns: tuple[LayoutColumn, ...]
    rules: tuple[FactRule, ...]
    key: bytes
    arrived_on: dt.date
    undated: Counter[str] = field(default_factory=Counter)
    _mentions: list[pa.Table] = field(default_factory=list)
    _facts: list[pa.Table] = field(default_factory=list)
    _rows: list[pa.Table] = field(default_factory=list)

    def add(self, numbers: list[int], kept: Kept, withdrawn: pa.Array | None = None) -> list[tuple[int, str, RowFault]]:
        """Take in rows; returns those whose dates contradict each other, which are not taken in.

        ``withdrawn`` rows say nothing of their own: they only take back an earlier row of the same identity.
        """
        row = pa.array(numbers, pa.int32())
        if withdrawn is not None:
            self._withdraw(row.filter(withdrawn), _chosen(kept, withdrawn))
            row, kept = row.filter(pc.invert(withdrawn)), _chosen(kept, pc.invert(withdrawn))
        spells = [_spell(rule, kept, self.layout.lag_days, self.arrived_on) for rule in self.rules]
        faults, wrong = _reversed_spells(self.rules, spells, row, kept)
        if faults:
            keep = pc.invert(wrong)
            row, kept = row.filter(keep), _chosen(kept, keep)
            spells = [spell.filter(keep) for spell in spells]
        for group in self.layout.groups:
            self._add_group(group, row, kept, spells)
        return faults

    def _add_group(self, group: int | None, row: pa.Array, kept: Kept, spells: list[Spell]) -> None:
        """Take in one of a row's people (or all of the row, where it is one record), as a record of its own."""
        columns = self._columns_of(group)
        if group:
            there = _anything([kept[c.reference] for c in columns if c.group == group and c.person], len(row))
            row, kept = row.filter(there), _chosen(kept, there)
            spells = [spell.filter(there) for spell in spells]
            row = pc.add(row, pa.scalar(group * PEOPLE_STEP, pa.int32()))
        own = {c.person for c in columns if c.group is not None}
        told = []
        for rule, spell in zip(self.rules, spells, strict=True):
            # What a row says about somebody whom all its people share is said once.
            if rule.group == group or (rule.group is None and (not group or rule.person in own)):
                told.append(spell)
                table = self._fact(rule, spell, kept, row)
                self._facts += [table] if table.num_rows else []
        self._mentions += self._mention_tables(columns, kept, row, _earliest(told, len(row)))
        self._rows.append(self._fingerprints(group, kept, row))

    def _withdraw(self, row: pa.Array, kept: Kept) -> None:
        for group in self.layout.groups:
            numbers = pc.add(row, pa.scalar((group or 0) * PEOPLE_STEP, pa.int32()))
            self._rows.append(self._fingerprints(group, kept, numbers, WITHDRAWN))

    def _columns_of(self, group: int | None) -> list[LayoutColumn]:
        return [c for c in self.columns if c.group is None or c.group == group]

    def landing(self) -> Landing:
        """Everything taken in: mentions in order of row, facts rule by rule.

        What no column of the layout tells of a person has no values, and no type either.
        """
        return Landing(
            _by_row(_joined(self._mentions, landing_schema(MENTIONS))),
            _joined(self._facts, landing_schema(LANDED_FACTS)),
            # Of two rows about one record the later corrects, or withdraws, the earlier.
            _by_row(_joined(self._rows, landing_schema(ROWS))),
        )

    # Facts -------------------------------------------------------------------------------------

    def _fact(self, rule: FactRule, spell: Spell, kept: Kept, row: pa.Array) -> pa.Table:
        length = len(row)
        number, code = _number(rule, kept, length), _code(rule, kept, length)
        says = pc.or_(pc.is_valid(number), pc.is_valid(code))
        if rule.constant and rule.number:
            says = pc.is_valid(number)
        if rule.when:
            says = pc.and_(says, fits(rule.when, kept, length))
        is_dated = pc.is_valid(spell.valid_from)
        if rule.number or rule.code:
            self.undated[rule.item] += pc.sum(pc.and_not(says, is_dated)).as_py() or 0
        told = {"row": row, "number": number, "code": code, "valid_from": spell.valid_from,
                "valid_to": spell.valid_to, "known_from": spell.known_from}  # fmt: skip
        is_told = pc.and_(says, is_dated)
        if not pc.all(is_told).as_py():
            told = _chosen(told, is_told)
            length = len(told["row"])
        told |= {"role": pa.repeat(rule.person, length), "item": pa.repeat(rule.item, length)}
        schema = landing_schema(LANDED_FACTS)
        return pa.table({name: told[name] for name in schema.names}).cast(schema)

    # Mentions ----------------------------------------------------------------------------------

    def _mention_tables(
        self, columns: list[LayoutColumn], kept: Kept, row: pa.Array, said_from: pa.Array
    ) -> list[pa.Table]:
        roles = dict.fromkeys(column.person for column in columns if column.person)
        return [table for role in roles if (table := self._mention(role, columns, kept, row, said_from)).num_rows]

    def _mention(
        self, role: str, columns: list[LayoutColumn], kept: Kept, row: pa.Array, said_from: pa.Array
    ) -> pa.Table:
        """One role's mentions; a row that says nothing about this person has none, the subject's excepted."""
        length = len(row)
        held: dict[str, list[LayoutColumn]] = {}
        for column in columns:
            if column.person == role and column.field:
                held.setdefault(column.field, []).append(column)
        fields = {name: _field(held[name], name, kept) for name in MENTION_FIELDS if name in held}
        if PROTECTION in fields:
            is_protected = pc.fill_null(pc.equal(fields[PROTECTION], "1"), False)
            for name in OTHER_PLACES:
                if name in fields:
                    fields[name] = pc.if_else(is_protected, pa.scalar(None, pa.string()), fields[name])
        known = self._mention_known_from(fields, said_from, length)
        keys = [c.reference for c in columns if self.layout.row_key in (c.reference, c.template or None)]
        nothing = pa.nulls(length)
        row_key = kept[keys[0]] if keys and self.layout.row_key else nothing
        table = pa.table(
            {
                "row": row, "role": pa.repeat(role, length), "kind": pa.repeat(self.layout.kind, length),
                "row_key": row_key, **{n: fields.get(n, nothing) for n in MENTION_FIELDS}, "known_from": known,
            }
        )  # fmt: skip
        if role == "subject":
            return table
        return table.filter(_anything(list(fields.values()), length))

    def _mention_known_from(self, fields: Mapping[str, pa.Array], said_from: pa.Array, length: int) -> pa.Array:
        """When we could know it: 届出日, else the event, else the row's first fact, else the extraction."""
        if self.layout.kind == "moves":
            nothing = pa.nulls(length, pa.string())
            said_on = [_days(fields.get(name, nothing), last_day) for name in ("registered_on", "event_on")]
            said_from = _known(pc.coalesce(*said_on), self.layout.lag_days, self.arrived_on)
        return pc.coalesce(said_from, pa.repeat(pa.scalar(self.arrived_on, pa.date32()), length))

    # Rows --------------------------------------------------------------------------------------

    def _fingerprints(self, group: int | None, kept: Kept, row: pa.Array, mark: str = "") -> pa.Table:
        columns = self._columns_of(group)
        content = self._hashed([c.reference for c in columns], kept, mark)
        names = self.layout.identity
        wanted = [c.reference for name in names for c in columns if name in (c.reference, c.template or None)]
        # Several people of a row that share its whole identity are told apart by their place in it.
        is_shared = bool(group) and not any(c.reference in wanted for c in columns if c.group is not None)
        identity = self._hashed(wanted, kept, str(group) if is_shared else "") if names else content
        return pa.table({"row": row, "identity": identity, "content": content}).cast(landing_schema(ROWS))

    def _hashed(self, names: list[str], kept: Kept, mark: str = "") -> pa.Array:
        """Keyed fingerprints of some columns together. The key is needed to tell whether a guessed row is there."""
        texts = [kept[name] for name in names]
        if mark:
            texts.append(pa.repeat(mark, len(texts[0])))
        joined = pc.binary_join_element_wise(*texts, SEPARATOR, null_handling="replace", null_replacement="")
        begun = hashlib.blake2b(digest_size=16, key=self.key).copy  # a third less than beginning each with the key
        digests = []
        for text in joined.cast(pa.binary()).to_pylist():
            digest = begun()
            digest.update(text)
            digests.append(digest.digest())
        return pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), len(digests), [None, pa.py_buffer(b"".join(digests))]
        )


@dataclass(frozen=True)
class Spell:
    """The three dates of one rule's facts, row by row."""

    valid_from: pa.Array
    valid_to: pa.Array
    known_from: pa.Array

    def filter(self, keep: pa.Array) -> Spell:
        """Only some rows."""
        return Spell(self.valid_from.filter(keep), self.valid_to.filter(keep), self.known_from.filter(keep))


def _field(columns: list[LayoutColumn], name: str, kept: Kept) -> pa.Array:
    """One field of one person, from the one or several columns that hold it."""
    given = [kept[c.reference] for c in columns]
    values = given[0] if len(given) == 1 else _joined_texts(given, JOINED_WITH.get(name, " "))
    if name == PROTECTION:
        flags = pc.if_else(pc.is_in(values, pa.array(NOT_PROTECTED)), "0", "1")
        values = pc.if_else(pc.is_valid(values), flags, None)
    return _changed(values, age_as_kept) if name == "age" else values


_AGE = re.compile(r"^(?:(\d{1,3})[歳才])?(?:(\d{1,3})[かヶケカヵ箇個]?月(?:児|齢)?)?$")


def age_as_kept(text: str) -> str:
    """An age as it is kept: a baby's months (1歳7か月, 19ヶ月) as years and months, anything else as printed.

    >>> age_as_kept("19ヶ月"), age_as_kept("1才7カ月"), age_as_kept("34")
    ('1歳7か月', '1歳7か月', '34')
    """
    found = _AGE.match(unicodedata.normalize("NFKC", text).replace(" ", ""))
    if not found or found[2] is None:
        return text
    months = int(found[1] or 0) * 12 + int(found[2])
    return f"{months // 12}歳{months % 12}か月"


def _changed(values: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Texts changed, each distinct one once."""
    coded = values.dictionary_encode()
    return pa.array([change(v) for v in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def fits(condition: Mapping[str, list[str]], kept: Kept, length: int) -> pa.Array:
    """Which rows hold, in each of the named columns, one of its meanings; ``""`` stands for a blank."""
    answer = pa.repeat(True, length)
    for name, meanings in condition.items():
        answer = pc.and_(answer, pc.is_in(pc.fill_null(kept[name], ""), pa.array(meanings)))
    return answer


def _chosen(kept: Kept, keep: pa.Array) -> dict[str, pa.Array]:
    return {name: values.filter(keep) for name, values in kept.items()}


def _anything(columns: list[pa.Array], length: int) -> pa.Array:
    """Rows in which any of the columns holds something."""
    answer = pa.repeat(False, length)
    for values in columns:
        answer = pc.or_(answer, pc.is_valid(values))
    return answer


def _spell(rule: FactRule, kept: Kept, lag_days: int, arrived_on: dt.date) -> Spell:
    """The dates; what only ends an earlier row's spell holds on no day: it begins and ends on the day after the last."""
    if rule.ends:
        told = _days(kept[rule.valid_from], last_day)
        known = pc.coalesce(_days(kept[rule.known_from], last_day), told) if rule.known_from else told
        return Spell(_later(told, 1), _later(told, 1), _known(known, lag_days, arrived_on))
    valid_from = _days(kept[rule.valid_from], month_of_year(rule.month) if rule.month else first_day)
    if rule.valid_to in SPELL_ENDS:
        valid_to = _days(valid_from, _SPELL_END[rule.valid_to])
    elif rule.valid_to:
        valid_to = _later(_days(kept[rule.valid_to], last_day), 1)
    else:
        valid_to = pa.nulls(len(valid_from), pa.date32())
    if rule.valid_to and rule.valid_to not in SPELL_ENDS:
        # When a spell became known may not hang on whether it has ended since: an undated one counts from its delivery.
        registered = _known(_days(kept[rule.known_from], last_day), lag_days, arrived_on)
        return Spell(valid_from, valid_to, pc.coalesce(registered, pa.scalar(arrived_on, pa.date32())))
    known = pc.coalesce(_later(valid_to, -1), valid_from)
    if rule.known_from:
        known = pc.coalesce(_days(kept[rule.known_from], last_day), known)
    return Spell(valid_from, valid_to, _known(known, lag_days, arrived_on))


def _reversed_spells(
    rules: tuple[FactRule, ...], spells: list[Spell], row: pa.Array, kept: Kept
) -> tuple[list[tuple[int, str, RowFault]], pa.Array]:
    """Rows with a spell that ends before it begins, each told once for each column, and the mask of them."""
    wrong = pa.repeat(False, len(row))
    told: dict[tuple[int, str], None] = {}
    for rule, spell in zip(rules, spells, strict=True):
        if rule.valid_to in SPELL_ENDS or not rule.valid_to:
            continue
        here = pc.fill_null(pc.less_equal(spell.valid_to, spell.valid_from), False)
        if rule.when:  # what the row doesn't say can't be the wrong way round
            here = pc.and_(here, fits(rule.when, kept, len(row)))
        wrong = pc.or_(wrong, here)
        told |= {(number, rule.valid_to): None for number in row.filter(here).to_pylist()}
    return [(number, column, RowFault.SPELL_REVERSED) for number, column in told], wrong


def _earliest(spells: list[Spell], length: int) -> pa.Array:
    """The first day on which any fact of the row could be known."""
    if not spells:
        return pa.nulls(length, pa.date32())
    return pc.min_element_wise(*(pc.if_else(pc.is_valid(s.valid_from), s.known_from, None) for s in spells))


def _number(rule: FactRule, kept: Kept, length: int) -> pa.Array:
    if rule.number:
        return kept[rule.number].cast(pa.float64())
    if rule.code or rule.constant:
        return pa.nulls(length, pa.float64())
    return pa.repeat(1.0, length)  # presence itself


def _code(rule: FactRule, kept: Kept, length: int) -> pa.Array:
    if rule.constant:
        return pa.repeat(rule.constant, length)
    return kept[rule.code] if rule.code else pa.nulls(length, pa.string())


# Dates ------------------------------------------------------------------------------------------


def last_day(value: str) -> dt.date:
    """The last day that an ISO date, month or year may mean."""
    if len(value) == 10:
        return dt.date.fromisoformat(value)
    following = month_end(first_day(value)) if len(value) == 7 else dt.date(int(value) + 1, 1, 1)
    return following - dt.timedelta(days=1)


def month_end(day: dt.date) -> dt.date:
    """The first day after the month."""
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_of_year(month: int) -> Callable[[str], dt.date]:
    """A function from a fiscal year's first day (as kept) to the first day of one of its months."""
    return lambda value: dt.date(int(value[:4]) + (month < 4), month, 1)


def year_end(day: dt.date) -> dt.date:
    """The first day after the fiscal year (年度)."""
    return dt.date(day.year + (day.month >= 4), 4, 1)


_SPELL_END: dict[str, Callable[[dt.date], dt.date]] = {
    "month_end": month_end, "year_end": year_end, "same_day": lambda day: day + dt.timedelta(days=1),
}  # fmt: skip


def _days(values: pa.Array, change: Callable[..., dt.date]) -> pa.Array:
    """Dates from values, each distinct value worked out once."""
    coded = values.dictionary_encode()
    return pa.array([change(v) for v in coded.dictionary.to_pylist()], pa.date32()).take(coded.indices)


def _known(registered: pa.Array, lag_days: int, arrived_on: dt.date) -> pa.Array:
    """When we could know what was registered: after the lag, but not after the day of the file that says it.

    A lag is what a source usually needs; what lies in our hands sooner came sooner. Not before the day of registration,
    for a month that isn't over yet isn't told of whole.
    """
    in_hand = pc.max_element_wise(registered, pa.scalar(arrived_on, pa.date32()), skip_nulls=False)
    return pc.min_element_wise(_later(registered, lag_days), in_hand, skip_nulls=False)


def _later(days: pa.Array, count: int) -> pa.Array:
    return days if count == 0 else pc.add(days.cast(pa.int32()), pa.scalar(count, pa.int32())).cast(pa.date32())


def _joined_texts(given: list[pa.Array], between: str) -> pa.Array:
    """Parts of one field put together, blank parts left out (Arrow 25's own skipping of nulls drops whole rows)."""
    joined = pc.binary_join_element_wise(*(pc.fill_null(part, "") for part in given), between)
    if between:
        joined = pc.utf8_trim(pc.replace_substring(joined, between * 2, between), between)
    return pc.if_else(pc.equal(joined, ""), None, joined)


def _joined(tables: list[pa.Table], schema: pa.Schema) -> pa.Table:
    if not tables:
        return schema.empty_table()
    return pa.concat_tables(tables, promote_options="permissive")


def _by_row(table: pa.Table) -> pa.Table:
    """In order of row; what is so already is left as it is."""
    rows = table["row"].combine_chunks()
    is_ordered = len(rows) < 2 or pc.all(pc.less_equal(rows[:-1], rows[1:])).as_py()
    return table if is_ordered else table.sort_by([("row", "ascending")])

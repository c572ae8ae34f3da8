"""Which columns of an undescribed file tell one record from another (identity side).

Without them a correction doubles its record; with too few, one month overwrites another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from kodomo.intake import column_words as words
from kodomo.intake.guess import CALL_NAME, Guess

NEARLY_ALL = 0.995
"""So many of a file's rows differ where a number tells them apart: a row copied in twice happens."""

MOST_TRIED = 8

SINCE_WHEN = re.compile(
    "開始|終了|認定|交付|決定|有効|期限|資格|取得|喪失|満了|入所|入園|退所|退園|登録|契約|開栓|閉栓|収納|納付|納期|転入|転出|予定|更新|廃止"
)
"""Days since when or until when something holds, or on which it was paid: none tells which month a row is of."""

KIND_WORD = re.compile(
    r"(?<!月)(区分|種別|種類|時期|項目(番号|名)?|健診|検診|サービス名?|ワクチン名?|回|期|学期|立場)(コード|CD)?$"
)
"""What tells several rows of one person apart: the kind of checkup, the vaccine, which time."""


def identity_of(columns: Sequence[Guess], body: Sequence[Sequence[str]]) -> tuple[str, list[str]]:
    """The column of the source's own identifier, and the fewest columns that together name one record."""
    if not body:
        return "", []
    table = _Table(columns, body)
    numbers = _numbers(columns, table)
    key = numbers[0].reference if numbers else ""
    moves = [c.reference for field in ("event_on", "event_kind") for c in columns if c.field == field and not c.ignore]
    is_register = any(c.field == "resident_from" for c in columns) and table.distinct([key] if key else []) == 1
    is_history = len(moves) == 2 and not is_register and not _is_hardly_told(moves[0], table)
    if key and numbers[0].field == "resident_number" and is_history:
        return key, [key, *moves]  # two kinds of moves may fall on one day
    found = _with_the_twin(_by_number(key, columns, table), columns) if key else []
    return key, _with_its_month(found or _by_person(key, columns, table), columns)


def _is_hardly_told(name: str, table: _Table) -> bool:
    """Whether most rows leave a column blank: a register's latest move, of those who moved since it was set up."""
    at = table.places[name]
    return 2 * sum(bool(row[at].strip()) for row in table.rows if at < len(row)) < len(table.rows)


def _with_the_twin(names: list[str], columns: Sequence[Guess]) -> list[str]:
    """The columns, and a person's name before the birth date: twins have one."""
    births = [c for c in columns if c.reference in names and c.field == "born_on"]
    own = [
        c.reference
        for c in columns
        if births
        and c.person == births[0].person
        and c.field in ("name", "name_kana")
        and not c.ignore
        and not c.listed
    ]
    at = names.index(births[0].reference) if births else 0
    return [*names[:at], *(own[:1] if not {*own} & {*names} else []), *names[at:]]


def _with_its_month(names: list[str], columns: Sequence[Guess]) -> list[str]:
    """The columns and the month that the row is of: a file of one month can't show that the next has the same numbers."""
    timely = [c for c in columns if c.type in ("date", "month") and _tells_when(c)]
    if not names or any(c.reference in names for c in timely) or any(c.type == "date" for c in timely):
        return names
    months = [c.reference for c in timely] or [
        c.reference for c in columns if c.type == "fiscal_year" and _tells_when(c) and c.reference not in names
    ]
    return [*names, *months[:1]]


def _tells_when(column: Guess) -> bool:
    return not (column.field or column.ignore) and not SINCE_WHEN.search(words.plain(column.name))


class _Table:
    """The distinct rows, asked how many differ in some columns."""

    def __init__(self, columns: Sequence[Guess], body: Sequence[Sequence[str]]) -> None:
        order = [c.reference for c in columns]
        given = {c.reference: c.position - 1 if c.position else -1 for c in columns}
        self.places = {ref: given[ref] if given[ref] >= 0 else order.index(ref) for ref in order}
        self.rows = list({tuple(row) for row in body})

    def distinct(self, names: Sequence[str]) -> float:
        """The share of rows that differ from all others in these columns."""
        at = [self.places[name] for name in names]
        return len({tuple(row[p] for p in at if p < len(row)) for row in self.rows}) / len(self.rows)


def _numbers(columns: Sequence[Guess], table: _Table) -> list[Guess]:
    """Columns of identifiers that may be the record's or its person's, the likeliest first."""
    numbers = [c for c in columns if c.type == "identifier" and not c.ignore and c.person in ("", "subject", "holder")]
    if any(c.field in ("event_on", "resident_from") for c in columns):
        numbers = [c for c in numbers if c.field == "resident_number"] or numbers
    numbers = [c for c in numbers if c.field != "household_number"] or numbers
    # places in a class run from 1 to 40 everywhere: they are nobody's number
    numbers = [c for c in numbers if 50 * table.distinct([c.reference]) >= 1]
    order = [c.reference for c in columns]
    return sorted(numbers, key=lambda c: (_likelihood(c), order.index(c.reference)))


def _likelihood(column: Guess) -> int:
    if words.BARE_NUMBER.match(words.plain(column.name)):
        return 2  # it may only count the rows
    return 0 if column.is_record_number or column.field == "own_number" else 1


def _by_number(key: str, columns: Sequence[Guess], table: _Table) -> list[str]:
    others = [
        c.reference
        for c in columns
        if not c.ignore and c.type in ("identifier", "month", "date", "fiscal_year") and c.reference != key
    ]
    pairs = [[key, other] for other in others]
    triples = [[key, *two] for two in combinations(others[:MOST_TRIED], 2)]
    return next((names for names in ([key], *pairs, *triples) if table.distinct(names) >= NEARLY_ALL), [])


def _by_person(key: str, columns: Sequence[Guess], table: _Table) -> list[str]:
    """Where no number and day tells rows apart: by the child's name and birth date, or seat, and what kind of thing it is."""
    told = [c for c in columns if not c.ignore and not c.listed]
    names = [c for c in told if c.person == "subject" and c.field in ("name", "name_kana")][:1]
    if not names or CALL_NAME.search(words.plain(names[0].name)):
        return []
    seats = [c for c in told if c.field in ("school", "grade", "class_name", "seat") and "年齢" not in c.name]
    births = [c for c in told if c.person == "subject" and c.field == "born_on"]
    who = [c.reference for c in (births[:1] and [*names, *births[:1]]) or [*seats, *names]]
    kinds = [
        c.reference
        for c in told
        if (c.field in ("", "event_on") and c.type in ("month", "date", "fiscal_year"))
        or (not c.field and c.type in ("code", "integer", "text") and KIND_WORD.search(words.plain(c.name)))
    ][:MOST_TRIED]
    start = [key, *who] if key else who
    more = [list(some) for count in (1, 2) for some in combinations(kinds, count)]
    is_persons = any(c.reference == key and c.field in ("own_number", "resident_number") for c in columns)
    tried = [*([key, *some] for some in more if is_persons), start, *([*start, *some] for some in more)]
    return next((names for names in tried if table.distinct(names) == 1), [])

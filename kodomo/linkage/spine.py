"""The spine: one entry per person the resident register knows, with every name, place and number they ever had (identity side).

Everything else is linked to the spine only. Two register numbers become one person only when the
spells of residence leave room for it; one number becomes two persons when its rows contradict.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.intake.normalise import same_with_wildcards

Sign = tuple[Any, ...]

HIGHEST_CHANCE = 0.001
"""Two numbers are one returned person without asking only when chance could hardly have made them alike."""

OPEN_END = dt.date(9999, 12, 31)


@dataclass
class Bearer:
    """One person behind a register number, as its rows show it."""

    number: str
    forms: list[int] = field(default_factory=list)
    born_on: str | None = None
    sex: str | None = None
    names: set[str] = field(default_factory=set)
    givens: set[str] = field(default_factory=set)
    kanas: set[str] = field(default_factory=set)
    given_kanas: set[str] = field(default_factory=set)
    began: dt.date | None = None
    ended: dt.date | None = None
    is_listed: bool = False
    households: set[str] = field(default_factory=set)


def build_spine(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make the tables ``spine``, ``spine_form``, ``spine_name``, ``spine_place``, ``spine_number``, ``family``.

    Reads ``form``, ``register`` and ``decided`` (pairs of forms a person decided on). Persons are numbered in the order the register first prints them;
    the numbers mean nothing outside this run.

    Returns:
        Counts: persons, numbers that had to be split, persons with two numbers, register pairs in doubt.
    """
    bearers = _bearers(connection)
    groups, doubts = merge_returned(bearers, _decided(connection, bearers))
    rows = [(person, bearers[i]) for person, group in enumerate(groups) for i in group]
    connection.register("assigned", pa.table({
        "form": pa.array([f for _, b in rows for f in b.forms], pa.int64()),
        "person": pa.array([p for p, b in rows for _ in b.forms], pa.int64()),
        "resident_number": pa.array([b.number for _, b in rows for _ in b.forms], pa.string()),
    }))  # fmt: skip
    connection.register("in_doubt", pa.table({
        "left_form": pa.array([bearers[a].forms[0] for a, _ in doubts], pa.int64()),
        "right_form": pa.array([bearers[b].forms[0] for _, b in doubts], pa.int64()),
    }))  # fmt: skip
    connection.execute("CREATE OR REPLACE TABLE spine_form AS SELECT * FROM assigned")
    connection.execute("CREATE OR REPLACE TABLE spine_doubt AS SELECT * FROM in_doubt")
    connection.unregister("assigned")
    connection.unregister("in_doubt")
    for statement in (SPINE, NAMES, KNOWN, PLACES, NUMBERS, FAMILY, TWINS):
        connection.execute(statement)
    split = len(bearers) - len({b.number for b in bearers})
    return {
        "persons": len(groups),
        "numbers_split": split,
        "two_numbers": len(bearers) - len(groups),
        "doubts": len(doubts),
    }


def _bearers(connection: duckdb.DuckDBPyConnection) -> list[Bearer]:
    rows = connection.execute(
        """SELECT r.resident_number, f.form, any_value(f.kind), any_value(f.born_on), any_value(f.sex), any_value(f.name),
                  any_value(f.given), any_value(f.kana), any_value(f.given_kana),
                  min(coalesce(r.resident_from, r.event_on)), max(r.event_on),
                  max(CASE WHEN r.kind = 'residents' AND NOT r.is_silent THEN coalesce(r.resident_to, DATE '9999-12-31') END),
                  list(DISTINCT r.household_number)
           FROM register r JOIN form f USING (form) WHERE r.resident_number IS NOT NULL
           GROUP BY r.resident_number, f.form ORDER BY f.form"""
    ).fetchall()
    by_number: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_number[row[0]].append(row)
    return [bearer for number, group in by_number.items() for bearer in bearers_of(number, group)]


def _decided(connection: duckdb.DuckDBPyConnection, bearers: list[Bearer]) -> dict[tuple[int, int], bool]:
    """Decisions about two register entries, by position; decisions about other records are not the spine's."""
    position = {form: i for i, bearer in enumerate(bearers) for form in bearer.forms}
    decisions: dict[tuple[int, int], bool] = {}
    for left, right, is_same in connection.execute("SELECT left_form, right_form, is_same FROM decided").fetchall():
        if left in position and right in position and position[left] != position[right]:
            one, other = sorted((position[left], position[right]))
            decisions[one, other] = is_same
    return decisions


def bearers_of(number: str, rows: list[tuple[Any, ...]]) -> list[Bearer]:
    """Part the rows of one number into the persons who bore it: the listed one, and predecessors of a reused number.

    A move row that names somebody else is a predecessor's only if all of it lies before the
    listed person's first day; otherwise the name was corrected or changed.
    """
    found: list[Bearer] = []
    for row in sorted(rows, key=lambda r: (r[2] != "residents", r[1])):
        match = next((b for b in found if _is_same_bearer(b, row)), None)
        if match is None:
            match = Bearer(number)
            found.append(match)
        _add(match, row)
    return found


def _is_same_bearer(bearer: Bearer, row: tuple[Any, ...]) -> bool:
    _, _, kind, born_on, _, name, given, kana, given_kana, _, last_event, _, _ = row
    if born_on and bearer.born_on:
        return born_on == bearer.born_on or _shares_name(bearer, name, given, kana, given_kana)
    if _shares_name(bearer, name, given, kana, given_kana) or not (name or kana):
        return True
    is_before = bool(bearer.began and last_event and last_event < bearer.began)
    return kind != "moves" or not is_before


def _shares_name(bearer: Bearer, name: str | None, given: str | None, kana: str | None, given_kana: str | None) -> bool:
    if (kana and kana in bearer.kanas) or (given_kana and given_kana in bearer.given_kanas):
        return True
    if any(same_with_wildcards(given, g) for g in bearer.givens if given):
        return True
    return any(same_with_wildcards(name, n) for n in bearer.names if name)


def _add(bearer: Bearer, row: tuple[Any, ...]) -> None:
    _, form, kind, born_on, sex, name, given, kana, given_kana, began, _, ended, households = row
    bearer.forms.append(form)
    bearer.born_on = bearer.born_on or born_on
    bearer.sex = bearer.sex or sex
    for value, into in (
        (name, bearer.names),
        (given, bearer.givens),
        (kana, bearer.kanas),
        (given_kana, bearer.given_kanas),
    ):
        if value:
            into.add(value)
    bearer.households |= {h for h in households if h}
    if kind == "residents":
        bearer.is_listed = True
        bearer.began, bearer.ended = began, max(ended or OPEN_END, bearer.ended or ended or OPEN_END)
    elif not bearer.is_listed:
        bearer.began = min(filter(None, (bearer.began, began)), default=None)


def merge_returned(
    bearers: list[Bearer], decided: dict[tuple[int, int], bool]
) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Find persons who moved away and came back under a second number.

    Reading, birth date and sex agree, the written given names don't contradict, the spells of
    residence don't overlap, and nobody else shares reading and birth date: one person, if the name
    is rare enough or a member of the old household came back too. When only the given name agrees
    (the surname changed while away), such a member is needed; otherwise the pair is in doubt. ``decided`` holds what people decided about pairs
    (positions in ascending order) and goes before all of this.

    Returns:
        Groups of positions in ``bearers`` (every position once), and pairs in doubt.
    """
    certain = _pairs_by(bearers, lambda b: [(k, b.born_on) for k in b.kanas if b.born_on])
    parent = list(range(len(bearers)))
    companions = _companions(bearers)
    likely = _chances(bearers)
    clear = [(a, b) for a, b in certain if companions[a] & companions[b] or likely(a) <= HIGHEST_CHANCE]
    doubts = sorted(set(certain) - set(clear) - set(decided))
    ordered = [pair for pair, is_same in decided.items() if is_same]
    for one, other in [*ordered, *(pair for pair in clear if decided.get(pair, True))]:
        _join(parent, one, other)
    for one, other in _pairs_by(bearers, lambda b: [(k, b.born_on, "given") for k in b.given_kanas if b.born_on]):
        if _root(parent, one) == _root(parent, other) or (one, other) in decided or (one, other) in doubts:
            continue
        if not _givens_written_alike(bearers[one], bearers[other]):
            continue
        if companions[one] & companions[other]:
            _join(parent, one, other)
        else:
            doubts.append((one, other))
    groups: dict[int, list[int]] = defaultdict(list)
    for position in range(len(bearers)):
        groups[_root(parent, position)].append(position)
    return list(groups.values()), doubts


def _pairs_by(bearers: list[Bearer], keys_of: Callable[[Bearer], list[Sign]]) -> list[tuple[int, int]]:
    """Pairs that alone share a key and can be one person; a key shared by three or more decides nothing."""
    by_key: dict[Sign, set[int]] = defaultdict(set)
    for position, bearer in enumerate(bearers):
        for key in keys_of(bearer):
            by_key[key].add(position)
    pairs = {(min(found), max(found)) for found in by_key.values() if len(found) == 2}
    return sorted((a, b) for a, b in pairs if _can_be_one(bearers[a], bearers[b]))


def _chances(bearers: list[Bearer]) -> Callable[[int], float]:
    """How many others of the same reading should have somebody's birth date by mere chance.

    A date many share (the first of January of those who don't know theirs) makes chance likelier.
    """
    readings = Counter(kana for b in bearers for kana in b.kanas)
    births = Counter(b.born_on for b in bearers)

    def chance(position: int) -> float:
        bearer = bearers[position]
        most = max((readings[kana] for kana in bearer.kanas), default=0)
        # the pair itself is no coincidence: it stands twice among the readings and the dates
        return max(most - 2, 0) * max(births[bearer.born_on] - 1, 1) / len(bearers)

    return chance


def _can_be_one(one: Bearer, other: Bearer) -> bool:
    if one.number == other.number or not (one.is_listed and other.is_listed):
        return False
    if one.sex and other.sex and one.sex != other.sex:
        return False
    if one.givens and other.givens and not _givens_written_alike(one, other):
        return False
    first, second = sorted((one, other), key=lambda b: b.began or dt.date.min)
    return bool(first.ended and second.began and first.ended <= second.began)


def _givens_written_alike(one: Bearer, other: Bearer) -> bool:
    return any(same_with_wildcards(a, b) for a in one.givens for b in other.givens)


def _companions(bearers: list[Bearer]) -> list[set[Sign]]:
    """For each bearer, who shared a household with them, as (given reading, birth date)."""
    by_household: dict[str, set[Sign]] = defaultdict(set)
    own: list[set[Sign]] = []
    for bearer in bearers:
        signs = {(k, bearer.born_on) for k in bearer.given_kanas if bearer.born_on}
        own.append(signs)
        for household in bearer.households:
            by_household[household] |= signs
    return [set().union(*(by_household[h] for h in b.households)) - own[i] for i, b in enumerate(bearers)]


def _root(parent: list[int], position: int) -> int:
    while parent[position] != position:
        parent[position] = parent[parent[position]]
        position = parent[position]
    return position


def _join(parent: list[int], one: int, other: int) -> None:
    a, b = sorted((_root(parent, one), _root(parent, other)))
    parent[b] = a


SPINE = """
CREATE OR REPLACE TABLE spine AS
SELECT s.person, arg_max(f.born_on, (f.kind = 'residents', f.seen_to)) AS born_on, arg_max(f.sex, f.kind = 'residents') AS sex
FROM spine_form s JOIN form f USING (form) GROUP BY s.person ORDER BY s.person
"""

NAMES = """
CREATE OR REPLACE TABLE spine_name AS
WITH printed AS (
    SELECT s.person, f.name, f.surname, f.given, f.kana, f.surname_kana, f.given_kana, f.sorted_kana, f.loose_kana, f.alias, f.former
    FROM spine_form s JOIN form f USING (form)
)
SELECT DISTINCT person, name, surname, given, kana, surname_kana, given_kana, sorted_kana, loose_kana
FROM printed WHERE name IS NOT NULL OR kana IS NOT NULL
UNION SELECT DISTINCT person, alias, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM printed WHERE alias IS NOT NULL
UNION SELECT DISTINCT person, former || given, former, given, NULL, NULL, given_kana, NULL, NULL FROM printed
    WHERE former IS NOT NULL AND given IS NOT NULL AND NOT ends_with(former, given)
UNION SELECT DISTINCT person, former, NULL, given, NULL, NULL, given_kana, NULL, NULL FROM printed
    WHERE former IS NOT NULL AND (given IS NULL OR ends_with(former, given))
"""
"""Every name a person ever had counts: printed ones, 通称, and 旧氏 before the given name."""

KNOWN = """
CREATE OR REPLACE VIEW spine_known AS
SELECT s.*, p.born_on, p.sex, substr(p.born_on, 1, 4) AS born_year, substr(p.born_on, 6) AS born_day
FROM spine_name s JOIN spine p USING (person)
"""
"""Every name beside the birth date and the sex, for rules that compare them all at once."""

PLACES = """
CREATE OR REPLACE TABLE spine_place AS
SELECT DISTINCT s.person, r.town, r.number FROM spine_form s JOIN register r USING (form) WHERE r.town IS NOT NULL
"""

NUMBERS = """
CREATE OR REPLACE TABLE spine_number AS SELECT DISTINCT resident_number, person FROM spine_form
"""

FAMILY = """
CREATE OR REPLACE TABLE family AS
WITH membership AS (
    SELECT DISTINCT s.person, r.household_number FROM spine_form s JOIN register r USING (form) WHERE r.household_number IS NOT NULL
), sized AS (
    -- a home or a dormitory under one number is no family
    SELECT household_number FROM membership GROUP BY household_number HAVING count(*) BETWEEN 2 AND 15
)
SELECT DISTINCT a.person, b.person AS other
FROM membership a JOIN sized USING (household_number) JOIN membership b USING (household_number) WHERE a.person <> b.person
"""

TWINS = """
CREATE OR REPLACE TABLE twin AS
SELECT DISTINCT f.person, f.other FROM family f JOIN spine a ON a.person = f.person JOIN spine b ON b.person = f.other
WHERE a.born_on = b.born_on
"""

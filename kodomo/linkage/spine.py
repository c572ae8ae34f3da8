"""The spine: one entry per person the resident register knows, with every name, place and number they ever had (identity side).

Everything else is linked to the spine only. Two register numbers become one person only when the register says so
(前の宛名番号) or the spells of residence leave room for it; one number becomes two persons when its rows contradict.
Most numbers are one person at first sight and are settled in SQL; only the others are looked at
one by one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.intake.normalise import same_with_wildcards
from kodomo.linkage.groups import Groups
from kodomo.linkage.renumbered import find_renumbered
from kodomo.tables.engine import drop
from kodomo.tables.parts import pack_large, parts_of

Sign = tuple[Any, ...]

HIGHEST_CHANCE = 0.001
"""Two numbers are one returned person without asking only when chance could hardly have made them alike."""

MOST_STAYS = 4
"""A sign that more register entries share than this is a common name on a common date, no traveller."""


@dataclass
class Bearer:
    """One person behind a register number, as its rows show it.

    ``companions`` are those who shared a household, as (given name, birth date); ``chance`` is how many
    others of the same name should have the same birth date by accident. ``has_spell``: the register lists them as residents,
    or its moves tell that they left: who had gone before the first list was printed stands in the moves alone.
    """

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
    has_spell: bool = False
    companions: set[Sign] = field(default_factory=set)
    chance: float = 0.0


@dataclass(frozen=True)
class RegisterForm:
    """How the register prints one number's bearer in one way, and when."""

    form: int
    is_listed: bool
    born_on: str | None
    name: str | None
    given: str | None
    kana: str | None
    given_kana: str | None
    last_event: dt.date | None
    began: dt.date | None


def build_spine(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make the tables ``spine``, ``spine_form``, ``spine_name``, ``spine_place``, ``spine_number``, ``family``, ``twin``, ``tenure``, ``named_share``.

    Reads ``form``, ``register`` and ``decided`` (pairs of forms a person decided on). A person is called by the first
    form of theirs that the register printed.

    Returns:
        Counts: persons, numbers that had to be split, persons with two numbers, register pairs in doubt, persons whose number
        changed with everybody's and of whom no table of numbers told.
    """
    for statement in (REGISTER_FORM, BEARER_FORM):
        connection.execute(statement)
    _part_numbers(connection)
    for statement in BEARERS:
        connection.execute(statement)
    pack_large(connection, "bearer")
    renumbered = _find_suspects(connection)
    suspects = _suspects(connection)
    joined, doubts = merge_returned(
        suspects, _told(connection, suspects) | _decided(connection, suspects), _telling(connection)
    )
    connection.register("joined", _pairs(joined, "bearer", "leader"))
    connection.register(
        "in_doubt", _pairs([(suspects[a].forms[0], suspects[b].forms[0]) for a, b in doubts], "left_form", "right_form")
    )
    for statement in (
        SPINE_FORM,
        SPINE_DOUBT,
        SPINE,
        NAMES,
        KNOWN,
        PLACES,
        NUMBERS,
        FAMILY,
        TWINS,
        TENURE,
        *NAMED_SHARE,
    ):
        connection.execute(statement)
    connection.unregister("joined")
    connection.unregister("in_doubt")
    persons, numbers, bearers = connection.execute(
        "SELECT (SELECT count(*) FROM spine), count(DISTINCT resident_number), count(*) FROM bearer"
    ).fetchall()[0]
    drop(
        connection,
        "register_form",
        "bearer_form",
        "bearer",
        "bearer_name",
        "suspect",
        "settled",
        "stayer",
        "stayer_name",
        "stayer_form",
        "telling",
        "former",
    )
    pack_large(connection, "spine")
    connection.execute(
        COUNT,
        {
            "persons": persons,
            "split": bearers - numbers,
            "two": bearers - persons,
            "doubts": len(doubts),
            "renumbered": renumbered,
        },
    )
    return _count(connection)


def spine_standing(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """What ``build_spine`` returns, where its tables are those of the run before (``kept.stand_spine``)."""
    return _count(connection)


def _count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    names = ("persons", "numbers_split", "two_numbers", "doubts", "renumbered")
    return dict(zip(names, connection.execute("FROM spine_count").fetchall()[0], strict=True))


def _pairs(pairs: Iterable[tuple[int, int]], *names: str) -> pa.Table:
    rows = list(pairs)
    return pa.table({name: pa.array([r[i] for r in rows], pa.int64()) for i, name in enumerate(names)})


def _part_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    """Look at the numbers whose rows don't agree at first sight, and note which row is whose."""
    rows = connection.execute(
        """SELECT resident_number, form, kind = 'residents', born_on, name, given, kana, given_kana, last_event, began
           FROM register_form ANTI JOIN bearer_form USING (resident_number) ORDER BY resident_number, form"""
    ).fetchall()
    by_number: dict[str, list[RegisterForm]] = defaultdict(list)
    for number, *values in rows:
        by_number[number].append(RegisterForm(*values))
    apart = set(connection.execute("SELECT left_form, right_form FROM decided WHERE NOT is_same").fetchall())
    found = [
        (number, form.form, part[0].form)
        for number, forms in by_number.items() for part in bearers_of(forms, apart) for form in part
    ]  # fmt: skip
    connection.register("parted", pa.table({
        "resident_number": pa.array([n for n, _, _ in found], pa.string()),
        "form": pa.array([f for _, f, _ in found], pa.int64()), "bearer": pa.array([b for _, _, b in found], pa.int64()),
    }))  # fmt: skip
    connection.execute("INSERT INTO bearer_form SELECT resident_number, form, bearer FROM parted")
    connection.unregister("parted")


def bearers_of(forms: Iterable[RegisterForm], apart: Collection[tuple[int, int]] = ()) -> list[list[RegisterForm]]:
    """Part the rows of one number into the persons who bore it: the listed one, and predecessors of a reused number.

    A move row that names somebody else is a predecessor's only if all of it lies before the
    listed person's first day; otherwise the name was corrected or changed. Rows with different birth
    dates are one person's only if the whole name agrees, or the given name and all but two digits.
    ``apart`` holds pairs of forms (in ascending order) that a person decided to be different people's.
    """
    found: list[list[RegisterForm]] = []
    for row in sorted(forms, key=lambda r: (not r.is_listed, r.form)):
        parted = {a if b == row.form else b for a, b in apart if row.form in (a, b)}
        open_to = [part for part in found if not any(other.form in parted for other in part)]
        match = next((part for part in open_to if _is_same_bearer(part, row)), None)
        if match is None:
            found.append([row])
        else:
            match.append(row)
    return found


def _is_same_bearer(part: list[RegisterForm], row: RegisterForm) -> bool:
    shares = any(_shares_name(other, row) for other in part)
    born_on = next((r.born_on for r in part if r.born_on), None)
    if row.born_on and born_on:
        if row.born_on == born_on:
            return True
        is_whole = any((r.kana and r.kana == row.kana) or (r.name and r.name == row.name) for r in part)
        return is_whole or (shares and sum(a != b for a, b in zip(row.born_on, born_on, strict=False)) <= 2)
    if shares or not (row.name or row.kana):
        return True
    began = min((r.began for r in part if r.is_listed and r.began), default=None)
    is_before = bool(began and row.last_event and row.last_event < began)
    return row.is_listed or not is_before


def _shares_name(one: RegisterForm, other: RegisterForm) -> bool:
    if (one.kana and one.kana == other.kana) or (one.given_kana and one.given_kana == other.given_kana):
        return True
    if one.given and other.given and same_with_wildcards(one.given, other.given):
        return True
    return bool(one.name and other.name and same_with_wildcards(one.name, other.name))


def _suspects(connection: duckdb.DuckDBPyConnection) -> list[Bearer]:
    """Bearers who share name and birth date with another, or about whom a person decided, in order of first print."""
    rows = connection.execute(SUSPECTS).fetchall()
    found = [
        Bearer(number, [bearer], born_on, sex, set(names or ()), set(givens or ()), set(kanas or ()), set(given_kanas or ()),
               began, ended, has_spell, chance=chance)
        for bearer, number, born_on, sex, names, givens, kanas, given_kanas, began, ended, has_spell, chance in rows
    ]  # fmt: skip
    position = {bearer.forms[0]: bearer for bearer in found}
    for bearer, *sign in connection.execute(COMPANIONS).fetchall():
        position[bearer].companions.add(tuple(sign))
    return found


def _find_suspects(connection: duckdb.DuckDBPyConnection) -> int:
    """Make ``telling``, ``former`` and ``suspect``: signs that can bring several bearers together, and who bears them.

    Returns how many persons are known under a number before only because all numbers were given anew.
    """
    connection.execute(NO_SUSPECTS)
    connection.execute(FORMER)
    renumbered = find_renumbered(connection)
    for statement in SETTLED:
        connection.execute(statement)
    pack_large(connection, "stayer")
    count = len(parts_of(connection, "stayer", "bearer"))
    for part in range(count):
        born = f"hash(born_on) % {count} = {part}" if count > 1 else "true"
        for statement in (SHARING, SIGNS, TELLING, SUSPECT):
            connection.execute(statement.replace("{part}", born))
    connection.execute(SUSPECT_DECIDED)
    drop(connection, "sharing", "sign")
    return renumbered


def _telling(connection: duckdb.DuckDBPyConnection) -> set[Sign]:
    return set(connection.execute("FROM telling").fetchall())


def _decided(connection: duckdb.DuckDBPyConnection, suspects: list[Bearer]) -> dict[tuple[int, int], bool]:
    """Decisions about two register entries, by position; decisions about other records are not the spine's."""
    position = {bearer.forms[0]: i for i, bearer in enumerate(suspects)}
    decisions: dict[tuple[int, int], bool] = {}
    for left, right, is_same in connection.execute(
        """SELECT a.bearer, b.bearer, d.is_same FROM decided d JOIN bearer_form a ON a.form = d.left_form
           JOIN bearer_form b ON b.form = d.right_form WHERE a.bearer <> b.bearer ORDER BY d.position"""
    ).fetchall():
        one, other = sorted((position[left], position[right]))
        decisions[one, other] = is_same
    return decisions


def _told(connection: duckdb.DuckDBPyConnection, suspects: list[Bearer]) -> dict[tuple[int, int], bool]:
    """Pairs, by position, of whom the register itself says that the one number is the other's former one."""
    position = {bearer.forms[0]: i for i, bearer in enumerate(suspects)}
    pairs = connection.execute("SELECT DISTINCT bearer, other FROM former ORDER BY ALL").fetchall()
    told = [(position[one], position[other]) for one, other in pairs]
    agreeing = {(min(pair), max(pair)): True for pair in told if _agree(suspects[pair[0]], suspects[pair[1]])}
    partners: dict[int, set[int]] = defaultdict(set)
    for one, other in told:
        for number, whose in ((one, other), (other, one)):
            if _is_bare(suspects[number]) and not _is_bare(suspects[whose]):
                partners[number].add(whose)
    # A number of which nothing else is told (of who left before a change of systems) is theirs whose it is said to be.
    for number, owners in partners.items():
        if all(_agree(suspects[a], suspects[b]) for a, b in combinations(sorted(owners), 2)):
            agreeing |= {(min(number, owner), max(number, owner)): True for owner in owners}
    return agreeing


def _is_bare(entry: Bearer) -> bool:
    return not (entry.born_on or entry.names or entry.kanas or entry.givens or entry.given_kanas)


def _agree(one: Bearer, other: Bearer) -> bool:
    """Whether two entries can be one person's, so that a mistyped or a reused number joins nobody.

    Where the whole name agrees in writing and in reading, another sex is a slip.
    """
    is_other_sex = bool(one.sex and other.sex and one.sex != other.sex)
    if one.born_on != other.born_on or (is_other_sex and not (one.names & other.names and one.kanas & other.kanas)):
        return False
    is_named_alike = bool(one.given_kanas & other.given_kanas or one.kanas & other.kanas or one.names & other.names)
    return is_named_alike or _givens_written_alike(one, other)


def merge_returned(
    bearers: list[Bearer], decided: Mapping[tuple[int, int], bool], telling: Collection[Sign] | None = None
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Find persons who moved away and came back under another number.

    Name (reading or writing), birth date and sex agree, the written given names don't contradict, the
    spells of residence don't overlap, and whoever else shares name and birth date fits between the spells
    too: one person, if the name is rare enough or a member of the old household came back as well. When only
    the given name agrees (the surname changed while away), such a member is needed; otherwise the pair is in
    doubt. ``decided`` holds what people decided about pairs (positions in ascending order), or the register says itself,
    and goes before all of this.

    Args:
        telling: the signs (kind, name, birth date) whose bearers can be one person; None to look at every sign.

    Returns:
        (a bearer's first form, its person's first form) for all but each person's first; pairs in doubt, by position.
    """
    certain = _pairs_by(bearers, telling, lambda b: [*(("kana", k) for k in b.kanas), *(("name", n) for n in b.names)])
    clear = [
        (a, b) for a, b in certain
        if bearers[a].companions & bearers[b].companions or max(bearers[a].chance, bearers[b].chance) <= HIGHEST_CHANCE
    ]  # fmt: skip
    doubts = sorted(set(certain) - set(clear) - set(decided))
    groups = Groups(range(len(bearers)), [pair for pair, is_same in decided.items() if not is_same])
    ordered = [pair for pair, is_same in decided.items() if is_same]
    for one, other in [*ordered, *clear]:
        groups.join(one, other)
    for one, other in _pairs_by(
        bearers, telling, lambda b: [*(("given_kana", k) for k in b.given_kanas), *(("given", g) for g in b.givens)]
    ):
        if groups.first(one) == groups.first(other) or (one, other) in decided or (one, other) in doubts:
            continue
        if not _givens_written_alike(bearers[one], bearers[other]):
            continue
        if bearers[one].companions & bearers[other].companions:
            groups.join(one, other)
        else:
            doubts.append((one, other))
    first = [bearer.forms[0] for bearer in bearers]
    joined = [(first[i], first[groups.first(i)]) for i in range(len(bearers)) if groups.first(i) != i]
    return joined, doubts


def _pairs_by(
    bearers: list[Bearer], telling: Collection[Sign] | None, names_of: Callable[[Bearer], list[Sign]]
) -> list[tuple[int, int]]:
    """Pairs that share a name and a birth date, and with whoever else shares them can be one person."""
    by_sign: dict[Sign, list[int]] = defaultdict(list)
    for position, bearer in enumerate(bearers):
        for name in names_of(bearer) if bearer.born_on else ():
            sign = (*name, bearer.born_on)
            if telling is None or sign in telling:
                by_sign[sign].append(position)
    pairs: set[tuple[int, int]] = set()
    for found in by_sign.values():
        each = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :]]
        if len(found) <= MOST_STAYS and all(_can_be_one(bearers[a], bearers[b]) for a, b in each):
            pairs.update(each)
    return sorted(pairs)


def _can_be_one(one: Bearer, other: Bearer) -> bool:
    if one.number == other.number or not (one.has_spell and other.has_spell):
        return False
    if one.sex and other.sex and one.sex != other.sex:
        return False
    if one.givens and other.givens and not _givens_written_alike(one, other):
        return False
    first, second = sorted((one, other), key=lambda b: b.began or dt.date.min)
    return bool(first.ended and second.began and first.ended <= second.began)


def _givens_written_alike(one: Bearer, other: Bearer) -> bool:
    return any(same_with_wildcards(a, b) for a in one.givens for b in other.givens)


COUNT = """
CREATE OR REPLACE TABLE spine_count AS
SELECT $persons::BIGINT AS persons, $split::BIGINT AS numbers_split, $two::BIGINT AS two_numbers, $doubts::BIGINT AS doubts,
    $renumbered::BIGINT AS renumbered
"""

REGISTER_FORM = """
CREATE OR REPLACE TABLE register_form AS
SELECT r.resident_number, r.form, any_value(f.kind) AS kind, any_value(f.born_on) AS born_on, any_value(f.sex) AS sex,
    any_value(f.name) AS name, any_value(f.given) AS given, any_value(f.kana) AS kana, any_value(f.given_kana) AS given_kana,
    min(coalesce(r.resident_from, r.event_on)) AS began, min(r.known_from) FILTER (r.kind = 'residents') AS listed, max(r.event_on) AS last_event,
    max(CASE WHEN r.kind = 'residents' AND NOT r.is_silent THEN coalesce(r.resident_to, DATE '9999-12-31') END) AS ended,
    min(r.event_on) AS first_event, arg_min(r.event_kind, r.event_on) AS first_kind, arg_max(r.event_kind, r.event_on) AS last_kind,
    max(r.resident_from) AS last_from
FROM register r JOIN form f USING (form) WHERE r.resident_number IS NOT NULL GROUP BY r.resident_number, r.form
"""

BEARER_FORM = """
CREATE OR REPLACE TABLE bearer_form AS
WITH agreed AS (
    SELECT resident_number, min(form) AS bearer FROM register_form GROUP BY resident_number
    HAVING count(*) = 1 OR (bool_and(born_on IS NOT NULL) AND count(DISTINCT born_on) = 1)
        OR (count(DISTINCT born_on) <= 1 AND bool_and(given_kana IS NOT NULL) AND count(DISTINCT given_kana) = 1)
)
SELECT resident_number, form, bearer FROM register_form JOIN agreed USING (resident_number)
WHERE resident_number NOT IN (
    -- a person parted it
    SELECT a.resident_number FROM decided d JOIN register_form a ON a.form = d.left_form
    JOIN register_form b ON b.form = d.right_form AND b.resident_number = a.resident_number WHERE NOT d.is_same)
"""
"""Which rows of a number are one bearer's, the bearer called by their first form: settled where all rows agree."""

BEARERS = (
    """CREATE OR REPLACE TABLE bearer AS
       SELECT b.bearer, any_value(b.resident_number) AS resident_number, bool_or(r.kind = 'residents') OR ends_stay(arg_max(r.last_kind, r.last_event)) IS TRUE AS has_spell,
           arg_min(r.born_on, (r.kind <> 'residents', r.form)) AS born_on, arg_min(r.sex, (r.kind <> 'residents', r.form)) AS sex,
           -- who comes back under a new number may be printed with the first day of long ago: nobody listed the number before it arrived
           CASE WHEN begins_stay(arg_min(r.first_kind, r.first_event)) AND coalesce(min(r.listed) >= min(r.first_event), true) THEN min(r.first_event)
                ELSE coalesce(min(r.began) FILTER (r.kind = 'residents'), min(r.began)) END AS began,
           -- a register of who lives here today prints no last day: the last move says that they left
           CASE WHEN ends_stay(arg_max(r.last_kind, r.last_event))
                    AND max(r.last_event) >= coalesce(max(r.last_from), DATE '0001-01-01')
                THEN least(max(r.ended), max(r.last_event)) ELSE max(r.ended) END AS ended,
           -- known to have begun only where the register prints a first day or an arrival
           CASE WHEN bool_or(r.kind = 'residents' AND r.began IS NOT NULL) OR begins_stay(arg_min(r.first_kind, r.first_event))
                THEN min(r.began) END AS since
       FROM bearer_form b JOIN register_form r USING (resident_number, form) GROUP BY b.bearer""",
    """CREATE OR REPLACE TABLE bearer_name AS
       SELECT DISTINCT b.bearer, w.born_on, r.kana, r.given_kana, r.name, r.given
       FROM bearer_form b JOIN register_form r USING (resident_number, form) JOIN bearer w USING (bearer)""",
)

NO_SUSPECTS = """
CREATE OR REPLACE TABLE suspect (bearer BIGINT);
CREATE OR REPLACE TABLE telling (kind VARCHAR, name VARCHAR, born_on VARCHAR)
"""

SETTLED = (
    """CREATE OR REPLACE TABLE settled AS
       WITH once AS (
           SELECT bearer FROM (SELECT bearer FROM former UNION ALL SELECT other FROM former) GROUP BY bearer HAVING count(*) = 1
       ), decided_on AS (
           SELECT b.bearer FROM decided d JOIN bearer_form b ON b.form IN (d.left_form, d.right_form)
       )
       SELECT DISTINCT f.bearer, f.other FROM former f JOIN bearer x ON x.bearer = f.bearer JOIN bearer y ON y.bearer = f.other AND y.born_on = x.born_on
       JOIN bearer_name n ON n.bearer = f.bearer JOIN bearer_name m ON m.bearer = f.other AND (m.kana = n.kana OR m.name = n.name)
       WHERE x.sex = y.sex AND coalesce(y.ended, DATE '9999-12-31') >= coalesce(x.began, DATE '0001-01-01')  -- no other stay fits between
         AND f.bearer IN (FROM once) AND f.other IN (FROM once) AND f.bearer NOT IN (FROM decided_on) AND f.other NOT IN (FROM decided_on)""",
    "DELETE FROM former WHERE bearer IN (SELECT bearer FROM settled)",
    """CREATE OR REPLACE TABLE stayer AS
       SELECT b.* REPLACE (least(b.began, o.began) AS began, b.has_spell OR coalesce(o.has_spell, false) AS has_spell)
       FROM bearer b LEFT JOIN settled s USING (bearer) LEFT JOIN bearer o ON o.bearer = s.other WHERE b.bearer NOT IN (SELECT other FROM settled)""",
    """CREATE OR REPLACE TABLE stayer_name AS
       SELECT DISTINCT coalesce(s.bearer, n.bearer) AS bearer, n.* EXCLUDE (bearer) FROM bearer_name n LEFT JOIN settled s ON s.other = n.bearer""",
    """CREATE OR REPLACE TABLE stayer_form AS
       SELECT f.form, coalesce(s.bearer, f.bearer) AS bearer FROM bearer_form f LEFT JOIN settled s ON s.other = f.bearer""",
)
"""Two entries whose numbers are said to be one person's, who agree, and of whom nothing else is said, are one before anybody is looked
for who came back (``bearer`` the newer, ``other`` the older): in a city that gave everybody a new number that is nearly everybody, and each would seem to live here twice."""

SHARING = f"""
CREATE OR REPLACE TABLE sharing AS
WITH born AS (
    FROM stayer_name WHERE born_on IS NOT NULL AND {{part}}
), sign AS (
    SELECT bearer, kana AS name, born_on FROM born UNION SELECT bearer, name, born_on FROM born
    UNION SELECT bearer, given_kana || '*', born_on FROM born UNION SELECT bearer, given || '*', born_on FROM born
), shared AS (
    SELECT name, born_on FROM sign WHERE name IS NOT NULL
    GROUP BY ALL HAVING count(*) BETWEEN 2 AND {MOST_STAYS}
)
SELECT bearer FROM sign JOIN shared USING (name, born_on)
UNION SELECT b.bearer FROM decided d JOIN stayer_form b ON b.form IN (d.left_form, d.right_form)
"""
"""Whoever shares a name and a birth date, and whom a person decided about. A given name alone is marked with *: 葵 as a whole name is not 葵 as a given one."""

SIGNS = """
CREATE OR REPLACE TABLE sign AS
WITH named AS (
    FROM stayer_name SEMI JOIN sharing USING (bearer) WHERE born_on IS NOT NULL AND {part}
), named_by AS (
    SELECT bearer, 'kana' AS kind, kana AS name, born_on FROM named UNION SELECT bearer, 'name', name, born_on FROM named
    UNION SELECT bearer, 'given_kana', given_kana, born_on FROM named UNION SELECT bearer, 'given', given, born_on FROM named
)
FROM named_by WHERE name IS NOT NULL
"""

TELLING = f"""
INSERT INTO telling
SELECT s.kind, s.name, s.born_on FROM sign s JOIN stayer b USING (bearer) GROUP BY ALL
HAVING count(*) BETWEEN 2 AND {MOST_STAYS} AND bool_and(b.has_spell)
    AND count(*) FILTER (coalesce(b.ended, DATE '9999-12-31') = DATE '9999-12-31') <= 1
"""
"""Signs whose bearers can all be one person, who left before coming back: of two who live here today nobody is. Nearly all
namesakes are such two, and in a large city there are more of them than can be looked at one by one."""

SUSPECT = "INSERT INTO suspect SELECT DISTINCT bearer FROM sign JOIN telling USING (kind, name, born_on)"

FORMER = """
CREATE OR REPLACE TABLE former AS
SELECT DISTINCT b.bearer, o.bearer AS other
FROM register r JOIN bearer_form b USING (form) JOIN bearer_form o ON o.resident_number = r.former_number
WHERE o.bearer <> b.bearer
"""
"""Two entries of which the register prints the number of one as the former number of the other: 除票 keep the old number."""

SUSPECT_DECIDED = """
INSERT INTO suspect
FROM (
    SELECT b.bearer FROM decided d JOIN stayer_form b ON b.form IN (d.left_form, d.right_form)
    UNION SELECT unnest([bearer, other]) FROM former
) ANTI JOIN suspect USING (bearer)
"""

SUSPECTS = """
WITH reading AS (
    SELECT name, count(DISTINCT bearer) AS bearers FROM (SELECT kana AS name, bearer FROM stayer_name UNION SELECT name, bearer FROM stayer_name)
    WHERE name IS NOT NULL GROUP BY name
), birth AS (
    SELECT born_on, count(*) AS born FROM stayer GROUP BY born_on
), total AS (
    SELECT count(*) AS bearers FROM stayer
)
SELECT b.bearer, any_value(b.resident_number), any_value(b.born_on), any_value(b.sex), list(DISTINCT n.name) FILTER (n.name IS NOT NULL),
    list(DISTINCT n.given) FILTER (n.given IS NOT NULL), list(DISTINCT n.kana) FILTER (n.kana IS NOT NULL),
    list(DISTINCT n.given_kana) FILTER (n.given_kana IS NOT NULL), any_value(b.began), any_value(b.ended), any_value(b.has_spell),
    -- the pair itself is no coincidence: it stands twice among the names and the dates
    greatest(max(coalesce(k.bearers, w.bearers, 0)) - 2, 0) * greatest(any_value(d.born) - 1, 1) / any_value(t.bearers)
FROM suspect JOIN stayer b USING (bearer) JOIN stayer_name n USING (bearer) LEFT JOIN reading k ON k.name = n.kana
LEFT JOIN reading w ON w.name = n.name JOIN birth d ON d.born_on IS NOT DISTINCT FROM b.born_on CROSS JOIN total t
GROUP BY b.bearer ORDER BY b.bearer
"""

COMPANIONS = """
WITH house AS (
    SELECT DISTINCT b.bearer, r.household_number FROM register r JOIN stayer_form b USING (form) WHERE r.household_number IS NOT NULL
), beside AS (
    SELECT DISTINCT a.bearer, o.bearer AS other FROM house a JOIN suspect USING (bearer) JOIN house o USING (household_number)
    WHERE o.bearer <> a.bearer
)
SELECT DISTINCT x.bearer, n.kind, n.given, n.born_on FROM beside x JOIN (
    SELECT bearer, 'kana' AS kind, given_kana AS given, born_on FROM stayer_name UNION SELECT bearer, 'name', given, born_on FROM stayer_name) n
  ON n.bearer = x.other
WHERE n.given IS NOT NULL AND n.born_on IS NOT NULL
EXCEPT SELECT bearer, 'kana', given_kana, born_on FROM stayer_name EXCEPT SELECT bearer, 'name', given, born_on FROM stayer_name
"""

SPINE_FORM = """
CREATE OR REPLACE TABLE spine_form AS
WITH led AS (
    SELECT b.bearer, min(b.bearer) OVER (PARTITION BY coalesce(j.leader, s.bearer, b.bearer)) AS leader
    FROM bearer b LEFT JOIN settled s ON s.other = b.bearer LEFT JOIN joined j ON j.bearer = coalesce(s.bearer, b.bearer)
)
SELECT b.form, l.leader AS person, b.resident_number FROM bearer_form b JOIN led l USING (bearer) ORDER BY person, form
"""
"""A person is called by the first form the register printed of them: that lasts from run to run, as a count would not."""

SPINE_DOUBT = "CREATE OR REPLACE TABLE spine_doubt AS SELECT * FROM in_doubt"

SPINE = """
CREATE OR REPLACE TABLE spine AS
SELECT s.person, arg_max(f.born_on, (f.kind = 'residents', f.seen_to)) AS born_on, arg_max(f.sex, (f.kind = 'residents', f.seen_to)) AS sex
FROM spine_form s JOIN form f USING (form) GROUP BY s.person ORDER BY s.person
"""

NAMES = """
CREATE OR REPLACE TABLE spine_name AS
WITH printed AS (
    SELECT s.person, f.name, f.surname, f.given, f.kana, f.surname_kana, f.given_kana, f.sorted_kana, f.loose_kana, f.turned_kana, f.name_words, f.kana_words, f.alias, f.former
    FROM spine_form s JOIN form f USING (form)
), roman AS (
    SELECT person, unnest([{latin: surname, kana: surname_kana}, {latin: given, kana: given_kana}], recursive := true)
    FROM printed WHERE regexp_matches(name, '^[A-Z]+$') AND surname_kana IS NOT NULL AND given_kana IS NOT NULL
), heard AS (
    -- some readings stand the other way round beside the name
    SELECT latin, arg_max(kana, persons) AS kana FROM (SELECT latin, kana, count(DISTINCT person) AS persons FROM roman GROUP BY latin, kana)
    GROUP BY latin HAVING max(persons) >= 2 AND max(persons) >= 0.8 * sum(persons)
)
SELECT DISTINCT person, name, surname, given, kana, surname_kana, given_kana, sorted_kana, loose_kana, turned_kana, name_words, kana_words
FROM printed WHERE name IS NOT NULL OR kana IS NOT NULL
UNION SELECT DISTINCT person, NULL, NULL, NULL, a.kana || b.kana, a.kana, b.kana, least(a.kana, b.kana) || greatest(a.kana, b.kana), NULL, NULL, NULL, NULL
    FROM printed p JOIN heard a ON a.latin = p.surname JOIN heard b ON b.latin = p.given WHERE p.kana IS NULL AND regexp_matches(p.name, '^[A-Z]+$')
UNION SELECT DISTINCT person, unnest(alias), NULL, NULL FROM printed WHERE alias IS NOT NULL
UNION SELECT DISTINCT person, former || given, former, given, NULL, NULL, given_kana, NULL, NULL, NULL, NULL, NULL FROM printed
    WHERE former IS NOT NULL AND given IS NOT NULL AND NOT ends_with(former, given)
UNION SELECT DISTINCT person, former, NULL, given, NULL, NULL, given_kana, NULL, NULL, NULL, NULL, NULL FROM printed
    WHERE former IS NOT NULL AND (given IS NULL OR ends_with(former, given))
"""
"""Every name a person ever had counts: printed ones, 通称, and 旧氏 before the given name. A roman name without a reading
(registers seldom ask for one) is read as the register reads its parts in others' names: a water bill has kana alone."""

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

TENURE = """
CREATE OR REPLACE TABLE tenure AS
SELECT b.resident_number, s.person, b.since,
    lead(b.since) OVER (PARTITION BY b.resident_number ORDER BY b.since NULLS FIRST, b.bearer) AS until
FROM bearer b JOIN spine_form s ON s.form = b.bearer
"""
"""From when until when (that day not included) a number was whose; open where the register doesn't say."""

NAMED_SHARE = (
    "CREATE OR REPLACE TABLE named_share (part VARCHAR, cohort INTEGER, name VARCHAR, share DOUBLE, persons BIGINT)",
    *(
        f"""
INSERT INTO named_share
WITH known AS (
    SELECT person, {part} AS name, {
            "NULL::INTEGER" if part.startswith("surname") else "try_cast(born_year AS INTEGER) // 5"
        } AS cohort FROM spine_known
), size AS (
    {
            "SELECT NULL::INTEGER AS cohort, count(*) AS persons FROM spine SEMI JOIN spine_name USING (person)"
            if part.startswith("surname")
            else "SELECT try_cast(substr(born_on, 1, 4) AS INTEGER) // 5 AS cohort, count(*) AS persons FROM spine SEMI JOIN spine_name USING (person) GROUP BY cohort HAVING cohort IS NOT NULL"
        }
)
SELECT '{part}', p.cohort, p.name, count(*) / any_value(z.persons), any_value(z.persons)
FROM (SELECT DISTINCT * FROM known WHERE name IS NOT NULL) p JOIN size z ON z.cohort IS NOT DISTINCT FROM p.cohort GROUP BY p.cohort, p.name
"""
        for part in ("surname", "surname_kana", "given", "given_kana")
    ),
)
"""How common a name's parts are here: given names among those born in the same five years, for fashions change."""

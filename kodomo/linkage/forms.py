"""Gather landed rows into forms: each distinct way one source writes one person (identity side).

A million rows hold a few hundred thousand forms; everything after this step works on forms.
Two rows share a form only when all that identifies is the same after normalisation. Rows come in
delivery by delivery, and only each distinct way of printing (``printed``) is kept and normalised:
of a million rows no more than a few numbers each stay in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import pyarrow as pa

from kodomo.intake.normalise import NameForm, distinct_values, learn_surnames, loose_kana
from kodomo.intake.normalise_columns import Reading, names_of, readings_in_names, readings_of
from kodomo.linkage.places import normal_places
from kodomo.tables import parts as in_parts
from kodomo.tables.engine import release
from kodomo.tables.parts import fill, pack, parts_of


@dataclass(frozen=True)
class Printing:
    """What has to be known about who printed the rows.

    Args:
        systems: source code -> which numbering its own numbers belong to (sources of one numbering share them).
        prefecture, city: the municipality, which its own offices often leave out of addresses.
        protecting: sources that have a column for 支援措置, of which a blank counts too; None for all.
    """

    systems: Mapping[str, str]
    prefecture: str = ""
    city: str = ""
    protecting: Collection[str] | None = None


def gather_forms(
    connection: duckdb.DuckDBPyConnection,
    mentions: Iterable[pa.Table],
    printing: Printing,
    *,
    first: int = 0,
    surnames: frozenset[str] = frozenset(),
    is_packed: bool = True,
) -> frozenset[str]:
    """Make the tables ``form`` (a row per distinct way of writing) and ``mention`` (a row per landed mention).

    Reads tables of the schema of ``landed_mentions``, one after the other; writes only into the given
    connection. ``printed`` keeps each distinct way of printing as it was, ``landed`` what single
    mentions say beside who is meant (relationship, protection).

    Args:
        first: the number of the first mention.
        surnames: those known before.
        is_packed: compress what was taken in before forms are made of it.

    Returns:
        The surnames that part names printed without a space, those known before among them.
    """
    for statement in (MACROS, *EMPTY):
        connection.execute(statement)
    _take_in_all(connection, mentions, printing, first)
    written = _written(connection)
    with ThreadPoolExecutor(2) as pool:
        # What was printed is the widest, and making forms of it takes most room of all; while one core packs it
        # the other, which asks the engine nothing, normalises.
        placing = pool.submit(normal_places, written["place"], printing.prefecture, printing.city)
        packing = pool.submit(connection.execute, "CHECKPOINT") if is_packed else None
        surnames |= learn_surnames(written["name"].to_pylist())
        normal = _normal_names(written, surnames) | {"normal_place": placing.result()}
        if packing is not None:
            packing.result()
    del written
    for name, table in normal.items():
        connection.register(name, table)
    _make_base(connection)
    connection.execute(UNSPACED)
    connection.execute(OTHER_PLACE)
    for name in ("systems", *normal):
        connection.unregister(name)
    del normal, table
    release()
    for statement in (COMBINATION, COMBINED, NUMBERED):
        connection.execute(statement)
    fill(connection, "form", FORM, parts_of(connection, "numbered", "form"), "form", few=1)
    gone = "DROP TABLE combined; DROP TABLE numbered; DROP TABLE incoming_mention"
    for statement in (FORMED, PLACED, gone, MENTION_VIEW):
        connection.execute(statement)
    return surnames


def _make_base(connection: duckdb.DuckDBPyConnection) -> None:
    """Every print with its normal forms. In a large city those that its part asks for are looked out first."""
    parts = parts_of(connection, "printed", "rowid")
    asked = NORMAL_OF_PART if len(parts) > 1 else dict.fromkeys(NORMAL_OF_PART, "")
    fill(connection, "base", BASE.format(part="{part}", **asked), parts, "l.rowid")


def _take_in_all(
    connection: duckdb.DuckDBPyConnection, mentions: Iterable[pa.Table], printing: Printing, first: int
) -> None:
    connection.register(
        "systems", pa.table({"source": list(printing.systems), "system": list(printing.systems.values())})
    )
    connection.execute(
        "SET VARIABLE protecting = $sources",
        {"sources": None if printing.protecting is None else sorted(printing.protecting)},
    )
    packed = first
    for delivered in _opened_ahead(_together(mentions)):
        for table in _whole_rows(delivered):
            _take_in(connection, table, first)
            first += table.num_rows
        release()
        if first - packed > in_parts.FEW * in_parts.AT_ONCE:
            pack(connection)
            packed = first


ROWS_AT_ONCE = 60_000
"""Small deliveries are taken in together: each time costs as much as a few thousand rows."""


def _together(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for table in tables:
        if waiting and sum(t.num_rows for t in waiting) + table.num_rows > ROWS_AT_ONCE:
            yield pa.concat_tables(waiting, promote_options="default")
            waiting = []
        waiting.append(table)
    if waiting:
        yield pa.concat_tables(waiting, promote_options="default")


def _opened_ahead(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same tables, each opened while the one before is taken in."""
    coming = iter(tables)
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, coming, None)
        while (table := following.result()) is not None:
            following = pool.submit(next, coming, None)
            yield table


def _whole_rows(table: pa.Table) -> Iterator[pa.Table]:
    """A large delivery in parts, all that a row names in one of them: mentions stand in order of row."""
    start = 0
    while start < table.num_rows:
        end = min(start + in_parts.AT_ONCE, table.num_rows)
        while 0 < end < table.num_rows and table["row"][end - 1] == table["row"][end]:
            end += 1
        yield table.slice(start, end - start)
        start = end


def make_register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``register`` once the forms stand."""
    fill(connection, "register", REGISTER, parts_of(connection, "incoming_register", "mention"), "mention")


def _take_in(connection: duckdb.DuckDBPyConnection, table: pa.Table, first: int) -> None:
    """Add one delivery's mentions, numbered from ``first`` on in the order they stand."""
    numbered = table.append_column("mention", pa.arange(first, first + table.num_rows))
    connection.register("incoming", numbered)
    for statement in TAKE_IN:
        connection.execute(statement)
    connection.unregister("incoming")
    connection.execute("DROP TABLE arrived")


def _written(connection: duckdb.DuckDBPyConnection) -> dict[str, pa.ChunkedArray]:
    """What is to be normalised, each value once, in order."""
    return {
        "name": _distinct(connection, "printed.name"),
        "names": _distinct(connection, "printed.name", "printed.alias_name", "printed.former_name"),
        "kana": _distinct(connection, "printed.name_kana", "printed.alias_kana"),
        "place": _distinct(connection, "printed.address", "incoming_other_place.address"),
    }


VALUES_AT_ONCE = 100_000
"""Names and readings are normalised so many at a time: as values of Python they take ten times the room."""


def _normal_names(written: Mapping[str, pa.ChunkedArray], surnames: frozenset[str]) -> dict[str, pa.Table]:
    """Tables ``normal_name`` and ``normal_kana``: what was written, and what it is compared by."""
    names, told = [], dict[str, Reading]()
    for values in _pieces(written["names"]):
        forms = names_of(values, surnames)
        told |= readings_in_names(forms)
        names.append(_name_table(forms))
    kana = [_kana_table(told)]
    for values in _pieces(written["kana"]):
        kana.append(_kana_table(readings_of(value for value in values if value not in told)))
    return {"normal_name": pa.concat_tables(names or [_name_table({})]), "normal_kana": pa.concat_tables(kana)}


def _pieces(values: pa.ChunkedArray) -> Iterator[list[str]]:
    for at in range(0, len(values), VALUES_AT_ONCE):
        yield distinct_values(values.slice(at, VALUES_AT_ONCE))


def _name_table(names: Mapping[str, NameForm]) -> pa.Table:
    return _table(names, {
        "name": [n.key or None for n in names.values()],
        "surname": [n.surname or None for n in names.values()],
        "given": [n.given or None for n in names.values()],
        "name_words": [n.words or None for n in names.values()],
    })  # fmt: skip


def _kana_table(readings: Mapping[str, Reading]) -> pa.Table:
    return _table(readings, {
        **{k: [r[i] or None for r in readings.values()] for i, k in enumerate(Reading._fields)},
        "turned_kana": _turned(readings.values()),
    })  # fmt: skip


def _turned(readings: Iterable[Reading]) -> list[str | None]:
    """Surname and given name without voicing marks and long vowels, in alphabetical order: whoever put which first."""
    loose = lru_cache(maxsize=None)(loose_kana)
    return ["".join(sorted((loose(r.surname_kana), loose(r.given_kana)))) or None for r in readings]


def _distinct(connection: duckdb.DuckDBPyConnection, *columns: str) -> pa.ChunkedArray:
    """The values of columns (table.column), each once."""
    parts = (column.split(".") for column in columns)
    union = " UNION ".join(
        f"SELECT {column} AS value FROM {table} WHERE {column} IS NOT NULL" for table, column in parts
    )
    return connection.sql(f"SELECT DISTINCT value FROM ({union}) ORDER BY value").to_arrow_table()["value"]


def _table(written: Iterable[str], columns: Mapping[str, list[str | None]]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in ("value", *columns)])
    return pa.table({"value": list(written), **columns}, schema=schema)


MACROS = r"""
CREATE OR REPLACE MACRO same_name(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN NULL WHEN a = b THEN true
    WHEN contains(a, '〓') OR contains(b, '〓') THEN length(a) = length(b) AND (a LIKE replace(b, '〓', '_') OR b LIKE replace(a, '〓', '_'))
    ELSE false END;
CREATE OR REPLACE MACRO contradicts(a, b) AS CASE
    WHEN a = b THEN false WHEN regexp_matches(a, '\p{Han}') THEN CASE WHEN regexp_matches(b, '\p{Han}') THEN NOT same_name(a, b) ELSE false END
    ELSE false END;
CREATE OR REPLACE MACRO drops_one(a, b) AS
    len(list_filter(range(1, length(a) + 1), lambda i: left(a, i - 1) || substr(a, i + 1) = b)) > 0;
CREATE OR REPLACE MACRO one_off(a, b) AS CASE
    WHEN length(a) = length(b) THEN len(list_filter(range(1, length(a) + 1), lambda i: substr(a, i, 1) <> substr(b, i, 1))) = 1
    WHEN length(a) = length(b) + 1 THEN drops_one(a, b) WHEN length(b) = length(a) + 1 THEN drops_one(b, a) ELSE false END;
CREATE OR REPLACE MACRO swaps_two(a, b) AS length(a) = length(b)
    AND len(list_filter(range(1, length(a)), lambda i: a <> b AND left(a, i - 1) || substr(a, i + 1, 1) || substr(a, i, 1) || substr(a, i + 2) = b)) > 0;
CREATE OR REPLACE MACRO turned_about(a, b) AS length(a) = length(b) AND contains(b || b, a);
CREATE OR REPLACE MACRO is_part(short, town) AS strpos(town, short) NOT IN (0, 2);
CREATE OR REPLACE MACRO leaves_out(short, town) AS short = town OR length(short) >= 2 AND (is_part(short, town)
    OR length(short) >= 3 AND right(short, 1) = right(town, 1) AND is_part(left(short, -1), town));
CREATE OR REPLACE MACRO in_short(a, b) AS leaves_out(a, b) OR leaves_out(b, a);
CREATE OR REPLACE MACRO takes_back(kind) AS regexp_matches(kind, '取り?消|回復');
CREATE OR REPLACE MACRO begins_stay(kind) AS regexp_matches(kind, '転入|出生|職権記載') AND NOT takes_back(kind);
CREATE OR REPLACE MACRO ends_stay(kind) AS regexp_matches(kind, '転出|死亡|消除') AND NOT takes_back(kind);
CREATE OR REPLACE MACRO filled(a) AS nullif(trim(a), '');
CREATE OR REPLACE MACRO plain_number(a) AS nullif(ltrim(trim(a), '0'), '');
CREATE OR REPLACE MACRO plain_own(a) AS CASE WHEN regexp_full_match(trim(a), '[0-9]+') THEN plain_number(a) ELSE filled(a) END;
"""

# ``leaves_out``: 大字鬼無沢ロ478 is how a branch office writes 奥沢大字鬼無沢字大久保ロ478番地, leaving out the former village in front,
# which all its own addresses share, and the 小字, within which lots aren't numbered anew; イロハ and 甲乙 belong to the number.
# No village's name is one character, but 西本町 is another town than 本町. Of a merged city as often the register leaves out the
# former village and an office goes on writing it: ``in_short`` asks both ways.

# DuckDB's levenshtein and jaro_winkler count bytes: any two kana would look two thirds alike.

PRINTED_FIELDS = (
    "resident_number", "own_number", "name", "name_kana", "former_name", "alias_name", "alias_kana", "born_on", "sex", "address",
    "phone", "age", "school", "grade", "class_name", "seat", "child_born_on",
)  # fmt: skip
"""What tells who is meant. Everything else a mention says is kept with the mention."""

PARTNERS = "('guardian', 'mother', 'father', 'household_head')"
"""Roles of whom a row names beside its subject: evidence for the subject."""

_FIELDS = ", ".join(PRINTED_FIELDS)

EMPTY = (
    f"CREATE OR REPLACE TABLE printed (print UBIGINT, source VARCHAR, role VARCHAR, kind VARCHAR, {', '.join(f'{c} VARCHAR' for c in PRINTED_FIELDS)}, dated DATE)",
    """CREATE OR REPLACE TABLE incoming_mention (mention BIGINT, receipt BIGINT, row INTEGER, role VARCHAR, kind VARCHAR, print UBIGINT,
           partner UBIGINT, mate UBIGINT, combo UBIGINT, known_from DATE, is_superseded BOOLEAN)""",
    "CREATE OR REPLACE TABLE delivery (receipt BIGINT, source VARCHAR, file VARCHAR)",
    "CREATE OR REPLACE TABLE landed (mention BIGINT, receipt BIGINT, row INTEGER, role VARCHAR, row_key VARCHAR, relationship VARCHAR, address_protection VARCHAR)",
    """CREATE OR REPLACE TABLE incoming_register (mention BIGINT, household_number VARCHAR, relationship VARCHAR, nationality VARCHAR,
           address_protection VARCHAR, resident_from VARCHAR, resident_from_reason VARCHAR, resident_to VARCHAR, resident_to_reason VARCHAR,
           event_on VARCHAR, event_kind VARCHAR, registered_on VARCHAR, known_from DATE, is_silent BOOLEAN,
           has_stood BOOLEAN, told_from DATE, told_to DATE, former_number VARCHAR)""",
    "CREATE OR REPLACE TABLE incoming_other_place (mention BIGINT, address VARCHAR)",
)

ARRIVED = f"""
CREATE TABLE arrived AS
SELECT mention, receipt, source, file, row, role, kind, known_from, is_superseded, name IS NOT NULL OR name_kana IS NOT NULL AS is_named,
    -- without a date or a number a record means somebody only in its own month: ages and classes move on
    CASE WHEN born_on IS NULL AND own_number IS NULL AND resident_number IS NULL THEN date_trunc('month', known_from)::DATE END AS dated,
    hash(source, role, kind, {_FIELDS}, dated) AS print
FROM incoming
"""

TAKE_IN = (
    ARRIVED,
    f"""INSERT INTO printed
        WITH fresh AS (
            SELECT print, min(mention) AS mention FROM arrived ANTI JOIN printed USING (print) GROUP BY print
        )
        SELECT f.print, a.source, a.role, a.kind, {", ".join(f"i.{c}" for c in PRINTED_FIELDS)}, a.dated
        FROM incoming i JOIN fresh f USING (mention) JOIN arrived a USING (mention)""",
    f"""INSERT INTO incoming_mention
        WITH partner AS (
            SELECT receipt, row, arg_min(print, mention) AS print FROM arrived WHERE role IN {PARTNERS} AND is_named GROUP BY receipt, row
        ), subject AS (
            SELECT receipt, row, min(print) AS print FROM arrived WHERE role = 'subject' GROUP BY receipt, row
        )
        SELECT a.mention, a.receipt, a.row, a.role, a.kind, a.print, p.print, s.print, hash(a.print, p.print, s.print), a.known_from, a.is_superseded
        FROM arrived a LEFT JOIN partner p ON p.receipt = a.receipt AND p.row = a.row
        LEFT JOIN subject s ON a.role NOT IN ('subject', 'holder') AND s.receipt = a.receipt AND s.row = a.row""",
    "INSERT INTO delivery SELECT DISTINCT receipt, source, file FROM arrived ANTI JOIN delivery USING (receipt, source, file)",
    """INSERT INTO landed SELECT mention, receipt, row, role, row_key, relationship, address_protection FROM incoming
       WHERE relationship IS NOT NULL OR address_protection IS NOT NULL OR coalesce(list_contains(getvariable('protecting')::VARCHAR[], source), true)""",
    """INSERT INTO incoming_register SELECT mention, household_number, relationship, nationality, address_protection,
           resident_from, resident_from_reason, resident_to, resident_to_reason, event_on, event_kind, registered_on,
           known_from, is_superseded OR is_duplicate,
           NOT is_duplicate AND coalesce(told_until > told_on, true), CASE WHEN is_initial THEN NULL ELSE told_on END, told_until, former_number
       FROM incoming WHERE kind IN ('residents', 'moves') AND role = 'subject'""",
    """INSERT INTO incoming_other_place SELECT mention, unnest([moved_from, moved_to]) FROM incoming
       WHERE kind IN ('residents', 'moves') AND role = 'subject' AND coalesce(moved_from, moved_to) IS NOT NULL""",
)

BASE = """
SELECT l.rowid AS stood, l.print, l.source, coalesce(y.system, l.source) AS system,
    l.role, l.kind, plain_number(l.resident_number) AS resident_number, plain_own(l.own_number) AS own_number,
    n.name, n.surname, n.given, n.name_words,
    coalesce(k.kana, w.kana) AS kana,
    coalesce(k.surname_kana, w.surname_kana) AS surname_kana,
    coalesce(k.given_kana, w.given_kana) AS given_kana,
    coalesce(k.sorted_kana, w.sorted_kana) AS sorted_kana,
    coalesce(k.loose_kana, w.loose_kana) AS loose_kana,
    coalesce(k.turned_kana, w.turned_kana) AS turned_kana,
    coalesce(k.kana_words, w.kana_words) AS kana_words,
    CASE WHEN a.name IS NOT NULL OR h.kana IS NOT NULL THEN struct_pack(
        name := a.name, surname := a.surname, given := a.given, kana := coalesce(h.kana, r.kana), surname_kana := coalesce(h.surname_kana, r.surname_kana),
        given_kana := coalesce(h.given_kana, r.given_kana), sorted_kana := coalesce(h.sorted_kana, r.sorted_kana),
        loose_kana := coalesce(h.loose_kana, r.loose_kana), turned_kana := coalesce(h.turned_kana, r.turned_kana)) END AS alias,
    f.name AS former,
    filled(l.born_on) AS born_on,
    CASE WHEN upper(l.sex) IN ('M', '男', '男性', '1') THEN 'M' WHEN upper(l.sex) IN ('F', '女', '女性', '2') THEN 'F' END AS sex,
    p.town, p.number, filled(l.phone) AS phone,
    try_cast(regexp_extract(l.age, '\\d+') AS INTEGER) AS age, filled(l.school) AS school, filled(l.grade) AS grade,
    filled(l.child_born_on) AS child_born_on, hash(filled(l.class_name), filled(l.seat)) AS classed, l.dated
FROM printed l
LEFT JOIN systems y ON y.source = l.source
LEFT JOIN (FROM normal_name {of_name}) n ON n.value = l.name
LEFT JOIN (FROM normal_name {of_alias}) a ON a.value = l.alias_name
LEFT JOIN (FROM normal_kana {of_alias_kana}) h ON h.value = l.alias_kana
LEFT JOIN (FROM normal_kana {of_alias}) r ON r.value = l.alias_name AND h.kana IS NULL
LEFT JOIN (FROM normal_name {of_former}) f ON f.value = l.former_name
LEFT JOIN (FROM normal_kana {of_kana}) k ON k.value = l.name_kana
LEFT JOIN (FROM normal_kana {of_name}) w ON w.value = l.name AND k.kana IS NULL
LEFT JOIN (FROM normal_place {of_place}) p ON p.value = l.address
WHERE {part}
"""
"""A name that tells its own reading serves where no reading is printed beside it. ``stood``: where the print stands, about as first delivered."""

NORMAL_OF_PART = {
    f"of_{name}": f"WHERE value IN (SELECT l.{column} FROM printed l WHERE {{part}})"
    for name, column in (
        ("name", "name"),
        ("alias", "alias_name"),
        ("alias_kana", "alias_kana"),
        ("former", "former_name"),
        ("kana", "name_kana"),
        ("place", "address"),
    )
}

OTHER_PLACE = """
CREATE OR REPLACE TABLE other_place AS
SELECT DISTINCT o.mention, p.town, p.number FROM incoming_other_place o JOIN normal_place p ON p.value = o.address WHERE p.number IS NOT NULL;
DROP TABLE incoming_other_place
"""
"""Where the register says that somebody came from or went: compared with what a contract says, and nothing else."""

UNSPACED = r"""
CREATE OR REPLACE TABLE unspaced AS
SELECT value, name, surname, given FROM normal_name WHERE NOT regexp_matches(trim(value), '\s')
"""
"""Names printed without a space: whether a surname parts them hangs on the surnames known."""

COMBINATION = """
CREATE OR REPLACE TABLE combination AS
SELECT combo, any_value(print) AS print, any_value(partner) AS partner, any_value(mate) AS mate, min(mention) AS first,
    min(known_from) AS seen_from, max(known_from) AS seen_to, count(*) AS rows
FROM incoming_mention GROUP BY combo
"""
"""A print beside the partner and the subject its row names: the same in a thousand rows, looked at once."""

COMBINED = """
CREATE OR REPLACE TABLE combined AS
WITH fingerprint AS (
    SELECT DISTINCT c.print, c.partner,
        hash(b.source, b.kind, b.role, b.resident_number, b.own_number, b.name, b.surname, b.kana, b.given_kana, b.alias,
             b.former, b.born_on, b.sex, b.town, b.number, b.phone, b.child_born_on, g.name, g.kana,
             CASE WHEN b.dated IS NOT NULL THEN hash(b.age, b.school, b.grade, b.classed, b.dated) END) AS fingerprint
    FROM (SELECT print, partner FROM combination UNION SELECT mate, partner FROM combination WHERE mate IS NOT NULL) c
    JOIN base b ON b.print = c.print
    LEFT JOIN base g ON b.role = 'subject' AND g.print = c.partner
)
SELECT c.combo, c.print, b.stood, CASE WHEN b.role = 'subject' THEN c.partner END AS partner, c.first, c.seen_from, c.seen_to, c.rows,
    CASE WHEN b.role IN ('subject', 'holder') OR b.resident_number IS NOT NULL THEN f.fingerprint
         ELSE hash(f.fingerprint, m.fingerprint) END AS form_hash,
    m.fingerprint AS mate_hash
FROM combination c JOIN base b USING (print)
JOIN fingerprint f ON f.print = c.print AND f.partner IS NOT DISTINCT FROM c.partner
LEFT JOIN fingerprint m ON m.print = c.mate AND m.partner IS NOT DISTINCT FROM c.partner
"""

FORM_COLUMNS = """
    b.source, b.system, b.role, b.kind, b.resident_number, b.own_number, b.name, b.surname, b.given, b.kana, b.surname_kana, b.given_kana,
    b.sorted_kana, b.loose_kana, b.turned_kana, b.name_words, b.kana_words, b.alias, b.former, b.born_on, b.sex, b.town, b.number, b.phone,
    g.name AS guardian_name, g.kana AS guardian_kana, b.age, b.school, b.grade, b.child_born_on"""

NUMBERED = """
CREATE OR REPLACE TABLE numbered AS
-- ages, schools and grades move on under one number: those of the first day go with the first day
SELECT row_number() OVER (ORDER BY min(first)) AS form, form_hash,
    arg_min({stood: stood, partner: partner, mate_hash: mate_hash}, (seen_from, first)) AS print,
    min(seen_from) AS seen_from, max(seen_to) AS seen_to, sum(rows)::BIGINT AS rows
FROM combined GROUP BY form_hash
"""
"""Each form, and the print of its first day that says it."""

FORM = f"""
WITH first AS (
    SELECT form, form_hash, print.stood AS stood, print.partner AS partner, print.mate_hash AS mate_hash, seen_from, seen_to, rows
    FROM numbered WHERE {{part}}
)
SELECT c.form, c.form_hash, c.mate_hash, {FORM_COLUMNS}, c.seen_from, c.seen_to, c.rows
FROM first c JOIN base b USING (stood) LEFT JOIN (SELECT print, name, kana FROM base SEMI JOIN (SELECT partner AS print FROM first) USING (print)) g ON g.print = c.partner
ORDER BY c.form
"""
"""A guardian named without number is a different form beside each child: namesakes must not become one."""

FORMED = """
CREATE OR REPLACE TABLE formed AS
SELECT c.combo, c.print, c.partner, c.mate_hash, f.form, m.form AS mate
FROM combined c JOIN form f USING (form_hash) LEFT JOIN form m ON m.form_hash = c.mate_hash
"""

PLACED = """
CREATE OR REPLACE TABLE placed AS
SELECT i.mention, i.receipt, i.row, i.role, i.kind, f.form, f.mate, f.print, i.combo, i.known_from, i.is_superseded
FROM incoming_mention i JOIN formed f USING (combo) ORDER BY i.mention
"""

MENTION_VIEW = """
CREATE OR REPLACE VIEW mention AS
SELECT p.mention, p.receipt, d.source, d.file, p.row, p.role, p.kind, p.form, p.mate, p.print, p.known_from, p.is_superseded
FROM placed p JOIN delivery d USING (receipt)
"""

REGISTER = """
SELECT m.mention, m.receipt, m.form, m.kind, f.resident_number, filled(l.household_number) AS household_number,
    filled(l.relationship) AS relationship, filled(p.name) AS printed_name, filled(p.name_kana) AS printed_kana,
    filled(p.former_name) AS printed_former, filled(p.alias_name) AS printed_alias, filled(p.address) AS printed_address,
    l.nationality, l.address_protection, f.born_on, f.sex, f.town, f.number,
    try_cast(l.resident_from AS DATE) AS resident_from, filled(l.resident_from_reason) AS from_reason,
    try_cast(l.resident_to AS DATE) AS resident_to, filled(l.resident_to_reason) AS to_reason,
    try_cast(l.event_on AS DATE) AS event_on, filled(l.event_kind) AS event_kind,
    try_cast(l.registered_on AS DATE) AS registered_on, l.known_from, l.is_silent,
    l.has_stood, l.told_from, l.told_to, plain_number(l.former_number) AS former_number
FROM incoming_register l JOIN placed m USING (mention) JOIN form f USING (form) JOIN printed p USING (print)
WHERE {part} ORDER BY m.mention
"""
"""What the resident register prints, row by row, for timelines and for the persons' own cards."""

"""Gather landed rows into forms: each distinct way one source writes one person (identity side).

A million rows hold a few hundred thousand forms; everything after this step works on forms.
Two rows share a form only when all that identifies is the same after normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from kodomo.intake.addresses import normalise_address
from kodomo.intake.normalise import (
    is_unnamed,
    learn_surnames,
    loose_kana,
    normalise_name,
    over_distinct,
    spaced_kana,
    split_words,
)


@dataclass(frozen=True)
class Printing:
    """What has to be known about who printed the rows.

    Args:
        systems: source code -> which numbering its own numbers belong to (sources of one numbering share them).
        prefecture, city: the municipality, which its own offices often leave out of addresses.
    """

    systems: Mapping[str, str]
    prefecture: str = ""
    city: str = ""


def gather_forms(connection: duckdb.DuckDBPyConnection, mentions: pa.Table, printing: Printing) -> None:
    """Make the tables ``mention`` (a row per landed mention) and ``form`` (a row per distinct way of writing).

    Reads the Arrow table of ``landed_mentions``; writes only into the given connection, where it stays
    visible as ``landed`` with a column ``mention`` that numbers its rows.
    """
    numbered = mentions.append_column("mention", pa.array(range(mentions.num_rows), pa.int64()))
    connection.register("landed", numbered)
    connection.register(
        "systems", pa.table({"source": list(printing.systems), "system": list(printing.systems.values())})
    )
    _register_normal_forms(connection, mentions, printing)
    for statement in (MACROS, BASE, PARTNERS, HASHED, FORM, MENTION, REGISTER):
        connection.execute(statement)
    for name in ("base", "partner", "hashed"):
        connection.execute(f"DROP TABLE {name}")
    for name in ("systems", "normal_name", "normal_kana", "normal_place"):
        connection.unregister(name)


def _register_normal_forms(connection: duckdb.DuckDBPyConnection, mentions: pa.Table, printing: Printing) -> None:
    written = pa.chunked_array(
        [c for n in ("name", "alias_name", "former_name") for c in mentions[n].chunks], pa.string()
    )
    surnames = learn_surnames(mentions["name"].unique().drop_null().to_pylist())
    names = over_distinct(written, lambda text: normalise_name(text, surnames))
    connection.register("normal_name", pa.table({
        "value": list(names),
        "name": [n.key or None for n in names.values()],
        "surname": [n.surname or None for n in names.values()],
        "given": [n.given or None for n in names.values()],
        "kana": [n.kana or None for n in names.values()],
    }, schema=_text("value", "name", "surname", "given", "kana")))  # fmt: skip
    readings = over_distinct(pa.chunked_array([*mentions["name_kana"].chunks, *written.chunks], pa.string()), _reading)
    connection.register("normal_kana", pa.table(
        {"value": list(readings), **{k: [r[i] or None for r in readings.values()] for i, k in enumerate(READING)}},
        schema=_text("value", *READING)))  # fmt: skip
    places = over_distinct(
        mentions["address"], lambda text: normalise_address(text, printing.prefecture, printing.city)
    )
    connection.register("normal_place", pa.table({
        "value": list(places),
        "town": [p.town or None for p in places.values()],
        "number": [p.number or None for p in places.values()],
    }, schema=_text("value", "town", "number")))  # fmt: skip


READING = ("kana", "surname_kana", "given_kana", "sorted_kana", "loose_kana")


def _reading(text: str) -> tuple[str, str, str, str, str]:
    words = spaced_kana(text).split()
    surname, given = split_words(words)
    if is_unnamed(given):
        return "", surname, "", "", ""
    whole = "".join(words)
    return whole, surname, given, "".join(sorted(words)), loose_kana(whole)


def _text(*names: str) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


MACROS = """
CREATE OR REPLACE MACRO same_name(a, b) AS
    a = b OR ((contains(a, '〓') OR contains(b, '〓')) AND length(a) = length(b)
              AND (a LIKE replace(b, '〓', '_') OR b LIKE replace(a, '〓', '_')));
CREATE OR REPLACE MACRO drops_one(a, b) AS
    len(list_filter(range(1, length(a) + 1), lambda i: left(a, i - 1) || substr(a, i + 1) = b)) > 0;
CREATE OR REPLACE MACRO one_off(a, b) AS CASE
    WHEN length(a) = length(b) THEN len(list_filter(range(1, length(a) + 1), lambda i: substr(a, i, 1) <> substr(b, i, 1))) = 1
    WHEN length(a) = length(b) + 1 THEN drops_one(a, b) WHEN length(b) = length(a) + 1 THEN drops_one(b, a) ELSE false END;
CREATE OR REPLACE MACRO filled(a) AS nullif(trim(a), '');
CREATE OR REPLACE MACRO plain_number(a) AS nullif(ltrim(trim(a), '0'), '');
"""

# DuckDB's levenshtein and jaro_winkler count bytes: any two kana would look two thirds alike.

BASE = """
CREATE OR REPLACE TABLE base AS
SELECT l.mention, l.receipt, l.source, coalesce(y.system, l.source) AS system, l.file, l.row,
    l.role, l.kind, plain_number(l.resident_number) AS resident_number, filled(l.own_number) AS own_number,
    n.name, n.surname, n.given,
    coalesce(k.kana, n.kana) AS kana,
    coalesce(k.surname_kana, w.surname_kana) AS surname_kana,
    coalesce(k.given_kana, w.given_kana) AS given_kana,
    coalesce(k.sorted_kana, w.sorted_kana) AS sorted_kana,
    coalesce(k.loose_kana, w.loose_kana) AS loose_kana,
    a.name AS alias, f.name AS former,
    filled(l.born_on) AS born_on,
    CASE WHEN upper(l.sex) IN ('M', '男', '男性', '1') THEN 'M' WHEN upper(l.sex) IN ('F', '女', '女性', '2') THEN 'F' END AS sex,
    p.town, p.number, filled(l.phone) AS phone,
    try_cast(regexp_extract(l.age, '\\d+') AS INTEGER) AS age, filled(l.school) AS school, filled(l.grade) AS grade,
    l.known_from, l.is_superseded
FROM landed l
LEFT JOIN systems y ON y.source = l.source
LEFT JOIN normal_name n ON n.value = l.name
LEFT JOIN normal_name a ON a.value = l.alias_name
LEFT JOIN normal_name f ON f.value = l.former_name
LEFT JOIN normal_kana k ON k.value = l.name_kana
LEFT JOIN normal_kana w ON w.value = l.name AND n.kana IS NOT NULL AND k.kana IS NULL
LEFT JOIN normal_place p ON p.value = l.address
"""
"""A name written in kana serves as its own reading."""

PARTNERS = """
CREATE OR REPLACE TABLE partner AS
SELECT receipt, row, arg_min(name, mention) AS name, arg_min(kana, mention) AS kana,
    arg_min(resident_number, mention) AS resident_number
FROM base WHERE role IN ('guardian', 'mother', 'father', 'household_head') GROUP BY receipt, row
"""
"""Whom a row names beside its subject: evidence for the subject."""

HASHED = """
CREATE OR REPLACE TABLE hashed AS
WITH subjects AS (
    SELECT b.mention, b.receipt, b.row, g.name AS guardian_name, g.kana AS guardian_kana,
        hash(b.source, b.kind, b.role, b.resident_number, b.own_number, b.name, b.surname, b.kana, b.given_kana, b.alias,
             b.former, b.born_on, b.sex, b.town, b.number, b.phone, g.name, g.kana,
             CASE WHEN b.born_on IS NULL AND b.own_number IS NULL AND b.resident_number IS NULL
                  THEN hash(b.age, b.school, b.grade, date_trunc('month', b.known_from)) END) AS fingerprint
    FROM base b LEFT JOIN partner g ON b.role = 'subject' AND g.receipt = b.receipt AND g.row = b.row
)
SELECT s.*, CASE WHEN b.role IN ('subject', 'holder') OR b.resident_number IS NOT NULL THEN s.fingerprint
                 ELSE hash(s.fingerprint, m.fingerprint) END AS form_hash,
    CASE WHEN b.role NOT IN ('subject', 'holder') THEN m.fingerprint END AS mate_hash
FROM subjects s JOIN base b USING (mention)
LEFT JOIN (SELECT s.receipt, s.row, s.fingerprint FROM subjects s JOIN base b USING (mention) WHERE b.role = 'subject') m
    ON m.receipt = s.receipt AND m.row = s.row
"""
"""A guardian named without number is a different form beside each child: namesakes must not become one."""

FORM = """
CREATE OR REPLACE TABLE form AS
SELECT row_number() OVER (ORDER BY min(b.mention)) AS form, h.form_hash, any_value(h.mate_hash) AS mate_hash,
    any_value(b.source) AS source, any_value(b.system) AS system, any_value(b.role) AS role, any_value(b.kind) AS kind,
    any_value(b.resident_number) AS resident_number, any_value(b.own_number) AS own_number,
    any_value(b.name) AS name, any_value(b.surname) AS surname, any_value(b.given) AS given,
    any_value(b.kana) AS kana, any_value(b.surname_kana) AS surname_kana, any_value(b.given_kana) AS given_kana,
    any_value(b.sorted_kana) AS sorted_kana, any_value(b.loose_kana) AS loose_kana,
    any_value(b.alias) AS alias, any_value(b.former) AS former,
    any_value(b.born_on) AS born_on, any_value(b.sex) AS sex, any_value(b.town) AS town, any_value(b.number) AS number,
    any_value(b.phone) AS phone, any_value(h.guardian_name) AS guardian_name, any_value(h.guardian_kana) AS guardian_kana,
    any_value(b.age) AS age, any_value(b.school) AS school, any_value(b.grade) AS grade,
    min(b.known_from) AS seen_from, max(b.known_from) AS seen_to, count(*) AS rows
FROM hashed h JOIN base b USING (mention) GROUP BY h.form_hash
"""

MENTION = """
CREATE OR REPLACE TABLE mention AS
SELECT b.mention, b.receipt, b.source, b.file, b.row, b.role, b.kind, f.form, m.form AS mate, b.is_superseded
FROM base b JOIN hashed h USING (mention) JOIN form f USING (form_hash)
LEFT JOIN form m ON m.form_hash = h.mate_hash
ORDER BY b.mention
"""

REGISTER = """
CREATE OR REPLACE TABLE register AS
SELECT m.mention, m.form, m.kind, b.resident_number, filled(l.household_number) AS household_number,
    filled(l.relationship) AS relationship, filled(l.name) AS printed_name, filled(l.name_kana) AS printed_kana,
    filled(l.former_name) AS printed_former, filled(l.alias_name) AS printed_alias, filled(l.address) AS printed_address,
    l.nationality, l.address_protection, b.born_on, b.sex, b.town, b.number,
    try_cast(l.resident_from AS DATE) AS resident_from, filled(l.resident_from_reason) AS from_reason,
    try_cast(l.resident_to AS DATE) AS resident_to, filled(l.resident_to_reason) AS to_reason,
    try_cast(l.event_on AS DATE) AS event_on, filled(l.event_kind) AS event_kind,
    try_cast(l.registered_on AS DATE) AS registered_on, l.known_from, l.is_superseded OR l.is_duplicate AS is_silent
FROM landed l
JOIN base b USING (mention) JOIN mention m USING (mention)
WHERE l.kind IN ('residents', 'moves') AND l.role = 'subject'
ORDER BY m.mention
"""
"""What the resident register prints, row by row, for timelines and for the persons' own cards."""

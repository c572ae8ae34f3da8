"""The gate between the sides: looks at every column of a snapshot before it leaves the identity side (identity side).

It doesn't trust the code that built the tables: it compares what is about to be published with
every name, reading, address and number in the vault, and refuses on the first likeness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.errors import IntegrityFault
from kodomo.intake.addresses import normalise_address
from kodomo.intake.characters import fold_characters
from kodomo.intake.normalise import fold_kana_within, normalise_kana

KEY = re.compile(r"^[ph][a-z2-7]{20}$")
AREA = re.compile(r"^(a[0-9a-f]{8}|OTHER)$")
LONGEST_CODE = 40
MOST_CODES = 300
"""More different values than this for one item is free text, whatever the layout calls it."""

KEY_COLUMNS = frozenset({"person_key", "household_key", "child_key", "relative_key", "other_key"})
PLAIN_COLUMNS = frozenset({"item", "source", "kind", "began_by", "ended_by", "sex"})
"""Words of the product and of the register, not of any record."""
DECLARED_COLUMNS = frozenset({"caption"})
"""What the municipality calls its sources and items: a place called あさひ is no leak of the child あさひ."""
COMMON = 20
"""A code of so many people is a category, though somebody be called so: a name stands beside few, and rare ones beside it."""
SHORTEST_INSIDE = {"name": 3, "kana": 5, "address": 5, "number": 5}
"""An identity shorter than this counts only when it is the whole value: 林光 inside a school's name is chance."""

IDENTITY_COLUMNS = {
    "name": "name", "former_name": "name", "alias_name": "name", "name_kana": "kana", "alias_kana": "kana", "address": "address",
    "moved_from": "address", "moved_to": "address",
    "resident_number": "number", "former_number": "number", "own_number": "number", "household_number": "number", "phone": "number", "row_key": "number",
}  # fmt: skip


def check_snapshot(tables: Mapping[str, pa.Table], mentions: pa.Table) -> dict[str, int]:
    """Pass a snapshot's tables or refuse them.

    A key column holds pseudonyms only, a month column first days of months only, a code column a
    short list of short values only; and no text anywhere is or contains a name, a reading, an
    address or a number of a landed record.

    Returns:
        Counts: columns looked at, different values compared, identities they were compared with.

    Raises:
        IntegrityFault: names the table, the column and how many values; never a value.
    """
    texts: dict[str, list[tuple[str, str]]] = {}
    columns = 0
    for table, data in tables.items():
        for name in data.column_names:
            columns += 1
            for value in _check_column(table, name, data) if name not in DECLARED_COLUMNS else ():
                texts.setdefault(value, []).append((table, name))
    whole, inside = _pieces({text: text for text, places in texts.items() if {n for _, n in places} - PLAIN_COLUMNS})
    # Names of items, sources and kinds are the register's own words: Lan inside checkup_language is chance.
    whole = {form: text for text in texts for form in _foldings(text)} | whole
    compared = 0
    for kind, identity in _identities(mentions):
        compared += 1
        hit = whole.get(identity) or (inside.get(identity) if len(identity) >= SHORTEST_INSIDE[kind] else None)
        if hit and not all(name == "code" and _is_common(tables[table], hit) for table, name in texts[hit]):
            table, name = texts[hit][0]
            _refuse(table, name, 1, "識別情報と同じ文字の並びがあります", _items_saying(tables[table], name, hit))
    return {"columns": columns, "values": len(texts), "identities": compared}


def _is_common(data: pa.Table, code: str) -> bool:
    """Whether so many people bear a code that it is a category."""
    bearing = data.filter(pc.equal(data["code"], code))
    return bool("person_key" in data.column_names and len(pc.unique(bearing["person_key"])) >= COMMON)


def _items_saying(data: pa.Table, column: str, text: str) -> str:
    """The items whose values hold a text: they lead to the layout, and the text itself is never told."""
    if "item" not in data.column_names:
        return ""
    return "、".join(sorted(pc.unique(data.filter(pc.equal(data[column], text))["item"]).to_pylist()))


def _check_column(table: str, name: str, data: pa.Table) -> list[str]:
    """The different texts of a column that have to be compared with identities; keys are checked by their form."""
    column = data[name]
    if pa.types.is_date(column.type) and name == "born_month":
        days = pc.day(column.drop_null())
        _refuse_if(table, name, pc.sum(pc.not_equal(days, 1)).as_py() or 0, "月初日でない日付があります")
    if not pa.types.is_string(column.type):
        return []
    distinct: list[str] = pc.unique(column.drop_null()).to_pylist()
    if name in KEY_COLUMNS:
        _refuse_if(table, name, sum(not KEY.match(v) for v in distinct), "仮名キーでない値があります")
        return []
    if name == "area_code":
        _refuse_if(table, name, sum(not AREA.match(v) for v in distinct), "地区の符号でない値があります")
        return []
    _refuse_if(
        table, name, sum(len(v) > LONGEST_CODE for v in distinct), "区分にしては長い値(自由記述の疑い)があります"
    )
    if name in data.column_names and name not in PLAIN_COLUMNS:
        _refuse_if(
            table, name, _most_codes(data, name) > MOST_CODES, "区分にしては種類の多い値(自由記述の疑い)があります"
        )
    return distinct


def _most_codes(data: pa.Table, name: str) -> int:
    if "item" not in data.column_names:
        return len(pc.unique(data[name].drop_null()))
    distinct = data.select(["item", name]).group_by(["item"]).aggregate([(name, "count_distinct")])
    return max(distinct[f"{name}_count_distinct"].to_pylist(), default=0)


def _pieces(texts: Mapping[str, object]) -> tuple[dict[str, str], dict[str, str]]:
    """Every folding of every text, and every piece of every folding, back to the text itself."""
    whole: dict[str, str] = {}
    inside: dict[str, str] = {}
    shortest = min(SHORTEST_INSIDE.values())
    for text in texts:
        for form in _foldings(text):
            whole[form] = text
            for start in range(len(form)):
                for end in range(start + shortest, len(form) + 1):
                    inside.setdefault(form[start:end], text)
    return whole, inside


def _foldings(text: str) -> set[str]:
    """A text as the vault's names, readings and addresses are folded, nothing left out of it but spaces."""
    kana = re.sub(r"[\sー]", "", fold_kana_within(text))
    forms = {text, fold_characters(text), kana, normalise_address(text).value}
    return {re.sub(r"\s", "", form) for form in forms} - {""}


def _identities(mentions: pa.Table) -> Iterator[tuple[str, str]]:
    for column, kind in IDENTITY_COLUMNS.items():
        for value in pc.unique(mentions[column].drop_null()).to_pylist():
            bare = re.sub(r"\s", "", value)
            if not bare:
                continue
            if kind == "number":
                # Short running numbers (1, 2, 3 …) identify nobody and occur everywhere.
                if len(bare) >= SHORTEST_INSIDE["number"]:
                    yield kind, bare
            elif kind == "address":
                parts = normalise_address(value)
                if parts.number:
                    yield kind, bare
                    yield kind, parts.town + parts.number
            elif len(bare) >= 2:
                yield _script(bare), bare
                yield (
                    _script(bare),
                    normalise_kana(value) if kind == "kana" else re.sub(r"\s", "", fold_characters(value)),
                )


def _script(text: str) -> str:
    """A name in kana is a reading: three kana are a call name, and begin many a school's name."""
    return "kana" if re.fullmatch(r"[ぁ-ゖァ-ヺー・ｦ-ﾟ]+", text) else "name"


def _refuse_if(table: str, column: str, count: int, what: str) -> None:
    if count:
        _refuse(table, column, int(count), what)


def _refuse(table: str, column: str, count: int, what: str, items: str = "") -> None:
    raise IntegrityFault(
        f"公表の前の点検で止めました。{what}。",
        where=f"表 {table} 列 {column} ({count} 種類{'、項目 ' + items if items else ''})",
        then="レイアウトの列の種類と区分の対応を見直し、受け取りからやり直してください。スナップショットは作られていません。",
        table=table,
        column=column,
    )

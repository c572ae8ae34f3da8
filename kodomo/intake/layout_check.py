"""Everything that can be wrong with a layout file, in words its author can act on (identity side)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kodomo.intake.dates import is_era
from kodomo.terms import Delivery
from kodomo.vault.records import MENTION_FIELDS

KINDS = ("observations", "residents", "moves")
FORMATS = ("csv", "tsv", "xlsx")
ENCODINGS = ("cp932", "utf-8-sig", "utf-8", "utf-16", "iso-2022-jp")
PERSON_ROLES = ("subject", "guardian", "mother", "father", "household_head", "holder")

COLUMN_TYPES = (
    "text", "kana", "name", "address", "integer", "decimal", "date", "month", "flag", "code",
    "identifier", "sex",
)  # fmt: skip

SEXES = ("男", "女", "その他", "不明")

DATE_FIELDS = ("born_on", "resident_from", "resident_to", "event_on", "registered_on")
SPELL_WORDS = ("month_end", "year_end", "same_day")

Kind = type | tuple[type, ...]

TOP: dict[str, Kind] = {
    "source": str, "caption": str, "system": str, "holder": str, "delivery": str, "lag_days": int,
    "freshness_days": int, "ages": list, "file": dict, "record": dict, "columns": list, "facts": list,
}  # fmt: skip
FILE: dict[str, Kind] = {
    "pattern": str, "format": str, "encoding": str, "sheet": str, "skip_top": int, "footer": str, "extracted_on": str,
}  # fmt: skip
RECORD: dict[str, Kind] = {"kind": str, "row_key": str, "identity": list}
COLUMN: dict[str, Kind] = {
    "name": str, "type": str, "item": str, "occurrence": int, "required": bool, "codes": dict, "unknown": list,
    "minimum": (int, float), "maximum": (int, float), "era": str, "person": str, "field": str, "ignore": str,
}  # fmt: skip
FACT: dict[str, Kind] = {
    "item": str, "person": str, "number": str, "code": str, "constant": str, "valid_from": str, "valid_to": str,
    "known_from": str, "when": dict,
}  # fmt: skip

_KIND_WORDS: dict[Any, str] = {
    str: "文字列", int: "整数", (int, float): "数", bool: "true か false", list: "[ ] の並び", dict: "{ } の表",
}  # fmt: skip

Add = Callable[[str, str], None]


def check_layout(body: Mapping[str, Any]) -> list[str]:
    """All faults of one layout's TOML, each as ``key: what is wrong``; an empty list when there is none.

    A fault of form (a key nobody knows, a value of the wrong kind) hides faults of sense in the
    same part, so that no fault is a mere echo of another.
    """
    faults: list[str] = []

    def add(key: str, words: str) -> None:
        faults.append(f"{key}: {words}")

    needed = ("source", "caption", "system", "holder", "lag_days", "freshness_days", "file", "columns")
    if not _form(body, TOP, "", needed, add):
        return faults
    _check_top(body, add)
    if _form(body["file"], FILE, "file.", ("pattern", "format"), add):
        _check_file(body["file"], add)
    columns = _check_columns(body["columns"], add)
    record = body.get("record", {})
    if columns is not None and _form(record, RECORD, "record.", (), add):
        _check_record(record, columns, add)
    if columns is not None:
        for position, fact in enumerate(body.get("facts", ()), 1):
            _check_fact(fact, f"facts[{position}]", columns, add)
    return faults


def _form(part: Any, known: Mapping[str, Kind], prefix: str, needed: tuple[str, ...], add: Add) -> bool:
    """Whether a part has only known keys, the needed ones, and values of the right kind."""
    if not isinstance(part, dict):
        add(prefix.rstrip("."), "{ } の表で書いてください")
        return False
    is_good = True
    for key in part.keys() - known.keys():
        add(prefix + key, "知らない項目です")
        is_good = False
    for key in needed:
        if part.get(key) in (None, ""):
            add(prefix + key, "書かれていません")
            is_good = False
    for key, value in part.items():
        kind = known.get(key)
        if kind and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            add(prefix + key, f"{_KIND_WORDS[kind]}で書いてください")
            is_good = False
    return is_good


def _check_top(body: Mapping[str, Any], add: Add) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", body["source"]):
        add("source", "英小文字・数字・_ で書いてください")
    if body.get("delivery", "MEDIA") not in list(Delivery):
        add("delivery", f"使えるのは {'、'.join(Delivery)} です")
    if body["lag_days"] < 0:
        add("lag_days", "0 以上で書いてください")
    if body["freshness_days"] < 1:
        add("freshness_days", "1 以上で書いてください")
    ages = body.get("ages", [])
    is_pair = len(ages) == 2 and all(isinstance(a, int) for a in ages) and 0 <= ages[0] <= ages[1]
    if ages and not is_pair:
        add("ages", "[下限, 上限] の二つの年齢で書いてください")


def _check_file(file: Mapping[str, Any], add: Add) -> None:
    if file["format"] not in FORMATS:
        add("file.format", f"「{file['format']}」は使えません(使えるのは {'、'.join(FORMATS)})")
    if file.get("encoding", "cp932") not in ENCODINGS:
        add("file.encoding", f"「{file['encoding']}」は使えません(使えるのは {'、'.join(ENCODINGS)})")
    if not 0 <= file.get("skip_top", 0) <= 1000:
        add("file.skip_top", "0 から 1000 までで書いてください")
    for key, groups in (("footer", None), ("extracted_on", 1)):
        try:
            pattern = re.compile(file.get(key, "()"))
        except re.error:
            add(f"file.{key}", "正規表現として読めません")
            continue
        if groups is not None and pattern.groups != groups:
            add(f"file.{key}", "かっこ( )をちょうど一つ使ってください")


def _check_columns(columns: list[Any], add: Add) -> dict[str, Mapping[str, Any]] | None:
    """Check each column; returns them by reference, or None when their form is too broken to go on."""
    if not columns:
        add("columns", "列が一つもありません")
        return None
    by_reference: dict[str, Mapping[str, Any]] = {}
    is_good = True
    for position, column in enumerate(columns, 1):
        key = f"columns[{position}]"
        if not _form(column, COLUMN, f"{key}.", ("name", "type"), add):
            is_good = False
            continue
        key = f"columns「{column['name']}」"
        _check_column(column, key, add)
        occurrence = column.get("occurrence", 1)
        reference = column["name"] if occurrence == 1 else f"{column['name']}#{occurrence}"
        if reference in by_reference:
            add(key, "同じ見出し・同じ順番(occurrence)の列が二度書かれています")
        by_reference[reference] = column
    return by_reference if is_good else None


def _check_column(column: Mapping[str, Any], key: str, add: Add) -> None:
    kind = column["type"]
    if kind not in COLUMN_TYPES:
        add(f"{key}.type", f"「{kind}」は使えません(使えるのは {'、'.join(COLUMN_TYPES)})")
        return
    if column.get("occurrence", 1) < 1:
        add(f"{key}.occurrence", "1 以上で書いてください")
    if column.get("ignore"):
        for word in ("person", "field", "required"):
            if column.get(word):
                add(f"{key}.{word}", "ignore(受け取らない)と同時には書けません")
        return
    _check_codes(column, key, add)
    _check_bounds(column, key, add)
    _check_person(column, key, add)
    if column.get("era") and (kind not in ("date", "month") or not is_era(column["era"])):
        add(f"{key}.era", "type が date か month の列に、明治〜令和(M〜R)のどれかで書いてください")


def _check_codes(column: Mapping[str, Any], key: str, add: Add) -> None:
    kind, codes = column["type"], column.get("codes", {})
    if kind == "code" and not codes:
        add(f"{key}.codes", "type が code の列には、コード表が要ります")
    if codes and kind not in ("code", "flag", "sex"):
        add(f"{key}.codes", "type が code、flag、sex の列にだけ書けます")
    if not all(isinstance(meaning, str) and meaning for meaning in codes.values()):
        add(f"{key}.codes", '意味は文字列で書いてください(例: "1" = "有")')
        return
    allowed = {"flag": ("0", "1"), "sex": SEXES}.get(kind)
    if allowed and set(codes.values()) - set(allowed):
        add(f"{key}.codes", f"意味に使えるのは {'、'.join(allowed)} です")
    if not all(isinstance(word, str) for word in column.get("unknown", ())):
        add(f"{key}.unknown", "文字列の並びで書いてください")


def _check_bounds(column: Mapping[str, Any], key: str, add: Add) -> None:
    low, high = column.get("minimum"), column.get("maximum")
    if (low is not None or high is not None) and column["type"] not in ("integer", "decimal"):
        add(f"{key}.minimum/maximum", "type が integer か decimal の列にだけ書けます")
    if low is not None and high is not None and low > high:
        add(f"{key}.minimum/maximum", "minimum が maximum より大きくなっています")


def _check_person(column: Mapping[str, Any], key: str, add: Add) -> None:
    person, name = column.get("person", ""), column.get("field", "")
    if bool(person) != bool(name):
        add(f"{key}.person/field", "person と field は両方書いてください")
        return
    if not person:
        return
    if person not in PERSON_ROLES:
        add(f"{key}.person", f"「{person}」は使えません(使えるのは {'、'.join(PERSON_ROLES)})")
    if name not in MENTION_FIELDS:
        add(f"{key}.field", f"「{name}」は使えません(使えるのは {'、'.join(MENTION_FIELDS)})")
    if name in DATE_FIELDS and column["type"] != "date":
        add(f"{key}.type", f"field が {name} の列は date にしてください")
    if name == "sex" and column["type"] != "sex":
        add(f"{key}.type", "field が sex の列は sex にしてください")
    if name == "address_protection" and column["type"] not in ("flag", "code"):
        add(f"{key}.type", "field が address_protection の列は flag か code にしてください")
    if not column.get("item"):
        add(f"{key}.item", "人を示す列には、登録簿のデータ項目が要ります")


def _check_record(record: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]], add: Add) -> None:
    kind = record.get("kind", "observations")
    if kind not in KINDS:
        add("record.kind", f"「{kind}」は使えません(使えるのは {'、'.join(KINDS)})")
    if record.get("row_key"):
        _check_reference(record["row_key"], "record.row_key", columns, None, add)
    for name in record.get("identity", ()):
        _check_reference(name, "record.identity", columns, None, add)
    fields = {(c.get("person"), c.get("field")) for c in columns.values()}
    wanted = {"residents": ("resident_number",), "moves": ("resident_number", "event_on", "event_kind")}
    for name in wanted.get(kind, ()):
        if ("subject", name) not in fields:
            add("record.kind", f"{kind} には、person が subject で field が {name} の列が要ります")


def _check_reference(
    name: Any, key: str, columns: Mapping[str, Mapping[str, Any]], kinds: tuple[str, ...] | None, add: Add
) -> Mapping[str, Any] | None:
    column = columns.get(name) if isinstance(name, str) else None
    if column is None:
        add(key, f"列「{name}」が columns にありません")
    elif column.get("ignore"):
        add(key, f"列「{name}」は受け取らない(ignore)列です")
    elif kinds and column["type"] not in kinds:
        add(key, f"列「{name}」の type は {'、'.join(kinds)} のどれかにしてください")
    else:
        return column
    return None


def _check_fact(fact: Any, key: str, columns: Mapping[str, Mapping[str, Any]], add: Add) -> None:
    if not _form(fact, FACT, f"{key}.", ("item", "valid_from"), add):
        return
    key = f"{key}({fact['item']})"
    person = fact.get("person", "subject")
    if person not in {c.get("person") for c in columns.values()}:
        add(f"{key}.person", f"「{person}」を示す列が columns にありません")
    if sum(bool(fact.get(word)) for word in ("code", "constant")) > 1:
        add(f"{key}.constant", "code と constant は同時に書けません")
    _check_reference(fact["valid_from"], f"{key}.valid_from", columns, ("date", "month"), add)
    if fact.get("valid_to") and fact["valid_to"] not in SPELL_WORDS:
        _check_reference(fact["valid_to"], f"{key}.valid_to", columns, ("date", "month"), add)
    optional = (("known_from", ("date", "month")), ("number", ("integer", "decimal", "flag")),
                ("code", ("code", "flag", "text", "sex")))  # fmt: skip
    for word, kinds in optional:
        if fact.get(word):
            _check_reference(fact[word], f"{key}.{word}", columns, kinds, add)
    for name, meanings in fact.get("when", {}).items():
        _check_condition(name, meanings, f"{key}.when", columns, add)


def _check_condition(name: str, meanings: Any, key: str, columns: Mapping[str, Mapping[str, Any]], add: Add) -> None:
    column = _check_reference(name, key, columns, None, add)
    if not isinstance(meanings, list) or not meanings or not all(isinstance(m, str) for m in meanings):
        add(key, f"列「{name}」の条件は、意味の並びで書いてください")
        return
    if column is None:
        return
    possible = set(column.get("codes", {}).values()) or ({"0", "1"} if column["type"] == "flag" else set())
    for meaning in meanings:
        if possible and meaning not in possible:
            add(key, f"列「{name}」の意味「{meaning}」は codes にありません")

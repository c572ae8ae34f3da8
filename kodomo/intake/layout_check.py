"""Everything that can be wrong with a layout file, in words its author can act on (identity side)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kodomo.intake import layout_keys as keys
from kodomo.intake.dates import is_era
from kodomo.intake.layout_repeat import spelt_out
from kodomo.terms import Delivery

SEXES = ("男", "女", "その他", "不明")
DATE_FIELDS = ("born_on", "child_born_on", "resident_from", "resident_to", "event_on", "registered_on")
SPELL_WORDS = ("month_end", "year_end", "same_day")
SPELL_STARTS = ("date", "month", "fiscal_year")
ORIGINS = ("join", "value", "found_in", "part_of")
"""Where a column's values come from, if it isn't printed as a column of its own."""

_KIND_WORDS: dict[Any, str] = {
    str: "文字列", int: "整数", (int, float): "数", bool: "true か false", list: "[ ] の並び", dict: "{ } の表",
    (str, list): "文字列か [ ] の並び", (str, int, list): "文字列、整数か [ ] の並び", (int, str): "整数",
    (str, int): "文字列か整数", (bool, str): 'true、false か "〃" ',
}  # fmt: skip
_MONTH_PLACE = "{}"
_WRITTEN_OUT = ("group", "template")

Add = Callable[[str, str], None]
Columns = Mapping[str, Mapping[str, Any]]


def check_layout(body: Mapping[str, Any]) -> list[str]:
    """All faults of one layout's TOML, each as ``key: what is wrong``; an empty list when there is none.

    A fault of form (a key nobody knows, a value of the wrong kind) hides faults of sense in the
    same part, so that no fault is a mere echo of another.
    """
    faults: list[str] = []

    def add(key: str, words: str) -> None:
        if f"{key}: {words}" not in faults:
            faults.append(f"{key}: {words}")

    if not _form(body, "", "", add):
        return faults
    _check_top(body, add)
    is_file_good = _form(body["file"], "file", "file.", add)
    if is_file_good:
        _check_file(body["file"], add)
    if not _check_blocks(body, add):
        return faults
    flat = spelt_out(body)
    columns = _check_columns(flat["columns"], add)
    if columns is None:
        return faults
    if is_file_good:
        _check_places(columns, body["file"], add)
    for reference, column in columns.items():
        for name, meanings in column.get("when", {}).items():
            _check_condition(name, meanings, f"columns「{reference}」.when", columns, add)
        if column.get("year_from"):
            _check_reference(
                column["year_from"], f"columns「{reference}」.year_from", columns, ("fiscal_year", "date"), add
            )
    record = body.get("record", {})
    if _form(record, "record", "record.", add):
        _check_record(record, columns, add)
        if "dated" in body and is_file_good:
            _check_dated(body, columns, flat["facts"], add)
    for position, fact in enumerate(flat["facts"], 1):
        _check_fact(fact, f"facts[{position}]", columns, add)
    return faults


def _form(part: Any, part_name: str, prefix: str, add: Add) -> bool:
    """Whether a part has only known keys, the needed ones, and values of the right kind."""
    if not isinstance(part, dict):
        add(prefix.rstrip("."), "{ } の表で書いてください")
        return False
    known = {key.name: key for key in keys.PARTS[part_name][1]}
    is_good = True
    for name in part.keys() - known.keys() - set(_WRITTEN_OUT):
        add(prefix + name, f"知らない項目です{_nearest(name, known)}")
        is_good = False
    for key in known.values():
        if key.needed and part.get(key.name) in (None, "", []):
            empty = part_name == "" and key.name == "columns" and (part.get("repeat") or part.get("people"))
            if not empty:
                add(prefix + key.name, "書かれていません")
                is_good = False
    for name, value in part.items():
        if name not in known:
            continue
        kind = known[name].kind
        if not isinstance(value, kind) or (isinstance(value, bool) and kind not in (bool, (bool, str))):
            add(prefix + name, f"{_KIND_WORDS[kind]}で書いてください")
            is_good = False
    return is_good


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, 1, 0.7)
    return f"(「{close[0]}」のことですか)" if close else ""


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
    if file["format"] not in keys.FORMATS:
        add("file.format", f"「{file['format']}」は使えません(使えるのは {'、'.join(keys.FORMATS)})")
    if keys.encoding_of(file.get("encoding", "cp932")) not in keys.ENCODINGS:
        add("file.encoding", f"「{file['encoding']}」は使えません(使えるのは {'、'.join(keys.ENCODINGS)})")
    for key, most in (("skip_top", 1000), ("skip_below", 1000), ("header_rows", 9), ("record_bytes", 100_000)):
        if not 0 <= file.get(key, 0) <= most:
            add(f"file.{key}", f"0 から {most} までで書いてください")
    if len(file.get("delimiter", ",")) != 1 or file.get("delimiter") in ("\r", "\n", '"'):
        add("file.delimiter", '区切り文字を一つだけ書いてください(例 "," "\\t" ";" "|")')
    if len(file.get("quote", '"')) > 1:
        add("file.quote", '引用符を一つだけ書くか、使わないなら "" と書いてください')
    if file.get("find_header") and file.get("header_rows", 1) == 0:
        add("file.find_header", "header_rows が 0 のときは使えません")
    if file.get("transposed") and file["format"] == "fixed":
        add("file.transposed", "固定長のファイルには書けません")
    if file.get("positions", "byte") not in ("byte", "character"):
        add("file.positions", "byte か character で書いてください")
    if file.get("sheet") and file["format"] not in ("xlsx", "xls"):
        add("file.sheet", "format が xlsx か xls のときだけ書けます")
    for word in ("pattern", "sheet"):
        values = file.get(word)
        if isinstance(values, list) and not all(
            isinstance(v, str if word == "pattern" else (str, int)) and v for v in values
        ):
            add(f"file.{word}", "文字列の並びで書いてください")
    for key in ("footer", "junk"):
        _check_pattern(file.get(key, ""), f"file.{key}", None, add)
    _check_pattern(file.get("extracted_on", "()"), "file.extracted_on", (1, 2, 3), add)
    if file.get("extracted_in", "file_name") not in keys.FOUND_IN:
        add("file.extracted_in", f"使えるのは {'、'.join(keys.FOUND_IN)} です")


def _check_pattern(text: str, key: str, groups: tuple[int, ...] | None, add: Add) -> None:
    try:
        pattern = re.compile(text)
    except re.error:
        add(key, "正規表現として読めません")
        return
    if groups is not None and pattern.groups not in groups:
        most = "ちょうど一つ" if groups == (1,) else f"一つから {groups[-1]} つまで"
        add(key, f"かっこ( )を{most}使ってください")


def _check_blocks(body: Mapping[str, Any], add: Add) -> bool:
    """The form of ``[[repeat]]`` and ``[[people]]``; they must be sound before they can be written out."""
    is_good = True
    if len(body.get("people", ())) > 1:
        add("people", "一つだけ書けます")
        is_good = False
    for name in ("repeat", "people"):
        for position, part in enumerate(body.get(name, ()), 1):
            key = f"{name}[{position}]"
            if not _form(part, name, f"{key}.", add):
                is_good = False
                continue
            values = part["for"]
            is_texts = all(isinstance(v, str | int) and not isinstance(v, bool) for v in values)
            if not is_texts and not all(isinstance(v, dict) for v in values):
                add(f"{key}.for", "文字列の並びか、{ } の表の並びで書いてください")
                is_good = False
            for word in ("columns", "facts"):
                is_tables = all(isinstance(entry, dict) for entry in part.get(word, ()))
                if not is_tables or (word == "columns" and not all("name" in entry for entry in part[word])):
                    add(f"{key}.{word}", "一つずつ { } の表で、columns には name も書いてください")
                    is_good = False
    return is_good


def _check_columns(columns: list[Any], add: Add) -> dict[str, Mapping[str, Any]] | None:
    """Check each column; returns them by reference, or None when their form is too broken to go on."""
    if not columns:
        add("columns", "列が一つもありません")
        return None
    by_reference: dict[str, Mapping[str, Any]] = {}
    is_good = True
    for position, column in enumerate(columns, 1):
        key = f"columns[{position}]"
        if not _form(column, "columns", f"{key}.", add):
            is_good = False
            continue
        key = f"columns「{column['name']}」"
        _check_column(column, key, add)
        occurrence = column.get("occurrence", 1)
        reference = column["name"] if occurrence == 1 else f"{column['name']}#{occurrence}"
        if reference in by_reference:
            hint = "。[[people]] と [[repeat]] の名前には {} を入れてください" if "group" in column else ""
            add(key, f"同じ見出し・同じ順番(occurrence)の列が二度書かれています{hint}")
        by_reference[reference] = column
    if is_good:
        _check_fields_once(by_reference, add)
    return by_reference if is_good else None


JOINABLE = ("text", "name", "kana", "address")


def _check_fields_once(columns: Columns, add: Add) -> None:
    """Two columns of one field of one person are joined, which only words can be: two dates are no date."""
    seen: dict[tuple[Any, ...], str] = {}
    for reference, column in columns.items():
        if column.get("ignore") or not column.get("person") or column["type"] in JOINABLE:
            continue
        groups = [None] if "group" not in column else [column["group"]]
        for group in groups:
            mark = (column["person"], column["field"], group)
            if mark in seen:
                add(
                    f"columns「{reference}」.field",
                    f"列「{seen[mark]}」と同じ人の同じ {column['field']} です。何人も書かれているなら [[people]]、"
                    "一つの値が分かれているなら join で書いてください",
                )
            seen.setdefault(mark, reference)


def _check_column(column: Mapping[str, Any], key: str, add: Add) -> None:
    kind = column["type"]
    if kind not in keys.TYPES:
        add(f"{key}.type", f"「{kind}」は使えません(使えるのは {'、'.join(keys.TYPES)})")
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
    _check_origin(column, key, add)
    if column.get("era") and (kind not in ("date", "month") or not is_era(column["era"])):
        add(f"{key}.era", "type が date か month の列に、明治〜令和(M〜R)のどれかで書いてください")
    if "century" in column and (kind not in ("date", "month") or column["century"] not in (19, 20)):
        add(f"{key}.century", "type が date か month の列に、19 か 20 で書いてください")
    if column.get("fiscal") and not (kind == "month" or (kind == "date" and "join" in column)):
        add(f"{key}.fiscal", "type が month の列か、join で日付をつなぐ列にだけ書けます")
    if isinstance(column.get("fill_down"), str) and column["fill_down"] != "〃":
        add(f"{key}.fill_down", 'true か "〃" で書いてください')
    if column.get("year_from") and kind != "date":
        add(f"{key}.year_from", "type が date の列にだけ書けます")
    if "digits" in column and (kind != "identifier" or not 1 <= column["digits"] <= 40):
        add(f"{key}.digits", "type が identifier の列に、1 から 40 までで書いてください")
    for word in ("also", "unknown", "unit"):
        if not all(isinstance(one, str) for one in column.get(word, ())):
            add(f"{key}.{word}", "文字列の並びで書いてください")


def _check_origin(column: Mapping[str, Any], key: str, add: Add) -> None:
    """Where the values come from: printed, joined, fixed, or found outside the rows; one of them only."""
    ways = [word for word in ORIGINS if word in column]
    if len(ways) > 1:
        add(f"{key}.{ways[1]}", f"{ways[0]} と同時には書けません")
    if "join" in column and (
        len(column["join"]) < 2 or not all(isinstance(j, str | int) and not isinstance(j, bool) for j in column["join"])
    ):
        add(f"{key}.join", "つなぐ列を二つ以上、見出しの名前か列の位置で書いてください")
    if column.get("whole") and "join" not in column:
        add(f"{key}.whole", "join の列にだけ書けます")
    if "found_in" in column and column["found_in"] not in keys.FOUND_IN:
        add(f"{key}.found_in", f"使えるのは {'、'.join(keys.FOUND_IN)} です")
    if "found_in" in column or "part_of" in column:
        _check_pattern(column.get("match", ""), f"{key}.match", (1,), add)
    elif "match" in column:
        add(f"{key}.match", "found_in か part_of といっしょに書いてください")


def _check_codes(column: Mapping[str, Any], key: str, add: Add) -> None:
    kind, codes = column["type"], column.get("codes", {})
    if kind == "code" and not codes and not column.get("other"):
        add(f"{key}.codes", "type が code の列には、コード表が要ります")
    if codes and kind not in ("code", "flag", "sex"):
        add(f"{key}.codes", "type が code、flag、sex の列にだけ書けます")
    if "other" in column and kind not in ("code", "flag", "sex"):
        add(f"{key}.other", "type が code、flag、sex の列にだけ書けます")
    if not all(isinstance(meaning, str) and meaning for meaning in codes.values()):
        add(f"{key}.codes", '意味は文字列で書いてください(例: "1" = "有")')
        return
    allowed = {"flag": ("0", "1"), "sex": SEXES}.get(kind)
    if not allowed:
        return
    if set(codes.values()) - set(allowed):
        add(f"{key}.codes", f"意味に使えるのは {'、'.join(allowed)} です")
    for word in ("other", "blank"):
        if column.get(word) and column[word] not in allowed:
            add(f"{key}.{word}", f"意味に使えるのは {'、'.join(allowed)} です")


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
    if person not in keys.ROLES:
        add(f"{key}.person", f"「{person}」は使えません(使えるのは {'、'.join(keys.ROLES)})")
    if name not in keys.FIELDS:
        add(f"{key}.field", f"「{name}」は使えません(使えるのは {'、'.join(keys.FIELDS)})")
    if name in DATE_FIELDS and column["type"] != "date":
        add(f"{key}.type", f"field が {name} の列は date にしてください")
    if name == "sex" and column["type"] != "sex":
        add(f"{key}.type", "field が sex の列は sex にしてください")
    if name == "address_protection" and column["type"] not in ("flag", "code"):
        add(f"{key}.type", "field が address_protection の列は flag か code にしてください")
    if not column.get("item"):
        add(f"{key}.item", "人を示す列には、登録簿のデータ項目が要ります")


def _check_places(columns: Columns, file: Mapping[str, Any], add: Add) -> None:
    """Positions and widths, where the file's format calls for them."""
    is_fixed = file["format"] == "fixed"
    has_header = file.get("header_rows", 0 if is_fixed else 1) > 0
    for column in columns.values():
        key = f"columns「{column['name']}」"
        is_printed = not any(word in column for word in ORIGINS)
        if is_fixed and is_printed and column.get("width", 0) < 1:
            add(f"{key}.width", "固定長の列には長さ(width)が要ります")
        if "position" in column and column["position"] < 1:
            add(f"{key}.position", "1 以上で書いてください")
        if is_fixed and has_header and is_printed and "position" not in column:
            add(f"{key}.position", "固定長の列には位置(position)が要ります")
        names = {c["name"] for c in columns.values()} | set(columns)
        parts = [("join", part) for part in column.get("join", ())]
        parts += [("part_of", column["part_of"])] if "part_of" in column else []
        for word, part in parts if not has_header else ():
            if isinstance(part, str) and part not in names:
                add(f"{key}.{word}", f"列「{part}」が columns にありません(見出しのないファイルです)")


def _check_record(record: Mapping[str, Any], columns: Columns, add: Add) -> None:
    kind = record.get("kind", "observations")
    if kind not in keys.KINDS:
        add("record.kind", f"「{kind}」は使えません(使えるのは {'、'.join(keys.KINDS)})")
    templates = {c["template"]: c for c in columns.values() if c.get("template")}
    known = {**templates, **columns}
    if record.get("row_key"):
        _check_reference(record["row_key"], "record.row_key", known, None, add)
    for name in record.get("identity", ()):
        _check_reference(name, "record.identity", known, None, add)
    for word in ("skip_when", "only_when", "withdraw_when"):
        for name, meanings in record.get(word, {}).items():
            _check_condition(name, meanings, f"record.{word}", columns, add)
    if record.get("withdraw_when") and not record.get("identity"):
        add("record.withdraw_when", "どの記録を取り消すかを知るため、identity が要ります")
    fields = {(c.get("person"), c.get("field")) for c in columns.values()}
    wanted = {"residents": ("resident_number",), "moves": ("resident_number", "event_on", "event_kind")}
    for name in wanted.get(kind, ()):
        if ("subject", name) not in fields:
            add("record.kind", f"{kind} には、person が subject で field が {name} の列が要ります")


def _check_dated(body: Mapping[str, Any], columns: Columns, facts: list[Any], add: Add) -> None:
    """Columns of months: each row becomes one record for each month, so that everything has to tell which month."""
    dated = body["dated"]
    if not _form(dated, "dated", "dated.", add):
        return
    for word in ("people", "repeat"):
        if body.get(word):
            add("dated", f"[[{word}]] と同時には書けません")
    file = body["file"]
    if file["format"] == "fixed" or file.get("header_rows", 1) == 0:
        add("dated", "見出しのあるファイルでだけ書けます")
    names = dated["columns"]
    for name in names:
        if not isinstance(name, str) or name.count(_MONTH_PLACE) != 1:
            add("dated.columns", "見出しの形を、年月のところを {} 一つにして書いてください")
        elif name not in columns:
            add("dated.columns", f"列「{name}」を columns にも書いてください")
    if all(columns.get(name, {}).get("ignore") for name in names):
        return
    _check_reference(dated["name"], "dated.name", columns, ("month", "date", "text"), add)
    months = {dated["name"], *(r for r, c in columns.items() if dated["name"] in c.get("join", ()))}
    identity = body.get("record", {}).get("identity", [])
    if identity and not months & set(identity):
        add("record.identity", f"一月ごとに一つの記録になるので、「{dated['name']}」も入れてください")
    if any("position" in c or any(isinstance(part, int) for part in c.get("join", ())) for c in columns.values()):
        add("dated", "position や、列の位置での join は使えません。見出しの名前で書いてください")
    for at, fact in enumerate(facts, 1):
        read = {fact.get(word) for word in ("number", "code", "valid_from")} if isinstance(fact, dict) else set()
        if read and not read & (months | set(names)):
            add(f"facts[{at}].valid_from", f"月の数だけ重なってしまいます。「{dated['name']}」の列を使ってください")


def _check_reference(
    name: Any, key: str, columns: Columns, kinds: tuple[str, ...] | None, add: Add
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


def _check_fact(fact: Any, key: str, columns: Columns, add: Add) -> None:
    if not _form(fact, "facts", f"{key}.", add):
        return
    key = f"{key}({fact['item']})"
    person = fact.get("person", "subject")
    if person not in {c.get("person") for c in columns.values()}:
        add(f"{key}.person", f"「{person}」を示す列が columns にありません")
    if sum(bool(fact.get(word)) for word in ("code", "constant")) > 1:
        add(f"{key}.constant", "code と constant は同時に書けません")
    if bool(fact.get("valid_from")) == bool(fact.get("ended_on")):
        add(
            f"{key}.valid_from",
            "始まりの列(valid_from)か、終わりだけを言う行なら終わりの日の列(ended_on)の、どちらか一方を書いてください",
        )
        return
    if fact.get("ended_on") and {"number", "constant", "month", "valid_to"} & set(fact):
        add(f"{key}.ended_on", "終わりだけを言う行には、number・constant・month・valid_to を書けません")
    word = "ended_on" if fact.get("ended_on") else "valid_from"
    start = _check_reference(fact[word], f"{key}.{word}", columns, SPELL_STARTS, add)
    if "month" in fact and start is not None:
        if start["type"] != "fiscal_year":
            add(f"{key}.month", "valid_from が年度(fiscal_year)の列のときだけ書けます")
        if not str(fact["month"]).isdigit() or not 1 <= int(fact["month"]) <= 12:
            add(f"{key}.month", "1 から 12 までで書いてください")
    if fact.get("valid_to") and fact["valid_to"] not in SPELL_WORDS:
        _check_reference(fact["valid_to"], f"{key}.valid_to", columns, ("date", "month"), add)
        if not fact.get("known_from"):
            add(
                f"{key}.known_from",
                "終わりの日の列があるときは、登録日の列が要ります(終わったかどうかで、知り得た日が変わってしまいます)",
            )
    optional = (("known_from", ("date", "month", "fiscal_year")), ("number", ("integer", "decimal", "flag")),
                ("code", ("code", "flag", "text", "sex")))  # fmt: skip
    for word, kinds in optional:
        if fact.get(word):
            _check_reference(fact[word], f"{key}.{word}", columns, kinds, add)
    for name, meanings in fact.get("when", {}).items():
        _check_condition(name, meanings, f"{key}.when", columns, add)


def _check_condition(name: str, meanings: Any, key: str, columns: Columns, add: Add) -> None:
    column = _check_reference(name, key, columns, None, add)
    if not isinstance(meanings, list) or not meanings or not all(isinstance(m, str) for m in meanings):
        add(key, f"列「{name}」の条件は、意味の並びで書いてください")
        return
    if column is None:
        return
    possible = set(column.get("codes", {}).values()) or ({"0", "1"} if column["type"] == "flag" else set())
    possible |= {column[word] for word in ("other", "blank") if column.get(word)} if possible else set()
    for meaning in meanings:
        if possible and meaning and meaning not in possible:
            add(key, f"列「{name}」の意味「{meaning}」は codes にありません")

"""``kodomo layout draft``: a file nobody described into a layout that a person completes (identity side).

Every guess stands with its evidence as a comment; what only a person can know is marked ``★``. No
value of the file stands in a draft but codes and marks.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from kodomo.errors import StaffError
from kodomo.intake import column_words as words
from kodomo.intake.cells import NO
from kodomo.intake.child import survey_in_child
from kodomo.intake.column_groups import REPEATED, Column, Series, dates_in_parts, month_series, people_series
from kodomo.intake.draft_merge import common_pattern, merged
from kodomo.intake.file_dates import YEARS, date_in, year_match
from kodomo.intake.guess import BESIDE_NAME
from kodomo.intake.layout_keys import FIELDS, ROLES, TYPES
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.samples import opened_samples
from kodomo.intake.usual_items import UsualItem, usual_item, usual_items, words_of_notes

MARK = "★"
"""Stands where only a person can decide."""


@dataclass(frozen=True)
class Known:
    """What a municipality's folder already tells: item codes by caption, items by printed column name, offices."""

    items: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    offices: tuple[str, ...] = ()


def draft_layout(
    paths: Path | Sequence[Path],
    known: Known,
    limits: Limits = LIMITS,
    password: str | None = None,
    sheet: str = "",
) -> dict[str, Any]:
    """Look at a source's file, or several, in a zip or not, and draft its layout: of a workbook of ``sheet``'s table.

    Returns:
        ``layout``, the draft's text; ``survey``, what was seen; ``open``, how many places a person has to complete.

    Raises:
        DeliveryRefused: a file can't be received at all.
        StaffError: a file can't be read.
    """
    with opened_samples([paths] if isinstance(paths, Path) else paths, limits, password) as samples:
        surveys = [survey_in_child(s.path, s.name, limits, password, s.descriptor, sheet) for s in samples]
    names = [sample.name for sample in samples]
    found, left_out = merged(surveys)
    text = draft_text([n for at, n in enumerate(names) if at not in left_out], found, known)
    if left_out:
        text = (
            f"# 書き方か見出しが違うので、次の見本は入れていません: {'、'.join(names[at] for at in left_out)}\n" + text
        )
    return {"layout": text, "survey": found, "open": text.count(MARK)}


def draft_text(file_names: str | Sequence[str], found: Mapping[str, Any], known: Known) -> str:
    """The draft of a surveyed file, or of several whose surveys were merged."""
    names = [file_names] if isinstance(file_names, str) else list(file_names)
    file_name = names[0]
    lines = _top(file_name, found, known) + _file(names, found)
    around = [words.plain(name) for name in (_stem(file_name), *(c["name"] for c in found["columns"]))]
    columns = _births_before(_amount_taken(c, around) for c in _latest_moves_apart(found))
    found = {**found, "columns": columns, "file_names": names, "yearly": _year_in_names(names, found)}
    items = {reference(c): item_of(c, known, around) for c in columns}
    joined, people, months = dates_in_parts(columns), people_series(columns), month_series(columns)
    lines += _dated(found["dated"])
    if found["side_by_side"]:
        lines += _record(_per_table(found), None, None, columns)
        return "\n".join(lines + _beside(columns, items, found) + _closing(columns, items, known)) + "\n"
    ticked = _sexes_ticked(columns)
    listed = [] if people else [c for c in columns if c["listed"] and not c["ignore"]]
    if listed and found["identity"]:
        found = {**found, "identity": [*found["identity"], f"{listed[0]['name']}{{n}}"]}
    lines += _record(found, people, months, columns)
    apart = [c for _, parts in joined for c in parts] + ticked + listed
    apart += [c for series in (people, months) if series for members in series.members.values() for c in members]
    for column in (c for c in columns if c not in apart):
        lines += _column(column, items[reference(column)], found)
    for name, parts in joined:
        lines += _joined(name, parts, known, columns)
    if ticked:
        lines += ["[[columns]]          # 男・女のどちらかに印が付いている", 'name = "性別"', f"join = {quoted([reference(c) for c in ticked])}",
                  'type = "sex"', 'person = "subject"', 'field = "sex"', 'item = "sex"', ""]  # fmt: skip
    lines += _people(people, items, found) if people else _in_one_cell(listed, items, found)
    lines += _sheet_name(found)
    year = [c for c in columns if c["name"] == "年度"]
    if not months and not year and any(c["has_no_year"] and not c.get("year_from") for c in columns):
        lines += _year_outside("日付", found)
    elif not months and not year and found["yearly"]:
        lines += ["[[columns]]          # 年度は、ファイルの名前にだけある",
                  *_outside_year("file_name", found["yearly"])]  # fmt: skip
        year = [YEAR]
    lines += _months(months, columns, items, found) if months else []
    lines += [] if months else _absences_added_up(items)
    told = [*(c for c in columns if c not in apart), *(c for c in year if c is YEAR)]
    items[YEAR["name"]] = items.get(YEAR["name"], "")
    lines += _facts(told, items, found, "" if months else _month_of(file_name)) + _notes(told)
    lines += _closing(columns, items, known)
    return "\n".join(lines) + "\n"


def _amount_taken(column: dict[str, Any], around: Sequence[str]) -> dict[str, Any]:
    """An amount that the shipped criteria ask of is proposed like any other item; other amounts stay left out."""
    is_amount = column["ignore"] == words.AMOUNT
    return {**column, "ignore": ""} if is_amount and usual_item(words.plain(column["name"]), around) else column


def _births_before(given: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns; a day of birth without its year (出産日 3/20) lies before the day on which the row tells of it."""
    columns = list(given)
    days = [c for c in columns if c["type"] == "date" and not c["has_no_year"] and not c["field"] and not c["ignore"]]
    return [
        {**c, "year_from": reference(days[0])} if c["has_no_year"] and c["field"] == "child_born_on" and days else c
        for c in columns
    ]


def _sexes_ticked(columns: Sequence[Column]) -> list[Column]:
    """Two columns 男 and 女 that take a mark."""
    named = {words.plain(c["name"]).rsplit("/", 1)[-1]: c for c in columns if c["type"] == "flag"}
    pairs = [(named.get(man), named.get(woman)) for man, woman in (("男", "女"), ("男子", "女子"), ("男児", "女児"))]
    return next(([man, woman] for man, woman in pairs if man and woman), [])


def reference(column: Mapping[str, Any]) -> str:
    """How the draft refers to a column."""
    return column["name"] if column["occurrence"] == 1 else f"{column['name']}#{column['occurrence']}"


def quoted(value: object) -> str:
    """A TOML value: a basic string, or a literal one where that spares backslashes."""
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


# Parts -----------------------------------------------------------------------------------------


def _top(file_name: str, found: Mapping[str, Any], known: Known) -> list[str]:
    offices = f"。使えるのは {'、'.join(known.offices)}" if known.offices else ""
    lines = [
        "# kodomo layout draft が作った下書きです。# から行末までは説明で、消しても構いません。",
        f"# {MARK} の付いた行を直し、印を消してから、kodomo layout check で確かめてください。項目の全部は docs/reference/layout.md。",
        f"# データの行は {found['rows']:,} 行。氏名などの値は、この下書きに書かれていません。",
    ]
    if found["individual_numbers"]:
        lines.append(
            f"# !! 個人番号(マイナンバー)とみられる列があります: {'、'.join(found['individual_numbers'])}。"
            "このままでは受け取れません。その列を除いて出力し直してもらってください。"
        )
    return [
        *lines,
        *_other_tables(found["tables"]),
        *_other_sheets(found.get("other_sheets", ())),
        f'source = {quoted(_source(file_name))}          # {MARK} 出所のコード(英小文字・数字・_)。あとから変えない',
        f"caption = {quoted(_stem(file_name))}          # 出所の名前",
        f'system = ""          # {MARK} 印字したシステムの名前',
        f'holder = ""          # {MARK} 保有・管理主体(offices.toml の部署コード){offices}',
        'delivery = "MEDIA"          # 届き方: SYSTEM システム連携 / MEDIA 媒体 / MANUAL 手作業',
        "lag_days = 7          # 登録から私たちが知るまでの日数。分からなければ長めに",
        "freshness_days = 45          # 抽出日から何日たつと古いとみなすか。毎月届くなら 45",
        "",
    ]  # fmt: skip


def _source(file_name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", _stem(file_name).lower()).strip("_")
    return plain if re.fullmatch(r"[a-z][a-z0-9_]*", plain) else "source_1"


_AGED = re.compile(r"\d{1,2}(?=歳|才|[かヶケカヵ]月児|週)")
"""3歳児健診 and 5歳児健診 are two sources: such a number is no date that changes from file to file."""
_KEPT = {ord("0") + digit: 0xE000 + digit for digit in range(10)}
_GIVEN_BACK = {kept: digit for digit, kept in _KEPT.items()}


def _stem(file_name: str) -> str:
    plain = _AGED.sub(lambda m: m.group().translate(_KEPT), unicodedata.normalize("NFC", PurePath(file_name).stem))
    plain = (
        re.sub(r"[_\-]?(令和\S{1,4}年度?|(?<![A-Za-z])[RH]\d{1,2}(?:年度?)?|\d{4,8}|[\d._-]+)", "", plain).strip("_- ")
        or plain
    )
    return plain.translate(_GIVEN_BACK)


def _pattern(file_name: str) -> str:
    plain = _AGED.sub(lambda m: m.group().translate(_KEPT), unicodedata.normalize("NFC", file_name))
    plain = re.sub(r"(令和|平成)[\d元]{1,2}年度?|[RH]\d{1,2}年度|\d+", "*", plain).replace("**", "*")
    return plain.translate(_GIVEN_BACK)


def _file(file_names: Sequence[str], found: Mapping[str, Any]) -> list[str]:
    shape, why = found["shape"], {**found["shape"]["why"], **found["why"]}
    pattern = common_pattern([_pattern(name) for name in file_names])
    lines = ["[file]", f"pattern = {quoted(pattern)}          # ファイル名の形。* は何文字でも",
             _line("format", found["format"], why.get("format", ""))]  # fmt: skip
    if found["encoding"]:
        lines.append(_line("encoding", found["encoding"], why.get("encoding", "")))
    if found["delimiter"] and (found["format"], found["delimiter"]) not in (("csv", ","), ("tsv", "\t")):
        lines.append(_line("delimiter", found["delimiter"], why.get("delimiter", "")))
    if found["sheet"]:
        lines.append(_line("sheet", found["sheet"], why.get("sheet", "")))
    if found["transposed"]:
        lines.append(
            "transposed = true          # 見出しが左端の列にあり、一列に一人が書かれている。縦と横を入れ替えて読む"
        )
    for key, default in (("skip_top", 0), ("header_rows", 1), ("skip_below", 0), ("footer", ""), ("junk", "")):
        if key == "skip_top" and shape.get("moves"):
            lines.append("find_header = true          # 見出しより上の行の数が、見本によって違う")
        elif shape[key] != default and not (found["format"] == "fixed" and key == "header_rows"):
            lines.append(_line(key, shape[key], why.get(key, "")))
        elif key == "header_rows" and found["format"] != "fixed":
            lines.append(f"# header_rows = 1          # {why.get(key, '')}")
    if shape["short_rows"]:
        lines.append(_line("short_rows", True, why.get("short_rows", "")))
    if shape["skip_top"] and not shape.get("moves"):
        lines.append("# find_header = true          # 上の行数が月ごとに変わるなら、skip_top の代わりにこちら")
    return [*lines, *_extracted(file_names, found), ""]


_YEARS_IN_NAMES = re.compile(
    r"(?:令和|平成)(?:\d{1,2}|元)年度?|(?<![A-Za-z])[RH]\d{1,2}(?![\d年]|\.\d)|(?<!\d)20\d\d(?:年度?)?(?!\d)"
)


def _year_in_names(file_names: Sequence[str], found: Mapping[str, Any]) -> str:
    """A pattern around the fiscal year, where files of several years are told apart by their names alone; or nothing."""
    has_year = any(c["type"] in ("fiscal_year", "month") for c in found["columns"] if reference(c) in found["identity"])
    named = [unicodedata.normalize("NFKC", name) for name in file_names]
    if has_year or not all(_YEARS_IN_NAMES.search(name) for name in named) or any(map(date_in, named)):
        return ""
    return year_match(named)


def _extracted(file_names: Sequence[str], found: Mapping[str, Any]) -> list[str]:
    """Where the extraction date stands, and how it is understood; without it ages and corrections go wrong."""
    read = [date_in(unicodedata.normalize("NFC", name)) for name in file_names]
    if all(read):
        written = read[0]
        return [f"# 抽出日はファイル名から {written.on} と読める" if written else ""]
    place = found.get("dated_in", "")
    if place:
        where = {"above": "見出しより上の行", "sheet_name": "シートの名前"}[place]
        return [f'extracted_in = "{place}"          # {MARK}? ファイル名に抽出日がない。{where}の日付を抽出日とみた']
    return [
        f"# {MARK}? 抽出日が見つからない。このままでは受け取った日とみなす(年齢や、どちらが新しいかを誤る)。",
        "# ファイル名に 20250430 などの日付を付けてもらうか、書かれているところを extracted_on(正規表現)と extracted_in で示す",
    ]


def _per_table(found: Mapping[str, Any]) -> dict[str, Any]:
    """A survey of tables of one header beside each other, its columns referred to by the place of their table."""
    again = {name: f"{name}#{{}}" for name in (found["row_key"], *found["identity"]) if name}
    return {
        **found,
        "row_key": again.get(found["row_key"], ""),
        "identity": [again[name] for name in found["identity"]],
    }


def _beside(columns: Sequence[Column], items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """The columns of tables of one header beside each other, written once."""
    count = found["side_by_side"]
    lines = [
        f"[[people]]          # 同じ見出しの表が左右に {count} つ並んでいる。一組ごとに別の記録になる",
        f"for = {quoted(list(range(1, count + 1)))}",
    ]
    for column in columns:
        told = _column(column, items[reference(column)], found)
        lines += [told[0].replace("[[columns]]", "[[people.columns]]"), told[1], 'occurrence = "{}"', *told[2:]]
    return lines


def _other_sheets(names: Sequence[str]) -> list[str]:
    """What a person has to know of sheets that hold other tables."""
    if not names:
        return []
    return [
        f"# !! 見出しの違う表が、ほかのシートにあります({'、'.join(names)})。この下書きは、sheet のシートだけのものです。",
        "# ほかの表も要るなら、kodomo layout draft ファイル --sheet シートの名前 で、シートごとにレイアウトをつくってください(pattern は同じでよい)。",
    ]


def _other_tables(tables: Mapping[str, Any]) -> list[str]:
    """What a person has to know of tables that this draft leaves out."""
    if not tables:
        return []
    where = (
        "、".join(f"{line} 行目から" for line in tables["lines"])
        if tables["how"] == "above"
        else "、".join(f"左から {column} 列目から" for column in tables["columns"])
    )
    read = f"{tables['read']} {'行' if tables['how'] == 'above' else '列'}目"
    return [
        f"# !! 見出しの違う表が、一つのシートに {len(tables['lines'] if tables['how'] == 'above' else tables['columns'])} つあります({where})。",
        f"# この下書きは {read}からの表だけのものです。ほかの表も要るなら、表ごとに別のファイルに分けて渡してもらってください。",
    ]


def _dated(dated: Mapping[str, Any]) -> list[str]:
    """Columns whose headers are months or days."""
    if not dated:
        return []
    if dated["is_daily"]:
        told = f"見出しが日付の列が {dated['count']} 日分並んでいる。日ごとには取り込まない。月の合計の列を使うか、足してもらう"
    else:
        told = f"見出しが年月の列が {dated['count']} か月分({dated['from']} から {dated['to']})並んでいる。一月ごとに一つの記録として読む"
    lines = [
        f"[dated]          # {told}",
        f"name = {quoted(dated['name'])}",
        f"columns = {quoted(dated['columns'])}",
        "",
    ]
    for name in dated["columns"] if dated["is_daily"] else ():
        lines += [
            "[[columns]]",
            f"name = {quoted(name)}",
            'type = "text"',
            'ignore = "日ごとの出欠。月の合計を使う"',
            "",
        ]
    return lines


def _line(key: str, value: object, why: str) -> str:
    return f"{key} = {quoted(value)}" + (f"          # {why}" if why else "")


def _sheet_name(found: Mapping[str, Any]) -> list[str]:
    """A value that only the sheets' names tell: the school, the class, the kind of checkup."""
    if found["sheet"] != "*" or found["sheet_year"]:
        return []
    if found["sheet_is_month"]:
        return [
            f"[[columns]]          # {MARK}? シートの名前が年月なので、その月のこととみた",
            *('name = "年月"', 'type = "month"', 'found_in = "sheet_name"', "match = '^(.+)$'", ""),
        ]
    return [
        f"# [[columns]]          # {MARK}? シートの名前が学校・園・組などなら、# を外す",
        *('# name = "シート名"', '# type = "text"', '# found_in = "sheet_name"', "# match = '^(.+)$'"),
        *('# person = "subject"', '# field = "school"', '# item = "school_enrolled"', ""),
    ]


def _latest_moves_apart(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns; in a register of residents the latest move's are left to a person, for it may be any move."""
    columns = [dict(c) for c in found["columns"]]
    if _kind(found) == "residents":
        for column in columns:
            if column["field"] in ("event_on", "event_kind") and not column["ignore"]:
                to = "resident_to" if column["field"] == "event_on" else "resident_to_reason"
                column["ignore"] = (
                    f"直近の異動。転出・死亡の行だけを住民でなくなった日・事由とするなら、field を {to} にし、when にその条件を書く"
                )
    return columns


def _kind(found: Mapping[str, Any]) -> str:
    """What kind of rows a file seems to hold."""
    fields = {(c["person"], c["field"]) for c in found["columns"] if not c["ignore"]}
    kind = "observations"
    own = {reference(c) for c in found["columns"] if (c["person"], c["field"]) == ("subject", "resident_number")}
    is_once = len(found["identity"]) == 1 and set(found["identity"]) <= own
    if is_once and ("subject", "resident_from") in fields:
        kind = "residents"
    elif {("subject", "resident_number"), ("subject", "event_on"), ("subject", "event_kind")} <= fields:
        kind = "moves"
    elif ("subject", "resident_number") in fields and ("subject", "resident_from") in fields:
        kind = "residents"
    return kind


def _record(
    found: Mapping[str, Any], people: Series | None, months: Series | None, columns: Sequence[Column]
) -> list[str]:
    kind = _kind(found)
    lines = ["[record]"]
    if kind != "observations":
        what = (
            "異動日と異動事由があるので、異動履歴とみた"
            if kind == "moves"
            else "住民となった日があり、宛名番号ごとに一行なので、住民記録とみた"
        )
        lines.append(_line("kind", kind, what))
    if found["row_key"]:
        lines.append(_line("row_key", found["row_key"], "出所自身の番号らしい列"))
    if found["identity"] and people:
        # A child is known by its name, not by its place in the row: that changes when an older one leaves.
        first = next(iter(people.members.values()))
        who = [t for t, c in zip(people.templates, first, strict=True) if c["field"] in ("name", "resident_number")]
        lines.append(_line("identity", [*found["identity"], *who[:1]], "一人ごとに見分けるため、氏名を足した"))
    elif found["identity"] and months and not any(c["type"] == "fiscal_year" for c in columns):
        lines.append(
            _line("identity", ["年度", *found["identity"]], "年度がないと、次の年度の分がこの年度の分を上書きする")
        )
    elif found["identity"] and found["yearly"]:
        lines.append(
            _line("identity", ["年度", *found["identity"]],
                  f"{MARK}? 年度ごとのファイルらしい。番号を年度ごとに振り直す・使い回すなら、年度がないと次の年度の分が上書きする。前の年度の分を置き換える台帳なら外す")
        )  # fmt: skip
    elif found["identity"]:
        lines.append(_line("identity", found["identity"], f"この組合せは {found['rows']:,} 行で重ならない"))
    else:
        lines.append(
            f"# identity = []          # {MARK}? 同じ記録だと分かる列の並び。見つからなかった。なければ行全体で見分ける"
        )
    deleted = [c for c in found["columns"] if re.search("削除|取消|無効", c["name"])]
    if deleted and deleted[0]["codes"]:
        lines.append(
            f'# withdraw_when = {{ {quoted(reference(deleted[0]))} = ["削除"] }}          # 消された記録を表す列らしい。前の記録を取り消すなら'
        )
    return [*lines, ""]


def _column(column: Mapping[str, Any], item: str, found: Mapping[str, Any]) -> list[str]:
    evidence = "。".join(column["why"])
    lines = ["[[columns]]" + (f"          # {evidence}" if evidence else ""), f"name = {quoted(column['name'])}"]
    if column["occurrence"] > 1:
        lines.append(f"occurrence = {column['occurrence']}          # 同じ見出しの {column['occurrence']} 番目")
    if found["format"] == "fixed":
        start, end = found["shape"]["edges"][column["position"] - 1]
        lines += [
            f"position = {start + 1}          # {MARK}? 何バイト目から。仕様書で確かめる",
            f"width = {end - start}",
        ]
    elif column["position"]:
        lines.append(f"position = {column['position']}")
    if column.get("optional"):
        lines.append("optional = true          # この列のない見本がある")
    lines.append(f"type = {quoted(column['type'])}          # {TYPES[column['type']]}")
    lines += _more_of_type(column)
    if column["ignore"]:
        return [*lines, f"ignore = {quoted(column['ignore'])}", ""]
    if column["person"] and column["field"]:
        lines += [
            f"person = {quoted(column['person'])}          # {f'{MARK}? 値から見当をつけただけ。' if BESIDE_NAME in column['why'] else ''}{ROLES[column['person']]}",
            f"field = {quoted(column['field'])}          # {FIELDS[column['field']]}",
            f"item = {quoted(item)}",
        ]
        if column["is_filled"] and column["field"] in ("resident_number", "name", "own_number"):
            lines.append("required = true          # 空の行がない")
        return [*lines, ""]
    if column["is_record_number"] or reference(column) in (found["row_key"], *found["identity"]):
        lines += [f"item = {quoted(item)}" if item else '# item = ""'] + (
            ["required = true"] if column["is_filled"] else []
        )
    elif column["type"] == "text" and item:
        lines.append(
            f'ignore = "使わない"          # {MARK}? 判定に使うなら消して type を code にし、item = {quoted(item)} と codes を書く'
        )
    elif column["type"] == "text":
        lines.append(f'ignore = "使わない"          # {MARK}? 使うなら消して、item を書く')
    else:
        lines.append(
            f"item = {quoted(item)}"
            if item
            else f'# item = ""          # {MARK}? 使うなら登録簿の項目を。使わないなら ignore = "理由"'
        )
    return [*lines, ""]


def _joined(name: str, parts: Sequence[Column], known: Known, columns: Sequence[Column]) -> list[str]:
    """One date whose parts stand in columns of their own."""
    is_birth = name == "生年月日" and any(c["field"] in ("name", "name_kana") for c in columns)
    lines = ["[[columns]]          # 一つの日付が、いくつかの列に分かれている", f"name = {quoted(name)}",
             f"join = {quoted([reference(part) for part in parts])}", 'type = "date"']  # fmt: skip
    if is_birth:
        item = known.columns.get(name) or known.items.get(name) or "birth_date"
        lines += ['person = "subject"', 'field = "born_on"', f"item = {quoted(item)}"]
    return [*lines, ""]


ABSENCES = ("sick_absence_days", "unexcused_absence_days", "unexplained_absence_days")


def _absences_added_up(items: Mapping[str, str], part: str = "columns", before: str = "") -> list[str]:
    """Days of absence where a file prints them apart, by illness and otherwise, and no sum."""
    apart = [name for item in ABSENCES for name, own in items.items() if own == item]
    if len(apart) < 2 or "absence_days" in items.values():
        return []
    return [
        f"[[{part}]]          # 病欠と、そのほかの欠席を足したもの。出席停止・忌引は入れない", f'name = "{before}欠席日数(計)"', f"join = {quoted(apart)}",
        'type = "integer"', 'item = "absence_days"', "",
    ]  # fmt: skip


def _people(series: Series, items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """Numbered people of one row, written once with their numbers."""
    numbers = list(series.members)
    lines = [
        f"[[people]]          # 一行に {len(numbers)} 人まで書かれている。一人ごとに別の記録になる",
        f"for = {quoted(numbers)}",
    ]
    return lines + _block("people", series, items, found)


def _in_one_cell(listed: Sequence[Column], items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """Children whose names, and dates, share a cell: each is cut out by its place, and is a record of its own."""
    if not listed:
        return []
    most = max(c["listed"] for c in listed)
    others = [re.escape(c["sign"]) if c["sign"] != "\n" else r"\n" for c in listed]
    lines = [
        f"[[people]]          # {MARK}? 一つのセルに {most} 人まで書かれている。順にあるとみて、一人ずつ取り出す",
        "for = [",
    ]
    for at in range(most):
        places = ", ".join(f"p{n} = '^(?:[^{sign}]*{sign}){{{at}}}([^{sign}]+)'" for n, sign in enumerate(others, 1))
        lines.append(f'  {{ n = "{at + 1}", {places} }},')
    lines.append("]")
    for n, column in enumerate(listed, 1):
        told = _column({**column, "name": f"{column['name']}{{n}}"}, items[reference(column)], found)
        place = [f"part_of = {quoted(column['name'])}", f'match = "{{p{n}}}"']
        lines += [told[0].replace("[[columns]]", "[[people.columns]]"), told[1], *place, *told[2:]]
    return lines


def _year_outside(what: str, found: Mapping[str, Any]) -> list[str]:
    """A column for the fiscal year that the rows don't tell: in the sheet's name, above the table, or in the file's name."""
    if found["sheet_year"] and found["sheet"] == "*":
        place, match = "sheet_name", found["sheet_year"]
    elif "年度" in found["above"]:
        place, match = "above", YEARS[0]
    else:
        place, match = "file_name", year_match(found["file_names"]) or YEARS[0]
    return [
        f"[[columns]]          # {MARK}? {what}に年がないので、年度が要る。シートの名前、見出しより上の行、ファイル名のどれかから取り出す。なければ付けてもらう",
        *_outside_year(place, match),
    ]


YEAR: dict[str, Any] = {
    "name": "年度",
    "type": "fiscal_year",
    "occurrence": 1,
    "ignore": "",
    "field": "",
    "is_record_number": False,
}
"""The column of the fiscal year that a draft adds, as facts may begin with it."""


def _outside_year(place: str, match: str) -> list[str]:
    return ['name = "年度"', 'type = "fiscal_year"', f'found_in = "{place}"', f"match = '{match}'", ""]


def _months(series: Series, columns: Sequence[Column], items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """Months side by side, written once; the year they belong to stands elsewhere."""
    months = list(series.members)
    year = next((reference(c) for c in columns if c["type"] == "fiscal_year"), "")
    lines = [] if year else _year_outside("月の列", found)
    lines += [f"[[repeat]]          # {len(months)} か月分の列が並んでいる", f"for = {quoted(months)}"]
    lines += _block("repeat", series, items, found)
    members = next(iter(series.members.values()))
    each = {template: items.get(reference(c), "") for template, c in zip(series.templates, members, strict=True)}
    lines += _absences_added_up(each, "repeat.columns", "{}月の")
    first = members[0]
    value = "code" if _type_of_all(series, 0) == "code" else "number"
    lines += [
        "# [[repeat.facts]]          # 月ごとの値を事実にするなら、# を外す", f"# item = {quoted(items.get(reference(first), ''))}", f"# {value} = {quoted(series.templates[0])}",
        f"# valid_from = {quoted(year or '年度')}", '# month = "{}"', '# valid_to = "month_end"', "",
    ]  # fmt: skip
    return lines


def _block(part: str, series: Series, items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """The columns of a series, by their templates."""
    lines = []
    first = next(iter(series.members.values()))
    filled = [all(members[at]["is_filled"] for members in series.members.values()) for at in range(len(first))]
    codes = [
        sorted({code for members in series.members.values() for code in members[at]["codes"]})
        for at in range(len(first))
    ]
    for at, (template, column) in enumerate(zip(series.templates, first, strict=True)):
        as_one = {**column, "name": template.removesuffix(REPEATED), "is_filled": filled[at], "codes": codes[at],
                  "type": _type_of_all(series, at)}  # fmt: skip
        told = _column(as_one, items.get(reference(column), ""), found)
        place = ['occurrence = "{}"'] if template.endswith(REPEATED) else []
        lines += [told[0].replace("[[columns]]", f"[[{part}.columns]]"), told[1], *place, *told[2:]]
    return lines


def _type_of_all(series: Series, at: int) -> str:
    """The kind that all members of a series share: blank ones tell nothing, and where one holds codes, marks are codes too."""
    kinds = {members[at]["type"] for members in series.members.values()} - {"text"} or {"text"}
    if kinds == {"flag", "code"}:
        return "code"
    return str(next(iter(series.members.values()))[at]["type"] if len(kinds) > 1 else kinds.pop())


def _more_of_type(column: Mapping[str, Any]) -> list[str]:
    lines = []
    if column["era_missing"]:
        lines.append(f'# era = "令和"          # {MARK} 6 桁の日付に元号がない。元号か、西暦なら century = 20 を')
    if column["short_year"]:
        lines.append(f"century = 20          # {MARK}? 二桁の西暦とみた。1900 年代なら 19")
    if column["digits"]:
        lines.append(
            f"digits = {column['digits']}          # {MARK}? 先頭の 0 が落ちているらしい。住民記録の{column['name']}の桁数を書く(見本でいちばん長い値の桁数とした)"
        )
    if column["field"] == "age" and column["type"] == "text":
        lines.append('# after = "か月"          # 月齢が数だけで書かれているなら、# を外す(何歳何か月として読む)')
    if column["type"] == "code":
        table = ", ".join(f"{quoted(code)} = {quoted(code)}" for code in column["codes"])
        words_ = all(re.fullmatch(r"[0-9A-Za-z]{1,3}", code) for code in column["codes"])
        meant = f"{MARK} 右側を意味に直す" if words_ else "左が印字、右が意味"
        lines.append(f"codes = {{ {table} }}          # {meant}")
    elif column["codes"] and column["type"] in ("flag", "sex"):
        lines.append(f"# 印字は {'、'.join(column['codes'])}")
        if column["type"] == "flag" and not column["is_filled"] and not {c.upper() for c in column["codes"]} & NO:
            lines.append(f'blank = "0"          # {MARK}? 空欄は「無」とみた。「分からない」なら消す')
    if column.get("is_ditto") and not column.get("is_merged") and not column["ignore"]:
        lines.append('fill_down = "〃"          # 「〃」は上の行と同じ。空欄は空欄のまま(空欄も上と同じなら true)')
    if column.get("year_from"):
        lines.append(
            f"year_from = {quoted(column['year_from'])}          # {MARK}? 年が書かれていない。その日までの直近の日とみる"
        )
    elif column.get("has_no_year"):
        lines.append(f'year_from = "年度"          # {MARK}? 年の書かれていない日がある。年度の列から補う')
    if column.get("is_merged") and not column["ignore"]:
        lines.append(f"fill_down = true          # {MARK}? 縦に結合されたセルとみた。空欄は上の行と同じ")
    return lines


def item_of(column: Mapping[str, Any], known: Known, around: Sequence[str]) -> str:
    """The register's item that a column seems to be: by the folder's own captions and layouts, else the usual one.

    Args:
        around: the file's name and the names of all its columns, plain.
    """
    name = words.plain(column["name"])
    own = known.columns.get(name) or known.items.get(name)
    if own:
        return own
    if column["field"]:
        usual = words.USUAL_ITEMS.get(column["field"], "")
        return usual
    for caption, known_code in known.items.items():
        if len(caption) >= 3 and (caption in name or (len(name) >= 3 and name in caption)):
            return known_code
    if column["type"] in ("date", "month", "fiscal_year", "identifier", "name", "kana", "address") or column["ignore"]:
        return ""
    carried = usual_item(name.rsplit("/", 1)[-1], around) or usual_item(name, around)
    return carried.code if carried else ""


_MONTHS_IN_NAMES = (r"((?:令和|平成|R|H)?(?:\d{1,4}|元)年\d{1,2}月)", r"(?<!\d)(20\d\d(?:0[1-9]|1[0-2]))(?!\d)")


def _month_of(file_name: str) -> str:
    """A pattern around the month in a file's name, where it names a month and no day; else nothing."""
    return next((p for p in _MONTHS_IN_NAMES if re.search(p, unicodedata.normalize("NFKC", file_name))), "")


def _facts(
    columns: Sequence[Mapping[str, Any]], items: Mapping[str, str], found: Mapping[str, Any], month: str
) -> list[str]:
    """What the rows may be saying, as comments: which of it is wanted, only a person can know."""
    free = [c for c in columns if not (c["ignore"] or c["field"] or c["is_record_number"])]
    dates = [c for c in free if c["type"] in ("date", "month", "fiscal_year")]
    start = next((c for c in dates if words.STARTS.search(c["name"])), dates[0] if dates else None)
    end = next((c for c in dates if words.ENDS.search(c["name"])), None)
    registered = next((c for c in dates if words.REGISTERED.search(c["name"]) and c is not start), None)
    lines = ["# ── この行が言っていること(要るものだけ # を外し、item を登録簿の項目に) ──"]
    if start is None:
        if month:
            lines += [
                f"# {MARK}? 日付の列がない。値がファイル名の月のものなら、# を外し、identity にも「年月」を足す(足さないと、次の月の分がこの月の分を上書きする)",
                *("# [[columns]]", '# name = "年月"', '# type = "month"', '# found_in = "file_name"', f"# match = {quoted(month)}", ""),
            ]  # fmt: skip
            return lines
        lines.append(
            "# 日付の列が見つからない。found_in か value で日付の列をつくれば書ける(名寄せだけなら、なくてよい)"
        )
        if found["above"]:
            lines.append(
                f'# 見出しより上に {"、".join(found["above"])} らしい字がある。found_in = "above" と match で取り出せる'
            )
        return [*lines, ""]
    told = [c for c in free if c["type"] in ("code", "flag", "integer", "decimal")]
    said: list[Mapping[str, Any] | None] = [*told] or [None]
    for column in said:
        value = (
            ""
            if column is None
            else f"{'code' if column['type'] == 'code' else 'number'} = {quoted(reference(column))}, "
        )
        item = items[reference(column)] if column else ""
        until = (
            quoted(reference(end))
            if end
            else '"month_end"'
            if start["type"] == "month"
            else '"year_end"'
            if start["type"] == "fiscal_year"
            else '"same_day"'
        )
        # A spell whose end stands in a column has to say when it became known, and so has a whole year.
        known = registered or (start if end or start["type"] == "fiscal_year" else None)
        known_on = f", known_from = {quoted(reference(known))}" if known else ""
        lines += [
            "# [[facts]]",
            *(f"# {part}" for part in f"item = {quoted(item)}, {value}valid_from = {quoted(reference(start))}, valid_to = {until}{known_on}".split(", ")),
        ]  # fmt: skip
    return [*lines, ""]


def _notes(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of notes, which are left out: how to take in only what kind of worry they speak of, as comments."""
    notes = [c for c in columns if c["ignore"] == words.NOTES and not re.search("住所|番号", c["name"])]
    if not notes:
        return []
    codes = words_of_notes()
    lines = ["# ── 自由記述の文は受け取らない。決めた言葉があるかだけを区分として受け取ると決めたなら、# を外す ──"]
    for column in notes:
        name = column["name"]
        lines += [
            "# [[columns]]", f"# name = {quoted(name + 'の言葉')}", f"# part_of = {quoted(name)}", '# type = "code"',
            f"# match = {quoted('(' + '|'.join(map(re.escape, codes)) + ')')}          # {MARK}? 言葉を見直す",
            f"# codes = {{ {', '.join(f'{quoted(word)} = {quoted(kind)}' for word, kind in codes.items())} }}",
            f'# [[facts]]          # item は登録簿に足す。code = {quoted(name + "の言葉")}、valid_from などはほかの facts と同じに書く', "",
        ]  # fmt: skip
    return lines


def _closing(columns: Sequence[Mapping[str, Any]], items: Mapping[str, str], known: Known) -> list[str]:
    """Items that the register lacks, ready to be put there."""
    wanted: dict[str, str] = {}
    for column in columns:
        item = items[reference(column)]
        if item and not column["ignore"] and item not in known.items.values():
            wanted.setdefault(item, FIELDS.get(column["field"], column["name"]))
    if not wanted:
        return []
    usual = {item.code: item for item in usual_items()}
    lines = [
        "# ── register/items.toml にない項目。要るものを写し、bases.toml に根拠を書く ──",
        "# 判定に使うものは、名寄せ(LINK)のほかに判定(JUDGE)と学習(LEARN)の根拠が要る。世帯番号も、世帯のようすを判定に使うなら要る。",
    ]
    for code, caption in wanted.items():
        lines += _register_entry(code, caption, usual.get(code))
    return lines


def _register_entry(code: str, caption: str, usual: UsualItem | None) -> list[str]:
    """One item as the register may hold it, as comments."""
    lines = ["# [[items]]", f"# code = {quoted(code)}", f"# caption = {quoted(usual.caption if usual else caption)}"]
    lines += ['# holder = ""', f"# sensitivity = {quoted(usual.sensitivity if usual else 'IDENTIFYING')}"]
    if usual:
        lines += [f"# domain = {quoted(usual.domain)}", f"# types = {quoted(list(usual.types))}"]
    return lines


def known_of(folder: Path) -> Known:
    """What a municipality's folder tells; whatever can't be read there is left out, for a draft may come first."""
    from kodomo.configuration import read_toml
    from kodomo.intake.layout import read_layouts

    items: dict[str, str] = {}
    columns: dict[str, str] = {}
    offices: tuple[str, ...] = ()
    try:
        offices = tuple(o["code"] for o in read_toml(folder / "offices.toml").get("offices", ()))
        for entry in read_toml(folder / "register" / "items.toml").get("items", ()):
            items[words.plain(entry["caption"])] = entry["code"]
        used = Counter(
            (words.plain(c.name), c.item) for x in read_layouts(folder).values() for c in x.columns if c.item
        )
        for (name, item), _ in reversed(used.most_common()):
            columns[name] = item  # the commonest stands last
    except (StaffError, KeyError, TypeError, AttributeError):
        pass
    return Known(items, columns, offices)

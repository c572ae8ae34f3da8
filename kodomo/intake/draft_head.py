"""The upper part of a draft: the source, its files and what one row is (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from kodomo.intake.column_groups import Series
from kodomo.intake.draft_merge import common_pattern
from kodomo.intake.draft_writing import MARK, Known, quoted, reference, setting
from kodomo.intake.file_dates import date_in, year_match


def top_part(file_name: str, found: Mapping[str, Any], known: Known) -> list[str]:
    """What a person reads first, and the source itself."""
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
        f"caption = {quoted(stem(file_name))}          # 出所の名前",
        f'system = ""          # {MARK} 印字したシステムの名前',
        f'holder = ""          # {MARK} 保有・管理主体(offices.toml の部署コード){offices}',
        'delivery = "MEDIA"          # 届き方: SYSTEM システム連携 / MEDIA 媒体 / MANUAL 手作業',
        "lag_days = 7          # 登録から私たちが知るまでの日数。分からなければ長めに",
        "freshness_days = 45          # 抽出日から何日たつと古いとみなすか。毎月届くなら 45",
        "",
    ]  # fmt: skip


def _source(file_name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", stem(file_name).lower()).strip("_")
    return plain if re.fullmatch(r"[a-z][a-z0-9_]*", plain) else "source_1"


_AGED = re.compile(r"\d{1,2}(?=歳|才|[かヶケカヵ]月児|週)")
"""3歳児健診 and 5歳児健診 are two sources: such a number is no date that changes from file to file."""


_KEPT = {ord("0") + digit: 0xE000 + digit for digit in range(10)}


_GIVEN_BACK = {kept: digit for digit, kept in _KEPT.items()}


def stem(file_name: str) -> str:
    """A file's name without its dates and numbers."""
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


def file_part(file_names: Sequence[str], found: Mapping[str, Any]) -> list[str]:
    """How the files are named, encoded and laid out."""
    shape, why = found["shape"], {**found["shape"]["why"], **found["why"]}
    pattern = common_pattern([_pattern(name) for name in file_names])
    lines = ["[file]", f"pattern = {quoted(pattern)}          # ファイル名の形。* は何文字でも",
             setting("format", found["format"], why.get("format", ""))]  # fmt: skip
    if found["encoding"]:
        lines.append(setting("encoding", found["encoding"], why.get("encoding", "")))
    if found["delimiter"] and (found["format"], found["delimiter"]) not in (("csv", ","), ("tsv", "\t")):
        lines.append(setting("delimiter", found["delimiter"], why.get("delimiter", "")))
    if found["sheet"]:
        lines.append(setting("sheet", found["sheet"], why.get("sheet", "")))
    if found["transposed"]:
        lines.append(
            "transposed = true          # 見出しが左端の列にあり、一列に一人が書かれている。縦と横を入れ替えて読む"
        )
    for key, default in (("skip_top", 0), ("header_rows", 1), ("skip_below", 0), ("footer", ""), ("junk", "")):
        if key == "skip_top" and shape.get("moves"):
            lines.append("find_header = true          # 見出しより上の行の数が、見本によって違う")
        elif shape[key] != default and not (found["format"] == "fixed" and key == "header_rows"):
            lines.append(setting(key, shape[key], why.get(key, "")))
        elif key == "header_rows" and found["format"] != "fixed":
            lines.append(f"# header_rows = 1          # {why.get(key, '')}")
    if shape["short_rows"]:
        lines.append(setting("short_rows", True, why.get("short_rows", "")))
    if shape["skip_top"] and not shape.get("moves"):
        lines.append("# find_header = true          # 上の行数が月ごとに変わるなら、skip_top の代わりにこちら")
    return [*lines, *_extracted(file_names, found), ""]


_YEARS_IN_NAMES = re.compile(
    r"(?:令和|平成)(?:\d{1,2}|元)年度?|(?<![A-Za-z])[RH]\d{1,2}(?![\d年]|\.\d)|(?<!\d)20\d\d(?:年度?)?(?!\d)"
)


def year_in_names(file_names: Sequence[str], found: Mapping[str, Any]) -> str:
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


_WHO_LIVES_HERE = {"resident_number", "household_number", "relationship", "born_on", "address"}


def kind_of_rows(found: Mapping[str, Any]) -> str:
    """What kind of rows a file seems to hold."""
    used = [c for c in found["columns"] if not c["ignore"]]
    fields = {c["field"] for c in used if c["person"] == "subject"}
    own = {reference(c) for c in used if (c["person"], c["field"]) == ("subject", "resident_number")}
    is_once = len(found["identity"]) == 1 and set(found["identity"]) <= own
    # Nothing but who lives where with whom, once for each: no other office's list is like that.
    is_list = fields >= _WHO_LIVES_HERE and all(c["field"] and c["person"] == "subject" for c in used)
    # A history has a row for each move: who is printed once, with household and relationship, is printed as they live now.
    has_latest_move = any(c["field"] == "event_on" for c in found["columns"]) and fields >= _WHO_LIVES_HERE
    if is_once and ("resident_from" in fields or is_list or has_latest_move):
        return "residents"
    if {"resident_number", "event_on", "event_kind"} <= fields or is_table_of_numbers(
        used, found.get("file_names", ())
    ):
        return "moves"
    return "residents" if {"resident_number", "resident_from"} <= fields else "observations"


_OF_NUMBERS = {"resident_number", "former_number", "household_number", "name", "name_kana", "born_on", "sex"}
DAY_IN_NAME = r"(?<!\d)(20\d\d[01]\d[0-3]\d)(?!\d)"


def is_table_of_numbers(columns: Sequence[Mapping[str, Any]], file_names: Sequence[str] = ()) -> bool:
    """Whether a table tells of people's old and new numbers and since when, and little else: the changes of numbers.

    The table that comes with a change of systems has a row for everybody and no day: that is in the file's name.
    """
    fields = {c["field"] for c in columns}
    if not {"resident_number", "former_number"} <= fields:
        return False
    has_day = any(c["type"] == "date" and c["field"] in ("", "event_on") for c in columns)
    is_of_systems = fields <= _OF_NUMBERS and bool(file_names) and all(re.search(DAY_IN_NAME, n) for n in file_names)
    return is_of_systems or (has_day and not fields & {"address", "household_number", "event_kind"})


def record_part(
    found: Mapping[str, Any], people: Series | None, outside: Sequence[str] = (), why: str = ""
) -> list[str]:
    """What one row is and how it is known again; ``outside`` are columns that stand outside of the table, ``why`` they count."""
    kind = kind_of_rows(found)
    lines = ["[record]"]
    if kind != "observations":
        what = (
            "異動日と異動事由があるので、異動履歴とみた"
            if kind == "moves"
            else "宛名番号ごとに一行で、世帯・続柄か住民となった日があるので、住民記録とみた"
        )
        lines.append(setting("kind", kind, what))
    if found["row_key"]:
        lines.append(setting("row_key", found["row_key"], "出所自身の番号らしい列"))
    if found["identity"] and people:
        # A child is known by its name, not by its place in the row: that changes when an older one leaves.
        first = next(iter(people.members.values()))
        who = [t for t, c in zip(people.templates, first, strict=True) if c["field"] in ("name", "resident_number")]
        lines.append(setting("identity", [*found["identity"], *who[:1]], "一人ごとに見分けるため、氏名を足した"))
    elif found["identity"] and outside:
        lines.append(setting("identity", [*outside, *found["identity"]], why))
    elif found["identity"]:
        lines.append(setting("identity", found["identity"], f"この組合せは {found['rows']:,} 行で重ならない"))
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

"""What only a file's name, a sheet's name or a line above the table tells of its rows: year, month, school, term (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kodomo.intake.column_groups import Column
from kodomo.intake.column_words import plain
from kodomo.intake.draft_head import kind_of_rows, year_in_names
from kodomo.intake.draft_writing import MARK, quoted, reference
from kodomo.intake.file_dates import YEARS, month_in_names, year_match
from kodomo.intake.row_identity import SINCE_WHEN

YEAR: dict[str, Any] = {
    "name": "年度",
    "type": "fiscal_year",
    "occurrence": 1,
    "ignore": "",
    "field": "",
    "is_record_number": False,
}
"""The column of the fiscal year that a draft adds, as facts may begin with it."""

MONTH: dict[str, Any] = {**YEAR, "name": "年月", "type": "month"}
"""The column of the month that a draft adds."""

MONTH_ABOVE = r"((?:令和|平成|[RH]|20)\s?(?:\d{1,2}|元)年\s?\d{1,2}月)(?!\s?\d{1,2}\s?日)"
"""A month above a table, 令和6年10月: a whole day there is the day of printing."""

BARE_MONTH = re.compile("^(対象|報告|実施|発生|検針|調定|利用|提供|支給|支払|来所|参加|請求|処理)?月(分|度)?$")

TERM_IN_NAMES = re.compile(
    r"([上下]半?期|[前後]期|第?[1-4一二三四](?:学期|四半期|回|期)|(?<![A-Za-z\d])[1-4](?:gakki|kai|ki)(?![A-Za-z]))"
)
ROUND_IN_NAMES = re.compile(r"(?:(?<=[RH]\d)|(?<=[RH]\d\d)|(?<=20\d\d))[_-]([1-9])(?![\d月年])")
"""R6_1, R6_2: which of a year's rounds."""
CHECKUP_IN_NAMES = re.compile(r"((?:\d+歳)?(?:\d+[かヶケカヵ]月)?児?(?:健診|健康診査|相談))")
SCHOOL_IN_NAMES = re.compile(
    r"([^\d_\-.\s()（）]{1,10}?(?:小学校|中学校|保育園|保育所|幼稚園|こども園|小|中|園))(?=[_\-.\s（(]|$)"
)


@dataclass
class Outside:
    """What a draft adds to the columns of the table.

    ``told`` are the added columns that facts may begin with, ``apart`` those of the table that an added one
    replaces, ``identity`` the added ones without which one file's records overwrite another's, ``why`` the reason.
    """

    lines: list[str] = field(default_factory=list)
    told: list[Column] = field(default_factory=list)
    apart: list[Column] = field(default_factory=list)
    identity: list[str] = field(default_factory=list)
    why: str = ""


OF_MONTH = "年月がないと、次の月の分がこの月の分を上書きする"
OF_YEAR = "年度がないと、次の年度の分がこの年度の分を上書きする"
PERHAPS_OF_YEAR = f"{MARK}? 年度ごとのファイルらしい。番号を年度ごとに振り直す・使い回すなら、年度がないと次の年度の分が上書きする。前の年度の分を置き換える台帳なら外す"


def told_outside(
    columns: Sequence[Column], found: Mapping[str, Any], names: Sequence[str], has_months: bool
) -> Outside:
    """Everything of a file's rows that stands outside of the table.

    Args:
        names: of the files.
        has_months: whether the columns stand for months, whose year is told with them.
    """
    added = _sheets(found, columns)
    if found["dated"] and not found["dated"]["is_daily"]:
        return added
    if has_months:
        added.identity, added.why = ([], "") if _own_year(columns) else ([YEAR["name"]], OF_YEAR)
    elif kind_of_rows(found) == "observations":
        _time(added, columns, found, names)
    else:
        _yearly(added, columns, found, names)
    _between_names(added, columns, names)
    return added


def _time(added: Outside, columns: Sequence[Column], found: Mapping[str, Any], names: Sequence[str]) -> None:
    """The month or year of the rows, by what tells it most exactly."""
    free = [c for c in columns if not (c["field"] or c["ignore"])]
    has_time = any(c["type"] in ("date", "month") and not SINCE_WHEN.search(plain(c["name"])) for c in free)
    bare = next((c for c in free if BARE_MONTH.match(plain(c["name"])) and c["type"] not in ("month", "date")), None)
    month = month_in_names(names)
    if any(c["has_no_year"] and not c.get("year_from") for c in columns) and not _own_year(columns):
        added.lines += year_outside("日付", found)
    elif not has_time and bare and (_own_year(columns) or _place_of_year(found, names)):
        _month_of_year(added, bare, columns, found)
    elif found["sheet"] == "*" and (found["sheet_is_month"] or found["sheet_month"]):
        _tell_month(added, month_outside("sheet_name", "^(.+)$" if found["sheet_is_month"] else found["sheet_month"]))
    elif found["sheet"] == "*" and found["sheet_is_month_only"]:
        added.lines += [] if _own_year(columns) else year_outside("シートの名前の月", found)
        _tell_month(added, sheet_month_part())
    elif not has_time and month and (len(names) > 1 or not any(c["type"] in ("date", "month") for c in free)):
        # 交付日, 認定日 … of a single file: it may be a register as of that month.
        _tell_month(added, month_outside("file_name", month))
    elif not has_time and "年月" in found["above"]:
        _tell_month(added, month_outside("above", MONTH_ABOVE))
    elif not has_time and not _own_year(columns) and _place_of_year(found, names) in ("sheet_name", "above"):
        added.lines += year_outside("行", found)
        added.told, added.identity, added.why = [YEAR], [YEAR["name"]], OF_YEAR
    else:
        _yearly(added, columns, found, names)


def _yearly(added: Outside, columns: Sequence[Column], found: Mapping[str, Any], names: Sequence[str]) -> None:
    """The fiscal year of files that are told apart by it alone."""
    yearly = year_in_names(names, found)
    if not yearly or any(c["name"] == YEAR["name"] for c in columns):
        return
    added.lines += ["[[columns]]          # 年度は、ファイルの名前にだけある", *outside_year("file_name", yearly)]
    added.told = [YEAR]
    dated = {reference(c) for c in columns if c["type"] in ("date", "month") and c["field"] in ("", "event_on")}
    if not dated & set(found["identity"]):
        added.identity, added.why = [YEAR["name"]], PERHAPS_OF_YEAR


def _tell_month(added: Outside, lines: Sequence[str]) -> None:
    added.lines += lines
    added.told, added.identity, added.why = [MONTH], [MONTH["name"]], OF_MONTH


def _own_year(columns: Sequence[Column]) -> str:
    return next((reference(c) for c in columns if c["type"] == "fiscal_year"), "")


def _month_of_year(added: Outside, bare: Column, columns: Sequence[Column], found: Mapping[str, Any]) -> None:
    """月 (4, 4月) of rows whose fiscal year stands beside it, in the file's or sheet's name or above."""
    own = _own_year(columns)
    lines = [] if own else year_outside("月の列", found)
    lines += [
        f"[[columns]]          # {MARK}? 年度と月を合わせた。1〜3 月は翌年とみなす", 'name = "年月"',
        f"join = {quoted([own or YEAR['name'], reference(bare)])}", 'type = "month"', "fiscal = true", "",
    ]  # fmt: skip
    _tell_month(added, lines)
    added.apart = [bare]


def _sheets(found: Mapping[str, Any], columns: Sequence[Column]) -> Outside:
    """The school or nursery that the sheets are called after; where they may be, as a comment."""
    added = Outside()
    is_told = any(c["field"] == "school" and not c["ignore"] for c in columns)
    tells_time = found["sheet_is_month"] or found["sheet_is_month_only"] or found["sheet_month"] or found["sheet_year"]
    if found["sheet"] != "*" or tells_time or is_told:
        return added
    column = ["name = " + quoted("シート名"), 'type = "text"', 'found_in = "sheet_name"', "match = '^(.+)$'", 'person = "subject"',
              'field = "school"', 'item = "school_enrolled"']  # fmt: skip
    if found["sheet_is_school"]:
        added.lines = ["[[columns]]          # シートの名前が学校・園", *column, ""]
    else:
        added.lines = [f"# [[columns]]          # {MARK}? シートの名前が学校・園・組などなら、# を外す",
                       *(f"# {line}" for line in column), ""]  # fmt: skip
    return added


def _between_names(added: Outside, columns: Sequence[Column], names: Sequence[str]) -> None:
    """What differs between the names of one source's files besides their date: the school, the term, the kind of checkup."""
    named = [unicodedata.normalize("NFKC", name) for name in names]
    told = [[m[1] if (m := pattern.search(name)) else "" for name in named] for pattern in _APART]
    terms, rounds, checkups, schools = (sorted(set(values)) if all(values) else [] for values in told)
    is_school_told = any(c["field"] == "school" and not c["ignore"] for c in columns) or added.lines[:1] == [
        "[[columns]]          # シートの名前が学校・園"
    ]
    if len(schools) > 1 and not is_school_told:
        added.lines += [
            "[[columns]]          # ファイルの名前だけが、どの学校・園のものかを言っている", 'name = "学校"', 'type = "text"', 'found_in = "file_name"',
            f"match = {quoted(SCHOOL_IN_NAMES.pattern)}", 'person = "subject"', 'field = "school"', 'item = "school_enrolled"', "",
        ]  # fmt: skip
    for name, values, pattern, least in (
        ("期", terms, TERM_IN_NAMES, 1),
        ("回", rounds, ROUND_IN_NAMES, 2),
        ("健診", checkups, CHECKUP_IN_NAMES, 2),
    ):
        if len(values) >= least and not any(c["name"] == name for c in columns):
            added.lines += [
                f"[[columns]]          # ファイルの名前だけが、どの{name}のものかを言っている",
                f'name = "{name}"', 'type = "text"', 'found_in = "file_name"', f"match = {quoted(pattern.pattern)}", "",
            ]  # fmt: skip
            added.identity.append(name)
            added.why = added.why or f"{name}がないと、ほかの{name}の分が上書きする"


_APART = (TERM_IN_NAMES, ROUND_IN_NAMES, CHECKUP_IN_NAMES, SCHOOL_IN_NAMES)


def month_outside(place: str, match: str) -> list[str]:
    """A column for the month that stands in a file's name, a sheet's name or a line above the table."""
    where = {"file_name": "ファイルの名前", "above": "見出しより上の行", "sheet_name": "シートの名前"}[place]
    return [
        f"[[columns]]          # {MARK}? 行に日付がないので、{where}の年月のこととみた。そうでなければ、これと identity の「年月」を消す",
        *('name = "年月"', 'type = "month"', f'found_in = "{place}"', f"match = {quoted(match)}", ""),
    ]


def sheet_month_part() -> list[str]:
    """Columns for the month in sheets called 4月 to 3月, whose year stands elsewhere."""
    return [
        f"[[columns]]          # {MARK}? シートの名前が月なので、その月のこととみた。年は年度から補う",
        *('name = "月"', 'type = "text"', 'found_in = "sheet_name"', "match = '^\\s*(\\d{1,2})月'", ""),
        *("[[columns]]", 'name = "年月"', 'join = ["年度", "月"]', 'type = "month"', "fiscal = true", ""),
    ]


def _place_of_year(found: Mapping[str, Any], names: Sequence[str]) -> str:
    """Where the fiscal year stands that the rows don't tell: sheet_name, above, file_name; empty where nowhere."""
    if found["sheet_year"] and found["sheet"] == "*":
        return "sheet_name"
    if "年度" in found["above"]:
        return "above"
    return "file_name" if year_match(names) else ""


def year_outside(what: str, found: Mapping[str, Any]) -> list[str]:
    """A column for the fiscal year that the rows don't tell: in the sheet's name, above the table, or in the file's name."""
    place = _place_of_year(found, found["file_names"]) or "file_name"
    match = {"sheet_name": found["sheet_year"], "above": YEARS[0]}.get(place, "")
    return [
        f"[[columns]]          # {MARK}? {what}に年がないので、年度が要る。シートの名前、見出しより上の行、ファイル名のどれかから取り出す。なければ付けてもらう",
        *outside_year(place, match or year_match(found["file_names"]) or YEARS[0]),
    ]


def outside_year(place: str, match: str) -> list[str]:
    """A column for the fiscal year that stands in a sheet's name, above the table or in a file's name."""
    return ['name = "年度"', 'type = "fiscal_year"', f'found_in = "{place}"', f"match = '{match}'", ""]

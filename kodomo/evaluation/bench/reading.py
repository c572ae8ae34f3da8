"""Reads an outside table for the comparison of learners: numbers, texts, empty cells (analysis side)."""

from __future__ import annotations

import csv
import datetime as dt
import fnmatch
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kodomo.errors import StaffError
from kodomo.evaluation.bench.encoding import LEVELS_MOST, Columns
from kodomo.judgement.learners.cross_fit import Array
from kodomo.judgement.learners.leak_gates import suspicious_columns

CASES_LEAST = 20
DELIMITERS = (",", "\t", ";")
TITLES_MOST = 10
"""Lines above the columns' names that are looked through."""
EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a", "?", "-", "－", "―"})
TRUE = frozenset(
    {"1", "true", "yes", "y", "t", "はい", "有", "有り", "あり", "該当", "該当あり", "陽性", "○", "〇", "◯", "レ", "✓"}
)
FALSE = frozenset(
    {"0", "false", "no", "n", "f", "いいえ", "無", "無し", "なし", "非該当", "該当なし", "陰性", "×", "✕"}
)
ENCODINGS = ("utf-8-sig", "cp932")
MOSTLY = 0.95
"""A column of which this share are numbers is one of numbers."""
DATE = re.compile(
    r"(?:(?P<era>明治|大正|昭和|平成|令和|[MTSHR])\.?)?(?P<year>\d{1,4}|元)[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?(?:[ T]\d{1,2}:\d{2}.*)?"
)
ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
"""The year before the first of each era."""
UNIT = re.compile(r"(?:円|千円|万円|人|歳|才|日|回|点|件|時間|分|か月|カ月|ヶ月|ヵ月|cm|mm|kg|g|℃|°C|%)$")
"""What offices write behind a number."""
NAME_LIKE = 0.95
"""A column in which this share of the filled cells is found once only looks like a number of a row or a name."""


class UnusableTable(StaffError):
    """The table cannot be compared on: a column is missing, the target has one class, or too few rows."""

    exit_code = 2


@dataclass(frozen=True)
class Table:
    """What is compared on. ``notes`` says in Japanese what was done to the table."""

    columns: Columns
    y: Array
    group: NDArray[np.object_] | None
    positive: str
    notes: tuple[str, ...]


def read_table(path: Path, *, target: str, group: str | None = None, ignore: Sequence[str] = ()) -> Table:
    """Read a CSV file, UTF-8 or CP932, separated by comma, semicolon or tab; a title above the names is passed over.

    Args:
        target: column of the outcome: 0/1, true/false, yes/no, or two distinct values (the rarer is positive).
        group: column whose equal values stay on one side of every split; not learned from.
        ignore: names, globs or regular expressions of columns that are not learned from.

    Raises:
        UnusableTable: in Japanese, without any cell's value.
    """
    notes: list[str] = []
    cells = _cells(path, target, notes)
    for name, option in ((target, "--target"), (group, "--group")):
        if name is not None and name not in cells.columns:
            raise UnusableTable(
                f"{option} の列「{name}」が表にありません。",
                where=path.name,
                then=f"列は次のとおりです: {'、'.join(map(str, cells.columns[:30]))}",
            )
    if f"{target}.2" in cells.columns:
        # Read as another column, a second copy of the outcome would foretell it.
        raise UnusableTable(
            f"目的の列「{target}」と同じ名前の列がもう一つあります。",
            where=path.name,
            then="どちらかを除くか、名前を変えてください。",
        )
    y, positive, known = _outcome(cells[target], path, notes)
    cells, y = cells[known].reset_index(drop=True), y[known]
    _enough(y, path)
    groups = None if group is None else _groups(cells[group], notes)
    rest = [str(c) for c in cells.columns if c not in (target, group)]
    ignored = _ignored(rest, ignore, notes)
    columns = _columns(cells, [c for c in rest if c not in ignored], notes)
    if not columns.names:
        raise UnusableTable(
            "学習に使える列が残りません。",
            where=path.name,
            then="空の列・値が一つの列・除いた列のほかに、列を加えてください。",
        )
    _enough_groups(groups, y, path)
    if leaks := _leaks(columns, y):
        notes.append(
            "警告: 一列だけで目的の列をほぼ言い当てる列がある。結果を知ってから書かれた列なら --ignore で除く: "
            + "、".join(leaks)
        )
    return Table(columns, y, groups, positive, tuple(notes))


def _cells(path: Path, target: str, notes: list[str]) -> pd.DataFrame:
    if not path.is_file():
        raise UnusableTable("ファイルがありません。", where=str(path), then="CSV ファイルの場所を確かめてください。")
    raw = path.read_bytes()
    text = _decoded(raw, path)
    try:
        above, delimiter = _titles(text, target)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for _ in range(above):
            next(lines)
        header = [c.strip().replace("\n", " ") or f"(名前のない {n} 列目)" for n, c in enumerate(next(lines, []), 1)]
        rows = [_row(cells, len(header), lines.line_num, path) for cells in lines if cells]
    except csv.Error as fault:
        raise UnusableTable(
            "表として読めません。", where=path.name, then="一行目に列名のある CSV か確かめてください。"
        ) from fault
    if not rows:
        raise UnusableTable(
            "行がないか、表として読めません。", where=path.name, then="一行目に列名のある CSV か確かめてください。"
        )
    if above:
        notes.append(f"列名の行(「{target}」のある {above + 1} 行目)より上の {above} 行を、表題とみて除いた")
    return pd.DataFrame(rows, columns=_apart(header), dtype=object)


def _titles(text: str, target: str) -> tuple[int, str]:
    """How many lines lie above the one with the columns' names, and what parts its cells.

    Office tables have a title, a date or who made them above. The names are in the first line that has the target's; where
    none has it, in the first.
    """
    first = text.split("\n", 1)[0]
    likely = max(DELIMITERS, key=first.count)
    for delimiter in (likely, *DELIMITERS):
        head = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), TITLES_MOST + 1)
        for number, cells in enumerate(head):
            if target in [cell.strip().replace("\n", " ") for cell in cells]:
                return number, delimiter
    return 0, likely


def _apart(header: list[str]) -> list[str]:
    """Names made different: the second 「年齢」 is 「年齢.2」."""
    seen: Counter[str] = Counter()
    names = []
    for name in header:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return names


def _row(cells: list[str], width: int, line: int, path: Path) -> list[str]:
    """A line's cells, as many as the header has: more than those may only be empty."""
    if any(cell.strip() for cell in cells[width:]):
        raise UnusableTable(
            f"{line} 行目のセルが、列名({width} 列)より多くあります。", where=path.name, then="表を直してください。"
        )
    return cells[:width] + [""] * (width - len(cells))


def _decoded(raw: bytes, path: Path) -> str:
    marked = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnusableTable(
        "文字コードが UTF-8 でも CP932 でもありません。", where=path.name, then="UTF-8 で保存してください。"
    )


def _filled(column: pd.Series) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    values = np.array([str(v).strip() for v in column], dtype=object)
    return values, np.array([v.lower() not in EMPTY for v in values])


def _outcome(column: pd.Series, path: Path, notes: list[str]) -> tuple[Array, str, NDArray[np.bool_]]:
    values, known = _filled(column)
    words = set(map(_same, values[known]))
    if len(words) == 1 and words <= TRUE and not known.all():
        # A list that marks its cases alone, ○ or nothing, is the usual form of an office's own table.
        notes.append(f"目的の列は「{values[known][0]}」か空なので、空のセルを陰性とした({int((~known).sum()):,} 行)")
        return known.astype(np.float64), str(values[known][0]), np.full(known.shape, True)
    if not known.all():
        notes.append(f"目的の列が空の {int((~known).sum()):,} 行を除いた")
    spelt = Counter(values[known].tolist())
    values = np.array([_same(v) for v in values], dtype=object)
    distinct, counts = np.unique(values[known].astype(str), return_counts=True)
    if len(distinct) != 2:
        amount = {0: "すべて空です", 1: "一つの値しかありません"}.get(
            len(distinct), f"{len(distinct)} 種類の値があります"
        )
        raise UnusableTable(
            f"目的の列「{column.name}」は二つの値でなければなりませんが、{amount}。",
            where=path.name,
            then="0/1、true/false、yes/no、または二種類の値の列を --target に選んでください。",
        )
    true, false = [d for d in distinct if d in TRUE], [d for d in distinct if d in FALSE]
    said = len(true) == len(false) == 1
    positive = str(true[0] if said else distinct[int(np.argmin(counts))])
    written = max((v for v in spelt if _same(v) == positive), key=lambda v: (spelt[v], v))
    if not said:
        notes.append(f"目的の列の二つの値のうち、少ない方(「{written}」)を陽性とした")
    return (values == positive) + 0.0, written, known


def _same(value: str) -> str:
    """One form of what is written in several ways: 1, 1.0 and １; TRUE and True."""
    number = _number(value)
    value = unicodedata.normalize("NFKC", value)
    return value.lower() if number is None else f"{number:.12g}"


def _enough(y: Array, path: Path) -> None:
    cases = int(y.sum())
    fewer = min(cases, len(y) - cases)
    if fewer < CASES_LEAST:
        raise UnusableTable(
            f"少ない方の値が {fewer} 行しかなく、比べられません({CASES_LEAST} 行以上が必要です)。",
            where=path.name,
            then="もっと大きな表を使ってください。",
        )


def _enough_groups(group: NDArray[np.object_] | None, y: Array, path: Path) -> None:
    if group is not None and len(set(group[y > 0])) < CASES_LEAST:
        raise UnusableTable(
            f"陽性のある組(--group)が {CASES_LEAST} に満たず、比べられません。",
            where=path.name,
            then="--group の列を確かめてください。",
        )


def _groups(column: pd.Series, notes: list[str]) -> NDArray[np.object_]:
    values, known = _filled(column)
    if not known.all():
        notes.append(f"組の列が空の {int((~known).sum()):,} 行は、それぞれ別の組とした")
        values[~known] = [f"\0{n}" for n in np.flatnonzero(~known)]
    return values


def _ignored(names: list[str], patterns: Sequence[str], notes: list[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        own = {name for name in names if _matches(pattern, name)}
        notes.append(f"--ignore「{pattern}」: {'、'.join(sorted(own)) or '当てはまる列がない'}")
        found |= own
    return found


def _matches(pattern: str, name: str) -> bool:
    if name == pattern or fnmatch.fnmatchcase(name, pattern):
        return True
    try:
        # An anchored pattern says itself where it holds; others must hold for the whole name.
        anchored = pattern.startswith("^") or pattern.endswith("$")
        return bool(re.search(pattern, name) if anchored else re.fullmatch(pattern, name))
    except re.error:
        return False


def _columns(cells: pd.DataFrame, names: list[str], notes: list[str]) -> Columns:
    numbers: dict[str, Array] = {}
    texts: dict[str, NDArray[np.object_]] = {}
    empty, constant, name_like, like_ids, mixed, dates = [], [], [], [], [], []
    for name in names:
        values, filled = _filled(cells[name])
        present = values[filled]
        distinct = len(set(present))
        if not distinct:
            empty.append(name)
        elif distinct == 1 and filled.all():
            constant.append(name)
        elif (read := _as_days(values, filled)) is not None:
            numbers[name] = read
            dates.append(name)
        elif (read := _as_numbers(values, filled)) is not None:
            numbers[name] = read
            if np.isnan(read[filled]).any():
                mixed.append(name)
            if distinct == len(values) and len(values) > CASES_LEAST and np.all(read == np.round(read)):
                like_ids.append(name)
        elif distinct >= NAME_LIKE * len(present) and distinct > CASES_LEAST:
            name_like.append(name)
        else:
            column = values.copy()
            column[~filled] = None
            texts[name] = column
    for found, words in (
        (empty, "すべて空の列を除いた"),
        (constant, "値が一つの列を除いた"),
        (name_like, "ほとんどすべての行で値の違う文字の列(番号や名前らしい)を除いた"),
        (dates, "日付の列を日数として読んだ"),
        (mixed, "ほとんどが数の列で、数でないセルを空とした"),
        (like_ids, "警告: すべての行で値の違う整数の列は番号らしい。除くには --ignore を使う"),
    ):
        if found:
            notes.append(f"{words}: {'、'.join(found)}")
    return Columns(tuple(n for n in names if n in numbers or n in texts), numbers, texts)


def _as_numbers(values: NDArray[np.object_], filled: NDArray[np.bool_]) -> Array | None:
    """Numbers; a few words among many different numbers (「不明」) are empty cells. None for a column of words."""
    read = [_number(v) for v in values[filled]]
    found = [v for v in read if v is not None]
    if len(found) < len(read) and (len(found) < MOSTLY * len(read) or len(set(found)) <= LEVELS_MOST):
        return None
    answer = np.full(len(values), np.nan)
    answer[filled] = [np.nan if v is None else v for v in read]
    return np.where(np.isfinite(answer), answer, np.nan)


def _number(text: str) -> float | None:
    """A number as tables write it: 1,234円, ▲5 and 5 % too, full-width or not; 1_2 is a code."""
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("¥$").strip()
    plain = re.sub(r"^[▲△]", "-", UNIT.sub("", plain).strip())
    if "," in plain and re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    try:
        return None if "_" in plain else float(plain)
    except ValueError:
        return None


def _as_days(values: NDArray[np.object_], filled: NDArray[np.bool_]) -> Array | None:
    """Days of a column that holds dates alone, of the calendar or of an era, the time of day left out; else None."""
    answer = np.full(len(values), np.nan)
    for n in np.flatnonzero(filled):
        match = DATE.fullmatch(unicodedata.normalize("NFKC", str(values[n])))
        if match is None or (match["era"] is None and len(match["year"]) != len("2024")):
            return None
        year = 1 if match["year"] == "元" else int(match["year"])
        try:
            answer[n] = dt.date(year + _before_era(match["era"]), int(match["month"]), int(match["day"])).toordinal()
        except ValueError:
            return None
    return answer


def _before_era(name: str | None) -> int:
    letters = dict(zip("MTSHR", ERAS.values(), strict=True))
    return 0 if name is None else ERAS.get(name) or letters[name]


def _leaks(columns: Columns, y: Array) -> list[str]:
    """Names of columns that tell the outcome alone, by value or by being filled: they may have been made from it."""
    found = []
    for name in columns.names:
        values = columns.numbers.get(name)
        if values is None:
            levels, place = np.unique(np.array([v or "" for v in columns.texts[name]]), return_inverse=True)
            if len(levels) > LEVELS_MOST:
                continue
            values = (np.bincount(place, weights=y) / np.bincount(place))[place]
        if suspicious_columns(values[:, None], y):
            found.append(name)
    return found

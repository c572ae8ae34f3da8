"""Columns of an undescribed file that belong together: months side by side, several people, a date in parts (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kodomo.intake.dates import ERAS

Column = Mapping[str, Any]

_MONTH = re.compile(r"(?<!\d)(1[0-2]|[1-9])月")
_NUMBER = re.compile(r"第?([1-9])(?=[^\d]|$)|第([一二三四五六七八九])(?=[子児])")
_ERA_PART, _YEAR_PART = re.compile(r"(元号|年号|和暦)(コード|区分)?$"), re.compile(r"年$")


@dataclass(frozen=True)
class Series:
    """Columns alike but for a month or a person's number.

    ``members`` gives, by the value that changes, the columns in the order of ``templates``.
    """

    templates: tuple[str, ...]
    members: dict[str, tuple[Column, ...]]


def month_series(columns: Sequence[Column]) -> Series | None:
    """Columns of at least three months side by side (4月 … 3月, or 4月欠席, 4月遅刻 …)."""
    return _series(columns, _MONTH, 3, lambda c: not c["field"])


def people_series(columns: Sequence[Column]) -> Series | None:
    """Columns of at least two numbered people (児童1氏名, 児童2氏名 …), among them a name or number."""
    found = _series(columns, _NUMBER, 2, lambda c: not _MONTH.search(_plain(c["name"])))
    if found is None:
        return None
    found = _with_repeated(found, columns)
    first = next(iter(found.members.values()))
    tells_who = any(c["field"] in ("name", "name_kana", "resident_number", "own_number") and c["person"] for c in first)
    return found if tells_who else None


def _series(columns: Sequence[Column], pattern: re.Pattern[str], least: int, may: Any) -> Series | None:
    by_template: dict[str, dict[str, Column]] = {}
    for column in columns:
        found = pattern.search(_plain(column["name"]))
        if found and column["occurrence"] == 1 and not column["position"] and may(column):
            printed = column["name"]
            start, end = _place(printed, next(filter(None, found.groups())))
            if end:
                by_template.setdefault(printed[:start] + "{}" + printed[end:], {})[printed[start:end]] = column
    values = max((tuple(c) for c in by_template.values()), key=len, default=())
    chosen = {template: members for template, members in by_template.items() if tuple(members) == values}
    if len(values) < least or not chosen:
        return None
    return Series(tuple(chosen), {v: tuple(members[v] for members in chosen.values()) for v in values})


def _with_repeated(found: Series, columns: Sequence[Column]) -> Series:
    """A series with the columns that repeat one header beside each of its people: 児童1, 生年月日, 児童2, 生年月日."""
    count = len(found.members)
    if list(found.members) != [str(at) for at in range(1, count + 1)]:
        return found
    taken = [c for members in found.members.values() for c in members]
    ends = [max(columns.index(c) for c in members) for members in found.members.values()]
    starts = [min(columns.index(c) for c in members) for members in found.members.values()]
    bounds = [*starts[1:], len(columns)]
    templates, added = list(found.templates), []
    for name in dict.fromkeys(c["name"] for c in columns if c["occurrence"] == count > 1):
        same = [c for c in columns if c["name"] == name and c not in taken]
        places = [columns.index(c) for c in same]
        if len(same) == count and all(end < at < bound for end, at, bound in zip(ends, places, bounds, strict=True)):
            templates.append(f"{name}{REPEATED}")
            added.append(same)
    members = {value: (*own, *(same[at] for same in added)) for at, (value, own) in enumerate(found.members.items())}
    return Series(tuple(templates), members)


REPEATED = "#{}"
"""Ends the template of columns that share one header and are told apart by their place."""


def _place(printed: str, value: str) -> tuple[int, int]:
    """Where a value stands in a name as printed, in whatever width (１, ①); (0, 0) where it doesn't."""
    for length in range(1, len(value) + 1):
        for at in range(len(printed) - length + 1):
            if unicodedata.normalize("NFKC", printed[at : at + length]) == value:
                return at, at + length
    return 0, 0


def dates_in_parts(columns: Sequence[Column]) -> list[tuple[str, list[Column]]]:
    """Neighbouring columns that make up one date: (era,) year, month, day; with the name of the whole."""
    found = []
    at = 0
    while at + 2 < len(columns):
        names = [_plain(c["name"]) for c in columns[at : at + 4]]
        has_era = bool(_ERA_PART.search(names[0]))
        parts = names[1:4] if has_era else names[:3]
        stem = parts[0][:-1] if parts else ""
        if len(parts) == 3 and _YEAR_PART.search(parts[0]) and parts[1].endswith("月") and parts[2].endswith("日") and (
            parts[1][:-1] in ("", stem) and parts[2][:-1] in ("", stem)
        ):  # fmt: skip
            count = 3 + has_era
            found.append(
                (_whole(stem or (_ERA_PART.sub("", names[0]) if has_era else "")), list(columns[at : at + count]))
            )
            at += count
        else:
            at += 1
    return found


ERAS_PRINTED = frozenset(word for era in ERAS for word in (era.letter, era.code, era.name, era.name[0]))


def dates_beside_eras(columns: Sequence[Column]) -> list[tuple[Column, Column]]:
    """Pairs of an era's column and the date of six digits beside it, 020705 平: a birth date sooner than another, and the one after sooner
    than the one before.
    """
    found = []
    for at, column in enumerate(columns):
        if not (
            re.search("元号|年号", _plain(column["name"])) and column["codes"] and set(column["codes"]) <= ERAS_PRINTED
        ):
            continue
        beside = [*columns[at + 1 : at + 2], *columns[max(at - 1, 0) : at]]
        days = [c for c in beside if c["era_missing"] and c["type"] == "date"]
        day = next((c for c in days if c["field"] == "born_on"), days[0] if days else None)
        if day:
            found.append((column, day))
    return found


def _whole(stem: str) -> str:
    stem = stem.removesuffix("生").removesuffix("年月日")
    return "生年月日" if stem in ("", "誕", "出生", "本人") else f"{stem}年月日"


def _plain(name: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name))

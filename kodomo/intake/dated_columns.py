"""Columns whose headers are months or days (R7.4, 2025/05, 令和7年度/4月), turned into rows of one month each (identity side)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kodomo.intake.dates import read_date, read_month
from kodomo.intake.header import folded, printable
from kodomo.intake.sanitise import refused
from kodomo.intake.sheets import Chunk
from kodomo.vault.records import PEOPLE_STEP

PLACE = "{}"
"""Stands in a template of headers where the month is printed: ``{}/欠席``."""

MOST = 2**31 // PEOPLE_STEP - 1
"""So many months or days one row may hold: each is a record with a number of its own."""

_FISCAL = re.compile(r"^((?:令和|平成|[RH])?(?:\d{1,4}|元))年度[/・]?(\d{1,2})月?$", re.I)
_WEEKDAY = re.compile(r"\([月火水木金土日祝・]+\)$")
_BARE = re.compile(r"^(\d{1,2}月|\d{1,2}[/月]\d{1,2}日?|\d{1,2}日)$")
_DIGITS = re.compile(r"^(19|20)\d\d(\d\d){1,2}$")
_YEARS = ("1990", "2100")

_PRINTED = re.compile(
    r"(?:令和|平成|[RH])(?:\d{1,2}|元)年度?[/・]?\d{1,2}月(?:\d{1,2}日)?|(?:19|20)\d\d年度?[/・]?\d{1,2}月(?:\d{1,2}日)?"
    r"|(?<![A-Z0-9])[RH]\d{1,2}[./-]\d{1,2}(?:[./-]\d{1,2})?月?(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d[./-]\d{1,2}(?:[./-]\d{1,2})?(?!\d)|(?<!\d)(?:19|20)\d{4}(?:\d\d)?(?!\d)"
)
_DAY_OF_MONTH = re.compile(r"^(\d{1,2}日|\d{1,2}/\d{1,2}|\d{1,2}月\d{1,2}日)(?:\([月火水木金土日祝]\))?$")


def month_written(header: str) -> str:
    """What a header, or its part, says of time: 2025-04, 2025-04-01, as printed where the year stands elsewhere, or nothing.

    >>> [month_written(text) for text in ("R7.4", "令和7年度/1月", "2025年4月分", "202504", "4月", "欠席")]
    ['2025-04', '2026-01', '2025-04', '2025-04', '4月', '']
    """
    text = _WEEKDAY.sub("", folded(header)).removesuffix("分")
    fiscal = _FISCAL.match(text)
    if fiscal:
        april, month = read_month(f"{fiscal[1]}年4月").value, int(fiscal[2])
        return f"{int(april[:4]) + (month < 4)}-{month:02}" if april and 1 <= month <= 12 else ""
    if _BARE.match(text):
        return text
    text = text.replace("年/", "年").replace("年・", "年")
    if text.isdigit() and not _DIGITS.match(text):
        return ""
    written = read_date(text).value
    if not written or len(written) < 10:
        written = read_month(text.removesuffix("月") if "年" not in text else text).value
    return written if written and len(written) >= 7 and _YEARS[0] <= written[:4] < _YEARS[1] else ""


@dataclass(frozen=True)
class Months:
    """Where in a file the columns of each month stand.

    ``members`` gives by what the headers say of time the positions of the templates' columns, -1 where there is none.
    """

    header: list[str]
    shared: list[int]
    members: dict[str, list[int]]

    def chunk(self, chunk: Chunk) -> Chunk:
        """Rows of the file as rows of one month each; the n-th month's are numbered row + n × ``PEOPLE_STEP``."""
        parts = list(self.members.items())
        long = Chunk(faults=chunk.faults)
        for number, cells in zip(chunk.numbers, chunk.rows, strict=True):
            own = [cells[at] for at in self.shared]
            for step, (month, places) in enumerate(parts):
                long.numbers.append(number + step * PEOPLE_STEP)
                long.rows.append([*own, month, *(cells[at] if at >= 0 else "" for at in places)])
        return long


def months_of(header: Sequence[str], name: str, templates: Sequence[str], file_name: str) -> Months:
    """Find the months' columns in a header.

    Args:
        name: what the column of months is called in the rows made of them.
        templates: forms of the headers, with ``{}`` where the month is printed.

    Raises:
        DeliveryRefused: no header has such a form, or one month stands there twice.
    """
    found: dict[str, list[int]] = {}
    taken: set[int] = set()
    for which, template in enumerate(templates):
        before, _, after = folded(template).partition(PLACE)
        for at, printed in enumerate(header):
            text = folded(printed)
            is_alike = len(text) > len(before) + len(after) and text.startswith(before) and text.endswith(after)
            month = month_written(text[len(before) : len(text) - len(after)]) if is_alike and at not in taken else ""
            if not month:
                continue
            places = found.setdefault(month, [-1] * len(templates))
            if places[which] >= 0:
                raise refused(
                    "month_twice", "同じ年月の見出しが二つあります。", f"{file_name} 見出し: {printable(month)}",
                    "見出しの年月を確かめ、出力し直してください。",
                )  # fmt: skip
            places[which] = at
            taken.add(at)
    if not found or len(found) > MOST:
        raise refused(
            "no_months",
            "年月の見出し(R7.4、2025/04 など)の列がありません。" if not found else f"年月の見出しが {MOST} を超えています。",
            f"{file_name} 見出しの形: {'、'.join(templates)}", "見出しの書き方と、レイアウトの [dated] を確かめてください。",
        )  # fmt: skip
    shared = [at for at in range(len(header)) if at not in taken]
    return Months([*(header[at] for at in shared), name, *templates], shared, dict(sorted(found.items(), key=_order)))


def _order(entry: tuple[str, list[int]]) -> tuple[str, int]:
    """By time where the year is printed, and as printed where it isn't."""
    first = next(at for at in entry[1] if at >= 0)
    return (entry[0], 0) if entry[0][:4].isdigit() else ("", first)


@dataclass(frozen=True)
class Series:
    """Columns of months found in a file that nobody described: their forms, and the times they tell of."""

    templates: tuple[str, ...]
    months: tuple[str, ...]

    @property
    def is_daily(self) -> bool:
        """Whether they are days rather than months: several of one month, or days without a year."""
        whole = [month for month in self.months if len(month) == 10]
        return any(not month[:4].isdigit() for month in self.months) or len({m[:7] for m in whole}) < len(whole)


FEWEST_MONTHS, FEWEST_DAYS = 3, 10


def dated_series(header: Sequence[str]) -> Series | None:
    """Columns whose headers tell a month of a certain year, or a day; None where there are fewer than a few."""
    found: dict[str, list[str]] = {}
    for printed in header:
        text = folded(printed)
        hit = _DAY_OF_MONTH.match(text) or _PRINTED.search(text)
        month = month_written(hit.group()) if hit else ""
        if hit and month:
            found.setdefault(text[: hit.start()] + PLACE + text[hit.end() :].removeprefix("分"), []).append(month)
    alike = Counter(tuple(sorted(set(months))) for months in found.values())
    months = max(alike, key=lambda m: (len(m), alike[m]), default=())
    series = Series(tuple(t for t, m in found.items() if tuple(sorted(set(m))) == months), months)
    is_clear = all(len(found[t]) == len(months) for t in series.templates)
    return series if is_clear and len(months) >= (FEWEST_DAYS if series.is_daily else FEWEST_MONTHS) else None

"""What one source's files look like, declared as data in the municipality's folder (identity side).

One TOML file per source under ``sources/``. Keys:

``source, caption, system, holder, delivery, lag_days, freshness_days, ages``
    who prints the file, how it arrives, how many days pass between the holder's registration and
    our knowing (``lag_days``), after how many days it is stale, and for which ages (years, both
    ends included) a child is expected to appear in it (empty: none is expected).

``[file]``
    ``pattern`` (shell pattern on the file's name), ``format`` csv|tsv|xlsx, ``encoding``
    cp932|utf-8-sig|utf-16|iso-2022-jp, ``sheet``, ``skip_top`` (junk lines above the header),
    ``footer`` (regular expression: a row whose first cell matches ends the data),
    ``extracted_on`` (regular expression with one group, on the file's name, giving YYYYMMDD).

``[record]``
    ``kind``: ``observations`` (default), ``residents`` (current state of the resident register,
    one row per 宛名番号, removed people included) or ``moves`` (異動履歴: from ``event_on`` on,
    the person is as the row says).
    ``row_key``: column with the source's own identifier (宛名番号, 学籍番号 …), empty if none.
    ``identity``: columns that together name one record; a later row with the same values and
    other content corrects the earlier one. Empty: the whole row.

``[[columns]]``
    ``name`` as printed; ``occurrence`` (1-based, for duplicate header names); ``type`` one of
    text kana name address integer decimal date month flag code identifier sex; ``item`` the data
    item of the register; ``required``; ``codes`` (printed value -> meaning in Japanese);
    ``unknown`` (printed values that mean "not known"); ``minimum``, ``maximum``;
    ``person`` and ``field``: whose attribute this is: person is subject, guardian, mother,
    father, household_head, holder (contract holder); field one of ``MENTION_FIELDS``;
    ``ignore``: printed but not taken in, with the reason in Japanese.

``[[facts]]``
    What one row says about one person: ``item``, ``person`` (default subject), ``number`` and/or
    ``code`` (column names; neither: presence itself, stored as number 1), ``constant`` (a fixed
    code), ``valid_from`` (date or month column), ``valid_to`` (date column, or ``"month_end"`` /
    ``"year_end"`` of valid_from (年度末), or ``"same_day"``; absent: still going on),
    ``known_from`` (date column with the holder's registration date; absent: the end of the
    period, or valid_from when that is open), ``when`` (table ``{column = [meanings]}``: only rows
    with these values). ``lag_days`` is added to known_from.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kodomo.configuration import read_toml
from kodomo.errors import ConfigurationFault
from kodomo.terms import Delivery
from kodomo.vault.records import MENTION_FIELDS  # noqa: F401  (named in the docstring; checked on load)

RecordKind = Literal["observations", "residents", "moves"]

PERSON_ROLES = ("subject", "guardian", "mother", "father", "household_head", "holder")

COLUMN_TYPES = (
    "text", "kana", "name", "address", "integer", "decimal", "date", "month", "flag", "code",
    "identifier", "sex",
)  # fmt: skip


@dataclass(frozen=True)
class FileShape:
    """How the file is written."""

    pattern: str
    format: str
    encoding: str = "cp932"
    sheet: str = ""
    skip_top: int = 0
    footer: str = ""
    extracted_on: str = r"(\d{8})"


@dataclass(frozen=True)
class LayoutColumn:
    """One printed column."""

    name: str
    type: str
    item: str = ""
    occurrence: int = 1
    required: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    person: str = ""
    field: str = ""
    ignore: str = ""


@dataclass(frozen=True)
class FactRule:
    """What one row says about one person."""

    item: str
    person: str = "subject"
    number: str = ""
    code: str = ""
    constant: str = ""
    valid_from: str = ""
    valid_to: str = ""
    known_from: str = ""
    when: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """One source's declaration."""

    source: str
    caption: str
    system: str
    holder: str
    delivery: Delivery
    lag_days: int
    freshness_days: int
    ages: tuple[int, int] | None
    file: FileShape
    kind: RecordKind
    row_key: str
    identity: tuple[str, ...]
    columns: tuple[LayoutColumn, ...]
    facts: tuple[FactRule, ...]
    path: Path

    def items(self) -> set[str]:
        """Data items this source brings in."""
        return {c.item for c in self.columns if c.item and not c.ignore} | {f.item for f in self.facts}

    def extracted_on(self, file_name: str) -> dt.date | None:
        """The extraction date written in a file's name, or None."""
        found = re.search(self.file.extracted_on, file_name)
        if not found:
            return None
        try:
            return dt.date.fromisoformat(found.group(1))
        except ValueError:
            return None


def read_layout(path: Path) -> Layout:
    """Read one layout file. Raises ConfigurationFault naming the file and the key."""
    return _layout(read_toml(path), path)


def read_layouts(folder: Path) -> dict[str, Layout]:
    """All layouts of a municipality (``folder/sources/*.toml``) by source code, in name order."""
    layouts = [read_layout(path) for path in sorted((folder / "sources").glob("*.toml"))]
    return {layout.source: layout for layout in layouts}


def _layout(body: dict[str, Any], path: Path) -> Layout:
    try:
        record = body.get("record", {})
        ages = body.get("ages")
        return Layout(
            source=body["source"],
            caption=body["caption"],
            system=body["system"],
            holder=body["holder"],
            delivery=Delivery(body.get("delivery", "MEDIA")),
            lag_days=int(body["lag_days"]),
            freshness_days=int(body["freshness_days"]),
            ages=(ages[0], ages[1]) if ages else None,
            file=FileShape(**body["file"]),
            kind=record.get("kind", "observations"),
            row_key=record.get("row_key", ""),
            identity=tuple(record.get("identity", ())),
            columns=tuple(_column(c) for c in body["columns"]),
            facts=tuple(FactRule(**f) for f in body.get("facts", ())),
            path=path,
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise ConfigurationFault("レイアウトの書き方に誤りがあります。", where=f"{path} ({fault})") from None


def _column(body: dict[str, Any]) -> LayoutColumn:
    return LayoutColumn(**{**body, "unknown": tuple(body.get("unknown", ()))})

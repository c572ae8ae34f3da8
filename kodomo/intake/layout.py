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
    ``unknown`` (printed values that mean "not known"); ``minimum``, ``maximum``; ``era`` (元号 of
    dates printed as six digits without one);
    ``person`` and ``field``: whose attribute this is: person is subject, guardian, mother,
    father, household_head, holder (contract holder); field one of ``MENTION_FIELDS``;
    ``ignore``: printed but not taken in, with the reason in Japanese. A flag's codes mean "1" or
    "0"; a sex's mean 男, 女, その他 or 不明. Several columns may fill one field of one person
    (姓 and 名): they are joined in the order declared here. A column that nothing uses (no person,
    no fact, not part of the identity) is not taken in either.

``[[facts]]``
    What one row says about one person: ``item``, ``person`` (default subject), ``number`` and/or
    ``code`` (column names; neither: presence itself, stored as number 1), ``constant`` (a fixed
    code), ``valid_from`` (date or month column), ``valid_to`` (date column, or ``"month_end"`` /
    ``"year_end"`` of valid_from (年度末), or ``"same_day"``; absent: still going on),
    ``known_from`` (date column with the holder's registration date; absent: the end of the
    period, or valid_from when that is open), ``when`` (table ``{column = [meanings]}``: only rows
    with these values). ``lag_days`` is added to known_from. The printed end of a spell is its last
    day, so the fact's ``valid_to`` is the day after; "the end of the period" is that last day.
    A row whose value or whose ``valid_from`` is blank makes no fact. A duplicate header name is
    referred to as ``名前#2``.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Literal

from kodomo.configuration import read_toml
from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.intake.layout_check import check_layout
from kodomo.terms import Delivery

RecordKind = Literal["observations", "residents", "moves"]


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
    era: str = ""
    person: str = ""
    field: str = ""
    ignore: str = ""

    @property
    def reference(self) -> str:
        """How ``[record]`` and ``[[facts]]`` name this column."""
        return self.name if self.occurrence == 1 else f"{self.name}#{self.occurrence}"


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

    def columns(self) -> set[str]:
        """References of the columns this rule reads."""
        named = {self.number, self.code, self.valid_from, self.valid_to, self.known_from, *self.when}
        return named - {"", *SPELL_ENDS}


SPELL_ENDS = ("month_end", "year_end", "same_day")


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

    def used_references(self) -> set[str]:
        """Columns that something uses: a person, a fact, the record's identity or key."""
        persons = {c.reference for c in self.columns if c.person}
        return persons | {self.row_key, *self.identity}.union(*(f.columns() for f in self.facts)) - {""}

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
    """Read one layout file. Raises ConfigurationFault listing every fault with file and key."""
    body = read_toml(path)
    faults = check_layout(body)
    if faults:
        _refuse([f"{path.name}: {fault}" for fault in faults], str(path))
    return _layout(body, path)


def read_layouts(folder: Path) -> dict[str, Layout]:
    """All layouts of a municipality (``folder/sources/*.toml``) by source code, in name order.

    Raises:
        ConfigurationFault: every fault of every file, and source codes that two files claim.
    """
    faults: list[str] = []
    layouts: dict[str, Layout] = {}
    for path in sorted((folder / "sources").glob("*.toml")):
        body = read_toml(path)
        found = check_layout(body)
        faults += [f"{path.name}: {fault}" for fault in found]
        if found:
            continue
        layout = _layout(body, path)
        if layout.source in layouts:
            faults.append(f"{path.name}: source: 「{layout.source}」は {layouts[layout.source].path.name} にもあります")
        layouts[layout.source] = layout
    if faults:
        _refuse(faults, str(folder / "sources"))
    return layouts


def check_against(layouts: Iterable[Layout], items: Iterable[str], offices: Iterable[str]) -> None:
    """Check what layouts say against the register's item codes (refused ones included) and the offices.

    Raises:
        ConfigurationFault: an item or an office that nobody declared.
    """
    known_items, known_offices = set(items), set(offices)
    faults = []
    for layout in layouts:
        for item in sorted(layout.items() - known_items):
            faults.append(f"{layout.path.name}: item: データ項目「{item}」が登録簿(register/items.toml)にありません")
        if layout.holder not in known_offices:
            faults.append(f"{layout.path.name}: holder: 部署コード「{layout.holder}」が offices.toml にありません")
    if faults:
        _refuse(faults, "sources")


def layout_for(file_name: str, layouts: Mapping[str, Layout]) -> Layout:
    """The one layout whose pattern fits a file's name (composed or decomposed kana, any case of the extension).

    Raises:
        DeliveryRefused: none fits, or more than one does.
    """
    name = comparable_name(file_name)
    fitting = [x for x in layouts.values() if fnmatch.fnmatchcase(name, comparable_name(x.file.pattern))]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise DeliveryRefused(
            "このファイル名に合うレイアウトが二つ以上あります。",
            where=f"{file_name} ({'、'.join(x.path.name for x in fitting)})",
            then="レイアウトの pattern を、一つだけが合うように直してください。",
            code="two_layouts",
        )
    raise DeliveryRefused(
        "このファイル名に合うレイアウトがありません。",
        where=file_name,
        then="ファイル名を決められた形に直すか、sources/ にレイアウトを足してください。",
        code="no_layout",
    )


def comparable_name(file_name: str) -> str:
    """A file name or pattern in composed form, its extension in lower case."""
    composed = unicodedata.normalize("NFC", file_name)
    suffix = PurePath(composed).suffix
    return composed[: len(composed) - len(suffix)] + suffix.lower() if suffix else composed


def _refuse(faults: list[str], where: str) -> None:
    raise ConfigurationFault(
        f"レイアウトの書き方に誤りが {len(faults)} 件あります。\n" + "\n".join(f"・{fault}" for fault in faults),
        where=where,
        then="示された項目を直してください。",
        faults=faults,
    )


def _layout(body: dict[str, Any], path: Path) -> Layout:
    record, ages = body.get("record", {}), body.get("ages")
    return Layout(
        source=body["source"],
        caption=body["caption"],
        system=body["system"],
        holder=body["holder"],
        delivery=Delivery[body.get("delivery", "MEDIA")],
        lag_days=body["lag_days"],
        freshness_days=body["freshness_days"],
        ages=(ages[0], ages[1]) if ages else None,
        file=FileShape(**body["file"]),
        kind=record.get("kind", "observations"),
        row_key=record.get("row_key", ""),
        identity=tuple(record.get("identity", ())),
        columns=tuple(LayoutColumn(**{**c, "unknown": tuple(c.get("unknown", ()))}) for c in body["columns"]),
        facts=tuple(FactRule(**f) for f in body.get("facts", ())),
        path=path,
    )

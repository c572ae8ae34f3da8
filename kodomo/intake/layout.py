"""What one source's files look like, declared as data in the municipality's folder (identity side).

One TOML file per source under ``sources/``. Every key, its default and its meaning stands in
``kodomo.intake.layout_keys``, from which ``docs/reference/layout.md`` is made. What they mean together:

Columns are found by their printed name in whatever order, or by position. A column that nothing uses
(no person, no fact, no condition, not part of the identity) is not taken in, nor is one with
``ignore``. Several columns may fill one field of one person (姓 and 名): they are joined in the order
declared. A duplicate header name is referred to as ``名前#2``.

A row is identified by ``identity``: a later row with the same values and other content corrects the
earlier one, one that fits ``withdraw_when`` withdraws it. A row that fits ``skip_when``, or doesn't
fit ``only_when``, is counted and left out. A flag's codes mean "1" or "0"; a sex's mean 男, 女,
その他 or 不明.

A fact is what one row says about one person. ``lag_days`` is added to known_from, but
nothing is known later than the file that says it. The printed end of
a spell is its last day, so the fact's ``valid_to`` is the day after. A row whose value or whose
``valid_from`` is blank makes no fact. ``[[repeat]]`` writes out columns and facts for each of its
values before anything else is looked at; ``[dated]`` makes a record of each month that stands in a header; ``[[people]]`` does so for each person of a row, and makes a
record of its own for each one who is there.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from pathlib import Path, PurePath
from typing import Any, Literal

from kodomo.configuration import read_toml
from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.intake.file_dates import Written, date_by, date_in
from kodomo.intake.layout_check import check_layout
from kodomo.intake.layout_keys import encoding_of
from kodomo.intake.layout_repeat import spelt_out
from kodomo.terms import Delivery

RecordKind = Literal["observations", "residents", "moves"]


@dataclass(frozen=True)
class FileShape:
    """How the file is written."""

    pattern: str
    format: str
    encoding: str = "cp932"
    delimiter: str = ","
    quote: str = '"'
    sheet: str = ""
    """The one sheet's name, where the layout names one."""
    sheets: tuple[str | int, ...] = ()
    """Names, name patterns or positions (from 1) of the sheets to read; empty: the first."""
    transposed: bool = False
    skip_top: int = 0
    find_header: bool = False
    header_rows: int = 1
    skip_below: int = 0
    footer: str = ""
    junk: str = ""
    short_rows: bool = False
    positions: str = "byte"
    record_bytes: int = 0
    extracted_on: str = ""
    """A pattern around the extraction date; empty: found in whatever notation."""
    extracted_in: str = "file_name"
    more_patterns: tuple[str, ...] = ()

    @property
    def is_workbook(self) -> bool:
        """Whether a spreadsheet program writes it."""
        return self.format in ("xlsx", "xls")


@dataclass(frozen=True)
class LayoutColumn:
    """One column: printed, joined from printed ones, or the same for every row."""

    name: str
    type: str
    item: str = ""
    occurrence: int = 1
    required: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    when: dict[str, list[str]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    era: str = ""
    person: str = ""
    field: str = ""
    ignore: str = ""
    also: tuple[str, ...] = ()
    position: int = 0
    width: int = 0
    optional: bool = False
    other: str | None = None
    blank: str | None = None
    unit: tuple[str, ...] = ()
    digits: int = 0
    century: int = 0
    fiscal: bool = False
    year_from: str = ""
    """The column of a fiscal year that completes dates printed without their year."""
    join: tuple[str | int, ...] = ()
    whole: bool = False
    """Whether a joined value lacks all where it lacks a part."""
    between: str = ""
    before: str = ""
    after: str = ""
    fill_down: bool | str = False
    """True: blanks and ditto marks; 〃: ditto marks only."""
    value: str | None = None
    found_in: str = ""
    match: str = ""
    part_of: str | int = ""
    """The printed column of whose cells ``match`` takes a part."""
    group: int | None = None
    """Which of a row's several people it belongs to (from 0); None: to the row."""
    template: str = ""
    """Its reference before the value of ``[[people]]`` was put in."""

    @property
    def reference(self) -> str:
        """How ``[record]`` and ``[[facts]]`` name this column."""
        return self.name if self.occurrence == 1 else f"{self.name}#{self.occurrence}"

    @property
    def is_printed(self) -> bool:
        """Whether it stands in the file as a column of its own."""
        return not (self.join or self.found_in or self.part_of) and self.value is None


@dataclass(frozen=True)
class FactRule:
    """What one row says about one person."""

    item: str
    person: str = "subject"
    number: str = ""
    code: str = ""
    constant: str = ""
    valid_from: str = ""
    month: int = 0
    valid_to: str = ""
    known_from: str = ""
    when: dict[str, list[str]] = field(default_factory=dict)
    group: int | None = None
    ends: bool = False
    """Whether it tells, in ``valid_from``, only the last day of what earlier rows began."""

    def columns(self) -> set[str]:
        """References of the columns this rule reads."""
        named = {self.number, self.code, self.valid_from, self.valid_to, self.known_from, *self.when}
        return named - {"", *SPELL_ENDS}


@dataclass(frozen=True)
class Dated:
    """Columns whose headers are months: the name of the column that takes the month, and the headers' forms."""

    name: str
    columns: tuple[str, ...]


SPELL_ENDS = ("month_end", "year_end", "same_day")

Condition = dict[str, list[str]]


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
    skip_when: Condition = field(default_factory=dict)
    only_when: Condition = field(default_factory=dict)
    withdraw_when: Condition = field(default_factory=dict)
    dated: Dated | None = None

    @property
    def is_daily_left_out(self) -> bool:
        """Whether columns of months or days are there and not read."""
        names = self.dated.columns if self.dated else ()
        return bool(names) and all(c.ignore for c in self.columns if c.name in names)

    @property
    def groups(self) -> tuple[int | None, ...]:
        """The people a row may hold, as group numbers; ``(None,)`` where a row is one record."""
        found = sorted({c.group for c in self.columns if c.group is not None})
        return tuple(found) or (None,)

    def items(self) -> set[str]:
        """Data items this source brings in."""
        return {c.item for c in self.columns if c.item and not c.ignore} | {f.item for f in self.facts}

    def named(self, name: str) -> set[str]:
        """References that a name of ``[record]`` means: itself, or one column for each of a row's people."""
        return {c.reference for c in self.columns if name in (c.reference, c.template)}

    def record_references(self) -> set[str]:
        """Columns by which records are told apart, or decided upon."""
        named = [self.row_key, *self.identity, *self.skip_when, *self.only_when, *self.withdraw_when]
        return set().union(*(self.named(name) for name in named if name))

    def used_references(self) -> set[str]:
        """Columns that something uses: a person, a fact, the record's identity, key or conditions."""
        persons = {c.reference for c in self.columns if c.person}
        used = (persons | self.record_references()).union(*(f.columns() for f in self.facts))
        return self.with_conditions(used)

    def with_conditions(self, references: set[str]) -> set[str]:
        """Columns together with those on which their values depend."""
        beside = ({*c.when, c.year_from} - {""} for c in self.columns if c.reference in references)
        return references.union(*beside)

    def extracted_on(self, file_name: str) -> dt.date | None:
        """The extraction date written in a file's name, in whatever notation, or None; of a month, its last day."""
        written = self.date_in(file_name) if self.file.extracted_in == "file_name" else None
        return written.on if written else None

    def date_in(self, text: str) -> Written | None:
        """The extraction date in the text where this source writes it, and its place there."""
        text = unicodedata.normalize("NFC", text)
        return date_by(self.file.extracted_on, text) if self.file.extracted_on else date_in(text)


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
    files = sorted((folder / "sources").glob("*.toml"))
    return dict(_layouts(folder, tuple((path, path.read_bytes() if path.is_file() else b"") for path in files)))


@lru_cache(maxsize=4)
def _layouts(folder: Path, files: tuple[tuple[Path, bytes], ...]) -> Mapping[str, Layout]:
    """A stage asks for them a dozen times: the same bytes are read once."""
    faults: list[str] = []
    layouts: dict[str, Layout] = {}
    for path, _ in files:
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
    fitting = layouts_for(file_name, layouts)
    if len(fitting) > 1:
        raise _two_layouts(file_name, fitting)
    return fitting[0]


def layouts_for(file_name: str, layouts: Mapping[str, Layout]) -> list[Layout]:
    """The layouts by which a file is read: one, or for a workbook several of which each names sheets of its own.

    Raises:
        DeliveryRefused: none fits, or several that may read the same rows.
    """
    name = comparable_name(file_name)
    fitting = [x for x in layouts.values() if fits_name(name, x)]
    if len(fitting) == 1 or (fitting and _read_sheets_of_their_own(fitting)):
        return fitting
    if fitting:
        raise _two_layouts(file_name, fitting)
    raise DeliveryRefused(
        "このファイル名に合うレイアウトがありません。",
        where=file_name,
        then="ファイル名を決められた形に直すか、sources/ にレイアウトを足してください。",
        code="no_layout",
    )


def _read_sheets_of_their_own(layouts: list[Layout]) -> bool:
    """Whether layouts of one workbook can't read the same sheet: their sheets' names, or the beginnings or endings of these, differ."""
    has_sheets = all(layout.file.is_workbook and layout.file.sheets for layout in layouts)
    return has_sheets and all(
        _never_the_same(one, other)
        for first, second in combinations(layouts, 2)
        for one in first.file.sheets
        for other in second.file.sheets
    )


def _never_the_same(one: str | int, other: str | int) -> bool:
    """Whether no sheet can fit both (受付簿* and 要対協*, *小 and *中; not 1 and 受付簿)."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    one, other = (unicodedata.normalize("NFC", name) for name in (one, other))
    fixed = [re.split(r"[*?\[\]]", name) for name in (one, other)]
    if any(len(parts) == 1 for parts in fixed):
        return not fnmatch.fnmatchcase(one, other) and not fnmatch.fnmatchcase(other, one)
    (first, *_, last), (begin, *_, end) = fixed
    is_begun_alike = first.startswith(begin) or begin.startswith(first)
    return not (is_begun_alike and (last.endswith(end) or end.endswith(last)))


def _two_layouts(file_name: str, fitting: list[Layout]) -> DeliveryRefused:
    return DeliveryRefused(
        "このファイル名に合うレイアウトが二つ以上あります。",
        where=f"{file_name} ({'、'.join(x.path.name for x in fitting)})",
        then="レイアウトの pattern を、一つだけが合うように直してください。一つのファイルの別々のシートを読むなら、"
        "どのレイアウトにもシートの名前(sheet)を書いてください。",
        code="two_layouts",
    )


def fits_name(file_name: str, layout: Layout) -> bool:
    """Whether a file's name has the form that a layout's files have."""
    name = comparable_name(file_name)
    patterns = (layout.file.pattern, *layout.file.more_patterns)
    return any(fnmatch.fnmatchcase(name, comparable_name(pattern)) for pattern in patterns)


@lru_cache(maxsize=4096)
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


def _fact(body: Mapping[str, Any]) -> FactRule:
    told = {name: value for name, value in body.items() if name != "ended_on"}
    ends = {"valid_from": body["ended_on"], "ends": True} if body.get("ended_on") else {}
    return FactRule(**{**told, "month": int(body.get("month", 0)), **ends})


def _layout(body: dict[str, Any], path: Path) -> Layout:
    body = spelt_out(body)
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
        file=_file(body["file"]),
        kind=record.get("kind", "observations"),
        row_key=record.get("row_key", ""),
        identity=tuple(record.get("identity", ())),
        columns=_columns(body["columns"], body["file"]),
        facts=tuple(map(_fact, body.get("facts", ()))),
        path=path,
        skip_when=record.get("skip_when", {}),
        only_when=record.get("only_when", {}),
        withdraw_when=record.get("withdraw_when", {}),
        dated=Dated(body["dated"]["name"], tuple(body["dated"]["columns"])) if "dated" in body else None,
    )


def _file(file: dict[str, Any]) -> FileShape:
    patterns = file["pattern"] if isinstance(file["pattern"], list) else [file["pattern"]]
    sheet = file.get("sheet", "")
    sheets = sheet if isinstance(sheet, list) else [sheet] if sheet not in ("", None) else []
    settled = {
        "pattern": patterns[0], "more_patterns": tuple(patterns[1:]), "sheets": tuple(sheets),
        "sheet": sheet if isinstance(sheet, str) else "", "encoding": encoding_of(file.get("encoding", "cp932")),
        "delimiter": file.get("delimiter", "\t" if file["format"] == "tsv" else ","),
    }  # fmt: skip
    if file["format"] == "fixed":
        settled["header_rows"] = file.get("header_rows", 0)
    return FileShape(**{**file, **settled})


def _columns(columns: list[dict[str, Any]], file: dict[str, Any]) -> tuple[LayoutColumn, ...]:
    """Columns as declared; where nothing is printed above them, one without a position follows the one before it."""
    has_header = file.get("header_rows", 0 if file["format"] == "fixed" else 1) > 0
    made, following = [], 1
    for entry in columns:
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
        column = LayoutColumn(**given)
        if not has_header and column.is_printed:
            column = column if column.position else replace(column, position=following)
            following = column.position + max(column.width, 1)
        made.append(column)
    return tuple(made)

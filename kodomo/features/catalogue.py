"""The municipality's own indicators: what may be asked of the facts about a child (analysis side).

``criteria/indicators.toml``, one ``[[indicators]]`` per indicator:

``code, caption``  identifier and Japanese name.
``item``           データ項目 of the register, or instead
``structure``      a kind of ``kodomo.features.household.STRUCTURES`` (世帯・居住から分かること); then
                   ``item`` may name the register's item it rests on, and no other key below up to ``number`` applies.
``whose``          self | mother | guardians | siblings | household (同居者, the child not counted) |
                   class (同級生, as ``[class]`` says: see ``ClassRule``; mean or share only).
``at``             within  出来事: facts that begin in the window (default)
                   now     状態: spells that hold on the date
                   touching 状態: spells that held at some time in the window
``window_months``  length of the window; the window ends with the date itself.
``aggregate``      sum count max min last mean any months_since distinct change streak trend share, as
                   defined in ``kodomo.features.aggregates``.
``per``            for share: the item whose sum is the denominator (absent: share of facts that pass the filters).
``baseline_months``for change: how far back the child's own past reaches (before the window).
``codes, number``  only facts with one of these codes / with a number that compares (``">= 9"``).
``ages, grades, age_bands``  asked only of these children, else empty (years and grades 1–9 include both ends).
``expiry_months``  older facts no longer count, however long the window: old flags fade.
``types``          difficulty types it may serve (Japanese names, ``["*"]`` for all).
``sign``           ``+`` raises, ``-`` lowers, ``none``: learned effects may not go against it.
``is_label_trace`` created by recognition itself (登録・相談・支援): shown, used in scenarios, never learned from.
``is_contact``     measures seeking help or being seen, not the difficulty.
``sentence``       Japanese, with ``{value}``: how the reason reads. ``sentence_zero`` (optional) when the value is 0.

What an empty value means: the child's age is not asked, or no source can know (see ``coverage``). It is
never zero. Zero is written only where a source that would know says nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from kodomo.features.coverage import WHOSE
from kodomo.features.criteria import CriteriaFile, Entry, read_criteria
from kodomo.features.dates import OLDEST
from kodomo.features.household import STRUCTURES
from kodomo.terms import AgeBand, DifficultyType

FILE = "indicators.toml"
AT = ("within", "now", "touching")
AGGREGATES = (
    "sum", "count", "max", "min", "last", "mean", "any", "months_since", "distinct", "change", "streak",
    "trend", "share",
)  # fmt: skip
ZERO_MEANS_NONE = ("sum", "count", "any", "distinct", "streak")
"""Aggregates whose empty answer is 0 when the source would have known."""
SIGNS = {"+": 1, "-": -1, "none": 0}
KEYS = (
    "code", "caption", "item", "structure", "whose", "at", "window_months", "aggregate", "per", "baseline_months",
    "codes", "number", "ages", "grades", "age_bands", "expiry_months", "types", "sign", "is_label_trace",
    "is_contact", "sentence", "sentence_zero", "note",
)  # fmt: skip


CLASS, CLASS_AGGREGATES = "class", ("mean", "share")
LEAST = 5


@dataclass(frozen=True)
class ClassRule:
    """What makes children classmates on a date: ``[class]``, one table.

    ``item``      データ項目 whose code names the group that holds on the date (在籍校, or the class where it comes in).
    ``by_grade``  true (default): only children of the same 学年.
    ``least``     with fewer classmates nothing is said (5 or more): a mean over two would be somebody's value.
    """

    item: str
    by_grade: bool
    least: int


@dataclass(frozen=True)
class Indicator:
    """One indicator, checked."""

    code: str
    caption: str
    item: str
    structure: str
    whose: str
    at: str
    window_months: int | None
    aggregate: str
    per: str
    baseline_months: int | None
    codes: tuple[str, ...]
    number: tuple[str, float] | None
    ages: tuple[int, int] | None
    grades: tuple[int, int] | None
    age_bands: tuple[AgeBand, ...]
    expiry_months: int | None
    types: tuple[DifficultyType, ...]
    sign: int
    is_label_trace: bool
    is_contact: bool
    sentence: str
    sentence_zero: str
    class_item: str = ""
    """For ``whose = "class"``: the item that names the class."""

    @property
    def reach_months(self) -> int | None:
        """How far back facts count: the window, cut short by the expiry."""
        limits = [m for m in (self.window_months, self.expiry_months) if m is not None]
        return min(limits) if limits else None

    @property
    def items(self) -> tuple[str, ...]:
        """Every data item it reads: each needs a legal basis."""
        return tuple(i for i in (self.item, self.per, self.class_item) if i)


@dataclass(frozen=True)
class Catalogue:
    """All indicators of a municipality, and the hash of the file they come from."""

    indicators: tuple[Indicator, ...]
    sha256: str
    classes: ClassRule | None = None
    """What makes children classmates, where the municipality says so."""

    def __getitem__(self, code: str) -> Indicator:
        return {i.code: i for i in self.indicators}[code]

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes in written order."""
        return tuple(i.code for i in self.indicators)

    def without(self, codes: Collection[str]) -> Catalogue:
        """The same catalogue less some indicators."""
        return replace(self, indicators=tuple(i for i in self.indicators if i.code not in codes))


def read_catalogue(folder: Path) -> Catalogue:
    """Read ``criteria/indicators.toml`` of a municipality's folder.

    Raises:
        ConfigurationFault: with file, entry and line of every fault, all at once.
    """
    file = read_criteria(folder / "criteria" / FILE, "indicators", top=(CLASS,))
    classes = _class_rule(file)
    indicators = tuple(_indicator(entry, classes) for entry in file.entries("indicators"))
    _check_unique(file, indicators)
    file.faults.settle()
    return Catalogue(indicators, file.sha256, classes)


def _class_rule(file: CriteriaFile) -> ClassRule | None:
    """``[class]`` of the file; None where it is not written."""
    said = file.top.get(CLASS)
    if said is None:
        return None
    if not isinstance(said, dict):
        file.blame(CLASS, "表の形([class] の下に item など)で書いてください。")
        return None

    def blame(key: str, message: str) -> None:
        line = file.line_of(CLASS, key)
        file.faults.blame(f"{line} 行目 [class] {key}", message, CLASS, key=key)

    for key in said:
        if key not in ("item", "by_grade", "least", "note"):
            blame(key, "知らないキーです。")
    item, by_grade, least = said.get("item"), said.get("by_grade", True), said.get("least", LEAST)
    if not isinstance(item, str) or not item.strip():
        blame("item", "学級(または学校)を表すデータ項目を書いてください(必須)。")
    if not isinstance(by_grade, bool):
        blame("by_grade", "true か false で書いてください。")
    if isinstance(least, bool) or not isinstance(least, int) or least < LEAST:
        blame("least", f"{LEAST} 以上の人数で書いてください。少ない人数の平均や割合は、だれかの値になります。")
        least = LEAST
    return ClassRule(str(item), bool(by_grade), least)


def _indicator(entry: Entry, classes: ClassRule | None) -> Indicator:
    entry.only(*KEYS)
    structure = entry.choice("structure", STRUCTURES) if "structure" in entry.values else ""
    indicator = Indicator(
        code=entry.text("code"),
        caption=entry.text("caption"),
        item=entry.text("item", "" if structure else None),
        structure=structure,
        whose=(whose := entry.choice("whose", (*WHOSE, CLASS), "self")),
        at=entry.choice("at", AT, "within"),
        window_months=entry.months("window_months"),
        aggregate=entry.choice("aggregate", AGGREGATES, "last" if structure else None),
        per=entry.text("per", ""),
        baseline_months=entry.months("baseline_months"),
        codes=entry.texts("codes"),
        number=entry.number_filter("number"),
        ages=entry.interval("ages", 0, OLDEST),
        grades=entry.interval("grades", 1, 9),
        age_bands=entry.bands("age_bands"),
        expiry_months=entry.months("expiry_months"),
        types=entry.types(),
        sign=SIGNS.get(entry.choice("sign", SIGNS, "none"), 0),
        is_label_trace=entry.flag("is_label_trace"),
        is_contact=entry.flag("is_contact"),
        sentence=entry.text("sentence"),
        sentence_zero=entry.text("sentence_zero", ""),
        class_item=classes.item if classes and whose == CLASS else "",
    )
    if whose == CLASS:
        _check_class(entry, indicator, classes)
    _check_meaning(entry, indicator)
    return indicator


def _check_class(entry: Entry, indicator: Indicator, classes: ClassRule | None) -> None:
    if classes is None:
        entry.blame("whose", "class を使うには、[class] に何を学級とするかを書いてください。")
    if indicator.aggregate not in CLASS_AGGREGATES:
        entry.blame("aggregate", f"whose が class のときに使える値は {'・'.join(CLASS_AGGREGATES)} です。")
    if indicator.per:
        entry.blame("per", "whose が class のときは書けません(割合は、当てはまる同級生の人数の割合)。")


def _check_meaning(entry: Entry, indicator: Indicator) -> None:
    if not indicator.code.isidentifier() or not indicator.code.isascii():
        entry.blame("code", "英小文字・数字・_ で書いてください。")
    if not indicator.types:
        entry.blame("types", "用いる困難の類型を一つ以上書いてください。")
    for key in ("sentence", "sentence_zero"):
        if set("{}") & set(entry.text(key, "").replace("{value}", "")):
            entry.blame(key, "差し込めるのは {value} だけです。")
    if indicator.structure:
        return
    if indicator.at != "now" and indicator.window_months is None:
        entry.blame("window_months", "at が now でない指標には期間(月)が要ります。")
    if indicator.at == "now" and indicator.window_months is not None:
        entry.blame("window_months", "at が now の指標に期間は書けません。")
    if indicator.per and indicator.aggregate != "share":
        entry.blame("per", "per は aggregate が share のときだけ書けます。")
    if (indicator.aggregate == "change") != (indicator.baseline_months is not None):
        entry.blame("baseline_months", "baseline_months は change に必須で、ほかには書けません。")
    if indicator.aggregate == "streak" and indicator.number is None and not indicator.codes:
        entry.blame("aggregate", "streak には、続いているとみなす条件(number か codes)が要ります。")


def _check_unique(file: CriteriaFile, indicators: tuple[Indicator, ...]) -> None:
    seen: set[str] = set()
    for entry, indicator in zip(file.entries("indicators"), indicators, strict=True):
        if indicator.code in seen:
            entry.blame("code", "同じコードが二度書かれています。")
        seen.add(indicator.code)

"""The data item register: each item's holder, purpose and legal basis; without a valid one nothing moves (crosscutting).

Two files under ``register/`` of the municipality's folder.

``items.toml``
    ``[[items]]``  ``code``, ``caption``, ``holder`` (office code, or a list where several offices
    hold it), ``domain``, ``sources`` (source codes), ``sensitivity`` (一般 個人に関する事実
    要配慮個人情報 氏名・住所等の識別情報, or its code), ``types`` (困難の類型 it may serve, by
    Japanese name; "総合" for all), ``roles`` (what the programs must know of it, see ``ROLES``),
    ``refresh``, ``note``. Required: code, caption, holder.
    ``[[refused]]``  ``code``, ``caption``, ``holder``, ``why``, ``decided_on``, ``decided_by``:
    an item the municipality decided not to take, kept so that nobody asks again. It may be in
    the catalogue of items too; the refusal wins over any basis.

``bases.toml``
    ``[[bases]]``  ``code``; ``basis`` (a LegalBasis code or its Japanese name); ``article``; ``items``
    (item codes, or ["*"]: every item of ``holder``); ``purposes`` (Purpose codes or names);
    ``nature`` (臨時|恒常); ``from_institution``, ``to_institution``; ``valid_from``; ``valid_to``
    (the first day on which it no longer holds; required for 臨時, else may be absent);
    ``decision_number``; ``reasonable_grounds`` (required for 法69条2項2号・3号); ``approved_by``.
    ``[[refused]]`` may stand here instead of in ``items.toml``.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from kodomo.configuration import read_toml
from kodomo.errors import ConfigurationFault, NotPermitted
from kodomo.terms import OVERALL_LABEL, DifficultyType, LabelledEnum, LegalBasis, Purpose, Sensitivity

NATURES = ("臨時", "恒常")

NEEDS_GROUNDS = (LegalBasis.USE_BEYOND_PURPOSE, LegalBasis.PROVISION)
"""個人情報保護法69条2項2号・3号 are lawful only 相当の理由があるとき; the grounds are part of the record."""

ROLES: Mapping[str, str] = {
    "expected_delivery": "分娩予定日。母と、そのころ世帯に生まれた子を結ぶ",
    "pregnancy": "妊娠していることを示す。その人を分析側へ出す範囲に入れる",
    "locating": "住まいや通う先が分かる。支援措置の世帯では画面に出さない",
    "presence": "あることだけを言い、回数や量ではない。画面では「あり」と書く",
    "contact": "どこかの機関の人がそのこどもや家庭に会っている(相談・見守りなど)。その出所のどれにも載っていないと「どの機関ともつながっていない」",
}
"""What the programs must know of an item, whatever its code: item codes are the municipality's own."""

Member = TypeVar("Member", bound=LabelledEnum)


@dataclass(frozen=True)
class Item:
    """One line of the register: データ項目."""

    code: str
    caption: str
    holders: tuple[str, ...]
    domain: str = ""
    sources: tuple[str, ...] = ()
    sensitivity: Sensitivity = Sensitivity.PERSONAL
    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    refresh: str = ""
    note: str = ""


@dataclass(frozen=True)
class Basis:
    """One legal basis: which items may be used for what, from when, until when, by which decision."""

    code: str
    basis: LegalBasis
    article: str
    items: frozenset[str]
    purposes: frozenset[Purpose]
    nature: str
    valid_from: dt.date
    valid_to: dt.date | None
    from_institution: str = ""
    to_institution: str = ""
    decision_number: str = ""
    reasonable_grounds: str = ""
    approved_by: str = ""

    def holds_on(self, on: dt.date) -> bool:
        """A basis holds from its first day up to, but not on, its last boundary."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True)
class Refusal:
    """An item the municipality decided not to take, and why."""

    code: str
    caption: str
    holder: str
    why: str
    decided_on: dt.date | None = None
    decided_by: str = ""


@dataclass(frozen=True)
class Lapse:
    """What stops: an item can't be used for a purpose from ``stops_on`` on."""

    item: str
    purpose: Purpose
    stops_on: dt.date
    basis: str


@dataclass(frozen=True)
class Register:
    """The register of one municipality. Answers only what the files say; nothing is allowed by default."""

    items: Mapping[str, Item]
    bases: tuple[Basis, ...]
    refused: Mapping[str, Refusal]
    folder: Path

    def basis_for(self, item: str, purpose: Purpose, on: dt.date) -> Basis | None:
        """The basis by which an item may be used for a purpose on a day; the longest-lasting one, or None."""
        if item in self.refused:
            return None
        holding = [b for b in self.bases if item in b.items and purpose in b.purposes and b.holds_on(on)]
        return max(holding, key=lambda b: b.valid_to or dt.date.max, default=None)

    def allows(self, item: str, purpose: Purpose, on: dt.date) -> bool:
        """An item may be used only for a purpose for which some basis holds on that day."""
        return self.basis_for(item, purpose, on) is not None

    def allows_any(self, item: str, purposes: tuple[Purpose, ...], on: dt.date) -> bool:
        """An item may be taken in if a basis holds for at least one of these purposes."""
        return any(self.allows(item, purpose, on) for purpose in purposes)

    def check(self, item: str, purpose: Purpose, on: dt.date) -> None:
        """Refuse an item that has no basis for the purpose on that day.

        Raises:
            NotPermitted: with the reason (refused item, unknown item, not yet, lapsed, no basis).
        """
        if not self.allows(item, purpose, on):
            raise NotPermitted(
                f"データ項目「{self.caption(item)}」は、{purpose.label}の目的では使えません。{self.why_not(item, purpose, on)}",
                where=f"{self.folder / 'register' / 'bases.toml'} (項目 {item}、{on.isoformat()} 時点)",
                then="法的根拠を確かめ、決裁を経て登録簿に載せてから、やり直してください。",
                item=item,
                purpose=str(purpose),
                on=on.isoformat(),
            )

    def why_not(self, item: str, purpose: Purpose, on: dt.date) -> str:
        """Why an item may not be used, as one Japanese sentence."""
        if item in self.refused:
            return f"この自治体では受け取らないと決めた項目です({self.refused[item].why})。"
        if item not in self.items:
            return "登録簿に項目がありません。"
        named = [b for b in self.bases if item in b.items and purpose in b.purposes]
        ended = [b.valid_to for b in named if b.valid_to and b.valid_to <= on]
        coming = [b.valid_from for b in named if b.valid_from > on]
        if coming:
            return f"法的根拠は {min(coming).isoformat()} からです。"
        if ended:
            return f"法的根拠が {max(ended).isoformat()} で切れています。"
        return "法的根拠が登録されていません。"

    def with_role(self, role: str) -> frozenset[str]:
        """Codes of the items that play one of ``ROLES``."""
        return frozenset(item.code for item in self.items.values() if role in item.roles)

    def caption(self, item: str) -> str:
        """The Japanese name of an item, or its code when the register doesn't know it."""
        known = self.items.get(item) or self.refused.get(item)
        return known.caption if known else item

    def lapsing(self, on: dt.date, days: int = 30) -> list[Lapse]:
        """What may be used today and will stop within ``days``, soonest first.

        A basis that another one follows without a gap does not stop anything.
        """
        found = [lapse for item in self.items for lapse in self._lapses_of(item, on)]
        horizon = on + dt.timedelta(days=days)
        return sorted((lapse for lapse in found if lapse.stops_on <= horizon), key=lambda x: (x.stops_on, x.item))

    def _lapses_of(self, item: str, on: dt.date) -> Iterator[Lapse]:
        for purpose in Purpose:
            basis = self.basis_for(item, purpose, on)
            while basis and basis.valid_to:
                following = self.basis_for(item, purpose, basis.valid_to)
                if following is None:
                    yield Lapse(item, purpose, basis.valid_to, basis.code)
                basis = following


@dataclass
class _Faults:
    """All faults of the two files, gathered so that staff mend them in one go."""

    found: list[str] = field(default_factory=list)

    def add(self, path: Path, key: str, words: str) -> None:
        self.found.append(f"{path.name}: {key}: {words}")

    def raise_any(self, folder: Path) -> None:
        if self.found:
            raise ConfigurationFault(
                f"データ項目登録簿に誤りが {len(self.found)} 件あります。\n" + "\n".join(f"・{f}" for f in self.found),
                where=str(folder / "register"),
                then="示された行を直してください。直るまで、どの項目も使えません。",
                faults=self.found,
            )


def read_register(folder: Path) -> Register:
    """Read and check the register of a municipality's folder.

    Raises:
        ConfigurationFault: a file is missing or not TOML, or anything in it does not hold
            together; all faults at once, each with file and key.
    """
    faults = _Faults()
    items_file, bases_file = folder / "register" / "items.toml", folder / "register" / "bases.toml"
    item_body, basis_body = read_toml(items_file), read_toml(bases_file)
    offices = {str(o.get("code")) for o in read_toml(folder / "offices.toml").get("offices", ())}
    _check_sections(item_body, items_file, {"items", "refused"}, faults)
    _check_sections(basis_body, bases_file, {"bases", "refused"}, faults)
    items = _unique((_item(b, items_file, offices, faults) for b in _entries(item_body, "items", items_file, faults)),
                    items_file, "items", faults)  # fmt: skip
    refusals = [
        _refusal(entry, path, offices, faults)
        for body, path in ((item_body, items_file), (basis_body, bases_file))
        for entry in _entries(body, "refused", path, faults)
    ]
    refused = _unique(iter(refusals), items_file, "refused", faults)
    entries = _entries(basis_body, "bases", bases_file, faults)
    bases = _unique(
        (_basis(b, bases_file, items, refused, offices, faults) for b in entries), bases_file, "bases", faults
    )
    faults.raise_any(folder)
    return Register(items, tuple(bases.values()), refused, folder)


def _check_sections(body: Mapping[str, Any], path: Path, known: set[str], faults: _Faults) -> None:
    for name in sorted(set(body) - known):
        faults.add(path, name, f"知らない見出しです(使えるのは {'、'.join(sorted(known))})")


def _entries(body: Mapping[str, Any], section: str, path: Path, faults: _Faults) -> list[dict[str, Any]]:
    entries = body.get(section, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        faults.add(path, section, f"[[{section}]] の形で書いてください")
        return []
    return entries


Coded = TypeVar("Coded", Item, Basis, Refusal)


def _unique(found: Iterator[Coded | None], path: Path, section: str, faults: _Faults) -> dict[str, Coded]:
    entries = [entry for entry in found if entry is not None]
    for code, times in Counter(entry.code for entry in entries).items():
        if times > 1:
            faults.add(path, f"{section}.{code}", f"同じコードが {times} 回あります")
    return {entry.code: entry for entry in entries}


class _Entry:
    """One entry of a file, read key by key; what doesn't fit becomes a fault, not an exception."""

    def __init__(self, body: dict[str, Any], path: Path, section: str, faults: _Faults) -> None:
        self.body, self.path, self.faults = body, path, faults
        self.name = f"{section}.{body.get('code') or '(code なし)'}"
        self.known: set[str] = set()

    def fault(self, key: str, words: str) -> None:
        self.faults.add(self.path, f"{self.name}.{key}", words)

    def get(self, key: str, kind: type, *, required: bool = False) -> Any:
        self.known.add(key)
        value = self.body.get(key)
        if value is None or value == "":
            if required:
                self.fault(key, "書かれていません")
            return kind() if kind in (str, list) else None
        if not isinstance(value, kind) or isinstance(value, dt.datetime):
            self.fault(
                key, {str: "文字列", list: "[ ] の並び", dt.date: "日付(2026-04-01 の形)"}[kind] + "で書いてください"
            )
            return kind() if kind in (str, list) else None
        return value

    def date(self, key: str, *, required: bool = False) -> dt.date | None:
        if isinstance(self.body.get(key), str) and self.body[key]:
            try:
                self.body = {**self.body, key: dt.date.fromisoformat(self.body[key])}
            except ValueError:
                self.known.add(key)
                self.fault(key, "日付は 2026-04-01 の形で書いてください")
                return None
        value: dt.date | None = self.get(key, dt.date, required=required)
        return value

    def words(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        values = self.get(key, list, required=required)
        if not all(isinstance(value, str) for value in values):
            self.fault(key, "文字列の並びで書いてください")
            return ()
        return tuple(values)

    def member(self, key: str, text: str, kind: type[Member]) -> Member | None:
        for member in kind:
            if text in (member.value, member.label):
                return member
        self.fault(key, f"「{text}」は使えません(使えるのは {'、'.join(m.value for m in kind)})")
        return None

    def check_offices(self, key: str, codes: tuple[str, ...], offices: set[str]) -> None:
        for code in codes:
            if code not in offices:
                self.fault(key, f"部署コード「{code}」が offices.toml にありません")

    def check_unknown(self) -> None:
        for key in sorted(set(self.body) - self.known):
            self.fault(key, "知らない項目です")


def _item(body: dict[str, Any], path: Path, offices: set[str], faults: _Faults) -> Item | None:
    entry = _Entry(body, path, "items", faults)
    code = entry.get("code", str, required=True)
    holder = body.get("holder")
    holders = entry.words("holder", required=True) if isinstance(holder, list) else (
        entry.get("holder", str, required=True),)  # fmt: skip
    entry.check_offices("holder", tuple(h for h in holders if h), offices)
    sensitivity = entry.get("sensitivity", str)
    member = entry.member("sensitivity", sensitivity, Sensitivity) if sensitivity else Sensitivity.PERSONAL
    types = entry.words("types")
    labels = {t.label for t in DifficultyType} | {OVERALL_LABEL}
    for label in types:
        if label not in labels:
            entry.fault("types", f"類型「{label}」はありません")
    roles = entry.words("roles")
    for role in sorted(set(roles) - set(ROLES)):
        entry.fault("roles", f"「{role}」は使えません(使えるのは {'、'.join(ROLES)})")
    item = Item(code, entry.get("caption", str, required=True), holders, entry.get("domain", str),
                entry.words("sources"), member or Sensitivity.PERSONAL, types, roles,
                entry.get("refresh", str), entry.get("note", str))  # fmt: skip
    entry.check_unknown()
    return item if code else None


def _refusal(body: dict[str, Any], path: Path, offices: set[str], faults: _Faults) -> Refusal | None:
    entry = _Entry(body, path, "refused", faults)
    code, holder = entry.get("code", str, required=True), entry.get("holder", str)
    if holder:
        entry.check_offices("holder", (holder,), offices)
    refusal = Refusal(code, entry.get("caption", str, required=True), holder, entry.get("why", str, required=True),
                      entry.date("decided_on"), entry.get("decided_by", str))  # fmt: skip
    entry.check_unknown()
    return refusal if code else None


def _basis(
    body: dict[str, Any],
    path: Path,
    items: Mapping[str, Item],
    refused: Mapping[str, Refusal],
    offices: set[str],
    faults: _Faults,
) -> Basis | None:
    entry = _Entry(body, path, "bases", faults)
    code, kind = entry.get("code", str, required=True), entry.get("basis", str, required=True)
    basis = entry.member("basis", kind, LegalBasis) if kind else None
    names = entry.words("purposes", required=True)
    purposes = [entry.member("purposes", name, Purpose) for name in names]
    nature, valid_from, valid_to = _terms(entry)
    grounds = entry.get("reasonable_grounds", str)
    if basis in NEEDS_GROUNDS and not grounds.strip():
        entry.fault("reasonable_grounds", "法69条2項2号・3号では、相当の理由を書かなければなりません")
    covered = _covered(entry, items, refused, offices)
    texts = {key: entry.get(key, str) for key in ("article", "from_institution", "to_institution", "decision_number",
                                                  "approved_by")}  # fmt: skip
    entry.get("note", str)
    entry.check_unknown()
    if not (code and basis and valid_from):
        return None
    return Basis(
        code=code, basis=basis, items=covered, purposes=frozenset(p for p in purposes if p), nature=nature,
        valid_from=valid_from, valid_to=valid_to, reasonable_grounds=grounds, **texts,
    )  # fmt: skip


def _terms(entry: _Entry) -> tuple[str, dt.date | None, dt.date | None]:
    """How long a basis holds. 臨時 without an end would be 恒常 in disguise, which 69条 does not carry."""
    nature = entry.get("nature", str, required=True)
    valid_from, valid_to = entry.date("valid_from", required=True), entry.date("valid_to")
    if nature and nature not in NATURES:
        entry.fault("nature", f"「{nature}」は使えません(臨時 か 恒常)")
    if nature == "臨時" and valid_to is None:
        entry.fault("valid_to", "臨時の根拠には終わりの日が要ります")
    if valid_from and valid_to and valid_to <= valid_from:
        entry.fault("valid_to", "始まりの日より後にしてください(この日から使えなくなる日です)")
    return nature, valid_from, valid_to


def _covered(
    entry: _Entry, items: Mapping[str, Item], refused: Mapping[str, Refusal], offices: set[str]
) -> frozenset[str]:
    codes, holder = entry.words("items", required=True), entry.get("holder", str)
    if holder:
        entry.check_offices("holder", (holder,), offices)
    if "*" in codes:
        if len(codes) > 1 or not holder:
            entry.fault("items", '"*" は単独で、holder といっしょに書いてください')
            return frozenset()
        return frozenset(item.code for item in items.values() if holder in item.holders and item.code not in refused)
    for code in codes:
        if code in refused:
            entry.fault("items", f"項目「{code}」は受け取らないと決めた項目です")
        elif code not in items:
            entry.fault("items", f"項目「{code}」が items.toml にありません")
    return frozenset(codes)

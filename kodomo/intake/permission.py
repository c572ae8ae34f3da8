"""Which columns and facts of a source the register lets in on a day (identity side).

A column without a legal basis is left where it was printed: its cells are never parsed, never
leave the reading process, and the report says so.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from kodomo.errors import DeliveryRefused
from kodomo.governance.register import Register
from kodomo.intake.layout import FactRule, Layout, LayoutColumn
from kodomo.terms import Purpose

FACT_PURPOSES = (Purpose.JUDGE, Purpose.ASSESS, Purpose.LEARN)
"""A fact about a person is taken in only to judge, to be looked at in assessment, or to learn from."""


@dataclass(frozen=True)
class Permission:
    """What may be taken in: column references, positions of fact rules; and what may not, with the reason."""

    columns: frozenset[str]
    rules: frozenset[int]
    refused: tuple[dict[str, Any], ...]


def permit(layout: Layout, register: Register, on: dt.date, name: str) -> Permission:
    """Work out what of a source may be taken in on a day.

    An identifying column needs a basis for 名寄せ, a fact one for 判定, アセスメント or 学習; a column that
    only dates or numbers the record needs a basis for any purpose. A column that no permitted
    fact, person or identity uses is not taken in either (必要最小限).

    Raises:
        DeliveryRefused: a column by which records or people are told apart, or that tells of address
            protection, has no basis, or none of the source's facts has one.
    """
    used = [c for c in layout.columns if not c.ignore and c.reference in layout.used_references()]
    allowed = {c.reference for c in used if _may_hold(c, register, on)}
    rules = frozenset(at for at, rule in enumerate(layout.facts) if _may_say(rule, layout, allowed, register, on))
    refused = _refused(layout, used, allowed, rules, register, on)
    mandatory = layout.record_references() | {c.reference for c in used if c.person and c.required}
    # Rows taken in without their protection flag would show an address that must stay hidden.
    mandatory |= {c.reference for c in used if c.field == "address_protection"}
    barred = [c.reference for c in used if c.reference in mandatory - allowed]
    if barred or (layout.facts and not rules):
        _refuse(name, barred, refused)
    needed = mandatory | {c.reference for c in used if c.person}
    needed = needed.union(*(layout.facts[at].columns() for at in rules))
    return Permission(frozenset(allowed & layout.with_conditions(needed)), rules, refused)


def _may_hold(column: LayoutColumn, register: Register, on: dt.date) -> bool:
    if not column.item:
        return True  # it has no meaning of its own; the facts that use it are asked instead
    if column.person:
        return register.allows(column.item, Purpose.LINK, on)
    return register.allows_any(column.item, tuple(Purpose), on)


def _may_say(rule: FactRule, layout: Layout, allowed: set[str], register: Register, on: dt.date) -> bool:
    about = {c.reference for c in layout.columns if c.person == rule.person} & allowed
    return bool(about) and rule.columns() <= allowed and register.allows_any(rule.item, FACT_PURPOSES, on)


def _refused(
    layout: Layout, used: list[LayoutColumn], allowed: set[str], rules: frozenset[int], register: Register, on: dt.date
) -> tuple[dict[str, Any], ...]:
    columns: dict[tuple[str, Purpose], list[str]] = {}
    for column in used:
        if column.reference not in allowed:
            columns.setdefault((column.item, Purpose.LINK if column.person else Purpose.JUDGE), []).append(
                column.reference
            )
    for at, rule in enumerate(layout.facts):
        if at not in rules and not register.allows_any(rule.item, FACT_PURPOSES, on):
            columns.setdefault((rule.item, Purpose.JUDGE), [])
    return tuple(
        {"item": item, "caption": register.caption(item), "purpose": purpose.label, "columns": names,
         "why": register.why_not(item, purpose, on)}
        for (item, purpose), names in columns.items()
    )  # fmt: skip


def _refuse(name: str, barred: list[str], refused: tuple[dict[str, Any], ...]) -> None:
    items = "、".join(f"{entry['caption']}({entry['why'].rstrip('。')})" for entry in refused)
    what = (
        f"記録や人を見分ける列、または支援措置の列「{'」「'.join(barred)}」に法的根拠がありません。"
        if barred
        else "この出所から取り込める項目がありません。"
    )
    raise DeliveryRefused(
        what,
        where=f"{name} 項目: {items}",
        then="法的根拠を確かめ、決裁を経て登録簿に載せてから、もう一度渡してください。",
        code="no_basis",
        refused_items=list(refused),
    )

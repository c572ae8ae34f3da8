"""Labels drafted for a municipality: which of its items register that a child is in a difficulty (analysis side).

The shipped labels know one register, the regional council's, which says for what a child is in it. Many cities have
none that does: there each office keeps its own, of bullying, of absence, of young carers, of service certificates.
Which item is such a register is told by what the register of items calls it; a person confirms it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kodomo.features.item_shapes import Shape
from kodomo.governance.register import Item
from kodomo.judgement.draft_points import LETTERS
from kodomo.terms import DifficultyType

MARK = "★"
FEWEST_CASES = 3
"""A register in which fewer ever stood teaches nothing, and would describe them."""
OF_TYPE = {
    "虐待": r"虐待|養育|養護|ネグレクト|DV|^(身体|心理|性)的?(虐待|[・、]|$)", "いじめ": r"いじめ", "不登校": r"不登校|登校|登園|長期欠席",
    "ヤングケアラー": r"ヤング|ケアラー|YC", "貧困": r"貧困|困窮|経済|生活費", "産後うつ": r"産後|周産期|産婦|母のメンタル",
    "発達障がい": r"発達|療育",
}  # fmt: skip
"""How codes of registers and consultations name a type."""
_LEDGER = r"(認知|把握|報告|登録|台帳|名簿|認定|児童|生徒|受理|通告)"
CAPTIONS = {
    "虐待": rf"虐待.*{_LEDGER}|要対協|要保護児童",
    "いじめ": rf"いじめ.*{_LEDGER}",
    "不登校": rf"^(不登校|長期欠席)$|(不登校|長期欠席).*{_LEDGER}",
    "ヤングケアラー": rf"^(ヤング・?ケアラー|YC)$|(ヤング・?ケアラー|YC).*({_LEDGER}|支援)",
    "貧困": r"就学援助|準要保護|生活保護|困窮.*(登録|認定|支援|台帳)",
    "産後うつ": r"産後うつ|(産後|産婦|周産期).*(支援|登録|台帳|決定)",
    "発達障がい": r"(通所|発達).*(受給|支給決定|サービス|登録|台帳)|児童発達支援|放課後等デイ|療育(の|を)?(登録|利用|台帳)",
}
"""How the register of items calls what registers a type."""
USUAL = {
    "虐待": ("council_registration",), "いじめ": ("bullying_report", "bullying_form"), "貧困": ("school_expense_aid", "public_assistance"),
    "発達障がい": ("disability_service",),
}  # fmt: skip
"""Usual codes of such items, whatever they are called."""
HALF_LIVES = {"虐待": 12, "いじめ": 6, "不登校": 6, "ヤングケアラー": 12, "貧困": 12, "産後うつ": 12}
"""Months in which a record says half as much of how the child is now: what happens at school half a year (bullying counts as
over when it has stopped for three months), what happens at home a year. 発達障がい stays.

Boosting over the six types in two cities of 113,000 with an answer key: AUROC .754 and .734 without, .765 and .750 with
it, average precision .312 and .309 against .328 and .326; of 発達障がい it halves with a year (measured).
"""
AT_HOME = {"貧困": 6, "虐待": 5}
"""Difficulties that the children of a home share, and points for a sibling's being recognised. Of children with a sibling
recognised for it, half to three quarters (貧困) and a tenth to a fifth (虐待) were in it themselves, twice to eight times as
many as of the others (two cities with an answer key). Care falls on one child of a home more often than on all: a line on
ヤングケアラー found fewer in one of them.
"""
SIBLING_MONTHS = 24
_NOT_A_REGISTER = re.compile(
    r"アンケート|質問|問診|チェック|理由|事由|経路|日数|時間|回数|件数|支給量|金額|類型|加算|様子|気づき|所見|判定|相談|EPDS|被害感|希望|不安"
)
_TURNED_DOWN = re.compile(r"否|不認定|却下|取下|取消|非該当|対象外|審査中|申請中|廃止|終了|解消|加害|なし$|^無$")


def proposed(
    labels: Sequence[Mapping[str, Any]], items: Mapping[str, Item], shapes: Mapping[str, Shape]
) -> Iterator[tuple[DifficultyType, str, str]]:
    """Registers of the types that no label of full weight speaks of yet.

    Args:
        labels: the entries of ``[[labels]]`` drafted so far.
        items: the register's items that may be received.
        shapes: what their facts look like.

    Yields:
        the type, the item's Japanese name, and the label as text.
    """
    spoken = {str(entry["type"]) for entry in labels if entry.get("weight", 1.0) >= 1}
    for kind in DifficultyType:
        if kind.label in spoken or kind.label not in CAPTIONS:
            continue
        found = [shapes[code] for code in items if code in shapes and _registers(kind.label, items[code], shapes[code])]
        forms = {shape.item for shape in found}
        for shape in found:
            if not (shape.item == "bullying_form" and "bullying_report" in forms):
                yield kind, items[shape.item].caption, _text(kind.label, items[shape.item].caption, shape)


def of_siblings(
    labels: Sequence[Mapping[str, Any]], items: Mapping[str, Item], written: Collection[tuple[str, str]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """For each register of a difficulty of the home: whether a sibling stands in it, and the line of points for that.

    A record of recognition: shown and counted, never learned from.

    Args:
        labels: the entries of ``[[labels]]`` drafted.
        items: the register's items.
        written: (type, item) of which there is a line about siblings already.
    """
    for entry in labels:
        kind, item = str(entry["type"]), str(entry["item"])
        if kind not in AT_HOME or entry.get("weight", 1.0) < 1 or entry.get("whose", "self") != "self":
            continue
        if (kind, item) in written or item not in items:
            continue
        code, caption = f"siblings_{item}_{LETTERS[kind]}", items[item].caption
        yield (
            {
                "code": code, "caption": f"きょうだいの{caption}({kind})", "item": item, "whose": "siblings",
                "at": "touching", "window_months": SIBLING_MONTHS, "aggregate": "any",
                **({"codes": list(entry["codes"])} if entry.get("codes") else {}),
                "types": [kind], "sign": "+", "is_label_trace": True, "is_contact": True,
                "sentence": f"{SIBLING_MONTHS}か月以内に、きょうだいの{caption}({kind})の記録がある",
                "sentence_zero": f"{SIBLING_MONTHS}か月以内に、きょうだいの{caption}({kind})の記録はない",
            },
            {
                "type": kind, "code": f"{LETTERS[kind]}_{code}", "when": [f"{code} >= 1"], "points": AT_HOME[kind],
                "group": "recognised_sibling", "rationale": "きょうだいが同じ困難で把握されている", "note": "見本・未検証",
            },
        )  # fmt: skip


def codes_of(kind: str, shape: Shape) -> list[str]:
    """An item's codes that name a type; where some say 虐待 outright, other care (養護) is none of it.

    A code that names another type beside it (貧困・養育困難) is its own only where none names it alone.
    """
    own = [code for code, _ in shape.codes if re.search(OF_TYPE[kind], code)]
    if any("虐待" in code for code in own):
        own = [code for code in own if "養護" not in code or "虐待" in code]
    alone = [code for code in own if not any(re.search(words, code) for one, words in OF_TYPE.items() if one != kind)]
    return alone or own


def _registers(kind: str, item: Item, shape: Shape) -> bool:
    """Whether an item is a register of a type: by its name or usual code, and by holding no figures."""
    caption = unicodedata.normalize("NFKC", item.caption)
    if shape.persons < FEWEST_CASES or not (shape.is_presence or shape.codes):
        return False
    if _names_others(kind, shape) and not codes_of(kind, shape):
        return False
    if item.code in USUAL.get(kind, ()):
        return True
    return bool(re.search(CAPTIONS[kind], caption)) and not _NOT_A_REGISTER.search(caption)


def _names_others(kind: str, shape: Shape) -> bool:
    """Whether its codes name other types: it then says itself for what somebody is in it."""
    return any(re.search(words, code) for other, words in OF_TYPE.items() if other != kind for code, _ in shape.codes)


def _text(kind: str, caption: str, shape: Shape) -> str:
    told = codes_of(kind, shape) if _names_others(kind, shape) else [code for code, _ in shape.codes]
    granted = [code for code in told if not _TURNED_DOWN.search(unicodedata.normalize("NFKC", code))]
    lines = [f'type = "{kind}"', f'item = "{shape.item}"']
    if 0 < len(granted) < len(shape.codes):
        lines.append(f"codes = {json.dumps(granted, ensure_ascii=False)}")
    if shape.whose == "mother":
        lines.append('whose = "mother"')
    if kind in HALF_LIVES:
        lines.append(f"half_life_months = {HALF_LIVES[kind]}")
    title = f"# {MARK}? 「{caption}」を、{kind}を把握した記録とみた。違えば消す\n"
    return f"{title}[[labels]]\n" + "\n".join([*lines, "weight = 1.0"]) + "\n"

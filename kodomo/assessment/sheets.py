"""Assessment sheets (アセスメントシート): what people look into for each difficulty type, as the municipality's data (casework side).

``sheets.toml`` in the municipality's folder: ``[[sheets]]`` with ``type`` (Japanese name), ``caption`` and
``items``, each with ``code``, ``caption`` and perhaps ``help``. An answer is a degree and words; there is no sum:
a sheet helps somebody to look, it is no second score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kodomo.configuration import Municipality, read_toml
from kodomo.errors import ConfigurationFault
from kodomo.terms import DifficultyType, LabelledEnum

FILE = "sheets.toml"


class Degree(LabelledEnum):
    """程度."""

    NONE = "NONE", "ない"
    SLIGHT = "SLIGHT", "少しある"
    SOME = "SOME", "ある"
    STRONG = "STRONG", "強くある"
    UNKNOWN = "UNKNOWN", "わからない・確かめていない"


@dataclass(frozen=True)
class SheetItem:
    """One thing to look into."""

    code: str
    caption: str
    help: str = ""


@dataclass(frozen=True)
class Sheet:
    """One difficulty type's sheet."""

    type: DifficultyType
    caption: str
    items: tuple[SheetItem, ...]

    def captions(self) -> Mapping[str, str]:
        """Code → caption. An answer to an item that is gone keeps its code."""
        return {item.code: item.caption for item in self.items}


def current_sheets(municipality: Municipality) -> Mapping[str, Sheet]:
    """The municipality's sheets by type code, in its own order; none when it keeps no file.

    Raises:
        ConfigurationFault: all faults of the file at once.
    """
    path = municipality.folder / FILE
    if not path.exists():
        return {}
    found = _read(path, path.stat().st_mtime_ns)
    return {kind.value: found[kind.value] for kind in municipality.types if kind.value in found}


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> Mapping[str, Sheet]:
    faults: list[str] = []
    sheets: dict[str, Sheet] = {}
    for place, body in enumerate(read_toml(path).get("sheets", ()), 1):
        sheet = _sheet(body, f"{place} 枚目のシート", faults)
        if sheet is not None:
            if sheet.type.value in sheets:
                faults.append(f"{place} 枚目のシート: 類型「{sheet.type.label}」のシートが二つあります")
            sheets[sheet.type.value] = sheet
    if faults:
        raise ConfigurationFault(
            "アセスメントシートの設定に誤りがあります。\n" + "\n".join(f"・{f}" for f in faults),
            where=str(path),
            then="示されたところを直してください。直るまで、シートは開けません。",
        )
    return sheets


def _sheet(body: Mapping[str, Any], place: str, faults: list[str]) -> Sheet | None:
    before = len(faults)
    label = str(body.get("type", ""))
    kind = next((member for member in DifficultyType if label == member.label), None)
    if kind is None:
        faults.append(f"{place}: 類型「{label}」はありません")
    items = [SheetItem(str(e.get("code", "")), str(e.get("caption", "")), str(e.get("help", ""))) for e in
             body.get("items", ())]  # fmt: skip
    codes = [item.code for item in items]
    if not items or any(not (item.code.isidentifier() and item.caption) for item in items):
        faults.append(f"{place}: items に、半角英字の code と caption を書いてください")
    if len(set(codes)) != len(codes):
        faults.append(f"{place}: 同じ code が二つあります")
    if kind is None or len(faults) > before:
        return None
    return Sheet(kind, str(body.get("caption", "")) or kind.label, tuple(items))

"""Layouts that say "and so for April to March" or "and so for each child", written out column by column (identity side)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBERS = ("position", "width", "occurrence", "month")
"""Keys whose value is a number even where it came out of a placeholder."""


def spelt_out(body: Mapping[str, Any]) -> dict[str, Any]:
    """A layout's TOML with ``[[repeat]]`` and ``[[people]]`` written out into ``columns`` and ``facts``.

    Columns and facts of ``[[people]]`` carry ``group``, the person's number in the row (from 0);
    such columns also ``template``, the reference they were declared by. Expects a body of sound form.
    """
    flat = {key: value for key, value in body.items() if key not in ("repeat", "people")}
    columns, facts = list(body.get("columns", ())), list(body.get("facts", ()))
    for part in body.get("repeat", ()):
        for values in part["for"]:
            columns += [_filled(column, values) for column in part["columns"]]
            facts += [_filled(fact, values) for fact in part.get("facts", ())]
    for part in body.get("people", ()):
        for group, values in enumerate(part["for"]):
            columns += [
                {**_filled(column, values), "group": group, "template": _reference(column)}
                for column in part["columns"]
            ]
            facts += [{**_filled(fact, values), "group": group} for fact in part.get("facts", ())]
    return {**flat, "columns": columns, "facts": facts}


def _reference(column: Mapping[str, Any]) -> str:
    occurrence = column.get("occurrence", 1)
    return str(column["name"]) if occurrence == 1 else f"{column['name']}#{occurrence}"


def _filled(part: Mapping[str, Any], values: str | int | Mapping[str, Any]) -> dict[str, Any]:
    """One column or fact with the placeholders filled; keys that hold numbers become numbers."""
    filled = {_text(key, values): _value(value, values) for key, value in part.items()}
    for key in NUMBERS:
        if isinstance(filled.get(key), str) and filled[key].strip().isdigit():
            filled[key] = int(filled[key])
    return filled


def _value(value: Any, values: str | int | Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _text(value, values)
    if isinstance(value, list):
        return [_value(one, values) for one in value]
    if isinstance(value, dict):
        return {_text(key, values): _value(one, values) for key, one in value.items()}
    return value


def _text(text: str, values: str | int | Mapping[str, Any]) -> str:
    if isinstance(values, Mapping):
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text
    return text.replace("{}", str(values))

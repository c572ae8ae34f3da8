"""How a draft is written: marks, TOML values, and what a municipality's folder already tells (identity side)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MARK = "★"
"""Stands where only a person can decide."""


@dataclass(frozen=True)
class Known:
    """What a municipality's folder already tells: item codes by caption, items by printed column name, offices."""

    items: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    offices: tuple[str, ...] = ()


def reference(column: Mapping[str, Any]) -> str:
    """How the draft refers to a column."""
    return column["name"] if column["occurrence"] == 1 else f"{column['name']}#{column['occurrence']}"


def quoted(value: object) -> str:
    """A TOML value: a basic string, or a literal one where that spares backslashes."""
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def setting(key: str, value: object, why: str) -> str:
    """One line of TOML with its reason behind it."""
    return f"{key} = {quoted(value)}" + (f"          # {why}" if why else "")

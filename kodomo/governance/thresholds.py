"""How many children people can look at: the figures of ``[capacity]``, for everybody and for single types and offices (crosscutting).

``settings.toml``::

    [capacity]
    high = 0.02
    middle = 0.08
    band = 0.005

    [[capacity.parts]]        # of one type, of one office, or of one type in one office
    type = "不登校"           # or "総合"
    office = "family_centre"
    high = 0.03
    middle = 0.1

Of several that fit a child the narrowest counts: type and office, then office, then type. An office named in a
part ranks its own children by themselves, for that part's types.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from kodomo.configuration import Municipality
from kodomo.errors import ConfigurationFault
from kodomo.terms import OVERALL, OVERALL_LABEL, DifficultyType

BAND = 0.005
"""Half a percentage point of rank, where ``[capacity]`` does not say otherwise (``band``)."""
WIDEST_BAND = 0.1
PART_KEYS = {"type", "office", "high", "middle"}


def thresholds(municipality: Municipality) -> dict[str, Any]:
    """What decides how many children are 高 and 中: shares of those judged, the band that keeps a level, and ``parts``.

    Returns:
        ``high``, ``middle``, ``band``; ``parts`` (``type`` by its code or empty, ``office`` or empty, ``high``,
        ``middle``) and ``title`` (the name of a version written on the site), each left out where there is none.

    Raises:
        ConfigurationFault: naming the figure that is no share.
    """
    read, faults = as_written(municipality)
    if faults:
        where = f"{municipality.folder / 'settings.toml'} [capacity] {'、'.join(faults)}"
        then = "ファイルを直してください。画面で承認した枠なら、「判定基準」の「案をつくって見直す」から枠を直し、承認を受けてください。"
        raise ConfigurationFault("、".join(dict.fromkeys(faults.values())), where=where, then=then)
    return read


def as_written(municipality: Municipality) -> tuple[dict[str, Any], dict[str, str]]:
    """As ``thresholds``, with every fault instead of a refusal: for looking at figures that have to be mended.

    What was approved may stop holding together later: an office it names is given up.
    """
    capacity = municipality.extras.get("capacity", {})
    found: dict[str, Any] = {
        "high": municipality.capacity_high, "middle": municipality.capacity_middle, "band": capacity.get("band", BAND),
    }  # fmt: skip
    found |= {key: capacity[key] for key in ("parts", "title") if capacity.get(key)}
    return checked(found, municipality)


def checked(figures: Mapping[str, Any], municipality: Municipality) -> tuple[dict[str, Any], dict[str, str]]:
    """The figures as the version counts them, and every fault by the figure's name (``parts.2.high``)."""
    faults: dict[str, str] = {}
    band = figures.get("band", BAND)
    if not _is_share(band, 0, WIDEST_BAND):
        faults["band"] = "レベルを保つ幅(band)は、0 から 0.1 までの割合で書いてください。"
    for key in ("high", "middle"):
        if not _is_share(figures.get(key), 0, 1):
            faults[key] = "枠は 0 から 1 までの割合で書いてください。"
    shares = {"high": figures.get("high"), "middle": figures.get("middle"), "band": band}
    found: dict[str, Any] = {key: _share(value) for key, value in shares.items()}
    parts = figures.get("parts", [])
    if not isinstance(parts, list) or any(not isinstance(part, Mapping) for part in parts):
        return found, {**faults, "parts": "[[capacity.parts]] の形で書いてください。"}
    read = [_part(part, f"parts.{number}", municipality, faults) for number, part in enumerate(parts, 1)]
    places = [(part["type"], part["office"]) for part in read]
    if len(set(places)) < len(places):
        faults.setdefault("parts", "同じ類型と部署の枠が二度書かれています。")
    if figures.get("title"):
        found["title"] = str(figures["title"])
    if read:
        found["parts"] = sorted(read, key=lambda part: (part["type"], part["office"]))
    return found, faults


def _part(part: Mapping[str, Any], name: str, municipality: Municipality, faults: dict[str, str]) -> dict[str, Any]:
    label, office = str(part.get("type", "")), str(part.get("office", ""))
    codes = {kind.label: kind.value for kind in DifficultyType} | {OVERALL_LABEL: OVERALL}
    code = codes.get(label, label)
    if set(part) - PART_KEYS:
        faults[name] = f"知らないキーです: {'・'.join(sorted(set(part) - PART_KEYS))}"
    if code and code not in codes.values():
        faults[f"{name}.type"] = f"困難の類型「{label}」はありません。"
    if office and office not in {one.code for one in municipality.offices if one.age_bands}:
        faults[f"{name}.office"] = f"こどもの事例を受ける部署「{office}」は offices.toml にありません。"
    if not (code or office):
        faults[name] = "類型か部署のどちらかを書いてください。"
    for key in ("high", "middle"):
        if not _is_share(part.get(key), 0, 1):
            faults[f"{name}.{key}"] = "枠は 0 から 1 までの割合で書いてください。"
    return {"type": code, "office": office, "high": _share(part.get("high")), "middle": _share(part.get("middle"))}


def _share(value: Any) -> float:
    return float(value) if _is_share(value, 0, 1) else 0.0


def _is_share(value: Any, lowest: float, highest: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest


def figures_version(figures: Mapping[str, Any]) -> str:
    """The version of the thresholds: the digest of their figures."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


def as_settings(figures: Mapping[str, Any]) -> str:
    """The figures as the lines of ``settings.toml`` that say them."""
    labels = {kind.value: kind.label for kind in DifficultyType} | {OVERALL: OVERALL_LABEL}
    lines = ["[capacity]", *(f"{key} = {figures[key]:g}" for key in ("high", "middle", "band"))]
    lines += [f"title = {json.dumps(figures['title'], ensure_ascii=False)}"] if figures.get("title") else []
    for part in figures.get("parts", ()):
        named = {"type": labels.get(part["type"], ""), "office": part["office"]}
        lines += ["", "[[capacity.parts]]", *(f'{key} = "{value}"' for key, value in named.items() if value)]
        lines += [f"{key} = {part[key]:g}" for key in ("high", "middle")]
    return "\n".join(lines) + "\n"

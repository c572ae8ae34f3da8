"""受け渡し先: whom a package may go to, what each may be told and asked, as the municipality's data (casework side).

``partners.toml`` in the municipality's folder: ``[[partners]]`` with ``code``, ``caption``, ``items`` (of ``ITEMS``;
what is asked for is always told), ``questions`` of the reply slip, and perhaps ``keeps``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kodomo.configuration import Municipality, read_toml
from kodomo.errors import ConfigurationFault

FILE = "partners.toml"

ITEMS: Mapping[str, str] = {
    "grade": "学年",
    "band": "年齢区分",
    "goal": "いっしょに目指すこと",
    "heed": "気を付けること",
    "course": "支援の経過",
}
"""All that a partner can ever be told besides the request: no judgement, no fact of another office, no name."""

MOST_QUESTIONS = 5


@dataclass(frozen=True)
class Partner:
    """One kind of partner, and the least it needs for its part."""

    code: str
    caption: str
    items: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    keeps: bool = False
    """Whether it keeps what it gets as its own record: another municipality that takes a case over."""


def current_partners(municipality: Municipality) -> Mapping[str, Partner]:
    """The municipality's partners by code, in its own order; none when it keeps no file.

    Raises:
        ConfigurationFault: all faults of the file at once.
    """
    path = municipality.folder / FILE
    return _read(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> Mapping[str, Partner]:
    faults: list[str] = []
    partners: dict[str, Partner] = {}
    for place, body in enumerate(read_toml(path).get("partners", ()), 1):
        partner = _partner(body)
        faults += [f"{place} 番目の受け渡し先: {fault}" for fault in _faults_of(partner)]
        if partner.code in partners:
            faults.append(f"{place} 番目の受け渡し先: code「{partner.code}」が二つあります")
        partners[partner.code] = partner
    if faults:
        raise ConfigurationFault(
            "受け渡し先の設定に誤りがあります。\n" + "\n".join(f"・{f}" for f in faults),
            where=str(path),
            then="示されたところを直してください。直るまで、受け渡し票はつくれません。",
        )
    return partners


def _partner(body: Mapping[str, Any]) -> Partner:
    return Partner(
        str(body.get("code", "")),
        str(body.get("caption", "")).strip(),
        tuple(str(item) for item in body.get("items", ())),
        tuple(str(question).strip() for question in body.get("questions", ())),
        body.get("keeps") is True,
    )


def _faults_of(partner: Partner) -> list[str]:
    faults = []
    if not (partner.code.isidentifier() and partner.code.isascii() and len(partner.code) <= 16 and partner.caption):
        faults.append("半角英字 16 字までの code と、caption を書いてください")
    faults += [
        f"項目「{item}」は渡せません(使えるのは {'、'.join(ITEMS)})" for item in partner.items if item not in ITEMS
    ]
    if len(partner.questions) > MOST_QUESTIONS or len(set(partner.questions)) < len(partner.questions):
        faults.append(f"質問は {MOST_QUESTIONS} 個までで、同じものは書けません")
    if not all(partner.questions):
        faults.append("空の質問があります")
    return faults

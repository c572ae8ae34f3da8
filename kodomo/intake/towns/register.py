"""The shipped register of all municipalities and towns of Japan, read piece by piece (identity side).

Made by ``make_register`` from 郵便番号データ (日本郵便) and Geolonia 住所データ; see there for licences. Reading the
file takes about 20 ms; the towns of one municipality are taken apart when first asked for.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path

from kodomo.intake.characters import fold_characters
from kodomo.intake.towns.folding import place_key, place_tokens

REGISTER = Path(__file__).with_name("towns.bin")

_DESIGNATED = re.compile("^(?P<city>.+?市)(?P<ward>[^市]+区)$")
_COUNTY = re.compile("^(?P<county>(?:余市|高市|佐波|杵島|田村|柴田|[^市区]{1,4}?)郡)(?P<town>.+[町村])$")
_ALSO_WRITTEN = {
    "三宅村": ("三宅島三宅村", "三宅島"), "八丈町": ("八丈島八丈町", "八丈島"), "塩竈市": ("塩釜市",), "丹波篠山市": ("篠山市",),
    "神津島村": ("神津島",), "御蔵島村": ("御蔵島",), "青ヶ島村": ("青ヶ島",), "大島町": ("伊豆大島", "大島支庁大島町"),
}  # fmt: skip
"""Names in use beside the official one: islands before their villages, 釜 for 竈, a name until 2019."""

_LINK = re.compile("[ケノツ]")
_NUMBER = re.compile("[0-9]+;")
_SAPPORO_SHORT = re.compile("^([北南][0-9]+;)条([東西])$")


class How(Enum):
    """How a municipality was written."""

    FULL = "full"
    WITHOUT_COUNTY = "without_county"
    WITHOUT_WARD = "without_ward"
    WARD_ONLY = "ward_only"


@dataclass
class Municipality:
    """One municipality as the register spells it. ``is_living`` is false for one that merged since 2020."""

    prefecture: str
    city: str
    is_living: bool
    listed: str = field(repr=False)
    _towns: dict[str, str] | None = field(default=None, repr=False)
    _chome: frozenset[str] = field(default=frozenset(), repr=False)
    _loose: dict[str, str] | None = field(default=None, repr=False)
    _before_numbers: frozenset[str] | None = field(default=None, repr=False)

    @property
    def towns(self) -> dict[str, str]:
        """Comparison key -> the town as the register spells it."""
        if self._towns is None:
            names = [n for n in self.listed.split("\t") if n]
            plain = [n.rstrip("*") for n in names]
            # One fold for all: a municipality has up to a thousand towns.
            folded = fold_characters("\t".join(plain)).split("\t")
            self._towns = {place_tokens(f)[0]: n for f, n in zip(reversed(folded), reversed(plain), strict=True)}
            self._chome = frozenset(n[:-1] for n in names if n.endswith("*"))
            for key in list(self._towns):
                if (short := _SAPPORO_SHORT.match(key)) and self.city.startswith("札幌市"):
                    self._towns.setdefault(short[1] + short[2], self._towns[key])
        return self._towns

    def has_chome(self, town: str) -> bool:
        """Whether the register knows 丁目 in this town."""
        return bool(self.towns) and town in self._chome

    @property
    def loose_towns(self) -> dict[str, str]:
        """Keys without their linking kana -> the town; only where that leaves one town, and at least two characters."""
        if self._loose is None:
            counted: dict[str, set[str]] = {}
            for key, town in self.towns.items():
                counted.setdefault(_LINK.sub("", key), set()).add(town)
            self._loose = {k: min(t) for k, t in counted.items() if len(t) == 1 and len(k.replace(";", "")) > 1}
        return self._loose

    def goes_on_with_number(self, key: str) -> bool:
        """Whether some town's name begins with ``key`` and a number behind it."""
        if self._before_numbers is None:
            self._before_numbers = frozenset(k[: m.start()] for k in self.towns for m in _NUMBER.finditer(k))
        return key in self._before_numbers

    @property
    def without_ward(self) -> str:
        """The designated city's name without its ward; empty for any other municipality."""
        found = _DESIGNATED.match(self.city)
        return found["city"] if found else ""


class Register:
    """All municipalities, and the ways in which they are written."""

    def __init__(self, text: str) -> None:
        self.municipalities: list[Municipality] = []
        self.by_name: dict[str, list[tuple[int, How]]] = {}
        for number, line in enumerate(text.split("\n")):
            prefecture, city, living, listed = [*line.split("\t", 3), ""][:4]
            self.municipalities.append(Municipality(prefecture, city, living == "+", listed))
            self._name(number, city)
        self.prefectures = tuple(dict.fromkeys(m.prefecture for m in self.municipalities))
        self.longest = max(map(len, self.by_name))

    def _name(self, number: int, city: str) -> None:
        self._add(city, number, How.FULL)
        for other in _ALSO_WRITTEN.get(city, ()):
            self._add(other, number, How.FULL)
        if county := _COUNTY.match(city):
            self._add(county["town"], number, How.WITHOUT_COUNTY)
        if designated := _DESIGNATED.match(city):
            self._add(designated["city"], number, How.WITHOUT_WARD)
            self._add(designated["ward"], number, How.WARD_ONLY)

    def _add(self, name: str, number: int, how: How) -> None:
        self.by_name.setdefault(place_key(name), []).append((number, how))

    def within(self, prefecture: str) -> list[Municipality]:
        """The living municipalities of one prefecture."""
        return [m for m in self.municipalities if m.prefecture == prefecture and m.is_living]


@cache
def register() -> Register:
    """The shipped register."""
    return Register(zlib.decompress(REGISTER.read_bytes()).decode())

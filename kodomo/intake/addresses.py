"""Japanese addresses in one form, for comparison only (identity side): any town of Japan, no city known in advance."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from kodomo.intake.characters import FORMAL_DIGITS, fold_characters
from kodomo.intake.towns import house_numbers, places
from kodomo.intake.towns.folding import in_kanji, kanji_number
from kodomo.intake.towns.house_numbers import BRANCHES, DASH, PART_OF_NAME, UNIT_AHEAD, ZONE, HouseNumber, read_number
from kodomo.intake.towns.places import Place, locate

__all__ = [
    "NO_ADDRESS",
    "AddressForm",
    "WrittenAddress",
    "kanji_number",
    "normalise_address",
    "outside_own",
    "read_address",
]


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

DOUBTS = {
    **places.DOUBTS,
    **house_numbers.DOUBTS,
    "unknown": "住所が不明・不定と書かれています",
    "abroad": "国外の住所のようです",
    "no_number": "番地が書かれていません",
    "not_an_address": "住所として読めません",
    "too_long": "長すぎるため、終わりを読みませんでした",
}

LONGEST = 300
"""Characters of an address that are read; the longest real ones have about 120."""

_POSTCODE = re.compile(rf"^(?:〒|郵便番号[::]?)?\s*[0-9]{{3}}\s?{DASH}?[0-9]{{4}}(?![0-9])[\s,、]*")
_LABEL = re.compile("^(?:〒|(?:現?住所|居所|本籍地?|所在地?)\\s*[::\\s])\\s*")
_UNKNOWN = re.compile(
    "^[(\\[]?(?:住所|居所|住居|転出先|現住所)?(?:地|は|が)?(?:不定|不明|不詳|未定|未届け?|なし|無し?|非公開|秘匿)[)\\]]?$|^(?:不定|不明|不詳|〃|同上|同左|[-*〓.・]+|N/?A)$"
)
_ABROAD = re.compile(
    "^(?:国外|海外|外国|アメリカ|米国|中国|中華人民共和国|韓国|大韓民国|ブラジル|フィリピン|ベトナム|台湾|英国|イギリス|フランス|ドイツ|タイ国?(?=\\s|$)|インド|ネパール|カナダ|オーストラリア|ペルー)"
)
_ANY_JAPANESE = re.compile("[一-龥々ぁ-んァ-ヶ]")
_UNTIDY = re.compile(r"[\s_]+")
_BRANCH = re.compile(f"^[{BRANCHES}](?=第?[0-9〇一二三四五六七八九十百千])")
_LINKING_KE = re.compile("(?<=[一-龥々])[ヶヵケカガがゲ](?=[一-龥])")
_LINKING_NO = re.compile("(?<=[一-龥々])[のノ之](?=[一-龥])")
_LINKING_TSU = re.compile("(?<=[一-龥々])[ッツつっ](?=[一-龥])")
_IROHA = "イロハニホヘトチリヌルヲワカヨタレソネナラムウヰオクヤマフコエテアサキユメミシヱヒモセス"
_LETTERED = re.compile(
    rf"((?<=[一-龥々])[{_IROHA}]|(?<=[町村字])[ノケツ])(?:部|割|字)(?=\s?(?:$|第?[0-9〇一二三四五六七八九十百千]))"
)
"""塩屋町ハ部118番地 is as often 塩屋町ハ118: the letter says which part of the town, 部 or 割 only that it does (石川県 and others)."""
_PART_NUMBER = re.compile(r"(?<=[0-9])\s?(?:部|字)(?=\s?[0-9])")
"""河井町20部1番地1 and 上戸町北方1字6番地の2: towns of 能登 count their parts, where others have 丁目."""
_PART_IN_KANJI = re.compile(
    "(?<=[町方])([〇一二三四五六七八九十百壱壹弐貳参參拾]+)部(?:([〇一二三四五六七八九十百壱壹弐貳参參拾]+)(?=番))?"
)
_FORMER = re.compile(r"(?:^|(?<=[市町村]))旧(?P<name>[^0-9\s旧]{2,5}?)(?:村|(?=町))(?=.)")
"""旧志茂幌村字新富 is today's 志茂幌字新富: offices go on naming the municipalities that were merged. A 町 is mostly kept in the name, a 村 is not."""
_GRID = re.compile(
    r"^(?P<town>[^0-9A-Za-z]*?)\s?(?:"
    r"(?P<ns>[NS北南])(?P<n>[0-9]{1,2})(?P<ew>[EW東西])(?P<w>[0-9]{1,2})|"
    r"(?P<we>[EW東西])(?P<e>[0-9]{1,2})(?P<line>L\s?|線?-|線)?(?P<sn>[NS北南])(?P<s>[0-9]{1,2}))(?:丁目|号)?(?=$|[-の\s])[-の\s]*"
)
"""北3西5-4 and N3W5 4 are 北3条西5丁目4, E3L N5 and 東3-北5 are 東3線北5号: how the towns of 北海道, laid out as a grid, are written for short."""
_COMPASS = str.maketrans("NSEW", "北南東西")
_BUILDING = re.compile(
    "ハイツ|コーポ|マンション|アパート|ビル|荘|寮|団地|住宅|ハイム|メゾン|パーク|レジデンス|タワー|コート|方$|様方|号室|[A-Za-zァ-ヴー]{4,}"
)
_FAST = re.compile(
    rf"(?P<head>[^0-9]+)(?P<chain>[0-9]+(?:(?:{DASH}|丁目|番地?の?|の)[0-9]+)*)(?:番地?|号)?(?P<rest>$|\s(?!{UNIT_AHEAD}).*$)"
)


@dataclass(frozen=True)
class WrittenAddress:
    """What was understood: the form, a street name of 京都, and keys of ``DOUBTS``. ``form`` is None when nothing was."""

    form: AddressForm | None
    street: str = ""
    doubts: tuple[str, ...] = ()


def normalise_address(text: str, prefecture: str = "", city: str = "") -> AddressForm:
    """An address in parts, every notation of the same place alike.

    丁目・番地・号, hyphens of any shape, kanji digits, 大字・字, ヶ/ケ/が and の between numbers are
    folded; a building's name goes to ``rest``.

    Args:
        prefecture, city: the municipality that printed it, which many offices leave out; only used
            to recognise them at the front, never added.
    """
    return read_address(text, prefecture, city).form or NO_ADDRESS


def read_address(text: str, prefecture: str = "", city: str = "") -> WrittenAddress:
    """Read one written address, with doubts.

    >>> read_address("千代田区霞ヶ関一丁目二番三号").form.value
    '東京都千代田区霞が関1-2-3'
    """
    is_long = len(text) > LONGEST
    folded = _tidied(fold_characters(text[:LONGEST]))
    if not folded:
        return WrittenAddress(None)
    found = _read_folded(folded, prefecture, city)
    return WrittenAddress(found.form, found.street, (*found.doubts, "too_long")) if is_long else found


def _tidied(folded: str) -> str:
    text = _UNTIDY.sub(" ", folded).strip(" ,、。")
    text = _LETTERED.sub(r"\1", _POSTCODE.sub("", _LABEL.sub("", _POSTCODE.sub("", text), count=1)))
    text = _PART_NUMBER.sub("-", _PART_IN_KANJI.sub(_part_in_digits, text))
    return _GRID.sub(_in_full, _FORMER.sub(r"\g<name>", text, count=1), count=1)


def _part_in_digits(part: re.Match[str]) -> str:
    first, second = (kanji_number(word.translate(FORMAL_DIGITS)) if word else "" for word in part.groups())
    return f"{first}部{second}"


def _in_full(grid: re.Match[str]) -> str:
    """A place in the grid of streets or of country lines with its units; where none is meant (本町北3), as written."""
    first, number, line, second, other = (
        (grid["ns"], grid["n"], None, grid["ew"], grid["w"])
        if grid["ns"]
        else (grid["we"], grid["e"], grid["line"], grid["sn"], grid["s"])
    )
    across, unit = ("線", "号") if line else ("条", "丁目")
    return f"{grid['town']}{first.translate(_COMPASS)}{number}{across}{second.translate(_COMPASS)}{other}{unit}"


def _read_folded(folded: str, prefecture: str, city: str) -> WrittenAddress:
    if fast := _FAST.match(folded):
        place = locate(fast["head"], prefecture, city)
        if place.is_known and not place.left and not place.takes_digits:
            return _assembled(place, read_number(fast["chain"], fast["rest"], has_no_chome=not place.has_chome))
    if _UNKNOWN.match(folded):
        return WrittenAddress(None, doubts=("unknown",))
    if _ABROAD.match(folded):
        return WrittenAddress(AddressForm("", "", "", "", folded), doubts=("abroad",))
    if not _ANY_JAPANESE.search(folded):
        is_latin = any(c.isalpha() for c in folded)
        form = AddressForm("", "", "", "", folded) if is_latin else None
        return WrittenAddress(form, doubts=("abroad" if is_latin else "not_an_address",))
    return _read_slowly(locate(folded, prefecture, city))


def _read_slowly(place: Place) -> WrittenAddress:
    left = place.left
    if place.is_known:
        stripped = left.lstrip(" ,、")
        word = _BRANCH.match(stripped)
        start = word.end() if word else 0
        if zone := ZONE.match(stripped, start):
            prefix = word.group() if word else ""
            found = read_number(zone["chain"], stripped[zone.end() :], prefix, has_no_chome=not place.has_chome)
            return _assembled(place, found)
    if house_numbers.says_no_number(left.strip()):
        return _assembled(place, HouseNumber("", left.strip(), ("no_house_number",)))
    return _with_unlisted_part(place, left)


def _with_unlisted_part(place: Place, left: str) -> WrittenAddress:
    """What the register doesn't list stands before the number: a 小字, or a whole town."""
    zone = _first_zone(left)
    before = left[: zone.start()] if zone else left
    name, _, building = before.strip().partition(" ") if not zone else (before, "", "")
    if place.is_known and _BUILDING.search(before):
        return _assembled(place, HouseNumber("", house_numbers.tidy_rest(left)))
    name = name.replace(" ", "")
    branch = name if zone and place.city and len(name) == 1 and name in BRANCHES else ""
    name = "" if branch else _town_name(name)
    found = (
        read_number(zone["chain"], left[zone.end() :], branch)
        if zone
        else HouseNumber("", house_numbers.tidy_rest(building))
    )
    doubt = (
        () if not name or "unknown_city" in place.doubts else ("part_unknown",) if place.is_known else ("unknown_town",)
    )
    return _assembled(place, found, name, doubt)


def _first_zone(left: str) -> re.Match[str] | None:
    start = 0
    while zone := ZONE.search(left, start):
        named = PART_OF_NAME.match(left, zone.start()) or PART_OF_NAME.match(left, zone.start("chain"))
        if not named:
            return zone
        start = named.end()
    return None


def _assembled(place: Place, found: HouseNumber, more_town: str = "", doubts: tuple[str, ...] = ()) -> WrittenAddress:
    town = place.town + more_town
    form = AddressForm(place.prefecture, place.city, town, found.number, found.rest)
    told = (*place.doubts, *doubts, *found.doubts)
    if not town and not (found.number and found.number[0] in BRANCHES):
        told += ("no_town",)
    if not found.number and "no_house_number" not in told:
        told += ("no_number",)
    if not any(form[:3]):
        return WrittenAddress(None, place.street, ("not_an_address",))
    return WrittenAddress(form, place.street, told)


_COUNTY = re.compile("^[^市区]+?郡(?=.+[町村]$)")


def outside_own(form: AddressForm, prefecture: str, city: str) -> str:
    """What of an address' municipality has to be told beside the town, in records of one municipality.

    Nothing of its own, however it is written (洋野町, 九戸郡洋野町); of its own wards the ward; of another all.

    >>> outside_own(normalise_address("九戸郡洋野町種市1"), "岩手県", "洋野町")
    ''
    >>> outside_own(normalise_address("架空が浜市本町1"), "", "架空ヶ浜市")
    ''
    """
    if not (city and form.city) or (prefecture and form.prefecture and form.prefecture != prefecture):
        return form.city
    told, own = (_LINKING_KE.sub("ケ", name) for name in (form.city, city))
    if _COUNTY.sub("", told) == _COUNTY.sub("", own):
        return ""
    return told.removeprefix(own)


def place_before_number(head: str, prefecture: str = "", city: str = "") -> tuple[Place, str] | None:
    """Place and town of what stands before an address' first digit; None where only the whole text can tell.

    The definition is ``read_address`` of the whole; this is what the houses of a street have in common.
    """
    folded = _tidied(fold_characters(head))
    if not _ANY_JAPANESE.search(folded) or _ABROAD.match(folded):
        return None
    place = locate(folded + "1", prefecture, city)
    if locate(folded, prefecture, city).takes_digits or place.takes_digits or not place.left.endswith("1"):
        return None
    left = place.left[:-1]
    name = left.replace(" ", "")
    if not name:
        return (place, place.town) if place.is_known else None
    zone = _first_zone(left + "1-1")
    if zone is None or zone.start() != len(left) or left[0] in ",、" or name[0] in BRANCHES:
        return None
    if (place.is_known and _BUILDING.search(left)) or house_numbers.says_no_number(name):
        return None
    written = _town_name(name)
    return (place, place.town + written) if written else None


def _town_name(name: str) -> str:
    """A town as written, its numbers in kanji and its linking kana in one form: nobody knows its official spelling."""
    return _fold_town(re.sub("[0-9]+", lambda n: in_kanji(int(n.group()[:9])), name))


def _fold_town(town: str) -> str:
    town = _LINKING_TSU.sub("ツ", _LINKING_NO.sub("ノ", _LINKING_KE.sub("ケ", town)))
    return unicodedata.normalize("NFKC", town).strip("-ー,、.・ ")

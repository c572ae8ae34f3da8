"""Which prefecture, municipality and town a written address begins with (identity side)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from kodomo.intake.towns.folding import KANJI_NUMBER, LINKING, place_key, place_tokens, without_aza
from kodomo.intake.towns.former_places_names import FORMER
from kodomo.intake.towns.register import How, Municipality, Register, register

DOUBTS = {
    "by_town": "同じ名の市区町村がほかにもあり、町名から決めました",
    "ambiguous_city": "同じ名の市区町村が二つ以上あり、どれか決められません",
    "no_city": "市区町村が書かれていません",
    "unknown_city": "町名簿にない市区町村です(合併前の名か、書き誤りかもしれません)",
    "merged": "合併などで今はない市区町村名です。今の名に直しました",
    "merged_to": "合併などで今はない市区町村名です",
    "other_prefecture": "都道府県と市区町村が合いません",
    "ward_added": "区が書かれていません。町名から補いました",
    "no_ward": "区が書かれていません",
    "unknown_town": "町名簿にない町名です",
    "part_unknown": "町名の一部(小字など)が町名簿にありません",
    "no_town": "町名が書かれていません",
    "loose_town": "町名の送りがなが町名簿と違います",
    "street": "通り名は比べるときに使いません",
}

_WORD_COUNTY = re.compile("^[^0-9\\s市区]{1,4}?郡[^0-9\\s]{1,6}?[町村]")
_WORD_CITY = re.compile("^[^0-9\\s]{1,6}?市")
_WORD_WARD = re.compile("^[^0-9\\s市町村]{1,4}?区")
_STREET = re.compile(
    "^.{1,30}(?:上[がるルガ]+|下[がるルガ]+|東入[るル]?|西入[るル]?|上入[るル]?)(?:[0-9〇一二三四五六七八九十]+丁目)?(?=.)"
)
_GOES_ON = re.compile("(?!(?:大?字|[東西南北上中下]?[一-十]+(?:丁目|番)))[ぁ-んァ-ヶー一-龥々]")
"""What makes a name a longer one: 安部 is not 安部崎. A 字 or a numeral may follow."""
_FORMER_STEM = re.compile("[市町村区]$")
_NUMBER_ENDS = re.compile("[0-9丁目番地号](?=\\s)")
_NUMERAL_RUN = re.compile(f"{KANJI_NUMBER}(?=丁目|番|号|[-ーの])")
_LINK = re.compile("[ケノツ]")


@dataclass(frozen=True)
class Place:
    """Where an address lies. ``left`` is the folded text behind what was recognised.

    ``is_known``: the register knows the town. ``takes_digits``: a name in the register goes on with a number here.
    """

    prefecture: str = ""
    city: str = ""
    town: str = ""
    left: str = ""
    street: str = ""
    is_known: bool = False
    has_chome: bool = False
    takes_digits: bool = False
    doubts: tuple[str, ...] = ()

    def doubting(self, *doubts: str) -> Place:
        """The same place with more doubts."""
        return replace(self, doubts=(*self.doubts, *doubts))


@lru_cache(maxsize=100_000)
def locate(text: str, own_prefecture: str = "", own_city: str = "") -> Place:
    """Recognise prefecture, municipality and town at the front of a folded address.

    Args:
        own_prefecture, own_city: the municipality that printed it, which many offices leave out.
    """
    books = register()
    prefecture, left = _take_prefecture(text.lstrip(), books, own_prefecture)
    folded_own = place_key(own_city) if own_city else ""
    if own_city and folded_own not in books.by_name:
        found = _own_unlisted(prefecture, left, own_city)
        if found:
            return found
    hits = _city_hits(left, prefecture, books)
    if not hits and not prefecture:
        prefecture, hits = _by_stem(left, books)
        left = left[len(prefecture) - 1 :] if hits else left
    if hits:
        return _choose(hits, prefecture, left, books)
    return _without_city(prefecture, left, books, folded_own, own_city)


def _take_prefecture(text: str, books: Register, own: str) -> tuple[str, str]:
    for length in (3, 4):
        if text[:length] in books.prefectures:
            return text[:length], text[length:].lstrip()
    if own and text.startswith(own):
        return own, text[len(own) :].lstrip()
    return "", text


def _own_unlisted(prefecture: str, left: str, own: str) -> Place | None:
    # A municipality the register doesn't know (a made-up one): only its own name can be recognised.
    for name in (own, own.translate(LINKING)):
        if left.startswith(name):
            return _unlisted_town(prefecture, own, left[len(name) :])
    return None


def _unlisted_town(prefecture: str, city: str, left: str, *doubts: str) -> Place:
    return Place(prefecture, city, "", _without_aza_in_front(left.strip()), doubts=doubts)


def _without_aza_in_front(left: str) -> str:
    """Without 大字 and 字 before the number; behind it they are part of a building's name."""
    number = _NUMBER_ENDS.search(left)
    return without_aza(left[: number.end()]) + left[number.end() :] if number else without_aza(left)


@dataclass(frozen=True)
class _Hit:
    """A municipality that may stand at the front, and how far its name and the town's reach."""

    municipality: Municipality
    how: How
    left: str
    town: str
    town_ends: int
    is_loose: bool = False
    street: str = ""

    def weight(self) -> tuple[bool, int, bool, bool]:
        """What decides between two: a town that fits, how much of the text is understood, a living municipality in full."""
        whole = self.how in (How.FULL, How.WITHOUT_WARD)
        return bool(self.town), self.town_ends - len(self.left), whole, self.municipality.is_living


def _city_hits(left: str, prefecture: str, books: Register) -> list[_Hit]:
    key, ends = place_tokens(left[:40])
    hits = []
    for length, end in ends:
        if length > books.longest:
            break
        for number, how in books.by_name.get(key[:length], ()):
            municipality = books.municipalities[number]
            if prefecture and municipality.prefecture != prefecture and how is not How.FULL:
                continue
            hits.append(_hit(municipality, how, left[end:].lstrip()))
    same = [h for h in hits if not prefecture or h.municipality.prefecture == prefecture]
    hits = same or hits
    in_full = {h.municipality.without_ward for h in hits if h.how is How.FULL}
    hits = [h for h in hits if h.how is not How.WITHOUT_WARD or h.municipality.without_ward not in in_full]
    # A short name counts only with its prefecture or with a town that fits: 本町 and 中央区 are everywhere.
    return [
        h
        for h in hits
        if h.town or h.how in (How.FULL, How.WITHOUT_WARD) or (prefecture and h.how is How.WITHOUT_COUNTY)
    ]


def _hit(municipality: Municipality, how: How, left: str) -> _Hit:
    plain = _without_aza_in_front(left)
    in_kyoto = how is How.FULL and municipality.city.startswith("京都市")
    if in_kyoto and (street := _STREET.match(plain)):
        behind = plain[street.end() :]
        town, end, loose = find_town(municipality, behind)
        if town:
            return _Hit(municipality, how, behind, town, end, loose, street.group())
    town, end, loose = find_town(municipality, plain)
    if in_kyoto and not town:
        return _town_behind_street(municipality, how, plain)
    return _Hit(municipality, how, plain, town, end, loose)


def _town_behind_street(municipality: Municipality, how: How, plain: str) -> _Hit:
    """京都: street names without 上る or 入る may stand before the town."""
    head = re.split("[0-9]", plain, maxsplit=1)[0]
    for start in range(1, min(len(head), 30)):
        town, end, loose = find_town(municipality, plain[start:])
        if town and not loose and start + end >= len(head.rstrip()):
            return _Hit(municipality, how, plain[start:], town, end, loose, plain[:start])
    return _Hit(municipality, how, plain, "", 0)


def find_town(municipality: Municipality, text: str) -> tuple[str, int, bool]:
    """The longest town of a municipality that a text begins with, where it ends, and whether linking kana differ."""
    towns = municipality.towns
    key, ends = place_tokens(text[:40])
    for length, end in reversed(ends):
        if key[:length] in towns:
            return towns[key[:length]], end, False
    if split := _split_numeral(towns, text):
        return *split, False
    loose = municipality.loose_towns
    for length, end in reversed(ends):
        if _LINK.sub("", key[:length]) in loose and key[length - 1] not in "ケノツ":
            return loose[_LINK.sub("", key[:length])], end, True
    return "", 0, False


def _split_numeral(towns: dict[str, str], text: str) -> tuple[str, int] | None:
    """船川港双六三丁目: the town's last numeral runs into the number's first; the longest town that fits."""
    if not (run := _NUMERAL_RUN.search(text[:40])):
        return None
    for end in range(run.end() - 1, run.start(), -1):
        if town := towns.get(place_tokens(text[:end])[0]):
            return town, end
    return None


def _by_stem(left: str, books: Register) -> tuple[str, list[_Hit]]:
    """東京千代田区, 神奈川横浜市: the prefecture without its 都府県, if a municipality of it follows."""
    for prefecture in books.prefectures:
        stem = prefecture[:-1]
        if prefecture != "北海道" and left.startswith(stem):
            hits = _city_hits(left[len(stem) :].lstrip(), prefecture, books)
            hits = [h for h in hits if h.municipality.prefecture == prefecture]
            if hits:
                return prefecture, hits
    return "", []


def _choose(hits: list[_Hit], prefecture: str, left: str, books: Register) -> Place:
    best = max(hits, key=_Hit.weight)
    rivals = [h for h in hits if h.weight() == best.weight() and h.municipality is not best.municipality]
    chosen = best.municipality
    doubts: list[str] = []
    if best.how is How.WITHOUT_WARD:
        return _designated(best, rivals, prefecture)
    if rivals:
        names = {h.municipality.city for h in (best, *rivals)}
        place = Place(prefecture, chosen.city if len(names) == 1 else "", left=best.left if len(names) == 1 else left)
        return _with_town(place, best, ("ambiguous_city",)) if len(names) == 1 else place.doubting("ambiguous_city")
    if prefecture and prefecture != chosen.prefecture:
        doubts.append("other_prefecture")
    elif not prefecture:
        twins = {h.municipality.prefecture for h in hits if h.how is best.how and len(h.left) == len(best.left)}
        doubts += ["by_town"] if len(twins) > 1 else []
    if best.how is How.WARD_ONLY:
        doubts.append("by_town")
    place = Place(prefecture or chosen.prefecture, chosen.city)
    if not chosen.is_living:
        return _successor(place, best, books, doubts)
    return _with_town(place, best, tuple(dict.fromkeys(doubts)))


def _with_town(place: Place, hit: _Hit, doubts: tuple[str, ...]) -> Place:
    left = hit.left[hit.town_ends :]
    key = place_tokens(hit.left[: hit.town_ends] if hit.town and not left.strip() else hit.left)[0]
    more = (*doubts, *(("loose_town",) if hit.is_loose else ()), *(("street",) if hit.street else ()))
    return replace(
        place, town=hit.town, left=left, street=hit.street, is_known=bool(hit.town),
        has_chome=hit.municipality.has_chome(hit.town),
        takes_digits=hit.municipality.goes_on_with_number(key), doubts=more,
    )  # fmt: skip


def _designated(best: _Hit, rivals: list[_Hit], prefecture: str) -> Place:
    chosen = best.municipality
    prefecture = prefecture or chosen.prefecture
    if best.town and not rivals:
        return _with_town(Place(prefecture, chosen.city), best, ("ward_added",))
    return _with_town(Place(prefecture, chosen.without_ward), best, ("no_ward",))


def _successor(place: Place, hit: _Hit, books: Register, doubts: Iterable[str]) -> Place:
    """A ward that was redrawn: the living ward of the same city that has the town now."""
    old = hit.municipality
    for other in books.within(old.prefecture):
        if old.without_ward and other.without_ward == old.without_ward and place_key(hit.town) in other.towns:
            return _with_town(replace(place, city=other.city), replace(hit, municipality=other), (*doubts, "merged"))
    return _with_town(place, hit, (*doubts, "merged_to"))


def _without_city(prefecture: str, left: str, books: Register, folded_own: str, own: str) -> Place:
    if folded_own in books.by_name and not prefecture:
        hits = [_hit(books.municipalities[number], How.FULL, left) for number, _ in books.by_name[folded_own]]
        if any(hit.town for hit in hits):
            return _at_home(hits, folded_own)
    for pattern in (_WORD_COUNTY, _WORD_CITY):
        if (found := pattern.match(left)) and found.end() < len(left):
            return _former(prefecture, found.group(), left[found.end() :].lstrip(), books)
    ward = _WORD_WARD.match(left) if prefecture else None
    if ward:
        return _unlisted_town(prefecture, ward.group(), left[ward.end() :], "unknown_city")
    return _unlisted_town(prefecture, "", left, "no_city")


def _at_home(hits: list[_Hit], folded_own: str) -> Place:
    """A town of the municipality that printed the address; of a city with wards, the one ward that has it is added."""
    # 壬生神明町 is a town of one ward, before it is a 神明町 of another behind a street called 壬生
    weights = [(hit.weight(), not hit.street) for hit in hits]
    best = hits[weights.index(max(weights))]
    chosen, is_alone = best.municipality, weights.count(max(weights)) == 1
    if is_alone and chosen.without_ward and place_key(chosen.without_ward) == folded_own:
        return _with_town(Place(city=chosen.city), best, ("ward_added",))
    return _with_town(Place(), best, ())


def _former(prefecture: str, name: str, left: str, books: Register) -> Place:
    """A municipality that merged long ago: by the list of former cities, else by a town named after it."""
    known = FORMER.get(name)
    plain = _without_aza_in_front(left)
    if known and (not prefecture or known[0] == prefecture):
        heirs = [m for m in books.within(known[0]) if m.city.startswith(known[1])]
        hits = [h for m in heirs if (h := _hit(m, How.FULL, left)).town]
        stem = _FORMER_STEM.sub("", name)
        hits = hits or [
            h for m in heirs for lead in (stem, name) if (h := _hit(m, How.FULL, lead + plain)).town_ends > len(lead)
        ]
        if hits:
            best = max(hits, key=_Hit.weight)
            return _with_town(Place(known[0], best.municipality.city), best, ("merged",))
        return _unlisted_town(known[0], known[1], left, "merged")
    stem = _FORMER_STEM.sub("", re.sub("^.*郡(?=.)", "", name))
    if prefecture and (heir := _heir_by_town(prefecture, stem, plain, is_city=name.endswith("市"))):
        return heir
    ward = _WORD_WARD.match(left)
    city = (
        name + ward.group()
        if ward and name.endswith("市") and len(left) > ward.end() and "町" not in ward.group()
        else name
    )
    return _unlisted_town(prefecture, city, left[len(city) - len(name) :], "unknown_city")


def _heir_by_town(prefecture: str, stem: str, left: str, *, is_city: bool) -> Place | None:
    """A village or town that became a city of its name, or has an heir that kept its name in front of its towns."""
    for number, _ in register().by_name.get(place_key(f"{stem}市"), ()):
        city = register().municipalities[number]
        if city.prefecture == prefecture and city.is_living and not city.without_ward:
            return _with_town(Place(prefecture, city.city), _hit(city, How.FULL, left), ("merged",))
    return _heir_with_town(prefecture, stem, left, is_city=is_city)


def _heir_with_town(prefecture: str, stem: str, left: str, *, is_city: bool) -> Place | None:
    """大泉村西井出 is 北杜市大泉町西井出 now; a whole town that is only once in the prefecture tells its municipality too.

    Not that of a city: those that merged kept their names in front of their towns or stand in ``FORMER``, and what is
    left is misspelt or made up, whose towns are nobody else's.
    """
    found = [
        hit
        for municipality in _with_towns_like(prefecture, stem)
        for lead in (stem, f"{stem}町", f"{stem}区")
        if (hit := _hit(municipality, How.FULL, lead + left)).town_ends > len(lead) and not hit.is_loose
    ]
    if not found and not is_city:
        key, ends = place_tokens(left[:40])
        owners = _towns_of(prefecture)
        whole = (length for length, end in reversed(ends) if length > 1 and not _GOES_ON.match(left, end))
        longest = next((key[:length] for length in whole if key[:length] in owners), "")
        found = [_hit(owner, How.FULL, left) for owner in owners.get(longest, ())]
    if not found or len({hit.municipality.city for hit in found}) > 1:
        return None
    best = max(found, key=_Hit.weight)
    return _with_town(Place(prefecture, best.municipality.city), best, ("merged",))


@lru_cache(maxsize=10_000)
def _with_towns_like(prefecture: str, stem: str) -> list[Municipality]:
    key = place_key(stem)
    return [m for m in register().within(prefecture) if any(town.startswith(key) for town in m.towns)]


@cache
def _towns_of(prefecture: str) -> dict[str, list[Municipality]]:
    owners: dict[str, list[Municipality]] = {}
    for municipality in register().within(prefecture):
        for town in municipality.towns:
            owners.setdefault(town, []).append(municipality)
    return owners

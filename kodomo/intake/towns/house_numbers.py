"""丁目, 番地 and 号 in one form, however an office writes them (identity side)."""

from __future__ import annotations

import re
from typing import NamedTuple

from kodomo.intake.characters import KANJI
from kodomo.intake.towns.folding import KANJI_NUMBER, plain_number

DASH = "[-‐‑‒–—―−ーｰ－─━~〜∼]"
_UNIT = f"(?:丁目|丁(?![目町])|番地割|地割|番地?(?![町丁街館棟組通])|号(?![室棟館線車])|線(?=[0-9])|[のノ之]|{DASH}+|[/.](?=[0-9]))"
_BETWEEN = rf"\s?(?:{_UNIT}\s?){{1,3}}第?"
_NUMBER = rf"(?:[0-9]+|{KANJI_NUMBER})"
_ENDING = r"\s?(?:丁目|番地|番(?![町丁街館棟組通])|地割|号(?![室棟館線車])|丁(?![目町]))"

UNIT_AHEAD = rf"\s*(?:丁|番|号|地割|の|ノ|之|{DASH})"
"""A unit behind a blank: the chain of numbers isn't at its end yet."""

_LINKED = rf"(?:[0-9]+|{KANJI_NUMBER}(?=\s?{_UNIT}|{_ENDING}|\s|$|[^{KANJI}ぁ-んァ-ヶ]))"
"""三 in 2番三井ビル is no number, in 2番三 and 2番三号 it is."""

ZONE = re.compile(
    rf"第?(?P<chain>[0-9]+(?:{_BETWEEN}{_LINKED})*|{KANJI_NUMBER}(?:{_BETWEEN}{_LINKED})+|{KANJI_NUMBER}(?={_ENDING}|\s*$))"
    rf"(?:{_ENDING})?"
)
"""A chain of numbers with what links them. A number in kanji counts only with a unit, a link or the end behind it."""

PART_OF_NAME = re.compile(
    rf"(?:[0-9]+|{KANJI_NUMBER})(?:条|線(?![0-9])|番[町丁通]|区|[のノ之][町通割坪]|[つツヶケ](?=[一-龥])|号(?=[東西南北])|[日色軒](?=[町市])|本(?=[木松杉柳町])|丁町|地割(?=字?[一-龥]))"
)
"""A number that belongs to a place's name when the register doesn't know the place: 北3条, 2番町, 15線."""

BRANCHES = "甲乙丙丁戊己庚辛壬癸イロハニホヘトチリヌルヲ"
"""What may stand before or in a 番地: 甲123番地, ロ45."""

_BRANCH_AFTER = re.compile(
    rf"^{DASH}?の?(?P<word>[甲乙丙丁戊イロハニホヘト])(?:号|の|{DASH})*(?P<more>[0-9]+)?(?=$|\s|号|番)(?:号|番地?)?"
)
_ROOM_FOLLOWS = re.compile(r"^(?:号(?=[室棟館])|[FfA-Za-z]?階|[Ff](?![a-z])|棟|室)")
_NO_NUMBER = re.compile("^(?:無番地?|番地(?:無し?|なし)|番外地|無地番)")
_LOOSE_ENDS = re.compile(rf"^(?:{DASH}|[\s,、.・/_])+|[\s,、・]+$")
_LAND = re.compile("^(?:番地)?(?:地先|先|付近|隣接?|内(?=$|\\s)|外[0-9一二三四五六七八九十]*筆?(?=$|\\s)|ほか)")
_HALL = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])|(?<=[^\x00-\x7f])\s+(?=[0-9])|(?<=[0-9])\s+(?=[^\x00-\x7f])")


FIRST_ROOM = 100
"""号 and 枝番 hardly reach it; rooms begin with their floor."""


class HouseNumber(NamedTuple):
    """``number`` as ``1-2-3``, what is left over, and keys of ``DOUBTS``."""

    number: str
    rest: str
    doubts: tuple[str, ...] = ()


DOUBTS = {
    "room_in_chain": "ハイフンで続く終わりの数は部屋番号とみなしました",
    "maybe_room": "終わりの数は部屋番号かもしれません",
    "no_house_number": "番地がないと書かれています",
    "about": "「先」「付近」などと書かれています",
    "long_number": "番地の桁が多すぎます",
}


def read_number(chain: str, rest: str, prefix: str = "", *, has_no_chome: bool = False) -> HouseNumber:
    """Take a chain of numbers apart; a fourth number, or one that a room's unit follows, is a room.

    Where a town is known to have no 丁目, a third number from 100 on is a room as well (本町12-3-405).

    Args:
        chain: what ``ZONE`` found; rest: what stands behind it; prefix: 甲, イ and so on before it.
    """
    numbers = [plain_number(n[:12]) for n in re.findall(_NUMBER, chain)]
    doubts: list[str] = []
    if any(n > 99_999 for n in numbers):
        doubts.append("long_number")
    if len(numbers) > 1 and _ROOM_FOLLOWS.match(rest):
        rest = f"{numbers.pop()}{rest}"
    kept = 2 if has_no_chome and len(numbers) == 3 and numbers[2] >= FIRST_ROOM else 3
    if len(numbers) > kept:
        rest = "-".join(map(str, numbers[kept:])) + (" " + rest if rest[:1].isdigit() else rest)
        numbers = numbers[:kept]
        doubts += [] if "号" in chain else ["room_in_chain"]
    elif len(numbers) == 3 and numbers[2] >= FIRST_ROOM and "号" not in chain:
        doubts.append("maybe_room")
    written = "-".join(map(str, numbers))
    if branch := _BRANCH_AFTER.match(rest):
        written += "-" + branch["word"] + (f"-{int(branch['more'])}" if branch["more"] else "")
        rest = rest[branch.end() :]
    if land := _LAND.match(rest):
        doubts.append("about")
        rest = rest[land.end() :] if land.group() == "番地" else rest
    return HouseNumber(prefix + written, tidy_rest(rest), tuple(doubts))


def says_no_number(text: str) -> bool:
    """Whether a place says that it has no house number (無番地)."""
    return bool(_NO_NUMBER.match(text))


def tidy_rest(text: str) -> str:
    """A building's name without dangling dashes, one space at most, none between Japanese words."""
    return _HALL.sub("", " ".join(_LOOSE_ENDS.sub("", text).split()))

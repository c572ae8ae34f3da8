"""Which characters count as the same one when names are compared (identity side).

Three sources, in order: Unicode's own compatibility forms, the national MJ縮退マップ (as shipped in
jntajis), and a short list of everyday characters that city halls and schools write for one another.
For comparison only: nothing that is shown to a person passes through here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from jntajis import mj_shrink_candidates

WILDCARD = "〓"
"""Stands for one character nobody can read: 外字, geta, a question mark left by a conversion."""

KANJI = "々〆〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Every kanji, as the inside of a character class."""

MIXED_IN_PRACTICE = (
    "斎斉齋齊齎", "崎﨑嵜碕", "渕淵渊", "島嶋嶌隝", "富冨", "館舘", "峰峯", "広廣", "滝瀧", "竜龍", "沢澤", "浜濱濵",
    "凛凜", "遥遙", "槙槇", "尭堯", "晧皓", "熙煕熈", "礒磯", "籠篭", "芦蘆", "桧檜", "薮藪", "曽曾", "桑桒", "莱萊",
    "祢禰", "祷禱", "頚頸", "砺礪", "迩邇", "涛濤", "辺邉邊", "高髙", "徳德", "柳栁桺", "吉𠮷", "土𡈽", "橋槗𣘺",
    "昇曻", "剣劔劍剱", "船舩", "秋穐", "秋龝", "野埜", "兎菟兔", "刈苅", "園薗", "梅楳", "柏栢", "穂穗", "湧涌",
    "灯燈", "着著", "鉱砿", "駆駈", "穎頴", "舗鋪", "槌鎚", "蔵藏", "翠翆", "黒黑", "郎郞", "恵惠", "真眞", "瀬瀨",
    "彦彥", "晃晄", "国國圀", "桜櫻", "円圓", "静靜", "条條", "学學", "実實", "寿壽", "栄榮", "豊豐", "万萬", "与與",
    "弥彌", "紘絋", "巌巖", "瑶瑤", "亘亙", "伝傳", "嶽岳",
)  # fmt: skip
"""Everyday characters that are one name to the people who bear them."""

ALL_SCHEMES = 15  # 包摂・類推・告示582号・戸籍法関連: every scheme of the MJ縮退マップ

_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u200b-\u200f\u2060\ufeff]")
_UNREADABLE = re.compile("[?？〓■□●◆\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")
_KANJI_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x2FA20))


@cache
def kanji_classes() -> dict[int, str]:
    """Code point -> the character that stands for its class, for every kanji that has company.

    Two everyday characters (JIS level 1) are one only when ``MIXED_IN_PRACTICE`` says so: chains of
    rare look-alikes in the map would otherwise make 玉 and 王 the same.
    """
    parent: dict[str, str] = {}

    def root(character: str) -> str:
        while parent.get(character, character) != character:
            character = parent[character]
        return character

    def join(one: str, other: str) -> None:
        a, b = sorted((root(one), root(other)), key=_rank)
        if a != b and not (_is_everyday(a) and _is_everyday(b)):
            parent[b] = a

    for group in MIXED_IN_PRACTICE:
        chosen = next((c for c in group if _is_everyday(c)), group[0])
        parent.update({other: chosen for other in group if other != chosen})
    for first, last in _KANJI_BLOCKS:
        for character in map(chr, range(first, last)):
            for candidate in mj_shrink_candidates(character, ALL_SCHEMES)[:1]:
                join(character, candidate)
    return {ord(c): root(c) for c in parent if root(c) != c}


@cache
def _is_everyday(character: str) -> bool:
    try:
        code = int.from_bytes(character.encode("shift_jis"), "big")
    except UnicodeEncodeError:
        return False
    return 0x889F <= code <= 0x9872


def _rank(character: str) -> tuple[bool, int]:
    # An everyday character stands for its class before a rare one: people read the normal forms too.
    return not _is_everyday(character), ord(character)


def fold_characters(text: str) -> str:
    """Width, compatibility and variant forms folded; unreadable characters become ``WILDCARD``.

    >>> fold_characters("髙﨑　渡邉") == fold_characters("高崎 渡辺")
    True
    """
    folded = unicodedata.normalize("NFKC", _UNREADABLE.sub(WILDCARD, _SELECTORS.sub("", text)))
    return folded.translate(kanji_classes())

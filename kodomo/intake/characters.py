"""Which characters count as the same one when names are compared (identity side).

Three sources, in order: Unicode's own compatibility forms, the national MJ縮退マップ (as shipped in
jntajis), and a short list of everyday characters that city halls and schools write for one another.
For comparison only: nothing that is shown to a person passes through here.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import zlib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

import numpy as np

FORMAL_DIGITS = str.maketrans("壱壹弐貳参參拾", "一一二二三三十")
"""Numerals as deeds write them (大字), each as the everyday one."""

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
    "爾尓", "皐皋", "旗籏", "栃杤", "呂吕", "場塲", "鯵鰺", "蝿蠅", "角⻆", "諌諫", "蓑簑", "桝枡",
    "騨驒", "梼檮", "麹麴", "剥剝", "噛嚙", "嚢囊", "嘘噓", "掻搔", "賎賤", "鴬鶯", "薮籔", "鹸鹼", "祇祗", "葛𦿸",
)  # fmt: skip
"""Everyday characters that are one name to the people who bear them."""

TABLE = Path(__file__).with_name("characters.bin")
"""Pairs of characters, variant and what stands for it, made by ``make_characters``: 0.3 s saved at every start."""

_SELECTORS = re.compile(
    "[\ufe00-\ufe0f\U000e0100-\U000e01ef\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\xad\0-\x08\x0e-\x1b\x7f]"
)
_UNREADABLE = re.compile("[?？〓■□●◆\ufffd\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]")


class CharacterTable:
    """One character for another, as ``str.translate`` does, at a tenth of its time where the text is a whole column.

    Args:
        pairs: code point -> the one character that takes its place.
    """

    def __init__(self, pairs: Mapping[int, str]) -> None:
        self._pairs = dict(pairs)

    @cached_property
    def _points(self) -> tuple[str, np.ndarray]:
        highest = max(max(self._pairs), *map(ord, self._pairs.values()))
        # In UTF-16 a character outside the basic plane is two numbers, neither of which a table of the plane holds.
        encoding, kind, size = (
            ("utf-16-le", "<u2", 1 << 16) if highest < 1 << 16 else ("utf-32-le", "<u4", sys.maxunicode + 1)
        )
        points = np.arange(size, dtype=kind)
        points[list(self._pairs)] = [ord(chosen) for chosen in self._pairs.values()]
        return encoding, points

    def swap(self, text: str) -> str:
        """The text with every character swapped that the table holds."""
        if len(text) < LONG_TEXT:
            return text.translate(self._pairs)
        encoding, points = self._points
        try:
            numbers = np.frombuffer(text.encode(encoding), points.dtype)
        except UnicodeEncodeError:  # half a character that some system left behind
            return text.translate(self._pairs)
        return bytes(points[numbers]).decode(encoding)


LONG_TEXT = 5_000
"""Characters from which the detour over numbers pays."""


@cache
def kanji_classes() -> dict[int, str]:
    """Code point -> the character that stands for its class, for every kanji that has company."""
    pairs = zlib.decompress(TABLE.read_bytes()).decode()
    return {ord(variant): chosen for variant, chosen in zip(pairs[::2], pairs[1::2], strict=True)}


@cache
def _kanji() -> CharacterTable:
    return CharacterTable(kanji_classes())


def without_invisible(text: str) -> str:
    """A text without variation selectors (IVS), zero-width and control characters; blanks and line feeds stay."""
    return _SELECTORS.sub("", text)


def fold_characters(text: str) -> str:
    """Width, compatibility and variant forms folded; unreadable characters become ``WILDCARD``.

    >>> fold_characters("髙﨑　渡邉") == fold_characters("高崎 渡辺")
    True
    """
    folded = unicodedata.normalize("NFKC", _UNREADABLE.sub(WILDCARD, without_invisible(text)))
    return _kanji().swap(folded)

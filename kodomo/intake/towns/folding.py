"""The small folds that addresses and the town register share (identity side)."""

from __future__ import annotations

import re

from kodomo.intake.characters import fold_characters

KANJI_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
KANJI_NUMBER = "[〇零一二三四五六七八九十百千]+"
_TENS = {"十": 10, "百": 100, "千": 1000}

LINKING = str.maketrans("ヶヵがカガゲゕゖのノ之乃ッつっ條", "ケケケケケケケケノノノノツツツ条")
"""Linking kana of place names, which offices write every way: 霞ヶ関 霞が関, 丸の内 丸ノ内, 三ッ沢 三つ沢."""

_AZA = re.compile("大字|小字(?!$)|(?<!文)(?<!十)(?<!万)(?<!阿)(?<!八分)(?<!^和)(?<!^)字(?=.)|^字(?=.)")
_SPECIAL = re.compile(r"[〇零一二三四五六七八九十百千0-9\s]")
_PLAIN_ENDS = [(n, n) for n in range(1, 61)]
_TOKEN = re.compile(f"(?P<kanji>{KANJI_NUMBER})|(?P<digits>[0-9]+)|(?P<blank>\\s+)|.", re.DOTALL)


def kanji_number(text: str) -> int:
    """A number in kanji, with 十百千 or digit by digit.

    >>> kanji_number("二十三"), kanji_number("一〇五")
    (23, 105)
    """
    if not any(c in _TENS for c in text):
        return int("".join(str(KANJI_DIGITS[c]) for c in text))
    total, digits = 0, ""
    for character in text:
        if character in KANJI_DIGITS:
            digits += str(KANJI_DIGITS[character])
        else:
            total += int(digits or "1") * _TENS[character]
            digits = ""
    return total + int(digits or "0")


def plain_number(text: str) -> int:
    """A number in digits or in kanji."""
    return int(text) if text.isascii() else kanji_number(text)


def in_kanji(number: int) -> str:
    """A number below ten thousand as it stands in place names; larger ones in digits.

    >>> in_kanji(23), in_kanji(110)
    ('二十三', '百十')
    """
    if not 0 < number < 10_000:
        return str(number)
    written = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            written += ("" if digit == 1 and name else "〇一二三四五六七八九"[digit]) + name
    return written


def without_aza(text: str) -> str:
    """A place name without 大字, 小字 and 字, which some offices write and others leave out.

    >>> without_aza("大字赤井字中島"), without_aza("十文字町")
    ('赤井中島', '十文字町')
    """
    return _AZA.sub("", text) if "字" in text else text


def place_tokens(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The comparison key of a folded place name, and after each of its pieces: length of the key, place in the text.

    A number counts as one piece, however it is written; blanks count for nothing.

    >>> place_tokens("三 条")
    ('3;条', [(2, 1), (3, 3)])
    """
    if not _SPECIAL.search(text):
        return text.translate(LINKING), _PLAIN_ENDS[: len(text)] if len(text) <= 60 else [
            (n, n) for n in range(1, len(text) + 1)
        ]
    key, ends, length = [], [], 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "blank":
            continue
        piece = found.group() if kind is None else f"{plain_number(found.group()[:40])};"
        key.append(piece)
        length += len(piece)
        ends.append((length, found.end()))
    return "".join(key).translate(LINKING), ends


def place_key(name: str) -> str:
    """What two spellings of one place name have in common; for comparison, never shown.

    >>> place_key("霞ヶ関") == place_key("霞が関"), place_key("3条通") == place_key("三条通")
    (True, True)
    """
    return place_tokens(without_aza(fold_characters(name)))[0]

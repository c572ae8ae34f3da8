"""Readings in one form, with doubts: full-width katakana to read, a key to compare (identity side)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from kodomo.intake.characters import KANJI, without_invisible
from kodomo.intake.normal_forms.surnames import common_readings
from kodomo.intake.normalise import HIRAGANA_TO_KATAKANA, long_vowels_lost, loose_kana, spaced_kana

DOUBTS = {
    "not_kana": "かな以外の文字があります",
    "latin": "ローマ字で書かれています",
    "kanji": "漢字で書かれています",
    "one_word": "姓と名の区切りがありません",
    "by_surname": "区切りがないため、よくある姓の読みで分けました",
    "many_words": "三つ以上の語に分かれています",
    "dot": "中点で区切られており、姓と名の順が分かりません",
    "bracketed": "かっこの中は比べるときに使いません",
    "honorific": "敬称とみなして除きました",
    "dash_as_long": "横線を長音とみなしました",
    "unreadable": "読めない文字があります",
    "unknown": "不明と書かれています",
    "unnamed": "まだ名がないと書かれています",
    "too_long": "長すぎるため、終わりを読みませんでした",
}

LONGEST = 200

_MARKS = str.maketrans({"゛": "\u3099", "゜": "\u309a", "ﾞ": "\u3099", "ﾟ": "\u309a"})
_BLANK_BEFORE_MARK = re.compile("\\s+(?=[\u3099\u309a])")
_DASHES = re.compile("(?<=[ァ-ヺ])[-‐‑‒–—―−－─━~〜∼_一]+(?=[ァ-ヺ\\s]|$)")
_DOTS = re.compile("[・･·•.,、.,]+")
_BRACKETS = re.compile("[(\\[〔【<〈《「『]([^)\\]〕】>〉》」』]*)[)\\]〕】>〉》」』]?")
_HONORIFIC = re.compile(
    "(?P<sure>\\s*(?:様|殿|氏|君|ちゃん|ちゃま)|\\s+(?:さん|さま|くん|どの|サン|サマ|クン|チャン))$"
)
_HONORIFIC_STUCK = re.compile("(?<=[ぁ-ゖァ-ヺー]{3})(?:さん|さま|くん)$")
_KANA = re.compile("[ァ-ヺー]")
_OTHER = re.compile("[^ァ-ヺー ]")
_SMALL_AINU = str.maketrans("ㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ", "クシストヌハヒフヘホムラリルレロ")
_UNKNOWN = re.compile("^(?:フメイ|フショウ|フシヨウ|不明|不詳|未詳|ミショウ|未記入|記載なし|なし|-+|[?〓]+|N/?A)$")
_UNNAMED = re.compile("^(?:ベビー|ベビーチャン|ミテイ|ミメイメイ|シンセイジ|アカチャン|ジョジ|ダンジ|メイメイマエ)$")
_VOICED_PAIR = {
    ord(a): b
    for a, b in zip("カキクケコサシスセソタチツテトハヒフヘホ", "ガギグゲゴザジズゼゾダヂヅデドバビブベボ", strict=True)
}


@dataclass(frozen=True)
class WrittenKana:
    """A reading: ``value`` in full-width katakana with one space, or None; keys for comparison; keys of ``DOUBTS``."""

    value: str | None
    family: str = ""
    given: str = ""
    key: str = ""
    loose: str = ""
    doubts: tuple[str, ...] = ()


def read_kana(text: str) -> WrittenKana:
    """Read one written reading.

    ``key`` folds what systems lose (small kana, ヅ and ズ, ヂ and ジ, ヲ and オ, ヴ and ブ, long vowels);
    ``loose`` loses the voicing marks too, as old systems print them.

    >>> read_kana("ﾜﾀﾅﾍﾞ ｼﾞｭﾝ").value
    'ワタナベ ジュン'
    """
    doubts: list[str] = ["too_long"] if len(text) > LONGEST else []
    plain = _plain_kana(text[:LONGEST], doubts)
    if not plain:
        return WrittenKana(None, doubts=tuple(doubts))
    if _UNKNOWN.match(plain):
        return WrittenKana(None, doubts=(*doubts, "unknown"))
    if others := "".join(_OTHER.findall(plain)):
        return _with_others(plain, others, doubts)
    return _in_words(plain.split(), doubts)


def _plain_kana(text: str, doubts: list[str]) -> str:
    joined = _BLANK_BEFORE_MARK.sub("", without_invisible(text).translate(_MARKS))
    plain = unicodedata.normalize("NFKC", joined).strip()
    if _BRACKETS.search(plain):
        inside = " ".join(_BRACKETS.findall(plain)).strip()
        outside = _BRACKETS.sub(" ", plain).strip()
        # A reading wholly in brackets is the reading itself: 氏名欄の (ヤマダ ハナコ).
        plain = outside or inside
        if outside and inside:
            doubts.append("bracketed")
    plain = _without_honorific(plain, doubts)
    if _DOTS.search(plain.strip(".,・")):
        doubts.append("dot")
    plain = _DOTS.sub(" ", plain).translate(HIRAGANA_TO_KATAKANA).translate(_SMALL_AINU)
    plain = _repeated(plain)
    if _DASHES.search(plain):
        doubts.append("dash_as_long")
        plain = _DASHES.sub("ー", plain)
    plain = re.sub("ー+", "ー", re.sub("(?:^|(?<= ))ー+", "", " ".join(plain.split())))
    return " ".join(plain.split())


def _without_honorific(plain: str, doubts: list[str]) -> str:
    if found := _HONORIFIC.search(plain):
        plain = plain[: found.start()]
    elif found := _HONORIFIC_STUCK.search(plain):
        doubts.append("honorific")
        plain = plain[: found.start()]
    return plain.strip()


def _repeated(plain: str) -> str:
    """ヽ and ヾ (and 〱) written out: ミヽ is ミミ, イスヾ is イスズ."""
    if not re.search("[ゝゞヽヾ]", plain):
        return plain
    written = ""
    for character in plain:
        if character in "ゝヽ" and written:
            # スヾ's unvoiced mark repeats the plain sound.
            character = unicodedata.normalize("NFD", written[-1])[0]
        elif character in "ゞヾ" and written:
            character = written[-1].translate(_VOICED_PAIR)
        written += character
    return written


def _with_others(plain: str, others: str, doubts: list[str]) -> WrittenKana:
    if re.search("[A-Za-zÀ-ɏ]", others) and not _KANA.search(plain):
        return WrittenKana(None, doubts=(*doubts, "latin"))
    if re.search(f"[{KANJI}]", others):
        return WrittenKana(None, doubts=(*doubts, "kanji"))
    if re.search("[?〓■□●*\ufffd\ue000-\uf8ff]", others) and _KANA.search(plain):
        return WrittenKana(None, doubts=(*doubts, "unreadable"))
    return WrittenKana(None, doubts=(*doubts, "not_kana"))


def _in_words(words: list[str], doubts: list[str]) -> WrittenKana:
    family, given = (words[0], " ".join(words[1:])) if len(words) > 1 else ("", "")
    if len(words) == 1:
        family, given = _split_by_reading(words[0])
        doubts.append("by_surname" if family else "one_word")
    elif len(words) > 2:
        doubts.append("many_words")
    if _UNNAMED.match(given.replace(" ", "")) or _UNNAMED.match("".join(words)):
        surname = family if given else ""
        return WrittenKana(surname or None, surname, "", "", "", (*doubts, "unnamed"))
    value = f"{family} {given}" if family else " ".join(words)
    folded = spaced_kana(value).replace(" ", "")
    return WrittenKana(value, family, given, long_vowels_lost(folded), loose_kana(folded), tuple(doubts))


def _split_by_reading(whole: str) -> tuple[str, str]:
    readings = common_readings()
    for length in range(min(len(whole) - 2, 7), 1, -1):
        if whole[:length] in readings:
            return whole[:length], whole[length:]
    return "", ""

"""Names and kana in one form, for comparison only: the printed values stay as they are (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.intake.characters import WILDCARD, CharacterTable, fold_characters

HIRAGANA_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
SMALL_TO_LARGE = str.maketrans("ァィゥェォヵヶッャュョヮ", "アイウエオカケツヤユヨワ")
SAME_SOUND = dict(zip(map(ord, "ヅヂヲヱヰヴヷヸヹヺ"), "ズジオエイブバビベボ", strict=True))
_LARGE_AND_SAME = {code: chr(large) for code, large in SMALL_TO_LARGE.items()} | SAME_SOUND
_KATAKANA_LARGE_AND_SAME = {
    **{h: _LARGE_AND_SAME.get(k, chr(k)) for h, k in HIRAGANA_TO_KATAKANA.items()},
    **_LARGE_AND_SAME,
}
VOICED_VU = tuple(
    (written + vowel, heard)
    for written in "ヴゔ"
    for vowels, heard in (
        ("ァアぁあ", "バ"),
        ("ィイぃい", "ビ"),
        ("ェエぇえ", "ベ"),
        ("ォオぉお", "ボ"),
        ("ュユゅゆ", "ビュ"),
    )
    for vowel in vowels
)
"""With large kana too: a system without small ones prints ヴアン for ヴァン."""
MARKS = str.maketrans({"゛": "\u3099", "゜": "\u309a"})
"""NFKC would make a blank and a loose mark of a mark that stands alone."""

_UNVOICED = CharacterTable(dict(zip(
    map(ord, "ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴ"), "カキクケコサシスセソタチツテトハヒフヘホハヒフヘホフ", strict=True,
)))  # fmt: skip
# The vowel comes first and what stands before it second: most places of a text then fail at once.
_LONG_VOWEL = re.compile(
    "[アイウエオ](?:(?<=[オコソトノホモヨロ][ウオ])|(?<=[ウクスツヌフムユル]ウ)|(?<=[アカサタナハマヤラワ]ア)"
    "|(?<=[イキシチニヒミリ]イ)|(?<=[エケセテネヘメレ][イエ]))"
)
_PLAIN_LETTERS = str.maketrans(
    {"Đ": "D", "Ð": "D", "Ø": "O", "Ł": "L", "Æ": "AE", "Œ": "OE", "Þ": "TH", "ẞ": "SS", "Ħ": "H"}
)
_SPACES = re.compile(r"[\s・･,、.．]+")
_NOT_KANA_IN_LINES = re.compile(r"[^ァ-ヺA-Z0-9 \n]")
_KANA = CharacterTable(_KATAKANA_LARGE_AND_SAME)
_KANA_IN_LINES = CharacterTable(
    _KATAKANA_LARGE_AND_SAME
    | {code: " " for code in range(0x3001) if chr(code).isspace() and chr(code) != "\n"}
    | dict.fromkeys(map(ord, "・･,、.．"), " ")
)
_NOT_KANA = re.compile(r"[^ァ-ヺA-Z0-9 ]")
_KANA_ONLY = re.compile(r"^[ぁ-ゖァ-ヺー・\s]+$")
_LATIN_ONLY = re.compile(r"^[A-Za-zÀ-ɏ'’.,\-\s・]+$")
_BRACKETED = re.compile(r"[((\[〔【<〈《].*?[))\]〕】>〉》]")
_HONORIFIC = re.compile(
    r"(?<=.)[\s]*(様|殿|さん|ちゃん|くん|さま|サン|チャン|クン|氏)$|(?<=[ぁ-ゖァ-ヺー])[\s]*君$"
    r"|(?<=[ぁ-ゖー])(っち|っぴ|たん|ちん|ぽん|ぴょん|にゃん)$|(?<=[一-龠々])(っち|たん)$"
)
"""君 ends given names too, but none that is written in kana before it; and no given name ends as children are called
in hiragana (あおっち, ゆいたん)."""
UNNAMED = frozenset(
    [
        "未命名",
        "命名前",
        "未定",
        "名前未定",
        "未",
        "ベビ",
        "ベビー",
        "ベビイ",
        "ベイビ",
        "ベイビー",
        "新生児",
        "赤ちやん",
        "赤ちゃん",
        "アカチヤン",
        "アカチャン",
        "女児",
        "男児",
        "児",
        "ジヨジ",
        "ジョジ",
        "ダンジ",
        "シンセイジ",
        "ミメイメイ",
        "ミテイ",
        "NA",
        "N/A",
        "BABY",
    ]
) | {f"{lead}{number}子" for lead in ("", "第") for number in "一二三四1234"}
"""What stands in the place of a given name when a baby has none yet."""


class NameForm(NamedTuple):
    """A name in one form.

    ``key`` is the whole without spaces (a romanised name: its words in alphabetical order, since
    offices disagree about which comes first); ``kana`` is filled when the name was written in kana. ``words``:
    those of a romanised name of three or more, as they stand.
    """

    key: str
    surname: str
    given: str
    kana: str
    is_latin: bool
    words: str = ""


NO_NAME = NameForm("", "", "", "", False)


def spaced_kana(text: str) -> str:
    """A reading in large full-width katakana, words parted by one space; long-vowel marks dropped.

    Half width, hiragana, decomposed marks, small kana, ヴ/ブ, ヅ/ズ, ヂ/ジ and ヲ/オ come out the same.

    >>> spaced_kana("ﾜﾀﾅﾍﾞ ｼﾞｭﾝ") == spaced_kana("わたなべ　じゅん") == "ワタナベ ジユン"
    True
    """
    return " ".join(_NOT_KANA.sub("", fold_kana_within(text)).split())


def fold_kana_within(text: str) -> str:
    """Fold the kana of a text as ``spaced_kana`` does and leave every other character where it stands."""
    return _SPACES.sub(" ", _KANA.swap(_composed(text)))


def spaced_kana_lines(text: str) -> str:
    """``spaced_kana`` of each line of a text, but that words may be parted by more than one space."""
    return _NOT_KANA_IN_LINES.sub("", _KANA_IN_LINES.swap(_composed(text)))


def _composed(text: str) -> str:
    """Width and marks folded, ヴ and its vowel as heard."""
    marked = text.translate(MARKS) if "゛" in text or "゜" in text else text
    folded = unicodedata.normalize("NFKC", marked).upper()
    if "ヴ" in folded or "ゔ" in folded:
        for written, heard in VOICED_VU:
            folded = folded.replace(written, heard)
    return folded


def normalise_kana(text: str) -> str:
    """A reading without spaces, as ``spaced_kana`` folds it; empty when nothing of it is kana or Latin."""
    return spaced_kana(text).replace(" ", "")


def loose_kana(kana: str) -> str:
    """A normalised reading with voicing marks and long vowels lost too, as older systems print it (清音化).

    >>> loose_kana("コウタロウ") == loose_kana("コタロ")
    True
    """
    return _UNVOICED.swap(long_vowels_lost(kana))


def long_vowels_lost(kana: str) -> str:
    """A normalised reading without the vowels that only lengthen one: コウタロウ, コオタロー and コタロ are one."""
    return _LONG_VOWEL.sub("", kana)


def split_words(words: list[str]) -> tuple[str, str]:
    """First word and the rest joined; a single word is all surname-less."""
    return (words[0], "".join(words[1:])) if len(words) > 1 else ("", "")


def normalise_name(text: str, surnames: Set[str] = frozenset()) -> NameForm:
    """A written name in one form, with surname and given name where they can be told apart.

    A space parts them; without one the longest known surname that leaves something over does.
    A word that means "not named yet" gives an empty given name.

    Args:
        surnames: folded surnames known from names that were printed with a space.
    """
    bare = _BRACKETED.sub("", unicodedata.normalize("NFKC", text)).strip()
    if not bare:
        return NO_NAME
    if _LATIN_ONLY.match(bare):
        return _latin_name(bare)
    bare = _HONORIFIC.sub("", bare)
    if _KANA_ONLY.match(bare):
        words = spaced_kana(bare).split()
        surname, given = split_words(words)
        return _with_given(words, surname, given, is_kana=True)
    words = [w for w in _SPACES.split(fold_characters(bare)) if w]
    surname, given = split_words(words)
    if len(words) == 1:
        surname, given = split_by_surname(words[0], surnames)
        # 佐藤君, 佐藤翔太君; whose name ends so is printed with a space, or of no surname known
        if given.endswith("君"):
            given = given[:-1]
            words, surname = [surname + given], surname if given else ""
    return _with_given(words, surname, given, is_kana=False)


def is_unnamed(given: str) -> bool:
    """Whether what stands in the given name's place says that there is none yet."""
    return given in UNNAMED


def _with_given(words: list[str], surname: str, given: str, *, is_kana: bool) -> NameForm:
    if is_unnamed(given):
        # A whole that ends in 「未命名」 would make all unnamed babies of one surname the same person.
        return NameForm("", surname, "", "", False)
    whole = "".join(words)
    return NameForm(whole, surname, given, whole if is_kana else "", False)


def split_by_surname(whole: str, surnames: Set[str]) -> tuple[str, str]:
    """Part a name printed without a space at the longest known surname; ("", "") when none fits."""
    for length in range(min(len(whole) - 1, 5), 0, -1):
        if whole[:length] in surnames:
            return whole[:length], whole[length:]
    return "", ""


def latin_words(text: str) -> list[str]:
    """The words of a romanised name in capitals, without accents and apostrophes.

    >>> latin_words("O’Brien-Đặng José")
    ['OBRIEN', 'DANG', 'JOSE']
    """
    plain = unicodedata.normalize("NFD", text.upper()).translate(_PLAIN_LETTERS)
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^A-Z〓 ]", " ", re.sub("['’`´ʼ]", "", letters)).split()


def _latin_name(text: str) -> NameForm:
    words = latin_words(text)
    surname, given = split_words(words)
    return NameForm("".join(sorted(words)), surname, given, "", True, " ".join(words) if len(words) > 2 else "")


def learn_surnames(names: Iterable[str]) -> frozenset[str]:
    """Folded surnames of all names that were printed with a space between surname and given name."""
    written = (w[0] for name in names if len(w := _SPACES.split(name.strip())) == 2)
    folded = fold_characters("\n".join(dict.fromkeys(written))).split("\n")
    return frozenset(f for f in folded if 1 <= len(f) <= 5 and WILDCARD not in f and not f.isspace())


def same_with_wildcards(one: str, other: str) -> bool:
    """Whether two folded names agree where both can be read."""
    return len(one) == len(other) and all(a == b or WILDCARD in (a, b) for a, b in zip(one, other, strict=True))


def distinct_values(values: pa.ChunkedArray) -> list[str]:
    """The distinct values of a column of text; nulls and blanks are left out."""
    distinct: list[str] = pc.unique(values.drop_null()).to_pylist()
    return [v for v in distinct if v.strip()]

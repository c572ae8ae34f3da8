"""Written names in one form, with doubts: variant characters folded, surname and given name apart (identity side)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from functools import partial

from kodomo.intake.characters import KANJI, WILDCARD, fold_characters, without_invisible
from kodomo.intake.normal_forms.kana import read_kana
from kodomo.intake.normal_forms.surnames import LONGEST as LONGEST_SURNAME
from kodomo.intake.normal_forms.surnames import common_surnames
from kodomo.intake.normalise import is_unnamed, latin_words

DOUBTS = {
    "one_word": "姓と名の区切りがありません",
    "by_surname": "区切りがないため、よくある姓の一覧で分けました",
    "many_words": "三つ以上の語に分かれています",
    "order": "姓と名の順が分かりません",
    "unreadable": "読めない文字(外字など)があります。どの一字とも同じとみなします",
    "unnamed": "まだ名がないと書かれています",
    "parent_only": "親の名と続柄だけが書かれています",
    "former": "旧姓・旧氏が書き添えられています",
    "alias": "通称・別名が書き添えられています",
    "dead": "亡くなった人の名のようです",
    "others": "ほかの人の数が書き添えられています",
    "bracketed": "かっこの中は名とみなしていません",
    "organisation": "法人や施設の名のようです",
    "unknown": "不明と書かれています",
    "not_a_name": "名として読めません",
    "has_digits": "数字があります",
    "too_long": "長すぎるため、終わりを読みませんでした",
}

LONGEST = 200

_HOLES = str.maketrans(dict.fromkeys("*＊□■○◯◎●△▲▽▼☆★◇◆＿?？〓‥", WILDCARD))
_SPACES = re.compile("[\\s_]+")
_DOT = re.compile("[・･·•]")
_BRACKETS = re.compile("[(\\[〔【<〈《「『]([^)\\]〕】>〉》」』]*)[)\\]〕】>〉》」』]?")
_FORMER = re.compile("(?:旧姓|旧氏|旧名|婚姻前の[姓氏])\\s*[::は]?\\s*(?P<name>[^\\s)\\]〕】,、;/]+)")
_ALIAS = re.compile("(?:通称名?|別名|併記名|俗称|通名)\\s*[::は]?\\s*(?P<name>[^)\\]〕】,、;/]+)")
_HONORIFIC = re.compile("(?<=.)\\s*(?:様|殿|さん|さま|ちゃん|くん|氏|先生|サン|サマ|チャン|(?<=\\s)(?:君|クン|どの))$")
_CHILD_OF = re.compile(
    "^(?P<parent>.{2,}?)(?:の|ノ)(?:子|児|ベビー|新生児|第?[一二三四五1-5]子|長男|長女|二男|次男|二女|次女|赤ちゃん)(?:\\s*[(].*)?$"
)
_BABY_BEHIND = re.compile(
    "^(?P<parent>.{2,}?)\\s*(?:ベビー|ベイビー|新生児|赤ちゃん|baby|BABY|Baby)\\s*[0-9A-Za-z一二三①-③]*$"
)
_BABY_BEFORE = re.compile("^(?:baby|b/o)\\s*(?:of|boy of|girl of|boy|girl)?\\s+(?P<parent>.+)$", re.IGNORECASE)
_ORGANISATION = re.compile(
    "株式会社|有限会社|合同会社|法人|(?:幼稚園|保育所|保育園|こども園|小学校|中学校|クリニック|医院|病院|組合|協会)$|^[(]株[)]|[(]株[)]$"
)
_TOLD_BEFORE = re.compile("^(?:世帯主|保護者|契約者|使用者|申請者|氏名)(?:\\s*[::]\\s*|\\s+)(?=\\S+\\s+\\S|\\S{3})")
"""What the cell is, printed into it; two words or three letters behind, else 世帯主 would be taken off a name."""
_DEAD = re.compile("^(?:亡|故)\\s+(?=\\S{2})")
_OTHERS = re.compile("(?<=\\S)\\s*(?:他|外|ほか)\\s*[0-9一二三四五六七八九十]+\\s*[名人]$")
_UNKNOWN = re.compile(
    "^(?:氏名)?(?:不明|不詳|未詳|未記入|匿名|記載なし|なし|無し|無記名|空欄|同上|〃|-+|/+|N/?A|NULL|None|氏名)$",
    re.IGNORECASE,
)
_LATIN = re.compile("^[A-Za-zÀ-ɏḀ-ỿʼ'’`´.,\\-/\\s〓]+$")
_KANA_ONLY = re.compile("^[ぁ-ゖァ-ヺー\\s゛゜ゝゞヽヾ]+$")
_STRAY = re.compile(r"[()\[\]{}<>《》〈〉「」『』【】〔〕:;!\"#$%&+=@^|~…。/\\]+")
_TITLE = re.compile("^(?:MR|MRS|MS|MISS|DR|MSTR|MASTER)\\.? (?=\\S+ )|(?<=\\S) (?:MR|MRS|MS|JR|SR|II|III)\\.?$")
_LETTER = re.compile(f"[{KANJI}ぁ-ゖァ-ヺー〓A-Za-zÀ-ɏḀ-ỿ]")


@dataclass(frozen=True)
class WrittenName:
    """A name. ``value`` is its readable normal form or None; ``key`` compares it; ``doubts`` are keys of ``DOUBTS``."""

    value: str | None
    family: str = ""
    given: str = ""
    key: str = ""
    script: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def doubting(self, *doubts: str) -> WrittenName:
        """The same name with more doubts in front."""
        return replace(self, doubts=tuple(dict.fromkeys((*doubts, *self.doubts))))


def read_name(text: str) -> WrittenName:
    """Read one written name.

    >>> read_name("髙﨑　惠子 様").value
    '高崎 恵子'
    """
    early = ("too_long",) if len(text) > LONGEST else ()
    plain = unicodedata.normalize("NFKC", without_invisible(text[:LONGEST]).translate(_HOLES)).strip()
    if not plain:
        return WrittenName(None, doubts=early)
    if _UNKNOWN.match(plain):
        return WrittenName(None, doubts=(*early, "unknown"))
    if _ORGANISATION.search(plain):
        value = fold_characters(" ".join(plain.split()))
        return WrittenName(value, key=value.replace(" ", ""), doubts=(*early, "organisation"))
    if baby := _CHILD_OF.match(plain) or _BABY_BEHIND.match(plain) or _BABY_BEFORE.match(plain):
        return _baby(baby["parent"]).doubting(*early)
    bare, extra, doubts = _without_additions(_TOLD_BEFORE.sub("", plain))
    return replace(found := _one_name(bare), extra={**found.extra, **extra}).doubting(*early, *doubts)


def _baby(parent: str) -> WrittenName:
    found = _one_name(_without_additions(parent)[0])
    if not found.given:
        return WrittenName(found.value, found.value or "", "", "", found.script, doubts=("unnamed",))
    return WrittenName(
        found.family or None,
        found.family,
        "",
        "",
        found.script,
        {"parent": found.value or ""},
        ("unnamed", "parent_only"),
    )


def _without_additions(plain: str) -> tuple[str, dict[str, str], list[str]]:
    """The name alone; what brackets and words like 旧姓 add to it; doubts."""
    extra: dict[str, str] = {}
    doubts: list[str] = []
    for kind, pattern in (("dead", _DEAD), ("others", _OTHERS)):
        if pattern.search(plain):
            doubts.append(kind)
            plain = pattern.sub("", plain)
    for kind, pattern in (("former", _FORMER), ("alias", _ALIAS)):
        if found := pattern.search(plain):
            extra[kind] = _addition(found["name"])
            doubts.append(kind)
            plain = _BRACKETS.sub(partial(_drop_overlapping, found), plain)
            plain = plain.replace(found.group(), "")
    for inside in _BRACKETS.findall(plain):
        content = inside.strip()
        reading = read_kana(content)
        if reading.value and "kana" not in extra:
            extra["kana"] = reading.value
        elif content and content != plain[1:-1].strip() and not is_unnamed(content):
            extra.setdefault("other", _addition(content))
            doubts.append("bracketed")
    if re.search("[(]\\s*(?:未定|未命名|命名前|名未定)\\s*[)]", plain):
        return _BRACKETS.sub(" ", plain).strip() + " 未定", extra, doubts
    outside = _BRACKETS.sub(" ", plain).strip(" )]〕】」』/,、;")
    return outside or " ".join(_BRACKETS.findall(plain)).strip(), extra, doubts


def _drop_overlapping(told: re.Match[str], bracket: re.Match[str]) -> str:
    return "" if bracket.start() < told.end() and told.start() < bracket.end() else bracket.group()


def _addition(text: str) -> str:
    return fold_characters(" ".join(text.split()).strip(" )]〕】」』"))


def _one_name(bare: str) -> WrittenName:
    bare = bare.replace("_", " ").strip()
    if _LATIN.match(bare) and re.search("[A-Za-zÀ-ỿ]", bare):
        return _latin(bare)
    bare = _HONORIFIC.sub("", _STRAY.sub(" ", bare).strip(" .,、")).strip(" .,、")
    if not _LETTER.search(bare):
        return WrittenName(None, doubts=("not_a_name",))
    doubts = []
    if re.search("[0-9]", bare):
        doubts.append("has_digits")
    if WILDCARD in (folded := fold_characters(bare)):
        doubts.append("unreadable")
    if _DOT.search(bare):
        doubts.append("order")
    if _KANA_ONLY.match(parted := _DOT.sub(" ", bare).strip()):
        return _in_kana(parted).doubting(*doubts)
    words = [w for w in _SPACES.split(_DOT.sub(" ", re.sub("[,、,]", " ", folded))) if w]
    if not words:
        return WrittenName(None, doubts=("not_a_name",))
    return _in_words(words, "kanji").doubting(*doubts)


def _in_kana(bare: str) -> WrittenName:
    found = read_kana(bare)
    told = tuple(d for d in found.doubts if d in DOUBTS)
    if "unnamed" in found.doubts or found.value is None:
        return WrittenName(found.value, found.family, "", "", "kana", doubts=told)
    return WrittenName(found.value, found.family, found.given, found.key, "kana", doubts=told)


def _in_words(words: list[str], script: str) -> WrittenName:
    doubts: list[str] = []
    family, given = (words[0], " ".join(words[1:])) if len(words) > 1 else ("", "")
    if len(words) == 1:
        if is_unnamed(words[0]):
            return WrittenName(None, doubts=("unnamed",))
        family, given = _split(words[0])
        doubts.append("by_surname" if family else "one_word")
    if given and is_unnamed(given.replace(" ", "")):
        return WrittenName(family, family, "", "", script, doubts=("unnamed",))
    if len(words) > 2:
        doubts.append("many_words")
    value = f"{family} {given}" if family else " ".join(words)
    return WrittenName(value, family, given, value.replace(" ", ""), script, doubts=tuple(doubts))


def _split(whole: str) -> tuple[str, str]:
    """The longest common surname that leaves a given name over. A surname alone (中村) is not 中 and 村."""
    if whole in common_surnames():
        return "", ""
    for length in range(min(len(whole) - 1, LONGEST_SURNAME), 0, -1):
        if whole[:length] in common_surnames() and WILDCARD not in whole[:length]:
            return whole[:length], whole[length:]
    return "", ""


def _latin(bare: str) -> WrittenName:
    upper = _TITLE.sub("", " ".join(bare.upper().split()))
    before, comma, behind = upper.partition(",")
    doubts = ["unreadable"] if WILDCARD in upper else []
    if comma and latin_words(before) and latin_words(behind):
        family, given = " ".join(latin_words(before)), " ".join(latin_words(behind))
        words = [*latin_words(before), *latin_words(behind)]
    else:
        words = latin_words(upper)
        family, given = (words[0], " ".join(words[1:])) if len(words) > 1 else ("", "")
        doubts.append("order" if len(words) > 1 else "one_word")
    if not words:
        return WrittenName(None, doubts=("not_a_name",))
    return WrittenName(" ".join(words), family, given, "".join(sorted(words)), "latin", doubts=tuple(doubts))

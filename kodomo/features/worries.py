"""What words in codes and names of data items usually speak of, for drafting signs and points (analysis side).

Samples, not validated: a person looks them over before anybody is judged by them. Which words stand for which trouble
follows what nurseries, school nurses, health visitors and clubs are told to look out for (こども家庭庁 子ども虐待対応の手引き,
文部科学省 生徒指導提要, ヤングケアラー支援の手引き).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Worry:
    """One kind of worry: its name, its words, and for each type how many points it speaks for."""

    kind: str
    words: re.Pattern[str]
    points: Mapping[str, int]


def _worry(kind: str, words: str, **points: int) -> Worry:
    return Worry(kind, re.compile(words), points)


WORRIES = (
    _worry("傷・あざ", r"あざ|アザ|やけど|家(で|庭).*(けが|傷)|(けが|傷).*家庭|登校前", 虐待=4),
    _worry("けがの心配", r"[:・/](けが|怪我|傷)$", 虐待=3, いじめ=1),
    _worry("身なり・清潔", r"汚れ|不潔|衛生|入浴|臭|におい|身なり|服装|着替え|洗濯", 虐待=3, 貧困=1),
    _worry("食事", r"欠食|朝食(なし|未|を?とら)|朝(食|ごはん|ご飯)を?(食べない|抜)|空腹|食べていない|持ち?帰|(^|[:・/])(食事|朝食|朝ごはん)$", 虐待=2, 貧困=2, ヤングケアラー=3),
    _worry("眠気", r"眠い|ねむい|眠気|睡眠不足|寝不足|[:・/]疲れ$", ヤングケアラー=3, 虐待=1, 不登校=1),
    _worry("不眠", r"(よく)?(眠|ねむ|寝)れない|不眠", 不登校=2, いじめ=1, ヤングケアラー=1),
    _worry("世話・家事", r"世話|家事(?!・?の?都合)|家の(用事|手伝い)で|自分の時間が?(ない|取れ|とれ)|看病|付き添|通訳", ヤングケアラー=4),
    _worry("迎え", r"(迎え|送迎).*遅|遅.*(迎え|送迎)", ヤングケアラー=2, 虐待=2, 貧困=1),
    _worry("家庭の様子", r"帰り?たがらない|帰りたくない|養育環境|家庭環境|家庭の様子|家庭不和|家に帰|家[でに]は?(安心|ほっと|落ち着)(でき|し)?(ない|け)", 虐待=3, ヤングケアラー=1),
    _worry("手を上げる", r"たたく|叩く|怒鳴|体罰|暴言", 虐待=3),
    _worry("友人関係", r"いじめ(の?被害|られ)|仲間はずれ|仲間外れ|悪口|からか|無視|友(達|だち|人).*(トラブル|関係)|対人トラブル|友人関係|(^|[:・/])友(達|人|だち)(関係)?$|(いや|嫌)なこと|い(じ|ぢ)わる|意地悪|被害感", いじめ=3, 不登校=1),
    _worry("登校しぶり", r"登校.*(しぶ|渋)|教室に入りたくない|行きたくない|別室登校|不登校|長期欠席|学校(の話)?[をがは]?(避|いや|嫌|楽しくない|つまらない)", 不登校=3, いじめ=1),
    _worry("理由の分からない欠席", r"欠席.*(理由不明|無断|無届)|無連絡|(理由不明|無断|無届).*欠席", 不登校=3, 虐待=1, ヤングケアラー=1),
    _worry("発達の様子", r"落ち?着き|離席|飛び出し|パニック|クールダウン|こだわり|指示が|集団(活動|行動|に(入|なじ|馴染))|多動|切り替え|かんしゃく|視線|発達の様子", 発達障がい=4),
    _worry("健診の所見", r"不通過|(言語|行動|社会性|発達).*所見|(こと|言)ばの?遅れ|^(言語|対人|社会性)([・、](言語|対人|社会性|行動|運動))*$|多動|困難(さ|計)|要(精|紹介|指導)|経過観察|要観察", 発達障がい=3),
    _worry("お金", r"未納|滞納|分納|督促|給水停止|停止予告|差押|苦しい|困窮|(経済|お金|金銭).*(不安|心配)|(学用品|文房具|服|食事|食べる?物|必要なもの|ほしい(もの|物)?).*(足りない|買えない)|^お金$", 貧困=2),
    _worry("母の不調", r"母.*(不調|疲)|気分の?落ち込み|眠れない|精神.*既往|産後.*要(連絡|支援|フォロー)", 産後うつ=3, 虐待=1),
    _worry("育児の負担", r"育てにくさ|育児.*(不安|負担|困難|疲)|困りごと|いつも感じる", 産後うつ=2, 虐待=2, 発達障がい=1),
    _worry("孤立", r"相談(相手|者|できる(人|相手|ひと)).*(いない|ない|なし)|協力.*(いない|なし)|夫婦.*不安", 産後うつ=2, 虐待=2, いじめ=1, 不登校=1),
    _worry("予定外の妊娠", r"予定外|(望|のぞ)まない妊娠|思いがけない", 虐待=2, 産後うつ=1),
    _worry("未受診", r"未受診|受診(しない|勧奨)|受診.*=未", 虐待=2),
    _worry("訴え", r"しんどい|(き|聞)いてほしい|つらい|(死|消)にたい|消えたい|(たす|助)けて", いじめ=2, 虐待=2, 不登校=1, ヤングケアラー=1),
    _worry("保護者との連絡", r"[:・/]保護者(と)?の?連絡|保護者.*連絡が?(取|と|つか)", 虐待=1),
)  # fmt: skip
SHORT = 3
"""A code of fewer letters says nothing by itself (未), but may with the item's name (歯科の受診報告=未)."""
_YES = re.compile(
    r"^(あり|ある|有|はい|該当|要(連絡|注意|支援|配慮|フォロー|継続)|気がかりあり|(とても|やや|かなり|大変|少し)?(心配|気になる|気がかり)|(よく|ときどき|時々|たまに)(ある|する|あり)?$|○|★|1$)"
)
_EXAMINED, _POOR = re.compile(r"所見"), re.compile(r"^[×✕△]$")
"""Findings are marked ○ where all is well and × or △ where not."""
_NO = re.compile(r"なし$|無$|ない$|いいえ|異常なし|問題なし|ふつう|ゆとり|^解消")


def denies(code: str) -> bool:
    """Whether a code says that there is nothing (心配なし, いいえ), which is no worry by itself (朝食なし)."""
    said = unicodedata.normalize("NFKC", code)
    return bool(_NO.search(said)) and not any(one.words.search(said) for one in WORRIES)


def says_well(code: str) -> bool:
    """Whether a code says in so many words that nothing is wrong (心配なし, 異常なし); a bare なし may tell something."""
    return denies(code) and len(unicodedata.normalize("NFKC", code)) > SHORT


_GRADES = (
    (3, r"とても|かなり|大変|いつも|よく(ある|する|あり)?$|重度|強い|毎日|深刻"),
    (1, r"少し|やや|あまり|たまに|軽度|まれ|ほとんど(ない|なし)"),
    (2, r"心配|気になる|気がかり|ときどき|時々|中等?度|^ある$|^あり$|^はい$|該当"),
)
"""Words for how much of something there is, strongest first; what denies it is none."""


def grade(code: str) -> int | None:
    """How much a code of a graded answer says there is, 0 to 3; None where it is no grade.

    >>> [grade(code) for code in ("心配なし", "少し", "心配", "とても心配", "打撲")]
    [0, 1, 2, 3, None]
    """
    said = unicodedata.normalize("NFKC", code)
    if re.search(r"ほとんど(ない|なし)|あまり", said):
        return 1
    if denies(code):
        return 0
    return next((much for much, words in _GRADES if re.search(words, said)), None)


_SCALE = re.compile(r"\(([^()]*\d[^()]*)\)$")
_MARKED = re.compile(r"(\d+)([^\d]*)")
"""A number of a scale and the word beside it, in whichever order the numbers run; the highest may have none."""
_APPLIES = re.compile(r"^(はい|(よく)?(当|あ)てはまる|(とても|よく)?そう(思う|である|だ)?|よくある|いつも)")
_DENIED = (
    (re.compile(r"しい$"), "しくない"),
    (re.compile(r"(?<=[べれきい])る$"), "ない"),
    (re.compile(r"ある$"), "ない"),
)


def upper_end(caption: str) -> str:
    """What the highest answer of a question says, where its name gives the scale: the question itself, or its denial.

    >>> upper_end("学校は楽しい(1はい〜4いいえ)"), upper_end("朝ごはん(4 食べない)"), upper_end("寝不足")
    ('学校は楽しくない', '朝ごはん食べない', '寝不足')
    >>> upper_end("学校は楽しい(アンケート 4 楽しくない)"), upper_end("からかわれる(1ない〜4よくある)")
    ('学校は楽しくない', 'からかわれる(1ない〜4よくある)')
    >>> upper_end("家で安心できる(5あてはまる~1)"), upper_end("家で安心できる(1あてはまる~5)"), upper_end("家で安心できる(1~5)")
    ('家で安心できる(5あてはまる~1)', '家で安心できない', '家で安心できる(1~5)')
    """
    plain = unicodedata.normalize("NFKC", caption)
    asked, first, last = _scale(plain)
    if not asked:
        return plain
    denied = _denied(asked)
    if last == "いいえ" or (last and denied.endswith(last)) or (not last and _APPLIES.search(first)):
        return denied or plain
    return asked + last if _NO.search(last) else plain


def lower_end(caption: str) -> str:
    """What the lowest answer of a question says, where its name gives a scale on which more is better; else nothing.

    >>> lower_end("家で安心できる(5あてはまる~1)"), lower_end("学校は楽しい(1はい〜4いいえ)"), lower_end("家で安心できる(1~5)")
    ('家で安心できない', '', '')
    """
    asked, _, last = _scale(unicodedata.normalize("NFKC", caption))
    return _denied(asked) if _APPLIES.search(last) else ""


def _scale(plain: str) -> tuple[str, str, str]:
    """What is asked, and the words beside the lowest and the highest number; empty where the name gives no scale."""
    scale = _SCALE.search(plain)
    marks = {int(mark[1]): mark[2].strip(" :.=~〜-") for mark in _MARKED.finditer(scale[1])} if scale else {}
    return (plain[: scale.start()], marks[min(marks)], marks[max(marks)]) if scale and marks else ("", "", "")


def _denied(asked: str) -> str:
    return next((found.sub(denial, asked) for found, denial in _DENIED if found.search(asked)), "")


def points_of(caption: str, codes: Collection[str], types: Collection[str]) -> tuple[str, dict[str, int]]:
    """The worry that an indicator speaks of, and its points for each of ``types`` that it bears on.

    Args:
        caption: the data item's name, which says it where the codes only say yes.
        codes: the codes counted; none where the item's being there is counted.
        types: the types that the item may serve; ``*`` for all.
    """
    said = [unicodedata.normalize("NFKC", code) for code in codes]
    by_code = [one for one in WORRIES if said and all(one.words.search(code) for code in said)]
    plain = upper_end(caption) if not said else unicodedata.normalize("NFKC", caption)
    yes = _POOR if said and _EXAMINED.search(plain) and {"○", "×", "✕", "△"} & set(said) else _YES
    is_plain_yes = all(yes.search(code) for code in said)
    found = by_code or [one for one in WORRIES if is_plain_yes and one.words.search(plain)]
    if not found and len(said) == 1 and len(said[0]) < SHORT:
        both = f"{plain}={said[0]}"
        found = [one for one in WORRIES if any(hit.end() > len(plain) for hit in one.words.finditer(both))]
    if not found or (not by_code and any(map(denies, said))):
        return "", {}
    points: dict[str, int] = {}
    for one in found:
        for kind, count in one.points.items():
            if kind in types or "*" in types:
                points[kind] = max(points.get(kind, 0), count)
    return ("・".join(one.kind for one in found), points) if points else ("", {})

"""The words of the domain as types; every screen label comes from here.

Identifiers follow the glossary (GLOSSARY.md); each member carries its Japanese ``label`` and,
where people must understand it, a ``description``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType, Self

PersonKey = NewType("PersonKey", str)
ChildKey = NewType("ChildKey", str)
HouseholdKey = NewType("HouseholdKey", str)


class LabelledEnum(StrEnum):
    """A string value with a Japanese label and description beside it."""

    label: str
    description: str

    def __new__(cls, value: str, label: str = "", description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.description = description
        return member

    @classmethod
    def from_label(cls, label: str) -> Self:
        """The member with this Japanese label. Raises KeyError when there is none."""
        for member in cls:
            if member.label == label:
                return member
        raise KeyError(label)


class DifficultyType(LabelledEnum):
    """困難の類型. The seven of the two seed cities; a municipality chooses a subset."""

    ABUSE = "ABUSE", "虐待"
    BULLYING = "BULLYING", "いじめ"
    NON_ATTENDANCE = "NON_ATTENDANCE", "不登校"
    YOUNG_CARER = "YOUNG_CARER", "ヤングケアラー"
    POVERTY = "POVERTY", "貧困"
    POSTNATAL_DEPRESSION = "POSTNATAL_DEPRESSION", "産後うつ", "母の困難を、こどもの世帯について判定する"
    DEVELOPMENTAL_DISORDER = (
        "DEVELOPMENTAL_DISORDER",
        "発達障がい",
        "障がいの有無ではなく、支援につながっていない可能性を判定する",
    )


OVERALL = "OVERALL"
"""Not a difficulty type: the view over all of them (総合) in judgement tables."""

OVERALL_LABEL = "総合"


def difficulty_label(code: str) -> str:
    """Japanese name of a difficulty type code, 総合 included."""
    return OVERALL_LABEL if code == OVERALL else DifficultyType(code).label


class Method(LabelledEnum):
    """判定ロジック: how a score came about."""

    SCENARIO = "SCENARIO", "シナリオ", "職員が読める点数表"
    BOOSTING = "BOOSTING", "勾配ブースティング", "過去の把握事例から学んだ推定"
    LINE = "LINE", "重みつき合計", "指標ごとの重みを過去の把握事例から学び、足し合わせた推定"
    RULES = "RULES", "ルール発見型推論", "過去の把握事例に多い条件の組み合わせから学んだ推定"
    SIMILAR = "SIMILAR", "類似事例推論", "よく似た過去の事例のうち把握された割合による推定"
    COMBINED = "COMBINED", "総合判定", "シナリオと学習を合わせた値"


class Level(LabelledEnum):
    """スコアのレベル分け. Thin data is INSUFFICIENT, a type that is not asked at this age NOT_APPLICABLE: never LOW."""

    HIGH = "HIGH", "高", "積極的なアプローチを検討する"
    MIDDLE = "MIDDLE", "中", "学校等への調査を検討する"
    LOW = "LOW", "低", "いまの情報では積極的な介入を検討しない"
    INSUFFICIENT = "INSUFFICIENT", "情報不足", "判定できるだけの情報がない。低いという意味ではない"
    NOT_APPLICABLE = "NOT_APPLICABLE", "年齢対象外", "この類型を判定する年齢ではない"
    WITHHELD = "WITHHELD", "示さない", "支援業務の画面でだけ使う。判定のレベルを示さずに、人の確認をお願いする"


class AgeBand(LabelledEnum):
    """年齢区分, by school year (4月2日–翌4月1日生まれ)."""

    PRESCHOOL = "PRESCHOOL", "就学前"
    ELEMENTARY = "ELEMENTARY", "小学生"
    JUNIOR_HIGH = "JUNIOR_HIGH", "中学生"
    OLDER = "OLDER", "中学卒業後"


class Sensitivity(LabelledEnum):
    """How closely a column must be kept."""

    PLAIN = "PLAIN", "一般"
    PERSONAL = "PERSONAL", "個人に関する事実"
    SPECIAL_CARE = "SPECIAL_CARE", "要配慮個人情報"
    IDENTIFYING = "IDENTIFYING", "氏名・住所等の識別情報", "識別側から出さない"


class Purpose(LabelledEnum):
    """利用目的: what an item may be used for."""

    LINK = "LINK", "名寄せ", "同一人物の確認に使う"
    JUDGE = "JUDGE", "判定", "困難の可能性の判定に使う"
    LEARN = "LEARN", "学習・検証", "判定ロジックの学習と検証に使う"
    ASSESS = "ASSESS", "アセスメント", "人による絞り込みの画面で見る"
    REVEAL = "REVEAL", "氏名等の開示", "支援のために個別のこどもの氏名等を見る"


class LegalBasis(LabelledEnum):
    """個人情報保護法上の根拠."""

    WITHIN_PURPOSE = "WITHIN_PURPOSE", "利用目的内(61条)"
    BY_LAW = "BY_LAW", "法令に基づく(69条1項)"
    CONSENT = "CONSENT", "本人同意(69条2項1号)"
    USE_BEYOND_PURPOSE = "USE_BEYOND_PURPOSE", "目的外の内部利用(69条2項2号)"
    PROVISION = "PROVISION", "目的外の外部提供(69条2項3号)"


class Party(LabelledEnum):
    """実証事業の四つの主体."""

    COORDINATOR = "COORDINATOR", "総括管理主体", "データを組み合わせ、人の判断を助ける判定を行う"
    HOLDER = "HOLDER", "保有・管理主体", "それぞれの分野のデータを保有する"
    ANALYST = "ANALYST", "分析主体", "判定の仕組みを作る。仮名化されたデータだけを扱う"
    PRACTITIONER = "PRACTITIONER", "活用主体", "アセスメントとプッシュ型支援を行う"


class Delivery(LabelledEnum):
    """データ連携の方式."""

    SYSTEM = "SYSTEM", "システム連携"
    MEDIA = "MEDIA", "媒体連携"
    MANUAL = "MANUAL", "手作業"


class Decision(LabelledEnum):
    """支援要否の判断. Always by a named person with a reason."""

    SUPPORT = "SUPPORT", "支援する", "積極的なアプローチによる支援につなぐ"
    INQUIRE = "INQUIRE", "調査する", "学校・園等への調査を行ってから判断する"
    WATCH = "WATCH", "見守る", "次回確認日を決めて見守る"
    NO_ACTION = "NO_ACTION", "対応しない", "いまは支援・調査・見守りを行わない"


THOUSANDS_APART_FROM = 10_000
"""Below it a number may be a year."""


def plain_number(value: float, decimals: int = 4, sign: str = "") -> str:
    """A number as staff read it: no exponent, no useless decimals, thousands apart (3,500,000; 2026; 1.5).

    Args:
        decimals: the most decimals that are written.
        sign: "+" writes a plus before what is above 0.
    """
    rounded = round(value, decimals) + 0.0
    apart = "," if abs(rounded) >= THOUSANDS_APART_FROM else ""
    text = f"{rounded:{sign if rounded else ''}{apart}.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

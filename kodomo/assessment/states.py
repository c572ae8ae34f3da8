"""Where a case stands, and the words of a decision: reason codes and purposes as data (casework side)."""

from __future__ import annotations

from collections.abc import Mapping

from kodomo.terms import Decision, LabelledEnum


class CaseState(LabelledEnum):
    """事例の状態."""

    ARRIVED = "ARRIVED", "受理", "判定から届き、まだ判断されていない"
    RETURNED = "RETURNED", "再燃(再確認)", "対応しないとした後の判定で、可能性が上がった"
    SUPPORT = "SUPPORT", "支援する", "支援につなぐと判断した"
    INQUIRE = "INQUIRE", "調査中", "学校・園等への調査を待っている"
    WATCH = "WATCH", "見守り中", "次回確認日を決めて見守っている"
    NO_ACTION = "NO_ACTION", "対応しない", "いまは支援・調査・見守りを行わない"
    CLOSED = "CLOSED", "終結", "支援・見守りを終えた"


class Concern(LabelledEnum):
    """一次所見での気がかりの程度: the assessor's own, from the facts alone."""

    STRONG = "STRONG", "強い"
    SOME = "SOME", "いくらかある"
    NONE = "NONE", "特にない"
    UNKNOWN = "UNKNOWN", "事実が足りずわからない"


class Agreement(LabelledEnum):
    """判定への意見: what the assessor thinks of the judgement after seeing it."""

    AGREE = "AGREE", "同意する"
    DISAGREE = "DISAGREE", "同意しない"
    UNSURE = "UNSURE", "どちらともいえない"


class Opinion(LabelledEnum):
    """判定に同意しない理由: how a person, after looking, thinks that a judgement of one type is wrong."""

    TOO_HIGH = "TOO_HIGH", "高すぎる(確かめたが、その困難は見られない)"
    TOO_LOW = "TOO_LOW", "低すぎる・見落としている(その困難があると考える)"
    WRONG_FACT = "WRONG_FACT", "根拠の事実が、実際と違う・古い"


WAITING_STATES = (CaseState.ARRIVED, CaseState.RETURNED)
"""States in which a person must decide."""

FOLLOWED_STATES = (CaseState.RETURNED, CaseState.SUPPORT, CaseState.INQUIRE, CaseState.WATCH)
"""States of a case that people are at work on, whatever the newest judgement says."""

ENDED_STATES = (CaseState.NO_ACTION, CaseState.CLOSED)
"""States from which a case comes back only when a later judgement rises, or a person reopens it."""

WORKED_STATES = (CaseState.SUPPORT, CaseState.INQUIRE, CaseState.WATCH)
"""States in which somebody is at work: contacts are recorded, and there is always a next date."""

DATED_DECISIONS = (Decision.SUPPORT, Decision.INQUIRE, Decision.WATCH)
"""Decisions that are followed up: a next date can't be empty."""

REASON_CODES: Mapping[Decision, Mapping[str, str]] = {
    Decision.SUPPORT: {
        "S1": "複数の分野の事実が重なっている",
        "S2": "緊急性がある(必ず確認する事実がある)",
        "S3": "本人・家庭から相談や希望がある",
        "S4": "学校・園等から心配の声がある",
        "S9": "その他(理由を書く)",
    },
    Decision.INQUIRE: {
        "Q1": "事実が足りず、学校・園等に確かめる",
        "Q2": "事実が古く、いまの様子を確かめる",
        "Q3": "出所どうしの内容が食い違っている",
        "Q4": "家族・保護者の状況を関係課に確かめる",
        "Q9": "その他(理由を書く)",
    },
    Decision.WATCH: {
        "W1": "気になる事実はあるが、いまは落ち着いている",
        "W2": "すでに支援につながっており、様子を見る",
        "W3": "転入まもなく、記録が増えるのを待つ",
        "W9": "その他(理由を書く)",
    },
    Decision.NO_ACTION: {
        "N1": "事実を確かめ、困難はないと判断した",
        "N2": "ほかの機関が対応しており、重ねない",
        "N3": "記録の誤り・名寄せの誤りと思われる",
        "N4": "転出・年齢到達などで対象でなくなった",
        "N9": "その他(理由を書く)",
    },
}
"""Why, for each decision. Codes ending in 9 need a text that stands by itself."""

REVEAL_PURPOSES: Mapping[str, str] = {
    "P1": "支援のための連絡・訪問",
    "P2": "学校・園等への調査のための確認",
    "P3": "すでに関わっている家庭かどうかの確認",
    "P4": "緊急の安全確認",
}
"""What a name may be revealed for."""


class AnswerSource(LabelledEnum):
    """How an answer to an inquiry came into the record."""

    TYPED = "TYPED", "職員の入力"
    FILE = "FILE", "調査票(ファイル)"


INQUIRED: Mapping[str, str] = {
    "SCHOOL": "学校",
    "NURSERY": "保育所・幼稚園・認定こども園",
    "OFFICE": "庁内の関係課",
    "OUTSIDE": "外部団体",
}
"""Whom an inquiry (調査) may ask."""


def reason_label(decision: str, code: str) -> str:
    """The wording of a reason code; the code itself when it is no longer in the list."""
    return REASON_CODES.get(Decision(decision), {}).get(code, code)

"""The words of support as data: services, kinds and results of contacts, outcomes, why a case ends (casework side)."""

from __future__ import annotations

from collections.abc import Mapping

from kodomo.terms import LabelledEnum


class Service(LabelledEnum):
    """支援の内容."""

    HOME_VISIT = "HOME_VISIT", "訪問による相談・助言"
    COUNSELLING = "COUNSELLING", "面談・カウンセリング"
    SCHOOL = "SCHOOL", "学校での支援(スクールソーシャルワーカー・カウンセラー・別室)"
    LEARNING = "LEARNING", "学習支援・居場所"
    MEALS = "MEALS", "食事の支援・家事支援"
    CARE = "CARE", "介護・障害福祉サービスの調整"
    MONEY = "MONEY", "手当・就学援助・生活保護などの案内"
    HEALTH = "HEALTH", "母子保健・医療につなぐ"
    CLUB = "CLUB", "図書館・スポーツ・文化クラブへの案内"
    OTHER = "OTHER", "その他"


class ContactKind(LabelledEnum):
    """接触の方法."""

    VISIT = "VISIT", "訪問"
    INTERVIEW = "INTERVIEW", "面談"
    CALL = "CALL", "電話"
    LETTER = "LETTER", "手紙・置き手紙"
    MEETING = "MEETING", "関係機関との打合せ"
    REPLY = "REPLY", "受け渡し先からの回答票"


class ContactResult(LabelledEnum):
    """接触の結果. A refusal is a result like the others: the family's answer, not a failure of the work."""

    ACCEPTED = "ACCEPTED", "会えた・支援を受け入れた"
    TALKED = "TALKED", "会えた・話を聞いた"
    REFUSED = "REFUSED", "支援を断られた"
    ABSENT = "ABSENT", "会えなかった"
    LEFT_WORD = "LEFT_WORD", "伝言・手紙を残した"
    AGREED = "AGREED", "関係機関と分担を決めた"


MET = (ContactResult.ACCEPTED, ContactResult.TALKED, ContactResult.REFUSED)
"""Results in which the child or the family was reached."""


class OutcomeScale(LabelledEnum):
    """目標の結果."""

    ACHIEVED = "ACHIEVED", "達成した"
    BETTER = "BETTER", "よくなっている"
    SAME = "SAME", "変わらない"
    WORSE = "WORSE", "悪くなっている"
    DECLINED = "DECLINED", "本人・家庭が望まなかった"
    UNKNOWN = "UNKNOWN", "確かめられない"


GOOD = (OutcomeScale.ACHIEVED, OutcomeScale.BETTER)
"""What counts as better in the funnel."""


class PackageStep(LabelledEnum):
    """受け渡しの経過."""

    HANDED = "HANDED", "渡した"
    RECEIVED = "RECEIVED", "受け取ったと知らせがあった"
    REMINDED = "REMINDED", "催促した"
    REPLIED = "REPLIED", "回答票が戻った"
    DESTROYED = "DESTROYED", "廃棄を確かめた"


class OpeningSource(LabelledEnum):
    """受理のきっかけ."""

    TRANSFER_IN = "TRANSFER_IN", "ほかの市区町村から移管を受けた"
    CONSULTED = "CONSULTED", "相談・通告を受けた"


class Protection(LabelledEnum):
    """支援措置(DV等)のいま. Not knowing counts as being there."""

    NONE = "NONE", "支援措置なし"
    PROTECTED = "PROTECTED", "支援措置あり"
    UNKNOWN = "UNKNOWN", "支援措置の有無を確かめられない"


class Verdict(LabelledEnum):
    """承認者の答え."""

    APPROVED = "APPROVED", "承認する"
    REFUSED = "REFUSED", "差し戻す"


LONGEST_PACKAGE_DAYS = 180
"""After half a year a request to a partner is made anew, with what is true then."""


CLOSING_REASONS: Mapping[str, str] = {
    "C1": "目標を達成した",
    "C2": "ほかの機関が引き継いだ",
    "C3": "本人・家庭が支援を望まず、危険がないことを確かめた",
    "C4": "転出し、転出先に移管した",
    "C5": "年齢到達",
    "C9": "その他(理由を書く)",
}
"""Why a case is closed. Codes ending in 9 need a text, and so does C3: a refusal alone ends nothing."""

NEEDS_TEXT = ("C3", "C9")

"""Which role may do what: roles and actions as data, and the one place that decides (crosscutting).

Every page is mapped to one action; whoever asks comes through ``check``. Nothing is allowed that is
not written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kodomo.errors import NotPermitted
from kodomo.terms import LabelledEnum, Party


class Role(LabelledEnum):
    """役割. One account has one role; the four parties of the guideline and those who watch over them."""

    COORDINATOR = (
        "COORDINATOR",
        "総括管理主体 担当",
        "データを組み合わせた判定を取りまとめ、全部署の進み具合を見る。支援要否は決めない",
    )
    HOLDER = (
        "HOLDER",
        "保有・管理主体 担当",
        "自分野のデータを保有し、受け渡す。個別のこどもの画面は見ない",
    )
    ANALYST = (
        "ANALYST",
        "分析主体 担当",
        "判定の仕組みを作り、確かめる。仮名の統計だけを扱い、個別のこどもの画面は見ない",
    )
    PRACTITIONER = (
        "PRACTITIONER",
        "活用主体 担当(ケース担当)",
        "自部署の事例を読み、所見を書き、支援要否を判断し、支援して記録する。必要なときに氏名等を確かめる",
    )
    COMMITTEE_MEMBER = (
        "COMMITTEE_MEMBER",
        "統括委員会 委員",
        "仮番号のまま事例を読み、委員会で所見を書く。氏名は見ない。判定は自分の所見を書いた後に見る",
    )
    APPROVER = (
        "APPROVER",
        "承認者",
        "自部署の事例・判断・支援の記録を読み、主担当を決め、支援措置に関わる受け渡しを承認する管理職",
    )
    LINK_REVIEWER = (
        "LINK_REVIEWER",
        "名寄せ確認担当",
        "同じ人か決めきれない二つの記録を、氏名等を見比べて決める。事例・判定・支援の画面は見ない",
    )
    PRIVACY_OFFICER = (
        "PRIVACY_OFFICER",
        "個人情報保護担当",
        "証跡を読み、使われ方を確かめる。個別のこどもの画面は見ない",
    )
    SYSTEM_ADMINISTRATOR = (
        "SYSTEM_ADMINISTRATOR",
        "システム管理者",
        "利用者の登録と認証の復旧を行う。こどもの情報は一切見ない",
    )


PARTY_OF_ROLE: Mapping[Role, Party | None] = {
    Role.COORDINATOR: Party.COORDINATOR,
    Role.HOLDER: Party.HOLDER,
    Role.ANALYST: Party.ANALYST,
    Role.PRACTITIONER: Party.PRACTITIONER,
    Role.COMMITTEE_MEMBER: Party.PRACTITIONER,
    Role.APPROVER: Party.PRACTITIONER,
    Role.LINK_REVIEWER: Party.COORDINATOR,
    Role.PRIVACY_OFFICER: None,
    Role.SYSTEM_ADMINISTRATOR: None,
}
"""Which of the guideline's four parties a role works for; None watches over all of them."""


class Scope(LabelledEnum):
    """How far a permission reaches."""

    OWN_OFFICE = "OWN_OFFICE", "自部署の事例"
    EVERY_OFFICE = "EVERY_OFFICE", "すべての部署"


class Action(LabelledEnum):
    """操作. Every page of the site is exactly one of these."""

    SIGN_IN = "SIGN_IN", "サインインする", "だれでも。サインインの前の画面と、画面の部品"
    OWN_ACCOUNT = "OWN_ACCOUNT", "自分の認証を設定する", "二要素認証の登録と確認、サインアウト"
    VIEW_HOME = "VIEW_HOME", "待っている仕事を見る"
    VIEW_SHORTLIST = "VIEW_SHORTLIST", "一次絞り込みを見る", "氏名のない一覧"
    EXPORT_SHORTLIST = "EXPORT_SHORTLIST", "一次絞り込みを書き出す", "氏名のない一覧のファイル"
    VIEW_CASE = "VIEW_CASE", "個票を見る"
    PRINT_CASE = "PRINT_CASE", "個票を印刷する"
    WRITE_FIRST_VIEW = "WRITE_FIRST_VIEW", "一次所見を書く"
    WRITE_SHEET = "WRITE_SHEET", "アセスメントシートを書く"
    WRITE_NOTE = "WRITE_NOTE", "メモを書く"
    DISAGREE = "DISAGREE", "判定に同意しないと記す", "理由とともに。学習に使われる"
    DECIDE = "DECIDE", "支援要否を判断する"
    REVEAL_NAME = "REVEAL_NAME", "氏名等を確かめる"
    FIND_CASE = "FIND_CASE", "読みから事例を探す", "氏名の一覧は出ない。開いてよい事例の仮番号だけが返る"
    OPEN_CASE = (
        "OPEN_CASE",
        "移管・相談を受けて事例を開く",
        "読みと生年月日から、こどもデータベースの一人に決まるときだけ",
    )
    ASSIGN_CASE = "ASSIGN_CASE", "主担当を決める", "一覧からまとめて決める"
    ASK_INQUIRY = "ASK_INQUIRY", "学校・園等に調査を頼む"
    ANSWER_INQUIRY = "ANSWER_INQUIRY", "調査の回答を記録する"
    VIEW_CASELOAD = "VIEW_CASELOAD", "進行管理を見る", "支援・見守り・調査中の事例と、担当者ごとの件数"
    VIEW_SUPPORT = "VIEW_SUPPORT", "支援の記録を見る"
    WRITE_PLAN = "WRITE_PLAN", "支援計画を書く"
    RECORD_CONTACT = "RECORD_CONTACT", "訪問・面談・電話を記録する"
    RECORD_OUTCOME = "RECORD_OUTCOME", "目標の結果を記録する"
    VIEW_PACKAGES = "VIEW_PACKAGES", "受け渡しの台帳を見る", "渡した先、返ってこないもの、廃棄を確かめていないもの"
    MAKE_PACKAGE = "MAKE_PACKAGE", "受け渡し票をつくる", "学校・クラブ・NPOなどに、氏名のない最小限の内容を渡す"
    RECEIVE_REPLY = (
        "RECEIVE_REPLY",
        "回答票を取り込む",
        "受け渡し先から返ってきた xlsx・CSV。事例は受け渡し番号から決まる",
    )
    APPROVE_PACKAGE = (
        "APPROVE_PACKAGE",
        "受け渡しを承認する",
        "支援措置のある、または有無を確かめられない家庭の受け渡し票。つくった人は承認できない",
    )
    CLOSE_CASE = "CLOSE_CASE", "終結する"
    REOPEN_CASE = "REOPEN_CASE", "再開する"
    TRANSFER_CASE = "TRANSFER_CASE", "ほかの部署へ移管する"
    VIEW_CONFERENCE = "VIEW_CONFERENCE", "統括委員会の議事を見る"
    HOLD_CONFERENCE = "HOLD_CONFERENCE", "統括委員会を開く", "議事を組み、進行し、決定を記録する"
    WRITE_MEMBER_VIEW = "WRITE_MEMBER_VIEW", "委員の所見を書く", "ほかの委員の所見と判定を見る前に書く"
    VIEW_EFFECT = "VIEW_EFFECT", "取組の効果を見る", "こども一人ひとりは出ない集計。少数は伏せる"
    VIEW_JOBS = "VIEW_JOBS", "処理の状況を見る"
    STOP_JOB = "STOP_JOB", "処理を取りやめる・再開する"
    RUN_LINKAGE = "RUN_LINKAGE", "名寄せと反映を始める"
    RUN_JUDGEMENT = "RUN_JUDGEMENT", "判定を始める"
    RUN_EVALUATION = "RUN_EVALUATION", "検証を始める"
    EXPORT_JUDGEMENTS = "EXPORT_JUDGEMENTS", "判定を書き出す", "仮名の一覧のファイル"
    VIEW_DELIVERIES = "VIEW_DELIVERIES", "受け渡しデータを見る", "件数・行番号・列・コードだけ。値は出ない"
    UPLOAD_DELIVERY = "UPLOAD_DELIVERY", "受け渡しデータを渡す"
    VIEW_REGISTER = "VIEW_REGISTER", "データ項目台帳を見る"
    VIEW_CRITERIA = "VIEW_CRITERIA", "判定基準を見る"
    EDIT_CRITERIA = (
        "EDIT_CRITERIA",
        "判定基準の案を書く",
        "点数表・指標・枠を変え、試し、承認を求める。書いただけでは使われない",
    )
    PROPOSE_CRITERIA = "PROPOSE_CRITERIA", "判定基準の版を提案する"
    APPROVE_CRITERIA = "APPROVE_CRITERIA", "判定基準の版を承認する・取り下げる", "二人の承認で使えるようになる"
    VIEW_RUNS = "VIEW_RUNS", "判定の実行を見る", "こども一人ひとりは出ない集計"
    ASK_RELEASE = "ASK_RELEASE", "判定の公開を申請する"
    APPROVE_RELEASE = "APPROVE_RELEASE", "判定の公開を承認する"
    VIEW_EVALUATION = "VIEW_EVALUATION", "判定の検証を見る", "集計だけ。少数は伏せる"
    VIEW_MISJUDGED = (
        "VIEW_MISJUDGED",
        "見落としの一覧を見る",
        "検証で、枠に入らなかった登録と、登録のなかった「高」。仮番号だけ。見るたびに証跡が残る",
    )
    REVIEW_LINK = "REVIEW_LINK", "名寄せを確かめる", "二つの記録の氏名等を見比べる。見るたびに本人確認と証跡を伴う"
    VIEW_AUDIT = "VIEW_AUDIT", "証跡を見る"
    MANAGE_ACCOUNTS = "MANAGE_ACCOUNTS", "利用者を管理する"


_CASEWORK = (
    Action.WRITE_SHEET, Action.WRITE_NOTE, Action.DISAGREE, Action.ASK_INQUIRY, Action.ANSWER_INQUIRY, Action.WRITE_PLAN, Action.RECORD_CONTACT, Action.RECORD_OUTCOME,
    Action.MAKE_PACKAGE, Action.CLOSE_CASE, Action.REOPEN_CASE, Action.TRANSFER_CASE,
)  # fmt: skip

CASE_ACTIONS = frozenset(
    {Action.VIEW_CASE, Action.PRINT_CASE, Action.WRITE_FIRST_VIEW, Action.DECIDE, Action.REVEAL_NAME,
     Action.VIEW_SUPPORT, Action.APPROVE_PACKAGE, *_CASEWORK}
)  # fmt: skip
"""Actions on one child's case: they need to know whose office the case is."""

_EVERYBODY = {Action.OWN_ACCOUNT: Scope.EVERY_OFFICE, Action.VIEW_HOME: Scope.EVERY_OFFICE}

GRANTS: Mapping[Role, Mapping[Action, Scope]] = {
    Role.COORDINATOR: {
        **_EVERYBODY,
        Action.VIEW_SHORTLIST: Scope.EVERY_OFFICE,
        Action.EXPORT_SHORTLIST: Scope.EVERY_OFFICE,
        Action.VIEW_CASE: Scope.EVERY_OFFICE,
        Action.PRINT_CASE: Scope.EVERY_OFFICE,
        Action.ASSIGN_CASE: Scope.EVERY_OFFICE,
        Action.VIEW_CASELOAD: Scope.EVERY_OFFICE,
        Action.VIEW_SUPPORT: Scope.EVERY_OFFICE,
        Action.VIEW_PACKAGES: Scope.EVERY_OFFICE,
        Action.VIEW_CONFERENCE: Scope.EVERY_OFFICE,
        Action.HOLD_CONFERENCE: Scope.EVERY_OFFICE,
        Action.VIEW_EFFECT: Scope.EVERY_OFFICE,
        Action.VIEW_JOBS: Scope.EVERY_OFFICE,
        Action.STOP_JOB: Scope.EVERY_OFFICE,
        Action.RUN_LINKAGE: Scope.EVERY_OFFICE,
        Action.RUN_JUDGEMENT: Scope.EVERY_OFFICE,
        Action.RUN_EVALUATION: Scope.EVERY_OFFICE,
        Action.VIEW_DELIVERIES: Scope.EVERY_OFFICE,
        Action.UPLOAD_DELIVERY: Scope.EVERY_OFFICE,
        Action.VIEW_REGISTER: Scope.EVERY_OFFICE,
        Action.VIEW_CRITERIA: Scope.EVERY_OFFICE,
        Action.EDIT_CRITERIA: Scope.EVERY_OFFICE,
        Action.PROPOSE_CRITERIA: Scope.EVERY_OFFICE,
        Action.APPROVE_CRITERIA: Scope.EVERY_OFFICE,
        Action.VIEW_RUNS: Scope.EVERY_OFFICE,
        Action.ASK_RELEASE: Scope.EVERY_OFFICE,
        Action.VIEW_EVALUATION: Scope.EVERY_OFFICE,
        Action.VIEW_MISJUDGED: Scope.EVERY_OFFICE,
    },
    Role.HOLDER: {
        **_EVERYBODY,
        Action.VIEW_JOBS: Scope.OWN_OFFICE,
        Action.STOP_JOB: Scope.OWN_OFFICE,
        Action.VIEW_DELIVERIES: Scope.OWN_OFFICE,
        Action.UPLOAD_DELIVERY: Scope.OWN_OFFICE,
        Action.VIEW_REGISTER: Scope.EVERY_OFFICE,
    },
    Role.ANALYST: {
        **_EVERYBODY,
        Action.VIEW_JOBS: Scope.EVERY_OFFICE,
        Action.STOP_JOB: Scope.OWN_OFFICE,
        Action.RUN_EVALUATION: Scope.EVERY_OFFICE,
        Action.EXPORT_JUDGEMENTS: Scope.EVERY_OFFICE,
        Action.VIEW_CRITERIA: Scope.EVERY_OFFICE,
        Action.EDIT_CRITERIA: Scope.EVERY_OFFICE,
        Action.PROPOSE_CRITERIA: Scope.EVERY_OFFICE,
        Action.VIEW_REGISTER: Scope.EVERY_OFFICE,
        Action.VIEW_RUNS: Scope.EVERY_OFFICE,
        Action.VIEW_EVALUATION: Scope.EVERY_OFFICE,
    },
    Role.PRACTITIONER: {
        **_EVERYBODY,
        Action.VIEW_SHORTLIST: Scope.OWN_OFFICE,
        Action.EXPORT_SHORTLIST: Scope.OWN_OFFICE,
        Action.VIEW_CASE: Scope.OWN_OFFICE,
        Action.PRINT_CASE: Scope.OWN_OFFICE,
        Action.WRITE_FIRST_VIEW: Scope.OWN_OFFICE,
        Action.DECIDE: Scope.OWN_OFFICE,
        Action.REVEAL_NAME: Scope.OWN_OFFICE,
        Action.FIND_CASE: Scope.OWN_OFFICE,
        Action.OPEN_CASE: Scope.OWN_OFFICE,
        Action.ASSIGN_CASE: Scope.OWN_OFFICE,
        Action.VIEW_CASELOAD: Scope.OWN_OFFICE,
        Action.VIEW_SUPPORT: Scope.OWN_OFFICE,
        Action.VIEW_PACKAGES: Scope.OWN_OFFICE,
        Action.RECEIVE_REPLY: Scope.OWN_OFFICE,
        **dict.fromkeys(_CASEWORK, Scope.OWN_OFFICE),
        Action.VIEW_EFFECT: Scope.EVERY_OFFICE,
    },
    Role.COMMITTEE_MEMBER: {
        **_EVERYBODY,
        Action.VIEW_SHORTLIST: Scope.EVERY_OFFICE,
        Action.VIEW_CASE: Scope.EVERY_OFFICE,
        Action.VIEW_CONFERENCE: Scope.EVERY_OFFICE,
        Action.WRITE_MEMBER_VIEW: Scope.EVERY_OFFICE,
        Action.VIEW_EFFECT: Scope.EVERY_OFFICE,
    },
    Role.APPROVER: {
        **_EVERYBODY,
        Action.VIEW_SHORTLIST: Scope.OWN_OFFICE,
        Action.VIEW_CASE: Scope.OWN_OFFICE,
        Action.PRINT_CASE: Scope.OWN_OFFICE,
        Action.ASSIGN_CASE: Scope.OWN_OFFICE,
        Action.VIEW_CASELOAD: Scope.OWN_OFFICE,
        Action.VIEW_SUPPORT: Scope.OWN_OFFICE,
        Action.VIEW_PACKAGES: Scope.OWN_OFFICE,
        Action.APPROVE_PACKAGE: Scope.OWN_OFFICE,
        Action.VIEW_EFFECT: Scope.EVERY_OFFICE,
        Action.VIEW_CRITERIA: Scope.EVERY_OFFICE,
        Action.PROPOSE_CRITERIA: Scope.EVERY_OFFICE,
        Action.APPROVE_CRITERIA: Scope.EVERY_OFFICE,
        Action.VIEW_RUNS: Scope.EVERY_OFFICE,
        Action.APPROVE_RELEASE: Scope.EVERY_OFFICE,
        Action.VIEW_EVALUATION: Scope.EVERY_OFFICE,
    },
    Role.LINK_REVIEWER: {**_EVERYBODY, Action.REVIEW_LINK: Scope.EVERY_OFFICE},
    Role.PRIVACY_OFFICER: {
        **_EVERYBODY,
        Action.VIEW_AUDIT: Scope.EVERY_OFFICE,
        Action.VIEW_DELIVERIES: Scope.EVERY_OFFICE,
        Action.VIEW_REGISTER: Scope.EVERY_OFFICE,
        Action.VIEW_CRITERIA: Scope.EVERY_OFFICE,
        Action.APPROVE_CRITERIA: Scope.EVERY_OFFICE,
        Action.VIEW_RUNS: Scope.EVERY_OFFICE,
        Action.VIEW_EVALUATION: Scope.EVERY_OFFICE,
    },
    Role.SYSTEM_ADMINISTRATOR: {
        **_EVERYBODY,
        Action.MANAGE_ACCOUNTS: Scope.EVERY_OFFICE,
        Action.VIEW_JOBS: Scope.EVERY_OFFICE,
        Action.STOP_JOB: Scope.EVERY_OFFICE,
    },
}
"""Who may do what. What is not here is refused."""


@dataclass(frozen=True)
class Actor:
    """The person who acts: an account, the name shown to others, its role and its office."""

    username: str
    name: str
    role: Role
    office: str


def scope(role: Role, action: Action) -> Scope | None:
    """How far the role's permission for the action reaches; None when it has none."""
    return GRANTS.get(role, {}).get(action)


def can(role: Role | None, action: Action, *, own_office: bool | None = None, has_interest: bool = False) -> bool:
    """Whether the role may do it.

    Args:
        role: None for somebody who has not signed in; they may sign in and nothing else.
        own_office: whether the case is of the person's own office. An action on a case that
            comes without this answer is refused: not knowing is never a yes.
        has_interest: whether the person declared an interest in the case (利害関係). No role outweighs it.
    """
    if has_interest:
        return False
    if action is Action.SIGN_IN:
        return True
    reach = scope(role, action) if role is not None else None
    if reach is None or (action in CASE_ACTIONS and own_office is None):
        return False
    return reach is Scope.EVERY_OFFICE or own_office is not False


def check(role: Role | None, action: Action, *, own_office: bool | None = None, has_interest: bool = False) -> None:
    """Refuse what the role may not do. The choke point: every page and every write passes here.

    Raises:
        NotPermitted: names the action and the role, never the child.
    """
    if can(role, action, own_office=own_office, has_interest=has_interest):
        return
    if has_interest:
        raise NotPermitted(
            "利害関係があると申し出た事例です。内容を見ることも、書くこともできません。",
            then="必要なことは、その事例を担当するほかの人に頼んでください。",
        )
    if role is not None and scope(role, action) is not None:
        raise NotPermitted(
            f"「{action.label}」は、ほかの部署の事例にはできません。",
            then="その事例の担当部署に連絡してください。",
        )
    raise NotPermitted(
        f"「{action.label}」は、{f'「{role.label}」の役割では' if role else 'サインインの前には'}できません。",
        then="必要な仕事のときは、総括管理主体の担当に相談してください。",
    )

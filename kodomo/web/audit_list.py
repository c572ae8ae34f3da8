"""The audit trail on screen, for the person who watches how data are used (casework side)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.governance.permissions import Action, Role
from kodomo.web.models import Staff
from kodomo.web.verify import verify_audit_here

PAGE_SIZE = 100

ACTION_WORDS = {
    **{action.value: action.label for action in Action},
    "VIEW_CASE": "個票を見た",
    "PRINT_CASE": "個票を印刷した",
    "WRITE_FIRST_VIEW": "一次所見を書いた",
    "DECIDE": "支援要否を判断した",
    "REVEAL_NAME": "氏名等を確かめた",
    "FIND_CASE": "読みから事例を探した",
    "VIEW_SUPPORT": "支援の記録を見た",
    "VIEW_CASELOAD": "進行管理を見た",
    "VIEW_EFFECT": "取組の効果を見た",
    "ASSIGN_CASE": "主担当を決めた",
    "ASK_INQUIRY": "調査を頼んだ",
    "ANSWER_INQUIRY": "調査の回答を記録した",
    "WRITE_PLAN": "支援計画を書いた",
    "RECORD_CONTACT": "訪問・面談・電話を記録した",
    "RECORD_OUTCOME": "目標の結果を記録した",
    "CLOSE_CASE": "終結した",
    "REOPEN_CASE": "再開した",
    "TRANSFER_CASE": "移管した",
    "WRITE_SHEET": "アセスメントシートを書いた",
    "OPEN_SHEET": "アセスメントシートを開いた",
    "KEEP_DRAFT": "下書きを残した",
    "MAKE_PACKAGE": "受け渡し票をつくった・経過を記録した",
    "OPEN_PACKAGE": "受け渡し票の画面を開いた",
    "OPEN_PACKAGE_EVENT": "受け渡しの経過の画面を開いた",
    "PRINT_PACKAGE": "受け渡し票を開いた",
    "PRINT_PACKAGE_KEY": "逆引き票を開いた",
    "OPEN_INQUIRY": "調査の画面を開いた",
    "OPEN_ANSWER": "調査の回答の画面を開いた",
    "OPEN_PLAN": "支援計画の画面を開いた",
    "OPEN_CONTACT": "接触の記録の画面を開いた",
    "OPEN_OUTCOME": "結果の画面を開いた",
    "OPEN_CLOSE": "終結の画面を開いた",
    "OPEN_REOPEN": "再開の画面を開いた",
    "OPEN_TRANSFER": "移管の画面を開いた",
    "SAVE_FILTER": "絞り込みの条件を保存した",
    "DROP_FILTER": "絞り込みの条件を消した",
    "RETURN_OUTCOMES": "判断と支援結果をこどもデータベースへ返した",
    "VIEW_CONFERENCE": "統括委員会の議事を見た",
    "OPEN_CALL": "会議を開く画面(議事の候補)を見た",
    "CALL_CONFERENCE": "統括委員会を開いた",
    "OPEN_CALL_OFF": "会議を取りやめる画面を見た",
    "CALL_OFF_CONFERENCE": "統括委員会を取りやめた",
    "HOLD_CONFERENCE": "統括委員会の決定を記録した",
    "START_ITEM": "議事を始めた",
    "VIEW_ITEM": "議事の事例を見た",
    "WRITE_MEMBER_VIEW": "委員の所見を書いた",
    "PRINT_MINUTES": "議事録を開いた",
    "OPEN_DECIDE": "判断の画面を開いた",
    "OPEN_REVEAL": "氏名等を確かめる画面を開いた",
    "VERSION_CONFLICT": "保存がほかの人の更新と重なった",
    "VIEW_HOME": "ホームを見た",
    "VIEW_SHORTLIST": "一次絞り込みを見た",
    "EXPORT_SHORTLIST": "一次絞り込みを書き出した",
    "VIEW_AUDIT": "証跡を見た",
    "VERIFY_AUDIT": "証跡を検証した",
    "SIGN_IN": "サインインした",
    "SIGN_OUT": "サインアウトした",
    "SIGN_IN_FAILED": "サインインに失敗した",
    "SECOND_FACTOR": "二要素認証を通った",
    "SECOND_FACTOR_FAILED": "二要素認証に失敗した",
    "ENROL_SECOND_FACTOR": "二要素認証を登録した",
    "CHANGE_PASSWORD": "パスワードを変えた",
    "CHANGE_PASSWORD_FAILED": "パスワードの変更に失敗した",
    "STEP_UP_FAILED": "再認証に失敗した",
    "REFUSED": "権限がなく断られた",
    "RECEIVE_ARRIVALS": "判定を受理した",
    "PROPOSE_CRITERIA": "判定基準の版を提案した",
    "APPROVE_CRITERIA": "判定基準の版を承認した",
    "WITHDRAW_CRITERIA": "判定基準の版を取り下げた",
    "TAKE_POINTS": "点数表の見直しのファイルを受け取った",
    "BEGIN_DRAFT": "判定基準の案を始めた",
    "SAVE_DRAFT": "判定基準の案を直した",
    "SUBMIT_DRAFT": "判定基準の案の承認を求めた",
    "DROP_DRAFT": "判定基準の案をやめた",
    "PROMOTE_MODEL": "判定モデルを承認した",
    "ROLL_BACK_MODEL": "判定モデルを前に戻した",
    "SAY_RULE": "発見されたルールに意見を書いた",
    "ASK_RELEASE": "判定の公開を申請した",
    "APPROVE_RELEASE": "判定の公開を承認した",
    "REFUSE_RELEASE": "判定の公開を見送った",
    "OPEN_PAIR": "名寄せの組を開いた",
    "DECIDE_PAIR": "名寄せの組を決めた",
    "UNDO_PAIR": "名寄せの判断を取り消した",
    "START_JOB": "処理を始めた",
    "CANCEL_JOB": "処理を取りやめた",
    "RESUME_JOB": "処理を再開した",
    "TAKE_JOB_FILE": "判定の書き出しを持ち出した",
    "WRITE_NOTE": "メモを書いた",
    "DISAGREE": "判定に同意しないと記した",
    "OPEN_NOTE": "メモを書く画面を開いた",
    "OPEN_DISAGREE": "判定に同意しない画面を開いた",
    "PRINT_PAPERS": "会議資料を印刷した",
    "PRINT_INQUIRY": "調査票を印刷した",
    "SEAL_INQUIRY": "調査票のファイルをつくった",
    "DOWNLOAD_INQUIRY": "調査票のファイルを持ち出した",
    "OPEN_INQUIRY_FILE": "調査票のファイルの画面を開いた",
    "OPEN_INQUIRY_RETURN": "戻った調査票の画面を開いた",
    "READ_INQUIRY_FORM": "戻った調査票を読んだ",
    "REFUSE_INQUIRY_FORM": "戻った調査票を取り込まなかった",
    "PRINT_REMINDER": "催促状を印刷した",
    "CREATE_ACCOUNT": "利用者を登録した",
    "CHANGE_ACCOUNT": "利用者を変更した",
}
"""Audit actions in words."""

DETAIL_WORDS = {
    "count": "件数", "filters": "条件", "decision": "判断", "revision": "版", "page": "画面",
    "judgement": "判定", "concern": "気がかり", "agreement": "判定への意見", "next_on": "次回確認日",
    "opened": "新規", "updated": "更新", "returned": "再燃", "judged": "判定数", "insufficient": "情報不足",
    "conference": "会議", "inquiry": "照会番号", "member": "写しを受け取る委員", "members": "委員", "interest": "利害関係", "voices": "所見の数", "against": "異なる意見",
    "package": "受け渡し番号", "partner": "受け渡し先", "expires_on": "期限", "step": "経過", "type": "類型", "caseworker": "主担当", "asked": "照会先", "due_on": "期限", "answered_on": "回答日", "goals": "目標数",
    "kind": "方法", "result": "結果", "goal": "目標", "outcome": "結果", "reason_code": "理由", "from": "移管元",
    "to": "移管先", "view": "見かた", "parts": "開いた項目", "found": "見つかった数",
    "decisions": "判断", "disagreements": "同意しない意見", "opinion": "意見", "contacts": "接触", "outcomes": "結果", "closures": "終結",
    "job": "処理番号", "pair": "組", "version": "版", "as_of": "基準日",
    "escalated": "必ず確認", "what": "内容", "account": "利用者", "number": "印刷番号", "levels_shown": "判定の表示",
}  # fmt: skip


class AuditFilter(forms.Form):
    """証跡の条件."""

    actor = forms.CharField(label="だれが(利用者番号)", required=False, max_length=64)
    action = forms.ChoiceField(label="なにを", required=False, choices=[("", "すべて"), *sorted(ACTION_WORDS.items())])
    case = forms.CharField(label="事例の仮番号", required=False, max_length=16)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


@dataclass(frozen=True)
class AuditLine:
    """One row as shown. The child key stays out of sight: the case number is enough here."""

    sequence: int
    at: Any
    actor: str
    name: str
    role: str
    action: str
    case: str
    purpose: str
    detail: str


@require_safe
def audit_list(request: Any) -> HttpResponse:
    """Show the trail, newest first; reading it is itself recorded."""
    form = AuditFilter(request.GET or None)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = _rows(asked)
    shown = {"count": min(len(rows), PAGE_SIZE), "filters": {k: v for k, v in asked.items() if v}}
    trail.record_first(trail.event_of(request.actor, Action.VIEW_AUDIT, detail=shown), request.at)
    names = dict(Staff.objects.values_list("username", "name"))
    lines = [_line(row, names) for row in rows[:PAGE_SIZE]]
    older = lines[-1].sequence if len(rows) > PAGE_SIZE else None
    query = request.GET.copy()
    query.pop("before", None)
    context = {"form": form, "lines": lines, "older": older, "query": query.urlencode()}
    return render(request, "web/audit_list.html", context)


@require_safe
def verify(request: Any) -> HttpResponse:
    """Walk both chains and say whether every row is as it was written."""
    with trail.recorded(trail.event_of(request.actor, "VERIFY_AUDIT"), request.at):
        pass
    return render(request, "web/audit_verify.html", {"chains": verify_audit_here(settings.HOME)})


def _rows(asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    conditions, values = ["1 = 1"], []
    for name, sql in (("actor", "actor = %s"), ("action", "action = %s"), ("before", "sequence < %s")):
        if asked.get(name):
            conditions.append(sql)
            values.append(asked[name])
    if asked.get("case"):
        conditions.append("detail LIKE %s")
        values.append(f'%"case": "{asked["case"]}"%')
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequence, at, actor, role, action, purpose, reason, detail FROM audit_events"
            f" WHERE {' AND '.join(conditions)} ORDER BY sequence DESC LIMIT {PAGE_SIZE + 1}",
            values,
        )
        return list(cursor.fetchall())


def _line(row: tuple[Any, ...], names: dict[str, str]) -> AuditLine:
    sequence, at, actor, role, action, purpose, reason, detail = row
    content = json.loads(detail)
    return AuditLine(
        sequence=sequence,
        at=parse_datetime(at),
        actor=actor,
        name=names.get(actor, "—"),
        role=Role(role).label if role in set(Role) else "自動処理",
        action=ACTION_WORDS.get(action, action),
        case=str(content.pop("case", "") or ""),
        purpose=purpose or reason,
        detail="、".join(
            f"{DETAIL_WORDS.get(k, k)} {_words(v)}" for k, v in content.items() if v not in ("", {}, None)
        ),
    )


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "・".join(f"{DETAIL_WORDS.get(k, k)}={_words(v)}" for k, v in value.items())
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    return str(value)

"""Criteria in the words of staff: conditions, keys, what changed between two versions (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from kodomo.assessment.dates import short_date
from kodomo.configuration import read_toml
from kodomo.governance.approvals import Step
from kodomo.governance.criteria_in_force import in_force
from kodomo.governance.criteria_text import Change, entries
from kodomo.governance.permissions import Role
from kodomo.terms import OVERALL, OVERALL_LABEL, DifficultyType, difficulty_label

TABLE_WORDS = {
    "indicators": "指標", "points": "点数表の行", "escalations": "必ず確認する事実", "types": "類型の対象", "labels": "把握事例の決まり",
    "known_to_support": "支援につながっている記録", "feedback": "判断からの学び", "sources": "出所", "approved_by": "承認者の記載", "": "全体",
}  # fmt: skip
KEY_WORDS = {
    "points": "点", "when": "条件", "rationale": "そう考える理由", "source": "出典", "sentence": "根拠の文", "sentence_zero": "0 のときの文",
    "is_off": "使うか", "note": "覚え書き", "group": "まとまり", "kind": "種類", "type": "類型", "code": "コード", "caption": "名前",
    "window_months": "期間(月)", "baseline_months": "比べる過去の長さ(月)", "expiry_months": "古い記録を数えなくなる月数", "number": "数える値の条件",
    "ages": "年齢", "grades": "学年", "types": "用いる類型", "item": "データ項目", "aggregate": "まとめ方", "version": "版の名前",
    "base_rate": "点が 0 のときの目安", "point_is": "1 点の重み", "must_beat_points": "点数表を上回ると言えるときだけ学習を使う", "weight": "重み", "half_life_months": "重みが半分になる月数", "codes": "区分", "whose": "だれの記録か", "at": "時点",
    "high": "「高」の枠", "middle": "「中」の枠", "band": "レベルを保つ幅", "parts": "類型・部署ごとの枠",
}  # fmt: skip
KIND_WORDS = {
    "risk": "困難を示す", "benefit_gap": "使える制度が使われていない", "connection_gap": "必要な支援につながっていない", "connected": "すでに支援につながっている(点を引く)",
}  # fmt: skip
AGGREGATE_WORDS = {
    "sum": "合計", "count": "件数", "max": "最大", "min": "最小", "last": "いちばん新しい値", "mean": "平均", "any": "あるかどうか",
    "months_since": "最後からの月数", "distinct": "種類の数", "change": "本人の過去との差", "streak": "続いた月数", "trend": "傾き", "share": "割合",
}  # fmt: skip
OPERATORS = (
    (">=", "以上"),
    (">", "より大きい"),
    ("<=", "以下"),
    ("<", "より小さい"),
    ("==", "ちょうど"),
    ("!=", "以外"),
)


def act_words(act: Mapping[str, Any]) -> dict[str, Any]:
    """One act of the book of approvals, in words."""
    return {**act, "step_label": Step(act["step"]).label, "role_label": Role(act["role"]).label, "on": _day(act["at"])}


def _day(at: str) -> str:
    """The city's day of a moment of the book, which it keeps in UTC; a day written in the folder is one already."""
    moment = dt.datetime.fromisoformat(at)
    return short_date((moment.astimezone(settings.LOCAL_ZONE) if moment.tzinfo else moment).date())


def captions_of(text: str) -> dict[str, str]:
    """Each indicator's name by its code."""
    return {str(entry.get("code", "")): str(entry.get("caption", "")) for entry in entries(text, "indicators")}


def indicators_in_force() -> list[dict[str, Any]]:
    """The indicators as the criteria say now; none where there are no criteria yet."""
    path = in_force(settings.HOME, settings.MUNICIPALITY).criteria_folder / "criteria" / "indicators.toml"
    return list(read_toml(path).get("indicators", ())) if path.exists() else []


def when_words(conditions: Sequence[Any], captions: Mapping[str, str]) -> str:
    """Conditions as staff read them: 直近3か月の欠席日数 15 以上 かつ …"""
    parts = []
    for text in conditions:
        name, operator, bound = condition_parts(str(text))
        parts.append(f"{captions.get(name, name)} {bound} {dict(OPERATORS).get(operator, operator)}".strip())
    return " かつ ".join(parts)


def condition_parts(text: str) -> tuple[str, str, str]:
    """Indicator, comparison and bound of one written condition."""
    name, _, rest = text.strip().partition(" ")
    operator = next(
        (sign for sign, _ in sorted(OPERATORS, key=lambda o: -len(o[0])) if rest.strip().startswith(sign)), ""
    )
    return name, operator, rest.strip()[len(operator) :].strip()


def change_lines(changes: Sequence[Change], texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Differences as lines of a page: what, which key, before, after."""
    captions = captions_of(texts["indicators.toml"])
    found = []
    for change in changes:
        if (change.table, change.key) == ("", "version"):
            continue
        found.append({
            "what": f"{TABLE_WORDS.get(change.table, change.table)} {_entry_words(change, texts, captions)}".strip(),
            "key": KEY_WORDS.get(change.key, change.key) if change.key else ("加えた" if change.before is None else "外した"),
            "before": value_words(change.key, change.before, captions),
            "after": value_words(change.key, change.after, captions),
        })  # fmt: skip
    return found


def figure_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    """Differences of the figures of capacity as lines of a page."""
    found = [
        {
            "what": "すべての類型",
            "key": KEY_WORDS[key],
            "before": share_words(before[key]),
            "after": share_words(after[key]),
        }
        for key in ("high", "middle", "band")
        if before[key] != after[key]
    ]
    then, now = ({(p["type"], p["office"]): p for p in side.get("parts", ())} for side in (before, after))
    for place in sorted({*then, *now}):
        old, new = (_part_words(side.get(place)) for side in (then, now))
        if old != new:
            found.append({"what": part_name(*place), "key": "枠", "before": old, "after": new})
    return found


def share_words(share: float) -> str:
    """A share as staff read it: 2.5 %."""
    return f"{100 * share:.4g} %"


def part_name(kind: str, office: str) -> str:
    """Whose capacity a part is."""
    offices = {one.code: one.name for one in settings.MUNICIPALITY.offices}
    words = [difficulty_label(kind) if kind else "すべての類型", offices.get(office, office) if office else ""]
    return "・".join(word for word in words if word)


def type_choices() -> list[tuple[str, str]]:
    """The types a capacity may be of."""
    return [("", "すべての類型"), (OVERALL, OVERALL_LABEL), *((t.value, t.label) for t in settings.MUNICIPALITY.types)]


def office_choices(named: str = "") -> list[tuple[str, str]]:
    """The offices that receive cases; beside them the one a line names, where it is none of them any more."""
    offices = [(one.code, one.name) for one in settings.MUNICIPALITY.offices if one.age_bands]
    gone = [(named, f"いまはない部署({named})")] if named and named not in dict(offices) else []
    return [("", "すべての部署"), *offices, *gone]


def value_words(key: str, value: Any, captions: Mapping[str, str]) -> str:
    """One value as staff read it."""
    if key == "is_off":
        return "使わない" if value else "使う"
    if value is None:
        return "—"
    if isinstance(value, dict):
        when = when_words(value.get("when", ()), captions)
        told = [
            when or str(value.get("caption") or value.get("type") or ""),
            f"{value['points']} 点" if "points" in value else "",
        ]
        return " ".join(word for word in told if word) or "—"
    if key == "when":
        return when_words(value, captions)
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if key == "kind":
        return KIND_WORDS.get(str(value), str(value))
    return "・".join(map(str, value)) if isinstance(value, list) else str(value)


def rows_of_type(texts: Mapping[str, str], kind: DifficultyType, table: str = "points") -> list[dict[str, Any]]:
    """The lines of one type, each with its conditions in words."""
    captions = captions_of(texts["indicators.toml"])
    return [
        {
            **entry,
            "words": when_words(entry.get("when", ()), captions),
            "kind_words": KIND_WORDS.get(entry.get("kind", "risk"), ""),
        }
        for entry in entries(texts["scenarios.toml"], table)
        if entry.get("type") == kind.label
    ]


def _entry_words(change: Change, texts: Mapping[str, str], captions: Mapping[str, str]) -> str:
    if change.table == "indicators":
        return f"「{captions.get(change.entry, change.entry)}」"
    if change.table in ("points", "escalations"):
        listed = {entry.get("code"): entry for entry in entries(texts["scenarios.toml"], change.table)}
        entry = listed.get(change.entry) or change.before or change.after
        if isinstance(entry, Mapping):
            return f"{entry.get('type', '')}「{when_words(entry.get('when', ()), captions)}」"
    return f"「{change.entry}」" if change.entry and len(change.entry) < 40 else ""


def _part_words(part: Mapping[str, Any] | None) -> str:
    return f"高 {share_words(part['high'])}、中 {share_words(part['middle'])}" if part else "—"

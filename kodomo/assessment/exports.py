"""The shortlist as a file: masked, watermarked, safe to open in a spreadsheet (casework side)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from kodomo.assessment import dates
from kodomo.assessment.lawful import Lawful
from kodomo.governance.permissions import Actor
from kodomo.terms import AgeBand

HEADINGS = (
    "仮番号", "学年", "年齢区分", "地区", "担当部署", "状態", "確認する類型", "必ず確認", "要対協",
    "支援とのつながり", "情報", "転入1年以内", "主担当", "次回確認日",
)  # fmt: skip

_FORMULA = tuple("=+-@\t\r＝＋－＠")


def shortlist_csv(
    rows: Iterable[Mapping[str, Any]],
    *,
    actor: Actor,
    at: dt.datetime,
    number: int,
    lawful: Lawful,
    people: Mapping[str, str],
) -> bytes:
    """The rows as CSV that a Japanese spreadsheet opens rightly (UTF-8 with BOM).

    The first two lines say that it must be handled with care, who took it, when and under which
    number of the audit trail. ``people``: user name → name of the staff. No child's name, no level that the reader may not see yet, nothing without a basis today.
    """
    offices = {office.code: office.name for office in settings.MUNICIPALITY.offices}
    moment = at.astimezone(settings.LOCAL_ZONE)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([f"【取扱注意】支援ニーズの確認候補 一覧 出力番号 {number}"])
    writer.writerow(
        [f"出力者 {safe_cell(actor.name)}({actor.role.label}) {dates.long_date(moment.date())} {moment:%H:%M}"]
    )
    writer.writerow(HEADINGS)
    for row in rows:
        writer.writerow([safe_cell(value) for value in _cells(row, offices, people, lawful)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cells(row: Mapping[str, Any], offices: Mapping[str, str], people: Mapping[str, str], lawful: Lawful) -> list[str]:
    case = row["case"]
    no_support = "どの機関ともつながっていない" if case.is_known_to_nobody and lawful.may_tell_nobody else "支援未接続"
    types = "、".join(t.label + (f"({t.level_label})" if row["levels_shown"] else "") for t in row["types"])
    return [
        case.case_number,
        case.grade_label,
        AgeBand(case.age_band).label,
        case.area_label,
        offices.get(case.office, case.office),
        case.get_state_display(),
        types,
        "あり" if case.must_see else "",
        _flag(lawful.may_tell_council, case.is_council_registered, "登録", "未登録"),
        _flag(lawful.may_tell_known, case.is_known_to_support, "つながっている", no_support),
        "情報不足" if case.is_insufficient else "",
        _flag(lawful.may_tell_moved_in, case.moved_in_within_year, "はい", ""),
        people.get(case.caseworker, case.caseworker),
        case.next_on.isoformat() if case.next_on else "",
    ]


def _flag(may_tell: bool, value: bool, yes: str, no: str) -> str:
    if not may_tell:
        return "(根拠がなく表示しない)"
    return yes if value else no


def safe_cell(value: str) -> str:
    """A cell no spreadsheet takes for a formula: also behind invisible or full-width characters.

    >>> safe_cell("=1+1"), safe_cell("小3")
    ("'=1+1", '小3')
    """
    visible = value.lstrip("".join(ch for ch in set(value) if unicodedata.category(ch) in ("Cf", "Zs")) or " ")
    return f"'{value}" if visible.startswith(_FORMULA) else value

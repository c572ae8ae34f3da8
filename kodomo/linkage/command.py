"""``kodomo persons``: one act on a person by its name on the command line (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from kodomo.configuration import Home
from kodomo.errors import WrongUsage
from kodomo.intake.delivery import locked
from kodomo.jobs.ledger import Ledger
from kodomo.linkage import erase, persons


def act_on_persons(
    action: str, what: list[str], records: list[str], to: str, reason: str, *, home: Home, by: str, at: dt.datetime,
    say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """Do one of history, separate, join, undo, erase; ``say`` takes lines for people.

    Raises:
        WrongUsage: not as many keys as the act needs; and whatever the act raises.
    """
    if len(what) != (2 if action == "join" else 1):
        raise WrongUsage(
            "指定の数が違います。", where=f"kodomo persons {action}", then="kodomo persons --help を見てください。"
        )
    place: dict[str, Any] = {"home": home, "by": by, "at": at}
    if action == "history":
        told = persons.person_history(what[0], **place)
        for event in told["events"]:
            say(_line(event))
        return told
    if action == "separate":
        return persons.separate(what[0], records, to=to, reason=reason, **place)
    if action == "join":
        return persons.join(what[0], what[1], reason=reason, **place)
    if action == "undo":
        return persons.undo(what[0], reason=reason, **place)
    ledger = Ledger(home.runs)
    with locked(home.handover), ledger.run("keys"):  # the keys' replacement is a part of it
        return erase.erase(what[0], reason=reason, check_alone=lambda: ledger.check_idle("link", "publish"), **place)


EMPTY_COLUMNS = {
    "without_town": "住んでいる町",
    "without_grade": "学年",
    "without_school": "学校",
    "without_age": "年齢",
}


def undecided_lines(linked: dict[str, Any]) -> list[str]:
    """What to tell the holders of sheets that name children by a call name: how many rows fit too many, and what would help."""
    lines = []
    for one in linked.get("called", {}).get("undecided", []):
        empty = [f"{words}(空 {one[key]} 行)" for key, words in EMPTY_COLUMNS.items() if one[key]]
        helps = f"。次の列を書いてもらうと決まりやすくなります: {'、'.join(empty)}" if empty else ""
        lines.append(
            f"{one['source']}  よび名と年齢などだけの {one['rows']} 行は、当てはまるこどもが多く、目視確認にも出していません{helps}"
        )
    return lines


FEW_ROWS, MOST = 20, 0.75
"""A source of so many rows, of which less than this share is of anybody the register knows, is told of: short addresses unread
once left two fifths of the water contracts with nobody, and nobody heard of it."""


def unlinked_lines(linked: dict[str, Any]) -> list[str]:
    """Sources of which much finds nobody: oftener a layout that gives a column the wrong part than people of elsewhere."""
    called = {one["source"] for one in linked.get("called", {}).get("undecided", [])}
    lines = []
    for source, rules in linked.get("rows_by_source", {}).items():
        rows = sum(rules.values())
        known = rows - rules.get("UNLINKED", 0) - rules.get("NEW", 0)
        if rows >= FEW_ROWS and known < MOST * rows and source not in called:
            lines.append(
                f"△ {source}  {rows:,} 件のうち、住民記録の人と結び付いたのは {known:,} 件だけです。市外の人の資料でなければ、"
                "レイアウトの氏名・カナ・生年月日・住所・番号の列の割り当てを kodomo layout check で、"
                "住所や氏名の読み方を kodomo normalise で確かめてください"
            )
    return lines


def renumbered_lines(linked: dict[str, Any]) -> list[str]:
    """A register whose numbers all changed without a table of them: whom names had to tell."""
    count = linked.get("spine", {}).get("renumbered", 0)
    if not count:
        return []
    return [
        f"△ 住民記録の番号が、ある回の名簿からほぼ全員分変わっています。氏名・生年月日・性別の同じ {count:,} 人を、番号の変わった同じ人としました。"
        "システムの移行で番号を付け直したのなら、旧番号と新番号の対照表を業者から受け取って渡してください"
    ]


def _line(event: dict[str, Any]) -> str:
    why = event["decision"] or "、".join(event["rules"]) or "該当する規則なし"
    return (
        f"{event['run'] or '-'}  {event['at'][:10]}  {event['caption']}  {event['key_before'] or '(なし)'} → "
        f"{event['key_after'] or '(なし)'}  記録 {len(event['records'])} 件、事実 {event['facts']} 件、"
        f"判定 {len(event['judgements'])} 回  理由: {why}"
    )

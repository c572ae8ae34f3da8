"""The lower part of a draft, all comments: what rows may say, notes, and items to register (identity side)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kodomo.intake import column_words as words
from kodomo.intake.draft_columns import holders_own
from kodomo.intake.draft_writing import MARK, Known, quoted, reference
from kodomo.intake.layout_keys import FIELDS
from kodomo.intake.usual_items import UsualItem, usual_items, words_of_notes

_ITEM, _VALUE = (
    re.compile("^(検査|健診|問診|測定)?項目(番号|名|コード|CD)?$"),
    re.compile("^(検査|健診|測定)?(結果|値|結果値|数値|回答)$"),
)
"""A table with a row for each item that was examined or asked."""


def facts_part(columns: Sequence[Mapping[str, Any]], items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """What the rows may be saying, as comments: which of it is wanted, only a person can know."""
    free = [c for c in columns if not (c["ignore"] or c["field"] or c["is_record_number"])]
    dates = [c for c in free if c["type"] in ("date", "month", "fiscal_year")]
    start = next((c for c in dates if words.STARTS.search(c["name"])), dates[0] if dates else None)
    end = next((c for c in dates if words.ENDS.search(c["name"])), None)
    registered = next((c for c in dates if words.REGISTERED.search(c["name"]) and c is not start), None)
    lines = ["# ── この行が言っていること(要るものだけ # を外し、item を登録簿の項目に) ──"]
    if start is None:
        lines.append(
            "# 日付の列が見つからない。found_in か value で日付の列をつくれば書ける(名寄せだけなら、なくてよい)"
        )
        if found["above"]:
            lines.append(
                f'# 見出しより上に {"、".join(found["above"])} らしい字がある。found_in = "above" と match で取り出せる'
            )
        return [*lines, ""]
    told = [c for c in free if c["type"] in ("code", "flag", "integer", "decimal")]
    which = next((c for c in told if _ITEM.search(words.plain(c["name"])) and c["codes"]), None)
    value_of = next((c for c in free if _VALUE.search(words.plain(c["name"])) and c is not which), None)
    if which and value_of:
        lines += [
            f"# {MARK}? 一行に一項目が書かれている。項目ごとに、その値を事実にする(値が言葉なら number を code に)"
        ]
        for code in which["codes"]:
            lines += [
                "# [[facts]]", '# item = ""', f"# number = {quoted(reference(value_of))}", f"# when = {{ {quoted(reference(which))} = [{quoted(code)}] }}",
                f"# valid_from = {quoted(reference(start))}", '# valid_to = "same_day"',
            ]  # fmt: skip
        told = [c for c in told if c is not which and c is not value_of]
    whose = "".join(f"{part}, " for part in holders_own(found["columns"]))
    events = None if end else next((c for c in told if _tells_events(c, start)), None)
    if events:
        told = [c for c in told if c is not events]
        which = next((c for c in told if c["type"] == "code"), None)
        lines += _events_part(events, which, items[reference(which)] if which else "", start, whose)
        told = [c for c in told if c is not which]
    said: list[Mapping[str, Any] | None] = [*told] or [*([] if events else [None])]
    for column in said:
        value = (
            ""
            if column is None
            else f"{'code' if column['type'] == 'code' else 'number'} = {quoted(reference(column))}, "
        )
        item = items[reference(column)] if column else ""
        until = (
            quoted(reference(end))
            if end
            else '"month_end"'
            if start["type"] == "month"
            else '"year_end"'
            if start["type"] == "fiscal_year"
            else '"same_day"'
        )
        # A spell whose end stands in a column has to say when it became known, and so has a whole year.
        known = registered or (start if end or start["type"] == "fiscal_year" else None)
        known_on = f", known_from = {quoted(reference(known))}" if known else ""
        lines += [
            "# [[facts]]",
            *(f"# {part}" for part in f"item = {quoted(item)}, {whose}{value}valid_from = {quoted(reference(start))}, valid_to = {until}{known_on}".split(", ")),
        ]  # fmt: skip
    return [*lines, *_said_instead(dates), ""]


def _said_instead(dates: Sequence[Mapping[str, Any]]) -> list[str]:
    """A word in the place of a day (受診日 未受診) as a fact of the year or month: it may matter more than the day itself."""
    lines = []
    for column in (c for c in dates if c["type"] == "date" and c.get("unknown")):
        name = reference(column)
        when = next((c for c in dates if c["type"] in ("month", "fiscal_year")), None)
        codes = ", ".join(f"{quoted(word)} = {quoted(word)}" for word in column["unknown"])
        lines += [
            f"# {MARK}? 「{name}」に日付でなく言葉が書かれた行がある(未受診など)。それも事実にするなら、# を外す。始まりは年月か年度の列",
            "# [[columns]]", f"# name = {quoted(name + 'の言葉')}", f"# part_of = {quoted(name)}",
            f"# match = {quoted('^(' + '|'.join(map(re.escape, column['unknown'])) + ')$')}", '# type = "code"', f"# codes = {{ {codes} }}",
            "# [[facts]]", '# item = ""', f"# code = {quoted(name + 'の言葉')}", f"# valid_from = {quoted(reference(when) if when else '年度')}",
            f"# valid_to = {quoted('month_end' if when and when['type'] == 'month' else 'year_end')}",
        ]  # fmt: skip
    return lines


_BEGINS, _ENDS = re.compile("開始|認定|新規|取得|支給決定"), re.compile("廃止|終了|喪失|消滅|辞退|解除")
_CHANGED_ON, _CHANGE = (
    re.compile("異動|得喪|事由(が?発生)?(年月)?日"),
    re.compile("^((受給|認定|資格|支給|保護)?(異動|得喪|開廃|処理)?(区分|種別|事由|内容)|異動)(コード|CD)?$"),
)


def _tells_events(column: Mapping[str, Any], start: Mapping[str, Any]) -> bool:
    """Whether a column says of each row that something began or that it ended: in words, or in codes beside the day of a change."""
    are_told = any(map(_BEGINS.search, column["codes"])) and any(map(_ENDS.search, column["codes"]))
    is_change = bool(_CHANGED_ON.search(words.plain(start["name"])) and _CHANGE.search(words.plain(column["name"])))
    return column["type"] == "code" and (are_told or (is_change and 2 <= len(column["codes"]) <= 9))


def _events_part(
    events: Mapping[str, Any], which: Mapping[str, Any] | None, item: str, start: Mapping[str, Any], whose: str
) -> list[str]:
    """Rows that begin and rows that end: without the second, everybody would still receive what they once received."""
    ends = [code for code in events["codes"] if _ENDS.search(code)]
    begins = [code for code in events["codes"] if _BEGINS.search(code) and code not in ends]
    lines = [
        f"# {MARK}? 始まりと終わりが別の行に書かれているとみた。終わりの行を書かないと、いつまでも続いていることになる"
    ]
    for key, codes in (("valid_from", begins), ("ended_on", ends)):
        asked = "" if codes else f"          # {MARK}? {'始まり' if key == 'valid_from' else '終わり'}を表す意味を書く"
        lines += [
            "# [[facts]]", f"# item = {quoted(item)}", *(f"# {part}" for part in whose.split(", ") if part),
            *([f"# code = {quoted(reference(which))}"] if which else []), f"# {key} = {quoted(reference(start))}",
            f"# when = {{ {quoted(reference(events))} = {quoted(codes)} }}{asked}",
        ]  # fmt: skip
    return lines


def notes_part(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of notes, which are left out: how to take in only what kind of worry they speak of, as comments."""
    notes = [c for c in columns if c["ignore"] == words.NOTES and not re.search("住所|番号", c["name"])]
    if not notes:
        return []
    codes = words_of_notes()
    lines = ["# ── 自由記述の文は受け取らない。決めた言葉があるかだけを区分として受け取ると決めたなら、# を外す ──"]
    for column in notes:
        name = column["name"]
        lines += [
            "# [[columns]]", f"# name = {quoted(name + 'の言葉')}", f"# part_of = {quoted(name)}", '# type = "code"',
            f"# match = {quoted('(' + '|'.join(map(re.escape, codes)) + ')')}          # {MARK}? 言葉を見直す",
            f"# codes = {{ {', '.join(f'{quoted(word)} = {quoted(kind)}' for word, kind in codes.items())} }}",
            f'# [[facts]]          # item は登録簿に足す。code = {quoted(name + "の言葉")}、valid_from などはほかの facts と同じに書く', "",
        ]  # fmt: skip
    return lines


def closing_part(columns: Sequence[Mapping[str, Any]], items: Mapping[str, str], known: Known) -> list[str]:
    """Items that the register lacks, ready to be put there."""
    wanted: dict[str, str] = {}
    for column in columns:
        item = items[reference(column)]
        if item and not column["ignore"] and item not in known.items.values():
            wanted.setdefault(item, FIELDS.get(column["field"], column["name"]))
    if not wanted:
        return []
    usual = {item.code: item for item in usual_items()}
    lines = [
        "# ── register/items.toml にない項目。要るものを写し、bases.toml に根拠を書く ──",
        "# 判定に使うものは、名寄せ(LINK)のほかに判定(JUDGE)と学習(LEARN)の根拠が要る。世帯番号も、世帯のようすを判定に使うなら要る。",
    ]
    for code, caption in wanted.items():
        lines += _register_entry(code, caption, usual.get(code))
    return lines


def _register_entry(code: str, caption: str, usual: UsualItem | None) -> list[str]:
    """One item as the register may hold it, as comments."""
    lines = ["# [[items]]", f"# code = {quoted(code)}", f"# caption = {quoted(usual.caption if usual else caption)}"]
    lines += ['# holder = ""', f"# sensitivity = {quoted(usual.sensitivity if usual else 'IDENTIFYING')}"]
    if usual:
        lines += [f"# domain = {quoted(usual.domain)}", f"# types = {quoted(list(usual.types))}"]
    return lines

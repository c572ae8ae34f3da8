"""The columns of a draft: alone, joined, numbered people, months side by side (identity side)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kodomo.intake.cells import NO
from kodomo.intake.column_groups import REPEATED, Column, Series
from kodomo.intake.column_words import GRADE_IN_CELL, plain
from kodomo.intake.draft_outside import year_outside
from kodomo.intake.draft_writing import MARK, Known, quoted, reference
from kodomo.intake.guess import BESIDE_NAME
from kodomo.intake.layout_keys import FIELDS, ROLES, TYPES


def dated_part(dated: Mapping[str, Any]) -> list[str]:
    """Columns whose headers are months or days."""
    if not dated:
        return []
    if dated["is_daily"]:
        told = f"見出しが日付の列が {dated['count']} 日分並んでいる。日ごとには取り込まない。月の合計の列を使うか、足してもらう"
    else:
        told = f"見出しが年月の列が {dated['count']} か月分({dated['from']} から {dated['to']})並んでいる。一月ごとに一つの記録として読む"
    lines = [
        f"[dated]          # {told}",
        f"name = {quoted(dated['name'])}",
        f"columns = {quoted(dated['columns'])}",
        "",
    ]
    for name in dated["columns"] if dated["is_daily"] else ():
        lines += [
            "[[columns]]",
            f"name = {quoted(name)}",
            'type = "text"',
            'ignore = "日ごとの出欠。月の合計を使う"',
            "",
        ]
    return lines


def per_table(found: Mapping[str, Any]) -> dict[str, Any]:
    """A survey of tables of one header beside each other, its columns referred to by the place of their table."""
    again = {name: f"{name}#{{}}" for name in (found["row_key"], *found["identity"]) if name}
    return {
        **found,
        "row_key": again.get(found["row_key"], ""),
        "identity": [again[name] for name in found["identity"]],
    }


def beside(columns: Sequence[Column], items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """The columns of tables of one header beside each other, written once."""
    count = found["side_by_side"]
    lines = [
        f"[[people]]          # 同じ見出しの表が左右に {count} つ並んでいる。一組ごとに別の記録になる",
        f"for = {quoted(list(range(1, count + 1)))}",
    ]
    for column in columns:
        told = column_part(column, items[reference(column)], found)
        lines += [told[0].replace("[[columns]]", "[[people.columns]]"), told[1], 'occurrence = "{}"', *told[2:]]
    return lines


def column_part(column: Mapping[str, Any], item: str, found: Mapping[str, Any]) -> list[str]:
    """One column, with what it is guessed to be and why; ``item`` empty where none is near."""
    evidence = "。".join(column["why"])
    lines = ["[[columns]]" + (f"          # {evidence}" if evidence else ""), f"name = {quoted(column['name'])}"]
    if column["occurrence"] > 1:
        lines.append(f"occurrence = {column['occurrence']}          # 同じ見出しの {column['occurrence']} 番目")
    if found["format"] == "fixed":
        start, end = found["shape"]["edges"][column["position"] - 1]
        lines += [
            f"position = {start + 1}          # {MARK}? 何バイト目から。仕様書で確かめる",
            f"width = {end - start}",
        ]
    elif column["position"]:
        lines.append(f"position = {column['position']}")
    if column.get("optional"):
        lines.append("optional = true          # この列のない見本がある")
    lines.append(f"type = {quoted(column['type'])}          # {TYPES[column['type']]}")
    lines += _more_of_type(column)
    if column["ignore"]:
        return [*lines, f"ignore = {quoted(column['ignore'])}", ""]
    if column["person"] and column["field"]:
        lines += [
            f"person = {quoted(column['person'])}          # {f'{MARK}? 値から見当をつけただけ。' if BESIDE_NAME in column['why'] else ''}{ROLES[column['person']]}",
            f"field = {quoted(column['field'])}          # {FIELDS[column['field']]}",
            f"item = {quoted(item)}",
        ]
        if column.get("when_blank"):
            others = ", ".join(f'{quoted(name)} = [""]' for name in column["when_blank"])
            lines.append(f"when = {{ {others} }}          # {MARK}? その列が空欄の人(外国人住民など)の氏名とみた")
        if column["is_filled"] and column["field"] in ("resident_number", "name", "own_number"):
            lines.append("required = true          # 空の行がない")
        return [*lines, ""]
    if column["is_record_number"] or reference(column) in (found["row_key"], *found["identity"]):
        lines += [f"item = {quoted(item)}" if item else '# item = ""'] + (
            ["required = true"] if column["is_filled"] else []
        )
    elif column["type"] == "text" and item:
        lines.append(
            f'ignore = "使わない"          # {MARK}? 判定に使うなら消して type を code にし、item = {quoted(item)} と codes を書く'
        )
    elif column["type"] == "text":
        lines.append(f'ignore = "使わない"          # {MARK}? 使うなら消して、item を書く')
    else:
        lines.append(
            f"item = {quoted(item)}"
            if item
            else f'# item = ""          # {MARK}? 使うなら登録簿の項目を。使わないなら ignore = "理由"'
        )
    return [*lines, ""]


def age_or_grade(column: Mapping[str, Any]) -> list[str]:
    """One cell that tells a grade of the older ones and an age of the younger (小4, 5歳): each is cut out; nothing for other columns."""
    name = plain(column["name"])
    is_said = re.search("学年", name) and re.search("年齢|年令|年れい|歳", name)
    if column["ignore"] or not (is_said or column.get("has_grades")):
        return []
    lines = []
    for field, kind, match in (("grade", "text", GRADE_IN_CELL), ("age", "integer", AGE_IN_CELL)):
        lines += [
            f"[[columns]]          # 学年か年齢のどちらかが書かれているので、{FIELDS[field][:2]}だけを取り出す",
            f'name = "{FIELDS[field][:2]}"', f"part_of = {quoted(column['name'])}", f"match = '{match}'", f'type = "{kind}"',
            f'person = "{column["person"] or "subject"}"', f'field = "{field}"', f'item = "{field}"', "",
        ]  # fmt: skip
    return lines


AGE_IN_CELL = "([0-9０-９]+(?=[歳才]|さい)|^[0-9０-９]{1,2}$)"
"""A bare number beside 小3 and 年長 is an age: in such a column grades name their school."""


def _more_of_type(column: Mapping[str, Any]) -> list[str]:
    lines = []
    if column["era_missing"]:
        lines.append(f'# era = "令和"          # {MARK} 6 桁の日付に元号がない。元号か、西暦なら century = 20 を')
    if column["short_year"]:
        lines.append(f"century = 20          # {MARK}? 二桁の西暦とみた。1900 年代なら 19")
    if column["digits"]:
        lines.append(
            f"digits = {column['digits']}          # {MARK}? 先頭の 0 が落ちているらしい。住民記録の{column['name']}の桁数を書く(見本でいちばん長い値の桁数とした)"
        )
    if column["field"] == "age" and column["type"] == "text":
        lines.append('# after = "か月"          # 月齢が数だけで書かれているなら、# を外す(何歳何か月として読む)')
    if column.get("unknown") and not column["ignore"]:
        said = (
            f"{'日付' if column['type'] == 'date' else '数'}でない印字がある"
            if column["unknown"] != ["9"]
            else "1〜5 のほかに 9 だけがある"
        )
        lines.append(f"unknown = {quoted(column['unknown'])}          # {MARK}? {said}ので、分からない・未回答とみた")
    if column["type"] == "code":
        table = ", ".join(f"{quoted(code)} = {quoted(code)}" for code in column["codes"])
        words_ = all(re.fullmatch(r"[0-9A-Za-z]{1,3}", code) for code in column["codes"])
        meant = f"{MARK} 右側を意味に直す" if words_ else "左が印字、右が意味"
        lines.append(f"codes = {{ {table} }}          # {meant}")
    elif column.get("is_zero_blank"):
        lines.append(
            f'blank = "0"          # {MARK}? 空欄は 0 とみた(0 はほとんど印字されない)。「分からない」なら消す'
        )
    elif column["codes"] and column["type"] in ("flag", "sex"):
        lines.append(f"# 印字は {'、'.join(column['codes'])}")
        if column["type"] == "flag" and not column["is_filled"] and not {c.upper() for c in column["codes"]} & NO:
            lines.append(f'blank = "0"          # {MARK}? 空欄は「無」とみた。「分からない」なら消す')
    if column.get("is_ditto") and not column.get("is_merged") and not column["ignore"]:
        lines.append('fill_down = "〃"          # 「〃」は上の行と同じ。空欄は空欄のまま(空欄も上と同じなら true)')
    if column.get("year_from"):
        lines.append(
            f"year_from = {quoted(column['year_from'])}          # {MARK}? 年が書かれていない。その日までの直近の日とみる"
        )
    elif column.get("has_no_year"):
        lines.append(f'year_from = "年度"          # {MARK}? 年の書かれていない日がある。年度の列から補う')
    if column.get("is_merged") and not column["ignore"]:
        lines.append(f"fill_down = true          # {MARK}? 縦に結合されたセルとみた。空欄は上の行と同じ")
    return lines


def joined_part(name: str, parts: Sequence[Column], known: Known, columns: Sequence[Column]) -> list[str]:
    """One date whose parts stand in columns of their own."""
    is_birth = name == "生年月日" and any(c["field"] in ("name", "name_kana") for c in columns)
    lines = ["[[columns]]          # 一つの日付が、いくつかの列に分かれている", f"name = {quoted(name)}",
             f"join = {quoted([reference(part) for part in parts])}", 'type = "date"']  # fmt: skip
    if is_birth:
        item = known.columns.get(name) or known.items.get(name) or "birth_date"
        lines += ['person = "subject"', 'field = "born_on"', f"item = {quoted(item)}"]
    return [*lines, ""]


def dated_by_era(era: Column, day: Column, item: str, found: Mapping[str, Any]) -> list[str]:
    """A date whose era stands in the column beside it."""
    told = column_part({**day, "era_missing": False, "why": ["元号が隣の列にある"]}, item, found)
    return [
        told[0],
        f"name = {quoted(day['name'] + WITH_ERA)}",
        f"join = {quoted([reference(era), reference(day)])}",
        *told[2:],
    ]


WITH_ERA = "(元号とも)"

ABSENCES = ("sick_absence_days", "unexcused_absence_days", "unexplained_absence_days")


def absences_added_up(
    items: Mapping[str, str], part: str = "columns", before: str = "", is_zero_blank: bool = False
) -> list[str]:
    """Days of absence where a file prints them apart, by illness and otherwise, and no sum."""
    apart = [name for item in ABSENCES for name, own in items.items() if own == item]
    if len(apart) < 2 or "absence_days" in items.values():
        return []
    return [
        f"[[{part}]]          # 病欠と、そのほかの欠席を足したもの。出席停止・忌引は入れない", f'name = "{before}欠席日数(計)"', f"join = {quoted(apart)}",
        'type = "integer"', *(['blank = "0"          # どれも空欄なら、休んでいない'] if is_zero_blank else []), 'item = "absence_days"', "",
    ]  # fmt: skip


def people_part(series: Series, items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """Numbered people of one row, written once with their numbers."""
    numbers = list(series.members)
    lines = [
        f"[[people]]          # 一行に {len(numbers)} 人まで書かれている。一人ごとに別の記録になる",
        f"for = {quoted(numbers)}",
    ]
    return lines + _block("people", series, items, found)


def in_one_cell(listed: Sequence[Column], items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """Children whose names, and dates, share a cell: each is cut out by its place, and is a record of its own."""
    if not listed:
        return []
    most = max(c["listed"] for c in listed)
    others = [re.escape(c["sign"]) if c["sign"] != "\n" else r"\n" for c in listed]
    lines = [
        f"[[people]]          # {MARK}? 一つのセルに {most} 人まで書かれている。順にあるとみて、一人ずつ取り出す",
        "for = [",
    ]
    for at in range(most):
        places = ", ".join(f"p{n} = '^(?:[^{sign}]*{sign}){{{at}}}([^{sign}]+)'" for n, sign in enumerate(others, 1))
        lines.append(f'  {{ n = "{at + 1}", {places} }},')
    lines.append("]")
    for n, column in enumerate(listed, 1):
        told = column_part({**column, "name": f"{column['name']}{{n}}"}, items[reference(column)], found)
        place = [f"part_of = {quoted(column['name'])}", f'match = "{{p{n}}}"']
        lines += [told[0].replace("[[columns]]", "[[people.columns]]"), told[1], *place, *told[2:]]
    return lines


def holders_own(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of whom facts speak, where a file names contract holders and nobody else: a fact is of the row's person unless it says so."""
    named = {c["person"] for c in columns if c["field"] and not c["ignore"]}
    return ['person = "holder"'] if "holder" in named and "subject" not in named else []


def months_part(
    series: Series, columns: Sequence[Column], items: Mapping[str, str], found: Mapping[str, Any]
) -> list[str]:
    """Months side by side, written once; the year they belong to stands elsewhere."""
    months = list(series.members)
    year = next((reference(c) for c in columns if c["type"] == "fiscal_year"), "")
    lines = [] if year else year_outside("月の列", found)
    lines += [f"[[repeat]]          # {len(months)} か月分の列が並んでいる", f"for = {quoted(months)}"]
    lines += _block("repeat", series, items, found)
    members = next(iter(series.members.values()))
    each = {template: items.get(reference(c), "") for template, c in zip(series.templates, members, strict=True)}
    lines += absences_added_up(each, "repeat.columns", "{}月の")
    first = members[0]
    value = "code" if _type_of_all(series, 0) == "code" else "number"
    lines += [
        "# [[repeat.facts]]          # 月ごとの値を事実にするなら、# を外す", f"# item = {quoted(items.get(reference(first), ''))}", *(f"# {part}" for part in holders_own(columns)), f"# {value} = {quoted(series.templates[0])}",
        f"# valid_from = {quoted(year or '年度')}", '# month = "{}"', '# valid_to = "month_end"', "",
    ]  # fmt: skip
    return lines


def _block(part: str, series: Series, items: Mapping[str, str], found: Mapping[str, Any]) -> list[str]:
    """The columns of a series, by their templates."""
    lines = []
    first = next(iter(series.members.values()))
    filled = [all(members[at]["is_filled"] for members in series.members.values()) for at in range(len(first))]
    codes = [
        sorted({code for members in series.members.values() for code in members[at]["codes"]})
        for at in range(len(first))
    ]
    optional = [any(members[at].get("optional") for members in series.members.values()) for at in range(len(first))]
    for at, (template, column) in enumerate(zip(series.templates, first, strict=True)):
        as_one = {**column, "name": template.removesuffix(REPEATED), "is_filled": filled[at], "codes": codes[at], "optional": optional[at],
                  "type": _type_of_all(series, at)}  # fmt: skip
        told = column_part(as_one, items.get(reference(column), ""), found)
        place = ['occurrence = "{}"'] if template.endswith(REPEATED) else []
        lines += [told[0].replace("[[columns]]", f"[[{part}.columns]]"), told[1], *place, *told[2:]]
    return lines


def _type_of_all(series: Series, at: int) -> str:
    """The kind that all members of a series share: blank ones tell nothing, and where one holds codes, marks are codes too."""
    kinds = {members[at]["type"] for members in series.members.values()} - {"text"} or {"text"}
    if kinds == {"flag", "code"}:
        return "code"
    return str(next(iter(series.members.values()))[at]["type"] if len(kinds) > 1 else kinds.pop())

"""``kodomo layout draft``: a file nobody described into a layout that a person completes (identity side).

Every guess stands with its evidence as a comment; what only a person can know is marked ``★``. No
value of the file stands in a draft but codes and marks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kodomo.errors import StaffError
from kodomo.intake import column_words as words
from kodomo.intake.child import survey_in_child
from kodomo.intake.column_groups import Column, dates_beside_eras, dates_in_parts, month_series, people_series
from kodomo.intake.draft_columns import (
    ABSENCES,
    WITH_ERA,
    absences_added_up,
    age_or_grade,
    beside,
    column_part,
    dated_by_era,
    dated_part,
    in_one_cell,
    joined_part,
    months_part,
    people_part,
    per_table,
)
from kodomo.intake.draft_facts import closing_part, facts_part, notes_part
from kodomo.intake.draft_head import (
    DAY_IN_NAME,
    file_part,
    is_table_of_numbers,
    kind_of_rows,
    record_part,
    stem,
    top_part,
)
from kodomo.intake.draft_merge import merged
from kodomo.intake.draft_outside import told_outside
from kodomo.intake.draft_writing import MARK, Known, quoted, reference
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.samples import opened_samples
from kodomo.intake.usual_items import usual_item


def draft_layout(
    paths: Path | Sequence[Path],
    known: Known,
    limits: Limits = LIMITS,
    password: str | None = None,
    sheet: str = "",
) -> dict[str, Any]:
    """Look at a source's file, or several, in a zip or not, and draft its layout: of a workbook of ``sheet``'s table.

    Returns:
        ``layout``, the draft's text; ``survey``, what was seen; ``open``, how many places a person has to complete.

    Raises:
        DeliveryRefused: a file can't be received at all.
        StaffError: a file can't be read.
    """
    with opened_samples([paths] if isinstance(paths, Path) else paths, limits, password) as samples:
        surveys = [survey_in_child(s.path, s.name, limits, password, s.descriptor, sheet) for s in samples]
    names = [sample.name for sample in samples]
    found, left_out = merged(surveys)
    text = draft_text([n for at, n in enumerate(names) if at not in left_out], found, known)
    if left_out:
        text = (
            f"# 書き方か見出しが違うので、次の見本は入れていません: {'、'.join(names[at] for at in left_out)}\n" + text
        )
    return {"layout": text, "survey": found, "open": text.count(MARK)}


def draft_text(file_names: str | Sequence[str], found: Mapping[str, Any], known: Known) -> str:
    """The draft of a surveyed file, or of several whose surveys were merged."""
    names = [file_names] if isinstance(file_names, str) else list(file_names)
    file_name = names[0]
    lines = top_part(file_name, found, known) + file_part(names, found)
    around = [words.plain(name) for name in (stem(file_name), *(c["name"] for c in found["columns"]))]
    found = {**found, "file_names": names}
    columns = _births_before(_amount_taken(c, around) for c in _as_register(found))
    found = {**found, "columns": columns}
    items = {reference(c): item_of(c, known, around) for c in columns}
    joined, people, months = dates_in_parts(columns), people_series(columns), month_series(columns)
    beside_eras = dates_beside_eras(columns)
    dated = {reference(day): day["name"] + WITH_ERA for _, day in beside_eras}
    found = {**found, "identity": [dated.get(name, name) for name in found["identity"]]}
    lines += dated_part(found["dated"])
    if found["side_by_side"]:
        lines += record_part(per_table(found), None)
        return "\n".join(lines + beside(columns, items, found) + closing_part(columns, items, known)) + "\n"
    ticked = _sexes_ticked(columns)
    listed = [] if people else [c for c in columns if c["listed"] and not c["ignore"]]
    if listed and found["identity"]:
        found = {**found, "identity": [*found["identity"], f"{listed[0]['name']}{{n}}"]}
    if people:
        among = {reference(c) for members in people.members.values() for c in members}
        found = {**found, "identity": [name for name in found["identity"] if name not in among]}
    outside = told_outside(columns, found, names, bool(months))
    if any(c["type"] == "month" for c in outside.told):
        years = {reference(c) for c in columns if c["type"] == "fiscal_year"}
        found = {**found, "identity": [name for name in found["identity"] if name not in years]}
    lines += record_part(found, people, outside.identity, outside.why)
    apart = [c for _, parts in joined for c in parts] + ticked + listed + outside.apart
    apart += [c for pair in beside_eras for c in pair]
    apart += [c for series in (people, months) if series for members in series.members.values() for c in members]
    for column in (c for c in columns if c not in apart):
        lines += age_or_grade(column) or column_part(column, items[reference(column)], found)
    for name, parts in joined:
        lines += joined_part(name, parts, known, columns)
    for era, day in beside_eras:
        lines += dated_by_era(era, day, items[reference(day)], found)
    if ticked:
        lines += ["[[columns]]          # 男・女のどちらかに印が付いている", 'name = "性別"', f"join = {quoted([reference(c) for c in ticked])}",
                  'type = "sex"', 'person = "subject"', 'field = "sex"', 'item = "sex"', ""]  # fmt: skip
    lines += people_part(people, items, found) if people else in_one_cell(listed, items, found)
    lines += outside.lines
    if is_table_of_numbers([c for c in columns if not c["ignore"]], names):
        if not any(c["field"] == "event_on" for c in columns):
            lines += ["[[columns]]          # ファイル名の日に、全員の番号が替わったとみた", 'name = "移行日"', 'type = "date"', 'found_in = "file_name"', f"match = '{DAY_IN_NAME}'",
                      'person = "subject"', 'field = "event_on"', 'item = "residence"', ""]  # fmt: skip
        lines += ["[[columns]]          # 番号の対照表なので、番号が変わったという異動とみた", 'name = "異動事由"', 'type = "code"', 'value = "番号変更"',
                  'codes = { "番号変更" = "番号変更" }', 'person = "subject"', 'field = "event_kind"', 'item = "residence"', ""]  # fmt: skip
    lines += months_part(months, columns, items, found) if months else []
    blank = any(c.get("is_zero_blank") for c in columns if items[reference(c)] in ABSENCES)
    lines += [] if months else absences_added_up(items, is_zero_blank=blank)
    has_month = any(c["type"] == "month" for c in outside.told)
    own = [c for c in columns if c not in apart and not (has_month and c["type"] == "fiscal_year")]
    told = [*outside.told, *own] if has_month else [*own, *outside.told]
    items |= {reference(c): "" for c in outside.told}
    lines += facts_part(told, items, found) + notes_part(told)
    lines += closing_part(columns, items, known)
    return "\n".join(lines) + "\n"


def _amount_taken(column: dict[str, Any], around: Sequence[str]) -> dict[str, Any]:
    """An amount that the shipped criteria ask of is proposed like any other item; other amounts stay left out."""
    is_amount = column["ignore"] == words.AMOUNT
    return {**column, "ignore": ""} if is_amount and usual_item(words.plain(column["name"]), around) else column


def _births_before(given: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns; a day of birth without its year (出産日 3/20) lies before the day on which the row tells of it."""
    columns = list(given)
    days = [c for c in columns if c["type"] == "date" and not c["has_no_year"] and not c["field"] and not c["ignore"]]
    return [
        {**c, "year_from": reference(days[0])} if c["has_no_year"] and c["field"] == "child_born_on" and days else c
        for c in columns
    ]


def _as_register(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns as their rows' kind wants them: what only a register tells is left out elsewhere, and used there.

    In a register of residents the latest move's columns are left to a person, for it may be any move. Former
    numbers and addresses are the register's to tell; in a table of numbers alone, the day of the change is the move's.
    """
    kind = kind_of_rows(found)
    columns = [dict(c) for c in found["columns"]]
    if is_table_of_numbers([c for c in columns if not c["ignore"]], found["file_names"]):
        days = [c for c in columns if c["type"] == "date" and c["field"] in ("", "event_on") and not c["ignore"]]
        for day in days[:1]:
            day |= {"person": "subject", "field": "event_on"}
    for column in columns:
        name = words.plain(column["name"])
        if kind == "observations" and column["field"] == "former_number":
            column["ignore"] = column["ignore"] or words.FORMER_NUMBER_HINT
        elif kind == "observations" and column["field"] in ("event_on", "event_kind"):
            # of a benefit, not of where somebody lives
            column |= {"field": "", "person": ""}
        elif kind == "residents" and column["field"] in ("event_on", "event_kind") and not column["ignore"]:
            to = "resident_to" if column["field"] == "event_on" else "resident_to_reason"
            column["ignore"] = (
                f"直近の異動。転出・死亡の行だけを住民でなくなった日・事由とするなら、field を {to} にし、when にその条件を書く"
            )
        elif kind != "observations" and (place := words.OTHER_PLACE_OF_REGISTER.search(name)):
            is_to = place.group().startswith("転出先")
            column |= {
                "ignore": "",
                "person": "subject",
                "field": "moved_to" if is_to else "moved_from",
                "type": "address",
            }
    return _days_left_out(columns)


FEWEST_DAYS = 20


def _days_left_out(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A column for each day of a month, headed 1 to 31, isn't taken in day by day."""
    days = [c for c in columns if re.fullmatch(r"[1-9]|[12]\d|3[01]", words.plain(c["name"])) and not c["field"]]
    for column in days if len(days) >= FEWEST_DAYS else ():
        column |= {"type": "text", "codes": [], "unknown": [], "ignore": "日ごとの出欠。月の合計を使う"}
    return columns


def _sexes_ticked(columns: Sequence[Column]) -> list[Column]:
    """Two columns 男 and 女 that take a mark."""
    named = {words.plain(c["name"]).rsplit("/", 1)[-1]: c for c in columns if c["type"] == "flag"}
    pairs = [(named.get(man), named.get(woman)) for man, woman in (("男", "女"), ("男子", "女子"), ("男児", "女児"))]
    return next(([man, woman] for man, woman in pairs if man and woman), [])


def item_of(column: Mapping[str, Any], known: Known, around: Sequence[str]) -> str:
    """The register's item that a column seems to be: by the folder's own captions and layouts, else the usual one.

    Args:
        around: the file's name and the names of all its columns, plain.
    """
    name = words.plain(column["name"])
    own = known.columns.get(name) or known.items.get(name)
    if own:
        return own
    if column["field"]:
        usual = words.USUAL_ITEMS.get(column["field"], "")
        return usual
    for caption, known_code in known.items.items():
        if len(caption) >= 3 and (caption in name or (len(name) >= 3 and name != "年月日" and name in caption)):
            return known_code
    if column["type"] in ("date", "month", "fiscal_year", "identifier", "name", "kana", "address") or column["ignore"]:
        return ""
    carried = usual_item(name.rsplit("/", 1)[-1], around) or usual_item(name, around)
    return carried.code if carried else ""


def known_of(folder: Path) -> Known:
    """What a municipality's folder tells; whatever can't be read there is left out, for a draft may come first."""
    from kodomo.configuration import read_toml
    from kodomo.intake.layout import read_layouts

    items: dict[str, str] = {}
    columns: dict[str, str] = {}
    offices: tuple[str, ...] = ()
    try:
        offices = tuple(o["code"] for o in read_toml(folder / "offices.toml").get("offices", ()))
        for entry in read_toml(folder / "register" / "items.toml").get("items", ()):
            items[words.plain(entry["caption"])] = entry["code"]
        used = Counter(
            (words.plain(c.name), c.item) for x in read_layouts(folder).values() for c in x.columns if c.item
        )
        for (name, item), _ in reversed(used.most_common()):
            columns[name] = item  # the commonest stands last
    except (StaffError, KeyError, TypeError, AttributeError):
        pass
    return Known(items, columns, offices)

"""``kodomo layout check``: what of a file a layout fits, in words and places, without landing anything (identity side)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.governance.register import Register, read_register
from kodomo.intake.child import read_in_child, survey_in_child
from kodomo.intake.decode import ENCODING_NAMES
from kodomo.intake.header import folded, names_of
from kodomo.intake.layout import Layout, fits_name, read_layout
from kodomo.intake.layout_keys import FIELDS, ROLES
from kodomo.intake.limits import LIMITS, Limits
from kodomo.intake.permission import Permission, permit
from kodomo.intake.quarantine import row_fault
from kodomo.intake.read import Job, Reading
from kodomo.intake.report import rows_told
from kodomo.intake.samples import Sample, opened_samples

ROWS_TOLD = 5

TRIAL_KEY = b"layout check" + bytes(20)
"""Row fingerprints of a trial are thrown away; they need no secret."""


def check_files(
    layout_path: Path,
    paths: Sequence[Path],
    *,
    on: dt.date,
    folder: Path | None = None,
    limits: Limits = LIMITS,
    password: str | None = None,
) -> dict[str, Any]:
    """Read files, those inside zips included, by a layout as ``kodomo receive`` would. Lands nothing.

    Args: as ``check_file``.

    Returns:
        What ``check_file`` tells of a single file; of several the same one by one under ``files``,
        with ``fits`` (all of them), ``lines`` and ``exit_code`` of all.
    """
    with opened_samples(paths, limits, password) as samples:
        told = [check_file(layout_path, s, on=on, folder=folder, limits=limits, password=password) for s in samples]
    if len(told) == 1:
        return told[0]
    return {
        "layout": str(layout_path), "files": told, "fits": all(one["fits"] for one in told),
        "lines": [line for one in told for line in (f"== {one['file']}", *one["lines"])],
        "exit_code": max((one["exit_code"] for one in told), default=0),
    }  # fmt: skip


def check_file(
    layout_path: Path,
    sample: Sample,
    *,
    on: dt.date,
    folder: Path | None = None,
    limits: Limits = LIMITS,
    password: str | None = None,
) -> dict[str, Any]:
    """Read one file by a layout, and tell what would become of it.

    Args:
        on: the day whose legal bases are asked.
        folder: the municipality's folder; None: everything the layout names is taken for permitted.

    Returns:
        ``fits`` (whether it would be landed whole), counts, ``columns``, ``faults``, ``persons``,
        ``facts``, ``refused_items`` and ``lines``, the same in Japanese.

    Raises:
        ConfigurationFault: the layout itself is faulty.
        StaffError: the file can't be read.
    """
    layout = read_layout(layout_path)
    register, remarks = _register(folder)
    name = sample.name
    told: dict[str, Any] = {"layout": str(layout_path), "file": name, "source": layout.source}
    lines = remarks
    if not fits_name(name, layout):
        lines.append(
            f"ファイル名が pattern「{layout.file.pattern}」に合いません。receive では、このレイアウトが選ばれません。"
        )
    if layout.file.extracted_in == "file_name" and layout.extracted_on(name) is None:
        lines.append(
            "? ファイル名から抽出日が読み取れません。受け取った日を抽出日とみなすので、年齢や、どの月が新しいかを誤ります。"
            "見出しより上やシート名に日付があれば extracted_in を、書き方が特別なら extracted_on を書いてください。"
        )
    try:
        permission, barred = _permission(layout, register, on, name)
        lines += barred
        columns = permission.columns if permission else frozenset(c.reference for c in layout.columns if not c.ignore)
        rules = permission.rules if permission else frozenset(range(len(layout.facts)))
        job = Job(sample.path, name, layout, columns, rules, TRIAL_KEY, layout.extracted_on(name) or on,
                  limits, sample.descriptor, password)  # fmt: skip
        reading = read_in_child(job)
    except DeliveryRefused as refusal:
        lines += [f"× {refusal.what}", f"  場所: {refusal.where}", f"  次にすること: {refusal.then}"]
        lines += _hints(sample, layout, limits, password)
        return {**told, "fits": False, "refused": refusal.details.get("code", ""), "what": refusal.what,
                "where": refusal.where, "then": refusal.then, "lines": lines, "exit_code": DeliveryRefused.exit_code}  # fmt: skip
    found = _summary(layout, reading)
    refused_items = list(permission.refused) if permission else []
    lines += _told(layout, reading, found, refused_items)
    return {**told, "fits": not (reading.quarantined or barred), **found, "refused_items": refused_items, "lines": lines,
            "exit_code": DeliveryRefused.exit_code if barred else 0}  # fmt: skip


def _permission(
    layout: Layout, register: Register | None, on: dt.date, name: str
) -> tuple[Permission | None, list[str]]:
    """What the register lets in. A file it would turn away is read for the trial all the same, and that is said."""
    if register is None:
        return None, []
    try:
        return permit(layout, register, on, name), []
    except DeliveryRefused as refusal:
        return None, [
            f"× receive では断られます: {refusal.what}",
            f"  場所: {refusal.where}",
            f"  次にすること: {refusal.then}",
        ]


def _register(folder: Path | None) -> tuple[Register | None, list[str]]:
    if folder is None or not (folder / "register").is_dir():
        return None, ["登録簿(register/)がないので、法的根拠は確かめていません。"]
    try:
        return read_register(folder), []
    except ConfigurationFault as fault:
        return None, [f"登録簿が読めないので、法的根拠は確かめていません。{fault.what}"]


# What fits ---------------------------------------------------------------------------------------


def _summary(layout: Layout, reading: Reading) -> dict[str, Any]:
    faults: dict[tuple[str, str], list[int]] = {}
    for row, column, code in reading.quarantined:
        faults.setdefault((column, code), []).append(row)
    landed, records, blanks = reading.rows_landed, reading.profile["rows"], reading.profile["blanks"]
    columns = [
        {"column": c.reference, "type": c.type, "item": c.item, "person": c.person, "field": c.field,
         "blank": blanks.get(c.reference, 0), "filled": records - blanks.get(c.reference, 0)}
        for c in layout.columns if not c.ignore
    ]  # fmt: skip
    mentions, facts = reading.landing.mentions, reading.landing.facts
    return {
        "rows_read": reading.rows_read, "rows_landed": landed, "rows_skipped": reading.rows_skipped,
        "rows_withdrawn": reading.rows_withdrawn,
        "rows_quarantined": len({row for row, _, _ in reading.quarantined}), "blank_rows": reading.blank_rows,
        "columns": columns, "unexpected_columns": reading.unexpected, "notes": reading.notes,
        "faults": [
            {"column": column, "code": code, "reason": row_fault(code).label, "advice": row_fault(code).advice,
             "count": len(rows), "rows": rows[:ROWS_TOLD], "places": rows_told(rows[:ROWS_TOLD], reading.spans)}
            for (column, code), rows in sorted(faults.items(), key=lambda entry: -len(entry[1]))
        ],
        "persons": dict(Counter(mentions["role"].to_pylist())),
        "facts": {entry["values"]: entry["counts"] for entry in pc.value_counts(facts["item"]).to_pylist()},
        "undated": reading.undated, "doubts": reading.doubts,
        "repeated_records": reading.landing.rows.num_rows - len(reading.landing.rows["identity"].unique())
        if layout.identity else 0,
        "extracted_on": reading.extracted_on,
    }  # fmt: skip


def _told(layout: Layout, reading: Reading, found: dict[str, Any], refused_items: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"○ 読めます。データの行 {found['rows_read']:,} 行のうち、取り込めるのは {found['rows_landed']:,} 行、"
        f"差し戻すのは {found['rows_quarantined']:,} 行です(まだ何も取り込んでいません)。"
    ]
    if found["rows_skipped"] or found["rows_withdrawn"]:
        lines.append(
            f"  条件により取り込まない行 {found['rows_skipped']:,}、前の記録を取り消す行 {found['rows_withdrawn']:,}"
        )
    for fault in found["faults"]:
        rows = "、".join(map(str, fault["places"])) + (" ほか" if fault["count"] > len(fault["places"]) else "")
        lines.append(
            f"× 列「{fault['column']}」: {fault['reason']}({fault['code']}) {fault['count']:,} 行({rows} 行目)。{fault['advice']}"
        )
    for column in found["columns"]:
        if found["rows_landed"] and column["filled"] == 0:
            lines.append(f"? 列「{column['column']}」は、どの行も空です。")
    if found["unexpected_columns"]:
        lines.append(f"? レイアウトにない列: {'、'.join(found['unexpected_columns'])}(取り込みません)")
    for entry in refused_items:
        lines.append(f"? 法的根拠がないため取り込まない項目: {entry['caption']}({entry['purpose']})。{entry['why']}")
    if found["repeated_records"]:
        lines.append(
            f"? identity の値が同じ記録が {found['repeated_records']:,} 件あります。後の行が前の行の訂正とみなされ、前の行は使われません。"
        )
    told = "、".join(f"{ROLES[role]} {count:,} 人分" for role, count in found["persons"].items())
    lines.append(f"  人: {told or 'なし'}")
    lines.append("  事実: " + ("、".join(f"{item} {count:,} 件" for item, count in found["facts"].items()) or "なし"))
    for item, count in found["undated"].items():
        lines.append(f"? 日付がないため事実にできない値: {item} {count:,} 件")
    if found["extracted_on"]:
        lines.append(f"  抽出日: {found['extracted_on']}(ファイルの中から)")
    lines += [f"  {note}" for note in found["notes"]]
    lines += _put_together(layout)
    lines += _weak_persons(layout)
    return lines


def _put_together(layout: Layout) -> list[str]:
    """Fields read from several columns: right for 氏 and 名, wrong for the names of two people."""
    lines = []
    seen: dict[tuple[str, str, int | None], list[str]] = {}
    for column in layout.columns:
        if column.person and not column.ignore:
            seen.setdefault((column.person, column.field, column.group or None), []).append(column.reference)
    for (role, name, _), parts in seen.items():
        if len(parts) > 1:
            lines.append(f"  {ROLES[role]}の{FIELDS[name]}は、{' + '.join(parts)} をつないで読みます。")
    return list(dict.fromkeys(lines))


def _weak_persons(layout: Layout) -> list[str]:
    """Persons of whom a row says too little to find them."""
    lines = []
    for role in dict.fromkeys(c.person for c in layout.columns if c.person and not c.ignore):
        fields = {c.field for c in layout.columns if c.person == role and not c.ignore}
        if not fields & {"resident_number", "own_number", "name", "name_kana"}:
            names = "、".join(FIELDS[f] for f in sorted(fields))
            lines.append(f"? {ROLES[role]}({role})は {names} だけで、誰かを見分けられません。")
    return lines


# What doesn't ------------------------------------------------------------------------------------


def _hints(sample: Sample, layout: Layout, limits: Limits, password: str | None) -> list[str]:
    """How the file looks to somebody who doesn't know the layout, where the two differ."""
    try:
        seen = survey_in_child(sample.path, sample.name, limits, password, sample.descriptor)
    except (DeliveryRefused, OSError):
        return []
    file, shape, lines = layout.file, seen["shape"], []
    if seen["format"] != file.format and {seen["format"], file.format} & {"xlsx", "xls", "fixed"}:
        lines.append(f"? format は {seen['format']} のようです(レイアウトは {file.format})。")
    if seen["encoding"] and not file.is_workbook and ENCODING_NAMES[seen["encoding"]] != ENCODING_NAMES[file.encoding]:
        lines.append(
            f"? encoding は {seen['encoding']} のようです(レイアウトは {file.encoding})。{seen['why'].get('encoding', '')}"
        )
    if seen["delimiter"] and not file.is_workbook and seen["delimiter"] != file.delimiter:
        lines.append(f"? 区切り文字は {seen['delimiter']!r} のようです(レイアウトは {file.delimiter!r})。")
    if shape["header_rows"] and not file.find_header:
        if shape["skip_top"] != file.skip_top:
            lines.append(
                f"? 見出しは {shape['skip_top'] + 1} 行目のようです(skip_top は {shape['skip_top']}、レイアウトは {file.skip_top})。"
            )
        if shape["header_rows"] != file.header_rows:
            lines.append(f"? 見出しは {shape['header_rows']} 段のようです(レイアウトは {file.header_rows})。")
    elif not shape["header_rows"] and file.header_rows:
        lines.append("? 見出しの行がないようです(header_rows = 0 にして、列を順に書く)。")
    return lines + _near_names(layout, [c["name"] for c in seen["columns"]])


def _near_names(layout: Layout, printed: list[str]) -> list[str]:
    """For columns that aren't there: printed ones of a similar name."""
    import difflib

    there = {folded(name): name for name in printed}
    lines = []
    for column in layout.columns:
        if column.ignore or not column.is_printed or any(name in there for name in names_of(column)):
            continue
        near = difflib.get_close_matches(folded(column.name), there, 3, 0.5)
        what = f"似た見出し: {'、'.join(there[n] for n in near)}(also に書けます)" if near else "似た見出しもありません"
        lines.append(f"? 列「{column.reference}」が見つかりません。{what}")
    return lines

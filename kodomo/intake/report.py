"""What became of a delivery, as JSON and as a page that a person can act on (identity side).

Names rows, columns and codes, never a value.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from kodomo.intake.delivery import writing
from kodomo.intake.quarantine import row_fault
from kodomo.vault.records import place_of

Report = Mapping[str, Any]

ROWS_SHOWN = 1_000
"""Rows listed on the page; the JSON lists all of them."""

STYLE = (
    "body{font:16px/1.75 'Noto Sans JP','BIZ UDPGothic',sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1a1a1c}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{border:1px solid #767676;padding:.3rem .6rem;text-align:left}"
    "th{background:#f1f1f4}td.n{text-align:right}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}"
    ".refused{border-left:.5rem solid #a30000;padding-left:1rem}@page{size:A4;margin:15mm}"
)


def quarantine_entry(row: int, column: str, code: str, spans: Sequence[Sequence[Any]] = ()) -> dict[str, Any]:
    """One quarantined row as reports tell of it: its number, and the sheet and row that a spreadsheet shows."""
    fault, (sheet, shown) = row_fault(code), place_of(row, spans)
    return {
        "row": row,
        "sheet": sheet,
        "sheet_row": shown,
        "column": column,
        "code": code,
        "reason": fault.label,
        "advice": fault.advice,
    }


def write_report(folder: Path, stem: str, report: Report) -> Path:
    """Write ``stem.json`` and ``stem.html`` into the reports folder, each in one step; returns the JSON's path."""
    with writing(folder / stem):
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / f"{stem}.html", page(report))
        # Last: where the JSON is, the report is complete.
        _replace(folder / f"{stem}.json", json.dumps(report, ensure_ascii=False, indent=1, default=str))
    return folder / f"{stem}.json"


def _replace(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def page(report: Report) -> str:
    """The report as one HTML page without any outside resource, fit for printing."""
    is_landed = report["state"] == "landed"
    title = "受領報告" if is_landed else "受領できなかったファイルの報告"
    parts = [f"<h1>{title}</h1>", _facts(report)]
    parts.append(_landed(report) if is_landed else _refused(report))
    return (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8">'
        f"<title>{title} {escape(str(report['file']))}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _facts(report: Report) -> str:
    lines = [
        ("ファイル", report["file"]), ("出所", report.get("caption") or report.get("source") or "—"),
        ("抽出日", report.get("extracted_on") or "—"), ("受領日時", report.get("received_at")),
        ("媒体", report.get("carrier") or "—"), ("受領した人", report.get("received_by")), ("SHA-256", report.get("sha256") or "—"),
    ]  # fmt: skip
    if report["state"] == "landed":
        lines += [
            ("受領番号", report["receipt"]), ("読んだ行", _count(report["rows_read"])),
            ("取り込んだ行", _count(report["rows_landed"])), ("差し戻した行", _count(report["rows_quarantined"])),
            ("前と同じ内容の行", _count(report["rows_duplicate"])), ("訂正された行", _count(report["rows_corrected"])),
            ("条件により取り込まなかった行", _count(report.get("rows_skipped", 0))),
            ("前の記録を取り消した行", _count(report.get("rows_withdrawn", 0))),
        ]  # fmt: skip
    return _table((), [(name, value) for name, value in lines])


def _refused(report: Report) -> str:
    return (
        f'<div class="refused"><p><strong>{escape(str(report["what"]))}</strong></p>'
        f"<p>場所: {escape(str(report['where']))}</p><p>次にすること: {escape(str(report['then']))}</p></div>"
        f"<p>このファイルからは何も取り込んでいません。</p>{_refused_items(report)}"
    )


def _landed(report: Report) -> str:
    return "".join((_quarantined(report), _questions(report), _beside_last(report), _columns(report), _refused_items(report),
                    _notes(report)))  # fmt: skip


def _questions(report: Report) -> str:
    """Shifts worth asking the holder about, content that hasn't changed by a sign, and staleness."""
    questions = [escape(str(shift["question"])) for shift in report.get("shifts", ())]
    questions += [escape(str(report["unchanged"]))] if report.get("unchanged") else []
    fresh = report.get("freshness") or {}
    if fresh and fresh["age_days"] is not None and not fresh["is_fresh"]:
        questions.append(
            f"抽出から {fresh['age_days']} 日たっています(期限 {fresh['freshness_days']} 日)。新しい抽出はありませんか。"
        )
    return (
        "<h2>確かめてほしいこと</h2><ul>" + "".join(f"<li>{q}</li>" for q in questions) + "</ul>" if questions else ""
    )


def _beside_last(report: Report) -> str:
    last = report.get("against_last")
    if not last:
        return "<h2>前回の受領との違い</h2><p>比べられる前回の受領がありません。</p>"
    if not last["is_list"]:
        return (f"<h2>前回の受領との違い</h2><p>前回({escape(str(last['file']))})と重なる記録がほとんどありません。"
                "月ごとに別の記録を渡しているなら、そのままで構いません。</p>")  # fmt: skip
    rows = [
        ("増えた記録", _count(last["added"]), "—"), ("内容が変わった記録", _count(last["changed"]), _listed(last.get("changed_at", last["changed_rows"]), "今回")),
        ("なくなった記録", _count(last["vanished"]), _listed(last.get("vanished_at", last["vanished_rows"]), "前回")), ("同じ記録", _count(last["same"]), "—"),
    ]  # fmt: skip
    ask = (
        "<p>なくなった記録は、消したものとは扱っていません。抽出の条件で外れたのでなければ、そのままで構いません。</p>"
        if last["vanished"]
        else ""
    )
    return (
        f"<h2>前回の受領との違い</h2><p>前回: {escape(str(last['file']))}</p>"
        + _table(("", "件数", "行の番号"), rows)
        + ask
    )


def _place(entry: dict[str, Any]) -> str:
    return f"シート「{entry['sheet']}」{entry['sheet_row']}" if entry["sheet"] else str(entry["sheet_row"])


def _sheets(spans: Sequence[Sequence[Any]]) -> int:
    return len({sheet for sheet, *_ in spans})


def rows_told(rows: Sequence[int], spans: Sequence[Sequence[Any]]) -> list[int] | list[str]:
    """Row numbers as a spreadsheet shows them, with the sheet's name if several were read."""
    places = [place_of(row, spans) for row in rows]
    return [f"シート「{sheet}」{row}" for sheet, row in places] if _sheets(spans) > 1 else [row for _, row in places]


def _listed(rows: Sequence[int | str], which: str) -> str:
    return f"{which}のファイルの {'、'.join(map(str, rows))} 行目{' ほか' if len(rows) >= 20 else ''}" if rows else "—"


def _quarantined(report: Report) -> str:
    entries = report.get("quarantined", [])
    if not entries:
        return "<h2>差し戻した行</h2><p>ありません。</p>"
    sums = Counter((e["code"], e["reason"], e["column"], e["advice"]) for e in entries)
    summary = _table(
        ("コード", "理由", "列", "行数", "直し方"),
        [(code, reason, column, _count(n), advice) for (code, reason, column, advice), n in sums.most_common()],
    )
    rows = _table(
        ("行(見出しより上も数える)", "列", "コード", "理由"),
        [(_place(e), e["column"], e["code"], e["reason"]) for e in entries[:ROWS_SHOWN]],
    )
    more = (
        f"<p>ほか {_count(len(entries) - ROWS_SHOWN)} 件は JSON の報告にあります。</p>"
        if len(entries) > ROWS_SHOWN
        else ""
    )
    return (
        "<h2>差し戻した行</h2><p>直した行を含むファイルを、もう一度渡してください。取り込み済みの行が二重になることはありません。</p>"
        f"{summary}<h3>行の一覧</h3>{rows}{more}"
    )


def _columns(report: Report) -> str:
    names = report.get("unexpected_columns", [])
    if not names:
        return ""
    listed = "".join(f"<li>{escape(name)}</li>" for name in names)
    return f"<h2>レイアウトにない列(取り込んでいません)</h2><ul>{listed}</ul>"


def _refused_items(report: Report) -> str:
    items = report.get("refused_items", [])
    if not items:
        return ""
    rows = [(i["caption"], i["purpose"], "、".join(i["columns"]) or "—", i["why"]) for i in items]
    return "<h2>法的根拠がないため取り込まなかった項目</h2>" + _table(("項目", "目的", "列", "理由"), rows)


def _notes(report: Report) -> str:
    notes = [escape(str(note)) for note in report.get("notes", [])]
    return "<h2>気をつけること</h2><ul>" + "".join(f"<li>{n}</li>" for n in notes) + "</ul>" if notes else ""


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "<tr>" + "".join(f"<th>{escape(h)}</th>" for h in heads) + "</tr>" if heads else ""
    body = "".join("<tr>" + "".join(_cell(at, v, bool(heads)) for at, v in enumerate(row)) + "</tr>" for row in rows)
    return f"<table>{head}{body}</table>"


def _cell(at: int, value: Any, has_head: bool) -> str:
    tag = "td" if has_head or at else "th"
    return f"<{tag}>{escape(str(value))}</{tag}>"


def _count(number: int) -> str:
    return f"{number:,}"

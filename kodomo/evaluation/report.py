"""The evaluation as a page for the committee: plots drawn here, each beside its table, counts suppressed (analysis side)."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kodomo.evaluation.staff_score import Verdict
from kodomo.governance.approvals import State
from kodomo.governance.suppression import SUPPRESSED_MARK
from kodomo.terms import Method

WIDTH, HEIGHT, LEFT, BOTTOM = 420, 240, 44, 34
STYLE = """
body{font-family:"Noto Sans JP","Hiragino Sans","Yu Gothic",sans-serif;color:#1a1a1c;max-width:60rem;margin:2rem auto;padding:0 1rem;line-height:1.7}
h1{font-size:1.6rem}h2{font-size:1.25rem;border-bottom:1px solid #949494;padding-bottom:.2rem;margin-top:2.5rem}h3{font-size:1rem}
table{border-collapse:collapse;margin:.5rem 0 1rem}th,td{border:1px solid #949494;padding:.25rem .6rem;text-align:right}
th:first-child,td:first-child{text-align:left}thead th{background:#f1f1f4}
.note{background:#fff7e0;border-left:4px solid #b78f00;padding:.5rem 1rem}.side{display:flex;gap:1.5rem;flex-wrap:wrap;align-items:flex-start}
svg text{font-size:11px;fill:#1a1a1c}@media print{body{margin:0}h2{break-after:avoid}.side{break-inside:avoid}}
"""
FIGURES = {
    "auroc": "順位の正しさ(AUROC)",
    "average_precision": "平均適合率",
    "precision_high": "「高」の枠での的中",
    "recall_high": "「高」の枠で届いた割合",
    "precision_middle": "「高」「中」の枠での的中",
    "recall_middle": "「高」「中」の枠で届いた割合",
    "new_found_high": "「高」の枠での新たな発見",
    "new_found_middle": "「高」「中」の枠での新たな発見",
}


def write_page(report: dict[str, Any], path: Path, municipality: str) -> Path:
    """Write one self-contained page: no script, no outside file, readable on paper. Returns the path."""
    body = [_head(report, municipality), _missed(report.get("missed")), *(_type(kind) for kind in report["types"].values()), _coverage(report),
            _items(report.get("items", [])), _drift(report.get("drift", [])), _score_drift(report)]  # fmt: skip
    title = f"{html.escape(municipality)} 判定の検証 {report['past_date']}"
    page = (
        f'<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{''.join(body)}</body></html>"
    )
    path.write_text(page, encoding="utf-8")
    return path


def _head(report: dict[str, Any], municipality: str) -> str:
    criteria, learned = report["criteria"], report["learned"]
    rows = [
        ("判定した過去の日付", report["past_date"]),
        ("その後に見た期間", f"{report['months_after']} か月"),
        ("判定基準", f"{criteria['version']}({criteria['note']}) {criteria['sha256'][:12]}{_approval(criteria)}"),
        ("学習の見通し期間", f"{learned['horizon_months']} か月"),
        ("確認できる件数(高・中)", f"{report['capacity']['high']:.0%}・{report['capacity']['middle']:.0%}"),
        (
            "少数の秘匿",
            f"{report['suppression']['threshold']} 以下は秘匿、{report['suppression']['rounding']} 単位に丸め",
        ),
        ("対象のこども", _count(report["children"])),
    ]
    return (
        '<p class="note">この検証が比べているのは、過去の日付の判定と、その後に市が把握した登録です。'
        "市が把握していない困難は数えられません。数値が高くても、見つけられていないこどもがいないことにはなりません。"
        "スコアはこどもの危険の度合いではなく、確認の順番を決める材料です。</p>"
        + (f'<p class="note">{html.escape(said)}</p>' if (said := report.get("old_data")) else "")
        + _table(("項目", "内容"), [tuple(map(str, row)) for row in rows])
    )


def _approval(criteria: dict[str, Any]) -> str:
    """How the version stands in the book of approvals, where that was asked."""
    return f" {State(criteria['approval']).label}" if "approval" in criteria else ""


def _type(body: dict[str, Any]) -> str:
    caption = html.escape(body["caption"])
    counts = (
        f"<p>まだ登録のなかったこども {_count(body['children'])} 人のうち、その後に登録されたのは {_count(body['cases'])} 人"
        f"(うち支援・相談につながっていなかったのは {_count(body['cases_not_known_to_support'])} 人)。"
        f"確認の枠は「高」{body['places']['high']} 人、「中」まで {body['places']['middle']} 人。</p>"
    )
    if not body["enough_cases"]:
        few = "<p>その後の登録が少ないため、この類型だけの数値は示しません(個人の特定を避け、偶然を成績と見誤らないため)。</p>"
        return f"<h2>{caption}</h2>{counts}{few}"
    figures = _against_staff(body.get("staff_score")) + _foreseen(body) + _figure_table(body["methods"])
    figures += _without_contact(body.get("without_contact"))
    curve = f'<div class="side">{_curve_plot(body["curve"], caption)}{_curve_table(body["curve"])}</div>'
    return f"<h2>{caption}</h2>{counts}{figures}<h3>確認する人数と、届く割合</h3>{curve}{_group_tables(body['groups'])}"


def _against_staff(found: dict[str, Any] | None) -> str:
    """Whether learning beats the staff's points, said before any other figure."""
    if found is None:
        return ""
    verdict = Verdict(found["verdict"])
    if verdict is Verdict.SAME:
        words = (
            "この類型は、職員の点数表で判定しています(学習した推定は、過去の登録で点数表に及ばないか、まだありません)。"
        )
    else:
        words = f"{verdict.label}(順位の正しさの差 {_signed(found['auroc'])}、「高」「中」の枠で届いた割合の差 {_signed(found['recall'])})。"
    return f'<p class="{"plain" if verdict is Verdict.BEATS else "note"}">{html.escape(words)}</p>'


def contact_words(found: Mapping[str, Any]) -> str:
    """What is left of a type's figures without the indicators of contact, in one sentence."""
    auroc, change, reached = (found[name] for name in ("auroc", "auroc_change", "recall_change"))
    return (
        f"相談・手当・見守りなど、助けを求めたことや会っていることを表す指標 {len(found['captions'])} 個をないものとして採点し直すと、"
        f"順位の正しさは {_interval(auroc)}(差 {_signed(change)})、「高」「中」の枠で届いた割合の差は {_signed(reached)} です。"
    )


def _without_contact(found: dict[str, Any] | None) -> str:
    """The same figures without what tells of contact: a large loss means that the unseen are looked for in vain."""
    if found is None:
        return ""
    names = html.escape("・".join(found["captions"]))
    return (
        f'<p class="plain">{contact_words(found)}差が大きい類型では、どの機関ともつながっていないこどもが挙がりにくくなります'
        f"(学習はやり直しません)。なくした指標: {names}</p>"
    )


def _foreseen(body: dict[str, Any]) -> str:
    """Whether the scores foresaw as many cases as there were."""
    found = body.get("expected")
    if found is None:
        return ""
    low, high = found["range"]
    words = f"この期間の登録の見込みは {found['foreseen']:.0f} 人、実際の登録から考えられる幅は {low:.0f}〜{high:.0f} 人です。"
    off = "見込みの水準が外れています。順番は使えますが、割合としては読まないでください。" if found["is_off"] else ""
    return f'<p class="{"note" if off else "plain"}">{words}{off}</p>'


def _signed(values: list[float | None]) -> str:
    value, low, high = values
    if value is None:
        return SUPPRESSED_MARK
    return f"{value:+.3f}" + ("" if low is None or high is None else f"、95 %の幅 {low:+.3f} から {high:+.3f}")


def _missed(found: dict[str, Any] | None) -> str:
    """What the random draws say of children nobody raised."""
    if not found or not found["rounds"]:
        return ""
    value, low, high = found["rate"]
    if value is None:
        words = "まだ、だれについても支援要否の判断が返っていません(kodomo return-outcomes)。"
    else:
        words = (
            f"挙がらず、支援にもつながっていないこどものうち、支援が必要と判断された割合の見込みは {value:.1%}"
            f"(95 %の幅 {low:.1%}–{high:.1%})です。"
        )
    rows = [
        ("回数", str(found["rounds"])),
        ("抽出したこども", _count(found["drawn"])),
        ("判断が済んだこども", _count(found["reviewed"])),
        ("支援が必要と判断された、または登録されたこども", _count(found["found"])),
        ("年齢区分ごとの母集団のうち、判断が代表する割合", f"{found['stands_for_share']:.0%}"),
    ]
    note = (
        "<p>毎回、挙がらなかったこどもから無作為に選び、そうと知らせずに人が確かめた結果です。学習には使いません。</p>"
    )
    return f"<h2>監査抽出: 見落としの割合</h2>{note}<p>{words}</p>{_table(('項目', '数'), rows)}"


def _figure_table(methods: dict[str, dict[str, Any]]) -> str:
    order = [m.value for m in (Method.COMBINED, *(m for m in Method if m is not Method.COMBINED)) if m.value in methods]
    head = ("指標(括弧は95 %の幅)", *(Method(m).label for m in order))
    rows = [(label, *(_interval(methods[m][name]) for m in order)) for name, label in FIGURES.items()]
    rows.append(("見込みと実際のずれ(ECE)", *(_plain(methods[m]["calibration_error"]) for m in order)))
    return _table(head, rows)


def _interval(values: list[float | None]) -> str:
    value, low, high = values
    if value is None:
        return SUPPRESSED_MARK
    return f"{value:.3f}" + ("" if low is None or high is None else f"({low:.3f}–{high:.3f})")


def _share_interval(values: list[float | None]) -> str:
    value, low, high = values
    if value is None:
        return SUPPRESSED_MARK
    return f"{value:.1%}" + ("" if low is None or high is None else f"({low:.0%}–{high:.0%})")


def _plain(value: float | None) -> str:
    return "—" if value is None else f"{value:.4f}"


def _curve_table(curve: list[dict[str, Any]]) -> str:
    rows = [
        (f"上位 {point['share']:.1%}({point['places']:,} 人)", _reached(point), _count(point["reached"]), _count(point["missed"]))
        for point in curve
    ]  # fmt: skip
    return _table(("確認するこども", "届く割合(95 %の幅)", "届く", "届かない"), rows)


def _reached(point: dict[str, Any]) -> str:
    low, high = point["range"]
    return f"{point['recall']:.0%}" + ("" if low is None or high is None else f"({low:.0%}–{high:.0%})")


def _curve_plot(curve: list[dict[str, Any]], caption: str) -> str:
    """Recall over share reviewed with its interval; the dotted line is what chance would reach."""

    def at(share: float, recall: float) -> tuple[float, float]:
        return LEFT + share / 0.5 * (WIDTH - LEFT - 10), (HEIGHT - BOTTOM) - recall * (HEIGHT - BOTTOM - 10)

    points = [at(0.0, 0.0), *(at(p["share"], p["recall"]) for p in curve)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    spread = [(p["share"], *p["range"]) for p in curve if None not in p["range"]]
    edge = [at(share, high) for share, _, high in spread] + [at(share, low) for share, low, _ in reversed(spread)]
    band = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#0017c1"/>' for x, y in points[1:])
    (x0, y0), (x1, y1) = at(0, 0), at(0.5, 0.5)
    ticks = "".join(_tick(at(share, 0.0), f"{share:.0%}", below=True) for share in (0, 0.1, 0.2, 0.3, 0.4, 0.5))
    ticks += "".join(_tick(at(0.0, r), f"{r:.0%}", below=False) for r in (0, 0.25, 0.5, 0.75, 1.0))
    return (
        f'<svg role="img" aria-label="{caption}: 確認する割合と届く割合" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}"><line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="#767676" '
        f'stroke-dasharray="3 3"/><polygon points="{band}" fill="#0017c1" fill-opacity="0.12"/><polyline points="{line}" fill="none" stroke="#0017c1" stroke-width="2"/>{dots}{ticks}</svg>'
    )


def _tick(place: tuple[float, float], text: str, *, below: bool) -> str:
    x, y = place
    return (
        f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{text}</text>'
        if below
        else f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


SHARES = ("recall", "precision", "new_found")


def _group_tables(groups: dict[str, list[dict[str, Any]]]) -> str:
    rows = []
    for name, lines in groups.items():
        for line in lines:
            figures = [_share_interval(line["figures"][figure]) for figure in SHARES]
            figures.append(_interval(line["figures"]["average_precision"]))
            cells = (_count(line["children"]), _count(line["cases"]), _share(line["flagged_share"]))
            rows.append((f"{name}: {line['group']}", *cells, *figures, _own_level(line["expected"]), _even(line)))
    head = ("区分", "人数", "その後の登録", "「高」「中」に入った割合", "登録のうち届いた割合", "入った人のうちの登録", "入った人のうちの新たな発見",
            "平均適合率", "登録の見込み(実際の人数から、偶然にありうる幅)", "届いた割合は、ほかの区分の何倍か")  # fmt: skip
    note = (
        "<p>括弧は95 %の幅です。△ は、ほかの区分より届く割合が低い(0.8 倍未満)か高い(1.25 倍超)うえに、偶然とはいえない区分です。"
        "見込みの「外れ」は、その区分だけ見込みの水準が合っていないことを表します。</p>"
    )
    return "<h3>偏り</h3>" + note + _table(head, rows)


def _own_level(expected: dict[str, Any] | None) -> str:
    if expected is None:
        return "—"
    low, high = expected["range"]
    return f"{expected['foreseen']:.0f} 人({low:.0f}–{high:.0f})" + (" 外れ" if expected["is_off"] else "")


def _even(line: dict[str, Any]) -> str:
    words = _interval(line["figures"]["recall_ratio"])
    return f"△ {words}" if line["is_uneven"] else words


def _coverage(report: dict[str, Any]) -> str:
    rows = [(line["caption"], f"{line['share']:.0%}") for line in report["coverage"]]
    return "<h2>情報のそろい具合</h2>" + _table(("出所", "載っているはずのこどものうち、新しく載っている割合"), rows)


def _items(lines: Sequence[dict[str, Any]]) -> str:
    """What each item is worth, beside how sensitive it is: the question 必要最小限 asks."""
    if not lines:
        return ""
    rows = [
        (x["caption"], x["sensitivity"], "・".join(x["types"]), _share(x["lost_share"]), _share(x["changed_share"]))
        for x in lines
    ]
    note = (
        "<p>その項目が来なくなったとして全員を採点し直し、枠の中のこどものうち何割が入れ替わるか、いま枠の中にいる「その後の登録」のうち"
        "何割を見落とすかを数えました(学習はやり直しません)。取扱区分が重いのにどちらの割合も小さい項目は、受け取り続けるかを見直す候補です。"
        "届かなくなる割合のマイナスは、ないほうが多く届いたことを表します。</p>"
    )
    if all(x["lost_share"] is None for x in lines):
        note += "<p>枠の中で届いた登録が少ないため、届かなくなる割合は示しません。</p>"
    head = ("項目", "取扱区分", "役立てている類型", "ないと届かなくなる割合", "ないと枠の中で入れ替わる割合")
    return "<h2>データ項目の値打ち</h2>" + note + _table(head, rows)


def _drift(lines: Sequence[dict[str, Any]]) -> str:
    """The indicators that moved; those that did not are counted only."""
    moved = [x for x in lines if x["state"] != "安定"]
    if not lines:
        return ""
    rows = [
        (x["caption"], f"{x['index']:.2f}", x["state"], f"{x['missing_then']:.0%} → {x['missing_now']:.0%}")
        for x in moved
    ]
    note = (
        f"<p>過去の日付と基準日とで、指標の分布が変わったかを見ました(人口安定性指数 PSI。0.10 以上は要注意、0.25 以上は要判断)。"
        f"安定している指標は {len(lines) - len(moved)} 個です。</p>"
    )
    table = _table(("指標", "PSI", "状態", "値のないこども"), rows) if rows else "<p>変わった指標はありません。</p>"
    return "<h2>入ってくるデータの変化</h2>" + note + table


def _score_drift(report: dict[str, Any]) -> str:
    """How the scores themselves moved."""
    if "score_drift" not in report:
        return ""
    lines = report["score_drift"]
    rows = [(x["caption"], f"{x['index']:.2f}", x["state"]) for x in lines]
    note = "<p>過去の日付の判定の仕方で、いまのこどもを採点したとき、スコアの分布がどれだけ変わったかです(読み方は上と同じ)。</p>"
    table = _table(("類型", "PSI", "状態"), rows) if rows else "<p>こどもが少なく、変化は測れません。</p>"
    return "<h2>スコアの変化</h2>" + note + table


def _count(value: int | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:.1%}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f"<th scope='col'>{html.escape(cell)}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"

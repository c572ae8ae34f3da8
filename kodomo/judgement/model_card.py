"""モデルカードとアルゴリズム登録簿: what each model is, from facts alone, for those who decide and for the public (analysis side).

Two Markdown pages lie beside every model. The card (Mitchell et al., Model Cards, 2019) tells the committee what
was learned from what, how well, and where it must not be trusted. The register sheet tells residents in plain words
what is computed about children and who decides. Both show small counts suppressed and no child.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.configuration import Municipality
from kodomo.features.catalogue import Catalogue
from kodomo.governance.models import APPROVAL_HEAD, CARD, MODELS, SHEET, approved_by, approvers, write_beside
from kodomo.governance.register import Register
from kodomo.governance.suppression import SUPPRESSED_MARK, Suppression
from kodomo.judgement.criteria import Criteria
from kodomo.judgement.recipe import Recipe
from kodomo.terms import DifficultyType, Method, Purpose, difficulty_label

LIMITS = (
    "学んだのは「市が把握して登録したこと」であり、困難そのものではない。市が気づかなかった困難は、学ぶことも測ることもできない。",
    "低い順位・「低」は、困難がないことを意味しない。「情報不足」は「低」ではない。",
    "スコアは確認の順番を決める材料であり、こどもの危険の度合いではない。これだけで支援・不支援を決めない。",
    "家族の状況、利用した制度、住む地区の記録の多さが、挙がりやすさに影響する。区分ごとの差は検証の報告にある。",
    "どの類型でも同じように登録されやすい家庭(手当・相談・世帯のつくり)の把握事例は、その分だけ軽く数えて学ぶ(把握事例が 50 世帯以上の類型が五つ以上ある市)。"
    "ほかの困難で把握されたこどもとも比べて学ぶ。気づかれやすさを困難と取り違えないためだが、偏りがすべて消えるわけではない。",
    "把握事例が少ない類型では、差の幅が広い。幅のない数字だけを比べない。",
)


@dataclass(frozen=True)
class Facts:
    """What a model stands on; ``children`` is how many were judged on the day of learning."""

    municipality: Municipality
    register: Register
    criteria: Criteria
    recipe: Recipe
    children: int


def write_cards(
    root: Path, version: str, facts: Facts, manifest: Mapping[str, Any], comparison: Mapping[str, Any] | None = None
) -> tuple[Path, Path]:
    """Write both pages beside a model; what was there is replaced.

    Args:
        root: the store.
        manifest: what was learned (``learned``), and who approved the criteria (``criteria.approved_by``) and the
            model (``approved_by``; absent: nobody yet).
        comparison: the challenge's report, where there was one.
    """
    rule = Suppression(facts.municipality.suppression_threshold, facts.municipality.rounding_base)
    learned = manifest["learned"]
    approval = {"criteria": manifest["criteria"]["approved_by"], "model": manifest.get("approved_by", [])}
    parts = [
        f"# モデルカード {facts.municipality.name} {version}",
        _facts(facts, learned, rule),
        "## 類型ごと",
        _types(learned, rule),
        *_ranges(manifest.get("ranges", {}), rule),
        *left_out(learned, facts.criteria.catalogue),
        *telling_gaps(learned, facts.criteria.catalogue),
        *_comparison(comparison),
        "## 使ったデータ項目",
        _items(facts),
        "## 使い方の限り",
        _lines(LIMITS),
    ]
    text = "\n\n".join(parts) + APPROVAL_HEAD + approvers(approval) + "\n"
    card = write_beside(root / MODELS / version, CARD, text)
    return card, write_beside(root / MODELS / version, SHEET, _sheet(facts, version, approval, comparison))


def _facts(facts: Facts, summary: Mapping[str, Any], rule: Suppression) -> str:
    municipality, criteria, recipe = facts.municipality, facts.criteria, facts.recipe
    scenarios, dates = criteria.scenarios, summary["dates"]
    rows = [
        ("自治体", municipality.name),
        ("学んだ日", recipe.as_of.isoformat()),
        ("こどもデータベースの版", recipe.snapshot),
        ("判定基準", f"{scenarios.version}({scenarios.note})版 {criteria.sha256}"),
        ("学んだ過去の基準日", "、".join(dates) if dates else "なし(期間が短い)"),
        ("見通し", f"{summary['horizon_months']} か月以内の登録。確率は 12 か月に合わせる"),
        ("対象のこども", _count(rule.count(facts.children))),
        ("人の判断の取り込み", recipe.outcomes or "なし"),
        ("学習から外した監査抽出", f"{len(recipe.rounds)} 回分"),
        ("職員が指定したルール", f"{len(recipe.rules)} 件"),
        ("乱数の種", str(summary["seed"])),
    ]
    return _table(("項目", "内容"), rows)


def _types(summary: Mapping[str, Any], rule: Suppression) -> str:
    rows = []
    for kind, one in summary["types"].items():
        use = "点数表だけ" if one["staff_score_stands"] or one["model"] is None else f"学習の重み {one['weight']:.2f}"
        checks = one["checks"]
        rows.append(
            (
                difficulty_label(kind),
                _count(rule.count(one["cases"])),
                {None: f"なし({one['why_not']})", "own": "この類型だけ", "pooled": "類型をまとめて"}[one["model"]],
                use,
                _check(checks.get(Method.COMBINED.value)),
                _check(checks.get(Method.SCENARIO.value)),
            )
        )
    head = ("類型", "把握事例(世帯)", "学習", "使い方", "学習を加えた判定の AUROC", "職員の点数表の AUROC")
    words = "AUROC は、学んでいない世帯での順位の正しさ(0.5 は当て推量)。かっこの中は 95 %の幅。把握事例が少ないものは示さない。"
    return f"{words}\n\n{_table(head, rows)}\n\n{SUMS}"


RATES = (
    "見込みの幅(`judgements.score_low`〜`score_high`)は、この判定で同じ高さになるこどものうち、12 か月以内に登録される割合の 95 %の幅。"
    "過去の基準日に、学んでいない世帯で実際にどれだけ登録されたかから求めた。一人のこどもの確率の幅ではない。"
)
SWAY = (
    "順位の幅(`level_low`〜`level_high`)は、市が同じ数の別の事例を把握していたら、同じこどもがどのレベルになりえたかの 95 %の幅。"
    "学ぶ世帯を入れかえたモデルどうしの違いから求めた。下の端は、困難がないことを意味しない。"
)


WITHOUT_RANGE = "「—」は、過去の基準日の後に登録された世帯が少ないか、点数表だけで判定していて、示せる幅がないもの。"


def _ranges(found: Mapping[str, Mapping[str, Any]], rule: Suppression) -> list[str]:
    """How sure scores and places are: paragraphs, none in a model of before there were ranges."""
    rows = [
        (
            difficulty_label(kind),
            *(_rate(one["rate_at"][share]) for share in ("2", "10")),
            *(
                "—" if one[part] is None else f"{_count(rule.count(one[part]))} / {_count(rule.count(one[whole]))}"
                for part, whole in (("may_fall", "raised"), ("may_rise", "low"))
            ),
        )
        for kind, one in found.items()
    ]
    head = (
        "類型",
        "見込みの幅(上位 2 %の境)",
        "見込みの幅(上位 10 %の境)",
        "高・中のうち低もありえた",
        "低のうち中以上もありえた",
    )
    return ["## 判定の幅", f"{RATES}\n\n{SWAY}", f"{WITHOUT_RANGE}\n\n" + _table(head, rows)] if rows else []


def _rate(ends: Sequence[float] | None) -> str:
    return "—" if ends is None else "–".join(f"{100 * end:.1f}" for end in ends) + " %"


def left_out(summary: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """What types did not learn from because it knew the cases: paragraphs, none where nothing was left out."""
    lines = [
        f"{difficulty_label(kind)}: {catalogue[one['indicator']].caption}"
        for kind, said in summary["types"].items()
        for one in said.get("left_out", ())
    ]
    words = "把握事例をほぼ言い当てたため、学習から外した指標(同じデータ項目を同じ人について見る指標も外した)。登録そのものの記録でないかを確かめる。"
    return [f"{words}\n\n{_lines(lines)}"] if lines else []


def telling_gaps(summary: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Indicators that tell the cases by being known or not: paragraphs, none where there are none."""
    lines = [
        f"{difficulty_label(kind)}: {catalogue[one['indicator']].caption}({one['auroc']:.2f})"
        for kind, said in summary["types"].items()
        for one in said.get("telling_gaps", ())
    ]
    words = (
        "値ではなく、載っているかどうかだけで把握事例をある程度言い当てる指標(かっこの中は AUROC)。学習には使った。"
        "把握された後に調べた・届いた記録でないか、年齢の違いだけでないかを確かめる。"
    )
    return [f"{words}\n\n{_lines(lines)}"] if lines else []


SUMS = (
    "理由の寄与は対数オッズで足し合わせられる。出発点(`judgements.base`)、挙げた理由(`reasons.contribution`)の合計、"
    "挙げなかった項の合計(`judgements.rest`)を足すと、どの判定ロジックでもスコアの対数オッズになる。"
)


def _check(found: Mapping[str, Any] | None) -> str:
    if found is None or found["auroc"] != found["auroc"]:
        return "—"
    return f"{found['auroc']:.3f}({found['low']:.3f}–{found['high']:.3f})"


def _comparison(report: Mapping[str, Any] | None) -> list[str]:
    """The challenge: against the model that judges, or against the staff's points where none does."""
    if report is None:
        return []
    against = f"現用のモデル {report['champion']}" if report["champion"] else "職員の点数表(現用のモデルはまだない)"
    rows = [
        (difficulty_label(kind), _count(one["cases"]), *(_difference(one.get(name)) for name in ("auroc", "average_precision", "recall")))
        for kind, one in report["types"].items()
    ]  # fmt: skip
    head = ("類型", "その後の登録", "AUROC の差", "平均適合率の差", "枠で届いた割合の差")
    words = (
        f"{against}との差。基準日 {'、'.join(report['dates'])}、その後 {report['months_after']} か月の登録で、同じこどもについて比べた。"
        "正は新しいモデルがよい。括弧は 95 %の幅。"
    )
    return ["## いまの判定との比較", f"{words}\n\n{_table(head, rows)}\n\n{report['sentence']}"]


def _difference(values: Sequence[float | None] | None) -> str:
    if values is None or values[0] is None:
        return SUPPRESSED_MARK
    value, low, high = values
    return f"{value:+.3f}" + ("" if low is None or high is None else f"({low:+.3f}–{high:+.3f})")


def _items(facts: Facts) -> str:
    criteria, register, recipe, rows = facts.criteria, facts.register, facts.recipe, []
    for code in used_items(criteria):
        basis = register.basis_for(code, Purpose.LEARN, recipe.as_of)
        sensitivity = register.items[code].sensitivity.label if code in register.items else ""
        rows.append(
            (register.caption(code), sensitivity, basis.article or basis.basis.label if basis else "学習に使わない")
        )
    return _table(("項目", "取扱区分", "学習の根拠"), rows)


def used_items(criteria: Criteria) -> list[str]:
    """Codes of the data items the indicators read, in order."""
    return sorted({code for indicator in criteria.catalogue.indicators for code in indicator.items})


def _sheet(facts: Facts, version: str, approval: Mapping[str, Any], comparison: Mapping[str, Any] | None) -> str:
    municipality, register, criteria, recipe = facts.municipality, facts.register, facts.criteria, facts.recipe
    items = [code for code in used_items(criteria) if register.basis_for(code, Purpose.JUDGE, recipe.as_of)]
    bases = {register.basis_for(code, Purpose.JUDGE, recipe.as_of) for code in items}
    articles = sorted({basis.article or basis.basis.label for basis in bases if basis})
    refused = sorted(refusal.caption for refusal in register.refused.values())
    types = "、".join(DifficultyType(name).label for name in recipe.types)
    rows = [
        ("名称", f"{municipality.name} 支援ニーズの確認候補の判定"),
        ("版", f"モデル {version}、判定基準 {criteria.scenarios.version}({criteria.scenarios.note}){criteria.sha256[:12]}"),
        ("目的", municipality.purpose_text),
        ("対象", f"市に住むこども(18歳になった年度の末まで)。類型: {types}"),
        ("根拠となる法令", "、".join(articles) or "登録簿を参照"),
        ("使う情報", "、".join(register.caption(code) for code in items)),
        ("使わないと決めた情報", "、".join(refused) or "なし"),
        ("氏名・住所", "使わない。氏名等を外した仮名のデータだけで計算する"),
        ("しくみ", "職員が読める点数表と、過去に市が把握した事例から学んだ推定を合わせ、人が確かめる順番をつける"),
        ("判定の幅", "市が別の事例を把握していたらレベルが変わりえたこどもには、その幅を職員に示す。低い側の端は「困難がない」という意味ではない"),
        ("人の役割", "職員が事実を読んで所見を書いてから判定を見る。支援するかどうかは、必ず職員が理由を書いて決める"),
        ("判定だけで行うこと", "なし"),
        ("必ず人が見るもの", "点数によらず、命・安全にかかわる事実がある場合と、情報が足りない場合"),
        ("良し悪しの確かめ方", "過去の日付での検証と、挙がらなかったこどもからの無作為の抽出(監査抽出)"),
        ("いまの判定との比較", comparison["sentence"] if comparison else "まだ比べていない"),
        ("承認", approved_by(approval)),
        ("学んだ日", recipe.as_of.isoformat()),
        ("問い合わせ", "、".join(office.name for office in municipality.offices[:1])),
    ]  # fmt: skip
    return f"# アルゴリズム登録簿\n\n{_table(('項目', '内容'), rows)}\n\n## 限界\n\n{_lines(LIMITS)}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines)


def _lines(words: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in words)


def _count(value: int | None) -> str:
    return SUPPRESSED_MARK if value is None else f"{value:,}"

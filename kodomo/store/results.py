"""Judgements, their reasons and what they rest on, written by later stages (analysis side, pseudonymous)."""

from __future__ import annotations

import pyarrow as pa

from kodomo.tables.schema import Column, Table
from kodomo.terms import Sensitivity

JUDGEMENTS = Table(
    "judgements",
    "判定",
    "一人のこども・一つの類型(または総合)・一つの判定ロジックの結果",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("type", pa.string(), "困難の類型コード、または OVERALL", Sensitivity.PLAIN),
        Column("method", pa.string(), "判定ロジックのコード", Sensitivity.PLAIN),
        Column("score", pa.float64(), "スコア(0–1)", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("level", pa.string(), "レベルのコード", Sensitivity.SPECIAL_CARE),
        Column(
            "escalation", pa.string(), "点数によらず必ず見る理由(最初の一つ)", Sensitivity.SPECIAL_CARE, nullable=True
        ),
        Column(
            "escalations",
            pa.list_(pa.string()),
            "点数によらず必ず見る理由のすべて",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
        Column("is_registered", pa.bool_(), "この類型で既に把握・登録されている", Sensitivity.SPECIAL_CARE),
        Column(
            "standing",
            pa.float64(),
            "この判定ロジックで、類型を判定したこどものうちの順位(1 が最も高く、0 に近いほど低い)",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
        Column(
            "is_disputed",
            pa.bool_(),
            "要確認: ある判定ロジックでは上位 1 割、別のロジックでははるかに下(総合判定の行だけ)",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
        Column(
            "score_low",
            pa.float64(),
            "見込みの幅の下の端: この判定で同じ高さになるこどものうち、12 か月以内に登録される割合(95 %の幅。総合判定の行だけ)。"
            "低くても、困難がないことを意味しない",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
        Column("score_high", pa.float64(), "見込みの幅の上の端", Sensitivity.SPECIAL_CARE, nullable=True),
        Column(
            "level_low",
            pa.string(),
            "順位の幅の下の端: 市が別の把握事例から学んでいたらありえた、いちばん低いレベル(95 %の幅。総合判定の行だけ。"
            "必ず見る事実がある・情報不足・点数だけで判定したものは空)",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
        Column(
            "level_high", pa.string(), "順位の幅の上の端: いちばん高いレベル", Sensitivity.SPECIAL_CARE, nullable=True
        ),
        Column(
            "base",
            pa.float64(),
            "出発点: 何も当てはまらないときの対数オッズ。base + 理由の寄与の合計 + rest がスコアの対数オッズ"
            "(総合では 0 で、合計は各類型の順位の珍しさの和)",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
        Column(
            "rest",
            pa.float64(),
            "理由に挙げなかった項の寄与の合計(対数オッズ)",
            Sensitivity.SPECIAL_CARE,
            nullable=True,
        ),
    ),
)

REASONS = Table(
    "reasons",
    "判定の根拠",
    "一つの判定の、一つの理由",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("type", pa.string(), "困難の類型コード、または OVERALL", Sensitivity.PLAIN),
        Column("method", pa.string(), "判定ロジックのコード", Sensitivity.PLAIN),
        Column("position", pa.int32(), "並び順(1 から)", Sensitivity.PLAIN),
        Column("direction", pa.string(), "UP は可能性を上げる、DOWN は下げる、GATE は必ず見る", Sensitivity.PLAIN),
        Column("sentence", pa.string(), "日本語の文", Sensitivity.SPECIAL_CARE),
        Column(
            "contribution",
            pa.float64(),
            "スコアの対数オッズへの寄与(総合では順位の珍しさ)。GATE は 0",
            Sensitivity.SPECIAL_CARE,
        ),
        Column("indicator", pa.string(), "指標コード", Sensitivity.PLAIN, nullable=True),
        Column("source", pa.string(), "出所のコード", Sensitivity.PLAIN, nullable=True),
        Column("fact_on", pa.date32(), "事実の日付", nullable=True),
    ),
)

COVERAGE = Table(
    "coverage",
    "情報のそろい具合",
    "一人のこどもを一つの出所がどれだけ知っているか",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("source", pa.string(), "出所のコード", Sensitivity.PLAIN),
        Column("expected", pa.bool_(), "この年齢なら載っているはず", Sensitivity.PLAIN),
        Column("known", pa.bool_(), "載っている"),
        Column("latest_on", pa.date32(), "最も新しい事実の日付", nullable=True),
        Column("is_fresh", pa.bool_(), "鮮度の期限内"),
    ),
)

SUBJECTS = Table(
    "subjects",
    "判定の対象",
    "判定の日のこども一人",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("age_band", pa.string(), "年齢区分コード"),
        Column("age_years", pa.int32(), "満年齢"),
        Column("school_grade", pa.int32(), "学年(1–9、就学前は空)", nullable=True),
        Column("sex", pa.string(), "性別", nullable=True),
        Column("area_code", pa.string(), "地区", nullable=True),
        Column("household_key", pa.string(), "世帯の仮名キー", nullable=True),
        Column("is_known_to_support", pa.bool_(), "支援・相談につながっている", Sensitivity.SPECIAL_CARE),
        Column("is_council_registered", pa.bool_(), "要対協に登録がある", Sensitivity.SPECIAL_CARE),
        Column("moved_in_within_year", pa.bool_(), "転入1年以内(履歴なし)"),
        Column("coverage_share", pa.float64(), "載っているはずの出所のうち、新しく載っている割合(0–1)"),
    ),
)

AUDIT_DRAWS = Table(
    "audit_draws",
    "監査抽出",
    "一つの回に、挙がらなかったこどもの中から無作為に選ばれた一人。これまでのすべての回を含む",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("round", pa.date32(), "回(判定の基準日)", Sensitivity.PLAIN),
        Column("age_band", pa.string(), "年齢区分コード"),
        Column("area_code", pa.string(), "地区"),
        Column("stratum_children", pa.int32(), "母集団のうち同じ年齢区分・地区の人数", Sensitivity.PLAIN),
        Column("band_children", pa.int32(), "母集団のうち同じ年齢区分の人数", Sensitivity.PLAIN),
        Column("pool_children", pa.int32(), "母集団の人数", Sensitivity.PLAIN),
        Column("probability", pa.float64(), "選ばれる確率", Sensitivity.PLAIN),
    ),
)

SIMILAR_CASES = Table(
    "similar_cases",
    "似た過去の事例",
    "ある類型で挙がった一人のこどもに、学習した近さで近い把握済みの事例の一つ。近さの値は持たない",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("type", pa.string(), "困難の類型コード", Sensitivity.PLAIN),
        Column("position", pa.int32(), "近い順(1 から)", Sensitivity.PLAIN),
        Column("similar_key", pa.string(), "似た事例のこどもの仮名キー"),
    ),
)

DECISIONS = Table(
    "decisions",
    "支援要否の判断",
    "人が一つの事例について下した一つの判断。判断を改めたときは別の行",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("judgement", pa.string(), "見ていた判定の名前", Sensitivity.PLAIN),
        Column("revision", pa.int32(), "何番目の判断か(1 から)", Sensitivity.PLAIN),
        Column("decision", pa.string(), "判断のコード", Sensitivity.SPECIAL_CARE),
        Column("reason_code", pa.string(), "理由のコード", Sensitivity.SPECIAL_CARE),
        Column("concern", pa.string(), "判定を見る前の気がかりの程度", Sensitivity.SPECIAL_CARE),
        Column("agreement", pa.string(), "判定への意見", Sensitivity.PLAIN),
        Column("office", pa.string(), "担当部署のコード", Sensitivity.PLAIN),
        Column("known_from", pa.date32(), "書かれた日", Sensitivity.PLAIN),
    ),
)

CONTACTS = Table(
    "contacts",
    "接触",
    "訪問・面談・電話の一件と、その結果。断られたことも結果である",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("kind", pa.string(), "方法のコード", Sensitivity.PLAIN),
        Column("result", pa.string(), "結果のコード", Sensitivity.SPECIAL_CARE),
        Column("met_on", pa.date32(), "接触の日"),
        Column("known_from", pa.date32(), "書かれた日", Sensitivity.PLAIN),
    ),
)

DISAGREEMENTS = Table(
    "disagreements",
    "判定に同意しない意見",
    "人が確かめた後に、一つの類型の判定が違うと記したこと",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("judgement", pa.string(), "見ていた判定の名前", Sensitivity.PLAIN),
        Column("type", pa.string(), "困難の類型(総合を含む)", Sensitivity.SPECIAL_CARE),
        Column("opinion", pa.string(), "どう違うか(高すぎる・低すぎる・事実が違う)のコード", Sensitivity.SPECIAL_CARE),
        Column("known_from", pa.date32(), "書かれた日", Sensitivity.PLAIN),
    ),
)

OUTCOMES = Table(
    "outcomes",
    "支援結果",
    "支援計画の一つの目標について、ある日に確かめた結果",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("plan", pa.int32(), "支援計画の版", Sensitivity.PLAIN),
        Column("goal", pa.int32(), "目標の番号", Sensitivity.PLAIN),
        Column("service", pa.string(), "支援の内容のコード", Sensitivity.SPECIAL_CARE),
        Column("office", pa.string(), "受け持つ部署のコード", Sensitivity.PLAIN),
        Column("outcome", pa.string(), "結果のコード", Sensitivity.SPECIAL_CARE),
        Column("seen_on", pa.date32(), "確かめた日"),
        Column("known_from", pa.date32(), "書かれた日", Sensitivity.PLAIN),
    ),
)

CLOSURES = Table(
    "closures",
    "終結",
    "事例の終結と、その理由",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("reason_code", pa.string(), "理由のコード", Sensitivity.SPECIAL_CARE),
        Column("closed_on", pa.date32(), "終結した日"),
        Column("known_from", pa.date32(), "書かれた日", Sensitivity.PLAIN),
    ),
)

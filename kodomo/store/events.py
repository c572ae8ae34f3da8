"""What happened to whom and when, one dated fact a row (analysis side, pseudonymous)."""

from __future__ import annotations

import pyarrow as pa

from kodomo.tables.schema import Column, Table
from kodomo.terms import Sensitivity

FACTS = Table(
    "facts",
    "事実",
    "ある人について、ある期間に成り立つ、一つのデータ項目の値",
    (
        Column("person_key", pa.string(), "仮名キー"),
        Column("item", pa.string(), "データ項目コード", Sensitivity.PLAIN),
        Column("number", pa.float64(), "数値", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("code", pa.string(), "区分(日本語の値)", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("valid_from", pa.date32(), "成り立つ期間の始まり"),
        Column(
            "valid_to", pa.date32(), "成り立つ期間の終わり(この日を含まない)", nullable=True, note="空は「いまも続く」"
        ),
        Column(
            "known_from",
            pa.date32(),
            "この市の連携で知り得た日",
            note="出所の登録日に、出所ごとに申告された遅れを足した日。二度目からの受領では、その抽出日より早くならない",
        ),
        Column(
            "known_to",
            pa.date32(),
            "この言明が成り立たなくなった日",
            nullable=True,
            note="のちの受領が訂正した・取り下げたことを知り得た日。空は「いまも成り立つ」",
        ),
        Column("source", pa.string(), "出所のコード", Sensitivity.PLAIN),
    ),
)

SOURCES = Table(
    "sources",
    "出所",
    "一つの出所の鮮度",
    (
        Column("source", pa.string(), "出所のコード", Sensitivity.PLAIN),
        Column("caption", pa.string(), "名称", Sensitivity.PLAIN),
        Column("kind", pa.string(), "種類: observations residents moves", Sensitivity.PLAIN),
        Column("holder", pa.string(), "保有・管理主体", Sensitivity.PLAIN),
        Column("extracted_on", pa.date32(), "最新の抽出日", Sensitivity.PLAIN, nullable=True),
        Column("deliveries", pa.list_(pa.date32()), "受領した分の抽出日(古い順)", Sensitivity.PLAIN, nullable=True),
        Column("freshness_days", pa.int32(), "この日数を過ぎたら古い", Sensitivity.PLAIN),
        Column("rows", pa.int64(), "載っている行数", Sensitivity.PLAIN),
    ),
)

"""Landed extracts as sealed Parquet files, one pair per receipt (identity side).

A landed row becomes one *mention* for each person it speaks of (role subject, guardian …) and one
*fact* for each thing it says about one of them. Values are as printed, except that dates are ISO
8601 (``YYYY-MM-DD``, or shorter where only that much is known) and codes are their meanings.
"""

from __future__ import annotations

import pyarrow as pa

from kodomo.tables.schema import Column, Sensitivity, Table

MENTION_FIELDS = (
    "resident_number", "own_number", "household_number", "name", "name_kana", "former_name",
    "alias_name", "born_on", "sex", "address", "age", "grade", "school", "relationship",
    "nationality", "address_protection", "phone",
    # resident register only
    "resident_from", "resident_from_reason", "resident_to", "resident_to_reason",
    "event_on", "event_kind", "registered_on",
)  # fmt: skip
"""What a row can say about who a person is. ``address_protection`` holds "1" when protected."""

PLACE = (
    Column("receipt", pa.int64(), "受領番号", Sensitivity.PLAIN),
    Column("source", pa.string(), "出所のコード", Sensitivity.PLAIN),
    Column("file", pa.string(), "ファイル名", Sensitivity.PLAIN),
    Column("row", pa.int32(), "行番号(最初のデータ行が 1)", Sensitivity.PLAIN),
    Column(
        "role", pa.string(), "行の中での役: subject guardian mother father household_head holder", Sensitivity.PLAIN
    ),
)

MENTIONS = Table(
    "mentions",
    "記載",
    "一つの行が一人について述べた、その人が誰かに関すること",
    (
        *PLACE,
        Column("kind", pa.string(), "行の種類: observations residents moves", Sensitivity.PLAIN),
        Column("row_key", pa.string(), "出所自身の識別子", Sensitivity.IDENTIFYING, nullable=True),
        *(Column(name, pa.string(), name, Sensitivity.IDENTIFYING, nullable=True) for name in MENTION_FIELDS),
        Column("known_from", pa.date32(), "知り得た日", Sensitivity.PLAIN),
        Column("is_duplicate", pa.bool_(), "同じ内容の行が前にある", Sensitivity.PLAIN),
        Column("is_superseded", pa.bool_(), "後の受領で訂正された", Sensitivity.PLAIN),
    ),
)

LANDED_FACTS = Table(
    "landed_facts",
    "受領した事実",
    "一つの行が一人について述べた、一つのデータ項目の値",
    (
        *PLACE,
        Column("item", pa.string(), "データ項目コード", Sensitivity.PLAIN),
        Column("number", pa.float64(), "数値", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("code", pa.string(), "区分(日本語の値)", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("valid_from", pa.date32(), "期間の始まり"),
        Column("valid_to", pa.date32(), "期間の終わり(この日を含まない)", nullable=True),
        Column("known_from", pa.date32(), "知り得た日"),
    ),
)

"""Children, the people around them and their spells, as the store declares them (analysis side, pseudonymous)."""

from __future__ import annotations

import pyarrow as pa

from kodomo.tables.schema import Column, Table
from kodomo.terms import Sensitivity

PERSONS = Table(
    "persons",
    "人",
    "名寄せされた一人",
    (
        Column("person_key", pa.string(), "仮名キー"),
        Column("born_month", pa.date32(), "生まれた年月(月初日)", nullable=True, note="日は出さない"),
        Column(
            "school_year_born",
            pa.int32(),
            "学年の基準年(4月2日–翌4月1日の年度)",
            nullable=True,
            note="4月1日生まれは前年度に属する",
        ),
        Column("sex", pa.string(), "性別(M/F/不明は空)", nullable=True),
        Column("is_child", pa.bool_(), "対象のこども(0–18歳、公表時点)"),
        Column("is_resident", pa.bool_(), "公表時点で住民である"),
        Column("is_foreign", pa.bool_(), "外国籍", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("area_code", pa.string(), "地区(小学校区など、町丁目より粗い)", nullable=True),
        Column("is_address_protected", pa.bool_(), "支援措置(住所等を見せない)", Sensitivity.SPECIAL_CARE),
    ),
)

CORRECTED_PERSONS = Table(
    "corrected_persons",
    "訂正される前の人",
    "ある人について、のちの受領で訂正されるまで知っていた属性",
    (
        Column("person_key", pa.string(), "仮名キー"),
        Column("born_month", pa.date32(), "生まれた年月(月初日)", nullable=True),
        Column("school_year_born", pa.int32(), "学年の基準年", nullable=True),
        Column("sex", pa.string(), "性別(M/F/不明は空)", nullable=True),
        Column("is_foreign", pa.bool_(), "外国籍", Sensitivity.SPECIAL_CARE, nullable=True),
        Column("known_from", pa.date32(), "そう知った日", nullable=True, note="空は最初の受領から"),
        Column("known_to", pa.date32(), "訂正を知った日"),
    ),
)

PERSON_CHANGES = Table(
    "person_changes",
    "名寄せの訂正",
    "記録がある人から別の人へ移った一回を、一方の人から見たもの",
    (
        Column("person_key", pa.string(), "仮名キー"),
        Column("kind", pa.string(), "何が起きたか: MERGE SPLIT MOVED UNDONE"),
        Column("came", pa.bool_(), "記録がこの人に来た(偽は、この人から出た)"),
        Column("other_key", pa.string(), "相手の仮名キー", nullable=True, note="空は「誰のものとも決まらない」"),
        Column("changed_on", pa.date32(), "変わった日"),
        Column("link_run", pa.int64(), "名寄せの実行番号"),
        Column("records", pa.int32(), "移った記録の数"),
        Column("facts", pa.int32(), "移った事実の数"),
        Column("is_alias", pa.bool_(), "この仮名キーは、いまは別のキーにまとめられている"),
    ),
)

HOUSEHOLD_SPELLS = Table(
    "household_spells",
    "世帯の期間",
    "ある人がある世帯にいた期間",
    (
        Column("person_key", pa.string(), "仮名キー"),
        Column("household_key", pa.string(), "世帯の仮名キー"),
        Column("relationship", pa.string(), "続柄(世帯主から見た)", nullable=True),
        Column("area_code", pa.string(), "地区", nullable=True),
        Column("valid_from", pa.date32(), "始まり"),
        Column("valid_to", pa.date32(), "終わり(この日を含まない)", nullable=True),
        Column("known_from", pa.date32(), "知った日"),
        Column("known_to", pa.date32(), "この記録が成り立たなくなった日(訂正)", nullable=True, note="空は「いまも」"),
    ),
)

KINSHIPS = Table(
    "kinships",
    "親子・保護者",
    "こどもと、その母・父・保護者との関係",
    (
        Column("child_key", pa.string(), "こどもの仮名キー"),
        Column("relative_key", pa.string(), "相手の仮名キー"),
        Column("kind", pa.string(), "関係: MOTHER FATHER GUARDIAN SIBLING"),
        Column("source", pa.string(), "出所"),
        Column("valid_from", pa.date32(), "始まり"),
        Column("valid_to", pa.date32(), "終わり(この日を含まない)", nullable=True),
        Column("known_from", pa.date32(), "知った日"),
        Column("end_known_from", pa.date32(), "終わりを知った日", nullable=True),
        Column("known_to", pa.date32(), "この記録が成り立たなくなった日(訂正)", nullable=True, note="空は「いまも」"),
    ),
)

RESIDENCE_SPELLS = Table(
    "residence_spells",
    "居住の期間",
    "ある人が市内に住んでいた期間",
    (
        Column("person_key", pa.string(), "仮名キー"),
        Column("valid_from", pa.date32(), "始まり"),
        Column("valid_to", pa.date32(), "終わり(この日を含まない)", nullable=True),
        Column("began_by", pa.string(), "始まった理由: BIRTH MOVE_IN OTHER", nullable=True),
        Column("ended_by", pa.string(), "終わった理由: DEATH MOVE_OUT EX_OFFICIO OTHER", nullable=True),
        Column("known_from", pa.date32(), "知った日"),
        Column("end_known_from", pa.date32(), "終わりを知った日", nullable=True),
        Column("known_to", pa.date32(), "この記録が成り立たなくなった日(訂正)", nullable=True, note="空は「いまも」"),
    ),
)

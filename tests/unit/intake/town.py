"""A little municipality made for these tests: two offices, three sources, its own register."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))

SETTINGS = """
code = "999990"
name = "ためし町"
types = ["不登校"]
purpose = "試験"
[capacity]
high = 0.02
middle = 0.08
[suppression]
threshold = 7
rounding = 5
"""

OFFICES = """
[[offices]]
code = "citizens"
name = "市民課"
institution = "市長部局"
[[offices]]
code = "school"
name = "学校教育課"
institution = "教育委員会"
"""

ITEMS = """
[[items]]
code = "number"
caption = "宛名番号"
holder = "citizens"
sensitivity = "氏名・住所等の識別情報"
[[items]]
code = "name"
caption = "氏名"
holder = ["citizens", "school"]
[[items]]
code = "birth"
caption = "生年月日"
holder = "citizens"
[[items]]
code = "address"
caption = "住所"
holder = "citizens"
[[items]]
code = "pupil_number"
caption = "学籍番号"
holder = "school"
[[items]]
code = "absence_days"
caption = "欠席日数"
holder = "school"
types = ["不登校"]
[[items]]
code = "late_days"
caption = "遅刻"
holder = "school"
[[items]]
code = "allowance"
caption = "手当"
holder = "citizens"
[[refused]]
code = "grades"
caption = "成績"
holder = "school"
why = "校長会の意見"
decided_on = 2025-10-01
decided_by = "教育長"
"""

BASES = """
[[bases]]
code = "B-1"
basis = "WITHIN_PURPOSE"
article = "法61条"
items = ["number", "name", "birth", "address", "pupil_number"]
purposes = ["LINK", "REVEAL"]
nature = "恒常"
valid_from = 2025-04-01
approved_by = "市長"
[[bases]]
code = "B-2"
basis = "PROVISION"
article = "法69条2項3号"
items = ["absence_days", "late_days", "allowance"]
purposes = ["JUDGE", "LEARN", "ASSESS"]
nature = "臨時"
valid_from = 2025-04-01
valid_to = 2027-04-01
reasonable_grounds = "早期把握に必要"
"""

REGISTER_LAYOUT = """
source = "residents"
caption = "住民一覧"
system = "住民記録"
holder = "citizens"
lag_days = 1
freshness_days = 45
[file]
pattern = "住民_*.csv"
format = "csv"
encoding = "cp932"
skip_top = 1
footer = "^合計"
[record]
kind = "residents"
row_key = "宛名番号"
identity = ["宛名番号"]
[[columns]]
name = "宛名番号"
type = "identifier"
item = "number"
required = true
person = "subject"
field = "resident_number"
[[columns]]
name = "氏名"
type = "name"
item = "name"
person = "subject"
field = "name"
[[columns]]
name = "生年月日"
type = "date"
item = "birth"
person = "subject"
field = "born_on"
[[columns]]
name = "住所"
type = "address"
item = "address"
person = "subject"
field = "address"
[[columns]]
name = "電話"
type = "text"
ignore = "使わない"
"""

ABSENCE_LAYOUT = """
source = "absences"
caption = "出欠"
system = "校務支援"
holder = "school"
lag_days = 7
freshness_days = 45
[file]
pattern = "出欠_*.csv"
format = "csv"
encoding = "cp932"
[record]
row_key = "学籍番号"
identity = ["学籍番号", "年月"]
[[columns]]
name = "学籍番号"
type = "identifier"
item = "pupil_number"
required = true
person = "subject"
field = "own_number"
[[columns]]
name = "氏名"
type = "name"
item = "name"
person = "subject"
field = "name"
[[columns]]
name = "年月"
type = "month"
required = true
[[columns]]
name = "欠席"
type = "integer"
item = "absence_days"
minimum = 0
maximum = 31
[[columns]]
name = "遅刻"
type = "integer"
item = "late_days"
[[facts]]
item = "absence_days"
number = "欠席"
valid_from = "年月"
valid_to = "month_end"
[[facts]]
item = "late_days"
number = "遅刻"
valid_from = "年月"
valid_to = "month_end"
"""

ALLOWANCE_LAYOUT = """
source = "allowances"
caption = "手当"
system = "手当"
holder = "citizens"
lag_days = 0
freshness_days = 45
[file]
pattern = "手当_*.xlsx"
format = "xlsx"
sheet = "一覧"
skip_top = 2
footer = "^計"
[record]
row_key = "受付番号"
identity = ["受付番号"]
[[columns]]
name = "受付番号"
type = "identifier"
required = true
[[columns]]
name = "氏名"
type = "name"
item = "name"
required = true
person = "guardian"
field = "name"
[[columns]]
name = "氏名"
occurrence = 2
type = "name"
item = "name"
person = "subject"
field = "name"
[[columns]]
name = "開始"
type = "date"
required = true
[[columns]]
name = "終了"
type = "date"
[[columns]]
name = "登録日"
type = "date"
[[columns]]
name = "区分"
type = "code"
codes = { "01" = "全部", "02" = "一部", "09" = "停止" }
[[facts]]
item = "allowance"
code = "区分"
valid_from = "開始"
valid_to = "終了"
known_from = "登録日"
when = { "区分" = ["全部", "一部"] }
"""


def write_town(folder: Path) -> Path:
    """Write the municipality's folder and return it."""
    files = {
        "settings.toml": SETTINGS, "offices.toml": OFFICES, "register/items.toml": ITEMS, "register/bases.toml": BASES,
        "sources/residents.toml": REGISTER_LAYOUT, "sources/absences.toml": ABSENCE_LAYOUT,
        "sources/allowances.toml": ALLOWANCE_LAYOUT,
    }  # fmt: skip
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


RESIDENTS_HEADER = "宛名番号,氏名,生年月日,住所,電話"


def residents_csv(
    *rows: str, header: str = RESIDENTS_HEADER, top: str = "住民一覧表\r\n", end: str = "合計,2\r\n"
) -> bytes:
    """A resident list as the town's system prints it."""
    return (top + header + "\r\n" + "".join(row + "\r\n" for row in rows) + end).encode("cp932")


def absences_csv(*rows: str, header: str = "学籍番号,氏名,年月,欠席,遅刻") -> bytes:
    """An attendance list as the school system prints it."""
    return (header + "\r\n" + "".join(row + "\r\n" for row in rows)).encode("cp932")

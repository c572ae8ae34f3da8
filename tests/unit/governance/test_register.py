"""Nothing is allowed that the register doesn't say; a basis that lapsed allows nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kodomo.errors import ConfigurationFault, NotPermitted
from kodomo.governance.register import Register, read_register
from kodomo.terms import LegalBasis, Purpose, Sensitivity

ON = dt.date(2026, 4, 1)

OFFICES = '[[offices]]\ncode = "health"\nname = "健康課"\ninstitution = "市長部局"\n[[offices]]\ncode = "school"\nname = "学校"\ninstitution = "教委"\n'

ITEMS = """
[[items]]
code = "weight"
caption = "体重"
holder = "health"
domain = "母子保健"
sources = ["checkup"]
sensitivity = "要配慮個人情報"
types = ["虐待"]
roles = ["pregnancy", "presence"]
refresh = "月次"
note = "…"
[[items]]
code = "teeth"
caption = "むし歯"
holder = ["health", "school"]
sensitivity = "SPECIAL_CARE"
[[items]]
code = "absence"
caption = "欠席"
holder = "school"
[[items]]
code = "grades"
caption = "成績"
holder = "school"
[[refused]]
code = "grades"
caption = "成績"
holder = "school"
why = "校長会の意見"
decided_on = 2025-10-01
"""

BASES = """
[[bases]]
code = "B-1"
basis = "PROVISION"
article = "法69条2項3号"
items = ["weight"]
purposes = ["JUDGE", "アセスメント"]
nature = "臨時"
from_institution = "市長部局"
to_institution = "教育委員会"
valid_from = 2026-04-01
valid_to = 2026-05-01
decision_number = "第1号"
reasonable_grounds = "早期把握"
approved_by = "市長"
[[bases]]
code = "B-2"
basis = "利用目的内(61条)"
items = ["*"]
holder = "school"
purposes = ["LINK"]
nature = "恒常"
valid_from = "2025-04-01"
"""


def write(folder: Path, items: str = ITEMS, bases: str = BASES) -> Path:
    (folder / "register").mkdir(exist_ok=True)
    for name, text in (("offices.toml", OFFICES), ("register/items.toml", items), ("register/bases.toml", bases)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def register(tmp_path) -> Register:
    return read_register(write(tmp_path))


def test_register_reads_items_bases_and_refusals(register):
    assert register.items["weight"].sensitivity is Sensitivity.SPECIAL_CARE
    assert register.items["teeth"].holders == ("health", "school")
    assert register.bases[0].basis is LegalBasis.PROVISION and register.bases[0].purposes == {
        Purpose.JUDGE,
        Purpose.ASSESS,
    }
    assert register.bases[1].basis is LegalBasis.WITHIN_PURPOSE and register.bases[1].valid_from == dt.date(2025, 4, 1)
    assert register.refused["grades"].why == "校長会の意見"


@pytest.mark.parametrize(
    ("on", "allowed"),
    [("2026-03-31", False), ("2026-04-01", True), ("2026-04-30", True), ("2026-05-01", False), ("2027-01-01", False)],
)
def test_basis_holds_from_its_first_day_up_to_but_not_on_its_boundary(register, on, allowed):
    assert register.allows("weight", Purpose.JUDGE, dt.date.fromisoformat(on)) is allowed


@pytest.mark.parametrize("purpose", [Purpose.LINK, Purpose.LEARN, Purpose.REVEAL])
def test_basis_for_one_purpose_allows_no_other(register, purpose):
    assert not register.allows("weight", purpose, ON)


def test_star_covers_every_item_of_its_holder_but_refused_ones(register):
    assert register.allows("absence", Purpose.LINK, ON) and register.allows("teeth", Purpose.LINK, ON)
    assert not register.allows("weight", Purpose.LINK, ON)
    assert not register.allows("grades", Purpose.LINK, ON)


def test_refused_item_is_never_allowed_whatever_a_basis_says(tmp_path):
    folder = write(tmp_path, bases=BASES.replace('items = ["*"]\nholder = "school"', 'items = ["absence"]'))
    register = read_register(folder)
    assert register.basis_for("grades", Purpose.LINK, ON) is None
    with pytest.raises(NotPermitted, match="校長会の意見"):
        register.check("grades", Purpose.JUDGE, ON)


@pytest.mark.parametrize(
    ("item", "purpose", "on", "words"),
    [("weight", Purpose.JUDGE, "2026-03-01", "2026-04-01 から"), ("weight", Purpose.JUDGE, "2026-06-01", "2026-05-01 で切れて"),
     ("weight", Purpose.LEARN, "2026-04-02", "登録されていません"), ("income", Purpose.JUDGE, "2026-04-02", "項目がありません")],
)  # fmt: skip
def test_refusal_says_why_where_and_what_next(register, item, purpose, on, words):
    with pytest.raises(NotPermitted) as refusal:
        register.check(item, purpose, dt.date.fromisoformat(on))
    text = refusal.value.text()
    assert words in text and "bases.toml" in text and "決裁" in text and refusal.value.exit_code == 5
    assert refusal.value.details == {"item": item, "purpose": purpose.value, "on": on}


def test_check_passes_what_is_allowed(register):
    register.check("weight", Purpose.ASSESS, ON)


def test_lapsing_tells_what_stops_soon_and_nothing_else(register):
    assert [(x.item, x.purpose, x.stops_on, x.basis) for x in register.lapsing(dt.date(2026, 4, 10), 30)] == [
        ("weight", Purpose.JUDGE, dt.date(2026, 5, 1), "B-1"), ("weight", Purpose.ASSESS, dt.date(2026, 5, 1), "B-1"),
    ]  # fmt: skip
    assert register.lapsing(dt.date(2026, 4, 1), 29) == []
    assert register.lapsing(dt.date(2026, 5, 1), 30) == []


def test_lapse_followed_by_another_basis_stops_nothing(tmp_path):
    following = (
        BASES
        + """
[[bases]]
code = "B-3"
basis = "BY_LAW"
items = ["weight"]
purposes = ["JUDGE"]
nature = "恒常"
valid_from = 2026-04-20
"""
    )
    register = read_register(write(tmp_path, bases=following))
    assert [x.purpose for x in register.lapsing(dt.date(2026, 4, 10), 60)] == [Purpose.ASSESS]
    assert register.basis_for("weight", Purpose.JUDGE, dt.date(2026, 4, 25)).code == "B-3"


BROKEN_ITEMS = [
    (ITEMS.replace('caption = "体重"\n', ""), "items.weight.caption", "書かれていません"),
    (ITEMS.replace('holder = "health"\n', 'holder = "police"\n', 1), "items.weight.holder", "offices.toml"),
    (ITEMS.replace('"要配慮個人情報"', '"極秘"'), "items.weight.sensitivity", "使えません"),
    (ITEMS.replace('types = ["虐待"]', 'types = ["怠け"]'), "items.weight.types", "ありません"),
    (ITEMS.replace('code = "absence"', 'code = "weight"'), "items.weight", "2 回"),
    (ITEMS.replace('"presence"', '"presents"'), "items.weight.roles", "expected_delivery"),
    (ITEMS.replace("refresh =", "frequency ="), "items.weight.frequency", "知らない"),
    (ITEMS.replace('sources = ["checkup"]', "sources = [1]"), "items.weight.sources", "文字列"),
    (ITEMS.replace('why = "校長会の意見"\n', ""), "refused.grades.why", "書かれていません"),
    (ITEMS.replace("[[refused]]", "[[denied]]"), "denied", "知らない見出し"),
    ('items = "weight"', "items", "[[items]]"),
]  # fmt: skip

BROKEN_BASES = [
    (BASES.replace('reasonable_grounds = "早期把握"\n', ""), "bases.B-1.reasonable_grounds", "相当の理由"),
    (BASES.replace('"早期把握"', '"  "'), "bases.B-1.reasonable_grounds", "相当の理由"),
    (BASES.replace("valid_to = 2026-05-01\n", ""), "bases.B-1.valid_to", "臨時"),
    (BASES.replace("valid_to = 2026-05-01", "valid_to = 2026-04-01"), "bases.B-1.valid_to", "後"),
    (BASES.replace("valid_from = 2026-04-01", 'valid_from = "四月"'), "bases.B-1.valid_from", "2026-04-01 の形"),
    (BASES.replace("valid_from = 2026-04-01\n", ""), "bases.B-1.valid_from", "書かれていません"),
    (BASES.replace('"PROVISION"', '"CUSTOM"'), "bases.B-1.basis", "使えません"),
    (BASES.replace('"JUDGE"', '"SELL"'), "bases.B-1.purposes", "使えません"),
    (BASES.replace('nature = "臨時"', 'nature = "当面"'), "bases.B-1.nature", "使えません"),
    (BASES.replace('items = ["weight"]', 'items = ["height"]'), "bases.B-1.items", "items.toml にありません"),
    (BASES.replace('items = ["weight"]', 'items = ["grades"]'), "bases.B-1.items", "受け取らない"),
    (BASES.replace('items = ["*"]', 'items = ["*", "weight"]'), "bases.B-2.items", "単独"),
    (BASES.replace('holder = "school"\n', ""), "bases.B-2.items", "holder"),
    (BASES.replace('holder = "school"', 'holder = "police"'), "bases.B-2.holder", "offices.toml"),
    (BASES.replace('code = "B-2"', 'code = "B-1"'), "bases.B-1", "2 回"),
    (BASES.replace("approved_by", "approver"), "bases.B-1.approver", "知らない"),
    (BASES.replace('code = "B-2"\n', ""), "code", "書かれていません"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "bases", "file", "key", "words"), [
    *((text, BASES, "items.toml", key, words) for text, key, words in BROKEN_ITEMS),
    *((ITEMS, text, "bases.toml", key, words) for text, key, words in BROKEN_BASES),
])  # fmt: skip
def test_register_fault_is_told_by_file_and_key(tmp_path, items, bases, file, key, words):
    assert (items, bases) != (ITEMS, BASES)
    with pytest.raises(ConfigurationFault) as refusal:
        read_register(write(tmp_path, items, bases))
    found = refusal.value.details["faults"]
    assert [f for f in found if f.startswith(file) and key in f and words in f], found


def test_register_tells_all_its_faults_at_once(tmp_path):
    bases = BASES.replace('"JUDGE"', '"SELL"').replace('nature = "臨時"', 'nature = "当面"')
    with pytest.raises(ConfigurationFault, match="2 件"):
        read_register(write(tmp_path, bases=bases))


def test_items_are_found_by_their_role_whatever_their_code(register):
    assert register.with_role("presence") == {"weight"} and register.with_role("locating") == frozenset()


def test_hinata_register_holds_together(hinata):
    register = read_register(hinata.folder)
    assert {"tax_income", "school_grades", "individual_number"} <= set(register.refused)
    assert register.allows("absence_days", Purpose.JUDGE, ON) and not register.allows("tax_income", Purpose.JUDGE, ON)

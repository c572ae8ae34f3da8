"""Layouts say all their faults at once, by file and key; a file finds its one layout or is refused."""

from __future__ import annotations

import json
import unicodedata

import pytest
from town import ABSENCE_LAYOUT, ALLOWANCE_LAYOUT, REGISTER_LAYOUT

from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.intake.layout import check_against, layout_for, layouts_for, read_layout, read_layouts
from kodomo.terms import Delivery


def faults_of(town, source: str, text: str) -> list[str]:
    (town / "sources" / f"{source}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationFault) as refusal:
        read_layouts(town)
    return list(refusal.value.details["faults"])


def test_layout_reads_what_it_says(town):
    layout = read_layout(town / "sources" / "allowances.toml")
    assert (layout.source, layout.holder, layout.kind) == ("allowances", "citizens", "observations")
    assert layout.delivery is Delivery.MEDIA and layout.identity == ("受付番号",)
    assert [c.reference for c in layout.columns][1:3] == ["氏名", "氏名#2"]
    assert layout.items() == {"name", "allowance"}
    assert layout.facts[0].columns() == {"区分", "開始", "終了", "登録日"}


def test_extraction_date_stands_in_the_file_name(town):
    layout = read_layouts(town)["residents"]
    assert str(layout.extracted_on("住民_20260401.csv")) == "2026-04-01"
    assert layout.extracted_on("住民_20261399.csv") is None and layout.extracted_on("住民.csv") is None


BREAKAGES = [
    ("source", REGISTER_LAYOUT.replace('source = "residents"', 'source = "Residents!"'), "英小文字"),
    ("colour", REGISTER_LAYOUT.replace('caption =', 'colour = "x"\ncaption ='), "知らない項目"),
    ("lag_days", REGISTER_LAYOUT.replace("lag_days = 1", "lag_days = -1"), "0 以上"),
    ("lag_days", REGISTER_LAYOUT.replace("lag_days = 1", 'lag_days = "一"'), "整数"),
    ("holder", REGISTER_LAYOUT.replace('holder = "citizens"\n', ""), "書かれていません"),
    ("delivery", REGISTER_LAYOUT.replace("lag_days", 'delivery = "FAX"\nlag_days'), "SYSTEM"),
    ("ages", REGISTER_LAYOUT.replace("lag_days", "ages = [18, 0]\nlag_days"), "年齢"),
    ("file.format", REGISTER_LAYOUT.replace('format = "csv"', 'format = "pdf"'), "使えません"),
    ("file.encoding", REGISTER_LAYOUT.replace('"cp932"', '"ebcdic"'), "使えません"),
    ("file.footer", REGISTER_LAYOUT.replace('"^合計"', '"^合計("'), "正規表現"),
    ("file.extracted_on", REGISTER_LAYOUT.replace("skip_top", 'extracted_on = "\\\\d{8}"\nskip_top'), "かっこ"),
    ("file.skip_top", REGISTER_LAYOUT.replace("skip_top = 1", "skip_top = -1"), "1000"),
    ("record.kind", REGISTER_LAYOUT.replace('"residents"\nrow_key', '"people"\nrow_key'), "使えません"),
    ("record.row_key", REGISTER_LAYOUT.replace('row_key = "宛名番号"', 'row_key = "番号"'), "columns にありません"),
    ("record.identity", REGISTER_LAYOUT.replace('identity = ["宛名番号"]', 'identity = ["電話"]'), "ignore"),
    ("record.kind", REGISTER_LAYOUT.replace('field = "resident_number"', 'field = "own_number"'), "resident_number"),
    ("type", REGISTER_LAYOUT.replace('type = "kana"', "").replace('type = "address"', 'type = "place"'), "使えません"),
    ("person", REGISTER_LAYOUT.replace('person = "subject"\nfield = "name"', 'person = "uncle"\nfield = "name"'), "使えません"),
    ("field", REGISTER_LAYOUT.replace('field = "name"', 'field = "nickname"'), "使えません"),
    ("person/field", REGISTER_LAYOUT.replace('field = "name"', ""), "両方"),
    ("item", REGISTER_LAYOUT.replace('item = "name"\n', ""), "データ項目"),
    ("type", REGISTER_LAYOUT.replace('type = "date"', 'type = "text"'), "date にしてください"),
    ("required", REGISTER_LAYOUT.replace('ignore = "使わない"', 'ignore = "使わない"\nrequired = true'), "同時"),
    ("columns", REGISTER_LAYOUT.replace('name = "住所"', 'name = "氏名"'), "二度"),
    ("known_from", ALLOWANCE_LAYOUT.replace('known_from = "登録日"\n', ""), "登録日の列が要ります"),
    ("codes", ALLOWANCE_LAYOUT.replace('codes = { "01" = "全部", "02" = "一部", "09" = "停止" }', ""), "コード表"),
    ("codes", ALLOWANCE_LAYOUT.replace('"01" = "全部"', '"01" = ""'), "意味"),
    ("when", ALLOWANCE_LAYOUT.replace('["全部", "一部"]', '["全額"]'), "codes にありません"),
    ("when", ALLOWANCE_LAYOUT.replace('when = { "区分"', 'when = { "種別"'), "columns にありません"),
    ("code", ALLOWANCE_LAYOUT.replace('code = "区分"', 'code = "種類"'), "columns にありません"),
    ("code", ALLOWANCE_LAYOUT.replace('code = "区分"', 'code = "氏名"'), "type は"),
    ("valid_to", ALLOWANCE_LAYOUT.replace('valid_to = "終了"', 'valid_to = "forever"'), "columns にありません"),
    ("valid_from", ALLOWANCE_LAYOUT.replace('valid_from = "開始"', 'valid_from = "区分"'), "date、month"),
    ("valid_from", ALLOWANCE_LAYOUT.replace('valid_from = "開始"\n', ""), "どちらか一方"),
    ("person", ALLOWANCE_LAYOUT.replace('item = "allowance"', 'item = "allowance"\nperson = "father"'), "示す列が"),
    ("constant", ALLOWANCE_LAYOUT.replace('code = "区分"', 'code = "区分"\nconstant = "あり"'), "同時"),
    ("number", ABSENCE_LAYOUT.replace('number = "欠席"', 'number = "氏名"'), "integer"),
    ("minimum", ABSENCE_LAYOUT.replace("minimum = 0", "minimum = 99"), "大きく"),
    ("minimum", ABSENCE_LAYOUT.replace('type = "month"', 'type = "month"\nminimum = 1'), "integer か decimal"),
    ("era", ABSENCE_LAYOUT.replace('type = "month"', 'type = "month"\nera = "慶応"'), "明治"),
    ("occurrence", ALLOWANCE_LAYOUT.replace("occurrence = 2", "occurrence = 0"), "1 以上"),
    ("unknown", ABSENCE_LAYOUT.replace("minimum = 0", "unknown = [9]\nminimum = 0"), "文字列"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "text", "words"), BREAKAGES, ids=range(len(BREAKAGES)))
def test_layout_fault_is_told_by_file_and_key(town, key, text, words):
    assert text not in (REGISTER_LAYOUT, ABSENCE_LAYOUT, ALLOWANCE_LAYOUT)
    found = faults_of(town, "broken", text)
    assert [f for f in found if f.startswith("broken.toml: ") and key in f and words in f], found


def test_layout_tells_all_its_faults_at_once(town):
    text = REGISTER_LAYOUT.replace('format = "csv"', 'format = "pdf"').replace("lag_days = 1", "lag_days = -1")
    found = faults_of(town, "residents", text.replace('field = "name"', 'field = "nickname"'))
    assert len(found) == 3


def test_layout_not_toml_is_a_fault_with_its_place(town):
    (town / "sources" / "x.toml").write_text("source = \n", encoding="utf-8")
    with pytest.raises(ConfigurationFault, match=r"x\.toml"):
        read_layouts(town)


def test_layout_of_the_same_source_twice_is_a_fault(town):
    assert "residents" in faults_of(town, "again", REGISTER_LAYOUT)[0]


def test_layout_naming_unknown_items_or_offices_is_a_fault(town):
    layouts = read_layouts(town)
    with pytest.raises(ConfigurationFault) as refusal:
        check_against(layouts.values(), ["name", "birth"], ["citizens"])
    text = refusal.value.text()
    assert "absence_days" in text and "「school」" in text and "late_days" in text


@pytest.mark.parametrize(
    "name", ["住民_20260401.csv", "住民_20260401.CSV", unicodedata.normalize("NFD", "住民_がぎ.Csv")]
)
def test_file_finds_its_layout(town, name):
    assert layout_for(name, read_layouts(town)).source == "residents"


def test_file_of_no_layout_or_of_two_is_refused(town):
    with pytest.raises(DeliveryRefused) as refusal:
        layout_for("住民.txt", read_layouts(town))
    assert refusal.value.details["code"] == "no_layout"
    second = REGISTER_LAYOUT.replace('source = "residents"', 'source = "residents2"')
    (town / "sources" / "second.toml").write_text(second, encoding="utf-8")
    with pytest.raises(DeliveryRefused) as refusal:
        layout_for("住民_1.csv", read_layouts(town))
    assert refusal.value.details["code"] == "two_layouts" and "second.toml" in refusal.value.text()


def test_hinata_layouts_load_and_agree_with_its_register(hinata):
    from kodomo.governance.register import read_register

    layouts, register = read_layouts(hinata.folder), read_register(hinata.folder)
    assert len(layouts) == 23
    check_against(layouts.values(), [*register.items, *register.refused], [o.code for o in hinata.offices])


@pytest.mark.parametrize(("first", "second", "is_one_file"), [
    ("*小", "*中", True), ("*小", "中*", False), ("受付簿*", "要対協*", True), ("受付簿*", "進行管理台帳", True), ("受付簿*", "受付簿R7", False), ("*台帳", "受付簿*", False), ("台帳*", "台帳R*", False),
    ("台帳", "台帳", False), (1, "台帳", False),
])  # fmt: skip
def test_sheets_that_no_two_layouts_can_both_read_are_two_sources_of_one_file(town, first, second, is_one_file):
    for at, sheet in enumerate((first, second)):
        text = REGISTER_LAYOUT.replace('"residents"', f'"book_{at}"', 1).replace("住民_*.csv", "家児相*.xlsx")
        text = text.replace('format = "csv"\nencoding = "cp932"', f'format = "xlsx"\nsheet = {json.dumps(sheet)}')
        (town / "sources" / f"book{at}.toml").write_text(text, encoding="utf-8")
    layouts = read_layouts(town)
    if is_one_file:
        assert {x.source for x in layouts_for("家児相1.xlsx", layouts)} == {"book_0", "book_1"}
    else:
        with pytest.raises(DeliveryRefused):
            layouts_for("家児相1.xlsx", layouts)

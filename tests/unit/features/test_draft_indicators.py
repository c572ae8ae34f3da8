"""What is proposed for an item follows the kind of its facts, and reads as written criteria do."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.factory import Town
from kodomo.features.catalogue import read_catalogue
from kodomo.features.draft_indicators import Named, as_text, ladder, propose, scale, telling_codes, unused
from kodomo.features.item_shapes import EVENT, MONTH, STATE, Shape, item_shapes


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Forty children of ages 7 to 10 with their mothers, of whom every source speaks in its own way."""
    town = Town()
    for n in range(40):
        child, mother, house = f"c{n:02d}", f"m{n:02d}", f"h{n:02d}"
        town.person(child, f"{2015 + n % 4}-06-10", house)
        town.person(mother, "1985-05-05", house, since="2010-01-01", relationship="妻")
        town.persons[mother]["is_child"] = False
        town.kin(child, mother, "MOTHER")
        for month in ("2025-11", "2025-12", "2026-01"):
            last = f"{month[:4]}-{int(month[5:]) + 1:02d}-01" if month != "2025-12" else "2026-01-01"
            town.fact(child, "late_days", f"{month}-01", number=float(n % 5), to=last)
        town.fact(mother, "income", "2025-04-01", source="tax", number=100.0 * n, to="2026-04-01")
        town.fact(child, "hearing", "2025-05-01", source="checkup", code="異常なし" if n % 3 else "要精査")
        if n % 3 == 0:
            town.fact(child, "advice", "2025-06-01", source="centre", code="発達" if n % 8 else "家庭")
            town.fact(child, "advice", "2025-09-01", source="centre", code="発達")
        town.fact(mother, "has_help", "2024-05-01", source="birth", number=float(n % 2))
    return town


@pytest.fixture(scope="module")
def shapes(city: Town, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Shape]:
    return item_shapes(city.publish(tmp_path_factory.mktemp("shapes")))


def test_the_shape_of_each_item_is_told_from_its_facts(shapes: Mapping[str, Shape]) -> None:
    late, income, hearing = shapes["late_days"], shapes["income"], shapes["hearing"]
    assert (late.spell, late.whose, late.has_numbers, late.facts, late.persons) == (MONTH, "self", True, 120, 40)
    assert (income.spell, income.whose) == (STATE, "mother")
    assert (hearing.spell, hearing.codes) == (EVENT, (("異常なし", 26), ("要精査", 14)))
    assert shapes["has_help"].is_flag and not late.is_flag
    assert (late.oldest, late.sources) == (10, ("school_attendance",))


def test_of_two_codes_the_usual_one_needs_no_indicator(shapes: Mapping[str, Shape]) -> None:
    assert telling_codes(shapes["hearing"]) == ["要精査"]
    # 「家庭」 was borne by five children: too few to learn from, and a description of them.
    assert telling_codes(shapes["advice"]) == ["発達"]


def test_proposed_indicators_are_read_like_written_ones(shapes: Mapping[str, Shape], tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = []
    for shape in shapes.values():
        taken = [entry["code"] for entry in entries]
        entries += propose(shape, Named(f"ためしの{shape.item}", ("貧困",)), taken=taken)
    (tmp_path / "criteria").mkdir()
    (tmp_path / "criteria" / "indicators.toml").write_text(as_text("indicators", entries), encoding="utf-8")
    read = read_catalogue(tmp_path)
    assert len(read.indicators) == len(entries) > 10
    assert not any(i.sign for i in read.indicators) and all(i.reach_months or i.at == "now" for i in read.indicators)


def test_each_kind_has_its_own_aggregates(shapes: Mapping[str, Shape]) -> None:
    def made(item: str, types: tuple[str, ...] = ("いじめ",)) -> set[tuple[str, str, int | None]]:
        entries = propose(shapes[item], Named("項目", types))
        return {(e.get("whose", "self"), e["aggregate"], e.get("window_months")) for e in entries}

    assert made("late_days") == {("self", "mean", 6), ("self", "mean", 12), ("self", "mean", 24), ("self", "max", 12)}
    assert made("late_days", ("虐待",)) - made("late_days") == {("siblings", "mean", 12)}
    assert made("income") == {("mother", "max", None)}
    assert made("hearing") == {("self", "count", 60)}
    assert made("has_help") == {("mother", "max", 60)}


def test_a_sentence_says_what_its_number_counts(shapes: Mapping[str, Shape]) -> None:
    def said(item: str, caption: str) -> set[str]:
        return {entry["sentence"] for entry in propose(shapes[item], Named(caption, ("いじめ",)))}

    assert "直近6か月の遅刻日数が月平均 {value} 日" in said("late_days", "遅刻日数")
    assert said("income", "合計所得金額") == {"母の合計所得金額が {value} 円"}
    assert said("hearing", "聴覚の検査") == {"60か月以内に聴覚の検査「要精査」が {value} 回"}
    assert said("has_help", "手伝いの有無") == {"母の手伝いの有無: あり(60か月以内)"}
    assert said("has_help", "出席停止の日数") == {"60か月以内の母の出席停止の日数の合計が {value} 日"}
    assert "直近6か月の「学校が楽しくない」が月平均 {value}" in said("late_days", "学校が楽しくない")


def test_months_that_owe_are_named_by_what_is_owed(shapes: Mapping[str, Shape]) -> None:
    owed = replace(shapes["late_days"], least=1.0, share=0.1)
    captions = {entry["caption"] for entry in propose(owed, Named("水道の督促の回数", ("いじめ",)))}
    assert "水道の督促のある月(12か月以内)" in captions
    (loans, *_) = propose(owed, Named("図書館の来館数", ("いじめ",)))
    assert loans["sentence"] == "12か月以内に図書館の来館のある月が {value} か月"


def test_that_everybody_was_asked_and_that_there_is_nothing_make_no_indicator(shapes: Mapping[str, Shape]) -> None:
    codes = (("心配なし", 40), ("少し", 30), ("心配", 20), ("とても心配", 12))
    asked = replace(shapes["hearing"], codes=codes, facts=120)
    made = propose(asked, Named("教師のチェック:身なり", ("虐待",)))
    # How often it was at least so much: what is worse counts with what is milder.
    assert [entry["codes"] for entry in made if "whose" not in entry] == [
        ["少し", "心配", "とても心配"], ["心配", "とても心配"], ["とても心配"],
    ]  # fmt: skip
    (siblings,) = [entry for entry in made if "whose" in entry]
    assert siblings["codes"] == ["心配", "とても心配"]
    assert scale(replace(asked, codes=(("打撲", 40), ("心配なし", 30), ("心配", 20)))) == []


def test_only_what_no_indicator_looks_at_is_proposed(shapes: Mapping[str, Shape]) -> None:
    written = [{"item": "late_days"}, {"item": "hearing", "codes": ["異常なし"]}, {"item": "income"}]
    found = {shape.item: (codes, is_used) for shape, codes, is_used in unused(shapes, written)}
    assert found == {"advice": (["発達"], False), "has_help": ([], False), "hearing": (["要精査"], True)}
    (entry,) = propose(shapes["hearing"], Named("聴覚の検査"), codes=["要精査"], is_used=True, taken=["hearing_code_1"])
    assert (entry["code"], entry["types"]) == ("hearing_code_1_2", ["*"])
    assert entry["sentence"] == "60か月以内に聴覚の検査「要精査」が {value} 回"
    assert tomllib.loads(as_text("indicators", [entry]))["indicators"] == [entry]


def test_codes_that_children_bear_are_their_own_where_the_others_are_of_grown_ups(tmp_path: Path) -> None:
    town = Town()
    for n in range(60):
        town.person(f"p{n}", "2016-05-01" if n < 20 else "1950-05-01", f"h{n}", since="2016-05-01")
        town.persons[f"p{n}"]["is_child"] = n < 20
        town.fact(f"p{n}", "certificate", "2020-04-01", code="通所" if n < 20 else "身体", to=None)
    shape = item_shapes(town.publish(tmp_path))["certificate"]
    assert (shape.whose, shape.childrens) == ("household", frozenset({"通所"}))
    found = {tuple(e["codes"]): (e.get("whose", "self"), e["aggregate"]) for e in propose(shape, Named("手帳"))}
    assert found == {("身体",): ("household", "count"), ("通所",): ("self", "any")}


def test_months_told_of_only_where_something_is_owed_are_counted(shapes: Mapping[str, Shape]) -> None:
    owed = replace(shapes["late_days"], least=4500.0, share=0.1)
    made = {(e["aggregate"], e.get("window_months")) for e in propose(owed, Named("給食費の未納", ("いじめ",)))}
    assert made == {("count", 12), ("count", 24), ("max", 12)}


def test_answers_given_to_a_month_are_asked_for_themselves_not_for_having_been_given(
    shapes: Mapping[str, Shape],
) -> None:
    """Of 1 (never) to 4 (often) none is nought, and yet nothing is owed: nearly all pupils answer, twice a year."""
    assert shapes["late_days"].share == 1.0 and not shapes["late_days"].is_sparse
    asked = replace(shapes["late_days"], least=1.0, most=4.0, values=4, months=24)
    made = propose(asked, Named("友だちからいやなことをされた", ("いじめ",)))
    assert {(e["aggregate"], e["window_months"]) for e in made} == {("mean", 24), ("max", 60), ("last", 60)}
    assert made[0]["sentence"].endswith("{value}(1–4)")
    days = replace(shapes["late_days"], least=8.0)
    assert ("mean", 12) in {(e["aggregate"], e["window_months"]) for e in propose(days, Named("授業日数", ("いじめ",)))}


def test_rare_codes_are_asked_of_where_the_common_ones_have_theirs(shapes: Mapping[str, Shape]) -> None:
    many = replace(shapes["hearing"], codes=tuple((f"区分{n:02d}", 60 - n) for n in range(20)))
    assert telling_codes(many)[-1] == "区分11"
    assert telling_codes(many, [f"区分{n:02d}" for n in range(12)]) == [f"区分{n:02d}" for n in range(12, 20)]


def test_a_lack_may_be_what_an_item_tells(shapes: Mapping[str, Shape]) -> None:
    told = replace(shapes["hearing"], codes=(("腹痛", 40), ("朝食なし", 20), ("あざ", 12)), facts=120)
    assert telling_codes(told) == ["朝食なし", "あざ"]
    assert "hearing_24m" in {entry["code"] for entry in propose(told, Named("保健室の来室", ("いじめ",)))}
    assert telling_codes(replace(told, codes=(("常勤", 30), ("パート", 29), ("なし", 28), ("自営", 12)))) == [
        "常勤", "パート", "なし", "自営",
    ]  # fmt: skip


def test_answers_name_their_scale(shapes: Mapping[str, Shape]) -> None:
    answer = replace(shapes["has_help"], spell=EVENT, least=1.0, most=4.0, values=4, whose="self")
    (entry,) = propose(answer, Named("睡眠の回答", ("いじめ",)))
    assert entry["sentence"] == "60か月以内の睡眠の回答の最新が {value}(1–4)"


def test_codes_of_a_level_are_asked_for_from_each_rung_upwards(shapes: Mapping[str, Shape]) -> None:
    """Few stand on each rung of a fee band; from the middle upwards stands half of the town."""
    bands = tuple((f"D{n}", 40 - n) for n in (3, 1, 2, 0, 10))
    band = replace(shapes["late_days"], item="band", codes=bands, has_numbers=False)
    made = propose(band, Named("保育料の階層", ("貧困",)))
    own = [entry["codes"] for entry in made if "codes" in entry and "whose" not in entry]
    assert ladder(replace(band, codes=bands[:4]), "保育料の階層") == [["D1", "D2", "D3"], ["D2", "D3"], ["D3"]]
    assert {tuple(codes) for codes in own} == {("D3",), ("D1",), ("D2",), ("D0",), ("D10",)}, "a rung is missing"
    made = propose(replace(band, codes=bands[:4]), Named("保育料の階層", ("貧困",)))
    assert [(e.get("whose", "self"), e["aggregate"], len(e["codes"])) for e in made if e["aggregate"] == "share"] == [
        ("self", "share", 3), ("self", "share", 2), ("self", "share", 1), ("siblings", "share", 2),
    ]  # fmt: skip
    assert made[-1]["sentence"] == "24か月以内の記録のうち、きょうだいの保育料の階層が「D2」以上の割合が {value}"
    assert ladder(replace(band, codes=bands[:4]), "相談の区分") == [], "numbers that are only names"


def test_what_happens_seldom_is_counted_lately_too(shapes: Mapping[str, Shape]) -> None:
    once = replace(shapes["hearing"], codes=(), facts=41)
    assert {e["window_months"] for e in propose(once, Named("いじめの認知", ("いじめ",)))} == {6, 60}


def test_how_late_a_list_comes_is_told_by_when_the_one_before_was_over(tmp_path: Path) -> None:
    """Certificates are listed once a year: for most of it the newest list known is over."""
    town = Town()
    for n in range(20):
        town.person(f"p{n}", "2016-05-01", f"h{n}")
        for year in ("2024", "2025"):
            town.fact(f"p{n}", "certificate", f"{year}-04-01", code="身体", to=f"{year}-05-01", known=f"{year}-05-07")
            town.fact(f"p{n}", "aid", f"{year}-04-01", code="認定", to=None, known=f"{year}-05-07")
    found = item_shapes(town.publish(tmp_path))
    assert (found["certificate"].late, found["aid"].late) == (13, 0)
    made = propose(replace(found["certificate"], spell=STATE), Named("手帳", ("虐待",)))
    assert {(e["at"], e["window_months"]) for e in made if e["aggregate"] == "any"} == {("touching", 13)}

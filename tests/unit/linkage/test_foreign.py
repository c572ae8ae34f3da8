"""Foreign residents: words left out or in another order, a 通称, and one name in several transcriptions."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from kodomo.linkage import forms
from kodomo.linkage.foreign import MACROS

from .paper import Paper

HOME = "ひなた市北町1-1"


def resident(paper: Paper, number: str, name: str, kana: str, born_on: str, **more: str) -> tuple[str, int]:
    return paper.resident(number, name, kana, born_on, household_number="H1", address=HOME, **more)


@pytest.fixture
def family(paper: Paper) -> dict[str, tuple[str, int]]:
    """A father, a mother and a child, and a child of the same surname born on the same day elsewhere."""
    return {
        "father": resident(paper, "1001", "ALVES BRYAN COSTA", "ｱｳﾍﾞｽ ﾌﾞﾗｲｱﾝ ｺｽﾀ", "1985-03-03", relationship="世帯主"),
        "mother": resident(paper, "1002", "NGUYEN HOA THI", "ｸﾞｴﾝ ﾎｱ ﾃｲ", "1986-04-04", sex="女", relationship="妻",
                           alias_name="品川　ホア", alias_kana="シナガワ　ホア"),
        "child": resident(paper, "1003", "ALVES MATHEUS GABRIEL", "ｱｳﾍﾞｽ ﾏﾃｳｽ ｶﾞﾌﾞﾘｴﾙ", "2016-05-05",
                          alias_name="品川　マテウス", alias_kana="シナガワ　マテウス"),
        "other": paper.resident("2001", "ALVES PEDRO", "ｱｳﾍﾞｽ ﾍﾟﾄﾞﾛ", "2016-05-05", household_number="H2", address="南町2-2"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        {"name": "アウベス　マテウス", "name_kana": "ｱｳﾍﾞｽ ﾏﾃｳｽ"},
        {"name": "アルベス　マテュース", "name_kana": "ｱﾙﾍﾞｽ ﾏﾃｭｰｽ"},
        {"name": "ガブリエウ マテウス　アルベス", "name_kana": "ｶﾞﾌﾞﾘｴｳ ﾏﾃｳｽ ｱﾙﾍﾞｽ"},
        {"name": "MATHEUS ALVES"},
        {"name": "品川　マテュース", "name_kana": "ｼﾅｶﾞﾜ ﾏﾃｭｰｽ"},
        {"name": "シナガワ　マテウス"},
    ],
)
def test_a_name_by_some_of_its_words_in_any_spelling_is_the_childs(paper, family, model_file: Path, told) -> None:
    row = paper.row("nursery", subject={"born_on": "2016-05-05", **told})
    linked = paper.link(model_file)
    assert linked.person(row) == linked.person(family["child"])


@pytest.mark.parametrize(
    "told",
    [
        {"name": "アウベス　パウロ", "name_kana": "ｱｳﾍﾞｽ ﾊﾟｳﾛ"},
        {"name": "アウベス　ブルーノ マテウス", "name_kana": "ｱｳﾍﾞｽ ﾌﾞﾙｰﾉ ﾏﾃｳｽ"},
    ],
)
def test_a_name_with_a_word_of_its_own_is_nobodys_here(paper, family, model_file: Path, told) -> None:
    row = paper.row("nursery", subject={"born_on": "2016-05-05", **told})
    linked = paper.link(model_file)
    assert linked.person(row) not in [linked.person(place) for place in family.values()]


def test_a_name_in_another_script_is_known_by_house_and_day_of_birth(paper: Paper, model_file: Path) -> None:
    child = resident(paper, "1001", "KIM MINJUN", "ｷﾑ ﾐﾝｼﾞｭﾝ", "2016-05-05")
    told = {"name": "金　敏俊", "name_kana": "ｷﾝ ﾋﾞﾝｼｭﾝ", "born_on": "2016-05-05"}
    here = paper.row("nursery", subject={**told, "address": "北町１丁目１"})
    elsewhere = paper.row("nursery", subject={**told, "name": "李　敏俊", "name_kana": "ﾘ ﾋﾞﾝｼｭﾝ", "address": "南町3-3"})
    linked = paper.link(model_file)
    assert (linked.person(here), linked.rule(here)) == (linked.person(child), "H6")
    assert linked.person(elsewhere) != linked.person(child)


def test_how_one_office_writes_a_child_known_by_the_house_the_next_writes_it(paper: Paper, model_file: Path) -> None:
    child = resident(paper, "1001", "KIM MINJUN", "ｷﾑ ﾐﾝｼﾞｭﾝ", "2016-05-05")
    told = {"name": "金　敏俊", "born_on": "2016-05-05"}
    here = paper.row("roll", subject={**told, "address": "北町１丁目１"})
    next_door, other_day = (
        paper.row("growth", subject={**told, "name_kana": "ｷﾝ ﾋﾞﾝｼﾞｭﾝ", "born_on": day})
        for day in ("2016-05-05", "2016-08-08")
    )
    linked = paper.link(model_file)
    assert linked.person(here) == linked.person(next_door) == linked.person(child)
    assert linked.rule(next_door) == "K8" and linked.person(other_day) != linked.person(child)


def test_twins_in_another_script_are_not_told_apart_by_their_house(paper: Paper, model_file: Path) -> None:
    twins = [
        resident(paper, f"100{n}", f"KIM {n}", k, "2016-05-05")
        for n, k in (("MINJUN", "ｷﾑ ﾐﾝｼﾞｭﾝ"), ("SUNGHO", "ｷﾑ ｿﾝﾎ"))
    ]
    row = paper.row(
        "nursery",
        subject={"name": "金　敏俊", "name_kana": "ｷﾝ ﾋﾞﾝｼｭﾝ", "born_on": "2016-05-05", "address": "北町１丁目１"},
    )
    linked = paper.link(model_file)
    assert linked.person(row) not in [linked.person(one) for one in twins]


def test_twins_are_not_told_apart_by_how_their_names_are_spelt(paper: Paper, model_file: Path) -> None:
    resident(paper, "1001", "SILVA MIGUEL", "ｼﾙﾊﾞ ﾐｹﾞﾙ", "2016-05-05")
    other = resident(paper, "1002", "SILVA MIKAELA", "ｼﾙﾊﾞ ﾐｶｴﾗ", "2016-05-05", sex="女")
    slip = paper.row("nursery", subject={"name": "シルバ　ミケロ", "name_kana": "ｼﾙﾊﾞ ﾐｹﾛ", "born_on": "2016-05-05"})
    plain = paper.row(
        "nursery", subject={"name": "シルバ　ミカエーラ", "name_kana": "ｼﾙﾊﾞ ﾐｶｴｰﾗ", "born_on": "2016-05-05"}
    )
    linked = paper.link(model_file)
    assert linked.person(slip) is None and linked.person(plain) == linked.person(other)


def test_guardians_are_known_by_some_words_or_by_the_given_name(paper, family, model_file: Path) -> None:
    child = {"name": "アウベス　マテウス", "name_kana": "ｱｳﾍﾞｽ ﾏﾃｳｽ", "born_on": "2016-05-05"}
    turned = paper.row("nursery", subject=child, guardian={"name": "ブライヤン　アルベス"})
    alone = paper.row("nursery", subject=child, guardian={"name": "ブライヤン"})
    by_alias = paper.row("nursery", subject=child, guardian={"name": "品川　ホーア"})
    mother = paper.row("nursery", subject=child, guardian={"name": "ホア　グエン"})
    surname = paper.row("nursery", subject=child, guardian={"name": "アルベス"})
    nobody = paper.row("nursery", subject=child, guardian={"name": "アルベス　エンゾ"})
    linked = paper.link(model_file)
    assert [linked.person(row, "guardian") for row in (turned, alone)] == [linked.person(family["father"])] * 2
    assert [linked.person(row, "guardian") for row in (by_alias, mother)] == [linked.person(family["mother"])] * 2
    assert linked.person(surname, "guardian") is None and linked.person(nobody, "guardian") is None


def test_contracts_are_theirs_who_live_there_under_some_of_the_words(paper, family, model_file: Path) -> None:
    resident(paper, "1005", "NGUYEN LAN THI", "ｸﾞｴﾝ ﾗﾝ ﾃｲ", "1990-04-04", sex="女")
    alias = paper.row("water", holder={"name_kana": "ｼﾅｶﾞﾜ ﾎｱ", "address": "北町１番地１"})
    respelt = paper.row("water", holder={"name_kana": "ﾌﾞﾗｲﾔﾝ ｺｽﾀ ｱﾙﾍﾞｽ", "address": "北町１番地１"})
    shared = paper.row("water", holder={"name_kana": "ﾆｭｴﾝ ﾃｨ", "address": "北町１番地１"})
    elsewhere = paper.row("water", holder={"name_kana": "ﾌﾞﾗｲﾔﾝ ｱﾙﾍﾞｽ", "address": "東町9-9"})
    linked = paper.link(model_file)
    assert linked.person(alias, "holder") == linked.person(family["mother"])
    assert linked.person(respelt, "holder") == linked.person(family["father"])
    assert linked.person(shared, "holder") is None and linked.person(elsewhere, "holder") is None


def test_a_sources_number_is_its_bearers_under_some_of_the_words(paper, family, model_file: Path) -> None:
    def month(**told: str) -> tuple[str, int]:
        return paper.row("attendance", subject={"own_number": "S7", **told})

    whole = month(name="ALVES MATHEUS GABRIEL", born_on="2016-05-05")
    turned = month(name="マテュース　アルベス", name_kana="ﾏﾃｭｰｽ ｱﾙﾍﾞｽ")
    given, alias = month(name="マテュース"), month(name="品川　マテュース", name_kana="ｼﾅｶﾞﾜ ﾏﾃｭｰｽ")
    other, fewer = month(name="アルベス　エンゾ", name_kana="ｱﾙﾍﾞｽ ｴﾝｿﾞ"), month(name="エンゾ")
    linked = paper.link(model_file)
    assert {linked.person(row) for row in (whole, turned, given, alias)} == {linked.person(family["child"])}
    assert linked.person(other) is None and linked.person(fewer) is None


def test_a_class_knows_a_child_by_some_of_the_words(paper, family, model_file: Path) -> None:
    room = {"school": "緑小学校", "grade": "3", "class_name": "2"}
    told_in = dt.date(2026, 3, 25)
    for seat, name in enumerate(("ALVES MATHEUS GABRIEL", "ALVES PEDRO"), 1):
        pupil = {"own_number": str(seat), "name": name, "born_on": "2016-05-05", "seat": str(seat), **room}
        paper.row("class_list", subject=pupil, known_from=told_in)

    def visit(name: str) -> tuple[str, int]:
        said = [
            {"item": "visit", "code": "頭痛", "valid_from": dt.date(2025, 6, 20), "known_from": dt.date(2025, 6, 27)}
        ]
        return paper.row("nurse", subject={"name": name, **room}, known_from=dt.date(2025, 6, 27), said=said)

    turned, given = visit("マテュース　アルベス"), visit("マテュース")
    either, nobody = visit("アルベス"), visit("アルベス　エンゾ")
    linked = paper.link(model_file)
    assert [linked.person(turned), linked.person(given)] == [linked.person(family["child"])] * 2
    assert linked.person(either) is None and linked.person(nobody) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("ドウツク", "ドク"), ("マテウス", "マテユス"), ("ガブリエル", "ガブリエウ"), ("シルバ", "シウバ"), ("アウベス", "アルベス"),
     ("ブライアン", "ブライヤン"), ("ジヨシユア", "ジヨシユワ"), ("グエン", "ニユエン"), ("チヤン", "トラン"), ("レイエス", "レエス"),
     ("ミシエル", "ミツシエル"), ("アイン", "アン"), ("ロドリゲス", "ホドリゲス"), ("エイトル", "ヘイトル"), ("チアゴ", "テイアゴ")],
)  # fmt: skip
def test_transcriptions_of_one_word_are_near(one: str, other: str) -> None:
    assert near(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("パウロ", "ペドロ"), ("バオ", "ホア"), ("グエン", "カン"), ("マリア", "マリオ"), ("ルイス", "ラウラ"), ("ミゲル", "ミカエラ"), ("フイ", "ウイ"), ("ラン", "アン")],
)  # fmt: skip
def test_other_words_are_not(one: str, other: str) -> None:
    assert not near(one, other)


def near(one: str, other: str) -> bool:
    connection = duckdb.connect()
    connection.execute(forms.MACROS)
    connection.execute(MACROS)
    return bool(connection.execute("SELECT near_word(respelt(?), respelt(?)) IS TRUE", [one, other]).fetchall()[0][0])

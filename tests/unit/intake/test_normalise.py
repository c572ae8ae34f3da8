"""Names, readings and addresses come out alike however an office wrote them, and apart where they differ."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.intake.addresses import normalise_address
from kodomo.intake.characters import WILDCARD, fold_characters
from kodomo.intake.normalise import (
    learn_surnames,
    loose_kana,
    normalise_kana,
    normalise_name,
    same_with_wildcards,
    spaced_kana,
)

KANA_ALIKE = [
    ("ﾜﾀﾅﾍﾞ ｼﾞｭﾝ", "わたなべ　じゅん"),
    ("ヴァレリー", "ばれり"),
    ("カヅキ", "かずき"),
    ("チヂワ", "チジワ"),
    ("オーノ", "オノ"),
    ("シヨウ", "ショウ"),
    ("キヨウカ", "キョウカ"),
    ("ヲサム", "オサム"),
    (unicodedata.normalize("NFD", "ガギグゲゴ"), "ガギグゲゴ"),
    ("ジョン・スミス", "ジョン スミス"),
]


@pytest.mark.parametrize(("one", "other"), KANA_ALIKE)
def test_readings_written_differently_are_the_same(one: str, other: str) -> None:
    assert normalise_kana(one) == normalise_kana(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("ユウタ", "ユウト"), ("ハルカ", "ハルナ"), ("カナ", "ガナ"), ("リョウ", "リュウ")]
)
def test_different_readings_stay_different(one: str, other: str) -> None:
    assert normalise_kana(one) != normalise_kana(other)


def test_loose_reading_loses_voicing_and_long_vowels_only() -> None:
    assert loose_kana(normalise_kana("コウダロウ")) == loose_kana(normalise_kana("コタロ"))
    assert loose_kana(normalise_kana("タロウ")) != loose_kana(normalise_kana("ジロウ"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("髙﨑", "高崎"), ("渡邉", "渡辺"), ("渡邊", "渡辺"), ("齋藤", "斎藤"), ("齊藤", "斉藤"), ("斎藤", "斉藤"), ("濵田", "浜田"),
     ("德永", "徳永"), ("𠮷田", "吉田"), ("栁", "柳"), ("大嶋", "大島"), ("冨田", "富田"), ("國澤", "国沢"), ("櫻井", "桜井"),
     ("神谷", "神谷"), ("葛󠄀城", "葛城"), ("渕上", "淵上"), ("眞理惠", "真理恵")],
)  # fmt: skip
def test_variant_characters_are_one(one: str, other: str) -> None:
    assert fold_characters(one) == fold_characters(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("玉", "王"), ("崎", "埼"), ("吊", "弔"), ("土", "士"), ("晴", "春"), ("裕", "祐"), ("茅", "萱"), ("杉", "椙")],
)
def test_look_alikes_that_are_other_names_stay_apart(one: str, other: str) -> None:
    assert fold_characters(one) != fold_characters(other)


def test_unreadable_characters_stand_for_any_one_character() -> None:
    for broken in ("〓田", "\ue000田", "?田", "■田", "\ufffd田"):
        assert fold_characters(broken) == f"{WILDCARD}田"
        assert same_with_wildcards(fold_characters(broken), "吉田")
        assert not same_with_wildcards(fold_characters(broken), "吉川")
        assert not same_with_wildcards(fold_characters(broken), "大吉田")


def test_names_are_parted_at_a_space_or_at_a_known_surname() -> None:
    surnames = learn_surnames(["山田 太郎", "山 一郎", "長谷川　誠"])
    assert normalise_name("山田花子", surnames)[:3] == ("山田花子", "山田", "花子")
    assert normalise_name("長谷川 誠", surnames)[1:3] == ("長谷川", "誠")
    assert normalise_name("佐藤花子", surnames)[1:3] == ("", "")


def test_romanised_names_are_free_of_order_and_accents() -> None:
    assert normalise_name("José DELA CRUZ").key == normalise_name("Dela Cruz Jose").key
    assert normalise_name("O'Neil Ann").key == normalise_name("ANN O’NEIL").key


@pytest.mark.parametrize("text", ["田中 未命名", "田中 ベビー", "田中　女児", "田中 第2子"])
def test_a_baby_without_a_name_has_no_whole_name(text: str) -> None:
    form = normalise_name(text)
    assert (form.key, form.surname, form.given) == ("", "田中", "")


def test_call_names_lose_their_honorific_and_brackets_are_left_out() -> None:
    assert normalise_name("はるちゃん").kana == "ハル"
    assert normalise_name("斎藤(旧姓 山本) 花子").key == normalise_name("斉藤花子").key


ONE_PLACE = [
    "架空県ひなた市北町三丁目5番地12号", "ひなた市北町３丁目５番１２号", "北町3-5-12", "北町三丁目五番十二号", "北町３−５‐１２",
    "北町3ー5ー12 コーポ旭203号室", "〒999-0001 北町3丁目5-12", "北町三-五-十二", "北町 3 - 5 - 12",
]  # fmt: skip


@pytest.mark.parametrize("text", ONE_PLACE)
def test_every_notation_of_a_place_is_one(text: str) -> None:
    place = normalise_address(text, "架空県", "ひなた市")
    assert (place.town, place.number) == ("北町", "3-5-12")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("東京都千代田区一番町5-3", ("東京都", "千代田区", "一番町", "5-3")),
        ("北海道札幌市中央区北一条西2丁目1-1", ("北海道", "札幌市中央区", "北一条西", "2-1-1")),
        ("三重県四日市市諏訪町1-5", ("三重県", "四日市市", "諏訪町", "1-5")),
        ("千葉県市川市八幡1丁目1番1号", ("千葉県", "市川市", "八幡", "1-1-1")),
        ("横浜市港北区日吉四丁目1番", ("神奈川県", "横浜市港北区", "日吉", "4-1")),
        ("宮崎県東臼杵郡門川町大字門川尾末123番地の4", ("宮崎県", "東臼杵郡門川町", "門川尾末", "123-4")),
        ("鶴が丘1丁目2番地", ("", "", "鶴ケ丘", "1-2")),
        ("奈良県大和郡山市北郡山町248-4", ("奈良県", "大和郡山市", "北郡山町", "248-4")),
    ],
)
def test_addresses_of_all_japan_come_in_parts(text: str, parts: tuple[str, str, str, str]) -> None:
    assert normalise_address(text)[:4] == parts


@given(st.text(max_size=30))
def test_normalising_never_fails_and_twice_is_once(text: str) -> None:
    kana = spaced_kana(text)
    assert spaced_kana(kana) == kana
    normalise_name(text)
    normalise_address(text)


@given(
    st.integers(1, 99),
    st.integers(1, 99),
    st.integers(1, 99),
    st.sampled_from(["北町", "鈴ヶ森", "三ツ池", "旭が丘", "本町"]),
)
def test_numbers_survive_every_notation(chome: int, block: int, house: int, town: str) -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    forms = {
        normalise_address(f"{town}{chome}丁目{block}番{house}号"),
        normalise_address(f"{town}{chome}-{block}-{house}".translate(wide)),
        normalise_address(f"{town}{chome}丁目{block}番地{house}"),
    }
    assert len(forms) == 1
    assert forms.pop().number == f"{chome}-{block}-{house}"

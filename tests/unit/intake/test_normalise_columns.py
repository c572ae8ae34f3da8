"""A column normalised at once gives what its values give one by one."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.intake.addresses import normalise_address
from kodomo.intake.cells import ColumnReader
from kodomo.intake.characters import LONG_TEXT, CharacterTable
from kodomo.intake.dates import read_date
from kodomo.intake.layout import LayoutColumn
from kodomo.intake.limits import LIMITS
from kodomo.intake.normalise import learn_surnames, normalise_name
from kodomo.intake.normalise_columns import addresses_of, dates_of, names_of, reading_of, readings_in_names, readings_of

NAMES = ["山田 太郎", "山田　太郎", "山田太郎", "髙﨑 惠子", "〓田 花子", "\ue000田 花子", "山田 太郎様", "山田 花子さん", "山田 まん", "高橋 氏", "ヤマダ タロウ", "やまだ たろう",
         "山田 ベビー", "山田 未定", "山田 未", "NGUYEN VAN A", "山田 花子(旧姓 佐藤)", "李 明", "山田 太 郎", "葛󠄀城 一", "山田\n花子", "", " ", "山田 はな子", "マリア 山田", "ジョン・スミス"]  # fmt: skip
READINGS = [
    "ヤマダ タロウ",
    "ﾔﾏﾀﾞ ﾀﾛｳ",
    "やまだ　たろう",
    "ヤマダ",
    "ヤマダ ミテイ",
    "ヤマダ ベビー",
    "ヴァン ヴー",
    "カ゛ク タロウ",
    "コウタロウ オオノ",
    "マリア テレサ サントス",
    "ヤマダ\nタロウ",
    "",
    "・",
    "Á B",
    "シ-ナ",
]
ADDRESSES = [
    "東京都千代田区霞が関1-2-3", "千代田区霞ヶ関一丁目2番3号", "千代田区霞が関１－２－３", "千代田区霞が関1-2-301", "宮崎市本町1-2-301", "東京都千代田区霞が関1-2-3 ハイツ203", "千代田区霞が関1-2-3　ﾊｲﾂ 203",
    "千代田区霞が関1-2-3-101", "札幌市中央区北1条西2-3", "札幌市中央区北一条西2丁目3", "三番町1-2", "ひなた市朝日町1-2-3", "朝日町1-2-3", "京都市中京区寺町通御池上る上本能寺前町488", "府中市宮西町2-24",
    "東京都\n千代田区1", "", "不明", "千代田区霞が関1 丁目2", "千代田区霞が関1 -2", "千代田区霞が関1の2の3", "千代田区霞が関1丁目2番地の3号", "千代田区霞が関三丁目", "千代田区霞が関十二丁目3", "松山市二番町四丁目7-2",
    "千代田区霞が関1-2-3 山田_太郎方", "千代田区霞が関00012-03", "桑折町桑島三四丁目1-2", "浦臼町浦臼第1", "浦臼町浦臼第15-7",
]  # fmt: skip
DATES = [
    "2024-04-01", "2024/4/1", "R6.4.1", "令和6年4月1日", "令和元年5月1日", "5060401", "20240401", "S64.1.8", "平成31年5月1日", "2023-02-29", "R1.4.30", "T15.12.25", "明治45.7.30", "M6.1.1", "M5.1.1", "H1.1.7",
    "平成2.1.1", "0000000", "9999999", "99999999", "20240230", "1234567", "", "R0.1.1", "２０２４年４月１日", "2024\n04", "R06.04.01", "3270815", "18000101", "2200-01-01", "R81.1.1", "R82.1.1", "S100.1.1", "不明",
]  # fmt: skip

mixed = lambda values: st.lists(st.one_of(st.sampled_from(values), st.text(max_size=25)), unique=True, max_size=12)  # noqa: E731
SURNAMES = learn_surnames(["山田 太郎", "髙橋　誠", "山 一"])


@given(mixed(NAMES))
def test_names(values: list[str]) -> None:
    assert names_of(values, SURNAMES) == {v: normalise_name(v, SURNAMES) for v in values}


@given(mixed(READINGS))
def test_readings(values: list[str]) -> None:
    assert readings_of(values) == {v: reading_of(v) for v in values}


PIECES = st.sampled_from(
    [
        "東京都",
        "千代田区",
        "霞が関",
        "霞ヶ関",
        "ひなた市",
        "未来県",
        "朝日町",
        "三本木",
        "大字",
        "字",
        "北",
        "3",
        "三",
        "条",
        "西",
        "1",
        "2",
        "12",
        "十二",
        "二十",
        "丁目",
        "番",
        "番地",
        "号",
        "の",
        "-",
        "－",
        "ー",
        "第",
        "甲",
        "イ",
        "ハイツ",
        "室",
        "階",
        "町",
        "郡",
        "市",
        "線",
        "地割",
        "無番地",
        "方",
        "住所",
        "不明",
        "中国",
        " ",
        "　",
    ]
)


@settings(max_examples=400)
@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.sampled_from([("", ""), ("東京都", "千代田区"), ("未来県", "ひなた市")]),
)
def test_addresses_put_together_from_pieces(text: str, own: tuple[str, str]) -> None:
    assert addresses_of([text], *own)[text] == normalise_address(text, *own)


@given(mixed(ADDRESSES), st.sampled_from([("", ""), ("東京都", "千代田区"), ("未来県", "ひなた市")]))
def test_addresses(values: list[str], own: tuple[str, str]) -> None:
    assert addresses_of(values, *own) == {v: normalise_address(v, *own) for v in values}


@given(mixed(DATES))
def test_dates(values: list[str]) -> None:
    assert dates_of(values) == {v: read_date(v) for v in values}


@given(mixed([*DATES, " 2024-04-01 ", "2024/04/01\r", "99999999", "2024-02-30", "4/1", "〃", "20240401\x00"]))
def test_column_of_days_learnt_at_once(values: list[str]) -> None:
    column = LayoutColumn("生年月日", "date", unknown=["99999999", "昭和20年1月1日"])
    at_once, one_by_one = ColumnReader(column, LIMITS), ColumnReader(column, LIMITS)
    at_once.learn(set(values))
    assert at_once.memo == {value: one_by_one._value(value) for value in values}
    assert at_once.doubts.keys() == one_by_one.doubts.keys()


@pytest.mark.parametrize(
    "column", [(names_of, NAMES), (readings_of, READINGS), (addresses_of, ADDRESSES), (dates_of, DATES)]
)
def test_all_at_once_and_the_collector_left_as_it_was(column) -> None:
    together, values = column
    single = {normalised: form for v in values for normalised, form in together([v]).items()}
    assert gc.isenabled()
    assert together(values) == single == together(reversed(values))
    assert together([]) == {}


@pytest.mark.parametrize(
    ("printed", "kana", "given_kana"),
    [
        ("サトウ レン", "サトウレン", "レン"),
        ("佐藤 蓮(さとう れん)", "サトウレン", "レン"),
        ("佐藤 さくら\uff08ｻﾄｳ ｻｸﾗ\uff09", "サトウサクラ", "サクラ"),
        ("田中 ひな【たなか　ひな】", "タナカヒナ", "ヒナ"),
        ("薮内 ゆうは", "", "ユウハ"),
        ("佐藤さくら", "", "サクラ"),
        ("蓮(れん)", "レン", ""),
        ("さとう れんくん", "サトウレン", "レン"),
        ("れんくん", "レン", ""),
        ("れん君", "レン", ""),
        ("あおっち", "アオ", ""),
        ("ゆいたん", "ユイ", ""),
        ("さとう れん 君", "サトウレン", "レン"),
    ],
)
def test_reading_that_a_name_tells_itself(printed, kana, given_kana):
    found = readings_in_names(names_of([printed], {"佐藤"}))[printed]
    assert (found.kana, found.given_kana) == (kana, given_kana)


@pytest.mark.parametrize(
    "printed", ["佐藤 蓮", "佐藤 蓮(れん)", "鈴木 花(旧姓 田中)", "高橋 ベビー(ベビー)", "NGUYEN VAN AN", ""]
)
def test_name_that_tells_no_reading(printed):
    found = readings_in_names(names_of([printed], {"佐藤"})).get(printed)
    assert found is None or not (found.kana or found.given_kana)


@given(st.lists(st.text("佐藤蓮さくらﾚﾝレン（）()【】 　", max_size=12), max_size=8, unique=True))
def test_readings_within_names_never_fail(values):
    assert set(readings_in_names(names_of(values))) <= set(values)


@given(text=st.text(alphabet=st.characters() | st.sampled_from("髙﨑𠮷ヴゔぁ\ud83d\ude00"), min_size=1, max_size=60))
def test_a_column_of_characters_is_swapped_as_a_short_text_is(text: str) -> None:
    """By numbers, in UTF-16 where the table lies within the basic plane and in UTF-32 where it doesn't."""
    for pairs in ({ord("髙"): "高", ord("ヴ"): "ブ"}, {ord("𠮷"): "吉", ord("﨑"): "𠮟"}):
        long = text + "髙い" * LONG_TEXT
        assert CharacterTable(pairs).swap(long) == long.translate(pairs)

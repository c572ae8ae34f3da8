"""Readings come out in one readable form, with a key that folds what systems lose and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.intake.normal_forms.answer import answer
from kodomo.intake.normal_forms.kana import DOUBTS, read_kana

HALF = {unicodedata.normalize("NFKC", chr(c)): chr(c) for c in range(0xFF66, 0xFFA0)}
ONE_SYLLABLE = [
    *"アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポ",
    "キャ", "シュ", "ショ", "チョ", "ニャ", "リュ", "リョ", "ジュ", "ギョ", "ッカ", "ッタ",
]  # fmt: skip


def half(text: str) -> str:
    marks = {"\u3099": "ﾞ", "\u309a": "ﾟ", "　": " "}
    return "".join(marks.get(c, HALF.get(c, c)) for c in unicodedata.normalize("NFD", text))


def hiragana(text: str) -> str:
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)


def ways(text: str) -> list[str]:
    """One reading as systems write it; all are the same to a reader."""
    loose_marks = unicodedata.normalize("NFD", text).replace("\u3099", "゛").replace("\u309a", "゜")
    return [
        text, half(text), hiragana(text), unicodedata.normalize("NFD", text), unicodedata.normalize("NFD", hiragana(text)), loose_marks,
        text.replace(" ", "　"), text.replace(" ", "   "), f" {text}　", f"({text})", f"{text} 様", f"{text}様", f"{hiragana(text)} さん", half(text).replace(" ", "　"),
    ]  # fmt: skip


READINGS = [
    "ワタナベ ジュン",
    "サトウ ショウタ",
    "ガッキ ピョンス",
    "キョウゴク ギンペイ",
    "オオノ リョウ",
    "ヂヂワ ヅネオ",
    "ヰセキ ヱミ",
    "ヲダ ヴィクトリア",
]


@pytest.mark.parametrize("text", READINGS)
def test_width_script_marks_and_spaces_make_no_difference(text: str) -> None:
    for way in ways(text):
        found = read_kana(way)
        assert (found.value, found.family, found.given) == (text, *text.split()), way
        assert found.doubts == (), way


@given(
    st.lists(st.sampled_from(ONE_SYLLABLE), min_size=1, max_size=5),
    st.lists(st.sampled_from(ONE_SYLLABLE), min_size=1, max_size=5),
    st.data(),
)
def test_any_reading_is_the_same_however_written(family: list[str], given_: list[str], data: st.DataObject) -> None:
    text = f"{''.join(family)} {''.join(given_)}"
    assert read_kana(data.draw(st.sampled_from(ways(text)[:10]))) == read_kana(text)


SAME_KEY = [
    ("ショウタ", "シヨウタ"), ("ショータ", "ショウタ"), ("リョウ", "リヨウ"), ("キョウカ", "キヨウカ"), ("ジュン", "ジユン"), ("ハットリ", "ハツトリ"), ("ヴァレリー", "バレリー"),
    ("ヴィクトル", "ビクトル"), ("カヅキ", "カズキ"), ("チヂワ", "チジワ"), ("ヲサム", "オサム"), ("ヱミ", "エミ"), ("ヰセキ", "イセキ"), ("オオノ", "オーノ"), ("オオノ", "オウノ"),
    ("コウタロウ", "コータロー"), ("ユウキ", "ユーキ"), ("シーナ", "シイナ"), ("エイコ", "エーコ"), ("ケイ", "ケー"), ("サトウ ユウ", "サトーユー"), ("シ-ナ", "シーナ"),
    ("シ−ナ", "シーナ"), ("シ―ナ", "シーナ"), ("シ~ナ", "シーナ"), ("シ一ナ", "シーナ"), ("ｼｰﾅ", "しーな"), ("いすゞ", "イスズ"), ("ミヽ", "ミミ"), ("ジョン・スミス", "ジョンスミス"),
    ("ジョン･スミス", "ジョン スミス"), ("マリア, テレサ", "マリア テレサ"), ("ﾊ ﾞﾊﾞ", "ババ"), ("ㇰ", "ク"), ("㌔", "キロ"),
]  # fmt: skip

OTHER_KEY = [
    ("ユウタ", "ユウト"),
    ("ハルカ", "ハルナ"),
    ("カナ", "ガナ"),
    ("リョウ", "リュウ"),
    ("サトウ", "カトウ"),
    ("アイ", "アオイ"),
    ("ミユ", "ミウ"),
    ("ヒロ", "ピロ"),
    ("ケン", "ゲン"),
]


@pytest.mark.parametrize(("one", "other"), SAME_KEY)
def test_what_systems_lose_is_folded_in_the_key_only(one: str, other: str) -> None:
    assert read_kana(one).key == read_kana(other).key != ""


@pytest.mark.parametrize(("one", "other"), OTHER_KEY)
def test_other_readings_keep_another_key(one: str, other: str) -> None:
    assert read_kana(one).key != read_kana(other).key


def test_voicing_marks_are_lost_only_in_the_loose_key() -> None:
    assert read_kana("ガクト").key != read_kana("カクト").key
    assert read_kana("ガクト").loose == read_kana("カクト").loose


@pytest.mark.parametrize(
    ("text", "value", "doubts"),
    [
        ("ヤマダハナコ", "ヤマダ ハナコ", ["by_surname"]), ("ゾゾゾ", "ゾゾゾ", ["one_word"]), ("マリア テレサ サントス", "マリア テレサ サントス", ["many_words"]),
        ("ジョン・スミス", "ジョン スミス", ["dot"]), ("ヤマダ(タナカ) ハナコ", "ヤマダ ハナコ", ["bracketed"]), ("やまだ はなこさん", "ヤマダ ハナコ", ["honorific"]),
        ("ヤマダ ハナコチャン", "ヤマダ ハナコチャン", []), ("やまだ はなこちゃん", "ヤマダ ハナコ", []), ("シ-ナ リンゴ", "シーナ リンゴ", ["dash_as_long"]),
        ("YAMADA HANAKO", None, ["latin"]), ("山田 花子", None, ["kanji"]), ("山田 ハナコ", None, ["kanji"]), ("ヤマ? ハナコ", None, ["unreadable"]), ("ヤマ〓", None, ["unreadable"]),
        ("ヤマダ ハナコ2", None, ["not_kana"]), ("不明", None, ["unknown"]), ("フメイ", None, ["unknown"]), ("ヤマダ ベビー", "ヤマダ", ["unnamed"]), ("ヤマダ ミテイ", "ヤマダ", ["unnamed"]),
        ("ミメイメイ", None, ["one_word", "unnamed"]), ("", None, []), ("ー", None, []), ("123", None, ["not_kana"]), ("***", None, ["not_kana"]),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_said(text: str, value: str | None, doubts: list[str]) -> None:
    found = read_kana(text)
    assert (found.value, list(found.doubts)) == (value, doubts)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    found = answer("kana", text)
    assert found.value or found.doubts
    assert all(d in DOUBTS for d in read_kana(text).doubts)
    if found.value:
        assert answer("kana", found.value).value == found.value

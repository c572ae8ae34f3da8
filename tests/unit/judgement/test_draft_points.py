"""Words in codes and names that speak of a worry, and what they speak for; what denies it speaks for nothing."""

from __future__ import annotations

import pytest

from kodomo.features.worries import points_of
from kodomo.judgement.draft_points import lines_for

ALL = ("虐待", "いじめ", "不登校", "ヤングケアラー", "貧困", "産後うつ", "発達障がい")


@pytest.mark.parametrize(("caption", "codes", "type_"), [
    ("登園時の様子", ["あざ・傷あり"], "虐待"), ("登園時の様子", ["集団活動困難"], "発達障がい"), ("保健室の来室", ["クールダウン"], "発達障がい"),
    ("NPOの気づき", ["きょうだいの世話を話す"], "ヤングケアラー"), ("生徒指導の概要", ["からかい"], "いじめ"), ("給食費の未納", [], "貧困"),
    ("妊娠届の経済的な不安", ["あり"], "貧困"), ("母の精神科・心療内科の既往", ["あり"], "産後うつ"), ("育てにくさ", ["いつも感じる"], "産後うつ"),
    ("教師チェック:身なり", ["とても心配"], "虐待"), ("担任のチェック:友人", ["心配"], "いじめ"), ("教師チェック:けが", ["とても心配"], "虐待"),
    ("アンケート:朝ごはんを食べない", [], "虐待"), ("アンケート:学校が楽しくない", [], "不登校"), ("アンケート:相談できる人がいない", [], "虐待"),
    ("学校は楽しい(1はい〜4いいえ)", [], "不登校"), ("相談できる人がいる(1はい〜4いいえ)", [], "虐待"),
    ("園の気づき", ["集団に入りにくい"], "発達障がい"), ("保健師の所見", ["ことば遅れ 様子見"], "発達障がい"), ("健診の言語の所見", ["×"], "発達障がい"),
    ("健診の発達所見", ["言語・対人"], "発達障がい"), ("園の気づき", ["送迎遅れ"], "虐待"), ("保健室の来室", ["教室に入りたくない"], "不登校"),
    ("出席簿の備考", ["別室登校"], "不登校"), ("経済的な不安", ["ある"], "貧困"),
    ("水道料金の督促", [], "貧困"), ("歯科の受診報告", ["未"], "虐待"), ("予定外の妊娠", [], "虐待"), ("自由記述の言葉", ["しんどい"], "いじめ"),
])  # fmt: skip
def test_words_speak_for_a_type(caption: str, codes: list[str], type_: str) -> None:
    kind, points = points_of(caption, codes, ALL)
    assert kind and points[type_] >= 2


@pytest.mark.parametrize(("caption", "codes"), [
    ("育てにくさ", ["感じない"]), ("経済的な不安", ["なし"]), ("保健室の来室", ["発熱"]), ("乳幼児健診の総合判定", ["異常なし"]), ("課税区分", ["課税"]),
    ("いじめの認知", ["いじめ加害", "解消"]), ("教師チェック:身なり", ["心配なし"]), ("保健室の来室", ["けが"]), ("保健室での対応", ["保護者連絡"]),
    ("歯科の受診報告", ["済"]), ("教師チェック:落ち着き", ["少し"]), ("健診の未受診", ["1歳6か月"]), ("出欠の備考", ["家事都合"]), ("健診の言語の所見", ["○"]), ("学校は楽しい(1いいえ〜4はい)", []),
    ("家で安心できる(5あてはまる~1)", []), ("学校が楽しい(5あてはまる~1)", []), ("学校は楽しい(1〜4)", []),
])  # fmt: skip
def test_denials_and_what_says_nothing_speak_for_none(caption: str, codes: list[str]) -> None:
    assert points_of(caption, codes, ALL) == ("", {})


def test_only_types_that_the_item_may_serve_are_spoken_for() -> None:
    assert points_of("登園時の様子", ["衣服汚れ"], ("貧困",))[1].keys() == {"貧困"}
    assert points_of("登園時の様子", ["衣服汚れ"], ("いじめ",)) == ("", {})


def test_lines_count_days_findings_and_times_each_from_where_they_tell() -> None:
    common = {"types": list(ALL), "sign": "none"}
    entries: list[dict[str, object]] = [
        {"code": "gone_max_12m", "item": "gone", "caption": "理由不明の欠席日数(最大)", "aggregate": "max", **common},
        {"code": "sdq_last_60m", "item": "sdq", "caption": "多動", "aggregate": "last", **common},
        {"code": "owed_12m", "item": "owed", "caption": "未納", "aggregate": "count", **common},
        {"code": "owed_24m", "item": "owed", "caption": "未納", "aggregate": "count", **common},
        {"code": "yen_max_12m", "item": "yen", "caption": "滞納の額", "aggregate": "max", **common},
    ]
    captions = {"gone": "理由不明の欠席日数", "sdq": "多動", "owed": "給食費の未納", "yen": "滞納の額"}
    lines = lines_for(entries, captions, {"gone": 19.0, "sdq": 10.0, "yen": 90000.0})
    said = {(line["type"], line["when"][0]) for line in lines if line["type"] in ("不登校", "発達障がい", "貧困")}
    assert said == {
        ("不登校", "gone_max_12m >= 3"), ("不登校", "gone_max_12m >= 6"), ("発達障がい", "sdq_last_60m >= 5"),
        ("貧困", "owed_24m >= 1"), ("貧困", "owed_24m >= 3"),
    }  # fmt: skip
    assert len({line["code"] for line in lines}) == len(lines) and {entry["sign"] for entry in entries} == {"+"}


def test_what_many_are_told_of_is_no_worry_by_being_there() -> None:
    entry = {"code": "bill_24m", "item": "bill", "caption": "給食費の未納", "aggregate": "count", "types": ["貧困"]}
    assert lines_for([entry], {"bill": "給食費の未納"}, {}, common={"bill"}) == []
    unpaid = {**entry, "code": "bill_code_1", "codes": ["未納"]}
    assert lines_for([unpaid], {"bill": "給食費の納入"}, {}, common={"bill"})


def test_columns_of_one_examination_count_once() -> None:
    common = {"aggregate": "count", "types": ["発達障がい"]}
    entries = [
        {"code": "language", "item": "l", "codes": ["×"], "caption": "", **common},
        {"code": "note", "item": "n", "codes": ["ことば遅れ"], "caption": "", **common},
    ]
    lines = lines_for(entries, {"l": "健診の言語の所見", "n": "保健師の所見"}, {})
    assert {line["group"] for line in lines} == {"checkup"} and len({line["code"] for line in lines}) == 4


def test_answers_on_a_scale_from_one_say_yes_from_its_upper_half_on() -> None:
    entry = {"code": "tired", "item": "answer", "caption": "寝不足", "aggregate": "last", "types": ["不登校"]}
    captions = {"answer": "アンケート:寝不足"}
    lines = lines_for([entry], captions, {"answer": 4.0}, {"answer": 1.0}, answers={"answer"})
    assert [(line["when"], line["group"]) for line in lines] == [
        (["tired >= 3"], "n_answer"),
        (["tired >= 4"], "n_answer"),
    ]
    assert lines[1]["points"] > lines[0]["points"]
    lines = lines_for([{**entry, "aggregate": "max"}], captions, {"answer": 4.0}, {"answer": 1.0}, answers={"answer"})
    assert [line["when"] for line in lines] == [["tired >= 4"]], "once in years nearly everybody answers 3"
    lines = lines_for([entry], captions, {"answer": 3.0}, {"answer": 1.0}, answers={"answer"})
    assert [line["when"] for line in lines] == [["tired >= 3"]], "2 of 3 is the middle"
    lines = lines_for([entry], captions, {"answer": 4.0}, {"answer": 1.0})
    assert [line["when"] for line in lines] == [["tired >= 3"]], "a count of something from the middle on"


def test_that_somebody_was_asked_tells_nothing_and_worse_grades_count_above_milder_ones() -> None:
    common = {"item": "look", "aggregate": "count", "types": ["虐待"]}
    entries: list[dict[str, object]] = [
        {"code": "look_24m", "caption": "身なり", **common},
        {"code": "look_step_2", "caption": "身なり", "codes": ["心配", "とても心配"], **common},
        {"code": "look_step_3", "caption": "身なり", "codes": ["とても心配"], **common},
    ]
    lines = lines_for(entries, {"look": "教師チェック:身なり"}, {}, denied={"look"})
    assert {line["when"][0].split(" ")[0] for line in lines} == {"look_step_2", "look_step_3"}
    assert {line["group"] for line in lines} == {"a_look_step_2", "a_look_step_3"}


def test_a_yes_counts_from_one() -> None:
    entry = {"code": "yes", "item": "want", "caption": "予定外の妊娠", "aggregate": "max", "types": ["虐待"]}
    assert [line["when"] for line in lines_for([entry], {"want": "予定外の妊娠"}, {"want": 1.0})] == [["yes >= 1"]]


@pytest.mark.parametrize(("asked", "type_"), [
    ("家の用事で自分の時間がない", "ヤングケアラー"), ("家で安心できない", "虐待"), ("ほしい学用品・食事が足りない", "貧困"),
])  # fmt: skip
def test_what_pupils_are_asked_in_whole_sentences_speaks_of_a_worry(asked: str, type_: str) -> None:
    _, points = points_of(f"生活アンケート {asked}", (), [type_])
    assert points.get(type_)


@pytest.mark.parametrize("asked", ["家で安心して過ごせる", "自分の時間がある", "給食の食事が足りる"])
def test_and_their_opposites_do_not(asked: str) -> None:
    assert not points_of(asked, (), ["虐待", "貧困", "ヤングケアラー"])[1]


@pytest.mark.parametrize(("caption", "sign", "steps"), [
    ("家で安心できる(5あてはまる~1)", "-", ["safe <= 2", "safe <= 1"]), ("家で安心できる(1あてはまる~5)", "+", ["safe >= 3", "safe >= 4", "safe >= 5"]),
    ("家で安心できる(1~5)", "none", []),
])  # fmt: skip
def test_of_a_question_that_says_all_is_well_the_answer_that_denies_it_speaks(
    caption: str, sign: str, steps: list[str]
) -> None:
    entry = {
        "code": "safe",
        "item": "home",
        "caption": caption,
        "aggregate": "last",
        "types": list(ALL),
        "sign": "none",
    }
    lines = lines_for([entry], {"home": caption}, {"home": 5.0}, {"home": 1.0}, answers={"home"})
    assert entry["sign"] == sign
    assert [line["when"][0] for line in lines if line["type"] == "虐待"] == steps
    points = [line["points"] for line in lines if line["type"] == "虐待"]
    assert points == sorted(points)

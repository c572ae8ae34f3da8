"""A discovered rule reads as a caseworker would say it, and says what the rule asks."""

from __future__ import annotations

import math

import pytest

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.features.catalogue import Catalogue, read_catalogue
from kodomo.judgement.boosting import SCENARIO_COLUMN
from kodomo.judgement.learners.rule_discovery import Condition, Rule
from kodomo.judgement.rule_words import TRUE_OR_NOT, rule_sentence

NONE, ALL = -math.inf, math.inf


@pytest.fixture(scope="module")
def hinata() -> Catalogue:
    return read_catalogue(SHIPPED_MUNICIPALITIES / "hinata")


@pytest.mark.parametrize(
    ("code", "low", "high", "with_gap", "said"),
    [
        ("absence_3m", 4.5, ALL, False, "「直近3か月の欠席日数」が 5 以上"),
        ("absence_3m", NONE, 4.500000000000001, False, "「直近3か月の欠席日数」が 4 以下"),
        ("absence_3m", 1e-35, ALL, True, "「直近3か月の欠席日数」が 0 を超えるか、情報がない"),
        ("absence_3m", 4.25, 9.0, False, "「直近3か月の欠席日数」が 4.2 を超え、9 以下"),
        (
            "absence_change",
            -0.694444,
            ALL,
            False,
            "「欠席の増え方(直近3か月と、その前9か月の本人との差)」が −0.69 を超える",
        ),
        ("absence_share_3m", 0.0347, ALL, False, "「直近3か月の欠席率」が 3.5 % を超える"),
        ("absence_share_3m", NONE, 1.0, False, "「直近3か月の欠席率」が 100 % 以下"),
        ("nurse_12m", 2.0, ALL, False, "「直近12か月の保健室来室」が 3 以上"),
        ("nurse_12m", 2.5, 3.5, False, "「直近12か月の保健室来室」が 3"),
        ("nurse_12m", 2.5, 5.5, False, "「直近12か月の保健室来室」が 3〜5"),
        ("nurse_12m", NONE, 1e-35, False, "12か月以内に保健室の来室はない"),
        ("nurse_12m", NONE, 1.5, False, "「直近12か月の保健室来室」が 1 以下"),
        ("assistance_now", 1e-35, ALL, False, "世帯が生活保護を受けている"),
        ("assistance_now", NONE, 0.5, True, "世帯は生活保護を受けていないか、情報がない"),
        ("one_adult", 0.5, ALL, False, "18歳以上の同居者が一人だけ"),
        ("household_size", 4.5, ALL, False, "「世帯の人数」が 5 以上"),
        ("household_size", NONE, ALL, True, "「世帯の人数」の情報がない"),
        ("household_size", NONE, ALL, False, "「世帯の人数」の情報がある"),
        ("household_size", 1e300, ALL, True, "「世帯の人数」の情報がない"),
        ("household_size", NONE, 1e300, False, "「世帯の人数」の情報がある"),
        ("household_size", 2.5, 1e300, False, "「世帯の人数」が 3 以上"),
        (SCENARIO_COLUMN, 1.75, ALL, False, "「シナリオの点数の合計」が 1.8 を超える"),
    ],
)
def test_a_condition(hinata: Catalogue, code: str, low: float, high: float, with_gap: bool, said: str) -> None:
    assert rule_sentence(Rule((Condition(0, low, high, with_gap),)), (code,), hinata) == said


def test_conditions_are_joined(hinata: Catalogue) -> None:
    rule = Rule((Condition(0, 0.5, ALL, False), Condition(1, NONE, 1e-35, False)))
    said = rule_sentence(rule, ("one_adult", "nurse_12m"), hinata)
    assert said == "18歳以上の同居者が一人だけ、かつ12か月以内に保健室の来室はない"


def test_every_shipped_indicator_has_words_for_more_and_for_less(hinata: Catalogue) -> None:
    for indicator in hinata.indicators:
        more = rule_sentence(Rule((Condition(0, 0.5, ALL, False),)), (indicator.code,), hinata)
        less = rule_sentence(Rule((Condition(0, NONE, 0.5, False),)), (indicator.code,), hinata)
        assert more != less and "{value}" not in more + less and "inf" not in more + less, indicator.code


def test_what_is_true_or_not_is_named_where_the_structures_are(hinata: Catalogue) -> None:
    """A structure whose shipped sentence takes no value is one of those said to be true or not."""
    assert {i.structure for i in hinata.indicators if i.structure and "{value}" not in i.sentence} <= TRUE_OR_NOT

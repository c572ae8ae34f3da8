from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kodomo.assessment.grounds import current_grounds
from kodomo.assessment.lawful import lawful_on
from kodomo.configuration import Municipality
from kodomo.governance.register import read_register

DAY = dt.date(2026, 4, 2)

INDICATORS = """
[[indicators]]
code = "absence_3m"
item = "absence_days"
[[indicators]]
code = "absence_share"
item = "absence_days"
per = "school_days"
[[indicators]]
code = "epds_item10"
caption = "EPDSの項目10"
item = "epds_item10"
[[indicators]]
code = "assistance_now"
caption = "世帯の生活保護"
item = "public_assistance"
sentence = "世帯が生活保護を受けている"
sentence_zero = "世帯は生活保護を受けていない"
[[indicators]]
code = "consulted"
item = "child_consultation"
[[indicators]]
code = "grade"
structure = "grade"
[[indicators]]
code = "moved_in_12m"
structure = "moved_in_12m"
item = "residence"
"""
SCENARIOS = """
[[points]]
type = "不登校"
code = "two"
when = ["absence_3m >= 9", "consulted>=1"]
sentence = "欠席が {value} 日で、相談がある"
[[points]]
type = "不登校"
code = "one"
when = ["absence_3m >= 9"]
[[escalations]]
type = "産後うつ"
code = "e"
when = ["epds_item10 >= 1", "consulted == 0"]
sentence = "自分を傷つける考えがあり、相談がない"
[[escalations]]
type = "産後うつ"
code = "unknown"
when = ["nobody_knows >= 1"]
sentence = "知らない指標"
"""
LABELS = """
[[labels]]
item = "council_registration"
weight = 1.0
[[labels]]
item = "child_consultation"
weight = 0.5
[[known_to_support]]
item = "education_counselling"
"""


@pytest.fixture
def place(tmp_path: Path, hinata: Municipality) -> Municipality:
    """A municipality's folder with a handful of criteria and ひなた市's register."""
    folder = tmp_path / "city"
    shutil.copytree(hinata.folder / "register", folder / "register")
    shutil.copy(hinata.folder / "offices.toml", folder)
    (folder / "criteria").mkdir()
    for name, text in (("indicators", INDICATORS), ("scenarios", SCENARIOS), ("labels", LABELS)):
        (folder / "criteria" / f"{name}.toml").write_text(text)
    return replace(hinata, folder=folder)


@pytest.mark.parametrize(
    ("kind", "indicator", "sentence", "items"),
    [
        ("NON_ATTENDANCE", "absence_3m", "直近3か月の欠席が 12 日", {"absence_days"}),
        ("NON_ATTENDANCE", "absence_3m", "欠席が 12 日で、相談がある", {"absence_days", "child_consultation"}),
        ("ABUSE", "absence_3m", "欠席が 12 日で、相談がある", {"absence_days"}),
        ("NON_ATTENDANCE", "absence_share", "欠席率が 40 %", {"absence_days", "school_days"}),
        ("NON_ATTENDANCE", "grade", "学年 4", set()),
        ("OVERALL", None, "「不登校」の確認候補の上位に入る", set()),
        ("ABUSE", None, "よく似た過去の事例に、把握された事例が多い", set()),
        ("ABUSE", None, "世帯が生活保護を受けているか、情報がない", {"public_assistance"}),
        (
            "ABUSE",
            None,
            "「EPDSの項目10」が 1 以上、かつ世帯は生活保護を受けていない",
            {"epds_item10", "public_assistance"},
        ),
        ("ABUSE", None, "「EPDSの項目10」の情報がない、かつ「シナリオの点数の合計」が 3 を超える", {"epds_item10"}),
        ("ABUSE", None, "「消えた指標」が 1 以上", None),
        ("ABUSE", None, "「EPDSの項目10」が 1 以上、かつ「消えた指標」が 2 以下", None),
    ],
    ids=[
        "own item",
        "every condition",
        "another type's line",
        "denominator",
        "no item",
        "of the judgement itself",
        "of past cases",
        "a rule",
        "a rule of two",
        "a rule with the points",
        "a rule not known",
        "a rule half known",
    ],
)
def test_a_sentence_rests_on_all_it_speaks_of(
    place: Municipality, kind: str, indicator: str | None, sentence: str, items: set[str] | None
) -> None:
    assert current_grounds(place).of_reason(kind, indicator, sentence) == items


def test_what_is_not_known_rests_on_nothing_that_could_be_allowed(place: Municipality) -> None:
    grounds = current_grounds(place)
    assert grounds.of_reason("ABUSE", "gone_from_the_file", "文") is None
    assert grounds.of_escalation("どこにもない文") is None
    assert grounds.of_escalation("知らない指標") is None
    lawful = lawful_on(DAY, place)
    assert not lawful.may_show(None)
    assert not lawful.may_tell_escalation("どこにもない文", [])
    assert not lawful.may_tell_reason({"type": "ABUSE", "indicator": "gone_from_the_file", "sentence": "文"})


def test_an_escalation_rests_on_every_condition(place: Municipality) -> None:
    sentence = "自分を傷つける考えがあり、相談がない"
    assert current_grounds(place).of_escalation(sentence) == {"epds_item10", "child_consultation"}


def test_the_flags_of_a_case_rest_on_what_makes_them(place: Municipality) -> None:
    grounds = current_grounds(place)
    assert grounds.council == {"council_registration"}
    assert grounds.known == {"council_registration", "education_counselling"}
    assert grounds.moved_in == {"residence"}


def test_an_edited_file_counts_on_the_next_page(place: Municipality) -> None:
    import os

    assert current_grounds(place).moved_in == {"residence"}
    path = place.folder / "criteria" / "indicators.toml"
    path.write_text(INDICATORS.replace('item = "residence"', 'item = "moves"'))
    os.utime(path, ns=(1, 1))
    assert current_grounds(place).moved_in == {"moves"}


def test_every_sentence_of_the_shipped_criteria_has_its_ground(hinata: Municipality) -> None:
    from kodomo.configuration import read_toml

    grounds, register = current_grounds(hinata), read_register(hinata.folder)
    escalations = read_toml(hinata.folder / "criteria" / "scenarios.toml")["escalations"]
    assert escalations
    for entry in escalations:
        items = grounds.of_escalation(entry["sentence"])
        assert items and items <= set(register.items), entry["code"]
    assert grounds.council and grounds.known and grounds.moved_in

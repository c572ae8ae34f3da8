"""Faults in the indicators are named in Japanese with file, entry and line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.errors import ConfigurationFault
from kodomo.features.catalogue import read_catalogue
from kodomo.features.coverage import read_expectations
from kodomo.features.dates import OLDEST
from kodomo.terms import DifficultyType

GOOD = """\
[[indicators]]
code = "absence_3m"
caption = "直近3か月の欠席日数"
item = "absence_days"
window_months = 3
aggregate = "sum"
types = ["不登校"]
sentence = "直近3か月の欠席が {value} 日"
"""


def read(tmp_path: Path, text: str) -> None:
    (tmp_path / "criteria").mkdir(exist_ok=True)
    (tmp_path / "criteria" / "indicators.toml").write_text(text, encoding="utf-8")
    read_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (('aggregate = "sum"', 'aggregate = "total"'), 6, "使える値は sum"),
        (('types = ["不登校"]', 'types = ["ふとうこう"]'), 7, "困難の類型「ふとうこう」はありません"),
        (("window_months = 3", "window_month = 3"), 5, "知らないキー"),
        (("window_months = 3\n", ""), 1, "期間(月)が要ります"),
        (("window_months = 3", "window_months = 0"), 5, "1 から 240"),
        (("{value}", "{days}"), 8, "差し込めるのは {value} だけ"),
        (('aggregate = "sum"', 'aggregate = "change"'), 1, "baseline_months は change に必須"),
        (('aggregate = "sum"', 'aggregate = "streak"'), 6, "続いているとみなす条件"),
        (('code = "absence_3m"', 'code = "欠席"'), 2, "英小文字"),
    ],
)
def test_fault_names_file_entry_and_line(tmp_path: Path, change: tuple[str, str], line: int, words: str) -> None:
    with pytest.raises(ConfigurationFault) as fault:
        read(tmp_path, GOOD.replace(*change))
    assert "indicators.toml" in fault.value.where
    assert f"{line} 行目 [[indicators]]" in fault.value.where
    assert words in fault.value.where


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault) as fault:
        read(tmp_path, GOOD.replace('"sum"', '"total"') + "\n" + GOOD)
    assert "2 か所" in fault.value.what
    assert "二度書かれています" in fault.value.where
    assert "11 行目" in fault.value.where


def test_shipped_indicators_serve_every_type_and_age() -> None:
    catalogue = read_catalogue(SHIPPED_MUNICIPALITIES / "hinata")
    read_expectations(SHIPPED_MUNICIPALITIES / "hinata")
    for kind in DifficultyType:
        assert len([i for i in catalogue.indicators if kind in i.types and not i.is_label_trace]) >= 15
    assert all(i.caption and i.sentence for i in catalogue.indicators)
    assert {
        i.code
        for i in catalogue.indicators
        if i.item in ("council_registration", "child_consultation") and not i.is_label_trace
    } == set()


def test_the_child_allowance_is_expected_until_the_school_year_of_turning_18_ends() -> None:
    """児童手当法3条・4条 since October 2024: of a pupil of 16 its absence is a benefit not taken, and not unknown."""
    folder = SHIPPED_MUNICIPALITIES / "hinata"
    asked = read_catalogue(folder)["child_allowance_now"].ages
    assert asked == read_expectations(folder).sources["child_allowance"].ages == (0, OLDEST)

"""Whatever a person may write wrong in the criteria is told in Japanese with file and line, all files at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.errors import ConfigurationFault
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.criteria_remarks import criteria_remarks
from kodomo.judgement.draft_check import check_draft
from kodomo.judgement.labels import read_cases, read_labels

from .conftest import COVERAGE, INDICATORS, LABELS, SCENARIOS, Town, write_criteria


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("scenarios", ("point_is = 0.35", 'point_is = "0.35"'), "行目 point_is: 0 より大きく"),
        ("scenarios", ("point_is = 0.35", "point_is = nan"), "行目 point_is: 0 より大きく"),
        ("scenarios", ("point_is = 0.35", "pointis = 0.35"), "行目 pointis: 知らないキーです"),
        ("scenarios", ("[[points]]", "[[point]]"), "行目 [[point]]: 知らない表です"),
        ("scenarios", ("points = 5", "points = inf"), "points: 数で書いてください"),
        ("coverage", ('kind = "roster"', 'kind = "roster"\nweight = -3'), "weight: 0 から 10 まで"),
        ("indicators", ("{value} 日", "{value} 日}"), "差し込めるのは {value} だけ"),
    ],
)
def test_a_slip_is_named_with_file_and_line(tmp_path: Path, file: str, change: tuple[str, str], words: str) -> None:
    text = {"indicators": INDICATORS, "coverage": COVERAGE, "scenarios": SCENARIOS, "labels": LABELS}[file]
    assert change[0] in text
    with pytest.raises(ConfigurationFault) as fault:
        read_all_criteria(write_criteria(tmp_path, **{file: text.replace(*change, 1)}))
    assert f"{file}.toml" in fault.value.where and words in fault.value.where


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('version = "1"\nnote "x"\n', "2 行目: キーのあとに半角の「=」がありません"),
        ("version = “1”\n", "1 行目: 値の書き方が正しくありません"),
        ('version = "1\n', '1 行目: 閉じる「"」がない'),
        ('version = "1"\nversion = "2"\n', "2 行目: 同じキーが二度"),
        ("版 = 1\n", "1 行目: 「キー = 値」"),
        ('types = ["a"\n', "閉じていません"),
    ],
)
def test_what_is_no_toml_is_told_in_japanese_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationFault) as fault:
        read_all_criteria(write_criteria(tmp_path, scenarios=text))
    assert words in fault.value.what and "(at " not in str(fault.value)


def test_a_file_saved_in_another_code_is_told_so(tmp_path: Path) -> None:
    folder = write_criteria(tmp_path)
    (folder / "criteria" / "labels.toml").write_bytes(b"\n" + "# 把握事例".encode("cp932"))
    with pytest.raises(ConfigurationFault, match=r"2 行目: 文字コードが UTF-8 ではありません"):
        read_all_criteria(folder)


def test_faults_of_several_files_are_told_at_once(tmp_path: Path) -> None:
    folder = write_criteria(
        tmp_path,
        scenarios=SCENARIOS.replace("base_rate = 0.02", "base_rate = 2", 1),
        coverage=COVERAGE.replace('kind = "roster"', 'kind = "list"', 1),
        labels="labels = ",
    )
    with pytest.raises(ConfigurationFault) as fault:
        read_all_criteria(folder)
    assert "3 か所" in fault.value.what
    assert all(f"{name}.toml" in fault.value.where for name in ("scenarios", "coverage", "labels"))
    assert {f["file"] for f in check_draft(folder)["faults"]} == {"scenarios.toml", "coverage.toml", "labels.toml"}


def test_entries_written_on_one_line_are_refused_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match="一件ずつ"):
        read_all_criteria(write_criteria(tmp_path, labels='labels = [{type = "虐待", item = "x", codes = []}]\n'))


def test_a_fault_is_told_once(tmp_path: Path) -> None:
    wrong = SCENARIOS.replace('when = ["absence_3m >= 9"]', 'when = "absence_3m >= 9"', 1)
    with pytest.raises(ConfigurationFault) as fault:
        read_all_criteria(write_criteria(tmp_path, scenarios=wrong))
    lines = fault.value.where.splitlines()
    assert len(lines) == len(set(lines))


def test_a_type_judged_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault) as fault:
        read_all_criteria(
            write_criteria(tmp_path, scenarios=SCENARIOS + '\n[[types]]\ntype = "不登校"\nbase_rate = 0.5\n')
        )
    assert "「不登校」が二度書かれています" in fault.value.where


def test_without_labels_there_are_no_cases(town: Town, tmp_path: Path) -> None:
    assert len(read_cases(town.snapshot, read_labels(write_criteria(tmp_path, labels=""))).person) == 0


def test_names_nothing_bears_are_remarked_on(tmp_path: Path) -> None:
    hinata = SHIPPED_MUNICIPALITIES / "hinata"
    assert criteria_remarks(hinata, hinata, None) == []
    found = criteria_remarks(
        write_criteria(
            tmp_path,
            indicators=INDICATORS.replace('item = "absence_days"', 'item = "absense_days"', 1),
            coverage=COVERAGE.replace('source = "', 'source = "x_', 1),
        ),
        hinata,
        None,
    )
    assert any("indicators.toml" in line and "「absense_days」は台帳" in line and "行目" in line for line in found)
    assert any("coverage.toml" in line and "sources/" in line for line in found)


def test_codes_never_seen_in_the_data_are_remarked_on(town: Town, tmp_path: Path) -> None:
    codes = 'codes = ["不登校"]'
    assert codes in LABELS
    folder = write_criteria(tmp_path, labels=LABELS.replace(codes, 'codes = ["ふとうこう"]', 1))
    found = criteria_remarks(folder, SHIPPED_MUNICIPALITIES / "hinata", town.snapshot)
    assert any("labels.toml" in line and "「ふとうこう」は、いまのデータに一度も" in line for line in found)


def test_items_that_come_in_and_nobody_asks_of_are_remarked_on(town: Town, tmp_path: Path) -> None:
    hinata = SHIPPED_MUNICIPALITIES / "hinata"
    folder = write_criteria(tmp_path, indicators=INDICATORS.replace('item = "late_days"', 'item = "absence_days"', 1))
    (told,) = [x for x in criteria_remarks(folder, hinata, town.snapshot) if "どの指標も使っていない" in x]
    assert "遅刻日数(late_days)" in told and "欠席日数" not in told
    whole = criteria_remarks(write_criteria(tmp_path / "whole"), hinata, town.snapshot)
    assert not any("late_days" in line for line in whole)

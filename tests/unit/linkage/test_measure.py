"""`kodomo linkage-quality`: labels in, figures out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady, WrongUsage
from kodomo.linkage.measure import lines, linkage_quality, read_labels
from kodomo.linkage.quality import ratio_interval, wilson

from .paper import Paper
from .test_run import land, stage, town


def labelled(path: Path, *rows: str, head: str = "source,file,row,person") -> Path:
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8-sig")
    return path


@pytest.fixture
def linked(home: Home, hinata: Municipality, paper: Paper) -> Home:
    from kodomo.linkage.run import link_people

    town(paper)
    paper.row("epds", subject={"name": "誰か 知らない", "name_kana": "ﾀﾞﾚｶ ｼﾗﾅｲ"})
    land(paper, home)
    link_people(**stage(home, hinata))
    return home


def test_labels_are_compared_with_the_newest_links(linked: Home, hinata: Municipality, tmp_path: Path) -> None:
    labels = labelled(
        tmp_path / "labels.csv",
        "resident_register,resident_register-1.csv,1,母", "resident_register,resident_register-1.csv,2,太",
        "resident_register,resident_register-1.csv,3,子", "child_allowance,child_allowance-1.csv,1,太",
        "epds,epds-1.csv,1,母", "nowhere,x.csv,1,太",
    )  # fmt: skip
    report = linkage_quality(labels=labels, **stage(linked, hinata, 9))
    assert report["records"] == 5 and report["labels_without_record"] == 1
    assert (report["record"]["right"], report["record"]["wrong"], report["record"]["missed"]) == (4, 0, 1)
    assert report["record"]["precision"] == 1.0 and report["record"]["recall"] == 0.8
    low, high = report["record"]["interval"]["recall"]
    assert low < 0.8 < high
    assert report["by_source"]["epds"]["recall"] == 0.0
    assert report["by_group"]["twins"]["right"] == 3  # 翔太 twice, 翔子 once
    assert report["by_group"]["age_6_11"]["right"] == 3 and report["by_group"]["age_18_64"]["right"] == 1
    assert json.loads(json.dumps(report))
    assert not any("高橋" in line or "髙橋" in line for line in lines(report))


def test_a_wrong_label_shows_as_a_wrong_link(linked: Home, hinata: Municipality, tmp_path: Path) -> None:
    labels = labelled(
        tmp_path / "labels.csv", "resident_register,resident_register-1.csv,2,太",
        "resident_register,resident_register-1.csv,3,子", "child_allowance,child_allowance-1.csv,1,子",
    )  # fmt: skip
    report = linkage_quality(labels=labels, **stage(linked, hinata, 9))
    assert report["record"]["wrong"] == 1 and report["pair"]["wrong"] == 1 and report["pair"]["missed"] == 1


def test_what_is_not_a_table_of_labels_is_refused_with_a_reason(
    linked: Home, hinata: Municipality, tmp_path: Path
) -> None:
    with pytest.raises(WrongUsage, match="列が足りません"):
        read_labels(labelled(tmp_path / "a.csv", "x,1", head="source,file"))
    with pytest.raises(WrongUsage, match="行番号"):
        read_labels(labelled(tmp_path / "b.csv", "x,f,一,p"))
    with pytest.raises(WrongUsage, match="合いません"):
        linkage_quality(labels=labelled(tmp_path / "c.csv", "x,f,1,p"), **stage(linked, hinata, 9))


def test_nothing_linked_yet_is_not_ready(home: Home, hinata: Municipality, tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        linkage_quality(labels=labelled(tmp_path / "a.csv", "x,f,1,p"), **stage(home, hinata))


def test_rows_of_one_person_count_less_than_rows_apart() -> None:
    apart = ratio_interval([(1, 1)] * 95 + [(0, 1)] * 5)
    together = ratio_interval([(5, 5)] * 19 + [(0, 5)])
    assert apart == wilson(0.95, 100)
    assert together[0] < apart[0] < 0.95 < apart[1] < together[1]

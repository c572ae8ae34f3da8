"""`kodomo linkage-quality`: labels in, figures out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow.compute as pc
import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady, WrongUsage
from kodomo.linkage import estimate, rules
from kodomo.linkage.estimate import SHIFT_DAYS, estimate_quality
from kodomo.linkage.measure import lines, linkage_quality, read_labels
from kodomo.linkage.quality import ratio_interval, wilson

from .paper import Paper
from .test_run import copied, land, stage, town


def labelled(path: Path, *rows: str, head: str = "source,file,row,person") -> Path:
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8-sig")
    return path


@pytest.fixture(scope="module")
def town_linked(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> Home:
    from kodomo.linkage.run import link_people

    home, paper = Home(tmp_path_factory.mktemp("linked")), Paper()
    town(paper)
    paper.row("epds", subject={"name": "誰か 知らない", "name_kana": "ﾀﾞﾚｶ ｼﾗﾅｲ"})
    land(paper, home)
    link_people(**stage(home, hinata))
    return home


@pytest.fixture
def linked(town_linked: Home, home: Home) -> Home:
    return copied(town_linked, home)


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


def test_without_labels_the_estimate_says_what_it_rests_on(linked: Home, hinata: Municipality) -> None:
    report = linkage_quality(labels=None, **stage(linked, hinata, 9))
    assert report["basis"] == "OWN_ESTIMATE"
    hidden = report["rests_on"]["hidden_numbers"]
    # without its number the allowance's row is found by name and birth date, the welfare row by nothing
    assert (hidden["rows"], hidden["right"], hidden["wrong"], hidden["missed"]) == (2, 1, 0, 1)
    assert report["rests_on"]["shifted_births"]["linked"] == 0
    low, high = report["precision"]["interval"]
    assert low <= report["precision"]["estimate"] <= high == 1.0
    assert report["recall"]["interval"][0] < report["recall"]["estimate"] < 1.0  # one row is nobody's
    assert json.loads(json.dumps(report))
    text = "".join(lines(report))
    assert "番号そのものの誤りは測れません" in text and "髙橋" not in text


def test_hidden_numbers_are_compared_though_the_register_came_after_other_deliveries(
    paper: Paper, tmp_path: Path
) -> None:
    """Two rows told apart by their numbers alone are one without: what comes after is counted otherwise then."""
    from .paper import ON, PRINTING

    for number in ("2001", "2002"):
        paper.row("allowance", subject={"resident_number": number, "name": "林 葵"})
    for number, name, born_on in (("1001", "石井 隼人", "2015-09-01"), ("1002", "木村 蓮", "2014-03-04")):
        paper.row("allowance", subject={"resident_number": number, "name": name, "born_on": born_on})
        paper.resident(number, name, "", born_on)
    mentions, _ = paper.tables()
    parts = [mentions.filter(pc.equal(mentions["kind"], kind)) for kind in ("observations", "residents")]
    report = estimate_quality(lambda: parts, printing=PRINTING, on=ON, link_rows={}, stated_errors=0.0)
    hidden = report["rests_on"]["hidden_numbers"]
    assert (hidden["rows"], hidden["right"], hidden["wrong"]) == (2, 2, 0)


def test_moved_birth_dates_still_find_a_namesake_born_that_day_and_that_counts_as_accident(
    paper: Paper, tmp_path: Path
) -> None:
    from .paper import ON, PRINTING

    paper.resident("1001", "石井 隼人", "ｲｼｲ ﾊﾔﾄ", "2015-09-01", address="北町1-1")
    moved = (dt.date(2015, 9, 1) - dt.timedelta(days=SHIFT_DAYS)).isoformat()
    paper.resident("1002", "石井 隼人", "ｲｼｲ ﾊﾔﾄ", moved, address="南町2-2")
    paper.row("university", subject={"name": "石井 隼人", "name_kana": "いしい はやと", "born_on": "2015-09-01"})
    mentions, _ = paper.tables()
    parts = [mentions.filter(pc.equal(mentions["source"], s)) for s in ("resident_register", "university")]
    report = estimate_quality(
        lambda: parts, printing=PRINTING, on=ON, link_rows={"university": {"K1": 1, "NEW": 3}}, stated_errors=0.0
    )
    assert report["rests_on"]["shifted_births"]["linked"] == 1
    assert report["rests_on"]["hidden_numbers"] is None
    assert report["precision"]["estimate"] < 1


def test_rows_handed_back_and_strangers_lower_what_recall_may_be_but_not_its_estimate(paper: Paper) -> None:
    from .paper import ON, PRINTING

    paper.resident("1001", "石井 隼人", "ｲｼｲ ﾊﾔﾄ", "2015-09-01", address="北町1-1")
    paper.row("university", subject={"name": "石井 隼人", "name_kana": "いしい はやと", "born_on": "2015-09-01"})
    mentions, _ = paper.tables()
    rows = {"university": {"K1": 900, "NEW": 50, "UNLINKED": 50}}
    kept, back = (
        estimate_quality(lambda: [mentions], printing=PRINTING, on=ON, link_rows=rows, stated_errors=0.0, sent_back=n)[
            "recall"
        ]
        for n in (0, 250)
    )
    assert kept["estimate"] == back["estimate"] > kept["interval"][0]
    assert back["interval"][0] == pytest.approx(kept["interval"][0] * 1000 / 1250, abs=1e-4)


def test_every_certain_rule_by_name_and_birth_date_is_tried_with_shifted_births() -> None:
    certain = {rule.code for rule in rules.RULES} - {
        "N1",
        "M1",
    }  # a number; a mother, whose own birth date may be missing
    assert certain <= set(estimate.BY_NAME)

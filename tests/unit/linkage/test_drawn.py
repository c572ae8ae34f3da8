"""Links drawn by lot for people to look at, and what their word says of all links."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady, WrongUsage
from kodomo.linkage.measure import draw_for_review, lines, linkage_quality
from kodomo.linkage.run import link_people

from .paper import Paper
from .test_run import AT, copied, land, stage, town


@pytest.fixture(scope="module")
def town_linked(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> Home:
    home, paper = Home(tmp_path_factory.mktemp("linked")), Paper()
    town(paper)
    for number in range(6):
        paper.resident(
            f"20{number}", f"青木 {'一二三四五六'[number]}", f"ｱｵｷ {'ｱｲｳｴｵｶ'[number]}ｺ", f"2016-0{number + 1}-11"
        )
        paper.row("checkup", subject={"name_kana": f"ｱｵｷ {'ｱｲｳｴｵｶ'[number]}ｺ", "born_on": f"2016-0{number + 1}-11"})
        paper.row("school_aid", subject={"resident_number": f"20{number}", "name": f"青木 {'一二三四五六'[number]}"})
    land(paper, home)
    link_people(**stage(home, hinata))
    return home


@pytest.fixture
def linked(town_linked: Home, home: Home) -> Home:
    return copied(town_linked, home)


def drawn(home: Home, number: int) -> dict[str, int]:
    found: dict[str, int] = draw_for_review(home=home, number=number, by="運用", at=AT)["drawn"]
    return found


def decide_all(home: Home, kind: str, decisions: str) -> list[str]:
    from kodomo.vault.doubts import open_pair_desk
    from kodomo.vault.models import DoubtfulPair

    desk = open_pair_desk(home, by="凛", role="REVIEWER", at=AT)
    found = list(DoubtfulPair.objects.using("vault").filter(why=kind).order_by("pk"))
    for pair, decision in zip(found, decisions, strict=False):
        desk.decide(pair.pk, {"S": "SAME", "D": "DIFFERENT"}[decision])
    return [pair.left_ref for pair in found]


def open_lot() -> set[tuple[str, str]]:
    from kodomo.vault.models import DoubtfulPair

    found = DoubtfulPair.objects.using("vault").filter(why__startswith="DRAWN", decision="")
    return set(found.values_list("left_ref", "right_ref"))


def test_as_many_links_by_name_are_drawn_as_by_number_and_none_twice(linked: Home) -> None:
    first = drawn(linked, 4)
    assert first == {"DRAWN_NUMBER": 2, "DRAWN_NAME": 2, "DRAWN_OTHER": 0}
    pairs = open_lot()
    assert all(left.endswith(":subject") and right.endswith(":subject") and left != right for left, right in pairs)
    from kodomo.vault.doubts import open_pair_desk

    waiting = open_pair_desk(linked, by="凛", role="REVIEWER", at=AT).waiting()
    assert {line["weight"] for line in waiting} == {None}, "nothing weighed them: five to five would mislead"
    drawn(linked, 100)
    assert len({left for left, _ in open_lot()}) == len(open_lot()) > 4, "a second lot leaves out the first"
    assert sum(drawn(linked, 100).values()) == 0


def test_what_people_say_of_the_lot_is_the_precision_of_all_links(linked: Home, hinata: Municipality) -> None:
    untold = linkage_quality(labels=None, **stage(linked, hinata, 9))
    assert untold["drawn"] is None and any("--draw 200" in line for line in lines(untold))
    drawn(linked, 8)
    unseen = linkage_quality(labels=None, **stage(linked, hinata, 10))["drawn"]
    assert unseen["drawn"] == 8 and unseen["reviewed"] == 0 and "precision" not in unseen
    decide_all(linked, "DRAWN_NUMBER", "SSSS")
    decide_all(linked, "DRAWN_NAME", "SSD")
    report = linkage_quality(labels=None, **stage(linked, hinata, 11))
    said = report["drawn"]
    assert (said["drawn"], said["reviewed"], said["wrong"]) == (8, 7, 1)
    held = {kind: one["records"] for kind, one in said["by_kind"].items()}
    expected = 1 - held["DRAWN_NAME"] / sum(held.values()) / 3  # one of three wrong, in that kind alone
    assert said["precision"]["estimate"] == pytest.approx(expected, abs=1e-5)
    low, high = said["precision"]["interval"]
    assert low < said["precision"]["estimate"] < high < 1
    assert report["reviewed"] == {"same": 0, "different": 0}, "the lot is no doubt"
    assert json.loads(json.dumps(report)) and any("別の人だったのは 1 件" in line for line in lines(report))


def test_a_kind_nobody_looked_at_may_be_anything(linked: Home, hinata: Municipality) -> None:
    drawn(linked, 8)
    decide_all(linked, "DRAWN_NUMBER", "SSSS")
    said = linkage_quality(labels=None, **stage(linked, hinata, 9))["drawn"]
    held = {kind: one["records"] for kind, one in said["by_kind"].items()}
    assert said["precision"]["interval"][0] <= 1 - held["DRAWN_NAME"] / sum(held.values()) + 1e-5


def test_the_lot_waits_through_the_next_run_and_a_wrong_link_is_parted(linked: Home, hinata: Municipality) -> None:
    drawn(linked, 8)
    left = decide_all(linked, "DRAWN_NAME", "D")[0]
    waiting = open_lot()
    link_people(**stage(linked, hinata, 20))
    assert open_lot() == waiting, "still one person's, still to be looked at"
    report = linkage_quality(labels=None, **stage(linked, hinata, 21))
    assert report["drawn"]["wrong"] == 1
    from kodomo.vault import people
    from kodomo.vault.database import open_vault

    keyring = open_vault(linked)
    links = people.open_run(linked, keyring, people.require_run(), "links").to_pylist()
    parted = [row for row in links if f"{row['receipt']}:{row['row']}:{row['role']}" == left]
    assert len(parted) == 1 and parted[0]["rule"] in (None, "NEW")


def test_no_number_and_no_run_are_refused(linked: Home, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="1 以上"):
        drawn(linked, 0)
    with pytest.raises(NotReady):
        drawn(Home(tmp_path / "empty"), 5)

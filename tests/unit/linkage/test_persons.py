"""Persons that last: whose key stays, what the history tells, and decisions that hold and can be taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance.register import read_register
from kodomo.linkage import persons
from kodomo.linkage.groups import Groups
from kodomo.linkage.numbers import stay
from kodomo.linkage.publish import publish_children
from kodomo.linkage.run import link_people
from kodomo.store.database import Store

from .paper import Paper
from .test_run import AT, DAY, copied, exported, land, stage, town

KOZUE = {"name": "遠山 梢", "name_kana": "とおやま こずえ", "born_on": "2014-02-02"}
KOZUE_MISREAD = {"name": "遠山 梢", "name_kana": "えんやま こずえ", "born_on": "2014-02-20"}


# ---- whose number stays ----


def test_a_child_that_loses_records_to_a_sibling_keeps_its_key() -> None:
    votes = [(1, 10, 3, 0), (2, 10, 2, 1), (1, 20, 9, 5)]
    assert stay(votes) == {1: 20, 2: 10}


def test_the_elder_of_two_merged_keys_stays_whoever_has_more_records() -> None:
    assert stay([(1, 10, 1, 8), (1, 20, 9, 0)]) == {1: 10}


def test_the_larger_part_of_a_split_keeps_the_key_and_of_equals_the_first() -> None:
    assert stay([(1, 10, 2, 9), (2, 10, 3, 11)]) == {2: 10}
    assert stay([(1, 10, 2, 9), (2, 10, 2, 3)]) == {2: 10}


def test_a_key_whose_records_are_mostly_nobodys_does_not_rename_somebody_else() -> None:
    assert stay([(None, 10, 4, 0), (1, 10, 1, 7), (1, 20, 9, 1)]) == {1: 20}


VOTES = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.integers(1, 6), st.integers(1, 9), st.integers(0, 99)),
    unique_by=lambda vote: vote[:2],
)


@given(votes=VOTES, seed=st.randoms())
def test_keys_are_given_once_and_whatever_the_order(votes: list[Any], seed: Any) -> None:
    given_ = stay(votes)
    assert len(set(given_.values())) == len(given_)
    shuffled = list(votes)
    seed.shuffle(shuffled)
    assert stay(shuffled) == given_
    # nobody is called by a number none of whose records they hold
    assert all(any(v[0] == person and v[1] == number for v in votes) for person, number in given_.items())


@given(
    pairs=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7))),
    apart=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7))),
)
def test_no_chain_of_joins_brings_together_what_was_told_apart(pairs: list[Any], apart: list[Any]) -> None:
    different = [(a, b) for a, b in apart if a != b]
    groups = Groups(range(8), different)
    for one, other in pairs:
        groups.join(one, other)
    assert all(groups.first(a) != groups.first(b) for a, b in different)
    assert sorted(member for part in groups.parts() for member in part) == list(range(8))


# ---- a vault with decisions ----


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> Home:
    """Twins and their mother, and a child whom two clubs write so differently that she is two newcomers."""
    home, paper = Home(tmp_path_factory.mktemp("linked")), Paper()
    town(paper)
    paper.row("university_assessment", subject=KOZUE)
    paper.row(
        "education_counselling",
        subject={**KOZUE_MISREAD, "resident_number": "0000300"},
        said=[{"item": "education_counselling", "number": 1.0}],
    )
    land(paper, home)
    link_people(**stage(home, hinata))
    return home


@pytest.fixture
def city(linked: Home, home: Home) -> Home:
    """The same, for decisions."""
    return copied(linked, home)


def keys(home: Home, hinata: Municipality, minutes: int = 90) -> dict[tuple[str, str], str]:
    return {(source, row): key for (source, _, row), key in exported(home, hinata, minutes).items()}


def acts(home: Home, minutes: int = 1) -> dict[str, Any]:
    place = stage(home, None, minutes)  # type: ignore[arg-type]
    return {"home": home, "by": "凛", "at": place["at"], "reason": "本人に確かめた"}


def told(home: Home, key: str) -> dict[str, Any]:
    return persons.person_history(key, home=home, by="凛", at=stage(home, None, 80)["at"])  # type: ignore[arg-type]


def test_joined_persons_keep_the_elder_key_in_every_later_run_until_undone(city: Home, hinata: Municipality) -> None:
    first = keys(city, hinata)
    elder, younger = first["university_assessment", "1"], first["education_counselling", "1"]
    if people_number(younger) < people_number(elder):
        elder, younger = younger, elder
    assert elder != younger
    made = persons.join(younger, elder, **acts(city))
    result = link_people(**stage(city, hinata, 2))
    assert result["changes"] == {"MERGE": 1}
    merged = keys(city, hinata)
    assert merged["university_assessment", "1"] == merged["education_counselling", "1"] == elder
    assert {place: key for place, key in merged.items() if place[0] not in ("university_assessment", "education_counselling")} == {
        place: key for place, key in first.items() if place[0] not in ("university_assessment", "education_counselling")
    }  # fmt: skip
    (event,) = told(city, younger)["events"]
    assert (event["kind"], event["key_before"], event["key_after"], event["decision"]) == (
        "MERGE",
        younger,
        elder,
        made["decision"],
    )
    assert event["facts"] == (1 if younger == first["education_counselling", "1"] else 0)
    assert told(city, younger)["is_alias"] and told(city, younger)["standing_key"] == elder

    more = Paper()
    more.row("nurse_room", subject=KOZUE_MISREAD)
    land(more, city, 2)
    assert link_people(**stage(city, hinata, 3))["changes"] == {}
    assert keys(city, hinata)["nurse_room", "1"] == elder

    persons.undo(made["decision"], **acts(city, 4))
    assert link_people(**stage(city, hinata, 5))["changes"] == {"UNDONE": 1}
    back = keys(city, hinata)
    assert {place: back[place] for place in first} == first
    assert [event["kind"] for event in told(city, younger)["events"]] == ["MERGE", "UNDONE"]
    assert not told(city, younger)["is_alias"]
    with pytest.raises(NotReady):
        persons.undo(made["decision"], **acts(city, 6))


def test_who_was_joined_parted_and_joined_again_is_one(city: Home, hinata: Municipality) -> None:
    more = Paper()
    more.row("nurse_room", subject=KOZUE)
    more.row("infant_checkup", subject={**KOZUE_MISREAD, "resident_number": "0000300"})
    land(more, city, 1)
    link_people(**stage(city, hinata, 1))
    first = keys(city, hinata)
    mine = [("university_assessment", "1"), ("nurse_room", "1")]
    others = [("education_counselling", "1"), ("infant_checkup", "1")]
    assert len({first[place] for place in mine}) == len({first[place] for place in others}) == 1
    one, other = first[mine[0]], first[others[0]]
    persons.join(one, other, **acts(city, 2))
    link_people(**stage(city, hinata, 3))
    joint = keys(city, hinata)[mine[0]]
    assert {keys(city, hinata)[place] for place in (*mine, *others)} == {joint}
    sources = {source for source, _ in others}
    refs = [r["ref"] for r in told(city, joint)["records"] if r["source"] in sources]
    persons.separate(joint, refs, **acts(city, 4))
    link_people(**stage(city, hinata, 5))
    parted = keys(city, hinata)
    assert parted[mine[0]] != parted[others[0]]
    persons.join(parted[mine[0]], parted[others[0]], **acts(city, 6))
    link_people(**stage(city, hinata, 7))
    again = keys(city, hinata)
    assert {again[place] for place in (*mine, *others)} == {joint}, "the last word holds against every pair told apart"


def test_a_record_told_apart_never_comes_back_to_that_child(city: Home, hinata: Municipality) -> None:
    first = keys(city, hinata)
    twin, other = first["resident_register", "2"], first["resident_register", "3"]
    assert first["child_allowance", "1"] == twin
    ref = next(r["ref"] for r in told(city, twin)["records"] if r["source"] == "child_allowance")
    made = persons.separate(twin, [ref], to=other, **acts(city))
    assert link_people(**stage(city, hinata, 2))["changes"] == {"MOVED": 1}
    assert keys(city, hinata)["child_allowance", "1"] == other
    (event,) = told(city, twin)["events"]
    assert (event["kind"], event["decision"], event["facts"]) == ("MOVED", made["decision"], 1)

    more = Paper()
    more.rows["child_allowance"] = 1
    more.row("child_allowance", subject={"resident_number": "0000101", "name": "高橋 翔太", "born_on": "2015-05-05"},
             guardian={"resident_number": "0000103", "name": "高橋 恵", "relationship": "母"})  # fmt: skip
    land(more, city, 2)
    link_people(**stage(city, hinata, 3))
    later = keys(city, hinata)
    assert later["child_allowance", "1"] == other, "the decision holds beside a new delivery"
    assert later["child_allowance", "2"] == other, "and for a row that is written just the same"

    persons.undo(made["decision"], **acts(city, 4))
    link_people(**stage(city, hinata, 5))
    assert keys(city, hinata)["child_allowance", "1"] == twin


def test_two_register_numbers_that_were_taken_for_one_returned_person_are_parted(
    home: Home, hinata: Municipality, paper: Paper
) -> None:
    paper.resident(
        "0000201", "椿 朔太郎", "ﾂﾊﾞｷ ｻｸﾀﾛｳ", "2012-03-03", resident_to="2018-04-01", resident_to_reason="転出"
    )
    paper.resident("0000202", "椿 朔太郎", "ﾂﾊﾞｷ ｻｸﾀﾛｳ", "2012-03-03", resident_from="2021-04-01")
    for n in range(40):
        paper.resident(f"09{n:02}", f"外 人{n}", f"ｿﾄ ﾋﾄ{n}", "2001-01-01")
    paper.row("nurse_room", subject={"resident_number": "0000202", "name": "椿 朔太郎", "born_on": "2012-03-03"})
    land(paper, home)
    link_people(**stage(home, hinata))
    first = keys(home, hinata)
    joint = first["resident_register", "1"]
    assert joint == first["resident_register", "2"] == first["nurse_room", "1"]
    refs = {(r["source"], r["ref"].split(":")[1]): r["ref"] for r in told(home, joint)["records"]}
    made = persons.separate(joint, [refs["resident_register", "2"]], **acts(home))
    assert link_people(**stage(home, hinata, 2))["changes"] == {"SPLIT": 1}
    parted = keys(home, hinata)
    assert parted["resident_register", "1"] != parted["resident_register", "2"]
    assert parted["nurse_room", "1"] == parted["resident_register", "2"]
    persons.undo(made["decision"], **acts(home, 3))
    assert link_people(**stage(home, hinata, 4))["changes"] == {"UNDONE": 1}
    assert keys(home, hinata) == first


def test_what_a_run_changed_is_taken_back_as_a_whole_and_stays_so(city: Home, hinata: Municipality) -> None:
    first = keys(city, hinata)
    more = Paper()
    more.rows["resident_register"] = 4
    more.resident("0000300", "遠山 梢", "ﾄｵﾔﾏ ｺｽﾞｴ", "2014-02-02", "女")
    land(more, city, 2)
    run = link_people(**stage(city, hinata, 2))
    assert "MERGE" in run["changes"], "the number shows both newcomers to be the child the register now lists"
    undone = persons.undo(f"R{run['run']}", **acts(city, 3))
    link_people(**stage(city, hinata, 4))
    back = keys(city, hinata)
    assert {place: back[place] for place in first} == first
    link_people(**stage(city, hinata, 5))
    assert keys(city, hinata) == back
    assert told(city, first["university_assessment", "1"])["decisions"][0]["decision"] == undone["decision"]


@pytest.mark.parametrize(("kind", "is_same"), [("SPLIT", True), ("UNDONE", True), ("MERGE", False)])
def test_a_parting_that_has_been_mended_since_is_not_done_again_by_taking_it_back(
    city: Home, hinata: Municipality, kind: str, is_same: bool
) -> None:
    """Run 77 parted two, who are one again now: taking it back keeps them one. Taking back a merge parts them."""
    from kodomo.vault.models import Person, PersonDecision, PersonEvent

    twin = {"source": "resident_register", "key": keys(city, hinata)["resident_register", "2"]}
    one = Person.objects.using("vault").get(person_key=twin["key"])
    records = [
        [*map(int, ref.split(":")[:2]), ref.split(":")[2]]
        for ref in (r["ref"] for r in told(city, twin["key"])["records"])
    ]
    assert len(records) > 1
    other = Person.objects.using("vault").create(
        person_number=900, person_key="p900", sealed_identity=b"", is_current=False, retired_into=one.pk
    )
    before, after = (other.pk, one.pk) if kind == "MERGE" else (one.pk, other.pk)
    PersonEvent.objects.using("vault").create(
        run=77, at=AT, kind=kind, number_before=before, number_after=after, records=records[1:]
    )
    persons.undo("R77", **acts(city, 3))
    made = PersonDecision.objects.using("vault").get()
    assert {pair[2] for pair in made.pairs} == {is_same}


def test_what_was_merged_is_published_for_both_keys_and_an_alias_still_opens_the_name(
    city: Home, hinata: Municipality
) -> None:
    from kodomo.vault.reveal import reveal
    from kodomo.vault.search import Wanted, search_by_reading

    first = keys(city, hinata)
    pair = sorted((first["university_assessment", "1"], first["education_counselling", "1"]), key=people_number)
    publish_children(**stage(city, hinata, 1))
    persons.join(*pair, **acts(city))
    run = link_people(**stage(city, hinata, 2))["run"]
    publish_children(**stage(city, hinata, 3))
    snapshot = Store(city.store).current("snapshots")
    assert snapshot is not None
    rows = snapshot.read("person_changes").to_pylist()
    assert [
        (r["person_key"], r["kind"], r["came"], r["other_key"], r["is_alias"], r["link_run"]) for r in rows
    ] == sorted([(pair[0], "MERGE", True, pair[1], False, run), (pair[1], "MERGE", False, pair[0], True, run)])
    place = {
        "home": city,
        "register": read_register(hinata.folder),
        "on": DAY,
        "by": "凛",
        "role": "CASEWORKER",
        "purpose": "支援",
    }
    shown = reveal(pair[1], case_number="H8-1", at=AT, **place)
    assert shown.name == "遠山 梢"
    wanted = Wanted("こずえ")
    found = search_by_reading(wanted, among=[pair[1]], at=AT, **place)
    assert found == [pair[1]], "the case that stands under the alias is found"
    assert search_by_reading(wanted, among=[first["resident_register", "2"]], at=AT, **place) == []


def test_a_run_on_the_same_landings_changes_nobody_and_writes_no_history(city: Home, hinata: Municipality) -> None:
    from kodomo.vault.models import PersonEvent

    first = keys(city, hinata)
    assert link_people(**stage(city, hinata, 2))["changes"] == {}
    assert keys(city, hinata) == first
    assert not PersonEvent.objects.using("vault").exists()
    assert told(city, first["resident_register", "1"])["first_run"] == 1


def test_acts_need_a_reason_and_leave_an_audit_row_without_a_name(city: Home, hinata: Municipality) -> None:
    first = keys(city, hinata)
    one, other = first["resident_register", "2"], first["university_assessment", "1"]
    for act, words in ((persons.join, (one, other)), (persons.separate, (one, ["1:1"])), (persons.undo, ("D1",))):
        with pytest.raises(WrongUsage):
            act(*words, **{**acts(city), "reason": " "})  # type: ignore[operator]
    with pytest.raises(WrongUsage):
        persons.separate(one, ["999:1:subject"], **acts(city))
    with pytest.raises(WrongUsage):
        persons.undo("R" + "9" * 5000, **acts(city))
    with pytest.raises(NotReady):
        persons.person_history("p" + "a" * 20, home=city, by="凛", at=acts(city)["at"])
    persons.join(one, other, **acts(city))
    body = json.dumps(told(city, one), ensure_ascii=False)
    assert not any(word in body for word in ("高橋", "翔太", "遠山", "2015-05-05"))
    rows = audit_rows()
    assert ("凛", "PERSONS_JOIN", "本人に確かめた") in [(r[0], r[1], r[2]) for r in rows]
    assert ("凛", "PERSON_HISTORY", one) in [(r[0], r[1], r[3]) for r in rows]


def people_number(key: str) -> int:
    from kodomo.vault.models import Person

    return int(Person.objects.using("vault").get(person_key=key).pk)


def audit_rows() -> list[tuple[str, str, str, str]]:
    from django.db import connections

    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action, reason, subject FROM audit_events")
        return list(cursor.fetchall())

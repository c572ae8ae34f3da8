"""Erasing one person: nothing of theirs opens, nobody finds them, nobody else is touched, and they don't come back unseen."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import Busy, IntegrityFault, NotReady, WrongUsage
from kodomo.linkage import persons
from kodomo.linkage.erase import erase, unfinished_erasures
from kodomo.linkage.run import link_people
from kodomo.vault import people
from kodomo.vault.database import open_vault
from kodomo.vault.keys import Keyring

from .paper import Paper
from .test_persons import audit_rows, keys, told
from .test_run import copied, land, stage, town

KOZUE = {"name": "遠山 梢", "name_kana": "とおやま こずえ", "born_on": "2014-02-02"}


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> Home:
    """A family with twins, and a child with her mother, of whom four offices tell."""
    home, paper = Home(tmp_path_factory.mktemp("linked")), Paper()
    town(paper)
    house = {"household_number": "H7", "address": "西町7-7"}
    paper.resident("0000701", "遠山 梢", "ﾄｵﾔﾏ ｺｽﾞｴ", "2014-02-02", "女", **house)
    paper.resident("0000702", "遠山 桐子", "ﾄｵﾔﾏ ｷﾘｺ", "1980-02-02", "女", relationship="世帯主", **house)
    paper.row("nurse_room", subject=KOZUE, said=[{"item": "nurse_room", "number": 1.0}])
    paper.row(
        "child_allowance", subject={"resident_number": "0000701", "name": "遠山 梢"}, guardian={"name": "遠山 桐子"}
    )
    land(paper, home)
    link_people(**stage(home, hinata))
    return home


@pytest.fixture
def city(linked: Home, home: Home) -> Home:
    """The same, to be erased from."""
    return copied(linked, home)


def act(home: Home, key: str, minutes: int = 1, check_alone: Any = lambda: None) -> dict[str, Any]:
    at = stage(home, None, minutes)["at"]  # type: ignore[arg-type]
    return erase(key, reason="本人の申出による", home=home, by="凛", at=at, check_alone=check_alone)


def opened(home: Home, keyring: Keyring) -> bytes:
    """All that the vault's sealed files and cards hold, opened."""
    import io

    import pyarrow.parquet as pq

    from kodomo.vault.models import Person

    found = []
    for path in (*home.vault.glob("landed/*/*.sealed"), *home.vault.glob("links/*/*.sealed")):
        place = str(path.relative_to(home.vault).with_suffix("").as_posix())
        found.append(str(pq.read_table(io.BytesIO(keyring.unseal(path.read_bytes(), place))).to_pylist()))
    for person in Person.objects.using("vault").exclude(sealed_identity=b""):
        found.append(keyring.unseal(bytes(person.sealed_identity), f"person:{person.pk}").decode())
    return "\n".join(found).encode()


def test_nothing_of_theirs_opens_and_nobody_finds_them(city: Home, tmp_path: Path, hinata: Municipality) -> None:
    from kodomo.vault.models import Person, PersonIndex

    key = keys(city, hinata)["nurse_room", "1"]
    before = open_vault(city)
    assert people.find_people(before, "kana", "とおやまこずえ") == [key]
    assert "遠山 梢" in opened(city, before).decode()
    shutil.copytree(city.vault, tmp_path / "backup")
    card = bytes(Person.objects.using("vault").get(person_key=key).sealed_identity)
    number = Person.objects.using("vault").get(person_key=key).pk

    from kodomo.vault.models import DoubtfulPair

    asked = {"left_ref": "1:5:subject", "right_ref": "1:1:subject", "weight": 2.0, "why": "WEAK"}
    DoubtfulPair.objects.using("vault").create(run=people.require_run(), **asked)
    result = act(city, key)
    assert not DoubtfulPair.objects.using("vault").exists(), "nobody is asked about a record that is gone"
    assert result["records"] == 3 and result["files_rewritten"] > 0 and result["guardian_cards"] == 0
    after = open_vault(city)
    text = opened(city, after).decode()
    assert not any(word in text for word in ("遠山 梢", "ﾄｵﾔﾏ ｺｽﾞｴ", "とおやま こずえ", "2014-02-02"))
    assert "遠山 桐子" in text and "翔太" in text, "nobody else is touched"
    assert (
        people.find_people(after, "kana", "とおやまこずえ") == [] and people.find_people(after, "number", "701") == []
    )
    assert not PersonIndex.objects.using("vault").filter(person_id=number).exists()
    assert bytes(Person.objects.using("vault").get(pk=number).sealed_identity) == b""
    # copies from before, cards and files, don't open with any key that is left
    with pytest.raises(IntegrityFault):
        after.unseal(card, f"person:{number}")
    for path in (tmp_path / "backup").glob("l*/*/*.sealed"):
        place = str(path.relative_to(tmp_path / "backup").with_suffix("").as_posix())
        with pytest.raises(IntegrityFault):
            after.unseal(path.read_bytes(), place)
    assert {row[1] for row in audit_rows()} >= {"ERASE_PERSON_BEGIN", "ERASE_PERSON", "ROTATE_KEYS"}
    history = told(city, key)
    assert history["erased_at"] and not history["is_current"] and history["events"][0]["kind"] == "ERASED"


def test_they_do_not_come_back_unseen_and_a_namesake_is_somebody_else(city: Home, hinata: Municipality) -> None:
    first = keys(city, hinata)
    key = first["nurse_room", "1"]
    act(city, key)
    run = link_people(**stage(city, hinata, 2))
    assert run["mode"] == "ANEW" and run["erased_again"] == 0
    later = keys(city, hinata)
    assert key not in later.values()
    assert {p: k for p, k in later.items() if k} == {p: k for p, k in first.items() if k != key}

    more = Paper()
    more.rows["resident_register"] = 6
    more.resident("0000701", "遠山 梢", "ﾄｵﾔﾏ ｺｽﾞｴ", "2014-02-02", "女", household_number="H7", address="西町7-7")
    more.resident("0000888", "遠山 梢", "ﾄｵﾔﾏ ｺｽﾞｴ", "2014-02-02", "女", household_number="H8", address="東町8-8")
    more.row("university_assessment", subject={"name": "遠山梢", "born_on": "2014-02-02"})
    land(more, city, 2)
    again = link_people(**stage(city, hinata, 3))
    assert again["mode"] == "INCREMENTAL" and again["erased_again"] == 2
    newest = keys(city, hinata)
    assert key not in newest.values()
    assert newest["resident_register", "7"] == "" and newest["university_assessment", "1"] == ""
    assert newest["resident_register", "8"] not in ("", *first.values()), "another number is another child"
    kinds = [(event["kind"], len(event["records"])) for event in told(city, key)["events"]]
    assert kinds == [("ERASED", 3), ("RETURNED", 2)]
    link_people(**stage(city, hinata, 4))
    assert len(told(city, key)["events"]) == 2, "a record that came back is told once"


def test_a_twin_whose_number_stands_in_the_others_record_is_not_touched(city: Home, hinata: Municipality) -> None:
    slip = Paper()
    slip.rows["nurse_room"] = 1
    slip.row(
        "nurse_room",
        subject={
            "resident_number": "0000102",
            "name": "高橋 翔太",
            "name_kana": "たかはし しょうた",
            "born_on": "2015-05-05",
        },
    )
    land(slip, city, 2)
    link_people(**stage(city, hinata, 1))
    first = keys(city, hinata)
    boy, girl = first["resident_register", "2"], first["resident_register", "3"]
    assert first["nurse_room", "2"] == boy != girl
    act(city, boy, 2)
    assert link_people(**stage(city, hinata, 3))["erased_again"] == 0
    later = keys(city, hinata)
    assert later["resident_register", "3"] == girl and boy not in later.values()
    assert "翔子" in opened(city, open_vault(city)).decode()


def test_a_living_namesake_of_the_same_day_keeps_every_record(city: Home, hinata: Municipality) -> None:
    more = Paper()
    more.rows |= {"resident_register": 6, "nurse_room": 1}
    more.resident("0000888", "遠山 梢", "ﾄｵﾔﾏ ｺｽﾞｴ", "2014-02-02", "女", household_number="H8", address="東町8-8")
    more.row("education_counselling", subject={**KOZUE, "address": "東町8-8"})
    land(more, city, 2)
    link_people(**stage(city, hinata, 1))
    first = keys(city, hinata)
    one, namesake = first["resident_register", "5"], first["resident_register", "7"]
    assert first["education_counselling", "1"] in (namesake, "") and one != namesake
    act(city, one, 2)
    text = opened(city, open_vault(city)).decode()
    assert "東町8-8" in text and text.count("ﾄｵﾔﾏ ｺｽﾞｴ") >= 1
    link_people(**stage(city, hinata, 3))
    assert keys(city, hinata)["resident_register", "7"] == namesake


def test_a_guardians_name_goes_from_the_childs_card_too(city: Home, hinata: Municipality) -> None:
    mother = keys(city, hinata)["resident_register", "6"]
    assert act(city, mother)["guardian_cards"] == 1
    assert "桐子" not in opened(city, open_vault(city)).decode()


def test_interrupted_it_goes_on_where_it_was(city: Home, hinata: Municipality, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.vault import erasure

    key = keys(city, hinata)["nurse_room", "1"]

    def killed(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(erasure, "take_out_of_runs", killed)
    with pytest.raises(KeyboardInterrupt):
        act(city, key)
    monkeypatch.undo()
    assert unfinished_erasures(city) == [key], "status and link tell the operator"
    assert act(city, key, 2)["records"] == 3
    assert unfinished_erasures(city) == []
    assert "遠山 梢" not in opened(city, open_vault(city)).decode()


def test_numbers_that_were_merged_go_with_the_person(city: Home, hinata: Municipality) -> None:
    from kodomo.vault.models import Person

    first = keys(city, hinata)
    one, other = first["nurse_room", "1"], first["public_assistance", "1"]
    at = stage(city, None, 1)["at"]  # type: ignore[arg-type]
    persons.join(one, other, reason="試験", home=city, by="凛", at=at)
    assert link_people(**stage(city, hinata, 2))["changes"]["MERGE"] == 1
    act(city, one, 3)
    assert not Person.objects.using("vault").filter(person_key__in=(one, other)).exclude(sealed_identity=b"").exists()
    assert "老川" not in opened(city, open_vault(city)).decode()


def test_it_needs_a_reason_a_person_and_the_vault_to_itself(city: Home, hinata: Municipality) -> None:
    at = stage(city, None, 1)["at"]  # type: ignore[arg-type]
    with pytest.raises(WrongUsage):
        erase("p" + "a" * 20, reason=" ", home=city, by="凛", at=at, check_alone=lambda: None)
    with pytest.raises(NotReady):
        act(city, "p" + "a" * 20)

    def busy() -> None:
        raise NotReady("ほかの処理が実行中です。")

    with pytest.raises(NotReady):
        act(city, keys(city, hinata)["nurse_room", "1"], check_alone=busy)
    assert "遠山 梢" in opened(city, open_vault(city)).decode()


def test_a_linkage_begun_before_does_not_bring_them_back(
    city: Home, hinata: Municipality, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing and linking began at one moment: the linkage had read the vault already, and erasing stops halfway."""
    from kodomo.linkage import run
    from kodomo.vault.models import Person

    key, linked, asked = keys(city, hinata)["nurse_room", "1"], run.link_mentions, []

    def busy() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise Busy("名寄せが実行中です。")

    def meanwhile(connection: Any, mentions: Any, *args: Any, **kwargs: Any) -> Any:
        read = list(mentions)
        with pytest.raises(Busy):
            act(city, key, 1, busy)
        return linked(connection, iter(read), *args, **kwargs)

    monkeypatch.setattr(run, "link_mentions", meanwhile)
    with pytest.raises(Busy):
        link_people(**stage(city, hinata, 2), anew=True)
    monkeypatch.undo()
    assert bytes(Person.objects.using("vault").get(person_key=key).sealed_identity) == b""
    act(city, key, 3)
    assert "遠山 梢" not in opened(city, open_vault(city)).decode()


def test_copies_made_while_a_replacement_of_keys_was_unfinished_do_not_open(
    city: Home, hinata: Municipality, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys put in place by a replacement that was interrupted have sealed the person's rows: they must go too."""
    from kodomo.vault import rotation

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    key = keys(city, hinata)["nurse_room", "1"]
    monkeypatch.setattr(rotation, "destroy_former", killed)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate_keys(home=city, by="凛", at=stage(city, hinata, 1)["at"], check_alone=lambda: None)
    monkeypatch.undo()
    shutil.copytree(city.vault, tmp_path / "backup")
    act(city, key, 2)
    after = open_vault(city)
    copies = list((tmp_path / "backup").glob("l*/*/*.sealed"))
    assert copies
    for path in copies:
        place = str(path.relative_to(tmp_path / "backup").with_suffix("").as_posix())
        with pytest.raises(IntegrityFault):
            after.unseal(path.read_bytes(), place)
    assert "桐子" in opened(city, after).decode(), "what stays opens with the keys that are left"

"""Link, export, review and publish on a real vault: keys that last, and a gate that refuses."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import shutil
import stat
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import IntegrityFault, NotReady
from kodomo.governance.register import read_register
from kodomo.linkage.export import export_links
from kodomo.linkage.gate import check_snapshot
from kodomo.linkage.publish import publish_children
from kodomo.linkage.run import link_people
from kodomo.store.database import SNAPSHOT_TABLES, Store
from kodomo.vault import people, records
from kodomo.vault.database import open_vault

from .paper import Paper

AT = dt.datetime(2026, 4, 1, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
DAY = dt.date(2026, 4, 1)


def stage(home: Home, hinata: Municipality, minutes: int = 0) -> dict[str, Any]:
    return {"home": home, "municipality": hinata, "by": "試験", "at": AT + dt.timedelta(minutes=minutes)}


def land(paper: Paper, home: Home, delivery: int = 1, again: frozenset[tuple[str, int]] = frozenset()) -> None:
    """Put a paper's rows into the vault as intake would, one receipt per source.

    Rows in ``again`` (source, row) tell the first delivery's row of that number otherwise than it did.
    """
    keyring = open_vault(home)
    from kodomo.vault.models import Receipt

    mentions, facts = paper.tables()
    for source in mentions["source"].unique().to_pylist():
        mine = mentions.filter(pa.compute.equal(mentions["source"], source))
        said = facts.filter(pa.compute.equal(facts["source"], source))
        rows = sorted(set(mine["row"].to_pylist()))
        name = f"{source}-{delivery}"
        prints = [hashlib.sha256(f"{name}:{row}".encode()).digest()[:16] for row in rows]
        who = [hashlib.sha256(f"{source}-1:{row}".encode()).digest()[:16] if (source, row) in again else own
               for row, own in zip(rows, prints, strict=True)]  # fmt: skip
        schema = records.landing_schema(records.ROWS)
        landing = records.Landing(
            mine.select(records.landing_schema(records.MENTIONS).names),
            said.select(records.landing_schema(records.LANDED_FACTS).names),
            pa.table({"row": pa.array(rows, pa.int32()), "identity": pa.array(who, pa.binary(16)),
                      "content": pa.array(prints, pa.binary(16))}, schema=schema),
        )  # fmt: skip
        records.land(home, keyring, name, landing)
        Receipt.objects.using("vault").create(
            source=source, file_name=f"{name}.csv", sha256=hashlib.sha256(name.encode()).hexdigest(), size_bytes=1,
            extracted_on=DAY + dt.timedelta(days=30 * (delivery - 1)), received_at=AT, received_by="試験", medium="MEDIA", rows_read=len(rows), rows_landed=len(rows),
            rows_quarantined=0, layout_sha256="", sealed_file=name,
        )  # fmt: skip


def town(paper: Paper) -> None:
    """A family with twins under address protection, and one row from a school and a welfare office."""
    home = {"household_number": "H1", "address": "北町1-2-3"}
    paper.resident("0000103", "髙橋 恵", "ﾀｶﾊｼ ﾒｸﾞﾐ", "1985-05-05", "女", relationship="世帯主", **home)
    paper.resident("0000101", "髙橋 翔太", "ﾀｶﾊｼ ｼｮｳﾀ", "2015-05-05", address_protection="1", **home)
    paper.resident("0000102", "髙橋 翔子", "ﾀｶﾊｼ ｼｮｳｺ", "2015-05-05", "女", **home)
    paper.resident("0000900", "老川 独", "ｵｲｶﾜ ﾋﾄﾘ", "1940-01-01", relationship="世帯主", address="南町4-5-6")
    paper.row("child_allowance", subject={"resident_number": "0000101", "name": "高橋 翔太", "born_on": "2015-05-05"},
              guardian={"resident_number": "0000103", "name": "高橋 恵", "relationship": "母"},
              said=[{"item": "child_allowance", "number": 1.0, "valid_from": dt.date(2015, 6, 1)}])  # fmt: skip
    paper.row("public_assistance", subject={"resident_number": "0000900", "name": "老川 独"},
              said=[{"item": "public_assistance", "number": 1.0, "valid_from": dt.date(2020, 1, 1)}])  # fmt: skip


def copied(linked: Home, home: Home) -> Home:
    """A linked home's copy in an empty one, with which a test may do what it wants; linking takes a hundred times as long."""
    open_vault(linked)
    from django.db import connections

    connections["vault"].close()  # whoever closes it last writes everything into the one file
    shutil.copytree(linked.root, home.root)
    open_vault(home)
    return home


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, hinata: Municipality) -> Home:
    home, paper = Home(tmp_path_factory.mktemp("linked")), Paper()
    town(paper)
    land(paper, home)
    link_people(**stage(home, hinata))
    return home


@pytest.fixture
def linked_home(linked: Home, home: Home) -> Home:
    return copied(linked, home)


def exported(home: Home, hinata: Municipality, minutes: int = 5) -> dict[tuple[str, str, str], str]:
    out = home.root / "links.csv"
    export_links(out, **stage(home, hinata, minutes))
    with out.open(encoding="utf-8") as handle:
        return {(r["source"], r["file"], r["row"]): r["person_key"] for r in csv.DictReader(handle)}


def test_keys_survive_a_second_run_and_a_new_delivery(linked_home: Home, hinata: Municipality) -> None:
    first = exported(linked_home, hinata)
    assert len(first) == 6 and len(set(first.values())) == 4 and all(first.values())
    again = link_people(**stage(linked_home, hinata, 10))
    assert exported(linked_home, hinata) == first
    assert again["cards"]["written"] == 0 and again["numbers"]["new"] == 0
    more = Paper()
    more.row(
        "university_assessment",
        subject={"name": "高橋 翔子", "name_kana": "たかはし しょうこ", "born_on": "2015-05-05"},
    )
    more.row(
        "university_assessment", subject={"name": "遠山 梢", "name_kana": "とおやま こずえ", "born_on": "2014-02-02"}
    )
    land(more, linked_home)
    link_people(**stage(linked_home, hinata, 20))
    later = exported(linked_home, hinata)
    assert {place: key for place, key in later.items() if place in first} == first
    fresh = [key for place, key in later.items() if place not in first]
    assert fresh[0] in first.values() and fresh[1] not in first.values()


def test_export_tells_everybody_a_row_names_only_when_asked(linked_home: Home, hinata: Municipality) -> None:
    of_child = exported(linked_home, hinata)
    header = (linked_home.root / "links.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "source,file,row,row_key,person_key"
    export_links(linked_home.root / "everybody.csv", **stage(linked_home, hinata, 6), everybody=True)
    with (linked_home.root / "everybody.csv").open(encoding="utf-8") as handle:
        rows = [r for r in csv.DictReader(handle) if r["source"] == "child_allowance"]
    assert [(r["row"], r["role"]) for r in rows] == [("1", "subject"), ("1", "guardian")]
    mother = next(k for (source, _, row), k in of_child.items() if source == "resident_register" and row == "1")
    assert rows[1]["person_key"] == mother != rows[0]["person_key"]


def test_export_tells_the_sheet_and_its_row_as_a_spreadsheet_shows_them_when_asked(
    linked_home: Home, hinata: Municipality
) -> None:
    from kodomo.vault.models import Receipt

    of_child = exported(linked_home, hinata)
    receipt = Receipt.objects.using("vault").get(source="resident_register")
    receipt.report = {"spans": [["1組", 0, 4], ["2組", 1, 2]]}
    receipt.save(using="vault")
    export_links(linked_home.root / "shown.csv", **stage(linked_home, hinata, 6), as_shown=True)
    with (linked_home.root / "shown.csv").open(encoding="utf-8") as handle:
        rows = [r for r in csv.DictReader(handle) if r["source"] == "resident_register"]
    assert [(r["row"], r["sheet"], r["sheet_row"]) for r in rows[:3]] == [
        ("1", "1組", "5"), ("2", "2組", "3"), ("3", "2組", "4")
    ]  # fmt: skip
    assert rows[0]["person_key"] == of_child["resident_register", rows[0]["file"], "1"]


def test_export_is_readable_by_its_owner_only_and_audited(linked_home: Home, hinata: Municipality) -> None:
    exported(linked_home, hinata)
    from kodomo.vault.reveal import verify_vault

    assert stat.S_IMODE((linked_home.root / "links.csv").stat().st_mode) == 0o600
    verdict = verify_vault(linked_home)
    assert verdict.first_bad is None and verdict.rows >= 2


def test_vault_files_hold_no_name_in_clear(linked_home: Home) -> None:
    content = b"".join(p.read_bytes() for p in linked_home.vault.rglob("*") if p.is_file())
    for text in ("髙橋", "高橋", "ﾀｶﾊｼ", "タカハシ", "翔太", "0000101"):
        assert text.encode() not in content and text.encode("utf-16-le") not in content


def test_a_child_is_found_by_half_remembered_kana_and_its_protected_address_is_withheld(
    linked_home: Home, hinata: Municipality
) -> None:
    keyring = open_vault(linked_home)
    from kodomo.vault.reveal import reveal

    found = people.find_people(keyring, "given", "しょうた")
    assert found == people.find_people(keyring, "kana", "たかはし　しようだ")
    assert len(people.find_people(keyring, "given_prefix", "しよ")) == 2
    assert people.find_people(keyring, "given", "ひとり") == []  # nobody around a child: not searched for
    identity = reveal(found[0], home=linked_home, register=read_register(hinata.folder), on=DAY, by="花", role="CASEWORKER",
                      purpose="支援", case_number="1", at=AT)  # fmt: skip
    assert identity.name == "髙橋 翔太" and identity.address is None and identity.guardians == ("髙橋 恵",)


def test_publish_holds_children_and_those_around_them_without_identities(
    linked_home: Home, hinata: Municipality
) -> None:
    report = publish_children(**stage(linked_home, hinata, 30))
    snapshot = Store(linked_home.store).current("snapshots")
    assert snapshot is not None and snapshot.snapshot_id == report["snapshot"]
    persons = snapshot.read("persons").to_pylist()
    assert len(persons) == 3  # the old man who lives alone is nobody's business
    assert sum(p["is_child"] for p in persons) == 2 and all(p["is_address_protected"] for p in persons)
    assert {p["born_month"] for p in persons} == {dt.date(2015, 5, 1), dt.date(1985, 5, 1)}
    assert all(p["area_code"] is None for p in persons)
    kinds = [k["kind"] for k in snapshot.read("kinships").to_pylist()]
    assert sorted(set(kinds)) == ["GUARDIAN", "MOTHER", "SIBLING"] and kinds.count("MOTHER") == 2
    facts = snapshot.read("facts").to_pylist()
    assert [f["item"] for f in facts] == ["child_allowance"]
    files = b"".join(p.read_bytes() for p in snapshot.path.iterdir())
    assert all(text.encode() not in files for text in ("橋", "翔", "北町", "0000101"))


def test_a_protected_person_whom_a_linkage_merged_meanwhile_is_published_as_protected(
    linked_home: Home, hinata: Municipality
) -> None:
    """Publishing reads the run it began with; a linkage that ends meanwhile may have taken a number out of use."""
    open_vault(linked_home)
    from kodomo.vault.models import Person

    Person.objects.using("vault").filter(is_address_protected=True).update(is_current=False)
    publish_children(**stage(linked_home, hinata, 30))
    snapshot = Store(linked_home.store).current("snapshots")
    assert snapshot is not None
    persons = snapshot.read("persons").to_pylist()
    assert len(persons) == 3 and all(p["is_address_protected"] and p["area_code"] is None for p in persons)


def test_publishing_the_same_twice_at_one_moment_is_one_snapshot(linked_home: Home, hinata: Municipality) -> None:
    first = publish_children(**stage(linked_home, hinata, 30))
    again = publish_children(**stage(linked_home, hinata, 30))
    assert first["snapshot"] == again["snapshot"]
    assert len(Store(linked_home.store).names("snapshots")) == 1


@pytest.mark.parametrize(
    "value", ["髙橋 翔太", "高橋翔太", "タカハシ ショウタ", "担当: 髙橋翔太の母", "0000101", "北町1丁目2番3号"]
)
def test_gate_refuses_an_identifying_value_in_a_code(
    home: Home, hinata: Municipality, paper: Paper, value: str
) -> None:
    town(paper)
    paper.row("child_consultation", subject={"resident_number": "0000101", "name": "高橋 翔太"},
              said=[{"item": "child_consultation", "code": value, "valid_from": DAY}])  # fmt: skip
    land(paper, home)
    link_people(**stage(home, hinata))
    with pytest.raises(IntegrityFault) as refusal:
        publish_children(**stage(home, hinata, 1))
    assert value not in refusal.value.text() and "code" in refusal.value.text()
    assert Store(home.store).names("snapshots") == []


def test_gate_refuses_free_text_and_keys_that_are_none(paper: Paper) -> None:
    mentions, _ = paper.tables()
    with pytest.raises(IntegrityFault, match="自由記述"):
        check_snapshot({"facts": pa.table({"item": ["x"], "code": ["あ" * 50]})}, mentions)
    with pytest.raises(IntegrityFault, match="仮名キー"):
        check_snapshot({"persons": pa.table({"person_key": ["0000101"]})}, mentions)
    with pytest.raises(IntegrityFault, match="地区"):
        check_snapshot({"persons": pa.table({"area_code": ["北町"]})}, mentions)
    with pytest.raises(IntegrityFault, match="月初日"):
        check_snapshot({"persons": pa.table({"born_month": [dt.date(2015, 5, 5)]})}, mentions)


def test_gate_lets_a_school_pass_whose_name_begins_like_a_child(paper: Paper) -> None:
    paper.row("npo_watch", subject={"name": "ひなた", "name_kana": "ひなた"})
    mentions, _ = paper.tables()
    check_snapshot({"facts": pa.table({"item": ["school_enrolled"], "code": ["ひなた西小学校"]})}, mentions)
    with pytest.raises(IntegrityFault):
        check_snapshot({"facts": pa.table({"item": ["school_enrolled"], "code": ["ヒナタ"]})}, mentions)


def test_gate_lets_an_item_pass_whose_code_holds_a_name_in_latin_letters(paper: Paper) -> None:
    paper.row("npo_watch", subject={"name": "LAN"})
    mentions, _ = paper.tables()
    check_snapshot({"facts": pa.table({"item": ["checkup_language"], "code": ["あり"]})}, mentions)
    for item, code in (("LAN", "あり"), ("checkup_language", "母はLANさん")):
        with pytest.raises(IntegrityFault):
            check_snapshot({"facts": pa.table({"item": [item], "code": [code]})}, mentions)


def test_gate_lets_a_category_pass_that_somebody_is_called_like_but_no_name(paper: Paper) -> None:
    for name in ("いる", "あさひ", "翔太"):
        paper.row("npo_watch", subject={"name": name, "name_kana": name if name != "翔太" else "しょうた"})
    mentions, _ = paper.tables()

    def facts(*codes: str) -> dict[str, pa.Table]:
        keys = [
            f"p{'abcdefghijklmnopqrstuvwxyz'[at // 20]}{'abcdefghijklmnopqrst'[at % 20] * 19}"
            for at in range(len(codes))
        ]
        return {"facts": pa.table({"person_key": keys, "item": ["confidant"] * len(codes), "code": list(codes)})}

    check_snapshot(facts(*["いる"] * 20, *["いない"] * 3), mentions)
    check_snapshot({"sources": pa.table({"source": ["npo_1"], "caption": ["あさひ"]})}, mentions)
    for few in (["いる"] * 19, ["いる"] * 20 + ["翔太"]):
        with pytest.raises(IntegrityFault) as refusal:
            check_snapshot(facts(*few), mentions)
        assert "confidant" in refusal.value.text() and few[-1] not in refusal.value.text()


def test_doubtful_pair_is_queued_decided_once_and_followed(home: Home, hinata: Municipality, paper: Paper) -> None:
    paper.resident(
        "0000501", "中村 葵", "ﾅｶﾑﾗ ｱｵｲ", "2012-12-12", "女", resident_from="2012-12-12", resident_to="2019-03-31"
    )
    paper.resident(
        "0000909", "小川 葵", "ｵｶﾞﾜ ｱｵｲ", "2012-12-12", "女", resident_from="2023-04-01", household_number="H9"
    )
    land(paper, home)
    link_people(**stage(home, hinata))
    open_vault(home)
    from kodomo.vault.doubts import open_pair_desk  # Django is only there once the vault is open

    desk = open_pair_desk(home, by="凛", role="REVIEWER", at=AT)
    (pair,) = desk.waiting()
    assert "葵" not in json.dumps(pair, ensure_ascii=False, default=str)
    desk.decide(pair["pair"], "SAME")
    link_people(**stage(home, hinata, 10))
    assert len(set(exported(home, hinata).values())) == 1
    assert desk.waiting() == []
    with pytest.raises(NotReady):
        desk.decide(999, "SAME")


def test_stages_say_what_is_missing(home: Home, hinata: Municipality, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="住民記録"):
        link_people(**stage(home, hinata))
    with pytest.raises(NotReady, match="名寄せ"):
        publish_children(**stage(home, hinata))
    with pytest.raises(NotReady, match="名寄せ"):
        export_links(tmp_path / "x.csv", **stage(home, hinata))


def test_every_snapshot_table_is_written(linked_home: Home, hinata: Municipality) -> None:
    publish_children(**stage(linked_home, hinata, 30))
    snapshot = Store(linked_home.store).current("snapshots")
    assert snapshot is not None and set(snapshot.manifest["files"]) == set(SNAPSHOT_TABLES)

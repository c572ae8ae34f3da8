"""名寄せの確認: two records side by side for the reviewer alone, after the password, audited; decided, held back, undone."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connections
from spoken import english_in
from standing_people import AT, HANA, OTHERS, PASSWORD

from kodomo.configuration import Home
from kodomo.operations.links_page import part_lines
from kodomo.vault import people
from kodomo.vault.doubts import SHOWN, Pair, PairDesk, Record
from kodomo.vault.keys import Keyring
from kodomo.vault.models import DoubtfulPair, LinkRun, Receipt
from kodomo.vault.models import Person as Linked
from kodomo.vault.records import LANDED_FACTS, MENTIONS, ROWS, Landing, land, landing_schema

REVIEWER = next(p for p in OTHERS if p.role == "LINK_REVIEWER")
COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
LEFT = {
    "name": "髙橋 さくら",
    "name_kana": "タカハシ サクラ",
    "born_on": "2016-04-05",
    "age": "9",
    "school": "ひなた東小学校",
}
DAY = dt.date(2026, 3, 31)
RIGHT = {"name": "高橋 さくら", "name_kana": "タカハシ サクラ", "born_on": "2016-04-06", "sex": "女", "address": "ひなた市本町1-2-3",
         "resident_number": "100001"}  # fmt: skip


def _land(home: Home, keyring: Keyring, number: int, source: str, values: dict[str, str]) -> None:
    mention = dict.fromkeys(landing_schema(MENTIONS).names)
    mention |= {"row": 7, "role": "subject", "kind": "observations", "known_from": dt.date(2026, 4, 1), **values}
    landing = Landing(
        pa.Table.from_pylist([mention], landing_schema(MENTIONS)), landing_schema(LANDED_FACTS).empty_table(),
        landing_schema(ROWS).empty_table(),
    )  # fmt: skip
    land(home, keyring, f"r{number}", landing)
    Receipt.objects.using("vault").create(
        pk=number, source=source, file_name=f"{source}.csv", sha256=f"{number:064d}", size_bytes=1, received_at=AT,
        received_by="x", medium="MEDIA", rows_read=1, rows_landed=1, rows_quarantined=0, layout_sha256="", sealed_file=f"r{number}",
    )  # fmt: skip


def put_pairs(home: Home, *, protected: bool = False, flag: str | None = None) -> list[int]:
    """Two doubtful pairs of a school's row and a register entry, as linkage leaves them."""
    keyring = Keyring.open(home.keys)
    _land(home, keyring, 101, "school_enrolment", LEFT)
    _land(home, keyring, 102, "resident_register", {**RIGHT, **({"address_protection": flag} if flag else {})})
    Linked.objects.using("vault").create(
        person_number=5, person_key="p5", sealed_identity=b"", is_address_protected=protected
    )
    links = pa.table({"receipt": [102], "row": pa.array([7], pa.int32()), "role": ["subject"], "person_number": [5]})
    people.links_folder(home).mkdir(parents=True, exist_ok=True)
    folder = people.links_folder(home) / "run1"
    folder.mkdir()
    body = pa.BufferOutputStream()
    pq.write_table(links, body)
    (folder / "links.sealed").write_bytes(keyring.seal(body.getvalue().to_pybytes(), "links/run1/links"))
    run = LinkRun.objects.using("vault").create(made_at=AT, sealed_file="run1", figures={}, is_current=True)
    made = [
        DoubtfulPair.objects.using("vault").create(
            run=run, left_ref="101:7:subject", right_ref="102:7:subject", weight=weight, why=why
        )
        for weight, why in ((3.5, "NAME_AND_AGE"), (-1.0, "WEAK"))
    ]
    return [one.pk for one in made]


@pytest.fixture
def waiting(home: Home) -> list[int]:
    return put_pairs(home)


@pytest.fixture
def reviewer(as_person: Any) -> Any:
    """The reviewer's browser, the password given for the first pair."""

    def open_first(number: int) -> Any:
        browser = as_person(REVIEWER)
        assert browser.post(f"/links/{number}/", {"password": PASSWORD})["Location"] == f"/links/{number}/"
        return browser

    return open_first


def vault_rows() -> list[tuple[str, str, str, str]]:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action, subject, purpose FROM audit_events ORDER BY sequence")
        return [tuple(map(str, row)) for row in cursor.fetchall()]  # type: ignore[misc]


def test_only_the_reviewer_sees_pairs(as_person: Any, waiting: list[int]) -> None:
    for person in (COORDINATOR, HANA):
        assert as_person(person).get("/links/").status_code == 403
        assert as_person(person).post(f"/links/{waiting[0]}/", {"password": PASSWORD}).status_code == 403
    assert as_person(REVIEWER).get("/cases/").status_code == 403
    assert as_person(REVIEWER).get("/runs/").status_code == 403


def test_the_list_shows_no_value_of_anybody(as_person: Any, waiting: list[int]) -> None:
    body = as_person(REVIEWER).get("/links/").content.decode()
    assert "氏名と年齢しか分からない" in body and "+3.5" in body
    assert "橋" not in body and "100001" not in body and english_in(body) == set()


def test_names_come_only_after_the_password_and_leave_rows_in_both_trails(
    as_person: Any, waiting: list[int], audit_rows: Any
) -> None:
    browser = as_person(REVIEWER)
    number = waiting[0]
    assert "さくら" not in browser.get(f"/links/{number}/").content.decode()
    assert browser.post(f"/links/{number}/", {"password": "違う"}).status_code == 400
    assert not [row for row in vault_rows() if row[1] == "OPEN_PAIR"]
    browser.post(f"/links/{number}/", {"password": PASSWORD})
    body = browser.get(f"/links/{number}/").content.decode()
    assert "<mark>髙</mark>橋 さくら" in body and "<mark>高</mark>橋 さくら" in body
    assert "<mark>5</mark>" in body and "ひなた東小学校" in body and english_in(body) == set()
    assert ("link-reviewer", "OPEN_PAIR", f"pair:{number}", "名寄せ") in vault_rows()
    assert audit_rows()[-1]["action"] == "OPEN_PAIR"


def test_a_name_is_kept_nowhere(reviewer: Any, waiting: list[int], home: Home) -> None:
    browser = reviewer(waiting[0])
    browser.get(f"/links/{waiting[0]}/")
    assert "さくら" not in str(dict(browser.session))
    stored = b"".join(
        path.read_bytes() for path in [*home.casework.iterdir(), *home.vault.rglob("*")] if path.is_file()
    )
    assert "さくら".encode() not in stored


@pytest.mark.parametrize("how", [{"protected": True}, {"flag": "1"}])
def test_a_protected_address_is_not_shown(how: dict[str, Any], as_person: Any, home: Home, reviewer: Any) -> None:
    number = put_pairs(home, **how)[0]
    body = reviewer(number).get(f"/links/{number}/").content.decode()
    assert "本町" not in body and "表示しません" in body and "さくら" in body


def test_an_address_that_may_be_another_protected_persons_is_not_shown(
    reviewer: Any, waiting: list[int], home: Home
) -> None:
    """The left record may be the right one's or that of somebody in hiding: then its address isn't shown beside either."""
    _land(home, Keyring.open(home.keys), 103, "resident_register", {**RIGHT, "address_protection": "0"})
    run = people.require_run()
    Linked.objects.using("vault").create(
        person_number=6, person_key="p6", sealed_identity=b"", is_address_protected=True
    )
    links = pa.table({
        "receipt": [102, 103], "row": pa.array([7, 7], pa.int32()), "role": ["subject"] * 2, "person_number": [5, 6],
    })  # fmt: skip
    body = pa.BufferOutputStream()
    pq.write_table(links, body)
    sealed = Keyring.open(home.keys).seal(body.getvalue().to_pybytes(), "links/run1/links")
    (people.links_folder(home) / "run1" / "links.sealed").write_bytes(sealed)
    other = {"left_ref": "101:7:subject", "right_ref": "103:7:subject", "weight": 1.0, "why": "CLOSE_SECOND"}
    DoubtfulPair.objects.using("vault").create(run=run, **other)
    shown = reviewer(waiting[0]).get(f"/links/{waiting[0]}/").content.decode()
    assert "本町" not in shown and "表示しません" in shown


def test_an_unprotected_address_is_shown(reviewer: Any, waiting: list[int]) -> None:
    assert "ひなた市本町1-2-3" in reviewer(waiting[0]).get(f"/links/{waiting[0]}/").content.decode()


def test_a_part_without_a_basis_for_linkage_is_not_shown(home: Home, waiting: list[int], hinata: Any) -> None:
    from kodomo.governance.register import read_register

    desk = PairDesk(home, Keyring.open(home.keys), "r", "LINK_REVIEWER", AT)
    opened = desk.both(waiting[0], register=read_register(hinata.folder), on=dt.date(2040, 1, 1))
    assert set(opened.withheld) == {part for part, item in SHOWN.items() if item}
    assert not any(opened.left.values[part] for part in opened.withheld)


def test_a_decision_is_kept_and_leads_to_the_next_pair(reviewer: Any, waiting: list[int]) -> None:
    browser = reviewer(waiting[0])
    answer = browser.post(f"/links/{waiting[0]}/decide/", {"decision": "SAME"})
    assert answer["Location"] == f"/links/{waiting[1]}/"
    found = DoubtfulPair.objects.using("vault").get(pk=waiting[0])
    assert (found.decision, found.decided_by) == ("SAME", "link-reviewer")
    assert browser.post(f"/links/{waiting[0]}/decide/", {"decision": "DIFFERENT"}).status_code == 503
    assert DoubtfulPair.objects.using("vault").get(pk=waiting[0]).decision == "SAME"


def test_holding_back_decides_nothing_and_goes_on(reviewer: Any, waiting: list[int]) -> None:
    browser = reviewer(waiting[0])
    assert browser.post(f"/links/{waiting[0]}/decide/", {"decision": "HOLD"})["Location"] == f"/links/{waiting[1]}/"
    assert browser.post(f"/links/{waiting[1]}/decide/", {"decision": "HOLD"})["Location"] == "/links/"
    assert DoubtfulPair.objects.using("vault").filter(decision="").count() == 2
    assert [row[1] for row in vault_rows()].count("HOLD_PAIR") == 2


def test_a_decision_is_taken_back_with_a_reason(reviewer: Any, waiting: list[int], audit_rows: Any) -> None:
    browser = reviewer(waiting[0])
    browser.post(f"/links/{waiting[0]}/decide/", {"decision": "DIFFERENT"})
    assert "別の人" in browser.get("/links/").content.decode()
    assert browser.post(f"/links/{waiting[0]}/undo/", {"reason": " "}).status_code == 400
    assert browser.post(f"/links/{waiting[0]}/undo/", {"reason": "母の旧氏を見落としていた。"}).status_code == 302
    assert DoubtfulPair.objects.using("vault").get(pk=waiting[0]).decision == ""
    assert audit_rows()[-1]["action"] == "UNDO_PAIR"
    assert ("link-reviewer", "UNDO_DECISION", f"P{waiting[0]}", "名寄せ") in vault_rows()


def test_no_decision_without_the_password(as_person: Any, waiting: list[int]) -> None:
    answer = as_person(REVIEWER).post(f"/links/{waiting[0]}/decide/", {"decision": "SAME"})
    assert answer["Location"] == f"/links/{waiting[0]}/"
    assert DoubtfulPair.objects.using("vault").get(pk=waiting[0]).decision == ""


def test_a_pair_that_is_gone_is_no_page(reviewer: Any, waiting: list[int]) -> None:
    assert reviewer(waiting[0]).get("/links/999/").status_code == 404


@pytest.mark.parametrize(
    ("born", "age", "grade"),
    [
        ("2016-04-02", "9", "3"),
        ("2016-04-01", "9", "4"),
        ("2015-04-01", "10", "5"),
        ("2012-05-01", "13", "1"),
        ("2020-04-02", "5", "—"),
    ],
)
def test_age_and_grade_are_reckoned_on_the_others_day(born: str, age: str, grade: str) -> None:
    blank = dict.fromkeys(SHOWN, "")
    told = Record("1:1:subject", "a", "a", 1, DAY, {**blank, "age": age, "grade": grade})
    known = Record("2:1:subject", "b", "b", 1, DAY, {**blank, "born_on": born})
    lines = {line.label: line for line in part_lines(Pair(1, "x", 0.0, told, known, (), "", ""))}
    assert lines["年齢"].verdict == "同じ" and lines["学年"].verdict == "同じ", lines


def test_other_candidates_of_a_record_are_linked(reviewer: Any, waiting: list[int]) -> None:
    assert f'href="/links/{waiting[1]}/"' in reviewer(waiting[0]).get(f"/links/{waiting[0]}/").content.decode()


def test_parts_are_compared_in_words() -> None:
    blank = dict.fromkeys(SHOWN, "")
    left = Record(
        "1:1:subject", "a", "a", 1, DAY, {**blank, "name": "山田 花", "name_kana": "ヤマダ", "school": "東小"}
    )
    right = Record(
        "2:1:subject", "b", "b", 1, DAY, {**blank, "name": "山田\u3000花", "name_kana": "やまだ", "sex": "女"}
    )
    lines = {line.label: line.verdict for line in part_lines(Pair(1, "x", 0.0, left, right, ("address",), "", ""))}
    assert lines == {"氏名": "書き方だけが違う", "氏名カナ": "書き方だけが違う", "学校・園": "片方にしかない", "性別": "片方にしかない",
                     "住所": "表示しません"}  # fmt: skip
    assert "山田" not in repr(left) and not re.search("東小", repr(Pair(1, "x", 0.0, left, right, (), "", "")))

from __future__ import annotations

import shutil
from typing import Any

import pytest
from django.db import connections
from standing_people import FOUR, HANA, OTHERS, Person

from kodomo.configuration import Home
from kodomo.web.verify import verify_audit

OFFICER = next(p for p in OTHERS if p.role == "PRIVACY_OFFICER")


@pytest.fixture
def worked(as_person: Any, case_of: Any, decided: Any, in_vault: Any) -> str:
    """花 has read, decided and opened a name."""
    from standing_people import PASSWORD

    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    hana.post(f"/cases/{number}/reveal/", {"purpose": "P1", "password": PASSWORD})
    return str(number)


def run(side: str, *statements: str) -> None:
    """What somebody with the database file could do."""
    with connections[side].cursor() as cursor:
        for trigger in ("audit_events_no_update", "audit_events_no_delete"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_is_not_for_those_who_are_watched(person: Person, as_person: Any) -> None:
    assert as_person(person).get("/audit/").status_code == 403


def test_it_tells_who_did_what_to_which_case_and_why(worked: str, as_person: Any) -> None:
    body = as_person(OFFICER).get("/audit/").content.decode()
    for words in (
        "氏名等を確かめた",
        "支援要否を判断した",
        "一次所見を書いた",
        "個票を見た",
        "青木 花",
        worked,
        "支援のための連絡・訪問",
    ):
        assert words in body
    assert "pc01" not in body and "日向" not in body


def test_it_narrows_by_person_act_and_case(worked: str, as_person: Any) -> None:
    officer = as_person(OFFICER)
    table = officer.get(f"/audit/?actor=hana&action=DECIDE&case={worked}").content.decode().split("<tbody>")[1]
    assert table.count("<tr>") == 1 and "支援要否を判断した" in table
    assert "当てはまる証跡はありません" in officer.get("/audit/?actor=nobody").content.decode()
    assert officer.get("/audit/?before=abc&action=%27%3B--").status_code == 200


def test_it_records_that_the_trail_was_read(worked: str, as_person: Any, audit_rows: Any) -> None:
    as_person(OFFICER).get("/audit/?actor=hana")
    row = audit_rows()[-1]
    assert (row["actor"], row["action"]) == ("privacy-officer", "VIEW_AUDIT")
    assert '"actor": "hana"' in row["detail"]


def test_it_shows_older_rows_page_by_page(as_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.web import audit_list

    monkeypatch.setattr(audit_list, "PAGE_SIZE", 3)
    officer = as_person(OFFICER)
    for _ in range(5):
        officer.get("/audit/")
    body = officer.get("/audit/").content.decode()
    older = body.split("before=")[1].split('"')[0]
    assert f'data-label="番号">{older}<' in body
    assert f'data-label="番号">{int(older) - 1}<' in officer.get(f"/audit/?before={older}").content.decode()


def test_it_finds_both_chains_whole(worked: str, as_person: Any, home: Home) -> None:
    body = as_person(OFFICER).get("/audit/verify/").content.decode()
    assert body.count("書かれたときのままです") == 2
    found = verify_audit(home)
    assert found["casework"]["first_bad"] is None and found["vault"]["first_bad"] is None
    assert found["casework"]["rows"] > 6 and found["vault"]["rows"] == 1


@pytest.mark.parametrize("side", ["default", "vault"])
def test_it_names_an_edited_row(side: str, worked: str, as_person: Any, home: Home) -> None:
    run(side, "UPDATE audit_events SET actor = 'makoto' WHERE sequence = 1")
    name = {"default": "casework", "vault": "vault"}[side]
    assert verify_audit(home)[name]["first_bad"] == 1
    assert "1 行目" in as_person(OFFICER).get("/audit/verify/").content.decode()


def test_it_names_a_removed_row(worked: str, home: Home) -> None:
    run("default", "DELETE FROM audit_events WHERE sequence = 3")
    assert verify_audit(home)["casework"]["first_bad"] == 3


def test_it_finds_a_cut_tail(worked: str, home: Home) -> None:
    run("default", "DELETE FROM audit_events WHERE sequence > 4")
    assert verify_audit(home)["casework"]["first_bad"] == 5


def test_it_finds_an_older_database_put_back(
    worked: str, home: Home, as_person: Any, tmp_path: Any, case_of: Any
) -> None:
    """Somebody restores last week's file to make a look at a child unseen; the site stops."""
    database = home.casework / "casework.sqlite3"
    _close()
    shutil.copy(database, tmp_path / "older")
    as_person(HANA).get(f"/cases/{case_of('pc02').case_number}/")
    _close()
    shutil.copy(tmp_path / "older", database)
    assert verify_audit(home)["casework"]["first_bad"] is not None
    answers = [as_person(HANA).get(f"/cases/{case_of('pc01').case_number}/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 500, 500]
    assert "古いデータベースに戻されています" in answers[0].content.decode()
    assert verify_audit(home)["casework"]["first_bad"] is not None


def _close() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections["default"].close()


def test_it_is_append_only_for_the_site_itself(worked: str) -> None:
    from django.db import IntegrityError

    for statement in ("UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(IntegrityError, match="append-only"), connections["default"].cursor() as cursor:
            cursor.execute(statement)


def test_it_has_words_for_every_act_the_site_records() -> None:
    import re
    from pathlib import Path

    from kodomo.governance.permissions import Action
    from kodomo.web.audit_list import ACTION_WORDS

    root = Path(__file__).resolve().parents[2] / "kodomo"
    source = "".join(p.read_text() for side in ("web", "assessment") for p in (root / side).glob("*.py"))
    recorded = set(
        re.findall(r'(?:event_of\([^,]+, |_pass\([^,]+, \w+, |record_failure\([^,]+, [^,]+, )"([A-Z_]+)"', source)
    )
    assert {"SIGN_IN", "REFUSED", "OPEN_REVEAL"} <= recorded
    assert recorded | {action.value for action in Action} <= set(ACTION_WORDS)
